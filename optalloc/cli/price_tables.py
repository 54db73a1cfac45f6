"""The price report on the screen: what costs most first."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from optalloc.cli.terminal import amount, amount_above, shown, shown_whole, table

if TYPE_CHECKING:
    from rich.console import Console

    from integrated_fund.round import Round
    from optalloc.plan.plan import Plan
    from optalloc.plan.price_report import Change, Price, PriceReport

_SHOWN = 20
_SENTENCES = 8


def print_prices(
    report: PriceReport,
    plan: Plan,
    round_: Round,
    console: Console,
    output: Path | None,
    pictures: Sequence[Path],
    seconds: dict[str, float],
) -> None:
    """Print the lines that cost something, the dearest first, and what the dearest mean in words."""
    from optalloc.cli.summary import print_overrides
    from optalloc.plan.price_report import by_cost

    console.print(f"Objective {amount(report.value, 4)}; linear relaxation {amount(report.relaxed, 4)}")
    console.print(
        f"Certificate: no plan can be worth more than {amount_above(report.bound, 4)}, "
        f"{100 * report.gap:.4f} % above this one"
        + ("; it follows from the prices below alone." if report.level == 0 else " in the first priority;")
        + ("" if report.level == 0 else " it follows from the prices of --level 1 alone.")
    )
    print_overrides(plan, console)
    if report.pool is not None:
        console.print(
            f"One unit of money ({shown(round_.unit)}) more in the pool is worth {_price(report.pool)} at the margin.\n"
        )
    costly = list(by_cost(report.lines))
    drawn = table(
        f"What costs something ({len(costly)} of {len(report.lines)} rows)",
        ["rule", "member", "", "bound", "1 more", "1 less", "in money", "step", "up", "down"],
        [False, False, False, True, True, True, True, True, True, True],
    )
    for line in costly[:_SHOWN]:
        drawn.add_row(
            shown(line.rule),
            shown(line.member or ""),
            line.sense or "",
            amount(line.bound),
            _price(line.price_more),
            _price(line.price_less),
            amount(line.exchange_rate, 4),
            amount(line.step, 4),
            _change(line.change_more),
            _change(line.change_less),
        )
    console.print(drawn)
    if len(costly) > _SHOWN:
        console.print(f"… and {len(costly) - _SHOWN} more; all stand on the Prices sheet (-o PLAN.xlsx)", style="dim")
    console.print(
        "1 more, 1 less: what one unit of the bound changes in the objective, acceptances in parts; in money: how much "
        "more in the pool gains as much; up, down: the round solved again with the bound moved by the step.\n",
        style="dim",
    )
    moved = [line for line in costly if line.step is not None]
    for line in (moved or costly)[:_SENTENCES]:
        console.print(f"• {shown_whole(line.sentence)}")
    spent = ", ".join(f"{step} {value:.1f} s" for step, value in seconds.items() if value >= 0.05)
    console.print(f"\nTime: {spent}", style="dim")
    if plan.manifest.get("stopped"):
        console.print(f"[yellow]Stopped ({plan.manifest['stopped']}): what is missing was not reached.[/]")
    if output is not None:
        console.print(f"Plan written to {shown(str(output))}, with its Prices sheet")
    if pictures:
        console.print(f"{len(pictures)} pictures drawn in {shown(str(pictures[0].parent))}")


def _price(value: Price) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return "no plan"
    return _significant(value)


def _significant(value: Decimal) -> str:
    return f"{float(value):,.4g}" if abs(value) < 10_000 else amount(value)


def _change(change: Change | None) -> str:
    """Return what was found, with the proven interval where it is one."""
    if change is None:
        return "-"
    if change.found == "-inf":
        return "no plan"
    if change.low == change.high == change.found:
        return _price(change.found)
    return f"{_price(change.found)} ({_price(change.low)} … {_price(change.high)})"
