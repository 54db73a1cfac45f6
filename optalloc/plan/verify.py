"""Verification: a plan held against its round, line by line, in exact arithmetic.

Reads the rule texts a second time (`lines`, `members`, `rulings`) and adds up the plan's own rows. It knows the round
alone: no ledger, no model, no solver. What a plan states (activities, sums, digests) is recomputed, and what it decides
is checked against every rule, so a plan in which somebody has recomputed every sum after breaking a rule fails too.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache, reduce

from integrated_fund.collector import collector_paused
from integrated_fund.digest import round_digest
from integrated_fund.round import Option, Place, Project, Round, Source
from optalloc.plan.digest import plan_digest
from optalloc.plan.lines import EXACT, ZERO, Funded, passes
from optalloc.plan.members import possible_starts
from optalloc.plan.overrides import BadRecord, Override, Without, overridden, records_of, without_of
from optalloc.plan.plan import Payment, Plan, SourceLine, stated
from optalloc.plan.rulings import Recount, Ruling, first_level, link_is_kept


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, whether it holds, what was found and expected.

    `places` are the plan's rows it is about; a check of one project that holds has none.
    """

    check: str
    holds: bool
    found: str
    expected: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Verification:
    """Every check of a plan."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)


def verify(round_: Round, plan: Plan) -> Verification:
    """Check a plan against its round, with the overrides the plan has on record applied to it.

    The round has no errors; the plan may hold anything.
    """
    with collector_paused():
        return Verification(tuple(_checks(round_, plan)))


def _checks(workbook: Round, plan: Plan) -> Iterator[Check]:
    overrides: tuple[Override, ...] = ()
    try:
        overrides = tuple(record.override for record in records_of(plan.manifest))
        yield from _cost_of_overrides(plan, without_of(plan.manifest))
    except BadRecord as bad:
        yield Check("overrides on record", False, str(bad), "project, kind, status, by, reason, on and cost of each")
    round_ = overridden(workbook, overrides)
    yield from _identity(round_, plan)
    wrong: list[Check] = []
    payments = _known_payments(round_, plan, wrong)
    yield from wrong
    rows: dict[str, list[Payment]] = {}
    for row in payments:
        rows.setdefault(row.project, []).append(row)
    funded = _funded(round_, rows)
    yield from _amounts(round_, funded, rows)
    yield from _overrides(workbook, overrides, rows)
    yield from _statuses(round_, rows)
    yield from _parts(funded, rows)
    yield from _awards(plan, funded)
    yield from _sources(round_, plan, payments)
    recount = Recount(round_, funded)
    found = recount.rulings()
    yield from _rules(plan, found)
    accepted = frozenset(one.project.project for one in funded if not one.project.is_block_grant)
    for link in round_.links:
        if link.kind != "synergy":
            inside = ", ".join(project for project in link.projects if project in accepted) or "none"
            holds = link_is_kept(link, accepted)
            yield Check(f"link {link.link}", holds, f"accepted: {inside}", f"{link.kind} {', '.join(link.projects)}")
    yield from _objective(round_, plan, recount, found)


def _equal(name: str, found: object, expected: object, places: Iterable[Place] = ()) -> Check:
    return Check(name, found == expected, _text(found), _text(expected), tuple(places))


def _text(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Fraction):
        value = stated(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _identity(round_: Round, plan: Plan) -> Iterator[Check]:
    yield _equal("round", plan.manifest.get("round_digest"), round_digest(round_))
    yield _equal("digest of the payments", plan.manifest.get("plan_digest"), plan_digest(plan.payments))
    files = plan.manifest.get("files")
    for entry in files.values() if isinstance(files, dict) else ():
        yield _equal(f"file {entry['name']}", plan.files.get(entry["name"]), entry["sha256"])


def _year(round_: Round, year: int | None) -> int | None:
    """Return a year of the plan as the round counts it: a one-year plan names none."""
    return round_.first_year if year is None and round_.years == 1 else year


def _known_payments(round_: Round, plan: Plan, checks: list[Check]) -> list[Payment]:
    """Return the payment rows that speak of things the round has; a failing check for each of the others."""
    projects = {project.project: project for project in round_.projects}
    options = {(option.project, option.option) for option in round_.options}
    belt_of = {region.region: region.belt for region in round_.regions}
    payers = {(source.source, source.year): _Payer(source, belt_of) for source in round_.sources}
    starts = _Starts(round_)
    seen: set[tuple[object, ...]] = set()
    known = []
    for stated_row in plan.payments:
        row = _dated(round_, stated_row)
        project = projects.get(row.project)
        payer = payers.get((row.source, row.year))
        why = None
        if project is None:
            why = ("an unknown project", "a project of the round")
        elif row.option is not None and (row.project, row.option) not in options:
            why = (f"option {row.option}", "an option of the project")
        elif row.start not in starts.of(project):
            why = (f"start {_text(row.start)}", "a start of the project's window that ends within the round")
        elif all(row.region != region for region, _ in project.regions):
            why = (f"region {row.region}", "a region of the project")
        elif payer is None:
            why = (f"source {row.source} in {_text(row.year)}", "a source of the round in that year")
        elif not payer.may_pay(project, row.region):
            why = (f"source {row.source}", "a source that may pay for it")
        elif row.amount <= 0:
            why = (_text(row.amount), "an amount above 0")
        key = (row.project, row.region, row.year, row.source)
        if why is None and key in seen:
            why = ("the same payment twice", "one row")
        seen.add(key)
        if why is None:
            known.append(row)
        else:
            name = f"payment {row.project} {row.region} {row.source}" + ("" if row.year is None else f" {row.year}")
            checks.append(Check(name, False, *why, _places([row])))
    checks.append(_equal("payments that can be followed", len(known), len(plan.payments)))
    return known


def _dated(round_: Round, row: Payment) -> Payment:
    """Return a payment with the years that go without saying in a one-year round."""
    year, start = _year(round_, row.year), _year(round_, row.start)
    if year == row.year and start == row.start:
        return row
    return Payment(row.project, row.option, start, row.region, year, row.source, row.amount, row.origin)


class _Payer:
    """A source: which projects it may pay for, found once for all that its filter cannot tell apart."""

    def __init__(self, source: Source, belt_of: Mapping[str, str]) -> None:
        self._filter = source.filter
        self._belt_of = belt_of
        self._found: dict[tuple[object, ...], bool] = {}

    def may_pay(self, project: Project, region: str) -> bool:
        """Return whether the source's filters let it pay for a project in a region."""
        if not self._filter.by:
            return True
        key = (project.sector, project.category, project.institution, project.tags, region)
        if key not in self._found:
            self._found[key] = passes(self._filter, project, region, self._belt_of[region], None)
        return self._found[key]


