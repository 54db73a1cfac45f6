"""From a grid to rows of typed values: headings found, columns recognised, every cell converted or reported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from integrated_fund.problem import Problem
from integrated_fund.round import DIMENSIONS, FILTER_COLUMNS, Dimension, Origin, Place, Table
from optalloc.workbook import values
from optalloc.workbook.grid import Grid, GridRow, Value, column_letter
from optalloc.workbook.names import fold, near_miss
from optalloc.workbook.schema import Column, Sheet
from optalloc.workbook.values import Mistake

_DIMENSION_ZH: Mapping[Dimension, str] = {
    "sector": "领域",
    "category": "类别",
    "region": "地区",
    "belt": "地带",
    "institution": "单位",
    "tag": "标签",
    "year": "年度",
}
_DIMENSION_WORDS: dict[str, Dimension] = {
    fold(word): dimension
    for dimension in DIMENSIONS
    for word in (
        dimension,
        FILTER_COLUMNS[dimension],
        _DIMENSION_ZH[dimension],
        f"{_DIMENSION_ZH[dimension]}范围",
    )
}
_MEASURES = {
    "award": ("award", "拨款"),
    "accepted": ("accepted", "立项", "立项数"),
    "cofunding": ("cofunding", "配套资金"),
}
_BASES = {"total": ("total", "总额"), "funds": ("funds", "资金总额"), "average": ("average", "平均")}
_ATTRIBUTES = {"population": ("population", "人口"), "gdp": ("gdp", "地区生产总值")}


def _word(words: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {fold(spelling): english for english, spellings in words.items() for spelling in spellings}


_MEASURE_WORDS = _word(_MEASURES | {"feasibility": ("feasibility", "可行性")})
_BASE_WORDS = _word(_BASES | _ATTRIBUTES)
_ATTRIBUTE_WORDS = _word(_ATTRIBUTES)


@dataclass
class Problems:
    """The problems found so far, each at one place once."""

    found: list[Problem] = field(default_factory=list)

    def add(self, code: str, place: Place | None, cell: Value = None, **details: str) -> None:
        """Note a problem."""
        self.found.append(Problem(code, place, values.text_of(cell), details))


@dataclass(frozen=True)
class Row:
    """One filled row: typed values by column (None: blank or faulty), its extra numbers, and where it stands."""

    origin: Origin
    typed: Mapping[str, Any]
    extra: Mapping[str, Decimal | None]
    faulty: frozenset[str]


@dataclass(frozen=True)
class SheetRows:
    """A sheet read: `extra` are the headings of its further numeric columns, in order."""

    sheet: Sheet
    table: Table
    rows: tuple[Row, ...]
    extra: tuple[str, ...]
    is_chinese: bool


def read_sheet(
    sheet: Sheet, grid: Grid, problems: Problems, step: Decimal | None, wanted_numbers: Collection[str]
) -> SheetRows:
    """Read a sheet. `wanted_numbers` are names that rules and criteria use as numeric columns, folded."""
    data = [row for row in grid.rows if any(not values.is_blank(value) for value in row.values)]
    if not data:
        if sheet.required:
            problems.add("no_heading_row", Place(grid.sheet), sheet=sheet.name, sheet_zh=sheet.zh)
        return SheetRows(sheet, Table(grid.sheet, {}), (), (), False)
    heading, body = data[0], data[1:]
    known, others, is_chinese = _headings(sheet, grid, heading, problems)
    if not sheet.built:
        for row in body[:1]:
            problems.add("sheet_not_built", _place(grid, row, 0), sheet=sheet.name, sheet_zh=sheet.zh)
        return SheetRows(sheet, Table(grid.sheet, {}), (), (), is_chinese)
    _note_hidden(grid, body, problems)
    _refuse_merged(grid, heading, body, problems)
    numeric = _numeric_columns(grid, heading, body, others, problems, wanted_numbers)
    letters = {column.name: column_letter(grid.first_column + position) for position, column in known.items()}
    letters |= {name: column_letter(grid.first_column + position) for position, name in numeric.items()}
    key_first = sorted(letters, key=lambda name: name not in sheet.key)  # a row's address is its key's cell
    table = Table(grid.sheet, {name: letters[name] for name in key_first})
    convert = {position: _converter(column, step) for position, column in known.items()}
    rows = tuple(_read_row(grid, table, row, known, convert, numeric, problems) for row in body)
    if sheet.required and not rows:
        problems.add("no_rows", Place(grid.sheet), sheet=sheet.name, sheet_zh=sheet.zh)
    return SheetRows(sheet, table, rows, tuple(numeric.values()), is_chinese)


def _place(grid: Grid, row: GridRow, position: int) -> Place:
    return Place(grid.sheet, f"{column_letter(grid.first_column + position)}{row.number}")


def heading_name(value: Value) -> str:
    """Return a heading for comparison: folded, blanks as underscores."""
    return "_".join(fold(values.text_of(value)).split())


def _headings(
    sheet: Sheet, grid: Grid, heading: GridRow, problems: Problems
) -> tuple[dict[int, Column], dict[int, str], bool]:
    """Return the known columns and the other headings by position, and whether most headings are Chinese."""
    words = {heading_name(word): column for column in sheet.columns for word in (column.name, column.zh)}
    known: dict[int, Column] = {}
    others: dict[int, str] = {}
    chinese = 0
    for position, value in enumerate(heading.values):
        if values.is_blank(value):
            continue
        column = words.get(heading_name(value))
        if column is None:
            others[position] = " ".join(values.text_of(value).split())
        elif column in known.values():
            problems.add("heading_twice", _place(grid, heading, position), value)
        else:
            known[position] = column
            chinese += heading_name(value) == heading_name(column.zh)
    present = {column.name for column in known.values()}
    for position, name in list(others.items()):
        missing = [word for column in sheet.columns if column.name not in present for word in (column.name, column.zh)]
        near = near_miss(name, missing)
        place = _place(grid, heading, position)
        if near is not None:
            problems.add("near_column", place, name, near=near)
            del others[position]
        elif sheet.built and not sheet.open:
            names = ", ".join(column.name for column in sheet.columns)
            problems.add("unknown_column", place, name, sheet=sheet.name, sheet_zh=sheet.zh, names=names)
            del others[position]
    folded: dict[str, int] = {}
    for position, name in list(others.items()):
        if fold(name) in folded:
            problems.add("heading_twice", _place(grid, heading, position), name)
            del others[position]
        folded.setdefault(fold(name), position)
    for column in sheet.columns:
        if sheet.built and column.required and column.name not in present:
            problems.add(
                "missing_column",
                _place(grid, heading, 0),
                column=column.name,
                column_zh=column.zh,
                sheet=sheet.name,
                sheet_zh=sheet.zh,
            )
    return known, others, chinese * 2 > len(known)


def _note_hidden(grid: Grid, body: Sequence[GridRow], problems: Problems) -> None:
    hidden = [row for row in body if row.hidden]
    if grid.hidden:
        problems.add("hidden_sheet", Place(grid.sheet))
    if hidden:
        problems.add("hidden_rows", _place(grid, hidden[0], 0), count=str(len(hidden)))


def _refuse_merged(grid: Grid, heading: GridRow, body: Sequence[GridRow], problems: Problems) -> None:
    if not grid.merged or not body:
        return
    first, last = body[0].number, body[-1].number
    left, right = grid.first_column, grid.first_column + len(heading.values) - 1
    for area in grid.merged:
        begin, _, end = area.partition(":")
        begin_column, begin_row = _address(begin)
        end_column, end_row = _address(end or begin)
        if begin_row <= last and end_row >= first and begin_column <= right and end_column >= left:
            problems.add("merged", Place(grid.sheet, begin), area)


def _address(cell: str) -> tuple[int, int]:
    letters = cell.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column, int(cell[len(letters) :])


def _numeric_columns(
    grid: Grid,
    heading: GridRow,
    body: Sequence[GridRow],
    others: Mapping[int, str],
    problems: Problems,
    wanted: Collection[str],
) -> dict[int, str]:
    """Return the further columns that hold numbers; others are named in a warning and passed over."""
    numeric: dict[int, str] = {}
    for position, name in others.items():
        cells = [row.values[position] for row in body if position < len(row.values)]
        filled = [cell for cell in cells if not values.is_blank(cell)]
        numbers = sum(isinstance(cell, float) or _looks_numeric(cell) for cell in filled)
        if fold(name) in wanted or (filled and 2 * numbers >= len(filled)):
            numeric[position] = name
        elif filled:
            problems.add("text_column", _place(grid, heading, position), name)
    width = max((len(row.values) for row in body), default=0)
    headed = {position for position, value in enumerate(heading.values) if not values.is_blank(value)}
    for position in range(width):
        if position not in headed:
            stray = next(
                (r for r in body if position < len(r.values) and not values.is_blank(r.values[position])), None
            )
            if stray is not None:
                problems.add("no_heading_above", _place(grid, stray, position), stray.values[position])
    return numeric


def _looks_numeric(cell: Value) -> bool:
    if not isinstance(cell, str):
        return False
    try:
        values.number(cell, lambda _: None)
    except Mistake:
        return False
    return True


def _read_row(
    grid: Grid,
    table: Table,
    row: GridRow,
    known: Mapping[int, Column],
    convert: Mapping[int, Callable[[Value, values.Note], Any]],
    numeric: Mapping[int, str],
    problems: Problems,
) -> Row:
    typed: dict[str, Any] = {}
    faulty: set[str] = set()
    cells = row.values
    for position, column in known.items():
        value = cells[position] if position < len(cells) else None
        if value is None or values.is_blank(value):
            if column.required:
                faulty.add(column.name)
                problems.add("missing_value", _place(grid, row, position), column=column.name, column_zh=column.zh)
            continue
        if not column.built:
            problems.add(
                "column_not_built", _place(grid, row, position), value, column=column.name, column_zh=column.zh
            )
            continue
        try:
            typed[column.name] = convert[position](value, _noter(problems, grid, row, position, value))
        except Mistake as mistake:
            faulty.add(column.name)
            details = {"column": column.name, "column_zh": column.zh, **mistake.details}
            problems.add(mistake.code, _place(grid, row, position), value, **details)
    extra: dict[str, Decimal | None] = {}
    for position, name in numeric.items():
        value = cells[position] if position < len(cells) else None
        extra[name] = None
        if value is None or values.is_blank(value):
            continue
        try:
            extra[name] = values.number(value, _noter(problems, grid, row, position, value))
        except Mistake as mistake:
            faulty.add(name)
            problems.add(
                mistake.code, _place(grid, row, position), value, column=name, column_zh=name, **mistake.details
            )
    return Row(Origin(table, row.number), typed, extra, frozenset(faulty))


def _noter(problems: Problems, grid: Grid, row: GridRow, position: int, value: Value) -> values.Note:
    def note(code: str) -> None:
        problems.add(code, _place(grid, row, position), value)

    return note


def converter_of(column: Column, step: Decimal | None) -> Callable[[Value, values.Note], Any]:
    """Return the function that makes a typed value of this column's cells."""
    return _converter(column, step)


