"""The door: one command per verb, and no logic. Heavy rooms are imported inside the commands, so that --help is quick."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, Never

import typer

from bayesmyo._version import __version__
from bayesmyo.errors import BayesmyoError, InputError, StorageError, UsageError, printable
from bayesmyo.files import writable, write_bytes

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Bayesian hierarchical models for small clinical cohorts.",
    epilog="Exit codes: 0 done and trustworthy; 1 a check failed; 2 unusable input; 4 storage; 70 a bug of ours.",
)

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


@app.callback(invoke_without_command=True)
def door(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit()


@app.command()
def studies(json: JSON = False) -> None:
    """List the bundled studies."""
    from bayesmyo.report import documents, terminal
    from bayesmyo.study import find_study
    from bayesmyo.study import studies as bundled

    found = {name: find_study(name) for name in bundled()}
    if json:
        rows = [
            {"name": n, "title": s.title, "outcomes": list(s.outcomes), "scenarios": list(s.scenarios)}
            for n, s in found.items()
        ]
        typer.echo(documents.document(studies=rows))
    else:
        terminal.show_table(
            ["study", "outcomes", "title"], [(n, ", ".join(s.outcomes), s.title) for n, s in found.items()]
        )


@app.command()
def init(
    name: Annotated[
        str, typer.Argument(help="Name of the study: NAME.toml and NAME.csv are written here.", show_default=False)
    ],
    force: FORCE = False,
) -> None:
    """Write an editable, commented study and an example table."""
    from bayesmyo.cohort import simulate_scenario, to_csv
    from bayesmyo.report import terminal
    from bayesmyo.study import parse_study
    from bayesmyo.study.template import template

    stem = name.removesuffix(".toml")
    if not stem or Path(stem).name != stem or stem.startswith(".") or not stem.isprintable() or set(stem) & set('"\\'):
        raise UsageError("NAME", "must be a plain file name", f'"{name}"', "such as my-study")
    text = template(stem)
    study = parse_study(text, f"{stem}.toml")
    table = to_csv(study, simulate_scenario(study).cohort)
    paths = {Path(f"{stem}.toml"): text, Path(f"{stem}.csv"): table}
    for path in paths:
        writable(path, force)
    for path, content in paths.items():
        write_bytes(path, content.encode())
    terminal.say(f"Wrote {stem}.toml and {stem}.csv. Edit both, then: bayesmyo validate {stem}.toml {stem}.csv")


@app.command()
def validate(
    study: STUDY,
    data: Annotated[
        Path | None, typer.Argument(help="The table, to check it against the study.", show_default=False)
    ] = None,
    patients: PATIENTS = None,
    json: JSON = False,
) -> None:
    """Say what was understood of a study, and of a table, without fitting anything."""
    from bayesmyo.cohort import read_cohort
    from bayesmyo.report import documents, terminal
    from bayesmyo.study import find_study

    if patients and not data:
        raise UsageError("--patients", "joins a table of visits", "no table", "name the table of visits as well")
    try:
        understood = find_study(study)
        cohort = read_cohort(understood, data, patients) if data else None
    except InputError as error:
        if json:
            typer.echo(documents.document(usable=False, source=error.source, faults=documents.faults_part(error)))
        raise
    if json:
        parts = {"study": documents.study_part(understood), "cohort": documents.cohort_part(cohort) if cohort else None}
        typer.echo(documents.document(usable=True, **parts))
        return
    terminal.show_study(understood)
    if cohort:
        terminal.say("")
        terminal.show_cohort(understood, cohort)
        terminal.say("The study and the table can be used together.")


@app.command()
def simulate(
    study: STUDY,
    output: Annotated[Path, typer.Option("-o", "--output", help="The table to write (CSV).", show_default=False)],
    scenario: Annotated[str | None, typer.Option(help="A scenario of the study (default: its first).")] = None,
    patients: Annotated[int | None, typer.Option(help="How many (default: the design's).", min=1)] = None,
    seed: SEED = 1,
    force: FORCE = False,
) -> None:
    """Simulate a cohort of patients that never were."""
    from bayesmyo.cohort import simulate_scenario, to_csv
    from bayesmyo.report import terminal
    from bayesmyo.study import find_study

    _not_an_input(output, study)
    understood = find_study(study)
    path = writable(output, force)
    simulated = simulate_scenario(understood, scenario, seed, patients)
    write_bytes(path, to_csv(understood, simulated.cohort).encode(understood.data.encoding))
    lost = f"{int(simulated.lost.sum())} lost to follow-up"
    terminal.say(f"Wrote {output}: {len(simulated.cohort)} patients, {simulated.cohort.rows.rows} visits, {lost}.")


@app.command()
def fit(
    study: STUDY,
    data: DATA,
    output: Annotated[Path, typer.Option("-o", "--output", help="The fit to write (netCDF).", show_default=False)],
    patients: PATIENTS = None,
    engine: Annotated[str, typer.Option(help="How to sample: nuts, or mock for a dry run.")] = "nuts",
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
    from bayesmyo.report import terminal
    from bayesmyo.study import find_study

    understood = find_study(study)
    cohort = read_cohort(understood, data, patients)
    if not json:
        terminal.show_cohort(understood, cohort)
    _not_an_input(output, study, data, *([patients] if patients else []))
    writable(output, force)
    with terminal.chain_progress(chains, tune + draws) as progress:
        from bayesmyo.model.engines import Sampling
        from bayesmyo.model.fit import fit as run
        from bayesmyo.model.store import save_fit

        sampling = Sampling(draws, tune, chains, cores, target_accept, adaptation)  # type: ignore[arg-type]
        result = run(understood, cohort, engine=engine, seed=seed, sampling=sampling, progress=progress)
    digest = save_fit(result, output, force=force)
    if not json:
        terminal.say(f"Wrote {output} (sha256 {digest[:16]}...)\n")
    _report(result, json, fit={"path": str(output), "sha256": digest})


@app.command()
def check(
    path: Annotated[
        str, typer.Argument(help="A file written by `bayesmyo fit`; with --prior, a study.", show_default=False)
    ],
    prior: Annotated[bool, typer.Option("--prior", help="What a study's priors believe, before any data.")] = False,
    refit: Annotated[
        bool, typer.Option("--refit", help="Also sample again: without each patient, and under other priors (minutes).")
    ] = False,
    tables: Annotated[
        bool, typer.Option("--tables", help="The table behind every check, not only of those that fail.")
    ] = False,
    json: JSON = False,
    seed: SEED = 1,
) -> None:
    """Run every check on a fit, or draw patients from a study's priors; exit 1 if a check fails."""
    from bayesmyo.assess.check import check as run
    from bayesmyo.assess.prior import check_prior
    from bayesmyo.model.store import load_fit
    from bayesmyo.report import documents, terminal
    from bayesmyo.study import find_study

    if prior and refit:
        raise UsageError("--refit", "and --prior do not go together", mend="a study has no fit to sample again")
    with terminal.step_progress("Sampling again") as progress:
        results = [check_prior(find_study(path), seed)] if prior else run(load_fit(path), refit, progress)
    passed = all(r.passed for r in results)
    if json:
        rows = [{"name": r.name, "passed": r.passed, "sentence": r.sentence, "table": list(r.table)} for r in results]
        typer.echo(documents.document(passed=passed, checks=rows))
    else:
        for r in results:
            terminal.say(
                f"{'passed' if r.passed else 'FAILED'}  {r.name}: {r.sentence}", "" if r.passed else "bold red"
            )
            if r.table and (tables or not r.passed or prior):
                terminal.show_table(list(r.table[0]), [list(row.values()) for row in r.table])
    if not passed:
        raise typer.Exit(1)


