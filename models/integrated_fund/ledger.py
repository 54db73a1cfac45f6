r"""The round as a ledger: choices that post lines, measures that weigh them, totals that add them up.

A **choice** is a project in one option with one start year. It posts a **line** for each region's share and each year
of its profile. A **measure** gives a choice a value

    v[j] = constant[j] · accepted[j] + slope[j] · x[j]        (x in whole steps)

and a line a weight, so that a **total** over selected lines is linear in the decisions:

    total[measure, lines] = Σ_{l in lines} weight[l] · v[choice of l]

All values are exact, in the round's unit, and stand in columns: `Fraction` and `Choice` are made when one is asked for.
Choices are sorted by project, option and start, so the ledger does not depend on the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from integrated_fund import measures
from integrated_fund.choices import Choice, Choices, Codes, Mask
from integrated_fund.dimensions import CARRIER, Carrier, Dimensions
from integrated_fund.exact_column import ExactColumn, Floats
from integrated_fund.measures import Measure, MeasureKey
from integrated_fund.patterns import Patterns
from integrated_fund.round import EVERYTHING, Filter, Round

__all__ = ["ONE", "ZERO", "Choice", "Choices", "Codes", "Floats", "Ledger", "Mask", "Measure", "MeasureKey"]

ONE = Fraction(1)
ZERO = Fraction(0)


class Ledger:
    """The lines of a round that `check` finds no error in. Built once; nothing in it changes.

    Attributes:
        choices: all (project, option, start) in sorted order; mandatory and excluded projects included.
        low, high: smallest and largest award of each choice in whole steps, shape (choices,).
        is_block_grant: whether a choice has nothing to accept, shape (choices,).
        project_of: position in `projects` of each choice, shape (choices,); never falls.
        choices_of, lines_of: the numbers of a project's choices (by its name) and of a choice's lines.
        line_bounds: the lines of choice j are line_bounds[j] … line_bounds[j + 1] - 1, shape (choices + 1,).
        line_choice, line_region, line_year: codes by line, shape (lines,).
        share: exact part of the award that falls on each line.
        dimensions: the values of sectors, categories, …
    """

    def __init__(self, round_: Round) -> None:
        self.round = round_
        self.step = Fraction(round_.step)
        self.regions = tuple(sorted(region.region for region in round_.regions))
        self.years: tuple[int | None, ...] = round_.year_numbers
        self.choices = Choices(round_)
        self.projects = self.choices.projects
        self.choices_of: Mapping[str, range] = _ChoicesOf(self.choices)
        self.low: Codes = self.choices.low
        self.high: Codes = self.choices.high
        self.is_block_grant: Mask = self.choices.is_block_grant
        self.project_of: Codes = self.choices.project_of
        self._post_lines()
        self.dimensions = Dimensions(round_, self.projects, self.regions, self.years)
        self._measures: dict[MeasureKey, Measure] = {}

    def with_round(self, round_: Round) -> Ledger:
        """Return this ledger for a round that differs in amounts of sources and bounds of rules alone."""
        ledger = copy(self)
        ledger.round = round_
        return ledger

    def _post_lines(self) -> None:
        """Post the lines of every choice: those of one project differ in choice and start only."""
        region_code = {region: code for code, region in enumerate(self.regions)}
        number_of: dict[tuple[tuple[tuple[str, Decimal], ...], tuple[Decimal, ...]], int] = {}
        spread_of_project = np.array(
            [number_of.setdefault((project.regions, project.profile), len(number_of)) for project in self.projects],
            dtype=np.int64,
        )
        # How a project spreads over regions and years, one after the other: the few there are, or one for each.
        regions: list[int] = []
        years: list[int] = []
        shares: list[Fraction] = []
        parts: list[Decimal] = []
        ends = [0]
        products: dict[tuple[Decimal, Decimal], Fraction] = {}
        for spreading, profile in number_of:
            for region, part in spreading:
                for year, fraction in enumerate(profile):
                    if (part, fraction) not in products:
                        products[part, fraction] = Fraction(part) * Fraction(fraction)
                    regions.append(region_code[region])
                    years.append(year)
                    shares.append(products[part, fraction])
                    parts.append(part)
            ends.append(len(regions))
        begin = np.array(ends, dtype=np.int64)
        spread = spread_of_project[self.project_of]
        count = begin[spread + 1] - begin[spread]
        self.line_bounds: Codes = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(count)])
        self.line_choice: Codes = np.repeat(np.arange(len(self.choices)), count)
        origin = np.arange(len(self.line_choice)) + np.repeat(begin[spread] - self.line_bounds[:-1], count)
        self.line_region: Codes = np.array(regions, dtype=np.int64)[origin]
        offset = np.array(years, dtype=np.int64)[origin]
        self.line_year: Codes = self.choices.start_of[self.line_choice] + offset
        self.share = ExactColumn.of(shares).take(origin)
        self._part = ExactColumn.of_decimals(parts).take(origin)
        self._year_of_project: npt.NDArray[np.int32] = offset.astype(np.int32)
        self.lines_of: Sequence[range] = _LinesOf(self.line_bounds)

    def lines_of_choices(self, choices: Codes) -> tuple[Codes, Codes]:
        """Return the lines of some choices, in their order, and for each line the place of its choice among them."""
        count = self.line_bounds[choices + 1] - self.line_bounds[choices]
        place = np.repeat(np.arange(len(choices)), count)
        first = np.cumsum(count) - count
        return np.arange(len(place)) + np.repeat(self.line_bounds[choices] - first, count), place

    @cached_property
    def patterns(self) -> Patterns:
        """What the round's filters can tell apart."""
        return Patterns(
            self.round, self.dimensions, self.project_of[self.line_choice], self.line_region, self.line_year
        )

    @property
    def pattern_of_line(self) -> npt.NDArray[np.int32]:
        """The pattern of each line, shape (lines,)."""
        return self.patterns.of_line

    def lines(self, filter_: Filter = EVERYTHING) -> Mask:
        """Return which lines pass a filter, shape (lines,)."""
        passing: dict[Carrier, Mask] = {}
        for dimension, selection in filter_.by.items():
            mask = self.dimensions.passing(dimension, selection)[self.dimensions.codes[dimension]]
            carrier = CARRIER[dimension]
            passing[carrier] = passing[carrier] & mask if carrier in passing else mask
        lines = np.ones(len(self.line_choice), dtype=np.bool_)
        if "project" in passing:
            lines &= passing["project"][self.project_of][self.line_choice]
        if "region" in passing:
            lines &= passing["region"][self.line_region]
        if "year" in passing:
            lines &= passing["year"][self.line_year]
        return lines

    def measure(self, key: MeasureKey) -> Measure:
        """Return a measure by its key; made once.

        Raises:
            KeyError: no project has a column of that name.
        """
        if key not in self._measures:
            self._measures[key] = self._make_measure(key)
        return self._measures[key]

    def _make_measure(self, key: MeasureKey) -> Measure:
        if key.name == "accepted":
            return measures.accepted(self.choices, self._counted_once(key.years))
        if key.name == "award":
            return measures.award(self.choices, self.step, self.share)
        return measures.column(self.choices, key, self.share)

    def _counted_once(self, years: frozenset[int] | None) -> ExactColumn:
        """Return line weights that count a project once in each region, in the first of `years` it runs in (any)."""
        if years is None:
            return self._part.times((self._year_of_project == 0).astype(np.int64))
        runs = np.array([year in years for year in self.years], dtype=np.bool_)[self.line_year]
        counted = np.cumsum(runs)
        first = np.arange(len(runs)) - self._year_of_project  # of the same choice and region
        before = np.where(first > 0, counted[first - 1], 0)
        return self._part.times((runs & (counted == before + 1)).astype(np.int64))


class _ChoicesOf(Mapping[str, range]):
    """The numbers of the choices of each project, by name."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices

    def __getitem__(self, project: str) -> range:
        return self._choices.of(project)

    def __iter__(self) -> Iterator[str]:
        return iter(self._choices.number_of)

    def __len__(self) -> int:
        return len(self._choices.number_of)


class _LinesOf(Sequence[range]):
    """The numbers of the lines of each choice."""

    def __init__(self, bounds: Codes) -> None:
        self._bounds = bounds

    @overload
    def __getitem__(self, choice: int | np.integer[Any]) -> range: ...
    @overload
    def __getitem__(self, choice: slice) -> list[range]: ...
    def __getitem__(self, choice: int | np.integer[Any] | slice) -> range | list[range]:
        if isinstance(choice, slice):
            return [self[each] for each in range(*choice.indices(len(self)))]
        number = range(len(self))[choice]
        return range(int(self._bounds[number]), int(self._bounds[number + 1]))

    def __len__(self) -> int:
        return len(self._bounds) - 1
