"""A table on a sheet of the plan: headings in row 1, then the rows, styled and ready to print.

Totals stand beside the table, a column apart, so that programs find nothing but its rows below its headings. Rows are
written from top to bottom, so that large plans can go straight to the disk.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Literal

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from integrated_fund.problem import Language
from optalloc.errors import OptallocError
from optalloc.workbook.grid import column_letter
from optalloc.workbook.plan_labels import PlanSheet, word

#: Excel's first row of data; the headings stand in row 1.
FIRST_ROW = 2

_LAST_ROW = 1_048_576
_LONGEST_TEXT = 32_767
#: What XML cannot hold or no cell should: control characters (tab and line feed apart), halves of pairs.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MOST_PLACES = 6
_WIDEST = 46
#: The width of the empty column between a table and what stands beside it.
_GAP = 3
#: Points; Excel has no row higher than 409.
LINE_HEIGHT = 13.5
_MOST_LINES = 30
#: Letters of running text to one digit, in which widths are counted; fewer than there are, so that no line is cut off.
_LETTERS = 1.15
#: Headings longer than this take two lines where the cells below need less.
_LONG_HEADING = 16
_HEADING_HEIGHT = 20
#: Characters Excel keeps of the head of a page, and the columns of letters from which on a note there takes two lines.
_MOST_HEADER, _NOTE_LINE = 255, 110

INK, BLUE, PALE, LINE, GREY, AMBER, GREEN = (
    "#1F2933",
    "#1F4E79",
    "#E8EEF4",
    "#9FB3C8",
    "#66727F",
    "#B45309",
    "#2F7D4F",
)

#: Kinds of columns that are set to the right.
_RIGHT = ("number", "mixed", "share")

Kind = Literal["text", "long", "year", "number", "mixed", "share"]


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula with the value it has, exactly, when the workbook is written."""

    text: str
    value: Decimal | str


Cell = None | str | int | Decimal | Formula


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading and its cells.

    Its numbers show the same decimals all the way down, as many as they need unless `places` says so; a `mixed` column
    is one of different units, its cells in per cent where `in_percent` says so. A `share` is a fraction shown in per
    cent. `long` texts are wrapped, at a width of at most `widest`.
    """

    heading: str | Formula
    cells: Sequence[Cell]
    kind: Kind = "text"
    places: int | None = None
    in_percent: Sequence[bool] = ()
    widest: int = 2 * _WIDEST


class Styles:
    """The formats of a workbook, each made once."""

    _NAMED: dict[str, dict[str, object]] = {  # noqa: RUF012 - a table, never changed
        "caption": {"bold": True, "font_size": 15, "font_color": BLUE},
        "note": {"font_color": GREY, "font_size": 9},
        "section": {"bold": True, "font_size": 12, "font_color": BLUE, "bottom": 1, "bottom_color": LINE},
        "heading": {
            "bold": True,
            "bg_color": PALE,
            "bottom": 1,
            "bottom_color": LINE,
            "valign": "vcenter",
            "text_wrap": True,
        },
        "label": {"font_color": GREY, "valign": "top"},
        "remark": {"font_color": GREY, "valign": "top", "align": "left", "indent": 1},
        "text": {"valign": "top", "align": "left"},
        "long": {"valign": "top", "align": "left", "text_wrap": True, "indent": 1},
        "missed": {"bold": True, "font_color": AMBER},
        "year": {"num_format": "0", "align": "left", "valign": "top"},
        "share": {"num_format": "0.0%", "valign": "top"},
        "number": {"valign": "top"},
        "aside": {"font_color": GREY, "valign": "vcenter"},
        "total": {"bold": True, "valign": "top"},
        "good": {"bold": True, "font_color": GREEN, "valign": "top"},
        "warning": {"bold": True, "font_color": AMBER, "valign": "top", "align": "left", "text_wrap": True},
    }

    def __init__(self, book: Workbook, language: Language) -> None:
        self._book = book
        self.font = "Calibri" if language == "en" else "Microsoft YaHei"
        self._made: dict[tuple[object, ...], Format] = {}

    def of(self, name: str, places: int | None = None, **more: object) -> Format:
        """Return the format of a name; with `places` it shows numbers with so many decimals."""
        key = (name, places, *sorted(more.items()))
        if key not in self._made:
            shown: dict[str, object] = {} if places is None else {"num_format": number_format(places)}
            self._made[key] = self._book.add_format(
                {"font_name": self.font, "font_size": 10, "font_color": INK} | self._NAMED[name] | shown | more
            )
        return self._made[key]


def number_format(places: int) -> str:
    """Return Excel's format of a number with thousands apart and so many decimals."""
    return "#,##0" + ("." + "0" * places if places else "")


