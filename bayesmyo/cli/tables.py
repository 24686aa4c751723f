"""Before any fit: studies, the tables they are asked of, what was known, and cohorts simulated from them."""

from pathlib import Path
from typing import Annotated

import typer

from bayesmyo.cli.options import FORCE, JSON, PATIENTS, SEED, STUDY, not_an_input
from bayesmyo.errors import InputError, UsageError
from bayesmyo.files import writable, write_bytes


def studies(json: JSON = False) -> None:
    """List the bundled studies."""
    from bayesmyo.report import documents, terminal
    from bayesmyo.report.blocks import Table
    from bayesmyo.study import find_study
    from bayesmyo.study import studies as bundled

    listed = {name: find_study(name) for name in bundled()}
    if json:
        rows = [
            {"name": n, "title": s.title, "outcomes": list(s.outcomes), "scenarios": list(s.scenarios)}
            for n, s in listed.items()
        ]
        typer.echo(documents.document(studies=rows))
    else:
        shown = tuple((n, ", ".join(s.outcomes), s.title) for n, s in listed.items())
        terminal.show(Table("studies", "", ("study", "outcomes", "title"), shown))


def init(
    name: Annotated[
        str, typer.Argument(help="Name of the study: NAME.toml and NAME.csv are written here.", show_default=False)
    ],
    force: FORCE = False,
) -> None:
    """Write an editable, commented study and an example table."""
    from bayesmyo.cohort import to_csv
    from bayesmyo.model import simulate_scenario
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


def validate(
    study: STUDY,
    data: Annotated[
        Path | None, typer.Argument(help="The table, to check it against the study.", show_default=False)
    ] = None,
    patients: PATIENTS = None,
    write: Annotated[
        Path | None,
        typer.Option(
            help="Write the table as it was read (CSV), for R: with pseudonyms, but still about people: guard it "
            "as the table itself.",
            show_default=False,
        ),
    ] = None,
    force: FORCE = False,
    json: JSON = False,
) -> None:
    """Say what was understood of a study, and of a table. Nothing is fitted."""
    from bayesmyo.cohort import clean_csv, read_cohort
    from bayesmyo.report import documents, terminal
    from bayesmyo.report.blocks import SPACE
    from bayesmyo.report.understood import of_cohort, of_study
    from bayesmyo.study import find_study

    if patients and not data:
        raise UsageError("--patients", "joins a table of visits", "no table", "name the table of visits as well")
    if write and not data:
        raise UsageError("--write", "writes a table as it was read", "no table", "name the table as well")
    if write:
        not_an_input(write, study, data, patients)
        writable(write, force)
    try:
        understood = find_study(study)
        cohort = read_cohort(understood, data, patients) if data else None
    except InputError as error:
        if json:
            typer.echo(documents.document(usable=False, source=error.source, faults=documents.faults_part(error)))
        raise
    if write and cohort:
        write_bytes(write, clean_csv(understood, cohort).encode())
    if json:
        read = documents.cohort_part(understood, cohort) if cohort else None
        typer.echo(documents.document(usable=True, study=documents.study_part(understood, cohort), cohort=read))
        return
    terminal.show(*of_study(understood, cohort))
    if cohort:
        terminal.show(SPACE, *of_cohort(understood, cohort))
        terminal.say("The study and the table can be used together.")
    if write and cohort:
        terminal.say(f"Wrote {write}: {len(cohort)} patients as they were read, by their pseudonyms.")


def evidence(study: STUDY, json: JSON = False) -> None:
    """Say what was known before the first patient.

    Each published number with its source, their meta-analysis, the prior that it makes, and what that is worth in
    patients. Nothing is fitted.
    """
    from bayesmyo.assess.evidence import evidence as known
    from bayesmyo.report import documents, terminal
    from bayesmyo.report.known import evidence as blocks
    from bayesmyo.study import find_study

    understood = find_study(study)
    rows = known(understood)
    if json:
        typer.echo(documents.document(evidence=[k.as_dict() for k in rows]))
    else:
        terminal.show(*blocks(rows, understood))


def match(
    study: STUDY,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The study with the scenario, to write.", show_default=False)
    ] = None,
    simulations: Annotated[int, typer.Option(help="How many cohorts are simulated.")] = 4000,
    seed: SEED = 1,
    json: JSON = False,
    force: FORCE = False,
) -> None:
    """Rebuild truths from what an abstract prints.

    From the table [published] of the study: which truths print such numbers, what the abstract fixes, what it leaves to
    the priors, and what cannot be true together. With -o the study is written with [scenarios.published], from which
    `simulate` and `power` draw.
    """
    from bayesmyo.report import documents, progress, terminal
    from bayesmyo.report.matched import added
    from bayesmyo.report.matched import match as blocks
    from bayesmyo.simulation.match import checked
    from bayesmyo.simulation.match import match as run
    from bayesmyo.study import find_study

    understood = find_study(study)
    checked(understood, simulations)
    if output:
        not_an_input(output, study)
        writable(output, force)
    with progress.steps("Simulating cohorts") as step:
        matched = run(understood, simulations=simulations, seed=seed, progress=step)
    if output:
        write_bytes(output, added(understood.text, matched).encode())
    if json:
        typer.echo(documents.document(match=matched.as_dict(), path=str(output) if output else None))
        return
    terminal.show(*blocks(matched))
    if output:
        terminal.say(f"Wrote {output}: the study with [scenarios.published].")
    else:
        terminal.say(f"\n{matched.scenario}")


def simulate(
    study: STUDY,
    output: Annotated[Path, typer.Option("-o", "--output", help="The table to write (CSV).", show_default=False)],
    scenario: Annotated[str | None, typer.Option(help="A scenario of the study (default: its first).")] = None,
    patients: Annotated[int | None, typer.Option(help="How many (default: the design's).", min=1)] = None,
    seed: SEED = 1,
    force: FORCE = False,
) -> None:
    """Simulate a cohort of patients that never were."""
    from bayesmyo.cohort import to_csv
    from bayesmyo.model import simulate_scenario
    from bayesmyo.report import terminal
    from bayesmyo.study import find_study

    not_an_input(output, study)
    understood = find_study(study)
    path = writable(output, force)
    simulated = simulate_scenario(understood, scenario, seed, patients)
    write_bytes(path, to_csv(understood, simulated.cohort).encode(understood.data.encoding))
    lost = f"{int(simulated.lost.sum())} lost to follow-up"
    terminal.say(f"Wrote {output}: {len(simulated.cohort)} patients, {simulated.cohort.rows.rows} visits, {lost}.")
    for notice in simulated.cohort.notices:
        terminal.say(f"Note: {notice}", "yellow")
