"""The rule texts read a second time, for verification: what funded projects count for, line by line, added up exactly.

Nothing here is shared with the ledger or the model. A line is a funded project in one of its regions and years. Lines
are kept as columns of whole numbers, so that a million of them are added up at once; no sum is rounded.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from integrated_fund.round import Basis, Dimension, Filter, Option, Project, Round, Selection

ZERO = Fraction(0)

#: Decimal arithmetic that is exact or fails.
EXACT = Context(prec=5000, traps=[Inexact])

#: Shares of a column that have up to six more decimals than it are added up together, others one by one.
_MORE = 10**6

Codes = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
#: Whole numbers of any size.
Exact = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Funded:
    """A project as the plan funds it. `start` is a year, or None in a round that names none."""

    project: Project
    option: Option | None
    start: int | None
    award: Decimal

    @property
    def max_award(self) -> Decimal:
        """The largest award of the chosen option."""
        return self.project.max_award if self.option is None else self.option.max_award

    @property
    def min_award(self) -> Decimal:
        """The smallest award of the chosen option; all of it where the cell is blank."""
        least = self.project.min_award if self.option is None else self.option.min_award
        return self.max_award if least is None else least

    def column(self, name: str) -> Decimal:
        """Return a numeric column: the option's own figure, else the project's, else 0."""
        own = None if self.option is None else self.option.measures.get(name)
        value = self.project.measures.get(name) if own is None else own
        return value or Decimal(0)

    def years(self) -> Iterator[tuple[int | None, Decimal]]:
        """Yield each year the project runs in, zero years too, with its part."""
        for offset, part in enumerate(self.project.profile):
            yield (None if self.start is None else self.start + offset), part


class Coded:
    """A column of values as numbers of its distinct ones."""

    def __init__(self, values: Sequence[Hashable]) -> None:
        numbers: dict[Any, int] = {value: number for number, value in enumerate(dict.fromkeys(values))}
        self.values: list[Any] = list(numbers)
        self.codes: Codes = np.array([numbers[value] for value in values], dtype=np.intp)

    def where(self, passes: Sequence[bool]) -> Flags:
        """Return which rows have a value that passes."""
        return np.array(passes, dtype=bool)[self.codes]


class Candidates:
    """The projects of a round by what filters ask of them, in the order of the round."""

    def __init__(self, round_: Round) -> None:
        rows = round_.projects
        self.number = {row.project: number for number, row in enumerate(rows)}
        self.sector = Coded([row.sector for row in rows])
        self.category = Coded([row.category for row in rows])
        self.institution = Coded([row.institution for row in rows])
        self.tags = Coded([row.tags for row in rows])

    def passing(self, filter_: Filter) -> Flags:
        """Return which projects pass what a filter asks of projects, regions and years apart."""
        passing = np.ones(len(self.number), dtype=bool)
        for dimension, selection in filter_.by.items():
            if dimension == "tag":
                passing &= self.tags.where([selection.passes_any(tags) for tags in self.tags.values])
            elif dimension in ("sector", "category", "institution"):
                column = self.of(dimension)
                passing &= column.where([selection.passes(value) for value in column.values])
        return passing

    def of(self, dimension: Dimension) -> Coded:
        """Return the column of a dimension that projects have one value of."""
        columns: dict[Dimension, Coded] = {
            "sector": self.sector,
            "category": self.category,
            "institution": self.institution,
        }
        return columns[dimension]


class Lines:
    """The lines of funded projects as columns, one after the other in the order of projects, regions and years."""

    def __init__(self, round_: Round, candidates: Candidates, funded: Sequence[Funded]) -> None:
        self.funded = funded
        self._candidates = candidates
        self._number = np.array([candidates.number[one.project.project] for one in funded], dtype=np.intp)
        self._belt_of = {region.region: region.belt for region in round_.regions}
        self._sums: dict[tuple[str, Basis | None], _Weights] = {}
        # Most projects have the regions, the profile and the start of many others.
        pattern = Coded([(one.project.regions, one.project.profile, one.start) for one in funded])
        lines = [_pattern_lines(*key) for key in pattern.values]
        length = np.array([len(rows) for rows in lines], dtype=np.intp)
        count = length[pattern.codes] if len(funded) else np.zeros(0, dtype=np.intp)
        self.owner: Codes = np.repeat(np.arange(len(funded)), count)
        within = np.arange(len(self.owner)) - np.repeat(np.cumsum(count) - count, count)
        flat = [row for rows in lines for row in rows]
        begin = np.cumsum(length) - length
        self._at: Codes = begin[pattern.codes[self.owner]] + within if len(self.owner) else within
        self._region = Coded([row[0] for row in flat])
        self._belt = Coded([self._belt_of[row[0]] for row in flat])
        self._year = Coded([row[1] for row in flat])
        part = np.array([row[2] for row in flat], dtype=np.intp)
        new = np.ones(len(self.owner), dtype=bool)
        if len(new):
            new[1:] = (self.owner[1:] != self.owner[:-1]) | (part[self._at[1:]] != part[self._at[:-1]])
        #: Which project and region a line belongs to.
        self._place: Codes = np.cumsum(new)
        self._shares, self._share_scale = _whole([row[3] for row in flat])
        self._parts, self._part_scale = _whole([row[4] for row in flat])

    def total(
        self,
        measure: str,
        basis: Basis | None,
        filter_: Filter,
        discount: Mapping[int | None, Fraction] | None = None,
    ) -> Fraction:
        """Return a measure added up over the lines that pass a filter, each year at its discount factor (1 without).

        A project counts as accepted once in each region, in the first year that counts.
        """
        chosen, members, _ = self.counted(measure, filter_)
        weights = self._weights(measure, basis)
        if discount is None:
            return weights.sums(chosen, members, 1)[0]
        sums = weights.sums(chosen, self.year_codes(chosen), len(self.years))
        return sum((discount[year] * found for year, found in zip(self.years, sums, strict=True)), ZERO)

    def totals(self, measure: str, basis: Basis | None, filter_: Filter, each: Dimension) -> dict[str | None, Fraction]:
        """Return a measure added up over the lines that pass a filter, for each value of a dimension that they have.

        A line counts for each tag of its project. With `each` year, a project counts as accepted in each of its years.
        """
        chosen, members, names = self.counted(measure, filter_, each)
        sums = self._weights(measure, basis).sums(chosen, members, len(names))
        return dict(zip(names, sums, strict=True))

    def counted(
        self, measure: str, filter_: Filter, each: Dimension | None = None
    ) -> tuple[Codes, Codes, list[str | None]]:
        """Return the lines that count for a measure, once for each value of `each` they have, with the value's number.

        The third list has the values by number; without `each` it is one None.
        """
        chosen = self._passing(filter_)
        if measure == "accepted" and each != "year":
            chosen = self._first(chosen)
        if each is None:
            return chosen, np.zeros(len(chosen), dtype=np.intp), [None]
        return self._members(chosen, each)

    @property
    def years(self) -> list[int | None]:
        """The years of the lines, by number."""
        return self._year.values

    def year_codes(self, chosen: Codes) -> Codes:
        """Return the number of each chosen line's year."""
        return self._year.codes[self._at[chosen]]

    @cached_property
    def has_money(self) -> Flags:
        """Which lines an award pays anything to."""
        parts, _ = self._parts_of("award")
        return np.array([part != 0 for part in parts], dtype=bool)[self._at]

    def worth(self, measure: str, basis: Basis | None, prices: Exact, scale: int) -> list[Fraction]:
        """Return what each funded project's value of a measure is worth, all its lines together.

        `prices` are those of one unit on each line, in whole multiples of 1 / scale, shape (lines,).
        """
        if not self.funded:
            return []
        numbers, value_scale, others = self._values(measure, basis)
        parts, part_scale = self._parts_of(measure)
        first = np.flatnonzero(np.diff(self.owner, prepend=-1))
        per_unit = np.add.reduceat(np.array(parts, dtype=object)[self._at] * prices, first).tolist()
        unit, whole = scale * part_scale, scale * part_scale * value_scale
        found = [
            Fraction(number * price, whole) if number and price else ZERO
            for number, price in zip(numbers, per_unit, strict=True)
        ]
        for at, value in others.items():
            found[at] = value * Fraction(per_unit[at], unit)
        return found

    def _passing(self, filter_: Filter) -> Codes:
        passing = self._candidates.passing(filter_)[self._number][self.owner]
        columns: dict[Dimension, Coded] = {"region": self._region, "belt": self._belt, "year": self._year}
        for dimension, column in columns.items():
            selection = filter_.by.get(dimension)
            if selection is not None:
                passing &= column.where([_passes(selection, dimension, value) for value in column.values])[self._at]
        return np.flatnonzero(passing)

    def _first(self, chosen: Codes) -> Codes:
        """Return the first of the chosen lines of each project in each region."""
        places = self._place[chosen]
        first = np.ones(len(chosen), dtype=bool)
        first[1:] = places[1:] != places[:-1]
        return chosen[first]

    def _members(self, chosen: Codes, each: Dimension) -> tuple[Codes, Codes, list[str | None]]:
        """Return the chosen lines once for each value they have, the values' numbers, and the values by number."""
        if each in ("region", "belt", "year"):
            column = {"region": self._region, "belt": self._belt, "year": self._year}[each]
            return chosen, column.codes[self._at[chosen]], [str(value) for value in column.values]
        projects = self._number[self.owner[chosen]]
        if each != "tag":
            column = self._candidates.of(each)
            return chosen, column.codes[projects], column.values
        sets = [list(dict.fromkeys(tags)) for tags in self._candidates.tags.values]
        tag = Coded([name for names in sets for name in names])
        length = np.array([len(names) for names in sets], dtype=np.intp)
        of_line = self._candidates.tags.codes[projects]
        count = length[of_line]
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        at = np.repeat((np.cumsum(length) - length)[of_line], count) + within
        return np.repeat(chosen, count), tag.codes[at], tag.values

    def _weights(self, measure: str, basis: Basis | None) -> _Weights:
        key = (measure, basis)
        if key not in self._sums:
            numbers, scale, others = self._values(measure, basis)
            parts, part_scale = self._parts_of(measure)
            self._sums[key] = _Weights(numbers, parts, others, scale * part_scale, part_scale, self.owner, self._at)
        return self._sums[key]

    def _parts_of(self, measure: str) -> tuple[list[int], int]:
        """Return which part of a project's value falls on a line, by pattern, as whole multiples of 1 / scale."""
        if measure == "accepted":
            return self._shares, self._share_scale
        parts = [share * part for share, part in zip(self._shares, self._parts, strict=True)]
        return parts, self._share_scale * self._part_scale

    def _values(self, measure: str, basis: Basis | None) -> tuple[list[int], int, dict[int, Fraction]]:
        """Return what each project counts for, as whole multiples of 1 / scale, and those that are none by number."""
        if measure == "accepted":
            return [0 if one.project.is_block_grant else 1 for one in self.funded], 1, {}
        if measure == "award":
            return *self._awards, {}
        numbers, scale = _whole([one.column(measure) for one in self.funded])
        in_proportion = measure == "cofunding" or basis == "award"
        awards, award_scale = self._awards
        others: dict[int, Fraction] = {}
        for at, one in enumerate(self.funded):
            full = one.max_award
            if one.award == full or not (in_proportion or one.project.is_block_grant):
                numbers[at] *= _MORE
                continue
            exact = Fraction(numbers[at] * awards[at], award_scale) / Fraction(full)
            if _MORE % exact.denominator == 0:
                numbers[at] = int(exact * _MORE)
            else:
                numbers[at], others[at] = 0, exact / scale
        return numbers, scale * _MORE, others

    @cached_property
    def _awards(self) -> tuple[list[int], int]:
        return _whole([one.award for one in self.funded])


