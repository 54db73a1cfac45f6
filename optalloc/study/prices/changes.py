r"""True finite changes: the round solved again with one bound moved by a step, up and down.

With values v, v' of the best plans known and bounds B, B' on all plans of the round and of the moved one, what moving
the bound really does lies within

    v' - B  <=  change  <=  B' - v

and is v' - v where both are proven. What is monotone stays so: relaxing a bound never loses, because the old plan still
stands, and tightening never gains, because the new plan would have been one before. So plans are held against each
other across rounds: a better plan of a tightened round is a better plan of the round itself, and noise between two
searches shows in the width of the interval, never as an effect.

Where a tightened bound leaves the plan as it stands, nothing has to be solved.

Of a later level none of this is sure: what earlier levels reach moves with the bound, and with it what they leave to
the later one. There a moved round is solved level by level, and its plans keep what its own earlier levels reached.
"""

from __future__ import annotations

import copyreg
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from multiprocessing import active_children, get_context
from types import MappingProxyType
from typing import Literal

import numpy as np

from integrated_fund.evaluation import Decision
from integrated_fund.fund import Fund, fund_for_solving
from integrated_fund.round import Round
from optalloc.plan.plan import stated
from optalloc.plan.price_report import Change, Price, PriceReport
from optalloc.solve.arrays import Arrays, arrays_of
from optalloc.solve.core.groups import NoState, OwnBounds
from optalloc.solve.exactness import Held, Judgement, judge
from optalloc.solve.moved import moved_arrays
from optalloc.solve.progress import Watch
from optalloc.solve.record import RESOLUTION, Found
from optalloc.solve.search import CORE_FROM, Method, search
from optalloc.solve.solution import Solution
from optalloc.study.prices.levers import ALL, Lever, moved_round
from optalloc.study.prices.nearby import Near, as_near, search_near
from optalloc.study.prices.priced import Priced

#: From so many searches on, rounds large enough for the core way are shared out to processes.
WORTH_SHARING = 6

#: Seconds between two looks at the word to stop.
POLLING = 0.25

Direction = Literal["relaxes", "tightens"]


def _read_only(mapping: dict[object, object]) -> MappingProxyType[object, object]:
    return MappingProxyType(mapping)


# Rounds go to other processes; their read-only mappings do not know how.
copyreg.pickle(MappingProxyType, lambda proxy: (_read_only, (dict(proxy),)))


@dataclass(frozen=True)
class Move:
    """One lever moved: `number` is the line of the report, `step` signed, in the typed unit.

    `idle` is a bound on the moved round where the lever's price on this side is nothing and a large round has more to
    find elsewhere: then nothing is solved.
    """

    number: int
    step: Decimal
    lever: Lever
    direction: Direction | None
    idle: Fraction | None = None


@dataclass(frozen=True)
class Reached:
    """What is known of a moved round: its best plan (None: none known), a bound on all, whether there is none.

    `held` is what its earlier levels have reached.
    """

    decision: Decision | None
    value: Fraction | None
    bound: Fraction | None
    infeasible: bool = False
    held: tuple[Held, ...] = ()


@dataclass(frozen=True)
class _Base:
    """The solved round as a process takes it over."""

    round: Round
    level: int
    held: tuple[Held, ...]
    gap: float
    method: Method
    decision: Decision
    value: Fraction
    bound: Fraction | None


