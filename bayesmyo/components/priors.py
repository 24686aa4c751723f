"""The prior language: `"normal(0, 1)"` and its relatives.

A prior is read from text, knows its PyMC variable, draws from itself with NumPy (written
independently, so that a calibration tests the model code), and gives quantiles for the sentences
that `validate` prints. SDs are standard deviations everywhere, never variances or precisions.

To add a distribution: one entry in `LANGUAGE`.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import special

from bayesmyo.errors import did_you_mean
from bayesmyo.limits import beyond

Support = Literal["real", "positive", "correlation"]


@dataclass(frozen=True)
class Distribution:
    """One word of the language: argument names, support, PyMC variable, NumPy draw, quantile function, log density.

    spread: the power with which each argument follows the prior's spread (an SD by 1, a rate by -1, a location not at all)
    """

    arguments: tuple[str, ...]
    positive: tuple[str, ...]
    support: Support
    spread: tuple[int, ...]
    variable: Callable[..., Any]
    draw: Callable[..., Any]
    quantile: Callable[..., Any]
    log_density: Callable[..., Any]


def _sqrt_inverse_gamma(pm: Any, name: str, a: float, b: float, dims: Any) -> Any:
    """An SD whose square, the variance, is inverse gamma (the BUGS habit)."""
    variance = pm.InverseGamma(f"{name}_squared", alpha=a, beta=b, dims=dims)
    return pm.Deterministic(name, pm.math.sqrt(variance), dims=dims)


def _lkj(pm: Any, name: str, eta: float, dims: Any) -> Any:
    """The correlation of two effects under LKJ(eta): density (1 - r^2)^(eta - 1) (Lewandowski et al. 2009)."""
    half = pm.Beta(f"{name}_half", alpha=eta, beta=eta, dims=dims)
    return pm.Deterministic(name, 2 * half - 1, dims=dims)


LOG_2 = math.log(2)


def _log_normal(z: Any) -> Any:
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)


def _log_t(z: Any, df: float) -> Any:
    scale = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - 0.5 * np.log(df * math.pi)
    return scale - (df + 1) / 2 * np.log1p(z**2 / df)


# fmt: off
LANGUAGE: dict[str, Distribution] = {
    "normal": Distribution(
        ("mean", "sd"), ("sd",), "real", (0, 1),
        lambda pm, n, m, s, d: pm.Normal(n, m, s, dims=d),
        lambda rng, size, m, s: rng.normal(m, s, size),
        lambda p, m, s: m + s * special.ndtri(p),
        lambda x, m, s: _log_normal((x - m) / s) - np.log(s),
    ),
    "student_t": Distribution(
        ("df", "location", "scale"), ("df", "scale"), "real", (0, 0, 1),
        lambda pm, n, df, m, s, d: pm.StudentT(n, nu=df, mu=m, sigma=s, dims=d),
        lambda rng, size, df, m, s: m + s * rng.standard_t(df, size),
        lambda p, df, m, s: m + s * special.stdtrit(df, p),
        lambda x, df, m, s: _log_t((x - m) / s, df) - np.log(s),
    ),
    "halfnormal": Distribution(
        ("sd",), ("sd",), "positive", (1,),
        lambda pm, n, s, d: pm.HalfNormal(n, sigma=s, dims=d),
        lambda rng, size, s: np.abs(rng.normal(0.0, s, size)),
        lambda p, s: s * special.ndtri(0.5 + p / 2),
        lambda x, s: LOG_2 + _log_normal(x / s) - np.log(s),
    ),
    "half_student_t": Distribution(
        ("df", "scale"), ("df", "scale"), "positive", (0, 1),
        lambda pm, n, df, s, d: pm.HalfStudentT(n, nu=df, sigma=s, dims=d),
        lambda rng, size, df, s: np.abs(s * rng.standard_t(df, size)),
        lambda p, df, s: s * special.stdtrit(df, 0.5 + p / 2),
        lambda x, df, s: LOG_2 + _log_t(x / s, df) - np.log(s),
    ),
    "halfcauchy": Distribution(
        ("scale",), ("scale",), "positive", (1,),
        lambda pm, n, s, d: pm.HalfCauchy(n, beta=s, dims=d),
        lambda rng, size, s: np.abs(s * rng.standard_cauchy(size)),
        lambda p, s: s * np.tan(math.pi * p / 2),
        lambda x, s: LOG_2 + _log_t(x / s, 1.0) - np.log(s),
    ),
    "lognormal": Distribution(
        ("log_median", "log_sd"), ("log_sd",), "positive", (0, 1),
        lambda pm, n, m, s, d: pm.LogNormal(n, m, s, dims=d),
        lambda rng, size, m, s: np.exp(rng.normal(m, s, size)),
        lambda p, m, s: np.exp(m + s * special.ndtri(p)),
        lambda x, m, s: _log_normal((np.log(x) - m) / s) - np.log(s * x),
    ),
    "exponential": Distribution(
        ("rate",), ("rate",), "positive", (-1,),
        lambda pm, n, r, d: pm.Exponential(n, lam=r, dims=d),
        lambda rng, size, r: rng.exponential(1 / r, size),
        lambda p, r: -np.log1p(-p) / r,
        lambda x, r: np.log(r) - r * x,
    ),
    "gamma": Distribution(
        ("shape", "rate"), ("shape", "rate"), "positive", (0, -1),
        lambda pm, n, a, b, d: pm.Gamma(n, alpha=a, beta=b, dims=d),
        lambda rng, size, a, b: rng.gamma(a, 1 / b, size),
        lambda p, a, b: special.gammaincinv(a, p) / b,
        lambda x, a, b: a * np.log(b) + (a - 1) * np.log(x) - b * x - special.gammaln(a),
    ),
    "sqrt_inverse_gamma": Distribution(
        ("shape", "scale"), ("shape", "scale"), "positive", (0, 2),
        _sqrt_inverse_gamma,
        lambda rng, size, a, b: np.sqrt(b / rng.gamma(a, 1.0, size)),
        lambda p, a, b: np.sqrt(b / special.gammainccinv(a, p)),
        lambda x, a, b: LOG_2 + a * np.log(b) - (2 * a + 1) * np.log(x) - b / x**2 - special.gammaln(a),
    ),
    "lkj": Distribution(
        ("eta",), ("eta",), "correlation", (0,),
        _lkj,
        lambda rng, size, eta: 2 * rng.beta(eta, eta, size) - 1,
        lambda p, eta: 2 * special.betaincinv(eta, eta, p) - 1,
        lambda x, eta: (eta - 1) * np.log1p(-(x**2)) - (2 * eta - 1) * LOG_2 - special.betaln(eta, eta),
    ),
}
# fmt: on

_CALL = re.compile(r"\s*([a-z_]+)\s*\(([^()]*)\)\s*")


@dataclass(frozen=True)
class Prior:
    """A prior distribution: `name` is a word of the language, `values` its arguments in order."""

    name: str
    values: tuple[float, ...]

    @classmethod
    def parse(cls, text: str) -> "Prior":
        """Read `"normal(0, 1)"`. Raises ValueError with a message that says how to mend the text."""
        match = _CALL.fullmatch(text)
        if match is None:
            raise ValueError(f'write a distribution with its arguments, such as "normal(0, 1)" ({known()})')
        name, arguments = match.groups()
        if name not in LANGUAGE:
            near = did_you_mean(name, list(LANGUAGE))
            raise ValueError(f'unknown distribution "{name}" ({known() if near.startswith("allowed") else near})')
        words = LANGUAGE[name]
        try:
            values = tuple(float(a) for a in arguments.split(",")) if arguments.strip() else ()
        except ValueError:
            raise ValueError(f"the arguments of {name} are numbers: {cls._shape(name)}") from None
        if len(values) != len(words.arguments):
            raise ValueError(f"{name} takes {len(words.arguments)} arguments: {cls._shape(name)}")
        for argument, value in zip(words.arguments, values, strict=True):
            if not math.isfinite(value) or (argument in words.positive and value <= 0):
                raise ValueError(f"{name}: {argument} must be {'positive' if argument in words.positive else 'finite'}")
            if beyond(value):
                raise ValueError(f"{name}: {argument} is too large, or too close to zero, for any prior")
        found = cls(name, values)
        if not math.isfinite(found.quantile(0.5)):  # a vague one may be wide, but half of it must be numbers
            raise ValueError(f"the median of this {name} is infinite")
        return found

    @staticmethod
    def _shape(name: str) -> str:
        return f"{name}({', '.join(LANGUAGE[name].arguments)})"

    @property
    def support(self) -> Support:
        return LANGUAGE[self.name].support

    def __str__(self) -> str:
        return f"{self.name}({', '.join(format(v, '.6g') for v in self.values)})"

    def variable(self, pm: Any, name: str, dims: Any = None) -> Any:
        """The PyMC random variable called `name`, inside the model context that is open."""
        return LANGUAGE[self.name].variable(pm, name, *self.values, dims)

    def scaled(self, factor: Any) -> "Prior":
        """The same prior with its spread multiplied by a factor, a number or a PyTensor scalar; correlations stay as they are."""
        powers = LANGUAGE[self.name].spread
        return Prior(self.name, tuple(v * factor**p if p else v for v, p in zip(self.values, powers, strict=True)))

    def moved(self, spreads: float) -> "Prior":
        """The same prior with its centre moved by so many of its spreads; one that has no centre of its own stays as it is."""
        words = LANGUAGE[self.name]
        if 0 not in words.spread or words.support != "real":
            return self
        *shape, centre, spread = self.values
        return Prior(self.name, (*shape, centre + spreads * spread, spread))

    def log_density(self, values: np.ndarray) -> np.ndarray:
        """Log density of each value."""
        return np.asarray(LANGUAGE[self.name].log_density(values, *self.values))

    def halved(self) -> "Prior | None":
        """The positive half of the same prior around zero, as an SD may have it; None where the language has no such word."""
        if self.name == "normal":
            return Prior("halfnormal", self.values[1:])
        return Prior("half_student_t", (self.values[0], self.values[2])) if self.name == "student_t" else None

    def draw(self, rng: np.random.Generator, size: tuple[int, ...] = ()) -> np.ndarray:
        """Independent NumPy draws of the given shape."""
        return np.asarray(LANGUAGE[self.name].draw(rng, size, *self.values))

    def quantile(self, p: float) -> float:
        """The value below which a share `p` of the prior lies."""
        with np.errstate(divide="ignore", over="ignore"):  # a prior may reach to infinity
            return float(LANGUAGE[self.name].quantile(p, *self.values))


class Joint(ABC):
    """A prior of several parameters at once, such as ordered thresholds. `names` are the parameters, in order."""

    names: tuple[str, ...]

    @abstractmethod
    def variables(self, pm: Any, prefix: str) -> tuple[Any, ...]:
        """The parameters as PyMC scalars, each also a deterministic called `prefix + name`, inside the open model."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, size: tuple[int, ...] = ()) -> tuple[np.ndarray, ...]:
        """Independent NumPy draws of the given shape, one array for each parameter."""

    @abstractmethod
    def quantile(self, position: int, p: float) -> float:
        """The value below which a share `p` of the prior of one parameter alone lies."""


def known() -> str:
    """The words of the language with their arguments, for messages."""
    return ", ".join(Prior._shape(name) for name in LANGUAGE)


def normal(mean: float, sd: float) -> Prior:
    return Prior("normal", (float(mean), float(sd)))


def halfnormal(sd: float) -> Prior:
    return Prior("halfnormal", (float(sd),))


def lognormal(log_median: float, log_sd: float) -> Prior:
    return Prior("lognormal", (float(log_median), float(log_sd)))


def lkj(eta: float) -> Prior:
    return Prior("lkj", (float(eta),))
