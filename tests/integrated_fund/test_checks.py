"""Every check, by a sound round turned bad in one way: the code and the cell it is said at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import product
from string import Formatter
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrated_fund.checks import CHECKS, NO_PLAN, check
from integrated_fund.checks.links import contradictions
from integrated_fund.checks.problems import Names, figure
from integrated_fund.messages import WORDINGS
from integrated_fund.problem import Problem
from integrated_fund.round import (
    ANY,
    Criterion,
    Dimension,
    Filter,
    Link,
    LinkKind,
    Option,
    Origin,
    Project,
    Region,
    Round,
    Rule,
    Sector,
    Selection,
    Source,
    Status,
    Table,
)
from integrated_fund.wordings_checks import CHECKS as WORDED

D = Decimal
FILTERS = "sectors categories regions belts institutions tags years"
HEADINGS = {
    "Sources": f"source title year amount least carry_over authority {FILTERS}",
    "Sectors": "sector title",
    "Regions": "region title belt population",
    "Projects": "project title sector category region institution tags status min_award max_award start_from start_to "
    "profile people cofunding",
    "Options": "project option min_award max_award people",
    "Criteria": f"criterion title direction weight priority tolerance measure basis {FILTERS}",
    "Rules": f"rule title measure basis each per sense bound of within penalty authority {FILTERS}",
    "Links": "link kind projects k criterion value",
}
TABLES = {
    sheet: Table(sheet, MappingProxyType({name: chr(65 + k) for k, name in enumerate(headings.split())}))
    for sheet, headings in HEADINGS.items()
}


def row(sheet: str, number: int) -> Origin:
    return Origin(TABLES[sheet], number)


def cell(sheet: str, column: str, number: int) -> str:
    return str(row(sheet, number).place(column))


def where(**by: str) -> Filter:
    """A filter as a planner writes it: `sectors="education; !science"` by the name of the dimension."""
    selections: dict[Any, Selection] = {}
    for dimension, text in by.items():
        values = text.split("; ")
        include = frozenset(value for value in values if not value.startswith("!"))
        selections[dimension] = Selection(include, frozenset(value[1:] for value in values if value.startswith("!")))
    return Filter(selections)


def numbers(**columns: int | str | None) -> dict[str, Decimal | None]:
    return {name: None if value is None else D(value) for name, value in columns.items()}


def sound_round() -> Round:
    """Three years, two pools, four regions, six projects of every sort; nothing in it is suspicious."""
    education, science = where(sector="education"), where(sector="science")
    sources = [
        Source(name, D(amount), year, filter=filter_, carry_over=D("0.5"))
        for name, amount, filter_ in (("schools", 400, education), ("labs", 300, science))
        for year in (2026, 2027, 2028)
    ]
    regions = [
        Region("beijing", "east", attributes=numbers(population=20)),
        Region("shanghai", "east", attributes=numbers(population=25)),
        Region("gansu", "west", attributes=numbers(population=25)),
        Region("qinghai", "west", attributes=numbers(population=6)),
    ]
    one = D(1)
    projects = [
        Project(
            "P1", "education", (("beijing", one),), D(100), title="Digital classrooms", institution="Tsinghua",
            tags=("digital",), start_from=2026, start_to=2027, profile=(D("0.5"), D("0.5")),
            measures=numbers(people=40, cofunding=10),
        ),
        Project(
            "P2", "education", (("gansu", one),), D(200), D(50), institution="Lanzhou",
            measures=numbers(people=60, cofunding=0),
        ),
        Project(
            "P3", "science", (("shanghai", D("0.6")), ("gansu", D("0.4"))), D(150), category="laboratory",
            institution="Tsinghua", start_from=2027, measures=numbers(people=10, cofunding=20),
        ),
        Project(
            "P4", "science", (("qinghai", one),), D(80), status="mandatory",
            measures=numbers(people=5, cofunding=0),
        ),
        Project(
            "P5", "education", (("beijing", one),), D(90), status="excluded",
            measures=numbers(people=9, cofunding=0),
        ),
        Project("P6", "education", (("gansu", one),), D(300), D(0), measures=numbers(people=30, cofunding=0)),
        Project("P7", "science", (("beijing", one),), D(70), start_from=2026, start_to=2028,
                measures=numbers(people=7, cofunding=0)),
    ]  # fmt: skip
    criteria = [
        Criterion("people", "people", weight=D(1)),
        Criterion("research", "award", weight=D(2), filter=science),
    ]
    rules = [
        Rule("west", "award", ">=", D("0.4"), of="total", filter=where(belt="west")),
        Rule("heads", "award", "<=", D(14), each="region", per="population"),
        Rule("even", "award", ">=", D("0.1"), each="belt", per="population", of="average"),
        Rule("one-each", "accepted", "<=", D(1), each="institution"),
        Rule("labs-late", "award", "<=", D("0.2"), of="funds", within=("sector",),
             filter=where(sector="science", year="2027")),
        Rule("matched", "cofunding", ">=", D(5), penalty=D(3)),
    ]  # fmt: skip
    links = [
        Link("L1", "requires", ("P1", "P2")),
        Link("L2", "at_most", ("P1", "P2", "P7"), k=2),
        Link("L3", "synergy", ("P2", "P3"), criterion="people", value=D(4)),
    ]
    return Round(
        title="Test", unit="10k yuan", first_year=2026, years=3,
        sources=placed("Sources", sources),
        sectors=placed("Sectors", [Sector("education"), Sector("science")]),
        regions=placed("Regions", regions),
        projects=placed("Projects", projects),
        options=placed("Options", [Option("P2", "large", D(250), measures=numbers(people=70))]),
        criteria=placed("Criteria", criteria),
        rules=placed("Rules", rules),
        links=placed("Links", links),
    )  # fmt: skip


def placed(sheet: str, rows: list[Any]) -> tuple[Any, ...]:
    """Give rows their origins: the first one stands in row 2."""
    return tuple(replace(one, origin=row(sheet, number)) for number, one in enumerate(rows, start=2))


def with_rows(round_: Round, field: str, rows: list[Any]) -> Round:
    changes: dict[str, Any] = {field: tuple(rows)}
    return replace(round_, **changes)


Change = Callable[[Round], Round]


def edit(sheet: str, number: int, **changes: Any) -> Change:
    """Change the row that stands in row `number` of a sheet."""
    field = sheet.lower()

    def change(round_: Round) -> Round:
        rows = [replace(one, **changes) if one.origin.row == number else one for one in getattr(round_, field)]
        assert rows != list(getattr(round_, field))
        return with_rows(round_, field, rows)

    return change


def add(sheet: str, new: Any) -> Change:
    """Add a row at the end of a sheet."""
    field = sheet.lower()

    def change(round_: Round) -> Round:
        rows = getattr(round_, field)
        return with_rows(round_, field, [*rows, replace(new, origin=row(sheet, len(rows) + 2))])

    return change


def both(*changes: Change) -> Change:
    def change(round_: Round) -> Round:
        for one in changes:
            round_ = one(round_)
        return round_

    return change


def measure(sheet: str, number: int, name: str, value: int | None) -> Change:
    def change(round_: Round) -> Round:
        field = sheet.lower()
        rows = [
            replace(one, measures={**one.measures, **numbers(**{name: value})}) if one.origin.row == number else one
            for one in getattr(round_, field)
        ]
        return with_rows(round_, field, rows)

    return change


def column(sheet: str, name: str, value: int) -> Change:
    """Add a numeric column to Projects or Regions, with a heading that its place can be told by."""

    def change(round_: Round) -> Round:
        field = sheet.lower()
        attribute = "measures" if sheet == "Projects" else "attributes"
        table = TABLES[sheet]
        wider = Table(sheet, MappingProxyType({**table.columns, name: chr(65 + len(table.columns))}))
        rows = [
            replace(
                one,
                origin=Origin(wider, one.origin.row),
                **{attribute: {**getattr(one, attribute), **numbers(**{name: value})}},
            )
            for one in getattr(round_, field)
        ]
        return with_rows(round_, field, rows)

    return change


def population(number: int, value: int | None) -> Change:
    return edit("Regions", number, attributes=numbers(population=value))


def one_year_without_a_name(round_: Round) -> Round:
    """The sound round in one year that has no number."""
    return replace(
        round_,
        first_year=None,
        years=1,
        sources=tuple(replace(s, year=None) for s in round_.sources if s.year == 2026),
        projects=tuple(
            replace(project, start_from=None, start_to=None, profile=(D(1),)) for project in round_.projects
        ),
        rules=tuple(rule for rule in round_.rules if rule.rule not in ("labs-late", "heads")),
    )


def rule(name: str, measure: str, sense: Any, bound: str, **rest: Any) -> Change:
    return add("Rules", Rule(name, measure, sense, D(bound), **rest))


NEW_RULE = 8  # the row a rule that is added stands in
NEW_LINK = 5
NEW_PROJECT = 9

half = (D("0.5"), D("0.5"))

#: What is done to the sound round, the code expected, the cell it stands at.
CASES: dict[str, tuple[Change, str, str]] = {
    # names
    "sector of a project": (edit("Projects", 3, sector="educaton"), "unknown_sector", "Projects!C3"),
    "sector in a filter": (edit("Criteria", 3, filter=where(sector="scince")), "unknown_sector", "Criteria!I3"),
    "excluded sector": (edit("Criteria", 3, filter=where(sector="!scince")), "unknown_sector", "Criteria!I3"),
    "region of a project": (edit("Projects", 3, regions=(("gansi", D(1)),)), "unknown_region", "Projects!E3"),
    "region in a filter": (rule("r", "award", "<=", "9", filter=where(region="peking")), "unknown_region", "Rules!O8"),
    "belt in a filter": (edit("Rules", 2, filter=where(belt="wset")), "unknown_belt", "Rules!P2"),
    "category in a filter": (edit("Sources", 2, filter=where(category="lab")), "unknown_category", "Sources!I2"),
    "institution in a filter": (
        edit("Rules", 5, filter=where(institution="Tsing Hua")), "unknown_institution", "Rules!Q5"),
    "tag in a filter": (edit("Rules", 5, filter=where(tag="digitel")), "unknown_tag", "Rules!R5"),
    "year in a filter": (edit("Rules", 6, filter=where(sector="science", year="2030")), "year_outside", "Rules!S6"),
    "project of an option": (edit("Options", 2, project="P22"), "unknown_project", "Options!A2"),
    "project of a link": (edit("Links", 3, projects=("P1", "P2", "P77")), "unknown_project", "Links!C3"),
    "criterion of a synergy": (edit("Links", 4, criterion="peoples"), "unknown_criterion", "Links!E4"),
    "measure of a rule": (edit("Rules", 2, measure="awards"), "unknown_measure", "Rules!C2"),
    "measure of a criterion": (edit("Criteria", 2, measure="poeple"), "unknown_measure", "Criteria!G2"),
    "per": (edit("Rules", 3, per="populaton"), "unknown_attribute", "Rules!F3"),
    "of": (edit("Rules", 2, of="totl"), "unknown_of", "Rules!I2"),
    "column called award": (column("Projects", "award", 5), "measure_name_taken", "Projects!P2"),
    "column called total": (column("Regions", "total", 5), "attribute_name_taken", "Regions!E2"),
    "region twice": (
        edit("Projects", 3, regions=(("gansu", D("0.4")), ("gansu", D("0.6")))), "region_repeated", "Projects!E3"),
    "every sector but each": (
        edit("Criteria", 3, filter=where(sector="!science; !education")), "filter_selects_nothing", "Criteria!I3"),
    "every tag out": (
        edit("Rules", 5, filter=Filter({"tag": Selection(frozenset({"digital"}), frozenset({"digital"}))})),
        "filter_selects_nothing", "Rules!R5"),
    "regions outside the belts": (
        edit("Rules", 2, filter=where(belt="west", region="beijing; shanghai")),
        "filter_regions_contradict", "Rules!P2"),
    # awards, options, years
    "source without year": (edit("Sources", 3, year=None), "source_without_year", "Sources!C3"),
    "source in another year": (edit("Sources", 2, year=2025), "year_outside", "Sources!C2"),
    "source twice": (
        add("Sources", Source("schools", D(1), 2026, filter=where(sector="education"))),
        "source_repeated", "Sources!A8"),
    "min over max": (edit("Projects", 3, min_award=D(201)), "min_over_max", "Projects!I3"),
    "min over max in an option": (edit("Options", 2, min_award=D(300)), "min_over_max", "Options!C2"),
    "option twice": (add("Options", Option("P2", "Large", D(220))), "option_repeated", "Options!B3"),
    "option from 0": (edit("Options", 2, min_award=D(0)), "option_from_zero", "Options!C2"),
    "option of a block grant": (edit("Options", 2, project="P6"), "block_grant_option", "Options!A2"),
    "block grant with starts": (
        edit("Projects", 7, start_from=2026, start_to=2027), "block_grant_starts", "Projects!L7"),
    "mandatory block grant": (edit("Projects", 7, status="mandatory"), "block_grant_mandatory", "Projects!H7"),
    "block grant in a link": (edit("Links", 3, projects=("P1", "P2", "P6")), "block_grant_linked", "Links!C3"),
    "block grant of 0": (edit("Projects", 7, max_award=D(0)), "block_grant_empty", "Projects!J7"),
    "starts in the wrong order": (edit("Projects", 2, start_from=2027, start_to=2026), "start_order", "Projects!L2"),
    "start before the round": (edit("Projects", 2, start_from=2025), "year_outside", "Projects!K2"),
    "start after the round": (edit("Projects", 2, start_to=2029), "year_outside", "Projects!L2"),
    "profile longer than the round": (
        edit("Projects", 2, profile=(D("0.25"),) * 4), "no_start_left", "Projects!M2"),
    "too late for its profile": (
        edit("Projects", 2, start_from=2028, start_to=None), "no_start_left", "Projects!K2"),
    "profile in a round of one unnamed year": (
        both(one_year_without_a_name, edit("Projects", 2, profile=half)), "no_start_left", "Projects!M2"),
    "one start too late": (edit("Projects", 2, start_to=2028), "start_cut", "Projects!L2"),
    "region shares with too many digits": (
        edit("Projects", 4, regions=(("gansu", D("0.123456789012345")), ("shanghai", D("0.876543210987655")))),
        "part_too_long", "Projects!E4"),
    "profile with too many digits": (
        edit("Projects", 2, max_award=D(101), profile=(D("0.12345678901234"), D("0.87654321098766"))),
        "part_too_long", "Projects!M2"),
    # measures
    "measure a criterion needs": (measure("Projects", 3, "people", None), "measure_needed", "Projects!N3"),
    "measure no criterion needs": (measure("Projects", 6, "cofunding", None), "measure_blank", "Projects!O6"),
    "column that Projects does not have": (measure("Options", 2, "peple", 5), "option_measure_unknown", "Options!A2"),
    # rules
    "accepted by award": (edit("Rules", 5, basis="award"), "basis_contradicts", "Rules!D5"),
    "award by acceptance": (edit("Criteria", 3, basis="accepted"), "basis_contradicts", "Criteria!H3"),
    "average without per": (edit("Rules", 4, per=None), "average_without_per", "Rules!F4"),
    "45 for 45 %": (rule("r", "award", "<=", "45", of="total"), "bound_not_a_share", "Rules!H8"),
    "per with a share": (edit("Rules", 4, of="funds"), "per_with_of", "Rules!I4"),
    "per with an attribute": (edit("Rules", 4, of="population"), "per_with_of", "Rules!I4"),
    "within without a share": (edit("Rules", 6, of=None), "within_without_share", "Rules!J6"),
    "within without the filter": (edit("Rules", 6, within=("belt",)), "within_not_filled", "Rules!J6"),
    "each year without years": (
        both(one_year_without_a_name, edit("Rules", 7, each="year")), "each_year_without_years", "Rules!E7"),
    "blank attribute per head": (population(4, None), "attribute_blank", "Regions!D4"),
    "attribute of 0 per head": (population(5, 0), "attribute_not_positive", "Regions!D5"),
    "rule without members": (
        both(edit("Projects", 4, category=None), rule("r", "award", "<=", "9", each="category")),
        "rule_without_members", "Rules!E8"),
    # links
    "link of one": (edit("Links", 2, projects=("P1",)), "link_too_few", "Links!C2"),
    "project twice in a link": (edit("Links", 2, projects=("P1", "P2", "P2")), "link_project_repeated", "Links!C2"),
    "at most without a number": (edit("Links", 3, k=None), "link_k_missing", "Links!D3"),
    "at most more than there are": (edit("Links", 3, k=4), "link_k_outside", "Links!D3"),
    "at least none": (edit("Links", 3, kind="at_least", k=0), "link_k_outside", "Links!D3"),
    "number on requires": (edit("Links", 2, k=1), "link_k_unused", "Links!D2"),
    "synergy without criterion": (edit("Links", 4, criterion=None), "synergy_without_criterion", "Links!E4"),
    "synergy without value": (edit("Links", 4, value=None), "synergy_without_value", "Links!F4"),
    "criterion on requires": (edit("Links", 2, criterion="people"), "criterion_without_synergy", "Links!E2"),
    "value on requires": (edit("Links", 2, value=D(3)), "value_without_synergy", "Links!F2"),
    "mandatory requires excluded": (
        add("Links", Link("L4", "requires", ("P4", "P5"))), "links_contradict", "Links!C5"),
    "mandatory by way of a link": (
        both(add("Links", Link("L4", "all_or_none", ("P4", "P1"))), add("Links", Link("L5", "excludes", ("P2", "P1")))),
        "links_contradict", "Links!C2"),
    "at least more than are left": (
        add("Links", Link("L4", "at_least", ("P3", "P5"), k=2)), "links_contradict", "Links!C5"),
    "at most fewer than mandatory": (
        both(edit("Projects", 8, status="mandatory"), add("Links", Link("L4", "at_most", ("P4", "P7", "P1"), k=1))),
        "links_contradict", "Links!C5"),
    "candidate requires excluded": (
        add("Links", Link("L4", "requires", ("P3", "P5"))), "never_accepted", "Links!C5"),
    "candidate excludes mandatory": (
        add("Links", Link("L4", "excludes", ("P3", "P4"))), "never_accepted", "Links!C5"),
    "candidate against itself": (
        add("Links", Link("L4", "excludes", ("P1", "P2"))), "never_accepted", "Links!C5"),
    # suspicions
    "award in another unit": (edit("Projects", 8, max_award=D(150001)), "unit_slip", "Projects!J8"),
    "award far too small": (edit("Projects", 8, max_award=D("0.09")), "unit_slip", "Projects!J8"),
    "option in another unit": (edit("Options", 2, max_award=D(100001)), "unit_slip", "Options!D2"),
    "project entered twice": (
        add("Projects", Project(
            "P8", "education", (("gansu", D(1)),), D(100), title="Digital classrooms", institution="Tsinghua",
            measures=numbers(people=1, cofunding=1),
        )),
        "projects_alike", "Projects!B9"),
    # reach
    "rule without lines": (
        rule("r", "award", "<=", "9", filter=where(sector="education", belt="east", region="shanghai")),
        "filter_without_lines", "Rules!M8"),
    "rule on the excluded project alone": (
        rule("r", "people", "<=", "9", filter=where(sector="education", region="beijing", tag="!digital")),
        "filter_without_lines", "Rules!M8"),
    "criterion without lines": (
        edit("Criteria", 3, filter=where(sector="science", tag="digital")), "filter_without_lines", "Criteria!I3"),
    "source nothing may use": (
        add("Sources", Source("extra", D(9), 2026, filter=where(region="shanghai"))), "source_unused", "Sources!A8"),
    "source of the last year": (
        both(*(edit("Projects", number, profile=(D(1),), start_to=None) for number in (2,)),
             add("Sources", Source("extra", D(9), 2028, filter=where(sector="education")))),
        "source_unused", "Sources!A8"),
    "candidate nobody pays": (
        both(*(edit("Sources", number, filter=where(sector="science", belt="!west")) for number in (5, 6, 7)),
             edit("Projects", 5, status="candidate")),
        "project_unpayable", "Projects!A4"),
    "candidate too dear": (edit("Projects", 8, max_award=D(526)), "project_unpayable", "Projects!A8"),
    "block grant nobody pays": (
        both(*(edit("Sources", number, filter=where(sector="education", belt="east")) for number in (2, 3, 4))),
        "project_unpayable", "Projects!A7"),
    "mandatory project nobody pays": (edit("Projects", 5, max_award=D(301)), "mandatory_unpayable", "Projects!A5"),
    "more than the projects come to": (
        rule("r", "people", ">=", "16", filter=where(belt="east", sector="science")),
        "rule_unmeetable_below", "Rules!H8"),
    "more than the sources have": (
        rule("r", "award", ">=", "401", filter=where(sector="education", year="2026")),
        "rule_unmeetable_money", "Rules!H8"),
    "less than what is mandatory": (
        rule("r", "award", "<=", "79", filter=where(sector="science", region="qinghai")),
        "rule_unmeetable_above", "Rules!H8"),
    "rule that cannot bind": (rule("r", "accepted", "<=", "5"), "rule_never_binds", "Rules!H8"),
}  # fmt: skip


def said(round_: Round) -> list[tuple[str, str]]:
    return [(problem.code, str(problem.place)) for problem in check(round_)]


def test_the_sound_round_is_clean() -> None:
    assert said(sound_round()) == []
    assert said(one_year_without_a_name(sound_round())) == []


@pytest.mark.parametrize("name", CASES)
def test_one_mistake_is_said_at_its_cell(name: str) -> None:
    change, code, place = CASES[name]
    found = said(change(sound_round()))
    assert (code, place) in found
    if WORDINGS[code].severity == "error":
        others = [other for other, _ in found if other != code and WORDINGS[other].severity == "error"]
        assert others == []


def test_the_proofs_of_no_plan_are_warnings() -> None:
    assert {WORDINGS[code].severity for code in NO_PLAN} == {"warning"}


def test_every_code_has_a_case() -> None:
    assert {code for _, code, _ in CASES.values()} == set(WORDED)


@pytest.mark.parametrize("name", CASES)
def test_problems_fill_the_gaps_of_their_wordings(name: str) -> None:
    change, code, _ = CASES[name]
    for problem in check(change(sound_round())):
        for language in ("en", "zh"):
            for text in (problem.expected(language), problem.message(language)):
                assert text
                assert "{" not in text
        if problem.code == code:
            assert set(problem.details) >= _gaps(problem)


def _gaps(problem: Problem) -> set[str]:
    wording = WORDINGS[problem.code]
    texts = [*wording.expected.values(), *wording.message.values()]
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_gaps() -> None:
    for code, wording in WORDED.items():
        for texts in (wording.expected, wording.message):
            english, chinese = (
                {name for _, name, _, _ in Formatter().parse(texts[language]) if name is not None}
                for language in ("en", "zh")
            )
            assert english == chinese, code


def test_every_mistake_is_said_at_once_in_the_order_of_the_sheets() -> None:
    changes = [
        CASES[name][0] for name in ("measure of a rule", "number on requires", "min over max", "sector of a project")
    ]
    found = said(both(*changes)(sound_round()))
    assert found == [
        ("unknown_sector", "Projects!C3"),
        ("min_over_max", "Projects!I3"),
        ("unknown_measure", "Rules!C2"),
        ("link_k_unused", "Links!D2"),
    ]


def test_a_criterion_without_a_column_is_named_at_its_own_cell() -> None:
    """`measure` left blank is read as the criterion's name."""
    round_ = edit("Criteria", 2, criterion="pupils", measure="pupils")(sound_round())
    assert ("unknown_measure", "Criteria!A2") in said(round_)


