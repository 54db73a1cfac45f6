"""From a round to its plan: levels solved one after the other, ties broken, payments made, everything stated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from integrated_fund.choices import Codes
from integrated_fund.collector import collector_paused
from integrated_fund.evaluation import Decision, LimitValue, columns_of
from integrated_fund.exact_column import ExactColumn
from integrated_fund.fund import CompactFund, Fund, fund_for_solving
from integrated_fund.payments import Payments
from integrated_fund.round import Round
from integrated_fund.sentences import sentence_of
from optalloc.plan.digest import plan_digest
from optalloc.plan.plan import Award, Payment, Plan, RuleLine, SourceLine, Status, stated, stated_above
from optalloc.solve.arrays import Arrays, arrays_of
from optalloc.solve.declined import declined_of
from optalloc.solve.exactness import Held, Judgement
from optalloc.solve.highs import SolverError
from optalloc.solve.manifest import WORK_LIMIT, Inputs, Request, level_facts, search_facts
from optalloc.solve.other_solver import find_by, solver_named
from optalloc.solve.progress import Watch
from optalloc.solve.record import Found
from optalloc.solve.search import Method, search
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


def fund_for(round_: Round, solver: str | None) -> Fund:
    """Return the fund that `plan_of` solves with this solver: only HiGHS takes a compact one."""
    return fund_for_solving(round_) if _is_highs(solver) else Fund(round_)


def _is_highs(solver: str | None) -> bool:
    return solver is None or solver.lower() == "highs"


def plan_of(
    fund: Fund,
    watch: Watch,
    *,
    gap: Decimal | None = None,
    inputs: Inputs | None = None,
    solver: str | None = None,
    method: Method = "auto",
) -> Plan | NoPlan:
    """Return the plan of a fund's round. `gap` is relative, the round's own when None; `solver` is HiGHS when None.

    `method` is the way HiGHS is used, see `search`.

    Raises:
        SolverError: the solver failed.
        WrongUse: there is no solver of that name.
        CompactFund: another solver than HiGHS needs the whole Pyomo model.
    """
    other = None if solver is None or _is_highs(solver) else solver_named(solver)
    if other is not None and fund.compact:
        raise CompactFund("another solver needs the whole Pyomo model: take the fund that formulate(round_) makes")
    request = Request(fund.round.gap if gap is None else gap, method, solver, inputs or Inputs())
    asked = request.gap
    arrays = arrays_of(fund)
    held: list[Held] = []
    founds: list[Found] = []
    start: Decision | None = None
    for number, level in enumerate(fund.appraisal.levels):
        if other is None:
            found = search(fund, arrays, number, tuple(held), float(asked), watch, start=start, method=method)
        else:
            found = find_by(other, fund, arrays, number, tuple(held), float(asked), watch)
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
    return _stated_plan(fund, arrays, request, watch, founds, best, tie_break)


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


def relative_gap(objective: Fraction, bound: Fraction) -> Fraction:
    """Return (bound - objective) / |objective|, never negative; the plain distance where the objective is 0."""
    distance = max(Fraction(0), bound - objective)
    return distance / abs(objective) if objective else distance


def _stated_plan(
    fund: Fund,
    arrays: Arrays,
    request: Request,
    watch: Watch,
    founds: Sequence[Found],
    best: Judgement,
    tie_break: dict[str, object],
) -> Plan:
    evaluation = best.evaluation
    assert isinstance(best.payments, Payments)
    first = founds[0]
    assert first.judgement is not None
    lexicographic = fund.round.method == "lexicographic"
    objective = first.judgement.evaluation.levels[0] if lexicographic else evaluation.levels[0]
    gaps = []
    levels = []
    for number, (found, level) in enumerate(zip(founds, fund.appraisal.levels, strict=True)):
        assert found.judgement is not None
        optimum = found.judgement.evaluation.levels[number]
        # A bound that is not known (a search stopped early) is stated as null.
        gaps.append(None if found.bound is None else relative_gap(optimum, found.bound))
        limit = None if found.bound is None else _stated_bound(found.bound, optimum)
        levels.append(
            level_facts(found, level, optimum=optimum, bound=limit, gap=gaps[-1], value=evaluation.levels[number])
        )
    closed = all(gap is not None and gap <= Fraction(request.gap) for gap in gaps)
    with collector_paused():
        awards = _awards(fund, evaluation.decision)
        payments = _payments(fund, best.payments)
        declined = declined_of(fund, evaluation, best.payments)
    stopped = watch.stopped if closed or watch.stopped is not None else WORK_LIMIT
    manifest = {
        **search_facts(fund, arrays, request, watch, founds, levels, stopped),
        "plan_digest": plan_digest(payments),
        "tie_break": tie_break,
        "repeatable": _repeatable(watch, tie_break),
    }
    bound = first.bound
    return Plan(
        status="optimal" if closed else "feasible",
        objective=stated(objective),
        bound=None if bound is None else _stated_bound(bound, first.judgement.evaluation.levels[0]),
        gap=None if gaps[0] is None else stated(gaps[0]),
        criteria={name: stated(value) for name, value in evaluation.criteria.items()},
        awards=awards,
        payments=payments,
        rules=tuple(_rule_line(value) for value in evaluation.limits),
        sources=tuple(_sources(fund, best.payments)),
        declined=declined,
        manifest=manifest,
    )


def _stated_bound(bound: Fraction, value: Fraction) -> Decimal:
    """Return a bound as stated: that of the plan's own value where they are one, else never below itself."""
    return stated(value) if bound == value else stated_above(bound)


