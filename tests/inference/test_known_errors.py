"""Measurements with a known error of their own, against the closed form of a normal mean with known variances."""

import numpy as np
import pandas as pd
import pytest

from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.errors import CohortError, StudyError
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.model.marginal import log_marginal
from bayesmyo.study import describe, parse_study

STUDY = """
[study]
title = "Known errors"
patient = "patient"
time = {{ column = "month", unit = "month" }}

[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = 0
scale = 10
error = "se"
family = {{ kind = "gaussian" }}
trajectory = {{ kind = "constant" }}
effects = {effects}
priors = {{ intercept = "normal(1, 5)", sigma = "constant(2)"{more} }}
"""
# Rubin (1981), https://doi.org/10.3102/10769986006004377: coaching in eight schools
EIGHT = pd.DataFrame(
    {
        "patient": [f"S{i}" for i in range(8)],
        "month": 0.0,
        "y": [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        "se": [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    }
)


@pytest.mark.sampling
@pytest.mark.parametrize(
    ("effects", "more", "between"), [("[]", "", 0.0), ('["intercept"]', ', sd_intercept = "constant(6)"', 6.0)]
)
def test_the_posterior_of_a_mean_is_that_of_known_variances(effects, more, between):
    study = parse_study(STUDY.format(effects=effects, more=more))
    found = fit(study, cohort_from_frame(study, EIGHT), seed=3, sampling=Sampling(draws=2000))
    precision = 1 / (between**2 + 2.0**2 + EIGHT["se"] ** 2)
    total = precision.sum() + 1 / 5**2
    mean, sd = ((precision * EIGHT["y"]).sum() + 1 / 5**2) / total, total**-0.5
    draws = found.group("posterior")["y.intercept"].values
    assert draws.mean() == pytest.approx(mean, abs=0.1 * sd)
    assert draws.std() == pytest.approx(sd, rel=0.05)
    if between:  # each school's own effect: shrunk by the share of its variance that is its own
        own = found.group("posterior")["y.effect_intercept"].values.mean(axis=(0, 1))
        share = between**2 / (between**2 + 2.0**2 + EIGHT["se"] ** 2)
        assert own == pytest.approx(share * (EIGHT["y"] - mean), abs=0.5)
    truth = found.truth.take(np.arange(5))
    sds = np.sqrt(between**2 + 4 + EIGHT["se"][2] ** 2)
    expected = (
        -0.5 * ((EIGHT["y"][2] - truth.value("y", "intercept")) / sds) ** 2 - np.log(sds) - 0.5 * np.log(2 * np.pi)
    )
    assert log_marginal(study, found.cohort, truth, 2) == pytest.approx(expected, abs=1e-6)


def test_an_error_that_is_missing_or_negative_is_refused_with_its_line():
    study = parse_study(STUDY.format(effects="[]", more=""))
    for wrong, what in (
        (np.nan, "the known error of a measurement is missing"),
        (-1.0, "the known error must be zero or more"),
    ):
        with pytest.raises(CohortError, match=what):
            cohort_from_frame(study, EIGHT.assign(se=[wrong, *EIGHT["se"][1:]]))


def test_it_is_told_and_refused_where_it_has_no_meaning():
    study = parse_study(STUDY.format(effects="[]", more=""))
    assert "known error of its own, se" in describe.words(study, "y")
    assert describe.formula(study, "y")[0] == "y[i, t] ~ Normal(eta[i, t], sqrt(sigma^2 + se[i, t]^2))"
    with pytest.raises(StudyError, match="has no meaning for the family student_t"):
        parse_study(STUDY.format(effects="[]", more="").replace("gaussian", "student_t"))
