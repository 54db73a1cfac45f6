r"""Better plans by re-solving changing neighbourhoods of the best one.

A neighbourhood frees some hundred projects of the best plan and solves them again, everything else left where the plan
has it (large neighbourhood search: P. Shaw, 1998). Which projects are freed goes by the prices: always those of
smallest margin, where the prices say nothing, and a window that slides over the others in the order of their margin.
A window without a better plan is passed; a full turn without one ends the search. Windows and nodes are counted, not
timed, so every machine walks the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from optalloc.solve.core.cores import CoreSearch

#: Projects of smallest margin in every neighbourhood, and in the sliding window.
STEADY = 100
WINDOW = 150
#: The window slides over so many projects of smallest margin.
REACH = 1500
NODES = 60
TURNS = 3


def improve(search: CoreSearch) -> None:
    """Re-solve neighbourhoods until a full turn brings nothing, the gap is closed or the watch says stop."""
    record = search.record
    reach = min(REACH, len(search.order))
    for turn in range(TURNS):
        better = False
        # Windows of a later turn are cut elsewhere.
        for begin in range(STEADY - turn * WINDOW // TURNS, reach, WINDOW):
            if record.best is None or record.closed or record.watch.must_stop():
                return
            record.watch.phase = f"neighbourhood {turn + 1}.{begin}"
            free = np.zeros(len(search.order), dtype=np.bool_)
            free[search.order[:STEADY]] = True
            free[search.order[max(begin, 0) : begin + WINDOW]] = True
            before = record.value
            search.solve(search.pricing.groups.whole(free), search.plan(), NODES, gap=record.gap / 4, target=None)
            better |= record.value != before
        if not better:
            return