def places_of(values: Iterable[Cell], most: int = _MOST_PLACES) -> int:
    """Return how many decimals show the values whole, at most so many."""
    found = 0
    for value in set(values):
        number = value.value if isinstance(value, Formula) else value
        if isinstance(number, Decimal) and number:
            exponent = number.normalize().as_tuple().exponent
            assert isinstance(exponent, int)
            found = max(found, -exponent)
    return min(found, most)


def significant_places(value: Decimal, digits: int = 4) -> int:
    """Return how many decimals show so many significant digits of a quotient."""
    return max(0, digits - 1 - value.adjusted()) if value else 0


def exact_number(value: Decimal | int, sheet: str, cell: str) -> float:
    """Return the number a cell holds, if that is the value to the last digit.

    Raises:
        OptallocError: `too_many_digits`; a worksheet number carries 15.
    """
    number = float(value)
    if Decimal(format(number, ".15g")) != value:
        raise OptallocError(
            "too_many_digits",
            f"{value} needs more than the 15 digits a worksheet keeps. Use a larger unit or a coarser step.",
            sheet,
            cell,
        )
    return number


def safe_text(text: str) -> str:
    """Return text as a cell can hold it: no control characters, at most 32,767 characters, cut with a mark."""
    cleaned = _FORBIDDEN.sub(" ", text.replace("\r\n", "\n"))
    # Excel counts characters beyond the first 65,536 twice.
    if 2 * len(cleaned) > _LONGEST_TEXT and len(cleaned.encode("utf-16-le")) > 2 * _LONGEST_TEXT:
        kept = cleaned.encode("utf-16-le")[: 2 * (_LONGEST_TEXT - 1)]
        return kept.decode("utf-16-le", "ignore") + "…"
    return cleaned


def write_text(sheet: Worksheet, row: int, column: int, text: str, style: Format) -> None:
    """Write text as text, whatever it looks like. Rows and columns count from 0 here."""
    _write_ready(sheet, row, column, _for_library(text), style)


def _for_library(text: str) -> str:
    """Return text as the library writes it as it is."""
    safe = safe_text(text)
    if safe.startswith("<r>") and safe.endswith("</r>"):
        # The library takes such text for XML of its own; as the one run of a rich text it is what it was.
        run = f'<r><t xml:space="preserve">{escape(safe, quote=False)}</t></r>'
        safe = run if len(run) <= _LONGEST_TEXT else safe[:-1] + "…"
    return safe


def write_cell(sheet: Worksheet, row: int, column: int, value: Cell, style: Format) -> None:
    """Write one value. Rows and columns count from 0 here; blanks get the style alone."""
    if value is None:
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, str):
        write_text(sheet, row, column, value, style)
    elif isinstance(value, Formula):
        _write_ready(sheet, row, column, value, style)
    else:
        _write_ready(sheet, row, column, _exact_at(sheet, row, column, value), style)


def _exact_at(sheet: Worksheet, row: int, column: int, value: Decimal | int) -> float:
    return exact_number(value, sheet.get_name(), f"{column_letter(column + 1)}{row + 1}")


def _ready(sheet: Worksheet, column: int, cells: Sequence[Cell]) -> list[str | float | Formula | None]:
    """Return the cells of a table's column as they are written, each distinct value made ready once."""
    made: dict[Cell, str | float | Formula | None] = {None: None, "": None}
    for value in dict.fromkeys(cells):
        if isinstance(value, str):
            if value:
                made[value] = _for_library(value)
        elif isinstance(value, Decimal | int):
            try:
                made[value] = exact_number(value, sheet.get_name(), "")
            except OptallocError:
                _exact_at(sheet, FIRST_ROW - 1 + cells.index(value), column, value)
                raise
        else:
            made[value] = value
    return [made[value] for value in cells]


def _write_ready(sheet: Worksheet, row: int, column: int, value: str | float | Formula, style: Format) -> None:
    if isinstance(value, str):
        refused = sheet.write_string(row, column, value, style)
    elif isinstance(value, float):
        refused = sheet.write_number(row, column, value, style)
    else:
        known = value.value
        refused = sheet.write_formula(row, column, value.text, style, known if isinstance(known, str) else float(known))
    if refused != 0:
        raise AssertionError(f"row {row}, column {column} could not be written")


