"""The best decision of projects that links tie together, found by comparing all that keep the links.

Decisions of a project that no link can tell apart are one state: with a discount a synergy tells starts apart. Links
that tie projects of more than `COMBINATIONS` combinations of states together are left out: each project is decided
alone, and each synergy adds the most it may. Without links more can be decided, so a bound stays a bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

from integrated_fund.round import Link, Project, Round
from optalloc.plan.decisions import Decision
from optalloc.plan.lines import ZERO
from optalloc.plan.members import possible_starts
from optalloc.plan.rulings import first_level, link_is_kept, synergy_value

#: Combinations of states that are compared at most.
COMBINATIONS = 4096


class NothingPossible(Exception):
    """A project, or some that links tie together, has no decision that keeps its status and links: there is no plan."""


@dataclass(frozen=True, slots=True)
class _State:
    """A project accepted or not, and what that is worth at best; `start` only where a link can tell starts apart."""

    project: str
    accepted: bool
    start: int | None
    worth: Fraction


@dataclass(frozen=True, slots=True)
class _Group:
    """Projects that links tie together, and the links."""

    projects: list[str]
    links: list[Link]


def best_worths(round_: Round, decisions: Sequence[Decision]) -> list[Fraction]:
    """Return what the best decision of each group of projects is worth, in units of the first level.

    Raises:
        NothingPossible: a group has none.
    """
    by_project: dict[str, list[Decision]] = {project.project: [] for project in round_.projects}
    for one in decisions:
        by_project[one.project.project].append(one)
    projects = {project.project: project for project in round_.projects}
    synergies = _Synergies(round_, projects)
    found: list[Fraction] = []
    linked: set[str] = set()
    for group in _groups(round_.links):
        told_apart = synergies.told_apart(group.links)
        states = [_states(projects[name], by_project[name], name in told_apart) for name in group.projects]
        # A decision that nobody may pay for counts here too: what is compared does not depend on prices or money.
        if prod(1 + _count(by_project[name], name in told_apart) for name in group.projects) <= COMBINATIONS:
            found.append(_together(group, states, synergies))
            linked.update(group.projects)
        else:
            found += [synergies.most(link) for link in group.links if link.kind == "synergy"]
    for name, project in projects.items():
        if name not in linked:
            found.append(_best([state.worth for state in _states(project, by_project[name], False)], [name]))
    return found


def _groups(links: Sequence[Link]) -> list[_Group]:
    group_of: dict[str, _Group] = {}
    for link in links:
        tied = {id(own): own for name in link.projects for own in [group_of.setdefault(name, _Group([name], []))]}
        joined = max(tied.values(), key=lambda group: len(group.projects))
        for own in tied.values():
            if own is not joined:
                joined.projects.extend(own.projects)
                joined.links.extend(own.links)
                group_of.update(dict.fromkeys(own.projects, joined))
        joined.links.append(link)
    return list({id(group): group for group in group_of.values()}.values())


def _count(decisions: Sequence[Decision], by_start: bool) -> int:
    return len({one.start if by_start else None for one in decisions})


def _states(project: Project, decisions: Sequence[Decision], by_start: bool) -> list[_State]:
    """Return what can become of a project; nothing at all where it is mandatory and nobody may pay for it."""
    best: dict[tuple[bool, int | None], Fraction] = {}
    if project.status != "mandatory":
        best[False, None] = ZERO
    for one in decisions:
        if one.worth is not None:
            key = (True, one.start if by_start else None)
            best[key] = max(best.get(key, one.worth), one.worth)
    return [_State(project.project, accepted, start, worth) for (accepted, start), worth in best.items()]


def _together(group: _Group, states: Sequence[Sequence[_State]], synergies: _Synergies) -> Fraction:
    hard = [link for link in group.links if link.kind != "synergy"]
    soft = [link for link in group.links if link.kind == "synergy"]
    worths = []
    for chosen in product(*states):
        start = {state.project: state.start for state in chosen if state.accepted}
        accepted = frozenset(start)
        if all(link_is_kept(link, accepted) for link in hard):
            worth = sum((state.worth for state in chosen), ZERO)
            worths.append(worth + sum((synergies.value(link, start) for link in soft), ZERO))
    return _best(worths, group.projects)


def _best(worths: Sequence[Fraction], projects: Sequence[str]) -> Fraction:
    if not worths:
        raise NothingPossible(", ".join(projects))
    return max(worths)


class _Synergies:
    """What synergies add to the first level of the objective."""

    def __init__(self, round_: Round, projects: Mapping[str, Project]) -> None:
        self._round, self._projects = round_, projects
        self._factor = {criterion.criterion: factor for criterion, factor in first_level(round_)}
        self._at: dict[tuple[str, int | None], Fraction] = {}

    def told_apart(self, links: Sequence[Link]) -> frozenset[str]:
        """Return the projects whose starts links can tell apart."""
        if not self._round.discount:
            return frozenset()
        return frozenset(name for link in links if link.kind == "synergy" for name in link.projects)

    def value(self, link: Link, start: Mapping[str, int | None]) -> Fraction:
        """Return what a synergy adds, given the accepted projects with their starts."""
        if not all(name in start for name in link.projects):
            return ZERO
        return self._from(
            link, max((year for name in link.projects if (year := start[name]) is not None), default=None)
        )

    def most(self, link: Link) -> Fraction:
        """Return the most a synergy can add: all of it, from the first start of any of its projects."""
        starts = [year for name in link.projects for year in possible_starts(self._projects[name], self._round)]
        return max(ZERO, self._from(link, min((year for year in starts if year is not None), default=None)))

    def _from(self, link: Link, last: int | None) -> Fraction:
        """Return what a synergy adds whose last project starts in a year."""
        key = (link.link, last)
        if key not in self._at:
            value = synergy_value(link, self._round, dict.fromkeys(link.projects, last))
            self._at[key] = self._factor.get(link.criterion or "", ZERO) * value
        return self._at[key]
