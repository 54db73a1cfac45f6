"""A solution stated as a plan: payments made, amounts exact, everything it adds up to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import numpy as np

from integrated_fund.choices import Codes
from integrated_fund.collector import collector_paused
from integrated_fund.evaluation import Decision, LimitValue, columns_of
from integrated_fund.exact_column import ExactColumn
from integrated_fund.fund import Fund
from integrated_fund.ledger import Ledger
from integrated_fund.payments import Payments
from integrated_fund.sentences import sentence_of
from optalloc.plan.digest import plan_digest
from optalloc.plan.plan import Award, Payment, Plan, RuleLine, SourceLine, stated, stated_above
from optalloc.solve.declined import declined_of
from optalloc.solve.manifest import NOTHING_ELSE, WORK_LIMIT, Request, level_facts, search_facts
from optalloc.solve.progress import Watch
from optalloc.solve.solution import NoPlan, Solution, fund_for, solution_of

__all__ = ["NoPlan", "decision_of_plan", "fund_for", "plan_of", "relative_gap", "stated_plan"]


def plan_of(fund: Fund, watch: Watch, request: Request = NOTHING_ELSE) -> Plan | NoPlan:
    """Return the plan of a fund's round: `solution_of`, stated."""
    solution = solution_of(fund, watch, request)
    return solution if isinstance(solution, NoPlan) else stated_plan(solution, watch)


def relative_gap(objective: Fraction, bound: Fraction) -> Fraction:
    """Return (bound - objective) / |objective|, never negative; the plain distance where the objective is 0."""
    distance = max(Fraction(0), bound - objective)
    return distance / abs(objective) if objective else distance


def stated_plan(solution: Solution, watch: Watch) -> Plan:
    """Return a solution as a plan."""
    fund, founds, evaluation = solution.fund, solution.founds, solution.evaluation
    lexicographic = fund.round.method == "lexicographic"
    objective = solution.optimum(0) if lexicographic else evaluation.levels[0]
    gaps = []
    levels = []
    for number, (found, level) in enumerate(zip(founds, fund.appraisal.levels, strict=True)):
        optimum = solution.optimum(number)
        # A bound that is not known (a search stopped early) is stated as null.
        gaps.append(None if found.bound is None else relative_gap(optimum, found.bound))
        limit = None if found.bound is None else _stated_bound(found.bound, optimum)
        levels.append(
            level_facts(found, level, optimum=optimum, bound=limit, gap=gaps[-1], value=evaluation.levels[number])
        )
    closed = all(gap is not None and gap <= Fraction(solution.gap) for gap in gaps)
    with collector_paused():
        awards = _awards(fund, evaluation.decision)
        payments = _payments(fund, solution.payments)
        declined = declined_of(fund, evaluation, solution.payments)
    stopped = watch.stopped if closed or watch.stopped is not None else WORK_LIMIT
    manifest = {
        **search_facts(fund, solution.arrays, solution.request, watch, founds, levels, stopped),
        "plan_digest": plan_digest(payments),
        "tie_break": dict(solution.tie_break),
        "repeatable": _repeatable(watch, solution.tie_break),
    }
    bound = founds[0].bound
    return Plan(
        status="optimal" if closed else "feasible",
        objective=stated(objective),
        bound=None if bound is None else _stated_bound(bound, solution.optimum(0)),
        gap=None if gaps[0] is None else stated(gaps[0]),
        criteria={name: stated(value) for name, value in evaluation.criteria.items()},
        awards=awards,
        payments=payments,
        rules=tuple(_rule_line(value) for value in evaluation.limits),
        sources=tuple(_sources(fund, solution.payments)),
        declined=declined,
        manifest=manifest,
    )


def _stated_bound(bound: Fraction, value: Fraction) -> Decimal:
    """Return a bound as stated: that of the plan's own value where they are one, else never below itself."""
    return stated(value) if bound == value else stated_above(bound)


def _repeatable(watch: Watch, tie_break: Mapping[str, object]) -> str:
    if watch.stopped == "memory":
        return "no: the search ran out of memory"
    if watch.stopped is not None:
        return "no: the search was stopped by the clock or by hand"
    if tie_break["complete"]:
        return "yes: the one canonical plan"
    return "yes: the same plan for the same round, options and version"


def decision_of_plan(plan: Plan, ledger: Ledger) -> Decision:
    """Return the decision that a plan states. Awards of choices that the ledger does not have are left out."""
    one_year = ledger.round.years == 1
    numbers: dict[tuple[str, str | None, int | None], int] = {}
    for j, choice in enumerate(ledger.choices):
        numbers[choice.project.project, choice.option, None if one_year else choice.start] = j
    found: dict[int, int] = {}
    for award in plan.awards:
        chosen = numbers.get((award.project, award.option, award.start))
        if chosen is not None:
            found[chosen] = int(Fraction(award.award) / ledger.step)
    return found


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
