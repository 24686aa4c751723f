"""Effects across outcomes, covariates in the populations, groups and contrasts: against closed forms and covariances
by hand.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import stats

from bayesmyo.cohort import Measurements
from bayesmyo.components.estimands import Change, Contrast, Level, Ratio
from bayesmyo.errors import UsageError
from bayesmyo.model.measured import visit_predictors
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import (
    OutcomeTruth,
    Truth,
    covariance,
    draw_covariate,
    draw_effects,
    from_priors,
    from_scenario,
    patient_columns,
    with_effects,
)
from bayesmyo.study import parse_study
from bayesmyo.study.predictors import effects
from tests.study.everything import EVERYTHING

STUDY = parse_study(EVERYTHING)

# --- effects of all outcomes together, as the scenario states them

SDS = {
    "power.intercept": 8, "power.slope": 0.2, "grade.intercept": 1.5, "falls.start": 0.5, "falls.asymptote": 0.4,
    "falls.half_time": 0.3, "dose.intercept": 0.4, "dose.zero_intercept": 0.8,
}  # fmt: skip
STATED = {
    ("power.intercept", "power.slope"): -0.2,
    ("falls.start", "falls.asymptote"): 0.3,
    ("falls.start", "falls.half_time"): -0.2,
    ("falls.asymptote", "falls.half_time"): 0.1,
    ("dose.intercept", "dose.zero_intercept"): -0.5,
    ("power.intercept", "grade.intercept"): 0.5,
    ("power.slope", "falls.asymptote"): -0.3,
}
BY_HAND = np.diag(np.square(list(SDS.values())))
for (one, two), r in STATED.items():
    i, j = (list(SDS).index(name) for name in (one, two))
    BY_HAND[i, j] = BY_HAND[j, i] = r * SDS[one] * SDS[two]


def stacked(drawn):
    """(effect, ..., patient) in the order of the list above."""
    return np.stack([drawn[name.split(".")[0]][name.split(".")[1]] for name in SDS])


def test_the_covariance_across_outcomes_is_the_stated_one():
    every = [e for name in STUDY.outcomes for e in effects(STUDY, name)]
    np.testing.assert_allclose(covariance(STUDY, from_scenario(STUDY, "one"), every), BY_HAND, rtol=1e-12, atol=1e-15)


def test_effects_across_outcomes_are_drawn_with_the_stated_covariance(rng):
    n = 100_000
    drawn = draw_effects(STUDY, from_scenario(STUDY, "one"), n, rng)
    assert {f"{o}.{k}" for o, own in drawn.items() for k in own} == set(SDS)
    scaled = stacked(drawn) / np.array(list(SDS.values()))[:, None]
    expected = BY_HAND / np.outer(list(SDS.values()), list(SDS.values()))
    error = np.sqrt((1 + expected**2) / n)  # of a covariance of normal variables
    assert np.all(np.abs(np.cov(scaled) - expected) < 4.5 * error)
    assert np.all(np.abs(scaled.mean(axis=-1)) < 4.5 / np.sqrt(n))
    assert all(stats.kstest(z, "norm").pvalue > 1e-4 for z in scaled)


def test_each_draw_of_a_posterior_has_its_own_covariance(rng):
    truth = from_priors(STUDY, rng, (2, 3))
    drawn = stacked(draw_effects(STUDY, truth, 20_000, rng))
    assert drawn.shape == (8, 2, 3, 20_000)
    for at in product(range(2), range(3)):
        sds = [truth.value(n.split(".")[0], "sd_" + n.split(".")[1])[at] for n in SDS]
        np.testing.assert_allclose(drawn[(slice(None), *at)].std(axis=-1), sds, rtol=5 / np.sqrt(2 * 20_000))
        r = np.corrcoef(drawn[0][at], drawn[4][at])[0, 1]
        assert r == pytest.approx(truth.correlations["power_intercept_falls_asymptote"][at], abs=5 / np.sqrt(20_000))


def test_a_zero_part_that_is_not_correlated_is_independent_of_all(rng):
    text = EVERYTHING.replace("correlate = true\n", "").replace("correlation = -0.5\n", "")
    study = parse_study(text)
    drawn = stacked(draw_effects(study, from_scenario(study, "one"), 40_000, rng))
    assert np.all(np.abs(np.corrcoef(drawn)[-1, :-1]) < 4.5 / np.sqrt(40_000))


def test_a_scenario_leaves_what_it_does_not_state_uncorrelated():
    truth = from_scenario(STUDY, "one")
    assert truth.correlations["power_intercept_grade_intercept"] == 0.5
    assert truth.correlations["grade_intercept_falls_half_time"] == 0
    assert len(truth.correlations) == 23
    assert (truth.shape, truth.patients) == ((), None)


def test_a_truth_knows_its_patients_by_their_effects_or_their_covariates(rng):
    truth = from_scenario(STUDY, "one")
    assert with_effects(STUDY, truth, 7, rng).patients == 7
    assert replace(truth, covariates={"age": np.zeros(3)}).patients == 3


def test_an_unknown_scenario():
    with pytest.raises(UsageError, match='did you mean "one"'):
        from_scenario(STUDY, "onee")


# --- covariates as they are drawn


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("age", stats.norm(55, 12)),
        ("titre", stats.lognorm(np.log(4), scale=100)),
        ("duration", stats.ncx2(1, 9)),  # the square of Normal(3, 1)
    ],
)
def test_numbers_are_drawn_around_the_typical_value(name, oracle, rng):
    drawn = draw_covariate(STUDY, name, 4000, rng)
    assert stats.kstest(drawn[drawn > 0], oracle.cdf).pvalue > 1e-4
    assert np.mean(drawn > 0) > 0.99


@pytest.mark.parametrize(("name", "shares"), [("diagnosis", [0.5, 0.3, 0.2]), ("sex", [0.5, 0.5])])
def test_levels_are_drawn_by_their_shares(name, shares, rng):
    drawn = draw_covariate(STUDY, name, 4000, rng)
    counts = np.bincount(drawn.astype(int), minlength=len(shares))
    assert stats.chisquare(counts, 4000 * np.array(shares)).pvalue > 1e-4


# --- covariates in the populations, of a small study in which all is known in closed form

HEAD = """
[study]
title = "Two"
patient = "patient"
time = { column = "month", unit = "month", typical = 24 }

