"""`optalloc diagnose` as a user calls it."""

from __future__ import annotations

import copy
import hashlib
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from integrated_fund.fund import Fund
from optalloc.examples import EXAMPLES
from optalloc.solve.manifest import NOTHING_ELSE, Request
from optalloc.solve.progress import Watch
from optalloc.solve.solution import NoPlan, Solution, solution_of
from optalloc.study.diagnosis.conflict import Conflict, conflict_of
from optalloc.study.diagnosis.requirements import Requirements
from optalloc.workbook.grid import Tables
from tests.cli.run import Cli
from tests.plan.test_verify import TABLES
from tests.rule_texts.oracle import best
from tests.study.by_enumeration import with_cell
from tests.study.rounds import equal_share_rounds, infeasible_rounds
from tests.support.tables import write_tables


def _small(tmp_path: Path, **bounds: str) -> Path:
    tables = EXAMPLES["small"]()
    for row in tables["Rules"]:
        if row["rule"] in bounds:
            row["bound"] = Decimal(bounds[str(row["rule"])])
    return write_tables(tables, tmp_path / "small.xlsx")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return _small(tmp_path, favoured_belts="0.95")


def test_the_document(cli: Cli, book: Path) -> None:
    ran = cli("diagnose", book, "--json")
    document = ran.document("diagnose")
    assert (ran.code, document["status"], document["irreducible"], document["proven"]) == (0, "infeasible", True, True)
    assert {(one["rule"], one["member"]) for one in document["conflict"]} == {
        ("favoured_belts", None), ("ceiling", "gansu"), ("cofunding", None),
    }  # fmt: skip
    names = load_workbook(book)
    for one in document["conflict"]:
        for cell in one["cells"]:
            sheet, _, address = cell.partition("!")
            assert names[sheet][f"A{address[1:]}"].value == one["name"]
            assert names[sheet][f"{address[0]}1"].value == "bound"
    assert document["repair"] == document["alternatives"][0]["repair"]
    assert document["total"] == document["alternatives"][0]["total"] >= document["bound"] - 0.01
    assert document["total"] == pytest.approx(sum(change["cost"] for change in document["repair"]))
    for alternative in document["alternatives"]:
        assert alternative["proven"]
        for change in alternative["repair"]:
            assert names[change["sheet"]][change["cell"]].value == change["from"] != change["to"]


def test_every_repair_written_is_solved(cli: Cli, book: Path, tmp_path: Path) -> None:
    count = len(cli("diagnose", book, "--json").document("diagnose")["alternatives"])
    assert count >= 3
    assert cli("solve", book, "--json").code == 3
    before = hashlib.sha256(book.read_bytes()).hexdigest()
    for number in range(1, count + 1):
        out = tmp_path / f"repaired{number}.xlsx"
        ran = cli("diagnose", book, "--apply", out, "--alternative", number)
        assert (ran.code, "Repaired copy written" in ran.out) == (0, True)
        plan = tmp_path / f"plan{number}.xlsx"
        assert cli("solve", out, "--gap", "0.5", "-o", plan).code == 0
        assert cli("verify", out, plan).code == 0
    assert hashlib.sha256(book.read_bytes()).hexdigest() == before


def test_random_rounds_are_mended_in_the_workbook(cli: Cli, tmp_path: Path) -> None:
    """Through the written file and back, and by enumeration on the tables with the same cells changed."""
    written = 0
    for seed, tables in infeasible_rounds(7000, 6):
        book = write_tables(tables, tmp_path / f"{seed}.xlsx")
        out = tmp_path / f"{seed}-repaired.xlsx"
        ran = cli("diagnose", book, "--json", "--apply", out)
        document = ran.document("diagnose")
        assert ran.code == 0, seed
        assert document["written"] == (str(out) if document["repair"] else None)
        assert out.exists() == bool(document["repair"])
        if not document["repair"]:
            continue
        written += 1
        assert cli("solve", out, "--json").code == 0, seed
        after: Tables = copy.deepcopy(tables)
        changes = sorted(
            document["repair"], key=lambda c: (c["to"] is None, -int(c["cell"].lstrip("ABCDEFGHIJKLMNOPQ")))
        )
        for change in changes:
            to = change["to"]
            with_cell(after, change["sheet"], change["cell"], Decimal(str(to)) if isinstance(to, int | float) else to)
        assert best(after) is not None, seed
    assert written >= 5


