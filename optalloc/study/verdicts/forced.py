"""A round solved again with one thing changed: a project forced in or out, another award or budget, a rule dropped.

A small round that is proven is solved to the end, with the ties broken, so that there is one plan to speak of. Others,
those large enough for the core way among them, are searched near the plan at hand (`nearby`), so that what is found is
not the noise between two searches; where that finds no plan and they are small, from the beginning to the round's own
gap. Work is counted, not timed: what is found is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from integrated_fund.evaluation import Decision
from integrated_fund.fund import Fund, fund_for_solving
from integrated_fund.round import Project, Round, Source, Status
from optalloc.solve.arrays import arrays_of
from optalloc.solve.core.groups import NoState, OwnBounds
from optalloc.solve.exactness import Held
from optalloc.solve.manifest import Request
from optalloc.solve.progress import Watch
from optalloc.solve.search import CORE_FROM
from optalloc.solve.solution import NoPlan, Solution, solution_of
from optalloc.study.prices.levers import Positions
from optalloc.study.prices.nearby import Near, as_near, search_near

#: Nodes × non-zeros after which a round is given up: some never close their gap.
WORK = 40_000_000
NO_ROWS: Positions = np.zeros(0, dtype=np.int64)


class GivenUp(Exception):
    """A changed round could not be solved to the end."""


@dataclass(frozen=True)
class Outcome:
    """What is known of a changed round: its best plan, the value of its first level and a bound on it.

    `settled`: the first level is proven optimal, or that there is no plan. `canonical`: so is everything after it, ties
    broken, so that the decision is the one plan of this round.
    """

    decision: Decision | None
    value: Fraction | None
    bound: Fraction | None
    infeasible: bool
    settled: bool
    canonical: bool

    def only_plan(self) -> Decision | None:
        """Return the decision of the one plan of this round; None where it has none.

        Raises:
            GivenUp: which one that is was not found.
        """
        if not self.canonical:
            raise GivenUp("a round on the way was not solved to the end")
        return self.decision


class _Leg(Watch):
    """The watch of one of several solves: it stops when the whole one stops."""

    def __init__(self, whole: Watch) -> None:
        super().__init__(None, whole.listener, whole.phase)
        self.whole = whole

    def left(self) -> float:
        """Return how much time is left."""
        return self.whole.left()

    def must_stop(self) -> bool:
        """Return whether runs must end now."""
        if self.whole.must_stop() and self.whole.stopped is not None:
            self.stop(self.whole.stopped)
        return super().must_stop()


class Resolver:
    """Solves changed rounds of a solved one.

    Attributes:
        large: whether the round is large enough for the core way.
        exact: whether rounds are solved to the end: this one was, and is not large.
        as_near: the relative gap at which a plan of a changed round is as near to its bound as this one's.
    """

    def __init__(self, solution: Solution, watch: Watch) -> None:
        self.solution, self.watch = solution, watch
        self.large = int(solution.arrays.integer.sum()) >= CORE_FROM
        proven = all(found.proven for found in solution.founds) and bool(solution.tie_break["complete"])
        self.exact = proven and not self.large
        self.as_near = as_near(solution.optimum(0), solution.founds[0].bound, float(solution.gap))

    def leg(self, what: str) -> Watch:
        """Return the watch of the next solve."""
        self.watch.phase = what
        self.watch.tell()
        return _Leg(self.watch)

    def ended(self, leg: Watch) -> None:
        """Note what has stopped a solve."""
        if leg.stopped is not None:
            self.watch.stop(leg.stopped)

    def solve(self, round_: Round, what: str, start: Decision | None = None) -> Outcome:
        """Return what is known of a changed round; `start` is a decision that may be a plan of it.

        Its choices must be those of the solved round, in number and order.

        Raises:
            SolverError: the solver failed.
        """
        leg = self.leg(what)
        request = self.solution.request
        gap = Decimal(0) if self.exact else self.solution.gap
        fund = Fund(round_, compact=True) if self.large else fund_for_solving(round_)
        near = self._near(fund, leg, start)
        if near is not None:
            self.ended(leg)
            return near
        found = solution_of(fund, leg, Request(gap, request.method), start=start, work=WORK)
        self.ended(leg)
        if isinstance(found, NoPlan):
            infeasible = found.status == "infeasible"
            bound = None if found.bound is None else Fraction(found.bound)
            return Outcome(None, None, bound, infeasible, infeasible, infeasible)
        settled = found.founds[0].proven
        canonical = settled and bool(found.tie_break["complete"])
        return Outcome(found.evaluation.decision, found.optimum(0), found.founds[0].bound, False, settled, canonical)

    def _near(self, fund: Fund, watch: Watch, start: Decision | None) -> Outcome | None:
        """Return what searches near a decision, level by level, know of a round; None where that is not the way, or
        finds no plan of a round that is small enough to be searched from the beginning.
        """
        if self.exact or start is None or self.solution.request.method == "direct":
            return None
        arrays, levels = arrays_of(fund), fund.appraisal.levels
        try:
            found = search_near(fund, arrays, 0, (), self.as_near, watch, Near(start, NO_ROWS))
            if found.infeasible:
                return Outcome(None, None, None, True, True, True)
            if found.judgement is None and self.large:  # what begins near a plan and finds none may find one elsewhere
                found = search_near(fund, arrays, 0, (), self.as_near, watch, Near(None, NO_ROWS))
                if found.judgement is None:
                    return Outcome(None, None, found.bound, False, False, False)
            held: tuple[Held, ...] = ()
            last = found
            for number, level in enumerate(levels):
                if last.judgement is None:
                    return None
                evaluation = last.judgement.evaluation
                value = evaluation.levels[number]
                held = (*held, Held(number, value - level.tolerance * abs(value)))
                if number + 1 < len(levels):
                    near = Near(evaluation.decision, NO_ROWS)
                    gap = float(self.solution.gap)
                    last = search_near(fund, arrays, number + 1, held, gap, watch, near)
        except (NoState, OwnBounds):
            return None
        assert found.judgement is not None
        value = found.judgement.evaluation.levels[0]
        return Outcome(evaluation.decision, value, found.bound, False, found.proven, False)

    def decision_with(self, project: str, choice: int | None, steps: int = 0) -> Decision:
        """Return the plan's decision with a project at another choice, or (None) without it."""
        own = self.solution.fund.ledger.choices_of[project]
        decision = {j: n for j, n in self.solution.evaluation.decision.items() if j not in own}
        return decision if choice is None else {**decision, choice: steps}


