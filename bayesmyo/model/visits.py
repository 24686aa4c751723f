"""Truth -> linear predictors of what was measured, visit by visit, given the patients' own effects and covariates."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import Measurements
from bayesmyo.model.truth import Truth
from bayesmyo.study.covariates import coded, used, with_products
from bayesmyo.study.predictors import predictors
from bayesmyo.study.study import Study

Array = np.ndarray
Etas = dict[str, Array]  # by predictor


def trailing(values: Mapping[str, Array], axes: int = 1) -> dict[str, Array]:
    """Parameters with a last axis for patients, visits or nodes, or with several."""
    return {k: np.asarray(v, dtype=float)[(..., *(None,) * axes)] for k, v in values.items()}


def visit_columns(study: Study, truth: Truth, m: Measurements) -> dict[str, Any]:
    """Design columns at each measurement, (visit,) or (..., visit) where they are imputed."""
    base = {k: np.asarray(v)[..., m.patient] for k, v in truth.covariates.items()}
    for name in used(study, "visits"):
        base |= coded(study, name, m.covariates[name])
    return with_products(study, base, study.covariates)


def visit_predictors(study: Study, truth: Truth, outcome: str, m: Measurements) -> Etas:
    """(..., visit) linear predictors of each measurement by name, given the patients' own effects and covariates.

    The log of the exposure is part of the location.
    """
    columns = visit_columns(study, truth, m)
    deviations = {k: np.asarray(v)[..., m.patient] for k, v in truth.outcomes[outcome].effects.items()}
    values = trailing(truth.outcomes[outcome].values)
    etas = {
        p.name: np.asarray(p.eta(np.asarray(m.time, dtype=float), values, deviations, columns, np))
        for p in predictors(study, outcome)
    }
    if m.exposure is not None:
        etas["location"] = etas["location"] + np.log(m.exposure)
    shape = np.broadcast_shapes((*truth.shape, len(m)), *(v.shape for v in etas.values()))
    return {k: np.broadcast_to(v, shape) for k, v in etas.items()}


__all__ = ["Etas", "trailing", "visit_columns", "visit_predictors"]
