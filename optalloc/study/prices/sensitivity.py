r"""One-sided derivatives of a linear programme's value, and how far they hold.

    V(t) = max { c·x :  lower + t·shift <= A·x <= upper + t·shift,  column bounds }

V is concave and piecewise linear. With X* and Y* the optimal points and prices at t = 0,

    V'(0+) = min over Y* of shift·y,        V'(0-) = max over Y* of shift·y

(R. T. Rockafellar, Convex Analysis, 1970, section 29; J. Gauvin, Shadow prices in nonconvex mathematical programming,
Mathematical Programming 19, 1980). A solver returns one y of Y*, so that where Y* is more than a point its dual is
neither side's. Found here, for any optimal x*:

- **the side's slope**: the best direction out of x*. Columns move away from the bounds they stand at, rows that are
  tight may move by their shift:

      V'(0+) = max { c·u :  (A·u)_i <= shift_i  (>=, =)  for tight rows i,  u_j >= 0 (<= 0) for columns at a bound }

  Its duals are the y of Y* that attains the minimum; no direction, no plan on that side.
- **how far it holds**: as long as that y stays optimal. By complementary slackness with it,

      reach = max { t :  columns with reduced cost c - A'y stay at their bounds, rows with a price stay tight,
                         all others within their bounds }

Where the tight rows are independent at the columns between their bounds, shift·y is the same all over Y*, and no
programme is needed for the slope. Both programmes start from the last one's basis. The second is over the columns
without reduced cost alone: as many as there are rows, or a few more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg import qr, solve_triangular

from optalloc.solve.arrays import Programme, Vector
from optalloc.solve.evened import evened
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import SolverError, scale_of, solve_lp
from optalloc.solve.solvers.resolving import Resolving

#: A row or column this close to its bound, relatively, stands at it: the solver's own tolerance.
AT_BOUND = 1e-7
#: A typical benefit is 1; reduced costs and prices below this are none.
WORTHLESS = 1e-7
#: A slope below this share of the largest term in it is 0.
NOTHING = 1e-9
#: Relative size from which on a pivot, or a share of a shift, is one.
INDEPENDENT = 1e-9
#: Faces that are kept for the next question.
FACES = 8

Mask = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """One side of a shift: the slope by the shift's own unit, None where nothing keeps all rows on that side.

    `prices`, shape (rows,), are optimal and attain the slope.
    """

    slope: float | None
    prices: Vector


class Sensitivity:
    """A linear programme at its optimum, ready to be asked about shifts of its rows.

    Attributes:
        value: the optimum.
        point, prices: an optimal point, shape (columns,), and prices, shape (rows,).
        programme, cost: the programme as it is solved, in units that suit it (`evened`).

    Raises:
        SolverError: HiGHS refused a call, or the programme has no optimum.
    """

    def __init__(self, programme: Programme, cost: Vector, movable: npt.NDArray[np.int64], watch: Watch) -> None:
        """Solve the programme; `movable` are the rows that shifts will be asked of, positions."""
        self._even = even = evened(programme, cost)
        programme, self.cost = even.programme, even.cost
        self.programme = programme
        self._movable = np.zeros(len(programme.row_lower), dtype=np.bool_)
        self._movable[movable] = True
        optimum = solve_lp(programme, self.cost, watch)
        if optimum.status != "optimal" or optimum.x is None or optimum.row_duals is None:
            raise SolverError(f"the linear relaxation has no optimum ({optimum.status})")
        self.value, self._point, self._prices = optimum.objective, optimum.x, optimum.row_duals
        self.point, self.prices = self._point * even.columns, self._prices * even.rows
        self._scale = scale_of(self.cost)
        activity = programme.matrix @ self._point
        self._low = _at(activity, programme.row_lower)
        self._high = _at(activity, programme.row_upper)
        self._tight = np.flatnonzero(self._low | self._high)
        self._columns_low = _at(self._point, programme.column_lower)
        self._columns_high = _at(self._point, programme.column_upper)
        self._by_column = sparse.csr_matrix(programme.matrix.T)
        self._loose = self._free_prices()
        self._directions: Resolving | None = None
        self._faces: dict[bytes, _Face] = {}

    def is_tight(self, rows: npt.NDArray[np.int64]) -> bool:
        """Whether one of the rows is at its bound."""
        return bool((self._low | self._high)[rows].any())

    def side(self, rows: npt.NDArray[np.int64], shift: Vector) -> Side:
        """Return the slope towards a shift of some rows, shape of both (rows,)."""
        shift = shift * self._even.rows[rows]
        size = float(np.abs(shift).max(initial=0.0))
        by_row = np.zeros(len(self.prices))
        by_row[rows] = shift
        if size == 0 or not self.is_tight(rows):
            return Side(0.0, self.prices)
        if self._is_unique(by_row / size):
            return self._along(by_row, rows, self._prices)
        scaled = by_row[self._tight] / size
        low, high = self._low[self._tight], self._high[self._tight]
        if self._directions is None:
            self._directions = self._tangent()
        self._directions.bound_rows(
            np.arange(len(scaled)), np.where(low, scaled, -np.inf), np.where(high, scaled, np.inf)
        )
        if self._directions.solve() is None:
            if not self._directions.is_infeasible():
                raise SolverError("no best direction out of the optimum was found")
            return Side(None, self.prices)
        duals, _ = self._directions.duals()
        prices = np.zeros(len(self.prices))
        prices[self._tight] = duals
        return self._along(by_row, rows, prices)

    def _along(self, by_row: Vector, rows: npt.NDArray[np.int64], prices: Vector) -> Side:
        """Return the side that prices give."""
        terms = by_row[rows] * prices[rows]
        slope = float(terms.sum())
        # Money in single yuan has small prices: what counts as none goes by the size of the shift.
        size = float(np.abs(by_row[rows]).max(initial=0.0))
        if abs(slope) <= NOTHING * max(float(np.abs(terms).max(initial=0.0)), size / self._scale):
            slope = 0.0
        return Side(slope, prices * self._even.rows)

    def reach(self, rows: npt.NDArray[np.int64], shift: Vector, side: Side) -> float:
        """Return how many times the shift can be made until the side's slope changes; inf without an end."""
        shift = shift * self._even.rows[rows]
        size = float(np.abs(shift).max(initial=0.0))
        if side.slope is None or size == 0:
            return np.inf
        face = self._face(side.prices / self._even.rows)
        if len(rows) == 1 and not self.is_tight(rows):
            distance = self._distance(int(rows[0]), float(shift[0]))
            if np.isinf(distance) or face.is_point:
                return distance
        return face.furthest(rows, shift / size) / size

    def _distance(self, row: int, shift: float) -> float:
        """Return how many times a row that is not tight can be shifted until it meets the optimal point."""
        activity = float((self.programme.matrix[row] @ self._point)[0])
        met = self.programme.row_lower[row] if shift > 0 else self.programme.row_upper[row]
        return float(abs(activity - met) / abs(shift))

    def extremes(self, coefficients: Vector) -> tuple[float, float]:
        """Return the least and the most of a sum over the columns on the optimal face; coefficients (columns,)."""
        return self._face(self._prices).extremes(coefficients * self._even.columns, self._point)

    def _face(self, prices: Vector) -> _Face:
        """Return the face of some optimal prices; few differ, and most rows ask for the same."""
        stay = np.abs(self.cost - self._by_column @ prices) * self._scale > WORTHLESS
        held = np.abs(prices) * self._scale > WORTHLESS
        key = np.packbits(np.concatenate([stay, held])).tobytes()
        face = self._faces.pop(key, None)
        if face is None:
            face = _Face(self.programme, self._point, stay, held, self._movable)
            if len(self._faces) >= FACES:
                self._faces.pop(next(iter(self._faces)))
        self._faces[key] = face  # the last one used stands last
        return face

    def _free_prices(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return a basis of what prices of tight rows can change by while every column between its bounds is worth 0.

        Rows, and their changes, shape (rows, dimensions). Rows within projects that hold no such column are left out.
        """
        between = np.flatnonzero(~self._columns_low & ~self._columns_high)
        inside = sparse.csr_matrix(self.programme.matrix[self._tight][:, between])
        kept = (np.diff(inside.indptr) > 0) | self._movable[self._tight]
        dense = inside[kept].toarray()
        if not dense.size:
            return self._tight[kept], np.eye(int(kept.sum()))
        size = np.abs(dense).max(axis=1, keepdims=True)
        size[size == 0] = 1.0
        q, r, _ = qr(dense / size, pivoting=True)
        pivots = np.abs(np.diag(r))
        rank = int((pivots > INDEPENDENT * pivots[0]).sum()) if pivots[0] else 0
        return self._tight[kept], q[:, rank:] / size

    def _is_unique(self, by_row: Vector) -> bool:
        """Whether all optimal prices give a shift the same slope, as far as the columns between their bounds say."""
        rows, free = self._loose
        return bool((np.abs(by_row[rows] @ free) <= INDEPENDENT).all())

    def _tangent(self) -> Resolving:
        """Return the programme of directions out of the optimum, rows bounded later."""
        low, high = self._columns_low, self._columns_high
        programme = Programme(
            sparse.csr_matrix(self.programme.matrix[self._tight]),
            np.full(len(self._tight), -np.inf),
            np.full(len(self._tight), np.inf),
            np.where(low, 0.0, -np.inf),
            np.where(high, 0.0, np.inf),
        )
        return Resolving(programme, self.cost)


class _Face:
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
            _room(self._point, step, *self._bounds),
            _room(activity[others], moves, self._lower[others], self._upper[others]),
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


def _room(values: Vector, moves: Vector, lower: Vector, upper: Vector) -> float:
    """Return how many times the moves can be made until a value meets a bound; inf without an end."""
    # Shifts are of size 1: less than this is what rounding leaves of nothing.
    some = np.abs(moves) > INDEPENDENT
    ends = np.where(moves > 0, upper, lower)[some]
    return float(((ends - values[some]) / moves[some]).min(initial=np.inf))


def _at(values: Vector, bounds: Vector) -> Mask:
    """Return where values stand at their bounds."""
    with np.errstate(invalid="ignore"):
        return np.isfinite(bounds) & (np.abs(values - bounds) <= AT_BOUND * np.maximum(1.0, np.abs(bounds)))
