"""Rules of an invented round, their bounds set a little off what a reference plan reaches, so that it keeps them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from types import MappingProxyType

from optalloc.examples.drafts import FIELDS, PROVINCE_OF, Draft, Plan
from optalloc.examples.provinces import BELTS, PROVINCES

#: Lines carry a region's share times a year's share, both in hundredths.
_WHOLE = 10_000

_Filters = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """What a rule's filters look at."""

    sector: str
    category: str
    region: str
    belt: str
    institution: str | None
    tags: tuple[str, ...]
    year: str

    def passes(self, filters: _Filters) -> bool:
        """Return whether the line is selected."""
        return all(
            any(value in values for value in (self.tags if column == "tags" else (_VALUE[column](self),)))
            for column, values in filters.items()
        )


_VALUE: Mapping[str, Callable[[Line], str | None]] = MappingProxyType(
    {
        "sectors": lambda line: line.sector,
        "categories": lambda line: line.category,
        "regions": lambda line: line.region,
        "belts": lambda line: line.belt,
        "institutions": lambda line: line.institution,
        "years": lambda line: line.year,
    }
)
_COLUMN_OF = {
    "sector": "sectors",
    "region": "regions",
    "belt": "belts",
    "institution": "institutions",
    "year": "years",
}


@dataclass(frozen=True)
class Books:
    """The reference plan added up: measures by line, in ten-thousandths, and the money there is."""

    lines: Mapping[str, Mapping[Line, int]]
    funds: int
    years: tuple[str, ...]

    def total(self, measure: str, filters: _Filters) -> Fraction:
        """Return a measure over the selected lines."""
        return Fraction(sum(amount for line, amount in self.lines[measure].items() if line.passes(filters)), _WHOLE)


@dataclass(frozen=True)
class Family:
    """A rule whose bound is still open.

    `distance` is how far the bound stands from what the reference plan reaches in the loosest round, in hundredths of
    it; a negative one asks for more than the plan gives (soft rules only). The bound is a multiple of `grid`.
    """

    rule: str
    title: str
    measure: str
    sense: str
    grid: Decimal
    distance: int
    filters: _Filters = field(default_factory=lambda: MappingProxyType({}))
    of: str | None = None
    each: str | None = None
    per: str | None = None
    within: str | None = None
    penalty: Decimal | None = None
    authority: str | None = None


def post(drafts: Iterable[Draft], plan: Plan, funds: int, first_year: int, years: int) -> Books:
    """Return the books of a plan."""
    lines: dict[str, dict[Line, int]] = {
        measure: defaultdict(int) for measure in ("award", "accepted", "cofunding", "talent_trained")
    }
    for draft in drafts:
        award = plan.awards.get(draft.project, 0)
        if not award:
            continue
        # Rules by institution look at platforms only; one line for all others keeps the books short.
        institution = draft.institution if draft.category == "platform" else None
        for region, share in draft.shares:
            for offset, part in enumerate(draft.profile):
                year = str(first_year + plan.starts[draft.project] + offset)
                belt = PROVINCE_OF[region].belt
                line = Line(draft.sector, draft.category, region, belt, institution, draft.tags, year)
                lines["award"][line] += share * part * award
                if not draft.is_block_grant:
                    lines["accepted"][line] += share * part
                    lines["cofunding"][line] += share * part * draft.measures["cofunding"]
                    lines["talent_trained"][line] += share * part * draft.measures["talent_trained"]
    return Books(lines, funds, tuple(str(first_year + offset) for offset in range(years)))


def rules_within(books: Books, limit: int, tightness: Fraction, leading: tuple[str, ...]) -> list[dict[str, object]]:
    """Return rows of Rules that make at most `limit` rows of the model, members counted.

    Families are taken in a fixed order; one that no longer fits, or that the reference plan leaves empty, is left out.
    """
    rows = []
    left = limit
    for family in _families(leading):
        members = _members(family, books, leading)
        if len(members) > left:
            continue
        bound = _bound(family, members, books, tightness)
        if bound:
            rows.append(_row(family, bound))
            left -= len(members)
    return rows


