"""What decisions add up to by the rule texts: measures, rules, links, sources, criteria, all in exact arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from tests.rule_texts.cells import Choice, Limit, Tie, Where, Work, World, only, year_passes
from tests.rule_texts.paying import payable

#: What a project gets: option (None: its row on Projects), start year (None in a one-year round), award.
Decision = tuple[str | None, int | None, Fraction]
Decisions = Mapping[str, Decision]
Taken = Mapping[str, Choice]

ZERO = Fraction(0)
Number = TypeVar("Number", Fraction, int)


@dataclass(frozen=True)
class RuleResult:
    """One rule member: both sides multiplied out, in the measure's unit. `penalty` is None for a hard rule."""

    rule: str
    member: str | None
    sense: str
    activity: Fraction
    bound: Fraction
    slack: Fraction
    violation: Fraction
    penalty: Fraction | None


@dataclass(frozen=True)
class Evaluation:
    """What decisions add up to. `levels`: the objective of each priority (one, if weighted), penalties off the first.

    `broken` names everything hard that is broken: `award P`, `status P`, `rule R`, `rule R of M`, `link L`, `sources`.
    """

    levels: tuple[Fraction, ...]
    criteria: Mapping[str, Fraction]
    rules: tuple[RuleResult, ...]
    broken: tuple[str, ...]

    @property
    def feasible(self) -> bool:
        """Whether the decisions are a plan."""
        return not self.broken


# What a project adds to a sum.


def running_years(choice: Choice, work: Work) -> list[tuple[int | None, Fraction]]:
    """Return the years of a choice with their shares, zero shares included."""
    if choice.start is None:
        return [(None, work.profile[0])]
    return [(choice.start + offset, share) for offset, share in enumerate(work.profile)]


def added(
    world: World, work: Work, choice: Choice, measure: str, basis: str | None, where: Where, discounted: bool = False
) -> Fraction:
    """Return what a funded project adds to a measure over the lines that pass."""
    if not world.project_passes(work, where):
        return ZERO
    places = sum((share for region, share in work.regions if world.region_passes(region, where)), ZERO)
    years = [(year, share) for year, share in running_years(choice, work) if year_passes(year, where)]
    if not places or not years:
        return ZERO
    if measure == "accepted":
        # Once, however many years pass; its benefit comes with the first of them.
        return ZERO if work.block else places * (world.factor(years[0][0]) if discounted else 1)
    times = sum((share * (world.factor(year) if discounted else 1) for year, share in years), ZERO)
    part = choice.award / choice.max_award
    if measure == "award":
        return choice.award * places * times
    proportional = work.block or basis == "award" or (measure == "cofunding" and basis is None)
    return choice.measures[measure] * (part if proportional else 1) * places * times


# Rules.


@dataclass(frozen=True)
class Member:
    """One limit: Σ measure over `where` against `constant` + `factor` · Σ measure over `base`."""

    limit: Limit
    name: str | None
    where: Where
    constant: Fraction
    factor: Fraction
    base: Where

    def sides(self, world: World, work: Work, choice: Choice) -> tuple[Fraction, Fraction]:
        """Return what a funded project adds to the left side and to the right side."""
        measure, basis = self.limit.measure, self.limit.basis
        left = added(world, work, choice, measure, basis, self.where)
        return left, self.factor * added(world, work, choice, measure, basis, self.base) if self.factor else ZERO


def _attribute(world: World, name: str, where: Where) -> Fraction:
    values = world.attributes[name]
    return sum((value for region, value in values.items() if world.region_passes(region, where)), ZERO)


def _funds(world: World, base: Where) -> Fraction:
    known: dict[str, list[str]] = {
        "sector": list(world.sectors),
        "region": list(world.belts),
        "belt": list(dict.fromkeys(world.belts.values())),
        "category": sorted({work.category for work in world.works if work.category}),
        "institution": sorted({work.institution for work in world.works if work.institution}),
        "tag": sorted({tag for work in world.works for tag in work.tags}),
    }
    dimensions = {dimension for dimension, _ in base if dimension != "year"}

    def admits(where: Where, dimension: str, value: str) -> bool:
        return all(pick.passes(value) for found, pick in where if found == dimension)

    return sum(
        (
            pool.amount
            for pool in world.pools
            if year_passes(pool.year, base)
            and all(any(admits(base, d, v) and admits(pool.where, d, v) for v in known[d]) for d in dimensions)
        ),
        ZERO,
    )


