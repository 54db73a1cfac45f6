"""Random rounds without a plan."""

from __future__ import annotations

import random
from decimal import Decimal

from integrated_fund.checks import check
from optalloc.workbook.grid import Tables
from optalloc.workbook.reader import reading_of
from tests.rule_texts.cells import number, world_of
from tests.rule_texts.oracle import best
from tests.rule_texts.rounds import random_tables
from tests.rule_texts.search import Search
from tests.study.by_enumeration import free
from tests.support.tables import grids_of

Row = dict[str, object]


def _harsh(tables: Tables, rng: random.Random) -> None:
    """Make a random round harder: bounds pushed out, money cut, projects mandatory."""
    for row in tables.get("Rules", []):
        if rng.random() < 0.6:
            row["penalty"] = None
            bound = Decimal(str(number(row["bound"]).__float__()))  # type: ignore[union-attr]
            factor = {">=": rng.choice(["1.5", "2", "3"]), "<=": rng.choice(["0.25", "0.5"]), "=": "1.5"}[
                str(row["sense"])
            ]
            moved = (bound * Decimal(factor)).quantize(Decimal("0.01"))
            row["bound"] = min(moved, Decimal(1)) if row.get("of") == "total" else moved
    step = next((Decimal(str(r["value"])) for r in tables["Round"] if r["setting"] == "step"), Decimal(1))
    for row in tables["Sources"]:
        if rng.random() < 0.4:
            steps = int(Decimal(str(row["amount"])) / step)
            row["amount"] = step * rng.randint(steps // 3, steps)
    for row in tables["Projects"]:
        if row.get("min_award") != 0 and row.get("status") in (None, "candidate") and rng.random() < 0.2:
            row["status"] = "mandatory"


def is_valid(tables: Tables) -> bool:
    """Return whether `check` finds no error: links that contradict mandatory projects are errors, no conflict."""
    round_ = reading_of(grids_of(tables), list(tables)).round
    assert round_ is not None
    return all(problem.severity != "error" for problem in check(round_))


def infeasible_rounds(first: int, count: int, most: int = 400) -> list[tuple[int, Tables]]:
    """Return small random rounds of every feature that have no plan, by enumeration."""
    found: list[tuple[int, Tables]] = []
    seed = first
    while len(found) < count:
        rng = random.Random(seed)
        tables = random_tables(rng)
        _harsh(tables, rng)
        if Search(free(world_of(tables))).size <= most and is_valid(tables) and best(tables) is None:
            found.append((seed, tables))
        seed += 1
    return found


def plain_round(seed: int, *, shares: bool) -> Tables:
    """Return a small round of one year and one source, with rules and links that often cannot all be kept."""
    rng = random.Random(seed)
    step = rng.choice([1, 5])
    projects: list[Row] = []
    for n in range(rng.choice([3, 4, 5])):
        high = step * rng.randint(3, 9)
        row: Row = {
            "project": f"p{n}", "sector": rng.choice(["edu", "sci"]), "region": rng.choice(["r1", "r2", "r3"]),
            "status": rng.choice(["candidate", "candidate", "mandatory", "excluded"]),
            "min_award": rng.choice([None, None, high - step]), "max_award": high, "score": rng.randint(1, 9),
        }  # fmt: skip
        projects.append(row)
    total = sum(int(str(row["max_award"])) for row in projects)
    authorities = [None, None, "minutes", "Guideline 7", "Regulation 12", "Budget Law"]
    rules: list[Row] = []
    for n in range(rng.choice([2, 3, 4])):
        kind = rng.choice(["award", "award", "accepted", "heads", *(["total", "funds", "total"] if shares else [])])
        row = {
            "rule": f"q{n}", "measure": "accepted" if kind == "accepted" else "award", "each": None, "per": None,
            "sense": rng.choice([">=", ">=", "<="]), "bound": 1, "of": None, "sectors": None, "belts": None,
            "authority": rng.choice(authorities),
        }  # fmt: skip
        if kind == "award":
            row["bound"] = step * rng.randint(1, total // step)
            row["sense"] = rng.choice([">=", "<=", "="])
        elif kind == "accepted":
            row["bound"] = rng.randint(1, 4)
        elif kind == "heads":  # whole units, so that the grid is the step's
            row |= {"of": None, "bound": step * rng.randint(1, 4), "each": "belt"}
        else:
            row |= {"of": kind, "bound": Decimal(rng.randint(10, 95)) / 100}
        if kind != "heads" and rng.random() < 0.7:
            row |= (
                {"sectors": rng.choice(["edu", "sci"])}
                if rng.random() < 0.5
                else {"belts": rng.choice(["west", "east"])}
            )
        rules.append(row)
    links: list[Row] = []
    if len(projects) > 2 and rng.random() < 0.6:
        names = rng.sample([str(row["project"]) for row in projects], 2)
        links.append(
            {"link": "l1", "kind": rng.choice(["requires", "excludes", "all_or_none"]), "projects": "; ".join(names)}
        )
    source: Row = {"source": "s", "amount": step * rng.randint(2, total // step), "authority": rng.choice(authorities)}
    tables: Tables = {
        "Round": [
            {"setting": "title", "value": "Plain"},
            {"setting": "unit", "value": "million"},
            {"setting": "step", "value": step},
            {"setting": "gap", "value": 0},
        ],
        "Sources": [source],
        "Sectors": [{"sector": "edu"}, {"sector": "sci"}],
        "Regions": [
            {"region": "r1", "belt": "east"}, {"region": "r2", "belt": "west"}, {"region": "r3", "belt": "west"},
        ],
        "Projects": projects,
        "Criteria": [{"criterion": "score", "weight": 1}],
        "Rules": rules,
    }  # fmt: skip
    if links:
        tables["Links"] = links
    return tables


def with_equal_shares(tables: Tables, rng: random.Random) -> bool:
    """Make the shares of the total of a plain round exact; return whether it has any. Some are for every belt alike."""
    shares = [row for row in tables["Rules"] if row["of"] == "total"]
    for row in shares:
        row["sense"] = "="
        if rng.random() < 0.3:
            row |= {"measure": "accepted", "belts": None, "each": "belt", "within": rng.choice([None, "belts"])}
    if shares and tables["Rules"][0].get("within", 0) == 0:
        tables["Rules"][0]["within"] = None
    return bool(shares)


def equal_share_rounds(first: int, count: int) -> list[tuple[int, Tables]]:
    """Return plain rounds with shares that are exact and that have no plan, by enumeration."""
    found: list[tuple[int, Tables]] = []
    seed = first
    while len(found) < count:
        tables = plain_round(seed, shares=True)
        exact = with_equal_shares(tables, random.Random(seed))
        if exact and is_valid(tables) and best(tables) is None:
            found.append((seed, tables))
        seed += 1
    return found


def plain_rounds(first: int, count: int, *, shares: bool) -> list[tuple[int, Tables]]:
    """Return plain rounds that have no plan, by enumeration."""
    found: list[tuple[int, Tables]] = []
    seed = first
    while len(found) < count:
        tables = plain_round(seed, shares=shares)
        if is_valid(tables) and best(tables) is None:
            found.append((seed, tables))
        seed += 1
    return found
