"""One plan for one round, also where thousands tie: against enumeration, and under shuffled rows."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from integrated_fund.fund import Fund
from integrated_fund.round import Criterion, Project, Region, Round, Rule, Sector, Source
from optalloc.plan.plan import Plan
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch


def _round(projects: list[Project], amount: int, *rules: Rule) -> Round:
    return Round(
        title="ties",
        unit="yuan",
        sources=(Source("pool", Decimal(amount)),),
        sectors=(Sector("s"),),
        regions=(Region("east", "east"), Region("west", "west")),
        projects=tuple(projects),
        criteria=(Criterion("people", "people", weight=Decimal(1)),),
        rules=rules,
        gap=Decimal(0),
    )


def _project(number: int, least: int | None, most: int, people: int) -> Project:
    region = ("east", "west")[number % 2]
    return Project(
        f"p{number:03}",
        "s",
        ((region, Decimal(1)),),
        Decimal(most),
        min_award=None if least is None else Decimal(least),
        measures={"people": Decimal(people)},
    )


def _solved(round_: Round) -> Plan:
    plan = plan_of(Fund(round_), Watch())
    assert isinstance(plan, Plan)
    return plan


def _by_the_documented_order(round_: Round) -> dict[str, int]:
    """Enumerate every decision; the first in the documented order among the optimal ones."""
    best: tuple[int, tuple[int, ...], int, tuple[int, ...]] | None = None
    projects = sorted(round_.projects, key=lambda p: p.project)
    ranges = [
        [0, *range(int(p.max_award if p.min_award is None else p.min_award), int(p.max_award) + 1)] for p in projects
    ]
    for awards in product(*ranges):
        if sum(awards) > round_.sources[0].amount:
            continue
        value = sum(int(p.measures["people"] or 0) for p, award in zip(projects, awards, strict=True) if award)
        key = (value, tuple(int(award > 0) for award in awards), -sum(awards), awards)
        if best is None or key > best:
            best = key
    assert best is not None
    return {p.project: award for p, award in zip(projects, best[3], strict=True) if award}


@pytest.mark.parametrize("seed", range(12))
def test_the_plan_is_the_first_in_the_documented_order(seed: int) -> None:
    rng = random.Random(seed)
    projects = []
    for number in range(6):
        most = rng.randint(2, 5)
        least = rng.choice([None, rng.randint(1, most)])
        projects.append(_project(number, least, most, rng.randint(1, 2)))
    round_ = _round(projects, rng.randint(4, 14))
    plan = _solved(round_)
    assert {award.project: int(award.award) for award in plan.awards} == _by_the_documented_order(round_)
    assert plan.manifest["tie_break"]["complete"] is True  # type: ignore[index]


def test_hundreds_of_equal_projects_give_one_plan_whatever_their_order() -> None:
    half = Rule("half", "award", ">=", Decimal("0.5"), each="belt", of="total")
    projects = [_project(number, None, 10, 3) for number in range(300)]
    round_ = _round(projects, 1000, half)
    plan = _solved(round_)
    assert plan.gap == 0
    shuffled = list(projects)
    random.Random(1).shuffle(shuffled)
    again = _solved(replace(round_, projects=tuple(shuffled)))
    assert again.awards == plan.awards
    assert again.payments == plan.payments
    # 100 fit; by the order the first fifty of each belt are the first hundred of all.
    assert [award.project for award in plan.awards] == [f"p{number:03}" for number in range(100)]
