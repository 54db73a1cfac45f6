"""Whether a decision is a plan: one thing broken at a time."""

from __future__ import annotations

import copy

import pytest

from integrated_fund.ledger import Ledger
from optalloc.study.diagnosis.keeping import keeps
from optalloc.workbook.grid import Tables
from tests.support.tables import round_of

TABLES: Tables = {
    "Round": [{"setting": "title", "value": "Kept"}, {"setting": "unit", "value": "million"}],
    "Sources": [{"source": "s", "amount": 30, "least": None}],
    "Sectors": [{"sector": "edu"}],
    "Regions": [{"region": "r1", "belt": "east"}],
    "Projects": [
        {
            "project": name,
            "sector": "edu",
            "region": "r1",
            "status": None,
            "min_award": least,
            "max_award": 20,
            "score": 1,
        }
        for name, least in (("a", 10), ("b", None), ("c", 0))
    ],
    "Criteria": [{"criterion": "score", "weight": 1}],
    "Rules": [{"rule": "r", "measure": "award", "sense": "<=", "bound": 40}],
    "Links": [{"link": "l", "kind": "excludes", "projects": "a; b"}],
}


@pytest.mark.parametrize(
    ("changes", "awards", "kept"),
    [
        ({}, {"a": 15, "c": 3}, True),
        ({}, {}, True),
        ({}, {"a": 9}, False),
        ({}, {"a": 21}, False),
        ({}, {"a": 20, "c": 11}, False),  # the money
        ({"Sources.0.least": 1}, {"a": 20, "c": 9}, False),
        ({"Sources.0.least": 1}, {"a": 20, "c": 10}, True),
        ({"Rules.0.bound": 10}, {"a": 11}, False),
        ({}, {"a": 10, "b": 20}, False),  # the link
        ({"Projects.0.status": "mandatory"}, {"b": 20}, False),
        ({"Projects.0.status": "mandatory"}, {"a": 10}, True),
        ({"Projects.0.status": "excluded"}, {"a": 10}, False),
    ],
)
def test_what_is_broken_is_no_plan(changes: dict[str, object], awards: dict[str, int], kept: bool) -> None:
    tables = copy.deepcopy(TABLES)
    for where, value in changes.items():
        sheet, row, column = where.split(".")
        tables[sheet][int(row)][column] = value
    round_ = round_of(tables)
    ledger = Ledger(round_)
    assert keeps(round_, {ledger.choices_of[name][0]: award for name, award in awards.items()}) == kept
