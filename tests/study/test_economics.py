"""What prices obey whatever the round: complementary slackness, units, shared prices, and another solver's values."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyscipopt
import pytest

from integrated_fund.round import Round
from optalloc.plan.price_report import Price, PriceReport
from optalloc.solve.arrays import Arrays, Vector
from optalloc.study.prices.levers import Shift
from tests.rule_texts.rounds import random_tables
from tests.support.elastic import dozen
from tests.support.priced_rounds import PricedRound, priced_round, priced_tables
from tests.support.tables import round_of


def _random(seed: int) -> PricedRound | None:
    return priced_tables(random_tables(random.Random(seed)))


def _dozen(seed: int) -> tuple[Round, PriceReport] | None:
    """Return a tight round of a dozen projects, money rules on every side, with its report."""
    round_ = round_of(dozen(seed))
    own = priced_round(round_)
    return None if own is None else (round_, own.priced.report)


def _report(round_: Round) -> PriceReport:
    own = priced_round(round_)
    assert own is not None
    return own.priced.report


def _same(one: Price, other: Price, times: float = 1.0) -> bool:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return float(other) == pytest.approx(float(one) * times, rel=1e-6, abs=1e-8 * min(1.0, times))
    return one == other


def test_what_has_slack_costs_nothing() -> None:
    """At the relaxation's own point, and by sign: a cap costs, a floor is a gain to lower."""
    for own in filter(None, map(_random, range(15))):
        arrays, sensitivity = own.arrays, own.priced.relaxed.sensitivity
        activity, price = arrays.matrix @ sensitivity.point, sensitivity.prices
        above, below = np.flatnonzero(price > 1e-7), np.flatnonzero(price < -1e-7)
        assert activity[above] == pytest.approx(arrays.row_upper[above], abs=1e-6)
        assert activity[below] == pytest.approx(arrays.row_lower[below], abs=1e-6)
        for line in own.priced.report.lines:
            for stated in (line.price_more, line.price_less):
                if line.sense in ("<=", ">=") and line.kind == "rule" and isinstance(stated, Decimal):
                    assert stated >= 0 if line.sense == "<=" else stated <= 0


def test_the_point_and_its_prices_are_worth_the_same() -> None:
    """Strong duality: rows and columns at their bounds, times their prices, are the optimum."""
    for own in filter(None, map(_random, range(15))):
        arrays, sensitivity = own.arrays, own.priced.relaxed.sensitivity
        cost = arrays.levels[0]
        reduced = cost - arrays.matrix.T @ sensitivity.prices
        worth = _at_bounds(sensitivity.prices, arrays.row_lower, arrays.row_upper)
        worth += _at_bounds(reduced, arrays.column_lower, arrays.column_upper)
        assert worth == pytest.approx(sensitivity.value, rel=1e-7, abs=1e-7)
        assert float(cost @ sensitivity.point) == pytest.approx(sensitivity.value, rel=1e-9, abs=1e-9)


def _at_bounds(price: Vector, lower: Vector, upper: Vector) -> float:
    some = np.abs(price) > 1e-9
    return float(price[some] @ np.where(price > 0, upper, lower)[some])


def test_a_concave_value() -> None:
    """More never gains at a higher price than less loses."""
    for own in filter(None, map(_random, range(15))):
        for line in own.priced.report.lines:
            for more, less in ((line.price_more, line.price_less), (line.decided_more, line.decided_less)):
                assert more is None or less is None or float(more) <= float(less) + 1e-8


def test_the_exchange_rate_buys_the_same_gain() -> None:
    met = 0
    for own in filter(None, map(_random, range(15))):
        pool = own.priced.report.pool
        for line in own.priced.report.lines:
            if line.exchange_rate is None:
                has_price = isinstance(line.price_more, Decimal) and isinstance(line.price_less, Decimal)
                assert not has_price or not isinstance(pool, Decimal) or pool <= 0 or line.price_more is None
                continue
            assert isinstance(pool, Decimal)
            gain = max(float(line.price_more or 0), -float(line.price_less or 0), 0.0)
            assert float(line.exchange_rate) * float(pool) == pytest.approx(gain, rel=1e-6, abs=1e-8)
            met += gain > 0
    assert met >= 5


# Units.


def _in_other_money(round_: Round, times: int) -> Round:
    """Return a round of money rules with its money in another unit."""
    by = Decimal(times)
    return replace(
        round_,
        step=round_.step * by,
        sources=tuple(replace(s, amount=s.amount * by) for s in round_.sources),
        projects=tuple(
            replace(p, max_award=p.max_award * by, min_award=None if p.min_award is None else p.min_award * by)
            for p in round_.projects
        ),
        rules=tuple(replace(r, bound=r.bound * by) for r in round_.rules),
    )


@pytest.mark.parametrize("times", [1000, 10**6, 10**8])
def test_money_in_another_unit(times: int) -> None:
    met = 0
    for round_, report in filter(None, map(_dozen, range(4))):
        for line, other in zip(report.lines, _report(_in_other_money(round_, times)).lines, strict=True):
            assert _same(line.price_more, other.price_more, 1 / times)
            assert _same(line.price_less, other.price_less, 1 / times)
            assert _same(line.decided_more, other.decided_more, 1 / times)
            assert _same(line.valid_from, other.valid_from, times)
            assert _same(line.valid_to, other.valid_to, times)
            assert _same(line.exchange_rate, other.exchange_rate)
            met += line.price_more != 0
    assert met >= 5


