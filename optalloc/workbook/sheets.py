"""From a grid to typed columns: the heading row found, columns recognised, every cell converted or reported."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from integrated_fund.problem import Problem
from integrated_fund.round import Origin, Place, Table
from optalloc.workbook import values
from optalloc.workbook.columns import Converted, Converter, convert_column, converter_of
from optalloc.workbook.grid import BadCell, Grid, GridRow, Records, Value, tally
from optalloc.workbook.names import heading_name as folded_heading
from optalloc.workbook.names import near_miss
from optalloc.workbook.schema import Column, Sheet
from optalloc.workbook.values import Mistake

_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9]\d*)", re.ASCII)


@dataclass
class Problems:
    """The problems found so far."""

    found: list[Problem] = field(default_factory=list)

    def add(self, code: str, place: Place | None, cell: Value = None, **details: str) -> None:
        """Note a problem; `cell` is what stands there."""
        self.found.append(Problem(code, place, values.text_of(cell), details))


@dataclass(frozen=True)
class Row:
    """One row of a sheet: where it stands, its typed values by column (blank and faulty ones are left out)."""

    origin: Origin
    typed: Mapping[str, Any]
    extra: Mapping[str, Decimal | None]
    faulty: frozenset[str]


@dataclass(frozen=True)
class SheetRows:
    """A sheet read, column by column.

    `typed` and `extra` (the further numeric columns, by heading) have a value for each row, None where the cell is
    blank or faulty; `faulty` has the positions of the cells that could not be taken or are missing. `numbers` are the
    rows' numbers in Excel. `chinese` and `english` count the headings in either language.
    """

    sheet: Sheet
    table: Table
    numbers: Sequence[int] = ()
    typed: Mapping[str, list[Any]] = field(default_factory=lambda: MappingProxyType({}))
    extra: Mapping[str, list[Decimal | None]] = field(default_factory=lambda: MappingProxyType({}))
    faulty: Mapping[str, frozenset[int]] = field(default_factory=lambda: MappingProxyType({}))
    chinese: int = 0
    english: int = 0

    @property
    def has_columns(self) -> bool:
        """Whether every column that a row cannot do without is there."""
        return all(column.name in self.table.columns for column in self.sheet.columns if column.required)

    def column(self, name: str) -> list[Any]:
        """Return a column's typed values; blanks where the sheet has no such column."""
        found = self.typed.get(name)
        return [None] * len(self.numbers) if found is None else found

    def faulty_in(self, name: str) -> frozenset[int]:
        """Return the positions of a column's faulty cells."""
        return self.faulty.get(name, frozenset())

    def rows(self) -> Iterator[Row]:
        """Yield the rows one by one."""
        for position, number in enumerate(self.numbers):
            yield Row(
                Origin(self.table, number),
                {name: column[position] for name, column in self.typed.items() if column[position] is not None},
                {name: column[position] for name, column in self.extra.items()},
                frozenset(name for name, positions in self.faulty.items() if position in positions),
            )


def heading_name(value: Value) -> str:
    """Return a heading for comparison: folded, blanks as underscores."""
    return folded_heading(values.text_of(value))


def filled_rows(grid: Grid) -> list[GridRow]:
    """Return the rows with something in them; the first one has the headings."""
    return [row for row in grid.rows if any(not values.is_blank(value) for value in row.values)]


def known_columns(sheet: Sheet, heading: GridRow) -> dict[int, Column]:
    """Return the columns that a heading row names, by position."""
    words = {folded_heading(word): column for column in sheet.columns for word in (column.name, column.zh)}
    found = ((position, words.get(heading_name(value))) for position, value in enumerate(heading.values))
    return {position: column for position, column in found if column is not None}


