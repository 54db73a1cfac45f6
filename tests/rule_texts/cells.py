"""The cells of a round, read from plain tables with exact arithmetic: the oracle's own reading, without the product's.

A round becomes a `World`: the settings, the rows of Sources, Regions, Criteria, Rules and Links with their filters, and
for each project every way it can be funded (`Choice`). Numbers are fractions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from optalloc.workbook.grid import Tables

Row = dict[str, object]

#: Filter column -> the dimension it selects on.
COLUMNS = {
    "sectors": "sector",
    "categories": "category",
    "regions": "region",
    "belts": "belt",
    "institutions": "institution",
    "tags": "tag",
    "years": "year",
}
_WORDS = {"project", "title", "sector", "category", "region", "institution", "tags", "status"}
_PLACES = {"min_award", "max_award", "start_from", "start_to", "profile", "option"}


def text(value: object) -> str | None:
    """Return a cell as text; None where it is blank."""
    if value is None:
        return None
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else value
    return str(value).strip() or None


def number(value: object) -> Fraction | None:
    """Return a cell as an exact number (`45 %` is 0.45); None where it is blank."""
    if isinstance(value, int | Decimal):
        return Fraction(value)
    word = text(value)
    if word is None:
        return None
    if word.endswith("%"):
        return Fraction(Decimal(word[:-1].strip())) / 100
    return Fraction(Decimal(word))


def parts(value: object) -> list[str]:
    """Return the values of a cell that are separated by `;`."""
    word = text(value)
    return [] if word is None else [part.strip() for part in re.split("[;；]", word) if part.strip()]


def _needed(value: object, what: str) -> Fraction:
    found = number(value)
    if found is None:
        raise ValueError(f"{what} must be filled in")
    return found


def _name(row: Row, column: str) -> str:
    word = text(row.get(column))
    if word is None:
        raise ValueError(f"{column} must be filled in")
    return word


def _whole(shares: list[Fraction]) -> list[Fraction]:
    """Return shares that add up to exactly 1: the last one takes a difference of at most 0.001."""
    missing = 1 - sum(shares, Fraction(0))
    if abs(missing) > Fraction(1, 1000):
        raise ValueError("shares do not add up to 1")
    return [*shares[:-1], shares[-1] + missing]


@dataclass(frozen=True)
class Pick:
    """A filter cell: values that pass (any, when none is named) and values that do not."""

    include: frozenset[str]
    exclude: frozenset[str] = frozenset()

    def passes(self, value: str | None) -> bool:
        """Whether a line with this value (None: blank) passes."""
        return (not self.include or value in self.include) and value not in self.exclude

    def passes_set(self, values: frozenset[str]) -> bool:
        """Whether a line with these tags passes: one of the wanted, none of the unwanted."""
        return (not self.include or bool(self.include & values)) and not self.exclude & values


#: A conjunction of filter cells: (dimension, pick).
Where = tuple[tuple[str, Pick], ...]


def only(dimension: str, value: str) -> Where:
    """Return the filter that lets pass one value of a dimension."""
    return ((dimension, Pick(frozenset({value}))),)


def where_of(row: Row) -> Where:
    """Return the filter columns of a row."""
    found = []
    for column, dimension in COLUMNS.items():
        named = parts(row.get(column))
        if named:
            exclude = frozenset(word[1:].strip() for word in named if word.startswith("!"))
            include = frozenset(word for word in named if not word.startswith("!"))
            found.append((dimension, Pick(include, exclude)))
    return tuple(found)


@dataclass(frozen=True)
class Choice:
    """One way to fund a project: option, start year (None where the round has no years), award, measures at maximum."""

    option: str | None
    start: int | None
    award: Fraction
    max_award: Fraction
    measures: dict[str, Fraction]


@dataclass(frozen=True)
class Level:
    """A funding level: its name, the awards it may give (None: all or nothing is min = max), its measures."""

    option: str | None
    min_award: Fraction
    max_award: Fraction
    measures: dict[str, Fraction]


@dataclass(frozen=True)
class Work:
    """A project: what it is, and its levels and starts."""

    name: str
    sector: str
    category: str | None
    institution: str | None
    tags: frozenset[str]
    regions: tuple[tuple[str, Fraction], ...]
    profile: tuple[Fraction, ...]
    status: str
    block: bool
    levels: tuple[Level, ...]
    starts: tuple[int | None, ...]
    step: Fraction

    def choices(self) -> Iterator[Choice]:
        """Every way to fund the project with more than nothing."""
        for level in self.levels:
            for start in self.starts:
                award = level.min_award
                while award <= level.max_award:
                    if award > 0:
                        yield Choice(level.option, start, award, level.max_award, level.measures)
                    award += self.step


@dataclass(frozen=True)
class Pool:
    """One row of Sources."""

    name: str
    year: int | None
    amount: Fraction
    least: Fraction
    carry_over: Fraction
    where: Where


@dataclass(frozen=True)
class Goal:
    """One row of Criteria; `sign` is -1 for a criterion to be minimised."""

    name: str
    measure: str
    sign: int
    weight: Fraction
    priority: Fraction
    tolerance: Fraction
    basis: str | None
    where: Where


@dataclass(frozen=True)
class Limit:
    """One row of Rules."""

    name: str
    measure: str
    basis: str | None
    each: str | None
    per: str | None
    sense: str
    bound: Fraction
    of: str | None
    within: frozenset[str]
    penalty: Fraction | None
    where: Where


@dataclass(frozen=True)
class Tie:
    """One row of Links."""

    name: str
    kind: str
    projects: tuple[str, ...]
    k: int
    criterion: str | None
    value: Fraction


@dataclass(frozen=True)
class World:
    """A whole round. `years` is (None,) where the round names no year."""

    lexicographic: bool
    years: tuple[int | None, ...]
    discount: Fraction
    sectors: tuple[str, ...]
    belts: dict[str, str]
    attributes: dict[str, dict[str, Fraction]]
    works: tuple[Work, ...]
    pools: tuple[Pool, ...]
    goals: tuple[Goal, ...]
    limits: tuple[Limit, ...]
    ties: tuple[Tie, ...]

    def factor(self, year: int | None) -> Fraction:
        """What a benefit of that year counts for: 1 in the first year."""
        first = self.years[0]
        return Fraction(1) if year is None or first is None else 1 / (1 + self.discount) ** (year - first)

    def region_passes(self, region: str, where: Where) -> bool:
        """Whether a region passes the filters on regions and belts."""
        values = {"region": region, "belt": self.belts[region]}
        return all(pick.passes(values[dimension]) for dimension, pick in where if dimension in values)

    def project_passes(self, work: Work, where: Where) -> bool:
        """Whether a project passes the filters on sector, category, institution and tags."""
        values = {"sector": work.sector, "category": work.category, "institution": work.institution}
        return all(
            pick.passes_set(work.tags) if dimension == "tag" else pick.passes(values[dimension])
            for dimension, pick in where
            if dimension in values or dimension == "tag"
        )


def year_passes(year: int | None, where: Where) -> bool:
    """Whether a year passes the filter on years."""
    return all(pick.passes(None if year is None else str(year)) for dimension, pick in where if dimension == "year")


def _int(value: object) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def _works(tables: Tables, years: tuple[int | None, ...], step: Fraction) -> Iterator[Work]:
    rows = tables["Projects"]
    options = tables.get("Options", [])
    names = dict.fromkeys(column for row in [*rows, *options] for column in row)
    columns = [column for column in names if column not in _WORDS | _PLACES]

    def measures(row: Row, otherwise: Callable[[str], Fraction]) -> dict[str, Fraction]:
        cells = {column: number(row.get(column)) for column in columns}
        return {column: otherwise(column) if cell is None else cell for column, cell in cells.items()}

    for row in rows:
        shares = [word.replace("：", ":").split(":") for word in parts(row["region"])]
        places = [place[0].strip() for place in shares]
        amounts = _whole([Fraction(Decimal(place[1].strip())) if len(place) > 1 else Fraction(1) for place in shares])
        own = measures(row, lambda _: Fraction(0))
        least, most = number(row.get("min_award")), _needed(row["max_award"], "max_award")
        levels = [Level(None, most if least is None else least, most, own)]
        for option in options:
            if text(option["project"]) == text(row["project"]):
                low, high = number(option.get("min_award")), _needed(option["max_award"], "max_award")
                levels.append(Level(text(option["option"]), high if low is None else low, high,
                                    measures(option, own.__getitem__)))  # fmt: skip
        profile = _whole([Fraction(Decimal(word)) for word in parts(row.get("profile"))] or [Fraction(1)])
        starts: tuple[int | None, ...] = (None,)
        if years[0] is not None:
            start_from = _int(row.get("start_from")) or years[0]
            start_to = _int(row.get("start_to")) or start_from
            last = years[-1] or years[0]
            starts = tuple(start for start in range(start_from, start_to + 1) if start + len(profile) - 1 <= last)
        yield Work(
            name=_name(row, "project"),
            sector=_name(row, "sector"),
            category=text(row.get("category")),
            institution=text(row.get("institution")),
            tags=frozenset(parts(row.get("tags"))),
            regions=tuple(zip(places, amounts, strict=True)),
            profile=tuple(profile),
            status=text(row.get("status")) or "candidate",
            block=least == 0,
            levels=tuple(levels),
            starts=starts,
            step=step,
        )


def _goal(row: Row) -> Goal:
    name = _name(row, "criterion")
    weight = number(row.get("weight"))
    return Goal(
        name=name,
        measure=text(row.get("measure")) or name,
        sign=-1 if text(row.get("direction")) == "min" else 1,
        weight=Fraction(1) if weight is None else weight,
        priority=number(row.get("priority")) or Fraction(0),
        tolerance=number(row.get("tolerance")) or Fraction(0),
        basis=text(row.get("basis")),
        where=where_of(row),
    )


def _limit(row: Row) -> Limit:
    return Limit(
        name=_name(row, "rule"),
        measure=_name(row, "measure"),
        basis=text(row.get("basis")),
        each=text(row.get("each")),
        per=text(row.get("per")),
        sense=_name(row, "sense"),
        bound=_needed(row["bound"], "bound"),
        of=text(row.get("of")),
        within=frozenset(COLUMNS[column] for column in parts(row.get("within"))),
        penalty=number(row.get("penalty")),
        where=where_of(row),
    )


def world_of(tables: Tables) -> World:
    """Return the round that tables describe. Raises ValueError or KeyError where they are no valid round."""
    settings = {text(row["setting"]): row.get("value") for row in tables["Round"]}
    first = _int(settings.get("first_year"))
    count = _int(settings.get("years")) or 1
    years: tuple[int | None, ...] = (None,) if first is None else tuple(range(first, first + count))
    if first is None and count > 1:
        raise ValueError("several years need a first_year")
    step = number(settings.get("step")) or Fraction(1)
    regions = tables["Regions"]
    attributes: dict[str, dict[str, Fraction]] = {}
    for row in regions:
        for column, value in row.items():
            if column not in {"region", "title", "belt"}:
                attributes.setdefault(column, {})[_name(row, "region")] = number(value) or Fraction(0)
    return World(
        lexicographic=text(settings.get("method")) == "lexicographic",
        years=years,
        discount=number(settings.get("discount")) or Fraction(0),
        sectors=tuple(_name(row, "sector") for row in tables["Sectors"]),
        belts={_name(row, "region"): _name(row, "belt") for row in regions},
        attributes=attributes,
        works=tuple(_works(tables, years, step)),
        pools=tuple(
            Pool(
                name=_name(row, "source"),
                year=years[0] if len(years) == 1 else int(_needed(row["year"], "year")),
                amount=_needed(row["amount"], "amount"),
                least=number(row.get("least")) or Fraction(0),
                carry_over=number(row.get("carry_over")) or Fraction(0),
                where=where_of(row),
            )
            for row in tables["Sources"]
        ),
        goals=tuple(_goal(row) for row in tables["Criteria"]),
        limits=tuple(_limit(row) for row in tables.get("Rules", [])),
        ties=tuple(
            Tie(
                name=_name(row, "link"),
                kind=_name(row, "kind"),
                projects=tuple(parts(row["projects"])),
                k=_int(row.get("k")) or 0,
                criterion=text(row.get("criterion")),
                value=number(row.get("value")) or Fraction(0),
            )
            for row in tables.get("Links", [])
        ),
    )
