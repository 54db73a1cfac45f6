"""Prices against the exact value of the relaxation: both sides, how far they hold, and shares of a total.

The programme is the one the round is formulated as; its value is found in plain fractions by a simplex method that has
nothing in common with the one that is proven here.
"""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

from optalloc.plan.price_report import Price, PriceLine
from optalloc.solve.arrays import Programme, Vector
from optalloc.solve.progress import Watch
from optalloc.study.prices import directions
from optalloc.study.prices.levers import ALL, Lever
from optalloc.study.prices.relaxation import Marginal
from optalloc.study.prices.sensitivity import Sensitivity
from tests.rule_texts.rounds import random_tables
from tests.support.exact_values import ExactProgramme, Shift
from tests.support.priced_rounds import PricedRound, priced_tables

CLOSE = 1e-7
#: An end is stated in floats: this much before it the slope still holds, this much behind it no longer.
NEAR_THE_END = Fraction(1, 10**6)
#: A price without an end holds this far at least, in the row's own unit.
FAR = Fraction(10**7)


def _negative(shift: Shift) -> Shift:
    return {row: -by for row, by in shift.items()}


def _is(price: float, exact: Fraction | None) -> bool:
    """Whether a price is the exact one; None is a side without a point."""
    if exact is None or np.isinf(price):
        return exact is None and np.isinf(price)
    return abs(price - float(exact)) <= CLOSE * max(1.0, abs(float(exact)))


def _hold_reach(exact: ExactProgramme, shift: Shift, slope: Fraction | None, reach: float) -> None:
    """The value is a line of this slope as far as is said, and not beyond."""
    assert exact.base is not None
    if slope is None:
        return

    def on_the_line(t: Fraction) -> bool:
        value = exact.value(shift, t)
        assert exact.base is not None
        assert slope is not None
        return value == exact.base + slope * t

    if np.isinf(reach):
        assert on_the_line(FAR)
        return
    end = Fraction(reach)
    near = NEAR_THE_END * max(Fraction(1), end)
    assert end <= near or on_the_line(end - near)
    assert not on_the_line(end + near)


# Linear programmes.


def _degenerate(rng: np.random.Generator) -> tuple[Programme, Vector]:
    """Draw a programme of small whole numbers whose rows mostly meet in one point, some of them twice."""
    rows, columns = int(rng.integers(2, 9)), int(rng.integers(2, 10))
    dense = rng.integers(-1, 3, (rows, columns)) * (rng.random((rows, columns)) < 0.6)
    if rng.random() < 0.5:
        dense[-1] = dense[0] * rng.integers(1, 3)
    upper = rng.integers(1, 5, columns)
    activity = dense @ np.where(
        rng.random(columns) < 0.6, rng.choice([0, 1], columns) * upper, rng.integers(0, upper + 1)
    )
    kind = rng.choice(3, rows, p=[0.3, 0.5, 0.2])
    loose = np.where(rng.random(rows) < 0.6, 0, rng.integers(1, 3, rows))
    programme = Programme(
        sparse.csr_matrix(dense.astype(float)),
        np.where(kind == 0, activity - loose, np.where(kind == 2, activity, -np.inf)).astype(float),
        np.where(kind == 1, activity + loose, np.where(kind == 2, activity, np.inf)).astype(float),
        np.zeros(columns),
        upper.astype(float),
    )
    return programme, rng.integers(-2, 5, columns).astype(float)


def _hold_programme(seed: int) -> Counter[str]:
    """Hold every row's two sides, and those of a joint shift, against exact values; return what was met."""
    rng = np.random.default_rng(seed)
    programme, cost = _degenerate(rng)
    rows = len(programme.row_lower)
    exact = ExactProgramme(programme, cost)
    sensitivity = Sensitivity(programme, cost, np.arange(rows), Watch())
    assert exact.base is not None
    assert sensitivity.value == pytest.approx(float(exact.base))
    met: Counter[str] = Counter()
    joint = rng.integers(-2, 3, rows)
    shifts = [{row: 1} for row in range(rows)] + [{row: int(by) for row, by in enumerate(joint) if by}]
    for chosen in shifts:
        sides = []
        for sign in (1, -1):
            shift = {row: Fraction(sign * by) for row, by in chosen.items()}
            where, by = np.array(list(shift), dtype=np.int64), np.array([float(v) for v in shift.values()])
            side = sensitivity.side(where, by)
            slope = exact.slope(shift)
            assert _is(np.inf if side.slope is None else side.slope, slope)
            _hold_reach(exact, shift, slope, sensitivity.reach(where, by, side))
            sides.append(slope)
        met[_kind(sides[0], None if sides[1] is None else -sides[1])] += 1
    return met