def shown_width(text: str) -> int:
    """Return how many columns of Latin letters a text takes."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def lines_of(text: Cell, width: float) -> int:
    """Return about how many lines a wrapped text takes in a width, for the height of its row."""
    if not isinstance(text, str):
        return 1
    lines = 0
    for line in text.split("\n"):
        if line.isascii():
            lines += _lines_of_words(line, int(_LETTERS * width))
        else:
            lines += -(-shown_width(line) // int(width))
    return min(lines, _MOST_LINES)


def _lines_of_words(line: str, room: int) -> int:
    """Return how many lines the words of a line take, each of so many letters at most."""
    lines, used = 1, 0
    for one in line.split(" ") if len(line) > room else ():
        if used and used + 1 + len(one) > room:
            lines, used = lines + 1, 0
        # A word longer than a line goes over several.
        more, used = divmod(used + (used > 0) + len(one), room)
        lines += more
    return lines


def span(sheet: PlanSheet, column: int, rows: int) -> str:
    """Return the cells of a column of a table, from 0, as formulas on other sheets name them."""
    letter = column_letter(column + 1)
    return f"{sheet}!${letter}${FIRST_ROW}:${letter}${last_row(rows)}"


def last_row(rows: int) -> int:
    """Return Excel's number of the last row of a table; of its first row where it is empty."""
    return FIRST_ROW + max(rows, 1) - 1


def beside(columns: int, index: int = 0) -> str:
    """Return the letter of a column beside a table of so many columns: one stays empty between them."""
    return column_letter(columns + 2 + index)


def write_table(
    book: Workbook,
    styles: Styles,
    language: Language,
    name: PlanSheet,
    columns: Sequence[Column],
    totals: Sequence[Column],
    note: str,
    foot: str,
) -> Worksheet:
    """Add a sheet with a table on it; beside it `totals` (columns of one cell or none) and a note in row 1.

    Raises:
        OptallocError: `too_many_rows`, or `too_many_digits` at a cell.
    """
    count = len(columns[0].cells)
    last = last_row(count)
    if last > _LAST_ROW:
        message = f"The sheet {name} would need {last:,} rows; a worksheet has {_LAST_ROW:,}."
        raise OptallocError("too_many_rows", message, name)
    sheet = book.add_worksheet(name)
    set_up_page(sheet, language, foot)
    caption = f"&L&14{safe_text(word(name, language))}&R&8"
    sheet.set_header(caption + note_on_paper(note, _MOST_HEADER - len(caption)))
    at = len(columns) + 1
    placed = [*enumerate(columns), *enumerate(totals, at)]
    places = {index: places_of(column.cells) if column.places is None else column.places for index, column in placed}
    widths = {index: _width(column, places[index], wraps=index < at) for index, column in placed}
    for index, width in widths.items():
        sheet.set_column(index, index, width)
    sheet.set_column(at - 1, at - 1, _GAP)
    in_two = any(_heading_width(column) > widths[index] for index, column in enumerate(columns))
    sheet.set_row(0, _HEADING_HEIGHT + LINE_HEIGHT if in_two else _HEADING_HEIGHT)
    for index, column in enumerate(columns):
        align = "right" if column.kind in _RIGHT else "left"
        write_cell(sheet, 0, index, column.heading, styles.of("heading", align=align, indent=_indent(columns, index)))
    for index, column in enumerate(totals, at):
        write_cell(sheet, 0, index, column.heading, styles.of("aside", align="right" if column.cells else "left"))
    write_text(sheet, 0, at + len(totals), note, styles.of("note", valign="vcenter", indent=1))
    fixed = [_style(styles, columns, index, places[index]) for index in range(len(columns))]
    long = [index for index, column in enumerate(columns) if column.kind == "long"]
    mixed = {index: column for index, column in enumerate(columns) if column.kind == "mixed"}
    ready = [_ready(sheet, index, column.cells) for index, column in enumerate(columns)]
    _write_totals(sheet, styles, totals, at, places)
    for offset, values in enumerate(zip(*ready, strict=True)):
        row = FIRST_ROW - 1 + offset
        if long:
            lines = max(lines_of(columns[index].cells[offset], widths[index]) for index in long)
            if lines > 1:
                sheet.set_row(row, LINE_HEIGHT * lines)
        for index, value in enumerate(values):
            if value is not None:
                style = _mixed_style(styles, mixed[index], offset) if index in mixed else fixed[index]
                _write_ready(sheet, row, index, value, style)
    sheet.autofilter(0, 0, last - 1, len(columns) - 1)
    sheet.freeze_panes(1, 1)
    sheet.repeat_rows(0)
    # The note is printed in the header of the page.
    sheet.print_area(0, 0, last - 1, at + len(totals) - 1 if any(column.cells for column in totals) else at - 2)
    # Names that look like numbers are names; no green corners for them.
    sheet.ignore_errors({"number_stored_as_text": f"A1:{column_letter(len(columns))}{last}"})
    return sheet


