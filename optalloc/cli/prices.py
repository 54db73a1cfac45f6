"""`optalloc prices`: what every rule, source and link costs."""

from __future__ import annotations

import os
import time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optalloc.cli.options import (
    AsJson,
    By,
    Forbid,
    ForceOr,
    Gap,
    Language,
    Reason,
    RoundFile,
    Sets,
    StudyMethod,
    StudyTimeLimit,
    Ways,
)
from optalloc.cli.overriding import asked_overrides
from optalloc.errors import DONE, STOPPED, NotThisRound, WrongUse

if TYPE_CHECKING:
    from integrated_fund.evaluation import Decision
    from integrated_fund.fund import Fund

EXAMPLES = (
    "Examples: optalloc prices round.xlsx  |  optalloc prices round.xlsx west_floor  |  "
    "optalloc prices round.xlsx -o plan.xlsx --plots pictures  |  "
    "optalloc prices round.xlsx --step west_floor=0.02 --step 5%  |  optalloc prices round.xlsx --no-changes"
)


def prices(
    round_file: RoundFile,
    only: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Rules, sources or links to solve the round again for; default: all.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="PLAN.xlsx", help="Where to write the plan, with its Prices sheet."),
    ] = None,
    plan_file: Annotated[
        Path | None,
        typer.Option("--plan", metavar="PLAN.xlsx", help="A plan of this round to begin at, made before."),
    ] = None,
    steps: Annotated[
        list[str] | None,
        typer.Option(
            "--step",
            metavar="STEP",
            help="By how much bounds are moved: 5% of each, or RULE=0.02 for one. Default: a percentage point of a "
            "share, 1 % of an amount, one project. May be given several times.",
        ),
    ] = None,
    changes: Annotated[
        bool, typer.Option("--changes/--no-changes", help="Solve the round again with each bound moved, both ways.")
    ] = True,
    level: Annotated[int, typer.Option(min=1, help="Which level of a lexicographic objective the prices are of.")] = 1,
    plots: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Draw the objective against the ten dearest bounds, as PNG and SVG."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes for the changes; default: the processors there are.")
    ] = None,
    sets: Sets = None,
    gap: Gap = None,
    time_limit: StudyTimeLimit = None,
    method: StudyMethod = Ways.auto,
    lang: Language = None,
    force: ForceOr = None,
    forbid: Forbid = None,
    by: By = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> int:
    """Say what every rule, source and link costs: at the margin on both sides, and when it is moved by a step.

    With overrides (--force PROJECT, --forbid PROJECT) it is the plan as decided that is priced.

    Ctrl-C keeps what is done. Exit code 0: done; 2: the workbook has errors; 3: no plan exists; 4: stopped at a limit.
    """
    from optalloc.cli.documents import prices_document, print_document, rounded, without_prices
    from optalloc.cli.price_tables import print_prices
    from optalloc.cli.solving import Asked, asked_gap, formulated, no_plan, opened, solved, written
    from optalloc.cli.terminal import live_line, out

    replaces, overrides = asked_overrides(force or [], forbid or [], by, reason)
    part, own_steps = _steps(steps or [])
    if plots is not None:
        _refuse_pictures(plots, changes=changes, replaces=replaces)
    asked = Asked(
        round_file,
        tuple(sets or []),
        overrides,
        asked_gap(gap),
        time_limit,
        method.value,
        lang,
        as_json,
        output,
        replaces,
    )
    with live_line() as line:
        begun = opened(asked, line, without_prices, together=True)
        fund = formulated(begun)
        if level > len(fund.appraisal.levels):
            raise WrongUse("level", f"--level {level}: this round's objective has {len(fund.appraisal.levels)}.")
        found = solved(begun, fund, None if plan_file is None else _start(plan_file, fund))
        from optalloc.solve.solution import NoPlan
        from optalloc.study.prices.report import priced_report
        from optalloc.study.verdicts.verdicts import verdicts_of

        if isinstance(found, NoPlan):
            line.close()
            return no_plan(found, begun)
        began = time.monotonic()
        priced = priced_report(
            found.solution,
            begun.watch,
            level=level - 1,
            part=part,
            steps=own_steps,
            only=only,
            changes=changes,
            curves=output is not None or plots is not None,
            jobs=jobs or os.cpu_count() or 1,
        )
        priced = priced.with_record(found.on_record(priced.plan))
        begun.seconds["prices"] = time.monotonic() - began
        verdicts = () if output is None else verdicts_of(priced.solution, priced.priced.certificate)
        written(priced.plan, begun, line, prices=priced.report, verdicts=verdicts)
        drawn: list[Path] = []
        if plots is not None:
            from optalloc.report.curves import draw_curves

            line.say("drawing")
            drawn = draw_curves(priced.report, plots, unit=begun.round.unit)
    if as_json:
        print_document(prices_document(priced.report, priced.plan, rounded(begun.seconds)))
    else:
        print_prices(priced.report, priced.plan, begun.round, out(), output, drawn, begun.seconds)
    return DONE if begun.watch.stopped is None and priced.plan.status == "optimal" else STOPPED


def _refuse_pictures(folder: Path, *, changes: bool, replaces: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise WrongUse("not_a_folder", f"--plots takes a folder; {folder} is a file.")
    if not changes:
        raise WrongUse("no_changes", "--plots draws what finite changes find; leave --no-changes out.")
    there = sorted(path.name for path in folder.glob("*") if path.suffix in (".png", ".svg"))
    if there and not replaces:
        raise WrongUse("exists", f"{folder} has pictures already, such as {there[0]}. Take another folder, or --force.")


def _start(path: Path, fund: Fund) -> Decision:
    """Return the decision of a plan that was made of this round."""
    from integrated_fund.digest import round_digest
    from optalloc.solve.planning import decision_of_plan
    from optalloc.workbook.plan_reader import read_plan

    plan = read_plan(path)
    if plan.manifest.get("round_digest") != round_digest(fund.round):
        raise NotThisRound(
            "other_round",
            f"{path.name} was made from another round, or from this one before it was changed or overridden. "
            "Leave --plan out, or solve the round again.",
        )
    return decision_of_plan(plan, fund.ledger)


def _steps(texts: list[str]) -> tuple[Decimal | None, dict[str, Decimal]]:
    """Return the part of every bound that was asked for, and the steps of single rules."""
    part: Decimal | None = None
    own: dict[str, Decimal] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        plain = number.strip()
        try:
            value = Decimal(plain.removesuffix("%").strip()) / (100 if plain.endswith("%") else 1)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or (not name and not plain.endswith("%")):
            raise WrongUse("step", f"--step takes a part of each bound such as 5%, or RULE=0.02; {text!r} is neither.")
        if value <= 0:
            raise WrongUse("step", f"--step {text}: a step is above 0; both directions are tried.")
        if name:
            own[name.strip()] = value
        else:
            part = value
    return part, own
