"""What whole decisions are worth: against HiGHS from scratch, and what a basis foretells against what happens."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from optalloc.solve.arrays import Vector
from optalloc.solve.core import groups as groups_module
from optalloc.solve.core.completion import Completion, Tableau
from optalloc.solve.core.dives import dive
from optalloc.solve.exactness import Held
from optalloc.solve.progress import Watch
from optalloc.workbook.grid import Tables
from tests.rule_texts.rounds import random_tables
from tests.support.elastic import Priced, dozen, priced_round

CLOSE = 1e-6


def _tables(seed: int) -> Tables:
    return random_tables(random.Random(seed)) if seed % 2 else dozen(seed, options=seed % 4 == 0)


@cache
def _case(seed: int) -> Priced | None:
    return priced_round(_tables(seed), core=(None, 3)[seed % 3 == 2])


def _completions(seeds: range) -> Iterator[tuple[int, Priced, Completion]]:
    """Complete what a dive says, acceptances first, then awards too."""
    for seed in seeds:
        case = _case(seed)
        if case is None:
            continue
        point = dive(case.elastic, Watch())
        assert point is not None
        loose = Completion(case.elastic, case.pricing, point)
        yield seed, case, loose
        case = _case(seed)
        assert case is not None
        yield seed, case, Completion(case.elastic, case.pricing, loose.point(), steps=True)


def _size(case: Priced) -> float:
    return max(1.0, abs(case.bound), float(np.abs(case.record.cost).max()))


def _holds(case: Priced, completion: Completion) -> None:
    """Hold the objective, the point and the misses against the programme solved from scratch."""
    size = _size(case)
    misses = completion.misses()
    x = completion.point()
    assert x[completion.decided] == pytest.approx(completion.value)
    expected = case.with_decided(completion.elastic, completion.decided, completion.value)
    assert completion.objective == pytest.approx(expected, rel=1e-5, abs=1e-5 * size)
    arrays = case.elastic.slim.arrays
    activity = arrays.matrix @ x
    local = np.ones(len(activity), dtype=np.bool_)
    local[case.elastic.rows] = False
    missed = np.maximum(0.0, np.maximum(arrays.row_lower - activity, activity - arrays.row_upper))
    allowed = 1e-5 * np.maximum(1.0, np.abs(activity))
    assert (missed[local] <= allowed[local]).all(), "choices and links are kept"
    assert (np.abs(misses - missed[case.elastic.rows]) <= allowed[case.elastic.rows]).all()
    worth = float(case.elastic.slim.cost @ x) - float(completion.elastic.weight @ misses) + case.elastic.constant
    assert completion.objective == pytest.approx(worth, rel=1e-5, abs=1e-5 * size)


def _one(completion: Completion, draw: random.Random) -> Vector | None:
    moves = completion.moves()
    if not len(moves.project):
        return None
    return np.asarray(moves.delta[[draw.randrange(len(moves.project))]].toarray()).ravel()


def _wander(case: Priced, completion: Completion, seed: int) -> None:
    draw = random.Random(seed)
    _holds(case, completion)
    start = completion.value.copy()
    for _ in range(6):
        delta = _one(completion, draw)
        if delta is None:
            return
        before = completion.objective
        match draw.randrange(4):
            case 0:
                completion.change(delta)
                completion.undo(delta, before)
                if draw.random() < 0.5:
                    other = _one(completion, draw)
                    assert other is not None
                    assert completion.change(other) == completion.objective
            case 1:
                completion.go_to(start if draw.random() < 0.5 else completion.value + delta)
            case 2:
                completion.weigh(np.array([draw.choice([1.0, 3.0]) for _ in case.elastic.rows]))
            case _:
                assert completion.change(delta) == completion.objective
        if draw.random() < 0.3:
            completion.refresh()
        _holds(case, completion)


def test_objectives_points_and_misses_are_those_of_the_programme() -> None:
    held = 0
    for seed, case, completion in _completions(range(36)):
        held += 1
        _wander(case, completion, seed)
    assert held > 50


@pytest.mark.slow
def test_objectives_of_many_rounds_are_those_of_the_programme() -> None:
    for seed, case, completion in _completions(range(1000, 1300)):
        _wander(case, completion, seed)


def test_links_of_too_many_patterns_follow_the_acceptances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups_module, "PATTERNS", 2)
    held = 0
    for seed in range(1, 60, 2):
        tables = _tables(seed)
        case = priced_round(tables)
        point = None if case is None else dive(case.elastic, Watch())
        if case is not None and point is not None and tables.get("Links"):
            held += 1
            _wander(case, Completion(case.elastic, case.pricing, point), seed)
    assert held > 5


def test_held_levels_are_rows_like_others() -> None:
    held = 0
    for seed in range(1, 120, 2):
        first = _case(seed)
        if first is None or len(first.record.arrays.levels) < 2:
            continue
        least = first.record.fund.appraisal.evaluate({}).levels[0]
        case = priced_round(_tables(seed), level=1, held=(Held(0, least),))
        if case is not None:
            held += 1
            point = dive(case.elastic, Watch())
            assert point is not None
            _wander(case, Completion(case.elastic, case.pricing, point), seed)
    assert held > 5


# What the basis foretells.


def _foretold(case: Priced, completion: Completion, counts: list[int]) -> None:
    size = _size(case)
    tableau = completion.tableau()
    moves = completion.moves()
    before = completion.objective
    gain = np.asarray(moves.delta @ tableau.gain)
    change = np.asarray(moves.delta @ tableau.change)
    for number in range(min(len(gain), 40)):
        delta = np.asarray(moves.delta[[number]].toarray()).ravel()
        after = completion.change(delta)
        completion.undo(delta, before)
        # Duals are a bound on what any change can bring.
        assert after <= before + gain[number] + 1e-5 * size
        # Where several awards go at once, the bound that one passes hides that another is no longer there.
        if _within(tableau, change[number]) and np.count_nonzero(delta < 0) <= 1:
            counts[0] += 1
            assert after == pytest.approx(before + gain[number], abs=1e-5 * size)
        else:
            counts[1] += 1


def _within(tableau: Tableau, change: Vector) -> bool:
    allowed = 1e-9 * np.maximum(1.0, np.abs(change))
    return bool((change <= tableau.room_above + allowed).all() and (-change <= tableau.room_below + allowed).all())


def _foretell(seeds: range) -> list[int]:
    counts = [0, 0]
    for seed, case, completion in _completions(seeds):
        _foretold(case, completion, counts)
        for _ in range(2):
            delta = _one(completion, random.Random(seed))
            if delta is not None:
                completion.change(delta)
                _foretold(case, completion, counts)
    return counts


def test_changes_within_the_basis_are_foretold_exactly() -> None:
    within, beyond = _foretell(range(24))
    assert within > 200
    assert beyond > 200


@pytest.mark.slow
def test_changes_within_many_bases_are_foretold_exactly() -> None:
    _foretell(range(2000, 2120))


# Moves.


def _alternatives(case: Priced, completion: Completion) -> set[tuple[int, frozenset[tuple[int, float]]]]:
    """Return all other decisions of every project or linked group in the core, by enumeration."""
    arrays, groups = case.elastic.slim.arrays, case.pricing.groups
    place = {int(column): number for number, column in enumerate(completion.decided)}
    must = {
        number
        for number, project in enumerate(case.record.fund.ledger.projects)
        if project.status is not None and str(project.status) == "mandatory"
    }
    found = set()
    for project in range(groups.projects):
        units = [u for u in np.flatnonzero(case.pricing.project_of == project).tolist() if arrays.accept[u] >= 0]
        if groups.linked[project] or not units:
            continue
        at = [place[int(arrays.accept[unit])] for unit in units]
        taken = [number for number in at if completion.value[number] > 0.5]
        assert len(taken) <= 1
        able = [n for n, unit in zip(at, units, strict=True) if arrays.column_upper[arrays.accept[unit]] > 0.5]
        assert set(taken) <= set(able)
        leaving = {(number, -1.0) for number in taken}
        found |= {(project, frozenset(leaving | {(number, 1.0)})) for number in able if number not in taken}
        if taken and project not in must:
            found.add((project, frozenset(leaving)))
    return found | _of_linked(case, completion, place)


def _of_linked(
    case: Priced, completion: Completion, place: dict[int, int]
) -> set[tuple[int, frozenset[tuple[int, float]]]]:
    """Return all other decisions of linked groups that keep the local rows, whatever these say."""
    arrays, groups = case.elastic.slim.arrays, case.pricing.groups
    local = np.ones(len(arrays.row_lower), dtype=np.bool_)
    local[case.elastic.rows] = False
    labels = groups.group_labels()
    is_accept = set(arrays.accept.tolist())
    found = set()
    for label in np.unique(labels[groups.linked]).tolist():
        units = [u for u in np.flatnonzero(labels[case.pricing.project_of] == label).tolist() if arrays.accept[u] >= 0]
        own = [int(arrays.accept[unit]) for unit in units]
        if not own:
            continue  # outside the core
        rows = np.flatnonzero(local & (abs(arrays.matrix[:, own]).sum(axis=1).A1 > 0))
        beside = set(arrays.matrix[rows].indices.tolist()) - is_accept - set(arrays.extra.tolist())
        columns = own + sorted(beside)
        rows = np.flatnonzero(local & (abs(arrays.matrix[:, columns]).sum(axis=1).A1 > 0))
        matrix = arrays.matrix[rows][:, columns].toarray()
        extra = abs(arrays.matrix[rows][:, arrays.extra[arrays.extra >= 0]]).sum(axis=1).A1 > 0
        for decision in itertools.product((0.0, 1.0), repeat=len(columns)):
            activity = matrix @ np.array(decision)
            kept = (activity >= arrays.row_lower[rows] - 1e-9) & (activity <= arrays.row_upper[rows] + 1e-9)
            if not (kept | extra).all() or (np.array(decision) > arrays.column_upper[columns]).any():
                continue
            moved = {
                (place[column], value - completion.value[place[column]])
                for column, value in zip(columns, decision, strict=True)
                if value != completion.value[place[column]]
            }
            if moved:
                found.add((label, frozenset(moved)))
    return found


def _listed(completion: Completion) -> list[tuple[int, frozenset[tuple[int, float]]]]:
    moves = completion.moves()
    delta = moves.delta.tocsr()
    delta.eliminate_zeros()
    listed = []
    for number, project in enumerate(moves.project.tolist()):
        begin, end = delta.indptr[number], delta.indptr[number + 1]
        entries = zip(delta.indices[begin:end].tolist(), delta.data[begin:end].tolist(), strict=True)
        listed.append((project, frozenset(entries)))
    return listed


def test_moves_are_all_alternatives_of_every_project_or_linked_group() -> None:
    total = 0
    for seed, case, completion in _completions(range(40)):
        for turn in range(3):
            listed = _listed(completion)
            assert len(set(listed)) == len(listed)
            if completion.steps:
                _strides(case, completion, listed)
            else:
                assert set(listed) == _alternatives(case, completion)
            total += len(listed)
            delta = _one(completion, random.Random(seed + turn))
            if delta is not None:
                completion.change(delta)
    assert total > 1000


def _strides(case: Priced, completion: Completion, listed: list[tuple[int, frozenset[tuple[int, float]]]]) -> None:
    """Awards of what is accepted move within [0, most], whoever it is; acceptances stay."""
    arrays = case.elastic.slim.arrays
    place = {int(column): number for number, column in enumerate(completion.decided)}
    expected = set()
    for unit, column in enumerate(arrays.extra.tolist()):
        if column < 0 or (arrays.accept[unit] >= 0 and completion.value[place[int(arrays.accept[unit])]] < 0.5):
            continue
        at, most = completion.value[place[column]], arrays.column_upper[column]
        for stride in (1.0, -1.0, 3.0, -3.0, 10.0, -10.0):
            if 0 <= at + stride <= most:
                expected.add((int(case.pricing.project_of[unit]), frozenset({(place[column], stride)})))
    assert set(listed) == expected


def test_block_grants_alone_have_no_choices() -> None:
    tables = dozen(3)
    rows = [{**row, "min_award": 0} for row in tables["Projects"]]
    case = priced_round({**tables, "Projects": rows})
    assert case is not None
    point = dive(case.elastic, Watch())
    assert point is not None
    loose = Completion(case.elastic, case.pricing, point)
    assert not len(loose.moves().project)
    _holds(case, loose)
    steps = Completion(case.elastic, case.pricing, point, steps=True)
    assert len(steps.moves().project)
    _holds(case, steps)
