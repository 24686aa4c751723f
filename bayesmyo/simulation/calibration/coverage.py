"""How often intervals cover the truth, and how far off estimates are on average: of one quantity, over replicates."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmyo.simulation.power.rates import Mean, Rate, mean, numbers, rate

LEVELS = (0.5, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Coverage:
    """How often intervals of one quantity cover its truth.

    Attributes
    ----------
    levels : dict of float to Rate
        Mass of a central interval -> the share of replicates in which it covers the truth, from the ranks where there
        are any.
    stated : Rate
        That of the study's own interval.
    bias : Mean
        Posterior mean less truth, averaged: zero for a calibrated model over its priors.
    error : Mean
        Its square in posterior variances, 1 or so.
    """

    levels: dict[float, Rate]
    stated: Rate
    bias: Mean
    error: Mean


def coverage(lines: pd.DataFrame) -> Coverage:
    """Of the lines of one quantity, one for each replicate."""
    truth, middle, sd, lower, upper, ranks = (
        numbers(lines[k]) for k in ("truth", "mean", "sd", "lower", "upper", "rank")
    )
    ranked, known = np.isfinite(ranks), np.isfinite(truth) & np.isfinite(lower)
    off = np.abs(ranks[ranked] - 0.5)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = ((middle - truth) / sd) ** 2
    levels = {level: rate(off <= level / 2) for level in LEVELS} if ranked.any() else {}
    return Coverage(levels, rate(((lower <= truth) & (truth <= upper))[known]), mean(middle - truth), mean(scaled))
