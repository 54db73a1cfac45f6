"""The projects of a large round from a CSV or Parquet file named in Round, as if they stood on the sheet Projects.

A sheet ends at 1,048,576 rows and takes Excel minutes long before. The file has the columns of the sheet, in any order,
in either language; rows count as a spreadsheet would show them, the headings being row 1.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integrated_fund.round import Place
from optalloc.workbook import values
from optalloc.workbook.grid import Grid, GridRow, Value
from optalloc.workbook.names import fold, heading_name
from optalloc.workbook.schema import SETTINGS, sheet_named
from optalloc.workbook.sheets import Problems, filled_rows, known_columns

if TYPE_CHECKING:
    import pyarrow as pa

_SHEET = sheet_named("Projects")
_SETTING = {heading_name(word) for c in SETTINGS if c.name == "projects_file" for word in (c.name, c.zh)}
_PROJECTS = {fold(_SHEET.name), fold(_SHEET.zh)}
_ROUND = {fold(sheet_named("Round").name), fold(sheet_named("Round").zh)}
#: Kinds of columns in which a text that is a plain number is one: a CSV file has nothing but texts.
_NUMERIC = frozenset({"money", "number", "whole", "share", "year"})
_PLAIN = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?", re.ASCII)
_DIGITS = 15


@dataclass(frozen=True)
class ProjectsFile:
    """A projects file read: its rows in place of the sheet Projects, and the hash of its bytes."""

    grid: Grid
    sha256: str


def read_projects_file(grids: Sequence[Grid], folder: Path, problems: Problems) -> ProjectsFile | None:
    """Return the projects file that the sheet Round names; None where it names none, or one that cannot be read.

    What is wrong with the file as a whole is reported at the setting's cell.
    """
    found = _setting(grids)
    if found is None:
        return None
    place, text = found
    sheet = next((grid for grid in grids if fold(grid.sheet) in _PROJECTS), None)
    if sheet is not None and len(filled_rows(sheet)) > 1:
        problems.add("projects_file_and_sheet", place, text, path=text)
        return None
    path = folder / text
    if path.suffix.lower() not in (".csv", ".parquet"):
        problems.add("projects_file_kind", place, text)
        return None
    if not path.is_file():
        problems.add("projects_file_missing", place, text, path=text)
        return None
    try:
        content = path.read_bytes()
        table = _csv(content, path.name, problems) if path.suffix.lower() == ".csv" else _parquet(path, problems)
    except (OSError, ValueError) as trouble:  # pyarrow's own errors are ValueErrors or OSErrors
        reason = str(trouble).splitlines()[0] if str(trouble) else type(trouble).__name__
        problems.add("projects_file_unreadable", place, text, path=path.name, reason=reason)
        return None
    return None if table is None else ProjectsFile(table, hashlib.sha256(content).hexdigest())


def _setting(grids: Sequence[Grid]) -> tuple[Place, str] | None:
    """Return the address and the text of the setting; None where it is blank or no text (the reader reports that)."""
    round_ = next((grid for grid in grids if fold(grid.sheet) in _ROUND), None)
    filled = [] if round_ is None else filled_rows(round_)
    if round_ is None or not filled:
        return None
    known = {column.name: p for p, column in known_columns(sheet_named("Round"), filled[0]).items()}
    if "setting" not in known or "value" not in known:
        return None
    for row in filled[1:]:
        cells = [*row.values, *[None] * len(known)]
        name = cells[known["setting"]]
        value = cells[known["value"]]
        if isinstance(name, str) and heading_name(name) in _SETTING and isinstance(value, str) and value.strip():
            return round_.place(row.number, known["value"]), value.strip()
    return None


def _grid(name: str, headings: Sequence[str], rows: list[GridRow]) -> Grid:
    heading = GridRow(1, list[Value](headings))
    # The address of a column without a heading is its number.
    labels = tuple(text if text.strip() else f"column {number}" for number, text in enumerate(headings, 1))
    return Grid(_SHEET.name, [heading, *rows], file=name, headings=labels)


def _csv(content: bytes, name: str, problems: Problems) -> Grid | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as trouble:
        raise ValueError(f"it is not in UTF-8 (byte {trouble.start + 1})") from trouble
    if "\0" in text:
        raise ValueError("it holds zero bytes, which no text file does")
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        headings = next(lines, [])
        rows: list[GridRow] = []
        plain = _number_positions(headings)
        number = 1
        for fields in lines:
            number += 1
            if not fields:
                continue
            if len(fields) != len(headings):
                place = Place(name, f"{(headings or ['column 1'])[0]}:{number}")
                count, width = str(len(fields)), str(len(headings))
                problems.add("file_row_width", place, separator.join(fields)[:60], count=count, width=width)
                continue
            cells: list[Value] = [field if field else None for field in fields]
            for position in plain:
                field = fields[position]
                if _PLAIN.fullmatch(field) and sum(c.isdigit() for c in field) <= _DIGITS:
                    cells[position] = float(field)  # 15 digits go through a double unchanged
            rows.append(GridRow(number, cells))
    except csv.Error as trouble:
        raise ValueError(f"line {lines.line_num}: {trouble}") from trouble
    return _grid(name, headings, rows)


def _number_positions(headings: Sequence[str]) -> list[int]:
    """Return the positions of the columns that hold numbers if anything: of such a kind, or unknown to the schema."""
    known = known_columns(_SHEET, GridRow(1, list[Value](headings)))
    return [p for p in range(len(headings)) if p not in known or known[p].kind in _NUMERIC]


def _parquet(path: Path, problems: Problems) -> Grid | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except pa.ArrowException as trouble:
        raise ValueError(f"it is no Parquet file ({str(trouble).splitlines()[0]})") from trouble
    columns = []
    sound = True
    for heading, column in zip(table.column_names, table.columns, strict=True):
        cells = _cells(column)
        if cells is None:
            place = Place(path.name, f"{heading}:1")
            problems.add("file_column_type", place, heading, column=heading, kind=str(column.type))
            sound = False
            continue
        columns.append(cells)
    if not sound:
        return None
    rows = [GridRow(number, list(cells)) for number, cells in enumerate(zip(*columns, strict=True), 2)]
    return _grid(path.name, table.column_names, rows)


def _cells(column: pa.ChunkedArray) -> list[Any] | None:
    """Return a column as cells; None where its type is none that a sheet's cell has."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_floating(kind):
        if not pa.types.is_float64(kind):
            return None  # a float32 of 0.1 is not 0.1
        return [None if value is None or value != value else value for value in column.to_pylist()]
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return [_number(value) for value in column.to_pylist()]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return [value or None for value in column.to_pylist()]
    if pa.types.is_boolean(kind) or pa.types.is_null(kind) or pa.types.is_date(kind):
        return list(column.to_pylist())
    return None


def _number(value: int | Decimal | None) -> Value:
    """Return a number as a sheet's cell has it; one of more digits as its text, which is read exactly or refused."""
    if value is None:
        return None
    exact = Decimal(value)
    return float(exact) if len(exact.as_tuple().digits) <= _DIGITS else values.text_of(f"{exact:f}")
