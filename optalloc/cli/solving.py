"""What `solve`, `prices` and `explain` begin with: what was asked, the workbook read, the round solved.

A workbook with errors ends the command here, and so does everything that can be refused before anything is solved.
"""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from optalloc.cli.options import Lang
from optalloc.cli.overriding import checked_again
from optalloc.errors import INVALID, NO_PLAN, STOPPED, OptallocError, WrongUse

if TYPE_CHECKING:
    from integrated_fund.evaluation import Decision
    from integrated_fund.fund import Fund
    from integrated_fund.round import Round
    from optalloc.cli.documents import Document
    from optalloc.cli.reading import Checked
    from optalloc.cli.terminal import LiveLine
    from optalloc.plan.overrides import Override
    from optalloc.plan.plan import Plan
    from optalloc.plan.price_report import PriceReport
    from optalloc.plan.verdicts import Verdict
    from optalloc.solve.overriding import Overridden
    from optalloc.solve.progress import Watch
    from optalloc.solve.search import Method
    from optalloc.solve.solution import NoPlan
    from optalloc.workbook.plan_files import PlanFile

#: Relative distances below this are lost in the solver's floating point.
SMALLEST_GAP = Decimal("0.000000001")


_Written = TypeVar("_Written")


@dataclass(frozen=True)
class Asked:
    """A round to solve, and how, as a command was asked.

    `gap` is None for the round's own, `solver` for HiGHS. `output` is where the plan goes, if anywhere; it is replaced
    only with `replaces`.
    """

    round_file: Path
    sets: tuple[str, ...]
    overrides: tuple[Override, ...]
    gap: Decimal | None
    time_limit: float | None
    method: Method
    lang: Lang | None
    as_json: bool
    output: Path | None
    replaces: bool
    solver: str | None = None

    def refuse_output(self, inputs: Sequence[Path]) -> None:
        """Refuse an output that must not be written."""
        from optalloc.workbook.plan_files import refuse_plan_output

        if self.output is not None:
            refuse_plan_output(self.output, force=self.replaces, inputs=inputs)


@dataclass(frozen=True)
class Opened:
    """A round without errors, as the workbook with its changes has it, and the clock of its search.

    `seconds` says what took how long; what is done with the round adds to it.
    """

    asked: Asked
    checked: Checked
    round: Round
    watch: Watch
    seconds: dict[str, float]


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


def opened(
    asked: Asked, line: LiveLine, invalid: Callable[[list[Document]], Document], *, together: bool = False
) -> Opened:
    """Return the round that was asked for.

    `invalid` makes the command's document of a workbook with errors from what is wrong with it; that is printed, and
    the command ends. The time limit is that of each search, or of all of them `together`.

    Raises:
        WorkbookUnreadable: the file is no workbook that can be read.
        WrongUse: an option cannot be followed.
    """
    if asked.time_limit is not None and asked.time_limit == 0:
        raise WrongUse("time_limit", "--time-limit takes seconds above 0: no search fits into none.")
    asked.refuse_output([asked.round_file])
    from optalloc.cli.documents import print_document, problems_of
    from optalloc.cli.reading import read_checked
    from optalloc.cli.terminal import out, print_problems

    line.say(f"reading {asked.round_file.name}")
    began = time.monotonic()
    checked = read_checked(asked.round_file, asked.sets, asked.lang)
    seconds = {"read": time.monotonic() - began}
    if checked.round is None:
        line.close()
        if asked.as_json:
            print_document(invalid(problems_of(checked.problems, checked.language)))
        else:
            print_problems(checked.problems, checked.language, out())
        raise typer.Exit(INVALID)
    from integrated_fund.collector import settle
    from optalloc.solve.overriding import refuse_overrides
    from optalloc.solve.progress import Watch

    asked.refuse_output(checked.inputs)
    refuse_overrides(checked.round, asked.overrides)
    settle()
    return Opened(asked, checked, checked.round, Watch(asked.time_limit, line.hear, together=together), seconds)


