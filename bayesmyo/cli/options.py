"""Arguments and options that several commands take, and what all of them refuse."""

import math
from pathlib import Path
from typing import Annotated

import typer

from bayesmyo.errors import UsageError

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
SEED = Annotated[int, typer.Option(help="Same seed, same result.", min=0)]

ENGINE = Annotated[str, typer.Option(help="How to sample: nuts, or mock for a dry run.")]
REPLICATES = Annotated[
    str, typer.Option("--replicates", help="Of each cell, or auto: until --mcse is reached.", metavar="N|auto")
]
MCSE = Annotated[
    float | None,
    typer.Option(help="Stop a cell when the Monte Carlo error of every decision is at most this.", show_default=False),
]
WORKERS = Annotated[
    int | None,
    typer.Option(
        help="Processes on this machine (default: one for every core, if memory lasts); 0: this one alone.",
        show_default=False,
        min=0,
    ),
]
CLUSTER = Annotated[
    str | None,
    typer.Option(
        help="A running dask scheduler instead, such as tcp://host:8786.", show_default=False, metavar="ADDRESS"
    ),
]
TLS_CA = Annotated[
    Path | None,
    typer.Option("--tls-ca", help="Of a scheduler at tls://: the authority's certificate (PEM).", show_default=False),
]
TLS_CERT = Annotated[
    Path | None, typer.Option("--tls-cert", help="The certificate to show to it (PEM).", show_default=False)
]
TLS_KEY = Annotated[
    Path | None, typer.Option("--tls-key", help="The key of that certificate (PEM).", show_default=False)
]
SHARD = Annotated[
    str | None,
    typer.Option(
        help="Only this part of the work, such as 2/8; `bayesmyo merge` joins them.", show_default=False, metavar="I/N"
    ),
]
LIMIT = Annotated[
    float, typer.Option(help="Seconds for one replicate, after which it is given up and counts as failed.", min=1)
]
MIXED = Annotated[
    bool, typer.Option("--allow-mixed", help="Go on with other versions than began; marked in the results.")
]
FROM_FIT = Annotated[
    Path | None,
    typer.Option("--from-fit", help="Truths are draws of this fit's posterior.", show_default=False),
]


def names(text: str | None) -> tuple[str, ...]:
    """`paper, null` as two names."""
    return tuple(word for part in (text or "").split(",") if (word := part.strip()))


def several(where: str, text: str | None) -> tuple[float, ...]:
    """`0.5,1` as numbers. Raises UsageError for what is none."""
    found = []
    for word in names(text):
        try:
            found.append(float(word))
        except ValueError:
            raise UsageError(where, "must be numbers, separated by commas", f'"{word}"', "such as 0.5,1") from None
        if not math.isfinite(found[-1]):
            raise UsageError(where, "must be finite", f'"{word}"')
    if text is not None and not found:
        raise UsageError(where, "names nothing", f'"{text}"')
    return tuple(found)


def whole(where: str, text: str | None) -> tuple[int, ...]:
    """`10,23,50` as whole numbers. Raises UsageError for what is none."""
    for word in names(text):
        if not word.isdecimal():
            raise UsageError(where, "must be whole numbers, separated by commas", f'"{word}"', "such as 10,23,50")
    return tuple(int(v) for v in several(where, text))


def not_an_input(output: Path, *inputs: str | Path) -> None:
    """An input is never overwritten, not even with --force."""
    if any(Path(i).resolve() == output.resolve() for i in inputs):
        raise UsageError(str(output), "is what this command reads", mend="name another file for the result")


def replication(replicates: str, mcse: float | None) -> tuple[int, float | None]:
    """How many replicates of each cell at most, and the Monte Carlo error at which it may stop before."""
    if mcse is not None and not 0 < mcse < 0.5:
        raise UsageError("--mcse", "must lie between 0 and 0.5", f"{mcse:g}")
    if replicates == "auto":
        if mcse is None:
            raise UsageError("--replicates auto", "needs to know when to stop", mend="add --mcse 0.02")
        return 2 * int(0.25 / mcse**2 + 1), mcse  # one half at most is the variance; twice, because some may fail
    if not replicates.isdecimal() or int(replicates) < 1:
        raise UsageError("--replicates", "must be a whole number above zero, or auto", f'"{replicates}"')
    return int(replicates), mcse


def part(shard: str | None) -> tuple[int, int] | None:
    """`2/8` as the second of eight parts."""
    if shard is None:
        return None
    number, slash, of = shard.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise UsageError("--shard", "must be i/n with i from 1 to n", f'"{shard}"', "such as 2/8")
    return int(number), int(of)