class _Starts:
    """The possible starts of projects, found once for all of the same window and length."""

    def __init__(self, round_: Round) -> None:
        self._round = round_
        self._found: dict[tuple[int | None, int | None, int], tuple[int | None, ...]] = {}

    def of(self, project: Project) -> tuple[int | None, ...]:
        key = (project.start_from, project.start_to, len(project.profile))
        if key not in self._found:
            self._found[key] = possible_starts(project, self._round)
        return self._found[key]


def _places(rows: Iterable[Payment]) -> tuple[Place, ...]:
    return tuple(row.origin.place("amount") for row in rows)


def _sum(values: Iterable[Decimal]) -> Decimal:
    return reduce(EXACT.add, values, Decimal(0))


def _funded(round_: Round, rows: Mapping[str, Sequence[Payment]]) -> list[Funded]:
    """Return the funded projects with the sums of their rows."""
    projects = {project.project: project for project in round_.projects}
    options: dict[tuple[str, str | None], Option] = {(row.project, row.option): row for row in round_.options}
    return [
        Funded(
            projects[name],
            options.get((name, own[0].option)),
            own[0].start,
            _sum(row.amount for row in own),
        )
        for name, own in rows.items()
    ]


def _amounts(round_: Round, funded: Sequence[Funded], rows: Mapping[str, Sequence[Payment]]) -> Iterator[Check]:
    """Check that each project has one option and start, and an award of whole steps within its limits."""
    multiple = f"a multiple of {_text(stated(round_.step))}"
    for one in funded:
        name, award = one.project.project, one.award
        own = rows[name]
        ways = {(row.option, row.start) for row in own}
        if len(ways) > 1:
            yield Check(f"project {name}", False, f"{len(ways)} options or starts", "one", _places(own))
        found = _amount_text(award)
        whole = not EXACT.remainder(award, round_.step)
        yield Check(f"steps of {name}", whole, found, multiple, () if whole else _places(own))
        inside = one.min_award <= award <= one.max_award
        limits = f"from {_amount_text(one.min_award)} to {_amount_text(one.max_award)}"
        yield Check(f"award of {name}", inside, found, limits, () if inside else _places(own))


@lru_cache(maxsize=100_000)
def _amount_text(value: Decimal) -> str:
    return _text(stated(value))


