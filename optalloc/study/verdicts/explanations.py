r"""Why projects were decided as they were, exactly: the round solved again with each decided the other way.

With V the best value of the first level, V[in] and V[out] with the project forced in and out:

    score     a raise of the benefit by d raises V[in] by d and leaves V[out]: the decision turns at d = V[out] - V[in]
    cost      of the other decision:  V - V[other];  with bounds B and plans v of both rounds it lies within
              v - B[other] ... B - v[other].  It is never negative where the decision is free; where a status decides,
              the other decision may be the better one
    displaces who is in one of the two plans and not in the other
    award, budget   by bisection (`turning`)

A benefit is the objective's first level. Where later levels may give some of the first away (a tolerance), the score
does not decide by itself and none is given. A block grant has nothing to accept: it cannot be forced in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fractions import Fraction
from functools import partial
from typing import TypeVar

import numpy as np

from integrated_fund.ledger import ZERO
from integrated_fund.round import Round
from optalloc.errors import WrongUse
from optalloc.plan.plan import stated, stated_above
from optalloc.plan.verdicts import CostLine, Explanation, Otherwise, Turn, Verdict
from optalloc.solve.certificate import Certificate, EitherWay, bounds_either_way
from optalloc.solve.core.groups import Groups
from optalloc.solve.progress import Watch
from optalloc.solve.solution import Solution
from optalloc.study.verdicts.contests import Contest, Contests, Half
from optalloc.study.verdicts.forced import GivenUp, Outcome, Resolver, with_status
from optalloc.study.verdicts.obstacles import Answer, Lifting, Obstacle, broken_by, further_suspects
from optalloc.study.verdicts.turning import Asked, award_turn, budget_turn
from optalloc.study.verdicts.verdicts import judged_choices, verdicts_of
from optalloc.study.verdicts.words import sentence_of_explanation, sentence_of_verdict
from optalloc.study.verdicts.worth import Worth

#: How many names near an unknown one are offered.
NEAR_NAMES = 3

Found = TypeVar("Found")


def known_projects(round_: Round, projects: Sequence[str]) -> tuple[str, ...]:
    """Return the projects asked for, each once.

    Raises:
        WrongUse: `unknown_project`; the message has near names.
    """
    known = [row.project for row in round_.projects]
    for name in projects:
        if name not in known:
            near = get_close_matches(name, known, NEAR_NAMES, 0.6) or get_close_matches(
                name.casefold(), [one for one in known if one.casefold().startswith(name.casefold()[:3])], NEAR_NAMES, 0
            )
            hint = f" Did you mean {', '.join(near)}?" if near else ""
            raise WrongUse("unknown_project", f"The round has no project {name!r}.{hint}")
    return tuple(dict.fromkeys(projects))


def explained(
    solution: Solution, certificate: Certificate, projects: Sequence[str], watch: Watch
) -> tuple[Explanation, ...]:
    """Return the explanation of some projects of a solved round, in the order asked.

    Once the watch says stop, what is left is not looked for, and `given_up` says so.

    Raises:
        WrongUse: `unknown_project`.
        SolverError: the solver failed.
    """
    asked = known_projects(solution.fund.round, projects)
    verdicts = verdicts_of(solution, certificate)
    study = _Study(solution, certificate, verdicts, watch)
    return tuple(study.explanation(name) for name in asked)


class _Study:
    """A solved round, ready to be asked about projects."""

    def __init__(self, solution: Solution, certificate: Certificate, verdicts: Sequence[Verdict], watch: Watch) -> None:
        self.solution, self.verdicts, self.watch = solution, verdicts, watch
        self.by_name = {verdict.project: verdict for verdict in verdicts}
        self.resolver = Resolver(solution, watch)
        self.worth = Worth(solution.fund, certificate)
        self.choices, self.steps = judged_choices(solution, self.worth)
        groups = Groups(solution.arrays, solution.fund.ledger.project_of)
        self.either: EitherWay = bounds_either_way(solution.fund, groups, certificate)

    def explanation(self, project: str) -> Explanation:
        """Return everything about one project."""
        number = self.solution.fund.ledger.choices.number_of[project]
        verdict = self.by_name[project]
        unpayable = verdict.cost is None  # its money has no price, so there is nothing to add up
        costs = () if unpayable else self.worth.lines(int(self.choices[number]), int(self.steps[number]))
        trouble: list[str] = []

        def tried(find: Callable[[], Found]) -> Found | None:
            """Return what is found; None where it is given up, and note why."""
            if not self.watch.must_stop():
                try:
                    return find()
                except GivenUp as reason:
                    if not self.watch.stopped:
                        trouble.append(str(reason))
            if self.watch.stopped:
                trouble.append(f"stopped: {self.watch.stopped}")
            return None

        broken = broken_by(self.resolver, verdict)
        other = tried(lambda: self._other(verdict))
        award = budget = None
        asked = tried(lambda: self._asked(verdict, number, other))
        may_turn = verdict.status == "candidate" and verdict.cost is not None
        if asked is not None and may_turn and (self.resolver.exact or asked.today is not None):
            award = tried(lambda: award_turn(self.resolver, asked))
            budget = tried(lambda: budget_turn(self.resolver, asked))
        answers = self._alone(verdict, broken, costs, asked, tried)
        alone = tuple(name for name, answer in answers.items() if answer in ("proven", "found"))
        explanation = Explanation(
            sentence_of_verdict(replace(verdict, blocked_by=tuple(dict.fromkeys([*verdict.blocked_by, *alone])))),
            costs,
            alone,
            tuple(name for name in alone if answers[name] == "found"),
            tuple(name for name, answer in answers.items() if answer == "undecided"),
            award,
            None if other is None else self._score(verdict, number, other),
            budget,
            None if other is None else self._otherwise(verdict, number, other),
            unpayable or (other is not None and other.infeasible),
            "; ".join(dict.fromkeys(trouble)) or None,
            "",
        )
        unit = self.solution.fund.round.unit
        return replace(explanation, sentence=sentence_of_explanation(explanation, unit))

    def _other(self, verdict: Verdict) -> Outcome | None:
        """Return the round with the project decided the other way; None where it cannot be forced."""
        round_, ledger = self.solution.fund.round, self.solution.fund.ledger
        choice = int(self.choices[ledger.choices.number_of[verdict.project]])
        if verdict.is_funded:
            start = self.resolver.decision_with(verdict.project, None)
            changed = with_status(round_, verdict.project, "excluded")
        elif ledger.is_block_grant[choice] or verdict.cost is None:
            return None
        else:
            steps = int(self.steps[ledger.choices.number_of[verdict.project]])
            start = self.resolver.decision_with(verdict.project, choice, steps)
            changed = with_status(round_, verdict.project, "mandatory")
        outcome = self.resolver.solve(changed, f"{verdict.project}: decided the other way", start)
        if outcome.decision is None and not outcome.infeasible:
            raise GivenUp("no plan with the other decision was found")
        return outcome

    def _bounds(self, verdict: Verdict, number: int, other: Outcome) -> tuple[Fraction, Fraction, Fraction | None]:
        """Return the best value known of the round, that of the other decision, and a bound on the latter."""
        assert other.value is not None
        known, bounds = self.solution.optimum(0), [other.bound]
        if verdict.status == "candidate":  # else the other decision is no plan of this round
            known = max(known, other.value)
            bounds.append((self.either.declined if verdict.is_funded else self.either.funded)[number])
        proven = [bound for bound in bounds if bound is not None]
        return known, other.value, max(other.value, min(proven)) if proven else None

    def _otherwise(self, verdict: Verdict, number: int, other: Outcome) -> Otherwise | None:
        """Return what the other decision costs and moves."""
        if other.decision is None:
            return None
        known, value, bound = self._bounds(verdict, number, other)
        of_round = self.solution.founds[0].bound
        low = None if bound is None else known - bound
        high = None if of_round is None else of_round - value
        found = known - value
        if verdict.status == "candidate":  # the decision is free, so the other one is no better
            low, found = max(ZERO, low or ZERO), max(ZERO, found)
            high = None if high is None else max(ZERO, high)
        ledger = self.solution.fund.ledger
        now, then = (
            {int(p) for p in ledger.project_of[np.array(sorted(decision), dtype=np.int64)]} - {number}
            for decision in (self.solution.evaluation.decision, other.decision)
        )
        enters, leaves = (
            tuple(ledger.projects[p].project for p in sorted(moved)) for moved in (then - now, now - then)
        )
        if low is not None and low == high:  # a point is one number, rounded as such
            return Otherwise(stated(low), stated(low), stated(low), enters, leaves)
        below = None if low is None else -stated_above(-low)
        above = None if high is None else stated_above(high)
        return Otherwise(below, above, stated(found), enters, leaves)

    def _score(self, verdict: Verdict, number: int, other: Outcome) -> Turn | None:
        """Return the benefit at which the decision turns."""
        fund, round_bound = self.solution.fund, self.solution.founds[0].bound
        block = bool(fund.ledger.is_block_grant[self.choices[number]])
        if other.value is None or verdict.status != "candidate" or self._gives_away or block or round_bound is None:
            return None
        known, value, bound = self._bounds(verdict, number, other)
        low = ZERO if bound is None else max(ZERO, known - bound)
        high = max(ZERO, round_bound - value)
        if low == high:
            beyond = stated(verdict.worth - high if verdict.is_funded else verdict.worth + high)
            return Turn(beyond, beyond, True, beyond)
        apart = max(ZERO, known - value)
        if verdict.is_funded:
            held = stated_above(verdict.worth - low)
            return Turn(-stated_above(high - verdict.worth), held, True, stated(verdict.worth - apart))
        held = -stated_above(-verdict.worth - low)
        return Turn(stated_above(verdict.worth + high), held, True, stated(verdict.worth + apart))

    def _asked(self, verdict: Verdict, number: int, other: Outcome | None) -> Asked | None:
        """Return a project as its turns are looked for; None where rounds are not solved to the end and it cannot be
        put in and taken out.

        Raises:
            GivenUp: why not.
        """
        solution, ledger = self.solution, self.solution.fund.ledger
        choice = int(self.choices[number])
        asked = Asked(verdict.project, verdict.is_funded, ledger.choices_of[verdict.project], int(ledger.high[choice]))
        if self.resolver.exact or verdict.cost is None:
            return asked
        if ledger.is_block_grant[choice]:
            raise GivenUp("no award or budget is looked for: a block grant has nothing to accept")
        if self._gives_away:
            raise GivenUp("no award or budget is looked for: a later level may take some of the first")
        if other is None:
            return None
        now = Half(solution.founds[0].bound, solution.optimum(0), solution.evaluation.decision)
        then = Half(None)
        if not other.infeasible:
            _, value, bound = self._bounds(verdict, number, other)
            then = Half(bound, value, other.decision)
        today = Contest(now, then) if verdict.is_funded else Contest(then, now)
        contests = Contests(self.resolver, verdict.project, choice, int(self.steps[number]))
        return replace(asked, today=today, contests=contests)

    @property
    def _gives_away(self) -> bool:
        """Whether a later level may take some of the first."""
        levels = self.solution.fund.appraisal.levels
        return len(levels) > 1 and levels[0].tolerance > 0

    def _alone(
        self,
        verdict: Verdict,
        broken: Sequence[Obstacle],
        costs: Sequence[CostLine],
        asked: Asked | None,
        tried: Callable[[Callable[[], Answer]], Answer | None],
    ) -> dict[str, Answer]:
        """Return what may keep the project out, or smaller, with the answer whether that alone does, as far as they
        were found.
        """
        if verdict.decision == "funded" or verdict.cost is None:
            return {}
        if asked is not None and asked.today is not None and asked.today.finds(not verdict.is_funded):
            return {}  # nothing has to give way
        suspects = {one.name: one for one in broken}
        if verdict.status == "candidate":
            for one in further_suspects(self.resolver, verdict, costs, self.verdicts):
                suspects.setdefault(one.name, one)
        lifting = Lifting(self.resolver, verdict, None if asked is None else asked.contests)
        answers: dict[str, Answer] = {}
        for name, obstacle in suspects.items():
            answer = None if self.watch.must_stop() else tried(partial(lifting.answer, obstacle))
            if answer is None:  # another round is no sooner solved
                break
            answers[name] = answer
        return answers
