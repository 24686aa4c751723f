"""Residuals that hang together, and residual SDs with a predictor of their own: the log density against multivariate
normals by hand.
"""

import numpy as np
import pytest
from scipy import special, stats

from tests.inference.density import (
    HEAD,
    STANDARD,
    WHO,
    Density,
    T,
    draw,
    half,
    lkj_betas,
    normal,
    partials,
    random_correlation,
    rows,
    total,
)
from tests.inference.test_build_correlated import ACROSS, LINE_A, LOGNORMAL, A, Y, covariance, design

OU = 'residual = { kind = "ou" }\n'
S = np.log(2)


def ou(p, t, extra=0.0):
    apart = np.abs(t[:, None] - t[None, :])
    v = p["a.sd_ou"] ** 2 * np.exp(-apart / p["a.tau_ou"])
    return v + np.diag(p["a.sigma"] ** 2 + extra + 0 * t)


def test_a_drifting_outcome_with_a_known_error_beside_one_that_does_not_drift(rng):
    """Effects correlated across outcomes; the second has other visits than the first, which has other errors at
    each.
    """
    b = [90, 80, "", 120, 100, 60, "", 70, 50]
    seen = np.array([x != "" for x in b])
    log_b = np.log([x for x in b if x != ""])
    error = np.linspace(0.0, 2.0, 9)
    priors = LINE_A | {
        "a.sd_ou": half(1),
        "a.tau_ou": stats.lognorm(1.0, scale=12 / 8),
        "b.intercept": stats.norm(np.log(100), S),
        "b.slope": stats.norm(0, 2 * S / 12),
        "b.sd_intercept": half(S),
        "b.sd_slope": half(S / 12),
        "b.sigma": half(S / 2),
    }
    density = Density(ACROSS + A + OU + 'error = "e"\n' + LOGNORMAL, rows(a=Y, e=error, b=b))
    for _ in range(3):
        p = draw(rng, priors)
        r = random_correlation(rng, 4)
        truth = total(priors, p)
        p["correlations_half"] = (partials(r) + 1) / 2
        truth += lkj_betas(3, 4).logpdf(p["correlations_half"]).sum()
        sds = [p[f"{o}.sd_{c}"] for o in "ab" for c in ("intercept", "slope")]
        for i in range(3):
            za, zb = design(T[i == WHO]), design(T[seen & (i == WHO)] - 1)
            z = np.block([[za, np.zeros((len(za), 2))], [np.zeros((len(zb), 2)), zb]])
            noise = np.zeros((len(z), len(z)))
            noise[: len(za), : len(za)] = ou(p, T[i == WHO], error[i == WHO] ** 2)
            noise[len(za) :, len(za) :] = p["b.sigma"] ** 2 * np.eye(len(zb))
            mean = z @ [p["a.intercept"], p["a.slope"], p["b.intercept"], p["b.slope"]]
            mine = np.concatenate([Y[i == WHO], log_b[i == WHO[seen]]])
            truth += normal(mean, z @ covariance(r, sds) @ z.T + noise, mine)
        assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)


def test_planned_visits_without_structure_where_some_were_missed(rng):
    """Visits of the first patient at 0, 1 and 3, of the second at 0 and 5, of the third at 0, 4 and 6."""
    y = [*Y[:4], "", *Y[5:]]
    there = np.array([v != "" for v in y])
    text = A.replace('{ kind = "linear" }', '{ kind = "visits", at = [0, 1.2, 3.5, 5.5], window = 0.5 }')
    visit = np.array([0, 1, 2, 0, 1, 3, 0, 2, 3])
    priors = {
        "a.start": stats.norm(5, 2),
        **{f"a.change_{k}": stats.norm(0, 4) for k in (2, 3, 4)},
        "a.sigma_start": stats.norm(np.log(stats.halfnorm(0, 1).median()), S),
        **{f"a.sigma_change_{k}": stats.norm(0, 2 * S) for k in (2, 3, 4)},
    }
    density = Density(HEAD + text + 'residual = { kind = "unstructured", eta = 2 }\n', rows(a=y))
    for _ in range(3):
        p = draw(rng, priors)
        r = random_correlation(rng, 4)
        truth = total(priors, p)
        p["a.residual_correlation_half"] = (partials(r) + 1) / 2
        truth += lkj_betas(2, 4).logpdf(p["a.residual_correlation_half"]).sum()
        level = p["a.start"] + np.array([0, *(p[f"a.change_{k}"] for k in (2, 3, 4))])
        sd = np.exp(p["a.sigma_start"] + np.array([0, *(p[f"a.sigma_change_{k}"] for k in (2, 3, 4))]))
        for i in range(3):
            own = visit[there & (i == WHO)]
            v = (r * np.outer(sd, sd))[np.ix_(own, own)]
            truth += normal(level[own], v, np.array([float(x) for x in np.array(y, dtype=object)[there & (i == WHO)]]))
        assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)


