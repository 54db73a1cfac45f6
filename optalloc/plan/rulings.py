"""Rules and criteria of a round under a plan, recomputed for verification from the texts alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from integrated_fund.round import Criterion, Dimension, Filter, Link, Project, Region, Round, Rule, Selection, Source
from optalloc.plan.lines import ZERO, Funded, Geography, passes, total


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


def rulings(round_: Round, funded: Sequence[Funded]) -> list[Ruling]:
    """Return every member of every rule, in the order of the sheet."""
    geography = Geography(round_)
    found = []
    for rule in round_.rules:
        for member in members(rule, round_, geography):
            chosen = _narrowed(rule.filter, rule.each, member)
            activity = total(funded, geography, rule.measure, rule.basis, chosen)
            found.append(Ruling(rule, member, activity, _bound(rule, member, round_, funded, geography)))
    return found


def possible_starts(project: Project, round_: Round) -> list[int | None]:
    """Return the starts of a project whose profile ends within the round."""
    if round_.first_year is None:
        return [None]
    first = round_.first_year if project.start_from is None else project.start_from
    last = first if project.start_to is None else project.start_to
    end = round_.first_year + round_.years
    return [start for start in range(first, last + 1) if start + len(project.profile) <= end]


def members(rule: Rule, round_: Round, geography: Geography) -> list[str | None]:
    """Return the members of a rule's `each`."""
    each, filter_ = rule.each, rule.filter
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
        named = _values_on_lines(each, filter_, round_, geography)
        if each == "tag" and selection.include:
            named = [tag for tag in named if tag in selection.include]
    return [*sorted({name for name in named if selection.passes(name)})]


def _values_on_lines(each: Dimension, filter_: Filter, round_: Round, geography: Geography) -> Iterator[str]:
    for project in round_.projects:
        if _has_line(filter_, project, round_, geography):
            if each == "tag":
                yield from project.tags
            else:
                value = project.category if each == "category" else project.institution
                if value is not None:
                    yield value


def _has_line(filter_: Filter, project: Project, round_: Round, geography: Geography) -> bool:
    """Return whether any line the project could post passes a filter."""
    return any(
        passes(filter_, project, region, geography.belt[region], None if start is None else start + offset)
        for start in possible_starts(project, round_)
        for region, _ in project.regions
        for offset in range(len(project.profile))
    )


def _narrowed(filter_: Filter, each: Dimension | None, member: str | None) -> Filter:
    """Return a filter that lets only one member of it pass."""
    if each is None or member is None:
        return filter_
    # A member is one of the values its filter lets pass (tags: with a filter, those tags alone), so it replaces them.
    return Filter({**filter_.by, each: Selection(frozenset({member}), filter_.on(each).exclude)})


def _regions(filter_: Filter, round_: Round) -> list[Region]:
    regions, belts = filter_.on("region"), filter_.on("belt")
    return [row for row in round_.regions if regions.passes(row.region) and belts.passes(row.belt)]


def _bound(rule: Rule, member: str | None, round_: Round, funded: Sequence[Funded], geography: Geography) -> Fraction:
    bound = Fraction(rule.bound)
    own_regions = _regions(
        _narrowed(rule.filter, rule.each if rule.each in ("region", "belt") else None, member), round_
    )
    if rule.of is None:
        return bound if rule.per is None else bound * _attribute(rule.per, own_regions)
    base = _base_filter(rule, member)
    if rule.of == "total":
        return bound * total(funded, geography, rule.measure, rule.basis, base)
    if rule.of == "average":
        assert rule.per is not None
        everyone = _attribute(rule.per, _regions(base, round_))
        whole = total(funded, geography, rule.measure, rule.basis, base)
        return bound * whole / everyone * _attribute(rule.per, own_regions)
    if rule.of == "funds":
        return bound * sum((Fraction(s.amount) for s in round_.sources if _counts(s, base, round_)), ZERO)
    return bound * _attribute(rule.of, own_regions)


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


def _counts(source: Source, base: Filter, round_: Round) -> bool:
    """Return whether a source is among the funds of a base: of its years, and open to some value it admits."""
    if source.year is not None and not base.on("year").passes(str(source.year)):
        return False
    every: dict[Dimension, set[str | None]] = {
        "sector": {sector.sector for sector in round_.sectors},
        "region": {region.region for region in round_.regions},
        "belt": {region.belt for region in round_.regions},
        "category": {None, *(project.category for project in round_.projects)},
        "institution": {None, *(project.institution for project in round_.projects)},
        "tag": {None, *(tag for project in round_.projects for tag in project.tags)},
    }
    return all(
        any(selection.passes(value) and source.filter.on(dimension).passes(value) for value in every[dimension])
        for dimension, selection in base.by.items()
        if dimension != "year"
    )


def discount_by_year(round_: Round) -> dict[int | None, Fraction]:
    """Return what a benefit counts in each year."""
    rate = 1 + Fraction(round_.discount)
    return {year: 1 / rate**number for number, year in enumerate(round_.year_numbers)}


def criterion_value(criterion: Criterion, round_: Round, funded: Sequence[Funded]) -> Fraction:
    """Return a criterion's value, synergies included."""
    discount = discount_by_year(round_)
    own = total(funded, Geography(round_), criterion.measure, criterion.basis, criterion.filter, discount)
    return own + sum(
        (synergy_value(link, round_, funded) for link in round_.links if link.criterion == criterion.criterion), ZERO
    )


def synergy_value(link: Link, round_: Round, funded: Sequence[Funded]) -> Fraction:
    """Return what a synergy adds: its value, discounted at the last start, when all its projects are accepted."""
    if link.kind != "synergy" or link.value is None:
        return ZERO
    accepted = {one.project.project: one for one in funded if not one.project.is_block_grant}
    if not accepted.keys() >= set(link.projects):
        return ZERO
    starts = [accepted[project].start for project in link.projects]
    named = [start for start in starts if start is not None]
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
