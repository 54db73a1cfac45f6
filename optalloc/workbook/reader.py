"""From a workbook to a typed round, with every mistake on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from integrated_fund.problem import Language, Problem
from integrated_fund.round import (
    EVERYTHING,
    FILTER_COLUMNS,
    Criterion,
    Dimension,
    Filter,
    Link,
    Option,
    Origin,
    Place,
    Project,
    Region,
    Round,
    Rule,
    Sector,
    Selection,
    Source,
)
from optalloc.workbook import values
from optalloc.workbook.changes import apply_changes
from optalloc.workbook.grid import Grid, Value
from optalloc.workbook.names import fold, near_miss, nearest
from optalloc.workbook.opening import open_workbook
from optalloc.workbook.schema import GUIDE, SETTINGS, SHEETS, Column, Sheet
from optalloc.workbook.sheets import Problems, Row, SheetRows, converter_of, read_sheet
from optalloc.workbook.values import Mistake

_SHEET_OF = {fold(word): sheet for sheet in SHEETS for word in (sheet.name, sheet.zh)}
_GUIDE = {fold(word) for word in GUIDE}


@dataclass(frozen=True)
class Reading:
    """A workbook read. `round` is None where a needed sheet or column is missing.

    Where there are errors, the round has neutral values in the faulty cells: good for more checks, not for a plan.
    """

    round: Round | None
    problems: tuple[Problem, ...]
    language: Language
    sha256: str | None = None

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
    opened = open_workbook(path, lambda name: fold(name) in _SHEET_OF)
    return reading_of(apply_changes(opened.grids, sets), opened.sheet_names, opened.sha256)


def reading_of(grids: Sequence[Grid], sheet_names: Sequence[str], sha256: str | None = None) -> Reading:
    """Read a round from grids; `sheet_names` are all sheets of the workbook."""
    problems = Problems()
    by_sheet = _recognise(grids, sheet_names, problems)
    round_grid = by_sheet.get("Round")
    settings = _Settings(round_grid, problems)
    rows: dict[str, SheetRows] = {}
    wanted: set[str] = set()
    # Criteria and rules first: what they name as a measure is a column of numbers whatever stands in it.
    for name in sorted((s.name for s in SHEETS if s.name != "Round"), key=lambda n: n not in ("Criteria", "Rules")):
        sheet = next(s for s in SHEETS if s.name == name)
        if name not in by_sheet:
            if sheet.required:
                problems.add("missing_sheet", Place(name), sheet=sheet.name, sheet_zh=sheet.zh)
            continue
        rows[name] = read_sheet(sheet, by_sheet[name], problems, settings.step, wanted)
        if name in ("Criteria", "Rules"):
            wanted |= _numbers_named(rows[name])
    if round_grid is None:
        problems.add("missing_sheet", Place("Round"), sheet="Round", sheet_zh="轮次")
    chinese = sum(sheet.is_chinese for sheet in rows.values()) + settings.is_chinese
    language: Language = "zh" if chinese * 2 > len(rows) + 1 else "en"
    complete = all(
        sheet.name == "Round" or (sheet.name in rows and _has_columns(rows[sheet.name]))
        for sheet in SHEETS
        if sheet.required
    )
    round_ = _Builder(settings, rows, problems).round() if complete and settings.readable else None
    return Reading(round_, tuple(problems.found), language, sha256)


def _recognise(grids: Sequence[Grid], sheet_names: Sequence[str], problems: Problems) -> dict[str, Grid]:
    by_sheet: dict[str, Grid] = {}
    for grid in grids:
        sheet = _SHEET_OF.get(fold(grid.sheet))
        if sheet is None:
            continue
        if sheet.name in by_sheet:
            problems.add("sheet_twice", Place(grid.sheet), sheet=sheet.name, sheet_zh=sheet.zh)
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


def _numbers_named(rows: SheetRows) -> set[str]:
    named = set()
    for row in rows.rows:
        for column in ("measure", "per", "of", "criterion"):
            if column in row.typed:
                named.add(fold(row.typed[column]))
    return named


def _has_columns(rows: SheetRows) -> bool:
    return all(column.name in rows.table.columns for column in rows.sheet.columns if column.required)


class _Settings:
    """The settings of the Round sheet, typed, with defaults for the ones that may be left out."""

    def __init__(self, grid: Grid | None, problems: Problems) -> None:
        self.typed: dict[str, Any] = {}
        self.origins: dict[str, Origin] = {}
        self.is_chinese = False
        self.readable = False
        self.sheet_name = "Round" if grid is None else grid.sheet
        if grid is None:
            return
        sheet = next(sheet for sheet in SHEETS if sheet.name == "Round")
        rows = read_sheet(sheet, grid, problems, None, ())
        self.is_chinese = rows.is_chinese
        self.readable = _has_columns(rows)
        words = {fold(word): column for column in SETTINGS for word in (column.name, column.zh)}
        cells = {row.number: row.values for row in grid.rows}
        letters = list(rows.table.columns)
        for row in rows.rows:
            if "setting" not in row.typed:
                continue
            self._take(row, words, cells, letters, grid, problems)
        for column in SETTINGS:
            if self.readable and column.required and column.name not in self.origins:
                problems.add("missing_setting", Place(grid.sheet), setting=column.name, setting_zh=column.zh)
        step = self.typed.get("step")
        if step is not None and step <= 0:
            problems.add(
                "not_positive",
                self.origins["step"].place("value"),
                format(step, "f"),
                column="step",
                column_zh="最小单位",
            )
            del self.typed["step"]

    def _take(
        self,
        row: Row,
        words: Mapping[str, Column],
        cells: Mapping[int, list[Value]],
        letters: Sequence[str],
        grid: Grid,
        problems: Problems,
    ) -> None:
        typed = row.typed["setting"]
        column = words.get("_".join(fold(typed).split()))
        place = row.origin.place("setting")
        if column is None:
            near = near_miss(typed, [word for c in SETTINGS for word in (c.name, c.zh)])
            known = ", ".join(c.name for c in SETTINGS)
            if near is not None:
                problems.add("near_setting", place, typed, near=near)
            else:
                problems.add("unknown_setting", place, typed, known=known)
            return
        if column.name in self.origins:
            problems.add("setting_twice", place, typed, first=str(self.origins[column.name].place("setting")))
            return
        self.origins[column.name] = row.origin
        if "value" not in letters:
            return
        position = _position(row.origin.table.columns["value"]) - grid.first_column
        line = cells[row.origin.row]
        value = line[position] if position < len(line) else None
        at = row.origin.place("value")
        if values.is_blank(value):
            if column.required:
                problems.add("missing_value", at, column=column.name, column_zh=column.zh)
            return
        if not column.built:
            problems.add("column_not_built", at, value, column=column.name, column_zh=column.zh)
            return
        try:
            self.typed[column.name] = converter_of(column, None)(value, lambda code: problems.add(code, at, value))
        except Mistake as mistake:
            details = {"column": column.name, "column_zh": column.zh, **mistake.details}
            problems.add(mistake.code, at, value, **details)

    @property
    def step(self) -> Decimal:
        return Decimal(self.typed.get("step", 1))

    @property
    def first_year(self) -> int | None:
        return self.typed.get("first_year")

    @property
    def years(self) -> int:
        return int(self.typed.get("years", 1))


def _position(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column


class _Names:
    """The defined names of one kind, with the spelling that counts."""

    def __init__(self, what: str, problems: Problems) -> None:
        self.what = what
        self.problems = problems
        self.spelling: dict[str, str] = {}

    def define(self, name: str) -> None:
        self.spelling.setdefault(fold(name), name)

    def resolve(self, name: str, place: Place) -> str:
        """Return the name as it was defined, with a warning where it is spelt another way; as it is if unknown."""
        defined = self.spelling.get(fold(name))
        if defined is None or defined == name:
            return name
        self.problems.add("folded_reference", place, name, defined=defined)
        return defined


class _Builder:
    """Puts typed rows together into a round: duplicates, references, years and defaults."""

    def __init__(self, settings: _Settings, rows: Mapping[str, SheetRows], problems: Problems) -> None:
        self.settings = settings
        self.rows = rows
        self.problems = problems
        self.names: dict[str, _Names] = {
            kind: _Names(kind, problems)
            for kind in ("sector", "region", "belt", "project", "criterion", "measure", "attribute")
        } | {kind: _Names(kind, problems) for kind in ("category", "institution", "tag")}
        self.first_year_needed: Place | None = None

    def round(self) -> Round:
        settings = self.settings
        self._define()
        if settings.years > 1 and settings.first_year is None:
            self._year_typed(settings.origins["years"].place("value"))
        round_ = Round(
            title=settings.typed.get("title", ""),
            unit=settings.typed.get("unit", ""),
            currency=settings.typed.get("currency"),
            step=settings.step,
            first_year=settings.first_year,
            years=settings.years,
            discount=settings.typed.get("discount", Decimal(0)),
            method=settings.typed.get("method", "weighted"),
            gap=settings.typed.get("gap", Decimal("0.0001")),
            note=settings.typed.get("note"),
            sources=tuple(self._sources()),
            sectors=tuple(
                Sector(row.typed["sector"], row.typed.get("title"), row.origin) for row in self._keyed("Sectors")
            ),
            regions=tuple(self._regions()),
            projects=tuple(self._projects()),
            options=tuple(self._options()),
            criteria=tuple(self._criteria()),
            rules=tuple(self._rules()),
            links=tuple(self._links()),
            settings=MappingProxyType(dict(settings.origins)),
        )
        if self.first_year_needed is not None and settings.first_year is None and "first_year" not in settings.origins:
            self.problems.add("first_year_missing", Place(settings.sheet_name), because=str(self.first_year_needed))
        return round_

    def _define(self) -> None:
        for sheet, kind in (
            ("Sectors", "sector"),
            ("Regions", "region"),
            ("Projects", "project"),
            ("Criteria", "criterion"),
        ):
            for row in self.rows[sheet].rows:
                if kind in row.typed:
                    self.names[kind].define(row.typed[kind])
        for row in self.rows["Regions"].rows:
            if "belt" in row.typed:
                self.names["belt"].define(row.typed["belt"])
        for measure in ("award", "accepted", "cofunding", "feasibility", *self.rows["Projects"].extra):
            self.names["measure"].define(measure)
        for attribute in ("population", "gdp", "total", "funds", "average", *self.rows["Regions"].extra):
            self.names["attribute"].define(attribute)
        for row in self.rows["Projects"].rows:
            for kind in ("category", "institution"):
                if kind in row.typed:
                    self.names[kind].define(row.typed[kind])
            for tag in row.typed.get("tags", ()):
                self.names["tag"].define(tag)

    def _keyed(self, name: str) -> Iterable[Row]:
        """Yield the rows of a sheet that have a key of their own; report keys that stand twice."""
        if name not in self.rows:
            return
        sheet = self.rows[name].sheet
        seen: dict[tuple[str, ...], Place] = {}
        for row in self.rows[name].rows:
            if sheet.key[0] not in row.typed or any(key in row.faulty for key in sheet.key):
                continue
            place = row.origin.place(sheet.key[0])
            key = tuple(fold(str(row.typed.get(column, ""))) for column in sheet.key)
            if name == "Sources" and not key[1] and self.settings.years == 1:
                key = (key[0], str(self.settings.first_year or ""))
            if key in seen:
                self.problems.add("key_twice", place, str(row.typed[sheet.key[0]]), first=str(seen[key]))
                continue
            seen[key] = place
            yield row

    def _sources(self) -> Iterable[Source]:
        for row in self._keyed("Sources"):
            year = row.typed.get("year")
            if year is not None:
                self._year_typed(row.origin.place("year"))
            elif self.settings.years > 1:
                if "year" not in row.faulty:
                    self.problems.add("source_year_missing", row.origin.place("year"), column="year", column_zh="年度")
                year = self.settings.first_year
            else:
                year = self.settings.first_year
            yield Source(
                row.typed["source"],
                row.typed.get("amount", Decimal(0)),
                year,
                title=row.typed.get("title"),
                least=row.typed.get("least", Decimal(0)),
                carry_over=row.typed.get("carry_over", Decimal(0)),
                authority=row.typed.get("authority"),
                filter=self._filter(row),
                origin=row.origin,
            )

    def _regions(self) -> Iterable[Region]:
        for row in self._keyed("Regions"):
            belt = self.names["belt"].resolve(row.typed.get("belt", ""), row.origin.place("belt"))
            own = {name: row.typed.get(name) for name in ("population", "gdp") if name in row.origin.table.columns}
            yield Region(
                row.typed["region"], belt, row.typed.get("title"), MappingProxyType({**own, **row.extra}), row.origin
            )

    def _projects(self) -> Iterable[Project]:
        first = self.settings.first_year
        for row in self._keyed("Projects"):
            typed, origin = row.typed, row.origin
            for column in ("start_from", "start_to"):
                if column in typed:
                    self._year_typed(origin.place(column))
            start_from = typed.get("start_from", first)
            regions = tuple(
                (self.names["region"].resolve(region, origin.place("region")), part)
                for region, part in typed.get("region", ())
            )
            yield Project(
                typed["project"],
                self._resolved("sector", row),
                regions,
                typed.get("max_award", typed.get("min_award") or self.settings.step),
                typed.get("min_award"),
                title=typed.get("title"),
                category=self._resolved("category", row) or None,
                institution=self._resolved("institution", row) or None,
                tags=tuple(self.names["tag"].resolve(tag, origin.place("tags")) for tag in typed.get("tags", ())),
                status=typed.get("status", "candidate"),
                start_from=start_from if first is not None else None,
                start_to=typed.get("start_to", start_from) if first is not None else None,
                profile=typed.get("profile", (Decimal(1),)),
                measures=self._measures(row),
                origin=origin,
            )

    def _measures(self, row: Row) -> Mapping[str, Decimal | None]:
        own = {n: row.typed.get(n) for n in ("cofunding", "feasibility") if n in row.origin.table.columns}
        extra = {self.names["measure"].spelling.get(fold(name), name): value for name, value in row.extra.items()}
        # A faulty cell is reported already: it shall not be reported as blank too.
        faulty = dict.fromkeys((n for n in (*own, *extra) if n in row.faulty), Decimal(0))
        return MappingProxyType({**own, **extra, **faulty})

    def _options(self) -> Iterable[Option]:
        for row in self._keyed("Options"):
            if "option" in row.typed:
                yield Option(
                    self._resolved("project", row),
                    row.typed["option"],
                    row.typed.get("max_award", row.typed.get("min_award") or self.settings.step),
                    row.typed.get("min_award"),
                    self._measures(row),
                    row.origin,
                )

    def _criteria(self) -> Iterable[Criterion]:
        method = self.settings.typed.get("method", "weighted")
        needed = "priority" if method == "lexicographic" else "weight"
        for row in self._keyed("Criteria"):
            typed = row.typed
            if needed not in typed and needed not in row.faulty:
                self.problems.add(f"{needed}_missing", row.origin.place(needed), method=method)
            measure = typed.get("measure")
            if measure is None:
                own = self.names["measure"].spelling.get(fold(typed["criterion"]))
                measure = typed["criterion"] if own is None else own
            else:
                measure = self.names["measure"].resolve(measure, row.origin.place("measure"))
            yield Criterion(
                typed["criterion"],
                measure,
                typed.get("direction", "max"),
                title=typed.get("title"),
                weight=typed.get("weight", Decimal(1) if needed == "weight" else None),
                priority=typed.get("priority", 1 if needed == "priority" else None),
                tolerance=typed.get("tolerance", Decimal(0)),
                basis=typed.get("basis"),
                filter=self._filter(row),
                origin=row.origin,
            )

    def _rules(self) -> Iterable[Rule]:
        for row in self._keyed("Rules"):
            typed = row.typed
            if {"measure", "sense", "bound"} & row.faulty or not {"measure", "sense", "bound"} <= set(typed):
                continue
            per, of = typed.get("per"), typed.get("of")
            if of not in (None, "total", "funds", "average"):
                of = self.names["attribute"].resolve(of, row.origin.place("of"))
            yield Rule(
                typed["rule"],
                self.names["measure"].resolve(typed["measure"], row.origin.place("measure")),
                typed["sense"],
                typed["bound"],
                title=typed.get("title"),
                basis=typed.get("basis"),
                each=typed.get("each"),
                per=None if per is None else self.names["attribute"].resolve(per, row.origin.place("per")),
                of=of,
                within=typed.get("within", ()),
                penalty=typed.get("penalty"),
                authority=typed.get("authority"),
                filter=self._filter(row),
                origin=row.origin,
            )

    def _links(self) -> Iterable[Link]:
        for row in self._keyed("Links"):
            typed = row.typed
            if not {"kind", "projects"} <= set(typed):
                continue
            place = row.origin.place("projects")
            criterion = typed.get("criterion")
            yield Link(
                typed["link"],
                typed["kind"],
                tuple(self.names["project"].resolve(project, place) for project in typed["projects"]),
                typed.get("k"),
                None
                if criterion is None
                else self.names["criterion"].resolve(criterion, row.origin.place("criterion")),
                typed.get("value"),
                row.origin,
            )

    def _resolved(self, column: str, row: Row) -> str:
        value = row.typed.get(column)
        return "" if value is None else self.names[column].resolve(value, row.origin.place(column))

    def _filter(self, row: Row) -> Filter:
        by: dict[Dimension, Selection] = {}
        for dimension, column in FILTER_COLUMNS.items():
            selection = row.typed.get(column)
            if selection is None:
                continue
            place = row.origin.place(column)
            if dimension == "year":
                self._year_typed(place)
                by[dimension] = selection
                continue
            names = self.names[dimension]
            by[dimension] = Selection(
                frozenset(names.resolve(value, place) for value in selection.include),
                frozenset(names.resolve(value, place) for value in selection.exclude),
            )
        return Filter(MappingProxyType(by)) if by else EVERYTHING

    def _year_typed(self, place: Place) -> None:
        if self.first_year_needed is None:
            self.first_year_needed = place


def known_sheets() -> tuple[str, ...]:
    """Return the English names of all sheets."""
    return tuple(sheet.name for sheet in SHEETS)


def nearest_sheet(name: str) -> str | None:
    """Return the known sheet that looks most like a name."""
    return nearest(name, [word for sheet in SHEETS for word in (sheet.name, sheet.zh)])


def sheet_of(name: str) -> Sheet | None:
    """Return a sheet by its name in either language."""
    return _SHEET_OF.get(fold(name))
