"""What HiGHS is asked, and what it has been found to answer wrongly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from optalloc.solve.arrays import IntegerProgramme
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_mip

INF = np.inf


def test_small_programmes_keep_their_optimum() -> None:
    """With a tolerance of 1e-9 for whole numbers presolve cut the optimum off and called -7.3 optimal (HiGHS 1.16)."""
    columns, rows = 9, 6
    matrix = np.zeros((rows, columns))
    matrix[0, [0, 1]] = 1.4, -1
    matrix[1, [1, 2, 3]] = -1, 1, 1
    matrix[2, [2, 4, 6]] = 1, 1, -0.1
    matrix[3, [4, 7]] = 1, -0.1
    matrix[4, [3, 4, 5]] = 1, 1, -0.1
    matrix[5, [4, 5, 6, 7, 8]] = 1, -0.03, -0.03, -0.03, 1
    programme = IntegerProgramme(
        sparse.csr_matrix(matrix),
        np.array([0, 0, -INF, -INF, -INF, 0.6]),
        np.array([0, 0, 0.9, 0.6, 0.5, INF]),
        np.zeros(columns),
        np.array([1, INF, INF, INF, 0, 1e7, 1e7, 1e7, 1e7]),
        np.array([True, False, False, False, False, True, True, True, False]),
    )
    cost = np.array([0, 0, 0, 0, 0, -1, -1, -1, -10.0])
    outcome = solve_mip(programme, cost, Watch())
    assert outcome.status == "optimal"
    assert outcome.objective == pytest.approx(-6)
