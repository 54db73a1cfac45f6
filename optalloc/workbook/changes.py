"""Changes to single cells for one run: `--set Sheet.key.column=change`.

A change is made in the cells, before anything is read, so a bad one gets the same message at the same address as if
the planner had typed it. Left of the first `=`: sheet and column are split off at the first and the last dot, what is
between is the row's key; `*` is every row, and a source's name every year of it (`education@2027` one). A change is a
value (`=0.4` or `0.4`; nothing clears the cell), a factor (`*1.1`) or a sum (`+500`, `-500`). Factors and sums are
exact and leave blank cells blank, for a blank min_award is no 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal

import numpy as np

from optalloc.errors import WrongUse
from optalloc.workbook import values
from optalloc.workbook.grid import Coded, Grid, GridRow, Records, Value
from optalloc.workbook.names import fold, heading_name, nearest
from optalloc.workbook.schema import SETTINGS, SHEETS, Column, Kind, Sheet
from optalloc.workbook.settings import setting_named
from optalloc.workbook.sheets import filled_rows, known_columns
from optalloc.workbook.sheets import heading_name as heading_of
from optalloc.workbook.values import Mistake

_NUMBER = re.compile(r"\d+(\.\d+)?\s*%?", re.ASCII)
_PLAIN = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
#: Columns whose cells hold numbers; a column that is not in the schema is taken for one.
_NUMBERS: frozenset[Kind] = frozenset({"money", "number", "share", "whole", "year"})
_EXACT = Context(prec=100)


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
        words = (fold(change.sheet.name), fold(change.sheet.zh))
        number = next((number for number, grid in enumerate(changed) if fold(grid.sheet) in words), None)
        if number is None:
            raise WrongUse("unknown_key", f"{typed}: the workbook has no sheet {change.sheet.name}.")
        changed[number] = _apply(changed[number], change)
    return tuple(changed)


def parse_change(typed: str) -> Change:
    """Return a change from its text.

    Raises:
        WrongUse: it is not of the form Sheet.key.column=change, or there is no such sheet.
    """
    target, equals, right = typed.partition("=")
    pieces = target.split(".")
    if not equals or len(pieces) < 3 or not all(p.strip() for p in (pieces[0], "".join(pieces[1:-1]), pieces[-1])):
        raise WrongUse(
            "change", f"{typed!r} is not of the form Sheet.key.column=change, such as Sources.education.amount=*1.1."
        )
    sheet_name, key, column = pieces[0].strip(), ".".join(pieces[1:-1]), pieces[-1]
    sheet = next((s for s in SHEETS if fold(sheet_name) in (fold(s.name), fold(s.zh))), None)
    if sheet is None:
        raise WrongUse("unknown_key", f"{typed}: there is no sheet {sheet_name}.{_hint(sheet_name, _both(SHEETS))}")
    operand = right.strip()
    sign = "="
    is_sum = operand[:1] in ("+", "-") and _NUMBER.fullmatch(operand[1:].strip())
    # A lone = is the word for "equal" of Rules.sense.
    if operand != "=" and (operand[:1] in ("=", "*") or is_sum):
        sign, operand = operand[0], operand[1:].strip()
    if sign != "=" and not _NUMBER.fullmatch(operand):
        raise WrongUse("change", f"{typed}: {sign} takes a plain number, such as {sign}1.1.")
    return Change(typed, sheet, key.strip(), column.strip(), sign, operand)


def _both(named: Iterable[Sheet | Column]) -> list[str]:
    return [word for entry in named for word in (entry.name, entry.zh)]


def _hint(name: str, known: Iterable[str]) -> str:
    found = nearest(name, known)
    return f" Did you mean {found}?" if found else ""


def _apply(grid: Grid, change: Change) -> Grid:
    if grid.records is not None:
        return _apply_to_records(grid, grid.records, change)
    filled = filled_rows(grid)
    if not filled:
        raise WrongUse("unknown_key", f"{change.typed}: the sheet {change.sheet.name} is empty.")
    heading, body = filled[0], filled[1:]
    keys = _key_columns(change, heading)
    grid, position = _with_column(grid, heading, change)
    chosen = [row.number for row in body if _is_named(change, row, keys)]
    if not chosen:
        if change.sheet.name == "Round" and setting_named(change.key) is not None:
            return _with_setting(grid, change, keys[0], position)
        known = {values.text_of(row.values[keys[0]]) for row in body if keys[0] < len(row.values)} - {""}
        raise WrongUse("unknown_key", _no_such_row(change, known))
    numbers = set(chosen)
    touched = 0
    rows: list[GridRow] = []
    for row in grid.rows:
        if row.number in numbers:
            cells = [*row.values, *[None] * (position + 1 - len(row.values))]
            if change.sign == "=" or not values.is_blank(cells[position]):
                place = grid.place(row.number, position)
                kind = _kind(change, row, keys[0])
                cells[position] = _changed(cells[position], change, kind, place.sheet, place.cell or "")
                row = replace(row, values=cells)
                touched += 1
        rows.append(row)
    if not touched:
        raise WrongUse("change", _nothing_to_change(change))
    return replace(grid, rows=rows)


def _apply_to_records(grid: Grid, records: Records, change: Change) -> Grid:
    """Return a file's grid with a change made: to each distinct value of the column, for the rows that are chosen."""
    heading = grid.rows[0]
    key = _key_columns(change, heading)[0]
    grid, position = _with_column(grid, heading, change)
    columns = list(records.columns)
    if position == len(columns):
        columns.append(Coded([None], np.zeros(len(records.numbers), dtype=np.int32)))
    keys, cells = columns[key], columns[position]
    assert isinstance(keys, Coded)
    assert isinstance(cells, Coded)
    named = [c for c, value in enumerate(keys.values) if _folded(change.key) in ("*", _folded(_key_text(value)))]
    chosen = keys.has_any(named)
    if not chosen.any():
        raise WrongUse("unknown_key", _no_such_row(change, {_key_text(value) for value in keys.values} - {""}))
    if change.sign != "=":
        chosen &= ~cells.has_any([code for code, value in enumerate(cells.values) if values.is_blank(value)])
    if not chosen.any():
        raise WrongUse("change", _nothing_to_change(change))
    column = _column(change)
    kind: Kind = "number" if column is None else column.kind
    codes, after = cells.codes.copy(), list(cells.values)
    used, first = np.unique(cells.codes[chosen], return_index=True)
    for code, row in zip(used.tolist(), np.flatnonzero(chosen)[first].tolist(), strict=True):
        place = grid.place(records.numbers[row], position)
        codes[chosen & (cells.codes == code)] = len(after)
        after.append(_changed(cells.values[code], change, kind, place.sheet, place.cell or ""))
    columns[position] = Coded(after, codes)
    return replace(grid, records=Records(records.numbers, columns))