class Mover:
    """A solved round, ready to be solved again with one lever moved."""

    def __init__(self, base: _Base, fund: Fund, arrays: Arrays) -> None:
        self.base, self.fund, self.arrays = base, fund, arrays

    def moved(self, move: Move) -> tuple[Fund, bool] | None:
        """Return the fund of the moved round, and whether its programme has other rows; None where there is none."""
        round_ = moved_round(self.base.round, move.lever, move.step)
        if round_ is None:
            return None
        if move.lever.link is not None:
            return fund_for_solving(round_), True
        return self.fund.moved(round_), False

    def reach(self, move: Move, watch: Watch) -> Reached:
        """Solve the moved round, as far as that is needed."""
        made = self.moved(move)
        assert made is not None
        fund, other_rows = made
        base = self.base
        stands = judge(fund, base.decision, base.held)
        value = stands.evaluation.levels[base.level]
        if stands.is_plan and move.direction == "tightens" and value == base.value:
            return Reached(base.decision, value, base.bound)
        if stands.is_plan and move.idle is not None and value == base.value:
            return Reached(base.decision, value, move.idle)
        arrays = arrays_of(fund) if other_rows else moved_arrays(self.arrays, self.fund, fund)
        found, held = self._searched(fund, arrays, move, watch, stands.is_plan)
        bound = found.bound
        if move.direction == "tightens" and base.bound is not None:
            bound = base.bound if bound is None else min(bound, base.bound)
        if found.judgement is None:
            return Reached(None, None, bound, found.infeasible, held)
        evaluation = found.judgement.evaluation
        return Reached(evaluation.decision, evaluation.levels[base.level], bound, held=held)

    def _searched(
        self, fund: Fund, arrays: Arrays, move: Move, watch: Watch, stands: bool
    ) -> tuple[Found, tuple[Held, ...]]:
        base = self.base
        large = int(arrays.integer.sum()) >= CORE_FROM
        if base.level == 0 and large and base.method != "direct":
            near = Near(
                base.decision, move.lever.shift.rows if move.lever.link is None else np.zeros(0, dtype=np.int64)
            )
            try:
                gap = as_near(base.value, base.bound, base.gap)
                return search_near(fund, arrays, 0, (), gap, watch, near), ()
            except (NoState, OwnBounds):
                pass
        held: list[Held] = []
        for level in range(base.level + 1):
            start = base.decision if stands and level == base.level else None
            found = search(fund, arrays, level, tuple(held), base.gap, watch, start=start, method=base.method)
            if level == base.level:
                return found, tuple(held)
            if found.judgement is None:
                return replace(found, bound=None), tuple(held)
            value = found.judgement.evaluation.levels[level]
            held.append(Held(level, value - fund.appraisal.levels[level].tolerance * abs(value)))
        raise AssertionError("a round has a level")


def moves_of(priced: Priced, solution: Solution, steps: Mapping[int, Decimal]) -> Iterator[Move]:
    """Yield the moves of some lines, each by its step to both sides, where there is such a round."""
    for number, step in steps.items():
        for signed in (step, -step):
            move = move_of(priced, solution, number, signed)
            if move is not None:
                yield move


def move_of(priced: Priced, solution: Solution, number: int, step: Decimal) -> Move | None:
    """Return the move of a line by a signed step; None where there is no such round."""
    lever, line = priced.levers[number], priced.report.lines[number]
    if moved_round(solution.fund.round, lever, step) is None:
        return None
    direction = _direction(solution, lever, step) if priced.report.level == 0 else None
    # The relaxation is concave: without a slope it gains nothing on this side, however far the bound moves.
    idle = None
    if direction == "relaxes" and (line.price_more if step > 0 else line.price_less) == 0 and _is_large(solution):
        idle = Fraction(priced.relaxed.value) + abs(Fraction(priced.relaxed.value)) * Fraction(RESOLUTION)
    return Move(number, step, lever, direction, idle)


def _is_large(solution: Solution) -> bool:
    return int(solution.arrays.integer.sum()) >= CORE_FROM


def _direction(solution: Solution, lever: Lever, step: Decimal) -> Direction | None:
    """Return whether every plan stays one (relaxes), or no new one comes (tightens); None where neither is sure."""
    fund, up = solution.fund, step > 0
    effects: set[Direction | None] = set()
    if lever.rule is not None:
        for number in lever.limits:
            limit = fund.appraisal.limits.rows[number]
            sure = limit.unit >= 0 and (limit.base is None or _never_negative(fund, limit.base))
            effects.add(_effect(lever.rule.sense, up) if sure else None)
    elif lever.source is not None:
        source = fund.classes.sources[lever.source]
        effects.add("relaxes" if up else "tightens")
        if source.least:
            effects.add("tightens" if up else "relaxes")
        for limit in fund.appraisal.limits.rows:
            if (source.source, source.year) in limit.funds and limit.typed:
                effects.add(_effect(limit.rule.sense, up == (limit.typed > 0)))
    else:
        assert lever.link is not None
        effects.add(_effect(">=" if lever.link.kind == "at_least" else "<=", up))
    return effects.pop() if len(effects) == 1 else None


