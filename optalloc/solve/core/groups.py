r"""Decision groups: the small pieces a round falls into once its coupling rows have prices.

A row that holds only decisions of projects (one choice of a project, an award only if accepted, a link) is local; all
others couple. At prices y of the coupling rows each project is worth what its best choice is worth, projects that
links tie together are decided together, and everything else falls apart:

    L(y) = y · right sides + Σ_{groups} max { r · x : x keeps the local rows of the group },   r = cost - y · rows

Every y gives a bound on every plan (weak duality: M. L. Fisher, The Lagrangian relaxation method for solving integer
programming problems, Management Science 27, 1981). A group is solved exactly: a project alone by comparing its
choices, linked projects by **patterns**, all combinations of their states that keep the links. Choices of one project
that no link can tell apart are one state, so the patterns of a link of four projects are a few dozen. Links that tie
too many projects together are priced like any other row.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from optalloc.solve.arrays import Arrays, Vector

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: What a choice is worth that cannot be made, in exact values.
FORBIDDEN = -(2**60)
#: Links with more patterns than this are priced instead of enumerated.
PATTERNS = 4096


class NoState(Exception):
    """Linked projects cannot keep their links, whatever is decided."""


class OwnBounds(Exception):
    """Somebody has fixed a decision, or given it bounds that groups do not know."""


@dataclass(frozen=True)
class Vertex:
    """The best decision of every group at some reduced costs.

    `x` has shape (columns,), 0 on columns that are no decision. All others are by project, shape (projects,): `chosen`
    is its choice, -1 where it has none; `margin` how much its group loses at least when its acceptance or its choice
    changes; `award_margin`: when its chosen award moves from one end to the other (inf where it cannot), `step_margin`:
    by one step.
    """

    value: float
    x: Vector
    chosen: Codes
    margin: Vector
    award_margin: Vector
    step_margin: Vector


@dataclass(frozen=True)
class _Linked:
    """The patterns of all linked groups, one after the other.

    `state_*`: a state is a project with one of its units accepted, or with none (no units). `part_*`: the states of
    each pattern, `together` what else a pattern switches on (patterns × columns).
    """

    projects: Codes
    group_of_project: Codes
    state_project: Codes
    state_size: Codes
    state_units: Codes
    part_state: Codes
    part_pattern: Codes
    part_start: Codes
    pattern_group: Codes
    group_start: Codes
    together: sparse.csr_matrix
    extra_columns: Codes
    extra_group: Codes


class Groups:
    """The groups of a programme.

    Attributes:
        coupling: rows that get prices, positions.
        local: the rows within groups, positions.
        decision: columns that belong to groups, mask; the others are `master`.
        project_of_column: by column, -1 where it belongs to no project.
        linked: which projects share a group with others, shape (projects,).
        extra_range: how far each choice's award can rise above its least, shape (choices,).
        allowed: which choices can be made, shape (choices,).
        first_unit: the first choice of each project; `must`, `free`: which projects need a choice, or have nothing to
            accept, shape (projects,).
    """

    def __init__(self, arrays: Arrays, project_of: Codes) -> None:
        self.arrays = arrays
        self.columns = len(arrays.column_lower)
        self.projects = int(project_of.max(initial=-1)) + 1
        self._accept, self._extra, self._unit_project = arrays.accept, arrays.extra, project_of
        self._has_accept, self._has_extra = arrays.accept >= 0, arrays.extra >= 0
        self.project_of_column: Codes = np.full(self.columns, -1, dtype=np.int64)
        self.project_of_column[arrays.accept[self._has_accept]] = project_of[self._has_accept]
        self.project_of_column[arrays.extra[self._has_extra]] = project_of[self._has_extra]
        self.extra_range = np.where(self._has_extra, arrays.column_upper[arrays.extra], 0.0)
        self.allowed = ~self._has_accept | (arrays.column_upper[arrays.accept] > 0.5)
        self.first_unit = np.flatnonzero(np.diff(project_of, prepend=-1))
        self.free = ~self._has_accept[self.first_unit]  # block grants: nothing to accept
        self.decision: Mask = arrays.decision.copy()
        local = arrays.local.copy()
        self.must = np.zeros(self.projects, dtype=np.bool_)
        self.linked: Mask = np.zeros(self.projects, dtype=np.bool_)
        lower, upper = arrays.column_lower[self.decision], arrays.column_upper[arrays.accept[self._has_accept]]
        if (lower != 0).any() or not np.isin(upper, (0.0, 1.0)).all():
            raise OwnBounds("decisions have bounds of their own")
        self._link_up(local)
        self.local = np.flatnonzero(local)
        self.coupling = np.flatnonzero(~local)
        self.master = np.flatnonzero(~self.decision)

    def group_labels(self) -> Codes:
        """Return a number for each project that is the same within a group, shape (projects,)."""
        labels = np.arange(self.projects, dtype=np.int64)
        if self._link is not None:
            first = np.full(len(self._link.group_start), self.projects, dtype=np.int64)
            np.minimum.at(first, self._link.group_of_project, self._link.projects)
            labels[self._link.projects] = first[self._link.group_of_project]
        return labels

    def columns_of(self, projects: Mask) -> Mask:
        """Return the columns of whole groups of projects, what links switch on included, shape (columns,)."""
        inside = (self.project_of_column >= 0) & projects[self.project_of_column]
        if self._link is not None:
            groups = np.zeros(len(self._link.group_start), dtype=np.bool_)
            groups[self._link.group_of_project[projects[self._link.projects]]] = True
            inside[self._link.extra_columns[groups[self._link.extra_group]]] = True
        return inside

    def whole(self, projects: Mask) -> Mask:
        """Return the projects of all groups that have one of the given projects."""
        if self._link is None:
            return projects
        groups = np.zeros(len(self._link.group_start), dtype=np.bool_)
        groups[self._link.group_of_project[projects[self._link.projects]]] = True
        found = projects.copy()
        found[self._link.projects[groups[self._link.group_of_project]]] = True
        return found

    def largest(self, unit: Codes, switches: Codes) -> int:
        """Return the largest total of all groups in whole numbers.

        `unit` is what each choice is worth if it is made, shape (choices,), `FORBIDDEN` where it cannot be; `switches`
        what columns that links switch on are worth, shape (columns,).

        Raises:
            OverflowError: values are too large to be compared in 64 bits.
        """
        values = self._usable(unit)
        # Awards of block grants can be 0, and so can every choice that nobody must make.
        none = np.where(self.must, FORBIDDEN, 0)
        top = np.maximum(np.maximum.reduceat(values, self.first_unit), none)
        total = 0
        if self._link is not None:
            worth = self._pattern_worth(self._link, values, switches)
            total += sum(int(best) for best in np.maximum.reduceat(worth, self._link.group_start))
            top = top[~self.linked]
        # Links that are priced, not decided whole, switch on whatever is worth it.
        loose = np.flatnonzero(self.arrays.decision & ~self.decision)
        return total + sum(int(best) for best in top) + sum(int(gain) for gain in np.maximum(switches[loose], 0))

    def either_way(self, unit: Codes, switches: Codes) -> tuple[Codes, Codes, Codes]:
        """Return what each project's group is worth at its best, with the project chosen, and without it.

        Arguments as for `largest`; all of shape (projects,), `FORBIDDEN` where that cannot be. Of a block grant, which
        has nothing to accept, all three are the best.

        Raises:
            OverflowError: values are too large to be compared in 64 bits.
        """
        values = self._usable(unit)
        chosen = np.maximum.reduceat(values, self.first_unit)
        without = np.where(self.must, FORBIDDEN, 0)
        best = np.maximum(chosen, without)
        chosen, without = np.where(self.free, best, chosen), np.where(self.free, best, without)
        link = self._link
        if link is not None:
            worth = self._pattern_worth(link, values, switches)
            best[link.projects] = np.maximum.reduceat(worth, link.group_start)[link.group_of_project]
            within = np.full(len(link.state_size), FORBIDDEN)  # the best pattern of the group that has this state
            np.maximum.at(within, link.part_state, worth[link.part_pattern])
            some = link.state_size > 0
            for found, states in ((chosen, some), (without, ~some)):
                found[link.projects] = FORBIDDEN
                np.maximum.at(found, link.state_project[states], within[states])
        return best, chosen, without

    def _usable(self, unit: Codes) -> Codes:
        """Return what choices are worth in whole numbers, `FORBIDDEN` where they cannot be made.

        Raises:
            OverflowError: values are too large to be compared in 64 bits.
        """
        values = np.where(self.allowed, unit, FORBIDDEN)
        values[~self._has_accept & (self.extra_range == 0)] = 0
        usable = values[values > FORBIDDEN]
        if len(usable) and int(np.abs(usable).max()) > 2**56:
            raise OverflowError("values of groups do not fit into 64 bits")
        return values

    def _pattern_worth(self, link: _Linked, values: Codes, switches: Codes) -> Codes:
        """Return what the patterns of linked groups are worth in whole numbers, shape (patterns,)."""
        some = link.state_size > 0
        first = np.concatenate([[0], np.cumsum(link.state_size)[:-1]])
        state = np.zeros(len(link.state_size), dtype=np.int64)
        state[some] = np.maximum.reduceat(values[link.state_units], first[some])
        forbidden = np.logical_or.reduceat(state[link.part_state] == FORBIDDEN, link.part_start)
        state[state == FORBIDDEN] = 0
        worth = np.add.reduceat(state[link.part_state], link.part_start)
        on = link.together.tocoo()
        np.add.at(worth, on.row, switches[on.col])
        worth[forbidden] = FORBIDDEN
        return np.asarray(worth, dtype=np.int64)

    def decisions(self, inside: Mask) -> tuple[Codes, sparse.csr_matrix]:
        """Return all decisions of the linked groups that have a project inside, a mask of shape (projects,).

        The group of each by its label, and the decisions as rows of 0 and 1, awards apart, of shape (decisions,
        columns). A group with more than `PATTERNS` decisions has none here.
        """
        link = self._link
        labels: list[int] = []
        rows: list[list[int]] = []
        if link is not None:
            label = self.group_labels()
            first = np.concatenate([[0], np.cumsum(link.state_size)])
            ways = np.multiply.reduceat(np.maximum(link.state_size, 1)[link.part_state], link.part_start)
            few = np.add.reduceat(ways, link.group_start) <= PATTERNS
            wanted = np.zeros(len(few), dtype=np.bool_)
            wanted[link.group_of_project[inside[link.projects]]] = True
            on = sparse.csr_matrix(link.together)
            ends = np.append(link.part_start, len(link.part_state))
            for pattern in np.flatnonzero((wanted & few)[link.pattern_group]).tolist():
                states = link.part_state[ends[pattern] : ends[pattern + 1]]
                units = [link.state_units[first[s] : first[s + 1]] for s in states.tolist() if link.state_size[s]]
                switches = on.indices[on.indptr[pattern] : on.indptr[pattern + 1]].tolist()
                for chosen in itertools.product(*units):
                    labels.append(int(label[link.state_project[states[0]]]))
                    rows.append([int(self._accept[unit]) for unit in chosen] + switches)
        start = np.cumsum([0, *(len(row) for row in rows)])
        columns = np.array([column for row in rows for column in row], dtype=np.int64)
        shape = (len(rows), self.columns)
        return np.array(labels, dtype=np.int64), sparse.csr_matrix((np.ones(len(columns)), columns, start), shape=shape)

    def switched(self, point: Vector) -> Vector:
        """Return a point with what links switch on as its acceptances have it, shape (columns,)."""
        link = self._link
        if link is None:
            return point
        unit_on = np.where(self._has_accept, point[self._accept] > 0.5, False)
        some = link.state_size > 0
        first = np.concatenate([[0], np.cumsum(link.state_size)[:-1]])
        on = np.zeros(len(link.state_size), dtype=np.bool_)
        on[some] = np.logical_or.reduceat(unit_on[link.state_units], first[some])
        chosen = np.zeros(self.projects, dtype=np.bool_)
        chosen[link.state_project[on]] = True
        on[~some] = ~chosen[link.state_project[~some]]
        pattern = np.logical_and.reduceat(on[link.part_state], link.part_start)
        full = point.copy()
        full[link.extra_columns] = 0.0
        return full + np.asarray(link.together[np.flatnonzero(pattern)].sum(axis=0)).ravel()

    def best(self, reduced: Vector) -> Vertex:
        """Return the best decision of every group at reduced costs of shape (columns,)."""
        per_extra = np.where(self._has_extra, reduced[self._extra], 0.0)
        unit = self.least_worth(reduced) + np.maximum(per_extra, 0.0) * self.extra_range
        none = np.where(self.must | self.free, -np.inf, 0.0)
        top, chosen = _best_in(unit, self.first_unit, self._unit_project)
        others = unit.copy()
        others[chosen] = -np.inf
        second = np.maximum.reduceat(others, self.first_unit)
        value = np.maximum(top, none)
        take = top > none
        margin = np.where(take, value - np.maximum(none, second), none - top)
        margin[self.free] = np.inf
        chosen = np.where(take, chosen, -1)
        x = np.zeros(self.columns)
        total = value
        linked_value = 0.0
        if self._link is not None:
            linked_value = self._best_patterns(reduced, unit, chosen, margin, x)
            total = value[~self.linked]
        units = chosen[chosen >= 0]
        accepted = self._accept[units]
        x[accepted[accepted >= 0]] = 1.0
        varying = units[self._has_extra[units]]
        raised = varying[per_extra[varying] > 0]
        x[self._extra[raised]] = self.extra_range[raised]
        award_margin = np.full(self.projects, np.inf)
        award_margin[self._unit_project[varying]] = np.abs(per_extra[varying]) * self.extra_range[varying]
        step_margin = np.full(self.projects, np.inf)
        movable = varying[self.extra_range[varying] > 0]
        step_margin[self._unit_project[movable]] = np.abs(per_extra[movable])
        return Vertex(float(total.sum()) + linked_value, x, chosen, margin, award_margin, step_margin)

    def least_worth(self, reduced: Vector) -> Vector:
        """Return what each choice is worth at its least award, -inf where it cannot be made, shape (choices,)."""
        worth = np.where(self._has_accept, reduced[self._accept], 0.0)
        worth[~self.allowed] = -np.inf
        return worth

    def most_extra_worth(self, reduced: Vector) -> Vector:
        """Return what the rest of its award adds to each choice, shape (choices,)."""
        return np.where(self._has_extra, reduced[self._extra], 0.0) * self.extra_range

    def _best_patterns(self, reduced: Vector, unit: Vector, chosen: Codes, margin: Vector, x: Vector) -> float:
        """Decide the linked groups; `chosen`, `margin` and `x` are filled in. Return what they are worth."""
        link = self._link
        assert link is not None
        state_first = np.concatenate([[0], np.cumsum(link.state_size)[:-1]])
        some = link.state_size > 0
        state_value = np.zeros(len(link.state_size))
        state_unit = np.full(len(link.state_size), -1, dtype=np.int64)
        state_of_unit = np.repeat(np.arange(int(some.sum())), link.state_size[some])
        state_value[some], best_unit = _best_in(unit[link.state_units], state_first[some], state_of_unit)
        state_unit[some] = link.state_units[best_unit]

        worth = np.add.reduceat(state_value[link.part_state], link.part_start) + link.together @ reduced
        top, best = _best_in(worth, link.group_start, link.pattern_group)
        within = np.full(len(state_value), -np.inf)  # the best pattern of the group that has this state
        np.maximum.at(within, link.part_state, worth[link.part_pattern])
        group = link.group_of_project[np.searchsorted(link.projects, link.state_project)]
        best_pattern = np.zeros(len(worth), dtype=np.bool_)
        best_pattern[best] = True
        states = link.part_state[best_pattern[link.part_pattern]]
        loss = top[group] - within
        loss[states] = np.inf
        smallest = np.full(self.projects, np.inf)
        np.minimum.at(smallest, link.state_project, loss)
        # Within the chosen state another unit may be nearly as good.
        rest = unit[link.state_units].copy()
        rest[best_unit] = -np.inf
        runner_up = np.full(len(state_value), -np.inf)
        runner_up[some] = np.maximum.reduceat(rest, state_first[some])
        kept = states[state_unit[states] >= 0]
        np.minimum.at(smallest, link.state_project[kept], state_value[kept] - runner_up[kept])
        margin[link.projects] = smallest[link.projects]
        chosen[link.projects] = -1
        chosen[link.state_project[states]] = state_unit[states]
        x += np.asarray(link.together[best].sum(axis=0)).ravel()
        return float(top.sum())

    def _link_up(self, local: Mask) -> None:
        """Find the projects that local rows tie together; rows and columns that are no group's leave `local`."""
        arrays = self.arrays
        matrix = arrays.matrix
        is_extra = np.zeros(self.columns, dtype=np.bool_)
        is_extra[arrays.extra[self._has_extra]] = True
        entry_row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        with_extra = np.zeros(matrix.shape[0], dtype=np.bool_)
        with_extra[entry_row[is_extra[matrix.indices]]] = True
        # A choice's own "award only if accepted" is part of the unit; any other row with awards couples.
        partner = np.full(self.columns, -1, dtype=np.int64)
        both = self._has_accept & self._has_extra
        partner[arrays.extra[both]] = arrays.accept[both]
        own = np.zeros(matrix.shape[0], dtype=np.bool_)
        pairs = np.flatnonzero(local & with_extra & (np.diff(matrix.indptr) == 2))
        one, two = matrix.indices[matrix.indptr[pairs]], matrix.indices[matrix.indptr[pairs] + 1]
        own[pairs[(partner[one] == two) | (partner[two] == one)]] = True
        local &= ~with_extra | own

        linking = np.flatnonzero(local & ~own)
        rows = matrix[linking].tocoo()
        together = np.flatnonzero(self.decision & (self.project_of_column < 0))
        node = self.project_of_column.copy()
        node[together] = self.projects + np.arange(len(together))
        nodes = self.projects + len(together)
        size = nodes + len(linking)
        graph = sparse.coo_matrix((np.ones(len(rows.row)), (node[rows.col], nodes + rows.row)), shape=(size, size))
        count, component = connected_components(graph, directed=False)
        of_project, of_together, of_row = np.split(component.astype(np.int64), [self.projects, nodes])
        tied = np.bincount(of_project, minlength=count) > 1
        tied[of_together] = True

        project_of_entry = self.project_of_column[rows.col]
        project_of_row = np.full(len(linking), -1, dtype=np.int64)
        project_of_row[rows.row] = project_of_entry
        # A row of one project says that one choice may, or one of all must be made; any other row of one project
        # couples.
        plain = np.ones(len(linking), dtype=np.bool_)
        plain[rows.row[rows.data != 1]] = False
        choices = np.bincount(self._unit_project[self._has_accept], minlength=self.projects)
        of_all = np.bincount(rows.row, minlength=len(linking)) == choices[project_of_row]
        lower, upper = arrays.row_lower[linking], arrays.row_upper[linking]
        plain &= (upper >= 1) & ((lower <= 0) | ((lower == 1) & of_all))
        single = ~tied[of_row]
        local[linking[single & ~plain]] = False
        must = single & plain & (lower == 1)
        self.must[project_of_row[must]] = True
        self._link = self._patterns(
            linking, rows, of_project, of_row, np.flatnonzero(tied), together, of_together, plain, local
        )

    def _patterns(
        self,
        linking: Codes,
        rows: sparse.coo_matrix,
        of_project: Codes,
        of_row: Codes,
        tied: Codes,
        together: Codes,
        of_together: Codes,
        plain: Mask,
        local: Mask,
    ) -> _Linked | None:
        """Enumerate the states of every linked group, once for each shape of group that occurs."""
        by_row = sparse.csr_matrix(rows)
        rows_of = _lists(of_row, tied)
        projects_of = _lists(of_project, tied)
        together_of = _lists(of_together, tied)
        first = np.searchsorted(self._unit_project, np.arange(self.projects + 1))
        shapes: dict[_Shape, tuple[Codes, npt.NDArray[np.float64]] | None] = {}
        projects: list[int] = []
        group_of_project: list[int] = []
        states: list[tuple[int, list[int]]] = []
        tables: list[tuple[Codes, Codes, npt.NDArray[np.float64], Codes]] = []
        for group in tied.tolist():
            shape, members, switches = self._shape(
                by_row, linking, rows_of[group], projects_of[group], together[together_of[group]], first
            )
            if shape not in shapes:
                shapes[shape] = _enumerate(shape)
            table = shapes[shape]
            if table is None:  # priced instead: the links couple, what they switch on is no group's
                tied_rows = linking[rows_of[group]]
                owners = [set(self.project_of_column[by_row[r].indices].tolist()) for r in rows_of[group]]
                alone = np.array([len(own) == 1 and -1 not in own for own in owners]) & plain[rows_of[group]]
                local[tied_rows[~alone]] = False
                self.decision[switches] = False
                for r in np.array(rows_of[group])[alone].tolist():
                    if self.arrays.row_lower[linking[r]] > 0.5:
                        self.must[self.project_of_column[by_row[r].indices[0]]] = True
                continue
            base = []
            for project, units in members:
                base.append(len(states))
                states.append((project, []))
                states += [(project, own) for own in units]
                projects.append(project)
                group_of_project.append(len(tables))
            tables.append((table[0] + np.array(base), np.array(switches, dtype=np.int64), table[1], table[0]))
        if not tables:
            return None
        order = np.argsort(projects)
        sizes = np.array([len(table[0]) for table in tables])
        if not sizes.all():
            raise NoState("a group of linked projects has no state that keeps its links")
        widths = np.concatenate([np.full(len(table[0]), table[0].shape[1]) for table in tables])
        patterns = int(sizes.sum())
        begin = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        on = [np.nonzero(table[2]) for table in tables]
        on_row = np.concatenate([rows_ + offset for (rows_, _), offset in zip(on, begin, strict=True)])
        on_column = np.concatenate([table[1][columns] for table, (_, columns) in zip(tables, on, strict=True)])
        self.linked[projects] = True
        return _Linked(
            projects=np.array(projects, dtype=np.int64)[order],
            group_of_project=np.array(group_of_project, dtype=np.int64)[order],
            state_project=np.array([project for project, _ in states], dtype=np.int64),
            state_size=np.array([len(units) for _, units in states], dtype=np.int64),
            state_units=np.array([unit for _, units in states for unit in units], dtype=np.int64),
            part_state=np.concatenate([table[0].ravel() for table in tables]),
            part_pattern=np.repeat(np.arange(patterns), widths),
            part_start=np.concatenate([[0], np.cumsum(widths)[:-1]]),
            pattern_group=np.repeat(np.arange(len(tables)), sizes),
            group_start=begin,
            together=sparse.csr_matrix((np.ones(len(on_row)), (on_row, on_column)), shape=(patterns, self.columns)),
            extra_columns=np.concatenate([table[1] for table in tables]),
            extra_group=np.repeat(np.arange(len(tables)), [len(table[1]) for table in tables]),
        )

    def _shape(
        self,
        by_row: sparse.csr_matrix,
        linking: Codes,
        rows: list[int],
        projects: list[int],
        switches: Codes,
        first: Codes,
    ) -> tuple[_Shape, list[tuple[int, list[list[int]]]], Codes]:
        """Return a group's shape, its projects with the units of each state, and the columns it switches on."""
        position = {int(column): k for k, column in enumerate(switches)}
        on_accept: dict[int, list[tuple[int, float]]] = {}
        on_switch: list[tuple[int, int, float]] = []
        bounds = []
        for number, row in enumerate(rows):
            begin, end = by_row.indptr[row], by_row.indptr[row + 1]
            for column, value in zip(by_row.indices[begin:end].tolist(), by_row.data[begin:end].tolist(), strict=True):
                if column in position:
                    on_switch.append((number, position[column], value))
                else:
                    on_accept.setdefault(column, []).append((number, value))
            bounds.append((float(self.arrays.row_lower[linking[row]]), float(self.arrays.row_upper[linking[row]])))
        members = []
        sides = []
        for project in projects:
            states: dict[tuple[tuple[int, float], ...], list[int]] = {}
            for unit in range(first[project], first[project + 1]):
                if self.allowed[unit]:
                    states.setdefault(tuple(on_accept.get(int(self._accept[unit]), ())), []).append(unit)
            members.append((project, list(states.values())))
            sides.append(tuple(states))
        return _Shape(tuple(sides), tuple(on_switch), tuple(bounds), len(switches)), members, switches


