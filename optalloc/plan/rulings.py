"""Rules and criteria of a round under a plan, recomputed for verification from the texts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from integrated_fund.round import Criterion, Dimension, Filter, Link, Project, Region, Round, Rule, Selection, Source
from optalloc.plan.lines import ZERO, Candidates, Coded, Flags, Funded, Lines


@dataclass(frozen=True, slots=True)
class Ruling:
    """One member of a rule: what it comes to and what it may come to."""

    rule: Rule
    member: str | None
    activity: Fraction
    bound: Fraction

    @property
    def violation(self) -> Fraction:
        """By how much the bound is missed, 0 where it is kept."""
        over = self.activity - self.bound
        if self.rule.sense == "<=":
            return max(ZERO, over)
        if self.rule.sense == ">=":
            return max(ZERO, -over)
        return abs(over)

    @property
    def slack(self) -> Fraction:
        """How far the activity is from the bound on the side that keeps it."""
        if self.rule.sense == "=" or self.violation:
            return ZERO
        return abs(self.activity - self.bound)


_ByMember = Callable[[str | None], Fraction]


def _by_member(differs: bool, figure: _ByMember) -> _ByMember:
    """Return a figure of a rule by member, taken once where it is the same for all."""
    if differs:
        return figure
    same = figure(None)
    return lambda _: same


class Recount:
    """A round under the projects that a plan funds: the members of its rules and what they come to, its criteria."""

    def __init__(self, round_: Round, funded: Sequence[Funded]) -> None:
        self._round = round_
        self._candidates = Candidates(round_)
        self._lines = Lines(round_, self._candidates, funded)
        self._accepted = {one.project.project: one.start for one in funded if not one.project.is_block_grant}
        self._belt_of = {region.region: region.belt for region in round_.regions}

    def rulings(self) -> list[Ruling]:
        """Return every member of every rule, in the order of the sheet."""
        found = []
        for rule in self._round.rules:
            members = self._members(rule)
            if rule.each is None:
                activities: Mapping[str | None, Fraction] = {
                    None: self._lines.total(rule.measure, rule.basis, rule.filter)
                }
            else:
                activities = self._lines.totals(rule.measure, rule.basis, rule.filter, rule.each)
            bound = self._bound(rule)
            found += [Ruling(rule, member, activities.get(member, ZERO), bound(member)) for member in members]
        return found

    def criterion(self, criterion: Criterion) -> Fraction:
        """Return a criterion's value, synergies included."""
        discount = discount_by_year(self._round)
        own = self._lines.total(criterion.measure, criterion.basis, criterion.filter, discount)
        links = [link for link in self._round.links if link.criterion == criterion.criterion]
        return own + sum((synergy_value(link, self._round, self._accepted) for link in links), ZERO)

    def _members(self, rule: Rule) -> list[str | None]:
        """Return the members of a rule's `each`, in order."""
        each, filter_, round_ = rule.each, rule.filter, self._round
        if each is None:
            return [None]
        selection = filter_.on(each)
        named: Iterable[str]
        if each == "sector":
            named = (sector.sector for sector in round_.sectors)
        elif each == "year":
            named = (str(year) for year in round_.year_numbers)
        elif each in ("region", "belt"):
            named = (region.region if each == "region" else region.belt for region in _regions(filter_, round_))
        else:
            named = self._values_on_lines(each, filter_)
            if each == "tag" and selection.include:
                named = [tag for tag in named if tag in selection.include]
        return [*sorted({name for name in named if selection.passes(name)})]

    def _values_on_lines(self, each: Dimension, filter_: Filter) -> Iterator[str]:
        """Yield the values of a dimension on any line that a project could post and that passes a filter."""
        posting = self._candidates.passing(filter_) & self._posting(filter_)
        column = self._candidates.tags if each == "tag" else self._candidates.of(each)
        for number in np.unique(column.codes[posting]).tolist():
            if each == "tag":
                yield from column.values[number]
            elif column.values[number] is not None:
                yield column.values[number]

    def _posting(self, filter_: Filter) -> Flags:
        """Return which projects could post a line in a region and a year that pass a filter."""
        regions, belts, years = filter_.on("region"), filter_.on("belt"), filter_.on("year")
        where = [
            any(regions.passes(region) and belts.passes(self._belt_of[region]) for region, _ in shares)
            for shares in self._areas.values
        ]
        when = [
            any(start is None or years.passes(str(start + offset)) for start in starts for offset in range(length))
            for starts, length in self._windows.values
        ]
        return self._areas.where(where) & self._windows.where(when)

    @cached_property
    def _areas(self) -> Coded:
        return Coded([project.regions for project in self._round.projects])

    @cached_property
    def _windows(self) -> Coded:
        projects = self._round.projects
        return Coded([(possible_starts(project, self._round), len(project.profile)) for project in projects])

    def _bound(self, rule: Rule) -> _ByMember:
        """Return what the members of a rule are held against, by member."""
        bound, round_ = Fraction(rule.bound), self._round
        # The base is the member's own where its filter has the member in place of the rule's values.
        own_base = rule.each is not None and rule.each in {*rule.within, "year"}

        def attribute(name: str) -> _ByMember:
            each = rule.each if rule.each in ("region", "belt") else None
            return _by_member(
                each is not None,
                lambda member: _attribute(name, _regions(_narrowed(rule.filter, each, member), round_)),
            )

        if rule.of is None:
            per = None if rule.per is None else attribute(rule.per)
            return lambda member: bound if per is None else bound * per(member)
        if rule.of == "funds":
            funds = _by_member(own_base, lambda member: self._funds(_base_filter(rule, member)))
            return lambda member: bound * funds(member)
        if rule.of == "total":
            whole = self._base(rule, own_base)
            return lambda member: bound * whole(member)
        if rule.of == "average":
            assert rule.per is not None
            name, whole, own = rule.per, self._base(rule, own_base), attribute(rule.per)
            everyone = _by_member(
                own_base, lambda member: _attribute(name, _regions(_base_filter(rule, member), round_))
            )
            return lambda member: bound * whole(member) / everyone(member) * own(member)
        own = attribute(rule.of)
        return lambda member: bound * own(member)

    def _base(self, rule: Rule, own_base: bool) -> _ByMember:
        """Return the total that a rule's bound is a share of, by member."""
        base = _base_filter(rule, None)
        if rule.each is None or not own_base:
            everything = self._lines.total(rule.measure, rule.basis, base)
            return lambda _: everything
        sums = self._lines.totals(rule.measure, rule.basis, base, rule.each)
        return lambda member: sums.get(member, ZERO)

    def _funds(self, base: Filter) -> Fraction:
        counted = (Fraction(source.amount) for source in self._round.sources if self._counts(source, base))
        return sum(counted, ZERO)

    def _counts(self, source: Source, base: Filter) -> bool:
        """Return whether a source is among the funds of a base: of its years, and open to some value it admits."""
        if source.year is not None and not base.on("year").passes(str(source.year)):
            return False
        return all(
            any(
                selection.passes(value) and source.filter.on(dimension).passes(value)
                for value in self._open(dimension, selection)
            )
            for dimension, selection in base.by.items()
            if dimension != "year"
        )

    def _open(self, dimension: Dimension, selection: Selection) -> Iterable[str | None]:
        """Return the values of a dimension that a selection may let pass."""
        return self._every[dimension] & selection.include if selection.include else self._every[dimension]

    @cached_property
    def _every(self) -> Mapping[Dimension, set[str | None]]:
        """Every value of the dimensions, None too where a project need not have one."""
        round_, projects = self._round, self._candidates
        return {
            "sector": {sector.sector for sector in round_.sectors},
            "region": {region.region for region in round_.regions},
            "belt": {region.belt for region in round_.regions},
            "category": {None, *projects.category.values},
            "institution": {None, *projects.institution.values},
            "tag": {None, *(tag for tags in projects.tags.values for tag in tags)},
        }


