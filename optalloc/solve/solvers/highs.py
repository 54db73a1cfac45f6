"""HiGHS on arrays: one call, one outcome, every status checked.

The solver runs in a thread of its own, so that Ctrl-C and the clock are heeded at once: where HiGHS overruns its limit
the run is left behind with the best plan it had reported. Options are the same on every machine (one thread, a fixed
seed), so equal arrays give equal outcomes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import highspy
import numpy as np
from highspy import _core
from scipy import sparse

from optalloc.solve.arrays import Arrays, IntegerProgramme, Programme, Vector
from optalloc.solve.progress import Watch

#: How long a run may overrun the order to stop before it is left behind, in seconds.
GRACE = 1.5
THREADS = 1
SEED = 0
#: Up to this number of integer columns the solver can afford tolerances below its usual 1e-6 and 1e-7.
SMALL = 600
SMALL_TOLERANCE = 1e-9
#: That of whole numbers only where they have few values: beyond, presolve has cut optima off with it and called
#: programmes infeasible (1.16).
NARROW = 1000

_CALLBACKS = highspy.cb.HighsCallbackType
_INTERRUPTS = (_CALLBACKS.kCallbackSimplexInterrupt, _CALLBACKS.kCallbackIpmInterrupt, _CALLBACKS.kCallbackMipInterrupt)


class SolverError(RuntimeError):
    """The solver refused a call or ended in a state that says nothing about the model."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `objective` and `bound` are those of the maximised objective; `x` is the best point found.

    `row_duals` and `reduced_costs` belong to a linear programme only, as derivatives of the maximised objective.
    """

    status: Literal["optimal", "stopped", "infeasible", "unbounded"]
    x: Vector | None
    objective: float
    bound: float
    nodes: int = 0
    row_duals: Vector | None = None
    reduced_costs: Vector | None = None


@dataclass
class _Run:
    """What the solver's thread and the waiting one share."""

    solver: Any
    watch: Watch
    scale: float
    constant: float = 0.0
    target: float = np.inf
    best_x: Vector | None = None
    best: float = -np.inf
    bound: float = np.inf
    nodes: int = 0
    finished: bool = False
    status: Any = None
    failure: BaseException | None = None

    def hear(self, kind: Any, _message: str, out: Any, reply: Any, _data: Any) -> None:
        if kind == _CALLBACKS.kCallbackMipSolution or kind == _CALLBACKS.kCallbackMipImprovingSolution:
            value = -out.objective_function_value / self.scale - self.constant
            if value > self.best or self.best_x is None:
                self.best, self.best_x = value, np.array(out.mip_solution)
        elif kind == _CALLBACKS.kCallbackMipInterrupt:
            self.bound = min(self.bound, -out.mip_dual_bound / self.scale - self.constant)
            self.nodes = int(out.mip_node_count)
        if kind in _INTERRUPTS and (self.watch.stopped is not None or self.best >= self.target):
            reply.user_interrupt = True

    def go(self, done: threading.Event) -> None:
        try:
            self.status = self.solver.run()
        except BaseException as failure:  # handed to the waiting thread, which raises it
            self.failure = failure
        finally:
            self.finished = True
            done.set()


