"""The engine nuts: outcomes of different families correlated across outcomes, one dataset after another, and what it
refuses.
"""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from bayesmyo.errors import UsageError
from bayesmyo.inference.build import build
from bayesmyo.inference.engines import ENGINES, Sampling
from bayesmyo.inference.engines.nuts import PreparedNuts
from bayesmyo.inference.fit import wrap
from bayesmyo.model import simulate_scenario
from bayesmyo.model.data import arrays
from bayesmyo.model.truth import correlation_matrix
from bayesmyo.study import parse_study
from bayesmyo.study.parameters import all_parameters
from bayesmyo.study.predictors import effects
from tests.inference.density import HEAD, WHO, built, rows

STUDY = """
[study]
title = "Two families"
patient = "p"
time = { column = "t", unit = "month", typical = 12 }
correlate = "across outcomes"

[outcomes.power]                    # integrated
column = "power"
unit = "kg"
better = "higher"
typical = 40
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }

[outcomes.falls]                    # sampled
column = "falls"
unit = "falls"
better = "lower"
typical = 8
scale = 2
family = { kind = "poisson" }
trajectory = { kind = "constant" }

[design]
patients = 12
follow_up = { mean = 18, sd = 3, maximum = 24 }
visits = { first = [0, 1, 3], then_every = 3, jitter = 0.2 }

[scenarios.truth]
power = { intercept = 40, slope = 0.5, sd_intercept = 8, sd_slope = 0.4, correlation = 0.2, sigma = 2 }
falls = { intercept = 8, sd_intercept = 0.6 }
correlations = { power_intercept_falls_intercept = -0.6, power_slope_falls_intercept = -0.2 }
"""
FEW = Sampling(draws=200, tune=300, chains=2)


@pytest.fixture(scope="module")
def study():
    return parse_study(STUDY)


@pytest.fixture(scope="module")
def simulated(study):
    return simulate_scenario(study, "truth", seed=8)


@pytest.fixture(scope="module")
def prepared(study, simulated):
    model = build(study, simulated.cohort)
    assert model.how == {"power": "integrated", "falls": "informed"}
    return ENGINES["nuts"].prepare(model)


@pytest.fixture(scope="module")
def draws(prepared):
    return prepared.sample([prepared.model.data], [11], FEW)[0]


@pytest.mark.sampling
def test_correlations_across_outcomes_form_a_positive_definite_matrix_in_every_draw(study, simulated, draws):
    fit = wrap(study, simulated.cohort, draws, engine="nuts", seed=1, sampling=FEW, how={})
    listed = [e for o in study.outcomes for e in effects(study, o)]
    matrix = correlation_matrix(study, fit.truth, listed)
    assert matrix.shape == (2, 200, 3, 3)
    assert np.linalg.eigvalsh(matrix).min() > 0
    assert len(np.unique(matrix[..., 0, 2])) > 100
    assert draws.posterior.keys() == {p.full_name for p in all_parameters(study)} | {e.full_name for e in listed}


@pytest.mark.sampling
def test_the_truth_is_where_the_draws_are(simulated, draws):
    for outcome, truth in simulated.truth.outcomes.items():
        for name, value in truth.values.items():
            lower, upper = np.quantile(draws.posterior[f"{outcome}.{name}"], [0.0005, 0.9995])
            assert lower < value < upper, f"{outcome}.{name}"
        mean = draws.posterior[f"{outcome}.effect_intercept"].mean(axis=(0, 1))
        assert np.corrcoef(mean, truth.effects["intercept"])[0, 1] > 0.9
    assert not draws.stats["diverging"].any()


@pytest.mark.sampling
def test_the_same_data_give_the_same_bits_whatever_was_sampled_between(study, prepared, draws):
    ours, other = prepared.model.data, arrays(study, simulate_scenario(study, "truth", seed=9).cohort)
    assert len(other["power.time"]) != len(ours["power.time"])  # other visits, and as many patients
    between, again = prepared.sample([other, ours], [5, 11], FEW)
    for name, values in draws.posterior.items():
        np.testing.assert_array_equal(again.posterior[name], values)
        assert not np.array_equal(between.posterior[name], values)
    np.testing.assert_array_equal(again.stats["n_steps"], draws.stats["n_steps"])


@pytest.mark.sampling
def test_a_longer_run_is_the_same_chains_continued(prepared, draws):
    """Its first draws are those of the shorter run, of which one in four is kept; none of the statistics is lost."""
    on = prepared.sample([prepared.model.data], [11], replace(FEW, every=4))[0]
    for name in ("power.slope", "falls.sd_intercept", "falls.effect_intercept"):
        assert on.posterior[name].shape[:2] == (2, 200)
        np.testing.assert_array_equal(on.posterior[name][:, :50], draws.posterior[name][:, 3::4])
    assert on.stats["energy"].shape == (2, 800)
    np.testing.assert_array_equal(on.stats["energy"][:, :200], draws.stats["energy"])


# --- other data than those a model was compiled for; nothing is compiled here

GAUSSIAN = (
    '[outcomes.y]\ncolumn = "y"\nunit = "u"\nbetter = "higher"\ntypical = 5\nscale = 2\n'
    'family = { kind = "gaussian" }\ntrajectory = { kind = "constant" }\n'
)
AGE = '[covariates.age]\ntypical = 50\nscale = 10\nmissing = "imputed"\n'
WITH_AGE = HEAD + AGE + GAUSSIAN + 'covariates = ["age"]\n'
LIMITED = HEAD + GAUSSIAN + 'censoring = "as typed"\n'
Y = [4.1, 5.2, 6.6, 3.0, 5.5, 7.1, 6.0, 4.4, 5.0]


def aged(*ages):
    return built(WITH_AGE, rows(y=Y, age=np.array(ages, dtype=object)[WHO]))


def limited(first):
    return built(LIMITED, rows(y=[first, *Y[1:]]))


def hand(model, data, exchange=True):
    """Hand data to a compiled model that only remembers them."""
    compiled = SimpleNamespace(shared_var_keys=[SimpleNamespace(name=k) for k in model.data], with_data=dict)
    return PreparedNuts(model, compiled, exchange)._with_data(data)


@pytest.mark.parametrize(
    ("model", "other", "what"),
    [
        (limited("<4"), limited(">4"), "y: censored cells"),
        (limited("<4"), limited(4), "y: censored cells"),
        (limited(4), limited("2..4"), "y: censored cells"),
        (aged(40, "", 60), aged("", 50, 60), "age: patients without a value"),
        pytest.param(aged(40, "", 60), aged(40, 50, 60), "age"),
        pytest.param(aged(40, 55, 60), aged(40, "", 60), "age"),
    ],
)  # fmt: skip
def test_data_that_a_model_was_not_compiled_for_are_refused(model, other, what):
    with pytest.raises(UsageError, match=f"differ from those the model was compiled for .*{what}"):
        hand(model, other.data)


def test_data_that_agree_are_handed_over_without_gaps():
    other = aged(70, "", 30)
    found = hand(aged(40, "", 60), other.data)
    np.testing.assert_array_equal(found["covariates.age"], [2, 0, -2])
    np.testing.assert_array_equal(found["y.value"], Y)


def test_a_frozen_model_takes_its_own_data_alone():
    model = aged(40, "", 60)
    assert hand(model, aged(40, "", 60).data, exchange=False).with_data is dict
    with pytest.raises(UsageError, match="not those the model was compiled with; prepare it for exchange"):
        hand(model, aged(41, "", 60).data, exchange=False)
