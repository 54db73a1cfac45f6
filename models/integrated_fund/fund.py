"""The fund: a round's ledger and its mixed-integer programme, put together from the blocks.

Blocks with a column or a row for each project (awards, links, cells) state their equations as sparse pieces. `Fund`
makes Pyomo objects of them, for people to read and extend. Where a million Pyomo objects would cost more than the
solve, a compact fund keeps the pieces as they are: its model has only what is written over cells (sources, rules,
penalties), and the solver is handed the same programme.
"""

from __future__ import annotations

from copy import copy

import pyomo.environ as pyo

from integrated_fund.awards import Awards
from integrated_fund.cells import Cells
from integrated_fund.collector import collector_paused
from integrated_fund.evaluation import Appraisal
from integrated_fund.ledger import Floats, Ledger
from integrated_fund.links import Links
from integrated_fund.objectives import add_objectives, gains_by_column
from integrated_fund.pieces import Columns, Rows
from integrated_fund.round import Round
from integrated_fund.rules import add_rules
from integrated_fund.sources import SourceClasses, add_sources, source_classes

#: With more choices than this a fund that is only to be solved is compact.
COMPACT_FROM = 20_000


class Fund:
    """A round formulated. `model` is an ordinary Pyomo model: constraints of one's own can be put on it.

    Columns are numbered decisions first (accept, extra, together), cells next, and then what else the model has.

    Attributes:
        compact: whether the decisions, their rows and the definitions of cells are pieces only and not in `model`.
        ledger, appraisal: the round's exact side.
        classes: sources and eligibility classes.
        model: the programme; its objectives are `model.level[0]` (active), `model.level[1]`, …
        awards, links, cells: the blocks of decisions and cells.
        decisions: the columns of the decisions, and `variables` these in the model (empty where compact).
        rows: the rows of awards, links and cells.
        level_coefficients: what decisions count in each level, shape (levels, decisions).
    """

    def __init__(self, round_: Round, *, compact: bool = False, ledger: Ledger | None = None) -> None:
        """Formulate a round; `ledger` is the round's where it has been made before."""
        with collector_paused():
            self.round = round_
            self.compact = compact
            self.ledger = Ledger(round_) if ledger is None else ledger
            self.appraisal = Appraisal(self.ledger)
            self.classes: SourceClasses = source_classes(self.ledger)
            self.model = pyo.ConcreteModel(name="integrated fund")
            self.model.zero = pyo.Var(bounds=(0, 0))  # stands where a row would have no variable
            self.awards = Awards(self.ledger)
            self.links = Links(self.ledger, self.awards)
            self.decisions: tuple[Columns, ...] = (*self.awards.columns, self.links.columns)
            size = sum(len(columns.lower) for columns in self.decisions)
            self.variables: list[pyo.Var] = []
            if not compact:
                for columns in self.decisions:
                    self.variables += columns.variables_in(self.model)
            limits = self.appraisal.limits
            totals = [*limits.totals, *self.classes.totals()]
            self.cells = Cells(self.model, self.ledger, self.awards, size, totals)
            self.rows: tuple[Rows, ...] = (*self.awards.rows, *self.links.rows, self.cells.rows)
            if not compact:
                for rows in self.rows:
                    rows.add_to(self.model, [*self.variables, *self.cells.variables])
            add_sources(self.model, self.classes, self.cells, range(len(limits.totals), len(totals)))
            penalties = add_rules(self.model, limits, self.cells)
            levels, gains = self.appraisal.levels, self.appraisal.gains
            self.level_coefficients: Floats = gains_by_column(self.awards, size, levels, gains, self.links.value)
            add_objectives(self.model, self.level_coefficients, self.variables, penalties)

    def moved(self, round_: Round) -> Fund:
        """Return this fund for a round that differs in amounts of sources and bounds of rules alone.

        Everything exact speaks of the new round; the model and the pieces stay this fund's (`moved_arrays` has them
        moved).
        """
        fund = copy(self)
        fund.round = round_
        fund.ledger = self.ledger.with_round(round_)
        fund.appraisal = self.appraisal.moved(fund.ledger)
        fund.classes = self.classes.moved(round_)
        return fund

    def accepted(self, project: str) -> pyo.Expression:
        """Return 1 if a project is accepted, as an expression for constraints of one's own.

        Raises:
            CompactFund: the projects are not in the model.
        """
        return sum(self._variable(column) for column in self.awards.accepted(project))

    def award(self, project: str) -> pyo.Expression:
        """Return the award of a project in the round's unit, as an expression for constraints of one's own.

        Raises:
            CompactFund: the projects are not in the model.
        """
        step = float(self.ledger.step)
        terms = 0
        for j in self.ledger.choices_of[project]:
            accept, extra = int(self.awards.accept_column[j]), int(self.awards.extra_column[j])
            if accept >= 0:
                terms += step * int(self.ledger.low[j]) * self._variable(accept)
            if extra >= 0:
                terms += step * self._variable(extra)
        return terms

    def _variable(self, column: int) -> pyo.Var:
        if self.compact:
            raise CompactFund("a compact fund has no projects in its Pyomo model: take the one formulate(round_) makes")
        return self.variables[column]


class CompactFund(Exception):
    """Something was asked of a compact fund that only the whole Pyomo model has."""


def fund_for_solving(round_: Round) -> Fund:
    """Return a round formulated to be solved and not to be extended: compact where it is large."""
    with collector_paused():
        ledger = Ledger(round_)
        return Fund(round_, compact=len(ledger.choices) > COMPACT_FROM, ledger=ledger)
