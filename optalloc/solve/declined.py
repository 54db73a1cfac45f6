"""Why a project is not in the plan, where one thing alone keeps it out.

Each project without money is added to the plan at its smallest award. What that alone would break is the reason: a
rule, the money of the sources that may pay for it, or a link. Where several things stand in the way, or none (a better
use of the money was found), no reason is given. `blocked_of` names all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import floor

import numpy as np
import numpy.typing as npt
from scipy import sparse

from integrated_fund.choices import Codes, Mask
from integrated_fund.evaluation import Decision, Evaluation, columns_of
from integrated_fund.fund import Fund
from integrated_fund.ledger import ZERO, Ledger
from integrated_fund.limits import Limit, Total
from integrated_fund.payments import Payments, Shortage, class_awards, shortage_of
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
    for obstacles in (
        _broken_rules(fund, evaluation, choices, ledger.low[choices], None),
        _unpaid(fund, payments, choices, ledger.low[choices]),
        _broken_links(fund, is_funded, projects),
    ):
        for places, text in obstacles:
            reasons.add(places, text)
    reasons.replace(_excluded(fund, projects), "status excluded")
    return tuple(map(Declined, [ledger.projects[p].project for p in projects.tolist()], reasons.single()))


def blocked_of(fund: Fund, evaluation: Evaluation, cut_back: Mask) -> list[list[str]]:
    """Return what stands in the way of each project, by position in the ledger's projects; shape of `cut_back` too.

    Of a project without money: what adding it at its smallest award would break, and mandatory projects that a link
    sets against it. Of one that is cut back: what another step of award, or else its next larger option, would break.
    """
    ledger = fund.ledger
    found: list[list[str]] = [[] for _ in ledger.projects]
    is_funded = np.zeros(len(ledger.projects), dtype=np.bool_)
    is_funded[ledger.project_of[columns_of(evaluation.decision)[0]]] = True
    projects = np.flatnonzero(~is_funded)
    choices = np.lexsort((ledger.low, ledger.project_of))[ledger.choices.bounds[projects]]
    least = np.maximum(ledger.low[choices], 1)  # a block grant of nothing breaks nothing
    growing = [
        (now, *more)
        for p in np.flatnonzero(cut_back).tolist()
        for now, more in [_larger(ledger, evaluation.decision, range(*ledger.choices.bounds[p : p + 2].tolist()))]
        if more is not None
    ]
    now, larger, grown = np.array(growing, dtype=np.int64).reshape(-1, 3).T
    held = np.array([evaluation.decision[j] for j in now.tolist()], dtype=np.int64)
    every, steps = np.concatenate([choices, larger]), np.concatenate([least, grown])
    of_project = ledger.project_of[every]
    for places, text in _broken_rules(fund, evaluation, choices, least, None):
        for p in projects[places].tolist():
            found[p].append(text)
    for places, text in _broken_rules(fund, evaluation, larger, grown, (now, held)):
        for p in ledger.project_of[larger[places]].tolist():
            found[p].append(text)
    before = [None] * len(choices) + list(zip(now.tolist(), held.tolist(), strict=True))
    for place, text in _short_money(fund, evaluation.decision, every.tolist(), steps.tolist(), before):
        found[int(of_project[place])].append(text)
    for places, text in _broken_links(fund, is_funded, projects):
        found[int(projects[places[0]])].append(text)
    for p, text in _mandatory_rivals(fund, is_funded):
        found[p].append(text)
    for p in projects[_excluded(fund, projects)].tolist():
        found[p] = ["status excluded"]
    return found


def one_more(ledger: Ledger, decision: Decision, own: range, *, cut_back: bool) -> tuple[int, int] | None:
    """Return the choice and the award, in steps, of a project that is not funded at its least, or of one that is cut
    back with one step more, or at its next larger option; None where there is no such. `own` are its choices.
    """
    if any(j in decision for j in own):
        return _larger(ledger, decision, own)[1] if cut_back else None
    choice = min(own, key=lambda j: (int(ledger.low[j]), j))
    return choice, max(1, int(ledger.low[choice]))


def _larger(ledger: Ledger, decision: Decision, own: range) -> tuple[int, tuple[int, int] | None]:
    """Return the choice of a funded project, and the choice and award it has with more."""
    now = next(j for j in own if j in decision)
    larger = [j for j in own if ledger.high[j] > decision[now]]
    if not larger:
        return now, None
    choice = now if now in larger else min(larger, key=lambda j: (int(ledger.low[j]), j))
    return now, (choice, max(int(ledger.low[choice]), decision[now] + 1))


def _excluded(fund: Fund, projects: Codes) -> Codes:
    """Return the places of the excluded among some projects."""
    excluded = [place for place, p in enumerate(projects.tolist()) if fund.ledger.projects[p].status == "excluded"]
    return np.array(excluded, dtype=np.int64)


def _broken_rules(
    fund: Fund, evaluation: Evaluation, choices: Codes, steps: Codes, before: tuple[Codes, Codes] | None
) -> Iterator[tuple[Codes, str]]:
    """Yield the hard rows that choices would break, each alone at an award of so many steps, and which ones do.

    `before` are the choices and steps that they stand in for, None where their projects are not in the plan.
    """
    for begin in range(0, len(choices), _TOGETHER):
        some = slice(begin, begin + _TOGETHER)
        change = _changes(fund, choices[some], steps[some])
        if before is not None:
            change -= _changes(fund, before[0][some], before[1][some])
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
            # So near to the bound fractions decide: a step may be less than the tolerance.
            for place in np.flatnonzero((np.abs(excess) <= tolerance) & (shift != 0)).tolist():
                exact = (
                    row.activity
                    - row.bound
                    + _shift(fund, limit, int(choices[begin + place]), int(steps[begin + place]))
                )
                if before is not None:
                    exact -= _shift(fund, limit, int(before[0][begin + place]), int(before[1][begin + place]))
                missed[place] = {">=": exact < 0, "<=": exact > 0, "=": exact != 0}[limit.rule.sense]
            yield begin + np.flatnonzero(missed & (shift != 0)), f"rule {limit.label}"


def _changes(fund: Fund, choices: Codes, steps: Codes) -> npt.NDArray[np.float64]:
    """Return what choices add to every total, shape (totals, choices)."""
    ledger, appraisal = fund.ledger, fund.appraisal
    lines, place = ledger.lines_of_choices(choices)
    patterns = ledger.pattern_of_line[lines]
    change = np.zeros((len(appraisal.limits.totals), len(choices)))
    for sums in appraisal.sums:
        measure = ledger.measure(sums.measure)
        posted = measure.weight.take(lines).floats * measure.values(choices, steps).floats[place]
        groups = sums.group_of_pattern[patterns]
        spread = sparse.csr_matrix((posted, (place, groups)), shape=(len(choices), sums.members.shape[1]))
        rows = [(row.total, own) for row, own in zip(sums.rows, sums.members, strict=True) if row.total is not None]
        if rows:
            members = np.array([own for _, own in rows], dtype=np.float64)
            change[[number for number, _ in rows]] = np.asarray(spread @ members.T).T
    return change


def _shift(fund: Fund, limit: Limit, choice: int, steps: int) -> Fraction:
    """Return what a choice adds to a row's left side, less the share of what it adds to the base."""
    ledger, totals = fund.ledger, fund.appraisal.limits.totals

    def posted(total: Total) -> Fraction:
        measure = ledger.measure(total.measure)
        own = [line for line in ledger.lines_of[choice] if total.patterns[ledger.pattern_of_line[line]]]
        return sum((measure.weight[line] for line in own), ZERO) * measure.value(choice, steps)

    found = posted(totals[limit.activity])
    return found if limit.base is None else found - limit.share * posted(totals[limit.base])


