"""The objective against the dearest bounds: what is found at some steps of each, and the linear relaxation there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from optalloc.plan.plan import stated
from optalloc.plan.price_report import Change, Curve, CurvePoint, Price, PriceReport, by_cost
from optalloc.solve.exactness import Tightening
from optalloc.solve.moved import moved_arrays
from optalloc.solve.progress import Watch
from optalloc.solve.solution import Solution
from optalloc.solve.solvers.highs import solve_lp
from optalloc.study.prices.changes import Move, move_of
from optalloc.study.prices.levers import ALL, Lever, moved_round
from optalloc.study.prices.priced import Priced, number_of

#: How many bounds, and steps to both sides.
DEAREST = 10
STEPS = 3


def curve_moves(priced: Priced, solution: Solution, steps: Mapping[int, Decimal]) -> list[Move]:
    """Return the moves that the curves of the dearest rules and sources need beyond one step to both sides.

    `steps` are the steps of the lines that are moved.
    """
    moves = []
    for number in _dearest(priced.report, steps):
        line, step = priced.report.lines[number], steps[number]
        assert line.typed is not None
        for times in range(2, STEPS + 1):
            # A bound that is 0 or more is not followed below 0.
            signed = (step * times, -step * times) if line.typed < 0 or line.typed >= step * times else (step * times,)
            moves += [move_of(priced, solution, number, one) for one in signed]
    return [move for move in moves if move is not None]


def with_curves(
    priced: Priced,
    report: PriceReport,
    solution: Solution,
    steps: Mapping[int, Decimal],
    found: Mapping[tuple[int, Decimal], Change],
    watch: Watch,
) -> PriceReport:
    """Return the report with the curves of its dearest rules and sources. What a stop leaves undone is left out.

    Raises:
        SolverError: the solver failed.
    """
    curves = []
    for number in _dearest(priced.report, steps):
        line, lever = report.lines[number], priced.levers[number]
        assert line.typed is not None
        points = [CurvePoint(line.typed, report.value, report.relaxed)]
        for (moved, step), change in found.items():
            if moved == number and (line.typed < 0 or line.typed + step >= 0):
                relaxed = _relaxed(solution, priced, lever, step, watch)
                points.append(CurvePoint(line.typed + step, _value(report, change.found), relaxed))
        ordered = tuple(sorted(points, key=lambda point: point.bound))
        curves.append(Curve(line.rule, line.member, lever.is_share, ordered))
    return replace(report, curves=tuple(curves))


def _value(report: PriceReport, found: Price) -> Decimal | None:
    return None if found is None or isinstance(found, str) else stated(report.value + found)


def _dearest(report: PriceReport, steps: Mapping[int, Decimal]) -> Iterator[int]:
    """Yield the dearest rules and sources that are moved: a rule of one member by itself, of several by its dearest."""
    place = {id(line): number for number, line in enumerate(report.lines)}
    taken: list[tuple[str, str | None]] = []
    for line in by_cost(report.lines):
        number = place[id(line)]
        name = (line.rule, None if line.kind == "rule" else line.member)
        if line.kind == "link" or line.member == ALL or name in taken or number not in steps:
            continue
        taken.append(name)
        yield number
        if len(taken) == DEAREST:
            return


def _relaxed(solution: Solution, priced: Priced, lever: Lever, step: Decimal, watch: Watch) -> Decimal | None:
    """Return the value of the linear relaxation with a lever moved."""
    round_ = moved_round(solution.fund.round, lever, step)
    assert round_ is not None
    level = priced.report.level
    fund = solution.fund.moved(round_)
    arrays = moved_arrays(solution.arrays, solution.fund, fund)
    arrays = Tightening(fund).apply(arrays, solution.held[:level])
    optimum = solve_lp(arrays, arrays.levels[level], watch)
    return number_of(optimum.objective) if optimum.status == "optimal" else None
