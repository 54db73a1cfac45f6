"""The wording of every problem, English and Chinese side by side, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from integrated_fund.wording import Wording
from integrated_fund.wordings_checks import CHECKS
from integrated_fund.wordings_reading import READING

#: Every wording by code: those of reading a workbook and those of the checks on a round.
WORDINGS: Mapping[str, Wording] = MappingProxyType({**READING, **CHECKS})
