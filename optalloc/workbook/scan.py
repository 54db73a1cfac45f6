"""The inflated XML of one sheet: looked at, and handed on clean.

Rows as spreadsheet programs write them are recognised byte for byte by one pattern and handed on as they are.
Everything else goes through expat, cell by cell, and is written anew; cells no value can be taken from are noted with
their address. So nothing reaches the fast reader but rows of which it is known what it makes of them.
ECMA-376 part 1, section 18.3.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.grid import BadCell, Value, column_letter
from optalloc.workbook.package import damaged, hostile, shown
from optalloc.workbook.parts import PLAIN_TEXT, escaped
from optalloc.workbook.strict_xml import Attributes, Divider, StrictParser

LAST_ROW = 1 << 20
LAST_COLUMN = 1 << 14

_NUMBER = rb"-?\d{1,20}(?:\.\d{1,25})?(?:[eE][+-]?(?:[01]\d\d|\d\d|\d))?"
_FORMULA = rb'(?:<f(?: (?:aca|ca|t|si|ref)="[\w:$]*")*(?:/>|>' + PLAIN_TEXT + rb"</f>))?"
_CELL = (
    rb'<c r="[A-Z]{1,3}\1"(?: s="\d{1,5}")?(?: ?/>|(?: t="n")?>' + _FORMULA + rb"<v>" + _NUMBER + rb"</v></c>"
    rb'| t="s"><v>\d{1,9}</v></c>'
    rb'| t="b">' + _FORMULA + rb"<v>[01]</v></c>"
    rb'| t="str">' + _FORMULA + rb"<v>" + PLAIN_TEXT + rb"</v></c>"
    rb'| t="inlineStr"><is><t(?: xml:space="preserve")?>' + PLAIN_TEXT + rb"</t></is></c>)"
)
_ROW = re.compile(
    rb'<row r="([1-9]\d{0,6})"((?: (?:spans|s|style|customFormat|ht|customHeight|hidden|outlineLevel|collapsed|thickTop'
    rb'|thickBot|ph|x14ac:dyDescent)="[\w.: ]*")*+) ?(?:/>|>(?:' + _CELL + rb")*+</row>)",
    re.ASCII,
)
_COLUMN = re.compile(rb'<c r="([A-Z]{1,3})')
_FILLED_COLUMN = re.compile(rb'<c r="([A-Z]{1,3})\d+"(?: s="\d+")?(?: t="\w+")?>')
_STRING = re.compile(rb't="s"><v>(\d+)')
_IS_HIDDEN = re.compile(rb'hidden="(?:1|true)"')
_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)
_RANGE = re.compile(r"[A-Z]{1,3}[1-9]\d{0,6}(?::[A-Z]{1,3}[1-9]\d{0,6})?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SHORT_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)

_ROW_END = b"</row>"
_SHEET_DATA = b"<sheetData>"
_LONGEST_NUMBER = 64
_LONGEST_TEXT = 1 << 20
_QUOTED = 60
#: Values of a sheet: a round of a million projects has 17 million.
_MOST_VALUES = 25_000_000
_MOST_MERGES = 500_000
_MOST_SPECIAL = 1_000_000
#: Cells of the smallest rectangle round the values that may be blank, whatever the number of values.
_FREE_BLANKS = 2_000_000
_BLANKS_PER_VALUE = 20


class RowsOutOfOrder(Exception):
    """A row stands at or behind a later one: the sheet must be scanned again, every cell remembered."""


@dataclass
class Scanned:
    """What the scan of a sheet found beside the rows it handed on.

    `special` are the values that the fast reader does not see: bad cells, ISO dates; by (row, column), 1-based.
    """

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[str] = field(default_factory=list)
    special: dict[tuple[int, int], Value] = field(default_factory=dict)
    values: int = 0
    # One entry a row with values: number, first and last column with a value.
    rows: array[int] = field(default_factory=lambda: array("I"))
    first: array[int] = field(default_factory=lambda: array("I"))
    last: array[int] = field(default_factory=lambda: array("I"))

    def note_values(self, row: int, first: int, last: int, count: int) -> None:
        """Remember that a row has so many values between two columns."""
        self.rows.append(row)
        self.first.append(first)
        self.last.append(last)
        self.values += count


def scan_sheet(
    chunks: Iterable[bytes],
    part: str,
    sheet: str,
    strings: int,
    write: Callable[[bytes], object],
    *,
    every_cell: bool = False,
) -> Scanned:
    """Scan a sheet, and write its rows, clean, to `write`.

    `strings` is the number of shared strings. `every_cell` sends all rows through expat.

    Raises:
        WorkbookUnreadable: damaged, hostile, far_cell.
        RowsOutOfOrder: only without `every_cell`.
    """
    found = Scanned()
    cells = _Cells(part, sheet, strings, found, write, every_cell=every_cell)
    rows = _Rows(cells)
    divider = Divider(cells.parser, (_ROW_END, _SHEET_DATA), _take_nothing if every_cell else rows.take)
    for chunk in chunks:
        divider.feed(chunk)
        if found.values > _MOST_VALUES:
            raise WorkbookUnreadable(
                "too_large",
                f"The sheet {shown(sheet)} has more than {_MOST_VALUES} filled cells. Take out what does not belong.",
                sheet,
            )
    divider.close()
    if not cells.has_data:
        raise damaged(f"The part of the sheet {shown(sheet)} is no sheet with rows.", sheet)
    _refuse_far_cell(found, sheet)
    return found


def _take_nothing(data: bytes, position: int) -> int:
    del data
    return position


class _Rows:
    """Rows that the pattern knows, handed on as they are."""

    def __init__(self, cells: _Cells) -> None:
        self.cells = cells
        self.found = cells.found
        self.sheet = cells.sheet
        self.columns: dict[tuple[bytes, ...], tuple[int, int]] = {}

    def take(self, data: bytes, position: int) -> int:
        """Go over the rows from a position on; return where they end."""
        end = self._look(data, position)
        if end > position:
            self._hand_on(data[position:end])
        return end

    def _look(self, data: bytes, position: int) -> int:
        match, columns_of, found, last = _ROW.match, _COLUMN.findall, self.found, self.cells.last_row
        while row := match(data, position):
            number = int(row[1])
            if number <= last:
                raise RowsOutOfOrder
            if number > LAST_ROW:
                raise _no_such_cell(self.sheet, f"A{number}")
            last = number
            text = row[0]
            columns = tuple(columns_of(text))
            if columns:
                extent = self.columns.get(columns) or self._extent(columns, number)
                if extent is None:
                    break  # a cell stands twice
                if b"/>" in text:
                    filled = _FILLED_COLUMN.findall(text)
                    if filled:
                        extent = self._extent(tuple(filled), number)
                        assert extent is not None
                        found.note_values(number, *extent, len(filled))
                else:
                    found.note_values(number, *extent, len(columns))
            if row[2] and _IS_HIDDEN.search(row[2]):
                found.hidden_rows.add(number)
            position = row.end()
            self.cells.last_row = number
        return position

    def _extent(self, columns: tuple[bytes, ...], row: int) -> tuple[int, int] | None:
        """Return the first and the last column of a row's cells, None if one stands twice."""
        numbers = [column_number(letters.decode()) for letters in columns]
        if max(numbers) > LAST_COLUMN:
            raise _no_such_cell(self.sheet, f"{column_letter(max(numbers))}{row}")
        if len(set(numbers)) < len(numbers):
            return None
        extent = min(numbers), max(numbers)
        if len(self.columns) < 1000 and len(columns) < 200:
            self.columns[columns] = extent
        return extent

    def _hand_on(self, rows: bytes) -> None:
        try:
            rows.decode()
        except UnicodeDecodeError as error:
            raise damaged(f"The sheet {shown(self.sheet)} holds characters that are none.", self.sheet) from error
        indices = _STRING.findall(rows)
        if indices and max(map(int, indices)) >= self.cells.strings:
            index = next(index for index in indices if int(index) >= self.cells.strings)
            at = re.search(rb'r="([A-Z]+\d+)"[^>]* t="s"><v>' + index + b"<", rows)
            assert at is not None
            raise _no_such_string(self.sheet, at[1].decode())
        self.cells.write(rows)


