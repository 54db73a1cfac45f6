"""What overrides cost, from what is known of optima with and without them.

A search may end with a gap, so a cost is an interval proven by two plans and two bounds. A round without an override
has every plan of the round with it, unless the override goes against the workbook (a project that is excluded is
forced, a mandatory one forbidden). Where it has, it is worth at least as much: what was found for it is lifted to the
plan with overrides, and noise never shows as a gain. Where it has not, the cost may be negative.

Values are those of the objective as a plan states them; in a lexicographic round, of its first priority.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from integrated_fund.evaluation import Decision
from optalloc.plan.overrides import UNKNOWN, Cost
from optalloc.plan.plan import Plan, Status, stated, stated_above


@dataclass(frozen=True)
class Optimum:
    """What is known of a round's optimum: the best value found (None: no plan), the decision, a bound on all."""

    found: Fraction | None = None
    bound: Fraction | None = None
    infeasible: bool = False
    decision: Decision | None = None

    @classmethod
    def of(cls, plan: Plan) -> Optimum:
        """Return what a plan says of its round's optimum."""
        return cls(Fraction(plan.objective), None if plan.bound is None else Fraction(plan.bound))

    def lifted(self, other: Optimum) -> Optimum:
        """Return the optimum of a round that has every plan of another one; nothing found by itself stays nothing."""
        if self.found is None or other.found is None:
            return self
        return replace(self, found=max(self.found, other.found))

    def lowered(self, other: Optimum) -> Optimum:
        """Return the optimum of a round whose plans all are plans of another one."""
        bound = min((value for value in (self.bound, other.bound) if value is not None), default=None)
        return replace(self, bound=bound)

    def status(self, gap: Decimal) -> Status:
        """Return how the search for it ended."""
        if self.found is None:
            return "infeasible" if self.infeasible else "unknown"
        if self.bound is None or self.bound - self.found > Fraction(gap) * abs(self.found):
            return "feasible"
        return "optimal"


@dataclass(frozen=True)
class Optima:
    """Optima with all overrides, without any, and without one each (none of these where they were not searched)."""

    best: Optimum
    without: Optimum
    rests: Sequence[Optimum] = ()

    def reconciled(self, wide: Sequence[bool]) -> Optima:
        """Return them with every plan and bound that the other ones lend; `wide`: which go against the workbook."""
        best, without, rests = self.best, self.without, list(self.rests)
        # Whether the round without any override has every plan of the round without this one.
        inside = [sum(wide) == against for against in wide]
        for at, rest in enumerate(rests):
            rests[at] = rest if wide[at] else rest.lifted(best)
            without = without.lifted(rests[at]) if inside[at] else without
        for at, rest in enumerate(rests):
            rests[at] = rest.lowered(without) if inside[at] else rest
            best = best if wide[at] else best.lowered(rests[at])
        if not any(wide):
            best, without = best.lowered(without), without.lifted(best)
        return Optima(best, without, rests)

    def costs(self, wide: Sequence[bool]) -> tuple[Cost, list[Cost]]:
        """Return what all overrides cost together, and what each does with the others kept."""
        together = cost_between(self.without, self.best, contains=not any(wide))
        if len(wide) == 1:
            return together, [together]
        if not self.rests:
            return together, [UNKNOWN] * len(wide)
        own = [
            cost_between(rest, self.best, contains=not against) for rest, against in zip(self.rests, wide, strict=True)
        ]
        return together, own


def cost_between(loose: Optimum, tight: Optimum, *, contains: bool) -> Cost:
    """Return what it costs to go from one round to another; `contains`: the first has every plan of the second."""
    if tight.found is None:
        return UNKNOWN
    low = None if loose.found is None or tight.bound is None else loose.found - tight.bound
    if contains:
        low = max(low or Fraction(0), Fraction(0))
    high = None if loose.bound is None else loose.bound - tight.found
    found = None if loose.found is None else stated(loose.found - tight.found)
    if found is not None and low == high is not None:
        return Cost(found, found, found)
    return Cost(
        None if low is None else Decimal(0) - stated_above(-low), None if high is None else stated_above(high), found
    )
