"""`optalloc solve`: the plan of a round."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optalloc.cli.options import AsJson, By, Forbid, ForceOr, Gap, Language, Reason, RoundFile, Sets, Ways
from optalloc.cli.overriding import asked_overrides
from optalloc.errors import DONE, STOPPED, WrongUse

if TYPE_CHECKING:
    from optalloc.cli.solving import Opened
    from optalloc.solve.progress import Listener
    from optalloc.study.diagnosis.diagnosis import Diagnosis

EXAMPLES = (
    "Examples: optalloc solve round.xlsx -o plan.xlsx  |  "
    "optalloc solve round.xlsx --set Sources.education.amount=*1.1  |  "
    "optalloc solve round.xlsx --gap 0 --time-limit 60 -o plan.xlsx  |  "
    'optalloc solve round.xlsx --force P07 --by "leading group" --reason "minutes of 3 March" -o plan.xlsx'
)


#: Seconds for saying at once why there is no plan.
DIAGNOSIS = 30.0


def solve(
    round_file: RoundFile,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PLAN.xlsx", help="Where to write the plan.")
    ] = None,
    sets: Sets = None,
    gap: Gap = None,
    time_limit: Annotated[
        float | None, typer.Option(min=0.0, help="Seconds after which a search ends with the best plan it has.")
    ] = None,
    solver: Annotated[
        str | None, typer.Option(help="Another solver that Pyomo knows (scip, gurobi, cbc …); default: HiGHS.")
    ] = None,
    method: Annotated[
        Ways,
        typer.Option(
            help="How to search: direct gives HiGHS the whole round; core prices the rules first, then searches among "
            "the projects that the prices leave in doubt; auto takes core for large rounds."
        ),
    ] = Ways.auto,
    lang: Language = None,
    force: ForceOr = None,
    forbid: Forbid = None,
    by: By = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> int:
    """Find the best plan that keeps every rule, and say how good it is.

    Ctrl-C keeps the best plan so far. Exit code 0: the gap is closed; 2: the workbook has errors; 3: no plan exists;
    4: stopped at a limit.
    """
    from optalloc.cli.documents import plan_document, print_document, rounded, without_plan
    from optalloc.cli.solving import Asked, asked_gap, formulated, no_plan, opened, solved, written
    from optalloc.cli.terminal import err, live_line, out

    replaces, overrides = asked_overrides(force or [], forbid or [], by, reason)
    if solver is not None and solver.lower() != "highs" and method is not Ways.auto:
        raise WrongUse("method", "--method is a way to use HiGHS; leave it out with another --solver.")
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
        solver,
    )
    with live_line() as line:
        begun = opened(asked, line, lambda problems: without_plan("invalid", problems=problems))
        found = solved(begun, formulated(begun))
        from optalloc.solve.solution import NoPlan

        if isinstance(found, NoPlan):
            short = _diagnosed(begun, line.hear) if found.status == "infeasible" else None
        else:
            plan = found.on_record(found.plan)
            files = written(plan, begun, line)
    if isinstance(found, NoPlan):
        code = no_plan(found, begun)
        if short is not None:
            from optalloc.cli.diagnosis import print_short

            print_short(short, begun.round, err(), round_file, bool(sets))
        return code
    if as_json:
        from optalloc.workbook.plan_files import files_for_manifest

        if files:
            plan = replace(plan, manifest={**plan.manifest, "files": files_for_manifest(files)})
        print_document(plan_document(plan, rounded(begun.seconds)))
    else:
        from optalloc.cli.summary import print_plan

        warnings = len(begun.checked.problems)
        if warnings:
            err().print(f"{warnings} warnings; `optalloc check` lists them.", style="yellow")
        print_plan(plan, begun.round, out(), output, begun.seconds, [file.name for file in files])
    return DONE if plan.status == "optimal" else STOPPED


def _diagnosed(begun: Opened, listener: Listener) -> Diagnosis | None:
    """Return why a round has no plan, as far as that is known within some seconds.

    None for programs, and where it may be for the overrides.
    """
    from optalloc.cli.solving import stop_at_first_interrupt
    from optalloc.solve.progress import Watch
    from optalloc.solve.solvers.highs import SolverError
    from optalloc.study.diagnosis.diagnosis import diagnose, in_memory

    asked = begun.asked
    left = DIAGNOSIS if asked.time_limit is None else min(DIAGNOSIS, asked.time_limit - begun.seconds["solve"])
    if asked.as_json or asked.overrides or left <= 0:
        return None
    watch = Watch(left, listener)
    stop_at_first_interrupt(watch)
    try:
        return diagnose(begun.round, watch, in_memory(begun.round), others=False, known=True)
    except (SolverError, MemoryError):  # that there is no plan stands without it
        return None
