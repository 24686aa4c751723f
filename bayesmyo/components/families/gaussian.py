"""The normal distribution: measurements scatter evenly around the expected value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families import censoring
from bayesmyo.components.families.family import Arrays, Cells, Family, Pooled
from bayesmyo.components.families.tails import log_ndtr
from bayesmyo.components.in_r import Call
from bayesmyo.components.priors import Joint, Prior, halfnormal

HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True, kw_only=True)
class Gaussian(Family):
    """y ~ Normal(eta, sigma), on the outcome's own scale.

    sigma: residual SD, in outcome units. Default prior: half-normal with SD half the declared spread.
    """

    kind: Literal["gaussian"] = "gaussian"
    also: ClassVar[tuple[str, ...]] = ("normal",)
    formula: ClassVar[str] = "y ~ Normal(eta, sigma)"
    censorable: ClassVar[bool] = True
    normal: ClassVar[bool] = True
    approximated: ClassVar[bool] = True
    takes_errors: ClassVar[bool] = True
    heavier_tailed: ClassVar[str] = "student_t"
    links: ClassVar[Mapping[str, str]] = {"sigma": "log"}
    r_parts: ClassVar[Mapping[str, str]] = {"sigma": "sigma"}

    def parameters(self, scale: Scale) -> dict[str, Prior | Joint]:
        return {"sigma": halfnormal(scale.spread / 2)}

    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        if cells.low is None:
            return pm.Normal(name, eta["location"], aux["sigma"], observed=cells.value)

        def z(value: Any) -> Any:
            return (value - eta["location"]) / aux["sigma"]

        return censoring.observe(
            pm,
            name,
            cells,
            density=lambda value: -(z(value) ** 2) / 2 - pm.math.log(aux["sigma"]) - HALF_LOG_2PI,
            below=lambda limit: log_ndtr(pm, z(limit)),
            above=lambda limit: log_ndtr(pm, -z(limit)),
        )

    def approximate(self, cells: Cells, aux: Arrays, curve: Any, pooled: Pooled, xp: Any) -> tuple[Any, Any]:
        """Itself, where it is not censored."""
        return cells.value, aux["sigma"] ** -2.0

    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        shape = np.broadcast_shapes(np.shape(eta["location"]), np.shape(aux["sigma"]))
        return np.asarray(self.inverse(eta["location"] + aux["sigma"] * rng.standard_normal(shape)))

    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        def z(value: Any) -> Any:
            return (value - eta["location"]) / aux["sigma"]

        return censoring.log_density(
            cells,
            density=lambda value: -0.5 * z(value) ** 2 - np.log(aux["sigma"]) - HALF_LOG_2PI,
            below=lambda limit: special.log_ndtr(z(limit)),
            above=lambda limit: special.log_ndtr(-z(limit)),
        )

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        if predictor == "sigma":
            return Call("nlme::lme", "nlme::gls", y, inside="weights = nlme::varIdent(form = ~ 1 | {})", by_group=True)
        return Call("lme4::lmer", "stats::lm", y, normal=True)

    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        return np.asarray(eta["location"])
