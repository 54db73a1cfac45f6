"""The table sheets of the plan workbook: what stands in which column, and which sums are formulas.

Amounts are values, to the last digit. Sums over Awards are formulas: whoever changes an amount sees them follow. They
are values where the payments stand in a file beside the workbook. They compare with `=` inside SUMPRODUCT, because
SUMIFS takes `?` in a name for any letter and "007" for 7.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from integrated_fund.problem import Language
from integrated_fund.round import Region, Round, Rule
from optalloc.plan.overrides import Record, Without
from optalloc.plan.plan import SCHEMA_VERSION, Plan, RuleLine, stated
from optalloc.workbook.plan_files import FileColumn, LongSheet, PlanFile, files_for_manifest
from optalloc.workbook.plan_labels import AWARD_COLUMNS, WORDS, PlanSheet, cost_in_words, word
from optalloc.workbook.plan_table import (
    FIRST_ROW,
    Cell,
    Column,
    Formula,
    Styles,
    beside,
    last_row,
    places_of,
    significant_places,
    span,
    write_table,
    write_text,
)

ZERO = Decimal(0)

#: Columns of Awards that formulas look at, from 0.
_REGION, _YEAR, _SOURCE, _AMOUNT, _SECTOR = 3, 4, 5, 6, 8

#: A manifest value longer than this is spread over several rows of its key.
_PIECE = 16_000
#: Decimals of the cost of an override that are shown; the cells hold fifteen digits.
_PLACES_OF_COST = 4
#: The width at which the reason of an override is wrapped.
_WHY = 60
_NOT_IN_XML = re.compile("[\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Share:
    """A row of the Sectors or Regions sheet: a name and what it gets."""

    name: str
    title: str | None
    amount: Decimal
    projects: int


@dataclass(frozen=True)
class Money:
    """The plan's payments added up, exactly, by what they are for; shares stand largest first."""

    total: Decimal
    sectors: tuple[Share, ...]
    regions: tuple[Share, ...]
    region_of: Mapping[str, Region]
    paid: Mapping[tuple[str, int | None], Decimal]

    @property
    def has_population(self) -> bool:
        """Whether the round states the population of every region."""
        return bool(self.region_of) and all(r.attributes.get("population") for r in self.region_of.values())

    def belts(self) -> list[tuple[str, Decimal]]:
        """Return what each belt gets, largest first; belts without any money too."""
        by_belt: dict[str, Decimal] = {region.belt: ZERO for region in self.region_of.values()}
        for share in self.regions:
            by_belt[self.region_of[share.name].belt] += share.amount
        return sorted(by_belt.items(), key=lambda entry: -entry[1])


def money_of(plan: Plan, round_: Round) -> Money:
    """Add up the payments of a plan by sector, region and source."""
    sector_of = {project.project: project.sector for project in round_.projects}
    sectors = _shares(
        ((row.sector, row.title) for row in round_.sectors),
        ((sector_of[row.project], row.project, row.amount) for row in plan.payments),
    )
    regions = _shares(
        ((row.region, row.title) for row in round_.regions),
        ((row.region, row.project, row.amount) for row in plan.payments),
    )
    paid: dict[tuple[str, int | None], Decimal] = {}
    for row in plan.payments:
        key = (row.source, row.year)
        paid[key] = paid.get(key, ZERO) + row.amount
    total = sum((row.amount for row in plan.payments), ZERO)
    return Money(total, sectors, regions, {region.region: region for region in round_.regions}, paid)


def _shares(names: Iterable[tuple[str, str | None]], posted: Iterable[tuple[str, str, Decimal]]) -> tuple[Share, ...]:
    amounts: dict[str, Decimal] = {}
    projects: dict[str, set[str]] = {}
    for name, project, amount in posted:
        amounts[name] = amounts.get(name, ZERO) + amount
        projects.setdefault(name, set()).add(project)
    found = [Share(name, title, amounts.get(name, ZERO), len(projects.get(name, ()))) for name, title in names]
    return tuple(sorted(found, key=lambda share: -share.amount))


