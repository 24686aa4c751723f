"""The normal distribution: measurements scatter evenly around the expected value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families import censoring
from bayesmyo.components.families.family import Arrays, Cells, Family
from bayesmyo.components.priors import Prior, halfnormal

HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True, kw_only=True)
class Gaussian(Family):
    """y ~ Normal(eta, sigma), on the outcome's own scale.

    sigma: residual SD, in outcome units. Default prior: half-normal with SD half the declared spread.
    """

    kind: Literal["gaussian"] = "gaussian"
    censorable: ClassVar[bool] = True
    normal: ClassVar[bool] = True

    def parameters(self, scale: Scale) -> dict[str, Prior]:
        return {"sigma": halfnormal(scale.spread / 2)}

    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        if cells.lower is None:
            return pm.Normal(name, eta["location"], aux["sigma"], observed=cells.value)
        latent = pm.Normal.dist(eta["location"], aux["sigma"])
        return pm.Censored(name, latent, lower=cells.lower, upper=cells.upper, observed=cells.value)

    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        shape = np.broadcast_shapes(np.shape(eta["location"]), np.shape(aux["sigma"]))
        return np.asarray(self.inverse(eta["location"] + aux["sigma"] * rng.standard_normal(shape)))

    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        def z(value: Any) -> Any:
            return (value - eta["location"]) / aux["sigma"]

        return censoring.log_density(
            cells,
            density=lambda value: -0.5 * z(value) ** 2 - np.log(aux["sigma"]) - HALF_LOG_2PI,
            below=lambda value: special.log_ndtr(z(value)),
            above=lambda value: special.log_ndtr(-z(value)),
        )

    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        return np.asarray(eta["location"])
