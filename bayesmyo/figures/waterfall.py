"""How much each patient changed, the best first: a bar for each, as trials of few patients show them."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from bayesmyo.assess.each_patient import asked, each_estimate
from bayesmyo.assess.estimate import Estimate
from bayesmyo.assess.responses import last_measured
from bayesmyo.components.estimands import Estimand
from bayesmyo.errors import UsageError
from bayesmyo.figures.axes import log_ticks, with_unit
from bayesmyo.figures.colours import BLACK, BLUE, GREY, ORANGE
from bayesmyo.figures.parts import mass, warning
from bayesmyo.figures.style import DOUBLE, SINGLE, SMALL, Drawing, drawing, legend, line, title
from bayesmyo.inference.fit import Fit
from bayesmyo.study import describe
from bayesmyo.study.study import Study

NARROW, NAMED = 30, 70  # patients in one column of a journal, and of whom each is named
BETTER, WORSE = (BLUE, ""), (ORANGE, "////")
PALER = 0.35  # a bar that may be no change


def waterfall(fit: Fit, estimand: str = "") -> Drawing:
    """An estimand asked of each of these patients as a bar from no effect, the best first, with its 95 % (the study's)
    interval.

    Better and worse differ in colour and hatch; a bar is pale where its interval holds no effect. A star marks a
    patient who was last measured before the times it looks at, and is predicted from the own trajectory. The numbers
    lean on each other: with few measurements a patient's lies near the average. That a bar is the longest does not say
    that this patient has changed most: look whether intervals part.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    estimand : str
        Its name in the study (default: the first change of which each patient can be asked).

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        For an estimand that one patient cannot be asked, or that has no value that means no effect.
    StorageError
        For a shared copy.

    """
    study = fit.study
    name = estimand or next(iter(changing(study)), "")
    if not name:
        raise UsageError("study", "has no change of which each patient could be asked")
    e = asked(study, name)
    if e.no_effect is None:
        raise UsageError(f"estimands.{name}", "has no value that means no effect", mend="name a change or a ratio")
    better = study.declared[e.outcomes[0]].better
    sign = 1 if better == "higher" else -1
    rows = sorted(each_estimate(fit, name), key=lambda r: -sign * r.median)
    early = _early(fit, e)
    narrow = len(rows) <= NARROW
    with drawing(SINGLE if narrow else DOUBLE, 3.1) as (figure, ((axes,),)):
        _bars(axes, rows, e.no_effect, sign)
        if e.relative and all(r.lower > 0 for r in rows):
            axes.set_yscale("log")
            log_ticks(axes.yaxis)
        limits = [v for v in (e.above, e.below) if v is not None]
        for limit in limits:
            axes.axhline(limit, color=GREY, linewidth=0.8, linestyle="--")
        axes.axhline(e.no_effect, color=BLACK, linewidth=0.8)
        names = [r.name + ("*" if r.name in early else "") for r in rows] if len(rows) <= NAMED else []
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=SMALL - 1)
        axes.tick_params(axis="x", length=0)
        label = with_unit(e.kind.capitalize(), rows[0].unit)
        axes.set(xlim=(-0.8, len(rows) - 0.2), ylabel=label, xlabel="" if names else "Patients")
        text = describe.own_number(study, e).removeprefix("the ")
        star = f"\n* last measured before, predicted: {len(early)} of {len(rows)}" if early else ""
        title(figure, textwrap.shorten(f"Each patient: {text}", 160) + star, warning(fit, *e.outcomes))
        threshold = [line("threshold", GREY, "--", width=0.8)] if limits else []
        interval = line(f"{mass(study)} interval", BLACK, width=0.8)
        legend(figure, *_entries(rows, e.no_effect, sign), interval, *threshold)
        return figure


def changing(study: Study) -> list[str]:
    """Estimands of which each patient can be asked, and that have a value that means no effect."""
    names = []
    for name, e in study.estimands.items():
        try:
            asked(study, name)
        except UsageError:
            continue
        if e.no_effect is not None:
            names.append(name)
    return names


def _bars(axes: Axes, rows: list[Estimate], neutral: float, sign: int) -> None:
    for x, r in enumerate(rows):
        color, hatch = BETTER if sign * (r.median - neutral) >= 0 else WORSE
        alpha = 1.0 if _sure(r, neutral) else PALER
        look: dict[str, Any] = {"color": color, "hatch": hatch, "edgecolor": "white", "linewidth": 0.4, "alpha": alpha}
        axes.bar(x, r.median - neutral, 0.78, neutral, label=r.name, **look)
        axes.vlines(x, r.lower, r.upper, color=BLACK, linewidth=0.7, label="interval")


def _early(fit: Fit, e: Estimand) -> set[str]:
    """Pseudonyms of patients in whom an outcome was last measured before a time that an estimand looks at."""
    last = np.min([*last_measured(fit.cohort, e.outcomes).values()], axis=0)
    names = fit.cohort.pseudonyms()
    return {name for name, time in zip(names, last, strict=True) if time < max(e.times(), default=-np.inf)}


def _sure(r: Estimate, neutral: float) -> bool:
    return r.lower > neutral or r.upper < neutral


def _entries(rows: list[Estimate], neutral: float, sign: int) -> list[Patch]:
    """What the kinds of bars mean that are there."""
    kinds = [("for the better", *BETTER, 1.0, any(sign * (r.median - neutral) >= 0 for r in rows))]
    kinds.append(("for the worse", *WORSE, 1.0, any(sign * (r.median - neutral) < 0 for r in rows)))
    kinds.append(("may be no change", GREY, "", PALER, not all(_sure(r, neutral) for r in rows)))
    return [
        Patch(facecolor=color, hatch=hatch, edgecolor="white", linewidth=0.4, alpha=alpha, label=label)
        for label, color, hatch, alpha, there in kinds
        if there
    ]
