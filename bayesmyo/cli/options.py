"""Arguments and options that several commands take, and what all of them refuse."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bayesmyo.errors import UsageError
from bayesmyo.simulation import options

STUDY = Annotated[
    str, typer.Argument(help="A bundled study (see `bayesmyo studies`) or the path of a TOML file.", show_default=False)
]
DATA = Annotated[Path, typer.Argument(help="The table, one row per visit: CSV, .xlsx or .parquet.", show_default=False)]
PATIENTS = Annotated[
    Path | None,
    typer.Option(
        "--patients", help="A second table, one row per patient, joined by the patient's id.", show_default=False
    ),
]
FIT = Annotated[Path, typer.Argument(help="A file written by `bayesmyo fit`.", show_default=False)]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
FORCE = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
ENGINE = Annotated[str, typer.Option(help=options.ENGINE.help)]
SEED = Annotated[int, typer.Option(help=options.SEED.help, min=0)]


def trusted(reasons: Sequence[str], more: str = "") -> None:
    """Say on stderr what is not to be trusted, and end with exit code 1; go on where that is nothing."""
    from bayesmyo.report import terminal

    for reason in reasons:
        terminal.say(f"Not trustworthy {reason}", "bold red", stderr=True)
    if reasons:
        if more:
            terminal.say(more, stderr=True)
        raise typer.Exit(1)


def not_an_input(output: Path, *inputs: str | Path | None) -> None:
    """An input is never overwritten, not even with --force."""
    if any(Path(path).resolve() == output.resolve() for path in inputs if path is not None):
        raise UsageError(str(output), "is what this command reads", mend="name another file for the result")
