"""Workbooks built part by part, as strangers' programs, accidents and malice build them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEET = "xl/worksheets/sheet1.xml"

Parts = dict[str, bytes]


def relations(*targets: tuple[str, str, str]) -> bytes:
    """Return a part of relationships from (id, last word of the type, target)."""
    rows = "".join(f'<Relationship Id="{i}" Type="{OFFICE}/{kind}" Target="{target}"/>' for i, kind, target in targets)
    return f'{DECLARATION}<Relationships xmlns="{PACKAGE}/relationships">{rows}</Relationships>'.encode()


def sheet_xml(rows: str, before: str = "", after: str = "") -> bytes:
    """Return a worksheet around its rows."""
    return f'{DECLARATION}<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'.encode()


def strings_xml(items: str) -> bytes:
    """Return shared strings around their `<si>` elements."""
    return f'{DECLARATION}<sst xmlns="{MAIN}">{items}</sst>'.encode()


def parts(rows: str = "", before: str = "", after: str = "", strings: str = "", styles: str = "") -> Parts:
    """Return the parts of a workbook with one sheet named Projects."""
    return {
        "_rels/.rels": relations(("r1", "officeDocument", "xl/workbook.xml")),
        "[Content_Types].xml": f'{DECLARATION}<Types xmlns="{PACKAGE}/content-types"/>'.encode(),
        "xl/workbook.xml": book_xml('<sheet name="Projects" sheetId="1" r:id="r1"/>'),
        "xl/_rels/workbook.xml.rels": relations(
            ("r1", "worksheet", "worksheets/sheet1.xml"),
            ("r2", "sharedStrings", "sharedStrings.xml"),
            ("r3", "styles", "styles.xml"),
        ),
        "xl/sharedStrings.xml": strings_xml(strings),
        "xl/styles.xml": f'{DECLARATION}<styleSheet xmlns="{MAIN}">{styles}</styleSheet>'.encode(),
        SHEET: sheet_xml(rows, before, after),
    }


def book_xml(sheets: str, settings: str = "") -> bytes:
    """Return workbook.xml around its `<sheet>` elements."""
    return (
        f'{DECLARATION}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{settings}<sheets>{sheets}</sheets></workbook>'
    ).encode()


def zipped(content: Mapping[str, bytes] | Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of members, names as given."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as package:
        for name, data in content.items() if isinstance(content, Mapping) else content:
            info = zipfile.ZipInfo(name)
            info.filename = name  # the constructor cuts names at a zero and turns backslashes
            info.compress_type = method
            package.writestr(info, data)
    return file.getvalue()


def write(path: Path, content: Mapping[str, bytes]) -> Path:
    """Write a workbook of parts."""
    path.write_bytes(zipped(content))
    return path


def write_bomb(path: Path, begin: bytes, filling: bytes, end: bytes, size: int, part: str = SHEET) -> Path:
    """Write a workbook of which one part inflates to `size` bytes of a filling; its checksum is not worked out."""
    piece = filling * ((1 << 20) // len(filling))
    times = size // len(piece)
    packed = _flushed(begin) + _flushed(piece) * times + _flushed(end) + b"\x03\x00"
    members = [(name, _flushed(data) + b"\x03\x00", len(data), zlib.crc32(data)) for name, data in parts().items()]
    members = [member for member in members if member[0] != part]
    path.write_bytes(_assembled([*members, (part, packed, len(begin) + times * len(piece) + len(end), 0)]))
    return path


def with_tail(content: Mapping[str, bytes]) -> bytes:
    """Return a zip of which one deflated member has something behind its end."""
    name, data = next(iter(content.items()))
    return _assembled([(name, _flushed(data) + b"\x03\x00tail", len(data), zlib.crc32(data))])


def _flushed(data: bytes) -> bytes:
    """Return data deflated so that it can be joined with more of its kind; `03 00` ends the whole."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(data) + deflate.flush(zlib.Z_FULL_FLUSH)


def _assembled(members: Iterable[tuple[str, bytes, int, int]]) -> bytes:
    """Return a zip of deflated members: name, packed data, size and checksum as they shall be declared."""
    data, directory, count = b"", b"", 0
    for name, packed, size, crc in members:
        head = struct.pack("<5H3L", 20, 0, 8, 0, 33, crc, len(packed), size)
        entry = struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, len(data)) + name.encode()
        directory += b"PK\x01\x02\x14\0" + head + entry
        data += b"PK\x03\x04" + head + struct.pack("<2H", len(name), 0) + name.encode() + packed
        count += 1
    return data + directory + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, count, count, len(directory), len(data), 0)


def compound(stream: str) -> bytes:
    """Return the beginning of a compound file with one named stream, enough to be told by."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1528) + stream.encode("utf-16-le").ljust(512, b"\0")
