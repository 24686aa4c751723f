"""The Poisson distribution: counts of events, for the exposure of each visit (adverse events per infusion)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families.counts import LARGEST_LOG_RATE, Counts, scored
from bayesmyo.components.families.extra_zeros import HURDLE
from bayesmyo.components.families.family import Arrays, Cells, Pooled
from bayesmyo.components.in_r import Call
from bayesmyo.components.priors import Joint, Prior, halfnormal


@dataclass(frozen=True, kw_only=True)
class Poisson(Counts):
    """y ~ Poisson(exp(eta)); the log of the exposure is part of eta. The declared `scale` is a ratio above 1.

    observation_effect: each measurement has its own normal deviation on the log, y ~ Poisson(exp(eta + e)) with
        e ~ Normal(0, sd_observation): for counts that scatter more than a Poisson
    sd_observation: SD of those deviations, a log ratio; only with `observation_effect`. Default prior: half-normal with
        SD half the log of the declared ratio.
    The mean is exp(eta), or exp(eta + sd_observation^2 / 2) with the effect.
    Reference: Bulmer (1974), https://doi.org/10.2307/2529621.
    """

    kind: Literal["poisson"] = "poisson"
    counts: ClassVar[bool] = True
    approximated: ClassVar[bool] = True
    overdispersed: ClassVar[str] = "negative_binomial"
    observation_effect: bool = False
    r_formula: ClassVar[str] = "poisson()"
    r_truncated: ClassVar[str] = "glmmTMB::truncated_poisson"

    @property
    def formula(self) -> str:  # type: ignore[override]
        own = "; e ~ Normal(0, sd_observation)" if self.observation_effect else ""
        return f"y ~ Poisson(exp(eta{' + e' if own else ''})){own}"

    def parameters(self, scale: Scale) -> dict[str, Prior | Joint]:
        return {"sd_observation": halfnormal(scale.spread / 2)} if self.observation_effect else {}

    def together(self, parts: Collection[str]) -> tuple[tuple[str, str], ...]:
        if HURDLE in parts and self.observation_effect:
            return ((HURDLE, "does not go together with observation_effect; use the family negative_binomial"),)
        return super().together(parts)

    def log_counts(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], value: Any) -> Any:
        pt, location = pm.math.pt, eta["location"]
        if self.observation_effect:
            shape = tuple(pm.math.pt.as_tensor_variable(value).shape.eval())  # of the data at hand: one effect for each
            location = location + aux["sd_observation"] * pm.Normal(f"{name}.raw_observation", 0.0, 1.0, shape=shape)
        return value * location - pt.exp(location) - pt.gammaln(value + 1.0)

    def approximate(self, cells: Cells, aux: Arrays, curve: Any, pooled: Pooled, xp: Any) -> tuple[Any, Any]:
        """One step of Fisher's scoring from the patient's own rate (see `scored`); the observation's own scatter is
        part of the variance."""
        return scored(cells.value, curve, pooled, aux["sd_observation"] ** 2 if self.observation_effect else 0.0, xp)

    def draw_counts(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        location = np.asarray(eta["location"], dtype=float)
        if self.observation_effect:
            shape = np.broadcast_shapes(location.shape, np.shape(aux["sd_observation"]))
            location = location + aux["sd_observation"] * rng.standard_normal(shape)
        return rng.poisson(np.exp(np.minimum(location, LARGEST_LOG_RATE))).astype(float)

    def draw_positive(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        """The first event is drawn before the unit of time is over, the others after it."""
        rate = np.exp(np.minimum(np.asarray(eta["location"], dtype=float), LARGEST_LOG_RATE))
        first = -np.log1p(rng.random(rate.shape) * np.expm1(-rate))
        return 1.0 + rng.poisson(np.maximum(rate - first, 0.0))

    def log_mass(self, value: Any, eta: Arrays, aux: Arrays) -> np.ndarray:
        location, y = np.asarray(eta["location"], dtype=float), value
        if self.observation_effect:
            return _log_poisson_lognormal(y, location, aux["sd_observation"])
        return y * location - np.exp(location) - special.gammaln(y + 1.0)

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        if predictor != "location":
            return self.r_part(predictor, Call("glmmTMB::glmmTMB", "glmmTMB::glmmTMB", y, ("family = poisson",)))
        return Call("lme4::glmer", "stats::glm", y, ("family = poisson",))

    def per_row(self) -> bool:
        return self.observation_effect

    def mean_count(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        location = np.asarray(eta["location"], dtype=float)
        return np.exp(location + np.square(aux["sd_observation"]) / 2 if self.observation_effect else location)


# Nodes u of a trapezium rule after z = mode + width * sinh(u): it sees the narrow side of a skewed peak and the wide
# one.
_STEP = 0.1
_NODES = np.arange(-4.5, 4.51, _STEP)


def _log_poisson_lognormal(y: Any, location: np.ndarray, sd: Any) -> np.ndarray:
    """log of the integral of Poisson(y | exp(location + sd * z)) Normal(z | 0, 1) over z, by adaptive quadrature.

    The mode solves w + sd^2 * exp(w) = location + sd^2 * y for the log rate w, which is Wright's omega function.
    """
    variance = np.square(sd)
    rate = special.wrightomega(location + variance * y + np.log(variance)) / variance
    mode, width = sd * (y - rate), 1 / np.sqrt(1 + variance * rate)
    total = np.full(np.broadcast_shapes(np.shape(mode), np.shape(width)), -np.inf)
    for u in _NODES:
        z = mode + width * np.sinh(u)
        with np.errstate(over="ignore"):  # far out the rate is infinite and the density zero
            log_integrand = y * (location + sd * z) - np.exp(location + sd * z) - z**2 / 2
        total = np.logaddexp(total, log_integrand + np.log(_STEP * np.cosh(u)))
    return np.asarray(total + np.log(width) - 0.5 * np.log(2 * np.pi) - special.gammaln(y + 1.0))
