"""A fit as a page that a reader may keep."""

from pathlib import Path
from typing import Annotated

import typer

from bayesmyo.cli.options import FIT, FORCE, not_an_input
from bayesmyo.errors import UsageError
from bayesmyo.files import folder, writable, write_bytes


def report(
    path: FIT,
    output: Annotated[Path, typer.Option("-o", "--output", help="The report: .html, or .md.", show_default=False)],
    study: Annotated[
        str | None,
        typer.Option(
            "--study", help="Take the table [report] from this study, which asks the same.", show_default=False
        ),
    ] = None,
    power: Annotated[
        Path | None,
        typer.Option("--power", help="A folder of `bayesmyo power` for the same study.", show_default=False),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="A folder of `bayesmyo calibrate` for the same study.", show_default=False),
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option("--tables", help="Also write every table as CSV into this folder.", show_default=False),
    ] = None,
    patient_level: Annotated[
        bool, typer.Option("--patient-level", help="Show single patients, by pseudonym, in figures and tables.")
    ] = False,
    refit: Annotated[
        bool, typer.Option("--refit", help="Also sample again: without each patient, and under other priors (minutes).")
    ] = False,
    force: FORCE = False,
) -> None:
    """Write a fit as one page for a reader.

    The page needs neither network nor script. Exit 1 if a check failed, and claims are withheld.
    """
    from bayesmyo.model.store import load_fit
    from bayesmyo.report import progress, terminal
    from bayesmyo.report.html import html
    from bayesmyo.report.markdown import markdown
    from bayesmyo.report.page import page
    from bayesmyo.report.results import results, statements
    from bayesmyo.report.simulations import read_calibration, read_power
    from bayesmyo.report.tables import csv_files
    from bayesmyo.study import find_study

    forms = {".html": html, ".htm": html, ".md": markdown}
    if output.suffix.lower() not in forms:
        raise UsageError(str(output), "is neither .html nor .md", mend="name a file such as report.html")
    not_an_input(output, path)
    writable(output, force)
    fit = load_fit(path)
    stated = statements(fit, find_study(study)) if study else None
    planned = read_power(power, fit) if power else None
    calibrated = read_calibration(calibration, fit) if calibration else None
    if tables:
        folder(tables)
    with progress.steps("Leaving out patients") as step:
        found = results(
            fit, stated=stated, refit=refit, patient_level=patient_level, power=planned, calibration=calibrated, progress=step
        )  # fmt: skip
    made = page(found)
    files = {output: forms[output.suffix.lower()](made)}
    if tables:
        files |= {tables / name: text for name, text in csv_files(made).items()}
        for name in files:
            writable(name, force)
    for name, text in files.items():
        write_bytes(name, text.encode())
    also = f" and {len(files) - 1} tables in {tables}" if tables else ""
    terminal.say(f"Wrote {output}{also}.")
    for r in found.failed:
        terminal.say(f"Not trustworthy ({r.name}): {r.sentence}", "bold red", stderr=True)
    if found.failed:
        terminal.say("The report withholds what these checks forbid, and says why.", stderr=True)
        raise typer.Exit(1)
