"""A fund's arrays with other amounts of sources and other bounds of rules, without formulating it anew."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy import sparse

from integrated_fund.fund import Fund
from integrated_fund.sources import AWARD
from optalloc.solve.arrays import Arrays


def moved_arrays(arrays: Arrays, fund: Fund, moved: Fund) -> Arrays:
    """Return the arrays of `fund` as they are for `moved`, a fund that `fund.moved` has made.

    Right sides, and the coefficients of rules that are shares of a total. Rows added to the arrays stay as they are.
    """
    lower, upper = arrays.row_lower.copy(), arrays.row_upper.copy()

    def put(row: int, bound: Fraction) -> None:
        for sides in (lower, upper):
            if np.isfinite(sides[row]):
                sides[row] = float(bound)

    rows: list[int] = []
    columns: list[int] = []
    changes: list[float] = []
    limits = fund.appraisal.limits
    for old, new in zip(limits.rows, moved.appraisal.limits.rows, strict=True):
        if old.typed == new.typed and old.unit == new.unit:
            continue
        row = arrays.rule_rows[old.name]
        scale = fund.cells.scale[limits.totals[old.activity].measure]
        if old.base is None:
            put(row, new.constant / scale)
            continue
        ratio = fund.cells.scale[limits.totals[old.base].measure] / scale
        for cell in fund.cells.terms(old.base):
            rows.append(row)
            columns.append(arrays.column_of[id(cell)])
            changes.append(float((old.share - new.share) * ratio))
    money = fund.cells.scale.get(AWARD, Fraction(1))
    for f, (before, after) in enumerate(zip(fund.classes.sources, moved.classes.sources, strict=True)):
        if before.amount == after.amount:
            continue
        amount = Fraction(after.amount) / money
        for kind, part in (
            ("source", Fraction(1)),
            ("source_least", Fraction(after.least)),
            ("source_carry", Fraction(after.carry_over)),
        ):
            if (kind, f) in arrays.source_rows:
                put(arrays.source_rows[kind, f], part * amount)
    matrix = arrays.matrix
    if rows:
        change = sparse.csr_matrix((changes, (rows, columns)), shape=matrix.shape)
        matrix = sparse.csr_matrix(matrix + change)
        matrix.sort_indices()
    return replace(arrays, matrix=matrix, row_lower=lower, row_upper=upper)
