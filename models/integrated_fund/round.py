"""The typed round: what a planner's workbook says, and where it says it.

A `Round` is immutable and faithful to the workbook: references are identifiers as text, so a round with mistakes in it
can be held and checked (`checks.py`). Numbers are `Decimal`, exactly as typed; money is in the round's unit; shares are
fractions (0.45). Blank cells are `None` (or an empty tuple). Every row knows its origin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

Direction = Literal["max", "min"]
Basis = Literal["accepted", "award"]
Sense = Literal[">=", "<=", "="]
Status = Literal["candidate", "mandatory", "excluded"]
Method = Literal["weighted", "lexicographic"]
LinkKind = Literal["requires", "excludes", "all_or_none", "at_least", "at_most", "synergy"]
Dimension = Literal["sector", "category", "region", "belt", "institution", "tag", "year"]

#: The dimensions of a ledger line, each with the filter column that selects on it.
FILTER_COLUMNS: Mapping[Dimension, str] = MappingProxyType(
    {
        "sector": "sectors",
        "category": "categories",
        "region": "regions",
        "belt": "belts",
        "institution": "institutions",
        "tag": "tags",
        "year": "years",
    }
)
DIMENSIONS: tuple[Dimension, ...] = tuple(FILTER_COLUMNS)

#: Measures every project has without a column of its own name for it (cofunding is a column with a meaning).
BUILT_IN_MEASURES = ("award", "accepted")


_IN_FILE = re.compile(r"row (\d+), (.*)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """An address a person can go to: `Projects!F12`, or `projects.csv!row 12, max_award` where rows are in a file."""

    sheet: str
    cell: str | None = None

    @classmethod
    def in_file(cls, file: str, row: int, column: str) -> Place:
        """Return the address of a column, by its heading, in a row of a file; the headings are row 1."""
        return cls(file, f"row {row}, {column}")

    @property
    def row_and_column(self) -> tuple[int, str]:
        """The row's number and the column's letter or heading, for sorting; row 0 where there is no row."""
        found = _IN_FILE.fullmatch(self.cell or "")
        if found is not None:
            return int(found[1]), found[2]
        column = (self.cell or "").rstrip("0123456789")
        return int((self.cell or "")[len(column) :] or 0), column

    def __str__(self) -> str:
        return self.sheet if self.cell is None else f"{self.sheet}!{self.cell}"


@dataclass(frozen=True, slots=True)
class Table:
    """Where rows were read from: a sheet (columns are letters) or a file (columns are headings).

    `columns` goes from the column's identifier in the schema to the letter or heading; the first one is the key column.
    """

    name: str
    columns: Mapping[str, str]
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """The row a value was read from (1-based, as shown in Excel)."""

    table: Table
    row: int

    def place(self, column: str | None = None) -> Place:
        """Return the address of `column` in this row; of the row's first column if it has no such column."""
        columns = self.table.columns
        label = columns.get(column) if column is not None else None
        if label is None:
            label = next(iter(columns.values()), None)
        if label is None:
            return Place(self.table.name, str(self.row))
        if self.table.is_file:
            return Place.in_file(self.table.name, self.row, label)
        return Place(self.table.name, f"{label}{self.row}")


