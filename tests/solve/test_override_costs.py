"""Costs as arithmetic: what two plans and two bounds prove, and what rounds with fewer overrides lend each other."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from optalloc.plan.overrides import Cost
from optalloc.plan.plan import stated
from optalloc.solve.override_costs import Optima, Optimum, cost_between


def _proven(low: float | None, high: float | None, found: float) -> Cost:
    return Cost(*(None if value is None else Decimal(str(value)) for value in (low, high, found)))


@pytest.mark.parametrize(
    ("loose", "tight", "contains", "cost"),
    [
        (Optimum(Fraction(10), Fraction(10)), Optimum(Fraction(8), Fraction(8)), True, _proven(2, 2, 2)),
        (Optimum(Fraction(10), Fraction(12)), Optimum(Fraction(8), Fraction(9)), True, _proven(1, 4, 2)),
        (Optimum(Fraction(10), Fraction(12)), Optimum(Fraction(8), Fraction(11)), True, _proven(0, 4, 2)),
        (Optimum(Fraction(10), Fraction(12)), Optimum(Fraction(8), Fraction(11)), False, _proven(-1, 4, 2)),
        (
            Optimum(Fraction(19, 7), Fraction(19, 7)),
            Optimum(Fraction(1), Fraction(1)),
            True,
            Cost(*(stated(Fraction(12, 7)),) * 3),
        ),
        (Optimum(Fraction(10), None), Optimum(Fraction(8), None), True, _proven(0, None, 2)),
        (Optimum(Fraction(10), None), Optimum(Fraction(8), None), False, _proven(None, None, 2)),
        (Optimum(None, Fraction(12)), Optimum(Fraction(8), Fraction(9)), False, Cost(None, Decimal(4))),
        (Optimum(None, Fraction(12)), Optimum(Fraction(8), Fraction(9)), True, Cost(Decimal(0), Decimal(4))),
        (Optimum(), Optimum(Fraction(8), Fraction(9)), True, Cost(Decimal(0))),
        (Optimum(infeasible=True), Optimum(Fraction(8), Fraction(9)), False, Cost()),
    ],
)
def test_a_cost_is_what_two_plans_and_two_bounds_prove(
    loose: Optimum, tight: Optimum, contains: bool, cost: Cost
) -> None:
    assert cost_between(loose, tight, contains=contains) == cost


def test_a_plan_with_more_overrides_is_a_plan_of_the_round_with_fewer() -> None:
    """Two overrides; the searches without one each and without any were unlucky in turn."""
    best_found, without = Optimum(Fraction(8), Fraction(20)), Optimum(Fraction(5), Fraction(15))
    rests = [Optimum(Fraction(3), Fraction(18)), Optimum(Fraction(9), None)]
    found = Optima(best_found, without, rests).reconciled([False, False])
    assert found.best == Optimum(Fraction(8), Fraction(15))
    assert found.without == Optimum(Fraction(9), Fraction(15))
    assert found.rests == [Optimum(Fraction(8), Fraction(15)), Optimum(Fraction(9), Fraction(15))]


def test_a_single_override_is_no_gain_unless_it_goes_against_the_workbook() -> None:
    lucky = Optima(Optimum(Fraction(9), Fraction(20)), Optimum(Fraction(8), Fraction(15)))
    within, against = lucky.reconciled([False]), lucky.reconciled([True])
    assert within.best.bound == 15
    assert within.without.found == 9
    assert within.costs([False])[0] == _proven(0, 6, 0)
    assert against.best.bound == 20
    assert against.without.found == 8
    assert against.costs([True])[0] == _proven(-12, 6, -1)


def test_a_search_that_found_nothing_lends_no_plan() -> None:
    """A cost of 0 between two plans that are one would be no finding."""
    found = Optima(Optimum(Fraction(8), Fraction(20)), Optimum(None, Fraction(15))).reconciled([False])
    assert found.without == Optimum(None, Fraction(15))
    assert found.costs([False])[0] == Cost(Decimal(0), Decimal(7))


def test_nothing_is_concluded_across_an_override_against_the_workbook() -> None:
    best_found, without = Optimum(Fraction(8), Fraction(20)), Optimum(Fraction(5), Fraction(15))
    rests = [Optimum(Fraction(3), Fraction(18)), Optimum(Fraction(6), Fraction(19))]
    found = Optima(best_found, without, rests).reconciled([True, False])
    # Without the first the other one is left, which is within the workbook: that round's plans are plans of it.
    assert found.without == Optimum(Fraction(5), Fraction(15))
    assert found.rests == [Optimum(Fraction(3), Fraction(15)), Optimum(Fraction(8), Fraction(19))]
    assert found.best == Optimum(Fraction(8), Fraction(19))