@dataclass(frozen=True, slots=True)
class _Shape:
    """A group up to the names of its projects: what their states count in each row, and the rows' bounds."""

    states: tuple[tuple[tuple[tuple[int, float], ...], ...], ...]
    switches: tuple[tuple[int, int, float], ...]
    bounds: tuple[tuple[float, float], ...]
    switched: int


def _enumerate(shape: _Shape) -> tuple[Codes, npt.NDArray[np.float64]] | None:
    """Return the patterns (patterns × projects: 0 for none, k for the k-th state) and what they switch on.

    None where there are too many, or where the rows leave a choice of what to switch on.
    """
    sizes = [1 + len(states) for states in shape.states]
    if np.prod(sizes, dtype=np.float64) > PATTERNS:
        return None
    table = np.array(list(itertools.product(*(range(size) for size in sizes))), dtype=np.int64)
    activity = np.zeros((len(table), len(shape.bounds)))
    for project, states in enumerate(shape.states):
        for number, state in enumerate(states, 1):
            for row, value in state:
                activity[table[:, project] == number, row] += value
    lower, upper = (np.array([bound[side] for bound in shape.bounds]) for side in (0, 1))
    least, most = np.zeros((len(table), shape.switched)), np.ones((len(table), shape.switched))
    kept = np.ones(len(table), dtype=np.bool_)
    switching = {row for row, _, _ in shape.switches}
    for row in range(len(shape.bounds)):
        if row not in switching:
            kept &= (activity[:, row] >= lower[row] - 1e-9) & (activity[:, row] <= upper[row] + 1e-9)
    for row, column, value in shape.switches:
        ends = (lower[row] - activity[:, row]) / value, (upper[row] - activity[:, row]) / value
        least[:, column] = np.maximum(least[:, column], ends[0] if value > 0 else ends[1])
        most[:, column] = np.minimum(most[:, column], ends[1] if value > 0 else ends[0])
    if (np.abs(most - least)[kept] > 1e-9).any():
        return None
    return table[kept], np.round(least[kept])


def _best_in(values: Vector, starts: Codes, segment: Codes) -> tuple[Vector, Codes]:
    """Return the largest value of each segment and the first position that has it."""
    top = np.maximum.reduceat(values, starts)
    position = np.where(values == top[segment], np.arange(len(values)), len(values))
    return top, np.minimum.reduceat(position, starts)


def _lists(labels: Codes, wanted: Codes) -> dict[int, list[int]]:
    """Return the positions that carry each of the wanted labels, ascending."""
    order = np.argsort(labels, kind="stable")
    begin, end = np.searchsorted(labels[order], wanted), np.searchsorted(labels[order], wanted, side="right")
    return {int(label): order[a:b].tolist() for label, a, b in zip(wanted, begin.tolist(), end.tolist(), strict=True)}
