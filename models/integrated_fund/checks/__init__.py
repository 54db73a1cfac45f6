"""The checks on a round: small functions round -> problems, run in the order of one list.

`references`, `awards`, `measures`, `rules`, `links` and `suspicions` look at rows and take a round with any mistakes in
it. `reach` adds up the ledger (`money`, `proofs`) and so is run only on a round without errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from integrated_fund.checks import awards, links, measures, reach, references, rules, suspicions
from integrated_fund.problem import Problem
from integrated_fund.round import Origin, Round

Check = Callable[[Round], Iterable[Problem]]

#: Checks on rows: they take a round with dangling references and contradictions.
ON_ROWS: tuple[Check, ...] = (
    references.project_references,
    references.option_references,
    references.link_references,
    references.measure_references,
    references.attribute_references,
    references.filters,
    awards.source_years,
    awards.amounts,
    awards.options,
    awards.block_grants,
    awards.starts,
    awards.digits,
    measures.blank_measures,
    measures.option_measures,
    rules.bases,
    rules.comparisons,
    rules.attributes,
    rules.eaches,
    links.link_fields,
    links.contradictions,
    suspicions.unit_slips,
    suspicions.projects_alike,
)

#: Checks that add up the ledger: only for a round without errors.
ON_LEDGER: tuple[Check, ...] = (reach.within_reach,)

#: Warnings that prove that there is no plan.
NO_PLAN = frozenset({"rule_unmeetable_below", "rule_unmeetable_money", "rule_unmeetable_above", "mandatory_unpayable"})

CHECKS: tuple[Check, ...] = (*ON_ROWS, *ON_LEDGER)


def check(round_: Round, *, rows_only: bool = False) -> tuple[Problem, ...]:
    """Return every problem of a round, in the order of sheets, rows and columns.

    Where a check on rows finds an error, the checks on the ledger are left out: sums over a round with mistakes say
    nothing. `rows_only` says that such mistakes are known already.
    """
    found = [problem for on_rows in ON_ROWS for problem in on_rows(round_)]
    if not rows_only and not any(problem.severity == "error" for problem in found):
        found += [problem for on_ledger in ON_LEDGER for problem in on_ledger(round_)]
    order = _sheets(round_)
    return tuple(sorted(found, key=lambda problem: _position(problem, order)))


def _sheets(round_: Round) -> dict[str, int]:
    """Return the names of the round's sheets and files in the order of the workbook's sheets."""
    origins: list[Origin] = list(round_.settings.values())[:1]
    for rows in (
        round_.sources,
        round_.sectors,
        round_.regions,
        round_.projects,
        round_.options,
        round_.criteria,
        round_.rules,
        round_.links,
    ):
        origins += [row.origin for row in rows[:1]]
    return {origin.table.name: number for number, origin in enumerate(origins)}


def _position(problem: Problem, order: dict[str, int]) -> tuple[int, int, int, str]:
    place = problem.place
    if place is None or place.cell is None:
        return (-1, 0, 0, "")
    row, column = place.row_and_column
    return (order.get(place.sheet, len(order)), row, len(column), column)
