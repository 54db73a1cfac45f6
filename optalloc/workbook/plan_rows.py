"""The rows of a plan's tables as columns of typed values, read off a sheet or a file, refused with their address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn, TypeVar

from integrated_fund.round import Origin, Table
from optalloc.errors import OptallocError, WorkbookUnreadable
from optalloc.workbook.grid import BadCell, Grid, GridRow, Value, column_letter
from optalloc.workbook.names import heading_name
from optalloc.workbook.plan_labels import WORDS
from optalloc.workbook.values import is_blank, text_of

#: A file's numbers are exact, a sheet's are floats.
PlanValue = Value | Decimal

Part = TypeVar("Part")


class Unfit(Exception):
    """A value that cannot stand where it stands: `code` for programs, `what` goes on from "The cell"."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(code)
        self.code = code
        self.what = what


def text(value: PlanValue) -> str:
    """Return a value as a name."""
    found = text_if_any(value)
    if found is None:
        raise Unfit("missing_value", "is empty; a name must stand there")
    return found


def text_if_any(value: PlanValue) -> str | None:
    """Return a value as a name, None where the cell is blank."""
    if isinstance(value, str) and value.strip():
        return value
    if _blank(value):
        return None
    _refuse_bad(value)
    if not isinstance(value, float):
        raise Unfit("not_a_text", f"holds {_shown(value)}; a text must stand there")
    return text_of(value)


def number(value: PlanValue) -> Decimal:
    """Return a value as an exact number."""
    found = number_if_any(value)
    if found is None:
        raise Unfit("missing_value", "is empty; a number must stand there")
    return found


def number_if_any(value: PlanValue) -> Decimal | None:
    """Return a value as an exact number, None where the cell is blank."""
    if _blank(value):
        return None
    _refuse_bad(value)
    exact = _exact(value)
    if not exact.is_finite():
        what = "a date" if isinstance(value, dt.date | dt.time | dt.timedelta) else repr(_shown(value)[:80])
        raise Unfit("not_a_number", f"holds {what}; a number must stand there")
    return exact


def year_if_any(value: PlanValue) -> int | None:
    """Return a value as a year, None where the cell is blank."""
    found = number_if_any(value)
    if found is None:
        return None
    if found != found.to_integral_value():
        raise Unfit("not_whole", f"holds {found}; a whole number must stand there")
    return int(found)


def one_of(value: PlanValue, choices: Mapping[str, Part]) -> Part:
    """Return what a value of a closed list stands for."""
    typed = text(value)
    if typed.strip() not in choices:
        raise Unfit("not_a_choice", f"holds {typed[:80]!r}; one of {', '.join(choices)} must stand there")
    return choices[typed.strip()]


def refuse(unfit: Unfit, origin: Origin, column: str) -> NoReturn:
    """Say where an unfit value stands."""
    place = origin.place(column)
    raise OptallocError(unfit.code, f"The cell {unfit.what}.", place.sheet, place.cell) from unfit


@dataclass(frozen=True, slots=True)
class Rows:
    """The filled rows of a table, column by column; `numbers` are the rows as they are counted there."""

    table: Table
    numbers: Sequence[int]
    columns: Mapping[str, Sequence[PlanValue]]

    def origins(self) -> list[Origin]:
        """Return where each row stands."""
        return [Origin(self.table, number) for number in self.numbers]

    def each(self, column: str, read: Callable[[PlanValue], Part]) -> list[Part]:
        """Return a column read by one of the functions above; equal values are read once and become one object.

        Raises:
            OptallocError: a value does not fit, at its address.
        """
        values = self.columns[column]
        if len({type(value) for value in values if value is not None}) > 1:  # 1 and TRUE are equal, but not the same
            return [self._one(column, at, read) for at in range(len(values))]
        found: dict[PlanValue, Part] = {}
        for value in dict.fromkeys(values):
            try:
                found[value] = read(value)
            except Unfit:
                self._one(column, values.index(value), read)
                raise
        return [found[value] for value in values]

    def _one(self, column: str, at: int, read: Callable[[PlanValue], Part]) -> Part:
        try:
            return read(self.columns[column][at])
        except Unfit as unfit:
            refuse(unfit, Origin(self.table, self.numbers[at]), column)


def rows_of(grid: Grid, columns: Sequence[str]) -> Rows:
    """Return the filled rows below the headings, wherever these stand.

    Raises:
        WorkbookUnreadable: no row has all the headings.
    """
    heading, positions = _find_headings(grid, columns)
    below = [row for row in grid.rows if row.number > heading.number]
    cells = {
        name: [row.values[at] if at < len(row.values) else None for row in below] for name, at in positions.items()
    }
    first, *others = cells.values()
    blank = {at for at, value in enumerate(first) if is_blank(value) and all(is_blank(column[at]) for column in others)}
    filled: dict[str, Sequence[PlanValue]] = {
        name: [value for at, value in enumerate(column) if at not in blank] if blank else column
        for name, column in cells.items()
    }
    table = Table(grid.sheet, {name: column_letter(grid.first_column + at) for name, at in positions.items()})
    return Rows(table, [row.number for at, row in enumerate(below) if at not in blank], filled)


def _find_headings(grid: Grid, columns: Sequence[str]) -> tuple[GridRow, dict[str, int]]:
    spellings = {name: {heading_name(spelling) for spelling in WORDS[name]} for name in columns}
    best: list[str] = list(columns)
    for row in grid.rows:
        headings = [heading_name(value) if isinstance(value, str) else "" for value in row.values]
        found = {
            name: next((at for at, heading in enumerate(headings) if heading in spellings[name]), None)
            for name in columns
        }
        missing = [name for name, at in found.items() if at is None]
        if not missing:
            return row, {name: at for name, at in found.items() if at is not None}
        best = min(best, missing, key=len)
    names = ", ".join(WORDS[name][0] for name in best)
    raise WorkbookUnreadable("not_a_plan", f"The sheet has no row of headings with: {names}.", grid.sheet)


def _blank(value: PlanValue) -> bool:
    return not isinstance(value, Decimal) and is_blank(value)


def _shown(value: PlanValue) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else text_of(value)


def _refuse_bad(value: PlanValue) -> None:
    if isinstance(value, BadCell):
        raise Unfit(f"cell_{value.code}", f"holds {value.text[:80]}, which has no value")


def _exact(value: PlanValue) -> Decimal:
    """Return the 15 digits a cell holds, or a file's number, whole numbers without an exponent; NaN for no number."""
    if isinstance(value, Decimal):
        digits = f"{value:f}"
        return Decimal(digits.rstrip("0").rstrip(".")) if "." in digits else Decimal(digits)
    if not isinstance(value, float):
        return Decimal("NaN")
    digits = format(value, ".15g")
    return Decimal(f"{Decimal(digits):f}") if "e+" in digits else Decimal(digits)
