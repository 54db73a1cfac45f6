r"""The core way: prices first, then the projects that the prices leave in doubt.

At the prices of least bound nearly every project is clearly in or clearly out: its margin, what the bound would lose
by deciding it otherwise, is large. Plans are looked for on a **core**, the projects of smallest margin, all others left
at their best decision; cores grow until the gap is closed. A project whose margin exceeds the distance between bound
and best plan is decided with proof: no better plan has it otherwise, so when all undecided projects fit into one core,
solving that core settles the round.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from integrated_fund.evaluation import Decision
from optalloc.solve.arrays import IntegerProgramme, Vector
from optalloc.solve.certificate import certificate
from optalloc.solve.core.groups import Codes, Mask, NoState, OwnBounds
from optalloc.solve.core.neighbourhoods import improve
from optalloc.solve.core.pricing import Pricing
from optalloc.solve.core.sifting import Prices, priced
from optalloc.solve.core.tight import TightSearch, is_tight
from optalloc.solve.direct import BRANCHING, LINEAR
from optalloc.solve.evened import in_parts
from optalloc.solve.exact_awards import solve_awards
from optalloc.solve.exactness import decision_of, point_of
from optalloc.solve.parts import Part, Slim, without_cells
from optalloc.solve.record import RESOLUTION, SOLVER_RESOLUTION, Record
from optalloc.solve.solvers.highs import Outcome, solve_lp, solve_mip

CORES = (500, 1000, 2000)
CORE_NODES = 100
#: Up to this number of projects the last core is the whole round, and its bound counts.
WHOLE = 4000
WHOLE_NODES = 2000
ROOT_NODES = 1
#: A gap of so many times the asked one may be closed by the bound alone.
NEAR = 3.0
#: A core with all undecided projects is solved to the end up to this number of integer columns.
SETTLED = 4000
SETTLED_SHARE = 0.5
SETTLED_NODES = 20000


@dataclass
class CoreSearch:
    """The state of one core search: the record, and the prices with every group's best decision."""

    record: Record
    pricing: Pricing
    prices: Prices

    def __post_init__(self) -> None:
        vertex = self.prices.vertex
        self.margin = np.minimum(vertex.margin, vertex.award_margin)
        self.order = np.argsort(self.margin, kind="stable")

    def core(self, size: int) -> Mask:
        """Return the projects of smallest margin, whole groups, shape (projects,)."""
        inside = np.zeros(len(self.margin), dtype=np.bool_)
        inside[self.order[:size]] = True
        return self.pricing.groups.whole(inside)

    def undecided(self) -> Mask:
        """Return the projects that a better plan than the best may decide otherwise, shape (projects,)."""
        record = self.record
        if record.value is None:
            return np.ones(len(self.margin), dtype=np.bool_)
        bound = self.prices.bound
        distance = bound - record.value + RESOLUTION * abs(bound) + SOLVER_RESOLUTION * self.pricing.typical
        # A better plan differs in one granule at least.
        if record.granule is not None:
            distance = max(0.0, distance - float(record.granule) * (1 - 1e-6))
        # An award that moves by one step is otherwise, too.
        vertex = self.prices.vertex
        return self.pricing.groups.whole(np.minimum(vertex.margin, vertex.step_margin) <= distance)

    @property
    def is_near(self) -> bool:
        """Whether the gap is open, but not far from closed."""
        record = self.record
        if record.value is None or record.closed:
            return False
        return record.bound - record.value <= NEAR * record.gap * abs(record.value)

    def few_undecided(self) -> bool:
        """Whether the undecided projects are few enough to settle the round with them."""
        if self.record.value is None:
            return False
        undecided = self.undecided()
        free = self.record.arrays.integer & self.pricing.groups.columns_of(undecided)
        return bool(undecided.mean() <= SETTLED_SHARE) and int(free.sum()) <= SETTLED

    def columns(self, projects: Mask) -> Mask:
        """Return the columns of the projects' groups and all columns that are no decision, shape (columns,)."""
        inside = self.pricing.groups.columns_of(projects)
        inside[self.pricing.groups.master] = True
        return inside

    def solve(self, projects: Mask, base: Vector, nodes: int, *, gap: float, target: float | None) -> Outcome:
        """Look for a better plan that differs from the point `base` in the given projects only.

        Acceptances first with awards of any amount, then whole steps. Return the outcome of the first, with `x` whole.
        """
        record = self.record
        inside = self.columns(projects)
        part = Part.of(record.base, inside, base)
        constant = float(record.cost @ part.outside)
        loose = part.arrays if record.loose is None else replace(part.arrays, integer=record.loose[part.columns])
        slim = without_cells(loose, record.cost[part.columns])
        start = self._start(slim, part.columns[slim.columns])
        programme, cost, unit = _in_units(record, slim)
        outcome = solve_mip(
            programme,
            cost,
            record.watch,
            gap=gap,
            nodes=nodes,
            start=None if start is None else start / unit,
            target=None if target is None else target - constant,
            constant=constant,
            telling="plans",
        )
        record.nodes += outcome.nodes
        whole = replace(
            outcome,
            x=None if outcome.x is None else part.whole(slim.widened(outcome.x * unit)),
            objective=outcome.objective + constant,
            bound=outcome.bound + constant,
        )
        if whole.x is not None and (record.value is None or whole.objective > record.value):
            solve_awards(record, whole.x, inside)
        return whole

    def _start(self, slim: Slim, columns: Codes) -> Vector | None:
        """Return the best plan as a point of a core's programme; None where it lies outside the core."""
        if self.record.best is None:
            return None
        decided = slim.arrays.decision
        point = self.plan()[columns]
        fixed = slim.arrays.with_bounds(np.flatnonzero(decided), point[decided], point[decided])
        return solve_lp(fixed, slim.cost, self.record.watch).x

    def plan(self) -> Vector:
        """Return the best plan as a point of the decision columns, shape (columns,)."""
        assert self.record.best is not None
        return self.point_at(self.record.best.evaluation.decision)

    def point_at(self, decision: Decision) -> Vector:
        """Return a decision as a point of the decision columns, shape (columns,)."""
        record = self.record
        point = np.zeros(len(record.cost))
        for column, value in point_of(record.fund, record.arrays, decision).items():
            point[column] = value
        # What links switch on: as the acceptances have it.
        return self.pricing.groups.switched(point)


