"""Statistics of the data beside the same statistics of replicates, and the verdict on many of them together.

Reference: Gelman, Meng and Stern (1996), Posterior predictive assessment of model fitness via realized discrepancies,
Statistica Sinica 6, 733-760; for several statistics at once Holm (1979), https://www.jstor.org/stable/4615733.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy import special

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.replicated import Replicated, replicated
from bayesmyo.components.numbers import significant
from bayesmyo.inference.fit import Fit

LEVEL = 0.005  # of one check over all its statistics and outcomes
NOTHING: Mapping[str, str] = {}
REACH = 1.959964  # SDs from the middle to the 2.5 % and 97.5 % quantiles of a normal


@dataclass(frozen=True)
class Finding:
    """One statistic of one outcome, of the data and of replicates.

    Attributes
    ----------
    observed : float
        Of the data.
    lower, upper : float
        The middle 95 % of replicates.
    p : float
        Two-sided, of the data among the replicates.
    matters : bool
        Whether the difference is large enough to care.
    misfit : str
        The sentence for the reader where it fails: what was seen, what that looks like, what to try.
    """

    outcome: str
    statistic: str
    observed: float
    lower: float
    upper: float
    p: float
    matters: bool
    misfit: str


@dataclass(frozen=True)
class BesideReplicates:
    """A check of statistics beside those of replicates: the verdict on all that it finds.

    told: what is as predicted where nothing fails ("The share of zeros is")
    none: why nothing was judged; lacking: that is for want of measurements, not because the study has nothing of the
        kind
    """

    name: str = field(init=False)
    told: ClassVar[str]
    none: ClassVar[str] = "no outcome is of a family that this looks at"
    lacking: ClassVar[bool] = False

    def verdict(
        self, fit: Fit, reason: str, said: Sequence[tuple[str, Finding | str]], unjudged: Mapping[str, str] = NOTHING
    ) -> CheckResult:
        """A finding fails if its adjusted p is below the level and the difference matters.

        reason: why nothing is judged, or empty; said: of each outcome or event, a text where something of it is not
            judged; unjudged: why all of it is not
        """
        if reason:
            return CheckResult(self.name, True, f"not judged: {reason}.", unjudged="cannot")
        findings = [one for _, one in said if isinstance(one, Finding)]
        unjudged = dict(unjudged) | {outcome: why for outcome, why in said if isinstance(why, str)}
        left_out = "".join(f" Not judged: {fit.study.label(o)}, {why}." for o, why in unjudged.items())
        if not findings:
            cannot = bool(left_out) or self.lacking
            why = left_out.strip() or f"not judged: {self.none}."
            return CheckResult(self.name, True, why, unjudged="cannot" if cannot else "nothing")
        corrected = adjusted([f.p for f in findings])
        every = sorted(zip(corrected, findings, strict=True), key=lambda pair: pair[1].p)
        rows = tuple(row(f, p) for f, p in zip(findings, corrected, strict=True))
        worst: dict[str, str] = {}
        for p, f in every:
            if p < LEVEL and f.matters:
                worst.setdefault(f.outcome, f.misfit)
        if worst:
            return CheckResult(self.name, False, " ".join(worst.values()) + left_out, rows, tuple(worst), worst)
        p, nearest = every[0]
        among = f"among {len(findings)} such statistics it fails only below an adjusted p of {LEVEL:g}, and has {p:.2g}"
        inside, named = nearest.lower <= nearest.observed <= nearest.upper, fit.study.named
        judged = ", ".join(named[o].label for o in dict.fromkeys(f.outcome for f in findings))
        sentence = (
            f"{self.told} as the model predicts for {judged}; furthest from it: {nearest.statistic} of "
            f"{named[nearest.outcome].label}, {amount(nearest.observed)} where {between(nearest)} is predicted"
            f"{'' if inside else f'; look at it, though {among}'}."
        )
        return CheckResult(self.name, True, sentence + left_out, rows)


@dataclass(frozen=True)
class Predictive(BesideReplicates, ABC):
    """The contract of a check of what the model predicts: what it finds in each outcome, and the verdict on all."""

    @abstractmethod
    def judge(self, fit: Fit, r: Replicated) -> Iterable[Finding | str]:
        """What an outcome shows; a text says why something of it is not judged."""

    def run(self, fit: Fit) -> CheckResult:
        """Judge every outcome of a fit."""
        replicates = replicated(fit)
        said = [(r.outcome, one) for r in replicates.outcomes.values() for one in self.judge(fit, r)]
        return self.verdict(fit, replicates.reason, said, replicates.unjudged)


def tail_probability(data: np.ndarray | float, replicates: np.ndarray) -> float:
    """Two-sided posterior predictive p-value of statistics (draw,) of the data among those of the replicates.

    Where a few hundred replicates are too few to count, their tail is taken as a normal one with the spread of that
    side; where they have no spread at all, the size of the difference alone decides (`Finding.matters`).
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
    outcome: str,
    statistic: str,
    data: np.ndarray | float,
    replicates: np.ndarray,
    matters: bool,
    misfit: str,
    shown: Callable[[float], float] = float,
) -> Finding:
    """A finding from statistics of data and replicates.

    Parameters
    ----------
    data, replicates : ndarray (draw,)
        The statistic; one number stands for one that no draw changes.
    shown : callable
        What turns a statistic into what the reader sees (`np.exp` for a log ratio).
    """
    lower, upper = np.nanquantile(replicates, [0.025, 0.975]) if np.isfinite(replicates).any() else (np.nan, np.nan)
    observed, lower, upper = (float(shown(float(v))) for v in (np.median(data), lower, upper))
    return Finding(outcome, statistic, observed, lower, upper, tail_probability(data, replicates), matters, misfit)


def adjusted(p: Sequence[float]) -> list[float]:
    """Holm's adjustment, in the order given."""
    corrected, largest = [1.0] * len(p), 0.0
    for rank, i in enumerate(np.argsort(p, kind="stable")):
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        corrected[i] = largest
    return corrected


def row(f: Finding, p: float) -> dict[str, Any]:
    kept = {key: value for key, value in asdict(f).items() if key not in ("p", "matters", "misfit")}
    return kept | {"p": p}


def amount(value: float) -> str:
    """A statistic in a sentence: shares and correlations with two decimals, larger numbers with three digits."""
    return f"{value:.2f}" if abs(value) < 10 else significant(value)


def between(f: Finding) -> str:
    return f"{amount(f.lower)} to {amount(f.upper)}"


def span(replicates: np.ndarray, form: str) -> str:
    """The middle 95 % of replicates, each end in a form of numbers such as ".2f"."""
    lower, upper = np.nanquantile(replicates, [0.025, 0.975])
    return f"{lower:{form}} to {upper:{form}}"
