"""Where things stand on a sheet, and the many ways honest programs put a workbook together."""

from __future__ import annotations

import datetime as dt
import io
import random
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.grid import BadCell, Grid, Value, column_letter
from optalloc.workbook.opening import open_workbook
from tests.workbook import hostile

STRINGS = "<si><t>first</t></si><si><t>second</t></si>"


def opened(path: Path, parts: hostile.Parts) -> Grid:
    (grid,) = open_workbook(hostile.write(path / "round.xlsx", parts), lambda name: name == "Projects").grids
    return grid


def cells_of(grid: Grid) -> dict[str, Value]:
    return {
        f"{column_letter(grid.first_column + position)}{row.number}": value
        for row in grid.rows
        for position, value in enumerate(row.values)
        if value is not None
    }


def row(number: int, *cells: str, attributes: str = "") -> str:
    filled = "".join(f'<c r="{cell}{number}"><v>{number}</v></c>' for cell in cells)
    return f'<row r="{number}"{attributes}>{filled}</row>'


def test_table_that_starts_at_c3(tmp_path: Path) -> None:
    grid = opened(tmp_path, hostile.parts(row(3, "C", "E") + row(5, "D") + row(6, "C")))
    assert cells_of(grid) == {"C3": 3.0, "E3": 3.0, "D5": 5.0, "C6": 6.0}
    assert (grid.first_column, [r.number for r in grid.rows]) == (3, [3, 5, 6])
    assert grid.rows[1].values == [None, 5.0, None]


def test_data_behind_three_thousand_blank_rows(tmp_path: Path) -> None:
    blank = "".join(f'<row r="{n}"><c r="A{n}" s="1"/></row>' for n in range(2, 3002))
    grid = opened(tmp_path, hostile.parts(row(1, "A") + blank + row(3002, "A", "B")))
    assert cells_of(grid) == {"A1": 1.0, "A3002": 3002.0, "B3002": 3002.0}


def test_values_beside_blank_cells(tmp_path: Path) -> None:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" s="1"/><c r="B{n}" s="1"/><c r="C{n}"><v>1</v></c><c r="D{n}" s="1"/>'
        f'<c r="E{n}" s="2" t="n"><f t="shared" si="0"/><v>2</v></c>'
        f'<c r="F{n}" t="str"><f/><v>x</v></c><c r="G{n}"/></row>'
        for n in range(1, 4)
    )
    grid = opened(tmp_path, hostile.parts(rows))
    assert cells_of(grid) == {f"{c}{n}": v for n in (1, 2, 3) for c, v in (("C", 1.0), ("E", 2.0), ("F", "x"))}
    assert grid.first_column == 3


def test_sheet_of_several_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optalloc.workbook.opening._PIECE", 100)
    odd = '<row r="50"><c r="B50" t="e"><v>#N/A</v></c></row>'
    rows = "".join(row(n, "DB"[n % 2], "E") for n in range(1, 50)) + odd + "".join(row(n, "A") for n in range(51, 70))
    grid = opened(tmp_path, hostile.parts(rows))
    assert [r.number for r in grid.rows] == list(range(1, 70))
    assert {len(r.values) for r in grid.rows} == {5}
    expected = {f"{'DB'[n % 2]}{n}": float(n) for n in range(1, 50)} | {f"E{n}": float(n) for n in range(1, 50)}
    expected |= {f"A{n}": float(n) for n in range(51, 70)}
    assert cells_of(grid) == {**expected, "B50": BadCell("error", "#N/A")}


def test_last_row_of_all(tmp_path: Path) -> None:
    grid = opened(tmp_path, hostile.parts(row(1, "A") + row(1048576, "A")))
    assert cells_of(grid) == {"A1": 1.0, "A1048576": 1048576.0}


@pytest.mark.parametrize(
    ("rows", "cell"),
    [
        ("".join(row(n, "A", "Q") for n in range(1, 100)) + row(1048576, "A"), "A1048576"),
        ("".join(row(n, "A", "B") for n in range(1, 200)) + row(200, "A", "XFD"), "XFD200"),
        (row(7, "A", "XFD") + "".join(row(n, "A", "B") for n in range(8, 300)), "XFD7"),
        (row(1, "A") + row(1048576, "XFD"), "XFD1048576"),
        (row(1, "A") + '<row r="1048576"><c r="XFD1048576" t="e"><v>#REF!</v></c></row>', "XFD1048576"),
    ],
)
def test_far_cell_is_named(tmp_path: Path, rows: str, cell: str) -> None:
    with pytest.raises(WorkbookUnreadable) as caught:
        opened(tmp_path, hostile.parts(rows))
    assert (caught.value.code, caught.value.sheet, caught.value.cell) == ("far_cell", "Projects", cell)


