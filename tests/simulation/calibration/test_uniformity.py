"""Whether ranks are uniform: the test has its level, the envelope its coverage, and both see what is wrong."""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.simulation.calibration.envelope import coverage, envelope
from bayesmyo.simulation.calibration.uniformity import holm, p_value, shape


@pytest.mark.parametrize("n", [40, 200])
def test_the_test_has_about_its_level(rng, n):
    found = np.array([p_value(u) for u in rng.random((2500, n))])
    for level, most in ((0.05, 0.075), (0.01, 0.018)):
        assert level / 2 < (found < level).mean() < most


def broken(rng, shift, spread, n=200):
    """Ranks of truths among draws that lie too low by a shift, in SDs, and are too narrow by a factor."""
    return stats.norm.cdf((rng.standard_normal(n) + shift) * spread)


@pytest.mark.parametrize(
    ("shift", "spread", "words"),
    [(0.5, 1.0, "draws lie too low"), (-0.5, 1.0, "draws lie too high"), (0.0, 1.6, "draws are too narrow"),
     (0.0, 0.6, "draws are too wide")],
)  # fmt: skip
def test_what_is_wrong_is_found_and_named(rng, shift, spread, words):
    found = [broken(rng, shift, spread) for _ in range(40)]
    assert np.mean([p_value(r) < 0.001 for r in found]) > 0.9
    assert np.mean([shape(r) == words for r in found]) > 0.9


def test_ranks_that_are_all_at_one_end():
    assert p_value(np.full(50, 0.999)) < 1e-6
    assert shape(np.full(50, 0.999)) == "draws lie too low"
    assert p_value(np.array([1e-300, 0.5, 1.0])) >= 0  # no rank is beyond the test


def test_holm_is_that_of_statsmodels():
    """holm-sidak is another; values of statsmodels.stats.multitest.multipletests(method="holm")."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


@pytest.mark.parametrize(("n", "probability"), [(25, 0.95), (200, 0.95), (200, 0.999)])
def test_the_envelope_holds_a_whole_line_as_often_as_it_says(rng, n, probability):
    z, lower, upper = envelope(n, probability)
    u = np.sort(rng.random((8000, n)), axis=1)
    counts = np.stack([(u <= place).sum(axis=1) for place in z], axis=1) / n
    inside = ((counts >= lower - 1e-12) & (counts <= upper + 1e-12)).all(axis=1).mean()
    exact = coverage(n, z, lower * n, upper * n)
    assert probability <= exact < probability + (1 - probability) / 2
    assert abs(inside - exact) < 4 * np.sqrt(exact * (1 - exact) / 8000)
    assert lower[-1] == upper[-1] == 1


def test_a_band_that_lets_everything_through_covers_everything():
    z = np.arange(1, 11) / 10
    assert coverage(10, z, np.zeros(10), np.full(10, 10)) == pytest.approx(1)
    assert coverage(1, np.array([0.5, 1.0]), np.array([1, 0]), np.array([1, 1])) == pytest.approx(0.5)
