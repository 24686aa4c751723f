"""Mixtures of normal distributions: what quadrature makes, and the few components that come close to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from scipy import special

from bayesmyo.components.priors import Mixture, Prior, normal

Array = np.ndarray
LOG_ROOT_2PI = float(np.log(2 * np.pi) / 2)
MOST = 4  # components of an approximation
CLOSE = 0.005  # the largest difference between two distribution functions that is none
POINTS = 801
ROUNDS = 400
FAR = 1e-6  # of a distribution, beyond which it is not looked at


@dataclass(frozen=True, eq=False)
class Normals:
    """A mixture of normal distributions. weights, means, sds: (component,) each; the weights add up to one."""

    weights: Array
    means: Array
    sds: Array

    @classmethod
    def one(cls, mean: float, sd: float) -> "Normals":
        return cls(np.ones(1), np.array([mean], dtype=float), np.array([sd], dtype=float))

    @classmethod
    def of(cls, prior: Prior | None) -> "Normals | None":
        """The same as a prior of the language says; None where that is no mixture of normal distributions."""
        parts = prior.normals() if prior else ()
        return cls(*np.array(parts).T) if parts else None

    @property
    def mean(self) -> float:
        return float(self.weights @ self.means)

    @property
    def sd(self) -> float:
        return float(np.sqrt(self.weights @ (self.sds**2 + (self.means - self.mean) ** 2)))

    def log_density(self, x: Any, xp: Any = np, spread: Any = 1.0) -> Any:
        """Log density at x, of any shape. xp: `numpy` or `pytensor.tensor`; spread: a factor of every SD."""
        total = None
        for w, m, s in zip(self.weights.tolist(), self.means.tolist(), self.sds.tolist(), strict=True):
            log = np.log(w) - LOG_ROOT_2PI - xp.log(s * spread) - ((x - m) / (s * spread)) ** 2 / 2
            total = log if total is None else xp.logaddexp(total, log)
        return total

    def density(self, x: Array) -> Array:
        """(n,) the density at x, (n,)."""
        z = (x[:, None] - self.means) / self.sds
        return np.asarray(np.exp(-(z**2) / 2) @ (self.weights / self.sds) / np.sqrt(2 * np.pi))

    def below(self, x: Any) -> Any:
        """The distribution function at x, of any shape."""
        return special.ndtr((np.asarray(x)[..., None] - self.means) / self.sds) @ self.weights

    def quantile(self, p: float) -> float:
        ends = self.means + special.ndtri(p) * self.sds
        low, high = float(ends.min()), float(ends.max())
        if low == high:
            return low
        return float(scipy.optimize.brentq(lambda x: float(self.below(x)) - p, low - 1e-9, high + 1e-9, xtol=1e-12))

    def expect(self, function: Callable[[Array], Array]) -> float:
        """The mean of a function, (n,) -> (n,), by the trapezoid rule inside each component."""
        z = np.linspace(-8, 8, 65)
        w = np.exp(-(z**2) / 2)
        values = function((self.means[:, None] + self.sds[:, None] * z).ravel()).reshape(len(self.means), -1)
        return float(self.weights @ (values @ (w / w.sum())))

    def moments(self, function: Callable[[Array], Array]) -> tuple[float, float]:
        """Mean and SD of a function."""
        mean = self.expect(function)
        return mean, float(np.sqrt(self.expect(lambda x: (function(x) - mean) ** 2)))

    def draw(self, rng: np.random.Generator, size: int) -> Array:
        which = rng.choice(len(self.weights), size, p=self.weights)
        return np.asarray(self.means[which] + self.sds[which] * rng.standard_normal(size))

    def information(self, x: Array) -> Array:
        """(n,) minus the second derivative of the log density at x, (n,)."""
        z = (x[:, None] - self.means) / self.sds
        share = np.exp(-(z**2) / 2) * self.weights / self.sds
        share = share / share.sum(axis=1, keepdims=True)
        first = -(share * z / self.sds).sum(axis=1)
        second = (share * (z**2 - 1) / self.sds**2).sum(axis=1)
        return np.asarray(first**2 - second)

    def grid(self) -> Array:
        """(n,) points from one end to the other."""
        return np.linspace(self.quantile(FAR), self.quantile(1 - FAR), POINTS)

    def moved(self, by: float, factor: float) -> "Normals":
        """The distribution of what is a fixed amount and a factor away."""
        return Normals(self.weights, by + factor * self.means, abs(factor) * self.sds)

    def mixed(self, weight: float, other: "Normals") -> "Normals":
        """This one with a probability, and another where it does not hold."""
        pairs = ((weight, self), (1 - weight, other))
        kept = [(w * n.weights, n.means, n.sds) for w, n in pairs if w > 0]
        return Normals(*(np.concatenate(part) for part in zip(*kept, strict=True)))

    def prior(self) -> Prior:
        """The same in the prior language."""
        parts = tuple(normal(float(f"{m:.4g}"), float(f"{s:.4g}")) for m, s in zip(self.means, self.sds, strict=True))
        if len(parts) == 1:
            return parts[0]
        shares = [round(float(w), 4) for w in self.weights]
        shares[int(np.argmax(shares))] += 1 - sum(shares)
        return Mixture(tuple(shares), parts)


@dataclass(frozen=True)
class Close:
    """A mixture of few components that comes close to another distribution.

    distance: the largest difference between the two distribution functions
    """

    normals: Normals
    distance: float


def close_to(whole: Normals) -> Close:
    """The mixture of fewest components, four at most, whose distribution function differs nowhere by more than 0.005.

    By the algorithm of expectation and maximisation, with the points of a grid in place of draws.
    """
    x = whole.grid()
    weight = whole.density(x)
    return _close(x, weight / weight.sum(), np.asarray(whole.below(x)))


def close_to_draws(draws: Array) -> Close:
    """The same of draws, (n,), which may be in any order."""
    x = np.quantile(draws, (np.arange(POINTS) + 0.5) / POINTS)
    return _close(x, np.full(POINTS, 1 / POINTS), (np.arange(POINTS) + 0.5) / POINTS)


def _close(x: Array, weight: Array, below: Array) -> Close:
    best = None
    for k in range(1, MOST + 1):
        fitted = _fitted(x, weight, k)
        distance = float(np.abs(fitted.below(x) - below).max())
        if best is None or distance < best.distance:
            best = Close(fitted, distance)
        if best.distance <= CLOSE:
            break
    assert best is not None
    return best


def _fitted(x: Array, weight: Array, k: int) -> Normals:
    """k components, which begin at the same centre with spreads that differ, moved a little apart."""
    mean = float(weight @ x)
    sd = float(np.sqrt(weight @ (x - mean) ** 2))
    factor = np.geomspace(0.6, 1.6, k) if k > 1 else np.ones(1)
    now = Normals(np.full(k, 1 / k), mean + 0.1 * sd * (np.arange(k) - (k - 1) / 2), sd * factor)
    for _ in range(ROUNDS if k > 1 else 1):
        z = (x[:, None] - now.means) / now.sds
        share = np.exp(-(z**2) / 2) * now.weights / now.sds
        share = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-300) * weight[:, None]
        total = share.sum(axis=0)
        means = (share * x[:, None]).sum(axis=0) / total
        sds = np.sqrt((share * (x[:, None] - means) ** 2).sum(axis=0) / total)
        now = Normals(total / total.sum(), means, np.maximum(sds, 1e-6 * sd))
    return now


__all__ = ["Close", "Normals", "close_to", "close_to_draws"]
