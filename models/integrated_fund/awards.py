r"""Awards: which choice of each project is accepted, and how much it gets.

    accept[j] in {0, 1}                        one for each choice of a project that is not a block grant
    extra[j]  in {0, …, high[j] - low[j]}      whole steps above the minimum, where the award can vary

    award[j] = low[j] · accept[j] + extra[j]   (steps)
    extra[j] <= (high[j] - low[j]) · accept[j]
    Σ_{j of p} accept[j] <= 1                  mandatory: = 1; excluded: accept[j] = 0, extra[j] = 0

All-or-nothing choices have no `extra`; block grants have only that (low = 0, no accept).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression

from integrated_fund.ledger import Codes, Ledger
from integrated_fund.names import distinct_names


class Awards:
    """The decision columns of the model: `columns[accept_column[j]]`, `columns[extra_column[j]]` (-1: has none)."""

    def __init__(self, model: pyo.ConcreteModel, ledger: Ledger) -> None:
        self.ledger = ledger
        choices = ledger.choices
        self.names = distinct_names("_".join(str(part) for part in choice.key if part) for choice in choices)
        accepting = [j for j, choice in enumerate(choices) if not choice.is_block_grant]
        varying = [j for j, choice in enumerate(choices) if not choice.is_all_or_nothing]

        model.accept = pyo.Var([self.names[j] for j in accepting], domain=pyo.Binary)
        model.extra = pyo.Var([self.names[j] for j in varying], domain=pyo.NonNegativeIntegers)
        self.accept_column: Codes = np.full(len(choices), -1, dtype=np.int64)
        self.extra_column: Codes = np.full(len(choices), -1, dtype=np.int64)
        self.columns: list[pyo.Var] = []
        for j in accepting:
            self.accept_column[j] = len(self.columns)
            self.columns.append(model.accept[self.names[j]])
        for j in varying:
            self.extra_column[j] = len(self.columns)
            variable = model.extra[self.names[j]]
            variable.setub(choices[j].high - choices[j].low)
            self.columns.append(variable)

        model.extra_only_if_accepted = pyo.Constraint(pyo.Any)
        for j in varying:
            if not choices[j].is_block_grant:
                model.extra_only_if_accepted[self.names[j]] = (
                    LinearExpression(
                        constant=0,
                        linear_coefs=[1, choices[j].low - choices[j].high],
                        linear_vars=[model.extra[self.names[j]], model.accept[self.names[j]]],
                    )
                    <= 0
                )
        model.one_choice = pyo.Constraint(pyo.Any)
        project_names = distinct_names(project.project for project in ledger.projects)
        for project, name in zip(ledger.projects, project_names, strict=True):
            numbers = ledger.choices_of[project.project]
            if project.status == "excluded":
                for j in numbers:
                    for column in (self.accept_column[j], self.extra_column[j]):
                        if column >= 0:
                            self.columns[column].setub(0)
            elif not project.is_block_grant and (len(numbers) > 1 or project.status == "mandatory"):
                accepted = self.accepted(project.project)
                model.one_choice[name] = accepted == 1 if project.status == "mandatory" else accepted <= 1

    def accepted(self, project: str) -> LinearExpression:
        """Return 1 if a project is accepted, as an expression."""
        return self.accepted_by(self.ledger.choices_of[project])

    def accepted_by(self, choices: Sequence[int]) -> LinearExpression:
        """Return 1 if one of these choices of a project is accepted, as an expression."""
        columns = [self.columns[self.accept_column[j]] for j in choices]
        return LinearExpression(constant=0, linear_coefs=[1] * len(columns), linear_vars=columns)

    def coefficients(
        self, constant: Sequence[Fraction], slope: Sequence[Fraction], scale: Fraction
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return what a value constant · accept + slope · award counts by `accept` and by `extra`, divided by scale."""
        per_extra = np.array([float(value / scale) if value else 0.0 for value in slope])
        per_accept = np.array(
            [
                float((value + choice_slope * choice.low) / scale)
                for value, choice_slope, choice in zip(constant, slope, self.ledger.choices, strict=True)
            ]
        )
        return per_accept, per_extra
