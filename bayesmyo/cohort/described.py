"""Who the patients of a table are, beyond what a model uses: for the first table of a paper."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from bayesmyo.cohort.covariates import of_patients, parse_column
from bayesmyo.cohort.fates import Visits
from bayesmyo.cohort.parts import Parts
from bayesmyo.study.covariates import table_column, used
from bayesmyo.study.study import Study


def described(
    study: Study, parts: Parts, rows: Visits, known: Mapping[str, Sequence[float]]
) -> dict[str, dict[str, float]]:
    """Patient -> value of every declared covariate that is not one of patients in a model, as far as a table has its
    column; of visits, the value at the first of them that is used. known: columns that are read already"""
    own = {}
    for name, c in study.covariates.items():
        column = table_column(study, name)
        holder = parts.holding(column) if c.varies == "patients" else parts.visits
        if c.product or name in used(study, "patients") or column not in holder.table.header:
            continue
        values = known[name] if name in known else parse_column(study, name, holder)
        if c.varies == "patients":
            own[name] = of_patients(study, holder, name, values)
        else:
            own[name] = _first(rows, values)
    return own


def _first(rows: Visits, values: Sequence[float]) -> dict[str, float]:
    """Patient -> the value at the first visit that has one."""
    first: dict[str, tuple[float, float]] = {}
    for patient, time, fate, value in zip(rows.part.ids, rows.times, rows.fates, values, strict=True):
        if not fate and not np.isnan(value) and time < first.get(patient, (np.inf, 0.0))[0]:
            first[patient] = time, value
    return {patient: value for patient, (_, value) in first.items()}


def left_out(rows: Visits) -> Mapping[str, int]:
    """Reason -> patients of whom no row is used; where rows are set aside for several reasons, the commonest."""
    kept = {patient for _, patient, _ in rows.used}
    why: dict[str, Counter[str]] = {}
    for patient, fate in zip(rows.part.ids, rows.fates, strict=True):
        if patient not in kept and patient.strip():
            why.setdefault(patient, Counter())[fate] += 1
    return Counter(fates.most_common(1)[0][0] for fates in why.values())
