"""A mistake (or a suspicion) in a round: what it is, where it stands, and its words in either language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from integrated_fund.messages import WORDINGS
from integrated_fund.round import Place

Severity = Literal["error", "warning"]
Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `code` names its wording in `messages.py`; `details` fills the wording's `{gaps}`.

    `found` is the cell's content as text (escaped for display by whoever prints it), empty where nothing stood there.
    """

    code: str
    place: Place | None
    found: str = ""
    details: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def severity(self) -> Severity:
        """error or warning, by the code."""
        return WORDINGS[self.code].severity

    def expected(self, language: Language = "en") -> str:
        """What should stand there."""
        return WORDINGS[self.code].expected[language].format_map(self.details)

    def message(self, language: Language = "en") -> str:
        """What is wrong and how to mend it, one or two sentences."""
        return WORDINGS[self.code].message[language].format_map(self.details)
