r"""The certificate recomputed: a bound on every plan, from published prices and the round's texts alone, exactly.

    carry-over       carry[f] = max(carry[f], amount[f'] + rate[f'] · carry[f'] - amount[f]), f' the next year's row of
                     the source, from the last year back; 0 where there is none
    money            cost[f]  = amount[f] + rate[f] · carry[f] + least[f]
    an award         worth    = Σ criteria: weight · value - Σ lines: price · amount                       (`decisions`)

    bound = Σ sources amount of money · (amount[f] + rate[f] · carry[f] + least share · least[f])
            + Σ rules price · constant
            + Σ groups max { Σ chosen: worth, synergies included }                                           (`groups`)

No plan can be worth more, whatever the prices, as long as their signs are right: >= 0 for <=, <= 0 for >=, those of a
soft rule within its penalty, amount and carry-over >= 0, least <= 0 (weak duality: A. M. Geoffrion, Lagrangean
relaxation for integer programming, Mathematical Programming Study 2, 1974). `docs/certificate.md` has the proof and an
example. The bound is in units of the first level of the objective. No solver, no ledger and no model is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from integrated_fund.collector import collector_paused
from integrated_fund.round import Round, Rule, Source
from optalloc.plan.decisions import decisions_of
from optalloc.plan.groups import NothingPossible, best_worths
from optalloc.plan.lines import ZERO, Candidates
from optalloc.plan.members import Member, Members
from optalloc.plan.overrides import BadRecord, overridden, records_of
from optalloc.plan.plan import Plan, stated, stated_above
from optalloc.plan.published import NotStated, Published, SourcePrices, published_of
from optalloc.plan.verify import Check, Verification

#: How far a stated bound may lie above what its prices add up to, as a share of everything that is added up.
ROUNDING = Fraction(1, 10**6)

RulePrices = Mapping[tuple[str, str | None], Decimal]
PricesOfSources = Mapping[tuple[str, int | None], SourcePrices]


@dataclass(frozen=True, slots=True)
class Bound:
    """What prices add up to, and the sum of the sizes of everything added up, both in objective units."""

    value: Fraction
    size: Fraction


@dataclass(frozen=True)
class CertificateCheck:
    """The checks of a certificate, the bound recomputed, and how far the plan is below it.

    Both are in units of the first level of the objective, None where the prices prove no bound.
    """

    verification: Verification
    bound: Decimal | None = None
    distance: Decimal | None = None


def states_certificate(plan: Plan) -> bool:
    """Return whether a plan's manifest states a certificate."""
    return plan.manifest.get("certificate") is not None


def verify_certificate(round_: Round, plan: Plan) -> CertificateCheck:
    """Check the certificate that a plan states, of the round with the overrides that the plan has on record.

    The round has no errors; the plan may hold anything.
    """
    with collector_paused():
        round_ = _as_decided(round_, plan)
        try:
            published = published_of(plan.manifest)
        except NotStated as trouble:
            unreadable = Check("certificate", False, str(trouble), "prices and a bound as exact decimals")
            return CertificateCheck(Verification((unreadable,)))
        if published is None:
            return CertificateCheck(Verification((Check("certificate", False, "none", "one"),)))
        checks = list(_check_prices(round_, published))
        if not all(check.holds for check in checks):
            return CertificateCheck(Verification(tuple(checks)))
        try:
            bound = bound_of(round_, published.rules, published.sources)
        except NothingPossible as nobody:
            checks.append(Check("certificate decisions", False, f"none that {nobody} can have", "one of each project"))
            return CertificateCheck(Verification(tuple(checks)))
        most = stated_above(bound.value)  # the plan's figure is rounded too
        distance = stated(Fraction(most) - Fraction(plan.objective))
        checks += _check_bound(published, bound)
        expected = f"at most {most:f}, which is {distance:f} more"
        checks.append(Check("certificate and plan", distance >= 0, f"{plan.objective:f}", expected))
        return CertificateCheck(Verification(tuple(checks)), most, distance)


def _as_decided(round_: Round, plan: Plan) -> Round:
    """Return the round with a plan's overrides; those that cannot be read are for `verify` to name."""
    try:
        return overridden(round_, [record.override for record in records_of(plan.manifest)])
    except BadRecord:
        return round_


