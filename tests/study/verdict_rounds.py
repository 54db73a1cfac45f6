"""Random rounds for verdicts, changed in one way at a time, and what enumeration says of them."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from integrated_fund.fund import Fund
from optalloc.plan.verdicts import Explanation
from optalloc.solve.certificate import Certificate
from optalloc.solve.manifest import Request
from optalloc.solve.progress import Watch
from optalloc.solve.solution import NoPlan, Solution, solution_of
from optalloc.study.prices.priced import certificate_of
from optalloc.study.prices.relaxation import Relaxation
from optalloc.study.verdicts.explanations import explained
from optalloc.workbook.grid import Tables
from tests.rule_texts.oracle import Answer
from tests.rule_texts.rounds import random_tables
from tests.support.tables import round_of

Row = dict[str, object]


def plain_tables(seed: int) -> Tables:
    """Return a random round without a discount, so that a bonus counts the same whatever year it falls in."""
    tables = random_tables(random.Random(seed))
    tables["Round"] = [row for row in tables["Round"] if row["setting"] != "discount"]
    return tables


def solved(tables: Tables) -> tuple[Solution, Certificate] | None:
    """Return a round's solution and the certificate of its prices; None where it has no plan."""
    solution = solution_of(Fund(round_of(tables)), Watch(), Request(Decimal(0)))
    if isinstance(solution, NoPlan):
        return None
    return solution, certificate_of(solution, Relaxation(solution, 0, Watch()))


def explain(tables: Tables, *projects: str) -> tuple[Explanation, ...]:
    """Return explanations of projects of a round that has a plan."""
    found = solved(tables)
    assert found is not None
    return explained(*found, projects, Watch())


def with_cells(tables: Tables, project: str, **cells: object) -> Tables:
    """Return a round with other cells of a project."""
    changed = copy.deepcopy(tables)
    for row in changed["Projects"]:
        if row["project"] == project:
            row.update(cells)
    return changed


def with_bonus(tables: Tables, project: str, bonus: Decimal) -> Tables:
    """Return a round in which a project, once accepted, is worth so much more in the first level (less: negative)."""
    changed = copy.deepcopy(tables)
    for row in changed["Projects"]:
        row["bonus"] = abs(bonus) if row["project"] == project else 0
    first = min((row["priority"] for row in changed["Criteria"] if row.get("priority")), default=None, key=int_of)
    tolerances = [row.get("tolerance") for row in changed["Criteria"] if row.get("priority") == first]
    criterion: Row = {"criterion": "bonus", "weight": 1, "direction": "max" if bonus >= 0 else "min"}
    if first is not None:
        criterion |= {"priority": first, "tolerance": tolerances[0]}
        for row in changed["Criteria"]:
            row["weight"] = 1 if row.get("weight") is None else row["weight"]
    changed["Criteria"].append(criterion)
    return changed


def int_of(value: object) -> int:
    assert isinstance(value, int)
    return value


def with_awards(tables: Tables, project: str, factor: Fraction, step: Fraction) -> Tables:
    """Return a round with all amounts of a project times a factor, in whole steps, one at least."""
    changed = copy.deepcopy(tables)
    for row in [*changed["Projects"], *changed.get("Options", [])]:
        for column in ("min_award", "max_award"):
            if row["project"] == project and row.get(column):
                amount = max(step, Fraction(str(row[column])) * factor // step * step)
                row[column] = Decimal(amount.numerator) / Decimal(amount.denominator)
    return changed


def with_budget(tables: Tables, factor: Fraction, step: Fraction) -> Tables:
    """Return a round with all sources times a factor, rounded down to whole steps."""
    changed = copy.deepcopy(tables)
    for row in changed["Sources"]:
        amount = Fraction(str(row["amount"])) * factor // step * step
        row["amount"] = Decimal(amount.numerator) / Decimal(amount.denominator)
    return changed


def ways(answer: Answer, project: str) -> set[bool]:
    """Return whether a project is in best plans: in some, out of some, or both."""
    return {project in plan for plan in answer.optimal}


def is_tolerant(tables: Tables) -> bool:
    """Whether the first of several levels may be given away in part."""
    priorities = [row.get("priority") for row in tables["Criteria"]]
    if len(set(priorities)) < 2:
        return False
    first = min(int_of(priority) for priority in priorities)
    return all(row.get("tolerance") for row in tables["Criteria"] if row.get("priority") == first)


def place(names: Sequence[str], project: str) -> int:
    """Return the position of a project in sorted order."""
    return sorted(names).index(project)
