"""The price report of a solved round: what every rule, source and link costs, and how far each price holds.

Three prices that must not be confused stand beside each other: of the linear relaxation (acceptances in parts), with
the plan's acceptances fixed, and of the round solved again with the bound moved by a step (`changes`). All are changes
of the objective for one unit more of the bound; at a kink one unit less has another price.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from integrated_fund.sentences import sentence_of
from optalloc.plan.plan import stated, stated_above
from optalloc.plan.price_report import Price, PriceLine, PriceReport
from optalloc.solve.certificate import Certificate, certificate
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.planning import relative_gap
from optalloc.solve.progress import Watch
from optalloc.solve.solution import Solution
from optalloc.study.prices.levers import ALL, Lever, levers_of, link_bound, sense_of, typed_bound
from optalloc.study.prices.relaxation import Relaxation, awards_vary

#: Significant digits of prices: what the solver's own tolerance leaves.
DIGITS = 9
BOUND_DIGITS = 12


@dataclass(frozen=True)
class Priced:
    """A priced round: the report, the lever of each of its lines, and what the prices come from."""

    report: PriceReport
    levers: tuple[Lever, ...]
    relaxed: Relaxation
    certificate: Certificate


def prices_of(solution: Solution, watch: Watch, *, level: int = 0) -> Priced:
    """Return the prices of a solved round at the margin; finite changes are `changes`.

    Raises:
        SolverError: a relaxation has no optimum, or the solver failed.
    """
    fund = solution.fund
    watch.phase = "linear relaxation"
    watch.tell()
    relaxed = Relaxation(solution, level, watch)
    fixed = None
    if awards_vary(solution):
        watch.phase = "decided prices"
        watch.tell()
        fixed = Relaxation(solution, level, watch, decided=True)
    proof = certificate_of(solution, relaxed if level == 0 else Relaxation(solution, 0, watch))
    levers = levers_of(fund, relaxed.arrays)
    facts = _Facts(solution, relaxed, fixed, proof, level)
    lines = []
    for number, lever in enumerate(levers):
        watch.phase = f"prices {number + 1} of {len(levers)}"
        watch.tell()
        lines.append(facts.line(lever))
    objective = _value(solution, 0)
    report = PriceReport(
        tuple(lines),
        level,
        stated(_value(solution, level)),
        number_of(relaxed.value),
        price_of(relaxed.pool),
        stated_above(proof.bound),
        stated(objective),
        stated(relative_gap(objective, proof.bound)),
    )
    return Priced(report, tuple(levers), relaxed, proof)


def _value(solution: Solution, level: int) -> Fraction:
    """Return the plan's value of a level; of a lexicographic round what that level's search reached."""
    if solution.fund.round.method == "lexicographic":
        return solution.optimum(level)
    return solution.evaluation.levels[level]


def certificate_of(solution: Solution, relaxed: Relaxation) -> Certificate:
    """Return the certificate that the relaxation's prices give."""
    fund, arrays = solution.fund, solution.arrays
    pricing = Pricing(arrays, arrays.levels[0], fund.ledger.project_of)
    return certificate(fund, arrays, pricing.groups, relaxed.sensitivity.prices[pricing.groups.coupling])


