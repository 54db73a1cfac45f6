"""A linear programme that is solved again and again with other bounds, each time from the basis of the last."""

from __future__ import annotations

import highspy
import numpy as np
import numpy.typing as npt
from scipy import sparse

from optalloc.solve.arrays import Programme, Vector
from optalloc.solve.solvers.highs import _check, _loaded, _set

#: Iterations after which a run is given up: re-solves take a few dozen.
ITERATIONS = 50_000

#: What a run can end with that says nothing about the programme.
_WITHOUT_MEANING = (highspy.HighsModelStatus.kUnknown, highspy.HighsModelStatus.kUnboundedOrInfeasible)

_Positions = npt.NDArray[np.int64]


class Resolving:
    """Maximise `cost` over arrays with integrality left out, again and again.

    Runs take milliseconds to a second and are not told to anybody: ask the watch between them.

    Raises:
        SolverError: HiGHS refused a call.
    """

    def __init__(self, arrays: Programme, cost: Vector, *, scale: float | None = None) -> None:
        """Take a programme over; `scale` is what makes a typical cost about 1, where those here do not say it."""
        self._solver, self._scale = _loaded(arrays, cost, None, scale=scale)
        self.columns = len(cost)
        # Presolve forgets the basis, and a few changed bounds are soon mended by the dual simplex.
        _set(self._solver, "presolve", "off")
        _set(self._solver, "simplex_iteration_limit", ITERATIONS)

    def add_rows(self, count: int) -> None:
        """Add rows without entries or bounds below those that are there."""
        free, none = np.full(count, np.inf), np.zeros(0, dtype=np.int32)
        status = self._solver.addRows(count, -free, free, 0, np.zeros(count, dtype=np.int32), none, np.zeros(0))
        _check(status, "addRows")

    def add_columns(self, matrix: sparse.csc_matrix, cost: Vector, lower: Vector, upper: Vector) -> None:
        """Add columns behind those that are there, shape (rows so far, columns)."""
        status = self._solver.addCols(
            len(cost),
            -self._scale * cost,
            lower,
            upper,
            matrix.nnz,
            _short(matrix.indptr[:-1]),
            _short(matrix.indices),
            matrix.data,
        )
        _check(status, "addCols")
        self.columns += len(cost)

    def bound_columns(self, columns: _Positions, lower: Vector, upper: Vector) -> None:
        """Give some columns other bounds."""
        status = self._solver.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper)
        _check(status, "changeColsBounds")

    def bound_rows(self, rows: _Positions, lower: Vector, upper: Vector) -> None:
        """Give some rows other bounds."""
        _check(self._solver.changeRowsBounds(len(rows), rows.astype(np.int32), lower, upper), "changeRowsBounds")

    def price_columns(self, columns: _Positions, cost: Vector) -> None:
        """Give some columns another cost."""
        scaled = -self._scale * cost
        _check(self._solver.changeColsCost(len(columns), columns.astype(np.int32), scaled), "changeColsCost")

    def change_column(self, column: int, rows: _Positions, coefficients: Vector) -> None:
        """Give a column other coefficients in some rows."""
        for row, coefficient in zip(rows.tolist(), coefficients.tolist(), strict=True):
            _check(self._solver.changeCoeff(row, column, coefficient), "changeCoeff")

    def solve(self) -> float | None:
        """Return the optimum; None where there is none, or none was found in `ITERATIONS`."""
        _check(self._solver.run(), "run")
        if self._solver.getModelStatus() in _WITHOUT_MEANING:
            # An unbounded programme can end so from the last basis, and not from none.
            _check(self._solver.clearSolver(), "clearSolver")
            _check(self._solver.run(), "run")
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return float(-self._solver.getInfo().objective_function_value / self._scale)

    def is_unbounded(self) -> bool:
        """Whether the last run ended because there is no end to the objective."""
        return bool(self._solver.getModelStatus() == highspy.HighsModelStatus.kUnbounded)

    def is_infeasible(self) -> bool:
        """Whether the last run ended because no point keeps all bounds."""
        return bool(self._solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible)

    def dual_ray(self) -> Vector | None:
        """Return a certificate that no point keeps all bounds, shape (rows,); None without one."""
        status, exists, ray = self._solver.getDualRay()
        _check(status, "getDualRay")
        return np.array(ray) if exists and np.any(ray) else None

    def point(self) -> Vector:
        """Return the last solution, shape (columns,)."""
        return np.array(self._solver.getSolution().col_value)

    def duals(self) -> tuple[Vector, Vector]:
        """Return the rows' duals and the columns' reduced costs, as derivatives of the maximised objective."""
        solution = self._solver.getSolution()
        return -np.array(solution.row_dual) / self._scale, -np.array(solution.col_dual) / self._scale

    def is_basic(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return which columns and which rows are in the last basis; without one none are."""
        found = np.zeros(self.columns + int(self._solver.getNumRow()), dtype=np.bool_)
        # HiGHS solves a programme without entries without a basis, and crashes when it is asked for one (1.16).
        if self._solver.getNumNz():
            found[self.basic()] = True
        return found[: self.columns], found[self.columns :]

    def basic(self) -> _Positions:
        """Return the basic variable of each row: columns by position, row i as `columns` + i."""
        status, variables = self._solver.getBasicVariables()
        _check(status, "getBasicVariables")
        found = np.array(variables, dtype=np.int64)
        return np.where(found >= 0, found, self.columns - 1 - found)


def _short(numbers: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
    return numbers.astype(np.int32)
