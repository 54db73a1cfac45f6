"""`optalloc verify --certificate`: documents, exit codes, words."""

from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from integrated_fund.round import Round
from optalloc.workbook.plan_reader import read_plan
from optalloc.workbook.plan_writer import write_plan
from optalloc.workbook.reading import read_and_check
from tests.cli.run import Cli
from tests.plan.test_verify import TABLES
from tests.support.tables import write_tables


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_tables(TABLES, tmp_path / "round.xlsx")


@pytest.fixture
def plan(cli: Cli, book: Path, tmp_path: Path) -> Path:
    path = tmp_path / "plan.xlsx"
    assert cli("solve", book, "-o", path, "--method", "core").code == 0
    return path


def _round(book: Path) -> Round:
    round_ = read_and_check(book, []).round
    assert round_ is not None
    return round_


def _forged(book: Path, plan: Path, **certificate: object) -> Path:
    """Write the plan again with another certificate."""
    read = read_plan(plan)
    stated = copy.deepcopy(read.manifest["certificate"])
    assert isinstance(stated, dict)
    forged = replace(read, manifest={**read.manifest, "certificate": {**stated, **certificate}})
    path = plan.with_name("forged.xlsx")
    write_plan(forged, _round(book), path)
    return path


def test_a_certificate_that_holds(cli: Cli, book: Path, plan: Path) -> None:
    ran = cli("verify", book, plan, "--certificate", "--json")
    document = ran.document("verify")
    assert (ran.code, document["ok"]) == (0, True)
    checks = {row["check"]: row for row in document["checks"]}
    assert checks["certificate price of head [a]"]["expected"] == "at most 0"
    assert checks["certificate price of soft"]["expected"] == "at least 0, at most 0.5"
    assert checks["certificate and plan"]["holds"]
    assert Decimal(checks["certificate bound"]["found"]) >= Decimal(checks["certificate and plan"]["found"])
    told = cli("verify", book, plan, "--certificate")
    assert told.code == 0
    assert "no plan is worth more than" in told.out
    assert "Verified." in told.out


def test_without_being_asked_nothing_is_said_of_it(cli: Cli, book: Path, plan: Path) -> None:
    document = cli("verify", book, plan, "--json").document("verify")
    assert not [row for row in document["checks"] if row["check"].startswith("certificate")]


def test_a_certificate_that_does_not_hold(cli: Cli, book: Path, plan: Path) -> None:
    forged = _forged(book, plan, bound="1")
    assert cli("verify", book, forged).code == 0
    ran = cli("verify", book, forged, "--certificate", "--json")
    document = ran.document("verify")
    assert (ran.code, document["ok"]) == (5, False)
    failing = [row["check"] for row in document["checks"] if not row["holds"]]
    assert "certificate bound" in failing
    told = cli("verify", book, forged, "--certificate")
    assert told.code == 5
    assert "certificate bound" in told.out


def test_a_certificate_that_cannot_be_read(cli: Cli, book: Path, plan: Path) -> None:
    ran = cli("verify", book, _forged(book, plan, rule_prices=None), "--certificate")
    assert ran.code == 5
    assert "no list rule_prices" in ran.out


def test_changes_of_the_run_are_made_here_too(cli: Cli, book: Path, tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    change = "Sources.pool@2030.amount=*0.8"
    assert cli("solve", book, "-o", path, "--method", "core", "--set", change).code == 0
    assert cli("verify", book, path, "--certificate").code == 0


def test_overrides_on_record_are_made_here_too(cli: Cli, book: Path, tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    told = ("--by", "the council", "--reason", "decided")
    assert cli("solve", book, "-o", path, "--method", "core", "--forbid", "P1", *told).code == 0
    assert cli("verify", book, path, "--certificate").code == 0


def test_the_price_report_writes_a_certificate_that_holds(cli: Cli, book: Path, tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    assert cli("prices", book, "-o", path).code == 0
    assert cli("verify", book, path, "--certificate").code == 0


def test_a_plan_without_a_certificate(cli: Cli, book: Path, tmp_path: Path) -> None:
    path = tmp_path / "direct.xlsx"
    assert cli("solve", book, "-o", path, "--method", "direct").code == 0
    assert cli("verify", book, path).code == 0
    ran = cli("verify", book, path, "--certificate", "--json")
    assert ran.code == 2
    error = ran.document("error")["error"]
    assert error["code"] == "no_certificate"
    assert "optalloc prices ROUND.xlsx -o PLAN.xlsx" in error["message"]
    told = cli("verify", book, path, "--certificate")
    assert told.code == 2
    assert "states no certificate" in told.err
