"""The workbooks in `data/` are what `optalloc new --example` writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrated_fund.digest import round_digest
from optalloc.examples import EXAMPLES
from optalloc.workbook.reading import read_and_check
from tests.support.tables import round_of

DATA = Path(__file__).parents[2] / "data"


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_workbook_is_the_example(name: str) -> None:
    reading = read_and_check(DATA / f"{name}.xlsx")
    assert not reading.has_errors
    assert reading.round is not None
    assert round_digest(reading.round) == round_digest(round_of(EXAMPLES[name]()))
