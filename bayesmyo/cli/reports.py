"""A fit as a page that a reader may keep."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bayesmyo.cli.options import FIT, FORCE, not_an_input, trusted
from bayesmyo.files import writable


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
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            "--beside",
            help="A fit of the same data by another model; may be given again.",
            metavar="<path>",
            show_default=False,
        ),
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
    from bayesmyo.inference.store import load_fit
    from bayesmyo.report import progress, terminal
    from bayesmyo.report.write import write_report
    from bayesmyo.study import find_study

    not_an_input(output, path, *(beside or ()))
    writable(output, force)
    fit = load_fit(path)
    asked = find_study(study) if study else None
    beside_it = [load_fit(other) for other in beside or ()]
    also_read: dict[str, Any] = {"study": asked, "power": power, "calibration": calibration, "beside": beside_it}
    how: dict[str, Any] = {"tables": tables, "patient_level": patient_level, "refit": refit, "force": force}
    with progress.steps("Sampling again") as step:
        made = write_report(fit, output, **also_read, **how, progress=step)
    also = f" and {len(made.files) - 1} tables in {tables}" if tables else ""
    terminal.say(f"Wrote {output}{also}.")
    reasons = [f"({r.name}): {r.sentence}" for r in made.failed]
    trusted(reasons, "The report withholds what these checks forbid, and says why.")
