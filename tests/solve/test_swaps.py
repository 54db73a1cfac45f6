"""Swaps: better and better points that keep everything, never beyond the optimum and mostly at it."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from optalloc.solve.arrays import Vector
from optalloc.solve.core.completion import Completion
from optalloc.solve.core.dives import dive
from optalloc.solve.core.swaps import SwapSearch
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_mip
from optalloc.workbook.grid import Tables
from tests.rule_texts.rounds import random_tables
from tests.support.elastic import Priced, dozen, priced_round


def _begun(case: Priced, watch: Watch | None = None) -> SwapSearch:
    point = dive(case.elastic, Watch())
    assert point is not None
    return SwapSearch(Completion(case.elastic, case.pricing, point), watch or Watch())


def _optimum(case: Priced) -> float | None:
    """Return the optimum over whole acceptances, awards of any amount; None where there is none."""
    record = case.record
    loose = record.base.integer & np.isin(np.arange(len(record.cost)), record.base.accept)
    outcome = solve_mip(replace(record.base, integer=loose), record.cost, Watch())
    return outcome.objective if outcome.status == "optimal" else None


def _keeps(case: Priced, x: Vector) -> None:
    """Hold a point against the round: rows, bounds, whole acceptances."""
    base = case.record.base
    full = case.elastic.whole(x)
    arrays = case.elastic.slim.arrays
    activity = arrays.matrix @ x
    allowed = 1e-6 * np.maximum(1.0, np.abs(activity))
    assert (activity >= arrays.row_lower - allowed).all()
    assert (activity <= arrays.row_upper + allowed).all()
    assert (x >= arrays.column_lower - 1e-6).all()
    assert (x <= arrays.column_upper + 1e-6).all()
    accept = full[base.accept[base.accept >= 0]]
    assert (accept == np.round(accept)).all()


def _climb(case: Priced, kicks: int = 6) -> tuple[SwapSearch, list[float], list[list[float]]]:
    """Search to the end; return what the points are worth, and the points."""
    search = _begun(case)
    values, points = [], []
    for x in search.plans(kicks):
        assert search.keeps_all
        _keeps(case, x)
        value = float(case.record.cost @ case.elastic.whole(x))
        assert value == pytest.approx(search.completion.objective, rel=1e-6, abs=1e-6)
        values.append(value)
        points.append(x.tolist())
    assert values == sorted(values)
    assert search.keeps_all == bool(values), "what keeps all is not given up for what misses a row"
    if values:
        search.completion.go_to(search.best)
        assert search.completion.objective == pytest.approx(max(values), rel=1e-6, abs=1e-6)
    return search, values, points


def _against_the_optimum(cases: list[tuple[Tables, int | None]]) -> tuple[int, int, int]:
    """Return how many rounds have a point, how many of these the search found one of, how many the best."""
    possible = found = reached = 0
    for tables, core in cases:
        case = priced_round(tables, core=core)
        if case is None:
            continue
        optimum = _optimum(case)
        _, values, _ = _climb(case)
        if optimum is None:
            assert not values
            continue
        allowed = 1e-5 * max(1.0, abs(optimum))
        assert not values or max(values) <= optimum + allowed
        possible += 1
        found += bool(values)
        reached += bool(values) and max(values) >= optimum - 1e-4 * case.pricing.typical - allowed
    return possible, found, reached


def test_a_dozen_projects_mostly_at_their_best() -> None:
    sizes = (8, 10, 12, 14)
    cases: list[tuple[Tables, int | None]] = [
        (dozen(seed, sizes[seed % 4], options=seed % 2 == 0), None) for seed in range(20)
    ]
    possible, found, reached = _against_the_optimum(cases)
    assert (possible, found) == (20, 20)
    assert reached >= 18


def test_rounds_of_every_kind() -> None:
    cases: list[tuple[Tables, int | None]] = [
        (random_tables(random.Random(seed)), (None, 3)[seed % 2]) for seed in range(30)
    ]
    possible, found, reached = _against_the_optimum(cases)
    assert possible > 20
    assert found >= 24
    assert reached >= 22


@pytest.mark.slow
def test_many_rounds_of_every_kind() -> None:
    cases: list[tuple[Tables, int | None]] = [
        (random_tables(random.Random(seed)), (None, 3)[seed % 2]) for seed in range(3000, 3300)
    ]
    cases += [(dozen(seed, 14, options=seed % 2 == 0), (None, 8)[seed % 2]) for seed in range(100, 200)]
    _, found, reached = _against_the_optimum(cases)
    assert found > 270
    assert reached > 240


def test_two_searches_are_one() -> None:
    for seed in range(3):
        case = priced_round(dozen(seed, 14, options=True))
        assert case is not None
        np.random.seed(seed)
        random.seed(seed)
        first = _climb(case)[1:]
        np.random.seed(seed + 77)
        random.seed(seed + 77)
        assert _climb(case)[1:] == first


def test_a_second_search_goes_on_from_the_best() -> None:
    for seed in range(4):
        case = priced_round(dozen(seed, 14))
        assert case is not None
        search, values, _ = _climb(case, kicks=1)
        again = [float(case.record.cost @ case.elastic.whole(x)) for x in search.plans(4)]
        assert all(value >= max(values) - 1e-6 for value in again)


class Counting(Watch):
    """A watch that stops when it is asked for the n-th time."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def must_stop(self) -> bool:
        self.times -= 1
        if self.times < 0:
            self.stop("interrupted")
        return super().must_stop()


def test_stopped_anywhere_the_best_is_kept() -> None:
    case = priced_round(dozen(2, 14, options=True))
    assert case is not None
    for times in range(0, 60, 3):
        search = _begun(case, Counting(times))
        values = [float(case.record.cost @ case.elastic.whole(x)) for x in search.plans(6)]
        assert values == sorted(values)
        search.completion.go_to(search.best)
        if search.keeps_all:
            assert values[-1] == pytest.approx(search.completion.objective)


def test_nothing_to_move() -> None:
    """One project; all excluded but a mandatory one; all linked; block grants alone."""
    tables = dozen(4)
    one, *others = tables["Projects"]
    excluded = [{**row, "status": "excluded"} for row in others]
    names = "; ".join(str(row["project"]) for row in tables["Projects"])
    kinds: list[tuple[list[dict[str, object]], list[dict[str, object]]]] = [
        ([one], []),
        ([{**one, "status": "mandatory"}, *excluded], []),
        (
            [{**row, "min_award": None} for row in tables["Projects"]],
            [{"link": "all", "kind": "all_or_none", "projects": names}],
        ),
        ([{**row, "min_award": 0} for row in tables["Projects"]], []),
    ]
    for rows, links in kinds:
        case = priced_round({**tables, "Projects": rows, "Links": links, "Rules": []})
        assert case is not None
        _climb(case)
        steps = Completion(case.elastic, case.pricing, _begun(case).completion.point(), steps=True)
        whole = case.elastic.slim.arrays.integer
        for x in SwapSearch(steps, Watch()).plans(2):
            assert x[whole] == pytest.approx(np.round(x[whole]), abs=1e-6)
