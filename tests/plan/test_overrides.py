"""Overrides as a manifest has them: read back as written, refused when they were changed, held against the plan."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from integrated_fund.fund import Fund
from integrated_fund.round import Round
from optalloc.plan.overrides import BadRecord, Cost, Override, Record, Without, overridden, records_of, without_of
from optalloc.plan.plan import Plan
from optalloc.plan.verify import verify
from optalloc.solve.overriding import Overridden, solve_overridden
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch
from tests.plan.test_verify import TABLES
from tests.support.tables import round_of

DAY = dt.date(2027, 3, 3)
OVERRIDES = (Override("P6", "force", "张三", "minutes", DAY), Override("P1", "forbid", "李四", "doubts", DAY))
ENTRY: Mapping[str, object] = Record(
    OVERRIDES[0], "candidate", Cost(Decimal("0.1"), Decimal("12.25"), Decimal(3))
).facts()


@pytest.fixture(scope="module")
def round_() -> Round:
    return round_of(TABLES)


@pytest.fixture(scope="module")
def plan(round_: Round) -> Plan:
    found = solve_overridden(round_, Fund(overridden(round_, OVERRIDES)), OVERRIDES, Watch())
    assert isinstance(found, Overridden)
    return found.on_record(found.plan)


def _failing(round_: Round, plan: Plan) -> list[str]:
    return [check.check for check in verify(round_, plan).checks if not check.holds]


def test_an_override_changes_the_status_and_nothing_else(round_: Round) -> None:
    changed = overridden(round_, OVERRIDES)
    status = {project.project: project.status for project in changed.projects}
    assert (status["P6"], status["P1"]) == ("mandatory", "excluded")
    back = [replace(new, status=old.status) for new, old in zip(changed.projects, round_.projects, strict=True)]
    assert replace(changed, projects=tuple(back)) == round_
    assert overridden(round_, ()) is round_


def test_a_record_comes_back_as_it_was_written() -> None:
    manifest = json.loads(json.dumps({"overrides": [ENTRY]}))
    (record,) = records_of(manifest)
    assert record == Record(OVERRIDES[0], "candidate", Cost(Decimal("0.1"), Decimal("12.25"), Decimal(3)))
    assert records_of({}) == ()
    assert without_of({}) == without_of({"without_overrides": None}) == Without()


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ("P6", "no list"),
        ({"P6": ENTRY}, "no list"),
        (["P6"], "is no override"),
        ([{**ENTRY, "project": None}], "project is missing"),
        ([{**ENTRY, "kind": "like"}], "kind is 'like', not one of force, forbid"),
        ([{**ENTRY, "status": 3}], "status is missing"),
        ([{**ENTRY, "by": " "}], "by is missing"),
        ([{**ENTRY, "reason": ""}], "reason is missing"),
        ([{**ENTRY, "on": "3 March"}], "is no date"),
        ([{**ENTRY, "cost": 3}], "cost is missing"),
        ([{**ENTRY, "cost": {"low": "0"}}], "is no cost"),
        ([{**ENTRY, "cost": {"low": True}}], "is no cost"),
        ([ENTRY, {**ENTRY, "kind": "forbid"}], "a project twice"),
    ],
)
def test_a_record_that_was_changed_is_refused_and_not_verified(
    round_: Round, plan: Plan, overrides: object, says: str
) -> None:
    manifest = {**plan.manifest, "overrides": overrides}
    with pytest.raises(BadRecord, match=says):
        records_of(manifest)
    failing = _failing(round_, replace(plan, manifest=manifest))
    assert "overrides on record" in failing
    assert "round" in failing


def test_a_plan_with_overrides_is_verified_against_the_round_as_it_stands(round_: Round, plan: Plan) -> None:
    assert _failing(round_, plan) == []
    names = [check.check for check in verify(round_, plan).checks]
    assert {"override: force P6", "override: forbid P1", "cost of the overrides"} <= set(names)


def test_a_plan_that_breaks_an_override_fails_by_its_name(round_: Round, plan: Plan) -> None:
    free = plan_of(Fund(round_), Watch())
    assert isinstance(free, Plan)
    assert "P1" in {award.project for award in free.awards}
    forged = replace(free, manifest={**plan.manifest, "plan_digest": free.manifest["plan_digest"]})
    assert {"override: force P6", "override: forbid P1"} <= set(_failing(round_, forged))


def test_taking_the_overrides_out_shows(round_: Round, plan: Plan) -> None:
    silent = replace(plan, manifest={**plan.manifest, "overrides": [], "without_overrides": None})
    assert "round" in _failing(round_, silent)


def test_a_cost_that_was_talked_down_shows(round_: Round, plan: Plan) -> None:
    without = plan.manifest["without_overrides"]
    assert isinstance(without, dict)
    cheap = {**without, "cost": {**without["cost"], "found": 0.0}}
    for forged in (cheap, {**without, "objective": None}):
        changed = replace(plan, manifest={**plan.manifest, "without_overrides": forged})
        assert _failing(round_, changed) == ["cost of the overrides"]
    for unreadable in ({**without, "cost": None}, "nothing"):
        changed = replace(plan, manifest={**plan.manifest, "without_overrides": unreadable})
        assert "overrides on record" in _failing(round_, changed)
