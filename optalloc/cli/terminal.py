"""Text for people: tables, problems and progress, safe to show whatever a workbook has in it."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from integrated_fund.problem import Language, Problem
    from optalloc.solve.progress import Progress

_LONGEST = 120
#: Tables in a pipe or a file are not squeezed to a screen.
_PIPED_WIDTH = 160


def out() -> Console:
    """Return the console for results; colours and widths follow the terminal, NO_COLOR and pipes."""
    piped = not sys.stdout.isatty()
    return Console(highlight=False, soft_wrap=piped, width=_PIPED_WIDTH if piped else None)


def err() -> Console:
    """Return the console for messages and progress."""
    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def shown(text: str) -> str:
    """Return text from a workbook as it may be shown: no control characters, no markup, not endless."""
    safe = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)
    if len(safe) > _LONGEST:
        safe = safe[:_LONGEST] + " …"
    return escape(safe.encode(sys.stdout.encoding or "ascii", "replace").decode(sys.stdout.encoding or "ascii"))


def complain(message: str, sheet: str | None = None, cell: str | None = None) -> None:
    """Print one error on standard error."""
    where = "" if sheet is None else f"{sheet}: " if cell is None else f"{sheet}!{cell}: "
    err().print(f"[bold red]Error:[/] {shown_whole(where + message)}")


def shown_whole(text: str) -> str:
    """Return a message as it may be shown, whatever its length."""
    return escape("".join(" " if unicodedata.category(c) == "Cc" else c for c in text))


def print_problems(problems: Sequence[Problem], language: Language, console: Console) -> None:
    """Print every problem with its address: errors first, in the order of the workbook."""
    for severity, colour in (("error", "red"), ("warning", "yellow")):
        for problem in problems:
            if problem.severity != severity:
                continue
            place = "" if problem.place is None else str(problem.place)
            found = f" {_FOUND[language]} “{shown(problem.found)}”." if problem.found else ""
            console.print(f"[{colour}]{_SEVERITY[language][severity]}[/] [bold]{shown(place)}[/]{found}")
            console.print(f"    {shown_whole(problem.message(language))}")
            console.print(f"    {_EXPECTED[language]} {shown_whole(problem.expected(language))}", style="dim")
    errors = sum(problem.severity == "error" for problem in problems)
    console.print(_COUNTED[language].format(errors=errors, warnings=len(problems) - errors))


_SEVERITY = {"en": {"error": "error", "warning": "warning"}, "zh": {"error": "错误", "warning": "警告"}}
_FOUND = {"en": "found", "zh": "填写的是"}
_EXPECTED = {"en": "expected:", "zh": "应为："}
_COUNTED = {"en": "{errors} errors, {warnings} warnings", "zh": "{errors}个错误，{warnings}个警告"}


def table(title: str, columns: Sequence[str], numeric: Sequence[bool]) -> Table:
    """Return an empty table; numeric columns are set to the right."""
    drawn = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column, right in zip(columns, numeric, strict=True):
        drawn.add_column(column, justify="right" if right else "left")
    return drawn


def amount(value: Decimal | None, digits: int = 2) -> str:
    """Return a number for people: thousands apart, at most so many decimals; "-" for None."""
    if value is None:
        return "-"
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount_above(value: Decimal, digits: int = 2) -> str:
    """Return a bound for people: as `amount`, rounded up, so that it still is one."""
    return amount(value.quantize(Decimal(1).scaleb(-digits), ROUND_CEILING), digits)


def amount_below(value: Decimal, digits: int = 2) -> str:
    """Return a lower bound for people: as `amount`, rounded down."""
    return amount(value.quantize(Decimal(1).scaleb(-digits), ROUND_FLOOR), digits)


@contextmanager
def live_line() -> Iterator[LiveLine]:
    """Show one line of progress on a terminal while the block runs; nothing in a pipe."""
    line = LiveLine(err())
    try:
        yield line
    finally:
        line.close()


class LiveLine:
    """A line that is rewritten in place."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.active = console.is_terminal
        self.width = 0

    def say(self, text: str) -> None:
        """Show text instead of what stood there."""
        if self.active:
            self.console.file.write("\r" + text.ljust(self.width)[: max(20, self.console.width - 1)])
            self.console.file.flush()
            self.width = len(text)

    def hear(self, progress: Progress) -> None:
        """Show where a solve stands."""
        best = "-" if progress.best is None else f"{progress.best:,.6g}"
        bound = "-" if progress.bound is None else f"{progress.bound:,.6g}"
        gap = "-" if progress.gap is None else f"{100 * progress.gap:.4f} %"
        self.say(f"{progress.seconds:5.0f} s  {progress.phase:<28} best {best}  bound {bound}  gap {gap}")

    def close(self) -> None:
        """Wipe the line."""
        if self.active and self.width:
            self.console.file.write("\r" + " " * min(self.width, self.console.width - 1) + "\r")
            self.console.file.flush()
