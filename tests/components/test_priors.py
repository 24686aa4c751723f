"""The prior language against scipy, which writes its distributions independently."""

import re

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from bayesmyo.components.distributions import LANGUAGE
from bayesmyo.components.priors import Prior, halfnormal, lkj, lognormal, normal

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
    "normal(3, 2) T[0, 5]": stats.truncnorm(-1.5, 1, 3, 2),
    "normal(1, 2) T[, 0.5]": stats.truncnorm(-np.inf, -0.25, 1, 2),
    "exponential(0.5) T[1, ]": stats.expon(1, 2),  # it has no memory
}
MIXTURES = {
    "0.8 normal(3.4, 0.2) + 0.2 normal(3.6, 0.7)": ((0.8, stats.norm(3.4, 0.2)), (0.2, stats.norm(3.6, 0.7))),
    "0.5 halfnormal(1) + 0.25 gamma(2, 1) + 0.25 lognormal(0, 2)": (
        (0.5, stats.halfnorm()), (0.25, stats.gamma(2)), (0.25, stats.lognorm(2)),
    ),
    "0.9 student_t(3, 0, 1) + 0.1 normal(50, 1)": ((0.9, stats.t(3)), (0.1, stats.norm(50))),
}  # fmt: skip
ORACLES |= dict.fromkeys(MIXTURES)
WORDS = [text for text in ORACLES if text not in MIXTURES and " T[" not in text]


def cdf(text: str, x: np.ndarray) -> np.ndarray:
    """The oracle's distribution function; scipy has neither a half t nor the root of an inverse gamma."""
    if text in MIXTURES:
        return sum(w * part.cdf(x) for w, part in MIXTURES[text])
    if text.startswith("half_student_t"):
        return 2 * ORACLES[text].cdf(x) - 1
    if text.startswith("sqrt_inverse_gamma"):
        return ORACLES[text].cdf(np.square(x))
    return ORACLES[text].cdf(x)


def test_every_word_has_an_oracle():
    assert {*(Prior.parse(text).name for text in WORDS), "constant"} == set(LANGUAGE)


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
    if " T[" in text:
        lowest, highest = prior.quantile(0) - 1e-9, prior.quantile(1) + 1e-9
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
        ("normal(0, 1) T[5, 0]", "a lower end below the upper one"),
        ("normal(0, 1) T[a, 5]", "the ends of a truncated prior are numbers, or left out"),
        ("normal(0, 1) T[0]", "write a distribution"),
        ("normal(0, 1) T[nan, ]", "a lower end below the upper one"),
        ("normal(0, 1) T[4, 5]", "T[4, 5] leaves less than 0.1% of this normal: state another distribution"),
        ("lkj(2) T[0, 1]", "lkj cannot be truncated"),
        ("constant(2) T[0, 1]", "constant cannot be truncated"),
        ("constant()", "constant takes 1 arguments: constant(value)"),
        ("constant(inf)", "constant: value must be finite"),
        ("0.8 normal(0, 1)", "a mixture has a weight before each part, and they add up to 1"),
        ("0.8 normal(0, 1) + 0.3 normal(0, 2)", "they add up to 1"),
        ("normal(0, 1) + normal(0, 2)", "a mixture has a weight before each part"),
        ("1.2 normal(0, 1) + -0.2 normal(0, 2)", "a mixture has a weight before each part"),
        ("0.5 normal(0, 1) + 0.5 gauss(0, 2)", 'unknown distribution "gauss"'),
        ("0.5 normal(0, 1) + 0.5 halfnormal(2)", "all of positive numbers, or all of any numbers"),
        ("0.5 normal(0, 1) T[0, ] + 0.5 normal(0, 2)", "cannot be part of a mixture"),
        ("0.5 normal(0, 1) + 0.5 constant(0)", "constant(0) cannot be part of a mixture"),
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


