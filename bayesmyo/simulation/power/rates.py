"""Numbers over replicates, each with its Monte Carlo standard error.

Formulas: Morris, White and Crowther (2019), https://doi.org/10.1002/sim.8086, table 6.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from bayesmyo.simulation.row import DONE

Array = np.ndarray


@dataclass(frozen=True)
class Rate:
    """A share of replicates.

    Attributes
    ----------
    met, of : int
        How many, of how many.
    value, mcse : float or None
        The share, and its Monte Carlo standard error; None where there are no replicates.
    lower, upper : float or None
        Exact 95 % interval (Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404), which never claims that
        a
        share is 0 or 1 for sure.
    """

    met: int
    of: int
    value: float | None
    mcse: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Mean:
    """A mean over replicates with its Monte Carlo standard error; None where there are too few."""

    value: float | None
    mcse: float | None


def rate(met: Array) -> Rate:
    """The share of True."""
    n, k = len(met), int(np.sum(met))
    if n == 0:
        return Rate(0, 0, None, None, None, None)
    lower = 0.0 if k == 0 else float(stats.beta.ppf(0.025, k, n - k + 1))
    upper = 1.0 if k == n else float(stats.beta.ppf(0.975, k + 1, n - k))
    return Rate(k, n, k / n, float(np.sqrt(k / n * (1 - k / n) / n)), lower, upper)


def mean(values: Array) -> Mean:
    """The mean of finite values."""
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return Mean(None, None)
    return Mean(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None)


def root_mean_square(errors: Array) -> Mean:
    """The root mean square error; its Monte Carlo error is that of the mean square, by the delta method."""
    square = mean(errors**2)
    if square.value is None or square.value == 0:
        return square
    root = float(np.sqrt(square.value))
    return Mean(root, None if square.mcse is None else square.mcse / (2 * root))


def numbers(column: pd.Series) -> Array:
    """A column as floats, NaN where there is nothing."""
    return np.array([np.nan if v is None or v is pd.NA else float(v) for v in column], dtype=float)


def failed_at(stages: pd.Series) -> dict[str, int]:
    """Stage -> how many replicates failed there, from the stage that each reached."""
    return {str(k): int(v) for k, v in stages[stages != DONE].value_counts(sort=False).items()}


def flat(nested: Mapping[str, Any]) -> dict[str, Any]:
    """A nested table in plain columns: `bias` -> `bias_value`, `bias_mcse`; comparators by their names."""
    columns: dict[str, Any] = {}
    for key, value in nested.items():
        columns |= {f"{key}_{k}": v for k, v in flat(value).items()} if isinstance(value, Mapping) else {key: value}
    return columns
