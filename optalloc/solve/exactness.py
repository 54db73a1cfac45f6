r"""From a solver's point to an exact decision, and what to do when tolerance has let a rule slip.

A solver keeps rows within 1e-6 of their scale; a plan keeps them exactly. A decision read off a point is judged in
exact arithmetic. A row it misses by d is tightened by d, and a class of money that cannot be paid gives a cut (the
multipliers of `exact_lp.Infeasible`), for the next solve. Bounds never come from a tightened model.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from integrated_fund.evaluation import Decision, Evaluation, columns_of
from integrated_fund.fund import Fund
from integrated_fund.limits import Limit
from integrated_fund.payments import Payments, Shortage, class_awards, payments_of
from integrated_fund.sources import AWARD
from optalloc.solve.arrays import Arrays, Row, Vector
from optalloc.solve.solvers.highs import scale_of


@dataclass(frozen=True, slots=True)
class Held:
    """A level that must not fall below a value: the lexicographic method, and ties at the optimum."""

    level: int
    least: Fraction


@dataclass(frozen=True)
class Judgement:
    """A decision in exact arithmetic. It is a plan if nothing is broken."""

    evaluation: Evaluation
    payments: Payments | Shortage
    missed_levels: tuple[tuple[Held, Fraction], ...]

    @property
    def is_plan(self) -> bool:
        """Whether every hard rule, link, source and held level is kept exactly."""
        return (
            isinstance(self.payments, Payments)
            and not self.missed_levels
            and not self.evaluation.broken_links
            and not any(True for _ in self.evaluation.broken_limits)
        )


def decision_of(fund: Fund, arrays: Arrays, x: Vector) -> Decision:
    """Return the whole steps that a point stands for. Shape of x: (columns,)."""
    ledger = fund.ledger
    accepted = (arrays.accept < 0) | (x[arrays.accept] >= 0.5)
    steps = ledger.low + np.where(arrays.extra < 0, 0, np.rint(x[arrays.extra])).astype(np.int64)
    chosen = np.flatnonzero(accepted & (steps != 0))
    return dict(zip(chosen.tolist(), steps[chosen].tolist(), strict=True))


def point_of(fund: Fund, arrays: Arrays, decision: Decision) -> dict[int, int]:
    """Return a decision as values of the integer columns, those at 0 left out: the reverse of `decision_of`."""
    funded, steps = columns_of(decision)
    accept, extra = arrays.accept[funded], arrays.extra[funded]
    varying = np.flatnonzero(extra >= 0)
    more = steps[varying] - fund.ledger.low[funded[varying]]
    point = dict.fromkeys(accept[accept >= 0].tolist(), 1)
    point.update(zip(extra[varying].tolist(), more.tolist(), strict=True))
    return point


def judge(fund: Fund, decision: Decision, held: tuple[Held, ...]) -> Judgement:
    """Return what a decision is worth in exact arithmetic."""
    evaluation = fund.appraisal.evaluate(decision)
    missed = tuple((h, h.least - evaluation.levels[h.level]) for h in held if evaluation.levels[h.level] < h.least)
    return Judgement(evaluation, payments_of(fund.ledger, fund.classes, decision), missed)


@dataclass
class Tightening:
    """Shifts of rows and cuts, gathered while plans turn out to miss a rule."""

    fund: Fund
    shifts: dict[str, float] = field(default_factory=dict)
    level_shifts: dict[Held, float] = field(default_factory=dict)
    cuts: list[Row] = field(default_factory=list)

    def learn(self, judgement: Judgement, arrays: Arrays) -> None:
        """Add what a decision has missed."""
        for value in judgement.evaluation.broken_limits:
            self._shift(value.limit, value.violation)
        for held, missing in judgement.missed_levels:
            self.level_shifts[held] = self.level_shifts.get(held, 0.0) + float(missing)
        if isinstance(judgement.payments, Shortage):
            self.cuts.append(self._cut(judgement.payments, judgement.evaluation.decision, arrays))

    def apply(self, arrays: Arrays, held: tuple[Held, ...]) -> Arrays:
        """Return the arrays with held levels, shifts and cuts in them."""
        lower, upper = arrays.row_lower.copy(), arrays.row_upper.copy()
        for name, shift in self.shifts.items():
            row = arrays.rule_rows[name]
            lower[row], upper[row] = lower[row] + shift, upper[row] - shift
            if lower[row] > upper[row]:  # an equality stays one
                lower[row], upper[row] = arrays.row_lower[row], arrays.row_upper[row]
        levels = [level_row(arrays, h, self.level_shifts.get(h, 0.0)) for h in held]
        return replace(arrays, row_lower=lower, row_upper=upper).with_rows([*levels, *self.cuts])

    def _shift(self, limit: Limit, violation: Fraction) -> None:
        scale = self.fund.cells.scale[self.fund.appraisal.limits.totals[limit.activity].measure]
        self.shifts[limit.name] = self.shifts.get(limit.name, 0.0) + float(violation / scale) * (1 + 1e-9)

    def _cut(self, shortage: Shortage, decision: Decision, arrays: Arrays) -> Row:
        """Σ weight[g] · award[g] <= limit, tightened by what the decision exceeds it by, in money units."""
        scale = self.fund.cells.scale[AWARD]
        awards = class_awards(self.fund.ledger, self.fund.classes, decision)
        excess = sum((w * awards[g] for g, w in shortage.weights.items()), Fraction(0)) - shortage.limit
        coefficients = np.zeros(len(arrays.column_lower))
        first = len(self.fund.appraisal.limits.totals)
        for g, weight in shortage.weights.items():
            for cell in self.fund.cells.terms(first + g):
                coefficients[arrays.column_of[id(cell)]] += float(weight)
        return Row(f"payable_{len(self.cuts)}", coefficients, -np.inf, float((shortage.limit - excess) / scale))


def level_row(arrays: Arrays, held: Held, shift: float = 0.0) -> Row:
    """Return the row that keeps a level at its value, scaled so that a typical coefficient is about 1."""
    cost = arrays.levels[held.level]
    scale = scale_of(cost)
    return Row(f"level_{held.level}", cost * scale, (float(held.least) + shift) * scale, np.inf)