@pytest.mark.parametrize("text", ORACLES)
def test_the_distribution_function_is_that_of_the_oracle(text):
    prior = Prior.parse(text)
    x = np.array([prior.quantile(p) for p in (0.01, 0.35, 0.6, 0.97)])
    np.testing.assert_allclose([prior.below(v) for v in x], cdf(text, x), rtol=1e-9)


@pytest.mark.parametrize("text", [t for t in ORACLES if not t.startswith(("lkj", "sqrt_inverse_gamma"))])
def test_the_variable_of_the_model_has_the_same_density(text):
    """PyMC's own distributions, truncations and mixtures, under an unconstrained variable without its Jacobian."""
    prior = Prior.parse(text)
    with pm.Model() as model:
        prior.scaled(pm.Data("spread", 1.5)).variable(pm, "x")
    log_density, x = model.compile_logp(jacobian=False), model["x"]
    transform, free = model.rvs_to_transforms[x], model.rvs_to_values[x].name
    wider = prior.scaled(1.5)
    for value in [wider.quantile(p) for p in (0.05, 0.4, 0.7, 0.95)]:
        there = value if transform is None else transform.forward(pm.math.pt.as_tensor(value), *x.owner.inputs).eval()
        assert log_density({free: np.asarray(there)}) == pytest.approx(float(wider.log_density(np.asarray(value))))


def test_a_constant_is_one_value_of_which_data_say_nothing(rng):
    prior = Prior.parse("constant(2.5)")
    assert prior.constant
    assert str(prior) == "constant(2.5)"
    assert np.all(prior.draw(rng, (3, 2)) == 2.5)
    assert prior.quantile(0.025) == prior.quantile(0.975) == 2.5
    assert prior.scaled(2.0) == prior.moved(1.0) == prior
    assert not np.any(prior.log_density(np.full(3, 2.5)))
    assert [prior.fits(support) for support in ("real", "positive", "correlation")] == [True, True, False]
    assert [Prior.parse("constant(0)").fits(s) for s in ("real", "positive", "correlation")] == [True, False, True]


def test_a_prior_truncated_above_zero_may_be_that_of_an_sd():
    assert Prior.parse("normal(3, 1) T[0, ]").fits("positive")
    assert not Prior.parse("normal(3, 1) T[, 5]").fits("positive")
    assert not Prior.parse("0.5 normal(3, 1) + 0.5 normal(5, 1)").fits("positive")
    assert Prior.parse("0.5 halfnormal(1) + 0.5 lognormal(0, 1)").fits("positive")


def test_a_mixture_is_moved_as_a_whole_and_a_truncated_one_stays_between_its_ends():
    moved = Prior.parse("0.5 normal(0, 1) + 0.5 normal(0, 1)").moved(0.5)
    assert moved == Prior.parse("0.5 normal(0.5, 1) + 0.5 normal(0.5, 1)")
    cut = Prior.parse("normal(3, 1) T[0, 5]")
    assert cut.moved(0.5) == cut
    assert [cut.scaled(4.0).quantile(p) for p in (0, 1)] == pytest.approx([0, 5], abs=1e-9)


@pytest.mark.parametrize("text", [t for t in WORDS if not t.startswith("lkj")])
def test_scaled_doubles_the_spread(text):
    def spread(prior: Prior) -> float:
        low, high = prior.quantile(0.25), prior.quantile(0.75)
        return float(np.log(high / low) if text.startswith("lognormal") else high - low)

    prior = Prior.parse(text)
    assert spread(prior.scaled(2.0)) == pytest.approx(2 * spread(prior))
    assert spread(prior.scaled(0.5)) == pytest.approx(0.5 * spread(prior))
    assert Prior.parse("lkj(2)").scaled(2.0) == Prior.parse("lkj(2)")


@pytest.mark.parametrize("text", ["half_student_t(3, 1) T[, 4]", "normal(0, 1) T[0, 5]", "normal(0, 1) T[-2, 2]"])
def test_a_truncated_prior_is_sampled_from_inside_its_ends(text):
    with pm.Model() as model:
        Prior.parse(text).variable(pm, "x")
    assert np.isfinite([*model.initial_point().values()]).all()
