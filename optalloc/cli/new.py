"""`optalloc new`: the input template, empty or with an example in it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from optalloc.cli.options import AsJson, Force, Lang
from optalloc.errors import DONE

EXAMPLES = (
    "Examples: optalloc new round.xlsx  |  optalloc new round.xlsx --example small  |  optalloc new 轮次.xlsx --lang zh"
)


class Example(StrEnum):
    """The example rounds."""

    small = "small"
    national = "national"


def new(
    workbook: Annotated[Path, typer.Argument(metavar="ROUND.xlsx", help="The workbook to write.", show_default=False)],
    example: Annotated[
        Example | None, typer.Option(help="Fill in an example: a dozen projects, or a whole country.")
    ] = None,
    lang: Annotated[Lang, typer.Option("--lang", help="Language of headings, notes and the guide.")] = Lang.en,
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    """Write the round workbook for planners to fill in: with notes, drop-downs and a guide."""
    from optalloc.cli.documents import print_document
    from optalloc.cli.terminal import out
    from optalloc.workbook.template import write_template

    tables = None
    if example is not None:
        from optalloc.examples import EXAMPLES as ROUNDS

        tables = ROUNDS[example.value]()
    write_template(workbook, tables, language=lang.value, force=force)
    if as_json:
        print_document({"written": str(workbook)})
    else:
        out().print(f"Wrote {workbook}. Fill it in, then: optalloc check {workbook}", markup=False)
    return DONE
