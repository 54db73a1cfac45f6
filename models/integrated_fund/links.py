r"""Links between projects. a[p] = Σ_{j of p} accept[j] is 1 if p is accepted.

    requires      a[first] - a[p] <= 0            for each other p
    excludes      Σ a <= 1
    all_or_none   a[first] - a[p] = 0             for each other p
    at_least      Σ a >= k
    at_most       Σ a <= k
    synergy       z[s] <= a[p started by s],  z[s] >= Σ_p a[p started by s] - n + 1,  0 <= z[s] <= 1

A synergy counts from the last start among its members, so z[s] says whether all of them started by year s, and the
discounted value is Σ_s (discount[s] - discount[s+1]) · z[s] with discount[last+1] = 0. Both sides of z are written:
which of them binds depends on the signs of the value and of the weight. Without a discount one z is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import chain

import numpy as np
import pyomo.environ as pyo

from integrated_fund.awards import Awards
from integrated_fund.criteria import discount_factors, synergies_of
from integrated_fund.ledger import Ledger
from integrated_fund.names import distinct_names
from integrated_fund.pieces import Columns, RowList, Rows
from integrated_fund.round import Link

Terms = list[tuple[int, float]]


class Links:
    """The links: the columns z ("together"), which follow those of the awards, and all rows.

    Attributes:
        columns, rows: the pieces.
        value: of each synergy by name, in its criterion's unit, as (column, coefficient).
        row_keys: the keys of each link's rows by name; a synergy is no limit and has none.
    """

    def __init__(self, ledger: Ledger, awards: Awards) -> None:
        self._ledger, self._awards = ledger, awards
        self.value: dict[str, Terms] = {}
        self.row_keys: dict[str, list[str]] = {link.link: [] for link in ledger.round.links}
        keys: list[tuple[str, int]] = []
        only_if, together_if = RowList("together_only_if"), RowList("together_if")
        synergies = synergies_of(ledger)
        factors = discount_factors(ledger)
        for link, name in zip(synergies, distinct_names(link.link for link in synergies), strict=True):
            years = self._years_that_tell(link)
            value: Terms = []
            for s, later in zip(years, [*years[1:], None], strict=True):
                z = awards.size + len(keys)
                keys.append((name, s))
                started = [self._started_by(project, s) for project in link.projects]
                for number, member in enumerate(started):
                    only_if.add((name, s, number), [*_times(-1.0, member), (z, 1.0)], -np.inf, 0.0)
                together_if.add((name, s), [*_times(-1.0, *started), (z, 1.0)], 1.0 - len(started), np.inf)
                assert link.value is not None
                weight = Fraction(link.value) * (factors[s] - (0 if later is None else factors[later]))
                value.append((z, float(weight)))
            self.value[link.link] = value
        size = awards.size + len(keys)
        self.columns = Columns("together", lambda: keys, pyo.Reals, np.zeros(len(keys)), np.ones(len(keys)))
        self.rows: tuple[Rows, ...] = (self._links().rows(size), only_if.rows(size), together_if.rows(size))

    def _links(self) -> RowList:
        """Return the rows of all links but synergies."""
        rows = RowList("link")
        links = sorted(self._ledger.round.links, key=lambda link: link.link)
        for link, name in zip(links, distinct_names(link.link for link in links), strict=True):
            accepted = [self._awards.accepted(project) for project in link.projects]
            together = _times(1.0, *accepted)
            own = self.row_keys[link.link]
            if link.kind in ("requires", "all_or_none"):
                least = 0.0 if link.kind == "all_or_none" else -np.inf
                for number, other in list(enumerate(accepted))[1:]:
                    own.append(f"{name}_{number}")
                    rows.add(own[-1], [*_times(1.0, accepted[0]), *_times(-1.0, other)], least, 0.0)
            elif link.kind in ("excludes", "at_most"):
                own.append(name)
                rows.add(name, together, -np.inf, 1.0 if link.k is None else float(link.k))
            elif link.kind == "at_least":
                assert link.k is not None
                own.append(name)
                rows.add(name, together, float(link.k), np.inf)
        return rows

    def _started_by(self, project: str, year: int) -> list[int]:
        choices = self._ledger.choices_of[project]
        return [int(self._awards.accept_column[j]) for j in choices if self._start_code(j) <= year]

    def _start_code(self, choice: int) -> int:
        start, first = self._ledger.choices[choice].start, self._ledger.round.first_year
        return 0 if start is None or first is None else start - first

    def _years_that_tell(self, link: Link) -> list[int]:
        """Return the years by which a member can have started, as far as the discount tells them apart."""
        choices = chain.from_iterable(self._ledger.choices_of[project] for project in link.projects)
        starts = sorted({self._start_code(j) for j in choices})
        return starts if self._ledger.round.discount else starts[-1:]


def _times(coefficient: float, *columns: Sequence[int]) -> Terms:
    return [(column, coefficient) for column in chain.from_iterable(columns)]
