"""Nothing that compiled code would misread gets through."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmyo.errors import UsageError
from bayesmyo.model.data import validated
from bayesmyo.study import parse_study
from tests.conftest import SMALL

STUDY = parse_study(SMALL)
PATIENTS = 3


def good():
    one = {"patient": np.array([0, 1, 2]), "time": np.array([0.0, 1.0, 2.0]), "value": np.array([1.0, 2.0, 3.0])}
    return {f"{name}.{k}": v for name in STUDY.outcomes for k, v in one.items()}


def test_good_arrays_come_back_contiguous_and_typed():
    data = good() | {"cpk.value": np.arange(6.0)[::2], "cpk.patient": np.array([2, 1, 0], dtype=np.int32)}
    found = validated(STUDY, data, PATIENTS)
    assert found["cpk.value"].flags.c_contiguous
    assert found["cpk.patient"].dtype == np.int64
    assert list(found["cpk.value"]) == [0, 2, 4]


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("cpk.patient", np.array([0, 1, 3]), "0..2"),
        ("cpk.patient", np.array([-1, 1, 2]), "0..2"),
        ("cpk.patient", np.array([0.0, 1.0, 2.0]), "whole numbers"),
        ("cpk.time", np.array([0.0, np.nan, 1.0]), "time must be finite"),
        ("cpk.value", np.array([0.0, np.inf, 1.0]), "value must be finite"),
        ("cpk.value", np.array([0.0, 1.0]), "one length"),
        ("cpk.value", np.ones((3, 1)), "one length"),
    ],
)
def test_a_fault_is_named(name, array, message):
    with pytest.raises(UsageError, match="data of cpk") as error:
        validated(STUDY, good() | {name: array}, PATIENTS)
    assert message in str(error.value)


def test_no_measurement_is_a_fault():
    empty = {f"cpk.{k}": np.array([], dtype=t) for k, t in (("patient", int), ("time", float), ("value", float))}
    with pytest.raises(UsageError, match="no measurement"):
        validated(STUDY, good() | empty, PATIENTS)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=8), st.integers(1, 5), st.integers(0, 8))
def test_an_index_that_gets_through_is_in_bounds(index, patients, length):
    n = length or len(index)
    data = good() | {"cpk.patient": np.array(index), "cpk.time": np.zeros(n), "cpk.value": np.zeros(n)}
    data |= {"strength.patient": np.zeros(3, dtype=int)}
    try:
        found = validated(STUDY, data, patients)["cpk.patient"]
    except UsageError:
        assert n != len(index) or min(index) < 0 or max(index) >= patients
    else:
        assert found.min() >= 0
        assert found.max() < patients
        assert len(found) == n