@pytest.mark.parametrize("several", [False, True])
def test_what_is_in_a_conflict_goes_by_its_row_in_the_price_report(cli: Cli, tmp_path: Path, several: bool) -> None:
    """Rule and member of every kind; a project that is mandatory has no row there."""
    seen = set()
    for seed, tables in infeasible_rounds(0, 60):
        years = {row["setting"]: row["value"] for row in tables["Round"]}.get("years", 1)
        if (years != 1) != several:
            continue
        book = write_tables(tables, tmp_path / f"{seed}.xlsx")
        rows: dict[str, dict[str, object]] = {
            f"{sheet}!{number}": {str(column): str(value) for column, value in row.items() if value is not None}
            for sheet in ("Rules", "Links", "Sources", "Projects")
            for number, row in enumerate(tables.get(sheet, []), 2)
        }
        for one in cli("diagnose", book, "--json").document("diagnose")["conflict"]:
            (cell,) = one["cells"]
            row = rows["!".join((cell.partition("!")[0], cell.partition("!")[2].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")))]
            kind = one["kind"]
            seen.add(kind)
            if kind == "mandatory":
                assert (one["rule"], one["member"], one["name"]) == (None, None, row["project"])
            elif kind in ("amount", "least"):
                assert (one["rule"], one["member"]) == (row["source"], row["year"] if several else None)
            else:
                assert one["rule"] == one["name"] == row[kind]
                assert (one["member"] is None) == (kind == "link" or "each" not in row)
    assert {"rule", "mandatory", "link", "least" if several else "amount"} <= seen


def test_shares_with_equal_sign_are_mended_in_the_workbook(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The written copy is solved, and its share is the one that was said; large rounds say that they leave it alone."""
    moved = 0
    for seed, tables in equal_share_rounds(200, 8):
        book = write_tables(tables, tmp_path / f"{seed}.xlsx")
        out = tmp_path / f"{seed}-repaired.xlsx"
        document = cli("diagnose", book, "--json", "--apply", out).document("diagnose")
        assert (document["proven"], document["left_alone"], document["written"]) == (True, [], str(out)), seed
        assert cli("solve", out, "--json").code == 0, seed
        written = load_workbook(out)["Rules"]
        shares = {f"Rules!F{n}" for n, row in enumerate(tables["Rules"], 2) if row["of"] == "total"}
        for change in document["repair"]:
            if f"{change['sheet']}!{change['cell']}" in shares:
                moved += 1
                assert written[change["cell"]].value == change["to"] != change["from"]
    assert moved >= 3
    monkeypatch.setattr("optalloc.study.diagnosis.repair.EXACT", 0)
    document = cli("diagnose", book, "--json").document("diagnose")
    assert document["left_alone"] == sorted(document["left_alone"])
    assert document["left_alone"]
    assert "Left alone, as shares with =" in cli("diagnose", book).out


def test_the_terminal(cli: Cli, book: Path) -> None:
    told = cli("diagnose", book)
    assert told.code == 0
    for words in (
        "No plan exists",
        "cannot be kept together",
        "Rules!",
        "1. Cheapest repair: costs",
        "proven",
        "--apply",
    ):
        assert words in told.out
    assert told.err == ""


def test_solve_says_at_once_why_there_is_no_plan(cli: Cli, book: Path) -> None:
    told = cli("solve", book)
    assert told.code == 3
    for words in ("cannot be kept together", "favoured_belts", "Cheapest repair", "optalloc diagnose"):
        assert words in told.err
    assert cli("solve", book, "--json").document("solve")["status"] == "infeasible"
    changed = cli("solve", book, "--set", "Rules.cofunding.bound=260")
    assert "with the changes of --set" in changed.err


def test_changes_for_one_run(cli: Cli, tmp_path: Path) -> None:
    """A round changed by --set is diagnosed as one with the same cells typed; the copy has both changes in it."""
    asked = ["--set", "Rules.favoured_belts.bound=0.95", "--set", "Round.title.value=Asked"]
    plain = _small(tmp_path)
    before = plain.read_bytes()
    document = cli("diagnose", plain, *asked, "--json").document("diagnose")
    typed = cli("diagnose", _small(tmp_path, favoured_belts="0.95"), "--json").document("diagnose")
    assert {**document, "seconds": None} == {**typed, "seconds": None}
    assert document["status"] == "infeasible"
    plain.write_bytes(before)
    told = cli("diagnose", plain, *asked)
    assert (
        "With Rules.favoured_belts.bound=0.95; Round.title.value=Asked. The workbook itself is not changed." in told.out
    )
    assert "diagnose" in told.out.splitlines()[-1]
    assert "--set" in told.out.splitlines()[-1]
    out = tmp_path / "out.xlsx"
    assert cli("diagnose", plain, *asked, "--alternative", 2, "--apply", out).code == 0
    assert cli("solve", out, "--gap", "0.5", "--json").code == 0
    written = load_workbook(out)
    assert "Asked" in {cell.value for cell in written["Round"]["B"]}
    names = {cell.value: cell.row for cell in written["Rules"]["A"]}
    wanted = {change["cell"]: change["to"] for change in document["alternatives"][1]["repair"]}
    assert written["Rules"][f"E{names['favoured_belts']}"].value == wanted.get(f"E{names['favoured_belts']}", 0.95)
    assert plain.read_bytes() == before
    ran = cli("diagnose", plain, "--set", "Rules.nothing.bound=1", "--json")
    assert (ran.code, ran.document("error")["error"]["code"]) == (2, "unknown_key")


def test_a_round_with_a_plan(cli: Cli, tmp_path: Path) -> None:
    book = write_tables(TABLES, tmp_path / "round.xlsx")
    ran = cli("diagnose", book, "--json", "--apply", tmp_path / "out.xlsx")
    document = ran.document("diagnose")
    assert (ran.code, document["status"], document["conflict"], document["repair"]) == (0, "feasible", [], [])
    assert (document["total"], document["proven"], document["irreducible"], document["bound"]) == (0, None, None, None)
    assert document["written"] is None
    said = cli("diagnose", book).out
    assert "not written" not in said
    said = " ".join(cli("diagnose", book, "--apply", tmp_path / "out.xlsx").out.split())
    assert "There is no repair to apply" in said
    assert "was not written" in said
    assert not (tmp_path / "out.xlsx").exists()
    assert "A plan exists" in said
    assert "The rules that cost most" in said
    costly = cli("diagnose", book, "--json").document("diagnose")["costly"]
    assert costly
    assert all(row["price_more"] or row["price_less"] for row in costly)


def test_what_rules_cost_is_said_without_a_search_for_the_best_plan(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prices at the margin are those of the price report, and need no gap closed."""
    asked: list[Request] = []

    def solved(fund: Fund, watch: Watch, request: Request = NOTHING_ELSE) -> Solution | NoPlan:
        asked.append(request)
        return solution_of(fund, watch, request)

    book = _small(tmp_path)
    rows = {(row["rule"], row["member"]): row for row in cli("prices", book, "--json").document("prices")["rows"]}
    monkeypatch.setattr("optalloc.solve.solution.solution_of", solved)
    costly = cli("diagnose", book, "--json").document("diagnose")["costly"]
    assert [request.gap is not None and request.gap > 1 for request in asked] == [True]
    assert costly
    for row in costly:
        same = rows[row["rule"], row["member"]]
        assert row["price_more"] == pytest.approx(same["price_more"])
        assert row["price_less"] == pytest.approx(same["price_less"])


@pytest.mark.parametrize("authority", ["Budget Law, art. 12", "《预算法》第十二条"])
def test_a_law_bends_last_and_says_so(cli: Cli, tmp_path: Path, authority: str) -> None:
    tables = EXAMPLES["small"]()
    for row in tables["Rules"]:
        row["authority"] = authority if row["rule"] in ("cofunding", "ceiling", "institutions") else None
        if row["rule"] == "favoured_belts":
            row["bound"] = Decimal("0.95")
    document = cli("diagnose", write_tables(tables, tmp_path / "r.xlsx"), "--json").document("diagnose")
    assert {change["authority"] for change in document["repair"]} == {"blank"}
    assert "favoured_belts" in {change["name"] for change in document["repair"]}


def test_wrong_use(cli: Cli, book: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.xlsx"
    there.write_text("mine")
    for arguments, code in (
        ((book, "--apply", there), "exists"),
        ((book, "--apply", book, "--force"), "is_input"),
        ((book, "--apply", tmp_path / "no" / "out.xlsx"), "folder_missing"),
        ((book, "--alternative", 1), "alternative"),
        ((book, "--apply", tmp_path / "x.xlsx", "--alternative", 99), "alternative"),
        ((book, "--apply", tmp_path / "x.xlsm"), "other_kind"),
        ((book, "--time-limit", 0), "time_limit"),
        ((tmp_path / "missing.xlsx",), "missing"),
    ):
        ran = cli("diagnose", *arguments, "--json")
        assert (ran.code, ran.document("error")["error"]["code"]) == (2, code), arguments
    assert there.read_text() == "mine"
    assert not (tmp_path / "x.xlsx").exists()
    assert cli("diagnose", book, "--apply", there, "--force").code == 0
    assert there.read_bytes()[:2] == b"PK"


def test_workbooks_that_cannot_be_read_or_have_errors(cli: Cli, tmp_path: Path) -> None:
    encrypted = tmp_path / "encrypted.xlsx"
    encrypted.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") + bytes(4096))
    ran = cli("diagnose", encrypted, "--json")
    assert (ran.code, ran.document("error")["error"]["code"]) == (2, "encrypted")
    tables = EXAMPLES["small"]()
    tables["Rules"][0]["bound"] = "much"
    faulty = write_tables(tables, tmp_path / "faulty.xlsx")
    ran = cli("diagnose", faulty, "--json")
    assert (ran.code, ran.document("error")["error"]["code"]) == (2, "invalid_round")
    told = cli("diagnose", faulty)
    assert told.code == 2
    assert "much" in told.out


def test_projects_in_a_file(cli: Cli, tmp_path: Path) -> None:
    """The copy is made beside the file with the projects, and proven with it; statuses in the file stay."""
    import csv

    tables = EXAMPLES["small"]()
    for row in tables["Rules"]:
        if row["rule"] == "favoured_belts":
            row["bound"] = Decimal("0.95")
    projects = tables.pop("Projects")
    tables["Round"].append({"setting": "projects_file", "value": "projects.csv"})
    with (tmp_path / "projects.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(projects[0]))
        writer.writeheader()
        writer.writerows(projects)
    book = write_tables(tables, tmp_path / "round.xlsx")
    ran = cli("diagnose", book, "--json", "--apply", tmp_path / "out.xlsx")
    document = ran.document("diagnose")
    assert (ran.code, document["proven"]) == (0, True)
    assert cli("solve", tmp_path / "out.xlsx", "--json").code == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ran = cli("diagnose", book, "--json", "--apply", elsewhere / "out.xlsx")
    assert (ran.code, ran.document("error")["error"]["code"]) == (2, "other_folder")


def test_a_stop_keeps_what_is_known(cli: Cli, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(requirements: Requirements, watch: Watch) -> Conflict:
        found = conflict_of(requirements, watch)
        watch.stop("interrupted")
        return found

    monkeypatch.setattr("optalloc.study.diagnosis.diagnosis.conflict_of", interrupted)
    ran = cli("diagnose", book, "--json")
    document = ran.document("diagnose")
    assert (ran.code, document["stopped"], document["irreducible"]) == (4, "interrupted", True)
    assert len(document["conflict"]) == 3
    assert (document["repair"], document["total"]) == ([], None)
    told = cli("diagnose", book)
    assert "Not everything is proven" in told.out


def test_not_proven_is_not_called_proven(cli: Cli, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optalloc.study.diagnosis.diagnosis.keeps", lambda *_: False)
    ran = cli("diagnose", book, "--json")
    document = ran.document("diagnose")
    assert (ran.code, document["proven"], document["stopped"]) == (4, False, "work limit")
    assert "not proven" in cli("diagnose", book).out


def test_help_has_examples(cli: Cli) -> None:
    told = cli("diagnose", "--help")
    assert told.code == 0
    assert "--alternative 2 --apply" in " ".join(told.out.split())
