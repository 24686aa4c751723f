"""One patient's effects given the own measurements, and what is predicted then: against closed forms and cubature."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from bayesmyo.cohort.cohort import CENSORED, HAPPENED, INTERVAL, Episodes
from bayesmyo.components.families import Cells
from bayesmyo.model.conditional import conditional
from bayesmyo.model.marginal import log_marginal
from bayesmyo.model.one_patient import OnePatient
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import OutcomeTruth, Truth, covariance, from_priors
from bayesmyo.study import parse_study
from bayesmyo.study.predictors import effects

HEAD = """
[study]
title = "T"
patient = "patient"
time = { column = "month", unit = "month", typical = 12 }
[design]
patients = 6
follow_up = { mean = 12, sd = 4, maximum = 20 }
visits = { first = [0, 1, 2, 3], then_every = 4 }
[outcomes.y]
column = "y"
unit = "u"
better = "lower"
trajectory = { kind = "linear" }
"""
NORMAL = 'typical = 50\nscale = 10\nfamily = { kind = "gaussian" }\n'
DRIFT = NORMAL + 'residual = { kind = "ou" }\neffects = ["intercept"]\n'
COUNT = 'typical = 3\nscale = 2\nfamily = { kind = "negative_binomial" }\n'
COPIES = 4096  # of one truth


def setting(text):
    """A study, one truth many times over, and one patient's measurements."""
    study = parse_study(HEAD + text)
    truth = from_priors(study, np.random.default_rng(5))
    cohort = simulate(study, truth, np.random.default_rng(11), 6).cohort
    outcomes = {
        n: OutcomeTruth({k: np.full(COPIES, v) for k, v in o.values.items()}) for n, o in truth.outcomes.items()
    }
    many = Truth(outcomes, {k: np.full(COPIES, v) for k, v in truth.correlations.items()})
    return study, truth, many, cohort.alone(1)


def normal_posterior(study, truth, own):
    """Mean and covariance of a normal outcome's effects, the design of its measurements, and what is left of them."""
    m, values = own.measurements["y"], truth.outcomes["y"].values
    z = np.stack([np.ones(len(m)), m.time], axis=1)
    left = m.value - z @ [values["intercept"], values["slope"]]
    prior = np.linalg.inv(covariance(study, truth, effects(study, "y")))
    v = np.linalg.inv(prior + z.T @ z / values["sigma"] ** 2)
    return v @ z.T @ left / values["sigma"] ** 2, v


def test_normal_effects_are_drawn_from_their_own_distribution():
    study, truth, many, own = setting(NORMAL)
    drawn = conditional(study, own, many, 4, 1)
    mean, cov = normal_posterior(study, truth, own)
    b = np.stack([drawn.effects["y"][k].ravel() for k in ("intercept", "slope")])
    sd = np.sqrt(np.diag(cov))
    assert np.abs(b.mean(axis=1) - mean) == pytest.approx(0, abs=0.02 * sd.max())
    assert np.cov(b) / np.outer(sd, sd) == pytest.approx(cov / np.outer(sd, sd), abs=0.03)
    marginal = log_marginal(study, own, many, 0)[0]
    assert drawn.log_weight == pytest.approx(marginal, abs=1e-6)  # exact: every pair counts alike


def test_other_effects_are_weighted_to_their_distribution():
    study, truth, many, own = setting(COUNT)
    drawn = conditional(study, own, many, 4, 1)
    exact = log_marginal(study, own, truth, 0, points=2**14)
    assert logsumexp(drawn.log_weight) - np.log(drawn.log_weight.size) == pytest.approx(float(exact), abs=0.02)
    m, values = own.measurements["y"], truth.outcomes["y"].values
    factor = np.linalg.cholesky(covariance(study, truth, effects(study, "y")))
    x, y = (a.ravel() for a in np.meshgrid(*[np.linspace(-7, 7, 281)] * 2))
    b = factor @ np.stack([x, y])
    eta = values["intercept"] + b[0] + (values["slope"] + b[1]) * m.time[:, None]
    family = study.outcomes["y"].family
    names = [k for k in values if k not in ("intercept", "slope") and "sd_" not in k and k != "correlation"]
    log = family.log_density(Cells(m.value[:, None]), {"location": eta}, {k: values[k] for k in names}).sum(axis=0)
    log = log + stats.norm.logpdf([x, y]).sum(axis=0)
    mean = b @ np.exp(log - logsumexp(log))
    weight = np.exp(drawn.log_weight - logsumexp(drawn.log_weight)).ravel()
    for place, key in enumerate(("intercept", "slope")):
        effect = drawn.effects["y"][key].ravel()
        spread = np.sqrt(weight @ (effect - mean[place]) ** 2)
        assert weight @ effect == pytest.approx(mean[place], abs=0.05 * spread)


