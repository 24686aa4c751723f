"""Parameters rebuilt from printed numbers, against posteriors in closed form."""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.meta.rebuild import Expected, Scores, adjusted, at_odds, redundant, resampled


def posterior(parameters, numbers, observed):
    """By what `match` does, without another round: weighted draws."""
    scores = Scores.among(numbers)
    score, target = scores.of(numbers), scores.of(np.asarray(observed, dtype=float))
    return adjusted(parameters, score, target, Expected.fitted(parameters, score))


def moments(draws, weights):
    mean = weights @ draws
    return mean, np.sqrt(weights @ (draws - mean) ** 2)


def test_a_normal_mean_has_its_posterior_in_closed_form(rng):
    """One patient in four of prior: theta ~ N(0, 1), a mean with standard error 0.5; and a parameter that is not told of."""
    theta = rng.standard_normal((20_000, 2))
    numbers = theta[:, :1] + 0.5 * rng.standard_normal((20_000, 1))
    mean, sd = moments(*posterior(theta, numbers, [1.0]))
    exact = stats.norm(1.0 / 1.25, np.sqrt(0.25 / 1.25))
    assert mean[0] == pytest.approx(exact.mean(), abs=0.03)
    assert sd[0] == pytest.approx(exact.std(), rel=0.04)
    assert (mean[1], sd[1]) == (pytest.approx(0, abs=0.03), pytest.approx(1, abs=0.03))


def test_a_spread_is_rebuilt_from_a_printed_sd(rng):
    """log sigma ~ N(0, 0.5), of 20 patients the SD: by quadrature."""
    log = 0.5 * rng.standard_normal(20_000)
    printed = np.exp(log) * np.sqrt(rng.chisquare(19, 20_000) / 19)
    draws, weights = posterior(log[:, None], printed[:, None], [2.0])
    grid = np.linspace(-2, 3, 2001)
    density = stats.norm.pdf(grid, 0, 0.5) * stats.chi2.pdf(19 * 4 / np.exp(2 * grid), 19) / np.exp(2 * grid)
    exact = np.average(grid, weights=density), np.sqrt(np.cov(grid, aweights=density))
    assert moments(draws[:, 0], weights) == (pytest.approx(exact[0], abs=0.03), pytest.approx(exact[1], rel=0.08))


def test_numbers_that_are_equal_have_one_score_between_them():
    scores = Scores.among(np.array([[0.0], [0.0], [0.0], [1.0], [2.0]]))
    below = scores.below(np.array([[0.0], [1.0], [9.0]]))
    assert below[:, 0] == pytest.approx([2 / 6, 4 / 6, 5.5 / 6])
    assert scores.of(np.array([0.5])) == pytest.approx(stats.norm.ppf([3.5 / 6]))


def test_a_count_that_follows_from_the_others_is_redundant(rng):
    counts = rng.multinomial(23, [0.4, 0.3, 0.3], 500).astype(float)
    assert redundant(counts) == [2]
    assert redundant(counts[:, :2]) == []


def test_only_what_has_a_chance_is_possible(rng):
    theta = rng.standard_normal((5000, 1))
    scores = theta + 0.1 * rng.standard_normal((5000, 1))
    kept = Expected.fitted(theta, scores).possible(np.array([[0.0], [0.3], [2.0]]), np.array([0.1]))
    assert kept.tolist() == [True, True, False]


def test_the_two_that_are_at_odds(rng):
    one = rng.standard_normal(4000)
    scores = np.stack([one, rng.standard_normal(4000), one + 0.1 * rng.standard_normal(4000)], axis=1)
    assert at_odds(scores, np.array([1.0, 1.5, -1.0])) == (0, 2)


def test_draws_are_resampled_as_their_weights_say(rng):
    places = resampled(np.array([0.5, 0.0, 0.25, 0.25]), 1000, rng)
    assert np.bincount(places, minlength=4).tolist() == [500, 0, 250, 250]
