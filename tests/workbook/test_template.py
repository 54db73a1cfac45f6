"""The template: what is written is read back without an error, in both languages, also through LibreOffice."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from integrated_fund.digest import round_digest
from integrated_fund.round import Round
from optalloc.examples import EXAMPLES
from optalloc.workbook.reading import read_and_check
from optalloc.workbook.template import Language, write_template


def _read(path: Path) -> Round:
    reading = read_and_check(path)
    assert not reading.has_errors, [f"{p.place} {p.message()}" for p in reading.problems]
    assert reading.round is not None
    return reading.round


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("example", [None, "small"])
def test_what_is_written_is_read_back(tmp_path: Path, language: Language, example: str | None) -> None:
    path = tmp_path / "round.xlsx"
    write_template(path, None if example is None else EXAMPLES[example](), language=language)
    round_ = _read(path)
    assert read_and_check(path).language == language
    if example is not None:
        other = tmp_path / "other.xlsx"
        write_template(other, EXAMPLES[example](), language="en")
        assert round_digest(round_) == round_digest(_read(other))


def test_headings_have_notes_and_closed_columns_a_list(tmp_path: Path) -> None:
    path = tmp_path / "round.xlsx"
    write_template(path, None)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[0] == "Guide"
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes is not None
        for cell in sheet[1]:
            if str(cell.value) != "people_trained":
                assert cell.comment is not None, (sheet.title, cell.value)
    offered = {
        str(validation.sqref).split(":")[0][0] + "/" + sheet.title: validation.formula1
        for sheet in book.worksheets
        for validation in sheet.data_validations.dataValidation
    }
    sector = next(cell.column_letter for cell in book["Projects"][1] if cell.value == "sector")
    assert offered[f"{sector}/Projects"] == "'Sectors'!$A$2:$A$5000"
    sense = next(cell.column_letter for cell in book["Rules"][1] if cell.value == "sense")
    assert offered[f"{sense}/Rules"] == '">=,<=,="'


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_libreoffice_opens_recalculates_and_saves_it(tmp_path: Path, language: Language) -> None:
    path = tmp_path / "round.xlsx"
    write_template(path, EXAMPLES["small"](), language=language)
    before = round_digest(_read(path))
    out = tmp_path / "out"
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx",
         "--outdir", str(out), str(path)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert round_digest(_read(out / "round.xlsx")) == before
