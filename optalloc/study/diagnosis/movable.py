r"""What a repair may change: the cells of a workbook that stand between it and a plan, and what moving each costs.

    kind        cell                    moves by             costs
    bound       Rules, bound            a grid (below)       what the bound moves by on the left side, as money
    amount      Sources, amount         steps, upwards only  the money
    least       Sources, least          a grid, downwards    the money that need no longer be spent
    link        Links, the row emptied  once                 the least awards of its projects, added up
    mandatory   Projects, status        once, to candidate   the least award of the project

times the weight of the authority it stands on (`authority.py`; links and projects have none, weight 1).

A bound moves one way (`>=` down, `<=` up) or both (`=`), and with it all members of the rule. One unit of the bound
as typed comes to, on the left side of the rule,

    U = 1, the attribute of the member                (of blank, per or an attribute)
    U = the funds of the repaired round               (of funds)
    U = ratio · Σ of the base at the plan found       (of total: ratio 1; of average: attribute / attribute of all)

and its cost is |to − from| · max over members of U · the money of one unit of the measure: 1 for award and cofunding,
else what a typical project gets for it (median max_award / median of the measure where it is not 0; accepted: 1).
Likewise `least` costs |to − from| · the amount of the repaired round.

Grid: bounds on money move by whole steps where they are typed so, other plain bounds by their last decimal, at most 1;
shares and rates by the power of ten at most a two-hundredth of them, or their last decimal where that is finer. So 65 %
moves by 0.1 points, and what comes out can be read.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from integrated_fund.round import Link, Place, Project, Round, Rule, Source
from optalloc.study.diagnosis.authority import WEIGHTS, Rank, rank_of

Kind = Literal["bound", "amount", "least", "link", "mandatory"]

#: A share or rate moves by at most this part of itself.
_FINENESS = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Movable:
    """One cell that a repair may change. `name` is that of the rule, source (with its year), link or project.

    `grid` is what it moves by at least (1 where it moves once), `unit_cost` the weighted money of one unit: of the left
    side for a bound, of money for a source, of moving at all for a link or project. `before` is what the cell says;
    `clears` are the cells that are emptied where the row goes.
    """

    kind: Kind
    name: str
    row: Rule | Source | Link | Project
    place: Place
    before: Decimal | str
    grid: Decimal
    unit_cost: Fraction
    rank: Rank
    clears: tuple[Place, ...] = ()

    @property
    def is_share(self) -> bool:
        """Whether it is a bound that multiplies what is decided: awards or amounts."""
        rule = self.row
        return isinstance(rule, Rule) and (
            rule.of in ("total", "average") or (rule.of == "funds" and rule.sense != "=")
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A cell changed: its new content (None: the row is emptied) and the weighted money it costs."""

    movable: Movable
    to: Decimal | str | None
    cost: Fraction


def movables_of(round_: Round) -> tuple[Movable, ...]:
    """Return what may be changed of a round that `check` finds no error in: money first, then bounds, links, projects.

    Not among them: soft rules, and projects that stand in a file beside the workbook.
    """
    found: list[Movable] = []
    for source in round_.sources:
        rank = rank_of(source.authority)
        weight = Fraction(WEIGHTS[rank])
        name = source.source if source.year is None or round_.years == 1 else f"{source.source}@{source.year}"
        place = source.origin.place
        found.append(Movable("amount", name, source, place("amount"), source.amount, round_.step, weight, rank))
        if source.least > 0:
            fine = _fine(source.least)
            found.append(Movable("least", name, source, place("least"), source.least, fine, weight, rank))
    typical = statistics.median(Fraction(project.max_award) for project in round_.projects)
    for rule in round_.rules:
        if rule.penalty is None:
            rank = rank_of(rule.authority)
            cost = WEIGHTS[rank] * _money_of(rule.measure, round_, typical)
            place = rule.origin.place
            found.append(Movable("bound", rule.rule, rule, place("bound"), rule.bound, _grid(rule, round_), cost, rank))
    least_award = {project.project: _least_award(project, round_) for project in round_.projects}
    for link in round_.links:
        if link.kind != "synergy":
            cost = sum((least_award[project] for project in link.projects), Fraction(0))
            columns = link.origin.table.columns
            cells = tuple(link.origin.place(column) for column in columns)
            found.append(
                Movable("link", link.link, link, link.origin.place("link"), link.link, Decimal(1), cost, "blank", cells)
            )
    for project in round_.projects:
        if project.status == "mandatory" and not project.origin.table.is_file:
            cost = least_award[project.project]
            place = project.origin.place
            found.append(
                Movable("mandatory", project.project, project, place("status"), "mandatory", Decimal(1), cost, "blank")
            )
    return tuple(found)


def _least_award(project: Project, round_: Round) -> Fraction:
    own = project.max_award if project.min_award is None else project.min_award
    options = (
        o.max_award if o.min_award is None else o.min_award for o in round_.options if o.project == project.project
    )
    return Fraction(min((own, *options)))


def _money_of(measure: str, round_: Round, typical: Fraction) -> Fraction:
    """Return what one unit of a measure costs in money."""
    if measure in ("award", "cofunding"):
        return Fraction(1)
    if measure == "accepted":
        return typical
    values = [abs(value) for project in round_.projects if (value := project.measures.get(measure))]
    return typical / Fraction(statistics.median(values)) if values else typical


def _grid(rule: Rule, round_: Round) -> Decimal:
    if rule.of is not None or rule.per is not None:
        return _fine(rule.bound)
    if rule.measure == "award" and rule.bound % round_.step == 0:
        return round_.step
    return min(Decimal(1), _last_decimal(rule.bound))


def _last_decimal(value: Decimal) -> Decimal:
    exponent = value.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return Decimal(1).scaleb(exponent)


def _fine(value: Decimal) -> Decimal:
    """Return a power of ten that a share or rate moves by."""
    if value == 0:
        return Decimal("0.001")
    return min(Decimal(1).scaleb((value * _FINENESS).adjusted()), _last_decimal(value))


def with_changes(round_: Round, changes: Iterable[Change]) -> Round:
    """Return the round as it is with the cells changed."""
    by_row = {(change.movable.kind, id(change.movable.row)): change.to for change in changes}

    def changed(kind: Kind, row: object, before: Decimal) -> Decimal:
        to = by_row.get((kind, id(row)), before)
        assert isinstance(to, Decimal)
        return to

    return replace(
        round_,
        sources=tuple(
            replace(s, amount=changed("amount", s, s.amount), least=changed("least", s, s.least))
            for s in round_.sources
        ),
        rules=tuple(replace(rule, bound=changed("bound", rule, rule.bound)) for rule in round_.rules),
        links=tuple(link for link in round_.links if ("link", id(link)) not in by_row),
        projects=tuple(
            replace(project, status="candidate") if ("mandatory", id(project)) in by_row else project
            for project in round_.projects
        ),
    )


def with_unit_bounds(round_: Round) -> Round:
    """Return the round with its hard rules only, each with a bound of 1."""
    hard = (rule for rule in round_.rules if rule.penalty is None)
    return replace(round_, rules=tuple(replace(rule, bound=Decimal(1)) for rule in hard))
