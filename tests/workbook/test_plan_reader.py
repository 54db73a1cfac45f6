"""A plan workbook that somebody has worked on: what is still read, and what is refused with its address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from optalloc.errors import OptallocError, WorkbookUnreadable
from optalloc.workbook.plan_reader import read_plan
from optalloc.workbook.plan_writer import write_plan
from tests.workbook.plans import small_plan, small_round
from tests.workbook.test_plan_round_trip import without_origins


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "plan.xlsx"
    write_plan(small_plan(), small_round(), path)
    return path


@pytest.fixture
def edited(written: Path, tmp_path: Path) -> Callable[[Callable[[Workbook], object]], Path]:
    """Return a function that applies a change to the plan workbook and saves it under another name."""

    def edit(change: Callable[[Workbook], object]) -> Path:
        book = openpyxl.load_workbook(written)
        change(book)
        book.save(tmp_path / "edited.xlsx")
        return tmp_path / "edited.xlsx"

    return edit


Edited = Callable[[Callable[[Workbook], object]], Path]


def _set(sheet: str, cell: str, value: object) -> Callable[[Workbook], object]:
    def change(book: Workbook) -> None:
        book[sheet][cell].value = value

    return change


def test_a_plan_saved_again_is_the_same(edited: Edited) -> None:
    assert without_origins(read_plan(edited(lambda _: None))) == small_plan()


def test_a_changed_amount_is_read_with_its_new_value(edited: Edited) -> None:
    plan = read_plan(edited(_set("Awards", "G6", 700.5)))
    assert plan.payments[4].amount == Decimal("700.5")
    assert str(plan.payments[4].origin.place("amount")) == "Awards!G6"
    assert plan.awards[1].award == Decimal("700.5")


def test_a_whole_amount_has_no_exponent(edited: Edited) -> None:
    assert str(read_plan(edited(_set("Awards", "G6", 1e16))).payments[4].amount) == "1" + "0" * 16


def test_a_formula_that_was_never_calculated_is_refused_with_its_cell(edited: Edited) -> None:
    with pytest.raises(OptallocError) as refused:
        read_plan(edited(_set("Awards", "G6", "=700+0.5")))
    assert (refused.value.sheet, refused.value.cell) == ("Awards", "G6")


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "code"),
    [
        ("Awards", "G6", "733.33", "not_a_number"),
        ("Awards", "G6", "12 万", "not_a_number"),
        ("Awards", "G6", "#REF!", "cell_error"),
        ("Awards", "G6", True, "not_a_number"),
        ("Awards", "G6", dt.datetime(2027, 1, 1), "not_a_number"),  # noqa: DTZ001 - Excel's dates have no zone
        ("Awards", "G6", None, "missing_value"),
        ("Awards", "A6", None, "missing_value"),
        ("Awards", "D6", dt.datetime(2027, 1, 1), "not_a_text"),  # noqa: DTZ001
        ("Awards", "E6", 2027.5, "not_whole"),
        ("Awards", "E6", "next year", "not_a_number"),
        ("Rules", "D3", "#DIV/0!", "cell_error"),
        ("Rules", "C3", "<", "not_a_choice"),
        ("Rules", "I3", "perhaps", "not_a_choice"),
        ("Sources", "C3", "much", "not_a_number"),
        ("Summary", "B5", "splendid", "not_a_choice"),
        ("Summary", "B6", "large", "not_a_number"),
        ("Manifest", "B3", "{", "bad_manifest"),
        ("Manifest", "B3", "NaN", "bad_manifest"),
        ("Manifest", "B3", "[" * 30_000, "bad_manifest"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(edited: Edited, sheet: str, cell: str, value: object, code: str) -> None:
    with pytest.raises(OptallocError) as refused:
        read_plan(edited(_set(sheet, cell, value)))
    assert (refused.value.code, refused.value.sheet, refused.value.cell) == (code, sheet, cell)


def test_names_retyped_as_numbers_are_names(edited: Edited) -> None:
    assert read_plan(edited(_set("Awards", "A6", 12))).payments[4].project == "12"


def test_columns_and_rows_may_have_moved(edited: Edited) -> None:
    def move(book: Workbook) -> None:
        book["Awards"].insert_rows(1, 3)
        book["Awards"].insert_cols(1)
        book["Awards"]["A5"] = "checked"
        book["Rules"].insert_rows(1, 2)
        book["Sources"].append([])
        rows = [[cell.value for cell in row][::-1] for row in book["Sources"].iter_rows(max_col=8)]
        book["Sources"].delete_rows(1, 20)
        for row in rows:
            book["Sources"].append(row)

    plan = read_plan(edited(move))
    assert without_origins(plan) == small_plan()
    assert str(plan.payments[0].origin.place("amount")) == "Awards!H5"


def test_headings_in_another_case_or_language_are_taken(edited: Edited) -> None:
    def rename(book: Workbook) -> None:
        book["Awards"]["A1"], book["Awards"]["G1"] = " PROJECT ", "金额"
        book["Rules"]["H1"] = "Typed  Bound"

    assert without_origins(read_plan(edited(rename))) == small_plan()


@pytest.mark.parametrize("sheet", ["Summary", "Awards", "Rules", "Sources", "Declined", "Manifest"])
def test_a_missing_sheet_is_named(edited: Edited, sheet: str) -> None:
    with pytest.raises(WorkbookUnreadable) as refused:
        read_plan(edited(lambda book: book.remove(book[sheet])))
    assert (refused.value.code, refused.value.sheet) == ("not_a_plan", sheet)


@pytest.mark.parametrize(
    ("sheet", "cell", "named"),
    [
        ("Awards", "G1", "amount"),
        ("Rules", "H1", "typed bound"),
        ("Summary", "A5", "status"),
        ("Summary", "A18", "criteria"),
    ],
)
def test_a_missing_heading_is_named(edited: Edited, sheet: str, cell: str, named: str) -> None:
    with pytest.raises(WorkbookUnreadable) as refused:
        read_plan(edited(_set(sheet, cell, "something else")))
    assert (refused.value.code, refused.value.sheet) == ("not_a_plan", sheet)
    assert named in refused.value.message


def test_another_version_is_refused(edited: Edited) -> None:
    with pytest.raises(WorkbookUnreadable) as refused:
        read_plan(edited(_set("Manifest", "B2", "2")))
    assert refused.value.code == "schema_version"


def test_a_criterion_that_stands_twice_is_refused(edited: Edited) -> None:
    with pytest.raises(OptallocError) as refused:
        read_plan(edited(_set("Summary", "A20", "training")))
    assert (refused.value.code, refused.value.cell) == ("twice", "A20")


def test_a_round_workbook_is_not_a_plan(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "round.xlsx")
    with pytest.raises(WorkbookUnreadable, match="not a plan") as refused:
        read_plan(tmp_path / "round.xlsx")
    assert refused.value.code == "not_a_plan"
