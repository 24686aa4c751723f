"""Residuals that hang together within a patient: their covariance at a patient's visits, draws of them, and coordinates without it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import Measurements
from bayesmyo.components.families.family import KNOWN_ERROR
from bayesmyo.model.data import own_cells
from bayesmyo.model.visits import trailing
from bayesmyo.study.study import Outcome

Array = np.ndarray


def covariances(o: Outcome, values: Mapping[str, Array], t: Array, sigma: Array, own: Array) -> Array:
    """(..., patient, most, most) covariance of the residuals at each patient's cells; unit where a patient has no more.

    values: parameters by name, (..., 1, 1, 1); t: (cell,) times; sigma: (..., cell); own: as `own_cells` says
    """
    assert o.residual is not None
    there, place = own >= 0, np.maximum(own, 0)
    found = o.residual.covariance(t[place], np.asarray(sigma)[..., place], values, o.trajectory, np)
    return np.where(there[:, :, None] & there[:, None, :], found, np.eye(own.shape[1]))


def draw(
    o: Outcome, rng: np.random.Generator, etas: Mapping[str, Array], values: Mapping[str, Array], m: Measurements
) -> Array:
    """Measurements at the visits of `m`, (..., visit), with residuals that hang together where the study says so.

    etas: linear predictors by name, (..., visit); values: the outcome's parameters, (...,)
    """
    eta, aux = o.family.told(etas, with_errors(trailing(values), m.error), np)
    if o.residual is None:
        return o.family.draw(rng, eta, aux)
    location = np.asarray(eta["location"])
    patients = int(m.patient.max(initial=0)) + 1
    own = own_cells(m.patient, patients)
    sigma = np.broadcast_to(aux["sigma"], location.shape)
    root = np.linalg.cholesky(covariances(o, trailing(values, axes=3), np.asarray(m.time, dtype=float), sigma, own))
    noise = (root @ rng.standard_normal((*root.shape[:-1], 1)))[..., 0]
    moved = location.copy()
    moved[..., own[own >= 0]] += noise[..., own >= 0]
    return o.family.draw(rng, {**eta, "location": moved}, {**aux, "sigma": np.zeros(1)})


def with_errors(values: Mapping[str, Any], error: Any) -> dict[str, Any]:
    """An outcome's parameters with the known errors of measurements beside them, where there are any."""
    return dict(values) if error is None else {**values, KNOWN_ERROR: error}


def told(o: Outcome, etas: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """`eta` and `aux` of measurements looked at one by one: where residuals hang together, with the SD of a single one.

    values: the outcome's parameters, which broadcast against the predictors
    """
    eta, aux = o.family.told(etas, values, np)
    return eta, aux if o.residual is None else {**aux, "sigma": o.residual.total(aux["sigma"], values, np)}


__all__ = ["covariances", "draw", "told", "with_errors"]
