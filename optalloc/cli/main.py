"""The `optalloc` command: its subcommands, and the last net under them.

Everything heavy is imported inside the commands, so that `--help` and completion answer at once.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from optalloc.cli import check, diagnose, explain, model, new, prices, solve, verify
from optalloc.cli.overriding import OverridingCommand
from optalloc.errors import INTERNAL_ERROR, INVALID, READER_GONE, STOPPED, OptallocError

#: What typer makes of Ctrl-C.
_INTERRUPTED = 130
_INTERRUPTION = ("interrupted", "Stopped by hand; nothing was written.", None, None)
_NO_MEMORY = (
    "memory",
    "There is not enough memory for this round. Close other programs or take a larger machine.",
    None,
    None,
)

app = typer.Typer(
    name="optalloc",
    help="Split an integrated special fund over sectors, regions and projects: a workbook in, a verified plan out.",
    epilog="Start with: optalloc new round.xlsx --example small, then: optalloc solve round.xlsx -o plan.xlsx",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command("new", epilog=new.EXAMPLES)(new.new)
app.command("check", epilog=check.EXAMPLES)(check.check)
app.command("solve", epilog=solve.EXAMPLES, cls=OverridingCommand)(solve.solve)
app.command("prices", epilog=prices.EXAMPLES, cls=OverridingCommand)(prices.prices)
app.command("explain", epilog=explain.EXAMPLES, cls=OverridingCommand)(explain.explain)
app.command("diagnose", epilog=diagnose.EXAMPLES)(diagnose.diagnose)
app.command("verify", epilog=verify.EXAMPLES)(verify.verify)
app.command("model", epilog=model.EXAMPLES)(model.model)


def _print_version(wanted: bool) -> None:
    if wanted:
        from optalloc import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    _version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", is_eager=True, callback=_print_version
    ),
) -> None:
    pass


def main() -> NoReturn:
    """Run the command line; every end of it is an exit code of `optalloc.errors`."""
    # Matrices here are small: more threads cost more than they bring, and make sums depend on the machine.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code: object = INTERNAL_ERROR
    trouble: tuple[str, str, str | None, str | None] | None = None
    try:
        code = app(standalone_mode=False)
        if code == _INTERRUPTED:
            code, trouble = STOPPED, _INTERRUPTION
    except OptallocError as error:
        code, trouble = error.exit_code, (error.code, error.message, error.sheet, error.cell)
    except TyperException as error:
        message = f"{error.format_message().rstrip('.')}. Add --help to see how the command is used."
        code, trouble = INVALID, ("usage", message, None, None)
    except (KeyboardInterrupt, typer.Abort):
        code, trouble = STOPPED, _INTERRUPTION
    except (BrokenPipeError, SystemExit) as ended:
        _leave_if_reader_gone(ended)
        raise
    except MemoryError:
        code, trouble = INVALID, _NO_MEMORY
    except Exception as error:  # the last net: nobody is shown a traceback
        from optalloc.cli.trouble import remember

        message = f"Something went wrong inside optalloc; this is not your fault. {remember(error)}"
        trouble = ("internal", message, None, None)
    # Only now: an error keeps all that was read and built in memory until it is dealt with.
    try:
        if trouble is not None:
            _report(*trouble)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as ended:
        _leave_if_reader_gone(ended)
        raise
    _leave(code if isinstance(code, int) else 0)


def _leave_if_reader_gone(ended: BaseException) -> None:
    """End as other tools do when the reader of a pipe went away (`optalloc … | head`): nobody is left to tell.

    Typer and Rich make an exit of the broken pipe.
    """
    if not isinstance(ended, BrokenPipeError) and not isinstance(ended.__context__, BrokenPipeError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):  # what is still to be written to them must not fail at the very end
        os.dup2(nowhere, stream.fileno())
    _leave(READER_GONE)


def _leave(code: int) -> NoReturn:
    """End the process; at once where a solver that ignored its limit is still at work in its thread."""
    if any(thread.name == "solver" and thread.is_alive() for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _report(code: str, message: str, sheet: str | None, cell: str | None) -> None:
    if "--json" in sys.argv:
        import json

        print(json.dumps({"error": {"code": code, "message": message, "sheet": sheet, "cell": cell}}))
        return
    from optalloc.cli.terminal import complain

    complain(message, sheet, cell)
