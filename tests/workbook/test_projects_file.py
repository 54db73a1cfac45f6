"""Projects from a CSV or Parquet file: the same round, the same messages, and every way a file can be wrong."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from integrated_fund.digest import round_digest
from optalloc.workbook.grid import Tables
from optalloc.workbook.reader import Reading
from optalloc.workbook.reading import read_and_check
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
    assert round_digest(from_file.round) == round_digest(from_sheet.round)
    assert [p.code for p in from_file.problems] == [p.code for p in from_sheet.problems]
    assert from_file.projects_file is not None
    assert from_file.projects_file[0] == name


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
    assert places == {f"{name}!sector:3", f"{name}!max_award:4"}


def test_a_missing_obligatory_column_is_named(tmp_path: Path) -> None:
    book, projects = with_file(tmp_path, "p.parquet")
    for row in projects:
        del row["max_award"]
    write_parquet(tmp_path / "p.parquet", projects)
    assert ("missing_column", "p.parquet!project:1") in found(read_and_check(book))


def test_doubled_headings(tmp_path: Path) -> None:
    book, _ = with_file(tmp_path, "p.csv")
    (tmp_path / "p.csv").write_text("project,sector,region,max_award,Sector\nP1,edu,gansu,40,edu\n")
    assert ("heading_twice", "p.csv!Sector:1") in found(read_and_check(book))


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("p.csv", None, "projects_file_missing"),
        ("p.txt", b"project\n", "projects_file_kind"),
        ("p.csv", "project,名称\n".encode("gb18030"), "projects_file_unreadable"),
        ("p.csv", b'project,sector\n"P1,edu\n', "projects_file_unreadable"),
        ("p.csv", b"PK\x03\x04\0\0", "projects_file_unreadable"),
        ("p.parquet", b"project,sector\nP1,edu\n", "projects_file_unreadable"),
        ("p.parquet", b"", "projects_file_unreadable"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, name: str, content: bytes | None, code: str) -> None:
    book, _ = with_file(tmp_path, name)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert found(read_and_check(book)) == [(code, "Round!B7")]


def test_an_empty_csv_file_is_an_empty_sheet(tmp_path: Path) -> None:
    book, _ = with_file(tmp_path, "p.csv")
    (tmp_path / "p.csv").write_bytes(b"")
    assert found(read_and_check(book)) == [("empty_sheet", "p.csv")]


def test_ragged_lines(tmp_path: Path) -> None:
    book, _ = with_file(tmp_path, "p.csv")
    (tmp_path / "p.csv").write_text("project,sector,region,max_award\nP1,edu,gansu,40\nP2,edu,gansu\n")
    assert ("file_row_width", "p.csv!project:3") in found(read_and_check(book))


def test_a_column_of_a_type_that_no_cell_has(tmp_path: Path) -> None:
    book, projects = with_file(tmp_path, "p.parquet")
    write_parquet(tmp_path / "p.parquet", projects)
    table = pq.ParquetFile(tmp_path / "p.parquet").read()
    table = table.append_column("parts", pa.array([[1]] * len(projects)))
    pq.write_table(table, tmp_path / "p.parquet")
    assert found(read_and_check(book)) == [("file_column_type", "p.parquet!parts:1")]


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
    assert [place for _, place in found(read_and_check(book))] == ["p.csv!max_award:2"]
