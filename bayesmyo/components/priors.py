"""The prior language: `"normal(0, 1)"` and its relatives, truncated and mixed.

    normal(0, 1)                                   a distribution with its arguments
    normal(3, 1) T[0, 5]                           truncated to an interval, as Stan and JAGS write it; `T[0, ]` has no upper end
    0.8 normal(3.4, 0.2) + 0.2 normal(3.6, 0.7)    a mixture, with weights that add up to 1
    constant(2.5)                                  a value that is known

A prior is read from text, knows its PyMC variable, draws from itself with NumPy (written
independently, so that a calibration tests the model code), and gives quantiles for the sentences
that `validate` prints. SDs are standard deviations everywhere, never variances or precisions.

Its words are in `distributions.py`.
"""

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import optimize, special

from bayesmyo.components.distributions import LANGUAGE
from bayesmyo.components.distributions import Support as Support
from bayesmyo.errors import did_you_mean
from bayesmyo.limits import beyond

_ALONE = re.compile(r"\s*([a-z_]+)\s*\(([^()]*)\)\s*(?:T\s*\[([^\[\],]*),([^\[\],]*)\]\s*)?")
_WEIGHTED = re.compile(r"\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*\*?\s*([a-z_].*)")
_PLUS = re.compile(r"(?<=[)\]])\s*\+")
LEAST = 0.001  # of a distribution that is left where it is truncated


