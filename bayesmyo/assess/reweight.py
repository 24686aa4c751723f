"""Draws of one posterior made draws of another, by Pareto-smoothed importance weights."""

import math

import numpy as np
from scipy.special import logsumexp

from bayesmyo.inference.weights import smoothed

Array = np.ndarray
MOST = 1000  # draws whose weights need a patient's effects integrated out
FEWEST = 100  # draws
TRUSTED = 0.7  # Pareto k


def evenly(size: int, most: int) -> Array:
    """Positions of at most so many of `size` draws, evenly spread over all of them."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))


def reweight(log_ratio: Array) -> tuple[Array, Array, float]:
    """Draws of one distribution made draws of another.

    Parameters
    ----------
    log_ratio : ndarray (n,)
        By how much the log density of the other is higher at each draw, up to a constant.

    Returns
    -------
    ndarray (n,)
        Positions of draws, resampled in proportion to Pareto-smoothed weights.
    ndarray (n,)
        The weights, which add up to one.
    float
        Pareto k: above 0.7 neither is to be trusted; minus infinity where the two distributions are the same, infinity
        where a weight is not finite or there are too few draws to know.

    References
    ----------
    Vehtari et al. (2024), https://www.jmlr.org/papers/v25/19-556.html
    """
    n = len(log_ratio)
    same = np.arange(n), np.full(n, 1 / n)
    if not np.isfinite(log_ratio).all():
        return *same, math.inf
    if np.ptp(log_ratio) == 0:
        return *same, -math.inf
    if n < FEWEST:
        return *same, math.inf
    log_weights, k = smoothed(log_ratio)
    weights = np.exp(log_weights - logsumexp(log_weights))
    if not (np.isfinite(k) and np.isfinite(weights).all()):
        return *same, math.inf
    at = (np.arange(n) + 0.5) / n
    return np.minimum(np.searchsorted(np.cumsum(weights), at), n - 1), weights, float(k)
