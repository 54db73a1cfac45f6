r"""What each rule can come to at best and at worst, with every project decided on its own.

Forget every other rule, every link and (at first) the money: each project is then free to take any of its choices, a
mandatory one must take one, an excluded one none. A row `activity >= share · base + constant` compares linear forms
over one measure, so the greatest and the least of

    activity − share · base − constant  =  Σ_p (something of project p alone) − constant

are sums of one extreme for each project, over its choices at their least and greatest award. What no such decision
reaches, no plan reaches; what all of them keep, no plan can break. Where the activity is money, the sources that may
pay for its lines are a second bound on it.

Conclusions come from floating-point brackets that hold the exact value for certain (the margin is far above the
rounding of the sums), and from exact arithmetic where a bracket does not decide; figures are always exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from integrated_fund.checks.money import Purse
from integrated_fund.ledger import ZERO, Ledger, Measure, MeasureKey
from integrated_fund.limits import Limit, Limits

Floats = npt.NDArray[np.float64]
Side = Literal[">=", "<="]

#: Relative error allowed to a product of a few doubles and to a sum of many: both keep within a thousandth of it.
_MARGIN = 1e-11

_SIDES: dict[str, tuple[Side, ...]] = {">=": (">=",), "<=": ("<=",), "=": (">=", "<=")}


@dataclass(frozen=True, slots=True)
class Proof:
    """How near a row comes to its bound: `reached` is its activity there, `needed` the bound it is held against.

    `side` tells which way the row is meant (an `=` has two). `by_money`: the sources are what limits the activity, not
    the projects. Both figures are in the unit of the measure, after multiplying out.
    """

    limit: Limit
    side: Side
    reached: Fraction
    needed: Fraction
    by_money: bool = False


@dataclass(frozen=True, slots=True)
class _Values:
    """A measure's value of each choice at its least and its greatest award, in floating point; shape (choices,)."""

    at_low: Floats
    at_high: Floats
    weight: Floats


