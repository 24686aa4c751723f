"""The gate in front of every number: good draws pass, and each way to be bad is named with its remedy."""

import numpy as np
import pytest

from bayesmyo.assess.check import check
from bayesmyo.assess.checks import CHECKS
from bayesmyo.assess.checks.convergence import Convergence
from bayesmyo.assess.claims import claims
from bayesmyo.components.numbers import rhat_text
from bayesmyo.model.simulate import simulate
from bayesmyo.study import parse_study
from tests.conftest import fit_of, independent_draws, scenario_truth

DRIFTS = """
[study]
title = "Residuals that drift"
patient = "patient"
time = { column = "month", unit = "month", typical = 12 }

[outcomes.relapses]
column = "relapses"
unit = "relapses"
better = "lower"
typical = 5
scale = 2
family = { kind = "poisson" }
trajectory = { kind = "linear" }
effects = ["intercept"]
residual = { kind = "ou" }

[estimands.ratio]
kind = "ratio"
outcome = "relapses"
from = 0
to = 12

[design]
patients = 12
follow_up = 12
visits = { first = [0, 1, 2, 4, 8, 12] }

[scenarios.truth]
relapses = { intercept = 5, slope = 1, sd_intercept = 0.3, sd_ou = 0.3, tau_ou = 2 }
"""


@pytest.fixture
def gate(small, small_cohort):
    """The result for draws that a test has edited."""
    return lambda draws: Convergence().run(fit_of(small, small_cohort, draws))


@pytest.fixture
def draws(small, small_cohort):
    return independent_draws(small, small_cohort)


def test_independent_draws_pass(good_fit):
    result = Convergence().run(good_fit)
    assert result.passed
    assert result.sentence.startswith("The chains agree: R-hat at most 1.00")
    assert result.sentence.endswith("effective draws for each of 62 quantities, no divergence.")


def test_check_runs_every_check(good_fit):
    results = check(good_fit)
    assert [r.name for r in results] == [c.name for c in CHECKS]
    assert results[0].name == "convergence"
    assert all(r.passed for r in results)


def test_the_table_has_every_parameter_and_estimand_and_the_worst_effects(good_fit):
    table = Convergence().run(good_fit).table
    kinds = [row["kind"] for row in table]
    assert (kinds.count("parameter"), kinds.count("estimand")) == (13, 1)
    assert kinds[14:] in (["effect"], ["effect"] * 2)
    assert [row["quantity"] for row in table[12:14]] == ["cpk.sigma", "cpk_ratio_12"]
    effects = good_fit.quantities["effect"]
    worst = min(row["ess_bulk"] for row in table[14:])
    assert worst < 4000
    assert {row["quantity"] for row in table[14:]} < effects.keys()


def test_patients_are_named_by_their_pseudonyms(good_fit):
    names = good_fit.quantities["effect"]
    assert list(names)[:2] == ["strength.effect_intercept[P01]", "strength.effect_intercept[P02]"]
    assert len(names) == 4 * 12
    assert not any(patient in name for patient in good_fit.cohort.patients for name in names)


def test_a_chain_apart_fails(gate, draws):
    draws.posterior["strength.intercept"][0] += 5
    result = gate(draws)
    assert not result.passed
    assert "The chains disagree on 1 of 62 quantities (worst: strength.intercept, R-hat 1.5" in result.sentence
    assert "try more iterations (--tune 2000 --draws 2000)" in result.sentence


def test_an_effect_of_one_patient_apart_fails(gate, draws):
    draws.posterior["cpk.effect_start"][1, :, 2] += 1
    assert "(worst: cpk.effect_start[P03], R-hat" in gate(draws).sentence


def test_a_divergence_fails(gate, draws):
    draws.stats["diverging"][0, :3] = True
    result = gate(draws)
    assert not result.passed
    assert "3 of 4,000 draws diverged" in result.sentence
    assert "try --target-accept 0.98" in result.sentence


@pytest.mark.parametrize(("saturated", "passed"), [(40, True), (80, False)])
def test_more_than_one_draw_in_a_hundred_at_the_maximum_depth_fails(gate, draws, saturated, passed):
    draws.stats["reached_max_treedepth"].flat[:saturated] = True
    result = gate(draws)
    assert result.passed is passed
    assert ("2% of the draws reached the maximum tree depth" in result.sentence) is not passed


def test_a_wandering_energy_fails(gate, draws):
    draws.stats["energy"][2] = np.cumsum(draws.stats["energy"][2])
    result = gate(draws)
    assert not result.passed
    assert "E-BFMI is 0.0" in result.sentence
    assert "try a tighter prior on the SDs" in result.sentence


