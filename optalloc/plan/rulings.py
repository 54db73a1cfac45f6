"""Rules and criteria of a round under a plan, recomputed for verification from the texts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from integrated_fund.round import Criterion, Dimension, Filter, Link, Round, Rule
from optalloc.plan.lines import ZERO, Candidates, Funded, Lines
from optalloc.plan.members import Members


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


class Recount:
    """A round under the projects that a plan funds: the members of its rules and what they come to, its criteria."""

    def __init__(self, round_: Round, funded: Sequence[Funded]) -> None:
        self._round = round_
        candidates = Candidates(round_)
        self._members = Members(round_, candidates)
        self._lines = Lines(round_, candidates, funded)
        self._accepted = {one.project.project: one.start for one in funded if not one.project.is_block_grant}

    def rulings(self) -> list[Ruling]:
        """Return every member of every rule, in the order of the sheet."""
        found = []
        for rule in self._round.rules:
            activities = self._activities(rule, rule.filter, rule.each)
            base = self._members.base(rule)
            bases: Mapping[str | None, Fraction] = {}
            if base is not None:
                bases = self._activities(rule, base.filter, base.each)
            for one in self._members.of(rule):
                of = ZERO if base is None else bases.get(None if base.each is None else one.member, ZERO)
                activity = activities.get(one.member, ZERO)
                found.append(Ruling(rule, one.member, activity, one.share * of + one.constant))
        return found

    def criterion(self, criterion: Criterion) -> Fraction:
        """Return a criterion's value, synergies included."""
        discount = discount_by_year(self._round)
        own = self._lines.total(criterion.measure, criterion.basis, criterion.filter, discount)
        links = [link for link in self._round.links if link.criterion == criterion.criterion]
        return own + sum((synergy_value(link, self._round, self._accepted) for link in links), ZERO)

    def _activities(self, rule: Rule, filter_: Filter, each: Dimension | None) -> Mapping[str | None, Fraction]:
        """Return a rule's measure added up over the lines that pass, by member; under None without `each`."""
        if each is None:
            return {None: self._lines.total(rule.measure, rule.basis, filter_)}
        return self._lines.totals(rule.measure, rule.basis, filter_, each)


def first_level(round_: Round) -> list[tuple[Criterion, Fraction]]:
    """Return the criteria of the first level of the objective, and what one unit of each counts in it."""
    criteria = list(round_.criteria)
    if round_.method == "lexicographic":
        first = min((row.priority or 0 for row in criteria), default=0)
        criteria = [row for row in criteria if (row.priority or 0) == first]
    weights = [Fraction(1) if row.weight is None else Fraction(row.weight) for row in criteria]
    return [(row, weight if row.direction == "max" else -weight) for row, weight in zip(criteria, weights, strict=True)]


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
