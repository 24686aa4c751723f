"""What a prediction refuses to be asked, and several times at once."""

import numpy as np
import pytest

from bayesmyo.components.estimands import Criterion
from bayesmyo.errors import UsageError
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import OutcomeTruth, Truth, from_scenario, with_effects
from bayesmyo.study import parse_study
from tests.conftest import SMALL

ARMS = parse_study(
    SMALL.split("[scenarios")[0].replace(
        'trajectory = { kind = "linear" }', 'trajectory = { kind = "linear" }\ncovariates = ["arm", "age"]'
    )
    + '[covariates.arm]\nlevels = ["placebo", "active"]\n[covariates.age]\ntypical = 52\nscale = 14\n'
)
SHAPE, PATIENTS = (2, 5), 3


@pytest.fixture(scope="module")
def prediction(small):
    """Ten draws of a posterior over three patients in two arms."""
    rng = np.random.default_rng(5)
    one = with_effects(small, from_scenario(small, "improves"), PATIENTS, rng)
    outcomes = {
        name: OutcomeTruth(
            {k: np.broadcast_to(v, SHAPE) + 0.01 * rng.normal(size=SHAPE) for k, v in o.values.items()},
            {k: np.broadcast_to(v, (*SHAPE, PATIENTS)) for k, v in o.effects.items()},
        )
        for name, o in one.outcomes.items()
    }
    strength = outcomes["strength"]
    shifts = {"arm_active": np.full(SHAPE, 7.0), "age": np.full(SHAPE, -2.0)}
    outcomes["strength"] = OutcomeTruth({**strength.values, **shifts}, strength.effects)
    columns = {"arm_active": np.array([0.0, 1.0, 1.0]), "age": np.array([0.0, 1.0, -1.0])}
    return TruthPrediction(ARMS, Truth(outcomes, {}, columns), seed=1)


LEVEL = {"outcome": "strength", "time": 6, "population": "average patient"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"population": "New Patient"},
         'population: is not one of its words; got "New Patient"; allowed: these patients, average patient, new '
         'patient, population average; did you mean "new patient"?'),
        ({"population": "marginal"},
         'got "marginal"; allowed: these patients, average patient, new patient, population average.'),
        ({"population": None}, "population: is not one of its words; got None"),
        ({"population": "new patient", "predicts": "measurements"},
         'allowed: expected value, measurement; did you mean "measurement"?'),
        ({"predicts": "measurement"},
         'a measurement is predicted for a new patient only; got population "average patient"'),
        ({"summary": "foo"}, 'summary: is not one of its words; got "foo"; allowed: median, mean.'),
        ({"population": "new patient", "predicts": "measurement", "summary": "mean"}, "a measurement is one value"),
        ({"given": {"arm": "actve"}}, 'given: is no level of arm; got "actve"; did you mean "active"?'),
        ({"given": {"am": "active"}}, 'given: is no covariate with a column; got "am"; did you mean "arm"?'),
        ({"given": {"age": "old"}}, 'given: age is a number; got "old".'),
        ({"given": {"age": float("nan")}}, "given: age is a number"),
        ({"given": "active"}, "given: must be a dict of covariate values"),
        ({"outcome": "strenght"},
         'outcome: is not an outcome of this study; got "strenght"; allowed: strength, cpk; did you mean "strength"?'),
        ({"time": "six"}, 'time: must be a number or several, in the study\'s unit of time; got "six"'),
        ({"time": [0, float("inf")]}, "time: must be finite"),
        ({"time": []}, "time: must be finite, and at least one"),
        ({"time": np.zeros((3, 2))}, "got an array of shape (3, 2)"),
        ({"population": "new patient", "predicts": "measurement", "time": np.zeros(SHAPE)},
         "at one time for all draws"),
    ],
)  # fmt: skip
def test_a_level_refuses_what_it_does_not_know(prediction, asked, message):
    with pytest.raises(UsageError) as refused:
        prediction.level(**{**LEVEL, **asked})
    assert message in str(refused.value)


def test_a_median_is_refused_where_the_family_has_none():
    text = SMALL.split("[scenarios")[0].replace('{ kind = "lognormal" }', '{ kind = "gamma" }')
    with pytest.raises(UsageError, match="is the mean for the family gamma"):
        TruthPrediction(parse_study(text), Truth({}, {})).level("cpk", 1, "average patient", "median")


def test_the_other_methods_refuse_too(prediction):
    criteria = {"strength": Criterion(at_least=50)}
    for ask, message in (
        (lambda: prediction.each("cpc", 6), 'did you mean "cpk"'),
        (lambda: prediction.patients("cpc", 6), 'did you mean "cpk"'),
        (lambda: prediction.patients("strength", 6, {"arm": "none"}), "is no level of arm"),
        (lambda: prediction.share({"cpc": Criterion(at_least=1)}, 12, 0, "these patients"), 'did you mean "cpk"'),
        (lambda: prediction.share({"cpk": {"at_least": 1}}, 12, 0, "these patients"), "is not a criterion"),
        (lambda: prediction.share(criteria, 12, 0, "new patient"), "allowed: these patients, population average"),
        (lambda: prediction.share(criteria, 12, 0, "these patients", "measure"), 'did you mean "measurement"'),
        (lambda: prediction.share(criteria, 12, 0, "these patients", given={"arm": "none"}), "is no level of arm"),
    ):
        with pytest.raises(UsageError) as refused:
            ask()
        assert message in str(refused.value)


@pytest.mark.parametrize("times", [[0, 6, 12], (0, 6, 12), np.array([0.0, 6.0, 12.0]), range(0, 13, 6)])
@pytest.mark.parametrize(
    ("population", "predicts"),
    [
        ("these patients", "expected value"),
        ("average patient", "expected value"),
        ("population average", "expected value"),
        ("new patient", "measurement"),
    ],
)
def test_several_times_are_the_times_one_by_one(prediction, times, population, predicts):
    for outcome in ("strength", "cpk"):
        many = prediction.level(outcome, times, population, predicts=predicts)
        assert many.shape == (*SHAPE, 3)
        one = [prediction.level(outcome, t, population, predicts=predicts) for t in (0, 6, 12)]
        np.testing.assert_array_equal(many, np.stack(one, axis=-1))


def test_several_times_of_each_patient(prediction):
    many = prediction.each("cpk", [0, 12])
    assert many.shape == (*SHAPE, PATIENTS, 2)
    np.testing.assert_array_equal(many[..., 1], prediction.each("cpk", 12))
    np.testing.assert_array_equal(
        prediction.patients("cpk", [0, 12])["location"][..., 1], prediction.patients("cpk", 12)["location"]
    )


def test_a_time_for_each_draw_stays_one(prediction):
    when = np.array([[0.0, 1, 2, 3, 4], [5, 6, 7, 8, 9]])
    found = prediction.level("strength", when, "average patient")
    assert found.shape == SHAPE
    assert found[1, 2] == prediction.level("strength", 7, "average patient")[1, 2]


def test_given_moves_the_average_patient_by_the_coefficients(prediction):
    base = prediction.level("strength", 6, "average patient")
    moved = prediction.level("strength", 6, "average patient", given={"arm": "active", "age": 66})
    np.testing.assert_allclose(moved - base, 7 - 2)