class _Weights:
    """What each line counts for a measure: its project's value times its part, ready to be added up exactly.

    The whole numbers are cut into pieces of so few bits that doubles add up any selection of them without rounding.
    """

    def __init__(
        self,
        values: list[int],
        parts: list[int],
        others: dict[int, Fraction],
        scale: int,
        part_scale: int,
        owner: Codes,
        at: Codes,
    ) -> None:
        self._scale = scale
        most = max((abs(value) for value in values), default=0) * max((abs(part) for part in parts), default=0)
        kind: type = np.int64 if most < 2**62 else object
        weights: npt.NDArray[Any] = np.array(values, dtype=kind)[owner] * np.array(parts, dtype=kind)[at]
        self._bits = 51 - len(weights).bit_length()
        pieces = 1 + most.bit_length() // self._bits
        self._pieces: list[Floats] = []
        for _ in range(pieces - 1):
            self._pieces.append((weights & ((1 << self._bits) - 1)).astype(np.float64))
            weights = weights >> self._bits
        self._pieces.append(weights.astype(np.float64))
        self._others = others
        self._is_other: Flags = np.zeros(len(values), dtype=bool)
        self._is_other[list(others)] = True
        self._parts, self._part_scale, self._owner, self._at = parts, part_scale, owner, at

    def sums(self, chosen: Codes, groups: Codes, count: int) -> list[Fraction]:
        """Return the sum of the chosen lines in each of so many groups; `groups` has the number of each line's."""
        found = [0] * count
        for number, piece in enumerate(self._pieces):
            added = np.bincount(groups, piece[chosen], minlength=count)
            for group in np.flatnonzero(added).tolist():
                found[group] += int(added[group]) << (number * self._bits)
        sums = [Fraction(numerator, self._scale) if numerator else ZERO for numerator in found]
        if self._others:
            for group, more in self._sums_of_others(chosen, groups).items():
                sums[group] += more
        return sums

    def _sums_of_others(self, chosen: Codes, groups: Codes) -> dict[int, Fraction]:
        """Return the sums of the values that are fractions, those of one denominator first."""
        which = np.flatnonzero(self._is_other[self._owner[chosen]])
        numerators: dict[tuple[int, int], int] = {}
        for line, group in zip(chosen[which].tolist(), groups[which].tolist(), strict=True):
            value = self._others[int(self._owner[line])]
            key = (group, value.denominator)
            numerators[key] = numerators.get(key, 0) + value.numerator * self._parts[int(self._at[line])]
        sums: dict[int, Fraction] = {}
        for (group, denominator), numerator in numerators.items():
            sums[group] = sums.get(group, ZERO) + Fraction(numerator, denominator * self._part_scale)
        return sums