@dataclass
class _Facts:
    """Everything the lines are made from."""

    solution: Solution
    relaxed: Relaxation
    fixed: Relaxation | None
    proof: Certificate
    level: int

    def line(self, lever: Lever) -> PriceLine:
        """Return the line of a lever."""
        activity, bound, slack = self._standing(lever)
        has_price = lever.link is None or lever.link.kind not in ("all_or_none", "synergy")
        margin = self.relaxed.marginal(lever.shift) if has_price else None
        decided = None if self.fixed is None or margin is None else self.fixed.slopes(lever.shift)
        points = self.relaxed.point_prices(lever) if lever.is_share else None
        return PriceLine(
            lever.kind,
            lever.name,
            lever.member,
            sense_of(lever),
            self._says(lever),
            typed_bound(self.solution.fund, lever),
            activity,
            bound,
            slack,
            self._dual(lever),
            None if margin is None else price_of(margin.more),
            None if margin is None else price_of(margin.less),
            None if margin is None else _end(bound, -margin.down),
            None if margin is None else _end(bound, margin.up),
            None if decided is None else price_of(decided[0]),
            None if decided is None else price_of(decided[1]),
            None if points is None else price_of(points[0]),
            None if points is None else price_of(points[1]),
            None if points is None else self._in_money(*points),
            None if margin is None else self._in_money(margin.more, margin.less),
        )

    def _in_money(self, more: float, less: float) -> Decimal | None:
        """Return what gaining as much would take: the pool's growth for a unit where the bound gives way."""
        pool = self.relaxed.pool
        gain = max(more, -less, 0.0)
        return number_of(gain / pool) if pool > 0 and np.isfinite(pool) and np.isfinite(gain) else None

    def _standing(self, lever: Lever) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """Return activity, bound and slack in the plan."""
        solution = self.solution
        if lever.member == ALL:
            return None, typed_bound(self.solution.fund, lever) if lever.has_factor else self._common_bound(lever), None
        if lever.limits:
            value = solution.evaluation.limits[lever.limits[0]]
            return stated(value.activity), stated(value.bound), stated(value.slack)
        if lever.source is not None:
            return self._source_standing(lever.source)
        assert lever.link is not None
        taken = {solution.fund.ledger.choices[j].project.project for j in solution.evaluation.decision}
        members = [project in taken for project in lever.link.projects]
        limit = link_bound(lever.link)
        if lever.link.kind == "synergy":
            return Decimal(int(all(members))), None, None
        if lever.link.kind in ("requires", "all_or_none"):
            activity = Decimal(int(members[0]) - int(min(members[1:], default=members[0])))
        else:
            activity = Decimal(sum(members))
        assert limit is not None
        return activity, limit, abs(limit - activity)

    def _source_standing(self, number: int) -> tuple[Decimal, Decimal, Decimal]:
        fund, payments = self.solution.fund, self.solution.payments
        before = next((f for f, following in enumerate(fund.classes.next_year) if following == number), None)
        received = Fraction(0) if before is None else payments.carried[before] or Fraction(0)
        used, moved = payments.used[number], payments.carried[number] or Fraction(0)
        amount = fund.classes.sources[number].amount
        return stated(used), amount, stated(max(Fraction(0), Fraction(amount) + received - used - moved))

    def _common_bound(self, lever: Lever) -> Decimal | None:
        """Return the bound of all members together where it is one and the same."""
        bounds = {stated(self.solution.evaluation.limits[number].bound) for number in lever.limits}
        return bounds.pop() if len(bounds) == 1 else None

    def _says(self, lever: Lever) -> str:
        round_ = self.solution.fund.round
        if lever.rule is not None:
            return sentence_of(lever.rule, None if lever.member == ALL else lever.member, unit=round_.unit)
        if lever.source is not None:
            return f"at most {lever.name}{'' if lever.member is None else f' of {lever.member}'} can pay"
        assert lever.link is not None
        kind = lever.link.kind.replace("_", " ")
        many = f" {lever.link.k}" if lever.link.k is not None else ""
        return f"{kind}{many}: {', '.join(lever.link.projects)}"

    def _dual(self, lever: Lever) -> Decimal | None:
        fund, arrays = self.solution.fund, self.relaxed.arrays
        names = [fund.appraisal.limits.rows[number].name for number in lever.limits]
        if self.level == 0 and lever.rule is not None:
            return sum((self.proof.rules[name] for name in names), Decimal(0))
        if self.level == 0 and lever.source is not None:
            return self.proof.sources[lever.source].amount
        if lever.link is not None and len(lever.shift.rows) != 1:
            return None
        rows = lever.shift.rows
        if lever.source is not None:  # its own row, without the rules that move with it
            rows = np.array([row for row in rows if row == arrays.source_rows["source", lever.source]])
        own = self.relaxed.sensitivity.prices[rows] * lever.shift.by[: len(rows)]
        return number_of(float(own.sum()))


def price_of(value: float) -> Price:
    """Return a price as stated: `DIGITS` significant digits, or the word for no end."""
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    return number_of(value)


def number_of(value: float, digits: int = DIGITS) -> Decimal:
    """Return a number of the solver's as stated, with the digits that its tolerance leaves."""
    plain = Decimal(f"{value:.{digits}g}")
    return Decimal(f"{plain.normalize():f}") if plain else Decimal(0)


def _end(bound: Decimal | None, distance: float) -> Decimal | None:
    """Return the value of the bound at a distance; None without an end, or without a bound."""
    return None if bound is None or np.isinf(distance) else number_of(float(bound) + distance, BOUND_DIGITS)
