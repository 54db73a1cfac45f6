"""Pieces of the programme: many columns or rows as arrays, and the same as Pyomo variables and constraints.

A block with a column or a row for each project states its equations once, as pieces. They are made into Pyomo objects
for people to read and extend, or handed to the solver as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.base.component import index_repr
from pyomo.core.expr.numeric_expr import LinearExpression
from scipy import sparse

from integrated_fund.ledger import Floats

#: The indices of a Pyomo variable or constraint, made only when somebody asks for names.
Keys = Callable[[], Sequence[Any]]


@dataclass(frozen=True)
class Columns:
    """The columns lower <= x <= upper of one Pyomo variable. `domain` is a set of Pyomo's."""

    name: str
    keys: Keys
    domain: Any
    lower: Floats
    upper: Floats

    @property
    def integer(self) -> bool:
        """Whether only whole numbers will do."""
        return self.domain in (pyo.Binary, pyo.NonNegativeIntegers)

    @property
    def names(self) -> list[str]:
        """The names Pyomo gives these variables."""
        return [self.name + index_repr(key) for key in self.keys()]

    def variables_in(self, model: pyo.ConcreteModel) -> list[pyo.Var]:
        """Make the Pyomo variable; return it by column."""
        keys = self.keys()
        variable = pyo.Var(keys, domain=self.domain)
        model.add_component(self.name, variable)
        found = [variable[key] for key in keys]
        for one, lower, upper in zip(found, self.lower.tolist(), self.upper.tolist(), strict=True):
            one.setlb(lower)
            one.setub(upper)
        return found


@dataclass(frozen=True)
class Rows:
    """The rows lower <= matrix · x <= upper of one Pyomo constraint; one side is infinite, or both are equal.

    The columns of `matrix` are the fund's, in order; it may stop at the last one that it speaks of.
    """

    name: str
    keys: Keys
    matrix: sparse.csr_matrix
    lower: Floats
    upper: Floats

    @property
    def names(self) -> list[str]:
        """The names Pyomo gives these constraints."""
        return [self.name + index_repr(key) for key in self.keys()]

    def add_to(self, model: pyo.ConcreteModel, variables: Sequence[pyo.Var]) -> None:
        """Make the Pyomo constraint; `variables` by column."""
        constraint = pyo.Constraint(pyo.Any)
        model.add_component(self.name, constraint)
        begin, columns, data = self.matrix.indptr.tolist(), self.matrix.indices.tolist(), self.matrix.data.tolist()
        for row, (key, lower, upper) in enumerate(
            zip(self.keys(), self.lower.tolist(), self.upper.tolist(), strict=True)
        ):
            terms = slice(begin[row], begin[row + 1])
            left = LinearExpression(
                constant=0, linear_coefs=data[terms], linear_vars=[variables[column] for column in columns[terms]]
            )
            if lower == upper:
                constraint[key] = left == upper
            elif lower == -np.inf:
                constraint[key] = left <= upper
            else:
                constraint[key] = left >= lower


@dataclass
class RowList:
    """Rows gathered one by one, where there are few."""

    name: str
    keys: list[Any] = field(default_factory=list)
    _lower: list[float] = field(default_factory=list)
    _upper: list[float] = field(default_factory=list)
    _row: list[int] = field(default_factory=list)
    _column: list[int] = field(default_factory=list)
    _coefficient: list[float] = field(default_factory=list)

    def add(self, key: Any, terms: Iterable[tuple[int, float]], lower: float, upper: float) -> None:
        """Add lower <= Σ coefficient · x[column] <= upper; terms are (column, coefficient)."""
        for column, coefficient in terms:
            self._row.append(len(self.keys))
            self._column.append(column)
            self._coefficient.append(coefficient)
        self.keys.append(key)
        self._lower.append(lower)
        self._upper.append(upper)

    def rows(self, columns: int) -> Rows:
        """Return the rows over so many columns."""
        place = (np.array(self._row, dtype=np.int64), np.array(self._column, dtype=np.int64))
        data = np.array(self._coefficient, dtype=np.float64)
        matrix = sparse.coo_matrix((data, place), shape=(len(self.keys), columns))
        return Rows(self.name, lambda: self.keys, matrix.tocsr(), np.array(self._lower), np.array(self._upper))


def stacked(matrices: Sequence[sparse.csr_matrix], columns: int) -> sparse.csr_matrix:
    """Return matrices one below the other, over so many columns (each may have fewer)."""
    ends = np.cumsum([0, *(matrix.nnz for matrix in matrices)])
    begin = [np.zeros(1, dtype=np.int64)]
    begin += [matrix.indptr[1:] + end for matrix, end in zip(matrices, ends[:-1].tolist(), strict=True)]
    return sparse.csr_matrix(
        (
            np.concatenate([matrix.data for matrix in matrices]),
            np.concatenate([matrix.indices for matrix in matrices]),
            np.concatenate(begin),
        ),
        shape=(sum(matrix.shape[0] for matrix in matrices), columns),
    )
