"""Decision groups against brute force: every combination of decisions that keeps the local rows."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from integrated_fund.fund import Fund
from optalloc.solve.arrays import Arrays, Vector, arrays_of
from optalloc.solve.core import groups as groups_module
from optalloc.solve.core.groups import FORBIDDEN, Codes, Groups, Vertex
from optalloc.workbook.grid import Tables
from tests.rule_texts.rounds import random_tables
from tests.support.tables import round_of, sound_tables

#: Sums in another order.
CLOSE = 1e-9
#: Groups with more points than this are left to the others.
POINTS = 5_000

Projects = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Brute:
    """The points of one group that keep its local rows, awards at 0 or at their most, shape (points, columns)."""

    projects: tuple[int, ...]
    columns: list[int]
    points: Vector


@dataclass(frozen=True)
class Case:
    """A round's groups, and what enumeration says they are (groups too large to enumerate left out)."""

    fund: Fund
    arrays: Arrays
    groups: Groups
    brutes: tuple[Brute, ...]
    whole: bool

    def units(self, project: int) -> Codes:
        return np.flatnonzero(self.fund.ledger.project_of == project)

    def choice(self, brute: Brute, project: int, point: Vector) -> int:
        """Return which choice of a project a point accepts, -1 for none."""
        column_at = {column: number for number, column in enumerate(brute.columns)}
        for unit in self.units(project).tolist():
            column = int(self.arrays.accept[unit])
            if column >= 0 and point[column_at[column]] > 0.5:
                return int(unit)
        return -1

    @property
    def switches(self) -> Codes:
        """The decisions that belong to no project."""
        return np.flatnonzero(self.groups.decision & (self.groups.project_of_column < 0))


def _case(tables: Tables) -> Case:
    fund = Fund(round_of(tables))
    arrays = arrays_of(fund)
    groups = Groups(arrays, fund.ledger.project_of)
    return Case(fund, arrays, groups, *_brutes(arrays, groups, fund.ledger.project_of))


@cache
def _random_case(seed: int) -> Case:
    return _case(random_tables(random.Random(seed)))


def _brutes(arrays: Arrays, groups: Groups, project_of: Projects) -> tuple[tuple[Brute, ...], bool]:
    """Take groups apart and enumerate them from the local rows, column by column."""
    rows = arrays.matrix[groups.local].toarray()
    label = {int(column): int(column) for column in np.flatnonzero(groups.decision)}
    project_of_column = {
        int(column): project
        for unit, project in enumerate(project_of.tolist())
        for column in (arrays.accept[unit], arrays.extra[unit])
        if column >= 0
    }

    def join(columns: list[int]) -> None:
        old = {label[column] for column in columns}
        label.update({column: min(old) for column, value in label.items() if value in old})

    for project in range(groups.projects):
        join([column for column, owner in project_of_column.items() if owner == project])
    for row in rows:
        join(np.flatnonzero(row).tolist())
    found = []
    whole = True
    for group in sorted(set(label.values())):
        columns = [column for column, value in label.items() if value == group]
        points = _points(arrays, groups, rows, columns)
        if points is None:
            whole = False
            continue
        projects = sorted({project_of_column[column] for column in columns if column in project_of_column})
        found.append(Brute(tuple(projects), columns, points))
    return tuple(found), whole


def _points(arrays: Arrays, groups: Groups, rows: Vector, columns: list[int]) -> Vector | None:
    """Return the ends of the columns that keep all local rows over them; None where there are too many."""
    own = rows[:, columns]
    last = np.where(own.any(axis=1), own.shape[1] - 1 - np.argmax(own[:, ::-1] != 0, axis=1), -1)
    lower, upper = arrays.row_lower[groups.local], arrays.row_upper[groups.local]
    points = np.zeros((1, 0))
    for number, column in enumerate(columns):
        ends = sorted({float(arrays.column_lower[column]), float(arrays.column_upper[column])})
        points = np.vstack([np.column_stack([points, np.full(len(points), end)]) for end in ends])
        done = np.flatnonzero(last == number)  # rows that have all their columns now
        activity = points @ own[done, : number + 1].T
        kept = (activity >= lower[done] - CLOSE) & (activity <= upper[done] + CLOSE)
        points = points[kept.all(axis=1)]
        if len(points) > POINTS:
            return None
    return points


