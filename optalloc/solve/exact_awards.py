"""From a point with decided acceptances to a plan in whole steps."""

from __future__ import annotations

import numpy as np

from optalloc.solve.arrays import Vector
from optalloc.solve.exactness import Tightening, decision_of
from optalloc.solve.groups import Mask
from optalloc.solve.highs import solve_mip
from optalloc.solve.parts import Part
from optalloc.solve.record import Record

TRIES = 8
NODES = 3000


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
        outcome = solve_mip(part.arrays, cost, record.finishing(), gap=record.gap / 10, nodes=NODES, telling="time")
        if outcome.x is None:
            return False
        judgement = record.judged(decision_of(record.fund, arrays, part.whole(outcome.x)))
        if record.consider(judgement):
            return True
        tightening.learn(judgement, arrays)
    return False
