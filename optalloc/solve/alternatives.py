r"""What projects may do instead of their best decision, as columns of a linear programme.

A project alone has few decisions that can be best: nothing, a choice at its least award, a choice at its full award.
Their convex hull is the project's part of the linear programme. Written as shares λ of moves away from the best
decision,

    x = best + Σ_k λ_k (decision_k - best),   Σ_k λ_k ≤ 1,   λ ≥ 0,

it needs no local row, and no row at all where only one other decision counts. Near some prices hardly any does:
decision k becomes better than the best one, behind which it is by a loss, only where the prices move so far that they
make up the loss.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from optalloc.solve.arrays import Vector
from optalloc.solve.core.groups import Codes, Groups, Mask, Vertex


class Alternatives:
    """The decisions of all projects under numbers.

    With U choices and P projects, u is choice u at its least award, U + u at its full award, 2U + p that project p does
    nothing. Of a project that links tie to others only the last is used, and stands for whatever its group may do.

    `project` is the project of each number, shape (2U + P,).
    """

    def __init__(self, groups: Groups, project_of: Codes) -> None:
        self._groups = groups
        self._units = len(project_of)
        self.project: Codes = np.concatenate([project_of, project_of, np.arange(groups.projects)])
        alone = ~groups.linked[project_of]
        self._possible: Mask = np.concatenate(
            [
                groups.allowed & alone,
                groups.allowed & alone & (groups.extra_range > 0),
                ~(groups.must | groups.free) | groups.linked,
            ]
        )

    def best(self, vertex: Vertex) -> Codes:
        """Return the number of each project's decision in a vertex, shape (projects,)."""
        groups, chosen = self._groups, vertex.chosen
        extra = groups.arrays.extra[chosen]
        full = (extra >= 0) & (groups.extra_range[chosen] > 0) & (vertex.x[extra] > 0)
        number: Codes = np.where(full, self._units + chosen, chosen)
        number[chosen < 0] = 2 * self._units + np.flatnonzero(chosen < 0)
        number[groups.linked] = 2 * self._units + np.flatnonzero(groups.linked)
        return number

    def all_but_best(self, vertex: Vertex) -> Codes:
        """Return every number that is not a project's decision in a vertex; of linked groups, all."""
        other = self._possible.copy()
        other[self.best(vertex)[~self._groups.linked]] = False
        return np.flatnonzero(other)

    def changed(self, before: Vertex, after: Vertex) -> Codes:
        """Return the decisions in `after` of all groups that decided otherwise in `before`."""
        groups = self._groups
        number = self.best(after)
        otherwise = number != self.best(before)
        columns = np.flatnonzero(np.abs(after.x - before.x) > 1e-9)
        projects = groups.project_of_column[columns]
        projects = projects[projects >= 0]
        otherwise[projects[groups.linked[projects]]] = True
        wrong: Codes = number[otherwise]
        return wrong

    def distance(self, vertex: Vertex, reduced: Vector, change: Vector) -> Vector:
        """Return how many times `change` the prices must at least move until each number can be best, shape (2U + P,).

        `change` is how far the reduced cost of each column may move, shape (columns,).
        """
        groups, units = self._groups, self._units
        accept = groups.least_worth(reduced)
        reach = np.where(groups.arrays.accept >= 0, change[groups.arrays.accept], 0.0)
        more, more_reach = groups.most_extra_worth(reduced), groups.most_extra_worth(change)
        worth = np.concatenate([accept, accept + more, np.zeros(groups.projects)])
        reaches = np.concatenate([reach, reach + more_reach, np.zeros(groups.projects)])
        best = self.best(vertex)
        loss = worth[best][self.project] - worth
        moved = reaches[best][self.project] + reaches
        # Between two awards of one choice only the award moves.
        awarding = best[(best < 2 * units) & (groups.extra_range[best % units] > 0)]
        other = np.where(awarding < units, awarding + units, awarding - units)
        moved[other] = more_reach[awarding % units]
        linked = np.flatnonzero(groups.linked)
        loss[2 * units + linked] = np.minimum(vertex.margin, vertex.award_margin)[linked]
        moved[2 * units + linked] = 2 * np.maximum.reduceat(reach + more_reach, groups.first_unit)[linked]
        distance: Vector = np.maximum(loss, 0.0) / np.maximum(moved, 1e-300)
        distance[~self._possible] = np.inf
        distance[best[~groups.linked]] = np.inf
        return distance

    def moves(self, numbers: Codes, vertex: Vertex) -> sparse.csr_matrix:
        """Return decision_k - best of each number, shape (numbers, columns)."""
        wanted, left = self._decisions(numbers), self._decisions(self.best(vertex)[self.project[numbers]])
        return sparse.csr_matrix(wanted - left)

    def _decisions(self, numbers: Codes) -> sparse.csr_matrix:
        groups, units = self._groups, self._units
        unit = numbers % units
        some = numbers < 2 * units
        accept, extra = groups.arrays.accept[unit], groups.arrays.extra[unit]
        accepts = np.flatnonzero(some & (accept >= 0))
        awards = np.flatnonzero(some & (numbers >= units) & (extra >= 0))
        return sparse.csr_matrix(
            (
                np.concatenate([np.ones(len(accepts)), groups.extra_range[unit[awards]]]),
                (np.concatenate([accepts, awards]), np.concatenate([accept[accepts], extra[awards]])),
            ),
            shape=(len(numbers), groups.columns),
        )
