"""Statistics of the data beside the same statistics of replicates, and the verdict on many of them together.

Reference: Gelman, Meng and Stern (1996), Posterior predictive assessment of model fitness via realized discrepancies,
Statistica Sinica 6, 733-760; for several statistics at once Holm (1979), https://www.jstor.org/stable/4615733.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.replicated import Replicates
from bayesmyo.components.numbers import significant
from bayesmyo.inference.fit import Fit

LEVEL = 0.005  # of one check over all its statistics and outcomes
REACH = 1.959964  # SDs from the middle to the 2.5 % and 97.5 % quantiles of a normal


@dataclass(frozen=True)
class Finding:
    """One statistic of one outcome: of the data, and the middle 95 % of replicates.

    p: two-sided, of the data among the replicates; matters: whether the difference is large enough to care
    misfit: the sentence for the reader where it fails: what was seen, what that looks like, what to try
    """

    outcome: str
    statistic: str
    observed: float
    lower: float
    upper: float
    p: float
    matters: bool
    misfit: str


def tail_probability(data: np.ndarray | float, replicates: np.ndarray) -> float:
    """Two-sided posterior predictive p-value of statistics (draw,) of the data among those of the replicates.

    Where a few hundred replicates are too few to count, their tail is taken as a normal one with the spread of that side; where
    they have no spread at all, the size of the difference alone decides (`Finding.matters`).
    """
    difference = np.asarray(replicates) - data
    difference = difference[np.isfinite(difference)]
    if len(difference) < 20:
        return 1.0
    ties = np.sum(difference == 0) / 2
    above, below = np.sum(difference > 0) + ties, np.sum(difference < 0) + ties
    counted = float(min(1.0, 2 * (min(above, below) + 1) / (len(difference) + 1)))
    lower, middle, upper = np.quantile(difference, [0.025, 0.5, 0.975])
    scale = ((middle - lower) if middle > 0 else (upper - middle)) / REACH
    if counted > 0.05:
        return counted
    if scale <= 0:  # replicates that are all alike: none comes near
        return 0.0 if above == 0 or below == 0 else counted
    return min(counted, float(2 * special.ndtr(-abs(middle) / scale)))


def finding(
    outcome: str, statistic: str, data: np.ndarray | float, replicates: np.ndarray, matters: bool, misfit: str,
    shown: Callable[[float], float] = float,
) -> Finding:  # fmt: skip
    """A finding from statistics (draw,) of data and replicates; one number stands for a statistic that no draw changes.

    shown: what turns a statistic into what the reader sees (`np.exp` for a log ratio)
    """
    lower, upper = np.nanquantile(replicates, [0.025, 0.975]) if np.isfinite(replicates).any() else (np.nan, np.nan)
    observed, lower, upper = (float(shown(float(v))) for v in (np.median(data), lower, upper))
    return Finding(outcome, statistic, observed, lower, upper, tail_probability(data, replicates), matters, misfit)


def adjusted(p: Sequence[float]) -> list[float]:
    """Holm's adjustment, in the order given."""
    found, largest = [1.0] * len(p), 0.0
    for rank, i in enumerate(np.argsort(p, kind="stable")):
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        found[i] = largest
    return found


def verdict(
    name: str, subject: str, fit: Fit, replicates: Replicates, findings: Sequence[Finding], level: float = LEVEL,
    unjudged: dict[str, str] | None = None, none: str = "no outcome is of a family that this looks at",
    lacking: bool = False,
) -> CheckResult:  # fmt: skip
    """The result of a check. A finding fails if its adjusted p is below the level and the difference matters.

    subject: what is as predicted where nothing fails ("The share of zeros"); none: why nothing was judged; lacking: that is for want of
    measurements, not because the study has nothing of the kind
    """
    if replicates.reason:
        return CheckResult(name, True, f"not judged: {replicates.reason}.", unjudged="cannot")
    missing = dict(replicates.unjudged) | (unjudged or {})
    left_out = "".join(f" Not judged: {fit.study.label(o)}, {why}." for o, why in missing.items())
    if not findings and left_out:
        return CheckResult(name, True, left_out.strip(), unjudged="cannot")
    if not findings:
        return CheckResult(name, True, f"not judged: {none}.", unjudged="cannot" if lacking else "nothing")
    corrected = adjusted([f.p for f in findings])
    wrong = [(p, f) for p, f in zip(corrected, findings, strict=True) if p < level and f.matters]
    worst: dict[str, Finding] = {}
    for _, f in sorted(wrong, key=lambda pair: pair[1].p):
        worst.setdefault(f.outcome, f)
    rows = tuple(row(f, p) for f, p in zip(findings, corrected, strict=True))
    if worst:
        said = {outcome: f.misfit for outcome, f in worst.items()}
        return CheckResult(name, False, " ".join(said.values()) + left_out, rows, tuple(worst), said)
    p, nearest = min(zip(corrected, findings, strict=True), key=lambda pair: pair[1].p)
    outside = not nearest.lower <= nearest.observed <= nearest.upper
    look = (
        f"; look at it, though among {len(findings)} such statistics it fails only below an adjusted p of {level:g}, and has {p:.2g}"
        if outside
        else ""
    )
    named = fit.study.named
    judged = ", ".join(named[o].label for o in dict.fromkeys(f.outcome for f in findings))
    sentence = (
        f"{subject} as the model predicts for {judged}; furthest from it: {nearest.statistic} of "
        f"{named[nearest.outcome].label}, {amount(nearest.observed)} where {between(nearest)} is predicted{look}."
    )
    return CheckResult(name, True, sentence + left_out, rows)


def row(f: Finding, p: float) -> dict[str, Any]:
    return {
        "outcome": f.outcome, "statistic": f.statistic, "observed": f.observed, "lower": f.lower, "upper": f.upper, "p": p,
    }  # fmt: skip


def amount(value: float) -> str:
    """A statistic in a sentence: shares and correlations with two decimals, larger numbers with three digits."""
    return f"{value:.2f}" if abs(value) < 10 else significant(value)


def between(f: Finding) -> str:
    return f"{amount(f.lower)} to {amount(f.upper)}"


def span(replicates: np.ndarray, form: str) -> str:
    """The middle 95 % of replicates, each end in a form of numbers such as ".2f"."""
    lower, upper = np.nanquantile(replicates, [0.025, 0.975])
    return f"{lower:{form}} to {upper:{form}}"
