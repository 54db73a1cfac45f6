r"""Who pays what: the sources' payments for a decision, found in exact arithmetic.

The equations are those of `sources.py` with the awards of the classes given. Carry-over below 1 makes the network one
with gains, so the payments are found in rationals. Where the rules leave a choice, sources pay in the order of the
Sources sheet: the first row pays as much as it can, then the second, and so on; within a source, classes in their
canonical order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from integrated_fund.choices import Codes
from integrated_fund.evaluation import Decision, columns_of
from integrated_fund.exact_column import ExactColumn, Integers, running_sums
from integrated_fund.exact_lp import ONE, ZERO, Infeasible, maximise
from integrated_fund.ledger import Ledger
from integrated_fund.sources import SourceClasses

#: How often each source may be asked to pay a little less before an endless decimal is left as it is.
_ROUNDINGS = 6


@dataclass(frozen=True, slots=True)
class LinePayments:
    """What sources pay for lines, never 0: sorted by line, then in the order of the Sources sheet.

    `line`, `source` (its position in `SourceClasses.sources`) and `amount` are columns of shape (payments,).
    """

    line: Codes
    source: Codes
    amount: ExactColumn


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments that keep every source: by line, used by source, carried on by source (None in the last year)."""

    lines: LinePayments
    used: tuple[Fraction, ...]
    carried: tuple[Fraction | None, ...]


@dataclass(frozen=True, slots=True)
class Shortage:
    """Proof that no payments exist: every payable plan has Σ weight[g] · award[g] <= limit, and this one has not."""

    weights: Mapping[int, Fraction]
    limit: Fraction


def class_awards(ledger: Ledger, classes: SourceClasses, decision: Decision) -> list[Fraction]:
    """Return the award of each eligibility class at a decision, in the round's unit."""
    lines, due = _due(ledger, decision)
    return list(due.sum_by(classes.class_of_pattern[ledger.pattern_of_line[lines]], len(classes.classes)))


def _due(ledger: Ledger, decision: Decision) -> tuple[Codes, ExactColumn]:
    """Return the lines of a decision in order and the award that falls on each, in the round's unit."""
    funded, steps = columns_of(decision)
    order = np.argsort(funded)
    lines, place = ledger.lines_of_choices(funded[order])
    return lines, ledger.share.take(lines).times(steps[order][place]).scaled(ledger.step)


def payments_of(ledger: Ledger, classes: SourceClasses, decision: Decision) -> Payments | Shortage:
    """Return the payments for a decision, or the proof that there are none."""
    awards = class_awards(ledger, classes, decision)
    caps: dict[int, Fraction] = {}
    grid = _finest(awards, classes)
    paid = _pay_classes(ledger, classes, awards, caps)
    if isinstance(paid, Shortage):
        return paid
    # Carry-over rates can make a source's most an endless decimal: it then pays a little less than its most.
    for _ in range(_ROUNDINGS * len(classes.sources)):
        used = _used(classes, paid)
        endless = next((f for f in _sheet_order(ledger, classes) if (used[f] / grid).denominator != 1), None)
        if endless is None:
            break
        caps[endless] = used[endless] // grid * grid
        capped = _pay_classes(ledger, classes, awards, caps)
        if isinstance(capped, Shortage):  # the least it can pay is an endless decimal too
            break
        paid = capped
    used = _used(classes, paid)
    return Payments(_split(ledger, classes, decision, paid), tuple(used), _moved_on(ledger, classes, used, grid))


def shortage_of(ledger: Ledger, classes: SourceClasses, awards: list[Fraction]) -> Shortage | None:
    """Return the proof that classes cannot have these awards; None where they can be paid."""
    paid = _pay_classes(ledger, classes, awards, {})
    return paid if isinstance(paid, Shortage) else None


def _used(classes: SourceClasses, paid: Mapping[tuple[int, int], Fraction]) -> list[Fraction]:
    return [sum((v for (f, _), v in paid.items() if f == row), ZERO) for row in range(len(classes.sources))]


def _sheet_order(ledger: Ledger, classes: SourceClasses) -> list[int]:
    position = {(row.source, row.year): number for number, row in enumerate(ledger.round.sources)}
    return sorted(
        range(len(classes.sources)), key=lambda f: position[classes.sources[f].source, classes.sources[f].year]
    )


def _finest(awards: list[Fraction], classes: SourceClasses) -> Fraction:
    """Return the smallest decimal that awards and amounts are multiples of, and a thousandth of it."""
    grid = ONE
    for value in (*awards, *(Fraction(row.amount) for row in classes.sources)):
        while (value / grid).denominator != 1:
            grid /= 10
    return grid / 1000


