"""Awards of very many steps: a finer step never gives a worse plan, and none is called impossible."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from integrated_fund.fund import Fund
from optalloc.solve.manifest import Request
from optalloc.solve.progress import Watch
from optalloc.solve.search import Method
from optalloc.solve.solution import Solution, solution_of
from tests.support.elastic import dozen
from tests.support.tables import round_of


def _value(seed: int, digits: int, method: Method) -> Solution:
    round_ = round_of(dozen(seed))
    found = solution_of(Fund(replace(round_, step=Decimal(1).scaleb(-digits))), Watch(), Request(Decimal(0), method))
    assert isinstance(found, Solution), f"a plan exists: {seed}, {digits} digits, {method}"
    return found


@pytest.mark.parametrize("method", ["direct", "core", "auto"])
@pytest.mark.parametrize("seed", range(1, 7))
def test_a_finer_step_is_no_worse(seed: int, method: Method) -> None:
    whole = _value(seed, 0, "direct")
    for digits in (6, 8):
        fine = _value(seed, digits, method)
        assert fine.best.is_plan
        assert fine.evaluation.levels[0] >= whole.evaluation.levels[0]
        assert fine.founds[0].bound is not None
        assert fine.founds[0].bound >= fine.evaluation.levels[0]
