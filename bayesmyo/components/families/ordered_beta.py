"""The ordered beta regression: a score between two ends, with patients at either end (a mean grade with a ceiling)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families.beta_binomial import default_precision
from bayesmyo.components.families.family import BETWEEN_ENDS, Arrays, Cells, Family, Pooled
from bayesmyo.components.families.link import Score
from bayesmyo.components.families.tails import log_logistic_between, log_sigmoid
from bayesmyo.components.in_r import Call, minus, number
from bayesmyo.components.priors import Joint, Prior, lognormal

NEAR = 1e-3  # to an end, where the logit steers the sampler


@dataclass(frozen=True, kw_only=True)
class OrderedBeta(Score, Family):
    """P(y = lower) = expit(-eta - cut_floor), P(y = upper) = expit(eta - cut_ceiling), a beta distribution between.

    Between the ends (y - lower) / (upper - lower) ~ Beta(mu * precision, (1 - mu) * precision) with mu = expit(eta).
    lower, upper: the ends of the score (0 and 5); only a cell exactly at an end is at the end
    cut_floor, cut_ceiling: how hard the ends are to reach, on the logit: at eta = 0 a share expit(-cut_ceiling) is at
        the ceiling. Default priors: log-normal(log 3, 0.5), a share of 5 % (from 0.1 to 25 %).
    precision: of the beta; its SD is sqrt(mu * (1 - mu) / (1 + precision)) of the range. Default prior: log-normal with
        log SD 1 around the precision at which that SD is half the declared spread.
    The declared `typical` and `scale` are in points; on the logit the scale is scale / range / (m * (1 - m)) at the
    typical share m (delta method). Reference: Kubinec (2023), https://doi.org/10.1017/pan.2022.20.
    """

    kind: Literal["ordered_beta"] = "ordered_beta"
    also: ClassVar[tuple[str, ...]] = ("beta",)
    suits: ClassVar[str] = BETWEEN_ENDS
    formula: ClassVar[str] = (
        "P(y = lower) = expit(-cut_floor - eta); P(y = upper) = expit(eta - cut_ceiling); "
        "share of y between ~ Beta(mean expit(eta), precision)"
    )
    lower: float
    upper: float
    score: ClassVar[bool] = True
    approximated: ClassVar[bool] = True
    r_formula: ClassVar[str] = ""  # brms has none
    links: ClassVar[Mapping[str, str]] = {"precision": "log"}

    @property
    def _range(self) -> float:
        return self.upper - self.lower

    def encode(self, values: Any) -> Any:
        """The share of the range; a value near an end must not round to the end."""
        values = np.asarray(values, dtype=float)
        inside = np.clip((values - self.lower) / self._range, np.finfo(float).tiny, np.nextafter(1.0, 0.0))
        return np.select([values <= self.lower, values >= self.upper], [0.0, 1.0], inside)

    def parameters(self, scale: Scale) -> dict[str, Prior | Joint]:
        cut = lognormal(np.log(3.0), 0.5)
        return {"cut_floor": cut, "cut_ceiling": cut, "precision": default_precision(scale)}

    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        """The density of the encoded share, without the constant log range."""
        pt, location, precision = pm.math.pt, eta["location"], aux["precision"]
        floor, ceiling = pt.eq(cells.value, 0.0), pt.eq(cells.value, 1.0)
        share = pt.switch(floor | ceiling, 0.5, cells.value)
        a, b = precision * pt.sigmoid(location), precision * pt.sigmoid(-location)
        # gamma(a) = gamma(a + 1) / a with its logarithm taken apart: finite where a rounds to zero
        log_a, log_b = (pt.log(precision) + log_sigmoid(pm, s) for s in (location, -location))
        beta = pt.gammaln(precision) - pt.gammaln(a + 1) + log_a - pt.gammaln(b + 1) + log_b
        beta = beta + (a - 1) * pt.log(share) + (b - 1) * pt.log1p(-share)
        between = log_logistic_between(pm, location - aux["cut_ceiling"], location + aux["cut_floor"])
        at_floor = log_sigmoid(pm, -location - aux["cut_floor"])
        at_ceiling = log_sigmoid(pm, location - aux["cut_ceiling"])
        return pm.Potential(name, pt.switch(floor, at_floor, pt.switch(ceiling, at_ceiling, between + beta)).sum())

    def approximate(self, cells: Cells, aux: Arrays, curve: Any, pooled: Pooled, xp: Any) -> tuple[Any, Any]:
        """Between the ends the logit of the share (delta method); at an end a step beyond its cutpoint (one of
        Newton's, from there)."""
        floor, ceiling = cells.value <= 0, cells.value >= 1
        share = xp.clip(xp.where(floor | ceiling, 0.5, cells.value), NEAR, 1 - NEAR)
        logit = xp.log(share) - xp.log1p(-share)
        value = xp.where(floor, -aux["cut_floor"] - 2.0, xp.where(ceiling, aux["cut_ceiling"] + 2.0, logit))
        return value, xp.where(floor | ceiling, 0.25, share * (1 - share) * (1 + aux["precision"]))

    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        """A logistic latent variable beyond a cutpoint is an end; else a beta from two gamma variates."""
        location, precision = np.asarray(eta["location"], dtype=float), np.asarray(aux["precision"])
        shape = np.broadcast_shapes(location.shape, precision.shape, *(np.shape(aux[c]) for c in _CUTS))
        latent, mu = location + rng.logistic(size=shape), special.expit(location)
        up, down = (rng.standard_gamma(np.broadcast_to(a, shape)) for a in (mu * precision, (1 - mu) * precision))
        lost = up + down == 0  # both shapes so small that one end takes all
        share = np.where(lost, rng.random(shape) < mu, up / np.where(lost, 1.0, up + down))
        inside = self.lower + self._range * share
        return np.select([latent < -aux["cut_floor"], latent > aux["cut_ceiling"]], [self.lower, self.upper], inside)

    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        location, phi = np.asarray(eta["location"], dtype=float), aux["precision"]
        at_floor, at_ceiling = special.log_expit(-location - aux["cut_floor"]), _log_ceiling(location, aux)
        share = np.where(np.isin(cells.value, (0.0, 1.0)), 0.5, cells.value)
        log_a, log_b = np.log(phi) + special.log_expit(location), np.log(phi) + special.log_expit(-location)
        a, b = np.exp(log_a), np.exp(log_b)
        beta = special.gammaln(phi) - special.gammaln(a + 1) - special.gammaln(b + 1) + log_a + log_b
        beta = beta + special.xlogy(a - 1, share) + special.xlog1py(b - 1, -share)
        inside = _log_between(location, aux) + beta - np.log(self._range)
        return np.where(cells.value == 0.0, at_floor, np.where(cells.value == 1.0, at_ceiling, inside))

    def ends(self) -> tuple[float, float]:
        return self.lower, self.upper

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        """The cuts of glmmTMB are `psi = c(-cut_floor, cut_ceiling)`; from its own start at zero they have no
        likelihood."""
        if predictor != "location":
            return None
        share = f"({minus(y, self.lower)})/{number(self._range)}" if self.lower else f"{y}/{number(self.upper)}"
        start = "start = list(psi = c(-3, 3))"
        return Call("glmmTMB::glmmTMB", "glmmTMB::glmmTMB", share, ("family = glmmTMB::ordbeta", start))

    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        location = np.asarray(eta["location"], dtype=float)
        floor, ceiling = aux["cut_floor"], aux["cut_ceiling"]
        between = special.expit(location + floor) * special.expit(ceiling - location) * -np.expm1(-(floor + ceiling))
        return self.lower + self._range * (special.expit(location - ceiling) + between * special.expit(location))

    def check(self, values: Any) -> np.ndarray:
        return np.isfinite(values) & (values >= self.lower) & (values <= self.upper)

    def support(self) -> str:
        return f"a number from {self.lower:g} to {self.upper:g}"

    def faults(self) -> tuple[tuple[str, str], ...]:
        return () if self.lower < self.upper else (("upper", "the upper end lies above the lower end"),)


_CUTS = ("cut_floor", "cut_ceiling")


def _log_ceiling(location: np.ndarray, aux: Arrays) -> np.ndarray:
    return special.log_expit(location - aux["cut_ceiling"])


def _log_between(location: np.ndarray, aux: Arrays) -> np.ndarray:
    """log(expit(eta + cut_floor) - expit(eta - cut_ceiling)), without a difference of nearly equal numbers."""
    width = np.asarray(aux["cut_floor"]) + aux["cut_ceiling"]
    upper, lower = special.log_expit(location + aux["cut_floor"]), special.log_expit(aux["cut_ceiling"] - location)
    return upper + lower + np.log(-np.expm1(-width))
