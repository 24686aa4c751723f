"""Patients that never were, by the thousand: simulation studies."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayesmyo.cli.options import JSON, STUDY
from bayesmyo.errors import Incomplete
from bayesmyo.simulation.options import (
    MIXED,
    CalibrateOptions,
    Options,
    PowerOptions,
    enough,
    listed,
    option,
)

if TYPE_CHECKING:
    from bayesmyo.simulation.store import Results

JSON_PARTS = ("estimands", "looks", "smallest", "thresholds", "differences", "claims", "extremes")  # beside cells


def _taking(options: type[Options]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that takes the options of a function of Python, between its own study and --json."""

    def lend(command: Callable[..., None]) -> Callable[..., None]:
        study, json, _ = inspect.signature(command).parameters.values()
        lent = [_parameter(f) for f in listed(options) if option(f).kind.typed]
        command.__signature__ = inspect.Signature([study, *lent, json])  # type: ignore[attr-defined]
        return command

    return lend


def _flags(f: Field[Any]) -> list[str]:
    return option(f).flag.split() or [f"--{f.name.replace('_', '-')}"]


def _parameter(f: Field[Any]) -> inspect.Parameter:
    """An option as typer knows it: what is kept as a list is typed with commas."""
    said, default, kind = option(f), f.default, option(f).kind
    if isinstance(default, tuple):
        default = ",".join(default) or None
    typed = typer.Option(
        *_flags(f), help=said.help, metavar=said.metavar, min=kind.least, show_default=default is not MISSING
    )
    first = inspect.Parameter.empty if default is MISSING else default
    taken: Any = kind.typed if default is not None else kind.typed | None  # type: ignore[operator]
    return inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=first, annotation=Annotated[taken, typed])


def _asked(options: type[Options], study: str, typed: dict[str, Any]) -> dict[str, Any]:
    """What was typed as the function of Python takes it."""
    from bayesmyo.inference.store import load_fit
    from bayesmyo.study import find_study

    given = [f for f in listed(options) if typed.get(f.name) is not None]
    asked: dict[str, Any] = {f.name: option(f).kind.read(_flags(f)[-1], typed[f.name]) for f in given}
    for name, load in (("fit", load_fit), ("analysis", find_study)):
        if name in asked:
            asked[name] = load(asked[name])
    if asked["replicates"] == "auto":
        asked["replicates"] = enough(asked.get("mcse"))
    return {"study": find_study(study), **asked}


def _answer[Answer](function: Callable[..., Answer], asked: dict[str, Any]) -> Answer:
    """What a function of Python answers, with a bar of progress."""
    from bayesmyo.inference.engines import known_engine
    from bayesmyo.report import progress, terminal
    from bayesmyo.report.simulations import dry_run

    known_engine(asked["engine"])
    if dry := dry_run(asked["engine"]):
        terminal.say(dry, "bold red", stderr=True)
    with progress.replicates() as tell:
        return function(**asked, progress=tell)


@_taking(CalibrateOptions)
def calibrate(study: STUDY, *, json: JSON = False, **typed: Any) -> None:
    """Ask whether intervals hold what they promise.

    Simulation-based calibration, over the priors or given the patients of a fit; exit 1 if the model is not calibrated.
    Truths are drawn from the priors (with --from-fit: from the posterior of that fit, whose patients are measured once
    more), cohorts are simulated, and each is fitted: the place of every truth among its draws must then be uniform.
    With --from-fit the folder holds the patients' measurements, under pseudonyms.
    """
    from bayesmyo.report import documents, simulated, terminal
    from bayesmyo.report.simulated_files import write_calibration
    from bayesmyo.simulation import studies

    asked = _asked(CalibrateOptions, study, typed)
    answer, folder = _answer(studies.calibrate, asked), asked["folder"]
    if _partial(answer.results, folder, json):
        return
    files = write_calibration(answer, folder)
    if json:
        cells = [c.as_dict() for c in answer.cells]
        typer.echo(documents.document(passed=bool(answer.passed), complete=True, cells=cells, files=files))
    else:
        terminal.show(*simulated.calibration_blocks(answer.cells))
        terminal.say(f"Wrote {', '.join(files)} into {folder}.")
    _say_failures(answer.results)
    if not answer.passed:
        raise typer.Exit(1)


