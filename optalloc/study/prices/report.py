"""The price report of a solved round from beginning to end: margins, finite changes, sentences, and the plan with its
certificate."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from optalloc.errors import WrongUse
from optalloc.plan.overrides import records_of
from optalloc.plan.plan import Plan
from optalloc.plan.price_report import PriceReport
from optalloc.solve.exactness import Judgement
from optalloc.solve.manifest import stated_certificate
from optalloc.solve.planning import stated_plan
from optalloc.solve.progress import Watch
from optalloc.solve.solution import Solution
from optalloc.study.prices.changes import changes_of, moves_of, with_changes
from optalloc.study.prices.curves import curve_moves, with_curves
from optalloc.study.prices.levers import default_step, share_step
from optalloc.study.prices.priced import Priced, prices_of
from optalloc.study.prices.sentences import with_sentences

#: Links that have no number to move.
KEPT_OR_DROPPED = ("requires", "all_or_none")


@dataclass(frozen=True)
class Reported:
    """The report, and the plan it is of: the solution's, or a better one that the changes came upon."""

    report: PriceReport
    plan: Plan
    priced: Priced
    solution: Solution

    def with_record(self, plan: Plan) -> Reported:
        """Return it with its plan as that is with overrides on record; the report has them too."""
        return replace(self, plan=plan, report=replace(self.report, overrides=records_of(plan.manifest)))


def priced_report(
    solution: Solution,
    watch: Watch,
    *,
    level: int = 0,
    part: Decimal | None = None,
    steps: Mapping[str, Decimal] | None = None,
    only: Collection[str] | None = None,
    changes: bool = True,
    curves: bool = False,
    jobs: int = 1,
) -> Reported:
    """Return the price report of a solved round.

    Bounds are moved by `part` of them, or by what matters for each (`levers.default_step`); `steps` are those of single
    rules, sources or links by name, in the unit of the typed bound; where `only` has names, those alone are moved.
    `curves` are made where there are changes. What a stop leaves undone is left out. With `jobs` above 1 large rounds
    are shared out to processes.

    Raises:
        WrongUse: a step is of something that is not there, or moves an amount below 0.
        SolverError: the solver failed.
    """
    priced = prices_of(solution, watch, level=level)
    by_line = _steps(solution, priced, part, steps or {}, only)
    report = priced.report
    if changes and not watch.must_stop():
        moves = list(moves_of(priced, solution, by_line))
        if curves:
            moves += curve_moves(priced, solution, by_line)
        found, best = changes_of(priced, solution, moves, watch, jobs=jobs)
        better = _with_plan(solution, best, level)
        if better is not None:
            solution = better
            priced = prices_of(solution, watch, level=level)
        report = with_changes(priced.report, by_line, found)
        if curves and not watch.must_stop():
            report = with_curves(priced, report, solution, by_line, found, watch)
    report = with_sentences(solution.fund.round, report)
    plan = stated_plan(solution, watch)
    manifest = {**plan.manifest, "certificate": stated_certificate(solution.fund, priced.certificate)}
    return Reported(report, replace(plan, manifest=manifest), priced, solution)


def _steps(
    solution: Solution,
    priced: Priced,
    part: Decimal | None,
    steps: Mapping[str, Decimal],
    only: Collection[str] | None,
) -> dict[int, Decimal]:
    """Return the step of each line that is moved."""
    unknown = {*steps, *(only or ())} - {name for lever in priced.levers for name in lever.names}
    if unknown:
        raise WrongUse("unknown_step", f"The round has no rule, source or link named {min(unknown)}.")
    found: dict[int, Decimal] = {}
    for number, lever in enumerate(priced.levers):
        if lever.link is not None and lever.link.kind == "synergy":
            continue
        if only and not lever.names & set(only):
            continue
        own = [steps[name] for name in lever.names if name in steps]
        if own:
            found[number] = min(own)
        elif part is None:
            found[number] = default_step(solution.fund, lever)
        else:
            found[number] = share_step(solution.fund, lever, Fraction(part))
        line = priced.report.lines[number]
        if lever.link is not None and (found[number] % 1 or (lever.link.kind in KEPT_OR_DROPPED and found[number] > 1)):
            raise WrongUse(
                "step", f"--step of {lever.label}: a link moves by one project, or is dropped as its step 1."
            )
        amount = lever.kind == "source" or (lever.is_share and own)
        if amount and line.typed is not None and found[number] > line.typed > 0:
            raise WrongUse(
                "step_too_large",
                f"--step moves {lever.label} by {found[number]:f}, more than the {line.typed:f} there is.",
            )
        if lever.kind == "source" and found[number] % solution.fund.round.step:
            raise WrongUse(
                "step_no_multiple",
                f"--step of {lever.label}: {found[number]:f} is no multiple of the round's step of "
                f"{solution.fund.round.step:f}.",
            )
    # The dearest first: what a stop leaves undone matters least.
    dearest = sorted(found, key=lambda number: -priced.report.lines[number].cost)
    return {number: found[number] for number in dearest if found[number] > 0}


def _with_plan(solution: Solution, best: Judgement, level: int) -> Solution | None:
    """Return the solution with a better plan of its only level; None where there is none."""
    if len(solution.founds) > 1 or best.evaluation.levels[level] <= solution.evaluation.levels[level]:
        return None
    found = replace(solution.founds[0], judgement=best)
    if found.bound is not None:
        found = replace(found, proven=found.bound == best.evaluation.levels[level])
    return replace(solution, founds=(found,), best=best)
