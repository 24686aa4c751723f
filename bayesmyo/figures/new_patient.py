"""One new patient: what was predicted before and after each visit, the population behind."""

import numpy as np
from matplotlib.axes import Axes

from bayesmyo.assess.predicted import Basis, PatientPrediction
from bayesmyo.cohort.cohort import Measurements
from bayesmyo.figures.axes import outcome_label, time_label, value_axis
from bayesmyo.figures.colours import BLACK, BLUE, GREY
from bayesmyo.figures.parts import TIMES, mass, per_exposure, point_entries, points, the_outcome, whole_range
from bayesmyo.figures.style import DOUBLE, PLAIN, SMALL, Drawing, band, drawing, legend, line, title
from bayesmyo.model.one_patient import OnePatient

MOST = 8  # panels


def new_patient(prediction: PatientPrediction, outcome: str) -> Drawing:
    """A panel before any visit, and one after each: measurements that were known then, those that came later hollow, and
    what was predicted.

    Behind stands where a measurement of any patient with these covariates would be expected. Hollow points outside the
    band of measurements in more than one panel of twenty speak against the model, or of a patient who is unlike the
    cohort. Where there are more than eight panels, eight of them are shown.

    Parameters
    ----------
    prediction : PatientPrediction
        Of `bayesmyo.predict`.
    outcome : str
        Its name in the study.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        For an unknown outcome.
    """
    study = prediction.states[0].study
    o, whole = the_outcome(study, outcome), prediction.states[-1].own.measurements[outcome]
    shown = np.unique(np.linspace(0, len(prediction.states) - 1, min(MOST, len(prediction.states))).round().astype(int))
    times = _times(prediction, whole)
    behind = _band(prediction.states[0], outcome, times)[3:]
    across = min(4, len(shown))
    down = -(-len(shown) // across)
    with drawing(DOUBLE, 1.35 * down + 1.1, down, across, sharex=True, sharey=True) as (figure, grid):
        for k, axes in zip(shown, grid.flat, strict=False):
            state, basis = prediction.states[k], prediction.basis[k]
            axes.fill_between(times, behind[0], behind[2], color=GREY, alpha=0.16, linewidth=0, label="population")
            if basis.reliable:
                _predicted(axes, _band(state, outcome, times), times)
            else:
                axes.text(0.5, 0.5, "not to be trusted", transform=axes.transAxes, ha="center", fontsize=SMALL)
            last = -np.inf if basis.time is None else basis.time
            points(axes, whole.take(whole.time <= last), 3.0, BLACK)
            points(axes, whole.take(whole.time > last), 3.0, BLACK, hollow=True)
            axes.set_title(_known(basis, study.time.unit), fontsize=6.5, pad=2)
        for axes in grid.flat[len(shown) :]:
            axes.set_visible(False)
        for axes in grid.flat[max(len(shown) - across, 0) : len(shown)]:
            axes.tick_params(labelbottom=True)
        seen = per_exposure(whole)
        value_axis(grid[0, 0], o, np.concatenate([seen, behind[0], behind[2]]), ends=whole_range(o))
        grid[0, 0].figure.supxlabel(time_label(study), fontsize=PLAIN)
        grid[0, 0].figure.supylabel(outcome_label(study, outcome), fontsize=PLAIN)
        title(figure, f"{study.label(outcome)} of {prediction.patient}, before and after each visit")
        entries = point_entries([whole], BLACK) if len(whole) else []
        later = [line("measured later", BLACK, "none", "o", markerfacecolor="none")] if len(whole) else []
        legend(
            figure,
            *entries,
            *later,
            line("expected", BLUE),
            band(f"its {mass(study)} interval", BLUE, 0.45),
            band(f"{mass(study)} interval of a measurement", BLUE, 0.13),
            band("of a measurement, before any visit", GREY, 0.16),
            columns=3,
        )
        return figure


def _times(prediction: PatientPrediction, whole: Measurements) -> np.ndarray:
    """(time,) of the curves: from zero or the first visit to the last that is known or asked; planned visits alone, where
    nothing is modelled between them.
    """
    ends = [0.0, *prediction.times, *whole.time.tolist()]
    return np.linspace(min(ends), max(ends), TIMES) if max(ends) > min(ends) else np.array([min(ends), min(ends) + 1])


def _band(state: OnePatient, outcome: str, times: np.ndarray) -> np.ndarray:
    """(6, time) lower, median and upper of the expected course, and of measurements."""
    tail = (1 - state.study.interval) / 2
    ends = [tail, 0.5, 1 - tail]
    both = []
    with np.errstate(all="ignore"):
        for t in times.tolist():
            course, measured = state.course(outcome, t), state.measurement(outcome, t)
            both.append(np.concatenate([np.quantile(course, ends), np.quantile(measured, ends)]))
    return np.stack(both, axis=1)


def _predicted(axes: Axes, curves: np.ndarray, times: np.ndarray) -> None:
    lower, median, upper, low, _, high = curves
    axes.fill_between(times, low, high, color=BLUE, alpha=0.13, linewidth=0, label="predictive")
    axes.fill_between(times, lower, upper, color=BLUE, alpha=0.35, linewidth=0, label="interval")
    axes.plot(times, median, color=BLUE, label="expected")


def _known(basis: Basis, unit: str) -> str:
    if basis.time is None:
        return "before any visit"
    return f"after {basis.known} {'visit' if basis.known == 1 else 'visits'}, to {unit} {basis.time:.3g}"
