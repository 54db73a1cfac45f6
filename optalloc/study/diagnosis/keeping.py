"""Whether a decision is a plan of a round: everything added up in exact arithmetic, without a solver."""

from __future__ import annotations

from integrated_fund.evaluation import Appraisal, Decision
from integrated_fund.ledger import Ledger
from integrated_fund.payments import Payments, payments_of
from integrated_fund.round import Round
from integrated_fund.sources import source_classes


def keeps(round_: Round, decision: Decision) -> bool:
    """Return whether a decision keeps awards, statuses, hard rules, links and sources of a round without errors.

    The decision may come from another round with the same projects and options: their choices have the same numbers.
    """
    ledger = Ledger(round_)
    if any(not ledger.low[choice] <= steps <= ledger.high[choice] for choice, steps in decision.items()):
        return False
    chosen = [int(ledger.project_of[choice]) for choice in decision]
    funded = set(chosen)
    if len(funded) < len(chosen):
        return False
    wanted = {"mandatory": True, "excluded": False}
    if any(wanted.get(project.status, n in funded) != (n in funded) for n, project in enumerate(ledger.projects)):
        return False
    evaluation = Appraisal(ledger).evaluate(decision)
    if evaluation.broken_links or any(True for _ in evaluation.broken_limits):
        return False
    return isinstance(payments_of(ledger, source_classes(ledger), decision), Payments)