def _hold(case: Case, reduced: Vector) -> None:
    """Hold the best decision of every group and what it loses otherwise against enumeration."""
    groups, vertex = case.groups, case.groups.best(reduced)
    total = 0.0
    for brute in case.brutes:
        worth = brute.points @ reduced[brute.columns]
        total += float(worth.max())
        own = vertex.x[brute.columns]
        assert (np.abs(brute.points - own).max(axis=1) < CLOSE).any(), "the decision keeps the local rows"
        assert float(own @ reduced[brute.columns]) == pytest.approx(worth.max(), abs=CLOSE)
        for project in brute.projects:
            _hold_margins(case, brute, project, reduced, vertex)
    if case.whole:
        assert vertex.value == pytest.approx(total, abs=1e-7)
    assert not vertex.x[groups.master].any()


def _hold_margins(case: Case, brute: Brute, project: int, reduced: Vector, vertex: Vertex) -> None:
    worth = brute.points @ reduced[brute.columns]
    mine = case.choice(brute, project, vertex.x[brute.columns])
    same = np.array([case.choice(brute, project, point) == mine for point in brute.points])
    loss = worth.max() - worth[~same].max(initial=-np.inf)
    assert loss >= vertex.margin[project] - CLOSE, "another decision loses its margin at least"
    assert vertex.margin[project] == pytest.approx(loss, abs=CLOSE), "and no margin is smaller than it need be"
    extras = [
        int(case.arrays.extra[unit])
        for unit in case.units(project).tolist()
        if case.arrays.extra[unit] >= 0 and (unit == mine or case.arrays.accept[unit] < 0)
    ]
    if not extras:
        assert vertex.award_margin[project] == vertex.step_margin[project] == np.inf
        return
    (column,) = extras
    most = case.arrays.column_upper[column]
    assert vertex.award_margin[project] == pytest.approx(abs(reduced[column]) * most)
    if most:
        assert vertex.step_margin[project] == pytest.approx(abs(reduced[column]))
    # The same by brute force: this award at its other end, all else as it may be.
    place = brute.columns.index(column)
    moved = same & (np.abs(brute.points[:, place] - vertex.x[column]) > 0.5)
    if moved.any():
        assert worth.max() - worth[moved].max() == pytest.approx(vertex.award_margin[project], abs=CLOSE)


def _reduced(case: Case, seed: int) -> list[Vector]:
    """Return reduced costs: any, and whole ones, which bring ties and zeros."""
    rng = np.random.default_rng(seed)
    plain = rng.normal(0.0, 10.0, case.groups.columns)
    extras = case.arrays.extra[case.arrays.extra >= 0]
    plain[extras] /= 4
    return [plain, np.round(plain / 4)]


def _feasible(case: Case) -> bool:
    return all(len(brute.points) for brute in case.brutes)


def _linked(case: Case) -> int:
    return sum(len(brute.projects) > 1 for brute in case.brutes)


def _largest(case: Case, seed: int) -> None:
    """Hold the largest total in whole numbers against enumeration; some choices cannot be made."""
    rng = random.Random(seed)
    groups, arrays = case.groups, case.arrays
    unit = np.array([FORBIDDEN if rng.random() < 0.1 else rng.randint(-50, 80) for _ in arrays.accept], dtype=np.int64)
    switches = np.zeros(groups.columns, dtype=np.int64)
    together = np.flatnonzero(arrays.decision & (groups.project_of_column < 0))
    switches[together] = [rng.randint(-40, 40) for _ in together]
    loose = np.setdiff1d(together, case.switches)
    total = int(np.maximum(switches[loose], 0).sum())
    for brute in case.brutes:
        best = None
        for point in brute.points:
            worth = int(sum(switches[c] for c, value in zip(brute.columns, point, strict=True) if value > 0.5))
            for project in brute.projects:
                chosen = case.choice(brute, project, point)
                if chosen >= 0:
                    worth += int(unit[chosen])
                for block in case.units(project)[arrays.accept[case.units(project)] < 0].tolist():
                    # A block grant gets nothing or up to its most, and 0 where it is excluded.
                    worth += max(0, int(unit[block])) if arrays.column_upper[arrays.extra[block]] else 0
            best = worth if best is None else max(best, worth)
        assert best is not None
        if best < FORBIDDEN // 2:
            return  # nothing that can be made keeps the links
        total += best
    assert groups.largest(unit, switches) == total


