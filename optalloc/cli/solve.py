"""`optalloc solve`: the plan of a round."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optalloc.cli.options import AsJson, Gap, Language, RoundFile, Sets, Ways
from optalloc.cli.overriding import asked_overrides, checked_again
from optalloc.errors import DONE, INVALID, NO_PLAN, STOPPED, WrongUse

if TYPE_CHECKING:
    from rich.console import Console

    from integrated_fund.round import Round
    from optalloc.cli.reading import Checked
    from optalloc.plan.overrides import Override
    from optalloc.plan.plan import Plan
    from optalloc.solve.planning import NoPlan
    from optalloc.solve.progress import Listener, Watch
    from optalloc.solve.search import Method
    from optalloc.study.diagnosis.diagnosis import Diagnosis

EXAMPLES = (
    "Examples: optalloc solve round.xlsx -o plan.xlsx  |  "
    "optalloc solve round.xlsx --set Sources.education.amount=*1.1  |  "
    "optalloc solve round.xlsx --gap 0 --time-limit 60 -o plan.xlsx  |  "
    'optalloc solve round.xlsx --force P07 --by "leading group" --reason "minutes of 3 March" -o plan.xlsx'
)


#: Relative distances below this are lost in the solver's floating point.
SMALLEST_GAP = Decimal("0.000000001")


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
    force: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[PROJECT]",
            show_default=False,
            help="Alone: replace files that are there already. With a project, or several as P07;P09: force them into "
            "the plan, on record, with --by and --reason.",
        ),
    ] = None,
    forbid: Annotated[
        list[str] | None,
        typer.Option(metavar="PROJECT", help="Keep a project out of the plan, on record, with --by and --reason."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who decided the overrides; goes on record.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; goes on record.")] = None,
    as_json: AsJson = False,
) -> int:
    """Find the best plan that keeps every rule, and say how good it is.

    Ctrl-C keeps the best plan so far. Exit code 0: the gap is closed; 2: the workbook has errors; 3: no plan exists;
    4: stopped at a limit.
    """
    from optalloc.cli.documents import plan_document, print_document, problems_of, rounded, without_plan
    from optalloc.cli.reading import read_checked
    from optalloc.cli.terminal import err, live_line, out, print_problems
    from optalloc.plan.plan import Plan
    from optalloc.workbook.plan_files import PlanFile, files_for_manifest, refuse_plan_output

    asked = asked_gap(gap)
    replace_files, overrides = asked_overrides(force or [], forbid or [], by, reason)
    if time_limit is not None and time_limit == 0:
        raise WrongUse("time_limit", "--time-limit takes seconds above 0: no search fits into none.")
    if solver is not None and solver.lower() != "highs" and method is not Ways.auto:
        raise WrongUse("method", "--method is a way to use HiGHS; leave it out with another --solver.")
    if output is not None:
        refuse_plan_output(output, force=replace_files, inputs=[round_file])
    files: tuple[PlanFile, ...] = ()
    seconds: dict[str, float] = {"read": 0.0, "build": 0.0, "solve": 0.0, "write": 0.0}
    with live_line() as line:
        line.say(f"reading {round_file.name}")
        began = time.monotonic()
        checked = read_checked(round_file, sets or [], lang)
        seconds["read"] = time.monotonic() - began
        if checked.round is None:
            line.close()
            if as_json:
                problems = problems_of(checked.problems, checked.language)
                print_document(without_plan("invalid", problems=problems))
            else:
                print_problems(checked.problems, checked.language, out())
            return INVALID
        if output is not None:
            refuse_plan_output(output, force=replace_files, inputs=checked.inputs)
        result = _solved(
            checked.round,
            overrides,
            checked,
            asked,
            time_limit,
            solver,
            method.value,
            list(sets or []),
            line.hear,
            seconds,
        )
        if isinstance(result, Plan) and output is not None:
            from optalloc.workbook.plan_writer import write_plan

            line.say(f"writing {output.name}")
            began = time.monotonic()
            files = write_plan(
                result, checked.round, output, language=checked.language, force=replace_files, inputs=checked.inputs
            )
            seconds["write"] = time.monotonic() - began
        short = None
        if not isinstance(result, Plan) and result.status == "infeasible" and not as_json and not overrides:
            left = DIAGNOSIS if time_limit is None else min(DIAGNOSIS, time_limit - seconds["solve"])
            short = _diagnosed(checked.round, left, line.hear)
    if not isinstance(result, Plan):
        code = no_plan(result, checked_again(checked, overrides), seconds, as_json)
        if short is not None:
            from optalloc.cli.diagnosis import print_short

            print_short(short, checked.round, err(), round_file, bool(sets))
        return code
    if as_json:
        if files:
            result = replace(result, manifest={**result.manifest, "files": files_for_manifest(files)})
        print_document(plan_document(result, rounded(seconds)))
    else:
        warnings = len(checked.problems)
        if warnings:
            err().print(f"{warnings} warnings; `optalloc check` lists them.", style="yellow")
        from optalloc.cli.summary import print_plan

        print_plan(result, checked.round, out(), output, seconds, [file.name for file in files])
    return DONE if result.status == "optimal" else STOPPED


def asked_gap(text: str | None) -> Decimal | None:
    """Return a gap as a share.

    Raises:
        WrongUse: it is none, or finer than numbers carry.
    """
    if text is None:
        return None
    try:
        stripped = text.strip()
        value = Decimal(stripped.removesuffix("%").strip()) / (100 if stripped.endswith("%") else 1)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value < 1:
        raise WrongUse("gap", f"--gap takes a share from 0 to 1, such as 0.0001 or 0.01%; {text!r} is none.")
    if 0 < value < SMALLEST_GAP:
        raise WrongUse(
            "gap", f"--gap {text} is finer than a solver's numbers; take 0 for a proof, or {SMALLEST_GAP:f}."
        )
    return value


def _solved(
    round_: Round,
    overrides: tuple[Override, ...],
    checked: Checked,
    gap: Decimal | None,
    time_limit: float | None,
    solver: str | None,
    method: Method,
    sets: list[str],
    listener: Listener,
    seconds: dict[str, float],
) -> Plan | NoPlan:
    from integrated_fund.collector import settle
    from optalloc.plan.overrides import overridden
    from optalloc.solve.manifest import Inputs
    from optalloc.solve.overriding import plan_overridden, refuse_overrides
    from optalloc.solve.planning import fund_for, plan_of
    from optalloc.solve.progress import Watch

    refuse_overrides(round_, overrides)
    settle()
    watch = Watch(time_limit, listener)
    watch.phase = "formulating"
    watch.tell()
    began = time.monotonic()
    fund = fund_for(overridden(round_, overrides), solver)
    seconds["build"] = time.monotonic() - began
    stop_at_first_interrupt(watch)  # until now there was nothing to keep
    began = time.monotonic()
    inputs = Inputs(checked.sha256, tuple(sets), projects_file=checked.projects_file)
    if overrides:
        result = plan_overridden(round_, fund, overrides, watch, gap=gap, inputs=inputs, solver=solver, method=method)
    else:
        result = plan_of(fund, watch, gap=gap, inputs=inputs, solver=solver, method=method)
    seconds["solve"] = time.monotonic() - began
    return result


def _diagnosed(round_: Round, seconds: float, listener: Listener) -> Diagnosis | None:
    """Return why a round has no plan, as far as that is known within some seconds."""
    from optalloc.solve.progress import Watch
    from optalloc.solve.solvers.highs import SolverError
    from optalloc.study.diagnosis.diagnosis import diagnose, in_memory

    if seconds <= 0:
        return None
    watch = Watch(seconds, listener)
    stop_at_first_interrupt(watch)
    try:
        return diagnose(round_, watch, in_memory(round_), others=False, known=True)
    except (SolverError, MemoryError):  # that there is no plan stands without it
        return None


def stop_at_first_interrupt(watch: Watch) -> None:
    """Let the first Ctrl-C end the search with its best plan; the second one ends the program."""

    def first(_signal: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        watch.stop("interrupted")

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, first)


def no_plan(result: NoPlan, checked: Checked, seconds: dict[str, float], as_json: bool) -> int:
    """Say that there is no plan, or that none was found; return the exit code."""
    from integrated_fund.checks import NO_PLAN as NO_PLAN_PROOFS
    from optalloc.cli.documents import number, print_document, rounded, without_plan
    from optalloc.cli.terminal import amount_above, err, print_problems

    if as_json:
        known = {"bound": number(result.bound), "manifest": dict(result.manifest)}
        print_document(without_plan(result.status, seconds=rounded(seconds), **known))
    else:
        console: Console = err()
        limit = "" if result.bound is None else f"; no plan can be worth more than {amount_above(result.bound, 4)}"
        if result.status == "infeasible":
            console.print(f"[bold red]No plan:[/] {result.reason}.")
        else:
            console.print(f"[bold yellow]{result.reason.capitalize()}{limit}.[/]")
        proofs = [problem for problem in checked.problems if problem.code in NO_PLAN_PROOFS]
        if proofs:
            console.print("What is known to stand in the way:")
            print_problems(proofs, checked.language, console)
    return NO_PLAN if result.status == "infeasible" else STOPPED
