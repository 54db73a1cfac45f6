"""A workbook opened: its sheets as grids.

Nothing a stranger wrote reaches the fast reader as it stands: the file is looked at before it is opened, its parts are
counted while they are inflated, and what is handed on is a new, small workbook of clean parts, made in memory.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.grid import Grid, GridRow, Value
from optalloc.workbook.package import Package, damaged, open_package, shown
from optalloc.workbook.parts import Contents, SheetPart, read_contents, read_strings, read_styles
from optalloc.workbook.scan import RowsOutOfOrder, Scanned, scan_sheet

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


@dataclass(frozen=True)
class OpenedWorkbook:
    """The names of all sheets, the grids of those that were wanted, and the hash of the file."""

    path: Path
    sheet_names: tuple[str, ...]
    grids: tuple[Grid, ...]
    sha256: str


def open_workbook(path: Path, wanted: Callable[[str], bool]) -> OpenedWorkbook:
    """Open a workbook (.xlsx, .xlsm by value) and read the sheets whose name, as it stands, is wanted.

    Numbers are floats, texts as they stand (not stripped), blanks None. Cells no value can be taken from are `BadCell`.

    Raises:
        WorkbookUnreadable: with the code missing, folder, not_regular, no_permission, too_large, empty, encrypted,
            old_format, html, csv, pdf, ods, xlsb, not_xlsx, damaged, hostile or far_cell.
    """
    try:
        with open_package(path) as package:
            contents = read_contents(package)
            sheets = [sheet for sheet in contents.sheets if wanted(sheet.name)]
            grids = _grids(package, contents, sheets)
            return OpenedWorkbook(path, tuple(s.name for s in contents.sheets), grids, package.sha256)
    except WorkbookUnreadable as error:
        message = f"{shown(str(path))}: {error.message}"
        raise WorkbookUnreadable(error.code, message, error.sheet, error.cell) from error
    except OSError as error:
        reason = error.strerror or "the system gives no reason"
        raise WorkbookUnreadable(
            "damaged", f"{shown(str(path))}: The file cannot be read to its end: {reason}. Copy it again."
        ) from error
    except MemoryError as error:
        raise WorkbookUnreadable(
            "too_large",
            f"{shown(str(path))}: The workbook needs more memory than there is. Take sheets out that are not needed.",
        ) from error


def _grids(package: Package, contents: Contents, sheets: Sequence[SheetPart]) -> tuple[Grid, ...]:
    """Scan the sheets, hand them on clean, and put what the scan found over what the fast reader read."""
    file = io.BytesIO()
    scans: list[Scanned] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as clean:
        strings = _copy_strings(package, contents.strings, clean)
        styles = "" if contents.styles is None else read_styles(package, contents.styles)
        clean.writestr("xl/styles.xml", f'<styleSheet xmlns="{_MAIN}">{styles}</styleSheet>')
        names = []
        for number, sheet in enumerate(sheets):
            for every_cell in (False, True):
                name = f"sheets/{number}-{every_cell}.xml"
                try:
                    scan = _copy_sheet(package, sheet, strings, clean, name, every_cell=every_cell)
                except RowsOutOfOrder:
                    continue
                scans.append(scan)
                names.append(name)
                break
        _write_index(clean, names, from_1904=contents.from_1904)
    if not sheets:
        return ()
    file.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(file)
        file.close()
        return tuple(
            _grid(sheet, book.get_sheet_by_index(number), scan)
            for number, (sheet, scan) in enumerate(zip(sheets, scans, strict=True))
        )
    except CalamineError as error:
        raise damaged("The workbook cannot be read.") from error
    except BaseException as error:
        # The fast reader's own breakdowns are no ordinary exceptions; Ctrl-C is none of them.
        if type(error).__name__ != "PanicException":
            raise
        raise damaged("The workbook cannot be read.") from error


def _copy_strings(package: Package, part: str | None, clean: zipfile.ZipFile) -> int:
    """Copy the shared strings, clean; return their number."""
    count = 0
    with clean.open("xl/sharedStrings.xml", "w", force_zip64=True) as out:
        out.write(f'<sst xmlns="{_MAIN}">'.encode())
        if part is not None:
            for piece, strings in read_strings(package, part):
                out.write(piece)
                count += strings
        out.write(b"</sst>")
    return count


def _copy_sheet(
    package: Package, sheet: SheetPart, strings: int, clean: zipfile.ZipFile, name: str, *, every_cell: bool
) -> Scanned:
    with clean.open(f"xl/{name}", "w", force_zip64=True) as out:
        out.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
        if sheet.part is None:
            scan = Scanned()
        else:
            if sheet.part not in package:
                raise damaged(f"The part of the sheet {shown(sheet.name)} is missing.", sheet.name)
            chunks = package.chunks(sheet.part)
            scan = scan_sheet(chunks, sheet.part, sheet.name, strings, out.write, every_cell=every_cell)
        out.write(b"</sheetData></worksheet>")
    return scan


def _write_index(clean: zipfile.ZipFile, names: Sequence[str], *, from_1904: bool) -> None:
    """Write what makes a package of the parts: sheets are named by their numbers."""
    book = "".join(f'<sheet name="{n}" sheetId="{n + 1}" r:id="r{n}"/>' for n in range(len(names)))
    clean.writestr(
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><workbookPr date1904="{int(from_1904)}"/>'
        f"<sheets>{book}</sheets></workbook>",
    )
    targets = "".join(
        f'<Relationship Id="r{n}" Type="{_RELATIONS}/worksheet" Target="{name}"/>' for n, name in enumerate(names)
    )
    clean.writestr(
        "xl/_rels/workbook.xml.rels",
        f'<Relationships xmlns="{_PACKAGE}/relationships">{targets}</Relationships>',
    )
    clean.writestr(
        "_rels/.rels",
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    )
    clean.writestr("[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types"/>')


def _grid(sheet: SheetPart, read: CalamineSheet, scan: Scanned) -> Grid:
    """Return the grid of a sheet: what was read, with the scan's special values over it."""
    first_row, first_column = (0, 0) if read.start is None else read.start
    left = min([column - 1 for _, column in scan.special], default=first_column)
    left = left if read.start is None else min(left, first_column)
    by_row: dict[int, dict[int, Value]] = {}
    for (row, column), value in scan.special.items():
        by_row.setdefault(row, {})[column - left - 1] = value
    padding: list[Value] = [None] * (first_column - left)
    rows: list[GridRow] = []
    hidden = scan.hidden_rows
    if read.start is not None:
        for number, cells in enumerate(read.to_python(skip_empty_area=True), first_row + 1):
            values: list[Value] = [None if v == "" else float(v) if type(v) is int else v for v in cells]
            if padding:
                values = padding + values
            special = by_row.pop(number, None)
            if special is not None:
                _lay_over(values, special)
            if values.count(None) < len(values):
                rows.append(GridRow(number, values, number in hidden))
    if by_row:
        for number, special in by_row.items():
            values = []
            _lay_over(values, special)
            rows.append(GridRow(number, values, number in hidden))
        rows.sort(key=lambda row: row.number)
    return Grid(sheet.name, rows, left + 1, sheet.hidden, tuple(scan.merged), tuple(sorted(scan.hidden_columns)))


def _lay_over(values: list[Value], special: dict[int, Value]) -> None:
    values.extend([None] * (max(special) + 1 - len(values)))
    for position, value in special.items():
        values[position] = value
