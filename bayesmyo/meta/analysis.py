"""A meta-analysis of few studies, by quadrature: exact, and without sampling.

Study h has theta_h ~ Normal(theta, tau) on the link scale; what it published tells of theta_h. What all of them say of
the theta of another study like them is the meta-analytic predictive distribution.

References: Neuenschwander et al. (2010), https://doi.org/10.1177/1740774509356002; Schmidli et al. (2014),
https://doi.org/10.1111/biom.12242.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from bayesmyo.components.priors import Prior
from bayesmyo.meta.normals import LOG_ROOT_2PI, Normals

Array = np.ndarray
TAUS = 80  # nodes
THETAS = np.linspace(-8.0, 8.0, 97)  # nodes, in SDs around where theta is thought to be
OWN = np.linspace(-7.0, 7.0, 43)  # nodes of a study's own value
SLIGHT = 1e-7  # weight of a node that tells nothing, beside the heaviest


class Told(ABC):
    """What one study published of its theta, on the link scale."""

    @property
    @abstractmethod
    def about(self) -> tuple[float, float]:
        """About where its theta is, and the standard error of that."""

    @abstractmethod
    def given(self, theta: Array, tau: Array) -> tuple[Array, Array, Array]:
        """(tau, theta) log likelihood where its own theta_h ~ Normal(theta, tau), and the mean and mean square of
        theta_h then. theta: (tau, theta); tau: (tau, 1)
        """


@dataclass(frozen=True)
class NormalSummary(Told):
    """An estimate with its standard error, on the link scale: normal."""

    value: float
    se: float

    @property
    def about(self) -> tuple[float, float]:
        return self.value, self.se

    def given(self, theta: Array, tau: Array) -> tuple[Array, Array, Array]:
        own = tau**2 / (tau**2 + self.se**2)  # what the study's own estimate counts
        mean = theta + own * (self.value - theta)
        return _log_normal(self.value, theta, np.hypot(tau, self.se)), mean, mean**2 + own * self.se**2


@dataclass(frozen=True)
class BinomialSummary(Told):
    """So many of so many, on the logit: binomial."""

    events: int
    patients: int

    @property
    def about(self) -> tuple[float, float]:
        p = (self.events + 0.5) / (self.patients + 1)
        return float(special.logit(p)), float(1 / np.sqrt((self.patients + 1) * p * (1 - p)))

    def given(self, theta: Array, tau: Array) -> tuple[Array, Array, Array]:
        # the nodes lie around where likelihood and Normal(theta, tau) together are, so few are enough
        value, se = self.about
        own = tau**2 / (tau**2 + se**2)
        centre, sd = theta + own * (value - theta), np.sqrt(own) * se
        x = centre[..., None] + sd[..., None] * OWN
        log = self.events * special.log_expit(x) + (self.patients - self.events) * special.log_expit(-x)
        log = log + _log_normal(x, theta[..., None], tau[..., None])
        most = log.max(axis=-1, keepdims=True)
        weight = np.exp(log - most)
        total = weight.sum(axis=-1)
        mean, square = ((weight * x**p).sum(axis=-1) / total for p in (1, 2))
        return most[..., 0] + np.log(total * sd * (OWN[1] - OWN[0])), mean, square


@dataclass(frozen=True, eq=False)
class MetaAnalysis:
    """What several studies say of theta, of tau, and of the theta of another study.

    weights: (tau, theta) posterior weight of each node; theta: (tau, theta); tau: (tau,)
    gap: (tau,) distance between neighbouring nodes of theta
    own: mean and SD of each study's theta_h, in view of the others
    """

    weights: Array
    theta: Array
    tau: Array
    gap: Array
    own: tuple[tuple[float, float], ...]

    @property
    def mean(self) -> tuple[float, float]:
        """Mean and SD of theta."""
        mean = float((self.weights * self.theta).sum())
        return mean, float(np.sqrt((self.weights * (self.theta - mean) ** 2).sum()))

    @property
    def tau_mean(self) -> float:
        return float(self.weights.sum(axis=1) @ self.tau)

    def tau_quantile(self, p: float) -> float:
        """Between the nodes, the distribution function is taken to be straight."""
        w = self.weights.sum(axis=1)
        return float(np.interp(p, np.cumsum(w) - w / 2, self.tau))

    @cached_property
    def predictive(self) -> Normals:
        """Of the theta of another study: Normal(theta, tau) at every node.

        Between nodes, each stands for a normal distribution as wide as the gap; that theta then varies no more than it
        does, the nodes are drawn together by as much.
        """
        w = self.weights.sum(axis=1, keepdims=True)
        w = np.where(w > 0, w, 1.0)
        centre = (self.weights * self.theta).sum(axis=1, keepdims=True) / w
        variance = (self.weights * (self.theta - centre) ** 2).sum(axis=1, keepdims=True) / w
        gap = self.gap[:, None]
        together = np.sqrt(np.maximum(1 - gap**2 / np.where(variance > 0, variance, 1.0), 0.0))
        means = centre + together * (self.theta - centre)
        sds = np.broadcast_to(np.sqrt(self.tau[:, None] ** 2 + gap**2), means.shape)
        kept = self.weights > SLIGHT * self.weights.max()
        return Normals(self.weights[kept] / self.weights[kept].sum(), means[kept], sds[kept])


def meta_analysis(told: Sequence[Told], theta: Normals, tau: Prior) -> MetaAnalysis:
    """What studies say together.

    Parameters
    ----------
    told : sequence of Told
        What each published, on the link scale.
    theta : Normals
        The prior of theta.
    tau : Prior
        Of the SD between studies, positive. With two or three studies the answer hangs on it.
    """
    u, share = np.polynomial.legendre.leggauss(TAUS)
    if tau.constant:
        u, share = np.zeros(1), np.full(1, 2.0)
    taus = np.array([max(tau.quantile(p), 1e-9) for p in (u + 1) / 2])[:, None]
    # around where theta is thought to be, by what is nearly normal
    values, errors = np.array([t.about for t in told]).T
    precision = 1 / (taus**2 + errors**2)
    variance = 1 / (1 / theta.sd**2 + precision.sum(axis=1, keepdims=True))
    centre = variance * (theta.mean / theta.sd**2 + (precision @ values)[:, None])
    thetas = centre + np.sqrt(variance) * THETAS
    gap = np.sqrt(variance[:, 0]) * (THETAS[1] - THETAS[0])
    log = theta.log_density(thetas) + np.log(share * gap)[:, None]
    known = [t.given(thetas, taus) for t in told]
    log = log + sum(likelihood for likelihood, _, _ in known)
    weights = np.exp(log - log.max())
    weights = weights / weights.sum()
    own = []
    for _, mean, square in known:
        m = float((weights * mean).sum())
        own.append((m, float(np.sqrt((weights * square).sum() - m**2))))
    return MetaAnalysis(weights, thetas, taus[:, 0], gap, tuple(own))


def _log_normal(x: Array | float, mean: Array, sd: Array) -> Array:
    return np.asarray(-(((x - mean) / sd) ** 2) / 2 - np.log(sd) - LOG_ROOT_2PI)


__all__ = ["BinomialSummary", "MetaAnalysis", "NormalSummary", "Told", "meta_analysis"]
