"""One rival alone on the arrays of a round, in this process and on one thread; prints one line of JSON.

    .venv/bin/python benchmarks/rivals.py --write ROUND.xlsx ARRAYS.pickle
    .venv/bin/python benchmarks/rivals.py ARRAYS.pickle --solver highs --gap 0.0001 --limit 60 [--start START.npy]
    .venv/bin/python benchmarks/rivals.py ARRAYS.pickle --lp --limit 60

HiGHS and SCIP run as they come, presolve, heuristics and tolerances included, on the objective as it is written. Only
the call that solves is timed: the model is loaded before. `best` and `bound` are those of the maximised first level,
`gap` is (bound - best) / |best|; what is not known is null.
"""

from __future__ import annotations

import argparse
import json
import math
import pickle
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import highspy
import numpy as np

from integrated_fund.fund import fund_for_solving
from optalloc.api import read
from optalloc.solve.arrays import Arrays, Vector, arrays_of
from optalloc.solve.solvers.highs import _loaded

#: The smallest |best| a relative gap is taken of.
_NOTHING = 1e-12


def save(arrays: Arrays, path: Path) -> None:
    """Pickle arrays for a rival, without the names and numbers that only the package needs."""
    bare = replace(arrays, row_names=(), column_names=(), column_of={}, rule_rows={}, source_rows={})
    with path.open("wb") as file:
        pickle.dump(bare, file)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) and abs(value) < 1e20 else None


def _line(solver: str, seconds: float, best: float | None, bound: float | None, status: str) -> dict[str, object]:
    gap = None
    if best is not None and bound is not None:
        gap = max(0.0, bound - best) / max(abs(best), _NOTHING)
    return {"solver": solver, "seconds": seconds, "best": best, "bound": bound, "gap": gap, "status": status}


def _highs_model(arrays: Arrays, integer: Any) -> Any:
    return _loaded(arrays, arrays.levels[0], integer, scale=1.0)[0]


def highs_lp(arrays: Arrays, limit: float) -> dict[str, object]:
    """Solve the linear programme alone, by the simplex method that HiGHS takes by itself on one thread."""
    solver = _highs_model(arrays, None)
    solver.setOptionValue("time_limit", limit)
    solver.setOptionValue("solver", "simplex")
    began = time.perf_counter()
    solver.run()
    seconds = time.perf_counter() - began
    solved = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    value = -solver.getInfo().objective_function_value if solved else None
    return _line("highs lp", seconds, value, value, solver.modelStatusToString(solver.getModelStatus()))


def highs_mip(arrays: Arrays, gap: float, limit: float, start: Vector | None) -> dict[str, object]:
    """Solve the programme with HiGHS, from a start if there is one."""
    solver = _highs_model(arrays, arrays.integer)
    solver.setOptionValue("mip_rel_gap", gap)
    solver.setOptionValue("mip_abs_gap", 0.0)
    solver.setOptionValue("time_limit", limit)
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        solver.setSolution(solution)
    began = time.perf_counter()
    solver.run()
    seconds = time.perf_counter() - began
    info = solver.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    best = -info.objective_function_value if found else None
    bound = _known(-info.mip_dual_bound)
    return _line("highs", seconds, best, bound, solver.modelStatusToString(solver.getModelStatus()))


def scip_mip(arrays: Arrays, gap: float, limit: float, start: Vector | None) -> dict[str, object]:
    """Solve the programme with SCIP, which reads it from an MPS file that HiGHS writes (columns c0, c1 …)."""
    from pyscipopt import Model

    solver = _highs_model(arrays, arrays.integer)
    for number in range(len(arrays.integer)):
        solver.passColName(number, f"c{number}")
    model = Model()
    model.hideOutput()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "round.mps"
        solver.writeModel(str(path))
        model.readProblem(str(path))
    model.setParam("limits/gap", gap)
    model.setParam("limits/time", limit)
    model.setParam("timing/clocktype", 2)  # the clock on the wall
    if start is not None:
        position = {f"c{number}": number for number in range(len(start))}
        solution = model.createSol()
        for variable in model.getVars():
            model.setSolVal(solution, variable, float(start[position[variable.name]]))
        if not model.checkSol(solution, printreason=False, original=True):
            raise ValueError("SCIP finds that the start breaks a row")
        model.addSol(solution)
    began = time.perf_counter()
    model.optimize()
    seconds = time.perf_counter() - began
    best = -model.getObjVal() if model.getNSols() else None
    return _line("scip", seconds, best, _known(-model.getDualbound()), str(model.getStatus()))


def main() -> None:
    """Run the rival that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arrays", type=Path, help="pickled optalloc.solve.arrays.Arrays")
    parser.add_argument("--write", type=Path, metavar="ROUND", help="pickle the arrays of this round there, no more")
    parser.add_argument("--solver", choices=["highs", "scip"], default="highs")
    parser.add_argument("--lp", action="store_true", help="HiGHS on the linear programme alone")
    parser.add_argument("--gap", type=float, default=0.0001)
    parser.add_argument("--limit", type=float, default=60)
    parser.add_argument("--start", type=Path, help="a .npy with one value for each column")
    asked = parser.parse_args()
    if asked.write is not None:
        save(arrays_of(fund_for_solving(read(asked.write))), asked.arrays)
        return
    with asked.arrays.open("rb") as file:
        arrays: Arrays = pickle.load(file)
    start = None if asked.start is None else np.load(asked.start).astype(np.float64)
    if asked.lp:
        line = highs_lp(arrays, asked.limit)
    elif asked.solver == "highs":
        line = highs_mip(arrays, asked.gap, asked.limit, start)
    else:
        line = scip_mip(arrays, asked.gap, asked.limit, start)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
