"""Verdicts in words: one plain sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from optalloc.plan.verdicts import CostLine, Explanation, Otherwise, Verdict

#: Rows that a sentence names.
_NAMED = 2
_NAMED_PROJECTS = 5


def number(value: Fraction | Decimal) -> str:
    """Return a number for a sentence: five significant digits, whole numbers whole."""
    plain = Decimal(f"{float(value):.5g}")
    if abs(plain) >= 10_000:
        plain = Decimal(round(value))
    return f"{plain.normalize():,f}" if plain else "0"


def sentence_of_verdict(verdict: Verdict) -> Verdict:
    """Return a verdict with its sentence."""
    worth = f"worth {number(verdict.worth)}"
    if verdict.cost is None:
        return replace(verdict, sentence="Not funded: no source may pay for it.")
    priced = f"{worth}, {_costing(verdict)}"
    if verdict.status == "excluded":
        return replace(verdict, sentence=f"Not funded: it is excluded; {priced}.")
    if verdict.is_funded:
        how = "Funded" if verdict.decision == "funded" else "Cut back"
        if verdict.status == "mandatory":
            how += " (mandatory)"
        stays = "" if verdict.score_bound is None else f"; it stays in while it is worth {number(verdict.score_bound)}"
        short = f"; more is blocked by {_listed(verdict.blocked_by)}" if verdict.blocked_by else ""
        return replace(verdict, sentence=f"{how}: {priced}{short}{stays}.")
    blocked = f"; blocked by {_listed(verdict.blocked_by)}" if verdict.blocked_by else ""
    takes = "" if verdict.score_bound is None else f"; it takes a worth of at least {number(verdict.score_bound)}"
    return replace(verdict, sentence=f"Not funded: {priced}{blocked}{takes}.")


def _costing(verdict: Verdict) -> str:
    assert verdict.cost is not None
    if verdict.cost < 0:
        return f"and the rules it helps are worth {number(-verdict.cost)} more"
    return f"its money and its places under the rules cost {number(verdict.cost)}"


def sentence_of_explanation(explanation: Explanation, unit: str) -> str:
    """Return one sentence: decided how, worth what against what, what would turn it, what that costs."""
    verdict = explanation.verdict
    if verdict.cost is None:
        return "Not funded: no source may pay for it."
    opening = {"funded": "Funded", "cut back": "Cut back", "not funded": "Not funded"}[verdict.decision]
    if verdict.status != "candidate":
        opening += f" ({verdict.status})"
    parts = [f"{opening}: worth {number(verdict.worth)}, {_itemised(explanation.costs, verdict)}"]
    if verdict.blocked_by:
        cut_back = verdict.decision == "cut back"
        what = "more is blocked" if cut_back else "blocked"
        gets = "get more" if cut_back else "be in"
        parts.append(f"{what} by {_listed(verdict.blocked_by)}{_alone(explanation, gets)}")
    turns = _turns(explanation, unit)
    if turns:
        parts.append(turns)
    parts.append(_otherwise(explanation))
    if explanation.given_up is not None:
        parts.append(f"not everything was looked for: {explanation.given_up}")
    return "; ".join(part for part in parts if part) + "."


def _alone(explanation: Explanation, gets: str) -> str:
    """Return which obstacles alone are enough, with proof or in the best plan found, and of which that is not known."""
    proven = [name for name in explanation.alone if name not in explanation.alone_found]
    known = []
    if proven:
        known.append(f"without {_listed(proven, 'or')} alone it would {gets}")
    if explanation.alone_found:
        known.append(f"without {_listed(explanation.alone_found, 'or')} alone it would {gets} in the best plan found")
    if explanation.undecided:
        known.append(f"whether it would {gets} without {_listed(explanation.undecided, 'or')} alone is not decided")
    if not known and explanation.given_up is None:
        one = "it" if len(explanation.verdict.blocked_by) == 1 else "any one of these"
        known.append(f"without {one} alone it would still not {gets}")
    return f" ({'; '.join(known)})" if known else ""


def _itemised(costs: Sequence[CostLine], verdict: Verdict) -> str:
    """Return what costs most, and all of it in one sum."""
    assert verdict.cost is not None
    dear = [line for line in costs if line.cost > 0]
    if not dear or verdict.cost <= 0:
        return _costing(verdict)
    named = []
    if any(line.kind == "source" for line in dear):
        named.append("its money")
    rules = [line for line in dear if line.kind == "rule"]
    named += [f"its place in {_row(line)}" for line in rules[:_NAMED]]
    if len(rules) > _NAMED:
        named.append("other rules")
    verb = "costs" if len(named) == 1 else "cost"
    gained = ", less what it brings other rules," if any(line.cost < 0 for line in costs) else ""
    return f"{_listed(named)}{gained} {verb} {number(verdict.cost)}"


def _row(line: CostLine) -> str:
    return line.rule if line.member is None else f"{line.rule} [{line.member}]"


def _turns(explanation: Explanation, unit: str) -> str:
    """Return what would turn the decision, and what is proven not to."""
    funded = explanation.verdict.is_funded
    unit = f"× {unit}" if unit[:1].isdigit() else unit  # 30 × 10,000 yuan
    ways, limits = [], []
    for turn, verb, name, of in (
        (explanation.score, "fell below" if funded else "rose above", "its score", ""),
        (explanation.award, "rose to" if funded else "fell to", "its award", unit),
        (explanation.budget, "shrank to" if funded else "grew to", "the budget", unit),
    ):
        if turn is None:
            continue
        if turn.at is None or turn.found is None:
            limits.append(f"{name} alone does not turn that up to {number(turn.held)} {of}".rstrip())
            continue
        way = f"{name} {verb} {number(turn.found)} {of}".rstrip()
        if not turn.proven:
            way += " (not proven)"
        elif turn.at != turn.found:
            way += f" (proven {f'from {number(turn.at)} on' if of else f'{verb.split()[1]} {number(turn.at)}'})"
        ways.append(way)
    parts = [f"it would {'not ' if funded else ''}be funded if {_listed(ways, 'or')}"] if ways else []
    return "; ".join(parts + limits)


def _otherwise(explanation: Explanation) -> str:
    """Return what the other decision costs, and who comes and goes."""
    verdict, otherwise = explanation.verdict, explanation.otherwise
    if otherwise is None:
        if explanation.only_way:
            return "no plan is without it" if verdict.is_funded else "no plan has it"
        return ""
    cost = _lost(otherwise)
    if verdict.is_funded:
        moved = f" and lets in {_names(otherwise.enters)}" if otherwise.enters else ""
        return f"leaving it out {cost}{moved}"
    moved = f" and displaces {_names(otherwise.leaves)}" if otherwise.leaves else ""
    return f"forcing it in {cost}{moved}"


def _lost(otherwise: Otherwise) -> str:
    """Return what the other decision costs, or gains."""
    low, high = otherwise.low, otherwise.high
    if low is None and high is None:
        found = otherwise.found
        return f"{'gains' if found < 0 else 'costs'} {number(abs(found))} in the best plans found"
    if low is None or high is None:
        limit, below = (low, high is None) if low is not None else (high, False)
        assert limit is not None
        if limit < 0:
            return f"gains at {'most' if below else 'least'} {number(-limit)}"
        return f"costs at {'least' if below else 'most'} {number(limit)}"
    if low == high:
        return f"{'gains' if low < 0 else 'costs'} {number(abs(low))}"
    if high <= 0:
        return f"gains between {number(-high)} and {number(-low)}"
    if low < 0:
        return f"gains up to {number(-low)} or costs up to {number(high)}"
    return f"costs between {number(low)} and {number(high)}"


def _names(projects: Sequence[str]) -> str:
    if len(projects) <= _NAMED_PROJECTS:
        return _listed(projects)
    return f"{', '.join(projects[:_NAMED_PROJECTS])} and {len(projects) - _NAMED_PROJECTS} more"


def _listed(words: Sequence[str], joint: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joint} {words[-1]}"
