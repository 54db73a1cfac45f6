"""Lines added up as columns come to what plain loops over projects, regions and years come to, to the last digit."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from integrated_fund.round import Dimension, Filter, Option, Project, Region, Round, Selection
from optalloc.plan.lines import Candidates, Funded, Lines, passes
from tests.workbook.plans import small_round

_REGIONS = (Region("a", "west"), Region("b", "west"), Region("c", "east"))
_BELT = {region.region: region.belt for region in _REGIONS}
_VALUES: Mapping[Dimension, tuple[str, ...]] = {
    "sector": ("s", "t"),
    "category": ("k", "l"),
    "institution": ("i", "j", "m"),
    "tag": ("x", "y", "z"),
    "region": ("a", "b", "c"),
    "belt": ("west", "east"),
    "year": ("2030", "2031", "2032"),
}


def _project(dice: random.Random, number: int, digits: int) -> Project:
    def figure() -> Decimal:
        return Decimal(dice.randrange(1, 10**digits)).scaleb(-dice.randrange(3))

    regions: tuple[tuple[str, Decimal], ...] = ((dice.choice("abc"), Decimal(1)),)
    if dice.random() < 0.4:
        share = Decimal(dice.randrange(1, 1000)) / 1000
        regions = (("a", share), (dice.choice("bc"), 1 - share))
    profiles = ((Decimal(1),), (Decimal("0.5"), Decimal("0.5")), (Decimal(0), Decimal("0.25"), Decimal("0.75")))
    most = figure()
    return Project(
        f"p{number}",
        dice.choice(("s", "t")),
        regions,
        most,
        dice.choice((None, Decimal(0), most / 3)),
        category=dice.choice((None, "k", "l")),
        institution=dice.choice((None, "i", "j", "m")),
        tags=tuple(dice.sample(("x", "y", "z"), dice.randrange(4))),
        profile=dice.choice(profiles),
        measures={"people": dice.choice((None, figure(), -figure())), "cofunding": figure()},
    )


def _funded(dice: random.Random, projects: list[Project], years: bool) -> list[Funded]:
    funded = []
    for project in projects:
        if dice.random() < 0.3:
            continue
        option = None
        if dice.random() < 0.3:
            option = Option(
                project.project, "o", project.max_award * 2, None, {"people": dice.choice((None, Decimal(7)))}
            )
        most = project.max_award if option is None else option.max_award
        award = dice.choice((most, most / 2, most * dice.randrange(1, 9) / 8))
        own = project if years else replace(project, profile=(Decimal(1),))
        funded.append(Funded(own, option, dice.choice((2030, 2031)) if years else None, award))
    return funded


def _filter(dice: random.Random) -> Filter:
    by: dict[Dimension, Selection] = {}
    for dimension, values in _VALUES.items():
        if dice.random() < 0.25:
            chosen = frozenset(dice.sample(values, dice.randrange(1, len(values) + 1)))
            by[dimension] = Selection(exclude=chosen) if dice.random() < 0.4 else Selection(include=chosen)
    return Filter(by)


def _plainly(
    funded: list[Funded], measure: str, basis: str | None, filter_: Filter, discount: Mapping[int | None, Fraction]
) -> Fraction:
    found = Fraction(0)
    for one in funded:
        block = one.project.is_block_grant
        value = Fraction(one.column(measure))
        if measure == "award":
            value = Fraction(one.award)
        elif measure == "accepted":
            value = Fraction(0 if block else 1)
        elif measure == "cofunding" or basis == "award" or block:
            value *= Fraction(one.award) / Fraction(one.max_award)
        for region, share in one.project.regions:
            for year, part in one.years():
                if passes(filter_, one.project, region, _BELT[region], year):
                    line = value * Fraction(share) * discount[year]
                    if measure == "accepted":
                        found += line
                        break
                    found += line * Fraction(part)
    return found


def _narrowed(filter_: Filter, each: Dimension, member: str) -> Filter:
    return Filter({**filter_.by, each: Selection(frozenset({member}), filter_.on(each).exclude)})


@pytest.mark.parametrize("seed", range(60))
def test_columns_add_up_to_what_loops_do(seed: int) -> None:
    dice = random.Random(seed)
    digits = 22 if seed % 5 == 0 else 4  # beyond what machine numbers hold, too
    projects = [_project(dice, number, digits) for number in range(dice.choice((0, 1, 8, 40)))]
    years = seed % 4 > 0
    round_ = replace(small_round(), regions=_REGIONS, projects=tuple(projects))
    funded = _funded(dice, projects, years)
    lines = Lines(round_, Candidates(round_), funded)
    plain = dict.fromkeys((None, 2030, 2031, 2032, 2033), Fraction(1))
    rates = {None: Fraction(1)} | {year: 1 / Fraction("1.03") ** (year - 2030) for year in range(2030, 2034)}
    for measure, basis in (
        ("award", None),
        ("accepted", None),
        ("people", None),
        ("people", "award"),
        ("cofunding", None),
    ):
        for _ in range(4):
            filter_ = _filter(dice)
            assert lines.total(measure, basis, filter_) == _plainly(funded, measure, basis, filter_, plain)  # type: ignore[arg-type]
            assert lines.total(measure, basis, filter_, rates) == _plainly(funded, measure, basis, filter_, rates)  # type: ignore[arg-type]
            for each, members in _VALUES.items():
                if each == "year" and not years:
                    members = ("None",)
                found = lines.totals(measure, basis, filter_, each)  # type: ignore[arg-type]
                for member in members:
                    if filter_.on(each).passes(member) or member == "None":
                        own = _narrowed(filter_, each, member)
                        due = _plainly(funded, measure, basis, own, plain)
                        assert found.get(member, Fraction(0)) == due, (measure, each, member)


def test_millions_of_sums_are_not_rounded() -> None:
    round_: Round = replace(
        small_round(),
        regions=_REGIONS,
        projects=tuple(
            Project(f"p{n}", "s", (("a", Decimal("0.333")), ("b", Decimal("0.667"))), Decimal(999_999_999_999_989 - n))
            for n in range(3000)
        ),
    )
    funded = [Funded(project, None, None, project.max_award) for project in round_.projects]
    lines = Lines(round_, Candidates(round_), funded)
    whole = sum(Fraction(one.award) for one in funded)
    assert lines.total("award", None, Filter()) == whole
    assert lines.totals("award", None, Filter(), "region") == {"a": whole * 333 / 1000, "b": whole * 667 / 1000}
