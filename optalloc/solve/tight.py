"""Plans of tight rounds: a dive for the first acceptances, swaps for better ones, awards in whole steps.

Where a hundred rows bind, a branching solver finds no plan at all: every choice of acceptances misses some row. Here
rows may be missed at a price (`elastic`), one dive gives acceptances that miss little (`dives`), and changing a few
projects at a time mends and improves them (`swaps`). Sweeps and kicks are counted, not timed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optalloc.solve.arrays import Vector
from optalloc.solve.completion import Completion
from optalloc.solve.dives import dive
from optalloc.solve.elastic import Elastic
from optalloc.solve.exact_awards import LAST_SECONDS, solve_awards
from optalloc.solve.exactness import decision_of
from optalloc.solve.groups import Mask
from optalloc.solve.progress import Watch
from optalloc.solve.swaps import SwapSearch

if TYPE_CHECKING:
    from optalloc.solve.cores import CoreSearch

#: Projects of smallest margin that may be decided anew.
CORE = 1500
#: From so many binding rows on the search begins here.
BINDING = 40
#: Kicks in vain after which the search goes on elsewhere.
KICKS = 15
#: Awards are put into whole steps when that brings the plan nearer to the bound by this share of the distance.
NEARER = 0.1
#: Rounding losses, in typical benefits, that are tried one after the other.
LOSSES = (0.1, 0.01)


def is_tight(search: CoreSearch) -> bool:
    """Whether many coupling rows bind."""
    return int(np.count_nonzero(np.abs(search.prices.y) > 1e-9)) >= BINDING


def search_tightly(search: CoreSearch) -> None:
    """Look for plans by a dive and swaps until the gap is closed, kicks are in vain or the watch says stop.

    Raises:
        SolverError: HiGHS refused a call, or lost a programme that has a solution.
    """
    record = search.record
    inside = search.columns(search.core(CORE))
    record.watch.phase = "diving"
    elastic = Elastic.of(record, search.pricing, search.prices.y, inside, search.prices.vertex.x)
    point = dive(elastic, search.pricing.typical, record.watch)
    if point is None:
        return
    record.watch.phase = "swapping"
    completion = Completion(elastic, search.pricing, point)
    swaps = SwapSearch(completion, search.pricing.groups.must, search.pricing.typical, record.watch)
    for _ in swaps.plans(KICKS):
        if _worth_while(search, completion.objective):
            _take(search, completion, inside)
        if record.closed:
            return
    if swaps.keeps_all:
        completion.go_to(swaps.best)
        _take(search, completion, inside)


def _worth_while(search: CoreSearch, objective: float) -> bool:
    """Whether acceptances are so much better than the best plan that their awards are put into whole steps now."""
    record = search.record
    if record.value is None:
        return True
    return objective - record.value > NEARER * (record.bound - record.value) or objective >= record.target()


def _take(search: CoreSearch, completion: Completion, inside: Mask) -> None:
    """Make a plan of acceptances that miss no row, if it can be better than the best."""
    record = search.record
    if record.value is not None and completion.objective <= record.value:
        return
    watch = Watch(LAST_SECONDS) if record.watch.must_stop() else record.watch
    for loss in LOSSES:
        steps = completion.in_steps(loss * search.pricing.typical, watch)
        if steps is not None and _judged(search, completion.elastic.whole(steps)):
            return
    solve_awards(record, completion.elastic.whole(completion.point()), inside)


def _judged(search: CoreSearch, point: Vector) -> bool:
    record = search.record
    return record.consider(record.judged(decision_of(record.fund, record.arrays, point)))
