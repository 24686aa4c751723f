"""Covariates as design columns, by hand."""

import numpy as np
import pytest

from bayesmyo.study import parse_study
from bayesmyo.study.covariates import base, coded, columns, columns_of, slug, slugs, uncoded, used, with_products
from tests.study.everything import EVERYTHING

MORE = """
[covariates.dx_sex]
product = ["diagnosis", "sex"]
[covariates.all_three]
product = ["age", "diagnosis", "sex"]
[covariates.numbers]
product = ["age", "titre"]
[covariates.unused]
typical = 1
scale = 1
"""
STUDY = parse_study(EVERYTHING + MORE)
NAN = np.nan


@pytest.mark.parametrize(
    ("level", "name"),
    [("PM", "pm"), ("anti-Jo-1", "anti_jo_1"), ("4+", "4"), ("  x y ", "x_y"), ("++", "level"), ("ä", "level"),
     ("A_B", "a_b")],
)  # fmt: skip
def test_a_level_as_a_part_of_a_name(level, name):
    assert slug(level) == name


@pytest.mark.parametrize(
    ("levels", "names"),
    [
        (("DM", "+m"), ("dm", "m")), (("-", "+"), ("minus", "plus")), (("<6m", ">6m"), ("below_6m", "above_6m")),
        (("4-", "4", "4+"), ("4_minus", "4", "4_plus")), (("a b", "a-b"), ("a_b", "a_b")),
    ],
)  # fmt: skip
def test_a_sign_is_a_word_where_nothing_else_tells_levels_apart(levels, names):
    assert slugs(levels) == names


@pytest.mark.parametrize(
    ("covariate", "expected"),
    [
        ("age", ("age",)),
        ("titre", ("titre",)),
        ("sex", ("sex_m",)),
        ("diagnosis", ("diagnosis_pm", "diagnosis_ibm")),
        ("age_sex", ("age_sex",)),
        ("numbers", ("numbers",)),
        ("dx_sex", ("dx_sex_diagnosis_pm_sex_m", "dx_sex_diagnosis_ibm_sex_m")),
        ("all_three", ("all_three_age_diagnosis_pm_sex_m", "all_three_age_diagnosis_ibm_sex_m")),
    ],
)
def test_columns_of_a_covariate(covariate, expected):
    assert columns(STUDY, covariate) == expected


def test_columns_of_several_are_in_order():
    assert columns_of(STUDY, ["sex", "diagnosis", "age"]) == ("sex_m", "diagnosis_pm", "diagnosis_ibm", "age")
    assert columns_of(STUDY, []) == ()


def test_products_are_made_of_what_is_in_the_table():
    assert base(STUDY, ["age_sex", "diagnosis", "all_three"]) == ("age", "sex", "diagnosis")


def test_what_the_outcomes_use_and_where_it_varies():
    assert used(STUDY) == ("diagnosis", "age", "season", "sex", "titre", "duration")
    assert used(STUDY, "patients") == ("diagnosis", "age", "sex", "titre", "duration")
    assert used(STUDY, "visits") == ("season",)


def test_levels_are_columns_of_zeros_and_ones_but_for_the_reference():
    found = coded(STUDY, "diagnosis", [0, 1, 2, 1, NAN])
    assert list(found) == ["diagnosis_pm", "diagnosis_ibm"]
    np.testing.assert_array_equal(found["diagnosis_pm"], [0, 1, 0, 1, NAN])
    np.testing.assert_array_equal(found["diagnosis_ibm"], [0, 0, 1, 0, NAN])


@pytest.mark.parametrize(
    ("covariate", "typed", "column"),
    [
        ("age", [55, 67, 31, NAN], [0, 1, -2, NAN]),
        ("titre", [100, 400, 6.25, 200, NAN], [0, 1, -2, 0.5, NAN]),
        ("duration", [9, 16, 1, 0, NAN], [0, 1, -2, -3, NAN]),
    ],
)
def test_a_number_is_zero_at_the_typical_value_and_one_at_one_scale_above(covariate, typed, column):
    found = coded(STUDY, covariate, typed)
    assert list(found) == [covariate]
    np.testing.assert_allclose(found[covariate], column, atol=1e-12)
    np.testing.assert_allclose(uncoded(STUDY, covariate, column), typed, rtol=1e-12, atol=1e-12)


def test_products_are_products_of_columns():
    given = {"age": np.array([1.0, -2.0, NAN]), "sex_m": np.array([1.0, 0.0, 1.0])}
    given |= {"diagnosis_pm": np.array([0.0, 1.0, 0.0]), "diagnosis_ibm": np.array([1.0, 0.0, 1.0])}
    found = with_products(STUDY, given, ["age_sex", "dx_sex", "all_three", "age"])
    by_hand = {
        "age_sex": [1, 0, NAN],
        "dx_sex_diagnosis_pm_sex_m": [0, 0, 0],
        "dx_sex_diagnosis_ibm_sex_m": [1, 0, 1],
        "all_three_age_diagnosis_pm_sex_m": [0, 0, NAN],
        "all_three_age_diagnosis_ibm_sex_m": [1, 0, NAN],
        "age": [1, -2, NAN],
    }
    assert list(found) == list(by_hand)
    for name, expected in by_hand.items():
        np.testing.assert_array_equal(found[name], expected)


def test_what_is_not_stated_is_at_the_reference():
    assert with_products(STUDY, {"sex_m": 1.0}, ["sex", "age_sex", "diagnosis"]) == {
        "sex_m": 1.0, "age_sex": 0.0, "diagnosis_pm": 0.0, "diagnosis_ibm": 0.0,
    }  # fmt: skip
