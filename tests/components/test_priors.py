"""The prior language against scipy, which writes its distributions independently."""

import re

import numpy as np
import pytest
from scipy import stats

from bayesmyo.components.priors import LANGUAGE, Prior, halfnormal, lkj, lognormal, normal

ORACLES = {
    "normal(-1, 2.5)": stats.norm(-1, 2.5),
    "student_t(4, 1, 2)": stats.t(4, 1, 2),
    "halfnormal(1.5)": stats.halfnorm(scale=1.5),
    "half_student_t(3, 2)": stats.t(3, scale=2),
    "halfcauchy(2)": stats.halfcauchy(scale=2),
    "lognormal(1.1, 0.5)": stats.lognorm(0.5, scale=np.exp(1.1)),
    "exponential(0.5)": stats.expon(scale=2),
    "gamma(2, 0.1)": stats.gamma(2, scale=10),
    "sqrt_inverse_gamma(3, 2)": stats.invgamma(3, scale=2),
    "lkj(2)": stats.beta(2, 2, loc=-1, scale=2),
}


def cdf(text: str, x: np.ndarray) -> np.ndarray:
    """The oracle's distribution function; scipy has neither a half t nor the root of an inverse gamma."""
    if text.startswith("half_student_t"):
        return 2 * ORACLES[text].cdf(x) - 1
    if text.startswith("sqrt_inverse_gamma"):
        return ORACLES[text].cdf(np.square(x))
    return ORACLES[text].cdf(x)


def test_every_word_has_an_oracle():
    assert {Prior.parse(text).name for text in ORACLES} == set(LANGUAGE)


@pytest.mark.parametrize("text", ORACLES)
def test_draws_follow_the_distribution(text, rng):
    draws = Prior.parse(text).draw(rng, (20_000,))
    assert stats.kstest(draws, lambda x: cdf(text, x)).pvalue > 0.001


@pytest.mark.parametrize("text", ORACLES)
@pytest.mark.parametrize("p", [0.025, 0.3, 0.5, 0.9])
def test_a_share_p_lies_below_the_quantile(text, p):
    assert cdf(text, np.asarray(Prior.parse(text).quantile(p))) == pytest.approx(p, abs=1e-9)


@pytest.mark.parametrize("text", ORACLES)
def test_draws_have_the_asked_shape_and_lie_in_the_support(text, rng):
    prior = Prior.parse(text)
    draws = prior.draw(rng, (50, 4))
    lowest, highest = {"real": (-np.inf, np.inf), "positive": (0, np.inf), "correlation": (-1, 1)}[prior.support]
    assert draws.shape == (50, 4)
    assert np.all((draws > lowest) & (draws < highest))
    assert prior.draw(rng).shape == ()


@pytest.mark.parametrize("text", ORACLES)
def test_text_survives_a_round_trip(text):
    assert str(Prior.parse(text)) == text


def test_spaces_do_not_matter():
    assert Prior.parse("  normal( 0 ,1e0 ) ") == normal(0, 1)


def test_shorthands_mean_what_their_text_means():
    assert [str(p) for p in (normal(0, 1), halfnormal(2), lognormal(1, 0.5), lkj(2))] == [
        "normal(0, 1)",
        "halfnormal(2)",
        "lognormal(1, 0.5)",
        "lkj(2)",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("normal", 'write a distribution with its arguments, such as "normal(0, 1)"'),
        ("normal(0, 1", "write a distribution"),
        ("normal(0, (1))", "write a distribution"),
        ("", "write a distribution"),
        ("gauss(0, 1)", 'unknown distribution "gauss" (normal(mean, sd), student_t(df, location, scale)'),
        ("normal(zero, 1)", "the arguments of normal are numbers: normal(mean, sd)"),
        ("normal(0, )", "the arguments of normal are numbers"),
        ("normal(0)", "normal takes 2 arguments: normal(mean, sd)"),
        ("halfnormal()", "halfnormal takes 1 arguments: halfnormal(sd)"),
        ("normal(0, 1, 2)", "normal takes 2 arguments"),
        ("normal(0, -1)", "normal: sd must be positive"),
        ("normal(0, 0)", "normal: sd must be positive"),
        ("normal(inf, 1)", "normal: mean must be finite"),
        ("lognormal(nan, 1)", "lognormal: log_median must be finite"),
        ("gamma(2, nan)", "gamma: rate must be positive"),
        ("lkj(0)", "lkj: eta must be positive"),
    ],
)
def test_a_faulty_prior_says_how_to_mend_it(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Prior.parse(text)


@pytest.mark.parametrize("text", ORACLES)
def test_log_density_is_the_derivative_of_the_distribution(text):
    prior, h = Prior.parse(text), 1e-5
    x = np.array([prior.quantile(p) for p in (0.1, 0.35, 0.6, 0.9)])
    slope = (cdf(text, x + h) - cdf(text, x - h)) / (2 * h)
    np.testing.assert_allclose(np.exp(prior.log_density(x)), slope, rtol=1e-5)


@pytest.mark.parametrize("text", [t for t in ORACLES if not t.startswith("lkj")])
def test_scaled_doubles_the_spread(text):
    def spread(prior: Prior) -> float:
        low, high = prior.quantile(0.25), prior.quantile(0.75)
        return float(np.log(high / low) if text.startswith("lognormal") else high - low)

    prior = Prior.parse(text)
    assert spread(prior.scaled(2.0)) == pytest.approx(2 * spread(prior))
    assert spread(prior.scaled(0.5)) == pytest.approx(0.5 * spread(prior))
    assert Prior.parse("lkj(2)").scaled(2.0) == Prior.parse("lkj(2)")
