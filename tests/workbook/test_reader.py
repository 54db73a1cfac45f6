"""Sheets, headings, languages, years and measures: what a workbook may look like, and what is said where it may not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrated_fund.checks import check
from integrated_fund.digest import round_digest
from integrated_fund.round import Selection
from optalloc.errors import WrongUse
from optalloc.workbook.grid import BadCell, Grid, GridRow, Tables
from optalloc.workbook.names import distance, near_miss
from optalloc.workbook.reader import Reading, read_round, reading_of
from optalloc.workbook.schema import SETTINGS, SHEETS, sheet_named
from tests.support.tables import grids_of, round_of, sound_tables, write_tables

D = Decimal


def read(tables: Tables) -> Reading:
    return reading_of(grids_of(tables), list(tables))


def read_grids(grids: list[Grid]) -> Reading:
    return reading_of(grids, [grid.sheet for grid in grids])


def said(reading: Reading) -> list[tuple[str, str]]:
    return [(problem.code, str(problem.place)) for problem in reading.problems]


def renamed(tables: Tables, sheet: str, old: str, new: str) -> Tables:
    tables[sheet] = [{new if name == old else name: cell for name, cell in row.items()} for row in tables[sheet]]
    return tables


def in_chinese(tables: Tables) -> Tables:
    """Return tables with Chinese sheet names, headings, settings and words of closed lists."""
    translated: Tables = {}
    for name, rows in tables.items():
        sheet = sheet_named(name)
        columns = {column.name: column for column in sheet.columns}
        settings = {setting.name: setting.zh for setting in SETTINGS}
        words = {"award": "拨款", "total": "总额", "average": "平均", "population": "人口", "region": "地区"}
        translated[sheet.zh] = []
        for row in rows:
            line: dict[str, object] = {}
            for heading, cell in row.items():
                column = columns.get(heading)
                if heading == "setting":
                    cell = settings[str(cell)]
                elif column is not None and column.choices:
                    cell = column.choices.get(str(cell), cell)
                elif column is not None and column.kind in ("measure", "base", "attribute", "dimension"):
                    cell = words.get(str(cell), cell)
                line[heading if column is None else column.zh] = cell
            translated[sheet.zh].append(line)
    return translated


# languages and files


def test_a_sound_round_has_no_problem_and_says_what_the_workbook_says() -> None:
    reading = read(sound_tables())
    assert reading.problems == ()
    assert not reading.has_errors
    assert reading.language == "en"
    round_ = reading.round
    assert round_ is not None
    assert check(round_) == ()
    assert (round_.step, round_.first_year, round_.years, round_.gap) == (D("0.5"), 2027, 2, D("0.0001"))
    assert (round_.method, round_.discount, round_.currency) == ("weighted", D(0), None)
    education = round_.sources[0]
    assert (education.amount, education.year, education.least) == (D(100), 2027, D("0.2"))
    assert education.filter.on("sector") == Selection(frozenset({"edu"}))
    first, second, block = round_.projects
    assert (first.min_award, first.profile, first.tags) == (D(10), (D("0.5"), D("0.5")), ("new", "big"))
    assert (first.start_from, first.start_to, first.status) == (2027, 2027, "candidate")
    assert second.regions == (("beijing", D("0.6")), ("gansu", D("0.4")))
    assert second.min_award is None
    assert block.is_block_grant
    assert dict(round_.regions[0].attributes) == {"population": 20, "students": 5}
    assert dict(round_.options[0].measures) == {"people": 12}
    assert round_.rules[0].within == ("sector",)
    assert round_.rules[0].bound == D("0.45")
    assert round_.criteria[0].measure == "people"
    assert str(first.origin.place("max_award")) == "Projects!F2"
    assert str(round_.settings["years"].place("value")) == "Round!B6"


def test_either_language_gives_the_same_round() -> None:
    english, chinese = read(sound_tables()), read(in_chinese(sound_tables()))
    assert chinese.problems == ()
    assert chinese.language == "zh"
    assert english.round is not None
    assert chinese.round is not None
    assert round_digest(chinese.round) == round_digest(english.round)


def test_languages_mix_sheet_by_sheet_and_column_by_column() -> None:
    tables = sound_tables()
    chinese = in_chinese({"Projects": tables["Projects"]})
    mixed = {**tables, **renamed(chinese, "项目", "地区", "Region")}
    del mixed["Projects"]
    reading = read(mixed)
    assert reading.problems == ()
    assert reading.language == "en"
    assert reading.round is not None
    assert str(reading.round.projects[0].origin.place("region")) == "项目!C2"


def test_a_workbook_reads_as_its_tables_do(tmp_path: Path) -> None:
    tables = sound_tables()
    reading = read_round(write_tables(tables, tmp_path / "round.xlsx"))
    assert reading.problems == ()
    assert reading.sha256 is not None
    assert reading.round is not None
    assert round_digest(reading.round) == round_digest(round_of(tables))


def test_a_workbook_is_changed_before_it_is_read(tmp_path: Path) -> None:
    path = write_tables(sound_tables(), tmp_path / "round.xlsx")
    reading = read_round(path, ["Sources.talent.amount=*1.01"])
    assert said(reading) == [("not_a_multiple", "Sources!C4")]
    assert reading.problems[0].found == "61.105"
    with pytest.raises(WrongUse) as raised:
        read_round(path, ["Sources.talents.amount=1"])
    assert raised.value.code == "unknown_key"


@given(st.permutations(range(3)), st.permutations(range(8)), st.permutations(range(5)))
def test_the_order_of_rows_and_columns_does_not_matter(
    projects: list[int], columns: list[int], settings: list[int]
) -> None:
    tables = sound_tables()
    names = list(tables["Projects"][0])
    shuffled = sound_tables()
    shuffled["Projects"] = [{names[c]: tables["Projects"][p][names[c]] for c in columns} for p in projects]
    shuffled["Round"] = [tables["Round"][s] for s in settings]
    reading = read(shuffled)
    assert reading.problems == ()
    assert reading.round is not None
    assert round_digest(reading.round) == round_digest(round_of(tables))


# sheets


@pytest.mark.parametrize("sheet", ["Round", "Sources", "Sectors", "Regions", "Projects", "Criteria"])
def test_a_required_sheet_is_missed(sheet: str) -> None:
    tables = sound_tables()
    del tables[sheet]
    reading = read(tables)
    assert said(reading) == [("missing_sheet", sheet)]
    assert reading.round is None
    chinese = in_chinese(sound_tables())
    name = sheet_named(sheet).zh
    del chinese[name]
    assert said(read(chinese)) == [("missing_sheet", name)]
    assert name in read(chinese).problems[0].message("zh")


@pytest.mark.parametrize("sheet", ["Options", "Rules", "Links"])
def test_other_sheets_may_be_missing_or_empty(sheet: str) -> None:
    tables = sound_tables()
    heading = GridRow(1, list(tables[sheet][0]))
    del tables[sheet]
    for rows in (None, [], [heading]):
        grids = grids_of(tables) + ([] if rows is None else [Grid(sheet, list(rows))])
        reading = read_grids(grids)
        assert reading.problems == ()
        assert reading.round is not None
        assert getattr(reading.round, sheet.lower()) == ()


@pytest.mark.parametrize("sheet", [sheet.name for sheet in SHEETS if not sheet.built])
def test_a_sheet_that_is_not_built_is_accepted_empty_and_refused_filled(sheet: str) -> None:
    sound = grids_of(sound_tables())
    spec = sheet_named(sheet)
    heading = GridRow(1, [column.name for column in spec.columns])
    chinese = GridRow(1, [column.zh for column in spec.columns])
    for rows in ([], [heading], [chinese], [heading, GridRow(2, ["  ", None])]):
        assert read_grids([*sound, Grid(sheet, rows)]).problems == ()
    for rows, place in (([heading, GridRow(5, [None, "x"])], "B5"), ([GridRow(3, ["anything"])], "A3")):
        reading = read_grids([*sound, Grid(sheet, rows)])
        assert said(reading) == [("sheet_not_built", f"{sheet}!{place}")]
        assert "not supported yet" in reading.problems[0].message("en")
        assert sheet in reading.problems[0].message("en")
        assert spec.zh in reading.problems[0].message("zh")


def test_unknown_sheets_are_warned_about_and_slips_are_errors() -> None:
    grids = grids_of(sound_tables())
    names = [grid.sheet for grid in grids]
    reading = reading_of(grids, [*names, "Notes of the meeting", "Guide", "说明"])
    assert said(reading) == [("unknown_sheet", "Notes of the meeting")]
    assert not reading.has_errors
    without = [grid for grid in grids if grid.sheet != "Rules"]
    reading = reading_of(without, [*(grid.sheet for grid in without), "Ruels"])
    assert said(reading) == [("near_sheet", "Ruels")]
    assert reading.has_errors
    assert "Rules" in reading.problems[0].message("en")


def test_sheet_names_go_without_case_and_outer_blanks() -> None:
    grids = grids_of(sound_tables())
    grids[1] = replace(grids[1], sheet=" SOURCES ")
    assert read_grids(grids).problems == ()


def test_a_sheet_in_both_languages_is_refused() -> None:
    tables = sound_tables()
    tables["规则"] = [{"rule": "other"}]
    assert said(read(tables)) == [("sheet_twice", "规则")]


def test_a_required_sheet_needs_headings_and_rows() -> None:
    for rows, code, place in (
        ([], "empty_sheet", "Sectors"),
        ([GridRow(4, [None, "Our sectors in 2027"])], "no_headings", "Sectors!B4"),
        ([GridRow(1, ["sector"])], "no_rows", "Sectors"),
    ):
        grids = [Grid("Sectors", rows) if grid.sheet == "Sectors" else grid for grid in grids_of(sound_tables())]
        reading = read_grids(grids)
        assert said(reading) == [(code, place)]
        assert reading.has_errors


# headings and where they stand


def test_a_table_may_start_anywhere_and_have_blank_rows() -> None:
    grids = grids_of(sound_tables())
    moved = [
        replace(
            grid,
            first_column=3,
            rows=[
                GridRow(1, [" ", None]),
                *(GridRow(row.number + 3000 + (row.number > 2) * 5, row.values) for row in grid.rows),
            ],
        )
        for grid in grids
    ]
    reading = read_grids(moved)
    assert reading.problems == ()
    assert reading.round is not None
    assert str(reading.round.projects[1].origin.place("max_award")) == "Projects!H3008"


def test_headings_go_without_case_blanks_and_width() -> None:
    tables = renamed(sound_tables(), "Projects", "max_award", " Max  Award ")
    tables = renamed(tables, "Projects", "min_award", "ｍｉｎ＿ａｗａｒｄ")
    assert read(tables).problems == ()


@pytest.mark.parametrize(
    ("sheet", "old", "new", "code"),
    [
        ("Projects", "min_award", "min_awrd", "near_column"),
        ("Projects", "max_award", "最高资助额", "near_column"),
        ("Projects", "tags", "tagz", "near_column"),
        ("Sources", "amount", "amuont", "near_column"),
        ("Sources", "least", "at least this", "unknown_column"),
        ("Sources", "amount", None, "missing_column"),
        ("Rules", "sense", "direction", "unknown_column"),
    ],
)
def test_wrong_headings(sheet: str, old: str, new: str | None, code: str) -> None:
    tables = sound_tables()
    place = f"{sheet}!{'ABCDEFGHIJKL'[list(tables[sheet][0]).index(old)]}1"
    if new is None:
        for row in tables[sheet]:
            del row[old]
        place = f"{sheet}!A1"
    else:
        renamed(tables, sheet, old, new)
    reading = read(tables)
    assert (code, place) in said(reading)
    assert {found for found, _ in said(reading)} <= {code, "missing_column"}
    if code == "near_column":
        assert len(reading.problems) == 1
        assert reading.problems[0].details["near"] in (old, "最高资助")
    if code != "unknown_column" and sheet == "Sources":
        assert reading.round is None


def test_a_heading_stands_once_whatever_its_language() -> None:
    tables = sound_tables()
    tables["Projects"][0]["最高资助"] = 40
    assert said(read(tables)) == [("heading_twice", "Projects!I1")]
    tables = sound_tables()
    tables["Projects"][0]["PEOPLE"] = 40
    assert said(read(tables)) == [("heading_twice", "Projects!I1")]


def test_an_error_in_a_heading_is_said() -> None:
    grids = grids_of(sound_tables())
    at = next(number for number, grid in enumerate(grids) if grid.sheet == "Projects")
    heading = replace(grids[at].rows[0], values=[*grids[at].rows[0].values, BadCell("error", "#NAME?")])
    grids[at] = replace(grids[at], rows=[heading, *grids[at].rows[1:]])
    assert said(read_grids(grids)) == [("cell_error", "Projects!I1")]


def test_values_without_a_heading_are_warned_about_once() -> None:
    grids = grids_of(sound_tables())
    at = next(number for number, grid in enumerate(grids) if grid.sheet == "Projects")
    rows = [grids[at].rows[0], *(replace(row, values=[*row.values, None, "seen"]) for row in grids[at].rows[1:])]
    grids[at] = replace(grids[at], rows=rows)
    reading = read_grids(grids)
    assert said(reading) == [("no_heading_above", "Projects!J2")]
    assert not reading.has_errors


def test_hidden_rows_and_sheets_count_and_are_warned_about() -> None:
    grids = grids_of(sound_tables())
    at = next(number for number, grid in enumerate(grids) if grid.sheet == "Projects")
    rows = [replace(row, hidden=row.number in (3, 4)) for row in grids[at].rows]
    grids[at] = replace(grids[at], rows=rows, hidden=True)
    reading = read_grids(grids)
    assert said(reading) == [("hidden_sheet", "Projects"), ("hidden_rows", "Projects!A3")]
    assert "2 hidden rows" in reading.problems[1].message("en")
    assert reading.round is not None
    assert len(reading.round.projects) == 3


@pytest.mark.parametrize(
    ("merged", "refused"), [("A3:A4", True), ("B1:B2", True), ("A1:C1", False), ("A9:B12", False), ("Z2:Z4", False)]
)
def test_merged_cells_over_data_are_refused(merged: str, refused: bool) -> None:
    grids = grids_of(sound_tables())
    at = next(number for number, grid in enumerate(grids) if grid.sheet == "Projects")
    grids[at] = replace(grids[at], merged=(merged,))
    reading = read_grids(grids)
    assert said(reading) == ([("merged", f"Projects!{merged.split(':')[0]}")] if refused else [])
    assert all(merged in problem.message("en") for problem in reading.problems)


# settings


def test_settings_are_named_in_either_language_and_stand_once() -> None:
    tables = sound_tables()
    tables["Round"] += [{"setting": "允许误差", "value": "0.5 %"}, {"setting": "Method", "value": "逐级"}]
    tables["Criteria"][0]["priority"] = 1
    reading = read(tables)
    assert reading.problems == ()
    assert reading.round is not None
    assert (reading.round.gap, reading.round.method) == (D("0.005"), "lexicographic")
    tables["Round"].append({"setting": "gap", "value": 0})
    reading = read(tables)
    assert said(reading) == [("setting_twice", "Round!A9")]
    assert reading.problems[0].details["first"] == "Round!A7"


def test_unknown_settings() -> None:
    tables = sound_tables()
    tables["Round"] += [{"setting": "currrency", "value": "CNY"}, {"setting": "deadline", "value": "May"}]
    assert said(read(tables)) == [("near_setting", "Round!A7"), ("unknown_setting", "Round!A8")]


def test_missing_settings() -> None:
    tables = sound_tables()
    del tables["Round"][:2]
    reading = read(tables)
    assert said(reading) == [("missing_setting", "Round"), ("missing_setting", "Round")]
    assert [problem.details["setting"] for problem in reading.problems] == ["title", "unit"]


# years


def one_year(*, first_year: int | None, year: int | None) -> Tables:
    tables = sound_tables()
    tables["Round"] = [row for row in tables["Round"] if row["setting"] not in ("first_year", "years")]
    if first_year is not None:
        tables["Round"].append({"setting": "first_year", "value": first_year})
    del tables["Sources"][1]
    for source in tables["Sources"]:
        source["year"] = year
    for project in tables["Projects"]:
        project["profile"] = None
    tables["Rules"][1]["years"] = None
    return tables


def test_a_round_of_one_year_may_name_none() -> None:
    round_ = round_of(one_year(first_year=None, year=None))
    assert {source.year for source in round_.sources} == {None}
    assert {(project.start_from, project.start_to) for project in round_.projects} == {(None, None)}


def test_in_a_round_of_one_year_a_blank_year_is_that_year() -> None:
    round_ = round_of(one_year(first_year=2027, year=None))
    assert {source.year for source in round_.sources} == {2027}
    assert {(project.start_from, project.start_to) for project in round_.projects} == {(2027, 2027)}
    assert round_digest(round_) == round_digest(round_of(one_year(first_year=2027, year=2027)))


def test_a_blank_year_and_the_same_year_typed_are_one_source_twice() -> None:
    tables = one_year(first_year=2027, year=None)
    tables["Sources"].append({"source": "Education", "year": 2027, "amount": 10})
    reading = read(tables)
    assert said(reading) == [("key_twice", "Sources!A4")]
    assert reading.problems[0].details["first"] == "Sources!A2"


@pytest.mark.parametrize(
    ("sheet", "column", "value", "place", "found"),
    [
        ("Sources", "year", 2027, "Sources!B2", "2027"),
        ("Projects", "start_from", 2027, "Projects!I2", "2027"),
        ("Projects", "start_to", 2027, "Projects!I2", "2027"),
        ("Rules", "years", "2027", "Rules!K2", "2027"),
        ("Criteria", "years", "!2027", "Criteria!D2", "!2027"),
    ],
)
def test_a_year_typed_anywhere_needs_the_first_year(
    sheet: str, column: str, value: object, place: str, found: str
) -> None:
    tables = one_year(first_year=None, year=None)
    tables[sheet][0][column] = value
    reading = read(tables)
    assert said(reading) == [("first_year_missing", place)]
    assert reading.problems[0].found == found
    assert reading.round is not None
    if sheet != "Criteria":  # a criterion on no year is another mistake
        assert [p for p in check(reading.round) if p.severity == "error"] == []


def test_several_years_need_the_first_year() -> None:
    tables = sound_tables()
    del tables["Round"][3]
    reading = read(tables)
    assert said(reading) == [("first_year_missing", "Round!B5")]
    assert reading.round is not None
    assert [p for p in check(reading.round) if p.severity == "error"] == []


def test_a_blank_start_to_is_start_from() -> None:
    tables = sound_tables()
    tables["Projects"][1] |= {"start_from": 2028}
    tables["Projects"][2] |= {"start_to": 2028}
    reading = read(tables)
    assert reading.round is not None
    starts = [(project.start_from, project.start_to) for project in reading.round.projects]
    assert starts == [(2027, 2027), (2028, 2028), (2027, 2028)]


# measures and attributes


def test_further_columns_are_measures_if_half_of_their_cells_are_numbers() -> None:
    tables = sound_tables()
    for project, score, remark, both in zip(
        tables["Projects"], (1, "2", None), ("late", "good", 3), (1, "x", None), strict=True
    ):
        project |= {"score": score, "remark": remark, "both": both}
    reading = read(tables)
    assert said(reading) == [
        ("text_column", "Projects!J1"), ("number_as_text", "Projects!I3"), ("not_a_number", "Projects!K3"),
    ]  # fmt: skip
    assert reading.round is not None
    assert [dict(project.measures) for project in reading.round.projects] == [
        {"people": 30, "score": 1, "both": 1},
        {"people": 12, "score": 2, "both": 0},
        {"people": 8, "score": None, "both": None},
    ]


@pytest.mark.parametrize("counted", ["criterion", "criterion's measure", "rule"])
def test_a_column_that_is_counted_is_a_measure_whatever_stands_in_it(counted: str) -> None:
    tables = sound_tables()
    for project in tables["Projects"]:
        project["quality"] = "good"
    assert said(read(tables)) == [("text_column", "Projects!I1")]
    if counted == "criterion":
        tables["Criteria"].append({"criterion": "Quality", "weight": 1})
    elif counted == "criterion's measure":
        tables["Criteria"].append({"criterion": "worth", "measure": "quality", "weight": 1})
    else:
        tables["Rules"].append({"rule": "good", "measure": "quality", "sense": ">=", "bound": 1})
    errors = [(p.code, str(p.place)) for p in read(tables).problems if p.severity == "error"]
    assert errors == [("not_a_number", f"Projects!I{row}") for row in (2, 3, 4)]


def test_an_attribute_that_is_named_is_no_column_of_projects() -> None:
    tables = sound_tables()
    for rows in (tables["Projects"], tables["Regions"]):
        for row in rows:
            row["pupils"] = "many"
    tables["Rules"][1]["per"] = "pupils"
    assert said(read(tables)) == [
        ("not_a_number", "Regions!E2"), ("not_a_number", "Regions!E3"), ("text_column", "Projects!I1"),
    ]  # fmt: skip


def test_known_measures_are_there_if_their_columns_are() -> None:
    tables = sound_tables()
    assert set(round_of(tables).projects[0].measures) == {"people"}
    tables["Projects"][0] |= {"配套资金": 5, "feasibility": 1}
    reading = read(tables)
    assert reading.round is not None
    assert [dict(project.measures) for project in reading.round.projects] == [
        {"cofunding": 5, "feasibility": 1, "people": 30},
        {"cofunding": None, "feasibility": None, "people": 12},
        {"cofunding": None, "feasibility": None, "people": 8},
    ]


def test_measures_of_options_go_by_the_headings_of_projects() -> None:
    tables = renamed(sound_tables(), "Options", "people", "People")
    round_ = round_of(tables)
    assert dict(round_.options[0].measures) == {"people": 12}


def test_the_lexicographic_method_needs_priorities_and_no_weights() -> None:
    tables = sound_tables()
    tables["Round"].append({"setting": "method", "value": "lexicographic"})
    tables["Criteria"] = [{"criterion": "people", "priority": None}]
    assert said(read(tables)) == [("priority_missing", "Criteria!B2")]
    tables["Criteria"][0]["priority"] = 3
    assert round_of(tables).criteria[0].weight is None


def test_a_faulty_method_asks_for_neither_weight_nor_priority() -> None:
    tables = sound_tables()
    tables["Round"].append({"setting": "method", "value": "best"})
    del tables["Criteria"][0]["weight"]
    assert said(read(tables)) == [("not_a_choice", "Round!B7")]


def test_a_faulty_step_is_said_once() -> None:
    tables = sound_tables()
    tables["Round"][2]["value"] = "half"
    tables["Projects"][0]["max_award"] = D("40.25")
    assert said(read(tables)) == [("not_a_number", "Round!B4")]


# names


def test_numbers_as_names_go_without_decimals() -> None:
    tables = sound_tables()
    for number, project in enumerate(tables["Projects"]):
        project["project"] = 1001 + number
    tables["Options"][0]["project"] = 1001
    tables["Links"][0]["projects"] = "1001; 1002"
    round_ = round_of(tables)
    assert [project.project for project in round_.projects] == ["1001", "1002", "1003"]


def test_options_are_named_by_project_and_level() -> None:
    tables = sound_tables()
    tables["Options"] += [
        {"project": "P2", "option": "small", "max_award": 5},
        {"project": "p1", "option": "SMALL", "max_award": 5},
    ]
    errors = [(p.code, str(p.place)) for p in read(tables).problems if p.severity == "error"]
    assert errors == [("key_twice", "Options!B4")]


def test_references_of_another_spelling_are_taken_with_a_warning_and_unknown_ones_left() -> None:
    tables = sound_tables()
    tables["Projects"][1] |= {"sector": "Tech", "region": "Beijing:0.6; gansu:0.4", "tags": "NEW"}
    tables["Projects"][2] |= {"sector": "health"}
    tables["Rules"][0]["belts"] = "!West"
    reading = read(tables)
    assert said(reading) == [
        ("folded_reference", "Projects!B3"),
        ("folded_reference", "Projects!C3"),
        ("folded_reference", "Projects!D3"),
        ("folded_reference", "Rules!J2"),
    ]
    assert not reading.has_errors
    assert reading.round is not None
    second = reading.round.projects[1]
    assert (second.sector, second.regions[0][0], second.tags) == ("tech", "beijing", ("new",))
    assert reading.round.projects[2].sector == "health"
    assert reading.round.rules[0].filter.on("belt") == Selection(exclude=frozenset({"west"}))


@given(st.text(max_size=9), st.text(max_size=9))
def test_the_number_of_slips_is_a_distance(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("min_awrd", "min_award"),
        ("min awrad", "min_award"),
        ("Categry", "category"),
        ("tag", None),
        ("score", None),
        ("最高资助额", "最高资助"),
        ("领", None),
    ],
)
def test_near_misses(name: str, near: str | None) -> None:
    columns = sheet_named("Projects").columns
    assert near_miss(name, [word for column in columns for word in (column.name, column.zh)]) == near
