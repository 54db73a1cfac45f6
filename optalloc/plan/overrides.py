"""Overrides: projects that somebody puts into the plan, or keeps out of it, whatever the optimum says.

An override is a change of the round (the project's status), so the ledger, the model, the judge, the certificate and
the verification see it alike; and it stands in the plan's manifest with who, why, when and what it costs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, TypeVar

from integrated_fund.round import Round, Status

Kind = Literal["force", "forbid"]

#: What an override makes of a project's status, whatever it is in the workbook.
_STATUS: Mapping[Kind, Status] = MappingProxyType({"force": "mandatory", "forbid": "excluded"})
_KINDS: Mapping[str, Kind] = MappingProxyType({"force": "force", "forbid": "forbid"})
_STATUSES: Mapping[str, Status] = MappingProxyType(
    {"candidate": "candidate", "mandatory": "mandatory", "excluded": "excluded"}
)
_Choice = TypeVar("_Choice")


def _today() -> dt.date:
    return dt.datetime.now().astimezone().date()


@dataclass(frozen=True, slots=True)
class Override:
    """A project forced into the plan or forbidden in it: `by` whom, for what `reason`, `on` which day."""

    project: str
    kind: Kind
    by: str
    reason: str
    on: dt.date = field(default_factory=_today)

    @property
    def status(self) -> Status:
        """The status the project has with the override."""
        return _STATUS[self.kind]


@dataclass(frozen=True, slots=True)
class Cost:
    """What overrides take off the objective, in its unit: proven to be from `low` to `high`, and as `found`.

    `found` is the difference between the best plans that were found; None stands for what is not known.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    found: Decimal | None = None

    def facts(self) -> dict[str, float | None]:
        """Return the cost as JSON values."""
        parts = {"low": self.low, "high": self.high, "found": self.found}
        return {name: None if value is None else float(value) for name, value in parts.items()}


UNKNOWN = Cost()


@dataclass(frozen=True, slots=True)
class Record:
    """An override as a manifest has it: with the project's status in the workbook, and what it alone costs."""

    override: Override
    status: Status
    cost: Cost = UNKNOWN

    @property
    def against_workbook(self) -> bool:
        """Whether the workbook says the opposite: mandatory and forbidden, or excluded and forced."""
        return self.status not in ("candidate", self.override.status)

    def facts(self) -> dict[str, object]:
        """Return the record as JSON values."""
        one = self.override
        return {
            "project": one.project,
            "kind": one.kind,
            "status": self.status,
            "by": one.by,
            "reason": one.reason,
            "on": one.on.isoformat(),
            "cost": self.cost.facts(),
        }


@dataclass(frozen=True, slots=True)
class Without:
    """The best plan and the bound that were found without any override, and what all overrides cost together."""

    objective: Decimal | None = None
    bound: Decimal | None = None
    cost: Cost = UNKNOWN


def overridden(round_: Round, overrides: Iterable[Override]) -> Round:
    """Return the round with the overrides applied; those of projects it does not have change nothing."""
    status = {one.project: one.status for one in overrides}
    if not status:
        return round_
    projects = tuple(
        replace(project, status=status[project.project]) if project.project in status else project
        for project in round_.projects
    )
    return replace(round_, projects=projects)


class BadRecord(ValueError):
    """The overrides of a manifest cannot be followed; the text says why."""


def records_of(manifest: Mapping[str, object]) -> tuple[Record, ...]:
    """Return the overrides that a manifest has on record.

    Raises:
        BadRecord: they are not as they were written.
    """
    entries = manifest.get("overrides", [])
    if not isinstance(entries, list):
        raise BadRecord("no list")
    records = tuple(_record(entry) for entry in entries)
    if len({record.override.project for record in records}) < len(records):
        raise BadRecord("a project twice")
    return records


def without_of(manifest: Mapping[str, object]) -> Without:
    """Return what a manifest knows of the round without its overrides.

    Raises:
        BadRecord: it is not as it was written.
    """
    entry = manifest.get("without_overrides")
    if entry is None:
        return Without()
    if not isinstance(entry, Mapping):
        raise BadRecord("what is known without overrides is missing")
    return Without(_number(entry.get("objective")), _number(entry.get("bound")), _cost(entry))


def _record(entry: object) -> Record:
    if not isinstance(entry, Mapping):
        raise BadRecord(f"{str(entry)[:40]!r} is no override")
    project, by, reason = (_text(entry, name) for name in ("project", "by", "reason"))
    on = _text(entry, "on")
    try:
        day = dt.date.fromisoformat(on)
    except ValueError as error:
        raise BadRecord(f"{on[:40]!r} is no date") from error
    one = Override(project, _one_of(entry, "kind", _KINDS), by, reason, day)
    return Record(one, _one_of(entry, "status", _STATUSES), _cost(entry))


def _text(entry: Mapping[str, object], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadRecord(f"{name} is missing")
    return value


def _one_of(entry: Mapping[str, object], name: str, known: Mapping[str, _Choice]) -> _Choice:
    value = _text(entry, name)
    if value not in known:
        raise BadRecord(f"{name} is {value[:40]!r}, not one of {', '.join(known)}")
    return known[value]


def _cost(entry: Mapping[str, object]) -> Cost:
    cost = entry.get("cost")
    if not isinstance(cost, Mapping):
        raise BadRecord("cost is missing")
    return Cost(*(_number(cost.get(name)) for name in ("low", "high", "found")))


def _number(value: object) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRecord(f"{str(value)[:40]!r} is no cost")
    return Decimal(format(value, ".15g"))
