"""Small random rounds as tables: every feature of the workbook, small enough to enumerate."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from optalloc.workbook.grid import Tables

FIRST = 2030
Row = dict[str, Any]


def random_tables(rng: random.Random) -> Tables:
    """Return a valid random round; `gap` is 0."""
    years = rng.choice([1, 1, 2, 2, 3])
    named_years = years > 1 or rng.random() < 0.3
    step = rng.choice([Decimal(1), Decimal(1), Decimal("0.5"), Decimal(2)])
    lexicographic = rng.random() < 0.3
    settings: Row = {"title": "random", "unit": "yuan", "step": step, "gap": 0}
    if named_years:
        settings |= {"first_year": FIRST, "years": years}
    if years > 1 and rng.random() < 0.4:
        settings["discount"] = Decimal("0.25")
    if lexicographic:
        settings["method"] = "lexicographic"
    regions = [
        {"region": f"r{i}", "belt": ("east", "west")[i % 2], "population": rng.randint(2, 9), "gdp": rng.randint(1, 5)}
        for i in range(rng.randint(2, 3))
    ]
    sectors = ["edu", "sci"][: rng.randint(1, 2)]
    projects, options = _projects(rng, regions, sectors, years, named_years, step)
    criteria = _criteria(rng, lexicographic, projects, years)
    return {
        "Round": [{"setting": key, "value": value} for key, value in settings.items()],
        "Sources": _sources(rng, projects, years, step),
        "Sectors": [{"sector": sector} for sector in sectors],
        "Regions": [dict(region) for region in regions],
        "Projects": projects,
        "Options": options,
        "Criteria": criteria,
        "Rules": _rules(rng, projects, regions, sectors, years, step),
        "Links": _links(rng, projects, options, criteria),
    }


def _projects(
    rng: random.Random, regions: list[Row], sectors: list[str], years: int, named: bool, step: Decimal
) -> tuple[list[Row], list[Row]]:
    projects: list[Row] = []
    options: list[Row] = []
    room = 2500
    for number in range(rng.randint(3, 6)):
        most = rng.randint(2, 6)
        row: Row = {
            "project": f"p{number}",
            "sector": rng.choice(sectors),
            "region": str(rng.choice(regions)["region"]),
            "category": rng.choice([None, "kit", "staff"]),
            "institution": rng.choice([None, "uni", "lab"]),
            "tags": rng.choice([None, None, "green", "green; young", "young"]),
            "max_award": most * step,
            "benefit": rng.randint(1, 9),
            "need": rng.randint(0, 4),
            "cofunding": rng.randint(0, 5),
        }
        if rng.random() < 0.3:
            one, two = rng.sample([str(r["region"]) for r in regions], 2)
            row["region"] = f"{one}:0.6; {two}:0.4" if rng.random() < 0.6 else f"{one}:0.25; {two}:0.75"
        ways = 1
        kind = rng.choice(["whole", "whole", "varied", "block"])
        if kind == "varied":
            least = rng.randint(1, most)
            row["min_award"] = least * step
            ways = most - least + 1
        elif kind == "block":
            row["min_award"] = 0
            ways = most
        else:
            row["status"] = rng.choice([None] * 6 + ["mandatory", "excluded", "excluded"])
        if years > 1:
            row["profile"] = rng.choice([None, "0.5; 0.5", "0.75; 0.25", "1; 0", "0; 1"])
            length = 1 if row["profile"] is None else 2
            row["start_from"] = rng.randint(FIRST, FIRST + years - length)
            if kind != "block" and rng.random() < 0.4:
                row["start_to"] = min(row["start_from"] + 1, FIRST + years - length)
                ways *= 2
        if kind == "whole" and rng.random() < 0.35:
            other = rng.randint(1, most)
            level: Row = {"project": row["project"], "option": "small", "max_award": other * step}
            if rng.random() < 0.4:
                level["min_award"] = rng.randint(1, other) * step
                ways += other
            if rng.random() < 0.7:
                level["benefit"] = rng.randint(1, 9)
            options.append(level)
            ways += 1
        if room // (ways + 1) < 1:
            options = [o for o in options if o["project"] != row["project"]]
            break
        room //= ways + 1
        projects.append(row)
    del named
    return projects, options


def _sources(rng: random.Random, projects: list[Row], years: int, step: Decimal) -> list[Row]:
    wanted = sum(int(row["max_award"] / step) for row in projects)
    rows: list[Row] = []
    green = any("green" in (row["tags"] or "") for row in projects)
    present = sorted({str(row["sector"]) for row in projects})
    for name in ("pool", "fund")[: rng.randint(1, 2)]:
        for year in range(FIRST, FIRST + years):
            row: Row = {"source": name, "amount": max(1, round(wanted * rng.uniform(0.3, 0.8) / years + 1)) * step}
            if years > 1:
                row["year"] = year
            if name == "fund":
                row |= rng.choice(
                    [
                        {"sectors": present[0]},
                        {"sectors": f"!{present[0]}"} if len(present) > 1 else {},
                        {"belts": "west"},
                        {"tags": "!green"} if green else {},
                        {"regions": "r0; r1"},
                    ]
                )
            if name == "pool" and rng.random() < 0.15:
                row["least"] = rng.choice([Decimal("0.1"), Decimal("0.3")])
            if years > 1 and rng.random() < 0.5:
                row["carry_over"] = rng.choice([Decimal(1), Decimal("0.5"), Decimal("0.3")])
            rows.append(row)
    return rows


def _values(projects: list[Row], column: str) -> list[str]:
    return sorted({part.strip() for row in projects for part in str(row[column] or "").split(";") if part.strip()})


def _filter(rng: random.Random, projects: list[Row], sectors: list[str], years: int, likely: float) -> Row:
    found: Row = {}
    if rng.random() >= likely:
        return found
    choices: dict[str, list[str]] = {
        "sectors": sectors,
        "belts": ["east", "west"],
        "regions": ["r0", "r1"],
        "categories": _values(projects, "category"),
        "institutions": _values(projects, "institution"),
        "tags": _values(projects, "tags"),
        "years": [str(FIRST + y) for y in range(years)] if years > 1 else [],
    }
    for column in rng.sample(sorted(choices), rng.choice([1, 1, 2])):
        values = choices[column]
        if values:
            value = rng.choice(values)
            found[column] = rng.choice([value, value, f"!{value}" if len(values) > 1 else value, "; ".join(values)])
    if "regions" in found:  # a region and another belt would let nothing pass, which is an error
        found.pop("belts", None)
    return found


def _criteria(rng: random.Random, lexicographic: bool, projects: list[Row], years: int) -> list[Row]:
    rows: list[Row] = [{"criterion": "benefit", "weight": rng.choice([1, 2, Decimal("0.5")])}]
    if rng.random() < 0.3:
        rows[0]["basis"] = rng.choice(["accepted", "award"])
    for extra in rng.sample(["need", "money", "count", "others"], rng.randint(0, 2)):
        row: Row = {"criterion": extra, "weight": rng.choice([1, Decimal("0.25")])}
        row["direction"] = rng.choice(["max", "min", None])
        measure = {"money": "award", "count": "accepted", "others": "cofunding"}.get(extra)
        if measure:
            row["measure"] = measure
        row |= _filter(rng, projects, ["edu"] if any(p["sector"] == "edu" for p in projects) else ["sci"], years, 0.3)
        rows.append(row)
    if lexicographic:
        for number, row in enumerate(rows):
            row["priority"] = 1 + number if rng.random() < 0.8 else 1
            row["tolerance"] = rng.choice([None, Decimal("0.1"), Decimal("0.25")])
    return rows


def _rules(
    rng: random.Random, projects: list[Row], regions: list[Row], sectors: list[str], years: int, step: Decimal
) -> list[Row]:
    rows: list[Row] = []
    present = sorted({str(row["sector"]) for row in projects})
    for number in range(rng.randint(2, 4)):
        measure = rng.choice(["award", "award", "award", "accepted", "benefit", "cofunding", "need"])
        row: Row = {
            "rule": f"rule{number}",
            "measure": measure,
            "sense": rng.choice([">=", "<=", "<=", "<=", "<=", "="]),
        }
        row |= _filter(rng, projects, present, years, 0.6)
        if rng.random() < 0.4:
            eaches = ["region", "belt", "sector", *(e for e in ("category", "institution") if _values(projects, e))]
            eaches += ["tag"] if _values(projects, "tags") else []
            eaches += ["year"] if years > 1 else []
            row["each"] = rng.choice(eaches)
        kind = rng.choice(["absolute", "absolute", "total", "funds", "funds", "average", "attribute", "per head"])
        loose = row["sense"] != "="
        if kind == "absolute":
            size = {"award": 6 * step, "accepted": Decimal(3), "benefit": Decimal(10)}.get(measure, Decimal(6))
            row["bound"] = (
                int(size * rng.randint(1, 3)) // (4 if row["sense"] == "<=" else 12) if loose else int(size) // 2
            )
            if measure == "award":
                row["bound"] = row["bound"] if loose else int(row["bound"])
        elif kind in ("total", "funds"):
            row |= {"of": kind, "bound": rng.choice([Decimal("0.2"), Decimal("0.3"), "45 %", Decimal("0.4")])}
            if kind == "funds" and measure != "award":
                row["measure"] = measure = "award"
        elif kind == "average":
            row |= {
                "of": "average",
                "per": "population",
                "bound": rng.choice(
                    [Decimal("0.3"), Decimal("0.6")] if row["sense"] == ">=" else [Decimal("1.2"), Decimal("0.8")]
                ),
            }
        elif kind == "attribute":
            row |= {"of": "gdp", "bound": rng.choice([Decimal("0.25"), Decimal("1.5")])}
        else:
            row |= {"per": "population", "bound": rng.choice([Decimal("0.2"), Decimal("0.75")])}
        if row.get("of") in ("total", "funds", "average") and rng.random() < 0.4:
            columns = [c for c in ("sectors", "categories", "belts", "regions", "institutions", "tags") if c in row]
            if row.get("each") in ("sector", "category", "belt"):
                columns.append({"sector": "sectors", "category": "categories", "belt": "belts"}[row["each"]])
            if columns:
                row["within"] = rng.choice(sorted(set(columns)))
        if rng.random() < (0.9 if row["sense"] == "=" else 0.15):
            row["penalty"] = rng.choice([Decimal("0.5"), 1, 3])
        if measure in ("benefit", "need") and rng.random() < 0.3:
            row["basis"] = rng.choice(["award", "accepted"])
        rows.append(row)
    del regions, sectors
    return rows


def _links(rng: random.Random, projects: list[Row], options: list[Row], criteria: list[Row]) -> list[Row]:
    able = [row["project"] for row in projects if row.get("min_award") != 0 and row.get("status") is None]
    del options
    rows: list[Row] = []
    if len(able) < 2:
        return rows
    for number in range(rng.choice([0, 1, 1, 2])):
        kind = rng.choice(["requires", "excludes", "all_or_none", "at_least", "at_most", "synergy", "synergy"])
        members = rng.sample(able, rng.randint(2, min(3, len(able))))
        row: Row = {"link": f"link{number}", "kind": kind, "projects": "; ".join(members)}
        if kind in ("at_least", "at_most"):
            row["k"] = 1
        if kind == "synergy":
            row |= {"criterion": rng.choice(criteria)["criterion"], "value": rng.choice([-3, 2, 5])}
        rows.append(row)
    return rows
