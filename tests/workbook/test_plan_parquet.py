"""Tables too long for a sheet: written as Parquet beside the plan workbook, read back, verified."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from integrated_fund.fund import Fund
from integrated_fund.problem import Language
from integrated_fund.round import Round
from optalloc.errors import OptallocError, WorkbookUnreadable, WrongUse
from optalloc.plan.plan import Plan
from optalloc.plan.verify import verify
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch
from optalloc.workbook import plan_files
from optalloc.workbook.plan_reader import read_plan
from optalloc.workbook.plan_writer import write_plan
from tests.cli.run import Cli
from tests.plan.test_verify import TABLES
from tests.support.tables import round_of, write_tables
from tests.workbook.plans import large_plan, large_round, small_plan, small_round
from tests.workbook.test_plan_round_trip import without_origins

AWARDS, DECLINED = "plan.awards.parquet", "plan.declined.parquet"


@pytest.fixture(autouse=True)
def every_table_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_files, "LONG_TABLE", 0)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


@pytest.fixture(scope="module")
def solved() -> tuple[Round, Plan]:
    round_ = round_of(TABLES)
    plan = plan_of(Fund(round_), Watch(None))
    assert isinstance(plan, Plan)
    return round_, plan


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _change(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    parquet.write_table(change(parquet.read_table(path)), path)


def _with_column(name: str, values: list[object], kind: pa.DataType | None = None) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        at = table.column_names.index(name)
        return table.set_column(at, name, pa.array(values, kind or table.schema.field(name).type))

    return change


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_plan_with_files_comes_back_equal(tmp_path: Path, language: Language) -> None:
    files = write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx", language=language)
    assert _names(tmp_path) == [AWARDS, DECLINED, "plan.xlsx"]
    plan = read_plan(tmp_path / "plan.xlsx")
    assert plan.files == {file.name: file.sha256 for file in files}
    stated = {file.sheet: {"name": file.name, "rows": file.rows, "sha256": file.sha256} for file in files}
    assert plan.manifest == {**small_plan().manifest, "files": stated}
    assert replace(without_origins(plan), manifest=small_plan().manifest, files={}) == small_plan()
    assert str(plan.payments[4].origin.place("amount")) == f"{AWARDS}!row 5, amount"


def test_a_table_is_long_by_its_own_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_files, "LONG_TABLE", 1)
    write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx")
    assert _names(tmp_path) == [AWARDS, "plan.xlsx"]
    assert read_plan(tmp_path / "plan.xlsx").declined == small_plan().declined


def test_a_plan_read_from_files_is_written_to_sheets_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx")
    plan = read_plan(tmp_path / "plan.xlsx")
    monkeypatch.setattr(plan_files, "LONG_TABLE", 6)
    assert write_plan(plan, small_round(), tmp_path / "again.xlsx") == ()
    assert without_origins(read_plan(tmp_path / "again.xlsx")) == small_plan()


def test_the_file_has_the_columns_of_the_sheet_in_exact_decimals(tmp_path: Path) -> None:
    write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx", language="zh")
    awards, declined = parquet.read_table(tmp_path / AWARDS), parquet.read_table(tmp_path / DECLINED)
    assert awards.column_names == [
        "project", "option", "start", "region", "year", "source", "amount", "title", "sector", "belt"
    ]  # fmt: skip
    assert pa.types.is_decimal128(awards.schema.field("amount").type)
    assert awards["amount"].to_pylist() == [row.amount for row in small_plan().payments]
    assert awards["start"].to_pylist() == [row.start for row in small_plan().payments]
    assert awards["belt"].to_pylist()[4] == "central"
    assert declined.column_names == ["project", "title", "reason", "sector", "max_award"]
    assert declined["max_award"].to_pylist() == [small_round().projects[3].max_award]


def test_the_workbook_says_where_the_rows_are_and_keeps_the_sums(tmp_path: Path) -> None:
    write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx")
    values = openpyxl.load_workbook(tmp_path / "plan.xlsx", data_only=True)
    formulas = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    rows = list(values["Awards"].iter_rows(values_only=True))
    assert rows[0][:7] == ("project", "option", "start", "region", "year", "source", "amount")
    assert str(rows[1][0]).startswith(f"The 6 rows of this table are in the file {AWARDS}")
    assert len(rows) == 2
    assert DECLINED in str(values["Declined"]["A2"].value)
    for book in (values, formulas):
        assert {row[0]: row[3] for row in book["Regions"].iter_rows(min_row=2, values_only=True)} == {
            "hubei": 733.33,
            "gansu": 612.34,
            "beijing": 300,
        }
        assert {row[0]: row[2] for row in book["Sectors"].iter_rows(min_row=2, values_only=True)} == {
            "labs": 1145.67,
            "schools": 500,
        }
        assert [row[5] for row in book["Sources"].iter_rows(min_row=2, values_only=True)] == [250, 150, 412.34, 833.33]
    for sheet in ("Regions", "Sectors", "Sources"):
        notes = [str(cell.value) for cell in values[sheet][1]]
        assert any(f"the file {AWARDS}, as values" in note for note in notes), sheet
    assert not any(
        "Awards!" in str(cell.value) for sheet in formulas for row in sheet.iter_rows() for cell in row
    )  # no formula looks at rows that are not there


def test_many_rows_come_back_equal(tmp_path: Path) -> None:
    round_ = large_round(3000)
    plan = large_plan(round_)
    write_plan(plan, round_, tmp_path / "plan.xlsx")
    found = read_plan(tmp_path / "plan.xlsx")
    assert replace(without_origins(found), manifest=plan.manifest, files={}) == plan
    # Equal amounts are one object: a plan of a million payments fits the memory.
    assert len({id(row.amount) for row in found.payments}) == len({row.amount for row in found.payments})


def test_verify_holds_with_files(solved: tuple[Round, Plan], tmp_path: Path) -> None:
    round_, plan = solved
    write_plan(plan, round_, tmp_path / "plan.xlsx")
    verification = verify(round_, read_plan(tmp_path / "plan.xlsx"))
    assert verification.ok
    named = {check.check for check in verification.checks}
    assert {f"file {AWARDS}", f"file {DECLINED}"} <= named


@pytest.mark.parametrize("restate", [False, True])
def test_one_amount_changed_fails(solved: tuple[Round, Plan], tmp_path: Path, restate: bool) -> None:
    """Also where somebody has put the file's new digest in the manifest."""
    round_, plan = solved
    path = tmp_path / "plan.xlsx"
    write_plan(plan, round_, path)
    amounts = [row.amount for row in plan.payments]
    amounts[0] += 1
    _change(tmp_path / AWARDS, _with_column("amount", [*amounts], pa.decimal128(20, 6)))
    found = read_plan(path)
    if restate:
        found = replace(found, manifest={key: value for key, value in found.manifest.items() if key != "files"})
    failed = {check.check for check in verify(round_, found).checks if not check.holds}
    assert (f"file {AWARDS}" in failed) is not restate
    assert "digest of the payments" in failed
    assert any(name.startswith(("shares of", "steps of", "award of", "payment")) for name in failed)