def test_far_cell_without_a_value_is_no_matter(tmp_path: Path) -> None:
    far = '<row r="1048576" s="1"><c r="XFD1048576" s="1"/></row>'
    assert cells_of(opened(tmp_path, hostile.parts(row(1, "A") + far))) == {"A1": 1.0}


def test_bad_cells_where_nothing_else_is(tmp_path: Path) -> None:
    error = '<row r="{0}"><c r="{1}{0}" t="e"><v>#N/A</v></c></row>'
    rows = error.format(2, "A") + row(4, "C", "D") + error.format(5, "F") + error.format(9, "B")
    grid = opened(tmp_path, hostile.parts(rows))
    bad = BadCell("error", "#N/A")
    assert cells_of(grid) == {"A2": bad, "C4": 4.0, "D4": 4.0, "F5": bad, "B9": bad}
    assert [r.number for r in grid.rows] == [2, 4, 5, 9]


def test_nothing_but_a_bad_cell(tmp_path: Path) -> None:
    grid = opened(tmp_path, hostile.parts('<row r="3"><c r="C3"><f>A1</f></c></row>'))
    assert cells_of(grid) == {"C3": BadCell("formula_without_value", "=A1")}
    assert grid.first_column == 3


@pytest.mark.parametrize("rows", ["", '<row r="5"/>', '<row r="5"><c r="A5" s="1"/></row>', "\n\n"])
def test_blank_sheet(tmp_path: Path, rows: str) -> None:
    assert opened(tmp_path, hostile.parts(rows)).rows == []


def test_blank_sheet_in_short(tmp_path: Path) -> None:
    content = {**hostile.parts(), hostile.SHEET: f'<worksheet xmlns="{hostile.MAIN}"><sheetData/></worksheet>'.encode()}
    assert opened(tmp_path, content).rows == []


@pytest.mark.parametrize("word", ["1", "true"])
def test_hidden_rows_and_columns(tmp_path: Path, word: str) -> None:
    rows = row(1, "A") + row(2, "A", attributes=f' hidden="{word}"') + row(3, "A", attributes=' hidden="0"')
    before = f'<cols><col min="2" max="3" hidden="{word}"/><col min="5" max="5"/></cols>'
    grid = opened(tmp_path, hostile.parts(rows, before))
    assert [r.hidden for r in grid.rows] == [False, True, False]
    assert grid.hidden_columns == (2, 3)
    early = opened(tmp_path, hostile.parts(row(1, "A", attributes=f" hidden='{word}'")))
    assert [r.hidden for r in early.rows] == [True]


@pytest.mark.parametrize(("state", "hidden"), [("hidden", True), ("veryHidden", True), ("visible", False)])
def test_hidden_sheet(tmp_path: Path, state: str, hidden: bool) -> None:
    book = hostile.book_xml(f'<sheet name="Projects" state="{state}" r:id="r1"/>')
    assert opened(tmp_path, {**hostile.parts(row(1, "A")), "xl/workbook.xml": book}).hidden is hidden


def test_merged_cells(tmp_path: Path) -> None:
    after = '<mergeCells count="2"><mergeCell ref="A1:B2"/><mergeCell ref="$c$3:d4"/></mergeCells>'
    assert opened(tmp_path, hostile.parts(row(1, "A"), after=after)).merged == ("A1:B2", "C3:D4")


def test_fifty_thousand_merges(tmp_path: Path) -> None:
    merges = "".join(f'<mergeCell ref="A{2 * n}:B{2 * n}"/>' for n in range(1, 50_001))
    grid = opened(tmp_path, hostile.parts(row(1, "A"), after=f"<mergeCells>{merges}</mergeCells>"))
    assert len(grid.merged) == 50_000


def test_one_merge_over_the_sheet(tmp_path: Path) -> None:
    after = '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    assert opened(tmp_path, hostile.parts(row(1, "A"), after=after)).merged == ("A1:XFD1048576",)


@pytest.mark.parametrize("ref", ["A1", "A1:A2", "A1:XFD1048576", "hello", "", "A99999999999", "B9:A1", "A1:B2:C3"])
def test_declared_extent_is_not_believed(tmp_path: Path, ref: str) -> None:
    rows = "".join(row(n, "A", "B") for n in range(1, 50))
    grid = opened(tmp_path, hostile.parts(rows, before=f'<dimension ref="{ref}"/>'))
    assert len(cells_of(grid)) == 98


