r"""The best direction out of an optimum, by the columns that can be in it.

    max { c·u :  (A·u)_i <= shift_i  (>=, =)  for tight rows i,  u_j >= 0 (<= 0) for columns at a bound }

Nearly all columns stand at a bound at a reduced cost that no shift turns. So the programme begins with those between
their bounds and those of the smallest reduced costs, and with the rows that hold one of them. What a direction is
found from prices the others; those it prices wrong join, with their rows, until none does (column generation:
P. C. Gilmore, R. E. Gomory, 1961). A row without a column inside keeps its price of the optimum. Where the columns
inside leave no direction, a certificate of that (J. Farkas, 1902) is held against the others in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from optalloc.solve.arrays import Programme, Vector
from optalloc.solve.solvers.highs import SolverError, scale_of
from optalloc.solve.solvers.resolving import Resolving

Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]

#: A row or column this close to its bound, relatively, stands at it: the solver's own tolerance.
AT_BOUND = 1e-7
#: A typical benefit is 1; reduced costs and prices below this are none.
WORTHLESS = 1e-7
#: Columns to begin with.
FIRST = 1000
#: A column joins with all columns of the limits that hold no more than so many: a project's choices move together.
SHORT = 16


@dataclass(frozen=True)
class Corner:
    """An optimum of a programme: its point, shape (columns,), and its prices, shape (rows,)."""

    programme: Programme
    cost: Vector
    point: Vector
    prices: Vector

    @cached_property
    def scale(self) -> float:
        """What makes a typical benefit 1."""
        return scale_of(self.cost)

    @cached_property
    def activity(self) -> Vector:
        """What the rows add up to, shape (rows,)."""
        return np.asarray(self.programme.matrix @ self.point)

    @cached_property
    def low(self) -> Mask:
        """The rows at their lower bound."""
        return at_bounds(self.activity, self.programme.row_lower)

    @cached_property
    def high(self) -> Mask:
        """The rows at their upper bound."""
        return at_bounds(self.activity, self.programme.row_upper)

    @cached_property
    def columns_low(self) -> Mask:
        """The columns at their lower bound."""
        return at_bounds(self.point, self.programme.column_lower)

    @cached_property
    def columns_high(self) -> Mask:
        """The columns at their upper bound."""
        return at_bounds(self.point, self.programme.column_upper)

    @cached_property
    def by_column(self) -> sparse.csr_matrix:
        """The matrix with a row for each column."""
        return sparse.csr_matrix(self.programme.matrix.T)

    def reduced(self, prices: Vector) -> Vector:
        """Return what columns are worth at prices, typical benefits being 1, shape (columns,)."""
        return np.asarray(self.cost - self.by_column @ prices) * self.scale


@dataclass(frozen=True)
class Direction:
    """A best direction `by`, shape (columns,), and optimal prices that attain its slope, shape (rows,).

    `staying` are the rows that hold it; None where other directions are as good.
    """

    by: Vector
    prices: Vector
    staying: Positions | None


class Directions:
    """The directions out of a corner, to be asked again and again."""

    def __init__(self, corner: Corner) -> None:
        self._corner = corner
        rows, columns = corner.programme.matrix.shape
        self._tight = corner.low | corner.high
        self._lower = np.where(corner.columns_low, 0.0, -np.inf)
        self._upper = np.where(corner.columns_high, 0.0, np.inf)
        self._rows = sparse.csr_matrix(corner.programme.matrix)
        self._short = (
            self._tight
            & (np.diff(self._rows.indptr) <= SHORT)
            & (corner.programme.row_lower < corner.programme.row_upper)
        )
        #: Positions of rows and columns in the programme of directions; -1 for those outside.
        self._row_place = np.full(rows, -1, dtype=np.int64)
        self._column_place = np.full(columns, -1, dtype=np.int64)
        self._row_at: Positions = np.zeros(0, dtype=np.int64)
        self._column_at: Positions = np.zeros(0, dtype=np.int64)
        #: The shift that each row inside is bounded by now.
        self._bounded = np.full(rows, np.nan)
        nothing = np.zeros(0)
        empty = Programme(sparse.csr_matrix((0, 0)), nothing, nothing, nothing, nothing)
        self._linear = Resolving(empty, nothing, scale=corner.scale)
        worth = np.abs(corner.reduced(corner.prices))
        near = worth <= WORTHLESS
        near[np.argsort(worth, kind="stable")[:FIRST]] = True
        self._join(near | ~(corner.columns_low | corner.columns_high))

    def best(self, shift: Vector) -> Direction | None:
        """Return the best direction towards a shift of the rows, shape (rows,); None where there is none.

        Raises:
            SolverError: HiGHS found neither a direction nor that there is none.
        """
        corner = self._corner
        moved = np.flatnonzero((shift != 0) & self._tight)
        self._join(np.zeros(len(self._column_place), dtype=np.bool_), moved)
        while True:
            self._bound(shift)
            if self._linear.solve() is not None:
                duals, reduced = self._linear.duals()
                prices = np.where(self._tight & (self._row_place < 0), corner.prices, 0.0)
                prices[self._row_at] = duals
                wanted = self._wanted(corner.reduced(prices), WORTHLESS)
                if not wanted.any():
                    return self._direction(prices, duals, reduced)
            elif self._linear.is_infeasible():
                ray = self._ray()
                wanted = self._outside() if ray is None else self._wanted(ray, AT_BOUND)
                if not wanted.any():
                    return None
            else:
                raise SolverError("no best direction out of the optimum was found")
            self._join(wanted)

    def _wanted(self, worth: Vector, least: float) -> Mask:
        """Return the columns outside that are worth moving away from their bounds, shape (columns,)."""
        gains = ((self._upper > 0) & (worth > least)) | ((self._lower < 0) & (worth < -least))
        return gains & self._outside()

    def _outside(self) -> Mask:
        return (self._column_place < 0) & (self._lower < self._upper)

    def _ray(self) -> Vector | None:
        """Return what columns do to a certificate that no direction is left, shape (columns,).

        None without one, and where it does not hold for the columns inside.
        """
        ray = self._linear.dual_ray()
        if ray is None:
            return None
        prices = np.zeros(len(self._row_place))
        prices[self._row_at] = ray / np.abs(ray).max()
        worth = np.asarray(self._corner.by_column @ prices)
        inside = self._column_place >= 0
        helps = np.where(self._upper > 0, worth, 0.0).max(where=inside, initial=0.0)
        hurts = np.where(self._lower < 0, worth, 0.0).min(where=inside, initial=0.0)
        return worth if helps <= AT_BOUND and hurts >= -AT_BOUND else None

    def _direction(self, prices: Vector, duals: Vector, reduced: Vector) -> Direction:
        corner = self._corner
        by = np.zeros(len(self._column_place))
        by[self._column_at] = self._linear.point()
        basic_columns, basic_rows = self._linear.is_basic()
        columns, rows = ~basic_columns, np.flatnonzero(~basic_rows)
        fixed = corner.programme.row_lower[self._row_at] == corner.programme.row_upper[self._row_at]
        priced = np.abs(duals) * corner.scale > WORTHLESS
        worthless = np.abs(corner.reduced(prices)) <= WORTHLESS
        unique = (
            (np.abs(reduced[columns]) * corner.scale > WORTHLESS).all()
            and (priced | fixed)[rows].all()
            and not (worthless & self._outside()).any()
        )
        return Direction(by, prices, self._row_at[rows] if unique else None)

    def _bound(self, shift: Vector) -> None:
        """Bound the rows by their shift, those whose bounds are others now."""
        corner = self._corner
        places = np.flatnonzero(shift[self._row_at] != self._bounded[self._row_at])
        rows = self._row_at[places]
        self._bounded[rows] = shift[rows]
        lower = np.where(corner.low[rows], shift[rows], -np.inf)
        upper = np.where(corner.high[rows], shift[rows], np.inf)
        self._linear.bound_rows(places, lower, upper)

    def _join(self, columns: Mask, rows: Positions | None = None) -> None:
        """Take columns and rows in, and what must move with them."""
        joins = columns & (self._column_place < 0)
        row_joins = np.zeros(len(self._row_place), dtype=np.bool_)
        if rows is not None:
            row_joins[rows] = True
            short = rows[self._short[rows]]
            joins[self._rows[short].indices] = True
            joins &= self._column_place < 0
        while True:
            found = self._corner.by_column[np.flatnonzero(joins)].indices
            row_joins[found[self._tight[found]]] = True
            short = np.flatnonzero(row_joins & self._short)
            more = np.zeros(len(joins), dtype=np.bool_)
            more[self._rows[short].indices] = True
            more &= ~joins & (self._column_place < 0)
            if not more.any():
                break
            joins |= more
        self._take(np.flatnonzero(joins), np.flatnonzero(row_joins & (self._row_place < 0)))

    def _take(self, columns: Positions, rows: Positions) -> None:
        """Add columns and rows to the programme. A row that joins holds no column inside: those brought theirs."""
        if len(rows):
            self._row_place[rows] = len(self._row_at) + np.arange(len(rows))
            self._row_at = np.concatenate([self._row_at, rows])
            self._linear.add_rows(len(rows))
        if len(columns):
            self._column_place[columns] = len(self._column_at) + np.arange(len(columns))
            self._column_at = np.concatenate([self._column_at, columns])
            matrix = sparse.csc_matrix(self._rows[self._row_at][:, columns])
            self._linear.add_columns(matrix, self._corner.cost[columns], self._lower[columns], self._upper[columns])


def at_bounds(values: Vector, bounds: Vector) -> Mask:
    """Return where values stand at their bounds."""
    with np.errstate(invalid="ignore"):
        return np.isfinite(bounds) & (np.abs(values - bounds) <= AT_BOUND * np.maximum(1.0, np.abs(bounds)))
