"""The dimensions of ledger lines: a code for each value, by project, by region or by year.

A line has the sector, category, institution and tags of its project, the belt of its region, and its year.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from integrated_fund.round import DIMENSIONS, Dimension, Project, Round, Selection

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]
Carrier = Literal["project", "region", "year"]

#: What a dimension's value belongs to.
CARRIER: dict[Dimension, Carrier] = {
    "sector": "project",
    "category": "project",
    "institution": "project",
    "tag": "project",
    "region": "region",
    "belt": "region",
    "year": "year",
}


class Dimensions:
    """The values of every dimension and their codes.

    Attributes:
        codes: by dimension the code of each project, region or year (whichever carries it). A project's code for `tag`
            stands for all its tags.
    """

    def __init__(
        self, round_: Round, projects: Sequence[Project], regions: Sequence[str], years: Sequence[int | None]
    ) -> None:
        belt_of = {region.region: region.belt for region in round_.regions}
        texts: dict[Dimension, list[str | None]] = {
            "sector": [project.sector for project in projects],
            "category": [project.category for project in projects],
            "institution": [project.institution for project in projects],
            "region": list(regions),
            "belt": [belt_of[region] for region in regions],
            "year": [str(year) for year in years],
        }
        self._values: dict[Dimension, list[str | None]] = {}
        self._code: dict[Dimension, dict[str | None, int]] = {}
        self.codes: dict[Dimension, Codes] = {}
        for dimension, values in texts.items():
            known = sorted({value for value in values if value is not None})
            code: dict[str | None, int] = {value: number for number, value in enumerate(known)}
            code[None] = len(known)
            self._values[dimension] = [*known, None]
            self._code[dimension] = code
            self.codes[dimension] = np.array([code[value] for value in values], dtype=np.int64)
        self._tag_sets = sorted({project.tags for project in projects})
        set_code = {tags: number for number, tags in enumerate(self._tag_sets)}
        self.codes["tag"] = np.array([set_code[project.tags] for project in projects], dtype=np.int64)
        assert self.codes.keys() == set(DIMENSIONS)

    def passing(self, dimension: Dimension, selection: Selection) -> Mask:
        """Return which codes of a dimension a selection lets pass, shape (codes,)."""
        if dimension == "tag":
            return np.array([selection.passes_any(tags) for tags in self._tag_sets], dtype=np.bool_)
        # There may be a hundred thousand institutions: only those that are named are looked at.
        passed = np.full(len(self._values[dimension]), not selection.include, dtype=np.bool_)
        passed[self._known(dimension, selection.include)] = True
        passed[self._known(dimension, selection.exclude)] = False
        return passed

    def being(self, dimension: Dimension, value: str) -> Mask:
        """Return which codes of a dimension are a value, or a set of tags with it; shape (codes,)."""
        if dimension == "tag":
            return np.array([value in tags for tags in self._tag_sets], dtype=np.bool_)
        found = np.zeros(len(self._values[dimension]), dtype=np.bool_)
        found[self._known(dimension, (value,))] = True
        return found

    def _known(self, dimension: Dimension, values: Iterable[str]) -> list[int]:
        code = self._code[dimension]
        return [code[value] for value in values if value in code]

    def values(self, dimension: Dimension, codes: Codes | None = None) -> list[str]:
        """Return the values (blanks apart) that some codes stand for (None: all of them), sorted."""
        found = np.unique(self.codes[dimension] if codes is None else codes).tolist()
        if dimension == "tag":
            return sorted({tag for code in found for tag in self._tag_sets[code]})
        values = (self._values[dimension][code] for code in found)
        return sorted(value for value in values if value is not None)
