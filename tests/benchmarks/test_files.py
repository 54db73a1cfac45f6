"""The bare libraries take and write every cell, and each side is measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.files import Cells, _cells_of, libraries_part

_FILES = Path(__file__).parents[2] / "benchmarks" / "files.py"


def test_a_row_of_the_table(tmp_path: Path) -> None:
    command = [sys.executable, str(_FILES), "--projects", "300", "--runs", "1", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    heading, line, row = done.stdout.splitlines()
    assert heading.count("|") == line.count("|") == row.count("|") == 5
    assert row.startswith("| 300 projects")
    assert row.count("MiB") == 2
    plan, written = tmp_path / "plan.xlsx", tmp_path / "written.xlsx"
    assert set(libraries_part(tmp_path / "round.xlsx", plan, written)) == {"read", "write"}
    ours, bare = _cells_of(plan), _cells_of(written)
    assert list(ours) == list(bare)
    assert {name: _filled(cells) for name, cells in ours.items()} == {name: _filled(bare[name]) for name in bare}


def _filled(rows: Cells) -> list[list[str]]:
    """Return what stands in each filled row; the library writes fewer digits than a double has."""
    shown = [[format(cell, ".12g") if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    return [filled for row in shown if (filled := [cell for cell in row if cell])]
