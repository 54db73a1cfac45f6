r"""Whether links are well formed, and whether a plan can keep them all.

A link is a clause on acceptances. From what is mandatory (in) and excluded (out), everything that follows link by link
is worked out until nothing changes (unit propagation): requires and all_or_none carry projects in or out, a full
`at_most` puts the others out, an `at_least` with none to spare takes the others in. A link that then cannot hold is a
contradiction. A candidate is tried the same way: taken in on its own, does a link break?
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from integrated_fund.checks.problems import listed, problem
from integrated_fund.problem import Problem
from integrated_fund.round import Link, Round

#: Kinds that say how many.
_COUNTING = ("at_least", "at_most")
#: Trying candidates stops after so many looks at a project in a link: it is for warnings only, and must not take long
#: where thousands of links hang together.
_LOOKS = 2_000_000


def link_fields(round_: Round) -> Iterator[Problem]:
    """Links with too few projects, one twice, or fields that their kind needs or does not have."""
    for link in round_.links:
        if len(link.projects) < 2:
            yield problem("link_too_few", link.origin, "projects", "; ".join(link.projects))
        for name, times in Counter(link.projects).items():
            if times > 1:
                yield problem("link_project_repeated", link.origin, "projects", name)
        if link.kind in _COUNTING:
            least, most = (1 if link.kind == "at_least" else 0), len(link.projects)
            if link.k is None:
                yield problem("link_k_missing", link.origin, "k", least=str(least), most=str(most))
            elif not least <= link.k <= most:
                yield problem("link_k_outside", link.origin, "k", link.k, least=str(least), most=str(most))
        elif link.k is not None:
            yield problem("link_k_unused", link.origin, "k", link.k)
        for column, value in (("criterion", link.criterion), ("value", link.value)):
            if link.kind == "synergy" and value is None:
                yield problem(f"synergy_without_{column}", link.origin, column)
            elif link.kind != "synergy" and value is not None:
                yield problem(f"{column}_without_synergy", link.origin, column, value)


def contradictions(round_: Round) -> Iterator[Problem]:
    """Links that no plan can keep (errors), and candidates that links keep out of every plan (warnings)."""
    clauses = _Clauses(round_)
    broken = clauses.settle()
    for link in broken:
        projects = listed([name for name in link.projects if name in clauses.state])
        yield problem("links_contradict", link.origin, "projects", "; ".join(link.projects), projects=projects)
    if broken:
        return
    for name, link in clauses.never_accepted():
        yield problem("never_accepted", link.origin, "projects", name, project=name, link=link.link)


@dataclass(slots=True)
class _Clause:
    """A link with the number of its projects that are in and out."""

    link: Link
    inside: int = 0
    outside: int = 0


class _Clauses:
    """The links of a round as clauses, and what is known of each project: in (True), out (False), open (no key).

    Deciding a project takes time in proportion to its links, and what follows from a link is carried out once: working
    out everything is linear in the size of the links.
    """

    def __init__(self, round_: Round) -> None:
        known = {project.project for project in round_.projects if not project.is_block_grant}
        self._clauses = [
            _Clause(link)
            for link in round_.links
            if link.kind != "synergy"
            and known.issuperset(link.projects)
            and len(set(link.projects)) == len(link.projects) >= 2
            and (link.kind not in _COUNTING or (link.k is not None and 0 <= link.k <= len(link.projects)))
        ]
        self._clauses_of: dict[str, list[_Clause]] = {}
        for clause in self._clauses:
            for name in clause.link.projects:
                self._clauses_of.setdefault(name, []).append(clause)
        self.state: dict[str, bool] = {}
        self._put_out_by: dict[str, Link] = {}
        self._looks = 0
        self._excluded: set[str] = set()
        for project in round_.projects:
            if project.status != "candidate" and project.project in self._clauses_of:
                self._decide(project.project, inside=project.status == "mandatory")
                if project.status == "excluded":
                    self._excluded.add(project.project)

    def settle(self) -> list[Link]:
        """Work out all that follows from mandatory and excluded projects; return the links that are broken."""
        return self._propagate(self._clauses, [], stop_at_first=False)

    def never_accepted(self) -> Iterator[tuple[str, Link]]:
        """Yield candidates that are in no plan, each with the link that shows it. Only after a `settle` without any."""
        for name, clauses in self._clauses_of.items():
            if self.state.get(name) is False and name not in self._excluded:
                yield name, self._put_out_by[name]
            elif name not in self.state and self._looks < _LOOKS:
                self._decide(name, inside=True)
                trail = [name]
                broken = self._propagate(clauses, trail, stop_at_first=True)
                for changed in trail:
                    self._undo(changed)
                if broken:
                    yield name, broken[0]

    def _decide(self, name: str, *, inside: bool) -> None:
        self.state[name] = inside
        for clause in self._clauses_of[name]:
            if inside:
                clause.inside += 1
            else:
                clause.outside += 1
        self._looks += len(self._clauses_of[name])

    def _undo(self, name: str) -> None:
        inside = self.state.pop(name)
        self._put_out_by.pop(name, None)
        for clause in self._clauses_of[name]:
            if inside:
                clause.inside -= 1
            else:
                clause.outside -= 1

    def _propagate(self, start: Iterable[_Clause], trail: list[str], *, stop_at_first: bool) -> list[Link]:
        """Extend the state by all that follows; return the broken links. `trail` gets every project it decides."""
        waiting = deque(start)
        broken: dict[str, Link] = {}
        while waiting:
            clause = waiting.popleft()
            link = clause.link
            if self._is_broken(clause):
                broken[link.link] = link
                if stop_at_first:
                    break
                continue
            for name, inside in self._what_follows(clause):
                if not inside:
                    self._put_out_by[name] = link
                self._decide(name, inside=inside)
                trail.append(name)
                waiting += self._clauses_of[name]
        return list(broken.values())

    def _is_broken(self, clause: _Clause) -> bool:
        link = clause.link
        if link.kind == "requires":
            return self.state.get(link.projects[0]) is True and clause.outside > 0
        if link.kind == "all_or_none":
            return clause.inside > 0 and clause.outside > 0
        if link.kind == "at_least":
            return len(link.projects) - clause.outside < _number(link)
        return clause.inside > _number(link)

    def _what_follows(self, clause: _Clause) -> list[tuple[str, bool]]:
        """Return the undecided projects of a link that is not broken, with what they must be; none if all is open."""
        link = clause.link
        if clause.inside + clause.outside == len(link.projects):
            return []
        if link.kind == "requires":
            needing = link.projects[0]
            if self.state.get(needing) is True:
                must_be: bool | None = True
            else:
                return [(needing, False)] if clause.outside > 0 and needing not in self.state else []
        elif link.kind == "all_or_none":
            must_be = True if clause.inside else False if clause.outside else None
        elif link.kind == "at_least":
            must_be = True if len(link.projects) - clause.outside == _number(link) else None
        else:
            must_be = False if clause.inside == _number(link) else None
        if must_be is None:
            return []
        self._looks += len(link.projects)
        return [(name, must_be) for name in link.projects if name not in self.state]


def _number(link: Link) -> int:
    """Return how many projects a link is about: 1 for excludes, its k for at_least and at_most."""
    if link.kind == "excludes":
        return 1
    assert link.k is not None
    return link.k
