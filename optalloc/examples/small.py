"""The small example: one of everything, in numbers small enough to follow by hand.

Money is in 10,000 yuan, populations in millions of people (census 2020, rounded), gdp of 2022 in trillions of yuan.
"""

from __future__ import annotations

from decimal import Decimal

from optalloc.examples.provinces import PROVINCES
from optalloc.workbook.grid import Tables

_Row = dict[str, object]

_REGIONS = ("beijing", "jiangsu", "hubei", "guizhou", "gansu")

#: Sectors a pool may pay for, amounts of 2026 and 2027.
_POOLS = (
    ("education", "Education funds", "basic_education; higher_education", (480, 320)),
    ("science_technology", "Science and technology funds", "research; talent", (320, 260)),
    ("talent", "Talent funds", "talent; higher_education", (120, 100)),
)

#: project, title, sector, category, region, institution, tags, status
_WHAT: tuple[tuple[str | None, ...], ...] = (
    ("rural_schools", "Rural schools, block grant", "basic_education", "block_grant", "gansu", None, "rural", None),
    (
        "village_schools",
        "Village schools, block grant",
        "basic_education",
        "block_grant",
        "guizhou",
        None,
        "rural",
        None,
    ),
    ("boarding", "Boarding schools", "basic_education", "programme", "guizhou", None, "rural", "mandatory"),
    ("teachers", "Teacher rotation", "basic_education", "programme", "hubei", None, "rural", None),
    ("apprentices", "Apprenticeships", "higher_education", "programme", "jiangsu", "college_jiangsu", None, None),
    ("campus", "Science campus", "higher_education", "programme", "gansu", "univ_gansu", None, None),
    ("library", "Digital library", "higher_education", "programme", "beijing", "univ_beijing", "digital", None),
    ("optics", "Optics laboratory", "research", "platform", "beijing", "univ_beijing", None, None),
    ("seeds", "Seed bank", "research", "platform", "gansu", "institute_gansu", None, None),
    (
        "joint",
        "Joint institute",
        "research",
        "partnership",
        "beijing:0.5; gansu:0.5",
        "univ_beijing",
        "counterpart",
        None,
    ),
    ("batteries", "Battery pilot line", "research", "programme", "jiangsu", "institute_jiangsu", "pilot", None),
    ("sensors", "Sensor pilot line", "research", "programme", "hubei", "univ_hubei", "pilot; digital", None),
    ("fellows", "Young fellows", "talent", "programme", "hubei", "univ_hubei", None, None),
    ("returnees", "Return programme", "talent", "programme", "beijing", "institute_beijing", None, None),
    ("masters", "Master craftsmen", "talent", "programme", "guizhou", "college_guizhou", None, None),
    ("archive", "Archive of the last round", "research", "programme", "jiangsu", "institute_jiangsu", None, "excluded"),
)

#: project -> min_award, max_award, start_from, start_to, profile, cofunding, talent_trained, innovation, upkeep
_NUMBERS: dict[str, tuple[int | None, int, int | None, int | None, str | None, int, int, int, int]] = {
    "rural_schools": (0, 300, None, None, None, 0, 42, 0, 0),
    "village_schools": (0, 200, 2027, None, None, 0, 24, 0, 0),
    "boarding": (None, 160, 2026, None, "0.5; 0.5", 20, 30, 0, 10),
    "teachers": (None, 120, 2026, 2027, None, 10, 36, 5, 0),
    "apprentices": (None, 200, 2026, None, "0.6; 0.4", 120, 90, 10, 10),
    "campus": (None, 240, 2026, None, "0.5; 0.5", 40, 75, 20, 10),
    "library": (100, 160, 2026, 2027, None, 20, 30, 15, 5),
    "optics": (None, 300, 2026, None, "0.5; 0.5", 60, 20, 95, 30),
    "seeds": (None, 200, 2026, None, "0.6; 0.4", 30, 20, 50, 10),
    "joint": (None, 160, 2026, None, "0.5; 0.5", 40, 25, 35, 10),
    "batteries": (None, 180, 2026, 2027, None, 150, 10, 50, 5),
    "sensors": (None, 150, 2026, 2027, None, 90, 10, 40, 5),
    "fellows": (80, 200, None, None, "0.5; 0.5", 0, 40, 30, 0),
    "returnees": (None, 100, 2026, None, "0.5; 0.5", 0, 10, 25, 0),
    "masters": (None, 90, 2027, None, None, 30, 45, 5, 0),
    "archive": (None, 100, 2026, None, None, 0, 5, 5, 20),
}
_COLUMNS = (
    "min_award",
    "max_award",
    "start_from",
    "start_to",
    "profile",
    "cofunding",
    "talent_trained",
    "innovation",
    "upkeep",
)
_MONEY = ("min_award", "max_award", "cofunding", "upkeep")


