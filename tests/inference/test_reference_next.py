"""Posteriors of the words that came later against exact ones, made apart: ../shared/reference/next."""

import json

import numpy as np
import pandas as pd
import pytest

from bayesmyo.assess.checks import Convergence
from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.study import read_study
from tests.inference.test_reference import HERE, SHARED, agree, close, parameters

NEXT = SHARED / "next"
pytestmark = [
    pytest.mark.sampling,
    pytest.mark.skipif(not NEXT.is_dir(), reason="the reference cohorts are not here (GPL data, not copied)"),
]


def exact(case):
    cases = json.loads((NEXT / "next.json").read_text())["cases"]
    return next(c for c in cases if c["id"] == case)["references"][0]


def fitted(study_file, frame):
    study = read_study(HERE / study_file)
    found = fit(study, cohort_from_frame(study, frame), seed=11, sampling=Sampling(draws=3000))
    assert Convergence().run(found).passed
    return found


def test_a_residual_sd_of_each_arm():
    names = {
        "intercept": "intercept", "age": "slope", "male": "male_male", "age_male": "slope_male_male", "sd_intercept": "sd_intercept",
        "sd_age": "sd_slope", "correlation": "correlation", "log_sigma_female": "sigma_intercept", "log_sigma_male_difference": "sigma_male_male",
    }  # fmt: skip
    found, case = fitted("sigma_by_arm.toml", pd.read_csv(NEXT / "sigma_by_arm.csv")), exact("sigma_by_arm")
    agree(parameters(found), case["params"], names)
    posterior = found.group("posterior")
    female = np.exp(posterior["distance.sigma_intercept"].values)
    ratio = np.exp(posterior["distance.sigma_male_male"].values)
    for name, draws in (("sigma_female", female), ("sigma_male", female * ratio), ("sigma_ratio", ratio)):
        close(draws, case["estimands"][name])


def test_an_own_effect_of_treatment_in_each_patient():
    names = {
        "intercept": "intercept", "effect": "on", "period_effect": "second", "sd_intercept": "sd_intercept", "sd_effect": "sd_on",
        "correlation": "correlation", "sigma": "sigma",
    }  # fmt: skip
    frame = pd.read_csv(NEXT / "crossover_12.csv")
    frame["visit"] = frame.groupby("patient").cumcount()
    found, case = fitted("crossover.toml", frame), exact("crossover_12")
    agree(parameters(found), case["params"], names)
    close(found.estimands["benefit"], case["estimands"]["mean_effect_these_12"])
    assert (found.estimands["new_patient"] < 0).mean() == pytest.approx(
        case["estimands"]["new_patient_p_benefit"]["mean"], abs=0.0117
    )
    posterior = found.group("posterior")
    own = posterior["pain.on"].values[..., None] + posterior["pain.effect_on"].values
    for i, patient in enumerate(found.cohort.patients):
        reference = case["patients"][patient]
        close(own[..., i], reference)
        assert (own[..., i] < 0).mean() == pytest.approx(reference["p_below_0"], abs=0.02)
    share = (own < 0).mean(axis=-1)
    assert share.mean() == pytest.approx(case["estimands"]["share_benefiting_these_12"]["mean"], abs=0.00903)


def test_zeros_that_are_no_counts():
    found, case = fitted("zi_nb.toml", pd.read_csv(NEXT / "zi_nb.csv")), exact("zi_nb_30")
    names = {"intercept": "intercept", "treated": "treated", "sd_intercept": "sd_intercept", "cv": "cv", "zi_logit": "zero_inflation_intercept"}  # fmt: skip
    agree(parameters(found), case["params"], names)
    posterior = found.group("posterior")
    close(posterior["count.slope"].values, case["params"]["month_per_5"], times=5.0)
    close(1 / (1 + np.exp(-posterior["count.zero_inflation_intercept"].values)), case["estimands"]["zi_probability"])
    close(found.estimands["control_0"], case["estimands"]["mean_count_month_0_control"])
    close(found.estimands["treated_5"], case["estimands"]["mean_count_month_5_treated"])
