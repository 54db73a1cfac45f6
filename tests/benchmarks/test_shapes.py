"""Rounds with a bound for every member: the plan they are built around is one, and many more of their rules bind."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.shapes import reference, tight, tighter, yes_no
from integrated_fund.fund import Fund
from optalloc.solve.arrays import arrays_of
from optalloc.solve.exactness import judge
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_lp
from optalloc.workbook.grid import Tables
from tests.support.tables import round_of

_PROJECTS = 400


@pytest.mark.parametrize("tables", [tighter(_PROJECTS), yes_no(_PROJECTS)], ids=["tighter", "yes_no"])
def test_the_reference_plan_keeps_every_rule(tables: Tables) -> None:
    plan = reference(_PROJECTS)[1]
    fund = Fund(round_of(tables))
    first = fund.round.first_year
    assert first is not None
    wanted = {(name, plan.starts[name]): award for name, award in plan.awards.items() if award}
    decision = {}
    for number, choice in enumerate(fund.ledger.choices):
        assert choice.start is not None
        if choice.option is None and (name := (choice.project.project, choice.start - first)) in wanted:
            decision[number] = wanted.pop(name)
    assert not wanted
    assert judge(fund, decision, ()).is_plan


def test_members_with_a_bound_of_their_own_bind_more_often() -> None:
    assert _binding(tighter(_PROJECTS)) > 1.5 * _binding(tight(_PROJECTS))


def test_yes_no_rounds_have_no_amount_to_choose() -> None:
    fund = Fund(round_of(yes_no(_PROJECTS)))
    assert all(choice.is_all_or_nothing for choice in fund.ledger.choices)


def _binding(tables: Tables) -> int:
    arrays = arrays_of(Fund(round_of(tables)))
    duals = solve_lp(arrays, arrays.levels[0], Watch(20)).row_duals
    assert duals is not None
    return int(np.count_nonzero(np.abs(duals[list(arrays.rule_rows.values())]) > 1e-9))
