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

from integrated_fund.evaluation import Decision
from integrated_fund.exact_lp import ONE, ZERO, Infeasible, maximise
from integrated_fund.ledger import Ledger
from integrated_fund.sources import SourceClasses

#: How often each source may be asked to pay a little less before an endless decimal is left as it is.
_ROUNDINGS = 6


@dataclass(frozen=True, slots=True)
class LinePayment:
    """What one source pays for one line."""

    line: int
    source: int
    amount: Fraction


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments that keep every source: by line, used by source, carried on by source (None in the last year)."""

    lines: tuple[LinePayment, ...]
    used: tuple[Fraction, ...]
    carried: tuple[Fraction | None, ...]


@dataclass(frozen=True, slots=True)
class Shortage:
    """Proof that no payments exist: every payable plan has Σ weight[g] · award[g] <= limit, and this one has not."""

    weights: Mapping[int, Fraction]
    limit: Fraction


def class_awards(ledger: Ledger, classes: SourceClasses, decision: Decision) -> list[Fraction]:
    """Return the award of each eligibility class at a decision, in the round's unit."""
    awards = [ZERO] * len(classes.classes)
    for choice, steps in decision.items():
        for line in ledger.lines_of[choice]:
            awards[classes.class_of_line[line]] += ledger.share[line] * steps * ledger.step
    return awards


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
) -> tuple[LinePayment, ...]:
    """Split what a source pays to a class over the class's lines: lines in order, sources in the order of the sheet."""
    order = _sheet_order(ledger, classes)
    queues: dict[int, list[tuple[int, Fraction]]] = {
        g: [(f, paid[f, g]) for f in reversed(order) if (f, g) in paid] for g in range(len(classes.classes))
    }
    lines = []
    for choice in sorted(decision):
        for line in ledger.lines_of[choice]:
            due = ledger.share[line] * decision[choice] * ledger.step
            queue = queues[int(classes.class_of_line[line])]
            while due:
                source, available = queue.pop()
                amount = min(due, available)
                lines.append(LinePayment(line, source, amount))
                due -= amount
                if available > amount:
                    queue.append((source, available - amount))
    return tuple(lines)
