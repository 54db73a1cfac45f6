r"""Which money may pay for which lines, and how much there is at most.

A source has in a year at most its amount and what moved on to it,

    most[f,t] = amount[f,t] + carried[f,t−1],    carried[f,t] = carry_over[f,t] · most[f,t]

if nothing was paid from it before. What a set of lines may cost is then at most the sum over the sources that may pay
for one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from integrated_fund.ledger import ZERO, Ledger, Mask
from integrated_fund.round import Project, Source

#: Doubles decide where they are clear by far more than their rounding.
_MARGIN = 1e-9


@dataclass(frozen=True, slots=True)
class Unpayable:
    """A project that no choice of it can be paid for, shown by one line: its region and year, its part, and the money.

    `needed` is the least part the line can come to (the greatest, for a block grant).
    """

    project: Project
    region: str
    year: int | None
    needed: Fraction
    available: Fraction


class Purse:
    """The sources of a ledger's round, the lines each may pay for, and the most it can have."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.sources: tuple[Source, ...] = ledger.round.sources
        payable_project = np.array([project.status != "excluded" for project in ledger.projects], dtype=np.bool_)
        payable = payable_project[ledger.project_of][ledger.line_choice]
        by_key = {self._key(source): number for number, source in enumerate(self.sources)}
        self._before = [by_key.get((name, year - 1)) for name, year in map(self._key, self.sources)]
        self.lines: list[Mask] = [
            ledger.lines(source.filter) & payable & (ledger.line_year == self._key(source)[1])
            for source in self.sources
        ]
        self._carried: list[Fraction | None] = [None] * len(self.sources)
        for number, _ in sorted(enumerate(self.sources), key=lambda numbered: self._key(numbered[1])[1]):
            source, before = self.sources[number], self._before[number]
            most = Fraction(source.amount) + (ZERO if before is None else self._moved(before))
            self._carried[number] = Fraction(source.carry_over) * most

    def _key(self, source: Source) -> tuple[str, int]:
        """Return a source's name and the number of its year, from 0."""
        first = self.ledger.round.first_year
        return source.source, 0 if source.year is None or first is None else source.year - first

    def _moved(self, number: int) -> Fraction:
        carried = self._carried[number]
        assert carried is not None, "earlier years are worked out first"
        return carried

    def money_for(self, lines: Mask) -> Fraction:
        """Return the most that the sources together can pay for a set of lines."""
        return self._money([number for number, own in enumerate(self.lines) if (own & lines).any()])

    def _money(self, numbers: list[int]) -> Fraction:
        total = ZERO
        for number in numbers:
            total += Fraction(self.sources[number].amount)
            before = self._before[number]
            # Where the year before counts too, its money is in the sum already.
            if before is not None and before not in numbers:
                total += self._moved(before)
        return total

    def unused(self) -> list[Source]:
        """Return the sources with money that no line may use, in order."""
        last = max((self._key(source)[1] for source in self.sources), default=0)
        useful: set[int] = set()
        # From the last year back: money also helps where it moves on to a year in which it does.
        for year in range(last, -1, -1):
            for number, source in enumerate(self.sources):
                if self._key(source)[1] != year:
                    continue
                after = [later for later, before in enumerate(self._before) if before == number]
                moves_on = source.carry_over > 0 and any(later in useful for later in after)
                if moves_on or bool(self.lines[number].any()):
                    useful.add(number)
        return [source for number, source in enumerate(self.sources) if number not in useful and source.amount > 0]

    def unpayable(self) -> list[Unpayable]:
        """Return the projects (excluded ones apart) none of whose choices can be paid for, in sorted order.

        A choice cannot be paid for when one of its lines, at the least award, needs more than all the sources that may
        pay for it have.
        """
        ledger = self.ledger
        has = [self._money([number]) for number in range(len(self.sources))]
        available = np.zeros(len(ledger.line_choice))
        for own, money in zip(self.lines, has, strict=True):
            available += own * float(money)
        low = np.where(ledger.low == 0, ledger.high, ledger.low)
        least = (ledger.low != 0).astype(np.float64)
        needed: npt.NDArray[np.float64] = low[ledger.line_choice] * ledger.share.floats * float(ledger.step)
        # A block grant can do with any money at all.
        threshold = needed * least[ledger.line_choice]
        suspects = np.flatnonzero((needed > 0) & (available <= threshold * (1 + _MARGIN)))
        short: dict[int, Unpayable] = {}
        for line in suspects.tolist():
            number = int(ledger.line_choice[line])
            choice = ledger.choices[number]
            if number in short or choice.project.status == "excluded":
                continue
            money = sum((money for own, money in zip(self.lines, has, strict=True) if own[line]), ZERO)
            part = (choice.low or choice.high) * ledger.step * ledger.share[line]
            if money == 0 or (choice.low > 0 and part > money):
                region = ledger.regions[int(ledger.line_region[line])]
                short[number] = Unpayable(
                    choice.project, region, ledger.years[int(ledger.line_year[line])], part, money
                )
        found = []
        for number in sorted({int(ledger.project_of[choice]) for choice in short}):
            choices = ledger.choices_of[ledger.projects[number].project]
            if all(choice in short for choice in choices):
                found.append(short[choices[0]])
        return found
