r"""The round as a ledger: choices that post lines, measures that weigh them, totals that add them up.

A **choice** is a project in one option with one start year. It posts a **line** for each region's share and each year
of its profile. A **measure** gives a choice a value

    v[j] = constant[j] · accepted[j] + slope[j] · x[j]        (x in whole steps)

and a line a weight, so that a **total** over selected lines is linear in the decisions:

    total[measure, lines] = Σ_{l in lines} weight[l] · v[choice of l]

All values are exact (`Fraction`), in the round's unit. Choices are sorted by project, option and start, so the ledger
does not depend on the order of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from integrated_fund.round import EVERYTHING, Basis, Dimension, Filter, Option, Project, Round

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ONE = Fraction(1)
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Choice:
    """A project in one option (None: its row on Projects) with one start year (None in a round without years).

    `low` and `high` are in whole steps; `low == high` is all or nothing. A block grant has no accept decision.
    """

    project: Project
    option: str | None
    start: int | None
    low: int
    high: int
    measures: Mapping[str, Fraction]

    @property
    def is_block_grant(self) -> bool:
        """Whether there is nothing to accept."""
        return self.project.is_block_grant

    @property
    def is_all_or_nothing(self) -> bool:
        """Whether acceptance decides the award."""
        return not self.is_block_grant and self.low == self.high

    @property
    def key(self) -> tuple[str, str, int]:
        """The index of this choice in the model: project, option ("" for none), start (0 for none)."""
        return (self.project.project, self.option or "", self.start or 0)


@dataclass(frozen=True)
class Measure:
    """What is added up: values by choice (exact), weights by line (exact, as floats too)."""

    name: str
    constant: tuple[Fraction, ...]
    slope: tuple[Fraction, ...]
    weight: tuple[Fraction, ...]

    def value(self, choice: int, steps: int) -> Fraction:
        """Return the value of a funded choice with an award of so many steps."""
        return self.constant[choice] + self.slope[choice] * steps

    @cached_property
    def constant_floats(self) -> Floats:
        """The constants as floats, shape (choices,)."""
        return _floats(self.constant)

    @cached_property
    def slope_floats(self) -> Floats:
        """The slopes as floats, shape (choices,)."""
        return _floats(self.slope)

    @cached_property
    def weight_floats(self) -> Floats:
        """The weights as floats, shape (lines,)."""
        return _floats(self.weight)


def _floats(values: tuple[Fraction, ...]) -> Floats:
    return np.array([float(value) for value in values], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class MeasureKey:
    """Which measure: its name, how it counts, and for `accepted` the years a project must run in to count."""

    name: str
    basis: Basis | None = None
    years: frozenset[int] | None = None


def starts_of(project: Project, round_: Round) -> tuple[int | None, ...]:
    """Return the starts whose profile ends within the round's last year."""
    first = round_.first_year
    if first is None:
        return (None,)
    begin = project.start_from if project.start_from is not None else first
    end = project.start_to if project.start_to is not None else begin
    last = first + round_.years - len(project.profile)
    return tuple(range(begin, min(end, last) + 1))


