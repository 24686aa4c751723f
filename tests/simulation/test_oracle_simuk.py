"""Simulation-based calibration by simuk, of a model written by hand, and by us: they agree where it is right, and on
what is wrong where it is not.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayesmyo.inference.engines import Sampling
from bayesmyo.model.measured import visit_predictors
from bayesmyo.simulation.calibration.uniformity import p_value
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.study import parse_study

pytestmark = pytest.mark.oracle
TIMES, PATIENTS = [0, 1, 3, 6], 5
NAMES = ("intercept", "slope", "sd_intercept", "sd_slope", "sigma")
STUDY = """
study = { title = "Calibration", patient = "patient", time = { column = "t", unit = "month" }, correlate = "none" }
design.patients = 5
design.follow_up = { mean = 12, sd = 0.01, maximum = 12 }
design.visits = { first = [0, 1, 3, 6], then_every = 100 }
[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = 5
scale = 2
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
priors.intercept = "normal(5, 2)"
priors.slope = "normal(0, 1)"
priors.sd_intercept = "halfnormal(2)"
priors.sd_slope = "halfnormal(0.5)"
priors.sigma = "halfnormal(1)"
"""


def ours(replicates, noise):
    """Name -> ranks; measurements lie `noise` times as far from their patients' lines as the model says."""
    study = parse_study(STUDY)

    class Noisy(Replicator):
        def simulate(self, replicate):
            found = super().simulate(replicate)
            m = found.cohort.measurements["y"]
            line = visit_predictors(study, found.truth, "y", m)["location"]
            noisy = replace(m, value=line + noise * (m.value - line))
            return replace(found, cohort=replace(found.cohort, measurements={"y": noisy}))

    sampling = Sampling(draws=500, tune=500, chains=2, cores=1)
    cell = Cell(study, None, PATIENTS, study)
    one = Noisy(cell, seed=41, sampling=sampling, record=("parameter",))
    rows = [{q.name.removeprefix("y."): q.rank for q in one.run(n).quantities} for n in range(replicates)]
    return {name: np.array([row[name] for row in rows]) for name in NAMES}


def theirs(replicates, noise):
    import pymc as pm
    import simuk

    patient, t = np.repeat(np.arange(PATIENTS), len(TIMES)), np.tile(TIMES, PATIENTS).astype(float)
    with pm.Model() as model:
        intercept, slope = pm.Normal("intercept", 5, 2), pm.Normal("slope", 0, 1)
        sd_intercept, sd_slope = pm.HalfNormal("sd_intercept", 2), pm.HalfNormal("sd_slope", 0.5)
        a, b = pm.Normal("a", shape=PATIENTS), pm.Normal("b", shape=PATIENTS)
        line = intercept + sd_intercept * a[patient] + (slope + sd_slope * b[patient]) * t
        pm.Normal("y", line, pm.HalfNormal("sigma", 1), observed=pm.Data("seen", np.zeros(len(t))))

    def simulator(seed, intercept, slope, sd_intercept, sd_slope, a, b, sigma, **_):
        mean = intercept + sd_intercept * a[patient] + (slope + sd_slope * b[patient]) * t
        return {"y": np.random.default_rng(seed).normal(mean, noise * sigma)}

    how = {
        "draws": 500,
        "tune": 500,
        "chains": 2,
        "cores": 1,
        "nuts_sampler": "nutpie",
        "nuts": {"target_accept": 0.95},
    }
    sbc = simuk.SBC(
        model, num_simulations=replicates, sample_kwargs=how, seed=42, simulator=simulator if noise != 1 else None,
        progress_bar=False
    )  # fmt: skip
    sbc.run_simulations()
    draws = 1000
    return {name: (np.ravel(sbc.simulations["prior_sbc"][name].values) + 0.5) / (draws + 1) for name in NAMES}


@pytest.mark.filterwarnings("default")
def test_a_right_model_is_right_for_both():
    by_us, by_them = ours(40, 1.0), theirs(40, 1.0)
    for name in NAMES:
        assert p_value(by_us[name]) > 0.002, name
        assert p_value(by_them[name]) > 0.002, name
        assert stats.ks_2samp(by_us[name], by_them[name]).pvalue > 0.002, name


@pytest.mark.filterwarnings("default")
def test_both_see_the_same_fault():
    """Measurements scatter three times as far as the model says: its sigma is drawn too high, its average intercept
    need not be off.
    """
    for found in (ours(20, 3.0), theirs(20, 3.0)):
        assert p_value(found["sigma"]) < 1e-6
        assert found["sigma"].mean() < 0.15
