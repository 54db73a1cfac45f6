"""A linear programme in units that suit its numbers, so that what counts as nothing is the same everywhere.

Where awards are whole steps of single yuan, a column counts hundreds of millions and is worth next to nothing a step: a
reduced cost that decides would drown in the solver's tolerance. Here a column counts in parts of its range, and a row
in parts of its largest coefficient; factors are powers of two, so that no digit is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from optalloc.solve.arrays import IntegerProgramme, Programme, Vector


@dataclass(frozen=True)
class Evened:
    """The programme and its cost: x = columns · x', and a row's price is rows · its price here.

    Shapes: `columns` (columns,), `rows` (rows,).
    """

    programme: Programme
    cost: Vector
    columns: Vector
    rows: Vector


def evened(programme: Programme, cost: Vector) -> Evened:
    """Return a programme in units that suit it."""
    span = programme.column_upper - programme.column_lower
    columns = _power_of_two(np.where(np.isfinite(span), span, 0.0))
    matrix = sparse.csr_matrix(programme.matrix @ sparse.diags_array(columns))
    largest = np.asarray(abs(matrix).max(axis=1).todense()).reshape(-1) if matrix.nnz else np.zeros(matrix.shape[0])
    rows = 1.0 / _power_of_two(largest)
    return Evened(
        Programme(
            sparse.csr_matrix(sparse.diags_array(rows) @ matrix),
            programme.row_lower * rows,
            programme.row_upper * rows,
            programme.column_lower / columns,
            programme.column_upper / columns,
        ),
        cost * columns,
        columns,
        rows,
    )


def in_parts(arrays: IntegerProgramme, cost: Vector) -> Evened:
    """Return a programme with the columns that may take any amount in parts of their range, whole ones as they are."""
    even = evened(
        replace(arrays, column_upper=np.where(arrays.integer, arrays.column_lower, arrays.column_upper)), cost
    )
    programme = IntegerProgramme(
        even.programme.matrix,
        even.programme.row_lower,
        even.programme.row_upper,
        even.programme.column_lower,
        np.where(arrays.integer, arrays.column_upper, even.programme.column_upper),
        arrays.integer,
    )
    return replace(even, programme=programme)


def _power_of_two(sizes: Vector) -> Vector:
    """Return the powers of two nearest to some sizes, 1 for 0."""
    return np.where(sizes > 0, np.exp2(np.round(np.log2(np.where(sizes > 0, sizes, 1.0)))), 1.0)
