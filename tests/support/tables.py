"""Rounds as plain tables: to grids, to files and to typed rounds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import xlsxwriter

from integrated_fund.checks import check
from integrated_fund.round import Round
from optalloc.workbook.grid import BadCell, Grid, GridRow, Tables, Value
from optalloc.workbook.reader import reading_of


def _columns(rows: list[dict[str, object]]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row))


def _cell(value: object) -> Value:
    if value is None or isinstance(value, bool | str | BadCell | dt.date | dt.time | dt.timedelta):
        return value
    if isinstance(value, int | float | Decimal):
        return float(value)
    raise TypeError(f"no cell holds a {type(value).__name__}")


def sound_tables() -> Tables:
    """Return a small round of two years without any problem, to be turned bad in one way at a time."""
    return {
        "Round": [
            {"setting": "title", "value": "A small round"},
            {"setting": "unit", "value": "10,000 yuan"},
            {"setting": "step", "value": Decimal("0.5")},
            {"setting": "first_year", "value": 2027},
            {"setting": "years", "value": 2},
        ],
        "Sources": [
            {"source": "education", "year": 2027, "amount": 100, "least": Decimal("0.2"), "sectors": "edu"},
            {"source": "education", "year": 2028, "amount": 80, "least": None, "sectors": "edu"},
            {"source": "talent", "year": 2027, "amount": Decimal("60.5"), "least": None, "sectors": None},
        ],
        "Sectors": [{"sector": "edu", "title": "Education"}, {"sector": "tech", "title": "Technology"}],
        "Regions": [
            {"region": "beijing", "belt": "east", "population": 20, "students": 5},
            {"region": "gansu", "belt": "west", "population": 25, "students": 4},
        ],
        "Projects": [
            {"project": "P1", "sector": "edu", "region": "gansu", "tags": "new; big", "min_award": 10, "max_award": 40,
             "profile": "0.5; 0.5", "people": 30},
            {"project": "P2", "sector": "tech", "region": "beijing:0.6; gansu:0.4", "tags": None, "min_award": None,
             "max_award": Decimal("20.5"), "profile": None, "people": 12},
            {"project": "P3", "sector": "edu", "region": "beijing", "tags": "new", "min_award": 0, "max_award": 30,
             "profile": None, "people": 8},
        ],
        "Options": [{"project": "P1", "option": "small", "max_award": 20, "people": 12}],
        "Criteria": [{"criterion": "people", "weight": 1, "direction": "max"}],
        "Rules": [
            {"rule": "west", "measure": "award", "each": None, "per": None, "sense": ">=", "bound": "45 %",
             "of": "total", "within": "sectors", "sectors": "edu", "belts": "west", "years": None, "penalty": 2},
            {"rule": "heads", "measure": "award", "each": "region", "per": "population", "sense": ">=",
             "bound": Decimal("0.1"), "of": "average", "within": None, "sectors": None, "belts": None, "years": "2027",
             "penalty": 1},
        ],
        "Links": [{"link": "L1", "kind": "requires", "projects": "P1; P2", "criterion": None, "value": None}],
    }  # fmt: skip


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
