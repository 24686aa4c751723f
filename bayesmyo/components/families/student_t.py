"""Student's t distribution: like the normal, but a wild measurement does not drag the trajectory along."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families import censoring
from bayesmyo.components.families.family import FAR_OFF, Arrays, Cells, Family
from bayesmyo.components.families.tails import log1mexp, log_integral
from bayesmyo.components.in_r import Call
from bayesmyo.components.priors import Alone, Joint, Prior, halfnormal


@dataclass(frozen=True, kw_only=True)
class StudentT(Family):
    """y ~ StudentT(nu, eta, sigma), on the outcome's own scale.

    sigma: residual scale, in outcome units (the SD is sigma * sqrt(nu / (nu - 2)) where nu > 2)
    nu: degrees of freedom; Gamma(2, 0.1) (Juarez and Steel 2010, https://doi.org/10.1198/jbes.2009.07145).
    The expected value is eta where nu > 1, and the median is eta everywhere.
    """

    kind: Literal["student_t"] = "student_t"
    also: ClassVar[tuple[str, ...]] = ("student",)
    suits: ClassVar[str] = FAR_OFF
    formula: ClassVar[str] = "y ~ StudentT(nu, eta, sigma)"
    censorable: ClassVar[bool] = True
    r_formula: ClassVar[str] = "student()"
    links: ClassVar[Mapping[str, str]] = {"sigma": "log"}
    r_parts: ClassVar[Mapping[str, str]] = {"sigma": "sigma"}

    def parameters(self, scale: Scale) -> dict[str, Prior | Joint]:
        return {"sigma": halfnormal(scale.spread / 2), "nu": Alone("gamma", (2.0, 0.1))}

    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        nu, sigma = aux["nu"], aux["sigma"]
        if cells.low is None:
            return pm.StudentT(name, nu=nu, mu=eta["location"], sigma=sigma, observed=cells.value)
        constant = pm.math.gammaln((nu + 1) / 2) - pm.math.gammaln(nu / 2) - np.log(np.pi) / 2

        def z(value: Any) -> Any:
            return (value - eta["location"]) / sigma

        def below(z: Any) -> Any:
            tail = constant + _log_tail(pm, pm.math.abs(z), nu)
            return pm.math.switch(z < 0, tail, log1mexp(pm, tail))

        return censoring.observe(
            pm,
            name,
            cells,
            density=lambda y: (
                constant - pm.math.log(sigma * pm.math.sqrt(nu)) - (nu + 1) / 2 * pm.math.log1p(z(y) ** 2 / nu)
            ),
            below=lambda limit: below(z(limit)),
            above=lambda limit: below(-z(limit)),
        )

    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        shape = np.broadcast_shapes(np.shape(eta["location"]), np.shape(aux["sigma"]), np.shape(aux["nu"]))
        chi_square = rng.chisquare(np.broadcast_to(aux["nu"], shape))
        return eta["location"] + aux["sigma"] * rng.standard_normal(shape) / np.sqrt(chi_square / aux["nu"])

    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        nu, sigma = aux["nu"], aux["sigma"]
        constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - np.log(sigma)

        def z(value: Any) -> Any:
            return (value - eta["location"]) / sigma

        return censoring.log_density(
            cells,
            density=lambda value: constant - (nu + 1) / 2 * np.log1p(z(value) ** 2 / nu),
            below=lambda limit: _log_stdtr(nu, z(limit)),
            above=lambda limit: _log_stdtr(nu, -z(limit)),
        )

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        if predictor != "location":
            return None
        return Call("glmmTMB::glmmTMB", "glmmTMB::glmmTMB", y, ("family = glmmTMB::t_family",))

    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        return np.asarray(eta["location"])


def _log_tail(pm: Any, z: Any, nu: Any) -> Any:
    """log P(T > z), z >= 0, up to a constant in nu: the integral of cosh(s)^-nu from asinh(z / sqrt(nu)) to infinity.

    PyTensor's incomplete beta function underflows out there, and its gradient in nu is a loop.
    """
    pt = pm.math.pt
    start = pt.arcsinh(z / pt.sqrt(nu))

    def exponent(v: Any) -> Any:
        s, degrees = pt.shape_padright(start), pt.shape_padright(nu)
        return -degrees * (v + pt.log1p(pt.exp(-2 * (s + v))) - pt.log1p(pt.exp(-2 * s)))

    log_cosh = start + pt.log1p(pt.exp(-2 * start)) - np.log(2)
    return log_integral(pm, exponent, nu * pt.tanh(start) + pt.minimum(nu, pt.sqrt(nu))) - nu * log_cosh


def _log_stdtr(nu: Any, z: Any) -> np.ndarray:
    """log P(T < z); where that underflows, by the continued fraction of the incomplete beta function (DLMF 8.17.22)."""
    with np.errstate(divide="ignore"):
        log_probability = np.array(np.log(special.stdtr(nu, z)))
    nu, z, lost = np.broadcast_arrays(nu, z, np.isneginf(log_probability) & np.isfinite(z))
    if lost.any():
        a, x = nu[lost] / 2, 1 / (1 + z[lost] ** 2 / nu[lost])
        fraction = np.zeros_like(a)
        for m in range(100, -1, -1):
            even = m * (0.5 - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) if m else 1.0
            odd = -(a + m) * (a + 0.5 + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            fraction = even / (1 + odd / (1 + fraction))
        log_front = a * np.log(x) + 0.5 * np.log1p(-x) - np.log(2 * a) - special.betaln(a, 0.5)
        log_probability[lost] = log_front + np.log(fraction)
    return log_probability
