"""Arguments and options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Lang(StrEnum):
    """The language of headings and messages."""

    en = "en"
    zh = "zh"


class Ways(StrEnum):
    """The ways to search."""

    auto = "auto"
    direct = "direct"
    core = "core"


RoundFile = Annotated[Path, typer.Argument(metavar="ROUND.xlsx", help="The round workbook.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there already.")]
ForceOr = Annotated[
    list[str] | None,
    typer.Option(
        "--force",
        metavar="[PROJECT]",
        show_default=False,
        help="Alone: replace files that are there already. With a project, or several as P07;P09: force them into the "
        "plan, on record, with --by and --reason.",
    ),
]
Forbid = Annotated[
    list[str] | None,
    typer.Option(metavar="PROJECT", help="Keep a project out of the plan, on record, with --by and --reason."),
]
By = Annotated[str | None, typer.Option(help="Who decided the overrides; goes on record.")]
Reason = Annotated[str | None, typer.Option(help="Why; goes on record.")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SHEET.KEY.COLUMN=CHANGE",
        help="Change a cell for this run only: a value, `=0.4`, `*1.1`, `+500`, `-500`. May be given several times.",
    ),
]
Language = Annotated[
    Lang | None,
    typer.Option("--lang", help="Language of messages; default: that of the workbook.", show_default=False),
]
Gap = Annotated[str | None, typer.Option(help="Relative gap to prove, 0.0001 or 0.01%; default: the round's own.")]
#: Of a study: `solve` says what a search ends with.
StudyTimeLimit = Annotated[
    float | None, typer.Option(min=0.0, help="Seconds after which what is known so far is reported.")
]
StudyMethod = Annotated[Ways, typer.Option(help="How to search, see `optalloc solve --help`.")]
