"""The watch of a part of a longer study: it has seconds of its own, and ends with the whole."""

from __future__ import annotations

from dataclasses import dataclass

from optalloc.solve.progress import Progress, Watch


@dataclass
class InnerWatch(Watch):
    """A watch inside another one. What the part finds best, and its bounds, are not the whole study's."""

    outer: Watch | None = None

    @classmethod
    def of(cls, outer: Watch, seconds: float) -> InnerWatch:
        """Return a watch of at most so many seconds."""

        def listener(_: Progress) -> None:
            outer.tell()

        return cls(min(seconds, outer.left()), listener, outer.phase, outer=outer)

    def must_stop(self) -> bool:
        """Return whether runs must end now: the part's own time is up, or the whole study is told to stop."""
        if self.outer is not None and self.outer.must_stop() and self.outer.stopped is not None:
            self.stop(self.outer.stopped)
        return super().must_stop()
