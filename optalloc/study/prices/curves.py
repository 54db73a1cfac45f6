"""The objective against the dearest bounds: what is found at some steps of each, and the linear relaxation there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from optalloc.plan.plan import stated
from optalloc.plan.price_report import Curve, CurvePoint, Price, PriceLine, PriceReport, by_cost
from optalloc.solve.exactness import Tightening
from optalloc.solve.moved import moved_arrays
from optalloc.solve.progress import Watch
from optalloc.solve.solution import Solution
from optalloc.solve.solvers.highs import solve_lp
from optalloc.study.prices.changes import Move, changes_of, move_of
from optalloc.study.prices.levers import ALL, moved_round
from optalloc.study.prices.priced import Priced, number_of

#: How many bounds, and steps to both sides.
DEAREST = 10
STEPS = 3


def with_curves(priced: Priced, report: PriceReport, solution: Solution, watch: Watch, *, jobs: int) -> PriceReport:
    """Return the report with the curves of its dearest rules and sources. What a stop leaves undone is left out.

    Raises:
        SolverError: the solver failed.
    """
    chosen = [number for number, line in _dearest(report) if line.step is not None]
    moves = [move for number in chosen for move in _moves(priced, solution, report, number)]
    found, _ = changes_of(priced, solution, moves, watch, jobs=jobs)
    curves = []
    for number in chosen:
        line = report.lines[number]
        assert line.typed is not None
        points = [CurvePoint(line.typed, report.value, report.relaxed)]
        for move in moves:
            change = found.get((move.number, move.step))
            if move.number == number and change is not None:
                value = _value(report, change.found)
                points.append(CurvePoint(line.typed + move.step, value, _relaxed(solution, priced, move, watch)))
        ordered = tuple(sorted(points, key=lambda point: point.bound))
        curves.append(Curve(line.rule, line.member, priced.levers[number].is_share, ordered))
    return replace(report, curves=tuple(curves))


def _value(report: PriceReport, found: Price) -> Decimal | None:
    return None if found is None or isinstance(found, str) else stated(report.value + found)


def _dearest(report: PriceReport) -> Iterator[tuple[int, PriceLine]]:
    """Yield the dearest rules and sources: a rule of one member by itself, of several by its dearest one."""
    place = {id(line): number for number, line in enumerate(report.lines)}
    taken: set[str] = set()
    for line in by_cost(report.lines):
        if line.kind == "link" or line.member == ALL or (line.kind == "rule" and line.rule in taken):
            continue
        taken.add(line.rule)
        yield place[id(line)], line
        if len(taken) == DEAREST:
            return


def _moves(priced: Priced, solution: Solution, report: PriceReport, number: int) -> Sequence[Move]:
    line = report.lines[number]
    assert line.step is not None
    assert line.typed is not None
    steps = [line.step * times for times in range(-STEPS, STEPS + 1) if times]
    # A bound that is 0 or more is not followed below 0.
    steps = [step for step in steps if line.typed < 0 or line.typed + step >= 0]
    found = [move_of(priced, solution, number, step) for step in steps]
    return [move for move in found if move is not None]


def _relaxed(solution: Solution, priced: Priced, move: Move, watch: Watch) -> Decimal | None:
    """Return the value of the linear relaxation with a lever moved."""
    round_ = moved_round(solution.fund.round, move.lever, move.step)
    assert round_ is not None
    level = priced.report.level
    fund = solution.fund.moved(round_)
    arrays = moved_arrays(solution.arrays, solution.fund, fund)
    arrays = Tightening(fund).apply(arrays, solution.held[:level])
    optimum = solve_lp(arrays, arrays.levels[level], watch)
    return number_of(optimum.objective) if optimum.status == "optimal" else None
