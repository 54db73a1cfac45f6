"""Rounds with their prices and an elastic core, as the search for plans of tight rounds has them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from integrated_fund.fund import Fund
from optalloc.solve.arrays import Arrays, Vector, arrays_of
from optalloc.solve.core.cores import CoreSearch
from optalloc.solve.core.groups import NoState
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.core.sifting import priced
from optalloc.solve.elastic import Elastic
from optalloc.solve.exactness import Held
from optalloc.solve.progress import Watch
from optalloc.solve.record import Record
from optalloc.solve.solvers.highs import solve_lp
from optalloc.workbook.grid import Tables
from tests.support.tables import round_of


@dataclass(frozen=True)
class Priced:
    """A priced round and a core of it."""

    record: Record
    pricing: Pricing
    elastic: Elastic
    bound: float
    search: CoreSearch

    @property
    def whole(self) -> tuple[Arrays, Vector]:
        """All of the elastic core as a programme, its slack behind, and the cost. (Not all of `Arrays` is of use.)"""
        arrays = self.elastic.slim.arrays
        columns, rows = np.arange(len(self.elastic.slim.cost)), np.arange(len(arrays.row_lower))
        programme, cost, _, _ = self.elastic.programme(columns, rows)
        return replace(arrays, **vars(programme)), cost

    def with_decided(self, elastic: Elastic, decided: Sequence[int] | np.ndarray, value: Vector) -> float:
        """Return what decisions are worth, solved by HiGHS from scratch."""
        arrays, cost = replace(self, elastic=elastic).whole
        at = np.asarray(decided, dtype=np.int64)
        outcome = solve_lp(arrays.with_bounds(at, value, value), cost, Watch())
        assert outcome.status == "optimal"
        return outcome.objective + elastic.constant


def priced_round(
    tables: Tables, *, core: int | None = None, level: int = 0, held: tuple[Held, ...] = ()
) -> Priced | None:
    """Price a round and take a core of so many projects, all when None; None where it has no linear solution."""
    fund = Fund(round_of(tables))
    arrays = arrays_of(fund)
    record = Record(fund, arrays, level, held, 0.0, Watch())
    try:
        pricing = Pricing(record.base, record.cost, fund.ledger.project_of)
    except NoState:
        return None
    prices = priced(pricing, record.watch)
    if prices is None:
        return None
    record.bound = prices.bound
    search = CoreSearch(record, pricing, prices)
    inside = search.columns(search.core(pricing.groups.projects if core is None else core))
    elastic = Elastic.of(record, pricing, prices.y, inside, prices.vertex.x)
    # What is held against the programme solved from scratch is not drawn in.
    elastic = replace(elastic, margin=np.zeros(len(elastic.rows)))
    return Priced(record, pricing, elastic, prices.bound, search)


def dozen(seed: int, projects: int = 12, *, options: bool = False) -> Tables:
    """Return a round of a dozen projects with a rule on every sector, region and category, each as near to a hidden
    plan as tight rounds have it."""
    draw = random.Random(seed)
    rows: list[dict[str, object]] = []
    chosen: list[tuple[dict[str, object], int]] = []
    for number in range(projects):
        most = draw.randint(4, 30)
        least = draw.choice([most, most, most // 2, 0]) or None
        row: dict[str, object] = {
            "project": f"P{number}",
            "sector": f"s{draw.randrange(3)}",
            "region": f"r{draw.randrange(3)}",
            "category": f"c{draw.randrange(3)}",
            "min_award": least,
            "max_award": most,
            "score": draw.randint(5, 60),
        }
        rows.append(row)
        if draw.random() < 0.5:
            chosen.append((row, draw.randint(least or most, most)))
    rules: list[dict[str, object]] = []
    for column in ("sector", "region", "category"):
        for value in sorted({str(row[column]) for row in rows}):
            total = sum(award for row, award in chosen if row[column] == value)
            sense = draw.choice(["<=", ">="])
            if total:
                heading = {"sector": "sectors", "region": "regions", "category": "categories"}[column]
                rules.append(
                    {"rule": f"{value}_award", "measure": "award", heading: value, "sense": sense, "bound": total}
                )
    tables: Tables = {
        "Round": [{"setting": "title", "value": "A dozen"}, {"setting": "unit", "value": "million"}],
        "Sources": [{"source": "main", "amount": Decimal(sum(award for _, award in chosen) or 10)}],
        "Sectors": [{"sector": f"s{number}", "title": f"Sector {number}"} for number in range(3)],
        "Regions": [{"region": f"r{number}", "belt": "all"} for number in range(3)],
        "Projects": rows,
        "Criteria": [{"criterion": "score", "weight": 1, "direction": "max"}],
        "Rules": rules,
    }
    if options:
        tables["Options"] = [
            {
                "project": row["project"],
                "option": "small",
                "max_award": max(1, int(str(row["max_award"])) // 2),
                "score": 9,
            }
            for row in rows[::2]
        ]
    return tables
