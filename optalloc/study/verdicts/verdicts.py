r"""The verdict of every project: decided how, worth what, costing what at the prices, blocked by what.

Nothing is solved. With L the certificate's bound and L[p in], L[p out] what the same prices prove with a project in the
plan and with it out (`certificate.bounds_either_way`), v the value of a known plan: where p is out of that plan,

    a plan with p, whose benefit is raised by d, is worth at most   L[p in] + d,   and one without it at least   v

so p takes a raise of v - L[p in] to be in a best plan. Where p is in, every best plan has it as long as its benefit is
lowered by less than v - L[p out]. Both are bounds: `explanations` finds where a decision turns exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np

from integrated_fund.choices import Codes
from integrated_fund.evaluation import columns_of
from integrated_fund.fund import Fund
from optalloc.plan.plan import stated, stated_above
from optalloc.plan.verdicts import Decided, Verdict
from optalloc.solve.certificate import Certificate, EitherWay, bounds_either_way
from optalloc.solve.core.groups import Groups
from optalloc.solve.declined import blocked_of
from optalloc.solve.solution import Solution
from optalloc.study.verdicts.words import sentence_of_verdict
from optalloc.study.verdicts.worth import Worth


def verdicts_of(solution: Solution, certificate: Certificate) -> tuple[Verdict, ...]:
    """Return the verdict of every project of a solved round, sorted by project.

    `certificate` has the prices: that of the price report (`study.prices.priced`), so that both say the same.

    Raises:
        NoState, OwnBounds: somebody has put constraints on the model that prices cannot take apart.
    """
    fund = solution.fund
    ledger = fund.ledger
    worth = Worth(fund, certificate)
    choices, steps = judged_choices(solution, worth)
    values = worth.values(choices, steps)
    costs = worth.costs(choices, steps)
    unpayable = worth.unpayable(choices).tolist()
    decisions = _decisions(solution, worth)
    cut_back = np.array([one == "cut back" for one in decisions], dtype=np.bool_)
    blocked = blocked_of(fund, solution.evaluation, cut_back)
    groups = Groups(solution.arrays, ledger.project_of)
    bounds = _score_bounds(solution, bounds_either_way(fund, groups, certificate), decisions, values)
    awards = _stated_steps(fund, steps)
    found = []
    for p, project in enumerate(ledger.projects):
        choice = ledger.choices[int(choices[p])]
        cost = None if unpayable[p] else costs[p]
        verdict = Verdict(
            project.project,
            project.title,
            project.status,
            decisions[p],
            choice.option,
            choice.start if fund.round.years > 1 else None,
            awards[p],
            values[p],
            cost,
            tuple(blocked[p]),
            bounds[p],
            "",
        )
        found.append(sentence_of_verdict(verdict))
    return tuple(found)


def judged_choices(solution: Solution, worth: Worth) -> tuple[Codes, Codes]:
    """Return the choice each project is judged by and its award in steps, both of shape (projects,).

    The plan's where it is funded; else that of greatest reduced worth, at its least or its largest award. A block grant
    without money is judged at its largest.
    """
    ledger = solution.fund.ledger
    funded, awarded = columns_of(solution.evaluation.decision)
    choice = ledger.choices.bounds[:-1].copy()
    steps = ledger.high[choice]
    is_funded = np.zeros(len(choice), dtype=np.bool_)
    is_funded[ledger.project_of[funded]] = True
    candidates = np.flatnonzero(~is_funded[ledger.project_of])
    varying = candidates[(ledger.low < ledger.high)[candidates] & ~ledger.is_block_grant[candidates]]
    tried = np.concatenate([candidates, varying])
    amounts = np.concatenate([ledger.high[candidates], ledger.low[varying]])
    project = ledger.project_of[tried].tolist()
    several = np.bincount(project, minlength=len(choice))[project] > 1
    tried, amounts = tried[several], amounts[several]
    best: dict[int, tuple[bool, Fraction]] = {}
    rows = zip(
        ledger.project_of[tried].tolist(),
        tried.tolist(),
        amounts.tolist(),
        worth.unpayable(tried).tolist(),
        worth.values(tried, amounts),
        worth.costs(tried, amounts),
        strict=True,
    )
    for p, j, amount, unpayable, value, cost in rows:
        rank = (not unpayable, value - cost)
        if p not in best or rank > best[p]:
            best[p] = rank
            choice[p], steps[p] = j, amount
    choice[ledger.project_of[funded]], steps[ledger.project_of[funded]] = funded, awarded
    return choice, steps


def _decisions(solution: Solution, worth: Worth) -> list[Decided]:
    """Return how each project is decided."""
    ledger = solution.fund.ledger
    decided: list[Decided] = ["not funded"] * len(ledger.projects)
    funded, steps = columns_of(solution.evaluation.decision)
    most = ledger.high[funded]
    projects = ledger.project_of[funded]
    with_others = np.flatnonzero(np.diff(ledger.choices.bounds)[projects] > 1)
    others = [np.arange(*ledger.choices.bounds[p : p + 2]) for p in projects[with_others]]
    every = np.concatenate([*others, np.zeros(0, dtype=np.int64)])
    value = dict(zip(every.tolist(), worth.values(every, ledger.high[every]), strict=True))
    for place, own in zip(with_others.tolist(), others, strict=True):
        # Of options that are worth as much, the one that takes least is the best.
        best = max(own.tolist(), key=lambda j: (value[j], -int(ledger.high[j])))
        most[place] = max(most[place], ledger.high[best])
    for p, amount, largest in zip(projects.tolist(), steps.tolist(), most.tolist(), strict=True):
        decided[p] = "funded" if amount >= largest else "cut back"
    return decided


def _score_bounds(
    solution: Solution, either: EitherWay, decisions: Sequence[Decided], values: Sequence[Fraction]
) -> list[Decimal | None]:
    """Return the benefit up to which each decision surely stays, None where the prices say nothing."""
    ledger, least = solution.fund.ledger, solution.held[0].least
    # Where later levels may give some of the first away, how much that is changes with the benefit.
    gives_away = len(solution.held) > 1 and solution.fund.appraisal.levels[0].tolerance > 0
    found: list[Decimal | None] = []
    for project, decision, value, funded, declined in zip(
        ledger.projects, decisions, values, either.funded, either.declined, strict=True
    ):
        out = decision == "not funded"
        bound = funded if out else declined
        if bound is None or bound >= least or project.status != "candidate" or (gives_away and not out):
            found.append(None)
        elif out:
            found.append(-stated_above(-(value + least - bound)))
        else:
            found.append(stated_above(value - least + bound))
    return found


def _stated_steps(fund: Fund, steps: Codes) -> list[Decimal]:
    step = Fraction(fund.ledger.step)
    known = {amount: stated(amount * step) for amount in set(steps.tolist())}
    return [known[amount] for amount in steps.tolist()]
