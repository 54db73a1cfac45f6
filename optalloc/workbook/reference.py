"""The reference page of the workbook, `docs/workbook.md`, made from the schema.

python -m optalloc.workbook.reference > docs/workbook.md
"""

from __future__ import annotations

from collections.abc import Iterable

from optalloc.workbook.schema import SETTINGS, SHEETS, Column

_INTRODUCTION = """# The round workbook

This page is made from the table of sheets and columns that the template, the reader and the messages use
(`optalloc/workbook/schema.py`).

Headings stand in the first filled row of a sheet; their order, and that of the rows, does not matter. English and
Chinese names are both accepted. Obligatory columns are **bold**. Amounts are in the round's unit and whole multiples of
its step. Shares are written 0.45 or 45 %. A blank filter lets everything pass; several values are separated by `;` and
`!value` means everything but the value. Names cannot hold `;`, `:`, `@` or `*`.
"""


_FILE = """
### Projects in a file

A large round can have its projects in a CSV or Parquet file: `projects_file` on Round names it, and the sheet Projects
is empty or left out. The file has the columns of the sheet, in any order and in either language, and further columns of
numbers count as on the sheet. Messages name the file, the row and the column: `projects.csv!row 12, max_award`. Rows
are those that a spreadsheet program shows: headings are row 1, the first record of a Parquet file is row 2. The path
counts from the folder of the workbook. A plan's manifest states the file's name and SHA-256.

- **CSV**: UTF-8, or GB18030 where its headings are Chinese. Separated by commas, semicolons or tabs, as its headings
  are. Every line has as many fields as there are headings. Numbers are plain (`1200.5`), as in a cell of text.
- **Parquet**: texts, whole numbers, decimals, float64 (15 digits, as Excel keeps them), dates, yes/no; no other type.
- At most 1 GiB, 10,000,000 rows and 100,000,000 cells.
"""


def reference_page() -> str:
    """Return the page as Markdown."""
    parts = [_INTRODUCTION]
    for sheet in SHEETS:
        if sheet.built:
            parts.append(f"\n## {sheet.name} · {sheet.zh}\n\n{sheet.doc}\n")
            parts.append(_table(SETTINGS if sheet.name == "Round" else sheet.columns))
            if sheet.open:
                parts.append("\nAny further column of numbers is taken under its own heading.\n")
            if sheet.name == "Projects":
                parts.append(_FILE)
    later = [f"{sheet.name} ({sheet.zh})" for sheet in SHEETS if not sheet.built]
    parts.append(f"\n## Not supported yet\n\nThese sheets may be there but must be empty: {', '.join(later)}.\n")
    return "".join(parts)


def _table(columns: Iterable[Column]) -> str:
    lines = ["| name | 中文 | what belongs there |", "| --- | --- | --- |"]
    for column in columns:
        name = f"**{column.name}**" if column.required else column.name
        words = ", ".join(f"`{english}` {chinese}" for english, chinese in column.choices.items())
        doc = column.doc.replace("|", "\\|") + (f" ({words})" if words else "")
        lines.append(f"| {name} | {column.zh} | {doc} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(reference_page(), end="")
