"""Fits of events whose truth is known: draws around the most likely values of a model, given patients' true courses."""

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from bayesmyo.inference.engines import Draws
from bayesmyo.model.event import TimeToEvent
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import OutcomeTruth, from_scenario
from bayesmyo.study import parse_study
from tests.conftest import fit_of

STUDY = """
[study]
title = "Events"
patient = "patient"
time = {{ column = "month", unit = "month", typical = 24, exit = "exit", reason = "why" }}
[outcomes.y]
column = "y"
label = "Score"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = {{ kind = "gaussian" }}
trajectory = {{ kind = "linear" }}
[events.attack]
label = "Attack"
typical = 0.5
{event}
[estimands.change]
kind = "change"
outcome = "y"
from = 0
to = 12
[design]
patients = {patients}
follow_up = 24
visits = {{ first = [0, 3], then_every = 3 }}
[scenarios.truth.y]
intercept = 50
slope = 0.1
sd_intercept = 10
sd_slope = 0.3
correlation = 0
sigma = 3
[scenarios.truth.attack]
{scenario}
"""
ONCE, AGAIN, SEEN = 'at = "attack"', 'at = "attack"\nrecurrent = true', 'column = "attack"'
CONSTANT, WEIBULL = '\nhazard = { kind = "constant" }', '\nhazard = { kind = "weibull" }'
LEVEL = '\ndepends = { y = "level" }'
DRAWS = (4, 500)


def study_of(event, scenario, patients=60):
    return parse_study(STUDY.format(event=event, scenario=scenario, patients=patients))


def cohort_of(event, scenario, patients=60, seed=3):
    """A cohort of a scenario, and the truth with these patients' effects."""
    study = study_of(event, scenario, patients)
    made = simulate(study, from_scenario(study, "truth"), np.random.default_rng(seed))
    return made.cohort, made.truth


def fitted(event, cohort, truth, **start):
    """The most likely values of the event's parameters in the model `event`, and draws from around them."""
    study = study_of(event, "\n".join(f"{k} = {v}" for k, v in start.items()), len(cohort))
    submodel = TimeToEvent(study, "attack")
    at = from_scenario(study, "truth").outcomes["attack"].values
    names = list(at)
    first = [np.log(float(at[k])) if k == "shape" else float(at[k]) for k in names]

    def of(x):
        values = {k: np.exp(v) if k == "shape" else v for k, v in zip(names, x, strict=True)}
        return replace(truth, outcomes={"y": truth.outcomes["y"], "attack": OutcomeTruth(values, {})})

    def less(x):
        return -float(submodel.log_density(of(x), cohort).sum())

    best = minimize(less, first, method="BFGS")
    rng = np.random.default_rng(11)
    drawn = rng.multivariate_normal(best.x, best.hess_inv, DRAWS)
    y = truth.outcomes["y"]
    posterior = {f"y.{k}": v + 0.01 * rng.standard_normal(DRAWS) for k, v in y.values.items()}
    posterior |= {f"y.effect_{k}": v + 0.01 * rng.standard_normal((*DRAWS, len(v))) for k, v in y.effects.items()}
    posterior |= {f"attack.{k}": np.exp(drawn[..., i]) if k == "shape" else drawn[..., i] for i, k in enumerate(names)}
    return fit_of(study, cohort, Draws(posterior, {"diverging": np.zeros(DRAWS, dtype=bool)}))


def with_events(fit, cohort):
    """The draws of a fit beside other events."""
    return fit_of(fit.study, cohort, Draws({str(k): v.values for k, v in fit.group("posterior").data_vars.items()}, {}))
