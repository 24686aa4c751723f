"""What all checks share: the same replicates each time, like compared with like, and silence where nothing can be
said.
"""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.assess.checks import CHECKS
from bayesmyo.assess.checks.findings import adjusted, tail_probability
from bayesmyo.assess.replicated import FEWEST, known_range, replicated
from bayesmyo.cohort.cohort import LEFT, MEASURED, RIGHT
from bayesmyo.inference.engines import Draws
from bayesmyo.inference.store import share
from tests.assess.checks.conftest import GAUSSIAN, GAUSSIAN_TRUTH, around, changed, failing, made, true_fit
from tests.conftest import fit_of

PREDICTIVE = [c for c in CHECKS if c.name != "convergence"]


@pytest.fixture(scope="module")
def fit():
    return true_fit(GAUSSIAN, GAUSSIAN_TRUTH)


def test_replicates_are_drawn_once_and_are_always_the_same(fit):
    again = true_fit(GAUSSIAN, GAUSSIAN_TRUTH)
    first = replicated(fit).outcomes["y"]
    assert replicated(fit).outcomes["y"] is first
    other = replicated(again).outcomes["y"]
    np.testing.assert_array_equal(first.drawn, other.drawn)
    np.testing.assert_array_equal(first.new, other.new)
    assert not np.array_equal(first.drawn, first.new)


def test_residuals_are_standard(fit):
    r = replicated(fit).outcomes["y"]
    np.testing.assert_allclose(r.expected.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(r.expected.std(axis=0), 1, rtol=1e-9)
    assert 0.85 < r.residual.std() < 1.15


def test_new_patients_differ_more_than_these(fit):
    r = replicated(fit).outcomes["y"]
    assert r.new.std(axis=0).mean() > 1.5 * r.drawn.std(axis=0).mean()


def test_limits_of_several_sizes_are_treated_as_the_innermost():
    _, cohort, _ = made(GAUSSIAN, GAUSSIAN_TRUTH)

    def typed(m):
        side = np.full(len(m), MEASURED)
        side[:3], side[3] = LEFT, RIGHT
        return {"side": side, "value": np.concatenate([[10.0, 25.0, 20.0, 80.0], m.value[4:]])}

    m = changed(cohort, typed).measurements["y"]
    assert known_range(m) == (25.0, 80.0)
    assert known_range(replace(m, value=np.where(m.side == LEFT, 79.0, m.value))) is None


def test_replicates_are_censored_as_the_data_are():
    fit = true_fit(GAUSSIAN + "\ncensoring = { above = 55 }", GAUSSIAN_TRUTH)
    r = replicated(fit).outcomes["y"]
    assert r.y.max() == r.drawn.max() == r.new.max() == 55
    assert abs(np.mean(r.y == 55) - np.mean(r.drawn == 55)) < 0.1


@pytest.mark.parametrize("check", PREDICTIVE, ids=lambda c: c.name)
def test_draws_that_are_no_posterior_are_not_judged(check, mock_fit):
    result = check.run(mock_fit)
    assert result.passed
    assert result.sentence == "not judged: the engine mock does not draw from the posterior."


@pytest.mark.parametrize("check", PREDICTIVE, ids=lambda c: c.name)
def test_a_shared_copy_is_not_judged(check, fit):
    result = check.run(share(fit))
    assert result.passed
    assert result.sentence == "not judged: a shared copy has no patient data."


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_draws_that_are_not_finite_are_not_judged(value):
    study, cohort, truth = made(GAUSSIAN, GAUSSIAN_TRUTH)
    draws = around(truth)
    draws.posterior["y.slope"][0, 0] = value
    with np.errstate(all="ignore"):
        fit = fit_of(study, cohort, draws)
    sentences = {c.run(fit).sentence for c in PREDICTIVE}
    assert sentences == {"not judged: some draws are not finite."}


def test_few_draws_are_not_judged():
    study, cohort, truth = made(GAUSSIAN, GAUSSIAN_TRUTH)
    draws = around(truth)
    few = Draws({k: v[:, :20] for k, v in draws.posterior.items()}, {k: v[:, :20] for k, v in draws.stats.items()})
    result = PREDICTIVE[0].run(fit_of(study, cohort, few))
    assert result.passed
    assert result.sentence == "not judged: there are only 40 draws, and at least 100 are needed."


def test_few_measurements_are_not_judged():
    study, cohort, truth = made(GAUSSIAN, GAUSSIAN_TRUTH)
    few = changed(
        cohort, lambda m: {f: getattr(m, f)[: FEWEST - 1] for f in ("patient", "time", "value", "side", "line")}
    )
    for check in PREDICTIVE:
        result = check.run(fit_of(study, few, around(truth)))
        assert result.passed
        assert "Not judged: Score, only 29 measurements." in result.sentence or "not judged" in result.sentence


def test_a_failure_names_its_outcome():
    study, cohort, truth = made(GAUSSIAN, GAUSSIAN_TRUTH)
    fit = fit_of(study, changed(cohort, lambda m: {"value": m.value + 20 * (m.time > 6)}), around(truth))
    assert "time course" in failing(fit)
    result = next(c for c in PREDICTIVE if c.name == "time course").run(fit)
    assert result.outcomes == ("y",)
    assert result.table[0].keys() == {"outcome", "statistic", "observed", "lower", "upper", "p"}


def test_tail_probabilities():
    rng = np.random.default_rng(1)
    normal = rng.standard_normal(500)
    assert tail_probability(0.0, normal) > 0.8
    assert 0.02 < tail_probability(2.0, normal) < 0.09
    assert 1e-9 < tail_probability(5.0, normal) < 1e-4
    assert tail_probability(0.0, np.zeros(500)) == 1.0
    assert tail_probability(1.0, np.zeros(500)) < 0.005
    assert tail_probability(0.0, np.full(500, np.nan)) == 1.0


def test_holm():
    np.testing.assert_allclose(adjusted([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    assert adjusted([]) == []
