"""Verification: a good plan passes; any amount moved by one step fails, whatever else is recomputed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from integrated_fund.fund import Fund
from integrated_fund.round import Round
from optalloc.plan.digest import plan_digest
from optalloc.plan.plan import Payment, Plan, RuleLine
from optalloc.plan.verify import verify
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch
from optalloc.workbook.grid import Tables
from tests.support.tables import round_of

TABLES: Tables = {
    "Round": [
        {"setting": "title", "value": "t"},
        {"setting": "unit", "value": "yuan"},
        {"setting": "first_year", "value": 2030},
        {"setting": "years", "value": 2},
        {"setting": "gap", "value": 0},
    ],
    "Sources": [
        {"source": "pool", "year": 2030, "amount": 100, "carry_over": Decimal("0.5"), "least": Decimal("0.1")},
        {"source": "pool", "year": 2031, "amount": 60},
        {"source": "west", "year": 2030, "amount": 40, "belts": "west"},
    ],
    "Sectors": [{"sector": "edu"}],
    "Regions": [
        {"region": "a", "belt": "east", "population": 6},
        {"region": "b", "belt": "west", "population": 4},
    ],
    "Projects": [
        {"project": "P1", "sector": "edu", "region": "a", "max_award": 60, "people": 9, "profile": "0.5; 0.5"},
        {"project": "P2", "sector": "edu", "region": "a:0.6; b:0.4", "max_award": 50, "min_award": 20, "people": 7},
        {"project": "P3", "sector": "edu", "region": "b", "max_award": 30, "people": 5, "status": "mandatory"},
        {"project": "P4", "sector": "edu", "region": "b", "max_award": 90, "min_award": 0, "people": 6},
        {"project": "P5", "sector": "edu", "region": "a", "max_award": 20, "people": 3, "status": "excluded"},
        {"project": "P6", "sector": "edu", "region": "a", "max_award": 20, "people": 3},
    ],
    "Criteria": [{"criterion": "people", "weight": 1}],
    "Rules": [
        {"rule": "west", "measure": "award", "sense": ">=", "bound": "45 %", "of": "total", "belts": "west"},
        {"rule": "head", "measure": "award", "sense": ">=", "bound": 0.5, "of": "average", "per": "population",
         "each": "region"},
        {"rule": "soft", "measure": "accepted", "sense": "<=", "bound": 2, "penalty": Decimal("0.5")},
    ],
    "Links": [{"link": "L", "kind": "excludes", "projects": "P2; P6"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def solved() -> tuple[Round, Plan]:
    round_ = round_of(TABLES)
    plan = plan_of(Fund(round_), Watch())
    assert isinstance(plan, Plan)
    return round_, plan


def _failing(round_: Round, plan: Plan) -> list[str]:
    return [check.check for check in verify(round_, plan).checks if not check.holds]


def test_a_solved_plan_passes(solved: tuple[Round, Plan]) -> None:
    assert _failing(*solved) == []


def test_moving_any_amount_by_one_step_fails(solved: tuple[Round, Plan]) -> None:
    round_, plan = solved
    for number, payment in enumerate(plan.payments):
        for change in (1, -1):
            moved = list(plan.payments)
            moved[number] = replace(payment, amount=payment.amount + change)
            # Somebody recomputes the digest, the sums by project and by source too.
            for forged in (replace(plan, payments=tuple(moved)), _recomputed(plan, moved)):
                assert _failing(round_, forged), payment


def _recomputed(plan: Plan, payments: list[Payment]) -> Plan:
    awards = tuple(
        replace(a, award=sum((p.amount for p in payments if p.project == a.project), Decimal(0))) for a in plan.awards
    )
    sources = tuple(
        replace(
            s,
            used=sum((p.amount for p in payments if (p.source, p.year) == (s.source, s.year)), Decimal(0)),
        )
        for s in plan.sources
    )
    manifest = {**plan.manifest, "plan_digest": plan_digest(payments)}
    return replace(plan, payments=tuple(payments), awards=awards, sources=sources, manifest=manifest)


def _rule(plan: Plan, name: str, change: Callable[[RuleLine], RuleLine]) -> Plan:
    return replace(plan, rules=tuple(change(line) if line.rule == name else line for line in plan.rules))


def test_each_stated_figure_is_recomputed(solved: tuple[Round, Plan]) -> None:
    round_, plan = solved
    one = Decimal(1)
    forgeries = {
        "objective": replace(plan, objective=plan.objective + 1),
        "criterion people": replace(plan, criteria={"people": plan.criteria["people"] + 1}),
        "gap": replace(plan, gap=Decimal("0.5")),
        "rule west listed: activity": _rule(plan, "west", lambda line: replace(line, activity=line.activity + one)),
        "rule soft listed: bound": _rule(plan, "soft", lambda line: replace(line, bound=line.bound + one)),
        "used of pool@2030": replace(
            plan, sources=(replace(plan.sources[0], used=plan.sources[0].used + 1), *plan.sources[1:])
        ),
        "carried of pool@2031": replace(
            plan, sources=(plan.sources[0], replace(plan.sources[1], carried=one), *plan.sources[2:])
        ),
        "rules listed": replace(plan, rules=plan.rules[1:]),
        "sources listed": replace(plan, sources=plan.sources[1:]),
        "awards listed": replace(plan, awards=plan.awards[1:]),
        "digest of the payments": replace(plan, manifest={**plan.manifest, "plan_digest": "0"}),
        "round": replace(plan, manifest={**plan.manifest, "round_digest": "0"}),
    }
    for name, forged in forgeries.items():
        assert name in _failing(round_, forged), name


def test_rows_that_cannot_be_followed_fail_by_name(solved: tuple[Round, Plan]) -> None:
    round_, plan = solved
    first = plan.payments[0]
    for field, value in (
        ("project", "P9"),
        ("option", "big"),
        ("start", 2040),
        ("region", "z"),
        ("source", "other"),
        ("year", 2099),
        ("amount", Decimal(-5)),
    ):
        forged = replace(plan, payments=(replace(first, **{field: value}), *plan.payments[1:]))  # type: ignore[arg-type]
        assert "payments that can be followed" in _failing(round_, forged), field


def test_a_broken_rule_is_found_by_adding_up_after_everything_else_was_made_to_agree(
    solved: tuple[Round, Plan],
) -> None:
    round_, plan = solved
    # The mandatory project is taken out and every figure recomputed.
    kept = [payment for payment in plan.payments if payment.project != "P3"]
    forged = _recomputed(replace(plan, awards=tuple(a for a in plan.awards if a.project != "P3")), kept)
    assert "mandatory P3" in _failing(round_, forged)


def test_another_round_is_refused(solved: tuple[Round, Plan]) -> None:
    round_, plan = solved
    assert "round" in _failing(replace(round_, title="another"), plan)
