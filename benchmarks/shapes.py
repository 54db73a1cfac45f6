"""The rounds that the benchmarks are about, written as a workbook with its projects on a sheet or in a Parquet file.

    .venv/bin/python benchmarks/shapes.py loose 100000 FOLDER [--rules 20] [--parquet]

Rule rows that bind in the linear relaxation (duals not 0) at 2,400, 10,000 and 100,000 projects, as `rivals.py --lp`
counts them; of the 24 rows of sources 9 bind each time:

| shape | rows | bind | |
| --- | --- | --- | --- |
| loose | 20 | 5, 4, 4 | bounds well off what a plan reaches |
| tight | 144 | 41, 43, not counted | members of a rule share the bound of the worst, and only that one binds |
| tighter | 138, 144, 144 | 96, 103, 102 | every member has a bound of its own |
| yes_no | 138, 144 | 93, 98, not counted | tighter, without amounts to choose: block grants too are all or nothing |

`pounds`: 15,668 all-or-nothing projects in single pounds, two sources, twelve regional floors.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from integrated_fund.collector import collector_paused
from optalloc.examples import rulebook
from optalloc.examples.drafts import MEASURES, Draft, Plan, draft_block_grants, draft_round
from optalloc.examples.generator import FIRST_YEAR, generate
from optalloc.workbook.grid import Tables
from optalloc.workbook.template import write_template

SEED = 7
YEARS = 3


def loose(projects: int, rules: int = 20) -> Tables:
    """Return a round with few binding rules."""
    return generate(projects, seed=SEED, years=YEARS, tightness=0.2, rules=rules)


def tight(projects: int, rules: int = 150) -> Tables:
    """Return a round whose rules stand as near to a plan as their decimals allow."""
    return generate(projects, seed=SEED, years=YEARS, tightness=1, rules=rules)


def tighter(projects: int, rules: int = 150) -> Tables:
    """Return a round in which every member of every rule has a bound of its own, as near to a plan as its grid allows.

    In a tight round the members of a rule share the bound of the one that comes off worst, and only that one binds.
    """
    tables = generate(projects, seed=SEED, years=YEARS, tightness=1, rules=0)
    tables["Rules"] = _member_rules(*reference(projects), tables, rules)
    return tables


def yes_no(projects: int, rules: int = 150) -> Tables:
    """Return a tighter round without amounts to choose: projects all or nothing, block grants at the plan's amounts."""
    tables = tighter(projects, rules)
    drafts, plan = reference(projects)
    grants = {draft.project for draft in drafts if draft.is_block_grant}
    rows = []
    for row in tables["Projects"]:
        name, most = str(row["project"]), row["max_award"]
        if name in grants:
            award = plan.awards[name]
            if not award:
                continue
            assert isinstance(most, Decimal)
            measures = {m: int(Decimal(str(row[m])) * award / most) for m in MEASURES}
            rows.append({**row, "min_award": None, "max_award": Decimal(award), **measures})
        else:
            rows.append({**row, "min_award": None})
    tables["Projects"] = rows
    return tables


def reference(projects: int) -> tuple[list[Draft], Plan]:
    """Return the drafts of a generated round, block grants last, and the plan that it is built around.

    The generator draws these first, so the same seed draws them again.
    """
    draw = random.Random(SEED)
    drafts, plan = draft_round(projects, YEARS, draw)
    return drafts + draft_block_grants(YEARS, plan.awards, draw), plan


def _member_rules(drafts: list[Draft], plan: Plan, tables: Tables, limit: int) -> list[dict[str, object]]:
    funds = sum(int(str(row["amount"])) for row in tables["Sources"])
    books = rulebook.post(drafts, plan, funds, FIRST_YEAR, YEARS)
    leading = tuple(sorted({str(draft.institution) for draft in drafts if draft.category == "platform"}))
    rows: list[dict[str, object]] = []
    for family in rulebook._families(leading):
        members = rulebook._members(family, books, leading)
        if len(rows) + len(members) > limit:
            continue
        for member in members:
            bound = rulebook._bound(family, (member,), books, Fraction(1))
            if not bound:
                continue
            row = rulebook._row(family, bound)
            if family.each is not None and member is not None:
                row |= {"rule": f"{family.rule}_{member}", "each": None, rulebook._COLUMN_OF[family.each]: member}
            rows.append(row)
    return rows


