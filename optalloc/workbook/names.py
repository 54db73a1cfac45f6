"""Names as people type them: folded for comparison, and the nearest known one for a slip."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable


def fold(text: str) -> str:
    """Return a name for comparison: NFKC, no invisible characters, trimmed, without case."""
    if text.isascii():
        return text.strip().casefold()
    normal = unicodedata.normalize("NFKC", text)
    return "".join(c for c in normal if unicodedata.category(c) != "Cf").strip().casefold()


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like `name`, if any does."""
    by_folded = {fold(candidate): candidate for candidate in known}
    found = difflib.get_close_matches(fold(name), list(by_folded), n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def heading_name(text: str) -> str:
    """Return a heading for comparison: folded, runs of blanks as one underscore."""
    return "_".join(fold(text).split())


def near_miss(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` is most likely a slip of: a few letters off in a name of four or more."""
    folded = heading_name(name)
    if len(folded) < 4:
        return None
    allowed = max(1, len(folded) // 4)
    letters = set(folded)
    best: tuple[int, str] | None = None
    for candidate in known:
        other = heading_name(candidate)
        # Each edit mends one letter at most: most names are out before they are compared.
        if abs(len(other) - len(folded)) > allowed or len(letters.difference(other)) > allowed:
            continue
        found = (distance(folded, other), candidate)
        if found[0] <= allowed and (best is None or found < best):
            best = found
    return None if best is None else best[1]


def distance(one: str, other: str) -> int:
    """Return how many letters are inserted, left out, changed or swapped (F. Damerau, CACM 7, 1964)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
