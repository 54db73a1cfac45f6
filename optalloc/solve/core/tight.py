"""Plans of tight rounds: a dive for the first acceptances, swaps for better ones, awards in whole steps.

Where a hundred rows bind, a branching solver finds no plan at all: every choice of acceptances misses some row. Here
rows may be missed at a price (`elastic`), one dive gives acceptances that miss little (`dives`), and changing a few
projects at a time mends and improves them (`swaps`), the awards taking any amount. Then the awards are rounded to whole
steps, and what that misses is mended in the same way, a few steps of a few awards at a time. Sweeps and kicks are
counted, not timed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from optalloc.solve.arrays import Vector
from optalloc.solve.core.completion import Completion
from optalloc.solve.core.dives import dive
from optalloc.solve.core.swaps import SwapSearch
from optalloc.solve.elastic import Elastic
from optalloc.solve.exact_awards import solve_awards
from optalloc.solve.exactness import decision_of

if TYPE_CHECKING:
    from optalloc.solve.core.cores import CoreSearch

#: Projects of smallest margin that may be decided anew.
CORE = 1500
#: From so many rows with a price on the search begins here; those that define a cell count as well. Rounds with a dozen
#: binding rules close their gap in a third to two thirds of the time that growing cores take.
BINDING = 40
#: Shares and rests of the dives after the first.
DIVES = ((8, 30), (2, 40), (8, 40), (4, 40), (3, 60))
#: Kicks in vain after which the search goes on elsewhere, by visit.
KICKS = (0, 6, 30)
#: Awards that are decided by branching where swaps of steps do not find any.
BRANCHED = 200
#: So many times as dear are rows that whole steps miss while there is no plan: that mends them four times as fast, and
#: gives up a point or so in 100,000.
SOON = 5.0
#: Awards are put into whole steps when that brings the plan nearer to the bound by this share of the distance.
NEARER = 0.05


def is_tight(search: CoreSearch) -> bool:
    """Whether many coupling rows have a price."""
    return int(np.count_nonzero(np.abs(search.prices.y) > 1e-9)) >= BINDING


class TightSearch:
    """Swaps on one core, taken up again as often as one likes; from the decisions of `start`, shape (columns,), where
    these are given, and from a dive where not."""

    def __init__(self, search: CoreSearch, start: Vector | None = None) -> None:
        self.search, self.record, self._start = search, search.record, start
        self._inside = search.columns(search.core(CORE))
        self._swaps: SwapSearch | None = None
        self._visits = 0
        self._taken: Vector | None = None

    def visit(self) -> None:
        """Look for better plans until the gap is closed, kicks are in vain or the watch says stop.

        Raises:
            SolverError: HiGHS refused a call, or lost a programme that has a solution.
        """
        record = self.record
        if self._swaps is None:
            self._swaps = self._begun()
        if self._swaps is None:
            return
        record.watch.phase = "swapping"
        starts = self._starts() if self._visits == 1 else ()
        for _ in self._swaps.plans(KICKS[min(self._visits, len(KICKS) - 1)], starts):
            if self._worth_while(self._swaps.completion.objective):
                self._take(self._swaps.completion)
                record.watch.phase = "swapping"
            if record.closed:
                return
        self._visits += 1
        if self._swaps.keeps_all:
            self._swaps.completion.go_to(self._swaps.best)
            self._take(self._swaps.completion)

    def _begun(self) -> SwapSearch | None:
        search, watch = self.search, self.record.watch
        watch.phase = "diving"
        base = search.prices.vertex.x if self._start is None else self._start
        elastic = Elastic.of(self.record, search.pricing, search.prices.y, self._inside, base)
        self._weight = elastic.weight
        point = dive(elastic, watch) if self._start is None else self._start[elastic.part.columns[elastic.slim.columns]]
        return None if point is None else SwapSearch(Completion(elastic, search.pricing, point), watch)

    def _starts(self) -> Iterator[Vector]:
        """Yield the acceptances of other dives, at the weights that have been learned meanwhile."""
        assert self._swaps is not None
        completion, watch = self._swaps.completion, self.record.watch
        begun: set[bytes] = set()
        for share, rest in DIVES:
            watch.phase = "diving"
            point = dive(completion.elastic, watch, share, rest)
            watch.phase = "swapping"
            if point is None:
                return
            acceptances = np.round(point[completion.decided])
            if acceptances.tobytes() in begun:
                return  # dives of these shares end alike here
            begun.add(acceptances.tobytes())
            yield acceptances

    def _worth_while(self, objective: float) -> bool:
        """Whether acceptances are so much better than the best plan that their awards are put into whole steps now."""
        record = self.record
        if record.value is None:
            return True
        return objective - record.value > NEARER * (record.bound - record.value) or objective >= record.target()

    def _take(self, completion: Completion) -> None:
        """Make a plan of acceptances that miss no row, if it can be better than the best."""
        record = self.record
        if record.value is not None and completion.objective <= record.value:
            return
        if self._taken is not None and (completion.value == self._taken).all():
            return  # the same steps would come out
        self._taken = completion.value.copy()
        point = completion.point()
        if self._judged(completion, point):
            return
        record.watch.phase = "whole steps"
        # At the first weights: those that were raised for acceptances say nothing about steps.
        elastic = replace(completion.elastic, weight=self._weight * (SOON if record.best is None else 1.0))
        steps = Completion(elastic, completion.pricing, point, steps=True)
        for whole in SwapSearch(steps, record.finishing()).plans(0):
            if self._judged(completion, whole):
                return
        solve_awards(record, completion.elastic.whole(point), completion.elastic.columns(completion.loosest(BRANCHED)))

    def _judged(self, completion: Completion, point: Vector) -> bool:
        """Consider a point of the core if it is whole; return whether it is a plan."""
        record = self.record
        x = completion.elastic.whole(point)
        whole = record.arrays.integer
        if (np.abs(x[whole] - np.round(x[whole])) > 1e-6).any():
            return False
        return record.consider(record.judged(decision_of(record.fund, record.arrays, x)))
