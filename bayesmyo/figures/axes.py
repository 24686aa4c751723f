"""Axes in clinical units: their labels, and scales on which an outcome can be read."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from bayesmyo.study.study import Outcome, Study

NEAR = 1e-9
CALENDAR = {
    "day": (7, 30, 90, 180, 365, 730, 1825),
    "week": (4, 13, 26, 52, 104, 260),
    "month": (1, 3, 6, 12, 24, 48, 96, 192),
    "year": (0.25, 0.5, 1, 2, 5, 10, 20),
}


def looks(study: Study, longest: float) -> list[float]:
    """Times at which a clinic would look, up to the longest: those of its calendar, or four to ten round steps where
    that has fewer than three."""
    times = [float(t) for t in CALENDAR.get(study.time.unit, ()) if t <= longest]
    if len(times) >= 3 or longest <= 0:
        return times
    step = max(f * 10.0**k for k in range(-6, 7) for f in (1, 2, 5) if f * 10.0**k <= longest / 4 * (1 + NEAR))
    return [step * n for n in range(1, int(longest / step * (1 + NEAR)) + 1)]


def with_unit(label: str, unit: str) -> str:
    return f"{label} ({unit})" if unit and unit.lower() not in label.lower() else label


def outcome_label(study: Study, outcome: str) -> str:
    o = study.outcomes[outcome]
    return with_unit(study.label(outcome), o.unit) + (", root scale" if is_root(o) else "")


def measured_label(study: Study, outcome: str) -> str:
    """The label of measurements as they are in the table: counts where events are counted per exposure."""
    if study.outcomes[outcome].exposure:
        return f"{study.label(outcome)}: number at a visit"
    return outcome_label(study, outcome)


def time_label(study: Study) -> str:
    unit = study.time.unit
    label = study.time.label or "Time"
    return label if unit.lower() in label.lower() else f"{label} ({unit}s)"


def is_log(o: Outcome) -> bool:
    """Whether an outcome is drawn on a logarithmic axis: positive, and on the log in its model."""
    return o.family.multiplicative and not o.family.counts and not is_root(o)


def is_root(o: Outcome) -> bool:
    """Whether an outcome is drawn on an axis of square roots: positive and skewed, with zeros that have no
    logarithm."""
    return o.family.has_zero_part


def root(value: np.ndarray) -> np.ndarray:
    return np.sign(value) * np.sqrt(np.abs(value))


def square(value: np.ndarray) -> np.ndarray:
    return np.sign(value) * np.square(value)


def root_ticks(high: float) -> list[float]:
    """Zero and round numbers far enough apart on an axis of square roots."""
    ticks = [0.0]
    for value in (f * 10.0**k for k in range(-3, 7) for f in (1, 2, 5)):
        if value <= high and np.sqrt(value) - np.sqrt(ticks[-1]) >= 0.12 * np.sqrt(high):
            ticks.append(value)
    return ticks


def value_axis(
    axes: Axes, o: Outcome, measured: np.ndarray, which: str = "y", ends: tuple[float, float] | None = None
) -> None:
    """The axis of an outcome: logarithmic where its model is, grades by name, and never far beyond what was measured.

    ends: of the outcome's range, each shown where a measurement is near

    """
    axis: Axis = axes.yaxis if which == "y" else axes.xaxis
    scale = axes.set_yscale if which == "y" else axes.set_xscale
    limits = axes.set_ylim if which == "y" else axes.set_xlim
    if is_log(o):
        scale("log")
    low, high = (float(v) for v in axis.get_view_interval())
    if ends is not None:
        margin, near = 0.04 * (ends[1] - ends[0]), 0.15 * (ends[1] - ends[0])
        least, most = (float(f(measured)) for f in (np.min, np.max)) if len(measured) else ends
        low = ends[0] - margin if least - 2 * near < ends[0] else least - near
        high = ends[1] + margin if most + 2 * near > ends[1] else most + near
    elif len(measured):
        x = np.log(measured) if is_log(o) else measured
        reach = 0.25 * max(float(np.ptp(x)), 1e-9)
        least, most = float(x.min()) - reach, float(x.max()) + reach
        if is_log(o):
            least, most = np.exp([least, most])
        elif measured.min() >= 0 and (o.family.counts or is_root(o)):
            least = -0.04 * most
        low, high = max(low, least), min(high, most)
    if is_root(o):
        low = -0.003 * high
        scale("function", functions=(root, square))
        axis.set_major_locator(FixedLocator(root_ticks(high)))
    limits(low, high)
    if is_log(o):
        log_ticks(axis)
    texts = o.family.texts()
    if texts is not None:
        scores = sorted(set(texts.values()))
        axis.set_ticks(scores, labels=["/".join(t for t, v in texts.items() if v == s) for s in scores])


def log_ticks(axis: Axis) -> None:
    """Plain numbers, as many as can be read."""
    low, high = axis.get_view_interval()
    decades = np.log10(high / low)
    subs: tuple[float, ...] = (1.0, 2.0, 5.0) if decades < 1.6 else (1.0, 3.0) if decades < 3.2 else (1.0,)
    if decades < 0.5:
        subs = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
    axis.set_major_locator(LogLocator(subs=subs, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def few_log_ticks(axis: Axis) -> None:
    """At most four plain numbers, for a small panel."""
    low, high = axis.get_view_interval()
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for digits in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        ticks = [d * 10.0**k for k in decades for d in digits if low <= d * 10.0**k <= high]
        if len(ticks) <= 4:
            break
    axis.set_major_locator(FixedLocator(ticks[:: -(-len(ticks) // 4) or 1]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_locator(NullLocator())
