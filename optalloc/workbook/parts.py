"""The parts of a workbook beside its sheets: which sheets there are, shared strings, number formats.

ECMA-376 part 1, section 18 (SpreadsheetML), and part 2 (Open Packaging Conventions) for relationships.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.package import Package, damaged, hostile, shown
from optalloc.workbook.strict_xml import Attributes, Divider, StrictParser, local

_SMALL = 16 << 20
#: Shared strings and their bytes: a round of a million projects has about two million of them in 200 million bytes.
_MOST_STRINGS = 6_000_000
_MOST_BYTES = 512 << 20
_LONGEST_STRING = 1 << 20
_NUMBER_FORMATS = 65_536
_RELATIONSHIPS = frozenset({"http://schemas.openxmlformats.org/package/2006/relationships", ""})
_ID = re.compile("[0-9]{1,9}")
_DURATION = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_DURATIONS = (45, 46, 47)
#: A text without anything XML would have to say something about but the five named characters, as a pattern.
PLAIN_TEXT = rb"[^<&\x00-\x08\x0b-\x1f]*+(?:&(?:amp|lt|gt|quot|apos);[^<&\x00-\x08\x0b-\x1f]*+)*+"
_STRING_END = b"</si>"
_PLAIN_STRINGS = re.compile(rb'(?:<si><t(?: xml:space="preserve")?>' + PLAIN_TEXT + rb"</t></si>){1,1000}+")
_NOT_XLSX = "The file is a zip, but no Excel workbook (.xlsx): it holds no xl/workbook.xml. Name the workbook."


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet in the order of its tab: the name as it stands, the part (None: a chart, no cells) and whether hidden."""

    name: str
    part: str | None
    hidden: bool


@dataclass(frozen=True, slots=True)
class Contents:
    """What workbook.xml says: sheets, whether days count from 1904, and where strings and styles are."""

    sheets: tuple[SheetPart, ...]
    from_1904: bool
    strings: str | None
    styles: str | None


@dataclass(frozen=True, slots=True)
class _Relation:
    kind: str
    target: str | None


def read_contents(package: Package) -> Contents:
    """Read workbook.xml and its relationships, wherever the package says they are.

    Raises:
        WorkbookUnreadable: not_xlsx (no workbook.xml), xlsb, damaged, hostile.
    """
    book = _workbook_part(package)
    relations = _relations(package, book)
    sheets: list[tuple[str, str, bool]] = []
    from_1904 = False

    def start(word: str | None, attributes: Attributes) -> None:
        nonlocal from_1904
        if not parser.path and word != "workbook":
            raise damaged(f"The part {shown(book)} is no workbook.")
        if word == "workbookPr":
            from_1904 = attributes.get("date1904") in ("1", "true")
        elif word == "sheet" and parser.path == ["workbook", "sheets"]:
            relation = next((value for key, value in attributes.items() if key != "id" and local(key) == "id"), "")
            sheets.append((attributes.get("name", ""), relation, attributes.get("state", "visible") != "visible"))

    parser = StrictParser(book, start, _ignore)
    parser.feed(package.read(book, _SMALL))
    parser.close()
    if not sheets:
        raise damaged("The workbook has no sheets.")
    _refuse_twins([name for name, _, _ in sheets])
    parts = [_sheet_part(name, relations.get(relation), hidden) for name, relation, hidden in sheets]
    used = [sheet.part.lower() for sheet in parts if sheet.part is not None]
    if len(set(used)) < len(used):
        raise hostile("Two sheets of the workbook are one and the same part.")
    by_kind = {relation.kind: relation.target for relation in relations.values()}
    strings, styles = by_kind.get("sharedStrings"), by_kind.get("styles")
    return Contents(
        tuple(parts),
        from_1904,
        strings if strings is not None and strings in package else None,
        styles if styles is not None and styles in package else None,
    )


def _workbook_part(package: Package) -> str:
    book = None
    if "_rels/.rels" in package:
        relations = _relations(package, "")
        book = next((r.target for r in relations.values() if r.kind == "officeDocument" and r.target), None)
    if book is None or book not in package:
        book = "xl/workbook.xml"
    if book not in package:
        raise WorkbookUnreadable("not_xlsx", _NOT_XLSX)
    if book.lower().endswith(".bin"):
        raise WorkbookUnreadable(
            "xlsb", "The file is a binary workbook (.xlsb). Open it in Excel and save it as .xlsx."
        )
    return book


