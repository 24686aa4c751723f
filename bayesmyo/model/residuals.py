"""Residuals that hang together within a patient: their covariance at a patient's visits, and the SD of each alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmyo.components.families.family import KNOWN_ERROR
from bayesmyo.study.study import Outcome

Array = np.ndarray


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


def told(o: Outcome, etas: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """`eta` and `aux` of measurements looked at one by one: where residuals hang together, with the SD of a single one.

    values: the outcome's parameters, which broadcast against the predictors
    """
    eta, aux = o.family.told(etas, values, np)
    return eta, aux if o.residual is None else {**aux, "sigma": o.residual.total(aux["sigma"], values, np)}


__all__ = ["covariances", "told", "with_errors"]
