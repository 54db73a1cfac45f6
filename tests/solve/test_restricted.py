"""Restricted programmes and the decisions they leave open, against the linear programme solved whole by HiGHS."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from integrated_fund.fund import fund_for_solving
from optalloc.examples.generator import generate
from optalloc.solve.alternatives import Alternatives
from optalloc.solve.arrays import arrays_of
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.core.restricted import Restricted
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_lp
from tests.support.tables import round_of


@cache
def _pricing(seed: int, links: int) -> Pricing:
    tables = generate(300, seed, tightness=0.3, rules=20, links_per_thousand=links)
    fund = fund_for_solving(round_of(tables))
    arrays = arrays_of(fund)
    return Pricing(arrays, arrays.levels[0], fund.ledger.project_of)


@pytest.mark.parametrize(("seed", "links"), [(1, 0), (2, 0), (3, 50)])
def test_with_all_decisions_open_it_is_the_linear_programme(seed: int, links: int) -> None:
    pricing = _pricing(seed, links)
    optimum = solve_lp(pricing.arrays, pricing.cost, Watch()).objective
    restricted = Restricted(pricing)
    _, vertex, _ = pricing.at(np.zeros(len(pricing.lower)))
    wall = 1e6 * restricted.worth
    solved = restricted.solve(vertex, restricted.alternatives.all_but_best(vertex), -wall, wall, Watch())
    assert solved is not None
    assert solved.missed == pytest.approx(0, abs=1e-6)
    assert solved.value == pytest.approx(optimum, rel=1e-7)
    assert float(pricing.cost @ solved.point) == pytest.approx(optimum, rel=1e-7)
    activity = pricing.arrays.matrix @ solved.point
    size = np.maximum(1.0, np.abs(activity))
    assert (activity >= pricing.arrays.row_lower - 1e-6 * size).all()
    assert (activity <= pricing.arrays.row_upper + 1e-6 * size).all()
    # Its prices, those of the cells' rows included, prove it: at them every cell is worth nothing.
    bound, _, reduced = pricing.at(solved.y)
    assert bound <= optimum * (1 + 1e-7)
    if not links:
        assert bound == pytest.approx(optimum, rel=1e-7)
    free = np.isinf(pricing.arrays.column_lower) & np.isinf(pricing.arrays.column_upper)
    assert np.abs(reduced[free]).max() <= 1e-6 * pricing.typical


@pytest.mark.parametrize("seed", [1, 2])
def test_prices_stay_in_the_box(seed: int) -> None:
    pricing = _pricing(seed, 0)
    restricted = Restricted(pricing)
    start = np.zeros(len(pricing.lower))
    bound, vertex, _ = pricing.at(start)
    room = 0.1 * restricted.worth
    solved = restricted.solve(vertex, restricted.alternatives.all_but_best(vertex), -room, room, Watch())
    assert solved is not None
    assert (np.abs(solved.y[restricted.boxed]) <= room * (1 + 1e-6)).all()
    # With all decisions open the model is L itself, all over the box.
    assert pricing.at(solved.y)[0] == pytest.approx(solved.value, rel=1e-7)
    assert solved.value <= bound


@pytest.mark.parametrize("seed", [1, 2])
def test_a_decision_farther_than_the_box_is_never_best_in_it(seed: int) -> None:
    pricing = _pricing(seed, 0)
    restricted = Restricted(pricing)
    alternatives = restricted.alternatives
    draw = np.random.default_rng(seed)
    y = np.zeros(len(pricing.lower))
    unit = restricted.worth * draw.uniform(0.01, 0.3, len(restricted.boxed))
    _, vertex, reduced = pricing.at(y)
    distance = alternatives.distance(vertex, reduced, restricted.change(unit))
    best = alternatives.best(vertex)
    for _ in range(20):
        moved = y.copy()
        moved[restricted.boxed] = unit * draw.uniform(-1, 1, len(unit))
        # The rows that define a cell follow.
        moved[restricted.definition] = restricted.uses.T @ moved[restricted.others]
        now = alternatives.best(pricing.at(moved)[1])
        assert (distance[now[now != best]] <= 1 + 1e-9).all()


def test_moves_lead_from_the_best_decisions_to_the_others() -> None:
    pricing = _pricing(1, 0)
    alternatives = Alternatives(pricing.groups, pricing.project_of)
    y = np.zeros(len(pricing.lower))
    _, before, _ = pricing.at(y)
    _, after, _ = pricing.at(y + np.random.default_rng(3).normal(size=len(y)))
    changed = alternatives.changed(before, after)
    assert len(changed)
    moves = alternatives.moves(changed, before)
    assert (before.x + moves.T @ np.ones(len(changed))).tolist() == pytest.approx(after.x.tolist())
