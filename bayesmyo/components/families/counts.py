"""What counts of events share: the log link, the exposure, whole numbers."""

from typing import Any, ClassVar

import numpy as np

from bayesmyo.components.families.extra_zeros import ExtraZeros
from bayesmyo.components.families.family import Pooled
from bayesmyo.components.families.link import FromZero

LARGEST_LOG_RATE = 41.0  # NumPy draws no Poisson counts beyond about 9e18
HALF = 0.5  # an event that nobody had, so that who had none has a rate


def scored(y: Any, curve: Any, pooled: Pooled, overdispersion: Any, xp: Any) -> tuple[Any, Any]:
    """Counts as normal measurements of the log rate: value and precision of one step of Fisher's scoring from the
    patient's own rate.

    The patient's rate is the curve's, times all events (and half a one) over all that were expected: counts of single
    visits may be zero nearly everywhere, and the curve may be far off while the sampler looks for its way.

    overdispersion: the variance of a count is mu + overdispersion * mu^2
    """
    expected = xp.exp(xp.clip(curve, -LARGEST_LOG_RATE, LARGEST_LOG_RATE))
    ratio = (pooled(y + 0.0 * curve) + HALF) / pooled(expected)
    mu = expected * ratio
    return curve + xp.log(ratio) + (y - mu) / mu, mu / (1 + overdispersion * mu)


class Counts(FromZero, ExtraZeros):
    """Counts with expected value exp(eta); the log of the exposure is part of eta. The declared `scale` is a ratio."""

    exposed: ClassVar[bool] = True

    def encode(self, values: Any) -> Any:
        return np.rint(values).astype(np.int64)

    def mean_has_moments(self) -> bool:
        return False

    def check(self, values: Any) -> np.ndarray:
        return np.isfinite(values) & (values >= 0) & (values == np.round(values))

    def support(self) -> str:
        return "a whole number, zero or more"
