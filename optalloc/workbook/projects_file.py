"""The projects of a large round from a CSV or Parquet file named in Round, as if they stood on the sheet Projects.

A sheet ends at 1,048,576 rows and takes Excel minutes long before. The file has the columns of the sheet, in any order,
in either language; rows count as a spreadsheet would show them, the headings being row 1.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from integrated_fund.round import Place
from optalloc.workbook import values
from optalloc.workbook.grid import BadCell, Coded, Codes, Grid, GridRow, Records, Value
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
#: Rows that are coded at a time: so few that their texts are still in the processor's cache.
_ROWS = 200
#: A round of a million projects has 180 MB in CSV. More would be read until the machine has no memory left.
_LARGEST = 1 << 30
#: A Parquet file of a few bytes may hold any number of equal cells.
_MOST_CELLS = 100_000_000
_MOST_ROWS = 10_000_000
#: Bytes looked at in one go for their encoding.
_PIECE = 1 << 20
#: Chinese headings that tell GB18030 from any other encoding: no other has these bytes for them.
_TELLING = 2
_URL = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class ProjectsFile:
    """The file that Round names: its rows in place of the sheet Projects (None: it cannot be used), its bytes' hash.

    `path` is None where there is no such file or it cannot be opened.
    """

    name: str
    path: Path | None = None
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
    name, path = Path(text).name, None
    try:
        if any(_is_filled(grid) for grid in grids if fold(grid.sheet) in _PROJECTS):
            raise _Unfit("projects_file_and_sheet", path=text)
        content = _content(folder, text)
        path = folder / text
        read = _csv if Path(text).suffix.lower() == ".csv" else _parquet
        grid = read(content, name, problems)
        return ProjectsFile(name, path, grid, hashlib.sha256(content).hexdigest())
    except _Unfit as unfit:
        problems.add(unfit.code, place, text, **unfit.details)
        return ProjectsFile(name, path)


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
    if _URL.match(text):
        raise _Unfit("projects_file_url")
    if Path(text).suffix.lower() not in (".csv", ".parquet"):
        raise _Unfit("projects_file_kind")
    if Path(text).is_absolute():
        raise _Unfit("projects_file_absolute", name=Path(text).name)
    path = folder / text
    try:
        if not path.is_file():
            raise _Unfit("projects_file_missing", path=text)
        if path.stat().st_size > _LARGEST:
            raise _too_long(text)
        return path.read_bytes()
    except OSError as error:
        raise _Unfit("projects_file_unreadable", path=text, reason=error.strerror or "–") from error
    except MemoryError as error:
        raise _Unfit("projects_file_too_large", path=text) from error


def _is_too_long(rows: int, columns: int) -> bool:
    return rows > _MOST_ROWS or rows * columns > _MOST_CELLS


def _too_long(path: str) -> _Unfit:
    return _Unfit(
        "projects_file_too_long", path=path, gib=str(_LARGEST >> 30), rows=f"{_MOST_ROWS:,}", cells=f"{_MOST_CELLS:,}"
    )


def _grid(name: str, headings: Sequence[str], first: int, numbers: Sequence[int], columns: Sequence[Coded]) -> Grid:
    """Return the grid of a file whose headings stand in row `first`; rows with nothing in them are left out."""
    blank = np.ones(len(numbers), dtype=np.bool_)
    for column in columns:
        if not blank.any():
            break  # the first column has something in every row, as a rule
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
        encoding = _encoding(content, name)
        first, headings, separator = _headings(content, name, encoding)
        if not headings:
            return Grid(_SHEET.name, [], file=name)
        return _csv_rows(_lines(content, name, separator, encoding), name, first, headings, separator, problems)
    except MemoryError as error:
        raise _Unfit("projects_file_too_large", path=name) from error


def _encoding(content: bytes, name: str) -> str:
    """Return UTF-8, or GB18030 as Excel writes it in Chinese where Chinese headings show that it is that.

    Most bytes can be read as GB18030, so that they can proves nothing.
    """
    wrong = _undecodable(content, "utf-8")
    if wrong is None:
        return "utf-8-sig"
    if _undecodable(content, "gb18030") is None:
        number, headings, _ = _headings(content, name, "gb18030")
        known = known_columns(_SHEET, GridRow(number, list[Value](headings)))
        if sum(not headings[position].isascii() for position in known) >= _TELLING:
            return "gb18030"
    raise _Unfit("projects_file_encoding", path=name, line=str(content.count(b"\n", 0, wrong) + 1))


def _undecodable(content: bytes, encoding: str) -> int | None:
    """Return where the first byte stands that an encoding does not have, or the piece of a character it belongs to."""
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(content)
    for begin in range(0, len(view) + 1, _PIECE):
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(view[begin : begin + _PIECE], final=begin + _PIECE > len(view))
        except UnicodeDecodeError as error:
            return begin - held + error.start
    return None


def _lines(content: bytes, name: str, separator: str, encoding: str) -> Iterator[list[str]]:
    """Yield the fields of every line; a line break in a quoted field is part of the line."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
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