def test_what_stands_in_the_cell_is_quoted() -> None:
    found = {problem.code: problem.found for name in CASES for problem in check(CASES[name][0](sound_round()))}
    assert found["filter_selects_nothing"] == "digital; !digital"
    assert found["unknown_region"] == "peking"
    assert found["min_over_max"] == "300"
    assert found["average_without_per"] == ""


def test_unknown_names_come_with_the_nearest() -> None:
    (problem,) = [p for p in check(CASES["measure of a rule"][0](sound_round())) if p.code == "unknown_measure"]
    assert problem.found == "awards"
    assert problem.details["nearest"].split(", ")[0] == "award"


def test_nearest_names_stop_after_many_comparisons() -> None:
    names = Names(f"P{number}" for number in range(50_000))
    offered = [names.nearest(f"X{number}") for number in range(300)]
    assert offered[-1] == "P0, P1, P2"
    assert Names([]).nearest("x") == "–"


def test_a_round_with_every_reference_broken_is_checked_to_the_end() -> None:
    round_ = replace(sound_round(), sectors=(), regions=(), criteria=(), options=(), first_year=None, years=1)
    codes = {code for code, _ in said(round_)}
    assert {"unknown_sector", "unknown_region", "unknown_belt", "unknown_criterion", "year_outside"} <= codes
    empty = replace(sound_round(), projects=())
    assert {"unknown_project", "unknown_measure"} <= {code for code, _ in said(empty)}


