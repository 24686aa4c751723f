"""One new patient."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bayesmyo.cli.options import DATA, FIT, FORCE, JSON, PATIENTS, not_an_input, trusted
from bayesmyo.errors import UsageError


def predict(
    path: FIT,
    data: DATA,
    times: Annotated[
        str | None,
        typer.Option("--times", help="Such as 6,12, in the study's unit (default: those that the study asks of).",
                     show_default=False),
    ] = None,
    patients: PATIENTS = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--given", help="A covariate of visits to come: treatment=on; may be given again.",
                     metavar="NAME=VALUE", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Also write a page of the one patient: .html, or .md.", show_default=False),
    ] = None,
    json: JSON = False,
    force: FORCE = False,
) -> None:  # fmt: skip
    """Predict a patient who was not in the fit from the own visits.

    Each outcome's course and a measurement, and the probability of each criterion, category and event. Nothing is
    fitted again. Exit 1 if a check of the fit failed. No medical device.
    """
    from bayesmyo.assess.check import check
    from bayesmyo.assess.predict import predict as run
    from bayesmyo.cohort import read_cohort
    from bayesmyo.inference.store import load_fit
    from bayesmyo.report import documents, terminal
    from bayesmyo.report.one_patient import NO_DEVICE, page_path, predicted, write_patient

    if output:
        not_an_input(output, path, data, patients)
        page_path(output, force)
    asked, covariates = _times(times), _given(given or [])
    fit = load_fit(path)
    new = read_cohort(fit.study, data, patients, alone=True)
    if output and len(new) > 1:
        raise UsageError(
            "-o", f"writes the page of one patient, and the table holds {len(new)}", mend="keep the rows of one"
        )
    results = check(fit)
    failed = [r for r in results if not r.passed]
    told = run(fit, new, asked, given=covariates, checks=results)
    if output:
        write_patient(told[0], output, failed=bool(failed), force=force)
    if json:
        typer.echo(documents.document(passed=not failed, note=NO_DEVICE, patients=[p.as_dict() for p in told]))
    else:
        for one in told:
            terminal.show(*predicted(one, fit.study))
        terminal.say(NO_DEVICE, "yellow")
        if output:
            terminal.say(f"Wrote {output}.")
    trusted([f"({r.name}): {r.sentence}" for r in failed])


def _times(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError("--times", "must be numbers with commas between", f'"{text}"', "write --times 6,12") from None


def _given(pairs: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for pair in pairs:
        name, equal, value = pair.partition("=")
        if not equal:
            raise UsageError("--given", "must be a covariate and its value", f'"{pair}"', "write --given treatment=on")
        given[name] = _number(value)
    return given


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
