"""The certificate recomputed: never below the best plan by enumeration, the program's own bound within its rounding.

The prices are any of right signs, not only a solver's.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from integrated_fund.fund import Fund
from integrated_fund.round import Round
from optalloc.plan import groups as plan_groups
from optalloc.plan.certificate import Bound, CertificateCheck, bound_of, verify_certificate
from optalloc.plan.groups import NothingPossible
from optalloc.plan.plan import Plan
from optalloc.plan.published import SourcePrices
from optalloc.solve.arrays import arrays_of
from optalloc.solve.certificate import SourcePrices as ProgramPrices
from optalloc.solve.certificate import bound_of as bound_of_program
from optalloc.solve.core import groups as solve_groups
from optalloc.solve.core.groups import Groups
from optalloc.solve.manifest import Request
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch
from optalloc.workbook.grid import Tables
from tests.plan.test_verify import TABLES
from tests.rule_texts.features import EXPECTED, features
from tests.rule_texts.oracle import best
from tests.rule_texts.rounds import random_tables
from tests.support.tables import round_of

#: The program's grid, as a share of everything that is added up.
GRID = Fraction(1, 10**8)
QUICK = range(20_000, 20_100)

RulePrices = dict[tuple[str, str | None], Decimal]
PricesOfSources = dict[tuple[str, int | None], SourcePrices]


class Priced:
    """A round under any prices, for the program and for the verification."""

    def __init__(self, tables: Tables) -> None:
        self.fund = Fund(round_of(tables))
        self.groups = Groups(arrays_of(self.fund), self.fund.ledger.project_of)

    def any_prices(self, rng: random.Random) -> tuple[RulePrices, PricesOfSources]:
        """Draw prices of right signs; some 0, some far off."""

        def draw() -> Decimal:
            return Decimal(rng.randint(0, 10**6)).scaleb(-rng.randint(3, 9)) if rng.random() < 0.6 else Decimal(0)

        rules = {}
        for row in self.fund.appraisal.limits.rows:
            price = draw() * {"<=": 1, ">=": -1, "=": rng.choice([-1, 1])}[row.rule.sense]
            if row.rule.penalty is not None:
                price = min(max(price, -row.rule.penalty), row.rule.penalty)
            rules[row.rule.rule, row.member] = price
        sources = {(row.source, row.year): SourcePrices(draw(), draw(), -draw()) for row in self.fund.classes.sources}
        return rules, sources

    def program(self, rules: RulePrices, sources: PricesOfSources) -> Fraction:
        """Return the program's bound."""
        by_row = {row.name: rules[row.rule.rule, row.member] for row in self.fund.appraisal.limits.rows}
        own = [sources[row.source, row.year] for row in self.fund.classes.sources]
        prices = [ProgramPrices(price.amount, price.carry, price.least) for price in own]
        return bound_of_program(self.fund, self.groups, by_row, prices)

    def hold(self, rules: RulePrices, sources: PricesOfSources) -> Bound:
        """Return the bound, after holding the program's against it."""
        own = bound_of(self.fund.round, rules, sources)
        assert 0 <= self.program(rules, sources) - own.value <= GRID * own.size
        return own


def _hold(seed: int, draws: int) -> bool:
    rng = random.Random(seed)
    tables = random_tables(rng)
    if seed % 5 == 0:  # nobody pays for some
        tables["Sources"] = [{**row, "sectors": tables["Sectors"][0]["sector"]} for row in tables["Sources"]]
    answer = best(tables)
    priced = Priced(tables)
    for _ in range(draws):
        try:
            own = priced.hold(*priced.any_prices(rng))
        except NothingPossible:
            assert answer is None
            return False
        assert answer is None or own.value >= answer.objective
    return answer is not None


@pytest.mark.parametrize("batch", range(2))
def test_any_prices_bound_the_best_plan_and_give_the_bound_of_the_program(batch: int) -> None:
    assert sum(_hold(seed, 3) for seed in QUICK[50 * batch : 50 * batch + 50]) > 25


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(8))
def test_any_prices_of_many_rounds(batch: int) -> None:
    first = 21_000 + 100 * batch
    assert sum(_hold(seed, 5) for seed in range(first, first + 100)) > 50


def test_the_rounds_have_everything_in_them() -> None:
    found: dict[str, int] = {}
    for seed in QUICK:
        for feature in features(random_tables(random.Random(seed)), None):
            found[feature] = found.get(feature, 0) + 1
    of_outcomes = {"feasible", "binding rule", "rule without slack", "violated soft rule", "several optima"}
    of_outcomes |= {"carry needed", "synergy reached", "synergy discounted"}
    assert {name: found.get(name, 0) for name in EXPECTED - of_outcomes if found.get(name, 0) < 3} == {}