@app.command()
def estimate(
    path: FIT,
    parameters: Annotated[
        bool, typer.Option("--parameters", help="The model's parameters instead, on the link scale.")
    ] = False,
    decisions: Annotated[bool, typer.Option("--decisions", help="The study's decisions instead.")] = False,
    correlations: Annotated[
        bool, typer.Option("--correlations", help="How patients' starts and changes hang together instead.")
    ] = False,
    responses: Annotated[
        bool, typer.Option("--responses", help="How many patients have each category of response instead.")
    ] = False,
    json: JSON = False,
) -> None:
    """Print every estimand of a fit, with its population, its unit and its uncertainty."""
    from bayesmyo.model.store import load_fit

    asked = {
        "parameters": parameters, "decisions": decisions, "correlations": correlations, "responses": responses,
    }  # fmt: skip
    chosen = [what for what, wanted in asked.items() if wanted]
    if len(chosen) > 1:
        raise UsageError(f"--{chosen[0]}", f"and --{chosen[1]} do not go together", mend="ask for one at a time")
    _report(load_fit(path), json, what=chosen[0] if chosen else "estimates")


@app.command()
def influence(
    path: FIT,
    quick: Annotated[bool, typer.Option("--quick", help="Reweight the draws where that can be trusted.")] = False,
    json: JSON = False,
) -> None:
    """Leave out each patient in turn: which one carries a conclusion? Exit 1 if the fit is not to be trusted at all."""
    from dataclasses import asdict

    from bayesmyo.assess.influence import influence as run
    from bayesmyo.model.store import load_fit
    from bayesmyo.report import documents, terminal

    fit = load_fit(path)
    _converged({str(path): fit})
    with terminal.step_progress("Leaving out patients") as progress:
        found = run(fit, exact=not quick, progress=progress)
    if json:
        typer.echo(documents.document(**asdict(found)))
    else:
        terminal.show_influence(found, fit.study)


