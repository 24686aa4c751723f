"""What several figures need: the outcome that was named, curves over time, the measurements themselves."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from bayesmyo.assess.check import failed
from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.replicated import Replicated, replicated
from bayesmyo.assess.reweight import evenly
from bayesmyo.assess.withhold import forbidding
from bayesmyo.cohort.cohort import BETWEEN, LEFT, MEASURED, RIGHT, Measurements
from bayesmyo.components.numbers import listing
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.figures.colours import GREY
from bayesmyo.figures.style import band, line
from bayesmyo.inference.fit import Fit
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.study import Outcome, Study

DRAWS, TIMES = 1000, 61  # of curves
BEFORE = 0.12  # how dark the time before treatment is
MARKS = {MEASURED: ("o", "measured"), LEFT: ("v", "known to lie below"), RIGHT: ("^", "known to lie above")}


def the_outcome(study: Study, outcome: str) -> Outcome:
    """The outcome of that name. Raises UsageError for one that the study has not."""
    if outcome not in study.outcomes:
        mend = did_you_mean(outcome, list(study.outcomes))
        raise UsageError("outcome", "is not in this study", f'"{outcome}"', mend)
    return study.outcomes[outcome]


def judged(fit: Fit, outcome: str) -> Replicated:
    """Measurements and replicates of an outcome, as the checks see them. Raises UsageError where there are none."""
    the_outcome(fit.study, outcome)
    if fit.shared:
        len(fit.cohort)  # says what a shared copy is
    replicates = replicated(fit)
    if replicates.reason:
        raise UsageError("fit", f"has no replicates to draw: {replicates.reason}")
    if outcome not in replicates.outcomes:
        raise UsageError("outcome", f"has no replicates to draw: {replicates.unjudged[outcome]}", f'"{outcome}"')
    return replicates.outcomes[outcome]


def warning(fit: Fit, *outcomes: str) -> str:
    """What stands above a figure of these outcomes (or events) of which nothing may be said; empty where it may."""
    return warned(outcomes, failed(fit))


def warned(outcomes: Sequence[str], checks: Sequence[CheckResult]) -> str:
    """The same of some failed checks."""
    names = [r.name for r in forbidding(outcomes, checks)]
    which = f"check{'s' * (len(names) > 1)} of {listing(names)}"
    return f"NOT TO BE REPORTED: failed {which}" if names else ""


def mass(study: Study) -> str:
    """The study's interval, as a legend names it."""
    return f"{100 * study.interval:.3g} %"


def predicting(fit: Fit) -> TruthPrediction:
    """Levels under at most a thousand draws, (draw,) each."""
    total = math.prod(fit.truth.shape)
    return TruthPrediction(fit.study, fit.truth.take(evenly(total, DRAWS)), seed=address(fit.seed, PREDICT))


def whole_range(o: Outcome) -> tuple[float, float] | None:
    """Both ends of an outcome's range; None where it has not two."""
    low, high = o.family.ends()
    return (low, high) if low is not None and high is not None else None


def moments_of(m: Measurements) -> np.ndarray:
    """(time,) from the first visit of all to the last."""
    return np.linspace(float(m.time.min()), float(m.time.max()), TIMES)


def early(study: Study, outcome: str, time: np.ndarray) -> np.ndarray:
    """(n,) which times lie before the start of treatment; none where time is no time of treatment."""
    return (time < 0) & np.isfinite(study.outcomes[outcome].trajectory.start)


def shade(axes: Axes, first: float, last: float) -> list[Artist]:
    """The stretch of an axis of time before the start of treatment, and its entry in the legend; neither where it is
    none."""
    if first >= last:
        return []
    axes.axvspan(first, last, color=GREY, alpha=BEFORE, linewidth=0, zorder=0, label="before")
    return [band("before treatment", GREY, BEFORE)]


def shade_before(axes: Axes, study: Study, outcome: str, m: Measurements) -> list[Artist]:
    """The time from the first visit to the start of treatment, as `shade`."""
    first = float(m.time.min())
    return shade(axes, first, 0.0) if early(study, outcome, np.array([first]))[0] else []


def per_exposure(m: Measurements) -> np.ndarray:
    """(n,) measurements in the outcome's unit; of events, their number over the exposure."""
    return m.value if m.exposure is None else np.asarray(m.value / m.exposure)


def points(axes: Axes, m: Measurements, size: float, color: str, hollow: bool = False) -> None:
    """Every measurement: a dot; an arrow head at the limit of a cell known to lie below or above it; a bar between two
    limits."""
    value = per_exposure(m)
    for side, (marker, label) in MARKS.items():
        here = m.side == side
        if here.any():
            inside = "none" if hollow and side == MEASURED else color
            larger = size if side == MEASURED else 1.5 * size
            axes.plot(
                m.time[here], value[here], marker, markersize=larger, markerfacecolor=inside, markeredgecolor=color,
                markeredgewidth=0.5, label=label, linestyle="none",
            )  # fmt: skip
    here = m.side == BETWEEN
    if here.any() and m.end is not None:
        axes.vlines(m.time[here], value[here], m.end[here], color=color, linewidth=0.8, label="between two limits")


def point_entries(sides: Sequence[Measurements], color: str = GREY, hollow: bool = False) -> list[Artist]:
    """What `points` drew, for a legend."""
    drawn = {int(s) for m in sides for s in np.unique(m.side)}
    entries: list[Artist] = [
        line(label, color, "none", marker, markerfacecolor="none" if hollow and side == MEASURED else color)
        for side, (marker, label) in MARKS.items()
        if side in drawn
    ]
    return [*entries, *([line("between two limits", color, width=0.8)] if BETWEEN in drawn else [])]
