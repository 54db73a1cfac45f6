"""The members of the rules and what each is held against, read from the texts alone, for verification.

    activity   >=, <=, =   share · base + constant          in the unit of the rule's measure

The base is the rule's measure added up over the lines that its bound is a share of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from integrated_fund.round import Dimension, Filter, Project, Region, Round, Rule, Selection, Source
from optalloc.plan.lines import ZERO, Candidates, Coded, Flags


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a rule (None: a rule without `each`); `constant` is in the unit of the rule's measure."""

    rule: Rule
    member: str | None
    share: Fraction
    constant: Fraction

    @property
    def name(self) -> str:
        """The member as people are told of it."""
        return self.rule.rule if self.member is None else f"{self.rule.rule} [{self.member}]"


@dataclass(frozen=True, slots=True)
class Base:
    """The lines a rule's bound is a share of: those that pass, for each member its own where `each` is given."""

    filter: Filter
    each: Dimension | None


_ByMember = Callable[[str | None], Fraction]


def _by_member(differs: bool, figure: _ByMember) -> _ByMember:
    """Return a figure of a rule by member, taken once where it is the same for all."""
    if differs:
        return figure
    same = figure(None)
    return lambda _: same


class Members:
    """The members of a round's rules, whatever a plan decides."""

    def __init__(self, round_: Round, candidates: Candidates) -> None:
        self._round, self._candidates = round_, candidates
        self._belt_of = {region.region: region.belt for region in round_.regions}

    def of(self, rule: Rule) -> list[Member]:
        """Return the members of a rule, in order."""
        share, constant = self._share(rule), self._constant(rule)
        return [
            Member(rule, name, bound * share(name), bound * constant(name))
            for name in self._names(rule)
            for bound in [Fraction(rule.bound_of(name))]
        ]

    def base(self, rule: Rule) -> Base | None:
        """Return the base of a rule; None where its bound is a share of nothing that a plan decides."""
        if rule.of not in ("total", "average"):
            return None
        return Base(_base_filter(rule, None), rule.each if _has_own_base(rule) else None)

    def _names(self, rule: Rule) -> list[str | None]:
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

    def _share(self, rule: Rule) -> _ByMember:
        """Return what part of the base a bound of 1 is, by member."""
        if rule.of == "total":
            return lambda _: Fraction(1)
        if rule.of != "average":
            return lambda _: ZERO
        assert rule.per is not None
        name, own = rule.per, self._own_attribute(rule, rule.per)
        everyone = _by_member(
            _has_own_base(rule), lambda member: _attribute(name, _regions(_base_filter(rule, member), self._round))
        )
        return lambda member: own(member) / everyone(member)

    def _constant(self, rule: Rule) -> _ByMember:
        """Return what a bound of 1 is besides, by member."""
        if rule.of in ("total", "average"):
            return lambda _: ZERO
        if rule.of == "funds":
            return _by_member(_has_own_base(rule), lambda member: self._funds(_base_filter(rule, member)))
        attribute = rule.per if rule.of is None else rule.of
        return (lambda _: Fraction(1)) if attribute is None else self._own_attribute(rule, attribute)

    def _own_attribute(self, rule: Rule, name: str) -> _ByMember:
        each = rule.each if rule.each in ("region", "belt") else None
        return _by_member(
            each is not None,
            lambda member: _attribute(name, _regions(_narrowed(rule.filter, each, member), self._round)),
        )

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


def _has_own_base(rule: Rule) -> bool:
    """Return whether each member has a base of its own: its filter has the member in place of the rule's values."""
    return rule.each is not None and rule.each in {*rule.within, "year"}


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
