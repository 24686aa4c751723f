"""Numbers over replicates, each with its Monte Carlo standard error.

Formulas: Morris, White and Crowther (2019), https://doi.org/10.1002/sim.8086, table 6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from bayesmyo.simulation.row import DONE

Array = np.ndarray
SEED, DRAWS = 2001, 4_000  # of what counts leave possible


class Labelled:
    """A row of an answer, which begins with the labels of its cell."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        columns = asdict(self)
        return {**columns.pop("labels"), **columns}


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


def among(
    weights: Sequence[float], made: Sequence[Array], right: Sequence[Array], certain: Sequence[bool | None] = ()
) -> Rate:
    """The share of right ones among those that were made, over scenarios with weights.

    Of one scenario it is the exact share of those. Of several the Monte Carlo error is that of a ratio (delta method),
    and the interval the middle 95 % of what the counts leave possible under Jeffreys' priors
    (Brown, Cai and DasGupta 2001, https://doi.org/10.1214/ss/1009213286): where few were made, a normal interval would
    claim too much.

    Parameters
    ----------
    weights : sequence of float
        Of the scenarios; they add up to one.
    made, right : sequence of ndarray (replicate,)
        Whether each replicate of a scenario is of that kind, and whether it is right.
    certain : sequence of bool or None
        Whether all (True) or none (False) of a scenario are right, whatever was made; None where that is not known.

    Returns
    -------
    Rate
        `met` and `of` are counts without weights.
    """
    if len(made) == 1:
        r, sure = rate(right[0][made[0]]), certain[0] if certain else None
        return r if sure is None or not r.of else replace(r, lower=float(sure), upper=float(sure))
    w, done = np.array(weights), np.array([len(m) for m in made])
    k, both = (
        np.array([np.sum(x) for x in listed]) for listed in (made, [m & r for m, r in zip(made, right, strict=True)])
    )
    if not k.sum():
        return Rate(0, 0, None, None, None, None)
    total = float((w * k / done).sum())
    value = float((w * both / done).sum()) / total
    # a replicate that was made misses the ratio by 1 - value if it is right, else by -value; others by nothing
    square = (both * (1 - value) ** 2 + (k - both) * value**2) / done
    variance = w**2 * (square - ((both - value * k) / done) ** 2) / done
    rng = np.random.default_rng(SEED)
    shares = np.where(k < done, rng.beta(k + 0.5, done - k + 0.5, (DRAWS, len(k))), 1.0)
    correct = rng.beta(both + 0.5, k - both + 0.5, (DRAWS, len(k)))
    for i, sure in enumerate(certain):
        correct[:, i] = correct[:, i] if sure is None else float(sure)
    lower, upper = np.quantile((shares * w * correct).sum(axis=1) / (shares * w).sum(axis=1), [0.025, 0.975])
    counts, error = (int(both.sum()), int(k.sum())), float(np.sqrt(variance.sum())) / total
    return Rate(*counts, value, error, min(float(lower), value), max(float(upper), value))


def mean_among(weights: Sequence[float], made: Sequence[Array], values: Sequence[Array]) -> Mean:
    """The mean of those that were made, over scenarios with weights; its error is that of a ratio (delta method)."""
    if len(made) == 1:
        return mean(values[0][made[0]])
    kept = [m & np.isfinite(v) for m, v in zip(made, values, strict=True)]
    total = sum(w * m.mean() for w, m in zip(weights, kept, strict=True))
    if not total:
        return Mean(None, None)
    sums = [np.where(m, v, 0.0) for m, v in zip(kept, values, strict=True)]
    value = sum(w * s.mean() for w, s in zip(weights, sums, strict=True)) / total
    missed = [np.where(m, v - value, 0.0) for m, v in zip(kept, values, strict=True)]
    if min(map(len, missed)) < 2:
        return Mean(float(value), None)
    variance = sum(w**2 * r.var(ddof=1) / len(r) for w, r in zip(weights, missed, strict=True))
    return Mean(float(value), float(np.sqrt(variance) / total))


def opposite(r: Rate) -> Rate:
    """The share of the others."""
    if r.value is None or r.lower is None or r.upper is None:
        return r
    return Rate(r.of - r.met, r.of, 1 - r.value, r.mcse, 1 - r.upper, 1 - r.lower)


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
