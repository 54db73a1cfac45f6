"""Plans made by hand, for the tests of the plan workbook."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

from integrated_fund.round import Criterion, Project, Region, Round, Rule, Sector, Source
from optalloc.examples.provinces import PROVINCES
from optalloc.plan.plan import SCHEMA_VERSION, Award, Declined, Payment, Plan, RuleLine, SourceLine, stated

D = Decimal


def small_round() -> Round:
    """Three regions, two years, two sources, four projects."""
    return Round(
        title="Integrated fund 2027-2028",
        unit="10,000 yuan",
        currency="CNY",
        step=D("0.01"),
        first_year=2027,
        years=2,
        sources=(
            Source("education", D(1000), 2027, "Education pool", carry_over=D("0.5")),
            Source("education", D("1200.5"), 2028, "Education pool"),
            Source("science", D(800), 2027),
            Source("science", D(900), 2028),
        ),
        sectors=(Sector("schools", "Schools"), Sector("labs", "Laboratories")),
        regions=(
            Region("beijing", "east", "Beijing", {"population": D(21893095)}),
            Region("hubei", "central", "Hubei", {"population": D(57752557)}),
            Region("gansu", "west", "Gansu", {"population": D(25019831)}),
        ),
        projects=(
            Project("p1", "schools", (("beijing", D("0.6")), ("gansu", D("0.4"))), D(500), title="Sister schools"),
            Project("p2", "labs", (("hubei", D(1)),), D("733.33"), title="=HYPERLINK(1)", institution="Wuhan"),
            Project("p3", "labs", (("gansu", D(1)),), D(900), min_award=D(100)),
            Project("p4", "schools", (("beijing", D(1)),), D(400), title="Too dear"),
        ),
        criteria=(
            Criterion("training", "training", title="People trained", weight=D(2)),
            Criterion("cost", "cost", "min", weight=D("0.5")),
        ),
        rules=(
            Rule("west floor", "award", ">=", D("0.3"), of="total", authority="Notice 12"),
            Rule("per province", "award", "<=", D(900), each="region"),
        ),
    )


def small_plan() -> Plan:
    """A plan of `small_round`, stopped by the clock, with a change and an override on record."""
    payments = (
        Payment("p1", None, 2027, "beijing", 2027, "education", D(150)),
        Payment("p1", None, 2027, "beijing", 2028, "education", D(150)),
        Payment("p1", None, 2027, "gansu", 2027, "education", D(100)),
        Payment("p1", None, 2027, "gansu", 2028, "science", D(100)),
        Payment("p2", "high", 2028, "hubei", 2028, "science", D("733.33")),
        Payment("p3", None, 2027, "gansu", 2027, "science", D("412.34")),
    )
    return Plan(
        status="feasible",
        objective=D("1234.5678"),
        bound=D("1243.25"),
        gap=stated((D("1243.25") - D("1234.5678")) / D("1234.5678")),
        criteria={"training": D(700), "cost": D("330.8644")},
        awards=(
            Award("p1", None, 2027, D(500)),
            Award("p2", "high", 2028, D("733.33")),
            Award("p3", None, 2027, D("412.34")),
        ),
        payments=payments,
        rules=(
            RuleLine(
                "west floor", None, ">=", D("612.34"), D("493.701"), D("118.639"), D(0), D("0.3"), False,
                "awards: at least 30 % of the total",
            ),
            RuleLine("per province", "beijing", "<=", D(300), D(900), D(600), D(0), D(900), True),
            RuleLine("per province", "hubei", "<=", D("733.33"), D("733.33"), D(0), D(0), D("733.33")),
            RuleLine("per province", "gansu", "=", D("612.34"), D(600), D(0), D("12.34"), D(600), True, "=1+1"),
        ),
        sources=(
            SourceLine("education", 2027, D(1000), D(250), D(375)),
            SourceLine("education", 2028, D("1200.5"), D(150), None),
            SourceLine("science", 2027, D(800), D("412.34"), D(0)),
            SourceLine("science", 2028, D(900), D("833.33"), None),
        ),
        declined=(Declined("p4", "rule per province (beijing)"),),
        manifest={
            "schema_version": SCHEMA_VERSION,
            "optalloc": "0.1.0",
            "solver": "HiGHS 1.12",
            "plan_digest": "ab" * 32,
            "sets": ["Sources.education.amount=*1.1"],
            "overrides": [
                {
                    "project": "p3",
                    "kind": "force",
                    "status": "excluded",
                    "by": "张三",
                    "reason": "leading group, 3 March",
                    "on": "2027-03-03",
                    "cost": {"low": -2.5, "high": 12.0, "found": 7.25},
                },
                {
                    "project": "p4",
                    "kind": "forbid",
                    "status": "candidate",
                    "by": "=HYPERLINK(1)",
                    "reason": "=1+1",
                    "on": "2027-03-04",
                    "cost": {"low": None, "high": None, "found": None},
                },
            ],
            "without_overrides": {
                "status": "feasible",
                "objective": 1241.8178,
                "bound": 1246.5678,
                "cost": {"low": -2.5, "high": 12.0, "found": 7.25},
            },
            "options": {"gap": 0.0001, "time_limit": 60.0},
            "stopped": "time limit",
            "repeatable": "no: the search was stopped by the clock or by hand",
            "levels": [],
        },
    )  # fmt: skip


_SECTORS = ("Basic education", "Vocational training", "Universities", "Laboratories", "Talent", "Technology transfer")


def large_round(projects: int) -> Round:
    """Thirty-one regions, six sectors, three pools over two years, and as many invented projects as asked for."""
    dice = random.Random(7)
    regions = tuple(Region(row.region, row.belt, row.name, {"population": D(row.population)}) for row in PROVINCES)
    weights = [float(region.attributes["population"] or 0) for region in regions]
    made = tuple(
        Project(
            f"P{number:06d}",
            dice.choice(_SECTORS).lower(),
            ((dice.choices(regions, weights)[0].region, D(1)),),
            D(dice.randrange(50, 3000)),
            title=f"Project number {number} of the invented ones",
        )
        for number in range(projects)
    )
    return replace(
        small_round(),
        title="National round 2027",
        sources=tuple(
            Source(pool, D(projects * 250), year)
            for pool in ("education", "science", "talent")
            for year in (2027, 2028)
        ),
        sectors=tuple(Sector(name.lower(), name) for name in _SECTORS),
        regions=regions,
        projects=made,
    )


def large_plan(round_: Round) -> Plan:
    """A plan of a large round: two projects of three get all they ask for, in two halves."""
    pools = ("education", "science", "talent")
    payments = []
    for number, project in enumerate(round_.projects):
        if number % 3:
            half = project.max_award / 2
            for year in (2027, 2028):
                pool = pools[number % len(pools)]
                payments.append(Payment(project.project, None, 2027, project.regions[0][0], year, pool, half))
    used = dict.fromkeys(((row.source, row.year) for row in round_.sources), D(0))
    for row in payments:
        used[row.source, row.year] += row.amount
    funded = {row.project for row in payments}
    return replace(
        small_plan(),
        status="optimal",
        gap=D("0.0000871234567891234"[:17]),
        awards=tuple(Award(p.project, None, 2027, p.max_award) for p in round_.projects if p.project in funded),
        payments=tuple(payments),
        sources=tuple(
            SourceLine(row.source, row.year, row.amount, used[row.source, row.year], None) for row in round_.sources
        ),
        declined=tuple(Declined(p.project, None) for p in round_.projects if p.project not in funded),
        manifest={"schema_version": SCHEMA_VERSION, "sets": [], "overrides": [], "stopped": None},
    )
