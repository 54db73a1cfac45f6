r"""Rules: one named row for each member of each rule, over cells.

    Σ_{c in member} cell[c] - share · Σ_{c in base} cell[c]   >=, <=, =   constant

A soft rule gets non-negative violations, taken off the objective at its penalty for each unit of the left side:

    left + short >= right,   left - over <= right,   left + short - over = right
"""

from __future__ import annotations

from fractions import Fraction

import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression

from integrated_fund.cells import Cells
from integrated_fund.limits import Limits


def add_rules(model: pyo.ConcreteModel, limits: Limits, cells: Cells) -> LinearExpression:
    """Add the rows; return what the penalties take off the objective, in the objective's own unit."""
    soft = [row for row in limits.rows if row.rule.penalty is not None]
    model.short = pyo.Var([row.name for row in soft if row.rule.sense != "<="], domain=pyo.NonNegativeReals)
    model.over = pyo.Var([row.name for row in soft if row.rule.sense != ">="], domain=pyo.NonNegativeReals)
    model.rule = pyo.Constraint(pyo.Any)
    penalty_coefficients: list[float] = []
    penalty_variables: list[pyo.Var] = []
    for row in limits.rows:
        scale = cells.scale[limits.totals[row.activity].measure]
        coefficient: dict[int, float] = {}
        variable: dict[int, pyo.Var] = {}
        for cell in cells.terms(row.activity):
            variable[id(cell)] = cell
            coefficient[id(cell)] = 1.0
        if row.base is not None:
            ratio = float(row.share * cells.scale[limits.totals[row.base].measure] / scale)
            for cell in cells.terms(row.base):
                variable[id(cell)] = cell
                coefficient[id(cell)] = coefficient.get(id(cell), 0.0) - ratio
        for violation, sign in ((model.short, 1.0), (model.over, -1.0)):
            if row.name in violation:
                assert row.rule.penalty is not None
                variable[id(violation[row.name])] = violation[row.name]
                coefficient[id(violation[row.name])] = sign
                penalty_variables.append(violation[row.name])
                penalty_coefficients.append(float(Fraction(row.rule.penalty) * scale))
        bound = float(row.constant / scale)
        if not any(coefficient.values()):  # no decision can change the row now; with another bound it may say something
            variable[id(model.zero)], coefficient[id(model.zero)] = model.zero, 1.0
        left = LinearExpression(
            constant=0,
            linear_coefs=[coefficient[key] for key in variable],
            linear_vars=list(variable.values()),
        )
        if row.rule.sense == ">=":
            model.rule[row.name] = left >= bound
        elif row.rule.sense == "<=":
            model.rule[row.name] = left <= bound
        else:
            model.rule[row.name] = left == bound
    return LinearExpression(constant=0, linear_coefs=penalty_coefficients, linear_vars=penalty_variables)
