"""Integrating patients' effects out, against the multivariate normal distribution."""

from dataclasses import dataclass

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

from bayesmyo.model import normal
from bayesmyo.study.predictors import LOCATION, Effect

A1, A2, B1, B2, C1 = (
    Effect(o, LOCATION, k, k) for o, k in [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "x")]
)
PATIENTS = 4
WHO = {"a": np.array([0, 0, 0, 1, 3, 3, 0, 3]), "b": np.array([3, 1, 0, 0, 1]), "c": np.array([1])}  # nobody saw 2
SIGMA = {"a": 0.7, "b": 1.9, "c": 0.4}
CORRELATION = np.array([[1, 0.3, -0.4, 0.2], [0.3, 1, 0.1, 0.5], [-0.4, 0.1, 1, -0.2], [0.2, 0.5, -0.2, 1]])
SD = {A1: 0.8, A2: 0.4, B1: 1.3, B2: 0.2, C1: 0.6}
GROUPS = {1: [A1], 2: [A1, A2], 3: [A1, A2, B1], 4: [A1, A2, B1, B2], "apart": [A1, B1]}


@dataclass(frozen=True)
class Case:
    """A small unbalanced cohort: what patients' own coefficients do to each cell, and their covariance."""

    group: list
    covariance: np.ndarray
    residual: dict
    loadings: dict

    @property
    def outcomes(self):
        return list(dict.fromkeys(e.outcome for e in self.group))

    def pieces(self, wrap=lambda x: x):
        factor = np.linalg.cholesky(self.covariance / np.outer(*[[SD[e] for e in self.group]] * 2))
        rows = {e: {c: factor[i, j] for j, c in enumerate(self.group[: i + 1])} for i, e in enumerate(self.group)}
        found = []
        for o in self.outcomes:
            own = [e for e in self.group if e.outcome == o]
            w = normal.weights(
                self.group, o, {e.key: wrap(self.loadings[e]) for e in own}, {e.key: SD[e] for e in own}, rows
            )
            log_scale = len(WHO[o]) * np.log(SIGMA[o])
            found.append(
                normal.Piece(wrap(self.residual[o]), w, wrap(np.asarray(SIGMA[o] ** -2)), WHO[o], False, log_scale)
            )
        return found

    def patient(self, i):
        """Of one patient's cells over all outcomes: (cell, effect) design, residuals and residual variances."""
        z, y, noise = [], [], []
        for o in self.outcomes:
            mine = np.flatnonzero(i == WHO[o])
            z += [[self.loadings[e][cell] if e.outcome == o else 0.0 for e in self.group] for cell in mine]
            y += list(self.residual[o][mine])
            noise += [SIGMA[o] ** 2] * len(mine)
        return np.reshape(z, (-1, len(self.group))), np.array(y), np.array(noise)


def case(rng, group, correlated=True):
    sd = np.diag([SD[e] for e in group])
    correlation = CORRELATION[: len(group), : len(group)] if correlated else np.eye(len(group))
    outcomes = {e.outcome for e in group}
    residual = {o: rng.normal(size=len(WHO[o])) for o in sorted(outcomes)}
    loadings = {e: rng.uniform(-1, 3, len(WHO[e.outcome])) for e in group}
    return Case(group, sd @ correlation @ sd, residual, loadings)


# --- the likelihood


@pytest.mark.parametrize("columns", GROUPS)
@pytest.mark.parametrize("correlated", [True, False])
def test_likelihood_is_that_of_the_multivariate_normal(rng, columns, correlated):
    c = case(rng, GROUPS[columns], correlated)
    ours = normal.log_likelihood(
        c.pieces(pt.as_tensor), normal.factored(c.pieces(pt.as_tensor), len(c.group), normal.sums(PATIENTS, pt), pt), pt
    )
    truth = 0.0
    for i in range(PATIENTS):
        z, y, noise = c.patient(i)
        if len(y):
            truth += stats.multivariate_normal(np.zeros(len(y)), z @ c.covariance @ z.T + np.diag(noise)).logpdf(y)
    assert pytensor.function([], ours, mode="FAST_COMPILE")() == pytest.approx(truth, rel=1e-10)


def test_a_column_that_does_not_touch_an_outcome_has_no_weight():
    rows = {A1: {A1: 1.0}, B1: {A1: 0.6, B1: 0.8}, C1: {C1: 1.0}}
    group = [A1, B1, C1]
    z, sd = {"x": np.array([1.0, 2.0])}, {"x": 3.0}
    assert [w is None for w in normal.weights(group, "a", z, sd, rows)] == [False, True, True]
    first, second, third = normal.weights(group, "b", z, sd, rows)
    assert third is None
    np.testing.assert_allclose(first, [1.8, 3.6])
    np.testing.assert_allclose(second, [2.4, 4.8])


