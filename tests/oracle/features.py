"""Which features a random round exercises, so that no test runs on empty."""

from __future__ import annotations

from typing import Any

from optalloc.workbook.grid import Tables
from tests.oracle.oracle import Answer, Oracle


def features(tables: Tables, answer: Answer | None) -> set[str]:
    """Return the names of everything a round has in it, and how its optimum stands.

    A rule binds where the round without its hard rules has a better optimum.
    """
    settings: dict[str, Any] = {str(row["setting"]): row["value"] for row in tables["Round"]}
    found = {"feasible" if answer is not None else "infeasible"}
    if answer is not None:
        soft = [row for row in tables["Rules"] if row.get("penalty") is not None]
        free = Oracle({**tables, "Rules": soft}).best()
        assert free is not None
        if free.levels > answer.levels:
            found.add("binding")
    if settings.get("years", 1) != 1:
        found.add("years")
    found |= {name for name in ("discount", "method") if name in settings}
    for row in tables["Sources"]:
        found |= {f"source {column}" for column in ("least", "carry_over") if row.get(column)}
        if set(row) & {"sectors", "belts", "tags", "regions"}:
            found.add("earmark")
    for row in tables["Projects"]:
        if row.get("min_award") is not None:
            found.add("block grant" if row["min_award"] == 0 else "varying award")
        if ":" in str(row["region"]):
            found.add("several regions")
        if row.get("status"):
            found.add(f"status {row['status']}")
        if row.get("start_to") and row["start_to"] != row["start_from"]:
            found.add("start window")
    if tables["Options"]:
        found.add("options")
    for row in tables["Rules"]:
        found.add(f"sense {row['sense']}")
        found.add(f"of {row.get('of')}")
        found |= {column for column in ("each", "within", "penalty", "basis") if row.get(column)}
    for row in tables["Links"]:
        found.add("synergy" if row["kind"] == "synergy" else "link")
    if any(row.get("direction") == "min" for row in tables["Criteria"]):
        found.add("min")
    return found
