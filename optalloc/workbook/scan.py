"""The inflated XML of one sheet: looked at, and handed on clean.

Rows as spreadsheet programs write them are recognised byte for byte by one pattern and handed on as they are.
Everything else goes through expat, cell by cell, and is written anew; cells no value can be taken from are noted with
their address. So nothing reaches the fast reader but rows of which it is known what it makes of them.
ECMA-376 part 1, section 18.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.cells import (
    LAST_COLUMN,
    LAST_ROW,
    ROW_END,
    SHEET_DATA,
    CellReader,
    RowsOutOfOrder,
    Scanned,
    column_number,
    no_such_cell,
    no_such_string,
)
from optalloc.workbook.grid import column_letter
from optalloc.workbook.package import damaged, shown
from optalloc.workbook.parts import PLAIN_TEXT
from optalloc.workbook.strict_xml import Divider

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
#: Values of a sheet: a round of a million projects has 17 million.
_MOST_VALUES = 25_000_000
#: Cells of the smallest rectangle round the values that may be blank, whatever the number of values.
_FREE_BLANKS = 2_000_000
_BLANKS_PER_VALUE = 20


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
    cells = CellReader(part, sheet, strings, found, write, every_cell=every_cell)
    rows = _Rows(cells)
    divider = Divider(cells.parser, (ROW_END, SHEET_DATA), _take_nothing if every_cell else rows.take)
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

    def __init__(self, cells: CellReader) -> None:
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
                raise no_such_cell(self.sheet, f"A{number}")
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
            raise no_such_cell(self.sheet, f"{column_letter(max(numbers))}{row}")
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
            raise no_such_string(self.sheet, at[1].decode())
        self.cells.write(rows)


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
