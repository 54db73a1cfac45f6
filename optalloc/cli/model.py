"""`optalloc model`: the formulation of a round, for people and for other solvers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optalloc.cli.options import AsJson, Force, Language, RoundFile, Sets
from optalloc.errors import DONE, INVALID, WrongUse

EXAMPLES = "Examples: optalloc model round.xlsx  |  optalloc model round.xlsx --write round.lp"


def model(
    round_file: RoundFile,
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the programme as .lp or .mps, by the file's ending.")
    ] = None,
    sets: Sets = None,
    lang: Language = None,
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    """Print the formulation of a round: what is decided, every rule as a sentence with the name of its row."""
    from optalloc.cli.documents import print_document, problems_of
    from optalloc.cli.reading import read_checked
    from optalloc.cli.terminal import out, print_problems
    from optalloc.workbook.files import refuse_output

    if write is not None:
        if write.suffix.lower() not in (".lp", ".mps"):
            raise WrongUse("ending", f"{write.name} ends in neither .lp nor .mps: name the file round.lp, say.")
        refuse_output(write, force=force, inputs=[round_file])
    checked = read_checked(round_file, sets or [], lang)
    if checked.round is None:
        if as_json:
            print_document({"problems": problems_of(checked.problems, checked.language)})
        else:
            print_problems(checked.problems, checked.language, out())
        return INVALID
    from integrated_fund.fund import fund_for_solving
    from optalloc.cli.formulation import formulation_document, print_formulation
    from optalloc.solve.arrays import arrays_of

    fund = fund_for_solving(checked.round)
    arrays = arrays_of(fund)
    if as_json:
        print_document(formulation_document(fund, arrays, checked.language))
    else:
        print_formulation(fund, arrays, checked.language, out())
    if write is not None:
        from optalloc.solve.solvers.highs import write_model
        from optalloc.workbook.files import write_whole

        write_whole(
            write, lambda path: write_model(arrays, arrays.levels[0], str(path)), force=force, inputs=checked.inputs
        )
        if not as_json:
            out().print(f"Wrote {write}.", markup=False)
    return DONE
