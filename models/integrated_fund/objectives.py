r"""Objectives: a level for the weighted method, one for each priority for the lexicographic one; all are maximised.

level = Σ_k factor[k] · (Σ_j constant[k,j] · accept[j] + slope[k,j] · award[j] + synergies of k)
        - penalties                                                   (the first level only)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression

from integrated_fund.awards import Awards
from integrated_fund.criteria import Gain, Level
from integrated_fund.ledger import Floats


def gains_by_column(
    awards: Awards,
    size: int,
    levels: Sequence[Level],
    gains: Sequence[Gain],
    synergies: Mapping[str, Sequence[tuple[int, float]]],
) -> Floats:
    """Return what the decisions count in each level, shape (levels, size): the programme's first columns."""
    found = np.zeros((len(levels), size))
    for row, level in zip(found, levels, strict=True):
        for k in level.gains:
            gain, factor = gains[k], float(gains[k].factor)
            per_accept, per_extra = awards.coefficients(gain.constant_floats, gain.slope_floats)
            row[: awards.size] += factor * awards.by_column(per_accept, per_extra)
            for link in gain.synergies:
                for column, value in synergies[link.link]:
                    row[column] += factor * value
    return found


def add_objectives(
    model: pyo.ConcreteModel, by_column: Floats, variables: Sequence[pyo.Var], penalties: LinearExpression
) -> None:
    """Add one maximised objective for each level; only the first is active.

    `variables` are those of the decisions; without them the objectives have the penalties alone.
    """
    model.level = pyo.Objective(pyo.Any)
    for number, row in enumerate(by_column):
        columns = np.flatnonzero(row).tolist() if variables else []
        coefficients = [float(row[column]) for column in columns]
        counted = [variables[column] for column in columns]
        if number == 0:
            coefficients += [-weight for weight in penalties.linear_coefs]
            counted += penalties.linear_vars
        model.level[number] = LinearExpression(constant=0, linear_coefs=coefficients, linear_vars=counted)
        model.level[number].sense = pyo.maximize
        if number:
            model.level[number].deactivate()
