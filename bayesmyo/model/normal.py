"""The algebra of normal effects, stated once: integrated out of a likelihood, drawn back afterwards, and moved to where
data want them.

Given the population parameters, a patient's measurements on the link scale are y = curve + Z b + e with b ~ Normal(0, L
L') and e ~ Normal(0, P^-1), because every trajectory is linear in the coefficients in which patients differ. With W = Z
L and

    M = I + W' P W,   u = W' P (y - curve),   M = C C',   h = C^-1 u

- a patient contributes -1/2 [sum log(2 pi / P) + (y - curve)' P (y - curve) + log det M - h'h] to the likelihood, the
  effects integrated out: what is left for the sampler is a handful of parameters without a funnel, and it mixes at any
  number of visits;
- the effects are b = L z with z | y ~ Normal(M^-1 u, M^-1): z = C'^-1 (h + a standard normal) draws them, exactly;
- and where normal measurements only stand for others, z = C'^-1 (h + t) is where a sampler of t looks for them
  (`informed.py`).

Outcomes whose effects are correlated are taken together, each with a precision of its own. Where an effect is
correlated with one that
is sampled, its distribution given the sampled one is what is meant: the sampled come first in the Cholesky factor, so
    that theirs
is a part of the curve, and L the rest.

Everything is kept as vectors over patients, a list for each column of effects: they compile in half the time of one
matrix.

References
----------
Lindstrom and Bates (1988), https://doi.org/10.1080/01621459.1988.10478693.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmyo.study.predictors import Effect

LOG_2PI = float(np.log(2 * np.pi))

Whiten = Callable[
    [Any, Any], tuple[Any, Any]
]  # (V, right sides) -> C^-1 of them, and the sum of log diagonals of every C
Sum = Callable[[Any], Any]  # (..., cell) -> (..., patient), over each patient's cells


@dataclass(frozen=True)
class Piece:
    """One outcome's normal cells, and how they move with the standardised effects of the columns that are taken
    together.

    Parameters
    ----------
    residual
        (..., cell) measurement minus curve.
    weights
        (..., cell) W, one for each column; None where it is zero throughout.
    precision
        One over the residual variance: of all cells, or (..., cell) of each where `by_cell` says so.
    patient
        (cell,) whose each is.
    log_scale
        The sum of the cells' log residual SDs; only a likelihood needs it.
    """

    residual: Any
    weights: Sequence[Any]
    precision: Any
    patient: Any
    by_cell: bool = False
    log_scale: Any = 0.0


@dataclass(frozen=True)
class Factored:
    """M = C C' and h = C^-1 u of every patient: C by rows, (..., patient) each; `log_det` is that of C."""

    c: list[list[Any]]
    half: list[Any]
    log_det: Any

    def moved(self, by: Sequence[Any]) -> list[Any]:
        """z = C'^-1 (h + by), (..., patient) for each column."""
        k = len(self.half)
        z: list[Any] = [None] * k
        for i in reversed(range(k)):
            z[i] = (self.half[i] + by[i] - sum(self.c[j][i] * z[j] for j in range(i + 1, k))) / self.c[i][i]
        return z


def factored(pieces: Sequence[Piece], columns: int, sum_of: Callable[[Any], Sum], xp: Any) -> Factored:
    """M and u of all pieces, summed over each patient's cells, and M's Cholesky factor, column by column.

    sum_of: as `sums` makes it; `xp` is `numpy` or `pytensor.tensor`
    """
    u: list[Any] = [0.0] * columns
    m: list[list[Any]] = [[1.0 if i == j else 0.0 for j in range(i + 1)] for i in range(columns)]
    for piece in pieces:
        add = sum_of(piece.patient)
        # one precision for all stands outside of the sums, which then are the same under every value of it
        inside, outside = (piece.precision, 1.0) if piece.by_cell else (1.0, piece.precision)
        w = [None if w_i is None else xp.ones_like(piece.residual) * w_i for w_i in piece.weights]
        for i, w_i in enumerate(w):
            if w_i is None:
                continue
            scaled = inside * w_i
            u[i] = u[i] + outside * add(scaled * piece.residual)
            for j in range(i + 1):
                if w[j] is not None:
                    m[i][j] = m[i][j] + outside * add(scaled * w[j])
    c: list[list[Any]] = [[None] * columns for _ in range(columns)]
    half: list[Any] = []
    log_det: Any = 0.0
    for i in range(columns):
        for j in range(i):
            c[i][j] = (m[i][j] - sum(c[i][k] * c[j][k] for k in range(j))) / c[j][j]
        c[i][i] = xp.sqrt(m[i][i] - sum(c[i][k] ** 2 for k in range(i)))
        log_det = log_det + xp.log(c[i][i])
        half.append((u[i] - sum(c[i][k] * half[k] for k in range(i))) / c[i][i])
    return Factored(c, half, log_det)


def log_likelihood(pieces: Sequence[Piece], f: Factored, pt: Any) -> Any:
    """The log likelihood of the pieces' cells, the effects integrated out; a scalar PyTensor expression.

    f: as `factored` makes it of the pieces
    """
    total: Any = 0.0
    for piece in pieces:
        inside, outside = (piece.precision, 1.0) if piece.by_cell else (1.0, piece.precision)
        squares = outside * pt.sum(inside * piece.residual**2)
        total = total - 0.5 * (piece.residual.shape[0] * LOG_2PI + squares) - piece.log_scale
    return total + pt.sum(0.5 * sum(h**2 for h in f.half) - f.log_det)