def _overrides(workbook: Round, overrides: Sequence[Override], names: Container[str]) -> Iterator[Check]:
    """Check that the plan keeps its own overrides, each by name."""
    known = {project.project for project in workbook.projects}
    for one in overrides:
        name = f"override: {one.kind} {one.project}"
        if one.project not in known:
            yield Check(name, False, "an unknown project", "a project of the round")
        else:
            expected = "funded" if one.kind == "force" else "not funded"
            yield _equal(name, "funded" if one.project in names else "not funded", expected)


def _cost_of_overrides(plan: Plan, without: Without) -> Iterator[Check]:
    """Check that what the overrides are said to cost is the distance to the plan without them."""
    other = without.objective
    distance = None if other is None else stated(Fraction(other) - Fraction(plan.objective))
    if without.cost.found is not None or distance is not None:
        yield _equal("cost of the overrides", without.cost.found, distance)


def _statuses(round_: Round, names: Container[str]) -> Iterator[Check]:
    for project in round_.projects:
        if project.status == "mandatory":
            yield _equal(f"mandatory {project.project}", project.project in names, True)
        elif project.status == "excluded":
            yield _equal(f"excluded {project.project}", project.project in names, False)


def _parts(funded: Sequence[Funded], rows: Mapping[str, Sequence[Payment]]) -> Iterator[Check]:
    """Check that each region and year of a project gets its share of the award, to the last digit."""
    zero = Decimal(0)
    for one in funded:
        due: dict[tuple[str, int | None], Decimal] = {}
        for region, share in one.project.regions:
            of_region = EXACT.multiply(one.award, share)
            for year, part in one.years():
                due[region, year] = EXACT.multiply(of_region, part)
        paid: dict[tuple[str, int | None], Decimal] = {}
        own = rows[one.project.project]
        for row in own:
            key = (row.region, row.year)
            paid[key] = EXACT.add(paid[key], row.amount) if key in paid else row.amount
        name = f"shares of {one.project.project}"
        if paid == due:
            yield Check(name, True, "as due", "as due")
            continue
        wrong = [key for key in sorted({*due, *paid}, key=str) if paid.get(key, zero) != due.get(key, zero)]
        if not wrong:  # nothing is due and nothing is paid
            yield Check(name, True, "as due", "as due")
        for key in wrong:
            where = f"{key[0]} {'' if key[1] is None else key[1]}".strip()
            found, expected = stated(paid.get(key, zero)), stated(due.get(key, zero))
            places = _places(row for row in own if (row.region, row.year) == key)
            yield Check(name, False, f"{where}: {_text(found)}", _text(expected), places)


def _awards(plan: Plan, funded: Sequence[Funded]) -> Iterator[Check]:
    listed = {award.project: award.award for award in plan.awards}
    summed = {one.project.project: one.award for one in funded}
    yield _equal("awards listed", len(listed), len(summed))
    for name in sorted(name for name in {*listed, *summed} if listed.get(name) != summed.get(name)):
        expected = stated(summed[name]) if name in summed else None
        if listed.get(name) != expected:
            yield _equal(f"award listed for {name}", listed.get(name), expected)


def _sources(round_: Round, plan: Plan, payments: Sequence[Payment]) -> Iterator[Check]:
    spent_by: dict[tuple[str, int | None], Decimal] = {}
    for row in payments:
        paid_from = (row.source, row.year)
        spent_by[paid_from] = EXACT.add(spent_by.get(paid_from, Decimal(0)), row.amount)
    used = {key: Fraction(amount) for key, amount in spent_by.items()}
    lines: dict[tuple[str, int | None], SourceLine] = {}
    for line in plan.sources:
        lines[line.source, _year(round_, line.year)] = line
    yield _equal("sources listed", len(plan.sources), len(round_.sources))
    carried: dict[tuple[str, int | None], Fraction] = {}
    for source in sorted(round_.sources, key=lambda row: row.year or 0):
        key = (source.source, source.year)
        name = source.source if round_.years == 1 else f"{source.source}@{source.year}"
        stated_line = lines.get(key)
        if stated_line is None:
            yield Check(f"source {name}", False, "no row", "a row")
            continue
        places = (stated_line.origin.place("used"),)
        spent = used.get(key, ZERO)
        yield _equal(f"amount of {name}", stated_line.amount, source.amount, places)
        yield _equal(f"used of {name}", stated_line.used, stated(spent), places)
        received = carried.get(key, ZERO)
        yield from _carrying(round_, source, stated_line, spent, received, name, places)
        moved = Fraction(stated_line.carried or 0)
        if source.year is not None:
            carried[source.source, source.year + 1] = moved
            if moved and (source.source, source.year + 1) not in lines:
                yield Check(f"carried of {name}", False, _text(moved), "nothing: there is no such source next year")


