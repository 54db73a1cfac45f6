"""The digest of a round: the same for the same content, wherever it was saved and in whatever order its rows stand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from integrated_fund.round import Round, Selection

#: Fields that say where something stands, not what it is.
_PLACES = frozenset({"origin", "settings"})

_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode


def round_digest(round_: Round) -> str:
    """Return the SHA-256 of a round's content, without origins, rows sorted. The order of the sources is left out.

    Numbers go by value (1 and 1.0 are one), a blank cell is the same as a column that is not there.
    """
    parts = {name: _table(getattr(round_, name)) for name in _content(Round)}
    return hashlib.sha256(_canonical(parts).encode()).hexdigest()


@cache
def _content(kind: type[Any]) -> tuple[str, ...]:
    """Return the fields of a dataclass that say what something is."""
    return tuple(field.name for field in fields(kind) if field.name not in _PLACES)


def _table(value: Any) -> Any:
    """Return a sheet's rows as sorted texts; anything else as it is."""
    return sorted(_canonical(_plain(row)) for row in value) if isinstance(value, tuple) else _plain(value)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Decimal):
        return _shown(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Selection):
        return [sorted(value.include), sorted(value.exclude)]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"a round holds no {type(value).__name__}")
    return {name: _plain(getattr(value, name)) for name in _content(type(value))}


def _shown(exact: Decimal) -> str:
    """Return a number as text, one spelling for each value."""
    text = format(exact, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
