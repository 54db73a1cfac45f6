"""The bound of printed prices, added up again in plain fractions, and held against the best plan by enumeration.

The few lines here are written from the formula alone: lines one by one, links by what their kinds mean.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

from integrated_fund.fund import Fund
from integrated_fund.measures import MeasureKey
from integrated_fund.round import Link
from optalloc.plan.plan import Plan
from optalloc.solve.arrays import arrays_of
from optalloc.solve.certificate import Certificate, SourcePrices, bound_of, certificate
from optalloc.solve.core.groups import Groups
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.core.sifting import priced
from optalloc.solve.manifest import Request
from optalloc.solve.planning import plan_of
from optalloc.solve.progress import Watch
from optalloc.workbook.grid import Tables
from tests.rule_texts.oracle import Answer, best
from tests.rule_texts.rounds import random_tables
from tests.support.tables import round_of

ZERO = Fraction(0)
AWARD = MeasureKey("award")
#: A choice by number, or None; and what is worth that much.
_State = int | None


# The bound, from the formula.


def added_up(fund: Fund, rules: Mapping[str, Decimal], sources: Sequence[SourcePrices]) -> Fraction | None:
    """Return the bound; None where some group has nothing it may do."""
    rows, limits = fund.classes.sources, fund.appraisal.limits
    amount, carry, least = _source_prices(fund, sources)
    rate = [Fraction(row.carry_over) for row in rows]
    bound = sum((Fraction(rules[row.name]) * row.constant for row in limits.rows), ZERO)
    for f, row in enumerate(rows):
        bound += Fraction(row.amount) * (amount[f] + carry[f] * rate[f] + least[f] * Fraction(row.least))
    return None if (groups := _best_groups(fund, worth_of(fund, rules, sources))) is None else bound + groups


def _source_prices(fund: Fund, sources: Sequence[SourcePrices]) -> tuple[list[Fraction], ...]:
    rows = fund.classes.sources
    amount, carry, least = ([Fraction(getattr(p, name)) for p in sources] for name in ("amount", "carry", "least"))
    rate = [Fraction(row.carry_over) for row in rows]
    later = fund.classes.next_year
    for f in sorted(range(len(rows)), key=lambda f: -(rows[f].year or 0)):
        following = later[f]
        if following is None or not rate[f]:
            carry[f] = ZERO
        else:
            carry[f] = max(carry[f], amount[following] + rate[following] * carry[following] - amount[f])
    return amount, carry, least


def worth_of(
    fund: Fund, rules: Mapping[str, Decimal], sources: Sequence[SourcePrices]
) -> Callable[[int, int], Fraction | None]:
    """Return what a choice at an award in steps is worth less its lines at their prices; None: nobody pays."""
    amount, carry, least = _source_prices(fund, sources)
    rate = [Fraction(row.carry_over) for row in fund.classes.sources]
    money = [[amount[f] + rate[f] * carry[f] + least[f] for f in row.sources] for row in fund.classes.classes]
    price = _prices_of_lines(fund, rules)

    def worth(choice: int, steps: int) -> Fraction | None:
        ledger = fund.ledger
        total = ZERO
        for k in fund.appraisal.levels[0].gains:
            gain = fund.appraisal.gains[k]
            total += gain.factor * (gain.constant[choice] + gain.slope[choice] * steps)
        for line in ledger.lines_of[choice]:
            for key, by_line in price.items():
                measure = ledger.measure(key)
                total -= by_line[line] * measure.weight[line] * measure.value(choice, steps)
            if ledger.share[line] and steps:
                able = money[int(fund.classes.class_of_line[line])]
                if not able:
                    return None
                total -= min(able) * ledger.share[line] * steps * ledger.step
        return total

    return worth


def _prices_of_lines(fund: Fund, rules: Mapping[str, Decimal]) -> dict[MeasureKey, list[Fraction]]:
    limits, size = fund.appraisal.limits, len(fund.ledger.line_choice)
    found: dict[MeasureKey, list[Fraction]] = {}
    for row in limits.rows:
        sides = [(row.activity, Fraction(rules[row.name]))]
        if row.base is not None:
            sides.append((row.base, -row.share * Fraction(rules[row.name])))
        for number, price in sides:
            total = limits.totals[number]
            by_line = found.setdefault(total.measure, [ZERO] * size)
            for line in range(size):
                if price and total.lines[line]:
                    by_line[line] += price
    return found


def _best_groups(fund: Fund, worth: Callable[[int, int], Fraction | None]) -> Fraction | None:
    """Return what the best decisions of all groups are worth together."""
    ledger = fund.ledger
    states: dict[str, dict[_State, Fraction]] = {}
    for project in ledger.projects:
        own: dict[_State, Fraction] = {}
        if project.status != "mandatory":
            own[None] = ZERO
        for j in ledger.choices_of[project.project]:
            values = [
                value for steps in {int(ledger.low[j]), int(ledger.high[j])} if (value := worth(j, steps)) is not None
            ]
            if values and project.status != "excluded":
                # A block grant has nothing to accept: links do not see it.
                state = None if ledger.is_block_grant[j] else j
                own[state] = max([*values, *([own[state]] if state in own else [])])
        if not own:
            return None
        states[project.project] = own
    links = list(ledger.round.links)
    total = ZERO
    left = [project.project for project in ledger.projects]
    while left:
        members = {left[0]}
        while more := {p for link in links if members & set(link.projects) for p in link.projects} - members:
            members |= more
        tied = [link for link in links if members & set(link.projects)]
        names = sorted(members)
        found = [
            sum((states[name][s] for name, s in zip(names, chosen, strict=True)), ZERO)
            + sum((_synergy(fund, link, dict(zip(names, chosen, strict=True))) for link in tied), ZERO)
            for chosen in product(*(states[name] for name in names))
            if all(_kept(link, dict(zip(names, chosen, strict=True))) for link in tied)
        ]
        if not found:
            return None
        total += max(found)
        left = [name for name in left if name not in members]
    return total


def _kept(link: Link, chosen: Mapping[str, _State]) -> bool:
    accepted = [chosen[name] is not None for name in link.projects]
    if link.kind == "requires":
        return not accepted[0] or all(accepted)
    if link.kind == "all_or_none":
        return all(accepted) or not any(accepted)
    if link.kind == "excludes":
        return sum(accepted) <= 1
    if link.kind == "synergy":
        return True
    assert link.k is not None
    return sum(accepted) >= link.k if link.kind == "at_least" else sum(accepted) <= link.k


def _synergy(fund: Fund, link: Link, chosen: Mapping[str, _State]) -> Fraction:
    numbers = [chosen[name] for name in link.projects]
    if link.kind != "synergy" or None in numbers:
        return ZERO
    factor = next(
        (fund.appraisal.gains[k].factor for k in fund.appraisal.levels[0].gains
         if fund.appraisal.gains[k].criterion.criterion == link.criterion), ZERO
    )  # fmt: skip
    first = fund.round.first_year or 0
    starts = [fund.ledger.choices[number].start for number in numbers if number is not None]
    last = max(start - first if start is not None else 0 for start in starts)
    return factor * Fraction(link.value or 0) / (1 + Fraction(fund.round.discount)) ** last


# Rounds and prices.


def _fund(tables: Tables) -> tuple[Fund, Groups]:
    fund = Fund(round_of(tables))
    return fund, Groups(arrays_of(fund), fund.ledger.project_of)


def _tables(seed: int, rng: random.Random) -> Tables:
    """Return a random round; in every fifth all money is for one sector, so that nobody may pay for the others."""
    tables = random_tables(rng)
    if seed % 5 == 0:
        sector = tables["Sectors"][0]["sector"]
        tables["Sources"] = [{**row, "sectors": sector} for row in tables["Sources"]]
    return tables


def _any_prices(fund: Fund, rng: random.Random) -> tuple[dict[str, Decimal], list[SourcePrices]]:
    """Draw prices of right signs; some 0, some far off."""

    def draw() -> Decimal:
        return Decimal(rng.randint(0, 10**6)).scaleb(-rng.randint(3, 9)) if rng.random() < 0.5 else Decimal(0)

    rules = {}
    for row in fund.appraisal.limits.rows:
        price = draw() * {"<=": 1, ">=": -1, "=": rng.choice([-1, 1])}[row.rule.sense]
        if row.rule.penalty is not None:
            price = min(max(price, -row.rule.penalty), row.rule.penalty)
        rules[row.name] = price
    rows = fund.classes.sources
    return rules, [SourcePrices(draw(), draw(), -draw() if row.least else Decimal(0)) for row in rows]


def _of_linear_programme(fund: Fund) -> Certificate | None:
    arrays = arrays_of(fund)
    pricing = Pricing(arrays, arrays.levels[0], fund.ledger.project_of)
    prices = priced(pricing, Watch())
    return None if prices is None else certificate(fund, arrays, pricing.groups, prices.y)


def _holds(fund: Fund, given: Certificate, answer: Answer | None) -> bool:
    """Hold a bound against the formula and against the best plan; return whether there is one."""
    own = added_up(fund, given.rules, given.sources)
    if own is None:
        assert answer is None
        return False
    assert own <= given.bound
    assert given.bound - own <= Fraction(1, 10**6) * max(abs(own), Fraction(1))
    if answer is None:
        return False
    assert own >= answer.optima[0]
    return True


def _hold(seed: int, draws: int) -> bool:
    rng = random.Random(seed)
    tables = _tables(seed, rng)
    answer = best(tables)
    fund, groups = _fund(tables)
    for _ in range(draws):
        rules, sources = _any_prices(fund, rng)
        _holds(fund, Certificate(rules, sources, bound_of(fund, groups, rules, sources)), answer)
    given = _of_linear_programme(fund)
    if given is None:
        assert answer is None
        return False
    return _holds(fund, given, answer)


@pytest.mark.parametrize("batch", range(2))
def test_the_bound_is_the_formula_and_bounds_every_plan(batch: int) -> None:
    assert sum(_hold(seed, 2) for seed in range(50 * batch, 50 * batch + 50)) > 25


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(6))
def test_bounds_of_many_rounds(batch: int) -> None:
    first = 10_000 + 100 * batch
    assert sum(_hold(seed, 4) for seed in range(first, first + 100)) > 50


def _features(fund: Fund) -> set[str]:
    """Return what a round has that the bound must get right."""
    found = {f"link {link.kind}" for link in fund.round.links}
    discounted = "discounted " if fund.round.discount else ""
    found |= {f"{discounted}{'bonus' if (link.value or 0) > 0 else 'malus'}" for link in fund.round.links if link.value}
    found |= {f"status {project.status}" for project in fund.ledger.projects}
    found |= {"soft rule" for rule in fund.round.rules if rule.penalty is not None}
    found |= {f"of {rule.of}" for rule in fund.round.rules}
    rows = zip(fund.classes.sources, fund.classes.next_year, strict=True)
    found |= {"carry-over" for row, following in rows if row.carry_over and following is not None}
    found |= {"least" for row in fund.classes.sources if row.least}
    found |= {"nobody pays" for row in fund.classes.classes if not row.sources}
    found |= {"block grant" for grant in fund.ledger.is_block_grant if grant}
    return found


def test_the_rounds_have_every_feature() -> None:
    found: dict[str, int] = {}
    for seed in range(90):
        for feature in _features(_fund(_tables(seed, random.Random(seed)))[0]):
            found[feature] = found.get(feature, 0) + 1
    kinds = {"requires", "excludes", "all_or_none", "at_least", "at_most", "synergy"}
    wanted = {
        "bonus",
        "malus",
        "discounted bonus",
        "discounted malus",
        "soft rule",
        "carry-over",
        "least",
        "nobody pays",
    }
    wanted |= {f"link {kind}" for kind in kinds} | {"block grant", "status mandatory", "status excluded"}
    wanted |= {"of total", "of funds", "of average"}
    assert {feature: found.get(feature, 0) for feature in wanted if found.get(feature, 0) < 3} == {}


# Rounds of uneven sizes, where whole numbers of the grid do not fit.


def _uneven(*, score: float = 1, award: int = 10, value: int | None = None) -> Tables:
    """Thirty projects of a score about 1 and one that is not like them; two linked by a synergy."""
    place = {"sector": "s", "region": "r"}
    projects: list[dict[str, object]] = [
        {"project": f"p{n:02d}", **place, "max_award": 10 + n, "score": 1 + Decimal(n) / 10} for n in range(30)
    ]
    projects.append({"project": "other", **place, "max_award": award, "score": score})
    tables: Tables = {
        "Round": [
            {"setting": "title", "value": "Uneven"},
            {"setting": "unit", "value": "million"},
            {"setting": "first_year", "value": 2026},
            {"setting": "years", "value": 2},
            {"setting": "discount", "value": Decimal("0.07")},
        ],
        "Sources": [
            {"source": "a", "year": 2026, "amount": 300, "carry_over": Decimal("0.5")},
            {"source": "a", "year": 2027, "amount": 10, "carry_over": None},
        ],
        "Sectors": [{"sector": "s"}],
        "Regions": [{"region": "r", "belt": "east"}],
        "Projects": projects,
        "Criteria": [{"criterion": "score", "weight": 1}],
        "Rules": [{"rule": "cap", "measure": "accepted", "sense": "<=", "bound": 15}],
    }
    if value is not None:
        tables["Links"] = [
            {"link": "L", "kind": "synergy", "projects": "p01; p02", "criterion": "score", "value": value}
        ]
    return tables


@pytest.mark.parametrize(
    "tables",
    [
        _uneven(score=2_000_000),
        _uneven(score=3 * 10**9),
        _uneven(award=10**7),
        _uneven(award=10**14),
        _uneven(value=10**7),
        _uneven(value=10**9),
        _uneven(value=-(10**12)),
    ],
)
def test_uneven_sizes_bound_too(tables: Tables) -> None:
    fund, _ = _fund(tables)
    given = _of_linear_programme(fund)
    assert given is not None
    assert _holds(fund, given, None) is False
    plan = plan_of(fund, Watch(), Request(Decimal(0), "core"))
    assert isinstance(plan, Plan)
    assert plan.status == "optimal"
    assert given.bound >= Fraction(plan.objective)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_printed_gives_the_bound(seed: int) -> None:
    """From the manifest alone: prices by the labels of rules and sources, the bound within what is stated of it."""
    fund, _ = _fund(random_tables(random.Random(seed)))
    plan = plan_of(fund, Watch(), Request(Decimal(0), "core"))
    if not isinstance(plan, Plan):
        return
    printed = plan.manifest["certificate"]
    assert isinstance(printed, dict)
    rules = {row.name: Decimal(printed["rules"].get(row.label, 0)) for row in fund.appraisal.limits.rows}
    sources = [
        SourcePrices(*(Decimal(price) for price in printed["sources"][fund.classes.label(f)]))
        for f in range(len(fund.classes.sources))
    ]
    own = added_up(fund, rules, sources)
    assert own is not None
    assert float(own) == pytest.approx(float(printed["bound"]), rel=1e-6)
