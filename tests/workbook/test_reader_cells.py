"""One bad cell in a sound round: one problem, at the cell, with what stood there; the checks find nothing further."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrated_fund.checks import check
from integrated_fund.round import Round
from optalloc.workbook.grid import BadCell, Tables, Value, column_letter
from optalloc.workbook.names import fold
from optalloc.workbook.reader import Reading, reading_of
from optalloc.workbook.values import Mistake, number, parts_of_region, percent, profile
from tests.support.tables import grids_of, sound_tables

D = Decimal


def unheard(code: str) -> None:
    """Take a note of a converter that a test does not ask about."""


def read(tables: Tables) -> Reading:
    return reading_of(grids_of(tables), list(tables))


def with_cell(sheet: str, row: int, column: str, value: object, tables: Tables | None = None) -> tuple[Tables, str]:
    """Return sound tables with one cell changed (row 2 is the first), and the cell's address."""
    tables = sound_tables() if tables is None else tables
    tables[sheet][row - 2][column] = value
    columns = list(dict.fromkeys(name for line in tables[sheet] for name in line))
    return tables, f"{sheet}!{column_letter(columns.index(column) + 1)}{row}"


class Bad(NamedTuple):
    sheet: str
    row: int
    column: str
    value: object
    code: str


DATE = dt.datetime(2027, 1, 2)  # noqa: DTZ001  (worksheet dates have no zone)
SEVERAL = [
    # numbers
    Bad("Sources", 2, "amount", "1,000", "not_a_number"),
    Bad("Sources", 2, "amount", "1.000,5", "not_a_number"),
    Bad("Sources", 2, "amount", "１２００", "not_a_number"),
    Bad("Sources", 2, "amount", "1e3", "not_a_number"),
    Bad("Sources", 2, "amount", "1_000", "not_a_number"),
    Bad("Sources", 2, "amount", "12 万", "not_a_number"),
    Bad("Sources", 2, "amount", "+5", "not_a_number"),
    Bad("Sources", 2, "amount", float("nan"), "not_a_number"),
    Bad("Sources", 2, "amount", float("inf"), "not_a_number"),
    Bad("Sources", 2, "amount", True, "boolean"),
    Bad("Sources", 2, "amount", DATE, "date"),
    Bad("Sources", 2, "amount", dt.time(1, 2), "date"),
    Bad("Sources", 2, "amount", BadCell("error", "#REF!"), "cell_error"),
    Bad("Sources", 2, "amount", BadCell("formula_without_value", "=A1+B1"), "cell_formula_without_value"),
    Bad("Sources", 2, "amount", BadCell("markup", "8"), "cell_markup"),
    Bad("Sources", 2, "amount", BadCell("bad_number", "1e999"), "cell_bad_number"),
    Bad("Sources", 2, "amount", BadCell("repeated", "80"), "cell_repeated"),
    Bad("Sources", 2, "amount", -5, "negative"),
    Bad("Sources", 2, "amount", None, "missing_value"),
    Bad("Sources", 2, "amount", "  ", "missing_value"),
    Bad("Sources", 2, "amount", D("100.3"), "not_a_multiple"),
    Bad("Sources", 2, "amount", 1e30, "too_many_digits"),
    Bad("Sources", 2, "amount", "1234567890123456", "too_many_digits"),
    Bad("Projects", 2, "max_award", 0, "not_positive"),
    Bad("Projects", 2, "max_award", -4, "not_positive"),
    Bad("Projects", 2, "max_award", D("40.2"), "not_a_multiple"),
    Bad("Projects", 2, "max_award", None, "missing_value"),
    Bad("Projects", 2, "min_award", D("10.1"), "not_a_multiple"),
    Bad("Projects", 2, "min_award", BadCell("error", "#N/A"), "cell_error"),
    Bad("Projects", 2, "people", "thirty", "not_a_number"),
    Bad("Projects", 2, "people", BadCell("error", "#DIV/0!"), "cell_error"),
    Bad("Options", 2, "max_award", D("20.7"), "not_a_multiple"),
    Bad("Options", 2, "people", "twelve", "not_a_number"),
    Bad("Regions", 2, "population", "20 million", "not_a_number"),
    Bad("Regions", 3, "students", BadCell("error", "#VALUE!"), "cell_error"),
    Bad("Criteria", 2, "weight", -1, "too_small"),
    Bad("Criteria", 2, "weight", None, "weight_missing"),
    Bad("Rules", 2, "bound", "half", "not_a_number"),
    Bad("Rules", 2, "bound", "45％", "not_a_number"),
    Bad("Rules", 2, "penalty", -1, "too_small"),
    Bad("Links", 2, "value", DATE, "date"),
    # shares
    Bad("Sources", 2, "least", 45, "not_a_share"),
    Bad("Sources", 2, "least", "45", "not_a_share"),
    Bad("Sources", 2, "least", "145 %", "not_a_share"),
    Bad("Sources", 2, "least", -0.1, "not_a_share"),
    Bad("Sources", 2, "least", "0,45", "not_a_number"),
    Bad("Projects", 3, "region", "beijing:0.6; gansu:0.3", "shares_sum"),
    Bad("Projects", 3, "region", "beijing:0.6; gansu:0.4011", "shares_sum"),
    Bad("Projects", 3, "region", "beijing:0.6; gansu", "bad_shares"),
    Bad("Projects", 3, "region", "beijing; gansu", "bad_shares"),
    Bad("Projects", 3, "region", "beijing:60; gansu:40", "bad_shares"),
    Bad("Projects", 3, "region", "beijing:0.5; Beijing:0.5", "value_twice"),
    Bad("Projects", 3, "region", ":1", "empty_name"),
    Bad("Projects", 3, "region", DATE, "date_id"),
    Bad("Projects", 3, "region", None, "missing_value"),
    Bad("Projects", 2, "profile", "0.5; 0.4", "profile_sum"),
    Bad("Projects", 2, "profile", 0.9, "profile_sum"),
    Bad("Projects", 2, "profile", ";", "profile_sum"),
    Bad("Projects", 2, "profile", "0.5 0.5", "bad_profile"),
    Bad("Projects", 2, "profile", "half; half", "bad_profile"),
    Bad("Projects", 2, "profile", True, "bad_profile"),
    # years
    Bad("Sources", 2, "year", D("2027.5"), "not_whole"),
    Bad("Sources", 2, "year", 27, "not_a_year"),
    Bad("Sources", 2, "year", DATE, "date"),
    Bad("Sources", 2, "year", None, "source_year_missing"),
    Bad("Rules", 3, "years", "2027-2028", "not_years"),
    Bad("Rules", 3, "years", "27", "not_years"),
    # names
    Bad("Sectors", 3, "title", BadCell("error", "#REF!"), "cell_error"),
    Bad("Projects", 4, "project", "P;3", "reserved_character"),
    Bad("Projects", 4, "project", "P：3", "reserved_character"),
    Bad("Projects", 4, "project", "P＠3", "reserved_character"),
    Bad("Projects", 4, "project", "P*", "reserved_character"),
    Bad("Projects", 4, "project", 1234567890123456.0, "long_id"),
    Bad("Projects", 4, "project", float("nan"), "long_id"),
    Bad("Projects", 4, "project", DATE, "date_id"),
    Bad("Projects", 4, "project", True, "boolean_id"),
    Bad("Projects", 4, "project", "P\u00073", "control_character"),
    Bad("Projects", 4, "project", "\u200b", "empty_name"),
    Bad("Projects", 4, "project", None, "missing_value"),
    Bad("Projects", 4, "project", "Ｐ１", "key_twice"),
    Bad("Projects", 4, "project", " p1 ", "key_twice"),
    Bad("Sources", 4, "source", None, "missing_value"),
    Bad("Projects", 2, "sector", None, "missing_value"),
    Bad("Projects", 2, "sector", DATE, "date_id"),
    Bad("Projects", 2, "tags", "new; NEW", "value_twice"),
    Bad("Projects", 2, "tags", DATE, "date_id"),
    Bad("Regions", 3, "belt", "west; east", "one_value"),
    Bad("Rules", 2, "sectors", "!", "empty_filter"),
    Bad("Rules", 2, "sectors", DATE, "date_id"),
    Bad("Links", 2, "projects", "P1; p1", "value_twice"),
    # closed lists
    Bad("Criteria", 2, "direction", "up", "not_a_choice"),
    Bad("Rules", 2, "sense", "=>", "not_a_choice"),
    Bad("Rules", 2, "sense", None, "missing_value"),
    Bad("Rules", 3, "each", "county", "not_a_choice"),
    Bad("Rules", 2, "within", "sectors; counties", "not_a_choice"),
    Bad("Links", 2, "kind", "needs", "not_a_choice"),
    # settings
    Bad("Round", 2, "value", None, "missing_value"),
    Bad("Round", 2, "value", BadCell("error", "#NAME?"), "cell_error"),
    Bad("Round", 4, "value", 0, "not_positive"),
    Bad("Round", 4, "value", -1, "not_positive"),
    Bad("Round", 4, "value", 1e-12, "too_small"),
    Bad("Round", 5, "value", D("2027.5"), "not_whole"),
    Bad("Round", 6, "value", 0, "too_small"),
    Bad("Round", 6, "value", 1_000_000_000, "too_large"),
    Bad("Round", 6, "value", "two", "not_a_number"),
    Bad("Round", 2, "setting", "titel", "near_setting"),
]


