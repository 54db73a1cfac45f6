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


RoundFile = Annotated[Path, typer.Argument(metavar="ROUND.xlsx", help="The round workbook.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there already.")]
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
