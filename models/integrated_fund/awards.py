r"""Awards: which choice of each project is accepted, and how much it gets.

    accept[j] in {0, 1}                        one for each choice of a project that is not a block grant
    extra[j]  in {0, …, high[j] - low[j]}      whole steps above the minimum, where the award can vary

    award[j] = low[j] · accept[j] + extra[j]   (steps)
    extra[j] <= (high[j] - low[j]) · accept[j]
    Σ_{j of p} accept[j] <= 1                  mandatory: = 1; excluded: accept[j] = 0, extra[j] = 0

All-or-nothing choices have no `extra`; block grants have only that (low = 0, no accept).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from scipy import sparse

from integrated_fund.ledger import Codes, Floats, Ledger
from integrated_fund.names import distinct_names
from integrated_fund.pieces import Columns, Rows


class Awards:
    """The first columns of the programme: `accept`, then `extra`, both in the order of the ledger's choices.

    Attributes:
        accept_column, extra_column: the column of each choice's decision (-1: has none), shape (choices,).
        size: how many columns there are.
        columns, rows: the pieces.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        accepting = np.flatnonzero(~ledger.is_block_grant)
        varying = np.flatnonzero(ledger.is_block_grant | (ledger.low < ledger.high))
        self.size = len(accepting) + len(varying)
        self.accept_column: Codes = np.full(len(ledger.low), -1, dtype=np.int64)
        self.extra_column: Codes = np.full(len(ledger.low), -1, dtype=np.int64)
        self.accept_column[accepting] = np.arange(len(accepting))
        self.extra_column[varying] = np.arange(len(accepting), self.size)

        status = np.array([project.status for project in ledger.projects], dtype=np.str_)
        allowed = (status != "excluded")[ledger.project_of]
        self.columns = (
            Columns(
                "accept",
                lambda: [self.names[j] for j in accepting.tolist()],
                pyo.Binary,
                np.zeros(len(accepting)),
                allowed[accepting].astype(np.float64),
            ),
            Columns(
                "extra",
                lambda: [self.names[j] for j in varying.tolist()],
                pyo.NonNegativeIntegers,
                np.zeros(len(varying)),
                np.where(allowed, ledger.high - ledger.low, 0)[varying].astype(np.float64),
            ),
        )
        both = varying[~ledger.is_block_grant[varying]]
        self.rows = (self._only_if_accepted(both), self._one_choice(status))

    @cached_property
    def names(self) -> list[str]:
        """An ASCII name for each choice."""
        return distinct_names("_".join(str(part) for part in choice.key if part) for choice in self.ledger.choices)

    def _only_if_accepted(self, choices: Codes) -> Rows:
        """extra[j] - (high[j] - low[j]) · accept[j] <= 0."""
        ledger = self.ledger
        span = (ledger.high - ledger.low)[choices]
        matrix = sparse.csr_matrix(
            (
                np.column_stack([-span, np.ones(len(choices))]).reshape(-1),
                np.column_stack([self.accept_column[choices], self.extra_column[choices]]).reshape(-1),
                np.arange(0, 2 * len(choices) + 1, 2),
            ),
            shape=(len(choices), self.size),
        )
        return Rows(
            "extra_only_if_accepted",
            lambda: [self.names[j] for j in choices.tolist()],
            matrix,
            np.full(len(choices), -np.inf),
            np.zeros(len(choices)),
        )

    def _one_choice(self, status: npt.NDArray[np.str_]) -> Rows:
        """Σ accept[j] <= 1, or = 1 for a mandatory project. A single candidate needs no row."""
        ledger = self.ledger
        count = np.bincount(ledger.project_of, minlength=len(ledger.projects))
        block_grant = np.zeros(len(ledger.projects), dtype=np.bool_)
        block_grant[ledger.project_of] = ledger.is_block_grant
        stated = ~block_grant & (status != "excluded") & ((count > 1) | (status == "mandatory"))
        projects = np.flatnonzero(stated)
        columns = self.accept_column[stated[ledger.project_of]]
        matrix = sparse.csr_matrix(
            (np.ones(len(columns)), columns, np.concatenate([[0], np.cumsum(count[projects])])),
            shape=(len(projects), self.size),
        )

        def keys() -> list[str]:
            names = distinct_names(project.project for project in ledger.projects)
            return [names[number] for number in projects.tolist()]

        lower = np.where(status[projects] == "mandatory", 1.0, -np.inf)
        return Rows("one_choice", keys, matrix, lower, np.ones(len(projects)))

    def accepted(self, project: str) -> list[int]:
        """Return the columns whose sum is 1 if a project is accepted."""
        return [int(self.accept_column[j]) for j in self.ledger.choices_of[project]]

    def coefficients(self, constant: Floats, slope: Floats) -> tuple[Floats, Floats]:
        """Return what a value constant · accept + slope · award counts by `accept` and by `extra` of each choice."""
        return constant + slope * self.ledger.low, slope

    def by_column(self, per_accept: Floats, per_extra: Floats) -> Floats:
        """Return coefficients by choice as coefficients by column, shape (size,)."""
        found = np.zeros(self.size)
        for column, values in ((self.accept_column, per_accept), (self.extra_column, per_extra)):
            found[column[column >= 0]] = values[column >= 0]
        return found