def test_a_filter_on_blanks_is_no_mistake() -> None:
    """Rows with a blank pass a `not`, so excluding the only category leaves the projects without one."""
    round_ = rule("r", "award", "<=", "200", filter=where(category="!laboratory"))(sound_round())
    assert said(round_) == []


def test_a_blank_measure_matters_only_where_a_criterion_counts_it() -> None:
    on_science = edit("Criteria", 2, filter=where(sector="science"))
    blank = measure("Projects", 3, "people", None)
    assert ("measure_needed", "Projects!N3") in said(blank(sound_round()))
    assert said(both(on_science, blank, measure("Options", 2, "people", None))(sound_round())) == [
        ("measure_blank", "Projects!N3")
    ]


def test_a_blank_option_measure_takes_the_projects() -> None:
    assert said(measure("Options", 2, "people", None)(sound_round())) == []


def test_a_zero_attribute_is_no_mistake_for_a_region_outside_the_rule() -> None:
    """`average` divides by the sum over all regions, so one of them may count nothing if it is no member."""
    east = where(belt="east")
    round_ = both(population(5, 0), edit("Rules", 3, filter=east), edit("Rules", 4, filter=east))(sound_round())
    assert ("attribute_not_positive", "Regions!D5") not in said(round_)
    blank = both(population(5, None), edit("Rules", 3, filter=east), edit("Rules", 4, filter=east))(sound_round())
    assert ("attribute_blank", "Regions!D5") in said(blank)


