"""Each patient's own number: what a t test on patients is made of.

Where the study's trajectory is a straight line on some clock (linear, its square root, log), every patient gets a
least-squares line of that form through all measurements, and the number is its slope, or its change between the two
times. Balanced, that is the most that the data hold, and its t test is exact. Where the trajectory bends (plateau,
piecewise, spline) a straight line through all visits would answer another question, because later visits pull it flat;
then the number is the measurement nearest to `to` less the one nearest to `from`, of patients who were seen at both:
the last-minus-first of clinical papers.

Outcomes that are reported as geometric means are analysed as logarithms; a cell known only to a limit counts as the
limit, and events as their number per exposure. References: Frison and Pocock (1992),
https://doi.org/10.1002/sim.4780111304; Matthews et al. (1990), https://doi.org/10.1136/bmj.300.6719.230.
"""

from dataclasses import dataclass

import numpy as np

from bayesmyo.cohort.cohort import Cohort, Measurements
from bayesmyo.components.component import Coefficient
from bayesmyo.components.estimands import Estimand
from bayesmyo.study.study import Study

Array = np.ndarray
LEAST_SPREAD = 1e-9  # of a patient's visits on the clock: nobody has a line through one moment


@dataclass(frozen=True, eq=False)
class Analysed:
    """The measurements of one outcome on the scale of the analysis.

    patient: (n,) index; clock: (n,) the trajectory's own clock at each measurement, None where it bends; value: (n,)
    step: how far the clock moves between the two times of the estimand (over `per` units of time), NaN where it bends
    group: (patient,) 1 at the level of a contrast, 0 at its reference, -1 for anyone else; None where there is no
        contrast
    """

    patients: int
    patient: Array
    clock: Array | None
    value: Array
    step: float
    per: float
    group: Array | None


def answerable(study: Study, name: str) -> bool:
    """Whether patients' own numbers answer an estimand at all."""
    e = study.estimands[name]
    if (
        e.amount_of is None
        or not (e.is_level or e.difference_on)
        or e.population == "new patient"
        or e.given
        or e.stops
    ):
        return False
    geometric = study.outcomes[e.amount_of].family.geometric and e.summary != "mean"
    # a difference of geometric means, or a ratio of means, is no mean over patients
    if e.divides != geometric:
        return False
    if e.contrast is None:
        return not e.is_level
    c = study.covariates[e.contrast.covariate]
    return (
        c.levels is not None
        and c.varies == "patients"
        and (not e.is_level or not study.outcomes[e.amount_of].trajectory.moves)
    )


def straight(study: Study, name: str) -> bool:
    """Whether an estimand is asked of an outcome whose trajectory is a straight line on a clock, on the scale of the
    analysis.
    """
    e = study.estimands[name]
    o = study.outcomes[e.outcomes[0]]
    coefficients = o.trajectory.coefficients(study.scale(e.outcomes[0]))
    same_scale = o.family.multiplicative if e.divides else o.family.additive
    return same_scale and len(coefficients) == 2 and all(c.linear for c in coefficients)


def analysed(study: Study, cohort: Cohort, name: str) -> Analysed:
    """The measurements that answer an estimand, on the scale of its analysis."""
    e = study.estimands[name]
    outcome = e.outcomes[0]
    m = cohort.measurements[outcome]
    value = m.value if m.exposure is None else m.value / m.exposure
    if e.divides:
        value = np.log(value)
    times = e.times()
    per = float(times[-1] - times[0]) if e.per_time else 1.0
    clock, step = None, float("nan")
    if straight(study, name):
        clock = _clock(study, outcome, np.asarray(m.time, dtype=float))
        ends = _clock(study, outcome, np.array([times[0], times[-1]], dtype=float))
        step = float(ends[1] - ends[0])
    return Analysed(len(cohort), m.patient, clock, value, step, per, _group(study, cohort, e))


def _clock(study: Study, outcome: str, time: Array) -> Array:
    """Times as the trajectory counts them: how far it moves from its level when its rate is one."""
    trajectory = study.outcomes[outcome].trajectory
    listed: tuple[Coefficient, ...] = trajectory.coefficients(study.scale(outcome))
    return np.asarray(trajectory.curve(time, {listed[0].name: 0.0, listed[1].name: 1.0}, np), dtype=float)


def _group(study: Study, cohort: Cohort, e: Estimand) -> Array | None:
    if e.contrast is None:
        return None
    levels = study.covariates[e.contrast.covariate].levels or ()
    held = cohort.covariates[e.contrast.covariate]
    level, reference = levels.index(str(e.contrast.level)), levels.index(str(e.contrast.reference))
    return np.where(held == level, 1, np.where(held == reference, 0, -1))


def own_numbers(study: Study, cohort: Cohort, name: str) -> tuple[Array, Array | None]:
    """(patient,) each patient's own value of an estimand, NaN where a patient has none, and (patient,) the group of
    each.
    """
    a, e = analysed(study, cohort, name), study.estimands[name]
    if e.is_level:
        with np.errstate(invalid="ignore"):
            mean = np.bincount(a.patient, a.value, a.patients) / np.bincount(a.patient, minlength=a.patients)
        return mean, a.group
    if a.clock is not None:
        return own_slopes(a.patient, a.clock, a.value, a.patients)[0] * a.step / a.per, a.group
    start, end = e.times()
    return _difference(cohort.measurements[e.outcomes[0]], a.value, a.patients, start, end) / a.per, a.group


def own_slopes(patient: Array, clock: Array, value: Array, patients: int) -> tuple[Array, Array, Array, Array]:
    """Of each patient, (patient,): the least-squares slope, the sum of squares of the clock around its mean, the number
    of measurements, and the sum of squared residuals. NaN slopes where a patient was seen at one moment only.
    """

    def total(x: Array) -> Array:
        return np.bincount(patient, x, patients)

    count = np.bincount(patient, minlength=patients)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = clock - (total(clock) / count)[patient]
        y = value - (total(value) / count)[patient]
        sxx, sxy, syy = total(x * x), total(x * y), total(y * y)
        sxx = np.where(sxx > LEAST_SPREAD, sxx, np.nan)
        slope = sxy / sxx
    return slope, sxx, count, np.maximum(syy - np.nan_to_num(slope * sxy), 0.0)


def _difference(m: Measurements, value: Array, patients: int, start: float, end: float) -> Array:
    """(patient,) the measurement nearest to `end` less the one nearest to `start`; NaN where a patient has not one for
    each, that is, none nearer to this time than to the other.
    """
    time = np.asarray(m.time, dtype=float)
    middle = (start + end) / 2
    values = []
    for near, mine in ((start, time < middle), (end, time >= middle)):
        chosen = np.full(patients, np.nan)
        order = np.lexsort((-np.abs(time - near),))  # the nearest is written last
        order = order[mine[order]]
        chosen[m.patient[order]] = value[order]
        values.append(chosen)
    return values[1] - values[0]
