r"""The one plan among equally good ones.

Of all plans that are optimal in every level, the canonical one is found by this order, each step kept for the next:

1. projects in order of their identifiers: a plan that accepts the first project in which two plans differ comes
   before one that does not; the project's own row before its options (in order of their names), an earlier start
   before a later one;
2. the least total of all awards;
3. projects in the same order: the larger award for the earlier project.

The order is followed by a chain of programmes with the levels held at their optima. One perturbed objective would not
do: a double tells some fifty projects apart. Acceptances are decided in blocks whose weights a solver can still tell
apart, awards one by one. The chain has a budget of work (columns × solves); where it runs out, or where rounding keeps
the solver from confirming a step, the plan is optimal but not canonical, and the manifest says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from integrated_fund.evaluation import Decision
from integrated_fund.fund import Fund
from optalloc.solve.arrays import Arrays, Row, Vector
from optalloc.solve.exactness import Held, Judgement, Tightening, decision_of, judge, point_of
from optalloc.solve.parts import Part
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import SolverError, solve_lp, solve_mip

RULE = "acceptance by project, option, start; then least total award; then larger award by project"
#: The largest weight in a block: integrality is kept within 1e-6, so weights up to 2**12 stay told apart.
WEIGHTS = 2**12
#: Columns × solves.
BUDGET = 3_000_000
#: Columns from which a chain is not begun.
LARGEST = 300_000
NODES = 2000


@dataclass(frozen=True)
class Canonical:
    """The plan the order leads to; `complete` is false where the chain had to be cut short, `reason` says why."""

    judgement: Judgement
    complete: bool
    reason: str | None


class _CutShort(Exception):
    """The chain cannot go on."""


@dataclass
class _Chain:
    fund: Fund
    arrays: Arrays  # with the levels held; bounds close in as steps are decided
    plain: Arrays
    held: tuple[Held, ...]
    watch: Watch
    best: Judgement
    work: int = 0

    @property
    def decision(self) -> Decision:
        return self.best.evaluation.decision

    def better(self, cost: Vector) -> bool:
        """Look for a plan with a larger `cost`, which takes whole values only; return whether there is one."""
        free = self.arrays.column_lower < self.arrays.column_upper
        self.work += int(free.sum())
        if self.work > BUDGET:
            raise _CutShort("its budget of work ran out")
        if self.watch.must_stop():
            raise _CutShort(f"it was stopped: {self.watch.stopped}")
        if not cost[free].any():
            return False  # all of it is decided
        value = self._value(cost)
        improving = self.arrays.with_rows([Row("better", cost, value + 0.5, np.inf)])
        part = Part.of(improving, free, self.arrays.column_lower)  # the others stand where they are fixed
        try:
            outcome = solve_mip(
                part.arrays, cost[part.columns], self.watch, absolute_gap=0.5, nodes=NODES, telling="time"
            )
        except SolverError as trouble:  # the plan itself stands: it is only not known to be the canonical one
            raise _CutShort("the solver could not decide a step") from trouble
        if outcome.status == "infeasible":
            return False
        if outcome.status != "optimal" or outcome.x is None:
            raise _CutShort("a step took too many nodes")
        judgement = judge(self.fund, decision_of(self.fund, self.plain, part.whole(outcome.x)), self.held)
        if not judgement.is_plan:
            raise _CutShort("a step could not be confirmed in exact arithmetic")
        previous, self.best = self.best, judgement
        if self._value(cost) <= value:
            self.best = previous
            raise _CutShort("a step could not be confirmed in exact arithmetic")
        return True

    def _value(self, cost: Vector) -> float:
        return float(sum(cost[column] * amount for column, amount in self.point().items()))

    def point(self) -> dict[int, int]:
        """Return the plan as values of the integer columns, those at 0 left out."""
        return point_of(self.fund, self.plain, self.decision)

    def fix(self, columns: list[int]) -> None:
        """Keep these columns at the plan's values from here on."""
        point = self.point()
        where = np.array(columns, dtype=np.int64)
        values = np.array([float(point.get(column, 0)) for column in columns])
        self.arrays = self.arrays.with_bounds(where, values, values)


