"""A copy of a planner's workbook with the cells at fault marked and a note on each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from integrated_fund.problem import Language, Problem
from optalloc.errors import OptallocError
from optalloc.workbook.files import refuse_ending, refuse_output, write_whole

_FILLS = {"error": PatternFill("solid", fgColor="F8B4B4"), "warning": PatternFill("solid", fgColor="FFE699")}
_CELL = re.compile(r"[A-Z]{1,3}[1-9]\d*", re.ASCII)
_TABS = {"error": "C00000", "warning": "FFC000"}


def annotate(
    path: Path,
    problems: Sequence[Problem],
    output: Path,
    *,
    language: Language,
    force: bool,
    inputs: Sequence[Path] = (),
) -> None:
    """Write a marked copy of a workbook that has been opened safely before; `inputs` are other files read with it.

    Raises:
        WrongUse: the output is there already (without `force`), is an input, or cannot be written, or its name ends
            otherwise than the workbook's.
        OptallocError: the workbook has something in it that cannot be copied.
    """
    refuse_ending(output, path.suffix)
    refuse_output(output, force=force, inputs=[path, *inputs])
    try:
        book = load_workbook(path, keep_vba=path.suffix.lower() == ".xlsm")
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        raise OptallocError(
            "cannot_mark", "This workbook has parts that cannot be copied, so no marked copy was made; see the list."
        ) from error
    by_cell: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        place = problem.place
        # Rows of a projects file have no cell to mark, even where a sheet has the file's name.
        if place is not None and place.sheet in book.sheetnames and _CELL.fullmatch(place.cell or ""):
            by_cell.setdefault((place.sheet, place.cell or ""), []).append(problem)
    for (sheet, cell_name), found in by_cell.items():
        page = book[sheet]
        worst = "error" if any(problem.severity == "error" for problem in found) else "warning"
        cell = page[cell_name]
        cell.fill = _FILLS[worst]
        note = Comment("\n".join(problem.message(language) for problem in found), "optalloc")
        note.width, note.height = 340, 60 + 40 * len(found)
        if hasattr(cell, "comment"):
            cell.comment = note
        if page.sheet_properties.tabColor is None or worst == "error":
            page.sheet_properties.tabColor = _TABS[worst]
    write_whole(output, book.save, force=force, inputs=[path, *inputs])
