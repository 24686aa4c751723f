"""Who has which category of response at each visit, the lost among them."""

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.patches import Patch

from bayesmyo.assess.estimate import tails
from bayesmyo.assess.responses import NONE, assigned, decided, last_measured
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.figures.axes import looks, time_label
from bayesmyo.figures.colours import BLACK, GREY
from bayesmyo.figures.parts import mass, warning
from bayesmyo.figures.responses import LOOK
from bayesmyo.figures.style import SINGLE, SMALL, Drawing, drawing, legend, line, title
from bayesmyo.inference.fit import Fit
from bayesmyo.study.study import Response, Study

FEW = 3  # patients: the shares of fewer say nothing


def responses_by_visit(fit: Fit, rule: str = "") -> Drawing:
    """The share of patients in each category of response over time, stacked; those who were no longer seen on top.

    The rule is judged at each time as it is at its own, on the expected trajectories of the patients in whom every
    outcome of it was measured then or later (within its window); how many these are stands above each bar. The line at
    the end of the first category is its 95 % (the study's) interval. Nobody is predicted here: where many are lost,
    the shares of those who are left say little of all.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    rule : str
        One of the study's rules (default: its own).

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
    study, cohort = fit.study, fit.cohort
    name = the_rule(study, rule)
    response = study.responses[name]
    names = [*response.categories] + [NONE] * bool([*response.categories.values()][-1])
    times = _times(fit, response)
    bars = [_bar(fit, response, t, len(names)) for t in times]
    with drawing(SINGLE, 3.0) as (figure, ((axes,),)):
        x, under = np.arange(len(times)), np.zeros(len(times))
        entries: list[Patch] = []
        for k, (category, (color, hatch)) in enumerate(zip(names, LOOK, strict=False)):
            share = np.array([shares[k] for _, shares, _ in bars])
            look: dict[str, Any] = {"facecolor": color, "hatch": hatch, "edgecolor": "white", "linewidth": 0.4}
            axes.bar(x, share, 0.8, under, label=category, **look)
            under = under + share
            entries.append(Patch(**look, label=category.replace("_", " ")))
        axes.bar(x, 1 - under, 0.8, under, facecolor="none", edgecolor=GREY, linewidth=0.6, label="lost")
        entries.append(Patch(facecolor="none", edgecolor=GREY, linewidth=0.6, label="not seen then or later"))
        axes.vlines(
            x, *np.transpose([ends for *_, ends in bars]), color=BLACK, linewidth=1.4, zorder=3, label="interval"
        )
        for place, (seen, *_) in zip(x, bars, strict=True):
            axes.text(place, 1.015, str(seen), ha="center", va="bottom", fontsize=SMALL)
        axes.set_xticks(x, [f"{t:g}" for t in times])
        axes.set(xlabel=time_label(study), ylabel="Share of patients", ylim=(0, 1.08), yticks=np.linspace(0, 1, 5))
        what = (
            f"Response by the rule {name}, of {len(cohort)} patients\nAbove each bar: how many were seen then or later"
        )
        title(figure, what, warning(fit, *response.outcomes))
        first = names[0].replace("_", " ")
        legend(figure, *entries, line(f"{mass(study)} interval of {first}", BLACK, width=1.4))
        return figure


def the_rule(study: Study, rule: str) -> str:
    """The rule of that name, or the study's own. Raises UsageError for one that the study has not."""
    if not study.responses:
        raise UsageError("study", "declares no rule of response")
    if rule and rule not in study.responses:
        raise UsageError("rule", "is not in this study", f'"{rule}"', did_you_mean(rule, list(study.responses)))
    return rule or study.rule or next(iter(study.responses))


def _times(fit: Fit, response: Response) -> list[float]:
    """Times at which a clinic would look after that with which the rule compares, as long as a few patients are seen;
    and its own."""
    seen = np.sort(_limiting(fit, response))
    last = float(seen[-min(FEW, len(seen))])
    return sorted({*(t for t in looks(fit.study, max(last, 0.0)) if t > response.from_), response.at})


def _limiting(fit: Fit, response: Response) -> np.ndarray:
    """(patient,) until when every outcome of a rule was measured."""
    return np.asarray(np.min([*last_measured(fit.cohort, response.outcomes).values()], axis=0))


def _bar(fit: Fit, response: Response, time: float, categories: int) -> tuple[int, np.ndarray, tuple[float, float]]:
    """How many are seen at a time or later, the share of all patients in each category, and the interval of the
    first."""
    now = replace(response, at=time, free={event: min(by, time) for event, by in response.free.items()})
    seen = (_limiting(fit, response) >= time - response.window) | decided(fit.cohort, now)
    position = assigned(fit, now)[..., seen]
    shares = np.array([(position == k).mean(axis=(0, 1)).sum() for k in range(categories)]) / len(fit.cohort)
    low, _, high = tails(fit.study)
    first = (position == 0).sum(axis=-1)
    lower, upper = (float(q) for q in np.quantile(first, [low, high], method="inverted_cdf"))
    return int(seen.sum()), shares, (lower / len(fit.cohort), upper / len(fit.cohort))
