"""Wordings of what is found while a workbook is read into a round."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from integrated_fund.wording import Wording

READING: Mapping[str, Wording] = MappingProxyType({})
