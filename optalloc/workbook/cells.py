"""The cells of a sheet read by a parser, one by one: every row is written anew, and what cannot be read is noted.

ECMA-376 part 1, sections 18.3 and 18.18.11 (types of cells).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.grid import BadCell, Value, column_letter
from optalloc.workbook.package import damaged, hostile, shown
from optalloc.workbook.parts import escaped
from optalloc.workbook.strict_xml import Attributes, StrictParser

LAST_ROW = 1 << 20
LAST_COLUMN = 1 << 14

_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)
_RANGE = re.compile(r"[A-Z]{1,3}[1-9]\d{0,6}(?::[A-Z]{1,3}[1-9]\d{0,6})?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SHORT_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)

ROW_END = b"</row>"
SHEET_DATA = b"<sheetData>"
_LONGEST_NUMBER = 64
_LONGEST_TEXT = 1 << 20
_QUOTED = 60
_MOST_MERGES = 500_000
_MOST_SPECIAL = 1_000_000


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


class CellReader:
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
            self.parser.note_mark(SHEET_DATA)
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
            self.parser.note_mark(ROW_END)
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
                raise no_such_cell(self.sheet, address)
            row, column = int(match[2]), column_number(match[1])
        if column > LAST_COLUMN or row > LAST_ROW:
            raise no_such_cell(self.sheet, address or f"{column_letter(column)}{row}")
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
                    raise no_such_string(self.sheet, address)
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


def no_such_cell(sheet: str, address: str) -> WorkbookUnreadable:
    """Return the error for an address that no sheet has."""
    return damaged(f"The sheet {shown(sheet)} has a cell at {shown(address)}: there is no such place.", sheet)


def no_such_string(sheet: str, cell: str) -> WorkbookUnreadable:
    """Return the error for a shared string that does not exist."""
    return damaged("The cell refers to a text that the workbook does not hold.", sheet, cell)
