r"""What acceptances are worth once the awards, payments and everything else that may take any amount are at their best.

With the acceptances given a core is a small linear programme; another acceptance moves its right sides only, so the
optimum is found again from the last basis in a few iterations. Between two optima the basis itself tells what a change
is worth: if acceptances add v to the rows, the basic variables move by -B⁻¹ v and the objective by the change's value at
the duals, exactly as long as no basic variable passes a bound. Past a bound it costs something for each unit: at first
the smallest ratio |reduced cost| / |entry| of the dual simplex, soon more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu

from optalloc.solve.arrays import Vector
from optalloc.solve.dives import Dive
from optalloc.solve.elastic import Elastic
from optalloc.solve.groups import Codes, Mask
from optalloc.solve.highs import SolverError
from optalloc.solve.progress import Watch
from optalloc.solve.resolving import Resolving
from optalloc.solve.pricing import Pricing

#: A row is missed by more than this.
MISSED = 1e-7
#: Missing a row while awards are rounded costs so many times more.
DEAR = 50.0
TRIES = 6
#: Awards that are decided by branching, and nodes for it.
BRANCHED = 200
NODES = 20
#: What passing a bound costs, in first ratios of the dual simplex.
RATIOS = 3.0

Matrix = npt.NDArray[np.float64]


@dataclass
class Tableau:
    """The basis of an optimum, seen from the acceptances.

    `gain`, shape (units,): the objective's change when a unit is accepted, as long as the basis holds; `change`, shape
    (units, basic): what the basic variables add then. `room_*` is how far each basic variable may fall or rise, shape
    (basic,), `cost_*` what each unit further costs.
    """

    gain: Vector
    change: Matrix
    room_below: Vector
    room_above: Vector
    cost_below: Vector
    cost_above: Vector


class Completion:
    """The best completion of acceptances in a core.

    Attributes:
        units: choices of projects in the core that have an acceptance, as positions in the fund's choices.
        project: the project of each unit, shape (units,).
        movable: units that may be changed alone: allowed, and of projects without links.
        chosen: by unit, whether it is accepted, shape (units,).
        objective: of the last completion, misses priced, the columns outside the core included.
    """

    def __init__(self, elastic: Elastic, pricing: Pricing, point: Vector) -> None:
        """Complete the acceptances of `point`, shape (columns of `elastic.slim`,).

        Raises:
            SolverError: HiGHS refused a call, or the completion has no optimum.
        """
        arrays = elastic.slim.arrays
        groups = pricing.groups
        self.elastic = elastic
        self.units: Codes = np.flatnonzero(arrays.accept >= 0)
        self.project = pricing.project_of[self.units]
        self.accept = arrays.accept[self.units]
        self.extra = arrays.extra[self.units]
        self.movable: Mask = (arrays.column_upper[self.accept] > 0.5) & ~groups.linked[self.project]
        self.chosen: Mask = point[self.accept] > 0.5
        is_accept = np.zeros(len(elastic.slim.cost), dtype=np.bool_)
        is_accept[self.accept] = True
        self.rest = np.flatnonzero(~is_accept)
        place = np.full(len(is_accept), -1, dtype=np.int64)
        place[self.rest] = np.arange(len(self.rest))
        has_extra = self.extra >= 0
        self.award = np.where(has_extra, place[self.extra], -1)
        self.most = np.where(has_extra, arrays.column_upper[self.extra], 0.0)
        self.worth = elastic.slim.cost[self.accept]
        rows = arrays.matrix[elastic.rows]
        self.by_unit = sparse.csr_matrix(sparse.csc_matrix(rows)[:, self.accept].T)
        programme, self.cost, self.missed, self.sign = elastic.programme(self.rest, elastic.rows)
        # What links switch on stays as it is: linked projects are not changed here.
        switched = is_accept.copy()
        switched[self.extra[has_extra]] = True
        switched = arrays.decision & ~switched & ~_of_grants(elastic)
        fixed = place[np.flatnonzero(switched)]
        programme = programme.with_bounds(fixed, point[switched], point[switched])
        self.lower, self.upper = programme.row_lower, programme.row_upper
        self.column_lower, self.column_upper = programme.column_lower, programme.column_upper.copy()
        self._matrix = sparse.csc_matrix(programme.matrix)
        self._programme = programme
        self._linear = Resolving(programme, self.cost)
        self._everywhere = np.arange(len(self.lower))
        # A project's award needs its acceptance.
        self._bound_awards(np.flatnonzero(has_extra))
        self.activity = np.zeros(len(self.lower))
        self.refresh()
        self.objective = self._completed()

    def refresh(self) -> None:
        """Add up the acceptances' rows anew: changes one by one leave rounding behind."""
        self.activity = np.asarray(self.by_unit[self.chosen].sum(axis=0)).ravel()

    def change(self, dropped: Codes, accepted: Codes) -> float:
        """Drop some units, accept others, and return the objective then."""
        self._change(dropped, accepted)
        self.objective = self._completed()
        return self.objective

    def undo(self, dropped: Codes, accepted: Codes, objective: float) -> None:
        """Take back a change of these units from where the objective was this; what follows solves from there."""
        self._change(accepted, dropped)
        self.objective = objective
        self._stale = True

    def _change(self, dropped: Codes, accepted: Codes) -> None:
        self.chosen[dropped] = False
        self.chosen[accepted] = True
        self.activity = (
            self.activity
            - np.asarray(self.by_unit[dropped].sum(axis=0)).ravel()
            + np.asarray(self.by_unit[accepted].sum(axis=0)).ravel()
        )
        touched = np.concatenate([dropped, accepted])
        self._bound_awards(touched[self.award[touched] >= 0])

    def go_to(self, chosen: Mask) -> None:
        """Take over another choice of acceptances."""
        dropped, accepted = np.flatnonzero(self.chosen & ~chosen), np.flatnonzero(chosen & ~self.chosen)
        self.change(dropped, accepted)
        self.refresh()

    def weigh(self, factor: Vector) -> None:
        """Multiply what it costs to miss each row, shape (coupling rows,)."""
        self.elastic = replace(self.elastic, weight=self.elastic.weight * factor)
        slack = np.arange(len(self.rest), len(self.cost))
        self.cost[slack] = -self.elastic.weight[self.missed]
        self._linear.price_columns(slack, self.cost[slack])
        self.objective = self._completed()

    def misses(self) -> Vector:
        """Return by how much each coupling row is missed, shape (coupling rows,)."""
        self._settle()
        slack = self._linear.point()[len(self.rest) :]
        return np.bincount(self.missed, weights=np.maximum(slack, 0.0), minlength=len(self.lower))

    def point(self) -> Vector:
        """Return the completion as a point of `elastic.slim`."""
        self._settle()
        x = np.zeros(len(self.elastic.slim.cost))
        x[self.rest] = self._linear.point()[: len(self.rest)]
        x[self.accept] = self.chosen
        return x

    def in_steps(self, loss: float, watch: Watch) -> tuple[Vector | None, int]:
        """Return the completion with awards in whole steps as a point of `elastic.slim`, and the nodes it took.

        The awards of smallest reduced cost are decided by branching, down to a loss that is small enough; a dive comes
        second. None where both miss a row.
        """
        self._settle()
        arrays = self.elastic.slim.arrays
        inside = len(self.rest)
        whole = np.append(arrays.integer[self.rest], np.zeros(len(self.missed), dtype=np.bool_))
        programme = replace(
            self._programme,
            row_lower=self.lower - self.activity,
            row_upper=self.upper - self.activity,
            column_upper=self.column_upper,
            integer=whole,
        )
        x, nodes = self._branched(programme, loss, watch)
        if x is None:
            x = self._dived(programme, loss, watch)
        if x is None:
            return None, nodes
        point = np.zeros(len(self.elastic.slim.cost))
        point[self.rest] = x[:inside]
        point[self.accept] = self.chosen
        return point, nodes

    def _branched(self, programme: Programme, loss: float, watch: Watch) -> tuple[Vector | None, int]:
        """Decide the awards of smallest reduced cost in whole steps, no row missed."""
        x = self._linear.point()
        reduced = np.abs(self._linear.duals()[1])
        steps = np.flatnonzero(programme.integer)
        free = ~programme.integer
        free[len(self.rest) :] = False
        free[steps[np.argsort(reduced[steps], kind="stable")[:BRANCHED]]] = True
        at = np.where(programme.integer, np.round(x), x)
        at[len(self.rest) :] = 0.0
        activity = programme.matrix @ np.where(free, 0.0, at)
        part = Programme(
            matrix=sparse.csr_matrix(programme.matrix[:, free]),
            row_lower=programme.row_lower - activity,
            row_upper=programme.row_upper - activity,
            column_lower=programme.column_lower[free],
            column_upper=programme.column_upper[free],
            integer=programme.integer[free],
        )
        target = float(self.cost[free] @ x[free]) - loss
        outcome = solve_mip(part, self.cost[free], watch, gap=0.0, nodes=NODES, target=target, telling="time")
        if outcome.x is None:
            return None, outcome.nodes
        at[free] = outcome.x
        return at, outcome.nodes

    def _dived(self, programme: Programme, loss: float, watch: Watch) -> Vector | None:
        """Round the awards one after the other. A row that is missed is drawn in by as much for the next try."""
        inside = len(self.rest)
        whole = np.flatnonzero(programme.integer)
        cost = self.cost.copy()
        cost[inside:] *= DEAR
        drawn_in = np.zeros(len(self.missed))
        for _ in range(TRIES):
            below, above = (np.zeros(len(self.lower)) for _ in range(2))
            np.add.at(below, self.missed[self.sign > 0], drawn_in[self.sign > 0])
            np.add.at(above, self.missed[self.sign < 0], drawn_in[self.sign < 0])
            # What is equal on both sides is not drawn in.
            apart = self.upper - self.lower > below + above
            drawn = replace(
                programme,
                row_lower=programme.row_lower + np.where(apart, below, 0.0),
                row_upper=programme.row_upper - np.where(apart, above, 0.0),
            )
            x = Dive(drawn, cost, whole, loss, watch).down()
            if x is None:
                return None
            missed = np.maximum(x[inside:] - drawn_in, 0.0)
            if not (missed > MISSED).any():
                return x
            drawn_in += missed
        return None

    def tableau(self) -> Tableau:
        """Return what the last basis says about further changes."""
        self._settle()
        duals, reduced = self._linear.duals()
        x = self._linear.point()
        basic = self._linear.basic()
        columns, rows = len(self.cost), len(self.lower)
        # Row r is the variable `columns` + r: matrix · x - row = 0.
        wide = sparse.csc_matrix(sparse.hstack([self._matrix, -sparse.identity(rows)]))
        inverse = splu(sparse.csc_matrix(wide[:, basic])).solve(np.eye(rows))
        value = np.concatenate([x, self.activity + self._matrix @ x])
        lower = np.concatenate([self.column_lower, self.lower])
        upper = np.concatenate([self.column_upper, self.upper])
        below, above = self._ratios(wide, inverse, basic, value, lower, upper, np.concatenate([reduced, duals]))
        # Slack in a row is missed at the row's price at most.
        weight = np.full(columns + rows, np.inf)
        weight[len(self.rest) : columns] = self.elastic.weight[self.missed]
        weight[columns:] = self.elastic.weight
        flat = np.isfinite(weight[basic])
        below[flat], above[flat] = weight[basic][flat], weight[basic][flat]

        raised = self.award >= 0
        award_gain = np.zeros(len(self.units))
        award_gain[raised] = (
            self.cost[self.award[raised]] - np.asarray((self._matrix[:, self.award[raised]].T @ duals)).ravel()
        )
        raised &= award_gain > 0
        gain = self.worth - self.by_unit @ duals + np.where(raised, award_gain * self.most, 0.0)
        with_award = np.flatnonzero(raised)
        extra = sparse.csr_matrix(
            sparse.diags(self.most[with_award]) @ sparse.csr_matrix(self._matrix[:, self.award[with_award]].T)
        )
        spread = sparse.csr_matrix(
            (np.ones(len(with_award)), (with_award, np.arange(len(with_award)))),
            shape=(len(self.units), len(with_award)),
        )
        vector = sparse.csr_matrix(self.by_unit + spread @ extra)
        change = -np.asarray(vector @ inverse.T)
        # Dropping a unit whose award is basic takes that award to 0: as if its bound fell by as much.
        position = np.full(columns + rows, -1, dtype=np.int64)
        position[basic] = np.arange(rows)
        held = np.flatnonzero((self.award >= 0) & self.chosen)
        held = held[position[self.award[held]] >= 0]
        change[held, position[self.award[held]]] -= self.most[held]
        return Tableau(
            gain,
            change,
            (value - lower)[basic],
            (upper - value)[basic],
            below,
            above,
        )

    def _ratios(
        self,
        wide: sparse.csc_matrix,
        inverse: Matrix,
        basic: Codes,
        value: Vector,
        lower: Vector,
        upper: Vector,
        reduced: Vector,
    ) -> tuple[Vector, Vector]:
        """Return what the first unit below its lower and above its upper bound costs each basic variable."""
        idle = np.ones(len(value), dtype=np.bool_)
        idle[basic] = False
        idle &= upper > lower
        others = np.flatnonzero(idle)
        rises = np.abs(value - lower)[others] <= np.abs(upper - value)[others]
        entry = np.asarray((wide[:, others].T @ inverse.T).T)
        size = np.abs(entry)
        with np.errstate(divide="ignore"):
            ratio = np.where(size > 1e-9, np.abs(reduced[others]) / np.maximum(size, 1e-300), np.inf)
        # An entering variable that rises by t takes entry · t from the basic one.
        helps_up = np.where(rises, entry < 0, entry > 0)
        up = np.where(helps_up, ratio, np.inf).min(axis=1, initial=np.inf)
        down = np.where(helps_up, np.inf, ratio).min(axis=1, initial=np.inf)
        largest = 10 * float(self.elastic.weight.max(initial=1.0))
        return RATIOS * np.minimum(up, largest), RATIOS * np.minimum(down, largest)

    def _bound_awards(self, units: Codes) -> None:
        if len(units):
            most = np.where(self.chosen[units], self.most[units], 0.0)
            self.column_upper[self.award[units]] = most
            self._linear.bound_columns(self.award[units], np.zeros(len(units)), most)

    def _settle(self) -> None:
        if self._stale:
            self.objective = self._completed()

    def _completed(self) -> float:
        self._stale = False
        self._linear.bound_rows(self._everywhere, self.lower - self.activity, self.upper - self.activity)
        value = self._linear.solve()
        if value is None:
            raise SolverError("acceptances have no completion although every row may be missed")
        return value + float(self.worth[self.chosen].sum()) + self.elastic.constant


def _of_grants(elastic: Elastic) -> Mask:
    """Return the columns of awards that need no acceptance, shape (columns of `elastic.slim`,)."""
    arrays = elastic.slim.arrays
    mask = np.zeros(len(elastic.slim.cost), dtype=np.bool_)
    mask[arrays.extra[(arrays.extra >= 0) & (arrays.accept < 0)]] = True
    return mask
