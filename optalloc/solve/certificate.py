r"""A bound on every plan that anyone can add up again: weak duality in exact arithmetic, from rounded prices alone.

Published are one decimal price for each rule row and three for each source and year (its amount, its carry-over, what
it must spend at least). Everything else follows from them exactly, so that no other column adds anything:

    rule             price >= 0 for <=, <= 0 for >=; a soft one within [-penalty, penalty]
    carry-over       carry[f] = max(carry[f], source[f'] + rate[f'] · carry[f'] - source[f]), f' the next year's, from
                     the last year back, where f can carry
    class of lines   price[g] = min over its sources of source[f] + rate[f] · carry[f] + least[f]
    a line           price[measure] = Σ rules that count it in their left side, price
                                      - Σ rules that count it in their base, share · price
                     and for the award the price of its class besides

    bound = Σ source[f] · amount[f] + Σ carry[f] · rate[f] · amount[f] + Σ least[f] · least share · amount[f]
            + Σ rules price · constant
            + Σ groups max { Σ chosen: value - its lines at their prices }

A group is a project, or projects that links tie together; its best decision is found by comparing all (`groups`).
Choices with a line that no source may pay for cannot be made. Numbers are whole multiples of a grid, rounded so that
the bound can only grow. Rows that somebody added to the model are left out: a plan that keeps more has no more.

The bound holds for the first level of the objective: a programme without integrality and with fewer rows has no smaller
optimum, whatever the prices are (A. M. Geoffrion, Lagrangean relaxation for integer programming, 1974).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, log10
from typing import TypeVar

import numpy as np

from integrated_fund.exact_column import ExactColumn, Integers
from integrated_fund.fund import Fund
from integrated_fund.measures import MeasureKey
from integrated_fund.sources import AWARD
from optalloc.solve.arrays import Arrays, Vector
from optalloc.solve.core.groups import FORBIDDEN, Codes, Groups

#: Digits of the largest price that are published, and digits of a typical benefit on the grid.
PRICE_DIGITS = 9
GRID_DIGITS = 11
#: Digits that a grid gives up at a time where values do not fit.
COARSER = 3
#: No single term of a value may be larger, in units of the grid: a hundred of them still fit into 64 bits.
LARGEST = 2**55
SLACK = Fraction(1, 2**50)


@dataclass(frozen=True)
class SourcePrices:
    """The prices of one source in one year; `carry` and `least` are 0 where it has no such row."""

    amount: Decimal
    carry: Decimal
    least: Decimal


@dataclass(frozen=True)
class Certificate:
    """Published prices and the bound that follows from them, in units of the first level of the objective.

    `rules` go by the names of rows (`Limit.name`), in objective units for each unit of the rule's left side; `sources`
    by position in `SourceClasses.sources`.
    """

    rules: Mapping[str, Decimal]
    sources: Sequence[SourcePrices]
    bound: Fraction


def certificate(fund: Fund, arrays: Arrays, groups: Groups, y: Vector) -> Certificate:
    """Return the certificate of prices `y`, shape (coupling rows of `groups`,), as the solver has them."""
    price_of_row = np.zeros(len(arrays.row_lower))
    price_of_row[groups.coupling] = y
    rules = _rule_prices(fund, arrays, price_of_row)
    sources = _source_prices(fund, arrays, price_of_row)
    return Certificate(rules, sources, bound_of(fund, groups, rules, sources))


def _rule_prices(fund: Fund, arrays: Arrays, price_of_row: Vector) -> dict[str, Decimal]:
    limits = fund.appraisal.limits
    plain: dict[str, float] = {}
    by_measure: dict[MeasureKey, float] = {}
    for row in limits.rows:
        measure = limits.totals[row.activity].measure
        # A row that no column can change is not written.
        written = arrays.rule_rows.get(row.name)
        price = 0.0 if written is None else float(price_of_row[written]) / float(fund.cells.scale[measure])
        least = -float("inf") if row.rule.sense != "<=" else 0.0
        most = float("inf") if row.rule.sense != ">=" else 0.0
        if row.rule.penalty is not None:
            least, most = max(least, -float(row.rule.penalty)), min(most, float(row.rule.penalty))
        plain[row.name] = min(max(price, least), most)
        by_measure[measure] = max(by_measure.get(measure, 0.0), abs(plain[row.name]))
    found: dict[str, Decimal] = {}
    for row in limits.rows:
        digits = _digits(by_measure[limits.totals[row.activity].measure])
        rounded = Decimal(plain[row.name]).quantize(Decimal(1).scaleb(-digits))
        if row.rule.penalty is not None:  # rounding must not pass the penalty
            rounded = min(max(rounded, -row.rule.penalty), row.rule.penalty)
        found[row.name] = rounded
    return found


def _source_prices(fund: Fund, arrays: Arrays, price_of_row: Vector) -> list[SourcePrices]:
    scale = float(fund.cells.scale.get(AWARD, Fraction(1)))
    plain = {key: float(price_of_row[row]) / scale for key, row in arrays.source_rows.items()}
    digits = _digits(max((abs(price) for price in plain.values()), default=0.0))

    def price(kind: str, source: int, sign: int) -> Decimal:
        value = max(0.0, sign * plain.get((kind, source), 0.0))
        return sign * Decimal(value).quantize(Decimal(1).scaleb(-digits))

    return [
        SourcePrices(price("source", f, 1), price("source_carry", f, 1), price("source_least", f, -1))
        for f in range(len(fund.classes.sources))
    ]


def _digits(largest: float) -> int:
    """Return decimals that give the largest price `PRICE_DIGITS` digits."""
    return PRICE_DIGITS if largest <= 0 else max(0, PRICE_DIGITS - 1 - floor(log10(largest)))


def bound_of(fund: Fund, groups: Groups, rules: Mapping[str, Decimal], sources: Sequence[SourcePrices]) -> Fraction:
    """Return the bound that prices of rules and sources prove, in exact arithmetic."""

    def bound(worths: _Worths) -> Fraction:
        return worths.fixed + groups.largest(worths.choices, worths.switches) * worths.unit

    return _on_a_grid(fund, groups, rules, sources, bound)


@dataclass(frozen=True)
class EitherWay:
    """Bounds on all plans that fund a project, and on all that do not; one for each project, None: there are none.

    For a block grant, which can be given nothing without a decision, both are the bound on every plan.
    """

    funded: Sequence[Fraction | None]
    declined: Sequence[Fraction | None]


def bounds_either_way(fund: Fund, groups: Groups, given: Certificate) -> EitherWay:
    """Return what the certificate's prices prove with each project in the plan, and with it out.

    The bound less what the project's group loses by that decision: L - max{group} + max{group with the project in}.
    """

    def bounds(worths: _Worths) -> EitherWay:
        best, funded, declined = groups.either_way(worths.choices, worths.switches)
        total = groups.largest(worths.choices, worths.switches)

        def bound(own: Codes) -> list[Fraction | None]:
            return [
                None if value == FORBIDDEN else worths.fixed + (total - top + value) * worths.unit
                for top, value in zip(best.tolist(), own.tolist(), strict=True)
            ]

        return EitherWay(bound(funded), bound(declined))

    return _on_a_grid(fund, groups, given.rules, given.sources, bounds)


@dataclass(frozen=True)
class _Worths:
    """What choices and switched columns are worth at some prices, in multiples of `unit`, and what is fixed."""

    choices: Codes
    switches: Codes
    unit: Fraction
    fixed: Fraction


Asked = TypeVar("Asked")


def _on_a_grid(
    fund: Fund,
    groups: Groups,
    rules: Mapping[str, Decimal],
    sources: Sequence[SourcePrices],
    ask: Callable[[_Worths], Asked],
) -> Asked:
    """Return what is asked of worths on the finest grid on which all of them fit."""
    digits = _grid_digits(fund)
    while True:
        try:
            return ask(_worths_on_grid(fund, groups, rules, sources, digits))
        except OverflowError:  # a coarser grid bounds as well, a little less closely
            digits -= COARSER


def _worths_on_grid(
    fund: Fund, groups: Groups, rules: Mapping[str, Decimal], sources: Sequence[SourcePrices], digits: int
) -> _Worths:
    """Return worths rounded up to `digits` decimals (negative: tens, hundreds, …).

    Raises:
        OverflowError: a value has too many digits for 64 bits.
    """
    money = money_prices(fund, sources)
    fixed = money.fixed
    limits = fund.appraisal.limits
    fixed += sum((Fraction(rules[row.name]) * row.constant for row in limits.rows), Fraction(0))
    worth = _worth(fund, rules, money.by_class, digits)
    switches = np.zeros(groups.columns, dtype=np.int64)
    cost = groups.arrays.levels[0]
    switched = np.flatnonzero(groups.arrays.decision & (groups.project_of_column < 0))
    # A product of few floats is off by less than SLACK of its size; that much more keeps the bound a bound.
    exact = [Fraction(value) + abs(Fraction(value)) * SLACK for value in cost[switched].tolist()]
    switches[switched] = -_on_grid(ExactColumn.of([-value for value in exact]), digits)
    return _Worths(worth, switches, 1 / Fraction(10) ** digits, fixed)


def _grid_digits(fund: Fund) -> int:
    """Return how many decimals the grid has: `GRID_DIGITS` digits for a typical choice's gain."""
    sizes = np.zeros(len(fund.ledger.choices))
    for k in fund.appraisal.levels[0].gains:
        gain = fund.appraisal.gains[k]
        sizes += float(gain.factor) * (gain.constant_floats + gain.slope_floats * fund.ledger.high)
    sizes = np.abs(sizes[sizes != 0])
    if not len(sizes):
        return GRID_DIGITS
    # The sum of all gains has to fit into 62 bits too.
    room = 18 - ceil(log10(max(1.0, float(sizes.sum()) * 4)))
    return max(0, min(GRID_DIGITS - round(log10(float(np.median(sizes)))), room))


