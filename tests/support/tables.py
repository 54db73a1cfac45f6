"""Rounds as plain tables: to grids, to files and to typed rounds."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import xlsxwriter

from integrated_fund.checks import check
from integrated_fund.round import Round
from optalloc.workbook.grid import Grid, GridRow, Tables, Value
from optalloc.workbook.reader import reading_of


def _columns(rows: list[dict[str, object]]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row))


def _cell(value: object) -> Value:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return float(value)
    return str(value)


def grids_of(tables: Tables) -> list[Grid]:
    """Return tables as grids, headings in row 1."""
    grids = []
    for sheet, rows in tables.items():
        columns = _columns(rows)
        lines = [GridRow(1, list(columns))] if columns else []
        lines += [GridRow(n, [_cell(row.get(column)) for column in columns]) for n, row in enumerate(rows, 2)]
        grids.append(Grid(sheet, lines))
    return grids


def round_of(tables: Tables) -> Round:
    """Return tables as a round; they must have no error."""
    reading = reading_of(grids_of(tables), list(tables))
    problems = list(reading.problems) + list(check(reading.round) if reading.round is not None else ())
    errors = [f"{problem.place}: {problem.message()}" for problem in problems if problem.severity == "error"]
    assert not errors, "\n".join(errors)
    assert reading.round is not None
    return reading.round


def write_tables(tables: Tables, path: Path) -> Path:
    """Write tables as a plain workbook, headings in row 1."""
    with xlsxwriter.Workbook(path) as book:
        for grid in grids_of(tables):
            sheet = book.add_worksheet(grid.sheet)
            for row in grid.rows:
                for column, value in enumerate(row.values):
                    if isinstance(value, str):
                        sheet.write_string(row.number - 1, column, value)
                    elif isinstance(value, float):
                        sheet.write_number(row.number - 1, column, value)
    return path
