"""Patients that never were, by the thousand: simulation studies."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayesmyo.cli.options import (
    CLUSTER,
    ENGINE,
    FROM_FIT,
    JSON,
    LIMIT,
    MCSE,
    MIXED,
    REPLICATES,
    SEED,
    SHARD,
    STUDY,
    TLS_CA,
    TLS_CERT,
    TLS_KEY,
    WORKERS,
    names,
    part,
    replication,
    several,
    whole,
)
from bayesmyo.errors import Incomplete

if TYPE_CHECKING:
    from bayesmyo.simulation.plan import Plan
    from bayesmyo.simulation.store import Results

FOLDER = Annotated[
    Path,
    typer.Option(
        "-o", "--output", help="The folder of the results; the same command goes on in it.", show_default=False
    ),
]
HOW_MANY = Annotated[
    str | None,
    typer.Option(
        "--patients", help="Numbers of patients, such as 10,23,50 (default: the design's).", show_default=False
    ),
]


def calibrate(
    study: STUDY,
    output: FOLDER,
    from_fit: FROM_FIT = None,
    patients: HOW_MANY = None,
    replicates: REPLICATES = "200",
    engine: ENGINE = "nuts",
    seed: SEED = 1,
    workers: WORKERS = None,
    cluster: CLUSTER = None,
    tls_ca: TLS_CA = None,
    tls_cert: TLS_CERT = None,
    tls_key: TLS_KEY = None,
    shard: SHARD = None,
    limit: LIMIT = 1800.0,
    mixed: MIXED = False,
    json: JSON = False,
) -> None:
    """Ask whether intervals hold what they promise.

    Simulation-based calibration, over the priors or given the patients of a fit; exit 1 if the model is not calibrated. Truths are drawn from the priors (with --from-fit: from the posterior of that fit, whose patients are measured once more), cohorts are
    simulated, and each is fitted: the place of every truth among its draws must then be uniform. With --from-fit the folder holds the
    patients' measurements, under pseudonyms.
    """
    from bayesmyo.report import documents, simulated, terminal
    from bayesmyo.report.simulated_files import write_calibration
    from bayesmyo.simulation.calibration.grid import calibration_plan
    from bayesmyo.simulation.calibration.verdict import calibration
    from bayesmyo.study import find_study

    wanted, _ = replication(replicates, None)
    plan = calibration_plan(
        find_study(study), whole("--patients", patients), wanted, fit=_fit(from_fit), seed=seed, engine=engine
    )
    results = carried_out(
        plan,
        output,
        workers=workers,
        cluster=cluster,
        tls=(tls_ca, tls_cert, tls_key),
        shard=shard,
        limit=limit,
        mixed=mixed,
    )
    if _partial(results, output, json):
        return
    found = calibration(plan, results.replicates, results.quantities)
    files = write_calibration(found, output)
    passed = bool(found.passed)
    if json:
        typer.echo(
            documents.document(passed=passed, complete=True, cells=[c.as_dict() for c in found.cells], files=files)
        )
    else:
        terminal.show(*simulated.calibration_blocks(found.cells))
        terminal.say(f"Wrote {', '.join(files)} into {output}.")
    _say_failures(results)
    if not passed:
        raise typer.Exit(1)


def power(
    study: STUDY,
    output: FOLDER,
    scenario: Annotated[
        str | None, typer.Option(help="Scenarios of the study, such as paper,null (default: all).", show_default=False)
    ] = None,
    patients: HOW_MANY = None,
    follow_up: Annotated[
        str | None,
        typer.Option(
            help="Follow-ups of a protocol, or on average (SD and maximum are scaled), such as 12,24.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        str | None, typer.Option(help="How far apart visits are after the first ones, such as 1,3.", show_default=False)
    ] = None,
    visits: Annotated[
        str | None,
        typer.Option(
            help="Whole schedules instead: times by commas, schedules by slashes, such as 0,6,12/0,3,6,12.",
            show_default=False,
        ),
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="Hazards of loss per unit of time, such as 0,0.01.", show_default=False)
    ] = None,
    looks: Annotated[
        str | None,
        typer.Option(
            help="Interim looks after so many patients, such as 10,15; stops when a decision is met.",
            show_default=False,
        ),
    ] = None,
    futility: Annotated[
        float | None, typer.Option(help="Stop at a look where the probability is below this.", show_default=False)
    ] = None,
    analysis: Annotated[
        str | None, typer.Option(help="Another study that analyses what this one simulates.", show_default=False)
    ] = None,
    from_fit: FROM_FIT = None,
    comparators: Annotated[
        str, typer.Option(help="Other methods beside: t test, mixed model, common slope; or none.")
    ] = "t test,mixed model",
    target: Annotated[float, typer.Option(help="The power of the smallest number of patients.")] = 0.8,
    replicates: REPLICATES = "400",
    mcse: MCSE = None,
    engine: ENGINE = "nuts",
    seed: SEED = 1,
    workers: WORKERS = None,
    cluster: CLUSTER = None,
    tls_ca: TLS_CA = None,
    tls_cert: TLS_CERT = None,
    tls_key: TLS_KEY = None,
    shard: SHARD = None,
    limit: LIMIT = 1800.0,
    mixed: MIXED = False,
    json: JSON = False,
) -> None:
    """Ask what a study of this size would have found.

    How often simulated studies meet the decisions of the study file.

    Truths are scenarios; one with design priors gives assurance, and --from-fit the predictive power of the next study. Every number comes
    with its Monte Carlo error, and what a t test and a mixed model would have found.
    """
    from bayesmyo.report import documents, simulated, terminal
    from bayesmyo.report.simulated_files import write_power
    from bayesmyo.simulation.power.answer import power_answer, rules
    from bayesmyo.simulation.power.grid import Axes, power_plan
    from bayesmyo.study import find_study

    wanted, error = replication(replicates, mcse)
    axes = Axes(
        names(scenario), whole("--patients", patients), several("--follow-up", follow_up), several("--every", every),
        tuple(several("--visits", v) for v in (visits or "").split("/") if v), several("--loss", loss), whole("--looks", looks),
    )  # fmt: skip
    rules(target, futility, axes.looks)
    understood = find_study(study)
    plan = power_plan(
        understood, axes, wanted, error, analysis=find_study(analysis) if analysis else None, fit=_fit(from_fit),
        comparators=() if comparators == "none" else names(comparators), seed=seed, engine=engine,
    )  # fmt: skip
    results = carried_out(
        plan,
        output,
        workers=workers,
        cluster=cluster,
        tls=(tls_ca, tls_cert, tls_key),
        shard=shard,
        limit=limit,
        mixed=mixed,
    )
    if _partial(results, output, json):
        return
    found = power_answer(plan, results.replicates, results.quantities, target, futility)
    files = write_power(results, found, output, target, futility, understood.report)
    if json:
        listed = {
            "estimands": [e.as_dict() for e in found.estimands],
            "looks": [s.as_dict() for s in found.looks],
            "smallest": [s.as_dict() for s in found.smallest],
        }
        cells = [d.as_dict() | {"sentence": s} for d, s in zip(found.last(), found.sentences, strict=False)]
        typer.echo(documents.document(complete=True, engine=engine, cells=cells, **listed, files=files))
    else:
        terminal.show(*simulated.power_blocks(found, plan))
        terminal.say(f"Wrote {', '.join(files)} into {output}.")
    if not _say_failures(results):
        raise typer.Exit(1)


def _say_failures(results: "Results") -> bool:
    """Why replicates failed, on stderr; whether any did not."""
    from bayesmyo.report import terminal
    from bayesmyo.simulation.row import DONE, failures

    rows = results.replicates
    for sentence in failures(zip(rows["stage"], rows["reason"], strict=True)):
        terminal.say(sentence, "bold red", stderr=True)
    return bool((rows["stage"] == DONE).any())


def _fit(path: Path | None) -> Any:
    """The fit that truths come from."""
    from bayesmyo.inference.store import load_fit

    return None if path is None else load_fit(path)


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
    from bayesmyo.report import progress, terminal
    from bayesmyo.report.simulations import dry_run
    from bayesmyo.simulation.run import run
    from bayesmyo.simulation.workers import security

    if dry := dry_run(plan.engine):
        terminal.say(dry, "bold red", stderr=True)
    with progress.replicates() as tell:
        return run(
            plan, output, workers=workers, cluster=cluster, security=security(*tls), shard=part(shard), progress=tell, limit=limit,
            mixed=mixed,
        )  # fmt: skip
