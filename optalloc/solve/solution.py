"""From a round to its solution: levels solved one after the other, ties broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from integrated_fund.evaluation import Decision, Evaluation
from integrated_fund.fund import CompactFund, Fund, fund_for_solving
from integrated_fund.payments import Payments
from integrated_fund.round import Round
from optalloc.plan.plan import Status, stated_above
from optalloc.solve.arrays import Arrays, arrays_of
from optalloc.solve.exactness import Held, Judgement
from optalloc.solve.manifest import NOTHING_ELSE, WORK_LIMIT, Request, level_facts, search_facts
from optalloc.solve.progress import Watch
from optalloc.solve.record import Found
from optalloc.solve.search import search
from optalloc.solve.solvers.highs import SolverError
from optalloc.solve.solvers.other_solver import find_by, solver_named
from optalloc.solve.tie_break import RULE, canonical


@dataclass(frozen=True)
class NoPlan:
    """A round without a plan: `infeasible` is proven, `unknown` is a search that found none in its time.

    No plan can be worth more than `bound`, where the search has proven one. `manifest` holds JSON values only.
    """

    status: Status
    reason: str
    bound: Decimal | None
    manifest: Mapping[str, object]


@dataclass(frozen=True)
class Solution:
    """A solved round: the decision and everything that was learned on the way to it.

    `founds` has what was found of each level, `held` what each later level had to keep of those before it; `best` is
    the decision after ties were broken, in exact arithmetic, `tie_break` how that went (JSON values).
    """

    fund: Fund
    arrays: Arrays
    request: Request
    founds: tuple[Found, ...]
    held: tuple[Held, ...]
    best: Judgement
    tie_break: Mapping[str, object]

    @property
    def gap(self) -> Decimal:
        """The relative gap that was to be proven."""
        return self.request.gap_for(self.fund.round)

    @property
    def evaluation(self) -> Evaluation:
        """What the decision adds up to."""
        return self.best.evaluation

    @property
    def payments(self) -> Payments:
        """Who pays for it."""
        assert isinstance(self.best.payments, Payments)
        return self.best.payments

    def optimum(self, level: int) -> Fraction:
        """Return the value that the search of a level reached."""
        found = self.founds[level].judgement
        assert found is not None
        return found.evaluation.levels[level]


def fund_for(round_: Round, solver: str | None) -> Fund:
    """Return the fund that `plan_of` solves with this solver: only HiGHS takes a compact one."""
    return fund_for_solving(round_) if is_highs(solver) else Fund(round_)


def is_highs(solver: str | None) -> bool:
    """Return whether a solver is HiGHS, as it is when none is named."""
    return solver is None or solver.lower() == "highs"


def other_solver(solver: str | None) -> Any:
    """Return the solver that takes the place of HiGHS, None where none does.

    Raises:
        WrongUse: there is no solver of that name.
    """
    return None if solver is None or is_highs(solver) else solver_named(solver)


def solution_of(
    fund: Fund,
    watch: Watch,
    request: Request = NOTHING_ELSE,
    *,
    start: Decision | None = None,
    work: int | None = None,
) -> Solution | NoPlan:
    """Return the solution of a fund's round; `start` is a plan that is known already, `work` another work limit than a
    round's own.

    Raises:
        SolverError: the solver failed.
        WrongUse: there is no solver of that name.
        CompactFund: another solver than HiGHS needs the whole Pyomo model.
    """
    other = other_solver(request.solver)
    if other is not None and fund.compact:
        raise CompactFund("another solver needs the whole Pyomo model: take the fund that formulate(round_) makes")
    gap = float(request.gap_for(fund.round))
    arrays = arrays_of(fund)
    held: list[Held] = []
    founds: list[Found] = []
    for number, level in enumerate(fund.appraisal.levels):
        if other is None:
            found = search(fund, arrays, number, tuple(held), gap, watch, start=start, method=request.method, work=work)
        else:
            found = find_by(other, fund, arrays, number, tuple(held), gap, watch)
        if found.judgement is None:
            if number == 0:
                return _no_plan(fund, arrays, request, watch, found)
            raise SolverError("a later level lost the plan of an earlier one")
        value = found.judgement.evaluation.levels[number]
        founds.append(found)
        held.append(Held(number, value - level.tolerance * abs(value)))
        start = found.judgement.evaluation.decision
    best = founds[-1].judgement
    assert best is not None
    proven = all(found.proven for found in founds)
    tie_break: dict[str, object] = {"order": RULE, "complete": False, "reason": "a gap is left"}
    if other is not None:
        tie_break["reason"] = "only HiGHS breaks ties"
    elif proven:
        last = len(founds) - 1
        exact = (*held[:-1], Held(last, best.evaluation.levels[last]))
        broken = canonical(fund, arrays, exact, best, watch)
        best = broken.judgement
        tie_break |= {"complete": broken.complete, "reason": broken.reason}
    return Solution(fund, arrays, request, tuple(founds), tuple(held), best, tie_break)


def _no_plan(fund: Fund, arrays: Arrays, request: Request, watch: Watch, found: Found) -> NoPlan:
    if found.infeasible:
        status: Status = "infeasible"
        reason, stopped, bound = "no plan keeps every rule, link and source", None, None
    else:
        status, stopped = "unknown", watch.stopped or WORK_LIMIT
        reason = f"no plan was found before the search stopped ({stopped})"
        bound = None if found.bound is None else stated_above(found.bound)
    levels = [level_facts(found, fund.appraisal.levels[0], bound=bound)]
    facts = search_facts(fund, arrays, request, watch, (found,), levels, stopped)
    return NoPlan(status, reason, bound, {"reason": reason, **facts})
