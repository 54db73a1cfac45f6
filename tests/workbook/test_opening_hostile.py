"""The worst files: each gives one clear error in time and within bounds of memory, or is read."""

from __future__ import annotations

import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.opening import open_workbook
from tests.workbook import hostile

SECONDS = 20
#: What a process may map: 1 GiB for the file, the rest for the interpreter, its libraries and the stacks of threads.
MEMORY = 3 << 29

_CHILD = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
from pathlib import Path
from optalloc.errors import WorkbookUnreadable
from optalloc.workbook.opening import open_workbook
try:
    book = open_workbook(Path(sys.argv[1]), lambda _: True)
except WorkbookUnreadable as error:
    print(error.code)
else:
    print("read", sum(len(grid.rows) for grid in book.grids))
"""

HEAD, TAIL = hostile.sheet_xml("X").split(b"X")
CELL = b'<row r="1"><c r="A1"'


GIB = 1 << 30


def bomb(
    begin: bytes, filling: bytes, end: bytes, *, size: int = GIB, part: str = hostile.SHEET
) -> Callable[[Path], Path]:
    return lambda path: hostile.write_bomb(path, begin, filling, end, size, part)


def of_parts(make: Callable[[], hostile.Parts]) -> Callable[[Path], Path]:
    return lambda path: hostile.write(path, make())


def noise(count: int, letters: bytes) -> bytes:
    return random.Random(3).randbytes(count).translate(bytes(letters[n % len(letters)] for n in range(256)))


def many_members(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as package:
        for number in range(30_000):
            package.writestr(f"xl/{number}.xml", b"")
    return path


def quine(path: Path) -> Path:
    """Members that overlap: a hundred entries of the directory for one and the same packed megabyte."""
    content = hostile.parts()
    data = hostile.zipped({**content, hostile.SHEET: HEAD + b" " * (12 << 20) + TAIL})
    position = data.index(b"PK\x01\x02")
    directory, end = data[position:-22], data[-22:]
    entry = directory[directory.rindex(b"PK\x01\x02") :]
    extra = b"".join(entry.replace(b"sheet1", b"shee%02d" % number) for number in range(99))
    count = len(content) + 99
    end = end[:8] + count.to_bytes(2, "little") * 2 + (len(directory) + len(extra)).to_bytes(4, "little") + end[16:]
    path.write_bytes(data[:position] + directory + extra + end)
    return path


STRINGS_HEAD, STRINGS_TAIL = hostile.strings_xml("X").split(b"X")

WORST: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a GiB of blanks": (bomb(HEAD, b" ", TAIL), "hostile"),
    "a GiB of blank rows": (bomb(HEAD, b"<row/>", TAIL), "damaged"),
    "a number of a GiB": (bomb(HEAD + CELL + b"><v>", b"1", b"</v></c></row>" + TAIL), "hostile"),
    "a text of a GiB": (bomb(HEAD + CELL + b' t="str"><v>', b"a", b"</v></c></row>" + TAIL), "hostile"),
    "a tag of a GiB": (bomb(HEAD + CELL + b' x="', b"a", b'"/></row>' + TAIL), "hostile"),
    "a comment of a GiB": (bomb(HEAD + b"<!--", b"a", b"-->" + TAIL), "hostile"),
    "nesting of a GiB": (bomb(HEAD, b"<a>", TAIL), "hostile"),
    "one cell without end": (bomb(HEAD + b'<row r="1">', b'<c r="A1"><v>1</v></c>', b"</row>" + TAIL), "damaged"),
    "merges without end": (
        bomb(HEAD + TAIL[:12] + b"<mergeCells>", b'<mergeCell ref="A1:B2"/>', b"</mergeCells></worksheet>"),
        "hostile",
    ),
    "a GiB of shared strings": (
        bomb(STRINGS_HEAD, b"<si><t>a</t></si>", STRINGS_TAIL, part="xl/sharedStrings.xml"),
        "too_large",
    ),
    "a shared string of a GiB": (
        bomb(STRINGS_HEAD + b"<si><t>", b"a", b"</t></si>" + STRINGS_TAIL, part="xl/sharedStrings.xml"),
        "hostile",
    ),
    "workbook.xml of a GiB": (bomb(b"<workbook>", b" ", b"</workbook>", part="xl/workbook.xml"), "hostile"),
    "styles of a GiB": (bomb(b"<styleSheet>", b" ", b"</styleSheet>", part="xl/styles.xml"), "hostile"),
    "a million blank rows with a format": (
        of_parts(lambda: hostile.parts("".join(f'<row r="{n}" s="1" customFormat="1"/>' for n in range(1, 1_048_577)))),
        "read 0",
    ),
    "blank rows with a cell": (
        of_parts(lambda: hostile.parts("".join(f'<row r="{n}"><c r="A{n}" s="1"/></row>' for n in range(1, 200_000)))),
        "read 0",
    ),
    "a value at the end of the grid": (
        of_parts(lambda: hostile.parts('<row r="1048576"><c r="A1048576"/><c r="XFD1048576"><v>1</v></c></row>')),
        "read 1",
    ),
    "values at both ends of the grid": (
        of_parts(
            lambda: hostile.parts(
                '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
            )
        ),
        "far_cell",
    ),
    "an id in the last row": (
        of_parts(
            lambda: hostile.parts(
                "".join(
                    f'<row r="{n}">' + "".join(f'<c r="{c}{n}"><v>1</v></c>' for c in "ABCDEFGHIJKLMNOPQ") + "</row>"
                    for n in (*range(1, 1000), 1048576)
                )
            )
        ),
        "far_cell",
    ),
    "sixteen thousand columns": (
        of_parts(lambda: hostile.parts('<row r="1">' + "<c><v>1</v></c>" * 16385 + "</row>")),
        "damaged",
    ),
    "an enormous count of strings": (
        of_parts(
            lambda: {
                **hostile.parts('<row r="1"><c r="A1"><v>1</v></c></row>'),
                "xl/sharedStrings.xml": f'<sst xmlns="{hostile.MAIN}" uniqueCount="999999999999"/>'.encode(),
            }
        ),
        "read 1",
    ),
    "laughs": (
        of_parts(
            lambda: {
                **hostile.parts(),
                hostile.SHEET: (
                    "<!DOCTYPE x [<!ENTITY a0 'ha'>"
                    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
                    + f"]><worksheet xmlns='{hostile.MAIN}'><sheetData>&a11;</sheetData></worksheet>"
                ).encode(),
            }
        ),
        "hostile",
    ),
    "thirty thousand members": (many_members, "hostile"),
    "overlapping members": (quine, "read 0"),
    "a tag of noise": (
        of_parts(
            lambda: {**hostile.parts(), hostile.SHEET: HEAD + CELL + b' x="' + noise(9 << 20, b"abcdefgh") + b'"/>'}
        ),
        "hostile",
    ),
    "a comment of noise": (
        of_parts(
            lambda: {**hostile.parts(), hostile.SHEET: HEAD + b"<!--" + noise(9 << 20, b"ab</row>") + b"-->" + TAIL}
        ),
        "hostile",
    ),
}


@pytest.mark.parametrize(("make", "outcome"), WORST.values(), ids=WORST.keys())
def test_worst_files_in_time_and_bounds(tmp_path: Path, make: Callable[[Path], Path], outcome: str) -> None:
    path = make(tmp_path / "round.xlsx")
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path)], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert (child.returncode, child.stdout.strip(), child.stderr) == (0, outcome, "")


def test_broken_bytes_are_read_or_refused(tmp_path: Path) -> None:
    """A thousand files with a few bytes changed, cut or doubled: nothing but the one kind of error."""
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="s"><v>{n % 2}</v></c><c r="B{n}"><f>A1</f><v>{n}.5</v></c></row>'
        for n in range(1, 9)
    )
    content = hostile.parts(rows, strings="<si><t>a</t></si><si><t>b</t></si>")
    chance = random.Random(11)
    path = tmp_path / "round.xlsx"
    refused = 0
    for number in range(1000):
        if number % 2:
            data = bytearray(hostile.zipped(content, zipfile.ZIP_STORED))
            _break(data, chance)
        else:
            name = chance.choice(list(content))
            part = bytearray(content[name])
            _break(part, chance)
            data = bytearray(hostile.zipped({**content, name: bytes(part)}))
        path.write_bytes(data)
        try:
            open_workbook(path, lambda _: True)
        except WorkbookUnreadable:
            refused += 1
    assert 300 < refused < 1000


def _break(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 3)):
        position = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[position] = chance.randrange(256)
            case 1:
                data[position] = chance.choice(b"<>&\"'/ 019:rct")
            case 2:
                del data[position : position + chance.randint(1, 9)]
            case _:
                data[position:position] = data[position : position + chance.randint(1, 40)]
