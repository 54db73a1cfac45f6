"""Why a project is not in the plan, where one thing alone keeps it out.

Each project without money is added to the plan at its smallest award. What that alone would break is the reason: a
rule, the money of the sources that may pay for it, or a link. Where several things stand in the way, or none (a better
use of the money was found), no reason is given.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy import sparse

from integrated_fund.evaluation import Evaluation
from integrated_fund.fund import Fund
from integrated_fund.payments import Payments
from optalloc.plan.plan import Declined

#: Relative to the bound's size; the sums here are floats, the plan's own are not.
_TOLERANCE = 1e-9


def declined_of(fund: Fund, evaluation: Evaluation, payments: Payments) -> tuple[Declined, ...]:
    """Return the projects without money, in order, with the one reason if there is just one."""
    ledger = fund.ledger
    funded = {ledger.choices[j].project.project for j in evaluation.decision}
    entry = {
        project.project: min(ledger.choices_of[project.project], key=lambda j: (ledger.choices[j].low, j))
        for project in ledger.projects
        if project.project not in funded
    }
    if not entry:
        return ()
    choices = list(entry.values())
    broken = _broken_rules(fund, evaluation, choices)
    unpaid = _unpaid(fund, payments, choices)
    found = []
    for position, (project, j) in enumerate(entry.items()):
        reasons = [*broken[position], *unpaid[position], *_broken_links(fund, funded, project)]
        if ledger.choices[j].project.status == "excluded":
            reasons = ["status excluded"]
        found.append(Declined(project, reasons[0] if len(reasons) == 1 else None))
    return tuple(found)


def _broken_rules(fund: Fund, evaluation: Evaluation, choices: list[int]) -> list[list[str]]:
    """Return for each choice the hard rows it would break when added at its smallest award."""
    ledger, limits = fund.ledger, fund.appraisal.limits
    lines = np.concatenate([np.array(ledger.lines_of[j]) for j in choices])
    position = np.repeat(np.arange(len(choices)), [len(ledger.lines_of[j]) for j in choices])
    change = np.zeros((len(limits.totals), len(choices)))
    for key in {total.measure for total in limits.totals}:
        measure = ledger.measure(key)
        value = [float(measure.value(j, ledger.choices[j].low)) for j in choices]
        posted = np.array([float(measure.weight[line]) for line in lines.tolist()]) * np.array(value)[position]
        spread = sparse.csr_matrix((posted, (np.arange(len(lines)), position)), shape=(len(lines), len(choices)))
        numbers = [n for n, total in enumerate(limits.totals) if total.measure == key]
        table = np.array([limits.totals[n].lines[lines] for n in numbers], dtype=np.float64)
        change[numbers] = table @ spread
    broken: list[list[str]] = [[] for _ in choices]
    for row in evaluation.limits:
        limit = row.limit
        if limit.rule.penalty is not None:
            continue
        shift = change[limit.activity]
        if limit.base is not None:
            shift = shift - float(limit.share) * change[limit.base]
        excess = float(row.activity - row.bound) + shift
        tolerance = _TOLERANCE * max(1.0, abs(float(row.bound)))
        missed = {">=": excess < -tolerance, "<=": excess > tolerance, "=": np.abs(excess) > tolerance}[
            limit.rule.sense
        ]
        for position_ in np.flatnonzero(missed & (np.abs(shift) > tolerance)).tolist():
            broken[position_].append(f"rule {limit.label}")
    return broken


def _unpaid(fund: Fund, payments: Payments, choices: list[int]) -> list[list[str]]:
    """Return for each choice the sources whose unspent money is too little for one of its lines."""
    ledger, classes = fund.ledger, fund.classes
    received = [Fraction(0)] * len(classes.sources)
    for f, moved in enumerate(payments.carried):
        target = classes.next_year[f]
        if moved and target is not None:
            received[target] = moved
    left = [Fraction(source.amount) + received[f] - payments.used[f] for f, source in enumerate(classes.sources)]
    unpaid: list[list[str]] = []
    for j in choices:
        short: dict[str, None] = {}
        for line in ledger.lines_of[j]:
            eligible = classes.classes[classes.class_of_line[line]].sources
            due = ledger.share[line] * ledger.choices[j].low * ledger.step
            if not eligible:
                short["no source may pay"] = None
            elif due > sum((left[f] for f in eligible), Fraction(0)):
                short["money of " + ", ".join(classes.label(f) for f in eligible)] = None
        unpaid.append(list(short))
    return unpaid


def _broken_links(fund: Fund, funded: set[str], project: str) -> list[str]:
    with_it = funded | {project}
    broken = []
    for link in fund.round.links:
        if project not in link.projects:
            continue
        count = len(with_it.intersection(link.projects))
        missing = {
            "requires": link.projects[0] == project and count < len(link.projects),
            "excludes": count > 1,
            "all_or_none": count < len(link.projects),
            "at_most": link.k is not None and count > link.k,
        }
        if missing.get(link.kind, False):
            broken.append(f"link {link.link}")
    return broken