def _kind(more: Fraction | None, less: Fraction | None) -> str:
    if more is None or less is None:
        return "no plan on a side"
    return "nothing" if more == less == 0 else "one price" if more == less else "two prices"


@pytest.mark.parametrize("batch", range(2))
def test_degenerate_programmes(batch: int) -> None:
    """Of each kind there are many, so that none is right by chance."""
    met = sum((_hold_programme(seed) for seed in range(40 * batch, 40 * batch + 40)), Counter[str]())
    assert min(met[kind] for kind in ("no plan on a side", "nothing", "one price", "two prices")) >= 10


@pytest.mark.parametrize("short", [0, 3])
def test_columns_that_join_later(monkeypatch: pytest.MonkeyPatch, short: int) -> None:
    """Directions begin with hardly a column; others join by their price, or by what proves that none is left."""
    monkeypatch.setattr(directions, "FIRST", 1)
    monkeypatch.setattr(directions, "SHORT", short)
    met = sum((_hold_programme(seed) for seed in range(80, 160)), Counter[str]())
    assert min(met[kind] for kind in ("no plan on a side", "nothing", "one price", "two prices")) >= 10


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(10))
def test_many_degenerate_programmes(batch: int) -> None:
    for seed in range(10_000 + 300 * batch, 10_300 + 300 * batch):
        _hold_programme(seed)


# Rounds.


def _hold_line(exact: ExactProgramme, shift: Shift, line: PriceLine, margin: Marginal) -> str:
    """Hold a line's prices, and how far they hold, against exact values; return what was met."""
    up, down = exact.slope(shift), exact.slope(_negative(shift))
    less = None if down is None else -down
    assert _states(line.price_more, up, "-inf"), (line.rule, line.member, line.price_more, up)
    assert _states(line.price_less, less, "inf"), (line.rule, line.member, line.price_less, less)
    _hold_reach(exact, shift, up, margin.up)
    _hold_reach(exact, _negative(shift), down, margin.down)
    for end, distance in ((line.valid_to, margin.up), (line.valid_from, -margin.down)):
        if line.bound is None or np.isinf(distance):
            assert end is None
        else:
            assert end is not None
            assert float(end - line.bound) == pytest.approx(distance, rel=1e-6, abs=1e-6)
    return _kind(up, less)


def _states(price: Price, exact: Fraction | None, missing: str) -> bool:
    if exact is None or isinstance(price, str) or price is None:
        return exact is None and price == missing
    return _is(float(price), exact)


def _has_price(lever: Lever) -> bool:
    return lever.link is None or lever.link.kind not in ("all_or_none", "synergy")


def _hold_round(seed: int, level: int = 0) -> Counter[str]:
    """Hold all lines of a random round's report against exact values."""
    met: Counter[str] = Counter()
    own = priced_tables(random_tables(random.Random(seed)), level=level)
    if own is None:
        return met
    exact = ExactProgramme(own.arrays, own.arrays.levels[level])
    if exact.base is None:  # a level held to its last digit, which floats do not have
        assert level > 0
        return met
    assert float(own.priced.report.relaxed) == pytest.approx(float(exact.base), rel=1e-8)
    decided = ExactProgramme(own.decided, own.arrays.levels[level])
    for lever, line in zip(own.priced.levers, own.priced.report.lines, strict=True):
        if not _has_price(lever):
            assert line.price_more is None
            continue
        shift = own.shift(lever)
        kind = _hold_line(exact, shift, line, own.priced.relaxed.marginal(lever.shift))
        met.update({kind, _lever_kind(own, lever)} | ({f"{_lever_kind(own, lever)}, {kind}"}))
        if line.decided_more is not None and decided.base is not None:
            down = decided.slope(_negative(shift))
            assert _states(line.decided_more, decided.slope(shift), "-inf")
            assert _states(line.decided_less, None if down is None else -down, "inf")
            met["decided"] += 1
    pool = exact.slope(own.pool_shift())
    assert _states(own.priced.report.pool, pool, "-inf")
    return met


