"""How time and memory grow with projects and with rules: whole `optalloc solve` processes, a CSV and its picture.

    .venv/bin/python benchmarks/curve.py --sizes 1000 3000 10000 --rules 5 50 150 [--shape tight] [--limit 60]
    .venv/bin/python benchmarks/curve.py --draw

Each size is solved with each number of rules, from the round's file to the plan's files. A row for each run goes to
the end of `curve.csv`, then `curve.svg` is drawn from all rows of the shape (`--draw`: only that, `--measure`: not
that; drawing needs matplotlib). From 20,000 projects on, projects are read from a Parquet file beside the workbook.
Where a run has been repeated the last one is drawn.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PYTHON = sys.executable
HERE = Path(__file__).parent

#: From this number of projects on they are read from a Parquet file.
PARQUET_FROM = 20_000

#: How a status is marked, and the colour inside (None: that of the line).
_MARKS = {"optimal": ("o", None), "feasible": ("o", "white"), "unknown": ("x", None)}

STEPS = ("read", "build", "solve", "write")

#: What is wanted of a document that may be larger than this process should become: a process starts at the size of the
#: one that makes it, so that the peak of the next run would be ours.
_WANTED = """
import json, sys
document = json.load(open(sys.argv[1]))
rules = None if document["rules"] is None else len(document["rules"])
print(json.dumps({"rule_rows": rules, **{key: document[key] for key in ("status", "gap", "seconds")}}))
"""


@dataclass(frozen=True)
class Run:
    """One run: seconds of its steps and of the whole process, the proven relative gap, the peak of its memory in MiB.

    `limit` is the search's, in seconds; `rules` is what the generator was asked for, `rule_rows` what the plan lists,
    members counted. Without a plan within the limit the status is `unknown`, and `rule_rows` and `gap` are None.
    """

    shape: str
    projects: int
    rules: int
    limit: float
    rule_rows: int | None
    read: float
    build: float
    solve: float
    write: float
    total: float
    status: str
    gap: float | None
    peak_mib: int


def measured(shape: str, projects: int, rules: int, limit: float) -> Run:
    """Invent a round, solve it as a process of its own, and return what that took.

    Raises:
        RuntimeError: the process ended with neither a plan nor its limit.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writing = [PYTHON, str(HERE / "shapes.py"), shape, str(projects), name, "--rules", str(rules)]
        subprocess.run(
            [*writing, *(["--parquet"] if projects >= PARQUET_FROM else [])], check=True, capture_output=True
        )
        command = [str(Path(PYTHON).parent / "optalloc"), "solve", str(folder / "round.xlsx"), "--json"]
        command += ["-o", str(folder / "plan.xlsx"), "--time-limit", str(limit)]
        printed, complaints = folder / "printed.json", folder / "complaints.txt"
        with printed.open("wb") as out, complaints.open("wb") as trouble:
            began = time.perf_counter()
            process = subprocess.Popen(command, stdout=out, stderr=trouble)
            _, state, used = os.wait4(process.pid, 0)
            total = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(state)
        if process.returncode not in (0, 4):
            raise RuntimeError(f"{command} ended with {process.returncode}: {complaints.read_text()[-500:]}")
        asking = [PYTHON, "-c", _WANTED, str(printed)]
        found = json.loads(subprocess.run(asking, check=True, capture_output=True, text=True).stdout)
    return Run(
        shape=shape,
        projects=projects,
        rules=rules,
        limit=limit,
        rule_rows=found["rule_rows"],
        **{step: round(found["seconds"][step], 2) for step in STEPS},
        total=round(total, 2),
        status=found["status"],
        gap=found["gap"],
        peak_mib=round(used.ru_maxrss / 1024),
    )


