"""Why a round has no plan, and what would mend it: the conflict, the cheapest repair and others, each proven."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Literal

from integrated_fund.round import Place, Round
from optalloc.solve.progress import Watch
from optalloc.study.diagnosis.conflict import Conflict, Verdict, any_plan, conflict_of, decided, linear_conflict
from optalloc.study.diagnosis.inner import InnerWatch
from optalloc.study.diagnosis.keeping import keeps
from optalloc.study.diagnosis.movable import with_changes
from optalloc.study.diagnosis.repair import Repair, Repairs
from optalloc.study.diagnosis.requirements import Requirements

Status = Literal["feasible", "infeasible", "unknown"]
Which = Literal["cheapest", "other cells", "money only", "fewer cells"]

#: Alternatives that are given, the cheapest among them.
MOST = 5

#: Gives the round as it is once a repair has been made, read from a copy of the workbook; None where that has errors.
Reread = Callable[[Repair], Round | None]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One repair, and what tells it from the others. `proven`: the changed copy was read again and has a plan."""

    which: Which
    repair: Repair
    proven: bool


@dataclass(frozen=True)
class Diagnosis:
    """What is known of a round. `alternatives` are sorted by what they cost.

    `bound` is what no repair costs less than, None where none is proven. `complete` says that nothing was cut short:
    the conflict is irreducible, and every repair was looked for to the end. `left_alone` are the cells of shares with
    `=` that no repair was looked for in.
    """

    status: Status
    conflict: Conflict | None
    alternatives: tuple[Alternative, ...]
    bound: Fraction | None
    complete: bool
    left_alone: tuple[Place, ...] = ()


def in_memory(round_: Round) -> Reread:
    """Return what a round is with a repair made, without any workbook."""
    return lambda repair: with_changes(round_, repair.changes)


def diagnose(round_: Round, watch: Watch, reread: Reread, *, others: bool = True, known: bool = False) -> Diagnosis:
    """Return the diagnosis of a round that `check` finds no error in; what is known so far where the watch says stop.

    `others` asks for more repairs than the cheapest; `known` says that there is no plan.

    Raises:
        SolverError: the solver failed.
    """
    watch.phase = "formulating"
    watch.tell()
    requirements = Requirements(round_)
    if not known:
        watch.phase = "looking for a plan"
        watch.tell()
        verdict = _exists(requirements, watch)
        if verdict.status != "infeasible":
            feasible = verdict.status == "kept"
            return Diagnosis("feasible" if feasible else "unknown", None, (), None, feasible)
    conflict = conflict_of(requirements, watch)
    found: list[Alternative] = []
    repairs = Repairs(requirements)
    bound: Fraction | None = None
    for repair in _repairs(repairs, watch, others):
        bound = repair.bound if bound is None else bound
        if all(repair.cells != other.repair.cells for other in found):
            watch.phase = "proving the repair"
            watch.tell()
            found.append(Alternative(_which(repair, found), repair, _proven(repair, reread, watch)))
    found = sorted(found, key=lambda alternative: alternative.repair.total)[:MOST]
    complete = conflict.irreducible and not watch.must_stop() and all(a.proven for a in found)
    return Diagnosis("infeasible", conflict, tuple(found), bound, complete, repairs.left_alone)


def _exists(requirements: Requirements, watch: Watch) -> Verdict:
    if linear_conflict(requirements, requirements.everything, watch) is not None:
        return Verdict("infeasible")
    verdict = decided(requirements, requirements.everything, watch)
    if verdict.status == "unknown" and not watch.must_stop():
        verdict = any_plan(requirements.round, InnerWatch.of(watch, watch.left()))
    if verdict.decision is not None and not keeps(requirements.round, verdict.decision):
        return Verdict("unknown")
    return verdict


def _repairs(repairs: Repairs, watch: Watch, others: bool) -> Iterator[Repair]:
    """Yield the cheapest repair, then others; none after the watch has said stop."""
    watch.phase = "the cheapest repair"
    watch.tell()
    best = repairs.cheapest(watch)
    if best is None:
        return
    yield best
    numbers = {movable.place: number for number, movable in enumerate(repairs.movables)}
    used = [numbers[change.movable.place] for change in best.changes]
    not_money = [number for number, movable in enumerate(repairs.movables) if movable.kind != "amount"]
    asked: list[Callable[[], Repair | None]] = []
    if others:
        asked += [partial(repairs.cheapest, watch, without=without) for without in (not_money, used)]
    if others and len(used) > 1:
        asked.append(partial(repairs.fewer, best, watch))
        if not repairs.is_large:
            asked += [partial(repairs.cheapest, watch, without=[number]) for number in used[:2]]
    for ask in asked:
        if watch.must_stop():
            return
        watch.phase = "other repairs"
        watch.tell()
        repair = ask()
        if repair is not None:
            yield repair


def _which(repair: Repair, found: list[Alternative]) -> Which:
    if not found:
        return "cheapest"
    if all(change.movable.kind == "amount" for change in repair.changes):
        return "money only"
    return "fewer cells" if len(repair.cells) < len(found[0].repair.cells) else "other cells"


def _proven(repair: Repair, reread: Reread, watch: Watch) -> bool:
    """Return whether the round, read again with the repair made, has a plan; shown by one that keeps it exactly."""
    again = reread(repair)
    if again is None:
        return False
    if keeps(again, repair.decision):
        return True
    found = any_plan(again, InnerWatch.of(watch, 20.0))
    return found.decision is not None and keeps(again, found.decision)
