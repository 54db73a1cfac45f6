"""For Python users: read a round, formulate it, solve it, look at the plan as tables.

    from optalloc.api import formulate, read, solve, tables

    round_ = read("round.xlsx")
    plan = solve(round_)
    print(tables(plan)["awards"])

A rule of one's own goes on the Pyomo model between `formulate` and `solve`:

    fund = formulate(round_)
    fund.model.mine = pyo.Constraint(expr=fund.accepted("P01") + fund.accepted("P02") <= 1)
    plan = solve(fund)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pandas as pd

from integrated_fund.fund import Fund
from integrated_fund.problem import Problem
from integrated_fund.round import Round
from optalloc.errors import NO_PLAN, OptallocError, WrongUse
from optalloc.plan.overrides import Override as Override
from optalloc.plan.overrides import overridden, records_of
from optalloc.plan.plan import Award, Declined, Payment, Plan, RuleLine, SourceLine
from optalloc.plan.price_report import PriceReport
from optalloc.plan.verdicts import Explanation
from optalloc.solve.manifest import Request
from optalloc.solve.overriding import Overridden, refuse_overrides, solve_overridden
from optalloc.solve.planning import NoPlan, fund_for
from optalloc.solve.progress import Listener, Watch, silent
from optalloc.solve.search import Method
from optalloc.solve.solution import solution_of
from optalloc.study.diagnosis.diagnosis import Diagnosis, in_memory
from optalloc.study.diagnosis.diagnosis import diagnose as diagnosis_of
from optalloc.study.prices.priced import certificate_of
from optalloc.study.prices.relaxation import Relaxation
from optalloc.study.prices.report import priced_report
from optalloc.study.verdicts.explanations import explained, known_projects
from optalloc.workbook.reading import read_and_check


class InvalidRound(OptallocError):
    """The workbook has errors; `problems` holds them all."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = [problem for problem in problems if problem.severity == "error"]
        lines = [f"{problem.place}: {problem.message()}" for problem in errors]
        super().__init__("invalid_round", f"{len(errors)} errors:\n" + "\n".join(lines))
        self.problems = tuple(problems)


class NoPlanExists(OptallocError):
    """No plan keeps every rule, or none was found in time (`status` is infeasible or unknown).

    No plan can be worth more than `bound`; None where none is proven.
    """

    exit_code = NO_PLAN

    def __init__(self, result: NoPlan) -> None:
        super().__init__("no_plan", result.reason)
        self.status = result.status
        self.bound = result.bound


def read(path: str | Path, sets: Sequence[str] = ()) -> Round:
    """Read a round workbook; `sets` are changes such as "Sources.education.amount=*1.1".

    Raises:
        WorkbookUnreadable: the file is no workbook that can be read.
        InvalidRound: the workbook has errors.
        WrongUse: a change names something that is not there.
    """
    reading = read_and_check(Path(path), sets)
    if reading.round is None or reading.has_errors:
        raise InvalidRound(reading.problems)
    return reading.round


def formulate(round_: Round) -> Fund:
    """Return the round's mixed-integer programme: `fund.model` is an ordinary Pyomo model to extend.

    It is always the whole model, which takes long for a large round; `solve(round_)` does without.
    """
    return Fund(round_)


def solve(
    round_: Round | Fund,
    *,
    overrides: Sequence[Override] = (),
    gap: Decimal | float | str | None = None,
    time_limit: float | None = None,
    solver: str | None = None,
    method: Method = "auto",
    listener: Listener = silent,
) -> Plan:
    """Return the plan of a round, or of a fund with constraints of one's own on its model.

    `overrides` are projects put into the plan or kept out of it whatever the optimum says; the
    manifest has them with what they cost, which takes further searches. `gap` is relative (the
    round's own when None), `time_limit` in seconds for each search, `method` the way
    HiGHS is used (direct, core, auto: by size), `listener` hears the progress. Constraints
    of one's own are kept within the solver's tolerance, everything else exactly.

    Raises:
        NoPlanExists: no plan exists, or none was found in time.
        WrongUse: there is no solver of that name, or an override cannot be made.
    """
    fund = _formulated(round_, overrides, solver)
    found = _solved(round_, fund, overrides, Watch(time_limit, listener), _request(gap, method, solver))
    return found.on_record(found.plan)


def _request(gap: Decimal | float | str | None, method: Method, solver: str | None = None) -> Request:
    return Request(None if gap is None else Decimal(str(gap)), method, solver)


def _formulated(round_: Round | Fund, overrides: Sequence[Override], solver: str | None = None) -> Fund:
    """Return the programme of a round with its overrides."""
    if not isinstance(round_, Fund):
        refuse_overrides(round_, overrides)
        return fund_for(overridden(round_, overrides), solver)
    if overrides:
        raise WrongUse("override", "A fund is formulated already; give overrides with a round.")
    return round_