def money_name(fund: Fund, g: int) -> str:
    """Return the name of a class of money as an obstacle."""
    sources = fund.classes.classes[g].sources
    return "money of " + ", ".join(fund.classes.label(f) for f in sources) if sources else "no source may pay"


def _short_money(
    fund: Fund,
    decision: Decision,
    choices: Sequence[int],
    steps: Sequence[int],
    before: Sequence[tuple[int, int] | None],
) -> Iterator[tuple[int, str]]:
    """Yield the money that choices, each added alone or put in the place of another, are short of, and their places.

    What can be paid is convex, so along one direction (classes, and how an award falls on them) it ends at one amount.
    Every shortage met on the way bounds what classes can have together; all of them are held against all choices.
    """
    ledger, classes = fund.ledger, fund.classes
    today = class_awards(ledger, classes, decision)
    along: dict[tuple[tuple[int, Fraction], ...], dict[Fraction, list[int]]] = {}
    for place, (j, n, old) in enumerate(zip(choices, steps, before, strict=True)):
        due = _due_by_class(fund, j, n)
        if old is not None:
            for g, amount in _due_by_class(fund, *old).items():
                due[g] = due.get(g, ZERO) - amount
        for text in dict.fromkeys(
            money_name(fund, g) for g in sorted(due) if due[g] > 0 and not classes.classes[g].sources
        ):
            yield place, text
        payable = {g: amount for g, amount in sorted(due.items()) if amount and classes.classes[g].sources}
        if any(amount > 0 for amount in payable.values()):
            size = sum(map(abs, payable.values()), ZERO)
            direction = tuple((g, amount / size) for g, amount in payable.items())
            along.setdefault(direction, {}).setdefault(size, []).append(place)
    shortages: list[Shortage] = []

    def ends(direction: tuple[tuple[int, Fraction], ...]) -> list[tuple[Fraction, Shortage]]:
        """Return how far each shortage known lets awards go, where it limits them."""
        found = []
        for one in shortages:
            rate = sum((one.weights.get(g, ZERO) * part for g, part in direction), ZERO)
            if rate > 0:
                used = sum((weight * today[g] for g, weight in one.weights.items()), ZERO)
                found.append(((one.limit - used) / rate, one))
        return found

    for direction, sizes in along.items():
        for size in sorted(sizes, reverse=True):
            if any(size > end for end, _ in ends(direction)):
                continue
            awards = list(today)
            for g, part in direction:
                awards[g] += size * part
            shortage = shortage_of(ledger, classes, awards)
            if shortage is None:  # then so can all that are smaller
                break
            shortages.append(shortage)
    for direction, sizes in along.items():
        limits = ends(direction)
        for size, places in sizes.items():
            short = [one for end, one in limits if size > end]
            own = [g for g, part in direction if any(one.weights.get(g, ZERO) * part > 0 for one in short)]
            for text in dict.fromkeys(money_name(fund, g) for g in own):
                yield from ((place, text) for place in places)


def _due_by_class(fund: Fund, choice: int, steps: int) -> dict[int, Fraction]:
    """Return the money that a choice takes of each class."""
    ledger, classes = fund.ledger, fund.classes
    due: dict[int, Fraction] = {}
    for line in ledger.lines_of[choice]:
        if ledger.share[line]:
            g = int(classes.class_of_line[line])
            due[g] = due.get(g, ZERO) + ledger.share[line] * steps * ledger.step
    return due


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
        if row.sources:
            money = sum((left[f] for f in row.sources), Fraction(0))
            own = own[due.take(own).numerators > floor(money * due.denominators[0])]
        short.setdefault(money_name(fund, g), []).append(place[own])
    for text, places in short.items():
        yield np.unique(np.concatenate(places)), text


def _broken_links(fund: Fund, is_funded: Mask, projects: Codes) -> Iterator[tuple[Codes, str]]:
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
                yield np.array([np.searchsorted(projects, number)]), f"link {link.link}"


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
