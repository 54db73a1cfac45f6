"""The Pyomo model as arrays: what a solver is given, and which column is which decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy import sparse

from integrated_fund.fund import Fund

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A row to add: lower <= coefficients · x <= upper, `coefficients` of shape (columns,)."""

    name: str
    coefficients: Vector
    lower: float
    upper: float


@dataclass(frozen=True)
class Arrays:
    """maximise levels[0] · x subject to row_lower <= matrix · x <= row_upper, column_lower <= x <= column_upper.

    Shapes: `matrix` (rows, columns) by row, `levels` (levels, columns). `accept` and `extra` give the column of each
    choice's decision (-1: has none), `column_of` that of a Pyomo variable by `id`, `rule_rows` the row of each limit by
    name. `decision` are the columns that decide on projects (accept, extra, together), `local` the rows over nothing
    else. Row and column names are ASCII.
    """

    matrix: sparse.csr_matrix
    row_lower: Vector
    row_upper: Vector
    column_lower: Vector
    column_upper: Vector
    integer: npt.NDArray[np.bool_]
    levels: Vector
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    accept: npt.NDArray[np.int64]
    extra: npt.NDArray[np.int64]
    decision: npt.NDArray[np.bool_]
    local: npt.NDArray[np.bool_]
    column_of: Mapping[int, int]
    rule_rows: Mapping[str, int]

    def with_rows(self, rows: Sequence[Row]) -> Arrays:
        """Return the arrays with rows added below."""
        if not rows:
            return self
        added = sparse.csr_matrix(np.array([row.coefficients for row in rows]))
        return replace(
            self,
            matrix=sparse.csr_matrix(sparse.vstack([self.matrix, added])),
            row_lower=np.append(self.row_lower, [row.lower for row in rows]),
            row_upper=np.append(self.row_upper, [row.upper for row in rows]),
            local=np.append(self.local, np.zeros(len(rows), dtype=np.bool_)),
            row_names=self.row_names + tuple(row.name for row in rows),
        )

    def with_bounds(self, columns: npt.NDArray[np.int64], lower: Vector, upper: Vector) -> Arrays:
        """Return the arrays with other bounds on some columns."""
        column_lower, column_upper = self.column_lower.copy(), self.column_upper.copy()
        column_lower[columns], column_upper[columns] = lower, upper
        return replace(self, column_lower=column_lower, column_upper=column_upper)


def arrays_of(fund: Fund) -> Arrays:
    """Return a fund's model as arrays, constraints that somebody added to it included."""
    form = LinearStandardFormCompiler().write(fund.model, mixed_form=True)
    variables = list(form.columns)
    column = {id(variable): number for number, variable in enumerate(variables)}
    for variable in fund.awards.columns:  # one that no row speaks of is no column of the standard form
        if id(variable) not in column:
            column[id(variable)] = len(variables)
            variables.append(variable)
    matrix = sparse.csr_matrix(form.A)
    matrix = sparse.csr_matrix((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], len(variables)))

    right = np.asarray(form.rhs, dtype=np.float64)
    kind = np.array([row.bound_type for row in form.rows], dtype=np.int64)
    levels = np.zeros((len(fund.appraisal.levels), len(variables)))
    for number in range(len(levels)):
        expression = fund.model.level[number].expr
        for weight, variable in zip(expression.linear_coefs, expression.linear_vars, strict=True):
            levels[number, column[id(variable)]] += weight

    decision = np.zeros(len(variables), dtype=np.bool_)
    decision[[column[id(variable)] for variable in fund.awards.columns]] = True
    decision[[column[id(variable)] for variable in fund.model.together.values() if id(variable) in column]] = True
    entries = sparse.csr_matrix((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
    local = (entries @ (~decision).astype(np.float64) == 0) & (np.diff(matrix.indptr) > 0)

    def bounds(values: list[float | None], missing: float) -> Vector:
        return np.array([missing if value is None else value for value in values], dtype=np.float64)

    def columns_of(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.array([-1 if k < 0 else column[id(fund.awards.columns[k])] for k in numbers.tolist()], dtype=np.int64)

    return Arrays(
        matrix=matrix,
        row_lower=np.where(kind <= 0, right, -np.inf),
        row_upper=np.where(kind >= 0, right, np.inf),
        column_lower=bounds([variable.lb for variable in variables], -np.inf),
        column_upper=bounds([variable.ub for variable in variables], np.inf),
        integer=np.array([not variable.is_continuous() for variable in variables], dtype=np.bool_),
        levels=levels,
        row_names=tuple(_plain(row.constraint.name) for row in form.rows),
        column_names=tuple(_plain(variable.name) for variable in variables),
        accept=columns_of(fund.awards.accept_column),
        extra=columns_of(fund.awards.extra_column),
        decision=decision,
        local=local,
        column_of=column,
        rule_rows={
            row.constraint.index(): number
            for number, row in enumerate(form.rows)
            if row.constraint.parent_component() is fund.model.rule
        },
    )


def _plain(name: str) -> str:
    """Return a row's or column's name as files take it; rules go by the names used in every report."""
    name = name.removeprefix("rule[").rstrip("]") if name.startswith("rule[") else name
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in name).strip("_")
