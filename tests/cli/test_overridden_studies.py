"""`prices` and `explain` with overrides: of the plan as decided, in every number, document and sheet."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from optalloc.api import Override, prices, read
from tests.cli.run import Cli
from tests.plan.test_verify import TABLES
from tests.support.tables import write_tables

WHO = ("--by", "the leading group", "--reason", "minutes of 3 March")
DECIDED = ("--force", "P6", "--forbid", "P1", *WHO)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_tables(TABLES, tmp_path / "round.xlsx")


def test_the_prices_are_those_of_the_plan_as_decided(cli: Cli, book: Path) -> None:
    solved = cli("solve", book, *DECIDED, "--json").document("solve")
    ran = cli("prices", book, *DECIDED, "--json")
    document = ran.document("prices")
    assert ran.code == 0
    assert document["objective"] == solved["objective"]
    free = cli("prices", book, "--json").document("prices")
    assert document["objective"] < free["objective"]
    for key in ("overrides", "without_overrides", "round_digest"):
        assert document["manifest"][key] == solved["manifest"][key]
    assert document["certificate"]["bound"] < free["certificate"]["bound"]


def test_the_overrides_hold_while_bounds_are_moved(cli: Cli, book: Path) -> None:
    document = cli("prices", book, *DECIDED, "--gap", "0", "--json").document("prices")
    moved = [row for row in document["rows"] if row["kind"] == "source" and row["change_more"]]
    assert moved
    for row in moved:
        change = f"Sources.{row['rule']}{'' if row['member'] is None else '@' + row['member']}.amount=+{row['step']}"
        again = cli("solve", book, *DECIDED, "--gap", "0", "--set", change, "--json").document("solve")
        assert row["change_more"]["found"] == pytest.approx(again["objective"] - document["objective"])
    for row in document["rows"]:
        for side in ("change_more", "change_less"):
            if row[side] is not None:
                assert not {"P1", "P6"} & {*row[side]["enters"], *row[side]["leaves"]}


def test_the_plan_that_prices_writes_is_verified_with_its_certificate(cli: Cli, book: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.xlsx"
    ran = cli("prices", book, *DECIDED, "-o", plan)
    assert ran.code == 0
    assert "Overrides, at a cost to the objective" in ran.out
    verified = cli("verify", book, plan, "--certificate")
    assert verified.code == 0
    assert "overrides on record, applied here too" in verified.out
    assert "no plan is worth more than" in verified.out
    written = openpyxl.load_workbook(plan)
    assert {"Overrides", "Prices", "Verdicts"} <= set(written.sheetnames)
    assert [row[0] for row in written["Overrides"].iter_rows(min_row=2, values_only=True)] == ["P6", "P1"]
    reasons = {row[0]: row[2] for row in written["Declined"].iter_rows(min_row=2, values_only=True)}
    assert reasons["P1"] == "forbidden by an override"


def test_a_plan_to_begin_at_has_the_same_overrides(cli: Cli, book: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.xlsx"
    cli("solve", book, "-o", plan, *DECIDED)
    begun = cli("prices", book, "--plan", plan, "--no-changes", *DECIDED, "--json").document("prices")
    assert begun["rows"] == cli("prices", book, "--no-changes", *DECIDED, "--json").document("prices")["rows"]
    ran = cli("prices", book, "--plan", plan, "--json")
    assert (ran.code, ran.document("error")["error"]["code"]) == (5, "other_round")
    assert "overridden" in ran.document("error")["error"]["message"]


def test_the_explanations_are_those_of_the_plan_as_decided(cli: Cli, book: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.xlsx"
    solved = cli("solve", book, *DECIDED, "--gap", "0", "--json").document("solve")
    ran = cli("explain", book, "P6", "P1", "P2", *DECIDED, "--gap", "0", "--json", "-o", plan)
    document = ran.document("explain")
    assert ran.code == 0
    assert document["objective"] == solved["objective"]
    assert document["overrides"] == solved["manifest"]["overrides"]
    assert document["without_overrides"] == solved["manifest"]["without_overrides"]
    forced, forbidden, other = document["projects"]
    assert (forced["decision"], forbidden["decision"]) == ("funded", "not funded")
    assert (forced["status"], forbidden["status"]) == ("mandatory", "excluded")
    assert not {"P1", "P6"} & {*other["enters"], *other["leaves"]}
    assert "Overrides" in openpyxl.load_workbook(plan).sheetnames
    assert cli("verify", book, plan).code == 0
    told = cli("explain", book, "P6", *DECIDED)
    assert "P6" in told.out.split("Overrides, at a cost to the objective")[1].split("Worth and cost")[0]


@pytest.mark.parametrize("command", [("prices",), ("explain",)])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--force=P6"], "by_and_reason"),
        (["--by", "me"], "no_override"),
        (["--force=P77", *WHO], "unknown_project"),
        (["--forbid", "P1", "--force=P1", *WHO], "forced_and_forbidden"),
        (["--force=P4", *WHO], "block_grant"),
    ],
)
def test_a_mistake_is_one_sentence(
    cli: Cli, book: Path, tmp_path: Path, command: list[str], words: list[str], code: str
) -> None:
    plan = tmp_path / "p.xlsx"
    ran = cli(*command, book, "-o", plan, "--json", *words)
    assert (ran.code, ran.document("error")["error"]["code"]) == (2, code)
    assert not plan.exists()


def test_force_alone_replaces_here_too(cli: Cli, book: Path, tmp_path: Path) -> None:
    plan = tmp_path / "p.xlsx"
    plan.write_text("mine")
    assert cli("prices", "--force", book, "pool", "--no-changes", "-o", plan).code == 0
    assert cli("explain", "--force", book, "P2", "-o", plan).code == 0
    assert "Overrides" not in openpyxl.load_workbook(plan).sheetnames


@pytest.mark.parametrize("command", [("prices",), ("explain", "P1")])
def test_without_a_plan_it_is_said_whether_there_is_one_without_the_overrides(
    cli: Cli, book: Path, command: tuple[str, ...]
) -> None:
    # P2 and P6 exclude each other.
    ran = cli(command[0], book, *command[1:], "--force", "P2;P6", *WHO, "--json")
    document = ran.document("solve")
    assert (ran.code, document["status"]) == (3, "infeasible")
    assert document["manifest"]["without_overrides"]["status"] == "optimal"


def test_prices_in_python_say_which_overrides_stand(book: Path) -> None:
    round_ = read(book)
    report = prices(round_, overrides=[Override("P1", "forbid", by="the council", reason="minutes")], changes=False)
    (record,) = report.overrides
    assert (record.override.project, record.override.kind) == ("P1", "forbid")
    free = prices(round_, changes=False)
    assert record.cost.found == free.objective - report.objective > Decimal(0)
    assert free.overrides == ()
