"""The file and the zip in it, read without believing a word of what they say about themselves.

Zip: PKWARE APPNOTE 6.3.10, the part of it that workbooks use (one disk, stored or deflated members, zip64).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.signatures import refuse_other_formats, refuse_other_packages

#: Bytes of a file: a round of a million projects has about a hundred million.
LARGEST_FILE = 512 << 20
#: Bytes of all parts read, inflated: twice what a round of a million projects needs.
LARGEST_TOTAL = 2 << 30
#: Honest parts inflate 43 times, 121 with nothing but repeated strings; bombs 400 to 1,009 times.
LARGEST_RATIO = 200
FREE_OF_RATIO = 16 << 20
LARGEST_DIRECTORY = 8 << 20
MOST_MEMBERS = 20_000
CHUNK = 1 << 18

_SAVE_AGAIN = "Open it in Excel and save it again as .xlsx."
_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL_SIZE = 30


def damaged(what: str, sheet: str | None = None, cell: str | None = None) -> WorkbookUnreadable:
    """Return the error for a file that is broken: `what` is the sentence that says how."""
    return WorkbookUnreadable("damaged", f"{what} {_SAVE_AGAIN}", sheet, cell)


def hostile(what: str, sheet: str | None = None, cell: str | None = None) -> WorkbookUnreadable:
    """Return the error for a file that no spreadsheet program writes."""
    return WorkbookUnreadable(
        "hostile", f"{what} No spreadsheet program writes such a file: do not trust it.", sheet, cell
    )


def shown(text: str, longest: int = 80) -> str:
    """Return a name from the file as a message may quote it: short, nothing but printable characters."""
    short = text if len(text) <= longest else f"{text[:longest]}…"
    return "“" + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in short) + "”"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the zip: where its local header stands, its packed size, and what it claims to inflate to."""

    name: str
    raw_name: bytes
    method: int
    offset: int
    packed: int
    size: int
    crc: int