def test_nothing_known_leaves_the_population():
    study, truth, many, own = setting(COUNT)
    drawn = conditional(study, own.until(-1.0), many, 4, 1)
    assert drawn.log_weight == pytest.approx(0.0, abs=1e-9)
    sd = truth.outcomes["y"].values["sd_slope"]
    assert drawn.effects["y"]["slope"].std() == pytest.approx(float(sd), rel=0.02)


def test_a_drifting_residual_is_predicted_from_the_visits_before():
    study, truth, many, own = setting(DRIFT)
    m, v = own.measurements["y"], truth.outcomes["y"].values
    later = float(m.time[-1]) + 0.5
    t = np.append(m.time, later)
    process = v["sd_ou"] ** 2 * np.exp(-np.abs(t[:, None] - t) / v["tau_ou"])
    whole = process + v["sigma"] ** 2 * np.eye(len(t)) + v["sd_intercept"] ** 2
    left = m.value - v["intercept"] - v["slope"] * m.time
    k = np.linalg.solve(whole[:-1, :-1], whole[:-1, -1])
    mean = v["intercept"] + v["slope"] * later + k @ left
    sd = np.sqrt(whole[-1, -1] - k @ whole[:-1, -1])
    drawn = conditional(study, own, many, 1, 1)
    with_effects = replace(many, outcomes={"y": OutcomeTruth(many.outcomes["y"].values, drawn.effects["y"])})
    measured = OnePatient(study, with_effects, 3, own).measurement("y", later)
    assert measured.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(COPIES))
    assert measured.std() == pytest.approx(sd, rel=0.05)


def test_an_event_is_predicted_from_when_the_patient_was_last_free_of_it():
    text = HEAD.replace("typical = 12 }", 'typical = 12, exit = "left", reason = "why" }') + NORMAL
    study = parse_study(
        text + '[events.relapse]\nreasons = ["relapse"]\ntypical = 0.4\nhazard = { kind = "constant" }\n'
    )
    truth = from_priors(study, np.random.default_rng(5), (50,))
    own = simulate(study, truth.take(np.array([0])).take(np.array(0)), np.random.default_rng(11), 6).cohort.alone(0)
    free = Episodes(*(np.array([x]) for x in (0, 0.0, 6.0, 6.0, CENSORED, 0)))
    rate = np.exp(truth.outcomes["relapse"].values["hazard"])
    known = Truth({n: OutcomeTruth(o.values, {k.key: np.zeros((50, 1)) for k in effects(study, n)})
                   for n, o in truth.outcomes.items()})  # fmt: skip
    told = OnePatient(study, known, 3, replace(own, events={"relapse": free}))
    assert told.happens("relapse", 10.0) == pytest.approx(1 - np.exp(-4 * rate), rel=1e-6)
    assert told.happens("relapse", 5.0) == pytest.approx(0.0)
    had = Episodes(*(np.array([x]) for x in (0, 0.0, 6.0, 6.0, HAPPENED, 0)))
    assert OnePatient(study, known, 3, replace(own, events={"relapse": had})).happens("relapse", 10.0) == pytest.approx(
        1
    )


def test_what_is_known_of_an_event_at_a_time():
    two = Episodes(*map(np.array, ([0, 0], [0.0, 3.0], [2.0, 8.0], [3.0, 8.0], [INTERVAL, CENSORED], [0, 0])))
    early, between, late = two.until(2.5), two.until(3.0), two.until(5.0)
    assert (early.stop.tolist(), early.status.tolist()) == ([2.0], [CENSORED])
    assert (between.end.tolist(), between.status.tolist()) == ([3.0], [INTERVAL])
    assert (late.stop.tolist(), late.status.tolist()) == ([2.0, 5.0], [INTERVAL, CENSORED])
