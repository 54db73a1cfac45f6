"""A diagnosis as a document, and on the screen: the conflict, the repairs, what is proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from optalloc.cli.documents import Document, number, price, rounded
from optalloc.cli.terminal import amount, shown, shown_whole, table

if TYPE_CHECKING:
    from rich.console import Console

    from integrated_fund.round import Round
    from optalloc.plan.price_report import PriceLine
    from optalloc.study.diagnosis.conflict import Conflict
    from optalloc.study.diagnosis.diagnosis import Alternative, Diagnosis
    from optalloc.study.diagnosis.movable import Change
    from optalloc.study.diagnosis.requirements import Requirement

#: Lines of a conflict that are shown in short, and members of a rule that have a line each.
_SHORT = 6
_APART = 3


def diagnosis_document(
    diagnosis: Diagnosis,
    round_: Round,
    stopped: str | None,
    seconds: Mapping[str, float],
    costly: Sequence[PriceLine],
    written: Path | None,
) -> Document:
    """Return the `diagnose` document. Costs are weighted money in the round's unit.

    `costly` are the dearest rules of a round that has a plan, `written` is the repaired copy that was written.
    """
    from optalloc.solve.manifest import WORK_LIMIT

    alternatives = [_alternative(alternative) for alternative in diagnosis.alternatives]
    first = alternatives[0] if alternatives else None
    conflict = diagnosis.conflict
    total: object = None if first is None else first["total"]
    if diagnosis.status == "feasible":
        total = 0
    return {
        "status": diagnosis.status,
        "conflict": [] if conflict is None else [_requirement(one, round_) for one in conflict.requirements],
        "irreducible": None if conflict is None else conflict.irreducible,
        "repair": [] if first is None else first["repair"],
        "total": total,
        "proven": None if first is None else first["proven"],
        "bound": None if diagnosis.bound is None else _money(diagnosis.bound),
        "alternatives": alternatives,
        "left_alone": [str(place) for place in diagnosis.left_alone],
        "written": None if written is None else str(written),
        "costly": [
            {
                "rule": line.rule,
                "member": line.member,
                "price_more": price(line.price_more),
                "price_less": price(line.price_less),
                "exchange_rate": number(line.exchange_rate),
                "sentence": line.sentence,
            }
            for line in costly
        ],
        "stopped": stopped if diagnosis.complete or stopped else WORK_LIMIT,
        "seconds": rounded(seconds),
    }


def _requirement(one: Requirement, round_: Round) -> Document:
    """Return what is in a conflict; `rule` and `member` are those of its row in the price report."""
    from integrated_fund.round import Source

    rule: str | None = None if one.kind == "mandatory" else one.name
    member = one.member
    if isinstance(one.of, Source):
        rule = one.of.source
        member = str(one.of.year) if round_.years > 1 else None
    return {
        "kind": one.kind,
        "rule": rule,
        "member": member,
        "name": one.name,
        "cells": [str(one.place)],
    }


def _alternative(alternative: Alternative) -> Document:
    return {
        "kind": alternative.which,
        "repair": [_change(change) for change in alternative.repair.changes],
        "total": _money(alternative.repair.total),
        "proven": alternative.proven,
    }


def _change(change: Change) -> Document:
    movable = change.movable
    return {
        "kind": movable.kind,
        "name": movable.name,
        "sheet": movable.place.sheet,
        "cell": movable.place.cell,
        "from": number(movable.before) if isinstance(movable.before, Decimal) else movable.before,
        "to": number(change.to) if isinstance(change.to, Decimal) else change.to,
        "cost": _money(change.cost),
        "authority": movable.rank,
    }


def _money(value: Fraction) -> int | float | None:
    from optalloc.plan.plan import stated

    return number(stated(value))


def print_diagnosis(
    diagnosis: Diagnosis,
    round_: Round,
    console: Console,
    round_file: Path,
    apply: Path | None = None,
    written: Path | None = None,
    costly: Sequence[PriceLine] = (),
    sets: Sequence[str] = (),
) -> None:
    """Print the whole diagnosis; `costly` are the dearest rules of a round that has a plan, `sets` its changes.

    `apply` is the copy that was asked for, `written` the one that was written.
    """
    name = shown(" ".join([str(round_file), *(f"--set '{typed}'" for typed in sets)]))
    if sets:
        changes = "; ".join(sets)
        console.print(f"With {shown(changes)}. The workbook itself is not changed.\n")
    if diagnosis.status == "feasible":
        console.print("[green]A plan exists.[/]")
        if costly:
            console.print("\nThe rules that cost most, at the margin:")
        for line in costly:
            console.print(f"• {shown_whole(line.sentence)}")
        console.print(f"\nWhat every rule costs, and when it is moved: optalloc prices {name}")
        _print_not_written(apply, console)
        return
    if diagnosis.status == "unknown":
        console.print("[yellow]No plan was found, and none was shown not to exist, before the search stopped.[/]")
        _print_not_written(apply, console)
        return
    console.print("[bold red]No plan exists.[/]\n")
    if diagnosis.conflict is not None:
        _print_conflict(diagnosis.conflict, round_, console)
    if not diagnosis.alternatives:
        console.print(
            "No repair was found."
            if not diagnosis.complete
            else "No change of other bounds, amounts, links or mandatory projects gives this round a plan."
            if diagnosis.left_alone
            else "No change of bounds, amounts, links or mandatory projects gives this round a plan."
        )
    for place, alternative in enumerate(diagnosis.alternatives, 1):
        _print_alternative(place, alternative, round_.unit, console)
    if len(diagnosis.alternatives) and diagnosis.bound is not None:
        least = _shown(min(diagnosis.bound, diagnosis.alternatives[0].repair.total))
        console.print(f"No repair costs less than {least}, apart from rounding shares.", style="dim")
    if diagnosis.left_alone:
        places = ", ".join(str(place) for place in diagnosis.left_alone)
        console.print(f"Left alone, as shares with = that no repair can be worked out for here: {shown(places)}")
    if not diagnosis.complete:
        console.print("[yellow]Not everything is proven: the search stopped at a limit.[/]")
    if written is not None:
        with_sets = ", the changes of --set in it," if sets else ""
        console.print(
            f"Repaired copy{with_sets} written to {shown(str(written))}; next: optalloc solve {shown(str(written))}"
        )
    elif apply is not None:
        _print_not_written(apply, console)
    elif diagnosis.alternatives:
        more = ", --alternative N for another" if len(diagnosis.alternatives) > 1 else ""
        console.print(f"Write the repaired copy: optalloc diagnose {name} --apply repaired.xlsx{more}")


def _print_not_written(apply: Path | None, console: Console) -> None:
    if apply is not None:
        console.print(f"There is no repair to apply: {shown(str(apply))} was not written.")


def print_short(diagnosis: Diagnosis, round_: Round, console: Console, round_file: Path, changed: bool) -> None:
    """Print the conflict and the cheapest repair; `changed` says that cells were changed for this run."""
    if diagnosis.conflict is not None:
        _print_conflict(diagnosis.conflict, round_, console, most=_SHORT)
    for alternative in diagnosis.alternatives[:1]:
        _print_alternative(1, alternative, round_.unit, console)
    if changed:
        console.print("The cells are meant with the changes of --set in them.")
    console.print(
        f"Other repairs, and a repaired copy: optalloc diagnose {shown(str(round_file))} --apply repaired.xlsx"
    )


def _print_conflict(conflict: Conflict, round_: Round, console: Console, most: int | None = None) -> None:
    count = len(conflict.requirements)
    if count == 1:
        console.print("This cannot be kept, whatever else is left out:")
    elif conflict.irreducible:
        console.print(f"These {count} cannot be kept together; with any one of them left out, the others can:")
    else:
        console.print(f"These {count} cannot be kept together (not proven that each of them is needed for that):")
    lines = _lines(conflict, round_)
    for place, text in lines[:most]:
        console.print(f"  [bold]{shown(place):<14}[/] {shown(text)}")
    if most is not None and len(lines) > most:
        console.print(f"  … and {len(lines) - most} more", style="dim")
    console.print()


def _lines(conflict: Conflict, round_: Round) -> list[tuple[str, str]]:
    """Return what is printed of a conflict: cell and sentence; many members of a rule stand on one line."""
    members: dict[str, list[Requirement]] = {}
    for one in conflict.requirements:
        members.setdefault(f"{one.kind} {one.name}", []).append(one)
    found = []
    for group in members.values():
        if len(group) <= _APART:
            found += [(str(one.place), f"{one.label}: {_sentence(one, round_)}") for one in group]
        else:
            names = ", ".join(sorted(one.member or "" for one in group))
            text = f"{group[0].name}, {len(group)} members ({names}), such as: {_sentence(group[0], round_)}"
            found.append((str(group[0].place), text))
    return found


def _sentence(one: Requirement, round_: Round) -> str:
    from integrated_fund.round import Link, Rule, Source
    from integrated_fund.sentences import sentence_of

    row = one.of
    if isinstance(row, Rule):
        return sentence_of(row, one.member)
    if isinstance(row, Source):
        if one.kind == "amount":
            return f"no more than {amount(row.amount)} ({round_.unit}) can be paid"
        return f"at least {100 * row.least.normalize():f} % of {amount(row.amount)} must be spent"
    if isinstance(row, Link):
        k = "" if row.k is None else f" {row.k}"
        return f"{row.kind.replace('_', ' ')}{k} of {', '.join(row.projects)}"
    return "must be accepted"


def _print_alternative(place: int, alternative: Alternative, unit: str, console: Console) -> None:
    from optalloc.study.diagnosis.authority import WEIGHTS

    repair = alternative.repair
    which = {
        "cheapest": "Cheapest repair",
        "money only": "Repair by money only",
        "fewer cells": "Repair in fewer cells",
    }
    title = f"{place}. {which.get(alternative.which, 'Other cells')}: costs {_shown(repair.total)}, in {shown(unit)}"
    proof = "proven: with it there is a plan" if alternative.proven else "not proven"
    drawn = table(
        f"{title} ({proof})",
        ["cell", "what", "from", "to", "cost", "authority"],
        [False, False, True, True, True, False],
    )
    for change in repair.changes:
        movable = change.movable
        drawn.add_row(
            shown(str(movable.place)),
            shown(f"{movable.name}, {movable.kind}"),
            _content(movable.before),
            "(row emptied)" if change.to is None else _content(change.to),
            _shown(change.cost),
            "" if movable.rank == "blank" else f"{movable.rank}, × {WEIGHTS[movable.rank]:,}",
        )
    console.print(drawn)
    console.print()


def _shown(value: Fraction) -> str:
    from optalloc.plan.plan import stated

    return amount(stated(value))


def _content(value: Decimal | str) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else shown(value)
