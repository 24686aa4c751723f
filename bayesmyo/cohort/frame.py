"""A data frame -> Cohort, through the same door as a file."""

from dataclasses import replace
from datetime import date
from typing import Any

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import Table, parse_table
from bayesmyo.cohort.typed_cells import text_of
from bayesmyo.study.study import Study


def cohort_from_frame(study: Study, frame: Any, patients: Any = None) -> Cohort:
    """The patients of a study from a pandas DataFrame with one row per visit; missing values are missing measurements.

    patients: a second frame with one row per patient
    The frames are written as text and read as files would be, so that every check holds; line n of a message is row
    n - 2 of a frame. Raises CohortError with every fault.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"patient": ["a", "a", "b"], "month": [0, 6, 0], "strength": [40, 45, 50], "cpk": [900, None, 1200]})
    >>> len(bayesmyo.cohort_from_frame(study, frame))
    2
    """
    form = replace(study.data, delimiter=",", decimal=".", thousands=None, encoding="utf-8", skip_lines=0)
    plain = replace(study, data=form)

    def table(one: Any, source: str) -> Table:
        written = _written(one, study.time.date) if study.time.date else one
        return parse_table(written.to_csv(index=False).encode(), source, form)

    return cohort_of(plain, table(frame, "data frame"), table(patients, "patients") if patients is not None else None)


def _written(frame: Any, pattern: str) -> Any:
    """A frame with its dates as the study writes them, with the clock where they have one."""
    found = frame.copy(deep=False)
    for n, kind in enumerate(frame.dtypes):
        if kind.kind in "MO":  # dates, or whatever Python holds
            found.isetitem(n, [_text(value, pattern) for value in frame.iloc[:, n]])
    return found


def _text(value: Any, pattern: str) -> Any:
    """A date as text; None for the date that is missing, which is unlike itself."""
    if not isinstance(value, date):
        return value
    return text_of(value, ".", pattern) if value == value else None
