"""The hurdle log-normal distribution: zero, or a positive amount whose logarithm is normal (a steroid dose)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families.family import WITH_ZEROS, Arrays, Cells, Family, Pooled
from bayesmyo.components.families.gaussian import HALF_LOG_2PI
from bayesmyo.components.families.link import FromZero
from bayesmyo.components.families.tails import log_sigmoid
from bayesmyo.components.in_r import Call
from bayesmyo.components.priors import Joint, Prior, halfnormal


@dataclass(frozen=True, kw_only=True)
class HurdleLogNormal(FromZero, Family):
    """P(y = 0) = expit(eta_zero); where y > 0, log y ~ Normal(eta, sigma). The declared `scale` is a ratio.

    Each of the two predictors, `location` (log of the amount) and `zero` (logit of none), has its own trajectory.
    sigma: residual SD of log y where positive. Default prior: half-normal with SD half the log of the declared ratio.
    The mean is (1 - P(y = 0)) * exp(eta + sigma^2 / 2). Reference: Mullahy (1986),
    https://doi.org/10.1016/0304-4076(86)90002-3.
    """

    kind: Literal["hurdle_lognormal"] = "hurdle_lognormal"
    also: ClassVar[tuple[str, ...]] = ("hurdle",)
    suits: ClassVar[str] = WITH_ZEROS
    formula: ClassVar[str] = "P(y = 0) = expit(eta_zero); log y ~ Normal(eta, sigma) where positive"
    normal: ClassVar[bool] = True
    approximated: ClassVar[bool] = True
    r_apart: ClassVar[bool] = True
    links: ClassVar[Mapping[str, str]] = {"zero": "logit", "sigma": "log"}
    more_zeros: ClassVar[str] = "zero"
    fewer_zeros: ClassVar[str] = "zero"
    r_parts: ClassVar[Mapping[str, str]] = {"zero": "hu", "sigma": "sigma"}
    r_formula: ClassVar[str] = "hurdle_lognormal()"

    def predictors(self) -> tuple[str, ...]:
        return ("location", "zero")

    def parameters(self, scale: Scale) -> dict[str, Prior | Joint]:
        return {"sigma": halfnormal(scale.spread / 2)}

    def averages(self, values: np.ndarray) -> bool:
        """Nothing and something do not make half of it."""
        return bool((values > 0).all() or (values == 0).all())

    def normal_cells(self, values: np.ndarray) -> np.ndarray:
        return np.flatnonzero(values > 0)

    def on_link(self, values: Any, xp: Any) -> Any:
        return xp.log(values)

    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        self.observe_rest(pm, name, eta, aux, cells)
        pt, positive = pm.math.pt, pm.math.gt(cells.value, 0)
        z = (pt.log(pt.switch(positive, cells.value, 1.0)) - eta["location"]) / aux["sigma"]
        return pm.Potential(name, pt.switch(positive, -(z**2) / 2 - pt.log(aux["sigma"]) - HALF_LOG_2PI, 0.0).sum())

    def observe_rest(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        """Whether each cell is zero."""
        sign = pm.math.switch(pm.math.gt(cells.value, 0), -1.0, 1.0)
        return pm.Potential(f"{name}.zero", log_sigmoid(pm, sign * eta["zero"]).sum())

    def approximate(self, cells: Cells, aux: Arrays, curve: Any, pooled: Pooled, xp: Any) -> tuple[Any, Any]:
        """Itself, where it is positive."""
        positive = cells.value > 0
        return xp.log(xp.where(positive, cells.value, 1.0)), xp.where(positive, aux["sigma"] ** -2.0, 0.0)

    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        shape = np.broadcast_shapes(np.shape(eta["location"]), np.shape(eta["zero"]), np.shape(aux["sigma"]))
        amount = np.exp(eta["location"] + aux["sigma"] * rng.standard_normal(shape))
        return np.where(rng.logistic(size=shape) < eta["zero"], 0.0, amount)

    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        zero = np.asarray(cells.value) == 0
        log_amount = np.log(np.where(zero, 1.0, cells.value))
        z = (log_amount - eta["location"]) / aux["sigma"]
        positive = -0.5 * z**2 - np.log(aux["sigma"]) - HALF_LOG_2PI - log_amount
        none = np.asarray(eta["zero"], dtype=float)
        return np.where(zero, special.log_expit(none), special.log_expit(-none) + positive)

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        if predictor == "zero":
            return Call("lme4::glmer", "stats::glm", f"{y} == 0", ("family = binomial",))
        if predictor == "sigma":
            return None
        return Call("lme4::lmer", "stats::lm", f"log({y})", (f"subset = {y} > 0",), normal=True)

    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        positive = special.expit(-np.asarray(eta["zero"], dtype=float))
        with np.errstate(over="ignore"):  # priors on the log may hold an infinite mean possible
            return positive * np.exp(eta["location"] + np.square(aux["sigma"]) / 2)

    def mean_has_moments(self) -> bool:
        return False

    def check(self, values: Any) -> np.ndarray:
        return np.isfinite(values) & (values >= 0)

    def support(self) -> str:
        return "zero or a positive number"
