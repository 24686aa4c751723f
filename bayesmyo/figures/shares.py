"""Zeros, ceilings, floors, limits of measurement: are as many measurements there as the model predicts?"""

import textwrap

from bayesmyo.assess.checks.censored import Censored
from bayesmyo.assess.checks.ends import Ends
from bayesmyo.assess.checks.grades import Grades
from bayesmyo.assess.checks.zeros import Zeros
from bayesmyo.errors import UsageError
from bayesmyo.figures.colours import BLACK, BLUE
from bayesmyo.figures.parts import judged
from bayesmyo.figures.style import SINGLE, Drawing, drawing, legend, line, title
from bayesmyo.inference.fit import Fit

CHECKS = (Zeros(), Ends(), Censored(), Grades())


def shares(fit: Fit, outcome: str) -> Drawing:
    """The share of measurements at each end of the range, at zero, at a limit, in a grade or above: measured
    (diamond) and predicted (line).

    They are the rows of the checks of zeros, ends, censored cells and grades; the line is the middle 95 % of
    replicates of the same patients at the same visits. A misfit: a diamond beyond its line by more than a few per
    cent.

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
        For an unknown outcome, and where no such share is judged.

    """
    judged(fit, outcome)
    rows = [row for c in CHECKS for row in c.run(fit).table if row["outcome"] == outcome]
    rows = [row for row in rows if str(row["statistic"]).startswith("share")]
    if not rows:
        raise UsageError("outcome", "has no zeros, ends or grades whose share is checked", f'"{outcome}"')
    with drawing(SINGLE, 0.27 * len(rows) + 1.35) as (figure, ((axes,),)):
        y = range(len(rows))
        observed, lower, upper = ([100 * r[k] for r in rows] for k in ("observed", "lower", "upper"))
        axes.hlines(y, lower, upper, color=BLUE, linewidth=3, label="predicted")
        axes.plot(observed, y, "D", color=BLACK, markersize=4, markerfacecolor="white", label="measured")
        names = [str(r["statistic"]).removeprefix("share ") for r in rows]
        axes.set_yticks(y, [textwrap.fill(name, 26) for name in names])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(axis="x", color="#E5E5E5", linewidth=0.5)
        axes.set_axisbelow(True)
        most = max(5.0, *upper, *observed)
        axes.set_xlim(-0.03 * most, 1.06 * most)
        axes.set_xlabel("Share of measurements (%)")
        title(figure, f"{fit.study.label(outcome)}: zeros, ends and limits")
        legend(
            figure,
            line("measured", BLACK, "none", "D", markerfacecolor="white"),
            line("predicted, 95 %", BLUE, width=3),
        )
        return figure