def _nothing_to_change(change: Change) -> str:
    return f"{change.typed}: there is nothing to change, the cell is blank. Give it a value with =."


def _no_such_row(change: Change, known: set[str]) -> str:
    if change.sheet.name == "Round":
        known |= set(_both(SETTINGS))
    return f"{change.typed}: the sheet {change.sheet.name} has no row {change.key!r}.{_hint(change.key, sorted(known))}"


def _with_setting(grid: Grid, change: Change, key: int, position: int) -> Grid:
    """Return the sheet Round with a row of its own for a setting that stood at its default."""
    if change.sign != "=":
        raise WrongUse(
            "change", f"{change.typed}: {change.key} is not filled in, so there is nothing to change. Use =value."
        )
    number = grid.rows[-1].number + 1
    cells: list[Value] = [None] * (max(key, position) + 1)
    cells[key] = change.key
    row = GridRow(number, cells)
    cell = f"{grid.label(position)}{number}"
    cells[position] = _changed(None, change, _kind(change, row, key), grid.sheet, cell)
    return replace(grid, rows=[*grid.rows, row])


def _with_column(grid: Grid, heading: GridRow, change: Change) -> tuple[Grid, int]:
    """Return the position of a change's column; a column of the schema that the sheet lacks is put on its right."""
    column = _column(change)
    wanted = {heading_name(word) for word in ((column.name, column.zh) if column is not None else (change.column,))}
    for position, value in enumerate(heading.values):
        if heading_of(value) in wanted:
            return grid, position
    if column is None or change.sign != "=":
        names = [*_both(change.sheet.columns), *(values.text_of(value) for value in heading.values)]
        hint = _hint(change.column, [name for name in names if name and heading_name(name) not in wanted])
        raise WrongUse(
            "unknown_key", f"{change.typed}: the sheet {change.sheet.name} has no column {change.column}.{hint}"
        )
    position = max(len(row.values) for row in grid.rows)
    cells = [*heading.values, *[None] * (position - len(heading.values)), column.name]
    rows = [replace(row, values=cells) if row.number == heading.number else row for row in grid.rows]
    return replace(grid, rows=rows, headings=(*grid.headings, column.name) if grid.headings else ()), position


