"""Workbooks from strangers: read right, or refused with one clear error."""

from __future__ import annotations

import datetime as dt
import os
import zipfile
from pathlib import Path

import pytest

from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.grid import BadCell, Grid, Value
from optalloc.workbook.opening import open_workbook
from tests.workbook import hostile

STRINGS = "<si><t>first</t></si><si><t>second</t></si>"
STYLES = (
    '<numFmts><numFmt numFmtId="170" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="171" formatCode="[h]:mm"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="46"/><xf numFmtId="9"/>'
    '<xf numFmtId="171"/></cellXfs>'
)


def grid_of(path: Path, parts: hostile.Parts) -> Grid:
    (grid,) = open_workbook(hostile.write(path / "round.xlsx", parts), lambda name: name == "Projects").grids
    return grid


def cells_of(grid: Grid) -> dict[str, Value]:
    return {
        f"{chr(64 + grid.first_column + position)}{row.number}": value
        for row in grid.rows
        for position, value in enumerate(row.values)
        if value is not None
    }


ODD_CELLS: dict[str, tuple[str, Value]] = {
    "number": ("<c r='B2'><v>80</v></c>", 80.0),
    "number typed": ('<c r="B2" t="n"><v>80.5</v></c>', 80.5),
    "number with exponent": ('<c r="B2"><v>1.5E-3</v></c>', 0.0015),
    "number of twenty digits": ('<c r="B2"><v>12345678901234567890</v></c>', 12345678901234567890.0),
    "negative": ('<c r="B2"><v>-4</v></c>', -4.0),
    "leading zeros": ('<c r="B2"><v>007</v></c>', 7.0),
    "plus sign": ('<c r="B2"><v>+7</v></c>', 7.0),
    "blanks round a number": ('<c r="B2"><v> 80 </v></c>', 80.0),
    "pretty-printed": ('<c r="B2">\n  <v>80</v>\n</c>', 80.0),
    "character reference in a number": ('<c r="B2"><v>8&#48;</v></c>', 80.0),
    "percent": ('<c r="B2" s="4"><v>0.45</v></c>', 0.45),
    "unknown style": ('<c r="B2" s="99"><v>5</v></c>', 5.0),
    "style of no number": ('<c r="B2" s="x"><v>5</v></c>', 5.0),
    "shared string": ('<c r="B2" t="s"><v>1</v></c>', "second"),
    "inline": ('<c r="B2" t="inlineStr"><is><t>gansu</t></is></c>', "gansu"),
    "inline, blanks kept": ('<c r="B2" t="inlineStr"><is><t xml:space="preserve"> a  b </t></is></c>', " a  b "),
    "inline, line breaks": ('<c r="B2" t="inlineStr"><is><t>a\nb</t></is></c>', "a\nb"),
    "inline, named characters": ('<c r="B2" t="inlineStr"><is><t>R&amp;D &lt;1&gt;</t></is></c>', "R&D <1>"),
    "inline, numbered characters": ('<c r="B2" t="inlineStr"><is><t>R&#38;D &#x7532;</t></is></c>', "R&D 甲"),
    "inline, rich": ('<c r="B2" t="inlineStr"><is><r><t>gan</t></r><r><t>su</t></r></is></c>', "gansu"),
    "inline, phonetic": (
        '<c r="B2" t="inlineStr"><is><t>甘肃</t><rPh sb="0" eb="1"><t>gan</t></rPh></is></c>',
        "甘肃",
    ),
    "inline, Chinese": ('<c r="B2" t="inlineStr"><is><t>教育 😀</t></is></c>', "教育 😀"),
    "inline, blank": ('<c r="B2" t="inlineStr"><is><t></t></is></c>', None),
    "inline with v": ('<c r="B2" t="inlineStr"><v>gansu</v></c>', "gansu"),
    "formula with value": ('<c r="B2"><f>A1+1</f><v>3</v></c>', 3.0),
    "formula with compared value": ('<c r="B2"><f>IF(A1&lt;3,1,2)</f><v>3</v></c>', 3.0),
    "shared formula": ('<c r="B2"><f t="shared" ref="B2:B9" si="0">A1</f><v>3</v></c>', 3.0),
    "shared formula, next": ('<c r="B2"><f t="shared" si="0"/><v>3</v></c>', 3.0),
    "array formula": ('<c r="B2"><f t="array" ref="B2">SUM(A1:A2)</f><v>3</v></c>', 3.0),
    "formula with text": ('<c r="B2" t="str"><f>A1</f><v>R&amp;D</v></c>', "R&D"),
    "formula with blank text": ('<c r="B2" t="str"><f>""</f><v></v></c>', None),
    "formula with blank text, odd": ("<c r='B2' t='str'><f>\"\"</f><v/></c>", None),
    "comment in a formula": ('<c r="B2"><f>A1<!-- x --></f><v>3</v></c>', 3.0),
    "comment beside the value": ('<c r="B2"><!-- x --><v>3</v></c>', 3.0),
    "true": ('<c r="B2" t="b"><v>1</v></c>', True),
    "false": ('<c r="B2" t="b"><v>false</v></c>', False),
    "formula true": ('<c r="B2" t="b"><f>TRUE()</f><v>1</v></c>', True),
    "date": ('<c r="B2" s="1"><v>46388</v></c>', dt.date(2027, 1, 1)),
    "date, own format": ("<c r='B2' s='2'><v>46388</v></c>", dt.date(2027, 1, 1)),
    "date and time": ('<c r="B2" s="1"><v>46388.5</v></c>', dt.datetime(2027, 1, 1, 12)),  # noqa: DTZ001
    "time": ('<c r="B2" s="1"><v>0.5</v></c>', dt.time(12)),
    "duration": ('<c r="B2" s="3"><v>1.5</v></c>', dt.timedelta(days=1, hours=12)),
    "duration beyond all": ('<c r="B2" s="3"><v>1e100</v></c>', 1e100),
    "duration beyond all, own format": ('<c r="B2" s="5"><v>99999999999</v></c>', 99999999999.0),
    "date beyond all": ('<c r="B2" s="1"><v>1e100</v></c>', 1e100),
    "ISO date": ('<c r="B2" t="d"><v>2027-01-01</v></c>', dt.date(2027, 1, 1)),
    "ISO date and time": ('<c r="B2" t="d"><v>2027-01-01T12:00:00</v></c>', dt.datetime(2027, 1, 1, 12)),  # noqa: DTZ001
    "blank": ('<c r="B2" s="1"/>', None),
    "blank with a type": ('<c r="B2" t="s"/>', None),
    "blank value": ('<c r="B2"><v></v></c>', None),
    "small letters": ('<c r="b2"><v>80</v></c>', 80.0),
    "no addresses": ("<c/><c><v>80</v></c>", 80.0),
    "no addresses, text": ('<c/><c t="s"><v>0</v></c>', "first"),
    "further elements": ('<c r="B2"><v>80</v><extLst><ext uri="x"/></extLst></c>', 80.0),
    "foreign element": ('<x:c xmlns:x="urn:x" r="B2"><x:v>9</x:v></x:c><c r="B2"><v>80</v></c>', 80.0),
    "error": ('<c r="B2" t="e"><v>#REF!</v></c>', BadCell("error", "#REF!")),
    "error of a formula": ('<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', BadCell("error", "#DIV/0!")),
    "error, not available": ("<c r='B2' t='e'><v>#N/A</v></c>", BadCell("error", "#N/A")),
    "error, spilled": ('<c r="B2" t="e" vm="1"><v>#SPILL!</v></c>', BadCell("error", "#SPILL!")),
    "error, name": ('<c r="B2" t="e"><v>#NAME?</v></c>', BadCell("error", "#NAME?")),
    "error without text": ('<c r="B2" t="e"/>', BadCell("error", "#VALUE!")),
    "formula without value": ('<c r="B2"><f>A1+B1</f></c>', BadCell("formula_without_value", "=A1+B1")),
    "formula with blank value": ('<c r="B2"><f>A1+B1</f><v></v></c>', BadCell("formula_without_value", "=A1+B1")),
    "formula with blank value, short": ('<c r="B2"><f>A1</f><v /></c>', BadCell("formula_without_value", "=A1")),
    "shared formula without value": ('<c r="B2"><f t="shared" si="0"/></c>', BadCell("formula_without_value", "=")),
    "text formula without value": ('<c r="B2" t="str"><f>A1</f></c>', BadCell("formula_without_value", "=A1")),
    "comment in the value": ('<c r="B2"><v>8<!-- -->0</v></c>', BadCell("markup", "80")),
    "instruction in the value": ('<c r="B2"><v>8<?x y?>0</v></c>', BadCell("markup", "80")),
    "CDATA": ('<c r="B2"><v><![CDATA[80]]></v></c>', BadCell("markup", "80")),
    "CDATA inline": ('<c r="B2" t="inlineStr"><is><t><![CDATA[a]]></t></is></c>', BadCell("markup", "a")),
    "two values": ('<c r="B2"><v>80</v><v>8000</v></c>', BadCell("markup", "808000")),
    "value and inline": ('<c r="B2" t="inlineStr"><is><t>a</t></is><v>1</v></c>', BadCell("markup", "a")),
    "inline in a number": ('<c r="B2"><is><t>80</t></is></c>', BadCell("markup", "80")),
    "element in the value": ('<c r="B2"><v>8<b>0</b></v></c>', BadCell("markup", "8")),
    "unknown type": ('<c r="B2" t="zz"><v>80</v></c>', BadCell("markup", "80")),
    "boolean of another kind": ('<c r="B2" t="b"><v>2</v></c>', BadCell("markup", "2")),
    "ISO date that is none": ('<c r="B2" t="d"><v>2027-13-01</v></c>', BadCell("markup", "2027-13-01")),
    "not a number": ('<c r="B2"><v>NaN</v></c>', BadCell("bad_number", "NaN")),
    "infinity": ('<c r="B2"><v>INF</v></c>', BadCell("bad_number", "INF")),
    "minus infinity": ('<c r="B2"><v>-Infinity</v></c>', BadCell("bad_number", "-Infinity")),
    "too large": ('<c r="B2"><v>1E+400</v></c>', BadCell("bad_number", "1E+400")),
    "too large in digits": ('<c r="B2"><v>99999999999999999999e299</v></c>', BadCell("bad_number", "9" * 20 + "e299")),
    "too small": ('<c r="B2"><v>1E-400</v></c>', BadCell("bad_number", "1E-400")),
    "text as a number": ('<c r="B2"><v>eighty</v></c>', BadCell("bad_number", "eighty")),
    "full-width digits": ('<c r="B2"><v>１２</v></c>', BadCell("bad_number", "１２")),
    "underscore": ('<c r="B2"><v>1_000</v></c>', BadCell("bad_number", "1_000")),
    "hundred digits": (f'<c r="B2"><v>{"7" * 100}</v></c>', BadCell("bad_number", "7" * 60 + "…")),
    "repeated": ('<c r="B2"><v>80</v></c><c r="B2"><v>81</v></c>', BadCell("repeated", "81")),
    "repeated, alike": ('<c r="B2" t="s"><v>0</v></c><c r="B2" t="s"><v>0</v></c>', BadCell("repeated", "0")),
    "repeated, one blank": ('<c r="B2"><v>80</v></c><c r="B2"/>', BadCell("repeated", "")),
}


