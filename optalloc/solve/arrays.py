"""A fund's programme as arrays: what a solver is given, and which column is which decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
import numpy.typing as npt
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy import sparse

from integrated_fund.fund import Fund
from integrated_fund.pieces import stacked

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A row to add: lower <= coefficients · x <= upper, `coefficients` of shape (columns,)."""

    name: str
    coefficients: Vector
    lower: float
    upper: float


class LazyNames(Sequence[str]):
    """Names that are made when the first of them is asked for."""

    def __init__(self, make: Callable[[], Sequence[str]]) -> None:
        self._make = make
        self._made: Sequence[str] | None = None

    @property
    def _names(self) -> Sequence[str]:
        if self._made is None:
            self._made = self._make()
        return self._made

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[str]: ...
    def __getitem__(self, number: int | slice) -> str | Sequence[str]:
        return self._names[number]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class Programme:
    """row_lower <= matrix · x <= row_upper, column_lower <= x <= column_upper; `matrix` (rows, columns) by row."""

    matrix: sparse.csr_matrix
    row_lower: Vector
    row_upper: Vector
    column_lower: Vector
    column_upper: Vector


@dataclass(frozen=True)
class IntegerProgramme(Programme):
    """A programme some of whose columns take whole numbers: `integer`, shape (columns,)."""

    integer: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Arrays(IntegerProgramme):
    """maximise levels[0] · x over a programme.

    Shapes: `levels` (levels, columns). `accept` and `extra` give the column of each
    choice's decision (-1: has none), `column_of` that of a Pyomo variable by `id`, `rule_rows` the row of each limit by
    name, `source_rows` that of each source's constraints by their name in the model and the source's position,
    `link_rows` those of each link. Row and column names are ASCII.

    Columns are in the order of the fund's (accept, extra, together, cell), then the others of its model as they first
    appear in a row. `decision`, shape (columns,), says which are accept, extra or together; `local`, shape (rows,),
    which rows of the programme speak of such columns only. Rows that are added to the arrays later are not local.
    """

    levels: Vector
    decision: npt.NDArray[np.bool_]
    local: npt.NDArray[np.bool_]
    row_names: Sequence[str]
    column_names: Sequence[str]
    accept: npt.NDArray[np.int64]
    extra: npt.NDArray[np.int64]
    column_of: Mapping[int, int]
    rule_rows: Mapping[str, int]
    source_rows: Mapping[tuple[str, int], int]
    link_rows: Mapping[str, Sequence[int]]

    def with_rows(self, rows: Sequence[Row]) -> Arrays:
        """Return the arrays with rows added below."""
        if not rows:
            return self
        names, added = self.row_names, [row.name for row in rows]
        return replace(
            self,
            matrix=stacked([self.matrix, *(sparse.csr_matrix(row.coefficients) for row in rows)], self.matrix.shape[1]),
            row_lower=np.append(self.row_lower, [row.lower for row in rows]),
            row_upper=np.append(self.row_upper, [row.upper for row in rows]),
            local=np.append(self.local, np.zeros(len(rows), dtype=np.bool_)),
            row_names=LazyNames(lambda: [*names, *added]),
        )

    def with_bounds(self, columns: npt.NDArray[np.int64], lower: Vector, upper: Vector) -> Arrays:
        """Return the arrays with other bounds on some columns."""
        column_lower, column_upper = self.column_lower.copy(), self.column_upper.copy()
        column_lower[columns], column_upper[columns] = lower, upper
        return replace(self, column_lower=column_lower, column_upper=column_upper)


