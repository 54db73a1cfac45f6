"""The formulation of a round in words and counts: what `optalloc model` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrated_fund.sentences import sentence_of
from optalloc.cli.terminal import shown, table

if TYPE_CHECKING:
    from rich.console import Console

    from integrated_fund.fund import Fund
    from integrated_fund.problem import Language
    from optalloc.solve.arrays import Arrays


def formulation_document(fund: Fund, arrays: Arrays, language: Language) -> dict[str, Any]:
    """Return counts, objective levels and rows as JSON values."""
    return {
        "counts": counts_of(fund, arrays),
        "levels": [
            {"priority": level.priority, "criteria": [fund.appraisal.gains[k].criterion.criterion for k in level.gains]}
            for level in fund.appraisal.levels
        ],
        "rows": [
            {
                "row": row.name,
                "rule": row.rule.rule,
                "member": row.member,
                "sentence": sentence_of(row.rule, row.member, language, fund.round.unit),
            }
            for row in fund.appraisal.limits.rows
        ],
    }


def counts_of(fund: Fund, arrays: Arrays) -> dict[str, int]:
    """Return the sizes of the sets and of the programme."""
    return {
        "projects": len(fund.ledger.projects),
        "choices": len(fund.ledger.choices),
        "lines": len(fund.ledger.line_choice),
        "sources": len(fund.classes.sources),
        "eligibility_classes": len(fund.classes.classes),
        "pivots": fund.cells.pivots,
        "cells": fund.cells.count,
        "rule_rows": len(fund.appraisal.limits.rows),
        "links": len(fund.round.links),
        "rows": int(arrays.matrix.shape[0]),
        "columns": int(arrays.matrix.shape[1]),
        "integer_columns": int(arrays.integer.sum()),
        "nonzeros": int(arrays.matrix.nnz),
    }


def print_formulation(fund: Fund, arrays: Arrays, language: Language, console: Console) -> None:
    """Print the formulation."""
    round_ = fund.round
    console.print(f"[bold]{shown(round_.title)}[/]: awards in {shown(round_.unit)}, whole steps of {round_.step}")
    sizes = table("Sizes", ["what", "number"], [False, True])
    for what, size in counts_of(fund, arrays).items():
        sizes.add_row(what.replace("_", " "), f"{size:,}")
    console.print(sizes)
    console.print()
    objective = table("Objective (maximised, level by level)", ["priority", "criterion", "counts"], [True, False, True])
    for level in fund.appraisal.levels:
        for k in level.gains:
            gain = fund.appraisal.gains[k]
            priority = "" if level.priority is None else str(level.priority)
            objective.add_row(priority, shown(gain.criterion.criterion), f"{float(gain.factor):g}")
    console.print(objective)
    console.print()
    classes = table("Who may pay", ["year", "sources", "class"], [False, False, True])
    for number, row in enumerate(fund.classes.classes):
        year = fund.ledger.years[row.year]
        sources = ", ".join(fund.classes.label(f) for f in row.sources) or "no source"
        classes.add_row("" if year is None else str(year), shown(sources), str(number))
    console.print(classes)
    console.print()
    rules = table("Rules", ["row", "in words"], [False, False])
    for limit in fund.appraisal.limits.rows:
        rules.add_row(limit.name, shown(sentence_of(limit.rule, limit.member, language, round_.unit)))
    console.print(rules)
    for link in sorted(round_.links, key=lambda link: link.link):
        console.print(f"link {shown(link.link)}: {link.kind} {shown(', '.join(link.projects))}")
