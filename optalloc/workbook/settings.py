"""The sheet Round: one setting a row, each typed as the schema says, with the defaults of those left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from integrated_fund.round import Origin, Place
from optalloc.workbook.columns import Trouble, convert_cell, converter_of
from optalloc.workbook.grid import Grid
from optalloc.workbook.names import heading_name, near_miss
from optalloc.workbook.schema import SETTINGS, Column, sheet_named
from optalloc.workbook.sheets import Problems, Row, read_sheet

#: Awards are counted in whole steps; a finer one than this makes no sense in any unit.
FINEST_STEP = Decimal("0.0000000001")

_WORDS: Mapping[str, Column] = {heading_name(word): column for column in SETTINGS for word in (column.name, column.zh)}


@dataclass(frozen=True)
class Settings:
    """The settings of a round. `typed` has those that are filled in, `faulty` those that are filled in wrongly.

    `readable` is false where the sheet or one of its two columns is missing. `chinese` and `english` count the words.
    """

    sheet_name: str = "Round"
    typed: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    origins: Mapping[str, Origin] = field(default_factory=lambda: MappingProxyType({}))
    faulty: frozenset[str] = frozenset()
    readable: bool = False
    chinese: int = 0
    english: int = 0

    @property
    def step(self) -> Decimal | None:
        """The step that amounts must be multiples of; None where it cannot be told."""
        return self.typed.get("step", Decimal(1)) if self.readable and "step" not in self.faulty else None


def setting_named(name: str) -> Column | None:
    """Return a setting by its name in either language."""
    return _WORDS.get(heading_name(name))


def read_settings(grid: Grid, problems: Problems) -> Settings:
    """Read the sheet Round."""
    rows = read_sheet(sheet_named("Round"), grid, problems, None, ())
    if not rows.has_columns:
        return Settings(grid.sheet)
    typed: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    faulty: set[str] = set()
    chinese, english = rows.chinese, rows.english
    for row in rows.rows():
        if "setting" not in row.typed:
            continue
        column = _recognised(row, origins, problems)
        if column is None:
            continue
        origins[column.name] = row.origin
        is_english = heading_name(row.typed["setting"]) == column.name
        english, chinese = english + is_english, chinese + (not is_english)
        _take(row, column, typed, faulty, problems)
    for column in SETTINGS:
        if column.required and column.name not in origins:
            problems.add("missing_setting", Place(grid.sheet), setting=column.name, setting_zh=column.zh)
    return Settings(
        grid.sheet,
        MappingProxyType(typed),
        MappingProxyType(origins),
        frozenset(faulty),
        readable=True,
        chinese=chinese,
        english=english,
    )


def _recognised(row: Row, origins: Mapping[str, Origin], problems: Problems) -> Column | None:
    """Return the setting that a row is about, or report why it is about none."""
    name = row.typed["setting"]
    column = setting_named(name)
    place = row.origin.place("setting")
    if column is None:
        absent = [word for c in SETTINGS if c.name not in origins for word in (c.name, c.zh)]
        near = near_miss(name, absent)
        if near is not None:
            problems.add("near_setting", place, name, near=near)
        else:
            known, known_zh = ", ".join(c.name for c in SETTINGS), "、".join(c.zh for c in SETTINGS)
            problems.add("unknown_setting", place, name, known=known, known_zh=known_zh)
        return None
    if column.name in origins:
        problems.add("setting_twice", place, name, first=str(origins[column.name].place("setting")))
        return None
    return column


def _take(row: Row, column: Column, typed: dict[str, Any], faulty: set[str], problems: Problems) -> None:
    """Type a setting's value."""
    value = row.typed.get("value")
    place = row.origin.place("value")
    names = {"column": column.name, "column_zh": column.zh}
    if value is None:
        if column.required:
            faulty.add(column.name)
            problems.add("missing_value", place, **names)
        return
    if not column.built:
        problems.add("column_not_built", place, value, **names)
        return
    found = convert_cell(value, converter_of(column, None))
    if isinstance(found, Trouble):
        for code in found.notes:
            problems.add(code, place, value)
        if found.mistake is not None:
            faulty.add(column.name)
            problems.add(found.mistake.code, place, value, **{**names, **found.mistake.details})
            return
        found = found.typed
    if column.name == "step" and found < FINEST_STEP:
        faulty.add("step")
        if found <= 0:
            problems.add("not_positive", place, value, **names)
        else:
            problems.add("too_small", place, value, least=format(FINEST_STEP, "f"), **names)
        return
    typed[column.name] = found
