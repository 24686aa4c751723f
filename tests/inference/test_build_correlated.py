"""Effects correlated across outcomes, integrated and sampled: the log density against multivariate normals by hand."""

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
    ordered_beta,
    partials,
    random_correlation,
    rows,
    total,
)

ACROSS = HEAD + 'correlate = "across outcomes"\ncorrelation_prior = "lkj(3)"\n'
A = """
[outcomes.a]
column = "a"
unit = "u"
better = "higher"
typical = 5
scale = 2
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
"""
B = """
[outcomes.b]
column = "b"
unit = "u"
better = "lower"
"""
LOGNORMAL = B + (
    'typical = 100\nscale = 2\nfamily = { kind = "lognormal" }\ntrajectory = { kind = "linear", origin = 1 }\n'
)
POISSON = B + 'typical = 4\nscale = 2\nfamily = { kind = "poisson" }\ntrajectory = { kind = "constant" }\n'
ORDERED = B + (
    'typical = 3\nscale = 1\nfamily = { kind = "ordered_beta", lower = 0, upper = 5 }\ntrajectory = { kind = "linear" '
    "}\n"
)
Y = np.array([4.1, 5.2, 6.6, 3.0, 5.5, 7.1, 6.0, 4.4, 5.0])
LINE_A = {
    "a.intercept": stats.norm(5, 2),
    "a.slope": stats.norm(0, 4 / 12),
    "a.sd_intercept": half(2),
    "a.sd_slope": half(2 / 12),
    "a.sigma": half(1),
}


def design(t):
    return np.stack([np.ones_like(t), t], axis=1)


def covariance(r, sds):
    return r * np.outer(sds, sds)


# --- both integrated


def test_two_normal_outcomes_are_one_multivariate_normal_for_each_patient(rng):
    b = [90, 80, "", 120, 100, 60, "", 70, 50]  # other visits than a's
    seen = np.array([x != "" for x in b])
    log_b = np.log([x for x in b if x != ""])
    s = np.log(2)
    priors = LINE_A | {
        "b.intercept": stats.norm(np.log(100), s),
        "b.slope": stats.norm(0, 2 * s / 12),
        "b.sd_intercept": half(s),
        "b.sd_slope": half(s / 12),
        "b.sigma": half(s / 2),
    }
    density = Density(ACROSS + A + LOGNORMAL, rows(a=Y, b=b))
    assert set(density.built.how.values()) == {"integrated"}
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
            noise = np.repeat([p["a.sigma"] ** 2, p["b.sigma"] ** 2], [len(za), len(zb)])
            mean = z @ [p["a.intercept"], p["a.slope"], p["b.intercept"], p["b.slope"]]
            mine = np.concatenate([Y[i == WHO], log_b[i == WHO[seen]]])
            truth += normal(mean, z @ covariance(r, sds) @ z.T + np.diag(noise), mine)
        assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)


def test_two_effects_of_two_outcomes_have_one_correlation_between_them(rng):
    one = 'effects = ["intercept"]\n'
    density = Density(ACROSS + A + one + LOGNORMAL + one, rows(a=Y, b=[50] * 9))
    name = "correlations.a_intercept_b_intercept_half"
    s = np.log(2)
    priors = {k: d for k, d in LINE_A.items() if k != "a.sd_slope"} | {
        "b.intercept": stats.norm(np.log(100), s),
        "b.slope": stats.norm(0, 2 * s / 12),
        "b.sd_intercept": half(s),
        "b.sigma": half(s / 2),
        name: stats.beta(3, 3),
    }
    p = draw(rng, priors)
    truth, r = total(priors, p), 2 * float(p[name]) - 1
    v = covariance(np.array([[1, r], [r, 1]]), [p["a.sd_intercept"], p["b.sd_intercept"]])
    for i in range(3):
        t = T[i == WHO]
        z = np.kron(np.eye(2), np.ones((3, 1)))
        mean = np.concatenate(
            [p[f"{o}.intercept"] + p[f"{o}.slope"] * (t - origin) for o, origin in (("a", 0), ("b", 1))]
        )
        noise = np.repeat([p["a.sigma"] ** 2, p["b.sigma"] ** 2], 3)
        truth += normal(mean, z @ v @ z.T + np.diag(noise), np.concatenate([Y[i == WHO], [np.log(50)] * 3]))
    assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)


