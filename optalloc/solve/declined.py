"""Why a project is not in the plan, where one thing alone keeps it out.

Each project without money is added to the plan at its smallest award. What that alone would break is the reason: a
rule, the money of the sources that may pay for it, or a link. Where several things stand in the way, or none (a better
use of the money was found), no reason is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor

import numpy as np
import numpy.typing as npt
from scipy import sparse

from integrated_fund.choices import Codes, Mask
from integrated_fund.evaluation import Evaluation, columns_of
from integrated_fund.fund import Fund
from integrated_fund.payments import Payments
from optalloc.plan.plan import Declined

#: Relative to the bound's size; the sums here are floats, the plan's own are not.
_TOLERANCE = 1e-9
#: How many projects are looked at together: changes of totals take memory for each.
_TOGETHER = 2**15


class _Reasons:
    """How many reasons each declined project has, and the one found last."""

    def __init__(self, projects: int) -> None:
        self._texts: list[str | None] = [None]
        self._count = np.zeros(projects, dtype=np.int64)
        self._last = np.zeros(projects, dtype=np.int64)

    def add(self, places: Codes, text: str) -> None:
        """Add a reason for the projects at these places, each named once."""
        self._count[places] += 1
        self._last[places] = len(self._texts)
        self._texts.append(text)

    def replace(self, places: Codes, text: str) -> None:
        """Put one reason for all that were found."""
        self._count[places] = 0
        self.add(places, text)

    def single(self) -> list[str | None]:
        """Return each project's reason if it has just one."""
        return [self._texts[number] for number in np.where(self._count == 1, self._last, 0).tolist()]


def declined_of(fund: Fund, evaluation: Evaluation, payments: Payments) -> tuple[Declined, ...]:
    """Return the projects without money, in order, with the one reason if there is just one."""
    ledger = fund.ledger
    is_funded = np.zeros(len(ledger.projects), dtype=np.bool_)
    is_funded[ledger.project_of[columns_of(evaluation.decision)[0]]] = True
    projects = np.flatnonzero(~is_funded)
    # Sorted by project and least award; of equal ones the first choice comes first.
    choices = np.lexsort((ledger.low, ledger.project_of))[ledger.choices.bounds[projects]]
    reasons = _Reasons(len(projects))
    for begin in range(0, len(choices), _TOGETHER):
        for places, text in _broken_rules(fund, evaluation, choices[begin : begin + _TOGETHER]):
            reasons.add(begin + places, text)
    for places, text in _unpaid(fund, payments, choices):
        reasons.add(places, text)
    for place, text in _broken_links(fund, is_funded, projects):
        reasons.add(np.array([place]), text)
    excluded = [place for place, p in enumerate(projects.tolist()) if ledger.projects[p].status == "excluded"]
    reasons.replace(np.array(excluded, dtype=np.int64), "status excluded")
    return tuple(map(Declined, [ledger.projects[p].project for p in projects.tolist()], reasons.single()))


def _broken_rules(fund: Fund, evaluation: Evaluation, choices: Codes) -> Iterator[tuple[Codes, str]]:
    """Yield the hard rows that choices, each added alone at its smallest award, would break, and which ones do."""
    ledger, appraisal = fund.ledger, fund.appraisal
    lines, place = ledger.lines_of_choices(choices)
    patterns = ledger.pattern_of_line[lines]
    change = np.zeros((len(appraisal.limits.totals), len(choices)))
    for sums in appraisal.sums:
        measure = ledger.measure(sums.measure)
        value = measure.values(choices, ledger.low[choices]).floats
        posted = measure.weight.take(lines).floats * value[place]
        groups = sums.group_of_pattern[patterns]
        spread = sparse.csr_matrix((posted, (place, groups)), shape=(len(choices), sums.members.shape[1]))
        rows = [(row.total, own) for row, own in zip(sums.rows, sums.members, strict=True) if row.total is not None]
        if rows:
            members = np.array([own for _, own in rows], dtype=np.float64)
            change[[number for number, _ in rows]] = np.asarray(spread @ members.T).T
    for row in evaluation.limits:
        limit = row.limit
        if limit.rule.penalty is not None:
            continue
        shift: npt.NDArray[np.float64] = change[limit.activity]
        if limit.base is not None:
            shift = shift - float(limit.share) * change[limit.base]
        excess = float(row.activity - row.bound) + shift
        tolerance = _TOLERANCE * max(1.0, abs(float(row.bound)))
        missed: Mask = {">=": excess < -tolerance, "<=": excess > tolerance, "=": np.abs(excess) > tolerance}[
            limit.rule.sense
        ]
        yield np.flatnonzero(missed & (np.abs(shift) > tolerance)), f"rule {limit.label}"


def _unpaid(fund: Fund, payments: Payments, choices: Codes) -> Iterator[tuple[Codes, str]]:
    """Yield the sources whose unspent money is too little for some line of choices, and which choices these are."""
    ledger, classes = fund.ledger, fund.classes
    received = [Fraction(0)] * len(classes.sources)
    for f, moved in enumerate(payments.carried):
        target = classes.next_year[f]
        if moved and target is not None:
            received[target] = moved
    left = [Fraction(source.amount) + received[f] - payments.used[f] for f, source in enumerate(classes.sources)]
    lines, place = ledger.lines_of_choices(choices)
    class_of = classes.class_of_pattern[ledger.pattern_of_line[lines]]
    due = ledger.share.take(lines).times(ledger.low[choices][place]).scaled(ledger.step).on_one_denominator()
    short: dict[str, list[Codes]] = {}
    for g, row in enumerate(classes.classes):
        own = np.flatnonzero(class_of == g)
        text = "no source may pay"
        if row.sources:
            text = "money of " + ", ".join(classes.label(f) for f in row.sources)
            money = sum((left[f] for f in row.sources), Fraction(0))
            own = own[due.take(own).numerators > floor(money * due.denominators[0])]
        short.setdefault(text, []).append(place[own])
    for text, places in short.items():
        yield np.unique(np.concatenate(places)), text


def _broken_links(fund: Fund, is_funded: Mask, projects: Codes) -> Iterator[tuple[int, str]]:
    """Yield the links that a project, added alone, would break, and its place among the projects without money."""
    number_of = fund.ledger.choices.number_of
    for link in fund.round.links:
        members = {number_of[name]: name for name in link.projects}
        count = 1 + int(is_funded[list(members)].sum())
        for number, name in members.items():
            if is_funded[number]:
                continue
            missing = {
                "requires": link.projects[0] == name and count < len(link.projects),
                "excludes": count > 1,
                "all_or_none": count < len(link.projects),
                "at_most": link.k is not None and count > link.k,
            }
            if missing.get(link.kind, False):
                yield int(np.searchsorted(projects, number)), f"link {link.link}"
