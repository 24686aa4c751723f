"""Patient by patient: what was measured, and what the model says of each."""

from collections.abc import Sequence

import numpy as np

from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.figures.axes import outcome_label, time_label, value_axis
from bayesmyo.figures.colours import BLACK, BLUE
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
from bayesmyo.figures.style import DOUBLE, PLAIN, Drawing, band, drawing, legend, line, title
from bayesmyo.inference.fit import Fit
from bayesmyo.model import residuals
from bayesmyo.model.visits import trailing
from bayesmyo.seeds import PREDICT, address

MOST = 24  # panels, unless more are named
SEEN, LOST = "-", (0, (2, 1.5))


def patients(fit: Fit, outcome: str, patients: Sequence[str] | None = None) -> Drawing:
    """A panel for each patient: measurements, the own expected curve with its interval, and where a measurement would
    be expected.

    The curve is dashed after the last measurement, in patients lost as in those followed to the end. Cells such as
    <20 are arrow heads at their limit. Of events per exposure, measurements to come are those of the middle exposure.
    A misfit: measurements outside the outer band in more than one of twenty, a run of them on one side of the curve,
    or a curve that bends where its patient's measurements do not.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    outcome : str
        Its name in the study.
    patients : sequence of str, optional
        Pseudonyms such as "P01"; the first 24 unless named.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        For an unknown outcome or patient.
    StorageError
        For a shared copy.

    """
    o, study, m = the_outcome(fit.study, outcome), fit.study, fit.cohort.measurements[outcome]
    who = _positions(fit, patients)
    times = moments_of(m)
    expected, predicted = _bands(fit, outcome, times, who)
    across = len(who) if len(who) < 4 else 4 if len(who) <= 12 else 6
    down = -(-len(who) // across)
    with drawing(DOUBLE, 1.15 * down + 1.1, down, across, sharex=True, sharey=True) as (figure, grid):
        for k, (i, axes) in enumerate(zip(who, grid.flat, strict=False)):
            own = m.take(m.patient == i)
            last = float(own.time.max()) if len(own) else -np.inf
            (low, high), (lower, median, upper) = predicted[:, :, k], expected[:, :, k]
            axes.fill_between(times, low, high, color=BLUE, alpha=0.13, linewidth=0, label="predictive")
            axes.fill_between(times, lower, upper, color=BLUE, alpha=0.35, linewidth=0, label="interval")
            split = int(np.searchsorted(times, last, side="right"))
            since = max(split - 1, 0)
            axes.plot(times[:split], median[:split], color=BLUE, linestyle=SEEN, label="seen")
            axes.plot(times[since:], median[since:], color=BLUE, linestyle=LOST, label="after")
            points(axes, own, 2.4, BLACK)
            before = shade_before(axes, study, outcome, m)
            until = f", to {study.time.unit} {last:.3g}" if len(own) else ", not measured"
            axes.set_title(fit.cohort.pseudonyms()[i] + until, fontsize=6.5, pad=2)
        for axes in grid.flat[len(who) :]:
            axes.set_visible(False)
        for axes in grid.flat[max(len(who) - across, 0) : len(who)]:
            axes.tick_params(labelbottom=True)  # the lowest of each column, also where the last row is not full
        value_axis(grid[0, 0], o, per_exposure(m), ends=whole_range(o))
        grid[0, 0].figure.supxlabel(time_label(study), fontsize=PLAIN)
        grid[0, 0].figure.supylabel(outcome_label(study, outcome), fontsize=PLAIN)
        some = f"{len(who)} of {len(fit.cohort)} patients" if len(who) < len(fit.cohort) else f"all {len(who)} patients"
        title(figure, f"{study.label(outcome)} in {some}", warning(fit, outcome))
        legend(
            figure,
            *point_entries([m.take(np.isin(m.patient, who))], BLACK),
            line("expected", BLUE),
            line("expected, after last seen", BLUE, LOST),
            band(f"its {mass(study)} interval", BLUE, 0.45),
            band(f"{mass(study)} interval of a measurement", BLUE, 0.13),
            *before,
            columns=3,
        )
        return figure


def _positions(fit: Fit, named: Sequence[str] | None) -> list[int]:
    known = fit.cohort.pseudonyms()
    if named is None:
        return list(range(min(MOST, len(known))))
    if isinstance(named, str) or not named:
        raise UsageError("patients", "must be a list of pseudonyms", repr(named), f'such as ["{known[0]}"]')
    for name in named:
        if name not in known:
            raise UsageError("patients", "is not in this cohort", f'"{name}"', did_you_mean(name, known))
    return [known.index(name) for name in named]


def _bands(fit: Fit, outcome: str, times: np.ndarray, who: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """(3, time, patient) lower, median and upper of expected levels; (2, time, patient) lower and upper of
    measurements."""
    prediction, m = predicting(fit), fit.cohort.measurements[outcome]
    o, aux = fit.study.outcomes[outcome], trailing(prediction.truth.outcomes[outcome].values)
    exposure = 1.0 if m.exposure is None else float(np.median(m.exposure))
    seed = address(fit.seed, PREDICT, cell=4, replicate=[*fit.study.outcomes].index(outcome))
    tail = (1 - fit.study.interval) / 2
    expected, predicted = [], []
    with np.errstate(all="ignore"):
        for t in times:
            expected.append(np.quantile(prediction.each(outcome, t)[:, who], [tail, 0.5, 1 - tail], axis=0))
            etas = prediction.patients(outcome, t)
            etas["location"] = etas["location"] + np.log(exposure)
            rng = np.random.default_rng(seed)  # the same chance at every time: a smooth band
            drawn = residuals.draw(o, rng, etas, aux)[:, who] / exposure
            predicted.append(np.quantile(drawn, [tail, 1 - tail], axis=0))
    return np.stack(expected, axis=1), np.stack(predicted, axis=1)
