"""The beta-binomial distribution: a sum of points out of a highest score, more variable than coin tosses."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families.extra_zeros import ExtraZeros
from bayesmyo.components.families.family import Arrays, Cells, Pooled, scored
from bayesmyo.components.families.link import Score
from bayesmyo.components.families.tails import log_sigmoid
from bayesmyo.components.in_r import Call
from bayesmyo.components.priors import Joint, Prior, lognormal


def default_precision(scale: Scale) -> Prior:
    """Log-normal around the precision of a beta whose SD is half the declared spread, both on the share."""
    share = 1 / (1 + math.exp(-scale.typical))
    sd = scale.spread / 2 * share * (1 - share)
    return lognormal(math.log(max(share * (1 - share) / sd**2 - 1, 1.0)), 1.0)


@dataclass(frozen=True, kw_only=True)
class BetaBinomial(Score, ExtraZeros):
    """y ~ Binomial(trials, p) with p ~ Beta(mu * precision, (1 - mu) * precision) and mu = expit(eta).

    trials: the highest score; cells are whole numbers from 0 to it
    precision: large where measurements scatter like coin tosses, small where they scatter more; their variance is
        trials * mu * (1 - mu) * (1 + (trials - 1) / (1 + precision)). Default prior: log-normal with log SD 1 around
        the precision at which p has half the declared spread.
    The declared `typical` and `scale` are in points; on the logit the scale is share of points / (m * (1 - m)) at the
    typical share m (delta method). Reference: Prentice (1986), https://doi.org/10.1080/01621459.1986.10478275.
    """

    kind: Literal["beta_binomial"] = "beta_binomial"
    also: ClassVar[tuple[str, ...]] = ("binomial",)
    formula: ClassVar[str] = "y ~ BetaBinomial(trials, mean expit(eta), precision)"
    counts: ClassVar[bool] = True
    score: ClassVar[bool] = True
    approximated: ClassVar[bool] = True
    trials: int
    r_formula: ClassVar[str] = "beta_binomial()"
    links: ClassVar[Mapping[str, str]] = {"precision": "log", **ExtraZeros.links}
    r_parts: ClassVar[Mapping[str, str]] = {"precision": "phi", **ExtraZeros.r_parts}

    def encode(self, values: Any) -> Any:
        return np.rint(values).astype(np.int64)

    def parameters(self, scale: Scale) -> dict[str, Prior | Joint]:
        return {"precision": default_precision(scale)}

    def log_counts(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], value: Any) -> Any:
        """Rising factorials with a first factor on the log: finite where the share rounds to 0 or 1."""
        pt, location, precision = pm.math.pt, eta["location"], aux["precision"]

        def rising(count: Any, share: Any) -> Any:
            first = pt.log(precision) + log_sigmoid(pm, share)
            a, more = precision * pt.sigmoid(share), pt.maximum(count, 1)
            return pt.switch(count > 0, first + pt.gammaln(a + more) - pt.gammaln(a + 1), 0.0)

        hits, misses = value, self.trials - value
        ways = special.gammaln(self.trials + 1) - pt.gammaln(hits + 1.0) - pt.gammaln(misses + 1.0)
        total = pt.gammaln(precision + self.trials) - pt.gammaln(precision)
        return ways + rising(hits, location) + rising(misses, -location) - total

    def approximate(self, cells: Cells, aux: Arrays, curve: Any, pooled: Pooled, xp: Any) -> tuple[Any, Any]:
        """One step of Fisher's scoring from the patient's own share of points (see `scored`)."""
        value, precision = scored(cells.value, self.trials, curve, pooled, xp)
        return value, precision * (1 + aux["precision"]) / (self.trials + aux["precision"])  # tosses are alike

    def draw_counts(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        """A share from two gamma variates (which may be very small), then a binomial."""
        mu, precision = special.expit(np.asarray(eta["location"], dtype=float)), np.asarray(aux["precision"])
        shape = np.broadcast_shapes(mu.shape, precision.shape)
        hit, miss = (rng.standard_gamma(np.broadcast_to(a, shape)) for a in (mu * precision, (1 - mu) * precision))
        lost = hit + miss == 0  # both shapes so small that one end takes all
        share = np.where(lost, rng.random(shape) < mu, hit / np.where(lost, 1.0, hit + miss))
        return rng.binomial(self.trials, share).astype(float)

    def draw_positive(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        """A quantile beyond the share of zeros: the scores are few, and are gone through."""
        shape = np.broadcast_shapes(np.shape(eta["location"]), np.shape(aux["precision"]))
        mass = [np.exp(self.log_mass(np.asarray(k), eta, aux)) for k in range(self.trials + 1)]
        share, reached, drawn = rng.random(shape) * (1 - mass[0]), np.zeros(shape), np.ones(shape)
        for k in range(1, self.trials):
            reached = reached + mass[k]
            drawn = drawn + (share > reached)
        return drawn

    def log_mass(self, value: Any, eta: Arrays, aux: Arrays) -> np.ndarray:
        location, phi, y = np.asarray(eta["location"], dtype=float), np.asarray(aux["precision"]), value
        log_a, log_b = np.log(phi) + special.log_expit(location), np.log(phi) + special.log_expit(-location)
        ways = -np.log(self.trials + 1) - special.betaln(y + 1.0, self.trials - y + 1.0)
        split = _log_rising(log_a, y) + _log_rising(log_b, self.trials - y) - _log_rising(np.log(phi), self.trials)
        return np.asarray(ways + split)

    def ends(self) -> tuple[float, float]:
        return 0.0, float(self.trials)

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        cells, family = f"cbind({y}, {self.trials} - {y})", ("family = glmmTMB::betabinomial",)
        call = Call("glmmTMB::glmmTMB", "glmmTMB::glmmTMB", cells, family)
        return call if predictor == "location" else self.r_part(predictor, call)

    def r_additions(self) -> tuple[str, ...]:
        return (f"trials({self.trials})",)

    def mean_count(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        return self.trials * special.expit(np.asarray(eta["location"], dtype=float))

    def check(self, values: Any) -> np.ndarray:
        return np.isfinite(values) & (values >= 0) & (values <= self.trials) & (values == np.round(values))

    def support(self) -> str:
        return f"a whole number from 0 to {self.trials}"

    def faults(self) -> tuple[tuple[str, str], ...]:
        return () if self.trials >= 1 else (("trials", "the highest score is at least 1"),)


def _log_rising(log_a: Any, count: Any) -> np.ndarray:
    """log of a * (a + 1) * ... with `count` factors; the first stays finite where a rounds to zero."""
    a = np.exp(log_a)
    return np.where(np.equal(count, 0), 0.0, log_a + special.gammaln(a + np.maximum(count, 1)) - special.gammaln(a + 1))