def read_sheet(
    sheet: Sheet, grid: Grid, problems: Problems, step: Decimal | None, wanted_numbers: Collection[str]
) -> SheetRows:
    """Read a sheet. `wanted_numbers` are headings that rules and criteria use as numeric columns, folded."""
    empty = SheetRows(sheet, Table(grid.name, {}))
    filled = filled_rows(grid)
    if not sheet.built:
        _refuse_filled(sheet, grid, filled, problems)
        return empty
    if not filled:
        if sheet.required:
            problems.add("empty_sheet", Place(grid.name), sheet=sheet.name, sheet_zh=sheet.zh)
        return empty
    heading = filled[0]
    if not known_columns(sheet, heading):
        wanted, wanted_zh = _headings_wanted(sheet)
        first = next(position for position, value in enumerate(heading.values) if not values.is_blank(value))
        problems.add(
            "no_headings", grid.place(heading.number, first), heading.values[first],
            sheet=sheet.name, sheet_zh=sheet.zh, names=wanted, names_zh=wanted_zh,
        )  # fmt: skip
        return empty
    known, others = _headings(sheet, grid, heading, problems)
    _note_hidden(grid, filled[1:], problems)
    _refuse_merged(grid, heading, filled[1:], problems)
    body = _records(filled) if grid.records is None else grid.records
    if sheet.required and not body.numbers:
        problems.add("no_rows", Place(grid.name), sheet=sheet.name, sheet_zh=sheet.zh)
    numeric = _numeric_columns(grid, heading, body, others, problems, wanted_numbers)
    _note_unheaded(grid, heading, body, problems)
    letters = {column.name: grid.label(position) for position, column in known.items()}
    letters |= {name: grid.label(position) for position, name in numeric.items()}
    key_first = sorted(letters, key=lambda name: name not in sheet.key)  # a row's address is its key's cell
    converted: dict[str, Converted] = {}
    faulty: dict[str, frozenset[int]] = {}
    for position, column in known.items():
        convert = converter_of(column, step) if column.built else _refuse_value
        names = {"column": column.name, "column_zh": column.zh}
        found = _report(grid, body, position, convert, problems, names)
        missing: frozenset[int] = frozenset()
        if column.required:
            blank = (row for row, value in enumerate(found.typed) if value is None and row not in found.troubles)
            missing = frozenset(blank)
            for row in sorted(missing):
                problems.add("missing_value", grid.place(body.numbers[row], position), **names)
        converted[column.name] = found
        faulty[column.name] = found.faulty | missing
    further: dict[str, Converted] = {}
    for position, name in numeric.items():
        names = {"column": name, "column_zh": name}
        further[name] = _report(grid, body, position, values.number, problems, names)
        faulty[name] = further[name].faulty
    english = sum(heading_name(heading.values[p]) == folded_heading(column.name) for p, column in known.items())
    return SheetRows(
        sheet,
        Table(grid.name, MappingProxyType({name: letters[name] for name in key_first}), is_file=grid.file is not None),
        body.numbers,
        {name: found.typed for name, found in converted.items()},
        {name: found.typed for name, found in further.items()},
        {name: positions for name, positions in faulty.items() if positions},
        chinese=len(known) - english,
        english=english,
    )


def _refuse_filled(sheet: Sheet, grid: Grid, filled: Sequence[GridRow], problems: Problems) -> None:
    """Refuse a sheet that is not built yet, unless it holds its headings at most."""
    if not filled:
        return
    content = filled[1:] if known_columns(sheet, filled[0]) else filled
    for row in content[:1]:
        first = next(position for position, value in enumerate(row.values) if not values.is_blank(value))
        place = grid.place(row.number, first)
        problems.add("sheet_not_built", place, row.values[first], sheet=sheet.name, sheet_zh=sheet.zh)


def _headings_wanted(sheet: Sheet) -> tuple[str, str]:
    wanted = [column for column in sheet.columns if column.required]
    return ", ".join(column.name for column in wanted), "、".join(column.zh for column in wanted)


def _records(filled: Sequence[GridRow]) -> Records:
    """Return the rows below the first one column by column, short rows filled up with blanks."""
    body, width = filled[1:], max(len(row.values) for row in filled)
    full = [
        row.values if len(row.values) == width else [*row.values, *[None] * (width - len(row.values))] for row in body
    ]
    columns: list[Sequence[Value]] = list(zip(*full, strict=True)) if body else [()] * width
    return Records([row.number for row in body], columns)


