"""Combinations that no bundled study has, simulated and fitted: the truth comes back."""

import numpy as np
import pytest

from bayesmyo.inference.fit import fit
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import from_scenario
from bayesmyo.study import parse_study

STUDY = """
[study]
title = "Odd"
patient = "p"
time = { column = "t", unit = "week", typical = 50 }

[outcomes.level]                    # sampled effects of one coefficient; the compiled model has no use for time
column = "a"
unit = "u"
better = "higher"
typical = 10
scale = 3
family = { kind = "student_t" }
trajectory = { kind = "constant" }

[outcomes.rise]                     # an origin, the end stated as a change, effects on the start alone
column = "b"
unit = "u"
better = "higher"
typical = 10
scale = 3
family = { kind = "gaussian" }
trajectory = { kind = "plateau", end = "change", origin = 4 }
effects = ["start"]

[outcomes.shared]                   # no patient effects
column = "d"
unit = "u"
better = "lower"
typical = 100
scale = 20
family = { kind = "gaussian" }
trajectory = { kind = "linear", origin = 10 }
effects = []

[design]
patients = 20
follow_up = { mean = 60, sd = 10, maximum = 100 }
visits = { first = [0, 4, 8], then_every = 10, jitter = 0.5 }

[scenarios.truth]
level = { intercept = 12, sd_intercept = 2, sigma = 1, nu = 5 }
rise = { start = 8, change = 4, half_time = 10, sd_start = 2, sigma = 0.5 }
shared = { intercept = 100, slope = -0.5, sigma = 5 }
"""


@pytest.mark.sampling
def test_the_truth_of_every_parameter_and_effect_is_recovered(rng):
    study = parse_study(STUDY)
    simulated = simulate(study, from_scenario(study, "truth"), rng)
    found = fit(study, simulated.cohort, seed=2).group("posterior")
    for name, truth in simulated.truth.outcomes.items():
        for parameter, value in truth.values.items():
            draws = found[f"{name}.{parameter}"].values
            lower, upper = np.quantile(draws, [0.0005, 0.9995])
            assert lower < value < upper, f"{name}.{parameter}"
        for effect, values in truth.effects.items():
            draws = found[f"{name}.effect_{effect}"].values
            z = (values - draws.mean(axis=(0, 1))) / draws.std(axis=(0, 1))
            assert np.abs(z).max() < 4
            assert np.corrcoef(values, draws.mean(axis=(0, 1)))[0, 1] > 0.9