class Reach:
    """The extremes of the rows of a round that `check` finds no error in."""

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self.ledger = ledger
        self.limits = limits
        self._purse = Purse(ledger)
        self._project = ledger.project_of
        self._mandatory = np.array([project.status == "mandatory" for project in ledger.projects], dtype=np.bool_)
        self._excluded = np.array([project.status == "excluded" for project in ledger.projects], dtype=np.bool_)
        self._by_measure: dict[MeasureKey, _Values] = {}
        self._base_weights: dict[int, Floats] = {}
        self._money: dict[int, Fraction] = {}

    def unmeetable(self) -> Iterator[Proof]:
        """Yield the hard rows that no plan can meet, in order of rule and member, at what comes nearest."""
        for row in self.limits.rows:
            if row.rule.penalty is not None:
                continue
            for side in _SIDES[row.rule.sense]:
                if self._greatest_is_negative(row, 1 if side == ">=" else -1, or_zero=False):
                    yield self._proof(row, side, 1 if side == ">=" else -1)

    def never_binding(self) -> Iterator[Proof]:
        """Yield the rules that every plan keeps in all members, once each, at the first member's worst."""
        rows_of: dict[str, list[Limit]] = {}
        for row in self.limits.rows:
            rows_of.setdefault(row.rule.rule, []).append(row)
        for rows in rows_of.values():
            sides = _SIDES[rows[0].rule.sense]
            if all(self._is_kept(row, side) for row in rows for side in sides):
                yield self._proof(rows[0], sides[0], -1 if sides[0] == ">=" else 1)

    def _is_kept(self, row: Limit, side: Side) -> bool:
        return self._greatest_is_negative(row, -1 if side == ">=" else 1, or_zero=True)

    def _greatest_is_negative(self, row: Limit, sign: int, *, or_zero: bool) -> bool:
        """Return whether the greatest of sign · (activity − bound) is below 0 (or at most 0)."""
        low, high = self._bracket(row, sign)
        if high < 0:
            return True
        if low <= 0:
            reached, needed, _ = self._nearest(row, sign)
            greatest = sign * (reached - needed)
            return greatest < 0 or (or_zero and greatest == 0)
        cap = self._cap(row, sign)
        return cap is not None and (cap < row.constant or (or_zero and cap == row.constant))

    def _proof(self, row: Limit, side: Side, sign: int) -> Proof:
        return Proof(row, side, *self._nearest(row, sign))

    def _nearest(self, row: Limit, sign: int) -> tuple[Fraction, Fraction, bool]:
        """Return activity, bound and whether money limits it, where sign · (activity − bound) is greatest; exact."""
        activity, base = self._exact(row, sign)
        bound = row.constant + row.share * base
        cap = self._cap(row, sign)
        if cap is not None and cap < activity:
            return cap, bound, True
        return activity, bound, False

    def _cap(self, row: Limit, sign: int) -> Fraction | None:
        """Return the money there is for a row's activity; None where that says nothing about `sign` times the row."""
        if sign < 0 or row.base is not None or self.limits.totals[row.activity].measure.name != "award":
            return None
        if row.activity not in self._money:
            self._money[row.activity] = self._purse.money_for(self.limits.totals[row.activity].lines)
        return self._money[row.activity]

    def _bracket(self, row: Limit, sign: int) -> tuple[float, float]:
        """Return two numbers with the greatest of sign · (activity − bound) between them (money apart)."""
        values = self._values(self.limits.totals[row.activity].measure)
        weight = self._weights(row.activity, values)
        size = np.abs(weight)
        share = float(row.share)
        if row.base is not None:
            if row.base not in self._base_weights:
                self._base_weights[row.base] = self._weights(row.base, values)
            base = self._base_weights[row.base]
            weight = weight - share * base
            size = size + abs(share) * np.abs(base)
        constant = -sign * float(row.constant)
        error = _MARGIN * abs(constant)
        touched = np.zeros(len(self._mandatory), dtype=np.bool_)
        touched[self._project[size > 0]] = True
        touched &= ~self._excluded
        choices = np.flatnonzero(touched[self._project])
        if not len(choices):
            return constant - error, constant + error
        project = self._project[choices]
        first = np.flatnonzero(np.r_[True, project[1:] != project[:-1]])
        may_refuse = ~self._mandatory[project[first]]
        at_low, at_high = values.at_low[choices], values.at_high[choices]
        best = np.maximum(sign * weight[choices] * at_low, sign * weight[choices] * at_high)
        doubt = _MARGIN * size[choices] * np.maximum(np.abs(at_low), np.abs(at_high))
        most = np.maximum.reduceat(best + doubt, first)
        least = np.maximum.reduceat(best - doubt, first)
        most = np.where(may_refuse, np.maximum(most, 0), most)
        least = np.where(may_refuse, np.maximum(least, 0), least)
        error += _MARGIN * float(np.abs(most).sum() + np.abs(least).sum())
        return float(least.sum()) + constant - error, float(most.sum()) + constant + error

    def _weights(self, total: int, values: _Values) -> Floats:
        lines = np.flatnonzero(self.limits.totals[total].lines)
        weights: Floats = np.zeros(len(self.ledger.choices))
        np.add.at(weights, self.ledger.line_choice[lines], values.weight[lines])
        return weights

    def _values(self, key: MeasureKey) -> _Values:
        if key not in self._by_measure:
            measure = self.ledger.measure(key)
            constant, slope = measure.constant_floats, measure.slope_floats
            self._by_measure[key] = _Values(
                constant + slope * self.ledger.low, constant + slope * self.ledger.high, measure.weight_floats
            )
        return self._by_measure[key]

    def _exact(self, row: Limit, sign: int) -> tuple[Fraction, Fraction]:
        """Return activity and base, exactly, at a decision where sign · (activity − share · base) is greatest."""
        ledger = self.ledger
        measure = ledger.measure(self.limits.totals[row.activity].measure)
        in_activity = self._exact_weights(row.activity, measure)
        in_base = {} if row.base is None else self._exact_weights(row.base, measure)
        activity = base = ZERO
        for code in dict.fromkeys(self._project[choice] for choice in sorted(in_activity.keys() | in_base.keys())):
            project = ledger.projects[code]
            if project.status == "excluded":
                continue
            best: tuple[Fraction, Fraction, Fraction] | None = None
            if project.status != "mandatory":
                best = (ZERO, ZERO, ZERO)
            for number in ledger.choices_of[project.project]:
                choice = ledger.choices[number]
                one, other = in_activity.get(number, ZERO), in_base.get(number, ZERO)
                net = sign * (one - row.share * other)
                for steps in {choice.low, choice.high}:
                    value = measure.value(number, steps)
                    if best is None or net * value > best[0]:
                        best = (net * value, one * value, other * value)
            if best is not None:
                activity += best[1]
                base += best[2]
        return activity, base

    def _exact_weights(self, total: int, measure: Measure) -> dict[int, Fraction]:
        lines = np.flatnonzero(self.limits.totals[total].lines)
        weights: dict[int, Fraction] = {}
        for line, choice in zip(lines.tolist(), self.ledger.line_choice[lines].tolist(), strict=True):
            weights[choice] = weights.get(choice, ZERO) + measure.weight[line]
        return weights


def unmeetable(ledger: Ledger, limits: Limits) -> tuple[Proof, ...]:
    """Return the hard rows of a round that no plan can meet on their own, each with its figures."""
    return tuple(Reach(ledger, limits).unmeetable())
