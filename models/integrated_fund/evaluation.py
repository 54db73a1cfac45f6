r"""A decision, and everything it adds up to in exact arithmetic.

The same equations as the model's, evaluated at whole steps: what the solver found is believed only after this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from integrated_fund.choices import Codes, Mask
from integrated_fund.criteria import Gain, Level, discount_factors, gains_of, levels_of
from integrated_fund.ledger import ONE, ZERO, Ledger
from integrated_fund.limits import Limit, Limits, limits_of
from integrated_fund.measures import MeasureKey
from integrated_fund.patterns import compacted
from integrated_fund.round import Link

#: The funded choices and their awards in whole steps. A block grant of 0 steps is left out.
Decision = Mapping[int, int]


def columns_of(decision: Decision) -> tuple[Codes, Codes]:
    """Return the funded choices and their awards in whole steps, in the decision's order; both of shape (funded,)."""
    funded = np.fromiter(decision.keys(), dtype=np.int64, count=len(decision))
    return funded, np.fromiter(decision.values(), dtype=np.int64, count=len(decision))


@dataclass(frozen=True, slots=True)
class LimitValue:
    """A row at a decision: both sides, and by how much the bound is kept (slack) or missed (violation)."""

    limit: Limit
    activity: Fraction
    bound: Fraction

    @property
    def slack(self) -> Fraction:
        """How far the activity may still move before it meets the bound; 0 where it is missed."""
        return max(ZERO, -self._excess)

    @property
    def violation(self) -> Fraction:
        """By how much the bound is missed, in the unit of the left side."""
        return abs(self._excess) if self.limit.rule.sense == "=" else max(ZERO, self._excess)

    @property
    def _excess(self) -> Fraction:
        difference = self.activity - self.bound
        if self.limit.rule.sense == "=":
            return abs(difference)
        return difference if self.limit.rule.sense == "<=" else -difference


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a decision adds up to. `levels` are the objective's levels, penalties taken off the first."""

    decision: Decision
    criteria: Mapping[str, Fraction]
    levels: tuple[Fraction, ...]
    limits: tuple[LimitValue, ...]
    broken_links: tuple[Link, ...]

    @property
    def broken_limits(self) -> Iterator[LimitValue]:
        """The hard rows that the decision misses."""
        return (value for value in self.limits if value.violation and value.limit.rule.penalty is None)


@dataclass(frozen=True, slots=True)
class SumRow:
    """A sum over some lines: a total, or one year's part of a gain, which counts `factor` times."""

    total: int | None
    gain: int | None
    factor: Fraction


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of one measure: which groups of line patterns are in each, shape (rows, groups)."""

    measure: MeasureKey
    rows: tuple[SumRow, ...]
    members: Mask
    group_of_pattern: Codes


class Appraisal:
    """Evaluates decisions of one round: the exact rows and coefficients, made once and used for every decision."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.limits: Limits = limits_of(ledger)
        self.gains: tuple[Gain, ...] = gains_of(ledger)
        self.levels: tuple[Level, ...] = levels_of(ledger, self.gains)
        self._discount = discount_factors(ledger)
        self.sums = self._sums_by_measure()

    def moved(self, ledger: Ledger) -> Appraisal:
        """Return this appraisal with the limits of a round that differs in amounts and bounds alone."""
        appraisal = copy(self)
        appraisal.ledger, appraisal.limits = ledger, limits_of(ledger)
        return appraisal

    def _sums_by_measure(self) -> list[Sums]:
        """Return what has to be added up: every total, and every criterion in each year that counts differently."""
        rows: dict[MeasureKey, list[tuple[SumRow, Mask]]] = {}
        for number, total in enumerate(self.limits.totals):
            rows.setdefault(total.measure, []).append((SumRow(number, None, ONE), total.patterns))
        year = self.ledger.patterns.year
        for number, gain in enumerate(self.gains):
            own = rows.setdefault(gain.measure, [])
            for factor in dict.fromkeys(self._discount):
                years = np.array([other == factor for other in self._discount], dtype=np.bool_)
                own.append((SumRow(None, number, factor), gain.patterns & years[year]))
        found = []
        for measure, entries in rows.items():
            members = np.array([patterns for _, patterns in entries])
            # Patterns that lie in the same sums are one group.
            a_pattern, group = compacted(list(members))
            found.append(Sums(measure, tuple(row for row, _ in entries), members[:, a_pattern], group))
        return found

    def _added_up(self, decision: Decision) -> tuple[list[Fraction], list[Fraction]]:
        """Return every total of `limits` and every criterion (synergies apart) at a decision."""
        ledger = self.ledger
        totals = [ZERO] * len(self.limits.totals)
        gains = [ZERO] * len(self.gains)
        funded, steps = columns_of(decision)
        lines, place = ledger.lines_of_choices(funded)
        patterns = ledger.pattern_of_line[lines]
        for sums in self.sums:
            measure = ledger.measure(sums.measure)
            values = measure.values(funded, steps).take(place).times(measure.weight.take(lines))
            found = values.sums_over(sums.group_of_pattern[patterns], sums.members)
            for row, value in zip(sums.rows, found, strict=True):
                if row.total is not None:
                    totals[row.total] = value
                if row.gain is not None:
                    gains[row.gain] += row.factor * value
        return totals, gains

    def evaluate(self, decision: Decision) -> Evaluation:
        """Return everything a decision adds up to."""
        totals, gains = self._added_up(decision)
        limits = tuple(
            LimitValue(
                row,
                totals[row.activity],
                row.constant if row.base is None else row.constant + row.share * totals[row.base],
            )
            for row in self.limits.rows
        )
        criteria = {
            gain.criterion.criterion: own + sum((self._synergy(link, decision) for link in gain.synergies), ZERO)
            for gain, own in zip(self.gains, gains, strict=True)
        }
        levels = [
            sum((self.gains[k].factor * criteria[self.gains[k].criterion.criterion] for k in level.gains), ZERO)
            for level in self.levels
        ]
        levels[0] -= sum(
            (Fraction(v.limit.rule.penalty) * v.violation for v in limits if v.limit.rule.penalty is not None), ZERO
        )
        return Evaluation(decision, criteria, tuple(levels), limits, tuple(self._broken_links(decision)))

    def _synergy(self, link: Link, decision: Decision) -> Fraction:
        last = 0
        for project in link.projects:
            chosen = next((j for j in self.ledger.choices_of[project] if j in decision), None)
            if chosen is None:
                return ZERO
            start = self.ledger.choices[chosen].start
            first = self.ledger.round.first_year
            if start is not None and first is not None:
                last = max(last, start - first)
        assert link.value is not None
        return Fraction(link.value) * self._discount[last]

    def _broken_links(self, decision: Decision) -> Iterator[Link]:
        named = {project for link in self.ledger.round.links for project in link.projects}
        accepted = {project for project in named if any(j in decision for j in self.ledger.choices_of[project])}
        for link in self.ledger.round.links:
            count = len(accepted.intersection(link.projects))
            size = len(link.projects)
            k = link.k if link.k is not None else 0
            kept = {
                "requires": link.projects[0] not in accepted or count == size,
                "excludes": count <= 1,
                "all_or_none": count in (0, size),
                "at_least": count >= k,
                "at_most": count <= k,
                "synergy": True,
            }
            if not kept[link.kind]:
                yield link
