"""A plan on the screen: how good it is, where the money goes, what binds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from optalloc.cli.terminal import amount, amount_above, amount_below, shown, table
from optalloc.plan.overrides import records_of, without_of
from optalloc.workbook.plan_labels import cost_in_words, word

if TYPE_CHECKING:
    from rich.console import Console

    from integrated_fund.round import Round
    from optalloc.plan.plan import Plan

_BINDING_SHOWN = 12


def print_plan(
    plan: Plan,
    round_: Round,
    console: Console,
    output: Path | None,
    seconds: dict[str, float],
    files: Sequence[str] = (),
) -> None:
    """Print a plan's summary as tables; `files` are those written beside the output."""
    proof = {"optimal": "[green]Optimal[/]", "feasible": "[yellow]Not proven optimal[/]"}[plan.status]
    gap = "unknown" if plan.gap is None else f"{100 * plan.gap:.4f} %"
    console.print(f"{proof}: objective {amount(plan.objective, 4)}, bound {amount(plan.bound, 4)}, gap {gap}")
    print_overrides(plan, console)
    stopped = plan.manifest.get("stopped")
    if stopped:
        console.print(f"[yellow]The search was stopped ({stopped}); this is the best plan it had.[/]")
    tie_break = plan.manifest.get("tie_break")
    if isinstance(tie_break, dict) and plan.gap == 0 and not tie_break["complete"]:
        console.print(f"[yellow]Other plans may be as good; the tie-break is not complete: {tie_break['reason']}.[/]")
    total = sum((award.award for award in plan.awards), Decimal(0))
    console.print(f"{len(plan.awards)} of {len(round_.projects)} projects get {amount(total)} {shown(round_.unit)}\n")
    _print_belts(plan, round_, console)
    _print_criteria(plan, console)
    _print_sources(plan, console)
    _print_binding(plan, console)
    spent = ", ".join(f"{step} {value:.1f} s" for step, value in seconds.items() if value >= 0.05)
    console.print(f"Time: {spent}", style="dim")
    if output is not None:
        console.print(
            f"Plan written to {shown(str(output))}; check it with: optalloc verify ROUND {shown(str(output))}"
        )
        if files:
            console.print(f"Its long tables are beside it, keep them together: {shown(', '.join(files))}")


def print_overrides(plan: Plan, console: Console) -> None:
    """Print the overrides that a plan has on record, with what they cost; nothing where there are none."""
    records = records_of(plan.manifest)
    if not records:
        return
    cost = cost_in_words(without_of(plan.manifest).cost, "en")
    drawn = table(
        f"Overrides, at a cost to the objective: {cost}",
        ["project", "", "by", "reason", "cost", "at least", "at most"],
        [False, False, False, False, True, True, True],
    )
    for record in records:
        one = record.override
        found, low, high = record.cost.found, record.cost.low, record.cost.high
        costs = [
            amount(found, 4),
            "" if low is None else amount_below(low, 4),
            "" if high is None else amount_above(high, 4),
        ]
        drawn.add_row(
            shown(one.project),
            word(one.kind, "en"),
            shown(one.by),
            shown(one.reason),
            *costs,
        )
    console.print(drawn)
    for record in records:
        if record.against_workbook:
            project, made = shown(record.override.project), word(record.override.kind, "en")
            console.print(f"[yellow]{project} is {record.status} in the workbook and {made} all the same.[/]")
    console.print()


def _print_belts(plan: Plan, round_: Round, console: Console) -> None:
    belt_of = {region.region: region.belt for region in round_.regions}
    by_belt: dict[str, Decimal] = {}
    for payment in plan.payments:
        belt = belt_of[payment.region]
        by_belt[belt] = by_belt.get(belt, Decimal(0)) + payment.amount
    total = sum(by_belt.values(), Decimal(0))
    drawn = table("Awards by belt", ["belt", "award", "share"], [False, True, True])
    for belt, paid in sorted(by_belt.items(), key=lambda entry: -entry[1]):
        drawn.add_row(shown(belt), amount(paid), f"{100 * paid / total:.1f} %")
    console.print(drawn)
    console.print()


def _print_criteria(plan: Plan, console: Console) -> None:
    drawn = table("Criteria", ["criterion", "value"], [False, True])
    for name, value in plan.criteria.items():
        drawn.add_row(shown(name), amount(value, 4))
    console.print(drawn)
    console.print()


def _print_sources(plan: Plan, console: Console) -> None:
    drawn = table("Sources", ["source", "year", "amount", "used", "carried on"], [False, True, True, True, True])
    for line in plan.sources:
        year = "" if line.year is None else str(line.year)
        drawn.add_row(shown(line.source), year, amount(line.amount), amount(line.used), amount(line.carried))
    console.print(drawn)
    console.print()


def _print_binding(plan: Plan, console: Console) -> None:
    tight = [line for line in plan.rules if line.violation or line.slack <= abs(line.bound) / 1000]
    if not tight:
        return
    drawn = table(
        f"Rules that bind ({len(tight)} of {len(plan.rules)} rows)",
        ["rule", "member", "activity", "", "bound", "missed by"],
        [False, False, True, False, True, True],
    )
    for line in tight[:_BINDING_SHOWN]:
        missed = amount(line.violation) if line.violation else ""
        drawn.add_row(
            shown(line.rule), shown(line.member or ""), amount(line.activity), line.sense, amount(line.bound), missed
        )
    console.print(drawn)
    if len(tight) > _BINDING_SHOWN:
        console.print(f"… and {len(tight) - _BINDING_SHOWN} more on the Rules sheet of the plan", style="dim")
    console.print()
