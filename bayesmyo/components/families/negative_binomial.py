"""The negative binomial distribution: counts of events that scatter more than a Poisson, for the exposure of each
visit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import scipy
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families.counts import LARGEST_LOG_RATE, Counts, scored
from bayesmyo.components.families.family import Arrays, Cells, Pooled
from bayesmyo.components.in_r import Call
from bayesmyo.components.priors import Joint, Prior, halfnormal


@dataclass(frozen=True, kw_only=True)
class NegativeBinomial(Counts):
    """y ~ Poisson(rate) with rate ~ Gamma of mean exp(eta) and shape 1 / cv^2: the variance is mu + cv^2 * mu^2.

    cv: coefficient of variation of the rate between visits beyond what eta explains (0.5: rates differ by about 50 %).
        Default prior: half-normal with SD half the log of the declared ratio. Other texts call 1 / cv^2 the dispersion.
    The log of the exposure is part of eta; the mean is exp(eta).
    Reference: Lawless (1987), https://doi.org/10.2307/3314912.
    """

    kind: Literal["negative_binomial"] = "negative_binomial"
    also: ClassVar[tuple[str, ...]] = ("negbinomial",)
    formula: ClassVar[str] = "y ~ NegativeBinomial(mean exp(eta), cv)"
    counts: ClassVar[bool] = True
    approximated: ClassVar[bool] = True
    r_formula: ClassVar[str] = "negbinomial()"
    r_truncated: ClassVar[str] = "glmmTMB::truncated_nbinom2"
    links: ClassVar[Mapping[str, str]] = {"cv": "log", **Counts.links}

    def parameters(self, scale: Scale) -> dict[str, Prior | Joint]:
        return {"cv": halfnormal(scale.spread / 2)}

    def log_counts(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], value: Any) -> Any:
        pt, location, y = pm.math.pt, eta["location"], value
        square = aux["cv"] ** 2.0
        # log(1 + mu * cv^2), and not mu / (mu + shape), whose difference from zero is lost where the cv is small
        growth = pt.softplus(location + pt.log(square))
        return y * (location - growth) - growth / square + _log_rising(pt, 1 / square, y) - pt.gammaln(y + 1.0)

    def approximate(self, cells: Cells, aux: Arrays, curve: Any, pooled: Pooled, xp: Any) -> tuple[Any, Any]:
        """One step of Fisher's scoring from the patient's own rate (see `scored`)."""
        return scored(cells.value, curve, pooled, aux["cv"] ** 2, xp)

    def draw_counts(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        shape = np.broadcast_shapes(np.shape(eta["location"]), np.shape(aux["cv"]))
        factor = np.square(aux["cv"]) * rng.standard_gamma(1 / np.square(aux["cv"]), shape)
        rate = np.exp(np.minimum(eta["location"], LARGEST_LOG_RATE)) * factor
        return rng.poisson(np.minimum(rate, np.exp(LARGEST_LOG_RATE))).astype(float)

    def draw_positive(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        """A quantile beyond the share of zeros."""
        mu = np.exp(np.minimum(np.asarray(eta["location"], dtype=float), LARGEST_LOG_RATE))
        mu, size = np.broadcast_arrays(mu, 1 / np.square(aux["cv"]))
        zeros = np.exp(-size * np.log1p(mu / size))
        share = np.minimum(zeros + rng.random(mu.shape) * (1 - zeros), 1 - 1e-16)
        return np.maximum(scipy.stats.nbinom.ppf(share, size, size / (size + mu)), 1.0)

    def log_mass(self, value: Any, eta: Arrays, aux: Arrays) -> np.ndarray:
        location, shape, y = np.asarray(eta["location"], dtype=float), 1 / np.square(aux["cv"]), value
        growth = np.logaddexp(0.0, location - np.log(shape))
        logp = y * (location - growth) - shape * growth + _log_rising(np, shape, y)
        return np.asarray(logp - special.gammaln(y + 1.0))

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        call = Call("glmmTMB::glmmTMB", "glmmTMB::glmmTMB", y, ("family = glmmTMB::nbinom2",))
        return call if predictor == "location" else self.r_part(predictor, call)

    def mean_count(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        return np.exp(np.asarray(eta["location"], dtype=float))


def _log_rising(xp: Any, shape: Any, y: Any) -> Any:
    """log of (1 + 1 / shape) * ... * (1 + (y - 1) / shape): by Stirling's series where gammas would cancel."""
    gammaln = special.gammaln if xp is np else xp.gammaln
    small, large = xp.minimum(shape, 1e3), xp.maximum(shape, 1e3)

    def series(x: Any) -> Any:
        return 1 / (12 * x) - 1 / (360 * x**3)

    stirling = (large + y - 0.5) * xp.log1p(y / large) - y + series(large + y) - series(large)
    return xp.where(shape < 1e3, gammaln(small + y) - gammaln(small) - y * xp.log(small), stirling)
