"""Example rounds, as plain tables: everything in them but the provinces' public statistics is invented."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from optalloc.examples.national import national
from optalloc.examples.small import small
from optalloc.workbook.grid import Tables

#: The examples by name; each call makes new tables.
EXAMPLES: Mapping[str, Callable[[], Tables]] = MappingProxyType({"small": small, "national": national})
