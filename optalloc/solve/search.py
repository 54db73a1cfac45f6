r"""The search for the best plan of one level of the objective, with a bound on every plan.

There are two ways. `direct` gives the whole programme to HiGHS. `core` takes it apart: prices of the few rows that tie
projects together (`sifting`), a bound from these prices alone (`certificate`), and plans from the projects that the
prices leave in doubt (`cores`). `auto` takes `core` from `CORE_FROM` integer columns on; below that, from `SWAPS_FROM`
on, it looks for a first plan by swaps before it goes the direct way. Where the core way cannot go, or ends with the gap
open, the direct way takes over; `Found.way` says so.

Every plan is exact (`exactness`), every bound comes from the programme without any tightening.
"""

from __future__ import annotations

from typing import Literal

from integrated_fund.evaluation import Decision
from integrated_fund.fund import Fund
from optalloc.solve.arrays import Arrays, Vector
from optalloc.solve.core.cores import plan_where_tight, search_by_cores
from optalloc.solve.direct import search_directly
from optalloc.solve.exact_awards import solve_awards
from optalloc.solve.exactness import Held, decision_of
from optalloc.solve.progress import Watch
from optalloc.solve.record import Found, Record
from optalloc.solve.solvers.highs import SolverError

Method = Literal["auto", "direct", "core"]

#: From this number of integer columns on `auto` takes the core way.
CORE_FROM = 1000
#: From this number on it looks for a first plan by swaps: HiGHS has one in whole steps only when it ends.
SWAPS_FROM = 200
#: With more integer columns the direct way finds nothing that the core way has not found.
WHOLE_AT_MOST = 60_000


def search(
    fund: Fund,
    arrays: Arrays,
    level: int,
    held: tuple[Held, ...],
    gap: float,
    watch: Watch,
    *,
    start: Decision | None = None,
    method: Method = "auto",
    work: int | None = None,
) -> Found:
    """Search for the best plan of a level until the gap is closed, work limits are reached or the watch says stop.

    `held` are the levels before it, `start` a plan that is known already, `work` another limit than a round's own (see
    `Record`). Where memory runs out the best plan is kept, or at least the bound that was proven by then.
    """
    record = Record(fund, arrays, level, held, gap, watch, work)
    if start is not None:
        record.consider(record.judged(start))
    try:
        return record.found(infeasible=_searched(record, method))
    except MemoryError:
        watch.stop("memory")
        return record.found()
    except KeyboardInterrupt:  # between two runs of the solver, where nobody else listens
        if watch.stopped == "interrupted":
            raise  # asked a second time: at once
        watch.stop("interrupted")
        return record.found()


def _searched(record: Record, method: Method) -> bool:
    """Search by a method; return whether there is no plan at all."""
    integers = int(record.arrays.integer.sum())
    if method == "core" or (method == "auto" and integers >= CORE_FROM):
        record.way = "core"
        try:
            trouble = search_by_cores(record)
        except SolverError as failure:
            trouble = f"the solver failed: {failure}"
        if record.closed or record.watch.must_stop():
            return False
        if record.best is not None and integers > WHOLE_AT_MOST:
            record.way = f"core ({trouble})"
            return False
        record.way = f"core, then direct ({trouble})"
    elif method == "auto" and integers >= SWAPS_FROM and record.best is None:
        try:
            if plan_where_tight(record):
                record.way = "swaps, then direct"
        except SolverError as failure:
            record.way = f"direct (swaps failed: {failure})"
        if record.closed or record.watch.must_stop():
            return False
    return search_directly(record)


def adopted(record: Record, x: Vector, bound: float) -> Found:
    """Take a point and a bound that another solver found, as if they were this search's own."""
    bounded_only(record, bound)
    judgement = record.judged(decision_of(record.fund, record.arrays, x))
    if not record.consider(judgement) and (record.arrays.extra >= 0).any():
        solve_awards(record, x)
    return record.found()


def bounded_only(record: Record, bound: float) -> Found:
    """Take a bound that another solver has proven without finding a plan."""
    record.way = "other solver"
    record.bounded(bound, "the other solver")
    return record.found()
