"""Overrides against enumeration: the plan is the best that keeps them, and the cost is what enumeration says."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from integrated_fund.fund import Fund
from integrated_fund.round import Round
from optalloc.errors import WrongUse
from optalloc.plan.overrides import Cost, Override, overridden, records_of, without_of
from optalloc.plan.plan import Plan, stated
from optalloc.plan.verify import verify
from optalloc.solve import overriding
from optalloc.solve.manifest import Request
from optalloc.solve.overriding import refuse_overrides, solve_overridden
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch
from optalloc.solve.solution import NoPlan, Solution, solution_of
from optalloc.solve.solvers.highs import SolverError
from optalloc.workbook.grid import Tables
from tests.plan.test_verify import TABLES
from tests.rule_texts.oracle import Answer, best, evaluate
from tests.rule_texts.rounds import random_tables
from tests.support.tables import round_of

BATCH = 40


def force(project: str) -> Override:
    return Override(project, "force", "the leading group", "minutes")


def forbid(project: str) -> Override:
    return Override(project, "forbid", "the leading group", "minutes")


def solved(
    round_: Round, *overrides: Override, watch: Watch | None = None, gap: str | None = None, solver: str | None = None
) -> Plan | NoPlan:
    refuse_overrides(round_, overrides)
    fund = Fund(overridden(round_, overrides))
    asked = None if gap is None else Decimal(gap)
    found = solve_overridden(round_, fund, overrides, watch or Watch(), Request(asked, solver=solver))
    return found if isinstance(found, NoPlan) else found.on_record(found.plan)


def _with_statuses(tables: Tables, overrides: list[Override]) -> Tables:
    changed = copy.deepcopy(tables)
    for one in overrides:
        for row in changed["Projects"]:
            if row["project"] == one.project:
                row["status"] = one.status
    return changed


def _some(rng: random.Random, tables: Tables) -> list[Override]:
    """Return one to three overrides, also of what is mandatory or excluded; a block grant can only be forbidden."""
    rows = rng.sample(tables["Projects"], min(rng.choice([1, 1, 2, 3]), len(tables["Projects"])))
    return [
        forbid(str(row["project"])) if row.get("min_award") == 0 or rng.random() < 0.4 else force(str(row["project"]))
        for row in rows
    ]


def _exact(cost: Cost, loose: Answer, tight: Answer) -> None:
    """Hold a cost against two optima, each as a plan states it."""
    expected = stated(Fraction(stated(loose.objective)) - Fraction(stated(tight.objective)))
    assert (cost.low, cost.found, cost.high) == (expected,) * 3


def _agrees(seed: int) -> str:
    tables = random_tables(random.Random(seed))
    overrides = _some(random.Random(-seed), tables)
    answer, free = best(_with_statuses(tables, overrides)), best(tables)
    round_ = round_of(tables)
    result = solved(round_, *overrides)
    if answer is None:
        assert isinstance(result, NoPlan)
        assert result.status == "infeasible"
        assert ("or without them" in result.reason) == (free is None)
        assert ("without them there is one" in result.reason) == (free is not None)
        return "no plan"
    assert isinstance(result, Plan)
    assert result.status == "optimal"
    assert result.gap == 0
    assert result.objective == stated(answer.objective)
    decisions = {award.project: (award.option, award.start, Fraction(award.award)) for award in result.awards}
    assert evaluate(_with_statuses(tables, overrides), decisions).feasible
    for one in overrides:
        assert (one.project in decisions) == (one.kind == "force")
    assert not [check for check in verify(round_, result).checks if not check.holds]
    _costs_agree(tables, overrides, result, answer, free)
    return "cost" if free is not None and free.objective > answer.objective else "free"


def _costs_agree(tables: Tables, overrides: list[Override], plan: Plan, answer: Answer, free: Answer | None) -> None:
    together = without_of(plan.manifest).cost
    if free is None:
        assert together == Cost()
    else:
        _exact(together, free, answer)
    for one, record in zip(overrides, records_of(plan.manifest), strict=True):
        assert record.override == one
        rest = best(_with_statuses(tables, [other for other in overrides if other is not one]))
        if rest is None:
            assert record.cost == Cost()
        else:
            _exact(record.cost, rest, answer)


@pytest.mark.parametrize("batch", range(3))
def test_random_rounds(batch: int) -> None:
    ends = [_agrees(seed) for seed in range(20_000 + batch * BATCH, 20_000 + (batch + 1) * BATCH)]
    assert min(ends.count(end) for end in ("no plan", "cost", "free")) >= 3


@pytest.fixture(scope="module")
def round_() -> Round:
    return round_of(TABLES)


def _cost(plan: Plan | NoPlan) -> Cost:
    return without_of(plan.manifest).cost


def _proven(low: float | None, high: float | None, found: float) -> Cost:
    return Cost(*(None if value is None else Decimal(str(value)) for value in (low, high, found)))


def test_the_record_says_who_why_when_and_what_the_workbook_says(round_: Round) -> None:
    plan = solved(round_, force("P5"), forbid("P1"))
    assert isinstance(plan, Plan)
    first, second = records_of(plan.manifest)
    assert (first.override, first.status, first.against_workbook) == (force("P5"), "excluded", True)
    assert (second.override, second.status, second.against_workbook) == (forbid("P1"), "candidate", False)
    assert {row.project: row.reason for row in plan.declined}["P1"] == "forbidden by an override"


def test_forcing_what_is_excluded_may_win(round_: Round) -> None:
    """P5 is excluded for a reason of the planner's own: its people count once it is forced."""
    rich = overridden(round_, [Override("P3", "forbid", "x", "y")])
    plan = solved(rich, force("P3"))
    assert isinstance(plan, Plan)
    found = _cost(plan).found
    assert found is not None
    assert found < 0
    assert plan.manifest["without_overrides"]["objective"] == float(plan.objective + found)  # type: ignore[index]


