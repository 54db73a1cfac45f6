"""Wordings of what the checks find in a round."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from integrated_fund.wording import Wording, error

CHECKS: Mapping[str, Wording] = MappingProxyType(
    {
        "unknown_reference": error(
            "one of the {known}",
            "There is no such {what}. {hint}",
            "{known}之一",
            "没有这个{what}。{hint}",
        ),
    }
)
