"""Funds and arrays that were moved to other amounts and bounds, against those of the moved round formulated anew."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from scipy import sparse

from integrated_fund.fund import Fund
from integrated_fund.payments import Payments
from integrated_fund.round import Round
from optalloc.solve.arrays import Arrays, arrays_of
from optalloc.solve.exactness import judge
from optalloc.solve.moved import moved_arrays
from optalloc.study.prices.levers import levers_of, moved_round
from tests.rule_texts.rounds import random_tables
from tests.support.tables import round_of

STEPS = ("1", "-1", "0.01", "-0.01", "0.37", "-2.5", "30")


def _same(one: Arrays, other: Arrays) -> None:
    difference = sparse.csr_matrix(one.matrix - other.matrix)
    names = list(one.column_names)
    real = [names[column] != "zero" for column in difference.indices]  # which is 0 and keeps empty rows
    assert np.abs(difference.data[real]).max(initial=0.0) <= 1e-12
    for name in ("row_lower", "row_upper", "column_lower", "column_upper", "levels"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-12, abs=1e-12)
    assert list(one.row_names) == list(other.row_names)
    assert one.rule_rows == other.rule_rows
    assert one.source_rows == other.source_rows


def _any_decision(fund: Fund, draw: random.Random) -> dict[int, int]:
    ledger = fund.ledger
    chosen = [j for j in range(len(ledger.low)) if draw.random() < 0.5]
    steps = {j: draw.randint(int(ledger.low[j]), int(ledger.high[j])) for j in chosen}
    return {j: own for j, own in steps.items() if own}


def _hold(fund: Fund, arrays: Arrays, round_: Round, draw: random.Random) -> None:
    moved, fresh = fund.moved(round_), Fund(round_)
    _same(moved_arrays(arrays, fund, moved), arrays_of(fresh))
    for _ in range(3):
        decision = _any_decision(fund, draw)
        one, other = judge(moved, decision, ()), judge(fresh, decision, ())
        assert one.is_plan == other.is_plan
        if isinstance(one.payments, Payments) and isinstance(other.payments, Payments):
            assert (one.payments.used, one.payments.carried) == (other.payments.used, other.payments.carried)
        else:
            assert one.payments == other.payments
        for name in ("criteria", "levels", "broken_links"):
            assert getattr(one.evaluation, name) == getattr(other.evaluation, name)
        assert [(v.limit.name, v.activity, v.bound, v.violation) for v in one.evaluation.limits] == [
            (v.limit.name, v.activity, v.bound, v.violation) for v in other.evaluation.limits
        ]


def _hold_levers(seed: int) -> int:
    """Move every lever of a random round that is a number of the workbook; return how many."""
    draw = random.Random(seed)
    round_ = round_of(random_tables(random.Random(seed)))
    fund = Fund(round_)
    arrays = arrays_of(fund)
    moves = 0
    for lever in levers_of(fund, arrays):
        moved = None if lever.link is not None else moved_round(round_, lever, Decimal(draw.choice(STEPS)))
        if moved is not None:
            _hold(fund, arrays, moved, draw)
            moves += 1
    return moves


@pytest.mark.parametrize("batch", range(2))
def test_every_lever(batch: int) -> None:
    assert sum(_hold_levers(seed) for seed in range(4 * batch, 4 * batch + 4)) >= 15


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(10))
def test_every_lever_of_many_rounds(batch: int) -> None:
    assert sum(_hold_levers(seed) for seed in range(1_000 + 40 * batch, 1_040 + 40 * batch)) >= 200


def test_everything_moved_at_once_and_back() -> None:
    for seed in range(6):
        draw = random.Random(seed)
        round_ = round_of(random_tables(random.Random(seed)))
        fund = Fund(round_)
        arrays = arrays_of(fund)
        grown = replace(
            round_,
            sources=tuple(replace(s, amount=s.amount * 3) for s in round_.sources),
            rules=tuple(replace(r, bound=r.bound + Decimal(draw.choice(STEPS))) for r in round_.rules),
        )
        _hold(fund, arrays, grown, draw)
        there = moved_arrays(arrays, fund, fund.moved(grown))
        _same(moved_arrays(there, fund.moved(grown), fund), arrays)


def test_members_of_their_own_bound() -> None:
    """A bound of one member moves its row alone, by what one of the typed bound amounts to there."""
    met = 0
    for seed in range(20):
        round_ = round_of(random_tables(random.Random(seed)))
        fund = Fund(round_)
        arrays = arrays_of(fund)
        for lever in levers_of(fund, arrays):
            if lever.rule is None or lever.rule.each is None or len(lever.limits) != 1 or lever.member == "*":
                continue
            moved = moved_round(round_, lever, Decimal("0.5"))
            assert moved is not None
            after = fund.moved(moved).appraisal.limits.rows
            for number, (row, other) in enumerate(zip(fund.appraisal.limits.rows, after, strict=True)):
                own = number == lever.limits[0]
                assert other.typed - row.typed == (Decimal("0.5") if own else 0)
                assert (other.activity, other.base, other.unit) == (row.activity, row.base, row.unit)
            met += 1
    assert met >= 10
