r"""Small linear programmes in exact rational arithmetic, with a proof where there is no solution.

    lexicographically maximise  c1 · x, c2 · x, …    subject to  A x = b,  x >= 0

Primal simplex on a sparse tableau of `Fraction`, two phases, Bland's rule (R. G. Bland, New finite pivoting rules for
the simplex method, Mathematics of Operations Research 2, 1977), so it ends on degenerate problems too. After each
objective, columns with a non-zero reduced cost stay at 0, which keeps the earlier optima. For some hundred columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

Row = dict[int, Fraction]
ZERO = Fraction(0)
ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Solution:
    """An optimal x, one value for each column."""

    values: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Infeasible:
    """Multipliers y, one for each row, with y · A >= 0 and y · b < 0 (Farkas): no x >= 0 can meet A x = b."""

    multipliers: tuple[Fraction, ...]


def maximise(
    objectives: Sequence[Mapping[int, Fraction]], rows: Sequence[tuple[Mapping[int, Fraction], Fraction]], columns: int
) -> Solution | Infeasible:
    """Solve the programme; `rows` are (coefficients by column, right side), `columns` their number.

    Raises:
        ValueError: an objective is unbounded.
    """
    tableau = _Tableau(rows, columns)
    infeasible = tableau.find_feasible()
    if infeasible is not None:
        return infeasible
    for objective in objectives:
        tableau.improve(objective)
    return Solution(tableau.values())


class _Tableau:
    def __init__(self, rows: Sequence[tuple[Mapping[int, Fraction], Fraction]], columns: int) -> None:
        self.columns = columns
        self.sign = [-1 if right < 0 else 1 for _, right in rows]
        self.rows: list[Row] = []
        self.right: list[Fraction] = []
        for (row, right), sign in zip(rows, self.sign, strict=True):
            self.rows.append({c: Fraction(v) * sign for c, v in row.items() if v})
            self.right.append(Fraction(right) * sign)
        occurrences: dict[int, int] = {}
        for row in self.rows:
            for column in row:
                occurrences[column] = occurrences.get(column, 0) + 1
        self.basis: list[int] = []
        self.unit: list[tuple[int, Fraction]] = []  # by row: a column that stood only there, and its coefficient
        for number, row in enumerate(self.rows):
            slack = next((c for c, v in row.items() if v > 0 and occurrences[c] == 1), None)
            if slack is None:
                slack = columns + number  # artificial
                row[slack] = ONE
            self.unit.append((slack, row[slack]))
            self.basis.append(slack)
            if row[slack] != 1:
                pivot = row[slack]
                self.rows[number] = {c: v / pivot for c, v in row.items()}
                self.right[number] /= pivot
        self.allowed = set(range(columns))

    def find_feasible(self) -> Infeasible | None:
        artificial = {c: -ONE for c, _ in self.unit if c >= self.columns}
        if not artificial:
            return None
        costs = self._climb(artificial)
        if any(c >= self.columns and right for c, right in zip(self.basis, self.right, strict=True)):
            multipliers = []
            for (column, coefficient), sign in zip(self.unit, self.sign, strict=True):
                own_cost = artificial.get(column, ZERO)
                multipliers.append((own_cost - costs.get(column, ZERO)) / coefficient * sign)
            return Infeasible(tuple(multipliers))
        # Artificials left in the basis stand at 0: pivot them out where their row has another column.
        for number, column in enumerate(self.basis):
            if column >= self.columns:
                other = next((c for c in sorted(self.rows[number]) if c < self.columns), None)
                if other is not None:
                    self._pivot(number, other, {})
        for row in self.rows:
            for column in [c for c in row if c >= self.columns and c not in self.basis]:
                del row[column]
        return None

    def improve(self, objective: Mapping[int, Fraction]) -> None:
        costs = self._climb(objective)
        self.allowed -= {column for column, cost in costs.items() if cost}

    def values(self) -> tuple[Fraction, ...]:
        x = [ZERO] * self.columns
        for column, right in zip(self.basis, self.right, strict=True):
            if column < self.columns:
                x[column] = right
        return tuple(x)

    def _climb(self, objective: Mapping[int, Fraction]) -> Row:
        """Maximise; return the reduced costs (all <= 0 on allowed columns)."""
        costs: Row = {c: Fraction(v) for c, v in objective.items() if v}
        for number, column in enumerate(self.basis):
            factor = costs.get(column)
            if factor:
                _subtract(costs, self.rows[number], factor)
        while True:
            entering = min((c for c, v in costs.items() if v > 0 and c in self.allowed), default=None)
            if entering is None:
                return costs
            leaving = None
            for number, row in enumerate(self.rows):
                coefficient = row.get(entering)
                if coefficient is not None and coefficient > 0:
                    key = (self.right[number] / coefficient, self.basis[number])
                    if leaving is None or key < leaving[0]:
                        leaving = (key, number)
            if leaving is None:
                raise ValueError("the linear programme is unbounded")
            self._pivot(leaving[1], entering, costs)

    def _pivot(self, number: int, entering: int, costs: Row) -> None:
        pivot = self.rows[number][entering]
        row = {c: v / pivot for c, v in self.rows[number].items()}
        right = self.right[number] / pivot
        self.rows[number], self.right[number] = row, right
        for other, other_row in enumerate(self.rows):
            factor = other_row.get(entering)
            if other != number and factor:
                _subtract(other_row, row, factor)
                self.right[other] -= factor * right
        factor = costs.get(entering)
        if factor:
            _subtract(costs, row, factor)
        self.basis[number] = entering


def _subtract(target: Row, row: Row, factor: Fraction) -> None:
    for column, value in row.items():
        rest = target.get(column, ZERO) - factor * value
        if rest:
            target[column] = rest
        else:
            target.pop(column, None)