def _solved(
    round_: Round | Fund, fund: Fund, overrides: Sequence[Override], watch: Watch, request: Request
) -> Overridden:
    workbook = round_.round if isinstance(round_, Fund) else round_
    found = solve_overridden(workbook, fund, overrides, watch, request)
    if isinstance(found, NoPlan):
        raise NoPlanExists(found)
    return found


def explain(
    round_: Round,
    projects: Sequence[str],
    *,
    overrides: Sequence[Override] = (),
    gap: Decimal | float | str | None = None,
    time_limit: float | None = None,
    method: Method = "auto",
    listener: Listener = silent,
) -> tuple[Explanation, ...]:
    """Return why projects were decided as they were, what would turn that and what it would cost.

    The round is solved, and solved again with each project decided the other way; `overrides` hold in all of them.
    Options are as for `solve`, but `time_limit` is for everything together.

    Raises:
        NoPlanExists: no plan exists, or none was found in time.
        WrongUse: the round has no project of a name, or an override cannot be made.
    """
    names = known_projects(round_, projects)
    watch = Watch(time_limit, listener, together=True)
    solution = solution_of(_formulated(round_, overrides), watch, _request(gap, method))
    if isinstance(solution, NoPlan):
        raise NoPlanExists(solution)
    return explained(solution, certificate_of(solution, Relaxation(solution, 0, watch)), names, watch)


def diagnose(round_: Round, *, time_limit: float | None = None, listener: Listener = silent) -> Diagnosis:
    """Return why a round has no plan, and the cheapest changes of its cells that would give it one.

    Each repair is proven by a plan that keeps the repaired round in exact arithmetic. `complete` says that nothing was
    cut short; `status` is feasible where a plan exists. `time_limit` in seconds.

        for change in diagnose(read("round.xlsx")).alternatives[0].repair.changes:
            print(change.movable.place, change.movable.before, change.to)
    """
    return diagnosis_of(round_, Watch(time_limit, listener), in_memory(round_))


def prices(
    round_: Round | Fund,
    *,
    overrides: Sequence[Override] = (),
    level: int = 1,
    changes: bool = True,
    only: Sequence[str] | None = None,
    gap: Decimal | float | str | None = None,
    time_limit: float | None = None,
    method: Method = "auto",
    jobs: int = 1,
    listener: Listener = silent,
) -> PriceReport:
    """Return what every rule, source and link of a round costs; its finite changes where `changes`.

    `level` counts the levels of a lexicographic objective from 1; `only` names the rules, sources and links that are
    moved. `overrides` hold in every round that is solved; `report.overrides` has them with their cost. Options are as
    for `solve`, but `time_limit` is for everything together. More than one of `jobs` needs a program that can be
    imported again (`if __name__ == "__main__":`).

    Raises:
        NoPlanExists: no plan exists, or none was found in time.
        WrongUse: `only` names something that is not there, there is no such level, or an override cannot be made.
    """
    fund = _formulated(round_, overrides)
    if not 1 <= level <= len(fund.appraisal.levels):
        raise WrongUse(
            "level", f"The objective of this round has {len(fund.appraisal.levels)} levels, none is {level}."
        )
    watch = Watch(time_limit, listener, together=True)
    found = _solved(round_, fund, overrides, watch, _request(gap, method))
    priced = priced_report(found.solution, watch, level=level - 1, only=only, changes=changes, jobs=jobs)
    return priced.with_record(found.on_record(priced.plan)).report


def tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """Return a plan as tables: awards, payments, rules, sources, criteria, declined, overrides. Amounts are Decimals.

    `overrides` has the day as a date, and what each override costs as found and as proven (`cost_low`, `cost_high`).
    """
    parts: dict[str, tuple[Award | Payment | RuleLine | SourceLine | Declined, ...]] = {
        "awards": plan.awards,
        "payments": plan.payments,
        "rules": plan.rules,
        "sources": plan.sources,
        "declined": plan.declined,
    }
    found = {
        name: pd.DataFrame([{f.name: getattr(row, f.name) for f in fields(row) if f.name != "origin"} for row in rows])
        for name, rows in parts.items()
    }
    found["criteria"] = pd.DataFrame(list(plan.criteria.items()), columns=["criterion", "value"])
    found["overrides"] = pd.DataFrame(
        [
            (one.project, one.kind, row.status, one.by, one.reason, one.on, row.cost.found, row.cost.low, row.cost.high)
            for row in records_of(plan.manifest)
            for one in (row.override,)
        ],
        columns=["project", "kind", "status", "by", "reason", "on", "cost", "cost_low", "cost_high"],
    )
    return found
