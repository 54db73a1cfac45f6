"""The points that some optimal prices allow, and how far they follow a shift of the rows."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg import qr, solve_triangular

from optalloc.solve.arrays import Programme, Vector
from optalloc.solve.solvers.resolving import Resolving
from optalloc.study.prices.directions import AT_BOUND, Mask

#: Relative size from which on a pivot, or a share of a shift, is one.
INDEPENDENT = 1e-9

Matrix = npt.NDArray[np.float64]


class Face:
    """The points that some optimal prices allow, to move on while rows shift."""

    def __init__(self, programme: Programme, point: Vector, stay: Mask, held: Mask, movable: Mask) -> None:
        stay = _determined(programme, stay, held | (programme.row_lower == programme.row_upper), movable)
        self._stay = stay
        self._columns = np.flatnonzero(~stay)
        outside = programme.matrix @ np.where(stay, point, 0.0)
        inside = sparse.csr_matrix(programme.matrix[:, self._columns])
        # Rows that nothing here can change stay as they are; those that shifts are asked of are needed all the same.
        self._number = np.cumsum((np.diff(inside.indptr) > 0) | movable) - 1
        # A row with a price stays where it is; what tolerance has let slip in the others is allowed.
        activity = inside @ point[self._columns]
        self._lower = np.where(held, activity, np.minimum(programme.row_lower - outside, activity))
        self._upper = np.where(held, activity, np.maximum(programme.row_upper - outside, activity))
        needed = np.flatnonzero(np.diff(self._number, prepend=-1))
        self._staying = np.flatnonzero((held | (programme.row_lower == programme.row_upper))[needed])
        self._point = point[self._columns]
        self._lower, self._upper = self._lower[needed], self._upper[needed]
        self._matrix = sparse.csr_matrix(inside[needed])
        self._bounds = (programme.column_lower[self._columns], programme.column_upper[self._columns])
        self._shifted: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._linear: Resolving | None = None

    @property
    def is_point(self) -> bool:
        """Whether the rows that stay leave every column no choice."""
        return self._factors is not None

    @cached_property
    def _factors(self) -> tuple[Matrix, Matrix, Vector, Matrix, Vector] | None:
        """Return q, r, the order of the columns, the staying rows as a matrix, and by how much these were divided.

        None where the staying rows leave a choice.
        """
        if len(self._staying) < len(self._columns):
            return None
        dense = self._matrix[self._staying].toarray()
        size = np.abs(dense).max(axis=1, initial=0.0)
        size[size == 0] = 1.0
        dense /= size[:, None]
        q, r, order = qr(dense, mode="economic", pivoting=True)
        pivots = np.abs(np.diag(r))
        if len(pivots) and not (pivots > INDEPENDENT * pivots[0]).all():
            return None
        return q, r, order, dense, size

    def _straight(self, rows: npt.NDArray[np.int64], shift: Vector) -> float:
        """Return how far the only point there is can follow a shift; 0 where that is not sure."""
        assert self._factors is not None
        q, r, order, dense, size = self._factors
        by_row = np.zeros(len(self._lower))
        by_row[self._number[rows]] = shift
        wanted = by_row[self._staying] / size
        step = np.zeros(len(self._columns))
        if len(step):
            step[order] = solve_triangular(r, q.T @ wanted)
        if np.abs(dense @ step - wanted).max(initial=0.0) > INDEPENDENT:
            return 0.0
        others = np.ones(len(self._lower), dtype=np.bool_)
        others[self._staying] = False
        activity = self._matrix @ self._point
        moves = (self._matrix @ step - by_row)[others]
        return min(
            room_of(self._point, step, *self._bounds),
            room_of(activity[others], moves, self._lower[others], self._upper[others]),
        )

    def furthest(self, rows: npt.NDArray[np.int64], shift: Vector) -> float:
        """Return the largest t for which a point keeps the rows shifted by t · shift; inf without an end."""
        if self.is_point:
            straight = self._straight(rows, shift)
            if straight > AT_BOUND:
                return straight
        width = len(self._columns)
        if self._linear is None:
            matrix = sparse.hstack([self._matrix, sparse.csr_matrix((self._matrix.shape[0], 1))], format="csr")
            programme = Programme(
                sparse.csr_matrix(matrix),
                self._lower,
                self._upper,
                np.append(self._bounds[0], 0.0),
                np.append(self._bounds[1], np.inf),
            )
            cost = np.zeros(width + 1)
            cost[width] = 1.0
            self._linear = Resolving(programme, cost)
        self._linear.change_column(width, self._shifted, np.zeros(len(self._shifted)))
        self._shifted = self._number[rows]
        self._linear.change_column(width, self._shifted, -shift)
        found = self._linear.solve()
        if found is None:
            return np.inf if self._linear.is_unbounded() else 0.0
        return max(0.0, found)

    def extremes(self, coefficients: Vector, point: Vector) -> tuple[float, float]:
        """Return the least and the most of coefficients · x over the face."""
        fixed = float(coefficients[self._stay] @ point[self._stay])
        programme = Programme(self._matrix, self._lower, self._upper, *self._bounds)
        own = coefficients[self._columns]
        ends = []
        for sign in (-1.0, 1.0):
            found = Resolving(programme, sign * own).solve() if own.any() else 0.0
            ends.append(sign * np.inf if found is None else sign * found + fixed)
        return ends[0], ends[1]


def _determined(programme: Programme, stay: Mask, fixed: Mask, movable: Mask) -> Mask:
    """Return which columns stay: those that do already, and those that a row that stays leaves no choice."""
    matrix = sparse.csr_matrix(programme.matrix[fixed & ~movable])
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    stay = stay.copy()
    while True:
        free = ~stay[matrix.indices]
        alone = np.bincount(row[free], minlength=matrix.shape[0]) == 1
        found = matrix.indices[free & alone[row]]
        if not len(found):
            return stay
        stay[found] = True


def room_of(values: Vector, moves: Vector, lower: Vector, upper: Vector) -> float:
    """Return how many times the moves can be made until a value meets a bound; inf without an end."""
    # Shifts are of size 1: less than this is what rounding leaves of nothing.
    some = np.abs(moves) > INDEPENDENT
    ends = np.where(moves > 0, upper, lower)[some]
    return float(((ends - values[some]) / moves[some]).min(initial=np.inf))