def test_patients_who_are_noisier_and_whose_noise_is_correlated_with_their_level(rng):
    """The effect on the log of sigma is sampled, those on the location are integrated given it."""
    sigma = '[outcomes.a.sigma]\neffects = ["intercept"]\ncorrelate = true\ntrajectory = { kind = "linear" }\n'
    density = Density(HEAD + 'correlation_prior = "lkj(2)"\n' + A + sigma, rows(a=Y))
    typical = np.log(stats.halfnorm(0, 1).median())
    priors = {k: d for k, d in LINE_A.items() if k != "a.sigma"} | {
        "a.sigma_intercept": stats.norm(typical, S),
        "a.sigma_slope": stats.norm(0, 2 * S / 12),
        "a.sd_sigma_intercept": half(S),
        "a.raw_sigma_intercept": (STANDARD, 3),
    }
    assert density.built.how["a"] == "integrated"
    for _ in range(3):
        p = draw(rng, priors)
        r = random_correlation(rng, 3)  # sigma first, as it is sampled
        truth = total(priors, p)
        p["a.correlations_half"] = (partials(r) + 1) / 2
        truth += lkj_betas(2, 3).logpdf(p["a.correlations_half"]).sum()
        sds = np.array([p["a.sd_intercept"], p["a.sd_slope"]])
        for i in range(3):
            z, t = design(T[i == WHO]), T[i == WHO]
            raw = p["a.raw_sigma_intercept"][i]
            given = sds * r[1:, 0] * raw  # means of the others given the first
            left = covariance(r[1:, 1:] - np.outer(r[1:, 0], r[1:, 0]), sds)
            log_sigma = p["a.sigma_intercept"] + p["a.sd_sigma_intercept"] * raw + p["a.sigma_slope"] * t
            mean = z @ (np.array([p["a.intercept"], p["a.slope"]]) + given)
            truth += normal(mean, z @ left @ z.T + np.diag(np.exp(2 * log_sigma)), Y[i == WHO])
        assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)


def test_positive_doses_whose_scatter_changes(rng):
    b = [0, 80, 30, 0, 100, 60, 20, 0, 50]
    text = LOGNORMAL.replace('"lognormal"', '"hurdle_lognormal"') + (
        'effects = ["intercept"]\nzero = { typical = 0.3, scale = 0.1, effects = [] }\n[outcomes.b.sigma]\ncovariates '
        '= ["arm"]\n'
    )
    arm = ["x"] * 3 + ["y"] * 6
    density = Density(HEAD + '[covariates.arm]\nlevels = ["x", "y"]\n' + text, rows(b=b, arm=arm))
    typical = np.log(stats.halfnorm(0, S / 2).median())
    logit, spread = special.logit(0.3), 0.1 / 0.21
    priors = {
        "b.intercept": stats.norm(np.log(100), S),
        "b.slope": stats.norm(0, 2 * S / 12),
        "b.sd_intercept": half(S),
        "b.zero_intercept": stats.norm(logit, spread),
        "b.sigma_intercept": stats.norm(typical, S),
        "b.sigma_arm_y": stats.norm(0, S),
    }
    for _ in range(3):
        p = draw(rng, priors)
        truth = total(priors, p)
        zero = np.array(b) == 0
        truth += zero.sum() * special.log_expit(p["b.zero_intercept"])
        truth += (~zero).sum() * special.log_expit(-p["b.zero_intercept"])
        for i in range(3):
            own = (i == WHO) & ~zero
            t = T[own] - 1
            sigma = np.exp(p["b.sigma_intercept"] + (i > 0) * p["b.sigma_arm_y"])
            v = p["b.sd_intercept"] ** 2 + sigma**2 * np.eye(own.sum())
            mean = p["b.intercept"] + p["b.slope"] * np.maximum(t, -1)
            truth += normal(mean, v, np.log(np.array(b)[own]))
        assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)
