"""Cohort -> the arrays that a compiled model is handed, validated.

Compiled code does not check bounds: an index that is off by one gives a plausible, wrong posterior without a
warning. So every index, length and dtype is checked here, before every exchange of data.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesmyo.cohort.cohort import BETWEEN, LEFT, MEASURED, RIGHT, Cohort
from bayesmyo.components.families import Cells
from bayesmyo.errors import UsageError
from bayesmyo.study.covariates import coded, columns, used
from bayesmyo.study.study import Study

Arrays = dict[str, np.ndarray]
INDICES = ("patient", "normal")
PRIOR_SPREAD = "prior_spread"  # what the spread of every top-level prior is multiplied by: 1 in a fit
SHARED = "covariates"  # the prefix of what belongs to patients, not to an outcome's visits


def arrays(study: Study, cohort: Cohort) -> Arrays:
    """The model's data by name.

    `cpk.patient`, `cpk.time`, `cpk.value` (as the family encodes it), where they apply `cpk.low`, `cpk.high` (limits),
    `cpk.offset` (log exposure), `cpk.error` (known errors), `cpk.normal` (positions of the cells that are normal on the link scale), `cpk.x.warm` (a design
    column of visits); `covariates.age` (a design column of patients, NaN where it is imputed); and `prior_spread`.
    """
    found: Arrays = {PRIOR_SPREAD: np.array(1.0)}
    for name, o in study.outcomes.items():
        m = cohort.measurements[name]
        c = cells(study, cohort, name)
        found[f"{name}.patient"] = m.patient
        found[f"{name}.time"] = m.time
        found[f"{name}.value"] = c.value
        if o.censoring:
            found[f"{name}.low"], found[f"{name}.high"] = c.low, c.high
        if o.exposure:
            if m.exposure is None:
                raise UsageError(f"data of {name}", "have no exposure", mend=f"fill the column {o.exposure}")
            found[f"{name}.offset"] = np.log(m.exposure)
        if o.error:
            if m.error is None:
                raise UsageError(f"data of {name}", "have no known errors", mend=f"fill the column {o.error}")
            found[f"{name}.error"] = m.error
        if splits(study, name):
            found[f"{name}.normal"] = o.family.normal_cells(c.value)
        if o.residual is not None:
            found[f"{name}.own"] = own_cells(m.patient, len(cohort.patients))
        for covariate in used(study, "visits"):
            at_visits = coded(study, covariate, m.covariates[covariate])
            found |= {f"{name}.x.{column}": values for column, values in at_visits.items()}
    for covariate in used(study, "patients"):
        of_patients = coded(study, covariate, cohort.covariates[covariate])
        found |= {f"{SHARED}.{column}": values for column, values in of_patients.items()}
    return validated(study, found, len(cohort.patients))


def own_cells(patient: np.ndarray, patients: int) -> np.ndarray:
    """(patient, most) positions of each patient's cells, in their order; -1 where there are no more."""
    counts = np.bincount(patient, minlength=patients)
    order = np.argsort(patient, kind="stable")
    found = np.full((patients, max(1, int(counts.max(initial=0)))), -1, dtype=np.int64)
    place = np.arange(len(patient)) - np.repeat(np.cumsum(counts) - counts, counts)
    found[patient[order], place] = order
    return found


def splits(study: Study, outcome: str) -> bool:
    """Whether only a part of an outcome's cells is normal on the link scale."""
    family = study.outcomes[outcome].family
    return family.normal and family.has_zero_part


def cells(study: Study, cohort: Cohort, outcome: str) -> Cells:
    """The measured and censored cells of one outcome, as its family encodes them."""
    o, m = study.outcomes[outcome], cohort.measurements[outcome]
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

    cell: np.ndarray
    sign: np.ndarray
    between: np.ndarray


def censored_cells(data: Mapping[str, np.ndarray], outcome: str) -> CensoredCells:
    """The censored cells among a model's data."""
    if f"{outcome}.low" not in data:
        return CensoredCells(np.array([], dtype=np.int64), np.array([]), np.array([], dtype=np.int64))
    low, high = data[f"{outcome}.low"], data[f"{outcome}.high"]
    one = np.flatnonzero(np.isinf(low) | np.isinf(high))
    between = np.flatnonzero(np.isfinite(low) & np.isfinite(high) & (low < high))
    return CensoredCells(one, np.where(np.isinf(low[one]), -1.0, 1.0), between)


def facts(study: Study, data: Mapping[str, np.ndarray], integrated: Mapping[str, bool]) -> dict[str, np.ndarray]:
    """What a compiled model takes for granted about its data beyond the number of patients; another dataset must agree."""
    found: dict[str, np.ndarray] = {}
    for name, o in study.outcomes.items():
        if integrated[name] and o.censoring:
            c = censored_cells(data, name)
            found |= {f"{name}: censored cells": np.concatenate([c.cell, c.sign, [-1], c.between])}
        if o.family.per_row():
            found[f"{name}: number of measurements"] = np.array([len(data[f"{name}.value"])])
    for column, values in imputed(data).items():
        found[f"{column}: patients without a value"] = np.flatnonzero(np.isnan(values))
    return found