def _in_units(record: Record, slim: Slim) -> tuple[IntegerProgramme, Vector, Vector]:
    """Return a programme, its cost and its columns' units, shape (columns,): parts of ranges where steps are fine."""
    if not record.fine:
        return slim.arrays, slim.cost, np.ones(len(slim.cost))
    parts = in_parts(slim.arrays, slim.cost)
    assert isinstance(parts.programme, IntegerProgramme)
    return parts.programme, parts.cost, parts.columns


def search_by_cores(record: Record) -> str:
    """Search by prices and cores. Return in a few words what stopped it with the gap open ("" where it is closed)."""
    search = _priced(record)
    if isinstance(search, str):
        return search
    tight = TightSearch(search) if is_tight(search) else None
    if tight is not None:
        tight.visit()
        # A plan is near: what the root's cuts prove may be all that is missing.
        if search.is_near and not record.watch.must_stop() and len(search.margin) <= WHOLE:
            _core(search, len(search.margin), ROOT_NODES)
        if not record.closed and not record.watch.must_stop():
            tight.visit()
        if record.closed or record.watch.must_stop():
            return ""
    _growing_cores(search)
    if record.closed or record.watch.must_stop():
        return ""
    _settle(search)
    if record.closed or record.watch.must_stop():
        return ""
    if tight is not None:
        tight.visit()
        if record.closed or record.watch.must_stop():
            return ""
    improve(search)
    if record.closed or record.watch.must_stop():
        return ""
    _settle(search)
    return "" if record.closed else "the gap is still open"


