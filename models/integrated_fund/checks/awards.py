"""What projects and options may be given, and when: amounts, levels, starts, block grants, digits of parts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from decimal import Context, Decimal

from integrated_fund.checks.problems import problem
from integrated_fund.checks.references import year_span
from integrated_fund.problem import Problem
from integrated_fund.round import Option, Project, Round

#: A worksheet number carries 15 significant digits, and so does every part of an award that a plan states.
_DIGITS = 15
#: Wide enough for the exact product of three numbers of 15 digits.
_EXACT = Context(prec=60)


def amounts(round_: Round) -> Iterator[Problem]:
    """Least awards above the greatest."""
    rows: list[Project | Option] = [*round_.projects, *round_.options]
    for row in rows:
        if row.min_award is not None and row.min_award > row.max_award:
            yield problem("min_over_max", row.origin, "min_award", row.min_award, max_award=format(row.max_award, "f"))


def options(round_: Round) -> Iterator[Problem]:
    """Options that stand twice, or that are open from 0 and so nothing to accept."""
    seen: dict[tuple[str, str], Option] = {}
    for option in round_.options:
        key = (option.project, unicodedata.normalize("NFKC", option.option).casefold().strip())
        if key in seen:
            first = str(seen[key].origin.place("option"))
            yield problem("option_repeated", option.origin, "option", option.option, first=first)
        seen.setdefault(key, option)
        if option.min_award == 0:
            yield problem("option_from_zero", option.origin, "min_award", option.min_award)


def block_grants(round_: Round) -> Iterator[Problem]:
    """Block grants with what only an acceptance can have: options, several starts, links, an obligation."""
    blocks = {project.project for project in round_.projects if project.is_block_grant}
    for project in round_.projects:
        if project.project not in blocks:
            continue
        if project.max_award <= 0:
            yield problem("block_grant_empty", project.origin, "max_award", project.max_award)
        if project.status == "mandatory":
            yield problem("block_grant_mandatory", project.origin, "status", project.status)
        begin = project.start_from if project.start_from is not None else round_.first_year
        if project.start_to is not None and project.start_to != begin:
            yield problem("block_grant_starts", project.origin, "start_to", project.start_to)
    for option in round_.options:
        if option.project in blocks:
            yield problem("block_grant_option", option.origin, "project", option.project)
    for link in round_.links:
        for name in dict.fromkeys(link.projects):
            if name in blocks:
                yield problem("block_grant_linked", link.origin, "projects", name)


def starts(round_: Round) -> Iterator[Problem]:
    """Starts outside the years, in the wrong order, or with a profile that runs past the last year."""
    first = round_.first_year
    for project in round_.projects:
        if first is None:
            if len(project.profile) > round_.years:
                yield _no_start_left(project, round_)
            continue
        last = first + round_.years - 1
        outside = False
        for column, year in (("start_from", project.start_from), ("start_to", project.start_to)):
            if year is not None and not first <= year <= last:
                outside = True
                yield problem("year_outside", project.origin, column, year, years=year_span(round_))
        begin = first if project.start_from is None else project.start_from
        end = begin if project.start_to is None else project.start_to
        if outside:
            continue
        if end < begin:
            yield problem("start_order", project.origin, "start_to", end, start_from=str(begin))
            continue
        latest = last + 1 - len(project.profile)
        if begin > latest:
            yield _no_start_left(project, round_)
        elif end > latest:
            yield problem("start_cut", project.origin, "start_to", end, latest=str(latest), years=year_span(round_))


def _no_start_left(project: Project, round_: Round) -> Problem:
    column = "start_from" if len(project.profile) <= round_.years else "profile"
    found = project.start_from if column == "start_from" else "; ".join(format(part, "f") for part in project.profile)
    length, years = str(len(project.profile)), str(round_.years)
    return problem("no_start_left", project.origin, column, found, length=length, years=years)


def source_years(round_: Round) -> Iterator[Problem]:
    """Sources without a year in a round of several, with a year outside it, or that stand twice in one year."""
    seen: dict[tuple[str, int | None], str] = {}
    for source in round_.sources:
        if source.year is None and round_.years > 1:
            yield problem("source_without_year", source.origin, "year", years=year_span(round_))
            continue
        if source.year is not None and source.year not in round_.year_numbers:
            yield problem("year_outside", source.origin, "year", source.year, years=year_span(round_))
            continue
        # In a round of one year a blank year is that year.
        key = (source.source, None if round_.years == 1 else source.year)
        if key in seen:
            yield problem("source_repeated", source.origin, "source", source.source, first=seen[key])
        seen.setdefault(key, str(source.origin.place("source")))


def digits(round_: Round) -> Iterator[Problem]:
    """Shares that cut an award into parts with more digits than a worksheet number carries."""
    if _all_are_short(round_):
        return
    options: dict[str, list[Option]] = {}
    for option in round_.options:
        options.setdefault(option.project, []).append(option)
    finest: dict[tuple[object, object], int] = {}  # decimals that a spread adds at most: few spreads, many projects
    step_decimals = _decimals(round_.step)
    for project in round_.projects:
        if len(project.regions) == 1 and len(project.profile) == 1:
            continue
        levels = [project, *options.get(project.project, ())]
        spread = (project.regions, project.profile)
        if spread not in finest:
            finest[spread] = max(_decimals(share) for _, share in project.regions) + max(
                map(_decimals, project.profile)
            )
        if all(_is_short(level.max_award, step_decimals, finest[spread]) for level in levels):
            continue
        shares = [share for _, share in project.regions]
        if any(_too_long(level, share, round_.step) for level in levels for share in shares):
            column = "region"
        elif any(
            _too_long(level, _EXACT.multiply(share, part), round_.step)
            for level in levels
            for share in shares
            for part in project.profile
        ):
            column = "profile"
        else:
            continue
        if column == "region":
            found = "; ".join(f"{region}:{share:f}" for region, share in project.regions)
        else:
            found = "; ".join(format(part, "f") for part in project.profile)
        yield problem("part_too_long", project.origin, column, found, step=format(round_.step, "f"))


def _all_are_short(round_: Round) -> bool:
    """Return whether the longest award cut by the finest shares is short: then no project has to be looked at."""
    rows: list[Project | Option] = [*round_.projects, *round_.options]
    awards = {row.max_award for row in rows}
    regions = {id(project.regions): project.regions for project in round_.projects}  # projects share few of them
    profiles = {id(project.profile): project.profile for project in round_.projects}
    if not awards or not regions:
        return True
    spread = max(_decimals(share) for parts in regions.values() for _, share in parts)
    spread += max(_decimals(part) for parts in profiles.values() for part in parts)
    decimals = max(_decimals(round_.step), *map(_decimals, awards)) + spread
    return max(award.adjusted() for award in awards) + 1 + max(0, decimals) <= _DIGITS


def _decimals(value: Decimal) -> int:
    return -int(value.as_tuple().exponent)


def _is_short(award: Decimal, step_decimals: int, spread_decimals: int) -> bool:
    """Return whether every part of an award, or of one step, clearly takes at most 15 digits."""
    decimals = max(step_decimals, _decimals(award)) + spread_decimals
    return award.adjusted() + 1 + max(0, decimals) <= _DIGITS


def _too_long(level: Project | Option, share: Decimal, step: Decimal) -> bool:
    """Return whether a share of some award that this level allows takes more than 15 digits."""
    if level.max_award <= 0 or share <= 0:
        return False
    fixed = level.min_award is None or level.min_award == level.max_award
    decimals = _decimals(level.max_award if fixed else step) + _decimals(share)
    if level.max_award.adjusted() + 1 + max(0, decimals) <= _DIGITS:
        return False  # clear without multiplying
    most = _EXACT.multiply(level.max_award, share).normalize(_EXACT)
    finest = most if fixed else _EXACT.multiply(step, share).normalize(_EXACT)
    exponent = min(0, int(finest.as_tuple().exponent))
    return most.adjusted() - exponent + 1 > _DIGITS
