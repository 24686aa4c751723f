"""Patients, rows and visits, every one accounted for."""

from collections import Counter

import numpy as np

from bayesmyo import figures
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.numbers import Number
from bayesmyo.figures.axes import looks
from bayesmyo.figures.parts import per_exposure
from bayesmyo.report.blocks import Block, Cell, Heading, Items, Paragraph, Section, Table, counted, note
from bayesmyo.report.numbers import count, number
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results
from bayesmyo.study import describe
from bayesmyo.study.study import NEW, Study


def patients(r: Results) -> Section:
    if r.fit.shared:
        text = "This is made from a shared copy of a fit, which holds no patients: ask its owner for what needs them."
        return Section("patients", "Patients and measurements", (note(text),))
    cohort, study = r.fit.cohort, r.study
    rows = cohort.rows
    aside = rows.rows - rows.used
    blocks: list[Block] = [
        Paragraph(
            f"{counted(rows.rows, 'row')} of the table {'is' if rows.rows == 1 else 'are'} accounted for: "
            f"{rows.used:,} used and {aside:,} set aside. {counted(len(cohort), 'patient')} remain. "
            f"{follow_up(study, cohort)}"
        )
    ]
    blocks.append(characteristics(study, cohort))
    if rows.set_aside:
        reasons = tuple((why, count(len(lines))) for why, lines in rows.set_aside.items())
        blocks.append(Table("rows_set_aside", "Rows that nothing uses, by reason", ("reason", "rows"), reasons))
    over_time = Heading("Patients and measurements over time")
    blocks += [cells(study, cohort), over_time, flow(study, cohort), periods(study, cohort), *lanes(r)]
    covariates = describe.covariates(study)
    if covariates:
        blocks += [Heading("Covariates"), Items(tuple(covariates))]
    if cohort.notices:
        blocks += [Heading("Notes of the reader of the table"), Items(cohort.notices, "note")]
    return Section("patients", "Patients and measurements", tuple(blocks))


def lanes(r: Results) -> list[Block]:
    """Each patient's follow-up, where single patients are shown and the study has events or exits."""
    cohort = r.fit.cohort
    if not r.patient_level or not (r.study.events or cohort.exits is not None):
        return []
    caption = "Each patient from the start to the end of follow-up, with visits, events, and how it ended"
    had = (f"{r.study.label(name)}: {counted(e.happened, 'event')}" for name, e in cohort.events.items())
    left = Counter(reason or "still in care" for reason in (cohort.exits.reason if cohort.exits else ()))
    said = [*had, *(f"{reason}: {counted(n, 'patient')}" for reason, n in left.most_common())]
    return [picture(figures.swimmer(r.study, cohort), "figure-swimmer", caption, f"{caption}. {'; '.join(said)}.")]


def characteristics(study: Study, cohort: Cohort) -> Table:
    """Who the patients are: covariates, the first measurement of each outcome, and how long they were followed."""
    rows: list[tuple[Cell, ...]] = [("patients", "", count(len(cohort)), "", "", "")]
    for name, c in study.covariates.items():
        value = cohort.covariates.get(name)
        if value is None:  # of visits, or a product of others
            continue
        label = c.label or name
        if c.levels:
            rows += [
                (f"{label}: {level}", "", count(int(np.sum(value == k))), "", "", "")
                for k, level in enumerate(c.levels)
                if not (c.group and level == NEW)
            ]
        else:
            rows.append((label, c.unit, *_spread(value[np.isfinite(value)])))
        if missing := int(np.sum(~np.isfinite(value))):
            rows.append((f"{label}: missing", "", count(missing), "", "", ""))
    for name, m in cohort.measurements.items():
        first = [np.flatnonzero(m.patient == i) for i in np.unique(m.patient)]
        value = per_exposure(m)[[int(own[np.argmin(m.time[own])]) for own in first]]
        rows.append((f"{study.label(name)}, first measurement", study.outcomes[name].unit, *_spread(value)))
    rows.append((f"last measurement, {study.time.unit}", "", *_spread(last_visits(cohort))))
    headers = ("characteristic", "unit", "patients", "median", "lowest", "highest")
    return Table("characteristics", "The patients: at the start, and how long they were followed", headers, tuple(rows))


def _spread(value: np.ndarray) -> tuple[Number, ...]:
    """Of how many patients, their median, and the range; a limit stands for a cell known only to it."""
    if not len(value):
        return (count(0), *[number(None)] * 3)
    return (count(len(value)), *(number(float(f(value))) for f in (np.median, np.min, np.max)))


def last_visits(cohort: Cohort) -> np.ndarray:
    """(patient,) the time of each patient's last measurement; patients without any are left out."""
    last = np.full(len(cohort), -np.inf)
    for m in cohort.measurements.values():
        np.maximum.at(last, m.patient, m.time)
    return last[np.isfinite(last)]


def follow_up(study: Study, cohort: Cohort) -> str:
    q1, median, q3 = (number(float(q)) for q in np.quantile(last_visits(cohort), [0.25, 0.5, 0.75]))
    return f"The median patient was last measured at {study.time.unit} {median}, the middle half of them between {q1} and {q3}."


def cells(study: Study, cohort: Cohort) -> Table:
    """Cells of each outcome: used, not measured, censored, set aside."""
    rows = []
    for name, o in cohort.rows.outcomes.items():
        aside = "; ".join(f"{why}: {len(lines)}" for why, lines in o.set_aside.items()) or "none"
        rows.append((study.label(name), count(cohort.rows.rows), count(o.used), count(o.censored), aside))
    headers = ("outcome", "rows", "used", "known only to a limit", "set aside")
    return Table("cells", "Cells of each outcome: rows in = used + set aside", headers, tuple(rows))


def flow(study: Study, cohort: Cohort) -> Table:
    """How many patients were seen at least so long."""
    last = last_visits(cohort)
    times = [0.0, *looks(study, float(last.max()))]
    rows = tuple((f"{study.time.unit} {t:g}", count(int(np.sum(last >= t)))) for t in times)
    return Table("follow_up", "Patients with a measurement at that time or later", ("seen to", "patients"), rows)


def periods(study: Study, cohort: Cohort) -> Table:
    """Visits in each period, and how many of them measured each outcome."""
    both = (zip(m.time, m.patient, strict=True) for m in cohort.measurements.values())
    visits = sorted({(float(t), int(p)) for own in both for t, p in own})
    times = np.array([t for t, _ in visits])
    ends = [0.0, *looks(study, float(times.max())), float(np.inf)]
    rows: list[tuple[Cell, ...]] = []
    for start, end in zip([-np.inf, *ends], ends, strict=False):
        inside = (times > start) & (times <= end)
        who = {p for (t, p) in visits if start < t <= end}
        if not inside.any():
            continue
        span = f"to {end:g}" if np.isinf(start) else f"after {start:g}" + ("" if np.isinf(end) else f" to {end:g}")
        measured = [int(np.sum((m.time > start) & (m.time <= end))) for m in cohort.measurements.values()]
        total = int(inside.sum())
        rows.append((span, count(len(who)), count(total), *(count(total - n) for n in measured)))
    missing = (f"{study.label(o)}: missing" for o in cohort.measurements)
    caption = "Visits in each period, and how many of them lack a measurement of each outcome"
    return Table("missing", caption, (f"{study.time.unit}s", "patients seen", "visits", *missing), tuple(rows))