@app.command()
def compare(
    paths: Annotated[list[Path], typer.Argument(help="Fits of several studies to one table.", show_default=False)],
    exact: Annotated[
        bool, typer.Option("--exact", help="Sample again without each patient, whatever it takes.")
    ] = False,
    json: JSON = False,
) -> None:
    """Which study predicts a patient it has not seen better? Fits that the data cannot rank are not ranked."""
    from dataclasses import asdict

    from bayesmyo.assess.compare import comparisons
    from bayesmyo.model.store import load_fit
    from bayesmyo.report import documents, terminal

    fits = {str(path): load_fit(path) for path in paths}
    if len(fits) < len(paths):
        raise UsageError("FITS", "name one file twice", mend="compare different fits")
    _converged(fits)
    with terminal.step_progress("Leaving out patients") as progress:
        found = comparisons(list(fits.values()), list(fits), exact=exact, progress=progress)
    if json:
        typer.echo(documents.document(comparisons=[asdict(c) for c in found]))
    else:
        terminal.show_comparisons(found)


@app.command()
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
    """Check that a stored fit is what was written and hangs together; exit 4 if it does not."""
    from dataclasses import asdict

    from bayesmyo.model.store import load_fit, save_fit
    from bayesmyo.model.store import share as without_patients
    from bayesmyo.model.verify import verify as run
    from bayesmyo.report import documents, terminal

    if share:
        _not_an_input(share, path, *([data] if data else []))
        writable(share, force)
    found = run(path, data)
    copy = (
        {"path": str(share), "sha256": save_fit(without_patients(load_fit(path)), share, force=force)}
        if share and found.passed
        else None
    )
    if json:
        typer.echo(documents.document(passed=found.passed, **asdict(found), shared=copy))
    else:
        terminal.show_verification(found)
        if copy:
            terminal.say(f"Wrote {share}: the same fit without patient data (sha256 {copy['sha256'][:16]}...)")
    if not found.passed:
        raise typer.Exit(StorageError.exit_code)


