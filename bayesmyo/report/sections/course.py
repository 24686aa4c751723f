"""Every outcome over time: the population, and the patients behind it."""

import numpy as np

from bayesmyo import figures
from bayesmyo.assess.diagnostics import batch_error
from bayesmyo.figures.parts import predicting
from bayesmyo.report.blocks import Block, Heading, Paragraph, Section, Table, text
from bayesmyo.report.numbers import number
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results
from bayesmyo.report.sections.patients import edges


def course(r: Results) -> Section:
    blocks: list[Block] = []
    if r.fit.shared:
        blocks.append(Paragraph("A shared copy of a fit holds no patients, and no curve of theirs.", "note"))
        return Section("course", "Change over time", tuple(blocks))
    behind = (
        "Thin curves and small circles are single patients."
        if r.patient_level
        else "Single patients are not shown (the option --patient-level shows them, by pseudonym); white circles are medians of what was measured."
    )
    blocks.append(
        Paragraph(
            "The band is where the average over all such patients lies; single patients and measurements scatter far more widely. " + behind
        )
    )
    for outcome in r.study.outcomes:
        blocks += of_outcome(r, outcome)
    return Section("course", "Change over time", tuple(blocks))


def of_outcome(r: Results, outcome: str) -> list[Block]:
    label = r.study.label(outcome)
    held = r.held(outcome)
    blocks: list[Block] = [Heading(label)]
    if held:
        return [*blocks, Paragraph(held, "withheld")]
    table = averages(r, outcome)
    words = "; ".join("{}: {} ({} to {})".format(*map(text, row)) for row in table.rows)
    unit = r.study.outcomes[outcome].unit
    summary = "geometric mean" if r.study.outcomes[outcome].family.geometric else "mean"
    blocks += [
        picture(
            figures.trajectories(r.fit, outcome, patients=r.patient_level), f"figure-course-{outcome}",
            f"{label} over time: the average over all such patients ({summary}), with 50 % and {r.study.interval:.0%} intervals",
            f"Population average of {label} in {unit}, median and {r.study.interval:.0%} interval. {words}.",
        ),
        table,
    ]  # fmt: skip
    if r.patient_level:
        blocks.append(
            picture(
                figures.patients(r.fit, outcome), f"figure-patients-{outcome}", f"{label}, patient by patient",
                f"A panel for each of the first patients of the table: measurements of {label} and the patient's own expected curve.",
            )
        )  # fmt: skip
    return blocks


def averages(r: Results, outcome: str) -> Table:
    """The population average at a few times."""
    m = r.fit.cohort.measurements[outcome]
    prediction = predicting(r.fit)
    first = min(0.0, float(m.time.min()))
    times = [first, *[t for t in edges(float(m.time.max())) if t <= float(m.time.max())]]
    tail = (1 - r.study.interval) / 2
    rows = []
    for t in times:
        draws = prediction.level(outcome, t, "population average")
        found = [number(float(np.quantile(draws, q)), _error(draws, q)) for q in (0.5, tail, 1 - tail)]
        rows.append((f"{r.study.time.unit} {t:g}", *found))
    o = r.study.outcomes[outcome]
    caption = f"{r.study.label(outcome)} ({o.unit}): average over all such patients, {r.study.interval:.0%} interval"
    return Table(f"course_{outcome}", caption, ("time", "median", "lower", "upper"), tuple(rows))


def _error(draws: np.ndarray, q: float) -> float:
    return batch_error(lambda x: float(np.quantile(x, q)), draws)