def _pay_classes(
    ledger: Ledger, classes: SourceClasses, awards: list[Fraction], caps: Mapping[int, Fraction]
) -> dict[tuple[int, int], Fraction] | Shortage:
    column: dict[tuple[str, int, int], int] = {}

    def variable(kind: str, a: int, b: int = 0) -> int:
        return column.setdefault((kind, a, b), len(column))

    sources = classes.sources
    served = [[g for g, row in enumerate(classes.classes) if f in row.sources] for f in range(len(sources))]
    received = {
        target: f for f, target in enumerate(classes.next_year) if target is not None and sources[f].carry_over > 0
    }
    rows: list[tuple[dict[int, Fraction], Fraction]] = []
    for g, row in enumerate(classes.classes):
        rows.append(({variable("pay", f, g): ONE for f in row.sources}, awards[g]))
    for f, source in enumerate(sources):
        used = {variable("pay", f, g): ONE for g in served[f]}
        incoming = {variable("carry", received[f]): -ONE} if f in received else {}
        carries = source.carry_over > 0 and classes.next_year[f] is not None
        amount = Fraction(source.amount)
        moved = {variable("carry", f): ONE} if carries else {}
        rows.append(({**used, **moved, **incoming, variable("left", f): ONE}, amount))
        if source.least > 0:
            rows.append(({**used, variable("beyond", f): -ONE}, Fraction(source.least) * amount))
        if carries:
            rate = Fraction(source.carry_over)
            scaled = {c: rate * v for c, v in (used | incoming).items()}
            rows.append(({**scaled, **moved, variable("lapsed", f): ONE}, rate * amount))
        if f in caps:
            rows.append(({**used, variable("capped", f): ONE}, caps[f]))
    order = _sheet_order(ledger, classes)
    objectives = [{variable("pay", f, g): ONE for g in served[f]} for f in order]
    objectives += [{variable("pay", f, g): ONE} for f in order for g in served[f]]
    solved = maximise([objective for objective in objectives if objective], rows, len(column))
    if isinstance(solved, Infeasible):
        # y · b < 0 here, and y · b >= 0 for whatever can be paid; b holds the awards in its first rows.
        weights = {g: -y for g, y in enumerate(solved.multipliers[: len(awards)]) if y}
        rest = zip(solved.multipliers[len(awards) :], rows[len(awards) :], strict=True)
        return Shortage(weights, sum((y * right for y, (_, right) in rest), ZERO))
    return {(f, g): solved.values[c] for (kind, f, g), c in column.items() if kind == "pay" and solved.values[c]}


def _moved_on(
    ledger: Ledger, classes: SourceClasses, used: list[Fraction], grid: Fraction
) -> tuple[Fraction | None, ...]:
    """Return what each source carries on: all that may move in whole steps, or what is needed where that is more."""
    needed = [ZERO] * len(used)
    for f in reversed(range(len(used))):  # what the next year pays out, and what it must have left to carry on itself
        following = classes.next_year[f]
        if following is not None:
            rate = Fraction(classes.sources[following].carry_over)
            left = needed[following] / rate if needed[following] else ZERO
            needed[f] = max(ZERO, used[following] + left - Fraction(classes.sources[following].amount))
            fine = grid / 10**4  # rates make finer decimals than amounts; an endless one is carried a little up
            needed[f] = -(-needed[f] // fine) * fine
    received = [ZERO] * len(used)
    carried: list[Fraction | None] = []
    for f, source in enumerate(classes.sources):  # sorted by year within a source, so what comes in is known
        if source.year is None or source.year == ledger.years[-1]:
            carried.append(None)
            continue
        target = classes.next_year[f]
        if target is None or source.carry_over == 0:
            carried.append(ZERO)
            continue
        unspent = Fraction(source.amount) + received[f] - used[f]
        most = Fraction(source.carry_over) * unspent // ledger.step * ledger.step
        moved = max(most, needed[f])
        received[target] = moved
        carried.append(moved)
    return tuple(carried)


def _split(
    ledger: Ledger, classes: SourceClasses, decision: Decision, paid: Mapping[tuple[int, int], Fraction]
) -> LinePayments:
    """Split what a source pays to a class over the class's lines: lines in order, sources in the order of the sheet.

    Lay a class's lines end to end, each as long as what is due on it, and its sources beside them, each as long as what
    it pays: every stretch between two ends is a payment.
    """
    order = _sheet_order(ledger, classes)
    lines, due = _due(ledger, decision)
    denominator = lcm(*due.denominators, *(amount.denominator for amount in paid.values()))
    lengths = due.over(denominator)
    class_of = classes.class_of_pattern[ledger.pattern_of_line[lines]]
    by_class = np.argsort(class_of, kind="stable")
    bounds = np.searchsorted(class_of[by_class], np.arange(len(classes.classes) + 1))
    places: list[Codes] = [np.zeros(0, dtype=np.int64)]
    sources: list[Codes] = [np.zeros(0, dtype=np.int64)]
    amounts: list[Integers] = [np.zeros(0, dtype=np.int64)]
    for g in range(len(classes.classes)):
        own = by_class[bounds[g] : bounds[g + 1]]
        payers = np.array([f for f in order if (f, g) in paid], dtype=np.int64)
        line_ends = running_sums(lengths[own])
        payer_ends = running_sums(ExactColumn.of(paid[f, g] for f in payers.tolist()).over(denominator))
        ends = np.unique(np.concatenate([line_ends, payer_ends]))
        ends = ends[ends > 0]
        begins = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1]])[: len(ends)]
        places.append(own[np.searchsorted(line_ends, begins, side="right")])
        sources.append(payers[np.searchsorted(payer_ends, begins, side="right")])
        amounts.append(ends - begins)
    place = np.concatenate(places)
    by_line = np.argsort(place, kind="stable")
    amount = ExactColumn(np.concatenate(amounts)[by_line], (denominator,))
    return LinePayments(lines[place[by_line]], np.concatenate(sources)[by_line], amount)