def errors_after(round_: Round | None) -> list[str]:
    assert round_ is not None
    return [f"{p.place}: {p.message()}" for p in check(round_) if p.severity == "error"]


@pytest.mark.parametrize("bad", SEVERAL, ids=lambda bad: f"{bad.sheet}-{bad.column}-{bad.value!r}-{bad.code}")
def test_one_bad_cell_is_one_error_at_its_cell(bad: Bad) -> None:
    tables, address = with_cell(bad.sheet, bad.row, bad.column, bad.value)
    reading = read(tables)
    expected = [(bad.code, address)]
    if bad.code == "near_setting":
        expected = [("missing_setting", "Round"), *expected]
    assert [(p.code, str(p.place)) for p in reading.problems] == expected
    assert all(p.severity == "error" for p in reading.problems)
    shown = {True: "TRUE", None: "", DATE: "2027-01-02T00:00:00"}
    if isinstance(bad.value, str) and bad.value.strip():
        assert reading.problems[-1].found.strip() == bad.value.strip()
    elif isinstance(bad.value, BadCell):
        assert reading.problems[-1].found == bad.value.text
    elif bad.value is None or bad.value is True or isinstance(bad.value, dt.datetime):
        assert reading.problems[-1].found == shown[bad.value]
    # Whatever takes the cell's place leads to no further error. (Rows without a name of their own are left out, and
    # what refers to them dangles, as does a filter on a belt nobody names; a round that lost its years has nothing to
    # hold years against.)
    if bad.column not in ("project", "source", "setting", "belt") and (bad.sheet, bad.row) != ("Round", 6):
        assert errors_after(reading.round) == []


