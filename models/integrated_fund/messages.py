"""The wording of every problem, English and Chinese side by side, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Wording:
    """A problem's severity and texts; `{gaps}` are filled from the problem's details."""

    severity: Literal["error", "warning"]
    expected: Mapping[str, str]
    message: Mapping[str, str]


def _error(expected: str, message: str, expected_zh: str, message_zh: str) -> Wording:
    return Wording("error", {"en": expected, "zh": expected_zh}, {"en": message, "zh": message_zh})


def _warning(expected: str, message: str, expected_zh: str, message_zh: str) -> Wording:
    return Wording("warning", {"en": expected, "zh": expected_zh}, {"en": message, "zh": message_zh})


WORDINGS: Mapping[str, Wording] = MappingProxyType(
    {
        "unknown_reference": _error(
            "one of the {known}",
            "There is no such {what}. {hint}",
            "{known}之一",
            "没有这个{what}。{hint}",
        ),
    }
)
