"""A data frame says the same as the file that it was read from, whatever the types of its columns."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.errors import CohortError
from bayesmyo.study import parse_study
from tests.conftest import SMALL

TEXT = SMALL.split("[scenarios")[0]
CODED = '[data]\nmissing = ["99"]\n' + TEXT
WHO = TEXT.replace('label = "CPK"', 'label = "CPK"\ncovariates = ["arm"]') + '[covariates.arm]\nlevels = ["0", "1"]\n'
IDS, TIMES = [1, 1, 2, 2], [0, 6, 0, 6]


def frame(**columns):
    return pd.DataFrame(
        {"patient": IDS, "month": TIMES, "strength": [50, 51, 40, 41], "cpk": [900, 800, 700, 99]} | columns
    )


@pytest.mark.parametrize("kind", [int, float, object, "Int64", "Float64", "string"])
def test_a_code_is_missing_whatever_the_type_of_its_column(kind):
    cohort = cohort_from_frame(parse_study(CODED), frame(cpk=pd.Series([900, 800, 700, 99]).astype(kind)))
    assert cohort.measurements["cpk"].value.tolist() == [900, 800, 700]


@pytest.mark.parametrize("kind", [int, float, object, "Int64", "category"])
def test_ids_and_levels_are_one_number_whatever_the_type(kind):
    ids = pd.Series(IDS).astype(kind)
    cohort = cohort_from_frame(parse_study(WHO), frame(patient=ids, arm=pd.Series([0, 0, 1, 1]).astype(kind)))
    assert cohort.patients == ("1", "2")
    assert cohort.covariates["arm"].tolist() == [0, 1]


def test_two_frames_whose_ids_have_other_types_fit_together():
    patients = pd.DataFrame({"patient": [1.0, 2.0], "arm": [0.0, 1.0]})
    assert cohort_from_frame(parse_study(WHO), frame(), patients).covariates["arm"].tolist() == [0, 1]


def test_missing_values_of_every_kind_are_missing():
    for none in (None, np.nan, pd.NA, pd.NaT):
        cohort = cohort_from_frame(parse_study(TEXT), frame(cpk=pd.Series([900, none, 700, 650], dtype=object)))
        assert len(cohort.measurements["cpk"]) == 3


def test_true_dates_among_texts_are_known_for_what_they_are():
    dated = TEXT.replace('column = "month"', 'column = "month", date = "DD/MM/YYYY"')
    mixed = pd.Series(["23/10/2021", datetime(2022, 1, 5), "14/10/2021", datetime(2022, 2, 7)], dtype=object)
    with pytest.raises(CohortError, match=r"lines 3, 5, column .month.: 2 true dates"):
        cohort_from_frame(parse_study(dated), frame(month=mixed))


def test_what_is_no_table_is_refused():
    study = parse_study(TEXT)
    for bad, code in ((frame().iloc[:0], "D02"), (frame().rename(columns={"cpk": "strength"}), "D13")):
        with pytest.raises(CohortError, match=code):
            cohort_from_frame(study, bad)
    with pytest.raises(CohortError, match="D44"):
        cohort_from_frame(study, frame(note=["x" * 200_000, "", "", ""]))