[covariates.arm]
levels = ["a", "b", "c"]
[covariates.age]
typical = 50
scale = 10
[covariates.arm_age]
product = ["arm", "age"]
[covariates.season]
levels = ["summer", "winter"]
varies = "visits"

[outcomes.strength]
column = "strength"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
covariates = ["arm", "age", "arm_age", "season"]
moderators = ["arm"]

[outcomes.cpk]
column = "cpk"
unit = "IU/L"
better = "lower"
typical = 1200
scale = 2.5
family = { kind = "lognormal" }
trajectory = { kind = "plateau" }
covariates = ["age"]
moderators = ["arm", "age"]
"""
TWO = parse_study(HEAD)
STRENGTH = {
    "intercept": 50.0, "slope": 0.5, "arm_b": -4.0, "arm_c": 6.0, "age": -2.0, "arm_age_arm_b_age": 1.0,
    "arm_age_arm_c_age": 3.0, "season_winter": -1.5, "slope_arm_b": 0.2, "slope_arm_c": -0.1,
    "sd_intercept": 8.0, "sd_slope": 0.25, "correlation": -0.4, "sigma": 4.0,
}  # fmt: skip
CPK = {
    "start": 6.7, "asymptote": 5.0, "half_time": 3.0, "age": 0.2, "asymptote_arm_b": 0.3, "asymptote_arm_c": -0.5,
    "asymptote_age": 0.1, "sd_start": 0.8, "sd_asymptote": 0.5, "correlation": 0.3, "sigma": 0.3,
}  # fmt: skip
ARM = np.array([0, 1, 1, 2, 0, 2, 2.0])
AGE = np.array([50, 70, 40, 60, 35, 50, 65.0])


def strength(t, arm, age, winter=0):
    """Expected strength of patients without effects."""
    x = (np.asarray(age) - 50) / 10
    level = 50 + np.array([0, -4, 6.0])[arm] - 2 * x + np.array([0, 1, 3.0])[arm] * x - 1.5 * winter
    return level + (0.5 + np.array([0, 0.2, -0.1])[arm]) * t


def log_cpk(t, arm, age):
    x, left = (np.asarray(age) - 50) / 10, 0.5 ** (t / 3)
    return 6.7 * left + (5.0 + np.array([0, 0.3, -0.5])[arm] + 0.1 * x) * (1 - left) + 0.2 * x


def cpk_mean(t, arm, age):
    left = 0.5 ** (t / 3)
    between = (0.8 * left) ** 2 + (0.5 * (1 - left)) ** 2 + 2 * 0.3 * 0.8 * left * 0.5 * (1 - left)
    return np.exp(log_cpk(t, arm, age) + between / 2 + 0.3**2 / 2)


WHO = ARM.astype(int), AGE


def truth_of(shape=(), covariates=True, effects=False):
    own = np.random.default_rng(2)
    outcomes = {}
    for name, values in (("strength", STRENGTH), ("cpk", CPK)):
        keys = [k.removeprefix("sd_") for k in values if k.startswith("sd_")]
        drawn = {k: values[f"sd_{k}"] * own.standard_normal((*shape, len(AGE))) for k in keys} if effects else {}
        outcomes[name] = OutcomeTruth({k: np.full(shape, v) for k, v in values.items()}, drawn)
    columns = patient_columns(TWO, {"arm": ARM, "age": AGE}) if covariates else {}
    return Truth(outcomes, covariates=columns)


def level(*asked, truth=None, **more):
    return TruthPrediction(TWO, truth or truth_of()).level(*asked, **more)


@pytest.mark.parametrize("time", [0.0, 3.0, 20.0])
def test_the_population_has_the_covariates_of_the_cohort(time):
    assert level("strength", time, "population average") == pytest.approx(strength(time, *WHO).mean())
    assert level("cpk", time, "population average", "mean") == pytest.approx(cpk_mean(time, *WHO).mean())
    assert level("cpk", time, "population average") == pytest.approx(np.exp(log_cpk(time, *WHO).mean()))


@pytest.mark.parametrize("time", [0.0, 3.0, 20.0])
def test_the_average_patient_is_the_reference_patient(time):
    assert level("strength", time, "average patient") == pytest.approx(strength(time, 0, 50))
    assert level("cpk", time, "average patient") == pytest.approx(np.exp(log_cpk(time, 0, 50)))


@pytest.mark.parametrize("time", [0.0, 3.0, 20.0])
def test_these_patients_have_their_own_covariates_and_effects(time):
    truth = truth_of(effects=True)
    b = truth.outcomes["strength"].effects
    own = strength(time, *WHO) + b["intercept"] + b["slope"] * time
    assert level("strength", time, "these patients", truth=truth) == pytest.approx(own.mean())
    b, left = truth.outcomes["cpk"].effects, 0.5 ** (time / 3)
    own = log_cpk(time, *WHO) + b["start"] * left + b["asymptote"] * (1 - left)
    assert level("cpk", time, "these patients", truth=truth) == pytest.approx(np.exp(own.mean()))
    assert level("cpk", time, "these patients", "mean", truth=truth) == pytest.approx(np.exp(own + 0.045).mean())


GIVEN = pytest.mark.parametrize(
    ("given", "arm", "age"),
    [
        ({"arm": "c"}, 2, AGE),
        ({"age": 65}, ARM.astype(int), 65),
        ({"age": 65.0, "arm": "b"}, 1, 65),
        ({"arm": "a"}, 0, AGE),
        ({}, ARM.astype(int), AGE),
    ],
    ids=str,
)


@GIVEN
@pytest.mark.parametrize("time", [0.0, 5.0])
def test_what_is_given_takes_the_place_of_the_cohorts_own(given, arm, age, time):
    each = strength(time, arm, age) * np.ones(7)
    assert level("strength", time, "population average", given=given) == pytest.approx(each.mean())
    each = cpk_mean(time, arm, age) * np.ones(7)
    assert level("cpk", time, "population average", "mean", given=given) == pytest.approx(each.mean())
    reference = strength(time, arm if "arm" in given else 0, age if "age" in given else 50)
    assert level("strength", time, "average patient", given=given) == pytest.approx(reference)
    truth = truth_of(effects=True)
    b = truth.outcomes["strength"].effects
    own = strength(time, arm, age) + b["intercept"] + b["slope"] * time
    assert level("strength", time, "these patients", truth=truth, given=given) == pytest.approx(own.mean())


def test_a_covariate_of_visits_is_at_its_reference_unless_given():
    for population in ("population average", "average patient", "these patients"):
        summer = level("strength", 5.0, population, given={"season": "summer"})
        assert level("strength", 5.0, population) == summer
        assert level("strength", 5.0, population, given={"season": "winter"}) == pytest.approx(summer - 1.5)


@pytest.mark.parametrize("population", ["population average", "average patient", "these patients"])
def test_a_contrast_is_the_difference_of_two_groups(population):
    """Level: arms differ by 10 + 2 * mean x + (-0.3) t of arm c against b; change: by the slopes alone."""
    mean_x = 0 if population == "average patient" else ((AGE - 50) / 10).mean()
    predict = TruthPrediction(TWO, truth_of(effects=True))
    asked = {
        "outcome": "strength",
        "population": population,
        "contrast": Contrast(covariate="arm", level="c", reference="b"),
    }
    assert Level(at=4, **asked).of(predict) == pytest.approx(10 + 2 * mean_x - 0.3 * 4)
    assert Change(from_=2, to=12, **asked).of(predict) == pytest.approx(-0.3 * 10)


@pytest.mark.parametrize("population", ["population average", "average patient", "these patients"])
def test_a_contrast_of_ratios_is_the_ratio_of_ratios(population):
    """On the log, arm b moves the asymptote by 0.3, arm c by -0.5, and a scale of age by 0.1: weights 1 - 2^(-t /
    3).
    """
    predict = TruthPrediction(TWO, truth_of(effects=True))
    by_arm = Ratio(
        outcome="cpk",
        population=population,
        from_=0,
        to=6,
        contrast=Contrast(covariate="arm", level="c", reference="b"),
    )
    assert by_arm.of(predict) == pytest.approx(np.exp(-0.8 * 0.75))
    by_age = replace(by_arm, contrast=Contrast(covariate="age", level=75.0, reference=45.0))
    assert by_age.of(predict) == pytest.approx(np.exp(0.1 * 3 * 0.75))


@pytest.mark.parametrize("population", ["population average", "average patient", "these patients"])
def test_levels_are_compared_by_their_ratio_where_it_is_asked_for(population):
    """The ratio of geometric means at 6 months: patients' own effects cancel, arms differ by 0.8 * (1 - 2^-2) on the
    log.
    """
    contrast = Contrast(covariate="arm", level="c", reference="b", by="ratio")
    e = Level(outcome="cpk", population=population, at=6, contrast=contrast)
    predict = TruthPrediction(TWO, truth_of(effects=True))
    assert e.of(predict) == pytest.approx(np.exp(-0.8 * 0.75))
    apart = replace(e, contrast=replace(contrast, by=None)).of(predict)
    levels = [level("cpk", 6.0, population, truth=truth_of(effects=True), given={"arm": arm}) for arm in "cb"]
    assert apart == pytest.approx(levels[0] - levels[1])


def test_a_new_patient_has_the_covariates_of_one_of_these_or_those_given():
    truth = truth_of((4, 1000))
    found = level("strength", 2.0, "new patient", truth=truth).ravel()
    between = np.sqrt(64 + 4 * 0.0625 - 2 * 2 * 0.4 * 8 * 0.25)

    def mixture(x):
        return np.mean([stats.norm(m, between).cdf(x) for m in strength(2, *WHO)], axis=0)

    assert stats.kstest(found, mixture).pvalue > 1e-3
    found = level("strength", 2.0, "new patient", truth=truth, given={"arm": "c", "age": 20}).ravel()
    assert stats.kstest(found, stats.norm(strength(2, 2, 20), between).cdf).pvalue > 1e-3


def test_a_new_patient_keeps_the_covariates_at_all_times_and_between_outcomes():
    predict = TruthPrediction(TWO, truth_of((2, 500)), seed=4).level
    at = {t: predict("strength", t, "new patient") for t in (0, 5, 10)}
    np.testing.assert_allclose(at[10] - at[5], at[5] - at[0], atol=1e-9)
    one = predict("strength", 5, "new patient", given={"arm": "c"}) - predict(
        "strength", 5, "new patient", given={"arm": "b"}
    )
    x = (one - 10 + 0.3 * 5) / 2  # the product is the only trace of age in the difference
    assert set(np.round(x.ravel(), 6)) == set(np.round((AGE - 50) / 10, 6))


def test_imputed_covariates_differ_between_draws():
    """The third patient's age is another in each draw: every draw averages over its own."""
    ages = np.tile(AGE, (2, 3, 1))
    ages[..., 2] = [[20, 30, 40], [50, 60, 70]]
    truth = truth_of((2, 3))
    truth = replace(truth, covariates=truth.covariates | {"age": (ages - 50) / 10})
    arm = ARM.astype(int)
    expected = strength(5.0, arm, ages).mean(axis=-1)
    np.testing.assert_allclose(level("strength", 5.0, "population average", truth=truth), expected)
    expected = cpk_mean(5.0, arm, ages).mean(axis=-1)
    np.testing.assert_allclose(level("cpk", 5.0, "population average", "mean", truth=truth), expected)
    given = level("strength", 5.0, "population average", truth=truth, given={"arm": "b"})
    np.testing.assert_allclose(given, strength(5.0, 1, ages).mean(axis=-1))
    given = level("strength", 5.0, "population average", truth=truth, given={"age": 60})
    np.testing.assert_allclose(given, np.full((2, 3), strength(5.0, arm, 60).mean()))


