"""The digest of a round: the same for the same content, wherever it was saved and in whatever order its rows stand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from integrated_fund.round import Filter, Origin, Round, Selection

#: Fields that say where something stands, not what it is.
_PLACES = frozenset({"origin", "settings"})


def round_digest(round_: Round) -> str:
    """Return the SHA-256 of a round's content, without origins, rows sorted. The order of the sources is left out."""
    text = json.dumps(_plain(round_), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Selection):
        return [sorted(value.include), sorted(value.exclude)]
    if isinstance(value, Filter):
        return {dimension: _plain(selection) for dimension, selection in value.by.items()}
    if isinstance(value, Round):
        return {field.name: _table(getattr(value, field.name)) for field in fields(value) if field.name not in _PLACES}
    if is_dataclass(value) and not isinstance(value, Origin):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value) if field.name not in _PLACES}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _table(value: Any) -> Any:
    """Return a sheet's rows sorted by their own text; anything else as it is."""
    if isinstance(value, tuple):
        return sorted((_plain(row) for row in value), key=lambda row: json.dumps(row, sort_keys=True))
    return _plain(value)
