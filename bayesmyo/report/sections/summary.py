"""In plain language, first: who, what changed, how sure, who decided, and what it does not say."""

from decimal import Decimal

from bayesmyo.assess.estimate import DecisionResult, Estimate, sentence
from bayesmyo.assess.responses import Category
from bayesmyo.assess.verdict import DATA, PRIOR, UNKNOWN, explained
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.numbers import in_sentence, listing
from bayesmyo.report.answered import verdict_of
from bayesmyo.report.blocks import Block, Heading, Items, Paragraph, Section, claims, counted, note, stated
from bayesmyo.report.results import Results
from bayesmyo.report.sections.cautions import alone, compared
from bayesmyo.report.sections.first_page import asked, strip, who_left
from bayesmyo.report.sections.patients import follow_up
from bayesmyo.report.standing import standing
from bayesmyo.study import describe

MOST = 6  # answers that are all told on the first page
PREFERRED = ("population average", "these patients", "average patient", "new patient")


def summary(r: Results) -> Section:
    own = next((one for one in r.responses if one.rule), None)
    doubts = (untested(r), alone(r), compared(r), limits(r))
    return Section(
        "summary",
        "In plain language",
        (
            Paragraph(who(r)),
            *data(r),
            *asked(r),
            *strip(r),
            Heading("What was found"),
            *said(r),
            *([rules(r)] if r.study.decisions else []),
            *([_claim(own.categories[0])] if own else []),
            *verdicts(r),
            *who_left(r),
            Heading("What to doubt"),
            trust(r),
            *(note(text) for text in doubts if text),
        ),
    )


def data(r: Results) -> list[Block]:
    """What the author says of the data: first, for it may be that they are made up."""
    return [note(f"About the data, its author says: {stated(r.stated.data)}")] if r.stated.data else []


def verdicts(r: Results) -> list[Block]:
    """What the verdicts that are given mean."""
    said = explained(verdict_of(row) for row in shown(r))
    return [note(" ".join(said))] if said else []


def shown(r: Results) -> list[Estimate | DecisionResult | Category]:
    """What is told on the first page."""
    own = next((one for one in r.responses if one.rule), None)
    return [*first(r), *r.decisions, *(own.categories[:1] if own else ())]


def who(r: Results) -> str:
    """The patients and what was measured of them."""
    outcomes = listing([in_sentence(r.study.label(o)) for o in (*r.study.outcomes, *r.study.events)])
    during = f" during {r.study.treatment}" if r.study.treatment else ""
    if r.fit.shared:
        return (
            f"This report looks at {outcomes}{during}. It is made from a shared copy of a fit, which holds no patients."
        )
    cohort = r.fit.cohort
    n = sum(len(m) for m in cohort.measurements.values())
    return (
        f"This report looks at {outcomes} in {counted(len(cohort), 'patient')}{during}, with "
        f"{counted(n, 'measurement')}. {follow_up(r.study, cohort)}"
    )


def limits(r: Results) -> str:
    """What the author doubts."""
    return f"Its author says of its limits: {stated(r.stated.limits)}" if r.stated.limits else ""


def trust(r: Results) -> Paragraph:
    """Whether the checks let anything be said: a check that failed speaks of what it is about, and of nothing else."""
    failed = r.failed
    if not failed:
        return Paragraph(f"Of the model and the computation, {standing(r.checks)} None failed.", "passed")
    labels = sorted({in_sentence(r.study.label(o)) for c in failed for o in c.outcomes})
    labels += sorted({name.replace("_", " ") for c in failed for name in c.numbers})
    whole = any(not c.outcomes and not c.numbers for c in failed)
    of = "Nothing is claimed here" if whole else f"Nothing is claimed of {listing(labels)}; all else stands"
    why = " ".join(f"The check of {c.name} failed: {c.sentence}" for c in failed)
    return Paragraph(f"{of}. {why}", "failed")


def first(r: Results) -> list[Estimate]:
    """The answers of the first page: all of a short study, in its order; else those that a reader asks for first."""
    if len(r.estimates) <= MOST:
        return list(r.estimates)
    return [e for outcome in r.study.outcomes for e in told(r, outcome)]


def said(r: Results) -> list[Block]:
    """The answers of the first page in plain words, each judged by itself."""
    if not r.estimates:
        return [note("The study declares no estimand: nothing was asked.")]
    return list(claims([(e.name, plain(r, e) if r.says(e) else e.sentence) for e in first(r)]))


def told(r: Results, outcome: str) -> list[Estimate]:
    """The main answer of an outcome, the same of these patients where the study asks for it too, and the first contrast
    of changes: in the order in which the study asks."""
    own = [e for e in r.estimates if e.outcomes == (outcome,)]
    contrasts = [e for e in own if e.contrast is not None and of(r, e).difference_on]
    e = main(r, outcome)
    if e is None:
        return []
    same = (e.kind, e.outcomes, e.when, e.given, e.contrast, e.predicts)
    ours = [
        o for o in own
        if o.population == "these patients" and (o.kind, o.outcomes, o.when, o.given, o.contrast, o.predicts) == same
    ]  # fmt: skip
    chosen = {o.name for o in (e, *ours[:1], *contrasts[:1])}
    return [o for o in own if o.name in chosen]