@dataclass(frozen=True)
class MoneyPrices:
    """What one unit of money costs by source and by class of lines (None: nothing may pay for it), carry-over and the
    least to be spent counted in; `fixed` is what the sources add to the bound.
    """

    by_source: Sequence[Fraction]
    by_class: Sequence[Fraction | None]
    fixed: Fraction


def money_prices(fund: Fund, sources: Sequence[SourcePrices]) -> MoneyPrices:
    """Return what money costs at the prices of sources."""
    classes = fund.classes
    amount = [Fraction(price.amount) for price in sources]
    carry = [Fraction(price.carry) for price in sources]
    least = [Fraction(price.least) for price in sources]
    rate = [Fraction(row.carry_over) for row in classes.sources]
    carries = [row.carry_over > 0 and classes.next_year[f] is not None for f, row in enumerate(classes.sources)]
    for f in sorted(range(len(amount)), key=lambda f: classes.sources[f].year or 0, reverse=True):
        following = classes.next_year[f]
        if not carries[f] or following is None:
            carry[f] = Fraction(0)
            continue
        received = amount[following] + rate[following] * carry[following]
        carry[f] = max(carry[f], received - amount[f])
    by_source = [amount[f] + rate[f] * carry[f] + least[f] for f in range(len(amount))]
    by_class = [min((by_source[f] for f in row.sources), default=None) for row in classes.classes]
    fixed = Fraction(0)
    for f, row in enumerate(classes.sources):
        fixed += Fraction(row.amount) * (amount[f] + rate[f] * carry[f] + Fraction(row.least) * least[f])
    return MoneyPrices(by_source, by_class, fixed)