@pytest.mark.parametrize("bad", SEVERAL, ids=lambda bad: f"{bad.sheet}-{bad.column}-{bad.value!r}-{bad.code}")
def test_messages_are_filled_in_both_languages(bad: Bad) -> None:
    tables, _ = with_cell(bad.sheet, bad.row, bad.column, bad.value)
    for problem in read(tables).problems:
        for language in ("en", "zh"):
            for text in (problem.message(language), problem.expected(language)):
                assert text
                assert not re.search(r"[{}]", text)
        assert problem.message("en").isascii()
        assert not problem.message("zh").isascii()


NOT_BUILT = [
    ("Criteria", "target", 5, "column_not_built"),
    ("Criteria", "each", "region", "column_not_built"),
    ("Criteria", "per", "population", "column_not_built"),
    ("Criteria", "kind", "gini", "choice_not_built"),
    ("Criteria", "kind", "最差", "choice_not_built"),
    ("Round", "method", "reference", "choice_not_built"),
    ("Round", "method", "参考点", "choice_not_built"),
    ("Round", "normalise", "yes", "choice_not_built"),
    ("Round", "归一化", "是", "choice_not_built"),
]


@pytest.mark.parametrize(("sheet", "name", "value", "code"), NOT_BUILT)
def test_what_is_not_built_is_refused_by_name_when_filled(sheet: str, name: str, value: object, code: str) -> None:
    for cell, expected in ((value, [code]), (None, [])):
        tables = sound_tables()
        if sheet == "Round":
            tables["Round"].append({"setting": name, "value": cell})
        else:
            tables[sheet][0][name] = cell
        reading = read(tables)
        assert [p.code for p in reading.problems] == expected
        for problem in reading.problems:
            assert "not supported yet" in problem.message("en")
            assert "尚不支持" in problem.message("zh")
            assert problem.place is not None
            assert problem.place.cell is not None