def _headings(content: bytes, name: str, encoding: str) -> tuple[int, list[str], str]:
    """Return the first filled row's number and fields, by the separator that makes the most headings of it."""
    best: tuple[tuple[int, int], int, list[str], str] | None = None
    for separator in (",", ";", "\t"):
        try:
            lines = enumerate(_lines(content, name, separator, encoding), 1)
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
    lines: Iterator[list[str]], name: str, first: int, headings: Sequence[str], separator: str, problems: Problems
) -> Grid:
    width = len(headings)
    # Each column's distinct texts, in the order they are met, with their codes.
    coders: list[defaultdict[str, int]] = [defaultdict(count().__next__) for _ in headings]
    chunks: list[list[Codes]] = [[] for _ in headings]
    numbers: list[int] = []
    rows: list[list[str]] = []

    def pack() -> None:
        for coder, chunk, column in zip(coders, chunks, zip(*rows, strict=True), strict=True):
            chunk.append(np.fromiter(map(coder.__getitem__, column), np.int32, len(rows)))
        rows.clear()

    key = next((p for p, c in known_columns(_SHEET, GridRow(first, list[Value](headings))).items() if c.required), 0)
    for number, fields in enumerate(lines, 1):
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
            if _is_too_long(len(numbers), width):
                raise _too_long(name)
    if rows:
        pack()
    columns = []
    for coder, chunk in zip(coders, chunks, strict=True):
        columns.append(Coded([*coder, None], np.concatenate([np.empty(0, np.int32), *chunk])))
        coder.clear()
    return _grid(name, headings, first, numbers, columns)


def _parquet(content: bytes, name: str, problems: Problems) -> Grid | None:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        sizes = [file.metadata.row_group(number).total_byte_size for number in range(file.num_row_groups)]
        if _is_too_long(file.metadata.num_rows, file.metadata.num_columns) or sum(sizes) > _LARGEST:
            raise _too_long(name)
        # Texts stay coded as they stand in the file, so that many equal ones take the room of one.
        texts = [column.name for column in file.schema_arrow if _is_text(column.type)]
        table = parquet.ParquetFile(pa.BufferReader(content), read_dictionary=texts).read()
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
        kind = kind.value_type
        return column if _is_text(kind) or pa.types.is_large_string(kind) else _plain(column.cast(kind))
    if _is_text(kind):
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


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_string_view(kind))


def _coded(column: pa.ChunkedArray) -> Coded:
    """Return a column as cells of a sheet."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_null(kind) or len(column) == 0:
        return Coded([None], np.zeros(len(column), dtype=np.int32))
    encoded = column if pa.types.is_dictionary(kind) else column.dictionary_encode()
    chunks = encoded.unify_dictionaries().chunks
    distinct: list[Any] = chunks[0].dictionary.to_pylist()
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        distinct = [_number(value) for value in distinct]
    elif pa.types.is_floating(kind):
        distinct = [None if value != value else value for value in distinct]  # pandas writes blanks as NaN
    blank = len(distinct)
    codes = [chunk.indices.cast(pa.int64()).fill_null(blank).to_numpy().astype(np.int32) for chunk in chunks]
    return Coded([*distinct, None], np.concatenate(codes))


def _number(value: int | Decimal) -> Value:
    """Return a number as a sheet's cell has it; one of more digits as its text, which is read exactly or refused."""
    exact = Decimal(value)
    return float(exact) if len(exact.as_tuple().digits) <= _DIGITS else f"{exact:f}"
