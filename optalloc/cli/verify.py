"""`optalloc verify`: a plan checked against its round, without the solver."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optalloc.cli.options import AsJson, RoundFile
from optalloc.errors import DONE, NOT_VERIFIED, WrongUse

EXAMPLES = "Examples: optalloc verify round.xlsx plan.xlsx · optalloc verify round.xlsx plan.xlsx --certificate"


def verify(
    round_file: RoundFile,
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.xlsx", help="The plan workbook.", show_default=False)],
    certificate: Annotated[
        bool,
        typer.Option(
            "--certificate", help="Add up again, too, the bound that follows from the prices in the manifest."
        ),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Check a plan line by line against its round, in exact arithmetic and without the solver or the model.

    Exit code 0: every check holds; 5: one does not, or the plan was made from another round.
    """
    from optalloc.cli.documents import print_document, verification_document
    from optalloc.cli.reading import read_checked
    from optalloc.cli.terminal import amount, amount_above, out, print_problems, shown, shown_whole
    from optalloc.plan.certificate import states_certificate, verify_certificate
    from optalloc.plan.overrides import records_of
    from optalloc.plan.verify import Verification
    from optalloc.plan.verify import verify as verify_plan
    from optalloc.workbook.plan_reader import read_plan

    plan = read_plan(plan_file)
    if certificate and not states_certificate(plan):
        raise WrongUse(
            "no_certificate", "This plan states no certificate; `optalloc prices ROUND.xlsx -o PLAN.xlsx` writes one."
        )
    sets = [str(change) for change in _list(plan.manifest.get("sets"))]
    checked = read_checked(round_file, sets, None)
    if checked.round is None:
        if not as_json:
            print_problems(checked.problems, checked.language, out())
        raise WrongUse("invalid_round", "The round workbook has errors; run `optalloc check` on it.")
    verification = verify_plan(checked.round, plan)
    proof = None
    if certificate:
        proof = verify_certificate(checked.round, plan)
        verification = Verification(verification.checks + proof.verification.checks)
    if as_json:
        print_document(verification_document(verification))
        return DONE if verification.ok else NOT_VERIFIED
    console = out()
    if sets:
        console.print(f"The plan was made with changes, applied here too: {shown_whole('; '.join(sets))}")
    if any(one.check.startswith("override: ") for one in verification.checks):
        console.print("The plan has overrides on record, applied here too:")
        for record in records_of(plan.manifest):
            made = record.override
            console.print(
                f"    {made.kind} {shown(made.project)}, by {shown(made.by)}, {made.on}: {shown(made.reason)}"
            )
    for one in verification.checks:
        if not one.holds:
            where = f" ({', '.join(str(place) for place in one.places)})" if one.places else ""
            console.print(f"[red]fails[/] [bold]{shown(one.check)}[/]{shown(where)}")
            console.print(f"    found {shown(one.found)}, expected {shown(one.expected)}")
    if proof is not None and proof.bound is not None:
        console.print(
            f"Certificate: by the printed prices no plan is worth more than {amount_above(proof.bound, 4)};"
            f" this plan is {amount(proof.distance, 4)} below that."
        )
    held = sum(one.holds for one in verification.checks)
    if verification.ok:
        console.print(f"[green]Verified.[/] All {held} checks hold; no solver was used.")
    else:
        console.print(
            f"[red]Not verified.[/] {len(verification.checks) - held} of {len(verification.checks)} checks fail."
        )
    return DONE if verification.ok else NOT_VERIFIED


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