def _worth(fund: Fund, rules: Mapping[str, Decimal], class_price: Sequence[Fraction | None], digits: int) -> Integers:
    """Return the most each choice can be worth at the prices, in units of the grid rounded up; shape (choices,)."""
    ledger = fund.ledger
    low, high = ledger.low, ledger.high
    everything = np.arange(len(low))
    ends = [(everything, high)]
    varying = np.flatnonzero(low != high)
    if len(varying):
        ends.append((varying, low[varying]))
    found = []
    prices = _line_prices(fund, rules, class_price, digits)
    for choices, steps in ends:
        worth = np.zeros(len(choices), dtype=np.int64)
        for k in fund.appraisal.levels[0].gains:
            gain = fund.appraisal.gains[k]
            value = _value(gain.constant, gain.slope, choices, steps).scaled(gain.factor)
            worth -= _on_grid(value.scaled(Fraction(-1)), digits)
        for key, (lower, upper) in prices.items():
            measure = ledger.measure(key)
            value = measure.values(choices, steps)
            for side, part in ((lower, value.numerators >= 0), (upper, value.numerators < 0)):
                if part.any():
                    per_unit = _per_unit(side, measure.weight, ledger.line_choice, len(low))
                    rows = np.flatnonzero(part)
                    worth[rows] -= _on_grid(per_unit.take(choices[rows]).times(value.take(rows)), digits)
        found.append(worth)
    worth = found[0]
    if len(varying):
        worth[varying] = np.maximum(worth[varying], found[1])
    unpaid = np.array([price is None for price in class_price], dtype=np.bool_)[fund.classes.class_of_line]
    unpaid &= ledger.share.nonzero
    impossible = np.zeros(len(low), dtype=np.bool_)
    impossible[ledger.line_choice[unpaid]] = True
    # A block grant that nothing may pay for gets nothing; any other choice cannot be made.
    worth[impossible] = np.where(ledger.is_block_grant[impossible], 0, FORBIDDEN)
    return worth


