"""Levers: the numbers of a round that a study can move, and what moving them does to the programme's rows.

A lever is one member of a rule, a rule's bound for all its members together (one cell of the workbook), the amount of a
source in a year, or a link. In the programme it shifts right sides of rows; in the round it is another bound or amount.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from integrated_fund.fund import Fund
from integrated_fund.limits import Limit
from integrated_fund.round import Link, Round, Rule, Sense, Source
from integrated_fund.sources import AWARD
from optalloc.plan.price_report import Kind
from optalloc.solve.arrays import Arrays, Vector

Positions = npt.NDArray[np.int64]

#: The member that stands for all of a rule's.
ALL = "*"
#: Kinds of `of` whose bound is a share.
SHARES = ("funds", "total", "average")
PERCENTAGE_POINT = Fraction(1, 100)
#: What a bound is moved by to see what that does: this part of it.
PART = Fraction(1, 100)


@dataclass(frozen=True)
class Shift:
    """By how much right sides of rows move, shape of both (rows,). Rows named twice move by the sum."""

    rows: Positions
    by: Vector

    @classmethod
    def of(cls, terms: dict[int, float]) -> Shift:
        """Return the shift with these rows."""
        return cls(np.array(list(terms), dtype=np.int64), np.array(list(terms.values()), dtype=np.float64))

    def __neg__(self) -> Shift:
        return Shift(self.rows, -self.by)


@dataclass(frozen=True)
class Lever:
    """A number of the round that can be moved.

    `shift` is what one unit more does to the rows: of the rule's left side (of all members together: of the typed
    bound, where that is no share), of money, of a link's bound. `limits` are the positions of a rule's rows in the
    round's limits, `source` that of a source in `SourceClasses.sources`.
    """

    kind: Kind
    name: str
    member: str | None
    shift: Shift
    rule: Rule | None = None
    limits: tuple[int, ...] = ()
    source: int | None = None
    link: Link | None = None

    @property
    def label(self) -> str:
        """The lever's name in messages."""
        return self.name if self.member is None else f"{self.name} [{self.member}]"

    @property
    def names(self) -> frozenset[str]:
        """What the lever goes by: its name, and for a source in a year `name@year`."""
        year = self.kind == "source" and self.member is not None
        return frozenset({self.name, f"{self.name}@{self.member}"} if year else {self.name})

    @property
    def has_factor(self) -> bool:
        """Whether the bound is typed for one unit of an attribute."""
        return self.rule is not None and not self.is_share and (self.rule.of or self.rule.per) is not None

    @property
    def is_share(self) -> bool:
        """Whether the bound is typed as a share."""
        return self.rule is not None and self.rule.of in SHARES


def levers_of(fund: Fund, arrays: Arrays) -> list[Lever]:
    """Return the levers of a round: rules by name, each with its members and then all together; sources; links."""
    found = list(_rule_levers(fund, arrays))
    position = {(row.source, row.year): number for number, row in enumerate(fund.classes.sources)}
    several = fund.round.years > 1
    for source in fund.round.sources:
        number = position[source.source, source.year]
        member = str(source.year) if several else None
        shift = source_shift(fund, arrays, number)
        found.append(Lever("source", source.source, member, shift, source=number))
    for link in fund.round.links:
        shift = Shift.of(dict.fromkeys(arrays.link_rows[link.link], 1.0))
        found.append(Lever("link", link.link, None, shift, link=link))
    return found


def _rule_levers(fund: Fund, arrays: Arrays) -> Iterator[Lever]:
    rows = fund.appraisal.limits.rows
    by_rule: dict[str, list[int]] = {}
    for number, limit in enumerate(rows):
        by_rule.setdefault(limit.rule.rule, []).append(number)
    for name, numbers in by_rule.items():
        rule = rows[numbers[0]].rule
        together: dict[int, float] = {}
        for number in numbers:
            shift = _limit_shift(fund, arrays, rows[number])
            # One cell moves all members: by as much as one more in it means for each.
            times = 1.0 if rule.of in SHARES else float(rows[number].unit)
            together.update({row: times * by for row, by in shift.items()})
            yield Lever("rule", name, rows[number].member, Shift.of(shift), rule, (number,))
        if rule.each is not None:
            yield Lever("rule", name, ALL, Shift.of(together), rule, tuple(numbers))


def _limit_shift(fund: Fund, arrays: Arrays, limit: Limit) -> dict[int, float]:
    """Return what one unit of a limit's left side is in its row; nothing where no decision can change the row."""
    scale = fund.cells.scale[fund.appraisal.limits.totals[limit.activity].measure]
    row = arrays.rule_rows.get(limit.name)
    return {} if row is None else {row: float(1 / scale)}


def source_shift(fund: Fund, arrays: Arrays, number: int) -> Shift:
    """Return what one unit of money more in a source does: its own rows, and the rules that are shares of it."""
    row = fund.classes.sources[number]
    money = fund.cells.scale.get(AWARD, Fraction(1))
    terms: dict[int, float] = {}
    for kind, part in (("source", Fraction(1)), ("source_least", row.least), ("source_carry", row.carry_over)):
        if (kind, number) in arrays.source_rows:
            terms[arrays.source_rows[kind, number]] = float(Fraction(part) / money)
    for limit in fund.appraisal.limits.rows:
        if (row.source, row.year) in limit.funds:
            for place, one in _limit_shift(fund, arrays, limit).items():
                terms[place] = terms.get(place, 0.0) + float(limit.typed) * one
    return Shift.of(terms)


