"""The digest of a round: the same for the same content, wherever it was saved and in whatever order its rows stand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from json.encoder import encode_basestring_ascii as _quoted
from types import NoneType
from typing import Any

from integrated_fund.round import Round, Selection

#: Fields that say where something stands, not what it is.
_PLACES = frozenset({"origin", "settings"})

#: Rows that are hashed at once: the whole text of a large round would take as much memory as the round.
_ROWS = 10_000


def round_digest(round_: Round) -> str:
    """Return the SHA-256 of a round's content, without origins, rows sorted. The order of the sources is left out.

    Hashed is JSON with sorted keys and no blanks; a sheet's rows are JSON texts in it. Numbers go by value (1 and 1.0
    are one), a blank cell is the same as a column that is not there.
    """
    texts = _Texts()
    digest = hashlib.sha256()
    for before, name in zip(_before_each(), _content(Round), strict=False):
        value = getattr(round_, name)
        digest.update(f"{before}{_quoted(name)}:".encode())
        if isinstance(value, tuple):
            rows = sorted(map(texts.of, value))
            for first in range(0, len(rows), _ROWS):
                digest.update(f"{',' if first else '['}{','.join(map(_quoted, rows[first : first + _ROWS]))}".encode())
            digest.update(b"]" if rows else b"[]")
        else:
            digest.update(texts.of(value).encode())
    digest.update(b"}")
    return digest.hexdigest()


def _before_each() -> Iterable[str]:
    yield "{"
    while True:
        yield ","


def _content(kind: type[Any]) -> list[str]:
    """Return the fields of a dataclass that say what something is, sorted."""
    return sorted(field.name for field in fields(kind) if field.name not in _PLACES)


class _Texts:
    """Canonical JSON texts of values; a number's is made once."""

    def __init__(self) -> None:
        self._numbers: dict[Decimal, str] = {}
        self._of: dict[type, Callable[[Any], str]] = {
            str: _quoted,
            Decimal: self._number,
            NoneType: lambda _: "null",
            tuple: lambda values: f"[{','.join(map(self.of, values))}]",
            int: str,
            bool: lambda flag: "true" if flag else "false",
            Selection: lambda value: self.of((tuple(sorted(value.include)), tuple(sorted(value.exclude)))),
        }

    def of(self, value: Any) -> str:
        """Return the text of a value that a round may hold."""
        kind = type(value)
        make = self._of.get(kind)
        if make is None:
            if isinstance(value, Mapping):
                make = self._mapping
            elif is_dataclass(kind):
                make = self._rows_of(kind)
            else:
                raise TypeError(f"a round holds no {kind.__name__}")
            self._of[kind] = make
        return make(value)

    def _number(self, exact: Decimal) -> str:
        text = self._numbers.get(exact)
        if text is None:
            text = self._numbers[exact] = f'"{_shown(exact)}"'
        return text

    def _mapping(self, value: Mapping[str, Any]) -> str:
        of = self.of
        items = [f"{_quoted(key)}:{of(value[key])}" for key in sorted(value) if value[key] is not None]
        return "{" + ",".join(items) + "}"

    def _rows_of(self, kind: type[Any]) -> Callable[[Any], str]:
        keys = [(name, f"{_quoted(name)}:") for name in _content(kind)]
        of = self.of
        return lambda row: "{" + ",".join([key + of(getattr(row, name)) for name, key in keys]) + "}"


def _shown(exact: Decimal) -> str:
    """Return a number as text, one spelling for each value."""
    text = format(exact, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