def _carrying(
    round_: Round,
    source: Source,
    line: SourceLine,
    spent: Fraction,
    received: Fraction,
    name: str,
    places: tuple[Place, ...],
) -> Iterator[Check]:
    amount = Fraction(source.amount)
    moved = Fraction(line.carried or 0)
    last = source.year == round_.year_numbers[-1]
    if last:
        yield _equal(f"carried of {name}", line.carried, None, places)
    most = Fraction(source.carry_over) * (amount + received - spent)
    if not last:
        limit = f"at most {_text(most)}"
        yield Check(f"carried of {name}", 0 <= moved <= most or moved == 0, _text(moved), limit, places)
    available = amount + received
    yield Check(
        f"source {name}", spent + moved <= available, _text(spent + moved), f"at most {_text(available)}", places
    )
    least = Fraction(source.least) * amount
    yield Check(f"least of {name}", spent >= least, _text(spent), f"at least {_text(least)}", places)


def _rules(plan: Plan, found: Sequence[Ruling]) -> Iterator[Check]:
    lines = {(line.rule, line.member): line for line in plan.rules}
    yield _equal("rules listed", len(plan.rules), len(found))
    for one in found:
        name = f"rule {one.rule.rule}" + ("" if one.member is None else f" [{one.member}]")
        line = lines.get((one.rule.rule, one.member))
        places = () if line is None else (line.origin.place("activity"),)
        if one.rule.penalty is None:
            bound = f"{one.rule.sense} {_text(one.bound)}"
            yield Check(name, one.violation == 0, _text(one.activity), bound, places)
        if line is None:
            yield Check(f"{name} listed", False, "no row", "a row")
            continue
        stated_figures = (line.activity, line.bound, line.slack, line.violation)
        figures = tuple(stated(value) for value in (one.activity, one.bound, one.slack, one.violation))
        words = ("activity", "bound", "slack", "violation")
        wrong = [(w, a, b) for w, a, b in zip(words, stated_figures, figures, strict=True) if a != b]
        if not wrong:
            yield Check(f"{name} listed", True, "as added up", "as added up", places)
        for word, is_, should in wrong:
            yield _equal(f"{name} listed: {word}", is_, should, places)


def _objective(round_: Round, plan: Plan, recount: Recount, found: Sequence[Ruling]) -> Iterator[Check]:
    values = {row.criterion: recount.criterion(row) for row in round_.criteria}
    for name, value in values.items():
        yield _equal(f"criterion {name}", plan.criteria.get(name), stated(value))
    penalties = sum((Fraction(one.rule.penalty) * one.violation for one in found if one.rule.penalty is not None), ZERO)
    level = first_level(round_)
    value = sum((factor * values[row.criterion] for row, factor in level), ZERO) - penalties
    if round_.method == "lexicographic":
        # Stated is the first priority's optimum; later priorities may have given up the tolerance.
        tolerance = min(Fraction(row.tolerance) for row, _ in level)
        least = Fraction(plan.objective) - tolerance * abs(Fraction(plan.objective))
        rounding = abs(Fraction(plan.objective)) / 10**14
        yield Check("objective", value >= least - rounding, _text(value), f"at least {_text(least)}")
    else:
        yield _equal("objective", plan.objective, stated(value))
    yield from _proof(plan)


def _proof(plan: Plan) -> Iterator[Check]:
    if plan.bound is None or plan.gap is None:
        yield _equal("status", plan.status, "feasible")
        return
    holds = plan.bound >= plan.objective
    yield Check("bound", holds, _text(plan.bound), f"at least {_text(plan.objective)}")
    distance = Fraction(plan.bound) - Fraction(plan.objective)
    gap = distance / abs(Fraction(plan.objective)) if plan.objective else distance
    close = abs(Fraction(plan.gap) - gap) <= Fraction(1, 10**12)  # the stated figures are rounded to 15 digits
    yield Check("gap", close, _text(plan.gap), _text(gap))
    options = plan.manifest.get("options")
    asked = options.get("gap") if isinstance(options, dict) else None
    if isinstance(asked, int | float) and plan.status == "optimal":
        yield Check(
            "status", float(plan.gap) <= float(asked), f"optimal at a gap of {_text(plan.gap)}", f"at most {asked}"
        )
