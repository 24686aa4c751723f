"""What was understood of a study, and read of a table, on a terminal: before anything is fitted."""

from typing import Any

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.covariates import level_counts
from bayesmyo.cohort.table import lines_text
from bayesmyo.components.numbers import listing
from bayesmyo.model import planned
from bayesmyo.report.columns import Ends
from bayesmyo.report.terminal import figure, say, show_table
from bayesmyo.study import describe, in_r
from bayesmyo.study.design import Design
from bayesmyo.study.scenarios import design_priors
from bayesmyo.study.study import Study


def show_study(study: Study, cohort: Cohort | None = None) -> None:
    """What was understood of a study; cohort: the patients whose times the lines for R are for."""
    say(study.title, "bold")
    how = describe.correlation_words(study)
    since = f", since {study.time.since}" if study.time.since else ""
    until = f", until {study.time.exit}" if study.time.exit else ""
    say(
        f"Time in {study.time.unit}s (column {study.time.column}{since}{until}); patients in column {study.patient}; {how}."
    )
    if study.covariates:
        say("Covariates")
    for line in describe.covariates(study):
        say(f"    {line}")
    for name in study.outcomes:
        say("")
        say(f"{name}: {describe.words(study, name)}")
        for line in describe.formula(study, name):
            say(f"    {line}")
        first = cohort.earliest(name) if cohort else 0.0
        say(f"    R: {in_r.likelihood(study, name, first)}")
        say(f"    brms: {in_r.brms(study, name, first)}")
    say("")
    early = "" if cohort else f" (without visits before {study.time.unit} 0)"
    say(f"In R, d is the table that `validate --write CLEAN.csv` writes{early}:")
    for line in in_r.table(study):
        say(f"    {line}")
    say("")
    _show_priors(study)
    if study.estimands:
        say("Estimands")
    for name, e in study.estimands.items():
        say(f"    {name}: {describe.number(study, e)}, {e.whom} ({describe.summary(study, e)})")
    if study.decisions:
        say("Decisions, met when")
    for name, d in study.decisions.items():
        say(f"    {name}: {d.rule(d.estimand)}")
    for title, names in (("Responses", study.responses), ("Scenarios", study.scenarios)):
        if names:
            say(f"{title}: {', '.join(names)}")
    for name in study.scenarios:
        if drawn := design_priors(study, name):
            listed = ", ".join(f"{parameter} ~ {prior}" for parameter, prior in drawn.items())
            say(f"    {name} is uncertain, and every simulated cohort draws its own truth: {listed}")
    if study.design:
        _show_design(study, study.design)


def _show_design(study: Study, design: Design) -> None:
    """What a planned cohort would look like, and what is true of it under each scenario."""
    say("")
    say("Design", "bold")
    say(f"    {describe.design(study, design)}")
    found, unit = planned.schedule(study, design), study.time.unit
    first, mean, last = (figure(v) for v in found.visits)
    early, usual, late = (figure(v) for v in found.last)
    seen = "".join(
        f" {share:.0%} have the visit that is planned for {unit} {t:g}, or a later one." if share else _nobody(study, t)
        for t, share in found.seen.items()
        if t > design.visits.first[0]
    )
    say(
        f"    So a patient has {mean} visits (nine of ten: {first} to {last}), the last at {unit} {usual} ({early} to {late}); "
        f"{found.lost:.0%} are lost before their follow-up is over.{seen}"
    )
    if study.scenarios and study.estimands:
        _show_truths(study)


def _nobody(study: Study, t: float) -> str:
    """What is asked of a time at which nobody is seen."""
    names = [name for name, e in study.estimands.items() if t in e.times()]
    return f" Nobody is seen at {study.time.unit} {t:g}, which {listing(names)} asks about: it would be extrapolated."


def _show_truths(study: Study) -> None:
    """What is true under each scenario, and which decisions would be right: where one is not, `power` counts errors of type I."""
    truths = {name: planned.true_values(study, name) for name in study.scenarios}
    rows: list[tuple[Any, ...]] = []
    for name in next(iter(truths.values())):
        under = [truths[scenario][name] for scenario in truths]
        rows.append((name, *(_true_value(v) for v in under)))
        for decision in under[0].right:
            rows.append((f"  {decision} is right", *(v.verdict(decision) for v in under)))
    show_table(["estimand", *truths], rows, title="True values, and whether a decision would be right")


def _true_value(v: planned.TrueValue) -> Any:
    return v.value if v.lower is None else f"{figure(v.value)} ({figure(v.lower)} to {figure(v.upper)})"


def _show_priors(study: Study) -> None:
    """A row for each prior; one for all correlations between outcomes, of which there are many with the same."""
    listed = describe.priors(study)
    between = [p for p in listed if p.outcome == "correlations"]
    rows: list[tuple[Any, ...]] = []
    for p in [p for p in listed if p not in between] + between[:1]:
        name = f"{p.outcome}.{p.parameter}" if p not in between else f"correlations (each of {len(between)})"
        scale = f" on {p.unit}" if p.unit else ""
        how = f"{p.prior}{scale}{'' if p.stated else ', the default'}"
        rows.append((name, p.median, Ends(figure(p.lower), figure(p.upper)), p.natural_unit, how))
    show_table(
        ["parameter", "median", f"{study.interval:.0%} interval", "clinical unit", "prior"],
        rows,
        title="Priors, and what they hold likely in clinical units",
        below=["prior"],
    )


def show_cohort(study: Study, cohort: Cohort) -> None:
    """What was read of a table: every row accounted for, of the table and of each outcome."""
    r = cohort.rows
    aside = r.rows - r.used
    say(f"{cohort.source}: {r.rows} rows in = {r.used} used + {aside} set aside; {len(cohort.patients)} patients.")
    for why, lines in r.set_aside.items():
        say(f"  set aside, {why}: {len(lines)} ({lines_text(lines, most=10, word=r.word)})")
    rows = [(study.label(name), r.rows, o.used, r.rows - o.used, o.censored) for name, o in r.outcomes.items()]
    show_table(["outcome", "rows in", "= used", "+ set aside", "censored"], rows)
    for name, o in r.outcomes.items():
        if not o.set_aside.keys() <= r.set_aside.keys():
            each = [
                f"{len(lines)} {why} ({'see above' if why in r.set_aside else lines_text(lines, most=10, word=r.word)})"
                for why, lines in o.set_aside.items()
            ]
            say(f"  {study.label(name)}: {r.rows - o.used} set aside = {' + '.join(each)}")
    for name, counts in level_counts(study, cohort).items():
        whose = "patients" if study.covariates[name].varies == "patients" else "visits"
        say(f"{name}, {whose} of each level: {', '.join(f'{level} {count}' for level, count in counts.items())}")
    for notice in cohort.notices:
        say(f"Note: {notice}", "yellow")
