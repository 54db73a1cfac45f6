"""`optalloc prices` as a user calls it."""

from __future__ import annotations

import copy
from pathlib import Path

import openpyxl
import pytest

from optalloc.workbook.grid import Tables
from tests.cli.run import Cli
from tests.plan.test_verify import TABLES
from tests.support.tables import write_tables


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_tables(TABLES, tmp_path / "round.xlsx")


def _changed(tmp_path: Path, sheet: str, row: int, **cells: object) -> Path:
    tables: Tables = copy.deepcopy(TABLES)
    tables[sheet][row].update(cells)
    return write_tables(tables, tmp_path / "changed.xlsx")


def test_the_document(cli: Cli, book: Path) -> None:
    ran = cli("prices", book, "--json")
    document = ran.document("prices")
    assert ran.code == 0
    solved = cli("solve", book, "--json").document("solve")
    assert document["objective"] == solved["objective"]
    assert document["certificate"]["bound"] >= document["certificate"]["objective"] == solved["objective"]
    assert document["relaxed"] >= document["objective"]
    rows = {(row["kind"], row["rule"], row["member"]): row for row in document["rows"]}
    # A row for each member, one for all together, one for each source and year.
    for rule in solved["rules"]:
        own = rows["rule", rule["rule"], rule["member"]]
        assert [own[key] for key in ("activity", "bound", "slack")] == [rule[k] for k in ("activity", "bound", "slack")]
    assert ("rule", "head", "*") in rows
    for source in solved["sources"]:
        assert rows["source", source["source"], str(source["year"])]["activity"] == source["used"]
    assert all(row["sentence"] for row in document["rows"])


def test_changes_are_never_noise(cli: Cli, book: Path) -> None:
    rows = cli("prices", book, "--json").document("prices")["rows"]
    tried = [row for row in rows if row["change_more"] and row["sense"] == "<=" and row["kind"] == "rule"]
    assert tried
    for row in tried:
        assert row["change_more"]["low"] >= 0
        assert row["change_more"]["found"] >= 0
        less = row["change_less"]
        assert less is None or less["found"] == "-inf" or less["high"] <= 0


def test_the_plan_has_its_prices_and_its_certificate(cli: Cli, book: Path, tmp_path: Path) -> None:
    plan, folder = tmp_path / "plan.xlsx", tmp_path / "pictures"
    ran = cli("prices", book, "-o", plan, "--plots", folder)
    assert ran.code == 0, ran.err
    assert "Certificate: no plan can be worth more than" in ran.out
    written = openpyxl.load_workbook(plan)
    assert {"Prices", "Curves", "Verdicts"} <= set(written.sheetnames)
    heads = [cell.value for cell in written["Prices"][1]]
    assert {"final value", "constraint R.H. side", "allowable increase", "allowable decrease"} <= set(heads)
    names = [row[0].value for row in written["Prices"].iter_rows(min_row=2)]
    assert "head" in names
    assert {path.suffix for path in folder.iterdir()} == {".png", ".svg"}
    assert cli("verify", book, plan).code == 0


