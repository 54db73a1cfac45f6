r"""The best plan of a round that differs a little from a solved one, found from the plan of that one.

Two independent searches end a gap apart, which is more than most changes of a bound are worth. So the moved round is
searched near the plan at hand: by swaps that mend what it misses now and use what has become free, and, where that
does not come as near to the moved round's bound as the plan is to its own, by deciding anew the projects of smallest
margin at the moved round's own prices and those of the rows that moved, all others left as they are.

The bound is the moved round's own, by weak duality at its own prices. Everything is counted, nothing timed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import sparse

from integrated_fund.evaluation import Decision
from integrated_fund.fund import Fund
from optalloc.solve.arrays import Arrays, Vector
from optalloc.solve.core.cores import CoreSearch
from optalloc.solve.core.groups import Mask
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.core.sifting import prices_at
from optalloc.solve.core.tight import TightSearch
from optalloc.solve.direct import LINEAR
from optalloc.solve.exactness import Held
from optalloc.solve.progress import Watch
from optalloc.solve.record import Found, Record
from optalloc.solve.solvers.highs import solve_lp
from optalloc.study.prices.levers import Positions

#: Projects of smallest margin that are decided anew, of all and of the rows that moved. 250 and 60 take twice the time
#: and find no more: of 13 moves of a tight round of 2,400 projects each was better in as many.
NEAREST = 150
OF_THE_ROWS = 40
NODES = 5
#: The gap to which the neighbourhood is solved.
CLOSE = 1e-5
#: A plan counts as near as another if it is this much further away at most, and where it is this near, relatively.
NEARLY = 1.5
CLOSEST = 1e-6


@dataclass(frozen=True)
class Near:
    """Where a search begins: a plan, and the rows that moved, positions in the arrays. Without a plan it begins where
    the moved round's prices lead to: what is far from every known plan is sooner found from there. `branches` says
    whether projects are decided anew where swaps have not come near. `relaxed` is the solution of the moved round's
    linear relaxation where that is known: its point, shape (columns,), and its prices, shape (rows,).
    """

    start: Decision | None
    rows: Positions
    branches: bool = True
    relaxed: tuple[Vector, Vector] | None = None


def as_near(value: Fraction, bound: Fraction | None, gap: float) -> float:
    """Return the relative gap at which a moved round's plan is as near to its bound as a plan of this value; `gap`
    where that says nothing.
    """
    return max(NEARLY * float(bound / value - 1), CLOSEST) if bound is not None and value > 0 else gap


def search_near(
    fund: Fund, arrays: Arrays, level: int, held: tuple[Held, ...], gap: float, watch: Watch, near: Near
) -> Found:
    """Search a moved round near the plan of the round it was moved from, until the relative gap is as asked.

    Raises:
        NoState, OwnBounds: the round's groups cannot be priced.
        SolverError: the solver failed.
    """
    record = Record(fund, arrays, level, held, gap, watch)
    if near.start is not None:
        record.consider(record.judged(near.start))
    pricing = Pricing(record.base, record.cost, fund.ledger.project_of)
    relaxed = near.relaxed
    if relaxed is None:
        outcome = solve_lp(record.base, record.cost, watch)
        if outcome.status == "infeasible":  # presolve has called feasible programmes infeasible before
            outcome = solve_lp(record.base, record.cost, watch, presolve=False)
            if outcome.status == "infeasible":
                return record.found(infeasible=True)
        if outcome.x is None or outcome.row_duals is None:
            return record.found()
        relaxed = outcome.x, outcome.row_duals
    solved, duals = relaxed
    prices = prices_at(pricing, duals[pricing.groups.coupling], solved)
    record.bounded(prices.bound, LINEAR)
    search = CoreSearch(record, pricing, prices)
    point = None if near.start is None else search.point_at(near.start)
    if not record.closed:
        TightSearch(search, point).visit()
    if near.branches and not record.closed and not watch.must_stop():
        base = search.plan() if record.best is not None else prices.vertex.x if point is None else point
        search.solve(_neighbourhood(search, near), base, NODES, gap=CLOSE, target=None)
    return record.found()


def _neighbourhood(search: CoreSearch, near: Near) -> Mask:
    """Return the projects that are decided anew, whole groups, shape (projects,)."""
    inside = np.zeros(len(search.margin), dtype=np.bool_)
    inside[search.order[:NEAREST]] = True
    of_rows = search.order[_projects_of(search, near.rows)[search.order]]
    inside[of_rows[:OF_THE_ROWS]] = True
    return search.pricing.groups.whole(inside)


def _projects_of(search: CoreSearch, rows: Positions) -> Mask:
    """Return the projects that some rows look at, cells between them included, shape (projects,)."""
    arrays, groups = search.record.base, search.pricing.groups
    columns = np.zeros(len(arrays.column_lower), dtype=np.bool_)
    columns[arrays.matrix[rows].indices] = True
    cells = np.flatnonzero(columns & ~groups.decision)
    defining = np.flatnonzero(np.diff(sparse.csr_matrix(arrays.matrix[:, cells]).indptr))
    defining = defining[arrays.row_lower[defining] == arrays.row_upper[defining]]
    columns[arrays.matrix[defining].indices] = True
    projects = groups.project_of_column[np.flatnonzero(columns)]
    found = np.zeros(len(search.margin), dtype=np.bool_)
    found[projects[projects >= 0]] = True
    return found
