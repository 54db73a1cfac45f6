"""Measures left blank, and columns of Options that Projects does not have."""

from __future__ import annotations

from collections.abc import Iterator

from integrated_fund.checks.problems import problem
from integrated_fund.checks.references import measure_columns
from integrated_fund.problem import Problem
from integrated_fund.round import Filter, Project, Round


def blank_measures(round_: Round) -> Iterator[Problem]:
    """Blank cells that a criterion counts (each an error), and those that count 0 (one warning a column)."""
    belt_of = {region.region: region.belt for region in round_.regions}
    for column in measure_columns(round_):
        criteria = [criterion for criterion in round_.criteria if criterion.measure == column]
        zeros: list[Project] = []
        for project in round_.projects:
            if project.measures.get(column) is not None:
                continue
            counted = (c for c in criteria if may_count(project, c.filter, belt_of, round_))
            criterion = next(counted, None)
            if criterion is None:
                zeros.append(project)
            else:
                yield problem("measure_needed", project.origin, column, measure=column, criterion=criterion.criterion)
        if zeros and len(zeros) < len(round_.projects):  # a column nobody fills in is not used at all
            yield problem("measure_blank", zeros[0].origin, column, measure=column, count=str(len(zeros)))


def option_measures(round_: Round) -> Iterator[Problem]:
    """Numeric columns of Options that are no columns of Projects."""
    columns = set(measure_columns(round_))
    for option in round_.options:
        for name, value in option.measures.items():
            if name not in columns:
                columns.add(name)  # said once
                yield problem("option_measure_unknown", option.origin, name, value, measure=name)


def may_count(project: Project, filter_: Filter, belt_of: dict[str, str], round_: Round) -> bool:
    """Return whether some line of a project, at one of its starts, passes a filter."""
    if not (
        filter_.on("sector").passes(project.sector)
        and filter_.on("category").passes(project.category)
        and filter_.on("institution").passes(project.institution)
        and filter_.on("tag").passes_any(project.tags)
    ):
        return False
    if not any(
        filter_.on("region").passes(region) and filter_.on("belt").passes(belt_of.get(region))
        for region, _ in project.regions
    ):
        return False
    if "year" not in filter_.by or round_.first_year is None:
        return True
    begin = round_.first_year if project.start_from is None else project.start_from
    end = (begin if project.start_to is None else project.start_to) + len(project.profile)
    last = round_.first_year + round_.years
    return any(filter_.on("year").passes(str(year)) for year in range(begin, min(end, last)))
