"""The linear mixed model with a random intercept and slope, by restricted maximum likelihood.

Written out rather than borrowed: with two effects for each patient the likelihood needs only sums over each patient's
visits, so that a fit costs milliseconds, needs no further package, and says when it has not converged. Tested against
published fits of lme4.

Reference: Bates, Maechler, Bolker and Walker (2015), https://doi.org/10.18637/jss.v067.i01, whose profiled criterion
this is.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

Array = np.ndarray
FLAT = 1e-3  # the slope of the deviance at which the search has ended


@dataclass(frozen=True, eq=False)
class MixedFit:
    """Fixed effects (p,), their covariance (p, p), SDs of the patients' intercepts and slopes, their correlation,
    residual SD.
    """

    fixed: Array
    covariance: Array
    sd_intercept: float
    sd_slope: float
    correlation: float
    sigma: float
    criterion: float


@dataclass(frozen=True, eq=False)
class _Sums:
    """Of each patient: Z'Z (patient, 2, 2) and Z'[X y] (patient, 2, p + 1); of all: [X y]'[X y], and the number of
    measurements.
    """

    zz: Array
    zw: Array
    ww: Array
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
    for start in ([1.0, 0.0, 1.0], [0.3, 0.0, 0.1]):  # the second where the first does not end
        # no bounds are needed: the factor's diagonal may change its sign and mean the same
        end = optimize.minimize(_deviance, start, (sums,), method="BFGS", jac=True, options={"gtol": FLAT / 10})
        if np.isfinite(end.fun) and np.abs(end.jac).max() < FLAT:
            break
    else:
        return None
    state = _at(end.x, sums)
    a, b, c = end.x
    relative = np.array([[a, 0.0], [b, c]])
    # from effects on the standardised clock, (t - shift) / scale, to those on the clock's own
    back = np.array([[1.0, -shift / scale], [0.0, 1 / scale]])
    covariance = state.variance * back @ relative @ relative.T @ back.T
    sds = np.sqrt(np.diag(covariance))
    correlation = float(covariance[0, 1] / np.prod(sds)) if np.prod(sds) > 0 else 0.0
    sigma, of_fixed = float(np.sqrt(state.variance)), state.variance * state.inverse
    return MixedFit(state.beta, of_fixed, float(sds[0]), float(sds[1]), correlation, sigma, float(end.fun))


def _sums(patient: Array, z: Array, x: Array, y: Array, patients: int) -> _Sums:
    def by_patient(left: Array, right: Array) -> Array:
        products = left[:, :, None] * right[:, None, :]
        flat = products.reshape(len(patient), -1)
        summed = np.stack([np.bincount(patient, column, patients) for column in flat.T], axis=-1)
        return summed.reshape(patients, *products.shape[1:])

    w = np.concatenate([x, y[:, None]], axis=-1)
    return _Sums(by_patient(z, z), by_patient(z, w), w.T @ w, len(y))


@dataclass(frozen=True, eq=False)
class _State:
    """A relative covariance factor L seen through: M = I + L'Z'Z L (patient by patient: p, q, r, its determinant), M^-1
    L'Z'[X y] as its two rows, the fixed effects, (X'V^-1 X)^-1, and the residual variance.
    """

    p: Array
    q: Array
    r: Array
    det: Array
    first: Array
    second: Array
    beta: Array
    inverse: Array
    variance: float


def _at(theta: Array, s: _Sums) -> _State:
    a, b, c = theta
    z00, z01, z11 = s.zz[:, 0, 0], s.zz[:, 0, 1], s.zz[:, 1, 1]
    p, q, r = 1 + a * a * z00 + 2 * a * b * z01 + b * b * z11, a * c * z01 + b * c * z11, 1 + c * c * z11
    det = p * r - q * q
    u, v = a * s.zw[:, 0] + b * s.zw[:, 1], c * s.zw[:, 1]
    first = (r[:, None] * u - q[:, None] * v) / det[:, None]
    second = (p[:, None] * v - q[:, None] * u) / det[:, None]
    whole = s.ww - u.T @ first - v.T @ second
    inverse = np.linalg.inv(whole[:-1, :-1])
    beta = inverse @ whole[:-1, -1]
    variance = max(float(whole[-1, -1] - whole[:-1, -1] @ beta), 1e-300) / (s.n - len(beta))
    return _State(p, q, r, det, first, second, beta, inverse, variance)


def _deviance(theta: Array, s: _Sums) -> tuple[float, Array]:
    """The restricted deviance, and its gradient."""
    t = _at(theta, s)
    a, b, c = theta
    free = s.n - len(t.beta)
    value = np.log(t.det).sum() - np.linalg.slogdet(t.inverse)[1] + free * (1 + np.log(2 * np.pi * t.variance))
    weight = np.zeros((len(t.beta) + 1,) * 2)
    weight[:-1, :-1] = t.inverse
    residual = np.append(-t.beta, 1.0)
    weight += np.outer(residual, residual) / t.variance
    first, second = t.first @ weight, t.second @ weight
    h00, h01, h11 = ((x * y).sum(axis=-1) for x, y in ((first, t.first), (first, t.second), (second, t.second)))
    z00, z01, z11 = s.zz[:, 0, 0], s.zz[:, 0, 1], s.zz[:, 1, 1]
    zero = np.zeros_like(z00)
    moves = (  # how M moves with each entry of the factor, and how far L'Z'[X y] does
        (2 * a * z00 + 2 * b * z01, c * z01, zero, (first * s.zw[:, 0]).sum()),
        (2 * a * z01 + 2 * b * z11, c * z11, zero, (first * s.zw[:, 1]).sum()),
        (zero, a * z01 + b * z11, 2 * c * z11, (second * s.zw[:, 1]).sum()),
    )
    gradient = [
        ((t.r * dp - 2 * t.q * dq + t.p * dr) / t.det).sum() + (h00 * dp + 2 * h01 * dq + h11 * dr).sum() - 2 * moved
        for dp, dq, dr, moved in moves
    ]
    return float(value), np.array(gradient)