def test_a_declined_project_changed_fails(solved: tuple[Round, Plan], tmp_path: Path) -> None:
    round_, plan = solved
    write_plan(plan, round_, tmp_path / "plan.xlsx")
    _change(tmp_path / DECLINED, lambda table: table.slice(1))
    checks = verify(round_, read_plan(tmp_path / "plan.xlsx")).checks
    assert [check.check for check in checks if not check.holds] == [f"file {DECLINED}"]


def test_the_commands(cli: Cli, tmp_path: Path) -> None:
    book, plan = write_tables(TABLES, tmp_path / "round.xlsx"), tmp_path / "plan.xlsx"
    solved = cli("solve", book, "-o", plan, "--json").document("solve")
    assert solved["manifest"]["files"]["Awards"]["name"] == AWARDS
    assert cli("verify", book, plan).code == 0
    assert cli("solve", book, "-o", plan).code == 2
    plan.unlink()
    refused = cli("solve", book, "-o", plan)  # before the round is solved: what is beside the plan is not replaced
    assert (refused.code, AWARDS in refused.err.replace("\n", "")) == (2, True)
    shown = cli("solve", book, "-o", plan, "--force")
    assert (shown.code, AWARDS in shown.out) == (0, True)

    content = (tmp_path / AWARDS).read_bytes()
    _change(tmp_path / AWARDS, lambda table: table.slice(1))
    changed = cli("verify", book, plan)
    assert changed.code == 5
    assert f"file {AWARDS}" in changed.out

    (tmp_path / AWARDS).unlink()
    missing = cli("verify", book, plan, "--json")
    assert missing.code == 2
    assert json.loads(missing.out)["error"]["code"] == "file_missing"
    (tmp_path / AWARDS).write_bytes(content[:100])
    assert json.loads(cli("verify", book, plan, "--json").out)["error"]["code"] == "damaged"
    (tmp_path / AWARDS).write_bytes(content)
    assert cli("verify", book, plan).code == 0


