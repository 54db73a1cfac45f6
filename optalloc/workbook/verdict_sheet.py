"""The Verdicts sheet of the plan workbook: every project, what was decided about it, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from optalloc.plan.plan import stated
from optalloc.plan.verdicts import Decided, Verdict
from optalloc.workbook.plan_sheets import PlanBook
from optalloc.workbook.plan_table import Column

_DECISIONS: Mapping[Decided, str] = MappingProxyType(
    {"funded": "is_funded", "cut back": "is_cut_back", "not funded": "is_declined"}
)
#: Decimals of worth and cost that are shown; the cells hold fifteen digits.
_PLACES = 4
#: Widths at which texts are wrapped, so that a page is read without a glass.
_TITLE, _BLOCKED, _SENTENCE = 40, 34, 70


def write_verdicts(out: PlanBook, verdicts: Sequence[Verdict]) -> None:
    """Write a row for every project, in the order given; the award is the plan's, blank where there is none."""
    costs = [None if row.cost is None else stated(row.cost) for row in verdicts]
    reduced = [None if row.reduced is None else stated(row.reduced) for row in verdicts]
    out.table(
        "Verdicts",
        [
            Column(out.word("project"), [row.project for row in verdicts]),
            Column(out.word("title"), [row.title for row in verdicts], "long", widest=_TITLE),
            Column(out.word("decision"), [out.word(_DECISIONS[row.decision]) for row in verdicts]),
            Column(out.word("award_of_one"), [row.award if row.is_funded else None for row in verdicts], "number"),
            Column(out.word("worth"), [stated(row.worth) for row in verdicts], "number", _PLACES),
            Column(out.word("cost_at_prices"), costs, "number", _PLACES),
            Column(out.word("reduced_worth"), reduced, "number", _PLACES),
            Column(
                out.word("blocked_by"), ["; ".join(row.blocked_by) or None for row in verdicts], "long", widest=_BLOCKED
            ),
            Column(
                out.word("takes_at_least"),
                [None if row.is_funded else row.score_bound for row in verdicts],
                "number",
                _PLACES,
            ),
            Column(
                out.word("stays_above"),
                [row.score_bound if row.is_funded else None for row in verdicts],
                "number",
                _PLACES,
            ),
            Column(out.word("sentence"), [row.sentence for row in verdicts], "long", widest=_SENTENCE),
        ],
    )
