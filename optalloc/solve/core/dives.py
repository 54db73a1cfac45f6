"""Whole acceptances down the linear programme: one part of them rounded after the other.

The linear programme of a core is solved with its rows elastic. The columns nearest to a whole number are rounded and
held, the rest is solved again from the last basis, until few are left in between; these are rounded all at once
(diving: L. A. Wolsey, Integer Programming, 1998, section 12.5). There is one fractional column for each binding row at
most, but each rounding makes another one fractional as long as there is a choice: that is what keeps the rows. A part
that leaves no solution is rounded in smaller parts, and one column alone the other way.
"""

from __future__ import annotations

import numpy as np

from optalloc.solve.arrays import Programme, Vector
from optalloc.solve.core.groups import Codes
from optalloc.solve.elastic import Elastic
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.resolving import Resolving

#: Of the fractional acceptances one in so many is rounded at a time, one at least.
SHARE = 4
#: A value this near to a whole number is one.
WHOLE = 1e-6
#: So few are rounded all at once.
REST = 50


def dive(elastic: Elastic, watch: Watch, share: int = SHARE, rest: int = REST) -> Vector | None:
    """Return a point of `elastic.slim` with whole acceptances, rows missed where need be; None when told to stop.

    `share` and `rest` are those of `Dive`.

    Raises:
        SolverError: HiGHS refused a call.
    """
    arrays = elastic.slim.arrays
    size = len(elastic.slim.cost)
    programme, cost, _, _ = elastic.programme(np.arange(size), np.arange(len(arrays.row_lower)), drawn_in=True)
    accept = arrays.accept[arrays.accept >= 0]
    x = Dive(programme, cost, accept, watch, share, rest).down()
    return None if x is None else x[:size]


class Dive:
    """Round columns of a linear programme one after the other."""

    def __init__(
        self,
        programme: Programme,
        cost: Vector,
        whole: Codes,
        watch: Watch,
        share: int = SHARE,
        rest: int = REST,
    ) -> None:
        """`whole` are rounded: one in `share` of the fractional ones at a time, the last `rest` at once."""
        self.programme, self.whole, self.watch = programme, whole, watch
        self.share, self.rest = share, rest
        self._linear = Resolving(programme, cost)

    def down(self) -> Vector | None:
        """Return a solution with whole columns; None when told to stop, or where there is no solution.

        Raises:
            SolverError: HiGHS refused a call.
        """
        value = self._linear.solve()
        held = np.zeros(len(self.programme.column_lower), dtype=np.bool_)
        while value is not None:
            x = self._linear.point()
            nearest = np.round(x)
            distance = np.abs(x - nearest)
            between = self.whole[~held[self.whole] & (distance[self.whole] > WHOLE)]
            if not len(between):
                x[self.whole] = nearest[self.whole]
                return x
            if self.watch.must_stop():
                return None
            self.watch.tell()
            order = between[np.argsort(distance[between], kind="stable")]
            some = max(1, len(order) // self.share) if len(order) > self.rest else len(order)
            value = self._try(order[:some], nearest)
            while some > 1 and value is None:
                self._release(order[:some])
                some = max(1, some // self.share)
                value = self._try(order[:some], nearest)
            if value is None:
                value = self._other_way(order[:1], x, nearest)
            held[order[:some]] = True
        return None

    def _try(self, columns: Codes, at: Vector) -> float | None:
        self._linear.bound_columns(columns, at[columns], at[columns])
        return self._linear.solve()

    def _release(self, columns: Codes) -> None:
        self._linear.bound_columns(columns, self.programme.column_lower[columns], self.programme.column_upper[columns])

    def _other_way(self, column: Codes, x: Vector, nearest: Vector) -> float | None:
        other = nearest.copy()
        other[column] += np.where(x[column] > nearest[column], 1.0, -1.0)
        return self._try(column, other)
