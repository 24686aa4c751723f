"""Residuals that drift, of families that are not normal: the density of a sampled path against dense matrices."""

import numpy as np
import pytest
from scipy import special, stats

from tests.inference.density import HEAD, STANDARD, WHO, Density, T, draw, half, rows, total

OUTCOME = """
[outcomes.b]
column = "b"
unit = "u"
better = "lower"
trajectory = { kind = "linear" }
effects = ["intercept"]
parameterisation = "non-centred"
residual = { kind = "ou" }
"""
COUNTS = np.array([3, 0, 5, 8, 2, 1, 4, 12, 6])
AMOUNTS = np.array([80.0, 45.0, 160.0, 310.0, 95.0, 60.0, 120.0, 20.0, 75.0])
DOSES = np.where(COUNTS > 0, AMOUNTS, 0.0)
S = np.log(2)
GRADES = (COUNTS > 3).astype(int)


def rate(p, eta):
    return stats.poisson(np.exp(eta)).logpmf(COUNTS)


def amount(p, eta):
    shape = p["b.cv"] ** -2
    return stats.gamma(shape, scale=np.exp(eta) / shape).logpdf(AMOUNTS)


def dose(p, eta):
    positive = DOSES > 0
    none = special.log_expit(np.where(positive, -1, 1) * p["b.zero_intercept"])
    return none + np.where(positive, stats.norm(eta, p["b.sigma"]).logpdf(np.log(np.where(positive, DOSES, 1.0))), 0.0)


def grade(p, eta):
    return stats.bernoulli(special.expit(eta)).logpmf(GRADES)


# declared; cells; log density of each under the location; what each is worth: value and precision; priors of its own
CASES = {
    "poisson": ('typical = 4\nscale = 2\nfamily = { kind = "poisson" }', COUNTS, rate,
                lambda p: (np.log(COUNTS + 0.5) - 0.5 / (COUNTS + 0.5), COUNTS + 0.5), {}),
    "gamma": ('typical = 100\nscale = 2\nfamily = { kind = "gamma" }', AMOUNTS, amount,
              lambda p: (np.log(AMOUNTS), np.full(9, p["b.cv"] ** -2)), {"b.cv": half(S / 2)}),
    "hurdle_lognormal": (
        'typical = 100\nscale = 2\nfamily = { kind = "hurdle_lognormal" }\nzero = { typical = 0.3, scale = 0.1, effects = [] }',
        DOSES, dose, lambda p: (np.log(np.maximum(DOSES, 1.0)), (DOSES > 0) * p["b.sigma"] ** -2),
        {"b.sigma": half(S / 2), "b.zero_intercept": stats.norm(special.logit(0.3), 0.1 / 0.21)}),
    "bernoulli": ('typical = 0.4\nscale = 0.12\nfamily = { kind = "bernoulli" }', GRADES, grade,
                  lambda p: ((2 * GRADES - 1) * (np.log(3) + 4 / 3), np.full(9, 3 / 16)), {}),
}  # fmt: skip
LEVEL = {"poisson": np.log(4), "bernoulli": special.logit(0.4)}
SPREAD = {"bernoulli": 0.5}


@pytest.mark.parametrize("kind", CASES)
def test_the_density_of_a_path_is_that_of_its_process_around_what_measurements_say(rng, kind):
    declared, cells, log_density, worth, more = CASES[kind]
    density = Density(HEAD + OUTCOME.replace("trajectory", declared + "\ntrajectory", 1), rows(b=cells))
    s = SPREAD.get(kind, S)
    priors = more | {
        "b.intercept": stats.norm(LEVEL.get(kind, np.log(100)), s),
        "b.slope": stats.norm(0, 2 * s / 12),
        "b.sd_intercept": half(s),
        "b.raw_intercept": (STANDARD, 3),
        "b.sd_ou": half(s / 2),
        "b.tau_ou": stats.lognorm(1.0, scale=12 / 8),
    }
    for _ in range(3):
        p = draw(rng, priors)
        truth = total(priors, p)
        p["b.raw_path"] = t = rng.normal(size=9)
        eta = p["b.intercept"] + p["b.slope"] * T + (p["b.sd_intercept"] * p["b.raw_intercept"])[WHO]
        value, precision = worth(p)
        for i in range(3):
            own = i == WHO
            apart = np.abs(T[own][:, None] - T[own])
            root = np.linalg.cholesky(p["b.sd_ou"] ** 2 * np.exp(-apart / p["b.tau_ou"]))
            left = np.linalg.cholesky(np.eye(3) + root.T @ np.diag(precision[own]) @ root)
            mean = np.linalg.solve(left @ left.T, root.T @ (precision * (value - eta))[own])
            z = mean + np.linalg.solve(left.T, t[own])
            truth += stats.norm.logpdf(z).sum() - np.linalg.slogdet(left)[1]
            eta[own] += root @ z
        assert density(p) == pytest.approx(truth + log_density(p, eta).sum(), rel=1e-9, abs=1e-7)