def test_every_mistake_at_once_in_the_order_of_sheets_rows_and_columns() -> None:
    tables, _ = with_cell("Projects", 3, "max_award", "x")
    with_cell("Projects", 2, "people", "y", tables)
    with_cell("Sources", 4, "amount", -1, tables)
    with_cell("Rules", 3, "each", "county", tables)
    with_cell("Projects", 2, "min_award", True, tables)
    assert [str(p.place) for p in read(tables).problems] == [
        "Sources!C4", "Projects!E2", "Projects!H2", "Projects!F3", "Rules!C3",
    ]  # fmt: skip


TAKEN = [
    # sheet, row, column, cell, what it becomes, warnings
    ("Sources", 2, "amount", " 1200.5 ", D("1200.5"), ["number_as_text"]),
    ("Sources", 2, "amount", 0, D(0), []),
    ("Sources", 2, "least", "45 %", D("0.45"), []),
    ("Sources", 2, "least", "45%", D("0.45"), []),
    ("Sources", 2, "least", "0.45", D("0.45"), ["number_as_text"]),
    ("Sources", 2, "least", 0.1 + 0.2, D("0.3"), []),
    ("Sources", 2, "least", 1, D(1), []),
    ("Projects", 2, "min_award", "0", D(0), ["number_as_text"]),
    ("Projects", 2, "profile", "1", (D(1),), []),
    ("Projects", 2, "profile", 1, (D(1),), []),
    ("Projects", 2, "profile", "0.25；0.75", (D("0.25"), D("0.75")), []),
    ("Projects", 2, "profile", "50 %; 50 %", (D("0.5"), D("0.5")), []),
    ("Projects", 2, "tags", "new；Grand Union", ("new", "Grand Union"), []),
    ("Projects", 2, "title", 2027, "2027", []),
    ("Criteria", 2, "direction", "最小", "min", []),
    ("Rules", 2, "sense", "≤", "<=", []),
    ("Rules", 2, "sense", "＞＝", ">=", []),
    ("Rules", 2, "sense", "＝", "=", []),
    ("Rules", 2, "sense", "不低于", ">=", []),
    ("Rules", 2, "measure", "立项数", "accepted", []),
    ("Rules", 2, "measure", "立项", "accepted", []),
    ("Rules", 2, "measure", "拨款", "award", []),
    ("Rules", 2, "measure", "配套资金", "cofunding", []),
    ("Rules", 2, "of", "总额", "total", []),
    ("Rules", 2, "of", "资金总额", "funds", []),
    ("Rules", 3, "of", "平均", "average", []),
    ("Rules", 3, "of", "人口", "population", []),
    ("Rules", 3, "of", "Students", "students", ["folded_reference"]),
    ("Rules", 3, "per", "人口", "population", []),
    ("Rules", 3, "each", "地带", "belt", []),
    ("Rules", 3, "each", "Belts", "belt", []),
    ("Rules", 3, "each", "年度", "year", []),
    ("Rules", 2, "within", "sectors; 地带范围", ("sector", "belt"), []),
    ("Rules", 2, "within", "sector; sectors", ("sector",), []),
    ("Rules", 2, "bound", -3, D(-3), []),
    ("Links", 2, "projects", "p1；Ｐ2", ("P1", "P2"), ["folded_reference"] * 2),
    ("Links", 2, "projects", "P1; P\u200b2 ;", ("P1", "P2"), ["folded_reference"]),
    ("Projects", 2, "sector", "EDU", "edu", ["folded_reference"]),
    ("Projects", 2, "sector", " edu", "edu", ["outer_blanks"]),
    ("Projects", 2, "sector", "ｅｄｕ", "edu", ["folded_reference"]),
    ("Options", 2, "project", "p1", "P1", ["folded_reference"]),
    ("Criteria", 2, "measure", "People", "people", ["folded_reference"]),
    ("Criteria", 2, "criterion", "nobody", "nobody", []),
]


