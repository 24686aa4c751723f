"""Every outcome over time: the population, and the patients behind it."""

import numpy as np

from bayesmyo import figures
from bayesmyo.assess.diagnostics import batch_error
from bayesmyo.figures.axes import looks
from bayesmyo.figures.groups import tells_apart
from bayesmyo.figures.parts import predicting
from bayesmyo.figures.patients import MOST
from bayesmyo.figures.trajectories import windows
from bayesmyo.report.blocks import Block, Cell, Heading, Paragraph, Section, Span, Table, counted, note
from bayesmyo.report.draws import quantiles
from bayesmyo.report.numbers import count, number
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results

BAND = (
    "The band is where the average over all such patients lies; single patients and measurements scatter far more "
    "widely."
)
NOT_SHOWN = (
    "Single patients are not shown (the option --patient-level shows them, by pseudonym); circles are means of what "
    "was measured in windows of time, each with the number of its patients above the axis. Late ones are of few "
    "patients, and of those who stayed, so they may lie apart."
)


def course(r: Results) -> Section:
    blocks: list[Block] = []
    if r.fit.shared:
        blocks.append(note("A shared copy of a fit holds no patients, and no curve of theirs."))
        return Section("course", "Change over time", tuple(blocks))
    during = f"during {r.study.treatment}" if r.study.treatment else "over time"
    behind = "Thin curves and small circles are single patients." if r.patient_level else NOT_SHOWN
    blocks.append(Paragraph(f"{BAND} {behind} A change is one {during}, with no control group beside it."))
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
    words = "; ".join("{}: {} ({} to {})".format(*row[:4]) for row in table.rows)
    unit = r.study.outcomes[outcome].unit
    means = "; ".join(
        f"{r.study.time.unit} {w.time:.1f} {number(w.mean)} in {counted(w.patients, 'patient')}"
        for w in windows(r.fit, outcome)
    )
    measured = "" if r.patient_level else " Means of what was measured: " + means + "."
    summary = "geometric mean" if r.study.outcomes[outcome].family.geometric else "mean"
    drawn, interval = figures.trajectories(r.fit, outcome, patients=r.patient_level), f"{r.study.interval:.0%}"
    caption = (
        f"{label} over time: the average over all such patients ({summary}), with 50% and {interval} intervals; pale "
        "where fewer than 3 patients were still measured"
    )
    numbers = f"Population average of {label} in {unit}, median and {interval} interval."
    blocks += [
        picture(drawn, f"figure-course-{outcome}", caption, f"{numbers} {words}.{measured}"),
        table,
        *by_group(r, outcome),
        *half_time(r, outcome),
    ]
    if r.patient_level:
        caption, drawn = f"{label}, patient by patient", figures.patients(r.fit, outcome)
        blocks.append(picture(drawn, f"figure-patients-{outcome}", caption, by_patient(r, outcome)))
    return blocks


def by_patient(r: Results, outcome: str) -> str:
    """What a panel for each patient shows, in numbers."""
    m, unit = r.fit.cohort.measurements[outcome], r.study.time.unit
    said = []
    for i, name in enumerate(r.fit.cohort.pseudonyms()[:MOST]):
        own = m.take(m.patient == i)
        if not len(own):
            said.append(f"{name}: none")
            continue
        first, last = (number(float(own.value[int(at(own.time))])) for at in (np.argmin, np.argmax))
        until = f"{counted(len(own), 'measurement')} to {unit} {float(own.time.max()):.3g}"
        said.append(f"{name}: {until}, the first {first}, the last {last}")
    of = f"the measurements of {r.study.label(outcome)} and the patient's own expected curve"
    return f"A panel for each patient with {of}. {'; '.join(said)}."


def averages(r: Results, outcome: str) -> Table:
    """The population average at a few times, and at those of which anything is asked."""
    m = r.fit.cohort.measurements[outcome]
    prediction = predicting(r.fit)
    first = min(0.0, float(m.time.min()))
    asked = [t for e in r.study.estimands.values() if outcome in e.outcomes for t in e.times()]
    times = sorted({first, *looks(r.study, float(m.time.max())), *asked})
    last = np.array([m.time[m.patient == i].max() for i in np.unique(m.patient)])
    rows: list[tuple[Cell, ...]] = []
    for t in times:
        draws = prediction.level(outcome, t, "population average")
        lower, median, upper = quantiles(draws, r.study.interval, _error)
        rows.append((f"{r.study.time.unit} {round(t, 2):g}", median, lower, upper, count(int(np.sum(last >= t)))))
    o = r.study.outcomes[outcome]
    caption = f"{r.study.label(outcome)} ({o.unit}): average over all such patients, {r.study.interval:.0%} interval"
    headers = ("time", "median", "lower", "upper", "patients measured then or later")
    return Table(f"course_{outcome}", caption, headers, tuple(rows))


def by_group(r: Results, outcome: str) -> list[Block]:
    """A figure for each covariate whose groups are compared in this outcome."""
    pictures: list[Block] = []
    compared = [e.contrast for e in r.study.estimands.values() if outcome in e.outcomes and e.contrast]
    for name in dict.fromkeys(c.covariate for c in compared if tells_apart(r.study, outcome, c.covariate)):
        label = r.study.covariates[name].label or name
        words = (
            f"{r.study.label(outcome)} by {label}: the average over all such patients as if all were of each kind, "
            f"with {r.study.interval:.0%} intervals; markers are means of what was measured of those who are"
        )
        said = dict.fromkeys(f"{name} {c.level} against {c.reference}" for c in compared if c.covariate == name)
        alternative = f"{words}. Compared are {'; '.join(said)}: see the answers for the difference."
        drawn = figures.groups(r.fit, outcome, name)
        pictures.append(picture(drawn, f"figure-groups-{outcome}-{name}", words, alternative))
    return pictures


def half_time(r: Results, outcome: str) -> list[Block]:
    """When half of the change is done of a curve that levels off: on the scale of the model, and in outcome units,
    which is another time."""
    o = r.study.outcomes[outcome]
    if not o.trajectory.levels_off or o.family.anchored:
        return []
    posterior, listed = r.fit.group("posterior"), o.trajectory.coefficients(r.study.scale(outcome))
    own = {c.name: posterior[f"{outcome}.{c.name}"].values for c in listed}
    curve = o.trajectory
    start, end, half = curve.curve(curve.origin, own, np), curve.final(own), curve.until(0.5, own)
    middle = o.family.link((o.family.inverse(start) + o.family.inverse(end)) / 2)
    with np.errstate(all="ignore"):
        natural = o.trajectory.until((middle - end) / (start - end), own)
    link = "" if o.family.additive else f" on the {o.family.link_name} scale of the model"
    clock = f"{r.study.time.unit}s"
    text = f"The average patient has done half of the change after {_interval(r, half)} {clock}{link}"
    if link and np.isfinite(natural).all():
        text += f", and in {o.unit} after {_interval(r, natural)} {clock}"
    return [Paragraph(text + ".", "claim")]


def _interval(r: Results, draws: np.ndarray) -> str:
    lower, median, upper = quantiles(draws, r.study.interval)
    return f"{median} ({r.study.interval:.0%} interval {Span(lower, upper)})"


def _error(draws: np.ndarray, q: float) -> float:
    return batch_error(lambda x: float(np.quantile(x, q)), draws)
