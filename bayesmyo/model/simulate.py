"""Patients that never were: Study + Truth + design -> a simulated Cohort, in NumPy, apart from the PyMC code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from bayesmyo.cohort.cohort import (
    LEFT,
    MEASURED,
    NOT_MEASURED,
    RIGHT,
    Cohort,
    Episodes,
    Exits,
    Measurements,
    OutcomeRows,
    RowAccount,
)
from bayesmyo.cohort.events import met_by
from bayesmyo.cohort.fates import without_later
from bayesmyo.errors import UsageError
from bayesmyo.model.allocation import draw_patients
from bayesmyo.model.event import TimeToEvent, observed
from bayesmyo.model.joint import standard_residuals
from bayesmyo.model.schedule import draw_entries, draw_follow_up, draw_visits
from bayesmyo.model.spec import spec
from bayesmyo.model.truth import Truth, draw_covariate, from_scenario, patient_columns, with_effects
from bayesmyo.study.covariates import stated
from bayesmyo.study.covariates import used as covariates_used
from bayesmyo.study.design import Design
from bayesmyo.study.study import Outcome, Study

MOST_PATIENTS = 100_000
UNMODELLED = "other"  # why a simulated patient is lost for no reason that the study models


@dataclass(frozen=True, eq=False)
class Simulated:
    """A cohort with what only a simulation knows.

    truth: with the effects of these patients; follow_up: (patient,) when each was last under observation
    lost: (patient,) True where the patient left before the end of the potential follow-up
    entry: (patient,) the date of each patient's time zero, the first visit of the first patient being date zero; None
        where the design has no accrual
    visits: of each patient, (visit,) the times of all visits, on the patient's own clock
    whole: the cohort with what was measured after events whose later visits do not count
    """

    cohort: Cohort
    truth: Truth
    follow_up: np.ndarray
    lost: np.ndarray
    entry: np.ndarray | None = None
    visits: tuple[np.ndarray, ...] = ()
    whole: Cohort | None = None


@dataclass(frozen=True, eq=False)
class Past:
    """What is known of an event that may happen once.

    happened: (patient,) when it did, NaN where it has not; since: (patient,) until when that is known
    """

    happened: np.ndarray
    since: np.ndarray


def simulate(
    study: Study, truth: Truth, rng: np.random.Generator, patients: int | None = None, design: Design | None = None
) -> Simulated:
    """Draw a cohort as the study's [design] describes it, under a truth.

    Parameters
    ----------
    study : Study
        With a [design].
    truth : Truth
        One that already holds effects keeps its patients.
    rng : numpy.random.Generator
        The same generator, the same cohort.
    patients : int, optional
        How many new ones are drawn where the truth holds none (default: the design's number).
    design : Design, optional
        Another than that of the study.

    Returns
    -------
    Simulated
        The cohort, its truth with the patients' effects, and who was lost when.

    Raises
    ------
    UsageError
        Where the study has no [design], or for a number of patients out of range.

    Examples
    --------
    >>> import numpy as np
    >>> again = bayesmyo.simulate(study, fit.truth.take(0), np.random.default_rng(1))
    >>> len(again.cohort)
    12
    """
    design = design or study.design
    if design is None:
        raise UsageError("simulate", "the study has no [design]", mend="declare patients, follow_up and visits")
    known = truth.patients
    n = known if known is not None else design.patients if patients is None else patients
    if not 1 <= n <= MOST_PATIENTS:
        raise UsageError("patients", f"must lie between 1 and {MOST_PATIENTS:,}", str(n))
    of_patients: dict[str, np.ndarray] = {}
    if known is None:
        truth = with_effects(study, truth, n, rng)
    if known is None or not truth.covariates:
        of_patients = draw_patients(study, design, n, rng)
        truth = replace(truth, covariates=patient_columns(study, of_patients))
    else:
        of_patients = {name: stated(study, name, truth.covariates) for name in covariates_used(study, "patients")}
    follow_up, lost = draw_follow_up(design, n, rng)
    times = [draw_visits(design, end, rng) for end in follow_up]
    reasons = [UNMODELLED if gone else "" for gone in lost]
    if study.events:  # the last visit of a protocol may be late
        potential = np.maximum(follow_up, [own[-1] for own in times])
        follow_up, reasons = draw_exits(study, truth, potential, lost, rng)
        lost = lost | (np.array(reasons) != "")
        times = [own[(own <= end) | (own == own[0])] for own, end in zip(times, follow_up, strict=True)]
    patient = np.repeat(np.arange(n), [len(t) for t in times])
    time = np.concatenate(times)
    baseline = np.concatenate([np.arange(len(t)) == 0 for t in times])
    measurements, kept_cells = draw_measurements(study, truth, patient, time, baseline, rng)
    rows = np.any(list(kept_cells.values()), axis=0)
    line = 1 + np.cumsum(rows)  # below a header
    accounts = {}
    for k, m in measurements.items():
        blank_cells = line[rows & ~kept_cells[k]].tolist()
        accounts[k] = OutcomeRows(len(m), m.censored, {NOT_MEASURED: tuple(blank_cells)} if blank_cells else {})
    account = RowAccount(int(rows.sum()), int(rows.sum()), {}, accounts)
    width = max(2, len(str(n)))
    ids = tuple(f"S{i:0{width}d}" for i in range(1, n + 1))
    exits = Exits(follow_up, np.ones(n, dtype=bool), tuple(reasons)) if study.time.exit or study.events else None
    events = draw_events(study, truth, follow_up, reasons, times, rng)
    defined = (name for name, event in study.events.items() if event.when)
    events |= {name: met_by(study, name, measurements, n) for name in defined}
    cohort = Cohort(ids, measurements, account, source="simulated", covariates=of_patients, events=events, exits=exits)
    entry = None if design.accrual is None else draw_entries(design, n, rng)
    return Simulated(without_later(study, cohort), truth, follow_up, lost, entry, tuple(times), cohort)


def draw_measurements(
    study: Study, truth: Truth, patient: np.ndarray, time: np.ndarray, baseline: np.ndarray, rng: np.random.Generator
) -> tuple[dict[str, Measurements], dict[str, np.ndarray]]:
    """What is measured at visits, by outcome, and (visit,) whether each outcome was filled in.

    patient, time, baseline: (visit,) whose each visit is, when, and whether it is the first, at which nothing is missed
    """
    design = study.design
    assert design is not None
    of_visits = {name: draw_covariate(study, name, len(time), rng) for name in covariates_used(study, "visits")}
    exposures = {column: 1.0 + rng.poisson(max(mean - 1, 0), len(time)) for column, mean in design.exposure.items()}
    planned, blank = {}, np.zeros(len(time))
    for name, o in study.outcomes.items():
        exposure = exposures.get(o.exposure, np.ones(len(time))) if o.exposure else None
        error = np.full(len(time), design.error[o.error]) if o.error else None
        planned[name] = Measurements(
            patient, time, blank, blank, blank, exposure=exposure, error=error, covariates=of_visits
        )
    standard = standard_residuals(study, truth, planned, rng)
    measurements, kept_cells = {}, {}
    for name, o in study.outcomes.items():
        submodel, m = spec(study).measured[name], planned[name]
        value, side = limited(o, submodel.draw(truth, m, rng, standard.get(name)))
        kept = kept_cells[name] = baseline | (rng.random(len(time)) >= design.missing)
        whole = np.zeros(len(time), dtype=np.int64)
        measurements[name] = replace(m, value=value, side=side, line=whole).take(kept)
    return measurements, kept_cells


def draw_exits(
    study: Study,
    truth: Truth,
    potential: np.ndarray,
    lost: np.ndarray,
    rng: np.random.Generator,
    since: np.ndarray | float = 0.0,
) -> tuple[np.ndarray, list[str]]:
    """When each patient's follow-up ends, (patient,), and why: the earliest of the potential end and of the events that
    are reasons; "" for who is still in care.

    potential: (patient,) its end if none of them happened; lost: (patient,) whether that is a loss for no reason that
        is modelled; since: when none of them had happened yet
    """
    assert study.design is not None
    end, why = potential.copy(), [UNMODELLED if gone else "" for gone in lost]
    first = np.maximum(since, max(0.0, study.design.visits.first[0]))  # who had left before would not be there
    first = np.broadcast_to(first, potential.shape)
    for name, event in study.events.items():
        if not event.reasons:
            continue
        for i, times in enumerate(spec(study).events[name].happen(truth, end, rng, first)):
            if len(times):
                end[i], why[i] = times[0], event.reasons[0]
    return end, why


def draw_events(
    study: Study,
    truth: Truth,
    end: np.ndarray,
    why: Sequence[str],
    visits: Sequence[np.ndarray],
    rng: np.random.Generator,
    past: Mapping[str, Past] = MappingProxyType({}),
) -> dict[str, Episodes]:
    """What a clinic knows of every event. end, why: of each patient's follow-up; visits: their times, of each
    patient; past: of each event what has happened already, where a study goes on
    """
    known = {}
    for name, event in study.events.items():
        submodel = spec(study).events[name]
        if event.reasons:
            start = np.array([max(0.0, float(own[0])) for own in visits])
            status = np.array([int(reason in event.reasons) for reason in why])
            at_risk = end > start
            blank = np.zeros(len(end), dtype=np.int64)
            known[name] = Episodes(np.arange(len(end)), start, end, end, status, blank).take(at_risk)
        elif not event.when:  # what outcomes define follows from them
            times = _happens(submodel, truth, end, rng, past.get(name))
            known[name] = observed(submodel, times, end, visits, by_visits=event.at is None)
    return known


def _happens(
    submodel: TimeToEvent, truth: Truth, end: np.ndarray, rng: np.random.Generator, past: Past | None
) -> list[np.ndarray]:
    """When an event happens to each patient, or has happened."""
    if past is None:
        return submodel.happen(truth, end, rng)
    known = np.isfinite(past.happened)
    later = submodel.happen(truth, end, rng, np.where(known, end, np.minimum(past.since, end)))
    return [past.happened[i : i + 1] if known[i] else times for i, times in enumerate(later)]


def limited(o: Outcome, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measurements as they are recorded where limits of what can be measured are declared, and on which side the truth
    lies.
    """
    side = np.full(len(value), MEASURED, dtype=np.int8)
    if o.limits:
        if o.limits.above is not None:
            side[value >= o.limits.above] = RIGHT
            value = np.minimum(value, o.limits.above)
        if o.limits.below is not None:
            side[value <= o.limits.below] = LEFT
            value = np.maximum(value, o.limits.below)
    return value, side


def recorded(study: Study, cohort: Cohort) -> Cohort:
    """A simulated cohort as a clinic would have recorded it: what lies beyond a declared minimum or maximum stands at
    that end.

    A family without ends, such as the gaussian, draws a muscle grade above 5; the examiner writes 5. Drawing again
    within the range would be another distribution (a truncated one, with another mean), and leaving the cell empty
    would lose measurements for what they are. The model knows nothing of the heap at the end, in a simulation as in a
    clinic: a notice counts it. `simulate` itself keeps the values as they are drawn, because calibration asks about the
    model as it is.
    """
    measurements, notices = dict(cohort.measurements), list(cohort.notices)
    for name, o in study.outcomes.items():
        m = measurements[name]
        low = -np.inf if o.minimum is None else o.minimum
        high = np.inf if o.maximum is None else o.maximum
        beyond = ((m.value < low) | (m.value > high)) & (m.side == MEASURED)
        if beyond.any():
            measurements[name] = replace(m, value=np.where(beyond, np.clip(m.value, low, high), m.value))
            bounded = np.isfinite([low, high])
            where = f"outside {low:g} to {high:g}" if bounded.all() else f"above {high:g}"
            where = f"below {low:g}" if bounded[0] and not bounded[1] else where
            notices.append(
                f"{study.label(name)}: {beyond.sum()} of {len(m)} simulated values lay {where} {o.unit}".rstrip()
                + f", which the family {o.family.kind} allows; they are recorded at the end of the range."
            )
    return replace(cohort, measurements=measurements, notices=tuple(notices))


def simulate_scenario(
    study: Study, scenario: str | None = None, seed: int = 1, patients: int | None = None
) -> Simulated:
    """A cohort of one of the study's scenarios, as a clinic would have recorded it (see `recorded`).

    Parameters
    ----------
    study : Study
        With a [design] and the scenario.
    scenario : str, optional
        Its name (default: the first).
    seed : int
        The same seed, the same cohort.
    patients : int, optional
        How many (default: the design's number).

    Returns
    -------
    Simulated
        The cohort, its truth with the patients' effects, and who was lost when.

    Raises
    ------
    UsageError
        Where there is no scenario of that name.

    Examples
    --------
    >>> simulated = bayesmyo.simulate_scenario(study, "improves", seed=2, patients=5)
    >>> len(simulated.cohort), simulated.lost.tolist()
    (5, [False, False, False, False, False])
    """
    if scenario is None and not study.scenarios:
        raise UsageError("simulate", "the study has no scenario", mend="write a table [scenarios.my_scenario]")
    name = scenario or next(iter(study.scenarios))
    rng = np.random.default_rng(seed)
    simulated = simulate(study, from_scenario(study, name, rng), rng, patients)
    return replace(simulated, cohort=recorded(study, simulated.cohort))
