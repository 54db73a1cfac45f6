r"""Why a round has no plan: an irreducible set of requirements that cannot be kept together.

Irreducible (an irreducible infeasible subsystem, IIS): all of them together have no plan, and with any one left out
there is one. Found by the deletion filter: leave out one requirement after the other; where what remains still has no
plan, it stays out, else it stays in for good.

Where already the linear relaxation has no solution, the filter first runs on it, with the elastic programme

    minimise Σ v[r]   subject to every row with its own v[r] >= 0 to miss it by

as the judge: by weak duality, the rows whose dual is not 0 are a set without a solution, mostly a small one. Then the
filter runs on whole awards and yes/no decisions. That the others stand without a requirement is shown by a decision
that keeps them in exact arithmetic; that all together have no plan is the solver's word, given twice, once without
presolve.

J. W. Chinneck, Feasibility and Infeasibility in Optimization, Springer 2008, chapters 6 and 7; J. W. Chinneck and
E. W. Dravnieks, Locating minimal infeasible constraint sets in linear programs, ORSA Journal on Computing 3, 1991.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import sparse

from integrated_fund.evaluation import Decision
from integrated_fund.fund import fund_for_solving
from integrated_fund.round import Round
from optalloc.solve.arrays import Arrays, IntegerProgramme, Programme, Vector, arrays_of
from optalloc.solve.core.dives import Dive
from optalloc.solve.exact_awards import TRIES
from optalloc.solve.exactness import Tightening, decision_of
from optalloc.solve.progress import Watch
from optalloc.solve.search import search
from optalloc.solve.solvers.highs import SMALL, solve_lp, solve_mip
from optalloc.study.diagnosis.inner import InnerWatch
from optalloc.study.diagnosis.requirements import Requirement, Requirements

#: Rows are scaled to units of a typical project; what misses them by less in all is the solver's tolerance.
_MISSED = 1e-6
_DUAL = 1e-7
#: Work limit of one solve, nodes × non-zeros: branching beyond this means that the answer is not known.
WORK = 50_000_000
#: A relative gap that any plan closes.
ANY = 1e6
#: Room looked for, in typical projects, and the nodes for it.
ROOM = 1.0
ROOM_NODES = 200
#: Seconds for one answer in a large round.
SECONDS = 6.0
#: Seconds for making a conflict small; what is then not shown to be needed stays in it, and it is said so.
SECONDS_IN_ALL = 60.0


@dataclass(frozen=True)
class Verdict:
    """Whether some requirements can be kept together; a `decision` that keeps them, exactly, where they can."""

    status: Literal["kept", "infeasible", "unknown"]
    decision: Decision | None = None


@dataclass(frozen=True)
class Conflict:
    """Requirements that cannot be kept together. `irreducible`: with any one left out, the others can; proven."""

    requirements: tuple[Requirement, ...]
    irreducible: bool


def decided(requirements: Requirements, kept: Collection[int], watch: Watch, *, presolve: bool = True) -> Verdict:
    """Return whether the given requirements can be kept together.

    Raises:
        SolverError: the solver failed.
    """
    arrays = requirements.programme(kept)
    if int(arrays.integer.sum()) > SMALL:
        watch = InnerWatch.of(watch, SECONDS)
        verdict = with_room(requirements, arrays, kept, watch, presolve=presolve)
        if verdict.status != "unknown" or watch.must_stop():
            return verdict
    tightening = Tightening(requirements.fund)
    cost = np.zeros(len(arrays.column_lower))
    nodes = max(200, WORK // max(1, arrays.matrix.nnz))
    for attempt in range(TRIES):
        programme = tightening.apply(arrays, ())
        outcome = solve_mip(programme, cost, watch, nodes=nodes, presolve=presolve, telling="time")
        if outcome.x is None:
            # Only the programme as it stands proves anything.
            return Verdict("infeasible" if outcome.status == "infeasible" and attempt == 0 else "unknown")
        decision = decision_of(requirements.fund, arrays, outcome.x)
        judged = requirements.judged(decision, outcome.x, kept)
        if judged.is_kept:
            return Verdict("kept", decision)
        tightening.learn(judged.judgement, arrays)
    return Verdict("unknown")


def with_room(
    requirements: Requirements, arrays: Arrays, kept: Collection[int], watch: Watch, *, presolve: bool = True
) -> Verdict:
    r"""Look for acceptances that leave every row some room, then for awards in whole steps with these.

    maximise t   subject to   row - t >= lower,   row + t <= upper,   0 <= t

    in units of a typical project. Acceptances are rounded down the linear relaxation first (`dives`); where that leads
    to no plan, branching may find one, or none: with awards of any amount it is a relaxation.
    """
    rows = np.array(
        [
            row
            for n in kept
            if requirements.all[n].kind not in ("link", "mandatory")
            for row in requirements.all[n].rows
        ],
        dtype=np.int64,
    )
    below, above = np.isfinite(arrays.row_lower[rows]), np.isfinite(arrays.row_upper[rows])
    room = sparse.csr_matrix(
        (
            (above * 1.0 - below)[below != above],
            (rows[below != above], np.zeros((below != above).sum(), dtype=np.int64)),
        ),
        shape=(len(arrays.row_lower), 1),
    )
    accepting = np.zeros(len(arrays.integer) + 1, dtype=np.bool_)
    accepting[arrays.accept[arrays.accept >= 0]] = True
    roomy = IntegerProgramme(
        sparse.csr_matrix(sparse.hstack([arrays.matrix, room])),
        arrays.row_lower,
        arrays.row_upper,
        np.append(arrays.column_lower, 0.0),
        np.append(arrays.column_upper, ROOM),
        accepting,
    )
    cost = np.append(np.zeros(len(arrays.integer)), 1.0)
    dived = Dive(roomy, cost, np.flatnonzero(accepting), watch).down() if presolve else None
    if dived is not None:
        verdict = _whole_steps(requirements, arrays, roomy, dived, kept, watch)
        if verdict.status == "kept" or watch.must_stop():
            return verdict
    outcome = solve_mip(roomy, cost, watch, nodes=ROOM_NODES, target=ROOM / 4, presolve=presolve, telling="time")
    if outcome.x is None:
        return Verdict("infeasible" if outcome.status == "infeasible" else "unknown")
    return _whole_steps(requirements, arrays, roomy, outcome.x, kept, watch)


def _whole_steps(
    requirements: Requirements,
    arrays: Arrays,
    roomy: IntegerProgramme,
    x: Vector,
    kept: Collection[int],
    watch: Watch,
) -> Verdict:
    """Look for awards in whole steps with the acceptances of a point."""
    accepting = roomy.integer
    lower, upper = roomy.column_lower.copy(), roomy.column_upper.copy()
    lower[accepting] = upper[accepting] = np.rint(x[accepting])
    awards = replace(roomy, column_lower=lower, column_upper=upper, integer=np.append(arrays.integer, np.False_))
    cost = np.append(np.zeros(len(arrays.integer)), 1.0)
    outcome = solve_mip(awards, cost, watch, nodes=ROOM_NODES, target=min(ROOM / 40, x[-1] / 2), telling="time")
    if outcome.x is None:
        return Verdict("unknown")
    point = outcome.x[:-1]
    decision = decision_of(requirements.fund, arrays, point)
    judged = requirements.judged(decision, point, kept)
    return Verdict("kept", decision) if judged.is_kept else Verdict("unknown")


def any_plan(round_: Round, watch: Watch) -> Verdict:
    """Search for any plan of a round, as `optalloc solve` searches for the best one.

    Raises:
        SolverError: the solver failed.
    """
    fund = fund_for_solving(round_)
    found = search(fund, arrays_of(fund), 0, (), ANY, watch)
    if found.judgement is not None:
        return Verdict("kept", found.judgement.evaluation.decision)
    return Verdict("infeasible" if found.infeasible else "unknown")


def linear_conflict(requirements: Requirements, kept: Collection[int], watch: Watch) -> frozenset[int] | None:
    """Return some of the requirements that already the linear relaxation cannot keep; None where it can keep them all.

    Raises:
        SolverError: the solver failed.
    """
    programme, cost = _elastic(requirements, kept)
    outcome = solve_lp(programme, cost, watch)
    if outcome.row_duals is None or -outcome.objective <= _MISSED:
        return None
    held = np.abs(outcome.row_duals) > _DUAL
    return frozenset(number for number in kept if held[list(requirements.all[number].rows)].any())


def _elastic(requirements: Requirements, kept: Collection[int]) -> tuple[Programme, Vector]:
    arrays = requirements.programme(kept)
    rows = np.array(sorted(row for number in kept for row in requirements.all[number].rows), dtype=np.int64)
    below, above = rows[np.isfinite(arrays.row_lower[rows])], rows[np.isfinite(arrays.row_upper[rows])]
    missed = np.concatenate([below, above])
    sign = np.concatenate([np.ones(len(below)), -np.ones(len(above))])
    slack = sparse.csr_matrix((sign, (missed, np.arange(len(missed)))), shape=(len(arrays.row_lower), len(missed)))
    nothing = np.zeros(len(missed))
    programme = Programme(
        sparse.csr_matrix(sparse.hstack([arrays.matrix, slack])),
        arrays.row_lower,
        arrays.row_upper,
        np.concatenate([arrays.column_lower, nothing]),
        np.concatenate([arrays.column_upper, nothing + np.inf]),
    )
    return programme, np.concatenate([np.zeros(len(arrays.column_lower)), nothing - 1.0])


def conflict_of(requirements: Requirements, watch: Watch) -> Conflict:
    """Return a conflict of a round without a plan; not proven irreducible where the watch said stop.

    Raises:
        SolverError: the solver failed.
    """
    watch.phase = "looking for the conflict"
    watch.tell()
    found = _linear_filter(requirements, watch)
    certain = True
    if found is None:
        found, certain = _chunks(requirements, watch)
    watch.phase = "making the conflict small"
    inner = InnerWatch.of(watch, SECONDS_IN_ALL)
    for number in sorted(found):
        if len(found) == 1:
            break  # without any requirement the empty plan is one
        if inner.must_stop():
            certain = False
            break
        verdict = decided(requirements, found - {number}, inner)
        if verdict.status == "infeasible":
            found -= {number}
        certain &= verdict.status != "unknown"
    watch.phase = "confirming the conflict"
    if certain and not watch.must_stop():
        certain = decided(requirements, found, watch, presolve=False).status == "infeasible"
    irreducible = certain and not watch.must_stop()
    return Conflict(tuple(requirements.all[number] for number in sorted(found, reverse=True)), irreducible)


def _linear_filter(requirements: Requirements, watch: Watch) -> frozenset[int] | None:
    """Run the deletion filter on the linear relaxation; None where that has a solution.

    Requirements of one kind, and all members of a rule, are left out together first: a conflict in which money plays
    no part is found without it.
    """
    found = linear_conflict(requirements, requirements.everything, watch)
    if found is None:
        return None
    for group in [*_groups(requirements), *([number] for number in sorted(requirements.everything))]:
        fewer = found.difference(group)
        if watch.must_stop():
            break
        if fewer and fewer != found:
            smaller = linear_conflict(requirements, fewer, watch)
            found = found if smaller is None else smaller
    return found


def _groups(requirements: Requirements) -> list[list[int]]:
    groups: dict[tuple[str, str | None], list[int]] = {}
    for number, requirement in enumerate(requirements.all):
        name = requirement.name if requirement.kind == "rule" else None
        groups.setdefault((requirement.kind, name), []).append(number)
    return list(groups.values())


def _chunks(requirements: Requirements, watch: Watch) -> tuple[frozenset[int], bool]:
    """Leave out requirements many at a time, then fewer: what can never be kept is soon few."""
    found = requirements.everything
    size = len(found) // 2
    while size > 1 and not watch.must_stop():
        order = sorted(found)
        for first in range(0, len(order), size):
            if watch.must_stop():
                break
            fewer = found.difference(order[first : first + size])
            if fewer and decided(requirements, fewer, watch).status == "infeasible":
                found = fewer
        size //= 2
    return found, True
