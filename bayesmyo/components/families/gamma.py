"""The gamma distribution: a positive outcome whose scatter grows in proportion to its mean (a dose, a
concentration)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families import censoring
from bayesmyo.components.families.family import POSITIVE, Arrays, Cells, Family, Pooled
from bayesmyo.components.families.link import Positive
from bayesmyo.components.families.tails import log1mexp, log_integral
from bayesmyo.components.in_r import Call
from bayesmyo.components.priors import Joint, Prior, halfnormal


@dataclass(frozen=True, kw_only=True)
class Gamma(Positive, Family):
    """y ~ Gamma with mean exp(eta) and shape 1 / cv^2; the declared `scale` is a ratio above 1.

    cv: coefficient of variation of a measurement around its expected value (0.2: an SD of 20 % of the mean).
        Default prior: half-normal with SD half the log of the declared ratio.
    Levels are arithmetic means and effects are log ratios of means (McCullagh and Nelder 1989, chapter 8,
    https://doi.org/10.1201/9780203753736).
    """

    kind: Literal["gamma"] = "gamma"
    suits: ClassVar[str] = POSITIVE
    formula: ClassVar[str] = "y ~ Gamma(mean exp(eta), cv)"
    censorable: ClassVar[bool] = True
    approximated: ClassVar[bool] = True
    r_formula: ClassVar[str] = 'Gamma("log")'
    links: ClassVar[Mapping[str, str]] = {"cv": "log"}

    def encode(self, values: Any) -> Any:
        """A limit of zero is none: all outcomes lie above it."""
        values = np.asarray(values, dtype=float)
        return np.where(values <= 0, -np.inf, values)

    def parameters(self, scale: Scale) -> dict[str, Prior | Joint]:
        return {"cv": halfnormal(scale.spread / 2)}

    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        pt, shape, location = pm.math.pt, aux["cv"] ** -2.0, eta["location"]
        if cells.low is None:
            return pm.Gamma(name, alpha=shape, beta=shape * pm.math.exp(-location), observed=cells.value)
        constant = shape * pt.log(shape) - shape - pt.gammaln(shape)

        def u(limit: Any) -> Any:
            return pt.log(limit) - location

        def density(value: Any) -> Any:
            return constant + shape * (u(value) - pt.expm1(u(value))) - u(value) - location

        def below(limit: Any) -> Any:
            lower, upper = _log_tails(pm, u(limit), shape)
            return pt.switch(u(limit) < 0, constant + lower, log1mexp(pm, constant + upper))

        def above(limit: Any) -> Any:
            lower, upper = _log_tails(pm, u(limit), shape)
            return pt.switch(u(limit) < 0, log1mexp(pm, constant + lower), constant + upper)

        return censoring.observe(pm, name, cells, density, below, above)

    def approximate(self, cells: Cells, aux: Arrays, curve: Any, pooled: Pooled, xp: Any) -> tuple[Any, Any]:
        """The log of the measurement; its information about the log of the mean is the shape."""
        return xp.log(cells.value), aux["cv"] ** -2.0

    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        shape = np.broadcast_shapes(np.shape(eta["location"]), np.shape(aux["cv"]))
        return np.exp(eta["location"]) * np.square(aux["cv"]) * rng.standard_gamma(1 / np.square(aux["cv"]), shape)

    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        shape = 1 / np.square(aux["cv"])

        def x(limit: Any) -> Any:
            return np.maximum(limit, 0.0) * shape * np.exp(-np.asarray(eta["location"]))

        def density(value: Any) -> np.ndarray:
            value = np.maximum(value, np.finfo(float).tiny)  # a censored cell, whose density is not asked for
            return shape * np.log(x(value)) - x(value) - special.gammaln(shape) - np.log(value)

        return censoring.log_density(
            cells,
            density,
            below=lambda limit: _log_gammainc(shape, x(limit)),
            above=lambda limit: _log_gammaincc(shape, x(limit)),
        )

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        if predictor != "location":
            return None
        return Call("glmmTMB::glmmTMB", "glmmTMB::glmmTMB", y, ('family = Gamma(link = "log")',))

    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        return np.exp(np.asarray(eta["location"], dtype=float))

    def mean_has_moments(self) -> bool:
        return False


def _log_tails(pm: Any, u: Any, shape: Any) -> tuple[Any, Any]:
    """log P(y < mean * e^u) where u <= 0 and log P(y > mean * e^u) where u >= 0, up to a constant in the shape.

    PyTensor's incomplete gamma functions underflow out there, and their gradients in the shape are loops.
    """
    pt = pm.math.pt
    left, right = pt.minimum(u, 0.0), pt.maximum(u, 0.0)
    right = pt.minimum(right, 50.0)  # its exponential must stay finite
    a, root = pt.shape_padright(shape), pt.sqrt(shape)

    def downwards(v: Any) -> Any:
        return a * (-v - pt.exp(pt.shape_padright(left)) * pt.expm1(-v))

    def upwards(v: Any) -> Any:
        v = pt.minimum(v, 600.0)
        return a * (v - pt.exp(pt.shape_padright(right)) * pt.expm1(v))

    lower = log_integral(pm, downwards, -shape * pt.expm1(left) + pt.minimum(shape, root))
    upper = log_integral(pm, upwards, shape * pt.expm1(right) + pt.maximum(root, 3.0))
    return lower + shape * (left - pt.expm1(left)), upper + shape * (right - pt.expm1(right))


def _log_gammainc(shape: Any, x: Any) -> np.ndarray:
    """log P(a, x); where that underflows, by Kummer's function (DLMF 8.5.1)."""
    with np.errstate(divide="ignore"):
        log_probability = np.array(np.log(special.gammainc(shape, x)))
    a, x, lost = np.broadcast_arrays(shape, x, np.isneginf(log_probability) & (x > 0))
    a, x = a[lost], x[lost]
    log_front = a * np.log(x) - x - special.gammaln(a + 1)
    log_probability[lost] = log_front + np.log(special.hyp1f1(1.0, a + 1, x))
    return log_probability


def _log_gammaincc(shape: Any, x: Any) -> np.ndarray:
    """log Q(a, x); where that underflows, by Legendre's continued fraction (DLMF 8.9.2)."""
    with np.errstate(divide="ignore"):
        log_probability = np.array(np.log(special.gammaincc(shape, x)))
    a, x, lost = np.broadcast_arrays(shape, x, np.isneginf(log_probability) & np.isfinite(x))
    a, x, fraction = a[lost], x[lost], 0.0
    for n in range(100, 0, -1):
        fraction = n * (n - a) / (x + 2 * n + 1 - a - fraction)
    log_probability[lost] = a * np.log(x) - x - special.gammaln(a) - np.log(x + 1 - a - fraction)
    return log_probability
