"""Residuals that drift, of families that are not normal: a path of each patient, sampled by its innovations.

The path at a patient's visits is w = L z with innovations z ~ Normal(0, I) (`Residual.factor`). Beside a scatter that
is small, measurements hold the path fast, and z hardly moves; where it is large, z is as free as its prior. So it is
sampled as effects are (see `informed.py`): each cell is replaced by a normal measurement that says about the same of
the path, y* with precision p. Then z would be Normal(M^-1 u, M^-1), with M = I + L' diag(p) L = C C' and u = L' diag(p)
(y* - location). What is sampled is t, and

    z = C'^-1 (C^-1 u + t),   log |dz / dt| = -log det C,

the density being Normal(z | 0, I) |dz / dt|, times the likelihood of the cells as they are: the approximation only
steers. Of a family without one p is zero, and t is z.
"""

from typing import Any

from bayesmyo.model.normal import LOG_2PI, Whiten


def path(factor: Any, own: Any, raw: Any, left: Any, precision: Any, xp: Any, whiten: Whiten) -> tuple[Any, Any]:
    """(cell,) the paths of all patients at their cells, and the log density of what was sampled.

    factor: (patient, most, most) L at the times of each patient's cells; own: as `own_cells` says; raw: (cell,) t;
        left: (cell,) y* - location; precision: (cell,) p; xp: `numpy` or `pytensor.tensor`
    """
    there, place, most = own >= 0, xp.maximum(own, 0), own.shape[1]
    square = there[:, :, None] & there[:, None, :]
    factor = xp.where(square, factor, xp.eye(most))
    p = xp.where(there, precision[place], 0.0)
    turned = xp.swapaxes(factor, -1, -2)
    curvature = xp.eye(most) + turned @ (p[..., None] * factor)
    right = xp.sum(factor * (p * left[place])[..., None], axis=-2)[..., None]
    solved, log_det = whiten(curvature, xp.concatenate([xp.eye(most) + xp.zeros_like(factor), right], axis=-1))
    inverse, mean = solved[..., :most], solved[..., most]
    z = xp.sum(inverse * (mean + raw[place])[..., None], axis=-2)
    w = xp.sum(factor * z[..., None, :], axis=-1)
    log_density = -xp.sum(xp.where(there, z**2 + LOG_2PI, 0.0)) / 2 - log_det
    return _at_cells(w, own, raw, xp), log_density


def _at_cells(w: Any, own: Any, raw: Any, xp: Any) -> Any:
    """(patient, most) -> (cell,)."""
    n = raw.shape[0]
    order = xp.argsort(xp.where(own < 0, n, own).reshape((-1,)))
    return w.reshape((-1,))[order[:n]]


__all__ = ["path"]
