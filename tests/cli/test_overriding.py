"""`--force` and `--forbid` on the command line: every order of words, every mistake in one sentence, real files."""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path

import openpyxl
import pytest

from optalloc.cli.overriding import with_force_alone
from optalloc.workbook.grid import Tables
from tests.cli.run import Cli
from tests.plan.test_verify import TABLES
from tests.support.tables import write_tables

WHO = ("--by", "the leading group", "--reason", "minutes of 3 March")
ALONE = "--force=\0"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_tables(TABLES, tmp_path / "round.xlsx")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("r.xlsx --force", f"r.xlsx {ALONE}"),
        ("--force r.xlsx", f"{ALONE} r.xlsx"),
        ("--force -o p.xlsx r.xlsx", f"{ALONE} -o p.xlsx r.xlsx"),
        ("-o p.xlsx --force r.xlsx", f"-o p.xlsx {ALONE} r.xlsx"),
        ("r.xlsx --force -o p.xlsx", f"r.xlsx {ALONE} -o p.xlsx"),
        ("r.xlsx --force P07", "r.xlsx --force=P07"),
        ("--force P07 r.xlsx", "--force=P07 r.xlsx"),
        ("r.xlsx --force=P07", "r.xlsx --force=P07"),
        ("--force=P07 --force r.xlsx", f"--force=P07 {ALONE} r.xlsx"),
        ("r.xlsx --force --force P07", f"r.xlsx {ALONE} --force=P07"),
        ("r.xlsx --force P07 --force", f"r.xlsx --force=P07 {ALONE}"),
        ("--force P07 --force r.xlsx", f"--force=P07 {ALONE} r.xlsx"),
        ("--force r.xlsx --force P07", f"{ALONE} r.xlsx --force=P07"),
        ("--force P07 -o p.xlsx --force r.xlsx", f"--force=P07 -o p.xlsx {ALONE} r.xlsx"),
        # Two words that could be the workbook: the one that stands free is.
        ("r.xlsx --force p.xlsx", "r.xlsx --force=p.xlsx"),
        ("--force P07", "--force=P07"),
        ("--force -- r.xlsx", f"{ALONE} -- r.xlsx"),
        ("--force P07 -- r.xlsx", "--force=P07 -- r.xlsx"),
        ("r.xlsx -- --force", "r.xlsx -- --force"),
        # Of several words that could be the workbook it is the one that looks like it.
        ("--force r.xlsx P17", f"{ALONE} r.xlsx P17"),
        ("P17 --force r.xlsx", f"P17 {ALONE} r.xlsx"),
        ("r.xlsx P17 --force P07", "r.xlsx P17 --force=P07"),
        # The value of another option is left alone.
        ("r.xlsx --by --force --reason why", "r.xlsx --by --force --reason why"),
        ("--force R.XLSX --json", f"{ALONE} R.XLSX --json"),
    ],
)
def test_what_follows_force_is_a_project_or_the_workbook(typed: str, read: str) -> None:
    assert with_force_alone(typed.split(), {"-o", "--by", "--reason"}) == read.split()


def test_a_workbook_of_any_name_is_one_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert with_force_alone(["--force", "round"], set()) == ["--force=round"]
    (tmp_path / "round").write_bytes(b"")
    assert with_force_alone(["--force", "round"], set()) == [ALONE, "round"]


def test_every_order_of_the_words_does_the_same(cli: Cli, book: Path, tmp_path: Path) -> None:
    plan = tmp_path / "p.xlsx"
    plan.write_text("mine")
    words = ([str(book)], ["-o", str(plan)], ["--force"], ["--force", "P6"], [*WHO, "--json"])
    found = set()
    for order in itertools.permutations(words):
        document = cli("solve", *itertools.chain(*order)).document("solve")
        assert [entry["project"] for entry in document["manifest"]["overrides"]] == ["P6"], order
        found.add((document["objective"], "P6" in {row["project"] for row in document["awards"]}))
        plan.write_text("mine")
    assert len(found) == 1
    assert found.pop()[1] is True


def test_forced_and_forbidden_projects_on_record(cli: Cli, book: Path, tmp_path: Path) -> None:
    plan = tmp_path / "p.xlsx"
    free = cli("solve", book, "--json").document("solve")
    document = cli("solve", book, "-o", plan, "--force", "P5;P6", "--forbid", "P1", *WHO, "--json").document("solve")
    funded = {row["project"] for row in document["awards"]}
    assert {"P5", "P6"} <= funded
    assert "P1" not in funded
    manifest = document["manifest"]
    entries = manifest["overrides"]
    assert [(one["project"], one["kind"], one["status"]) for one in entries] == [
        ("P5", "force", "excluded"), ("P6", "force", "candidate"), ("P1", "forbid", "candidate")
    ]  # fmt: skip
    assert {(one["by"], one["reason"]) for one in entries} == {("the leading group", "minutes of 3 March")}
    together = manifest["without_overrides"]
    assert (together["status"], together["objective"]) == ("optimal", free["objective"])
    assert together["cost"]["found"] == pytest.approx(free["objective"] - document["objective"])
    assert manifest["round_sha256"] == free["manifest"]["round_sha256"]
    told = cli("solve", book, "--force", "P5;P6", "--forbid", "P1", *WHO)
    assert "P5 is excluded in the workbook and forced in all the same." in told.out
    assert "P6 is" not in told.out
    assert f"Overrides, at a cost to the objective: {together['cost']['found']:g}" in told.out


