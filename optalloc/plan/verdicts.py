"""Verdicts as plain values: what was decided about each project, why, and what it would take to decide otherwise.

They are made by `optalloc.study`, and written and printed as they stand. Money is in the round's unit, benefit and
costs in units of the objective's first level. `Fraction`s are exact: costs add up to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from integrated_fund.round import Status

#: `cut back`: funded with less than the most that its best option can take.
Decided = Literal["funded", "cut back", "not funded"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about a project, and what the prices say of it.

    `option`, `start` and `award` are the plan's where it is funded, else those it is judged by: its choice of greatest
    reduced worth. `worth` is that choice's benefit, `cost` what its lines cost at the certificate's prices (None: no
    source may pay for it), `reduced` = worth - cost. `blocked_by` names what adding it to the plan (or, where it is cut
    back, adding a step to its award) would break.

    `score_bound` is proven from the prices alone: a project that is not funded takes a benefit of at least this to be
    in a best plan; one that is funded stays in every best plan while its benefit is above this. None where the prices
    say nothing: block grants, projects that their status decides, and where no plan decides otherwise.
    """

    project: str
    title: str | None
    status: Status
    decision: Decided
    option: str | None
    start: int | None
    award: Decimal
    worth: Fraction
    cost: Fraction | None
    blocked_by: tuple[str, ...]
    score_bound: Decimal | None
    sentence: str

    @property
    def is_funded(self) -> bool:
        """Whether it is in the plan."""
        return self.decision != "not funded"

    @property
    def reduced(self) -> Fraction | None:
        """Its benefit less what it costs at the prices."""
        return None if self.cost is None else self.worth - self.cost


@dataclass(frozen=True, slots=True)
class CostLine:
    """What a project costs in one row at the certificate's prices: price · amount.

    A rule's amount is what the project adds to the row's left side less the share of what it adds to the base. A
    source's amount is the money of the eligibility classes whose cheapest source it is; the price is the class's.
    """

    kind: Literal["rule", "source"]
    rule: str
    member: str | None
    amount: Fraction
    price: Fraction

    @property
    def cost(self) -> Fraction:
        """Price times amount."""
        return self.price * self.amount


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a decision turns: at `held` it is what it is, at `at` it is the other one (for a score, where both are
    equal, the decision turns beyond that value). `proven`: the other one is proven at `at`; else it is only the best
    plan found that decides otherwise. `found`: the value nearest to today's at which the best plan found does. Both are
    None where no value was found to turn it, while at `held` it is proven to be what it is.
    """

    at: Decimal | None
    held: Decimal
    proven: bool
    found: Decimal | None


@dataclass(frozen=True, slots=True)
class Otherwise:
    """The best plan with the project decided the other way: what that costs, and who enters and leaves.

    The objective's loss lies between `low` and `high` (None: no limit is known), both proven; `found` compares the best
    plans known. All are one where both rounds are proven. None is negative where the decision is free; where a status
    decides, a negative loss is what the other decision gains.
    """

    low: Decimal | None
    high: Decimal | None
    found: Decimal
    enters: tuple[str, ...]
    leaves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict found exactly, by solving the round again.

    `costs` add up to the verdict's cost, dearest first; there are none where no source may pay. `alone` are those of
    `verdict.blocked_by` whose removal alone brings the project in; of these `alone_found` only in the best plan found,
    the others with proof. `undecided` are those of which neither was found. `award`, `score` and `budget` are where the
    decision turns, None where it does not or where that was not found (`given_up` says why). `otherwise` is None where
    none was found, or there is none (`only_way`).
    """

    verdict: Verdict
    costs: tuple[CostLine, ...]
    alone: tuple[str, ...]
    alone_found: tuple[str, ...]
    undecided: tuple[str, ...]
    award: Turn | None
    score: Turn | None
    budget: Turn | None
    otherwise: Otherwise | None
    only_way: bool
    given_up: str | None
    sentence: str

    @property
    def displaces(self) -> tuple[str, ...]:
        """The projects that its being in the plan keeps, or would push, out."""
        if self.otherwise is None:
            return ()
        return self.otherwise.enters if self.verdict.is_funded else self.otherwise.leaves