# Links that are left out.


def test_links_of_too_many_states_are_left_out_as_the_program_does(monkeypatch: pytest.MonkeyPatch) -> None:
    larger = 0
    for seed in range(22_000, 22_040):
        tables = random_tables(random.Random(seed))
        whole = Priced(tables)
        prices = whole.any_prices(random.Random(seed))
        with monkeypatch.context() as few:
            few.setattr(solve_groups, "PATTERNS", 4)
            few.setattr(plan_groups, "COMBINATIONS", 4)
            try:
                loose = Priced(tables).hold(*prices)
            except NothingPossible:
                continue
        try:
            tied = whole.hold(*prices)
        except NothingPossible:
            continue
        assert loose.value >= tied.value
        larger += loose.value > tied.value
    assert larger > 3


@pytest.mark.parametrize(("projects", "left_out"), [(12, False), (13, True)])
def test_twelve_projects_are_compared_and_thirteen_are_not(projects: int, left_out: bool) -> None:
    place = {"sector": "edu", "region": "a", "max_award": 10}
    tables: Tables = {
        **{sheet: TABLES[sheet] for sheet in ("Round", "Sectors", "Regions", "Criteria")},
        "Sources": [{"source": "pool", "year": 2030, "amount": 1000}],
        "Projects": [{"project": f"p{n:02d}", **place, "people": 5} for n in range(projects)],
        "Links": [
            {"link": "L", "kind": "at_most", "projects": "; ".join(f"p{n:02d}" for n in range(projects)), "k": 2}
        ],
    }
    nothing = SourcePrices(Decimal(0), Decimal(0), Decimal(0))
    own = Priced(tables).hold({}, {("pool", 2030): nothing})
    assert own.value == (5 * projects if left_out else 10)


def test_a_year_without_money_needs_nobody_to_pay() -> None:
    project = {"project": "late", "sector": "edu", "region": "a", "max_award": 10, "people": 5}
    tables: Tables = {
        **{sheet: TABLES[sheet] for sheet in ("Round", "Sectors", "Regions", "Criteria")},
        "Sources": [{"source": "pool", "year": 2031, "amount": 1000}],
        "Projects": [{**project, "profile": "0; 1"}, {**project, "project": "early", "profile": "0.5; 0.5"}],
    }
    nothing = SourcePrices(Decimal(0), Decimal(0), Decimal(0))
    assert Priced(tables).hold({}, {("pool", 2031): nothing}).value == 5


def test_a_round_of_excluded_projects_is_worth_its_money_alone() -> None:
    project = {"sector": "edu", "region": "a", "max_award": 10, "people": 5, "status": "excluded"}
    tables: Tables = {
        **{sheet: TABLES[sheet] for sheet in ("Round", "Sectors", "Regions", "Criteria")},
        "Sources": [{"source": "pool", "year": 2030, "amount": 1000}],
        "Projects": [{"project": "P1", **project}, {"project": "P2", **project}],
        "Rules": [{"rule": "cap", "measure": "award", "sense": "<=", "bound": 7, "each": "region"}],
    }
    one = Decimal(1)
    prices = SourcePrices(one, Decimal(0), Decimal(0))
    assert bound_of(round_of(tables), {("cap", "a"): one, ("cap", "b"): one}, {("pool", 2030): prices}).value == 1014


# What a plan states.


@pytest.fixture(scope="module")
def solved() -> tuple[Round, Plan]:
    tables = copy.deepcopy(TABLES)
    tables["Rules"] += [
        {"rule": "people", "measure": "people", "sense": "<=", "bound": 20},
        {"rule": "wish", "measure": "accepted", "sense": ">=", "bound": 9, "penalty": Decimal("0.25")},
        {"rule": "even", "measure": "award", "sense": "=", "bound": 150, "penalty": Decimal("0.001")},
    ]
    round_ = round_of(tables)
    plan = plan_of(Fund(round_), Watch(), Request(Decimal(0), "core"))
    assert isinstance(plan, Plan)
    return round_, plan


def _failing(round_: Round, plan: Plan) -> list[str]:
    return [check.check for check in verify_certificate(round_, plan).verification.checks if not check.holds]


def _with(plan: Plan, change: Callable[[dict[str, Any]], object]) -> Plan:
    """Return the plan with another certificate."""
    stated = copy.deepcopy(plan.manifest["certificate"])
    assert isinstance(stated, dict)
    change(stated)
    return replace(plan, manifest={**plan.manifest, "certificate": stated})