def _effect(sense: str, up: bool) -> Direction | None:
    if sense == "=":
        return None
    return "relaxes" if (sense == "<=") == up else "tightens"


def _never_negative(fund: Fund, total: int) -> bool:
    """Whether a total is 0 or more whatever is decided."""
    measure = fund.ledger.measure(fund.appraisal.limits.totals[total].measure)
    return bool((measure.constant_floats >= 0).all() and (measure.slope_floats >= 0).all())


def changes_of(
    priced: Priced, solution: Solution, moves: Sequence[Move], watch: Watch, *, jobs: int = 1
) -> tuple[dict[tuple[int, Decimal], Change], Judgement]:
    """Return what each move does, by the line's number and the step, and the best plan of the round known in the end.

    Moves that a stop leaves undone are left out. With `jobs` above 1 large rounds are shared out to processes; what is
    found does not depend on how many.
    """
    level = priced.report.level
    base = _base_of(solution, level)
    mover = Mover(base, solution.fund, solution.arrays)
    reached: dict[int, Reached] = {}
    for number, result in _solved(mover, moves, watch, jobs):
        reached[number] = result
        watch.phase = f"changes {len(reached)} of {len(moves)}"
        watch.tell()
    return _compared(mover, moves, reached)


def _base_of(solution: Solution, level: int) -> _Base:
    lexicographic = solution.fund.round.method == "lexicographic"
    found = solution.founds[level]
    judgement = found.judgement if lexicographic else solution.best
    assert judgement is not None
    return _Base(
        solution.fund.round,
        level,
        solution.held[:level],
        float(solution.gap),
        solution.request.method,
        judgement.evaluation.decision,
        judgement.evaluation.levels[level],
        found.bound,
    )


def _solved(mover: Mover, moves: Sequence[Move], watch: Watch, jobs: int) -> Iterator[tuple[int, Reached]]:
    """Yield what each move reaches, by its place, in no certain order."""
    large = int(mover.arrays.integer.sum()) >= CORE_FROM
    if jobs > 1 and large and len(moves) >= WORTH_SHARING:
        yield from _shared_out(mover.base, moves, watch, jobs)
        return
    for number, move in enumerate(moves):
        if watch.must_stop():
            return
        own = Watch(None if not np.isfinite(watch.left()) else watch.left(), began=watch.began)
        own.time_limit = watch.time_limit
        result = mover.reach(move, own)
        if own.stopped is not None:
            watch.stop(own.stopped)
            return
        yield number, result


_mover: Mover | None = None


def _take_over(base: _Base) -> None:
    """Make the mover of a process. Ctrl-C is for the process that waits."""
    global _mover
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    fund = fund_for_solving(base.round)
    _mover = Mover(base, fund, arrays_of(fund))


def _reach(number: int, move: Move, seconds: float | None) -> tuple[int, Reached | None]:
    """Return what a move reaches; None where the time was not enough."""
    assert _mover is not None
    watch = Watch(seconds)
    result = _mover.reach(move, watch)
    return number, None if watch.stopped is not None else result


def _shared_out(base: _Base, moves: Sequence[Move], watch: Watch, jobs: int) -> Iterator[tuple[int, Reached]]:
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _take_over, (base,))
    try:
        left = watch.left() if np.isfinite(watch.left()) else None
        waiting = {pool.submit(_reach, number, move, left) for number, move in enumerate(moves)}
        while waiting and not watch.must_stop():
            done, waiting = wait(waiting, POLLING, FIRST_COMPLETED)
            watch.tell()
            for future in done:
                number, result = future.result()
                if result is not None:
                    yield number, result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if watch.stopped is not None:
            for process in active_children():
                process.terminate()


