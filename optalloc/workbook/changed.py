"""A copy of a planner's workbook with some cells changed and everything else as it was, byte for byte.

Only the cells are rewritten, in the XML of their sheets: charts, notes, formulas with their values, macros and whatever
else a library would lose stay in the copy. ECMA-376 part 1, section 18.3.1.4 (cells), 18.2.2 (calculation properties),
18.6 (calculation chain).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape

from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_from_string

from optalloc.errors import OptallocError
from optalloc.workbook.changes import apply_changes
from optalloc.workbook.names import fold
from optalloc.workbook.opening import open_workbook
from optalloc.workbook.package import open_package
from optalloc.workbook.parts import read_contents
from optalloc.workbook.schema import SHEETS

#: A cell by sheet and address.
CellName = tuple[str, str]
Content = Decimal | str | None

_CALCULATION = re.compile(rb"<((?:\w+:)?)calcPr\b([^>]*?)(/?)>")
_FULL = re.compile(rb"\s+fullCalcOnLoad\s*=\s*(\"[^\"]*\"|'[^']*')")


def changed_copy(path: Path, changes: Mapping[CellName, Content]) -> bytes:
    """Return a workbook that has been opened safely before with cells changed: a number, a text, or None for blank.

    Where there are formulas, spreadsheet programs are told to calculate anew.

    Raises:
        OptallocError: `cannot_change`, a cell is not there, heads a formula of several cells, or the file cannot be
            copied.
    """
    with open_package(path) as package:
        parts = {sheet.name: sheet.part for sheet in read_contents(package).sheets}
    wanted: dict[str, dict[str, Content]] = {}
    for (sheet, cell), content in changes.items():
        part = parts.get(sheet)
        if part is None:
            raise _refused(sheet, cell)
        wanted.setdefault(part.lower(), {})[cell] = content
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(path) as book, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy:
            names = {info.filename: info.filename.replace("\\", "/").lstrip("/").lower() for info in book.infolist()}
            formulas = any(_has_formulas(book.read(name)) for name, plain in names.items() if "worksheets/" in plain)
            for info in book.infolist():
                data = book.read(info)
                name = names[info.filename]
                if name in wanted:
                    data = _with_cells(data, wanted.pop(name), _sheet_of(parts, name))
                elif formulas and name.endswith("workbook.xml"):
                    data = _calculated_anew(data)
                copy.writestr(info, data, compress_type=info.compress_type)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise OptallocError(
            "cannot_change", f"{path.name} cannot be copied. Open it in Excel and save it again as .xlsx."
        ) from error
    if wanted:
        raise _refused(_sheet_of(parts, next(iter(wanted))), None)
    return out.getvalue()


def cells_set(path: Path, sets: Sequence[str]) -> dict[CellName, Content]:
    """Return the cells of a workbook that `--set` changes, with their new content.

    Raises:
        WrongUse: a change names something that is not in the workbook itself.
    """
    known = {fold(word) for sheet in SHEETS for word in (sheet.name, sheet.zh)}
    grids = open_workbook(path, lambda name: fold(name) in known).grids
    found: dict[CellName, Content] = {}
    for before, after in zip(grids, apply_changes(grids, sets), strict=True):
        old = {row.number: row.values for row in before.rows}
        for row in after.rows:
            was = old.get(row.number, [])
            for position, value in enumerate(row.values):
                if value != (was[position] if position < len(was) else None):
                    place = after.place(row.number, position)
                    content = Decimal(str(value)) if isinstance(value, float) else None if value is None else str(value)
                    found[place.sheet, place.cell or ""] = content
    return found


def _sheet_of(parts: Mapping[str, str | None], part: str) -> str:
    return next(name for name, own in parts.items() if own is not None and own.lower() == part)


def _refused(sheet: str, cell: str | None) -> OptallocError:
    return OptallocError("cannot_change", "This cell cannot be changed in a copy; change it by hand.", sheet, cell)


def _has_formulas(content: bytes) -> bool:
    return re.search(rb"<(?:\w+:)?f[\s>/]", content) is not None


def _calculated_anew(content: bytes) -> bytes:
    def full(found: re.Match[bytes]) -> bytes:
        attributes = _FULL.sub(b"", found[2])
        return b"<" + found[1] + b"calcPr" + attributes.rstrip() + b' fullCalcOnLoad="1"' + found[3] + b">"

    return _CALCULATION.sub(full, content, count=1)


@dataclass
class _Finder:
    """Where the wanted cells stand in the bytes of a sheet: begin, end, prefix of names, style."""

    content: bytes
    wanted: Mapping[str, Content]
    found: dict[str, tuple[int, int, str, str | None]] = field(default_factory=dict)
    _row: int = 0
    _column: int = 0
    _open: tuple[str, int, str, str | None] | None = None
    several: str | None = None

    def find(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.Parse(self.content, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        prefix, _, word = name.rpartition(":")
        if word == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column = 0
        elif word == "c":
            if "r" in attributes:
                self._column = _number(coordinate_from_string(attributes["r"])[0])
            else:
                self._column += 1
            cell = f"{get_column_letter(self._column)}{self._row}"
            if cell in self.wanted:
                begin = self._parser.CurrentByteIndex
                self._open = (cell, begin, f"{prefix}:" if prefix else "", attributes.get("s"))
        elif word == "f" and self._open is not None and attributes.get("ref") is not None:
            self.several = self._open[0]

    def _end(self, name: str) -> None:
        if self._open is not None and name.rpartition(":")[2] == "c":
            cell, begin, prefix, style = self._open
            end = self.content.index(b">", self._parser.CurrentByteIndex) + 1
            self.found[cell] = (begin, end, prefix, style)
            self._open = None


def _number(column: str) -> int:
    number = 0
    for letter in column:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def _with_cells(content: bytes, wanted: Mapping[str, Content], sheet: str) -> bytes:
    """Return a sheet's XML with cells rewritten; their styles stay."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refused(sheet, next(iter(wanted)))
    finder = _Finder(content, wanted)
    try:
        finder.find()
    except (expat.ExpatError, ValueError) as error:
        raise _refused(sheet, next(iter(wanted))) from error
    missing = [cell for cell, value in wanted.items() if cell not in finder.found and value is not None]
    if missing or finder.several is not None:
        raise _refused(sheet, finder.several or missing[0])
    for cell, (begin, end, prefix, style) in sorted(finder.found.items(), key=lambda entry: -entry[1][0]):
        content = content[:begin] + _cell(cell, wanted[cell], prefix, style).encode() + content[end:]
    return content


def _cell(name: str, value: Content, prefix: str, style: str | None) -> str:
    styled = "" if style is None else f' s="{style}"'
    start = f'<{prefix}c r="{name}"{styled}'
    if value is None:
        return f"{start}/>"
    if isinstance(value, Decimal):
        return f"{start}><{prefix}v>{value:f}</{prefix}v></{prefix}c>"
    text = f"<{prefix}is><{prefix}t>{escape(value)}</{prefix}t></{prefix}is>"
    return f'{start} t="inlineStr">{text}</{prefix}c>'
