r"""Pivots: the cells that totals are summed from, and the block of the model that defines them.

    cell[c] = Σ_{choices j} (constant[j] · accept[j] + slope[j] · award[j]) · Σ_{lines of j in c} weight

Every total of a measure could be written over the choices directly, at the price of a non-zero for each project and
total. Two totals that cut the lines differently can instead share a **pivot**: the cells that neither of them can tell
apart. Sharing saves non-zeros on projects and multiplies the cells, so families of totals (the members of one rule)
join a pivot as long as that makes the model smaller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression
from scipy import sparse

from integrated_fund.awards import Awards
from integrated_fund.ledger import Codes, Ledger, MeasureKey
from integrated_fund.limits import Total


@dataclass(frozen=True)
class Pivot:
    """Cells of one measure: the cell of each line (-1: in none) and the cells that make up each total, by number."""

    measure: MeasureKey
    cell_of_line: Codes
    cells_of_total: dict[int, Codes]
    size: int


def pivots_of(totals: Sequence[Total]) -> list[Pivot]:
    """Return pivots for all totals, few non-zeros in all.

    Greedy: families of totals, largest first, each joining the pivot where it costs least, or starting one.
    """
    by_measure: dict[MeasureKey, list[int]] = {}
    for number, total in enumerate(totals):
        by_measure.setdefault(total.measure, []).append(number)
    return [pivot for measure, numbers in by_measure.items() for pivot in _pivots_of_measure(measure, numbers, totals)]


@dataclass
class _Draft:
    """A pivot in the making, over patterns (sets of lines that lie in the same totals)."""

    code: Codes  # by pattern; 0: in no total of this pivot
    totals: list[int]
    cost: int


def _pivots_of_measure(measure: MeasureKey, numbers: list[int], totals: Sequence[Total]) -> list[Pivot]:
    table = np.array([totals[number].lines for number in numbers])
    packed = np.packbits(table, axis=0).T
    _, first, pattern_of_line, size = np.unique(
        packed, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    pattern_of_line = pattern_of_line.reshape(-1)
    member = table[:, first]  # totals × patterns

    families: dict[int, list[int]] = {}
    for row, number in enumerate(numbers):
        families.setdefault(totals[number].family, []).append(row)
    labelled: list[tuple[Codes, list[int]]] = []
    for rows in families.values():
        if member[rows].sum(axis=0).max(initial=0) <= 1:
            labelled.append((np.array([np.arange(1, len(rows) + 1)]) @ member[rows], rows))
        else:  # members that overlap (tags) are families of their own
            labelled += [(member[row].astype(np.int64), [row]) for row in rows]
    labelled = [(np.asarray(label, dtype=np.int64).reshape(-1), rows) for label, rows in labelled]
    labelled.sort(key=lambda entry: (-int(entry[0].max(initial=0)), entry[1]))

    drafts: list[_Draft] = []
    for label, rows in labelled:
        alone = _Draft(label, rows, _cost(label, rows, member, size))
        best, saving = len(drafts), 0
        joined = [_join(draft, alone, member, size) for draft in drafts]
        for number, (draft, together) in enumerate(zip(drafts, joined, strict=True)):
            if draft.cost + alone.cost - together.cost > saving:
                best, saving = number, draft.cost + alone.cost - together.cost
        drafts[best : best + 1] = [joined[best] if best < len(drafts) else alone]

    pivots = []
    for draft in drafts:
        codes, compact = np.unique(draft.code, return_inverse=True)
        compact = compact.reshape(-1) - (1 if codes[0] == 0 else 0)
        cells = {numbers[row]: np.unique(compact[member[row]]) for row in draft.totals}
        pivots.append(Pivot(measure, compact[pattern_of_line], cells, int(compact.max(initial=-1)) + 1))
    return pivots


def _join(one: _Draft, other: _Draft, member: npt.NDArray[np.bool_], size: Codes) -> _Draft:
    pairs = one.code * (int(other.code.max(initial=0)) + 1) + other.code
    found, code = np.unique(pairs, return_inverse=True)  # small numbers again: many joins would overflow
    code = code.reshape(-1) + (0 if found[0] == 0 else 1)
    rows = one.totals + other.totals
    return _Draft(code, rows, _cost(code, rows, member, size))


def _cost(code: Codes, rows: list[int], member: npt.NDArray[np.bool_], size: Codes) -> int:
    """Return about how many non-zeros a pivot takes: lines in cells, the cells, and cells by total."""
    lines = int(size[code > 0].sum())
    cells = len(np.unique(code[code > 0]))
    return lines + cells + sum(len(np.unique(code[member[row]])) for row in rows)


class Cells:
    """The cells in the model. A total is an expression over them, in the unit of its measure's `scale`.

    `scale` is a power of ten in the round's unit, chosen so that a typical project counts about 1: solvers work with
    tolerances of 1e-6, and money in single yuan would drown them.
    """

    def __init__(self, model: pyo.ConcreteModel, ledger: Ledger, awards: Awards, totals: Sequence[Total]) -> None:
        self._terms: dict[int, list[pyo.Var]] = {}
        self.scale: dict[MeasureKey, Fraction] = {}
        pivots = pivots_of(totals)
        names = [f"{pivot.measure.name}_{number}" for number, pivot in enumerate(pivots)]
        model.cell = pyo.Var([(k, c) for k, pivot in enumerate(pivots) for c in range(pivot.size)])
        model.cells = pyo.Constraint(pyo.Any)
        self.count = sum(pivot.size for pivot in pivots)
        self.pivots = len(names)
        for k, pivot in enumerate(pivots):
            scale = self.scale.setdefault(pivot.measure, scale_of(ledger, pivot.measure))
            matrix = _coefficients(ledger, awards, pivot, scale)
            for c in range(pivot.size):
                begin, end = matrix.indptr[c], matrix.indptr[c + 1]
                columns = matrix.indices[begin:end].tolist()
                model.cells[k, c] = (
                    LinearExpression(
                        constant=0,
                        linear_coefs=[-1.0, *matrix.data[begin:end].tolist()],
                        linear_vars=[model.cell[k, c], *(awards.columns[column] for column in columns)],
                    )
                    == 0
                )
            for total, cells in pivot.cells_of_total.items():
                self._terms[total] = [model.cell[k, int(c)] for c in cells]

    def terms(self, total: int) -> list[pyo.Var]:
        """Return the cell variables that sum up to a total."""
        return self._terms[total]


def scale_of(ledger: Ledger, key: MeasureKey) -> Fraction:
    """Return the power of ten nearest to the median project's value of a measure (1 where nothing has a value)."""
    measure = ledger.measure(key)
    values = sorted(
        abs(float(measure.value(j, choice.high)))
        for j, choice in enumerate(ledger.choices)
        if measure.value(j, choice.high)
    )
    if not values:
        return Fraction(1)
    exponent = round(math.log10(values[len(values) // 2]))
    return Fraction(10**exponent) if exponent >= 0 else Fraction(1, 10**-exponent)


def _coefficients(ledger: Ledger, awards: Awards, pivot: Pivot, scale: Fraction) -> sparse.csr_matrix:
    """Return the cells by columns of the awards block, shape (cells, columns)."""
    measure = ledger.measure(pivot.measure)
    inside = np.flatnonzero(pivot.cell_of_line >= 0)
    choice = ledger.line_choice[inside]
    cell = pivot.cell_of_line[inside]
    weight = np.array([float(measure.weight[line]) for line in inside.tolist()])
    per_accept, per_extra = awards.coefficients(measure.constant, measure.slope, scale)
    rows = np.concatenate([cell, cell])
    columns = np.concatenate([awards.accept_column[choice], awards.extra_column[choice]])
    data = np.concatenate([weight * per_accept[choice], weight * per_extra[choice]])
    keep = (columns >= 0) & (data != 0)
    return sparse.coo_matrix((data[keep], (rows[keep], columns[keep])), shape=(pivot.size, len(awards.columns))).tocsr()
