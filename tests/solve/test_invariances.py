"""One round, one plan: shuffled rows and sheets, another unit, a finer step, split rules."""

from __future__ import annotations

import copy
import random
from decimal import Decimal

import pytest

from integrated_fund.fund import Fund
from optalloc.plan.plan import Plan
from optalloc.solve.planning import NoPlan, plan_of
from optalloc.solve.progress import Watch
from optalloc.workbook.grid import Tables
from tests.rule_texts.rounds import random_tables
from tests.support.tables import round_of

SEEDS = range(40)


def _solved(tables: Tables) -> Plan | NoPlan:
    return plan_of(Fund(round_of(tables)), Watch())


def _shuffled(tables: Tables, seed: int) -> Tables:
    rng = random.Random(seed)
    sheets = list(tables)
    rng.shuffle(sheets)
    shuffled = {}
    for sheet in sheets:
        rows = list(tables[sheet])
        if sheet != "Sources":  # sources pay in the order of their sheet, by contract
            rng.shuffle(rows)
        shuffled[sheet] = rows
    return shuffled


def _setting(tables: Tables, name: str) -> Decimal:
    return next((Decimal(str(row["value"])) for row in tables["Round"] if row["setting"] == name), Decimal(1))


def _with_step(tables: Tables, step: Decimal) -> list[dict[str, object]]:
    return [*(row for row in tables["Round"] if row["setting"] != "step"), {"setting": "step", "value": step}]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_and_sheets_does_not_matter(seed: int) -> None:
    tables = random_tables(random.Random(seed))
    one, other = _solved(tables), _solved(_shuffled(tables, seed))
    if isinstance(one, NoPlan):
        assert isinstance(other, NoPlan)
        return
    assert isinstance(other, Plan)
    for part in ("objective", "bound", "gap", "awards", "payments", "rules", "sources", "criteria", "declined"):
        mine, theirs = getattr(one, part), getattr(other, part)
        if part == "rules":
            mine, theirs = ([(r.rule, r.member, r.activity, r.bound) for r in rows] for rows in (mine, theirs))
        assert _plain(mine) == _plain(theirs), part


def _plain(value: object) -> object:
    """Return rows without the place they were read from."""
    return [repr(row).partition(" origin=")[0] for row in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("seed", SEEDS)
def test_a_finer_step_is_never_worse(seed: int) -> None:
    tables = random_tables(random.Random(seed))
    coarse = _solved(tables)
    fine = _solved({**tables, "Round": _with_step(tables, _setting(tables, "step") / 2)})
    if isinstance(coarse, Plan):
        assert isinstance(fine, Plan)
        assert fine.objective >= coarse.objective


@pytest.mark.parametrize("seed", range(60))
def test_another_unit_gives_the_same_plan(seed: int) -> None:
    """Money in thousandths: amounts, steps and absolute bounds on money times 1,000."""
    tables = random_tables(random.Random(seed))
    money = {"award", "cofunding"}
    if any(row.get("measure") in money for row in tables["Criteria"]) or any(
        row["measure"] in money and (row.get("per") or row.get("of") == "gdp" or row.get("penalty"))
        for row in tables.get("Rules", [])
    ):
        pytest.skip("money is worth points in this round: weights would have to be scaled too")
    scaled = copy.deepcopy(tables)
    for sheet in ("Sources", "Projects", "Options"):
        for row in scaled.get(sheet, []):
            for column in ("amount", "min_award", "max_award", "cofunding"):
                if row.get(column) is not None:
                    row[column] = Decimal(str(row[column])) * 1000
    scaled["Round"] = _with_step(scaled, _setting(tables, "step") * 1000)
    for row in scaled.get("Rules", []):
        if row["measure"] in money and row.get("of") is None:
            row["bound"] = Decimal(str(row["bound"])) * 1000
    one, other = _solved(tables), _solved(scaled)
    if isinstance(one, NoPlan):
        assert isinstance(other, NoPlan)
        return
    assert isinstance(other, Plan)
    assert [(a.project, a.option, a.start, a.award * 1000) for a in one.awards] == [
        (a.project, a.option, a.start, a.award) for a in other.awards
    ]


@pytest.mark.parametrize("seed", range(20))
def test_a_rule_written_twice_changes_nothing(seed: int) -> None:
    tables = random_tables(random.Random(seed))
    twice = copy.deepcopy(tables)
    hard = [row for row in tables.get("Rules", []) if row.get("penalty") is None]
    twice["Rules"] = [*tables.get("Rules", []), *({**row, "rule": f"{row['rule']}_again"} for row in hard)]
    one, other = _solved(tables), _solved(twice)
    if isinstance(one, NoPlan):
        assert isinstance(other, NoPlan)
        return
    assert isinstance(other, Plan)
    assert other.awards == one.awards
