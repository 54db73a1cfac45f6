"""From a workbook to a typed round, with every mistake on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from integrated_fund.collector import collector_paused
from integrated_fund.problem import Language, Problem
from integrated_fund.round import Place, Round
from optalloc.workbook.assembly import assemble
from optalloc.workbook.changes import apply_changes, parse_change
from optalloc.workbook.grid import Grid
from optalloc.workbook.names import fold, heading_name, near_miss
from optalloc.workbook.opening import open_workbook
from optalloc.workbook.projects_file import ProjectsFile, read_projects_file
from optalloc.workbook.schema import GUIDE, SHEETS, Sheet, sheet_named
from optalloc.workbook.settings import Settings, read_settings
from optalloc.workbook.sheets import Problems, SheetRows, read_sheet

_SHEET_OF: Mapping[str, Sheet] = {fold(word): sheet for sheet in SHEETS for word in (sheet.name, sheet.zh)}
_GUIDE = frozenset(fold(word) for word in GUIDE)
_ROUND = frozenset(fold(word) for word in ("Round", sheet_named("Round").zh))
_PROJECTS = frozenset(fold(word) for word in ("Projects", sheet_named("Projects").zh))


@dataclass(frozen=True)
class Reading:
    """A workbook read. `round` is None where a needed sheet or column is missing.

    Where there are errors, the round has neutral values in the faulty cells: good for more checks on rows, not for sums
    or a plan. `problems` stand in the order of sheets, rows and columns. `language` is that of most sheet names and
    headings. `projects_file` has name and SHA-256 of the file with the projects, where there is one. `inputs` are the
    files that were opened: none of them may be written over.
    """

    round: Round | None
    problems: tuple[Problem, ...]
    language: Language
    sha256: str | None = None
    projects_file: tuple[str, str] | None = None
    inputs: tuple[Path, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether anything was found that stands in the way of a plan."""
        return any(problem.severity == "error" for problem in self.problems)


def read_round(path: Path, sets: Sequence[str] = ()) -> Reading:
    """Read a round workbook, with changes applied to its cells first.

    Raises:
        WorkbookUnreadable: the file is no workbook that can be read.
        WrongUse: a change names something that is not there.
    """
    with collector_paused():
        opened = open_workbook(path, lambda name: fold(name) in _SHEET_OF)
        of_round = [typed for typed in sets if fold(typed.partition(".")[0].strip()) in _ROUND]
        grids = apply_changes(opened.grids, of_round)  # they may name another file
        problems = Problems()
        file = read_projects_file(grids, path.parent, problems)
        others = [typed for typed in sets if typed not in of_round]
        if file is not None and file.grid is not None:
            grids = (*(grid for grid in grids if fold(grid.sheet) not in _PROJECTS), file.grid)
        elif file is not None:  # a file that cannot be used is reported; it has no rows to change
            others = [typed for typed in others if fold(parse_change(typed).sheet.name) not in _PROJECTS]
        grids = apply_changes(grids, others)
        reading = _reading_of(grids, opened.sheet_names, opened.sha256, problems, file)
        return replace(reading, inputs=(path,) if file is None or file.path is None else (path, file.path))


def reading_of(grids: Sequence[Grid], sheet_names: Sequence[str], sha256: str | None = None) -> Reading:
    """Read a round from grids; `sheet_names` are all sheets of the workbook, in order."""
    with collector_paused():
        return _reading_of(grids, sheet_names, sha256, Problems(), None)


