"""Nothing that compiled code would misread gets through."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmyo.errors import UsageError
from bayesmyo.model.data import facts, validated
from bayesmyo.study import parse_study
from tests.conftest import SMALL

STUDY = parse_study(SMALL)
PATIENTS = 3


def good():
    one = {"patient": np.array([0, 1, 2]), "time": np.array([0.0, 1.0, 2.0]), "value": np.array([1.0, 2.0, 3.0])}
    found = {f"{name}.{k}": v for name in STUDY.outcomes for k, v in one.items()}
    return found | {"prior_spread": np.array(1.0)}


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


# --- everything that data can be: exposure, covariates, limits, the positions of positive doses

WHOLE = parse_study(
    """
[study]
title = "W"
patient = "p"
time = { column = "t", unit = "month", typical = 12 }
[covariates.age]
typical = 50
scale = 10
missing = "imputed"
[covariates.titre]
typical = 100
scale = 2
transform = "log"
[covariates.season]
levels = ["spring", "summer", "winter"]
varies = "visits"
[outcomes.falls]
column = "falls"
unit = "falls"
better = "lower"
typical = 2
scale = 2
family = { kind = "poisson" }
trajectory = { kind = "constant" }
exposure = "weeks"
covariates = ["age", "titre", "season"]
[outcomes.dose]
column = "dose"
unit = "mg"
better = "lower"
typical = 30
scale = 2
family = { kind = "hurdle_lognormal" }
trajectory = { kind = "constant" }
[outcomes.dose.zero]
typical = 0.2
scale = 0.1
trajectory = { kind = "constant" }
[outcomes.power]
column = "power"
unit = "kg"
better = "higher"
typical = 40
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "constant" }
censoring = "as typed"
"""
)
N = 4


def whole():
    """Good data of four measurements of each outcome in three patients."""
    one = {"patient": np.array([0, 1, 2, 2]), "time": np.array([0.0, 0.0, 0.0, 1.0])}
    seasons = {"x.season_summer": np.array([0, 1, 0, 0.0]), "x.season_winter": np.array([0, 0, 1, 0.0])}
    found = {f"{name}.{k}": v for name in WHOLE.outcomes for k, v in {**one, **seasons}.items()}
    found["falls.value"], found["falls.offset"] = np.array([0, 3, 1, 2]), np.log([4, 4, 2, 1.0])
    found["dose.value"], found["dose.normal"] = np.array([0, 20, 0, 10.0]), np.array([1, 3])
    found["power.value"] = np.array([5.0, 40.0, 70.0, 20.0])
    found["power.low"], found["power.high"] = np.array([-np.inf, 40, 70, 20]), np.array([5, 40, np.inf, 50])
    found["prior_spread"] = np.array(1.0)
    return found | {"covariates.age": np.array([-1, np.nan, 2]), "covariates.titre": np.array([0.0, 1, -1])}


def test_good_data_of_every_form_come_back_as_they_are():
    found = validated(WHOLE, whole(), PATIENTS)
    assert found.keys() == whole().keys()
    for name, array in whole().items():
        np.testing.assert_array_equal(found[name], array)
        whole_numbers = name.endswith((".patient", ".normal")) or name == "falls.value"
        assert found[name].dtype == (np.int64 if whole_numbers else np.float64)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("prior_spread", 0.0, "must be one positive number"),
        ("prior_spread", [1.0, 2.0], "must be one positive number"),
        ("prior_spread", np.nan, "must be one positive number"),
        ("falls.offset", [0, 1, 2, np.nan], "every offset must be finite"),
        ("falls.offset", [0, 1, 2, -np.inf], "every offset must be finite"),
        ("falls.offset", [0.0, 1, 2], "one length"),
        ("falls.x.season_summer", [0, 1, np.nan, 0], "every x.season_summer must be finite"),
        ("dose.x.season_winter", [0.0, 1.0], "one length"),
        ("dose.normal", [1, 4], "positions of normal cells must lie in 0..3"),
        ("dose.normal", [-1, 3], "positions of normal cells must lie in 0..3"),
        ("dose.normal", [1.0, 3.0], "positions of normal cells must be whole numbers"),
        ("dose.normal", [[1, 3]], "positions of normal cells must be whole numbers"),
        ("power.low", [np.nan, 40, 70, 20], "every value must lie between its limits"),
        ("power.low", [6, 40, 70, 20.0], "every value must lie between its limits"),
        ("power.high", [5, 39, np.inf, 50], "every value must lie between its limits"),
        ("power.high", [4, 40, np.inf, 50], "every value must lie between its limits"),
        ("power.high", [5, 40, 70.0], "one length"),
        ("covariates.titre", [0, np.nan, 1], "covariate titre: every value must be finite"),
        ("covariates.age", [0, np.inf, 1], "covariate age: every value must be finite"),
        ("covariates.age", [0, 1.0], "covariate age: must have 3 values"),
        ("covariates.age", [[0, 1.0, 2]], "covariate age: must have 3 values"),
    ],
)
def test_a_fault_of_any_form_is_named(name, array, message):
    with pytest.raises(UsageError) as error:
        validated(WHOLE, whole() | {name: np.array(array)}, PATIENTS)
    assert message in str(error.value)


@pytest.mark.parametrize("positions", [[0, 1, 3], [1], [1, 1, 3], [3, 0]])
def test_the_normal_cells_are_those_with_a_positive_dose(positions):
    with pytest.raises(UsageError, match="normal cells"):
        validated(WHOLE, whole() | {"dose.normal": np.array(positions)}, PATIENTS)


@pytest.mark.parametrize(("low", "high"), [(-np.inf, np.inf), (-np.inf, 6.0), (4.0, np.inf)])
def test_a_one_sided_cell_is_at_its_one_limit(low, high):
    """The first power is 5; a model that integrates reads `value`, one that does not reads the limits."""
    limits = {"power.low": np.array([low, 40, 70, 20]), "power.high": np.array([high, 40, np.inf, 50])}
    with pytest.raises(UsageError, match="limits"):
        validated(WHOLE, whole() | limits, PATIENTS)


FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=32)


def vectors(elements, dtype):
    return st.lists(elements, min_size=N - 1, max_size=N + 1).map(lambda x: np.array(x, dtype=dtype))


ANY = {
    "falls.patient": vectors(st.integers(-1, PATIENTS), int) | vectors(FLOATS, float),
    "falls.offset": vectors(FLOATS, float),
    "falls.x.season_winter": vectors(FLOATS, np.float32),
    "dose.normal": st.lists(st.integers(-1, N), max_size=3).map(lambda x: np.array(x, dtype=np.int32)),
    "power.value": vectors(FLOATS, float),
    "power.low": vectors(FLOATS, float),
    "power.high": vectors(FLOATS, float),
    "covariates.age": vectors(FLOATS, float),
    "covariates.titre": vectors(FLOATS, float),
}
CHANGED = st.lists(st.sampled_from(list(ANY)), min_size=1, max_size=3, unique=True)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_what_gets_through_is_in_bounds_finite_in_order_and_typed(data):
    changed = {name: data.draw(ANY[name], label=name) for name in data.draw(CHANGED)}
    try:
        found = validated(WHOLE, whole() | changed, PATIENTS)
    except UsageError:
        return
    assert found.pop("prior_spread") == 1.0
    for name, array in found.items():
        outcome, field = name.split(".", 1)
        assert array.flags.c_contiguous
        assert array.dtype == (np.int64 if field in ("patient", "normal") or name == "falls.value" else np.float64)
        if field == "normal":
            assert np.isin(array, range(N)).all()
        else:
            assert array.shape == ((PATIENTS,) if outcome == "covariates" else (N,))
        if field == "patient":
            assert np.isin(array, range(PATIENTS)).all()
        elif name == "covariates.age":
            assert not np.isinf(array).any()
        elif field not in ("low", "high", "normal"):
            assert np.isfinite(array).all()
    assert np.all(found["power.low"] <= found["power.value"])
    assert np.all(found["power.value"] <= found["power.high"])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_faultless_changes_get_through(data):
    finite = st.floats(-1e6, 1e6)
    patient = data.draw(st.lists(st.integers(0, PATIENTS - 1), min_size=N, max_size=N))
    ends = np.sort(data.draw(st.lists(st.tuples(finite, finite), min_size=N, max_size=N)), axis=1)
    changed = {"falls.patient": np.array(patient), "power.low": ends[:, 0], "power.high": ends[:, 1]}
    changed["power.value"] = ends[:, 0]
    changed["covariates.age"] = np.array(data.draw(st.lists(finite | st.just(np.nan), min_size=3, max_size=3)))
    found = validated(WHOLE, whole() | changed, PATIENTS)
    assert all(np.array_equal(found[k], v, equal_nan=True) for k, v in changed.items())


# --- what a compiled model takes for granted

INTEGRATED = {"falls": "informed", "dose": "integrated", "power": "integrated"}
SCATTERED = parse_study(WHOLE.text.replace('{ kind = "poisson" }', '{ kind = "poisson", observation_effect = true }'))


def same(study, one, other, integrated=INTEGRATED):
    ours, theirs = (facts(study, whole() | changed, integrated) for changed in (one, other))
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[k], theirs[k]) for k in ours)


def limits(low, high):
    return {"power.low": np.array(low), "power.high": np.array(high), "power.value": np.where(np.isinf(low), high, low)}


INF = np.inf


@pytest.mark.parametrize(
    "changed",
    [
        {"power.value": np.array([5, 41, 70, 20.0]), "power.low": np.array([-INF, 41, 70, 20]),
         "power.high": np.array([5, 41, INF, 50])},
        {"power.low": np.array([-INF, 40, 70, 10]), "power.high": np.array([5, 40, INF, 60])},  # another interval
        {"covariates.age": np.array([3, np.nan, 0])},
        {"covariates.titre": np.array([3, 2.0, 0])},
        {"dose.value": np.array([1, 0, 2, 3.0]), "dose.normal": np.array([0, 2, 3])},
        {"falls.value": np.array([9, 9, 9, 9]), "falls.offset": np.zeros(4)},
        {"falls.patient": np.array([2, 2, 2, 2])},
    ],
)  # fmt: skip
def test_other_values_are_taken_by_the_same_model(changed):
    assert same(WHOLE, {}, changed)


@pytest.mark.parametrize(
    "changed",
    [
        limits([5, 40, 70, 20], [5.0, 40, INF, 50]),  # one limit fewer
        limits([-INF, -INF, 70, 20], [5, 40, INF, 50]),  # one more
        limits([5, 40, 70, 20], [INF, 40, INF, 50]),  # on the other side
        limits([-INF, 40, 70, 20], [5, 40, INF, 20]),  # no interval
        limits([-INF, 40, 70, 20], [5, 45, INF, 20]),  # another cell's interval
        limits([4, 40, 70, 20], [5, 40, INF, 50]),  # an interval where a limit was
        {"covariates.age": np.array([3, 1.0, 0])},
        {"covariates.age": np.array([np.nan, 1.0, 0])},
        {"covariates.age": np.array([np.nan, np.nan, 0])},
    ],
)
def test_what_is_built_into_a_model_tells_datasets_apart(changed):
    assert not same(WHOLE, {}, changed)


def test_limits_are_built_in_only_where_effects_are_integrated():
    assert same(WHOLE, {}, limits([5, 40, 70, 20], [5.0, 40, INF, 50]), {**INTEGRATED, "power": "centred"})


def test_the_number_of_measurements_is_built_in_where_each_has_an_effect():
    fewer = {k: v[:3] for k, v in whole().items() if k.startswith("falls.")}
    assert same(WHOLE, {}, fewer)
    assert not same(SCATTERED, {}, fewer)


@given(st.lists(st.tuples(st.sampled_from("mlrb"), st.floats(1, 5)), min_size=6, max_size=6), st.permutations(range(6)))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_two_patterns_of_limits_have_the_same_facts_only_if_they_are_the_same(cells, order):
    """Over six cells, each measured, left, right or between."""

    def found(listed):
        low = np.array([-INF if side == "l" else x for side, x in listed])
        high = np.array([INF if side == "r" else x + (side == "b") for side, x in listed])
        return facts(WHOLE, whole() | {"power.low": low, "power.high": high}, INTEGRATED)["power: censored cells"]

    other = [cells[i] for i in order]
    same_pattern = [side for side, _ in cells] == [side for side, _ in other]
    assert np.array_equal(found(cells), found(other)) is same_pattern