def small() -> Tables:
    """Return the small round: sixteen projects, five provinces, three pools, two years, every kind of rule and link."""
    return {
        "Round": _round(),
        "Sources": [
            {
                "source": source,
                "title": title,
                "year": year,
                "amount": Decimal(amount),
                "least": Decimal("0.8"),
                "carry_over": Decimal("0.2"),
                "sectors": sectors,
            }
            for source, title, sectors, amounts in _POOLS
            for year, amount in zip((2026, 2027), amounts, strict=True)
        ],
        "Sectors": [
            {"sector": "basic_education", "title": "Basic education"},
            {"sector": "higher_education", "title": "Higher and vocational education"},
            {"sector": "research", "title": "Research and technology"},
            {"sector": "talent", "title": "Talent"},
        ],
        "Regions": [
            {
                "region": province.region,
                "title": province.title,
                "belt": province.belt,
                "population": round(Decimal(province.population).scaleb(-6)),
                "gdp": round(province.gdp.scaleb(-4), 1),
            }
            for province in PROVINCES
            if province.region in _REGIONS
        ],
        "Projects": [_project(*what) for what in _WHAT],
        "Options": [
            {
                "project": "optics",
                "option": "core",
                "min_award": None,
                "max_award": Decimal(200),
                "cofunding": Decimal(40),
                "talent_trained": 15,
                "innovation": 75,
                "upkeep": Decimal(20),
            }
        ],
        "Criteria": [
            {"criterion": "talent_trained", "title": "People trained", "direction": "max", "weight": Decimal(1)},
            {"criterion": "innovation", "title": "Innovation, points", "direction": "max", "weight": Decimal(2)},
            {"criterion": "upkeep", "title": "Yearly upkeep afterwards", "direction": "min", "weight": Decimal("0.5")},
        ],
        "Rules": _rules(),
        "Links": _links(),
    }


def _round() -> list[_Row]:
    settings: dict[str, object] = {
        "title": "Integrated fund, a small invented round",
        "currency": "CNY",
        "unit": "10,000 yuan",
        "step": Decimal(10),
        "first_year": 2026,
        "years": 2,
        "method": "weighted",
        "gap": Decimal(0),
        "note": "Projects, institutions and amounts are invented; populations and products are public.",
    }
    return [{"setting": setting, "value": value} for setting, value in settings.items()]


def _project(*what: str | None) -> _Row:
    columns = ("project", "title", "sector", "category", "region", "institution", "tags", "status")
    row: _Row = dict(zip(columns, what, strict=True))
    row["status"] = row["status"] or "candidate"
    for column, number in zip(_COLUMNS, _NUMBERS[str(row["project"])], strict=True):
        row[column] = Decimal(number) if column in _MONEY and isinstance(number, int) else number
    return row


def _rules() -> list[_Row]:
    """Return one rule of each kind, named for what it does."""

    def rule(name: str, title: str, measure: str, sense: str, bound: str, **columns: str | Decimal) -> _Row:
        blank = dict.fromkeys(
            ("of", "each", "per", "within", "penalty", "sectors", "categories", "regions", "belts", "tags")
        )
        return {
            "rule": name,
            "title": title,
            "measure": measure,
            "sense": sense,
            "bound": Decimal(bound),
            **blank,
            **columns,
        }

    return [
        rule("favoured_belts", "Share of the total", "award", ">=", "0.65", of="total", belts="central; west"),
        rule("schools", "Share of the funds", "award", ">=", "0.3", of="funds", sectors="basic_education"),
        rule(
            "west_per_head", "Each western province per head", "award", ">=", "1.4",
            of="average", each="region", per="population", belts="west",
        ),
        rule("platforms", "A ceiling in money", "award", "<=", "420", categories="platform"),
        rule("institutions", "Accepted projects of an institution", "accepted", "<=", "1", each="institution"),
        rule(
            "partnerships", "A wish, at its price", "award", ">=", "200",
            penalty=Decimal("0.2"), categories="partnership",
        ),
        rule("ceiling", "A ceiling by population", "award", "<=", "22", of="population", each="region"),
        rule(
            "west_schools", "The west's part of basic education", "award", ">=", "0.7",
            of="total", within="sectors", sectors="basic_education", belts="west",
        ),
        rule("cofunding", "Money of others", "cofunding", ">=", "250"),
        rule(
            "provinces", "Outside the capital, every year", "award", ">=", "0.7",
            of="total", each="year", regions="!beijing",
        ),
    ]  # fmt: skip


def _links() -> list[_Row]:
    def link(
        name: str,
        kind: str,
        projects: str,
        k: int | None = None,
        criterion: str | None = None,
        value: Decimal | None = None,
    ) -> _Row:
        return {"link": name, "kind": kind, "projects": projects, "k": k, "criterion": criterion, "value": value}

    return [
        link("needs_optics", "requires", "returnees; optics"),
        link("one_pilot_line", "excludes", "batteries; sensors"),
        link("gansu_together", "all_or_none", "seeds; campus"),
        link("some_of_hubei", "at_least", "teachers; sensors; fellows", k=1),
        link("large_instruments", "at_most", "optics; seeds; joint", k=2),
        link("exchange", "synergy", "joint; campus", criterion="talent_trained", value=Decimal(20)),
        link("same_trainees", "synergy", "apprentices; masters", criterion="talent_trained", value=Decimal(-15)),
    ]
