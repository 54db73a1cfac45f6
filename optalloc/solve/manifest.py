"""What a manifest says of a search, plan or no plan: inputs, versions, options, what each bound rests on.

JSON values only; the same of a plan and of a search that ended without one, so that a bound can always be checked.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from importlib.metadata import version

import pyomo.version

import optalloc
from integrated_fund.criteria import Level
from integrated_fund.digest import round_digest
from integrated_fund.fund import Fund
from integrated_fund.round import Round
from optalloc.plan.plan import SCHEMA_VERSION, stated, stated_above
from optalloc.solve.arrays import Arrays
from optalloc.solve.certificate import Certificate
from optalloc.solve.progress import Watch
from optalloc.solve.record import Found
from optalloc.solve.search import Method
from optalloc.solve.solvers.highs import SEED, THREADS

#: What stopped a search that nobody stopped.
WORK_LIMIT = "work limit"


@dataclass(frozen=True)
class Inputs:
    """Where a round came from, for the manifest: file hashes and `--set` changes."""

    sha256: str | None = None
    sets: tuple[str, ...] = ()
    projects_file: tuple[str, str] | None = None


@dataclass(frozen=True)
class Request:
    """What is asked of a search: the relative gap to prove (None: the round's own), the way to use HiGHS (`search`),
    another solver in its place (None: HiGHS), and where the round came from.
    """

    gap: Decimal | None = None
    method: Method = "auto"
    solver: str | None = None
    inputs: Inputs = Inputs()

    def gap_for(self, round_: Round) -> Decimal:
        """Return the gap to prove."""
        return round_.gap if self.gap is None else self.gap


#: Nothing but what the round asks itself.
NOTHING_ELSE = Request()


def search_facts(
    fund: Fund,
    arrays: Arrays,
    request: Request,
    watch: Watch,
    founds: Sequence[Found],
    levels: Sequence[dict[str, object]],
    stopped: str | None,
) -> dict[str, object]:
    """Return everything that can be said of a search; `levels` as `level_facts` has them, one for each of `founds`."""
    certificate, inputs = founds[0].certificate, request.inputs
    return {
        "schema_version": SCHEMA_VERSION,
        "optalloc": optalloc.__version__,
        "python": platform.python_version(),
        "pyomo": pyomo.version.version,
        "solver": f"HiGHS {version('highspy')}" if request.solver is None else request.solver,
        "round": fund.round.title,
        "round_digest": round_digest(fund.round),
        "round_sha256": inputs.sha256,
        "projects_file": None
        if inputs.projects_file is None
        else dict(zip(("name", "sha256"), inputs.projects_file, strict=True)),
        "sets": list(inputs.sets),
        "overrides": [],  # `overriding` puts these two in, with who, why and at what cost
        "without_overrides": None,
        "options": {
            "gap": float(request.gap_for(fund.round)),
            "time_limit": watch.time_limit,
            "method": request.method,
            "threads": THREADS,
            "seed": SEED,
        },
        "method": fund.round.method,
        "stopped": stopped,
        "overrun": watch.overrun,
        "nodes": sum(found.nodes for found in founds),
        "levels": list(levels),
        "certificate": None if certificate is None else stated_certificate(fund, certificate),
        "size": {
            "projects": len(fund.ledger.projects),
            "choices": len(fund.ledger.choices),
            "rows": arrays.matrix.shape[0],
            "columns": arrays.matrix.shape[1],
            "nonzeros": int(arrays.matrix.nnz),
        },
    }


def level_facts(
    found: Found,
    level: Level,
    *,
    bound: Decimal | None,
    optimum: Fraction | None = None,
    gap: Fraction | None = None,
    value: Fraction | None = None,
) -> dict[str, object]:
    """Return what is known of one level: null where there is no plan, or where a search stopped early has no bound."""
    return {
        "priority": level.priority,
        "optimum": None if optimum is None else float(stated(optimum)),
        "bound": None if bound is None else float(bound),
        "gap": None if gap is None else float(stated(gap)),
        "value": None if value is None else float(stated(value)),
        "way": found.way,
        "bound_by": found.bound_by,
        "decided_by_prices": found.fixed,
    }


def stated_certificate(fund: Fund, certificate: Certificate) -> dict[str, object]:
    """Return published prices and the bound that follows from them, as texts: they are exact decimals.

    `rules` and `sources` are for reading, by label; `rule_prices` and `source_prices` name each row in full.
    """
    limits = fund.appraisal.limits.rows
    names = {row.name: row.label for row in limits}
    return {
        "bound": str(stated_above(certificate.bound)),
        "rules": {names[name]: str(price) for name, price in certificate.rules.items() if price},
        "sources": {
            fund.classes.label(f): [str(price.amount), str(price.carry), str(price.least)]
            for f, price in enumerate(certificate.sources)
        },
        "rule_prices": [
            {"rule": row.rule.rule, "member": row.member, "price": str(certificate.rules[row.name])} for row in limits
        ],
        "source_prices": [
            {
                "source": row.source,
                "year": row.year,
                "amount": str(price.amount),
                "carry": str(price.carry),
                "least": str(price.least),
            }
            for row, price in zip(fund.classes.sources, certificate.sources, strict=True)
        ],
    }
