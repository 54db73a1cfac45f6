"""Verdicts of all projects: worth and cost against the formula, bounds against enumeration, obstacles by hand."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction

import pytest

from integrated_fund.choices import Codes
from integrated_fund.payments import Shortage
from optalloc.plan.verdicts import Verdict
from optalloc.solve.certificate import bounds_either_way
from optalloc.solve.core.groups import Groups
from optalloc.solve.declined import one_more
from optalloc.solve.exactness import judge
from optalloc.study.verdicts.verdicts import judged_choices, verdicts_of
from optalloc.study.verdicts.worth import Worth
from tests.rule_texts.oracle import best
from tests.rule_texts.rounds import random_tables
from tests.solve.test_certificate import worth_of
from tests.study.verdict_rounds import is_tolerant, plain_tables, solved, ways, with_bonus

#: The grid on which the certificate rounds, many times over.
GRID = Fraction(1, 10**6)


def _adds_up(seed: int) -> bool:
    """Hold worth and cost of every project of a round against the formula; return whether there is a plan."""
    found = solved(random_tables(random.Random(seed)))
    if found is None:
        return False
    solution, certificate = found
    fund, ledger = solution.fund, solution.fund.ledger
    formula = worth_of(fund, certificate.rules, certificate.sources)
    worth = Worth(fund, certificate)
    verdicts = verdicts_of(solution, certificate)
    choices, steps = judged_choices(solution, worth)
    either = bounds_either_way(fund, Groups(solution.arrays, ledger.project_of), certificate)
    linked = {name for link in fund.round.links for name in link.projects}
    for p, verdict in enumerate(verdicts):
        j, at = int(choices[p]), int(steps[p])
        lines = worth.lines(j, at)
        if verdict.cost is not None:
            assert sum((line.price * line.amount for line in lines), Fraction(0)) == verdict.cost
            assert verdict.reduced == verdict.worth - verdict.cost == formula(j, at)
        own = ledger.choices_of[verdict.project]
        ends = [formula(k, n) for k in own for n in {int(ledger.low[k]), int(ledger.high[k])}]
        known = [value for value in ends if value is not None]
        if not verdict.is_funded and not ledger.is_block_grant[j]:
            assert verdict.reduced == max(known, default=None)
        if verdict.project in linked or ledger.is_block_grant[j] or verdict.status == "excluded" or not known:
            continue
        # An unlinked project is its own group: with it in the bound loses what it costs more than it is worth.
        top = max(*known, Fraction(0)) if verdict.status == "candidate" else max(known)
        for bound, value in ((either.funded[p], max(known)), (either.declined[p], Fraction(0))):
            if bound is None:
                assert verdict.status == "mandatory"
                continue
            assert abs((certificate.bound - bound) - (top - value)) <= GRID * (1 + abs(certificate.bound))
    return True


def test_worth_less_cost_is_what_the_certificate_counts() -> None:
    assert sum(_adds_up(seed) for seed in range(60)) > 30


def _never_contradicted(seed: int) -> int:
    """Move every project's benefit to just before its bound; return how many bounds there were."""
    tables = plain_tables(seed)
    found = solved(tables)
    if found is None:
        return 0
    count = 0
    for verdict in verdicts_of(*found):
        if verdict.score_bound is None:
            continue
        count += 1
        distance = Fraction(verdict.score_bound) - verdict.worth
        assert (distance > 0) != verdict.is_funded
        bonus = Decimal(round(distance * 10**6 * Fraction(999, 1000))).scaleb(-6)
        answer = best(with_bonus(tables, verdict.project, bonus))
        assert answer is not None
        assert ways(answer, verdict.project) == {verdict.is_funded}, (verdict.project, verdict)
    return count


@pytest.mark.parametrize("batch", range(4))
def test_bounds_of_scores_are_never_contradicted(batch: int) -> None:
    assert sum(_never_contradicted(seed) for seed in range(20 * batch, 20 * batch + 20)) > 8


def test_a_level_that_may_be_given_away_bounds_no_funded_project() -> None:
    seen = 0
    for seed in range(120):
        tables = plain_tables(seed)
        if is_tolerant(tables) and (found := solved(tables)) is not None:
            verdicts = verdicts_of(*found)
            seen += any(verdict.is_funded for verdict in verdicts)
            assert all(verdict.score_bound is None for verdict in verdicts if verdict.is_funded)
    assert seen > 3


def _decided(verdict: Verdict, high: Codes, steps: int) -> str:
    if not verdict.is_funded:
        return "not funded"
    return "funded" if steps >= int(high.max()) else "cut back"


def test_decisions_are_those_of_the_plan() -> None:
    """Where a project has one option: funded with its most, cut back with less."""
    seen: set[str] = set()
    for seed in range(40):
        tables = random_tables(random.Random(seed))
        tables.pop("Options", None)
        found = solved(tables)
        if found is None:
            continue
        solution, certificate = found
        ledger, decision = solution.fund.ledger, solution.evaluation.decision
        for verdict in verdicts_of(solution, certificate):
            own = ledger.choices_of[verdict.project]
            steps = sum(decision.get(j, 0) for j in own)
            assert verdict.is_funded == any(j in decision for j in own)
            assert verdict.decision == _decided(verdict, ledger.high[list(own)], steps)
            if verdict.is_funded:
                assert Fraction(verdict.award) == steps * ledger.step
            seen.add(verdict.decision)
    assert seen == {"funded", "cut back", "not funded"}


def _blocks(seed: int) -> set[str]:
    """Hold what blocks every project of a round against the plan with it added; return the kinds there were."""
    found = solved(random_tables(random.Random(seed)))
    if found is None:
        return set()
    solution, certificate = found
    fund, decision = solution.fund, solution.evaluation.decision
    kinds: set[str] = set()
    for verdict in verdicts_of(solution, certificate):
        own = fund.ledger.choices_of[verdict.project]
        more = one_more(fund.ledger, decision, own, cut_back=verdict.decision == "cut back")
        if more is None or verdict.status == "excluded":
            assert verdict.blocked_by == (("status excluded",) if verdict.status == "excluded" else ())
            continue
        others = {j: steps for j, steps in decision.items() if j not in own}
        judged = judge(fund, {**others, more[0]: more[1]}, ())
        by_kind: dict[str, list[str]] = {}
        for name in verdict.blocked_by:
            by_kind.setdefault(name.split()[0], []).append(name)
        limits = [f"rule {value.limit.label}" for value in judged.evaluation.broken_limits]
        assert by_kind.get("rule", []) == limits
        assert set(by_kind.get("link", [])) == {f"link {link.link}" for link in judged.evaluation.broken_links}
        assert ("money" in by_kind or "no" in by_kind) == isinstance(judged.payments, Shortage)
        kinds |= {f"{kind} {verdict.decision}" for kind in by_kind}
    return kinds


def test_what_blocks_is_what_the_project_would_break() -> None:
    kinds = set().union(*map(_blocks, range(60)))
    assert {f"{kind} not funded" for kind in ("rule", "money", "link")} <= kinds
    assert {f"{kind} cut back" for kind in ("rule", "money")} <= kinds
