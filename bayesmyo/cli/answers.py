"""What a fit is worth, and what it says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bayesmyo.cli.options import FIT, JSON, SEED, trusted
from bayesmyo.errors import UsageError

AGAIN = "Sampling again under other priors (two minutes at most)"


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
    """Run every check on a fit; with --prior, on a study's priors. Exit 1 if a check fails."""
    from bayesmyo.assess.check import check as run
    from bayesmyo.assess.prior import check_prior
    from bayesmyo.inference.store import load_fit
    from bayesmyo.report import answered, documents, progress, terminal
    from bayesmyo.study import find_study

    if prior and refit:
        raise UsageError("--refit", "and --prior do not go together", mend="a study has no fit to sample again")
    with progress.steps("Sampling again") as step:
        results = [check_prior(find_study(path), seed)] if prior else run(load_fit(path), refit, step)
    passed = all(r.passed for r in results)
    if json:
        rows = [
            {"name": r.name, "passed": r.passed, "sentence": r.sentence, "who": list(r.who), "table": list(r.table)}
            for r in results
        ]
        typer.echo(documents.document(passed=passed, checks=rows))
    else:
        for r in results:
            terminal.show(*answered.checked(r, tables or not r.passed or prior))
    if not passed:
        raise typer.Exit(1)


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
    each_patient: Annotated[
        str | None,
        typer.Option(
            "--each-patient",
            help="One estimand, asked of each of these patients instead.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option("--study", help="Ask what this study of the same model asks instead.", show_default=False),
    ] = None,
    json: JSON = False,
) -> None:
    """Print every estimand: population, unit and uncertainty.

    With --study, questions that came after the fit: the model and the data stay, and a note says what was not asked
    before.
    """
    from bayesmyo.inference.store import load_fit
    from bayesmyo.report import terminal
    from bayesmyo.study import find_study
    from bayesmyo.study.asks import added

    asked = {"parameters": parameters, "decisions": decisions, "correlations": correlations, "responses": responses}
    chosen = [what for what, wanted in (asked | {"each-patient": each_patient is not None}).items() if wanted]
    if len(chosen) > 1:
        raise UsageError(f"--{chosen[0]}", f"and --{chosen[1]} do not go together", mend="ask for one at a time")
    fit = load_fit(path)
    if study is not None:
        asked_now = find_study(study)
        later, fit = added(fit.study, asked_now), fit.asking(asked_now)
        if later:
            terminal.say(f"Note: asked after the fit was made: {', '.join(later)}.", "yellow", stderr=True)
    report(fit, json, what=chosen[0] if chosen else "estimates", estimand=each_patient or "")


def influence(
    path: FIT,
    quick: Annotated[bool, typer.Option("--quick", help="Reweight the draws where that can be trusted.")] = False,
    by: Annotated[str, typer.Option("--by", help="Leave out each level of this group, such as each site.")] = "",
    json: JSON = False,
) -> None:
    """Leave out each patient in turn: who carries a conclusion. Exit 1 if the fit is not to be trusted at all."""
    from dataclasses import asdict

    from bayesmyo.assess.claims import claims, influential
    from bayesmyo.assess.influence import influence as run
    from bayesmyo.inference.store import load_fit
    from bayesmyo.report import answered, documents, progress, terminal

    fit = load_fit(path)
    _converged({str(path): fit})
    with progress.steps("Leaving out patients") as step:
        carried = run(fit, exact=not quick, by=by, progress=step)
    if fit.study.decisions and not by:
        with progress.steps(AGAIN) as step:
            carried = influential(carried, claims(fit, [], progress=step).decisions)
    if json:
        typer.echo(documents.document(**asdict(carried)))
    else:
        terminal.show(*answered.influence(carried, fit.study, by or "patient"))


