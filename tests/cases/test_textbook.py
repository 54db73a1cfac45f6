"""Textbook problems with known optima, expressed as rounds.

Knapsacks: J. Burkardt, KNAPSACK_01, data sets P01 to P07 (Florida State University), optima as published there.
Assignment: the 4 x 4 example of H. W. Kuhn, The Hungarian method for the assignment problem, Naval Research Logistics
Quarterly 2, 1955: of four individuals and four jobs three can be assigned.
Linear programmes with their sensitivity tables: Wyndor Glass (F. S. Hillier, G. J. Lieberman, Introduction to
Operations Research), Reddy Mikks, TOYCO and a degenerate one (H. A. Taha, Operations Research: An Introduction), Dakota
Furniture (W. L. Winston, Operations Research: Applications and Algorithms). Activities are block grants, resources are
rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest

from integrated_fund.fund import Fund
from integrated_fund.round import Criterion, Filter, Project, Region, Round, Rule, Sector, Selection, Source
from optalloc.plan.plan import Plan
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch
from tests.support.priced_rounds import priced_round

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


# Linear programmes: shadow prices and how far they hold.


@dataclass(frozen=True)
class _Table:
    """max profit · x with uses · x <= available, its optimum, and by resource: price of more, of less, from, to."""

    profit: tuple[int, ...]
    uses: tuple[tuple[float, ...], ...]
    available: tuple[int, ...]
    optimum: float
    prices: tuple[tuple[float, float, Fraction | None, Fraction | None], ...]


def _range(low: float | Fraction | None, high: float | Fraction | None) -> tuple[Fraction | None, Fraction | None]:
    return None if low is None else Fraction(low), None if high is None else Fraction(high)


SENSITIVITIES = {
    "Wyndor Glass": _Table(
        (3, 5),
        ((1, 0), (0, 2), (3, 2)),
        (4, 12, 18),
        36,
        ((0, 0, *_range(2, None)), (1.5, 1.5, *_range(6, 18)), (1, 1, *_range(12, 24))),
    ),
    "Reddy Mikks": _Table(
        (5, 4),
        ((6, 4), (1, 2), (-1, 1), (0, 1)),
        (24, 6, 1, 2),
        21,
        (
            (0.75, 0.75, *_range(20, 36)),
            (0.5, 0.5, *_range(4, Fraction(20, 3))),
            (0, 0, *_range(-1.5, None)),
            (0, 0, *_range(1.5, None)),
        ),
    ),
    "TOYCO": _Table(
        (3, 2, 5),
        ((1, 2, 1), (3, 0, 2), (1, 4, 0)),
        (430, 460, 420),
        1350,
        ((1, 1, *_range(230, 440)), (2, 2, *_range(440, 860)), (0, 0, *_range(400, None))),
    ),
    "Dakota Furniture": _Table(
        (60, 30, 20),
        ((8, 6, 1), (4, 2, 1.5), (2, 1.5, 0.5)),
        (48, 20, 8),
        280,
        ((0, 0, *_range(24, None)), (10, 10, *_range(16, 24)), (10, 10, *_range(Fraction(20, 3), 10))),
    ),
    # Degenerate: the optimum lies on a third line, so both sides differ. From the geometry: with more of the first
    # nothing is gained; with less, and with more of the second, both lines meet at x1 > 0; with less of the second the
    # optimum goes down the axis of x2.
    "Taha's degenerate": _Table(
        (3, 9),
        ((1, 4), (1, 2)),
        (8, 4),
        18,
        ((0, 1.5, *_range(4, None)), (1.5, 4.5, *_range(0, 8))),
    ),
}


@pytest.mark.parametrize("name", sorted(SENSITIVITIES))
def test_published_sensitivity_tables(name: str) -> None:
    table = SENSITIVITIES[name]
    most = 10_000
    projects = [
        Project(
            f"x{n}",
            "s",
            (("here", Decimal(1)),),
            Decimal(most),
            min_award=Decimal(0),
            measures={"profit": Decimal(profit * most)}
            | {f"use{m}": Decimal(str(row[n])) * most for m, row in enumerate(table.uses)},
        )
        for n, profit in enumerate(table.profit)
    ]
    rules = [Rule(f"resource{m}", f"use{m}", "<=", Decimal(amount)) for m, amount in enumerate(table.available)]
    found = priced_round(_round(projects, 100 * most, *rules))
    assert found is not None
    report = found.priced.report
    assert float(report.relaxed) == pytest.approx(table.optimum)
    assert report.pool == 0
    for line, (more, less, start, end) in zip(report.lines, table.prices, strict=False):
        assert isinstance(line.price_more, Decimal)
        assert isinstance(line.price_less, Decimal)
        assert (float(line.price_more), float(line.price_less)) == pytest.approx((more, less))
        for stated, published in ((line.valid_from, start), (line.valid_to, end)):
            assert (stated is None) == (published is None), line
            assert stated is None or published is None or float(stated) == pytest.approx(float(published))
