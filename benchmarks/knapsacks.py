"""Published multi-dimensional knapsacks as rounds: optalloc, HiGHS and SCIP in turn, each for the same time.

    .venv/bin/python benchmarks/knapsacks.py mknapcb1.txt gk01.dat … [--problems 0 10 20] [--limit 30] [--known FILE]

A file holds one problem (the gk files of Glover and Kochenberger) or a count and that many problems (the mknapcb files
of the OR-Library, Chu and Beasley 1998). A problem is n, m and the best value known, n profits, m rows of n weights, m
capacities. As a round every item is an all-or-nothing project of 1 unit, and every capacity a rule. The gap asked for
is 0. Prints a Markdown table: value (gap, seconds). Our seconds are those of `solve`, formulation included; those of
the rivals are of the call that solves.

`--known` names a file of lines `name value` that override the values in the files (names as printed: 5.100-00, gk01); a
name's first line counts, other lines are passed over.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rivals import save
from integrated_fund.round import Round
from optalloc.api import NoPlanExists, formulate, solve
from optalloc.solve.arrays import arrays_of
from optalloc.workbook.grid import Tables
from tests.support.tables import round_of

_KNOWN = re.compile(r"(\S+)\s+(\d+)\s*")


@dataclass(frozen=True)
class Knapsack:
    """maximise profits · x subject to weights · x <= capacities, x binary; `known` is the best value (0: none)."""

    name: str
    profits: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]
    capacities: tuple[int, ...]
    known: int


def knapsacks_in(path: Path) -> list[Knapsack]:
    """Return the problems of a file; those of a file with a count are named as in the OR-Library, `m.n-position`.

    Raises:
        ValueError: the file is not laid out so.
    """
    numbers = [_whole(word) for word in path.read_text().split()]
    if len(numbers) >= 3 and len(numbers) == _length(numbers[0], numbers[1]):
        return [_problem(numbers, path.stem)]
    found = []
    begin = 1
    for position in range(numbers[0] if numbers else 0):
        if len(numbers) < begin + 3:
            raise ValueError(f"{path} ends early")
        n, m = numbers[begin : begin + 2]
        end = begin + _length(n, m)
        found.append(_problem(numbers[begin:end], f"{m}.{n}-{position:02d}"))
        begin = end
    if not found or begin != len(numbers):
        raise ValueError(f"{path} is laid out neither as one problem nor as a count and that many problems")
    return found


def _whole(word: str) -> int:
    value = float(word)
    if not value.is_integer():
        raise ValueError(f"{word} is no whole number")
    return int(value)


def _length(n: int, m: int) -> int:
    return 3 + n + m * n + m


def _problem(numbers: list[int], name: str) -> Knapsack:
    n, m, known = numbers[:3]
    rest = numbers[3:]
    if len(numbers) != _length(n, m):
        raise ValueError(f"{name} ends early")
    weights = tuple(tuple(rest[n * row : n * (row + 1)]) for row in range(1, m + 1))
    return Knapsack(name, tuple(rest[:n]), weights, tuple(rest[n * (m + 1) :]), known)


def known_in(path: Path) -> dict[str, int]:
    """Return the best values known that a file of lines `name value` states."""
    known: dict[str, int] = {}
    for line in path.read_text().splitlines():
        if match := _KNOWN.fullmatch(line.strip()):
            known.setdefault(match[1], int(match[2]))
    return known


def knapsack_round(knapsack: Knapsack) -> Round:
    """Return a knapsack as a round."""
    n = len(knapsack.profits)
    tables: Tables = {
        "Round": [
            {"setting": "title", "value": knapsack.name},
            {"setting": "unit", "value": "item"},
            {"setting": "gap", "value": 0},
        ],
        "Sources": [{"source": "items", "amount": n}],
        "Sectors": [{"sector": "all", "title": "All"}],
        "Regions": [{"region": "everywhere", "belt": "all"}],
        "Projects": [
            {
                "project": f"item_{j:04d}",
                "sector": "all",
                "region": "everywhere",
                "max_award": 1,
                "profit": knapsack.profits[j],
                **{f"w{i}": row[j] for i, row in enumerate(knapsack.weights, 1)},
            }
            for j in range(n)
        ],
        "Criteria": [{"criterion": "profit", "weight": 1, "direction": "max"}],
        "Rules": [
            {"rule": f"capacity_{i}", "measure": f"w{i}", "sense": "<=", "bound": capacity}
            for i, capacity in enumerate(knapsack.capacities, 1)
        ],
    }
    return round_of(tables)


def ours(round_: Round, limit: float) -> dict[str, object]:
    """Return what our solve finds, in the words of `rivals.py`."""
    began = time.perf_counter()
    try:
        plan = solve(round_, gap=0, time_limit=limit)
    except NoPlanExists as missing:
        return {"seconds": time.perf_counter() - began, "best": None, "gap": None, "status": missing.status}
    seconds = time.perf_counter() - began
    gap = None if plan.gap is None else float(plan.gap)
    return {"seconds": seconds, "best": float(plan.objective), "gap": gap, "status": plan.status}


def rival(arrays: Path, solver: str, limit: float) -> dict[str, object]:
    """Return what a rival finds in a process of its own."""
    script = str(Path(__file__).with_name("rivals.py"))
    command = [sys.executable, script, str(arrays), "--solver", solver, "--gap", "0", "--limit", str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{solver} failed: {done.stderr[-500:]}")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _cell(found: dict[str, object]) -> str:
    best, gap, seconds = found["best"], found["gap"], found["seconds"]
    value = "none" if best is None else f"{best:.0f}"
    proven = "unknown" if gap is None else f"{100 * float(str(gap)):.4f} %"
    return f"{value} ({proven}, {seconds:.1f} s)"


def main() -> None:
    """Run the problems that the command line names and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--problems", nargs="*", type=int, help="positions in each file, from 0; default: all")
    parser.add_argument("--limit", type=float, default=30)
    parser.add_argument("--known", type=Path)
    asked = parser.parse_args()
    known = {} if asked.known is None else known_in(asked.known)
    print("| instance | n | m | best known | optalloc | HiGHS | SCIP |\n" + "| --- " * 7 + "|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "arrays.pickle"
        for path in asked.paths:
            found = knapsacks_in(path)
            for position in asked.problems if asked.problems and len(found) > 1 else range(len(found)):
                knapsack = found[position]
                round_ = knapsack_round(knapsack)
                save(arrays_of(formulate(round_)), arrays)
                cells = [_cell(ours(round_, asked.limit))]
                cells += [_cell(rival(arrays, solver, asked.limit)) for solver in ("highs", "scip")]
                best = known.get(knapsack.name, knapsack.known) or "unknown"
                sizes = f"{len(knapsack.profits)} | {len(knapsack.capacities)}"
                print(f"| {knapsack.name} | {sizes} | {best} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
