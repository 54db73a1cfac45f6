"""The example rounds: the same tables everywhere, without a mistake in them, and with a plan."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from random import Random

import pytest

from integrated_fund.checks import check
from integrated_fund.fund import Fund
from integrated_fund.ledger import Ledger
from integrated_fund.limits import limits_of
from optalloc.examples import EXAMPLES
from optalloc.examples.drafts import draft_round
from optalloc.examples.generator import FIRST_YEAR, generate
from optalloc.examples.provinces import BELTS, PROVINCES
from optalloc.plan.plan import Plan
from optalloc.solve.exactness import judge
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch
from optalloc.workbook.grid import Tables
from optalloc.workbook.reader import reading_of
from tests.support.tables import grids_of, round_of

#: What the tables were when they were last looked at. A change of the generator changes them all.
DIGESTS = {
    "small": "4247f8f24b844cb1a32b499e6409c5bb32a36b1753a428a6c5c1478e6f195104",
    "national": "73d14ede9bee7ba24a7e85171349d6cace1f1e827cd7af8f733d66cd81535366",
}


def digest(tables: Tables) -> str:
    return hashlib.sha256(
        repr([(sheet, [list(row.items()) for row in rows]) for sheet, rows in tables.items()]).encode()
    ).hexdigest()


def parts(text: object) -> list[str]:
    return [part.strip() for part in str(text).split(";")]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_tables_are_the_same_everywhere(name: str) -> None:
    assert digest(EXAMPLES[name]()) == DIGESTS[name]


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_wrong_or_suspicious(name: str) -> None:
    tables = EXAMPLES[name]()
    reading = reading_of(grids_of(tables), list(tables))
    assert reading.round is not None
    assert [problem.message() for problem in (*reading.problems, *check(reading.round))] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_rows_of_a_sheet_have_the_same_columns(name: str) -> None:
    for rows in EXAMPLES[name]().values():
        assert len({tuple(row) for row in rows}) == 1
        for value in (value for row in rows for value in row.values()):
            assert value is None or type(value) in (str, int, Decimal)


@pytest.mark.parametrize("name", EXAMPLES)
def test_shares_and_profiles_add_up_exactly(name: str) -> None:
    projects = EXAMPLES[name]()["Projects"]
    shares = [parts(row["region"]) for row in projects if ":" in str(row["region"])]
    profiles = [parts(row["profile"]) for row in projects if row["profile"] is not None]
    assert shares
    assert profiles
    assert {sum(Decimal(part.split(":")[1]) for part in row) for row in shares} == {1}
    assert {sum(map(Decimal, row)) for row in profiles} == {1}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_start_fits_into_the_round(name: str) -> None:
    tables = EXAMPLES[name]()
    settings = {row["setting"]: row["value"] for row in tables["Round"]}
    first, years = settings["first_year"], settings["years"]
    assert isinstance(first, int)
    assert isinstance(years, int)
    windows = 0
    for row in tables["Projects"]:
        begin = row["start_from"] if row["start_from"] is not None else first
        end = row["start_to"] if row["start_to"] is not None else begin
        length = 1 if row["profile"] is None else len(parts(row["profile"]))
        assert isinstance(begin, int)
        assert isinstance(end, int)
        assert first <= begin <= end <= first + years - length
        windows += end > begin
    assert windows


def test_the_provinces_are_those_of_the_census() -> None:
    # Communiqué No. 3 of the seventh census: 1,411,778,724 people, 2,000,000 of them in the armed forces.
    assert sum(province.population for province in PROVINCES) == 1_411_778_724 - 2_000_000
    assert [sum(province.belt == belt for province in PROVINCES) for belt in BELTS] == [10, 6, 12, 3]
    assert len({province.region for province in PROVINCES}) == len({province.title for province in PROVINCES}) == 31
    # The provinces' products miss the national one of 2022 (about 120 trillion yuan) by little.
    assert Decimal(1_190_000) < sum(province.gdp for province in PROVINCES) < Decimal(1_215_000)


def test_small_has_everything_once() -> None:
    tables = EXAMPLES["small"]()
    rules = tables["Rules"]
    kinds = {row["kind"] for row in tables["Links"]}
    assert kinds == {"requires", "excludes", "all_or_none", "at_least", "at_most", "synergy"}
    assert {row["value"] for row in tables["Links"] if row["value"] is not None} == {Decimal(20), Decimal(-15)}
    assert {row["of"] for row in rules} == {None, "total", "funds", "average", "population"}
    assert {row["each"] for row in rules} == {None, "region", "institution", "year"}
    assert [row["rule"] for row in rules if row["within"] is not None] == ["west_schools"]
    assert [row["rule"] for row in rules if row["penalty"] is not None] == ["partnerships"]
    assert {row["direction"] for row in tables["Criteria"]} == {"max", "min"}


def test_small_has_one_plan_that_several_rules_shape() -> None:
    plan = plan_of(Fund(round_of(EXAMPLES["small"]())), Watch())
    assert isinstance(plan, Plan)
    assert plan.status == "optimal"
    assert plan.objective == plan.bound == Decimal("683.2")
    awards = {award.project: award.award for award in plan.awards}
    assert awards == {
        "apprentices": 200, "boarding": 160, "campus": 240, "fellows": 80, "masters": 90, "optics": 200,
        "rural_schools": 100, "seeds": 200, "teachers": 120, "village_schools": 110,
    }  # fmt: skip
    tight = {line.rule for line in plan.rules if line.slack < 10}
    assert tight == {"institutions", "partnerships", "west_per_head"}


def test_national_is_as_large_as_it_says() -> None:
    tables = EXAMPLES["national"]()
    projects = tables["Projects"]
    assert sum(row["min_award"] != 0 for row in projects) == 2400
    assert sum(row["category"] == "block_grant" for row in projects) == 2 * 31 * 3
    assert 0.18 < len({row["project"] for row in tables["Options"]}) / 2400 < 0.25
    rows = limits_of(Ledger(round_of(tables))).rows
    assert 60 <= len(rows) <= 75
    asked = sum(Decimal(str(row["max_award"])) for row in projects)
    funds = sum(Decimal(str(row["amount"])) for row in tables["Sources"])
    assert Decimal("0.3") < funds / asked < Decimal("0.45")


@pytest.mark.parametrize(
    ("projects", "seed", "years", "tightness", "rules"),
    [(300, 1, 1, 0.5, 60), (300, 2, 5, 1.0, 60), (300, 3, 3, 0.0, 20), (700, 4, 2, 1.0, 400), (2400, 2027, 3, 0.5, 75)],
)
def test_the_reference_plan_keeps_every_rule(
    projects: int, seed: int, years: int, tightness: float, rules: int
) -> None:
    drafts, reference = draft_round(projects, years, Random(seed))
    fund = Fund(round_of(generate(projects, seed, years, tightness, rules)))
    ledger = fund.ledger
    decision = {}
    for project, award in reference.awards.items():
        start = FIRST_YEAR + reference.starts[project]
        own = [j for j in ledger.choices_of[project] if ledger.choices[j].option is None]
        (chosen,) = (j for j in own if ledger.choices[j].start == start)
        if award:
            decision[chosen] = award
    assert sum(draft.project in reference.awards for draft in drafts) > len(drafts) // 4
    status = {project.project: project.status for project in fund.round.projects}
    assert {status[project] for project in reference.awards} == {"candidate", "mandatory"}
    assert {project for project in status if status[project] == "mandatory"} <= set(reference.awards)
    judgement = judge(fund, decision, ())
    assert [value.limit.label for value in judgement.evaluation.broken_limits] == []
    assert [link.link for link in judgement.evaluation.broken_links] == []
    assert judgement.is_plan
    assert len(judgement.evaluation.limits) <= rules


def test_a_seed_makes_a_round() -> None:
    assert digest(generate(300, 5)) == digest(generate(300, 5))
    assert digest(generate(300, 5)) != digest(generate(300, 6))


def test_links_are_of_every_kind() -> None:
    links = generate(800, 5)["Links"]
    assert len(links) == 16
    assert {row["kind"] for row in links} == {"requires", "excludes", "all_or_none", "at_least", "at_most", "synergy"}


@pytest.mark.parametrize(
    "change",
    [{"projects": 299}, {"years": 0}, {"years": 6}, {"tightness": 1.1}, {"rules": -1}, {"links_per_thousand": 51}],
)
def test_arguments_out_of_range_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(change.values())))):
        generate(**{"projects": 300, "seed": 1, **change})
