"""Whether what a rule or a criterion says hangs together: per and of, within, each, basis, the attributes it needs."""

from __future__ import annotations

from collections.abc import Iterator

from integrated_fund.checks.problems import problem
from integrated_fund.checks.references import SHARES_OF, attribute_columns
from integrated_fund.problem import Problem
from integrated_fund.round import DIMENSIONS, FILTER_COLUMNS, Basis, Criterion, Filter, Region, Round, Rule

#: How the measures count that can count in one way only.
_BASIS: dict[str, Basis] = {"award": "award", "cofunding": "award", "accepted": "accepted"}

#: From here on a bound on a share is a percentage typed without its sign.
_NO_SHARE = 5


def bases(round_: Round) -> Iterator[Problem]:
    """`basis` that says otherwise than the measure counts."""
    rows: list[Criterion | Rule] = [*round_.criteria, *round_.rules]
    for row in rows:
        only = _BASIS.get(row.measure)
        if only is not None and row.basis is not None and row.basis != only:
            yield problem("basis_contradicts", row.origin, "basis", row.basis)


def comparisons(round_: Round) -> Iterator[Problem]:
    """`per`, `of`, `within` and `each` that do not go together."""
    for rule in round_.rules:
        # A little over 100 % is merely a bound that never binds; 45 was meant to be 45 %. Of the total alone: funds of
        # one year, or people for each unit of funds, can come to any ratio.
        if rule.of == "total" and rule.bound >= _NO_SHARE:
            yield problem("bound_not_a_share", rule.origin, "bound", rule.bound)
        if rule.of == "average" and rule.per is None:
            yield problem("average_without_per", rule.origin, "per")
        if rule.per is not None and rule.of not in (None, "average"):
            yield problem("per_with_of", rule.origin, "of", rule.of)
        if rule.within and rule.of not in SHARES_OF:
            found = "; ".join(FILTER_COLUMNS[dimension] for dimension in rule.within)
            yield problem("within_without_share", rule.origin, "within", found)
        for dimension in rule.within:
            if dimension not in rule.filter.by and dimension != rule.each:
                yield problem("within_not_filled", rule.origin, "within", FILTER_COLUMNS[dimension])
        if rule.each == "year" and round_.first_year is None:
            yield problem("each_year_without_years", rule.origin, "each", rule.each)


def attributes(round_: Round) -> Iterator[Problem]:
    """Attributes of regions that a rule needs and that are blank, or not above 0 where it divides by them."""
    columns = set(attribute_columns(round_))
    said: set[tuple[str, str]] = set()
    for rule in round_.rules:
        if rule.of in (None, "average"):
            name, divides = rule.per, True
        else:
            name, divides = rule.of, False
        if name is None or name not in columns:
            continue
        members = _passing(rule.filter, round_)
        names_of_members = {region.region for region in members}
        counted = list(members)
        if rule.of == "average":
            # The national figure adds up the attribute over the regions of the base.
            base = Filter({dimension: rule.filter.on(dimension) for dimension in rule.within})
            counted += [region for region in _passing(base, round_) if region.region not in names_of_members]
        for region in counted:
            value = region.attributes.get(name)
            if (region.region, name) in said:
                continue
            if value is None:
                said.add((region.region, name))
                yield problem("attribute_blank", region.origin, name, rule=rule.rule, attribute=name)
            elif value < 0 or (divides and value == 0 and region.region in names_of_members):
                said.add((region.region, name))
                yield problem("attribute_not_positive", region.origin, name, value, rule=rule.rule, attribute=name)


def _passing(filter_: Filter, round_: Round) -> list[Region]:
    on_regions, on_belts = filter_.on("region"), filter_.on("belt")
    return [region for region in round_.regions if on_regions.passes(region.region) and on_belts.passes(region.belt)]


def eaches(round_: Round) -> Iterator[Problem]:
    """`each` on a dimension that no project has a value of: a rule without members."""
    named = {
        "category": any(project.category is not None for project in round_.projects),
        "institution": any(project.institution is not None for project in round_.projects),
        "tag": any(project.tags for project in round_.projects),
    }
    for rule in round_.rules:
        if rule.each in DIMENSIONS and not named.get(rule.each, True):
            yield problem("rule_without_members", rule.origin, "each", rule.each)
