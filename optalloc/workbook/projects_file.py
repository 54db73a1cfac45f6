"""The projects of a large round from a CSV or Parquet file named in Round, as if they stood on the sheet Projects.

A sheet ends at 1,048,576 rows and takes Excel minutes long before. The file has the columns of the sheet, in any order,
in either language; rows count as a spreadsheet would show them, the headings being row 1.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from integrated_fund.round import Place
from optalloc.workbook import values
from optalloc.workbook.grid import BadCell, Coded, Grid, GridRow, Records, Value
from optalloc.workbook.names import fold, heading_name
from optalloc.workbook.schema import SETTINGS, sheet_named
from optalloc.workbook.sheets import Problems, filled_rows, known_columns

if TYPE_CHECKING:
    import pyarrow as pa

_SHEET = sheet_named("Projects")
_SETTING = {heading_name(word) for c in SETTINGS if c.name == "projects_file" for word in (c.name, c.zh)}
_PROJECTS = {fold(_SHEET.name), fold(_SHEET.zh)}
_ROUND = {fold(sheet_named("Round").name), fold(sheet_named("Round").zh)}
_DIGITS = 15
#: Rows whose fields stand as Python texts at the same time.
_ROWS = 50_000
#: Far more than a round can have; a file may claim any number of rows without holding them.
_MOST_ROWS = 50_000_000


@dataclass(frozen=True)
class ProjectsFile:
    """The file that Round names: its rows in place of the sheet Projects (None: it cannot be used), its bytes' hash."""

    name: str
    grid: Grid | None = None
    sha256: str = ""


class _Unfit(Exception):
    """A file that no rows can be read from: the code of the wording, and what fills its gaps."""

    def __init__(self, code: str, **details: str) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


def read_projects_file(grids: Sequence[Grid], folder: Path, problems: Problems) -> ProjectsFile | None:
    """Return the projects file that the sheet Round names; None where it names none.

    What is wrong with the file as a whole is reported at the setting's cell.
    """
    found = _setting(grids)
    if found is None:
        return None
    place, text = found
    name = Path(text).name
    try:
        if any(_is_filled(grid) for grid in grids if fold(grid.sheet) in _PROJECTS):
            raise _Unfit("projects_file_and_sheet", path=text)
        content = _content(folder, text)
        read = _csv if Path(text).suffix.lower() == ".csv" else _parquet
        grid = read(content, name, problems)
        return ProjectsFile(name, grid, hashlib.sha256(content).hexdigest())
    except _Unfit as unfit:
        problems.add(unfit.code, place, text, **unfit.details)
        return ProjectsFile(name)


def _setting(grids: Sequence[Grid]) -> tuple[Place, str] | None:
    """Return the address and the text of the setting; None where it is blank or has an error of its own."""
    round_ = next((grid for grid in grids if fold(grid.sheet) in _ROUND), None)
    filled = [] if round_ is None else filled_rows(round_)
    if round_ is None or not filled:
        return None
    known = {column.name: p for p, column in known_columns(sheet_named("Round"), filled[0]).items()}
    if "setting" not in known or "value" not in known:
        return None
    for row in filled[1:]:
        cells = [*row.values, *[None] * (len(filled[0].values) - len(row.values))]
        name, value = cells[known["setting"]], cells[known["value"]]
        if isinstance(name, str) and heading_name(name) in _SETTING:
            if values.is_blank(value) or isinstance(value, BadCell):
                return None
            return round_.place(row.number, known["value"]), values.text_of(value).strip()
    return None


def _is_filled(sheet: Grid) -> bool:
    """Return whether a sheet holds more than its headings."""
    filled = filled_rows(sheet)
    return len(filled) > 1 or (len(filled) == 1 and not known_columns(_SHEET, filled[0]))


def _content(folder: Path, text: str) -> bytes:
    if Path(text).suffix.lower() not in (".csv", ".parquet"):
        raise _Unfit("projects_file_kind")
    if Path(text).is_absolute():
        raise _Unfit("projects_file_absolute", name=Path(text).name)
    try:
        if not (folder / text).is_file():
            raise _Unfit("projects_file_missing", path=text)
        return (folder / text).read_bytes()
    except OSError as error:
        raise _Unfit("projects_file_unreadable", path=text, reason=error.strerror or "–") from error
    except MemoryError as error:
        raise _Unfit("projects_file_too_large", path=text) from error


def _grid(name: str, headings: Sequence[str], first: int, numbers: Sequence[int], columns: Sequence[Coded]) -> Grid:
    """Return the grid of a file whose headings stand in row `first`; rows with nothing in them are left out."""
    blank = np.ones(len(numbers), dtype=np.bool_)
    for column in columns:
        blank &= column.has_any([code for code, value in enumerate(column.values) if values.is_blank(value)])
    if blank.any():
        kept = np.flatnonzero(~blank)
        numbers = np.asarray(numbers)[kept].tolist()
        columns = [Coded(column.values, column.codes[kept]) for column in columns]
    # The address of a column without a heading is its number.
    labels = tuple(" ".join(text.split()) or f"column {number}" for number, text in enumerate(headings, 1))
    heading = GridRow(first, list[Value](headings))
    return Grid(_SHEET.name, [heading], file=name, headings=labels, records=Records(numbers, list(columns)))


def _csv(content: bytes, name: str, problems: Problems) -> Grid:
    if b"\0" in content:
        raise _Unfit("projects_file_encoding", path=name, line=str(content.count(b"\n", 0, content.index(b"\0")) + 1))
    try:
        first, headings, separator = _headings(content, name)
        if not headings:
            return Grid(_SHEET.name, [], file=name)
        return _csv_rows(content, name, first, headings, separator, problems)
    except UnicodeDecodeError:
        raise _Unfit("projects_file_encoding", path=name, line=_undecodable(content)) from None
    except MemoryError as error:
        raise _Unfit("projects_file_too_large", path=name) from error


