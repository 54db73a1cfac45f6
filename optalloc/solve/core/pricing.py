"""A programme and one objective, ready to be priced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from optalloc.solve.arrays import Arrays, Vector
from optalloc.solve.core.groups import Codes, Groups, Vertex
from optalloc.solve.parts import Part


class Pricing:
    """A programme and one objective, ready to be priced: value, decisions and margins at any prices."""

    def __init__(self, arrays: Arrays, cost: Vector, project_of: Codes) -> None:
        self.arrays, self.cost = arrays, cost
        self.groups = Groups(arrays, project_of)
        self.project_of = project_of
        matrix = sparse.csr_matrix(arrays.matrix)
        self.coupling = sparse.csr_matrix(matrix[self.groups.coupling])
        self.by_column = sparse.csr_matrix(self.coupling.T)
        self.lower = arrays.row_lower[self.groups.coupling]
        self.upper = arrays.row_upper[self.groups.coupling]
        sizes = np.abs(cost[cost != 0])
        #: A typical project's benefit.
        self.typical = float(np.median(sizes)) if len(sizes) else 1.0

    def at(self, y: Vector) -> tuple[float, Vertex, Vector]:
        """Return L(y), the groups' best decisions and the reduced costs, shape (columns,)."""
        reduced = self.cost - self.by_column @ y
        vertex = self.groups.best(reduced)
        sides = np.where(y > 0, self.upper, self.lower)
        bound = float(y[y != 0] @ sides[y != 0])
        master = self.groups.master
        gain = reduced[master]
        ends = np.where(gain > 0, self.arrays.column_upper[master], self.arrays.column_lower[master])
        # Free columns have reduced cost 0 at a dual solution, up to the solver's tolerance.
        finite = (gain != 0) & np.isfinite(ends)
        return bound + vertex.value + float(gain[finite] @ ends[finite]), vertex, reduced

    def sample(self, one_in: int) -> tuple[Pricing, Codes]:
        """Return the programme of one group in so many, bounds scaled down, and which coupling rows its own are."""
        labels = self.groups.group_labels()
        kept = _scattered(labels) % one_in == 0
        share = float(kept.mean())
        inside = self.groups.columns_of(kept)
        inside[self.groups.master] = True
        part = Part.of(self.arrays, inside, np.zeros(len(inside)), sample=True)
        scaled = part.arrays
        coupling = np.ones(len(self.arrays.row_lower), dtype=np.bool_)
        coupling[self.groups.local] = False
        factor = np.where(coupling[part.rows], share, 1.0)
        units = kept[self.project_of]
        arrays = replace(
            scaled,
            row_lower=scaled.row_lower * factor,
            row_upper=scaled.row_upper * factor,
            accept=scaled.accept[units],
            extra=scaled.extra[units],
            # Links that are priced here are priced in the sample, where their bounds say nothing about a group.
            local=~coupling[part.rows],
            decision=self.groups.decision[inside],
        )
        project_of = np.unique(self.project_of[units], return_inverse=True)[1].astype(np.int64)
        sample = Pricing(arrays, self.cost[inside], project_of)
        # Rows without a column in the sample are not in it.
        return sample, np.searchsorted(self.groups.coupling, part.rows[sample.groups.coupling])


def _scattered(labels: Codes) -> Codes:
    """Return the labels mixed by a fixed hash (the finaliser of MurmurHash3), the same on every machine."""
    x = labels.astype(np.uint64)
    for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)):
        x ^= x >> np.uint64(shift)
        x *= np.uint64(factor)
    x ^= x >> np.uint64(33)
    return (x >> np.uint64(1)).astype(np.int64)
