"""Each patient's own number, one below the other: who is helped, who is harmed, and of whom nobody knows."""

import textwrap
from collections.abc import Sequence

import numpy as np

from bayesmyo.assess import each_patient as each
from bayesmyo.assess.claims import each_claims
from bayesmyo.assess.estimate import Estimate
from bayesmyo.figures.axes import log_ticks
from bayesmyo.figures.colours import BLACK, BLUE, GREY
from bayesmyo.figures.parts import mass, warning
from bayesmyo.figures.style import SINGLE, Drawing, drawing, legend, line, nothing_but, title
from bayesmyo.inference.fit import Fit
from bayesmyo.study import describe


def each_patient(fit: Fit, estimand: str, said: Sequence[Estimate] | None = None) -> Drawing:
    """An estimand asked of each of these patients, in order of their medians (a caterpillar plot); the average over
    them below.

    Intervals of 50 % and 95 % (the study's). The numbers lean on each other: with few measurements a patient's lies
    near the average. What the checks or other priors forbid to tell is left out. A warning: intervals that all cross the line of no effect, from whose order nothing follows.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    estimand : str
        Its name in the study.
    said : sequence of Estimate, optional
        What may be said of each patient (default: by the fit's own checks).

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        For an estimand that one patient cannot be asked.
    StorageError
        For a shared copy.

    """
    e, draws = each.asked(fit.study, estimand), each.each_draws(fit, estimand)
    judged = each_claims(fit, estimand) if said is None else said
    rows = sorted((r for r in judged if not r.withheld), key=lambda r: r.median)
    if not rows:
        return nothing_but(f"Each patient: {estimand}", judged[0].sentence)
    everyone = e.of(fit.prediction)
    tail = (1 - fit.study.interval) / 2
    log = e.relative and all(r.lower > 0 for r in rows)
    with drawing(SINGLE, 0.155 * (len(rows) + 1) + 1.5) as (figure, ((axes,),)):
        for y, r in enumerate(rows):
            first, last = np.quantile(draws[r.name], [0.25, 0.75])
            axes.hlines(y, r.lower, r.upper, color=BLUE, linewidth=1.2, label="interval")
            axes.hlines(y, first, last, color=BLUE, linewidth=3.0, label="half")
            axes.plot([r.median], [y], "o", color=BLUE, markersize=4, markerfacecolor="white", label="median")
        lower, median, upper = np.quantile(everyone, [tail, 0.5, 1 - tail])
        axes.hlines(len(rows), lower, upper, color=BLACK, linewidth=1.2, label="average interval")
        axes.plot([median], [len(rows)], "D", color=BLACK, markersize=4.5, label="average")
        if e.no_effect is not None:
            axes.axvline(e.no_effect, color=GREY, linewidth=0.8, linestyle=":", zorder=0)
        axes.set_yticks(range(len(rows) + 1), [*(r.name for r in rows), "average"])
        axes.set(ylim=(len(rows) + 0.6, -0.6), xlabel=rows[0].unit)
        axes.tick_params(axis="y", length=0)
        if log:
            axes.set_xscale("log")
            log_ticks(axes.xaxis)
        text = describe.own_number(fit.study, e).removeprefix("the ")
        title(figure, textwrap.shorten(f"Each patient: {text}", 160), warning(fit, *e.outcomes))
        legend(
            figure,
            line("median, 50 %", BLUE, "-", "o", 3.0, markerfacecolor="white"),
            line(f"{mass(fit.study)} interval", BLUE, width=1.2),
            line("average of these patients", BLACK, "-", "D"),
            *([line("no effect", GREY, ":", width=0.8)] if e.no_effect is not None else []),
        )
        return figure