def _switched(case: Case, seed: int) -> None:
    """What links switch on follows from the acceptances, whatever stood there before."""
    rng = np.random.default_rng(seed)
    point = rng.normal(0.0, 1.0, case.groups.columns)  # other columns stay as they are
    for brute in case.brutes:
        point[brute.columns] = brute.points[rng.integers(len(brute.points))]
    garbled = point.copy()
    garbled[case.switches] = rng.normal(0.0, 1.0, len(case.switches))
    assert case.groups.switched(garbled) == pytest.approx(point)


def _partition(case: Case) -> None:
    """Labels, whole groups and their columns are those of the local rows."""
    groups = case.groups
    labels = groups.group_labels()
    assert len(set(labels.tolist())) == len(case.brutes)
    for brute in case.brutes:
        assert len({int(labels[project]) for project in brute.projects}) == 1
        for project in brute.projects:
            one = np.zeros(groups.projects, dtype=np.bool_)
            one[project] = True
            assert tuple(np.flatnonzero(groups.whole(one))) == brute.projects
            assert sorted(np.flatnonzero(groups.columns_of(groups.whole(one)))) == sorted(brute.columns)
            assert groups.linked[project] == (len(brute.projects) > 1)


def _decisions(case: Case) -> None:
    """The decisions of linked groups are what enumeration has, awards apart; few ask for few."""
    groups = case.groups
    group, rows = groups.decisions(groups.linked)
    labels = groups.group_labels()
    is_award = np.isin(np.arange(groups.columns), case.arrays.extra)
    for brute in case.brutes:
        if not groups.linked[brute.projects[0]]:
            continue
        label = int(labels[brute.projects[0]])
        bare = [number for number, column in enumerate(brute.columns) if not is_award[column]]
        columns = np.array(brute.columns)[bare]
        mine = rows[group == label]
        expected = {tuple(point) for point in np.round(brute.points[:, bare]).tolist()}
        if len(expected) > groups_module.PATTERNS:
            expected = set()
        assert {tuple(point) for point in mine[:, columns].toarray().tolist()} == expected
        assert mine.sum() == mine[:, columns].sum(), "nothing of other groups"
        one = np.zeros(groups.projects, dtype=np.bool_)
        one[brute.projects[0]] = True
        assert set(groups.decisions(one)[0].tolist()) == ({label} if expected else set())


def _all(case: Case, seed: int) -> int:
    """Hold everything against enumeration; return how many groups had several projects."""
    if not _feasible(case):
        return 0
    for reduced in _reduced(case, seed):
        _hold(case, reduced)
    if case.whole:
        _largest(case, seed)
        _switched(case, seed)
        _partition(case)
        _decisions(case)
    return _linked(case)


def test_small_groups_are_decided_as_enumeration_does() -> None:
    assert sum(_all(_random_case(seed), seed) for seed in range(80)) > 20


@pytest.mark.slow
def test_many_small_groups_are_decided_as_enumeration_does() -> None:
    assert sum(_all(_random_case(seed), seed) for seed in range(2000, 2600)) > 150


def test_links_of_too_many_patterns_are_priced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups_module, "PATTERNS", 4)
    priced = 0
    for seed in range(60):
        case = _case(random_tables(random.Random(seed)))
        priced += _linked(_random_case(seed)) - _linked(case)
        _all(case, seed)
    assert priced > 10


@pytest.mark.parametrize("kind", ["requires", "excludes", "all_or_none", "at_least", "at_most", "synergy"])
@pytest.mark.parametrize("discount", [None, "0.1"])
def test_every_kind_of_link_of_three_projects_with_options_and_starts(kind: str, discount: str | None) -> None:
    tables = sound_tables()
    if discount is not None:
        tables["Round"].append({"setting": "discount", "value": float(discount)})
    third = {**tables["Projects"][1], "project": "P4", "min_award": 5, "start_from": 2027, "start_to": 2028}
    tables["Projects"].append(third)
    row: dict[str, object] = {"link": "L2", "kind": kind, "projects": "P1; P2; P4"}
    if kind in ("at_least", "at_most"):
        row["k"] = 2
    if kind == "synergy":
        row |= {"criterion": "people", "value": -7}
    tables["Links"] = [row]
    case = _case(tables)
    assert _linked(case) == 1
    for seed in range(10):
        _all(case, seed)
