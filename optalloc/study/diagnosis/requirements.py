r"""What a round asks of a plan, each requirement a set of rows that can be left out of the programme.

    rule        a hard rule, member by member          its row
    amount      a source pays no more than its amount  its row, and that of what it carries on
    least       a source pays its share at least       its row
    link        a link between projects                Σ a <= k and so on, as in `links.py`
    mandatory   a project must be accepted             Σ accept[j] >= 1

Soft rules ask nothing. What a plan is at all (awards between their least and most, one choice for each project, who may
pay for what, excluded projects) is no requirement: without any requirement the empty plan is one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import numpy as np

from integrated_fund.evaluation import Decision
from integrated_fund.fund import Fund, fund_for_solving
from integrated_fund.payments import Payments, payments_of
from integrated_fund.pieces import RowList, stacked
from integrated_fund.round import Link, Place, Project, Round, Rule, Source
from integrated_fund.sources import SourceClasses
from optalloc.solve.arrays import Arrays, Vector, arrays_of
from optalloc.solve.exactness import Judgement

Kind = Literal["rule", "amount", "least", "link", "mandatory"]

#: Far from any bound of a scaled row, and near enough for doubles: rows of a link are over whole numbers.
_NOTHING = 0.5


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing a plan must keep. `name` is that of the rule, source (with its year), link or project.

    `of` is the row of the workbook it stands in, `place` the cell a planner would change, `rows` its rows in the
    programme.
    """

    kind: Kind
    name: str
    member: str | None
    of: Rule | Source | Link | Project
    place: Place
    rows: tuple[int, ...]

    @property
    def label(self) -> str:
        """The requirement's name in messages."""
        return self.name if self.member is None else f"{self.name} [{self.member}]"


