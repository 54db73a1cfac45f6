"""The linear relaxation of a solved round: prices on both sides of every lever, and how far they hold.

Two relaxations are asked. In the first every decision is free: acceptances may be any share. In the second the plan's
acceptances are fixed and awards may be any amount, which is what money at the margin does in this plan.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from integrated_fund.fund import Fund
from optalloc.solve.arrays import Arrays
from optalloc.solve.exactness import Tightening, point_of
from optalloc.solve.progress import Watch
from optalloc.solve.solution import Solution
from optalloc.study.prices.levers import PERCENTAGE_POINT, Lever, Shift, cell_shift, pool_shift
from optalloc.study.prices.sensitivity import Sensitivity, Side


@dataclass(frozen=True)
class Marginal:
    """Both sides of a lever, as derivatives of the objective by the bound: inf or -inf where no plan lies on a side.

    `down` and `up` say how far the bound can fall and rise until they change (inf: without end), in its own unit.
    """

    more: float
    less: float
    down: float
    up: float


class Relaxation:
    """A relaxation of one level of a solved round's objective, earlier levels held.

    Attributes:
        sensitivity: the linear programme at its optimum; `value` is that optimum.
        pool: what one unit of money more is worth that all sources share in proportion.

    Raises:
        SolverError: the relaxation has no optimum, or the solver failed.
    """

    def __init__(self, solution: Solution, level: int, watch: Watch, *, decided: bool = False) -> None:
        self.fund: Fund = solution.fund
        arrays = Tightening(self.fund).apply(solution.arrays, solution.held[:level])
        if decided:
            arrays = _with_acceptances(self.fund, arrays, solution)
        self.arrays, self.level = arrays, level
        movable = [*arrays.rule_rows.values(), *arrays.source_rows.values()]
        movable += [row for rows in arrays.link_rows.values() for row in rows]
        self.sensitivity = Sensitivity(arrays, arrays.levels[level], np.array(sorted(movable), dtype=np.int64), watch)
        self.value = self.sensitivity.value
        self.pool = self._slope(pool_shift(self.fund, arrays))

    def marginal(self, shift: Shift) -> Marginal:
        """Return both sides of a shift, and how far they hold."""
        up, down = self._side(shift), self._side(-shift)
        return Marginal(
            _slope_of(up),
            -_slope_of(down),
            self._reach(-shift, down),
            self._reach(shift, up),
        )

    def slopes(self, shift: Shift) -> tuple[float, float]:
        """Return the derivatives for more and for less."""
        return self._slope(shift), -self._slope(-shift)

    def point_prices(self, lever: Lever) -> tuple[float, float] | None:
        """Return what a percentage point more and one less of a share rule are worth, as derivatives; None where the
        bases of several members move together with the decisions.

        A share of a total multiplies decisions, so the derivative is a saddle value: the worst price over the optimal
        prices, the best base over the optimal points (H. D. Mills, Marginal values of matrix games and linear programs,
        1956). For one row with a price of one sign it is the product of two extremes.
        """
        shift = cell_shift(self.fund, self.arrays, lever)
        point = float(PERCENTAGE_POINT)
        if shift is not None:
            more, less = self.slopes(shift)
            return more * point, less * point
        if len(lever.limits) != 1:
            return None
        limit = self.fund.appraisal.limits.rows[lever.limits[0]]
        assert limit.base is not None
        if not len(lever.shift.rows):
            return 0.0, 0.0
        more, less = self.slopes(lever.shift)
        if more == 0 and less == 0:
            return 0.0, 0.0
        scale = self.fund.cells.scale[self.fund.appraisal.limits.totals[limit.base].measure]
        coefficients = np.zeros(len(self.arrays.column_lower))
        for cell in self.fund.cells.terms(limit.base):
            coefficients[self.arrays.column_of[id(cell)]] += float(scale * limit.unit)
        least, most = self.sensitivity.extremes(coefficients)
        # One more of the share takes the base times its price: best over points of the worst over prices.
        best_more = max(_times(more, least), _times(more, most))
        best_less = min(_times(less, least), _times(less, most))
        return best_more * point, best_less * point

    def _side(self, shift: Shift) -> Side:
        return self.sensitivity.side(shift.rows, shift.by)

    def _slope(self, shift: Shift) -> float:
        return _slope_of(self._side(shift))

    def _reach(self, shift: Shift, side: Side) -> float:
        return self.sensitivity.reach(shift.rows, shift.by, side)


def _times(price: float, amount: float) -> float:
    return 0.0 if price == 0 or amount == 0 else price * amount


def _slope_of(side: Side) -> float:
    """Return a side's slope, -inf where no plan lies on it."""
    return -np.inf if side.slope is None else side.slope


def _with_acceptances(fund: Fund, arrays: Arrays, solution: Solution) -> Arrays:
    """Return the arrays with the plan's acceptances fixed."""
    point = np.zeros(len(arrays.column_lower))
    for column, value in point_of(fund, arrays, solution.evaluation.decision).items():
        point[column] = value
    accept = arrays.accept[arrays.accept >= 0]
    return arrays.with_bounds(accept, point[accept], point[accept])


def awards_vary(solution: Solution) -> bool:
    """Whether any accepted award, or any block grant, could be another amount."""
    ledger, decision = solution.fund.ledger, solution.evaluation.decision
    varies = ledger.low < ledger.high
    accepted = np.array(sorted(decision), dtype=np.int64)
    return bool(varies[accepted].any() or (ledger.is_block_grant & varies).any())
