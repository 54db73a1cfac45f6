"""The reference page says what the schema says."""

from __future__ import annotations

from pathlib import Path

from optalloc.workbook.reference import reference_page


def test_the_page_in_the_docs_is_made_from_the_schema() -> None:
    page = Path(__file__).parents[2] / "docs" / "workbook.md"
    assert page.read_text(encoding="utf-8") == reference_page(), (
        "python -m optalloc.workbook.reference > docs/workbook.md"
    )
