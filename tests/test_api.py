"""The five lines of the README, and a rule of one's own on the Pyomo model."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyomo.environ as pyo
import pytest

from optalloc.api import InvalidRound, NoPlanExists, Override, diagnose, explain, formulate, read, solve, tables
from optalloc.errors import WrongUse
from optalloc.plan.overrides import records_of
from optalloc.study.diagnosis.movable import with_changes
from tests.plan.test_verify import TABLES
from tests.support.tables import write_tables


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_tables(TABLES, tmp_path / "round.xlsx")


def test_read_solve_look(book: Path) -> None:
    round_ = read(book)
    plan = solve(round_)
    found = tables(plan)
    assert set(found) == {"awards", "payments", "rules", "sources", "criteria", "declined", "overrides"}
    assert found["overrides"].empty
    assert found["awards"]["award"].sum() == found["payments"]["amount"].sum()


def test_a_rule_of_ones_own(book: Path) -> None:
    round_ = read(book)
    free = {award.project for award in solve(round_).awards}
    assert {"P1", "P2"} <= free
    fund = formulate(round_)
    fund.model.mine = pyo.Constraint(expr=fund.accepted("P1") + fund.accepted("P2") <= 1)
    fund.model.much = pyo.Constraint(expr=fund.award("P4") <= 12)
    plan = solve(fund)
    awards = {award.project: award.award for award in plan.awards}
    assert len({"P1", "P2"} & set(awards)) == 1
    assert awards.get("P4", Decimal(0)) <= 12


def test_overrides(book: Path) -> None:
    round_ = read(book)
    plan = solve(round_, overrides=[Override("P1", "forbid", by="the leading group", reason="minutes")])
    assert "P1" not in {award.project for award in plan.awards}
    (record,) = records_of(plan.manifest)
    assert (record.override.project, record.override.by) == ("P1", "the leading group")
    assert record.cost.low == record.cost.high == solve(round_).objective - plan.objective
    (row,) = tables(plan)["overrides"].to_dict("records")
    assert (row["project"], row["kind"], row["status"], row["by"]) == ("P1", "forbid", "candidate", "the leading group")
    assert (row["on"], row["cost"], row["cost_low"]) == (record.override.on, record.cost.found, record.cost.low)
    for where, what in ((round_, "P99"), (formulate(round_), "P1")):
        with pytest.raises(WrongUse):
            solve(where, overrides=[Override(what, "forbid", by="x", reason="y")])


def test_diagnose(tmp_path: Path) -> None:
    hard = {**TABLES, "Rules": [{"rule": "r", "measure": "accepted", "sense": ">=", "bound": 9}]}
    round_ = read(write_tables(hard, tmp_path / "hard.xlsx"))
    found = diagnose(round_)
    assert (found.status, found.complete) == ("infeasible", True)
    first = found.alternatives[0]
    assert first.proven
    assert solve(with_changes(round_, first.repair.changes)).status == "optimal"
    assert diagnose(read(write_tables(TABLES, tmp_path / "round.xlsx"))).status == "feasible"


def test_errors_are_exceptions_with_words(tmp_path: Path) -> None:
    wrong = {**TABLES, "Criteria": [{"criterion": "peeple", "weight": 1}]}
    with pytest.raises(InvalidRound, match="Criteria!A2"):
        read(write_tables(wrong, tmp_path / "bad.xlsx"))
    hard = {**TABLES, "Rules": [{"rule": "r", "measure": "accepted", "sense": ">=", "bound": 9}]}
    with pytest.raises(NoPlanExists):
        solve(read(write_tables(hard, tmp_path / "none.xlsx")))


def test_explanations_keep_the_overrides(book: Path) -> None:
    round_ = read(book)
    made = [Override("P1", "forbid", by="the council", reason="minutes")]
    found = explain(round_, ["P1", "P2"], overrides=made, gap=0)
    assert not found[0].verdict.is_funded
    assert found[0].verdict.status == "excluded"
    assert all("P1" not in one.otherwise.enters for one in found[1:] if one.otherwise is not None)
    with pytest.raises(WrongUse):
        explain(round_, ["P1"], overrides=[Override("P99", "forbid", by="x", reason="y")])


def test_projects_are_explained(book: Path) -> None:
    round_ = read(book)
    funded = {award.project for award in solve(round_, gap=0).awards}
    found = explain(round_, ["P1", "P3"], gap=0)
    assert [one.verdict.project for one in found] == ["P1", "P3"]
    for one in found:
        assert one.verdict.is_funded == (one.verdict.project in funded)
        assert sum(line.cost for line in one.costs) == one.verdict.cost
    with pytest.raises(WrongUse, match="no project 'P99'"):
        explain(round_, ["P99"])
