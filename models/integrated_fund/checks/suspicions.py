"""What is allowed but looks like a slip: an award in another unit, a project entered twice."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from statistics import median

from integrated_fund.checks.problems import figure, problem
from integrated_fund.problem import Problem
from integrated_fund.round import Option, Project, Round

#: An award so many times the median, or less than the median divided by it, is likely in another unit.
_SLIP = 1000
#: Below this many projects a median says little.
_ENOUGH = 3


def unit_slips(round_: Round) -> Iterator[Problem]:
    """Awards over a thousand times the median of all, or under a thousandth of it."""
    awards = [project.max_award for project in round_.projects]
    if len(awards) < _ENOUGH:
        return
    usual = median(awards)
    rows: list[Project | Option] = [*round_.projects, *round_.options]
    for row in rows:
        if row.max_award > usual * _SLIP or row.max_award * _SLIP < usual:
            yield problem("unit_slip", row.origin, "max_award", row.max_award, median=figure(usual), unit=round_.unit)


def projects_alike(round_: Round) -> Iterator[Problem]:
    """Projects with the title, the institution and the award of an earlier one."""
    seen: dict[tuple[str, str | None, Decimal], Project] = {}
    for project in round_.projects:
        if project.title is None:
            continue
        key = (project.title, project.institution, project.max_award)
        if key in seen:
            first = str(seen[key].origin.place("project"))
            yield problem(
                "projects_alike", project.origin, "title", project.title, other=seen[key].project, first=first
            )
        seen.setdefault(key, project)