def test_a_moved_plan_keeps_its_files(tmp_path: Path) -> None:
    write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx")
    (tmp_path / "there").mkdir()
    for name in (AWARDS, DECLINED):
        (tmp_path / name).rename(tmp_path / "there" / name)
    (tmp_path / "plan.xlsx").rename(tmp_path / "there" / "final plan.xlsx")
    (tmp_path / "link.xlsx").symlink_to(tmp_path / "there" / "final plan.xlsx")
    for path in (tmp_path / "there" / "final plan.xlsx", tmp_path / "link.xlsx"):
        assert len(read_plan(path).payments) == 6


@pytest.mark.parametrize(
    ("change", "code", "cell"),
    [
        (_with_column("amount", [1, 2, None, 3, 4, 5]), "missing_value", "row 3, amount"),
        (_with_column("amount", [1, 2, float("nan"), 3, 4, 5], pa.float64()), "not_a_number", "row 3, amount"),
        (_with_column("amount", ["1"] * 6, pa.string()), "not_a_number", "row 1, amount"),
        (_with_column("amount", [True] * 6, pa.bool_()), "not_a_number", "row 1, amount"),
        (_with_column("amount", [b"1"] * 6, pa.binary()), "not_a_plan", None),
        (_with_column("project", ["a", None, "b", "c", "d", "e"]), "missing_value", "row 2, project"),
        (_with_column("project", ["a", " ", "b", "c", "d", "e"]), "missing_value", "row 2, project"),
        (_with_column("region", [1, 2, 3, 4, 5, 6], pa.int64()), "not_a_text", "row 1, region"),
        (_with_column("year", [2027, 2027.5, None, None, None, None], pa.float64()), "not_whole", "row 2, year"),
        (lambda table: table.drop_columns(["source"]), "not_a_plan", None),
        (lambda table: table.append_column("source", table["source"]), "not_a_plan", None),
    ],
)
def test_a_value_that_cannot_be_read_is_named(
    tmp_path: Path, change: Callable[[pa.Table], pa.Table], code: str, cell: str | None
) -> None:
    write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx")
    _change(tmp_path / AWARDS, change)
    with pytest.raises(OptallocError) as refused:
        read_plan(tmp_path / "plan.xlsx")
    assert (refused.value.code, refused.value.sheet, refused.value.cell) == (code, AWARDS, cell)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.set_column(6, "amount", table["amount"].cast(pa.float64())),
        lambda table: table.set_column(5, "source", table["source"].dictionary_encode()),
        lambda table: table.set_column(1, "option", table["option"].cast(pa.large_string())),
        lambda table: table.set_column(4, "year", table["year"].cast(pa.float64())),
        lambda table: table.select(table.column_names[::-1]),
    ],
)
def test_a_file_saved_by_another_program_has_the_same_rows(
    tmp_path: Path, change: Callable[[pa.Table], pa.Table]
) -> None:
    write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx")
    _change(tmp_path / AWARDS, change)
    assert without_origins(read_plan(tmp_path / "plan.xlsx")).payments == small_plan().payments


