"""Choices: what can be decided about each project, as columns.

A **choice** is a project in one option with one start year. Choices are sorted by project, option and start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from integrated_fund.exact_column import ExactColumn
from integrated_fund.round import Option, Project, Round

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]


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


class Choices(Sequence[Choice]):
    """All choices of a round, mandatory and excluded projects included; a `Choice` is made when one is asked for.

    Attributes:
        projects: sorted by name.
        options: sorted by project and name.
        project_of: position in `projects`, shape (choices,); never falls.
        option_of: position in `options`, -1 for the project's own row, shape (choices,).
        start_of: years from the round's first to the start, shape (choices,).
        low, high: smallest and largest award in whole steps, shape (choices,).
        is_block_grant, is_all_or_nothing: as on `Choice`, shape (choices,).
        bounds: the choices of project p are bounds[p] … bounds[p + 1] - 1, shape (projects + 1,).
    """

    def __init__(self, round_: Round) -> None:
        self.projects = tuple(sorted(round_.projects, key=lambda project: project.project))
        self.options = tuple(sorted(round_.options, key=lambda option: (option.project, option.option)))
        self.number_of = {project.project: number for number, project in enumerate(self.projects)}
        self._first_year = round_.first_year

        many = len(self.projects)
        level_project = np.array(
            [*range(many), *(self.number_of[option.project] for option in self.options)], dtype=np.int64
        )
        level_option = np.concatenate([np.full(many, -1), np.arange(len(self.options))]).astype(np.int64)
        order = np.argsort(level_project, kind="stable")  # a project's own row first, then its options
        begin, count = _starts(self.projects, round_)
        count = count[level_project[order]]
        level = np.repeat(order, count)
        first = np.repeat(np.cumsum(count) - count, count)
        self.project_of: Codes = level_project[level]
        self.option_of: Codes = level_option[level]
        self.start_of: Codes = begin[self.project_of] + np.arange(len(level)) - first

        rows: list[Project | Option] = [*self.projects, *self.options]
        step = Fraction(round_.step)
        high = _steps([row.max_award for row in rows], step)
        low = _steps([row.max_award if row.min_award is None else row.min_award for row in rows], step)
        self.low: Codes = low[level]
        self.high: Codes = high[level]
        block = np.array([project.is_block_grant for project in self.projects], dtype=np.bool_)
        self.is_block_grant: Mask = block[self.project_of]
        self.is_all_or_nothing: Mask = ~self.is_block_grant & (self.low == self.high)
        self.bounds: Codes = np.searchsorted(self.project_of, np.arange(many + 1))

    def __len__(self) -> int:
        return len(self.project_of)

    @overload
    def __getitem__(self, number: int | np.integer[Any]) -> Choice: ...
    @overload
    def __getitem__(self, number: slice) -> list[Choice]: ...
    def __getitem__(self, number: int | np.integer[Any] | slice) -> Choice | list[Choice]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        return self._made(
            int(self.project_of[number]),
            int(self.option_of[number]),
            int(self.start_of[number]),
            int(self.low[number]),
            int(self.high[number]),
        )

    def __iter__(self) -> Iterator[Choice]:
        columns = (self.project_of, self.option_of, self.start_of, self.low, self.high)
        return map(self._made, *(column.tolist() for column in columns))

    def of(self, project: str) -> range:
        """Return the numbers of a project's choices.

        Raises:
            KeyError: there is no project of that name.
        """
        number = self.number_of[project]
        return range(int(self.bounds[number]), int(self.bounds[number + 1]))

    def column(self, name: str) -> ExactColumn:
        """Return a numeric column of Projects by choice: the option's own figure, else the project's, else 0.

        Raises:
            KeyError: no project has a column of that name.
        """
        if not any(name in project.measures for project in self.projects):
            raise KeyError(name)
        nothing = Decimal(0)
        values = [project.measures.get(name) or nothing for project in self.projects]
        for option in self.options:
            own = option.measures.get(name)
            values.append(values[self.number_of[option.project]] if own is None else own)
        by_option = len(self.projects) + self.option_of
        return ExactColumn.of_decimals(values).take(np.where(self.option_of < 0, self.project_of, by_option))

    def _made(self, project: int, option: int, start: int, low: int, high: int) -> Choice:
        year = None if self._first_year is None else self._first_year + start
        return Choice(self.projects[project], None if option < 0 else self.options[option].option, year, low, high)


def _steps(amounts: list[Decimal], step: Fraction) -> Codes:
    return ExactColumn.of_decimals(amounts).scaled(1 / step).floor()


def _starts(projects: Sequence[Project], round_: Round) -> tuple[Codes, Codes]:
    """Return each project's first start (from the round's first year) and how many starts end within the last year."""
    first = round_.first_year
    if first is None:
        return np.zeros(len(projects), dtype=np.int64), np.ones(len(projects), dtype=np.int64)
    begin = np.array([first if p.start_from is None else p.start_from for p in projects], dtype=np.int64) - first
    end = np.array([first if p.start_to is None else p.start_to for p in projects], dtype=np.int64) - first
    end = np.where([project.start_to is None for project in projects], begin, end)
    last = round_.years - np.array([len(project.profile) for project in projects], dtype=np.int64)
    return begin, np.maximum(0, np.minimum(end, last) - begin + 1)
