"""The Summary sheet of the plan: how good it is and how far that is proven, where the money goes, how it was made.

The first block and the criteria are read back; everything in them is a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from optalloc.workbook.grid import column_letter
from optalloc.workbook.plan_charts import Area, ChartMaker
from optalloc.workbook.plan_labels import proof_sentence, reason_in_words, tie_break_in_words
from optalloc.workbook.plan_sheets import PlanBook
from optalloc.workbook.plan_table import (
    FIRST_ROW,
    LINE_HEIGHT,
    Cell,
    Formula,
    lines_of,
    places_of,
    set_up_page,
    span,
    write_cell,
    write_text,
)

ZERO = Decimal(0)
_WIDTHS = (26, 20, 14, 18, 32, 3)
#: Charts stand from this column on, from 0.
_CHARTS = 6
_REGIONS_SHOWN = 40
_OVERRIDES_NAMED = 10


def write_summary(out: PlanBook) -> None:
    """Write the Summary sheet; it stands first."""
    sheet = out.book.add_worksheet("Summary")
    set_up_page(sheet, out.language, out.round.title)
    for index, width in enumerate(_WIDTHS):
        sheet.set_column(index, index, width)
    page = _Page(out, sheet)
    page.text(0, out.round.title, "caption")
    page.next()
    page.text(0, f"{out.word('Summary')}  ·  {out.word('money', unit=out.unit)}", "note")
    page.next(2)
    _write_result(page)
    _write_criteria(page)
    _write_levels(page)
    belts = _write_belts(page)
    _write_origin(page)
    _insert_charts(out, sheet, belts)
    sheet.activate()


class _Page:
    """A sheet written from top to bottom; `row` counts from 0."""

    def __init__(self, out: PlanBook, sheet: Worksheet) -> None:
        self.out, self.sheet, self.row = out, sheet, 0

    def next(self, rows: int = 1) -> None:
        self.row += rows

    def text(self, column: int, text: str, style: str) -> None:
        write_text(self.sheet, self.row, column, text, self.out.styles.of(style))

    def beside(self, column: int, text: str) -> None:
        """Write a text to the right of a number."""
        write_text(self.sheet, self.row, column, text, self._style("text", indent=1))

    def section(self, key: str) -> None:
        for column in range(5):
            write_cell(
                self.sheet, self.row, column, self.out.word(key) if column == 0 else None, self._style("section")
            )
        self.next()

    def headings(self, *keys: str, right: tuple[int, ...] = ()) -> None:
        for column, key in enumerate(keys):
            beside = column - 1 in right and column not in right
            style = self._style("heading", align="right" if column in right else "left", indent=int(beside))
            write_text(self.sheet, self.row, column, self.out.word(key), style)
        self.next()

    def fact(self, key: str, value: Cell, style: str = "number", remark: str | None = None, **more: object) -> None:
        """Write a label, its value and a remark."""
        self.text(0, self.out.word(key), "label")
        is_number = style == "number"
        places = places_of([value]) if is_number else None
        write_cell(self.sheet, self.row, 1, value, self._style(style, places, align="right", **more))
        if remark is not None:
            self.text(2, remark, "remark")
        self.next()

    def paragraph(self, label: str, text: str, style: str = "long") -> None:
        """Write a label and a text that runs over the columns beside it."""
        self.text(0, label, "label")
        self.sheet.set_row(self.row, LINE_HEIGHT * lines_of(text, sum(_WIDTHS[1:5])))
        shown = self._style(style, indent=1)
        self.sheet.merge_range(self.row, 1, self.row, 4, "", shown)
        write_text(self.sheet, self.row, 1, text, shown)
        self.next()

    def _style(self, name: str, places: int | None = None, **more: object) -> Format:
        return self.out.styles.of(name, places, **more)


def _write_result(page: _Page) -> None:
    out, plan = page.out, page.out.plan
    page.section("result")
    proven = plan.status == "optimal"
    page.fact("status", out.word(plan.status), "good" if proven else "warning")
    page.fact("objective", plan.objective)
    page.fact("best_bound", out.word("unknown_bound") if plan.bound is None else plan.bound)
    if plan.gap is None:
        page.fact("gap", out.word("unknown_bound"))
    else:
        page.fact("gap", plan.gap, "share", num_format="0.0000%")
    sentence = proof_sentence(plan, out.language)
    if out.round.method == "lexicographic":
        sentence += ("" if out.language == "zh" else " ") + out.word("first_priority")
    page.paragraph("", sentence, "long" if proven else "warning")
    funds = sum((row.amount for row in plan.sources), ZERO)
    amounts = span("Awards", 6, len(plan.payments))
    paid_in = f"{out.unit}; {out.payments_in}" if "Awards" in out.files else out.unit
    page.fact("awarded", out.sum_of_payments(f"=SUM({amounts})", out.money.total), remark=paid_in)
    page.fact("funds", Formula(f"=SUM({span('Sources', 2, len(plan.sources))})", funds), remark=out.unit)
    share = out.money.total / funds if funds else ZERO
    above, two_above = f"B{page.row}", f"B{page.row - 1}"
    page.fact("awarded_share", Formula(f"=IF({above}=0,0,{two_above}/{above})", share), "share")
    page.fact("funded", len(plan.awards), remark=out.word("of_projects", count=len(out.round.projects)))
    missed = sum(bool(row.violation) for row in plan.rules)
    remark = out.word("of_rules", count=len(plan.rules))
    page.fact("rules_kept", len(plan.rules) - missed, remark=remark)
    if missed:
        page.fact("rules_missed", missed, "warning", remark)
    page.next()


def _write_criteria(page: _Page) -> None:
    out = page.out
    criteria = {criterion.criterion: criterion for criterion in out.round.criteria}
    page.section("criteria")
    ranked = "priority" if out.round.method == "lexicographic" else "weight"
    page.headings("criterion", "value", "direction", ranked, "title", right=(1, 3))
    for name, value in out.plan.criteria.items():
        page.text(0, name, "text")
        write_cell(page.sheet, page.row, 1, value, out.styles.of("number", places_of([value])))
        criterion = criteria.get(name)
        if criterion is not None:
            page.beside(2, out.word(criterion.direction))
            rank = criterion.priority if ranked == "priority" else criterion.weight
            if rank is not None:
                write_cell(page.sheet, page.row, 3, rank, out.styles.of("number", places_of([rank])))
            if criterion.title:
                page.beside(4, criterion.title)
        page.next()
    page.next()


def _write_levels(page: _Page) -> None:
    """Write the priorities of a lexicographic round as the manifest has them."""
    levels = page.out.plan.manifest.get("levels")
    if not isinstance(levels, list) or len(levels) < 2:
        return
    page.section("levels")
    page.headings("priority", "value", "best_bound", "gap", right=(0, 1, 2, 3))
    for level in levels:
        if not isinstance(level, Mapping):
            continue
        for column, key in enumerate(("priority", "value", "bound", "gap")):
            value = level.get(key)
            if not isinstance(value, int | float):
                continue
            number = Decimal(format(value, ".15g"))
            style = page.out.styles.of("number", places_of([number]))
            if key == "gap":
                style = page.out.styles.of("share", num_format="0.0000%")
            write_cell(page.sheet, page.row, column, number, style)
        page.next()
    page.next()


def _write_belts(page: _Page) -> Area:
    """Write what each belt gets, with its share of the people where that is known."""
    out = page.out
    regions = len(out.money.regions)
    page.section("by_belt")
    with_people = out.money.has_population
    keys = ["belt", "awards", "share", *(["people_share"] if with_people else [])]
    page.headings(*keys, right=(1, 2, 3))
    first = page.row + 1
    belts = out.money.belts()
    last = first + max(len(belts), 1) - 1
    people: dict[str, Decimal] = {}
    for region in out.round.regions:
        people[region.belt] = people.get(region.belt, ZERO) + (region.attributes.get("population") or ZERO)
    everybody = sum(people.values(), ZERO)
    total = out.money.total
    places = places_of([amount for _, amount in belts])
    for belt, amount in belts:
        row = page.row + 1
        same = f"--({span('Regions', 2, regions)}=$A{row})"
        page.text(0, belt, "text")
        cells: list[tuple[Cell, Format]] = [
            (Formula(f"=SUMPRODUCT({same},{span('Regions', 3, regions)})", amount), out.styles.of("number", places)),
            (
                Formula(f"=IF(SUM(B${first}:B${last})=0,0,B{row}/SUM(B${first}:B${last}))", _part(amount, total)),
                out.styles.of("share"),
            ),
        ]
        if with_people:
            span_of_people = span("Regions", 6, regions)
            formula = f"=SUMPRODUCT({same},{span_of_people})/SUM({span_of_people})"
            cells.append((Formula(formula, _part(people[belt], everybody)), out.styles.of("share")))
        for column, (cell, style) in enumerate(cells, 1):
            write_cell(page.sheet, page.row, column, cell, style)
        page.next()
    page.next()
    return Area("Summary", 0, 1, first - 1, len(belts))


def _part(amount: Decimal, whole: Decimal) -> Decimal:
    return amount / whole if whole else ZERO


def _write_origin(page: _Page) -> None:
    """Write how the plan came about: changes, overrides, where the search stopped, versions."""
    out, manifest = page.out, page.out.plan.manifest
    page.section("made")
    sets = manifest.get("sets")
    changes = "\n".join(map(str, sets)) if isinstance(sets, list | tuple) else ""
    page.paragraph(out.word("changes"), changes or out.word("no_changes"), "warning" if changes else "long")
    overridden = _overridden(out)
    page.paragraph(out.word("overrides"), overridden or out.word("no_overrides"), "warning" if overridden else "long")
    stopped = manifest.get("stopped")
    if stopped is not None:
        page.paragraph(out.word("stopped"), reason_in_words(stopped, out.language), "warning")
    options = manifest.get("options")
    gap = options.get("gap") if isinstance(options, Mapping) else None
    if isinstance(gap, int | float):
        page.paragraph(out.word("asked_gap"), f"{(100 * Decimal(format(gap, '.15g'))).normalize():f} %")
    tie_break = manifest.get("tie_break")
    if isinstance(tie_break, Mapping):
        page.paragraph(out.word("tie_break"), tie_break_in_words(tie_break, out.language))
    if "repeatable" in manifest:
        page.paragraph(out.word("repeatable"), reason_in_words(manifest["repeatable"], out.language))
    if "optalloc" in manifest:
        made_with = ", ".join(
            str(part) for part in (f"optalloc {manifest['optalloc']}", manifest.get("solver")) if part
        )
        page.paragraph(out.word("program"), made_with)
    if "plan_digest" in manifest:
        page.paragraph(out.word("digest"), str(manifest["plan_digest"]))


def _overridden(out: PlanBook) -> str:
    """Return which projects were put in or kept out by hand and what that costs; who and why has its own sheet."""
    lines = []
    for kind in ("force", "forbid"):
        projects = [record.override.project for record in out.overrides if record.override.kind == kind]
        if projects:
            named = ", ".join(projects[:_OVERRIDES_NAMED]) + (" …" if len(projects) > _OVERRIDES_NAMED else "")
            lines.append(out.word("overridden", kind=out.word(kind), projects=named))
    if lines:
        lines.append(out.word("cost_together", cost=out.cost_of_overrides))
    return "\n".join(lines)


def _insert_charts(out: PlanBook, sheet: Worksheet, belts: Area) -> None:
    """Put the charts beside the tables: belts and sectors, then the regions, then the regions per head."""
    sectors, regions = out.money.sectors, out.money.regions
    colours = dict(zip((belt for belt, _ in out.money.belts()), _belt_colours(len(out.money.belts())), strict=True))
    maker = ChartMaker(out.book, out.styles.font, places_of([out.money.total], 0))
    at = column_letter(_CHARTS + 1)
    shown = regions[:_REGIONS_SHOWN]
    by_belt = [colours[out.money.region_of[share.name].belt] for share in shown]
    names = 1 if all(share.title for share in regions) else 0
    sector_names = 1 if all(share.title for share in sectors) else 0
    sheet.insert_chart(f"{at}4", maker.columns(out.word("chart_belt"), belts, out.unit, list(colours.values())))
    sheet.insert_chart(
        f"{at}4",
        maker.bars(out.word("chart_sector"), Area("Sectors", sector_names, 2, FIRST_ROW - 1, len(sectors)), out.unit),
        {"x_offset": 400},
    )
    title = "chart_region" if len(shown) == len(regions) else "chart_largest"
    sheet.insert_chart(
        f"{at}4",
        maker.columns(
            out.word(title, count=len(shown)),
            Area("Regions", names, 3, FIRST_ROW - 1, len(shown)),
            out.unit,
            by_belt,
            wide=True,
        ),
        {"y_offset": 300},
    )
    if out.money.has_population:
        sheet.insert_chart(
            f"{at}4",
            maker.against_average(
                out.word("chart_head"),
                Area("Regions", names, 8, FIRST_ROW - 1, len(shown)),
                out.word("axis_head"),
                by_belt,
            ),
            {"y_offset": 640},
        )


def _belt_colours(count: int) -> list[str]:
    palette = ("#1F4E79", "#C8802B", "#4F8A6B", "#7C6A9E", "#A94F4F", "#6B7785")
    return [palette[index % len(palette)] for index in range(count)]