def test_verify_applies_the_overrides_and_says_so(cli: Cli, book: Path, tmp_path: Path) -> None:
    plan = tmp_path / "p.xlsx"
    cli("solve", book, "-o", plan, "--force", "P5", "--forbid", "P1", *WHO)
    verified = cli("verify", book, plan)
    assert verified.code == 0
    assert "overrides on record, applied here too" in verified.out
    assert "force P5, by the leading group" in verified.out
    checks = {one["check"]: one["holds"] for one in cli("verify", book, plan, "--json").document("verify")["checks"]}
    assert checks["override: force P5"]
    assert checks["override: forbid P1"]
    assert checks["cost of the overrides"]
    assert "excluded P5" not in checks


def _with_override(plan: Path, change: dict[str, object]) -> None:
    """Change the first override in the manifest of a plan workbook."""
    book = openpyxl.load_workbook(plan)
    for row in book["Manifest"].iter_rows(min_row=2):
        if row[0].value == "overrides":
            entries = json.loads(str(row[1].value))
            entries[0] |= change
            row[1].value = json.dumps(entries)
    book.save(plan)


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        ({"project": "P2"}, "override: force P2"),
        ({"kind": "forbid"}, "override: forbid P6"),
        ({"project": "P99"}, "override: force P99"),
        ({"by": ""}, "overrides on record"),
        ({"on": "yesterday"}, "overrides on record"),
    ],
)
def test_a_plan_that_breaks_its_overrides_is_not_verified(
    cli: Cli, book: Path, tmp_path: Path, change: dict[str, object], fails: str
) -> None:
    plan = tmp_path / "p.xlsx"
    solved = cli("solve", book, "-o", plan, "--force", "P6", *WHO, "--json").document("solve")
    assert "P2" not in {row["project"] for row in solved["awards"]}
    _with_override(plan, change)
    ran = cli("verify", book, plan, "--json")
    assert ran.code == 5
    assert fails in [one["check"] for one in ran.document("verify")["checks"] if not one["holds"]]
    told = cli("verify", book, plan)
    assert told.code == 5
    assert fails in told.out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--force", "P6"], "by_and_reason", "add --by and --reason"),
        (["--force", "P6", "--by", "me"], "by_and_reason", "add --reason"),
        (["--forbid", "P6", "--reason", "so", "--by", " "], "by_and_reason", "add --by"),
        (["--by", "me"], "no_override", "none is given"),
        (["--force", "--reason", "so"], "no_override", "none is given"),
        (["--force", "P77", *WHO], "unknown_project", "--force P77: the round has no such project"),
        (["--forbid", "P1;P77", *WHO], "unknown_project", "--forbid P77"),
        (["--force", "P1", "--forbid", "P1", *WHO], "forced_and_forbidden", "both forced and forbidden"),
        (["--force", "P4", *WHO], "block_grant", "nothing to accept"),
        (["--force=", *WHO], "no_project", "--force names no project"),
        (["--force", "", *WHO], "no_project", "--force names no project"),
        (["--forbid", " ; ", *WHO], "no_project", "--forbid names no project"),
        (["--force", "other.xlsx", *WHO], "unknown_project", "--force other.xlsx"),
        (["--force", "other.xlsx"], "by_and_reason", "let --force stand alone"),
        (["--forbid"], "usage", "requires an argument"),
    ],
)
def test_a_mistake_is_one_sentence(
    cli: Cli, book: Path, tmp_path: Path, words: list[str], code: str, says: str
) -> None:
    plan = tmp_path / "p.xlsx"
    ran = cli("solve", book, "-o", plan, "--json", *words)
    error = ran.document("error")["error"]
    assert (ran.code, error["code"]) == (2, code)
    assert says in error["message"]
    assert not plan.exists()


def test_a_near_miss_is_named(cli: Cli, tmp_path: Path) -> None:
    book = tmp_path / "r.xlsx"
    cli("new", book, "--example", "small")
    ran = cli("solve", book, "--forbid", "teacher", *WHO, "--json")
    assert "Did you mean teachers?" in ran.document("error")["error"]["message"]


def test_overrides_without_a_plan_say_whether_there_is_one_without_them(cli: Cli, book: Path, tmp_path: Path) -> None:
    # P2 and P6 exclude each other.
    ran = cli("solve", book, "-o", tmp_path / "p.xlsx", "--force", "P2;P6", *WHO, "--json")
    document = ran.document("solve")
    assert (ran.code, document["status"]) == (3, "infeasible")
    assert [one["project"] for one in document["manifest"]["overrides"]] == ["P2", "P6"]
    assert document["manifest"]["without_overrides"]["status"] == "optimal"
    assert document["manifest"]["reason"].endswith("with the overrides; without them there is one")
    told = cli("solve", book, "--force", "P2;P6", *WHO)
    assert (told.code, "without them there is one" in told.err) == (3, True)
    tables: Tables = copy.deepcopy(TABLES)
    tables["Rules"].append({"rule": "many", "measure": "accepted", "sense": ">=", "bound": 6})
    none = write_tables(tables, tmp_path / "none.xlsx")
    told = cli("solve", none, "--forbid", "P1", *WHO)
    assert (told.code, "with the overrides or without them" in told.err) == (3, True)


def test_what_is_known_to_stand_in_the_way_is_that_of_the_round_with_its_overrides(cli: Cli, tmp_path: Path) -> None:
    tables: Tables = copy.deepcopy(TABLES)
    tables["Projects"].append({"project": "P7", "sector": "edu", "region": "a", "max_award": 900, "people": 1})
    book = write_tables(tables, tmp_path / "r.xlsx")
    told = cli("solve", book, "--force", "P7", *WHO)
    assert told.code == 3
    assert "What is known to stand in the way" in told.err
    assert "P7" in told.err


def test_the_other_commands_still_replace_with_force(cli: Cli, book: Path) -> None:
    assert cli("new", book, "--force").code == 0
    assert cli("new", "--force", book).code == 0