def passes(filter_: Filter, project: Project, region: str, belt: str, year: int | None) -> bool:
    """Return whether a line of a project passes a filter."""
    values: dict[Dimension, str | None] = {
        "sector": project.sector,
        "category": project.category,
        "institution": project.institution,
        "region": region,
        "belt": belt,
    }
    for dimension, selection in filter_.by.items():
        if dimension == "tag":
            if not selection.passes_any(project.tags):
                return False
        elif dimension == "year":
            if not _passes(selection, dimension, year):
                return False
        elif not selection.passes(values[dimension]):
            return False
    return True


def _passes(selection: Selection, dimension: Dimension, value: str | int | None) -> bool:
    """Return whether a value passes; a line without a year passes whatever the years are."""
    return (dimension == "year" and value is None) or selection.passes(None if value is None else str(value))


def _pattern_lines(
    regions: Sequence[tuple[str, Decimal]], profile: Sequence[Decimal], start: int | None
) -> list[tuple[str, int | None, int, Decimal, Decimal]]:
    """Return region, year, number of the region, share of the region and part of the year of each line."""
    return [
        (region, None if start is None else start + offset, number, share, part)
        for number, (region, share) in enumerate(regions)
        for offset, part in enumerate(profile)
    ]


def _whole(values: Sequence[Decimal]) -> tuple[list[int], int]:
    """Return decimals as whole multiples of 1 / scale, and the scale."""
    distinct = set(values)
    places = 0
    for value in distinct:
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)
        places = max(places, -exponent)
    numbers = {value: int(EXACT.scaleb(value, places)) for value in distinct}
    return [numbers[value] for value in values], 10**places