def _column(change: Change) -> Column | None:
    """Return the schema's column that a change is about; None for a numeric column of the planner's own."""
    name = heading_name(change.column)
    return next((c for c in change.sheet.columns if name in (heading_name(c.name), heading_name(c.zh))), None)


def _key_columns(change: Change, heading: GridRow) -> list[int]:
    found = {column.name: position for position, column in reversed(known_columns(change.sheet, heading).items())}
    if not change.sheet.key or change.sheet.key[0] not in found:
        raise WrongUse("unknown_key", f"{change.typed}: rows of the sheet {change.sheet.name} cannot be named.")
    return [found[name] for name in change.sheet.key if name in found]


def _is_named(change: Change, row: GridRow, keys: Sequence[int]) -> bool:
    if change.key == "*":
        return True
    parts = [_key_text(row.values[position]) if position < len(row.values) else "" for position in keys]
    if change.sheet.name == "Round":
        setting = setting_named(change.key)
        return setting is not None and setting is setting_named(parts[0])
    return _folded(change.key) in (_folded(parts[0]), _folded("@".join(parts)))


def _key_text(value: Value) -> str:
    return values.text_of(value).strip()


def _folded(key: str) -> str:
    return " ".join(fold(key).split())


def _kind(change: Change, row: GridRow, key: int) -> Kind:
    """Return what kind of value the changed cell takes: on Round it goes by the setting."""
    column = setting_named(_key_text(row.values[key])) if change.sheet.name == "Round" else _column(change)
    return "number" if column is None else column.kind


def _changed(old: Value, change: Change, kind: Kind, sheet: str, cell: str) -> Value:
    """Return a cell's new content: as it would stand there had the planner typed it."""
    operand = change.operand
    if change.sign == "=":
        if not operand:
            return None
        return float(operand) if kind in _NUMBERS and _PLAIN.fullmatch(operand) and _fits(operand) else operand
    try:
        before = values.percent(old, lambda _: None)
    except Mistake:
        found = values.text_of(old)
        raise WrongUse(
            "change", f"{change.typed}: {found!r} is not a number that could be changed so.", sheet, cell
        ) from None
    number = Decimal(operand.rstrip("% "))
    if operand.endswith("%"):
        number = number.scaleb(-2, _EXACT)
    after = {"*": _EXACT.multiply, "+": _EXACT.add, "-": _EXACT.subtract}[change.sign](before, number)
    text = format(after, "f")
    return float(after) if _fits(text) else text


def _fits(text: str) -> bool:
    """Return whether a double shows the same number: 15 digits at most."""
    return Decimal(format(float(text), ".15g")) == Decimal(text)
