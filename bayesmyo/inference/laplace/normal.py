"""The joint normal approximation of a posterior at its mode, in blocks: population parameters, and each patient's
effects given them.

With second derivatives -[A B'; B C], where C has one block for each patient, the parameters are normal with covariance
(A - B' C^-1 B)^-1, and the effects of patient i given parameters theta have mean c_i - G_i (theta - m), where
G_i = C_i^-1 B_i, and covariance C_i^-1: nothing larger than the number of parameters is ever factorised, and the cost
grows with the number of patients, not with its cube. B and C come from differences of gradients, in which all patients
are moved at once.

The mean is moved by the second-order term of the expansion around the mode, 1/2 V sum_k D^2 g [v_k, v_k] with V the
covariance, v_k the columns of a factor of it and g the gradient: a skewed posterior has its mean beside its mode.
Reference: Tierney and Kadane (1986), https://doi.org/10.1080/01621459.1986.10478240; Rue, Martino and Chopin (2009),
https://doi.org/10.1111/j.1467-9868.2008.00700.x.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from bayesmyo.inference.laplace.density import Density

Array = np.ndarray
STEP = 1e-3  # posterior SDs of a difference of gradients; those of the first are in units of the vector
FIRST = 1e-4
BENT = 0.5  # posterior SDs of a second difference
NEAR = 1e-3  # the mode is reached where the expected gain in log density is less
NEWTON = 8  # steps at most
AFAR, OTHER = 10.0, 3.0  # posterior SDs: from where another mode is sought, how far from the first it is another
NEGLIGIBLE = 12.0  # by which a mode's log density is lower where it does not matter
VALLEY, PLACES = 2.0, 9  # by which it is lower between two modes that are apart, and where one looks
DENSE = 300  # numbers in a vector up to which one matrix is quicker than blocks
FAR = 1e10  # what stands for a density of zero


class NoApproximationError(Exception):
    """The posterior has no mode that was reached, or is flat or not finite around it."""


@dataclass(frozen=True, eq=False)
class Approximation:
    """A normal approximation of a posterior.

    density : of which
    m, root : (D,), (D, D) mean of the population parameters, and R with R R' their covariance, triangular
    c, slopes, roots : (patient, K), (patient, K, D), (patient, K, K) of the effects: mean at m; by how much less for
        each unit of a parameter; R with R' R the covariance
    """

    density: Density
    m: Array
    root: Array
    c: Array
    slopes: Array
    roots: Array

    @cached_property
    def mean(self) -> Array:
        """(n,) as one vector."""
        return self.vectors(np.zeros((1, len(self.m))), np.zeros((1, *self.c.shape)))[0]

    def vectors(self, z: Array, e: Array) -> Array:
        """(draw, n) vectors of standardised parameters (draw, D) and effects (draw, patient, K)."""
        theta = z @ self.root.T
        x = np.empty((len(z), len(self.m) + self.c.size))
        x[:, self.density.population] = self.m + theta
        moved = np.einsum("ilk,sil->sik", self.roots, e) - np.einsum("ikd,sd->sik", self.slopes, theta)
        x[:, self.density.effects] = self.c + moved
        return x

    def standardised(self, x: Array) -> tuple[Array, Array]:
        """The way back from vectors (draw, n)."""
        theta = x[:, self.density.population] - self.m
        z = np.linalg.solve(self.root, theta.T).T
        e = x[:, self.density.effects] - self.c + np.einsum("ikd,sd->sik", self.slopes, theta)
        return z, np.linalg.solve(self.roots.transpose(0, 2, 1), e[..., None])[..., 0]

    @cached_property
    def _columns(self) -> Array:
        """(n, n) by which a vector moves with each standardised coordinate."""
        return self.unfolded(np.eye(len(self.density.start))) - self.mean

    def unfolded(self, s: Array) -> Array:
        """(draw, n) vectors of standardised ones (draw, n), parameters first."""
        d = len(self.m)
        return self.vectors(s[:, :d], s[:, d:].reshape(len(s), *self.c.shape))

    def folded(self, x: Array) -> Array:
        """(n,) one vector, standardised."""
        z, e = self.standardised(x[None])
        return np.concatenate([z.ravel(), e.ravel()])

    def at(self, s: Array) -> tuple[float, Array]:
        """The log density at a standardised vector (n,), and its gradient there (n,)."""
        if len(s) <= DENSE:
            log, gradient = self.density.at(self.mean + s @ self._columns)
            return log, self._columns @ gradient
        log, gradient = self.density.at(self.unfolded(s[None])[0])
        z, e = self.gradient(gradient)
        return log, np.concatenate([z, e.ravel()])

    def gradient(self, g: Array) -> tuple[Array, Array]:
        """A gradient (n,) with respect to standardised parameters (D,) and effects (patient, K)."""
        effects = g[self.density.effects]
        z = self.root.T @ (g[self.density.population] - np.einsum("ikd,ik->d", self.slopes, effects))
        return z, np.einsum("ilk,ik->il", self.roots, effects)

    def step(self, g: Array) -> Array:
        """The covariance times a vector (n,): where Newton's method goes from a gradient."""
        z, e = self.gradient(g)
        return np.asarray(self.vectors(z[None], e[None])[0] - self.mean)

    def moved(self, by: Array) -> "Approximation":
        """The same around another mean. by: (n,)"""
        return replace(self, m=self.m + by[self.density.population], c=self.c + by[self.density.effects])

    def shifted(self) -> "Approximation":
        """With its mean moved by the second-order term. Raises NoApproximationError where the density is not finite."""
        at, centre = self.mean, self.density.at(self.mean)[1]
        units, none = np.eye(len(self.m)), np.zeros(self.c.shape)
        columns = [self.vectors(z[None], none[None])[0] - at for z in units]
        for k in range(self.c.shape[1]):
            e = none.copy()
            e[:, k] = 1.0
            columns.append(self.vectors(np.zeros((1, len(self.m))), e[None])[0] - at)
        bent = np.zeros(len(at))
        for v in columns:
            bent += (self.density.at(at + BENT * v)[1] + self.density.at(at - BENT * v)[1] - 2 * centre) / BENT**2
        if not np.isfinite(bent).all():
            raise NoApproximationError("its density is not finite near its mode")
        return self.moved(self.step(bent) / 2)

    def alone(self, rng: np.random.Generator) -> None:
        """Raises NoApproximationError where another mode is met on the way back from afar, in one direction and its
        opposite, and the density is low between the two.
        """
        top = self.at(np.zeros(len(self.density.start)))[0]
        start = np.zeros(len(self.density.start))
        direction = rng.standard_normal(len(self.m))
        start[: len(self.m)] = AFAR * direction / max(1e-9, np.linalg.norm(direction))
        for side in (start, -start):
            end = _climbed(self.at, side, 1e-1, 1e-7)
            log, gradient = self.at(end)
            arrived = np.isfinite(log) and gradient @ gradient < 1
            if arrived and end @ end > OTHER**2 and log > top - NEGLIGIBLE:
                between = [self.at(share * end)[0] for share in np.linspace(0, 1, PLACES + 2)[1:-1]]
                if min(between) < min(log, top) - VALLEY:
                    raise NoApproximationError("it has more than one mode")

    def log_density(self, x: Array, tails: float, wider: float) -> Array:
        """(draw,) of vectors (draw, n), up to a constant that all approximations of one posterior share; parameters as
        `draws` says.
        """
        z, e = self.standardised(x)
        d = len(self.m)
        log_det = np.log(np.diagonal(self.root)).sum() + d * np.log(wider)
        t = gammaln((tails + d) / 2) - gammaln(tails / 2) - d / 2 * np.log(tails)
        t = t - log_det - (tails + d) / 2 * np.log1p((z**2).sum(1) / (tails * wider**2))
        # the effects' own determinant is that of the matrix of second derivatives at the mode, the same for all
        return np.asarray(t - (e**2).sum((1, 2)) / 2)

    def draws(self, size: int, rng: np.random.Generator, tails: float, wider: float) -> Array:
        """(size, n) vectors: parameters from a multivariate t distribution with so many degrees of freedom and so much
        wider, and effects from their normal distribution given them.
        """
        z = rng.standard_normal((size, len(self.m))) * wider / np.sqrt(rng.chisquare(tails, (size, 1)) / tails)
        return self.vectors(z, rng.standard_normal((size, *self.c.shape)))


