"""A spreadsheet program calculates the plan workbook to the values that stand in it, and saves it without loss."""

from __future__ import annotations

import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from optalloc.workbook.plan_reader import read_plan
from optalloc.workbook.plan_writer import write_plan
from tests.workbook.plans import large_plan, large_round, small_plan, small_round
from tests.workbook.test_plan_round_trip import without_origins

_OFFICE = shutil.which("soffice") or shutil.which("libreoffice")

pytestmark = pytest.mark.skipif(_OFFICE is None, reason="LibreOffice is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with plans as written, and in `saved` what LibreOffice makes of them.

    `*_blank` have lost the values of their formulas, so that every one must be calculated; in `changed` an amount is
    another one, too.
    """
    folder = tmp_path_factory.mktemp("plans")
    write_plan(small_plan(), small_round(), folder / "small.xlsx")
    write_plan(small_plan(), small_round(), folder / "chinese.xlsx", language="zh")
    round_ = large_round(300)
    write_plan(large_plan(round_), round_, folder / "large.xlsx")
    for name in ("small", "large"):
        openpyxl.load_workbook(folder / f"{name}.xlsx").save(folder / f"{name}_blank.xlsx")
    book = openpyxl.load_workbook(folder / "small.xlsx")
    book["Awards"]["G6"] = 1000
    book.save(folder / "changed.xlsx")
    assert _OFFICE is not None
    subprocess.run(
        [
            _OFFICE,
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            *("--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "saved")),
            *map(str, sorted(folder.glob("*.xlsx"))),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    return folder


@pytest.mark.parametrize("name", ["small", "large"])
def test_every_formula_is_calculated_to_the_value_written_with_it(folder: Path, name: str) -> None:
    formulas = openpyxl.load_workbook(folder / f"{name}.xlsx")
    stated = openpyxl.load_workbook(folder / f"{name}.xlsx", data_only=True)
    calculated = openpyxl.load_workbook(folder / "saved" / f"{name}_blank.xlsx", data_only=True)
    found = 0
    for sheet in formulas:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    place = cell.coordinate
                    value = calculated[sheet.title][place].value
                    known = stated[sheet.title][place].value
                    same = value == known if isinstance(known, str) else value == pytest.approx(known, rel=1e-12)
                    assert same, (sheet.title, place, value, known)
                    found += 1
    assert found > 30


@pytest.mark.parametrize("name", ["small", "chinese", "large"])
def test_a_plan_saved_by_another_program_is_the_same(folder: Path, name: str) -> None:
    before, after = read_plan(folder / f"{name}.xlsx"), read_plan(folder / "saved" / f"{name}.xlsx")
    assert without_origins(after) == without_origins(before)


def test_sums_follow_a_changed_amount(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "saved" / "changed.xlsx", data_only=True)
    total = 1645.67 - 733.33 + 1000
    regions = {row[0]: row[3] for row in book["Regions"].iter_rows(min_row=2, values_only=True)}
    assert regions["hubei"] == pytest.approx(1000)
    sources = {row[:2]: row[5] for row in book["Sources"].iter_rows(min_row=2, values_only=True)}
    assert sources["science", 2028] == pytest.approx(1100)
    belts = {row[0]: row[1] for row in book["Summary"].iter_rows(max_col=2, values_only=True)}
    assert belts["central"] == pytest.approx(1000)
    assert belts["awarded"] == pytest.approx(total)
    assert book["Awards"]["L1"].value == "total of the rows shown: 1,912.34"
    assert read_plan(folder / "saved" / "changed.xlsx").payments[4].amount == Decimal(1000)