def main(r: Results, outcome: str) -> Estimate | None:
    """The first change or ratio of all patients alike, of the population that reaches furthest; else the first contrast
    of changes, else the first estimand."""
    own = [e for e in r.estimates if e.outcomes == (outcome,)]
    changes = [e for e in own if moved(of(r, e)) and e.contrast is None and not e.given]
    contrasts = [e for e in own if e.contrast is not None and of(r, e).difference_on]
    return min(changes or contrasts, key=lambda e: PREFERRED.index(e.population), default=own[0] if own else None)


def of(r: Results, e: Estimate) -> Estimand:
    """What the study asks, where an estimate is the answer."""
    return r.study.estimands[e.name]


def moved(e: Estimand) -> bool:
    """Whether a number is how far an outcome moved between two times, which can be told as a rise or a fall."""
    return e.difference_on is not None and not e.per_time


def plain(r: Results, e: Estimate) -> str:
    """An estimate without the words of statistics; its numbers are those of the table, falls told without their
    sign."""
    study, (lower, median, upper) = r.study, e.numbers
    if not moved(of(r, e)) or e.contrast is not None or e.given or e.verdict == PRIOR:
        return e.sentence
    judged = e.sentence.removeprefix(sentence(study, of(r, e), e))
    label, unit = study.label(e.outcomes[0]), study.time.unit
    during = f" during {study.treatment}" if study.treatment else ""
    first, *_, last = e.when.values()
    when = f"from {unit} {first:g} to {unit} {last:g}{during}"
    scope = {"these patients": "In these patients", "population average": "On average over all such patients"}
    where = scope.get(e.population, f"In {'an' if e.population[0] == 'a' else 'a'} {e.population}")
    ratio = of(r, e).divides
    neutral = 1.0 if ratio else 0.0
    rose, sure = e.median > neutral, (e.lower > neutral) == (e.upper > neutral)
    if ratio:
        amount = f"to {median} times what it was ({lower} to {upper} times)"
        if sure and not rose:
            amount = f"{fallen(e)}, {amount}"
    else:
        if sure and not rose:  # a fall is told without its sign
            lower, median, upper = (n.of(-v) for n, v in ((upper, e.upper), (median, e.median), (lower, e.lower)))
        amount = f"by {median} {e.unit} (between {lower} and {upper} with {study.interval:.0%} probability)"
    if not sure:
        return f"{where}, {in_sentence(label)} changed {amount} {when}: it may have risen or fallen.{judged}"
    better = rose == (study.declared[e.outcomes[0]].better == "higher")
    verb = "rose" if rose else "fell"
    return f"{where}, {in_sentence(label)} {verb} {amount} {when}: a change for the {'better' if better else 'worse'}.{judged}"


def fallen(e: Estimate) -> str:
    """A ratio below 1 as the share that is gone, from the numbers of its table and with their digits."""
    last, median, first = (percent(str(n)) for n in e.numbers)
    return f"by {median} (between {first} and {last} with {e.interval:.0%} probability)"


def percent(ratio: str) -> str:
    """100 (1 - ratio), of a ratio as it is written."""
    kept = len(ratio.partition(".")[2])
    return f"{1 - Decimal(ratio):.{max(0, kept - 2)}%}"


def rules(r: Results) -> Items:
    """What was to be decided, and what follows."""
    words = []
    for d in r.decisions:
        state = (
            "withheld"
            if not r.says(d)
            else "not met"
            if not d.met
            else "met"
            if d.verdict == DATA
            else "met, not judged against other priors"
        )
        words.append(f"Decision rule “{d.name.replace('_', ' ')}” ({rule(r, d)}): {state}.")
    return Items(tuple(words))


def rule(r: Results, d: DecisionResult) -> str:
    """What a decision asks, as the study states it."""
    asked, e = r.study.decisions[d.name], r.study.estimands[d.estimand]
    unit = next(row.unit for row in r.estimates if row.name == d.estimand)
    unit = "" if e.relative or e.amount_of is None else f" {unit}"
    return f"{describe.number(r.study, e)}, {e.whom}: {asked.terms(unit)}"


def untested(r: Results) -> str:
    """What is claimed above though nobody has looked whether other priors would have said so too; empty where it
    was."""
    rows: list[Estimate | DecisionResult] = [
        *first(r),
        *r.decisions,
    ]
    unsure = {o for row in rows if r.says(row) and row.verdict == UNKNOWN for o in row.outcomes}
    if not unsure:
        return ""
    labels = listing([in_sentence(r.study.label(o)) for o in r.study.outcomes if o in unsure])
    return (
        f"Not yet tested against other priors: what is said of {labels}. The option --refit of bayesmyo report does "
        "that."
    )


def _claim(own: Category) -> Paragraph:
    return Paragraph(own.sentence, "withheld" if own.withheld else "claim")