def formulated(begun: Opened) -> Fund:
    """Return the mathematical programme of a round with its overrides."""
    from optalloc.plan.overrides import overridden
    from optalloc.solve.planning import fund_for

    begun.watch.phase = "formulating"
    begun.watch.tell()
    began = time.monotonic()
    fund = fund_for(overridden(begun.round, begun.asked.overrides), begun.asked.solver)
    begun.seconds["build"] = time.monotonic() - began
    return fund


def solved(begun: Opened, fund: Fund, start: Decision | None = None) -> Overridden | NoPlan:
    """Solve a round.

    From here on a first Ctrl-C ends the search with what it has: until now there was nothing to keep.
    """
    from optalloc.solve.manifest import Inputs, Request
    from optalloc.solve.overriding import solve_overridden

    asked, checked = begun.asked, begun.checked
    stop_at_first_interrupt(begun.watch)
    began = time.monotonic()
    inputs = Inputs(checked.sha256, asked.sets, projects_file=checked.projects_file)
    request = Request(asked.gap, asked.method, asked.solver, inputs)
    found = solve_overridden(begun.round, fund, asked.overrides, begun.watch, request, start=start)
    begun.seconds["solve"] = time.monotonic() - began
    return found


def stop_at_first_interrupt(watch: Watch) -> None:
    """Let the first Ctrl-C end the search with its best plan; the second one ends the program."""

    def first(_signal: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        watch.stop("interrupted")

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, first)


def written(
    plan: Plan,
    begun: Opened,
    line: LiveLine,
    *,
    prices: PriceReport | None = None,
    verdicts: Sequence[Verdict] = (),
) -> tuple[PlanFile, ...]:
    """Write the plan, if that was asked for; return the files beside the workbook.

    Raises:
        WrongUse: it could not be written there; the message says where it is kept.
    """
    asked, began = begun.asked, time.monotonic()
    files: tuple[PlanFile, ...] = ()
    if asked.output is not None:
        from optalloc.workbook.plan_writer import write_plan

        def write(path: Path) -> tuple[PlanFile, ...]:
            return write_plan(
                plan,
                begun.round,
                path,
                language=begun.checked.language,
                force=asked.replaces,
                inputs=begun.checked.inputs,
                prices=prices,
                verdicts=verdicts,
            )

        line.say(f"writing {asked.output.name}")
        files = write_or_keep(asked.output, write)
    begun.seconds["write"] = time.monotonic() - began
    return files


def write_or_keep(output: Path, write: Callable[[Path], _Written]) -> _Written:
    """Write what took long to find; where that is refused in the end, in a new temporary folder.

    Raises:
        WrongUse: as it was refused; the message says where the file is kept.
    """
    try:
        return write(output)
    except WrongUse as refused:
        kept = Path(tempfile.mkdtemp(prefix="optalloc-")) / output.name
        try:
            write(kept)
        except OptallocError as again:
            kept.parent.rmdir()
            raise WrongUse(
                refused.code, f"{refused.message} It could not be kept in a temporary folder either: {again.message}"
            ) from refused
        raise WrongUse(refused.code, f"{refused.message} Nothing is lost: it is kept in {kept}.") from refused


def no_plan(result: NoPlan, begun: Opened) -> int:
    """Say that there is no plan, or that none was found; return the exit code."""
    from integrated_fund.checks import NO_PLAN as NO_PLAN_PROOFS
    from optalloc.cli.documents import number, print_document, rounded, without_plan
    from optalloc.cli.terminal import amount_above, err, print_problems

    code = NO_PLAN if result.status == "infeasible" else STOPPED
    if begun.asked.as_json:
        known = {"bound": number(result.bound), "manifest": dict(result.manifest)}
        print_document(without_plan(result.status, seconds=rounded({**begun.seconds, "write": 0.0}), **known))
        return code
    console = err()
    limit = "" if result.bound is None else f"; no plan can be worth more than {amount_above(result.bound, 4)}"
    if result.status == "infeasible":
        console.print(f"[bold red]No plan:[/] {result.reason}.")
    else:
        console.print(f"[bold yellow]{result.reason.capitalize()}{limit}.[/]")
    checked = checked_again(begun.checked, begun.asked.overrides)
    proofs = [problem for problem in checked.problems if problem.code in NO_PLAN_PROOFS]
    if proofs:
        console.print("What is known to stand in the way:")
        print_problems(proofs, checked.language, console)
    return code
