"""The round workbook as planners get it: headings with notes, drop-downs, formats, a guide; empty or with an example.

Made from the schema alone. An empty template holds one example row on the sheets that need one; together they are a
small valid round that a planner overwrites.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from integrated_fund.round import DIMENSIONS
from integrated_fund.sentences import DIMENSION_ZH
from optalloc.workbook.files import refuse_ending, write_whole
from optalloc.workbook.grid import Tables
from optalloc.workbook.schema import GUIDE, SETTINGS, SHEETS, Column, Sheet

Language = Literal["en", "zh"]

_ROWS = 5000  # drop-downs reach this far down
_FIRST_LISTS_COLUMN = 6  # the Guide keeps the lists that drop-downs show from this column on
_MEASURE_ROWS = 40
_REQUIRED = PatternFill("solid", fgColor="1F4E79")
_OPTIONAL = PatternFill("solid", fgColor="8EA9C1")
_EXAMPLE = Font(italic=True, color="7F7F7F")
_LINE = Border(bottom=Side(style="thin", color="FFFFFF"))
#: Values that Excel must not take for numbers or dates.
_TEXT_KINDS = frozenset({"text", "identifier", "reference", "references", "values", "regions", "profile", "filter"})

_EMPTY: Tables = {
    "Round": [{"setting": c.name, "value": c.example} for c in SETTINGS if c.example is not None],
    "Sources": [{"source": "education", "amount": Decimal(1000)}],
    "Sectors": [{"sector": "education", "title": "Education"}],
    "Regions": [{"region": "gansu", "title": "Gansu", "belt": "west", "population": 25019831}],
    "Projects": [
        {"project": "P001", "title": "A first project", "sector": "education", "region": "gansu",
         "max_award": Decimal(120), "people_trained": 40}
    ],
    "Options": [{"project": "P001", "option": "small", "max_award": Decimal(60), "people_trained": 15}],
    "Criteria": [{"criterion": "people_trained", "direction": "max", "weight": 1}],
    "Rules": [
        {"rule": "west_floor", "title": "The west gets its due", "measure": "award", "sense": ">=",
         "bound": Decimal("0.45"), "of": "total", "belts": "west"}
    ],
}  # fmt: skip

_GUIDE_EN = (
    "How to fill in this workbook",
    "1. Each sheet holds one kind of thing, one a row. Dark blue headings must be filled in, light ones may be left.",
    "2. Point at a heading to read what belongs there. Cells with a closed list have a drop-down.",
    "3. Grey rows in italics are examples: overwrite or delete them.",
    "4. Amounts are in the unit named on the sheet Round. Shares are written 0.45 or 45 %.",
    "5. Several values in one cell are separated by ; and !value means everything but the value.",
    "6. Any further column of numbers on Projects (people trained, a score …) can be used by Criteria and Rules;",
    "    any further column of numbers on Regions (population …) by rules per head.",
    "7. The order of rows and columns does not matter. Sheets you do not need may stay empty.",
    "8. Check the workbook at any time: optalloc check ROUND.xlsx. Every mistake is shown with its cell.",
    "9. Then: optalloc solve ROUND.xlsx -o PLAN.xlsx",
)
_GUIDE_ZH = (
    "填写说明",
    "1. 每个工作表记录一类内容，每行一项。深蓝色列标题必填，浅色可留空。",
    "2. 将鼠标移到列标题上可查看填写要求。有固定选项的单元格带下拉列表。",
    "3. 灰色斜体行为示例，请覆盖或删除。",
    "4. 金额以轮次表中的计量单位计。比例写作0.45或45 %。",
    "5. 一个单元格中的多个值用;分隔，!值表示除该值以外。",
    "6. 项目表中其他数值列（培养人数、评分等）可用于评价指标和规则；",
    "    地区表中其他数值列（人口等）可用于人均规则。",
    "7. 行和列的顺序无关紧要。不需要的工作表可以留空。",
    "8. 随时检查：optalloc check 工作簿.xlsx。每个错误都会标明所在单元格。",
    "9. 然后：optalloc solve 工作簿.xlsx -o 方案.xlsx",
)


def write_template(path: Path, tables: Tables | None, *, language: Language = "en", force: bool = False) -> None:
    """Write a round workbook, with `tables` in it or with the example rows of an empty template.

    Raises:
        WrongUse: the file is there already (without `force`) or cannot be written, or its name does not end in .xlsx.
    """
    refuse_ending(path)
    book = make_template(tables, language=language)
    write_whole(path, book.save, force=force)


def make_template(tables: Tables | None, *, language: Language = "en") -> Workbook:
    """Return the workbook that `write_template` writes."""
    filled = _EMPTY if tables is None else tables
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)
    _guide(first, filled, language)
    step = Decimal(str(next((row["value"] for row in filled.get("Round", []) if row["setting"] == "step"), None) or 1))
    unit = str(next((row["value"] for row in filled.get("Round", []) if row["setting"] == "unit"), ""))
    for sheet in SHEETS:
        if sheet.built:
            _write_sheet(book, sheet, filled.get(sheet.name, []), language, step, unit, example=tables is None)
    return book


def _name(sheet: Sheet, language: Language) -> str:
    return sheet.zh if language == "zh" else sheet.name


def _guide(page: Worksheet, tables: Tables, language: Language) -> None:
    page.title = GUIDE[language == "zh"]
    page.sheet_view.showGridLines = False
    page.column_dimensions["A"].width = 110
    for number, line in enumerate(_GUIDE_ZH if language == "zh" else _GUIDE_EN, 1):
        cell = page.cell(number, 1, line)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.font = Font(bold=number == 1, size=16 if number == 1 else 11, color="1F4E79" if number == 1 else "000000")
    row = 14
    page.cell(row, 1, "工作表" if language == "zh" else "Sheets").font = Font(bold=True, color="1F4E79")
    for sheet in SHEETS:
        if sheet.built:
            row += 1
            doc = sheet.doc_zh if language == "zh" else sheet.doc
            page.cell(row, 1, f"{_name(sheet, language)}: {doc}").alignment = Alignment(wrap_text=True)
    measures = [
        *(("拨款", "立项数", "配套资金") if language == "zh" else ("award", "accepted", "cofunding")),
        *_extra(tables, "Projects"),
    ]
    lists = {"measure": measures, "attribute": ["population", "gdp", *_extra(tables, "Regions")]}
    if language == "zh":
        lists["attribute"][:2] = ["人口", "地区生产总值"]
    for offset, (name, words) in enumerate(lists.items()):
        column = _FIRST_LISTS_COLUMN + offset
        page.cell(1, column, name)
        for number, word in enumerate(words[: _MEASURE_ROWS - 1], 2):
            page.cell(number, column, word)
        page.column_dimensions[get_column_letter(column)].hidden = True


def _extra(tables: Tables, sheet_name: str) -> list[str]:
    """Return the further numeric columns of a sheet, in order."""
    sheet = next(sheet for sheet in SHEETS if sheet.name == sheet_name)
    known = {column.name for column in sheet.columns}
    return [
        name for name in dict.fromkeys(key for row in tables.get(sheet_name, []) for key in row) if name not in known
    ]


def _write_sheet(
    book: Workbook,
    sheet: Sheet,
    rows: list[dict[str, object]],
    language: Language,
    step: Decimal,
    unit: str,
    *,
    example: bool,
) -> None:
    page = book.create_sheet(_name(sheet, language))
    assert isinstance(page, Worksheet)
    columns = [column for column in sheet.columns if column.built]
    extra = [
        name for name in dict.fromkeys(key for row in rows for key in row) if name not in {c.name for c in columns}
    ]
    headings = [column.zh if language == "zh" else column.name for column in columns] + extra
    for number, heading in enumerate(headings, 1):
        known = columns[number - 1] if number <= len(columns) else None
        _heading(page, number, heading, known, language, unit)
        _column_format(
            page,
            number,
            heading,
            known,
            step,
            [str(row.get(known.name if known else heading) or "") for row in rows[:200]],
        )
    page.row_dimensions[1].height = 30
    for number, column in enumerate(columns, 1):
        _drop_down(page, number, column, language)
    names = [column.name for column in columns] + extra
    for line, row in enumerate(rows, 2):
        for number, name in enumerate(names, 1):
            value = row.get(name)
            if value is not None:
                known = columns[number - 1] if number <= len(columns) else None
                cell = page.cell(line, number)
                _put(cell, value, known, sheet, row, language)
                if known is not None:
                    cell.number_format = _number_format(known, step)
                if example:
                    cell.font = _EXAMPLE
    page.freeze_panes = "B2" if sheet.name != "Round" else "A2"
    if sheet.name == "Round":
        _setting_notes(page, language)
    else:
        page.auto_filter.ref = f"A1:{get_column_letter(len(headings))}{max(2, len(rows) + 1)}"
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToWidth = 1
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    page.print_title_rows = "1:1"


def _heading(page: Worksheet, number: int, heading: str, column: Column | None, language: Language, unit: str) -> None:
    cell = page.cell(1, number, heading)
    required = column is not None and column.required
    cell.fill = _REQUIRED if required else _OPTIONAL
    cell.font = Font(bold=True, color="FFFFFF")
    cell.border = _LINE
    cell.alignment = Alignment(vertical="center", wrap_text=True)
    if column is None:
        return
    doc = column.doc_zh if language == "zh" else column.doc
    lines = [doc]
    if required:
        lines.append("必填。" if language == "zh" else "Must be filled in.")
    if column.kind == "money" and unit:
        lines.append(f"单位：{unit}" if language == "zh" else f"In {unit}.")
    words = _words(column, language)
    if words:
        lines.append("、".join(words) if language == "zh" else "One of: " + ", ".join(words))
    note = Comment("\n".join(lines), "optalloc")
    note.width, note.height = 320, 30 + 22 * len("".join(lines)) // 40 + 20 * len(lines)
    cell.comment = note


def _words(column: Column, language: Language) -> list[str]:
    return [
        chinese if language == "zh" and english not in (">=", "<=", "=") else english
        for english, chinese in column.choices.items()
        if english not in column.unbuilt
    ]


def _column_format(
    page: Worksheet, number: int, heading: str, column: Column | None, step: Decimal, texts: list[str]
) -> None:
    longest = max([len(text) for text in texts] + [2 * len(heading) if not heading.isascii() else len(heading)])
    page.column_dimensions[get_column_letter(number)].width = min(44, max(11, longest + 3))
    if column is not None:
        page.column_dimensions[get_column_letter(number)].number_format = _number_format(column, step)


def _number_format(column: Column, step: Decimal) -> str:
    if column.kind == "money":
        exponent = step.normalize().as_tuple().exponent
        places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
        return "#,##0" + ("." + "0" * places if places else "")
    if column.kind == "share":
        return "0.0%"
    if column.kind in _TEXT_KINDS and column.name != "value":
        return "@"
    return "General"


def _drop_down(page: Worksheet, number: int, column: Column, language: Language) -> None:
    """Offer a list: closed ones refuse anything else, open ones (filters, measures) only offer."""
    sheets = {sheet.name: sheet for sheet in SHEETS}
    closed = False
    if column.choices:
        words = _words(column, language)
        formula, closed = '"' + ",".join(words) + '"', True
    elif column.kind == "dimension":
        formula = '"' + ",".join(DIMENSION_ZH.values() if language == "zh" else DIMENSIONS) + '"'
        closed = True
    elif column.kind == "base":
        formula = '"总额,资金总额,平均"' if language == "zh" else '"total,funds,average"'
    elif column.kind in ("measure", "attribute"):
        letter = get_column_letter(_FIRST_LISTS_COLUMN + (column.kind == "attribute"))
        formula = f"='{GUIDE[language == 'zh']}'!${letter}$2:${letter}${_MEASURE_ROWS}"
    elif column.name == "belts":
        letter = get_column_letter([c.name for c in sheets["Regions"].columns].index("belt") + 1)
        formula = f"='{_name(sheets['Regions'], language)}'!${letter}$2:${letter}$500"
    elif column.target is not None:
        closed = column.kind == "reference"
        formula = f"='{_name(sheets[column.target], language)}'!$A$2:$A${_ROWS}"
    else:
        return
    validation = DataValidation(
        type="list", formula1=formula.removeprefix("=") if formula[0] == "=" else formula, allow_blank=True
    )
    validation.showErrorMessage = closed
    validation.errorTitle = "不在列表中" if language == "zh" else "Not in the list"
    validation.error = (
        "请从列表中选择。" if language == "zh" else "Please choose from the list, or add it to its own sheet first."
    )
    page.add_data_validation(validation)
    letter = get_column_letter(number)
    validation.add(f"{letter}2:{letter}{_ROWS}")


def _put(
    cell: object, value: object, column: Column | None, sheet: Sheet, row: Mapping[str, object], language: Language
) -> None:
    """Put a value in a cell: text stays text, a number stays a number, closed words in the language."""
    spec = column
    if sheet.name == "Round" and column is not None:
        spec = next((c for c in SETTINGS if c.name == row["setting"]), column)
        if column.name == "setting":
            value = spec.zh if language == "zh" else spec.name
        elif spec.kind in ("year", "whole", "number", "share") and isinstance(value, str):
            value = Decimal(value)
    if language == "zh" and spec is not None and isinstance(value, str) and value not in (">=", "<=", "="):
        value = spec.choices.get(value, value)
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    cell.value = value  # type: ignore[attr-defined]
    if isinstance(value, str):
        cell.data_type = "s"  # type: ignore[attr-defined]  # a text that starts with = is no formula


def _setting_notes(page: Worksheet, language: Language) -> None:
    """Write what each setting is beside it, and the settings that are not filled in below."""
    zh = language == "zh"
    words = {c.zh if zh else c.name: c for c in SETTINGS}
    present = {str(page.cell(row, 1).value) for row in range(2, page.max_row + 1)}
    for word, column in words.items():
        if word not in present and column.built:
            page.cell(page.max_row + 1, 1, word)
    for row in range(2, page.max_row + 1):
        setting = words.get(str(page.cell(row, 1).value))
        if setting is None:
            continue
        cell = page.cell(row, 1)
        note = Comment(setting.doc_zh if zh else setting.doc, "optalloc")
        note.width, note.height = 320, 90
        cell.comment = note
        cell.font = Font(bold=setting.required)
        page.cell(row, 2).alignment = Alignment(horizontal="left")
        if setting.choices:
            offered = _words(setting, language)
            validation = DataValidation(type="list", formula1='"' + ",".join(offered) + '"', allow_blank=True)
            page.add_data_validation(validation)
            validation.add(f"B{row}")
    page.column_dimensions["A"].width = 18
    page.column_dimensions["B"].width = 44
