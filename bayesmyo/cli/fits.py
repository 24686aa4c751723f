"""A fit: made, stored, and checked to be what was stored."""

from pathlib import Path
from typing import Annotated

import typer

from bayesmyo.cli.answers import report
from bayesmyo.cli.options import DATA, ENGINE, FIT, FORCE, JSON, PATIENTS, SEED, STUDY, not_an_input
from bayesmyo.errors import StorageError
from bayesmyo.files import writable


def fit(
    study: STUDY,
    data: DATA,
    output: Annotated[Path, typer.Option("-o", "--output", help="The fit to write (netCDF).", show_default=False)],
    patients: PATIENTS = None,
    engine: ENGINE = "nuts",
    draws: Annotated[int, typer.Option(help="Draws of each chain.", min=4)] = 1000,
    tune: Annotated[int, typer.Option(help="Tuning iterations of each chain, not kept.", min=1)] = 1000,
    chains: Annotated[int, typer.Option(help="Chains.", min=1)] = 4,
    cores: Annotated[
        int | None, typer.Option(help="Chains at a time (default: all cores); never changes a draw.", min=1)
    ] = None,
    target_accept: Annotated[float, typer.Option(help="Higher: smaller steps, fewer divergences.")] = 0.95,
    adaptation: Annotated[
        str, typer.Option(help="Of the mass matrix: diag, or low_rank for strongly correlated parameters.")
    ] = "diag",
    seed: SEED = 1,
    json: JSON = False,
    force: FORCE = False,
) -> None:
    """Fit a study to a table, check the fit, and print what it says."""
    from bayesmyo.cohort import read_cohort
    from bayesmyo.report import progress, terminal, understood
    from bayesmyo.study import find_study

    asked = find_study(study)
    cohort = read_cohort(asked, data, patients)
    if not json:
        terminal.show(*understood.of_cohort(asked, cohort))
    not_an_input(output, study, data, patients)
    writable(output, force)
    with progress.chains(chains, tune + draws) as chain:
        from bayesmyo.inference.engines import Sampling
        from bayesmyo.inference.fit import fit as run
        from bayesmyo.inference.store import save_fit

        sampling = Sampling(draws, tune, chains, cores, target_accept, adaptation)  # type: ignore[arg-type]
        result = run(asked, cohort, engine=engine, seed=seed, sampling=sampling, progress=chain)
    digest = save_fit(result, output, force=force)
    if not json:
        terminal.say(f"Wrote {output} (sha256 {digest[:16]}...)\n")
    report(result, json, fit={"path": str(output), "sha256": digest, "sampling": result.sampling})


def export(
    path: FIT,
    draws: Annotated[Path, typer.Option("--draws", help="The table to write: .parquet, or .csv.", show_default=False)],
    force: FORCE = False,
) -> None:
    """Write every draw as a row, for R's package posterior.

    Columns .chain, .iteration and .draw; parameters, patients' effects by their place, and estimands.
    """
    from bayesmyo.inference.draws_table import draws_path, write_draws
    from bayesmyo.inference.store import load_fit
    from bayesmyo.report import terminal

    not_an_input(draws, path)
    draws_path(draws, force)
    write_draws(load_fit(path), draws, force=force)
    terminal.say(f"Wrote {draws}.")


def verify(
    path: FIT,
    data: Annotated[
        Path | None, typer.Option("--data", help="Is this the table that was fitted?", show_default=False)
    ] = None,
    share: Annotated[
        Path | None, typer.Option("--share", help="Write a copy without patient data.", show_default=False)
    ] = None,
    json: JSON = False,
    force: FORCE = False,
) -> None:
    """Check that a stored fit is what was written. Exit 4 if it is not, or does not hang together."""
    from dataclasses import asdict

    from bayesmyo.inference.store import load_fit, save_fit
    from bayesmyo.inference.store import share as without_patients
    from bayesmyo.inference.verify import verify as run
    from bayesmyo.report import answered, documents, terminal

    if share:
        not_an_input(share, path, data)
        writable(share, force)
    verified = run(path, data)
    copy = None
    if share and verified.passed:
        copy = {"path": str(share), "sha256": save_fit(without_patients(load_fit(path)), share, force=force)}
    if json:
        typer.echo(documents.document(passed=verified.passed, **asdict(verified), shared=copy))
    else:
        terminal.show(*answered.verification(verified))
        if copy:
            terminal.say(f"Wrote {share}: the same fit without patient data (sha256 {copy['sha256'][:16]}...)")
    if not verified.passed:
        raise typer.Exit(StorageError.exit_code)