def _compared(
    mover: Mover, moves: Sequence[Move], reached: Mapping[int, Reached]
) -> tuple[dict[tuple[int, Decimal], Change], Judgement]:
    """Hold all plans against each other and return the changes."""
    base = mover.base
    best = judge(mover.fund, base.decision, base.held)
    bound = base.bound
    for number, result in reached.items():
        move = moves[number]
        if move.direction == "relaxes" and result.bound is not None:
            bound = result.bound if bound is None else min(bound, result.bound)
        if result.decision is None or result.value is None or result.decision == base.decision:
            continue
        if result.value > best.evaluation.levels[base.level]:
            again = judge(mover.fund, result.decision, base.held)
            if again.is_plan and again.evaluation.levels[base.level] > best.evaluation.levels[base.level]:
                best = again
    by_name: dict[tuple[str, str], list[int]] = {}
    for number in reached:
        lever = moves[number].lever
        by_name.setdefault((lever.kind, lever.name), []).append(number)
    found: dict[tuple[int, Decimal], Change] = {}
    for number, result in reached.items():
        move = moves[number]
        related = by_name[move.lever.kind, move.lever.name]
        others = [reached[other] for other in related if _is_related(move, moves[other])]
        found[move.number, move.step] = _change(mover, move, result, others, best, bound)
    return found, best


def _is_related(one: Move, other: Move) -> bool:
    """Whether a plan of one move may well be one of the other: of another step, of all members and of one."""
    return one is not other and (one.number == other.number or ALL in (one.lever.member, other.lever.member))


def _change(
    mover: Mover, move: Move, result: Reached, others: Sequence[Reached], best: Judgement, bound: Fraction | None
) -> Change:
    """Return what a move does; `others` are what moves like it have reached."""
    level = mover.base.level
    before = best.evaluation.levels[level]
    if result.infeasible:
        return Change(move.step, "-inf", "-inf", "-inf")
    made = mover.moved(move)
    assert made is not None
    fund, _ = made
    plan = None if result.decision is None else judge(fund, result.decision, result.held)
    kept = judge(fund, best.evaluation.decision, result.held)
    # The round's own best plan may be the moved round's too.
    if kept.is_plan and (plan is None or kept.evaluation.levels[level] >= plan.evaluation.levels[level]):
        plan = kept
    for other in others:
        if other.decision is None or other.value is None:
            continue
        if plan is None or other.value > plan.evaluation.levels[level]:
            again = judge(fund, other.decision, result.held)
            if again.is_plan and (plan is None or again.evaluation.levels[level] > plan.evaluation.levels[level]):
                plan = again
    above = result.bound
    if move.direction == "tightens" and bound is not None:
        above = bound if above is None else min(above, bound)
    high: Price = None if above is None else stated(above - before)
    if plan is None:
        return Change(move.step, "-inf", _at_most(high, move), None)
    value = plan.evaluation.levels[level]
    low: Price = None if bound is None else stated(value - bound)
    if move.direction == "relaxes":
        low = Decimal(0) if not isinstance(low, Decimal) else max(low, Decimal(0))
    ledger = mover.fund.ledger
    names = [
        {ledger.choices[j].project.project for j in d} for d in (best.evaluation.decision, plan.evaluation.decision)
    ]
    criteria = {
        name: stated(after - best.evaluation.criteria[name])
        for name, after in plan.evaluation.criteria.items()
        if after != best.evaluation.criteria[name]
    }
    return Change(
        move.step,
        low,
        _at_most(high, move),
        stated(value - before),
        MappingProxyType(criteria),
        tuple(sorted(names[1] - names[0])),
        tuple(sorted(names[0] - names[1])),
    )


def _at_most(high: Price, move: Move) -> Price:
    if move.direction != "tightens":
        return high
    return Decimal(0) if not isinstance(high, Decimal) else min(high, Decimal(0))


def with_changes(
    report: PriceReport, steps: Mapping[int, Decimal], changes: Mapping[tuple[int, Decimal], Change]
) -> PriceReport:
    """Return the report with finite changes in it."""
    lines = list(report.lines)
    for number, step in steps.items():
        lines[number] = replace(
            lines[number],
            step=step,
            change_more=changes.get((number, step)),
            change_less=changes.get((number, -step)),
        )
    return replace(report, lines=tuple(lines))
