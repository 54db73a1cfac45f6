r"""The linear bound of a large round, from a part of its columns at a time.

The value L(y) of `groups` is convex in the prices y, and its least value is the linear optimum (or below it, where
links are decided whole). It is found by moving a box:

- The first prices are those of a sample: one group in eight, bounds scaled down, solved the same way.
- Within a box round the present prices few groups can change their decision. A restricted linear programme over these,
  all others left at their decision, has its least value over the box; columns that let each row be missed at the box's
  ends keep its prices inside (boxstep: R. E. Marsten, W. W. Hogan, J. W. Blankenship, Operations Research 23, 1975).
- Pricing out every group at the new prices shows which were wrongly left out; they join, or the box shrinks.

It ends when no price touches the box and the restricted programme's value meets L(y). At every moment the best L(y)
bounds every plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from optalloc.solve.arrays import Arrays, Vector
from optalloc.solve.groups import Codes, Groups, Mask, Vertex
from optalloc.solve.highs import solve_lp
from optalloc.solve.parts import Part
from optalloc.solve.progress import Watch

#: Up to this number of projects the linear programme is solved whole.
WHOLE = 16000
SAMPLE = 8
#: Groups that a box may leave open, about; more when pricing out finds them.
OPEN = 3000
STEPS = 200
OPENINGS = 8
#: Relative distance between restricted value and bound at which the prices are as good as optimal.
CLOSE = 1e-7
#: A sample's rows may be missed at a price of so many typical benefits for each typical project.
ELASTIC = 5.0
#: A price of so many typical benefits says that the programme has no solution.
HOPELESS = 1e9
#: The box opens by this share of a price, and by this share of a typical benefit where a price is 0.
FLOOR = 1e-3


@dataclass(frozen=True)
class Prices:
    """Prices of the coupling rows and what they prove.

    `y` has shape (coupling rows,), as derivatives of the maximised objective by the row's right side. `vertex` is every
    group's best decision at these prices, `point` a solution of the linear programme (None where the search for it was
    stopped), shape (columns,).
    """

    y: Vector
    bound: float
    vertex: Vertex
    reduced: Vector
    point: Vector | None


class Pricing:
    """A programme and one objective, ready to be priced: value, decisions and margins at any prices."""

    def __init__(self, arrays: Arrays, cost: Vector, project_of: Codes) -> None:
        self.arrays, self.cost = arrays, cost
        self.groups = Groups(arrays, project_of)
        self.project_of = project_of
        matrix = sparse.csr_matrix(arrays.matrix)
        self.coupling = sparse.csr_matrix(matrix[self.groups.coupling])
        self.by_column = sparse.csr_matrix(self.coupling.T)
        self.lower = arrays.row_lower[self.groups.coupling]
        self.upper = arrays.row_upper[self.groups.coupling]
        sizes = np.abs(cost[cost != 0])
        #: A typical project's benefit.
        self.typical = float(np.median(sizes)) if len(sizes) else 1.0

    def at(self, y: Vector) -> tuple[float, Vertex, Vector]:
        """Return L(y), the groups' best decisions and the reduced costs, shape (columns,)."""
        reduced = self.cost - self.by_column @ y
        vertex = self.groups.best(reduced)
        sides = np.where(y > 0, self.upper, self.lower)
        bound = float(y[y != 0] @ sides[y != 0])
        master = self.groups.master
        gain = reduced[master]
        ends = np.where(gain > 0, self.arrays.column_upper[master], self.arrays.column_lower[master])
        # Free columns have reduced cost 0 at a dual solution, up to the solver's tolerance.
        finite = (gain != 0) & np.isfinite(ends)
        return bound + vertex.value + float(gain[finite] @ ends[finite]), vertex, reduced

    def sample(self) -> tuple[Pricing, Codes]:
        """Return the programme of one group in `SAMPLE`, bounds scaled down, and which coupling rows its own are."""
        labels = self.groups.group_labels()
        kept = _scattered(labels) % SAMPLE == 0
        share = float(kept.mean())
        inside = self.groups.columns_of(kept)
        inside[self.groups.master] = True
        part = Part.of(self.arrays, inside, np.zeros(len(inside)))
        scaled = part.arrays
        coupling = np.ones(len(self.arrays.row_lower), dtype=np.bool_)
        coupling[self.groups.local] = False
        factor = np.where(coupling[part.rows], share, 1.0)
        units = kept[self.project_of]
        arrays = replace(
            scaled,
            row_lower=scaled.row_lower * factor,
            row_upper=scaled.row_upper * factor,
            accept=scaled.accept[units],
            extra=scaled.extra[units],
            # Links that are priced here are priced in the sample, where their bounds say nothing about a group.
            local=~coupling[part.rows],
            decision=self.groups.decision[inside],
        )
        project_of = np.unique(self.project_of[units], return_inverse=True)[1].astype(np.int64)
        sample = Pricing(arrays, self.cost[inside], project_of)
        # Rows without a column in the sample are not in it.
        return sample, np.searchsorted(self.groups.coupling, part.rows[sample.groups.coupling])


