"""What a worksheet holds, cell by cell, before anyone asks what it means."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from integrated_fund.round import Place


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell no value can be taken from: `code` is error, formula_without_value, markup, bad_number or repeated.

    `text` is what stands there, for the message (`#REF!`, `=A1+B1`).
    """

    code: str
    text: str


Value = None | str | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta | BadCell


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row with something in it: its number as Excel shows it, and the values from `Grid.first_column` on."""

    number: int
    values: list[Value]
    hidden: bool = False


Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Coded(Sequence[Value]):
    """A long column by its distinct values: `codes` has the position in `values` of each cell's; blanks are None there.

    A column of a million cells has a few thousand values, so what is done to values is done a thousand times less.
    """

    values: list[Value]
    codes: Codes

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, at: int) -> Value: ...
    @overload
    def __getitem__(self, at: slice) -> Coded: ...
    def __getitem__(self, at: int | slice) -> Value | Coded:
        if isinstance(at, slice):
            return Coded(self.values, self.codes[at])
        value: Value = self.values[int(self.codes[at])]
        return value

    def __iter__(self) -> Iterator[Value]:
        return iter(self.with_each(self.values))

    def with_each(self, replaced: Sequence[Any]) -> list[Any]:
        """Return the cells with something else for each of the values."""
        objects = np.fromiter(replaced, dtype=object, count=len(replaced))
        cells: list[Any] = objects[self.codes].tolist()
        return cells

    def has_any(self, codes: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Return for each cell whether its code is one of some codes."""
        wanted = np.zeros(len(self.values), dtype=np.bool_)
        wanted[list(codes)] = True
        return wanted[self.codes]


@dataclass(frozen=True, slots=True)
class Records:
    """The rows below the headings column by column, and each row's number as Excel shows it."""

    numbers: Sequence[int]
    columns: list[Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Grid:
    """One worksheet. Rows without any value are left out; addresses stay those of the sheet.

    `first_column` is the 1-based column of `values[0]`. `merged` holds the ranges of merged cells ("B2:C3"). Where a
    `file` takes the place of the sheet, `rows` has its headings alone and `records` what stands below them; `headings`
    are for addresses.
    """

    sheet: str
    rows: list[GridRow]
    first_column: int = 1
    hidden: bool = False
    merged: tuple[str, ...] = ()
    hidden_columns: tuple[int, ...] = field(default=())
    file: str | None = None
    headings: tuple[str, ...] = ()
    records: Records | None = None

    @property
    def name(self) -> str:
        """What addresses call it: the sheet, or the file its rows come from."""
        return self.sheet if self.file is None else self.file

    def label(self, position: int) -> str:
        """Return the letter of the column of `values[position]`; in a file its heading."""
        return self.headings[position] if self.file is not None else column_letter(self.first_column + position)

    def place(self, row: int, position: int) -> Place:
        """Return the address of a cell: `Sheet!B7`, or `projects.csv!row 7, max_award`."""
        label = self.label(position)
        return Place(self.sheet, f"{label}{row}") if self.file is None else Place.in_file(self.file, row, label)


def is_plain(cells: Sequence[Value]) -> bool:
    """Return whether a column has texts, numbers and blanks alone: equal cells are the same then (TRUE equals 1)."""
    return set(map(type, cells)) <= {str, float, type(None)}


def tally(cells: Sequence[Value]) -> Iterable[tuple[Value, int]]:
    """Return what stands in a column, and how often; not every value comes only once."""
    if isinstance(cells, Coded):
        counts = np.bincount(cells.codes, minlength=len(cells.values))
        return zip(cells.values, counts.tolist(), strict=True)
    return Counter(cells).items() if is_plain(cells) else ((cell, 1) for cell in cells)


def column_letter(column: int) -> str:
    """Return the letter of a 1-based column: 1 is A, 27 is AA."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


#: A workbook's content as plain rows: sheet name -> rows of {column: value}. Examples and tests are written this way.
#: Values are text, whole numbers, Decimals or None; sheet and column names are the English identifiers.
Tables = dict[str, list[dict[str, object]]]
