"""Reading a round for a command: the workbook, then the checks, all problems together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optalloc.cli.options import Lang

if TYPE_CHECKING:
    from integrated_fund.problem import Language, Problem
    from integrated_fund.round import Round


@dataclass(frozen=True)
class Checked:
    """A round read and checked: `round` is None where an error stands in the way.

    `projects_file` has name and SHA-256 of the file with the projects, where there is one. `inputs` are the files that
    were opened: none of them may be written over.
    """

    round: Round | None
    problems: tuple[Problem, ...]
    language: Language
    sha256: str | None
    projects_file: tuple[str, str] | None = None
    inputs: tuple[Path, ...] = ()


def read_checked(path: Path, sets: Sequence[str], lang: Lang | None) -> Checked:
    """Read a workbook and run every check that can be run on what was read.

    Raises:
        WorkbookUnreadable: the file is no workbook that can be read.
        WrongUse: a change names something that is not there.
    """
    from optalloc.workbook.reading import read_and_check

    reading = read_and_check(path, sets)
    language: Language = reading.language if lang is None else lang.value
    round_ = None if reading.has_errors else reading.round
    return Checked(round_, reading.problems, language, reading.sha256, reading.projects_file, reading.inputs)
