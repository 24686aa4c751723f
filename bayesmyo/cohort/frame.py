"""A data frame -> Cohort, through the same door as a file."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import NO_ROWS, TOO_MANY_CELLS, Table, header_faults, refused
from bayesmyo.cohort.typed_cells import TYPED, Origin, typed
from bayesmyo.errors import CohortError
from bayesmyo.limits import CELL, CELLS
from bayesmyo.study.study import Study

FIRST = 2  # the line of the first row, as if a header stood above it


def cohort_from_frame(study: Study, frame: Any, patients: Any = None, *, alone: bool = False) -> Cohort:
    """Read the patients of a study from a pandas DataFrame with one row per visit.

    The frames are read as files would be, so that every check holds; line n of a message is row n - 2 of a frame.

    Parameters
    ----------
    study : Study
        What the columns are.
    frame : pandas.DataFrame
        One row per visit; missing values are missing measurements. A number is one number, whether its column holds
        whole numbers, decimals or objects.
    patients : pandas.DataFrame, optional
        A second frame with one row per patient.
    alone : bool
        The patients are to be predicted, not fitted: some outcomes may not have been measured, and covariates need not
        vary.

    Returns
    -------
    Cohort
        Patients and measurements, the fate of every row, and notices of what a reader should know.

    Raises
    ------
    CohortError
        With every fault, its lines and its column.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"patient": ["a", "a", "b"], "month": [0, 6, 0], "strength": [40, 45, 50], "cpk": [900, None, 1200]}
    >>> len(bayesmyo.cohort_from_frame(study, pd.DataFrame(rows)))
    2
    """
    form = replace(study.data, delimiter=",", decimal=".", thousands=None, encoding="utf-8", skip_lines=0)
    plain, date = replace(study, data=form), study.time.date
    second = None if patients is None else _table(patients, "patients", date)
    return cohort_of(plain, _table(frame, "data frame", date), second, alone=alone)


def _table(frame: Any, source: str, date: str | None) -> Table:
    """One frame as a Table. Raises CohortError with every fault of its shape."""
    header = [str(name).strip(" \t") for name in frame.columns]
    faults = header_faults(header)
    if not len(frame) and not faults:
        faults.append(NO_ROWS)
    if frame.size > CELLS:
        faults.append(TOO_MANY_CELLS)
    if faults:
        raise CohortError(source, faults)
    columns = [
        [
            ("", TYPED) if gone else _cell(value, date)
            for value, gone in zip(column.tolist(), column.isna(), strict=True)
        ]
        for column in (frame.iloc[:, n] for n in range(len(header)))
    ]
    rows = [*zip(*columns, strict=True)]
    texts, origins = ([[cell[n] for cell in row] for row in rows] for n in (0, 1))
    lines = list(range(FIRST, FIRST + len(rows)))
    if long := [line for line, row in zip(lines, texts, strict=True) if max(map(len, row)) > CELL]:
        raise refused(source, f"holds a cell of more than {CELL:,} characters", code="D44", where=f"line {long[0]}")
    digest = hashlib.sha256("\n".join("\t".join(row) for row in [header, *texts]).encode()).hexdigest()
    return Table(source, digest, tuple(header), texts, lines, origins=origins)


def _cell(value: Any, date: str | None) -> tuple[str, Origin]:
    if isinstance(value, np.generic):
        value = value.item()
    return typed(value, ".", date) or (str(value), TYPED)
