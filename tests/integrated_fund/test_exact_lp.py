"""The exact simplex against HiGHS on random programmes, and its proofs of infeasibility."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from integrated_fund.exact_lp import Infeasible, Solution, maximise

numbers = st.integers(-4, 6).map(Fraction)


@st.composite
def programmes(draw: st.DrawFn) -> tuple[list[list[Fraction]], list[Fraction], list[Fraction]]:
    columns = draw(st.integers(1, 5))
    rows = draw(st.integers(1, 4))
    matrix = [[draw(numbers) for _ in range(columns)] for _ in range(rows)]
    matrix.append([Fraction(1)] * columns)  # keeps it bounded; the last column is its slack
    right = [draw(numbers) for _ in range(rows)] + [Fraction(20)]
    cost = [draw(numbers) for _ in range(columns)]
    return matrix, right, cost


def _with_slack(matrix: list[list[Fraction]]) -> list[dict[int, Fraction]]:
    columns = len(matrix[0])
    rows = [dict(enumerate(row)) for row in matrix]
    rows[-1][columns] = Fraction(1)
    return rows


@settings(max_examples=150, deadline=None)
@given(programmes())
def test_agrees_with_highs_and_proves_infeasibility(
    programme: tuple[list[list[Fraction]], list[Fraction], list[Fraction]],
) -> None:
    matrix, right, cost = programme
    columns = len(cost)
    rows = _with_slack(matrix)
    ours = maximise([dict(enumerate(cost))], list(zip(rows, right, strict=True)), columns + 1)
    dense = np.array([[float(row.get(c, 0)) for c in range(columns + 1)] for row in rows])
    theirs = linprog([-float(c) for c in cost] + [0.0], A_eq=dense, b_eq=[float(b) for b in right])
    if isinstance(ours, Infeasible):
        assert theirs.status == 2
        y = ours.multipliers
        for column in range(columns + 1):
            assert sum(y[i] * row.get(column, Fraction(0)) for i, row in enumerate(rows)) >= 0
        assert sum(a * b for a, b in zip(y, right, strict=True)) < 0
    else:
        assert theirs.status == 0
        assert all(value >= 0 for value in ours.values)
        for row, b in zip(rows, right, strict=True):
            assert sum(v * ours.values[c] for c, v in row.items()) == b
        assert float(sum(c * x for c, x in zip(cost, ours.values, strict=False))) == pytest.approx(
            -float(theirs.fun or 0)
        )


def test_later_objectives_keep_the_earlier_optima() -> None:
    # x + y + s = 3: first x + y, then y alone.
    rows = [({0: Fraction(1), 1: Fraction(1), 2: Fraction(1)}, Fraction(3))]
    solved = maximise([{0: Fraction(1), 1: Fraction(1)}, {1: Fraction(1)}], rows, 3)
    assert solved == Solution((Fraction(0), Fraction(3), Fraction(0)))


def test_an_unbounded_programme_is_refused() -> None:
    with pytest.raises(ValueError, match="unbounded"):
        maximise([{0: Fraction(1)}], [({1: Fraction(1)}, Fraction(1))], 2)
