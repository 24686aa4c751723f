"""An ordinal and a hurdle model in bambi: `uv run --group oracle pytest -m oracle`.

bambi has no correlated effects, so effects are independent here; priors are stated and equal.
"""

import numpy as np
import pandas as pd
import pytest

from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.model import simulate_scenario
from bayesmyo.study import parse_study

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("default")]

HEAD = """
[study]
title = "Oracle"
patient = "patient"
time = { column = "t", unit = "month", typical = 12 }
correlate = "none"

[design]
patients = 25
follow_up = { mean = 12, sd = 4, maximum = 24 }
visits = { first = [0, 1, 2, 3], then_every = 3, jitter = 0.2 }

[outcomes.y]
column = "y"
better = "higher"
"""
ORDINAL = """
unit = "grade"
scale = 2
family = { kind = "cumulative", levels = ["0", "1", "2", "3"] }
trajectory = { kind = "linear" }
effects = ["intercept"]
priors = { thresholds = "ordered_normal(0, 5)", slope = "normal(0, 1)", sd_intercept = "halfnormal(2)" }

[scenarios.truth]
y = { slope = 0.15, sd_intercept = 1.5, threshold_1 = -2, threshold_2 = 0, threshold_3 = 1.5 }
"""
HURDLE = """
unit = "mg/d"
typical = 20
scale = 2
family = { kind = "hurdle_lognormal" }
trajectory = { kind = "linear" }
effects = ["intercept"]
zero = { typical = 0.2, scale = 0.1, trajectory = { kind = "linear" } }

[outcomes.y.priors]
intercept = "normal(3, 1)"
slope = "normal(0, 0.5)"
sd_intercept = "halfnormal(1)"
sigma = "halfnormal(1)"
zero_intercept = "normal(-1.5, 1)"
zero_slope = "normal(0, 0.5)"
sd_zero_intercept = "halfnormal(1)"

[scenarios.truth.y]
intercept = 25
slope = 0.93
sd_intercept = 0.5
sigma = 0.3
zero_intercept = 0.15
zero_slope = 0.1
sd_zero_intercept = 0.8
"""
SAMPLING = Sampling(draws=3000, tune=1500)


@pytest.fixture(scope="module")
def bambi():
    return pytest.importorskip("bambi", reason="the oracle group is not installed")


def ours_and_table(text):
    study = parse_study(HEAD + text)
    cohort = simulate_scenario(study, seed=4).cohort
    posterior = fit(study, cohort, seed=4, sampling=SAMPLING).group("posterior")
    m = cohort.measurements["y"]
    table = pd.DataFrame({"y": m.value, "t": m.time, "patient": [cohort.patients[i] for i in m.patient]})
    return {k.removeprefix("y."): v.values for k, v in posterior.data_vars.items()}, table


def fitted(model, draws=3000):
    settings = {"draws": draws, "tune": 1500, "chains": 4, "random_seed": 4, "nuts": {"target_accept": 0.95}}
    return model.fit(inference_method="nutpie", progressbar=False, **settings)["posterior"]


def agree(ours, theirs):
    """Means within a tenth of a posterior SD, SDs within a tenth; both with draws enough to tell."""
    for name in ours:
        a, b = ours[name], np.asarray(theirs[name])
        assert min(diagnose({"q": q})["q"].ess_bulk for q in (a, b)) > 1000, name
        assert a.mean() == pytest.approx(b.mean(), abs=0.1 * b.std()), name
        assert a.std() == pytest.approx(b.std(), rel=0.1), name


def test_a_cumulative_model_is_that_of_bambi(bambi):
    from pymc.distributions.transforms import ordered

    own, table = ours_and_table(ORDINAL)
    table["y"] = pd.Categorical(table["y"].astype(int), ordered=True)
    priors = {
        "threshold": bambi.Prior("Normal", mu=0, sigma=5, transform=ordered, initval=[-1, 0, 1]),
        "t": bambi.Prior("Normal", mu=0, sigma=1),
        "1|patient": bambi.Prior("Normal", mu=0, sigma=bambi.Prior("HalfNormal", sigma=2)),
    }
    model = bambi.Model("y ~ 0 + t + (1|patient)", table, family="cumulative", priors=priors, center_predictors=False)
    posterior = fitted(model)
    theirs = {f"threshold_{k + 1}": posterior["threshold"].values[..., k] for k in range(3)}
    theirs |= {"slope": posterior["t"], "sd_intercept": posterior["1|patient_sigma"]}
    agree({name: own[name] for name in theirs}, theirs)


def test_a_hurdle_model_is_that_of_bambi(bambi):
    """bambi's psi is the probability of a positive dose, on the logit; ours of none: the signs differ."""
    own, table = ours_and_table(HURDLE)
    half = bambi.Prior("HalfNormal", sigma=1)
    part = {"t": bambi.Prior("Normal", mu=0, sigma=0.5), "1|patient": bambi.Prior("Normal", mu=0, sigma=half)}
    priors = {
        **part,
        "Intercept": bambi.Prior("Normal", mu=3, sigma=1),
        "sigma": half,
        "psi": {**part, "Intercept": bambi.Prior("Normal", mu=1.5, sigma=1)},
    }
    formula = bambi.Formula("y ~ t + (1|patient)", "psi ~ t + (1|patient)")
    model = bambi.Model(formula, table, family="hurdle_lognormal", priors=priors, center_predictors=False)
    posterior = fitted(model, draws=10_000)  # its effects are non-centred: fewer of its draws are independent
    theirs = {
        "intercept": posterior["Intercept"], "slope": posterior["t"], "sd_intercept": posterior["1|patient_sigma"],
        "sigma": posterior["sigma"], "zero_intercept": -posterior["psi_Intercept"], "zero_slope": -posterior["psi_t"],
        "sd_zero_intercept": posterior["psi_1|patient_sigma"],
    }  # fmt: skip
    agree({name: own[name] for name in theirs}, theirs)