def _reading_of(
    grids: Sequence[Grid],
    sheet_names: Sequence[str],
    sha256: str | None,
    problems: Problems,
    file: ProjectsFile | None,
) -> Reading:
    by_sheet = _recognise(grids, sheet_names, problems)
    settings = read_settings(by_sheet["Round"], problems) if "Round" in by_sheet else Settings()
    rows: dict[str, SheetRows] = {}
    counted: dict[str, set[str]] = {"measures": set(), "attributes": set()}
    # Criteria and rules first: what they name is a column of numbers whatever stands in it.
    for sheet in sorted(SHEETS, key=lambda sheet: sheet.name not in ("Criteria", "Rules")):
        if sheet.name == "Round" or sheet.name not in by_sheet:
            continue
        wanted = counted["attributes" if sheet.name == "Regions" else "measures"]
        rows[sheet.name] = read_sheet(sheet, by_sheet[sheet.name], problems, settings.step, wanted)
        if sheet.name in ("Criteria", "Rules"):
            _note_counted(rows[sheet.name], counted)
    language = _language(by_sheet, rows, settings)
    for sheet in SHEETS:
        if sheet.required and sheet.name not in by_sheet and not (sheet.name == "Projects" and file is not None):
            missing = sheet.zh if language == "zh" else sheet.name
            problems.add("missing_sheet", Place(missing), sheet=sheet.name, sheet_zh=sheet.zh)
    complete = settings.readable and all(
        sheet.name in rows and rows[sheet.name].has_columns
        for sheet in SHEETS
        if sheet.required and sheet.name != "Round"
    )
    round_ = assemble(settings, rows, problems) if complete else None
    order = sheet_names if file is None else (*sheet_names, file.name)
    stated = None if file is None or file.grid is None else (file.name, file.sha256)
    return Reading(round_, _in_order(problems.found, order), language, sha256, stated)


def _recognise(grids: Sequence[Grid], sheet_names: Sequence[str], problems: Problems) -> dict[str, Grid]:
    by_sheet: dict[str, Grid] = {}
    for grid in grids:
        sheet = _SHEET_OF.get(fold(grid.sheet))
        if sheet is None:
            continue
        if sheet.name in by_sheet:
            problems.add("sheet_twice", Place(grid.sheet), grid.sheet, sheet=sheet.name, sheet_zh=sheet.zh)
        else:
            by_sheet[sheet.name] = grid
    absent = [word for sheet in SHEETS if sheet.name not in by_sheet for word in (sheet.name, sheet.zh)]
    for name in sheet_names:
        if fold(name) in _SHEET_OF or fold(name) in _GUIDE:
            continue
        near = near_miss(name, absent)
        if near is not None:
            problems.add("near_sheet", Place(name), name, near=near)
        else:
            problems.add("unknown_sheet", Place(name), name)
    return by_sheet


def _note_counted(rows: SheetRows, counted: Mapping[str, set[str]]) -> None:
    """Note the headings that criteria and rules count: measures on Projects, attributes on Regions."""
    measures = list(rows.column("measure"))
    if rows.sheet.name == "Criteria":  # a criterion without a measure counts the column of its own name
        measures = [
            own if named is None else named for named, own in zip(measures, rows.column("criterion"), strict=True)
        ]
    counted["measures"].update(heading_name(name) for name in measures if name is not None)
    for column in ("per", "of"):
        counted["attributes"].update(heading_name(name) for name in rows.column(column) if name is not None)


def _language(by_sheet: Mapping[str, Grid], rows: Mapping[str, SheetRows], settings: Settings) -> Language:
    chinese = settings.chinese + sum(sheet.chinese for sheet in rows.values())
    english = settings.english + sum(sheet.english for sheet in rows.values())
    for name, grid in by_sheet.items():
        is_english = fold(grid.sheet) == fold(name)
        english, chinese = english + is_english, chinese + (not is_english)
    return "zh" if chinese > english else "en"


def _in_order(problems: Sequence[Problem], sheet_names: Sequence[str]) -> tuple[Problem, ...]:
    """Return problems by sheet, row and column, each once."""
    order = {name: number for number, name in enumerate(sheet_names)}

    def position(problem: Problem) -> tuple[int, int, int, str]:
        place = problem.place
        if place is None or place.sheet not in order:
            return (-1, 0, 0, "")
        row, column = place.row_and_column
        return (order[place.sheet], row, len(column), column)

    once = {(p.code, p.place, p.found, tuple(p.details.items())): p for p in problems}
    return tuple(sorted(once.values(), key=position))