def _converter(column: Column, step: Decimal | None) -> Callable[[Value, values.Note], Any]:
    kind = column.kind
    if kind == "choice":
        return lambda value, _: values.closed(value, column)
    if kind == "money":
        positive = column.name == "max_award"
        return lambda value, note: _money(value, note, step, positive=positive)
    if kind == "number" and column.name == "bound":
        return values.percent
    if kind in ("number", "whole"):
        parse = values.number if kind == "number" else values.whole
        return lambda value, note: _bounded(parse(value, note), column)
    if kind == "year":
        return _year
    if kind == "dimension":
        return lambda value, _: _dimension(value)
    if kind == "dimensions":
        return lambda value, note: tuple(_dimension(part) for part in values.several(value, note))
    if kind in ("measure", "base", "attribute"):
        words = {"measure": _MEASURE_WORDS, "base": _BASE_WORDS, "attribute": _ATTRIBUTE_WORDS}[kind]
        return lambda value, note: _worded(values.text(value, note), words)
    return {
        "text": values.text,
        "identifier": values.identifier,
        "reference": values.identifier,
        "references": values.several,
        "values": values.several,
        "regions": values.parts_of_region,
        "profile": values.profile,
        "share": values.share,
        "filter": values.selection,
    }[kind]


def _money(value: Value, note: values.Note, step: Decimal | None, *, positive: bool) -> Decimal:
    exact = values.number(value, note)
    if exact < 0 or (positive and exact == 0):
        raise Mistake("not_positive" if positive else "negative")
    if step is not None and exact % step != 0:
        below = exact // step * step
        raise Mistake(
            "not_a_multiple", step=format(step, "f"), below=format(below, "f"), above=format(below + step, "f")
        )
    return exact


def _bounded(value: Any, column: Column) -> Any:
    if column.least is not None and value < column.least:
        raise Mistake("too_small", least=str(column.least))
    return value


def _year(value: Value, note: values.Note) -> int:
    year = values.whole(value, note)
    if not 1000 <= year <= 9999:
        raise Mistake("not_a_year")
    return year


def _dimension(value: Value) -> Dimension:
    values.refuse_bad(value)
    found = _DIMENSION_WORDS.get(fold(values.text_of(value)))
    if found is None:
        chinese = "、".join(_DIMENSION_ZH.values())
        raise Mistake("not_a_choice", choices=", ".join(DIMENSIONS), choices_zh=chinese)
    return found


def _worded(name: str, words: Mapping[str, str]) -> str:
    return words.get(fold(name), name)


def places_of(rows: SheetRows, column: str) -> Iterator[Place]:
    """Yield the address of a column in every row."""
    return (row.origin.place(column) for row in rows.rows)
