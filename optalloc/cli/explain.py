"""`optalloc explain`: the verdict of projects."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from optalloc.cli.options import AsJson, Force, Gap, Language, RoundFile, Sets, StudyMethod, StudyTimeLimit, Ways
from optalloc.cli.solve import asked_gap, no_plan, stop_at_first_interrupt
from optalloc.errors import DONE, INVALID, STOPPED, WrongUse

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
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    """Say why projects were funded, cut back or not funded, what blocked them, what would turn it and at what cost.

    The round is solved again with each project decided the other way, with other scores, awards and budgets, and with
    each obstacle taken away. Ctrl-C keeps what is done. Exit code 0: done; 2: the workbook has errors, or a project is
    not in it; 3: no plan exists; 4: stopped at a limit.
    """
    from integrated_fund.collector import settle
    from optalloc.cli.documents import print_document, problems_of, rounded
    from optalloc.cli.explanations import explanations_document, print_explanations, without_explanations
    from optalloc.cli.reading import read_checked
    from optalloc.cli.terminal import live_line, out, print_problems
    from optalloc.solve.manifest import Inputs
    from optalloc.solve.planning import stated_plan
    from optalloc.solve.progress import Watch
    from optalloc.solve.solution import NoPlan, fund_for, solution_of
    from optalloc.study.prices.priced import certificate_of
    from optalloc.study.prices.relaxation import Relaxation
    from optalloc.study.verdicts.explanations import explained, known_projects
    from optalloc.study.verdicts.verdicts import verdicts_of
    from optalloc.workbook.plan_files import refuse_plan_output

    asked = asked_gap(gap)
    if time_limit is not None and time_limit == 0:
        raise WrongUse("time_limit", "--time-limit takes seconds above 0: no search fits into none.")
    if not projects and output is None:
        raise WrongUse("no_project", "Name the projects to explain, or write the verdicts of all with -o PLAN.xlsx.")
    if output is not None:
        refuse_plan_output(output, force=force, inputs=[round_file])
    seconds: dict[str, float] = {"read": 0.0, "build": 0.0, "solve": 0.0, "write": 0.0}
    with live_line() as line:
        line.say(f"reading {round_file.name}")
        began = time.monotonic()
        checked = read_checked(round_file, sets or [], lang)
        seconds["read"] = time.monotonic() - began
        if checked.round is None:
            line.close()
            if as_json:
                print_document(without_explanations(problems_of(checked.problems, checked.language)))
            else:
                print_problems(checked.problems, checked.language, out())
            return INVALID
        names = known_projects(checked.round, projects or [])
        if output is not None:
            refuse_plan_output(output, force=force, inputs=checked.inputs)
        settle()
        watch = Watch(time_limit, line.hear)
        began = time.monotonic()
        fund = fund_for(checked.round, None)
        seconds["build"] = time.monotonic() - began
        stop_at_first_interrupt(watch)
        began = time.monotonic()
        inputs = Inputs(checked.sha256, tuple(sets or []), projects_file=checked.projects_file)
        solution = solution_of(fund, watch, gap=asked, inputs=inputs, method=method.value)
        seconds["solve"] = time.monotonic() - began
        if isinstance(solution, NoPlan):
            line.close()
            return no_plan(solution, checked, seconds, as_json)
        plan = stated_plan(solution, watch)  # says what stopped the search, not what stopped an explanation
        began = time.monotonic()
        certificate = certificate_of(solution, Relaxation(solution, 0, watch))
        found = explained(solution, certificate, names, watch) if names else ()
        seconds["explain"] = time.monotonic() - began
        if output is not None:
            from optalloc.workbook.plan_writer import write_plan

            line.say(f"writing {output.name}")
            began = time.monotonic()
            write_plan(
                plan,
                checked.round,
                output,
                language=checked.language,
                force=force,
                inputs=checked.inputs,
                verdicts=verdicts_of(solution, certificate),
            )
            seconds["write"] = time.monotonic() - began
    if as_json:
        print_document(explanations_document(found, plan, rounded(seconds)))
    else:
        print_explanations(found, plan, checked.round, out(), output, seconds)
    return DONE if watch.stopped is None and plan.status == "optimal" else STOPPED
