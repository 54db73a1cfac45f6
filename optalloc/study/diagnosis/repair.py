r"""The cheapest repair of a round without a plan: which cells to change, from what to what.

The elastic programme (Chinneck 2008, chapter 6) with one violation d[l] >= 0 for each cell l, shared by all rows that
it moves:

    minimise Σ cost[l] · d[l]
    activity − share · base + move[l] · d[l]  >=  constant        (a rule's bound, one cell for all members)
    Σ pay + carry − received − step · d[l]  <=  amount            (a source's amount; so its `least`, its carry-over
                                                                   and the share rules of the funds move with it)
    Σ pay + d[l]  >=  least · amount                              (a source's least)
    Σ a − (n − k) · d[l]  <=  k,  Σ accept + d[l] >= 1            (a link, a mandatory project: d[l] is 0 or 1)

over awards in whole steps. d[l] is whole where the cell moves a constant; a share multiplies what is decided, awards or
amounts, so there d[l] is the money by which it is missed. From the decision found the cells are worked out in exact
arithmetic: bounds as far as this decision needs them, outwards to the grid. A repair counts only if the decision keeps
the repaired round exactly. A share with `=` is chosen on its grid within the programme (`shares.py`).

Up to `EXACT` whole columns the programme is solved to the end. In larger rounds the acceptances are rounded down its
linear relaxation, which is solved again after each rounding so that the cells move on as far as they must (`dives`);
the awards are then put into whole steps by branching. The relaxation's optimum is a bound on every repair.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from math import ceil, floor

import numpy as np
import numpy.typing as npt
from scipy import sparse

from integrated_fund.evaluation import Appraisal, Decision, LimitValue
from integrated_fund.ledger import Ledger
from integrated_fund.limits import Limit
from integrated_fund.round import Link, Place, Round, Rule, Source
from integrated_fund.sources import AWARD
from optalloc.solve.arrays import IntegerProgramme, Vector
from optalloc.solve.core.dives import Dive
from optalloc.solve.exact_awards import TRIES
from optalloc.solve.exactness import decision_of
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import solve_lp, solve_mip
from optalloc.study.diagnosis.keeping import keeps
from optalloc.study.diagnosis.movable import Change, Movable, movables_of, with_changes, with_unit_bounds
from optalloc.study.diagnosis.requirements import Requirements
from optalloc.study.diagnosis.shares import Shares, is_equal_share

#: With more whole columns the linear relaxation says where to repair.
EXACT = 1000
#: Relative gap and nodes for whole steps of a large round.
STEPS_GAP = 0.005
STEPS_NODES = 200
#: How often costs are weighed anew for a repair in fewer cells.
REWEIGHED = 3
#: What a solver leaves of a whole number.
_TOLERANCE = 1e-6
_MOST = 1e7


@dataclass(frozen=True)
class Repair:
    """Cells to change so that a plan exists, with a decision that keeps the repaired round; `total` is Σ cost.

    No repair with the movables that were allowed costs less than `bound`, apart from rounding a share outwards.
    """

    changes: tuple[Change, ...]
    decision: Decision
    bound: Fraction

    @property
    def cells(self) -> frozenset[Place]:
        """The cells that are changed."""
        return frozenset(change.movable.place for change in self.changes)

    @property
    def total(self) -> Fraction:
        """The weighted money of all changes."""
        return sum((change.cost for change in self.changes), Fraction(0))


@dataclass(frozen=True, slots=True)
class _Column:
    """A violation: its movable, which way it moves the cell, what it costs, and its coefficients by row."""

    movable: int
    sign: int
    cost: float
    upper: float
    whole: bool
    terms: Mapping[int, float]


class Repairs:
    """The elastic programme of a round.

    Attributes:
        movables: what may be changed.
        left_alone: the cells of hard rules that are shares with `=` and cannot be moved here.
    """

    def __init__(self, requirements: Requirements) -> None:
        self.requirements = requirements
        self.round: Round = requirements.round
        self.movables = movables_of(self.round)
        self._limits: dict[str, Limit] = {row.name: row for row in requirements.fund.appraisal.limits.rows}
        self._rows: dict[str, list[Limit]] = {}
        for row in self._limits.values():
            self._rows.setdefault(row.rule.rule, []).append(row)
        self._columns: list[_Column] = []
        self._shares = Shares(requirements, () if self.is_large else self.movables)
        self._width = len(requirements.arrays.integer)
        self.left_alone = tuple(
            movable.place
            for movable in self.movables
            if is_equal_share(movable.row) and movable.name not in self._shares.rows
        )
        rows_of = {(r.kind, id(r.of)): r.rows for r in requirements.all if r.kind != "rule"}
        for number, movable in enumerate(self.movables):
            if is_equal_share(movable.row):
                self._add_share(number, movable)
            elif movable.kind == "bound":
                self._add_bound(number, movable)
            elif movable.kind == "amount":
                self._add_amount(number, movable)
            elif movable.kind == "least":
                self._add_least(number, movable, rows_of["least", id(movable.row)])
            else:
                self._add_once(number, movable, rows_of[movable.kind, id(movable.row)])

    @property
    def is_large(self) -> bool:
        """Whether the linear relaxation says where to repair."""
        return int(self.requirements.arrays.integer.sum()) > EXACT

    def _scale(self, limit: Limit) -> Fraction:
        return self.requirements.fund.cells.scale[
            self.requirements.fund.appraisal.limits.totals[limit.activity].measure
        ]

    def _add_bound(self, number: int, movable: Movable) -> None:
        rule = movable.row
        assert isinstance(rule, Rule)
        rows = self._rows.get(rule.rule, [])
        if not rows:
            return
        grid = Fraction(movable.grid)
        scale = self._scale(rows[0])
        most = max(row.unit for row in rows)
        coefficients: dict[int, float] = {}
        whole = not movable.is_share
        # Only where all members share one base is what is missed in one known from another.
        together = len({(row.base, row.funds) for row in rows}) == 1 and most > 0
        for row in rows:
            by = row.unit * grid / scale if whole else row.unit / most if together else Fraction(1)
            coefficients[self._row(row)] = float(by)
        cost = movable.unit_cost * (grid * most if whole else scale)
        down = float(Fraction(rule.bound) // grid) if whole and rule.bound >= 0 else np.inf
        if rule.sense != "<=":
            self._columns.append(_Column(number, -1, float(cost), min(down, _MOST), whole, coefficients))
        if rule.sense != ">=":
            up = {row: -value for row, value in coefficients.items()}
            self._columns.append(_Column(number, 1, float(cost), _MOST, whole, up))

    def _add_share(self, number: int, movable: Movable) -> None:
        """A share with `=`: its violations are what its digits move it by, in the member where that is most."""
        rows = self._shares.rows.get(movable.name)
        if rows is not None:
            cost = float(movable.unit_cost * self._scale(self._rows[movable.name][0]))
            for sign, own in ((-1, rows.down), (1, rows.up)):
                terms = dict.fromkeys(own, -float(sign))
                self._columns.append(_Column(number, sign, cost, np.inf, False, terms))

    def _row(self, limit: Limit) -> int:
        return self.requirements.arrays.rule_rows[limit.name]

    def _add_amount(self, number: int, movable: Movable) -> None:
        source = movable.row
        assert isinstance(source, Source)
        fund, arrays = self.requirements.fund, self.requirements.arrays
        key = source.source, source.year
        f = self.requirements.source_of[key]
        step = Fraction(movable.grid) / fund.cells.scale.get(AWARD, Fraction(1))
        moved = {
            "source": Fraction(1),
            "source_least": Fraction(source.least),
            "source_carry": Fraction(source.carry_over),
        }
        terms = {
            arrays.source_rows[kind, f]: -float(part * step)
            for kind, part in moved.items()
            if (kind, f) in arrays.source_rows
        }
        for limit in self._limits.values():
            if key in limit.funds:
                by = limit.typed * Fraction(movable.grid) / self._scale(limit)
                terms[self._row(limit)] = -float(by)
        self._columns.append(_Column(number, 1, float(movable.unit_cost * Fraction(movable.grid)), _MOST, True, terms))

    def _add_least(self, number: int, movable: Movable, rows: Sequence[int]) -> None:
        scale = self.requirements.fund.cells.scale.get(AWARD, Fraction(1))
        terms = dict.fromkeys(rows, 1.0)
        self._columns.append(_Column(number, -1, float(movable.unit_cost * scale), np.inf, False, terms))

    def _add_once(self, number: int, movable: Movable, rows: Sequence[int]) -> None:
        arrays = self.requirements.arrays
        by = 1.0
        if isinstance(movable.row, Link) and movable.row.kind not in ("requires", "all_or_none"):
            by = float(len(movable.row.projects))
        terms = {row: by if np.isfinite(arrays.row_lower[row]) else -by for row in rows}
        self._columns.append(_Column(number, 1, float(movable.unit_cost), 1.0, True, terms))

    def cheapest(self, watch: Watch, *, without: Collection[int] = ()) -> Repair | None:
        """Return the cheapest repair that leaves the cells of the given numbers alone; None where none was found.

        Raises:
            SolverError: the solver failed.
        """
        columns = [column for column in self._columns if column.movable not in without]
        return self._dived(columns, watch) if self.is_large else self._solved(columns, watch)

    def fewer(self, best: Repair, watch: Watch) -> Repair | None:
        """Return a repair in fewer cells than the best one, if a few tries find one; never one of a large round.

        Costs are weighed anew so that what moved little costs much: E. J. Candès, M. B. Wakin and S. P. Boyd, Enhancing
        sparsity by reweighted l1 minimization, Journal of Fourier Analysis and Applications 14, 2008.

        Raises:
            SolverError: the solver failed.
        """
        if self.is_large:
            return None
        found = best
        for _ in range(REWEIGHED):
            moved = {change.movable.place: float(change.cost) for change in found.changes}
            least = float(found.total) / 20 or 1.0
            columns = [
                replace(column, cost=column.cost / (moved.get(self.movables[column.movable].place, 0.0) + least))
                for column in self._columns
            ]
            tried = self._solved(columns, watch)
            if tried is None or watch.must_stop() or len(tried.changes) > len(found.changes):
                break
            found = tried
        # The bound was proven with other costs.
        return replace(found, bound=best.bound) if len(found.changes) < len(best.changes) else None

    def _programme(self, columns: Sequence[_Column]) -> tuple[IntegerProgramme, Vector]:
        arrays = self._shares.programme
        entries = [(row, n, value) for n, column in enumerate(columns) for row, value in column.terms.items()]
        row, place, value = (list(part) for part in zip(*entries, strict=True)) if entries else ([], [], [])
        added = sparse.csr_matrix((value, (row, place)), shape=(len(arrays.row_lower), len(columns)))
        programme = IntegerProgramme(
            sparse.csr_matrix(sparse.hstack([arrays.matrix, added])),
            arrays.row_lower,
            arrays.row_upper,
            np.append(arrays.column_lower, np.zeros(len(columns))),
            np.append(arrays.column_upper, [column.upper for column in columns]),
            np.append(arrays.integer, np.array([column.whole for column in columns], dtype=np.bool_)),
        )
        cost = np.append(np.zeros(len(arrays.column_lower)), [-column.cost for column in columns])
        return programme, cost

    def _solved(self, columns: Sequence[_Column], watch: Watch) -> Repair | None:
        programme, cost = self._programme(columns)
        return self._exact(columns, programme, cost, watch)

    def _dived(self, columns: Sequence[_Column], watch: Watch) -> Repair | None:
        """Repair a large round by acceptances rounded down its elastic relaxation, then awards in whole steps."""
        programme, cost = self._programme(columns)
        relaxed = solve_lp(programme, cost, watch)
        if relaxed.x is None:
            return None
        bound = max(Fraction(0), Fraction(-relaxed.objective))
        once = self._width + self._once(columns)
        tried = [programme]
        # A link broken by a hundredth says nothing: what is dropped whole may be dearer than all that slides.
        if (relaxed.x[once] > _TOLERANCE).any():
            upper = programme.column_upper.copy()
            upper[once] = 0.0
            tried.append(replace(programme, column_upper=upper))
        found = [self._dive(columns, each, cost, bound, watch) for each in tried]
        return min((repair for repair in found if repair is not None), key=lambda repair: repair.total, default=None)

    def _once(self, columns: Sequence[_Column]) -> npt.NDArray[np.int64]:
        """Return which columns drop a link or release a project: nothing in between means anything."""
        return np.flatnonzero([self.movables[column.movable].kind in ("link", "mandatory") for column in columns])

    def _dive(
        self, columns: Sequence[_Column], programme: IntegerProgramme, cost: Vector, bound: Fraction, watch: Watch
    ) -> Repair | None:
        arrays = self.requirements.arrays
        whole = np.concatenate([arrays.accept[arrays.accept >= 0], self._width + self._once(columns)])
        point = Dive(programme, cost, whole, watch).down()
        if point is None:
            return None
        lower, upper = programme.column_lower.copy(), programme.column_upper.copy()
        lower[whole] = upper[whole] = point[whole]
        awards = replace(programme, column_lower=lower, column_upper=upper)
        return self._exact(columns, awards, cost, watch, gap=STEPS_GAP, nodes=STEPS_NODES, bound=bound)

    def _exact(
        self,
        columns: Sequence[_Column],
        programme: IntegerProgramme,
        cost: Vector,
        watch: Watch,
        *,
        gap: float = 0.0,
        nodes: int | None = None,
        bound: Fraction | None = None,
    ) -> Repair | None:
        """Return the repair that a programme's optimum comes to, kept in exact arithmetic.

        `bound` is what a programme proves of which this one is a part; its own where None.
        """
        lower, upper = programme.row_lower.copy(), programme.row_upper.copy()
        for _ in range(TRIES):
            shifted = replace(programme, row_lower=lower, row_upper=upper)
            outcome = solve_mip(shifted, cost, watch, gap=gap, nodes=nodes, telling="time")
            if outcome.x is None:
                return None
            if bound is None:
                bound = max(Fraction(0), Fraction(-outcome.bound))
            x, d = np.split(outcome.x, [len(outcome.x) - len(columns)])
            x = x[: self._width]
            decision = decision_of(self.requirements.fund, self.requirements.arrays, x)
            changes, missed = self._typed(decision, x, columns, d)
            if not missed:
                return self._paid(changes, decision, bound)
            for name, violation in missed.items():
                row = self.requirements.arrays.rule_rows[name]
                if lower[row] != upper[row]:
                    shift = float(violation / self._scale(self._limits[name])) * (1 + 1e-9)
                    lower[row], upper[row] = lower[row] + shift, upper[row] - shift
        return None

    def _typed(
        self, decision: Decision, x: Vector, columns: Sequence[_Column], d: Vector
    ) -> tuple[list[Change], dict[str, Fraction]]:
        """Return the changes of cells that a decision needs, and what is missed by rows that none of them mends."""
        bent = {column.movable for column, moved in zip(columns, d.tolist(), strict=True) if moved > _TOLERANCE}
        changes: list[Change] = []
        amounts: dict[int, Decimal] = {}
        scale = self.requirements.fund.cells.scale.get(AWARD, Fraction(1))
        # Amounts come before what must be spent of them.
        for column, moved in zip(columns, d.tolist(), strict=True):
            movable = self.movables[column.movable]
            if movable.kind not in ("amount", "least") or moved <= _TOLERANCE:
                continue
            assert isinstance(movable.before, Decimal)
            if movable.kind == "amount":
                to = _plain(movable.before + ceil(moved - _TOLERANCE) * movable.grid)
                amounts[id(movable.row)] = to
                of = Fraction(1)
            else:
                assert isinstance(movable.row, Source)
                of = Fraction(amounts.get(id(movable.row), movable.row.amount))
                share = Fraction(movable.before) - Fraction(moved - _TOLERANCE / 2) * scale / of
                to = max(Decimal(0), _on_grid(share, movable.grid, ROUND_FLOOR))
            changes.append(Change(movable, to, movable.unit_cost * of * abs(Fraction(to) - Fraction(movable.before))))
        missed_ones = self.requirements.judged(decision, x, self.requirements.everything).missed
        for number in missed_ones:
            requirement = self.requirements.all[number]
            changes += [
                Change(movable, None if movable.kind == "link" else "candidate", movable.unit_cost)
                for movable in self.movables
                if movable.row is requirement.of and movable.kind in ("link", "mandatory")
            ]
        ledger = Ledger(with_unit_bounds(with_changes(self.round, changes)))
        by_rule: dict[str, list[LimitValue]] = {}
        for value in Appraisal(ledger).evaluate(decision).limits:
            by_rule.setdefault(value.limit.rule.rule, []).append(value)
        number_of = {movable.name: n for n, movable in enumerate(self.movables) if movable.kind == "bound"}
        missed: dict[str, Fraction] = {}
        for rule in self.round.rules:
            values = by_rule.get(rule.rule, [])
            if not values:
                continue
            bending = self.movables[number_of[rule.rule]] if number_of.get(rule.rule) in bent else None
            to = rule.bound if bending is None else _needed(rule, values, bending.grid)
            broken = {v.limit.name: m for v in values if (m := _violation(rule, v, to))}
            missed |= broken
            if bending is not None and to != rule.bound and not broken:
                most = max(value.bound for value in values)
                changes.append(Change(bending, to, bending.unit_cost * most * abs(Fraction(to) - Fraction(rule.bound))))
        return changes, missed

    def _paid(self, changes: list[Change], decision: Decision, bound: Fraction) -> Repair | None:
        """Return the repair if the decision keeps the repaired round; money is moved a little further where it must."""
        for _ in range(3):
            if keeps(with_changes(self.round, changes), decision):
                order = {movable.place: n for n, movable in enumerate(self.movables)}
                ordered = sorted(changes, key=lambda change: (-change.cost, order[change.movable.place]))
                return Repair(tuple(ordered), decision, bound)
            changes = [_further(change) for change in changes]
        return None


def _needed(rule: Rule, values: Sequence[LimitValue], grid: Decimal) -> Decimal:
    """Return the bound nearest to the typed one that a decision keeps; `values` are its rows at a bound of 1."""
    ratios = [value.activity / value.bound for value in values if value.bound]
    if not ratios:
        return rule.bound
    if rule.sense == ">=":
        return min(rule.bound, _on_grid(min(ratios), grid, ROUND_FLOOR))
    if rule.sense == "<=":
        return max(rule.bound, _on_grid(max(ratios), grid, ROUND_CEILING))
    return rule.bound if all(r == Fraction(rule.bound) for r in ratios) else _on_grid(ratios[0], grid, ROUND_FLOOR)


def _on_grid(value: Fraction, grid: Decimal, rounding: str) -> Decimal:
    units = value / Fraction(grid)
    return _plain((floor(units) if rounding == ROUND_FLOOR else ceil(units)) * grid)


def _plain(value: Decimal) -> Decimal:
    """Return a number as a person writes it: 24, not 24.0."""
    return Decimal(f"{value.normalize():f}")


def _violation(rule: Rule, value: LimitValue, bound: Decimal) -> Fraction:
    """Return by how much a row is missed at a bound; the value's own bound is 1."""
    over = value.activity - Fraction(bound) * value.bound
    if rule.sense == "=":
        return abs(over)
    return max(Fraction(0), over if rule.sense == "<=" else -over)


def _further(change: Change) -> Change:
    """Return a change of a source by one unit more."""
    movable, to = change.movable, change.to
    if movable.kind not in ("amount", "least"):
        return change
    assert isinstance(to, Decimal)
    moved = to + movable.grid if movable.kind == "amount" else max(Decimal(0), to - movable.grid)
    assert isinstance(movable.before, Decimal)
    further = abs(Fraction(moved - movable.before)) / abs(Fraction(to - movable.before))
    return replace(change, to=moved, cost=change.cost * further)
