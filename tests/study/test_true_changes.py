"""Finite changes against enumeration: the moved round's true optimum less the round's own.

Rules, sources and links are moved in the tables and enumerated by the reading of the rule texts that shares nothing
with the program. No table has a bound of one member alone: the member gets a rule of its own, the rule the others.
"""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest

from integrated_fund.round import FILTER_COLUMNS
from optalloc.plan.price_report import Change, Price
from optalloc.solve.progress import Watch
from optalloc.study.prices.changes import Move, changes_of, moves_of
from optalloc.study.prices.levers import ALL, default_step, share_step
from optalloc.workbook.grid import Tables
from tests.rule_texts.cells import number
from tests.rule_texts.oracle import Answer, best
from tests.rule_texts.rounds import random_tables
from tests.support.priced_rounds import PricedRound, priced_tables

#: What is stated of an endless decimal.
STATED = Fraction(1, 10**9)


def _moved_tables(tables: Tables, move: Move, members: list[str]) -> Tables | None:
    """Return the tables with a number moved; `members` are those of the rule. None where tables cannot say it."""
    lever = move.lever
    if lever.rule is not None:
        rules: list[dict[str, object]] = []
        for row in tables["Rules"]:
            moved = {**row, "bound": _number(row["bound"]) + move.step}
            if row["rule"] != lever.name:
                rules.append(row)
            elif lever.rule.each is None or lever.member == ALL:
                rules.append(moved)
            else:
                column = FILTER_COLUMNS[lever.rule.each]
                if "!" in str(row.get(column)):
                    return None
                others = "; ".join(member for member in members if member != lever.member)
                rules += [{**row, column: others}] if others else []
                rules.append({**moved, "rule": "moved", column: lever.member})
        return {**tables, "Rules": rules}
    if lever.source is not None:
        sources = [
            {**row, "amount": _number(row["amount"]) + move.step}
            if row["source"] == lever.name and (lever.member is None or str(row.get("year")) == lever.member)
            else row
            for row in tables["Sources"]
        ]
        return {**tables, "Sources": sources}
    links = [_moved_link(row, int(move.step)) if row["link"] == lever.name else row for row in tables["Links"]]
    return {**tables, "Links": [row for row in links if row is not None]}


def _number(value: object) -> Decimal:
    found = number(value)
    assert found is not None
    return Decimal(found.numerator) / Decimal(found.denominator)


def _moved_link(row: dict[str, object], step: int) -> dict[str, object] | None:
    """Return a link that allows one more, or one less; None for none."""
    if row["kind"] in ("requires", "all_or_none"):
        return None
    k = (1 if row["kind"] == "excludes" else int(number(row["k"]) or 0)) + step
    if k == 0 and row["kind"] == "at_least":
        return None
    return {**row, "kind": "at_least" if row["kind"] == "at_least" else "at_most", "k": k}


def _value(price: Price) -> Fraction | None:
    return Fraction(price) if isinstance(price, Decimal) else None


def _hold_change(move: Move, change: Change, before: Answer, after: Answer | None, level: int) -> str:
    """Hold a change against the two optima; return what was met."""
    low, high, found = (_value(price) for price in (change.low, change.high, change.found))
    if after is None:
        assert (change.low, change.high, change.found) == ("-inf", "-inf", "-inf"), (move, change)
        assert not change.enters
        assert not change.leaves
        return "no plan"
    assert low is not None, (move, change)
    assert high is not None
    assert found is not None
    true = after.optima[level] - before.optima[level]
    assert low - STATED <= true <= high + STATED, (move, change, true)
    assert low <= found <= high
    if low == high:
        assert abs(found - true) <= STATED
    if level == 0:
        assert move.direction != "relaxes" or true >= 0
        assert move.direction != "tightens" or true <= 0
    kind = "gain" if true > 0 else "loss" if true < 0 else "nothing"
    # Of several levels the plans of the level asked are compared, of which the round's own is one of many.
    one = before.complete and after.complete and len(before.optimal) == len(after.optimal) == len(before.optima) == 1
    if one and low == high:
        then, now = set(before.optimal[0]), set(after.optimal[0])
        assert change.enters == tuple(sorted(now - then)), (move, change)
        assert change.leaves == tuple(sorted(then - now)), (move, change)
        return f"{kind}, one plan"
    return kind


def _steps(own: PricedRound, draw: random.Random) -> dict[int, Decimal]:
    """Draw a step for every lever: the one that is proposed, or a large part of the bound."""
    found = {}
    for number_, lever in enumerate(own.priced.levers):
        step = default_step(own.fund, lever)
        if draw.random() < 0.7:
            step = share_step(own.fund, lever, Fraction(draw.choice([10, 30, 60]), 100)) or step
        found[number_] = step
    return found


def _hold_round(seed: int, level: int = 0) -> Counter[str]:
    draw = random.Random(seed)
    tables = random_tables(random.Random(seed))
    met: Counter[str] = Counter()
    own = priced_tables(tables, level=level)
    if own is None:
        return met
    before = best(tables)
    assert before is not None
    moves = list(moves_of(own.priced, own.solution, _steps(own, draw)))
    changes, judgement = changes_of(own.priced, own.solution, moves, Watch())
    assert judgement.evaluation.levels[level] == before.optima[level]
    for move in moves:
        rows = own.fund.appraisal.limits.rows
        members = [row.member for row in rows if row.rule.rule == move.lever.name and row.member is not None]
        moved = _moved_tables(tables, move, members)
        if moved is None or any(number(row["amount"]) == 0 for row in moved["Sources"]):
            continue
        met[_hold_change(move, changes[move.number, move.step], before, best(moved), level)] += 1
        met[move.lever.kind if move.lever.member in (None, ALL) else "member"] += 1
        met[str(move.direction)] += 1
    return met


#: Later levels that what is monotone of the first one went wrong on.
LESSONS = (363, 428, 459, 460, 467, 473, 486, 532)


def test_changes_of_random_rounds() -> None:
    met = sum((_hold_round(seed) for seed in range(200, 216)), Counter[str]())
    assert min(met[kind] for kind in ("no plan", "nothing", "rule", "source", "link", "member")) >= 1
    assert met["gain"] + met["gain, one plan"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(10))
def test_changes_of_many_random_rounds(batch: int) -> None:
    met = sum((_hold_round(seed) for seed in range(20_000 + 40 * batch, 20_040 + 40 * batch)), Counter[str]())
    assert min(met[kind] for kind in ("gain", "loss", "gain, one plan", "loss, one plan", "None", "member")) >= 3


@pytest.mark.parametrize("seed", LESSONS)
def test_changes_of_a_later_level(seed: int) -> None:
    """What a moved round reaches of its second level, by its own optimum of the first."""
    assert sum(_hold_round(seed, 1).values()) >= 10


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2])
def test_changes_of_many_later_levels(level: int) -> None:
    met = sum((_hold_round(seed, level) for seed in range(300, 500)), Counter[str]())
    assert met["rule"] + met["source"] + met["link"] >= 30
