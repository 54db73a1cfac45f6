"""What can be reached at all: filters without lines, money nobody may use, projects nobody can pay, rules out of reach.

These checks add up the ledger, so they need a round without errors.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from integrated_fund.checks.money import Purse
from integrated_fund.checks.problems import figure, filled_in, problem
from integrated_fund.checks.proofs import Proof, Reach
from integrated_fund.ledger import Ledger
from integrated_fund.limits import limits_of
from integrated_fund.problem import Problem
from integrated_fund.round import FILTER_COLUMNS, Criterion, Round, Rule


def within_reach(round_: Round) -> Iterator[Problem]:
    """Idle filters and sources, projects that no source can pay, rules that cannot bind or cannot be met."""
    ledger = Ledger(round_)
    idle = list(_without_lines(ledger))
    for row in idle:
        dimension, selection = next(iter(row.filter.by.items()))
        yield problem("filter_without_lines", row.origin, FILTER_COLUMNS[dimension], filled_in(selection))
    yield from _money(Purse(ledger))
    reach = Reach(ledger, limits_of(ledger))
    for proof in reach.unmeetable():
        yield _unmeetable(proof)
    idle_rules = {row.rule for row in idle if isinstance(row, Rule)}
    for proof in reach.never_binding():
        rule = proof.limit.rule
        if rule.rule not in idle_rules:
            yield problem("rule_never_binds", rule.origin, "bound", rule.bound, **_figures(proof))


def _without_lines(ledger: Ledger) -> Iterator[Criterion | Rule]:
    live = np.array([project.status != "excluded" for project in ledger.projects], dtype=np.bool_)
    lines = live[ledger.project_of][ledger.line_choice]
    rows: list[Criterion | Rule] = [*ledger.round.criteria, *ledger.round.rules]
    for row in rows:
        if row.filter.by and not (ledger.lines(row.filter) & lines).any():
            yield row


def _money(purse: Purse) -> Iterator[Problem]:
    for source in purse.unused():
        yield problem("source_unused", source.origin, "source", source.source, amount=figure(source.amount))
    for case in purse.unpayable():
        project = case.project
        code = "mandatory_unpayable" if project.status == "mandatory" else "project_unpayable"
        where = case.region if case.year is None else f"{case.region}, {case.year}"
        needed, available = figure(case.needed), figure(case.available)
        yield problem(code, project.origin, "project", project.project, where=where, needed=needed, available=available)


def _unmeetable(proof: Proof) -> Problem:
    rule = proof.limit.rule
    if proof.side == "<=":
        code = "rule_unmeetable_above"
    else:
        code = "rule_unmeetable_money" if proof.by_money else "rule_unmeetable_below"
    return problem(code, rule.origin, "bound", rule.bound, **_figures(proof))


def _figures(proof: Proof) -> dict[str, str]:
    return {"label": proof.limit.label, "reached": figure(proof.reached), "needed": figure(proof.needed)}
