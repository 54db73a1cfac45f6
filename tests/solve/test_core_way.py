"""The core way against enumeration and against the direct way: same verdict, same optimum, same plan.

Small rounds fit into one core, so they are also solved with cores and windows of a few projects only: then prices,
settling and neighbourhoods have to find and prove what the last core would have.
"""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction

import pyomo.environ as pyo
import pytest

from integrated_fund.evaluation import Decision
from integrated_fund.fund import Fund, fund_for_solving
from optalloc.examples.generator import generate
from optalloc.plan.plan import Plan, stated
from optalloc.plan.verify import verify
from optalloc.solve.arrays import arrays_of
from optalloc.solve.core import cores, neighbourhoods
from optalloc.solve.core.cores import CoreSearch
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.core.sifting import priced
from optalloc.solve.exactness import Held, decision_of
from optalloc.solve.manifest import Request
from optalloc.solve.planning import NoPlan, plan_of
from optalloc.solve.progress import Watch
from optalloc.solve.record import Record
from optalloc.solve.search import Method
from optalloc.workbook.grid import Tables
from tests.rule_texts.cells import world_of
from tests.rule_texts.oracle import Answer, best
from tests.rule_texts.rounds import random_tables
from tests.rule_texts.search import Search, Vector
from tests.support.tables import round_of

BATCH = 25
#: Seeds whose optimum was missed: an award one step off its end was taken for decided.
LESSONS = (132, 343)

_Way = dict[str, tuple[str | None, int | None, Fraction]]


@pytest.fixture
def tiny_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "CORES", (1, 2))
    monkeypatch.setattr(cores, "WHOLE", 0)
    monkeypatch.setattr(neighbourhoods, "STEADY", 1)
    monkeypatch.setattr(neighbourhoods, "WINDOW", 2)


def _solved(tables: Tables, method: Method) -> Plan | NoPlan:
    return plan_of(Fund(round_of(tables)), Watch(), Request(Decimal(0), method))


def _levels(plan: Plan) -> list[dict[str, object]]:
    levels = plan.manifest["levels"]
    assert isinstance(levels, list)
    return levels


def _agrees_with(answer: Answer | None, result: Plan | NoPlan) -> None:
    if answer is None:
        assert isinstance(result, NoPlan)
        assert result.status == "infeasible"
        return
    assert isinstance(result, Plan), f"there is a plan: {answer.optimal[0]}"
    assert result.objective == stated(answer.optima[0])
    assert result.status == "optimal"
    assert result.bound is not None
    assert result.bound >= stated(answer.optima[0])
    for optimum, level in zip(answer.optima, _levels(result), strict=True):
        assert level["optimum"] == pytest.approx(float(optimum), rel=1e-9, abs=1e-9)
        assert isinstance(level["bound"], float)
        assert level["bound"] >= float(optimum) - 1e-9 * max(1.0, abs(float(optimum)))
    decisions = {award.project: (award.option, award.start, Fraction(award.award)) for award in result.awards}
    if answer.complete:
        assert decisions in [dict(optimal) for optimal in answer.optimal]


def _agree(seed: int) -> None:
    tables = random_tables(random.Random(seed))
    answer = best(tables)
    core, direct = _solved(tables, "core"), _solved(tables, "direct")
    _agrees_with(answer, core)
    _agrees_with(answer, direct)
    if isinstance(core, Plan) and isinstance(direct, Plan):
        assert str(_levels(core)[0]["way"]).startswith("core")
        broken = [plan.manifest["tie_break"] for plan in (core, direct)]
        if all(isinstance(how, dict) and how["complete"] for how in broken):
            assert core.awards == direct.awards
            assert core.payments == direct.payments
        assert not [check for check in verify(round_of(tables), core).checks if not check.holds]