@dataclass(frozen=True)
class PlanBook:
    """A plan on its way into a workbook. `files` holds the rows of the sheets that are too long."""

    book: Workbook
    styles: Styles
    language: Language
    plan: Plan
    round: Round
    money: Money
    overrides: Sequence[Record]
    without: Without
    files: Mapping[LongSheet, PlanFile] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """The round's unit with its currency."""
        unit, currency = self.round.unit, self.round.currency
        return unit if not currency or currency in unit else f"{unit} ({currency})"

    def word(self, key: str, **gaps: object) -> str:
        """Return a heading, label or sentence in the plan's language."""
        return word(key, self.language, **gaps)

    def table(self, name: PlanSheet, columns: Sequence[Column], totals: Sequence[Column] = ()) -> Worksheet:
        """Add a sheet with a table, totals beside it."""
        money = self.word("money", unit=self.unit)
        key = "note_Awards_in_file" if name == "Awards" and "Awards" in self.files else f"note_{name}"
        note = self.word(key, money=money, unit=self.unit, awards=self.payments_in, together=self.cost_of_overrides)
        return write_table(self.book, self.styles, self.language, name, columns, totals, note, self.round.title)

    def long_table(self, name: LongSheet, columns: Mapping[str, FileColumn], totals: Sequence[Column] = ()) -> None:
        """Add a sheet with a table by its English headings; if that is in a file, with the headings and its name."""
        file = self.files.get(name)
        fixed = AWARD_COLUMNS if name == "Awards" else ()
        kept = [
            Column(
                heading if heading in fixed else self.word(_key_of(heading)),
                [] if file else column.cells,
                column.kind,
            )
            for heading, column in columns.items()
        ]
        sheet = self.table(name, kept, () if file else totals)
        if file:
            said = self.word("in_file", rows=f"{file.rows:,}", file=file.name)
            write_text(sheet, FIRST_ROW - 1, 0, said, self.styles.of("text"))

    @property
    def cost_of_overrides(self) -> str:
        """What all overrides cost together, in words."""
        return cost_in_words(self.without.cost, self.language)

    @property
    def payments_in(self) -> str:
        """Where the payments stand, in words."""
        file = self.files.get("Awards")
        return "Awards" if file is None else self.word("payments_in_file", file=file.name)

    def sum_of_payments(self, formula: str, value: Decimal) -> Cell:
        """Return a sum over Awards: a formula if the payments stand there, else its value."""
        return stated(value) if "Awards" in self.files else Formula(formula, value)

    def total(self, key: str, formula: str, value: Decimal, places: int | None = None) -> Column:
        """Return the total of the column `key`, to stand beside the table."""
        return Column(self.word("total_of", what=self.word(key)), [Formula(formula, value)], "number", places)

    def heads(self, *keys: str) -> list[str]:
        """Return headings in the plan's language."""
        return [self.word(key) for key in keys]


def award_columns(plan: Plan, round_: Round) -> dict[str, FileColumn]:
    """Return the payments, one a row, under their English headings; other programs go by the first seven."""
    projects = {project.project: project for project in round_.projects}
    belts = {region.region: region.belt for region in round_.regions}
    rows = plan.payments
    return {
        "project": FileColumn("text", [row.project for row in rows]),
        "option": FileColumn("text", [row.option for row in rows]),
        "start": FileColumn("year", [row.start for row in rows]),
        "region": FileColumn("text", [row.region for row in rows]),
        "year": FileColumn("year", [row.year for row in rows]),
        "source": FileColumn("text", [row.source for row in rows]),
        "amount": FileColumn("number", [row.amount for row in rows]),
        "title": FileColumn("text", [projects[row.project].title for row in rows]),
        "sector": FileColumn("text", [projects[row.project].sector for row in rows]),
        "belt": FileColumn("text", [belts[row.region] for row in rows]),
    }


def declined_columns(plan: Plan, round_: Round) -> dict[str, FileColumn]:
    """Return the projects without money under their English headings."""
    projects = {project.project: project for project in round_.projects}
    rows = plan.declined
    return {
        "project": FileColumn("text", [row.project for row in rows]),
        "title": FileColumn("text", [projects[row.project].title for row in rows]),
        "reason": FileColumn("text", [row.reason for row in rows]),
        "sector": FileColumn("text", [projects[row.project].sector for row in rows]),
        "max_award": FileColumn("number", [projects[row.project].max_award for row in rows]),
    }


def _key_of(heading: str) -> str:
    """Return the word whose English spelling a heading is."""
    return heading if heading in WORDS else next(key for key, words in WORDS.items() if words[0] == heading)


def write_awards(out: PlanBook) -> None:
    """Write the payments; the total beside the headings follows the filter."""
    out.long_table("Awards", award_columns(out.plan, out.round), [Column(_total_shown(out), [])])


def _total_shown(out: PlanBook) -> Formula:
    """Return the sum of the rows a filter shows as one text: in the row of the headings, which is always shown."""
    label, places = out.word("total_shown"), places_of([row.amount for row in out.plan.payments])
    amounts = f"G{FIRST_ROW}:G{last_row(len(out.plan.payments))}"
    return Formula(f'="{label}: "&FIXED(SUBTOTAL(109,{amounts}),{places})', f"{label}: {out.money.total:,.{places}f}")


