"""The same model in bambi: `uv run --group oracle pytest -m oracle`."""

import numpy as np
import pandas as pd
import pytest

from bayesmyo.assess.estimate import parameter_estimates
from bayesmyo.inference.fit import fit
from bayesmyo.model import simulate_scenario
from bayesmyo.study import parse_study

STUDY = """
[study]
title = "Oracle"
patient = "patient"
time = { column = "t", unit = "month", typical = 12 }
correlate = "none"

[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }

[design]
patients = 15
follow_up = { mean = 12, sd = 4, maximum = 24 }
visits = { first = [0, 1, 2, 3], then_every = 3, jitter = 0.2 }

[scenarios.truth.y]
intercept = 45
slope = 0.5
sd_intercept = 8
sd_slope = 0.5
sigma = 4
"""
NAMES = {
    "Intercept": "y.intercept",
    "t": "y.slope",
    "1|patient_sigma": "y.sd_intercept",
    "t|patient_sigma": "y.sd_slope",
    "sigma": "y.sigma",
}


def priors(bambi):
    half = {name: bambi.Prior("HalfNormal", sigma=sd) for name, sd in (("sd", 10), ("slope", 10 / 12), ("sigma", 5))}
    return {
        "Intercept": bambi.Prior("Normal", mu=50, sigma=10),
        "t": bambi.Prior("Normal", mu=0, sigma=20 / 12),
        "1|patient": bambi.Prior("Normal", mu=0, sigma=half["sd"]),
        "t|patient": bambi.Prior("Normal", mu=0, sigma=half["slope"]),
        "sigma": half["sigma"],
    }


@pytest.mark.oracle
@pytest.mark.filterwarnings("default")
def test_a_random_slope_model_with_independent_effects_is_that_of_bambi():
    bambi = pytest.importorskip("bambi", reason="the oracle group is not installed")
    study = parse_study(STUDY)
    cohort = simulate_scenario(study, seed=4).cohort
    ours = {p.name: p for p in parameter_estimates(fit(study, cohort, seed=4))}
    m = cohort.measurements["y"]
    table = pd.DataFrame({"y": m.value, "t": m.time, "patient": [cohort.patients[i] for i in m.patient]})
    model = bambi.Model("y ~ t + (t|patient)", table, priors=priors(bambi), center_predictors=False)
    theirs = model.fit(
        3000, 2000, inference_method="nutpie", random_seed=4, chains=4, nuts={"target_accept": 0.95}, progressbar=False
    )
    for name, mine in NAMES.items():
        draws = np.asarray(theirs["posterior"][name])
        assert ours[mine].mean == pytest.approx(draws.mean(), abs=0.1 * draws.std()), mine
        assert ours[mine].sd == pytest.approx(draws.std(), rel=0.1), mine
