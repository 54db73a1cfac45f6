"""Copies with changed cells: the cells, and nothing else."""

from __future__ import annotations

import re
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.comments import Comment

from optalloc.errors import OptallocError
from optalloc.workbook.changed import Content, changed_copy
from tests.support.tables import sound_tables, write_tables


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_tables(sound_tables(), tmp_path / "round.xlsx")


def _parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def _written(book: Path, content: bytes) -> Path:
    copy = book.with_name("copy.xlsx")
    copy.write_bytes(content)
    return copy


def test_cells_change_and_everything_else_stays_byte_for_byte(book: Path) -> None:
    changes: dict[tuple[str, str], Content] = {
        ("Sources", "C2"): Decimal(110),
        ("Projects", "A2"): "P & <1>",
        ("Links", "A2"): None,
    }
    copy = _written(book, changed_copy(book, changes))
    before, after = load_workbook(book), load_workbook(copy)
    for sheet in before.sheetnames:
        for row in before[sheet].iter_rows():
            for cell in row:
                expected = changes.get((sheet, cell.coordinate), cell.value)
                found = after[sheet][cell.coordinate].value
                assert found == (float(expected) if isinstance(expected, Decimal) else expected)
    old, new = _parts(book), _parts(copy)
    assert list(old) == list(new)
    assert sum(old[name] != new[name] for name in old) == 3


def test_styles_notes_and_formulas_stay(book: Path, tmp_path: Path) -> None:
    styled = load_workbook(book)
    sheet = styled["Sources"]
    sheet["C2"].number_format = "#,##0"
    sheet["C2"].comment = Comment("as decided", "planner")
    sheet["Z9"] = "=C2*2"
    styled.save(tmp_path / "styled.xlsx")
    copy = _written(book, changed_copy(tmp_path / "styled.xlsx", {("Sources", "C2"): Decimal(7)}))
    after = load_workbook(copy)["Sources"]
    assert (after["C2"].value, after["C2"].number_format) == (7, "#,##0")
    assert after["C2"].comment is not None
    assert after["Z9"].value == "=C2*2"
    assert re.search(rb'<calcPr[^>]*fullCalcOnLoad="1"', _parts(copy)["xl/workbook.xml"])


def test_a_formula_in_the_cell_itself_gives_way(book: Path, tmp_path: Path) -> None:
    other = load_workbook(book)
    other["Sources"]["C2"] = "=50*2"
    other.save(tmp_path / "formula.xlsx")
    copy = _written(book, changed_copy(tmp_path / "formula.xlsx", {("Sources", "C2"): Decimal(7)}))
    assert load_workbook(copy)["Sources"]["C2"].value == 7


@pytest.mark.parametrize(("sheet", "cell"), [("Nowhere", "A1"), ("Sources", "XX99")])
def test_a_cell_that_is_not_there_is_refused(book: Path, sheet: str, cell: str) -> None:
    with pytest.raises(OptallocError) as refused:
        changed_copy(book, {(sheet, cell): Decimal(1)})
    assert (refused.value.code, refused.value.sheet) == ("cannot_change", sheet)


def test_the_head_of_a_shared_formula_is_refused(book: Path, tmp_path: Path) -> None:
    """Other cells hang on it: without its head the workbook is broken."""
    parts = _parts(book)
    name = "xl/worksheets/sheet2.xml"
    text = parts[name].decode()
    cell = re.search(r'<c r="C2"[^>]*>.*?</c>', text)
    assert cell is not None
    head = '<c r="C2"><f t="shared" ref="C2:C3" si="0">50*2</f><v>100</v></c>'
    parts[name] = text.replace(cell[0], head).encode()
    with zipfile.ZipFile(tmp_path / "shared.xlsx", "w") as package:
        for part, content in parts.items():
            package.writestr(part, content)
    with pytest.raises(OptallocError) as refused:
        changed_copy(tmp_path / "shared.xlsx", {("Sources", "C2"): Decimal(1)})
    assert (refused.value.code, refused.value.cell) == ("cannot_change", "C2")


def test_cells_without_addresses_and_prefixed_names_are_found(book: Path, tmp_path: Path) -> None:
    """Other programs leave addresses out, or write every name with a prefix."""
    parts = _parts(book)
    name = "xl/worksheets/sheet2.xml"
    text = re.sub(r' r="[A-Z]+\d+"', "", parts[name].decode())
    text = re.sub(r"<(/?)(\w)", r"<\1x:\2", text).replace("xmlns=", "xmlns:x=", 1)
    parts[name] = text.replace("<x:?", "<?").encode()
    with zipfile.ZipFile(tmp_path / "bare.xlsx", "w") as package:
        for part, content in parts.items():
            package.writestr(part, content)
    copy = _written(book, changed_copy(tmp_path / "bare.xlsx", {("Sources", "C3"): Decimal(81)}))
    values = [row[2] for row in load_workbook(copy)["Sources"].iter_rows(values_only=True)]
    assert values == ["amount", 100, 81, 60.5]
