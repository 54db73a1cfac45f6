r"""A core whose coupling rows may be missed at a price, so that all acceptances can be completed and compared.

Tight rounds leave no room for rounding: with a hundred binding rows hardly any choice of acceptances keeps them all.
Row r may be missed by s at the cost weight[r] · s, with

    weight[r] = WEIGHT · max(|y[r]|, FLOOR · typical benefit / typical coefficient of an acceptance in r)

so that missing a row never pays (|y[r]| is what it is worth at the prices y), and costs about alike in every row. This
serves to find plans. No bound comes from it, and only plans that miss nothing count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optalloc.solve.arrays import IntegerProgramme, Vector
from optalloc.solve.core.groups import Codes, Mask
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.parts import Part, Slim, without_cells
from optalloc.solve.record import Record

WEIGHT = 5.0
FLOOR = 0.05
#: Steps of a typical award by which rows are drawn in where many rows bind; less where fewer do, nothing with few.
MARGIN = 1.0
FEW, MANY = 40, 80


@dataclass(frozen=True)
class Elastic:
    """A core without its cells, and what it costs to miss its coupling rows.

    `rows` are the coupling rows of `slim`, `weight` what a unit missed costs, `margin` by how much a row is drawn in
    while awards may take any amount, so that rounding them to steps has some room; both of shape (coupling rows,).
    `constant` is what the columns outside the core are worth.
    """

    part: Part
    slim: Slim
    rows: Codes
    weight: Vector
    margin: Vector
    constant: float

    @classmethod
    def of(cls, record: Record, pricing: Pricing, y: Vector, inside: Mask, base: Vector) -> Elastic:
        """Return the core of the columns `inside`, all others left at `base`; `y` are prices of the coupling rows."""
        part = Part.of(record.base, inside, base)
        slim = without_cells(part.arrays, record.cost[part.columns])
        coupling = np.zeros(len(record.base.row_lower), dtype=np.bool_)
        coupling[pricing.groups.coupling] = True
        price = np.zeros(len(coupling))
        price[pricing.groups.coupling] = y
        rows = np.flatnonzero(coupling[part.rows][slim.rows])
        accept = slim.arrays.accept[slim.arrays.accept >= 0]
        matrix = sparse.csr_matrix(slim.arrays.matrix[rows])
        typical = _typical(sparse.csr_matrix(matrix[:, accept]), _typical(matrix, np.ones(len(rows))))
        worth = np.abs(price[part.rows][slim.rows][rows])
        # Rows of sources alone hold the same money: what is lacking in one year may be binding in another.
        money = np.diff(sparse.csr_matrix(matrix[:, slim.arrays.decision]).indptr) == 0
        worth[money] = worth[money].max(initial=0.0)
        weight = WEIGHT * np.maximum(worth, FLOOR * pricing.typical / typical)
        extra = slim.arrays.extra[slim.arrays.extra >= 0]
        step = _typical(sparse.csr_matrix(matrix[:, extra]), np.zeros(len(rows)))
        # The more rows bind, the more of them rounding misses.
        share = float(np.clip((np.count_nonzero(worth > 1e-9) - FEW) / (MANY - FEW), 0.0, 1.0))
        # A row that is equal on both sides, or nearly, has no room to give.
        margin = np.minimum(MARGIN * share * step, (slim.arrays.row_upper - slim.arrays.row_lower)[rows] / 4)
        return cls(part, slim, rows, weight, margin, float(record.cost @ part.outside))

    def programme(
        self, columns: Codes, rows: Codes, *, drawn_in: bool = False
    ) -> tuple[IntegerProgramme, Vector, Codes, Vector]:
        """Return some columns and rows of the core with slack columns behind them, and the cost.

        The last two say which coupling row each slack column belongs to (its place in `self.rows`), and its sign. With
        `drawn_in` the coupling rows are narrower by their margin.
        """
        arrays = self.slim.arrays
        place = np.full(len(arrays.row_lower), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        fails_below = np.flatnonzero(np.isfinite(arrays.row_lower[self.rows]))
        fails_above = np.flatnonzero(np.isfinite(arrays.row_upper[self.rows]))
        missed = np.concatenate([fails_below, fails_above])
        sign = np.concatenate([np.ones(len(fails_below)), -np.ones(len(fails_above))])
        slack = sparse.csr_matrix(
            (sign, (place[self.rows[missed]], np.arange(len(missed)))), shape=(len(rows), len(missed))
        )
        matrix = sparse.csr_matrix(sparse.hstack([arrays.matrix[rows][:, columns], slack]))
        nothing = np.zeros(len(missed))
        margin = np.zeros(len(rows))
        if drawn_in:
            margin[place[self.rows]] = self.margin
        programme = IntegerProgramme(
            matrix=matrix,
            row_lower=arrays.row_lower[rows] + margin,
            row_upper=arrays.row_upper[rows] - margin,
            column_lower=np.append(arrays.column_lower[columns], nothing),
            column_upper=np.append(arrays.column_upper[columns], nothing + np.inf),
            integer=np.append(arrays.integer[columns], nothing > 0),
        )
        return programme, np.append(self.slim.cost[columns], -self.weight[missed]), missed, sign

    def whole(self, x: Vector) -> Vector:
        """Return a point of `slim` as a point of the whole programme, cells at 0; shape (columns,)."""
        return self.part.whole(self.slim.widened(x))

    def columns(self, mask: Mask) -> Mask:
        """Return columns of `slim` as columns of the whole programme, shape (columns,)."""
        found = np.zeros(len(self.part.outside), dtype=np.bool_)
        found[self.part.columns[self.slim.columns][mask]] = True
        return found


def _typical(matrix: sparse.csr_matrix, missing: Vector) -> Vector:
    """Return the median size of each row's entries, `missing` where a row has none; shape (rows,)."""
    sizes = np.abs(matrix.data)
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((sizes, row))
    count = np.diff(matrix.indptr)
    filled = np.flatnonzero(count)
    found = missing.copy()
    found[filled] = sizes[order][matrix.indptr[filled] + count[filled] // 2]
    return found
