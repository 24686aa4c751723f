"""One outcome over time: the population, and the patients behind it."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from bayesmyo.assess.checks.moments import bins
from bayesmyo.assess.checks.time_course import starts
from bayesmyo.figures.axes import outcome_label, time_label, value_axis
from bayesmyo.figures.colours import BLACK, BLUE, FAINT, GREY
from bayesmyo.figures.parts import (
    mass,
    moments_of,
    per_exposure,
    point_entries,
    points,
    predicting,
    shade_before,
    the_outcome,
    warning,
    whole_range,
)
from bayesmyo.figures.style import SINGLE, SMALL, Drawing, band, drawing, legend, line, title
from bayesmyo.inference.fit import Fit

MANY = 60  # patients whose curves are drawn thinner
MOST = 8  # windows of time
FEW = 3  # patients: with fewer, nothing was measured that could bear out the curve


class Window(NamedTuple):
    """A stretch of time: its first measurement, its mean time, and the mean measurement of so many patients."""

    first: float
    time: float
    mean: float
    patients: int


def trajectories(fit: Fit, outcome: str, patients: bool = True) -> Drawing:
    """The population average over time with its 50 % and 95 % (the study's) intervals; patients' measurements and own
    curves behind.

    The band is of an average over patients to come, so most measurements lie outside it; each thin curve ends where
    its patient was last seen. Without `patients`, means of the patients' measurements in windows of time stand in
    their place, each with the number of its patients below. Where fewer than three patients are still followed, the
    band is pale and its curve dashed. A misfit: the band runs beside the cloud for a stretch of time, or thin curves
    miss their own measurements alike.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    outcome : str
        Its name in the study.
    patients : bool
        Whether the measurements and own curves of single patients are drawn behind.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        For an unknown outcome.
    StorageError
        For a shared copy.

    """
    o, study = the_outcome(fit.study, outcome), fit.study
    with drawing(SINGLE, 3.1) as (figure, ((axes,),)):
        entries = over_time(axes, fit, outcome, patients)
        axes.set(xlabel=time_label(study), ylabel=outcome_label(study, outcome))
        summary = "geometric mean" if o.family.geometric else "mean"
        title(figure, f"{study.label(outcome)}: population average ({summary})", warning(fit, outcome))
        legend(figure, *entries)
        return figure


def over_time(axes: Axes, fit: Fit, outcome: str, patients: bool, apart: float = 0.0) -> list[Artist]:
    """The population average over time on these axes, patients or their means behind; the entries of its legend.

    apart: of the time from the first mean to the last, that two numbers of patients need between them
    """
    o, study, m = the_outcome(fit.study, outcome), fit.study, fit.cohort.measurements[outcome]
    prediction, times = predicting(fit), moments_of(m)
    average = np.stack([prediction.level(outcome, t, "population average") for t in times])  # (time, draw)
    means, end = windows(fit, outcome), followed(fit, outcome)
    tail = (1 - study.interval) / 2
    lower, q1, median, q3, upper = np.quantile(average, [tail, 0.25, 0.5, 0.75, 1 - tail], axis=1)
    if patients:
        _patients(axes, fit, outcome, times)
        points(axes, m, 2.2, GREY, hollow=True)
    else:
        _means(axes, means, apart)
    for part, faint, style in ((times <= end, 1.0, "-"), (times >= max(times[times <= end]), 0.35, "--")):
        at = times[part]
        for low, high, alpha, label in ((lower, upper, 0.25, "interval"), (q1, q3, 0.4, "half")):
            how: dict[str, Any] = {"color": BLUE, "alpha": alpha * faint, "linewidth": 0, "zorder": 3, "label": label}
            axes.fill_between(at, low[part], high[part], **how)
        width = 1.8 if faint == 1 else 1.2
        axes.plot(at, median[part], style, color=BLUE, linewidth=width, zorder=4, label="median")
    before = shade_before(axes, study, outcome, m)
    shown = per_exposure(m) if patients else np.concatenate([[w.mean for w in means], lower, upper])
    value_axis(axes, o, shown, ends=whole_range(o))
    summary = "geometric mean" if o.family.geometric else "mean"
    own = line(f"own curves, {len(fit.cohort)} patients", FAINT, width=0.8)
    circle = line(f"measured ({summary}), patients below", BLACK, "none", "o", markerfacecolor="white")
    pale = [line(f"fewer than {FEW} patients left", BLUE, "--")] if end < times[-1] else []
    behind = [own, *point_entries([m], hollow=True)] if patients else [circle]
    return [
        line("median", BLUE, width=1.8),
        band("50 % interval", BLUE, 0.6),
        band(f"{mass(study)} interval", BLUE, 0.25),
        *pale,
        *behind,
        *before,
    ]


def _means(axes: Axes, means: list[Window], apart: float) -> None:
    """A circle for each window, and the number of its patients above the axis of time."""
    x, y = [w.time for w in means], [w.mean for w in means]
    axes.plot(x, y, "o", color=BLACK, markersize=4, markerfacecolor="white", zorder=5, label="measured")
    shown = -np.inf
    for w in means:
        if w.time - shown < apart * (x[-1] - x[0]):
            continue  # its number would lie on the last one
        shown = w.time
        below: dict[str, Any] = {
            "transform": axes.get_xaxis_transform(),
            "ha": "center",
            "fontsize": SMALL,
            "color": GREY,
        }
        axes.text(w.time, 0.015, str(w.patients), **below)


def windows(fit: Fit, outcome: str, who: np.ndarray | None = None) -> list[Window]:
    """Windows of time of all patients, or of those named by their positions, each with about as many measurements as
    there are patients, and with three patients or more where there are as many.

    A patient who was measured several times in a window counts once, with the mean of these; geometric means where the
    population average is one. A cell known only to a limit counts as that limit.
    """
    m, o = fit.cohort.measurements[outcome], fit.study.outcomes[outcome]
    m = m if who is None else m.take(np.isin(m.patient, who))
    value = np.log(per_exposure(m)) if o.family.geometric else per_exposure(m)
    cells: list[np.ndarray] = []
    most = min(MOST, max(1, len(m) // len(np.unique(m.patient))))
    for c in bins(m.time, most, 1, starts(fit.study, outcome), few=1):
        if cells and len(np.unique(m.patient[c])) < FEW:
            cells[-1] = np.concatenate([cells[-1], c])
        else:
            cells.append(c)
    means = []
    for c in cells:
        own = [c[m.patient[c] == i] for i in np.unique(m.patient[c])]
        time, mean = (float(np.mean([x[w].mean() for w in own])) for x in (m.time, value))
        level = float(np.exp(mean)) if o.family.geometric else mean
        means.append(Window(float(m.time[c].min()), time, level, len(own)))
    return means


def followed(fit: Fit, outcome: str) -> float:
    """The time after which fewer than three patients have a measurement; of fewer patients than that, the last
    measurement of all."""
    m = fit.cohort.measurements[outcome]
    last = sorted(float(m.time[m.patient == i].max()) for i in np.unique(m.patient))
    return last[-FEW] if len(last) >= FEW else last[-1]


def _patients(axes: Axes, fit: Fit, outcome: str, times: np.ndarray) -> None:
    """Each patient's own curve, as far as the patient was seen."""
    prediction, m = predicting(fit), fit.cohort.measurements[outcome]
    own = np.stack([np.median(prediction.each(outcome, t), axis=0) for t in times])  # (time, patient)
    thin = 0.7 if len(fit.cohort) <= MANY else 0.25
    for i in np.unique(m.patient):
        seen = m.time[m.patient == i]
        inside = (times >= seen.min()) & (times <= seen.max())
        axes.plot(times[inside], own[inside, i], color=FAINT, linewidth=thin, zorder=2.5, label="patient")
