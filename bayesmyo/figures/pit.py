"""Where each measurement lies in its prediction from all the others."""

import numpy as np
from arviz_stats.ecdf_utils import ecdf_pit

from bayesmyo.assess.checks.left_out import LeftOut, limit, transform
from bayesmyo.assess.replicated import replicated
from bayesmyo.errors import UsageError
from bayesmyo.figures.colours import BLACK, BLUE, GREY
from bayesmyo.figures.parts import judged
from bayesmyo.figures.style import SINGLE, Drawing, band, drawing, legend, line, title
from bayesmyo.inference.fit import Fit
from bayesmyo.seeds import PREDICT, address

SIMULATIONS = 1000


def pit(fit: Fit, outcome: str) -> Drawing:
    """The leave-one-out probability integral transform: the cumulative share of places less a uniform one, with a 95
    % envelope for the whole line (Säilynoja et al. 2022).

    The places are those of the check of leave-one-out prediction. A misfit: the line leaves the envelope; an arch,
    measurements lie lower than predicted; a bowl, higher; first above and then below, predictions are too narrow; the
    other way round, too wide.

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
        For an unknown outcome, or where measurements cannot be left out.

    References
    ----------
    Säilynoja et al. 2022, https://doi.org/10.1007/s11222-022-10090-6

    """
    r = judged(fit, outcome)
    replicates = replicated(fit)
    position = list(replicates.outcomes).index(outcome)
    places, high = transform(fit, replicates, r, address(fit.seed, PREDICT, cell=3, replicate=position))
    if not np.isfinite(places).all():
        raise UsageError(
            "outcome", "cannot be predicted with a measurement left out: its likelihood is not finite", f'"{outcome}"'
        )
    at, ecdf, lower, upper = ecdf_pit(
        places, 0.95, SIMULATIONS, rng=np.random.default_rng(address(fit.seed, PREDICT, cell=5))
    )
    with drawing(SINGLE, 2.7) as (figure, ((axes,),)):
        axes.axhline(0, color=GREY, linewidth=0.6)
        axes.fill_between(at, lower - at, upper - at, color=BLUE, alpha=0.3, linewidth=0, label="envelope")
        axes.plot(at, ecdf - at, color=BLACK, drawstyle="steps-post", linewidth=1.0, label="difference")
        axes.set(xlabel="Place in the prediction from all others", ylabel="Share below, less uniform", xlim=(0, 1))
        title(figure, f"{fit.study.label(outcome)}: {len(r)} measurements, each left out")
        if high > LeftOut().unreliable:
            axes.text(
                0.5, 0.02, f"{high:.0%} cannot be left out reliably (Pareto k > {limit(replicates):.2f})",
                transform=axes.transAxes, ha="center", fontsize=6.5,
            )  # fmt: skip
        legend(figure, line("measured", BLACK), band("if predictions are right, 95 %", BLUE, 0.3))
        return figure
