"""`optalloc explain`: the verdict of projects."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

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
from optalloc.errors import DONE, STOPPED, WrongUse

EXAMPLES = (
    "Examples: optalloc explain round.xlsx P17  |  optalloc explain round.xlsx P17 P30 --json  |  "
    "optalloc explain round.xlsx P17 --set Sources.education.amount=*1.1  |  optalloc explain round.xlsx -o plan.xlsx"
)


def explain(
    round_file: RoundFile,
    projects: Annotated[
        list[str] | None,
        typer.Argument(metavar="PROJECT…", help="The projects to explain; none with -o alone.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="PLAN.xlsx", help="Where to write the plan, with the verdict of every project."
        ),
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
    """Say why projects were funded, cut back or not funded, what blocked them, what would turn it and at what cost.

    The round is solved again with each project decided the other way, with other scores, awards and budgets, and with
    each obstacle taken away. With overrides (--force PROJECT, --forbid PROJECT) it is the plan as decided that is
    explained. Ctrl-C keeps what is done. Exit code 0: done; 2: the workbook has errors, or a project is
    not in it; 3: no plan exists; 4: stopped at a limit.
    """
    from optalloc.cli.documents import print_document, rounded
    from optalloc.cli.explanations import explanations_document, print_explanations, without_explanations
    from optalloc.cli.solving import Asked, asked_gap, formulated, no_plan, opened, solved, written
    from optalloc.cli.terminal import live_line, out

    replaces, overrides = asked_overrides(force or [], forbid or [], by, reason)
    if not projects and output is None:
        raise WrongUse("no_project", "Name the projects to explain, or write the verdicts of all with -o PLAN.xlsx.")
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
        begun = opened(asked, line, without_explanations, together=True)
        from optalloc.solve.solution import NoPlan
        from optalloc.study.prices.priced import certificate_of
        from optalloc.study.prices.relaxation import Relaxation
        from optalloc.study.verdicts.explanations import explained, known_projects
        from optalloc.study.verdicts.verdicts import verdicts_of

        names = known_projects(begun.round, projects or [])
        found = solved(begun, formulated(begun))
        if isinstance(found, NoPlan):
            line.close()
            return no_plan(found, begun)
        plan = found.on_record(found.plan)
        began = time.monotonic()
        certificate = certificate_of(found.solution, Relaxation(found.solution, 0, begun.watch))
        explanations = explained(found.solution, certificate, names, begun.watch) if names else ()
        begun.seconds["explain"] = time.monotonic() - began
        fuller = {one.verdict.project: one.verdict for one in explanations}
        verdicts = () if output is None else verdicts_of(found.solution, certificate)
        verdicts = tuple(fuller.get(one.project, one) for one in verdicts)
        written(plan, begun, line, verdicts=verdicts)
    if as_json:
        print_document(explanations_document(explanations, plan, rounded(begun.seconds)))
    else:
        print_explanations(explanations, plan, begun.round, out(), output, begun.seconds)
    return DONE if begun.watch.stopped is None and plan.status == "optimal" else STOPPED
