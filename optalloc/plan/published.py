"""The certificate as a plan's manifest states it: a bound, and the prices it is said to follow from.

Whatever stands there is read as it is; whether it is right is for `certificate` to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

#: No honest price or bound has more characters, or is so large or small; a fraction of one would fill the memory.
_LONGEST = 400


class NotStated(ValueError):
    """Something in a stated certificate cannot be followed; the message says what."""


@dataclass(frozen=True, slots=True)
class SourcePrices:
    """The prices of one source in one year, in objective units for each unit of money.

    `amount` is that of its amount, `carry` of its carry-over, `least` of what it must spend at least.
    """

    amount: Decimal
    carry: Decimal
    least: Decimal


@dataclass(frozen=True, slots=True)
class Published:
    """A stated certificate: the bound, and its prices by rule and member, by source and year.

    A rule's price is in objective units for each unit of its left side. A row that is stated twice is in `twice`;
    `labels_agree` says whether the lists by label, which people read, say the same.
    """

    bound: Decimal
    rules: Mapping[tuple[str, str | None], Decimal]
    sources: Mapping[tuple[str, int | None], SourcePrices]
    twice: tuple[str, ...] = ()
    labels_agree: bool = True


def published_of(manifest: Mapping[str, object]) -> Published | None:
    """Return the certificate that a manifest states; None where it states none.

    Raises:
        NotStated: it cannot be read.
    """
    stated = manifest.get("certificate")
    if stated is None:
        return None
    if not isinstance(stated, dict):
        raise NotStated("no list of prices")
    rules: dict[tuple[str, str | None], Decimal] = {}
    sources: dict[tuple[str, int | None], SourcePrices] = {}
    rules_by_label: dict[str, Decimal] = {}
    sources_by_label: dict[str, tuple[Decimal, ...]] = {}
    twice = []
    for row in _rows(stated, "rule_prices"):
        rule, member = row.get("rule"), row.get("member")
        if not isinstance(rule, str) or not isinstance(member, str | None):
            raise NotStated(f"a price of rule {rule!r}, member {member!r}")
        label = rule if member is None else f"{rule} [{member}]"
        if (rule, member) in rules:
            twice.append(label)
        rules[rule, member] = _number(row.get("price"), f"price of {label}")
        if rules[rule, member]:
            rules_by_label[label] = rules[rule, member]
    for row in _rows(stated, "source_prices"):
        source, year = row.get("source"), row.get("year")
        if not isinstance(source, str) or not isinstance(year, int | None):
            raise NotStated(f"prices of source {source!r}, year {year!r}")
        label = source if year is None else f"{source}@{year}"
        if (source, year) in sources:
            twice.append(label)
        prices = tuple(_number(row.get(price), f"{price} price of {label}") for price in ("amount", "carry", "least"))
        sources[source, year], sources_by_label[label] = SourcePrices(*prices), prices
    return Published(
        bound=_number(stated.get("bound"), "the bound"),
        rules=rules,
        sources=sources,
        twice=tuple(twice),
        labels_agree=_same(stated.get("rules"), rules_by_label) and _same(stated.get("sources"), sources_by_label),
    )


def _rows(stated: Mapping[str, object], name: str) -> Iterator[Mapping[str, object]]:
    rows = stated.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise NotStated(f"no list {name}")
    yield from rows


def _same(by_label: object, due: Mapping[str, Decimal] | Mapping[str, tuple[Decimal, ...]]) -> bool:
    """Return whether a table by label has these prices."""
    if not isinstance(by_label, dict):
        return False
    found = {
        label: tuple(_number(text, label) for text in prices) if isinstance(prices, list) else _number(prices, label)
        for label, prices in by_label.items()
    }
    return found == due


def _number(text: object, name: str) -> Decimal:
    """Return an exact decimal written as text."""
    try:
        value = Decimal(text) if isinstance(text, str) and len(text) <= _LONGEST else Decimal("nan")
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or abs(value.adjusted()) > _LONGEST:
        raise NotStated(f"{name}: {str(text)[:40]!r}")
    return value
