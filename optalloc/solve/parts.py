"""A programme on some of its columns, all others left where they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from optalloc.solve.arrays import Arrays, Vector
from optalloc.solve.core.groups import Codes, Mask

#: Rows missed by more than this share of what they hold are missed.
MISSED = 1e-6


@dataclass(frozen=True)
class Part:
    """A programme on some of its columns, the others left at given values. `rows` are those that are still needed:

    that have a column left, or that the others miss by themselves, so that the part has no solution.
    """

    arrays: Arrays
    columns: Codes
    rows: Codes
    outside: Vector

    @classmethod
    def of(cls, arrays: Arrays, inside: Mask, point: Vector, *, sample: bool = False) -> Part:
        """Keep the columns `inside`; all others stand at `point`. Shapes (columns,).

        In a sample the others are not there, so that they miss nothing.
        """
        columns = np.flatnonzero(inside)
        outside = np.where(inside, 0.0, point)
        matrix = sparse.csr_matrix(arrays.matrix[:, columns])
        needed = np.diff(matrix.indptr) > 0
        activity = arrays.matrix @ outside
        if not sample:
            allowed = MISSED * np.maximum(1.0, np.abs(activity))
            needed |= (activity < arrays.row_lower - allowed) | (activity > arrays.row_upper + allowed)
        rows = np.flatnonzero(needed)
        number = np.full(len(inside), -1, dtype=np.int64)
        number[columns] = np.arange(len(columns))
        part = replace(
            arrays,
            matrix=sparse.csr_matrix(matrix[rows]),
            row_lower=(arrays.row_lower - activity)[rows],
            row_upper=(arrays.row_upper - activity)[rows],
            column_lower=arrays.column_lower[columns],
            column_upper=arrays.column_upper[columns],
            integer=arrays.integer[columns],
            levels=arrays.levels[:, columns],
            accept=np.where(arrays.accept >= 0, number[arrays.accept], -1),
            extra=np.where(arrays.extra >= 0, number[arrays.extra], -1),
            decision=arrays.decision[columns],
            local=arrays.local[rows],
            row_names=(),
            column_names=(),
        )
        return cls(part, columns, rows, outside)

    def whole(self, x: Vector) -> Vector:
        """Return a point of the part as a point of the whole programme, shape (columns,)."""
        point = self.outside.copy()
        point[self.columns] = x
        return point


@dataclass(frozen=True)
class Slim:
    """A programme without its cells. `columns` and `rows` say which of the programme's it still has."""

    arrays: Arrays
    cost: Vector
    columns: Mask
    rows: Mask

    def widened(self, x: Vector) -> Vector:
        """Return a point with the cells at 0, shape (the programme's columns,)."""
        point = np.zeros(len(self.columns))
        point[self.columns] = x
        return point


def without_cells(arrays: Arrays, cost: Vector) -> Slim:
    """Return a programme without the columns that one equality defines.

    Cells make a formulation readable and its matrix thin where projects are many. A programme over a few hundred
    projects is smaller with the sums put in their place. Only free columns of no cost go.
    """
    matrix = sparse.csr_matrix(arrays.matrix)
    rows, columns = matrix.shape
    entry_row = np.repeat(np.arange(rows), np.diff(matrix.indptr))
    free = ~arrays.decision & np.isinf(arrays.column_lower) & np.isinf(arrays.column_upper)
    free &= ~arrays.integer & (arrays.levels == 0).all(axis=0)
    count = np.bincount(entry_row[~arrays.decision[matrix.indices]], minlength=rows)
    defining = (count == 1) & (arrays.row_lower == arrays.row_upper)
    pivots = np.flatnonzero(free[matrix.indices] & defining[entry_row])
    pivots = pivots[np.unique(matrix.indices[pivots], return_index=True)[1]]
    defined, by = matrix.indices[pivots], entry_row[pivots]
    stays = np.ones(columns, dtype=np.bool_)
    stays[defined] = False
    others = np.ones(rows, dtype=np.bool_)
    others[by] = False
    # cell = (right side - the rest of its row) / its coefficient, put into every other row that has it.
    uses = sparse.csr_matrix(matrix[others][:, defined] @ sparse.diags(1.0 / matrix.data[pivots]))
    reduced = sparse.csr_matrix(matrix[others][:, stays] - uses @ matrix[by][:, stays])
    reduced.eliminate_zeros()
    shift = uses @ arrays.row_lower[by]
    number = np.cumsum(stays) - 1
    slim = replace(
        arrays,
        matrix=reduced,
        row_lower=arrays.row_lower[others] - shift,
        row_upper=arrays.row_upper[others] - shift,
        column_lower=arrays.column_lower[stays],
        column_upper=arrays.column_upper[stays],
        integer=arrays.integer[stays],
        levels=arrays.levels[:, stays],
        accept=np.where(arrays.accept >= 0, number[arrays.accept], -1),
        extra=np.where(arrays.extra >= 0, number[arrays.extra], -1),
        decision=arrays.decision[stays],
        local=arrays.local[others],
        row_names=(),
        column_names=(),
    )
    return Slim(slim, cost[stays], stays, others)
