"""Cohort -> the arrays that a compiled model is handed, validated.

Compiled code does not check bounds: an index that is off by one gives a plausible, wrong posterior without a
warning. So every index, length and dtype is checked here, before every exchange of data.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesmyo.cohort.cohort import LEFT, RIGHT, Cohort
from bayesmyo.components.families import Cells
from bayesmyo.errors import UsageError
from bayesmyo.study.study import Study

Arrays = dict[str, np.ndarray]


def arrays(study: Study, cohort: Cohort) -> Arrays:
    """The model's data by name: `cpk.patient`, `cpk.time`, `cpk.value` (link scale), `cpk.lower`, `cpk.upper`."""
    found: Arrays = {}
    for name, o in study.outcomes.items():
        m = cohort.measurements[name]
        c = cells(study, cohort, name)
        found[f"{name}.patient"] = m.patient
        found[f"{name}.time"] = m.time
        found[f"{name}.value"] = c.value
        if o.censoring:
            found[f"{name}.lower"], found[f"{name}.upper"] = c.lower, c.upper
    return validated(study, found, len(cohort.patients))


def cells(study: Study, cohort: Cohort, outcome: str) -> Cells:
    """The measured and censored cells of one outcome, on the link scale of its family."""
    o, m = study.outcomes[outcome], cohort.measurements[outcome]
    value = o.family.link(m.value)
    if not o.censoring:
        return Cells(value)
    return Cells(value, np.where(m.side == LEFT, value, -np.inf), np.where(m.side == RIGHT, value, np.inf))


@dataclass(frozen=True, eq=False)
class CensoredCells:
    """cell: (censored,) positions among an outcome's cells; sign: (censored,) -1 the truth lies below the limit, +1 above."""

    cell: np.ndarray
    sign: np.ndarray

    def same(self, other: "CensoredCells") -> bool:
        return np.array_equal(self.cell, other.cell) and np.array_equal(self.sign, other.sign)


def censored_cells(data: Mapping[str, np.ndarray], outcome: str) -> CensoredCells:
    """The censored cells among a model's data."""
    if f"{outcome}.lower" not in data:
        return CensoredCells(np.array([], dtype=np.int64), np.array([]))
    below, above = np.isfinite(data[f"{outcome}.lower"]), np.isfinite(data[f"{outcome}.upper"])
    cell = np.flatnonzero(below | above)
    return CensoredCells(cell, np.where(below[cell], -1.0, 1.0))


def validated(study: Study, data: Mapping[str, np.ndarray], patients: int) -> Arrays:
    """The same arrays, contiguous and of the right dtype. Raises UsageError for anything that compiled code would misread."""
    found: Arrays = {}
    for name, o in study.outcomes.items():
        fields = ["patient", "time", "value"] + (["lower", "upper"] if o.censoring else [])
        lengths = {f: np.shape(data[f"{name}.{f}"]) for f in fields}
        if len(set(lengths.values())) != 1 or len(lengths["value"]) != 1:
            raise UsageError(f"data of {name}", "the arrays must be vectors of one length", str(lengths))
        if not lengths["value"][0]:
            raise UsageError(f"data of {name}", "there is no measurement")
        index = np.asarray(data[f"{name}.patient"])
        if not np.issubdtype(index.dtype, np.integer):
            raise UsageError(f"data of {name}", "the patient index must be whole numbers", str(index.dtype))
        if index.min() < 0 or index.max() >= patients:
            raise UsageError(
                f"data of {name}", f"the patient index must lie in 0..{patients - 1}", f"{index.min()}..{index.max()}"
            )
        for f in ("time", "value"):
            if not np.all(np.isfinite(np.asarray(data[f"{name}.{f}"], dtype=np.float64))):
                raise UsageError(f"data of {name}", f"every {f} must be finite")
        for f in fields:
            dtype = np.int64 if f == "patient" else np.float64
            found[f"{name}.{f}"] = np.ascontiguousarray(data[f"{name}.{f}"], dtype=dtype)
    return found