def append(run: Run, path: Path) -> None:
    """Write a run to the end of the CSV, headings first where there is no file yet."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Run)], lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(asdict(run))


def runs_in(path: Path, shape: str) -> list[Run]:
    """Return the runs of a shape, by projects and rules; of a run repeated, the last."""
    last: dict[tuple[int, int], Run] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            run = Run(
                shape=row["shape"],
                projects=int(row["projects"]),
                rules=int(row["rules"]),
                limit=float(row["limit"]),
                rule_rows=int(row["rule_rows"]) if row["rule_rows"] else None,
                **{step: float(row[step]) for step in STEPS},
                total=float(row["total"]),
                status=row["status"],
                gap=float(row["gap"]) if row["gap"] else None,
                peak_mib=int(row["peak_mib"]),
            )
            if run.shape == shape:
                last[run.projects, run.rules] = run
    return [last[key] for key in sorted(last)]


def draw(runs: list[Run], path: Path) -> None:
    """Draw seconds and memory by projects at the most rules, and seconds by rule rows for each size.

    A run whose gap was not closed within its limit has a hollow mark, one without a plan a cross.
    """
    import matplotlib as mpl  # type: ignore[import-not-found,unused-ignore]
    from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]

    mpl.rcParams.update({"svg.hashsalt": "curve", "svg.fonttype": "none", "font.size": 9, "axes.grid": True})
    figure = Figure(figsize=(12, 4), layout="constrained")
    by_size, by_rules, memory = figure.subplots(1, 3)
    most = max(run.rules for run in runs)
    at_most = [run for run in runs if run.rules == most]

    def line(axes: Any, points: Iterable[tuple[float, float, str]], label: str) -> None:
        xs, ys, statuses = zip(*points, strict=True)
        (drawn,) = axes.plot(xs, ys, label=label)
        for x, y, status in zip(xs, ys, statuses, strict=True):
            mark, face = _MARKS[status]
            axes.plot([x], [y], mark, color=drawn.get_color(), markerfacecolor=face or drawn.get_color())

    for step in (*STEPS, "total"):
        # A step of no time at all (nothing to write) has no place on a logarithmic axis.
        points = [(run.projects, getattr(run, step), run.status) for run in at_most if getattr(run, step) > 0]
        if points:
            line(by_size, points, step)
    by_size.set(xscale="log", yscale="log", xlabel="projects", ylabel="seconds", title=f"{most} rules asked for")
    for projects in sorted({run.projects for run in runs}):
        points = [(run.rules, run.solve, run.status) for run in runs if run.projects == projects]
        line(by_rules, points, f"{projects:,} projects")
    by_rules.set(xlabel="rows of rules asked for", ylabel="seconds", title="The search alone")
    line(memory, [(run.projects, run.peak_mib, run.status) for run in at_most], "peak")
    memory.set(xscale="log", xlabel="projects", ylabel="MiB", title=f"Peak memory, {most} rules asked for")
    for axes in (by_rules, memory):
        axes.set_ylim(bottom=0)
    for axes in (by_size, by_rules):
        axes.legend(frameon=False)
    limits = " or ".join(f"{limit:g}" for limit in sorted({run.limit for run in runs}))
    marks = f"hollow: gap left at the limit of {limits} s, cross: no plan by then"
    figure.suptitle(f"optalloc solve, {runs[0].shape} rounds; {marks}")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measure and draw what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[1000, 3000, 10_000])
    parser.add_argument("--rules", nargs="+", type=int, default=[5, 20, 50, 100, 150])
    parser.add_argument("--shape", choices=("loose", "tight", "tighter", "yes_no"), default="tight")
    parser.add_argument("--limit", type=float, default=60)
    parser.add_argument("--csv", type=Path, default=HERE / "curve.csv")
    parser.add_argument("--svg", type=Path, default=HERE / "curve.svg")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--draw", action="store_true", help="only draw")
    only.add_argument("--measure", action="store_true", help="only measure")
    asked = parser.parse_args()
    if not asked.measure and find_spec("matplotlib") is None:
        parser.error("drawing needs matplotlib, which is not installed; --measure goes without")
    if not asked.draw:
        for projects in asked.sizes:
            for rules in asked.rules:
                run = measured(asked.shape, projects, rules, asked.limit)
                append(run, asked.csv)
                print(run, flush=True)
    if not asked.measure:
        draw(runs_in(asked.csv, asked.shape), asked.svg)


if __name__ == "__main__":
    main()
