r"""What each decision about a project is worth at published prices, in exact arithmetic, from the texts alone.

    worth of an award = Σ criteria of the first level: weight · value - Σ lines: price · amount

    price of a line   = Σ rules that count it in their left side: price - Σ rules that count it in their base: share ·
                        price, for the rule's measure; for the award the price of the cheapest source besides

Every award between the least and the most of an option is between them in worth too, so its ends are enough. A line
that no source may pay for makes an award impossible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm

import numpy as np

from integrated_fund.round import Basis, Dimension, Filter, Option, Project, Round, Source
from optalloc.plan.lines import ZERO, Candidates, Exact, Flags, Funded, Lines
from optalloc.plan.members import Member, Members, possible_starts
from optalloc.plan.rulings import discount_by_year, first_level


@dataclass(frozen=True, slots=True)
class Decision:
    """A project with an award at one of its ends, starting in a year (None in a round that names none).

    `worth` is in units of the first level of the objective; None where nobody may pay for it.
    """

    project: Project
    start: int | None
    worth: Fraction | None


@dataclass(frozen=True, slots=True)
class _Posting:
    """A price of each unit of a measure on some lines, by the value of `each` that they have (None: without it)."""

    measure: str
    basis: Basis | None
    filter: Filter
    each: Dimension | None
    prices: Mapping[str | None, Fraction]


def decisions_of(
    round_: Round,
    members: Members,
    candidates: Candidates,
    price_of: Mapping[tuple[str, str | None], Fraction],
    cost_of: Sequence[tuple[Source, Fraction]],
) -> list[Decision]:
    """Return every decision that funds a project, in the order of projects, options, starts and awards.

    `price_of` has the price of every member of every rule, `cost_of` what a unit of money of each source costs.
    """
    ends = list(_ends(round_))
    lines = Lines(round_, candidates, ends)
    postings: dict[tuple[str, Basis | None], list[_Posting]] = {}
    for posting in _postings(round_, members, price_of):
        postings.setdefault((posting.measure, posting.basis), []).append(posting)
    worth = [ZERO] * len(ends)

    def add(more: Sequence[Fraction]) -> None:
        for at, value in enumerate(more):
            if value:
                worth[at] += value

    for (measure, basis), own in postings.items():
        add(_worth(lines, measure, basis, own))
    for measure, basis, by_year, filter_ in _gains(round_):
        add(_gained(lines, measure, basis, by_year, filter_))
    money, unpaid = _money(lines, cost_of)
    add(money)
    return [
        Decision(one.project, one.start, None if without else value)
        for one, value, without in zip(ends, worth, unpaid.tolist(), strict=True)
    ]


def _ends(round_: Round) -> Iterator[Funded]:
    """Yield each project in each option and start with the least and the most it may get, 0 left out."""
    options: dict[str, list[Option]] = {}
    for option in round_.options:
        options.setdefault(option.project, []).append(option)
    for project in round_.projects:
        if project.status == "excluded":
            continue
        for start in possible_starts(project, round_):
            for chosen in (None, *options.get(project.project, ())):
                most = Funded(project, chosen, start, (project if chosen is None else chosen).max_award)
                yield most
                if most.min_award not in (Decimal(0), most.award):
                    yield Funded(project, chosen, start, most.min_award)


def _postings(
    round_: Round, members: Members, price_of: Mapping[tuple[str, str | None], Fraction]
) -> Iterator[_Posting]:
    """Yield what each rule takes off the lines that it counts, and adds to those of its base."""
    for rule in round_.rules:
        own: list[Member] = members.of(rule)
        price = {one.member: price_of[rule.rule, one.member] for one in own}
        off = {name: -value for name, value in price.items() if value}
        if off:
            yield _Posting(rule.measure, rule.basis, rule.filter, rule.each, off)
        base = members.base(rule)
        if off and base is not None:
            back = {one.member: one.share * price[one.member] for one in own}
            if base.each is None:  # one base for all members
                back = {None: sum(back.values(), ZERO)}
            yield _Posting(rule.measure, rule.basis, base.filter, base.each, back)


def _worth(lines: Lines, measure: str, basis: Basis | None, postings: Sequence[_Posting]) -> list[Fraction]:
    scale = lcm(*(price.denominator for posting in postings for price in posting.prices.values()))
    prices = _nothing(lines)
    for posting in postings:
        chosen, codes, names = lines.counted(measure, posting.filter, posting.each)
        by_code = np.array([int(posting.prices.get(name, ZERO) * scale) for name in names], dtype=object)
        # A line stands more than once where its project has several tags.
        np.add.at(prices, chosen, by_code[codes])
    return lines.worth(measure, basis, prices, scale)


def _gains(round_: Round) -> Iterator[tuple[str, Basis | None, Mapping[int | None, Fraction], Filter]]:
    """Yield measure, basis, what a unit is worth by year, and filter of each criterion of the first level."""
    discount = discount_by_year(round_)
    for criterion, factor in first_level(round_):
        by_year = {year: factor * rate for year, rate in discount.items()}
        yield criterion.measure, criterion.basis, by_year, criterion.filter


def _gained(
    lines: Lines, measure: str, basis: Basis | None, by_year: Mapping[int | None, Fraction], filter_: Filter
) -> list[Fraction]:
    scale = lcm(*(value.denominator for value in by_year.values()))
    chosen, _, _ = lines.counted(measure, filter_)
    by_code = np.array([int(by_year[year] * scale) for year in lines.years], dtype=object)
    gains = _nothing(lines)
    gains[chosen] = by_code[lines.year_codes(chosen)]
    return lines.worth(measure, basis, gains, scale)


def _money(lines: Lines, cost_of: Sequence[tuple[Source, Fraction]]) -> tuple[list[Fraction], Flags]:
    """Return what each award costs the sources, as a worth, and which awards have a line that none may pay for."""
    scale = lcm(*(cost.denominator for _, cost in cost_of))
    cheapest = _nothing(lines)
    paid = np.zeros(len(cheapest), dtype=np.bool_)
    for source, cost in cost_of:
        chosen, _, _ = lines.counted("award", source.filter)
        in_year = np.array([year == source.year for year in lines.years], dtype=np.bool_)
        chosen = chosen[in_year[lines.year_codes(chosen)]]
        own = -int(cost * scale)
        # The cheapest costs least, so its worth is the largest.
        cheapest[chosen] = np.where(paid[chosen], np.maximum(cheapest[chosen], own), own)
        paid[chosen] = True
    unpaid = np.zeros(len(lines.funded), dtype=np.bool_)
    unpaid[lines.owner[lines.has_money & ~paid]] = True
    return lines.worth("award", None, cheapest, scale), unpaid


def _nothing(lines: Lines) -> Exact:
    return np.zeros(len(lines.owner), dtype=object)