def _headings(
    sheet: Sheet, grid: Grid, heading: GridRow, problems: Problems
) -> tuple[dict[int, Column], dict[int, str]]:
    """Return the known columns and the further headings by position; report the headings that are wrong."""
    recognised = known_columns(sheet, heading)
    known: dict[int, Column] = {}
    others: dict[int, str] = {}
    present: set[str] = set()
    for position, value in enumerate(heading.values):
        if values.is_blank(value):
            continue
        column = recognised.get(position)
        if column is None:
            try:
                others[position] = values.heading(value)
            except Mistake as mistake:
                problems.add(mistake.code, grid.place(heading.number, position), value, **mistake.details)
        elif column.name in present:
            problems.add("heading_twice", grid.place(heading.number, position), value)
        else:
            present.add(column.name)
            known[position] = column
    missing = {
        word: column for column in sheet.columns if column.name not in present for word in (column.name, column.zh)
    }
    mistaken: set[str] = set()
    seen: set[str] = set()
    for position, name in list(others.items()):
        place = grid.place(heading.number, position)
        near = near_miss(name, missing)
        if near is not None:
            problems.add("near_column", place, name, near=near)
            mistaken.add(missing[near].name)
            del others[position]
        elif not sheet.open:
            names, names_zh = ", ".join(c.name for c in sheet.columns), "、".join(c.zh for c in sheet.columns)
            problems.add(
                "unknown_column", place, name, sheet=sheet.name, sheet_zh=sheet.zh, names=names, names_zh=names_zh
            )
            del others[position]
        elif folded_heading(name) in seen:
            problems.add("heading_twice", place, name)
            del others[position]
        seen.add(folded_heading(name))
    for column in sheet.columns:
        if column.required and column.name not in present | mistaken:
            place = grid.place(heading.number, 0)
            problems.add(
                "missing_column", place, column=column.name, column_zh=column.zh, sheet=sheet.name, sheet_zh=sheet.zh
            )
    return known, others


def _note_hidden(grid: Grid, body: Sequence[GridRow], problems: Problems) -> None:
    hidden = [row for row in body if row.hidden]
    if grid.hidden:
        problems.add("hidden_sheet", Place(grid.name))
    if hidden:
        problems.add("hidden_rows", grid.place(hidden[0].number, 0), count=str(len(hidden)))


def _refuse_merged(grid: Grid, heading: GridRow, body: Sequence[GridRow], problems: Problems) -> None:
    if not grid.merged or not body:
        return
    first, last = body[0].number, body[-1].number
    left = grid.first_column
    right = left + max(len(row.values) for row in (heading, *body)) - 1
    for area in grid.merged:
        corners = [_ADDRESS.fullmatch(corner) for corner in area.split(":")]
        if None in corners or len(corners) > 2:
            problems.add("merged", Place(grid.name), area, area=area)
            continue
        (begin_column, begin_row), (end_column, end_row) = (
            (_column_number(corner[1]), int(corner[2])) for corner in (corners[0], corners[-1]) if corner is not None
        )
        if begin_row <= last and end_row >= first and begin_column <= right and end_column >= left:
            problems.add("merged", Place(grid.sheet, area.split(":")[0]), area, area=area)


def _column_number(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column


def _numeric_columns(
    grid: Grid,
    heading: GridRow,
    body: Records,
    others: Mapping[int, str],
    problems: Problems,
    wanted: Collection[str],
) -> dict[int, str]:
    """Return the further columns that hold numbers; others are named in a warning and passed over.

    A column holds numbers if something counts it, or if at least half of its filled cells are numbers, or were meant to
    be: an error or a formula without a value says nothing of texts.
    """
    numeric: dict[int, str] = {}
    for position, name in others.items():
        found = [(cell, count) for cell, count in tally(body.columns[position]) if not values.is_blank(cell)]
        filled = sum(count for _, count in found)
        numbers = sum(count for cell, count in found if isinstance(cell, float | BadCell) or _looks_numeric(cell))
        if folded_heading(name) in wanted or (filled and 2 * numbers >= filled):
            numeric[position] = name
        elif filled:
            problems.add("text_column", grid.place(heading.number, position), name)
    return numeric


def _looks_numeric(cell: Value) -> bool:
    if not isinstance(cell, str):
        return False
    try:
        values.number(cell, lambda _: None)
    except Mistake:
        return False
    return True


def _note_unheaded(grid: Grid, heading: GridRow, body: Records, problems: Problems) -> None:
    for position, column in enumerate(body.columns):
        if position < len(heading.values) and not values.is_blank(heading.values[position]):
            continue
        stray = next((row for row, cell in enumerate(column) if not values.is_blank(cell)), None)
        if stray is not None:
            problems.add("no_heading_above", grid.place(body.numbers[stray], position), column[stray])


def _refuse_value(value: Value, note: values.Note) -> None:
    del value, note
    raise Mistake("column_not_built")


def _report(
    grid: Grid, body: Records, position: int, convert: Converter, problems: Problems, names: Mapping[str, str]
) -> Converted:
    """Convert a column and report the troubles at their cells."""
    cells = body.columns[position]
    converted = convert_column(cells, convert)
    for row, trouble in converted.troubles.items():
        place = grid.place(body.numbers[row], position)
        for code in trouble.notes:
            problems.add(code, place, cells[row])
        if trouble.mistake is not None:
            problems.add(trouble.mistake.code, place, cells[row], **{**names, **trouble.mistake.details})
    return converted
