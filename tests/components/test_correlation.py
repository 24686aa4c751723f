"""Correlation matrices by their partial correlations, against NumPy's linear algebra and the closed form of LKJ."""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.components.correlation import cholesky, correlations, draw, marginal, shapes

SIZES = pytest.mark.parametrize("effects", [2, 3, 4, 6])


def matrices(found, effects):
    """(n, effect, effect) correlation matrices."""
    shape = np.shape(next(iter(found.values())))
    built = np.broadcast_to(np.eye(effects), (*shape, effects, effects)).copy()
    for (i, j), r in found.items():
        built[..., i, j] = built[..., j, i] = r
    return built


@SIZES
def test_rows_of_the_factor_have_unit_length_and_make_a_correlation_matrix(rng, effects):
    pairs = effects * (effects - 1) // 2
    rows = cholesky(list(rng.uniform(-1, 1, (pairs, 500))), effects, np)
    for row in rows:
        np.testing.assert_allclose(sum(np.square(v) for v in row), 1, rtol=1e-12)
    found = matrices(correlations(rows), effects)
    assert np.linalg.eigvalsh(found).min() > 0
    factor = np.linalg.cholesky(found)
    for i, row in enumerate(rows):
        for j, v in enumerate(row):
            np.testing.assert_allclose(factor[:, i, j], v, atol=1e-7)


def test_three_effects_by_hand():
    """r23 = p23 * sqrt((1 - r12^2) * (1 - r13^2)) + r12 * r13, the definition of a partial correlation."""
    r12, r13, p23 = 0.5, -0.4, 0.3
    found = correlations(cholesky([r12, r13, p23], 3, np))
    r23 = p23 * np.sqrt((1 - r12**2) * (1 - r13**2)) + r12 * r13
    assert (found[0, 1], found[0, 2], found[1, 2]) == pytest.approx((r12, r13, r23), rel=1e-12)


@SIZES
def test_the_determinant_is_the_product_of_what_the_partials_leave(rng, effects):
    partials = rng.uniform(-0.9, 0.9, effects * (effects - 1) // 2)
    found = matrices(correlations(cholesky(list(partials), effects, np)), effects)
    assert np.linalg.det(found) == pytest.approx(np.prod(1 - partials**2), rel=1e-9)


def test_partials_at_the_ends_give_no_nan():
    rows = cholesky([1.0, 0.5, -1.0], 3, np)
    assert np.isfinite([float(v) for row in rows for v in row]).all()


@pytest.mark.parametrize(
    ("eta", "effects", "expected"), [(2, 2, [2]), (2, 3, [2.5, 2.5, 2]), (1, 4, [2, 2, 1.5, 2, 1.5, 1])]
)
def test_the_shapes_are_those_of_lewandowski(eta, effects, expected):
    """Below the first effect Beta(eta + (k - 2) / 2), and half less for each further column."""
    np.testing.assert_array_equal(shapes(eta, effects), expected)


@pytest.mark.parametrize("eta", [1.0, 2.0, 5.0])
@SIZES
def test_each_correlation_alone_is_a_beta(rng, eta, effects):
    found = draw(rng, (4000,), eta, effects)
    a = eta + (effects - 2) / 2
    assert marginal(eta, effects) == a
    assert list(found) == [(j, i) for i in range(effects) for j in range(i)]
    for r in found.values():
        assert stats.kstest(r, stats.beta(a, a, loc=-1, scale=2).cdf).pvalue > 1e-4


def test_the_moments_of_three_effects_at_eta_two(rng):
    """Beta(2.5, 2.5) on (-1, 1): variance 1 / 6, fourth moment 1 / 16."""
    n = 200_000
    for r in draw(rng, (n,), 2.0, 3).values():
        assert r.mean() == pytest.approx(0, abs=4 * np.sqrt(1 / 6 / n))
        assert np.mean(r**2) == pytest.approx(1 / 6, abs=4 * np.sqrt((1 / 16 - 1 / 36) / n))
        assert np.mean(r**4) == pytest.approx(1 / 16, abs=0.002)


@pytest.mark.parametrize(("eta", "effects"), [(1.0, 3), (2.0, 3), (2.0, 4)])
def test_the_joint_density_is_the_determinant_to_a_power(rng, eta, effects):
    """Against the cube of correlations, of which the possible matrices are kept and weighted by det^(eta - 1)."""
    pairs = [(i, j) for j in range(effects) for i in range(j)]
    uniform = rng.uniform(-1, 1, (300_000, len(pairs)))
    candidates = matrices(dict(zip(pairs, uniform.T, strict=True)), effects)
    candidates = candidates[np.linalg.eigvalsh(candidates).min(axis=-1) > 0]
    weight = np.linalg.det(candidates) ** (eta - 1)
    weight /= weight.sum()
    found = matrices(draw(rng, (50_000,), eta, effects), effects)

    def products(m):
        return np.stack([m[:, 0, 1] ** 2, m[:, 0, 1] * m[:, 0, 2] * m[:, 1, 2], m[:, 0, 1] ** 2 * m[:, 1, 2] ** 2])

    expected, spread = products(candidates) @ weight, products(found).std(axis=-1)
    error = spread * np.sqrt(1 / 50_000 + np.square(weight).sum())
    assert np.all(np.abs(products(found).mean(axis=-1) - expected) < 4.5 * error)


def test_draws_have_the_shape_that_was_asked(rng):
    assert {np.shape(r) for r in draw(rng, (2, 3), 2.0, 4).values()} == {(2, 3)}
    assert {np.shape(r) for r in draw(rng, (), 2.0, 4).values()} == {()}