def with_status(round_: Round, project: str, status: Status) -> Round:
    """Return the round with a project of another status."""
    return _with_project(round_, project, lambda row: replace(row, status=status))


def with_award(round_: Round, project: str, factor: Fraction) -> Round:
    """Return the round with all awards of a project and its options times a factor, rounded down to whole steps.

    No award becomes less than one step; what was 0 stays 0. Benefits stay as they are.
    """
    step = Fraction(round_.step)

    def scaled(amount: Decimal | None) -> Decimal | None:
        if amount is None or amount == 0:
            return amount
        return _decimal(max(step, Fraction(amount) * factor // step * step))

    def most(amount: Decimal) -> Decimal:
        found = scaled(amount)
        assert found is not None
        return found

    changed = _with_project(
        round_, project, lambda row: replace(row, max_award=most(row.max_award), min_award=scaled(row.min_award))
    )
    options = tuple(
        replace(row, max_award=most(row.max_award), min_award=scaled(row.min_award)) if row.project == project else row
        for row in round_.options
    )
    return replace(changed, options=options)


def with_budget(round_: Round, factor: Fraction) -> Round:
    """Return the round with every source's amount times a factor, rounded down to whole steps."""
    step = Fraction(round_.step)
    sources = tuple(
        replace(row, amount=_decimal(Fraction(row.amount) * factor // step * step)) for row in round_.sources
    )
    return replace(round_, sources=sources)


def with_more_money(round_: Round, sources: Sequence[tuple[str, int | None]], amount: Decimal) -> Round:
    """Return the round with so much more in some sources, by name and year."""
    wanted = set(sources)

    def more(row: Source) -> Source:
        return replace(row, amount=row.amount + amount) if (row.source, row.year) in wanted else row

    return replace(round_, sources=tuple(map(more, round_.sources)))


def without_rule(round_: Round, rule: str) -> Round:
    """Return the round without a rule, all its members."""
    return replace(round_, rules=tuple(row for row in round_.rules if row.rule != rule))


def without_link(round_: Round, link: str) -> Round:
    """Return the round without a link."""
    return replace(round_, links=tuple(row for row in round_.links if row.link != link))


def budget_of(round_: Round) -> Fraction:
    """Return the amounts of all sources in all years."""
    return sum((Fraction(row.amount) for row in round_.sources), Fraction(0))


def _with_project(round_: Round, project: str, change: Callable[[Project], Project]) -> Round:
    rows = tuple(change(row) if row.project == project else row for row in round_.projects)
    return replace(round_, projects=rows)


def _decimal(value: Fraction) -> Decimal:
    """Return a whole number of steps, which a decimal holds exactly."""
    return Decimal(value.numerator) / Decimal(value.denominator)
