"""Rounds of any size, invented from a seed: the national example, and larger and tighter ones for trials.

The same arguments give the same tables on every machine. Numbers are drawn with `random.Random` and computed in whole
numbers, fractions and decimals.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from random import Random

from optalloc.examples.drafts import (
    FIELDS,
    GRAIN,
    MEASURES,
    Draft,
    Plan,
    draft_block_grants,
    draft_round,
)
from optalloc.examples.provinces import PROVINCES
from optalloc.examples.rulebook import post, rules_within
from optalloc.workbook.grid import Tables

FIRST_YEAR = 2026

_Row = dict[str, object]

#: Sectors a pool may pay for, the share of a year that must be spent, and of the unspent that may move on.
_POOLS = {
    "education": ("Education funds", ("basic_education", "vocational_education", "higher_education"), "0.85", "0.1"),
    "science_technology": (
        "Science and technology funds",
        ("basic_research", "key_technology", "technology_transfer", "industry_talent"),
        "0.8",
        "0.3",
    ),
    "talent": ("Talent funds", ("young_scholars", "industry_talent"), "0.8", "0.2"),
}
_CRITERIA = (
    ("talent_trained", "People trained", "1.4", "award"),
    ("innovation", "Innovation, points", "1", None),
    ("transformation", "Contracts from transferred results", "0.05", "award"),
    ("equity_need", "Need met in poorer provinces, points", "0.8", "award"),
)


def generate(
    projects: int, seed: int, years: int = 3, tightness: float = 0.5, rules: int = 60, links_per_thousand: int = 20
) -> Tables:
    """Return the tables of an invented round over the 31 provinces.

    The round is built around a hidden reference plan that funds about two fifths of what is asked for, by region and
    without regard to merit. Amounts of sources and bounds of rules are set so that this plan keeps them: a plan exists,
    whatever the size and the tightness.

    Args:
        projects: how many projects, the 62 block grants of each year (two a province) apart; at least 300.
        seed: another seed gives another round.
        years: years of the round, from 2026 on, 1 to 5. Projects run 1 to 3 of them.
        tightness: 0 (bounds well off what the reference plan reaches) to 1 (as near as their decimals allow). At 0.5
            about 30 of 75 rows bind; the tighter, the harder is the gap to close.
        rules: how many rows of rules at most, members of `each` counted: whole rules are taken in a fixed order.
        links_per_thousand: links for each thousand projects, at most 50.

    Returns:
        Round, Sources, Sectors, Regions, Projects, Options, Criteria, Rules and Links; money in 10,000 yuan.

    Raises:
        ValueError: an argument is out of its range.
    """
    if projects < 300:
        raise ValueError(f"a round takes at least 300 projects, not {projects}")
    if not 1 <= years <= 5:
        raise ValueError(f"a round has 1 to 5 years, not {years}")
    if not 0 <= tightness <= 1:
        raise ValueError(f"tightness goes from 0 to 1, not {tightness}")
    if rules < 0:
        raise ValueError(f"a round cannot have {rules} rows of rules")
    if not 0 <= links_per_thousand <= 50:
        raise ValueError(f"a thousand projects take 0 to 50 links, not {links_per_thousand}")
    random = Random(seed)
    drafts, plan = draft_round(projects, years, random)
    everything = drafts + draft_block_grants(years, plan.awards, random)
    amounts = _amounts(everything, plan, years)
    books = post(everything, plan, sum(amounts.values()), FIRST_YEAR, years)
    leading = tuple(sorted({str(draft.institution) for draft in drafts if draft.category == "platform"}))
    status = _statuses(drafts, plan, random)
    return {
        "Round": _round(projects, seed, years),
        "Sources": _sources(amounts, years),
        "Sectors": [{"sector": field.sector, "title": field.title} for field in FIELDS],
        "Regions": [
            {"region": p.region, "title": p.title, "belt": p.belt, "population": p.population, "gdp": p.gdp}
            for p in PROVINCES
        ],
        "Projects": [_project(draft, status.get(draft.project, "candidate"), years) for draft in everything],
        "Options": list(_options(drafts, random)),
        "Criteria": [
            {"criterion": name, "title": title, "direction": "max", "weight": Decimal(weight), "basis": basis}
            for name, title, weight, basis in _CRITERIA
        ],
        "Rules": rules_within(books, rules, Fraction(str(tightness)), leading),
        "Links": list(_links(drafts, plan, set(status), projects * links_per_thousand // 1000, random)),
    }


def _round(projects: int, seed: int, years: int) -> list[_Row]:
    settings: dict[str, object] = {
        "title": f"Integrated fund, an invented round of {projects} projects",
        "currency": "CNY",
        "unit": "10,000 yuan",
        "step": Decimal(1),
        "first_year": FIRST_YEAR,
        "years": years,
        "discount": Decimal("0.03"),
        "method": "weighted",
        "gap": Decimal("0.0001"),
        "note": f"Projects, institutions and amounts are invented (seed {seed}); populations and products are public.",
    }
    return [{"setting": setting, "value": value} for setting, value in settings.items()]


def _amounts(drafts: list[Draft], plan: Plan, years: int) -> dict[tuple[str, int], int]:
    """Return what each pool has in each year: what the plan spends there, rounded up to whole hundreds."""
    spent = {(pool, year): 0 for pool in _POOLS for year in range(years)}
    pool_of = {field.sector: field.pool for field in FIELDS}
    for draft in drafts:
        for offset, part in enumerate(draft.profile):
            if draft.project in plan.awards:
                spent[pool_of[draft.sector], plan.starts[draft.project] + offset] += plan.awards[draft.project] * part
    return {key: -(-hundredths // 10_000) * 100 for key, hundredths in spent.items()}


def _sources(amounts: dict[tuple[str, int], int], years: int) -> list[_Row]:
    return [
        {
            "source": pool,
            "title": title,
            "year": FIRST_YEAR + year,
            "amount": Decimal(amounts[pool, year]),
            "least": Decimal(least),
            "carry_over": Decimal(carry_over),
            "sectors": "; ".join(sectors),
        }
        for pool, (title, sectors, least, carry_over) in _POOLS.items()
        for year in range(years)
    ]


def _statuses(drafts: list[Draft], plan: Plan, random: Random) -> dict[str, str]:
    """Return the status of the few projects that are no candidates: one in 200 mandatory, one in 200 excluded."""
    many = len(drafts) // 200
    funded = [draft.project for draft in drafts if draft.project in plan.awards]
    others = [draft.project for draft in drafts if draft.project not in plan.awards]
    mandatory = dict.fromkeys(random.sample(funded, many), "mandatory")
    return mandatory | dict.fromkeys(random.sample(others, many), "excluded")


def _project(draft: Draft, status: str, years: int) -> _Row:
    first, last = draft.starts
    shares = "; ".join(f"{region}:{_hundredths(share)}" for region, share in draft.shares)
    profile = "; ".join(str(_hundredths(part)) for part in draft.profile)
    return {
        "project": draft.project,
        "title": draft.title,
        "sector": draft.sector,
        "category": draft.category,
        "region": shares if len(draft.shares) > 1 else draft.shares[0][0],
        "institution": draft.institution,
        "tags": "; ".join(draft.tags) or None,
        "status": status,
        "min_award": None if draft.min_award is None else Decimal(draft.min_award),
        "max_award": Decimal(draft.max_award),
        "start_from": FIRST_YEAR + first if years > 1 else None,
        "start_to": FIRST_YEAR + last if last > first else None,
        "profile": profile if len(draft.profile) > 1 else None,
        "cofunding": Decimal(draft.measures["cofunding"]),
        **{measure: draft.measures[measure] for measure in MEASURES if measure != "cofunding"},
    }


def _hundredths(share: int) -> Decimal:
    return Decimal(share).scaleb(-2).normalize()


def _options(drafts: list[Draft], random: Random) -> Iterator[_Row]:
    """Yield another level for a fifth of the all-or-nothing projects: reduced, or now and then extended."""
    for draft in drafts:
        if draft.min_award is not None or random.randrange(100) >= 27:
            continue
        extended = random.randrange(4) == 0
        money = 130 if extended else random.choice((60, 70, 75))
        # A level's measures move less than its money: the first steps of a project are the most useful ones.
        yields = random.randint(118, 126) if extended else money + random.randint(2, 12)
        award = GRAIN * round(Fraction(draft.max_award * money, 100 * GRAIN))
        if award == draft.max_award:
            continue
        yield {
            "project": draft.project,
            "option": "extended" if extended else "reduced",
            "min_award": None,
            "max_award": Decimal(award),
            "cofunding": Decimal(draft.measures["cofunding"] * money // 100),
            **{name: draft.measures[name] * yields // 100 for name in MEASURES if name != "cofunding"},
        }


def _links(drafts: list[Draft], plan: Plan, settled: set[str], number: int, random: Random) -> Iterator[_Row]:
    """Yield links that the reference plan keeps, over projects that share a province; a project is in one at most."""
    by_region: dict[str, list[Draft]] = {}
    for draft in drafts:
        if draft.project not in settled:
            by_region.setdefault(draft.shares[0][0], []).append(draft)
    kinds = ("synergy", "requires", "excludes", "synergy", "all_or_none", "at_most", "at_least", "synergy")
    for position in range(number):
        kind = kinds[position % len(kinds)]
        size = {"at_most": 4, "at_least": 4, "synergy": random.choice((2, 3))}.get(kind, 2)
        regions = sorted(region for region, pool in by_region.items() if len(pool) >= 2 * size)
        while True:
            pool = by_region[random.choice(regions)]
            group = random.sample(pool, size)
            if _keeps(kind, group, plan):
                break
        for draft in group:
            pool.remove(draft)
        row: _Row = {
            "link": f"{kind}_{position + 1:0{len(str(number))}d}",
            "kind": kind,
            "projects": "; ".join(draft.project for draft in group),
            "k": {"at_most": 2, "at_least": 1}.get(kind),
            "criterion": None,
            "value": None,
        }
        if kind == "synergy":
            # One in four is rivalry: together they are worth less than one by one.
            rivals = random.randrange(4) == 0
            row["criterion"] = random.choice(("innovation", "talent_trained"))
            row["value"] = Decimal(-random.randint(5, 15) if rivals else random.randint(10, 40))
        yield row


def _keeps(kind: str, group: list[Draft], plan: Plan) -> bool:
    funded = sum(draft.project in plan.awards for draft in group)
    match kind:
        case "requires":
            return group[0].project not in plan.awards or funded == len(group)
        case "excludes":
            return funded <= 1
        case "all_or_none":
            return funded in (0, len(group))
        case "at_most":
            return funded <= 2
        case "at_least":
            return funded >= 1
    return True