def test_rows_on_the_sheet_of_a_file_are_not_overlooked(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    write_plan(small_plan(), small_round(), path)
    book = openpyxl.load_workbook(path)
    book["Awards"].append(["p4", None, 2027, "gansu", 2027, "science", 5])
    book.save(path)
    with pytest.raises(OptallocError) as refused:
        read_plan(path)
    assert (refused.value.code, refused.value.sheet, refused.value.cell) == ("rows_beside_file", "Awards", "A3")


@pytest.mark.parametrize(
    "stated",
    [
        [],
        {"Awards": "plan.awards.parquet"},
        {"Rules": {"name": AWARDS, "rows": 1, "sha256": ""}},
        {"Awards": {"name": "../plan.awards.parquet", "rows": 1, "sha256": ""}},
        {"Awards": {"name": "/etc/passwd", "rows": 1, "sha256": ""}},
        {"Awards": {"name": "..", "rows": 1, "sha256": ""}},
    ],
)
def test_only_files_beside_the_workbook_are_read(tmp_path: Path, stated: object) -> None:
    path = tmp_path / "plan.xlsx"
    write_plan(small_plan(), small_round(), path)
    book = openpyxl.load_workbook(path)
    sheet = book["Manifest"]
    row = next(cell.row for cell in sheet["A"] if cell.value == "files")
    sheet.cell(row, 2).value = json.dumps(stated)
    book.save(path)
    with pytest.raises(OptallocError) as refused:
        read_plan(path)
    assert (refused.value.code, refused.value.sheet) == ("bad_manifest", "Manifest")


def test_what_is_no_ordinary_file_is_not_read(tmp_path: Path) -> None:
    write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx")
    (tmp_path / AWARDS).unlink()
    os.mkfifo(tmp_path / AWARDS)
    with pytest.raises(WorkbookUnreadable) as refused:
        read_plan(tmp_path / "plan.xlsx")
    assert refused.value.code == "damaged"


def test_amounts_of_more_digits_than_a_column_has_are_refused(tmp_path: Path) -> None:
    declined = small_round().projects[3]
    round_ = replace(
        small_round(), projects=(*small_round().projects[:3], replace(declined, max_award=Decimal("1e40")))
    )
    with pytest.raises(OptallocError) as refused:
        write_plan(small_plan(), round_, tmp_path / "plan.xlsx")
    assert (refused.value.code, refused.value.sheet) == ("too_many_digits", DECLINED)
    assert not _names(tmp_path)


@pytest.mark.parametrize("taken", [AWARDS, DECLINED, "plan.xlsx"])
def test_no_file_is_replaced_without_force(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("old")
    with pytest.raises(WrongUse, match=taken) as refused:
        write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx")
    assert refused.value.code == "exists"
    assert _names(tmp_path) == [taken]
    write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx", force=True)
    assert _names(tmp_path) == [AWARDS, DECLINED, "plan.xlsx"]
    assert len(read_plan(tmp_path / "plan.xlsx").payments) == 6


def test_a_file_beside_the_plan_is_never_the_input(tmp_path: Path) -> None:
    (tmp_path / AWARDS).write_text("the round")
    with pytest.raises(WrongUse) as refused:
        write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx", force=True, inputs=[tmp_path / AWARDS])
    assert refused.value.code == "is_input"
    assert (tmp_path / AWARDS).read_text() == "the round"


@pytest.mark.parametrize("force", [False, True])
def test_a_failed_write_leaves_everything_as_it_was(tmp_path: Path, force: bool) -> None:
    path = tmp_path / "plan.xlsx"
    if force:
        for name in (AWARDS, "plan.xlsx"):
            (tmp_path / name).write_text(f"old {name}")
    before = {name: (tmp_path / name).read_text() for name in _names(tmp_path)}
    plan = replace(small_plan(), objective=Decimal("1234567890.1234567"))  # refused on the workbook, after the files
    with pytest.raises(OptallocError, match="15 digits"):
        write_plan(plan, small_round(), path, force=force)
    assert {name: (tmp_path / name).read_text() for name in _names(tmp_path)} == before


@pytest.mark.parametrize("links", [True, False])
def test_files_are_taken_back_where_the_workbook_cannot_get_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """The workbook's name is taken while it is being written; with --force its renaming fails."""
    path = tmp_path / "plan.xlsx"
    written = plan_files.write_file

    def slow(*arguments: object) -> object:
        path.write_text("somebody else's")
        return written(*arguments)  # type: ignore[arg-type]

    def no_links(*_: object) -> None:
        raise OSError("no hard links here")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with monkeypatch.context() as patch:
        patch.setattr("optalloc.workbook.plan_writer.write_file", slow)
        with pytest.raises(WrongUse) as refused:
            write_plan(small_plan(), small_round(), path)
    assert refused.value.code == "exists"
    assert _names(tmp_path) == ["plan.xlsx"]

    (tmp_path / AWARDS).write_text("old")
    replace_file = Path.replace

    def refusing(self: Path, target: Path) -> Path:
        if target == path:
            raise PermissionError(13, "no")
        return replace_file(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refusing)
        with pytest.raises(WrongUse) as refused:
            write_plan(small_plan(), small_round(), path, force=True)
    assert refused.value.code == "not_writable"
    assert _names(tmp_path) == [AWARDS, "plan.xlsx"]
    assert (tmp_path / AWARDS).read_text() == "old"
    assert path.read_text() == "somebody else's"
