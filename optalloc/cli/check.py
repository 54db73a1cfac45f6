"""`optalloc check`: every mistake of a workbook at once, each with its cell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optalloc.cli.options import AsJson, Force, Language, RoundFile, Sets
from optalloc.errors import DONE, INVALID

EXAMPLES = "Examples: optalloc check round.xlsx  |  optalloc check round.xlsx --annotate marked.xlsx"


def check(
    round_file: RoundFile,
    annotate: Annotated[
        Path | None, typer.Option(metavar="OUT.xlsx", help="Write a copy with the cells at fault marked.")
    ] = None,
    sets: Sets = None,
    lang: Language = None,
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    """Find every mistake in a round workbook, with its cell and how to mend it.

    Exit code 0: the workbook is well made (there may be warnings); 2: it has errors.
    """
    from optalloc.cli.documents import print_document, problems_of
    from optalloc.cli.reading import read_checked
    from optalloc.cli.terminal import out, print_problems
    from optalloc.workbook.files import refuse_ending, refuse_output

    if annotate is not None:
        refuse_ending(annotate, round_file.suffix)
        refuse_output(annotate, force=force, inputs=[round_file])
    checked = read_checked(round_file, sets or [], lang)
    if annotate is not None:
        from optalloc.workbook.annotate import annotate as write_marked

        write_marked(
            round_file, checked.problems, annotate, language=checked.language, force=force, inputs=checked.inputs
        )
    if as_json:
        print_document({"problems": problems_of(checked.problems, checked.language)})
    else:
        console = out()
        print_problems(checked.problems, checked.language, console)
        if annotate is not None:
            console.print(f"[green]✓[/] {annotate}" if console.encoding.startswith("utf") else f"Wrote {annotate}")
    return INVALID if checked.round is None else DONE