def _value(constant: ExactColumn, slope: ExactColumn, choices: Codes, steps: Codes) -> ExactColumn:
    sloped = slope.take(choices)
    rows = np.flatnonzero(sloped.nonzero)
    return constant.take(choices).with_rows(rows, sloped.take(rows).times(steps[rows]).reduced())


def _line_prices(
    fund: Fund, rules: Mapping[str, Decimal], class_price: Sequence[Fraction | None], digits: int
) -> dict[MeasureKey, tuple[ExactColumn, ExactColumn]]:
    """Return the price of one unit of each measure on each line, from below and from above, shape (lines,)."""
    ledger, limits = fund.ledger, fund.appraisal.limits
    by_total: dict[int, Fraction] = {}
    for row in limits.rows:
        price = Fraction(rules[row.name])
        if not price:
            continue
        by_total[row.activity] = by_total.get(row.activity, Fraction(0)) + price
        if row.base is not None:
            by_total[row.base] = by_total.get(row.base, Fraction(0)) - price * row.share
    # Prices of totals are fractions of any denominator: a few digits beyond the grid are enough.
    fine = 10 ** max(4, digits + 4)
    priced = [(limits.totals[number], price) for number, price in by_total.items()]
    classes = fund.classes.class_of_pattern
    for total, per_unit in zip(fund.classes.totals(), class_price, strict=True):
        if per_unit:
            priced.append((total, per_unit))
    sums: dict[MeasureKey, list[Integers]] = {}
    for total, price in priced:
        lower, upper = sums.setdefault(total.measure, [np.zeros(len(classes), dtype=object) for _ in range(2)])
        lower[total.patterns] += floor(price * fine)
        upper[total.patterns] += ceil(price * fine)
    lines = ledger.pattern_of_line
    return {
        key: (ExactColumn(lower, (fine,)).take(lines), ExactColumn(upper, (fine,)).take(lines))
        for key, (lower, upper) in sums.items()
    }


def _per_unit(price: ExactColumn, weight: ExactColumn, line_choice: Codes, choices: int) -> ExactColumn:
    """Return what one unit of a measure's value costs each choice, shape (choices,)."""
    return weight.times(price).sum_by(line_choice, choices)


def _on_grid(values: ExactColumn, digits: int) -> Codes:
    """Return values in units of the grid, rounded down.

    Raises:
        OverflowError: one of them is larger than `LARGEST`.
    """
    scaled = values.scaled(Fraction(10) ** digits)
    if scaled.which is None:
        found = scaled.floor()
    else:
        divisors = np.array(scaled.denominators, dtype=object)[scaled.which]
        found = np.asarray(scaled.numerators.astype(object) // divisors).astype(np.int64)
    if len(found) and max(-int(found.min()), int(found.max())) > LARGEST:
        raise OverflowError("a value does not fit into 64 bits")
    return found
