"""The four populations of every kind of outcome, against patients drawn one by one with formulas written here."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import integrate, special, stats

from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import OutcomeTruth, Truth
from bayesmyo.study import parse_study

MANY = 400_000
TIMES = (0.0, 2.0, 12.0)
HEAD = """
[study]
title = "One"
patient = "patient"
time = { column = "month", unit = "month", typical = 24 }
[outcomes.one]
column = "one"
unit = "points"
better = "higher"
"""


def line(t, b, prefix=""):
    def curve(v):
        return (
            v[prefix + "intercept"]
            + b.get(prefix + "intercept", 0)
            + (v[prefix + "slope"] + b.get(prefix + "slope", 0)) * t
        )

    return curve


def plateau(t, b):
    def curve(v):
        left = 0.5 ** (t / (v["half_time"] * np.exp(b.get("half_time", 0))))
        return (v["start"] + b.get("start", 0)) * left + (v["asymptote"] + b.get("asymptote", 0)) * (1 - left)

    return curve


def ordered_beta_mean(v, eta, zero):
    floor, ceiling = special.expit(-eta - v["cut_floor"]), special.expit(eta - v["cut_ceiling"])
    return 5 * ceiling + 5 * special.expit(eta) * (1 - floor - ceiling)


def cumulative_mean(cdf):
    def mean(v, eta, zero):
        at_most = [cdf(v[f"threshold_{k}"] - eta) for k in (1, 2, 3)]
        return sum(1 - p for p in at_most)  # scores 0, 1, 2, 3: the mean is the sum of P(Y > k)

    return mean


def lognormal_mean(v, eta, zero):
    return np.exp(eta + v["sigma"] ** 2 / 2)


def hurdle_mean(v, eta, zero):
    return lognormal_mean(v, eta, zero) / (1 + np.exp(zero))


@dataclass(frozen=True)
class Case:
    """A study of one outcome, its truth on the link scale, and what its curve and its mean are.

    sds: SD of each effect, in the order of the study's; correlations: of them, row by row below the diagonal
    """

    text: str
    values: dict
    sds: dict
    correlations: dict
    curve: Callable
    mean: Callable
    measure: Callable
    zero: Callable | None = None

    @property
    def study(self):
        return parse_study(HEAD + self.text)

    def covariance(self):
        k, r = len(self.sds), list(self.correlations.values())
        matrix = np.eye(k)
        matrix[np.tril_indices(k, -1)] = r
        matrix = np.tril(matrix) + np.tril(matrix, -1).T
        return matrix * np.outer(list(self.sds.values()), list(self.sds.values()))

    def effects(self, rng, n):
        return dict(
            zip(self.sds, rng.multivariate_normal(np.zeros(len(self.sds)), self.covariance(), n).T, strict=True)
        )

    def etas(self, t, b):
        return self.curve(t, b)(self.values), self.zero(t, b)(self.values) if self.zero else None

    def expected(self, t, b):
        return self.mean(self.values, *self.etas(t, b))

    def truth(self, shape=(), effects=None):
        stated = self.values | {f"sd_{k}": v for k, v in self.sds.items()} | self.correlations
        values = {k: np.full(shape, float(v)) for k, v in stated.items()}
        return Truth({"one": OutcomeTruth(values, effects or {})})


def beta_scores(v, eta, zero, rng):
    latent, mu = eta + rng.logistic(size=len(eta)), special.expit(eta)
    inside = 5 * rng.beta(mu * v["precision"], (1 - mu) * v["precision"])
    return np.where(latent < -v["cut_floor"], 0, np.where(latent > v["cut_ceiling"], 5, inside))


def graded(noise):
    def measure(v, eta, zero, rng):
        latent = eta + noise(rng, len(eta))
        return sum((latent > v[f"threshold_{k}"]).astype(float) for k in (1, 2, 3))

    return measure


def lognormal_draw(v, eta, zero, rng):
    return np.exp(rng.normal(eta, v["sigma"]))


def hurdle_draw(v, eta, zero, rng):
    return np.where(rng.random(len(eta)) < special.expit(zero), 0, lognormal_draw(v, eta, zero, rng))


GRADES = 'levels = ["0", "1", "2", "3"]'
HURDLE = """
typical = 30
scale = 2
family = {{ kind = "hurdle_lognormal" }}
trajectory = {{ kind = "{trajectory}" }}
effects = {effects}
[outcomes.one.zero]
typical = 0.2
scale = 0.1
trajectory = {{ kind = "linear" }}
effects = {zero}
correlate = {correlate}
"""
ZERO_VALUES = {"zero_intercept": -1.0, "zero_slope": 0.1}
CASES = {
    "ordered beta": Case(
        'typical = 3.6\nscale = 0.7\nfamily = { kind = "ordered_beta", lower = 0, upper = 5 }\ntrajectory = { kind = '
        '"plateau" }',
        {"start": 0.8, "asymptote": 2.5, "half_time": 2.5, "cut_floor": 3.0, "cut_ceiling": 2.0, "precision": 20.0},
        {"start": 1.2, "asymptote": 1.5}, {"correlation": 0.4},
        plateau, ordered_beta_mean, beta_scores,
    ),
    "cumulative logit": Case(
        f'scale = 2\nfamily = {{ kind = "cumulative", {GRADES} }}\ntrajectory = {{ kind = "linear" }}',
        {"slope": 0.2, "threshold_1": -1.0, "threshold_2": 0.5, "threshold_3": 2.0},
        {"intercept": 2.0, "slope": 0.1}, {"correlation": -0.5},
        lambda t, b: lambda v: line(t, b)(v | {"intercept": 0.0}), cumulative_mean(special.expit),
        graded(lambda rng, n: rng.logistic(size=n)),
    ),
    "cumulative probit": Case(
        f'scale = 2\nfamily = {{ kind = "cumulative", link = "probit", {GRADES} }}\ntrajectory = {{ kind = "plateau" }}\neffects = ["start"]',
        {"asymptote": 1.0, "half_time": 2.0, "threshold_1": -1.0, "threshold_2": 0.0, "threshold_3": 0.7},
        {"start": 1.1}, {},
        lambda t, b: lambda v: plateau(t, b)(v | {"start": 0.0}), cumulative_mean(stats.norm.cdf),
        graded(lambda rng, n: rng.standard_normal(n)),
    ),
    "poisson": Case(
        'typical = 2\nscale = 2\nfamily = { kind = "poisson" }\ntrajectory = { kind = "linear" }',
        {"intercept": 0.7, "slope": -0.05}, {"intercept": 0.8, "slope": 0.06}, {"correlation": 0.3},
        line, lambda v, eta, zero: np.exp(eta), lambda v, eta, zero, rng: rng.poisson(np.exp(eta)).astype(float),
    ),
    "hurdle, parts apart": Case(
        HURDLE.format(trajectory="linear", effects='["intercept", "slope"]', zero='["intercept"]', correlate="false"),
        {"intercept": 3.4, "slope": -0.08, "sigma": 0.3, **ZERO_VALUES},
        {"intercept": 0.6, "slope": 0.05, "zero_intercept": 1.5}, {"correlation": 0.3, "-": 0, "--": 0},
        line, hurdle_mean, hurdle_draw, lambda t, b: line(t, b, "zero_"),
    ),
    "hurdle, parts correlated": Case(
        HURDLE.format(trajectory="linear", effects='["intercept", "slope"]', zero='["intercept", "slope"]',
         correlate="true"),
        {"intercept": 3.4, "slope": -0.08, "sigma": 0.3, **ZERO_VALUES},
        {"intercept": 0.6, "slope": 0.05, "zero_intercept": 1.5, "zero_slope": 0.1},
        {
            "correlation_intercept_slope": 0.3, "correlation_intercept_zero_intercept": -0.7,
            "correlation_slope_zero_intercept": -0.3, "correlation_intercept_zero_slope": -0.2,
            "correlation_slope_zero_slope": -0.6, "correlation_zero_intercept_zero_slope": 0.2,
        },
        line, hurdle_mean, hurdle_draw, lambda t, b: line(t, b, "zero_"),
    ),
    "hurdle, half-times differ": Case(
        HURDLE.format(trajectory="plateau", effects='["half_time", "start"]', zero='["intercept"]', correlate="true"),
        {"start": 3.4, "asymptote": 1.5, "half_time": 4.0, "sigma": 0.3, **ZERO_VALUES},
        {"start": 0.6, "half_time": 0.7, "zero_intercept": 1.0},
        {"correlation_start_half_time": 0.5, "correlation_start_zero_intercept": -0.4,
         "correlation_half_time_zero_intercept": -0.6},
        plateau, hurdle_mean, hurdle_draw, lambda t, b: line(t, b, "zero_"),
    ),
    "log-normal, half-times differ": Case(
        'typical = 1000\nscale = 2.5\nfamily = { kind = "lognormal" }\ntrajectory = { kind = "plateau" }\neffects = '
        '["start", "asymptote", "half_time"]',
        {"start": 6.7, "asymptote": 5.0, "half_time": 3.0, "sigma": 0.3},
        {"start": 0.8, "asymptote": 0.5, "half_time": 0.6},
        {"correlation_start_asymptote": 0.3, "correlation_start_half_time": -0.5,
         "correlation_asymptote_half_time": 0.4},
        plateau, lognormal_mean, lognormal_draw,
    ),
    "log-normal, half-times alone": Case(
        'typical = 1000\nscale = 2.5\nfamily = { kind = "lognormal" }\ntrajectory = { kind = "plateau" }\neffects = '
        '["half_time"]',
        {"start": 6.7, "asymptote": 5.0, "half_time": 3.0, "sigma": 0.3}, {"half_time": 0.6}, {},
        plateau, lognormal_mean, lognormal_draw,
    ),
    "gaussian, half-times differ": Case(
        'typical = 50\nscale = 10\nfamily = { kind = "gaussian" }\ntrajectory = { kind = "plateau" }\neffects = '
        '["asymptote", "half_time"]',
        {"start": 40.0, "asymptote": 60.0, "half_time": 3.0, "sigma": 4.0}, {"asymptote": 8.0, "half_time": 0.5},
        {"correlation": 0.6},
        plateau, lambda v, eta, zero: eta, lambda v, eta, zero, rng: rng.normal(eta, v["sigma"]),
    ),
}  # fmt: skip
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
AT = pytest.mark.parametrize("time", TIMES)
GEOMETRIC = pytest.mark.parametrize(
    "case", [c for n, c in CASES.items() if "log-normal" in n], ids=lambda c: len(c.sds)
)


def near(found, drawn):
    """Whether a number is the mean of what was drawn, as far as a mean of so many can tell."""
    return abs(found - drawn.mean()) < 4.5 * drawn.std() / np.sqrt(len(drawn)) + 1e-9 * abs(found)


@EVERY
@AT
def test_the_population_average_is_the_mean_over_all_who_could_be_drawn(case, time, rng):
    found = TruthPrediction(case.study, case.truth()).level("one", time, "population average", "mean")
    assert near(found, case.expected(time, case.effects(rng, MANY)))


@EVERY
def test_their_measurements_have_that_mean_too(case, rng):
    found = TruthPrediction(case.study, case.truth()).level("one", 5.0, "population average", "mean")
    assert near(found, case.measure(case.values, *case.etas(5.0, case.effects(rng, MANY)), rng))


@GEOMETRIC
@AT
def test_the_population_median_averages_on_the_log(case, time, rng):
    found = TruthPrediction(case.study, case.truth()).level("one", time, "population average", "median")
    eta, _ = case.etas(time, case.effects(rng, MANY))
    assert near(np.log(found), eta)
    assert found == TruthPrediction(case.study, case.truth()).level("one", time, "population average")


@EVERY
@AT
def test_the_average_patient_has_no_effects(case, time):
    found = TruthPrediction(case.study, case.truth()).level("one", time, "average patient", "mean")
    assert found == pytest.approx(float(case.expected(time, {})), rel=1e-10)


@EVERY
@AT
def test_these_patients_are_the_mean_over_their_own_expected_values(case, time, rng):
    effects = case.effects(rng, 9)
    predict = TruthPrediction(case.study, case.truth(effects=effects)).level
    assert predict("one", time, "these patients", "mean") == pytest.approx(
        case.expected(time, effects).mean(), rel=1e-10
    )


@GEOMETRIC
def test_the_median_of_these_patients_is_their_geometric_mean(case, rng):
    effects = case.effects(rng, 9)
    found = TruthPrediction(case.study, case.truth(effects=effects)).level("one", 2.0, "these patients")
    assert found == pytest.approx(np.exp(case.etas(2.0, effects)[0].mean()), rel=1e-10)


@EVERY
@AT
def test_new_patients_are_those_who_could_be_drawn(case, time, rng):
    predict = TruthPrediction(case.study, case.truth((4, 1000)), seed=3).level
    drawn = case.effects(rng, 20_000)
    expected = predict("one", time, "new patient", "mean").ravel()
    by_hand = case.expected(time, drawn) * np.ones(20_000)
    if np.ptp(by_hand) == 0:  # the half-time alone differs, and time has not begun
        np.testing.assert_allclose(expected, by_hand[0])
    else:
        assert stats.ks_2samp(expected, by_hand).pvalue > 1e-4


@EVERY
def test_their_measurements_are_those_that_could_be_made(case, rng):
    predict = TruthPrediction(case.study, case.truth((4, 1000)), seed=3).level
    found = predict("one", 5.0, "new patient", None, "measurement").ravel()
    by_hand = case.measure(case.values, *case.etas(5.0, case.effects(rng, 40_000)), rng)
    assert stats.ks_2samp(found, by_hand).pvalue > 1e-4
    ends = [x for x in (0.0, 5.0) if np.mean(by_hand == x) > 0.005]
    for end in ends:
        share = np.mean(by_hand == end)
        assert np.mean(found == end) == pytest.approx(
            share, abs=4.5 * np.sqrt(share * (1 - share) * (1 / 4000 + 1 / 40_000))
        )


@EVERY
def test_each_draw_of_a_posterior_has_its_own_number(case, rng):
    """The first parameter differs between draws; each gives what a truth of its own gives."""
    name = next(iter(case.values))
    truth = case.truth((1, 3))
    truth.outcomes["one"].values[name][0] += [0.0, 0.1, -0.2]
    found = TruthPrediction(case.study, truth).level("one", 2.0, "population average", "mean")
    for k, moved in enumerate((0.0, 0.1, -0.2)):
        alone = case.truth()
        alone.outcomes["one"].values[name] = np.asarray(case.values[name] + moved)
        one = TruthPrediction(case.study, alone).level("one", 2.0, "population average", "mean")
        assert found[0, k] == pytest.approx(float(one), rel=1e-12)


@pytest.mark.parametrize("sd", [0.5, 2.0, 4.0])
@pytest.mark.parametrize("link", ["logit", "probit"])
def test_grades_of_patients_who_differ_widely_are_averaged_as_scipy_integrates(link, sd):
    case = CASES["cumulative logit" if link == "logit" else "cumulative probit"]
    wide = Case(**{**vars(case), "sds": {**case.sds, next(iter(case.sds)): sd}})
    found = TruthPrediction(wide.study, wide.truth()).level("one", 0.0, "population average")
    start = next(iter(case.sds))
    from_scipy = integrate.quad(
        lambda z: float(wide.expected(0.0, {start: sd * z})) * stats.norm.pdf(z), -10, 10, limit=500, epsabs=1e-10
    )[0]
    assert found == pytest.approx(from_scipy, abs=2e-3)