# --- one integrated, one sampled

COUNTS = np.array([3, 0, 5, 1, 2, 2, 8, 4, 0])
SCORES = np.array([3, 0, 5, 1.5, 2, 2.5, 5, 4, 0.5])
SPREAD = 1 / 5 / (0.6 * 0.4)  # of the ordered beta, on the logit


def poisson_part(p, own):
    return stats.poisson(np.exp(own[WHO, 0])).logpmf(COUNTS).sum()


def ordered_part(p, own):
    aux = (float(p[f"b.{k}"]) for k in ("cut_floor", "cut_ceiling", "precision"))
    return ordered_beta(SCORES / 5, own[WHO, 0] + own[WHO, 1] * T, *aux).sum()


PRECISION = 0.24 / (SPREAD / 2 * 0.24) ** 2 - 1  # the beta has half the declared spread
SAMPLED = {
    "poisson": (POISSON, COUNTS, poisson_part, ["intercept"], {
        "b.intercept": stats.norm(np.log(4), np.log(2)), "b.sd_intercept": half(np.log(2)),
    }),
    "ordered_beta": (ORDERED, SCORES, ordered_part, ["intercept", "slope"], {
        "b.intercept": stats.norm(special.logit(0.6), SPREAD), "b.slope": stats.norm(0, 2 * SPREAD / 12),
        "b.sd_intercept": half(SPREAD), "b.sd_slope": half(SPREAD / 12),
        "b.cut_floor": stats.lognorm(0.5, scale=3), "b.cut_ceiling": stats.lognorm(0.5, scale=3),
        "b.precision": stats.lognorm(1, scale=PRECISION),
    }),
}  # fmt: skip


@pytest.mark.parametrize("family", SAMPLED)
@pytest.mark.parametrize("how", ["centred", "non-centred"])
def test_what_is_integrated_is_normal_given_the_effects_that_are_sampled(rng, family, how):
    text, measured, likelihood, keys, own_priors = SAMPLED[family]
    density = Density(ACROSS + A + text + f'parameterisation = "{how}"\n', rows(a=Y, b=measured))
    assert density.built.how == {"a": "integrated", "b": how}
    priors, n = LINE_A | own_priors, len(keys)
    for _ in range(2):
        p = draw(rng, priors)
        r = random_correlation(rng, n + 2)  # the sampled effects first
        truth = total(priors, p)
        p["correlations_half"] = (partials(r) + 1) / 2
        truth += lkj_betas(3, n + 2).logpdf(p["correlations_half"]).sum()
        sds = [*(p[f"b.sd_{k}"] for k in keys), p["a.sd_intercept"], p["a.sd_slope"]]
        v, mean = covariance(r, sds), np.array([p[f"b.{k}"] for k in keys])
        z = rng.normal(size=(3, n))
        own = mean + z @ np.linalg.cholesky(v[:n, :n]).T
        p |= {f"b.raw_{k}": own[:, j] if how == "centred" else z[:, j] for j, k in enumerate(keys)}
        truth += STANDARD.logpdf(z).sum() if how == "non-centred" else sum(normal(mean, v[:n, :n], x) for x in own)
        truth += likelihood(p, own)
        gain = v[n:, :n] @ np.linalg.inv(v[:n, :n])
        left = v[n:, n:] - gain @ v[:n, n:]
        for i in range(3):
            d = design(T[i == WHO])
            given = np.array([p["a.intercept"], p["a.slope"]]) + gain @ (own[i] - mean)
            truth += normal(d @ given, d @ left @ d.T + p["a.sigma"] ** 2 * np.eye(3), Y[i == WHO])
        assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)
