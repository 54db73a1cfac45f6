"""The plan of a round with overrides, and what they cost: held against the best plan without, by the same search.

Where the plan found without the overrides keeps them by itself and is better, the search for the plan with them goes
on from there, so noise shows neither as a gain (`override_costs`) nor as a loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from integrated_fund.evaluation import Decision, columns_of
from integrated_fund.fund import Fund
from integrated_fund.round import Round
from optalloc.errors import WrongUse
from optalloc.plan.overrides import UNKNOWN, Cost, Override, Record, overridden
from optalloc.plan.plan import Declined, Plan, Status, stated, stated_above
from optalloc.solve.arrays import arrays_of
from optalloc.solve.manifest import NOTHING_ELSE, Request
from optalloc.solve.override_costs import Optima, Optimum
from optalloc.solve.planning import stated_plan
from optalloc.solve.progress import Watch
from optalloc.solve.record import Found
from optalloc.solve.search import search
from optalloc.solve.solution import NoPlan, Solution, fund_for, other_solver, solution_of
from optalloc.solve.solvers.highs import SolverError
from optalloc.solve.solvers.other_solver import find_by
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


@dataclass(frozen=True)
class Overridden:
    """A solved round with overrides: its solution, the plan this states, and what the searches for their cost found.

    `without` is what is known of the round without any of the overrides, `rests` of the rounds without one each (none
    where they were not searched). There may be no overrides at all.
    """

    solution: Solution
    plan: Plan
    records: tuple[Record, ...] = ()
    without: Optimum = field(default_factory=Optimum)
    rests: tuple[Optimum, ...] = ()

    def on_record(self, plan: Plan) -> Plan:
        """Return a plan of this round (that of the solution, or a better one) with the overrides and their cost."""
        if not self.records:
            return plan
        wide = [record.against_workbook for record in self.records]
        optima = Optima(Optimum.of(plan), self.without, self.rests).reconciled(wide)
        together, own = optima.costs(wide)
        records = [replace(record, cost=cost) for record, cost in zip(self.records, own, strict=True)]
        facts = _facts(records, optima.without, together, self.solution.gap)
        return replace(plan, declined=_declined(plan, self.records), manifest={**plan.manifest, **facts})


def solve_overridden(
    round_: Round,
    fund: Fund,
    overrides: Sequence[Override],
    watch: Watch,
    request: Request = NOTHING_ELSE,
    *,
    start: Decision | None = None,
) -> Overridden | NoPlan:
    """Solve a round with overrides, and again with fewer of them.

    `round_` is the round without the overrides and `fund` the formulated round with them; the rest is as in
    `solution_of`. Each search takes at most the time limit of the watch, unless that is of all together. One that is
    stopped by hand or for want of memory is the last; what is not known then is None.

    Raises:
        SolverError: the solver failed to find the plan.
        WrongUse: there is no solver of that name.
    """
    solution = solution_of(fund, watch, request, start=start)
    status = {project.project: project.status for project in round_.projects}
    records = tuple(Record(one, status[one.project]) for one in overrides)
    further = _Further(watch, request)
    if isinstance(solution, NoPlan):
        return _no_plan(solution, round_, records, further) if records else solution
    plan = stated_plan(solution, watch)  # says what stopped this search, not what stops a later one
    if not records:
        return Overridden(solution, plan)
    without = further.optimum(round_)
    rests: list[Optimum] = []
    if 1 < len(records) <= OWN_COSTS_AT_MOST:
        kept = [[other for other in overrides if other is not one] for one in overrides]
        rests = [further.optimum(overridden(round_, others)) for others in kept]
    better = _better(plan, fund, overrides, [without, *rests])
    if better is not None:
        solution, plan = further.solved_from(better, fund) or (solution, plan)
    return Overridden(solution, plan, records, without, tuple(rests))


def _no_plan(result: NoPlan, round_: Round, records: Sequence[Record], further: _Further) -> NoPlan:
    """Return that there is no plan with the overrides, and whether there is one without them."""
    without, reason, gap = Optimum(), result.reason, further.request.gap_for(round_)
    if result.status == "infeasible":
        without = further.optimum(round_)
        reason = _INFEASIBLE[without.status(gap)]
    facts = _facts(records, without, UNKNOWN, gap)
    return replace(result, reason=reason, manifest={**result.manifest, **facts, "reason": reason})


def _better(plan: Plan, fund: Fund, overrides: Sequence[Override], others: Sequence[Optimum]) -> Decision | None:
    """Return the best decision that was found with fewer overrides, keeps all of them and is better than the plan."""
    projects = fund.ledger.projects
    best, value = None, Fraction(plan.objective)
    for other in others:
        if other.decision is not None and other.found is not None and other.found > value:
            funded = {projects[p].project for p in fund.ledger.project_of[columns_of(other.decision)[0]].tolist()}
            if all((one.project in funded) == (one.kind == "force") for one in overrides):
                best, value = other.decision, other.found
    return best


def _declined(plan: Plan, records: Sequence[Record]) -> tuple[Declined, ...]:
    """Return the projects without money; what is forbidden is not excluded in the workbook."""
    forbidden = {record.override.project for record in records if record.override.kind == "forbid"}
    return tuple(
        replace(row, reason="forbidden by an override") if row.project in forbidden else row for row in plan.declined
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


class _Further:
    """The searches after the first one, one after the other under its watch. None of them can lose the plan."""

    def __init__(self, watch: Watch, request: Request) -> None:
        self.watch, self.request = watch, request
        self._other = other_solver(request.solver)

    def optimum(self, round_: Round) -> Optimum:
        """Return what a search finds of the first level of a round."""
        try:
            found = self._found(round_) if self._again() else None
        except SolverError:
            found = None
        except MemoryError:
            self.watch.stop("memory")
            found = None
        if found is None:
            return Optimum()
        value = None if found.judgement is None else found.judgement.evaluation.levels[0]
        bound = None
        if found.bound is not None:
            bound = Fraction(stated(found.bound) if found.bound == value else stated_above(found.bound))
        if found.judgement is None or value is None:
            return Optimum(None, bound, found.infeasible)
        return Optimum(Fraction(stated(value)), bound, decision=found.judgement.evaluation.decision)

    def solved_from(self, start: Decision, fund: Fund) -> tuple[Solution, Plan] | None:
        """Return what a search finds that goes on from a decision, and the plan it states."""
        try:
            if not self._again():
                return None
            solution = solution_of(fund, self.watch, self.request, start=start)
            return None if isinstance(solution, NoPlan) else (solution, stated_plan(solution, self.watch))
        except SolverError:
            return None
        except MemoryError:
            self.watch.stop("memory")
            return None

    def _again(self) -> bool:
        """Begin another search, unless it may not be: stopped by hand, out of memory or time, or a run ignores its
        limit.
        """
        if self.watch.stopped in ("interrupted", "memory") or self.watch.overrun:
            return False
        self.watch.again("the cost of overrides")
        return not self.watch.must_stop()

    def _found(self, round_: Round) -> Found:
        fund, gap = fund_for(round_, self.request.solver), float(self.request.gap_for(round_))
        arrays = arrays_of(fund)
        if self._other is None:
            return search(fund, arrays, 0, (), gap, self.watch, method=self.request.method)
        return find_by(self._other, fund, arrays, 0, (), gap, self.watch)
