"""Plans of tight rounds from swaps: agreement with the direct way, and what is left of a search that is stopped."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from benchmarks.shapes import tighter
from integrated_fund.fund import Fund, fund_for_solving
from optalloc.examples.generator import generate
from optalloc.plan.plan import Plan
from optalloc.plan.verify import verify
from optalloc.solve.core import cores, tight
from optalloc.solve.core.tight import TightSearch
from optalloc.solve.manifest import Request
from optalloc.solve.planning import NoPlan, plan_of
from optalloc.solve.progress import Progress, Watch
from optalloc.solve.record import Record
from optalloc.solve.search import Method
from optalloc.workbook.grid import Tables
from tests.rule_texts.rounds import random_tables
from tests.support.elastic import dozen, priced_round
from tests.support.tables import round_of


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tight, "BINDING", 0)
    monkeypatch.setattr(tight, "KICKS", (2, 3))


@pytest.fixture
def cores_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tight, "CORE", 3)
    monkeypatch.setattr(cores, "CORES", (1, 2))
    monkeypatch.setattr(cores, "WHOLE", 0)


def _agree(tables: Tables) -> bool:
    """Hold the core way, swaps first, against the direct way; return whether there is a plan."""
    round_ = round_of(tables)
    core, direct = (plan_of(Fund(round_), Watch(), Request(Decimal(0), method)) for method in ("core", "direct"))
    if isinstance(direct, NoPlan):
        assert isinstance(core, NoPlan)
        assert core.status == direct.status
        return False
    assert isinstance(core, Plan)
    assert (core.status, core.objective) == (direct.status, direct.objective)
    assert verify(round_, core).ok
    ties = [plan.manifest["tie_break"] for plan in (core, direct)]
    if all(isinstance(tie, dict) and tie["complete"] for tie in ties):
        assert (core.awards, core.payments) == (direct.awards, direct.payments)
    return True


@pytest.mark.usefixtures("always")
def test_rounds_of_every_kind_have_the_optimum_of_the_direct_way() -> None:
    """Among them rounds without a plan, of block grants alone (22), with several levels, soft rules, carry-over."""
    assert sum(_agree(random_tables(random.Random(seed))) for seed in range(25)) > 15


@pytest.mark.usefixtures("always", "cores_of_three")
def test_cores_smaller_than_the_round() -> None:
    assert sum(_agree(random_tables(random.Random(seed))) for seed in range(25, 45)) > 12


@pytest.mark.slow
@pytest.mark.usefixtures("always")
def test_many_rounds_have_the_optimum_of_the_direct_way() -> None:
    for seed in range(6000, 6100):
        _agree(random_tables(random.Random(seed)))


@pytest.mark.slow
@pytest.mark.usefixtures("always", "cores_of_three")
def test_many_rounds_in_small_cores() -> None:
    for seed in range(6100, 6160):
        _agree(random_tables(random.Random(seed)))


# What the swaps find by themselves.


def _visited(tables: Tables, watch: Watch | None = None) -> Record:
    case = priced_round(tables)
    assert case is not None
    if watch is not None:
        case.record.watch = watch
    TightSearch(case.search).visit()
    return case.record


def test_the_swaps_alone_find_plans() -> None:
    """Every round has one."""
    found = 0
    for seed in range(16):
        record = _visited(dozen(seed, 14, options=seed % 2 == 0))
        if record.best is not None:
            found += 1
            assert record.best.is_plan
            assert record.value is not None
            assert record.value <= record.bound + 1e-6 * abs(record.bound)
    assert found >= 12


def test_a_second_visit_never_loses() -> None:
    case = priced_round(dozen(3, 14))
    assert case is not None
    search = TightSearch(case.search)
    search.visit()
    first = case.record.value
    search.visit()
    assert first is not None
    assert case.record.value is not None
    assert case.record.value >= first


@pytest.mark.parametrize("reason", ["interrupted", "time limit"])
def test_stopped_after_the_first_plan_it_is_kept(reason: str) -> None:
    def listen(progress: Progress) -> None:
        if progress.best is not None:
            watch.stop("interrupted" if reason == "interrupted" else "time limit")

    watch = Watch(None, listen)
    record = _visited(generate(300, 3, tightness=0.9, rules=30), watch)
    assert watch.stopped == reason
    assert record.best is not None
    assert record.best.is_plan


def test_stopped_before_it_began_there_is_nothing() -> None:
    assert _visited(dozen(1), Watch(0.0)).best is None


# Rounds of some hundred projects.


def _solved(tables: Tables, watch: Watch | None = None, method: Method = "core") -> Plan | NoPlan:
    return plan_of(fund_for_solving(round_of(tables)), watch or Watch(), Request(Decimal("0.05"), method))


def test_a_tight_round_has_a_plan_that_verifies() -> None:
    heard: list[Progress] = []
    tables = tighter(300, 60)
    plan = _solved(tables, Watch(None, heard.append))
    assert isinstance(plan, Plan)
    assert verify(round_of(tables), plan).ok
    assert {"diving", "swapping"} <= {progress.phase for progress in heard}


def test_few_columns_begin_with_swaps_where_many_rows_bind() -> None:
    """A round below a thousand columns has its first plan from swaps, the rest from HiGHS."""
    tables = tighter(300, 60)
    plan = _solved(tables, method="auto")
    assert isinstance(plan, Plan)
    assert verify(round_of(tables), plan).ok
    assert [level["way"] for level in _levels(plan)] == ["swaps, then direct"]
    plan = _solved(generate(300, 3, tightness=0.0, rules=0), method="auto")
    assert isinstance(plan, Plan)
    assert [level["way"] for level in _levels(plan)] == ["direct"]


def _levels(plan: Plan) -> list[dict[str, object]]:
    levels = plan.manifest["levels"]
    assert isinstance(levels, list)
    return levels


def test_steps_of_the_same_acceptances_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    case = priced_round(dozen(3, 14))
    assert case is not None
    search = TightSearch(case.search)
    search.visit()
    assert case.record.best is not None
    made: list[bool] = []
    monkeypatch.setattr(tight, "solve_awards", lambda *_: made.append(True))
    monkeypatch.setattr(tight, "KICKS", (0,))
    search.visit()
    assert not made


@pytest.mark.slow
def test_the_order_of_rows_does_not_matter() -> None:
    draw = random.Random(5)
    tables = tighter(300, 60)
    shuffled = {
        # Sources pay in the order of their sheet, by contract.
        sheet: rows if sheet == "Sources" else draw.sample(rows, len(rows))
        for sheet, rows in draw.sample(list(tables.items()), len(tables))
    }
    one, other = _solved(tables), _solved(shuffled)
    assert isinstance(one, Plan)
    assert isinstance(other, Plan)
    assert (one.awards, one.payments, one.bound) == (other.awards, other.payments, other.bound)