def plan_where_tight(record: Record) -> bool:
    """Look for a first plan by swaps where many rows have a price, elsewhere for the bound alone; return whether."""
    search = _priced(record)
    if isinstance(search, str) or not is_tight(search):
        return False
    TightSearch(search).visit()
    return True


def _priced(record: Record) -> CoreSearch | str:
    """Find the prices and note their bound; return in a few words why there are none."""
    record.watch.phase = "linear bound"
    try:
        pricing = Pricing(record.base, record.cost, record.fund.ledger.project_of)
    except (NoState, OwnBounds) as trouble:
        return str(trouble)
    prices = priced(pricing, record.watch, close=max(1e-9, record.gap / 50))
    if prices is None:
        return "the linear relaxation has no solution"
    if record.level == 0:
        record.certify(certificate(record.fund, record.arrays, pricing.groups, prices.y))
    else:
        record.bounded(prices.bound, LINEAR)
    return CoreSearch(record, pricing, prices)


def _growing_cores(search: CoreSearch) -> None:
    record = search.record
    projects = len(search.margin)
    sizes = [size for size in CORES if 2 * size <= projects]
    if projects <= WHOLE:  # one core to begin with where there is no plan yet, then everything
        sizes = [*(sizes[:1] if record.best is None else []), projects]
    for size in sizes:
        if record.closed or record.watch.must_stop() or search.few_undecided():
            return
        _core(search, size, WHOLE_NODES if size == projects else CORE_NODES)


def _core(search: CoreSearch, size: int, nodes: int) -> None:
    """Solve the core of so many projects; the bound of all projects counts."""
    record = search.record
    record.watch.phase = f"core of {size}"
    base = search.prices.vertex.x
    whole = size == len(search.margin)
    # All projects' bound is the round's: with a plan at hand it need not be better than asked.
    gap = record.gap * (1 - 1e-3) if whole and record.best is not None else record.gap / 4
    outcome = search.solve(search.core(size), base, nodes, gap=gap, target=record.target())
    if whole and outcome.status != "infeasible":
        record.bounded(outcome.bound, BRANCHING)


def _settle(search: CoreSearch) -> None:
    """Solve the undecided projects to the end, where they are few enough."""
    record = search.record
    undecided = search.undecided()
    record.fixed = int(len(undecided) - undecided.sum())
    if record.value is None or not search.few_undecided():
        return
    inside = search.columns(undecided)
    record.watch.phase = f"settling {int(undecided.sum())} undecided"
    part = Part.of(record.base, inside, search.prices.vertex.x)
    constant = float(record.cost @ part.outside)
    # Awards of very many steps may take any amount: the bound holds, and whole steps are made afterwards.
    arrays = part.arrays
    if record.fine and record.loose is not None:
        arrays = replace(arrays, integer=record.loose[part.columns])
    slim = without_cells(arrays, record.cost[part.columns])
    programme, cost, unit = _in_units(record, slim)
    for presolve in (True, False):  # presolve has called feasible programmes infeasible before
        outcome = solve_mip(
            programme,
            cost,
            record.watch,
            gap=record.gap / 4,
            nodes=SETTLED_NODES,
            constant=constant,
            presolve=presolve,
            telling="plans",
        )
        record.nodes += outcome.nodes
        if outcome.status != "infeasible":
            break
    if outcome.status == "infeasible":  # nothing better than the best plan
        record.bounded(record.value, BRANCHING)
        return
    if outcome.x is not None:
        point = part.whole(slim.widened(outcome.x * unit))
        judgement = record.judged(decision_of(record.fund, record.arrays, point))
        if not record.consider(judgement):
            solve_awards(record, point, inside)
    # A plan outside the core is no better than the best one.
    record.bounded(max(outcome.bound + constant, record.value), BRANCHING)
