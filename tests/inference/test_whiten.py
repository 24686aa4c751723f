"""Residuals made uncorrelated in one loop over patients: against SciPy, and gradients against differences of it."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import linalg

from bayesmyo.inference.whiten import whiten

PATIENTS, VISITS, COLUMNS = 3, 4, 2


def by_scipy(covariance, right):
    factors = [linalg.cholesky(v, lower=True) for v in covariance]
    solved = [linalg.solve_triangular(c, x, lower=True) for c, x in zip(factors, right, strict=True)]
    return np.array(solved), sum(np.log(np.diag(c)).sum() for c in factors)


@pytest.fixture
def point(rng):
    root = rng.normal(size=(PATIENTS, VISITS, VISITS))
    return root @ root.swapaxes(1, 2) + np.eye(VISITS), rng.normal(size=(PATIENTS, VISITS, COLUMNS))


@pytest.fixture(scope="module", params=["NUMBA", "FAST_COMPILE"])
def compiled(request):
    """Solutions and log determinant, and the gradient of a weighted sum of them."""
    covariance, right, apart = pt.dtensor3("v"), pt.dtensor3("x"), pt.dtensor3("w")
    solved, log_det = whiten(covariance, right)
    gradients = pytensor.grad(pt.sum(apart * solved) + 0.7 * log_det, [covariance, right])
    inputs = [covariance, right, apart]
    return pytensor.function(inputs, [solved, log_det, *gradients], mode=request.param)


def test_solutions_and_log_determinant(rng, compiled, point):
    solved, log_det, *_ = compiled(*point, rng.normal(size=point[1].shape))
    truth = by_scipy(*point)
    assert solved == pytest.approx(truth[0], rel=1e-12)
    assert log_det == pytest.approx(truth[1], rel=1e-12)


def test_gradient(rng, compiled, point):
    covariance, right = point
    apart = rng.normal(size=right.shape)
    *_, of_covariance, of_right = compiled(covariance, right, apart)

    def value(v, x):
        solved, log_det = by_scipy(v, x)
        return np.sum(apart * solved) + 0.7 * log_det

    for _ in range(20):
        root, move = rng.normal(size=covariance.shape), rng.normal(size=right.shape)
        turn = root + root.swapaxes(1, 2)  # a covariance moves to a covariance
        step = 1e-5
        up, down = (value(covariance + s * turn, right + s * move) for s in (step, -step))
        along = np.sum(of_covariance * turn) + np.sum(of_right * move)
        assert along == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-7)


def test_what_is_no_covariance_has_no_density(compiled, point):
    covariance, right = point
    covariance[1, 2, 2] = -1.0
    solved, log_det, *_ = compiled(covariance, right, np.ones(right.shape))
    assert np.isnan(log_det)
    assert np.isnan(solved[1, 2:]).all()
    assert np.isfinite(solved[[0, 2]]).all()