class Prior(ABC):
    """A prior distribution of one parameter: `Alone`, or a `Mixture`."""

    @staticmethod
    def parse(text: str) -> "Prior":
        """Read `"normal(0, 1)"`. Raises ValueError with a message that says how to mend the text."""
        parts = _PLUS.split(text)
        return Alone.parse(text) if len(parts) == 1 and not _WEIGHTED.fullmatch(text) else Mixture.parse(parts)

    @property
    def constant(self) -> bool:
        """Whether it is one value, of which data say nothing."""
        return False

    @property
    @abstractmethod
    def support(self) -> Support:
        """Where it lies."""

    @abstractmethod
    def variable(self, pm: Any, name: str, dims: Any = None) -> Any:
        """The PyMC random variable called `name`, inside the model context that is open."""

    @abstractmethod
    def scaled(self, factor: Any) -> "Prior":
        """The same prior with its spread multiplied by a factor, a number or a PyTensor scalar.

        Correlations and constants stay as they are; of a mixture each part is spread around its own centre.
        """

    @abstractmethod
    def moved(self, spreads: float) -> "Prior":
        """The same prior with its centre moved by so many of its spreads; one that has no centre of its own stays as it is."""

    @abstractmethod
    def log_density(self, values: np.ndarray) -> np.ndarray:
        """Log density of each value (of a constant, the logarithm of its probability)."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, size: tuple[int, ...] = ()) -> np.ndarray:
        """Independent NumPy draws of the given shape."""

    @abstractmethod
    def below(self, value: float) -> float:
        """The share of the prior below a value."""

    @abstractmethod
    def quantile(self, p: float) -> float:
        """The value below which a share `p` of the prior lies."""

    def halved(self) -> "Prior | None":
        """The positive half of the same prior around zero, as an SD may have it; None where the language has no such word."""
        return None

    def fits(self, support: Support) -> bool:
        """Whether a parameter with that support may have it."""
        return support in ("real", self.support)


@dataclass(frozen=True)
class Alone(Prior):
    """One distribution: `name` is a word of the language, `values` its arguments in order; truncated to lower..upper."""

    name: str
    values: tuple[float, ...]
    lower: float = -math.inf
    upper: float = math.inf

    @classmethod
    def parse(cls, text: str) -> "Alone":
        match = _ALONE.fullmatch(text)
        if match is None:
            raise ValueError(f'write a distribution with its arguments, such as "normal(0, 1)" ({known()})')
        name, arguments, *ends = match.groups()
        if name not in LANGUAGE:
            near = did_you_mean(name, list(LANGUAGE))
            raise ValueError(f'unknown distribution "{name}" ({known() if near.startswith("allowed") else near})')
        words = LANGUAGE[name]
        try:
            values = tuple(float(a) for a in arguments.split(",")) if arguments.strip() else ()
        except ValueError:
            raise ValueError(f"the arguments of {name} are numbers: {_shape(name)}") from None
        if len(values) != len(words.arguments):
            raise ValueError(f"{name} takes {len(words.arguments)} arguments: {_shape(name)}")
        for argument, value in zip(words.arguments, values, strict=True):
            if not math.isfinite(value) or (argument in words.positive and value <= 0):
                raise ValueError(f"{name}: {argument} must be {'positive' if argument in words.positive else 'finite'}")
            if beyond(value):
                raise ValueError(f"{name}: {argument} is too large, or too close to zero, for any prior")
        alone = cls(name, values)
        if not math.isfinite(alone.quantile(0.5)):  # a vague one may be wide, but half of it must be numbers
            raise ValueError(f"the median of this {name} is infinite")
        return alone if ends == [None, None] else alone._truncated(*ends)

    def _truncated(self, lower: str, upper: str) -> "Alone":
        """Between two ends as typed; an empty one is none."""
        if callable(LANGUAGE[self.name].pymc):
            raise ValueError(f"{self.name} cannot be truncated")
        try:
            low, high = (float(end) if end.strip() else open_ for end, open_ in ((lower, -math.inf), (upper, math.inf)))
        except ValueError:
            raise ValueError(
                'the ends of a truncated prior are numbers, or left out: "normal(0, 1) T[0, 5]", "T[0, ]"'
            ) from None
        if LANGUAGE[self.name].support == "positive":
            low = max(low, 0.0)
        if not low < high:
            raise ValueError("a truncated prior needs a lower end below the upper one")
        cut = replace(self, lower=low, upper=high)
        if not cut._mass() >= LEAST:
            raise ValueError(
                f"T[{lower.strip()}, {upper.strip()}] leaves less than {LEAST:.1%} of this {self.name}: state another distribution"
            )
        return cut

    @property
    def _cut(self) -> bool:
        return self.upper < math.inf or self.lower > (0 if LANGUAGE[self.name].support == "positive" else -math.inf)

    @property
    def _shares(self) -> tuple[float, float]:
        """Of the whole distribution, what lies below the lower and below the upper end."""
        below = LANGUAGE[self.name].below
        low = float(below(self.lower, *self.values)) if self.lower > -math.inf else 0.0
        return low, float(below(self.upper, *self.values)) if self.upper < math.inf else 1.0

    def _mass(self) -> float:
        low, high = self._shares
        return high - low

    @property
    def constant(self) -> bool:
        return self.name == "constant"

    @property
    def support(self) -> Support:
        return "positive" if self.lower >= 0 else LANGUAGE[self.name].support

    def fits(self, support: Support) -> bool:
        if self.constant:
            (value,) = self.values
            return {"real": True, "positive": value > 0, "correlation": -1 < value < 1}[support]
        return super().fits(support)

    def __str__(self) -> str:
        whole = f"{self.name}({', '.join(format(v, '.6g') for v in self.values)})"
        low, high = ("" if math.isinf(end) else f"{end:.6g}" for end in (self.lower, self.upper))
        return f"{whole} T[{low}, {high}]" if self._cut else whole

    def distribution(self, pm: Any) -> Any:
        """PyMC's distribution, without a name."""
        word = LANGUAGE[self.name]
        assert not callable(word.pymc)
        kind, *names = word.pymc
        return getattr(pm, kind).dist(**dict(zip(names, self.values, strict=True)))

    def variable(self, pm: Any, name: str, dims: Any = None) -> Any:
        word = LANGUAGE[self.name]
        if callable(word.pymc):
            return word.pymc(pm, name, *self.values, dims)
        kind, *names = word.pymc
        values = dict(zip(names, self.values, strict=True))
        if not self._cut:
            return getattr(pm, kind)(name, **values, dims=dims)
        if kind == "HalfStudentT":  # of which PyMC has no distribution function; it is the other one beyond zero
            kind, values = "StudentT", {**values, "mu": 0.0}
        ends = {k: end for k, end in (("lower", self.lower), ("upper", self.upper)) if math.isfinite(end)}
        return pm.Truncated(name, getattr(pm, kind).dist(**values), **ends, dims=dims)

    def scaled(self, factor: Any) -> "Alone":
        powers = LANGUAGE[self.name].spread
        return replace(self, values=tuple(v * factor**p if p else v for v, p in zip(self.values, powers, strict=True)))

    def moved(self, spreads: float) -> "Alone":
        return self.shifted(spreads * self.values[-1]) if self._centred else self

    @property
    def _centred(self) -> bool:
        """Whether it has a centre of its own, and its ends none to be moved out of."""
        words = LANGUAGE[self.name]
        return words.support == "real" and words.spread[-1] == 1 and not self._cut

    def shifted(self, by: float) -> "Alone":
        """The same with its centre moved by an amount."""
        *shape, centre, spread = self.values
        return replace(self, values=(*shape, centre + by, spread)) if self._centred else self

    def log_density(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            whole = np.asarray(LANGUAGE[self.name].log_density(values, *self.values))
        if not self._cut:
            return whole
        return np.where((values >= self.lower) & (values <= self.upper), whole - np.log(self._mass()), -np.inf)

    def halved(self) -> "Prior | None":
        if self.name == "normal":
            return halfnormal(self.values[1])
        return Alone("half_student_t", (self.values[0], self.values[2])) if self.name == "student_t" else None

    def draw(self, rng: np.random.Generator, size: tuple[int, ...] = ()) -> np.ndarray:
        word = LANGUAGE[self.name]
        if not self._cut:
            return np.asarray(word.draw(rng, size, *self.values))
        low, high = self._shares
        return np.asarray(word.quantile(low + (high - low) * rng.random(size), *self.values))

    def below(self, value: float) -> float:
        low, high = self._shares
        inside = min(max(value, self.lower), self.upper)
        return (float(LANGUAGE[self.name].below(inside, *self.values)) - low) / (high - low)

    def quantile(self, p: float) -> float:
        low, high = self._shares
        with np.errstate(divide="ignore", over="ignore"):  # a prior may reach to infinity
            return float(LANGUAGE[self.name].quantile(low + p * (high - low), *self.values))


@dataclass(frozen=True)
class Mixture(Prior):
    """One of several distributions, each with a probability: what is known, and a vague one in case it does not hold here.

    Reference: Schmidli et al. (2014), https://doi.org/10.1111/biom.12242.
    """

    weights: tuple[float, ...]
    parts: tuple[Alone, ...]

    @classmethod
    def parse(cls, texts: list[str]) -> "Mixture":  # type: ignore[override]
        shape = '"0.8 normal(3.4, 0.2) + 0.2 normal(3.6, 0.7)"'
        matches = [_WEIGHTED.fullmatch(text) for text in texts]
        try:
            weights = tuple(float(m[1]) if m else math.nan for m in matches)
        except ValueError:
            weights = (math.nan,)
        if len(texts) < 2 or not all(0 < w < 1 for w in weights) or abs(sum(weights) - 1) > 1e-6:
            raise ValueError(f"a mixture has a weight before each part, and they add up to 1: {shape}")
        parts = tuple(Alone.parse(m[2]) for m in matches if m)
        for part in parts:
            if part._cut or callable(LANGUAGE[part.name].pymc):
                raise ValueError(
                    f"{part} cannot be part of a mixture: its parts are distributions that are not truncated"
                )
        if len({part.support for part in parts}) > 1:
            raise ValueError("the parts of a mixture are all of positive numbers, or all of any numbers")
        return cls(weights, parts)

    @property
    def support(self) -> Support:
        return self.parts[0].support

    def __str__(self) -> str:
        return " + ".join(f"{w:.6g} {part}" for w, part in zip(self.weights, self.parts, strict=True))

    def variable(self, pm: Any, name: str, dims: Any = None) -> Any:
        return pm.Mixture(name, list(self.weights), [part.distribution(pm) for part in self.parts], dims=dims)

    def scaled(self, factor: Any) -> "Mixture":
        return replace(self, parts=tuple(part.scaled(factor) for part in self.parts))

    def moved(self, spreads: float) -> "Mixture":
        by = spreads * (self.quantile(0.75) - self.quantile(0.25)) / (special.ndtri(0.75) - special.ndtri(0.25))
        return replace(self, parts=tuple(part.shifted(by) for part in self.parts))

    def log_density(self, values: np.ndarray) -> np.ndarray:
        each = np.stack(
            [np.log(w) + part.log_density(values) for w, part in zip(self.weights, self.parts, strict=True)]
        )
        return np.asarray(special.logsumexp(each, axis=0))

    def draw(self, rng: np.random.Generator, size: tuple[int, ...] = ()) -> np.ndarray:
        which = rng.choice(len(self.parts), size, p=self.weights)
        return np.choose(which, [part.draw(rng, size) for part in self.parts])

    def below(self, value: float) -> float:
        return sum(w * part.below(value) for w, part in zip(self.weights, self.parts, strict=True))

    def quantile(self, p: float) -> float:
        """It lies between the least and the largest of the parts'."""
        ends = [part.quantile(p) for part in self.parts]
        low, high = min(ends), max(ends)
        if low == high or not math.isfinite(high - low):
            return low if low == high or math.isfinite(low) else high
        return float(optimize.brentq(lambda x: self.below(x) - p, low, high, xtol=1e-12 * max(1.0, high - low)))


def _shape(name: str) -> str:
    return f"{name}({', '.join(LANGUAGE[name].arguments)})"


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
    return ", ".join(_shape(name) for name in LANGUAGE)


def normal(mean: float, sd: float) -> Alone:
    return Alone("normal", (float(mean), float(sd)))


def halfnormal(sd: float) -> Alone:
    return Alone("halfnormal", (float(sd),))


def lognormal(log_median: float, log_sd: float) -> Alone:
    return Alone("lognormal", (float(log_median), float(log_sd)))


def lkj(eta: float) -> Alone:
    return Alone("lkj", (float(eta),))
