"""A plan: the decided ledger in exact amounts, and what it adds up to.

A plan is a plain value. It is made by `optalloc.solve`, written and read back by `optalloc.workbook`, and checked by
`optalloc.plan.verify`. It does not know Excel, the model or the solver. Money is in the round's unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Literal

from integrated_fund.round import NOWHERE, Origin, Sense

Status = Literal["optimal", "feasible", "infeasible", "unknown"]

#: Version of the plan workbook, the manifest and the JSON documents.
SCHEMA_VERSION = 1

#: A worksheet number carries 15 significant digits; so does everything a plan states.
DIGITS = 15
_FIFTEEN = Context(prec=DIGITS)


def stated(value: Fraction | Decimal | int) -> Decimal:
    """Return a value as a plan states it: exact where 15 significant digits hold it, else rounded to 15 (half even)."""
    exact = Fraction(value)
    number = _FIFTEEN.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    number = number.normalize(_FIFTEEN)
    # 1.2E+3 and 1200 are one number; a plan writes the second.
    return Decimal(f"{number:f}")


def stated_above(value: Fraction) -> Decimal:
    """Return a bound as a plan states it: as `stated`, but never below the value itself."""
    number = stated(value)
    return number if number >= value else number.next_plus(_FIFTEEN)


@dataclass(frozen=True, slots=True)
class Award:
    """What a project gets: the chosen option (None: its row on Projects), its start year, and its whole award."""

    project: str
    option: str | None
    start: int | None
    award: Decimal


@dataclass(frozen=True, slots=True)
class Payment:
    """One row of the Awards sheet: what one source pays to one project for one region in one year. Never 0."""

    project: str
    option: str | None
    start: int | None
    region: str
    year: int | None
    source: str
    amount: Decimal
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule member under the plan.

    `activity`, `bound`, `slack`, `violation` are in the measure's unit after multiplying out (a share rule's bound is
    the money it amounts to); slack and violation are never negative. `typed` is the bound as the workbook has it.
    """

    rule: str
    member: str | None
    sense: Sense
    activity: Decimal
    bound: Decimal
    slack: Decimal
    violation: Decimal
    typed: Decimal
    soft: bool = False
    sentence: str = ""
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source in one year: `carried` is what moves on to the next year, None in the last one."""

    source: str
    year: int | None
    amount: Decimal
    used: Decimal
    carried: Decimal | None
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Declined:
    """A project without money, and the one rule, source or link that alone keeps it out (None: several do)."""

    project: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its proof. `gap` is (bound - objective) / |objective|, never negative; 0 means proven.

    `bound` and `gap` are None where a search was stopped before it had any bound.

    `awards` has every accepted project and every block grant above 0, in order of project; `payments` add up to them.
    `manifest` holds JSON values only. `files` has the SHA-256, as found, of each file beside the plan workbook that
    rows were read from, by name.
    """

    status: Status
    objective: Decimal
    bound: Decimal | None
    gap: Decimal | None
    criteria: Mapping[str, Decimal]
    awards: tuple[Award, ...]
    payments: tuple[Payment, ...]
    rules: tuple[RuleLine, ...]
    sources: tuple[SourceLine, ...]
    declined: tuple[Declined, ...] = ()
    manifest: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
