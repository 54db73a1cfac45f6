r"""Criteria as exact coefficients on the choices, and the levels of the objective made from them.

    value[k] = Σ_l weight[l] · discount^year(l) · v[choice of l] + Σ synergies of k

    level    = Σ_k sign[k] · weight[k] · value[k]          (sign -1 for min)

The weighted method has one level with every criterion; the lexicographic one has a level for each priority, lowest
number first, criteria of equal priority summed with their weights. Penalties of soft rules belong to the first level.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from integrated_fund.choices import Mask
from integrated_fund.exact_column import ExactColumn, Floats
from integrated_fund.ledger import ONE, ZERO, Ledger
from integrated_fund.limits import selected
from integrated_fund.measures import MeasureKey
from integrated_fund.round import Criterion, Link


@dataclass(frozen=True)
class Gain:
    """A criterion: its measure over some line patterns, each year at its discount factor, and its synergies."""

    criterion: Criterion
    measure: MeasureKey
    patterns: Mask
    synergies: tuple[Link, ...]
    ledger: Ledger = field(repr=False)

    @cached_property
    def constant(self) -> ExactColumn:
        """What each choice is worth once accepted, shape (choices,)."""
        return self._counted.times(self.ledger.measure(self.measure).constant)

    @cached_property
    def slope(self) -> ExactColumn:
        """What each step of award is worth, shape (choices,)."""
        return self._counted.times(self.ledger.measure(self.measure).slope)

    @property
    def constant_floats(self) -> Floats:
        """The constants as floats, shape (choices,)."""
        return self.constant.floats

    @property
    def slope_floats(self) -> Floats:
        """The slopes as floats, shape (choices,)."""
        return self.slope.floats

    @property
    def factor(self) -> Fraction:
        """What one unit of the criterion counts in its level: the weight (1 when blank), negative for `min`."""
        weight = ONE if self.criterion.weight is None else Fraction(self.criterion.weight)
        return weight if self.criterion.direction == "max" else -weight

    @cached_property
    def _counted(self) -> ExactColumn:
        """What a value of 1 counts for, by choice."""
        ledger = self.ledger
        lines = np.flatnonzero(self.patterns[ledger.pattern_of_line])
        weight = ledger.measure(self.measure).weight.take(lines)
        if ledger.round.discount:
            weight = weight.times(ExactColumn.of(discount_factors(ledger)).take(ledger.line_year[lines]))
        return weight.sum_by(ledger.line_choice[lines], len(ledger.choices))


@dataclass(frozen=True, slots=True)
class Level:
    """One objective of the round: which gains it sums, and the share of its optimum later levels may give up."""

    priority: int | None
    gains: tuple[int, ...]
    tolerance: Fraction


def discount_factors(ledger: Ledger) -> tuple[Fraction, ...]:
    """Return what a benefit counts in each year of the round: 1 in the first, less by the yearly rate later."""
    rate = ONE / (1 + Fraction(ledger.round.discount))
    return tuple(rate**year for year in range(len(ledger.years)))


def gains_of(ledger: Ledger) -> tuple[Gain, ...]:
    """Return the criteria of the ledger's round, sorted by name."""
    gains = []
    for criterion in sorted(ledger.round.criteria, key=lambda criterion: criterion.criterion):
        years = None
        if "year" in criterion.filter.by:
            on_years = criterion.filter.on("year")
            years = frozenset(year for year in ledger.years if year is not None and on_years.passes(str(year)))
        measure, patterns = selected(criterion.measure, criterion.basis, criterion.filter, years, ledger)
        synergies = tuple(link for link in synergies_of(ledger) if link.criterion == criterion.criterion)
        gains.append(Gain(criterion, measure, patterns, synergies, ledger))
    return tuple(gains)


def synergies_of(ledger: Ledger) -> list[Link]:
    """Return the synergies, sorted by name."""
    return sorted((link for link in ledger.round.links if link.kind == "synergy"), key=lambda link: link.link)


def levels_of(ledger: Ledger, gains: tuple[Gain, ...]) -> tuple[Level, ...]:
    """Return the levels of the objective, first priority first.

    A level of several criteria may give up the smallest of their tolerances.
    """
    if ledger.round.method == "weighted":
        return (Level(None, tuple(range(len(gains))), ZERO),)
    by_priority: dict[int, list[int]] = {}
    for number, gain in enumerate(gains):
        assert gain.criterion.priority is not None
        by_priority.setdefault(gain.criterion.priority, []).append(number)
    return tuple(
        Level(priority, tuple(members), min(Fraction(gains[k].criterion.tolerance) for k in members))
        for priority, members in sorted(by_priority.items())
    )