@pytest.mark.parametrize(("cell", "value"), ODD_CELLS.values(), ids=ODD_CELLS.keys())
@pytest.mark.parametrize("header", ['<row r="1"><c r="A1"><v>1</v></c></row>', '<row r="1"/>'], ids=["late", "early"])
def test_odd_cell(tmp_path: Path, cell: str, value: Value, header: str) -> None:
    rows = f'{header}<row r="2">{cell}</row><row r="3"><c r="A3"><v>3</v></c></row>'
    cells = cells_of(grid_of(tmp_path, hostile.parts(rows, strings=STRINGS, styles=STYLES)))
    assert cells.get("B2") == value
    assert type(cells.get("B2")) is type(value)
    assert cells["A3"] == 3.0


def refused(path: Path) -> WorkbookUnreadable:
    with pytest.raises(WorkbookUnreadable) as caught:
        open_workbook(path, lambda name: name == "Projects")
    message = caught.value.message
    assert message.startswith(f"“{path}”: ") or len(str(path)) > 255
    assert message.endswith(".")
    assert not any(word in message for word in ("Error", "Exception", "Traceback", "None", "0x"))
    return caught.value


ROW = '<row r="1"><c r="A1"><v>1</v></c></row>'
GOOD = hostile.parts(ROW, strings=STRINGS)