def test_a_truth_and_its_broadcast_give_equal_numbers():
    for population, outcome in product(
        ["population average", "average patient", "these patients"], ["strength", "cpk"]
    ):
        one = level(outcome, 4.0, population, "mean")
        many = level(outcome, 4.0, population, "mean", truth=truth_of((2, 3)))
        np.testing.assert_allclose(many, np.full((2, 3), one), rtol=1e-12)


def test_the_predictor_of_each_visit_holds_covariates_of_patient_and_visit():
    patient, time, winter = np.array([0, 3, 3, 6]), np.array([0.0, 0.0, 5.0, 9.0]), np.array([1.0, 0, 1, 0])
    m = Measurements(patient, time, time, time, time, covariates={"season": winter})
    found = visit_predictors(TWO, truth_of(), "strength", m)["location"]
    np.testing.assert_allclose(found, strength(time, ARM.astype(int)[patient], AGE[patient], winter))


def test_the_exposure_multiplies_what_is_expected():
    """falls: exp(eta) per week; twice the weeks, twice the falls. The dose has two predictors and no exposure."""
    truth = from_scenario(STUDY, "one")
    truth = replace(
        truth,
        covariates={k: np.zeros(2) for k in ("diagnosis_pm", "diagnosis_ibm", "titre", "duration", "sex_m", "age")},
    )
    time = np.array([0.0, 3.0])
    m = Measurements(
        np.array([0, 1]), time, time, time, time, exposure=np.array([1.0, 4.0]), covariates={"season": np.zeros(2)}
    )
    found = visit_predictors(STUDY, truth, "falls", m)["location"]
    np.testing.assert_allclose(np.exp(found), [0.6, 4 * np.sqrt(0.6 * 0.2)])
    dose = visit_predictors(STUDY, truth, "dose", replace(m, exposure=None))
    np.testing.assert_allclose(np.exp(dose["location"]), [30, 30 * 0.9**3])
    np.testing.assert_allclose(1 / (1 + np.exp(-dose["zero"])), [0.2, 1 / (1 + 4 * np.exp(-0.15))])