@dataclass
class Package:
    """An open workbook file: its members by name, in lower case and with forward slashes."""

    file: io.BufferedReader
    length: int
    sha256: str
    members: dict[str, Member]
    inflated: int = field(default=0)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.members

    def read(self, name: str, at_most: int) -> bytes:
        """Return a small part whole.

        Raises:
            WorkbookUnreadable: damaged, hostile.
        """
        content = bytearray()
        for chunk in self.chunks(name):
            content += chunk
            if len(content) > at_most:
                raise hostile(f"The part {shown(name)} is larger than {at_most >> 20} MiB.")
        return bytes(content)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a part inflated, piece by piece of at most `CHUNK` bytes, counting as it goes.

        Raises:
            WorkbookUnreadable: damaged (cut off, wrong checksum, missing), hostile (inflates beyond measure).
        """
        member = self.members.get(name.lower())
        if member is None:
            raise damaged(f"The part {shown(name)} is missing.")
        size = crc = 0
        for chunk in self._unpacked(member):
            size += len(chunk)
            self.inflated += len(chunk)
            if size > FREE_OF_RATIO and size - FREE_OF_RATIO > LARGEST_RATIO * member.packed:
                raise hostile(f"The part {shown(member.name)} inflates to more than {LARGEST_RATIO} times its size.")
            if self.inflated > LARGEST_TOTAL:
                raise hostile(f"The file inflates to more than {LARGEST_TOTAL >> 30} GiB.")
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if size != member.size or crc != member.crc:
            raise damaged(f"The part {shown(member.name)} is not what the file says it is: size or checksum differ.")

    def _unpacked(self, member: Member) -> Iterator[bytes]:
        left = member.packed
        self.file.seek(self._data_offset(member))
        inflater = zlib.decompressobj(-zlib.MAX_WBITS) if member.method == 8 else None
        while left > 0:
            packed = self.file.read(min(left, CHUNK))
            if not packed:
                raise damaged(f"The file is cut off in the part {shown(member.name)}.")
            left -= len(packed)
            if inflater is None:
                yield packed
                continue
            try:
                while packed and not inflater.eof:
                    chunk = inflater.decompress(packed, CHUNK)
                    packed = inflater.unconsumed_tail
                    if chunk:
                        yield chunk
                # What did not fit into the last piece is still inside.
                while not inflater.eof and (chunk := inflater.decompress(b"", CHUNK)):
                    yield chunk
            except zlib.error as error:
                raise damaged(f"The part {shown(member.name)} cannot be unpacked.") from error
            if inflater.eof and (inflater.unused_data or left):
                raise damaged(f"Something stands behind the end of the part {shown(member.name)}.")
        if inflater is not None and not inflater.eof:
            raise damaged(f"The part {shown(member.name)} is cut off.")

    def _data_offset(self, member: Member) -> int:
        self.file.seek(member.offset)
        header = self.file.read(_LOCAL_SIZE)
        if len(header) < _LOCAL_SIZE or header[:4] != b"PK\x03\x04":
            raise damaged(f"The part {shown(member.name)} does not stand where the file says.")
        name_length, extra_length = struct.unpack_from("<2H", header, _LOCAL_SIZE - 4)
        if self.file.read(name_length) != member.raw_name:
            raise damaged(f"The part {shown(member.name)} has two names.")
        start: int = member.offset + _LOCAL_SIZE + name_length + extra_length
        if start + member.packed > self.length:
            raise damaged(f"The file is cut off in the part {shown(member.name)}.")
        return start


@contextlib.contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """Open a workbook file and read its directory.

    Raises:
        WorkbookUnreadable: missing, folder, not_regular, no_permission, too_large, empty, encrypted, old_format, html,
            csv, pdf, ods, xlsb, not_xlsx, damaged, hostile.
    """
    with _open_regular(path) as file:
        length = os.fstat(file.fileno()).st_size
        if length == 0:
            raise WorkbookUnreadable("empty", "The file is empty. Choose the workbook itself, or copy it again.")
        if length > LARGEST_FILE:
            raise WorkbookUnreadable(
                "too_large",
                f"The file has {length >> 20} MiB; a workbook may have {LARGEST_FILE >> 20}. "
                "Take pictures and sheets that do not belong to the round out of it.",
            )
        refuse_other_formats(file)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        members = _directory(file, length)
        package = Package(file, length, digest, members)
        refuse_other_packages(set(members), lambda name: package.read(name, 1 << 20))
        yield package


def _open_regular(path: Path) -> io.BufferedReader:
    try:
        # Looked at before it is opened: opening a pipe waits for ever, and opening a device may do something.
        _refuse_irregular(path.stat().st_mode)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        file = os.fdopen(descriptor, "rb")
        try:
            _refuse_irregular(os.fstat(descriptor).st_mode)
        except BaseException:
            file.close()
            raise
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise WorkbookUnreadable("missing", "There is no such file. Check the name and the folder.") from error
    except PermissionError as error:
        raise WorkbookUnreadable(
            "no_permission", "The file may not be read by you. Ask its owner, or copy it to a folder of yours."
        ) from error
    except OSError as error:
        reason = error.strerror or "the system gives no reason"
        raise WorkbookUnreadable(
            "not_regular", f"The file cannot be opened: {reason}. Copy it to a folder of yours and try again."
        ) from error
    return file


def _refuse_irregular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise WorkbookUnreadable("folder", "This is a folder. Name the workbook in it.")
    if not stat.S_ISREG(mode):
        raise WorkbookUnreadable(
            "not_regular", "This is a device, a pipe or a socket, no file. Save the workbook as a file and name that."
        )


def _directory(file: io.BufferedReader, length: int) -> dict[str, Member]:
    """Return the members of the zip by their names, as its directory lists them."""
    count, size, offset, end = _end_of_directory(file, length)
    if count > MOST_MEMBERS or size > LARGEST_DIRECTORY:
        raise hostile(f"The file says it holds {count} parts.")
    # Something may stand before the zip: then every offset is meant from where the zip begins.
    shift = end - size - offset
    if shift < 0 or size < count * _ENTRY.size:
        raise damaged("The list of parts at the end of the file is broken.")
    file.seek(offset + shift)
    directory = file.read(size)
    if len(directory) < size:
        raise damaged("The file is cut off.")
    members: dict[str, Member] = {}
    position = 0
    for _ in range(count):
        member, position = _entry(directory, position, shift)
        key = member.name.lower()
        if key in members:
            raise hostile(f"The file holds two parts named {shown(member.name)}.")
        if not key.endswith("/"):
            members[key] = member
    return members


def _end_of_directory(file: io.BufferedReader, length: int) -> tuple[int, int, int, int]:
    """Return the directory's number of entries, size, offset and end, from the record at the end of the file."""
    tail_length = min(length, _END.size + 0xFFFF)
    file.seek(length - tail_length)
    tail = file.read(tail_length)
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or found + _END.size > len(tail):
        raise damaged("The file is cut off: the list of its parts is missing.")
    _, disk, first_disk, here, count, size, offset, _ = _END.unpack_from(tail, found)
    end = length - tail_length + found
    if end >= _END64_LOCATOR.size:
        file.seek(end - _END64_LOCATOR.size)
        signature, _, end64, _ = _END64_LOCATOR.unpack(file.read(_END64_LOCATOR.size))
        if signature == b"PK\x06\x07":
            if end64 + _END64.size > length:
                raise damaged("The list of parts at the end of the file is broken.")
            file.seek(end64)
            record = file.read(_END64.size)
            signature, _, _, _, disk, first_disk, here, count, size, offset = _END64.unpack(record)
            end = end64
            if signature != b"PK\x06\x06":
                raise damaged("The list of parts at the end of the file is broken.")
    if disk or first_disk or here != count:
        raise damaged("The file is one of several volumes.")
    return count, size, offset, end


