"""Looks of a group-sequential design: boundaries of rpact, through the whole of a simulation study with an exact posterior.

z is the normal quantile of the posterior probability under a flat prior and a known variance, so that a boundary for z is
one for the probability. Pocock's is the same at every look: one threshold of a decision. O'Brien and Fleming's is not, and
is judged on the probabilities of the rows.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayesmyo.components.decisions import Probability
from bayesmyo.inference.engines import ENGINES, Draws
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power import sequential
from bayesmyo.simulation.power.operating import decisions
from bayesmyo.simulation.power.threshold import thresholds
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.study import parse_study
from tests.simulation.frames import frames

ALPHA, DRAWS, COHORTS = 0.025, 2000, 1000
# getDesignGroupSequential(kMax = 3, alpha = 0.025, sided = 1, typeOfDesign = "P")$criticalValues and "OF", rpact 3.3.4 (Debian);
# to three decimals those of Jennison and Turnbull (2000), tables 2.1 and 2.3, https://doi.org/10.1201/9780367805326
POCOCK, O_BRIEN_FLEMING = 2.289478456, (3.471091445, 2.454432299, 2.004035580)
STUDY = parse_study("""
[study]
title = "One measurement of each patient"
patient = "patient"
time = { column = "month", unit = "month", typical = 1 }

[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = 0
scale = 1
family = { kind = "gaussian" }
trajectory = { kind = "constant" }
effects = []

[estimands.level]
kind = "level"
outcome = "y"
at = 0
population = "average patient"

[decisions.works]
kind = "probability"
estimand = "level"
above = 0
probability = 0.975

[design]
patients = 60
follow_up = 1
visits = { first = [0] }

[scenarios.null]
y = { intercept = 0.0, sigma = 1.0 }
""")


class Flat:
    """The posterior of a mean under a flat prior, where every SD is 1: its quantiles."""

    posterior = False  # no chains, to be judged as such

    def prepare(self, model, exchange=True):
        return self

    def sample(self, datasets, seeds, sampling, progress=None):
        z = np.random.default_rng(1).permutation(stats.norm.ppf((np.arange(DRAWS) + 0.5) / DRAWS))
        return [self._draws(data["y.value"], z) for data in datasets]

    def _draws(self, y, z):
        mean = y.mean() + z / np.sqrt(len(y))
        return Draws({"y.intercept": mean[None], "y.sigma": np.ones((1, DRAWS))}, {})


@pytest.fixture(scope="module")
def looked():
    """(plan, tables) of 1,000 cohorts of no effect, at 20, 40 and 60 patients, with Pocock's threshold for three looks."""
    rule = Probability(estimand="level", above=0.0, probability=float(stats.norm.cdf(POCOCK)))
    study = replace(STUDY, decisions={"works": rule}, text="")
    cell = Cell(study, "null", 60, study, {"scenario": "null", "patients": 60}, (20, 40, 60))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES, "flat", Flat())
        one = Replicator(cell, seed=11, engine="flat", record=("decision",))
        rows = [one.run(r) for r in range(COHORTS)]
    return Plan("power", (cell,), COHORTS, engine="flat"), frames(rows)


def test_pocock_looks_have_the_error_that_they_promise(looked):
    plan, (_, quantities) = looked
    (s,) = sequential.sequences(plan, quantities)
    assert s.null
    assert abs(s.success.value - ALPHA) < 2 * np.sqrt(ALPHA * (1 - ALPHA) / COHORTS)


def test_o_brien_fleming_looks_have_the_error_that_they_promise(looked):
    _, (_, quantities) = looked
    p = quantities[quantities["kind"] == "decision"].pivot(index="replicate", columns="look", values="probability")
    met = (p.to_numpy() >= stats.norm.cdf(O_BRIEN_FLEMING)).any(axis=1).mean()
    assert abs(met - ALPHA) < 2 * np.sqrt(ALPHA * (1 - ALPHA) / COHORTS)
    naive = (p.to_numpy() >= 0.975).any(axis=1).mean()  # three looks at 0.025 each: half of the two-sided 0.107
    assert abs(naive - 0.0535) < 2 * np.sqrt(0.0535 * 0.9465 / COHORTS)


def test_the_threshold_of_all_looks_is_pococks(looked):
    plan, tables = looked
    last = [d for d in decisions(plan, *tables) if d.look == 60]
    (t,) = thresholds(plan, tables[1], last, ALPHA)
    assert t.number.lower <= stats.norm.cdf(POCOCK) <= t.number.upper