def _repeatable(watch: Watch, tie_break: dict[str, object]) -> str:
    if watch.stopped == "memory":
        return "no: the search ran out of memory"
    if watch.stopped is not None:
        return "no: the search was stopped by the clock or by hand"
    if tie_break["complete"]:
        return "yes: the one canonical plan"
    return "yes: the same plan for the same round, options and version"


def _stated_year(fund: Fund, year: int | None) -> int | None:
    """Return a year as a plan states it: a one-year round names none."""
    return None if fund.round.years == 1 else year


def _awards(fund: Fund, decision: Decision) -> tuple[Award, ...]:
    funded, steps = columns_of(decision)
    order = np.argsort(funded)
    awards = _stated_column(ExactColumn(steps[order]).scaled(fund.ledger.step))
    return tuple(map(Award, *_choice_columns(fund, funded[order]), awards))


def _payments(fund: Fund, payments: Payments) -> tuple[Payment, ...]:
    ledger, paid = fund.ledger, payments.lines
    years = [_stated_year(fund, year) for year in ledger.years]
    return tuple(
        map(
            Payment,
            *_choice_columns(fund, ledger.line_choice[paid.line]),
            [ledger.regions[region] for region in ledger.line_region[paid.line].tolist()],
            [years[year] for year in ledger.line_year[paid.line].tolist()],
            [fund.classes.sources[source].source for source in paid.source.tolist()],
            _stated_column(paid.amount),
        )
    )


def _choice_columns(fund: Fund, numbers: Codes) -> tuple[list[str], list[str | None], list[int | None]]:
    """Return project, option and start of some choices as a plan states them."""
    choices = fund.ledger.choices
    starts = [_stated_year(fund, year) for year in fund.ledger.years]
    return (
        [choices.projects[project].project for project in choices.project_of[numbers].tolist()],
        [None if option < 0 else choices.options[option].option for option in choices.option_of[numbers].tolist()],
        [starts[start] for start in choices.start_of[numbers].tolist()],
    )


def _stated_column(values: ExactColumn) -> list[Decimal]:
    """Return values as a plan states them, equal ones as one object."""
    found, codes = values.coded()
    decimals = [stated(value) for value in found]
    return [decimals[code] for code in codes.tolist()]


def _rule_line(value: LimitValue) -> RuleLine:
    rule = value.limit.rule
    return RuleLine(
        rule.rule,
        value.limit.member,
        rule.sense,
        stated(value.activity),
        stated(value.bound),
        stated(value.slack),
        stated(value.violation),
        rule.bound,
        rule.penalty is not None,
        sentence_of(rule, value.limit.member),
    )


def _sources(fund: Fund, payments: Payments) -> list[SourceLine]:
    """Return the sources in the order of their sheet."""
    position = {(row.source, row.year): number for number, row in enumerate(fund.round.sources)}
    rows = [
        (position[source.source, source.year], source, used, carried)
        for source, used, carried in zip(fund.classes.sources, payments.used, payments.carried, strict=True)
    ]
    return [
        SourceLine(
            source.source,
            _stated_year(fund, source.year),
            source.amount,
            stated(used),
            None if moved is None else stated(moved),
        )
        for _, source, used, moved in sorted(rows, key=lambda row: row[0])
    ]
