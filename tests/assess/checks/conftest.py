"""Fits whose truth is known: draws close around the values that made the data, or around a least-squares fit of the
wrong curve.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesmyo.assess.checks import CHECKS
from bayesmyo.cohort import Cohort
from bayesmyo.inference.engines import Draws
from bayesmyo.inference.fit import Fit
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import Truth, from_scenario
from bayesmyo.study import Study, parse_study
from tests.conftest import fit_of

STUDY = """
[study]
title = "Known"
patient = "patient"
time = {{ column = "month", unit = "month", label = "Months", typical = 24 }}

[outcomes.y]
column = "y"
label = "Score"
unit = "points"
better = "higher"
{outcome}

[design]
patients = 23
follow_up = {{ mean = 24, sd = 8, maximum = 48 }}
visits = {{ first = [0, 1, 2, 3, 6], then_every = 4, jitter = 0.3 }}

[scenarios.truth.y]
{scenario}
"""
GAUSSIAN = 'typical = 50\nscale = 10\nfamily = { kind = "gaussian" }\ntrajectory = { kind = "linear" }'
GAUSSIAN_TRUTH = "intercept = 50\nslope = 0.3\nsd_intercept = 8\nsd_slope = 0.4\ncorrelation = 0\nsigma = 4"
PLATEAU = GAUSSIAN.replace("linear", "plateau")
PLATEAU_TRUTH = (
    "start = 40\nasymptote = 60\nhalf_time = 3\nsd_start = 8\nsd_asymptote = 8\ncorrelation = 0.5\nsigma = 4"
)
DRAWS = (2, 150)
NOISE = 0.01  # of draws around the truth


def study_of(outcome: str, scenario: str) -> Study:
    return parse_study(STUDY.format(outcome=outcome, scenario=scenario))


def made(outcome: str, scenario: str, seed: int = 3) -> tuple[Study, Cohort, Truth]:
    """A study, a cohort of its scenario, and the truth with these patients' effects."""
    study = study_of(outcome, scenario)
    found = simulate(study, from_scenario(study, "truth"), np.random.default_rng(seed))
    return study, found.cohort, found.truth


def around(truth: Truth) -> Draws:
    """Draws close around a truth."""
    rng = np.random.default_rng(11)
    posterior = {}
    for name, o in truth.outcomes.items():
        posterior |= {f"{name}.{k}": v + NOISE * abs(v) * rng.standard_normal(DRAWS) for k, v in o.values.items()}
        posterior |= {
            f"{name}.effect_{k}": v + NOISE * rng.standard_normal((*DRAWS, len(v))) for k, v in o.effects.items()
        }
    return Draws(posterior, {"diverging": np.zeros(DRAWS, dtype=bool)})


def true_fit(outcome: str, scenario: str, seed: int = 3) -> Fit:
    study, cohort, truth = made(outcome, scenario, seed)
    return fit_of(study, cohort, around(truth))


def changed(cohort: Cohort, edit) -> Cohort:
    """The same cohort with other values: `edit` is handed the measurements, and returns their new fields."""
    m = cohort.measurements["y"]
    return replace(cohort, measurements={"y": replace(m, **edit(m))})


def lines(cohort: Cohort, slopes: bool = True, extra: str = "") -> Fit:
    """The cohort under gaussian straight lines, found by least squares for each patient (or with one slope for all)."""
    m = cohort.measurements["y"]
    n = len(cohort)
    own = np.eye(n)[m.patient]
    design = np.hstack([own, own * m.time[:, None] if slopes else m.time[:, None]])
    found = np.linalg.lstsq(design, m.value, rcond=None)[0]
    intercept, slope = found[:n], np.broadcast_to(found[n:], (n,))
    sigma = (m.value - design @ found).std()
    values = {"intercept": intercept.mean(), "slope": slope.mean(), "sd_intercept": intercept.std(), "sigma": sigma}
    deviations = {"intercept": intercept - intercept.mean()}
    if slopes:
        values |= {"sd_slope": slope.std(), "correlation": np.corrcoef(intercept, slope)[0, 1]}
        deviations["slope"] = slope - slope.mean()
    rng = np.random.default_rng(11)
    posterior = {f"y.{k}": v * (1 + NOISE * rng.standard_normal(DRAWS)) for k, v in values.items()}
    posterior |= {f"y.effect_{k}": v + NOISE * rng.standard_normal((*DRAWS, n)) for k, v in deviations.items()}
    effects = "" if slopes else '\neffects = ["intercept"]'
    study = study_of(
        GAUSSIAN + effects + extra,
        GAUSSIAN_TRUTH if slopes else "intercept = 50\nslope = 0.3\nsd_intercept = 8\nsigma = 4",
    )
    return fit_of(study, cohort, Draws(posterior, {"diverging": np.zeros(DRAWS, dtype=bool)}))


def failing(fit: Fit) -> dict[str, str]:
    """Name -> sentence of each posterior predictive check that failed."""
    results = [c.run(fit) for c in CHECKS if c.name != "convergence"]
    return {r.name: r.sentence for r in results if not r.passed}
