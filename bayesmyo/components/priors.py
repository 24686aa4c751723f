"""The prior language: `"normal(0, 1)"` and its relatives, truncated and mixed.

    normal(0, 1)                                   a distribution with its arguments
    normal(3, 1) T[0, 5]                           truncated to an interval, as Stan and JAGS write it; `T[0, ]` has no
    upper end 0.8 normal(3.4, 0.2) + 0.2 normal(3.6, 0.7)    a mixture, with weights that add up to 1
    constant(2.5)                                  a value that is known

A prior is read from text, knows its PyMC variable, draws from itself with NumPy (written
independently, so that a calibration tests the model code), and gives quantiles for the sentences
that `validate` prints. SDs are standard deviations everywhere, never variances or precisions.

Its words are in `distributions.py`.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy
from scipy import special

from bayesmyo.components.distributions import LANGUAGE, Distribution
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
        """Read `"normal(0, 1)"`.

        Raises
        ------
        ValueError
            With a message that says how to mend the text.
        """
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
        """The same prior with its centre moved by so many of its spreads; one that has no centre of its own stays as it
        is."""

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

    def normals(self) -> tuple[tuple[float, float, float], ...]:
        """(weight, mean, SD) of the normal distributions that it is a mixture of; none where it is no such mixture."""
        return ()

    def halved(self) -> "Prior | None":
        """The positive half of the same prior around zero, as an SD may have it; None where the language has no such
        word."""
        return None

    def fits(self, support: Support) -> bool:
        """Whether a parameter with that support may have it."""
        return support in ("real", self.support)


@dataclass(frozen=True)
class Alone(Prior):
    """One distribution: `name` is a word of the language, `values` its arguments in order; truncated to
    lower..upper."""

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
        word = LANGUAGE[name]
        try:
            values = tuple(float(a) for a in arguments.split(",")) if arguments.strip() else ()
        except ValueError:
            raise ValueError(f"the arguments of {name} are numbers: {_shape(name)}") from None
        if len(values) != len(word.arguments):
            raise ValueError(f"{name} takes {len(word.arguments)} arguments: {_shape(name)}")
        for argument, value in zip(word.arguments, values, strict=True):
            if not math.isfinite(value) or (argument in word.positive and value <= 0):
                raise ValueError(f"{name}: {argument} must be {'positive' if argument in word.positive else 'finite'}")
            if beyond(value):
                raise ValueError(f"{name}: {argument} is too large, or too close to zero, for any prior")
        alone = cls(name, values)
        if not math.isfinite(alone.quantile(0.5)):  # a vague one may be wide, but half of it must be numbers
            raise ValueError(f"the median of this {name} is infinite")
        return alone if ends == [None, None] else alone._truncated(*ends)

    def _truncated(self, lower: str, upper: str) -> "Alone":
        """Between two ends as typed; an empty one is none."""
        if callable(self._word.pymc):
            raise ValueError(f"{self.name} cannot be truncated")
        try:
            low, high = (float(end) if end.strip() else open_ for end, open_ in ((lower, -math.inf), (upper, math.inf)))
        except ValueError:
            example = '"normal(0, 1) T[0, 5]", "T[0, ]"'
            raise ValueError(f"the ends of a truncated prior are numbers, or left out: {example}") from None
        cut = replace(self, lower=max(low, self._least), upper=high)
        if not cut.lower < high:
            raise ValueError("a truncated prior needs a lower end below the upper one")
        if not cut._mass >= LEAST:
            what = f"T[{lower.strip()}, {upper.strip()}] leaves less than {LEAST:.1%} of this {self.name}"
            raise ValueError(f"{what}: state another distribution")
        return cut

    @property
    def _word(self) -> Distribution:
        return LANGUAGE[self.name]

    @property
    def _least(self) -> float:
        """The lower end of the whole distribution."""
        return 0.0 if self._word.support == "positive" else -math.inf

    @property
    def _cut(self) -> bool:
        return self.upper < math.inf or self.lower > self._least

    @property
    def _shares(self) -> tuple[float, float]:
        """Of the whole distribution, what lies below the lower and below the upper end."""
        below = self._word.below
        low = float(below(self.lower, *self.values)) if self.lower > -math.inf else 0.0
        return low, float(below(self.upper, *self.values)) if self.upper < math.inf else 1.0

    @property
    def _mass(self) -> float:
        low, high = self._shares
        return high - low

    @property
    def constant(self) -> bool:
        return self.name == "constant"

    @property
    def support(self) -> Support:
        return "positive" if self.lower >= 0 else self._word.support

    def fits(self, support: Support) -> bool:
        if self.constant:
            (value,) = self.values
            return {"real": True, "positive": value > 0, "correlation": -1 < value < 1}[support]
        return super().fits(support)

    def __str__(self) -> str:
        whole = f"{self.name}({', '.join(format(v, '.6g') for v in self.values)})"
        low, high = ("" if math.isinf(end) else f"{end:.6g}" for end in (self.lower, self.upper))
        return f"{whole} T[{low}, {high}]" if self._cut else whole

    def _pymc(self, pm: Any) -> tuple[Any, dict[str, Any]]:
        """PyMC's distribution, and its arguments by their names there."""
        assert not callable(self._word.pymc)
        kind, *names = self._word.pymc
        values = dict(zip(names, self.values, strict=True))
        if (
            self._cut and kind == "HalfStudentT"
        ):  # of which PyMC has no distribution function; it is the other beyond zero
            return pm.StudentT, {**values, "mu": 0.0}
        return getattr(pm, kind), values

    def distribution(self, pm: Any) -> Any:
        """PyMC's distribution of the whole, without a name."""
        kind, values = self._pymc(pm)
        return kind.dist(**values)

    def variable(self, pm: Any, name: str, dims: Any = None) -> Any:
        if callable(self._word.pymc):
            return self._word.pymc(pm, name, *self.values, dims)
        if not self._cut:
            kind, values = self._pymc(pm)
            return kind(name, **values, dims=dims)
        ends = {k: end for k, end in (("lower", self.lower), ("upper", self.upper)) if math.isfinite(end)}
        # where PyMC would begin, at the centre of the whole, may be an end: there the density of what is sampled is zero
        begin = (self.lower + self.upper) / 2 if len(ends) == 2 else None
        return pm.Truncated(name, self.distribution(pm), **ends, dims=dims, initval=begin)

    def scaled(self, factor: Any) -> "Alone":
        powers = zip(self.values, self._word.spread, strict=True)
        return replace(self, values=tuple(v * factor**p if p else v for v, p in powers))

    def moved(self, spreads: float) -> "Alone":
        return self.shifted(spreads * self.values[-1])

    def shifted(self, by: float) -> "Alone":
        """The same with its centre moved by an amount, where it has one of its own and no ends to be moved out of."""
        if self._word.support != "real" or self._word.spread[-1] != 1 or self._cut:
            return self
        *shape, centre, spread = self.values
        return replace(self, values=(*shape, centre + by, spread))

    def log_density(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            whole = np.asarray(self._word.log_density(values, *self.values))
        if not self._cut:
            return whole
        return np.where((values >= self.lower) & (values <= self.upper), whole - np.log(self._mass), -np.inf)

    def normals(self) -> tuple[tuple[float, float, float], ...]:
        return ((1.0, *self.values),) if self.name == "normal" and not self._cut else ()  # type: ignore[return-value]

    def halved(self) -> "Prior | None":
        if self.name == "normal":
            return halfnormal(self.values[1])
        return Alone("half_student_t", (self.values[0], self.values[2])) if self.name == "student_t" else None

    def draw(self, rng: np.random.Generator, size: tuple[int, ...] = ()) -> np.ndarray:
        if not self._cut:
            return np.asarray(self._word.draw(rng, size, *self.values))
        low, high = self._shares
        return np.asarray(self._word.quantile(low + (high - low) * rng.random(size), *self.values))

    def below(self, value: float) -> float:
        inside = min(max(value, self.lower), self.upper)
        return (float(self._word.below(inside, *self.values)) - self._shares[0]) / self._mass

    def quantile(self, p: float) -> float:
        low, high = self._shares
        with np.errstate(divide="ignore", over="ignore"):  # a prior may reach to infinity
            return float(self._word.quantile(low + p * (high - low), *self.values))


@dataclass(frozen=True)
class Mixture(Prior):
    """One of several distributions, each with a probability: what is known, and a vague one in case it does not hold
    here.

    References
    ----------
    Schmidli et al. (2014), https://doi.org/10.1111/biom.12242.
    """

    weights: tuple[float, ...]
    parts: tuple[Alone, ...]

    @classmethod
    def parse(cls, texts: list[str]) -> "Mixture":  # type: ignore[override]
        matches = [_WEIGHTED.fullmatch(text) for text in texts]
        try:
            weights = tuple(float(m[1]) if m else math.nan for m in matches)
        except ValueError:
            weights = (math.nan,)
        if len(texts) < 2 or not all(0 < w < 1 for w in weights) or abs(sum(weights) - 1) > 1e-6:
            example = '"0.8 normal(3.4, 0.2) + 0.2 normal(3.6, 0.7)"'
            raise ValueError(f"a mixture has a weight before each part, and they add up to 1: {example}")
        parts = tuple(Alone.parse(m[2]) for m in matches if m)
        for part in parts:
            if part._cut or callable(part._word.pymc):
                what = "its parts are distributions that are not truncated"
                raise ValueError(f"{part} cannot be part of a mixture: {what}")
        if len({part.support for part in parts}) > 1:
            raise ValueError("the parts of a mixture are all of positive numbers, or all of any numbers")
        return cls(weights, parts)

    @property
    def _weighted(self) -> Iterator[tuple[float, Alone]]:
        return zip(self.weights, self.parts, strict=True)

    @property
    def support(self) -> Support:
        return self.parts[0].support

    def __str__(self) -> str:
        return " + ".join(f"{w:.6g} {part}" for w, part in self._weighted)

    def variable(self, pm: Any, name: str, dims: Any = None) -> Any:
        return pm.Mixture(name, list(self.weights), [part.distribution(pm) for part in self.parts], dims=dims)

    def scaled(self, factor: Any) -> "Mixture":
        return replace(self, parts=tuple(part.scaled(factor) for part in self.parts))

    def moved(self, spreads: float) -> "Mixture":
        # the spread of a normal distribution with the same quartiles
        by = spreads * (self.quantile(0.75) - self.quantile(0.25)) / (special.ndtri(0.75) - special.ndtri(0.25))
        return replace(self, parts=tuple(part.shifted(by) for part in self.parts))

    def normals(self) -> tuple[tuple[float, float, float], ...]:
        parts = [(w, *own[0][1:]) for w, part in self._weighted if (own := part.normals())]
        return tuple(parts) if len(parts) == len(self.parts) else ()

    def log_density(self, values: np.ndarray) -> np.ndarray:
        each = np.stack([np.log(w) + part.log_density(values) for w, part in self._weighted])
        return np.asarray(special.logsumexp(each, axis=0))

    def draw(self, rng: np.random.Generator, size: tuple[int, ...] = ()) -> np.ndarray:
        which = rng.choice(len(self.parts), size, p=self.weights)
        return np.choose(which, [part.draw(rng, size) for part in self.parts])

    def below(self, value: float) -> float:
        return sum(w * part.below(value) for w, part in self._weighted)

    def quantile(self, p: float) -> float:
        # between the least and the largest of the parts'
        ends = [part.quantile(p) for part in self.parts]
        low, high = min(ends), max(ends)
        if low == high or not math.isfinite(high - low):
            return low if low == high or math.isfinite(low) else high
        return float(scipy.optimize.brentq(lambda x: self.below(x) - p, low, high, xtol=1e-12 * max(1.0, high - low)))


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


def _shape(name: str) -> str:
    return f"{name}({', '.join(LANGUAGE[name].arguments)})"


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
