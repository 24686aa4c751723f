"""Residuals that drift, of families that are not normal: averages over the path against quadrature by hand."""

from itertools import product

import numpy as np
import pytest
from scipy import integrate, special, stats

from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.components.families import Cells
from bayesmyo.model import residuals
from bayesmyo.model.marginal import log_marginal
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.simulate import simulate
from bayesmyo.model.spec import spec
from bayesmyo.model.truth import from_priors, from_scenario
from bayesmyo.study import parse_study

STUDY = """
[study]
title = "T"
patient = "p"
time = { column = "t", unit = "month", typical = 12 }

[outcomes.y]
column = "y"
unit = "u"
better = "lower"
typical = 5
scale = 2
family = { kind = "poisson" }
trajectory = { kind = "linear" }
effects = ["intercept"]
residual = { kind = "ou" }

[design]
patients = 400
follow_up = { mean = 12, sd = 0.01, maximum = 12 }
visits = { first = [0, 1, 5, 6], then_every = 100 }
"""
SCORE = STUDY.replace('"poisson"', '"ordered_beta", lower = 0, upper = 10')
GAMMA = STUDY.replace('"poisson"', '"gamma"')
MANY = (
    STUDY
    + """
[scenarios.truth.y]
intercept = 1000
slope = 1
sd_intercept = 1e-6
sd_ou = 0.6
tau_ou = 3
"""
)
TABLE = "p,t,y\na,0,3\na,5,9\na,1,1\nb,2,4\nb,2.1,6\n"


def truth_of(study, rng, **values):
    truth = from_priors(study, rng)
    return type(truth)({"y": type(truth.outcomes["y"])({**truth.outcomes["y"].values, **values})})


def at(study, eta, **values):
    """The distribution of one measurement under a predictor: its outcome, and parameters as arrays."""
    return study.outcomes["y"], {"location": np.asarray(eta)}, {k: np.asarray(v) for k, v in values.items()}


def normal_average(function, sd, around=0.0, width=1.0):
    """The average of a function over Normal(0, sd), by adaptive quadrature where most of it lies."""
    points = around + width * np.array([-3.0, 0.0, 3.0])
    density = lambda w: function(w) * stats.norm(0, sd).pdf(w)  # noqa: E731
    return integrate.quad(density, -10 * sd, 10 * sd, points=points, epsabs=0, epsrel=1e-10, limit=500)[0]


@pytest.mark.parametrize(("eta", "sd"), [(1.2, 0.6), (-2.0, 1.5), (4.0, 0.05)])
def test_a_single_count_scatters_by_the_path_and_by_itself(eta, sd):
    o, etas, values = at(parse_study(STUDY), eta, sd_ou=sd, tau_ou=3.0)
    assert residuals.mean(o, etas, values) == pytest.approx(np.exp(eta + sd**2 / 2), rel=1e-7)
    for y in (0, 2, 40):
        mine = normal_average(lambda w, y=y: stats.poisson(np.exp(eta + w)).pmf(y), sd, np.log(y + 0.5) - eta, 0.3)
        assert residuals.log_density(o, Cells(np.array(y)), etas, values) == pytest.approx(np.log(mine), abs=1e-6)


@pytest.mark.parametrize("cv", [0.5, 0.02])
def test_a_measurement_may_be_far_more_precise_than_the_path_is_small(cv):
    o, etas, values = at(parse_study(GAMMA), 1.0, sd_ou=1.0, tau_ou=3.0, cv=cv)
    shape = cv**-2.0
    for y in (1.0, 2.7, 9.0):
        density = lambda w, y=y: stats.gamma(shape, scale=np.exp(1 + w) / shape).pdf(y)  # noqa: E731
        mine = normal_average(density, 1.0, np.log(y) - 1, cv)
        assert residuals.log_density(o, Cells(np.array(y)), etas, values) == pytest.approx(np.log(mine), abs=1e-6)


def test_the_expected_score_is_an_average_over_the_path():
    o, etas, values = at(parse_study(SCORE), 1.0, sd_ou=0.8, tau_ou=3.0, cut_floor=2.0, cut_ceiling=3.0, precision=9.0)

    def mean(w):
        ceiling, floor = special.expit(1 + w - 3), special.expit(-1 - w - 2)
        return 10 * (ceiling + (1 - ceiling - floor) * special.expit(1 + w))

    assert residuals.mean(o, etas, values) == pytest.approx(normal_average(mean, 0.8, 0, 1), rel=1e-9)


