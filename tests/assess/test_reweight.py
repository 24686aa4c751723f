"""Weights, and the errors of statistics of draws, where they are known."""

import numpy as np
import pytest

from bayesmyo.assess.diagnostics import batch_error, shift
from bayesmyo.assess.reweight import TRUSTED, reweight


def test_reweighting_moves_normal_draws(rng):
    x = rng.standard_normal(4000)
    chosen, weights, k = reweight(x * 0.5 - 0.125)  # to Normal(0.5, 1)
    assert k < 0.5
    assert np.sum(weights * x) == pytest.approx(0.5, abs=0.06)
    assert x[chosen].mean() == pytest.approx(0.5, abs=0.06)
    assert reweight(4 * x**2)[2] > TRUSTED  # to a distribution that x never reaches


def test_reweighting_says_when_it_cannot_be_trusted(rng):
    assert reweight(np.zeros(50))[2] == -np.inf  # the same distribution
    assert reweight(rng.standard_normal(20))[2] == np.inf  # too few draws to know
    x = rng.standard_normal(1000)
    x[3] = np.inf
    assert reweight(x)[2] == np.inf
    assert reweight(np.where(np.arange(1000) == 5, 1e6, rng.standard_normal(1000)))[2] > TRUSTED


def test_batch_error_is_the_error_of_a_mean_and_of_a_quantile(rng):
    draws = rng.standard_normal((200, 1000))
    means = [batch_error(lambda x: float(x.mean()), row) for row in draws]
    assert np.sqrt(np.mean(np.square(means))) == pytest.approx(1 / np.sqrt(1000), rel=0.1)
    quantiles = [batch_error(lambda x: float(np.quantile(x, 0.9)), row) for row in draws]
    found = np.std([np.quantile(row, 0.9) for row in draws])
    assert np.sqrt(np.mean(np.square(quantiles))) == pytest.approx(found, rel=0.2)


def test_shift_is_in_posterior_sds(rng):
    x = rng.normal(3, 2, 50_000)
    assert shift(x, x + 1) == pytest.approx(0.5, abs=0.01)
