"""Projects from a CSV or Parquet file: the same round, the same messages, and every way a file can be wrong."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import os
import re
import subprocess
import sys
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from integrated_fund.digest import round_digest
from integrated_fund.round import NOWHERE, Place, Round
from optalloc.errors import WrongUse
from optalloc.workbook import projects_file
from optalloc.workbook.annotate import annotate
from optalloc.workbook.grid import Tables
from optalloc.workbook.reader import Reading
from optalloc.workbook.reading import read_and_check
from tests.cli.run import Cli
from tests.plan.test_verify import TABLES
from tests.support.tables import sound_tables, write_tables


def with_file(folder: Path, name: str, keep_sheet: bool = False) -> tuple[Path, list[dict[str, object]]]:
    """Write a sound round whose projects are to stand in a file; return the workbook and the projects."""
    tables: Tables = sound_tables()
    projects = tables["Projects"]
    tables["Round"].append({"setting": "projects_file", "value": name})
    if not keep_sheet:
        del tables["Projects"]
    book = folder / "round.xlsx"
    write_tables(tables, book)
    return book, projects


def headings_of(projects: list[dict[str, object]]) -> list[str]:
    return list(dict.fromkeys(heading for row in projects for heading in row))


def write_csv(path: Path, projects: list[dict[str, object]], separator: str = ",", encoding: str = "utf-8") -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, headings_of(projects), delimiter=separator)
        writer.writeheader()
        writer.writerows(projects)


def write_parquet(path: Path, projects: list[dict[str, object]]) -> None:
    def column(heading: str) -> pa.Array:
        cells = [row.get(heading) for row in projects]
        numbers = all(cell is None or isinstance(cell, int | Decimal) for cell in cells)
        if numbers and any(cell is not None for cell in cells):
            return pa.array([None if c is None else Decimal(str(c)) for c in cells], pa.decimal128(20, 4))
        return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())

    pq.write_table(pa.table({heading: column(heading) for heading in headings_of(projects)}), path)


def found(reading: Reading) -> list[tuple[str, str]]:
    return [(problem.code, str(problem.place)) for problem in reading.problems if problem.severity == "error"]


def without_origins(round_: Round) -> Round:
    rows = {
        field.name: tuple(replace(row, origin=NOWHERE) for row in value)
        for field in fields(Round)
        if isinstance(value := getattr(round_, field.name), tuple)
    }
    return replace(round_, settings={}, **rows)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["projects.csv", "projects.parquet"])
def test_the_round_is_the_one_of_the_sheet(tmp_path: Path, name: str) -> None:
    book, projects = with_file(tmp_path, name)
    (write_csv if name.endswith("csv") else write_parquet)(tmp_path / name, projects)
    plain = tmp_path / "plain.xlsx"
    write_tables(sound_tables(), plain)
    from_file, from_sheet = read_and_check(book), read_and_check(plain)
    assert not from_file.has_errors
    assert from_file.round is not None
    assert from_sheet.round is not None
    assert without_origins(from_file.round) == without_origins(from_sheet.round)
    assert round_digest(from_file.round) == round_digest(from_sheet.round)
    assert from_file.problems == from_sheet.problems
    assert from_file.projects_file == (name, hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert from_sheet.projects_file is None
    assert [project.origin.row for project in from_file.round.projects] == [2, 3, 4]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_and_a_byte_order_mark(tmp_path: Path, separator: str) -> None:
    book, projects = with_file(tmp_path, "p.csv")
    write_csv(tmp_path / "p.csv", projects, separator, "utf-8-sig")
    assert found(read_and_check(book)) == []


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_mistakes_have_file_column_and_row(tmp_path: Path, name: str) -> None:
    book, projects = with_file(tmp_path, name)
    projects[1]["sector"] = "space"
    projects[2]["max_award"] = "much"
    (write_csv if name.endswith("csv") else write_parquet)(tmp_path / name, projects)
    places = {place for _, place in found(read_and_check(book))}
    assert places == {f"{name}!row 3, sector", f"{name}!row 4, max_award"}


def test_a_missing_obligatory_column_is_named(tmp_path: Path) -> None:
    book, projects = with_file(tmp_path, "p.parquet")
    for row in projects:
        del row["max_award"]
    write_parquet(tmp_path / "p.parquet", projects)
    assert ("missing_column", "p.parquet!row 1, project") in found(read_and_check(book))


def test_doubled_headings(tmp_path: Path) -> None:
    book, _ = with_file(tmp_path, "p.csv")
    (tmp_path / "p.csv").write_text("project,sector,region,max_award,Sector\nP1,edu,gansu,40,edu\n")
    assert ("heading_twice", "p.csv!row 1, Sector") in found(read_and_check(book))


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("p.csv", None, "projects_file_missing"),
        ("p.txt", b"project\n", "projects_file_kind"),
        ("p.csv", "project,名称\n".encode("gb18030"), "projects_file_encoding"),
        ("p.csv", "project,sector\n".encode("utf-16"), "projects_file_encoding"),
        ("p.csv", b'project,sector\n"P1,edu\n', "projects_file_quotes"),
        ("p.csv", b"PK\x03\x04\0\0", "projects_file_encoding"),
        ("p.parquet", b"project,sector\nP1,edu\n", "projects_file_damaged"),
        ("p.parquet", b"", "projects_file_damaged"),
        ("/p.csv", None, "projects_file_absolute"),
        ("https://example.org/p.csv", None, "projects_file_url"),
        ("file:/p.csv", None, "projects_file_url"),
        (f"{'x' * 300}.csv", None, "projects_file_unreadable"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, name: str, content: bytes | None, code: str) -> None:
    book, _ = with_file(tmp_path, name)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    reading = read_and_check(book)
    assert found(reading) == [(code, "Round!B7")]
    assert reading.inputs == ((book,) if content is None or code == "projects_file_kind" else (book, tmp_path / name))


def test_an_empty_csv_file_is_an_empty_sheet(tmp_path: Path) -> None:
    book, _ = with_file(tmp_path, "p.csv")
    (tmp_path / "p.csv").write_bytes(b"")
    assert found(read_and_check(book)) == [("empty_sheet", "p.csv")]


def test_ragged_lines(tmp_path: Path) -> None:
    book, _ = with_file(tmp_path, "p.csv")
    (tmp_path / "p.csv").write_text("project,sector,region,max_award\nP1,edu,gansu,40\nP2,edu,gansu\n")
    assert ("file_row_width", "p.csv!row 3, project") in found(read_and_check(book))


def test_a_column_of_a_type_that_no_cell_has(tmp_path: Path) -> None:
    book, projects = with_file(tmp_path, "p.parquet")
    write_parquet(tmp_path / "p.parquet", projects)
    table = pq.ParquetFile(tmp_path / "p.parquet").read()
    table = table.append_column("parts", pa.array([[1]] * len(projects)))
    pq.write_table(table, tmp_path / "p.parquet")
    assert found(read_and_check(book)) == [("file_column_type", "p.parquet!row 1, parts")]


def test_projects_in_two_places(tmp_path: Path) -> None:
    book, projects = with_file(tmp_path, "p.csv", keep_sheet=True)
    write_csv(tmp_path / "p.csv", projects)
    assert found(read_and_check(book)) == [("projects_file_and_sheet", "Round!B7")]


def test_changes_reach_the_file(tmp_path: Path) -> None:
    book, projects = with_file(tmp_path, "p.csv")
    write_csv(tmp_path / "p.csv", projects)
    reading = read_and_check(book, ["Projects.P3.max_award==50"])
    assert reading.round is not None
    assert {p.project: p.max_award for p in reading.round.projects}["P3"] == 50


def test_numbers_of_many_digits_stay_exact(tmp_path: Path) -> None:
    book, projects = with_file(tmp_path, "p.csv")
    projects[0]["max_award"] = "40.5000000000000000001"
    write_csv(tmp_path / "p.csv", projects)
    assert [place for _, place in found(read_and_check(book))] == ["p.csv!row 2, max_award"]


HEADINGS = "project,sector,region,max_award,min_award,people\n"
ROWS = ("P1,edu,gansu,40,,30\n", "P2,tech,gansu,20.5,,12\n", "P3,edu,gansu,30,0,8\n")


def read_text(folder: Path, text: str, sets: tuple[str, ...] = ()) -> Reading:
    book, _ = with_file(folder, "p.csv")
    (folder / "p.csv").write_text(text, encoding="utf-8", newline="")
    return read_and_check(book, sets)


def awards(reading: Reading) -> dict[str, Decimal]:
    assert reading.round is not None
    return {project.project: project.max_award for project in reading.round.projects}


SOUND = {"P1": Decimal(40), "P2": Decimal("20.5"), "P3": Decimal(30)}


@pytest.mark.parametrize(
    "text",
    [
        "\r\n".join(line.strip() for line in (HEADINGS, *ROWS)),
        HEADINGS + ROWS[0] + ",,,,,\n \n\n" + "".join(ROWS[1:]),
        "\n ,\n" + HEADINGS + "".join(ROWS),
        HEADINGS.replace("people", '"people;\ttrained"') + "".join(ROWS),
        HEADINGS + "".join(ROWS).replace("20.5", " 020.50 ").replace("P1", '"P1"'),
        "项目,领域,地区,最高资助,最低资助,people\n" + "".join(ROWS),
    ],
)
def test_lines_that_csv_allows(tmp_path: Path, text: str) -> None:
    reading = read_text(tmp_path, text)
    assert awards(reading) == SOUND
    assert not [problem.code for problem in reading.problems if problem.place and problem.place.sheet == "p.csv"]


def test_blank_lines_and_line_breaks_in_fields_keep_the_numbers_of_rows(tmp_path: Path) -> None:
    text = (
        "\n"
        + HEADINGS.replace("project", "project,title")
        + 'P1,"one\nproject",edu,gansu,40,,30\n\n,,,,,,\nP2,,nix,gansu,20,,1\n'
    )
    assert ("unknown_sector", "p.csv!row 6, sector") in found(read_text(tmp_path, text))


@pytest.mark.parametrize("typed", ["1e3", "+40", "1,200", "45 %", "NaN", "inf", "forty", "４０"])
def test_a_number_in_a_csv_file_is_plain(tmp_path: Path, typed: str) -> None:
    reading = read_text(tmp_path, HEADINGS + "".join(ROWS).replace("40", f'"{typed}"'))
    assert found(reading) == [("not_a_number", "p.csv!row 2, max_award")]


def test_an_endless_field_has_its_line(tmp_path: Path) -> None:
    reading = read_text(tmp_path, HEADINGS + ROWS[0] + ROWS[1].replace("P2", "P" * 200_000))
    assert found(reading) == [("projects_file_quotes", "Round!B7")]
    assert "Line 3 of p.csv" in reading.problems[0].message()
    assert "p.csv第3行" in reading.problems[0].message("zh")


def test_a_byte_that_is_no_utf_8_has_its_line(tmp_path: Path) -> None:
    book, _ = with_file(tmp_path, "p.csv")
    (tmp_path / "p.csv").write_bytes(HEADINGS.encode() + "".join(ROWS).encode() * 2000 + "P9,教育\n".encode("gb18030"))
    reading = read_and_check(book)
    assert found(reading) == [("projects_file_encoding", "Round!B7")]
    assert "Line 6002 of p.csv" in reading.problems[0].message()


def test_no_usable_heading(tmp_path: Path) -> None:
    assert found(read_text(tmp_path, "a,b\n1,2\n")) == [("no_headings", "p.csv!row 1, a")]


def test_a_file_without_rows(tmp_path: Path) -> None:
    assert ("no_rows", "p.csv") in found(read_text(tmp_path, HEADINGS))
    book, _ = with_file(tmp_path, "p.parquet")
    pq.write_table(
        pa.table({"project": pa.array([], pa.string()), "sector": pa.array([], pa.null())}), tmp_path / "p.parquet"
    )
    assert ("no_rows", "p.parquet") in found(read_and_check(book))


BASE: dict[str, list[object]] = {
    "project": ["P1", "P2", "P3"],
    "sector": ["edu"] * 3,
    "region": ["gansu"] * 3,
    "people": [1, 2, 3],
}


def read_table(folder: Path, **columns: pa.Array) -> Reading:
    book, _ = with_file(folder, "p.parquet")
    pq.write_table(pa.table({**BASE, **columns}), folder / "p.parquet")
    return read_and_check(book)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([40.0, 10.1 + 10.4, 30.0]),
        pa.array(["40", "20.50", " 30 "]),
        pa.array(["40", "20.5", "30"], pa.large_string()).dictionary_encode(),
        pa.array([Decimal("40.00"), Decimal("20.50"), Decimal("30.00")], pa.decimal128(38, 10)),
        pa.array([Decimal("40"), Decimal("20.5"), Decimal("30")], pa.decimal256(60, 1)),
    ],
)
def test_amounts_of_every_type_of_number(tmp_path: Path, column: pa.Array) -> None:
    reading = read_table(tmp_path, max_award=column)
    assert found(reading) == []
    assert awards(reading) == SOUND
    assert {str(award) for award in awards(reading).values()} == {"40", "20.5", "30"}


def test_whole_numbers_and_names_that_are_numbers(tmp_path: Path) -> None:
    numbers = pa.array([40, 20, 30], pa.uint8())
    reading = read_table(tmp_path, max_award=numbers, project=pa.array([1, 2, 9_007_199_254_740_993]))
    assert awards(reading) == {"1": 40, "2": 20, "9007199254740993": 30}


@pytest.mark.parametrize(
    ("column", "codes"),
    [
        (pa.array([40.0, float("nan"), None]), ["missing_value", "missing_value"]),
        (pa.array([40.0, 20.0, float("inf")]), ["not_a_number"]),
        (pa.array([40, 20, 10**15]), ["too_many_digits"]),
        (pa.array([True, None, None]), ["boolean", "missing_value", "missing_value"]),
        (pa.array([dt.date(2027, 1, 1), None, None]), ["date", "missing_value", "missing_value"]),
        (pa.array([dt.datetime(2027, 1, 1), None, None]), ["date", "missing_value", "missing_value"]),  # noqa: DTZ001
        (pa.array([10**18, None, None], pa.timestamp("ns", "UTC")), ["date", "missing_value", "missing_value"]),
        (pa.array([dt.time(1), None, None]), ["date", "missing_value", "missing_value"]),
        (pa.nulls(3), ["missing_value"] * 3),
    ],
)
def test_cells_of_parquet_that_are_no_amounts(tmp_path: Path, column: pa.Array, codes: list[str]) -> None:
    assert [code for code, place in found(read_table(tmp_path, max_award=column)) if "max_award" in place] == codes


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([1.5, 2.5, 3.5], pa.float32()), "float32"),
        (pa.array([b"1", b"2", b"3"]), "binary"),
        (pa.array([{"a": 1}] * 3), "struct<a: int64>"),
        (pa.array([[1]] * 3), "list<"),
        (pa.array([1, 2, 3], pa.duration("s")), "duration[s]"),
    ],
)
def test_the_type_of_a_column_is_named(tmp_path: Path, column: pa.Array, kind: str) -> None:
    reading = read_table(tmp_path, max_award=column)
    assert found(reading) == [("file_column_type", "p.parquet!row 1, max_award")]
    assert f"The column max_award holds {kind}" in reading.problems[0].message()


def test_doubled_headings_and_a_column_without_one_in_parquet(tmp_path: Path) -> None:
    book, _ = with_file(tmp_path, "p.parquet")
    names = [*BASE, "max_award", "people", ""]
    columns = [*map(pa.array, BASE.values()), *[pa.array([1, 2, 3])] * 3]
    pq.write_table(pa.table(columns, names=names), tmp_path / "p.parquet")
    assert ("heading_twice", "p.parquet!row 1, people") in found(read_and_check(book))
    assert Place("p.parquet", "row 2, column 7") in [p.place for p in read_and_check(book).problems]


@pytest.mark.parametrize(
    ("columns", "errors"),
    [
        (["project"], [("missing_column", "p.parquet!row 1, project")] * 3),
        ([*BASE, "max_award", "project"], [("heading_twice", "p.parquet!row 1, project")]),
        ([*BASE, "max_award", "title", "title"], [("heading_twice", "p.parquet!row 1, title")]),
        ([*BASE, "mixed"], [("not_a_number", "p.parquet!row 3, max_award")]),
    ],
    ids=["missing columns", "a text twice", "a further text twice", "numbers and texts"],
)
def test_columns_of_parquet_that_make_no_projects(
    tmp_path: Path, columns: list[str], errors: list[tuple[str, str]]
) -> None:
    cells = {**BASE, "title": BASE["project"], "max_award": [1, 2, 3], "mixed": ["1", "two", "3"]}
    names = ["max_award" if name == "mixed" else name for name in columns]
    book, _ = with_file(tmp_path, "p.parquet")
    pq.write_table(pa.table([pa.array(cells[name]) for name in columns], names=names), tmp_path / "p.parquet")
    assert found(read_and_check(book)) == errors


def test_rows_without_anything_are_left_out_and_counted(tmp_path: Path) -> None:
    columns = {name: pa.array([cells[0], None, cells[2]]) for name, cells in BASE.items()}
    reading = read_table(tmp_path, **columns, max_award=pa.array([1.0, float("nan"), 2.0]))
    assert reading.round is not None
    assert [(p.project, p.origin.row) for p in reading.round.projects] == [("P1", 2), ("P3", 4)]


def test_a_damaged_page(tmp_path: Path) -> None:
    book, projects = with_file(tmp_path, "p.parquet")
    write_parquet(tmp_path / "p.parquet", projects)
    content = bytearray((tmp_path / "p.parquet").read_bytes())
    content[4:60] = bytes(byte ^ 0xFF for byte in content[4:60])
    (tmp_path / "p.parquet").write_bytes(content)
    assert found(read_and_check(book)) == [("projects_file_damaged", "Round!B7")]


# the same words as for a sheet


COLUMNS: dict[str, list[object]] = {
    "project": [None, "P1", " p1 ", "a;b", "a@b", "Ｐ１", "a\u200bb", "7", "\u200b", "P 2"],
    "title": ["a", "a\nb", "  a  b "],
    "sector": [None, "space", "EDU", " edu ", "edu;tech", "ｅｄｕ"],
    "category": ["a;b", "x", "X", "ｘ", "\u200b"],
    "region": [None, "mars", "beijing:0.6; gansu:0.4", "beijing:0.6; gansu:0.3", "beijing:0.6; beijing:0.4", "GANSU",
               "beijing:60%;gansu:40 %", "beijing:x", "beijing;gansu", "beijing:1.0000001;gansu:0"],
    "institution": ["u;v", "u", "U"],
    "tags": ["a;b;A", "new; NEW2", " ;;"],
    "status": ["候选", "no", "MANDATORY"],
    "min_award": ["x", Decimal("0.3"), -1, 99, "1,200", "45 %", Decimal("-0.5")],
    "max_award": [None, 0, -5, "40 万", Decimal("0.25"), "１２", "1e3"],
    "start_from": [2027, Decimal("2027.5"), "abc", 20, 2029],
    "start_to": [2026, 2028, "soon"],
    "profile": ["0.5; 0.5", "0.5;0.6", 1, "x", "0.5; 0.3; 0.2", "50%; 50 %", Decimal("0.9")],
    "cofunding": [-1, "x", 5, Decimal("0.1")],
    "feasibility": [None, "y", Decimal("0.7")],
    "people": [None, "q", Decimal("1.5")],
    "remarks": [None, "n"],
}  # fmt: skip


def all_said(reading: Reading) -> list[tuple[str, ...]]:
    """Return every problem of the projects, with addresses in a sheet written as those in a file."""

    def address(cell: re.Match[str]) -> str:
        return f"Projects!row {cell[2]}, {list(COLUMNS)[ord(cell[1]) - ord('A')]}"

    def same(text: str) -> str:
        return re.sub(r"Projects!([A-Z])(\d+)", address, re.sub(r"p\.(csv|parquet)\b", "Projects", text))

    return sorted(
        (p.code, same(str(p.place)), p.found, same(p.message()), same(p.message("zh")), p.expected())
        for p in reading.problems
        if p.place is not None and p.place.sheet.startswith(("Projects", "p."))
    )


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_every_mistake_gets_the_words_it_gets_on_the_sheet(tmp_path: Path, name: str) -> None:
    sound: dict[str, object] = {"sector": "edu", "region": "gansu", "max_award": 10, "people": 3}
    mistakes = [(column, cell) for column, cells in COLUMNS.items() for cell in cells]
    projects = [
        {**dict.fromkeys(COLUMNS), **sound, "project": f"Q{number}", column: cell}
        for number, (column, cell) in enumerate(mistakes)
    ]
    tables = {**sound_tables(), "Projects": projects}
    on_sheet = all_said(read_and_check(write_tables(tables, tmp_path / "plain.xlsx")))
    assert len({code for code, *_ in on_sheet}) > 25
    book, _ = with_file(tmp_path, name)
    texts: list[dict[str, object]] = [
        {column: None if cell is None else str(cell) for column, cell in row.items()} for row in projects
    ]
    (write_csv if name.endswith("csv") else write_parquet)(tmp_path / name, texts)
    assert all_said(read_and_check(book)) == on_sheet


# encodings and limits


CHINESE = "项目,名称,领域,地区,最高资助,people\nP1,职业教育“实训”,edu,gansu,40,30\nP2,龘㐀,tech,gansu,20.5,1\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_excel_writes_in_chinese(tmp_path: Path, separator: str) -> None:
    book, _ = with_file(tmp_path, "p.csv")
    (tmp_path / "p.csv").write_bytes(CHINESE.replace(",", separator).encode("gb18030"))
    reading = read_and_check(book)
    assert awards(reading) == {"P1": 40, "P2": Decimal("20.5")}
    assert reading.round is not None
    assert [project.title for project in reading.round.projects] == ["职业教育“实训”", "龘㐀"]


@pytest.mark.parametrize(
    "content",
    [
        CHINESE.encode("gb18030") + "P3,教".encode("gb18030")[:-1],
        CHINESE.encode("gb18030") + b"P3,\x80,edu,gansu,5,1\n",
        CHINESE.replace("“", "").replace("”", "").replace("龘㐀", "").encode("big5", "replace") + "項".encode("big5"),
        (HEADINGS + ROWS[0].replace("edu", "Universität")).encode("latin-1"),
        (HEADINGS + ROWS[0].replace("edu", "教育")).encode("gb18030"),
    ],
)
def test_encodings_that_nothing_tells(tmp_path: Path, content: bytes) -> None:
    book, _ = with_file(tmp_path, "p.csv")
    (tmp_path / "p.csv").write_bytes(content)
    assert found(read_and_check(book)) == [("projects_file_encoding", "Round!B7")]


@pytest.mark.parametrize("at", [0, 1, 2, 5, 6, 7, 8, 9])
def test_the_line_is_the_bytes_own_wherever_pieces_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(projects_file, "_PIECE", 4)
    book, _ = with_file(tmp_path, "p.csv")
    (tmp_path / "p.csv").write_bytes("é\né".encode() + b"x\n" * at + b"\xc3\n\n")
    problem = read_and_check(book).problems[0]
    assert (problem.code, problem.details["line"]) == ("projects_file_encoding", str(2 + at))


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_a_file_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    book, projects = with_file(tmp_path, name)
    (write_csv if name.endswith("csv") else write_parquet)(tmp_path / name, projects)
    assert found(read_and_check(book)) == []
    monkeypatch.setattr(projects_file, "_LARGEST", 50)
    assert found(read_and_check(book)) == [("projects_file_too_long", "Round!B7")]


def test_more_cells_than_a_round_can_have(tmp_path: Path) -> None:
    book, _ = with_file(tmp_path, "p.parquet")
    for rows, columns in ((11_000_000, 1), (1_100_000, 100)):
        blank = pa.nulls(rows, pa.int8())
        names = [f"c{number}" for number in range(columns)]
        pq.write_table(pa.table([blank] * columns, names=names), tmp_path / "p.parquet")
        assert (tmp_path / "p.parquet").stat().st_size < 1 << 20
        assert found(read_and_check(book)) == [("projects_file_too_long", "Round!B7")]


def test_more_rows_of_csv_than_a_round_can_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects_file, "_MOST_ROWS", 1000)
    sound = HEADINGS + "P1,edu,gansu,40,,30\nP2,edu,gansu,40,,30\n"
    sound += "".join(f"Q{number},edu,gansu,40,,30\n" for number in range(998))
    assert found(read_text(tmp_path, sound)) == []
    # Rows are counted a few hundred at a time.
    assert found(read_text(tmp_path, sound + ROWS[0] * 200)) == [("projects_file_too_long", "Round!B7")]


def test_equal_texts_take_the_room_of_one(tmp_path: Path) -> None:
    book, _ = with_file(tmp_path, "p.parquet")
    many = pa.DictionaryArray.from_arrays(pa.array([0] * 300_000, pa.int32()), ["x" * 10_000])
    table = pa.table({"project": [*map(str, range(300_000))], "title": many})
    pq.write_table(table, tmp_path / "p.parquet", store_schema=False)
    before = pa.total_allocated_bytes()
    peak = pa.default_memory_pool().max_memory() or 0
    assert ("missing_column", "p.parquet!row 1, project") in found(read_and_check(book))
    assert pa.total_allocated_bytes() <= before + (1 << 20)
    assert (pa.default_memory_pool().max_memory() or 0) - peak < 1 << 30  # the texts one by one are 3 GB


# the setting


def with_setting(folder: Path, value: object, projects: list[dict[str, object]] | None) -> Reading:
    tables = sound_tables()
    tables["Round"].append({"setting": "项目文件", "value": value})
    del tables["Projects"]
    if projects is not None:
        tables["Projects"] = projects
    return read_and_check(write_tables(tables, folder / "round.xlsx"))


def test_a_folder_and_a_path_below_the_workbook(tmp_path: Path) -> None:
    (tmp_path / "data.csv").mkdir()
    assert found(with_setting(tmp_path, "data.csv", None)) == [("projects_file_missing", "Round!B7")]
    (tmp_path / "data.csv" / "p.csv").write_text(HEADINGS + "".join(ROWS))
    reading = with_setting(tmp_path, " data.csv/p.csv ", None)
    assert awards(reading) == SOUND
    assert reading.projects_file is not None
    assert reading.projects_file[0] == "p.csv"


def test_ways_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "rounds").mkdir()
    (tmp_path / "p.csv").write_text(HEADINGS + "".join(ROWS))
    assert awards(with_setting(tmp_path / "rounds", "../p.csv", None)) == SOUND
    (tmp_path / "rounds" / "linked.csv").symlink_to(tmp_path / "p.csv")
    assert awards(with_setting(tmp_path / "rounds", "linked.csv", None)) == SOUND


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders on this system")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.csv")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    for name in ("p.csv", "loop.csv"):
        assert found(with_setting(tmp_path, name, None)) == [("projects_file_missing", "Round!B7")]


def test_a_name_that_is_a_number(tmp_path: Path) -> None:
    assert found(with_setting(tmp_path, 5, None)) == [("projects_file_kind", "Round!B7")]


def test_the_sheet_is_needed_without_a_file_and_may_be_empty_with_one(tmp_path: Path) -> None:
    tables = sound_tables()
    del tables["Projects"]
    tables["Remarks"] = [{"a": 1}]
    codes = [code for code, _ in found(read_and_check(write_tables(tables, tmp_path / "plain.xlsx")))]
    assert codes == ["missing_sheet"]
    assert [code for code, _ in found(with_setting(tmp_path, None, None))] == ["missing_sheet"]
    (tmp_path / "p.csv").write_text(HEADINGS + "".join(ROWS))
    assert found(with_setting(tmp_path, "p.csv", [])) == []
    assert found(with_setting(tmp_path, "p.csv", [{"project": None, "sector": None}])) == []
    assert found(with_setting(tmp_path, "p.csv", [{"remark": None}]))[0] == ("projects_file_and_sheet", "Round!B7")


# changes


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_changes_are_made_to_the_rows_they_name(tmp_path: Path, name: str) -> None:
    book, projects = with_file(tmp_path, name)
    projects[2]["max_award"] = projects[0]["max_award"]
    (write_csv if name.endswith("csv") else write_parquet)(tmp_path / name, projects)
    one = awards(read_and_check(book, ["Projects.p1.max_award=*1.5"]))
    assert one == {"P1": 60, "P2": Decimal("20.5"), "P3": 40}
    every = awards(read_and_check(book, ["项目.*.最高资助=+0.5", "Projects.P3.max_award=7"]))
    assert every == {"P1": Decimal("40.5"), "P2": 21, "P3": 7}
    new = read_and_check(book, ["Projects.P1.status=mandatory", "Projects.P1.people="]).round
    assert new is not None
    assert [project.status for project in new.projects] == ["mandatory", "candidate", "candidate"]
    assert new.projects[0].measures["people"] is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("Projects.P10.max_award=5", "has no row 'P10'. Did you mean P"),
        ("Projects.P1.max_awards=*2", "has no column max_awards. Did you mean max_award?"),
        ("Projects.P1.min_award=*2", "the cell is blank"),
        ("Projects.P1.sector=*2", "'edu' is not a number"),
    ],
)
def test_changes_that_cannot_be_made(tmp_path: Path, change: str, said: str) -> None:
    with pytest.raises(WrongUse, match=re.escape(said)) as raised:
        read_text(tmp_path, HEADINGS + "".join(ROWS), (change,))
    if "number" in said:
        assert (raised.value.sheet, raised.value.cell) == ("p.csv", "row 2, sector")


def test_a_change_can_name_another_file(tmp_path: Path) -> None:
    book, projects = with_file(tmp_path, "p.csv")
    assert found(read_and_check(book, ["Projects.P1.max_award=5"])) == [("projects_file_missing", "Round!B7")]
    write_csv(tmp_path / "q.csv", projects)
    assert awards(read_and_check(book, ["Round.projects_file.value=q.csv", "Projects.P1.max_award=5"]))["P1"] == 5


# the commands


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


def test_solve_and_verify_take_the_file(cli: Cli, tmp_path: Path) -> None:
    tables: Tables = {name: [dict(row) for row in rows] for name, rows in TABLES.items()}
    write_csv(tmp_path / "p.csv", tables.pop("Projects"))
    tables["Round"].append({"setting": "projects_file", "value": "p.csv"})
    book, plan = write_tables(tables, tmp_path / "round.xlsx"), tmp_path / "plan.xlsx"
    plain = cli("solve", write_tables(TABLES, tmp_path / "plain.xlsx"), "--json").document("solve")
    solved = cli("solve", book, "-o", plan, "--json").document("solve")
    assert solved["objective"] == plain["objective"]
    assert solved["manifest"]["round_digest"] == plain["manifest"]["round_digest"]
    assert plain["manifest"]["projects_file"] is None
    sha256 = hashlib.sha256((tmp_path / "p.csv").read_bytes()).hexdigest()
    assert solved["manifest"]["projects_file"] == {"name": "p.csv", "sha256": sha256}
    assert cli("verify", book, plan).code == 0
    (tmp_path / "p.csv").write_text((tmp_path / "p.csv").read_text().replace("60", "61"))
    assert cli("verify", book, plan).code == 5


def test_check_names_file_row_and_column_and_marks_a_copy(cli: Cli, tmp_path: Path) -> None:
    reading = read_text(tmp_path, HEADINGS + "".join(ROWS).replace("20.5", "x"))
    marked = tmp_path / "marked.xlsx"
    ran = cli("check", tmp_path / "round.xlsx", "--annotate", marked, "--json")
    first = ran.document("check")["problems"][0]
    assert (ran.code, first["sheet"], first["cell"], first["found"]) == (2, "p.csv", "row 3, max_award", "x")
    assert marked.exists()
    # A sheet of the file's name has no such cell either.
    book = write_tables({**sound_tables(), "p.csv": [{"a": 1}]}, tmp_path / "named.xlsx")
    annotate(book, reading.problems, tmp_path / "other.xlsx", language="en", force=False)


def test_problems_stand_in_the_order_of_rows(tmp_path: Path) -> None:
    rows = "".join(f"Q{number},nix,gansu,1,,1\n" for number in range(12))
    places = [place for _, place in found(read_text(tmp_path, HEADINGS + rows + "R,edu,gansu,x,,1\n"))]
    in_file = [place for place in places if place.startswith("p.csv")]
    assert in_file == ["p.csv!row 14, max_award", *[f"p.csv!row {row}, sector" for row in range(2, 14)]]


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_no_output_replaces_the_file(cli: Cli, tmp_path: Path, name: str) -> None:
    book, projects = with_file(tmp_path, name)
    (write_csv if name.endswith("csv") else write_parquet)(tmp_path / name, projects)
    content = (tmp_path / name).read_bytes()
    linked = tmp_path / "linked.xlsx"
    linked.symlink_to(tmp_path / name)
    for output, code in ((tmp_path / name, "ending"), (linked, "is_input")):
        for words in (("check", book, "--annotate"), ("solve", book, "-o")):
            ran = cli(*words, output, "--force", "--json")
            assert (ran.code, ran.document("error")["error"]["code"]) == (2, code)
    assert (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize("arguments", [["--help"], ["check", "round.xlsx"], ["check", "csv.xlsx"]])
def test_parquet_is_loaded_where_there_is_some(tmp_path: Path, arguments: list[str]) -> None:
    with_file(tmp_path, "p.csv")[0].rename(tmp_path / "csv.xlsx")
    write_tables(sound_tables(), tmp_path / "round.xlsx")
    write_csv(tmp_path / "p.csv", sound_tables()["Projects"])
    script = (
        "import atexit, sys; from optalloc.cli.main import main; "
        "atexit.register(lambda: print('pyarrow' in sys.modules, file=sys.stderr)); main()"
    )
    words = [str(tmp_path / word) if word.endswith(".xlsx") else word for word in arguments]
    ran = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr.strip()) == (0, "False"), ran.stdout