def _refuse_twins(names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise damaged(f"Two sheets of the workbook are named {shown(name)}.")
        seen.add(name.casefold())


def _sheet_part(name: str, relation: _Relation | None, hidden: bool) -> SheetPart:
    if relation is None:
        raise damaged(f"The workbook does not say where its sheet {shown(name)} is.")
    if relation.kind in ("chartsheet", "dialogsheet", "xlMacrosheet", "xlIntlMacrosheet"):
        return SheetPart(name, None, hidden)
    if relation.kind != "worksheet" or relation.target is None:
        raise damaged(f"The workbook does not say where its sheet {shown(name)} is.")
    return SheetPart(name, relation.target, hidden)


def _relations(package: Package, part: str) -> dict[str, _Relation]:
    """Return the relationships of a part ("" for the package) by id, targets as names of members."""
    folder, _, file = part.rpartition("/")
    name = posixpath.join(folder, "_rels", f"{file}.rels")
    found: dict[str, _Relation] = {}

    def start(word: str | None, attributes: Attributes) -> None:
        if word == "Relationship":
            target = None
            if attributes.get("TargetMode") != "External":
                target = _target(package, folder, attributes.get("Target", ""))
            kind = attributes.get("Type", "").rpartition("/")[2]
            found.setdefault(attributes.get("Id", ""), _Relation(kind, target))

    parser = StrictParser(name, start, _ignore, namespaces=_RELATIONSHIPS)
    parser.feed(package.read(name, _SMALL))
    parser.close()
    return found


def _target(package: Package, folder: str, target: str) -> str:
    path = target.replace("\\", "/")
    path = path[1:] if path.startswith("/") else posixpath.join(folder, path)
    path = posixpath.normpath(path)
    return path if path in package else unquote(path)


def _ignore(word: str | None) -> None:
    del word


def read_strings(package: Package, part: str) -> Iterator[tuple[bytes, int]]:
    """Yield the shared strings as clean `<si>` elements, pieces of any number of them with their count.

    Rich text is joined, phonetic readings are left out, comments and CDATA are read as XML has them.

    Raises:
        WorkbookUnreadable: damaged, hostile, too_large.
    """
    reader = _Strings(part)
    divider = Divider(reader.parser, (_STRING_END,), reader.take)
    size = count = 0
    for chunk in package.chunks(part):
        size += len(chunk)
        if size > _MOST_BYTES or count > _MOST_STRINGS:
            raise WorkbookUnreadable(
                "too_large",
                f"The workbook holds more than {_MOST_STRINGS} texts or {_MOST_BYTES >> 20} MiB of them. "
                "Take the sheets that do not belong to the round out of it.",
            )
        divider.feed(chunk)
        if reader.done:
            count += reader.count
            yield b"".join(reader.done), reader.count
            reader.done, reader.count = [], 0
    divider.close()
    if not reader.is_table:
        raise damaged(f"The part {shown(part)} holds no shared strings.")


class _Strings:
    """Handlers that gather each string of a table of shared strings."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.parser = StrictParser(part, self._start, self._end)
        self.parser.expat.CharacterDataHandler = self._text
        self.done: list[bytes] = []
        self.count = 0
        self.is_table = False
        self._pieces: list[str] = []
        self._length = 0
        self._open = False

    def take(self, data: bytes, position: int) -> int:
        """Go over plain strings from a position on; return where they end."""
        begin = position
        while match := _PLAIN_STRINGS.match(data, position):
            position = match.end()
            self.count += match[0].count(_STRING_END)
        if position > begin:
            plain = data[begin:position]
            try:
                plain.decode()
            except UnicodeDecodeError as error:
                raise damaged(f"The part {shown(self.part)} holds characters that are none.") from error
            self.done.append(plain)
        return position

    def _start(self, word: str | None, attributes: Attributes) -> None:
        del attributes
        path = self.parser.path
        if not path:
            self.is_table = word == "sst"
        if word == "si":
            self._pieces, self._length = [], 0
        self._open = word == "t" and "rPh" not in path

    def _end(self, word: str | None) -> None:
        self._open = False
        if word == "si" and len(self.parser.path) == 1:
            text = escaped("".join(self._pieces))
            self.done.append(f'<si><t xml:space="preserve">{text}</t></si>'.encode())
            self.count += 1
            self.parser.note_mark(_STRING_END)

    def _text(self, data: str) -> None:
        if self._open:
            self._length += len(data)
            if self._length > _LONGEST_STRING:
                raise hostile(f"The part {shown(self.part)} holds a text of more than a million characters.")
            self._pieces.append(data)


def escaped(text: str) -> str:
    """Return text as it may stand in an element or an attribute in double quotes."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text.replace("\r", "&#13;")


def read_styles(package: Package, part: str, *, durations: bool) -> str:
    """Return a clean style sheet with nothing but the number formats of cells: they tell dates from numbers.

    Without `durations`, formats of durations ([h]:mm) are left out: such cells are numbers then.

    Raises:
        WorkbookUnreadable: damaged, hostile.
    """
    codes: list[str] = []
    cells: list[str] = []

    def start(word: str | None, attributes: Attributes) -> None:
        around = parser.path[-1:]
        number = attributes.get("numFmtId", "")
        known = int(number) if _ID.fullmatch(number) else 0
        if word == "numFmt" and around == ["numFmts"]:
            code = attributes.get("formatCode", "")[:1000]
            if durations or not _DURATION.search(code):
                codes.append(f'<numFmt numFmtId="{known}" formatCode="{escaped(code)}"/>')
        elif word == "xf" and around == ["cellXfs"]:
            cells.append(f'<xf numFmtId="{known if durations or known not in _DURATIONS else 0}"/>')
        if len(codes) > _NUMBER_FORMATS or len(cells) > _NUMBER_FORMATS:
            raise hostile("The workbook has more formats than Excel can hold.")

    parser = StrictParser(part, start, _ignore)
    parser.feed(package.read(part, _SMALL))
    parser.close()
    return f"<numFmts>{''.join(codes)}</numFmts><cellXfs>{''.join(cells)}</cellXfs>"
