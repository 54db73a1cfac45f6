"""Repairs against enumeration over decisions, amounts and bounds; every one of them mends the round."""

from __future__ import annotations

import copy
from decimal import Decimal
from fractions import Fraction

import pytest

from integrated_fund.round import Rule
from optalloc.examples import EXAMPLES
from optalloc.solve.progress import Watch
from optalloc.study.diagnosis import repair as repair_module
from optalloc.study.diagnosis.diagnosis import diagnose, in_memory
from optalloc.study.diagnosis.keeping import keeps
from optalloc.study.diagnosis.movable import with_changes
from optalloc.study.diagnosis.repair import Repair, Repairs
from optalloc.study.diagnosis.requirements import Requirements
from optalloc.study.diagnosis.shares import is_equal_share
from optalloc.workbook.grid import Tables
from tests.rule_texts.oracle import best
from tests.study.by_enumeration import cheapest_repair, with_cell
from tests.study.rounds import equal_share_rounds, infeasible_rounds, plain_rounds
from tests.support.tables import round_of


def repaired(tables: Tables, repair: Repair) -> Tables:
    """Return tables with a repair made in their cells."""
    after = copy.deepcopy(tables)
    # Rows that are emptied go last, from below: the others keep their numbers.
    for change in sorted(repair.changes, key=lambda c: (c.to is None, -c.movable.place.row_and_column[0])):
        place = change.movable.place
        assert place.cell is not None
        with_cell(after, place.sheet, place.cell, change.to)
    return after


def _rounding(repair: Repair) -> Fraction:
    """Return what rounding the shares of a repair outwards may cost."""
    return sum(
        (
            change.cost / abs(Fraction(change.to) - Fraction(change.movable.before)) * Fraction(change.movable.grid)
            for change in repair.changes
            if change.movable.is_share and isinstance(change.to, Decimal) and isinstance(change.movable.before, Decimal)
        ),
        Fraction(0),
    )


@pytest.mark.parametrize("shares", [False, True])
def test_the_cheapest_repair_is_the_cheapest(shares: bool) -> None:
    exact = 0
    for seed, tables in plain_rounds(0, 40, shares=shares):
        expected = cheapest_repair(tables, more=8)
        repairs = Repairs(Requirements(round_of(tables)))
        found = repairs.cheapest(Watch())
        assert found is not None, seed
        assert expected is not None
        assert float(found.bound) == pytest.approx(float(expected), rel=1e-6, abs=1e-6), seed
        assert expected <= found.total <= expected + _rounding(found), seed
        exact += found.total == expected
        assert best(repaired(tables, found)) is not None, seed
    assert exact >= (10 if shares else 40)


def test_repairs_of_rounds_of_every_feature_mend_them() -> None:
    mended = 0
    kinds = set()
    for seed, tables in infeasible_rounds(0, 30):
        round_ = round_of(tables)
        diagnosis = diagnose(round_, Watch(), in_memory(round_))
        assert diagnosis.status == "infeasible", seed
        totals = [alternative.repair.total for alternative in diagnosis.alternatives]
        assert totals == sorted(totals)
        for alternative in diagnosis.alternatives:
            assert alternative.proven, seed
            after = with_changes(round_, alternative.repair.changes)
            assert keeps(after, alternative.repair.decision)
            assert best(repaired(tables, alternative.repair)) is not None, seed
            kinds |= {change.movable.kind for change in alternative.repair.changes}
        cells = [alternative.repair.cells for alternative in diagnosis.alternatives]
        assert len(set(cells)) == len(cells)
        mended += bool(cells)
    assert mended >= 27
    assert {"bound", "amount", "mandatory"} <= kinds


def test_what_is_left_alone_is_left_alone() -> None:
    for seed, tables in plain_rounds(500, 10, shares=True):
        repairs = Repairs(Requirements(round_of(tables)))
        found = repairs.cheapest(Watch())
        assert found is not None
        used = [n for n, movable in enumerate(repairs.movables) if movable.place in found.cells]
        other = repairs.cheapest(Watch(), without=used)
        if other is not None:
            assert not other.cells & found.cells, seed
            assert other.total >= found.bound
            assert best(repaired(tables, other)) is not None


