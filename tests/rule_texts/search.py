"""Every decision vector of a small round that keeps rules, statuses and links, with what it is worth, in whole numbers.

All that is linear in the decisions is a row of integers by project and choice, added up along the enumeration; links,
synergies and penalties are looked at where a vector is complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import combinations
from math import lcm, prod
from operator import add

from tests.rule_texts.cells import Choice, World
from tests.rule_texts.judging import ZERO, added, levels_of, link_holds, members_of, needs_of, violation
from tests.rule_texts.paying import payable

Need = dict[tuple[int | None, frozenset[str]], Fraction]
#: A linear row: what each choice of each project adds, and a constant.
Row = tuple[list[list[Fraction]], Fraction]
#: A vector is the number of the choice of each project.
Vector = tuple[int, ...]


def _scale(numbers: Iterable[Fraction]) -> int:
    return lcm(*(number.denominator for number in numbers))


class Search:
    """A round laid out for enumeration.

    `choices[p]` are the ways to decide project p (None: nothing). `unit`: levels are whole multiples of 1/unit.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.choices: list[list[Choice | None]] = []
        for work in world.works:
            nothing: list[Choice | None] = [] if work.status == "mandatory" else [None]
            self.choices.append(nothing if work.status == "excluded" else [*nothing, *work.choices()])
        self.size = prod(len(ways) for ways in self.choices)
        self.needs: list[list[Need]] = [
            [{} if way is None else needs_of(world, work, way) for way in ways]
            for work, ways in zip(world.works, self.choices, strict=True)
        ]
        self._paid: dict[frozenset[tuple[tuple[int | None, frozenset[str]], Fraction]], bool] = {}
        hard, soft = self._rule_rows()
        hard += self._source_rows()
        levels = self._level_rows()
        bonuses = self._bonuses()
        entries = [x for row in [*(row for row, _, _ in soft), *levels] for x in self._entries(row)]
        scale = _scale([*entries, *(value for by_start in bonuses for value in by_start[2].values())])
        penalty_scale = _scale(penalty for _, _, penalty in soft)
        self.unit = scale * penalty_scale
        self._senses = [sense for _, sense in hard]
        self._soft = [(sense, int(penalty * penalty_scale)) for _, sense, penalty in soft]
        self._bonus = [
            (projects, level, {start: int(value * self.unit) for start, value in by_start.items()})
            for projects, level, by_start in bonuses
        ]
        scaled = [(row, _scale(self._entries(row))) for row, _ in hard]
        scaled += [(row, scale) for row, _, _ in soft] + [(row, self.unit) for row in levels]
        self._start = [int(row[1] * times) for row, times in scaled]
        self._columns = [
            [[int(row[0][p][c] * times) for row, times in scaled] for c in range(len(ways))]
            for p, ways in enumerate(self.choices)
        ]

    @staticmethod
    def _entries(row: Row) -> list[Fraction]:
        return [row[1], *(x for project in row[0] for x in project)]

    def _rule_rows(self) -> tuple[list[tuple[Row, str]], list[tuple[Row, str, Fraction]]]:
        hard: list[tuple[Row, str]] = []
        soft: list[tuple[Row, str, Fraction]] = []
        for limit in self.world.limits:
            for member in members_of(self.world, limit):
                table = []
                for work, ways in zip(self.world.works, self.choices, strict=True):
                    sides = [(ZERO, ZERO) if way is None else member.sides(self.world, work, way) for way in ways]
                    table.append([left - right for left, right in sides])
                if limit.penalty is None:
                    hard.append(((table, -member.constant), limit.sense))
                else:
                    soft.append(((table, -member.constant), limit.sense, limit.penalty))
        return hard, soft

    def _source_rows(self) -> list[tuple[Row, str]]:
        """Necessary conditions on sources, so that few vectors need the exact test.

        For each year and each set of sources: what only they may pay is at most what they can have by then, and what
        they may pay at all is at least what they must spend.
        """
        at = {(pool.name, pool.year): pool for pool in self.world.pools}
        have: dict[tuple[str, int | None], Fraction] = {}
        for year in self.world.years:
            for pool in self.world.pools:
                if pool.year == year:
                    last = (pool.name, None if year is None else year - 1)
                    brought = at[last].carry_over * have[last] if year is not None and last in at else ZERO
                    have[pool.name, year] = pool.amount + brought
        rows: list[tuple[Row, str]] = []
        for year in self.world.years:
            here = [pool for pool in self.world.pools if pool.year == year]
            for size in range(len(here) + 1):
                for group in combinations(here, size):
                    names = {pool.name for pool in group}
                    most = sum((have[name, year] for name in names), ZERO)
                    least = sum((pool.least * pool.amount for pool in group), ZERO)
                    captive = [[_captive(need, year, names) for need in ways] for ways in self.needs]
                    open_to = [[_open_to(need, year, names) for need in ways] for ways in self.needs]
                    rows += [((captive, -most), "<="), ((open_to, -least), ">=")]
        return rows

    def _level_rows(self) -> list[Row]:
        goals = {goal.name: goal for goal in self.world.goals}
        rows: list[Row] = []
        for names in levels_of(self.world):
            table = [[ZERO for _ in ways] for ways in self.choices]
            for p, (work, ways) in enumerate(zip(self.world.works, self.choices, strict=True)):
                for c, way in enumerate(ways):
                    for goal in (goals[name] for name in names if way is not None):
                        assert way is not None
                        worth = added(self.world, work, way, goal.measure, goal.basis, goal.where, True)
                        table[p][c] += goal.sign * goal.weight * worth
            rows.append((table, ZERO))
        return rows

    def _bonuses(self) -> list[tuple[list[int], int, dict[int | None, Fraction]]]:
        """Return synergies: projects by number, level, worth by the last start."""
        place = {work.name: number for number, work in enumerate(self.world.works)}
        goals = {goal.name: goal for goal in self.world.goals}
        level = {name: number for number, names in enumerate(levels_of(self.world)) for name in names}
        found = []
        for tie in self.world.ties:
            if tie.kind == "synergy" and tie.criterion is not None:
                worth = goals[tie.criterion].sign * goals[tie.criterion].weight * tie.value
                by_start = {year: worth * self.world.factor(year) for year in self.world.years}
                found.append(([place[name] for name in tie.projects], level[tie.criterion], by_start))
        return found

    def vectors(self) -> Iterator[tuple[tuple[int, ...], Vector]]:
        """Yield (levels in units, vector) where rules, statuses, links and the conditions above are kept."""
        count = len(self.choices)
        vector = [0] * count

        def descend(depth: int, sums: list[int]) -> Iterator[tuple[tuple[int, ...], Vector]]:
            if depth == count:
                levels = self._judge(sums, vector)
                if levels is not None:
                    yield levels, tuple(vector)
                return
            for number, column in enumerate(self._columns[depth]):
                vector[depth] = number
                yield from descend(depth + 1, list(map(add, sums, column)))

        yield from descend(0, self._start)

    def _judge(self, sums: list[int], vector: list[int]) -> tuple[int, ...] | None:
        if not all(map(_kept, self._senses, sums)):
            return None
        taken = [ways[number] for ways, number in zip(self.choices, vector, strict=True)]
        if self.world.ties:
            pairs = zip(self.world.works, taken, strict=True)
            accepted = frozenset(work.name for work, way in pairs if way is not None and not work.block)
            if not all(link_holds(tie, accepted) for tie in self.world.ties):
                return None
        hard, soft = len(self._senses), len(self._soft)
        levels = sums[hard + soft :]
        for (sense, penalty), residual in zip(self._soft, sums[hard : hard + soft], strict=True):
            levels[0] -= penalty * violation(sense, residual, 0)
        for projects, level, by_start in self._bonus:
            ways = [taken[p] for p in projects]
            if None not in ways:
                starts = [way.start for way in ways if way is not None and way.start is not None]
                levels[level] += by_start[max(starts, default=self.world.years[0])]
        return tuple(levels)

    def pays(self, vector: Vector) -> bool:
        """Return whether the sources can pay for a vector, exactly."""
        need: Need = {}
        for ways, number in zip(self.needs, vector, strict=True):
            for key, money in ways[number].items():
                need[key] = need.get(key, ZERO) + money
        asked = frozenset(need.items())
        if asked not in self._paid:
            self._paid[asked] = payable(self.world.pools, self.world.years, need)
        return self._paid[asked]


def _captive(need: Need, year: int | None, names: set[str]) -> Fraction:
    """Money that none but these sources may pay."""
    return sum((money for (when, able), money in need.items() if when == year and able <= names), ZERO)


def _open_to(need: Need, year: int | None, names: set[str]) -> Fraction:
    """Money that one of these sources may pay."""
    return sum((money for (when, able), money in need.items() if when == year and able & names), ZERO)


def _kept(sense: str, residual: int) -> bool:
    return residual <= 0 if sense == "<=" else residual >= 0 if sense == ">=" else residual == 0
