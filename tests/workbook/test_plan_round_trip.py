"""What is written of a plan comes back equal."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrated_fund.problem import Language
from integrated_fund.round import NOWHERE
from optalloc.plan.plan import Declined, Payment, Plan, RuleLine, stated
from optalloc.workbook import plan_writer
from optalloc.workbook.plan_reader import awards_of, read_plan
from optalloc.workbook.plan_writer import write_plan
from tests.workbook.plans import large_plan, large_round, small_plan, small_round

_SMALL = small_plan()


def without_origins(plan: Plan) -> Plan:
    """Return a plan as it is before anybody wrote it down."""
    return replace(
        plan,
        payments=tuple(replace(row, origin=NOWHERE) for row in plan.payments),
        rules=tuple(replace(row, origin=NOWHERE) for row in plan.rules),
        sources=tuple(replace(row, origin=NOWHERE) for row in plan.sources),
    )


@pytest.mark.parametrize("rows_in_memory", [0, 20_000])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_plan_comes_back_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: Language, rows_in_memory: int
) -> None:
    monkeypatch.setattr(plan_writer, "_ROWS_IN_MEMORY", rows_in_memory)
    path = tmp_path / "plan.xlsx"
    write_plan(small_plan(), small_round(), path, language=language)
    assert without_origins(read_plan(path)) == small_plan()


def test_a_large_plan_comes_back_equal(tmp_path: Path) -> None:
    round_ = large_round(2000)
    plan = large_plan(round_)
    write_plan(plan, round_, tmp_path / "plan.xlsx")
    assert without_origins(read_plan(tmp_path / "plan.xlsx")) == plan


def test_a_plan_without_years_bound_or_payments_comes_back_equal(tmp_path: Path) -> None:
    round_ = replace(small_round(), first_year=None, years=1)
    plan = replace(
        small_plan(),
        bound=None,
        gap=None,
        objective=Decimal(0),
        awards=(),
        payments=(),
        rules=(),
        sources=tuple(replace(row, year=None, used=Decimal(0)) for row in small_plan().sources[:1]),
        declined=(),
        manifest={"schema_version": 1},
    )
    write_plan(plan, round_, tmp_path / "plan.xlsx")
    assert without_origins(read_plan(tmp_path / "plan.xlsx")) == plan


def test_every_row_knows_its_address(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    write_plan(small_plan(), small_round(), path)
    plan = read_plan(path)
    book = openpyxl.load_workbook(path, data_only=True)
    for row in plan.payments:
        assert str(row.origin.place()).startswith("Awards!A")
        place = row.origin.place("amount")
        assert place.cell is not None
        assert book[place.sheet][place.cell].value == float(row.amount)
    for rule in plan.rules:
        place = rule.origin.place("activity")
        assert place.cell is not None
        assert book[place.sheet][place.cell].value == float(rule.activity)
    for source in plan.sources:
        place = source.origin.place("used")
        assert place.cell is not None
        assert book[place.sheet][place.cell].value == float(source.used)


#: Amounts of up to 15 digits, some of them behind the point.
_AMOUNTS = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places), st.integers(1, 10**15 - 1), st.integers(0, 12)
)
_TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1).filter(
    lambda text: bool(text.strip())
)
_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    _SCALARS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(
    amounts=st.lists(_AMOUNTS, min_size=1, max_size=4),
    texts=st.tuples(_TEXTS, _TEXTS, _TEXTS, _TEXTS),
    value=_JSON,
    in_memory=st.booleans(),
)
def test_any_amounts_names_and_manifest_come_back(
    amounts: list[Decimal], texts: tuple[str, str, str, str], value: object, in_memory: bool
) -> None:
    region, source, member, reason = texts
    small = small_round()
    round_ = replace(
        small,
        regions=(replace(small.regions[0], region=region), *small.regions[1:]),
        sources=(replace(small.sources[0], source=source),),
    )
    payments = tuple(Payment("p1", None, None, region, None, source, amount) for amount in amounts)
    awards = awards_of(payments)
    rule = RuleLine("r", member, "=", amounts[0], -amounts[0], Decimal(0), stated(awards[0].award), amounts[-1], True)
    plan = replace(
        _SMALL,
        payments=payments,
        awards=awards,
        rules=(rule,),
        sources=(),
        declined=(Declined("p4", reason),),
        manifest={"schema_version": 1, "value": value},
    )
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_writer, "_ROWS_IN_MEMORY", 20_000 if in_memory else 0)
        path = Path(folder) / "plan.xlsx"
        write_plan(plan, round_, path)
        assert without_origins(read_plan(path)) == plan


def test_a_manifest_longer_than_a_cell_comes_back(tmp_path: Path) -> None:
    cost = {"low": None, "high": None, "found": None}
    rest = {"kind": "forbid", "status": "candidate", "on": "2027-03-03", "by": "\ud800", "cost": cost}
    reason = "𝄞领导小组 _x0041_ \x00\x85\ud800 <r>" * 20
    overrides = [{"project": f"p{number}", "reason": reason} | rest for number in range(200)]
    plan = replace(small_plan(), manifest={"schema_version": 1, "overrides": overrides})
    write_plan(plan, small_round(), tmp_path / "plan.xlsx")
    assert read_plan(tmp_path / "plan.xlsx").manifest == plan.manifest


def test_awards_are_sums_in_order_of_project() -> None:
    rows = [
        Payment("b", None, None, "r", None, "s", Decimal("0.1")),
        Payment("a", "high", None, "r", None, "s", Decimal(7)),
        Payment("b", None, None, "q", None, "s", Decimal("0.2")),
    ]
    assert [(award.project, award.option, award.award) for award in awards_of(rows)] == [
        ("a", "high", Decimal(7)),
        ("b", None, Decimal("0.3")),
    ]
