"""The plan workbook as a reader of it sees it: sheets, headings, values, formulas, words."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import zipfile
from dataclasses import replace
from decimal import Decimal
from itertools import takewhile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from optalloc.errors import NotThisRound, OptallocError, WrongUse
from optalloc.plan.overrides import Cost
from optalloc.plan.plan import Plan
from optalloc.workbook import plan_writer
from optalloc.workbook.plan_labels import cost_in_words, proof_sentence
from optalloc.workbook.plan_table import lines_of, note_on_paper, places_of, safe_text
from optalloc.workbook.plan_writer import write_plan
from tests.workbook.plans import large_plan, large_round, small_plan, small_round

D = Decimal


def _written(path: Path, plan: Plan | None = None, *, data_only: bool = True, zh: bool = False) -> Workbook:
    if not path.exists():
        write_plan(plan or small_plan(), small_round(), path, language="zh" if zh else "en")
    return openpyxl.load_workbook(path, data_only=data_only)


def _table(sheet: Worksheet) -> list[dict[str, object]]:
    """Return the rows of the table below the headings in row 1, as far as the first empty heading."""
    headings = [str(value) for value in takewhile(lambda value: value is not None, (cell.value for cell in sheet[1]))]
    rows = sheet.iter_rows(min_row=2, max_col=len(headings), values_only=True)
    return [dict(zip(headings, values, strict=True)) for values in rows]


def _totals(sheet: Worksheet) -> dict[str, object]:
    """Return the totals beside the table: what stands in row 2 under the labels in row 1."""
    first = sheet.max_column - [cell.value for cell in sheet[1]][::-1].index(None) + 1
    cells = sheet.iter_cols(min_col=first, max_row=2, values_only=True)
    return {str(label): value for label, value in cells if value is not None}


def _facts(sheet: Worksheet) -> dict[str, object]:
    facts: dict[str, object] = {}
    for label, value in sheet.iter_rows(min_row=4, max_col=2, values_only=True):
        facts.setdefault(str(label), value)
    return facts


def _texts(sheet: Worksheet) -> list[str]:
    return [cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]


def test_the_sheets_stand_in_order_under_their_english_names(tmp_path: Path) -> None:
    for zh in (False, True):
        book = _written(tmp_path / f"{zh}.xlsx", zh=zh)
        assert book.sheetnames == [
            "Summary", "Overrides", "Awards", "Rules", "Regions", "Sectors", "Sources", "Declined", "Manifest"
        ]  # fmt: skip


def test_awards_has_one_row_for_each_payment(tmp_path: Path) -> None:
    sheet = _written(tmp_path / "plan.xlsx")["Awards"]
    headings = [cell.value for cell in sheet[1]]
    assert headings[:7] == ["project", "option", "start", "region", "year", "source", "amount"]
    rows = _table(sheet)
    assert len(rows) == len(small_plan().payments)
    for row, payment in zip(rows, small_plan().payments, strict=True):
        assert row["project"] == payment.project
        assert row["option"] == payment.option
        assert (row["start"], row["year"]) == (payment.start, payment.year)
        assert (row["region"], row["source"]) == (payment.region, payment.source)
        assert row["amount"] == float(payment.amount)
    assert rows[4]["sector"] == "labs"
    assert rows[4]["belt"] == "central"


def test_a_chinese_plan_keeps_the_seven_headings_programs_go_by(tmp_path: Path) -> None:
    book = _written(tmp_path / "plan.xlsx", zh=True)
    headings = [cell.value for cell in book["Awards"][1]]
    assert headings[:7] == ["project", "option", "start", "region", "year", "source", "amount"]
    assert headings[7:10] == ["名称", "领域", "地带"]
    assert "实际值" in [cell.value for cell in book["Rules"][1]]
    facts = _facts(book["Summary"])
    assert facts["状态"] == "可行"
    assert any("未证明为最优" in text for text in _texts(book["Summary"]))


def test_amounts_are_values_and_sums_are_formulas_with_their_exact_value(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    values, formulas = _written(path), _written(path, data_only=False)
    for name, column in (("Awards", "amount"), ("Sources", "used"), ("Sources", "amount"), ("Rules", "activity")):
        assert all(isinstance(row[column], int | float) for row in _table(formulas[name])), name
    for name, column in (("Regions", "awards"), ("Sectors", "awards"), ("Sources", "sum of Awards")):
        assert all(str(row[column]).startswith("=SUMPRODUCT(") for row in _table(formulas[name])), name
    assert {row["region"]: row["awards"] for row in _table(values["Regions"])} == {
        "hubei": 733.33,
        "gansu": 612.34,
        "beijing": 300,
    }
    assert {row["sector"]: row["awards"] for row in _table(values["Sectors"])} == {"labs": 1145.67, "schools": 500}
    assert [(row["source"], row["year"], row["sum of Awards"]) for row in _table(values["Sources"])] == [
        ("education", 2027, 250),
        ("education", 2028, 150),
        ("science", 2027, 412.34),
        ("science", 2028, 833.33),
    ]


def test_totals_stand_beside_their_tables(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    values, formulas = _written(path), _written(path, data_only=False)
    assert values["Awards"]["L1"].value == "total of the rows shown: 1,645.67"
    assert "SUBTOTAL(109,G2:G7)" in formulas["Awards"]["L1"].value
    assert _totals(values["Sectors"]) == {"total awards": 1645.67}
    assert _totals(values["Sources"]) == {"total amount": 3900.5, "total used": 1645.67, "total sum of Awards": 1645.67}
    people = 21893095 + 57752557 + 25019831
    assert _totals(values["Regions"]) == {
        "total awards": 1645.67,
        "total population": people,
        "per head, all regions": pytest.approx(1645.67 / people),
    }
    for name in ("Regions", "Sectors", "Sources"):
        assert all(str(value).startswith("=") for value in _totals(formulas[name]).values()), name


def test_every_table_states_the_unit_beside_its_headings(tmp_path: Path) -> None:
    book = _written(tmp_path / "plan.xlsx")
    for name in ("Awards", "Rules", "Regions", "Sectors", "Sources", "Declined"):
        assert "10,000 yuan (CNY)" in str(book[name].cell(1, book[name].max_column).value), name


def test_regions_are_held_against_the_average_of_all(tmp_path: Path) -> None:
    rows = {str(row["region"]): row for row in _table(_written(tmp_path / "plan.xlsx")["Regions"])}
    people = 21893095 + 57752557 + 25019831
    average = 1645.67 / people
    assert rows["gansu"]["per head"] == pytest.approx(612.34 / 25019831)
    assert rows["gansu"]["against the average"] == pytest.approx(612.34 / 25019831 / average)
    assert rows["gansu"]["share"] == pytest.approx(612.34 / 1645.67)


def test_regions_without_a_population_have_no_column_for_it(tmp_path: Path) -> None:
    small = small_round()
    bare = replace(small, regions=(replace(small.regions[0], attributes={"population": None}), *small.regions[1:]))
    write_plan(small_plan(), bare, tmp_path / "plan.xlsx")
    headings = [cell.value for cell in _written(tmp_path / "plan.xlsx")["Regions"][1]][:6]
    assert headings == ["region", "title", "belt", "awards", "share", "projects"]


def test_text_stays_text_whatever_it_looks_like(tmp_path: Path) -> None:
    hostile = ["=1+1", "{=1}", "+1", "-1", "@SUM(1)", "http://x.y", "<r><t>x</t></r>", "12", "TRUE", "a\x00b", "#REF!"]
    small = small_round()
    projects = tuple(replace(small.projects[3], project=f"q{n}", title=text) for n, text in enumerate(hostile))
    plan = replace(
        small_plan(),
        declined=tuple(replace(small_plan().declined[0], project=project.project) for project in projects),
    )
    for in_memory in (0, 20_000):
        path = tmp_path / f"{in_memory}.xlsx"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(plan_writer, "_ROWS_IN_MEMORY", in_memory)
            write_plan(plan, replace(small, projects=(*small.projects, *projects)), path)
        sheet = openpyxl.load_workbook(path)["Declined"]
        cells = [sheet.cell(2 + number, 2) for number in range(len(hostile))]
        assert [cell.value for cell in cells] == [text.replace("\x00", " ") for text in hostile]
        assert all(cell.data_type in ("s", "inlineStr") or cell.value == "#REF!" for cell in cells)
        assert all(cell.hyperlink is None for cell in cells)


def test_a_text_too_long_for_a_cell_is_cut_with_a_mark() -> None:
    assert safe_text("x" * 32_767) == "x" * 32_767
    assert safe_text("x" * 32_768) == "x" * 32_766 + "…"
    cut = safe_text("𝄞" * 20_000)  # counts twice in Excel
    assert len(cut.encode("utf-16-le")) // 2 <= 32_767
    assert cut.endswith("𝄞…")
    assert safe_text("one\r\ntwo\ttab\x07bell\ud800half") == "one\ntwo\ttab bell half"


def test_the_summary_states_what_is_proven(tmp_path: Path) -> None:
    sheet = _written(tmp_path / "plan.xlsx")["Summary"]
    facts = _facts(sheet)
    assert facts["status"] == "feasible"
    assert facts["objective"] == 1234.5678
    assert facts["bound"] == 1243.25
    assert facts["gap"] == float(small_plan().gap or 0)
    assert facts["awarded"] == 1645.67
    assert facts["funds"] == 3900.5
    assert facts["funded projects"] == 3
    assert facts["soft rules missed"] == 1
    texts = " ".join(_texts(sheet))
    assert "stopped at a limit (time limit): at most 0.71 % below the best possible" in texts
    assert "Sources.education.amount=*1.1" in texts
    assert "forced in: p3\nforbidden: p4\ncost to the objective: between -2.5 and 12 (7.25 between" in texts


def test_overrides_have_a_sheet_with_who_why_and_cost(tmp_path: Path) -> None:
    for zh in (False, True):
        sheet = _written(tmp_path / f"{zh}.xlsx", zh=zh)["Overrides"]
        first, second = (list(row.values()) for row in _table(sheet))
        made, status = ("强制列入", "排除") if zh else ("forced in", "excluded")
        assert first[:3] == ["p3", None, made]
        assert first[3:] == [status, "张三", "leading group, 3 March", "2027-03-03", 7.25, -2.5, 12]
        assert second[4:] == ["=HYPERLINK(1)", "=1+1", "2027-03-04", None, None, None]
        texts = " ".join(_texts(sheet))
        assert ("在 -2.5 与 12 之间" if zh else "between -2.5 and 12") in texts


def test_a_plan_without_overrides_has_no_sheet_of_them(tmp_path: Path) -> None:
    plan = replace(small_plan(), manifest={**small_plan().manifest, "overrides": [], "without_overrides": None})
    book = _written(tmp_path / "plan.xlsx", plan)
    assert "Overrides" not in book.sheetnames
    assert _facts(book["Summary"])["overrides"] == "none"


def test_overrides_that_cannot_be_followed_are_not_written(tmp_path: Path) -> None:
    plan = replace(small_plan(), manifest={**small_plan().manifest, "overrides": [{"project": "p3"}]})
    with pytest.raises(OptallocError, match="by is missing") as refused:
        _written(tmp_path / "plan.xlsx", plan)
    assert refused.value.code == "bad_manifest"
    assert not (tmp_path / "plan.xlsx").exists()


@pytest.mark.parametrize(
    ("cost", "says"),
    [
        (Cost(D(0), D(0), D(0)), "0"),
        (Cost(D("1.23456"), D("1.23456"), D("1.23456")), "1.2346"),
        (Cost(D("1.23451"), D("2.34561"), D(2)), "between 1.2345 and 2.3457 (2 between the best plans found)"),
        (Cost(D("-1.23451"), None, D(2000)), "at least -1.2346 (2,000 between the best plans found)"),
        (Cost(None, D("2.34561"), D(2)), "at most 2.3457 (2 between the best plans found)"),
        (Cost(None, None, D(2)), "not proven (2 between the best plans found)"),
        (Cost(D(0), D("2.34561")), "between 0 and 2.3457"),
        (Cost(D(0)), "at least 0"),
        (Cost(), "not known"),
    ],
)
def test_a_cost_in_words_is_rounded_outwards(cost: Cost, says: str) -> None:
    assert cost_in_words(cost, "en") == says


@pytest.mark.parametrize(
    ("tie_break", "says"),
    [
        ({"complete": True, "reason": None}, "complete: of all plans that are equally good"),
        ({"complete": False, "reason": "a gap is left"}, "not complete (a gap is left): there may be other"),
    ],
)
def test_the_summary_says_whether_ties_are_broken(tmp_path: Path, tie_break: dict[str, object], says: str) -> None:
    plan = replace(small_plan(), manifest=dict(small_plan().manifest) | {"tie_break": tie_break})
    assert says in str(_facts(_written(tmp_path / "plan.xlsx", plan)["Summary"])["tie-break"])


@pytest.mark.parametrize(
    ("status", "objective", "bound", "stopped", "says"),
    [
        ("optimal", "100", "100", None, "Proven: no plan that keeps every rule has a better objective."),
        ("optimal", "100", "100.0001", None, "within the gap asked for: at most 0.0001 % below"),
        ("optimal", "99999", "100000", None, "at most 0.0011 % below"),
        ("feasible", "100", "107.121", "interrupted", "stopped at a limit (by hand): at most 7.2 % below"),
        ("feasible", "-100", "-90", "work limit", "stopped at a limit (work limit): at most 10 below"),
        ("feasible", "100", "101", None, "Not proven the best within the gap asked for: at most 1 % below"),
        ("feasible", "100", None, "time limit", "is not known"),
    ],
)
def test_the_proof_is_stated_in_words(
    status: str, objective: str, bound: str | None, stopped: str | None, says: str
) -> None:
    best = None if bound is None else D(bound)
    gap = None if best is None else (best - D(objective)) / abs(D(objective))
    plan = replace(
        small_plan(),
        status="optimal" if status == "optimal" else "feasible",
        objective=D(objective),
        bound=best,
        gap=gap,
        manifest={"stopped": stopped},
    )
    assert says in proof_sentence(plan, "en")
    assert "{" not in proof_sentence(plan, "zh")


def test_rules_stand_with_their_sentence_and_state(tmp_path: Path) -> None:
    rows = _table(_written(tmp_path / "plan.xlsx")["Rules"])
    assert [row["sense"] for row in rows] == [">=", "<=", "<=", "="]
    assert [row["state"] for row in rows] == ["kept", "kept", "kept, no slack", "missed"]
    assert rows[0]["typed bound"] == 0.3
    assert rows[0]["in words"] == "awards: at least 30 % of the total"
    assert rows[3]["in words"] == "=1+1"
    assert rows[3]["member"] == "gansu"
    assert rows[0]["authority"] == "Notice 12"


def test_the_manifest_has_the_schema_version_first_and_json_values(tmp_path: Path) -> None:
    manifest = {"sets": [], "schema_version": 1, "round": "名称"}
    rows = _table(_written(tmp_path / "plan.xlsx", replace(small_plan(), manifest=manifest))["Manifest"])
    assert [row["key"] for row in rows] == ["schema_version", "sets", "round"]
    assert [json.loads(str(row["value"])) for row in rows] == [1, [], "名称"]
    assert rows[2]["value"] == '"名称"'


def test_tables_are_ready_to_filter_scroll_and_print(tmp_path: Path) -> None:
    book = _written(tmp_path / "plan.xlsx")
    for name in book.sheetnames[1:]:
        sheet = book[name]
        assert sheet.freeze_panes == "B2"
        assert sheet.auto_filter.ref is not None
        assert sheet.auto_filter.ref.startswith("A1:")
        assert sheet.print_title_rows == "$1:$1"
    for name in book.sheetnames:
        sheet, layout = book[name], book[name].sheet_properties.pageSetUpPr
        assert sheet.page_setup.orientation == "landscape"
        assert layout is not None
        assert layout.fitToPage
        assert sheet.page_setup.fitToWidth in (None, 1)  # 1 where the file does not say
        assert sheet.page_setup.fitToHeight == 0
    with zipfile.ZipFile(tmp_path / "plan.xlsx") as package:
        for number in range(1, len(book.sheetnames) + 1):
            assert b"Page &amp;P of &amp;N" in package.read(f"xl/worksheets/sheet{number}.xml")


def test_wrapped_texts_have_room_for_every_line() -> None:
    assert lines_of("a short one", 34) == 1
    # 39 letters of running text fit where 34 digits do; a long word begins a line of its own.
    names = "money of science_technology@2026; money of science_technology@2027; link gansu_together"
    assert lines_of(names, 34) == 3
    assert lines_of("x" * 40, 34) == 2
    assert lines_of("资" * 20, 34) == 2
    assert lines_of("one\ntwo", 34) == 2


def test_a_long_heading_over_short_numbers_takes_two_lines(tmp_path: Path) -> None:
    sheet = _written(tmp_path / "p.xlsx")["Overrides"]
    column = next(cell.column_letter for cell in sheet[1] if cell.value == "status in the workbook")
    assert sheet.column_dimensions[column].width < 20
    assert sheet.row_dimensions[1].height > 30
    assert sheet[f"{column}1"].alignment.wrap_text
    assert _written(tmp_path / "p.xlsx")["Sectors"].row_dimensions[1].height < 25


def test_the_note_at_the_head_of_a_page_ends_with_a_sentence_and_is_kept_by_excel(tmp_path: Path) -> None:
    for zh in (False, True):
        header = _written(tmp_path / f"{zh}.xlsx", zh=zh)["Overrides"].oddHeader
        assert header is not None
        assert str(header.right.text).count("\n") == 1
        assert str(header.right.text).endswith(("Blank: not known", "空白表示未知"))
    long = "What it is, said in as many words as that takes and a few more besides & then some. Where it comes from."
    assert note_on_paper(long, 100) == (
        "What it is, said in as many words as that takes and a few more besides && then some."
    )
    assert note_on_paper(long * 2, 250).count("\n") == 1
    assert note_on_paper("x" * 400, 200).endswith("…")


def test_the_charts_are_native(tmp_path: Path) -> None:
    _written(tmp_path / "plan.xlsx")
    with zipfile.ZipFile(tmp_path / "plan.xlsx") as package:
        charts = [package.read(name).decode() for name in package.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 4
    titles = ("Awards by belt", "Awards by sector", "Awards by region", "Award per head against")
    assert all(any(title in chart for chart in charts) for title in titles)


def test_numbers_show_their_decimals_and_fit_their_columns(tmp_path: Path) -> None:
    book = _written(tmp_path / "plan.xlsx")
    sheet = book["Awards"]
    assert sheet["G5"].number_format == "#,##0.00"
    for name in ("Awards", "Regions", "Sources", "Sectors"):
        for row in book[name].iter_rows(min_row=2):
            for cell in row:
                if isinstance(cell.value, int | float) and cell.number_format.startswith("#,##0"):
                    places = len(cell.number_format.partition(".")[2])
                    width = book[name].column_dimensions[cell.column_letter].width
                    assert len(f"{cell.value:,.{places}f}") < width, (name, cell.coordinate)
    assert places_of([D("1.10"), D("0.123456789"), D("1E+3")]) == 6
    assert places_of([D("1.10"), D(1000)]) == 1


def test_names_that_are_patterns_do_not_mix_their_sums(tmp_path: Path) -> None:
    small = small_round()
    names = {"beijing": "a?", "hubei": "ab", "gansu": "<>7"}
    regions = tuple(replace(region, region=names[region.region]) for region in small.regions)
    payments = tuple(replace(row, region=names[row.region]) for row in small_plan().payments)
    path = tmp_path / "plan.xlsx"
    write_plan(replace(small_plan(), payments=payments), replace(small, regions=regions), path)
    formulas = [str(row["awards"]) for row in _table(openpyxl.load_workbook(path)["Regions"])]
    assert not any("SUMIF" in formula for formula in formulas)


def test_a_plan_of_very_many_regions_charts_the_largest(tmp_path: Path) -> None:
    round_ = large_round(300)
    more = tuple(replace(round_.regions[0], region=f"r{number}") for number in range(20))
    write_plan(large_plan(round_), replace(round_, regions=(*round_.regions, *more)), tmp_path / "plan.xlsx")
    with zipfile.ZipFile(tmp_path / "plan.xlsx") as package:
        charts = "".join(package.read(name).decode() for name in package.namelist() if "charts/chart" in name)
    assert "the 40 largest" in charts


def test_a_number_of_more_than_15_digits_is_refused_and_nothing_written(tmp_path: Path) -> None:
    plan = replace(small_plan(), objective=D("1234567890.1234567"))
    with pytest.raises(OptallocError) as refused:
        write_plan(plan, small_round(), tmp_path / "plan.xlsx")
    assert (refused.value.code, refused.value.sheet, refused.value.cell) == ("too_many_digits", "Summary", "B6")
    assert not list(tmp_path.iterdir())


def test_payments_that_do_not_add_up_to_the_awards_are_refused(tmp_path: Path) -> None:
    plan = replace(small_plan(), payments=small_plan().payments[1:])
    with pytest.raises(OptallocError, match="p1 add up to 350, its award is 500") as refused:
        write_plan(plan, small_round(), tmp_path / "plan.xlsx")
    assert refused.value.code == "payments_differ"
    assert not list(tmp_path.iterdir())


def test_a_plan_of_another_round_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotThisRound, match="project p1"):
        write_plan(small_plan(), replace(small_round(), projects=()), tmp_path / "plan.xlsx")
    assert not list(tmp_path.iterdir())


def test_more_rows_than_a_sheet_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optalloc.workbook.plan_table._LAST_ROW", 6)
    with pytest.raises(OptallocError, match="Awards would need 7 rows; a worksheet has 6") as refused:
        write_plan(small_plan(), small_round(), tmp_path / "plan.xlsx")
    assert refused.value.code == "too_many_rows"


def test_an_existing_plan_stays_without_force(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_text("old")
    with pytest.raises(WrongUse) as refused:
        write_plan(small_plan(), small_round(), path)
    assert refused.value.code == "exists"
    assert path.read_text() == "old"
    with pytest.raises(WrongUse) as refused:
        write_plan(small_plan(), small_round(), path, force=True, inputs=[path])
    assert refused.value.code == "is_input"
    write_plan(small_plan(), small_round(), path, force=True)
    assert _written(path)["Awards"]["A2"].value == "p1"


def test_a_plan_that_does_not_fit_the_disk_leaves_nothing(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from optalloc.errors import WrongUse
        from optalloc.workbook.plan_writer import write_plan
        from tests.workbook.plans import small_plan, small_round

        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        try:
            write_plan(small_plan(), small_round(), Path(sys.argv[1]))
        except WrongUse as error:
            print(error.code)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "plan.xlsx")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "disk_full"
    assert not list(tmp_path.iterdir())