#: For values made in Python rather than read from a file.
NOWHERE = Origin(Table("(no sheet)", MappingProxyType({})), 0)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a filter column lets pass: any of `include` (all, when empty) and none of `exclude`.

    A blank value passes only when `include` is empty. Years are written as text ("2027").
    """

    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()

    def passes(self, value: str | None) -> bool:
        """Return whether a line with this value (None: blank) passes."""
        return (not self.include or value in self.include) and value not in self.exclude

    def passes_any(self, values: tuple[str, ...]) -> bool:
        """Return whether a line with this set of values (tags) passes: one of the included, none of the excluded."""
        return (not self.include or not self.include.isdisjoint(values)) and self.exclude.isdisjoint(values)

    @property
    def values(self) -> frozenset[str]:
        """Every value named, included or excluded."""
        return self.include | self.exclude


ANY = Selection()


@dataclass(frozen=True, slots=True)
class Filter:
    """The filter columns of a row, by dimension; a dimension that is not a key was left blank (any)."""

    by: Mapping[Dimension, Selection] = field(default_factory=lambda: MappingProxyType({}))

    def on(self, dimension: Dimension) -> Selection:
        """Return the selection on a dimension."""
        return self.by.get(dimension, ANY)


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Source:
    """Money of one pool in one year. `year` is None only in a one-year round without a first year typed for it."""

    source: str
    amount: Decimal
    year: int | None = None
    title: str | None = None
    least: Decimal = Decimal(0)
    carry_over: Decimal = Decimal(0)
    authority: str | None = None
    filter: Filter = EVERYTHING
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Sector:
    """A sector money is spent on."""

    sector: str
    title: str | None = None
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Region:
    """A region with its belt and numeric attributes (None: left blank)."""

    region: str
    belt: str
    title: str | None = None
    attributes: Mapping[str, Decimal | None] = field(default_factory=lambda: MappingProxyType({}))
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Project:
    """Something that can be funded.

    `regions` holds (region, share) with shares that add up to exactly 1 (the last one carries the rounding
    difference); `profile` likewise (one year's share each, `(1,)` when left blank). `min_award`: None is all or
    nothing, 0 a block grant. `measures` holds every numeric column (cofunding and feasibility too) as the total at
    `max_award`; None where the cell is blank.
    """

    project: str
    sector: str
    regions: tuple[tuple[str, Decimal], ...]
    max_award: Decimal
    min_award: Decimal | None = None
    title: str | None = None
    category: str | None = None
    institution: str | None = None
    tags: tuple[str, ...] = ()
    status: Status = "candidate"
    start_from: int | None = None
    start_to: int | None = None
    profile: tuple[Decimal, ...] = (Decimal(1),)
    measures: Mapping[str, Decimal | None] = field(default_factory=lambda: MappingProxyType({}))
    origin: Origin = NOWHERE

    @property
    def is_block_grant(self) -> bool:
        """Whether any amount up to the maximum may be given, without an accept decision."""
        return self.min_award == 0


@dataclass(frozen=True, slots=True)
class Option:
    """Another funding level of a project; a measure left blank (None) takes the project's value."""

    project: str
    option: str
    max_award: Decimal
    min_award: Decimal | None = None
    measures: Mapping[str, Decimal | None] = field(default_factory=lambda: MappingProxyType({}))
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Criterion:
    """An objective. `measure` is the column it adds up (its own name when left blank in the sheet)."""

    criterion: str
    measure: str
    direction: Direction = "max"
    title: str | None = None
    weight: Decimal | None = None
    priority: int | None = None
    tolerance: Decimal = Decimal(0)
    basis: Basis | None = None
    filter: Filter = EVERYTHING
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit. `of`: None is absolute, else "total", "funds", "average" or the name of a region attribute.

    `member_bounds` are bounds of single members in the place of `bound`: what no workbook can say, and a study can ask.
    """

    rule: str
    measure: str
    sense: Sense
    bound: Decimal
    title: str | None = None
    basis: Basis | None = None
    each: Dimension | None = None
    per: str | None = None
    of: str | None = None
    within: tuple[Dimension, ...] = ()
    penalty: Decimal | None = None
    authority: str | None = None
    filter: Filter = EVERYTHING
    origin: Origin = NOWHERE
    member_bounds: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))

    def bound_of(self, member: str | None) -> Decimal:
        """Return the bound of a member."""
        return self.bound if member is None else self.member_bounds.get(member, self.bound)


@dataclass(frozen=True, slots=True)
class Link:
    """A relation between projects; `criterion` and `value` belong to a synergy, `k` to at_least and at_most."""

    link: str
    kind: LinkKind
    projects: tuple[str, ...]
    k: int | None = None
    criterion: str | None = None
    value: Decimal | None = None
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Round:
    """One round of the fund. Rows stand in the order of their sheets.

    `step` is the award granularity in the round's unit, `gap` the relative gap asked for, `discount` a yearly rate.
    `first_year` is None where the round names no year. `settings` are the origins of the rows of the Round sheet.
    """

    title: str
    unit: str
    sources: tuple[Source, ...]
    sectors: tuple[Sector, ...]
    regions: tuple[Region, ...]
    projects: tuple[Project, ...]
    criteria: tuple[Criterion, ...]
    options: tuple[Option, ...] = ()
    rules: tuple[Rule, ...] = ()
    links: tuple[Link, ...] = ()
    currency: str | None = None
    step: Decimal = Decimal(1)
    first_year: int | None = None
    years: int = 1
    discount: Decimal = Decimal(0)
    method: Method = "weighted"
    gap: Decimal = Decimal("0.0001")
    note: str | None = None
    settings: Mapping[str, Origin] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def year_numbers(self) -> tuple[int | None, ...]:
        """The years of the round; `(None,)` for a one-year round that names no year."""
        if self.first_year is None:
            return (None,)
        return tuple(range(self.first_year, self.first_year + self.years))