def solve_mip(
    arrays: IntegerProgramme,
    cost: Vector,
    watch: Watch,
    *,
    gap: float = 0.0,
    absolute_gap: float = 0.0,
    nodes: int | None = None,
    start: Vector | None = None,
    presolve: bool = True,
    telling: Literal["all", "plans", "time"] = "all",
    target: float | None = None,
    constant: float = 0.0,
) -> Outcome:
    """Maximise `cost` over the arrays with their integer columns.

    HiGHS has called a start optimal at an objective that the start does not have (1.16, with presolve on). An outcome
    whose point does not add up to its objective is not believed: it is solved again without the start, then without
    presolve.

    `nodes` is a work limit, `gap` relative; `start` a full point whose integer columns are tried first. A run with a
    `target` ends at the first point that reaches it. `constant` is what decided columns are worth besides; the gap is
    relative to both together, the outcome's values are without it. `telling` says what the listener hears: plans and
    bounds, only plans (a part bounds nothing), or only that time passes (the cost is not the objective).

    Raises:
        SolverError: a call failed, or the run ended without a meaning.
    """
    solver, scale = _loaded(arrays, cost, arrays.integer)
    if constant:
        _check(solver.changeObjectiveOffset(-scale * constant), "changeObjectiveOffset")
    _set(solver, "mip_rel_gap", gap)
    _set(solver, "mip_abs_gap", absolute_gap * scale)
    _set(solver, "presolve", "on" if presolve else "off")
    if int(arrays.integer.sum()) <= SMALL:
        for option in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
            _set(solver, option, SMALL_TOLERANCE)
        span = (arrays.column_upper - arrays.column_lower)[arrays.integer]
        if span.max(initial=0.0) <= NARROW:
            _set(solver, "mip_feasibility_tolerance", SMALL_TOLERANCE)
    if nodes is not None:
        _set(solver, "mip_max_nodes", nodes)
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        _check(solver.setSolution(solution), "setSolution")
    run = _Run(solver, watch, scale, constant, np.inf if target is None else target)
    kinds = (_CALLBACKS.kCallbackMipSolution, _CALLBACKS.kCallbackMipImprovingSolution, *_INTERRUPTS)

    def tell() -> None:
        best = None if telling == "time" else _or_none(run.best + constant)
        watch.tell(best, _or_none(run.bound + constant) if telling == "all" else None)

    _supervise(run, kinds, tell)
    if not run.finished:
        return Outcome("stopped", run.best_x, run.best, run.bound, run.nodes)
    outcome = _mip_outcome(run, arrays)
    _let_go(run)
    if outcome.x is None or _adds_up(outcome.x, cost, outcome.objective, scale):
        return outcome
    if start is None and not presolve:
        raise SolverError("the solver's objective is not that of its point")
    return solve_mip(
        arrays,
        cost,
        watch,
        gap=gap,
        absolute_gap=absolute_gap,
        nodes=nodes,
        presolve=presolve and start is not None,
        telling=telling,
        target=target,
        constant=constant,
    )


def _adds_up(x: Vector, cost: Vector, objective: float, scale: float) -> bool:
    value = float(cost @ x)
    return abs(value - objective) <= 1e-5 * max(1.0 / scale, abs(objective))


def solve_lp(
    arrays: Programme, cost: Vector, watch: Watch, *, presolve: bool = True, interior: bool = False
) -> Outcome:
    """Maximise `cost` over the arrays with integrality left out; `interior`: by the interior point method.

    Raises:
        SolverError: a call failed, or the run ended without a meaning.
    """
    solver, scale = _loaded(arrays, cost, None)
    _set(solver, "presolve", "on" if presolve else "off")
    if interior:
        _set(solver, "solver", "ipm")
    run = _Run(solver, watch, scale)
    _supervise(run, _INTERRUPTS, watch.tell)
    if not run.finished:
        return Outcome("stopped", None, -np.inf, np.inf)
    model_status = solver.getModelStatus()
    if model_status == highspy.HighsModelStatus.kOptimal:
        solution = solver.getSolution()
        value = -solver.getInfo().objective_function_value / scale
        outcome = Outcome(
            "optimal",
            np.array(solution.col_value),
            value,
            value,
            row_duals=-np.array(solution.row_dual) / scale,
            reduced_costs=-np.array(solution.col_dual) / scale,
        )
        _let_go(run)
        return outcome
    _let_go(run)
    if model_status == highspy.HighsModelStatus.kUnknown and not interior:
        # Coefficients of very uneven sizes end so: presolve evens some of them out, interior points mind them less.
        return solve_lp(arrays, cost, watch, interior=presolve)
    return _without_plan(model_status)


def write_model(arrays: Arrays, cost: Vector, path: str) -> None:
    """Write the model as `.lp` or `.mps` by the path's ending, rows and columns under their names.

    Raises:
        SolverError: the file cannot be written.
    """
    solver, _ = _loaded(arrays, cost, arrays.integer, scale=1.0)
    for number, name in enumerate(arrays.row_names):
        _check(solver.passRowName(number, name), "passRowName")
    for number, name in enumerate(arrays.column_names):
        _check(solver.passColName(number, name), "passColName")
    _check(solver.writeModel(path), "writeModel")


def scale_of(coefficients: Vector) -> float:
    """Return the power of ten that makes a typical coefficient about 1 (1 where all are 0)."""
    sizes = np.abs(coefficients[coefficients != 0])
    return float(10.0 ** -round(float(np.log10(np.median(sizes))))) if len(sizes) else 1.0


