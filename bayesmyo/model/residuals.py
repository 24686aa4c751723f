"""Residuals that hang together within a patient: their covariance at a patient's visits, and the distribution of a
single measurement, whatever the others were.

Of a measurement alone, a residual that is integrated out is a larger SD. One that is sampled is a location that
scatters: what is expected, and how likely a measurement is, are averages over that.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import logsumexp

from bayesmyo.components.families import Cells
from bayesmyo.components.families.family import KNOWN_ERROR
from bayesmyo.model.quadrature import TWO
from bayesmyo.study.study import Outcome

Array = np.ndarray
REACH = 1.5  # by how much nodes are spread wider than an approximation says, whose tails may be too light


def covariances(o: Outcome, values: Mapping[str, Array], t: Array, sigma: Array, own: Array) -> Array:
    """(..., patient, most, most) covariance of the residuals at each patient's cells; unit where a patient has no more.

    values: parameters by name, (..., 1, 1, 1); t: (cell,) times; sigma: (..., cell); own: as `own_cells` says
    """
    assert o.residual is not None
    there, place = own >= 0, np.maximum(own, 0)
    matrix = o.residual.covariance(t[place], np.asarray(sigma)[..., place], values, o.trajectory, np)
    return np.where(there[:, :, None] & there[:, None, :], matrix, np.eye(own.shape[1]))


def with_errors(values: Mapping[str, Any], error: Any) -> dict[str, Any]:
    """An outcome's parameters with the known errors of measurements beside them, where there are any."""
    return dict(values) if error is None else {**values, KNOWN_ERROR: error}


def path_sd(o: Outcome, values: Mapping[str, Any]) -> Any:
    """The SD of a path that is sampled; None where there is none. values: the outcome's parameters"""
    return o.residual.total(0.0, values, np) if o.residual is not None and o.drifts else None


def mean(o: Outcome, etas: Mapping[str, Any], values: Mapping[str, Any]) -> Array:
    """Expected measurements, in outcome units. values: the outcome's parameters, which broadcast against predictors"""
    eta, aux, sd = _alone(o, etas, values)
    if sd is None:
        return np.asarray(o.family.mean(eta, aux))
    return np.asarray(sum(w * o.family.mean(_moved(eta, sd * x), aux) for x, w in zip(*TWO, strict=True)))


def draw(o: Outcome, rng: np.random.Generator, etas: Mapping[str, Any], values: Mapping[str, Any]) -> Array:
    """A single measurement under each predictor, in outcome units; values: as for `mean`."""
    eta, aux, sd = _alone(o, etas, values)
    if sd is not None:
        shape = np.broadcast_shapes(np.shape(eta["location"]), np.shape(sd))
        eta = _moved(eta, sd * rng.standard_normal(shape))
    return o.family.draw(rng, eta, aux)


def log_density(o: Outcome, cells: Cells, etas: Mapping[str, Any], values: Mapping[str, Any]) -> Array:
    """Log density of each measurement by itself, in outcome units; values: as for `mean`.

    Nodes of the average over a location that scatters lie around what the cell says of it: a measurement may be far
    more precise than its residual is small.
    """
    eta, aux, sd = _alone(o, etas, values)
    if sd is None:
        return np.asarray(o.family.log_density(cells, eta, aux))
    location, precision = np.asarray(eta["location"]), 0.0
    said = 0.0
    if o.family.approximated:
        value, precision = o.family.approximate(cells, aux, location, lambda x: x, np)
        said = precision * (value - location)
    variance = 1 / (sd**-2.0 + precision)
    middle, width = variance * said, np.sqrt(variance) * REACH
    terms = []
    for x, w in zip(*TWO, strict=True):  # weights are those of a standard normal, up to a factor that all share
        moved = middle + width * x
        log_ratio = np.log(w) + (x**2 - (moved / sd) ** 2) / 2 + np.log(width / sd)
        terms.append(log_ratio + o.family.log_density(cells, _moved(eta, moved), aux))
    return np.asarray(logsumexp(terms, axis=0))


def _alone(
    o: Outcome, etas: Mapping[str, Any], values: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any], Any]:
    """`eta` and `aux` of the family, and the SD by which the location scatters beside them."""
    eta, aux = o.family.told(etas, values, np)
    if o.residual is not None and o.integrable:
        aux = {**aux, "sigma": o.residual.total(aux["sigma"], values, np)}
    return eta, aux, path_sd(o, values)


def _moved(eta: Mapping[str, Any], by: Any) -> dict[str, Any]:
    return {**eta, "location": eta["location"] + by}


__all__ = ["covariances", "draw", "log_density", "mean", "path_sd", "with_errors"]
