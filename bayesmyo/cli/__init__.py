"""The door: one command per verb, and no logic. Heavy rooms are imported inside the commands, so that --help is quick.

options.py   arguments and options that several commands take
tables.py    studies, init, validate, evidence, match, simulate
fits.py      fit, export, verify
answers.py   check, estimate, influence, tip, compare
reports.py   report, figure, paper
patients.py  predict
simulations.py  calibrate, power, merge
machine.py   doctor
examples.py  what --help says after the options
"""

import io
import os
import signal
import sys
import traceback
from typing import Annotated, Any, Never

import typer

from bayesmyo._version import __version__
from bayesmyo.cli.answers import check, compare, estimate, influence, tip
from bayesmyo.cli.examples import EXIT_CODES, epilog
from bayesmyo.cli.fits import export, fit, verify
from bayesmyo.cli.machine import doctor
from bayesmyo.cli.patients import predict
from bayesmyo.cli.reports import figure, paper, report
from bayesmyo.cli.simulations import calibrate, merge, power
from bayesmyo.cli.tables import evidence, init, match, simulate, studies, validate
from bayesmyo.errors import BayesmyoError, StorageError, printable

OF_ONE_TABLE = (
    studies,
    init,
    validate,
    evidence,
    match,
    simulate,
    fit,
    check,
    estimate,
    influence,
    tip,
    compare,
    predict,
)
COMMANDS = (*OF_ONE_TABLE, calibrate, power, merge, report, figure, paper, export, verify, doctor)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Bayesian hierarchical models for small clinical cohorts.",
    epilog=EXIT_CODES,
)


def door(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit()


app.callback(invoke_without_command=True)(door)
for one in COMMANDS:
    app.command(epilog=epilog(one.__name__))(one)


UNREAD = 141  # what a shell says of a command whose output nobody reads any more: 128 and SIGPIPE


def _terminated(_signal: int, _frame: Any) -> Never:
    raise SystemExit(143)


def main() -> None:
    """Run a command; a known error becomes one message and its exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    _standing()
    out = sys.stdout
    try:
        app(prog_name="bayesmyo")
    except SystemExit:
        if sys.stdout is not out:  # something was put in its place, because the pipe that it was has no reader
            raise SystemExit(UNREAD) from None
        raise
    except BayesmyoError as error:
        print(printable(str(error)), file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except OSError as error:  # a name that is too long, or a disk that is full under stdout
        if os.environ.get("BAYESMYO_DEBUG"):
            print(_where(error), file=sys.stderr)
        where = printable(str(error.filename or "output"))
        print(f"{where}: cannot be read or written: {error.strerror or error}.", file=sys.stderr)
        raise SystemExit(StorageError.exit_code) from None
    except Exception as error:
        details = "Please report it with what stands above."
        if os.environ.get("BAYESMYO_DEBUG"):
            print(_where(error), file=sys.stderr)
        else:
            details = "Set BAYESMYO_DEBUG=1 for details, and please report it."
        print(f"bayesmyo stopped on a bug of its own ({type(error).__name__}). {details}", file=sys.stderr)
        raise SystemExit(70) from None


def _standing() -> None:
    """Streams that were closed lead nowhere, not into the next file that is opened; and what a terminal has no letter
    for is written in signs that it has."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _where(error: BaseException) -> str:
    """A traceback without any message: a message may hold a cell."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    parts = [f"{''.join(traceback.format_tb(one.__traceback__))}{type(one).__name__}\n" for one in reversed(chain)]
    return "Traceback (most recent call last):\n" + "\nThen:\n".join(parts)


def command() -> Never:
    """The command itself: `main`, and then out at once. Every file is written and flushed by now, and to take compiled
    code down in order costs a second, a seventh of a fit.
    """
    code = 0
    try:
        main()
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = UNREAD
    except OSError:
        code = StorageError.exit_code
    os._exit(code)
