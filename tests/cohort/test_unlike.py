"""Numbers in another unit are found and those that only differ are not: planted factors, and cohorts of known
spread.
"""

import numpy as np
import pytest

from bayesmyo.cohort.unlike import (
    FACTORS,
    Numbers,
    around,
    both_ways,
    lone,
    middle,
    other_unit,
    rescaled,
    two_groups,
    without_course,
)
from bayesmyo.model.schedule import draw_follow_up, draw_visits
from bayesmyo.study import read_study
from tests.conftest import MODELS

VISITS = np.array([0.0, 3, 6, 9, 12, 18])
USUAL = both_ways(FACTORS)
MONTHS = (30.4375, 1 / 12)  # days and years where months are declared


def cohort(rng, patients=23, between=0.5, within=0.2):
    """Patients who fall by a half in a year, on the log scale: (patient, time, value), (n,) each."""
    patient, time = np.repeat(np.arange(patients), len(VISITS)), np.tile(VISITS, patients)
    own = rng.normal(0, between, patients)[patient] + rng.normal(0, within, len(patient))
    return patient, time, 800 * np.exp(own - 0.06 * time)


def test_clean_cohorts_are_rarely_noted(rng):
    flagged = sum(np.isfinite(rescaled(Numbers(*cohort(rng), least=0.5), USUAL)).any() for _ in range(300))
    assert flagged <= 3  # of 300


@pytest.mark.parametrize("factor", [1000.0, 1 / 1000, 100.0, 60.0, 1 / 60])
def test_a_patient_in_another_unit_is_found(rng, factor):
    right = 0
    for _ in range(40):
        patient, time, value = cohort(rng)
        by = rescaled(Numbers(patient, time, np.where(patient == 7, factor * value, value), least=0.5), USUAL)
        right += np.isfinite(by[patient == 7]).all() and np.isnan(by[patient != 7]).all()
    assert right >= 38  # of 40


@pytest.mark.parametrize("factor", [1000.0, 1 / 1000, 60.0])
@pytest.mark.parametrize("visit", range(len(VISITS)))
def test_a_cell_in_another_unit_is_found_wherever_it_stands(rng, factor, visit):
    right = 0
    for _ in range(20):
        patient, time, value = cohort(rng)
        odd = (patient == 4) & (time == VISITS[visit])
        by = rescaled(Numbers(patient, time, np.where(odd, factor * value, value), least=0.5), USUAL)
        right += np.isfinite(by[odd][0]) and np.isnan(by[~odd]).all()
    assert right >= 19


@pytest.mark.parametrize("factor", [1 / 1000, 1 / 60, 100.0])
@pytest.mark.parametrize("many", [6, 11])
def test_a_clinic_in_another_unit_is_found_though_it_has_half_of_the_patients(rng, factor, many):
    right = 0
    for _ in range(40):
        patient, time, value = cohort(rng)
        by = rescaled(Numbers(patient, time, np.where(patient < many, factor * value, value), least=0.5), USUAL)
        right += np.isfinite(by[patient < many]).all() and np.isnan(by[patient >= many]).all()
    assert right >= 36  # of 40


@pytest.mark.parametrize("spread", [0.5, 1.0])
def test_patients_who_differ_more_than_declared_are_no_two_groups(rng, spread):
    people = (rng.standard_t(3, size=(300, 23)), rng.exponential(size=(300, 23)), rng.normal(size=(300, 23)))
    flagged = 0
    for own in spread * np.concatenate(people):
        patient, time, value = cohort(rng, between=0.0)
        flagged += np.isfinite(two_groups(Numbers(patient, time, value * np.exp(own[patient]), least=0.5), USUAL)).any()
    assert flagged <= 18  # of 900


def test_shares_among_percent_are_found_though_half_of_a_patients_cells_are():
    rng = np.random.default_rng(8)
    patient, time = np.repeat(np.arange(12), 6), np.tile(VISITS, 12)
    value = rng.normal(50, 8, 12)[patient] + rng.normal(0, 3, 72)
    odd = (patient < 3) & (time > 3)
    typed = np.where(odd, value / 100, value)
    by = rescaled(Numbers(patient, time, typed, typed, 10.0), USUAL)
    assert np.array_equal(np.isfinite(by), odd)


def test_a_score_near_zero_is_no_other_unit(rng):
    """Where patients differ by points, 0.02 beside 1.2 is a ratio of 60 and no distance."""
    patient, time = np.repeat(np.arange(23), 6), np.tile(VISITS, 23)
    for _ in range(50):
        value = np.clip(rng.normal(1.2, 0.6, 23)[patient] + rng.normal(0, 0.2, 138) - 0.03 * time, 0.02, 3)
        assert np.isnan(rescaled(Numbers(patient, time, value, value, 0.6), USUAL)).all()


def test_few_numbers_are_not_compared():
    assert np.isnan(rescaled(Numbers(np.arange(4), np.zeros(4), np.array([1.0, 1, 1, 1e6])), USUAL)).all()
    assert np.isnan(rescaled(Numbers(np.arange(9), np.zeros(9), np.zeros(9)), USUAL)).all()


