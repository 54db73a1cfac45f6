"""The price report as a plain value: what every rule, source and link of a solved round costs.

It is made by `optalloc.study`, and written and printed as it stands. Money is in the round's unit, prices in units of
the objective.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from integrated_fund.round import Sense
from optalloc.plan.overrides import Record

Kind = Literal["rule", "source", "capacity", "link"]

#: A number, or a side on which no plan lies; None where a thing does not apply.
Price = Decimal | Literal["inf", "-inf"] | None


@dataclass(frozen=True)
class Change:
    """What moving a bound by a step does to the plan. `low` and `high` are proven; they are `found` where both rounds
    are proven optimal.

    `found` compares the best plans known of both rounds, None where none is known of the moved one. `criteria` are
    differences, `enters` and `leaves` projects.
    """

    step: Decimal
    low: Price
    high: Price
    found: Price
    criteria: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    enters: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()


@dataclass(frozen=True)
class PriceLine:
    """One row of the report. `activity`, `bound` and `slack` are the plan's, in the unit of the rule's left side.

    `typed` is the bound as the workbook has it. `price_more` and `price_less` are of the linear relaxation, by the
    bound, `valid_from` and `valid_to` values of the bound; `decided_*` with the plan's acceptances fixed; `point_*` of
    a percentage point of a share, `point_money` in money. `dual` is the row's own multiplier in the certificate.
    `exchange_rate` is by how much all sources together would have to grow for what one unit of the bound gains. `step`
    is by how much the typed bound was moved for the changes.
    """

    kind: Kind
    rule: str
    member: str | None
    sense: Sense | None
    says: str
    typed: Decimal | None
    activity: Decimal | None
    bound: Decimal | None
    slack: Decimal | None
    dual: Decimal | None
    price_more: Price
    price_less: Price
    valid_from: Decimal | None
    valid_to: Decimal | None
    decided_more: Price
    decided_less: Price
    point_more: Price
    point_less: Price
    point_money: Decimal | None
    exchange_rate: Decimal | None
    step: Decimal | None = None
    change_more: Change | None = None
    change_less: Change | None = None
    sentence: str = ""

    @property
    def cost(self) -> float:
        """What the row costs at the margin, for sorting: the gain of moving it a hundredth where it gives way."""
        gain = max(size_of(self.price_more), -size_of(self.price_less), 0.0)
        return gain * max(1.0, abs(float(self.bound if self.bound is not None else self.typed or 0)))


@dataclass(frozen=True)
class CurvePoint:
    """One point of a curve: the bound as typed, the best plan known there and the linear relaxation (None: no plan)."""

    bound: Decimal
    value: Decimal | None
    relaxed: Decimal | None


@dataclass(frozen=True)
class Curve:
    """The objective against one bound, points by rising bound."""

    rule: str
    member: str | None
    is_share: bool
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class PriceReport:
    """The whole report. `level` counts the objective's levels from 0, `value` is the plan's there.

    `relaxed` is the value of that level's linear relaxation, `pool` what one unit of money more is worth that all
    sources share in proportion. `bound` is the certificate's, on the first level of every plan; `objective` the plan's
    value of it and `gap` the relative distance. `curves` are of the dearest bounds. `overrides` are those of the plan
    that is priced: all prices and changes are with them in force.
    """

    lines: tuple[PriceLine, ...]
    level: int
    value: Decimal
    relaxed: Decimal
    pool: Price
    bound: Decimal
    objective: Decimal
    gap: Decimal
    curves: tuple[Curve, ...] = ()
    overrides: tuple[Record, ...] = ()


def size_of(price: Price) -> float:
    """Return a price as a float, 0 where there is none."""
    return 0.0 if price is None else float(price)


def by_cost(lines: Sequence[PriceLine]) -> Iterator[PriceLine]:
    """Yield the lines that cost something, the dearest first."""
    yield from sorted((line for line in lines if line.cost > 0), key=lambda line: -line.cost)
