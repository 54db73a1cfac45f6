"""A plan read back from its workbook, every amount as it stands there now.

Only values are read; the sums, charts and notes around them are for people. Rows and columns may have been moved, and
headings may be in either language.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path
from typing import NoReturn, TypeVar

from integrated_fund.round import Origin, Sense, Table
from optalloc.errors import OptallocError, WorkbookUnreadable
from optalloc.plan.plan import SCHEMA_VERSION, Award, Declined, Payment, Plan, RuleLine, SourceLine, Status
from optalloc.workbook.grid import BadCell, Grid, GridRow, Value, column_letter
from optalloc.workbook.names import fold, heading_name
from optalloc.workbook.opening import open_workbook
from optalloc.workbook.plan_labels import AWARD_COLUMNS, WORDS, PlanSheet, means
from optalloc.workbook.values import is_blank, text_of

_SHEETS: tuple[PlanSheet, ...] = ("Summary", "Awards", "Rules", "Sources", "Declined", "Manifest")
_STATUSES: tuple[Status, ...] = ("optimal", "feasible", "infeasible", "unknown")
_SENSES: Mapping[str, Sense] = {">=": ">=", "<=": "<=", "=": "=", "≥": ">=", "≤": "<=", "＝": "="}

#: Sums of amounts are exact: wide enough for any that a worksheet can hold beside each other.
_WIDE = Context(prec=700)

Part = TypeVar("Part")


def read_plan(path: Path) -> Plan:
    """Read a plan workbook.

    Payments, rules and sources know the row they stand in. Awards are the sums of the payments.

    Raises:
        WorkbookUnreadable: the file is no workbook that can be read, `not_a_plan` (a sheet or a heading is missing), or
            `schema_version` (written by another version of optalloc).
        OptallocError: a cell holds what cannot stand there: `cell_error`, `cell_formula_without_value`, `not_a_number`,
            `not_whole`, `not_a_text`, `missing_value`, `not_a_choice`, `twice`, `bad_manifest`.
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
    payments = tuple(_payment(row) for row in _rows(grids["Awards"], AWARD_COLUMNS))
    rule_columns = (
        "rule", "member", "sense", "activity", "bound", "slack", "violation", "typed", "sentence", "soft"
    )  # fmt: skip
    return Plan(
        status=summary.status(),
        objective=summary.number("objective"),
        bound=summary.number_if_known("best_bound"),
        gap=summary.number_if_known("gap"),
        criteria=summary.criteria(),
        awards=awards_of(payments),
        payments=payments,
        rules=tuple(_rule(row) for row in _rows(grids["Rules"], rule_columns)),
        sources=tuple(_source(row) for row in _rows(grids["Sources"], ("source", "year", "amount", "used", "carried"))),
        declined=tuple(
            Declined(row.text("project"), row.text_if_any("reason"))
            for row in _rows(grids["Declined"], ("project", "title", "reason"))
        ),
        manifest=manifest,
    )


def awards_of(payments: Iterable[Payment]) -> tuple[Award, ...]:
    """Return what each project gets: the sums of its payments, in order of project, option and start."""
    sums: dict[tuple[str, str | None, int | None], Decimal] = {}
    for row in payments:
        key = (row.project, row.option, row.start)
        sums[key] = _WIDE.add(sums.get(key, Decimal(0)), row.amount)
    order = sorted(sums, key=lambda key: (key[0], key[1] or "", key[2] or 0))
    return tuple(Award(*key, sums[key]) for key in order)


@dataclass(frozen=True, slots=True)
class _Cells:
    """One row of a table: its cells by column."""

    origin: Origin
    cells: Mapping[str, Value]

    def text(self, column: str) -> str:
        value = self.text_if_any(column)
        if value is None:
            self._refuse("missing_value", column, "is empty; a name must stand there")
        return value

    def text_if_any(self, column: str) -> str | None:
        value = self.cells[column]
        if is_blank(value):
            return None
        self._refuse_bad(column, value)
        if not isinstance(value, str | float) or isinstance(value, bool):
            self._refuse("not_a_text", column, f"holds {text_of(value)}; a text must stand there")
        return text_of(value)

    def number(self, column: str) -> Decimal:
        value = self.number_if_any(column)
        if value is None:
            self._refuse("missing_value", column, "is empty; a number must stand there")
        return value

    def number_if_any(self, column: str) -> Decimal | None:
        value = self.cells[column]
        if is_blank(value):
            return None
        self._refuse_bad(column, value)
        exact = _exact(value) if isinstance(value, float) else Decimal("NaN")
        if not exact.is_finite():
            what = "a date" if isinstance(value, dt.date | dt.time | dt.timedelta) else repr(text_of(value)[:80])
            self._refuse("not_a_number", column, f"holds {what}; a number must stand there")
        return exact

    def year_if_any(self, column: str) -> int | None:
        value = self.number_if_any(column)
        if value is None:
            return None
        if value != value.to_integral_value():
            self._refuse("not_whole", column, f"holds {value}; a whole number must stand there")
        return int(value)

    def one_of(self, column: str, choices: Mapping[str, Part]) -> Part:
        typed = self.text(column)
        if typed.strip() not in choices:
            self._refuse("not_a_choice", column, f"holds {typed[:80]!r}; one of {', '.join(choices)} must stand there")
        return choices[typed.strip()]

    def _refuse_bad(self, column: str, value: Value) -> None:
        if isinstance(value, BadCell):
            self._refuse(f"cell_{value.code}", column, f"holds {value.text[:80]}, which has no value")

    def _refuse(self, code: str, column: str, what: str) -> NoReturn:
        place = self.origin.place(column)
        raise OptallocError(code, f"The cell {what}.", place.sheet, place.cell)


