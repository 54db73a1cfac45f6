"""What overrides cost: the best plan with them held against the best without, both found by the same search.

A search may end with a gap, so a cost is an interval proven by two plans and two bounds. Where the round without the
overrides has every plan that keeps them, that round is worth at least as much: what was found for it is lifted to the
plan with overrides, and noise never shows as a gain. Where an override goes against the workbook (a project that is
excluded is forced, a mandatory one forbidden) the plan is none of that round, and the cost may be negative.

Values and costs are those of the objective; in a lexicographic round, of its first priority.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from integrated_fund.round import Round
from optalloc.errors import WrongUse
from optalloc.plan.overrides import UNKNOWN, Cost, Override, Record, overridden
from optalloc.plan.plan import Plan, Status, stated, stated_above
from optalloc.solve.arrays import arrays_of
from optalloc.solve.highs import SolverError
from optalloc.solve.other_solver import find_by, solver_named
from optalloc.solve.progress import Watch
from optalloc.solve.search import Method, search
from optalloc.solve.solution import NoPlan, fund_for, is_highs
from optalloc.workbook.names import nearest

#: Up to so many overrides each gets a cost of its own (the others kept), which takes a search for each.
OWN_COSTS_AT_MOST = 5

_INFEASIBLE: Mapping[Status, str] = {
    "optimal": "no plan keeps every rule, link and source with the overrides; without them there is one",
    "feasible": "no plan keeps every rule, link and source with the overrides; without them there is one",
    "infeasible": "no plan keeps every rule, link and source, with the overrides or without them",
    "unknown": "no plan keeps every rule, link and source with the overrides; without them it is not known",
}


def refuse_overrides(round_: Round, overrides: Sequence[Override]) -> None:
    """Refuse overrides that cannot be made of a round.

    Raises:
        WrongUse: `unknown_project`, `forced_and_forbidden`, `twice`, `block_grant`, `by_and_reason`.
    """
    projects = {project.project: project for project in round_.projects}
    kinds: dict[str, str] = {}
    for one in overrides:
        project = projects.get(one.project)
        if project is None:
            hint = nearest(one.project, projects)
            meant = f" Did you mean {hint}?" if hint else ""
            raise WrongUse("unknown_project", f"--{one.kind} {one.project}: the round has no such project.{meant}")
        if kinds.setdefault(one.project, one.kind) != one.kind:
            raise WrongUse("forced_and_forbidden", f"Project {one.project} is both forced and forbidden; take one out.")
        if one.kind == "force" and project.is_block_grant:
            raise WrongUse(
                "block_grant",
                f"--force {one.project}: it is a block grant (min_award 0), so there is nothing to accept. "
                f"Give it a least award instead: --set Projects.{one.project}.min_award=…",
            )
        if not one.by.strip() or not one.reason.strip():
            raise WrongUse("by_and_reason", f"The override of {one.project} needs who decided it (by) and the reason.")
    if len(kinds) < len(overrides):
        raise WrongUse("twice", "A project has two overrides of the same kind; one is enough.")


def with_overrides_recorded(
    result: Plan | NoPlan,
    round_: Round,
    overrides: Sequence[Override],
    watch: Watch,
    *,
    gap: Decimal | None = None,
    solver: str | None = None,
    method: Method = "auto",
) -> Plan | NoPlan:
    """Return the result of the overridden round with its overrides on record, and what they cost.

    `round_` is the round without the overrides; the rest is as in `plan_of`. Each search takes at most the time limit
    of the watch. One that is stopped by hand or for want of memory is the last; what is not known then is None.

    Raises:
        WrongUse: there is no solver of that name.
    """
    status = {project.project: project.status for project in round_.projects}
    records = [Record(one, status[one.project]) for one in overrides]
    searches = _Searches(watch, round_.gap if gap is None else gap, solver, method)
    if isinstance(result, NoPlan):
        without = searches.optimum(round_) if result.status == "infeasible" else Optimum()
        reason = _INFEASIBLE[without.status(searches.gap)] if result.status == "infeasible" else result.reason
        facts = _facts(records, without, UNKNOWN, searches.gap)
        return replace(result, reason=reason, manifest={**result.manifest, **facts, "reason": reason})
    best = Optimum(Fraction(result.objective), None if result.bound is None else Fraction(result.bound))
    without = searches.optimum(round_)
    rests: list[Optimum] = []
    if 1 < len(records) <= OWN_COSTS_AT_MOST:
        kept = [[other for other in overrides if other is not one] for one in overrides]
        rests = [searches.optimum(overridden(round_, others)) for others in kept]
    wide = [record.against_workbook for record in records]
    best, without, rests = _reconciled(best, without, rests, wide)
    together = _cost(without, best, contains=not any(wide))
    if len(records) == 1:
        records = [replace(records[0], cost=together)]
    elif rests:
        costs = [_cost(rest, best, contains=not against) for rest, against in zip(rests, wide, strict=True)]
        records = [replace(record, cost=cost) for record, cost in zip(records, costs, strict=True)]
    forbidden = {one.project for one in overrides if one.kind == "forbid"}
    declined = tuple(
        replace(row, reason="forbidden by an override") if row.project in forbidden else row for row in result.declined
    )
    facts = _facts(records, without, together, searches.gap)
    return replace(result, declined=declined, manifest={**result.manifest, **facts})


@dataclass(frozen=True)
class Optimum:
    """What is known of a round's optimum, as a plan states it: the best plan found and a bound on all, if any."""

    found: Fraction | None = None
    bound: Fraction | None = None
    infeasible: bool = False

    def lifted(self, other: Optimum) -> Optimum:
        """Return the optimum of a round that has every plan of another one."""
        found = max((value for value in (self.found, other.found) if value is not None), default=None)
        return replace(self, found=found)

    def lowered(self, other: Optimum) -> Optimum:
        """Return the optimum of a round whose plans all are plans of another one."""
        bound = min((value for value in (self.bound, other.bound) if value is not None), default=None)
        return replace(self, bound=bound)

    def status(self, gap: Decimal) -> Status:
        """Return how the search for it ended."""
        if self.found is None:
            return "infeasible" if self.infeasible else "unknown"
        if self.bound is None or self.bound - self.found > Fraction(gap) * abs(self.found):
            return "feasible"
        return "optimal"


