r"""Rules as exact rows over totals: one row for each member of each rule.

A row compares an activity with a bound, multiplied out so that both sides are in the measure's unit:

    total[lines of the member]   >=, <=, =   share · total[base lines] + constant

    of blank       bound                                          (per: bound · attribute of the member)
    of total       share = bound, base = all lines in the rule's years
    of funds       constant = bound · Σ amounts of the sources in the rule's years
    of average     share = bound · attribute of the member / attribute of all regions, base as for total
    of attribute   constant = bound · attribute of the member

`within` names the filter columns that restrict the base (and the funds, and the attribute of all) too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from integrated_fund.choices import Mask
from integrated_fund.ledger import ONE, ZERO, Ledger
from integrated_fund.measures import MeasureKey
from integrated_fund.names import distinct_names
from integrated_fund.round import Dimension, Filter, Region, Rule, Selection, Source


@dataclass(frozen=True, slots=True)
class Total:
    """A measure added up over lines. `family` numbers the totals of one rule, which are mostly disjoint.

    `patterns` says which line patterns are in it, shape (patterns,); `pattern_of_line` is the ledger's.
    """

    measure: MeasureKey
    patterns: Mask
    family: int
    pattern_of_line: npt.NDArray[np.int32] = field(repr=False)

    @property
    def lines(self) -> Mask:
        """Which lines are in it, shape (lines,)."""
        return self.patterns[self.pattern_of_line]


@dataclass(frozen=True, slots=True)
class Limit:
    """One row: total[activity] sense share · total[base] + constant. `name` is ASCII, for the model and its files.

    `typed` is the bound as the workbook has it, and `unit` what one of it amounts to: the share of a row with a base is
    unit · typed, the constant of any other. `funds` are the sources, by name and year, whose amounts are in `unit`.
    """

    rule: Rule
    member: str | None
    name: str
    activity: int
    base: int | None
    typed: Fraction
    unit: Fraction
    funds: tuple[tuple[str, int | None], ...] = ()

    @property
    def share(self) -> Fraction:
        """What part of the base the bound is."""
        return ZERO if self.base is None else self.unit * self.typed

    @property
    def constant(self) -> Fraction:
        """What the bound is besides."""
        return self.unit * self.typed if self.base is None else ZERO

    @property
    def label(self) -> str:
        """The row's name in reports."""
        return self.rule.rule if self.member is None else f"{self.rule.rule} [{self.member}]"


@dataclass(frozen=True, slots=True)
class Limits:
    """All rows of a round, sorted by rule and member, and the totals they speak of."""

    totals: tuple[Total, ...]
    rows: tuple[Limit, ...]


def limits_of(ledger: Ledger) -> Limits:
    """Return the rows of every rule of the ledger's round."""
    totals: list[Total] = []
    number_of: dict[tuple[MeasureKey, bytes], int] = {}

    def total(measure: MeasureKey, patterns: Mask, family: int) -> int:
        key = (measure, np.packbits(patterns).tobytes())
        if key not in number_of:
            number_of[key] = len(totals)
            totals.append(Total(measure, patterns, family, ledger.pattern_of_line))
        return number_of[key]

    rows: list[Limit] = []
    rules = sorted(ledger.round.rules, key=lambda rule: rule.rule)
    for family, rule in enumerate(rules):
        for member in members_of(rule, ledger):
            activity = total(*_activity(rule, member, ledger), family)
            unit, base = ONE, None
            funds: tuple[tuple[str, int | None], ...] = ()
            if rule.of == "funds":
                counted = _funding(rule, member, ledger)
                unit = sum((Fraction(source.amount) for source in counted), ZERO)
                funds = tuple((source.source, source.year) for source in counted)
            elif rule.of in ("total", "average"):
                # All members of a rule mostly share one base, which is no part of their family.
                base = total(*_base(rule, member, ledger), -1 - family)
                if rule.of == "average":
                    assert rule.per is not None
                    whole = _attribute(rule.per, _regions_within(rule, member, ledger))
                    unit = _attribute(rule.per, _member_regions(rule, member, ledger)) / whole
            elif rule.of is not None:
                unit = _attribute(rule.of, _member_regions(rule, member, ledger))
            elif rule.per is not None:
                unit = _attribute(rule.per, _member_regions(rule, member, ledger))
            typed = Fraction(rule.bound_of(member))
            rows.append(Limit(rule, member, "", activity, base, typed, unit, funds))
    names = distinct_names(row.label for row in rows)
    named = (replace(row, name=name) for row, name in zip(rows, names, strict=True))
    return Limits(tuple(totals), tuple(named))


