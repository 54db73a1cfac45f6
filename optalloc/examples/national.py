"""The national example: some 2,400 invented projects of 31 provinces, three pools, three years."""

from __future__ import annotations

from optalloc.examples.generator import generate
from optalloc.workbook.grid import Tables


def national() -> Tables:
    """Return the national round: money in 10,000 yuan, about two fifths of what is asked for."""
    return generate(projects=2400, seed=2027, tightness=0.5, rules=75)