def imputed(data: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Design columns of patients in which some have no value, by column."""
    prefix = f"{SHARED}."
    columns = {k.removeprefix(prefix): v for k, v in data.items() if k.startswith(prefix)}
    return {k: v for k, v in columns.items() if np.isnan(v).any()}


def validated(study: Study, data: Mapping[str, np.ndarray], patients: int) -> Arrays:
    """The same arrays, contiguous and of the right dtype. Raises UsageError for anything that compiled code would misread."""
    spread = np.asarray(data[PRIOR_SPREAD], dtype=np.float64)
    if spread.shape or not 0 < spread < np.inf:
        raise UsageError(PRIOR_SPREAD, "must be one positive number", str(spread))
    found: Arrays = {PRIOR_SPREAD: spread}
    for name, o in study.outcomes.items():
        fields = ["patient", "time", "value"] + (["low", "high"] if o.censoring else [])
        fields += (
            (["offset"] if o.exposure else [])
            + (["error"] if o.error else [])
            + [f"x.{c}" for c in _visit_columns(study)]
        )
        lengths = {f: np.shape(data[f"{name}.{f}"]) for f in fields}
        where = f"data of {name}"
        if len(set(lengths.values())) != 1 or len(lengths["value"]) != 1:
            raise UsageError(where, "the arrays must be vectors of one length", str(lengths))
        n = lengths["value"][0]
        if not n:
            raise UsageError(where, "there is no measurement")
        _index(where, "patient index", data[f"{name}.patient"], patients)
        if splits(study, name):
            _index(where, "positions of normal cells", data[f"{name}.normal"], n)
            if not np.array_equal(data[f"{name}.normal"], o.family.normal_cells(np.asarray(data[f"{name}.value"]))):
                raise UsageError(where, "the positions of normal cells are not those of the values")
            fields.append("normal")
        for f in fields:
            if f not in (*INDICES, "low", "high") and not np.all(
                np.isfinite(np.asarray(data[f"{name}.{f}"], dtype=float))
            ):
                raise UsageError(where, f"every {f} must be finite")
        if o.censoring:
            low, high, value = (np.asarray(data[f"{name}.{f}"], dtype=float) for f in ("low", "high", "value"))
            open_ended = np.isinf(low) | np.isinf(high)
            limit = np.where(np.isinf(low), high, low)
            if np.any(
                np.isnan(low) | np.isnan(high) | (low > value) | (value > high) | (open_ended & (limit != value))
            ):
                raise UsageError(where, "every value must lie between its limits, and be the limit where there is one")
        if o.residual is not None:
            if not np.array_equal(data[f"{name}.own"], own_cells(np.asarray(data[f"{name}.patient"]), patients)):
                raise UsageError(where, "the positions of each patient's cells are not those of the patients")
            found[f"{name}.own"] = np.ascontiguousarray(data[f"{name}.own"], dtype=np.int64)
        for f in fields:
            whole = f in INDICES or (f == "value" and np.issubdtype(np.asarray(data[f"{name}.{f}"]).dtype, np.integer))
            found[f"{name}.{f}"] = np.ascontiguousarray(data[f"{name}.{f}"], dtype=np.int64 if whole else np.float64)
    for covariate in used(study, "patients"):
        for column in columns(study, covariate):
            values = np.ascontiguousarray(data[f"{SHARED}.{column}"], dtype=np.float64)
            if values.shape != (patients,):
                raise UsageError(f"covariate {column}", f"must have {patients} values", str(values.shape))
            if np.isinf(values).any() or (np.isnan(values).any() and study.covariates[covariate].missing == "refused"):
                raise UsageError(f"covariate {column}", "every value must be finite")
            found[f"{SHARED}.{column}"] = values
    return found


def _visit_columns(study: Study) -> list[str]:
    return [column for c in used(study, "visits") for column in columns(study, c)]


def _index(where: str, what: str, index: np.ndarray, size: int) -> None:
    index = np.asarray(index)
    if index.ndim != 1 or (not np.issubdtype(index.dtype, np.integer) and len(index)):
        raise UsageError(where, f"the {what} must be whole numbers", str(index.dtype))
    if len(index) and (index.min() < 0 or index.max() >= size):
        raise UsageError(where, f"the {what} must lie in 0..{size - 1}", f"{index.min()}..{index.max()}")


__all__ = [
    "MEASURED",
    "Arrays",
    "CensoredCells",
    "arrays",
    "cells",
    "censored_cells",
    "facts",
    "imputed",
    "splits",
    "validated",
]
