"""The rule P(slope > 0) > 0.975 in the one-arm design, against published simulations: 4,000 cohorts each, under a
HalfNormal(20) prior of the slopes' SD. With it comes what a tight prior of that SD buys, and at what price."""

import numpy as np
import pytest

from bayesmyo.simulation.options import PowerOptions
from bayesmyo.simulation.power.answer import power_answer
from bayesmyo.simulation.power.grid import power_plan
from bayesmyo.simulation.replicate import Models, Replicator
from bayesmyo.study import read_study
from tests.conftest import ROOT
from tests.simulation.frames import results

COHORTS = 1000
PUBLISHED = {("four", 6): 0.187, ("four", 23): 0.785, ("null", 6): 0.034, ("null", 23): 0.046, ("hope", 23): 0.675}


@pytest.mark.slow
def test_the_rule_has_its_published_power_error_and_assurance():
    study = read_study(ROOT / "tests" / "reference" / "one_arm.toml")
    plan = power_plan(PowerOptions(study, "out", patients=(6, 23), replicates=COHORTS, seed=1))
    models, rows = Models(), []
    for cell in plan.cells:
        if (cell.labels["scenario"], cell.patients) in PUBLISHED:
            replicator = Replicator(cell, seed=1, record=plan.record, models=models, comparators=("t test",))
            rows += [replicator.run(r) for r in range(COHORTS)]
    found = {(d.labels["scenario"], d.look): d for d in power_answer(results(plan, rows)).last() if d.replicates}
    assert found.keys() == PUBLISHED.keys()
    for key, published in PUBLISHED.items():
        d = found[key]
        print(
            key,
            f"{d.rate.value:.3f} ({d.rate.mcse:.3f}), published {published}; t test {d.comparators['t test for rises'].value:.3f}",
        )
        assert sum(d.failed.values()) == 0
        assert abs(d.rate.value - published) < 0.04
        if d.null:
            assert d.error.value <= 0.06
    # the t test of the same cohorts, and the assurance of a flat prior, are exact
    beside = found["four", 23].comparators["t test for rises"].value
    assert abs(beside - 0.798259) < 3 * np.sqrt(0.8 * 0.2 / COHORTS)
    assert abs(found["hope", 23].comparators["t test for rises"].value - 0.686635) < 3 * np.sqrt(0.69 * 0.31 / COHORTS)
