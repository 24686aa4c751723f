"""Correlation matrices by their partial correlations: any number of effects, no matrix to check for being one.

A correlation matrix of k effects is k (k - 1) / 2 partial correlations, each free in (-1, 1). Under LKJ(eta) they are
independent: in column j (from 0) of the Cholesky factor each is Beta(a, a) on (-1, 1) with a = eta + (k - 2 - j) / 2.
Reference: Lewandowski, Kurowicka and Joe (2009), https://doi.org/10.1016/j.jmva.2009.04.008.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from bayesmyo.components.priors import Joint, lkj


def shapes(eta: float, effects: int) -> np.ndarray:
    """The shape of the Beta distribution of each partial correlation.

    Parameters
    ----------
    eta
        Of the LKJ distribution: 1 is uniform over correlation matrices, larger ones hold to zero.
    effects
        How many numbers are correlated.

    Returns
    -------
    ndarray of shape (pairs,)
        Row by row below the diagonal.
    """
    return np.array([eta + (effects - 2 - j) / 2 for i in range(effects) for j in range(i)])


def marginal(eta: float, effects: int) -> float:
    """The eta of the LKJ distribution of two effects that each single correlation of a larger matrix follows."""
    return eta + (effects - 2) / 2


def cholesky(partials: Sequence[Any], effects: int, xp: Any) -> list[list[Any]]:
    """The lower Cholesky factor of a correlation matrix.

    Parameters
    ----------
    partials
        The partial correlations below the diagonal, row by row; arrays broadcast.
    xp
        `numpy` or `pytensor.tensor`.

    Returns
    -------
    list of lists
        Row i holds its i + 1 elements, and has unit length.
    """
    rows: list[list[Any]] = []
    position = 0
    for i in range(effects):
        row: list[Any] = []
        left: Any = 1.0  # what is left of the row's unit length
        for _ in range(i):
            z = partials[position]
            position += 1
            row.append(z * xp.sqrt(left))
            left = left * (1 - z**2)
        row.append(xp.sqrt(left) if i else 1.0)
        rows.append(row)
    return rows


def correlations(rows: Sequence[Sequence[Any]]) -> dict[tuple[int, int], Any]:
    """(earlier, later) -> correlation, from a Cholesky factor with rows of unit length."""
    return {
        (j, i): sum(a * b for a, b in zip(rows[i], rows[j], strict=False)) for i in range(len(rows)) for j in range(i)
    }


def draw(
    rng: np.random.Generator, size: tuple[int, ...], eta: float, effects: int
) -> dict[tuple[int, int], np.ndarray]:
    """Correlations of LKJ(eta), drawn with NumPy.

    Returns
    -------
    dict
        (earlier, later) -> draws of shape `size`.
    """
    a = shapes(eta, effects)
    partials = 2 * rng.beta(a, a, (*size, len(a))) - 1
    return correlations(cholesky(list(np.moveaxis(partials, -1, 0)), effects, np))


@dataclass(frozen=True)
class CorrelationMatrix(Joint):
    """LKJ(eta) over the correlations of `size` numbers, called `stem_1_2`, `stem_1_3`, ..., `stem_2_3`, ..."""

    stem: str
    size: int
    eta: float

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        return tuple(combinations(range(self.size), 2))

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(f"{self.stem}_{i + 1}_{j + 1}" for i, j in self.pairs)

    def __str__(self) -> str:
        return f"lkj({self.eta:g})"

    def variables(self, pm: Any, prefix: str) -> tuple[Any, ...]:
        a = shapes(self.eta, self.size)
        half = pm.Beta(f"{prefix}{self.stem}_half", a, a, shape=len(a))
        rows = cholesky([2 * half[i] - 1 for i in range(len(a))], self.size, pm.math.pt)
        by_pair = correlations(rows)
        named = zip(self.names, self.pairs, strict=True)
        return tuple(pm.Deterministic(prefix + name, by_pair[pair]) for name, pair in named)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...] = ()) -> tuple[np.ndarray, ...]:
        by_pair = draw(rng, size, self.eta, self.size)
        return tuple(by_pair[pair] for pair in self.pairs)

    def quantile(self, position: int, p: float) -> float:
        return lkj(marginal(self.eta, self.size)).quantile(p)
