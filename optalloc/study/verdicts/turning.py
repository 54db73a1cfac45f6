"""Where a decision turns, by rounds solved again.

A decision need not be monotone in an award or a budget: whole projects do not fit together evenly, and a project may
come in, go out and come in again. What is found is one place where it turns: at `held` the project is decided as it is
now, at `at` the other way.

Small rounds are solved to the end, so bisection closes in on a step. Large ones are not: there `held` is the furthest
value at which the decision is proven to be as it is now, `found` the nearest at which the best plan found decides
otherwise, `at` the nearest at which that is proven too (`contests`). Bounds are cheap and nearly as far from the plans
everywhere, so they say where a plan is worth looking for: one or two searches an end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from integrated_fund.round import Round
from optalloc.plan.plan import stated
from optalloc.plan.verdicts import Turn
from optalloc.study.verdicts.contests import Contest, Contests
from optalloc.study.verdicts.forced import GivenUp, Outcome, Resolver, budget_of, with_award, with_budget

#: Rounds solved for one turn; enough for a four-thousandth of the range.
SOLVES = 12
#: Of a large round: searches for one turn, values tried for what is proven as now and for what is found, bounds
#: between two of them, and for the end of the range.
SEARCHES = 4
TRIES = 2
BOUNDS = 9
ENDS = 5
#: A part of the range that is fine enough.
FINE = 500
#: An end is looked for where bounds leave a little more than the last search says that it takes, as a share of how far
#: plans are from bounds.
FURTHER = 0.2
#: As a share of the same, how near to a margin is near enough.
CLOSE = 0.1


@dataclass(frozen=True)
class Asked:
    """A project whose turns are looked for: its name, whether it is funded, its choices, and the award it is judged by
    as its option has it at most, in whole steps.

    Of a large round also what is known of it `today`, and what makes contests of changed ones.
    """

    project: str
    is_funded: bool
    choices: range
    most: int
    today: Contest | None = None
    contests: Contests | None = None


def award_turn(resolver: Resolver, asked: Asked) -> Turn | None:
    """Return the award at which the decision turns, all else as it is; None where no award turns it.

    It is the `max_award` of the option that the project is judged by; its other amounts move in proportion. A project
    that is not funded is asked from one step up to its award, a funded one from its award up to all money there is.

    Raises:
        GivenUp, SolverError.
    """
    round_ = resolver.solution.fund.round
    step = Fraction(round_.step)

    def with_steps(steps: int) -> Round:
        return with_award(round_, asked.project, Fraction(steps, asked.most))

    def awarded(steps: int) -> Decimal:
        return stated(steps * step)

    # Whoever takes no less than all the money there is and a step cannot be funded.
    far = int(budget_of(round_) / step) + 1 if asked.is_funded else 1
    if asked.most == 0 or (asked.is_funded and far <= asked.most):
        return None
    if asked.today is not None and asked.contests is not None:
        today, contests = asked.today, asked.contests

        def contest(steps: int) -> Contest:
            made = contests.of(with_steps(steps), f"award {awarded(steps)}")
            return made.with_outside(today.outside)  # without the project its award is nothing to anybody

        return _Bracket(asked.is_funded, today, contest, asked.most, far).turn(awarded)
    return _turn(resolver, asked, "award", with_steps, asked.most, far, awarded, is_turned=asked.is_funded)


def budget_turn(resolver: Resolver, asked: Asked) -> Turn | None:
    """Return the budget, all sources in proportion, at which the decision turns; None where none up to twice today's
    (for a funded project: down to nothing) turns it.

    Amounts of sources are rounded down to whole steps; what is stated is what they then add up to.

    Raises:
        GivenUp, SolverError.
    """
    round_ = resolver.solution.fund.round
    step = Fraction(round_.step)
    today = int(budget_of(round_) / step)

    def with_steps(steps: int) -> Round:
        return with_budget(round_, Fraction(steps, today))

    def adds_up_to(steps: int) -> Decimal:
        return stated(budget_of(round_ if steps == today else with_steps(steps)))

    if today == 0:
        return None
    far = 0 if asked.is_funded else 2 * today
    if asked.today is not None and asked.contests is not None:
        contests = asked.contests

        def contest(steps: int) -> Contest:
            return contests.of(with_steps(steps), f"budget {adds_up_to(steps)}")

        return _Bracket(asked.is_funded, asked.today, contest, today, far).turn(adds_up_to)
    # Without any money nothing is funded, whether that is a plan or not.
    return _turn(resolver, asked, "budget", with_steps, today, far, adds_up_to, is_turned=asked.is_funded)


def _turn(
    resolver: Resolver,
    asked: Asked,
    what: str,
    changed: Callable[[int], Round],
    held: int,
    far: int,
    said: Callable[[int], Decimal],
    *,
    is_turned: bool,
) -> Turn | None:
    """Bisect between `held`, where the decision is what it is, and `far`, where it is the other one or has no plan.

    `said` is what a number of steps is stated as. `is_turned`: that it is not as now at `far` is known beforehand. A
    round without a plan has no decision: where it only turns into that, it does not turn.
    """

    def turned(steps: int) -> bool | None:
        outcome = resolver.solve(changed(steps), f"{asked.project}: {what} {said(steps)}")
        return _differs(outcome, asked)

    if far == held:
        return None
    differs: bool | None = None  # at `far`; None: not solved yet, or no plan
    solved = not is_turned
    if solved:
        differs = turned(far)
        if not differs:
            return None
    for _ in range(SOLVES):
        middle = (held + far) // 2
        if middle in (held, far):
            break
        found = turned(middle)
        if found is False:
            held = middle
        else:
            far, differs, solved = middle, found, True
    if not solved:
        differs = turned(far)
    if not differs:
        return None
    return Turn(said(far), said(held), True, said(far))


def _differs(outcome: Outcome, asked: Asked) -> bool | None:
    """Return whether the project is decided otherwise in a round; None where that has no plan."""
    decision = outcome.only_plan()
    return None if decision is None else any(j in decision for j in asked.choices) != asked.is_funded


class _Bracket:
    """The search for a turn of a large round between `held`, today's value, and `far`, the end of the range."""

    def __init__(self, is_funded: bool, today: Contest, contest: Callable[[int], Contest], held: int, far: int) -> None:
        self.now, self.held, self.far = is_funded, held, far
        self._contest, self._known = contest, {held: today}
        #: How far plans of both halves are from their bounds, where they were last looked for.
        self._distance = {half: today.distance(half) for half in (True, False)}
        self._left = SEARCHES

    def turn(self, said: Callable[[int], Decimal]) -> Turn | None:
        """Return where the decision turns, or up to where it does not; None where bounds say that no value in the range
        turns it.

        Raises:
            GivenUp: a plan that decides otherwise is as good as this one already, or a bound was not found.
            SolverError: the solver failed.
        """
        if self._known[self.held].finds(not self.now):
            raise GivenUp("the best plan found decides otherwise already")
        self._come_near()
        if self.far == self.held or self._margin(self.far) > self._needed(self.now):
            return None
        held = self._proven_as_now()
        found = self._found(held)
        if found is None:
            return None if held == self.held else Turn(None, said(held), False, None)
        proven = self._proven_otherwise(found)
        at = found if proven is None else proven
        return Turn(said(at), said(held), proven is not None, said(found))

    @property
    def _fine(self) -> int:
        return max(1, abs(self.far - self.held) // FINE)

    def _at(self, steps: int) -> Contest:
        if steps not in self._known:
            self._known[steps] = self._contest(steps)
        return self._known[steps]

    def _margin(self, steps: int) -> float:
        """Return how much more the bounds allow the decision as it is now than the other; nan without a plan."""
        return self._at(steps).margin(self.now)

    def _needed(self, half: bool) -> float:
        """Return what margin a half takes to be proven."""
        known = self._distance[half]
        return known if np.isfinite(known) else min(self._distance.values())

    def _may_search(self, steps: int, *halves: bool) -> bool:
        """Count searches of halves that have none yet; return whether there are as many left."""
        self._left -= sum(self._at(steps).half(half).value is None for half in halves)
        return self._left >= 0

    def _come_near(self) -> None:
        """Bring the end of the range to where bounds show that it has turned, or to where there still may be a plan."""
        side = 1 if self.far > self.held else -1
        span, end = max(1, self.held), self.far
        for _ in range(ENDS):
            self.far = end if span >= abs(end - self.held) else self.held + side * span
            if self.far == end or not self._is_possible(self.far) or self._margin(self.far) < -self._enough:
                break
            span *= 2
        near, far = self.held, self.far
        if self._is_possible(far):
            return
        for _ in range(ENDS):
            if abs(far - near) <= self._fine:
                break
            middle = (near + far) // 2
            near, far = (middle, far) if self._is_possible(middle) else (near, middle)
            if near == middle and self._margin(near) < -self._enough:
                break
        self.far = near

    @property
    def _enough(self) -> float:
        """A margin that proves the other decision, were plans twice as far from bounds as they are."""
        return 2 * self._needed(not self.now)

    def _is_possible(self, steps: int) -> bool:
        """Whether there may be a plan; where programmes are so far from any that no bound is found there is none to
        look for.
        """
        try:
            return not np.isnan(self._margin(steps))
        except GivenUp:
            return False

    def _last_above(self, near: int, far: int, margin: float) -> int:
        """Return a value from `near` on at which the margin is above one, but not much; at `far` it is not."""
        return self._crossing(near, far, margin, 1)

    def _first_below(self, near: int, far: int, margin: float) -> int:
        """Return a value up to `far` at which the margin is not above one, nor far below; at `near` it is above."""
        return self._crossing(near, far, margin, -1)

    def _crossing(self, near: int, far: int, margin: float, side: int) -> int:
        """Return where the margin crosses another: just before (side 1), or just behind (-1). By false position, halves
        where that does not come closer.
        """
        close = CLOSE * min(self._needed(True), self._needed(False))
        aim = margin + side * close / 2
        low, high = self._margin(near), self._margin(far)
        for number in range(BOUNDS):
            end = low if side > 0 else high
            if abs(far - near) <= self._fine or side * (end - margin) <= close:
                break
            straight = np.isfinite(low) and np.isfinite(high) and number % 3 < 2
            share = min(max((low - aim) / (low - high), 0.02), 0.98) if straight else 0.5
            middle = near + round(share * (far - near))
            if middle in (near, far):
                break
            value = self._margin(middle)
            near, low, far, high = (middle, value, far, high) if value > margin else (near, low, middle, value)
        return near if side > 0 else far

    def _proven_as_now(self) -> int:
        """Return the furthest value at which the decision is proven to be as it is now; today's where none is."""
        needed = self._needed(self.now)
        # Where the plan of this half is known, nothing has to be left for a worse one.
        if self._at(self.far).half(self.now).value is None:
            needed *= 1 + FURTHER
        for _ in range(TRIES):
            if not self._margin(self.held) > needed:
                break
            tried = self._last_above(self.held, self.far, needed)
            if tried == self.held or not self._may_search(tried, self.now):
                break
            if self._at(tried).proves(self.now):
                return tried
            needed = max(self._at(tried).distance(self.now), needed) * (1 + FURTHER)
        return self.held

    def _found(self, held: int) -> int | None:
        """Return the nearest value tried at which the best plan found decides otherwise; None where bounds, and how far
        plans are from them, let none be expected.
        """
        even = self._distance[self.now] - self._needed(not self.now)
        further = FURTHER * (self._needed(True) + self._needed(False))
        for _ in range(TRIES):
            end = self._margin(self.far)
            if not end < even:
                return None
            ahead = max(even - further, (even + end) / 2)
            tried = self._first_below(held, self.far, ahead) if self._margin(held) > ahead else self.far
            if not self._may_search(tried, True, False):
                return None
            contest = self._at(tried)
            if contest.finds(not self.now):
                return tried
            apart = contest.distance(self.now) - contest.distance(not self.now)
            even = min(even - further, apart if np.isfinite(apart) else even)
            held = tried
        return None

    def _proven_otherwise(self, found: int) -> int | None:
        """Return a value, from one found on, at which the other decision is proven; None where it is not."""
        if self._at(found).proves(not self.now):
            return found
        needed = self._at(found).distance(not self.now) * (1 + FURTHER)
        if not self._margin(self.far) < -needed:
            return None
        tried = self._first_below(found, self.far, -needed)
        return tried if self._may_search(tried, not self.now) and self._at(tried).proves(not self.now) else None
