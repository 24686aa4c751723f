"""How measurements are distributed, beside what the model would have measured."""

import numpy as np
from matplotlib.axes import Axes

from bayesmyo.assess.replicated import Replicated
from bayesmyo.figures.axes import is_log, is_root, log_ticks, measured_label, root, root_ticks, square
from bayesmyo.figures.colours import BLUE, GREY, PALE
from bayesmyo.figures.parts import judged, the_outcome
from bayesmyo.figures.style import SINGLE, Drawing, band, drawing, legend, line, title
from bayesmyo.inference.fit import Fit
from bayesmyo.study.study import Outcome

BINS, VALUES = 20, 30  # of a continuous outcome; the most values of a count that have a bar each


def predictive(fit: Fit, outcome: str) -> Drawing:
    """How many measurements there are of each size (bars), and how many the model predicts (dots with 50 % and 95 %
    intervals).

    The replicates are of the same patients at the same visits. Counts and grades have a bar for each value and an
    axis of square roots (a rootogram, on which chance is as large in high bars as in low ones); measurements and
    replicates beyond a limit of what can be measured are counted at it. A misfit: bars beyond their intervals,
    several neighbours on one side; a bar at an end that stands out of its interval is a ceiling or floor that the
    family does not have.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    outcome : str
        Its name in the study.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        For an unknown outcome, or where replicates cannot be had.

    """
    o, r = the_outcome(fit.study, outcome), judged(fit, outcome)
    edges = bins(o, r)
    observed = counted(r.y[None], edges)[0]
    drawn = counted(r.drawn, edges)
    lower, q1, median, q3, upper = np.quantile(drawn, [0.025, 0.25, 0.5, 0.75, 0.975], axis=0)
    with drawing(SINGLE, 2.8) as (figure, ((axes,),)):
        left, width, middle = _places(o, edges)
        axes.bar(left, observed, width, align="edge", facecolor=PALE, edgecolor=GREY, linewidth=0.6, label="measured")
        axes.vlines(middle, lower, upper, color=BLUE, linewidth=1.0, label="95 %")
        axes.vlines(middle, q1, q3, color=BLUE, linewidth=2.6, label="50 %")
        white = {"markersize": 2.6, "markerfacecolor": "white", "markeredgewidth": 0.8}
        axes.plot(middle, median, "o", color=BLUE, label="median", **white)
        _label(axes, fit, o, outcome, edges)
        title(figure, f"{fit.study.label(outcome)}: {len(r)} measurements and their replicates")
        legend(
            figure,
            band("measured", PALE),
            line("predicted for the same visits: median, 50 and 95 %", BLUE, "-", "o", markerfacecolor="white"),
            columns=1,
        )
        return figure


def bins(o: Outcome, r: Replicated) -> np.ndarray:
    """Edges of the bars, each closed on the left; a hurdle's first holds the zeros alone."""
    whole = o.family.counts or o.family.ordinal
    if whole:
        texts = o.family.texts()
        values = np.array(sorted(set(texts.values()))) if texts else np.arange(r.y.min(), _far(r) + 1)
        if o.family.binary:
            values = np.array([0.0, 1.0])
        if len(values) > VALUES:
            step = int(np.ceil(len(values) / BINS))
            values = values[::step]
            return np.append(values - 0.5, values[-1] + step - 0.5)
        middle = (values[1:] + values[:-1]) / 2
        return np.concatenate([[values[0] - 0.5], middle, [values[-1] + 0.5]])
    if is_log(o):
        return np.exp(np.linspace(np.log(r.y[r.y > 0].min()), np.log(_far(r)) + 1e-9, BINS + 1))
    if is_root(o):
        top = _far(r) or 1.0  # where neither a measurement nor a replicate is above zero
        return np.concatenate([[-1e-9, 1e-9], np.linspace(0, np.sqrt(top), BINS + 1)[1:] ** 2])
    low = min(float(np.quantile(r.drawn, 0.005)), r.y.min())
    return np.linspace(low, max(_far(r), r.y.max()), BINS + 1)


def counted(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(draw, bin) how many of the values (draw, n) lie in each bin; those beyond all bins are counted in the
    outermost."""
    which = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return np.stack([(which == k).sum(axis=-1) for k in range(len(edges) - 1)], axis=-1)


def _far(r: Replicated) -> float:
    """Where the bars end on the right: hardly a replicate lies beyond, nor a measurement."""
    return max(float(np.quantile(r.drawn, 0.995)), float(r.y.max()))


def _places(o: Outcome, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Left edge, width and middle of each bar; the zeros of a hurdle stand apart, to the left."""
    left, right = edges[:-1].copy(), edges[1:].copy()
    if is_root(o):
        step = root(edges[3]) - root(edges[2])
        left[0], right[0], left[1] = -((2 * step) ** 2), -(step**2), 0.0
        return left, right - left, square((root(left) + root(right)) / 2)
    middle = np.sqrt(left * right) if is_log(o) else (left + right) / 2
    return left, right - left, middle


def _label(axes: Axes, fit: Fit, o: Outcome, outcome: str, edges: np.ndarray) -> None:
    axes.set(xlabel=measured_label(fit.study, outcome), ylabel="Measurements")
    texts = o.family.texts()
    if o.family.counts or texts is not None:
        axes.set_yscale("function", functions=(lambda v: np.sqrt(np.maximum(v, 0)), np.square))
        axes.set_ylabel("Measurements (root scale)")
        axes.set_ylim(bottom=0)
    if texts is not None:
        scores = sorted(set(texts.values()))
        axes.set_xticks(scores, ["/".join(t for t, v in texts.items() if v == s) for s in scores])
    elif o.family.binary:
        axes.set_xticks([0, 1], ["no", "yes"])
    elif is_log(o):
        axes.set_xscale("log")
        log_ticks(axes.xaxis)
    elif is_root(o):
        axes.set_xscale("function", functions=(root, square))
        zero = float(_places(o, edges)[2][0])
        ticks = [t for t in root_ticks(edges[-1]) if t > 0]
        axes.set_xticks([zero, *ticks], ["zero", *(f"{t:g}" for t in ticks)])
