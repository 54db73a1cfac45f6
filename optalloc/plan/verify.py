"""Verification: a plan held against its round, line by line, in exact arithmetic.

Reads the rule texts a second time (`lines`, `rulings`) and adds up the plan's own rows. It knows the round alone: no
ledger, no model, no solver. What a plan states (activities, sums, digests) is recomputed, and what it decides is
checked against every rule, so a plan in which somebody has recomputed every sum after breaking a rule fails too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from integrated_fund.digest import round_digest
from integrated_fund.round import Option, Place, Round, Source
from optalloc.plan.digest import plan_digest
from optalloc.plan.lines import ZERO, Funded, Geography, may_pay
from optalloc.plan.plan import Payment, Plan, SourceLine, stated
from optalloc.plan.rulings import (
    Ruling,
    criterion_value,
    link_is_kept,
    possible_starts,
    rulings,
)


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, whether it holds, what was found and expected, and the plan's rows it is about."""

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
    """Check a plan against its round. The round has no errors; the plan may hold anything."""
    checks = [*_identity(round_, plan)]
    payments = _known_payments(round_, plan, checks)
    funded = _funded(round_, payments, checks)
    checks += _statuses(round_, funded)
    checks += _parts(funded, payments)
    checks += _awards(plan, funded)
    checks += _sources(round_, plan, payments)
    found = rulings(round_, funded)
    checks += _rules(plan, found)
    accepted = frozenset(one.project.project for one in funded if not one.project.is_block_grant)
    for link in round_.links:
        if link.kind != "synergy":
            inside = ", ".join(project for project in link.projects if project in accepted) or "none"
            holds = link_is_kept(link, accepted)
            checks.append(
                Check(f"link {link.link}", holds, f"accepted: {inside}", f"{link.kind} {', '.join(link.projects)}")
            )
    checks += _objective(round_, plan, funded, found)
    return Verification(tuple(checks))


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
    sources = {(source.source, source.year): source for source in round_.sources}
    geography = Geography(round_)
    seen: set[tuple[object, ...]] = set()
    known = []
    for row in plan.payments:
        row = replace(row, year=_year(round_, row.year), start=_year(round_, row.start))
        name = f"payment {row.project} {row.region} {row.source}" + ("" if row.year is None else f" {row.year}")
        places = (row.origin.place("amount"),)
        project = projects.get(row.project)
        source = sources.get((row.source, row.year))
        why = None
        if project is None:
            why = ("an unknown project", "a project of the round")
        elif row.option is not None and (row.project, row.option) not in options:
            why = (f"option {row.option}", "an option of the project")
        elif row.start not in possible_starts(project, round_):
            why = (f"start {_text(row.start)}", "a start of the project's window that ends within the round")
        elif row.region not in [region for region, _ in project.regions]:
            why = (f"region {row.region}", "a region of the project")
        elif source is None:
            why = (f"source {row.source} in {_text(row.year)}", "a source of the round in that year")
        elif not may_pay(source, project, row.region, geography.belt[row.region]):
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
            checks.append(Check(name, False, why[0], why[1], places))
    checks.append(_equal("payments that can be followed", len(known), len(plan.payments)))
    return known


def _funded(round_: Round, payments: Sequence[Payment], checks: list[Check]) -> list[Funded]:
    """Return the funded projects with the sums of their rows."""
    projects = {project.project: project for project in round_.projects}
    options: dict[tuple[str, str | None], Option] = {(row.project, row.option): row for row in round_.options}
    rows: dict[str, list[Payment]] = {}
    for row in payments:
        rows.setdefault(row.project, []).append(row)
    step = Fraction(round_.step)
    funded = []
    for name, own in rows.items():
        places = tuple(row.origin.place("amount") for row in own)
        ways = {(row.option, row.start) for row in own}
        if len(ways) > 1:
            checks.append(Check(f"project {name}", False, f"{len(ways)} options or starts", "one", places))
        one = Funded(
            projects[name],
            options.get((name, own[0].option)),
            own[0].start,
            sum((Fraction(row.amount) for row in own), ZERO),
        )
        funded.append(one)
        whole = (one.award / step).denominator == 1
        checks.append(Check(f"steps of {name}", whole, _text(one.award), f"a multiple of {_text(round_.step)}", places))
        inside = one.min_award <= one.award <= one.max_award
        limits = f"from {_text(one.min_award)} to {_text(one.max_award)}"
        checks.append(Check(f"award of {name}", inside, _text(one.award), limits, places))
    return funded