def _report(result: Any, json: bool, what: str = "estimates", **extra: Any) -> None:
    """Print what a fit says, if its checks let it; exit 1 if they do not."""
    from dataclasses import asdict

    from bayesmyo.assess.check import check as run
    from bayesmyo.assess.correlations import correlation_estimates
    from bayesmyo.assess.estimate import estimates, parameter_estimates, verdicts, withhold
    from bayesmyo.assess.responses import responses, withhold_responses
    from bayesmyo.assess.sensitivity import judged, prior_sensitivities
    from bayesmyo.report import documents, terminal

    def with_verdicts(rows: list[Any], kind: str) -> list[Any]:
        if result.shared:  # what the priors say of these patients needs the patients
            return rows
        return judged(rows, [s for s in prior_sensitivities(result) if s.kind == kind])

    failed = [r for r in run(result) if not r.passed]
    if what == "parameters":
        rows = [asdict(p) for p in parameter_estimates(result)]
    elif what == "decisions":
        rows = [asdict(d) for d in withhold(with_verdicts(verdicts(result), "decision"), failed)]
    elif what == "responses":
        rows = [r.as_dict() for r in withhold_responses(responses(result), failed)]
    elif what == "correlations":
        rows = [asdict(c) for c in withhold(correlation_estimates(result), failed)]
    else:
        rows = [e.as_dict() for e in withhold(with_verdicts(estimates(result), "estimand"), failed)]
    if json:
        typer.echo(documents.document(**extra, passed=not failed, **{what: rows}))
    elif what == "responses":
        terminal.show_responses(rows)
    else:
        terminal.show_rows(what, rows, result.study.interval)
    for r in failed:
        terminal.say(f"Not trustworthy ({r.name}): {r.sentence}", "bold red", stderr=True)
    if failed:
        raise typer.Exit(1)


def _converged(fits: dict[str, Any]) -> None:
    """Nothing is built on a fit whose chains have not found the posterior: exit 1 with the reason."""
    from bayesmyo.assess.checks import Convergence
    from bayesmyo.report import terminal

    failed = {path: r for path, fit in fits.items() if not (r := Convergence().run(fit)).passed}
    for path, r in failed.items():
        terminal.say(f"Not trustworthy ({path}, {r.name}): {r.sentence}", "bold red", stderr=True)
    if failed:
        raise typer.Exit(1)


def _not_an_input(output: Path, *inputs: str | Path) -> None:
    """An input is never overwritten, not even with --force."""
    if any(Path(i).resolve() == output.resolve() for i in inputs):
        raise UsageError(str(output), "is what this command reads", mend="name another file for the result")


def _terminated(_signal: int, _frame: Any) -> Never:
    raise SystemExit(143)


def main() -> None:
    """Run a command; a known error becomes one message and its exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app(prog_name="bayesmyo")
    except BayesmyoError as error:
        print(printable(str(error)), file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except OSError as error:  # a name that is too long, or a disk that is full under stdout
        if os.environ.get("BAYESMYO_DEBUG"):
            raise
        where = printable(str(error.filename or "output"))
        print(f"{where}: cannot be read or written: {error.strerror or error}.", file=sys.stderr)
        raise SystemExit(StorageError.exit_code) from None
    except Exception as error:
        if os.environ.get("BAYESMYO_DEBUG"):
            raise
        where = type(error).__name__
        print(
            f"bayesmyo stopped on a bug of its own ({where}). Set BAYESMYO_DEBUG=1 for details, and please report it.",
            file=sys.stderr,
        )
        raise SystemExit(70) from None


def command() -> Never:
    """The command itself: `main`, and then out at once. Every file is written and flushed by now, and to take compiled code
    down in order costs a second, a seventh of a fit."""
    code = 0
    try:
        main()
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = StorageError.exit_code
    os._exit(code)


if __name__ == "__main__":
    command()
