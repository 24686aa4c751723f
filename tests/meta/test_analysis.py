"""The meta-analysis by quadrature, against published data analysed apart, closed forms, and brute force."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from bayesmyo.components.priors import Prior, halfnormal
from bayesmyo.meta import worth
from bayesmyo.meta.analysis import BinomialSummary, NormalSummary, meta_analysis
from bayesmyo.meta.normals import Normals, close_to, close_to_draws

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "evidence"
SIGMA = 88.0  # of the change of one patient with Crohn's disease, as published


def published(name: str):
    """Data of Schmidli et al. (2014) and their exact analysis, which are not copied into this project."""
    if not REFERENCE.is_dir():
        pytest.skip("the reference data are not here (GPL data, not copied)")
    with (REFERENCE / f"{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    exact = json.loads((REFERENCE / "map_exact.json").read_text())[name]
    if name == "crohn":
        told = [NormalSummary(float(r["y"]), SIGMA / float(r["n"]) ** 0.5) for r in rows]
        return meta_analysis(told, Normals.one(0, SIGMA), halfnormal(SIGMA / 2)), exact, lambda x: x, SIGMA, 0.5
    told = [BinomialSummary(int(float(r["r"])), int(float(r["n"]))) for r in rows]
    return meta_analysis(told, Normals.one(0, 2), halfnormal(1)), exact, special.expit, None, 0.005


@pytest.mark.parametrize("name", ["AS", "transplant", "crohn"])
def test_published_data(name):
    analysis, exact, natural, sigma, near = published(name)
    whole = analysis.predictive
    close = close_to(whole)
    assert close.distance < 0.005
    for known in (whole, close.normals):
        mean, sd = known.moments(natural)
        assert mean == pytest.approx(exact["mean"], abs=near)
        assert sd == pytest.approx(exact["sd"], rel=0.03)
    for p, key in ((0.025, "q025"), (0.5, "q500"), (0.975, "q975")):
        assert natural(whole.quantile(p)) == pytest.approx(exact[key], abs=near)
    assert analysis.mean == pytest.approx((exact["mu_mean"], exact["mu_sd"]), rel=0.01)
    assert analysis.tau_mean == pytest.approx(exact["tau_mean"], rel=0.03)
    assert analysis.tau_quantile(0.5) == pytest.approx(exact["tau_median"], rel=0.03)
    moments = exact["ess_moment" if sigma else "ess_moment_beta"]
    assert worth.by_moments(whole, sigma) == pytest.approx(moments, rel=0.03)
    assert worth.elir(whole, sigma) == pytest.approx(exact["ess_elir_link_scale"], rel=0.035)


def test_tau_that_is_known_gives_the_normal_closed_form():
    y, se, tau, m0, s0 = np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.8, 1.0]), 0.7, 1.5, 3.0
    told = [NormalSummary(*pair) for pair in zip(y, se, strict=True)]
    analysis = meta_analysis(told, Normals.one(m0, s0), Prior.parse(f"constant({tau})"))
    w = 1 / (se**2 + tau**2)
    variance = 1 / (1 / s0**2 + w.sum())
    mean = variance * (m0 / s0**2 + w @ y)
    assert analysis.mean == pytest.approx((mean, variance**0.5), rel=1e-9)
    predictive = analysis.predictive
    assert (predictive.mean, predictive.sd) == pytest.approx((mean, (variance + tau**2) ** 0.5), rel=1e-6)
    x = np.linspace(-2, 6, 9)
    assert predictive.below(x) == pytest.approx(stats.norm.cdf(x, mean, (variance + tau**2) ** 0.5), abs=2e-4)


def test_counts_by_brute_force():
    """Two studies, one without an event: their likelihood integrated over theta_h on a fine grid."""
    told, tau = [BinomialSummary(0, 12), BinomialSummary(7, 30)], 0.6

    def likelihood(c: BinomialSummary, theta: float) -> float:
        x = np.linspace(theta - 6, theta + 6, 4001)
        inside = stats.binom.pmf(c.events, c.patients, special.expit(x)) * stats.norm.pdf(x, theta, tau)
        return float(inside.sum())

    grid = np.linspace(-7, 3, 121)
    density = stats.norm.pdf(grid, 0, 2) * np.array([np.prod([likelihood(c, t) for c in told]) for t in grid])
    density /= density.sum()
    mean = density @ grid
    analysis = meta_analysis(told, Normals.one(0, 2), Prior.parse(f"constant({tau})"))
    assert analysis.mean == pytest.approx((mean, (density @ (grid - mean) ** 2) ** 0.5), rel=2e-4)


def test_tau_by_brute_force():
    y, se = np.array([-0.4, 0.3, 0.9]), np.array([0.3, 0.3, 0.4])
    told = [NormalSummary(*pair) for pair in zip(y, se, strict=True)]
    analysis = meta_analysis(told, Normals.one(0, 2), halfnormal(0.5))
    tau = (np.arange(4000) + 0.5) / 1000
    covariance = (se**2 + tau[:, None] ** 2)[..., None] * np.eye(3) + 4
    log = -(np.linalg.slogdet(covariance)[1] + np.einsum("i,tij,j->t", y, np.linalg.inv(covariance), y)) / 2
    weight = np.exp(log - log.max()) * stats.halfnorm.pdf(tau, scale=0.5)
    weight /= weight.sum()
    assert analysis.tau_mean == pytest.approx(weight @ tau, rel=1e-4)
    assert analysis.tau_quantile(0.5) == pytest.approx(np.interp(0.5, np.cumsum(weight), tau), rel=0.005)
    assert analysis.tau_quantile(0.95) == pytest.approx(np.interp(0.95, np.cumsum(weight), tau), rel=0.005)


def test_what_one_study_says_of_itself_is_drawn_to_the_others():
    analysis = meta_analysis(
        [NormalSummary(0, 1), NormalSummary(4, 1)], Normals.one(0, 100), Prior.parse("constant(1)")
    )
    (low, _), (high, _) = analysis.own
    assert (low, high) == pytest.approx((1, 3), abs=0.01)  # half of the way to the mean, 2


def test_a_mixture_is_found_again(rng):
    true = Normals(np.array([0.7, 0.3]), np.array([0.0, 3.0]), np.array([0.5, 1.5]))
    close = close_to(true)
    assert close.distance < 0.005
    assert (close.normals.mean, close.normals.sd) == pytest.approx((true.mean, true.sd), rel=0.01)
    assert close_to_draws(true.draw(rng, 50_000)).normals.sd == pytest.approx(true.sd, rel=0.02)
    read = Normals.of(Prior.parse(str(close.normals.prior())))
    assert read is not None
    assert read.mean == pytest.approx(true.mean, abs=0.01)


def test_worth_in_closed_form():
    """A normal distribution of SD s is worth (sigma / s)^2; a patient more is worth one more."""
    sigma, s, n = 4.0, 0.8, 7
    before, after = Normals.one(1, s), Normals.one(2, (1 / s**2 + n / sigma**2) ** -0.5)
    for how in (worth.by_moments, worth.elir):
        assert how(before, sigma) == pytest.approx((sigma / s) ** 2, rel=1e-3)
        assert how(after, sigma) - how(before, sigma) == pytest.approx(n, rel=1e-3)


@pytest.mark.parametrize(("a", "b"), [(4, 11), (20, 30)])
def test_worth_of_a_beta_distribution(a, b, rng):
    """Of a beta distribution, seen on the logit, it is a + b."""
    close = close_to_draws(special.logit(rng.beta(a, b, 200_000))).normals
    assert worth.by_moments(close, None) == pytest.approx(a + b, rel=0.02)