@dataclass(slots=True)
class _Cell:
    """A cell being read by expat: what its elements hold."""

    row: int
    column: int
    style: str
    kind: str
    value: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    formula: list[str] = field(default_factory=list)
    has_value: bool = False
    has_inline: bool = False
    has_formula: bool = False
    has_markup: bool = False
    length: int = 0


def _address(cell: _Cell) -> str:
    return f"{_letters(cell.column)}{cell.row}"


_letters = cache(column_letter)


class _Cells:
    """Handlers for expat: every row it is fed is written anew, and what cannot be read is noted."""

    def __init__(
        self,
        part: str,
        sheet: str,
        strings: int,
        found: Scanned,
        write: Callable[[bytes], object],
        *,
        every_cell: bool,
    ) -> None:
        self.sheet = sheet
        self.strings = strings
        self.found = found
        self.write = write
        self.every_cell = every_cell
        self.last_row = 0
        self.parser = StrictParser(part, self._start, self._end, sheet)
        self.path = self.parser.path
        expat = self.parser.expat
        expat.CharacterDataHandler = self._text
        expat.CommentHandler = expat.ProcessingInstructionHandler = self._markup
        expat.StartCdataSectionHandler = self._markup
        self._seen: set[int] = set()  # cells, of the row or of the sheet, as row x LAST_COLUMN + column
        self._row = 0
        self._done_row = 0  # no row that parser or pattern have left lies behind it
        self._column = 0
        self._count = 0
        self._written: list[str] = []
        self._filled: list[int] = []
        self._cell: _Cell | None = None
        self._sink: list[str] | None = None
        self.has_data = False

    def _start(self, word: str | None, attributes: Attributes) -> None:
        path = self.path
        depth = len(path)
        if self._cell is not None:
            self._start_in_cell(self._cell, word, depth)
        elif depth == 0:
            if word != "worksheet":
                raise damaged(f"The part of the sheet {shown(self.sheet)} is no sheet.", self.sheet)
        elif word == "sheetData" and depth == 1:
            if self.has_data:
                raise damaged(f"The sheet {shown(self.sheet)} has two tables of rows.", self.sheet)
            self.has_data = True
            self.parser.note_mark(_SHEET_DATA)
        elif word == "row" and depth == 2 and path[1] == "sheetData":
            self._start_row(attributes)
        elif word == "c" and depth == 3 and path[2] == "row" and path[1] == "sheetData":
            self._start_cell(attributes)
        elif word == "col" and path[-1] == "cols":
            self._column_width(attributes)
        elif word == "mergeCell" and path[-1] == "mergeCells":
            area = attributes.get("ref", "").replace("$", "").upper()
            if not _RANGE.fullmatch(area):
                raise damaged(f"The sheet {shown(self.sheet)} merges cells that do not exist.", self.sheet)
            self.found.merged.append(area)
            if len(self.found.merged) > _MOST_MERGES:
                raise hostile(f"The sheet {shown(self.sheet)} merges more than {_MOST_MERGES} times.", self.sheet)

    def _end(self, word: str | None) -> None:
        depth = len(self.path)
        self._sink = None
        if self._cell is not None:
            if depth == 3:
                cell, self._cell = self._cell, None
                self._finish(cell)
        elif word == "row" and depth == 2 and self.path[1] == "sheetData":
            self.parser.note_mark(_ROW_END)
            self._done_row = self.last_row
            if self._filled:
                self.found.note_values(self._row, min(self._filled), max(self._filled), len(self._filled))
                self._filled = []
            if self._written:
                self.write(f'<row r="{self._row}">{"".join(self._written)}</row>'.encode())
                self._written = []

    def _text(self, data: str) -> None:
        if self._sink is None or self._cell is None:
            return
        self._cell.length += len(data)
        if self._cell.length > _LONGEST_TEXT:
            raise hostile("The cell holds more than a million characters.", self.sheet, _address(self._cell))
        self._sink.append(data)

    def _markup(self, *_: object) -> None:
        if self._sink is not None and self._cell is not None and self._sink is not self._cell.formula:
            self._cell.has_markup = True

    def _start_row(self, attributes: Attributes) -> None:
        number = attributes.get("r")
        if number is None:
            row = self.last_row + 1
        elif _WHOLE.fullmatch(number.strip()):
            row = int(number)
        else:
            raise damaged(f"The sheet {shown(self.sheet)} has a row numbered {shown(number)}.", self.sheet)
        if not 1 <= row <= LAST_ROW:
            raise damaged(f"The sheet {shown(self.sheet)} has a row numbered {row}: Excel has none.", self.sheet)
        if row <= self.last_row and not self.every_cell:
            raise RowsOutOfOrder
        self._row = row
        self.last_row = max(self.last_row, row)
        self._column = self._count = 0
        if not self.every_cell:
            self._seen.clear()
        if attributes.get("hidden") in ("1", "true"):
            self.found.hidden_rows.add(row)

    def _start_cell(self, attributes: Attributes) -> None:
        address = attributes.get("r")
        row = self._row
        column = self._column + 1
        if address is not None:
            match = _ADDRESS.fullmatch(address.strip().upper())
            if match is None:
                raise _no_such_cell(self.sheet, address)
            row, column = int(match[2]), column_number(match[1])
        if column > LAST_COLUMN or row > LAST_ROW:
            raise _no_such_cell(self.sheet, address or f"{column_letter(column)}{row}")
        if row != self._row:
            raise damaged(f"The cell stands in row {self._row}.", self.sheet, address)
        self._column = column
        self._count += 1
        if self._count > LAST_COLUMN:
            raise damaged(f"Row {row} has more cells than a sheet has columns.", self.sheet)
        style = attributes.get("s", "")
        self._cell = _Cell(row, column, style if _WHOLE.fullmatch(style) else "", attributes.get("t", "n"))

    def _start_in_cell(self, cell: _Cell, word: str | None, depth: int) -> None:
        self._sink = None
        if depth == 4 and word == "v":
            cell.has_markup |= cell.has_value
            cell.has_value = True
            self._sink = cell.value
        elif depth == 4 and word == "f":
            cell.has_markup |= cell.has_formula
            cell.has_formula = True
            self._sink = cell.formula
        elif depth == 4 and word == "is":
            cell.has_markup |= cell.has_inline
            cell.has_inline = True
        elif depth > 4 and self.path[4] == "is":
            if word == "t" and "rPh" not in self.path:
                self._sink = cell.inline
        elif depth > 4 and self.path[4] in ("v", "f"):
            cell.has_markup = True

    def _column_width(self, attributes: Attributes) -> None:
        first, last = attributes.get("min", ""), attributes.get("max", "")
        if attributes.get("hidden") in ("1", "true") and _WHOLE.fullmatch(first) and _WHOLE.fullmatch(last):
            self.found.hidden_columns.update(range(int(first), min(int(last), LAST_COLUMN) + 1))

    def _finish(self, cell: _Cell) -> None:
        """Write the cell anew, or note what is special about it."""
        key = cell.row * LAST_COLUMN + cell.column
        stands_twice = key in self._seen
        self._seen.add(key)
        read = self._read(cell)
        if stands_twice:
            self._note(cell, _bad("repeated", "".join(cell.inline or cell.value)).value)
            self._filled.append(cell.column)
            return
        if read is None:
            return
        if cell.row <= self._done_row:
            raise damaged("The cell's row goes on behind its end or behind a later row.", self.sheet, _address(cell))
        self._filled.append(cell.column)
        if isinstance(read, str):
            self._written.append(read)
        else:
            self._note(cell, read.value)

    def _note(self, cell: _Cell, value: Value) -> None:
        self.found.special[cell.row, cell.column] = value
        if len(self.found.special) > _MOST_SPECIAL:
            raise damaged(f"The sheet {shown(self.sheet)} has more than {_MOST_SPECIAL} broken cells.", self.sheet)

    def _read(self, cell: _Cell) -> str | _Special | None:
        """Return the cell's XML for the fast reader, its value where that cannot read it, or None: blank."""
        text = "".join(cell.value)
        address = _address(cell)
        begin = f'<c r="{address}"' + (f' s="{cell.style}"' if cell.style else "")
        if cell.has_markup or (cell.has_value and cell.has_inline):
            return _bad("markup", "".join(cell.inline) or text)
        match cell.kind:
            case "e":
                return _bad("error", text.strip() or "#VALUE!")
            case "inlineStr" | "str":
                text = "".join(cell.inline) if cell.has_inline else text
                if cell.has_formula and not cell.has_value and not cell.has_inline:
                    return _bad("formula_without_value", "=" + "".join(cell.formula))
                return (
                    f'{begin} t="inlineStr"><is><t xml:space="preserve">{escaped(text)}</t></is></c>' if text else None
                )
        if cell.has_inline:
            return _bad("markup", "".join(cell.inline))
        text = text.strip()
        if not text:
            return _bad("formula_without_value", "=" + "".join(cell.formula)) if cell.has_formula else None
        match cell.kind:
            case "s":
                if not _WHOLE.fullmatch(text) or int(text) >= self.strings:
                    raise _no_such_string(self.sheet, address)
                return f'{begin} t="s"><v>{int(text)}</v></c>'
            case "b" if text in ("0", "1", "true", "false"):
                return f'{begin} t="b"><v>{int(text in ("1", "true"))}</v></c>'
            case "n" if _is_number(text):
                return f"{begin}><v>{text}</v></c>"
            case "n":
                return _bad("bad_number", text)
            case "d":
                moment = _moment(text)
                return _bad("markup", text) if moment is None else _Special(moment)
        return _bad("markup", text)