def test_levels_of_patients_and_populations_are_averages_over_the_path(rng):
    study = parse_study(STUDY)
    truth = truth_of(study, rng, sd_intercept=np.asarray(0.4), sd_ou=np.asarray(0.6), slope=np.asarray(0.1))
    p, start = TruthPrediction(study, truth), float(truth.outcomes["y"].values["intercept"])
    assert p.level("y", 6, "average patient", "mean") == pytest.approx(np.exp(start + 0.6 + 0.18), rel=1e-7)
    assert p.level("y", 6, "population average", "mean") == pytest.approx(np.exp(start + 0.6 + 0.18 + 0.08), rel=1e-7)


def test_drawn_paths_hang_together_as_their_process_says():
    """Counts are so many that their logarithms are the path: sd_ou^2 exp(-gap / tau_ou)."""
    study = parse_study(MANY)
    cohort = simulate(study, from_scenario(study, "truth"), np.random.default_rng(4), 4000).cohort
    m = cohort.measurements["y"]
    w = np.log(m.value).reshape(4000, 4) - np.log(1000)
    t = np.array([0.0, 1, 5, 6])
    expected = 0.36 * np.exp(-np.abs(t[:, None] - t) / 3)
    error = np.sqrt((0.36**2 + expected**2) / 4000)
    assert np.all(np.abs(np.cov(w.T) - expected - np.eye(4) * 1e-3) < 4 * error)


@pytest.mark.parametrize(("text", "more"), [
    (STUDY, {}),
    (GAMMA, {"cv": 0.3}),
    (STUDY.replace('"poisson"', '"bernoulli"').replace("typical = 5\nscale = 2", "typical = 0.4\nscale = 0.1"), {}),
])  # fmt: skip
def test_a_patient_left_out_is_scored_with_effect_and_path_integrated_out(rng, text, more):
    """By a grid over the normal innovations of three visits and the effect; two visits of one patient nearly at one time."""
    study, table = parse_study(text), TABLE
    if "bernoulli" in text:
        table = "p,t,y\na,0,1\na,5,0\na,1,1\nb,2,0\nb,2.1,1\n"
    cohort = cohort_of(study, parse_table(table.encode(), "t.csv", study.data))
    values = {"sd_intercept": 0.5, "sd_ou": 0.8, "tau_ou": 3.0, **more}
    truth = truth_of(study, rng, **{k: np.asarray(v) for k, v in values.items()})
    own = truth.outcomes["y"].values
    m = cohort.measurements["y"]
    x, weights = np.polynomial.hermite_e.hermegauss(64)
    weights = weights / weights.sum()
    for i in range(2):
        t, cells = m.time[m.patient == i], Cells(study.outcomes["y"].family.encode(m.value[m.patient == i]))
        unique, place = np.unique(t, return_inverse=True)
        k = 0.25 + 0.64 * np.exp(-np.abs(unique[:, None] - unique) / 3)
        z = np.array([*product(x, repeat=len(unique))])
        weight = np.prod([*product(weights, repeat=len(unique))], axis=1)
        eta = own["intercept"] + own["slope"] * t + (z @ np.linalg.cholesky(k).T)[:, place]
        each = study.outcomes["y"].family.log_density(cells, {"location": eta}, own).sum(axis=1)
        mine = special.logsumexp(each + np.log(weight))
        assert log_marginal(study, cohort, truth, i) == pytest.approx(mine, abs=0.01)


def test_the_log_density_of_a_visit_is_the_one_that_a_fit_stores(rng):
    study = parse_study(STUDY)
    cohort = cohort_of(study, parse_table(TABLE.encode(), "t.csv", study.data))
    truth = truth_of(study, rng, sd_intercept=np.asarray(0.4), sd_ou=np.asarray(0.6))
    effects = {"intercept": np.array([0.2, -0.3])}
    truth = type(truth)({"y": type(truth.outcomes["y"])(truth.outcomes["y"].values, effects)})
    values = truth.outcomes["y"].values
    m = cohort.measurements["y"]
    stored = spec(study).measured["y"].log_density(truth, cohort)
    for k in range(len(m)):
        eta = float(values["intercept"] + values["slope"] * m.time[k] + effects["intercept"][m.patient[k]])
        mine = normal_average(lambda w, k=k, eta=eta: stats.poisson(np.exp(eta + w)).pmf(m.value[k]), 0.6, 0.0, 0.3)
        assert stored[k] == pytest.approx(np.log(mine), abs=1e-6)
