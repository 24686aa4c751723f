"""A visual predictive check: quantiles over time, of these measurements and of new patients'."""

from typing import Any

import numpy as np
from matplotlib.artist import Artist

from bayesmyo.assess.checks.time_course import QUANTILES, stretches
from bayesmyo.assess.replicated import Replicated
from bayesmyo.figures.axes import measured_label, time_label, value_axis
from bayesmyo.figures.colours import BLACK, BLUE, FAINT, GREY, ORANGE
from bayesmyo.figures.parts import early, judged, shade, the_outcome, whole_range
from bayesmyo.figures.style import SINGLE, Drawing, band, drawing, legend, line, title
from bayesmyo.inference.fit import Fit

LOOK = {0.1: (-0.26, "v", "--", ORANGE), 0.5: (0.0, "o", "-", BLUE), 0.9: (0.26, "^", "--", ORANGE)}


def time_course(fit: Fit, outcome: str, patients: bool = True) -> Drawing:
    """The 10, 50 and 90 % quantiles of the measurements (marks joined by lines) over bars for those of new patients
    at the same visits.

    Time goes in stretches with about as many measurements in each; a bar is the middle 95 % of replicates. Of a yes
    or no, the share of yes. A misfit: the median leaves its bars where the curve is wrong (a straight line through
    what levels off: too low, too high, too low); the outer marks leave theirs, on both sides alike, where patients
    differ more or less than the model says.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    outcome : str
        Its name in the study.
    patients : bool
        Whether every measurement is drawn too, as a dot.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        For an unknown outcome, or where replicates cannot be had.

    """
    o, r, study = the_outcome(fit.study, outcome), judged(fit, outcome), fit.study
    cells = stretches(study, r)
    binary = len(np.unique(r.y)) <= 2
    with drawing(SINGLE, 3.2) as (figure, ((axes,),)):
        if patients and not binary:
            x = np.concatenate([places(r.time[c], k) for k, c in enumerate(cells)])
            y = r.y[np.concatenate(cells)]
            axes.plot(x, y, ".", color=FAINT, markersize=2, markeredgewidth=0, zorder=1, label="cells")
        for q in [0.5] if binary else QUANTILES:
            offset, marker, style, color = LOOK[q]
            observed, lower, upper = quantiles(r, cells, q, binary)
            x = np.arange(len(cells)) + (0.0 if binary else offset)
            axes.bar(x, upper - lower, 0.22, lower, color=color, alpha=0.45, zorder=2, label=f"new {q}")
            axes.plot(
                x, observed, marker=marker, linestyle=style, color=BLACK, markersize=4, linewidth=0.8,
                markerfacecolor="white", zorder=3, label=f"measured {q}",
            )  # fmt: skip
        label = f"{study.label(outcome)}: share of yes" if binary else measured_label(study, outcome)
        axes.set(xlabel=time_label(study), ylabel=label)
        axes.set_xticks(range(len(cells)), [span(r.time[c]) for c in cells])
        if binary:
            axes.set_ylim(-0.03, 1.03)
        else:
            value_axis(axes, o, r.y, ends=whole_range(o))
        title(figure, f"{study.label(outcome)}: measurements against new patients")
        what = "share of yes" if binary else "median"
        white: dict[str, Any] = {"markerfacecolor": "white"}
        entries: list[Artist] = [line(f"measured {what}", BLACK, "-", "o", **white)]
        if not binary:
            entries += [line(f"measured {q} %", BLACK, "--", m, **white) for q, m in ((90, "^"), (10, "v"))]
        entries.append(band(f"new patients: {what}", BLUE, 0.45))
        if not binary:
            entries.append(band("new patients: 10, 90 %", ORANGE, 0.45))
        if patients and not binary:
            entries.append(line("each measurement", GREY, "none", "."))
        entries += shade(axes, -0.5, sum(bool(early(study, outcome, r.time[c]).all()) for c in cells) - 0.5)
        legend(figure, *entries)
        return figure


def quantiles(
    r: Replicated, cells: list[np.ndarray], q: float, binary: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(bin,) the quantile of the measurements, and the ends of the middle 95 % of new patients' (of yes and no, of the
    share)."""
    rows = []
    for c in cells:
        drawn = r.new[:, c].mean(axis=-1) if binary else np.quantile(r.new[:, c], q, axis=-1)
        rows.append([r.y[c].mean() if binary else np.quantile(r.y[c], q), *np.quantile(drawn, [0.025, 0.975])])
    observed, lower, upper = np.array(rows, dtype=float).T
    return observed, lower, upper


def places(time: np.ndarray, bin: int) -> np.ndarray:
    """(n,) where the measurements of a bin stand on the axis, in proportion to their time."""
    first, length = float(time.min()), float(np.ptp(time))
    return bin - 0.42 + 0.84 * ((time - first) / length if length > 0 else np.full(len(time), 0.5))


def span(time: np.ndarray) -> str:
    """A stretch of time as a tick: its first and last measurement."""
    ends = (round(float(t), 1 if abs(t) < 10 else 0) + 0.0 for t in (time.min(), time.max()))  # + 0.0: never "-0"
    first, last = (f"{t:.10g}" for t in ends)
    return first if first == last else f"{first} to {last}" if time.min() < 0 else f"{first}–{last}"