def _lines(world: World) -> Iterator[tuple[Work, str, int | None]]:
    for work in world.works:
        for start in work.starts:
            for region, _ in work.regions:
                for offset in range(len(work.profile)):
                    yield work, region, None if start is None else start + offset


def _names(world: World, limit: Limit) -> list[str]:
    """Return the members of `each` that pass the rule's filters."""
    each, where = limit.each, limit.where
    own = [pick for dimension, pick in where if dimension == each]
    if each == "region":
        return [region for region in world.belts if world.region_passes(region, where)]
    if each == "belt":
        found = [belt for region, belt in world.belts.items() if world.region_passes(region, where)]
    elif each == "sector":
        found = list(world.sectors)
    elif each == "year":
        found = [str(year) for year in world.years]
    else:
        found = []
        for work, region, year in _lines(world):
            if world.project_passes(work, where) and world.region_passes(region, where) and year_passes(year, where):
                if each == "tag":
                    found += sorted(work.tags)
                else:
                    value = work.category if each == "category" else work.institution
                    found += [] if value is None else [value]
    return [name for name in dict.fromkeys(found) if all(pick.passes(name) for pick in own)]


def members_of(world: World, limit: Limit) -> Iterator[Member]:
    """Yield every limit a row of Rules stands for."""
    names: list[str | None] = [None] if limit.each is None else [*_names(world, limit)]
    for name in names:
        own = () if limit.each is None or name is None else only(limit.each, name)
        where = limit.where + own
        base = tuple((dimension, pick) for dimension, pick in where if dimension in limit.within | {"year"})
        constant, factor = ZERO, ZERO
        if limit.of == "total":
            factor = limit.bound
        elif limit.of == "average":
            assert limit.per is not None
            factor = limit.bound * _attribute(world, limit.per, where) / _attribute(world, limit.per, base)
        elif limit.of == "funds":
            constant = limit.bound * _funds(world, base)
        elif limit.of is not None or limit.per is not None:
            constant = limit.bound * _attribute(world, limit.of or limit.per or "", where)
        else:
            constant = limit.bound
        yield Member(limit, name, where, constant, factor, base)


def violation(sense: str, activity: Number, bound: Number) -> Number:
    """Return by how much a limit is broken, 0 if it is kept."""
    over = activity - bound
    if sense == "=":
        return over if over > 0 else -over
    miss = over if sense == "<=" else -over
    return miss if miss > 0 else miss - miss


# Links and sources.


def link_holds(tie: Tie, accepted: frozenset[str]) -> bool:
    """Whether a link is kept by the accepted projects (a synergy always is)."""
    count = sum(project in accepted for project in tie.projects)
    holds = {
        "requires": tie.projects[0] not in accepted or count == len(tie.projects),
        "excludes": count <= 1,
        "all_or_none": count in (0, len(tie.projects)),
        "at_least": count >= tie.k,
        "at_most": count <= tie.k,
        "synergy": True,
    }
    return holds[tie.kind]


def synergy(world: World, tie: Tie, taken: Taken) -> Fraction:
    """Return what a link adds to its criterion."""
    if tie.kind != "synergy" or not all(project in taken for project in tie.projects):
        return ZERO
    starts = [taken[project].start for project in tie.projects]
    return tie.value * world.factor(max((start for start in starts if start is not None), default=None))


def needs_of(world: World, work: Work, choice: Choice) -> dict[tuple[int | None, frozenset[str]], Fraction]:
    """Return the money a choice needs by year and by the sources that may pay for it."""
    found: dict[tuple[int | None, frozenset[str]], Fraction] = {}
    for year, share in running_years(choice, work):
        for region, part in work.regions:
            able = frozenset(
                pool.name
                for pool in world.pools
                if pool.year == year
                and world.project_passes(work, pool.where)
                and world.region_passes(region, pool.where)
            )
            found[year, able] = found.get((year, able), ZERO) + choice.award * share * part
    return {key: money for key, money in found.items() if money}


