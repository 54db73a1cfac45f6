"""The rounds that the benchmarks are about, written as a workbook with its projects on a sheet or in a Parquet file.

    .venv/bin/python benchmarks/shapes.py loose 100000 FOLDER [--parquet]

`loose`: few binding rules (about 10 of 20 rows). `tight`: 144 rows of rules, about 50 of them and 20 rows of sources
bind in the linear relaxation. `pounds`: 15,668 all-or-nothing projects in single pounds, two sources, twelve regional
floors.
"""

from __future__ import annotations

import argparse
import random
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from integrated_fund.collector import collector_paused
from optalloc.examples.generator import generate
from optalloc.workbook.grid import Tables
from optalloc.workbook.template import write_template

SEED = 7


def loose(projects: int, rules: int = 20) -> Tables:
    """Return a round with few binding rules."""
    return generate(projects, seed=SEED, tightness=0.2, rules=rules)


def tight(projects: int, rules: int = 150) -> Tables:
    """Return a round whose rules stand as near to a plan as their decimals allow."""
    return generate(projects, seed=SEED, tightness=1, rules=rules)


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
    parser.add_argument("shape", choices=("loose", "tight", "pounds"))
    parser.add_argument("projects", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rules", type=int)
    parser.add_argument("--parquet", action="store_true")
    asked = parser.parse_args()
    with collector_paused():
        if asked.shape == "pounds":
            tables = pounds(asked.projects)
        else:
            shape = {"loose": loose, "tight": tight}[asked.shape]
            tables = shape(asked.projects) if asked.rules is None else shape(asked.projects, asked.rules)
        print(write(tables, asked.folder, parquet=asked.parquet))


if __name__ == "__main__":
    main()
