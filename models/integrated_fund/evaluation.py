r"""A decision, and everything it adds up to in exact arithmetic.

The same equations as the model's, evaluated at whole steps: what the solver found is believed only after this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from integrated_fund.criteria import Gain, Level, discount_factors, gains_of, levels_of
from integrated_fund.ledger import ZERO, Ledger, MeasureKey
from integrated_fund.limits import Limit, Limits, limits_of
from integrated_fund.round import Link

#: The funded choices and their awards in whole steps. A block grant of 0 steps is left out.
Decision = Mapping[int, int]


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


class Appraisal:
    """Evaluates decisions of one round: the exact rows and coefficients, made once and used for every decision."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.limits: Limits = limits_of(ledger)
        self.gains: tuple[Gain, ...] = gains_of(ledger)
        self.levels: tuple[Level, ...] = levels_of(ledger, self.gains)
        self._discount = discount_factors(ledger)
        by_measure: dict[MeasureKey, list[int]] = {}
        for number, total in enumerate(self.limits.totals):
            by_measure.setdefault(total.measure, []).append(number)
        # For each measure: its totals, which lines are in each (totals × lines), and each line's pattern of totals.
        self._tables = {}
        for measure, numbers in by_measure.items():
            table = np.array([self.limits.totals[n].lines for n in numbers])
            self._tables[measure] = (np.array(numbers), table, np.packbits(table, axis=0).T)

    def totals(self, decision: Decision) -> list[Fraction]:
        """Return every total of `limits` at a decision."""
        ledger = self.ledger
        totals = [ZERO] * len(self.limits.totals)
        for key, (numbers, table, packed) in self._tables.items():
            measure = ledger.measure(key)
            # Lines that lie in the same totals are added up first: a few hundred sums instead of one for each line.
            sums: dict[bytes, Fraction] = {}
            member: dict[bytes, int] = {}
            for choice, steps in decision.items():
                value = measure.value(choice, steps)
                if not value:
                    continue
                for line in ledger.lines_of[choice]:
                    if measure.weight[line]:
                        pattern = packed[line].tobytes()
                        sums[pattern] = sums.get(pattern, ZERO) + measure.weight[line] * value
                        member[pattern] = line
            for pattern, amount in sums.items():
                for number in numbers[table[:, member[pattern]]].tolist():
                    totals[number] += amount
        return totals

    def evaluate(self, decision: Decision) -> Evaluation:
        """Return everything a decision adds up to."""
        totals = self.totals(decision)
        limits = tuple(
            LimitValue(
                row,
                totals[row.activity],
                row.constant if row.base is None else row.constant + row.share * totals[row.base],
            )
            for row in self.limits.rows
        )
        criteria = {gain.criterion.criterion: self._gain(gain, decision) for gain in self.gains}
        levels = [
            sum((self.gains[k].factor * criteria[self.gains[k].criterion.criterion] for k in level.gains), ZERO)
            for level in self.levels
        ]
        levels[0] -= sum(
            (Fraction(v.limit.rule.penalty) * v.violation for v in limits if v.limit.rule.penalty is not None), ZERO
        )
        return Evaluation(decision, criteria, tuple(levels), limits, tuple(self._broken_links(decision)))

    def _gain(self, gain: Gain, decision: Decision) -> Fraction:
        own = sum((gain.constant[choice] + gain.slope[choice] * steps for choice, steps in decision.items()), ZERO)
        return own + sum((self._synergy(link, decision) for link in gain.synergies), ZERO)

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
        accepted = {self.ledger.choices[j].project.project for j in decision}
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
