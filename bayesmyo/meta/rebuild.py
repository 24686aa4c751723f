"""Which parameters could have given a few printed numbers: approximate Bayesian computation with regression adjustment.

Parameters are drawn from their priors, and the numbers that their data would print are simulated. First, a regression of
the numbers on the parameters says which of these have a chance of what was printed, and only such are simulated further:
the prior is cut off where the likelihood is next to nothing. Then each kept draw is moved to where it would have been had
it given just the printed numbers, by a regression of parameters on numbers in their neighbourhood, and its distance from
that line is scaled likewise.

References: Beaumont, Zhang and Balding (2002), https://doi.org/10.1093/genetics/162.4.2025; Blum and Francois (2010),
https://doi.org/10.1007/s11222-009-9116-0 (spread); Deistler, Goncalves and Macke (2022),
https://doi.org/10.48550/arXiv.2210.04815 (a truncated prior).
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import special

Array = np.ndarray
NEAR = 0.5  # share of the draws in the neighbourhood
POSSIBLE = 0.9999  # of the distance of what is possible: beyond its quantile nothing is simulated
SLACK = 1.5  # by which that distance is widened, because a regression is not quite right
RIDGE = 1e-3  # what keeps a regression on many parameters steady, in their variance
NEARLY = 1e-6  # from a correlation of one
SAME = 1e-6  # SDs: what is left of a number that follows from others
MOST = 3.0  # by which a distance may be scaled


@dataclass(frozen=True, eq=False)
class Scores:
    """Numbers as normal quantiles of their ranks among simulated ones, so that a few of them far away count little.

    ordered: (n, number) the simulated ones, each column in order
    """

    ordered: Array

    @classmethod
    def among(cls, simulated: Array) -> "Scores":
        return cls(np.sort(simulated, axis=0))

    def of(self, numbers: Array) -> Array:
        """(..., number) scores; numbers that are equal have one score between them."""
        return np.asarray(special.ndtri(self.below(numbers)))

    def below(self, numbers: Array) -> Array:
        """(..., number) the share of simulated numbers below each, never none or all."""
        columns = list(enumerate(self.ordered.T))
        first, last = (
            np.stack([np.searchsorted(column, numbers[..., k], side) for k, column in columns], axis=-1)
            for side in ("left", "right")
        )
        return np.asarray(((first + last) / 2 + 0.5) / (len(self.ordered) + 1))


@dataclass(frozen=True, eq=False)
class Expected:
    """The scores that parameters lead to on average, by least squares on each parameter and its square.

    centre, spread: (parameter,); coefficients: (term, score); precision: (score, score) of what is left
    """

    centre: Array
    spread: Array
    coefficients: Array
    precision: Array

    @classmethod
    def fitted(cls, parameters: Array, scores: Array) -> "Expected":
        centre, spread = parameters.mean(axis=0), parameters.std(axis=0)
        terms = _terms(parameters, centre, spread)
        coefficients = _least_squares(terms, scores, np.ones(len(terms)), RIDGE)
        left = scores - terms @ coefficients
        freedom = max(1, len(terms) - terms.shape[1])
        return cls(centre, spread, coefficients, np.linalg.inv(left.T @ left / freedom))

    def possible(self, parameters: Array, observed: Array) -> Array:
        """(n,) whether parameters have a chance of the observed scores."""
        distance = self.distance(_terms(parameters, self.centre, self.spread) @ self.coefficients, observed)
        return np.asarray(distance <= SLACK * special.chdtri(len(observed), 1 - POSSIBLE))

    def distance(self, scores: Array, observed: Array) -> Array:
        """(n,) squared, in SDs of what is left."""
        apart = scores - observed
        return np.asarray(np.einsum("nk,kl,nl->n", apart, self.precision, apart))


def adjusted(parameters: Array, scores: Array, observed: Array, expected: Expected) -> tuple[Array, Array]:
    """Draws of parameters given the observed scores.

    Parameters
    ----------
    parameters, scores : (n, parameter), (n, score)
        Draws of a prior, and what each gave.
    observed : (score,)
        What was printed.
    expected : Expected
        Says what is near.

    Returns
    -------
    (m, parameter), (m,)
        Adjusted draws of the neighbourhood, and their weights, which add up to one.
    """
    distance = np.sqrt(expected.distance(scores, observed))
    width = np.quantile(distance, NEAR)
    kept = distance < width
    weight = 1 - (distance[kept] / width) ** 2  # Epanechnikov's
    apart, of = scores[kept] - observed, parameters[kept]
    line = _line(apart, of, weight)
    left = of - line[0] - apart @ line[1:]
    size = _line(apart, np.log(left**2 + 1e-12 * of.var(axis=0)), weight)
    scaled = np.exp(np.clip(-apart @ size[1:] / 2, -np.log(MOST), np.log(MOST)))
    weight = weight / weight.sum()
    enough = 1 / float(weight @ weight)  # equal draws that are worth as much
    wider = np.sqrt(
        (enough + len(line)) / max(enough - len(line), 1.0)
    )  # what the line took from the residuals, and its own error
    return line[0] + left * scaled * wider, weight


def redundant(numbers: Array) -> list[int]:
    """Columns of (n, number) that are sums of multiples of those before them, such as the last of several counts that
    add up to all.
    """
    kept, listed = [np.ones(len(numbers))], []
    for k, column in enumerate(numbers.T):
        basis = np.stack(kept, axis=1)
        left = column - basis @ np.linalg.lstsq(basis, column)[0]
        if left.std() <= SAME * column.std():
            listed.append(k)
        else:
            kept.append(column)
    return listed


def at_odds(scores: Array, observed: Array) -> tuple[int, ...]:
    """The two observed scores that are furthest from what scores (n, score) let expect of them together, as if normal."""
    pairs = list(combinations(range(len(observed)), 2))
    if not pairs:
        return (0,)
    related = np.corrcoef(scores, rowvar=False)
    apart = []
    for i, j in pairs:
        r = min(max(related[i, j], -1 + NEARLY), 1 - NEARLY)
        apart.append((observed[i] ** 2 - 2 * r * observed[i] * observed[j] + observed[j] ** 2) / (1 - r**2))
    return pairs[int(np.argmax(apart))]


def resampled(weights: Array, size: int, rng: np.random.Generator) -> Array:
    """(size,) positions, each as often as its weight says: systematic resampling."""
    return np.searchsorted(np.cumsum(weights), (np.arange(size) + rng.random()) / size).clip(max=len(weights) - 1)


def _terms(parameters: Array, centre: Array, spread: Array) -> Array:
    z = (parameters - centre) / spread
    return np.concatenate([np.ones((len(z), 1)), z, z**2 - 1], axis=1)


def _line(x: Array, y: Array, weight: Array) -> Array:
    """(1 + column of x, column of y) weighted regression; slopes are drawn towards zero by what chance alone would give,
    1 - 1 / F of each column of y (James and Stein).
    """
    weight = weight / weight.sum()
    centre, mean = weight @ x, weight @ y
    slopes = _least_squares(x - centre, y - mean, weight, RIDGE)
    fitted = (x - centre) @ slopes
    freedom = 1 / float(weight @ weight) - x.shape[1] - 1
    explained, left = weight @ fitted**2, weight @ (y - mean - fitted) ** 2
    chance = left / max(freedom, 1.0) * x.shape[1]
    slopes = slopes * np.maximum(0.0, 1 - chance / np.where(explained > 0, explained, np.inf))
    return np.concatenate([(mean - centre @ slopes)[None], slopes])


def _least_squares(x: Array, y: Array, weight: Array, ridge: float) -> Array:
    """(column of x, column of y) slopes, weighted; ridge: in the variance of each column of x."""
    inner = (x.T * weight) @ x
    return np.asarray(np.linalg.solve(inner + ridge * np.diag(np.diag(inner)), (x.T * weight) @ y))


__all__ = ["Expected", "Scores", "adjusted", "at_odds", "redundant", "resampled"]
