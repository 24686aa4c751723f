"""Patients' effects integrated out of a normal likelihood in closed form, and drawn back afterwards.

Given the population parameters, a patient's measurements on the link scale are y = curve + Z b + e with b ~ Normal(0, L L')
and e ~ Normal(0, sigma^2), because every trajectory is linear in the coefficients in which patients differ. So the
sampler need not see the effects: with W = Z L, A = W'W, u = W'(y - curve) and M = sigma^2 I + A, a patient contributes

    -1/2 [n log 2 pi + (n - k) log sigma^2 + log det M + (|y - curve|^2 - u' M^-1 u) / sigma^2]

and afterwards b = L z with z | y ~ Normal(M^-1 u, sigma^2 M^-1), exactly. What is left for the sampler is a handful of parameters
without a funnel: it mixes at any number of visits. Reference: Lindstrom and Bates (1988), https://doi.org/10.1080/01621459.1988.10478693.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayesmyo.components.component import Coefficient
from bayesmyo.components.trajectories import Trajectory

LOG_2PI = float(np.log(2 * np.pi))


def loadings(
    trajectory: Trajectory, coefficients: Sequence[Coefficient], effects: Sequence[str],
    t: Any, values: Mapping[str, Any], xp: Any,
) -> list[Any]:  # fmt: skip
    """How far each visit moves when a patient's coefficient moves by one, (visit,) for each effect."""
    fixed = {c.name: values[c.name] for c in coefficients if not c.may_vary}
    zero = fixed | {c.name: 0.0 for c in coefficients if c.may_vary}
    return [trajectory.curve(t, zero | {effect: 1.0}, xp) for effect in effects]


def scaled_loadings(z: Sequence[Any], sds: Sequence[Any], r: Any, xp: Any) -> list[Any]:
    """W = Z L for one effect, or for two with correlation r (None: independent)."""
    if len(z) == 1:
        return [z[0] * sds[0]]
    if r is None:
        return [z[0] * sds[0], z[1] * sds[1]]
    return [z[0] * sds[0] + z[1] * (r * sds[1]), z[1] * (sds[1] * xp.sqrt(1 - r**2))]


def log_likelihood(pt: Any, residual: Any, w: Sequence[Any], sigma: Any, patient: Any, patients: int) -> Any:
    """Log likelihood of all measurements, the patients' effects integrated out; a scalar PyTensor expression.

    Sums over a patient's visits are kept as vectors of one kind: they compile in half the time of one matrix.
    """

    def per_patient(x: Any) -> Any:
        return pt.zeros(patients)[patient].inc(x)

    w = [pt.ones_like(residual) * w_k for w_k in w]
    variance = sigma**2
    u = [per_patient(w_k * residual) for w_k in w]
    m = [variance + per_patient(w_k**2) for w_k in w]
    if len(w) == 1:
        determinant, explained = m[0], u[0] ** 2 / m[0]
    else:
        a12 = per_patient(w[0] * w[1])
        determinant = m[0] * m[1] - a12**2
        explained = (m[1] * u[0] ** 2 - 2 * a12 * u[0] * u[1] + m[0] * u[1] ** 2) / determinant
    n = residual.shape[0]
    constant = n * LOG_2PI + (n - len(w) * patients) * pt.log(variance)
    return -0.5 * (constant + pt.sum(pt.log(determinant) - explained / variance) + pt.sum(residual**2) / variance)


def draw_effects(
    residual: np.ndarray, z: Sequence[np.ndarray], sds: Sequence[np.ndarray], r: np.ndarray | None,
    sigma: np.ndarray, patient: np.ndarray, patients: int, rng: np.random.Generator,
) -> list[np.ndarray]:  # fmt: skip
    """Effects (..., patient), one array each, from their exact conditional distribution given the data and the parameters.

    residual: (..., visit) measurement minus the population's curve; z: (..., visit) loading of each effect
    sds, r, sigma: (...,). A patient without measurements gets effects from their distribution in the population.
    """
    k = len(z)
    w = scaled_loadings(z, [s[..., None] for s in sds], None if r is None else r[..., None], np)
    order = np.argsort(patient, kind="stable")
    present, starts = np.unique(patient[order], return_index=True)

    def per_patient(x: np.ndarray) -> np.ndarray:
        total = np.zeros((*residual.shape[:-1], patients))
        total[..., present] = np.add.reduceat(np.broadcast_to(x, residual.shape)[..., order], starts, axis=-1)
        return total

    variance = sigma[..., None] ** 2
    u = np.stack([per_patient(w_i * residual) for w_i in w], axis=-1)
    m = np.stack([np.stack([per_patient(w_i * w_j) for w_j in w], axis=-1) for w_i in w], axis=-2)
    m = m + variance[..., None, None] * np.eye(k)
    # M = C C': the mean solves M z = u, and sigma C'^-1 times a standard normal has covariance sigma^2 M^-1
    c = np.linalg.cholesky(m)
    half = np.linalg.solve(c, u[..., None]) + sigma[..., None, None, None] * rng.standard_normal((*u.shape, 1))
    standard = np.linalg.solve(np.swapaxes(c, -1, -2), half)[..., 0]
    if k == 1:
        return [sds[0][..., None] * standard[..., 0]]
    first, second = standard[..., 0], standard[..., 1]
    if r is not None:
        second = r[..., None] * first + np.sqrt(1 - r[..., None] ** 2) * second
    return [sds[0][..., None] * first, sds[1][..., None] * second]