def canonical(fund: Fund, arrays: Arrays, held: tuple[Held, ...], best: Judgement, watch: Watch) -> Canonical:
    """Return the canonical plan among those that keep every held level, starting from one of them."""
    watch.phase = "breaking ties"
    if len(arrays.column_lower) > LARGEST:
        return Canonical(best, False, "the round is too large for it")
    chain = _Chain(fund, arrays, arrays, held, watch, best)
    try:
        chain.arrays = Tightening(fund).apply(arrays, held)
        _settle_by_reduced_cost(chain)
        _decide_acceptances(chain)
        _decide_awards(chain)
    except _CutShort as cut:
        return Canonical(chain.best, False, str(cut))
    except MemoryError:  # the plan stands: it is only not known to be the canonical one
        watch.stop("memory")
        return Canonical(chain.best, False, "it was stopped: memory")
    return Canonical(chain.best, True, None)


def _settle_by_reduced_cost(chain: _Chain) -> None:
    """Fix the columns that no optimal plan has otherwise: moving them costs more than the last level can give up."""
    last = chain.held[-1]
    relaxed = solve_lp(chain.arrays, chain.plain.levels[last.level], chain.watch)
    if relaxed.status != "optimal" or relaxed.x is None or relaxed.reduced_costs is None:
        return
    spare = relaxed.objective - float(last.least) + 1e-6 * max(1.0, abs(relaxed.objective))
    point = chain.point()
    integer = chain.plain.integer & (np.abs(relaxed.reduced_costs) > spare)
    chain.fix([c for c in np.flatnonzero(integer).tolist() if abs(relaxed.x[c] - point.get(c, 0)) < 1e-6])


def _decide_acceptances(chain: _Chain) -> None:
    block: list[list[int]] = []  # by project: its accept columns, most preferred first
    span = 1
    for project in chain.fund.ledger.projects:
        columns = [int(chain.plain.accept[j]) for j in chain.fund.ledger.choices_of[project.project]]
        columns = [c for c in columns if c >= 0]
        free = [c for c in columns if chain.arrays.column_lower[c] < chain.arrays.column_upper[c]]
        if not free:
            continue
        if span * (len(columns) + 1) > WEIGHTS and block:
            _decide_block(chain, block)
            block, span = [], 1
        block.append(columns)
        span *= len(columns) + 1
    if block:
        _decide_block(chain, block)


def _decide_block(chain: _Chain, block: list[list[int]]) -> None:
    """Decide some projects at once: a number whose digits are their choices, first project first."""
    while len(block) > 1 and block[0][0] in chain.point():  # already as the order would have it
        chain.fix(block[0])
        block = block[1:]
    cost = np.zeros(len(chain.plain.column_lower))
    place = 1
    for columns in reversed(block):
        for rank, column in enumerate(columns):
            cost[column] = place * (len(columns) - rank)
        place *= len(columns) + 1
    point = chain.point()
    if not all(columns[0] in point for columns in block):
        chain.better(cost)
    chain.fix([column for columns in block for column in columns])


def _decide_awards(chain: _Chain) -> None:
    point = chain.point()
    free: list[int] = []
    for accept, extra in zip(chain.plain.accept.tolist(), chain.plain.extra.tolist(), strict=True):
        if extra < 0 or chain.arrays.column_lower[extra] == chain.arrays.column_upper[extra]:
            continue
        if accept >= 0 and accept not in point:
            chain.fix([extra])
        else:
            free.append(extra)
    if not free:
        return
    total = np.zeros(len(chain.plain.column_lower))
    total[free] = -1.0
    if any(point.get(c, 0) for c in free):
        chain.better(total)
    least = sum(chain.point().get(c, 0) for c in free)
    chain.arrays = chain.arrays.with_rows([Row("least_total", total, -least - 0.5, np.inf)])
    for column in free:
        one = np.zeros(len(total))
        one[column] = 1.0
        if chain.point().get(column, 0) < min(chain.arrays.column_upper[column], least):
            chain.better(one)
        chain.fix([column])
