"""Changes to single cells for one run: `--set Sheet.key.column=change`.

A change is made in the cells, before anything is read, so a bad one gets the same message at the same address as if
the planner had typed it. Left of the first `=`: sheet and column are split off at the first and the last dot, what is
between is the row's key; `*` is every row, and a source's name every year of it (`education@2027` one). A change is a
value (`=0.4` or `0.4`), a factor (`*1.1`) or a sum (`+500`, `-500`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from optalloc.errors import WrongUse
from optalloc.workbook import values
from optalloc.workbook.grid import Grid, GridRow, Value
from optalloc.workbook.names import fold, nearest
from optalloc.workbook.schema import SETTINGS, SHEETS, Sheet

_NUMBER = re.compile(r"\d+(\.\d+)?\s*%?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `sign` is =, *, + or -, `operand` what stands behind it."""

    typed: str
    sheet: Sheet
    key: str
    column: str
    sign: str
    operand: str


def apply_changes(grids: Sequence[Grid], sets: Sequence[str]) -> tuple[Grid, ...]:
    """Return the grids with every change made, in order.

    Raises:
        WrongUse: a change cannot be read, or names a sheet, row or column that is not there.
    """
    changed = list(grids)
    for typed in sets:
        change = parse_change(typed)
        for number, grid in enumerate(changed):
            if fold(grid.sheet) in (fold(change.sheet.name), fold(change.sheet.zh)):
                changed[number] = _apply(grid, change)
                break
        else:
            raise WrongUse("unknown_key", f"{typed}: the workbook has no sheet {change.sheet.name}.")
    return tuple(changed)


def parse_change(typed: str) -> Change:
    """Return a change from its text.

    Raises:
        WrongUse: it is not of the form Sheet.key.column=change.
    """
    target, equals, right = typed.partition("=")
    pieces = target.split(".")
    if not equals or len(pieces) < 3 or not all(piece.strip() for piece in (pieces[0], pieces[-1])):
        raise WrongUse(
            "change", f"{typed!r} is not of the form Sheet.key.column=change, such as Sources.education.amount=*1.1."
        )
    sheet_name, key, column = pieces[0], ".".join(pieces[1:-1]), pieces[-1]
    sheet = next((s for s in SHEETS if fold(sheet_name) in (fold(s.name), fold(s.zh))), None)
    if sheet is None:
        hint = nearest(sheet_name, [s.name for s in SHEETS])
        raise WrongUse("unknown_key", f"{typed}: there is no sheet {sheet_name}.{_did_you_mean(hint)}")
    operand = right.strip()
    sign = "="
    is_sum = operand[:1] in ("+", "-") and _NUMBER.fullmatch(operand[1:].strip())
    if operand[:1] in ("=", "*") or is_sum:
        sign, operand = operand[0], operand[1:].strip()
    if sign != "=" and not _NUMBER.fullmatch(operand):
        raise WrongUse("change", f"{typed}: {sign} takes a plain number, such as {sign}1.1.")
    return Change(typed, sheet, key.strip(), column.strip(), sign, operand)


def _did_you_mean(hint: str | None) -> str:
    return f" Did you mean {hint}?" if hint else ""


def _apply(grid: Grid, change: Change) -> Grid:
    filled = [row for row in grid.rows if any(not values.is_blank(value) for value in row.values)]
    if not filled:
        raise WrongUse("unknown_key", f"{change.typed}: the sheet {change.sheet.name} is empty.")
    heading = filled[0]
    headings = {
        "_".join(fold(values.text_of(value)).split()): position
        for position, value in enumerate(heading.values)
        if not values.is_blank(value)
    }
    column = _column(change, headings)
    keys = _key_columns(change, headings)
    hit = False
    rows: list[GridRow] = []
    for row in grid.rows:
        if row in filled[1:] and _named(change, row, keys):
            hit = True
            cells = list(row.values) + [None] * (column + 1 - len(row.values))
            cells[column] = _changed(cells[column], change)
            rows.append(replace(row, values=cells))
        else:
            rows.append(row)
    if not hit:
        if change.sheet.name == "Round" and change.key != "*" and _is_setting(change.key):
            # The setting stood at its default: it gets a row of its own below the last.
            cells = [None] * max(len(heading.values), column + 1)
            cells[keys[0]] = change.key
            cells[column] = _changed(None, change)
            return replace(grid, rows=[*grid.rows, GridRow(grid.rows[-1].number + 1, cells)])
        known = {values.text_of(row.values[keys[0]]) for row in filled[1:] if keys[0] < len(row.values)}
        hint = _did_you_mean(nearest(change.key, [name for name in known if name]))
        raise WrongUse("unknown_key", f"{change.typed}: the sheet {change.sheet.name} has no row {change.key!r}.{hint}")
    return replace(grid, rows=rows)


def _is_setting(key: str) -> bool:
    return any(fold(key) in (fold(column.name), fold(column.zh)) for column in SETTINGS)


def _column(change: Change, headings: dict[str, int]) -> int:
    wanted = [change.column]
    for column in change.sheet.columns:
        if fold(change.column) in (fold(column.name), fold(column.zh)):
            wanted = [column.name, column.zh]
    for word in wanted:
        position = headings.get("_".join(fold(word).split()))
        if position is not None:
            return position
    hint = _did_you_mean(nearest(change.column, list(headings)))
    raise WrongUse("unknown_key", f"{change.typed}: the sheet {change.sheet.name} has no column {change.column}.{hint}")


def _key_columns(change: Change, headings: dict[str, int]) -> list[int]:
    positions = []
    for name in change.sheet.key:
        column = change.sheet.column(name)
        found = headings.get(fold(column.name), headings.get(fold(column.zh)))
        if found is not None:
            positions.append(found)
    if not positions:
        raise WrongUse("unknown_key", f"{change.typed}: rows of the sheet {change.sheet.name} cannot be named.")
    return positions


def _named(change: Change, row: GridRow, keys: Sequence[int]) -> bool:
    if change.key == "*":
        return True
    parts = [values.text_of(row.values[position]) if position < len(row.values) else "" for position in keys]
    return fold(change.key) in (fold(parts[0]), fold("@".join(parts)))


def _changed(old: Value, change: Change) -> Value:
    operand = change.operand
    if change.sign == "=":
        if not operand:
            return None
        return float(operand) if re.fullmatch(r"-?\d+(\.\d+)?", operand, re.ASCII) and _fits(operand) else operand
    try:
        before = Decimal(values.text_of(old)) if old is not None else Decimal(0)
    except InvalidOperation:
        before = Decimal("NaN")
    if not before.is_finite() or isinstance(old, bool):
        raise WrongUse("change", f"{change.typed}: {values.text_of(old)!r} is not a number that could be changed so.")
    percent = operand.endswith("%")
    number = Decimal(operand.rstrip("% ")) / (100 if percent else 1)
    after = {"*": before * number, "+": before + number, "-": before - number}[change.sign]
    text = format(after, "f")
    return float(after) if _fits(text) else text


def _fits(text: str) -> bool:
    """Return whether a double shows the same number: 15 digits at most."""
    return Decimal(format(float(text), ".15g")) == Decimal(text)
