"""The digest of a plan's decisions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from optalloc.plan.plan import Payment


def plan_digest(payments: Iterable[Payment]) -> str:
    """Return the SHA-256 of the payments, sorted, amounts as exact decimal text."""
    rows = sorted(
        [
            row.project,
            row.option or "",
            "" if row.start is None else str(row.start),
            row.region,
            "" if row.year is None else str(row.year),
            row.source,
            f"{row.amount.normalize():f}",
        ]
        for row in payments
    )
    return hashlib.sha256(json.dumps(rows, ensure_ascii=True).encode()).hexdigest()
