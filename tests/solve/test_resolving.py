"""A linear programme re-solved from its last basis, against HiGHS from scratch after the same changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from optalloc.solve.arrays import Programme, Vector
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_lp
from optalloc.solve.solvers.resolving import Resolving

CLOSE = 1e-6


def _random(rng: np.random.Generator) -> tuple[Programme, Vector]:
    rows, columns = int(rng.integers(1, 12)), int(rng.integers(1, 20))
    dense = rng.normal(0, 3, (rows, columns)) * (rng.random((rows, columns)) < 0.5)
    matrix = sparse.csr_matrix(np.round(dense, 1))
    upper = rng.integers(0, 8, columns).astype(float)
    activity = matrix @ (upper * rng.random(columns))
    below, above = rng.random(rows) < 0.5, rng.random(rows) < 0.7
    programme = Programme(
        matrix,
        np.where(below, activity - rng.integers(0, 3, rows), -np.inf),
        np.where(above, activity + rng.integers(0, 3, rows), np.inf),
        np.zeros(columns),
        upper,
    )
    return programme, np.round(rng.normal(0, 20, columns) * 10.0 ** rng.integers(-3, 4), 4)


def _holds(linear: Resolving, programme: Programme, cost: Vector) -> bool:
    """Hold what the re-solve says against a solve from scratch; return whether there is a solution."""
    value, outcome = linear.solve(), solve_lp(programme, cost, Watch())
    if outcome.status != "optimal":
        assert value is None
        return False
    size = max(1.0, float(np.abs(cost).max()))
    assert value == pytest.approx(outcome.objective, rel=CLOSE, abs=CLOSE * size)
    x = linear.point()
    activity = programme.matrix @ x
    assert float(cost @ x) == pytest.approx(value, rel=CLOSE, abs=CLOSE * size)
    assert (x >= programme.column_lower - CLOSE).all()
    assert (x <= programme.column_upper + CLOSE).all()
    assert (activity >= programme.row_lower - CLOSE).all()
    assert (activity <= programme.row_upper + CLOSE).all()
    # The duals prove the optimum: each at the bound of its sign.
    y, reduced = linear.duals()
    assert reduced == pytest.approx(cost - programme.matrix.T @ y, abs=CLOSE * size)
    bound = 0.0
    for price, low, high in (
        (y, programme.row_lower, programme.row_upper),
        (reduced, programme.column_lower, programme.column_upper),
    ):
        some = np.abs(price) > CLOSE * size
        bound += float(price[some] @ np.where(price > 0, high, low)[some])
    assert bound == pytest.approx(value, rel=1e-5, abs=1e-4 * size)
    _is_a_basis(linear, programme, x, activity)
    return True


def _is_a_basis(linear: Resolving, programme: Programme, x: Vector, activity: Vector) -> None:
    rows, columns = programme.matrix.shape
    basic = linear.basic()
    assert len(set(basic.tolist())) == rows
    wide = np.hstack([programme.matrix.toarray(), -np.eye(rows)])
    point = np.concatenate([x, activity])
    others = np.setdiff1d(np.arange(rows + columns), basic)
    lower = np.append(programme.column_lower, programme.row_lower)[others]
    upper = np.append(programme.column_upper, programme.row_upper)[others]
    at = np.minimum(np.abs(point[others] - lower), np.abs(point[others] - upper))
    assert (at <= CLOSE).all(), "what is not basic stands at a bound"
    assert np.linalg.matrix_rank(wide[:, basic]) == rows
    assert point[basic] == pytest.approx(np.linalg.solve(wide[:, basic], -wide[:, others] @ point[others]), abs=1e-5)


def test_every_change_gives_the_optimum() -> None:
    solved = failed = 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        programme, cost = _random(rng)
        linear = Resolving(programme, cost)
        for _ in range(8):
            if _holds(linear, programme, cost):
                solved += 1
            else:
                failed += 1
            rows, columns = programme.matrix.shape
            which = rng.choice(columns, size=int(rng.integers(1, columns + 1)), replace=False)
            row = rng.choice(rows, size=int(rng.integers(1, rows + 1)), replace=False)
            match rng.integers(3):
                case 0:
                    lower, upper = programme.column_lower.copy(), programme.column_upper.copy()
                    lower[which] = rng.integers(0, 4, len(which))
                    upper[which] = lower[which] + rng.integers(0, 5, len(which))
                    programme = replace(programme, column_lower=lower, column_upper=upper)
                    linear.bound_columns(which, lower[which], upper[which])
                case 1:
                    lower, upper = programme.row_lower.copy(), programme.row_upper.copy()
                    shift = rng.integers(-3, 4, len(row))
                    lower[row], upper[row] = lower[row] + shift, upper[row] + shift
                    programme = replace(programme, row_lower=lower, row_upper=upper)
                    linear.bound_rows(row, lower[row], upper[row])
                case _:
                    cost = cost.copy()
                    cost[which] = np.round(cost[which] * rng.normal(1, 2, len(which)), 4)
                    linear.price_columns(which, cost[which])
    assert solved > 200
    assert failed > 10


def test_a_cost_that_starts_at_nothing() -> None:
    programme = Programme(sparse.csr_matrix([[1.0, 1.0]]), np.zeros(1), np.ones(1), np.zeros(2), np.full(2, 5.0))
    linear = Resolving(programme, np.zeros(2))
    assert linear.solve() == 0
    linear.price_columns(np.array([1]), np.array([3.0]))
    assert linear.solve() == pytest.approx(3)
    assert linear.point() == pytest.approx([0, 1])
