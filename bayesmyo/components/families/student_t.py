"""Student's t distribution: like the normal, but a wild measurement does not drag the trajectory along."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families.family import Arrays, Cells, Family
from bayesmyo.components.priors import Prior, halfnormal


@dataclass(frozen=True, kw_only=True)
class StudentT(Family):
    """y ~ StudentT(nu, eta, sigma), on the outcome's own scale.

    sigma: residual scale, in outcome units (the SD is sigma * sqrt(nu / (nu - 2)) where nu > 2)
    nu: degrees of freedom; Gamma(2, 0.1) (Juarez and Steel 2010, https://doi.org/10.1198/jbes.2009.07145).
    The expected value is eta where nu > 1, and the median is eta everywhere.
    """

    kind: Literal["student_t"] = "student_t"
    r_formula = "student()"

    def parameters(self, scale: Scale) -> dict[str, Prior]:
        return {"sigma": halfnormal(scale.spread / 2), "nu": Prior("gamma", (2.0, 0.1))}

    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        return pm.StudentT(name, nu=aux["nu"], mu=eta["location"], sigma=aux["sigma"], observed=cells.value)

    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        shape = np.broadcast_shapes(np.shape(eta["location"]), np.shape(aux["sigma"]), np.shape(aux["nu"]))
        chi_square = rng.chisquare(np.broadcast_to(aux["nu"], shape))
        return eta["location"] + aux["sigma"] * rng.standard_normal(shape) / np.sqrt(chi_square / aux["nu"])

    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        nu, sigma = aux["nu"], aux["sigma"]
        z = (cells.value - eta["location"]) / sigma
        constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - np.log(sigma)
        return constant - (nu + 1) / 2 * np.log1p(z**2 / nu)

    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        return np.asarray(eta["location"])
