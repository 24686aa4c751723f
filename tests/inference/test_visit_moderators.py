"""A covariate of visits that moderates the change: another slope on treatment than off it, against a density written
by hand.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.model.marginal import log_marginal
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import of_values
from bayesmyo.study import parse_study
from tests.inference.density import HEAD, WHO, Density, T, draw, half, rows, total

OUTCOME = """
[covariates.on]
varies = "visits"
levels = ["off", "on"]

[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = 0
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
effects = ["intercept"]
covariates = ["on"]
moderators = ["on"]
priors = { intercept = "normal(0, 5)", slope = "normal(0, 2)", on_on = "normal(0, 3)", slope_on_on = "normal(0, 1)", sd_intercept = "halfnormal(4)", sigma = "halfnormal(3)" }
"""
ON = np.array([0, 1, 1, 0, 0, 1, 1, 0, 1])
PRIORS = {
    "y.intercept": stats.norm(0, 5),
    "y.slope": stats.norm(0, 2),
    "y.on_on": stats.norm(0, 3),
    "y.slope_on_on": stats.norm(0, 1),
    "y.sd_intercept": half(4),
    "y.sigma": half(3),
}


def by_patient(p, y):
    """The density of each patient's measurements, the effect integrated out."""
    mean = p["y.intercept"] + p["y.on_on"] * ON + (p["y.slope"] + p["y.slope_on_on"] * ON) * T
    for i in range(3):
        mine = i == WHO
        covariance = p["y.sd_intercept"] ** 2 * np.ones((3, 3)) + p["y.sigma"] ** 2 * np.eye(3)
        yield stats.multivariate_normal(mean[mine], covariance).logpdf(y[mine])


def test_the_model_is_the_one_written_by_hand(rng):
    y = np.round(rng.normal(0, 6, 9), 3)
    density = Density(HEAD + OUTCOME, rows(y=y, on=np.where(ON, "on", "off")))
    for _ in range(3):
        p = draw(rng, PRIORS)
        assert density(p) == pytest.approx(total(PRIORS, p) + sum(by_patient(p, y)), rel=1e-10)


def test_a_patient_left_out_and_a_prediction_know_it(rng):
    study = parse_study(HEAD + OUTCOME)
    y = np.round(rng.normal(0, 6, 9), 3)
    frame = pd.DataFrame({"p": np.array(list("abc"))[WHO], "t": T, "y": y, "on": np.where(ON, "on", "off")})
    cohort = cohort_from_frame(study, frame)
    p = draw(rng, PRIORS)
    truth = of_values({"y": {k.removeprefix("y."): v for k, v in p.items()}})
    for i, expected in enumerate(by_patient(p, y)):
        assert log_marginal(study, cohort, truth, i) == pytest.approx(expected, abs=1e-8)
    prediction = TruthPrediction(study, truth)
    on, off = (prediction.level("y", 6, "population average", given={"on": level}) for level in ("on", "off"))
    assert on - off == pytest.approx(p["y.on_on"] + 6 * p["y.slope_on_on"], rel=1e-9)
