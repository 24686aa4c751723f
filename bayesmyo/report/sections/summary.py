"""In plain language, first: who, what changed, how sure, who decided, and what it does not say."""

from bayesmyo.assess.estimate import Estimate
from bayesmyo.components.numbers import in_sentence
from bayesmyo.report.blocks import Block, Items, Paragraph, Section, counted, listing, stated
from bayesmyo.report.results import Results

PREFERRED = ("population average", "these patients", "average patient", "new patient")


def summary(r: Results) -> Section:
    blocks: list[Block] = [Paragraph(who(r))]
    if r.stated.data:
        blocks.append(Paragraph(f"About the data, its author says: {stated(r.stated.data)}", "note"))
    blocks.append(trust(r))
    blocks += said(r)
    if r.study.decisions:
        blocks.append(rules(r))
    own = next((one for one in r.responses if one.rule), None)
    if own is not None:
        blocks.append(_claim(own.categories[0].sentence))
    blocks.append(Paragraph(caution(r), "note"))
    return Section("summary", "In plain language", tuple(blocks))


def who(r: Results) -> str:
    """The patients and what was measured of them."""
    outcomes = listing([in_sentence(r.study.label(o)) for o in r.study.outcomes])
    during = f" during {r.study.treatment}" if r.study.treatment else ""
    if r.fit.shared:
        return (
            f"This report looks at {outcomes}{during}. It is made from a shared copy of a fit, which holds no patients."
        )
    cohort = r.fit.cohort
    n = sum(len(m) for m in cohort.measurements.values())
    return f"This report looks at {outcomes} in {counted(len(cohort), 'patient')}{during}, with {counted(n, 'measurement')}."


def trust(r: Results) -> Paragraph:
    """Whether the checks let anything be said."""
    failed = r.failed
    if not failed:
        silent = sum(c.sentence.lower().startswith("not judged") for c in r.checks)
        rest = f"; {silent} had nothing to look at" if silent else ""
        return Paragraph(
            f"{len(r.checks) - silent} checks of the model and the computation passed{rest}. None failed.", "passed"
        )
    labels = sorted({in_sentence(r.study.label(o)) for c in failed for o in c.outcomes})
    labels += sorted({name.replace("_", " ") for c in failed for name in c.numbers})
    whole = any(not c.outcomes and not c.numbers for c in failed)
    of = "Nothing is claimed" if whole else f"Nothing is claimed of {listing(labels)}"
    why = " ".join(f"The check of {c.name} failed: {c.sentence}" for c in failed)
    how = "PARTLY WITHHELD" if all(c.numbers for c in failed) else "NOT TRUSTWORTHY"
    return Paragraph(f"{how}. {of}. {why}", "failed")


def said(r: Results) -> list[Block]:
    """Of each outcome the answer that a reader asks for first, in plain words."""
    found: list[Block] = []
    for outcome in r.study.outcomes:
        e = main(r, outcome)
        if e is None:
            continue
        if not r.says(e):
            label = r.study.label(outcome)
            found.append(Paragraph(f"{label}: no claim is made, see the checks and the answers below.", "withheld"))
        else:
            found.append(Paragraph(plain(r, e), "claim"))
    return found


def main(r: Results, outcome: str) -> Estimate | None:
    """The first change or ratio of an outcome, of the population that reaches furthest; else its first estimand."""
    own = [e for e in r.estimates if e.outcomes == (outcome,)]
    compared = [e for e in own if e.kind in ("change", "ratio") and e.contrast is None]
    return min(compared, key=lambda e: PREFERRED.index(e.population), default=own[0] if own else None)


def plain(r: Results, e: Estimate) -> str:
    """An estimate without the words of statistics; its numbers are those of the table, falls told without their sign."""
    how, study = e.written, r.study
    if e.kind not in ("change", "ratio") or e.contrast is not None:
        return e.sentence
    label, unit = study.label(e.outcomes[0]), study.time.unit
    during = f" during {study.treatment}" if study.treatment else ""
    when = f"from {unit} {e.when['from']:g} to {unit} {e.when['to']:g}{during}"
    scope = {"these patients": "In these patients", "population average": "On average over all such patients"}
    where = scope.get(e.population, f"In {'an' if e.population[0] == 'a' else 'a'} {e.population}")
    neutral = 1.0 if e.kind == "ratio" else 0.0
    rose, sure = e.median > neutral, (e.lower > neutral) == (e.upper > neutral)
    if e.kind == "ratio":
        amount = f"to {how.amount(e.median)} times what it was ({how.amount(e.lower)} to {how.amount(e.upper)} times)"
    else:
        low, high = (e.lower, e.upper) if rose or not sure else (e.upper, e.lower)
        median, first, last = (how.amount(v if not sure or rose else -v) for v in (e.median, low, high))
        amount = f"by {median} {e.unit} (between {first} and {last} with {study.interval:.0%} probability)"
    if not sure:
        return f"{where}, {in_sentence(label)} changed {amount} {when}: it may have risen or fallen."
    better = rose == (study.outcomes[e.outcomes[0]].better == "higher")
    verb = "rose" if rose else "fell"
    return f"{where}, {in_sentence(label)} {verb} {amount} {when}: a change for the {'better' if better else 'worse'}."


def rules(r: Results) -> Items:
    """What was to be decided, and what follows."""
    words = []
    for d in r.decisions:
        name = d.name.replace("_", " ")
        claimed = r.says(d)
        words.append(
            f"Decision rule “{name}”: {'met' if d.met else 'not met'}."
            if claimed
            else f"Decision rule “{name}”: withheld."
        )
    return Items(tuple(words))


def caution(r: Results) -> str:
    """What none of this says."""
    drug = r.study.treatment
    change = f"a change during {drug}, not what {drug} did" if drug else "a change over time, not what caused it"
    if r.uncontrolled:
        return (
            f"There is no control group in this analysis. What is reported is {change}: patients may change without treatment, other treatment counts too, "
            "and patients who start when they are at their worst tend to be better later (regression to the mean)."
        )
    return (
        "Groups of patients are compared. Whether a difference between them is caused by what they were given depends on how they came into their "
        "groups, which no model can tell."
    )


def _claim(sentence: str) -> Paragraph:
    return Paragraph(sentence, "withheld" if sentence.startswith("withheld") else "claim")
