"""How far the empirical distribution of uniform numbers may be from the diagonal, everywhere at once.

Reference: Säilynoja, Bürkner and Vehtari (2022), https://doi.org/10.1007/s11222-022-10090-6, whose recursion over the
counts gives the simultaneous coverage of pointwise binomial intervals exactly; nothing is simulated.
"""

from functools import lru_cache

import numpy as np
from scipy import stats

Array = np.ndarray
POINTS = 100  # at most


@lru_cache(maxsize=32)
def envelope(n: int, probability: float = 0.95, points: int = POINTS) -> tuple[Array, Array, Array]:
    """Where the empirical distribution of uniform numbers lies, everywhere at once.

    Parameters
    ----------
    n : int
        How many numbers.
    probability : float
        Of lying inside at all places.
    points : int
        How many places, at most.

    Returns
    -------
    (points,) arrays
        Places z, and the lower and upper share there. Subtract z for the plot of differences.
    """
    z = np.arange(1, min(points, n) + 1) / min(points, n)
    low, high = 0.0, 1 - probability  # of the pointwise error: Bonferroni's is too small, the whole too large
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if coverage(n, z, *_limits(n, z, middle)) >= probability else (low, middle)
    lower, upper = _limits(n, z, low)
    return z, lower / n, upper / n


def _limits(n: int, z: Array, error: float) -> tuple[Array, Array]:
    """(points,) the counts below each place between which all but `error` of the binomial distribution lies."""
    return stats.binom.ppf(error / 2, n, z), stats.binom.ppf(1 - error / 2, n, z)


def coverage(n: int, z: Array, lower: Array, upper: Array) -> float:
    """The probability that the counts of n uniform numbers below z[i] lie in lower[i]..upper[i], all of them."""
    at, mass, before = np.array([0]), np.array([1.0]), 0.0
    for place, least, most in zip(z, lower, upper, strict=True):
        counts = np.arange(max(int(least), 0), int(most) + 1)
        share = min((place - before) / (1 - before), 1.0) if before < 1 else 0.0
        more = counts[:, None] - at[None, :]
        chance = np.where(more >= 0, stats.binom.pmf(np.maximum(more, 0), (n - at)[None, :], share), 0.0)
        at, mass, before = counts, chance @ mass, float(place)
    return float(mass.sum())