def bound_of(round_: Round, rules: RulePrices, sources: PricesOfSources) -> Bound:
    """Return the bound that prices of right signs prove, for every member of every rule and every source row.

    Raises:
        NothingPossible: no plan exists, whatever the prices.
        KeyError: a price is missing.
    """
    candidates = Candidates(round_)
    members = Members(round_, candidates)
    price_of = {key: Fraction(price) for key, price in rules.items()}
    carry = _carry_prices(round_, sources)
    terms: list[Fraction] = []
    cost_of: list[tuple[Source, Fraction]] = []
    for row in round_.sources:
        own = sources[row.source, row.year]
        kept = Fraction(own.amount) + Fraction(row.carry_over) * carry[row.source, row.year]
        cost_of.append((row, kept + Fraction(own.least)))
        terms.append(Fraction(row.amount) * (kept + Fraction(row.least) * Fraction(own.least)))
    terms += [price_of[rule.rule, one.member] * one.constant for rule in round_.rules for one in members.of(rule)]
    terms += best_worths(round_, decisions_of(round_, members, candidates, price_of, cost_of))
    return Bound(sum(terms, ZERO), sum(map(abs, terms), ZERO))


def _carry_prices(round_: Round, sources: PricesOfSources) -> dict[tuple[str, int | None], Fraction]:
    """Return the prices of carry-over, raised so far that carrying is worth nothing."""
    rows = {(row.source, row.year): row for row in round_.sources}
    found: dict[tuple[str, int | None], Fraction] = {}
    for row in sorted(round_.sources, key=lambda row: row.year or 0, reverse=True):
        key = (row.source, row.year)
        following = None if row.year is None else rows.get((row.source, row.year + 1))
        if following is None:
            found[key] = ZERO
            continue
        later = (following.source, following.year)
        received = Fraction(sources[later].amount) + Fraction(following.carry_over) * found[later]
        found[key] = max(Fraction(sources[key].carry), received - Fraction(sources[key].amount))
    return found


def _check_prices(round_: Round, published: Published) -> Iterator[Check]:
    """Check that there is one price for each member of each rule and each source row, and that its sign is right."""
    members = Members(round_, Candidates(round_))
    limits = {(rule.rule, one.member): one for rule in round_.rules for one in members.of(rule)}
    rows = {(row.source, row.year): row for row in round_.sources}
    missing = [one.name for key, one in limits.items() if key not in published.rules]
    missing += [_source_name(*key) for key in rows if key not in published.sources]
    unknown = [rule if member is None else f"{rule} [{member}]" for rule, member in published.rules.keys() - limits]
    unknown += [_source_name(*key) for key in published.sources.keys() - rows]
    for name, wrong in (("missing", missing), ("unknown", unknown), ("twice", published.twice)):
        found = ", ".join(sorted(wrong)[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        yield Check(f"certificate prices {name}", not wrong, found or "none", "none")
    same = "the same as by row"
    yield Check(
        "certificate prices by label", published.labels_agree, same if published.labels_agree else "others", same
    )
    for rule_key, price in published.rules.items():
        if rule_key in limits:
            yield _check_rule_price(limits[rule_key], price)
    for source_key, prices in published.sources.items():
        if source_key in rows:
            legal = prices.amount >= 0 and prices.carry >= 0 and prices.least <= 0
            figures = f"amount {_text(prices.amount)}, carry-over {_text(prices.carry)}, least {_text(prices.least)}"
            name = f"certificate prices of {_source_name(*source_key)}"
            yield Check(name, legal, figures, "amount and carry-over at least 0, least at most 0")


def _check_rule_price(member: Member, price: Decimal) -> Check:
    least, most = _legal(member.rule)
    legal = (least is None or price >= least) and (most is None or price <= most)
    limits = [] if least is None else [f"at least {least}"]
    limits += [] if most is None else [f"at most {most}"]
    return Check(f"certificate price of {member.name}", legal, _text(price), ", ".join(limits) or "any")


def _legal(rule: Rule) -> tuple[Decimal | None, Decimal | None]:
    """Return the least and the largest price that a rule may have."""
    least = None if rule.penalty is None else -rule.penalty
    most = rule.penalty
    if rule.sense == "<=":
        least = Decimal(0)
    if rule.sense == ">=":
        most = Decimal(0)
    return least, most


def _check_bound(published: Published, bound: Bound) -> Iterator[Check]:
    """Check the stated bound against what the prices add up to: not below it, and no further above than by rounding."""
    above = Fraction(published.bound) - bound.value
    expected = f"at least {stated(bound.value):f}, as added up"
    yield Check("certificate bound", above >= 0, f"{published.bound:f}", expected)
    rounding = ROUNDING * bound.size
    found = f"{stated(above):f} above what the prices add up to"
    yield Check("certificate rounding", above <= rounding, found, f"at most {stated(rounding):f}")


def _text(price: Decimal) -> str:
    return f"{stated(price):f}"


def _source_name(source: str, year: int | None) -> str:
    return source if year is None else f"{source}@{year}"
