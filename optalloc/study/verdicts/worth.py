r"""What projects are worth at published prices: a column of benefits, a column of prices times amounts, exactly.

    reduced = value - Σ rules price · (activity - share · base) - Σ classes price · award

value is the benefit in the objective's first level; activity and base are what the choice adds to both sides of a rule,
award what falls on an eligibility class of money. Prices are the certificate's decimals; a class costs what its
cheapest source does (`solve.certificate`). What links switch on (synergies) belongs to no project alone and is in no
column.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

import numpy as np

from integrated_fund.choices import Codes, Mask
from integrated_fund.exact_column import ExactColumn
from integrated_fund.fund import Fund
from integrated_fund.ledger import ZERO
from integrated_fund.limits import Total
from integrated_fund.measures import MeasureKey
from optalloc.plan.verdicts import CostLine
from optalloc.solve.certificate import Certificate, MoneyPrices, money_prices


@dataclass(frozen=True)
class Worth:
    """What choices are worth at a certificate's prices."""

    fund: Fund
    certificate: Certificate

    @cached_property
    def money(self) -> MoneyPrices:
        """What a unit of money costs."""
        return money_prices(self.fund, self.certificate.sources)

    def values(self, choices: Codes, steps: Codes) -> list[Fraction]:
        """Return the benefit of choices at awards in whole steps, shape of both (choices,)."""
        appraisal = self.fund.appraisal
        found = [ZERO] * len(choices)
        for k in appraisal.levels[0].gains:
            gain = appraisal.gains[k]
            slope = gain.slope.take(choices)
            sloped = np.flatnonzero(slope.nonzero)
            own = gain.constant.take(choices).with_rows(sloped, slope.take(sloped).times(steps[sloped]).reduced())
            found = _sums(found, own.scaled(gain.factor))
        return found

    def costs(self, choices: Codes, steps: Codes) -> list[Fraction]:
        """Return what the lines of choices cost; money that no source may pay for counts nothing."""
        ledger = self.fund.ledger
        lines, place = ledger.lines_of_choices(choices)
        patterns = ledger.pattern_of_line[lines]
        found = [ZERO] * len(choices)
        for key, price in self._prices.items():
            measure = ledger.measure(key)
            per_unit = measure.weight.take(lines).times(price.take(patterns)).sum_by(place, len(choices))
            found = _sums(found, per_unit.times(measure.values(choices, steps)))
        return found

    def unpayable(self, choices: Codes) -> Mask:
        """Return which choices have a line of money that no source may pay for, shape (choices,)."""
        ledger, classes = self.fund.ledger, self.fund.classes
        lines, place = ledger.lines_of_choices(choices)
        nobody = np.array([price is None for price in self.money.by_class], dtype=np.bool_)
        without = nobody[classes.class_of_pattern[ledger.pattern_of_line[lines]]] & ledger.share.take(lines).nonzero
        found = np.zeros(len(choices), dtype=np.bool_)
        found[place[without]] = True
        return found

    def lines(self, choice: int, steps: int) -> tuple[CostLine, ...]:
        """Return the rows a choice costs something in, or is paid for, dearest first: they add up to its cost."""
        fund = self.fund
        limits = fund.appraisal.limits
        found = []
        for row in limits.rows:
            price = Fraction(self.certificate.rules[row.name])
            if not price:
                continue
            amount = self._posted(limits.totals[row.activity], choice, steps)
            if row.base is not None:
                amount -= row.share * self._posted(limits.totals[row.base], choice, steps)
            if amount:
                found.append(CostLine("rule", row.rule.rule, row.member, amount, price))
        found += self._money(choice, steps)
        return tuple(sorted(found, key=lambda line: -line.cost))

    def _money(self, choice: int, steps: int) -> list[CostLine]:
        """Return the money of a choice by the source that sets its price."""
        fund = self.fund
        by_source: dict[int, CostLine] = {}
        for g, total in enumerate(fund.classes.totals()):
            price = self.money.by_class[g]
            amount = self._posted(total, choice, steps)
            if not amount or price is None:
                continue
            cheapest = next(f for f in fund.classes.classes[g].sources if self.money.by_source[f] == price)
            row = fund.classes.sources[cheapest]
            member = str(row.year) if fund.round.years > 1 else None
            before = by_source.get(cheapest)
            amount += ZERO if before is None else before.amount
            by_source[cheapest] = CostLine("source", row.source, member, amount, price)
        return list(by_source.values())

    def _posted(self, total: Total, choice: int, steps: int) -> Fraction:
        """Return what a choice adds to a total."""
        ledger = self.fund.ledger
        measure = ledger.measure(total.measure)
        value = measure.value(choice, steps)
        own = [line for line in ledger.lines_of[choice] if total.patterns[ledger.pattern_of_line[line]]]
        return sum((measure.weight[line] * value for line in own), ZERO)

    @cached_property
    def _prices(self) -> dict[MeasureKey, ExactColumn]:
        """The price of one unit of each measure on a line of each pattern, shape (patterns,)."""
        fund = self.fund
        limits = fund.appraisal.limits
        priced: dict[MeasureKey, list[tuple[Total, Fraction]]] = {}
        for row in limits.rows:
            price = Fraction(self.certificate.rules[row.name])
            if not price:
                continue
            sides = [(row.activity, price)] + ([] if row.base is None else [(row.base, -price * row.share)])
            for number, own in sides:
                total = limits.totals[number]
                priced.setdefault(total.measure, []).append((total, own))
        for total, per_unit in zip(fund.classes.totals(), self.money.by_class, strict=True):
            if per_unit:
                priced.setdefault(total.measure, []).append((total, per_unit))
        found = {}
        for key, terms in priced.items():
            common = lcm(*(price.denominator for _, price in terms))
            sums = np.zeros(len(fund.classes.class_of_pattern), dtype=object)
            for total, price in terms:
                sums[total.patterns] += price.numerator * (common // price.denominator)
            found[key] = ExactColumn(sums, (common,))
        return found


def _sums(values: list[Fraction], more: ExactColumn) -> list[Fraction]:
    """Return the sums row by row."""
    amounts, code = more.coded()
    if not any(values):
        return [amounts[number] for number in code.tolist()]
    return [
        value + amounts[number] if amounts[number] else value
        for value, number in zip(values, code.tolist(), strict=True)
    ]
