"""Pareto-smoothed importance weights.

Reference: Vehtari et al. (2024), https://www.jmlr.org/papers/v25/19-556.html.
"""

import math

import numpy as np
from arviz_stats.base import array_stats

Array = np.ndarray
FEWEST_IN_TAIL = 5  # draws
LEVEL = 1e-9  # log ratios closer than this are equal


def smoothed(log_ratio: Array) -> tuple[Array, float]:
    """Pareto-smoothed log weights (n,) of finite log ratios (n,), and Pareto k.

    Where the largest ratios are all alike there is no tail to smooth: no single draw can carry the answer, and k is
    minus infinity. It is infinity where there are too few draws for a tail.
    """
    n = len(log_ratio)
    tail = int(3 * n**0.5) if n > 225 else n // 5  # as `psislw` has it
    if tail < FEWEST_IN_TAIL:
        return log_ratio, math.inf
    if np.ptp(np.partition(log_ratio, n - tail)[n - tail :]) < LEVEL:
        return log_ratio, -math.inf
    with np.errstate(all="ignore"):  # weights may be extreme; then they are not trusted
        log_weights, k = array_stats.psislw(-log_ratio)
    return log_weights, float(k)
