"""Marked copies: every cell at fault has a colour and a note."""

from __future__ import annotations

import copy
from pathlib import Path

import openpyxl
import pytest

from optalloc.errors import WrongUse
from optalloc.workbook.annotate import annotate
from optalloc.workbook.grid import Tables
from optalloc.workbook.reading import read_and_check
from tests.plan.test_verify import TABLES
from tests.support.tables import write_tables


def test_cells_at_fault_are_marked(tmp_path: Path) -> None:
    tables: Tables = copy.deepcopy(TABLES)
    tables["Projects"][0]["max_award"] = "sixty"
    tables["Projects"][1]["region"] = "nowhere"
    book = write_tables(tables, tmp_path / "round.xlsx")
    out = tmp_path / "marked.xlsx"
    annotate(book, read_and_check(book).problems, out, language="en", force=False)
    marked = openpyxl.load_workbook(out)["Projects"]
    assert "plain number" in str(marked["D2"].comment.text)
    assert "nowhere" in str(marked["C3"].value)
    assert marked["C3"].comment is not None
    assert marked["D3"].comment is None
    assert marked["D2"].fill.fgColor.rgb != marked["D3"].fill.fgColor.rgb
    with pytest.raises(WrongUse):
        annotate(book, (), out, language="en", force=False)
    with pytest.raises(WrongUse):
        annotate(book, (), book, language="en", force=True)
