"""Where a decision turns, by bisection over rounds solved again.

A decision need not be monotone in an award or a budget: whole projects do not fit together evenly, and a project may
come in, go out and come in again. What is found is one place where it turns: on its one side, `held`, the project is
decided as it is now, on the other, `at`, the other way, and both rounds were solved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from integrated_fund.round import Round
from optalloc.plan.plan import stated
from optalloc.plan.verdicts import Turn
from optalloc.study.verdicts.forced import Outcome, Resolver, budget_of, with_award, with_budget

#: Rounds solved for one turn; enough for a four-thousandth of the range.
SOLVES = 12


@dataclass(frozen=True)
class Asked:
    """A project whose turns are looked for: its name, whether it is funded, its choices, and the award it is judged by
    as its option has it at most, in whole steps.
    """

    project: str
    is_funded: bool
    choices: range
    most: int


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

    # Whoever takes no less than all the money there is and a step cannot be funded.
    far = int(budget_of(round_) / step) + 1 if asked.is_funded else 1
    if asked.most == 0 or (asked.is_funded and far <= asked.most):
        return None
    return _turn(resolver, asked, "award", with_steps, asked.most, far, step, is_turned=asked.is_funded)


def budget_turn(resolver: Resolver, asked: Asked) -> Turn | None:
    """Return the budget, all sources in proportion, at which the decision turns; None where none up to twice today's
    (for a funded project: down to nothing) turns it.

    Amounts of sources are rounded down to whole steps.

    Raises:
        GivenUp, SolverError.
    """
    round_ = resolver.solution.fund.round
    step = Fraction(round_.step)
    today = int(budget_of(round_) / step)

    def with_steps(steps: int) -> Round:
        return with_budget(round_, Fraction(steps, today))

    if today == 0:
        return None
    far = 0 if asked.is_funded else 2 * today
    # Without any money nothing is funded, whether that is a plan or not.
    return _turn(resolver, asked, "budget", with_steps, today, far, step, is_turned=asked.is_funded)


def _turn(
    resolver: Resolver,
    asked: Asked,
    what: str,
    changed: Callable[[int], Round],
    held: int,
    far: int,
    step: Fraction,
    *,
    is_turned: bool,
) -> Turn | None:
    """Bisect between `held`, where the decision is what it is, and `far`, where it is the other one or has no plan.

    `is_turned`: that it is not as now at `far` is known beforehand. A round without a plan has no decision: where it
    only turns into that, it does not turn.
    """

    def turned(steps: int) -> bool | None:
        outcome = resolver.solve(changed(steps), f"{asked.project}: {what} {stated(steps * step)}")
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
    return Turn(_stated(far, step), _stated(held, step), True)


def _differs(outcome: Outcome, asked: Asked) -> bool | None:
    """Return whether the project is decided otherwise in a round; None where that has no plan."""
    decision = outcome.only_plan()
    return None if decision is None else any(j in decision for j in asked.choices) != asked.is_funded


def _stated(steps: int, step: Fraction) -> Decimal:
    return stated(steps * step)
