"""The table of sheets and columns against the published headings, and against itself."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest

from integrated_fund.round import FILTER_COLUMNS, Criterion, Link, Option, Project, Region, Rule, Sector, Source
from optalloc.workbook.columns import Trouble, convert_cell, converter_of
from optalloc.workbook.names import distance, heading_name
from optalloc.workbook.schema import SETTINGS, SHEETS, Column, Sheet, sheet_named

BUILT = [sheet for sheet in SHEETS if sheet.built]
COLUMNS = [(sheet, column) for sheet in SHEETS for column in sheet.columns]

#: Section 3 of the contract: obligatory columns and settings.
REQUIRED = {
    "Round": "setting value",
    "Sources": "source amount",
    "Sectors": "sector",
    "Regions": "region belt",
    "Projects": "project sector region max_award",
    "Options": "project option max_award",
    "Criteria": "criterion",
    "Rules": "rule measure sense bound",
    "Links": "link kind projects",
}


def test_sheets_stand_in_the_order_of_the_contract() -> None:
    names = (
        "Round Sources Sectors Regions Projects Options Criteria Rules Links Pairs Facilities Usage Demand Supply "
        "Stakeholders Pairwise Assessments Baseline Scenarios"
    )
    assert [sheet.name for sheet in SHEETS] == names.split()
    assert [sheet.name for sheet in BUILT] == list(REQUIRED)
    required = {sheet.name for sheet in SHEETS if sheet.required}
    assert required == {"Round", "Sources", "Sectors", "Regions", "Projects", "Criteria"}


@pytest.mark.parametrize("sheet", BUILT, ids=lambda sheet: sheet.name)
def test_obligatory_columns(sheet: Sheet) -> None:
    # A setting may stand there without a value: which ones may not is said by the settings themselves.
    required = [column.name for column in sheet.columns if column.required]
    assert required == [name for name in REQUIRED[sheet.name].split() if name != "value"]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_headings_of_a_sheet_differ_in_either_language(sheet: Sheet) -> None:
    words = [heading_name(word) for column in sheet.columns for word in (column.name, column.zh)]
    assert len(set(words)) == len(words)


def test_sheet_names_differ_by_more_than_a_slip() -> None:
    words = [word.casefold() for sheet in SHEETS for word in (sheet.name, sheet.zh)]
    close = {
        (one, other)
        for one in words
        for other in words
        if one < other and len(one) >= 4 and distance(one, other) <= max(1, len(one) // 4)
    }
    assert close == set()


@pytest.mark.parametrize(("sheet", "column"), COLUMNS, ids=lambda value: value.name)
def test_every_column_has_a_heading_and_a_sentence_in_both_languages(sheet: Sheet, column: Column) -> None:
    del sheet
    assert column.name.isascii()
    assert column.name == column.name.lower()
    assert not column.zh.isascii() or column.name == "k"
    assert column.doc.endswith(".") or column.doc.endswith(";") or column.doc[-1].isdigit()
    assert column.doc_zh
    assert not column.doc_zh.isascii()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_has_a_sentence_in_both_languages(setting: Column) -> None:
    assert setting.doc
    assert not setting.doc_zh.isascii()
    assert setting.doc != setting.doc_zh


@pytest.mark.parametrize(
    ("sheet", "kind"),
    [
        ("Sources", Source),
        ("Sectors", Sector),
        ("Regions", Region),
        ("Projects", Project),
        ("Options", Option),
        ("Criteria", Criterion),
        ("Rules", Rule),
        ("Links", Link),
    ],
)
def test_every_field_of_the_typed_rows_is_a_column(sheet: str, kind: type) -> None:
    columns = {column.name for column in sheet_named(sheet).columns if column.built}
    own = {field.name for field in fields(kind)} - {
        "origin", "filter", "measures", "attributes", "regions", "member_bounds",
    }  # fmt: skip
    in_mappings = {
        "population", "gdp", "cofunding", "feasibility", "kind", "region", *FILTER_COLUMNS.values(), *own,
    }  # fmt: skip
    assert own <= columns | {"region"}
    assert columns <= in_mappings


def test_what_is_not_built_is_known() -> None:
    unbuilt = {f"{sheet.name}.{column.name}" for sheet, column in COLUMNS if sheet.built and not column.built}
    assert unbuilt == {"Criteria.target", "Criteria.each", "Criteria.per"}
    assert [setting.name for setting in SETTINGS if not setting.built] == []
    values = {column.name: set(column.unbuilt) for column in (*SETTINGS, *sheet_named("Criteria").columns)}
    assert {name: words for name, words in values.items() if words} == {
        "method": {"reference"},
        "normalise": {"yes"},
        "kind": {"worst", "gini", "shortfall"},
    }


@pytest.mark.parametrize(
    "column",
    [column for column in (*SETTINGS, *(c for s in BUILT for c in s.columns)) if column.example is not None],
    ids=lambda column: column.name,
)
def test_examples_are_taken(column: Column) -> None:
    numeric = column.kind in ("money", "number", "share", "whole", "year") and "%" not in str(column.example)
    cell = float(str(column.example)) if numeric else column.example
    typed = convert_cell(cell, converter_of(column, Decimal(1)))
    assert typed is not None
    assert not isinstance(typed, Trouble)


@pytest.mark.parametrize(
    "column",
    [column for column in (*SETTINGS, *(c for s in BUILT for c in s.columns)) if column.kind == "choice"],
    ids=lambda column: column.name,
)
def test_choices_are_taken_in_either_language(column: Column) -> None:
    convert = converter_of(column, None)
    for english, chinese in column.choices.items():
        typed = [convert_cell(word, convert) for word in (english, english.upper(), f" {chinese} ")]
        if english in column.unbuilt:
            assert [trouble.mistake.code for trouble in typed] == ["choice_not_built"] * 3
        else:
            assert typed == [english] * 3


def test_columns_that_refer_name_a_sheet() -> None:
    for sheet, column in COLUMNS:
        if column.kind in ("reference", "references", "regions"):
            assert column.target is not None, (sheet.name, column.name)
            assert sheet_named(column.target).built
