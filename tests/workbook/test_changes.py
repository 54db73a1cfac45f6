"""`--set`: what a change means, which cells it reaches, and what is said of one that reaches none."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optalloc.errors import WrongUse
from optalloc.workbook.changes import apply_changes, parse_change
from optalloc.workbook.grid import Grid, Tables, Value
from optalloc.workbook.reader import Reading, reading_of
from tests.support.tables import grids_of, sound_tables

D = Decimal


def read(sets: list[str], tables: Tables | None = None) -> Reading:
    grids = apply_changes(grids_of(sound_tables() if tables is None else tables), sets)
    return reading_of(grids, [grid.sheet for grid in grids])


def cell(sets: list[str], sheet: str, row: int, column: str, tables: Tables | None = None) -> Value:
    """Return what stands in a cell after changes (row 2 is the first)."""
    grids: dict[str, Grid] = {
        grid.sheet: grid for grid in apply_changes(grids_of(sound_tables() if tables is None else tables), sets)
    }
    position = grids[sheet].rows[0].values.index(column)
    return next(line for line in grids[sheet].rows if line.number == row).values[position]


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("Sources.education.amount=*1.1", ("Sources", "education", "amount", "*", "1.1")),
        ("Sources.education@2027.amount=+500", ("Sources", "education@2027", "amount", "+", "500")),
        ("Projects.P.1.2.max_award=-500", ("Projects", "P.1.2", "max_award", "-", "500")),
        ("Rules.west.bound==0.4", ("Rules", "west", "bound", "=", "0.4")),
        ("Rules.west.bound=0.4", ("Rules", "west", "bound", "=", "0.4")),
        ("Rules.west.bound=45 %", ("Rules", "west", "bound", "=", "45 %")),
        ("Rules.west.bound==-3", ("Rules", "west", "bound", "=", "-3")),
        ("Rules.west.sense=>=", ("Rules", "west", "sense", "=", ">=")),
        ("Rules.west.sense==", ("Rules", "west", "sense", "=", "=")),
        ("Rules.west.of=", ("Rules", "west", "of", "=", "")),
        ("规则.west.界限= 0.4 ", ("Rules", "west", "界限", "=", "0.4")),
        ("Rules.west.bound=* 110 %", ("Rules", "west", "bound", "*", "110 %")),
        ("Projects.P1.title=+ new wing", ("Projects", "P1", "title", "=", "+ new wing")),
    ],
)
def test_a_change_is_split_at_the_first_and_the_last_dot(typed: str, parts: tuple[str, ...]) -> None:
    change = parse_change(typed)
    assert (change.sheet.name, change.key, change.column, change.sign, change.operand) == parts


@pytest.mark.parametrize(
    "typed",
    ["", "Sources", "Sources.education=5", "Sources.education.amount", ".a.b=1", "Sources.a.=1", "Sources..b=1"],
)
def test_what_is_no_change_is_refused(typed: str) -> None:
    with pytest.raises(WrongUse) as raised:
        parse_change(typed)
    assert raised.value.code == "change"
    assert "Sheet.key.column=change" in raised.value.message


@pytest.mark.parametrize("typed", ["Sources.a.amount=*", "Sources.a.amount=*x", "Sources.a.amount=*1e3"])
def test_a_factor_is_a_plain_number(typed: str) -> None:
    with pytest.raises(WrongUse) as raised:
        parse_change(typed)
    assert raised.value.code == "change"


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("Source.education.amount=1", "Sources"),
        ("Sources.eduction.amount=1", "education"),
        ("Sources.education@2029.amount=1", "education"),
        ("Sources.education.amonut=1", "amount"),
        ("Projects.P1.poeple=1", "people"),
        ("Round.gapp.value=0", "gap"),
        ("Options.P9@small.max_award=1", ""),
        ("Pairs.beijing.floor=1", ""),
        ("Criteria.people.priority=*2", ""),
        ("Projects.P1.pupils=5", ""),
    ],
)
def test_what_is_not_there_is_named_with_the_nearest_that_is(typed: str, hint: str) -> None:
    with pytest.raises(WrongUse) as raised:
        read([typed])
    assert raised.value.code == "unknown_key"
    assert typed in raised.value.message
    assert hint in raised.value.message


def test_a_source_goes_by_name_for_every_year_and_with_the_year_for_one() -> None:
    for key, amounts in (("education", [110, 88]), ("Education@2028", [100, 88]), ("*", [110, 88])):
        reading = read([f"Sources.{key}.amount=*1.1"])
        assert reading.round is not None
        assert [source.amount for source in reading.round.sources][:2] == amounts


def test_changes_are_made_in_order() -> None:
    sets = ["Sources.education@2027.amount=*2", "Sources.education@2027.amount=+1", "Sources.*.amount=-0.5"]
    reading = read(sets)
    assert reading.round is not None
    assert [source.amount for source in reading.round.sources] == [D("200.5"), D("79.5"), 60]


@pytest.mark.parametrize(
    ("change", "sheet", "row", "column", "after"),
    [
        ("Projects.P1.max_award=50", "Projects", 2, "max_award", 50.0),
        ("项目.p1.最高资助=50", "Projects", 2, "max_award", 50.0),
        ("Projects.P1.people=+1.5", "Projects", 2, "people", 31.5),
        ("Projects.P1.PEOPLE=40", "Projects", 2, "people", 40.0),
        ("Projects.P1.min_award=", "Projects", 2, "min_award", None),
        ("Projects.P1.sector=007", "Projects", 2, "sector", "007"),
        ("Projects.P1.region=beijing:0.5; gansu:0.5", "Projects", 2, "region", "beijing:0.5; gansu:0.5"),
        ("Options.P1.max_award=15", "Options", 2, "max_award", 15.0),
        ("Options.P1@small.max_award=15", "Options", 2, "max_award", 15.0),
        ("Rules.west.bound=*1.1", "Rules", 2, "bound", 0.495),
        ("Rules.west.bound=+5 %", "Rules", 2, "bound", 0.5),
        ("Rules.west.bound=50 %", "Rules", 2, "bound", "50 %"),
        ("Rules.heads.years=2028", "Rules", 3, "years", "2028"),
        ("Round.years.value=3", "Round", 6, "value", 3.0),
        ("轮次.年数.值=3", "Round", 6, "value", 3.0),
        ("Round.title.value=2028", "Round", 2, "value", "2028"),
    ],
)
def test_the_cell_after_a_change(change: str, sheet: str, row: int, column: str, after: Value) -> None:
    assert cell([change], sheet, row, column) == after


def test_a_setting_at_its_default_gets_a_row_and_one_in_the_other_language_is_found() -> None:
    reading = read(["Round.gap.value=0", "Round.method.value=逐级", "Criteria.people.priority=1"])
    assert reading.problems == ()
    assert reading.round is not None
    assert (reading.round.gap, reading.round.method) == (D(0), "lexicographic")
    tables = sound_tables()
    tables["Round"].append({"setting": "允许误差", "value": D("0.01")})
    reading = read(["Round.gap.value=*0.5"], tables)
    assert reading.problems == ()
    assert reading.round is not None
    assert reading.round.gap == D("0.005")
    with pytest.raises(WrongUse, match="nothing to change"):
        read(["Round.gap.value=*2"])


def test_a_column_of_the_schema_that_is_missing_is_added() -> None:
    reading = read(["Sources.talent.carry_over=0.5", "Projects.P1.status=必选"])
    assert reading.problems == ()
    assert reading.round is not None
    assert [source.carry_over for source in reading.round.sources] == [0, 0, D("0.5")]
    assert [project.status for project in reading.round.projects] == ["mandatory", "candidate", "candidate"]


def test_factors_and_sums_leave_blank_cells_blank() -> None:
    reading = read(["Projects.*.min_award=*2"])
    assert reading.round is not None
    assert [project.min_award for project in reading.round.projects] == [20, None, 0]
    with pytest.raises(WrongUse, match="blank"):
        read(["Projects.P2.min_award=+5"])


def test_a_factor_needs_a_number_to_work_on() -> None:
    with pytest.raises(WrongUse) as raised:
        read(["Projects.P1.sector=*2"])
    assert (raised.value.code, raised.value.sheet, raised.value.cell) == ("change", "Projects", "B2")


@pytest.mark.parametrize(
    ("change", "code", "place", "found"),
    [
        ("Projects.P1.max_award=*1.01", "not_a_multiple", "Projects!F2", "40.4"),
        ("Projects.P1.max_award=1,000", "not_a_number", "Projects!F2", "1,000"),
        ("Projects.P1.max_award=-40", "not_positive", "Projects!F2", "0"),
        ("Projects.P1.max_award=*1.0000000000000001", "too_many_digits", "Projects!F2", "40.0000000000000040"),
        ("Projects.P1.max_award=", "missing_value", "Projects!F2", ""),
        ("Rules.west.sense=more", "not_a_choice", "Rules!E2", "more"),
        ("Round.gap.value=45", "not_a_share", "Round!B7", "45"),
        ("Criteria.people.kind=gini", "choice_not_built", "Criteria!D2", "gini"),
    ],
)
def test_a_bad_change_gets_the_message_of_a_bad_cell(change: str, code: str, place: str, found: str) -> None:
    assert [(p.code, str(p.place), p.found) for p in read([change]).problems] == [(code, place, found)]


def test_addresses_are_those_of_the_sheet() -> None:
    grids = [
        replace(grid, first_column=3, rows=[replace(row, number=row.number + 10) for row in grid.rows])
        for grid in grids_of(sound_tables())
    ]
    changed = apply_changes(grids, ["Sources.talent.carry_over=2", "Round.gap.value=2", "Sources.talent.amount=-1000"])
    reading = reading_of(changed, [grid.sheet for grid in changed])
    assert [str(problem.place) for problem in reading.problems] == ["Round!D17", "Sources!E14", "Sources!H14"]


def test_the_grids_given_stay_as_they_are() -> None:
    grids = grids_of(sound_tables())
    apply_changes(grids, ["Sources.*.amount=5", "Round.gap.value=0", "Sources.talent.carry_over=0.5"])
    assert grids == grids_of(sound_tables())


@given(
    st.decimals(min_value=0, max_value=10**6, places=3),
    st.sampled_from("*+-"),
    st.decimals(min_value=0, max_value=10**3, places=3),
)
def test_factors_and_sums_are_exact(before: Decimal, sign: str, operand: Decimal) -> None:
    tables = sound_tables()
    tables["Projects"][0]["people"] = before
    after = {"*": before * operand, "+": before + operand, "-": before - operand}[sign]
    reading = read([f"Projects.P1.people={sign}{operand}"], tables)
    assert reading.round is not None
    assert reading.round.projects[0].measures["people"] == after
