"""What a problem is said in: its severity and its texts in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Wording:
    """A problem's severity and texts; `{gaps}` are filled from the problem's details."""

    severity: Literal["error", "warning"]
    expected: Mapping[str, str]
    message: Mapping[str, str]


def error(expected: str, message: str, expected_zh: str, message_zh: str) -> Wording:
    """Return the wording of a mistake."""
    return Wording("error", {"en": expected, "zh": expected_zh}, {"en": message, "zh": message_zh})


def warning(expected: str, message: str, expected_zh: str, message_zh: str) -> Wording:
    """Return the wording of a suspicion."""
    return Wording("warning", {"en": expected, "zh": expected_zh}, {"en": message, "zh": message_zh})
