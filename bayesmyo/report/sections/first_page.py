"""What a first page needs to stand alone beside its answers: what was asked, all outcomes at a glance, and who left."""

from collections import Counter

import numpy as np

from bayesmyo import figures
from bayesmyo.components.numbers import in_sentence, listing
from bayesmyo.report.blocks import NOT_STATED, Block, Heading, Paragraph, Terms, claims, counted, note, stated
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results
from bayesmyo.study import describe

MOST = 4  # questions that are spelled out
FEW = 2  # sentences about those who left


def asked(r: Results) -> list[Block]:
    """What was asked, and when that was stated."""
    if not r.study.estimands:
        return []
    numbers = [f"{describe.number(r.study, e)}, {e.whom}" for e in r.study.estimands.values()]
    more = f"; and {len(numbers) - MOST} more" if len(numbers) > MOST else ""
    questions = "; ".join(numbers[:MOST]) + more
    pairs = [("What was asked", stated(r.stated.goal) if r.stated.goal else f"{questions}.")]
    pairs.append(("Stated before the data were seen", stated(r.stated.prespecified)))
    if r.study.decisions:
        pairs.append(("Decision rules: by whom, and when", stated(r.stated.decisions)))
    return [Terms(tuple(pairs))] if any(said != NOT_STATED for _, said in pairs) else []


def strip(r: Results) -> list[Block]:
    """All outcomes over time in one figure."""
    if r.fit.shared or not r.study.outcomes:
        return []
    withheld = tuple(o for o in r.study.outcomes if r.held(o))
    if len(withheld) == len(r.study.outcomes):
        return []
    behind = "single patients" if r.patient_level else "means of what was measured, with the number of patients,"
    caption = f"Each outcome over time: the average over all such patients with its uncertainty, {behind} behind it"
    told = listing([r.study.label(o) for o in r.study.outcomes if o not in withheld])
    numbers = "; ".join(f"{r.study.label(o)} {_measured(r, o)}" for o in r.study.outcomes if o not in withheld)
    drawn = figures.overview(r.fit, r.patient_level, withheld)
    alternative = f"{caption}. {told}: the numbers stand in the section Change over time. Measured: {numbers}."
    return [picture(drawn, "figure-overview", caption, alternative)]


def _measured(r: Results, outcome: str) -> str:
    m = r.fit.cohort.measurements[outcome]
    return f"in {counted(len(np.unique(m.patient)), 'patient')} until {r.study.time.unit} {float(m.time.max()):.3g}"


def who_left(r: Results) -> list[Block]:
    """Who left, and what that could change."""
    if r.fit.shared:
        return []
    cohort, unit = r.fit.cohort, r.study.time.unit
    blocks: list[Block] = [Heading("Who left")]
    reasons = Counter(reason for reason in (cohort.exits.reason if cohort.exits else ()) if reason)
    if reasons:
        each = listing([f"{reason} {n}" for reason, n in reasons.most_common()])
        blocks.append(Paragraph(f"{sum(reasons.values())} of {counted(len(cohort), 'patient')} left: {each}."))
        points = [p for told in r.tips for p in told.points if p.kind == "decision"]
        return [*blocks, *claims([(p.name, p.sentence) for p in points[:FEW]])]
    if cohort.exits is not None:
        return [*blocks, Paragraph("Nobody left for a stated reason: all were still in care when last seen.")]
    last = max((t for e in r.study.estimands.values() for t in e.times()), default=None)
    if last is None:
        return []
    seen = {o: len(np.unique(m.patient[m.time >= last])) for o, m in cohort.measurements.items()}
    each = listing([f"{in_sentence(r.study.label(o))} in {n}" for o, n in seen.items()])
    of = counted(len(cohort), "patient")
    blocks.append(Paragraph(f"At {unit} {last:g} or later was measured, of {of}: {each}."))
    text = (
        "The study does not say who left, or why. Those who were not seen that long are taken to have gone on as their own "
        "measurements and patients like them say; if they fared worse, the answers are too good."
    )
    return [*blocks, *([note(text)] if min(seen.values()) < len(cohort) else [])]
