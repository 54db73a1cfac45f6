"""The plan workbook: a plan as a finance officer reads it, and as `read_plan` reads it back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from integrated_fund.problem import Language
from integrated_fund.round import Round
from optalloc.errors import NotThisRound, OptallocError
from optalloc.plan.overrides import BadRecord, Record, Without, records_of, without_of
from optalloc.plan.plan import Award, Plan
from optalloc.plan.price_report import PriceReport
from optalloc.plan.verdicts import Verdict
from optalloc.workbook.files import write_together
from optalloc.workbook.plan_files import (
    FileColumn,
    LongSheet,
    PlanFile,
    long_sheets,
    path_beside,
    refuse_plan_output,
    write_file,
)
from optalloc.workbook.plan_reader import awards_of
from optalloc.workbook.plan_sheets import (
    PlanBook,
    award_columns,
    declined_columns,
    money_of,
    write_awards,
    write_declined,
    write_manifest,
    write_overrides,
    write_regions,
    write_rules,
    write_sectors,
    write_sources,
)
from optalloc.workbook.plan_summary import write_summary
from optalloc.workbook.plan_table import Styles, safe_text
from optalloc.workbook.price_sheets import write_curves, write_prices
from optalloc.workbook.verdict_sheet import write_verdicts

#: Plans with more rows go to the disk row by row; smaller ones share their strings and give charts their values.
_ROWS_IN_MEMORY = 20_000


def write_plan(
    plan: Plan,
    round_: Round,
    path: Path,
    *,
    language: Language = "en",
    force: bool = False,
    inputs: Sequence[Path] = (),
    prices: PriceReport | None = None,
    verdicts: Sequence[Verdict] = (),
) -> tuple[PlanFile, ...]:
    """Write a plan of a round as a workbook, whole or not at all; return the files beside it, if it needs any.

    With `prices` the workbook has sheets of them, with `verdicts` one of those.

    A table of more than `plan_files.LONG_TABLE` rows stands in a Parquet file beside the workbook.

    Amounts are written as values, exactly; sums beside them are formulas with the value they have. Every table has its
    headings in row 1. Headings and labels are in `language`; the sheets and the first seven headings of Awards keep
    their English names, for programs to go by.

    Raises:
        WrongUse: the output must not or cannot be written (see `files.write_together`).
        NotThisRound: the plan names a project, region or source that the round does not have.
        OptallocError: `too_many_digits`, `too_many_rows`, `bad_manifest` (the overrides are not as they were written),
            or `payments_differ` (the payments do not add up to the awards); nothing is written, beside the workbook
            either.
    """
    refuse_plan_output(path, force=force, inputs=inputs)
    _refuse_other_round(plan, round_)
    _refuse_differing_awards(plan)
    sheets = long_sheets(plan)
    beside = [path_beside(path, sheet) for sheet in sheets]
    files: dict[LongSheet, PlanFile] = {}

    def write(temporary: Sequence[Path]) -> None:
        for sheet, named, place in zip(sheets, beside, temporary, strict=False):
            files[sheet] = write_file(place, sheet, named.name, _COLUMNS[sheet](plan, round_))
        _write(plan, round_, temporary[-1], language, files, prices, verdicts)

    write_together([*beside, path], write, force=force, inputs=inputs)
    return tuple(files.values())


_COLUMNS: Mapping[LongSheet, Callable[[Plan, Round], Mapping[str, FileColumn]]] = MappingProxyType(
    {"Awards": award_columns, "Declined": declined_columns}
)


def _write(
    plan: Plan,
    round_: Round,
    path: Path,
    language: Language,
    files: Mapping[LongSheet, PlanFile],
    prices: PriceReport | None,
    verdicts: Sequence[Verdict],
) -> None:
    rows = {"Awards": len(plan.payments), "Declined": len(plan.declined), "Rules": len(plan.rules)}
    in_book = sum(count for sheet, count in rows.items() if sheet not in files) + len(verdicts)
    large = in_book > _ROWS_IN_MEMORY
    # What goes to the disk row by row goes there first.
    with tempfile.TemporaryDirectory(prefix="optalloc-", ignore_cleanup_errors=True) as scratch:
        book = Workbook(str(path), {"constant_memory": large, "tmpdir": scratch})
        book.set_size(2400, 1500)
        book.set_properties({"title": safe_text(round_.title), "comments": str(plan.manifest.get("plan_digest", ""))})
        overrides, without = _overrides_of(plan)
        out = PlanBook(
            book, Styles(book, language), language, plan, round_, money_of(plan, round_), overrides, without, files
        )
        for write_sheet in (
            write_summary,
            write_overrides,
            write_awards,
            write_rules,
            write_regions,
            write_sectors,
            write_sources,
            write_declined,
            write_manifest,
        ):
            write_sheet(out)
        if prices is not None:
            write_prices(out, prices)
            write_curves(out, prices)
        if verdicts:
            write_verdicts(out, verdicts)
        try:
            book.close()
        except FileCreateError as failure:
            # The library wraps what the system said.
            cause = failure.args[0]
            raise cause if isinstance(cause, OSError) else OSError(str(failure)) from failure


def _overrides_of(plan: Plan) -> tuple[tuple[Record, ...], Without]:
    try:
        return records_of(plan.manifest), without_of(plan.manifest)
    except BadRecord as bad:
        raise OptallocError("bad_manifest", f"The overrides of the plan cannot be followed: {bad}.") from bad


def _refuse_other_round(plan: Plan, round_: Round) -> None:
    projects = {project.project for project in round_.projects}
    regions = {region.region for region in round_.regions}
    sources = {source.source for source in round_.sources}
    named = [
        ("project", [row.project for row in plan.payments], projects),
        ("project", [row.project for row in plan.declined], projects),
        ("region", [row.region for row in plan.payments], regions),
        ("source", [row.source for row in plan.payments], sources),
        ("source", [row.source for row in plan.sources], sources),
    ]
    for kind, names, known in named:
        unknown = set(names) - known
        if unknown:
            message = f"The plan names the {kind} {min(unknown)}, which the round does not have."
            raise NotThisRound("other_round", message)


def _refuse_differing_awards(plan: Plan) -> None:
    """Refuse a plan that could not be read back: its awards are the sums of its payments."""
    added = {_key(award): award.award for award in awards_of(plan.payments)}
    stated = {_key(award): award.award for award in plan.awards}
    zero = Decimal(0)
    wrong = [key for key in added.keys() | stated.keys() if added.get(key, zero) != stated.get(key, zero)]
    if wrong:
        key = min(wrong, key=str)
        paid, due = added.get(key, zero), stated.get(key, zero)
        message = f"The payments to project {key[0]} add up to {paid}, its award is {due}."
        raise OptallocError("payments_differ", message)


def _key(award: Award) -> tuple[str, str | None, int | None]:
    return award.project, award.option, award.start
