"""Truncated, mixed and known priors where the posterior is known: the mean of normal measurements whose SD is given."""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.study import parse_study

SIGMA, VALUES = 4.0, np.array([46.0, 51.5, 43.0, 49.0, 44.5])
STUDY = """
[study]
title = "A mean"
patient = "patient"
time = {{ column = "month", unit = "month", typical = 12 }}

[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = {{ kind = "gaussian" }}
trajectory = {{ kind = "constant" }}
effects = []
priors = {{ intercept = "{prior}", sigma = "constant(4)" }}
"""


def updated(mean, sd):
    """The posterior of a normal mean with a normal prior, and how likely the measurements' mean was before."""
    error = SIGMA / np.sqrt(len(VALUES))
    precision = sd**-2 + error**-2
    posterior = stats.norm((mean / sd**2 + VALUES.mean() / error**2) / precision, precision**-0.5)
    return posterior, stats.norm(mean, np.hypot(sd, error)).pdf(VALUES.mean())


def mixed():
    parts = [(0.8, *updated(55, 1)), (0.2, *updated(50, 10))]
    total = sum(w * evidence for w, _, evidence in parts)
    return lambda x: sum(w * evidence / total * posterior.cdf(x) for w, posterior, evidence in parts)


def truncated():
    whole = updated(50, 10)[0]
    return lambda x: (whole.cdf(x) - whole.cdf(48)) / (whole.cdf(52) - whole.cdf(48))


@pytest.mark.sampling
@pytest.mark.parametrize(
    ("prior", "exact"),
    [
        ("0.8 normal(55, 1) + 0.2 normal(50, 10)", mixed()),
        ("normal(50, 10) T[48, 52]", truncated()),
        ("normal(50, 10)", updated(50, 10)[0].cdf),
    ],
)
def test_the_posterior_is_the_exact_one(prior, exact):
    rows = "".join(f"P{i % 2},{i},{v}\n" for i, v in enumerate(VALUES))
    study = parse_study(STUDY.format(prior=prior))
    cohort = cohort_of(study, parse_table(f"patient,month,y\n{rows}".encode(), "t.csv", study.data))
    posterior = fit(study, cohort, seed=3, sampling=Sampling(draws=2500, chains=4, cores=1)).group("posterior")
    draws = np.sort(posterior["y.intercept"].values.reshape(-1))
    assert np.all(posterior["y.sigma"].values == SIGMA)
    for p in (0.05, 0.25, 0.5, 0.75, 0.95):  # about 4,000 effective draws: the error of a share is at most 0.008
        assert float(exact(np.quantile(draws, p))) == pytest.approx(p, abs=0.03)