def test_the_nearest_of_a_patient_are_by_hand():
    x = np.array([1.0, 2, 3, 4, 100, 6, 7, 50, 60])
    found = around(x, np.array([6, 1, 2]))
    np.testing.assert_allclose(found[:6], [1 - 3.5, 2 - 3.5, 3 - 3, 4 - 4.5, 100 - 3.5, 6 - 3.5])
    assert np.isnan(found[6])
    np.testing.assert_allclose(found[7:], [-10, 10])


def test_a_course_that_all_share_is_taken_away(rng):
    time = np.repeat(VISITS, 40)
    shared = without_course(time, -time + rng.normal(0, 0.1, len(time)))
    assert [abs(np.median(shared[time == t])) < 0.1 for t in VISITS] == [True] * 6


def test_the_middle_is_that_of_most():
    assert middle(np.array([1.0, 2, 3, 4, 1e9])) == (3.0, pytest.approx(1.4826))
    assert middle(np.ones(5), least=0.3) == (1.0, 0.3)


@pytest.mark.parametrize(
    ("factor", "schedule"), [(30.4375, "planned"), (1 / 12, "planned"), (30.4375, "jitter"), (1 / 12, "jitter")]
)
def test_a_patient_in_another_unit_of_time_is_found(rng, factor, schedule):
    right = 0
    for _ in range(40):
        kept = rng.random(23 * 9) > 0.15
        time = np.tile([0.0, 1, 2, 3, 6, 9, 12, 15, 18], 23)
        time += rng.uniform(0, 0.6, len(time)) * (time > 0) * (schedule == "jitter")
        patient = np.repeat(np.arange(23), 9)
        typed = np.where(patient == 5, np.round(time * factor, 3), time)
        found = other_unit(patient[kept], typed[kept], MONTHS)
        right += [*found] == [5] and found[5] == pytest.approx(factor)
    assert right >= 38


def test_who_missed_visits_or_left_early_has_no_other_unit(rng):
    plan = np.array([0.0, 1, 2, 3, 6, 9, 12, 15, 18, 24, 36])
    for _ in range(200):
        times = [plan[: rng.integers(2, 12)] for _ in range(23)]
        times = [t[(rng.random(len(t)) > 0.4) | (t == 0)] for t in times]
        patient = np.repeat(np.arange(23), [len(t) for t in times])
        assert other_unit(patient, np.concatenate(times), MONTHS) == {}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([41, 55, 63, 38, 70, 52, 99], [99]), ([41, 55, 63, 38, 70, 52, -9], [-9]),
        ([41, 55, 63, 38, 70, 52, 999, -99], [-99, 999]),
        ([81, 85, 93, 78, 90, 92, 99], []), ([1, 0, 2, 3, 9, 0, 12, 4], []), ([-9, -12, 3, 5, -20, 8], []),
        ([41, 55, 99], []), ([], []),
        ([31, 33, 38, 43, 45, 46, 49, 67, 67, 69, 77, 79, -1], [-1]),  # two groups, far apart
    ],
)  # fmt: skip
def test_what_stands_alone_may_mean_missing(values, expected):
    x = np.array(values, dtype=float)
    assert lone(x, x) == expected


@pytest.mark.parametrize(
    ("values", "expected"), [([11, 12, 13, 9.5, 10, 0, 0], [0]), ([3, 1, 0, 2, 5, 4], []), ([-1, 0, 2, -3, 1, 2], [])]
)
def test_zero_stands_alone_where_nobody_is_near_it(values, expected):
    x = np.array(values, dtype=float)
    assert lone(x, x, {0.0}) == expected


def test_hundreds_of_simulated_cohorts_have_no_other_unit_of_time():
    """Of every bundled study: who leaves after two visits that a jitter moved to the start has been seen in months."""
    for path in sorted(MODELS.glob("*.toml")):
        design, rng = read_study(path).design, np.random.default_rng(1)
        for _ in range(200):
            ends, _ = draw_follow_up(design, design.patients, rng)
            times = [draw_visits(design, end, rng) for end in ends]
            patient = np.repeat(np.arange(len(times)), [len(t) for t in times])
            assert other_unit(patient, np.concatenate(times), MONTHS) == {}, path


def test_of_two_visits_both_must_lie_where_the_unit_says():
    """Others come at 1, 2, 3 and 6 months: 0.08 and 0.17 are years; 0.01 and 1.57 are not, though their mean is."""
    plan = [0.0, 1, 2, 3, 6]
    patient = np.repeat(np.arange(10), [5] * 9 + [3])

    def found(*last):
        return other_unit(patient, np.array(plan * 9 + [0.0, *last]), MONTHS)

    assert found(0.08, 0.17) == {9: 1 / 12}
    assert found(30, 61) == {9: 30.4375}
    assert found(0.01, 1.57) == {}
