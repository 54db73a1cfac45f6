"""What keeps a project out, or smaller than it could be: every obstacle, exactly, and which alone would be enough.

The project is added to the plan as it is, at its smallest award, and what that breaks is listed in exact arithmetic:
rules, links, money. Rules with a price that break nothing can still make it not worth while, and so can a mandatory
project that takes its place. Each obstacle is then taken away alone and the round solved again; a large round is held
with the project in against the same with it out (`contests`), where bounds alone settle most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from integrated_fund.evaluation import Decision
from integrated_fund.ledger import ZERO
from integrated_fund.round import Round
from optalloc.plan.verdicts import CostLine, Verdict
from optalloc.solve.declined import money_name, one_more
from optalloc.study.verdicts.contests import Contests
from optalloc.study.verdicts.forced import Resolver, with_more_money, with_status, without_link, without_rule

#: Priced rules, and mandatory projects, that are taken away to see.
PRICED = 3
RIVALS = 3
#: Obstacles of one project that are searched in a round that is not solved to the end.
SEARCHED = 3

#: Whether a project is in, or gets more, once an obstacle is gone: with proof, in the best plan found, not, not known.
Answer = Literal["proven", "found", "no", "undecided"]


@dataclass(frozen=True)
class Obstacle:
    """One thing in the way: its name, and the round without it. A rule is lifted for all its members."""

    name: str
    removed: Callable[[], Round]
    rule: str | None = None

    @property
    def lifted(self) -> str:
        """What is taken away: the same for all members of a rule."""
        return self.name if self.rule is None else f"rule {self.rule}"


def broken_by(resolver: Resolver, verdict: Verdict) -> list[Obstacle]:
    """Return what a project's verdict says blocks it (`solve.declined.blocked_of`), each with the round without it."""
    fund, round_ = resolver.solution.fund, resolver.solution.fund.round
    rules = {f"rule {row.label}": row.rule.rule for row in fund.appraisal.limits.rows}
    money = {money_name(fund, g): row.sources for g, row in enumerate(fund.classes.classes)}
    found = []
    for name in verdict.blocked_by:
        kind, _, rest = name.partition(" ")
        if name in rules:
            found.append(_no_rule(round_, name, rules[name]))
        elif name in money:
            found.append(Obstacle(name, _more_money(resolver, verdict, money[name])))
        elif kind == "link":
            found.append(Obstacle(name, _no_link(round_, rest)))
        elif kind == "mandatory":
            found.append(_no_duty(round_, rest))
        else:
            assert name == "status excluded", name
            found.append(Obstacle(name, lambda: with_status(round_, verdict.project, "candidate")))
    return found


def further_suspects(
    resolver: Resolver, verdict: Verdict, costs: Sequence[CostLine], verdicts: Sequence[Verdict]
) -> Iterator[Obstacle]:
    """Yield what may keep a project out without being broken by it: rules that make it dear, mandatory projects that
    are worth less than they cost. In a round that is not solved to the end only rules that cost it what it is short
    of: prices tell the others apart.
    """
    round_ = resolver.solution.fund.round
    dear = [line for line in costs if line.kind == "rule" and line.cost > 0]
    if not resolver.exact:  # what is missing at the prices, and half of it where prices move with the rule
        missing = ZERO if verdict.reduced is None or verdict.is_funded else -verdict.reduced
        dear = [line for line in dear if missing > 0 and line.cost >= missing / 2]
    for line in dear[:PRICED]:
        label = line.rule if line.member is None else f"{line.rule} [{line.member}]"
        yield _no_rule(round_, f"rule {label}", line.rule)
    if not resolver.exact:
        return  # one mandatory project of many moves no price
    duties = [(one.reduced, one.project) for one in verdicts if one.status == "mandatory" and one.reduced is not None]
    for reduced, rival in sorted(duties)[:RIVALS]:
        if reduced < 0 and rival != verdict.project:
            yield _no_duty(round_, rival)


