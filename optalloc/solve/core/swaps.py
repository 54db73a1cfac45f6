r"""Better acceptances by up to three moves at a time, guided by the basis of the completion.

A **move** gives a project another of its choices, or none, or linked projects another decision that keeps their
links. A sweep looks at all pairs of the most gainful moves, and at
a third move for the best pairs, in arrays: the gain at the duals less what it costs that basic variables pass their
bounds (`completion`). What looks better is tried, with one re-solve of the awards; where it is not, the costs of the
passed bounds were too low and are raised, so a sweep learns where the basis ends. Sweeps end at a local optimum; from
there some moves are made at random, and the sweeps begin again (iterated local search: H. R. Lourenço, O. Martin,
T. Stützle, 2003). Rows still missed get dearer each time (P. Morris, The breakout method, 1993). The random numbers
are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from optalloc.solve.arrays import Vector
from optalloc.solve.core.completion import Completion, Matrix, Moves, Tableau
from optalloc.solve.core.groups import Mask
from optalloc.solve.progress import Watch

#: Moves that a sweep combines, and pairs that are tried with a third.
MOVES = 800
PAIRS = 200
#: A sweep is given up after so many failures in a row.
FAILURES = 40
SWEEPS = 30
#: So many are enough while a row is missed: what they gain is lost again when it gets dearer.
SWEEPS_MENDING = 3
#: Moves of a kick, drawn from so many of the least loss.
KICK = 4
KICKED = 300
SEED = 1
#: A change counts from this share of a typical project's benefit on.
LEAST = 2e-5
#: Rows missed by more than this share of what they hold are missed.
MISSED = 1e-9
DEARER = 3.0
DEARER_TIMES = 16
#: So often that alone is tried, then with a kick.
DEARER_ALONE = 8


@dataclass(frozen=True)
class _Ranked:
    """The most gainful moves, in order of gain, and what each adds to the basic variables, shape (moves, basic)."""

    moves: Moves
    gain: Vector
    change: Matrix


class _Room:
    """How far the basic variables may still go, one side after the other, and what passing costs."""

    def __init__(self, tableau: Tableau, change: Matrix) -> None:
        # Three moves together cannot pass a bound further away than this.
        reach = 3 * np.abs(change).max(axis=0, initial=0.0)
        self.above = np.flatnonzero(tableau.room_above < reach)
        self.below = np.flatnonzero(tableau.room_below < reach)
        self.room = np.concatenate([tableau.room_above[self.above], tableau.room_below[self.below]])
        self.cost = np.concatenate([tableau.cost_above[self.above], tableau.cost_below[self.below]])
        self.change: Matrix = np.ascontiguousarray(np.hstack([change[:, self.above], -change[:, self.below]]))

    def passed(self) -> float:
        """Return what passing bounds costs as it is."""
        return float(np.maximum(-self.room, 0.0) @ self.cost)

    def beyond(self, change: Matrix) -> Matrix:
        """Return by how much each bound would be passed after changes, shape (…, sides)."""
        beyond = change - self.room
        return np.asarray(np.maximum(beyond, 0.0, out=beyond))

    def priced(self, beyond: Matrix) -> Vector:
        """Return what it costs. A sum in a fixed order: the same on every machine and with every number of threads."""
        return np.asarray(np.einsum("ij,j->i", beyond, self.cost))

    def learn(self, before: Vector, after: Vector, missing: float) -> None:
        """Raise the costs of the bounds that were passed, so that they account for `missing` more."""
        more = np.maximum(after - before, 0.0)
        passed = more > 1e-12
        paid = float(more @ self.cost)
        if paid > 0:
            self.cost[passed] *= min(4.0, (paid + missing) / paid)
        elif passed.any():
            self.cost[passed] = missing / float(more.sum())


class SwapSearch:
    """Local search over the acceptances of a core, from those of its completion."""

    def __init__(self, completion: Completion, watch: Watch) -> None:
        self.completion, self.watch = completion, watch
        self.least = LEAST * completion.pricing.typical
        self._draw = np.random.Generator(np.random.PCG64(SEED))
        self._objective = completion.objective
        self.best = completion.value.copy()
        self._best_missed = completion.misses()

    def plans(self, kicks: int, starts: Iterable[Vector] = ()) -> Iterator[Vector]:
        """Yield a completed point of the core whenever the best decisions that miss no row are better than before.

        `starts` are other decisions to begin at. Ends after so many kicks in a row that brought nothing better, or
        when the watch says stop.
        """
        completion = self.completion
        self._descend()
        yield from self._kept()
        for start in starts:
            completion.go_to(start)
            self._descend()
            yield from self._kept_if_better()
        vain = 0
        while vain < kicks and not self.watch.must_stop():
            self._kick()
            self._descend()
            before = self._objective
            yield from self._kept_if_better()
            vain = 0 if self._objective > before else vain + 1

    def _kept_if_better(self) -> Iterator[Vector]:
        """Keep the decisions if they are better than the best, also once what they miss is mended."""
        completion = self.completion
        if completion.objective > self._objective + self.least:
            before, kept_all = (self.best, self._objective, self._best_missed), self.keeps_all
            found = list(self._kept(least=self._objective if kept_all else -np.inf))
            if found or not kept_all:
                yield from found
                return
            # What misses a row is not better than what keeps all.
            self.best, self._objective, self._best_missed = before
        completion.go_to(self.best)

    def _kept(self, least: float = -np.inf) -> Iterator[Vector]:
        """Keep the decisions as the best, and mend what they miss while they are worth more than `least`.

        Mended ones are yielded at once, and again when sweeps have ended.
        """
        completion = self.completion
        self._keep()
        mended = False
        for time in range(DEARER_TIMES):
            if self.keeps_all or self._objective <= least or self.watch.must_stop():
                break
            completion.weigh(np.where(self._best_missed > 0, DEARER, 1.0))
            if time >= DEARER_ALONE:
                self._kick()
            self._descend(SWEEPS_MENDING)
            self._keep()
            mended = True
        if mended and self.keeps_all and self._objective > least:
            yield completion.point()
            self._descend()
            self._keep()
        if self.keeps_all and self._objective > least:
            yield completion.point()

    def _keep(self) -> None:
        self.best, self._objective = self.completion.value.copy(), self.completion.objective
        self._best_missed = self.completion.misses()

    @property
    def keeps_all(self) -> bool:
        """Whether the best acceptances miss no row."""
        size = np.maximum(1.0, np.abs(self.completion.activity))
        return not (self._best_missed > MISSED * size).any()

    def _descend(self, sweeps: int = SWEEPS) -> None:
        """Sweep until nothing gets better, so many times at most."""
        for _ in range(sweeps):
            self.watch.tell()
            if self.watch.must_stop() or not self._sweep():
                return

    def _ranked(self, tableau: Tableau, count: int) -> _Ranked:
        moves = self.completion.moves()
        gain = moves.delta @ tableau.gain
        order = np.argsort(-gain, kind="stable")[:count]
        moves = moves.take(order)
        return _Ranked(moves, gain[order], np.asarray(moves.delta @ tableau.change))

    def _sweep(self) -> bool:
        """Try the best combinations of moves; return whether one was better."""
        self.completion.refresh()
        tableau = self.completion.tableau()
        ranked = self._ranked(tableau, MOVES)
        room = _Room(tableau, ranked.change)
        free = np.ones(len(ranked.gain), dtype=np.bool_)
        better = False
        failures = 0
        pairs: list[tuple[float, int, int]] = []
        for first in range(len(ranked.gain)):
            if 2 * ranked.gain[first] <= self.least and first > 0:
                break  # from here on no pair gains
            while free[first] and failures < FAILURES:
                score, second = self._best_with(ranked, room, free, (first,), first)
                if score <= self.least:
                    pairs.append((score, first, second))
                    break
                if self._try(ranked, room, free, (first,) if second < 0 else (first, second), score):
                    better, failures = True, 0
                else:
                    failures += 1
            if failures >= FAILURES or (first % 50 == 0 and self.watch.must_stop()):
                return better
        pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
        for _, first, second in pairs[:PAIRS]:
            if second < 0 or not (free[first] and free[second]):
                continue
            score, third = self._best_with(ranked, room, free, (first, second), 0)
            if score > self.least and third >= 0:
                if self._try(ranked, room, free, (first, second, third), score):
                    better, failures = True, 0
                else:
                    failures += 1
            if failures >= FAILURES:
                return better
        return better

    def _best_with(
        self, ranked: _Ranked, room: _Room, free: Mask, chosen: tuple[int, ...], begin: int
    ) -> tuple[float, int]:
        """Return the best score of some moves alone or with one more behind `begin`, and which (-1: alone)."""
        together = room.change[list(chosen)].sum(axis=0)
        gain = float(ranked.gain[list(chosen)].sum()) + room.passed()
        alone = gain - float(room.priced(room.beyond(together[None, :]))[0])
        # No other move gains enough beyond this one: gains fall.
        end = int(np.searchsorted(-ranked.gain, gain - self.least))
        if end <= begin:
            return alone, -1
        score = ranked.gain[begin:end] + gain - room.priced(room.beyond(room.change[begin:end] + together))
        score[~free[begin:end]] = -np.inf
        project = ranked.moves.project
        for move in chosen:
            score[project[begin:end] == project[move]] = -np.inf
        best = int(np.argmax(score))
        return (float(score[best]), begin + best) if score[best] > alone else (alone, -1)

    def _try(self, ranked: _Ranked, room: _Room, free: Mask, chosen: tuple[int, ...], score: float) -> bool:
        """Make some moves if the completion is better with them, else learn from it."""
        completion = self.completion
        before = completion.objective
        tried = list(chosen)
        delta = np.asarray(ranked.moves.delta[tried].sum(axis=0), dtype=np.float64).ravel()
        together = room.change[tried].sum(axis=0)
        value = completion.change(delta)
        if value > before + self.least:
            room.room -= together
            free[np.isin(ranked.moves.project, ranked.moves.project[tried])] = False
            return True
        completion.undo(delta, before)
        room.learn(
            np.maximum(-room.room, 0.0), np.maximum(together - room.room, 0.0), max(0.0, score - (value - before))
        )
        return False

    def _kick(self) -> None:
        """Make some moves of little loss at random."""
        moves = self._ranked(self.completion.tableau(), KICKED).moves
        count = len(moves.project)
        drawn = self._draw.choice(count, size=min(KICK, count), replace=False)
        drawn = drawn[np.unique(moves.project[drawn], return_index=True)[1]]
        self.completion.change(np.asarray(moves.delta[drawn].sum(axis=0), dtype=np.float64).ravel())