@dataclass(frozen=True, slots=True)
class _Special:
    value: Value


def _bad(code: str, text: str) -> _Special:
    return _Special(BadCell(code, text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"))


def _is_number(text: str) -> bool:
    """Return whether a text is a number that a double holds."""
    if _SHORT_NUMBER.fullmatch(text):
        return True
    if len(text) > _LONGEST_NUMBER or not _PLAIN_NUMBER.fullmatch(text):
        return False
    number = float(text)
    is_nought = not re.search("[1-9]", re.split("[eE]", text)[0])
    return math.isfinite(number) and (number != 0 or is_nought)


def _moment(text: str) -> Value:
    """Return the date, time or both that an ISO 8601 text says, None where it says none."""
    for kind in (dt.date, dt.datetime, dt.time):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    return None


@cache
def column_number(letters: str) -> int:
    """Return the 1-based number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _no_such_cell(sheet: str, address: str) -> Exception:
    return damaged(f"The sheet {shown(sheet)} has a cell at {shown(address)}: there is no such place.", sheet)


def _no_such_string(sheet: str, cell: str) -> Exception:
    return damaged("The cell refers to a text that the workbook does not hold.", sheet, cell)


def _refuse_far_cell(found: Scanned, sheet: str) -> None:
    """Refuse a value so far from the others that the rectangle round them all is next to empty."""
    if not found.values:
        return
    height = max(found.rows) - min(found.rows) + 1
    width = max(found.last) - min(found.first) + 1
    if height * width <= min(_FREE_BLANKS + _BLANKS_PER_VALUE * found.values, max(_MOST_VALUES, found.values)):
        return
    rows, columns = sorted(set(found.rows)), sorted({*found.first, *found.last})
    row_gap, row = _widest_gap(rows)
    column_gap, column = _widest_gap(columns)
    by_row = row_gap * width >= column_gap * height
    index = next(
        index
        for index in range(len(found.rows))
        if (found.rows[index] == row if by_row else found.last[index] >= column)
    )
    at = found.first[index] if by_row or found.first[index] >= column else found.last[index]
    cell = f"{column_letter(at)}{found.rows[index]}"
    raise WorkbookUnreadable(
        "far_cell",
        "The cell stands far away from all others. Delete it, or move what stands beyond the gap next to the table.",
        sheet,
        cell,
    )


def _widest_gap(numbers: list[int]) -> tuple[int, int]:
    """Return the widest gap between two numbers that follow each other, and the number behind it."""
    return max(((after - before, after) for before, after in pairwise(numbers)), default=(0, 0))
