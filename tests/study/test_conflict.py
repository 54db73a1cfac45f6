"""A conflict against enumeration: together it cannot be kept, with any one left out it can."""

from __future__ import annotations

import numpy as np
import pytest

from integrated_fund.round import Round
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import Outcome
from optalloc.study.diagnosis import conflict as conflict_module
from optalloc.study.diagnosis.conflict import Conflict, conflict_of, decided
from optalloc.study.diagnosis.requirements import Requirements
from optalloc.workbook.grid import Tables
from tests.rule_texts.cells import world_of
from tests.study.by_enumeration import Key, can_be_kept
from tests.study.rounds import infeasible_rounds
from tests.support.tables import round_of


def _keys(conflict: Conflict, round_: Round) -> list[Key]:
    year = round_.first_year
    found: list[Key] = []
    for one in conflict.requirements:
        name = one.name
        if one.kind in ("amount", "least") and "@" not in name and year is not None:
            name = f"{name}@{year}"
        found.append((one.kind, name, one.member))
    return found


def _check(tables: Tables, seed: int) -> str:
    round_ = round_of(tables)
    conflict = conflict_of(Requirements(round_), Watch())
    assert conflict.irreducible, seed
    keys = _keys(conflict, round_)
    assert len(set(keys)) == len(keys) > 0
    world = world_of(tables)
    assert not can_be_kept(world, keys), (seed, keys)
    for key in keys:
        assert can_be_kept(world, [other for other in keys if other != key]), (seed, keys, key)
    return "+".join(sorted({kind for kind, _, _ in keys}))


@pytest.mark.parametrize("first", [0, 1000, 2000])
def test_conflicts_are_irreducible(first: int) -> None:
    kinds = [_check(tables, seed) for seed, tables in infeasible_rounds(first, 12)]
    assert len(set(kinds)) > 2, "these rounds have all the same conflict"


@pytest.mark.slow
def test_many_conflicts_are_irreducible() -> None:
    kinds = " ".join(_check(tables, seed) for seed, tables in infeasible_rounds(5000, 150))
    for kind in ("rule", "amount", "least", "link", "mandatory"):
        assert kind in kinds


def test_large_rounds_are_decided_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """What large rounds are decided by (acceptances with room, then whole steps) gives true answers on small ones."""
    monkeypatch.setattr(conflict_module, "SMALL", 0)
    for seed, tables in infeasible_rounds(3000, 12):
        _check(tables, seed)


def test_soft_rules_are_in_no_conflict() -> None:
    for _, tables in infeasible_rounds(4000, 10):
        soft = {row["rule"] for row in tables.get("Rules", []) if row.get("penalty") is not None}
        conflict = conflict_of(Requirements(round_of(tables)), Watch())
        assert not soft & {one.name for one in conflict.requirements if one.kind == "rule"}


def test_without_requirements_the_empty_plan_is_one() -> None:
    _, tables = infeasible_rounds(0, 1)[0]
    assert decided(Requirements(round_of(tables)), (), Watch()).status == "kept"


def test_a_solver_is_believed_only_in_exact_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """A point that misses requirements shows nothing, whatever the solver says of it."""
    requirements = Requirements(round_of(infeasible_rounds(0, 1)[0][1]))
    nothing = np.zeros(len(requirements.arrays.column_lower))
    monkeypatch.setattr(conflict_module, "solve_mip", lambda *_, **__: Outcome("optimal", nothing, 0.0, 0.0))
    assert decided(requirements, requirements.everything, Watch()).status == "unknown"


def test_a_watch_that_says_stop_leaves_a_conflict_that_is_not_called_irreducible() -> None:
    _, tables = infeasible_rounds(0, 1)[0]
    watch = Watch()
    watch.stop("interrupted")
    conflict = conflict_of(Requirements(round_of(tables)), watch)
    assert not conflict.irreducible
    assert conflict.requirements
