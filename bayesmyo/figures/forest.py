"""One estimand in each group of patients, beside that of all: a forest."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes

from bayesmyo.assess.check import failed
from bayesmyo.assess.claims import claims
from bayesmyo.assess.estimate import Estimate
from bayesmyo.assess.sensitivity import prior_sensitivities
from bayesmyo.components.estimands import Estimand
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.figures.axes import log_ticks
from bayesmyo.figures.colours import BLACK, BLUE, GREY, VERMILLION
from bayesmyo.figures.groups import tells_apart
from bayesmyo.figures.parts import mass
from bayesmyo.figures.style import DOUBLE, SMALL, Drawing, drawing, legend, line, title
from bayesmyo.inference.fit import Fit
from bayesmyo.study import describe
from bayesmyo.study.study import Study

ALL = "All patients"


def forest(fit: Fit, estimand: str = "") -> Drawing:
    """An estimand for all patients, and with all of them as if they were of one group, for each group that its
    outcomes know: median and 95 % (the study's) interval, with its numbers.

    Groups are the levels of categorical covariates of patients that enter an outcome of the estimand. Patients are
    otherwise as they are, so that groups differ in nothing else. What is not to be reported has no number, only the
    word "withheld". That intervals overlap does not say that groups are alike: ask for the contrast.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    estimand : str
        Its name in the study (default: the first that has groups).

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        For an unknown estimand, and one that no categorical covariate tells apart.
    StorageError
        For a shared copy.

    """
    study = fit.study
    known = grouped(study)
    if estimand and estimand not in study.estimands:
        mend = did_you_mean(estimand, list(study.estimands))
        raise UsageError("estimand", "is not in this study", f'"{estimand}"', mend)
    name = estimand or next(iter(known), "")
    if name not in known:
        mend = (
            f"those that have: {', '.join(known)}"
            if known
            else "no categorical covariate of patients enters an outcome"
        )
        raise UsageError("estimand", "has no groups of patients", f'"{name}"', mend)
    rows = _rows(fit, name, known[name])
    members = {(c, level): int(np.sum(fit.cohort.covariates[c] == k)) for c, level, k in known[name]}
    with drawing(DOUBLE, 0.23 * len(_lines(known[name])) + 1.45) as (figure, ((axes,),)):
        labels = _draw(axes, fit, rows, known[name], members)
        axes.set_yticks(range(len(labels)), labels)
        e = study.estimands[name]
        if e.no_effect is not None:
            axes.axvline(e.no_effect, color=GREY, linewidth=0.8, linestyle=":", zorder=0)
        axes.set(ylim=(len(labels) - 0.4, -0.6), xlabel=next(iter(rows.values())).unit)
        axes.tick_params(axis="y", length=0)
        if e.relative and all(r.lower > 0 for r in rows.values() if not r.withheld):
            axes.set_xscale("log")
            log_ticks(axes.xaxis)
        text = describe.number(study, e).removeprefix("the ")
        title(figure, textwrap.shorten(f"{text[:1].upper()}{text[1:]}, {e.whom}", 200))
        entries = [line(f"median and {mass(study)} interval", BLUE, "-", "o", markerfacecolor="white")]
        no_effect = [line("no effect", GREY, ":", width=0.8)] if e.no_effect is not None else []
        legend(figure, *entries, *no_effect, columns=3)
        return figure


Group = tuple[str, str, int]  # covariate, level and its position


def grouped(study: Study) -> dict[str, list[Group]]:
    """The groups of each estimand that has any: of covariates of which it does not speak itself."""
    known = {}
    for name, e in study.estimands.items():
        named = {*e.given, *([e.contrast.covariate] if e.contrast else [])}
        own = [c for c in study.covariates if c not in named and _tells(study, e, c)]
        if own:
            known[name] = [(c, level, k) for c in own for k, level in enumerate(study.covariates[c].levels or ())]
    return known


def _tells(study: Study, e: Estimand, covariate: str) -> bool:
    return any(o in study.outcomes and tells_apart(study, o, covariate) for o in e.outcomes)


def _rows(fit: Fit, name: str, groups: Sequence[Group]) -> dict[tuple[str, str], Estimate]:
    """What may be said of all, under ("", ""), and of each group by covariate and level."""
    e = fit.study.estimands[name]
    keys = [("", ""), *((c, level) for c, level, _ in groups)]
    asked = {f"in_group_{k}": replace(e, given={**e.given, c: level}) if c else e for k, (c, level) in enumerate(keys)}
    later = fit.asking(replace(fit.study, estimands=asked, decisions={}, text=""))
    said = claims(later, failed(fit), prior_sensitivities(later, always=False)).estimates
    return dict(zip(keys, said, strict=True))


def _lines(groups: Sequence[Group]) -> list[tuple[str, str]]:
    """Rows from the top: all, then each covariate as a heading (with no level) above its levels."""
    lines = [("", "")]
    for c, level, _ in groups:
        if (c, "") not in lines:
            lines.append((c, ""))
        lines.append((c, level))
    return lines


def _draw(
    axes: Axes,
    fit: Fit,
    rows: dict[tuple[str, str], Estimate],
    groups: Sequence[Group],
    members: dict[tuple[str, str], int],
) -> list[str]:
    """Every row, and the labels of all from the top."""
    labels = []
    for y, (covariate, level) in enumerate(_lines(groups)):
        if covariate and not level:
            labels.append(f"{fit.study.covariates[covariate].label or covariate}:")
            continue
        r = rows[covariate, level]
        labels.append(
            f"    {level} (n = {members[covariate, level]})" if covariate else f"{ALL} (n = {len(fit.cohort)})"
        )
        color, marker = (BLUE, "o") if covariate else (BLACK, "D")
        if r.withheld:
            axes.text(
                1.02, y, "withheld", transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL, color=VERMILLION
            )
            continue
        axes.hlines(y, r.lower, r.upper, color=color, linewidth=1.2, label="interval")
        axes.plot([r.median], [y], marker, color=color, markersize=4.5, markerfacecolor="white", label="median")
        lower, median, upper = r.numbers
        text = f"{median} ({lower} to {upper})"
        axes.text(1.02, y, text, transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL)
    return labels