def _families(leading: tuple[str, ...]) -> Iterator[Family]:
    share, fine = Decimal("0.01"), Decimal("0.005")
    favoured = MappingProxyType({"belts": ("central", "west", "northeast")})
    west = MappingProxyType({"belts": ("west",)})
    schooling = ("basic_education", "vocational_education", "higher_education")
    yield Family(
        "favoured_belts", "Central, western and north-eastern provinces", "award", ">=", share, 4, favoured, of="total",
        authority="Equalisation guideline, art. 2",
    )  # fmt: skip
    yield Family(
        "west_per_head", "Every western province against the national average", "award", ">=", share, 1, west,
        of="average", each="region", per="population", authority="Equalisation guideline, art. 3",
    )  # fmt: skip
    yield Family(
        "leading_platforms", "Platforms of a leading university", "accepted", "<=", Decimal(1), 0,
        MappingProxyType({"categories": ("platform",), "institutions": leading}), each="institution",
    )  # fmt: skip
    yield Family(
        "west_each_year", "Western provinces in every year", "award", ">=", share, 5, west, of="total", each="year"
    )
    for sector, distance in (("basic_research", 22), ("technology_transfer", 22), ("young_scholars", 4)):
        yield Family(
            f"share_{sector}", f"Share of {sector.replace('_', ' ')}", "award", ">=", fine, distance,
            MappingProxyType({"sectors": (sector,)}), of="funds",
        )  # fmt: skip
    yield Family(
        "schooling_west", "The west's part of education", "award", ">=", share, 4,
        MappingProxyType({"sectors": schooling, "belts": ("west",)}), of="total", within="sectors",
    )  # fmt: skip
    yield Family(
        "formula_grants", "Yearly formula grants to the provinces", "award", ">=", fine, 20,
        MappingProxyType({"categories": ("block_grant",)}), of="funds", authority="Budget guideline, art. 7",
    )  # fmt: skip
    yield Family(
        "platforms", "Ceiling on platforms", "award", "<=", fine, 40,
        MappingProxyType({"categories": ("platform",)}), of="total",
    )  # fmt: skip
    yield Family(
        "counterpart", "Money that goes through counterpart partnerships", "award", ">=", fine, 6,
        MappingProxyType({"tags": ("counterpart",)}), of="total",
    )  # fmt: skip
    yield Family(
        "cofunding_technology", "Money of others in technology", "cofunding", ">=", Decimal(100), 40,
        MappingProxyType({"sectors": ("key_technology", "technology_transfer")}),
    )  # fmt: skip
    yield Family(
        "industry_chain", "Projects along an industry chain", "accepted", ">=", Decimal(1), 5,
        MappingProxyType({"tags": ("industry_chain",)}),
    )  # fmt: skip
    yield Family(
        "rural_west", "Rural projects of the west", "award", ">=", Decimal(100), -50,
        MappingProxyType({"tags": ("rural",), "belts": ("west",)}), penalty=Decimal("0.01"),
    )  # fmt: skip
    yield Family(
        "digital", "Digital projects", "accepted", ">=", Decimal(1), -65,
        MappingProxyType({"tags": ("digital",)}), penalty=Decimal(4),
    )  # fmt: skip
    yield Family(
        "training_by_belt", "People trained in each belt, per head", "talent_trained", ">=", Decimal("0.000001"), 5,
        of="population", each="belt",
    )  # fmt: skip
    yield Family(
        "northeast_renewal", "Each north-eastern province against its product", "award", ">=", Decimal("0.01"), 5,
        MappingProxyType({"belts": ("northeast",)}), of="gdp", each="region",
    )  # fmt: skip
    yield Family(
        "east_ceiling", "No eastern province far above the national average", "award", "<=", share, 60,
        MappingProxyType({"belts": ("east",)}), of="average", each="region", per="population",
    )  # fmt: skip
    # Rounds of more rules: each sector's money by belt, then by province, and the central provinces.
    for field_ in FIELDS:
        yield Family(
            f"belts_{field_.sector}", f"{field_.title} in each belt", "award", ">=", fine, 12,
            MappingProxyType({"sectors": (field_.sector,)}), of="total", each="belt", within="sectors",
        )  # fmt: skip
    for field_ in FIELDS:
        yield Family(
            f"spread_{field_.sector}", f"{field_.title}: ceiling of a province", "award", "<=", fine, 5,
            MappingProxyType({"sectors": (field_.sector,)}), of="total", each="region", within="sectors",
        )  # fmt: skip
    yield Family(
        "central_per_head", "Every central province against the national average", "award", ">=", share, 8,
        MappingProxyType({"belts": ("central",)}), of="average", each="region", per="population",
    )  # fmt: skip


def _members(family: Family, books: Books, leading: tuple[str, ...]) -> tuple[str | None, ...]:
    if family.each is None:
        return (None,)
    belts = family.filters.get("belts", BELTS)
    everything: dict[str, tuple[str, ...]] = {
        "sector": tuple(field_.sector for field_ in FIELDS),
        "region": tuple(province.region for province in PROVINCES if province.belt in belts),
        "belt": belts,
        "institution": leading,
        "year": books.years,
    }
    return everything[family.each]


def _bound(family: Family, members: tuple[str | None, ...], books: Books, tightness: Fraction) -> Decimal:
    """Return the strictest bound of the grid that every member of the reference plan keeps, moved by the distance."""
    reached = [_ratio(family, member, books) for member in members]
    # What is asked beyond the plan does not shrink as a round gets tighter.
    looseness = Fraction(1) if family.penalty is not None else 1 - tightness
    move = Fraction(family.distance, 100) * looseness
    grid = Fraction(family.grid)
    if family.sense == ">=":
        return family.grid * floor(min(reached) * (1 - move) / grid)
    return family.grid * ceil(max(reached) * (1 + move) / grid)


def _ratio(family: Family, member: str | None, books: Books) -> Fraction:
    filters = dict(family.filters)
    if family.each is not None and member is not None:
        filters[_COLUMN_OF[family.each]] = (member,)
    activity = books.total(family.measure, filters)
    provinces = [
        province
        for province in PROVINCES
        if province.region in filters.get("regions", (province.region,))
        and province.belt in filters.get("belts", (province.belt,))
    ]
    if family.of is None:
        return activity
    if family.of == "funds":
        return activity / books.funds
    if family.of in ("population", "gdp"):
        return activity / sum(Fraction(getattr(province, family.of)) for province in provinces)
    kept = {column: values for column, values in filters.items() if column in (family.within, "years")}
    ratio = activity / books.total(family.measure, kept)
    if family.of == "average":
        people = sum(province.population for province in provinces)
        ratio *= Fraction(sum(province.population for province in PROVINCES), people)
    return ratio


def _row(family: Family, bound: Decimal) -> dict[str, object]:
    row: dict[str, object] = {
        "rule": family.rule,
        "title": family.title,
        "measure": family.measure,
        "sense": family.sense,
        "bound": bound,
        "of": family.of,
        "each": family.each,
        "per": family.per,
        "within": family.within,
        "penalty": family.penalty,
        "authority": family.authority,
    }
    for column in ("sectors", "categories", "belts", "institutions", "tags"):
        values = family.filters.get(column)
        row[column] = "; ".join(values) if values else None
    return row