def _exact(value: float) -> Decimal:
    """Return the 15 digits a cell holds, whole numbers without an exponent."""
    text = format(value, ".15g")
    return Decimal(f"{Decimal(text):f}") if "e+" in text else Decimal(text)


def _rows(grid: Grid, columns: Sequence[str]) -> Iterator[_Cells]:
    """Yield the filled rows below the headings, wherever these stand.

    Raises:
        WorkbookUnreadable: no row has all the headings.
    """
    heading, positions = _find_headings(grid, columns)
    table = Table(grid.sheet, {name: column_letter(grid.first_column + at) for name, at in positions.items()})
    for row in grid.rows:
        if row.number <= heading.number:
            continue
        cells = {name: row.values[at] if at < len(row.values) else None for name, at in positions.items()}
        if not all(is_blank(value) for value in cells.values()):
            yield _Cells(Origin(table, row.number), cells)


def _find_headings(grid: Grid, columns: Sequence[str]) -> tuple[GridRow, dict[str, int]]:
    spellings = {name: {heading_name(spelling) for spelling in WORDS[name]} for name in columns}
    best: list[str] = list(columns)
    for row in grid.rows:
        headings = [heading_name(value) if isinstance(value, str) else "" for value in row.values]
        found = {
            name: next((at for at, heading in enumerate(headings) if heading in spellings[name]), None)
            for name in columns
        }
        missing = [name for name, at in found.items() if at is None]
        if not missing:
            return row, {name: at for name, at in found.items() if at is not None}
        best = min(best, missing, key=len)
    names = ", ".join(WORDS[name][0] for name in best)
    raise WorkbookUnreadable("not_a_plan", f"The sheet has no row of headings with: {names}.", grid.sheet)


def _payment(row: _Cells) -> Payment:
    return Payment(
        row.text("project"),
        row.text_if_any("option"),
        row.year_if_any("start"),
        row.text("region"),
        row.year_if_any("year"),
        row.text("source"),
        row.number("amount"),
        row.origin,
    )


def _rule(row: _Cells) -> RuleLine:
    return RuleLine(
        row.text("rule"),
        row.text_if_any("member"),
        row.one_of("sense", _SENSES),
        row.number("activity"),
        row.number("bound"),
        row.number("slack"),
        row.number("violation"),
        row.number("typed"),
        row.one_of("soft", _YES_NO),
        row.text_if_any("sentence") or "",
        row.origin,
    )


_YES_NO = {WORDS["yes"][0]: True, WORDS["yes"][1]: True, WORDS["no"][0]: False, WORDS["no"][1]: False}


def _source(row: _Cells) -> SourceLine:
    return SourceLine(
        row.text("source"),
        row.year_if_any("year"),
        row.number("amount"),
        row.number("used"),
        row.number_if_any("carried"),
        row.origin,
    )


def _read_manifest(grid: Grid) -> dict[str, object]:
    """Return the manifest; rows of one key hold the pieces of its value."""
    pieces: dict[str, list[str]] = {}
    first: dict[str, Origin] = {}
    for row in _rows(grid, ("key", "value")):
        key = row.text("key")
        pieces.setdefault(key, []).append(row.text("value"))
        first.setdefault(key, row.origin)
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
        self._grid = grid
        offset = grid.first_column - 1
        table = Table(grid.sheet, {"value": "B", "label": "A"})
        self._rows = [
            (
                label,
                _Cells(Origin(table, row.number), {"label": label, "value": _at(row, 1 - offset)}),
            )
            for row in grid.rows
            if isinstance(label := _at(row, -offset), str)
        ]

    def status(self) -> Status:
        cell = self._fact("status")
        return cell.one_of("value", {spelling: status for status in _STATUSES for spelling in WORDS[status]})

    def number(self, label: str) -> Decimal:
        return self._fact(label).number("value")

    def number_if_known(self, label: str) -> Decimal | None:
        cell = self._fact(label)
        value = cell.cells["value"]
        if isinstance(value, str) and means(value, "unknown_bound"):
            return None
        return cell.number("value")

    def criteria(self) -> dict[str, Decimal]:
        """Return the values of the criteria: the rows below their headings, up to the first without a value."""
        found: dict[str, Decimal] = {}
        last: int | None = None
        for label, cell in self._rows:
            row = cell.origin.row
            if last is None:
                heading = cell.cells["value"]
                if means(label, "criterion") and isinstance(heading, str) and means(heading, "value"):
                    last = row
                continue
            if row != last + 1:
                return found
            if label in found:
                message = f"The criterion {label} stands there twice."
                raise OptallocError("twice", message, self._grid.sheet, f"A{row}")
            found[label] = cell.number("value")
            last = row
        if last is None:
            raise WorkbookUnreadable("not_a_plan", "The sheet has no table of criteria.", self._grid.sheet)
        return found

    def _fact(self, key: str) -> _Cells:
        """Return the first row with a label and a value beside it."""
        for label, cell in self._rows:
            if means(label, key) and not is_blank(cell.cells["value"]):
                return cell
        raise WorkbookUnreadable("not_a_plan", f"The sheet does not state the {WORDS[key][0]}.", self._grid.sheet)


def _at(row: GridRow, index: int) -> Value:
    return row.values[index] if 0 <= index < len(row.values) else None