def test_a_law_bends_last() -> None:
    """Of two floors that cannot both be kept the one that no law demands gives way, whichever it is."""
    tables = _two_floors("Science Act, art. 9", None)
    found = Repairs(Requirements(round_of(tables))).cheapest(Watch())
    assert found is not None
    assert _told(found) == ["Rules!D3: 70 -> 30, 40"]
    tables = _two_floors(None, "《预算法》第三条")
    found = Repairs(Requirements(round_of(tables))).cheapest(Watch())
    assert found is not None
    assert _told(found) == ["Rules!D2: 70 -> 30, 40"]
    tables = _two_floors("Science Act", "Budget Law")
    found = Repairs(Requirements(round_of(tables))).cheapest(Watch())
    assert found is not None
    assert _told(found) == ["Sources!B2: 100 -> 140, 800"]


def _told(repair: Repair) -> list[str]:
    return [f"{c.movable.place}: {c.movable.before} -> {c.to}, {c.cost}" for c in repair.changes]


def _two_floors(first: str | None, second: str | None) -> Tables:
    def rule(name: str, sector: str, authority: str | None) -> dict[str, object]:
        return {
            "rule": name, "measure": "award", "sense": ">=", "bound": 70, "sectors": sector, "authority": authority,
        }  # fmt: skip

    return {
        "Round": [{"setting": "title", "value": "Floors"}, {"setting": "unit", "value": "million"}],
        "Sources": [{"source": "s", "amount": 100, "authority": "Regulation 3"}],
        "Sectors": [{"sector": "edu"}, {"sector": "sci"}],
        "Regions": [{"region": "r1", "belt": "east"}],
        "Projects": [
            {"project": "a", "sector": "edu", "region": "r1", "min_award": 0, "max_award": 100, "score": 1},
            {"project": "b", "sector": "sci", "region": "r1", "min_award": 0, "max_award": 100, "score": 1},
        ],
        "Criteria": [{"criterion": "score", "weight": 1}],
        "Rules": [rule("edu", "edu", first), rule("sci", "sci", second)],
    }


def test_a_pool_that_grows_lifts_the_floors_that_are_shares_of_it() -> None:
    """Half of the funds for science, and 60 for education: 60 + x/2 <= x, so the pool must grow to 120, not to 110."""
    tables = _two_floors("Act", "Act")
    tables["Rules"][0]["bound"] = 60
    tables["Rules"][1] |= {"bound": Decimal("0.5"), "of": "funds"}
    tables["Sources"][0]["authority"] = None
    found = Repairs(Requirements(round_of(tables))).cheapest(Watch())
    assert found is not None
    assert _told(found) == ["Sources!B2: 100 -> 120, 20"]


def test_a_pool_that_grows_must_spend_more_of_itself() -> None:
    """At most 40 % of the funds for 50 that are mandatory: 125 are needed, and of these only 100 can be spent."""
    tables = _two_floors(None, "Act")
    tables["Round"].append({"setting": "step", "value": 5})
    tables["Sources"][0] |= {"authority": None, "least": Decimal("0.9")}
    tables["Projects"] = [
        {
            "project": name, "sector": sector, "region": "r1", "status": status, "min_award": None, "max_award": 50,
            "score": 1,
        }
        for name, sector, status in (("a", "edu", "candidate"), ("b", "sci", "mandatory"))
    ]  # fmt: skip
    tables["Rules"] = [tables["Rules"][1] | {"sense": "<=", "bound": Decimal("0.4"), "of": "funds"}]
    found = Repairs(Requirements(round_of(tables))).cheapest(Watch())
    assert found is not None
    assert _told(found) == ["Sources!B2: 100 -> 125, 25", "Sources!D2: 0.9 -> 0.8, 25/2"]
    assert found.bound == pytest.approx(37.5)


def test_large_rounds_are_repaired_by_their_relaxation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair_module, "EXACT", 0)
    mended = 0
    for seed, tables in plain_rounds(0, 12, shares=True):
        found = Repairs(Requirements(round_of(tables))).cheapest(Watch())
        if found is not None:
            mended += 1
            assert best(repaired(tables, found)) is not None, seed
            expected = cheapest_repair(tables, more=8)
            assert expected is not None
            assert float(found.bound) <= float(expected) * (1 + 1e-6) <= float(found.total) * (1 + 1e-5), seed
    assert mended >= 9


