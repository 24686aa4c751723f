"""What the priors believe of patients, before any data."""

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from bayesmyo.assess.prior import DRAWS, PriorBelief, prior_beliefs
from bayesmyo.figures.axes import is_log, is_root, log_ticks, measured_label, root, root_ticks, square
from bayesmyo.figures.colours import BLUE, GREEN
from bayesmyo.figures.parts import whole_range
from bayesmyo.figures.style import DOUBLE, SINGLE, Drawing, band, drawing, legend, line, title
from bayesmyo.study.study import Study

LONGEST = 26  # characters of a line of an axis title


def priors(study: Study, seed: int = 1, draws: int = DRAWS) -> Drawing:
    """One measurement of a new patient drawn from the priors, at three times: median and 95 % (the study's) interval,
    over the range declared plausible.

    The share of draws inside it stands above; the check asks for 85 %. A warning: intervals far beyond the green
    range (the priors believe in patients whom nobody has met), or a small part of it (they know the answer already).

    Parameters
    ----------
    study : Study
        Whose priors are drawn.
    seed : int
        Of the draws.
    draws : int
        How many patients are drawn from the priors.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    """
    beliefs = prior_beliefs(study, seed, draws)
    names = list(study.outcomes)
    across = min(len(names), 3)
    down = -(-len(names) // across)
    width = SINGLE if across == 1 else DOUBLE
    with drawing(width, 2.1 * down + 0.8, down, across) as (figure, grid):
        figure.set_layout_engine("constrained", w_pad=0.1)  # inches: another font than this one may be wider
        for axes, name in zip(grid.flat, names, strict=False):
            _outcome(axes, study, name, [b for b in beliefs if b.outcome == name])
        for axes in grid.flat[len(names) :]:
            axes.set_visible(False)
        title(figure, f"{study.title}: one new patient by the priors alone")
        mass = f"{100 * study.interval:.3g} %"
        some = any(o.plausible is not None for o in study.outcomes.values())
        entries = [line(f"median and {mass} interval of a measurement", BLUE, "-", "o", markerfacecolor="white")]
        legend(
            figure,
            *entries,
            *([band("declared plausible; share inside below", GREEN, 0.25)] if some else []),
            columns=2 if across > 1 else 1,
        )
        return figure


def _outcome(axes: Axes, study: Study, name: str, rows: list[PriorBelief]) -> None:
    o = study.outcomes[name]
    x = np.arange(len(rows))
    if o.plausible is not None:
        axes.axhspan(*o.plausible, color=GREEN, alpha=0.18, linewidth=0, label="plausible")
        for end in o.plausible:
            axes.axhline(end, color=GREEN, linewidth=0.8, linestyle="--")
    axes.vlines(x, [b.lower for b in rows], [b.upper for b in rows], color=BLUE, linewidth=2, label="interval")
    axes.plot(x, [b.median for b in rows], "o", color=BLUE, markersize=4.5, markerfacecolor="white", label="median")
    shares = [f"\n{b.plausible:.0%}" if b.plausible is not None and o.plausible is not None else "" for b in rows]
    axes.set_xticks(x, [f"{b.time:g}{s}" for b, s in zip(rows, shares, strict=True)])
    axes.set_xlim(-0.5, len(rows) - 0.5)
    axes.set(xlabel=f"Time ({study.time.unit}s)", ylabel=textwrap.fill(measured_label(study, name), LONGEST))
    if is_log(o):
        axes.set_yscale("log")
        log_ticks(axes.yaxis)
    if is_root(o):
        axes.set_yscale("function", functions=(root, square))
        high = max(b.upper for b in rows)
        axes.set_ylim(-0.003 * high, 1.08 * high)
        axes.yaxis.set_major_locator(FixedLocator(root_ticks(high)))
    ends = whole_range(o)
    if ends is not None:
        margin = 0.04 * (ends[1] - ends[0])
        axes.set_ylim(ends[0] - margin, ends[1] + margin)
