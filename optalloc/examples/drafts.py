"""Invented projects and a reference plan over them, in whole numbers, before they become tables.

Shares and profiles are whole hundredths and money is in whole units, so that every sum is exact and the same on every
machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isqrt
from random import Random
from types import MappingProxyType

from optalloc.examples.provinces import PROVINCES, Province
from optalloc.examples.wordlists import PLATFORMS, TITLES

#: Invented awards are multiples of this; the round's step is finer, so that what varies can use up the last unit.
GRAIN = 10
MEASURES = ("cofunding", "talent_trained", "innovation", "transformation", "equity_need")


@dataclass(frozen=True, slots=True)
class Field:
    """A sector: the pool it belongs to, its share of the projects, and its yields.

    `weight` is in projects per hundred, `scalable` how many of a hundred can be cut to two fifths. `yields` are by
    measure, for 100 units of award in an average project: co-funding in units, people trained, points of innovation,
    contracts from transferred results in units, points of need met.
    """

    sector: str
    title: str
    pool: str
    institution: str | None
    weight: int
    scalable: int
    yields: Mapping[str, int]


def _field(
    sector: str,
    title: str,
    pool: str,
    institution: str | None,
    weight: int,
    scalable: int,
    yields: tuple[int, int, int, int, int],
) -> Field:
    return Field(
        sector, title, pool, institution, weight, scalable, MappingProxyType(dict(zip(MEASURES, yields, strict=True)))
    )


FIELDS = (
    _field("basic_education", "Basic education", "education", None, 14, 20, (10, 11, 1, 0, 14)),
    _field("vocational_education", "Vocational education", "education", "college", 13, 35, (30, 14, 2, 40, 9)),
    _field("higher_education", "Higher education", "education", "univ", 13, 20, (20, 11, 6, 30, 5)),
    _field("basic_research", "Basic research", "science_technology", "univ", 15, 10, (10, 6, 16, 20, 2)),
    _field("key_technology", "Key technology", "science_technology", "institute", 14, 20, (60, 4, 11, 110, 2)),
    _field("technology_transfer", "Technology transfer", "science_technology", "institute", 11, 20, (80, 4, 7, 220, 4)),
    _field("young_scholars", "Young scholars", "talent", "univ", 10, 50, (10, 14, 8, 10, 3)),
    _field("industry_talent", "Industry talent", "talent", "college", 10, 50, (50, 11, 4, 90, 5)),
)
PROVINCE_OF = MappingProxyType({province.region: province for province in PROVINCES})

#: Smallest and largest award of a size class, in grains, and how many projects of a hundred are in it.
_SIZES = ((6, 20, 30), (20, 50, 38), (50, 100, 24), (100, 240, 8))
_PLATFORM_SIZE = (60, 160)
_PROFILES = {1: ((100,),), 2: ((60, 40), (50, 50), (40, 60)), 3: ((50, 30, 20), (40, 35, 25), (30, 40, 30))}
_SHARES = ((60, 40), (50, 50), (70, 30), (80, 20), (50, 30, 20))

#: What the reference plan spends per head in a belt, against 100 in the east, and how much of it goes to projects.
_PER_HEAD = {"east": 100, "central": 85, "west": 92, "northeast": 88}
_TO_PROJECTS = 78
#: How much of what is asked for the reference plan funds, in per cent.
_FUNDED = 42


def _product(province: Province) -> int:
    return int(province.gdp * 10)


_PEOPLE = sum(province.population for province in PROVINCES)
_PRODUCT = sum(_product(province) for province in PROVINCES)


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A project: `shares` and `profile` in hundredths, `starts` as first and last year index, money in whole units."""

    project: str
    title: str
    sector: str
    category: str
    shares: tuple[tuple[str, int], ...]
    institution: str | None
    tags: tuple[str, ...]
    max_award: int
    min_award: int | None
    starts: tuple[int, int]
    profile: tuple[int, ...]
    measures: Mapping[str, int]

    @property
    def is_block_grant(self) -> bool:
        """Whether any amount may be given."""
        return self.min_award == 0


@dataclass(frozen=True)
class Plan:
    """A plan that the round is built around: award and start (year index) of each funded project."""

    awards: dict[str, int] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)