def _loaded(arrays: Programme, cost: Vector, integer: Any, *, scale: float | None = None) -> tuple[Any, float]:
    """Return a solver that minimises -scale · cost, and the scale (so that a typical cost is about 1)."""
    scale = scale_of(cost) if scale is None else scale
    matrix = sparse.csr_matrix(arrays.matrix)
    solver = _core._Highs()  # highspy.Highs prints a banner when it is made
    _set(solver, "output_flag", False)
    _set(solver, "threads", THREADS)
    _set(solver, "random_seed", SEED)
    rows, columns = matrix.shape
    passed = solver.passModel(
        columns,
        rows,
        matrix.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        -scale * cost,
        arrays.column_lower,
        arrays.column_upper,
        arrays.row_lower,
        arrays.row_upper,
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data,
        np.zeros(columns, dtype=np.int32) if integer is None else integer.astype(np.int32),
    )
    _check(passed, "passModel")
    return solver, scale


def _set(solver: Any, option: str, value: object) -> None:
    _check(solver.setOptionValue(option, value), f"setOptionValue({option})")


def _check(status: Any, call: str) -> None:
    if status == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS refused {call}")


def _let_go(run: _Run) -> None:
    """Free what a solver holds: solver and listener keep each other alive, and a sifting makes dozens of them."""
    _check(run.solver.setCallback(None, None), "setCallback")
    run.solver = None


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _supervise(run: _Run, kinds: tuple[Any, ...], tell: Callable[[], None]) -> None:
    """Run the solver in a thread; come back when it ends, or when it ignores the order to stop for too long."""
    _check(run.solver.setCallback(run.hear, None), "setCallback")
    for kind in kinds:
        _check(run.solver.startCallback(kind), "startCallback")
    if np.isfinite(run.watch.left()):
        _set(run.solver, "time_limit", max(0.01, run.watch.left()))
    done = threading.Event()
    thread = threading.Thread(target=run.go, args=(done,), daemon=True, name="solver")
    try:
        thread.start()
    except RuntimeError as refused:  # how a system without room for its stack says so
        raise MemoryError("there is no room for the solver's thread") from refused
    ordered: float | None = None
    told = time.monotonic()
    while not done.is_set():
        try:
            done.wait(0.05)
            now = time.monotonic()
            if now - told >= 0.25:
                told = now
                tell()
            if run.watch.must_stop():
                ordered = now if ordered is None else ordered
                if now - ordered > GRACE:
                    run.watch.overrun = True
                    break
        except KeyboardInterrupt:
            if run.watch.stopped == "interrupted":
                raise  # asked a second time: at once
            run.watch.stop("interrupted")
    if run.failure is not None:
        raise run.failure


def _mip_outcome(run: _Run, arrays: IntegerProgramme) -> Outcome:
    solver = run.solver
    status = solver.getModelStatus()
    info = solver.getInfo()
    known = highspy.HighsModelStatus
    found = run.best_x
    best = run.best
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        found = np.array(solver.getSolution().col_value)
        best = -info.objective_function_value / run.scale - run.constant
    bound = -info.mip_dual_bound / run.scale - run.constant
    if status == known.kOptimal:
        if not arrays.integer.any():
            bound = best
        return Outcome("optimal", found, best, bound, int(info.mip_node_count))
    if status in (known.kTimeLimit, known.kInterrupt, known.kSolutionLimit, known.kIterationLimit):
        if status == known.kTimeLimit:
            run.watch.stop("time limit")
        return Outcome("stopped", found, best, bound, int(info.mip_node_count))
    if status == known.kMemoryLimit:
        run.watch.stop("memory")
        return Outcome("stopped", found, best, bound, int(info.mip_node_count))
    return _without_plan(status)


def _without_plan(status: Any) -> Outcome:
    known = highspy.HighsModelStatus
    if status == known.kInfeasible:
        return Outcome("infeasible", None, -np.inf, -np.inf)
    if status in (known.kUnbounded, known.kUnboundedOrInfeasible):
        return Outcome("unbounded", None, -np.inf, np.inf)
    if status in (known.kTimeLimit, known.kInterrupt, known.kIterationLimit):
        return Outcome("stopped", None, -np.inf, np.inf)
    if status == known.kMemoryLimit:
        raise MemoryError("the solver has no memory left")
    raise SolverError(f"HiGHS ended with status {status.name}")
