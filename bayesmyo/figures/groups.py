"""One outcome over time in each group of patients: what a contrast compares."""

import numpy as np

from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.figures.axes import outcome_label, time_label, value_axis
from bayesmyo.figures.colours import BLUE, GREEN, GREY, ORANGE, PURPLE
from bayesmyo.figures.parts import mass, moments_of, predicting, shade_before, the_outcome, warning, whole_range
from bayesmyo.figures.style import SINGLE, Drawing, band, drawing, legend, line, title
from bayesmyo.figures.trajectories import windows
from bayesmyo.inference.fit import Fit
from bayesmyo.study.covariates import base
from bayesmyo.study.study import Study

COLOURS, MARKERS = (BLUE, ORANGE, GREEN, PURPLE), ("o", "s", "^", "D")


def groups(fit: Fit, outcome: str, covariate: str) -> Drawing:
    """The population average over time for each level of a categorical covariate, with its 95 % (the study's)
    interval.

    Each curve is of all such patients as if they were of that level, and otherwise as they are: what a `contrast`
    compares, and what `conditional_effects` draws elsewhere. Markers are means of what was measured of the patients
    of that level in windows of time. A misfit: markers of one group run beside their band. That bands overlap does
    not say that groups are alike: ask for the contrast.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    outcome : str
        Its name in the study.
    covariate : str
        A categorical covariate of patients that enters the outcome.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        For an unknown outcome, and a covariate that has no levels or does not enter the outcome.
    StorageError
        For a shared copy.

    """
    o, study = the_outcome(fit.study, outcome), fit.study
    levels = _levels(fit, outcome, covariate)
    m, held = fit.cohort.measurements[outcome], fit.cohort.covariates[covariate]
    prediction, times = predicting(fit), moments_of(m)
    tail = (1 - study.interval) / 2
    with drawing(SINGLE, 3.1) as (figure, ((axes,),)):
        entries, shown = [], []
        for k, level in enumerate(levels):
            colour, marker = COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]
            average = np.stack(
                [prediction.level(outcome, t, "population average", given={covariate: level}) for t in times]
            )
            lower, median, upper = np.quantile(average, [tail, 0.5, 1 - tail], axis=tuple(range(1, average.ndim)))
            axes.fill_between(times, lower, upper, color=colour, alpha=0.2, linewidth=0, label="interval")
            axes.plot(times, median, color=colour, linewidth=1.8, label=f"median {level}")
            who = np.flatnonzero(held == k)
            means = windows(fit, outcome, who) if np.isin(m.patient, who).any() else []
            axes.plot(
                [w.time for w in means], [w.mean for w in means], marker, color=colour, markersize=4, markerfacecolor="white",
                label=f"measured {level}",
            )  # fmt: skip
            entries.append(line(f"{level}, {len(who)} patients", colour, "-", marker, markerfacecolor="white"))
            shown += [lower, upper, np.array([w.mean for w in means])]
        before = shade_before(axes, study, outcome, m)
        axes.set(xlabel=time_label(study), ylabel=outcome_label(study, outcome))
        value_axis(axes, o, np.concatenate(shown), ends=whole_range(o))
        summary = "geometric mean" if o.family.geometric else "mean"
        title(
            figure,
            f"{study.label(outcome)} by {study.covariates[covariate].label or covariate}: population average "
            f"({summary})",
            warning(fit, outcome),
        )
        legend(figure, *entries, band(f"{mass(study)} interval", GREY, 0.3), *before)
        return figure


def tells_apart(study: Study, outcome: str, covariate: str) -> bool:
    """Whether a covariate has levels, is one of patients, and enters an outcome."""
    return covariate in _inside(study, outcome)


def _inside(study: Study, outcome: str) -> list[str]:
    o, known = study.outcomes[outcome], study.covariates
    names = base(study, o.named)
    return [n for n in names if known[n].levels and known[n].varies == "patients" and not known[n].group]


def _levels(fit: Fit, outcome: str, covariate: str) -> tuple[str, ...]:
    """The levels of a covariate by which an outcome may be drawn."""
    inside = _inside(fit.study, outcome)
    if covariate not in inside:
        what = f"does not tell groups of {fit.study.label(outcome)} apart"
        some = f"those that do: {', '.join(inside)}" if inside else "no categorical covariate enters it"
        raise UsageError("covariate", what, f'"{covariate}"', did_you_mean(covariate, inside) or some)
    return tuple(fit.study.covariates[covariate].levels or ())
