"""A trial of the compiler and the sampler: a model of five patients, compiled and sampled, as `bayesmyo doctor
--compile` asks.
"""

import time

from bayesmyo.errors import EngineError
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.machine import Finding
from bayesmyo.model.simulate import simulate_scenario
from bayesmyo.study import parse_study

SAMPLING = Sampling(draws=50, tune=50, chains=2)
TINY = """
[study]
title = "Trial"
patient = "patient"
time = { column = "month", unit = "month", typical = 12 }

[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = 0
scale = 1
family = { kind = "gaussian" }
trajectory = { kind = "constant" }

[design]
patients = 5
follow_up = { mean = 6, sd = 1, maximum = 12 }
visits = { first = [0], then_every = 3 }

[scenarios.trial]
y = { intercept = 0, sd_intercept = 1, sigma = 0.5 }
"""


def trial() -> Finding:
    """Whether a model can be compiled and sampled here, and how long that takes, with what the cache has of it."""
    study = parse_study(TINY)
    cohort = simulate_scenario(study).cohort
    began = time.perf_counter()
    try:
        fitted = fit(study, cohort, sampling=SAMPLING)
    except EngineError as error:
        return Finding(
            "trial", False, f"a model of five patients could not be sampled: {error}", {"seconds": None, "draws": 0}
        )
    took = time.perf_counter() - began
    draws = fitted.group("posterior")["y.intercept"].size
    text = f"a model of five patients was compiled and gave {draws} draws in {took:.1f} s."
    return Finding("trial", True, text, {"seconds": round(took, 1), "draws": draws})
