"""Line patterns: what the filters of a round can tell apart.

Millions of lines, a few thousand patterns: two lines have one **pattern** where no filter of a rule, criterion or
source passes one of them and not the other, and no rule's `each` has them in different members. Sets of lines that
rules and sources speak of are sets of patterns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from integrated_fund.dimensions import CARRIER, Carrier, Dimensions
from integrated_fund.round import DIMENSIONS, Criterion, Dimension, Filter, Round, Rule, Selection, Source

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]


class Patterns:
    """The patterns of a round's lines.

    Attributes:
        of_line: the pattern of each line, shape (lines,), int32.
        year: the year (from the round's first) of each pattern, shape (patterns,). Years are always told apart.
    """

    def __init__(
        self, round_: Round, dimensions: Dimensions, line_project: Codes, line_region: Codes, line_year: Codes
    ) -> None:
        self._dimensions = dimensions
        groups: dict[Carrier, list[Codes]] = {"project": [], "region": [], "year": []}
        self._group: dict[Dimension, Codes] = {}
        for dimension in DIMENSIONS:
            self._group[dimension] = _told_apart(dimension, round_, dimensions)
            groups[CARRIER[dimension]].append(self._group[dimension][dimensions.codes[dimension]])
        line_carrier = {"project": line_project, "region": line_region, "year": line_year}
        a_line, of_line = compacted([compacted(codes)[1][line_carrier[carrier]] for carrier, codes in groups.items()])
        self.of_line: npt.NDArray[np.int32] = of_line.astype(np.int32)
        self.year: Codes = line_year[a_line]
        self._codes = {
            dimension: dimensions.codes[dimension][line_carrier[CARRIER[dimension]][a_line]] for dimension in DIMENSIONS
        }

    def __len__(self) -> int:
        return len(self.year)

    def passing(self, filter_: Filter) -> Mask:
        """Return which patterns pass one of the round's filters (or one by the members of a rule), shape (patterns,).

        Raises:
            ValueError: it tells lines of one pattern apart, so it is no filter of this round.
        """
        mask = np.ones(len(self), dtype=np.bool_)
        for dimension, selection in filter_.by.items():
            mask &= self._by_pattern(dimension, self._dimensions.passing(dimension, selection))
        return mask

    def being(self, dimension: Dimension, value: str) -> Mask:
        """Return the patterns of one member of a dimension that a rule has as its `each`, shape (patterns,).

        Raises:
            ValueError: no rule has it.
        """
        return self._by_pattern(dimension, self._dimensions.being(dimension, value))

    def values(self, dimension: Dimension, patterns: Mask) -> list[str]:
        """Return the values (blanks apart) of a dimension that some rule has as its `each`, sorted.

        Raises:
            ValueError: no rule has it.
        """
        group = self._group[dimension]
        if len(np.unique(group)) < len(group):
            raise ValueError(f"no rule tells apart every {dimension}")
        return self._dimensions.values(dimension, self._codes[dimension][patterns])

    def _by_pattern(self, dimension: Dimension, of_code: Mask) -> Mask:
        group = self._group[dimension]
        by_group = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.bool_)
        by_group[group] = of_code
        if not np.array_equal(by_group[group], of_code):
            raise ValueError(f"no filter of the round tells these lines apart by {dimension}")
        return of_code[self._codes[dimension]]


def _told_apart(dimension: Dimension, round_: Round, dimensions: Dimensions) -> Codes:
    """Return groups of a dimension's codes that the round tells apart, shape (codes,)."""
    many = len(dimensions.passing(dimension, Selection()))
    if dimension == "year" or any(rule.each == dimension for rule in round_.rules):
        return np.arange(many)
    rows: list[Rule | Criterion | Source] = [*round_.rules, *round_.criteria, *round_.sources]
    selections = dict.fromkeys(row.filter.by[dimension] for row in rows if dimension in row.filter.by)
    if not selections or not many:
        return np.zeros(many, dtype=np.int64)
    return compacted([dimensions.passing(dimension, selection) for selection in selections])[1]


def compacted(columns: Sequence[npt.NDArray[np.integer[Any] | np.bool_]]) -> tuple[Codes, Codes]:
    """Return numbers 0, 1, … for the different rows of some columns of codes, in sorted order.

    Returns:
        A row of each number, shape (numbers,), and the number of each row, shape (rows,).
    """
    rows = len(columns[0])
    number: Codes = np.zeros(rows, dtype=np.int64)
    a_row: Codes = np.arange(min(rows, 1))
    for column in columns:
        width = int(column.max(initial=-1)) + 1
        keys = number * width + column
        if len(a_row) * width <= max(4 * rows, 2**16):  # a table of what occurs is faster than sorting
            place = np.full(len(a_row) * width, -1, dtype=np.int64)
            place[keys] = np.arange(rows)
            present = np.flatnonzero(place >= 0)
            a_row = place[present]
            place[present] = np.arange(len(present))
            number = place[keys]
        else:
            _, a_row, number = np.unique(keys, return_index=True, return_inverse=True)
            number = number.reshape(-1)
    return a_row, number
