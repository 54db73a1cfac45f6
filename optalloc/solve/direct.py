"""The direct way: the whole programme to HiGHS, with the linear bound and a core first where it is large."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from integrated_fund.evaluation import Decision
from optalloc.solve.arrays import Arrays, IntegerProgramme, Vector
from optalloc.solve.evened import in_parts
from optalloc.solve.exact_awards import TRIES, solve_awards
from optalloc.solve.exactness import Tightening, decision_of, point_of
from optalloc.solve.record import Record
from optalloc.solve.solvers.highs import SMALL, Outcome, solve_lp, solve_mip

#: From this number of integer columns on, the linear programme and a core come first. Up to `SMALL` the search goes on
#: to a gap of 0 for a while when the asked gap is closed.
LARGE = 3000
CORE = 1000
CORE_NODES = 3000
ACCEPTANCE_NODES = 100
PROOF_NODES = 4000
#: The last stage ends when nodes × non-zeros reach this, gap closed or not: the same on every machine.
WORK = 500_000_000
BRANCHING = "branch and bound (HiGHS, floating point)"
LINEAR = "linear relaxation (HiGHS, floating point)"


def search_directly(record: Record) -> bool:
    """Search until the gap is closed or the watch says stop; return whether there is no plan at all."""
    integers = int(record.arrays.integer.sum())
    if integers >= LARGE and record.best is None:
        if _linear_and_core(record):
            return True
        if record.closed or record.watch.must_stop():
            return False
    if integers > SMALL and record.loose is not None and not record.fine:
        _continuous_awards(record, record.base, ACCEPTANCE_NODES)
        if record.closed or record.watch.must_stop():
            return False
    record.watch.phase = "solving"
    if _whole(record, record.gap, _nodes(record, WORK if record.work is None else record.work)):
        return True
    if integers <= SMALL and not record.proven and not record.watch.must_stop():
        record.watch.phase = "proving"
        _whole(record, 0.0, PROOF_NODES)
    return False


def _nodes(record: Record, work: int) -> int:
    """Return the nodes after which branching over the whole programme ends."""
    return max(200, work // max(1, record.base.matrix.nnz))


def _linear_and_core(record: Record) -> bool:
    """Bound by the linear programme, plan by a core; return whether the round is infeasible.

    E. Balas and E. Zemel, An algorithm for large zero-one knapsack problems, Operations Research 28, 1980.
    """
    record.watch.phase = "linear bound"
    relaxed = solve_lp(record.base, record.cost, record.watch)
    if relaxed.status == "infeasible":
        return _confirmed_infeasible(record)
    if relaxed.status != "optimal" or relaxed.x is None or relaxed.reduced_costs is None:
        return False
    record.bounded(relaxed.objective, LINEAR)
    integer = np.flatnonzero(record.arrays.integer)
    distance = np.abs(relaxed.reduced_costs[integer])
    order = integer[np.argsort(distance, kind="stable")]
    record.watch.phase = f"core of {CORE}"
    outside = order[CORE:]
    settled = np.round(relaxed.x[outside])
    core = record.base.with_bounds(outside, settled, settled)
    if record.loose is not None:
        _continuous_awards(record, core, CORE_NODES)
    else:
        _take(record, _solve(record, core, record.gap / 2, CORE_NODES), core, record.gap / 2, CORE_NODES)
    return False


def _continuous_awards(record: Record, arrays: Arrays, nodes: int) -> None:
    """Decide acceptances with awards of any amount, then whole steps with these acceptances.

    Letting whole steps go is a relaxation, so the bound holds where `arrays` are the whole programme.
    """
    assert record.loose is not None
    record.watch.phase = "acceptances"
    loose = replace(arrays, integer=record.loose)
    outcome = solve_mip(loose, record.cost, record.watch, gap=record.gap / 2, nodes=nodes)
    record.nodes += outcome.nodes
    if arrays is record.base and outcome.status != "infeasible":
        record.bounded(outcome.bound, BRANCHING)
    if outcome.x is not None:
        record.watch.phase = "exact awards"
        solve_awards(record, outcome.x)


def _whole(record: Record, gap: float, nodes: int | None) -> bool:
    """Solve the whole programme; return whether it is infeasible."""
    outcome = _solve(record, record.base, gap, nodes)
    if outcome.status == "infeasible":
        return record.best is None and _confirmed_infeasible(record)
    record.bounded(outcome.bound, BRANCHING)
    _take(record, outcome, record.base, gap, nodes)
    return False


def _solve(record: Record, arrays: Arrays, gap: float, nodes: int | None) -> Outcome:
    if record.fine:
        return _fine(record, arrays, gap, nodes)
    # Small programmes need no start, and one less thing can go wrong (see `solve_mip`).
    start = None
    if record.best is not None and int(record.arrays.integer.sum()) > SMALL:
        start = _point(record, record.best.evaluation.decision, arrays)
    outcome = solve_mip(arrays, record.cost, record.watch, gap=gap, nodes=nodes, start=start)
    record.nodes += outcome.nodes
    return outcome


def _fine(record: Record, arrays: Arrays, gap: float, nodes: int | None, *, presolve: bool = True) -> Outcome:
    """Solve with awards of any amount, in parts of their range: a hundred million steps drown in tolerances.

    Letting whole steps go is a relaxation: the bound holds, and where it has no solution there is no plan.
    """
    assert record.loose is not None
    part = in_parts(replace(arrays, integer=record.loose), record.cost)
    programme = part.programme
    assert isinstance(programme, IntegerProgramme)
    outcome = solve_mip(programme, part.cost, record.watch, gap=gap, nodes=nodes, presolve=presolve)
    record.nodes += outcome.nodes
    return outcome if outcome.x is None else replace(outcome, x=outcome.x * part.columns)


def _take(record: Record, outcome: Outcome, arrays: Arrays, gap: float, nodes: int | None) -> None:
    """Make an exact plan of an outcome: as it is, with its awards solved again, or from a tightened programme."""
    tightening = Tightening(record.fund)
    for _ in range(TRIES):
        if outcome.x is None:
            return
        judgement = record.judged(decision_of(record.fund, record.arrays, outcome.x))
        if record.consider(judgement):
            return
        record.watch.phase = "exact awards"
        tightening.learn(judgement, record.arrays)
        if (record.arrays.extra >= 0).any():
            solve_awards(record, outcome.x)
        if record.closed or record.watch.must_stop():
            return
        outcome = _solve(record, _tightened(record, tightening, arrays), gap, nodes)


def _tightened(record: Record, tightening: Tightening, arrays: Arrays) -> Arrays:
    """Return `arrays` (the whole or a core: they differ in column bounds) with the tightening in."""
    columns = np.arange(len(arrays.column_lower))
    whole = tightening.apply(record.arrays, record.held)
    return whole.with_bounds(columns, arrays.column_lower, arrays.column_upper)


def _confirmed_infeasible(record: Record) -> bool:
    """Solve again with presolve off: presolve has called feasible programmes infeasible before."""
    record.watch.phase = "confirming that no plan exists"
    if record.fine:
        outcome = _fine(record, record.base, record.gap, None, presolve=False)
    else:
        nodes = None if record.work is None else _nodes(record, record.work)
        outcome = solve_mip(record.base, record.cost, record.watch, gap=record.gap, nodes=nodes, presolve=False)
    if outcome.status == "infeasible":
        return True
    if outcome.status != "stopped":
        record.bounded(outcome.bound, BRANCHING)
    _take(record, outcome, record.base, record.gap, None)
    return False


def _point(record: Record, decision: Decision, arrays: Arrays) -> Vector | None:
    """Return a full point for a decision, by solving for the continuous columns; None where that fails."""
    point = np.zeros(len(arrays.column_lower))
    for column, value in point_of(record.fund, arrays, decision).items():
        point[column] = value
    whole = np.flatnonzero(arrays.integer)
    completed = solve_lp(arrays.with_bounds(whole, point[whole], point[whole]), record.cost, record.watch)
    return completed.x