def draw_standard(pieces: Sequence[Piece], columns: int, patients: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Standardised effects z (..., patient), one array for each column, from their exact conditional distribution.

    A patient without measurements gets effects from their distribution in the population.
    """
    f = factored(pieces, columns, sums(patients, np), np)
    shape = np.broadcast_shapes((patients,), *(np.shape(h) for h in f.half))
    return f.moved(list(rng.standard_normal((columns, *shape))))


def sums(patients: int, xp: Any) -> Callable[[Any], Sum]:
    """Who each cell's patient is, (cell,) -> sums over each patient's cells; zero where there are none."""
    if xp is not np:
        return lambda patient: lambda x: xp.zeros(patients)[patient].inc(x)

    def of(patient: np.ndarray) -> Sum:
        order = np.argsort(patient, kind="stable")
        present, starts = np.unique(patient[order], return_index=True)

        def add(x: np.ndarray) -> np.ndarray:
            total = np.zeros((*x.shape[:-1], patients))
            if len(order):
                every = np.broadcast_to(x, (*x.shape[:-1], len(order)))
                total[..., present] = np.add.reduceat(every[..., order], starts, axis=-1)
            return total

        return add

    return of


def together(integrated: Sequence[Effect], joined: Sequence[Sequence[Effect]]) -> list[list[Effect]]:
    """The integrated effects that must be integrated together: those of one outcome, and those that are correlated."""
    groups: list[list[Effect]] = []
    links = [[e for e in block if e in integrated] for block in joined]
    links += [
        [e for e in integrated if e.outcome == outcome] for outcome in dict.fromkeys(e.outcome for e in integrated)
    ]
    for link in links:
        touched = [g for g in groups if any(e in g for e in link)]
        merged = list(dict.fromkeys([e for g in touched for e in g] + list(link)))
        groups = [g for g in groups if g not in touched] + ([merged] if merged else [])
    return groups


def weights(
    group: Sequence[Effect],
    outcome: str,
    loadings: Mapping[str, Any],
    sds: Mapping[str, Any],
    rows: Mapping[Effect, Mapping[Effect, Any]],
) -> list[Any]:
    """W = Z L of one outcome's cells, one for each column of the group; None where a column does not touch the outcome.

    loadings, sds: by effect key; rows: each effect's row of the Cholesky factor, by the column's effect
    """
    listed: list[Any] = []
    for column in group:
        parts = [
            loadings[e.key] * (sds[e.key] * rows[e][column])
            for e in group
            if e.outcome == outcome and column in rows[e]
        ]
        listed.append(sum(parts[1:], parts[0]) if parts else None)
    return listed


def whitened(piece: Piece, own: Any, covariance: Any, patient: Any, xp: Any, whiten: Whiten) -> Piece:
    """The same cells with residuals that hang together, in coordinates in which they do not: C^-1 of residuals and
    weights, C C' = V.

    own: (group, most) positions of the cells that hang together, negative where there are no more; covariance: (...,
        group, most, most) V
    of them; patient: (group,) whose they are. Where a group has no more cells, V is one, the residual is zero, and
    `log_scale` takes off again what the density of a normal is there.
    """
    most, there = own.shape[1], own >= 0
    place = xp.where(there, own, 0)
    columns = [piece.residual, *(w for w in piece.weights if w is not None)]
    right = [xp.where(there, (x + 0.0 * piece.residual)[..., place], 0.0) for x in columns]
    full = xp.where(there[:, :, None] & there[:, None, :], covariance, xp.eye(most))
    solved, log_det = whiten(full, xp.stack(right, axis=-1))
    lead = right[0].shape[:-2]
    residual, *rest = (solved[..., k].reshape((*lead, own.shape[0] * most)) for k in range(len(columns)))
    weights = [None if w is None else rest.pop(0) for w in piece.weights]
    log_scale = log_det - xp.sum(~there) * LOG_2PI / 2
    return Piece(residual, weights, xp.ones(1), xp.repeat(patient, most), log_scale=log_scale)


def whiten(covariance: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """C^-1 of right sides, (..., n, k), and the sum of the logarithms of the diagonals of every C; covariance: (..., n,
    n) V = C C'.
    """
    factor = np.linalg.cholesky(covariance)
    return np.linalg.solve(factor, right), np.sum(np.log(np.diagonal(factor, axis1=-2, axis2=-1)))


def joined(pieces: Sequence[Piece], own: Any, patient: Any, correlation: Any, xp: Any, whiten: Whiten) -> Piece:
    """Outcomes whose residuals are correlated at a visit as one piece, in coordinates in which they are not.

    own: (visit, outcome) positions among the cells of all pieces, one's after the other's, negative where an outcome
        was not measured
    patient: (visit,) whose each is; correlation: (..., outcome, outcome) of their residuals
    """

    def every(values: Sequence[Any]) -> Any:
        return xp.concatenate([v + xp.zeros_like(p.residual) for v, p in zip(values, pieces, strict=True)], axis=-1)

    listed = list(zip(*(p.weights for p in pieces), strict=True))
    weights = [None if all(w is None for w in ws) else every([0.0 if w is None else w for w in ws]) for ws in listed]
    sigma = every([p.precision**-0.5 for p in pieces])[..., xp.maximum(own, 0)]
    covariance = sigma[..., :, None] * sigma[..., None, :] * correlation
    return whitened(
        Piece(every([p.residual for p in pieces]), weights, 1.0, None), own, covariance, patient, xp, whiten
    )


__all__ = [
    "LOG_2PI",
    "Factored",
    "Piece",
    "draw_standard",
    "factored",
    "joined",
    "log_likelihood",
    "sums",
    "together",
    "weights",
    "whiten",
    "whitened",
]