def tip(
    path: FIT,
    course: Annotated[
        str, typer.Option(help="shift, drift, return, stay, reference, copy increments or never.")
    ] = "shift",
    reason: Annotated[
        list[str] | None,
        typer.Option(help="Of leaving; may be given again (default: the only one).", show_default=False),
    ] = None,
    outcome: Annotated[
        list[str] | None,
        typer.Option(help="Whose course is another; may be given again (default: all).", show_default=False),
    ] = None,
    first: Annotated[
        float | None,
        typer.Option("--from", help="The first amount, in the unit of the outcome on its link.", show_default=False),
    ] = None,
    last: Annotated[
        float | None,
        typer.Option("--to", help="The last; negative is worse (default: 3 declared spreads).", show_default=False),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="How many amounts (default: 50).", min=2, show_default=False)
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--by-group", help="A covariate whose levels leave, and fare, each in their own way.", show_default=False
        ),
    ] = None,
    prior: Annotated[
        str | None, typer.Option(help='Of the amount, in place of a range: "normal(-0.5, 0.25)".', show_default=False)
    ] = None,
    hazard: Annotated[
        str | None, typer.Option(help="A prior of the rate of leaving (default: Jeffreys').", show_default=False)
    ] = None,
    tables: Annotated[bool, typer.Option("--tables", help="Every number by every amount too.")] = False,
    json: JSON = False,
) -> None:
    """What if those who left fared worse.

    Every conclusion, and the least amount by which their course must differ for it to change. Nothing is fitted again.
    """
    from dataclasses import asdict, replace

    from bayesmyo.assess.check import check as run
    from bayesmyo.assess.tip import amounts
    from bayesmyo.assess.tip import tip as what_if
    from bayesmyo.assess.withhold import withhold
    from bayesmyo.inference.store import load_fit
    from bayesmyo.report import answered, documents, terminal

    fit = load_fit(path)
    by = None if first is None and last is None else amounts(first, last, steps)
    answer = what_if(fit, course, by, reason or (), outcome, group, prior, hazard, steps)
    failed = [r for r in run(fit) if not r.passed]
    answer = replace(answer, points=tuple(withhold(list(answer.points), failed)))
    if json:
        typer.echo(documents.document(passed=not failed, tip=asdict(answer)))
    else:
        terminal.show(*answered.tip(answer, tables))
    trusted([f"({r.name}): {r.sentence}" for r in failed])


def compare(
    paths: Annotated[list[Path], typer.Argument(help="Fits of several studies to one table.", show_default=False)],
    exact: Annotated[
        bool, typer.Option("--exact", help="Sample again without each patient, whatever it takes.")
    ] = False,
    json: JSON = False,
) -> None:
    """Say which study predicts an unseen patient better. Fits that the data cannot rank are not ranked."""
    from dataclasses import asdict

    from bayesmyo.assess.compare import comparisons
    from bayesmyo.inference.store import load_fit
    from bayesmyo.report import answered, documents, progress, terminal

    fits = {str(path): load_fit(path) for path in paths}
    if len(fits) < len(paths):
        raise UsageError("FITS", "name one file twice", mend="compare different fits")
    _converged(fits)
    with progress.steps("Leaving out patients") as step:
        compared = comparisons(list(fits.values()), list(fits), exact=exact, progress=step)
    if json:
        typer.echo(documents.document(comparisons=[asdict(c) for c in compared]))
    else:
        terminal.show(*answered.comparisons(compared))


def report(result: Any, json: bool, what: str = "estimates", estimand: str = "", **extra: Any) -> None:
    """Print what a fit says, if its checks let it; exit 1 if they do not. estimand: that is asked of each patient"""

    from bayesmyo.assess.check import check as run
    from bayesmyo.assess.claims import claims, each_claims
    from bayesmyo.assess.each_patient import asked
    from bayesmyo.assess.estimate import parameter_estimates
    from bayesmyo.assess.evidence import cited
    from bayesmyo.report import answered, documents, progress, terminal

    rows: Sequence[Any]
    if what == "each-patient":
        asked(result.study, estimand)
    if what in ("responses", "correlations", "each-patient"):
        len(result.cohort)  # says what a shared copy is
    failed = [r for r in run(result) if not r.passed]
    if what == "parameters":
        rows = parameter_estimates(result)
    elif what == "each-patient":
        with progress.steps(AGAIN) as step:
            rows = each_claims(result, estimand, failed, step)
    else:
        with progress.steps(AGAIN) as step:
            rows = getattr(claims(result, failed, progress=step), what)
    if json:
        of = {"estimand": estimand} if estimand else {}
        plain = [r.as_dict() for r in rows]
        extra |= {"evidence": cited(result.study)} if result.study.evidence else {}
        typer.echo(documents.document(**extra, passed=not failed, **of, **{what.replace("-", "_"): plain}))
    else:
        told = getattr(answered, what.replace("-", "_"))
        terminal.show(*told(rows, result.study, **({"estimand": estimand} if estimand else {})))
    trusted([f"({r.name}): {r.sentence}" for r in failed])


def _converged(fits: dict[str, Any]) -> None:
    """Nothing is built on a fit whose chains do not agree on the posterior: exit 1 with the reason."""
    from bayesmyo.assess.checks import Convergence

    checked = {path: Convergence().run(fit) for path, fit in fits.items()}
    trusted([f"({path}, {r.name}): {r.sentence}" for path, r in checked.items() if not r.passed])