class Ledger:
    """The lines of a round that `check` finds no error in. Built once; nothing in it changes.

    Attributes:
        choices: all (project, option, start) in sorted order; mandatory and excluded projects included.
        low, high: smallest and largest award of each choice in whole steps, shape (choices,).
        is_block_grant: whether a choice has nothing to accept, shape (choices,).
        project_of: position in `projects` of each choice, shape (choices,); never falls.
        line_choice, line_region, line_year: codes by line, shape (lines,).
        share: exact part of the award that falls on each line.
    """

    def __init__(self, round_: Round) -> None:
        self.round = round_
        self.step = Fraction(round_.step)
        self.projects = tuple(sorted(round_.projects, key=lambda p: p.project))
        self.regions = tuple(sorted(region.region for region in round_.regions))
        self.years: tuple[int | None, ...] = round_.year_numbers
        self.choices = tuple(self._all_choices())
        self.choices_of: dict[str, list[int]] = {project.project: [] for project in self.projects}
        for number, choice in enumerate(self.choices):
            self.choices_of[choice.project.project].append(number)
        self.low: Codes = np.array([choice.low for choice in self.choices], dtype=np.int64)
        self.high: Codes = np.array([choice.high for choice in self.choices], dtype=np.int64)
        self.is_block_grant: Mask = np.array([choice.is_block_grant for choice in self.choices], dtype=np.bool_)
        self.project_of: Codes = np.repeat(
            np.arange(len(self.projects)), [len(self.choices_of[project.project]) for project in self.projects]
        )
        self._post_lines()
        self._encode_dimensions()
        self._measures: dict[MeasureKey, Measure] = {}

    def _all_choices(self) -> list[Choice]:
        step = self.step
        measure_names = sorted({name for project in self.projects for name in project.measures})
        options: dict[str, list[Option]] = {}
        for option in self.round.options:
            options.setdefault(option.project, []).append(option)
        found: list[Choice] = []
        for project in self.projects:
            own = {name: Fraction(project.measures.get(name) or 0) for name in measure_names}
            starts = starts_of(project, self.round)
            levels: list[Project | Option] = [project]
            levels += sorted(options.get(project.project, ()), key=lambda option: option.option)
            for level in levels:
                high = int(Fraction(level.max_award) / step)
                low = high if level.min_award is None else int(Fraction(level.min_award) / step)
                name = level.option if isinstance(level, Option) else None
                differing = {k: Fraction(v) for k, v in level.measures.items() if v is not None}
                values = {**own, **differing} if isinstance(level, Option) else own
                found += [Choice(project, name, start, low, high, values) for start in starts]
        return found

    def _post_lines(self) -> None:
        region_code = {region: code for code, region in enumerate(self.regions)}
        choice_of: list[int] = []
        region_of: list[int] = []
        year_of: list[int] = []
        share: list[Fraction] = []
        region_share: list[Fraction] = []
        products: dict[tuple[object, object], Fraction] = {}
        first = self.round.first_year
        for number, choice in enumerate(self.choices):
            offset = 0 if choice.start is None or first is None else choice.start - first
            for region, part in choice.project.regions:
                for year, fraction in enumerate(choice.project.profile):
                    if (part, fraction) not in products:
                        products[part, fraction] = Fraction(part) * Fraction(fraction)
                    choice_of.append(number)
                    region_of.append(region_code[region])
                    year_of.append(offset + year)
                    share.append(products[part, fraction])
                    region_share.append(Fraction(part) if year == 0 else ZERO)
        self.line_choice: Codes = np.array(choice_of, dtype=np.int64)
        self.line_region: Codes = np.array(region_of, dtype=np.int64)
        self.line_year: Codes = np.array(year_of, dtype=np.int64)
        self.share = tuple(share)
        self._first_line_share = tuple(region_share)
        bounds = np.searchsorted(self.line_choice, np.arange(len(self.choices) + 1))
        self.lines_of = [range(int(a), int(b)) for a, b in pairwise(bounds)]

    def _encode_dimensions(self) -> None:
        belt_of = {region.region: region.belt for region in self.round.regions}
        projects = [self.choices[j].project for j in self.line_choice.tolist()]
        texts: dict[Dimension, list[str | None]] = {
            "sector": [project.sector for project in projects],
            "category": [project.category for project in projects],
            "institution": [project.institution for project in projects],
            "region": [self.regions[code] for code in self.line_region.tolist()],
            "belt": [belt_of[self.regions[code]] for code in self.line_region.tolist()],
            "year": [str(self.years[code]) for code in self.line_year.tolist()],
        }
        self._values: dict[Dimension, list[str | None]] = {}
        self._codes: dict[Dimension, Codes] = {}
        for dimension, values in texts.items():
            known = sorted({value for value in values if value is not None})
            code = {value: number for number, value in enumerate(known)}
            self._values[dimension] = [*known, None]
            blank = len(known)
            self._codes[dimension] = np.array(
                [blank if value is None else code[value] for value in values], dtype=np.int64
            )
        sets = sorted({project.tags for project in projects})
        set_code = {tags: number for number, tags in enumerate(sets)}
        self._tag_sets = sets
        self._codes["tag"] = np.array([set_code[project.tags] for project in projects], dtype=np.int64)

    def lines(self, filter_: Filter = EVERYTHING) -> Mask:
        """Return which lines pass a filter, shape (lines,)."""
        mask = np.ones(len(self.line_choice), dtype=np.bool_)
        for dimension, selection in filter_.by.items():
            if dimension == "tag":
                passing = [selection.passes_any(tags) for tags in self._tag_sets]
            else:
                passing = [selection.passes(value) for value in self._values[dimension]]
            mask &= np.array(passing, dtype=np.bool_)[self._codes[dimension]]
        return mask

    def lines_where(self, dimension: Dimension, value: str) -> Mask:
        """Return the lines of one member of a dimension, shape (lines,)."""
        if dimension == "tag":
            passing = [value in tags for tags in self._tag_sets]
        else:
            passing = [known == value for known in self._values[dimension]]
        return np.array(passing, dtype=np.bool_)[self._codes[dimension]]

    def values_of(self, dimension: Dimension, mask: Mask) -> list[str]:
        """Return the values of a dimension (blanks apart) on the selected lines, sorted."""
        codes = np.unique(self._codes[dimension][mask])
        if dimension == "tag":
            return sorted({tag for code in codes for tag in self._tag_sets[code]})
        values = (self._values[dimension][code] for code in codes)
        return sorted(value for value in values if value is not None)

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
            constant = tuple(ZERO if choice.is_block_grant else ONE for choice in self.choices)
            return Measure("accepted", constant, (ZERO,) * len(constant), self._counted_once(key.years))
        in_proportion = key.name in ("award", "cofunding") or key.basis == "award"
        constants, slopes = [], []
        for choice in self.choices:
            full = choice.high * self.step if key.name == "award" else choice.measures[key.name]
            if choice.is_all_or_nothing or not (in_proportion or choice.is_block_grant):
                constants.append(full)
                slopes.append(ZERO)
            else:
                constants.append(ZERO)
                slopes.append(full / choice.high)
        return Measure(key.name, tuple(constants), tuple(slopes), self.share)

    def _counted_once(self, years: frozenset[int] | None) -> tuple[Fraction, ...]:
        """Return line weights that count a project once in each region, in the first of `years` it runs in."""
        if years is None:
            return self._first_line_share
        weights = [ZERO] * len(self.share)
        previous: tuple[int, int] | None = None
        counted = False
        region_part = ZERO
        for line, (choice, region, year) in enumerate(
            zip(self.line_choice.tolist(), self.line_region.tolist(), self.line_year.tolist(), strict=True)
        ):
            if (choice, region) != previous:
                previous, counted, region_part = (choice, region), False, self._first_line_share[line]
            if not counted and self.years[year] in years:
                weights[line], counted = region_part, True
        return tuple(weights)
