"""The digest: the same for the same content, another for any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrated_fund.digest import round_digest
from integrated_fund.round import NOWHERE, Round, Selection
from tests.support.tables import round_of, sound_tables

D = Decimal


@pytest.fixture(scope="module")
def sound() -> Round:
    return round_of(sound_tables())


def test_origins_do_not_count(sound: Round) -> None:
    moved = replace(
        sound,
        settings={},
        projects=tuple(replace(project, origin=NOWHERE) for project in sound.projects),
        rules=tuple(replace(rule, origin=NOWHERE) for rule in sound.rules),
    )
    assert round_digest(moved) == round_digest(sound)


@pytest.mark.parametrize("sheet", ["sources", "sectors", "regions", "projects", "rules"])
def test_the_order_of_rows_does_not_count(sound: Round, sheet: str) -> None:
    backwards: Any = {sheet: getattr(sound, sheet)[::-1]}
    assert round_digest(replace(sound, **backwards)) == round_digest(sound)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4))
def test_the_spelling_of_numbers_does_not_count(exact: Decimal) -> None:
    sound = round_of(sound_tables())
    one, other = (replace(sound, step=number) for number in (exact.normalize(), exact.quantize(D("0.000000001"))))
    assert round_digest(one) == round_digest(other)
    assert round_digest(one) != round_digest(replace(sound, step=exact + 1))


def test_blank_columns_do_not_count() -> None:
    tables = sound_tables()
    for row in tables["Projects"]:
        row |= {"cofunding": None, "category": None, "status": "candidate", "start_to": 2027}
    tables["Round"].append({"setting": "gap", "value": D("0.00010")})
    assert round_digest(round_of(tables)) == round_digest(round_of(sound_tables()))


def test_zero_has_one_spelling(sound: Round) -> None:
    digests = {round_digest(replace(sound, discount=D(zero))) for zero in ("0", "-0", "0.00", "-0.0", "0E+3")}
    assert len(digests) == 1


def _another(value: object) -> object:
    """Return another value of the same kind."""
    if isinstance(value, Selection):
        return Selection(value.exclude, value.include)
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, tuple):
        return (*value, value[-1] if value else "x")
    if isinstance(value, int | Decimal):
        return value + 1
    if isinstance(value, Mapping):
        return {**value, "x": D(1)}
    assert value is None
    return "x"


SHEETS = ("sources", "sectors", "regions", "projects", "options", "criteria", "rules", "links")


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_field_of_a_row_counts(sound: Round, sheet: str) -> None:
    rows = getattr(sound, sheet)
    before = round_digest(sound)
    for field in fields(rows[0]):
        if field.name in ("origin", "filter", "measures", "attributes"):
            continue
        changed: Any = {field.name: _another(getattr(rows[0], field.name))}
        after: Any = {sheet: (replace(rows[0], **changed), *rows[1:])}
        assert round_digest(replace(sound, **after)) != before, field.name


@pytest.mark.parametrize("setting", [f.name for f in fields(Round) if f.name not in (*SHEETS, "settings")])
def test_every_setting_counts(sound: Round, setting: str) -> None:
    changed: Any = {setting: _another(getattr(sound, setting))}
    assert round_digest(replace(sound, **changed)) != round_digest(sound)


def test_measures_attributes_and_filters_count(sound: Round) -> None:
    before = round_digest(sound)
    project = replace(sound.projects[0], measures=MappingProxyType({"people": D(31)}))
    assert round_digest(replace(sound, projects=(project, *sound.projects[1:]))) != before
    region = replace(sound.regions[0], attributes=MappingProxyType({"population": D(21), "students": D(5)}))
    assert round_digest(replace(sound, regions=(region, *sound.regions[1:]))) != before
    rule = sound.rules[0]
    by = MappingProxyType({**rule.filter.by, "belt": Selection(exclude=frozenset({"west"}))})
    changed = replace(rule, filter=replace(rule.filter, by=by))
    assert round_digest(replace(sound, rules=(changed, *sound.rules[1:]))) != before
