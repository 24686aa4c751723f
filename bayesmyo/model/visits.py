"""The cells of one outcome as its family wants them, whose each is, and the design columns at its visits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import BETWEEN, LEFT, RIGHT, Measurements
from bayesmyo.components.families import Cells
from bayesmyo.model.truth import Truth
from bayesmyo.study.covariates import coded, used, with_products
from bayesmyo.study.study import Outcome, Study

Array = np.ndarray
Etas = dict[str, Array]  # by predictor


def trailing(values: Mapping[str, Array], axes: int = 1) -> dict[str, Array]:
    """Parameters with a last axis for patients, visits or nodes, or with several."""
    return {k: np.asarray(v, dtype=float)[(..., *(None,) * axes)] for k, v in values.items()}


def taken(x: Any, where: Any) -> Any:
    """(..., place) -> (..., chosen), NumPy or PyTensor; what has no axis is the same everywhere."""
    return x if not getattr(x, "ndim", 0) else x[where] if x.ndim == 1 else x[..., where]


def columns_at(
    study: Study, of_patients: Mapping[str, Any], of_visits: Mapping[str, Any], patient: Any
) -> dict[str, Any]:
    """Design columns at visits: those of each one's patient, those of the visits themselves, and their products.

    of_patients: (..., patient) each, where imputed under every draw; patient: (visit,) whose each visit is
    """
    if not used(study):
        return {}
    base = {k: taken(v, patient) for k, v in of_patients.items()}
    return with_products(study, {**base, **of_visits}, study.covariates)


def visit_columns(study: Study, truth: Truth, m: Measurements) -> dict[str, Any]:
    """Design columns at each measurement, (visit,) or (..., visit) where they are imputed."""
    of_visits: dict[str, Any] = {}
    for name in used(study, "visits"):
        of_visits |= coded(study, name, m.covariates[name])
    return columns_at(study, truth.covariates, of_visits, m.patient)


def cells(o: Outcome, m: Measurements) -> Cells:
    """The measured and censored cells of one outcome, as its family encodes them."""
    value = o.family.encode(m.value)
    if not o.censoring:
        return Cells(value)
    low = np.where(m.side == LEFT, -np.inf, value)
    high = np.where(m.side == RIGHT, np.inf, value)
    if m.end is not None:
        between = m.side == BETWEEN
        high[between] = o.family.encode(m.end[between])
    return Cells(value, low, high)


@dataclass(frozen=True, eq=False)
class CensoredCells:
    """Censored cells among an outcome's cells: what the compiled model of an integrated outcome depends on.

    cell: (one-sided,) positions; sign: (one-sided,) -1 the truth lies below the limit, +1 above
    between: (two-sided,) positions of the cells whose truth lies between two limits
    """

    cell: Array
    sign: Array
    between: Array


def censored(data: Mapping[str, Array]) -> CensoredCells:
    """The censored cells among the fields of an outcome's data."""
    if "low" not in data:
        return CensoredCells(np.array([], dtype=np.int64), np.array([]), np.array([], dtype=np.int64))
    low, high = data["low"], data["high"]
    one = np.flatnonzero(np.isinf(low) | np.isinf(high))
    between = np.flatnonzero(np.isfinite(low) & np.isfinite(high) & (low < high))
    return CensoredCells(one, np.where(np.isinf(low[one]), -1.0, 1.0), between)


def own_cells(patient: Array, time: Array, patients: int) -> Array:
    """(patient, most) positions of each patient's cells, in the order of their times; -1 where there are no more."""
    counts = np.bincount(patient, minlength=patients)
    order = np.lexsort((time, patient))
    positions = np.full((patients, max(1, int(counts.max(initial=0)))), -1, dtype=np.int64)
    place = np.arange(len(patient)) - np.repeat(np.cumsum(counts) - counts, counts)
    positions[patient[order], place] = order
    return positions


__all__ = [
    "CensoredCells",
    "Etas",
    "cells",
    "censored",
    "columns_at",
    "own_cells",
    "taken",
    "trailing",
    "visit_columns",
]