def write_overrides(out: PlanBook) -> None:
    """Write the overrides, if there are any: who, why and at what cost."""
    if not out.overrides:
        return
    titles = {project.project: project.title for project in out.round.projects}
    made = [record.override for record in out.overrides]
    costs = [record.cost for record in out.overrides]
    shown = places_of([value for cost in costs for value in (cost.found, cost.low, cost.high)], _PLACES_OF_COST)
    out.table(
        "Overrides",
        [
            Column(out.word("project"), [one.project for one in made]),
            Column(out.word("title"), [titles.get(one.project) for one in made]),
            Column(out.word("override_kind"), [out.word(one.kind) for one in made]),
            Column(out.word("in_workbook"), [out.word(record.status) for record in out.overrides]),
            Column(out.word("by"), [one.by for one in made]),
            Column(out.word("why"), [one.reason for one in made], "long", widest=_WHY),
            Column(out.word("on"), [one.on.isoformat() for one in made]),
            Column(out.word("cost"), [cost.found for cost in costs], "number", shown),
            Column(out.word("cost_low"), [cost.low for cost in costs], "number", shown),
            Column(out.word("cost_high"), [cost.high for cost in costs], "number", shown),
        ],
    )


def write_rules(out: PlanBook) -> None:
    """Write every rule member with its activity, bound, slack and violation."""
    rows = out.plan.rules
    rules = {rule.rule: rule for rule in out.round.rules}
    heads = out.heads(
        "rule", "member", "sense", "activity", "bound", "slack", "violation", "typed", "soft", "sentence", "state"
    )
    sheet = out.table(
        "Rules",
        [
            Column(heads[0], [row.rule for row in rows]),
            Column(heads[1], [row.member for row in rows]),
            Column(heads[2], [row.sense for row in rows]),
            Column(heads[3], [row.activity for row in rows], "mixed"),
            Column(heads[4], [row.bound for row in rows], "mixed"),
            Column(heads[5], [row.slack for row in rows], "mixed"),
            Column(heads[6], [row.violation for row in rows], "mixed"),
            Column(heads[7], [row.typed for row in rows], "mixed", in_percent=[_is_share(row, rules) for row in rows]),
            Column(heads[8], [out.word("yes" if row.soft else "no") for row in rows]),
            Column(heads[9], [row.sentence for row in rows], "long"),
            Column(heads[10], [out.word(_state(row)) for row in rows]),
            Column(out.word("authority"), [_authority(rules.get(row.rule)) for row in rows]),
        ],
    )
    missed = {"type": "cell", "criteria": ">", "value": 0, "format": out.styles.of("missed")}
    sheet.conditional_format(f"G{FIRST_ROW}:G{last_row(len(rows))}", missed)


def _is_share(row: RuleLine, rules: Mapping[str, Rule]) -> bool:
    """Return whether a bound is typed as a share: of the total, of the funds, of the average."""
    return row.rule in rules and rules[row.rule].of in ("total", "funds", "average")


def _state(row: RuleLine) -> str:
    if row.violation:
        return "missed"
    return "kept" if row.slack else "exact"


def _authority(rule: Rule | None) -> str | None:
    return None if rule is None else rule.authority


def _sum_where(column: int, key: str, rows: int) -> str:
    """Return the sum of the awards whose column equals a cell."""
    return f"SUMPRODUCT(--({span('Awards', column, rows)}={key}),{span('Awards', _AMOUNT, rows)})"


def _awards_and_share(
    out: PlanBook, shares: Sequence[Share], column: int, letter: str, total_in: str
) -> tuple[Column, Column, Column]:
    """Return the columns of awards (in `letter`) and of their shares, and the total (in `total_in`), as formulas."""
    rows, total = len(out.plan.payments), out.money.total
    numbers = range(FIRST_ROW, FIRST_ROW + len(shares))
    whole = f"${total_in}${FIRST_ROW}"
    awards = [
        out.sum_of_payments(f"={_sum_where(column, f'$A{n}', rows)}", share.amount)
        for n, share in zip(numbers, shares, strict=True)
    ]
    parts = [
        Formula(f"=IF({whole}=0,0,{letter}{n}/{whole})", share.amount / total if total else ZERO)
        for n, share in zip(numbers, shares, strict=True)
    ]
    return (
        Column(out.word("awards"), awards, "number"),
        Column(out.word("share"), parts, "share"),
        out.total("awards", f"=SUM({_down(letter, len(shares))})", total),
    )


def _down(letter: str, rows: int) -> str:
    """Return the cells of a column of a table as formulas on its own sheet name them."""
    return f"{letter}{FIRST_ROW}:{letter}{last_row(rows)}"


