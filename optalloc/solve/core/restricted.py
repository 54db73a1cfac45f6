r"""The linear programme of a few open groups, all others left at their decision, with prices held in a box.

Open projects come as moves away from their best decision (`alternatives`), linked groups with their own columns and
local rows. Rows that only say what a cell is are put into the rows that look at the cell. What is left has a row for
each source, class and rule, for open links, and for projects with several moves; the dual simplex method
solves it from nothing in some hundred steps. Columns that let a row be missed at the
price of the box's end keep its price inside the box (boxstep: R. E. Marsten, W. W. Hogan, J. W. Blankenship, Operations
Research 23, 1975).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optalloc.solve.alternatives import Alternatives
from optalloc.solve.arrays import Programme, Vector
from optalloc.solve.core.groups import Codes, Vertex
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_lp


@dataclass(frozen=True)
class Solved:
    """An optimum: prices of the coupling rows, value, by how much rows are missed, and the point, shape (columns,)."""

    y: Vector
    value: float
    missed: float
    point: Vector


class Restricted:
    """What all restricted programmes of one pricing share.

    `boxed` are the coupling rows whose prices a box holds, positions. Prices of rows that define a cell follow from
    theirs. Rows between sources alone are few and have prices of their own whatever the box. `worth` is the price of
    each boxed row at which it is worth a typical benefit to a typical project in it. `definition` are the rows that
    define a cell, `others` all others, and `others + uses · definition` is the others without cells.
    """

    def __init__(self, pricing: Pricing) -> None:
        self.pricing = pricing
        groups = pricing.groups
        self.alternatives = Alternatives(groups, pricing.project_of)
        master = sparse.csr_matrix(pricing.coupling[:, groups.master])
        holds_decision = np.diff(sparse.csr_matrix(pricing.coupling[:, groups.decision]).indptr) > 0
        self.definition, cell = self._definitions(master)
        self._cells = groups.master[cell]
        self._pivots = np.asarray(master[self.definition, cell]).ravel()
        self.others = np.setdiff1d(np.arange(master.shape[0]), self.definition)
        looking = sparse.csr_matrix(master[self.others][:, cell])
        self.uses = sparse.csr_matrix(looking @ sparse.diags(-1.0 / self._pivots))
        about_projects = holds_decision[self.others] | (np.diff(looking.indptr) > 0)
        self.boxed = self.others[about_projects]
        self._boxed_uses = abs(self.uses[about_projects])
        self._boxed_number = np.flatnonzero(about_projects)
        self._by_column = abs(pricing.by_column)
        self.worth = self._worth()
        self._payments = np.setdiff1d(groups.master, self._cells)
        linked = groups.columns_of(groups.linked).astype(np.float64)
        self._tied = groups.local[abs(pricing.arrays.matrix[groups.local]) @ linked > 0]
        self._tied_by_column = sparse.csr_matrix(pricing.arrays.matrix[self._tied].T)

    def _definitions(self, master: sparse.csr_matrix) -> tuple[Codes, Codes]:
        """Return the rows that define a cell, and its number among the columns that are no decision."""
        pricing, columns = self.pricing, self.pricing.groups.master
        free = np.isinf(pricing.arrays.column_lower[columns]) & np.isinf(pricing.arrays.column_upper[columns])
        free &= pricing.cost[columns] == 0
        rows = np.flatnonzero((np.diff(master.indptr) == 1) & (pricing.lower == pricing.upper))
        cell = master.indices[master.indptr[rows]]
        rows, cell = rows[free[cell]], cell[free[cell]]
        cell, first = np.unique(cell, return_index=True)
        return rows[first], cell.astype(np.int64)

    def _worth(self) -> Vector:
        pricing, decision = self.pricing, self.pricing.groups.decision
        entries = abs(sparse.csr_matrix(pricing.coupling[:, decision]))
        entries = sparse.csr_matrix(entries @ sparse.diags(pricing.arrays.column_upper[decision]))
        total, count = np.asarray(entries.sum(axis=1)).ravel(), np.diff(entries.indptr).astype(np.float64)
        used = self._boxed_uses.copy()
        used.data[:] = 1.0
        total = total[self.boxed] + self._boxed_uses @ total[self.definition]
        count = count[self.boxed] + used @ count[self.definition]
        return np.asarray(pricing.typical * np.maximum(count, 1.0) / np.where(total > 0, total, 1.0))

    def relax(self) -> None:
        """Widen the rows of a sample that are no equalities by what chance makes of them.

        A plan of the whole round, one decision in two made, has in a sample about this much more or less in a row, two
        standard deviations. Without it tight rounds have samples without a solution, and prices that mean nothing.
        """
        pricing, decision = self.pricing, self.pricing.groups.decision
        entries = sparse.csr_matrix(pricing.coupling[:, decision] @ sparse.diags(pricing.arrays.column_upper[decision]))
        entries = sparse.csr_matrix(entries[self.others] + self.uses @ entries[self.definition])
        chance = np.zeros(len(pricing.lower))
        chance[self.others] = np.sqrt(np.asarray(entries.multiply(entries).sum(axis=1)).ravel())
        chance[pricing.lower == pricing.upper] = 0.0
        pricing.lower, pricing.upper = pricing.lower - chance, pricing.upper + chance

    def change(self, unit: Vector) -> Vector:
        """Return how far the reduced cost of each column can move when the boxed prices move by `unit`."""
        rows = np.zeros(len(self.pricing.lower))
        rows[self.boxed] = unit
        rows[self.definition] = self._boxed_uses.T @ unit
        return np.asarray(self._by_column @ rows)

    def solve(self, vertex: Vertex, opened: Codes, low: Vector, high: Vector, watch: Watch) -> Solved | None:
        """Solve the programme round a vertex with decisions `opened` (numbers of `alternatives`, each once) allowed and
        the boxed prices between `low` and `high`.

        None where there is no solution or no time was left.
        """
        pricing = self.pricing
        arrays, groups = pricing.arrays, pricing.groups
        project = self.alternatives.project[opened]
        linked = np.zeros(groups.projects, dtype=np.bool_)
        linked[project[groups.linked[project]]] = True
        own = np.flatnonzero(groups.columns_of(groups.whole(linked)))
        alone = ~groups.linked[project]
        project = project[alone]
        base = vertex.x.copy()
        base[own] = 0.0
        # x = base + moves' · shares: of decisions, then of columns as they are.
        plain = np.concatenate([own, self._payments])
        shape = (len(plain), groups.columns)
        as_they_are = sparse.csr_matrix((np.ones(len(plain)), plain, np.arange(len(plain) + 1)), shape=shape)
        moves = sparse.csr_matrix(
            sparse.vstack([self.alternatives.moves(opened[alone], vertex), as_they_are], format="csr")
        )
        at_base = pricing.coupling @ base
        coupling = sparse.csr_matrix((moves @ pricing.by_column).T)
        defined = coupling[self.definition]
        top = sparse.csr_matrix(coupling[self.others] + self.uses @ defined)
        top.eliminate_zeros()  # a move from one choice to another changes few rows
        shift = at_base[self.others] + self.uses @ (at_base[self.definition] - pricing.lower[self.definition])
        slack, slack_cost = self._slack(low, high)
        one_each = self._one_each(project, moves.shape[0])
        tied = sparse.csr_matrix((moves @ self._tied_by_column).T)
        needed = np.diff(tied.indptr) > 0
        rows = self._tied[needed]
        ones = one_each.shape[0]
        widened = sparse.vstack([one_each, tied[needed]], format="csr")
        widened.resize((widened.shape[0], moves.shape[0] + slack.shape[1]))
        programme = Programme(
            matrix=sparse.csr_matrix(sparse.vstack([sparse.hstack([top, slack]), widened])),
            row_lower=np.concatenate(
                [pricing.lower[self.others] - shift, np.full(ones, -np.inf), arrays.row_lower[rows]]
            ),
            row_upper=np.concatenate([pricing.upper[self.others] - shift, np.ones(ones), arrays.row_upper[rows]]),
            column_lower=np.concatenate([np.zeros(len(project)), arrays.column_lower[plain], np.zeros(slack.shape[1])]),
            column_upper=np.concatenate(
                [np.ones(len(project)), arrays.column_upper[plain], np.full(slack.shape[1], np.inf)]
            ),
        )
        # Presolve takes longer than the simplex method on so few rows.
        outcome = solve_lp(programme, np.concatenate([moves @ pricing.cost, slack_cost]), watch, presolve=False)
        if outcome.x is None or outcome.row_duals is None:
            return None
        y = np.zeros(len(pricing.lower))
        y[self.others] = outcome.row_duals[: len(self.others)]
        y[self.definition] = self.uses.T @ y[self.others]
        shares, missed = outcome.x[: moves.shape[0]], outcome.x[moves.shape[0] :]
        point = base + moves.T @ shares
        point[self._cells] = (pricing.lower - at_base - coupling @ shares)[self.definition] / self._pivots
        return Solved(y, outcome.objective + float(pricing.cost @ base), float(missed.sum()), point)

    def _slack(self, low: Vector, high: Vector) -> tuple[sparse.csr_matrix, Vector]:
        """Return columns by which boxed rows are missed, above at the price `high`, below at `low`, and their cost."""
        upper, lower = self.pricing.upper[self.boxed], self.pricing.lower[self.boxed]
        above = np.flatnonzero(np.isfinite(upper) | (high < 0))
        below = np.flatnonzero(np.isfinite(lower) | (low > 0))
        rows = self._boxed_number[np.concatenate([above, below])]
        signs = np.concatenate([-np.ones(len(above)), np.ones(len(below))])
        shape = (len(self.others), len(rows))
        columns = sparse.csr_matrix((signs, (rows, np.arange(len(rows)))), shape=shape)
        return columns, np.concatenate([-high[above], low[below]])

    def _one_each(self, project: Codes, columns: int) -> sparse.csr_matrix:
        """Return a row for each project with several moves: it can make one of them altogether."""
        several = np.bincount(project, minlength=self.pricing.groups.projects) > 1
        number = np.cumsum(several) - 1
        moves = np.flatnonzero(several[project])
        shape = (int(several.sum()), columns)
        return sparse.csr_matrix((np.ones(len(moves)), (number[project[moves]], moves)), shape=shape)
