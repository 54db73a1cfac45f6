"""Where an internal error is written down, so that it can be reported without showing it to everybody."""

from __future__ import annotations

import os
import tempfile
import traceback


def remember(error: BaseException) -> str:
    """Write the traceback to a new temporary file; return a sentence that says where."""
    text = "".join(traceback.format_exception(error))
    try:
        handle, name = tempfile.mkstemp(prefix="optalloc-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return f"The details could not be written down; in short: {type(error).__name__}."
    return f"Please send {name} to whoever maintains it."