def _pays(world: World, taken: Taken) -> bool:
    need: dict[tuple[int | None, frozenset[str]], Fraction] = {}
    for work in world.works:
        if work.name in taken:
            for key, money in needs_of(world, work, taken[work.name]).items():
                need[key] = need.get(key, ZERO) + money
    return payable(world.pools, world.years, need)


# Judging one decision vector.


def _taken(world: World, decisions: Decisions) -> tuple[dict[str, Choice], list[str]]:
    """Return the decided choices, and what is wrong with them; ValueError for a project or option that is not there."""
    works = {work.name: work for work in world.works}
    unknown = decisions.keys() - works.keys()
    if unknown:
        raise ValueError(f"no such project: {sorted(unknown)}")
    taken, broken = {}, []
    for name, (option, start, award) in decisions.items():
        work = works[name]
        level = next((level for level in work.levels if level.option == option), None)
        if level is None:
            raise ValueError(f"{name} has no option {option}")
        when = world.years[0] if start is None and len(world.years) == 1 else start
        if when not in work.starts:
            broken.append(f"start {name}")
        if not level.min_award <= award <= level.max_award or (award / work.step).denominator != 1:
            broken.append(f"award {name}")
        if award or not work.block:
            taken[name] = Choice(option, when, Fraction(award), level.max_award, level.measures)
    wanted = {"mandatory": True, "excluded": False}
    broken += [
        f"status {work.name}" for work in world.works if wanted.get(work.status) not in {None, work.name in taken}
    ]
    return taken, broken


def levels_of(world: World) -> list[list[str]]:
    """Return the criteria of each level, first level first."""
    if not world.lexicographic:
        return [[goal.name for goal in world.goals]]
    priorities = sorted({goal.priority for goal in world.goals})
    return [[goal.name for goal in world.goals if goal.priority == priority] for priority in priorities]


def evaluate_in(world: World, decisions: Decisions) -> Evaluation:
    """Judge a decision vector; projects that are not in it get nothing.

    Raises ValueError for a project or an option the round does not have.
    """
    taken, broken = _taken(world, decisions)
    funded = [(work, taken[work.name]) for work in world.works if work.name in taken]
    results = []
    for limit in world.limits:
        for member in members_of(world, limit):
            sides = [member.sides(world, work, choice) for work, choice in funded]
            activity = sum((left for left, _ in sides), ZERO)
            bound = member.constant + sum((right for _, right in sides), ZERO)
            miss = violation(limit.sense, activity, bound)
            slack = ZERO if limit.sense == "=" or miss else abs(activity - bound)
            results.append(
                RuleResult(limit.name, member.name, limit.sense, activity, bound, slack, miss, limit.penalty)
            )
            if miss and limit.penalty is None:
                broken.append(f"rule {limit.name}" + ("" if member.name is None else f" of {member.name}"))
    accepted = frozenset(work.name for work, _ in funded if not work.block)
    broken += [f"link {tie.name}" for tie in world.ties if not link_holds(tie, accepted)]
    if not _pays(world, taken):
        broken.append("sources")
    criteria = {}
    for goal in world.goals:
        own = (added(world, work, choice, goal.measure, goal.basis, goal.where, True) for work, choice in funded)
        extra = (synergy(world, tie, taken) for tie in world.ties if tie.criterion == goal.name)
        criteria[goal.name] = sum(own, ZERO) + sum(extra, ZERO)
    worth = {goal.name: goal.sign * goal.weight * criteria[goal.name] for goal in world.goals}
    levels = [sum((worth[name] for name in names), ZERO) for names in levels_of(world)]
    levels[0] -= sum((result.penalty * result.violation for result in results if result.penalty is not None), ZERO)
    return Evaluation(tuple(levels), criteria, tuple(results), tuple(broken))
