"""A dose that nearly everyone takes, or nearly nobody: leaving out the one who differs breaks nothing."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.assess.influence import of_left_out
from bayesmyo.assess.leave_one_out import leave_one_out
from bayesmyo.assess.refits import Refits
from bayesmyo.assess.sensitivity import prior_sensitivities
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.model import simulate_scenario
from bayesmyo.study import parse_study

HURDLE = """
[study]
title = "Doses"
patient = "patient"
time = { column = "month", unit = "month", typical = 24 }
[outcomes.dose]
column = "dose"
unit = "mg/d"
better = "lower"
typical = 30
scale = 2
family = { kind = "hurdle_lognormal" }
trajectory = { kind = "linear" }
effects = ["intercept"]
[outcomes.dose.zero]
typical = 0.05
scale = 0.05
trajectory = { kind = "constant" }
[estimands.level]
kind = "level"
outcome = "dose"
at = 12
[design]
patients = 8
follow_up = { mean = 24, sd = 6, maximum = 60 }
visits = { first = [0, 1, 3], then_every = 6 }
[scenarios.truth]
dose = { intercept = 30, slope = 0.97, sd_intercept = 0.4, sigma = 0.3, zero_intercept = 0.05, sd_zero_intercept = 0.5 }
"""
RARE = {  # (patient, dose as simulated but never zero) -> dose
    "nobody is ever off": lambda patient, dose: dose,
    "one patient is off": lambda patient, dose: np.where(patient == 2, 0.0, dose),
    "one patient is on": lambda patient, dose: np.where(patient == 2, dose, 0.0),
    "everyone is off": lambda patient, dose: np.zeros(len(dose)),
}


@pytest.mark.parametrize("who", RARE)
@pytest.mark.parametrize("engine", ["mock", pytest.param("nuts", marks=pytest.mark.slow)])
def test_a_hurdle_of_which_one_side_is_rare(who, engine):
    """Without the only patient who takes a dose, none is positive: the others still say what they say of zeros."""
    study = parse_study(HURDLE)
    cohort = simulate_scenario(study, "truth", seed=3).cohort
    m = cohort.measurements["dose"]
    dose = RARE[who](m.patient, np.where(m.value == 0, 20.0, m.value))
    rare = replace(cohort, measurements={"dose": replace(m, value=dose)})
    sampling = Sampling(draws=150, tune=150, chains=2)
    fitted = fit(study, rare, engine=engine, sampling=sampling)
    for exact in (True, False) if engine == "mock" else (True,):
        found = leave_one_out(fitted, exact=exact, refits=Refits(fitted, sampling))
        assert all(one.method != "impossible" and np.isfinite(one.score) for one in found)
        assert all(np.isfinite(one.estimands["level"]).all() for one in found)
        assert len(of_left_out(fitted, found).patients) == 8
    scores = np.array([one.score for one in found])
    if who.startswith("one"):  # whose score is unlike the others'
        assert np.abs(scores - np.median(scores)).argmax() == 2
    assert [r.name for r in prior_sensitivities(fitted)] == ["level"]
