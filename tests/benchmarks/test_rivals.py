"""Rivals on a round's arrays: both find what our own solve finds, and the linear programme is no less."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.rivals import save
from optalloc.api import formulate, solve
from optalloc.solve.arrays import arrays_of
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_mip
from tests.support.tables import round_of, sound_tables

_RIVALS = Path(__file__).parents[2] / "benchmarks" / "rivals.py"


@pytest.mark.parametrize("asked", [["--solver", "highs"], ["--solver", "scip"], ["--lp"]])
def test_a_rival_alone(tmp_path: Path, asked: list[str]) -> None:
    round_ = round_of(sound_tables())
    arrays = arrays_of(formulate(round_))
    save(arrays, tmp_path / "arrays.pickle")
    best = solve_mip(arrays, arrays.levels[0], Watch(20), gap=0)
    assert best.x is not None
    np.save(tmp_path / "start.npy", best.x)
    start = [] if "--lp" in asked else ["--start", str(tmp_path / "start.npy")]
    command = [sys.executable, str(_RIVALS), str(tmp_path / "arrays.pickle"), *asked, *start, "--gap", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = json.loads(done.stdout)
    assert set(line) == {"solver", "seconds", "best", "bound", "gap", "status"}
    objective = solve(round_, gap=0).objective
    if asked == ["--lp"]:
        assert line["best"] >= float(objective) - 1e-6
    else:
        assert line["best"] == pytest.approx(float(objective), abs=1e-6)
        assert line["gap"] <= 1e-6