def write_regions(out: PlanBook) -> None:
    """Write what each region gets; per head and against the average of all where the round has the population."""
    shares, of = out.money.regions, out.money.region_of
    width = 9 if out.money.has_population else 6
    awards, part, total = _awards_and_share(out, shares, _REGION, "D", beside(width))
    columns = [
        Column(out.word("region"), [share.name for share in shares]),
        Column(out.word("title"), [share.title for share in shares]),
        Column(out.word("belt"), [of[share.name].belt for share in shares]),
        awards,
        part,
        Column(out.word("projects"), [share.projects for share in shares], "number"),
    ]
    totals = [total]
    if out.money.has_population:
        people = [of[share.name].attributes["population"] or ZERO for share in shares]
        everybody = sum(people, ZERO)
        average = out.money.total / everybody
        heads = [share.amount / persons for share, persons in zip(shares, people, strict=True)]
        numbers = range(FIRST_ROW, FIRST_ROW + len(shares))
        all_awards, all_people, all_heads = (f"${beside(width, index)}${FIRST_ROW}" for index in range(3))
        places = significant_places(average)
        columns += [
            Column(out.word("population"), people, "number"),
            Column(
                out.word("per_head"),
                [Formula(f"=D{n}/G{n}", head) for n, head in zip(numbers, heads, strict=True)],
                "number",
                places,
            ),
            Column(
                out.word("against"),
                [
                    Formula(f"=IF({all_heads}=0,0,H{n}/{all_heads})", head / average if average else ZERO)
                    for n, head in zip(numbers, heads, strict=True)
                ],
                "share",
            ),
        ]
        totals += [
            out.total("population", f"=SUM({_down('G', len(shares))})", everybody),
            Column(out.word("all_heads"), [Formula(f"={all_awards}/{all_people}", average)], "number", places),
        ]
    out.table("Regions", columns, totals)


def write_sectors(out: PlanBook) -> None:
    """Write what each sector gets."""
    shares = out.money.sectors
    awards, part, total = _awards_and_share(out, shares, _SECTOR, "C", beside(5))
    out.table(
        "Sectors",
        [
            Column(out.word("sector"), [share.name for share in shares]),
            Column(out.word("title"), [share.title for share in shares]),
            awards,
            part,
            Column(out.word("projects"), [share.projects for share in shares], "number"),
        ],
        [total],
    )


def write_sources(out: PlanBook) -> None:
    """Write the sources, with the sum of their payments beside what the plan says is used."""
    rows = out.plan.sources
    count = len(out.plan.payments)
    titles = {source.source: source.title for source in reversed(out.round.sources)}
    paid: list[Cell] = []
    part: list[Cell] = []
    for n, row in enumerate(rows, FIRST_ROW):
        same = f"--({span('Awards', _SOURCE, count)}=$A{n})"
        if row.year is not None:
            same += f",--({span('Awards', _YEAR, count)}=$B{n})"
        amount = out.money.paid.get((row.source, row.year), ZERO)
        paid.append(out.sum_of_payments(f"=SUMPRODUCT({same},{span('Awards', _AMOUNT, count)})", amount))
        part.append(Formula(f"=IF(C{n}=0,0,D{n}/C{n})", row.used / row.amount if row.amount else ZERO))
    amounts = sum((row.amount for row in rows), ZERO)
    used = sum((row.used for row in rows), ZERO)
    stated_paid = sum((out.money.paid.get((row.source, row.year), ZERO) for row in rows), ZERO)
    out.table(
        "Sources",
        [
            Column(out.word("source"), [row.source for row in rows]),
            Column(out.word("year"), [row.year for row in rows], "year"),
            Column(out.word("amount"), [row.amount for row in rows], "number"),
            Column(out.word("used"), [row.used for row in rows], "number"),
            Column(out.word("carried"), [row.carried for row in rows], "number"),
            Column(out.word("paid"), paid, "number"),
            Column(out.word("used_share"), part, "share"),
            Column(out.word("title"), [titles[row.source] for row in rows]),
        ],
        [
            out.total("amount", f"=SUM({_down('C', len(rows))})", amounts),
            out.total("used", f"=SUM({_down('D', len(rows))})", used),
            out.total("paid", f"=SUM({_down('F', len(rows))})", stated_paid),
        ],
    )


def write_declined(out: PlanBook) -> None:
    """Write the projects without money, and the one thing that keeps each out, where it is one."""
    out.long_table("Declined", declined_columns(out.plan, out.round))


def write_manifest(out: PlanBook) -> None:
    """Write the manifest as JSON texts, the schema version first; a long value takes several rows of its key."""
    keys: list[Cell] = []
    texts: list[Cell] = []
    manifest = {"schema_version": SCHEMA_VERSION, **out.plan.manifest}
    manifest.pop("files", None)  # those of a plan that was read
    if out.files:
        manifest["files"] = files_for_manifest(list(out.files.values()))
    for key, value in manifest.items():
        text = json_text(value)
        for start in range(0, len(text), _PIECE):
            keys.append(key)
            texts.append(text[start : start + _PIECE])
    out.table("Manifest", [Column(out.word("key"), keys), Column(out.word("value"), texts, "long")])


def json_text(value: object) -> str:
    """Return a JSON value as text that a cell can hold."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _NOT_IN_XML.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
