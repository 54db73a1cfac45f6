"""The price report against HiGHS, ratios in one run.

    .venv/bin/python benchmarks/prices.py margins ROUND.xlsx
    .venv/bin/python benchmarks/prices.py changes ROUND.xlsx --jobs 2 --sample 10 --limit 60

`margins`: all marginal prices of both sides, with how far they hold, against one linear programme that HiGHS solves
on the same arrays, apart for the levers whose dual is unique and those with two prices. `changes`: the round solved
again with every bound moved, both ways; of a sample of the moves HiGHS solves the same arrays with the same gap and
limit, started from the round's own plan where that is still one.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from optalloc.api import read
from optalloc.solve.exactness import judge, point_of
from optalloc.solve.moved import moved_arrays
from optalloc.solve.progress import Progress, Watch
from optalloc.solve.solution import NoPlan, Solution, fund_for, solution_of
from optalloc.solve.solvers.highs import solve_lp, solve_mip
from optalloc.study.prices.changes import changes_of, moves_of
from optalloc.study.prices.levers import default_step, levers_of, moved_round
from optalloc.study.prices.priced import prices_of
from optalloc.study.prices.relaxation import Relaxation


def solved(book: Path, limit: float) -> Solution:
    """Return the solution of a round."""
    found = solution_of(fund_for(read(book), None), Watch(limit))
    if isinstance(found, NoPlan):
        raise SystemExit(found.reason)
    return found


def progress(now: Progress) -> None:
    """Show how far a run is."""
    print(f"\r{now.phase} after {now.seconds:.0f} s", end="", flush=True)


def margins(book: Path, limit: float) -> None:
    """Print the time of all margins against that of one linear programme."""
    solution = solved(book, limit)
    began = time.perf_counter()
    solve_lp(solution.arrays, solution.arrays.levels[0], Watch())
    linear = time.perf_counter() - began
    began = time.perf_counter()
    relaxed = Relaxation(solution, 0, Watch())
    levers = levers_of(solution.fund, relaxed.arrays)
    common = time.perf_counter() - began
    single, double = [], []
    for lever in levers:
        began = time.perf_counter()
        margin = relaxed.marginal(lever.shift)
        (single if margin.more == margin.less else double).append(time.perf_counter() - began)
    print(f"one linear programme {linear:.2f} s; ratios: {common / linear:.2f} for the relaxation at its optimum,")
    print(f"{sum(single) / linear:.2f} for {len(single)} levers with one price, both sides and how far they hold,")
    print(f"{sum(double) / linear:.2f} for {len(double)} with two prices")


def changes(book: Path, limit: float, jobs: int, sample: int) -> None:
    """Print the time of all finite changes, and how HiGHS fares on some of them."""
    solution = solved(book, limit)
    priced = prices_of(solution, Watch())
    rules = [number for number, lever in enumerate(priced.levers) if lever.kind == "rule"]
    moves = list(moves_of(priced, solution, {n: default_step(solution.fund, priced.levers[n]) for n in rules}))
    began = time.perf_counter()
    found, best = changes_of(priced, solution, moves, Watch(listener=progress), jobs=jobs)
    ours = time.perf_counter() - began
    print(f"\r{len(moves)} moves of {len(rules)} rows: {ours:.1f} s with {jobs} processes")
    fund, arrays = solution.fund, solution.arrays
    base = float(solution.evaluation.levels[0])
    # Changes are against the best plan known in the end, HiGHS's against the one it begins at.
    gained = float(best.evaluation.levels[0]) - base
    times, worse = [], 0
    for move in moves[len(moves) // (2 * sample) :: max(1, len(moves) // sample)][:sample]:
        round_ = moved_round(fund.round, move.lever, move.step)
        assert round_ is not None
        moved = fund.moved(round_)
        start = None
        if judge(moved, solution.evaluation.decision, ()).is_plan:
            start = np.zeros(len(arrays.column_lower))
            for column, value in point_of(fund, arrays, solution.evaluation.decision).items():
                start[column] = value
        began = time.perf_counter()
        outcome = solve_mip(
            moved_arrays(arrays, fund, moved), arrays.levels[0], Watch(limit), gap=float(fund.round.gap), start=start
        )
        times.append(time.perf_counter() - began)
        change = found[move.number, move.step].found
        theirs = None if outcome.x is None else outcome.objective - base
        mine = float(change) + gained if change is not None else -np.inf
        worse += theirs is not None and theirs > mine + 1e-6 * abs(base)
        print(
            f"  {move.lever.label} by {move.step}: ours {mine:.3f}, HiGHS {theirs} after {times[-1]:.1f} s", flush=True
        )
    if times:
        all_of_them = float(np.mean(times)) * len(moves)
        print(f"HiGHS {np.mean(times):.1f} s each; ratio {ours / all_of_them:.3f}; better than ours in {worse}")


def main() -> None:
    """Run the benchmark that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("margins", "changes"))
    parser.add_argument("book", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, default=10)
    parser.add_argument("--limit", type=float, default=60.0)
    asked = parser.parse_args()
    if asked.what == "margins":
        margins(asked.book, asked.limit)
    else:
        changes(asked.book, asked.limit, asked.jobs, asked.sample)


if __name__ == "__main__":
    main()
