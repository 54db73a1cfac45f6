"""What a worksheet holds, cell by cell, before anyone asks what it means."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Grid:
    """One worksheet. Rows without any value are left out; addresses stay those of the sheet.

    `first_column` is the 1-based column of `values[0]`. `merged` holds the ranges of merged cells ("B2:C3"). Rows that
    come from a `file` in place of the sheet have its `headings` for addresses.
    """

    sheet: str
    rows: list[GridRow]
    first_column: int = 1
    hidden: bool = False
    merged: tuple[str, ...] = ()
    hidden_columns: tuple[int, ...] = field(default=())
    file: str | None = None
    headings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What addresses call it: the sheet, or the file its rows come from."""
        return self.sheet if self.file is None else self.file

    def label(self, position: int) -> str:
        """Return the letter of the column of `values[position]`; in a file its heading."""
        return self.headings[position] if self.file is not None else column_letter(self.first_column + position)

    def place(self, row: int, position: int) -> Place:
        """Return the address of a cell: `Sheet!B7`, or `projects.csv!max_award:7`."""
        label = self.label(position)
        return Place(self.name, f"{label}{row}" if self.file is None else f"{label}:{row}")


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
