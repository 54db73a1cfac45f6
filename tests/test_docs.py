"""What the docs say of the small round is what the program does."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrated_fund.fund import Fund
from optalloc.api import NoPlanExists, Override, solve
from optalloc.examples import EXAMPLES
from optalloc.plan.overrides import Kind, without_of
from optalloc.plan.plan import Plan
from optalloc.plan.verify import verify
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch
from tests.cli.run import Cli
from tests.support.tables import round_of, write_tables

PAGE = Path(__file__).parents[1] / "docs" / "small.md"
README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def plan() -> Plan:
    round_ = round_of(EXAMPLES["small"]())
    found = plan_of(Fund(round_), Watch())
    assert isinstance(found, Plan)
    assert verify(round_, found).ok
    return found


def _table(plan: Plan) -> str:
    lines = ["| project | option | start | award | paid by |", "| --- | --- | --- | --- | --- |"]
    for award in plan.awards:
        paid: dict[str, float] = {}
        for row in plan.payments:
            if row.project == award.project:
                paid[row.source] = paid.get(row.source, 0) + float(row.amount)
        sources = ", ".join(f"{source} {amount:g}" for source, amount in paid.items())
        lines.append(f"| {award.project} | {award.option or ''} | {award.start} | {award.award} | {sources} |")
    return "\n".join(lines)


def test_the_walk_through_shows_the_plan(plan: Plan) -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = text.partition("<!-- plan:begin -->\n")[2].partition("\n<!-- plan:end -->")[0]
    assert shown == _table(plan)


def test_the_figures_of_the_page_on_overrides() -> None:
    text = (PAGE.parent / "overrides.md").read_text(encoding="utf-8")
    round_ = round_of(EXAMPLES["small"]())
    shown: list[tuple[Kind, list[str], str]] = [
        ("force", ["sensors"], "141.5"),
        ("forbid", ["teachers"], "157.7"),
    ]
    for kind, projects, cost in shown:
        made = [Override(project, kind, by="leading group", reason="minutes") for project in projects]
        found = without_of(solve(round_, overrides=made).manifest)
        assert str(found.objective) in text
        assert str(found.cost.low) == str(found.cost.high) == cost
        assert cost in text
    with pytest.raises(NoPlanExists, match="without them there is one"):
        solve(round_, overrides=[Override("masters", "forbid", by="leading group", reason="minutes")])


def test_the_figures_of_the_walk_through(plan: Plan) -> None:
    assert float(plan.objective) == 683.2
    assert plan.gap == 0
    values = {name: float(value) for name, value in plan.criteria.items()}
    assert values == {"talent_trained": 363.2, "innovation": 195, "upkeep": 60}
    rules = {(row.rule, row.member): row for row in plan.rules}
    assert float(rules["west_per_head", "guizhou"].bound) == pytest.approx(357.64, abs=0.01)
    assert rules["ceiling", "gansu"].activity == 540
    assert rules["ceiling", "gansu"].bound == 550
    assert rules["schools", None].bound == 480
    education = {row.year: row for row in plan.sources if row.source == "education"}
    assert float(education[2026].used) == 448
    assert float(education[2026].carried or 0) == 6.4
    assert float(education[2027].used) == 326.4


def test_the_price_report_of_the_readme(cli: Cli, tmp_path: Path) -> None:
    book = write_tables(EXAMPLES["small"](), tmp_path / "round.xlsx")
    printed = cli("prices", book, "education", "schools", "institutions").out.splitlines()
    text = README.read_text(encoding="utf-8")
    shown = text.partition("<!-- prices:begin -->\n```\n")[2].partition("\n```\n<!-- prices:end -->")[0].splitlines()
    assert shown[0] == "$ optalloc prices round.xlsx education schools institutions"
    assert len(shown) > 10
    for line in shown[1:]:
        assert line == "…" or line in printed
