"""The contract of every family, against scipy."""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.components.component import Scale
from bayesmyo.components.families import FAMILIES, Cells

SCALE = Scale(typical=2.0, spread=0.8, unit="u", time_unit="month")
AUX = {"sigma": 0.7, "nu": 5.0}
ORACLES = {
    "gaussian": lambda eta, sigma, nu: stats.norm(eta, sigma),
    "student_t": lambda eta, sigma, nu: stats.t(nu, eta, sigma),
    "lognormal": lambda eta, sigma, nu: stats.lognorm(sigma, scale=np.exp(eta)),
}
EVERY = pytest.mark.parametrize("family", [f() for f in FAMILIES], ids=lambda f: f.kind)
CENSORABLE = pytest.mark.parametrize("family", [f() for f in FAMILIES if f.censorable], ids=lambda f: f.kind)


def oracle(family, eta=1.0):
    return ORACLES[family.kind](eta, **AUX)


def aux(family):
    return {name: AUX[name] for name in family.parameters(SCALE)}


def values(family):
    """Measurements in outcome units, from the far left to the far right."""
    return oracle(family).ppf([0.001, 0.1, 0.5, 0.9, 0.999])


@EVERY
def test_log_density_is_scipys(family):
    y = values(family)
    found = family.log_density(Cells(family.link(y)), {"location": 1.0}, aux(family))
    np.testing.assert_allclose(found, oracle(family).logpdf(y), rtol=1e-10)


@EVERY
def test_log_density_broadcasts_over_draws(family):
    y, eta = values(family), np.linspace(0, 2, 6).reshape(2, 3, 1)
    found = family.log_density(Cells(family.link(y)), {"location": eta}, aux(family))
    np.testing.assert_allclose(found, oracle(family, eta).logpdf(y), rtol=1e-10)


@CENSORABLE
def test_a_censored_cell_counts_the_probability_beyond_its_limit(family):
    y = values(family)[[1, 2, 3]]
    limits = family.link(y)
    cells = Cells(limits, lower=np.array([limits[0], -np.inf, -np.inf]), upper=np.array([np.inf, np.inf, limits[2]]))
    found = family.log_density(cells, {"location": 1.0}, aux(family))
    expected = [oracle(family).logcdf(y[0]), oracle(family).logpdf(y[1]), oracle(family).logsf(y[2])]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@CENSORABLE
def test_a_limit_far_in_the_tail_stays_finite(family):
    far = np.array([-30.0])
    cells = Cells(far, lower=far, upper=np.array([np.inf]))
    found = family.log_density(cells, {"location": 1.0}, aux(family))
    np.testing.assert_allclose(found, stats.norm(1, 0.7).logcdf(far), rtol=1e-9)


@EVERY
def test_draws_follow_the_distribution(family, rng):
    draws = family.draw(rng, {"location": np.full(20_000, 1.0)}, aux(family))
    assert stats.kstest(draws, oracle(family).cdf).pvalue > 0.001


@EVERY
def test_draws_follow_their_own_expected_value(family, rng):
    eta = np.repeat([0.0, 3.0], 5000).reshape(2, 5000)
    for low_or_high, draws in zip((0.0, 3.0), family.draw(rng, {"location": eta}, aux(family)), strict=True):
        assert stats.kstest(draws, oracle(family, low_or_high).cdf).pvalue > 0.001


@EVERY
def test_the_mean_is_the_distributions_mean(family):
    assert family.mean({"location": 1.0}, aux(family)) == pytest.approx(oracle(family).mean(), rel=1e-9)


@EVERY
def test_the_mean_is_the_mean_of_many_draws(family, rng):
    draws = family.draw(rng, {"location": np.full(100_000, 1.0)}, aux(family))
    error = draws.std() / np.sqrt(len(draws))
    assert abs(draws.mean() - family.mean({"location": 1.0}, aux(family))) < 4 * error


@EVERY
def test_check_allows_exactly_where_there_is_density(family):
    y = np.array([-3.0, 0.0, 1e-9, 2.0])
    np.testing.assert_array_equal(family.check(y), oracle(family).pdf(y) > 0 if family.link_name == "log" else True)
    np.testing.assert_array_equal(family.check(np.array([np.nan, np.inf, -np.inf])), False)
    assert ("positive" in family.support()) == (family.link_name == "log")


@EVERY
def test_link_and_inverse_undo_each_other(family):
    y = np.array([0.3, 1.0, 700.0])
    np.testing.assert_allclose(family.inverse(family.link(y)), y, rtol=1e-14)


@EVERY
def test_the_median_of_the_draws_is_the_inverse_of_eta(family):
    assert family.inverse(1.0) == pytest.approx(oracle(family).median())


@EVERY
def test_the_spread_is_an_sd_or_the_log_of_a_ratio(family):
    assert family.spread(2.5) == pytest.approx(np.log(2.5) if family.link_name == "log" else 2.5)


@EVERY
def test_defaults_are_positive_and_set_on_the_clinical_scale(family):
    priors = family.parameters(SCALE)
    wider = family.parameters(Scale(typical=2.0, spread=8.0, unit="u", time_unit="month"))
    assert all(p.support == "positive" for p in priors.values())
    assert priors["sigma"].quantile(0.5) == pytest.approx(0.4 * stats.halfnorm.median())
    assert wider["sigma"].quantile(0.5) == pytest.approx(10 * priors["sigma"].quantile(0.5))