def test_a_gap_gives_an_interval_that_holds_the_true_cost(round_: Round) -> None:
    true = _cost(solved(round_, forbid("P1"))).found
    wide = _cost(solved(round_, forbid("P1"), gap="0.5"))
    assert true is not None
    assert wide.low is not None
    assert wide.high is not None
    assert 0 <= wide.low <= true <= wide.high


def test_many_overrides_have_one_cost_together(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overriding, "OWN_COSTS_AT_MOST", 1)
    plan = solved(round_, forbid("P1"), force("P6"))
    assert [record.cost for record in records_of(plan.manifest)] == [Cost(), Cost()]
    assert _cost(plan).low == _cost(plan).high is not None


@pytest.mark.parametrize("trouble", [SolverError("no meaning"), MemoryError()])
def test_a_search_for_the_cost_that_fails_keeps_the_plan(
    round_: Round, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise trouble

    monkeypatch.setattr(overriding, "search", fails)
    plan = solved(round_, forbid("P1"))
    assert isinstance(plan, Plan)
    assert plan.status == "optimal"
    # The plan with the override is one without it too, so it cannot be a gain; no more is known.
    assert _cost(plan) == Cost(Decimal(0))
    assert plan.manifest["without_overrides"]["status"] == "unknown"  # type: ignore[index]
    assert verify(round_, plan).ok


def test_no_search_follows_one_that_was_stopped_by_hand(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    solve = solution_of

    def stopped(fund: Fund, watch: Watch, *asked: object, **options: object) -> object:
        found = solve(fund, watch, *asked, **options)  # type: ignore[arg-type]
        watch.stop("interrupted")
        return found

    monkeypatch.setattr(overriding, "solution_of", stopped)
    monkeypatch.setattr(overriding, "search", lambda *_, **__: asked.append(1))
    plan = solved(round_, forbid("P1"), forbid("P2"))
    assert isinstance(plan, Plan)
    assert not asked
    assert [record.override for record in records_of(plan.manifest)] == [forbid("P1"), forbid("P2")]
    assert _cost(plan) == Cost(Decimal(0))


def test_a_better_plan_that_was_found_without_the_override_and_keeps_it_is_taken(
    round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first search stops at a poor plan; the best plan of the round keeps the override by itself."""
    best_plan = plan_of(Fund(round_), Watch())
    assert isinstance(best_plan, Plan)
    unfunded = next(row.project for row in best_plan.declined if row.reason != "status excluded")
    solve = solution_of
    poor = solve(Fund(overridden(round_, [forbid(unfunded), forbid("P1")])), Watch())
    starts: list[object] = []

    def unlucky(fund: Fund, watch: Watch, *asked: object, **options: object) -> object:
        starts.append(options.get("start"))
        if len(starts) == 1:
            assert isinstance(poor, Solution)
            return replace(poor, fund=fund)
        return solve(fund, watch, *asked, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(overriding, "solution_of", unlucky)
    plan = solved(round_, forbid(unfunded))
    assert isinstance(plan, Plan)
    assert len(starts) == 2
    assert starts[1] is not None
    assert plan.objective == best_plan.objective
    assert _cost(plan) == _proven(0, 0, 0)


def test_one_time_limit_for_all_searches_together() -> None:
    watch = Watch(time_limit=60, together=True)
    watch.began -= 100
    assert watch.must_stop()
    watch.again("once more")
    assert watch.must_stop()


def test_each_search_has_the_time_limit_for_itself() -> None:
    watch = Watch(time_limit=60)
    watch.began -= 100
    assert watch.must_stop()
    watch.again("once more")
    assert not watch.must_stop()
    assert watch.left() > 59
    watch.stop("interrupted")
    watch.again("once more")
    assert watch.must_stop()


@pytest.mark.parametrize(
    ("overrides", "code", "says"),
    [
        ([force("P9")], "unknown_project", "no such project"),
        ([force("P1"), forbid("P1")], "forced_and_forbidden", "both"),
        ([force("P1"), force("P1")], "twice", "one is enough"),
        ([force("P4")], "block_grant", "nothing to accept"),
        ([Override("P1", "force", " ", "why")], "by_and_reason", "who decided"),
        ([Override("P1", "force", "who", "")], "by_and_reason", "the reason"),
    ],
)
def test_overrides_that_cannot_be_made(round_: Round, overrides: list[Override], code: str, says: str) -> None:
    with pytest.raises(WrongUse, match=says) as refused:
        refuse_overrides(round_, overrides)
    assert refused.value.code == code


def test_another_solver_finds_the_same_cost(round_: Round) -> None:
    highs = _cost(solved(round_, forbid("P1")))
    scip = _cost(solved(round_, forbid("P1"), solver="scip"))
    assert scip.found == highs.found
