"""The linear mixed model with a random intercept and slope, by restricted maximum likelihood.

Written out rather than borrowed: with two effects for each patient the likelihood needs only sums over each patient's visits, so that a
fit costs milliseconds, needs no further package, and says when it has not converged. Tested against published fits of lme4.

Reference: Bates, Maechler, Bolker and Walker (2015), https://doi.org/10.18637/jss.v067.i01, whose profiled criterion this is.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class MixedFit:
    """Fixed effects (p,), their covariance (p, p), SDs of the patients' intercepts and slopes, their correlation, residual SD."""

    fixed: Array
    covariance: Array
    sd_intercept: float
    sd_slope: float
    correlation: float
    sigma: float
    criterion: float


@dataclass(frozen=True, eq=False)
class _Sums:
    """Of each patient: Z'Z, Z'X, Z'y; of all: X'X, X'y, y'y, the number of measurements."""

    zz: Array
    zx: Array
    zy: Array
    xx: Array
    xy: Array
    yy: float
    n: int


def mixed_model(patient: Array, clock: Array, value: Array, fixed: Array, patients: int) -> MixedFit | None:
    """value ~ fixed + (1 + clock | patient); None where it cannot be fitted or the search does not end.

    patient: (n,) index; clock, value: (n,); fixed: (n, p) design of the fixed effects
    """
    shift, scale = float(clock.mean()), float(clock.std())
    if not scale > 0 or len(value) <= fixed.shape[1] + 3 or np.linalg.matrix_rank(fixed) < fixed.shape[1]:
        return None
    z = np.stack([np.ones(len(clock)), (clock - shift) / scale], axis=-1)
    sums = _sums(patient, z, fixed, value, patients)
    starts = [optimize.minimize(
        lambda theta: _criterion(theta, sums)[0], start, method="L-BFGS-B", bounds=[(0, None), (None, None), (0, None)],
    ) for start in ([1.0, 0.0, 1.0], [0.3, 0.0, 0.1])]  # fmt: skip
    ended = [s for s in starts if s.success and np.isfinite(s.fun)]
    if not ended:
        return None
    best = min(ended, key=lambda s: s.fun)
    criterion, beta, inverse, variance = _criterion(best.x, sums)
    a, b, c = best.x
    relative = np.array([[a, 0.0], [b, c]])
    back = np.array(
        [[1.0, -shift / scale], [0.0, 1 / scale]]
    )  # from effects on the standardised clock to the clock's own
    covariance = variance * back @ relative @ relative.T @ back.T
    sds = np.sqrt(np.diag(covariance))
    correlation = float(covariance[0, 1] / np.prod(sds)) if np.prod(sds) > 0 else 0.0
    return MixedFit(
        beta, variance * inverse, float(sds[0]), float(sds[1]), correlation, float(np.sqrt(variance)), criterion
    )


def _sums(patient: Array, z: Array, x: Array, y: Array, patients: int) -> _Sums:
    def by_patient(left: Array, right: Array) -> Array:
        products = left[:, :, None] * right[:, None, :]
        flat = products.reshape(len(patient), -1)
        summed = np.stack([np.bincount(patient, column, patients) for column in flat.T], axis=-1)
        return summed.reshape(patients, *products.shape[1:])

    return _Sums(
        by_patient(z, z), by_patient(z, x), by_patient(z, y[:, None])[..., 0], x.T @ x, x.T @ y, float(y @ y), len(y)
    )


def _criterion(theta: Array, s: _Sums) -> tuple[float, Array, Array, float]:
    """The restricted deviance of a relative covariance factor, with the fixed effects, (X'V^-1 X)^-1, and the residual variance."""
    factor = np.array([[theta[0], 0.0], [theta[1], theta[2]]])
    inner = np.eye(2) + factor.T @ s.zz @ factor
    zx, zy = factor.T @ s.zx, s.zy @ factor
    solved = np.linalg.solve(inner, np.concatenate([zx, zy[..., None]], axis=-1))
    xvx = s.xx - np.einsum("ikp,ikq->pq", zx, solved[..., :-1])
    xvy = s.xy - np.einsum("ikp,ik->p", zx, solved[..., -1])
    yvy = s.yy - float(np.einsum("ik,ik->", zy, solved[..., -1]))
    inverse = np.linalg.inv(xvx)
    beta = inverse @ xvy
    free = s.n - len(beta)
    variance = max(yvy - float(xvy @ beta), 1e-300) / free
    log_det = float(np.log(np.linalg.det(inner)).sum()) + float(np.linalg.slogdet(xvx)[1])
    return log_det + free * (1 + np.log(2 * np.pi * variance)), beta, inverse, variance
