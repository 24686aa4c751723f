"""Who has which category of response, patient by patient."""

import numpy as np
from matplotlib.patches import Patch

from bayesmyo.assess.claims import Claims, known_claims
from bayesmyo.assess.responses import Responses
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.figures.colours import BLUE, GREEN, GREY, ORANGE, PALE, PURPLE, SKY
from bayesmyo.figures.parts import warning
from bayesmyo.figures.style import DOUBLE, SINGLE, Drawing, drawing, legend, nothing_but, title
from bayesmyo.inference.fit import Fit

LOOK = ((BLUE, ""), (SKY, "////"), (ORANGE, "...."), (GREEN, "xxxx"), (PURPLE, "\\\\\\\\"), (PALE, ""), (GREY, "++++"))
NARROW = 30  # patients in one column of bars


def responses(fit: Fit, rule: str | None = None, said: Claims | None = None) -> Drawing:
    """The probability of each category of response in each patient, most likely responders first; the study's own
    rule unless one is named.

    A star marks a patient in whom an outcome of the rule was last measured before its time, who is predicted from the
    own trajectory. Bars of one colour alone are certain; a star with mixed colours is a patient whose outcome nobody
    knows. Legends give the number of patients with its interval. Where a category is withheld, so is the figure.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    rule : str, optional
        One of the study's rules; by default its own.
    said : Claims, optional
        What may be said (default: by the fit's own checks).

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        Where the study has no rule, or none of that name.
    StorageError
        For a shared copy.

    """
    len(fit.cohort)  # says what a shared copy is
    rules = {r.name: r for r in (said or known_claims(fit)).responses} if fit.study.responses else {}
    if not rules:
        raise UsageError("study", "declares no rule of response")
    if rule is not None and rule not in rules:
        raise UsageError("rule", "is not in this study", f'"{rule}"', did_you_mean(rule, list(rules)))
    chosen = rules[rule] if rule is not None else next(iter(rules.values()))
    if why := next((c.sentence for c in chosen.categories if c.withheld), ""):
        return nothing_but(f"Response by the rule {chosen.name}", why)
    rows = sorted(chosen.each, key=lambda p: [-v for v in np.cumsum([*p.probabilities.values()]).round(6)])
    columns = 1 if len(rows) <= NARROW else 3
    down = -(-len(rows) // columns)
    width = SINGLE if columns == 1 else DOUBLE
    with drawing(width, 0.155 * down + 1.75, 1, columns, sharex=True) as (figure, grid):
        for k, axes in enumerate(grid[0]):
            some = rows[k * down : (k + 1) * down]
            left = np.zeros(len(some))
            for (color, hatch), name in zip(LOOK, chosen.each[0].probabilities, strict=False):
                share = np.array([p.probabilities[name] for p in some])
                look = {"color": color, "hatch": hatch, "edgecolor": "white", "linewidth": 0.4}
                axes.barh(range(len(some)), share, left=left, label=name, **look)
                left += share
            axes.set_yticks(range(len(some)), [p.patient + ("" if p.seen else " *") for p in some])
            axes.set(xlim=(0, 1), ylim=(down - 0.4, -0.6), xlabel="Probability")
            axes.tick_params(axis="y", length=0)
        clock = f"{fit.study.time.unit} {chosen.at:g}"
        title(
            figure,
            f"Response at {clock} by the rule {chosen.name}\n* last measured before ({chosen.not_seen} of "
            f"{chosen.patients}), predicted",
            warning(fit, *chosen.outcomes),
        )
        legend(figure, *_entries(chosen), columns=1 if columns == 1 else 2)
        return figure


def _entries(chosen: Responses) -> list[Patch]:
    """Categories with the number of patients."""
    return [
        Patch(facecolor=color, hatch=hatch, edgecolor="white", linewidth=0.4,
              label=f"{c.name.replace('_', ' ')}: {c.median} ({c.lower} to {c.upper}) of {chosen.patients} patients")
        for (color, hatch), c in zip(LOOK, chosen.categories, strict=False)
    ]  # fmt: skip
