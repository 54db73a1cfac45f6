"""Another solver on the same Pyomo model reaches the same optimum (SCIP, by way of Pyomo)."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from integrated_fund.fund import Fund
from integrated_fund.round import Criterion, Filter, Link, Project, Region, Round, Rule, Sector, Selection, Source
from optalloc.plan.plan import Plan
from optalloc.solve.manifest import Request
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch


def middling_round(seed: int) -> Round:
    """Return a round of 60 to 200 projects with rules, links, varying awards and years."""
    rng = random.Random(seed)
    count = rng.randint(60, 200)
    regions = tuple(
        Region(f"r{i}", ("east", "west")[i % 2], attributes={"population": Decimal(rng.randint(5, 30))})
        for i in range(6)
    )
    projects = []
    for number in range(count):
        most = rng.randint(10, 90)
        projects.append(
            Project(
                f"p{number:03}",
                rng.choice(["edu", "sci"]),
                ((f"r{rng.randrange(6)}", Decimal(1)),),
                Decimal(most),
                min_award=rng.choice([None, None, Decimal(rng.randint(5, most))]),
                institution=f"u{rng.randrange(12)}",
                start_from=2030,
                start_to=rng.choice([2030, 2031]),
                profile=rng.choice([(Decimal(1),), (Decimal("0.5"), Decimal("0.5"))]),
                measures={"people": Decimal(rng.randint(1, 60)), "score": Decimal(rng.randint(1, 9))},
            )
        )
    money = sum((p.max_award for p in projects), Decimal(0))
    names = [p.project for p in projects]
    west = Filter({"belt": Selection(frozenset({"west"}))})
    return Round(
        title="middling",
        unit="yuan",
        first_year=2030,
        years=3,
        gap=Decimal("0.000001"),
        sources=(
            Source("pool", Decimal(int(money) // 5), 2030, carry_over=Decimal("0.5")),
            Source("pool", Decimal(int(money) // 8), 2031),
            Source("pool", Decimal(int(money) // 10), 2032),
            Source("west", Decimal(int(money) // 20), 2030, filter=west),
        ),
        sectors=(Sector("edu"), Sector("sci")),
        regions=regions,
        projects=tuple(projects),
        criteria=(Criterion("people", "people", weight=Decimal(1)), Criterion("score", "score", weight=Decimal(2))),
        rules=(
            Rule("west", "award", ">=", Decimal("0.45"), of="total", filter=west),
            Rule("head", "award", ">=", Decimal("0.6"), of="average", per="population", each="region"),
            Rule("cap", "accepted", "<=", Decimal(4), each="institution"),
        ),
        links=(
            Link("a", "requires", tuple(rng.sample(names, 2))),
            Link("b", "excludes", tuple(rng.sample(names, 3))),
            Link("c", "synergy", tuple(rng.sample(names, 2)), criterion="people", value=Decimal(15)),
        ),
    )


def _agree(seed: int) -> None:
    round_ = middling_round(seed)
    ours = plan_of(Fund(round_), Watch(60))
    theirs = plan_of(Fund(round_), Watch(60), Request(solver="scip"))
    assert isinstance(ours, Plan)
    assert isinstance(theirs, Plan)
    assert ours.status == theirs.status == "optimal"
    assert float(ours.objective) == pytest.approx(float(theirs.objective), rel=2e-6)


@pytest.mark.parametrize("seed", range(6))
def test_scip_reaches_the_same_optimum(seed: int) -> None:
    _agree(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 56))
def test_scip_reaches_the_same_optimum_on_many(seed: int) -> None:
    _agree(seed)
