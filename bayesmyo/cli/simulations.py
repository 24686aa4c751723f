"""Patients that never were, by the thousand: simulation studies."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayesmyo.cli.options import JSON, MIXED, part
from bayesmyo.errors import Incomplete

if TYPE_CHECKING:
    from bayesmyo.simulation.plan import Plan
    from bayesmyo.simulation.store import Results


def merge(
    folders: Annotated[list[Path], typer.Argument(help="Folders of one plan, such as its shards.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write.", show_default=False)],
    mixed: MIXED = False,
    json: JSON = False,
) -> None:
    """Join the shards of a simulation study.

    Exit 3 while replicates are missing.
    """
    from bayesmyo.report import documents, terminal
    from bayesmyo.simulation.merge import merge as run

    results = run(folders, output, mixed=mixed)
    found, failed = len(results.replicates), int((results.replicates["stage"] != "done").sum())
    if json:
        counts = {"replicates": found, "failed": failed, "missing": results.missing}
        typer.echo(documents.document(path=str(output), complete=results.complete, mixed=results.mixed, **counts))
    else:
        cells = f"{len(results.plan.cells)} cell{'s' if len(results.plan.cells) > 1 else ''}"
        terminal.say(
            f"Wrote {output}: {found:,} replicates of {cells}, {failed:,} failed, {results.missing:,} missing."
        )
    if not results.complete:
        raise Incomplete(
            f"{output}: {results.missing:,} replicates are missing. Merge again when all shards are done, or give the command of "
            f"the shards without --shard and with -o {output}: it does the rest."
        )


def carried_out(
    plan: "Plan", output: Path, *, workers: int | None, cluster: str | None, tls: tuple[Path | None, Path | None, Path | None],
    shard: str | None, limit: float, mixed: bool,
) -> "Results":  # fmt: skip
    """The results of a plan, from wherever its folder is to its end, with a bar of progress. tls: authority, certificate, key"""
    from bayesmyo.report import progress
    from bayesmyo.simulation.run import run
    from bayesmyo.simulation.workers import security

    with progress.replicates() as tell:
        return run(
            plan, output, workers=workers, cluster=cluster, security=security(*tls), shard=part(shard), progress=tell, limit=limit,
            mixed=mixed,
        )  # fmt: skip