def pool_shift(fund: Fund, arrays: Arrays) -> Shift:
    """Return what one unit of money more does that all sources share in proportion to their amounts."""
    total = sum((Fraction(row.amount) for row in fund.classes.sources), Fraction(0))
    terms: dict[int, float] = {}
    for number, source in enumerate(fund.classes.sources):
        part = float(Fraction(source.amount) / total) if total else 0.0
        shift = source_shift(fund, arrays, number)
        for row, by in zip(shift.rows.tolist(), shift.by.tolist(), strict=True):
            terms[row] = terms.get(row, 0.0) + part * by
    return Shift.of(terms)


def cell_shift(fund: Fund, arrays: Arrays, lever: Lever) -> Shift | None:
    """Return what one more in the typed bound does to the rows; None where it changes what the rows add up."""
    rows = [fund.appraisal.limits.rows[number] for number in lever.limits]
    if any(limit.base is not None for limit in rows):
        return None
    terms: dict[int, float] = {}
    for limit in rows:
        for place, one in _limit_shift(fund, arrays, limit).items():
            terms[place] = float(limit.unit) * one
    return Shift.of(terms)


def typed_bound(fund: Fund, lever: Lever) -> Decimal | None:
    """Return the lever's number as the workbook has it; None for a link without one."""
    if lever.rule is not None:
        return lever.rule.bound_of(None if lever.member == ALL else lever.member)
    if lever.source is not None:
        return fund.classes.sources[lever.source].amount
    assert lever.link is not None
    return link_bound(lever.link)


def link_bound(link: Link) -> Decimal | None:
    """Return the right side of a link's rows; None for a synergy, which is no limit."""
    bounds: dict[str, int | None] = {"requires": 0, "all_or_none": 0, "excludes": 1, "synergy": None}
    bound = bounds.get(link.kind, link.k)
    return None if bound is None else Decimal(bound)


def sense_of(lever: Lever) -> Sense | None:
    """Return how the lever bounds: None for a synergy."""
    if lever.rule is not None:
        return lever.rule.sense
    if lever.link is not None:
        senses: dict[str, Sense | None] = {"all_or_none": "=", "at_least": ">=", "synergy": None}
        return senses.get(lever.link.kind, "<=")
    return "<="


def default_step(fund: Fund, lever: Lever) -> Decimal:
    """Return the step that matters: a percentage point of a share, a hundredth of an amount, one project, one link."""
    if lever.link is not None:
        return Decimal(1)
    if lever.is_share:
        return Decimal("0.01")
    bound = typed_bound(fund, lever)
    assert bound is not None
    return _sensible(fund, lever, abs(Fraction(bound)) * PART)


def share_step(fund: Fund, lever: Lever, share: Fraction) -> Decimal:
    """Return a part of the bound as a step: whole steps of money, whole projects, one link."""
    if lever.link is not None:
        return Decimal(1)
    bound = typed_bound(fund, lever)
    assert bound is not None
    if lever.is_share:
        return _decimal(abs(Fraction(bound)) * share)
    return _sensible(fund, lever, abs(Fraction(bound)) * share)


def _sensible(fund: Fund, lever: Lever, wanted: Fraction) -> Decimal:
    """Return about the wanted step in a size that can be typed: at least one step of money, or one project."""
    rule = lever.rule
    plain = rule is None or (rule.per is None and rule.of is None)
    if plain and (rule is None or rule.measure == "award"):
        step = fund.ledger.step
        if not wanted and rule is not None:  # of a bound of 0 no part is anything
            wanted = Fraction(int(np.median(fund.ledger.high)) if len(fund.ledger.high) else 1) * step
        return _decimal(max(step, Fraction(round(wanted / step)) * step))
    if plain and rule is not None and rule.measure == "accepted":
        return Decimal(max(1, round(wanted)))
    return _decimal(wanted) if wanted else Decimal(1)


def _decimal(value: Fraction) -> Decimal:
    """Return a value with at most 12 significant digits."""
    return Decimal(f"{Decimal(value.numerator) / Decimal(value.denominator):.12g}")


def moved_round(round_: Round, lever: Lever, step: Decimal) -> Round | None:
    """Return the round with a lever moved by a step of its typed number; None where there is no such round.

    A link that asks for one more than it can mean is dropped; one that asks for less than nothing is no link.
    """
    if lever.rule is not None:
        rules = tuple(_moved_rule(rule, lever, step) if rule.rule == lever.name else rule for rule in round_.rules)
        return replace(round_, rules=rules)
    if lever.link is not None:
        return _with_link(round_, lever.link, int(step))
    year = None if lever.member is None else int(lever.member)
    sources: list[Source] = []
    for row in round_.sources:
        if row.source == lever.name and (lever.member is None or row.year == year):
            if row.amount + step < 0:
                return None
            row = replace(row, amount=row.amount + step)
        sources.append(row)
    return replace(round_, sources=tuple(sources))


def _moved_rule(rule: Rule, lever: Lever, step: Decimal) -> Rule:
    if lever.member in (None, ALL):
        return replace(rule, bound=rule.bound + step)
    assert lever.member is not None
    bounds = {**rule.member_bounds, lever.member: rule.bound_of(lever.member) + step}
    return replace(rule, member_bounds=bounds)


def _with_link(round_: Round, link: Link, step: int) -> Round | None:
    changed: Link | None
    if link.kind in ("requires", "all_or_none"):
        if step < 0:
            return None
        changed = None
    elif link.kind == "synergy":
        return None
    else:
        k = (1 if link.kind == "excludes" else link.k or 0) + step
        if k < 0 or k > len(link.projects):
            return None
        changed = replace(link, kind="at_least" if link.kind == "at_least" else "at_most", k=k)
    links: Sequence[Link | None] = [changed if other.link == link.link else other for other in round_.links]
    return replace(round_, links=tuple(other for other in links if other is not None))
