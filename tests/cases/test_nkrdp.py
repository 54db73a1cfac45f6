"""A real call of 1,313 projects with an optimum known from two other solvers. The data is not part of the project."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from integrated_fund.fund import Fund
from integrated_fund.round import Criterion, Filter, Project, Region, Round, Rule, Sector, Selection, Source
from optalloc.plan.plan import Plan
from optalloc.plan.verify import verify
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch

CASE = Path(__file__).parents[3] / "shared" / "cases" / "nkrdp"


@pytest.mark.skipif(not CASE.is_dir(), reason="the data of this case is not here")
def test_892_projects_for_half_the_money() -> None:
    with (CASE / "projects.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (CASE / "provinces.csv").open(encoding="utf-8") as file:
        regions = [Region(row["province"], row["belt"]) for row in csv.DictReader(file)]
    inland = Filter({"belt": Selection(frozenset({"中部", "西部"}))})
    round_ = Round(
        title="national key research programme",
        unit="10,000 yuan",
        step=Decimal("0.01"),
        gap=Decimal(0),
        sources=(Source("half", Decimal("1257925.18")),),
        sectors=tuple(Sector(name) for name in sorted({row["programme"] for row in rows})),
        regions=(*regions, Region("unknown", "unknown")),
        projects=tuple(
            Project(
                row["project"],
                row["programme"],
                ((row["province"] or "unknown", Decimal(1)),),
                Decimal(row["award_wan_yuan"]),
                measures={"one": Decimal(1)},
            )
            for row in rows
        ),
        criteria=(Criterion("one", "one", weight=Decimal(1)),),
        rules=(
            Rule("inland", "award", ">=", Decimal("0.3"), of="funds", filter=inland),
            Rule("programmes", "accepted", ">=", Decimal(1), each="sector"),
        ),
    )
    plan = plan_of(Fund(round_), Watch(120))
    assert isinstance(plan, Plan)
    assert plan.objective == 892
    assert plan.gap == 0
    assert plan.manifest["tie_break"]["complete"] is True  # type: ignore[index]
    assert verify(round_, plan).ok
