r"""Better acceptances by changing up to three projects at a time, guided by the basis of the completion.

A **move** gives a project another of its choices, or none. A sweep looks at all pairs of the most gainful moves, and at
a third move for the best pairs, in arrays: the gain at the duals less what it costs that basic variables pass their
bounds (`completion`). What looks better is tried, with one re-solve of the awards; where it is not, the costs of the
passed bounds were too low and are raised, so a sweep learns where the basis ends. Sweeps end at a local optimum; from
there some moves are made at random, and the sweeps begin again (iterated local search: H. R. Lourenço, O. Martin,
T. Stützle, 2003). Rows still missed get dearer each time (P. Morris, The breakout method, 1993). The random numbers
are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optalloc.solve.arrays import Vector
from optalloc.solve.completion import Completion, Matrix, Tableau
from optalloc.solve.groups import Codes, Mask
from optalloc.solve.progress import Watch

#: Moves that a sweep combines, and pairs that are tried with a third.
MOVES = 800
PAIRS = 200
#: A sweep is given up after so many failures in a row.
FAILURES = 40
SWEEPS = 30
#: Moves of a kick, drawn from so many of the least loss.
KICK = 4
KICKED = 300
SEED = 1
#: A change counts from this share of a typical project's benefit on.
LEAST = 2e-5
#: Rows missed by more than this share of what they hold are missed.
MISSED = 1e-9
DEARER = 3.0
DEARER_TIMES = 8


@dataclass(frozen=True)
class _Moves:
    """Moves in order of gain: `leaves` and `enters` are units, -1 where there is none; all of shape (moves,)."""

    project: Codes
    leaves: Codes
    enters: Codes
    gain: Vector


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

    def __init__(self, completion: Completion, must: Mask, typical: float, watch: Watch) -> None:
        """`must` says which projects must be accepted, shape (projects,)."""
        self.completion, self.must, self.watch = completion, must, watch
        self.least = LEAST * typical
        self._draw = np.random.Generator(np.random.PCG64(SEED))
        self._objective = completion.objective
        self.best = completion.chosen.copy()
        self._best_missed = completion.misses()
        self.sweeps = 0

    def plans(self, kicks: int) -> Iterator[Vector]:
        """Yield a completed point of the core whenever the best acceptances that miss no row are better than before.

        Ends after so many kicks in a row that brought nothing better, or when the watch says stop.
        """
        completion = self.completion
        self._descend()
        yield from self._kept()
        for _ in range(DEARER_TIMES):
            if self.keeps_all or self.watch.must_stop():
                break
            self._dearer()
            self._descend()
            yield from self._kept()
        vain = 0
        while vain < kicks and not self.watch.must_stop():
            self._kick()
            self._descend()
            if completion.objective > self._objective + self.least:
                vain = 0
                yield from self._kept()
                continue
            vain += 1
            completion.go_to(self.best)

    def _kept(self) -> Iterator[Vector]:
        completion = self.completion
        self.best, self._objective = completion.chosen.copy(), completion.objective
        self._best_missed = completion.misses()
        if self.keeps_all:
            yield completion.point()

    @property
    def keeps_all(self) -> bool:
        """Whether the best acceptances miss no row."""
        size = np.maximum(1.0, np.abs(self.completion.activity))
        return not (self._best_missed > MISSED * size).any()

    def _dearer(self) -> None:
        self.completion.weigh(np.where(self._best_missed > 0, DEARER, 1.0))
        self._objective = self.completion.objective

    def _descend(self) -> None:
        """Sweep until nothing gets better."""
        for _ in range(SWEEPS):
            if self.watch.must_stop() or not self._sweep():
                return

    def _moves(self, tableau: Tableau) -> _Moves:
        completion = self.completion
        current = np.full(int(completion.project.max(initial=-1)) + 1, -1, dtype=np.int64)
        current[completion.project[completion.chosen]] = np.flatnonzero(completion.chosen)
        enters = np.flatnonzero(completion.movable & ~completion.chosen)
        drops = np.flatnonzero(completion.movable & completion.chosen & ~self.must[completion.project])
        project = np.concatenate([completion.project[enters], completion.project[drops]])
        leaves = np.concatenate([current[completion.project[enters]], drops])
        enters = np.concatenate([enters, np.full(len(drops), -1, dtype=np.int64)])
        gain = _where(enters, tableau.gain) - _where(leaves, tableau.gain)
        order = np.argsort(-gain, kind="stable")[:MOVES]
        return _Moves(project[order], leaves[order], enters[order], gain[order])

    def _sweep(self) -> bool:
        """Try the best combinations of moves; return whether one was better."""
        completion = self.completion
        completion.refresh()
        tableau = completion.tableau()
        moves = self._moves(tableau)
        self.sweeps += 1
        if not len(moves.gain):
            return False
        change = _where(moves.enters, tableau.change) - _where(moves.leaves, tableau.change)
        room = _Room(tableau, change)
        free = np.ones(len(moves.gain), dtype=np.bool_)
        better = False
        failures = 0
        pairs: list[tuple[float, int, int]] = []
        for first in range(len(moves.gain)):
            if 2 * moves.gain[first] <= self.least and first > 0:
                break  # from here on no pair gains
            while free[first] and failures < FAILURES:
                score, second = self._best_with(moves, room, free, (first,), first)
                if score <= self.least:
                    pairs.append((score, first, second))
                    break
                tried = (first,) if second < 0 else (first, second)
                if self._try(moves, room, free, tried, score):
                    better, failures = True, 0
                else:
                    failures += 1
            if failures >= FAILURES or (first % 50 == 0 and self.watch.must_stop()):
                break
        pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
        for _, first, second in pairs[:PAIRS]:
            if second < 0 or not (free[first] and free[second]) or failures >= FAILURES:
                continue
            score, third = self._best_with(moves, room, free, (first, second), 0)
            if score > self.least and third >= 0:
                if self._try(moves, room, free, (first, second, third), score):
                    better, failures = True, 0
                else:
                    failures += 1
        return better

    def _best_with(
        self, moves: _Moves, room: _Room, free: Mask, chosen: tuple[int, ...], begin: int
    ) -> tuple[float, int]:
        """Return the best score of some moves alone or with one more behind `begin`, and which (-1: alone)."""
        together = room.change[list(chosen)].sum(axis=0)
        gain = float(moves.gain[list(chosen)].sum()) + room.passed()
        alone = gain - float(room.priced(room.beyond(together[None, :]))[0])
        # No other move gains enough beyond this one: gains fall.
        end = int(np.searchsorted(-moves.gain, gain - self.least))
        if end <= begin:
            return alone, -1
        score = moves.gain[begin:end] + gain - room.priced(room.beyond(room.change[begin:end] + together))
        score[~free[begin:end]] = -np.inf
        for move in chosen:
            score[moves.project[begin:end] == moves.project[move]] = -np.inf
        best = int(np.argmax(score))
        return (float(score[best]), begin + best) if score[best] > alone else (alone, -1)

    def _try(self, moves: _Moves, room: _Room, free: Mask, chosen: tuple[int, ...], score: float) -> bool:
        """Make some moves if the completion is better with them, else learn from it."""
        completion = self.completion
        before = completion.objective
        tried = list(chosen)
        leaves, enters = moves.leaves[tried], moves.enters[tried]
        leaves, enters = leaves[leaves >= 0], enters[enters >= 0]
        together = room.change[tried].sum(axis=0)
        value = completion.change(leaves, enters)
        if value > before + self.least:
            room.room -= together
            for move in tried:
                free[moves.project == moves.project[move]] = False
            return True
        completion.undo(leaves, enters, before)
        room.learn(
            np.maximum(-room.room, 0.0), np.maximum(together - room.room, 0.0), max(0.0, score - (value - before))
        )
        return False

    def _kick(self) -> None:
        """Make some moves of little loss at random."""
        moves = self._moves(self.completion.tableau())
        count = min(KICKED, len(moves.gain))
        drawn = self._draw.choice(count, size=min(KICK, count), replace=False)
        _, first = np.unique(moves.project[drawn], return_index=True)
        drawn = drawn[first]
        leaves, enters = moves.leaves[drawn], moves.enters[drawn]
        self.completion.change(leaves[leaves >= 0], enters[enters >= 0])


def _where(units: Codes, values: Matrix) -> Matrix:
    """Return the values of units, 0 where there is none."""
    found = values[np.maximum(units, 0)]
    found[units < 0] = 0.0
    return found