def set_up_page(sheet: Worksheet, language: Language, foot: str) -> None:
    """Set a sheet up for printing: landscape, as wide as the page, numbered."""
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    sheet.set_footer(f"&L&8{safe_text(foot)[:80].replace('&', '&&')}&C&8&A&R&8{word('page', language)}")


def _write_totals(
    sheet: Worksheet, styles: Styles, totals: Sequence[Column], at: int, places: Mapping[int, int]
) -> None:
    for index, column in enumerate(totals, at):
        for cell in column.cells:
            write_cell(sheet, FIRST_ROW - 1, index, cell, styles.of("total", places[index]))


def _indent(columns: Sequence[Column], index: int) -> int:
    """Return 1 for a text beside what reaches to the right, numbers and wrapped texts, which it would touch."""
    return int(index > 0 and columns[index].kind not in _RIGHT and columns[index - 1].kind in (*_RIGHT, "long"))


def _style(styles: Styles, columns: Sequence[Column], index: int, places: int) -> Format:
    kind = columns[index].kind
    if kind in ("number", "mixed"):
        return styles.of("number", places)
    return styles.of(kind) if kind == "share" else styles.of(kind, indent=_indent(columns, index))


def _mixed_style(styles: Styles, column: Column, offset: int) -> Format:
    value = column.cells[offset]
    if column.in_percent and column.in_percent[offset] and isinstance(value, Decimal):
        return styles.of("number", num_format=number_format(places_of([100 * value])) + "%")
    # A word in a column of numbers stands where they do.
    return styles.of("number", align="right") if isinstance(value, str) else styles.of("number", places_of([value]))


def note_on_paper(note: str, most: int) -> str:
    """Return a note as the head of a page shows it: its first whole sentences, in two lines where it is long."""
    shown = ""
    for sentence in re.split(r"(?<=\. )|(?<=[。；])", safe_text(note)):
        if len((shown + sentence).replace("&", "&&")) >= most:
            break
        shown += sentence
    shown = shown.rstrip() or f"{safe_text(note)[: most // 2]}…"
    if shown_width(shown) > _NOTE_LINE:
        places = [found.end() for found in re.finditer(r" |[，。；]", shown)]
        middle = min(places, key=lambda place: abs(shown_width(shown[:place]) - shown_width(shown) / 2), default=0)
        if middle:
            shown = f"{shown[:middle].rstrip()}\n{shown[middle:]}"
    return shown.replace("&", "&&")


def _heading(column: Column) -> str:
    return str(column.heading.value) if isinstance(column.heading, Formula) else column.heading


def _heading_width(column: Column, *, wraps: bool = False) -> int:
    """Return the width of a heading beside its filter's button; in two lines if it `wraps` and is long."""
    heading = _heading(column)
    whole = shown_width(heading)
    if wraps and whole > _LONG_HEADING:
        spaces = [place for place, letter in enumerate(heading) if letter == " "]
        halves = [max(shown_width(heading[:at]), shown_width(heading[at + 1 :])) for at in spaces]
        # Chinese breaks anywhere.
        whole = 1 + min(halves, default=whole if heading.isascii() else whole // 2 + 2)
    return whole + 3


def _width(column: Column, places: int, *, wraps: bool) -> float:
    """Return a width that shows every number whole and most texts; the heading may take two lines if it `wraps`."""
    widest = _heading_width(column, wraps=wraps)
    if column.kind in ("number", "mixed"):
        for cell in set(column.cells):
            number = cell.value if isinstance(cell, Formula) else cell
            if isinstance(number, Decimal | int):
                widest = max(widest, len(f"{number:,.{places}f}") + 2)
        return float(widest)
    texts = (shown_width(cell) + 1 for cell in {cell for cell in column.cells if isinstance(cell, str)})
    return float(min(max(widest, 8, max(texts, default=0)), column.widest if column.kind == "long" else _WIDEST))
