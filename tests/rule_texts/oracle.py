"""A second, independent reading of the rule texts: small rounds enumerated in exact arithmetic.

Written from the workbook contract alone. It shares no code with the reader, the ledger, the model or the verification,
so where two readings agree on many random rounds, they agree on the texts. Meant for some 20,000 vectors a round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from optalloc.workbook.grid import Tables
from tests.rule_texts.cells import World, world_of
from tests.rule_texts.judging import Decision, Decisions, Evaluation, RuleResult, evaluate_in, levels_of
from tests.rule_texts.search import Search, Vector

__all__ = ["Answer", "Decision", "Decisions", "Evaluation", "RuleResult", "best", "evaluate"]

#: How many optimal decision vectors an answer holds at most.
CAP = 200


@dataclass(frozen=True)
class Answer:
    """The optimum of a round.

    `optima`: of each level, given the earlier ones (an optimal plan may lie below those by the tolerances).
    `optimal`: the optimal decision vectors, at most `CAP` of them (`complete`: all). `combinations`: how many decision
    vectors there are at all.
    """

    optima: tuple[Fraction, ...]
    optimal: tuple[Decisions, ...]
    complete: bool
    combinations: int

    @property
    def objective(self) -> Fraction:
        """The optimum of the first level."""
        return self.optima[0]


def evaluate(tables: Tables, decisions: Decisions) -> Evaluation:
    """Judge a decision vector, {project: (option, start, award)}; projects that are not in it get nothing.

    Raises ValueError for a project or an option the round does not have.
    """
    return evaluate_in(world_of(tables), decisions)


def best(tables: Tables) -> Answer | None:
    """Return the optimum by enumeration; None where the round has no plan."""
    return best_in(world_of(tables))


def best_in(world: World) -> Answer | None:
    """Return the optimum of a round; see `best`."""
    search = Search(world)
    left = list(search.vectors())
    optima: list[int] = []
    tolerance = {goal.name: goal.tolerance for goal in world.goals}
    levels = levels_of(world)
    for level, names in enumerate(levels):
        left.sort(key=lambda found: -found[0][level])
        first = next((found for found in left if search.pays(found[1])), None)
        if first is None:
            return None
        optima.append(first[0][level])
        # Levels are whole numbers of units, so the least that must be kept may be rounded up.
        given_up = min(tolerance[name] for name in names) if level < len(levels) - 1 else Fraction(0)
        least = ceil(optima[level] - given_up * abs(optima[level]))
        left = [found for found in left if found[0][level] >= least]
    plans = _payable(search, [vector for _, vector in left])
    return Answer(
        optima=tuple(Fraction(optimum, search.unit) for optimum in optima),
        optimal=tuple(_decisions(search, vector) for vector in plans[:CAP]),
        complete=len(plans) <= CAP,
        combinations=search.size,
    )


def _payable(search: Search, vectors: Sequence[Vector]) -> list[Vector]:
    found: list[Vector] = []
    for vector in sorted(vectors):
        if len(found) > CAP:
            break
        if search.pays(vector):
            found.append(vector)
    return found


def _decisions(search: Search, vector: Vector) -> dict[str, Decision]:
    world = search.world
    found: dict[str, Decision] = {}
    for work, ways, number in zip(world.works, search.choices, vector, strict=True):
        choice = ways[number]
        if choice is not None:
            found[work.name] = (choice.option, None if len(world.years) == 1 else choice.start, choice.award)
    return found