def _undecodable(content: bytes) -> str:
    """Return the line of the first byte that is no UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return str(content.count(b"\n", 0, error.start) + 1)
    raise AssertionError("these bytes were found to be no UTF-8")


def _lines(content: bytes, name: str, separator: str) -> Iterator[list[str]]:
    """Yield the fields of every line; a line break in a quoted field is part of the line."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    lines = csv.reader(text, delimiter=separator, strict=True)
    while True:
        begin = lines.line_num + 1
        try:
            fields = next(lines, None)
        except csv.Error as error:
            raise _Unfit("projects_file_quotes", path=name, line=str(begin)) from error
        if fields is None:
            return
        yield fields


def _headings(content: bytes, name: str) -> tuple[int, list[str], str]:
    """Return the first filled row's number and fields, by the separator that makes the most headings of it."""
    best: tuple[tuple[int, int], int, list[str], str] | None = None
    for separator in (",", ";", "\t"):
        try:
            lines = enumerate(_lines(content, name, separator), 1)
            number, fields = next(((n, found) for n, found in lines if not _is_blank(found)), (1, []))
        except _Unfit:
            if separator == "\t" and best is None:
                raise
            continue
        score = (len(known_columns(_SHEET, GridRow(number, list[Value](fields)))), len(fields))
        if best is None or score > best[0]:
            best = (score, number, fields, separator)
    assert best is not None  # the last one is tried or has raised
    return best[1:]


def _is_blank(fields: Sequence[str]) -> bool:
    return not any(field.strip() for field in fields)


def _csv_rows(
    content: bytes, name: str, first: int, headings: Sequence[str], separator: str, problems: Problems
) -> Grid:
    import pyarrow as pa

    width = len(headings)
    chunks: list[list[pa.Array]] = [[] for _ in headings]
    numbers: list[int] = []
    rows: list[list[str]] = []

    def pack() -> None:
        for chunk, column in zip(chunks, zip(*rows, strict=True), strict=True):
            chunk.append(pa.array(column, pa.large_string()))
        rows.clear()

    key = next((p for p, c in known_columns(_SHEET, GridRow(first, list[Value](headings))).items() if c.required), 0)
    for number, fields in enumerate(_lines(content, name, separator), 1):
        if number <= first or not fields:
            continue
        if len(fields) != width:
            if not _is_blank(fields):
                place = Grid(_SHEET.name, [], file=name, headings=tuple(headings)).place(number, key)
                found = separator.join(fields)[:60]
                problems.add("file_row_width", place, found, count=str(len(fields)), width=str(width))
            continue
        numbers.append(number)
        rows.append(fields)
        if len(rows) == _ROWS:
            pack()
    if rows:
        pack()
    columns = [_coded(pa.chunked_array(chunk, pa.large_string())) for chunk in chunks]
    return _grid(name, headings, first, numbers, columns)


def _parquet(content: bytes, name: str, problems: Problems) -> Grid | None:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        if file.metadata.num_rows > _MOST_ROWS:
            raise _Unfit("projects_file_too_large", path=name)
        table = file.read()
        columns = []
        for heading, column in zip(table.column_names, table.columns, strict=True):
            plain = _plain(column)
            if plain is None:
                kind = "float32" if pa.types.is_float32(column.type) else str(column.type)
                place = Grid(_SHEET.name, [], file=name, headings=(heading,)).place(1, 0)
                problems.add("file_column_type", place, heading, column=heading, kind=kind)
            else:
                columns.append(_coded(plain))
    except (pa.ArrowMemoryError, MemoryError) as error:
        raise _Unfit("projects_file_too_large", path=name) from error
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise _Unfit("projects_file_damaged", path=name) from error
    if len(columns) < len(table.column_names):
        return None
    if not columns:
        return Grid(_SHEET.name, [], file=name)
    return _grid(name, table.column_names, 1, range(2, table.num_rows + 2), columns)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return a column of a type that a sheet's cell has, None where it is none (a float32 of 0.1 is not 0.1)."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.large_string())  # one text of the whole column may be longer than 2 GiB
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us"), safe=False)
    if pa.types.is_time(kind):
        return column.cast(pa.time64("us"), safe=False)
    of_a_cell = (
        pa.types.is_integer, pa.types.is_decimal, pa.types.is_float64, pa.types.is_large_string, pa.types.is_boolean,
        pa.types.is_date, pa.types.is_null,
    )  # fmt: skip
    return column if any(is_one(kind) for is_one in of_a_cell) else None


def _coded(column: pa.ChunkedArray) -> Coded:
    """Return a column as cells of a sheet."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_null(kind):
        return Coded([None], np.zeros(len(column), dtype=np.int32))
    encoded = column.combine_chunks().dictionary_encode()
    distinct: list[Any] = encoded.dictionary.to_pylist()
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        distinct = [_number(value) for value in distinct]
    elif pa.types.is_floating(kind):
        distinct = [None if value != value else value for value in distinct]  # pandas writes blanks as NaN
    codes = encoded.indices.fill_null(len(distinct)).to_numpy().astype(np.int32, copy=False)
    return Coded([*distinct, None], codes)


def _number(value: int | Decimal) -> Value:
    """Return a number as a sheet's cell has it; one of more digits as its text, which is read exactly or refused."""
    exact = Decimal(value)
    return float(exact) if len(exact.as_tuple().digits) <= _DIGITS else f"{exact:f}"