def members_of(rule: Rule, ledger: Ledger) -> Sequence[str | None]:
    """Return the members a rule has a row for: `[None]` without `each`.

    Sectors, belts, regions and years come from their sheets, the others from the lines that pass the filters.
    """
    each = rule.each
    if each is None:
        return [None]
    round_ = ledger.round
    selection = rule.filter.on(each)
    candidates: list[str]
    if each == "sector":
        candidates = [sector.sector for sector in round_.sectors]
    elif each == "region":
        candidates = [region.region for region in _passing_regions(rule.filter, ledger)]
    elif each == "belt":
        candidates = [region.belt for region in _passing_regions(rule.filter, ledger)]
    elif each == "year":
        candidates = [str(year) for year in ledger.years]
    else:
        candidates = ledger.patterns.values(each, ledger.patterns.passing(rule.filter))
        if each == "tag" and selection.include:
            candidates = [tag for tag in candidates if tag in selection.include]
    return sorted({member for member in candidates if selection.passes(member)})


def _passing_regions(filter_: Filter, ledger: Ledger) -> list[Region]:
    regions, belts = filter_.on("region"), filter_.on("belt")
    return [region for region in ledger.round.regions if regions.passes(region.region) and belts.passes(region.belt)]


def _member_regions(rule: Rule, member: str | None, ledger: Ledger) -> list[Region]:
    regions = _passing_regions(rule.filter, ledger)
    if rule.each == "region":
        return [region for region in regions if region.region == member]
    if rule.each == "belt":
        return [region for region in regions if region.belt == member]
    return regions


def _regions_within(rule: Rule, member: str | None, ledger: Ledger) -> list[Region]:
    return _passing_regions(_within(rule, member), ledger)


def _attribute(name: str, regions: list[Region]) -> Fraction:
    return sum((Fraction(region.attributes[name] or 0) for region in regions), ZERO)


def _within(rule: Rule, member: str | None) -> Filter:
    """Return the part of a rule's filter (its member's value included) that restricts the base too."""
    by: dict[Dimension, Selection] = {}
    for dimension in rule.within:
        selection = rule.filter.on(dimension)
        if rule.each == dimension and member is not None:
            selection = Selection(frozenset({member}), selection.exclude)
        by[dimension] = selection
    return Filter(by)


def _years(rule: Rule, member: str | None, ledger: Ledger) -> frozenset[int] | None:
    """Return the years a rule's row looks at; None where it names none."""
    if rule.each == "year" and member is not None:
        return frozenset({int(member)})
    if "year" not in rule.filter.by:
        return None
    selection = rule.filter.on("year")
    return frozenset(year for year in ledger.years if year is not None and selection.passes(str(year)))


def selected(
    name: str, basis: str | None, filter_: Filter, years: frozenset[int] | None, ledger: Ledger
) -> tuple[MeasureKey, Mask]:
    """Return the measure and the line patterns for a filter, of which the years are given apart (None: all).

    `accepted` counts a project once however many years it runs, so its years belong to the measure, not to the lines.
    """
    without_years = Filter({dimension: s for dimension, s in filter_.by.items() if dimension != "year"})
    patterns = ledger.patterns.passing(without_years)
    if name == "accepted":
        return MeasureKey(name, None, years), patterns
    if years is not None:
        in_years = np.array([year in years for year in ledger.years], dtype=np.bool_)
        patterns &= in_years[ledger.patterns.year]
    return MeasureKey(name, "award" if basis == "award" and name not in ("award", "cofunding") else None), patterns


def _activity(rule: Rule, member: str | None, ledger: Ledger) -> tuple[MeasureKey, Mask]:
    years = _years(rule, member, ledger)
    measure, patterns = selected(rule.measure, rule.basis, rule.filter, years, ledger)
    if rule.each is not None and rule.each != "year" and member is not None:
        patterns &= ledger.patterns.being(rule.each, member)
    return measure, patterns


def _base(rule: Rule, member: str | None, ledger: Ledger) -> tuple[MeasureKey, Mask]:
    return selected(rule.measure, rule.basis, _within(rule, member), _years(rule, member, ledger), ledger)


def _funding(rule: Rule, member: str | None, ledger: Ledger) -> list[Source]:
    """Return the sources that a share of funds counts."""
    years = _years(rule, member, ledger)
    within = _within(rule, member)
    admitted = {dimension: list(_admitted(dimension, selection, ledger)) for dimension, selection in within.by.items()}

    def counts(source: Source) -> bool:
        if years is not None and source.year not in years:
            return False
        return all(
            any(source.filter.on(dimension).passes(value) for value in values)
            for dimension, values in admitted.items()
            if dimension != "year"
        )

    return [source for source in ledger.round.sources if counts(source)]


def _admitted(dimension: Dimension, selection: Selection, ledger: Ledger) -> Iterator[str | None]:
    """Yield the values of a dimension that a selection lets pass; blank is one of them where lines can be blank."""
    values: list[str | None]
    if dimension == "sector":
        values = [sector.sector for sector in ledger.round.sectors]
    elif dimension == "region":
        values = [region.region for region in ledger.round.regions]
    elif dimension == "belt":
        values = [region.belt for region in ledger.round.regions]
    else:
        values = [*ledger.dimensions.values(dimension), None]
    yield from (value for value in values if selection.passes(value))
