"""What the ledger adds up by columns, against plain loops over fractions, on random small rounds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from integrated_fund.evaluation import Appraisal, Decision
from integrated_fund.ledger import ZERO, Codes, Ledger, Mask
from integrated_fund.patterns import compacted
from integrated_fund.payments import LinePayments, Payments, class_awards, payments_of
from integrated_fund.round import EVERYTHING, Criterion, Dimension, Filter, Rule, Selection, Source
from integrated_fund.sources import SourceClasses, source_classes
from tests.rule_texts.oracle import evaluate
from tests.rule_texts.rounds import random_tables
from tests.support.tables import round_of, sound_tables

SEEDS = range(900, 960)


def decisions_of(ledger: Ledger, rng: random.Random, many: int) -> Iterator[Decision]:
    """Any choices at any awards, links and money apart; not in sorted order."""
    for _ in range(many):
        decision = {}
        for project in rng.sample(ledger.projects, rng.randint(0, len(ledger.projects))):
            choice = rng.choice(ledger.choices_of[project.project])
            steps = rng.choice(
                [ledger.low[choice], ledger.high[choice], rng.randint(ledger.low[choice], ledger.high[choice])]
            )
            if steps:
                decision[choice] = int(steps)
        yield decision


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_decision_adds_up_to(seed: int) -> None:
    rng = random.Random(seed)
    tables = random_tables(rng)
    ledger = Ledger(round_of(tables))
    appraisal = Appraisal(ledger)
    for decision in decisions_of(ledger, rng, 4):
        found = appraisal.evaluate(decision)
        chosen = [(ledger.choices[j], steps) for j, steps in decision.items()]
        plain = evaluate(tables, {c.project.project: (c.option, c.start, steps * ledger.step) for c, steps in chosen})
        assert found.criteria == plain.criteria
        assert {
            (v.limit.rule.rule, v.limit.member): (v.activity, v.bound, v.slack, v.violation) for v in found.limits
        } == {(row.rule, row.member): (row.activity, row.bound, row.slack, row.violation) for row in plain.rules}


@pytest.mark.parametrize("seed", SEEDS)
def test_totals_and_gains_line_by_line(seed: int) -> None:
    rng = random.Random(seed)
    ledger = Ledger(round_of(random_tables(rng)))
    appraisal = Appraisal(ledger)
    for decision in decisions_of(ledger, rng, 3):
        found = appraisal.evaluate(decision)
        totals = []
        for total in appraisal.limits.totals:
            measure = ledger.measure(total.measure)
            inside = total.lines
            totals.append(
                sum(
                    (
                        measure.weight[line] * measure.value(choice, steps)
                        for choice, steps in decision.items()
                        for line in ledger.lines_of[choice]
                        if inside[line]
                    ),
                    ZERO,
                )
            )
        for value in found.limits:
            base = ZERO if value.limit.base is None else value.limit.share * totals[value.limit.base]
            assert (value.activity, value.bound) == (totals[value.limit.activity], value.limit.constant + base)
        for gain in appraisal.gains:
            if not gain.synergies:
                own = sum((gain.constant[j] + gain.slope[j] * steps for j, steps in decision.items()), ZERO)
                assert found.criteria[gain.criterion.criterion] == own
            assert gain.constant_floats.tolist() == [float(value) for value in gain.constant]
            assert gain.slope_floats.tolist() == [float(value) for value in gain.slope]


def _split_line_by_line(
    ledger: Ledger, classes: SourceClasses, decision: Decision, paid: LinePayments
) -> list[tuple[int, int, Fraction]]:
    """Split what each class gets from each source over its lines, one line after the other."""
    sheet = [(row.source, row.year) for row in ledger.round.sources]
    available: dict[int, dict[int, Fraction]] = {}
    for line, f, amount in zip(paid.line.tolist(), paid.source.tolist(), paid.amount, strict=True):
        own = available.setdefault(int(classes.class_of_line[line]), {})
        own[f] = own.get(f, ZERO) + amount
    rows = []
    for choice in sorted(decision):
        for line in ledger.lines_of[choice]:
            due = ledger.share[line] * decision[choice] * ledger.step
            if not due:
                continue
            own = available[int(classes.class_of_line[line])]
            for f in sorted(own, key=lambda f: sheet.index((classes.sources[f].source, classes.sources[f].year))):
                amount = min(due, own[f])
                if amount:
                    rows.append((line, f, amount))
                own[f] -= amount
                due -= amount
            assert not due
    assert not any(amount for own in available.values() for amount in own.values())
    return rows


@pytest.mark.parametrize("seed", SEEDS)
def test_awards_and_payments_line_by_line(seed: int) -> None:
    rng = random.Random(seed)
    ledger = Ledger(round_of(random_tables(rng)))
    classes = source_classes(ledger)
    for decision in decisions_of(ledger, rng, 4):
        awards = [ZERO] * len(classes.classes)
        for choice, steps in decision.items():
            for line in ledger.lines_of[choice]:
                awards[classes.class_of_line[line]] += ledger.share[line] * steps * ledger.step
        assert class_awards(ledger, classes, decision) == awards
        payments = payments_of(ledger, classes, decision)
        if isinstance(payments, Payments):
            paid = payments.lines
            found = list(zip(paid.line.tolist(), paid.source.tolist(), paid.amount, strict=True))
            assert found == _split_line_by_line(ledger, classes, decision, paid)
            for f, used in enumerate(payments.used):
                assert used == sum((amount for _, source, amount in found if source == f), ZERO)


@pytest.mark.parametrize("seed", SEEDS)
def test_patterns_are_what_filters_tell_apart(seed: int) -> None:
    round_ = round_of(random_tables(random.Random(seed)))
    ledger = Ledger(round_)
    lines = [ledger.choices[j] for j in ledger.line_choice.tolist()]
    belt_of = {region.region: region.belt for region in round_.regions}
    rows: list[Rule | Criterion | Source] = [*round_.rules, *round_.criteria, *round_.sources]
    for row in rows:
        expected = []
        for line, choice in enumerate(lines):
            project, region = choice.project, ledger.regions[ledger.line_region[line]]
            passes = row.filter.on("tag").passes_any(project.tags)
            values: dict[Dimension, str | None] = {
                "sector": project.sector,
                "category": project.category,
                "institution": project.institution,
                "region": region,
                "belt": belt_of[region],
                "year": str(ledger.years[ledger.line_year[line]]),
            }
            passes &= all(row.filter.on(dimension).passes(value) for dimension, value in values.items())
            expected.append(passes)
        assert ledger.lines(row.filter).tolist() == expected
        assert ledger.patterns.passing(row.filter)[ledger.pattern_of_line].tolist() == expected


def test_a_filter_that_is_not_the_rounds_has_no_patterns() -> None:
    ledger = Ledger(round_of(sound_tables()))
    assert ledger.patterns.passing(EVERYTHING).all()
    stranger = Filter({"tag": Selection(frozenset({"big"}))})
    assert ledger.lines(stranger).sum() > 0
    with pytest.raises(ValueError, match="tag"):
        ledger.patterns.passing(stranger)
    with pytest.raises(ValueError, match="sector"):
        ledger.patterns.values("sector", np.ones(len(ledger.patterns), dtype=np.bool_))


def test_choices_and_lines_are_made_when_asked_for() -> None:
    ledger = Ledger(round_of(sound_tables()))
    assert [choice.key for choice in ledger.choices] == [
        ("P1", "", 2027), ("P1", "small", 2027), ("P2", "", 2027), ("P3", "", 2027),
    ]  # fmt: skip
    assert ledger.choices[-1] == ledger.choices[3] == list(ledger.choices)[3]
    assert [(choice.low, choice.high) for choice in ledger.choices[:2]] == [(20, 80), (40, 40)]
    assert [choice.is_all_or_nothing for choice in ledger.choices] == [False, True, True, False]
    assert dict(ledger.choices_of) == {"P1": range(2), "P2": range(2, 3), "P3": range(3, 4)}
    assert list(ledger.lines_of) == [range(2), range(2, 4), range(4, 6), range(6, 7)]
    assert list(ledger.share) == [Fraction(Decimal(n)) for n in ("0.5", "0.5", "0.5", "0.5", "0.6", "0.4", "1")]
    for sequence in (ledger.choices, ledger.lines_of, ledger.share):
        with pytest.raises(IndexError):
            sequence[len(sequence)]
    with pytest.raises(KeyError):
        ledger.choices_of["P4"]


@pytest.mark.parametrize("width", [3, 10**6])
def test_equal_rows_have_equal_numbers_in_sorted_order(width: int) -> None:
    rng = np.random.default_rng(1)
    columns: list[Codes | Mask] = [
        rng.integers(0, 3, 500) * (width // 3),
        rng.integers(0, 4, 500),
        rng.random(500) < 0.5,
    ]
    a_row, number = compacted(columns)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    known = sorted(set(rows))
    assert number.tolist() == [known.index(row) for row in rows]
    assert [rows[row] for row in a_row.tolist()] == known
