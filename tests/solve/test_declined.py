"""The one reason why a project is not in the plan, against trying each project on its own."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from integrated_fund.evaluation import Decision
from integrated_fund.fund import Fund
from integrated_fund.payments import Payments
from optalloc.solve import declined
from optalloc.solve.exactness import judge
from tests.rule_texts.rounds import random_tables
from tests.support.tables import round_of


def _decision(fund: Fund, rng: random.Random) -> Decision:
    ledger = fund.ledger
    projects = [project for project in ledger.projects if rng.random() < 0.5]
    chosen = [rng.choice(ledger.choices_of[project.project]) for project in projects]
    return {j: int(ledger.high[j]) for j in chosen}


def _reasons(fund: Fund, decision: Decision, payments: Payments, j: int) -> set[str]:
    """Everything that adding a choice at its smallest award would break."""
    ledger, classes = fund.ledger, fund.classes
    low, name = int(ledger.low[j]), ledger.choices[j].project.project
    before = fund.appraisal.evaluate(decision)
    after = fund.appraisal.evaluate({**decision, j: low})
    found = set()
    for old, new in zip(before.limits, after.limits, strict=True):
        tolerance = Fraction(1, 10**9) * max(Fraction(1), abs(old.bound))
        moved = abs((new.activity - new.bound) - (old.activity - old.bound)) > tolerance
        if new.limit.rule.penalty is None and new.violation > tolerance and moved:
            found.add(f"rule {new.limit.label}")
    left = [Fraction(source.amount) - used for source, used in zip(classes.sources, payments.used, strict=True)]
    for f, moved_on in enumerate(payments.carried):
        target = classes.next_year[f]
        if moved_on and target is not None:
            left[target] += moved_on
    for line in ledger.lines_of[j]:
        payers = classes.classes[classes.class_of_line[line]].sources
        if not payers:
            found.add("no source may pay")
        elif ledger.share[line] * low * ledger.step > sum(left[f] for f in payers):
            found.add("money of " + ", ".join(classes.label(f) for f in payers))
    funded = {ledger.choices[other].project.project for other in decision}
    for link in fund.round.links:
        count = len((funded | {name}).intersection(link.projects))
        broken = {
            "requires": link.projects[0] == name and count < len(link.projects),
            "excludes": count > 1,
            "all_or_none": count < len(link.projects),
            "at_most": link.k is not None and count > link.k,
        }
        if name in link.projects and broken.get(link.kind, False):
            found.add(f"link {link.link}")
    return found


@pytest.mark.parametrize("together", [1, 2, 2**15])
def test_the_reason_is_what_adding_the_project_alone_breaks(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declined, "_TOGETHER", together)
    with_one_reason = 0
    for seed in range(700, 720):
        rng = random.Random(seed)
        fund = Fund(round_of(random_tables(rng)))
        ledger = fund.ledger
        for decision in (_decision(fund, rng), _decision(fund, rng), {}):
            judgement = judge(fund, decision, ())
            if not isinstance(judgement.payments, Payments):
                continue
            found = declined.declined_of(fund, judgement.evaluation, judgement.payments)
            funded = {ledger.choices[j].project.project for j in decision}
            assert [row.project for row in found] == [
                project.project for project in ledger.projects if project.project not in funded
            ]
            for row in found:
                entry = min(ledger.choices_of[row.project], key=lambda j: (ledger.low[j], j))
                reasons = _reasons(fund, decision, judgement.payments, entry)
                if ledger.choices[entry].project.status == "excluded":
                    reasons = {"status excluded"}
                assert row.reason == (min(reasons) if len(reasons) == 1 else None)
                with_one_reason += row.reason is not None
    assert with_one_reason > 20
