"""Integrating patients' effects out, against the multivariate normal distribution."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

from bayesmyo.model import integrate

PATIENT = np.array([0, 0, 0, 1, 3, 3, 0, 3])  # patient 2 has no measurement
PATIENTS = 4
SIGMA = 0.7


def case(rng, effects):
    """Residuals, loadings, SDs and correlation of a small unbalanced cohort."""
    residual = rng.normal(size=len(PATIENT))
    z = [np.ones(len(PATIENT)), rng.uniform(0, 3, len(PATIENT))][:effects]
    sds, r = [0.8, 0.4][:effects], 0.3 if effects == 2 else None
    return residual, z, sds, r


def covariance(sds, r):
    d = np.diag(sds)
    correlation = np.eye(len(sds)) if r is None else np.array([[1, r], [r, 1]])
    return d @ correlation @ d


@pytest.mark.parametrize("effects", [1, 2])
def test_likelihood_is_that_of_the_multivariate_normal(rng, effects):
    residual, z, sds, r = case(rng, effects)
    w = integrate.scaled_loadings(z, sds, r, np)
    ours = integrate.log_likelihood(
        pt, pt.as_tensor(residual), [pt.as_tensor(x) for x in w], pt.as_tensor(SIGMA), PATIENT, PATIENTS
    )
    truth = 0.0
    for i in set(PATIENT.tolist()):
        mine = i == PATIENT
        big_z = np.stack([x[mine] for x in z], axis=1)
        v = big_z @ covariance(sds, r) @ big_z.T + SIGMA**2 * np.eye(mine.sum())
        truth += stats.multivariate_normal(np.zeros(mine.sum()), v).logpdf(residual[mine])
    assert pytensor.function([], ours, mode="FAST_COMPILE")() == pytest.approx(truth, rel=1e-10)


@pytest.mark.parametrize("effects", [1, 2])
@pytest.mark.parametrize("independent", [False, True])
def test_drawn_effects_have_their_exact_conditional_mean_and_covariance(rng, effects, independent):
    residual, z, sds, r = case(rng, effects)
    r = None if independent else r
    n = 40_000
    many = [np.broadcast_to(x, (n, len(PATIENT))) for x in (residual, *z)]
    drawn = integrate.draw_effects(
        many[0], many[1:], [np.full(n, s) for s in sds], None if r is None else np.full(n, r), np.full(n, SIGMA),
        PATIENT, PATIENTS, rng,
    )  # fmt: skip
    b = np.stack(drawn, axis=-1)
    prior = covariance(sds, r)
    for i in range(PATIENTS):
        big_z = np.stack([x[i == PATIENT] for x in z], axis=1)
        posterior = np.linalg.inv(np.linalg.inv(prior) + big_z.T @ big_z / SIGMA**2)
        mean = posterior @ big_z.T @ residual[i == PATIENT] / SIGMA**2
        assert b[:, i].mean(axis=0) == pytest.approx(mean, abs=5 * np.sqrt(posterior.max() / n))
        assert np.atleast_2d(np.cov(b[:, i].T)) == pytest.approx(posterior, abs=0.03 * prior.max())