def test_rows_that_stand_twice(tmp_path: Path) -> None:
    first = '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>1</v></c></row>'
    grid = opened(
        tmp_path, hostile.parts(row(1, "A") + first + '<row r="2"><c r="B2"><v>7</v></c></row>' + row(3, "A"))
    )
    assert cells_of(grid) == {"A1": 1.0, "A2": 1.0, "B2": BadCell("repeated", "7"), "A3": 3.0}


def test_row_that_stands_again_later(tmp_path: Path) -> None:
    rows = "".join(row(n, "A", "B") for n in range(1, 500))
    grid = opened(tmp_path, hostile.parts(rows + row(7, "B") + row(500, "A")))
    bad = {cell: value for cell, value in cells_of(grid).items() if isinstance(value, BadCell)}
    assert bad == {"B7": BadCell("repeated", "7")}
    assert len(grid.rows) == 500


def test_row_that_goes_on_later_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(WorkbookUnreadable) as caught:
        opened(tmp_path, hostile.parts(row(1, "A") + row(2, "A") + row(3, "A") + row(2, "C")))
    assert (caught.value.code, caught.value.cell) == ("damaged", "C2")


def test_odd_cells_between_plain_rows(tmp_path: Path) -> None:
    """Every tenth row is left to the parser, with marks of a row's end where none is."""
    oddities = [
        "<row r='{0}'><c r='A{0}'><v>{0}</v></c></row>",
        '<!-- </row><row r="9"> --><row r="{0}"><c r="A{0}"><v>{0}</v></c></row>',
        '<row r="{0}"><c r="A{0}"><v>{0}</v></c><!-- </row> --></row>',
        '<row r="{0}"><c r="A{0}"><v>{0}</v></c><extLst><x:row xmlns:x="urn:x"></x:row></extLst></row >',
        '<row r="{0}"><c r="A{0}"><f>"<![CDATA[</row>]]>"</f><v>{0}</v></c></row>',
        '<row r="{0}">\n<c r="A{0}"><v>{0}</v></c>\n</row>\n',
        "<row><c><v>{0}</v></c></row>",
    ]
    rows = [oddities[n // 10 % len(oddities)].format(n) if n % 10 == 3 else row(n, "A", "B") for n in range(1, 2000)]
    values = cells_of(opened(tmp_path, hostile.parts("".join(rows))))
    assert {cell: value for cell, value in values.items() if cell[0] == "A"} == {
        f"A{n}": float(n) for n in range(1, 2000)
    }


def test_plain_rows_in_a_comment_are_none(tmp_path: Path) -> None:
    rows = row(1, "A") + f"<!-- </row>{row(2, 'A')}{row(3, 'A')} -->" + row(4, "A")
    assert cells_of(opened(tmp_path, hostile.parts(rows))) == {"A1": 1.0, "A4": 4.0}


def test_plain_rows_elsewhere_are_none(tmp_path: Path) -> None:
    after = f'<extLst><ext uri="x"><sheetData>{row(2, "A")}{row(3, "A")}</sheetData></ext></extLst>'
    assert cells_of(opened(tmp_path, hostile.parts(row(1, "A"), before="", after=after))) == {"A1": 1.0}


def test_shared_strings(tmp_path: Path) -> None:
    strings = [
        ("<si><t>plain</t></si>", "plain"),
        ('<si><t xml:space="preserve"> a </t></si>', " a "),
        ("<si><t>R&amp;D</t></si>", "R&D"),
        ("<si><t>&#x6559;育&#10;二</t></si>", "教育\n二"),
        ("<si><r><rPr><b/></rPr><t>ri</t></r><r><t>ch</t></r></si>", "rich"),
        ('<si><t>甘肃</t><rPh sb="0" eb="2"><t>gan su</t></rPh><phoneticPr fontId="1"/></si>', "甘肃"),
        ("<si><t></t></si>", None),
        ("<si><t/></si>", None),
        ("<si/>", None),
        ("<si></si>", None),
        ("<si><t>a<!-- x -->b</t></si>", "ab"),
        ("<si><t><![CDATA[<&>]]></t></si>", "<&>"),
        ("<si>\n<t>pretty</t>\n</si>", "pretty"),
        ("<!-- </si><si><t>no</t></si> --><si><t>last</t></si>", "last"),
        ("<si><t>a\r\nb</t></si>", "a\nb"),
        ("<si><t>end</t></si>", "end"),
    ]
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>{n - 1}</v></c></row>' for n in range(1, len(strings) + 1))
    values = cells_of(opened(tmp_path, hostile.parts(cells, strings="".join(item for item, _ in strings))))
    assert [values.get(f"A{n}") for n in range(1, len(strings) + 1)] == [text for _, text in strings]


def test_counts_of_shared_strings_are_not_believed(tmp_path: Path) -> None:
    content = hostile.parts('<row r="1"><c r="A1" t="s"><v>1</v></c></row>', strings=STRINGS)
    content["xl/sharedStrings.xml"] = content["xl/sharedStrings.xml"].replace(
        b"<sst ", b'<sst count="99999999999999999" uniqueCount="99999999999999" '
    )
    assert cells_of(opened(tmp_path, content)) == {"A1": "second"}


def test_days_from_1904(tmp_path: Path) -> None:
    styles = '<cellXfs><xf numFmtId="14"/></cellXfs>'
    content = hostile.parts('<row r="1"><c r="A1" s="0"><v>44926</v></c></row>', styles=styles)
    content["xl/workbook.xml"] = hostile.book_xml('<sheet name="Projects" r:id="r1"/>', '<workbookPr date1904="1"/>')
    assert cells_of(opened(tmp_path, content)) == {"A1": dt.date(2027, 1, 1)}


def strict(data: bytes) -> bytes:
    return data.replace(hostile.MAIN.encode(), b"http://purl.oclc.org/ooxml/spreadsheetml/main").replace(
        hostile.OFFICE.encode(), b"http://purl.oclc.org/ooxml/officeDocument/relationships"
    )


def prefixed(data: bytes) -> bytes:
    text = data.decode().replace("xmlns=", "xmlns:x=").replace("</", "</x:")
    for word in ("worksheet", "sheetData", "row", "c", "v", "f", "sst", "si", "t", "styleSheet", "is"):
        text = text.replace(f"<{word} ", f"<x:{word} ").replace(f"<{word}>", f"<x:{word}>")
    return text.encode()


MIXED = row(1, "A") + '<row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2" t="inlineStr"><is><t>教育</t></is></c></row>'
EXPECTED = {"A1": 1.0, "A2": "second", "B2": "教育"}
PLAIN = hostile.parts(MIXED, strings=STRINGS)


def utf16(data: bytes) -> bytes:
    return data.decode().replace("UTF-8", "UTF-16").encode("utf-16")


def moved() -> hostile.Parts:
    content = {name.replace("xl/", "book/"): data for name, data in PLAIN.items()}
    content["_rels/.rels"] = hostile.relations(("r1", "officeDocument", "/book/other.xml"))
    content["book/other.xml"] = content.pop("book/workbook.xml")
    content["book/_rels/other.xml.rels"] = content.pop("book/_rels/workbook.xml.rels")
    content["book/texts.xml"] = content.pop("book/sharedStrings.xml")
    content["book/_rels/other.xml.rels"] = hostile.relations(
        ("r1", "worksheet", "/book/worksheets/sheet1.xml"), ("r2", "sharedStrings", "../book/./texts.xml")
    )
    return content


def with_sheet(data: bytes) -> hostile.Parts:
    return {**PLAIN, hostile.SHEET: data}


HONEST: dict[str, hostile.Parts] = {
    "plain": PLAIN,
    "Strict": {name: strict(data) for name, data in PLAIN.items()},
    "backslashes": {name.replace("/", "\\"): data for name, data in PLAIN.items()},
    "other case": {name.replace("sheet1", "Sheet1").replace("shared", "Shared"): data for name, data in PLAIN.items()},
    "moved": moved(),
    "no package relationships": {name: data for name, data in PLAIN.items() if name != "_rels/.rels"},
    "no styles": {name: data for name, data in PLAIN.items() if "styles" not in name},
    "no content types": {name: data for name, data in PLAIN.items() if "Content" not in name},
    "prefixes": {
        name: prefixed(data) if name.startswith(("xl/worksheets", "xl/shared", "xl/styles")) else data
        for name, data in PLAIN.items()
    },
    "UTF-16": {name: utf16(data) for name, data in PLAIN.items()},
    "byte order mark": with_sheet(b"\xef\xbb\xbf" + PLAIN[hostile.SHEET]),
    "no declaration": with_sheet(PLAIN[hostile.SHEET].split(b"\n", 1)[1]),
    "pretty-printed": with_sheet(PLAIN[hostile.SHEET].replace(b"><c", b">\n  <c").replace(b"><row", b">\n<row")),
    "Latin-1": with_sheet(
        PLAIN[hostile.SHEET].decode().replace("UTF-8", "ISO-8859-1").replace("教育", "&#25945;&#32946;").encode()
    ),
    "unwanted parts are broken": {**PLAIN, "xl/worksheets/sheet2.xml": b"<", "xl/vbaProject.bin": bytes(100)},
}


@pytest.mark.parametrize("parts", HONEST.values(), ids=HONEST.keys())
def test_honest_package(tmp_path: Path, parts: hostile.Parts) -> None:
    assert cells_of(opened(tmp_path, parts)) == EXPECTED


def test_stored_members_and_what_stands_before_the_zip(tmp_path: Path) -> None:
    path = tmp_path / "round.xlsm"
    path.write_bytes(hostile.zipped(PLAIN, zipfile.ZIP_STORED))
    (grid,) = open_workbook(path, lambda _: True).grids
    assert cells_of(grid) == EXPECTED


def test_zip64(tmp_path: Path) -> None:
    path = tmp_path / "round.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in PLAIN.items():
            with package.open(name, "w", force_zip64=True) as out:
                out.write(data)
    (grid,) = open_workbook(path, lambda _: True).grids
    assert cells_of(grid) == EXPECTED


def test_streamed_zip(tmp_path: Path) -> None:
    """A zip written to a pipe has its sizes behind the members."""

    class Pipe(io.RawIOBase):
        data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in PLAIN.items():
            package.writestr(name, data)
    path = tmp_path / "round.xlsx"
    path.write_bytes(pipe.data)
    (grid,) = open_workbook(path, lambda _: True).grids
    assert cells_of(grid) == EXPECTED


def test_only_wanted_sheets_are_read(tmp_path: Path) -> None:
    content = {
        **PLAIN,
        "xl/workbook.xml": hostile.book_xml(
            '<sheet name="Broken" r:id="r8"/><sheet name="Projects" r:id="r1"/><sheet name="Chart" r:id="r9"/>'
        ),
        "xl/_rels/workbook.xml.rels": hostile.relations(
            ("r1", "worksheet", "worksheets/sheet1.xml"),
            ("r2", "sharedStrings", "sharedStrings.xml"),
            ("r8", "worksheet", "worksheets/missing.xml"),
            ("r9", "chartsheet", "chartsheets/sheet1.xml"),
        ),
    }
    path = hostile.write(tmp_path / "round.xlsx", content)
    asked: list[str] = []

    def wanted(name: str) -> bool:
        asked.append(name)
        return name != "Broken"

    book = open_workbook(path, wanted)
    assert book.sheet_names == ("Broken", "Projects", "Chart") == tuple(asked)
    assert [(grid.sheet, len(grid.rows)) for grid in book.grids] == [("Projects", 2), ("Chart", 0)]
    assert open_workbook(path, lambda _: False).grids == ()


def test_written_by_openpyxl_and_xlsxwriter(tmp_path: Path) -> None:
    """What was written comes back, cell by cell."""
    chance = random.Random(5)
    kinds: list[Callable[[], Any]] = [
        lambda: chance.choice(["", " a ", "R&D <b>", "教育", "x" * 300, "line\nline", '"q"', "'"]),
        lambda: chance.randint(-(10**9), 10**9),
        lambda: round(chance.uniform(-1e6, 1e6), chance.randint(0, 9)),
        lambda: chance.choice([True, False, None, None]),
        lambda: dt.datetime(2027, 1, 1) + dt.timedelta(days=chance.randint(0, 900)),  # noqa: DTZ001
        lambda: Decimal(chance.randint(0, 10**8)) / 1000,
    ]
    table = [[chance.choice(kinds)() for _ in range(9)] for _ in range(60)]
    one, two = tmp_path / "one.xlsx", tmp_path / "two.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    other = xlsxwriter.Workbook(two, {"default_date_format": "yyyy-mm-dd", "constant_memory": True})
    other_sheet = other.add_worksheet()
    for number, values in enumerate(table):
        for column, value in enumerate(values):
            if value is not None:
                sheet.cell(number + 3, column + 2, value)
                other_sheet.write(number + 2, column + 1, value)
    book.save(one)
    other.close()
    expected = {
        f"{column_letter(column + 2)}{number + 3}": value.date()
        if isinstance(value, dt.datetime)
        else value
        if isinstance(value, (str, bool))
        else float(value)
        for number, values in enumerate(table)
        for column, value in enumerate(values)
        if value is not None and value != ""
    }
    for path in (one, two):
        (grid,) = open_workbook(path, lambda _: True).grids
        found = cells_of(grid)
        assert found == expected
        assert {cell: type(value) for cell, value in found.items()} == {c: type(v) for c, v in expected.items()}
