"""What was believed of each parameter before the data, and what is after, in units that a clinician reads."""

import textwrap

import numpy as np
from matplotlib.axes import Axes
from scipy.stats import gaussian_kde

from bayesmyo.figures.axes import few_log_ticks
from bayesmyo.figures.colours import BLUE, GREY, PALE
from bayesmyo.figures.parts import mass, the_outcome, warning
from bayesmyo.figures.style import DOUBLE, SMALL, Drawing, band, drawing, legend, line, title
from bayesmyo.inference.fit import Fit
from bayesmyo.study.parameters import Parameter, moving
from bayesmyo.study.study import Study

ACROSS, POINTS = 4, 201
LIKELY = np.linspace(0.001, 0.999, 999)  # probabilities at which a prior is asked for its quantiles
FAR = 4.0  # a positive quantity whose interval spans such a factor stands on a logarithmic axis
REACH = 1.5  # how far a panel goes beyond the posterior, in its own span


def prior_and_posterior(fit: Fit, outcome: str) -> Drawing:
    """The density of every population parameter of an outcome before the data (grey) and after (blue).

    Levels are in the outcome's unit, changes and SDs as the unit says (of a log-scale outcome ratios, on the logit
    odds ratios): the numbers of `bayesmyo.priors`. A dashed line at either side is the end of the posterior's 95 %
    (the study's) interval. A warning: a blue curve that is hardly narrower than the grey one, where the data have said
    little, or one at the grey one's edge, where prior and data disagree.

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
        For an unknown outcome.

    """
    the_outcome(fit.study, outcome)
    listed, posterior = of_outcome(fit.study, outcome), fit.group("posterior")
    down = -(-len(listed) // ACROSS)
    with drawing(DOUBLE, 1.25 * down + 0.8, down, ACROSS) as (figure, grid):
        for axes, p in zip(grid.flat, listed, strict=False):
            _panel(axes, fit.study, p, np.asarray(p.natural(posterior[p.full_name].values.reshape(-1))))
        for axes in grid.flat[len(listed) :]:
            axes.set_visible(False)
        title(figure, f"{fit.study.label(outcome)}: before the data, and after", warning(fit, outcome))
        entries = [
            band("prior", PALE),
            line("posterior", BLUE),
            line(f"its {mass(fit.study)} interval", BLUE, "--", width=0.8),
        ]
        legend(figure, *entries, columns=3)
        return figure


def of_outcome(study: Study, outcome: str) -> list[Parameter]:
    """The parameters of an outcome that are no constants, each with a prior of its own."""
    return [p for p in moving(study) if p.outcome == outcome and p.prior is not None]


def _panel(axes: Axes, study: Study, p: Parameter, draws: np.ndarray) -> None:
    before = prior_quantiles(p)
    tail = (1 - study.interval) / 2
    lower, upper = np.quantile(draws, [tail, 1 - tail])
    log = bool(before.min() > 0 and draws.min() > 0 and upper > FAR * lower)
    to, back = (np.log, np.exp) if log else (np.asarray, np.asarray)
    reach = REACH * (to(upper) - to(lower))
    low, high = max(to(lower) - reach, to(before[0])), min(to(upper) + reach, to(before[-1]))
    low, high = min(low, to(draws.min())), max(high, to(draws.max()))
    x = np.linspace(low, high, POINTS)
    middle, density = prior_density(to(before))
    axes.fill_between(back(x), np.interp(x, middle, density, 0.0, 0.0), color=PALE, linewidth=0, label="prior")
    axes.plot(back(x), gaussian_kde(to(draws))(x), color=BLUE, label="posterior")
    for end in (lower, upper):
        axes.axvline(end, color=BLUE, linewidth=0.8, linestyle="--", label="interval")
    axes.set(ylim=(0, None), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.set_title(textwrap.fill(p.name.replace("_", " "), 22), fontsize=SMALL)
    axes.set_xlabel(textwrap.fill(p.natural_unit, 22), fontsize=SMALL, color=GREY)
    if log:
        axes.set_xscale("log")
        axes.set_xlim(float(np.exp(low)), float(np.exp(high)))
        few_log_ticks(axes.xaxis)
    else:
        axes.set_xlim(float(low), float(high))
        axes.locator_params(axis="x", nbins=4)


def prior_quantiles(p: Parameter) -> np.ndarray:
    """(999,) quantiles of a prior in clinical units, at equal steps of probability."""
    assert p.prior is not None
    with np.errstate(over="ignore"):
        return np.array([float(p.natural(p.prior.quantile(q))) for q in LIKELY])


def prior_density(quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places and the density there: the probability between two quantiles over their distance."""
    inside = np.isfinite(quantiles)
    place, chance = quantiles[inside], LIKELY[inside]
    place, chance = place[::10], chance[::10]  # coarser, so that steps of the quantiles do not show
    return (place[1:] + place[:-1]) / 2, np.diff(chance) / np.maximum(np.diff(place), 1e-300)
