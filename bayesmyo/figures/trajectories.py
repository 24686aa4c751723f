"""One outcome over time: the population, and the patients behind it."""

import numpy as np
from matplotlib.axes import Axes

from bayesmyo.assess.checks.moments import bins
from bayesmyo.assess.checks.time_course import LEAST, MOST
from bayesmyo.cohort.cohort import Measurements
from bayesmyo.figures.parts import (
    mass,
    moments_of,
    per_exposure,
    point_entries,
    points,
    predicting,
    the_outcome,
    whole_range,
)
from bayesmyo.figures.style import (
    BLACK,
    BLUE,
    FAINT,
    GREY,
    SINGLE,
    Drawing,
    band,
    drawing,
    legend,
    line,
    outcome_label,
    time_label,
    title,
    value_axis,
)  # fmt: skip
from bayesmyo.model.fit import Fit

MANY = 60  # patients whose curves are drawn thinner


def trajectories(fit: Fit, outcome: str, patients: bool = True) -> Drawing:
    """The population average over time with its 50 % and 95 % (the study's) intervals; patients' measurements and own curves behind.

    The band is of an average over patients to come, so most measurements lie outside it; each thin curve ends where its patient was last
    seen. Without `patients`, the median of the measurements in stretches of time stands in their place. A misfit: the band runs beside the cloud for a stretch of time, or thin curves miss their own measurements alike.
    Raises UsageError for an unknown outcome, StorageError for a shared copy.
    """
    o, study, m = the_outcome(fit.study, outcome), fit.study, fit.cohort.measurements[outcome]
    prediction, times = predicting(fit), moments_of(m)
    average = np.stack([prediction.level(outcome, t, "population average") for t in times])  # (time, draw)
    tail = (1 - study.interval) / 2
    lower, q1, median, q3, upper = np.quantile(average, [tail, 0.25, 0.5, 0.75, 1 - tail], axis=1)
    with drawing(SINGLE, 3.1) as (figure, ((axes,),)):
        if patients:
            _patients(axes, fit, outcome, times)
            points(axes, m, 2.2, GREY, hollow=True)
        else:
            axes.plot(*middles(m), "o", color=BLACK, markersize=4, markerfacecolor="white", zorder=5, label="measured")
        axes.fill_between(times, lower, upper, color=BLUE, alpha=0.25, linewidth=0, zorder=3, label="interval")
        axes.fill_between(times, q1, q3, color=BLUE, alpha=0.4, linewidth=0, zorder=3, label="half")
        axes.plot(times, median, color=BLUE, linewidth=1.8, zorder=4, label="median")
        axes.set(xlabel=time_label(study), ylabel=outcome_label(study, outcome))
        shown = per_exposure(m) if patients else np.concatenate([middles(m)[1], lower, upper])
        value_axis(axes, o, shown, ends=whole_range(o))
        summary = "geometric mean" if o.family.geometric else "mean"
        title(figure, f"{study.label(outcome)}: population average ({summary})")
        own = line(f"own curves, {len(fit.cohort)} patients", FAINT, width=0.8)
        circle = line("median of the measurements", BLACK, "none", "o", markerfacecolor="white")
        behind = [own, *point_entries([m], hollow=True)] if patients else [circle]
        legend(
            figure,
            [
                line("median", BLUE, width=1.8),
                band("50 % interval", BLUE, 0.6),
                band(f"{mass(study)} interval", BLUE, 0.25),
                *behind,
            ],
        )
        return figure


def middles(m: Measurements) -> tuple[np.ndarray, np.ndarray]:
    """(stretch,) median time and median measurement in stretches of time with about as many measurements in each."""
    value = per_exposure(m)
    cells = bins(m.time, MOST, LEAST) or [np.arange(len(m))]
    return np.array([np.median(m.time[c]) for c in cells]), np.array([np.median(value[c]) for c in cells])


def _patients(axes: Axes, fit: Fit, outcome: str, times: np.ndarray) -> None:
    """Each patient's own curve, as far as the patient was seen."""
    prediction, m = predicting(fit), fit.cohort.measurements[outcome]
    own = np.stack([np.median(prediction.each(outcome, t), axis=0) for t in times])  # (time, patient)
    thin = 0.7 if len(fit.cohort) <= MANY else 0.25
    for i in np.unique(m.patient):
        seen = m.time[m.patient == i]
        inside = (times >= seen.min()) & (times <= seen.max())
        axes.plot(times[inside], own[inside, i], color=FAINT, linewidth=thin, zorder=2.5, label="patient")
