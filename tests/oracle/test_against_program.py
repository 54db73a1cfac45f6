"""The program against enumeration: same verdict, same optimum, and every figure of the plan the same."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import pytest

from integrated_fund.fund import Fund
from optalloc.plan.plan import Plan, stated
from optalloc.plan.verify import verify
from optalloc.solve.planning import NoPlan, plan_of
from optalloc.solve.progress import Watch
from optalloc.workbook.grid import Tables
from tests.oracle.features import features
from tests.oracle.oracle import Answer, Oracle
from tests.oracle.rounds import random_tables
from tests.support.tables import round_of

QUICK = 160
BATCH = 40


def _agrees(tables: Tables) -> Answer | None:
    oracle = Oracle(tables)
    answer = oracle.best()
    round_ = round_of(tables)
    result = plan_of(Fund(round_), Watch())
    if answer is None:
        assert isinstance(result, NoPlan)
        assert result.status == "infeasible"
        return None
    assert isinstance(result, Plan), f"the oracle has a plan: {answer.decisions}"
    assert result.status == "optimal"
    assert result.gap == 0
    levels = result.manifest["levels"]
    assert isinstance(levels, list)
    assert [level["optimum"] for level in levels] == pytest.approx([float(value) for value in answer.levels], rel=1e-9)
    assert result.objective == stated(answer.levels[0])
    decisions = {a.project: (a.option, _year(round_, a.start), Fraction(a.award)) for a in result.awards}
    own = oracle.evaluate(decisions)
    assert own.feasible
    assert {name: stated(value) for name, value in own.criteria.items()} == result.criteria
    lines = {(line.rule, line.member): line for line in result.rules}
    assert len(lines) == len(own.members)
    for member in own.members:
        line = lines[member.rule, member.member]
        assert (line.activity, line.bound) == (stated(member.activity), stated(member.bound))
        assert line.violation == stated(member.violation)
    failing = [check for check in verify(round_, result).checks if not check.holds]
    assert not failing
    return answer


def _year(round_: object, year: int | None) -> int | None:
    return getattr(round_, "first_year", None) if year is None else year


@pytest.mark.parametrize("batch", range(QUICK // BATCH))
def test_random_rounds(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        _agrees(random_tables(random.Random(seed)))


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(10, 40))
def test_many_random_rounds(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        _agrees(random_tables(random.Random(seed)))


def test_the_rounds_exercise_everything() -> None:
    count: Counter[str] = Counter()
    rounds = 150
    both = 0
    for seed in range(rounds):
        tables = random_tables(random.Random(seed))
        found = features(tables, Oracle(tables).best())
        count.update(found)
        both += {"feasible", "binding"} <= found
    assert both >= 0.4 * rounds, f"{both} of {rounds} feasible with a binding rule"
    rare = {name: number for name, number in count.items() if number < 0.1 * rounds}
    assert not rare, rare
