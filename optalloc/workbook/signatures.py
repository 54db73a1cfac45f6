"""What a file is that is no .xlsx, told by its first bytes or its parts, whatever its name says."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection

from optalloc.errors import WorkbookUnreadable

_HEAD = 4096
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: BIFF 2 to 4: a worksheet without any container.
_BARE_XLS = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")
_HTML = re.compile(r"<(!doctype\s+html|html|head|body|table|meta|style|script)\b", re.IGNORECASE)
_AS_XLSX = "Open it in Excel and save it as .xlsx."


def refuse_other_formats(file: io.BufferedReader) -> None:
    """Raise WorkbookUnreadable for anything but a zip; the file is at least one byte long."""
    file.seek(0)
    head = file.read(_HEAD)
    if head.startswith(b"PK\x03\x04"):
        return
    if head.startswith(_COMPOUND):
        _refuse_compound(file)
    if head.startswith(_BARE_XLS):
        raise WorkbookUnreadable("old_format", f"The file is in the old Excel format (.xls). {_AS_XLSX}")
    if b"%PDF-" in head[:1024]:
        raise WorkbookUnreadable("pdf", "The file is a PDF. Use the workbook it was made from.")
    text = _text(head)
    if text is not None:
        _refuse_text(text)
    raise WorkbookUnreadable("not_xlsx", f"The file is no Excel workbook (.xlsx). {_AS_XLSX}")


def refuse_other_packages(names: Collection[str], read: Callable[[str], bytes]) -> None:
    """Raise WorkbookUnreadable for zips that are something else than an .xlsx; names are in lower case."""
    if "xl/workbook.bin" in names:
        raise WorkbookUnreadable("xlsb", f"The file is a binary workbook (.xlsb). {_AS_XLSX}")
    kind = read("mimetype")[:200] if "mimetype" in names else b""
    if b"opendocument" in kind or {"content.xml", "meta-inf/manifest.xml"} <= set(names):
        raise WorkbookUnreadable("ods", "The file is an OpenDocument file (.ods). Open it and save it as .xlsx.")
    for folder, what in (("word/", "a Word document"), ("ppt/", "a PowerPoint presentation")):
        if any(name.startswith(folder) for name in names):
            raise WorkbookUnreadable("not_xlsx", f"The file is {what}, no Excel workbook. Name the workbook.")
    if any(name.endswith(".iwa") for name in names) or "index.zip" in names:
        raise WorkbookUnreadable("not_xlsx", "The file is a Numbers document. Export it from Numbers as .xlsx.")


def _refuse_compound(file: io.BufferedReader) -> None:
    """Raise for a compound file: a workbook with a password is one, and so is every .xls (MS-CFB, MS-OFFCRYPTO)."""
    mark = "EncryptedPackage".encode("utf-16-le")
    file.seek(0)
    last = b""
    while piece := file.read(1 << 20):
        if mark in last + piece:
            raise WorkbookUnreadable(
                "encrypted", "The file has a password. Open it in Excel, take the password off and save it again."
            )
        last = piece[-len(mark) :]
    raise WorkbookUnreadable("old_format", f"The file is in an old Office format (.xls). {_AS_XLSX}")


def _text(head: bytes) -> str | None:
    """Return the head as text, or None where it is none."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", errors="replace").lstrip("\ufeff")
    if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head):
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            # A character may be cut in two where the head ends.
            return head[: len(head) - 4 if len(head) == _HEAD else None].decode(encoding)
        except UnicodeDecodeError:
            try:
                return head[: len(head) - 6 if len(head) == _HEAD else None].decode(encoding)
            except UnicodeDecodeError:
                continue
    return head.decode("latin-1")


def _refuse_text(text: str) -> None:
    start = text.lstrip()
    if start.startswith("<") or start.lower().startswith("mime-version:"):
        if "urn:schemas-microsoft-com:office:spreadsheet" in text and not _HTML.match(start):
            raise WorkbookUnreadable("old_format", f"The file is an XML spreadsheet of Excel 2003. {_AS_XLSX}")
        if "urn:oasis:names:tc:opendocument" in text:
            raise WorkbookUnreadable("ods", "The file is an OpenDocument file (.fods). Open it and save it as .xlsx.")
        if _HTML.search(text) or start.lower().startswith("mime-version:"):
            raise WorkbookUnreadable("html", f"The file is a web page (HTML) under another name. {_AS_XLSX}")
        return
    lines = [line for line in start.splitlines() if line.strip()]
    if lines and (re.search("[,;\t|]", lines[0]) or start.lower().startswith("sep=")):
        raise WorkbookUnreadable("csv", f"The file is a text file with separated values (CSV). {_AS_XLSX}")
