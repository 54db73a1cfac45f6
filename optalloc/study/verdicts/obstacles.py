"""What keeps a project out, or smaller than it could be: every obstacle, exactly, and which alone would be enough.

The project is added to the plan as it is, at its smallest award, and what that breaks is listed in exact arithmetic:
rules, links, money. Rules with a price that break nothing can still make it not worth while, and so can a mandatory
project that takes its place. Each obstacle is then taken away alone and the round solved again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from integrated_fund.payments import Shortage
from integrated_fund.round import Round
from optalloc.plan.verdicts import CostLine, Verdict
from optalloc.solve.exactness import judge
from optalloc.study.verdicts.forced import Resolver, with_more_money, with_status, without_link, without_rule

#: Priced rules, and mandatory projects, that are taken away to see.
PRICED = 3
RIVALS = 3


@dataclass(frozen=True)
class Obstacle:
    """One thing in the way: its name, and the round without it."""

    name: str
    removed: Callable[[], Round]


def broken_by(resolver: Resolver, verdict: Verdict) -> list[Obstacle]:
    """Return what breaks when a project that is not funded is added to the plan at its smallest award, or one that is
    cut back gets one step more, or its next larger option; in exact arithmetic.
    """
    solution = resolver.solution
    fund, decision = solution.fund, solution.evaluation.decision
    ledger, round_ = fund.ledger, fund.round
    own = ledger.choices_of[verdict.project]
    if verdict.status == "excluded":
        return [Obstacle("status excluded", lambda: with_status(round_, verdict.project, "candidate"))]
    now = next((j for j in own if j in decision), None)
    if now is None:
        choice = min(own, key=lambda j: (int(ledger.low[j]), j))
        steps = max(1, int(ledger.low[choice]))
    else:
        larger = [j for j in own if ledger.high[j] > decision[now]]
        if verdict.decision != "cut back" or not larger:
            return []
        choice = now if now in larger else min(larger, key=lambda j: (int(ledger.low[j]), j))
        steps = max(int(ledger.low[choice]), decision[now] + 1)
    judgement = judge(fund, resolver.decision_with(verdict.project, choice, steps), ())
    limits = [value.limit for value in judgement.evaluation.broken_limits]
    found = [Obstacle(f"rule {limit.label}", _no_rule(round_, limit.rule.rule)) for limit in limits]
    if isinstance(judgement.payments, Shortage):
        found += _short_money(resolver, choice, judgement.payments, verdict)
    for link in judgement.evaluation.broken_links:
        found.append(Obstacle(f"link {link.link}", _no_link(round_, link.link)))
        if link.kind in ("excludes", "at_most"):
            found += (_no_duty(round_, rival) for rival in link.projects if _is_mandatory(round_, rival))
    return found


def further_suspects(
    resolver: Resolver, verdict: Verdict, costs: Sequence[CostLine], verdicts: Sequence[Verdict]
) -> Iterator[Obstacle]:
    """Yield what may keep a project out without being broken by it: rules that make it dear, mandatory projects that
    are worth less than they cost.
    """
    round_ = resolver.solution.fund.round
    dear = [line for line in costs if line.kind == "rule" and line.cost > 0]
    for line in dear[:PRICED]:
        label = line.rule if line.member is None else f"{line.rule} [{line.member}]"
        yield Obstacle(f"rule {label}", _no_rule(round_, line.rule))
    duties = [(one.reduced, one.project) for one in verdicts if one.status == "mandatory" and one.reduced is not None]
    for reduced, rival in sorted(duties)[:RIVALS]:
        if reduced < 0 and rival != verdict.project:
            yield _no_duty(round_, rival)


def lets_in(resolver: Resolver, verdict: Verdict, obstacle: Obstacle) -> bool:
    """Return whether the project is in the plan, or gets more, once an obstacle is gone.

    Raises:
        GivenUp: the round without it could not be solved to the end.
        SolverError: the solver failed.
    """
    decision = resolver.solve(obstacle.removed(), f"{verdict.project}: without {obstacle.name}").only_plan() or {}
    own = resolver.solution.fund.ledger.choices_of[verdict.project]
    before = sum(resolver.solution.evaluation.decision.get(j, 0) for j in own)
    return sum(decision.get(j, 0) for j in own) > before


def _short_money(resolver: Resolver, choice: int, shortage: Shortage, verdict: Verdict) -> list[Obstacle]:
    """Return the money that is short, by the classes of the choice's lines."""
    fund = resolver.solution.fund
    classes, ledger, round_ = fund.classes, fund.ledger, fund.round
    own = {int(classes.class_of_line[line]) for line in ledger.lines_of[choice] if ledger.share[line]}
    most = max(ledger.choices[j].high for j in ledger.choices_of[verdict.project]) * round_.step
    found: dict[str, Obstacle] = {}
    for g in sorted(own.intersection(shortage.weights) or own):
        sources = classes.classes[g].sources
        if not sources:
            found["no source may pay"] = Obstacle("no source may pay", lambda: round_)
            continue
        name = "money of " + ", ".join(classes.label(f) for f in sources)
        keys = [(classes.sources[f].source, classes.sources[f].year) for f in sources]
        found[name] = Obstacle(name, _more_money(round_, keys, most))
    return list(found.values())


def _more_money(round_: Round, keys: Sequence[tuple[str, int | None]], amount: Decimal) -> Callable[[], Round]:
    return lambda: with_more_money(round_, keys, amount)


def _no_rule(round_: Round, rule: str) -> Callable[[], Round]:
    return lambda: without_rule(round_, rule)


def _no_link(round_: Round, link: str) -> Callable[[], Round]:
    return lambda: without_link(round_, link)


def _no_duty(round_: Round, project: str) -> Obstacle:
    return Obstacle(f"mandatory {project}", lambda: with_status(round_, project, "candidate"))


def _is_mandatory(round_: Round, project: str) -> bool:
    return any(row.project == project and row.status == "mandatory" for row in round_.projects)