def without(*names: str) -> hostile.Parts:
    return {name: data for name, data in GOOD.items() if name not in names}


def sheet(rows: str, before: str = "", after: str = "") -> hostile.Parts:
    return hostile.parts(rows, before, after, STRINGS)


def part(name: str, data: bytes | str) -> hostile.Parts:
    return {**GOOD, name: data.encode() if isinstance(data, str) else data}


def raw_sheet(data: str) -> hostile.Parts:
    return part(hostile.SHEET, data)


GOOD_SHEET = GOOD[hostile.SHEET].decode()
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'

BAD_PARTS: dict[str, tuple[hostile.Parts, str]] = {
    "nothing but a text": ({"readme.txt": b"hello"}, "not_xlsx"),
    "no workbook.xml": (without("xl/workbook.xml"), "not_xlsx"),
    "no relationships": (without("xl/_rels/workbook.xml.rels"), "damaged"),
    "no sheet": (without(hostile.SHEET), "damaged"),
    "Word": ({**without("xl/workbook.xml"), "word/document.xml": b"<x/>"}, "not_xlsx"),
    "PowerPoint": ({**without("xl/workbook.xml"), "ppt/presentation.xml": b"<x/>"}, "not_xlsx"),
    "Numbers": ({"Index/Document.iwa": b"x"}, "not_xlsx"),
    "ODS": ({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"}, "ods"),
    "ODS without a type": ({"content.xml": b"<x/>", "META-INF/manifest.xml": b"<x/>"}, "ods"),
    "XLSB": ({**without("xl/workbook.xml"), "xl/workbook.bin": b"x"}, "xlsb"),
    "workbook.xml is no XML": (part("xl/workbook.xml", "hello"), "damaged"),
    "workbook.xml is blank": (part("xl/workbook.xml", ""), "damaged"),
    "workbook.xml is a web page": (part("xl/workbook.xml", "<html><body/></html>"), "damaged"),
    "workbook.xml has a DOCTYPE": (part("xl/workbook.xml", LAUGHS + "<workbook/>"), "hostile"),
    "workbook.xml is large": (part("xl/workbook.xml", b"<workbook>" + b" " * (17 << 20)), "hostile"),
    "no sheets": (part("xl/workbook.xml", hostile.book_xml("")), "damaged"),
    "sheet without a part": (
        part("xl/workbook.xml", hostile.book_xml('<sheet name="Projects" r:id="r9"/>')),
        "damaged",
    ),
    "sheet without an id": (part("xl/workbook.xml", hostile.book_xml('<sheet name="Projects"/>')), "damaged"),
    "sheet that is a style": (
        part("xl/workbook.xml", hostile.book_xml('<sheet name="Projects" r:id="r3"/>')),
        "damaged",
    ),
    "two sheets of a name": (
        part(
            "xl/workbook.xml", hostile.book_xml('<sheet name="Projects" r:id="r1"/><sheet name="PROJECTS" r:id="r1"/>')
        ),
        "damaged",
    ),
    "two sheets of a part": (
        part("xl/workbook.xml", hostile.book_xml('<sheet name="Projects" r:id="r1"/><sheet name="b" r:id="r1"/>')),
        "hostile",
    ),
    "sheet somewhere else": (
        part(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{hostile.PACKAGE}/relationships"><Relationship Id="r1" TargetMode="External" '
            f'Type="{hostile.OFFICE}/worksheet" Target="http://example.com/a.xml"/></Relationships>',
        ),
        "damaged",
    ),
    "sheet outside": (
        part("xl/_rels/workbook.xml.rels", hostile.relations(("r1", "worksheet", "../../etc/passwd"))),
        "damaged",
    ),
    "part outside": ({**GOOD, "../outside.xml": b"x"}, "hostile"),
    "part outside, backslashes": ({**GOOD, "xl\\..\\..\\outside.xml": b"x"}, "hostile"),
    "part from the root": ({**GOOD, "/etc/passwd": b"x"}, "hostile"),
    "part on a drive": ({**GOOD, "C:/outside.xml": b"x"}, "hostile"),
    "sheet cut off": (raw_sheet(GOOD_SHEET[: GOOD_SHEET.index("</sheetData>")]), "damaged"),
    "sheet cut off in a row": (raw_sheet(GOOD_SHEET[: GOOD_SHEET.index("</v>")]), "damaged"),
    "sheet blank": (raw_sheet(""), "damaged"),
    "sheet is a web page": (raw_sheet("<html><body><p>Not found</p></body></html>"), "damaged"),
    "sheet is JSON": (raw_sheet('{"error": 404}'), "damaged"),
    "sheet without rows": (raw_sheet(f'<worksheet xmlns="{hostile.MAIN}"/>'), "damaged"),
    "sheet of another namespace": (raw_sheet('<worksheet xmlns="urn:x"><sheetData/></worksheet>'), "damaged"),
    "crossed tags": (sheet('<row r="1"><c r="A1"><v>1</c></v></row>'), "damaged"),
    "crossed tags later": (sheet(ROW + '<row r="2"><c r="A2"><v>1</c></v></row>'), "damaged"),
    "two tables of rows": (raw_sheet(GOOD_SHEET.replace("</sheetData>", "</sheetData><sheetData/>")), "damaged"),
    "text behind the end": (raw_sheet(GOOD_SHEET + "x"), "damaged"),
    "two documents": (raw_sheet(GOOD_SHEET + GOOD_SHEET), "damaged"),
    "DOCTYPE": (raw_sheet(GOOD_SHEET.replace("<worksheet", LAUGHS + "<worksheet")), "hostile"),
    "unknown entity": (sheet('<row r="1"><c r="A1"><v>&b;</v></c></row>'), "damaged"),
    "bare ampersand": (sheet(ROW + '<row r="2"><c r="A2" t="inlineStr"><is><t>R&D</t></is></c></row>'), "damaged"),
    "zero character": (sheet('<row r="1"><c r="A1" t="str"><v>a\0b</v></c></row>'), "damaged"),
    "control character": (sheet('<row r="1"><c r="A1" t="str"><v>a\x0bb</v></c></row>'), "damaged"),
    "control character later": (sheet(ROW + '<row r="2"><c r="A2" t="str"><v>a\x0bb</v></c></row>'), "damaged"),
    "no UTF-8": (
        part(
            hostile.SHEET,
            hostile.sheet_xml(ROW + '<row r="2"><c r="A2" t="str"><v>XX</v></c></row>').replace(b"XX", b"\xff\xfe"),
        ),
        "damaged",
    ),
    "GB 2312": (raw_sheet(GOOD_SHEET.replace("UTF-8", "GB2312")), "damaged"),
    "unknown character set": (raw_sheet(GOOD_SHEET.replace("UTF-8", "KLINGON")), "damaged"),
    "unbound prefix": (sheet('<row r="1"><q:c r="A1"><v>1</v></q:c></row>'), "damaged"),
    "attribute twice": (sheet('<row r="1"><c r="A1" r="A2"><v>1</v></c></row>'), "damaged"),
    "nested without end": (sheet("<row>" * 1000 + "</row>" * 1000), "hostile"),
    "address beyond the last row": (sheet('<row r="1048577"><c r="A1048577"><v>1</v></c></row>'), "damaged"),
    "address beyond, later": (sheet(ROW + '<row r="1048577"><c r="A1048577"><v>1</v></c></row>'), "damaged"),
    "address beyond the last column": (sheet('<row r="1"><c r="XFE1"><v>1</v></c></row>'), "damaged"),
    "address beyond the last column, later": (sheet(ROW + '<row r="2"><c r="XFE2"><v>1</v></c></row>'), "damaged"),
    "address no integer holds": (sheet(f'<row r="1"><c r="A{"9" * 40}"><v>1</v></c></row>'), "damaged"),
    "address of letters": (sheet('<row r="1"><c r="ABCDEFGHIJ"><v>1</v></c></row>'), "damaged"),
    "address of digits": (sheet('<row r="1"><c r="11"><v>1</v></c></row>'), "damaged"),
    "address in row 0": (sheet('<row r="0"><c r="A0"><v>1</v></c></row>'), "damaged"),
    "address negative": (sheet('<row r="-1"><c r="A-1"><v>1</v></c></row>'), "damaged"),
    "address blank": (sheet('<row r="1"><c r=""><v>1</v></c></row>'), "damaged"),
    "address with a line break": (sheet('<row r="1"><c r="A1&#10;X"><v>1</v></c></row>'), "damaged"),
    "row of words": (sheet('<row r="one"><c r="A1"><v>1</v></c></row>'), "damaged"),
    "row no integer holds": (sheet(f'<row r="{"9" * 5000}"><c r="A1"><v>1</v></c></row>'), "damaged"),
    "cell of another row": (sheet('<row r="1"><c r="A2"><v>1</v></c></row>'), "damaged"),
    "rows out of order": (
        sheet('<row r="5"><c r="A5"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>'),
        "damaged",
    ),
    "merge of nothing": (sheet(ROW, after='<mergeCells><mergeCell ref="hello"/></mergeCells>'), "damaged"),
    "far cell": (
        sheet(ROW + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        "far_cell",
    ),
    "shared string too large": (sheet('<row r="1"><c r="A1" t="s"><v>2</v></c></row>'), "damaged"),
    "shared string too large, later": (sheet(ROW + '<row r="2"><c r="A2" t="s"><v>2</v></c></row>'), "damaged"),
    "shared string negative": (sheet('<row r="1"><c r="A1" t="s"><v>-1</v></c></row>'), "damaged"),
    "shared string enormous": (
        sheet('<row r="1"><c r="A1" t="s"><v>100000000000000000000000</v></c></row>'),
        "damaged",
    ),
    "shared string of words": (sheet('<row r="1"><c r="A1" t="s"><v>one</v></c></row>'), "damaged"),
    "no shared strings": (
        {n: d for n, d in sheet('<row r="1"><c r="A1" t="s"><v>0</v></c></row>').items() if "sharedStrings" not in n},
        "damaged",
    ),
    "shared strings crossed": (part("xl/sharedStrings.xml", hostile.strings_xml("<si><t>a</si></t>")), "damaged"),
    "shared strings of HTML": (part("xl/sharedStrings.xml", "<html/>"), "damaged"),
    "shared strings with DOCTYPE": (part("xl/sharedStrings.xml", f"{LAUGHS}<sst><si><t>&b;</t></si></sst>"), "hostile"),
    "shared strings no UTF-8": (
        part(
            "xl/sharedStrings.xml", hostile.strings_xml("<si><t>a</t></si><si><t>XX</t></si>").replace(b"XX", b"\xff")
        ),
        "damaged",
    ),
    "styles crossed": (part("xl/styles.xml", "<styleSheet><a></styleSheet></a>"), "damaged"),
    "styles without end": (
        part("xl/styles.xml", f"<styleSheet><cellXfs>{'<xf/>' * 70_000}</cellXfs></styleSheet>"),
        "hostile",
    ),
    "text of a million": (sheet(f'<row r="1"><c r="A1" t="str"><v>{"ab" * 600_000}</v></c></row>'), "hostile"),
    "tag without end": (sheet(f'<row r="1"><c r="A1" x="{"ab" * 3_000_000}"/></row>'), "hostile"),
    "comment without end": (sheet(f'{ROW}<!-- {"ab " * 2_000_000}--><row r="2"/>'), "hostile"),
}


@pytest.mark.parametrize(("parts", "code"), BAD_PARTS.values(), ids=BAD_PARTS.keys())
def test_bad_parts(tmp_path: Path, parts: hostile.Parts, code: str) -> None:
    assert refused(hostile.write(tmp_path / "round.xlsx", parts)).code == code


ZIP = hostile.zipped(GOOD)
STORED = hostile.zipped(GOOD, zipfile.ZIP_STORED)
DIRECTORY = ZIP.index(b"PK\x01\x02")


def twin() -> bytes:
    return hostile.zipped([*GOOD.items(), (hostile.SHEET.upper(), b"x")])


def patched(data: bytes, position: int, new: bytes) -> bytes:
    return data[:position] + new + data[position + len(new) :]


BAD_BYTES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "one byte": (b"P", "not_xlsx"),
    "zeros": (bytes(5000), "not_xlsx"),
    "noise": (bytes(range(256)) * 20, "not_xlsx"),
    "a sentence": (b"This is a letter without any separators", "not_xlsx"),
    "other XML": (b"<?xml version='1.0'?><feed/>", "not_xlsx"),
    "gzip": (b"\x1f\x8b\x08" + bytes(100), "not_xlsx"),
    "blank zip": (b"PK\x05\x06" + bytes(18), "not_xlsx"),
    "web page": (b"\xef\xbb\xbf\n<!DOCTYPE html><html><table><tr><td>1</td></tr></table></html>", "html"),
    "web page without a head": (b"<table><tr><td>1</td></tr></table>", "html"),
    "web page by Excel": (b'<html xmlns:x="urn:schemas-microsoft-com:office:excel"><body/></html>', "html"),
    "web archive": (b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n", "html"),
    "XML of 2003": (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        "old_format",
    ),
    "flat ODS": (b'<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"/>', "ods"),
    "CSV": (b"project,title,sector\r\np1,School,education\r\n", "csv"),
    "CSV, semicolons": ("\ufeffproject;title\np1;a\n".encode(), "csv"),
    "CSV, tabs": (b"project\ttitle\np1\ta\n", "csv"),
    "CSV, Chinese": ("项目,标题\n甲,乙\n".encode("gb18030"), "csv"),
    "CSV, long": ("项目,标题\n".encode() * 2000, "csv"),
    "Unicode text": ("project\ttitle\np1\ta\n".encode("utf-16"), "csv"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "pdf"),
    "XLS": (hostile.compound("Workbook"), "old_format"),
    "XLS of 1993": (b"\x09\x04\x06\x00\x00\x00\x10\x00" + bytes(100), "old_format"),
    "with a password": (hostile.compound("EncryptedPackage"), "encrypted"),
    "zip with a password": (ZIP[: DIRECTORY + 8] + b"\x01" + ZIP[DIRECTORY + 9 :], "encrypted"),
    "cut in half": (ZIP[: len(ZIP) // 2], "damaged"),
    "cut at the end": (ZIP[:-10], "damaged"),
    "head alone": (ZIP[:30], "damaged"),
    "end cut from the middle": (ZIP[:100] + ZIP[200:], "damaged"),
    "middle zeroed": (ZIP[:60] + bytes(300) + ZIP[360:], "damaged"),
    "two parts of a name": (twin(), "hostile"),
    "checksum": (STORED.replace(b"<v>1</v>", b"<v>2</v>"), "damaged"),
    "sizes": (patched(ZIP, DIRECTORY + 24, b"\x01\0\0\0"), "damaged"),
    "method": (patched(ZIP, DIRECTORY + 10, b"\x0e\0"), "damaged"),
    "offset": (patched(ZIP, DIRECTORY + 42, b"\xff\xff\xff\x7f"), "damaged"),
    "other name inside": (ZIP.replace(b"_rels/.rels", b"_rels/.relx", 1), "damaged"),
    "many parts promised": (patched(ZIP, len(ZIP) - 14, b"\xff\xff\xff\xff"), "hostile"),
    "directory size": (patched(ZIP, len(ZIP) - 10, b"\xff\xff\xff\x7f"), "hostile"),
    "several volumes": (patched(ZIP, len(ZIP) - 18, b"\x01\0"), "damaged"),
    "tail behind a part": (hostile.with_tail(GOOD), "damaged"),
}


@pytest.mark.parametrize(("data", "code"), BAD_BYTES.values(), ids=BAD_BYTES.keys())
@pytest.mark.parametrize("name", ["round.xlsx", "round.xls"])
def test_bad_bytes(tmp_path: Path, data: bytes, code: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert refused(path).code == code


def test_places_without_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    (tmp_path / "endless.xlsx").symlink_to("/dev/zero")
    (tmp_path / "circle.xlsx").symlink_to(tmp_path / "circle.xlsx")
    (tmp_path / "nowhere.xlsx").symlink_to(tmp_path / "gone.xlsx")
    (tmp_path / "file").write_bytes(b"x")
    places = {
        tmp_path: "folder",
        tmp_path / "none.xlsx": "missing",
        tmp_path / "file" / "round.xlsx": "missing",
        tmp_path / "nowhere.xlsx": "missing",
        tmp_path / "pipe.xlsx": "not_regular",
        tmp_path / "endless.xlsx": "not_regular",
        tmp_path / "circle.xlsx": "not_regular",
        tmp_path / ("n" * 300 + ".xlsx"): "not_regular",
        Path("/dev/null"): "not_regular",
    }
    for place, code in places.items():
        assert refused(place).code == code, place


def test_file_beyond_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "round.xlsx"
    with path.open("wb") as file:
        file.truncate((512 << 20) + 1)
    assert refused(path).code == "too_large"


def test_file_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = hostile.write(tmp_path / "round.xlsx", GOOD)

    def closed(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", closed)
    assert refused(path).code == "no_permission"


def test_ctrl_c_passes(tmp_path: Path) -> None:
    def stopped(_: str) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_workbook(hostile.write(tmp_path / "round.xlsx", GOOD), stopped)
