"""`optalloc diagnose`: why a round has no plan, and what would mend it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optalloc.cli.options import AsJson, Force, Language, RoundFile, Sets
from optalloc.errors import DONE, STOPPED, WrongUse

if TYPE_CHECKING:
    from integrated_fund.round import Round
    from optalloc.cli.reading import Checked
    from optalloc.plan.price_report import PriceLine
    from optalloc.solve.progress import Watch
    from optalloc.study.diagnosis.diagnosis import Diagnosis
    from optalloc.study.diagnosis.repair import Repair
    from optalloc.workbook.changed import CellName, Content

EXAMPLES = (
    "Examples: optalloc diagnose round.xlsx  |  optalloc diagnose round.xlsx --apply repaired.xlsx  |  "
    "optalloc diagnose round.xlsx --alternative 2 --apply repaired.xlsx"
)

#: Rules that are named where a plan exists.
COSTLY = 5


def diagnose(
    round_file: RoundFile,
    apply: Annotated[
        Path | None,
        typer.Option("--apply", metavar="OUT.xlsx", help="Write a copy of the workbook with the repair in it."),
    ] = None,
    alternative: Annotated[
        int | None, typer.Option(min=1, help="Which repair to write, by its number; default: the first, the cheapest.")
    ] = None,
    sets: Sets = None,
    time_limit: Annotated[
        float | None, typer.Option(min=0.0, help="Seconds after which what is known so far is shown.")
    ] = None,
    lang: Language = None,
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    """Say why a round has no plan, with the cells at fault, and the cheapest changes of cells that would give it one.

    The conflict is irreducible: with any one of its rules, amounts and links left out, the others can be kept. Every
    repair is proven on a changed copy of the workbook. A change costs the money it moves, more by the authority it
    stands on: a law bends last. With --set it is the changed round that is diagnosed: repairs name the values it has,
    and a copy that --apply writes has the changes of --set and the repair. A round that has a plan needs no repair:
    --apply then writes nothing, and says so.

    Ctrl-C keeps what is known. Exit code 0: the diagnosis is whole, also where a plan exists; 2: the workbook has
    errors; 4: stopped at a limit before everything was proven.
    """
    from optalloc.cli.diagnosis import diagnosis_document, print_diagnosis
    from optalloc.cli.documents import print_document
    from optalloc.cli.reading import read_checked
    from optalloc.cli.solving import stop_at_first_interrupt
    from optalloc.cli.terminal import live_line, out, print_problems
    from optalloc.study.diagnosis.diagnosis import diagnose as diagnose_round
    from optalloc.study.diagnosis.diagnosis import in_memory
    from optalloc.workbook.files import refuse_output, write_whole

    if time_limit is not None and time_limit == 0:
        raise WrongUse("time_limit", "--time-limit takes seconds above 0: no search fits into none.")
    if alternative is not None and apply is None:
        raise WrongUse("alternative", "--alternative says which repair --apply writes; add --apply OUT.xlsx.")
    if apply is not None:
        if apply.suffix.lower() != round_file.suffix.lower():
            kind = round_file.suffix or "no ending"
            raise WrongUse("other_kind", f"The copy is a file of the same kind: its name must end with {kind} too.")
        refuse_output(apply, force=force, inputs=[round_file])
    seconds = {"read": 0.0, "diagnose": 0.0}
    with live_line() as line:
        line.say(f"reading {round_file.name}")
        began = time.monotonic()
        checked = read_checked(round_file, sets or [], lang)
        seconds["read"] = time.monotonic() - began
        if checked.round is None:
            line.close()
            if not as_json:
                print_problems(checked.problems, checked.language, out())
            raise WrongUse("invalid_round", "The round workbook has errors; run `optalloc check` on it.")
        if apply is not None:
            refuse_output(apply, force=force, inputs=checked.inputs)
            _refuse_other_folder(apply, round_file, checked)
        changed = _cells_set(round_file, sets or []) if apply is not None else {}
        from optalloc.solve.progress import Watch

        watch = Watch(time_limit, line.hear)
        stop_at_first_interrupt(watch)
        began = time.monotonic()
        # A changed cell need not be in the file (a new setting, another file's row): then only --apply wants a copy.
        copied = not sets or apply is not None
        reread = reread_from(round_file, checked, changed) if copied else in_memory(checked.round)
        diagnosis = diagnose_round(checked.round, watch, reread)
        costly = _costly(checked.round, watch) if diagnosis.status == "feasible" else ()
        seconds["diagnose"] = time.monotonic() - began
    chosen = _chosen(diagnosis, alternative) if apply is not None else None
    if apply is not None and chosen is not None:
        content = _copy(round_file, chosen, changed)
        write_whole(apply, lambda file: file.write_bytes(content), force=force, inputs=checked.inputs)
    written = apply if chosen is not None else None
    if as_json:
        print_document(diagnosis_document(diagnosis, checked.round, watch.stopped, seconds, costly, written))
    else:
        print_diagnosis(diagnosis, checked.round, out(), round_file, apply, written, costly, sets or [])
    return DONE if diagnosis.complete else STOPPED


def _costly(round_: Round, watch: Watch) -> tuple[PriceLine, ...]:
    """Return the dearest lines of the price report of a round that has a plan.

    Prices at the margin are those of the relaxation, so any plan will do.
    """
    from optalloc.plan.price_report import by_cost
    from optalloc.solve.manifest import Request
    from optalloc.solve.solution import NoPlan, fund_for, solution_of
    from optalloc.study.diagnosis.conflict import ANY
    from optalloc.study.prices.report import priced_report

    solution = solution_of(fund_for(round_, None), watch, Request(gap=Decimal(ANY)))
    if isinstance(solution, NoPlan):
        return ()
    lines = by_cost(priced_report(solution, watch, changes=False).report.lines)
    return tuple(line for line in lines if line.kind == "rule")[:COSTLY]


def _chosen(diagnosis: Diagnosis, number: int | None) -> Repair | None:
    """Return the repair to write; None where the round has a plan as it is."""
    found = diagnosis.alternatives
    if number is None and not found:
        return None
    if number is None or number <= len(found):
        return found[(number or 1) - 1].repair
    known = f"there are {len(found)}" if len(found) > 1 else "there is one" if found else "there is none"
    raise WrongUse("alternative", f"There is no repair number {number}: {known}. Nothing was written.")


def _refuse_other_folder(apply: Path, round_file: Path, checked: Checked) -> None:
    if checked.projects_file is not None and apply.resolve().parent != round_file.resolve().parent:
        raise WrongUse(
            "other_folder",
            f"The projects stand in {checked.projects_file[0]} beside the workbook; name a copy in the same folder.",
        )


def _cells_set(round_file: Path, sets: Sequence[str]) -> dict[CellName, Content]:
    from optalloc.workbook.changed import cells_set

    return cells_set(round_file, sets) if sets else {}


def reread_from(
    round_file: Path, checked: Checked, changed: Mapping[CellName, Content]
) -> Callable[[Repair], Round | None]:
    """Return what reads a round again from a copy of its workbook; `changed` are cells changed besides the repair."""

    def reread(repair: Repair) -> Round | None:
        from optalloc.cli.reading import read_checked

        with tempfile.TemporaryDirectory(prefix="optalloc-") as folder:
            copy = Path(folder) / round_file.name
            copy.write_bytes(_copy(round_file, repair, changed))
            for other in checked.inputs[1:]:
                beside = Path(folder) / other.relative_to(round_file.parent)
                beside.parent.mkdir(parents=True, exist_ok=True)
                beside.symlink_to(other.resolve())
            return read_checked(copy, [], None).round

    return reread


def _copy(round_file: Path, repair: Repair, changed: Mapping[CellName, Content]) -> bytes:
    """Return the workbook with cells changed and a repair made."""
    from optalloc.workbook.changed import changed_copy

    changes = dict(changed)
    for change in repair.changes:
        for place in change.movable.clears or (change.movable.place,):
            changes[place.sheet, place.cell or ""] = change.to
    return changed_copy(round_file, changes)
