"""Patients' effects integrated out of normal likelihoods in closed form, and drawn back afterwards.

Given the population parameters, a patient's measurements on the link scale are y = curve + Z b + e with b ~ Normal(0, L L')
and e ~ Normal(0, sigma^2), because every trajectory is linear in the coefficients in which patients differ. So the
sampler need not see the effects: with W = Z L, A = W'W / sigma^2, u = W'(y - curve) / sigma^2 and M = I + A, a patient contributes

    -1/2 [sum log(2 pi sigma^2) + |y - curve|^2 / sigma^2 + log det M - u' M^-1 u]

and afterwards b = L z with z | y ~ Normal(M^-1 u, M^-1), exactly. What is left for the sampler is a handful of parameters
without a funnel: it mixes at any number of visits. Reference: Lindstrom and Bates (1988), https://doi.org/10.1080/01621459.1988.10478693.

Outcomes whose effects are correlated are integrated together, each with a sigma of its own (a `Group`). Where an effect is
correlated with one that is sampled, its distribution given the sampled one is what is integrated: the sampled come first in the
Cholesky factor, so that theirs is a part of the curve, and L the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmyo.study.predictors import Effect

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Piece:
    """One outcome of a group: its normal cells, and how they move with the group's standardised effects.

    residual: (..., cell) measurement minus curve; weights: (..., cell) W, one for each of the group's columns, None where zero
    sigma: (...,) residual SD, or (..., cell) where measurements differ in it (`by_cell`); patient: (cell,)
    """

    residual: Any
    weights: Sequence[Any]
    sigma: Any
    patient: Any
    by_cell: bool = False
    log_scale: Any = (
        None  # the sum of log SDs of its cells, where residuals are already uncorrelated and of SD one (`whitened`)
    )


def groups(integrated: Sequence[Effect], joined: Sequence[Sequence[Effect]]) -> list[list[Effect]]:
    """The integrated effects that must be integrated together: those of one outcome, and those that are correlated."""
    found: list[list[Effect]] = []
    links = [[e for e in block if e in integrated] for block in joined]
    links += [
        [e for e in integrated if e.outcome == outcome] for outcome in dict.fromkeys(e.outcome for e in integrated)
    ]
    for link in links:
        touched = [g for g in found if any(e in g for e in link)]
        merged = list(dict.fromkeys([e for g in touched for e in g] + list(link)))
        found = [g for g in found if g not in touched] + ([merged] if merged else [])
    return found


def weights(
    group: Sequence[Effect], outcome: str, loadings: Mapping[str, Any], sds: Mapping[str, Any],
    rows: Mapping[Effect, Mapping[Effect, Any]],
) -> list[Any]:  # fmt: skip
    """W = Z L of one outcome's cells, one for each column of the group; None where a column does not touch the outcome.

    loadings, sds: by effect key; rows: each effect's row of the Cholesky factor, by the column's effect
    """
    found: list[Any] = []
    for column in group:
        parts = [
            loadings[e.key] * (sds[e.key] * rows[e][column])
            for e in group
            if e.outcome == outcome and column in rows[e]
        ]
        found.append(sum(parts[1:], parts[0]) if parts else None)
    return found


def log_likelihood(pt: Any, pieces: Sequence[Piece], columns: int, patients: int) -> Any:
    """Log likelihood of a group's measurements, the patients' effects integrated out; a scalar PyTensor expression.

    Sums over a patient's visits are kept as vectors of one kind: they compile in half the time of one matrix.
    """

    def per_patient(piece: Piece, x: Any) -> Any:
        return pt.zeros(patients)[piece.patient].inc(x)

    u: list[Any] = [0.0] * columns
    m: list[list[Any]] = [[1.0 if i == j else 0.0 for j in range(i + 1)] for i in range(columns)]
    constant: Any = 0.0
    for piece in pieces:
        precision = piece.sigma**-2
        inside, outside = (precision, 1.0) if piece.by_cell else (1.0, precision)  # of the sums over a patient's cells
        w = [None if w_i is None else pt.ones_like(piece.residual) * w_i for w_i in piece.weights]
        for i, w_i in enumerate(w):
            if w_i is None:
                continue
            u[i] = u[i] + outside * per_patient(piece, inside * w_i * piece.residual)
            for j in range(i + 1):
                if w[j] is not None:
                    m[i][j] = m[i][j] + outside * per_patient(piece, inside * w_i * w[j])
        n = piece.residual.shape[0]
        log_sigma = pt.sum(pt.log(piece.sigma)) if piece.by_cell else n * pt.log(piece.sigma)
        log_sigma = log_sigma if piece.log_scale is None else piece.log_scale
        constant += n * LOG_2PI + 2 * log_sigma + outside * pt.sum(inside * piece.residual**2)
    # Cholesky of M, column by column, over vectors of patients; half = C^-1 u
    c: list[list[Any]] = [[None] * columns for _ in range(columns)]
    half: list[Any] = []
    log_diagonal: Any = 0.0
    for i in range(columns):
        for j in range(i):
            c[i][j] = (m[i][j] - sum(c[i][k] * c[j][k] for k in range(j))) / c[j][j]
        squared = m[i][i] - sum(c[i][k] ** 2 for k in range(i))
        c[i][i] = pt.sqrt(squared)
        log_diagonal = log_diagonal + pt.log(squared)
        half.append((u[i] - sum(c[i][k] * half[k] for k in range(i))) / c[i][i])
    return -0.5 * (constant + pt.sum(log_diagonal - sum(h**2 for h in half)))


def whitened(
    piece: Piece, own: Any, covariance: Any, patients: int, xp: Any, solve: Callable[[Any, Any], Any]
) -> Piece:
    """The same outcome with residuals that hang together, in coordinates in which they do not: C^-1 of residuals and weights, C C' = V.

    own: (patient, most) positions of each patient's cells, negative where there are no more; covariance: (..., patient, most, most) V of
    them; solve: (C, right sides) -> solutions of the lower triangular system. Where a patient has no more cells, V is one, the residual is
    zero, and `log_scale` takes off again what the density of a normal is there.
    """
    most, there = own.shape[1], own >= 0
    place = xp.where(there, own, 0)
    factor = xp.linalg.cholesky(xp.where(there[:, :, None] & there[:, None, :], covariance, xp.eye(most)))
    columns = [piece.residual, *(w for w in piece.weights if w is not None)]
    right = [xp.where(there, (x + 0.0 * piece.residual)[..., place], 0.0) for x in columns]
    solved = solve(factor, xp.stack(right, axis=-1))
    flat = [solved[..., k].reshape((*right[0].shape[:-2], patients * most)) for k in range(len(columns))]
    residual, *rest = flat
    weights = [None if w is None else rest.pop(0) for w in piece.weights]
    log_det = xp.sum(xp.log(xp.sum(factor * xp.eye(most), axis=-1)))
    patient = xp.repeat(xp.arange(patients), most)
    return Piece(
        residual, weights, xp.ones(residual.shape[:-1]), patient, log_scale=log_det - xp.sum(~there) * LOG_2PI / 2
    )


def per_patient(patient: np.ndarray, patients: int) -> Callable[[np.ndarray], np.ndarray]:
    """Sums over each patient's cells, (..., cell) -> (..., patient); zero where there are none. patient: (cell,), at least one"""
    order = np.argsort(patient, kind="stable")
    present, starts = np.unique(patient[order], return_index=True)

    def sums(x: np.ndarray) -> np.ndarray:
        found = np.zeros((*x.shape[:-1], patients))
        found[..., present] = np.add.reduceat(x[..., order], starts, axis=-1)
        return found

    return sums


