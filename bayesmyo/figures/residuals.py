"""Residuals around patients' own curves: over time, and from one visit to the next."""

import numpy as np

from bayesmyo.assess.checks.moments import mean
from bayesmyo.assess.checks.time_course import stretches
from bayesmyo.assess.replicated import Replicated
from bayesmyo.figures.axes import time_label
from bayesmyo.figures.colours import BLACK, BLUE, GREY
from bayesmyo.figures.parts import judged, shade_before
from bayesmyo.figures.style import DOUBLE, Drawing, band, drawing, legend, line, title
from bayesmyo.inference.fit import Fit

LAGS = 5
PAIRS = 20  # of residuals, at least, from which a correlation is drawn


def residuals(fit: Fit, outcome: str) -> Drawing:
    """Left: each measurement's residual in SDs over time, with the mean of each stretch over the band predicted for
    it.

    Right: how residuals of one patient correlate with those some visits later, over the band predicted.

    Residuals are around the curve of each draw, for the data as for the replicates (the check of dependence does the
    same); a dot is the median over draws. A misfit: means that wander off their band (a wrong curve), a fan (a wrong
    family), or correlations above their band (a patient's measurements drift together, and intervals are too narrow).

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
        For an unknown outcome, or where replicates cannot be had.

    """
    r, study = judged(fit, outcome), fit.study
    cells = stretches(study, r)
    with drawing(DOUBLE, 2.9, 1, 2, width_ratios=[1.7, 1]) as (figure, ((over, lagged),)):
        with np.errstate(all="ignore"):
            there = np.isfinite(r.residual).any(axis=0)
            size = np.median(np.where(np.isfinite(r.residual), r.residual, 0.0)[:, there], axis=0)
        over.axhline(0, color=GREY, linewidth=0.6, zorder=1)
        small = {"markersize": 2.2, "markerfacecolor": "none", "markeredgewidth": 0.5}
        over.plot(r.time[there], size, "o", color=GREY, label="residuals", **small)
        middle = [float(np.median(r.time[c])) for c in cells]
        for c in cells:
            low, high = np.quantile(mean(r.expected[:, c]), [0.025, 0.975])
            span = [float(r.time[c].min()), float(r.time[c].max())]
            edge = {"edgecolor": BLUE, "linewidth": 0.8}
            over.fill_between(span, low, high, facecolor=BLUE, alpha=0.4, zorder=3, label="band", **edge)
        observed = [float(np.median(mean(r.residual[:, c]))) for c in cells]
        white = {"markersize": 3.5, "markerfacecolor": "white"}
        over.plot(middle, observed, "D-", color=BLACK, linewidth=0.9, zorder=4, label="means", **white)
        before = shade_before(over, study, outcome, fit.cohort.measurements[outcome])
        reach = max(3.2, 1.1 * float(np.abs(size).max(initial=0.0)))
        over.set(xlabel=time_label(study), ylabel="Residual (SD)", ylim=(-reach, reach))
        lags, measured, lower, upper = correlations(r)
        lagged.axhline(0, color=GREY, linewidth=0.6, zorder=1)
        lagged.vlines(lags, lower, upper, color=BLUE, alpha=0.5, linewidth=6, label="band")
        lagged.plot(lags, measured, "D", color=BLACK, markersize=4, markerfacecolor="white", label="correlations")
        extent = max(0.5, *(1.1 * np.abs(v) for v in (*measured, *lower, *upper)))
        lagged.set(xlabel="Visits apart", ylabel="Correlation of residuals", ylim=(-extent, extent))
        lagged.set(xlim=(0.4, LAGS + 0.6), xticks=range(1, LAGS + 1))
        title(figure, f"{study.label(outcome)}: residuals around patients' own curves")
        legend(
            figure,
            line("each measurement", GREY, "none", "o", markerfacecolor="none"),
            line("mean of a stretch of time, or correlation", BLACK, "-", "D", markerfacecolor="white"),
            band("predicted, 95 %", BLUE, 0.45),
            *before,
            columns=3,
        )
        return figure


def correlations(r: Replicated) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Visits apart, the median correlation over draws, and the middle 95 % of that of replicates; where there are pairs
    enough."""
    rows = []
    for lag in range(1, LAGS + 1):
        if pairs(r, lag) >= PAIRS:
            lower, upper = np.quantile(later(r, r.expected, lag), [0.025, 0.975])
            rows.append((float(lag), float(np.median(later(r, r.residual, lag))), float(lower), float(upper)))
    lags, middle, lower, upper = np.array(rows).reshape(-1, 4).T
    return lags, middle, lower, upper


def pairs(r: Replicated, lag: int) -> int:
    patient = r.patient[np.lexsort((r.time, r.patient))]
    return int(np.sum(patient[lag:] == patient[:-lag]))


def later(r: Replicated, z: np.ndarray, lag: int) -> np.ndarray:
    """(draw,) correlation of residuals with the patient's own some visits later; one later as
    `dependence.neighbours`."""
    order = np.lexsort((r.time, r.patient))
    z, patient = z[:, order], r.patient[order]
    same = patient[lag:] == patient[:-lag]
    product = np.where(same, z[:, lag:] * z[:, :-lag], np.nan)
    return mean(product) / np.maximum(mean(z**2), 1e-12)
