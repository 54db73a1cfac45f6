"""A plan read back from its workbook, every amount as it stands there now.

Only values are read; the sums, charts and notes around them are for people. Rows and columns may have been moved, and
headings may be in either language.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Context, Decimal
from pathlib import Path
from typing import NoReturn, TypeVar

from integrated_fund.collector import collector_paused
from integrated_fund.round import Origin, Sense, Table
from optalloc.errors import OptallocError, WorkbookUnreadable
from optalloc.plan.plan import SCHEMA_VERSION, Award, Declined, Payment, Plan, RuleLine, SourceLine, Status
from optalloc.workbook.grid import Grid, GridRow, Value
from optalloc.workbook.names import fold
from optalloc.workbook.opening import open_workbook
from optalloc.workbook.plan_files import LongSheet, PlanFile, read_file, stated_files
from optalloc.workbook.plan_labels import AWARD_COLUMNS, WORDS, PlanSheet, means
from optalloc.workbook.plan_rows import (
    PlanValue,
    Rows,
    Unfit,
    number,
    number_if_any,
    one_of,
    refuse,
    rows_of,
    text,
    text_if_any,
    year_if_any,
)
from optalloc.workbook.values import is_blank

_SHEETS: tuple[PlanSheet, ...] = ("Summary", "Awards", "Rules", "Sources", "Declined", "Manifest")
_STATUSES: tuple[Status, ...] = ("optimal", "feasible", "infeasible", "unknown")
_SENSES: Mapping[str, Sense] = {">=": ">=", "<=": "<=", "=": "=", "≥": ">=", "≤": "<=", "＝": "="}

#: Sums of amounts are exact: wide enough for any that a worksheet can hold beside each other.
_WIDE = Context(prec=700)

Part = TypeVar("Part")


def read_plan(path: Path) -> Plan:
    """Read a plan workbook.

    Payments, rules and sources know the row they stand in. Awards are the sums of the payments. Tables that were too
    long for a sheet are read from the files beside the workbook.

    Raises:
        WorkbookUnreadable: the file is no workbook that can be read, `not_a_plan` (a sheet or a heading is missing),
            `schema_version` (written by another version of optalloc), or a file beside it cannot be read (see
            `plan_files.read_file`).
        OptallocError: a cell holds what cannot stand there: `cell_error`, `cell_formula_without_value`, `not_a_number`,
            `not_whole`, `not_a_text`, `missing_value`, `not_a_choice`, `twice`, `bad_manifest`, `rows_beside_file`.
    """
    opened = open_workbook(path, lambda name: fold(name) in {fold(sheet) for sheet in _SHEETS})
    grids = {sheet: grid for sheet in _SHEETS for grid in opened.grids if fold(grid.sheet) == fold(sheet)}
    missing = [sheet for sheet in _SHEETS if sheet not in grids]
    if missing:
        raise WorkbookUnreadable(
            "not_a_plan", f"{path} has no sheet {missing[0]}: it is not a plan that optalloc wrote.", missing[0]
        )
    manifest = _read_manifest(grids["Manifest"])
    summary = _Summary(grids["Summary"])
    with collector_paused():
        tables = _Tables(path, grids, {file.sheet: file for file in stated_files(manifest)})
        payments = _payments(tables.rows("Awards", AWARD_COLUMNS))
        declined = _declined(tables.rows("Declined", ("project", "title", "reason")))
        awards = awards_of(payments)
    rule_columns = (
        "rule", "member", "sense", "activity", "bound", "slack", "violation", "typed", "sentence", "soft"
    )  # fmt: skip
    return Plan(
        status=summary.status(),
        objective=summary.number("objective"),
        bound=summary.number_if_known("best_bound"),
        gap=summary.number_if_known("gap"),
        criteria=summary.criteria(),
        awards=awards,
        payments=payments,
        rules=_rules(rows_of(grids["Rules"], rule_columns)),
        sources=_sources(rows_of(grids["Sources"], ("source", "year", "amount", "used", "carried"))),
        declined=declined,
        manifest=manifest,
        files=tables.sha256,
    )


class _Tables:
    """The tables of a plan, each on its sheet or in the file beside the workbook that the manifest names."""

    def __init__(self, path: Path, grids: Mapping[PlanSheet, Grid], files: Mapping[LongSheet, PlanFile]) -> None:
        self._folder = path.resolve().parent
        self._grids = grids
        self._files = files
        self.sha256: dict[str, str] = {}

    def rows(self, sheet: LongSheet, columns: Sequence[str]) -> Rows:
        on_sheet = rows_of(self._grids[sheet], columns)
        file = self._files.get(sheet)
        if file is None:
            return on_sheet
        for at, said in enumerate(on_sheet.columns[columns[0]]):
            # One line says where the rows are; whatever else stands there would be overlooked.
            if not (isinstance(said, str) and file.name in said):
                place = Origin(on_sheet.table, on_sheet.numbers[at]).place()
                message = f"The rows of this sheet are in {file.name}; none may stand here too. Take this one out."
                raise OptallocError("rows_beside_file", message, place.sheet, place.cell)
        rows, self.sha256[file.name] = read_file(self._folder, file.name, columns)
        return rows


def awards_of(payments: Iterable[Payment]) -> tuple[Award, ...]:
    """Return what each project gets: the sums of its payments, in order of project, option and start."""
    sums: dict[tuple[str, str | None, int | None], Decimal] = {}
    for row in payments:
        key = (row.project, row.option, row.start)
        sums[key] = _WIDE.add(sums.get(key, Decimal(0)), row.amount)
    order = sorted(sums, key=lambda key: (key[0], key[1] or "", key[2] or 0))
    return tuple(Award(*key, sums[key]) for key in order)


def _payments(rows: Rows) -> tuple[Payment, ...]:
    return tuple(
        map(
            Payment,
            rows.each("project", text),
            rows.each("option", text_if_any),
            rows.each("start", year_if_any),
            rows.each("region", text),
            rows.each("year", year_if_any),
            rows.each("source", text),
            rows.each("amount", number),
            rows.origins(),
        )
    )


_YES_NO = {WORDS["yes"][0]: True, WORDS["yes"][1]: True, WORDS["no"][0]: False, WORDS["no"][1]: False}


def _rules(rows: Rows) -> tuple[RuleLine, ...]:
    return tuple(
        map(
            RuleLine,
            rows.each("rule", text),
            rows.each("member", text_if_any),
            rows.each("sense", lambda value: one_of(value, _SENSES)),
            rows.each("activity", number),
            rows.each("bound", number),
            rows.each("slack", number),
            rows.each("violation", number),
            rows.each("typed", number),
            rows.each("soft", lambda value: one_of(value, _YES_NO)),
            rows.each("sentence", lambda value: text_if_any(value) or ""),
            rows.origins(),
        )
    )


def _sources(rows: Rows) -> tuple[SourceLine, ...]:
    return tuple(
        map(
            SourceLine,
            rows.each("source", text),
            rows.each("year", year_if_any),
            rows.each("amount", number),
            rows.each("used", number),
            rows.each("carried", number_if_any),
            rows.origins(),
        )
    )


def _declined(rows: Rows) -> tuple[Declined, ...]:
    return tuple(map(Declined, rows.each("project", text), rows.each("reason", text_if_any)))


def _read_manifest(grid: Grid) -> dict[str, object]:
    """Return the manifest; rows of one key hold the pieces of its value."""
    pieces: dict[str, list[str]] = {}
    first: dict[str, Origin] = {}
    rows = rows_of(grid, ("key", "value"))
    for key, piece, origin in zip(rows.each("key", text), rows.each("value", text), rows.origins(), strict=True):
        pieces.setdefault(key, []).append(piece)
        first.setdefault(key, origin)
    manifest = {key: _json("".join(texts), first[key]) for key, texts in pieces.items()}
    version = manifest.get("schema_version")
    if version != SCHEMA_VERSION:
        message = f"The plan was written as version {version}; this optalloc reads version {SCHEMA_VERSION}."
        raise WorkbookUnreadable("schema_version", message, grid.sheet)
    return manifest


def _json(text: str, origin: Origin) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        place = origin.place("value")
        message = f"The value of {text[:40]!r} is no JSON; a plan's manifest is not for editing."
        raise OptallocError("bad_manifest", message, place.sheet, place.cell) from error


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


class _Summary:
    """The Summary sheet: labels in the first column, values beside them."""

    def __init__(self, grid: Grid) -> None:
        offset = grid.first_column - 1
        self._table = Table(grid.sheet, {"value": "B", "label": "A"})
        self._rows = [
            (label, _at(row, 1 - offset), row.number)
            for row in grid.rows
            if isinstance(label := _at(row, -offset), str)
        ]

    def status(self) -> Status:
        choices = {spelling: status for status in _STATUSES for spelling in WORDS[status]}
        return self._read(*self._fact("status"), lambda value: one_of(value, choices))

    def number(self, label: str) -> Decimal:
        return self._read(*self._fact(label), number)

    def number_if_known(self, label: str) -> Decimal | None:
        value, row = self._fact(label)
        if isinstance(value, str) and means(value, "unknown_bound"):
            return None
        return self._read(value, row, number)

    def criteria(self) -> dict[str, Decimal]:
        """Return the values of the criteria: the rows below their headings, up to the first without a value."""
        found: dict[str, Decimal] = {}
        last: int | None = None
        for label, value, row in self._rows:
            if last is None:
                if means(label, "criterion") and isinstance(value, str) and means(value, "value"):
                    last = row
                continue
            if row != last + 1:
                return found
            if label in found:
                message = f"The criterion {label} stands there twice."
                raise OptallocError("twice", message, self._table.name, f"A{row}")
            found[label] = self._read(value, row, number)
            last = row
        if last is None:
            raise WorkbookUnreadable("not_a_plan", "The sheet has no table of criteria.", self._table.name)
        return found

    def _read(self, value: Value, row: int, read: Callable[[PlanValue], Part]) -> Part:
        try:
            return read(value)
        except Unfit as unfit:
            refuse(unfit, Origin(self._table, row), "value")

    def _fact(self, key: str) -> tuple[Value, int]:
        """Return the first value beside a label, and its row."""
        for label, value, row in self._rows:
            if means(label, key) and not is_blank(value):
                return value, row
        raise WorkbookUnreadable("not_a_plan", f"The sheet does not state the {WORDS[key][0]}.", self._table.name)


def _at(row: GridRow, index: int) -> Value:
    return row.values[index] if 0 <= index < len(row.values) else None
