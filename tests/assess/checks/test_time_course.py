"""Bins of time lose no cell; the visits before treatment are judged by themselves."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bayesmyo.assess.checks.moments import bins
from bayesmyo.assess.checks.time_course import TimeCourse, stretches
from bayesmyo.assess.replicated import replicated
from bayesmyo.components.trajectories import TRAJECTORIES
from tests.assess.checks import conftest
from tests.assess.checks.conftest import GAUSSIAN, GAUSSIAN_TRUTH, PLATEAU, PLATEAU_TRUTH, around
from tests.conftest import fit_of

TIMES = arrays.arrays(float, st.integers(1, 200), elements=st.integers(-12, 40).map(float))  # many visits at one time
PIECES = GAUSSIAN.replace('kind = "linear"', 'kind = "piecewise", origin = -12, knots = [0]')


@given(time=TIMES, most=st.integers(1, 8), least=st.integers(1, 30), cuts=st.sampled_from([(), (0.0,), (-6.0, 0.0)]))
def test_every_cell_is_in_one_bin_and_bins_are_in_order(time, most, least, cuts):
    found = bins(time, most, least, cuts)
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(len(time)))
    assert all(len(cells) for cells in found)
    assert all(time[a].max() < time[b].min() for a, b in pairwise(found))


@given(time=TIMES, most=st.integers(1, 8), least=st.integers(1, 30))
def test_bins_of_too_few_cells_are_merged(time, most, least):
    assert all(len(cells) >= min(least, len(time)) for cells in bins(time, most, least))


@example(time=np.array([0.0, -1.0]), most=2, least=1)
@given(time=TIMES, most=st.integers(1, 8), least=st.integers(1, 30))
def test_five_cells_before_a_cut_are_bins_of_their_own(time, most, least):
    fewer = min(np.sum(time < 0), np.sum(time >= 0))
    reaches_over = any(time[c].min() < 0 <= time[c].max() for c in bins(time, most, least, (0.0,)))
    if fewer == 0 or fewer >= 5:
        assert not reaches_over
    elif fewer < least:  # too few for a bin of their own; with more, counts alone decide
        assert reaches_over


def test_bins_have_about_equal_counts():
    assert [len(cells) for cells in bins(np.arange(120.0), 6, 20)] == [20] * 6
    assert sorted(len(cells) for cells in bins(np.arange(-30.0, 90.0), 6, 20, (0.0,))) == [22, 22, 23, 23, 30]


@pytest.fixture
def cohort_of(monkeypatch):
    """A true fit with visits before treatment; `trend`: points a month that the outcome rises before it, unlike the
    model.
    """
    early = "first = [0, 0.01, 0.02, 1, 2, 3, 6], then_every = 4"  # the second and third are moved to before the start
    monkeypatch.setattr(
        conftest, "STUDY", conftest.STUDY.replace("first = [0, 1, 2, 3, 6], then_every = 4, jitter = 0.3", early)
    )

    def make(outcome=PLATEAU, scenario=PLATEAU_TRUTH, patients=23, trend=0.0):
        study, cohort, truth = conftest.made(outcome, scenario)
        m = cohort.measurements["y"]
        moved = (m.time > 0) & (m.time < 0.05)
        m = m.take(~moved | (m.patient < patients))
        time = np.where((m.time > 0) & (m.time < 0.05), -300 * m.time, m.time)  # months -6 and -3
        m = replace(m, time=time, value=m.value + trend * np.minimum(time, 0))
        return fit_of(study, replace(cohort, measurements={"y": m}), around(truth))

    return make


@pytest.mark.parametrize("patients", [3, 9, 23])
def test_the_visits_before_treatment_are_a_bin_of_exactly_them(cohort_of, patients):
    fit = cohort_of(patients=patients)
    r = replicated(fit).outcomes["y"]
    before, *after = stretches(fit.study, r)
    np.testing.assert_array_equal(before, np.flatnonzero(r.time < 0))
    assert len(before) == 2 * patients
    assert sum(map(len, after)) == np.sum(r.time >= 0)
    result = TimeCourse().run(fit)
    assert result.passed
    assert {row["statistic"] for row in result.table if "-6" in row["statistic"]} == {
        f"{what} from month -6 to -3 (before treatment)"
        for what in ("mean residual", "10 % quantile", "median", "90 % quantile")
    }


def test_fewer_than_five_visits_before_treatment_are_not_judged_by_themselves(cohort_of):
    result = TimeCourse().run(cohort_of(patients=2))
    assert "Not judged: Score, its 4 measurements before month 0 by themselves, too few." in result.sentence
    assert "Not judged" not in TimeCourse().run(cohort_of(patients=0)).sentence


def test_a_trend_before_treatment_is_seen_and_told_how_to_be_declared(cohort_of):
    result = TimeCourse().run(cohort_of(trend=2.0))
    assert not result.passed
    assert "before treatment" in result.sentence
    assert "declare a trend before treatment" in result.sentence
    assert "study.time.before" in result.sentence


def test_a_trend_that_is_declared_is_no_misfit(cohort_of):
    scenario = GAUSSIAN_TRUTH.replace("slope = 0.3", "slope_1 = 2\nslope_2 = 0.3").replace(
        "intercept = 50", "intercept = 26"
    )
    scenario = scenario.replace("sd_slope = 0.4\ncorrelation = 0\n", "")
    result = TimeCourse().run(cohort_of(PIECES, scenario, trend=2.0))
    assert result.passed


@pytest.mark.parametrize("kind", TRAJECTORIES, ids=lambda kind: kind.__name__)
def test_every_trajectory_says_what_to_try_where_it_is_wrong(kind):
    assert kind.elsewhere != "try another trajectory"