def test_carried_money_counts_where_it_moves_on() -> None:
    """Money of a year without lines is of use if it carries over into a year with lines; and then pays for them."""
    later = both(edit("Projects", 5, start_from=2027), edit("Projects", 8, start_from=2027))
    assert "source_unused" not in {code for code, _ in said(later(sound_round()))}
    dear = both(later, edit("Projects", 8, max_award=D(450), start_to=None))
    assert "project_unpayable" not in {code for code, _ in said(dear(sound_round()))}
    too_dear = both(later, edit("Projects", 8, max_award=D(451), start_to=None))
    (problem,) = [p for p in check(too_dear(sound_round())) if p.code == "project_unpayable"]
    assert dict(problem.details) == {"where": "beijing, 2027", "needed": "451", "available": "450"}


def test_links_hold_together_through_long_chains() -> None:
    """A thousand projects that require one another, the last of them excluded: each is warned about once."""
    base = sound_round()
    chain = [
        Project(f"C{k}", "science", (("beijing", D(1)),), D(70), measures=numbers(people=7, cofunding=0),
                status="excluded" if k == 999 else "candidate")
        for k in range(1000)
    ]  # fmt: skip
    links = [Link(f"C{k}", "requires", (f"C{k}", f"C{k + 1}")) for k in range(999)]
    round_ = replace(
        base, projects=placed("Projects", [*base.projects, *chain]), links=placed("Links", [*base.links, *links])
    )
    assert [code for code, _ in said(round_) if code != "rule_never_binds"] == ["never_accepted"] * 999


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_links_are_said_broken_or_hopeless_only_where_they_are(data: st.DataObject) -> None:
    """Against every set of accepted projects: propagation may miss a contradiction, but never makes one up."""
    names = ["A", "B", "C", "D"]
    statuses: list[Status] = [
        data.draw(st.sampled_from(["candidate", "candidate", "mandatory", "excluded"])) for _ in names
    ]
    kinds: list[LinkKind] = ["requires", "excludes", "all_or_none", "at_least", "at_most"]
    links = []
    for number in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(kinds))
        members = tuple(data.draw(st.permutations(names))[: data.draw(st.integers(2, 4))])
        k = data.draw(st.integers(1, len(members))) if kind in ("at_least", "at_most") else None
        links.append(Link(f"L{number}", kind, members, k=k))
    round_ = replace(
        sound_round(),
        projects=placed(
            "Projects",
            [
                Project(name, "science", (("beijing", D(1)),), D(9), status=s)
                for name, s in zip(names, statuses, strict=True)
            ],
        ),
        links=placed("Links", links),
    )
    problems = list(contradictions(round_))
    plans = [
        accepted
        for accepted in (
            frozenset(n for n, taken in zip(names, way, strict=True) if taken) for way in product([0, 1], repeat=4)
        )
        if all((n in accepted) == (s == "mandatory") for n, s in zip(names, statuses, strict=True) if s != "candidate")
        and all(holds(link, accepted) for link in links)
    ]
    if any(problem.code == "links_contradict" for problem in problems):
        assert plans == []
    for problem in problems:
        if problem.code == "never_accepted":
            assert not any(problem.found in accepted for accepted in plans)
    if len(links) == 1:  # one link alone is worked out in full
        assert bool(plans) == (not any(problem.code == "links_contradict" for problem in problems))
        if plans:
            hopeless = {n for n, s in zip(names, statuses, strict=True) if s == "candidate"}.difference(*plans)
            assert {problem.found for problem in problems} == hopeless


def holds(link: Link, accepted: frozenset[str]) -> bool:
    count = len(accepted.intersection(link.projects))
    return {
        "requires": link.projects[0] not in accepted or count == len(link.projects),
        "excludes": count <= 1,
        "all_or_none": count in (0, len(link.projects)),
        "at_least": link.k is None or count >= link.k,
        "at_most": link.k is None or count <= link.k,
    }[link.kind]


@pytest.mark.parametrize(("value", "text"), [(D("1E+3"), "1000"), (D("0.450"), "0.45"), (D(0), "0")])
def test_figures_are_written_plainly(value: Decimal, text: str) -> None:
    assert figure(value) == text


def test_filters_of_no_dimension_pass_everything() -> None:
    dimension: Dimension = "sector"
    assert Filter().on(dimension) == ANY
    assert len(CHECKS) == len(set(CHECKS))
