"""ASCII names for rows and columns, as `.lp` and `.mps` files allow them, with a map back to the full ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_LENGTH = 80


def ascii_name(text: str) -> str:
    """Return `text` in letters, digits and `_`; anything else becomes `_` or, outside Latin scripts, `uXXXX`."""
    parts = []
    for character in unicodedata.normalize("NFKD", text):
        if character.isascii():
            parts.append(character if character.isalnum() else "_")
        elif not unicodedata.combining(character):
            parts.append(f"u{ord(character):04x}")
    name = re.sub(r"_+", "_", "".join(parts)).strip("_")
    return name[:_LENGTH] or "x"


def distinct_names(texts: Iterable[str]) -> list[str]:
    """Return one ASCII name for each text, in order; where two would be equal, later ones get a number."""
    taken: set[str] = set()
    names = []
    for text in texts:
        stem = name = ascii_name(text)
        number = 1
        while name.lower() in taken:  # .lp readers differ in whether case counts
            number += 1
            name = f"{stem}_{number}"
        taken.add(name.lower())
        names.append(name)
    return names
