"""A workbook read and checked: everything that is wrong with it in one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from integrated_fund.checks import check
from integrated_fund.collector import collector_paused
from optalloc.workbook.reader import Reading, read_round


def read_and_check(path: Path, sets: Sequence[str] = ()) -> Reading:
    """Read a workbook and run every check that can be run on what was read.

    Raises:
        WorkbookUnreadable: the file is no workbook that can be read.
        WrongUse: a change names something that is not there.
    """
    reading = read_round(path, sets)
    if reading.round is None:
        return reading
    # A cell that could not be read holds a neutral value: what the checks say of it would mislead.
    faulty = {problem.place for problem in reading.problems if problem.severity == "error"}
    with collector_paused():
        found = check(reading.round, rows_only=reading.has_errors)
    return replace(reading, problems=reading.problems + tuple(p for p in found if p.place not in faulty))