def priced(pricing: Pricing, watch: Watch, close: float = CLOSE, *, elastic: bool = False) -> Prices | None:
    """Return the prices of least bound; None where the programme has no solution or no time was left.

    `close` is the relative accuracy asked for, `elastic` lets rows be missed at a high price.
    """
    if pricing.groups.projects <= WHOLE:
        return _whole(pricing, watch, elastic)
    sample, rows = pricing.sample()
    first = priced(sample, watch, max(close, 1e-4), elastic=True)
    if first is None:
        return None
    y = np.zeros(len(pricing.groups.coupling))
    y[rows] = first.y
    return _Box(pricing, watch, close, elastic=elastic).move(y)


def _whole(pricing: Pricing, watch: Watch, elastic: bool) -> Prices | None:
    part = Part.of(pricing.arrays, np.ones(len(pricing.cost), dtype=np.bool_), np.zeros(len(pricing.cost)))
    rows = np.arange(len(pricing.groups.coupling)) if elastic else np.zeros(0, dtype=np.int64)
    price = np.full(len(rows), ELASTIC * pricing.typical)
    solved = _restricted(pricing, part, rows, -price, price, watch)
    if solved is None:
        return None
    bound, vertex, reduced = pricing.at(solved.y)
    return Prices(solved.y, bound, vertex, reduced, solved.point)


@dataclass(frozen=True)
class _Restricted:
    y: Vector
    value: float
    missed: float
    point: Vector


def _restricted(
    pricing: Pricing, part: Part, boxed: Codes, low: Vector, high: Vector, watch: Watch
) -> _Restricted | None:
    """Solve a part's linear programme with the prices of some coupling rows held between `low` and `high`."""
    row_number = np.full(len(pricing.arrays.row_lower), -1, dtype=np.int64)
    row_number[part.rows] = np.arange(len(part.rows))
    coupling = row_number[pricing.groups.coupling]
    present = coupling[boxed] >= 0
    boxed, low, high = boxed[present], low[present], high[present]
    above = np.isfinite(pricing.upper[boxed]) | (high < 0)  # the row may be passed at the price `high`
    below = np.isfinite(pricing.lower[boxed]) | (low > 0)
    rows = np.concatenate([coupling[boxed[above]], coupling[boxed[below]]])
    signs = np.concatenate([-np.ones(int(above.sum())), np.ones(int(below.sum()))])
    shape = (len(part.rows), len(rows))
    slack = sparse.csr_matrix((signs, (rows, np.arange(len(rows)))), shape=shape)
    cost = np.concatenate([pricing.cost[part.columns], -high[above], low[below]])
    arrays = replace(
        part.arrays,
        matrix=sparse.csr_matrix(sparse.hstack([part.arrays.matrix, slack])),
        column_lower=np.append(part.arrays.column_lower, np.zeros(len(rows))),
        column_upper=np.append(part.arrays.column_upper, np.full(len(rows), np.inf)),
    )
    outcome = solve_lp(arrays, cost, watch)
    if outcome.x is None or outcome.row_duals is None:
        return None
    y = np.where(coupling >= 0, outcome.row_duals[coupling], 0.0)
    inside = len(part.columns)
    value = outcome.objective + float(pricing.cost @ part.outside)
    return _Restricted(y, value, float(outcome.x[inside:].sum()), part.whole(outcome.x[:inside]))


