"""Outcomes whose residuals are correlated where they are measured at the same visit: which cells those are, and draws
of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import Measurements
from bayesmyo.errors import UsageError
from bayesmyo.model.submodel import Array, Arrays
from bayesmyo.model.truth import Truth, correlation_matrix
from bayesmyo.study.predictors import CORRELATIONS, residual_block
from bayesmyo.study.study import Study

OWN, PATIENT = f"{CORRELATIONS}.own", f"{CORRELATIONS}.patient"


def visits(who: Sequence[Array], when: Sequence[Array]) -> tuple[Array, Array]:
    """The visits at which any of some outcomes was measured: the cells of each, and whose it is.

    who, when: (cell,) patient and time of each outcome's cells. A second measurement at the same time is a visit of its
        own.

    Returns
    -------
    (visit, outcome) positions among the cells of all outcomes, one's after the other's, -1 where an outcome was not
    measured; (visit,)
    """
    cells: dict[tuple[int, float, int], list[int]] = {}
    first = 0
    for k, (patient, time) in enumerate(zip(who, when, strict=True)):
        seen: Counter[tuple[int, float]] = Counter()
        for i, at in enumerate(zip(patient.tolist(), time.tolist(), strict=True)):
            cells.setdefault((*at, seen[at]), [-1] * len(who))[k] = first + i
            seen[at] += 1
        first += len(patient)
    listed = sorted(cells)
    own = np.array([cells[v] for v in listed], dtype=np.int64).reshape(-1, len(who))
    return own, np.array([v[0] for v in listed], dtype=np.int64)


def arrays(study: Study, data: Mapping[str, Array]) -> Arrays:
    """The visits among a model's data, where residuals are correlated; else nothing."""
    block = residual_block(study)
    if block is None:
        return {}
    names = [e.outcome for e in block.effects]
    own, patient = visits(*([np.asarray(data[f"{n}.{f}"]) for n in names] for f in ("patient", "time")))
    return {OWN: own, PATIENT: patient}


def validated(study: Study, data: Mapping[str, Array]) -> Arrays:
    """The same arrays. Raises UsageError where they are not those of the outcomes."""
    expected = arrays(study, data)
    for name, values in expected.items():
        if not np.array_equal(data[name], values):
            raise UsageError(name, "the visits are not those of the outcomes")
    return expected


def matrix(values: Mapping[tuple[str, str], Any], study: Study) -> Any:
    """(..., outcome, outcome) correlations of residuals, from each by (submodel, name), which broadcasts; NumPy or
    PyTensor.
    """
    block = residual_block(study)
    assert block is not None
    k = len(block.effects)
    position = {e: i for i, e in enumerate(block.effects)}
    total: Any = np.eye(k)
    for pair in block.pairs():
        one = np.zeros((k, k))
        one[position[pair.first], position[pair.second]] = one[position[pair.second], position[pair.first]] = 1.0
        r = values[pair.outcome, pair.name]
        total = total + (r[..., None, None] if getattr(r, "ndim", 0) else r) * one
    return total


def standard_residuals(
    study: Study, truth: Truth, measurements: Mapping[str, Measurements], rng: np.random.Generator
) -> dict[str, Array]:
    """(..., visit) standardised residuals of the outcomes whose residuals are correlated, drawn together; nothing where
    there are none.
    """
    block = residual_block(study)
    if block is None:
        return {}
    names = [e.outcome for e in block.effects]
    own, _ = visits([measurements[n].patient for n in names], [measurements[n].time for n in names])
    factor = np.linalg.cholesky(correlation_matrix(study, truth, block.effects))
    z = rng.standard_normal((*truth.shape, len(own), len(names))) @ np.swapaxes(factor, -1, -2)
    residuals, first = {}, 0
    for k, name in enumerate(names):
        there = own[:, k] >= 0
        residuals[name] = np.empty((*truth.shape, len(measurements[name])))
        residuals[name][..., own[there, k] - first] = z[..., there, k]
        first += len(measurements[name])
    return residuals


__all__ = ["OWN", "PATIENT", "arrays", "matrix", "standard_residuals", "validated", "visits"]