@_taking(PowerOptions)
def power(study: STUDY, *, json: JSON = False, **typed: Any) -> None:
    """Ask what a study of this size would have found.

    How often simulated studies meet the decisions of the study file.

    Truths are scenarios; one with design priors gives assurance, and --from-fit the predictive power of the next study.
    Every number comes with its Monte Carlo error, and what a t test and a mixed model would have found.
    """
    from bayesmyo.report import documents, simulated, terminal
    from bayesmyo.report.simulated_files import write_power
    from bayesmyo.simulation import studies

    asked = _asked(PowerOptions, study, typed)
    answer, folder = _answer(studies.power, asked), asked["folder"]
    if _partial(answer.results, folder, json):
        return
    files = write_power(answer.results, answer, folder, asked["target"], asked.get("futility"), asked["study"].report)
    if json:
        parts = {name: [x.as_dict() for x in getattr(answer, name)] for name in JSON_PARTS}
        cells = [d.as_dict() | {"sentence": s} for d, s in zip(answer.last(), answer.sentences, strict=False)]
        typer.echo(documents.document(complete=True, engine=asked["engine"], cells=cells, **parts, files=files))
    else:
        terminal.show(*simulated.power_blocks(answer, answer.results.plan))
        terminal.say(f"Wrote {', '.join(files)} into {folder}.")
    if not _say_failures(answer.results):
        raise typer.Exit(1)


def _say_failures(results: "Results") -> bool:
    """Why replicates failed, on stderr; whether any did not."""
    from bayesmyo.report import terminal
    from bayesmyo.simulation.row import DONE, failures

    rows = results.replicates
    for sentence in failures(zip(rows["stage"], rows["reason"], strict=True)):
        terminal.say(sentence, "bold red", stderr=True)
    return bool((rows["stage"] == DONE).any())


def _partial(results: "Results", output: Path, json: bool) -> bool:
    """Say how far a shard is; whether there is nothing else to say yet."""
    from bayesmyo.report import documents, terminal

    if results.complete:
        return False
    done = len(results.replicates)
    if json:
        typer.echo(documents.document(complete=False, replicates=done, missing=results.missing))
    else:
        terminal.say(f"{output}: {done:,} replicates of this shard are there. `bayesmyo merge` joins the shards.")
    if results.missing:
        raise Incomplete(f"{output}: {results.missing:,} replicates are missing. The same command does the rest.")
    return True


def merge(
    folders: Annotated[list[Path], typer.Argument(help="Folders of one plan, such as its shards.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write.", show_default=False)],
    mixed: Annotated[bool, typer.Option("--allow-mixed", help=MIXED.help)] = False,
    json: JSON = False,
) -> None:
    """Join the shards of a simulation study.

    Exit 3 while replicates are missing.
    """
    from bayesmyo.report import documents, terminal
    from bayesmyo.simulation.merge import merge as run

    results = run(folders, output, mixed=mixed)
    there, failed = len(results.replicates), int((results.replicates["stage"] != "done").sum())
    if json:
        counts = {"replicates": there, "failed": failed, "missing": results.missing}
        typer.echo(documents.document(path=str(output), complete=results.complete, mixed=results.mixed, **counts))
    else:
        cells = f"{len(results.plan.cells)} cell{'s' if len(results.plan.cells) > 1 else ''}"
        terminal.say(
            f"Wrote {output}: {there:,} replicates of {cells}, {failed:,} failed, {results.missing:,} missing."
        )
    if not results.complete:
        raise Incomplete(
            f"{output}: {results.missing:,} replicates are missing. Merge again when all shards are done, or give the "
            f"command of the shards without --shard and with -o {output}: it does the rest."
        )
