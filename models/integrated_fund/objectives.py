r"""Objectives: a level for the weighted method, one for each priority for the lexicographic one; all are maximised.

level = Σ_k factor[k] · (Σ_j constant[k,j] · accept[j] + slope[k,j] · award[j] + synergies of k)
        - penalties                                                   (the first level only)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression

from integrated_fund.awards import Awards
from integrated_fund.criteria import Gain, Level


def add_objectives(
    model: pyo.ConcreteModel,
    awards: Awards,
    levels: Sequence[Level],
    gains: Sequence[Gain],
    synergies: Mapping[str, LinearExpression],
    penalties: LinearExpression,
) -> None:
    """Add one maximised objective for each level; only the first is active."""
    model.level = pyo.Objective(pyo.Any)
    for number, level in enumerate(levels):
        accept = np.zeros(len(awards.ledger.choices))
        extra = np.zeros(len(awards.ledger.choices))
        coefficients: list[float] = []
        variables: list[pyo.Var] = []
        for k in level.gains:
            gain = gains[k]
            per_accept, per_extra = awards.coefficients(gain.constant, gain.slope, Fraction(1))
            accept += float(gain.factor) * per_accept
            extra += float(gain.factor) * per_extra
            for link in gain.synergies:
                value = synergies[link.link]
                coefficients += [float(gain.factor) * weight for weight in value.linear_coefs]
                variables += value.linear_vars
        for column, weights in ((awards.accept_column, accept), (awards.extra_column, extra)):
            for j in np.flatnonzero((column >= 0) & (weights != 0)).tolist():
                coefficients.append(float(weights[j]))
                variables.append(awards.columns[column[j]])
        if number == 0:
            coefficients += [-weight for weight in penalties.linear_coefs]
            variables += penalties.linear_vars
        model.level[number] = LinearExpression(constant=0, linear_coefs=coefficients, linear_vars=variables)
        model.level[number].sense = pyo.maximize
        if number:
            model.level[number].deactivate()
