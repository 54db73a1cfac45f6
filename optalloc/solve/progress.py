"""What a solve says while it runs, and how it is told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

StopReason = Literal["time limit", "interrupted", "memory"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One moment of a solve: `best` and `bound` are in the unit of the objective, None while there is none."""

    phase: str
    best: float | None
    bound: float | None
    seconds: float

    @property
    def gap(self) -> float | None:
        """The relative gap, None while it is unknown."""
        if self.best is None or self.bound is None:
            return None
        distance = max(0.0, self.bound - self.best)
        return distance / abs(self.best) if self.best else (0.0 if distance == 0 else None)


Listener = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Listen to nothing."""


@dataclass
class Watch:
    """The clock of one solve and the word to stop. Shared by every solver run of it; times are in seconds.

    The time limit is that of each search, or of all of them `together`.
    """

    time_limit: float | None = None
    listener: Listener = silent
    phase: str = "solving"
    began: float = field(default_factory=time.monotonic)
    stopped: StopReason | None = None
    overrun: bool = False
    best: float | None = None
    bound: float | None = None
    together: bool = False

    def left(self) -> float:
        """Return how much time is left, inf without a limit."""
        if self.time_limit is None:
            return float("inf")
        return self.time_limit - (time.monotonic() - self.began)

    def stop(self, reason: StopReason) -> None:
        """Ask every run to end; the first reason stays."""
        if self.stopped is None:
            self.stopped = reason

    def must_stop(self) -> bool:
        """Return whether runs must end now, and note a time limit that has passed."""
        if self.stopped is None and self.left() <= 0:
            self.stop("time limit")
        return self.stopped is not None

    def again(self, phase: str) -> None:
        """Begin another search, under the same limit; a stop by hand or for want of memory stays."""
        self.phase, self.overrun, self.best, self.bound = phase, False, None, None
        if self.together:
            return
        self.began = time.monotonic()
        if self.stopped == "time limit":
            self.stopped = None

    def tell(self, best: float | None = None, bound: float | None = None) -> None:
        """Tell the listener where the solve stands; what is not given stays as it was."""
        self.best = best if self.best is None or (best is not None and best > self.best) else self.best
        self.bound = self.bound if bound is None else bound
        self.listener(Progress(self.phase, self.best, self.bound, time.monotonic() - self.began))