def draft_round(number: int, years: int, random: Random) -> tuple[list[Draft], Plan]:
    """Return so many projects and the plan that their round is built around, block grants in the plan alone."""
    drafts = draft_projects(number, years, random)
    platforms = sum(draft.category == "platform" for draft in drafts)
    return drafts, reference_plan(drafts, max(1, platforms // (2 * len(PROVINCES))), years, random)


def draft_projects(number: int, years: int, random: Random) -> list[Draft]:
    """Return so many projects without block grants, each runnable within the years."""
    weights = _region_weights()
    places = random.choices(PROVINCES, weights, k=number)
    fields = random.choices(FIELDS, [f.weight for f in FIELDS], k=number)
    institutions = {
        province.region: max(2, number * weight // (20 * sum(weights)))
        for province, weight in zip(PROVINCES, weights, strict=True)
    }
    drafts: list[Draft] = []
    titles: Counter[str] = Counter()
    platforms = 0
    for position, (place, field_) in enumerate(zip(places, fields, strict=True)):
        is_platform = field_.sector == "basic_research" and random.randrange(100) < 45
        if is_platform:
            # Every province's leading university asks for about as many platforms.
            place = PROVINCES[platforms % len(PROVINCES)]
            platforms += 1
        name = f"p{position + 1:0{len(str(number))}d}"
        draft = _draft(name, place, field_, is_platform, institutions[place.region], years, random)
        titles[draft.title] += 1
        if titles[draft.title] > 1:
            draft = replace(draft, title=f"{draft.title} ({titles[draft.title]})")
        drafts.append(draft)
    return drafts


def _draft(
    name: str, place: Province, field_: Field, is_platform: bool, institutions: int, years: int, random: Random
) -> Draft:
    category = "platform" if is_platform else "programme"
    shares: tuple[tuple[str, int], ...] = ((place.region, 100),)
    if not is_platform and field_.institution is not None and random.randrange(100) < 12:
        category = "partnership"
        shares = _partnership(place, random)
    tags = _tags(field_, shares, random)
    institution = None
    if field_.institution is not None:
        rank = 1 if is_platform else 1 + random.randrange(institutions)
        institution = f"{field_.institution}_{place.region}_{rank:02d}"
    size = _PLATFORM_SIZE if is_platform else random.choices(_SIZES, [s[2] for s in _SIZES])[0]
    steps = random.randint(size[0], size[1])
    is_variable = random.randrange(100) < field_.scalable
    min_award = GRAIN * max(1, steps * 4 // 10) if is_variable else None
    length = 1 + random.choices((0, 1, 2), (25, 40, 35))[0]
    profile = random.choice(_PROFILES[min(length, years)])
    last = years - len(profile)
    first = random.randint(0, last)
    starts = (0, last) if last and random.randrange(2) else (first, first)
    what, subjects = TITLES[field_.sector]
    title = f"{random.choice(PLATFORMS if is_platform else what)}: {random.choice(subjects)}, {place.name}"
    if len(shares) > 1:
        title += " with " + " and ".join(PROVINCE_OF[region].name for region, _ in shares[1:])
    measures = _measures(field_, GRAIN * steps, shares, 115 if is_platform else 100, random)
    return Draft(
        name,
        title,
        field_.sector,
        category,
        shares,
        institution,
        tags,
        GRAIN * steps,
        min_award,
        starts,
        profile,
        measures,
    )


@dataclass(frozen=True, slots=True)
class Grant:
    """A yearly block grant of every province.

    `part` is its part of what the reference plan gives in block grants, in per cent; `yields` are for 100 units.
    """

    stem: str
    title: str
    sector: str
    part: int
    tags: tuple[str, ...]
    yields: Mapping[str, int]


GRANTS = (
    Grant(
        "compulsory",
        "Compulsory education",
        "basic_education",
        70,
        ("rural",),
        MappingProxyType({"talent_trained": 6, "equity_need": 13}),
    ),
    Grant(
        "talent",
        "Provincial talent scheme",
        "young_scholars",
        30,
        (),
        MappingProxyType({"talent_trained": 13, "equity_need": 4}),
    ),
)


def draft_block_grants(years: int, awards: Mapping[str, int], random: Random) -> list[Draft]:
    """Return the block grants of all provinces and years; `awards` are theirs in the reference plan, by project.

    A maximum is about half as large again as that.
    """
    drafts = []
    for grant in GRANTS:
        for province in PROVINCES:
            merit = random.randint(85, 115)
            for year in range(years):
                name = _grant_name(grant, province.region, year)
                max_award = -(-(awards[name] * 3 // 2 + 20) // 50) * 50
                need = max_award * grant.yields["equity_need"] * _need(province) // 10_000
                people = max_award * grant.yields["talent_trained"] * merit // 10_000
                drafts.append(
                    Draft(
                        project=name,
                        title=f"{grant.title}, {province.name}, year {year + 1}",
                        sector=grant.sector,
                        category="block_grant",
                        shares=((province.region, 100),),
                        institution=None,
                        tags=grant.tags,
                        max_award=max_award,
                        min_award=0,
                        starts=(year, year),
                        profile=(100,),
                        measures=dict.fromkeys(MEASURES, 0) | {"talent_trained": people, "equity_need": need},
                    )
                )
    return drafts


def _grant_name(grant: Grant, region: str, year: int) -> str:
    return f"{grant.stem}_{region}_{year + 1}"


def reference_plan(drafts: list[Draft], platform_cap: int, years: int, random: Random) -> Plan:
    """Return a plan over the drafts and the block grants, of which only the names are needed.

    Projects are taken in random order while each of their provinces stays within its part of the money, so the plan is
    fair to regions but blind to merit: an optimum has every reason to leave it, and rules set close to it bind.
    """
    asked = sum(draft.max_award for draft in drafts)
    weights = {p.region: p.population * _PER_HEAD[p.belt] for p in PROVINCES}
    whole = sum(weights.values())
    # In hundredths of a unit, as the regional parts of awards are.
    target = {region: 100 * asked * _FUNDED * weight // (whole * 100) for region, weight in weights.items()}
    load = dict.fromkeys(target, 0)
    platforms: dict[str, int] = {}
    plan = Plan()
    for draft in random.sample(drafts, len(drafts)):
        parts = {region: share * draft.max_award for region, share in draft.shares}
        if any(load[region] + part > target[region] * _TO_PROJECTS // 100 for region, part in parts.items()):
            continue
        if draft.category == "platform":
            place = draft.shares[0][0]
            if platforms.get(place, 0) >= platform_cap:
                continue
            platforms[place] = platforms.get(place, 0) + 1
        for region, part in parts.items():
            load[region] += part
        plan.awards[draft.project] = draft.max_award
        plan.starts[draft.project] = random.randint(*draft.starts)
    for region, whole_load in load.items():
        rest = max(0, target[region] - whole_load) // 100
        for grant in GRANTS:
            for year in range(years):
                name = _grant_name(grant, region, year)
                plan.awards[name] = rest * grant.part // (100 * years * GRAIN) * GRAIN
                plan.starts[name] = year
    return plan


def _region_weights() -> list[int]:
    """How many projects come from a province: half by its people, half by its product, and a few from everywhere."""
    return [100 + 50_000 * p.population // _PEOPLE + 50_000 * _product(p) // _PRODUCT for p in PROVINCES]


def _prosperity(province: Province) -> int:
    """GDP per head, 100 for the whole country."""
    return 100 * _product(province) * _PEOPLE // (province.population * _PRODUCT)


def _need(province: Province) -> int:
    return min(180, max(50, 10_000 // _prosperity(province)))


def _strength(province: Province) -> int:
    return min(135, max(80, 60 + _prosperity(province) * 2 // 5))


def _partnership(place: Province, random: Random) -> tuple[tuple[str, int], ...]:
    """Shares of a project of several provinces, the first of them `place`, the second from another belt."""
    parts = random.choice(_SHARES)
    others = random.sample([p for p in PROVINCES if p.belt != place.belt], len(parts) - 1)
    return tuple((p.region, part) for p, part in zip((place, *others), parts, strict=True))


def _tags(field_: Field, shares: tuple[tuple[str, int], ...], random: Random) -> tuple[str, ...]:
    belts = {PROVINCE_OF[region].belt for region, _ in shares}
    tags = []
    if len(shares) > 1 and "east" in belts and len(belts) > 1:
        tags.append("counterpart")
    if random.randrange(100) < 15:
        tags.append("digital")
    if field_.sector in ("key_technology", "technology_transfer", "industry_talent") and random.randrange(100) < 30:
        tags.append("industry_chain")
    if field_.sector in ("basic_education", "vocational_education") and random.randrange(100) < 40:
        tags.append("rural")
    return tuple(tags)


def _measures(
    field_: Field, award: int, shares: tuple[tuple[str, int], ...], quality: int, random: Random
) -> dict[str, int]:
    # Larger projects yield a little less for their money.
    size = award * 100 // (100 + isqrt(award))
    need = sum(share * _need(PROVINCE_OF[region]) for region, share in shares)
    strength = sum(share * _strength(PROVINCE_OF[region]) for region, share in shares)
    measures = {}
    for measure in MEASURES:
        place = {"equity_need": need, "cofunding": strength, "innovation": strength, "transformation": strength}
        merit = (random.randint(65, 135) + random.randint(65, 135)) // 2
        parts = size * field_.yields[measure] * merit * quality * place.get(measure, 10_000)
        measures[measure] = (parts + 5 * 10**9) // 10**10
    return measures
