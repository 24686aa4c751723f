"""Grades, yes and no: does what is given a probability of 0.7 happen in seven of ten?"""

import numpy as np
from scipy.optimize import isotonic_regression

from bayesmyo.assess.checks.grades import DRAWS, RARE, reach
from bayesmyo.errors import UsageError
from bayesmyo.figures.colours import BLACK, BLUE, GREY
from bayesmyo.figures.parts import judged, the_outcome
from bayesmyo.figures.style import DOUBLE, PLAIN, SINGLE, Drawing, band, drawing, legend, line, title
from bayesmyo.inference.fit import Fit

GRID = np.linspace(0, 1, 101)


def calibration(fit: Fit, outcome: str) -> Drawing:
    """For each grade, the share of measurements at or above it against the probability that the model gives it.

    The line is the monotone regression of what was measured on each draw's probabilities (pool-adjacent-violators, as
    in the check of grades; median over draws); the band that of replicates under the same draw. A misfit: the line
    leaves the band; flatter than the diagonal, patients are told apart too well; steeper, too little; below or above
    it all the way, the grade is too rare or too frequent.

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
        For an unknown outcome, and where it is not of grades or of yes and no.

    """
    o = the_outcome(fit.study, outcome)
    if not (o.family.ordinal or o.family.binary):
        mend = "calibration is for grades, and for yes and no"
        raise UsageError("outcome", f"is of the family {o.family.kind}", f'"{outcome}"', mend)
    r = judged(fit, outcome)
    some = np.linspace(0, len(r.drawn) - 1, min(DRAWS, len(r.drawn))).astype(np.int64)
    asked = {g: p for g, p in reach(fit, r, some).items() if min((r.y >= g).sum(), (r.y < g).sum()) >= RARE}
    if not asked:
        raise UsageError("outcome", f"has fewer than {RARE} measurements on either side of every grade", f'"{outcome}"')
    texts = o.family.texts() or {}
    names = {v: t for t, v in texts.items()}
    across = min(len(asked), 4)
    down = -(-len(asked) // across)
    width = SINGLE if across < 3 else DOUBLE
    height = down * (width - 0.5) / max(across, 1.25) + 1.0
    with drawing(width, height, down, across, sharex=True, sharey=True) as (figure, grid):
        for axes in grid.flat[len(asked) :]:
            axes.set_visible(False)
        for axes, (grade, probability) in zip(grid.flat, asked.items(), strict=False):
            observed, lower, upper = curves(probability, r.y >= grade, r.drawn[some] >= grade)
            axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.6, linestyle=":")
            axes.fill_between(GRID, lower, upper, color=BLUE, alpha=0.35, linewidth=0, label="band")
            axes.plot(GRID, observed, color=BLACK, label="measured")
            axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1], aspect="equal")
            axes.set_title(f"{names[grade]} or higher" if grade in names else "yes")
            axes.tick_params(labelbottom=True)
        grid[0, 0].figure.supxlabel("Probability by the model", fontsize=PLAIN)
        grid[0, 0].figure.supylabel("Share of measurements", fontsize=PLAIN)
        title(figure, f"{fit.study.label(outcome)}: calibration at these patients' visits")
        legend(
            figure,
            line("measured", BLACK),
            band("predicted, 95 %", BLUE, 0.35),
            line("perfect", GREY, ":", width=0.8),
            columns=3,
        )
        return figure


def curves(probability: np.ndarray, data: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(grid,) the regression of the data, median over draws, and the middle 95 % of replicates'; NaN where few draws
    reach.

    probability: (draw, n); data: (n,) whether the grade was reached; drawn: (draw, n) the same of replicates

    """
    ours = np.stack([_curve(p, data) for p in probability])
    theirs = np.stack([_curve(p, y) for p, y in zip(probability, drawn, strict=True)])
    few = np.isfinite(ours).mean(axis=0) < 0.5
    ours[:, few], theirs[:, few] = 0.0, 0.0
    observed, lower, upper = np.stack([np.nanmedian(ours, axis=0), *np.nanquantile(theirs, [0.025, 0.975], axis=0)])
    for curve in (observed, lower, upper):
        curve[few] = np.nan
    return observed, lower, upper


def _curve(probability: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """(grid,) the monotone regression, between the least and the largest probability of this draw."""
    order = np.argsort(probability, kind="stable")
    fitted = isotonic_regression(reached[order].astype(float)).x
    return np.interp(GRID, probability[order], fitted, left=np.nan, right=np.nan)
