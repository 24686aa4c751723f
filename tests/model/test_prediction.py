"""The four populations, against closed forms and brute force over many patients."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from bayesmyo.cohort import Measurements
from bayesmyo.model.measured import visit_predictors
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import OutcomeTruth, Truth, from_scenario, with_effects
from bayesmyo.study import parse_study
from tests.conftest import SMALL

# The scenario `improves` of the small study, once more by hand.
STRENGTH = {"intercept": 50, "slope": 0.5, "sd": (8, 0.25), "r": -0.4, "sigma": 4}
CPK = {"start": np.log(800), "asymptote": np.log(200), "half_time": 3, "sd": (0.8, 0.5), "r": 0.3, "sigma": 0.3}
TIMES = [0.0, 2.0, 12.0, 60.0]
EVERY = pytest.mark.parametrize(("outcome", "time"), list(product(["strength", "cpk"], TIMES)))


def loadings(outcome, t):
    """How much of each patient effect the predictor holds at time t."""
    w = 2 ** (-t / 3)
    return np.array([1.0, t] if outcome == "strength" else [w, 1 - w])


def eta(outcome, t):
    """The predictor of the average patient."""
    fixed = [50, 0.5] if outcome == "strength" else [CPK["start"], CPK["asymptote"]]
    return loadings(outcome, t) @ fixed


def covariance(outcome):
    known = STRENGTH if outcome == "strength" else CPK
    (a, b), r = known["sd"], known["r"]
    return np.array([[a * a, r * a * b], [r * a * b, b * b]])


def variance(outcome, t):
    """Between patients, of the predictor."""
    return loadings(outcome, t) @ covariance(outcome) @ loadings(outcome, t)


def broadcast(truth, shape):
    """The same truth as if it were so many posterior draws."""
    return Truth(
        {
            name: OutcomeTruth(
                {k: np.broadcast_to(v, shape).copy() for k, v in o.values.items()},
                {k: np.broadcast_to(v, (*shape, *np.shape(v))).copy() for k, v in o.effects.items()},
            )
            for name, o in truth.outcomes.items()
        }
    )


@pytest.fixture(scope="module")
def truth(small):
    return with_effects(small, from_scenario(small, "improves"), 7, np.random.default_rng(3))


@pytest.fixture(scope="module")
def predict(small, truth):
    return TruthPrediction(small, truth).level


@pytest.fixture(scope="module")
def many(small, truth):
    """4000 draws of a posterior that knows the truth."""
    return TruthPrediction(small, broadcast(from_scenario(small, "improves"), (4, 1000)), seed=11)


# --- population average


@EVERY
def test_population_average_is_the_closed_form(predict, outcome, time):
    m, v = eta(outcome, time), variance(outcome, time)
    expected = m if outcome == "strength" else np.exp(m + v / 2 + 0.3**2 / 2)
    assert predict(outcome, time, "population average", "mean") == pytest.approx(expected, rel=1e-9)


@EVERY
def test_population_average_is_the_mean_over_many_new_patients(predict, rng, outcome, time):
    effects = rng.multivariate_normal([0, 0], covariance(outcome), 200_000)
    noise = rng.normal(0, 4 if outcome == "strength" else 0.3, len(effects))
    y = eta(outcome, time) + effects @ loadings(outcome, time) + noise
    y = y if outcome == "strength" else np.exp(y)
    error = y.std() / np.sqrt(len(y))
    assert abs(predict(outcome, time, "population average", "mean") - y.mean()) < 4 * error


@pytest.mark.parametrize("population", ["population average", "average patient"])
@EVERY
def test_the_median_is_the_level_at_zero_effects(predict, population, outcome, time):
    expected = eta(outcome, time) if outcome == "strength" else np.exp(eta(outcome, time))
    assert predict(outcome, time, population, "median") == pytest.approx(expected, rel=1e-12)


def test_a_log_outcome_is_reported_as_a_median_unless_asked(predict):
    assert predict("cpk", 2, "population average") == predict("cpk", 2, "population average", "median")
    assert predict("cpk", 2, "population average") < predict("cpk", 2, "population average", "mean")


# --- the average patient


@EVERY
def test_the_average_patients_mean_holds_the_residual_but_no_effects(predict, outcome, time):
    expected = eta(outcome, time) if outcome == "strength" else np.exp(eta(outcome, time) + 0.3**2 / 2)
    assert predict(outcome, time, "average patient", "mean") == pytest.approx(expected, rel=1e-12)


# --- these patients


def own(truth, outcome, time):
    """(patient,) predictor of the seven patients, by hand."""
    effects = np.stack(list(truth.outcomes[outcome].effects.values()))
    return eta(outcome, time) + loadings(outcome, time) @ effects


@EVERY
def test_these_patients_are_the_average_over_their_own_effects(predict, truth, outcome, time):
    log = outcome == "cpk"
    mean = np.exp(own(truth, outcome, time) + 0.3**2 / 2).mean() if log else own(truth, outcome, time).mean()
    median = np.exp(own(truth, outcome, time).mean()) if log else own(truth, outcome, time).mean()
    assert predict(outcome, time, "these patients", "mean") == pytest.approx(mean, rel=1e-12)
    assert predict(outcome, time, "these patients", "median") == pytest.approx(median, rel=1e-12)


def test_the_predictor_of_each_visit_holds_its_own_patients_effects(small, truth):
    patient, time = np.array([0, 6, 6, 2]), np.array([0.0, 0.0, 5.0, 60.0])
    for outcome in ("strength", "cpk"):
        expected = [own(truth, outcome, t)[p] for p, t in zip(patient, time, strict=True)]
        etas = visit_predictors(small, truth, outcome, Measurements(patient, time, time, time, time))
        assert list(etas) == ["location"]
        np.testing.assert_allclose(etas["location"], expected, rtol=1e-12)


# --- a new patient


def test_a_new_patient_is_the_same_at_all_times(many):
    at = {t: many.level("strength", t, "new patient") for t in (0, 6, 12)}
    np.testing.assert_allclose(at[12] - at[6], at[6] - at[0], atol=1e-9)
    assert stats.kstest(((at[12] - at[0]) / 12).ravel(), stats.norm(0.5, 0.25).cdf).pvalue > 0.001


@EVERY
def test_new_patients_scatter_as_patients_do(many, outcome, time):
    level = many.level(outcome, time, "new patient").ravel()
    on_link = level if outcome == "strength" else np.log(level)
    oracle = stats.norm(eta(outcome, time), np.sqrt(variance(outcome, time)))
    assert stats.kstest(on_link, oracle.cdf).pvalue > 0.001


@EVERY
def test_a_measurement_is_noisier_by_the_residual(many, outcome, time):
    level = many.level(outcome, time, "new patient", predicts="measurement").ravel()
    on_link, sigma = (level, 4) if outcome == "strength" else (np.log(level), 0.3)
    oracle = stats.norm(eta(outcome, time), np.sqrt(variance(outcome, time) + sigma**2))
    assert stats.kstest(on_link, oracle.cdf).pvalue > 0.001


def test_a_measurement_scatters_around_that_patients_own_level(many):
    expected, measured = (many.level("strength", 12, "new patient", None, p) for p in ("expected value", "measurement"))
    assert stats.kstest((measured - expected).ravel(), stats.norm(0, 4).cdf).pvalue > 0.001


def test_the_mean_of_a_new_patient_holds_the_residual(many):
    ratio = many.level("cpk", 6, "new patient", "mean") / many.level("cpk", 6, "new patient", "median")
    np.testing.assert_allclose(ratio, np.exp(0.3**2 / 2), rtol=1e-12)


def test_the_seed_is_an_address_not_a_sequence(small, many):
    again = TruthPrediction(small, many.truth, seed=11)
    other = TruthPrediction(small, many.truth, seed=12)
    asked = ("cpk", 12.0, "new patient", None, "measurement")
    first = many.level(*asked)
    again.level("strength", 3, "new patient", None, "measurement")
    np.testing.assert_array_equal(again.level(*asked), first)
    assert not np.allclose(other.level(*asked), first)


# --- one formula for a truth and for posterior draws


@pytest.mark.parametrize("population", ["these patients", "average patient", "population average"])
@pytest.mark.parametrize("summary", ["mean", "median"])
@EVERY
def test_a_truth_and_its_broadcast_give_equal_numbers(small, truth, population, summary, outcome, time):
    one = TruthPrediction(small, truth).level(outcome, time, population, summary)
    draws = TruthPrediction(small, broadcast(truth, (2, 3))).level(outcome, time, population, summary)
    assert (np.shape(one), draws.shape) == ((), (2, 3))
    np.testing.assert_allclose(draws, one, rtol=1e-13)


def test_each_draw_has_its_own_number(small, truth):
    draws = broadcast(truth, (1, 2))
    draws.outcomes["cpk"].values["asymptote"][0, 1] = np.log(400)
    level = TruthPrediction(small, draws).level("cpk", 600, "population average", "median")
    np.testing.assert_allclose(level, [[200, 400]])


@pytest.mark.parametrize("sd", [1e-12, 1e-200])
def test_a_draw_in_which_patients_hardly_differ_has_its_level(small, sd):
    draws = broadcast(from_scenario(small, "improves"), (1, 2))
    draws.outcomes["strength"].values["sd_intercept"][0, 1] = sd
    level = TruthPrediction(small, draws).level("strength", 4, "population average")
    np.testing.assert_allclose(level, [[52, 52]])


# --- outcomes without patient effects

BARE = parse_study(
    SMALL.split("[outcomes.cpk]")[0].replace('{ kind = "linear" }', '{ kind = "constant" }\neffects = []')
)
LEVELS = np.array([[10.0, 20.0, 30.0]])


@pytest.mark.parametrize(
    "population",
    [
        "these patients",
        "average patient",
        "new patient",
        "population average",
    ],
)
@pytest.mark.parametrize("summary", ["mean", "median"])
def test_without_effects_the_populations_coincide(population, summary):
    truth = Truth({"strength": OutcomeTruth({"intercept": LEVELS, "sigma": np.full((1, 3), 4.0)})})
    found = TruthPrediction(BARE, truth).level("strength", 5.0, population, summary)
    np.testing.assert_allclose(found, LEVELS)
