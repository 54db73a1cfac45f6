"""Every error a user can meet, with its exit code.

OptallocError
├── WorkbookUnreadable   2  the file is no workbook we can read (encrypted, not_xlsx, missing, too_large, hostile …)
├── WrongUse             2  the command was called wrongly (exists, unknown_key, not_writable …)
└── NotThisRound         5  the plan belongs to another round
"""

from __future__ import annotations

from typing import Literal

ExitCode = Literal[0, 1, 2, 3, 4, 5]

DONE: ExitCode = 0
INTERNAL_ERROR: ExitCode = 1
INVALID: ExitCode = 2
NO_PLAN: ExitCode = 3
STOPPED: ExitCode = 4
NOT_VERIFIED: ExitCode = 5

#: What a shell says of a program whose reader went away (`optalloc … | head`): 128 and the number of SIGPIPE.
READER_GONE = 141


class OptallocError(Exception):
    """An error with a word for programs (`code`), a sentence for people, and where it stands, if anywhere.

    `message` says what is wrong and what to do; it names no Python exception and no internals.
    """

    exit_code: ExitCode = INVALID

    def __init__(self, code: str, message: str, sheet: str | None = None, cell: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.sheet = sheet
        self.cell = cell


class WorkbookUnreadable(OptallocError):
    """The file cannot be read as a workbook."""


class WrongUse(OptallocError):
    """The command or function was called wrongly."""


class NotThisRound(OptallocError):
    """The plan was made from another round."""

    exit_code = NOT_VERIFIED
