"""A round against HiGHS alone and SCIP alone: the same arrays, the same gap, the same clock, one thread each.

    .venv/bin/python benchmarks/against.py ROUND.xlsx --limit 60 [--gap 0.0001] [--lp] [--without scip]

Each runs in a process of its own, one after the other. Rivals are timed around the call that solves; of optalloc the
`solve` step is taken (its ledger is built before, as the rivals' arrays are). `--lp` adds the time of HiGHS's
linear relaxation. A rival that is still running long after its limit is stopped from outside.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

_ARRAYS = """
import sys, pickle
from dataclasses import replace
from pathlib import Path
from integrated_fund.fund import fund_for_solving
from optalloc.api import read
from optalloc.solve.arrays import arrays_of
arrays = arrays_of(fund_for_solving(read(sys.argv[1])))
pickle.dump(replace(arrays, column_of={}, row_names=(), column_names=()), open(sys.argv[2], "wb"))
"""

_HIGHS = """
import sys, time, pickle, json
from optalloc.solve import highs
highs.GRACE = 1e9
arrays = pickle.load(open(sys.argv[1], "rb"))
gap, limit = float(sys.argv[2]), float(sys.argv[3])
watch = highs.Watch(limit)
began = time.perf_counter()
if sys.argv[4] == "lp":
    outcome = highs.solve_lp(arrays, arrays.levels[0], highs.Watch())
else:
    outcome = highs.solve_mip(arrays, arrays.levels[0], watch, gap=gap, telling="time")
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "best": outcome.objective, "bound": outcome.bound}))
"""

_SCIP = """
import sys, time, pickle, json, tempfile, pathlib
import pyscipopt
from optalloc.solve import highs
arrays = pickle.load(open(sys.argv[1], "rb"))
solver, _ = highs._loaded(arrays, arrays.levels[0], arrays.integer, scaled=False)
with tempfile.TemporaryDirectory() as folder:
    path = str(pathlib.Path(folder) / "model.mps")
    solver.writeModel(path)
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(path)
model.setParam("limits/gap", float(sys.argv[2]))
model.setParam("limits/time", float(sys.argv[3]))
began = time.perf_counter()
model.optimize()
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "best": -model.getPrimalbound(), "bound": -model.getDualbound()}))
"""


def run(command: list[str], limit: float) -> dict[str, float] | None:
    """Run one process; None where it had to be stopped from outside."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode not in (0, 4):
        raise RuntimeError(f"{command[:3]} ended with {done.returncode}: {done.stderr[-800:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def words(found: dict[str, float] | None) -> str:
    """Return seconds and gap."""
    if found is None:
        return "overran its limit by a minute"
    best, bound = found["best"], found["bound"]
    if best is None or abs(best) > 1e19:
        return f"{found['seconds']:.1f} s, no plan"
    return f"{found['seconds']:.1f} s, gap {100 * abs(bound - best) / max(abs(best), 1e-9):.5f} %"


def main() -> None:
    """Run what the command line asks for and print one row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("round", type=Path)
    parser.add_argument("--limit", type=float, default=60)
    parser.add_argument("--gap", default="0.0001")
    parser.add_argument("--lp", action="store_true")
    parser.add_argument("--without", nargs="*", default=[])
    asked = parser.parse_args()
    python, outside = sys.executable, asked.limit + 240
    command = str(Path(python).parent / "optalloc")
    own = [command, "solve", str(asked.round), "--json", "--gap", asked.gap, "--time-limit", str(asked.limit)]
    document = run(own, outside)
    cells = [asked.round.parent.name]
    if document is None:
        cells.append("overran")
    else:
        seconds = document["seconds"]["solve"]  # type: ignore[index]
        cells.append(words({"seconds": seconds, "best": document["objective"], "bound": document["bound"]}))
    with tempfile.TemporaryDirectory() as folder:
        arrays = str(Path(folder) / "arrays.pickle")
        subprocess.run([python, "-c", _ARRAYS, str(asked.round), arrays], check=True)
        for name, program in (("highs", _HIGHS), ("scip", _SCIP)):
            if name not in asked.without:
                rival = [python, "-c", program, arrays, asked.gap, str(asked.limit), "mip"]
                cells.append(words(run(rival, outside if name == "scip" else asked.limit + 60)))
        if asked.lp:
            relaxed = run([python, "-c", _HIGHS, arrays, asked.gap, "0", "lp"], 600)
            cells.append("over 600 s" if relaxed is None else f"LP {relaxed['seconds']:.1f} s")
    print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