@pytest.mark.parametrize("batch", range(2))
def test_both_ways_agree(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        _agree(seed)


@pytest.mark.usefixtures("tiny_cores")
@pytest.mark.parametrize("seed", LESSONS)
def test_lessons(seed: int) -> None:
    _agree(seed)


@pytest.mark.usefixtures("tiny_cores")
@pytest.mark.parametrize("batch", range(2, 4))
def test_both_ways_agree_in_tiny_cores(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        _agree(seed)


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(20, 30))
def test_both_ways_agree_on_many_rounds(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        _agree(seed)


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_cores")
@pytest.mark.parametrize("batch", range(30, 42))
def test_both_ways_agree_in_tiny_cores_on_many_rounds(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        _agree(seed)


# Constraints of one's own.


def _own(kind: str, seed: int, method: Method) -> Decimal | None:
    """Return the optimum of a random round with something of one's own in it; None where there is no plan."""
    rng = random.Random(seed)
    fund = Fund(round_of(random_tables(rng)))
    arrays, project_of = arrays_of(fund), fund.ledger.project_of
    units = [unit for unit in range(len(project_of)) if arrays.accept[unit] >= 0]
    extras = [int(column) for column in arrays.extra if column >= 0 and arrays.column_upper[column] > 0]
    if not units or not extras:
        return None
    one = rng.choice(units)
    several = [unit for unit in units if (project_of[units] == project_of[unit]).sum() > 2] or units
    some = [unit for unit in several if project_of[unit] == project_of[several[0]]][1:3]
    accepted, award = fund.variables[arrays.accept[one]], fund.variables[rng.choice(extras)]
    if kind == "one of two choices" and some:
        fund.model.mine = pyo.Constraint(expr=sum(fund.variables[arrays.accept[unit]] for unit in some) >= 1)
    elif kind == "an acceptance fixed":
        accepted.fix(1)
    elif kind == "an award fixed":
        award.fix(rng.randint(0, int(award.ub)))
    elif kind == "a least award":
        award.setlb(1)
    else:
        fund.model.mine = pyo.Constraint(expr=award + 2 * accepted <= int(award.ub) // 2)
    result = plan_of(fund, Watch(), Request(Decimal(0), method))
    return result.objective if isinstance(result, Plan) else None


@pytest.mark.usefixtures("tiny_cores")
@pytest.mark.parametrize(
    "kind", ["one of two choices", "an acceptance fixed", "an award fixed", "a least award", "a row of an award"]
)
def test_what_somebody_adds_to_the_model_holds(kind: str) -> None:
    """Seed 112: a row over projects that no core had; 79: a bound on an acceptance."""
    for seed in (*range(14), 57, 79, 112, 123):
        assert _own(kind, seed, "core") == _own(kind, seed, "direct"), seed


# What prices decide.


def _ways(fund: Fund, decision: Decision) -> _Way:
    """Return what each project gets, as the oracle says it."""
    ledger = fund.ledger
    found: _Way = {}
    for number, steps in decision.items():
        choice = ledger.choices[number]
        found[choice.project.project] = (
            choice.option,
            None if len(ledger.years) == 1 else choice.start,
            steps * ledger.step,
        )
    return found


def _decision(fund: Fund, ways: _Way) -> dict[int, int]:
    """Return the oracle's decisions as choices and steps."""
    ledger = fund.ledger
    single = len(ledger.years) == 1
    number = {
        (choice.project.project, choice.option, None if single else choice.start): j
        for j, choice in enumerate(ledger.choices)
    }
    return {
        number[project, option, start]: int(award / ledger.step) for project, (option, start, award) in ways.items()
    }


def _best_plans(search: Search, found: list[tuple[tuple[int, ...], Vector]], level: int, wanted: int) -> list[_Way]:
    """Return the best plans of a level, the worst last; `found` are vectors that sources may yet not pay."""
    single = len(search.world.years) == 1
    plans: list[_Way] = []
    for _, vector in sorted(found, key=lambda entry: -entry[0][level]):
        if len(plans) == wanted:
            break
        if search.pays(vector):
            taken = zip(search.world.works, search.choices, vector, strict=True)
            chosen = ((work.name, choices[number]) for work, choices, number in taken)
            plans.append(
                {name: (c.option, None if single else c.start, c.award) for name, c in chosen if c is not None}
            )
    return plans


def _decided_by_prices(seed: int) -> int:
    """Hold what prices decide against all better plans; return how many decisions were held against plans."""
    rng = random.Random(seed)
    tables = random_tables(rng)
    search = Search(world_of(tables))
    found = list(search.vectors())
    fund = Fund(round_of(tables))
    arrays = arrays_of(fund)
    held: tuple[Held, ...] = ()
    compared = 0
    for level in range(len(fund.appraisal.levels)):
        # A plan not far from the best is known, so that prices decide something and yet other plans are better.
        plans = _best_plans(search, found, level, rng.randint(2, 12))
        if not plans:
            return 0
        record = Record(fund, arrays, level, held, 0.0, Watch())
        known, *better = (record.judged(_decision(fund, ways)) for ways in reversed(plans))
        assert record.consider(known)
        pricing = Pricing(record.base, record.cost, fund.ledger.project_of)
        prices = priced(pricing, Watch())
        assert prices is not None
        top = max(judgement.evaluation.levels[level] for judgement in (known, *better))
        assert prices.bound >= float(top) - 1e-6 * max(1.0, abs(float(top)))
        undecided = CoreSearch(record, pricing, prices).undecided()
        decided = [p.project for p, doubt in zip(fund.ledger.projects, undecided, strict=True) if not doubt]
        vertex = _ways(fund, decision_of(fund, arrays, prices.vertex.x))
        for judgement in better:
            if judgement.evaluation.levels[level] > known.evaluation.levels[level]:
                own = _ways(fund, judgement.evaluation.decision)
                assert {project: own.get(project) for project in decided} == {p: vertex.get(p) for p in decided}, seed
                compared += len(decided)
        held = (*held, Held(level, top))
        found = [entry for entry in found if Fraction(entry[0][level], search.unit) >= top]
    return compared


@pytest.mark.parametrize("seed", LESSONS)
def test_prices_decide_rightly_where_they_did_not(seed: int) -> None:
    _decided_by_prices(seed)


def test_better_plans_have_what_prices_decide() -> None:
    assert sum(_decided_by_prices(seed) for seed in range(60)) > 50


@pytest.mark.slow
def test_better_plans_of_many_rounds_have_what_prices_decide() -> None:
    assert sum(_decided_by_prices(seed) for seed in range(1000, 1300)) > 250


# Lexicographic rounds.


@pytest.mark.usefixtures("tiny_cores")
def test_every_priority_in_its_turn() -> None:
    found = 0
    for seed in range(5000, 5060):
        tables = random_tables(random.Random(seed))
        answer = best(tables)
        if answer is not None and len(answer.optima) > 1:
            found += 1
            _agrees_with(answer, _solved(tables, "core"))
    assert found > 2


# One plan, however the round is written and however often it is solved.


def _generated(tables: Tables) -> Plan:
    plan = plan_of(fund_for_solving(round_of(tables)), Watch(), Request(Decimal("0.0005"), "core"))
    assert isinstance(plan, Plan)
    return plan


def _shuffled(tables: Tables, seed: int) -> Tables:
    rng = random.Random(seed)
    return {
        # Sources pay in the order of their sheet, by contract.
        sheet: rows if sheet == "Sources" else rng.sample(rows, len(rows))
        for sheet, rows in rng.sample(list(tables.items()), len(tables))
    }


@pytest.mark.slow
def test_the_order_of_rows_does_not_matter_to_the_core_way() -> None:
    tables = generate(3500, 3)
    one, other = _generated(tables), _generated(_shuffled(tables, 1))
    assert (one.awards, one.payments, one.bound) == (other.awards, other.payments, other.bound)


def _split(tables: Tables) -> Tables:
    """Write a rule for each year as a rule of each year's own."""
    rules: list[dict[str, object]] = []
    for row in tables["Rules"]:
        if row.get("each") == "year":
            rules += [
                {**row, "each": None, "years": year, "rule": f"{row['rule']}_{year}"} for year in range(2026, 2029)
            ]
        else:
            rules.append(row)
    assert len(rules) == len(tables["Rules"]) + 2
    return {**tables, "Rules": rules}


@pytest.mark.slow
def test_a_rule_written_row_by_row_has_the_same_bound_and_a_plan_as_good() -> None:
    """The programme has other cells then: inside the gap, another plan may be found first."""
    tables = generate(3500, 3)
    one, other = _generated(tables), _generated(_split(tables))
    assert one.bound is not None
    assert other.bound is not None
    assert float(one.bound) == pytest.approx(float(other.bound), rel=1e-6)
    assert one.status == other.status == "optimal"
    assert float(one.objective) == pytest.approx(float(other.objective), rel=5e-4)


@pytest.mark.slow
def test_ten_runs_of_the_core_way_give_one_plan() -> None:
    tables = generate(1000, 4)
    first = _generated(tables)
    for _ in range(9):
        again = _generated(tables)
        assert (again.awards, again.payments, again.bound) == (first.awards, first.payments, first.bound)
