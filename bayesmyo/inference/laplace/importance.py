"""Importance sampling around a normal approximation, with rounds that learn from those before.

Draws of all rounds are weighted by the deterministic mixture of their proposals, so no round is lost and no weight is
large where any proposal covers. Pareto k of the weights, and the draws that they are worth, say whether the answer can
be believed. Copies of one draw stay beside each other in a chain: the effective number of draws, which counts how far
draws hang together, then sees them for what they are.
References: Owen and Zhou (2000), https://doi.org/10.1080/01621459.2000.10473909; Vehtari et al. (2024),
https://www.jmlr.org/papers/v25/19-556.html.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from bayesmyo.inference.laplace.density import Density
from bayesmyo.inference.laplace.normal import Approximation
from bayesmyo.inference.weights import smoothed

Array = np.ndarray
TAILS, WIDER = 6.0, 1.1  # of the proposal's population parameters
ROUNDS = 4
RELIABLE = 0.7  # Pareto k
ENOUGH = 1 / 2  # effective draws for each that is asked for
LEARNS = 5  # effective draws for each population parameter, before their moments are learnt from


@dataclass(frozen=True, eq=False)
class Weighted:
    """x: (draw, n) vectors; weights: (draw,), which sum to 1; k: Pareto k of the weights; rounds: how many"""

    x: Array
    weights: Array
    k: float
    rounds: int

    @property
    def ess(self) -> float:
        """The independent draws that they are worth."""
        return float(1 / (self.weights**2).sum())

    @property
    def reliable(self) -> bool:
        """Whether Pareto k is low enough, and the draws are worth half a round."""
        return self.k <= RELIABLE and self.ess >= ENOUGH * len(self.x) / self.rounds

    def resampled(self, size: int, rng: np.random.Generator) -> Array:
        """(size, n) draws of equal weight, by systematic resampling, copies beside each other."""
        at = (rng.random() + np.arange(size)) / size
        return np.asarray(self.x[np.minimum(np.searchsorted(np.cumsum(self.weights), at), len(self.x) - 1)])


def rounds(density: Density, about: Approximation, size: int, rng: np.random.Generator) -> Iterator[Weighted]:
    """Weighted draws, so many more in each round, as long as another round may be worth it."""
    proposals: list[Approximation] = []
    x, logs = np.empty((0, len(density.start))), np.empty(0)
    while len(proposals) < ROUNDS:
        proposals.append(about)
        new = about.draws(size, rng, TAILS, WIDER)
        x, logs = np.concatenate([x, new]), np.concatenate([logs, density.log(new)])
        mixture = logsumexp([p.log_density(x, TAILS, WIDER) for p in proposals], axis=0)
        log_weights = logs - mixture
        if np.isfinite(log_weights).sum() < size / 2:
            return
        smooth, k = smoothed(log_weights)
        weights = np.exp(smooth - logsumexp(smooth))
        if not (k < np.inf and np.isfinite(weights).all()):
            return
        result = Weighted(x, weights, k, len(proposals))
        yield result
        if result.ess < LEARNS * len(about.m):
            return
        try:
            about = _learnt(about, result)
        except np.linalg.LinAlgError:  # draws of weight lie in a plane
            return


def _learnt(about: Approximation, known: Weighted) -> Approximation:
    """The approximation with the mean and the covariance of the parameters that weighted draws have."""
    theta = known.x[:, about.density.population]
    m = known.weights @ theta
    covariance = (theta - m).T @ ((theta - m) * known.weights[:, None])
    c = about.c - np.einsum("ikd,d->ik", about.slopes, m - about.m)
    return replace(about, m=m, root=np.linalg.cholesky(covariance), c=c)
