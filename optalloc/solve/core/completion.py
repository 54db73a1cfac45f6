r"""What whole decisions are worth once everything else, awards and payments, is at its best.

With acceptances given a core is a small linear programme; another acceptance moves its right sides only, so the optimum
is found again from the last basis in a few iterations. Between two optima the basis itself tells what a change is
worth: if decisions add v to the rows, the basic variables move by -B⁻¹ v and the objective by the value of the change
at the duals, exactly as long as no basic variable passes a bound. Past a bound it costs something for each unit: at
first the smallest ratio |reduced cost| / |entry| of the dual simplex, soon more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu

from optalloc.solve.arrays import Vector
from optalloc.solve.core.groups import Codes, Mask
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.elastic import Elastic
from optalloc.solve.solvers.highs import SolverError
from optalloc.solve.solvers.resolving import Resolving

#: What passing a bound costs, in first ratios of the dual simplex.
RATIOS = 3.0
#: No row gets dearer than so many times the mean.
DEAREST = 1e5
#: Steps by which a decided award may be moved at a time.
STRIDES = (1.0, -1.0, 3.0, -3.0, 10.0, -10.0)

Matrix = npt.NDArray[np.float64]


@dataclass
class Tableau:
    """The basis of an optimum, seen from the decisions.

    `gain`, shape (decided,): the objective's change when a decision rises by one, as long as the basis holds;
    `change`, shape (decided, basic): what the basic variables add then. `room_*` is how far each basic variable may
    fall or rise, shape (basic,), `cost_*` what each unit further costs.
    """

    gain: Vector
    change: Matrix
    room_below: Vector
    room_above: Vector
    cost_below: Vector
    cost_above: Vector


@dataclass(frozen=True)
class Moves:
    """Moves of a project each, or of linked projects under their group's label: `delta`, shape (moves, decided), is

    what they add to the decisions.
    """

    project: Codes
    delta: sparse.csr_matrix

    def take(self, chosen: Codes) -> Moves:
        """Return some of the moves."""
        return Moves(self.project[chosen], sparse.csr_matrix(self.delta[chosen]))


class Completion:
    """The best completion of whole decisions in a core.

    Decided are the acceptances, and with `steps` the awards too: what is left then are payments, and whatever else may
    take any amount.

    Attributes:
        decided: the decided columns of `elastic.slim`.
        value: what they are decided to be, shape (decided,).
        objective: of the last completion, misses priced, the columns outside the core included.
    """

    def __init__(self, elastic: Elastic, pricing: Pricing, point: Vector, *, steps: bool = False) -> None:
        """Complete the decisions of `point`, shape (columns of `elastic.slim`,), rounded.

        Raises:
            SolverError: HiGHS refused a call, or the completion has no optimum.
        """
        arrays, groups = elastic.slim.arrays, pricing.groups
        self.elastic, self.pricing, self.steps = elastic, pricing, steps
        units = np.flatnonzero((arrays.accept >= 0) | (arrays.extra >= 0))
        accept, extra = arrays.accept[units], arrays.extra[units]
        has_accept, has_extra = accept >= 0, extra >= 0
        # What links switch on goes with the acceptances. Links that are priced are rows like any other.
        is_decided = groups.decision[elastic.part.columns][elastic.slim.columns].copy()
        is_decided[extra[has_extra]] = steps
        self.decided, self.rest = np.flatnonzero(is_decided), np.flatnonzero(~is_decided)
        place = np.where(is_decided, np.cumsum(is_decided) - 1, np.cumsum(~is_decided) - 1)

        self.value: Vector = np.round(point[self.decided])
        # By choice: places of its acceptance and its award among the decided or the rest (-1: has none).
        self._accept, self._extra = np.where(has_accept, place[accept], -1), np.where(has_extra, place[extra], -1)
        self._most = np.where(has_extra, arrays.column_upper[extra], 0.0)
        self._project = pricing.project_of[units]
        allowed = has_accept & (arrays.column_upper[accept] > 0.5)
        self._movable: Mask = allowed & ~groups.linked[self._project]
        columns = elastic.part.columns[elastic.slim.columns][self.decided]
        inside = np.zeros(groups.projects, dtype=np.bool_)
        inside[self._project[has_accept]] = True
        self._group, whole = groups.decisions(inside)
        self._linked = sparse.csr_matrix(whole[:, columns])
        #: The columns of each decision's group, shape (decisions, decided).
        self._group_columns = _group_columns(self._group, self._linked)
        self._unit_of_accept = np.full(len(self.decided), -1, dtype=np.int64)
        self._unit_of_accept[self._accept[has_accept]] = np.flatnonzero(has_accept)

        programme, self.cost, self.missed, self.sign = elastic.programme(self.rest, elastic.rows, drawn_in=not steps)
        self.lower, self.upper = programme.row_lower, programme.row_upper
        self.column_lower, self.column_upper = programme.column_lower, programme.column_upper
        rows = sparse.csc_matrix(arrays.matrix[elastic.rows])
        self._by_decided = sparse.csr_matrix(rows[:, self.decided].T)
        self._worth = elastic.slim.cost[self.decided]
        self._matrix = sparse.csc_matrix(programme.matrix)
        self._linear = Resolving(programme, self.cost)
        self._everywhere = np.arange(len(self.lower))
        mean = float(elastic.weight.sum()) / max(1, len(elastic.weight))
        self._dearest = np.maximum(DEAREST * mean, elastic.weight)
        if not steps:
            self._bound_awards(np.flatnonzero(has_accept))
        self.refresh()
        self._complete()

    def refresh(self) -> None:
        """Add up the decisions' rows anew: changes one by one leave rounding behind."""
        self.activity = np.asarray(self._by_decided.T @ self.value)

    def change(self, delta: Vector) -> float:
        """Add to the decisions and return the objective then. Shape of delta: (decided,)."""
        self._change(delta)
        self._complete()
        return self.objective

    def undo(self, delta: Vector, objective: float) -> None:
        """Take back a change from where the objective was this; what follows solves from there."""
        self._change(-delta)
        self.objective = objective
        self._stale = True

    def go_to(self, value: Vector) -> None:
        """Take over other decisions."""
        self._change(value - self.value)
        self.value = value.copy()
        self.refresh()
        self._complete()

    def weigh(self, factor: Vector) -> None:
        """Multiply what it costs to miss each row, shape (coupling rows,), up to what numbers can carry."""
        weight = np.minimum(self.elastic.weight * factor, self._dearest)
        self.elastic = replace(self.elastic, weight=weight)
        slack = np.arange(len(self.rest), len(self.cost))
        self.cost[slack] = -self.elastic.weight[self.missed]
        self._linear.price_columns(slack, self.cost[slack])
        self._complete()

    def misses(self) -> Vector:
        """Return by how much each coupling row is missed, its margin apart; shape (coupling rows,)."""
        self._settle()
        missed = np.zeros(len(self.lower))
        np.add.at(missed, self.missed, np.maximum(self._linear.point()[len(self.rest) :], 0.0))
        return missed if self.steps else np.maximum(missed - self.elastic.margin, 0.0)

    def point(self) -> Vector:
        """Return the completion as a point of `elastic.slim`."""
        self._settle()
        x = np.zeros(len(self.elastic.slim.cost))
        x[self.rest] = self._linear.point()[: len(self.rest)]
        x[self.decided] = self.value
        return x

    def loosest(self, count: int) -> Mask:
        """Return the columns of `elastic.slim` that are left and whose reduced costs are smallest, so many."""
        self._settle()
        reduced = np.abs(self._linear.duals()[1][: len(self.rest)])
        found = np.zeros(len(self.elastic.slim.cost), dtype=np.bool_)
        found[self.rest[np.argsort(reduced, kind="stable")[:count]]] = True
        return found

    def moves(self) -> Moves:
        """Return the moves there are: strides of awards where these are decided, else another choice or none."""
        return self._strides() if self.steps else self._choices()

    def _choices(self) -> Moves:
        chosen = self._chosen()
        current = np.full(self.pricing.groups.projects, -1, dtype=np.int64)
        current[self._project[chosen]] = np.flatnonzero(chosen)
        enters = np.flatnonzero(self._movable & ~chosen)
        drops = np.flatnonzero(self._movable & chosen & ~self.pricing.groups.must[self._project])
        groups = self._linked - self._group_columns @ sparse.diags(self.value)
        groups.eliminate_zeros()
        other = np.flatnonzero(np.diff(groups.indptr))
        delta = sparse.vstack(
            [
                self._entries(enters) - self._entries(current[self._project[enters]]),
                -self._entries(drops),
                groups[other],
            ]
        )
        project = np.concatenate([self._project[enters], self._project[drops], self._group[other]])
        return Moves(project, sparse.csr_matrix(delta))

    def _chosen(self) -> Mask:
        """Return which choices are accepted, shape (choices,)."""
        chosen = self._accept >= 0
        chosen[chosen] = self.value[self._accept[chosen]] > 0.5
        return chosen

    def _entries(self, units: Codes) -> sparse.csr_matrix:
        """Return a row for each choice with its acceptance in it; nothing for -1."""
        some = np.flatnonzero(units >= 0)
        entries = (np.ones(len(some)), (some, self._accept[units[some]]))
        return sparse.csr_matrix(entries, shape=(len(units), len(self.decided)))

    def _strides(self) -> Moves:
        able = (self._accept < 0) | self._chosen()
        awards = np.flatnonzero((self._extra >= 0) & able & (self._most > 0))
        units, strides = np.repeat(awards, len(STRIDES)), np.tile(STRIDES, len(awards))
        at = self.value[self._extra[units]] + strides
        able = (at >= 0) & (at <= self._most[units])
        units, strides = units[able], strides[able]
        entries = (strides, (np.arange(len(units)), self._extra[units]))
        return Moves(self._project[units], sparse.csr_matrix(entries, shape=(len(units), len(self.decided))))

    def tableau(self) -> Tableau:
        """Return what the last basis says about further changes."""
        self._settle()
        duals, reduced = self._linear.duals()
        x = self._linear.point()
        basic = self._linear.basic()
        rows = len(self.lower)
        # Row r is a variable behind the columns: matrix · x - row = 0.
        wide = sparse.csc_matrix(sparse.hstack([self._matrix, -sparse.identity(rows)]))
        inverse = splu(sparse.csc_matrix(wide[:, basic])).solve(np.eye(rows))
        value = np.concatenate([x, self.activity + self._matrix @ x])
        lower, upper = np.append(self.column_lower, self.lower), np.append(self.column_upper, self.upper)
        below, above = self._ratios(wide, inverse, basic, value, lower, upper, np.concatenate([reduced, duals]))
        # A row is missed at its weight.
        weight = np.concatenate(
            [np.full(len(self.rest), np.nan), self.elastic.weight[self.missed], self.elastic.weight]
        )[basic]
        below, above = np.where(np.isnan(weight), below, weight), np.where(np.isnan(weight), above, weight)
        gain = self._worth - self._by_decided @ duals
        vector = self._by_decided
        if not self.steps:
            gain, vector = self._with_awards(gain, duals, x, basic)
        change = -np.asarray(vector @ inverse.T)
        if not self.steps:
            self._without_awards(change, basic)
        return Tableau(gain, change, (value - lower)[basic], (upper - value)[basic], below, above)

    def _with_awards(self, gain: Vector, duals: Vector, x: Vector, basic: Codes) -> tuple[Vector, sparse.csr_matrix]:
        """Add to acceptances what their awards are worth and add to the rows: where these are at their most, and of
        other choices where more of them is worth something."""
        units = np.flatnonzero((self._accept >= 0) & (self._extra >= 0))
        awards = self._extra[units]
        worth = self.cost[awards] - np.asarray(self._matrix[:, awards].T @ duals).ravel()
        raised = np.where(self._chosen()[units], x[awards] > 0.5 * self._most[units], worth > 0)
        raised &= ~np.isin(awards, basic)
        units, awards = units[raised], awards[raised]
        most = self._most[units]
        gain = gain.copy()
        gain[self._accept[units]] += worth[raised] * most
        spread = sparse.csr_matrix(
            (most, (self._accept[units], np.arange(len(units)))), shape=(len(self.decided), len(units))
        )
        return gain, sparse.csr_matrix(self._by_decided + spread @ sparse.csr_matrix(self._matrix[:, awards].T))

    def _without_awards(self, change: Matrix, basic: Codes) -> None:
        """Dropping a choice whose award is basic takes that award to 0: as if its bound fell by as much."""
        position = np.full(len(self.cost) + len(self.lower), -1, dtype=np.int64)
        position[basic] = np.arange(len(basic))
        units = np.flatnonzero((self._accept >= 0) & (self._extra >= 0))
        units = units[(self.value[self._accept[units]] > 0.5) & (position[self._extra[units]] >= 0)]
        change[self._accept[units], position[self._extra[units]]] -= self._most[units]

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
        idle = upper > lower
        idle[basic] = False
        others = np.flatnonzero(idle)
        rises = np.abs(value - lower)[others] <= np.abs(upper - value)[others]
        entry = np.asarray((wide[:, others].T @ inverse.T).T)
        size = np.abs(entry)
        ratio = np.where(size > 1e-9, np.abs(reduced[others]) / np.maximum(size, 1e-9), np.inf)
        # An entering variable that rises by t takes entry · t from the basic one.
        helps_up = np.where(rises, entry < 0, entry > 0)
        up = np.where(helps_up, ratio, np.inf).min(axis=1, initial=np.inf)
        down = np.where(helps_up, np.inf, ratio).min(axis=1, initial=np.inf)
        largest = 10 * float(self.elastic.weight.max(initial=1.0))
        return RATIOS * np.minimum(up, largest), RATIOS * np.minimum(down, largest)

    def _change(self, delta: Vector) -> None:
        self.value = self.value + delta
        self.activity = self.activity + self._by_decided.T @ delta
        if not self.steps:
            units = self._unit_of_accept[np.flatnonzero(delta)]
            self._bound_awards(units[units >= 0])

    def _bound_awards(self, units: Codes) -> None:
        """A project's award needs its acceptance."""
        units = units[self._extra[units] >= 0]
        if not len(units):
            return
        awards = self._extra[units]
        most = np.where(self.value[self._accept[units]] > 0.5, self._most[units], 0.0)
        self.column_upper[awards] = most
        self._linear.bound_columns(awards, np.zeros(len(units)), most)

    def _settle(self) -> None:
        if self._stale:
            self._complete()

    def _complete(self) -> None:
        self._stale = False
        self._linear.bound_rows(self._everywhere, self.lower - self.activity, self.upper - self.activity)
        value = self._linear.solve()
        if value is None:
            raise SolverError("decisions have no completion although every row may be missed")
        self.objective = value + float(self._worth @ self.value) + self.elastic.constant


def _group_columns(group: Codes, decisions: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return 1 wherever some decision of a decision's group has an entry."""
    number = np.unique(group, return_inverse=True)[1]
    shape = (int(number.max(initial=-1)) + 1, len(group))
    some = sparse.csr_matrix((np.ones(len(group)), (number, np.arange(len(group)))), shape=shape) @ decisions
    some.data[:] = 1.0
    return sparse.csr_matrix(some[number])
