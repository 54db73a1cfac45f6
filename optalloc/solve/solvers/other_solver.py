"""The same Pyomo model on another solver that Pyomo knows.

The fast way (cores, tie-break) is HiGHS's; another solver gets each level whole and runs to its own tolerances. Its
plan is judged in exact arithmetic like any other, and its awards are solved again where tolerance let a rule slip.
"""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import pyomo.environ as pyo

from integrated_fund.fund import Fund
from optalloc.errors import WrongUse
from optalloc.solve.arrays import Arrays
from optalloc.solve.exactness import Held
from optalloc.solve.progress import Watch
from optalloc.solve.record import Found, Record
from optalloc.solve.search import adopted, bounded_only
from optalloc.solve.solvers.highs import SolverError


def solver_named(name: str) -> Any:
    """Return a Pyomo solver by name; "scip" also finds Pyomo's "scip_direct".

    Raises:
        WrongUse: Pyomo knows no such solver, or it is not installed.
    """
    logging.getLogger("pyomo").setLevel(logging.CRITICAL)  # its own warnings would stand beside our one sentence
    for candidate in (name, f"{name}_direct", f"{name}_persistent"):
        solver = pyo.SolverFactory(candidate)
        try:
            if solver.available(exception_flag=False):
                return solver
        except (ImportError, AttributeError, RuntimeError):  # how Pyomo says "unknown" or "half installed"
            continue
    raise WrongUse(
        "solver", f"The solver {name!r} is not installed or not known to Pyomo. Leave --solver out for HiGHS."
    )


def find_by(
    solver: Any, fund: Fund, arrays: Arrays, level: int, held: tuple[Held, ...], gap: float, watch: Watch
) -> Found:
    """Solve one level by another solver; the same result as `search`.

    Raises:
        SolverError: the solver ended without a meaning.
    """
    model = fund.model
    watch.phase = "solving"
    watch.tell()
    for number, objective in model.level.items():
        (objective.activate if number == level else objective.deactivate)()
    model.held = pyo.ConstraintList()
    for one in held:
        model.held.add(model.level[one.level].expr >= float(one.least))
    limit = None if math.isinf(watch.left()) else max(1.0, watch.left())
    try:
        results = solver.solve(model, timelimit=limit, load_solutions=False)
        condition = str(results.solver.termination_condition)
        record = Record(fund, arrays, level, held, gap, watch)
        if condition == "infeasible":
            return Found(None, None, proven=False, infeasible=True)
        if condition not in ("optimal", "maxTimeLimit", "feasible"):
            raise SolverError(f"the solver ended with {condition}")
        if condition == "maxTimeLimit":
            watch.stop("time limit")
        bound = float(results.problem.upper_bound)
        if len(results.solution) == 0:
            return bounded_only(record, bound)
        model.solutions.load_from(results)
        x = np.zeros(len(arrays.column_lower))
        for variable in model.component_data_objects(pyo.Var):
            if id(variable) in arrays.column_of and variable.value is not None:
                x[arrays.column_of[id(variable)]] = variable.value
        return adopted(record, x, bound)
    finally:
        model.del_component(model.held)