def test_two_effects_of_an_outcome_add_up_in_a_shared_column():
    rows = {A1: {A1: 1.0}, A2: {A1: 0.6, A2: 0.8}}
    first, second = normal.weights([A1, A2], "a", {"x": 1.0, "y": np.array([0, 5.0])}, {"x": 2.0, "y": 10.0}, rows)
    np.testing.assert_allclose(first, [2, 2 + 30])
    np.testing.assert_allclose(second, [0, 40])


# --- groups


@pytest.mark.parametrize(
    ("integrated", "joined", "expected"),
    [
        ([], [], []),
        ([], [[A1, B1]], []),
        ([A1], [[A1]], [[A1]]),
        ([A1, A2], [[A1], [A2]], [[A1, A2]]),  # of one outcome, though independent
        ([A1, A2, B1, B2], [[A1, A2], [B1, B2]], [[A1, A2], [B1, B2]]),
        ([A1, A2, B1, B2], [[A1, A2, B1, B2]], [[A1, A2, B1, B2]]),
        ([A1, A2, B1], [[A1], [A2, B1]], [[A1, A2, B1]]),  # through the outcome of one of them
        ([A1, B1, B2, C1], [[A1, B1], [B2, C1]], [[A1, B1, B2, C1]]),  # a chain over three outcomes
        ([A1, C1], [[A1, B1], [B2, C1]], [[A1], [C1]]),  # b is sampled: it links nothing
        ([A1, B1, C1], [[B1], [C1], [A1]], [[A1], [B1], [C1]]),
    ],
)  # fmt: skip
def test_what_is_correlated_or_of_one_outcome_is_integrated_together(integrated, joined, expected):
    found = normal.together(integrated, joined)
    assert {frozenset(g) for g in found} == {frozenset(g) for g in expected}
    assert sorted(map(len, found)) == sorted(map(len, expected))


# --- drawing the effects back


@pytest.mark.parametrize("columns", GROUPS)
@pytest.mark.parametrize("correlated", [True, False])
def test_drawn_effects_have_their_exact_conditional_mean_and_covariance(rng, columns, correlated):
    c, n = case(rng, GROUPS[columns], correlated), 40_000
    many = [
        normal.Piece(np.broadcast_to(p.residual, (n, *p.residual.shape)), p.weights, p.precision, p.patient)
        for p in c.pieces()
    ]
    z = np.stack(normal.draw_standard(many, len(c.group), PATIENTS, rng), axis=-1)
    b = z @ np.linalg.cholesky(c.covariance).T
    for i in range(PATIENTS):
        design, y, noise = c.patient(i)
        gain = c.covariance @ design.T @ np.linalg.inv(design @ c.covariance @ design.T + np.diag(noise))
        mean, v = gain @ y, c.covariance - gain @ design @ c.covariance
        sd = np.sqrt(np.diag(v))
        np.testing.assert_array_less(np.abs(b[:, i].mean(axis=0) - mean), 5 * sd / np.sqrt(n))
        error = (np.atleast_2d(np.cov(b[:, i].T)) - v) / np.outer(sd, sd)
        assert np.abs(error).max() < 5 * np.sqrt(2 / n)


def test_each_draw_has_its_own_parameters(rng):
    """Two draws whose sigma differ a thousandfold: the one follows the measurements, the other the population."""
    n = 20_000
    residual, sigma = np.full((2, n, 3), 2.0), np.repeat([[1e-3], [1e3]], n, axis=1)
    piece = normal.Piece(residual, [np.ones((2, n, 3))], sigma[..., None] ** -2, np.zeros(3, dtype=int))
    (z,) = normal.draw_standard([piece], 1, 1, rng)
    assert z.shape == (2, n, 1)
    assert z[0] == pytest.approx(2, abs=0.01)
    assert (z[1].mean(), z[1].std()) == pytest.approx((0, 1), abs=0.03)


def test_an_outcome_without_cells_draws_the_population(rng):
    empty = normal.Piece(np.zeros((5, 40_000, 0)), [np.zeros(0)], np.ones(1), np.array([], dtype=int))
    (z,) = normal.draw_standard([empty], 1, 2, rng)
    assert z.shape == (5, 40_000, 2)
    assert stats.kstest(z[:, :, 1].ravel(), "norm").pvalue > 0.001
