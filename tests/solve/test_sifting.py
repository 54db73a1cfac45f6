"""Prices found from a part of the columns at a time, against the linear programme solved whole by HiGHS."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from integrated_fund.fund import Fund, fund_for_solving
from optalloc.examples.generator import generate
from optalloc.solve.arrays import Arrays, arrays_of
from optalloc.solve.core import groups, sifting
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.core.sifting import Prices, priced
from optalloc.solve.manifest import Request
from optalloc.solve.planning import NoPlan, plan_of
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_lp, solve_mip
from tests.support.tables import round_of

#: Projects, seed, tightness, rules, links for each thousand projects.
_Round = tuple[int, int, float, int, int]
ROUNDS: tuple[_Round, ...] = ((300, 1, 0.5, 60, 20), (300, 2, 1.0, 20, 50), (300, 3, 0.0, 60, 0), (300, 4, 0.5, 10, 50))
MORE: tuple[_Round, ...] = tuple(
    (300 + 50 * (seed % 7), seed, (0.0, 0.3, 0.5, 0.8, 1.0)[seed % 5], (5, 20, 40, 60)[seed % 4], (0, 20, 50)[seed % 3])
    for seed in range(10, 18)
)


class Told(Watch):
    """A watch that keeps every bound it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.bounds: list[float] = []

    def tell(self, best: float | None = None, bound: float | None = None) -> None:
        if bound is not None:
            self.bounds.append(bound)
        super().tell(best, bound)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sifting, "WHOLE", 60)
    monkeypatch.setattr(sifting, "OPEN", 30)
    monkeypatch.setattr(sifting, "SAMPLE", 4)


@cache
def _arrays(which: _Round) -> tuple[Fund, Arrays]:
    projects, seed, tightness, rules, links = which
    tables = generate(projects, seed, tightness=tightness, rules=rules, links_per_thousand=links)
    fund = fund_for_solving(round_of(tables))
    return fund, arrays_of(fund)


@cache
def _optimum(which: _Round) -> float:
    _, arrays = _arrays(which)
    outcome = solve_lp(arrays, arrays.levels[0], Watch())
    assert outcome.status == "optimal"
    return outcome.objective


@cache
def _plan_value(which: _Round) -> float:
    """Return what a good plan is worth."""
    _, arrays = _arrays(which)
    outcome = solve_mip(arrays, arrays.levels[0], Watch(), gap=0.05, nodes=1)
    assert outcome.x is not None
    return outcome.objective


def _holds(which: _Round) -> Prices:
    """Hold the prices against the linear programme's optimum and a plan."""
    fund, arrays = _arrays(which)
    watch = Told()
    pricing = Pricing(arrays, arrays.levels[0], fund.ledger.project_of)
    prices = priced(pricing, watch)
    assert prices is not None
    optimum = _optimum(which)
    assert prices.bound <= optimum * (1 + 1e-6)
    assert prices.bound >= _plan_value(which) * (1 - 1e-9)
    if not pricing.groups.linked.any():
        assert prices.bound == pytest.approx(optimum, rel=1e-6)
    # L(y) where y is what is returned, decisions and all.
    bound, vertex, reduced = pricing.at(prices.y)
    assert (bound, vertex.x.tolist(), reduced.tolist()) == (
        prices.bound,
        prices.vertex.x.tolist(),
        prices.reduced.tolist(),
    )
    assert watch.bounds == [] or min(watch.bounds) >= _plan_value(which) * (1 - 1e-9)
    _solves_the_linear_programme(arrays, prices)
    return prices


def _solves_the_linear_programme(arrays: Arrays, prices: Prices) -> None:
    """The point that comes along keeps every row and column, and is worth the bound."""
    assert prices.point is not None
    activity = arrays.matrix @ prices.point
    size = np.maximum(1.0, np.abs(activity))
    assert (activity >= arrays.row_lower - 1e-5 * size).all()
    assert (activity <= arrays.row_upper + 1e-5 * size).all()
    assert (prices.point >= arrays.column_lower - 1e-6).all()
    assert (prices.point <= arrays.column_upper + 1e-6).all()
    value = float(arrays.levels[0] @ prices.point)
    assert value >= prices.bound * (1 - 1e-6)


@pytest.mark.parametrize("which", ROUNDS)
def test_prices_of_the_whole(which: _Round) -> None:
    _holds(which)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("which", ROUNDS)
def test_prices_from_parts(which: _Round) -> None:
    _holds(which)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("patterns", [2, 6])
def test_links_of_too_many_patterns_couple_in_the_sample_too(monkeypatch: pytest.MonkeyPatch, patterns: int) -> None:
    monkeypatch.setattr(groups, "PATTERNS", patterns)
    for which in (ROUNDS[1], ROUNDS[3]):
        fund, arrays = _arrays(which)
        prices = priced(Pricing(arrays, arrays.levels[0], fund.ledger.project_of), Watch())
        assert prices is not None
        # So few open groups can leave a link no room to move: then the bound is near the optimum, not at it.
        assert _plan_value(which) * (1 - 1e-9) <= prices.bound <= _optimum(which) * 1.01


@pytest.mark.slow
@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("which", MORE)
def test_prices_from_parts_of_many_rounds(which: _Round) -> None:
    _holds(which)


@pytest.mark.usefixtures("small_parts")
def test_a_search_that_is_stopped_ends_and_bounds_every_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sifting, "STEPS", 2)
    fund, arrays = _arrays(ROUNDS[0])
    prices = priced(Pricing(arrays, arrays.levels[0], fund.ledger.project_of), Watch())
    assert prices is not None
    assert prices.bound >= _plan_value(ROUNDS[0])


@pytest.mark.usefixtures("small_parts")
def test_the_same_prices_again() -> None:
    fund, arrays = _arrays(ROUNDS[1])
    one, other = (priced(Pricing(arrays, arrays.levels[0], fund.ledger.project_of), Watch()) for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.y.tolist() == other.y.tolist()


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize(("sense", "bound", "measure"), [(">=", 10**7, "accepted"), ("<=", 1, "award")])
def test_a_programme_without_a_solution_has_no_prices(sense: str, bound: int, measure: str) -> None:
    tables = generate(300, 1)
    tables["Rules"].append({"rule": "never", "measure": measure, "sense": sense, "bound": bound})
    fund = fund_for_solving(round_of(tables))
    arrays = arrays_of(fund)
    assert solve_lp(arrays, arrays.levels[0], Watch()).status == "infeasible"
    assert priced(Pricing(arrays, arrays.levels[0], fund.ledger.project_of), Watch()) is None
    result = plan_of(fund, Watch(), Request(method="core"))
    assert isinstance(result, NoPlan)
    assert result.status == "infeasible"
