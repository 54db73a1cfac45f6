"""A workbook opened: its sheets as grids.

Nothing a stranger wrote reaches the fast reader as it stands: the file is looked at before it is opened, its parts are
counted while they are inflated, and what is handed on is a new, small workbook of clean parts, made in memory.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.cells import RowsOutOfOrder, Scanned
from optalloc.workbook.grid import Grid, GridRow, Value
from optalloc.workbook.package import Package, damaged, open_package, shown
from optalloc.workbook.parts import Contents, SheetPart, read_contents, read_strings, read_styles
from optalloc.workbook.scan import scan_sheet

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#: Bytes of a piece of a sheet, inflated.
_PIECE = 4 << 20
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
            try:
                grids = _grids(package, contents, sheets, durations=True)
            except OverflowError:
                # More days than a duration can have: it is the format that is wrong, so read numbers there.
                grids = _grids(package, contents, sheets, durations=False)
            return OpenedWorkbook(path, tuple(s.name for s in contents.sheets), grids, package.sha256)
    except WorkbookUnreadable as error:
        message = f"{_named(path)}: {error.message}"
        raise WorkbookUnreadable(error.code, message, error.sheet, error.cell) from error
    except OSError as error:
        reason = error.strerror or "the system gives no reason"
        raise WorkbookUnreadable(
            "damaged", f"{_named(path)}: The file cannot be read to its end: {reason}. Copy it again."
        ) from error
    except MemoryError as error:
        raise WorkbookUnreadable(
            "too_large",
            f"{_named(path)}: The workbook needs more memory than there is. Take sheets out that are not needed.",
        ) from error


def _named(path: Path) -> str:
    return shown(str(path), longest=400)


def _grids(package: Package, contents: Contents, sheets: Sequence[SheetPart], *, durations: bool) -> tuple[Grid, ...]:
    """Scan the sheets, hand them on clean, and put what the scan found over what the fast reader read."""
    if not sheets:
        return ()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as clean:
        strings = _copy_strings(package, contents.strings, clean)
        styles = "" if contents.styles is None else read_styles(package, contents.styles, durations=durations)
        clean.writestr("xl/styles.xml", f'<styleSheet xmlns="{_MAIN}">{styles}</styleSheet>')
        copies = [_copy_sheet(package, sheet, strings, clean, f"sheets/{n}") for n, sheet in enumerate(sheets)]
        _write_index(clean, [name for _, names in copies for name in names], from_1904=contents.from_1904)
    file.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(file)
        file.close()
        return tuple(_grid(sheet, book, names, scan) for sheet, (scan, names) in zip(sheets, copies, strict=True))
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
    package: Package, sheet: SheetPart, strings: int, clean: zipfile.ZipFile, stem: str
) -> tuple[Scanned, list[str]]:
    """Copy the rows of a sheet, clean; return what the scan found and the names of the parts written."""
    if sheet.part is None:
        return Scanned(), []
    if sheet.part not in package:
        raise damaged(f"The part of the sheet {shown(sheet.name)} is missing.", sheet.name)
    for every_cell in (False, True):
        pieces = _Pieces(clean, f"{stem}-{int(every_cell)}")
        try:
            chunks = package.chunks(sheet.part)
            scan = scan_sheet(chunks, sheet.part, sheet.name, strings, pieces.write, every_cell=every_cell)
        except RowsOutOfOrder:
            continue
        finally:
            pieces.end()
        return scan, pieces.names
    raise AssertionError("every cell was looked at, and still the rows are out of order")


class _Pieces:
    """A sheet written as several, so that the fast reader never holds more than one piece of it."""

    def __init__(self, clean: zipfile.ZipFile, stem: str) -> None:
        self.names: list[str] = []
        self._clean = clean
        self._stem = stem
        self._part: IO[bytes] | None = None
        self._written = 0

    def write(self, rows: bytes) -> None:
        """Write some whole rows."""
        if self._part is None:
            name = f"{self._stem}-{len(self.names)}.xml"
            self.names.append(name)
            self._part = self._clean.open(f"xl/{name}", "w", force_zip64=True)
            self._part.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            self._written = 0
        self._part.write(rows)
        self._written += len(rows)
        if self._written > _PIECE:
            self.end()

    def end(self) -> None:
        """End the piece that is being written, if any."""
        if self._part is not None:
            self._part.write(b"</sheetData></worksheet>")
            self._part.close()
            self._part = None


def _write_index(clean: zipfile.ZipFile, names: Sequence[str], *, from_1904: bool) -> None:
    """Write what makes a package of the parts: sheets are named as their parts."""
    book = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(names, 1))
    clean.writestr(
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><workbookPr date1904="{int(from_1904)}"/>'
        f"<sheets>{book}</sheets></workbook>",
    )
    targets = "".join(
        f'<Relationship Id="r{n}" Type="{_RELATIONS}/worksheet" Target="{name}"/>' for n, name in enumerate(names, 1)
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


def _grid(sheet: SheetPart, book: CalamineWorkbook, names: Sequence[str], scan: Scanned) -> Grid:
    """Return the grid of a sheet: what was read, with the scan's special values over it."""
    left = min(scan.first, default=1)
    width = max(scan.last, default=0) - left + 1
    special: dict[int, dict[int, Value]] = {}
    for (row, column), value in scan.special.items():
        special.setdefault(row, {})[column - left] = value
    rows: list[GridRow] = []
    for name in names:
        for number, values in _rows(book.get_sheet_by_name(name), left, width):
            for position, value in special.pop(number, {}).items():
                values[position] = value
            if values.count(None) < width:
                rows.append(GridRow(number, values, number in scan.hidden_rows))
    for number, by_position in special.items():
        values = [by_position.get(position) for position in range(width)]
        rows.append(GridRow(number, values, number in scan.hidden_rows))
    if special:
        rows.sort(key=lambda row: row.number)
    return Grid(sheet.name, rows, left, sheet.hidden, tuple(scan.merged), tuple(sorted(scan.hidden_columns)))


def _rows(piece: CalamineSheet, left: int, width: int) -> Iterator[tuple[int, list[Value]]]:
    """Yield the rows of a piece: their numbers, and `width` values from the 1-based column `left` on."""
    if piece.start is None:
        return
    first_row, first_column = piece.start
    assert left <= first_column + 1 <= left + width - piece.width, "the scan overlooked a cell"
    before: list[Value] = [None] * (first_column + 1 - left)
    after: list[Value] = [None] * (width - len(before) - piece.width)
    for number, cells in enumerate(piece.to_python(skip_empty_area=True), first_row + 1):
        # Numbers without decimals come as integers, booleans must stay what they are.
        values: list[Value] = [None if v == "" else float(v) if type(v) is int else v for v in cells]
        yield number, before + values + after if before or after else values
