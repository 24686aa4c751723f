"""Cells known only to lie between limits: `<20` contributes P(y <= 20), `>2000` P(y >= 2000), `20-40` P(20 <= y <= 40).

Reference: Tobin (1958), https://doi.org/10.2307/1907382. A family gives its log density and the log probabilities
of lying below and above a limit; both functions must be good in their far tails, for an interval is taken in the
nearer.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesmyo.components.families.family import Cells
from bayesmyo.components.families.tails import log1mexp


def log_density(
    cells: Cells,
    density: Callable[[Any], np.ndarray],
    below: Callable[[Any], np.ndarray],
    above: Callable[[Any], np.ndarray],
) -> np.ndarray:
    """Cell by cell, the log density or the log probability of lying between the limits."""
    if cells.low is None:
        return density(cells.value)
    measured = np.asarray(cells.low) == cells.high
    under, over = below(cells.high), above(cells.low)
    larger, smaller = np.where(under < over, (under, below(cells.low)), (over, above(cells.high)))
    with np.errstate(divide="ignore", invalid="ignore"):  # measured cells have no width
        between = larger + np.log(-np.expm1(smaller - larger))
    return np.where(measured, density(cells.value), between)


def observe(
    pm: Any,
    name: str,
    cells: Cells,
    density: Callable[[Any], Any],
    below: Callable[[Any], Any],
    above: Callable[[Any], Any],
) -> Any:
    """The same inside the open PyMC model, as a potential. Infinite limits are replaced before they meet a gradient."""
    pt = pm.math.pt
    low, high = pt.as_tensor(cells.low), pt.as_tensor(cells.high)
    no_low, no_high, measured = pt.isinf(low), pt.isinf(high), pt.eq(low, high)
    low, high = pt.switch(no_low, high, low), pt.switch(no_high, low, high)
    under, over = below(high), above(low)
    nearer = under < over
    larger, smaller = pt.switch(nearer, under, over), pt.switch(nearer, below(low), above(high))
    one_sided = measured | no_low | no_high
    between = larger + log1mexp(pm, pt.switch(one_sided, -1.0, pt.minimum(smaller - larger, -1e-15)))
    censored = pt.switch(no_low, under, pt.switch(no_high, over, between))
    return pm.Potential(name, pt.switch(measured, density(low), censored).sum())