def _relabelled(stated: dict[str, Any]) -> None:
    """Make the lists by label agree with the others again."""
    stated["rules"] = {
        row["rule"] if row["member"] is None else f"{row['rule']} [{row['member']}]": row["price"]
        for row in stated["rule_prices"]
        if Decimal(row["price"])
    }
    stated["sources"] = {
        f"{row['source']}@{row['year']}": [row["amount"], row["carry"], row["least"]] for row in stated["source_prices"]
    }


def test_the_certificate_of_a_plan_holds(solved: tuple[Round, Plan]) -> None:
    round_, plan = solved
    found = verify_certificate(round_, plan)
    assert found.verification.ok
    assert found.bound is not None
    assert found.distance == found.bound - plan.objective >= 0
    stated = plan.manifest["certificate"]
    assert isinstance(stated, dict)
    assert 0 <= Decimal(stated["bound"]) - found.bound < Decimal("1e-8")


def test_plans_of_random_rounds_have_a_certificate_that_holds() -> None:
    held = 0
    for seed in range(23_000, 23_030):
        round_ = round_of(random_tables(random.Random(seed)))
        plan = plan_of(Fund(round_), Watch(), Request(Decimal(0), "core"))
        if isinstance(plan, Plan) and plan.manifest["certificate"] is not None:
            assert _failing(round_, plan) == []
            held += 1
    assert held > 12


def test_every_price_that_is_moved_is_found(solved: tuple[Round, Plan]) -> None:
    round_, plan = solved
    moved = 0
    for table, prices in (("rule_prices", ("price",)), ("source_prices", ("amount", "carry", "least"))):
        rows = plan.manifest["certificate"][table]  # type: ignore[index]
        for number, row in enumerate(rows):
            for price in prices:
                value = Decimal(row[price])
                if not value:
                    continue

                def move(stated: dict[str, Any], *, relabel: bool) -> None:
                    stated[table][number][price] = str(value * Decimal("1.01"))  # noqa: B023
                    if relabel:
                        _relabelled(stated)

                assert _failing(round_, _with(plan, lambda stated: move(stated, relabel=False)))
                assert _failing(round_, _with(plan, lambda stated: move(stated, relabel=True)))
                moved += 1
    assert moved > 2


def _row(table: str, number: int, **figures: object) -> Callable[[dict[str, Any]], None]:
    def change(stated: dict[str, Any]) -> None:
        stated[table][number] |= figures

    return change


def _number_of(plan: Plan, rule: str, member: str | None) -> int:
    rows = plan.manifest["certificate"]["rule_prices"]  # type: ignore[index]
    (found,) = [n for n, row in enumerate(rows) if (row["rule"], row["member"]) == (rule, member)]
    return int(found)


@pytest.mark.parametrize(
    ("rule", "member", "price"),
    [
        ("west", None, "0.1"),
        ("head", "b", "1e-9"),
        ("people", None, "-1e-9"),
        ("soft", None, "-1e-9"),
        ("soft", None, "0.500001"),
        ("wish", None, "1e-9"),
        ("wish", None, "-0.250001"),
        ("even", None, "0.00101"),
        ("even", None, "-0.00101"),
    ],
)
def test_prices_of_wrong_signs_are_named(solved: tuple[Round, Plan], rule: str, member: str | None, price: str) -> None:
    round_, plan = solved
    forged = _with(plan, _row("rule_prices", _number_of(plan, rule, member), price=price))
    name = rule if member is None else f"{rule} [{member}]"
    assert f"certificate price of {name}" in _failing(round_, forged)


@pytest.mark.parametrize(("kind", "price"), [("amount", "-1e-9"), ("carry", "-1e-9"), ("least", "1e-9")])
def test_source_prices_of_wrong_signs_are_named(solved: tuple[Round, Plan], kind: str, price: str) -> None:
    round_, plan = solved
    forged = _with(plan, _row("source_prices", 0, **{kind: price}))
    assert "certificate prices of pool@2030" in _failing(round_, forged)


def test_missing_unknown_and_doubled_prices_are_found(solved: tuple[Round, Plan]) -> None:
    round_, plan = solved
    for table in ("rule_prices", "source_prices"):
        assert "certificate prices missing" in _failing(round_, _with(plan, lambda stated: stated[table].pop()))  # noqa: B023
        doubled = _with(plan, lambda stated: stated[table].append(stated[table][0]))  # noqa: B023
        assert "certificate prices twice" in _failing(round_, doubled)
    for change in (
        _row("rule_prices", 0, rule="other"),
        _row("rule_prices", 0, member="z"),
        _row("source_prices", 0, year=2040),
        _row("source_prices", 0, source="other"),
    ):
        failing = _failing(round_, _with(plan, change))
        assert "certificate prices missing" in failing
        assert "certificate prices unknown" in failing


