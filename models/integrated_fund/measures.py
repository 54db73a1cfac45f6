r"""Measures: what is added up over the lines of the ledger.

    v[j] = constant[j] · accepted[j] + slope[j] · x[j]        (x in whole steps)

is the value of choice j, and each line has a weight: the part of the value that falls on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from integrated_fund.choices import Choices, Codes
from integrated_fund.exact_column import ExactColumn, Floats
from integrated_fund.round import Basis


@dataclass(frozen=True, slots=True)
class MeasureKey:
    """Which measure: its name, how it counts, and for `accepted` the years a project must run in to count."""

    name: str
    basis: Basis | None = None
    years: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """What is added up: exact values by choice, shape (choices,), and exact weights by line, shape (lines,).

    Where a choice has a slope, it has no constant.
    """

    name: str
    constant: ExactColumn
    slope: ExactColumn
    weight: ExactColumn

    def value(self, choice: int, steps: int) -> Fraction:
        """Return the value of a funded choice with an award of so many steps."""
        return self.constant[choice] + self.slope[choice] * steps

    def values(self, choices: Codes, steps: Codes) -> ExactColumn:
        """Return the values of funded choices at their awards; all of shape (funded,)."""
        slope = self.slope.take(choices)
        sloped = np.flatnonzero(slope.nonzero)
        in_proportion = slope.take(sloped).times(steps[sloped])
        # In lowest terms a largest award has no denominator of its own left, and few others have.
        return self.constant.take(choices).with_rows(
            sloped, in_proportion if in_proportion.which is None else in_proportion.reduced()
        )

    @property
    def constant_floats(self) -> Floats:
        """The constants as floats, shape (choices,)."""
        return self.constant.floats

    @property
    def slope_floats(self) -> Floats:
        """The slopes as floats, shape (choices,)."""
        return self.slope.floats

    @property
    def weight_floats(self) -> Floats:
        """The weights as floats, shape (lines,)."""
        return self.weight.floats


def accepted(choices: Choices, weight: ExactColumn) -> Measure:
    """Return the measure that counts projects (block grants none)."""
    constant = ExactColumn((~choices.is_block_grant).astype(np.int64))
    return Measure("accepted", constant, ExactColumn.constant(0, len(choices)), weight)


def award(choices: Choices, step: Fraction, weight: ExactColumn) -> Measure:
    """Return money, in the round's unit."""
    fixed = choices.is_all_or_nothing
    constant = ExactColumn(choices.high * fixed).scaled(step)
    slope = ExactColumn((~fixed).astype(np.int64)).scaled(step)
    return Measure("award", constant, slope, weight)


def column(choices: Choices, key: MeasureKey, weight: ExactColumn) -> Measure:
    """Return a numeric column of Projects: in full once accepted, or in proportion to the award.

    Raises:
        KeyError: no project has a column of that name.
    """
    full = choices.column(key.name)
    varying = ~choices.is_all_or_nothing
    if not (key.name == "cofunding" or key.basis == "award"):
        varying &= choices.is_block_grant
    sloped = np.flatnonzero(varying)
    constant = full.times((~varying).astype(np.int64))
    per_step = full.take(sloped).divided_by(choices.high[sloped])
    return Measure(key.name, constant, ExactColumn.constant(0, len(choices)).with_rows(sloped, per_step), weight)
