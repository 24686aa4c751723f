"""Would each measurement have been foreseen from all the others?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from arviz_stats.base import array_stats

from bayesmyo.assess.checks.findings import Finding, Predictive
from bayesmyo.assess.checks.moments import subject
from bayesmyo.assess.checks.remedies import wider
from bayesmyo.assess.replicated import Replicated, Replicates, replicated
from bayesmyo.inference.fit import Fit, log_likelihood
from bayesmyo.inference.weights import smoothed
from bayesmyo.seeds import PREDICT, address


@dataclass(frozen=True)
class LeftOut(Predictive):
    """Uniformity of the leave-one-out probability integral transform: where each measurement lies in its prediction.

    Leaving out is Pareto-smoothed importance sampling on the log-likelihood of each measurement; ties are broken at
    random, so that counts and grades are judged alike; the test is pointwise, combined over order statistics
    (`arviz_stats.uniformity_test`). An outcome in which too many measurements cannot be left out is not judged.
    unreliable: share of measurements with a high Pareto k up to which it is judged; distance: from uniform that matters

    References
    ----------
    Vehtari et al. (2017), https://doi.org/10.1007/s11222-016-9696-4; Säilynoja et al. (2022),
    https://doi.org/10.1007/s11222-022-10090-6
    """

    name: str = "leave-one-out prediction"
    unreliable: float = 0.1
    distance: float = 0.08
    told: ClassVar[str] = "Places of measurements in their predictions from all others are"

    def judge(self, fit: Fit, r: Replicated) -> Iterator[Finding | str]:
        replicates = replicated(fit)
        position = [*replicates.outcomes].index(r.outcome)
        pit, high = transform(fit, replicates, r, address(fit.seed, PREDICT, cell=3, replicate=position))
        if high > self.unreliable:
            k = f"Pareto k above {limit(replicates):.2f}"
            yield f"{high:.0%} of its measurements decide too much to be left out ({k})"
        else:
            yield self._uniform(fit, r, pit)

    def _uniform(self, fit: Fit, r: Replicated, pit: np.ndarray) -> Finding:
        p = float(np.asarray(array_stats.uniformity_test(pit, method="pot_c")[0]))
        ordered, n = np.sort(pit), len(pit)
        apart = float(np.abs(ordered - (np.arange(1, n + 1) - 0.5) / n).max())
        lower, middle = float(np.mean(pit < 0.5)), float(np.mean((pit > 0.25) & (pit < 0.75)))
        wide = wider(fit.study.outcomes[r.outcome].family, "more effects")
        inside = "lie in the middle half of their prediction"
        ordered_at = np.arange(1, n + 1) / n
        reach = float(1.36 / np.sqrt(n))  # 95 % of uniform samples are as close (Kolmogorov)
        if middle < 0.5 - self.distance:
            remedy = wide or "more effects"
            seen = f"only {middle:.0%} {inside}: predictions are too narrow; try {remedy}"
        elif middle > 0.5 + self.distance:
            seen = (
                f"{middle:.0%} {inside}: predictions are too wide for most, as where a few lie "
                f"far off: see time course and variance; if both pass, try {wide or 'another family'}"
            )
        elif abs(lower - 0.5) > self.distance / 2:
            seen = (
                f"{lower:.0%} lie below the middle of their prediction: predictions are too "
                f"{'high' if lower > 0.5 else 'low'} for most; see time course; if it passes, try another family"
            )
        else:
            most = int(np.abs(ordered_at - ordered).argmax())
            seen = (
                f"{ordered_at[most]:.0%} lie in the lowest {ordered[most]:.0%} of their prediction, which is neither "
                "too high nor too wide as a whole: its form is wrong; try another family"
            )
        misfit = f"Of the measurements of {subject(fit.study, r.outcome)}, each predicted from all others, {seen}."
        return Finding(r.outcome, "distance from uniform", apart, 0.0, reach, p, apart > self.distance, misfit)


def limit(replicates: Replicates) -> float:
    """The largest Pareto k that so many draws can smooth (Vehtari et al. 2024)."""
    return float(min(0.7, 1 - 1 / np.log10(len(replicates.chosen))))


def transform(fit: Fit, replicates: Replicates, r: Replicated, seed: int) -> tuple[np.ndarray, float]:
    """Where each measurement lies in its prediction from all others.

    Returns
    -------
    ndarray (n,)
        The leave-one-out transform, uniform between 0 and 1 where the model is right; ties are broken at random.
    float
        The share of measurements with a high Pareto k, which cannot be left out.
    """
    chosen = fit.truth.take(replicates.chosen)
    log = log_likelihood(fit.study, fit.cohort, chosen, r.outcome)[:, r.cell].T
    if not np.isfinite(log).all():
        return np.full(len(r), np.nan), 1.0
    rows = [smoothed(-one) for one in log]
    weights, k = np.stack([w for w, _ in rows]), np.array([k for _, k in rows])
    weights = np.exp(weights - weights.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    places = (r.y[:, None] > r.drawn.T, r.y[:, None] == r.drawn.T)
    below, tied = (np.where(there, weights, 0.0).sum(axis=-1) for there in places)
    one = 1 / len(replicates.chosen)  # the measurement counts as one more draw: never beyond all of them
    u = np.random.default_rng(seed).random(len(r))
    return (below + u * (tied + one)) / (1 + one), float(np.mean(~(k <= limit(replicates))))
