r"""A changed round with one project in it, and with it out: what is proven of either, and what is found.

With bounds B[in], B[out] of the linear relaxations of both, and the values v[in], v[out] of the best plans that
searches of counted work have found,

    v[in] > B[out]   proves that every best plan has the project,      v[out] > B[in]   that none has
    v[in] > v[out]   says that the best plan found has it

Bounds take milliseconds and say where a search is worth its second. The second half is searched near the plan of the
first with the project put in or taken out, so that the difference is not the noise between two searches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from scipy import sparse

from integrated_fund.choices import Codes
from integrated_fund.evaluation import Decision
from integrated_fund.fund import Fund
from integrated_fund.round import Round
from optalloc.solve.arrays import Arrays, Vector, arrays_of
from optalloc.solve.core.groups import NoState, OwnBounds
from optalloc.solve.exactness import judge
from optalloc.solve.moved import moved_arrays
from optalloc.solve.record import RESOLUTION, SOLVER_RESOLUTION
from optalloc.solve.solvers.highs import SolverError, scale_of, solve_lp
from optalloc.solve.solvers.resolving import Resolving
from optalloc.study.prices.nearby import Near, search_near
from optalloc.study.verdicts.forced import NO_ROWS, GivenUp, Resolver, with_status


@dataclass
class Half:
    """A round with the project in, or with it out. `bound` is None where the relaxation has no solution, `value` and
    `decision` while no plan is known; `programme` is what can be searched, None where all that is wanted is known;
    `start` is where a search begins while no plan of the other half is known, `relaxed` the relaxation's point and
    prices.
    """

    bound: Fraction | None
    value: Fraction | None = None
    decision: Decision | None = None
    programme: tuple[Fund, Arrays] | None = None
    start: Decision | None = None
    relaxed: tuple[Vector, Vector] | None = None


class Contest:
    """Both halves of a changed round."""

    def __init__(self, inside: Half, outside: Half, search: Callable[[Contest, bool], None] | None = None) -> None:
        """`search` finds the plan of a half that has a programme."""
        self.inside, self.outside, self._search = inside, outside, search

    def half(self, inside: bool) -> Half:
        """Return the round with the project in, or with it out."""
        return self.inside if inside else self.outside

    def with_outside(self, outside: Half) -> Contest:
        """Return the contest with something else known of the round with the project out."""
        return Contest(self.inside, outside, self._search)

    def margin(self, inside: bool) -> float:
        """Return how much more the bounds allow this half than the other; -inf where it has no solution, inf where only
        the other has none, nan where both have none.
        """
        own, other = self.half(inside).bound, self.half(not inside).bound
        if own is None:
            return float("nan") if other is None else -np.inf
        return np.inf if other is None else float(own - other)

    def value(self, inside: bool) -> Fraction | None:
        """Return the value of the best plan of a half that is found; None where none is."""
        half = self.half(inside)
        if half.value is None and half.bound is not None and half.programme is not None and self._search is not None:
            self._search(self, inside)
        return half.value

    def distance(self, inside: bool) -> float:
        """Return how far the plan found of a half is from its bound; inf where none is found."""
        value, bound = self.value(inside), self.half(inside).bound
        return np.inf if value is None or bound is None else float(bound - value)

    def proves(self, inside: bool) -> bool:
        """Whether every best plan has the project (has it not): also where the other half has no plan at all."""
        value, bound = self.value(inside), self.half(not inside).bound
        return value is not None and (bound is None or value > bound)

    def is_settled_by(self, decision: Decision) -> bool:
        """Whether a decision that leaves the project out is a plan, and better than every plan with the project."""
        assert self.outside.programme is not None
        judgement = judge(self.outside.programme[0], decision, ())
        bound = self.inside.bound
        return judgement.is_plan and (bound is None or judgement.evaluation.levels[0] > bound)

    def finds(self, inside: bool) -> bool:
        """Whether the best plan found has the project (has it not)."""
        value = self.value(inside)
        if value is None or self.half(not inside).bound is None:
            return value is not None
        other = self.value(not inside)
        return other is not None and value > other


class Contests:
    """The contests of one project that can be accepted, over changed rounds.

    `choice` and `steps` are what it is given where it is put in.
    """

    def __init__(self, resolver: Resolver, project: str, choice: int, steps: int) -> None:
        self.resolver, self.project, self._choice, self._steps = resolver, project, choice, steps
        self._own = resolver.solution.fund.ledger.choices_of[project]
        self._linear: Resolving | None = None
        self._matrix: object = None

    def of(self, round_: Round, what: str, start: Decision | None = None) -> Contest:
        """Return the contest of a changed round whose choices are those of the solved one; `what` it is, for whoever
        waits. `start` is what may be a plan of it with the project out.

        Raises:
            GivenUp: a bound was not found.
            SolverError: the solver failed.
        """
        inside, now = with_status(round_, self.project, "mandatory"), self.resolver.solution.fund.round
        if replace(round_, sources=now.sources) == now:  # only money has moved
            base, arrays = self._base
            fund = base.moved(inside)
            arrays = moved_arrays(arrays, base, fund)
        else:
            fund = Fund(inside, compact=True)
            arrays = arrays_of(fund)
        contest = self._contest(fund, arrays, what)
        contest.outside.start = start
        return contest

    @cached_property
    def _base(self) -> tuple[Fund, Arrays]:
        """The programme of the round as it is with the project in."""
        fund = Fund(with_status(self.resolver.solution.fund.round, self.project, "mandatory"), compact=True)
        return fund, arrays_of(fund)

    def _contest(self, fund: Fund, arrays: Arrays, what: str) -> Contest:
        inside, outside = (self._half(fund, one) for one in (arrays, self._without(arrays)))
        return Contest(inside, outside, lambda contest, inside: self._search(contest, inside, what))

    def _without(self, arrays: Arrays) -> Arrays:
        """Return a programme that must accept the project as one that cannot."""
        accept = arrays.accept[list(self._own)]
        lower = arrays.row_lower.copy()
        lower[_duty(arrays, accept)] = -np.inf
        no = np.zeros(len(accept))
        return replace(arrays.with_bounds(accept, no, no), row_lower=lower)

    def _half(self, fund: Fund, arrays: Arrays) -> Half:
        """Return a half with the linear bound of its programme, and what the solver's tolerance may hide.

        Raises:
            GivenUp: the bound was not found.
        """
        cost = arrays.levels[0]
        rows, columns = np.arange(len(arrays.row_lower)), np.arange(len(cost))
        if self._linear is None or arrays.matrix is not self._matrix:
            self._linear, self._matrix = Resolving(arrays, cost), arrays.matrix
        else:
            self._linear.bound_rows(rows, arrays.row_lower, arrays.row_upper)
            self._linear.bound_columns(columns, arrays.column_lower, arrays.column_upper)
        value = self._linear.solve()
        if value is None and not self._linear.is_infeasible():
            self._linear = None  # nothing to go on from
            try:
                again = solve_lp(arrays, cost, self.resolver.watch)
            except SolverError as failure:
                raise GivenUp(f"a linear bound was not found: {failure}") from failure
            if again.status not in ("optimal", "infeasible"):
                raise GivenUp("a linear bound was not found")
            if again.x is not None and again.row_duals is not None:
                return self._bounded(fund, arrays, again.bound, (again.x, again.row_duals))
        if value is None or self._linear is None:
            return Half(None, programme=(fund, arrays))
        return self._bounded(fund, arrays, value, (self._linear.point(), self._linear.duals()[0]))

    def _bounded(self, fund: Fund, arrays: Arrays, value: float, relaxed: tuple[Vector, Vector]) -> Half:
        hidden = max(RESOLUTION * abs(value), SOLVER_RESOLUTION / scale_of(arrays.levels[0]))
        return Half(Fraction(value) + Fraction(hidden), programme=(fund, arrays), relaxed=relaxed)

    def _search(self, contest: Contest, inside: bool, what: str) -> None:
        """Look for the best plan of a half: near that of the other one, or else where the half's prices lead to.

        Raises:
            GivenUp: it cannot be searched in this way.
            SolverError: the solver failed.
        """
        half, other = contest.half(inside), contest.half(not inside)
        assert half.programme is not None
        fund, arrays = half.programme
        near = half.start if other.decision is None else self.toggled(fund, other.decision, inside)
        # What begins near a plan and finds none may find one elsewhere.
        for start in dict.fromkeys([near is not None, False]):
            leg = self.resolver.leg(f"{self.project}: {what}, {'in' if inside else 'out'}")
            begin = Near(near if start else None, NO_ROWS, False, half.relaxed)
            try:
                found = search_near(fund, arrays, 0, (), self.resolver.as_near, leg, begin)
            except (NoState, OwnBounds) as trouble:
                raise GivenUp(str(trouble)) from trouble
            self.resolver.ended(leg)
            if found.bound is not None and half.bound is not None:
                half.bound = min(half.bound, found.bound)
            if found.judgement is not None:
                half.decision = found.judgement.evaluation.decision
                half.value = found.judgement.evaluation.levels[0]
                return
            if self.resolver.watch.must_stop():
                raise GivenUp("a search was stopped")

    def toggled(self, fund: Fund, decision: Decision, inside: bool) -> Decision:
        """Return a decision with the project put in, or taken out."""
        without = {j: steps for j, steps in decision.items() if j not in self._own}
        if not inside:
            return without
        low, high = int(fund.ledger.low[self._choice]), int(fund.ledger.high[self._choice])
        return {**without, self._choice: min(max(self._steps, low), high)}


def _duty(arrays: Arrays, accept: Codes) -> Codes:
    """Return the row that a mandatory project's acceptances add up to 1 in."""
    rows = np.flatnonzero((arrays.row_lower == 1) & (arrays.row_upper == 1))
    terms = sparse.csr_matrix(arrays.matrix[rows])
    own = np.zeros(terms.shape[1])
    own[accept] = 1.0
    filled = np.diff(terms.indptr) == len(accept)
    return np.asarray(rows[filled & (terms @ own == len(accept))])
