"""The rule texts read a second time, for verification: what a funded project counts for, line by line.

Nothing here is shared with the ledger or the model. A funded project is followed through regions and years in plain
loops and exact fractions, slowly and obviously.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from integrated_fund.round import Basis, Dimension, Filter, Option, Project, Round, Source

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Funded:
    """A project as the plan funds it. `start` is a year, or None in a round that names none."""

    project: Project
    option: Option | None
    start: int | None
    award: Fraction

    @property
    def max_award(self) -> Fraction:
        """The largest award of the chosen option."""
        return Fraction(self.project.max_award if self.option is None else self.option.max_award)

    @property
    def min_award(self) -> Fraction:
        """The smallest award of the chosen option; all of it where the cell is blank."""
        least = self.project.min_award if self.option is None else self.option.min_award
        return self.max_award if least is None else Fraction(least)

    def column(self, name: str) -> Fraction:
        """Return a numeric column: the option's own figure, else the project's, else 0."""
        own = None if self.option is None else self.option.measures.get(name)
        value = self.project.measures.get(name) if own is None else own
        return Fraction(value or 0)

    def value(self, measure: str, basis: Basis | None) -> Fraction:
        """Return what the whole project counts for a measure."""
        if measure == "award":
            return self.award
        if measure == "accepted":
            return ZERO if self.project.is_block_grant else Fraction(1)
        if measure == "cofunding" or basis == "award" or self.project.is_block_grant:
            return self.column(measure) * self.award / self.max_award
        return self.column(measure)

    def years(self) -> Iterator[tuple[int | None, Fraction]]:
        """Yield each year the project runs in, zero years too, with its part."""
        for offset, part in enumerate(self.project.profile):
            yield (None if self.start is None else self.start + offset), Fraction(part)


class Geography:
    """Which belt a region is in, and the attributes of regions."""

    def __init__(self, round_: Round) -> None:
        self.belt = {region.region: region.belt for region in round_.regions}


def passes(filter_: Filter, project: Project, region: str, belt: str, year: int | None) -> bool:
    """Return whether a line of a project passes a filter."""
    values: dict[Dimension, str | None] = {
        "sector": project.sector,
        "category": project.category,
        "institution": project.institution,
        "region": region,
        "belt": belt,
        "year": None if year is None else str(year),
    }
    for dimension, selection in filter_.by.items():
        if dimension == "tag":
            if not selection.passes_any(project.tags):
                return False
        elif dimension == "year" and year is None:
            continue
        elif not selection.passes(values[dimension]):
            return False
    return True


def total(
    funded: Iterable[Funded],
    geography: Geography,
    measure: str,
    basis: Basis | None,
    filter_: Filter,
    discount: Mapping[int | None, Fraction] | None = None,
) -> Fraction:
    """Return a measure added up over the lines that pass a filter, each year at its discount factor (1 without)."""
    found = ZERO
    for one in funded:
        found += contribution(one, geography, measure, basis, filter_, discount)
    return found


def contribution(
    one: Funded,
    geography: Geography,
    measure: str,
    basis: Basis | None,
    filter_: Filter,
    discount: Mapping[int | None, Fraction] | None,
) -> Fraction:
    """Return what one funded project adds to a total."""
    value = one.value(measure, basis)
    if not value:
        return ZERO
    found = ZERO
    for region, part in one.project.regions:
        belt = geography.belt[region]
        for year, share in one.years():
            if not passes(filter_, one.project, region, belt, year):
                continue
            factor = Fraction(1) if discount is None else discount[year]
            if measure == "accepted":  # once in each region, in the first year that counts
                found += value * Fraction(part) * factor
                break
            found += value * Fraction(part) * share * factor
    return found


def may_pay(source: Source, project: Project, region: str, belt: str) -> bool:
    """Return whether a source's filters let it pay for a project in a region."""
    return passes(source.filter, project, region, belt, None)
