"""Whether everything a row names exists: sectors, regions, projects, measures, years …"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from integrated_fund.checks.problems import Names, filled_in, problem
from integrated_fund.problem import Problem
from integrated_fund.round import BUILT_IN_MEASURES, FILTER_COLUMNS, Criterion, Dimension, Filter, Origin, Round, Rule

#: What `of` may say that is not the name of a region attribute.
SHARES_OF = ("total", "funds", "average")


@dataclass(frozen=True, slots=True)
class Filtered:
    """A row with filter columns."""

    filter: Filter
    origin: Origin


def filtered_rows(round_: Round) -> Iterator[Filtered]:
    """Yield every row that has filter columns, in order of sheets."""
    for source in round_.sources:
        yield Filtered(source.filter, source.origin)
    for criterion in round_.criteria:
        yield Filtered(criterion.filter, criterion.origin)
    for rule in round_.rules:
        yield Filtered(rule.filter, rule.origin)


def measure_columns(round_: Round) -> list[str]:
    """Return the numeric columns of Projects, in order."""
    return list(dict.fromkeys(chain.from_iterable(project.measures for project in round_.projects)))


def attribute_columns(round_: Round) -> list[str]:
    """Return the numeric columns of Regions, in order."""
    return list(dict.fromkeys(name for region in round_.regions for name in region.attributes))


def years_as_text(round_: Round) -> list[str]:
    """Return the years of the round as filters write them; none where it names none."""
    return [str(year) for year in round_.year_numbers if year is not None]


def known_values(round_: Round, dimension: Dimension) -> Names:
    """Return the values of a dimension that some row has."""
    if dimension == "sector":
        return Names(sector.sector for sector in round_.sectors)
    if dimension == "region":
        return Names(region.region for region in round_.regions)
    if dimension == "belt":
        return Names(region.belt for region in round_.regions)
    if dimension == "category":
        return Names(project.category for project in round_.projects if project.category is not None)
    if dimension == "institution":
        return Names(project.institution for project in round_.projects if project.institution is not None)
    if dimension == "tag":
        return Names(tag for project in round_.projects for tag in project.tags)
    return Names(years_as_text(round_))


def project_references(round_: Round) -> Iterator[Problem]:
    """Sectors and regions of projects that are not on their sheets; a region twice in one cell."""
    sectors, regions = known_values(round_, "sector"), known_values(round_, "region")
    for project in round_.projects:
        if project.sector not in sectors:
            nearest = sectors.nearest(project.sector)
            yield problem("unknown_sector", project.origin, "sector", project.sector, nearest=nearest)
        named: set[str] = set()
        for region, _ in project.regions:
            if region not in regions:
                yield problem("unknown_region", project.origin, "region", region, nearest=regions.nearest(region))
            if region in named:
                yield problem("region_repeated", project.origin, "region", region)
            named.add(region)


def option_references(round_: Round) -> Iterator[Problem]:
    """Options of projects that are not on Projects."""
    projects = Names(project.project for project in round_.projects)
    for option in round_.options:
        if option.project not in projects:
            nearest = projects.nearest(option.project)
            yield problem("unknown_project", option.origin, "project", option.project, nearest=nearest)


def link_references(round_: Round) -> Iterator[Problem]:
    """Projects and criteria of links that are not on their sheets."""
    projects = Names(project.project for project in round_.projects)
    criteria = Names(criterion.criterion for criterion in round_.criteria)
    for link in round_.links:
        for name in dict.fromkeys(link.projects):
            if name not in projects:
                yield problem("unknown_project", link.origin, "projects", name, nearest=projects.nearest(name))
        if link.criterion is not None and link.criterion not in criteria:
            nearest = criteria.nearest(link.criterion)
            yield problem("unknown_criterion", link.origin, "criterion", link.criterion, nearest=nearest)


def measure_references(round_: Round) -> Iterator[Problem]:
    """Measures of criteria and rules that are no column of Projects, and columns with a name that is taken."""
    columns = measure_columns(round_)
    measures = Names([*columns, *BUILT_IN_MEASURES])
    rows: list[Criterion | Rule] = [*round_.criteria, *round_.rules]
    for row in rows:
        if row.measure not in measures:
            # A criterion without a measure is the column of its own name: then it is the name that is wrong.
            own_name = isinstance(row, Criterion) and row.criterion == row.measure
            column, nearest = "criterion" if own_name else "measure", measures.nearest(row.measure)
            yield problem("unknown_measure", row.origin, column, row.measure, nearest=nearest)
    for name in BUILT_IN_MEASURES:
        if name in columns:
            first = next(project for project in round_.projects if name in project.measures)
            yield problem("measure_name_taken", first.origin, name, first.measures[name], name=name)


def attribute_references(round_: Round) -> Iterator[Problem]:
    """`per` and `of` that name no attribute of a region, and attributes with a name that `of` takes otherwise."""
    columns = attribute_columns(round_)
    attributes = Names(columns)
    references = Names([*SHARES_OF, *columns])
    for rule in round_.rules:
        if rule.per is not None and rule.per not in attributes:
            yield problem("unknown_attribute", rule.origin, "per", rule.per, nearest=attributes.nearest(rule.per))
        if rule.of is not None and rule.of not in references:
            yield problem("unknown_of", rule.origin, "of", rule.of, nearest=references.nearest(rule.of))
    for name in SHARES_OF:
        if name in columns:
            first = next(region for region in round_.regions if name in region.attributes)
            yield problem("attribute_name_taken", first.origin, name, first.attributes[name], name=name)


def filters(round_: Round) -> Iterator[Problem]:
    """Filters with a value that no row has, or that let nothing pass that exists."""
    known = {dimension: known_values(round_, dimension) for dimension in FILTER_COLUMNS}
    span = year_span(round_)
    existing: dict[Dimension, set[str | None]] = {
        "sector": {sector.sector for sector in round_.sectors},
        "region": {region.region for region in round_.regions},
        "belt": {region.belt for region in round_.regions},
        "category": {project.category for project in round_.projects},
        "institution": {project.institution for project in round_.projects},
        "year": set(years_as_text(round_)),
    }
    tag_sets = {project.tags for project in round_.projects}
    for row in filtered_rows(round_):
        empty: list[Dimension] = []
        for dimension, selection in row.filter.by.items():
            column = FILTER_COLUMNS[dimension]
            wrong = sorted(value for value in selection.values if value not in known[dimension])
            for value in wrong:
                if dimension == "year":
                    yield problem("year_outside", row.origin, column, value, years=span)
                else:
                    nearest = known[dimension].nearest(value)
                    yield problem(f"unknown_{dimension}", row.origin, column, value, nearest=nearest)
            if dimension == "tag":
                passes = any(selection.passes_any(tags) for tags in tag_sets)
            else:
                passes = any(selection.passes(value) for value in existing[dimension])
            if wrong or not passes:
                empty.append(dimension)
            if not wrong and not passes:
                yield problem("filter_selects_nothing", row.origin, column, filled_in(selection))
        on_regions, on_belts = row.filter.on("region"), row.filter.on("belt")
        if not {"region", "belt"} & set(empty) and not any(
            on_regions.passes(region.region) and on_belts.passes(region.belt) for region in round_.regions
        ):
            yield problem("filter_regions_contradict", row.origin, "belts", filled_in(on_belts))


def year_span(round_: Round) -> str:
    """Return the years of the round for a message: `2027`, `2027–2029`, or `–` where it names none."""
    if round_.first_year is None:
        return "–"
    last = round_.first_year + round_.years - 1
    return str(last) if round_.years == 1 else f"{round_.first_year}–{last}"
