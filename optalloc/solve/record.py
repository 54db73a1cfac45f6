"""What a search has found so far: the best plan of one level, the least bound, and whether they meet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from integrated_fund.evaluation import Decision
from integrated_fund.fund import Fund
from optalloc.solve.arrays import Arrays
from optalloc.solve.certificate import Certificate
from optalloc.solve.exactness import Held, Judgement, Tightening, judge
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import scale_of

#: A bound this close to the plan is the plan: relatively what doubles tell apart, and in units of a typical project's
#: value what the solver's own tolerance (1e-6) does.
RESOLUTION = 1e-9
#: Seconds to make a plan exact when the search was stopped with none, and with one.
LAST_SECONDS = 3.0
LAST_SECONDS_WITH_PLAN = 1.0
#: Awards of more steps than this are searched as any amount, and put into whole steps afterwards.
FINE = 100_000
CERTIFIED = "weak duality (exact arithmetic)"
SOLVER_RESOLUTION = 2e-6


@dataclass(frozen=True)
class Found:
    """The best plan of a level (None: none found) and a bound on all. `proven` says that none is better.

    `way` is how it was searched for, `bound_by` what proves the bound; `certificate` the printed prices where that is
    weak duality in exact arithmetic.
    """

    judgement: Judgement | None
    bound: Fraction | None
    proven: bool
    infeasible: bool = False
    nodes: int = 0
    way: str = "direct"
    bound_by: str | None = None
    fixed: int | None = None
    certificate: Certificate | None = None


class Record:
    """One level's search: the programme with earlier levels held, the best plan and the least bound so far.

    Attributes:
        base: the programme with the held levels as rows.
        cost: the level's coefficients, shape (columns,).
        loose: the integer columns when awards may be any amount; None where no award varies.
        fine: whether awards have more steps than a solver can tell apart beside acceptances.
        work: nodes × non-zeros at which branching over the whole programme ends; None: where a round's own search does.
    """

    def __init__(
        self,
        fund: Fund,
        arrays: Arrays,
        level: int,
        held: tuple[Held, ...],
        gap: float,
        watch: Watch,
        work: int | None = None,
    ) -> None:
        self.fund, self.arrays, self.level, self.held = fund, arrays, level, held
        self.gap, self.watch, self.work = gap, watch, work
        self.cost = arrays.levels[level]
        self.base = Tightening(fund).apply(arrays, held)
        self.granule = granule_of(fund, level)
        accepting = np.zeros(len(arrays.integer), dtype=np.bool_)
        accepting[arrays.accept[arrays.accept >= 0]] = True
        self.loose = accepting if (arrays.extra >= 0).any() else None
        extra = arrays.extra[arrays.extra >= 0]
        self.fine = bool((arrays.column_upper[extra] > FINE).any())
        self.best: Judgement | None = None
        self._last: Watch | None = None
        self.bound = float("inf")
        self.bound_by: str | None = None
        self.nodes = 0
        self.way = "direct"
        self.fixed: int | None = None
        self.certificate: Certificate | None = None

    def finishing(self) -> Watch:
        """Return the watch of what makes a plan exact: the search's own, once that has stopped a last short one.

        The short one is the same for all that ask, so the search ends when it said it would.
        """
        if not self.watch.must_stop():
            return self.watch
        if self._last is None:
            self._last = Watch(LAST_SECONDS if self.best is None else LAST_SECONDS_WITH_PLAN)
        return self._last

    def consider(self, judgement: Judgement) -> bool:
        """Keep a plan if it is the best so far; return whether it is a plan."""
        if not judgement.is_plan:
            return False
        if self.best is None or judgement.evaluation.levels[self.level] > self.best.evaluation.levels[self.level]:
            self.best = judgement
            self.watch.tell(self.value, self.bound)
        return True

    def judged(self, decision: Decision) -> Judgement:
        """Return what a decision is worth, held levels included."""
        return judge(self.fund, decision, self.held)

    @property
    def value(self) -> float | None:
        """The best plan's value of this level."""
        return None if self.best is None else float(self.best.evaluation.levels[self.level])

    def bounded(self, bound: float, by: str) -> None:
        """Note a bound on every plan, and what it comes from."""
        if bound < self.bound:
            self.bound, self.bound_by = bound, by
            self.watch.tell(self.value, self.bound)

    def certify(self, certificate: Certificate) -> None:
        """Note a bound that is a theorem."""
        self.certificate = certificate
        self.bounded(float(certificate.bound), CERTIFIED)

    def exact_bound(self) -> Fraction | None:
        """Return the bound, lowered to the next value a plan can have, and to the plan's own where they are one."""
        if not np.isfinite(self.bound):
            return None
        slack = max(RESOLUTION * abs(self.bound), SOLVER_RESOLUTION / scale_of(self.cost))
        certified = self.certificate is not None and self.bound_by == CERTIFIED
        bound = self.certificate.bound if self.certificate is not None and certified else Fraction(self.bound)
        value = None if self.best is None else self.best.evaluation.levels[self.level]
        if value is not None and bound - value <= slack:
            return value
        if self.granule is not None and self.granule > 2 * slack:
            bound = (bound + Fraction(slack)) // self.granule * self.granule
        return bound if value is None else max(bound, value)

    @property
    def proven(self) -> bool:
        """Whether no plan is better than the best."""
        return self.best is not None and self.exact_bound() == self.best.evaluation.levels[self.level]

    @property
    def closed(self) -> bool:
        """Whether the asked gap is closed."""
        bound = self.exact_bound()
        if self.best is None or bound is None:
            return False
        value = self.best.evaluation.levels[self.level]
        return bound - value <= Fraction(self.gap) * abs(value)

    def target(self) -> float:
        """Return the value at which a plan closes the asked gap, half of it left for what is still to be made exact."""
        return self.bound - self.gap / 2 * abs(self.bound)

    def found(self, *, infeasible: bool = False) -> Found:
        """Return how the search ends."""
        return Found(
            self.best,
            self.exact_bound(),
            self.proven,
            infeasible,
            self.nodes,
            self.way,
            self.bound_by,
            self.fixed,
            self.certificate,
        )


def granule_of(fund: Fund, level: int) -> Fraction | None:
    """Return a value that every plan's level is a whole multiple of; None where violations make it any number."""
    if level == 0 and any(rule.penalty for rule in fund.round.rules):
        return None
    terms: set[Fraction] = set()
    for k in fund.appraisal.levels[level].gains:
        gain = fund.appraisal.gains[k]
        terms.update(gain.factor * value for value in gain.constant.distinct())
        terms.update(gain.factor * value for value in gain.slope.distinct())
        if gain.synergies:
            if fund.round.discount:
                return None
            terms.update(gain.factor * Fraction(link.value or 0) for link in gain.synergies)
    return _common_divisor(term for term in terms if term)


def _common_divisor(terms: Iterable[Fraction]) -> Fraction | None:
    numerator, denominator = 0, 1
    for term in terms:
        denominator_now = lcm(denominator, term.denominator)
        numerator = gcd(
            numerator * (denominator_now // denominator), term.numerator * (denominator_now // term.denominator)
        )
        denominator = denominator_now
        if denominator > 10**9:
            return None
    return Fraction(numerator, denominator) if numerator else None
