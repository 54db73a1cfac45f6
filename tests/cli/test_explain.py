"""`optalloc explain` as a user calls it: document, table, exit codes, the Verdicts sheet."""

from __future__ import annotations

import copy
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from optalloc.solve.progress import Watch
from optalloc.study.verdicts.forced import Resolver
from optalloc.workbook.grid import Tables
from tests.cli.run import Cli
from tests.plan.test_verify import TABLES
from tests.support.tables import write_tables


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_tables(TABLES, tmp_path / "round.xlsx")


def _projects() -> list[str]:
    return sorted(str(row["project"]) for row in TABLES["Projects"])


def test_the_explain_document(cli: Cli, book: Path) -> None:
    solved = cli("solve", book, "--json", "--gap", "0").document("solve")
    ran = cli("explain", book, *reversed(_projects()), "--json", "--gap", "0")
    document = ran.document("explain")
    assert ran.code == 0
    assert (document["status"], document["objective"]) == ("optimal", solved["objective"])
    assert [one["project"] for one in document["projects"]] == list(reversed(_projects()))
    awards = {row["project"]: row["award"] for row in solved["awards"]}
    for one in document["projects"]:
        assert one["award"] == awards.get(one["project"])
        assert (one["decision"] == "not funded") == (one["project"] not in awards)
        assert one["sentence"].endswith(".")
        costs = sum(Decimal(repr(line["cost"])) for line in one["costs"])
        if one["reduced"] is not None:
            assert float(Decimal(repr(one["worth"])) - costs) == pytest.approx(one["reduced"], abs=1e-9)
        if one["cost"] is not None:
            assert one["cost"]["low"] <= one["cost"]["found"] <= one["cost"]["high"]
            assert one["cost"]["low"] >= 0 or one["status"] != "candidate"
        moved = one["enters"] if one["project"] in awards else one["leaves"]
        assert one["displaces"] == moved


def test_the_table_adds_up_and_the_sentence_stands_above_it(cli: Cli, book: Path) -> None:
    ran = cli("explain", book, "P1")
    assert ran.code == 0
    assert ran.out.splitlines()[0].startswith("P1")
    assert "Worth and cost at an award of" in ran.out
    assert "benefit" in ran.out
    assert "reduced worth" in ran.out


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_verdicts_of_all_projects_on_a_sheet_of_the_plan(
    cli: Cli, book: Path, tmp_path: Path, language: str
) -> None:
    plan = tmp_path / "plan.xlsx"
    assert cli("explain", book, "-o", plan, "--lang", language).code == 0
    sheet = openpyxl.load_workbook(plan)["Verdicts"]
    headings = [cell.value for cell in sheet[1] if cell.value]
    wanted = {
        "en": [
            "project", "title", "decision", "award", "worth", "cost at prices", "reduced worth", "blocked by",
            "worth it would take at least", "worth above which it stays", "in words",
        ],
        "zh": [
            "项目", "名称", "决定", "资助额", "效益", "按价格计的成本", "净效益", "受阻于", "入选至少需要的效益",
            "高于此效益即保留", "说明",
        ],
    }  # fmt: skip
    assert headings[:11] == wanted[language]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in rows] == _projects()
    decisions = {"en": {"funded", "cut back", "not funded"}, "zh": {"资助", "减额资助", "不资助"}}
    for row in rows:
        assert row[2] in decisions[language]
        if row[5] is not None:
            assert float(str(row[4])) - float(str(row[5])) == pytest.approx(float(str(row[6])), abs=1e-9)
    # It is a plan like any other.
    assert cli("verify", book, plan).code == 0
    assert cli("explain", book, "-o", plan).code == 2
    assert cli("explain", book, "-o", plan, "--force").code == 0


def test_an_unknown_project_is_wrong_use(cli: Cli, book: Path) -> None:
    ran = cli("explain", book, "P1", "PP2", "--json")
    error = ran.document("error")["error"]
    assert (ran.code, error["code"]) == (2, "unknown_project")
    assert "PP2" in error["message"]
    assert "P2" in error["message"].split("Did you mean")[1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], "no_project"), (["P1", "--time-limit", "0"], "time_limit"), (["P1", "--gap", "2"], "gap")],
)
def test_wrong_use(cli: Cli, book: Path, arguments: list[str], code: str) -> None:
    ran = cli("explain", book, *arguments, "--json")
    assert (ran.code, ran.document("error")["error"]["code"]) == (2, code)


