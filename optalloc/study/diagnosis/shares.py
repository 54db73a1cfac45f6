r"""Shares with `=` that a repair may move: the share is a decision s too, on its grid, beside what it multiplies.

    s = grid · Σ 2^b · z[b],   z[b] in {0, 1},   0 <= s <= max(1 / ratio, what is typed now)
    activity − ratio · grid · Σ 2^b · w[b]  =  0                        (w[b] = z[b] · base, the row of each member)
    w[b] <= M · z[b],   w[b] <= base,   w[b] >= base − M · (1 − z[b])   (0 <= base <= M)
    ratio · (grid · Σ 2^b · w[b] − typed · base)  within  − down and + up

`down` and `up` are violations like any other: where both are 0 the share is as typed. As s is the sum of its digits it
can be typed, and the products are exact (G. P. McCormick, Computability of global solutions to factorable nonconvex
programs, Mathematical Programming 10, 1976). No share above 1 / ratio can be kept: a member's lines are in its base. A
rule whose measure may be negative, or whose attribute is, is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import sparse

from integrated_fund.limits import Limit
from integrated_fund.pieces import RowList, stacked
from integrated_fund.round import Rule
from optalloc.solve.arrays import IntegerProgramme, Vector
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_lp
from optalloc.study.diagnosis.movable import Movable
from optalloc.study.diagnosis.requirements import Requirements

#: What the most of a base is widened by, against the solver's tolerance.
_WIDER = 1e-6


@dataclass(frozen=True, slots=True)
class SharedRows:
    """The rows in which the violations of a share stand: `up` in the first ones, `down` in the second."""

    up: tuple[int, ...]
    down: tuple[int, ...]


class Shares:
    """The programme of a round with the digits of its shares with `=`.

    Attributes:
        programme: with columns and rows added at the end.
        rows: the rows of each share that can move, by its rule.
    """

    def __init__(self, requirements: Requirements, movables: Sequence[Movable]) -> None:
        self._requirements = requirements
        self.programme: IntegerProgramme = requirements.arrays
        self.rows: dict[str, SharedRows] = {}
        limits: dict[str, list[Limit]] = {}
        for limit in requirements.fund.appraisal.limits.rows:
            limits.setdefault(limit.rule.rule, []).append(limit)
        for movable in movables:
            if is_equal_share(movable.row):
                self._add(movable, [limit for limit in limits.get(movable.name, []) if limit.unit])

    def _add(self, movable: Movable, limits: Sequence[Limit]) -> None:
        if not limits or any(limit.unit < 0 or self._may_be_negative(limit) for limit in limits):
            return
        assert not isinstance(movable.before, str)
        bases = [self._base(limit) for limit in limits]
        most = [self._most(base) for base in bases]
        grid, typed = Fraction(movable.grid), Fraction(movable.before)
        units = int(max(max(1 / limit.unit for limit in limits), typed) / grid)
        digits = units.bit_length()
        first = self.programme.matrix.shape[1]
        products = {
            (number, digit): first + digits * (1 + number) + digit
            for number in range(len(limits))
            for digit in range(digits)
        }
        added = RowList("shares")
        own = len(self.programme.row_lower)
        added.add("range", [(first + digit, float(2**digit)) for digit in range(digits)], 0.0, float(units))
        up: list[int] = []
        down: list[int] = []
        changes: list[tuple[int, int, float]] = []
        for number, (limit, base, high) in enumerate(zip(limits, bases, most, strict=True)):
            scales = self._ratio(limit)
            row = self._requirements.arrays.rule_rows[limit.name]
            moved = [(products[number, digit], float(limit.unit * grid * scales * 2**digit)) for digit in range(digits)]
            still = [(column, float(limit.unit * typed * scales) * value) for column, value in base]
            changes += [(row, column, value) for column, value in still]
            changes += [(row, column, -value) for column, value in moved]
            together = [*moved, *((column, -value) for column, value in still)]
            up.append(own + len(added.keys))
            added.add("up", together, -np.inf, 0.0)
            down.append(own + len(added.keys))
            added.add("down", together, 0.0, np.inf)
            for digit in range(digits):
                product, on = products[number, digit], first + digit
                added.add("off", [(product, 1.0), (on, -high)], -np.inf, 0.0)
                against = [(column, -value) for column, value in base]
                added.add("most", [(product, 1.0), *against], -np.inf, 0.0)
                added.add("on", [(product, 1.0), *against, (on, -high)], -high, np.inf)
        self._extend(added, changes, digits, digits * len(limits))
        self.rows[movable.name] = SharedRows(tuple(up), tuple(down))

    def _extend(self, added: RowList, changes: Sequence[tuple[int, int, float]], digits: int, products: int) -> None:
        arrays = self.programme
        new = digits + products
        columns = arrays.matrix.shape[1] + new
        below = added.rows(columns)
        wider = sparse.csr_matrix(sparse.hstack([arrays.matrix, sparse.csr_matrix((len(arrays.row_lower), new))]))
        rows, places, values = (list(part) for part in zip(*changes, strict=True))
        wider = sparse.csr_matrix(wider + sparse.csr_matrix((values, (rows, places)), shape=wider.shape))
        self.programme = IntegerProgramme(
            stacked([wider, below.matrix], columns),
            np.append(arrays.row_lower, below.lower),
            np.append(arrays.row_upper, below.upper),
            np.append(arrays.column_lower, np.zeros(new)),
            np.concatenate([arrays.column_upper, np.ones(digits), np.full(products, np.inf)]),
            np.concatenate([arrays.integer, np.ones(digits, dtype=np.bool_), np.zeros(products, dtype=np.bool_)]),
        )

    def _base(self, limit: Limit) -> list[tuple[int, float]]:
        assert limit.base is not None
        column_of = self._requirements.arrays.column_of
        return [(column_of[id(cell)], 1.0) for cell in self._requirements.fund.cells.terms(limit.base)]

    def _ratio(self, limit: Limit) -> Fraction:
        """Return what one of the base is in units of the row."""
        cells, totals = self._requirements.fund.cells, self._requirements.fund.appraisal.limits.totals
        assert limit.base is not None
        return cells.scale[totals[limit.base].measure] / cells.scale[totals[limit.activity].measure]

    def _may_be_negative(self, limit: Limit) -> bool:
        fund = self._requirements.fund
        measure = fund.ledger.measure(fund.appraisal.limits.totals[limit.activity].measure)
        return bool((measure.constant_floats < 0).any() or (measure.slope_floats < 0).any())

    def _most(self, base: Sequence[tuple[int, float]]) -> float:
        """Return what a base comes to at most, whatever is required."""
        free = self._requirements.programme(())
        cost: Vector = np.zeros(len(free.column_lower))
        for column, value in base:
            cost[column] += value
        return solve_lp(free, cost, Watch()).objective * (1 + _WIDER) + _WIDER


def is_equal_share(row: object) -> bool:
    """Return whether a row is a rule that something decided is an exact share of something else decided."""
    return isinstance(row, Rule) and row.sense == "=" and row.of in ("total", "average")