def approximate(density: Density) -> Approximation:
    """The approximation at the mode. Raises NoApproximationError where there is none."""
    x = _climbed(density.at, density.start, 1e-3, 1e-10)
    for _ in range(NEWTON):
        approximation = _at(density, x)
        gradient = density.at(x)[1]
        by = approximation.step(gradient)
        gain = gradient @ by / 2
        if not np.isfinite(gain):
            break
        if gain < NEAR:
            return approximation.moved(by)
        shorter = min(1.0, 1 / np.sqrt(gain))  # a step is no longer than the approximation can be believed
        x = x + shorter * by
    raise NoApproximationError("its mode was not reached")


def _climbed(at: Callable[[Array], tuple[float, Array]], start: Array, gradient: float, gain: float) -> Array:
    """(n,) where a log density is highest, as far as that is reached from a start. gradient, gain: at which it stops"""

    def negative(x: Array) -> tuple[float, Array]:
        log, slope = at(x)
        if not (np.isfinite(log) and np.isfinite(slope).all()):
            return FAR, np.zeros(len(x))
        return -log, -slope

    how = {"maxiter": 1000, "maxcor": 20, "gtol": gradient, "ftol": gain}
    return np.asarray(minimize(negative, start, jac=True, method="L-BFGS-B", options=how).x)