def _lever_kind(own: PricedRound, lever: Lever) -> str:
    """Name what a lever is in a way that tells everything that has to be right apart."""
    if lever.link is not None:
        return f"link {lever.link.kind}"
    if lever.source is not None:
        source = own.fund.classes.sources[lever.source]
        moves = any((source.source, source.year) in row.funds for row in own.fund.appraisal.limits.rows)
        parts = [
            "source",
            "least" if source.least else "",
            "carry" if source.carry_over else "",
            "funds" if moves else "",
        ]
        return " ".join(part for part in parts if part)
    assert lever.rule is not None
    of = lever.rule.of if lever.rule.of in ("total", "funds", "average", None) else "attribute"
    all_ = " *" if lever.member == ALL else ""
    soft = " soft" if lever.rule.penalty is not None else ""
    return f"rule of {of} {lever.rule.sense}{soft}{all_}"


@pytest.mark.parametrize("batch", range(2))
def test_prices_of_random_rounds(batch: int) -> None:
    met = sum((_hold_round(seed) for seed in range(10 * batch, 10 * batch + 10)), Counter[str]())
    assert min(met[kind] for kind in ("no plan on a side", "nothing", "one price", "two prices", "decided")) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(6))
def test_prices_of_many_random_rounds(batch: int) -> None:
    """Of every kind of lever there are several."""
    met = sum((_hold_round(seed) for seed in range(5_000 + 100 * batch, 5_100 + 100 * batch)), Counter[str]())
    words: Counter[str] = Counter()
    for kind, times in met.items():
        if "," not in kind:
            words.update(dict.fromkeys(kind.split(), times))
    kinds = ["least", "carry", "requires", "excludes", "at_least", "at_most", "soft", "*", "<=", ">=", "=", "two"]
    kinds += ["None", "total", "funds", "average", "attribute"]
    assert min(words[kind] for kind in kinds) >= 3


def test_prices_of_a_later_level() -> None:
    met = sum((_hold_round(seed, 1) for seed in range(20)), Counter[str]())
    assert met["one price"] + met["two prices"] >= 3


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2])
def test_prices_of_many_later_levels(level: int) -> None:
    met = sum((_hold_round(seed, level) for seed in range(1_000, 1_300)), Counter[str]())
    assert met["one price"] + met["two prices"] >= 4


# Shares: the price of a percentage point.


def _by_moving(own: PricedRound, lever: Lever, sign: int, base: Fraction) -> Fraction | None:
    """Return the derivative by the share on one side, from two secants; None where no plan lies there, or the value
    jumps."""
    secants = []
    for step in (Decimal("0.000002"), Decimal("0.000001")):
        moved = own.moved(lever, sign * step)
        value = ExactProgramme(moved, moved.levels[0]).base
        if value is None:
            return None
        secants.append((value - base) / Fraction(sign * step))
    jumps = abs(secants[1]) > 1000 and abs(secants[1]) > Fraction(3, 2) * abs(secants[0])
    return None if jumps else 2 * secants[1] - secants[0]


def _hold_points(seed: int) -> Counter[str]:
    met: Counter[str] = Counter()
    own = priced_tables(random_tables(random.Random(seed)))
    if own is None:
        return met
    base = ExactProgramme(own.arrays, own.arrays.levels[0]).base
    assert base is not None
    for lever, line in zip(own.priced.levers, own.priced.report.lines, strict=True):
        if not lever.is_share:
            assert line.point_more is None
            continue
        if line.point_more is None:
            assert lever.member == ALL
            continue
        assert lever.rule is not None
        for sign, price, missing in ((1, line.point_more, "-inf"), (-1, line.point_less, "inf")):
            exact = _by_moving(own, lever, sign, base)
            if exact is None:
                assert price == missing
                met["no plan on a side"] += 1
                continue
            assert isinstance(price, Decimal), (line.rule, line.member, price, exact)
            assert float(price) == pytest.approx(float(exact) / 100, rel=1e-5, abs=1e-6), (line.rule, line.member)
            met[f"of {lever.rule.of}"] += price != 0
        met["two prices"] += line.point_more != line.point_less
    return met


@pytest.mark.parametrize("batch", range(2))
def test_percentage_points(batch: int) -> None:
    met = sum((_hold_points(seed) for seed in range(100 + 8 * batch, 108 + 8 * batch)), Counter[str]())
    assert met["of total"] + met["of average"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(3))
def test_many_percentage_points(batch: int) -> None:
    met = sum((_hold_points(seed) for seed in range(7_000 + 120 * batch, 7_120 + 120 * batch)), Counter[str]())
    assert min(met[kind] for kind in ("of total", "of average", "two prices")) >= 3
