"""Speed and size against references measured in the same run; prints the table of `benchmarks/README.md`.

    .venv/bin/python benchmarks/run.py [start] [end-to-end] [--projects 1000 10000] [--rules 150] [--limit 120]

Whole processes are timed from outside, several times in turn; medians and ratios are printed.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PYTHON = sys.executable

_EMPTY_APP = """
import typer
app = typer.Typer()
for name in ("new", "check", "solve", "verify", "model"):
    @app.command(name)
    def command(argument: str) -> None:
        "A command."
app()
"""

#: HiGHS alone: the same arrays, the same options, timed around the call that solves.
_ALONE = """
import sys, time, pickle, json, numpy as np
from optalloc.solve.solvers.highs import solve_mip
from optalloc.solve.progress import Watch
arrays = pickle.load(open(sys.argv[1], "rb"))
began = time.perf_counter()
outcome = solve_mip(arrays, arrays.levels[0], Watch(float(sys.argv[3])), gap=float(sys.argv[2]))
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "best": outcome.objective, "bound": outcome.bound, "status": outcome.status}))
"""

_ARRAYS = """
import sys, pickle
from dataclasses import replace
from pathlib import Path
from optalloc.api import formulate, read
from optalloc.solve.arrays import arrays_of
arrays = arrays_of(formulate(read(sys.argv[1])))
pickle.dump(replace(arrays, column_of={}, rule_rows={}), open(sys.argv[2], "wb"))
"""

_WRITE = """
import sys
from pathlib import Path
from optalloc.examples.generator import generate
from optalloc.workbook.template import write_template
projects, rules, tightness = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
write_template(Path(sys.argv[1]), generate(projects, seed=7, tightness=tightness, rules=rules), force=True)
"""


def timed(command: list[str]) -> tuple[float, float, str]:
    """Run a command; return wall seconds, peak memory of children so far in MiB, and standard output."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode not in (0, 4):
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr[-500:]}")
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, done.stdout


def compared(name: str, ours: list[str], reference: list[str], runs: int = 5) -> None:
    """Time two commands in turn and print the ratio of their medians."""
    pairs = [(timed(ours)[0], timed(reference)[0]) for _ in range(runs + 1)][1:]
    a, b = (statistics.median(pair[k] for pair in pairs) for k in (0, 1))
    print(f"| {name} | {a:.2f} s | {b:.2f} s | {statistics.median(x / y for x, y in pairs):.2f} |", flush=True)


def start_up(folder: Path) -> None:
    """`--help` against an empty Typer app, `check` on 1,000 projects against importing pandas."""
    app = folder / "empty.py"
    app.write_text(_EMPTY_APP)
    command = [str(Path(PYTHON).parent / "optalloc")]
    compared("`optalloc --help` / empty Typer app", [*command, "--help"], [PYTHON, str(app), "--help"])
    book = folder / "thousand.xlsx"
    timed([PYTHON, "-c", _WRITE, str(book), "1000", "60", "0.5"])
    compared(
        "`optalloc check`, 1,000 projects / `import pandas`",
        [*command, "check", str(book), "--json"],
        [PYTHON, "-c", "import pandas"],
    )


def end_to_end(folder: Path, projects: int, rules: int, limit: float, tightness: float) -> None:
    """`solve` from workbook to workbook against HiGHS alone on the same arrays and gap."""
    book, arrays = folder / f"{projects}.xlsx", folder / f"{projects}.pickle"
    timed([PYTHON, "-c", _WRITE, str(book), str(projects), str(rules), str(tightness)])
    timed([PYTHON, "-c", _ARRAYS, str(book), str(arrays)])
    command = [str(Path(PYTHON).parent / "optalloc"), "solve", str(book), "-o", str(folder / "plan.xlsx"), "--force"]
    ours, memory, text = timed([*command, "--json", "--time-limit", str(limit)])
    document = json.loads(text)
    alone = json.loads(timed([PYTHON, "-c", _ALONE, str(arrays), "0.0001", str(limit)])[2])
    gap = (alone["bound"] - alone["best"]) / abs(alone["best"]) if alone["best"] > -1e300 else float("inf")
    parts = ", ".join(f"{step} {value:.1f}" for step, value in document["seconds"].items())
    what = f"{projects:,} projects, {len(document['rules'])} rule rows"
    own = f"{ours:.1f} s (gap {100 * document['gap']:.4f} %; {parts}; {memory:.0f} MiB)"
    other = f"{alone['seconds']:.1f} s (gap {100 * gap:.4f} %)"
    print(f"| {what} | {own} | {other} | {ours / alone['seconds']:.2f} |", flush=True)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["start", "end-to-end"])
    parser.add_argument("--projects", nargs="*", type=int, default=[1000, 10000])
    parser.add_argument("--rules", type=int, default=150)
    parser.add_argument("--limit", type=float, default=120)
    parser.add_argument("--tightness", type=float, default=0.5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print("| what | optalloc | reference | ratio |\n| --- | --- | --- | --- |", flush=True)
        if "start" in asked.what:
            start_up(Path(name))
        if "end-to-end" in asked.what:
            for projects in asked.projects:
                end_to_end(Path(name), projects, asked.rules, asked.limit, asked.tightness)


if __name__ == "__main__":
    main()