class Lifting:
    """Obstacles of one project taken away one at a time, each with the answer whether that lets it in, or have more.

    `contests` are those of a project that can be put in, None where rounds are solved to the end or it cannot.
    """

    def __init__(self, resolver: Resolver, verdict: Verdict, contests: Contests | None) -> None:
        self.resolver, self.verdict, self.contests = resolver, verdict, contests
        self._plan = resolver.solution.evaluation.decision
        self._before = self._steps_in(self._plan)
        self._known: dict[str, Answer] = {}
        self._searched = 0
        self._usual: Fraction | None = None

    def answer(self, obstacle: Obstacle) -> Answer:
        """Return the answer of an obstacle; a rule is asked once for all its members.

        Raises:
            GivenUp: the round without it could not be solved to the end.
            SolverError: the solver failed.
        """
        if obstacle.lifted not in self._known:
            what = f"without {obstacle.name}"
            if self.resolver.exact:
                decision = self.resolver.solve(obstacle.removed(), f"{self.verdict.project}: {what}").only_plan() or {}
                found: Answer = "proven" if self._steps_in(decision) > self._before else "no"
            elif self.contests is not None and not self.verdict.is_funded:
                found = self._contested(self.contests, obstacle, what)
            else:
                found = self._more(obstacle.removed, what)
            self._known[obstacle.lifted] = found
        return self._known[obstacle.lifted]

    def _contested(self, contests: Contests, obstacle: Obstacle, what: str) -> Answer:
        """Return the answer by the round with the project in against the same with it out."""
        contest = contests.of(obstacle.removed(), what, self._plan)
        if contest.is_settled_by(self._plan):
            return "no"
        if self._searched >= SEARCHED:
            return "undecided"
        self._searched += 1
        if contest.proves(inside=False):
            return "no"
        if contest.finds(inside=True):
            return "proven" if contest.proves(inside=True) else "found"
        return "undecided"

    def _more(self, removed: Callable[[], Round], what: str) -> Answer:
        """Return whether a plan that gives the project more is found, better than all that are found with the obstacle
        in its place.
        """
        if self._searched >= SEARCHED:
            return "undecided"
        if self._usual is None:
            found = self._with_more(self.resolver.solution.fund.round, "given more")
            self._usual = max(found or ZERO, self.resolver.solution.optimum(0))
        self._searched += 1
        found = self._with_more(removed(), what)
        return "found" if found is not None and found > self._usual else "undecided"

    def _with_more(self, round_: Round, what: str) -> Fraction | None:
        """Return the value of the best plan found of a round, searched from where the project gets more; None where it
        does not have more in that.
        """
        solution, project = self.resolver.solution, self.verdict.project
        own = solution.fund.ledger.choices_of[project]
        cut_back = self.verdict.decision == "cut back"
        more = one_more(solution.fund.ledger, solution.evaluation.decision, own, cut_back=cut_back)
        if more is None:
            return None
        outcome = self.resolver.solve(round_, f"{project}: {what}", self.resolver.decision_with(project, *more))
        return outcome.value if self._steps_in(outcome.decision or {}) > self._before else None

    def _steps_in(self, decision: Decision) -> int:
        """Return the project's award in a decision, in whole steps."""
        return sum(decision.get(j, 0) for j in self.resolver.solution.fund.ledger.choices_of[self.verdict.project])


def _more_money(resolver: Resolver, verdict: Verdict, sources: Sequence[int]) -> Callable[[], Round]:
    """Return the round with the project's largest award added to each of some sources."""
    fund = resolver.solution.fund
    classes, ledger, round_ = fund.classes, fund.ledger, fund.round
    most = max(ledger.choices[j].high for j in ledger.choices_of[verdict.project]) * round_.step
    keys = [(classes.sources[f].source, classes.sources[f].year) for f in sources]
    return lambda: with_more_money(round_, keys, most)


def _no_rule(round_: Round, name: str, rule: str) -> Obstacle:
    return Obstacle(name, lambda: without_rule(round_, rule), rule)


def _no_link(round_: Round, link: str) -> Callable[[], Round]:
    return lambda: without_link(round_, link)


def _no_duty(round_: Round, project: str) -> Obstacle:
    return Obstacle(f"mandatory {project}", lambda: with_status(round_, project, "candidate"))
