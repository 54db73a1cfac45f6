"""A workbook opened: its sheets as grids."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.grid import Grid, GridRow


@dataclass(frozen=True)
class OpenedWorkbook:
    """The names of all sheets, the grids of those that were wanted, and the hash of the file."""

    path: Path
    sheet_names: tuple[str, ...]
    grids: tuple[Grid, ...]
    sha256: str


def open_workbook(path: Path, wanted: Callable[[str], bool]) -> OpenedWorkbook:
    """Open a workbook and read the wanted sheets.

    Raises:
        WorkbookUnreadable: the file cannot be read.
    """
    if not path.exists():
        raise WorkbookUnreadable("missing", f"There is no file {path}. Check the name and the folder.")
    try:
        data = path.read_bytes()
        book = CalamineWorkbook.from_path(str(path))
    except (OSError, CalamineError) as error:
        raise WorkbookUnreadable("not_xlsx", f"{path} is no Excel workbook (.xlsx). Save it as .xlsx.") from error
    grids = []
    for name in book.sheet_names:
        if wanted(name):
            sheet = book.get_sheet_by_name(name)
            start = sheet.start or (0, 0)
            rows = [
                GridRow(
                    start[0] + number + 1,
                    [
                        None if v == "" else float(v) if isinstance(v, int) and not isinstance(v, bool) else v
                        for v in row
                    ],
                )
                for number, row in enumerate(sheet.to_python(skip_empty_area=True))
            ]
            grids.append(Grid(name, [r for r in rows if any(v is not None for v in r.values)], start[1] + 1))
    return OpenedWorkbook(path, tuple(book.sheet_names), tuple(grids), hashlib.sha256(data).hexdigest())
