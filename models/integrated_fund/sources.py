r"""Sources: which money may pay for what, pooled exactly through eligibility classes.

Which sources may pay for a line depends only on its dimensions, so lines fall into classes g of one year each, and the
model pays classes instead of projects:

    Σ_f pay[f, g] = Σ_{lines in g} award                                        for each class g
    Σ_g pay[f, g] + carry[f, t] <= amount[f, t] + carry[f, t-1]                 for each source f and year t
    carry[f, t] <= carry_over[f, t] · (amount[f, t] + carry[f, t-1] - Σ_g pay[f, g])
    Σ_g pay[f, g] >= least[f, t] · amount[f, t]

A row of the Sources sheet is a source in one year; it carries into the row of the same source in the following year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo

from integrated_fund.cells import Cells
from integrated_fund.choices import Codes
from integrated_fund.ledger import Ledger
from integrated_fund.limits import Total
from integrated_fund.measures import MeasureKey
from integrated_fund.names import distinct_names
from integrated_fund.round import Round, Source

AWARD = MeasureKey("award")
#: The family number of the classes' totals; rules count from 0 up and their bases from -1 down.
_FAMILY = 10**9


@dataclass(frozen=True, slots=True)
class EligibilityClass:
    """Lines of one year that the same sources may pay for. `sources` are positions in `SourceClasses.sources`."""

    year: int
    sources: tuple[int, ...]


@dataclass(frozen=True)
class SourceClasses:
    """The sources sorted by name and year, the classes, and the class of each line pattern, shape (patterns,).

    `pattern_of_line` is the ledger's.
    """

    sources: tuple[Source, ...]
    next_year: tuple[int | None, ...]
    classes: tuple[EligibilityClass, ...]
    class_of_pattern: Codes
    pattern_of_line: npt.NDArray[np.int32] = field(repr=False)

    @cached_property
    def class_of_line(self) -> Codes:
        """The class of each line, shape (lines,)."""
        return self.class_of_pattern[self.pattern_of_line]

    def moved(self, round_: Round) -> SourceClasses:
        """Return the classes with the amounts of a round that differs in them alone."""
        by_key = {(row.source, row.year): row for row in round_.sources}
        return replace(self, sources=tuple(by_key[row.source, row.year] for row in self.sources))

    def totals(self) -> list[Total]:
        """Return the award of each class as a total."""
        return [
            Total(AWARD, self.class_of_pattern == g, _FAMILY, self.pattern_of_line) for g in range(len(self.classes))
        ]

    def label(self, source: int) -> str:
        """Return the name of a source row in reports."""
        row = self.sources[source]
        return row.source if row.year is None else f"{row.source}@{row.year}"


def source_classes(ledger: Ledger) -> SourceClasses:
    """Return the eligibility classes of the ledger's lines, in a canonical order."""
    sources = tuple(sorted(ledger.round.sources, key=lambda row: (row.source, row.year or 0)))
    position = {(row.source, row.year): number for number, row in enumerate(sources)}
    following = tuple(None if row.year is None else position.get((row.source, row.year + 1)) for row in sources)
    year_code = {year: code for code, year in enumerate(ledger.years)}
    patterns = ledger.patterns
    eligible = np.zeros((len(sources), len(patterns)), dtype=np.bool_)
    for number, row in enumerate(sources):
        if row.year in year_code:
            eligible[number] = patterns.passing(row.filter) & (patterns.year == year_code[row.year])
    keys = np.vstack([patterns.year.astype(np.uint8)[None, :], np.packbits(eligible, axis=0)]).T
    _, first, class_of_pattern = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    classes = tuple(
        EligibilityClass(int(patterns.year[pattern]), tuple(np.flatnonzero(eligible[:, pattern]).tolist()))
        for pattern in first.tolist()
    )
    return SourceClasses(sources, following, classes, class_of_pattern.reshape(-1), patterns.of_line)


def add_sources(model: pyo.ConcreteModel, classes: SourceClasses, cells: Cells, class_totals: Sequence[int]) -> None:
    """Add payments, carry-over and the amounts of the sources to the model, in units of the money scale."""
    scale = cells.scale.get(AWARD, Fraction(1))
    pays = [(f, g) for g, row in enumerate(classes.classes) for f in row.sources]
    model.pay = pyo.Var(pays, domain=pyo.NonNegativeReals)
    carrying = [f for f, row in enumerate(classes.sources) if row.carry_over > 0 and classes.next_year[f] is not None]
    model.carry = pyo.Var(carrying, domain=pyo.NonNegativeReals)
    model.class_paid = pyo.Constraint(pyo.Any)
    for g, row in enumerate(classes.classes):
        model.class_paid[g] = sum(model.pay[f, g] for f in row.sources) == sum(cells.terms(class_totals[g]))

    names = distinct_names(classes.label(f) for f in range(len(classes.sources)))
    carries = set(carrying)
    carried_in: dict[int, pyo.Var] = {}
    for f in carrying:
        target = classes.next_year[f]
        assert target is not None
        carried_in[target] = model.carry[f]
    model.source = pyo.Constraint(pyo.Any)
    model.source_least = pyo.Constraint(pyo.Any)
    model.source_carry = pyo.Constraint(pyo.Any)
    for f, source in enumerate(classes.sources):
        # `model.zero` keeps the row where this source may pay for nothing.
        used = model.zero + sum(model.pay[f, g] for g, row in enumerate(classes.classes) if f in row.sources)
        amount = float(Fraction(source.amount) / scale)
        received = carried_in.get(f, 0)
        moved = model.carry[f] if f in carries else 0
        model.source[names[f]] = used + moved - received <= amount
        if source.least > 0:
            model.source_least[names[f]] = used >= float(Fraction(source.least) * Fraction(source.amount) / scale)
        if f in carries:
            rate = float(source.carry_over)
            model.source_carry[names[f]] = moved + rate * used - rate * received <= rate * amount