def draw_standard(pieces: Sequence[Piece], columns: int, patients: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Standardised effects z (..., patient) of a group, one array for each column, from their exact conditional distribution.

    A patient without measurements gets effects from their distribution in the population.
    """
    shape = np.broadcast_shapes(*(np.shape(p.sigma)[:-1] if p.by_cell else np.shape(p.sigma) for p in pieces))
    u = np.zeros((*shape, patients, columns))
    m = np.broadcast_to(np.eye(columns), (*shape, patients, columns, columns)).copy()
    for piece in pieces:
        if not len(piece.patient):
            continue
        precision, sums = np.asarray(piece.sigma) ** -2, per_patient(piece.patient, patients)
        inside, outside = (precision, 1.0) if piece.by_cell else (1.0, precision[..., None])
        for i, w_i in enumerate(piece.weights):
            if w_i is None:
                continue
            u[..., i] += outside * sums(inside * w_i * piece.residual)
            for j, w_j in enumerate(piece.weights[: i + 1]):
                if w_j is not None:
                    crossed = outside * sums(np.broadcast_to(inside * w_i * w_j, piece.residual.shape))
                    m[..., i, j] += crossed
                    if i != j:
                        m[..., j, i] += crossed
    # M = C C': the mean solves M z = u, and C'^-1 times a standard normal has covariance M^-1
    c = np.linalg.cholesky(m)
    half = np.linalg.solve(c, u[..., None]) + rng.standard_normal((*u.shape, 1))
    standard = np.linalg.solve(np.swapaxes(c, -1, -2), half)[..., 0]
    return [standard[..., i] for i in range(columns)]