def _at(density: Density, x: Array) -> Approximation:
    sizes = np.full(len(x), FIRST)
    try:
        first = _curvature(density, x, sizes)
        sd = _sds(first)
        if (np.abs(np.log(STEP * sd / FIRST)) > np.log(30)).any():  # differences of another size are called for
            first = _curvature(density, x, STEP * sd)
    except np.linalg.LinAlgError:
        raise NoApproximationError("it is flat around its mode") from None
    return first


def _sds(a: Approximation) -> Array:
    """(n,) marginal standard deviations."""
    sd = np.empty(len(a.m) + a.c.size)
    sd[a.density.population] = np.sqrt((a.root**2).sum(1))
    sd[a.density.effects] = np.sqrt((a.roots**2).sum(1))
    return sd


def _curvature(density: Density, x: Array, sizes: Array) -> Approximation:
    """The approximation by central differences of gradients at x. sizes: (n,) of the differences

    Raises LinAlgError where the second derivatives are not those of a maximum.
    """

    def difference(step: Array) -> Array:
        d = density.at(x - step)[1] - density.at(x + step)[1]
        if not np.isfinite(d).all():
            raise NoApproximationError("its density is not finite near its mode")
        return d / 2

    parameters, effects = density.population, density.effects
    a, b, c = [], [], []
    for place in parameters:
        step = np.zeros(len(x))
        step[place] = sizes[place]
        d = difference(step) / sizes[place]
        a.append(d[parameters])
        b.append(d[effects])
    for k in range(effects.shape[1]):
        step = np.zeros(len(x))
        step[effects[:, k]] = sizes[effects[:, k]]
        c.append(difference(step)[effects] / sizes[effects[:, k], None])
    across = np.stack(b, axis=-1) if b else np.zeros((*effects.shape, 0))
    own = np.stack(c, axis=-1) if c else np.zeros((*effects.shape, 0))
    own = (own + own.transpose(0, 2, 1)) / 2
    roots = np.linalg.inv(np.linalg.cholesky(own))
    slopes = np.linalg.solve(own, across)
    whole = np.array(a).reshape(len(parameters), len(parameters))
    left = (whole + whole.T) / 2 - np.einsum("ikd,ike->de", across, slopes)
    root = np.linalg.inv(np.linalg.cholesky(left)).T
    return Approximation(density, x[parameters].copy(), root, x[effects].copy(), slopes, roots)