def _entry(directory: bytes, position: int, shift: int) -> tuple[Member, int]:
    if position + _ENTRY.size > len(directory) or directory[position : position + 4] != b"PK\x01\x02":
        raise damaged("The list of parts at the end of the file is broken.")
    fields = _ENTRY.unpack_from(directory, position)
    flags, method, crc, packed, size = fields[3], fields[4], fields[7], fields[8], fields[9]
    name_length, extra_length, comment_length, offset = fields[10], fields[11], fields[12], fields[16]
    name_end = position + _ENTRY.size + name_length
    raw_name = directory[position + _ENTRY.size : name_end]
    extra = directory[name_end : name_end + extra_length]
    size, packed, offset = _zip64(extra, size, packed, offset)
    name = _safe_name(raw_name, utf8=bool(flags & 0x800))
    if flags & 0x1:
        raise WorkbookUnreadable("encrypted", "The file has a password. Take the password off and save it again.")
    if method not in (0, 8):
        raise damaged(f"The part {shown(name)} is packed in a way that Excel does not know.")
    if method == 0 and size != packed:
        raise damaged(f"The part {shown(name)} has two sizes.")
    member = Member(name, raw_name, method, offset + shift, packed, size, crc)
    return member, name_end + extra_length + comment_length


def _zip64(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return the sizes and the offset, from the zip64 field where the entry says so."""
    values = [size, packed, offset]
    wide = [place for place, value in enumerate(values) if value == 0xFFFFFFFF]
    position = 0
    while wide and position + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, position)
        if tag == 1 and length >= 8 * len(wide) and position + 4 + length <= len(extra):
            for place, value in zip(wide, struct.unpack_from(f"<{len(wide)}Q", extra, position + 4), strict=True):
                values[place] = value
            break
        position += 4 + length
    return values[0], values[1], values[2]


def _safe_name(raw: bytes, *, utf8: bool) -> str:
    """Return a member's name with forward slashes; names that lead out of the package are refused."""
    try:
        name = raw.decode("utf-8" if utf8 else "cp437").replace("\\", "/")
    except UnicodeDecodeError as error:
        raise damaged("The name of a part cannot be read.") from error
    steps = name.split("/")
    if name.startswith("/") or ".." in steps or ":" in steps[0] or "\0" in name:
        raise hostile(f"The name of a part leads out of the file: {shown(name)}.")
    return name