@pytest.mark.parametrize(
    "change",
    [
        lambda stated: stated["rules"].clear(),
        lambda stated: stated["rules"].update(other="1"),
        lambda stated: stated["sources"].update({"pool@2030": ["9", "0", "0"]}),
    ],
)
def test_prices_by_label_say_the_same(solved: tuple[Round, Plan], change: Callable[[dict[str, Any]], object]) -> None:
    round_, plan = solved
    assert _failing(round_, _with(plan, change)) == ["certificate prices by label"]


def test_a_bound_that_is_moved_is_found(solved: tuple[Round, Plan]) -> None:
    round_, plan = solved
    bound = Decimal(plan.manifest["certificate"]["bound"])  # type: ignore[index]
    for change, check in ((Decimal("-1e-6"), "certificate bound"), (Decimal("0.01"), "certificate rounding")):
        forged = _with(plan, lambda stated: stated.update(bound=str(bound + change)))  # noqa: B023
        assert _failing(round_, forged) == [check]


def test_other_prices_with_their_own_bound_are_a_certificate_too(solved: tuple[Round, Plan]) -> None:
    round_, plan = solved

    def zero(stated: dict[str, Any]) -> None:
        for row in stated["rule_prices"]:
            row["price"] = "0"
        for row in stated["source_prices"]:
            row |= {"amount": "0", "carry": "0", "least": "0"}
        stated["bound"] = "27"  # everybody but the excluded and one of the two that exclude each other: 9 + 7 + 5 + 6
        _relabelled(stated)

    assert _failing(round_, _with(plan, zero)) == []


def test_a_plan_above_the_bound_is_found(solved: tuple[Round, Plan]) -> None:
    round_, plan = solved
    assert _failing(round_, replace(plan, objective=plan.objective + 100)) == ["certificate and plan"]


@pytest.mark.parametrize(
    "change",
    [
        lambda stated: stated.pop("rule_prices"),
        lambda stated: stated.pop("source_prices"),
        lambda stated: stated.pop("bound"),
        lambda stated: stated.update(bound=26.4),
        lambda stated: stated.update(bound="NaN"),
        lambda stated: stated.update(bound="-Infinity"),
        lambda stated: stated.update(bound="1E+999999999"),
        lambda stated: stated.update(bound="9" * 1_000_000),
        lambda stated: stated.update(rule_prices={}),
        lambda stated: stated.update(rule_prices=[None]),
        lambda stated: stated.update(rules=[]),
        lambda stated: stated.update(sources={"pool": 1}),
        _row("rule_prices", 0, price="1E-999999999"),
        _row("rule_prices", 0, price="one"),
        _row("rule_prices", 0, price=None),
        _row("rule_prices", 0, rule=3),
        _row("rule_prices", 0, member=["a"]),
        _row("source_prices", 0, year="2030"),
        _row("source_prices", 0, least=0),
    ],
)
def test_what_cannot_be_read_fails(solved: tuple[Round, Plan], change: Callable[[dict[str, Any]], object]) -> None:
    round_, plan = solved
    found = verify_certificate(round_, _with(plan, change))
    assert not found.verification.ok
    assert found.bound is None


@pytest.mark.parametrize("stated", [[], "prices", 3, {}])
def test_what_is_no_certificate_fails(solved: tuple[Round, Plan], stated: object) -> None:
    round_, plan = solved
    found = verify_certificate(round_, replace(plan, manifest={**plan.manifest, "certificate": stated}))
    assert isinstance(found, CertificateCheck)
    assert not found.verification.ok


def test_rules_whose_labels_are_alike_have_prices_of_their_own() -> None:
    tables = copy.deepcopy(TABLES)
    tables["Rules"] = [
        {"rule": "cap", "measure": "award", "sense": "<=", "bound": 70, "each": "region", "belts": None},
        {"rule": "cap [b]", "measure": "award", "sense": "<=", "bound": 60, "each": None, "belts": "west"},
    ]
    round_ = round_of(tables)
    plan = plan_of(Fund(round_), Watch(), Request(Decimal(0), "core"))
    assert isinstance(plan, Plan)
    rows = plan.manifest["certificate"]["rule_prices"]  # type: ignore[index]
    assert [(row["rule"], row["member"]) for row in rows] == [("cap", "a"), ("cap", "b"), ("cap [b]", None)]
    assert _failing(round_, plan) == []