def test_few_draws_fail(gate, small, small_cohort):
    result = gate(independent_draws(small, small_cohort, draws=60))
    assert not result.passed
    assert "of 62 quantities have too few effective draws (least: " in result.sentence
    assert "at least 400 are needed): try --draws 4000." in result.sentence


def test_a_single_chain_fails(gate, small, small_cohort):
    result = gate(independent_draws(small, small_cohort, chains=1, draws=4000))
    assert not result.passed
    assert result.sentence == "A single chain cannot be compared with another: try --chains 4."


def test_a_parameter_that_never_moved_fails(gate, draws):
    draws.posterior["cpk.sigma"][:] = 0.3
    result = gate(draws)
    assert not result.passed
    assert "1 of 62 quantities never moved (such as cpk.sigma)" in result.sentence


def test_a_chain_that_never_moved_is_named_and_its_r_hat_is_not(gate, draws):
    """The chains agree within themselves to the last bit, so R-hat would be a number without meaning."""
    for values in draws.posterior.values():
        values[1] = values[1, 0]
    sentence = gate(draws).sentence
    assert sentence.startswith(
        "61 of 62 quantities never moved (such as strength.intercept in chain 2): try another seed"
    )
    assert "R-hat" not in sentence
    assert "effective draws" not in sentence


def test_chains_that_each_stay_where_they_started_are_told_so(gate, draws):
    draws.posterior["cpk.sigma"][:] = 0.3 + np.arange(4)[:, None] / 10
    sentence = gate(draws).sentence
    assert "1 of 62 quantities never moved (such as cpk.sigma)" in sentence
    assert "R-hat" not in sentence


def test_a_huge_r_hat_is_said_in_words(gate, draws):
    near = 1e-9 * draws.posterior["cpk.sigma"]
    draws.posterior["cpk.sigma"][:] = near + np.arange(4)[:, None]
    assert "(worst: cpk.sigma, R-hat " in gate(draws).sentence
    assert rhat_text(5867876473965386.0) == "more than 100"
    assert (rhat_text(99.9999), rhat_text(1.01034), rhat_text(1.01034, 4)) == ("100.000", "1.010", "1.0103")


def test_draws_that_are_not_finite_fail(gate, draws):
    draws.posterior["strength.effect_slope"][3, 4, 5] = np.nan
    result = gate(draws)
    assert not result.passed
    assert "not finite (such as strength.effect_slope[P06])" in result.sentence


def test_several_reasons_are_all_named(gate, draws):
    draws.posterior["strength.slope"][0] += 1
    draws.stats["diverging"][:] = True
    sentence = gate(draws).sentence
    assert "strength.slope" in sentence
    assert "4,000 of 4,000 draws diverged" in sentence


def test_statistics_that_an_engine_does_not_have_are_not_missed(gate, draws):
    draws.stats.clear()
    draws.stats["diverging"] = np.zeros((4, 1000), dtype=bool)
    assert gate(draws).passed


def test_draws_that_are_no_posterior_fail_for_that_alone(mock_fit):
    result = Convergence().run(mock_fit)
    assert not result.passed
    assert result.sentence == "The engine mock does not draw from the posterior: fit again with --engine nuts."


# --- a path of residuals that drift, sampled badly: where its SD is zero, a chain cannot leave


def all_withheld(fitted):
    failed = [r for r in check(fitted) if not r.passed]
    return failed[0].name == "convergence" and all(
        e.withheld and e.sentence.startswith("withheld: ") for e in claims(fitted, failed).estimates
    )


@pytest.fixture(scope="module")
def drifting():
    study, rng = parse_study(DRIFTS), np.random.default_rng(5)
    return study, simulate(study, scenario_truth(study, 12, rng), rng).cohort


@pytest.mark.parametrize(
    ("fallen", "says"), [(0, None), (1, "relapses.sd_ou, R-hat"), (4, "never moved (such as relapses.sd_ou)")]
)
def test_a_path_whose_sd_is_zero_in_a_chain_is_withheld(drifting, fallen, says):
    draws = independent_draws(*drifting)
    sd = np.exp(np.log(0.3) + 0.1 * np.random.default_rng(3).normal(size=(4, 1000)))
    sd[:fallen] *= 1e-3
    draws.posterior["relapses.sd_ou"] = np.full_like(sd, 3e-4) if fallen == 4 else sd
    fitted = fit_of(*drifting, draws)
    gate = Convergence().run(fitted)
    assert gate.passed is (says is None)
    if says:
        assert says in gate.sentence
        assert all_withheld(fitted)
