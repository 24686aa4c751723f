"""Draws of which a report alone makes numbers: parameters in clinical units, times, curves."""

import math
from collections.abc import Callable

import numpy as np

from bayesmyo.assess import diagnostics
from bayesmyo.components.numbers import Number, interval_errors
from bayesmyo.report.numbers import number


def quantiles(
    draws: np.ndarray, interval: float, error: Callable[[np.ndarray, float], float] | None = None
) -> tuple[Number, Number, Number]:
    """Lower end, median and upper end of (chain, draw) values; `error`: of a quantile of draws that are in no
    chains."""
    tail = (1 - interval) / 2
    at = (tail, 0.5, 1 - tail)
    errors = interval_errors(*([error(draws, q) for q in at] if error else quantile_errors(draws, at)))
    lower, median, upper = map(number, (float(q) for q in np.quantile(draws, at)), errors)
    return lower, median, upper


def quantile_errors(draws: np.ndarray, at: tuple[float, ...]) -> list[float]:
    """Monte Carlo errors of quantiles of (chain, draw) values (Vehtari et al. 2021, https://doi.org/10.1214/20-BA1221);
    0 where there is none, because every draw is the same, or where it cannot be known."""
    (errors,) = diagnostics.quantile_errors({"": draws}, at).values()
    return [e if math.isfinite(e) else 0.0 for e in errors]