class _Box:
    """The moving box over the prices of one programme."""

    def __init__(self, pricing: Pricing, watch: Watch, close: float, *, elastic: bool) -> None:
        self.pricing, self.watch, self.close, self.elastic = pricing, watch, close, elastic
        #: No price gets beyond this.
        self.wall = (ELASTIC if elastic else HOPELESS) * pricing.typical
        groups = pricing.groups
        master = sparse.csr_matrix(pricing.coupling[:, groups.master])
        # Rows that only say what a cell is take their prices from the rows that look at the cell. Rows between sources
        # alone are few and have prices of their own whatever the box.
        holds_decision = np.diff(sparse.csr_matrix(pricing.coupling[:, groups.decision]).indptr) > 0
        definition = holds_decision & (np.diff(master.indptr) == 1) & (pricing.lower == pricing.upper)
        self.boxed = np.flatnonzero(~definition & (holds_decision | self._looks_at_cells(master, definition)))
        self._definition = np.flatnonzero(definition)
        self._looking = abs(master[self.boxed])
        self._defined = abs(master[self._definition])
        self._by_column = abs(pricing.by_column)
        self._range = np.where(np.isfinite(pricing.arrays.column_upper), pricing.arrays.column_upper, 1.0)
        self._of_project = np.flatnonzero(groups.project_of_column >= 0)

    @staticmethod
    def _looks_at_cells(master: sparse.csr_matrix, definition: Mask) -> Mask:
        cells = np.zeros(master.shape[1])
        cells[master[definition].indices] = 1.0
        return np.asarray(abs(master) @ cells > 0, dtype=np.bool_)

    def _movement(self, unit: Vector) -> Vector:
        """Return how far each project's reduced costs can move when the boxed prices move by `unit`."""
        groups = self.pricing.groups
        change = np.zeros(len(groups.coupling))
        change[self.boxed] = unit
        change[self._definition] = self._defined @ (self._looking.T @ unit)
        by_column = (self._by_column @ change)[self._of_project] * self._range[self._of_project]
        moved = np.zeros(groups.projects)
        np.maximum.at(moved, groups.project_of_column[self._of_project], by_column)
        return moved

    def move(self, y: Vector) -> Prices | None:
        """Move the box from prices `y` until it holds the best ones, or the watch says stop.

        None where prices grow beyond all measure: the programme has no solution.
        """
        pricing, groups = self.pricing, self.pricing.groups
        bound, vertex, reduced = pricing.at(y)
        centre = Prices(y, bound, vertex, reduced, None)
        growth = np.ones(len(self.boxed))
        width = 0.0
        opened = OPEN
        for _ in range(STEPS):
            # The value of a sample bounds no plan of the round.
            self.watch.tell(None, None if self.elastic else centre.bound)
            if self.watch.must_stop():
                return centre
            unit = (np.abs(centre.y[self.boxed]) + FLOOR * pricing.typical) * growth
            margin = np.minimum(centre.vertex.margin, centre.vertex.award_margin)
            score = margin / np.maximum(2 * self._movement(unit), 1e-300)
            nearest = np.argpartition(score, min(opened, len(score) - 1))[:opened]
            width = max(width, float(score[nearest].max()))
            inside = np.zeros(groups.projects, dtype=np.bool_)
            inside[nearest] = True
            reached = self._within(centre, groups.whole(inside), width * unit)
            if reached is None:
                return centre
            step, value, missed, part = reached
            if not self.elastic and (np.abs(step.y[self.boxed]) > 0.999 * self.wall).any():
                return None
            width *= part
            touched = np.abs(step.y - centre.y)[self.boxed] > 0.999 * width * unit
            exact = step.bound - value <= self.close * abs(value)
            if exact and not touched.any() and (missed <= 1e-6 or self.elastic):
                return step if step.bound <= centre.bound else replace(centre, point=step.point)
            # A price at the wall wants further than others; a model that was right all over the box, a larger box.
            growth[touched] *= 2.0
            if step.bound - value <= 0.2 * (centre.bound - step.bound):
                width *= 3.0
            if step.bound < centre.bound:
                centre = step
        return centre

    def _within(self, centre: Prices, inside: Mask, box: Vector) -> tuple[Prices, float, float, float] | None:
        """Solve within a box, opening groups or closing the box until the bound falls. Return also the part of the
        box that was used."""
        pricing, groups = self.pricing, self.pricing.groups
        middle = centre.y[self.boxed]
        width = 1.0
        for attempt in range(OPENINGS):
            columns = groups.columns_of(inside)
            columns[groups.master] = True
            part = Part.of(pricing.arrays, columns, centre.vertex.x)
            low, high = (np.clip(middle + side * width * box, -self.wall, self.wall) for side in (-1, 1))
            solved = _restricted(pricing, part, self.boxed, low, high, self.watch)
            if solved is None:
                return None
            bound, vertex, reduced = pricing.at(solved.y)
            step = Prices(solved.y, bound, vertex, reduced, solved.point)
            met = bound - solved.value <= self.close * abs(solved.value)
            fell = bound < centre.bound - 0.1 * (centre.bound - solved.value)
            if met or fell or attempt == OPENINGS - 1:
                return step, solved.value, solved.missed, width
            moved = np.abs(vertex.x - centre.vertex.x) > 1e-9
            projects = groups.project_of_column[moved]
            wrong = np.zeros(groups.projects, dtype=np.bool_)
            wrong[projects[projects >= 0]] = True
            wrong &= ~inside
            if wrong.sum() > 3 * OPEN:
                width /= 3.0
                continue
            inside = groups.whole(inside | wrong)
        return None


def _scattered(labels: Codes) -> Codes:
    """Return the labels mixed by a fixed hash (the finaliser of MurmurHash3), the same on every machine."""
    x = labels.astype(np.uint64)
    for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)):
        x ^= x >> np.uint64(shift)
        x *= np.uint64(factor)
    x ^= x >> np.uint64(33)
    return (x >> np.uint64(1)).astype(np.int64)
