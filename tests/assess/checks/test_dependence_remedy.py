"""Residuals that drift are found, their remedy is named, and with it the check passes."""

import numpy as np
import pytest

from bayesmyo.assess.checks.dependence import Dependence
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import from_scenario
from bayesmyo.study import parse_study

STUDY = """
[study]
title = "Drifting"
patient = "patient"
time = { column = "month", unit = "month", typical = 24 }

[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
residual = { kind = "ou" }

[design]
patients = 15
follow_up = 24
visits = { first = [0, 1, 2, 3, 4, 6], then_every = 2 }

[scenarios.truth.y]
intercept = 50
slope = 0.3
sd_intercept = 6
sd_slope = 0.1
correlation = 0
sigma = 1.5
sd_ou = 5
tau_ou = 3
"""


@pytest.mark.sampling
def test_drifting_residuals_fail_name_their_remedy_and_pass_with_it():
    study = parse_study(STUDY)
    cohort = simulate(study, from_scenario(study, "truth"), np.random.default_rng(5)).cohort
    independent = parse_study(
        STUDY.replace('residual = { kind = "ou" }\n', "").replace("sd_ou = 5\n", "").replace("tau_ou = 3\n", "")
    )
    sampling = Sampling(draws=300, tune=500, chains=2)
    wrong = Dependence().run(fit(independent, cohort, seed=1, sampling=sampling))
    assert wrong.passed is False
    assert 'residual = { kind = "ou" }' in wrong.sentence
    assert Dependence().run(fit(study, cohort, seed=1, sampling=sampling)).passed
