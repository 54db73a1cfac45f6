"""From a point with decided acceptances to a plan in whole steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optalloc.solve.arrays import Arrays, Vector
from optalloc.solve.core.groups import Mask
from optalloc.solve.exactness import Tightening, decision_of
from optalloc.solve.parts import Part
from optalloc.solve.record import Record
from optalloc.solve.solvers.highs import solve_mip

TRIES = 8
#: Steps by which an award of very many steps may move from where any amount is best.
WINDOW = 500
NODES = 3000


@dataclass(frozen=True)
class _Near:
    """A part in which whole columns of many steps may move a little, counted from `origin`, shape (columns,)."""

    arrays: Arrays
    origin: Vector


def _near(part: Part, x: Vector) -> _Near:
    """Return a part with its whole columns held near a point: small numbers, which tolerances leave whole."""
    arrays = part.arrays
    many = arrays.integer & (arrays.column_upper - arrays.column_lower > 2 * WINDOW)
    at = np.round(np.clip(x[part.columns], arrays.column_lower, arrays.column_upper))
    origin = np.where(many, np.clip(at - WINDOW, arrays.column_lower, arrays.column_upper - 2 * WINDOW), 0.0)
    activity = arrays.matrix @ origin
    moved = replace(
        arrays,
        row_lower=arrays.row_lower - activity,
        row_upper=arrays.row_upper - activity,
        column_lower=np.where(many, 0.0, arrays.column_lower),
        column_upper=np.where(many, 2.0 * WINDOW, arrays.column_upper),
    )
    return _Near(moved, origin)


def solve_awards(record: Record, x: Vector, free: Mask | None = None) -> bool:
    """Fix the acceptances of a point, solve its awards again in whole steps, and consider the plan.

    Thousands of whole-step columns are what makes a programme hard, and they hardly move its optimum; with acceptances
    fixed they are easy. `free` limits the columns whose awards are solved again, the others are taken as they are
    (whole steps already). Rules missed by a tolerance are tightened, up to `TRIES` times. Return whether there is a
    plan.
    """
    arrays = record.arrays
    point = x.copy()
    point[arrays.integer] = np.round(point[arrays.integer])
    extra = arrays.extra[arrays.extra >= 0]
    if not len(extra):
        return record.consider(record.judged(decision_of(record.fund, arrays, point)))
    accepted = (arrays.accept < 0) | (point[arrays.accept] > 0.5)
    inside = ~arrays.decision
    inside[arrays.extra[(arrays.extra >= 0) & accepted]] = True
    point[arrays.extra[(arrays.extra >= 0) & ~accepted]] = 0.0
    if free is not None:
        inside &= free | ~arrays.decision
    # What links switch on follows from the acceptances.
    inside |= arrays.decision & ~arrays.integer
    tightening = Tightening(record.fund)
    for _ in range(TRIES):
        part = Part.of(tightening.apply(arrays, record.held), inside, point)
        cost = record.cost[part.columns]
        near = _near(part, x) if record.fine else None
        programme = part.arrays if near is None else near.arrays
        outcome = solve_mip(programme, cost, record.finishing(), gap=record.gap / 10, nodes=NODES, telling="time")
        if outcome.x is None:
            return False
        found = outcome.x if near is None else outcome.x + near.origin
        judgement = record.judged(decision_of(record.fund, arrays, part.whole(found)))
        if record.consider(judgement):
            return True
        tightening.learn(judgement, arrays)
    return False