def test_a_large_round_that_money_alone_cannot_mend() -> None:
    """Its elastic relaxation is one that HiGHS's simplex method ends without an answer."""
    tables = EXAMPLES["national"]()
    for row in tables["Rules"]:
        if row["rule"] == "west_per_head":
            row["bound"] = Decimal("2.85")
    repairs = Repairs(Requirements(round_of(tables)))
    not_money = [n for n, movable in enumerate(repairs.movables) if movable.kind != "amount"]
    assert repairs.cheapest(Watch(), without=not_money) is None


def test_shares_with_equal_sign_against_enumeration() -> None:
    """What is typed is exact: no rounding outwards, so the cheapest repair costs what the programme says."""
    moved = apart = 0
    for seed, tables in equal_share_rounds(0, 60):
        repairs = Repairs(Requirements(round_of(tables)))
        found, expected = repairs.cheapest(Watch()), cheapest_repair(tables, more=8)
        assert found is not None, seed
        assert expected is not None, seed
        assert repairs.left_alone == (), seed
        assert float(found.bound) == pytest.approx(float(expected), rel=1e-6, abs=1e-6), seed
        assert expected <= found.total <= expected + _rounding(found), seed
        assert best(repaired(tables, found)) is not None, seed
        shares = [change for change in found.changes if is_equal_share(change.movable.row)]
        moved += bool(shares)
        apart += any(change.movable.row.each for change in shares if isinstance(change.movable.row, Rule))
        for change in shares:
            others = [n for n, movable in enumerate(repairs.movables) if movable.place == change.movable.place]
            other = repairs.cheapest(Watch(), without=others)
            if other is not None:
                assert change.movable.place not in other.cells, seed
                assert best(repaired(tables, other)) is not None, seed
    assert moved >= 20
    assert apart >= 5


def test_an_equal_share_per_head_is_moved() -> None:
    """A tenth of the average for one of four heads, of 100 at most in all: 40 are mandatory there, so 1.6 it is."""
    tables = _two_floors(None, None)
    tables["Regions"] = [
        {"region": "r1", "belt": "east", "heads": 1},
        {"region": "r2", "belt": "west", "heads": 3},
    ]
    tables["Projects"] = [
        {
            "project": name, "sector": "edu", "region": region, "status": "mandatory", "min_award": None,
            "max_award": award, "score": 1,
        }
        for name, region, award in (("a", "r1", 40), ("b", "r2", 60))
    ]  # fmt: skip
    tables["Rules"] = [
        {
            "rule": "head", "measure": "award", "sense": "=", "bound": Decimal("0.1"), "of": "average", "per": "heads",
            "regions": "r1", "authority": None,
        }
    ]  # fmt: skip
    found = Repairs(Requirements(round_of(tables))).cheapest(Watch())
    assert found is not None
    assert _told(found) == ["Rules!D2: 0.1 -> 1.6, 75/2"]


def test_a_share_that_is_no_decimal_is_not_typed() -> None:
    """One of three projects is a third: the share stays, and a project or two are let go."""
    tables = _thirds()
    round_ = round_of(tables)
    diagnosis = diagnose(round_, Watch(), in_memory(round_))
    assert diagnosis.conflict is not None
    assert {one.kind for one in diagnosis.conflict.requirements} == {"rule", "mandatory"}
    for alternative in diagnosis.alternatives:
        assert alternative.proven
        assert best(repaired(tables, alternative.repair)) is not None
        assert "mandatory" in {change.movable.kind for change in alternative.repair.changes}
    typed = {c.to for a in diagnosis.alternatives for c in a.repair.changes if c.movable.kind == "bound"}
    assert Decimal("0.5") in typed


def test_large_rounds_leave_equal_shares_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair_module, "EXACT", 0)
    round_ = round_of(_thirds())
    diagnosis = diagnose(round_, Watch(), in_memory(round_))
    assert [str(place) for place in diagnosis.left_alone] == ["Rules!D2"]
    for alternative in diagnosis.alternatives:
        assert "bound" not in {change.movable.kind for change in alternative.repair.changes}


def _thirds() -> Tables:
    tables = _two_floors(None, None)
    tables["Rules"] = [
        {
            "rule": "third",
            "measure": "accepted",
            "sense": "=",
            "bound": Decimal("0.333"),
            "of": "total",
            "sectors": "edu",
        }
    ]
    tables["Projects"].append({"project": "c", "sector": "sci", "region": "r1", "max_award": 90, "score": 1})
    for row in tables["Projects"]:
        row |= {"min_award": None, "max_award": 30, "status": "mandatory"}
    return tables
