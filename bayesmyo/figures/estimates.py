"""The answers, with what the priors alone would have said behind them."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from bayesmyo.assess.claims import Claims, known_claims
from bayesmyo.assess.estimate import Estimate
from bayesmyo.assess.other_priors import prior_draws
from bayesmyo.components.estimands import Estimand
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.figures.axes import log_ticks
from bayesmyo.figures.colours import BLUE, GREY, PALE, VERMILLION
from bayesmyo.figures.parts import mass
from bayesmyo.figures.style import DOUBLE, SMALL, Drawing, band, drawing, legend, line, title
from bayesmyo.inference.fit import Fit
from bayesmyo.study import describe

LONGEST = 88  # characters that describe a number; it goes by its name in the study where more are needed
NEAR = 3.0  # spans within which no change is shown too
REACH = 1.2  # how far a panel goes beyond its posteriors, in their own span


def estimates(fit: Fit, unit: str | None = None, said: Claims | None = None) -> Drawing:
    """Every estimand, in a panel for each unit (or of one unit alone): median, 50 % and 95 % (the study's) intervals,
    prior behind.

    Each row names its population. The grey bar is the interval of the prior alone; an arrow says that it goes on
    beyond the panel. Ratios stand on a logarithmic axis. A warning: a posterior as wide as its grey bar, where the
    data have said nothing. Of what the checks or other priors forbid to tell there is the prior alone, and *withheld*.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    unit : str, optional
        Draw the estimands of this unit alone.
    said : Claims, optional
        What may be said (default: by the fit's own checks).

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        Where the study has no estimand, or none in that unit.

    """
    rows = (said or known_claims(fit)).estimates
    units = list(dict.fromkeys(r.unit for r in rows))
    if not rows:
        raise UsageError("study", "declares no estimand")
    if unit is not None and unit not in units:
        raise UsageError("unit", "is that of no estimand", f'"{unit}"', did_you_mean(unit, units))
    panels = [[r for r in rows if r.unit == u] for u in ([unit] if unit is not None else units)]
    before = prior_draws(fit)
    heights = [0.62 + 0.44 * len(p) for p in panels]
    with drawing(DOUBLE, sum(heights) + 0.7, len(panels), 1, height_ratios=heights) as (figure, grid):
        for axes, panel in zip(grid[:, 0], panels, strict=True):
            _panel(axes, fit, panel, before)
        title(figure, f"{fit.study.title}: estimates")
        legend(
            figure,
            line("median, 50 %", BLUE, "-", "o", 3.0, markerfacecolor="white"),
            line(f"{mass(fit.study)} interval", BLUE, width=1.2),
            band(f"{mass(fit.study)} interval before the data", PALE),
            line("no change", GREY, ":", width=0.8),
            columns=4,
        )
        return figure


def _panel(axes: Axes, fit: Fit, rows: Sequence[Estimate], before: Mapping[str, np.ndarray]) -> None:
    """The estimands of one unit."""
    tail = (1 - fit.study.interval) / 2
    asked = [fit.study.estimands[r.name] for r in rows]
    relative = all(e.relative for e in asked)
    log = relative and all(r.lower > 0 for r in rows if not r.withheld)  # a ratio of levels around zero has any sign
    known = [(first, last) for r in rows for first, last in [np.nanquantile(before[r.name], [tail, 1 - tail])]]
    shown = [(r.lower, r.upper) for r in rows if not r.withheld] or known
    low, high = _extent(shown, asked, log)
    for y, (r, (first, last)) in enumerate(zip(rows, known, strict=True)):
        q1, q3 = np.quantile(fit.estimands[r.name], [0.25, 0.75])
        left, right = max(first, low), min(last, high)
        axes.fill_between([left, right], y - 0.24, y + 0.24, color=PALE, linewidth=0, label="prior")
        for end, inside, marker in ((first, low, "<"), (last, high, ">")):
            if end < low or end > high:
                axes.plot([inside], [y], marker, color=GREY, markersize=4, label="goes on", clip_on=False)
        if r.withheld:
            axes.text(0.5, y, "withheld", transform=axes.get_yaxis_transform(), ha="center", va="center", color=VERMILLION,
                      fontsize=SMALL)  # fmt: skip
            continue
        axes.hlines(y, r.lower, r.upper, color=BLUE, linewidth=1.2, label="interval")
        axes.hlines(y, q1, q3, color=BLUE, linewidth=3.0, label="half")
        axes.plot([r.median], [y], "o", color=BLUE, markersize=4.5, markerfacecolor="white", label="median")
    neutral = 1.0 if relative else 0.0
    if low < neutral < high and any(e.no_effect is not None for e in asked):
        axes.axvline(neutral, color=GREY, linewidth=0.8, linestyle=":", zorder=0)
    axes.set_yticks(range(len(rows)), [named(fit, r) for r in rows])
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel=rows[0].unit)
    if log:
        axes.set_xscale("log")
    axes.set_xlim(low, high)
    if log:
        log_ticks(axes.xaxis)


def named(fit: Fit, r: Estimate) -> str:
    """What a row says: the number, and whose it is."""
    text = describe.number(fit.study, fit.study.estimands[r.name]).removeprefix("the ")
    if len(text) > LONGEST:
        text = r.name.replace("_", " ")
    who = r.population + (", one measurement" if r.predicts == "measurement" else "")
    return textwrap.fill(text[:1].upper() + text[1:], 44) + f"\n({who})"


def _extent(shown: Sequence[tuple[float, float]], asked: Sequence[Estimand], log: bool) -> tuple[float, float]:
    """Around all intervals of a panel, and its neutral value if that is near."""
    low, high = min(first for first, _ in shown), max(last for _, last in shown)
    if log:
        low, high = np.log(low), np.log(high)
    span = max(high - low, 1e-9)
    least, most = low - REACH * span / 2, high + REACH * span / 2
    if 0 < low < NEAR * span:
        least = min(least, -0.1 * span)
    if 0 < -high < NEAR * span:
        most = max(most, 0.1 * span)
    if not log and all(e.neutral is None for e in asked) and low >= 0:
        least = max(least, -0.02 * high)
    if not log and all(e.amount_of is None and e.possible() == (0.0, 1.0) for e in asked):
        least, most = -0.02, 1.02
    return (float(np.exp(least)), float(np.exp(most))) if log else (float(least), float(most))
