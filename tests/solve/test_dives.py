"""Diving: whole columns, rows kept or missed openly, the rest at its best."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import sparse

from optalloc.examples.generator import generate
from optalloc.solve.arrays import Programme, Vector
from optalloc.solve.core.dives import SHARE, WHOLE, Dive, dive
from optalloc.solve.exact_awards import solve_awards
from optalloc.solve.progress import Watch
from optalloc.workbook.grid import Tables
from tests.rule_texts.rounds import random_tables
from tests.support.elastic import Priced, dozen, priced_round


def _down(case: Priced) -> Vector:
    """Dive and hold the point against the programme; return by how much each row is missed."""
    x = dive(case.elastic, Watch(), SHARE, 0)
    assert x is not None
    arrays = case.elastic.slim.arrays
    accept = arrays.accept[arrays.accept >= 0]
    assert (x[accept] == np.round(x[accept])).all()
    assert (x >= arrays.column_lower - 1e-6).all()
    assert (x <= arrays.column_upper + 1e-6).all()
    activity = arrays.matrix @ x
    missed = np.maximum(arrays.row_lower - activity, activity - arrays.row_upper)
    missed[missed <= 1e-5 * np.maximum(1.0, np.abs(activity))] = 0.0
    coupling = np.zeros(len(missed), dtype=np.bool_)
    coupling[case.elastic.rows] = True
    assert not missed[~coupling].any(), "choices and links are kept"
    # Misses are paid for, and the rest is at its best.
    value = float(case.elastic.slim.cost @ x) - float(case.elastic.weight @ missed[case.elastic.rows])
    best = case.with_decided(case.elastic, accept, x[accept])
    assert value + case.elastic.constant == pytest.approx(best, rel=1e-4, abs=1e-3)
    return np.asarray(missed)


def _is_plan(tables: Tables, *, core: int | None = None) -> bool:
    """Return whether a dive gives a plan; if it misses nothing, it must."""
    case = priced_round(tables, core=core)
    if case is None:
        return False
    if _down(case).any():
        return False
    x = dive(case.elastic, Watch(), SHARE, 0)
    assert x is not None
    return solve_awards(case.record, case.elastic.whole(x)) and case.record.best is not None


def test_loose_rounds_have_a_plan_at_once() -> None:
    assert sum(_is_plan({**dozen(seed), "Rules": []}) for seed in range(16)) > 8, "the source alone may be missed"
    assert _is_plan(generate(300, 2, tightness=0.0, rules=10))
    assert _is_plan(generate(300, 1, tightness=0.0, rules=10), core=100)


def test_what_tight_rounds_miss_is_said() -> None:
    assert sum(_is_plan(dozen(seed, options=seed % 2 == 0)) for seed in range(24)) > 5
    assert sum(_is_plan(random_tables(random.Random(seed))) for seed in range(40)) > 15


def test_told_to_stop() -> None:
    case = priced_round(generate(300, 3))
    assert case is not None
    assert dive(case.elastic, Watch(0.0)) is None


def _programme(rows: list[list[float]], lower: list[float], upper: list[float]) -> Programme:
    columns = len(rows[0])
    return Programme(
        sparse.csr_matrix(np.array(rows)), np.array(lower), np.array(upper), np.zeros(columns), np.ones(columns)
    )


def test_a_rounding_that_fails_goes_the_other_way() -> None:
    """0.6 is nearest to 1, which the row does not let be."""
    programme = _programme([[1.0]], [-np.inf], [0.6])
    assert Dive(programme, np.array([1.0]), np.array([0]), Watch()).down() == pytest.approx([0.0])


def test_no_whole_point_is_none() -> None:
    programme = _programme([[2.0]], [1.0], [1.0])
    assert Dive(programme, np.array([1.0]), np.array([0]), Watch()).down() is None


def test_other_columns_follow() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        matrix = rng.integers(1, 9, (3, 8)).astype(float)
        programme = _programme(matrix.tolist(), [-np.inf] * 3, rng.integers(5, 20, 3).astype(float).tolist())
        cost = rng.integers(1, 30, 8).astype(float)
        x = Dive(programme, cost, np.arange(5), Watch()).down()
        assert x is not None
        assert (np.abs(x[:5] - np.round(x[:5])) <= WHOLE).all()
        assert (matrix @ x <= programme.row_upper + 1e-6).all()
