"""The Prices sheet of the plan workbook, and the curves of the dearest bounds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from integrated_fund.round import Rule
from optalloc.plan.plan import stated
from optalloc.plan.price_report import Change, Curve, Price, PriceLine, PriceReport, by_cost
from optalloc.workbook.plan_charts import ChartMaker
from optalloc.workbook.plan_sheets import PlanBook
from optalloc.workbook.plan_table import Cell, Column

#: Columns of Prices that are printed.
_PRINTED = 18
#: Charts beside each other, the column of the first, and the rows and columns that one takes.
_ACROSS = 2
_FIRST_CHART = 7
_CHART_ROWS, _CHART_COLUMNS = 17, 8


def write_prices(out: PlanBook, report: PriceReport) -> None:
    """Write a row for every rule member, source, capacity and link, the dearest first."""
    dear = list(by_cost(report.lines))
    lines = [*dear, *(line for line in report.lines if line.cost <= 0)]
    rules = {rule.rule: rule for rule in out.round.rules}
    share = [_is_share(line, rules) for line in lines]
    mores, lesses = [line.change_more for line in lines], [line.change_less for line in lines]
    sheet = out.table(
        "Prices",
        [
            Column(out.word("rule"), [line.rule for line in lines]),
            Column(out.word("member"), [line.member for line in lines]),
            Column(out.word("kind"), [out.word(f"{line.kind}_kind") for line in lines]),
            Column(out.word("final_value"), [line.activity for line in lines], "mixed"),
            Column(out.word("sense"), [line.sense for line in lines]),
            Column(out.word("constraint"), [line.bound for line in lines], "mixed"),
            Column(out.word("slack"), [line.slack for line in lines], "mixed"),
            Column(out.word("price_more"), [_price(out, line.price_more) for line in lines], "mixed"),
            Column(out.word("price_less"), [_price(out, line.price_less) for line in lines], "mixed"),
            Column(out.word("increase"), [_room(out, line, line.valid_to) for line in lines], "mixed"),
            Column(out.word("decrease"), [_room(out, line, line.valid_from) for line in lines], "mixed"),
            Column(out.word("exchange_rate"), [line.exchange_rate for line in lines], "mixed"),
            Column(out.word("step"), [line.step for line in lines], "mixed", in_percent=share),
            Column(out.word("change_up"), [_found(out, change) for change in mores], "mixed"),
            Column(out.word("proven_between"), [_proven(out, change) for change in mores]),
            Column(out.word("change_down"), [_found(out, change) for change in lesses], "mixed"),
            Column(out.word("proven_between"), [_proven(out, change) for change in lesses]),
            Column(out.word("sentence"), [line.sentence for line in lines], "long"),
            Column(out.word("says"), [line.says for line in lines], "long"),
            Column(out.word("typed"), [line.typed for line in lines], "mixed", in_percent=share),
            Column(out.word("point_money"), [line.point_money for line in lines], "mixed"),
            Column(out.word("decided_more"), [_price(out, line.decided_more) for line in lines], "mixed"),
            Column(out.word("decided_less"), [_price(out, line.decided_less) for line in lines], "mixed"),
            Column(out.word("dual"), [line.dual for line in lines], "mixed"),
        ],
    )
    # What a reader needs fits on paper up to the sentences; the rest is for the screen.
    sheet.print_area(0, 0, len(lines), _PRINTED - 1)


def write_curves(out: PlanBook, report: PriceReport) -> None:
    """Write the objective against the dearest bounds: steps that were solved, the line of the linear relaxation."""
    if not report.curves:
        return
    rows = [(curve, point) for curve in report.curves for point in curve.points]
    sheet = out.table(
        "Curves",
        [
            Column(out.word("rule"), [curve.rule for curve, _ in rows]),
            Column(out.word("member"), [curve.member for curve, _ in rows]),
            Column(out.word("at_bound"), [point.bound for _, point in rows], "mixed"),
            Column(out.word("value_at"), [point.value for _, point in rows], "mixed"),
            Column(out.word("relaxed"), [point.relaxed for _, point in rows], "mixed"),
        ],
    )
    charts = ChartMaker(out.book, out.styles.font, 0)
    first = 1
    for number, curve in enumerate(report.curves):
        chart = charts.curve(
            _name(curve),
            "Curves",
            first,
            len(curve.points),
            (out.word("at_bound"), out.word("value_at"), out.word("relaxed")),
            share=curve.is_share,
        )
        row, column = divmod(number, _ACROSS)
        sheet.insert_chart(1 + row * _CHART_ROWS, _FIRST_CHART + _CHART_COLUMNS * column, chart)
        first += len(curve.points)
    lines = 1 + (len(report.curves) + _ACROSS - 1) // _ACROSS * _CHART_ROWS
    sheet.print_area(0, 0, max(len(rows), lines), _FIRST_CHART + _ACROSS * _CHART_COLUMNS - 1)


def _name(curve: Curve) -> str:
    return curve.rule if curve.member is None else f"{curve.rule} [{curve.member}]"


def _is_share(line: PriceLine, rules: dict[str, Rule]) -> bool:
    return line.kind == "rule" and line.rule in rules and rules[line.rule].of in ("total", "funds", "average")


def _price(out: PlanBook, price: Price) -> Cell:
    return out.word("no_plan") if isinstance(price, str) else price


def _room(out: PlanBook, line: PriceLine, end: Decimal | None) -> Cell:
    """Return how far the bound can move until the price changes."""
    if line.bound is None:
        return None
    return out.word("unlimited") if end is None else stated(abs(end - line.bound))


def _found(out: PlanBook, change: Change | None) -> Cell:
    return None if change is None else _price(out, change.found)


def _proven(out: PlanBook, change: Change | None) -> Cell:
    """Return the proven interval in words; nothing where it is a point."""
    if change is None or (change.low == change.high == change.found):
        return None
    ends: Sequence[Cell] = [_price(out, change.low), _price(out, change.high)]
    return " … ".join("?" if end is None else _shown(end) for end in ends)


def _shown(end: Cell) -> str:
    return f"{end:,.6g}" if isinstance(end, Decimal) else str(end)
