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


def write_bomb(path: Path, begin: bytes, filling: bytes, times: int, end: bytes, part: str = SHEET) -> Path:
    """Write a workbook of which one part repeats a filling; streamed, so that any size can be made."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for name, data in parts().items():
            if name != part:
                package.writestr(name, data)
        with package.open(part, "w", force_zip64=True) as out:
            out.write(begin)
            piece = filling * max(1, (1 << 20) // len(filling))
            for _ in range(max(1, times * len(filling) // len(piece))):
                out.write(piece)
            out.write(end)
    return path


def with_tail(content: Mapping[str, bytes]) -> bytes:
    """Return a zip of which one deflated member has something behind its end."""
    name, data = next(iter(content.items()))
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(data) + deflate.flush() + b"tail"
    head = struct.pack("<5H3L", 20, 0, 8, 0, 33, zlib.crc32(data), len(packed), len(data))
    member = b"PK\x03\x04" + head + struct.pack("<2H", len(name), 0) + name.encode() + packed
    entry = b"PK\x01\x02" + b"\x14\0" + head + struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, 0) + name.encode()
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, len(entry), len(member), 0)
    return member + entry + end


def compound(stream: str) -> bytes:
    """Return the beginning of a compound file with one named stream, enough to be told by."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1528) + stream.encode("utf-16-le").ljust(512, b"\0")
