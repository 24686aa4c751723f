"""What was understood of a study, and read of a table, as blocks: before anything is fitted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from bayesmyo.assess.evidence import cited
from bayesmyo.cohort.cohort import CENSORED, Cohort
from bayesmyo.cohort.covariates import level_counts
from bayesmyo.cohort.table import lines_text
from bayesmyo.components.numbers import in_sentence, listing
from bayesmyo.model import planned
from bayesmyo.report.blocks import SPACE, Block, Cell, Heading, Paragraph, Span, Table, Terms, counted, note
from bayesmyo.report.numbers import count, plain
from bayesmyo.study import describe, in_r
from bayesmyo.study.describe_events import event_formula, event_words
from bayesmyo.study.design import Design
from bayesmyo.study.scenarios import design_priors
from bayesmyo.study.study import Study


def of_study(study: Study, cohort: Cohort | None = None) -> list[Block]:
    """What was understood of a study.

    Parameters
    ----------
    cohort : Cohort, optional
        The patients whose times the lines for R are for.

    """
    how = describe.correlation_words(study)
    since = f", since {study.time.since}" if study.time.since else ""
    until = f", until {study.time.exit}" if study.time.exit else ""
    when = f"Time in {study.time.unit}s (column {study.time.column}{since}{until})"
    blocks: list[Block] = [Heading(study.title), Paragraph(f"{when}; patients in column {study.patient}; {how}.")]
    blocks += _listed("Covariates", describe.covariates(study))
    for name in study.outcomes:
        first = cohort.earliest(name) if cohort else 0.0
        in_other = [f"R: {in_r.likelihood(study, name, first)}", f"brms: {in_r.brms(study, name, first)}"]
        blocks += [
            SPACE,
            *_listed(f"{name}: {describe.words(study, name)}", [*describe.formula(study, name), *in_other]),
        ]
    for name in study.events:
        blocks += [SPACE, *_listed(f"{name}: {event_words(study, name)}", event_formula(study, name))]
    early = "" if cohort else f" (without visits before {study.time.unit} 0)"
    table = f"In R, d is the table that `validate --write CLEAN.csv` writes{early}:"
    blocks += [SPACE, *_listed(table, in_r.table(study)), SPACE, _priors(study)]
    blocks += _listed("Known before the first patient (`bayesmyo evidence` says what it comes to)", cited(study))
    blocks += _named("Estimands", describe.estimands(study))
    blocks += _named("Decisions, met when", {name: d.rule(d.estimand) for name, d in study.decisions.items()})
    for title, names in (("Responses", study.responses), ("Scenarios", study.scenarios)):
        blocks += [Paragraph(f"{title}: {', '.join(names)}")] if names else []
    for name in study.scenarios:
        if drawn := design_priors(study, name):
            said = ", ".join(f"{parameter} ~ {prior}" for parameter, prior in drawn.items())
            what = f"{name} is uncertain, and every simulated cohort draws its own truth"
            blocks.append(Terms(((what, said),)))
    return blocks + (_design(study, study.design) if study.design else [])


def _listed(what: str, lines: Iterable[str]) -> list[Block]:
    """Lines under what they are; nothing where there are none."""
    terms = Terms(tuple(("", line) for line in lines))
    return [Paragraph(what), terms] if terms.pairs else []


def _named(what: str, said: Mapping[str, str]) -> list[Block]:
    return [Paragraph(what), Terms(tuple(said.items()))] if said else []


def _design(study: Study, design: Design) -> list[Block]:
    """What a planned cohort would look like, and what is true of it under each scenario."""
    planned_as, unit = planned.schedule(study, design), study.time.unit
    first, mean, last = map(plain, planned_as.visits)
    early, usual, late = map(plain, planned_as.last)
    seen = "".join(
        f" {share:.0%} have the visit that is planned for {unit} {t:g}, or a later one." if share else _nobody(study, t)
        for t, share in planned_as.seen.items()
        if t > design.visits.first[0]
    )
    ending = [in_sentence(study.label(name)) for name, event in study.events.items() if event.reasons]
    sooner = (
        f" That is without {listing(ending)}, which is drawn from each scenario and comes sooner." if ending else ""
    )
    lost_anyway = design.loss is not None or not ending
    gone = f"; {planned_as.lost:.0%} are lost before their follow-up is over" if lost_anyway else ""
    text = (
        f"So a patient has {mean} visits (nine of ten: {first} to {last}), the last at {unit} {usual} ({early} to "
        f"{late}){gone}.{seen}{sooner}"
    )
    blocks: list[Block] = [SPACE, Heading("Design"), Terms((("", describe.design(study, design)), ("", text)))]
    return blocks + ([_truths(study)] if study.scenarios and study.estimands else [])


def _nobody(study: Study, t: float) -> str:
    """What is asked of a time at which nobody is seen."""
    names = [name for name, e in study.estimands.items() if t in e.times()]
    return f" Nobody is seen at {study.time.unit} {t:g}, which {listing(names)} asks about: it would be extrapolated."


def _truths(study: Study) -> Table:
    """What is true under each scenario, and which decisions would be right: where one is not, `power` counts errors of
    type I."""
    truths = {name: planned.true_values(study, name) for name in study.scenarios}
    rows: list[tuple[Cell, ...]] = []
    for name in next(iter(truths.values())):
        under = [values[name] for values in truths.values()]
        rows.append((name, *map(_true_value, under)))
        rows += [(f"  {decision} is right", *(v.verdict(decision) for v in under)) for decision in under[0].right]
    return Table("truths", "True values, and whether a decision would be right", ("estimand", *truths), tuple(rows))


def _true_value(v: planned.TrueValue) -> Cell:
    return plain(v.value) if v.lower is None else f"{plain(v.value)} ({Span(str(plain(v.lower)), str(plain(v.upper)))})"


def _priors(study: Study) -> Table:
    """A row for each prior; one for all correlations between outcomes, of which there are many with the same."""
    listed = describe.priors(study)
    between = [p for p in listed if p.outcome == "correlations"]
    rows: list[tuple[Cell, ...]] = []
    for p in [p for p in listed if p not in between] + between[:1]:
        name = f"{p.outcome}.{p.parameter}" if p not in between else f"correlations (each of {len(between)})"
        how = f"{p.prior}{f' on {p.unit}' if p.unit else ''}{'' if p.stated else ', the default'}"
        rows.append((name, plain(p.median), Span(str(plain(p.lower)), str(plain(p.upper))), p.natural_unit, how))
    headers = ("parameter", "median", f"{study.interval:.0%} interval", "clinical unit", "prior")
    title = "Priors, and what they hold likely in clinical units"
    return Table("priors", title, headers, tuple(rows), below=("prior",))


def of_cohort(study: Study, cohort: Cohort) -> list[Block]:
    """What was read of a table: every row accounted for, of the table and of each outcome."""
    r = cohort.rows
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (study.label(name), *map(count, (r.rows, o.used, r.rows - o.used, o.censored)))
        for name, o in r.outcomes.items()
    )
    summary = f"{r.rows} rows in = {r.used} used + {r.rows - r.used} set aside; {len(cohort.patients)} patients."
    blocks: list[Block] = [Paragraph(f"{cohort.source}: {summary}")]
    for why, lines in r.set_aside.items():
        where = lines_text(lines, most=10, word=r.word)
        blocks.append(Paragraph(f"  set aside, {why}: {len(lines)} ({where})"))
    blocks.append(Table("rows", "", ("outcome", "rows in", "= used", "+ set aside", "censored"), rows))
    for name, o in r.outcomes.items():
        if not o.set_aside.keys() <= r.set_aside.keys():
            each = [
                f"{len(lines)} {why} ({'see above' if why in r.set_aside else lines_text(lines, most=10, word=r.word)})"
                for why, lines in o.set_aside.items()
            ]
            blocks.append(Paragraph(f"  {study.label(name)}: {r.rows - o.used} set aside = {' + '.join(each)}"))
    for name, counts in level_counts(study, cohort).items():
        whose = "patients" if study.covariates[name].varies == "patients" else "visits"
        each = [f"{level} {n}" for level, n in counts.items()]
        blocks.append(Paragraph(f"{name}, {whose} of each level: {', '.join(each)}"))
    blocks += [Paragraph(line) for line in _happened(study, cohort)]
    return [*blocks, *(note(f"Note: {notice}") for notice in cohort.notices)]


def _happened(study: Study, cohort: Cohort) -> Iterator[str]:
    """Who left why, and how many patients had each event."""
    if cohort.exits is not None and study.time.reason is not None:
        left = Counter(cohort.exits.reason)
        why = [f"{reason} {n}" for reason, n in left.most_common() if reason]
        yield f"end of follow-up, patients of each reason: {', '.join([*why, f'still in care {left[""]}'])}"
    for name, e in cohort.events.items():
        had, at_risk = len(np.unique(e.patient[e.status != CENSORED])), len(np.unique(e.patient))
        often = f", {e.happened} times in all" if e.happened > had else ""
        yield f"{study.label(name)}: {had} of {counted(at_risk, 'patient')} at risk{often}"
