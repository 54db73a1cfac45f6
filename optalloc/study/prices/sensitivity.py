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
programme is needed for the slope (`directions` is the programme). Where the best direction is the only one, the points
follow it, and how far is a ratio test; else it is a programme over the columns without reduced cost alone (`face`): as
many as there are rows, or a few more. All start from the last one's basis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg import qr

from optalloc.solve.arrays import Programme, Vector
from optalloc.solve.evened import evened
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import SolverError, solve_lp
from optalloc.study.prices.directions import AT_BOUND, WORTHLESS, Corner, Direction, Directions, Positions
from optalloc.study.prices.face import INDEPENDENT, Face, room_of

#: A slope below this share of the largest term in it is 0.
NOTHING = 1e-9
#: Faces that are kept for the next question.
FACES = 8


@dataclass(frozen=True)
class Side:
    """One side of a shift: the slope by the shift's own unit, None where nothing keeps all rows on that side.

    `prices`, shape (rows,), are optimal and attain the slope, in the units of the evened programme; `direction` is the
    way the optimal points go, where one was looked for.
    """

    slope: float | None
    prices: Vector
    direction: Direction | None = None


class Sensitivity:
    """A linear programme at its optimum, ready to be asked about shifts of its rows.

    Attributes:
        value: the optimum.
        point, prices: an optimal point, shape (columns,), and prices, shape (rows,).

    Raises:
        SolverError: HiGHS refused a call, or the programme has no optimum.
    """

    def __init__(self, programme: Programme, cost: Vector, movable: Positions, watch: Watch) -> None:
        """Solve the programme; `movable` are the rows that shifts will be asked of, positions."""
        self._even = even = evened(programme, cost)
        self._movable = np.zeros(len(programme.row_lower), dtype=np.bool_)
        self._movable[movable] = True
        optimum = solve_lp(even.programme, even.cost, watch)
        if optimum.status != "optimal" or optimum.x is None or optimum.row_duals is None:
            raise SolverError(f"the linear relaxation has no optimum ({optimum.status})")
        self.value = optimum.objective
        self._corner = corner = Corner(even.programme, even.cost, optimum.x, optimum.row_duals)
        self.point, self.prices = corner.point * even.columns, corner.prices * even.rows
        self._tight = corner.low | corner.high
        self._loose = self._free_prices()
        self._directions: Directions | None = None
        self._own_face: Face | None = None
        self._faces: dict[bytes, Face] = {}

    def is_tight(self, rows: Positions) -> bool:
        """Whether one of the rows is at its bound."""
        return bool(self._tight[rows].any())

    def side(self, rows: Positions, shift: Vector) -> Side:
        """Return the slope towards a shift of some rows, shape of both (rows,)."""
        shift = shift * self._even.rows[rows]
        size = float(np.abs(shift).max(initial=0.0))
        own = self._corner.prices
        if size == 0 or not self.is_tight(rows):
            return Side(0.0, own)
        by_row = self._by_row(rows, shift / size)
        if self._is_unique(by_row):
            return Side(self._slope(rows, shift, own), own)
        if self._directions is None:
            self._directions = Directions(self._corner)
        direction = self._directions.best(by_row)
        if direction is None:
            return Side(None, own)
        return Side(self._slope(rows, shift, direction.prices), direction.prices, direction)

    def _by_row(self, rows: Positions, shift: Vector) -> Vector:
        by_row = np.zeros(len(self.prices))
        by_row[rows] = shift
        return by_row

    def _slope(self, rows: Positions, shift: Vector, prices: Vector) -> float:
        """Return the slope that prices give."""
        terms = shift * prices[rows]
        slope = float(terms.sum())
        # Money in single yuan has small prices: what counts as none goes by the size of the shift.
        size = float(np.abs(shift).max(initial=0.0))
        nothing = NOTHING * max(float(np.abs(terms).max(initial=0.0)), size / self._corner.scale)
        return 0.0 if abs(slope) <= nothing else slope

    def reach(self, rows: Positions, shift: Vector, side: Side) -> float:
        """Return how many times the shift can be made until the side's slope changes; inf without an end."""
        shift = shift * self._even.rows[rows]
        size = float(np.abs(shift).max(initial=0.0))
        if side.slope is None or size == 0:
            return np.inf
        if side.direction is not None and side.direction.staying is not None:
            along = self._along(side.direction, side.direction.staying, self._by_row(rows, shift / size))
            if along > AT_BOUND:
                return along / size
        face = self._face(side.prices)
        if len(rows) == 1 and not self.is_tight(rows):
            distance = self._distance(int(rows[0]), float(shift[0]))
            if np.isinf(distance) or face.is_point:
                return distance
        return face.furthest(rows, shift / size) / size

    def _along(self, direction: Direction, staying: Positions, by_row: Vector) -> float:
        """Return how far the optimal point can go in a direction while the rows move."""
        corner, programme = self._corner, self._corner.programme
        others = np.ones(len(by_row), dtype=np.bool_)
        others[staying] = False
        moves = (np.asarray(programme.matrix @ direction.by) - by_row)[others]
        return min(
            room_of(corner.point, direction.by, programme.column_lower, programme.column_upper),
            room_of(corner.activity[others], moves, programme.row_lower[others], programme.row_upper[others]),
        )

    def _distance(self, row: int, shift: float) -> float:
        """Return how many times a row that is not tight can be shifted until it meets the optimal point."""
        programme = self._corner.programme
        met = programme.row_lower[row] if shift > 0 else programme.row_upper[row]
        return float(abs(self._corner.activity[row] - met) / abs(shift))

    def extremes(self, coefficients: Vector) -> tuple[float, float]:
        """Return the least and the most of a sum over the columns on the optimal face; coefficients (columns,)."""
        return self._face(self._corner.prices).extremes(coefficients * self._even.columns, self._corner.point)

    def _face(self, prices: Vector) -> Face:
        """Return the face of some optimal prices; few differ, and most rows ask for the same."""
        corner = self._corner
        if prices is corner.prices and self._own_face is not None:
            return self._own_face
        stay = np.abs(corner.reduced(prices)) > WORTHLESS
        held = np.abs(prices) * corner.scale > WORTHLESS
        key = np.packbits(np.concatenate([stay, held])).tobytes()
        face = self._faces.pop(key, None)
        if face is None:
            face = Face(corner.programme, corner.point, stay, held, self._movable)
            if len(self._faces) >= FACES:
                self._faces.pop(next(iter(self._faces)))
        self._faces[key] = face  # the last one used stands last
        if prices is corner.prices:
            self._own_face = face
        return face

    def _free_prices(self) -> tuple[Positions, npt.NDArray[np.float64]]:
        """Return a basis of what prices of tight rows can change by while every column between its bounds is worth 0.

        Rows, and their changes, shape (rows, dimensions). Rows within projects that hold no such column are left out.
        """
        corner, tight = self._corner, np.flatnonzero(self._tight)
        between = np.flatnonzero(~corner.columns_low & ~corner.columns_high)
        inside = sparse.csr_matrix(corner.programme.matrix[tight][:, between])
        kept = (np.diff(inside.indptr) > 0) | self._movable[tight]
        dense = inside[kept].toarray()
        if not dense.size:
            return tight[kept], np.eye(int(kept.sum()))
        size = np.abs(dense).max(axis=1, keepdims=True)
        size[size == 0] = 1.0
        q, r, _ = qr(dense / size, pivoting=True)
        pivots = np.abs(np.diag(r))
        rank = int((pivots > INDEPENDENT * pivots[0]).sum()) if pivots[0] else 0
        return tight[kept], q[:, rank:] / size

    def _is_unique(self, by_row: Vector) -> bool:
        """Whether all optimal prices give a shift the same slope, as far as the columns between their bounds say."""
        rows, free = self._loose
        return bool((np.abs(by_row[rows] @ free) <= INDEPENDENT).all())