class _Searches:
    """The searches of one command, one after the other under one watch."""

    def __init__(self, watch: Watch, gap: Decimal, solver: str | None, method: Method) -> None:
        self.watch, self.gap, self.method = watch, gap, method
        self.other = None if solver is None or is_highs(solver) else solver_named(solver)
        self.solver = solver

    def optimum(self, round_: Round) -> Optimum:
        """Return what a search finds of a round's first level; nothing once the user or memory has said stop."""
        # A run that ignored its limit is still at work; another one beside it would not be the same search.
        if self.watch.stopped in ("interrupted", "memory") or self.watch.overrun:
            return Optimum()
        self.watch.again("the cost of overrides")
        try:
            fund = fund_for(round_, self.solver)
            arrays = arrays_of(fund)
            if self.other is None:
                found = search(fund, arrays, 0, (), float(self.gap), self.watch, method=self.method)
            else:
                found = find_by(self.other, fund, arrays, 0, (), float(self.gap), self.watch)
        except SolverError:
            return Optimum()
        except MemoryError:
            self.watch.stop("memory")
            return Optimum()
        value = None if found.judgement is None else found.judgement.evaluation.levels[0]
        bound = None
        if found.bound is not None:
            bound = Fraction(stated(found.bound) if found.bound == value else stated_above(found.bound))
        return Optimum(None if value is None else Fraction(stated(value)), bound, found.infeasible)


def _reconciled(
    best: Optimum, without: Optimum, rests: Sequence[Optimum], wide: Sequence[bool]
) -> tuple[Optimum, Optimum, list[Optimum]]:
    """Return optima with and without overrides, and without one each, that know of each other's plans and bounds.

    `wide` says which overrides go against the workbook. A round has every plan of the one with more overrides, if none
    of those that are added is such a one.
    """
    lifted = [rest if against else rest.lifted(best) for rest, against in zip(rests, wide, strict=False)]
    within = [sum(wide) == against for against in wide]  # the others are all within the workbook
    for rest, inside in zip(lifted, within, strict=False):
        without = without.lifted(rest) if inside else without
    lowered = [rest.lowered(without) if inside else rest for rest, inside in zip(lifted, within, strict=False)]
    for rest, against in zip(lowered, wide, strict=False):
        best = best if against else best.lowered(rest)
    if not any(wide):
        best, without = best.lowered(without), without.lifted(best)
    return best, without, lowered


def _cost(loose: Optimum, tight: Optimum, *, contains: bool) -> Cost:
    """Return what it costs to go from one round to another; `contains`: the first has every plan of the second."""
    if loose.found is None or tight.found is None:
        # Nothing to compare with: the round has no plan, or none was found.
        return UNKNOWN
    low = None if tight.bound is None else loose.found - tight.bound
    if contains:
        low = max(low or Fraction(0), Fraction(0))
    high = None if loose.bound is None else loose.bound - tight.found
    found = stated(loose.found - tight.found)
    if low == high is not None:
        return Cost(found, found, found)
    return Cost(
        None if low is None else Decimal(0) - stated_above(-low), None if high is None else stated_above(high), found
    )


def _facts(records: Sequence[Record], without: Optimum, together: Cost, gap: Decimal) -> dict[str, object]:
    """Return what the manifest says of overrides: each with its cost, and the round without any of them."""
    return {
        "overrides": [record.facts() for record in records],
        "without_overrides": {
            "status": without.status(gap),
            "objective": None if without.found is None else float(without.found),
            "bound": None if without.bound is None else float(without.bound),
            "cost": together.facts(),
        },
    }
