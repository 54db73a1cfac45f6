"""Explanations of projects, as a document and on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from optalloc.cli.documents import Document, number
from optalloc.cli.terminal import shown, shown_whole, table
from optalloc.plan.plan import stated

if TYPE_CHECKING:
    from rich.console import Console

    from integrated_fund.round import Round
    from optalloc.plan.plan import Plan
    from optalloc.plan.verdicts import Explanation, Otherwise

_DOCUMENT = ("status", "objective", "bound", "gap", "projects", "overrides", "without_overrides", "seconds")
_COLOURS = {"funded": "green", "cut back": "yellow", "not funded": "red"}


def without_explanations(problems: list[Document]) -> Document:
    """Return the `explain` document of a workbook with errors."""
    return {**dict.fromkeys(_DOCUMENT), "status": "invalid", "problems": problems}


def explanations_document(found: Sequence[Explanation], plan: Plan, seconds: dict[str, float]) -> Document:
    """Return the `explain` document: projects in the order asked."""
    return {
        "status": plan.status,
        "objective": number(plan.objective),
        "bound": number(plan.bound),
        "gap": number(plan.gap),
        "projects": [_project(one) for one in found],
        "overrides": plan.manifest["overrides"],
        "without_overrides": plan.manifest["without_overrides"],
        "seconds": seconds,
    }


def _project(one: Explanation) -> Document:
    verdict, otherwise = one.verdict, one.otherwise
    turns = {"award": one.award, "score": one.score, "budget": one.budget}
    return {
        "project": verdict.project,
        "title": verdict.title,
        "status": verdict.status,
        "decision": verdict.decision,
        "option": verdict.option,
        "start": verdict.start,
        "award": number(verdict.award) if verdict.is_funded else None,
        "judged_at": number(verdict.award),
        "worth": number(stated(verdict.worth)),
        "costs": [
            {
                "kind": line.kind,
                "rule": line.rule,
                "member": line.member,
                "amount": number(stated(line.amount)),
                "price": number(stated(line.price)),
                "cost": number(stated(line.cost)),
            }
            for line in one.costs
        ],
        "reduced": None if verdict.reduced is None else number(stated(verdict.reduced)),
        "blocked_by": list(verdict.blocked_by),
        "alone": list(one.alone),
        "alone_found": list(one.alone_found),
        "alone_undecided": list(one.undecided),
        "flips": {name: None if turn is None else number(turn.at) for name, turn in turns.items()},
        "flips_found": {name: None if turn is None else number(turn.found) for name, turn in turns.items()},
        "flips_from": {name: None if turn is None else number(turn.held) for name, turn in turns.items()},
        "flips_proven": {name: None if turn is None else turn.proven for name, turn in turns.items()},
        "score_bound": number(verdict.score_bound),
        "cost": None if otherwise is None else _interval(otherwise),
        "displaces": list(one.displaces),
        "enters": [] if otherwise is None else list(otherwise.enters),
        "leaves": [] if otherwise is None else list(otherwise.leaves),
        "only_way": one.only_way,
        "given_up": one.given_up,
        "sentence": one.sentence,
    }


def _interval(otherwise: Otherwise) -> Document:
    return {
        "low": number(otherwise.low),
        "high": number(otherwise.high),
        "found": number(otherwise.found),
    }


def print_explanations(
    found: Sequence[Explanation],
    plan: Plan,
    round_: Round,
    console: Console,
    output: Path | None,
    seconds: dict[str, float],
) -> None:
    """Print each project: its sentence, the table that adds up, where the decision turns, who comes and goes."""
    from optalloc.cli.summary import print_overrides

    if plan.status != "optimal":
        console.print("[yellow]The plan is not proven optimal within the gap asked for.[/]")
    print_overrides(plan, console)
    for one in found:
        _print_project(one, round_, console)
    spent = ", ".join(f"{step} {value:.1f} s" for step, value in seconds.items() if value >= 0.05)
    console.print(f"Time: {spent}", style="dim")
    if output is not None:
        console.print(f"Plan with the verdicts of all projects written to {shown(str(output))}")


def _print_project(one: Explanation, round_: Round, console: Console) -> None:
    verdict = one.verdict
    title = "" if verdict.title is None else f"  {shown(verdict.title)}"
    console.print(f"[bold]{shown(verdict.project)}[/]{title}  [{_COLOURS[verdict.decision]}]{verdict.decision}[/]")
    console.print(shown_whole(one.sentence))
    console.print()
    option = "" if verdict.option is None else f", option {shown(verdict.option)}"
    start = "" if verdict.start is None else f", from {verdict.start}"
    unit = shown(round_.unit)
    drawn = table(
        f"Worth and cost at an award of {_with_unit(verdict.award, unit)}{option}{start}",
        ["", "amount", "price", "worth"],
        [False, True, True, True],
    )
    drawn.add_row("benefit", "", "", _points(stated(verdict.worth)))
    for line in one.costs:
        name = line.rule if line.member is None else f"{line.rule} [{line.member}]"
        label = f"money of {name}" if line.kind == "source" else f"rule {name}"
        drawn.add_row(
            shown(label), _points(stated(line.amount)), _points(stated(line.price)), _points(stated(-line.cost))
        )
    if verdict.reduced is None:
        drawn.add_row("[bold]no source may pay[/]", "", "", "")
    else:
        drawn.add_row("[bold]reduced worth[/]", "", "", f"[bold]{_points(stated(verdict.reduced))}[/]")
    console.print(drawn)
    console.print()
    _print_turns(one, unit, console)


def _print_turns(one: Explanation, unit: str, console: Console) -> None:
    turns = [("score", one.score, ""), ("award", one.award, unit), ("budget", one.budget, unit)]
    known = [(name, turn, of) for name, turn, of in turns if turn is not None]
    if known:
        points = all(turn.proven and turn.at == turn.found for _, turn, _ in known)
        headings = ["the other way from"] if points else ["the other way, found", "proven"]
        drawn = table(
            "Where the decision turns", ["", "as now up to", *headings], [False, True, *(True for _ in headings)]
        )
        for name, turn, of in known:
            proven = _turned(turn.at if turn.proven else None, name, of)
            found = [] if points else [_turned(turn.found, name, of)]
            drawn.add_row(name, _with_unit(turn.held, of), *found, proven)
        console.print(drawn)
        console.print()
    if one.otherwise is not None and (one.otherwise.enters or one.otherwise.leaves):
        how = "left out" if one.verdict.is_funded else "forced in"
        for said, projects in (("enter", one.otherwise.enters), ("leave", one.otherwise.leaves)):
            if projects:
                console.print(f"With it {how}, these {said}: {shown_whole(', '.join(projects))}")
        console.print()


def _turned(value: Decimal | None, name: str, unit: str) -> str:
    """Return where the decision is the other one; a dash where that is not known."""
    if value is None:
        return "–"
    return f"{'beyond ' if name == 'score' else ''}{_with_unit(value, unit)}"


def _with_unit(value: Decimal, unit: str) -> str:
    return f"{_points(value)} {'× ' if unit[:1].isdigit() else ''}{unit}".strip()


def _points(value: Decimal) -> str:
    """Return a number with seven significant digits, and nine decimals at most."""
    if not value:
        return "0"
    rounded = round(value, min(9, max(0, 6 - value.adjusted())))
    return f"{rounded.normalize():,f}" if rounded else "0"
