"""A run measured as a process, kept in a CSV, drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.curve import Run, append, draw, measured, runs_in

_RUN = Run("tight", 1000, 5, 60.0, 4, 0.4, 0.2, 3.0, 0.1, 4.1, "optimal", 0.00005, 250)


def test_runs_come_back_in_order_and_the_last_of_a_repeated_one(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    larger = replace(_RUN, projects=10_000, status="unknown", rule_rows=None, gap=None)
    again = replace(_RUN, solve=2.5)
    for run in (larger, _RUN, replace(_RUN, shape="loose"), again):
        append(run, path)
    assert runs_in(path, "tight") == [again, larger]
    assert runs_in(path, "loose") == [replace(_RUN, shape="loose")]


def test_a_run_is_a_whole_process() -> None:
    run = measured("loose", 300, 5, 5.0)
    assert (run.projects, run.rules) == (300, 5)
    assert run.rule_rows is not None
    assert 0 < run.rule_rows <= 5
    assert run.total >= run.read + run.build + run.solve + run.write
    assert run.status in ("optimal", "feasible")
    assert run.peak_mib > 50


def test_the_picture_marks_gaps_left(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "curve.svg"
    draw([_RUN, replace(_RUN, projects=10_000, total=50.0, status="feasible")], path)
    text = path.read_text()
    assert "rows of rules" in text
    assert "10,000 projects" in text
