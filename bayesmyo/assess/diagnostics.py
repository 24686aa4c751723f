"""Monte Carlo errors of what is reported, beside R-hat and effective sample sizes (`inference/diagnostics.py`).

Reference: Vehtari, Gelman, Simpson, Carpenter and Burkner (2021), https://doi.org/10.1214/20-BA1221.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from arviz_stats.base import array_stats

from bayesmyo.inference.diagnostics import Diagnostics, diagnose

BATCHES, NAN = 10, float("nan")


def quantile_errors(quantities: Mapping[str, np.ndarray], probabilities: Sequence[float]) -> dict[str, list[float]]:
    """Monte Carlo standard errors of quantiles of (chain, draw) quantities by name; NaN where `diagnose` gives NaN."""

    def errors(draws: np.ndarray) -> list[float]:
        moving = _moving(draws)
        return [
            abs(float(array_stats.mcse(draws, method="quantile", prob=p))) if moving else NAN for p in probabilities
        ]

    return {name: errors(np.asarray(q, dtype=float)) for name, q in quantities.items()}


def sd_error(draws: np.ndarray) -> float:
    """The Monte Carlo standard error of the SD of (chain, draw) draws."""
    return float(array_stats.mcse(draws, method="sd")) if _moving(draws) else NAN


def _moving(draws: np.ndarray) -> bool:
    return bool(np.isfinite(draws).all() and draws.max() > draws.min())


def bfmi(energy: np.ndarray) -> np.ndarray:
    """(chain,) energy Bayesian fraction of missing information (Betancourt 2016)."""
    return np.asarray(array_stats.bfmi(energy))


def batch_error(statistic: Callable[[np.ndarray], float], draws: np.ndarray) -> float:
    """The Monte Carlo standard error of any statistic of draws, from ten stretches of them (batch means).

    Parameters
    ----------
    statistic : callable
        Draws -> a number.
    draws : ndarray
        (chain, draw), or chains one after another.

    Returns
    -------
    float
        NaN where there are fewer than 40 draws.

    References
    ----------
    Geyer (1992), https://doi.org/10.1214/ss/1177011137
    """
    flat = np.asarray(draws).reshape(-1)
    if len(flat) < 4 * BATCHES:
        return NAN
    each = [statistic(part) for part in np.array_split(flat, BATCHES)]
    return float(np.std(each, ddof=1) / np.sqrt(BATCHES))


def shift(draws: np.ndarray, other: np.ndarray) -> float:
    """How far the median of others lies from that of the draws, in their SDs (half the central 68 %)."""
    low, high = np.quantile(draws, [0.16, 0.84])
    moved = float(np.median(other) - np.median(draws))
    return moved / float((high - low) / 2) if high > low else 0.0


__all__ = ["Diagnostics", "batch_error", "bfmi", "diagnose", "quantile_errors", "sd_error", "shift"]
