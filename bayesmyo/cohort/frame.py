"""A data frame -> Cohort, through the same door as a file."""

from dataclasses import replace
from typing import Any

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import Table, parse_table
from bayesmyo.study.dates import strftime
from bayesmyo.study.study import Study


def cohort_from_frame(study: Study, frame: Any, patients: Any = None) -> Cohort:
    """The patients of a study from a pandas DataFrame with one row per visit; missing values are missing measurements.

    patients: a second frame with one row per patient
    The frames are written as text and read as files would be, so that every check holds; line n of a message is row
    n - 2 of a frame. Raises CohortError with every fault.
    """
    form = replace(study.data, delimiter=",", decimal=".", thousands=None, encoding="utf-8", skip_lines=0)
    plain = replace(study, data=form)

    def table(one: Any, source: str) -> Table:
        written = {"date_format": strftime(study.time.date)} if study.time.date else {}
        return parse_table(one.to_csv(index=False, **written).encode(), source, form)

    return cohort_of(plain, table(frame, "data frame"), table(patients, "patients") if patients is not None else None)
