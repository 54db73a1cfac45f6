r"""The value of a linear programme as a function of its right sides, in plain fractions.

    V(t) = max { c·x :  lower + t·shift <= A·x <= upper + t·shift,  column bounds }

A little simplex of its own: phase one with Bland's rule (1977) finds a first basis, and whatever is asked afterwards is
mended from the optimal one by the dual simplex method. V is concave, so two secants from 0 of one slope, to t and to
t / 2, prove that V is a line up to t.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from scipy import sparse

from optalloc.solve.arrays import Programme, Vector

#: Decimals, thirds and shares of populations are found again in the floats of a programme.
DENOMINATOR = 10**8
#: Where not even this small a step has a plan, that side has none.
LEAST_STEP = Fraction(1, 2**30)

Row = dict[int, Fraction]
Shift = Mapping[int, Fraction]
ZERO, ONE = Fraction(0), Fraction(1)


def fraction(value: float) -> Fraction:
    """Return the simple fraction that a float stands for."""
    found = Fraction(float(value)).limit_denominator(DENOMINATOR)
    assert abs(float(found) - value) <= 1e-10 * abs(value), f"{value!r} is no simple fraction"
    return found


class ExactProgramme:
    """A programme and its optimum: `base` is V(0), None where no point keeps all bounds.

    A column without any bound must stand in an equality (as a cell does in its definition), and that row stays put.
    """

    def __init__(self, programme: Programme, cost: Vector) -> None:
        self.rows: list[Row] = []
        self.right: list[Fraction] = []
        self.columns = len(cost)
        low = [None if np.isinf(value) else fraction(value) for value in programme.column_lower]
        high = [None if np.isinf(value) else fraction(value) for value in programme.column_upper]
        self._row_of: dict[int, int] = {}
        equalities = set()
        matrix = sparse.csr_matrix(programme.matrix)
        for number, (least, most) in enumerate(zip(programme.row_lower, programme.row_upper, strict=True)):
            inside = slice(matrix.indptr[number], matrix.indptr[number + 1])
            entries = zip(matrix.indices[inside].tolist(), map(fraction, matrix.data[inside]), strict=True)
            row = {column: value for column, value in entries if value}
            if least == most:
                equalities.add(number)
            elif np.isfinite(most):
                row[self._new(low, high, None if np.isinf(least) else fraction(most) - fraction(least))] = ONE
            elif np.isfinite(least):
                row[self._new(low, high, None)] = -ONE
            else:
                continue
            self._row_of[number] = self._add(row, fraction(most if np.isfinite(most) else least))
        objective = {column: fraction(value) for column, value in enumerate(cost.tolist()) if value}
        self.cost = self._add(objective, ZERO)
        self._leave_out_free({self._row_of[number] for number in equalities}, low, high)
        self._start_at_zero(low, high)
        self.base = self._optimum()

    def _new(self, low: list[Fraction | None], high: list[Fraction | None], most: Fraction | None) -> int:
        low.append(ZERO)
        high.append(most)
        self.columns += 1
        return self.columns - 1

    def _add(self, row: Row, right: Fraction) -> int:
        self.rows.append(row)
        self.right.append(right)
        return len(self.rows) - 1

    def _leave_out_free(self, equalities: set[int], low: list[Fraction | None], high: list[Fraction | None]) -> None:
        """Put free columns for what their equalities say they are."""
        for column in range(self.columns):
            if low[column] is None and high[column] is None and any(column in row for row in self.rows):
                number = min(number for number in equalities if column in self.rows[number])
                equalities.remove(number)
                _pivot(self.rows, self.right, number, column)
                self.rows[number], self.right[number] = {}, ZERO
                self._row_of = {row: place for row, place in self._row_of.items() if place != number}

    def _start_at_zero(self, low: list[Fraction | None], high: list[Fraction | None]) -> None:
        """Count every column from a bound of its own, upwards; a row for the other bound."""
        for column, (least, most) in enumerate(zip(low, high, strict=True)):
            start = least if least is not None else most
            for number, row in enumerate(self.rows):
                value = row.get(column)
                if value and start is not None:
                    self.right[number] -= value * start
                    if least is None:
                        row[column] = -value
                    elif least == most:
                        del row[column]
            if least is not None and most is not None and least != most:
                self.columns += 1
                self._add({column: ONE, self.columns - 1: ONE}, most - least)

    def _optimum(self) -> Fraction | None:
        """Go to an optimal basis. Behind the columns stands a fixed one for each row: the inverse of the basis."""
        self.places = [number for number in range(len(self.rows)) if number != self.cost]
        self.sign: dict[int, Fraction] = {}
        self.basis: dict[int, int] = {}
        missing: Row = {}
        for number in self.places:
            sign = self.sign[number] = ONE if self.right[number] >= 0 else -ONE
            self.rows[number] = {column: sign * value for column, value in self.rows[number].items()}
            self.right[number] *= sign
            _subtract(missing, self.rows[number], -ONE)
            self.basis[number] = self.columns + number
            self.rows[number][self.columns + number] = ONE
        self._climb(self._add(missing, ZERO))
        self.rows.pop()
        self.right.pop()
        if any(self.right[number] for number, column in self.basis.items() if column >= self.columns):
            return None
        for number, column in self.basis.items():
            others = [other for other in self.rows[number] if other < self.columns]
            if column >= self.columns and others:
                self._enter(number, min(others))
        self._climb(self.cost)
        return -self.right[self.cost]

    def _enter(self, number: int, column: int) -> None:
        _pivot(self.rows, self.right, number, column)
        self.basis[number] = column

    def _climb(self, cost: int) -> None:
        while True:
            entering = min((c for c, v in self.rows[cost].items() if v > 0 and c < self.columns), default=None)
            if entering is None:
                return
            able = [
                (self.right[number] / self.rows[number][entering], self.basis[number], number)
                for number in self.places
                if self.rows[number].get(entering, ZERO) > 0
            ]
            self._enter(min(able)[2], entering)

    def value(self, shift: Shift, t: Fraction) -> Fraction | None:
        """Return V(t); None where no point keeps all bounds."""
        rows, right, basis = [dict(row) for row in self.rows], list(self.right), dict(self.basis)
        for row, by in shift.items():
            place = self._row_of[row]
            for number, entries in enumerate(rows):
                right[number] += t * by * self.sign[place] * entries.get(self.columns + place, ZERO)
        while True:
            wrong = [n for n, c in basis.items() if right[n] < 0 or (right[n] and c >= self.columns)]
            if not wrong:
                return -right[self.cost]
            leaving = min(wrong, key=basis.__getitem__)
            if right[leaving] > 0:  # a fixed column above 0
                rows[leaving] = {column: -value for column, value in rows[leaving].items()}
                right[leaving] = -right[leaving]
            able = [
                (rows[self.cost].get(c, ZERO) / v, c) for c, v in rows[leaving].items() if v < 0 and c < self.columns
            ]
            if not able:
                return None
            basis[leaving] = min(able)[1]
            _pivot(rows, right, leaving, basis[leaving])

    def slope(self, shift: Shift) -> Fraction | None:
        """Return V'(0+); None where no step has a point."""
        assert self.base is not None
        step, last = ONE, None
        while step > LEAST_STEP:
            value = self.value(shift, step)
            secant = None if value is None else (value - self.base) / step
            if secant is not None and secant == last:
                return secant
            step, last = step / 2, secant
        assert last is None
        return None


def _pivot(rows: list[Row], right: list[Fraction], at: int, column: int) -> None:
    pivot = rows[at][column]
    rows[at] = {c: v / pivot for c, v in rows[at].items()}
    right[at] /= pivot
    for number, row in enumerate(rows):
        factor = row.get(column)
        if number != at and factor:
            _subtract(row, rows[at], factor)
            right[number] -= factor * right[at]


def _subtract(target: Row, row: Row, factor: Fraction) -> None:
    for column, value in row.items():
        rest = target.get(column, ZERO) - factor * value
        if rest:
            target[column] = rest
        else:
            target.pop(column, None)
