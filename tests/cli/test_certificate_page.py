"""The worked example of docs/certificate.md: its figures by plain arithmetic and by the program."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from integrated_fund.fund import Fund
from integrated_fund.round import Round
from optalloc.plan.certificate import verify_certificate
from optalloc.plan.plan import Plan
from optalloc.plan.verify import verify
from optalloc.solve.manifest import Request
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch
from optalloc.workbook.grid import Tables
from tests.cli.run import Cli
from tests.support.tables import round_of, write_tables

TEXT = (Path(__file__).parents[2] / "docs" / "certificate.md").read_text(encoding="utf-8")
POOL, WEST, UPKEEP = Fraction("1.05"), Fraction("-0.5"), Fraction(2)

Row = dict[str, str]


def _table(heading: str) -> list[Row]:
    """Return the table of the page that begins with these headings."""
    names = heading.split()
    lines = TEXT.partition("| " + " | ".join(names) + " |\n")[2].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(names, (cell.strip() for cell in line.strip("|").split("|")), strict=True)))
    assert rows
    return rows


PROJECTS = _table("project region belt min_award max_award people upkeep")


def _tables() -> Tables:
    number = ("min_award", "max_award", "people", "upkeep")
    return {
        "Round": [
            {"setting": "title", "value": "Three projects"},
            {"setting": "unit", "value": "million yuan"},
            {"setting": "gap", "value": 0},
        ],
        "Sources": [{"source": "pool", "amount": 110}],
        "Sectors": [{"sector": "education"}],
        "Regions": [{"region": "beijing", "belt": "east"}, {"region": "gansu", "belt": "west"}],
        "Projects": [
            {"sector": "education", "project": row["project"], "region": row["region"]}
            | {name: Decimal(row[name]) if row[name] else None for name in number}
            for row in PROJECTS
        ],
        "Criteria": [{"criterion": "people", "weight": 1, "basis": "award"}],
        "Rules": [
            {"rule": "west", "measure": "award", "sense": ">=", "bound": Decimal("0.5"), "of": "total",
             "belts": "west"},
            {"rule": "upkeep", "measure": "upkeep", "sense": "<=", "bound": 8, "penalty": 2},
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def solved() -> tuple[Round, Plan]:
    round_ = round_of(_tables())
    plan = plan_of(Fund(round_), Watch(), Request(Decimal(0), "core"))
    assert isinstance(plan, Plan)
    return round_, plan


def test_the_table_of_worths_by_plain_arithmetic() -> None:
    ends = []
    for row in PROJECTS:
        most, least = Fraction(row["max_award"]), Fraction(row["min_award"] or row["max_award"])
        ends += [(row, most)] + ([(row, least)] if least not in (0, most) else [])
    stated = _table("project award value money west upkeep worth")
    assert [row["project"] for row in stated] == [row["project"] for row, _ in ends]
    for line, (row, award) in zip(stated, ends, strict=True):
        value = award / Fraction(row["max_award"]) * Fraction(row["people"])
        west = award * ((WEST if row["belt"] == "west" else 0) - Fraction("0.5") * WEST)
        upkeep = Fraction(row["upkeep"]) * UPKEEP
        worth = value - award * POOL - west - upkeep
        due = {"award": award, "value": value, "money": award * POOL, "west": west, "upkeep": upkeep, "worth": worth}
        assert {name: Fraction(line[name]) for name in due} == due


def test_the_bound_by_plain_arithmetic() -> None:
    best: dict[str, Fraction] = {}
    for line in _table("project award value money west upkeep worth"):
        best[line["project"]] = max(best.get(line["project"], Fraction(0)), Fraction(line["worth"]))
    terms = [POOL * 110, WEST * 0, UPKEEP * 8, *best.values()]
    words = TEXT.partition("**The bound**: ")[2].partition(". No plan")[0]
    stated = [Fraction(number) for number in re.findall(r"\d+(?:\.\d+)?", words)]
    assert stated == [*terms, sum(terms)]
    assert sum(terms) == Fraction("151.5")


def test_the_plan_and_its_prices(solved: tuple[Round, Plan]) -> None:
    round_, plan = solved
    assert verify(round_, plan).ok
    assert plan.objective == Decimal("150.5")
    assert {award.project: award.award for award in plan.awards} == {"lab": 55, "school": 40, "training": 15}
    assert plan.criteria["people"] == Decimal("82.5") + 60 + 12
    upkeep = next(row for row in plan.rules if row.rule == "upkeep")
    assert (upkeep.activity, upkeep.violation) == (Decimal(10), Decimal(2))
    certificate = plan.manifest["certificate"]
    assert isinstance(certificate, dict)
    assert {row["rule"]: Fraction(row["price"]) for row in certificate["rule_prices"]} == {
        "west": WEST,
        "upkeep": UPKEEP,
    }
    assert [Fraction(row["amount"]) for row in certificate["source_prices"]] == [POOL]
    assert Decimal(certificate["bound"]) == Decimal("151.5")
    found = verify_certificate(round_, plan)
    assert found.verification.ok
    assert (found.bound, found.distance) == (Decimal("151.5"), Decimal(1))


def test_what_the_command_prints(cli: Cli, tmp_path: Path) -> None:
    book, plan = write_tables(_tables(), tmp_path / "round.xlsx"), tmp_path / "plan.xlsx"
    assert cli("solve", book, "-o", plan, "--method", "core").code == 0
    ran = cli("verify", book, plan, "--certificate")
    assert ran.code == 0
    shown = TEXT.partition("plan.xlsx --certificate\n")[2].partition("\n```")[0]
    assert ran.out.strip() == shown