def possible_starts(project: Project, round_: Round) -> tuple[int | None, ...]:
    """Return the starts of a project whose profile ends within the round."""
    if round_.first_year is None:
        return (None,)
    first = round_.first_year if project.start_from is None else project.start_from
    last = first if project.start_to is None else project.start_to
    end = round_.first_year + round_.years
    return tuple(start for start in range(first, last + 1) if start + len(project.profile) <= end)


def _narrowed(filter_: Filter, each: Dimension | None, member: str | None) -> Filter:
    """Return a filter that lets only one member of it pass."""
    if each is None or member is None:
        return filter_
    # A member is one of the values its filter lets pass (tags: with a filter, those tags alone), so it replaces them.
    return Filter({**filter_.by, each: Selection(frozenset({member}), filter_.on(each).exclude)})


def _regions(filter_: Filter, round_: Round) -> list[Region]:
    regions, belts = filter_.on("region"), filter_.on("belt")
    return [row for row in round_.regions if regions.passes(row.region) and belts.passes(row.belt)]


def _attribute(name: str, regions: Iterable[Region]) -> Fraction:
    return sum((Fraction(region.attributes[name] or 0) for region in regions), ZERO)


def _base_filter(rule: Rule, member: str | None) -> Filter:
    """Return what restricts a rule's base: its years, and the dimensions named in `within`."""
    kept: dict[Dimension, Selection] = {}
    whole = _narrowed(rule.filter, rule.each, member)
    for dimension in {*rule.within, "year"}:
        if dimension in whole.by:
            kept[dimension] = whole.by[dimension]
    return Filter(kept)


def discount_by_year(round_: Round) -> dict[int | None, Fraction]:
    """Return what a benefit counts in each year."""
    rate = 1 + Fraction(round_.discount)
    return {year: 1 / rate**number for number, year in enumerate(round_.year_numbers)}


def synergy_value(link: Link, round_: Round, accepted: Mapping[str, int | None]) -> Fraction:
    """Return what a synergy adds: its value, discounted at the last start, when all its projects are accepted.

    `accepted` has the start of each accepted project.
    """
    if link.kind != "synergy" or link.value is None or not accepted.keys() >= set(link.projects):
        return ZERO
    named = [start for project in link.projects if (start := accepted[project]) is not None]
    last = max(named) if named else round_.first_year
    return Fraction(link.value) * discount_by_year(round_)[last]


def link_is_kept(link: Link, accepted: frozenset[str]) -> bool:
    """Return whether a link holds for the accepted projects."""
    inside = [project for project in link.projects if project in accepted]
    if link.kind == "requires":
        return link.projects[0] not in accepted or len(inside) == len(link.projects)
    if link.kind == "excludes":
        return len(inside) < 2
    if link.kind == "all_or_none":
        return not inside or len(inside) == len(link.projects)
    if link.kind == "at_least":
        return len(inside) >= (link.k or 0)
    if link.kind == "at_most":
        return len(inside) <= (link.k or 0)
    return True
