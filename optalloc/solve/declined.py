"""Why a project is not in the plan, where one thing alone keeps it out.

Each project without money is added to the plan at its smallest award. What that alone would break is the reason: a
rule, the money of the sources that may pay for it, or a link. Where several things stand in the way, or none (a better
use of the money was found), no reason is given. `blocked_of` names all of them.
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
    for places, text in _obstacles(fund, evaluation, payments, is_funded, choices, ledger.low[choices]):
        reasons.add(places, text)
    reasons.replace(_excluded(fund, projects), "status excluded")
    return tuple(map(Declined, [ledger.projects[p].project for p in projects.tolist()], reasons.single()))


def blocked_of(fund: Fund, evaluation: Evaluation, payments: Payments) -> list[list[str]]:
    """Return what stands in the way of each project, by position in the ledger's projects.

    Of a project without money: what adding it at its smallest award would break, and mandatory projects that a link
    sets against it. Of a project with less than its choice can take: what another step of award would break.
    """
    ledger = fund.ledger
    found: list[list[str]] = [[] for _ in ledger.projects]
    funded, steps = columns_of(evaluation.decision)
    is_funded = np.zeros(len(ledger.projects), dtype=np.bool_)
    is_funded[ledger.project_of[funded]] = True
    projects = np.flatnonzero(~is_funded)
    choices = np.lexsort((ledger.low, ledger.project_of))[ledger.choices.bounds[projects]]
    least = np.maximum(ledger.low[choices], 1)  # a block grant of nothing breaks nothing
    for places, text in _obstacles(fund, evaluation, payments, is_funded, choices, least):
        for p in projects[places].tolist():
            found[p].append(text)
    for p, text in _mandatory_rivals(fund, is_funded):
        found[p].append(text)
    for p in projects[_excluded(fund, projects)].tolist():
        found[p] = ["status excluded"]
    short = steps < ledger.high[funded]
    growing, held = funded[short], steps[short]
    for grown in (
        _broken_rules(fund, evaluation, growing, held + 1, held),
        _unpaid(fund, payments, growing, np.ones_like(held)),
    ):
        for places, text in grown:
            for p in ledger.project_of[growing[places]].tolist():
                found[p].append(text)
    return found


def _excluded(fund: Fund, projects: Codes) -> Codes:
    """Return the places of the excluded among some projects."""
    excluded = [place for place, p in enumerate(projects.tolist()) if fund.ledger.projects[p].status == "excluded"]
    return np.array(excluded, dtype=np.int64)


def _obstacles(
    fund: Fund, evaluation: Evaluation, payments: Payments, is_funded: Mask, choices: Codes, steps: Codes
) -> Iterator[tuple[Codes, str]]:
    """Yield what choices of projects without money, each added alone at so many steps, would break, and which do."""
    for begin in range(0, len(choices), _TOGETHER):
        some = slice(begin, begin + _TOGETHER)
        for places, text in _broken_rules(fund, evaluation, choices[some], steps[some], None):
            yield begin + places, text
    yield from _unpaid(fund, payments, choices, steps)
    for place, text in _broken_links(fund, is_funded, fund.ledger.project_of[choices]):
        yield np.array([place]), text


def _broken_rules(
    fund: Fund, evaluation: Evaluation, choices: Codes, steps: Codes, held: Codes | None
) -> Iterator[tuple[Codes, str]]:
    """Yield the hard rows that choices would break, each alone at an award of so many steps, and which ones do.

    `held` are the steps that they have in the plan, None where they are not in it.
    """
    ledger, appraisal = fund.ledger, fund.appraisal
    lines, place = ledger.lines_of_choices(choices)
    patterns = ledger.pattern_of_line[lines]
    change = np.zeros((len(appraisal.limits.totals), len(choices)))
    for sums in appraisal.sums:
        measure = ledger.measure(sums.measure)
        value = measure.values(choices, steps).floats
        if held is not None:
            value = value - measure.values(choices, held).floats
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


def _unpaid(fund: Fund, payments: Payments, choices: Codes, steps: Codes) -> Iterator[tuple[Codes, str]]:
    """Yield the sources whose unspent money is too little for so many steps of choices, and which choices these are."""
    ledger, classes = fund.ledger, fund.classes
    received = [Fraction(0)] * len(classes.sources)
    for f, moved in enumerate(payments.carried):
        target = classes.next_year[f]
        if moved and target is not None:
            received[target] = moved
    left = [Fraction(source.amount) + received[f] - payments.used[f] for f, source in enumerate(classes.sources)]
    lines, place = ledger.lines_of_choices(choices)
    class_of = classes.class_of_pattern[ledger.pattern_of_line[lines]]
    due = ledger.share.take(lines).times(steps[place]).scaled(ledger.step).on_one_denominator()
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


def _mandatory_rivals(fund: Fund, is_funded: Mask) -> Iterator[tuple[int, str]]:
    """Yield the projects without money that a link keeps out because a mandatory project is in, and its name."""
    number_of = fund.ledger.choices.number_of
    for link in fund.round.links:
        most = {"excludes": 1, "at_most": link.k}.get(link.kind)
        members = [number_of[name] for name in link.projects]
        if most is None or int(is_funded[members].sum()) < most:
            continue
        rivals = [p for p in members if is_funded[p] and fund.ledger.projects[p].status == "mandatory"]
        for p in members:
            if not is_funded[p]:
                yield from ((p, f"mandatory {fund.ledger.projects[rival].project}") for rival in rivals)