@pytest.mark.parametrize(("sheet", "row", "column", "cell", "typed", "warnings"), TAKEN)
def test_cells_that_are_taken(
    sheet: str, row: int, column: str, cell: object, typed: object, warnings: list[str]
) -> None:
    tables, address = with_cell(sheet, row, column, cell)
    reading = read(tables)
    assert [(p.code, str(p.place), p.severity) for p in reading.problems] == [
        (code, address, "warning") for code in warnings
    ]
    found = getattr(getattr(reading.round, sheet.lower())[row - 2], column)
    assert found == typed
    assert type(found) is type(typed)


def test_shares_that_nearly_add_up_give_the_difference_to_the_last() -> None:
    third = "beijing:0.333; gansu:0.333; tibet:0.333"
    assert parts_of_region(third, unheard) == (("beijing", D("0.333")), ("gansu", D("0.333")), ("tibet", D("0.334")))
    assert profile("0.3335；0.3335；0.334", unheard) == (D("0.3335"), D("0.3335"), D("0.333"))
    assert parts_of_region("北京：60 %；甘肃：0.4", unheard) == (("北京", D("0.6")), ("甘肃", D("0.4")))
    with pytest.raises(Mistake, match="profile_sum"):
        profile("1; 0.002", unheard)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=8))
def test_yearly_shares_add_up_to_exactly_one_or_are_refused(parts: list[int]) -> None:
    typed = "; ".join(f"0.{part:03d}" if part < 1000 else "1" for part in parts)
    total = sum(parts)
    if abs(total - 1000) <= 1 and parts[-1] + 1000 - total >= 0:
        taken = profile(typed, unheard)
        assert sum(taken) == 1
        assert [int(share * 1000) for share in taken[:-1]] == parts[:-1]
    else:
        with pytest.raises(Mistake, match="profile_sum"):
            profile(typed, unheard)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=5))
def test_a_number_of_up_to_15_digits_is_read_exactly(exact: Decimal) -> None:
    assert number(float(exact), unheard) == exact
    notes: list[str] = []
    assert number(format(exact, "f"), notes.append) == exact
    assert notes == ["number_as_text"]
    assert str(number(-0.0, unheard)) == "0"


@given(
    st.one_of(
        st.text(max_size=12),
        st.floats(),
        st.booleans(),
        st.datetimes(),
        st.dates(),
        st.times(),
        st.builds(BadCell, st.sampled_from(["error", "markup", "bad_number"]), st.text(max_size=4)),
    ),
    st.sampled_from([(bad.sheet, bad.row, bad.column) for bad in SEVERAL]),
)
def test_any_content_of_any_cell_is_read_or_reported(cell: Value, where: tuple[str, int, str]) -> None:
    sheet, row, column = where
    tables, address = with_cell(sheet, row, column, cell)
    reading = read(tables)
    assert reading.round is not None
    for problem in reading.problems:
        assert problem.message("en")
        assert problem.message("zh")
        assert problem.expected("en")
        assert address in (str(problem.place), problem.details.get("first")) or problem.code in (
            "missing_setting",
            "folded_reference",
            "first_year_missing",
            "source_year_missing",
            "not_a_multiple",
            "weight_missing",
            "priority_missing",
        )


@given(st.text(max_size=20))
def test_a_percentage_is_a_number_followed_by_the_sign(typed: str) -> None:
    try:
        taken = percent(f"{typed}%", unheard)
    except Mistake:
        return
    assert re.fullmatch(r"\s*-?[0-9]+(\.[0-9]+)?\s*", typed)
    assert taken * 100 == Decimal(typed.strip())


def test_folding_is_idempotent_on_awkward_names() -> None:
    for name in ("Ｐ１", "ﬁnance", "STRASSE", "straße", "İstanbul", "a\u200bb", "  x "):
        assert fold(fold(name)) == fold(name)
