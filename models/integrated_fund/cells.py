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
from scipy import sparse

from integrated_fund.awards import Awards
from integrated_fund.choices import Codes
from integrated_fund.ledger import Ledger
from integrated_fund.limits import Total
from integrated_fund.measures import MeasureKey
from integrated_fund.patterns import compacted
from integrated_fund.pieces import Columns, Rows, stacked


@dataclass(frozen=True)
class Pivot:
    """Cells of one measure: the cell of each of the ledger's line patterns (-1: in none), and those of each total."""

    measure: MeasureKey
    cell_of_pattern: Codes
    cells_of_total: dict[int, Codes]
    size: int


def pivots_of(ledger: Ledger, totals: Sequence[Total]) -> list[Pivot]:
    """Return pivots for all totals, few non-zeros in all.

    Greedy: families of totals, largest first, each joining the pivot where it costs least, or starting one.
    """
    by_measure: dict[MeasureKey, list[int]] = {}
    for number, total in enumerate(totals):
        by_measure.setdefault(total.measure, []).append(number)
    lines = np.bincount(ledger.pattern_of_line, minlength=len(ledger.patterns))
    return [
        pivot
        for measure, numbers in by_measure.items()
        for pivot in _pivots_of_measure(measure, numbers, totals, lines)
    ]


@dataclass
class _Draft:
    """A pivot in the making, over groups of line patterns that lie in the same totals."""

    code: Codes  # by group; 0: in no total of this pivot
    totals: list[int]
    cost: int


def _pivots_of_measure(measure: MeasureKey, numbers: list[int], totals: Sequence[Total], lines: Codes) -> list[Pivot]:
    table = [totals[number].patterns for number in numbers]
    a_pattern, group = compacted(table)
    member = np.array(table)[:, a_pattern]  # totals × groups
    size = np.zeros(len(a_pattern), dtype=np.int64)
    np.add.at(size, group, lines)

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
        pivots.append(Pivot(measure, compact[group], cells, int(compact.max(initial=-1)) + 1))
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

    def __init__(
        self, model: pyo.ConcreteModel, ledger: Ledger, awards: Awards, first: int, totals: Sequence[Total]
    ) -> None:
        pivots = pivots_of(ledger, totals)
        self.pivots = len(pivots)
        self.count = sum(pivot.size for pivot in pivots)
        keys = [(k, c) for k, pivot in enumerate(pivots) for c in range(pivot.size)]
        columns = Columns("cell", lambda: keys, pyo.Reals, np.full(self.count, -np.inf), np.full(self.count, np.inf))
        self.variables = columns.variables_in(model)
        self.scale: dict[MeasureKey, Fraction] = {
            measure: scale_of(ledger, measure) for measure in dict.fromkeys(pivot.measure for pivot in pivots)
        }
        self._numbers: dict[int, list[int]] = {}
        matrices = []
        begin = 0
        for pivot in pivots:
            matrices.append(_coefficients(ledger, awards, pivot, self.scale[pivot.measure], first + begin))
            for total, cells in pivot.cells_of_total.items():
                self._numbers[total] = (begin + cells).tolist()
            begin += pivot.size
        zeros = np.zeros(self.count)
        self.rows = Rows("cells", lambda: keys, stacked(matrices, first + self.count), zeros, zeros)

    def terms(self, total: int) -> list[pyo.Var]:
        """Return the cell variables that sum up to a total."""
        return [self.variables[number] for number in self._numbers[total]]


def scale_of(ledger: Ledger, key: MeasureKey) -> Fraction:
    """Return the power of ten nearest to the median project's value of a measure (1 where nothing has a value)."""
    measure = ledger.measure(key)
    values = np.abs(measure.constant_floats + measure.slope_floats * ledger.high)
    values = values[values > 0]
    if not len(values):
        return Fraction(1)
    exponent = round(math.log10(np.partition(values, len(values) // 2)[len(values) // 2]))
    return Fraction(10**exponent) if exponent >= 0 else Fraction(1, 10**-exponent)


def _coefficients(ledger: Ledger, awards: Awards, pivot: Pivot, scale: Fraction, first: int) -> sparse.csr_matrix:
    """Return the definitions of a pivot's cells, whose columns start at `first`; shape (cells, first + cells)."""
    measure = ledger.measure(pivot.measure)
    cell_of_line = pivot.cell_of_pattern[ledger.pattern_of_line]
    inside = np.flatnonzero(cell_of_line >= 0)
    cell = cell_of_line[inside]
    choice = ledger.line_choice[inside]
    weight = measure.weight_floats[inside] * scale.denominator / scale.numerator
    rows, columns, data = [], [], []
    per_accept, per_extra = awards.coefficients(measure.constant_floats, measure.slope_floats)
    for column_of, value in ((awards.accept_column, per_accept), (awards.extra_column, per_extra)):
        column, coefficient = column_of[choice], weight * value[choice]
        keep = (column >= 0) & (coefficient != 0)
        rows.append(cell[keep])
        columns.append(column[keep])
        data.append(coefficient[keep])
    every = np.arange(pivot.size)
    matrix = sparse.coo_matrix(
        (
            np.concatenate([*data, np.full(pivot.size, -1.0)]),
            (np.concatenate([*rows, every]), np.concatenate([*columns, first + every])),
        ),
        shape=(pivot.size, first + pivot.size),
    ).tocsr()
    matrix.eliminate_zeros()
    return matrix
