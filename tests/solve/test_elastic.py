"""Rows that may be missed at a price: the core itself without misses, and no gain from missing."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from optalloc.examples.generator import generate
from optalloc.solve.arrays import Vector
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_lp, solve_mip
from tests.rule_texts.rounds import random_tables
from tests.support.elastic import Priced, dozen, priced_round


def _same_points(case: Priced, seed: int) -> None:
    """Without misses the programme is the core: the same optimum whatever is asked for, whole or not."""
    rng = np.random.default_rng(seed)
    part, slim = case.elastic.part, case.elastic.slim
    arrays, cost = case.whole
    slack = np.arange(len(slim.cost), len(cost))
    firm = arrays.with_bounds(slack, np.zeros(len(slack)), np.zeros(len(slack)))
    integer = np.append(part.arrays.integer[slim.columns], np.zeros(len(slack), dtype=np.bool_))
    assert (firm.integer == integer).all()
    for number in range(4):
        wanted = slim.cost if number == 0 else np.round(rng.normal(0, 9, len(slim.cost)))
        wanted[~np.isfinite(slim.arrays.column_upper)] = 0.0
        wide = slim.widened(wanted)
        narrow = np.append(wanted, np.zeros(len(slack)))
        one, other = solve_lp(firm, narrow, Watch()), solve_lp(part.arrays, wide, Watch())
        assert one.status == other.status
        if one.status == "optimal":
            assert one.objective == pytest.approx(other.objective, rel=1e-6, abs=1e-5)
        if number < 2:
            one, other = solve_mip(firm, narrow, Watch()), solve_mip(part.arrays, wide, Watch())
            assert one.status == other.status
            if one.status == "optimal":
                assert one.objective == pytest.approx(other.objective, rel=1e-6, abs=1e-5)


def _optimum(case: Priced) -> tuple[float, Vector]:
    arrays, cost = case.whole
    outcome = solve_lp(arrays, cost, Watch())
    assert outcome.x is not None
    return outcome.objective + case.elastic.constant, outcome.x[len(case.elastic.slim.cost) :]


def test_without_misses_it_is_the_core() -> None:
    held = 0
    for seed in range(40):
        case = priced_round(random_tables(random.Random(seed)), core=(None, 2)[seed % 2])
        if case is not None:
            held += 1
            _same_points(case, seed)
    assert held > 25


def test_missing_never_pays() -> None:
    rounds = [dozen(seed) for seed in range(20)] + [generate(300, 5, tightness=1.0, links_per_thousand=0)]
    for tables in rounds:
        case = priced_round(tables)
        assert case is not None
        value, missed = _optimum(case)
        assert value == pytest.approx(case.bound, rel=1e-6)
        assert missed == pytest.approx(0, abs=1e-6)
        core = priced_round(tables, core=4)
        assert core is not None
        assert _optimum(core)[0] <= value + 1e-6 * abs(value)


def test_a_row_that_cannot_be_kept_is_missed_by_what_it_lacks() -> None:
    tables = dozen(1)
    case = priced_round(tables)
    assert case is not None
    row = int(case.elastic.rows[-1])
    arrays = case.elastic.slim.arrays
    lower, upper = arrays.row_lower.copy(), arrays.row_upper.copy()
    most = float(np.maximum(arrays.matrix[row].toarray()[0], 0) @ np.minimum(arrays.column_upper, 1e6))
    lower[row], upper[row] = most + 7, np.inf
    slim = replace(case.elastic.slim, arrays=replace(arrays, row_lower=lower, row_upper=upper))
    _, missed = _optimum(replace(case, elastic=replace(case.elastic, slim=slim)))
    assert missed.max() >= 7 - 1e-6


def test_widths_and_places() -> None:
    for seed in range(20):
        case = priced_round(random_tables(random.Random(seed)), core=2)
        if case is None:
            continue
        elastic, base = case.elastic, case.record.base
        rng = np.random.default_rng(seed)
        mask = rng.random(len(elastic.slim.cost)) < 0.5
        columns = elastic.columns(mask)
        assert columns.sum() == mask.sum()
        point = elastic.whole(np.arange(1.0, len(mask) + 1))
        assert sorted(point[columns]) == (np.flatnonzero(mask) + 1).tolist()
        assert (base.accept[elastic.slim.arrays.accept >= 0] >= 0).all()
        assert float(case.record.cost @ elastic.whole(np.zeros(len(mask)))) == pytest.approx(elastic.constant)
        assert (elastic.weight > 0).all()


def test_rows_are_drawn_in_by_their_margin_only_when_asked() -> None:
    case = priced_round(dozen(3))
    assert case is not None
    elastic = replace(case.elastic, margin=np.full(len(case.elastic.rows), 0.25))
    columns, rows = np.arange(len(elastic.slim.cost)), np.arange(len(elastic.slim.arrays.row_lower))
    as_is, _, _, _ = elastic.programme(columns, rows)
    drawn_in, _, _, _ = elastic.programme(columns, rows, drawn_in=True)
    expected = np.zeros(len(rows))
    expected[elastic.rows] = 0.25
    assert np.array_equal(drawn_in.row_lower, as_is.row_lower + expected)
    assert np.array_equal(drawn_in.row_upper, as_is.row_upper - expected)
