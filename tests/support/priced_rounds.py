"""Solved rounds with their prices, and what moving one of their numbers does to the programme, by the model's rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from integrated_fund.fund import Fund
from integrated_fund.round import Round
from optalloc.solve.arrays import Arrays
from optalloc.solve.manifest import Request
from optalloc.solve.moved import moved_arrays
from optalloc.solve.progress import Watch
from optalloc.solve.solution import NoPlan, Solution, solution_of
from optalloc.study.prices.levers import ALL, Lever, moved_round
from optalloc.study.prices.priced import Priced, prices_of
from optalloc.workbook.grid import Tables
from tests.support.exact_values import Shift, fraction
from tests.support.tables import round_of


@dataclass(frozen=True)
class PricedRound:
    """A solved round and its prices."""

    solution: Solution
    priced: Priced

    @property
    def fund(self) -> Fund:
        """The round's fund."""
        return self.solution.fund

    @property
    def arrays(self) -> Arrays:
        """The relaxation's programme, earlier levels held."""
        return self.priced.relaxed.arrays

    def moved(self, lever: Lever, step: Decimal) -> Arrays:
        """Return the relaxation's programme with a rule's or a source's number moved."""
        round_ = moved_round(self.fund.round, lever, step)
        assert round_ is not None
        return moved_arrays(self.arrays, self.fund, self.fund.moved(round_))

    def shift(self, lever: Lever) -> Shift:
        """Return what one unit more does to the right sides, by the model's own rows."""
        if lever.link is not None:
            return dict.fromkeys(self.arrays.link_rows[lever.link.link], Fraction(1))
        if lever.source is not None or (lever.member == ALL and not lever.is_share):
            return self.cell_shift(lever)
        found: dict[int, Fraction] = {}
        for number in lever.limits:
            limit = self.fund.appraisal.limits.rows[number]
            scale = self.fund.cells.scale[self.fund.appraisal.limits.totals[limit.activity].measure]
            found[self.arrays.rule_rows[limit.name]] = 1 / scale
        return found

    def cell_shift(self, lever: Lever, step: Decimal = Decimal(1)) -> Shift:
        """Return what one more in the typed number does to the right sides."""
        return _difference(self.arrays, self.moved(lever, step), Fraction(step))

    def pool_shift(self) -> Shift:
        """Return what one unit of money more does that all sources share in proportion to their amounts."""
        sources = self.fund.round.sources
        total = sum(source.amount for source in sources)
        grown = replace(self.fund.round, sources=tuple(replace(s, amount=2 * s.amount) for s in sources))
        after = moved_arrays(self.arrays, self.fund, self.fund.moved(grown))
        return _difference(self.arrays, after, Fraction(total))

    @property
    def decided(self) -> Arrays:
        """The programme with the plan's acceptances fixed."""
        arrays, decision = self.arrays, self.solution.evaluation.decision
        accepting = np.flatnonzero(arrays.accept >= 0)
        value = np.array([float(choice in decision) for choice in accepting.tolist()])
        return arrays.with_bounds(arrays.accept[accepting], value, value)


def priced_round(round_: Round, *, level: int = 0) -> PricedRound | None:
    """Solve a round to the end and price it; None where it has no plan, or no such level."""
    fund = Fund(round_)
    if level >= len(fund.appraisal.levels):
        return None
    solution = solution_of(fund, Watch(), Request(Decimal(0)))
    return None if isinstance(solution, NoPlan) else PricedRound(solution, prices_of(solution, Watch(), level=level))


def priced_tables(tables: Tables, *, level: int = 0) -> PricedRound | None:
    """Solve a round given as tables and price it; see `priced_round`."""
    return priced_round(round_of(tables), level=level)


def _difference(before: Arrays, after: Arrays, steps: Fraction) -> Shift:
    found: dict[int, Fraction] = {}
    for old, new in ((before.row_lower, after.row_lower), (before.row_upper, after.row_upper)):
        for row in np.flatnonzero((old != new) & np.isfinite(old)).tolist():
            found[row] = (fraction(new[row]) - fraction(old[row])) / steps
    return found
