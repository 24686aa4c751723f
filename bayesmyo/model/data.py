"""Cohort -> the arrays that a compiled model is handed, validated.

Compiled code does not check bounds: an index that is off by one gives a plausible, wrong posterior without a
warning. So every index, length and dtype is checked here, before every exchange of data.
"""

from collections.abc import Mapping

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.errors import UsageError
from bayesmyo.model import joint
from bayesmyo.model.spec import spec
from bayesmyo.model.submodel import Arrays
from bayesmyo.study.covariates import coded, columns, used
from bayesmyo.study.study import Study

PRIOR_SPREAD = "prior_spread"  # what the spread of every top-level prior is multiplied by: 1 in a fit
SHARED = "covariates"  # the prefix of what belongs to patients, not to an outcome's visits


def arrays(study: Study, cohort: Cohort) -> Arrays:
    """The model's data by name: those of every submodel (`cpk.value`, `cpk.time` ...), `covariates.age` (a design
    column of patients, NaN where it is imputed), and `prior_spread`.
    """
    data: Arrays = {PRIOR_SPREAD: np.array(1.0)}
    for submodel in spec(study).submodels.values():
        data |= submodel.arrays(cohort)
    data |= joint.arrays(study, data)
    for covariate in used(study, "patients"):
        of_patients = coded(study, covariate, cohort.covariates[covariate])
        data |= {f"{SHARED}.{column}": values for column, values in of_patients.items()}
    return validated(study, data, len(cohort.patients))


def facts(study: Study, data: Mapping[str, np.ndarray], how: Mapping[str, str]) -> Arrays:
    """What a compiled model takes for granted about its data beyond the number of patients; another dataset must agree.

    how: the parameterisation of each submodel's effects
    """
    assumed: Arrays = {}
    for name, submodel in spec(study).submodels.items():
        assumed |= submodel.facts(data, how[name])
    for column, values in imputed(data).items():
        assumed[f"{column}: patients without a value"] = np.flatnonzero(np.isnan(values))
    return assumed


def imputed(data: Mapping[str, np.ndarray]) -> Arrays:
    """Design columns of patients in which some have no value, by column."""
    return {k: v for k, v in patient_data(data).items() if np.isnan(v).any()}


def patient_data[T](data: Mapping[str, T]) -> dict[str, T]:
    """Design columns of patients among a model's data, by column."""
    prefix = f"{SHARED}."
    return {k.removeprefix(prefix): v for k, v in data.items() if k.startswith(prefix)}


def validated(study: Study, data: Mapping[str, np.ndarray], patients: int) -> Arrays:
    """The same arrays, contiguous and of the right dtype. Raises UsageError for anything that compiled code would
    misread.
    """
    spread = np.asarray(data[PRIOR_SPREAD], dtype=np.float64)
    if spread.shape or not 0 < spread < np.inf:
        raise UsageError(PRIOR_SPREAD, "must be one positive number", str(spread))
    valid: Arrays = {PRIOR_SPREAD: spread}
    for submodel in spec(study).submodels.values():
        valid |= submodel.validated(data, patients)
    valid |= joint.validated(study, data)
    for covariate in used(study, "patients"):
        for column in columns(study, covariate):
            values = np.ascontiguousarray(data[f"{SHARED}.{column}"], dtype=np.float64)
            if values.shape != (patients,):
                raise UsageError(f"covariate {column}", f"must have {patients} values", str(values.shape))
            if np.isinf(values).any() or (np.isnan(values).any() and study.covariates[covariate].missing == "refused"):
                raise UsageError(f"covariate {column}", "every value must be finite")
            valid[f"{SHARED}.{column}"] = values
    return valid


__all__ = ["PRIOR_SPREAD", "SHARED", "Arrays", "arrays", "facts", "imputed", "patient_data", "validated"]
