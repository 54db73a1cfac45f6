"""Puts typed columns together into a round: duplicates, references, years and defaults.

Where a cell is faulty (and so reported already), a neutral value takes its place that leads to no further problem, so
that the checks on the round find what else is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

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
    Table,
)
from optalloc.workbook.names import fold, heading_name
from optalloc.workbook.schema import SHEETS
from optalloc.workbook.settings import Settings
from optalloc.workbook.sheets import Problems, Row, SheetRows

#: The whole of an award, for a project in one region or one year.
_ALL = Decimal(1)
_ZERO = Decimal(0)
_MOST_YEARS = 100
#: Columns for people to read: a mistake in one of them does not make its row useless.
_FOR_PEOPLE = frozenset({"title", "authority"})


def assemble(settings: Settings, rows: Mapping[str, SheetRows], problems: Problems) -> Round:
    """Return the round that the sheets hold; every required sheet must be there with its required columns."""
    return _Assembly(settings, rows, problems).round()


def _alone(name: str) -> tuple[str]:
    return (name,)


class _Names:
    """The names of one kind that are defined, with the spelling that counts."""

    def __init__(self, names: Iterable[str | None], folded: Callable[[str], str] = fold) -> None:
        self._folded = folded
        self._spelling: dict[str, str] = {}
        for name in dict.fromkeys(names):
            if name is not None:
                self._spelling.setdefault(folded(name), name)

    def defined(self, name: str) -> str:
        """Return a name as it was defined; as it is if it is not known."""
        return self._spelling.get(self._folded(name), name)

    def first(self) -> str:
        """Return the first name; an empty one where there are none."""
        return next(iter(self._spelling.values()), "")


@dataclass(frozen=True)
class _Years:
    """The years of the round as far as they can be told, and the first cell that names one."""

    first: int | None
    count: int
    certain: bool


class _Assembly:
    def __init__(self, settings: Settings, rows: Mapping[str, SheetRows], problems: Problems) -> None:
        self.settings = settings
        self.problems = problems
        self.rows = {s.name: rows.get(s.name, SheetRows(s, Table(s.name, MappingProxyType({})))) for s in SHEETS}
        self.step = settings.step or Decimal(1)
        projects, regions = self.rows["Projects"], self.rows["Regions"]
        self.sectors = _Names(self.rows["Sectors"].column("sector"))
        self.regions = _Names(regions.column("region"))
        self.belts = _Names(regions.column("belt"))
        self.projects = _Names(projects.column("project"))
        self.criteria = _Names(self.rows["Criteria"].column("criterion"))
        self.categories = _Names(projects.column("category"))
        self.institutions = _Names(projects.column("institution"))
        tags = {id(tags): tags for tags in projects.column("tags") if tags is not None}
        self.tags = _Names(tag for several in tags.values() for tag in several)
        measures = ("award", "accepted", "cofunding", "feasibility", *projects.extra)
        self.measures = _Names(measures, heading_name)
        self.attributes = _Names(("population", "gdp", *regions.extra), heading_name)
        self.years = self._years()

    def round(self) -> Round:
        typed = self.settings.typed
        return Round(
            title=typed.get("title", ""),
            unit=typed.get("unit", ""),
            currency=typed.get("currency"),
            step=self.step,
            first_year=self.years.first,
            years=self.years.count,
            discount=typed.get("discount", _ZERO),
            method=typed.get("method", "weighted"),
            gap=typed.get("gap", Decimal("0.0001")),
            note=typed.get("note"),
            sources=tuple(self._sources()),
            sectors=tuple(Sector(r.typed["sector"], r.typed.get("title"), r.origin) for r in self._keyed("Sectors")),
            regions=tuple(self._regions()),
            projects=tuple(self._projects()),
            options=tuple(self._options()),
            criteria=tuple(self._criteria()),
            rules=tuple(self._rules()),
            links=tuple(self._links()),
            settings=self.settings.origins,
        )

    # years

    def _years(self) -> _Years:
        """Return the round's years; report a first year that is needed and missing.

        Where first_year or years is missing or faulty, every year typed anywhere lies in the round.
        """
        typed = self.settings.typed
        first, count = typed.get("first_year"), int(typed.get("years", 1))
        named = list(self._years_named())
        if first is None and "first_year" not in self.settings.faulty and (count > 1 or named):
            place = self.settings.origins["years"].place("value") if count > 1 else named[0][0]
            self.problems.add("first_year_missing", place, str(count) if count > 1 else named[0][1])
        elif first is not None and "years" not in self.settings.faulty:
            return _Years(first, count, True)
        elif not named and not self.settings.faulty & {"first_year", "years"}:
            return _Years(None, count, True)
        everywhere = [year for _, _, years in named for year in years]
        if first is None and everywhere:
            first = min(everywhere)
        longest = max((len(profile) for profile in self.rows["Projects"].column("profile") if profile), default=1)
        span = max(everywhere) - first + 1 if first is not None and everywhere else 1
        return _Years(first, min(_MOST_YEARS, max(count, span + longest - 1)), False)

    def _years_named(self) -> Iterator[tuple[Place, str, list[int]]]:
        """Yield the columns that name years: their first such cell, what stands there, and all years in the column."""
        for sheet in ("Sources", "Projects", "Criteria", "Rules"):
            rows = self.rows[sheet]
            for column in ("year", "start_from", "start_to", "years"):
                cells = rows.column(column)
                position = next((number for number, cell in enumerate(cells) if cell), None)
                if position is None:
                    continue
                found = cells[position]
                distinct = {cell for cell in cells if cell}
                if isinstance(found, Selection):
                    years = [int(year) for cell in distinct for year in cell.values]
                    text = "; ".join([*sorted(found.include), *(f"!{year}" for year in sorted(found.exclude))])
                else:
                    years, text = list(distinct), str(found)
                yield self._place(rows, column, position), text, years

    # rows

    @staticmethod
    def _place(rows: SheetRows, column: str, position: int) -> Place:
        return Origin(rows.table, rows.numbers[position]).place(column)

    def _kept(self, sheet: str) -> list[int]:
        """Return the positions of the rows that have a key of their own; report keys that stand twice."""
        rows = self.rows[sheet]
        keys = rows.sheet.key
        columns = [rows.column(key) for key in keys]
        without = frozenset[int]().union(*(rows.faulty_in(key) for key in keys))
        marked = "option" if sheet == "Options" else keys[0]
        names = rows.column(marked)
        seen: dict[str | tuple[str, ...], int] = {}
        kept: list[int] = []
        for position, name in enumerate(columns[0]):
            if name is None or position in without:
                continue
            key: str | tuple[str, ...] = fold(name)
            if sheet == "Sources":
                key = (fold(name), str(self._source_year(columns[1][position])))
            elif len(columns) > 1:
                key = tuple(fold(column[position]) for column in columns)
            first = seen.setdefault(key, position)
            if first == position:
                kept.append(position)
            else:
                place, before = self._place(rows, marked, position), self._place(rows, marked, first)
                self.problems.add("key_twice", place, names[position], first=str(before))
        return kept

    def _source_year(self, year: int | None) -> int | None:
        """Return a source's year: in a round of one year, blank is that year."""
        return self.years.first if year is None and self.years.count == 1 else year

    def _keyed(self, sheet: str) -> Iterator[Row]:
        kept = set(self._kept(sheet))
        return (row for position, row in enumerate(self.rows[sheet].rows()) if position in kept)

    def _respelt(self, name: str, names: _Names, place: Place) -> str:
        """Return a name as it was defined, with a warning where it is spelt another way; as it is if unknown."""
        defined = names.defined(name)
        if defined != name:
            self.problems.add("folded_reference", place, name, defined=defined)
        return defined

    def _respelt_column(
        self,
        rows: SheetRows,
        column: str,
        names: _Names,
        parts: Callable[[Any], Iterable[str]],
        respell: Callable[[Any], Any],
    ) -> Sequence[Any]:
        """Return a column with the names in its cells as they were defined; each distinct cell is looked at once."""
        cells = rows.column(column)
        changed: dict[int, list[str]] = {}
        for cell in {id(cell): cell for cell in cells if cell is not None}.values():
            wrong = [part for part in parts(cell) if names.defined(part) != part]
            if wrong:
                changed[id(cell)] = wrong
        if not changed:
            return cells
        for position, cell in enumerate(cells):
            for part in changed.get(id(cell), ()):
                self._respelt(part, names, self._place(rows, column, position))
        return [respell(cell) if id(cell) in changed else cell for cell in cells]

    def _filter(self, row: Row) -> Filter:
        by: dict[Dimension, Selection] = {}
        names: Mapping[Dimension, _Names] = {
            "sector": self.sectors,
            "category": self.categories,
            "region": self.regions,
            "belt": self.belts,
            "institution": self.institutions,
            "tag": self.tags,
        }
        for dimension, column in FILTER_COLUMNS.items():
            selection: Selection | None = row.typed.get(column)
            if selection is None or not selection.values:
                continue
            if dimension != "year":
                place = row.origin.place(column)
                selection = Selection(
                    frozenset(self._respelt(name, names[dimension], place) for name in selection.include),
                    frozenset(self._respelt(name, names[dimension], place) for name in selection.exclude),
                )
            by[dimension] = selection
        return Filter(MappingProxyType(by)) if by else EVERYTHING

    # sheets

    def _sources(self) -> Iterator[Source]:
        for row in self._keyed("Sources"):
            typed = row.typed
            year = self._source_year(typed.get("year"))
            if year is None and self.years.count > 1:
                if self.years.certain:
                    self.problems.add("source_year_missing", row.origin.place("year"))
                year = self.years.first
            yield Source(
                typed["source"],
                typed.get("amount", _ZERO),
                year,
                title=typed.get("title"),
                least=typed.get("least", _ZERO),
                carry_over=typed.get("carry_over", _ZERO),
                authority=typed.get("authority"),
                filter=self._filter(row),
                origin=row.origin,
            )

    def _regions(self) -> Iterator[Region]:
        columns = self.rows["Regions"].table.columns
        for row in self._keyed("Regions"):
            belt = row.typed.get("belt")
            belt = self.belts.first() if belt is None else self._respelt(belt, self.belts, row.origin.place("belt"))
            own = {name: row.typed.get(name) for name in ("population", "gdp") if name in columns}
            # A faulty cell is reported already: it shall not be reported as blank too.
            faulty = dict.fromkeys((name for name in (*own, *row.extra) if name in row.faulty), _ALL)
            attributes = MappingProxyType({**own, **row.extra, **faulty})
            yield Region(row.typed["region"], belt, row.typed.get("title"), attributes, row.origin)

    def _measures_of(self, rows: SheetRows) -> list[Mapping[str, Decimal | None]]:
        """Return every row's measures, by the headings of Projects; 0 where a cell is faulty."""
        columns: dict[str, Sequence[Decimal | None]] = {}
        own = {name: rows.column(name) for name in ("cofunding", "feasibility") if name in rows.table.columns}
        for name, cells in {**own, **rows.extra}.items():
            faulty = rows.faulty_in(name)
            columns[self.measures.defined(name)] = (
                [_ZERO if position in faulty else cell for position, cell in enumerate(cells)] if faulty else cells
            )
        if not columns:
            return [MappingProxyType({})] * len(rows.numbers)
        names = tuple(columns)
        return [MappingProxyType(dict(zip(names, cells, strict=True))) for cells in zip(*columns.values(), strict=True)]

    def _projects(self) -> Iterator[Project]:
        rows, first = self.rows["Projects"], self.years.first
        table, numbers = rows.table, rows.numbers
        identifiers, titles = rows.column("project"), rows.column("title")
        sectors = self._respelt_column(rows, "sector", self.sectors, _alone, self.sectors.defined)
        categories = self._respelt_column(rows, "category", self.categories, _alone, self.categories.defined)
        institutions = self._respelt_column(rows, "institution", self.institutions, _alone, self.institutions.defined)
        regions = self._respelt_column(
            rows,
            "region",
            self.regions,
            lambda parts: (region for region, _ in parts),
            lambda parts: tuple((self.regions.defined(region), share) for region, share in parts),
        )
        tags = self._respelt_column(
            rows, "tags", self.tags, lambda tags: tags, lambda tags: tuple(self.tags.defined(tag) for tag in tags)
        )
        statuses, profiles = rows.column("status"), rows.column("profile")
        least, most = rows.column("min_award"), rows.column("max_award")
        from_, to = rows.column("start_from"), rows.column("start_to")
        measures = self._measures_of(rows)
        sector, region, profile = self.sectors.first(), ((self.regions.first(), _ALL),), (_ALL,)
        for at in self._kept("Projects"):
            begin = None if first is None else from_[at] or first
            yield Project(
                identifiers[at],
                sectors[at] or sector,
                regions[at] or region,
                most[at] or least[at] or self.step,
                least[at],
                titles[at],
                categories[at],
                institutions[at],
                tags[at] or (),
                statuses[at] or "candidate",
                begin,
                begin if first is None else to[at] or begin,
                profiles[at] or profile,
                measures[at],
                Origin(table, numbers[at]),
            )

    def _options(self) -> Iterator[Option]:
        rows = self.rows["Options"]
        projects = self._respelt_column(rows, "project", self.projects, _alone, self.projects.defined)
        names, least, most = rows.column("option"), rows.column("min_award"), rows.column("max_award")
        measures = self._measures_of(rows)
        for at in self._kept("Options"):
            yield Option(
                projects[at],
                names[at],
                most[at] or least[at] or self.step,
                least[at],
                measures[at],
                Origin(rows.table, rows.numbers[at]),
            )

    def _criteria(self) -> Iterator[Criterion]:
        method = self.settings.typed.get("method", "weighted")
        needed = "priority" if method == "lexicographic" else "weight"
        for row in self._keyed("Criteria"):
            typed = row.typed
            if needed not in typed and needed not in row.faulty and "method" not in self.settings.faulty:
                self.problems.add(f"{needed}_missing", row.origin.place(needed), method=method)
            if "measure" in row.faulty:
                measure = "award"
            else:
                column = "measure" if "measure" in typed else "criterion"
                measure = self._respelt(typed[column], self.measures, row.origin.place(column))
            yield Criterion(
                typed["criterion"],
                measure,
                typed.get("direction", "max"),
                title=typed.get("title"),
                weight=typed.get("weight", _ALL if needed == "weight" else None),
                priority=typed.get("priority", 1 if needed == "priority" else None),
                tolerance=typed.get("tolerance", _ZERO),
                basis=typed.get("basis"),
                filter=self._filter(row),
                origin=row.origin,
            )

    def _rules(self) -> Iterator[Rule]:
        for row in self._keyed("Rules"):
            typed, origin = row.typed, row.origin
            filter_ = self._filter(row)
            per, of = typed.get("per"), typed.get("of")
            if per is not None:
                per = self._respelt(per, self.attributes, origin.place("per"))
            if of not in (None, "total", "funds", "average"):
                of = self._respelt(of, self.attributes, origin.place("of"))
            if row.faulty - _FOR_PEOPLE or not {"measure", "sense", "bound"} <= typed.keys():
                continue
            yield Rule(
                typed["rule"],
                self._respelt(typed["measure"], self.measures, origin.place("measure")),
                typed["sense"],
                typed["bound"],
                title=typed.get("title"),
                basis=typed.get("basis"),
                each=typed.get("each"),
                per=per,
                of=of,
                within=typed.get("within", ()),
                penalty=typed.get("penalty"),
                authority=typed.get("authority"),
                filter=filter_,
                origin=origin,
            )

    def _links(self) -> Iterator[Link]:
        for row in self._keyed("Links"):
            typed, origin = row.typed, row.origin
            if row.faulty or not {"kind", "projects"} <= typed.keys():
                continue
            projects, criterion = origin.place("projects"), typed.get("criterion")
            yield Link(
                typed["link"],
                typed["kind"],
                tuple(self._respelt(project, self.projects, projects) for project in typed["projects"]),
                typed.get("k"),
                None if criterion is None else self._respelt(criterion, self.criteria, origin.place("criterion")),
                typed.get("value"),
                origin,
            )