def _statuses(round_: Round, funded: Sequence[Funded]) -> Iterator[Check]:
    names = {one.project.project for one in funded}
    for project in round_.projects:
        if project.status == "mandatory":
            yield _equal(f"mandatory {project.project}", project.project in names, True)
        elif project.status == "excluded":
            yield _equal(f"excluded {project.project}", project.project in names, False)


def _parts(funded: Sequence[Funded], payments: Sequence[Payment]) -> Iterator[Check]:
    """Check that each region and year of a project gets its share of the award, to the last digit."""
    rows_of: dict[str, list[Payment]] = {}
    for row in payments:
        rows_of.setdefault(row.project, []).append(row)
    for one in funded:
        due: dict[tuple[str, int | None], Fraction] = {}
        for region, share in one.project.regions:
            for year, part in one.years():
                due[region, year] = one.award * Fraction(share) * part
        paid: dict[tuple[str, int | None], Fraction] = {}
        places: dict[tuple[str, int | None], list[Place]] = {}
        for row in rows_of[one.project.project]:
            key = (row.region, row.year)
            paid[key] = paid.get(key, ZERO) + Fraction(row.amount)
            places.setdefault(key, []).append(row.origin.place("amount"))
        wrong = [key for key in sorted({*due, *paid}, key=str) if paid.get(key, ZERO) != due.get(key, ZERO)]
        name = f"shares of {one.project.project}"
        if not wrong:
            yield Check(name, True, "as due", "as due")
        for key in wrong:
            where = f"{key[0]} {'' if key[1] is None else key[1]}".strip()
            found, expected = paid.get(key, ZERO), due.get(key, ZERO)
            yield Check(name, False, f"{where}: {_text(found)}", _text(expected), tuple(places.get(key, ())))


def _awards(plan: Plan, funded: Sequence[Funded]) -> Iterator[Check]:
    listed = {award.project: award.award for award in plan.awards}
    summed = {one.project.project: stated(one.award) for one in funded}
    wrong = [name for name in sorted({*listed, *summed}) if listed.get(name) != summed.get(name)]
    yield _equal("awards listed", len(listed), len(summed))
    for name in wrong:
        yield _equal(f"award listed for {name}", listed.get(name), summed.get(name))


def _sources(round_: Round, plan: Plan, payments: Sequence[Payment]) -> Iterator[Check]:
    used: dict[tuple[str, int | None], Fraction] = {}
    for row in payments:
        used[row.source, row.year] = used.get((row.source, row.year), ZERO) + Fraction(row.amount)
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


def _objective(round_: Round, plan: Plan, funded: Sequence[Funded], found: Sequence[Ruling]) -> Iterator[Check]:
    values = {row.criterion: criterion_value(row, round_, funded) for row in round_.criteria}
    for name, value in values.items():
        yield _equal(f"criterion {name}", plan.criteria.get(name), stated(value))
    penalties = sum((Fraction(one.rule.penalty) * one.violation for one in found if one.rule.penalty is not None), ZERO)
    lexicographic = round_.method == "lexicographic"
    first = min((row.priority or 0 for row in round_.criteria), default=0)
    level = [row for row in round_.criteria if not lexicographic or (row.priority or 0) == first]
    value = -penalties
    for row in level:
        weight = Fraction(1) if row.weight is None else Fraction(row.weight)
        value += weight * values[row.criterion] * (1 if row.direction == "max" else -1)
    if lexicographic:
        # Stated is the first priority's optimum; later priorities may have given up the tolerance.
        tolerance = min(Fraction(row.tolerance) for row in level)
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
