"""What a frequentist analysis answers: exact powers, published sample sizes, published fits."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayesmyo.errors import UsageError
from bayesmyo.model.simulate import simulate_scenario
from bayesmyo.simulation.power.comparators import (
    common_slope,
    compare,
    one_sample,
    p_value,
    questions,
    two_sample,
)
from bayesmyo.simulation.power.mixed import mixed_model
from bayesmyo.simulation.power.own import analysed, answerable, own_numbers, own_slopes
from bayesmyo.study import parse_study, read_study
from bayesmyo.study.design import FollowUp, Visits
from tests.conftest import ROOT

HERE = ROOT / "tests" / "reference"
REFERENCE = ROOT.parent / "shared" / "reference"
COHORTS = 4000
shared = pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference cohorts are not copied here")


def cases():
    return {c["id"]: c for c in json.loads((REFERENCE / "cases.json").read_text())}


@pytest.fixture(scope="module")
def one_arm():
    return read_study(HERE / "one_arm.toml")


@pytest.fixture(scope="module")
def two_arm():
    return read_study(HERE / "two_arm.toml")


@pytest.fixture(scope="module")
def four(one_arm):
    """4,000 cohorts of 23 patients in one table, slope 4, and with each slope less by 4."""
    return simulate_scenario(one_arm, "four", seed=20, patients=COHORTS * 23).cohort


def near(found, power, of=COHORTS):
    return abs(found - power) < 3 * np.sqrt(power * (1 - power) / of)


def rejected(answer, level=0.05):
    return float((p_value(*answer) < level).mean())


@shared
@pytest.mark.parametrize("patients", [6, 10, 15, 18, 23])
def test_the_t_test_on_own_slopes_has_its_exact_power(one_arm, four, patients):
    exact = cases()["one_arm_slope_exact"]["table"][str(patients)]
    slopes, _ = own_numbers(one_arm, four, "slope")
    cohorts = slopes[: COHORTS * patients].reshape(COHORTS, patients)
    assert near(rejected(one_sample(cohorts)), exact)
    assert near(rejected(one_sample(cohorts - 4)), 0.05)
    changes, _ = own_numbers(one_arm, four, "change_9")
    np.testing.assert_allclose(changes, 9 * slopes)


def test_a_slope_that_is_taken_to_be_common_is_found_where_there_is_none(one_arm, four):
    """The random-intercept analysis of patients whose slopes differ: 31 % false positives, not 5 %."""
    a = analysed(one_arm, four, "slope")
    slope, sxx, count, rss = (x.reshape(COHORTS, 23) for x in own_slopes(a.patient, a.clock, a.value, a.patients))
    assert near(rejected(common_slope(slope - 4, sxx, count, rss)), 0.31)
    estimate, _, freedom = common_slope(slope, sxx, count, rss)
    np.testing.assert_allclose(estimate, slope.mean(axis=-1))  # balanced
    assert set(freedom) == {23 * 9 - 1}


def arms(study, cohort, per_arm, at_most=COHORTS):
    """(cohort, 2 * per_arm) positions of patients, as many of either arm, and their groups."""
    group = analysed(study, cohort, "slope").group
    of = [np.flatnonzero(group == g) for g in (0, 1)]
    cohorts = min(at_most, *(len(o) // per_arm for o in of))
    chosen = np.concatenate([o[: cohorts * per_arm].reshape(cohorts, per_arm) for o in of], axis=1)
    return chosen, group[chosen]


@shared
def test_two_arms_have_their_exact_power(two_arm):
    cohort = simulate_scenario(two_arm, "sleep", seed=21, patients=60_000).cohort
    numbers, _ = own_numbers(two_arm, cohort, "slope")
    for n, exact in cases()["two_arm_slope_exact"]["table"].items():
        chosen, group = arms(two_arm, cohort, int(n))
        assert near(rejected(two_sample(numbers[chosen], group)), exact, len(chosen)), n


def redesigned(study, times):
    design = replace(
        study.design, visits=Visits(first=times, then_every=100), follow_up=FollowUp(mean=30, sd=0.1, maximum=times[-1])
    )
    return replace(study, design=design)


@shared
def test_liu_and_liang(two_arm):
    case = cases()["liu_liang_adas"]
    study = redesigned(two_arm, tuple(np.arange(7) / 4))
    cohort = simulate_scenario(study, "adas", seed=22, patients=60_000).cohort
    numbers, group = own_numbers(study, cohort, "slope")
    chosen, groups = arms(study, cohort, int(case["n"]))
    assert near(rejected(two_sample(numbers[chosen], groups)), 0.80, len(chosen))
    # and by the closed form, from the variance of patients' own slopes: 24 + 10 / 1.75
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    variance = np.mean([numbers[group == g].var() for g in (0, 1)])
    assert 2 * z**2 * variance / 1.5**2 == pytest.approx(case["n"], rel=0.02)


@shared
def test_diggle_slopes_without_patients_own(two_arm):
    n = cases()["diggle_p29"]["table"]["rho=0.5"]["sigma2=100"]
    study = redesigned(two_arm, (0.0, 2.0, 5.0))
    cohort = simulate_scenario(study, "exchangeable", seed=23, patients=60_000).cohort
    a = analysed(study, cohort, "slope")
    parts = own_slopes(a.patient, a.clock, a.value, a.patients)
    chosen, group = arms(study, cohort, n)
    estimate, error, freedom = common_slope(*(p[chosen] for p in parts), group=group)
    found = float(((p_value(estimate, error, freedom) < 0.10) & (estimate > 0)).mean())  # one-sided
    assert near(found, 0.80, len(chosen))


@shared
def test_diggle_levels(two_arm):
    delta = "0.5"
    n = cases()["diggle_p30"]["table"]["rho=0.5"][delta]
    text = (HERE / "two_arm.toml").read_text().split("[scenarios")[0]
    text = text.replace('"linear"', '"constant"').replace("moderators", "covariates")
    text = text.replace(
        'kind = "slope"\noutcome = "score"\nfrom = 0\nto = 1', 'kind = "level"\noutcome = "score"\nat = 0'
    )
    text += f"[scenarios.level]\nscore = {{ intercept = 20, arm_active = {delta}, sd_intercept = 0.70710678, sigma = 0.70710678 }}\n"
    study = redesigned(parse_study(text), (0.0, 2.0, 5.0))
    cohort = simulate_scenario(study, "level", seed=24, patients=60_000).cohort
    numbers, _ = own_numbers(study, cohort, "slope")
    chosen, group = arms(study, cohort, n, at_most=900)
    answer = two_sample(numbers[chosen], group)
    # the formula is for the normal distribution, and rounds up: at 33 patients the t test loses half a point
    exact = stats.nct.sf(stats.t.ppf(0.95, 2 * n - 2), 2 * n - 2, float(delta) / np.sqrt(2 * (1 + 2 * 0.5) / 3 / n))
    assert abs(exact - 0.80) < 0.01
    assert near(float(((p_value(*answer) < 0.10) & (answer[0] > 0)).mean()), exact, len(chosen))


# --- the mixed model


@shared
def test_the_mixed_model_is_that_of_lme4():
    """sleepstudy, REML: Bates et al. (2015), section 4."""
    with (REFERENCE / "sleepstudy.csv").open() as file:
        rows = list(csv.DictReader(file))
    who, day, y = ("Subject", "Days", "Reaction")
    names = sorted({r[who] for r in rows})
    patient = np.array([names.index(r[who]) for r in rows])
    time, value = (np.array([float(r[k]) for r in rows]) for k in (day, y))
    fit = mixed_model(patient, time, value, np.stack([np.ones(len(time)), time], axis=-1), len(names))
    np.testing.assert_allclose(fit.fixed, [251.405, 10.467], atol=1e-3)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), [6.825, 1.546], atol=1e-3)
    assert fit.sd_intercept == pytest.approx(24.741, abs=0.01)
    assert fit.sd_slope == pytest.approx(5.922, abs=0.002)
    assert fit.correlation == pytest.approx(0.066, abs=0.002)
    assert fit.sigma == pytest.approx(25.592, abs=0.002)


def test_balanced_the_mixed_model_is_the_t_test(one_arm):
    """Unless the best variance of the slopes is zero; then it is the common slope, and looks surer than it is."""
    alike = 0
    for seed in range(30):
        found = {
            q.name: q
            for q in compare(one_arm, simulate_scenario(one_arm, "four", seed, 15).cohort, ("t test", "mixed model"))
        }
        t, m = found["t test: slope"], found["mixed model: slope"]
        assert m.median == pytest.approx(t.median, abs=1e-4)
        alike += abs(m.probability - t.probability) < 1e-3
    assert alike >= 20


def test_a_model_that_cannot_be_fitted_says_so(rng):
    patient, clock = np.repeat([0, 1, 2], 2), np.ones(6)
    assert mixed_model(patient, clock, rng.normal(size=6), np.ones((6, 1)), 3) is None
    clock = np.tile([0.0, 1.0], 3)
    assert mixed_model(patient, clock, rng.normal(size=6), np.stack([np.ones(6), clock, clock], axis=-1), 3) is None


# --- which questions they answer, and what they say where they cannot


def test_each_method_answers_what_it_can(ivig, small, one_arm):
    assert questions(ivig, "t test") == ["mrc_change_12", "cpk_ratio_12", "steroid_change_12", "mrc_change_12_these"]
    assert questions(ivig, "mixed model") == []  # plateaus
    assert not answerable(ivig, "cpk_change_12")  # a difference of geometric means
    assert questions(one_arm, "mixed model") == ["slope", "change_9"]
    assert questions(small, "t test") == ["cpk_ratio_12"]


def test_where_a_curve_bends_the_last_measurement_is_compared_with_the_first(ivig):
    cohort = simulate_scenario(ivig, "paper", seed=3).cohort
    values, group = own_numbers(ivig, cohort, "cpk_ratio_12")
    m = cohort.measurements["cpk"]
    assert group is None
    for i, found in enumerate(values):
        time, value = m.time[m.patient == i], m.value[m.patient == i]
        early, late = time < 6, time >= 6
        if not (early.any() and late.any()):
            assert np.isnan(found)
            continue
        first, last = np.argmin(np.where(early, time, np.inf)), np.argmin(np.where(late, np.abs(time - 12), np.inf))
        assert found == pytest.approx(np.log(value[last] / value[first]))


def test_an_answer_is_an_interval_and_a_test_of_the_same_numbers(small):
    cohort = simulate_scenario(small, seed=5).cohort
    values, _ = own_numbers(small, cohort, "cpk_ratio_12")
    values = values[np.isfinite(values)]
    answer, rule = compare(small, cohort, ("t test",), {"cpk_ratio_12": 0.27})
    theirs = stats.ttest_1samp(values, 0.0)
    assert (answer.name, answer.kind, answer.look, answer.truth) == ("t test: cpk_ratio_12", "comparator", 12, 0.27)
    assert answer.probability == pytest.approx(theirs.pvalue)
    np.testing.assert_allclose([answer.lower, answer.upper], np.exp(theirs.confidence_interval(0.95)))
    assert answer.met == (theirs.pvalue < 0.05 and values.mean() < 0)
    assert rule.name == "t test for cpk_halved"
    assert rule.probability == pytest.approx(stats.ttest_1samp(values, np.log(0.5), alternative="less").pvalue * -1 + 1)
    assert rule.met == (rule.probability >= 0.9)


def test_two_groups_are_compared_as_scipy_does(two_arm):
    cohort = simulate_scenario(two_arm, "sleep", seed=6).cohort
    values, group = own_numbers(two_arm, cohort, "slope")
    theirs = stats.ttest_ind(values[group == 1], values[group == 0])
    found = {q.name: q for q in compare(two_arm, cohort, ("t test", "mixed model"))}
    assert found["t test: slope"].probability == pytest.approx(theirs.pvalue)
    np.testing.assert_allclose(
        [found["t test: slope"].lower, found["t test: slope"].upper], theirs.confidence_interval(0.95)
    )
    assert found["mixed model: slope"].median == pytest.approx(found["t test: slope"].median, abs=1e-3)


def test_a_method_that_fails_is_a_quantity_without_numbers(one_arm):
    cohort = simulate_scenario(one_arm, "four", seed=1, patients=1).cohort
    for q in compare(one_arm, cohort, ("t test", "mixed model", "common slope")):
        if not q.name.startswith("common"):
            assert (q.median, q.probability, q.met) == (None, None, None), q.name


def test_an_unknown_method(one_arm):
    with pytest.raises(UsageError, match='did you mean "t test"'):
        compare(one_arm, simulate_scenario(one_arm, seed=1).cohort, ("ttest",))
