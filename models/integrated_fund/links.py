r"""Links between projects. a[p] = Σ_{j of p} accept[j] is 1 if p is accepted.

    requires      a[first] <= a[p]                for each other p
    excludes      Σ a <= 1
    all_or_none   a[p] = a[first]                 for each other p
    at_least      Σ a >= k
    at_most       Σ a <= k
    synergy       z[s] <= a[p started by s],  z[s] >= Σ_p a[p started by s] - n + 1,  0 <= z[s] <= 1

A synergy counts from the last start among its members, so z[s] says whether all of them started by year s, and the
discounted value is Σ_s (discount[s] - discount[s+1]) · z[s] with discount[last+1] = 0. Both sides of z are written:
which of them binds depends on the signs of the value and of the weight. Without a discount one z is enough.
"""

from __future__ import annotations

from fractions import Fraction

import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression

from integrated_fund.awards import Awards
from integrated_fund.criteria import discount_factors, synergies_of
from integrated_fund.ledger import Ledger
from integrated_fund.names import distinct_names
from integrated_fund.round import Link


def add_links(model: pyo.ConcreteModel, ledger: Ledger, awards: Awards) -> dict[str, LinearExpression]:
    """Add the links; return the value of each synergy by name, in its criterion's unit."""
    links = sorted(ledger.round.links, key=lambda link: link.link)
    names = distinct_names(link.link for link in links)
    model.link = pyo.Constraint(pyo.Any)
    for link, name in zip(links, names, strict=True):
        accepted = [awards.accepted(project) for project in link.projects]
        first, others = accepted[0], list(enumerate(accepted))[1:]
        if link.kind == "requires":
            for number, other in others:
                model.link[f"{name}_{number}"] = first - other <= 0
        elif link.kind == "all_or_none":
            for number, other in others:
                model.link[f"{name}_{number}"] = first - other == 0
        elif link.kind in ("excludes", "at_most"):
            model.link[name] = sum(accepted) <= (1 if link.k is None else link.k)
        elif link.kind == "at_least":
            assert link.k is not None
            model.link[name] = sum(accepted) >= link.k
    return _add_synergies(model, ledger, awards)


def _add_synergies(model: pyo.ConcreteModel, ledger: Ledger, awards: Awards) -> dict[str, LinearExpression]:
    synergies = synergies_of(ledger)
    names = distinct_names(link.link for link in synergies)
    years = {link.link: _years_that_tell(link, ledger) for link in synergies}
    model.together = pyo.Var(
        [(name, s) for link, name in zip(synergies, names, strict=True) for s in years[link.link]], bounds=(0, 1)
    )
    model.together_only_if = pyo.Constraint(pyo.Any)
    model.together_if = pyo.Constraint(pyo.Any)
    factors = discount_factors(ledger)
    values = {}
    for link, name in zip(synergies, names, strict=True):
        assert link.value is not None
        weights, variables = [], []
        for s, later in zip(years[link.link], [*years[link.link][1:], None], strict=True):
            z = model.together[name, s]
            started = [
                awards.accepted_by([j for j in ledger.choices_of[p] if _start_code(j, ledger) <= s])
                for p in link.projects
            ]
            for number, member in enumerate(started):
                model.together_only_if[name, s, number] = z - member <= 0
            model.together_if[name, s] = z - sum(started) >= 1 - len(started)
            weights.append(float(Fraction(link.value) * (factors[s] - (0 if later is None else factors[later]))))
            variables.append(z)
        values[link.link] = LinearExpression(constant=0, linear_coefs=weights, linear_vars=variables)
    return values


def _start_code(choice: int, ledger: Ledger) -> int:
    start, first = ledger.choices[choice].start, ledger.round.first_year
    return 0 if start is None or first is None else start - first


def _years_that_tell(link: Link, ledger: Ledger) -> list[int]:
    """Return the years by which a member can have started, as far as the discount tells them apart."""
    starts = sorted({_start_code(j, ledger) for project in link.projects for j in ledger.choices_of[project]})
    return starts if ledger.round.discount else starts[-1:]