def test_a_plan_to_begin_at(cli: Cli, book: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.xlsx"
    cli("solve", book, "-o", plan)
    begun = cli("prices", book, "--plan", plan, "--no-changes", "--json").document("prices")
    fresh = cli("prices", book, "--no-changes", "--json").document("prices")
    assert begun["rows"] == fresh["rows"]
    other = _changed(tmp_path, "Projects", 0, title="another")
    ran = cli("prices", other, "--plan", plan, "--json")
    assert ran.code == 5
    assert ran.document("error")["error"]["code"] == "other_round"


def test_steps(cli: Cli, book: Path) -> None:
    rows = cli("prices", book, "--json", "--step", "pool=20").document("prices")["rows"]
    assert {row["step"] for row in rows if row["rule"] == "pool"} == {20}
    halves = cli("prices", book, "--json", "--step", "50%").document("prices")["rows"]
    pools = {row["member"]: row["step"] for row in halves if row["rule"] == "pool"}
    assert pools == {row["member"]: row["typed"] / 2 for row in halves if row["rule"] == "pool"}


def test_only_some_are_solved_again(cli: Cli, book: Path) -> None:
    rows = cli("prices", book, "pool", "--json").document("prices")["rows"]
    assert {row["rule"] for row in rows if row["change_more"]} == {"pool"}
    assert cli("prices", book, "nothing", "--json").code == 2
    rows = cli("prices", book, "pool@2031", "--json").document("prices")["rows"]
    assert {(row["rule"], row["member"]) for row in rows if row["change_more"]} == {("pool", "2031")}
    steps = cli("prices", book, "--step", "pool@2031=20", "--json").document("prices")["rows"]
    assert {row["member"]: row["step"] for row in steps if row["rule"] == "pool"}["2031"] == 20


def test_a_cell_that_moves_all_members_is_priced_for_one_more_in_it(cli: Cli, tmp_path: Path) -> None:
    """Two regions of 1 and of 9 heads, at most 2 a head: 3 a head give them 1 and 9 more, worth 1 and 2 each."""
    tables: Tables = {
        "Round": [{"setting": "title", "value": "t"}, {"setting": "unit", "value": "m"}],
        "Sources": [{"source": "pool", "amount": 100}],
        "Sectors": [{"sector": "sci"}],
        "Regions": [
            {"region": "one", "belt": "east", "heads": 1},
            {"region": "nine", "belt": "west", "heads": 9},
        ],
        "Projects": [
            {"project": "a", "sector": "sci", "region": "one", "min_award": 0, "max_award": 50, "people": 50},
            {"project": "b", "sector": "sci", "region": "nine", "min_award": 0, "max_award": 50, "people": 100},
        ],
        "Criteria": [{"criterion": "people", "weight": 1}],
        "Rules": [{"rule": "cap", "measure": "award", "each": "region", "per": "heads", "sense": "<=", "bound": 2}],
    }
    rows = cli("prices", write_tables(tables, tmp_path / "heads.xlsx"), "--json").document("prices")["rows"]
    prices = {row["member"]: (row["bound"], row["price_more"], row["price_less"]) for row in rows[:3]}
    assert prices == {"one": (2, 1, 1), "nine": (18, 2, 2), "*": (2, 19, 19)}


def test_no_more_than_ten_curves(cli: Cli, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optalloc.study.prices.curves.DEAREST", 2)
    assert cli("prices", book, "--plots", tmp_path / "few").code == 0
    assert len(list((tmp_path / "few").iterdir())) == 4


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--step", "0%"], "step"),
        (["--step", "pool=0"], "step"),
        (["--step", "pool=-5"], "step"),
        (["--step", "five"], "step"),
        (["--step", "5"], "step"),
        (["--step", "nothing=1"], "unknown_step"),
        (["--step", "pool=100000"], "step_too_large"),
        (["--step", "pool=0.01"], "step_no_multiple"),
        (["--step", "west=0.5"], "step_too_large"),
        (["--step", "L=0.5"], "step"),
        (["--plots", "pictures", "--no-changes"], "no_changes"),
        (["--level", "2"], "level"),
        (["--time-limit", "0"], "time_limit"),
        (["--gap", "2"], "gap"),
    ],
)
def test_wrong_use(cli: Cli, book: Path, arguments: list[str], code: str) -> None:
    ran = cli("prices", book, "--json", *arguments)
    assert ran.code == 2
    assert ran.document("error")["error"]["code"] == code


def test_files_in_the_way(cli: Cli, book: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.xlsx"
    there.write_bytes(b"mine")
    assert cli("prices", book, "-o", there, "--json").document("error")["error"]["code"] == "exists"
    assert there.read_bytes() == b"mine"
    assert cli("prices", book, "--plots", there, "--json").document("error")["error"]["code"] == "not_a_folder"
    assert cli("prices", book, "-o", book, "--force", "--json").code == 2
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "mine.png").write_bytes(b"mine")
    ran = cli("prices", book, "pool@2031", "--plots", tmp_path / "pictures", "--json")
    assert ran.document("error")["error"]["code"] == "exists"
    assert cli("prices", book, "pool@2031", "--plots", tmp_path / "pictures", "--force", "--json").code == 0
    assert (tmp_path / "pictures" / "mine.png").read_bytes() == b"mine"


def test_a_round_without_a_plan(cli: Cli, tmp_path: Path) -> None:
    ran = cli("prices", _changed(tmp_path, "Sources", 0, least=1, amount=100000), "--json")
    assert ran.code == 3
    assert ran.document("solve")["status"] == "infeasible"


def test_a_workbook_with_errors(cli: Cli, tmp_path: Path) -> None:
    ran = cli("prices", _changed(tmp_path, "Sources", 0, amount="many"), "--json")
    assert ran.code == 2
    document = ran.document("prices")
    assert (document["status"], document["rows"]) == ("invalid", None)
    assert document["problems"]
