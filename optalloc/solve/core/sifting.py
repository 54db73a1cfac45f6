r"""The linear bound of a large round, from a few of its decisions at a time.

The value L(y) of `groups` is convex in the prices y, and its least value is the linear optimum (or below it, where
links are decided whole). It is found by moving a box:

- The first prices are those of a sample: one group in eight, bounds scaled down, solved the same way. How far they are
  from those of the sample's own sample says how far each price may still move: that is the first box.
- Within the box few groups can change their decision. A restricted linear programme over these (`restricted`), all
  others left at their decision, has its least value over the box.
- Pricing out every group at the new prices shows which decisions were wrongly left out; they join, or the box shrinks.

It ends when no price touches the box and the restricted programme's value meets L(y). At every moment the best L(y)
bounds every plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optalloc.solve.arrays import Vector
from optalloc.solve.core.groups import Codes, Vertex
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.core.restricted import Restricted
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_lp

#: Up to this number of projects the linear programme is solved whole.
WHOLE = 2000
SAMPLE = 8
#: Decisions that a box leaves open besides the best ones: so many, and so many for each project. Pricing out adds more,
#: up to so many times as many; where still more changed, the box was too large.
OPEN = 10000
OPEN_SHARE = 0.03
JOINING = 3
STEPS = 200
OPENINGS = 8
#: Relative distance between restricted value and bound at which the prices are as good as optimal.
CLOSE = 1e-7
#: A sample's are good enough at this distance: its optimum is further from the round's.
CLOSE_IN_SAMPLE = 1e-4
#: Prices are measured in the price at which a row is worth a typical benefit to a typical project (`Restricted.worth`).
#: A sample's rows may be missed at so much: rules that all other rules pull at have had prices of 30.
ELASTIC = 50.0
#: Such a price says that the programme has no solution.
HOPELESS = 1e9
#: How far the prices of a programme that was solved whole may be from those of the next larger one.
UNCERTAIN = 0.05
#: The least part of a box, and its least share of a price.
FLOOR = 1e-3
#: A price cannot be told to have reached a smaller box's end.
FINEST = 1e-9
#: A price that reached the box's end gets so many times more room, and gives it back when it no longer does.
GROWTH = 10.0


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


def priced(pricing: Pricing, watch: Watch, close: float = CLOSE) -> Prices | None:
    """Return the prices of least bound; None where the programme has no solution or no time was left.

    `close` is the relative accuracy asked for.
    """
    found = _priced(pricing, watch, close, elastic=False)
    return None if found is None else found[0]


def _priced(pricing: Pricing, watch: Watch, close: float, *, elastic: bool) -> tuple[Prices, Vector] | None:
    """Return the prices, and how far each may be from that of a larger programme that this one is a sample of.

    `elastic` lets rows be missed at a high price.
    """
    restricted = Restricted(pricing)
    if elastic:
        restricted.relax()
    boxed, worth = restricted.boxed, restricted.worth
    uncertain = np.zeros(len(pricing.lower))
    if pricing.groups.projects <= WHOLE:
        prices = _whole_sample(restricted, watch) if elastic else _whole(pricing, watch)
        uncertain[boxed] = UNCERTAIN * worth
        return None if prices is None else (prices, uncertain)
    sample, rows = pricing.sample(SAMPLE)
    first = _priced(sample, watch, max(close, CLOSE_IN_SAMPLE), elastic=True)
    if first is None:
        return None
    start = np.zeros(len(pricing.lower))
    start[rows], uncertain[rows] = first[0].y, first[1]
    start[boxed] = np.clip(start[boxed], -ELASTIC * worth, ELASTIC * worth)
    moved = _Box(restricted, watch, close, elastic=elastic).move(start, uncertain[boxed] + FLOOR * worth)
    return None if moved is None else (moved, np.abs(moved.y - start))


def prices_at(pricing: Pricing, y: Vector, point: Vector | None) -> Prices:
    """Return prices with what they prove."""
    bound, vertex, reduced = pricing.at(y)
    return Prices(y, bound, vertex, reduced, point)


def _whole(pricing: Pricing, watch: Watch) -> Prices | None:
    outcome = solve_lp(pricing.arrays, pricing.cost, watch)
    if outcome.x is None or outcome.row_duals is None:
        return None
    return prices_at(pricing, outcome.row_duals[pricing.groups.coupling], outcome.x)


def _whole_sample(restricted: Restricted, watch: Watch) -> Prices | None:
    start = prices_at(restricted.pricing, np.zeros(len(restricted.pricing.lower)), None)
    opened, wall = restricted.alternatives.all_but_best(start.vertex), ELASTIC * restricted.worth
    solved = restricted.solve(start.vertex, opened, -wall, wall, watch)
    return None if solved is None else prices_at(restricted.pricing, solved.y, solved.point)


class _Box:
    """The moving box over the prices of one programme."""

    def __init__(self, restricted: Restricted, watch: Watch, close: float, *, elastic: bool) -> None:
        self.restricted, self.pricing, self.boxed = restricted, restricted.pricing, restricted.boxed
        self.watch, self.close, self.elastic = watch, close, elastic
        self.open = OPEN + int(OPEN_SHARE * self.pricing.groups.projects)
        #: No price gets beyond this.
        self.wall = (ELASTIC if elastic else HOPELESS) * restricted.worth

    def move(self, y: Vector, room: Vector) -> Prices | None:
        """Move the box from prices `y` until it holds the best ones, or the watch says stop. At first it is as large as
        `room`, by boxed row.

        None where prices grow beyond all measure: the programme has no solution.
        """
        alternatives = self.restricted.alternatives
        centre = prices_at(self.pricing, y, None)
        growth = np.ones(len(self.boxed))
        width = 1.0
        for _ in range(STEPS):
            # The value of a sample bounds no plan of the round.
            self.watch.tell(None, None if self.elastic else centre.bound)
            if self.watch.must_stop():
                return centre
            unit = (room + FLOOR * np.abs(centre.y[self.boxed])) * growth
            distance = alternatives.distance(centre.vertex, centre.reduced, self.restricted.change(unit))
            nearest = np.argpartition(distance, min(self.open, len(distance) - 1))[: self.open]
            nearest = nearest[np.isfinite(distance[nearest])]
            width = max(width, float(distance[nearest].max(initial=0.0)))
            box = np.maximum(width * unit, FINEST * (np.abs(centre.y[self.boxed]) + self.restricted.worth))
            reached = self._within(centre, nearest, box)
            if reached is None:
                return centre
            step, value, missed, part = reached
            if not self.elastic and (np.abs(step.y[self.boxed]) > 0.999 * self.wall).any():
                return None
            touched = np.abs(step.y - centre.y)[self.boxed] > 0.999 * part * box
            exact = step.bound - value <= self.close * abs(value)
            if exact and not touched.any() and (missed <= 1e-6 or self.elastic):
                return step if step.bound <= centre.bound else replace(centre, point=step.point)
            # A price at the wall wants further than others; a model that was right all over the box, a larger box.
            growth = np.where(touched, growth * GROWTH, np.maximum(growth / GROWTH, 1.0))
            width *= part
            if step.bound - value <= 0.2 * (centre.bound - step.bound):
                width *= 3.0
            if step.bound < centre.bound:
                centre = step
        return centre

    def _within(self, centre: Prices, opened: Codes, box: Vector) -> tuple[Prices, float, float, float] | None:
        """Solve within a box, opening decisions or closing the box until the bound falls. Return also the restricted
        value, by how much rows are missed, and the part of the box that was used."""
        middle = centre.y[self.boxed]
        part = 1.0
        for attempt in range(OPENINGS):
            low, high = (np.clip(middle + side * part * box, -self.wall, self.wall) for side in (-1, 1))
            solved = self.restricted.solve(centre.vertex, opened, low, high, self.watch)
            if solved is None:
                return None
            step = prices_at(self.pricing, solved.y, solved.point)
            met = step.bound - solved.value <= self.close * abs(solved.value)
            fell = step.bound < centre.bound - 0.1 * (centre.bound - solved.value)
            if met or fell or attempt == OPENINGS - 1 or self.watch.must_stop():
                return step, solved.value, solved.missed, part
            wrong = np.setdiff1d(self.restricted.alternatives.changed(centre.vertex, step.vertex), opened)
            if len(wrong) > JOINING * self.open:
                part /= 3.0
                continue
            opened = np.concatenate([opened, wrong])
        return None
