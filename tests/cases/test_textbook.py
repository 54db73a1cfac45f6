"""Textbook problems with known optima, expressed as rounds.

Knapsacks: J. Burkardt, KNAPSACK_01, data sets P01 to P07 (Florida State University), optima as published there.
Assignment: the 4 x 4 example of H. W. Kuhn, The Hungarian method for the assignment problem, Naval Research Logistics
Quarterly 2, 1955: of four individuals and four jobs three can be assigned.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from integrated_fund.fund import Fund
from integrated_fund.round import Criterion, Filter, Project, Region, Round, Rule, Sector, Selection, Source
from optalloc.plan.plan import Plan
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch

KNAPSACKS = {
    "P01": (165, [23, 31, 29, 44, 53, 38, 63, 85, 89, 82], [92, 57, 49, 68, 60, 43, 67, 84, 87, 72], 309),
    "P02": (26, [12, 7, 11, 8, 9], [24, 13, 23, 15, 16], 51),
    "P03": (190, [56, 59, 80, 64, 75, 17], [50, 50, 64, 46, 50, 5], 150),
    "P04": (50, [31, 10, 20, 19, 4, 3, 6], [70, 20, 39, 37, 7, 5, 10], 107),
    "P05": (104, [25, 35, 45, 5, 25, 3, 2, 2], [350, 400, 450, 20, 70, 8, 5, 5], 900),
    "P06": (170, [41, 50, 49, 59, 55, 57, 60], [442, 525, 511, 593, 546, 564, 617], 1735),
    "P07": (
        750,
        [70, 73, 77, 80, 82, 87, 90, 94, 98, 106, 110, 113, 115, 118, 120],
        [135, 139, 149, 150, 156, 163, 173, 184, 192, 201, 210, 214, 221, 229, 240],
        1458,
    ),
}


def _round(projects: list[Project], money: int, *rules: Rule) -> Round:
    return Round(
        title="textbook",
        unit="units",
        gap=Decimal(0),
        sources=(Source("pool", Decimal(money)),),
        sectors=(Sector("s"),),
        regions=(Region("here", "here"),),
        projects=tuple(projects),
        criteria=(Criterion("profit", "profit", weight=Decimal(1)),),
        rules=rules,
    )


def _project(name: str, award: int, profit: int, **more: object) -> Project:
    here = (("here", Decimal(1)),)
    return Project(name, "s", here, Decimal(award), measures={"profit": Decimal(profit)}, **more)  # type: ignore[arg-type]


def _optimum(round_: Round) -> Plan:
    plan = plan_of(Fund(round_), Watch())
    assert isinstance(plan, Plan)
    assert plan.gap == 0
    return plan


@pytest.mark.parametrize("name", sorted(KNAPSACKS))
def test_knapsacks(name: str) -> None:
    capacity, weights, profits, optimum = KNAPSACKS[name]
    projects = [_project(f"i{n:02}", w, p) for n, (w, p) in enumerate(zip(weights, profits, strict=True))]
    assert _optimum(_round(projects, capacity)).objective == optimum


def test_kuhns_assignment() -> None:
    """Individuals and jobs are tags; each is in at most one accepted project."""
    qualified = [(1, 1), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (4, 4)]
    projects = [_project(f"m{i}j{j}", 1, 1, tags=(f"job{j}", f"man{i}")) for i, j in qualified]
    once = Rule("once", "accepted", "<=", Decimal(1), each="tag")
    assert _optimum(_round(projects, 99, once)).objective == 3


def test_a_cardinality_rule_and_an_excluded_item() -> None:
    capacity, weights, profits, _ = KNAPSACKS["P06"]
    projects = [_project(f"i{n}", w, p) for n, (w, p) in enumerate(zip(weights, profits, strict=True))]
    two = Rule("two", "accepted", "<=", Decimal(2))
    not_last = Rule("not_last", "award", "<=", Decimal(0), filter=Filter({"tag": Selection(frozenset({"last"}))}))
    projects[-1] = _project("i6", weights[-1], profits[-1], tags=("last",))
    # By hand: the two most profitable of the first six are 593 and 564, together 116 of 170.
    assert _optimum(_round(projects, capacity, two, not_last)).objective == 593 + 564
