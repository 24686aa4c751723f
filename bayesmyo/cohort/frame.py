"""A data frame -> Cohort, through the same door as a file."""

from dataclasses import replace
from typing import Any

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.study.study import DataFormat, Study


def cohort_from_frame(study: Study, frame: Any) -> Cohort:
    """The patients of a study from a pandas DataFrame with one row per visit; missing values are missing measurements.

    The frame is written as text and read as a file would be, so that every check holds; line n of a message is row
    n - 2 of the frame. Raises CohortError with every fault.
    """
    raw = frame.to_csv(index=False).encode()
    plain = replace(study, data=DataFormat(missing=study.data.missing))
    return cohort_of(plain, parse_table(raw, "data frame", plain.data))