def pounds(projects: int = 15_668) -> Tables:
    """Return a synthetic round in single pounds: 4.6 x 10^9 for a bit more than half of what is asked."""
    draw = random.Random(SEED)
    regions = [f"region_{number:02d}" for number in range(12)]
    asked = dict.fromkeys(regions, 0)
    rows: list[dict[str, object]] = []
    for number in range(projects):
        amount = min(20_000_000, max(10_000, int(draw.lognormvariate(12.6, 1.1))))
        region = draw.choices(regions, weights=range(2, 14))[0]
        asked[region] += amount
        rows.append(
            {
                "project": f"P{number:05d}",
                "sector": f"s{draw.randrange(5)}",
                "region": region,
                "max_award": amount,
                "score": max(1, int(amount / 10_000 * draw.lognormvariate(0, 0.5))),
            }
        )
    budget = 4_600_000_000
    share = min(1.0, budget / sum(asked.values()))
    return {
        "Round": [
            {"setting": "title", "value": "Single pounds"},
            {"setting": "unit", "value": "GBP"},
            {"setting": "step", "value": 1},
        ],
        "Sources": [
            {"source": "main", "amount": budget * 7 // 10, "sectors": None},
            {"source": "science", "amount": budget * 3 // 10, "sectors": "s0; s1; s2"},
        ],
        "Sectors": [{"sector": f"s{number}", "title": f"Sector {number}"} for number in range(5)],
        "Regions": [{"region": region, "belt": "all"} for region in regions],
        "Projects": rows,
        "Criteria": [{"criterion": "score", "weight": 1, "direction": "max"}],
        "Rules": [
            {
                "rule": f"floor_{region}",
                "measure": "award",
                "regions": region,
                "sense": ">=",
                "bound": int(asked[region] * share * (0.8 + 0.35 * draw.random())),
            }
            for region in regions
        ],
    }


_GENERATED: Mapping[str, Callable[..., Tables]] = MappingProxyType(
    {"loose": loose, "tight": tight, "tighter": tighter, "yes_no": yes_no}
)


def write(tables: Tables, folder: Path, *, parquet: bool) -> Path:
    """Write a round's workbook into a folder, its projects beside it as Parquet if so wished; return the workbook."""
    folder.mkdir(parents=True, exist_ok=True)
    book = folder / "round.xlsx"
    if parquet:
        projects = tables.pop("Projects")
        headings = list(dict.fromkeys(heading for row in projects for heading in row))
        columns = {heading: _column([row.get(heading) for row in projects]) for heading in headings}
        pq.write_table(pa.table(columns), folder / "projects.parquet")
        tables["Round"].append({"setting": "projects_file", "value": "projects.parquet"})
    write_template(book, tables, force=True)
    return book


def _column(cells: list[object]) -> pa.Array:
    filled = [cell for cell in cells if cell is not None]
    if filled and all(isinstance(cell, int | Decimal) for cell in filled):
        exact = [None if cell is None else Decimal(str(cell)) for cell in cells]
        return pa.array(exact, pa.decimal128(18, 2))
    return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=(*_GENERATED, "pounds"))
    parser.add_argument("projects", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rules", type=int)
    parser.add_argument("--parquet", action="store_true")
    asked = parser.parse_args()
    with collector_paused():
        if asked.shape == "pounds":
            tables = pounds(asked.projects)
        else:
            shape = _GENERATED[asked.shape]
            tables = shape(asked.projects) if asked.rules is None else shape(asked.projects, asked.rules)
        print(write(tables, asked.folder, parquet=asked.parquet))


if __name__ == "__main__":
    main()