def test_an_invalid_workbook(cli: Cli, tmp_path: Path) -> None:
    tables: Tables = copy.deepcopy(TABLES)
    tables["Projects"][0]["max_award"] = "sixty"
    book = write_tables(tables, tmp_path / "bad.xlsx")
    ran = cli("explain", book, "P1", "--json")
    document = ran.document("explain")
    assert (ran.code, document["status"], document["projects"]) == (2, "invalid", None)
    assert document["problems"]
    told = cli("explain", book, "P1")
    assert told.code == 2
    assert "sixty" in told.out


def test_a_round_without_a_plan(cli: Cli, tmp_path: Path) -> None:
    tables: Tables = copy.deepcopy(TABLES)
    tables["Rules"][2].update({"rule": "too_many", "sense": ">=", "bound": 6, "penalty": None})
    book = write_tables(tables, tmp_path / "none.xlsx")
    ran = cli("explain", book, "P1", "--json")
    assert (ran.code, ran.document("solve")["status"]) == (3, "infeasible")


def test_a_stop_tells_what_is_done_and_exits_with_4(cli: Cli, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Resolver.solve

    def stopping(resolver: Resolver, *arguments: object, **named: object) -> object:
        outcome = own(resolver, *arguments, **named)  # type: ignore[arg-type]
        resolver.watch.stop("interrupted")
        return outcome

    monkeypatch.setattr(Resolver, "solve", stopping)
    ran = cli("explain", book, "P1", "P2", "--json", "--gap", "0")
    first, second = ran.document("explain")["projects"]
    assert ran.code == 4
    assert first["cost"] is not None
    assert second["cost"] is None
    assert second["reduced"] is not None
    assert "interrupted" in first["given_up"]
    assert second["flips"] == {"award": None, "score": None, "budget": None}


def test_a_change_of_a_cell_is_explained_too(cli: Cli, book: Path) -> None:
    base = cli("explain", book, "P1", "--json").document("explain")
    changed = cli("explain", book, "P1", "--json", "--set", "Sources.pool.amount=*0.5").document("explain")
    assert changed["objective"] < base["objective"]


def test_the_watch_of_a_part_stops_with_the_whole() -> None:
    from optalloc.study.verdicts.forced import _Leg

    whole = Watch()
    leg = _Leg(whole)
    assert not leg.must_stop()
    whole.stop("interrupted")
    assert leg.must_stop()
    assert leg.stopped == "interrupted"
    late = _Leg(Watch(0.0))
    assert late.must_stop()
    assert late.stopped == "time limit"
    assert _Leg(Watch(5.0)).left() <= 5.0


def test_help_has_examples(cli: Cli) -> None:
    ran = cli("explain", "--help")
    assert ran.code == 0
    assert "optalloc explain round.xlsx P17" in " ".join(ran.out.split())


def test_the_plan_that_prices_writes_has_the_same_verdicts(cli: Cli, book: Path, tmp_path: Path) -> None:
    written = []
    for command in (["prices", book, "--no-changes"], ["explain", book]):
        plan = tmp_path / f"{command[0]}.xlsx"
        assert cli(*command, "-o", plan).code == 0
        written.append(list(openpyxl.load_workbook(plan)["Verdicts"].iter_rows(values_only=True)))
    assert written[0] == written[1]


def test_the_sheet_says_of_projects_asked_for_what_the_command_says(cli: Cli, tmp_path: Path) -> None:
    book, sheets = tmp_path / "small.xlsx", []
    assert cli("new", book, "--example", "small").code == 0
    for number, asked in enumerate(([], ["optics", "fellows", "joint", "returnees"])):
        plan = tmp_path / f"plan{number}.xlsx"
        ran = cli("explain", book, *asked, "-o", plan, "--json")
        rows = openpyxl.load_workbook(plan)["Verdicts"].iter_rows(min_row=2, values_only=True)
        sheets.append({str(row[0]): (row[7], row[10]) for row in rows})
    for one in ran.document("explain")["projects"]:
        assert sheets[1][one["project"]][0] == "; ".join(one["blocked_by"])
    assert sheets[0]["optics"] == sheets[1]["optics"]
    assert sheets[0]["optics"][0] == (
        "rule platforms; rule west_per_head [guizhou]; money of science_technology@2026; money of "
        "science_technology@2027"
    )