class Requirements:
    """The requirements of a round that `check` finds no error in, and the programme they are rows of.

    Attributes:
        round: the round as it stands.
        all: its requirements: money first, rules last, each kind in the order of its sheet.
        fund: its formulation with hard rules and sources; links and mandatory projects are rows of `arrays` only.
        arrays: the programme with a row for everything.
        source_of: the position in `fund.classes.sources` of each source of the round, by source and year.
        rule_of: the number of the requirement of each limit, by the limit's name.
    """

    def __init__(self, round_: Round) -> None:
        self.round = round_
        free = replace(
            round_,
            rules=tuple(rule for rule in round_.rules if rule.penalty is None),
            links=(),
            projects=tuple(
                replace(project, status="candidate") if project.status == "mandatory" else project
                for project in round_.projects
            ),
        )
        self.fund: Fund = fund_for_solving(free)
        arrays = arrays_of(self.fund)
        added = RowList("required")
        first = len(arrays.row_lower)
        found: list[Requirement] = []
        sources = self.fund.classes.sources
        self.source_of = {(source.source, source.year): f for f, source in enumerate(sources)}
        for source in round_.sources:
            f = self.source_of[source.source, source.year]
            label = self.fund.classes.label(f)
            rows = [
                arrays.source_rows[kind, f] for kind in ("source", "source_carry") if (kind, f) in arrays.source_rows
            ]
            found.append(Requirement("amount", label, None, source, source.origin.place("amount"), tuple(rows)))
            if source.least > 0:
                row = arrays.source_rows["source_least", f]
                found.append(Requirement("least", label, None, source, source.origin.place("least"), (row,)))
        for project in round_.projects:
            if project.status == "mandatory":
                terms = [(column, 1.0) for column in self.fund.awards.accepted(project.project)]
                row = first + len(added.keys)
                added.add(row, terms, 1.0, np.inf)
                place = project.origin.place("status")
                found.append(Requirement("mandatory", project.project, None, project, place, (row,)))
        for link in round_.links:
            if link.kind != "synergy":
                row = first + len(added.keys)
                self._add_link(added, link)
                own = tuple(range(row, first + len(added.keys)))
                found.append(Requirement("link", link.link, None, link, link.origin.place("projects"), own))
        order = {rule.rule: number for number, rule in enumerate(round_.rules)}
        for limit in sorted(self.fund.appraisal.limits.rows, key=lambda limit: order[limit.rule.rule]):
            rule, row = limit.rule, arrays.rule_rows[limit.name]
            place = rule.origin.place("bound")
            found.append(Requirement("rule", rule.rule, limit.member, rule, place, (row,)))
        self.all: tuple[Requirement, ...] = tuple(found)
        by_row = {requirement.rows[0]: number for number, requirement in enumerate(found) if requirement.kind == "rule"}
        self.rule_of: Mapping[str, int] = {name: by_row[row] for name, row in arrays.rule_rows.items()}
        below = added.rows(arrays.matrix.shape[1])
        self.arrays: Arrays = replace(
            arrays,
            matrix=stacked([arrays.matrix, below.matrix], arrays.matrix.shape[1]),
            row_lower=np.append(arrays.row_lower, below.lower),
            row_upper=np.append(arrays.row_upper, below.upper),
            local=np.append(arrays.local, np.ones(len(below.lower), dtype=np.bool_)),
            row_names=(),
        )
        self.everything = frozenset(range(len(found)))

    def _add_link(self, rows: RowList, link: Link) -> None:
        accepted = [self.fund.awards.accepted(project) for project in link.projects]
        together = [(column, 1.0) for columns in accepted for column in columns]
        if link.kind in ("requires", "all_or_none"):
            for other in accepted[1:]:
                terms = [*((column, 1.0) for column in accepted[0]), *((column, -1.0) for column in other)]
                rows.add(link.link, terms, -np.inf, 0.0)
                if link.kind == "all_or_none":
                    rows.add(link.link, terms, 0.0, np.inf)
        elif link.kind == "at_least":
            rows.add(link.link, together, float(link.k or 0), np.inf)
        else:
            rows.add(link.link, together, -np.inf, 1.0 if link.kind == "excludes" else float(link.k or 0))

    def programme(self, kept: Collection[int]) -> Arrays:
        """Return the programme in which only the given requirements count."""
        lower, upper = self.arrays.row_lower.copy(), self.arrays.row_upper.copy()
        for number in self.everything.difference(kept):
            rows = list(self.all[number].rows)
            lower[rows], upper[rows] = -np.inf, np.inf
        return replace(self.arrays, row_lower=lower, row_upper=upper)

    def judged(self, decision: Decision, x: Vector, kept: Collection[int]) -> Judged:
        """Return what a decision misses of the given requirements, in exact arithmetic; x is its point."""
        evaluation = self.fund.appraisal.evaluate(decision)
        payments = payments_of(self.fund.ledger, self._classes(kept), decision)
        missed = [
            self.rule_of[value.limit.name]
            for value in evaluation.broken_limits
            if self.rule_of[value.limit.name] in kept
        ]
        # Rows of links and mandatory projects are over whole numbers: exact in doubles.
        whole = np.rint(x)
        for number in kept:
            if self.all[number].kind in ("link", "mandatory"):
                rows = list(self.all[number].rows)
                activity = self.arrays.matrix[rows] @ whole
                below = activity < self.arrays.row_lower[rows] - _NOTHING
                above = activity > self.arrays.row_upper[rows] + _NOTHING
                if below.any() or above.any():
                    missed.append(number)
        return Judged(Judgement(evaluation, payments, ()), tuple(missed))

    def _classes(self, kept: Collection[int]) -> SourceClasses:
        """Return the sources with more money than anybody asks for where the amount does not count."""
        classes = self.fund.classes
        ledger = self.fund.ledger
        most = Decimal(int(ledger.high.sum())) * ledger.round.step + 1
        sources = list(classes.sources)
        amounts = {self.source_of[_key(self.all[n])] for n in kept if self.all[n].kind == "amount"}
        leasts = {self.source_of[_key(self.all[n])] for n in kept if self.all[n].kind == "least"}
        for f, source in enumerate(sources):
            least = source.least if f in leasts else Decimal(0)
            if f in amounts:
                sources[f] = replace(source, least=least)
            elif source.amount == 0:
                sources[f] = replace(source, amount=most, least=Decimal(0))
            else:  # the least payment stays what it was
                places = max(0, most.adjusted() - source.amount.adjusted() + 1)
                sources[f] = replace(source, amount=source.amount.scaleb(places), least=least.scaleb(-places))
        return replace(classes, sources=tuple(sources))


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision in exact arithmetic, with the numbers of the requirements it misses (payments apart)."""

    judgement: Judgement
    missed: tuple[int, ...]

    @property
    def is_kept(self) -> bool:
        """Whether every requirement that counts is kept."""
        return not self.missed and isinstance(self.judgement.payments, Payments)


def _key(requirement: Requirement) -> tuple[str, int | None]:
    source = requirement.of
    assert isinstance(source, Source)
    return source.source, source.year
