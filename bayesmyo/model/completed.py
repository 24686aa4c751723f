"""The rest of a study that is looked at on the way, under one truth: what is still to come of the patients who are
there, and the patients who are still to come.

What has happened stays as it is. Given the effects of a patient everything that is measured later is independent of
what was measured before, so that it is drawn as `simulate` draws it; times of what has not happened yet are drawn given
that. Losses, missed cells and visits to come are those of the [design].
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import scipy

from bayesmyo.cohort.cohort import CENSORED, Cohort, Exits, Measurements
from bayesmyo.cohort.events import met_by
from bayesmyo.cohort.fates import without_later
from bayesmyo.errors import Fault
from bayesmyo.model.allocation import draw_patients
from bayesmyo.model.schedule import by, draw_follow_up, draw_visits, planned_visits
from bayesmyo.model.simulate import UNMODELLED, Past, Simulated, draw_events, draw_exits, draw_measurements
from bayesmyo.model.truth import OutcomeTruth, Truth, draw_effects, patient_columns
from bayesmyo.study.design import Design, FollowUp
from bayesmyo.study.study import Study

Array = np.ndarray
SOON = 0.01  # after a look, when a visit takes place that was due before it


def refused(study: Study, where: str) -> Iterator[Fault]:
    """Why the rest of a study of this kind cannot be drawn."""
    for name, o in study.outcomes.items():
        if o.residual is not None:
            what = f"cannot go on from a look: the residuals of {name} hang together over time"
            yield Fault(where, what, mend="leave it out")
    for name, event in study.events.items():
        if event.recurrent:
            what = f"cannot go on from a look: {name} happens again and again, and when it will depends on when it did"
            yield Fault(where, what, mend="leave it out")


def completed(study: Study, s: Simulated, clock: Array, truth: Truth, rng: np.random.Generator) -> Cohort:
    """The whole cohort as it may be at the end.

    study: the one that analyses, with the [design] of what is simulated
    s: the study as it is simulated, of which nothing is used that has not happened by the look
    clock: (entered,) the look on each patient's own clock, of those who have entered; infinite where all is known
    truth: one, with the effects of those who have entered
    """
    design = study.design
    assert design is not None
    assert s.whole is not None
    n, entered = len(s.whole), len(clock)
    covariates = _covariates(study, design, s, entered, rng)
    truth = _with_others(study, truth, n - entered, covariates, rng)
    there = _ends_of_those_who_are_there(design, s, clock, rng)
    others = draw_follow_up(design, n - entered, rng)
    follow_up, lost = (np.concatenate(pair) for pair in zip(there[:2], others, strict=True))
    past = [own[by(own, c)] for own, c in zip(s.visits[:entered], clock, strict=True)]
    coming = [
        np.zeros(0) if gone else _visits_to_come(design, end, c, len(own), rng)
        for gone, end, c, own in zip(there[2], follow_up, clock, past, strict=False)
    ]
    coming += [draw_visits(design, end, rng) for end in follow_up[entered:]]
    past += [np.zeros(0)] * (n - entered)
    reasons = [UNMODELLED if gone else "" for gone in lost]
    since = np.concatenate([clock, np.zeros(n - entered)])
    if study.events:
        last = [np.concatenate(own)[-1] for own in zip(past, coming, strict=True)]
        potential = np.maximum(follow_up, last)
        follow_up, reasons = draw_exits(study, truth, potential, lost, rng, np.minimum(since, potential))
        follow_up, reasons = _exits_so_far(s, there[2], follow_up, reasons)
        coming = [
            own[(own <= end) | ((own == own.min(initial=np.inf)) & (len(before) == 0))]
            for own, before, end in zip(coming, past, follow_up, strict=True)
        ]
    measurements = _measurements(study, s.whole, truth, past, coming, rng)
    visits = [np.concatenate(own) for own in zip(past, coming, strict=True)]
    known = {name: _so_far(study, name, s.whole, since, past) for name in study.events}
    events = draw_events(study, truth, follow_up, reasons, visits, rng, known)
    events |= {name: met_by(study, name, measurements, n) for name, event in study.events.items() if event.when}
    exits = Exits(follow_up, np.ones(n, dtype=bool), tuple(reasons)) if study.time.exit or study.events else None
    cohort = replace(s.whole, measurements=measurements, covariates=covariates, events=events, exits=exits)
    return without_later(study, cohort.first(n))


def _covariates(study: Study, design: Design, s: Simulated, entered: int, rng: np.random.Generator) -> dict[str, Array]:
    """Those of the patients who have entered, and of others."""
    so_far = {name: values[:entered] for name, values in s.cohort.covariates.items()}
    others = draw_patients(study, design, len(s.cohort) - entered, rng, so_far)
    return {name: np.concatenate([so_far[name], values]) for name, values in others.items()}


def _with_others(
    study: Study, truth: Truth, others: int, covariates: Mapping[str, Array], rng: np.random.Generator
) -> Truth:
    """The truth with the effects of more patients, who come from the population that it describes."""
    drawn = draw_effects(study, truth, others, rng)
    outcomes = {
        name: OutcomeTruth(o.values, {k: np.concatenate([o.effects[k], v]) for k, v in drawn[name].items()})
        for name, o in truth.outcomes.items()
    }
    return Truth(outcomes, truth.correlations, patient_columns(study, covariates))


def _ends_of_those_who_are_there(
    design: Design, s: Simulated, clock: Array, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """(entered,) when their follow-up ends, whether they are lost then, and whether that has happened by the look."""
    f, entered = design.follow_up, len(clock)
    gone = by(s.follow_up[:entered], clock) & (s.lost[:entered] | isinstance(f, FollowUp))
    potential = np.full(entered, np.inf)
    if isinstance(f, FollowUp):  # a gamma distribution, given that it is not over yet
        law = scipy.stats.gamma((f.mean / f.sd) ** 2, scale=f.sd**2 / f.mean)
        left = law.sf(np.where(gone, 0.0, clock)) * rng.random(entered)
        potential = np.minimum(law.isf(left), f.maximum)
    else:
        potential[:] = f
    loss = np.full(entered, np.inf)
    if design.loss is not None and design.loss.hazard > 0:
        loss = clock + rng.exponential(1 / design.loss.hazard, entered)
    end = np.where(gone, s.follow_up[:entered], np.minimum(potential, loss))
    return end, np.where(gone, s.lost[:entered], loss < potential), gone


def _visits_to_come(design: Design, end: float, clock: float, taken: int, rng: np.random.Generator) -> Array:
    """Visits after a look of a patient who has had so many; one that was due before it takes place soon."""
    planned, last = planned_visits(design, end)
    left = planned[taken:]
    if not len(left):
        return left
    moved = np.maximum(left + design.visits.jitter * rng.standard_normal(len(left)), clock + SOON)
    times = np.unique(np.round(moved, 2))
    return times[times <= last]


def _measurements(
    study: Study, whole: Cohort, truth: Truth, past: list[Array], coming: list[Array], rng: np.random.Generator
) -> dict[str, Measurements]:
    """What was measured so far, and what will be."""
    patient = np.repeat(np.arange(len(coming)), [len(own) for own in coming])
    seen = np.array([own.max(initial=-np.inf) for own in past])
    so_far = {name: m.take(m.time <= seen[m.patient]) for name, m in whole.measurements.items()}
    if not len(patient):
        return {name: so_far[name] for name in study.outcomes}
    first = [(np.arange(len(own)) == 0) & (len(before) == 0) for own, before in zip(coming, past, strict=True)]
    drawn, _ = draw_measurements(study, truth, patient, np.concatenate(coming), np.concatenate(first), rng)
    return {name: _one_after_the_other(so_far[name], m) for name, m in drawn.items()}


def _one_after_the_other(before: Measurements, later: Measurements) -> Measurements:
    """The cells of both, by patient and time."""
    columns: dict[str, Any] = {}
    for f in fields(later):
        first, second = getattr(before, f.name), getattr(later, f.name)
        if f.name == "covariates":
            columns[f.name] = {k: np.concatenate([first[k], v]) for k, v in second.items()}
        else:
            columns[f.name] = None if second is None else np.concatenate([first, second])
    joined = Measurements(**columns)
    return joined.take(np.lexsort((joined.time, joined.patient)))


def _exits_so_far(s: Simulated, gone: Array, end: Array, reasons: list[str]) -> tuple[Array, list[str]]:
    """Ends of follow-up and their reasons, those of who has left already as they are."""
    assert s.whole is not None
    known = s.whole.exits
    if known is None:
        return end, reasons
    left = [*gone, *[False] * (len(end) - len(gone))]
    time = np.array([known.time[i] if is_known else end[i] for i, is_known in enumerate(left)])
    return time, [known.reason[i] if is_known else reasons[i] for i, is_known in enumerate(left)]


def _so_far(study: Study, name: str, whole: Cohort, since: Array, past: list[Array]) -> Past:
    """When an event had happened by the look, and from when on it may happen to the others."""
    event, happened = study.events[name], np.full(len(since), np.nan)
    if event.when or name not in whole.events:
        return Past(happened, since)
    if event.at is None and not event.reasons:  # known at visits
        since = np.array([own.max(initial=0.0) for own in past])
    e = whole.events[name]
    known = (e.status != CENSORED) & by(e.end, since[e.patient])
    happened[e.patient[known]] = e.end[known]
    return Past(happened, since)


__all__ = ["completed", "refused"]