@pytest.mark.parametrize("times", [100, 10**5, 10**7])
def test_a_finer_step(times: int) -> None:
    """The relaxation knows no steps: with awards in finer ones its prices are the same."""
    for round_, report in filter(None, map(_dozen, (0, 5, 8, 9, 10))):
        finer = _report(replace(round_, step=round_.step / times))
        for line, other in zip(report.lines, finer.lines, strict=True):
            assert _same(line.price_more, other.price_more)
            assert _same(line.price_less, other.price_less)
            assert _same(line.valid_from, other.valid_from)
            assert _same(line.valid_to, other.valid_to)


@pytest.mark.parametrize("times", ["10", "0.001"])
def test_a_scaled_objective(times: str) -> None:
    for round_, report in filter(None, map(_dozen, range(4))):
        criteria = tuple(replace(c, weight=(c.weight or Decimal(1)) * Decimal(times)) for c in round_.criteria)
        for line, other in zip(report.lines, _report(replace(round_, criteria=criteria)).lines, strict=True):
            assert _same(line.price_more, other.price_more, float(times))
            assert _same(line.price_less, other.price_less, float(times))
            assert _same(line.valid_from, other.valid_from)
            assert _same(line.valid_to, other.valid_to)
            assert _same(line.exchange_rate, other.exchange_rate)


# A rule in two equal rows.


def test_two_equal_rows_have_one_price_together() -> None:
    """Moved together they cost what the rule costs; where one alone gives way, the other still holds."""
    met = 0
    for round_, report in filter(None, map(_dozen, range(8))):
        if not round_.rules:
            continue
        dear = max((line for line in report.lines if line.kind == "rule"), key=lambda line: line.cost)
        rule = next(rule for rule in round_.rules if rule.rule == dear.rule)
        own = priced_round(replace(round_, rules=(*round_.rules, replace(rule, rule="twin"))))
        assert own is not None
        twins = [lever for lever in own.priced.levers if lever.name in (rule.rule, "twin")]
        together = Shift.of({int(row): by for lever in twins for row, by in zip(*_terms(lever.shift), strict=True)})
        more, less = own.priced.relaxed.slopes(together)
        assert _same(dear.price_more, _price(more))
        assert _same(dear.price_less, _price(less))
        for lever in twins:
            line = own.priced.report.lines[own.priced.levers.index(lever)]
            tightens, gives_way = (
                (line.price_less, line.price_more) if rule.sense == "<=" else (line.price_more, line.price_less)
            )
            assert gives_way == 0
            assert _same(dear.price_less if rule.sense == "<=" else dear.price_more, tightens)
            met += dear.cost > 0
    assert met >= 6


def _terms(shift: Shift) -> tuple[list[int], list[float]]:
    return shift.rows.tolist(), shift.by.tolist()


def _price(value: float) -> Price:
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    return Decimal(repr(value))


# Another solver.


def _scip(arrays: Arrays, cost: Vector) -> float | None:
    """Return SCIP's optimum with integrality left out; None where there is no point."""
    model = pyscipopt.Model()
    model.hideOutput()
    columns = [
        model.addVar(lb=None if np.isinf(low) else low, ub=None if np.isinf(high) else high)
        for low, high in zip(arrays.column_lower, arrays.column_upper, strict=True)
    ]
    matrix = arrays.matrix
    for row, (low, high) in enumerate(zip(arrays.row_lower, arrays.row_upper, strict=True)):
        inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
        terms = zip(matrix.indices[inside].tolist(), matrix.data[inside].tolist(), strict=True)
        left = pyscipopt.quicksum(value * columns[column] for column, value in terms)
        if np.isfinite(high):
            model.addCons(left <= high)
        if np.isfinite(low):
            model.addCons(left >= low)
    model.setObjective(pyscipopt.quicksum(float(c) * x for c, x in zip(cost, columns, strict=True)), "maximize")
    model.optimize()
    return float(model.getObjVal()) if model.getStatus() == "optimal" else None


def test_another_solver_finds_the_value_that_the_prices_say() -> None:
    """Half-way to where a price ends, and a little way where it has no end."""
    met: Counter[str] = Counter()
    for own in filter(None, map(_random, range(12))):
        arrays, cost, relaxed = own.arrays, own.arrays.levels[0], own.priced.relaxed
        for lever in own.priced.levers:
            if not len(lever.shift.rows):
                continue
            margin = relaxed.marginal(lever.shift)
            for sign, price, end in ((1, margin.more, margin.up), (-1, margin.less, margin.down)):
                by = min(end / 2, 1.0)
                if by < 1e-3:
                    continue
                shifted = np.zeros(len(arrays.row_lower))
                shifted[lever.shift.rows] = sign * by * lever.shift.by
                found = _scip(
                    replace(arrays, row_lower=arrays.row_lower + shifted, row_upper=arrays.row_upper + shifted), cost
                )
                if np.isinf(price):
                    assert found is None, lever.label
                    met["no plan"] += 1
                else:
                    assert found == pytest.approx(relaxed.value + sign * by * price, rel=1e-6, abs=1e-6), lever.label
                    met["a price" if price else "nothing"] += 1
    assert min(met[kind] for kind in ("no plan", "a price", "nothing")) >= 10
