r"""The search for the best plan of one level of the objective, with a bound on every plan.

Small programmes go to HiGHS whole. Larger ones first meet it as a linear programme, whose optimum is the bound, and as
a core: the columns of smallest reduced cost, all others left at their value in the linear optimum (E. Balas and
E. Zemel, An algorithm for large zero-one knapsack problems, Operations Research 28, 1980). Where the core's plan is
within the gap of the bound nothing else is solved; else the whole programme is, with that plan as its start.

Every plan is exact (`exactness`), every bound comes from the programme without any tightening.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from integrated_fund.evaluation import Decision
from integrated_fund.fund import Fund
from optalloc.solve.arrays import Arrays, Vector
from optalloc.solve.exactness import Held, Judgement, Tightening, decision_of, judge, point_of
from optalloc.solve.highs import SMALL, Outcome, scale_of, solve_lp, solve_mip
from optalloc.solve.progress import Watch

#: From this number of integer columns on, the linear programme and the core come first. Up to `SMALL` the search goes
#: on to a gap of 0 for a while when the asked gap is closed.
LARGE = 3000
CORE = 1000
CORE_NODES = 3000
ACCEPTANCE_NODES = 100
#: Seconds to make a plan exact when the search was stopped with one that is not yet.
LAST_SECONDS = 3.0
PROOF_NODES = 4000
TRIES = 8
#: A bound this close to the plan is the plan: relatively what doubles tell apart, and in units of a typical project's
#: value what the solver's own tolerance (1e-6) does.
RESOLUTION = 1e-9
SOLVER_RESOLUTION = 2e-6


@dataclass(frozen=True)
class Found:
    """The best plan of a level (None: none found) and a bound on all. `proven` says that none is better."""

    judgement: Judgement | None
    bound: Fraction | None
    proven: bool
    infeasible: bool = False
    nodes: int = 0


@dataclass
class Search:
    """One level's search. `held` are the levels before it (and itself, for ties)."""

    fund: Fund
    arrays: Arrays
    level: int
    held: tuple[Held, ...]
    gap: float
    watch: Watch

    def __post_init__(self) -> None:
        self.cost = self.arrays.levels[self.level]
        self.base = Tightening(self.fund).apply(self.arrays, self.held)
        self.granule = granule_of(self.fund, self.level)
        accepting = np.zeros(len(self.arrays.integer), dtype=np.bool_)
        accepting[self.arrays.accept[self.arrays.accept >= 0]] = True
        #: The integer columns when awards may be any amount; None where no award varies.
        self.loose = accepting if (self.arrays.extra >= 0).any() else None
        self.best: Judgement | None = None
        self.bound = float("inf")
        self.nodes = 0

    def run(self, start: Decision | None = None) -> Found:
        """Search until the gap is closed or the watch says stop."""
        if start is not None:
            self._consider(judge(self.fund, start, self.held))
        integers = int(self.arrays.integer.sum())
        if integers >= LARGE:
            if self._linear_and_core():
                return self._found(infeasible=True)
            if self._closed() or self.watch.must_stop():
                return self._found()
        if integers > SMALL and self.loose is not None:
            self._continuous_awards(self.base, ACCEPTANCE_NODES)
            if self._closed() or self.watch.must_stop():
                return self._found()
        self.watch.phase = "solving"
        if self._whole(self.gap, None):
            return self._found(infeasible=True)
        if integers <= SMALL and not self._proven() and not self.watch.must_stop():
            self.watch.phase = "proving"
            self._whole(0.0, PROOF_NODES)
        return self._found()

    def adopt(self, x: Vector, bound: float) -> Found:
        """Take a point and a bound that another solver found, as if they were this search's own."""
        self._bound(bound)
        judgement = judge(self.fund, decision_of(self.fund, self.arrays, x), self.held)
        self._consider(judgement)
        if not judgement.is_plan:
            self._solve_awards_again(x)
        return self._found()

    def _linear_and_core(self) -> bool:
        """Bound by the linear programme, plan by cores; return whether the round is infeasible."""
        self.watch.phase = "linear bound"
        relaxed = solve_lp(self.base, self.cost, self.watch)
        if relaxed.status == "infeasible":
            return self._confirmed_infeasible()
        if relaxed.status != "optimal" or relaxed.x is None or relaxed.reduced_costs is None:
            return False
        self._bound(relaxed.objective)
        self.watch.tell(self._value(), self.bound)
        integer = np.flatnonzero(self.arrays.integer)
        distance = np.abs(relaxed.reduced_costs[integer])
        order = integer[np.argsort(distance, kind="stable")]
        self.watch.phase = f"core of {CORE}"
        outside = order[CORE:]
        settled = np.round(relaxed.x[outside])
        core = self.base.with_bounds(outside, settled, settled)
        if self.loose is not None:
            self._continuous_awards(core, CORE_NODES)
        else:
            self._take(self._solve(core, self.gap / 2, CORE_NODES), core, self.gap / 2, CORE_NODES)
        return False

    def _continuous_awards(self, arrays: Arrays, nodes: int) -> None:
        """Decide acceptances with awards of any amount, then whole steps with these acceptances.

        Thousands of whole-step columns are what makes a programme hard, and they hardly move its optimum. Letting them
        go is a relaxation, so the bound holds where `arrays` are the whole programme.
        """
        assert self.loose is not None
        self.watch.phase = "acceptances"
        outcome = solve_mip(replace(arrays, integer=self.loose), self.cost, self.watch, gap=self.gap / 2, nodes=nodes)
        self.nodes += outcome.nodes
        if arrays is self.base and outcome.status != "infeasible":
            self._bound(outcome.bound)
        if outcome.x is not None:
            self.watch.phase = "exact awards"
            self._solve_awards_again(outcome.x)

    def _whole(self, gap: float, nodes: int | None) -> bool:
        """Solve the whole programme; return whether it is infeasible."""
        outcome = self._solve(self.base, gap, nodes)
        if outcome.status == "infeasible":
            return self.best is None and self._confirmed_infeasible()
        self._bound(outcome.bound)
        self._take(outcome, self.base, gap, nodes)
        return False

    def _solve(self, arrays: Arrays, gap: float, nodes: int | None) -> Outcome:
        # Small programmes need no start, and one less thing can go wrong (see `solve_mip`).
        start = None
        if self.best is not None and int(self.arrays.integer.sum()) > SMALL:
            start = self._point(self.best.evaluation.decision, arrays)
        outcome = solve_mip(arrays, self.cost, self.watch, gap=gap, nodes=nodes, start=start)
        self.nodes += outcome.nodes
        return outcome

    def _take(self, outcome: Outcome, arrays: Arrays, gap: float, nodes: int | None) -> None:
        """Make an exact plan of an outcome: as it is, with its awards solved again, or from a tightened programme."""
        tightening = Tightening(self.fund)
        for _ in range(TRIES):
            if outcome.x is None:
                return
            judgement = judge(self.fund, decision_of(self.fund, self.arrays, outcome.x), self.held)
            if judgement.is_plan:
                self._consider(judgement)
                return
            self.watch.phase = "exact awards"
            tightening.learn(judgement, self.arrays)
            self._solve_awards_again(outcome.x)
            if self._closed() or self.watch.must_stop():
                return
            tightened = self._tightened(tightening, arrays)
            outcome = self._solve(tightened, gap, nodes)

    def _solve_awards_again(self, x: Vector) -> None:
        """Fix the acceptances of a point and solve its awards again, tightened until they are exact."""
        accept = self.arrays.accept[self.arrays.accept >= 0]
        if not (self.arrays.extra >= 0).any():
            return
        fixed = np.round(x[accept])
        tightening = Tightening(self.fund)
        for _ in range(TRIES):
            arrays = tightening.apply(self.arrays, self.held).with_bounds(accept, fixed, fixed)
            watch = Watch(LAST_SECONDS) if self.watch.must_stop() else self.watch
            outcome = solve_mip(arrays, self.cost, watch, gap=self.gap / 10, nodes=CORE_NODES, telling=False)
            if outcome.x is None:
                return
            judgement = judge(self.fund, decision_of(self.fund, self.arrays, outcome.x), self.held)
            if judgement.is_plan:
                self._consider(judgement)
                return
            tightening.learn(judgement, self.arrays)

    def _tightened(self, tightening: Tightening, arrays: Arrays) -> Arrays:
        """Return `arrays` (the whole or a core: they differ in column bounds) with the tightening in."""
        columns = np.arange(len(arrays.column_lower))
        return tightening.apply(self.arrays, self.held).with_bounds(columns, arrays.column_lower, arrays.column_upper)

    def _confirmed_infeasible(self) -> bool:
        """Solve again with presolve off: presolve has called feasible programmes infeasible before."""
        self.watch.phase = "confirming that no plan exists"
        outcome = solve_mip(self.base, self.cost, self.watch, gap=self.gap, presolve=False)
        if outcome.status == "infeasible":
            return True
        if outcome.status != "stopped":
            self._bound(outcome.bound)
        self._take(outcome, self.base, self.gap, None)
        return False

    def _point(self, decision: Decision, arrays: Arrays) -> Vector | None:
        """Return a full point for a decision, by solving for the continuous columns; None where that fails."""
        point = np.zeros(len(arrays.column_lower))
        for column, value in point_of(self.fund, arrays, decision).items():
            point[column] = value
        whole = np.flatnonzero(arrays.integer)
        completed = solve_lp(arrays.with_bounds(whole, point[whole], point[whole]), self.cost, self.watch)
        return completed.x

    def _consider(self, judgement: Judgement) -> None:
        if not judgement.is_plan:
            return
        if self.best is None or judgement.evaluation.levels[self.level] > self.best.evaluation.levels[self.level]:
            self.best = judgement
            self.watch.tell(self._value(), self.bound)

    def _value(self) -> float | None:
        return None if self.best is None else float(self.best.evaluation.levels[self.level])

    def _bound(self, bound: float) -> None:
        self.bound = min(self.bound, bound)

    def _exact_bound(self) -> Fraction | None:
        """Return the bound, lowered to the next value a plan can have, and to the plan's own where they are one."""
        if not np.isfinite(self.bound):
            return None
        slack = max(RESOLUTION * abs(self.bound), SOLVER_RESOLUTION / scale_of(self.cost))
        bound = Fraction(self.bound)
        value = None if self.best is None else self.best.evaluation.levels[self.level]
        if value is not None and bound - value <= slack:
            return value
        if self.granule is not None and self.granule > 2 * slack:
            bound = (bound + Fraction(slack)) // self.granule * self.granule
        return bound if value is None else max(bound, value)

    def _proven(self) -> bool:
        return self.best is not None and self._exact_bound() == self.best.evaluation.levels[self.level]

    def _closed(self) -> bool:
        if self.best is None:
            return False
        bound = self._exact_bound()
        if bound is None:
            return False
        value = self.best.evaluation.levels[self.level]
        return bound - value <= Fraction(self.gap) * abs(value)

    def _found(self, *, infeasible: bool = False) -> Found:
        return Found(self.best, self._exact_bound(), self._proven(), infeasible, self.nodes)


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
