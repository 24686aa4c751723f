"""The words of the prior language: distributions of one number, each in PyMC and in NumPy, written apart.

To add one: one entry in `LANGUAGE`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import special

Support = Literal["real", "positive", "correlation"]


@dataclass(frozen=True)
class Distribution:
    """One word: argument names, support, PyMC variable, NumPy draw, quantile, distribution function, log density.

    spread: the power with which each argument follows the prior's spread (an SD by 1, a rate by -1, a location by 0)
    pymc: PyMC's distribution and how it calls the arguments; or what makes the variable, which then can be neither
        truncated nor mixed
    """

    arguments: tuple[str, ...]
    positive: tuple[str, ...]
    support: Support
    spread: tuple[int, ...]
    pymc: tuple[str, ...] | Callable[..., Any]
    draw: Callable[..., Any]
    quantile: Callable[..., Any]
    below: Callable[..., Any]
    log_density: Callable[..., Any]


def _sqrt_inverse_gamma(pm: Any, name: str, a: float, b: float, dims: Any) -> Any:
    """An SD whose square, the variance, is inverse gamma (the BUGS habit)."""
    variance = pm.InverseGamma(f"{name}_squared", alpha=a, beta=b, dims=dims)
    return pm.Deterministic(name, pm.math.sqrt(variance), dims=dims)


def _lkj(pm: Any, name: str, eta: float, dims: Any) -> Any:
    """The correlation of two effects under LKJ(eta): density (1 - r^2)^(eta - 1) (Lewandowski et al. 2009)."""
    half = pm.Beta(f"{name}_half", alpha=eta, beta=eta, dims=dims)
    return pm.Deterministic(name, 2 * half - 1, dims=dims)


def _constant(pm: Any, name: str, value: float, dims: Any) -> Any:
    return pm.Deterministic(name, pm.math.pt.as_tensor(float(value)), dims=dims)


LOG_2 = math.log(2)


def _log_normal(z: Any) -> Any:
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)


def _log_t(z: Any, df: float) -> Any:
    scale = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - 0.5 * np.log(df * math.pi)
    return scale - (df + 1) / 2 * np.log1p(z**2 / df)


# fmt: off
LANGUAGE: dict[str, Distribution] = {
    "normal": Distribution(
        ("mean", "sd"), ("sd",), "real", (0, 1), ("Normal", "mu", "sigma"),
        lambda rng, size, m, s: rng.normal(m, s, size),
        lambda p, m, s: m + s * special.ndtri(p),
        lambda x, m, s: special.ndtr((x - m) / s),
        lambda x, m, s: _log_normal((x - m) / s) - np.log(s),
    ),
    "student_t": Distribution(
        ("df", "location", "scale"), ("df", "scale"), "real", (0, 0, 1), ("StudentT", "nu", "mu", "sigma"),
        lambda rng, size, df, m, s: m + s * rng.standard_t(df, size),
        lambda p, df, m, s: m + s * special.stdtrit(df, p),
        lambda x, df, m, s: special.stdtr(df, (x - m) / s),
        lambda x, df, m, s: _log_t((x - m) / s, df) - np.log(s),
    ),
    "halfnormal": Distribution(
        ("sd",), ("sd",), "positive", (1,), ("HalfNormal", "sigma"),
        lambda rng, size, s: np.abs(rng.normal(0.0, s, size)),
        lambda p, s: s * special.ndtri(0.5 + p / 2),
        lambda x, s: 2 * special.ndtr(x / s) - 1,
        lambda x, s: LOG_2 + _log_normal(x / s) - np.log(s),
    ),
    "half_student_t": Distribution(
        ("df", "scale"), ("df", "scale"), "positive", (0, 1), ("HalfStudentT", "nu", "sigma"),
        lambda rng, size, df, s: np.abs(s * rng.standard_t(df, size)),
        lambda p, df, s: s * special.stdtrit(df, 0.5 + p / 2),
        lambda x, df, s: 2 * special.stdtr(df, x / s) - 1,
        lambda x, df, s: LOG_2 + _log_t(x / s, df) - np.log(s),
    ),
    "halfcauchy": Distribution(
        ("scale",), ("scale",), "positive", (1,), ("HalfCauchy", "beta"),
        lambda rng, size, s: np.abs(s * rng.standard_cauchy(size)),
        lambda p, s: s * np.tan(math.pi * p / 2),
        lambda x, s: 2 / math.pi * np.arctan(x / s),
        lambda x, s: LOG_2 + _log_t(x / s, 1.0) - np.log(s),
    ),
    "lognormal": Distribution(
        ("log_median", "log_sd"), ("log_sd",), "positive", (0, 1), ("LogNormal", "mu", "sigma"),
        lambda rng, size, m, s: np.exp(rng.normal(m, s, size)),
        lambda p, m, s: np.exp(m + s * special.ndtri(p)),
        lambda x, m, s: special.ndtr((np.log(x) - m) / s),
        lambda x, m, s: _log_normal((np.log(x) - m) / s) - np.log(s * x),
    ),
    "exponential": Distribution(
        ("rate",), ("rate",), "positive", (-1,), ("Exponential", "lam"),
        lambda rng, size, r: rng.exponential(1 / r, size),
        lambda p, r: -np.log1p(-p) / r,
        lambda x, r: -np.expm1(-r * x),
        lambda x, r: np.log(r) - r * x,
    ),
    "gamma": Distribution(
        ("shape", "rate"), ("shape", "rate"), "positive", (0, -1), ("Gamma", "alpha", "beta"),
        lambda rng, size, a, b: rng.gamma(a, 1 / b, size),
        lambda p, a, b: special.gammaincinv(a, p) / b,
        lambda x, a, b: special.gammainc(a, b * x),
        lambda x, a, b: a * np.log(b) + (a - 1) * np.log(x) - b * x - special.gammaln(a),
    ),
    "sqrt_inverse_gamma": Distribution(
        ("shape", "scale"), ("shape", "scale"), "positive", (0, 2), _sqrt_inverse_gamma,
        lambda rng, size, a, b: np.sqrt(b / rng.gamma(a, 1.0, size)),
        lambda p, a, b: np.sqrt(b / special.gammainccinv(a, p)),
        lambda x, a, b: special.gammaincc(a, b / x**2),
        lambda x, a, b: LOG_2 + a * np.log(b) - (2 * a + 1) * np.log(x) - b / x**2 - special.gammaln(a),
    ),
    "lkj": Distribution(
        ("eta",), ("eta",), "correlation", (0,), _lkj,
        lambda rng, size, eta: 2 * rng.beta(eta, eta, size) - 1,
        lambda p, eta: 2 * special.betaincinv(eta, eta, p) - 1,
        lambda x, eta: special.betainc(eta, eta, (x + 1) / 2),
        lambda x, eta: (eta - 1) * np.log1p(-(x**2)) - (2 * eta - 1) * LOG_2 - special.betaln(eta, eta),
    ),
    "constant": Distribution(
        ("value",), (), "real", (0,), _constant,
        lambda rng, size, value: np.full(size, value),
        lambda p, value: value,
        lambda x, value: np.heaviside(x - value, 1.0),
        lambda x, value: np.zeros(np.shape(x)),  # of the one value that it has
    ),
}
# fmt: on
