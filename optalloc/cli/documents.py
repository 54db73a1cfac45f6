"""What `--json` prints: each document as plain JSON values, by the schemas in `optalloc/schemas`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from integrated_fund.problem import Language, Problem
    from optalloc.plan.plan import Plan
    from optalloc.plan.price_report import Change, Price, PriceLine, PriceReport
    from optalloc.plan.verify import Verification

Document = dict[str, Any]

#: Entries of a list that are printed at once.
_ENTRIES = 10_000


def number(value: Decimal | None) -> int | float | None:
    """Return a number that JSON shows with the same digits: whole ones without a point."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def print_document(document: Document) -> None:
    """Print one document on standard output, ASCII only, so that any terminal and any program takes it.

    Entries of lists stand one on a line; they are printed as they are made, however many there are.
    """
    encode = json.JSONEncoder().encode
    before = "{"
    for key, value in document.items():
        sys.stdout.write(f"{before}\n {encode(key)}: ")
        before = ","
        if isinstance(value, list) and value:
            opening = "["
            for first in range(0, len(value), _ENTRIES):
                entries = ",\n  ".join(map(encode, value[first : first + _ENTRIES]))
                sys.stdout.write(f"{opening}\n  {entries}")
                opening = ","
            sys.stdout.write("\n ]")
        else:
            sys.stdout.write(encode(value))
    sys.stdout.write("\n}\n" if document else "{}\n")


def problems_of(problems: Sequence[Problem], language: Language) -> list[Document]:
    """Return problems as in the `check` document."""
    return [
        {
            "severity": problem.severity,
            "sheet": None if problem.place is None else problem.place.sheet,
            "cell": None if problem.place is None else problem.place.cell,
            "found": problem.found,
            "expected": problem.expected(language),
            "message": problem.message(language),
        }
        for problem in problems
    ]


_SOLVE = ("status", "objective", "bound", "gap", "criteria", "awards", "rules", "sources", "seconds", "manifest")


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    """Return times as documents state them."""
    return {step: round(value, 3) for step, value in seconds.items()}


def without_plan(status: str, **known: object) -> Document:
    """Return the `solve` document of a round without a plan: everything unknown is null, a proven bound is not."""
    return {**dict.fromkeys(_SOLVE), "status": status, **known}


def plan_document(plan: Plan, seconds: dict[str, float]) -> Document:
    """Return the `solve` document of a plan."""
    years: dict[tuple[str, str | None, int | None], dict[str, Decimal]] = {}
    sources: dict[tuple[str, str | None, int | None], dict[str, Decimal]] = {}
    for payment in plan.payments:
        key = (payment.project, payment.option, payment.start)
        by_source = sources.setdefault(key, {})
        by_source[payment.source] = by_source.get(payment.source, Decimal(0)) + payment.amount
        if payment.year is not None:
            by_year = years.setdefault(key, {})
            by_year[str(payment.year)] = by_year.get(str(payment.year), Decimal(0)) + payment.amount
    awards = []
    for award in plan.awards:
        key = (award.project, award.option, award.start)
        awards.append(
            {
                "project": award.project,
                "option": award.option,
                "start": award.start,
                "award": number(award.award),
                "years": {year: number(part) for year, part in sorted(years[key].items())} if key in years else None,
                "sources": {source: number(part) for source, part in sources.get(key, {}).items()},
            }
        )
    return {
        "status": plan.status,
        "objective": number(plan.objective),
        "bound": number(plan.bound),
        "gap": number(plan.gap),
        "criteria": {name: number(value) for name, value in plan.criteria.items()},
        "awards": awards,
        "rules": [
            {
                "rule": line.rule,
                "member": line.member,
                "activity": number(line.activity),
                "bound": number(line.bound),
                "sense": line.sense,
                "slack": number(line.slack),
                "violation": number(line.violation),
            }
            for line in plan.rules
        ],
        "sources": [
            {
                "source": line.source,
                "year": line.year,
                "amount": number(line.amount),
                "used": number(line.used),
                "carried": number(line.carried),
            }
            for line in plan.sources
        ],
        "seconds": seconds,
        "manifest": dict(plan.manifest),
    }


def price(value: Price) -> int | float | str | None:
    """Return a price as documents state it: "inf" and "-inf" where no plan lies on a side."""
    return value if isinstance(value, str) else number(value)


def _change(change: Change | None) -> Document | None:
    if change is None:
        return None
    return {
        "low": price(change.low),
        "high": price(change.high),
        "found": price(change.found),
        "criteria": {name: number(value) for name, value in change.criteria.items()},
        "enters": list(change.enters),
        "leaves": list(change.leaves),
    }


def _price_row(line: PriceLine) -> Document:
    # Who enters and leaves is of one more; where there is no such round, of one less.
    shown = line.change_more or line.change_less
    return {
        "rule": line.rule,
        "member": line.member,
        "kind": line.kind,
        "sense": line.sense,
        "typed": number(line.typed),
        "activity": number(line.activity),
        "bound": number(line.bound),
        "slack": number(line.slack),
        "dual": number(line.dual),
        "price_more": price(line.price_more),
        "price_less": price(line.price_less),
        "valid_from": number(line.valid_from),
        "valid_to": number(line.valid_to),
        "decided_more": price(line.decided_more),
        "decided_less": price(line.decided_less),
        "point_more": price(line.point_more),
        "point_less": price(line.point_less),
        "point_money": number(line.point_money),
        "exchange_rate": number(line.exchange_rate),
        "step": number(line.step),
        "change_more": _change(line.change_more),
        "change_less": _change(line.change_less),
        "enters": [] if shown is None else list(shown.enters),
        "leaves": [] if shown is None else list(shown.leaves),
        "says": line.says,
        "sentence": line.sentence,
    }


def without_prices(problems: list[Document]) -> Document:
    """Return the `prices` document of a workbook with errors."""
    return {**dict.fromkeys(_PRICES), "status": "invalid", "problems": problems}


_PRICES = ("status", "level", "objective", "relaxed", "pool", "rows", "certificate", "seconds", "manifest")


def prices_document(report: PriceReport, plan: Plan, seconds: dict[str, float]) -> Document:
    """Return the `prices` document: rows in the order of rules, sources and links."""
    return {
        "status": plan.status,
        "level": report.level + 1,
        "objective": number(report.value),
        "relaxed": number(report.relaxed),
        "pool": price(report.pool),
        "rows": [_price_row(line) for line in report.lines],
        "certificate": {
            "bound": number(report.bound),
            "objective": number(report.objective),
            "gap": number(report.gap),
        },
        "seconds": seconds,
        "manifest": dict(plan.manifest),
    }


def verification_document(verification: Verification) -> Document:
    """Return the `verify` document."""
    return {
        "ok": verification.ok,
        "checks": [
            {"check": check.check, "holds": check.holds, "found": check.found, "expected": check.expected}
            for check in verification.checks
        ],
    }