def arrays_of(fund: Fund) -> Arrays:
    """Return a fund's programme as arrays, constraints that somebody added to its model included."""
    form = LinearStandardFormCompiler().write(fund.model, mixed_form=True)
    size = fund.level_coefficients.shape[1]
    pieces = fund.rows if fund.compact else ()
    # The model's variables in order; a compact fund's decisions, which come before them, are none of them.
    first = size if fund.compact else 0
    variables = [*fund.variables, *fund.cells.variables]
    known = {id(variable) for variable in variables}
    variables += [variable for variable in form.columns if id(variable) not in known]
    column = {id(variable): first + number for number, variable in enumerate(variables)}
    width = first + len(variables)

    compiled = sparse.csr_matrix(form.A)
    place = np.array([column[id(variable)] for variable in form.columns], dtype=np.int64)
    compiled = sparse.csr_matrix(
        (compiled.data, place[compiled.indices], compiled.indptr), shape=(compiled.shape[0], width)
    )
    compiled.sort_indices()
    matrix = stacked([*(rows.matrix for rows in pieces), compiled], width)
    right = np.asarray(form.rhs, dtype=np.float64)
    kind = np.array([row.bound_type for row in form.rows], dtype=np.int64)
    above = matrix.shape[0] - len(right)

    local = np.ones(matrix.shape[0], dtype=np.bool_)
    local[np.searchsorted(matrix.indptr, np.flatnonzero(matrix.indices >= size), side="right") - 1] = False

    levels = np.zeros((len(fund.level_coefficients), width))
    if fund.compact:
        levels[:, :size] = fund.level_coefficients
    for number, level in enumerate(levels):
        expression = fund.model.level[number].expr
        for weight, variable in zip(expression.linear_coefs, expression.linear_vars, strict=True):
            level[column[id(variable)]] += weight

    ahead = fund.decisions if fund.compact else ()
    source = {name: number for number, name in enumerate(fund.model.source)}
    # A variable that somebody fixed is a number in the compiled rows.
    lower = [variable.value if variable.fixed else variable.lb for variable in variables]
    upper = [variable.value if variable.fixed else variable.ub for variable in variables]
    integer = [np.full(len(columns.lower), columns.integer) for columns in ahead]

    link_row: dict[Any, int] = {}
    before = 0
    for rows in pieces:
        if rows.name == "link":
            link_row.update(zip(rows.keys(), range(before, before + len(rows.lower)), strict=True))
        before += len(rows.lower)
    for number, row in enumerate(form.rows):
        if row.constraint.parent_component().name == "link":
            link_row[row.constraint.index()] = above + number

    # Names of the model's own now: they are lost with the fund. Of the pieces there may be millions.
    own_rows = [_plain(row.constraint.name) for row in form.rows]
    own_columns = [_plain(variable.name) for variable in variables]

    def row_names() -> list[str]:
        return [*(_plain(name) for rows in pieces for name in rows.names), *own_rows]

    def column_names() -> list[str]:
        return [*(_plain(name) for columns in ahead for name in columns.names), *own_columns]

    return Arrays(
        matrix=matrix,
        row_lower=np.concatenate([*(rows.lower for rows in pieces), np.where(kind <= 0, right, -np.inf)]),
        row_upper=np.concatenate([*(rows.upper for rows in pieces), np.where(kind >= 0, right, np.inf)]),
        column_lower=np.concatenate([*(columns.lower for columns in ahead), _bounds(lower, -np.inf)]),
        column_upper=np.concatenate([*(columns.upper for columns in ahead), _bounds(upper, np.inf)]),
        integer=np.concatenate([*integer, np.array([not v.is_continuous() for v in variables], dtype=np.bool_)]),
        levels=levels,
        decision=np.arange(width) < size,
        local=local,
        row_names=LazyNames(row_names) if fund.compact else own_rows,
        column_names=LazyNames(column_names) if fund.compact else own_columns,
        accept=fund.awards.accept_column,
        extra=fund.awards.extra_column,
        column_of=column,
        rule_rows={
            row.constraint.index(): above + number
            for number, row in enumerate(form.rows)
            if row.constraint.parent_component() is fund.model.rule
        },
        source_rows={
            (row.constraint.parent_component().name, source[row.constraint.index()]): above + number
            for number, row in enumerate(form.rows)
            if row.constraint.parent_component().name in ("source", "source_least", "source_carry")
        },
        link_rows={link: [link_row[key] for key in keys] for link, keys in fund.links.row_keys.items()},
    )


def _bounds(values: Sequence[float | None], missing: float) -> Vector:
    return np.array([missing if value is None else value for value in values], dtype=np.float64)


def _plain(name: str) -> str:
    """Return a row's or column's name as files take it; rules go by the names used in every report."""
    name = name.removeprefix("rule[").rstrip("]") if name.startswith("rule[") else name
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in name).strip("_")
