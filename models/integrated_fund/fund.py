"""The fund: a round's ledger and its mixed-integer programme in Pyomo, put together from the blocks."""

from __future__ import annotations

import pyomo.environ as pyo

from integrated_fund.awards import Awards
from integrated_fund.cells import Cells
from integrated_fund.collector import collector_paused
from integrated_fund.evaluation import Appraisal
from integrated_fund.ledger import Ledger
from integrated_fund.links import add_links
from integrated_fund.objectives import add_objectives
from integrated_fund.round import Round
from integrated_fund.rules import add_rules
from integrated_fund.sources import SourceClasses, add_sources, source_classes


class Fund:
    """A round formulated. `model` is an ordinary Pyomo model: constraints of one's own can be put on it.

    Attributes:
        ledger, appraisal: the round's exact side.
        classes: sources and eligibility classes.
        model: the programme; its objectives are `model.level[0]` (active), `model.level[1]`, …
        awards, cells: the decision columns and the cells in the model.
    """

    def __init__(self, round_: Round) -> None:
        with collector_paused():
            self.round = round_
            self.ledger = Ledger(round_)
            self.appraisal = Appraisal(self.ledger)
            self.classes: SourceClasses = source_classes(self.ledger)
            self.model = pyo.ConcreteModel(name="integrated fund")
            self.model.zero = pyo.Var(bounds=(0, 0))  # stands where a row would have no variable
            self.awards = Awards(self.model, self.ledger)
            limits = self.appraisal.limits
            totals = [*limits.totals, *self.classes.totals()]
            self.cells = Cells(self.model, self.ledger, self.awards, totals)
            add_sources(self.model, self.classes, self.cells, range(len(limits.totals), len(totals)))
            penalties = add_rules(self.model, limits, self.cells)
            synergies = add_links(self.model, self.ledger, self.awards)
            add_objectives(self.model, self.awards, self.appraisal.levels, self.appraisal.gains, synergies, penalties)

    def accepted(self, project: str) -> pyo.Expression:
        """Return 1 if a project is accepted, as an expression for constraints of one's own."""
        return self.awards.accepted(project)

    def award(self, project: str) -> pyo.Expression:
        """Return the award of a project in the round's unit, as an expression for constraints of one's own."""
        step = float(self.ledger.step)
        terms = 0
        for j in self.ledger.choices_of[project]:
            accept, extra = self.awards.accept_column[j], self.awards.extra_column[j]
            if accept >= 0:
                terms += step * self.ledger.choices[j].low * self.awards.columns[accept]
            if extra >= 0:
                terms += step * self.awards.columns[extra]
        return terms
