"""The contract of every family, against scipy."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats

from bayesmyo.components.component import Scale
from bayesmyo.components.families import (
    FAMILIES,
    Bernoulli,
    BetaBinomial,
    Cells,
    Cumulative,
    Gamma,
    Gaussian,
    HurdleLogNormal,
    LogNormal,
    NegativeBinomial,
    OrderedBeta,
    Poisson,
    StudentT,
)
from bayesmyo.components.priors import Joint

SCALE = Scale(typical=0.4, spread=0.8, unit="u", time_unit="month")
POINTS = np.array([0.001, 0.1, 0.5, 0.9, 0.999])


@dataclass(frozen=True)
class Law:
    """A distribution out of scipy: single values with their probabilities, and what is left spread continuously."""

    atoms: dict[float, float] = field(default_factory=dict)
    continuous: Any = None

    @property
    def rest(self) -> float:
        return 1 - sum(self.atoms.values()) if self.continuous else 0.0

    def density(self, y):
        inside = self.rest * self.continuous.pdf(y) if self.continuous else np.nan
        out = np.broadcast_to(inside, np.shape(y)).copy()
        for a, p in self.atoms.items():
            out[np.isclose(y, a, rtol=0, atol=1e-12)] = p
        return out

    def values(self):
        """Measurements from one end to the other."""
        atoms = [a for a, p in self.atoms.items() if p > 1e-12]
        return np.array(atoms + list(self.continuous.ppf(POINTS) if self.continuous else []))

    def mean(self):
        return sum(a * p for a, p in self.atoms.items()) + (
            self.rest * self.continuous.mean() if self.continuous else 0
        )


@dataclass(frozen=True)
class Case:
    """A family as it is used, values of its parameters, and what scipy says it is."""

    name: str
    family: Any
    aux: dict[str, float]
    law: Any  # (location, zero) -> Law


def counted(distribution, last=300):
    return Law(dict(zip(np.arange(last + 1.0), distribution.pmf(np.arange(last + 1)), strict=True)))


def ordered_beta(eta, floor, ceiling, phi):
    mu = stats.logistic.cdf(eta)
    ends = {0.0: stats.logistic.cdf(-floor, loc=eta), 5.0: stats.logistic.sf(ceiling, loc=eta)}
    return Law(ends, stats.beta(mu * phi, (1 - mu) * phi, loc=0, scale=5))


def graded(scores, thresholds, latent):
    return lambda eta, zero: Law(
        dict(zip(scores, np.diff([0, *latent.cdf(np.array(thresholds) - eta), 1]), strict=True))
    )


def poisson_lognormal(eta, sd, last=300):
    z = np.linspace(-10, 14, 2001)
    weights = stats.norm.pdf(z) * (z[1] - z[0])
    chances = stats.poisson.pmf(np.arange(last + 1)[:, None], np.exp(eta + sd * z)) @ weights
    return Law(dict(zip(np.arange(last + 1.0), chances, strict=True)))


def thresholds(*values):
    return {f"threshold_{k}": v for k, v in enumerate(values, start=1)}


GRADES = {"levels": ("poor", "fair", "good", "full"), "scores": (0.0, 1.0, 2.5, 5.0)}
CASES = [
    Case("gaussian", Gaussian(), {"sigma": 0.7}, lambda e, z: Law(continuous=stats.norm(e, 0.7))),
    Case("student_t", StudentT(), {"sigma": 0.7, "nu": 5.0}, lambda e, z: Law(continuous=stats.t(5, e, 0.7))),
    Case("lognormal", LogNormal(), {"sigma": 0.7}, lambda e, z: Law(continuous=stats.lognorm(0.7, scale=np.exp(e)))),
    Case("gamma", Gamma(), {"cv": 0.4}, lambda e, z: Law(continuous=stats.gamma(6.25, scale=np.exp(e) / 6.25))),
    Case(
        "gamma_wide", Gamma(), {"cv": 1.6}, lambda e, z: Law(continuous=stats.gamma(0.390625, scale=np.exp(e) * 2.56))
    ),
    Case(
        "hurdle_lognormal",
        HurdleLogNormal(),
        {"sigma": 0.7},
        lambda e, z: Law({0.0: stats.logistic.cdf(z)}, stats.lognorm(0.7, scale=np.exp(e))),
    ),
    Case(
        "cumulative",
        Cumulative(**GRADES),
        thresholds(-1.0, 0.2, 2.0),
        graded((0, 1, 2.5, 5), (-1, 0.2, 2), stats.logistic),
    ),
    Case(
        "cumulative_probit",
        Cumulative(**GRADES, link_="probit"),
        thresholds(-1.0, 0.2, 2.0),
        graded((0, 1, 2.5, 5), (-1, 0.2, 2), stats.norm),
    ),
    Case(
        "cumulative_merged",
        Cumulative(coding="mrc", merge=(("0", "1", "2"),)),
        thresholds(-1.0, 0.2, 2.0),
        graded((1, 3, 4, 5), (-1, 0.2, 2), stats.logistic),
    ),
    Case(
        "ordered_beta",
        OrderedBeta(lower=0.0, upper=5.0),
        {"cut_floor": 2.0, "cut_ceiling": 1.5, "precision": 4.0},
        lambda e, z: ordered_beta(e, 2.0, 1.5, 4.0),
    ),
    Case(
        "beta_binomial",
        BetaBinomial(trials=20),
        {"precision": 6.0},
        lambda e, z: counted(stats.betabinom(20, 6 * special.expit(e), 6 * special.expit(-e)), 20),
    ),
    Case("bernoulli", Bernoulli(), {}, lambda e, z: counted(stats.bernoulli(special.expit(e)), 1)),
    Case("poisson", Poisson(), {}, lambda e, z: counted(stats.poisson(np.exp(e)))),
    Case(
        "poisson_lognormal",
        Poisson(observation_effect=True),
        {"sd_observation": 0.6},
        lambda e, z: poisson_lognormal(e, 0.6),
    ),
    Case(
        "negative_binomial",
        NegativeBinomial(),
        {"cv": 0.8},
        lambda e, z: counted(stats.nbinom(1.5625, 1.5625 / (1.5625 + np.exp(e)))),
    ),
]
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
CENSORABLE = pytest.mark.parametrize("case", [c for c in CASES if c.family.censorable], ids=lambda case: case.name)
LOCATION, ZERO = 0.7, -0.4


def eta(family, location=LOCATION, zero=ZERO):
    return (
        {"location": np.asarray(location), "zero": np.asarray(zero)}
        if len(family.predictors()) == 2
        else {"location": np.asarray(location)}
    )


def law(case, location=LOCATION):
    return case.law(location, ZERO)


def log_density(case, y, location=LOCATION):
    return case.family.log_density(Cells(case.family.encode(np.asarray(y))), eta(case.family, location), case.aux)


def test_every_family_has_a_case_and_needs_the_parameters_it_is_given():
    assert {type(c.family) for c in CASES} == set(FAMILIES)
    for case in CASES:
        names = [
            n for k, p in case.family.parameters(SCALE).items() for n in (p.names if isinstance(p, Joint) else [k])
        ]
        assert (case.name, sorted(names)) == (case.name, sorted(case.aux))
        assert case.family.faults() == ()


@EVERY
def test_log_density_is_scipys(case):
    y = law(case).values()
    np.testing.assert_allclose(log_density(case, y), np.log(law(case).density(y)), rtol=1e-8, atol=1e-8)


@EVERY
def test_log_density_broadcasts_over_draws(case):
    y, locations = law(case).values(), np.linspace(0, 2, 6).reshape(2, 3)
    aux = {k: np.full((2, 3, 1), v) for k, v in case.aux.items()}
    found = case.family.log_density(Cells(case.family.encode(y)), eta(case.family, locations[..., None]), aux)
    expected = [[np.log(law(case, e).density(y)) for e in row] for row in locations]
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


@EVERY
def test_all_probabilities_sum_to_one(case):
    the = law(case)
    total = np.exp(log_density(case, np.array(list(the.atoms)))).sum() if the.atoms else 0.0
    if the.continuous:
        edges = the.continuous.ppf([1e-9, 0.01, 0.2, 0.5, 0.8, 0.99, 1 - 1e-9])
        total += sum(integrate.quad(lambda y: float(np.exp(log_density(case, y))), a, b)[0] for a, b in pairwise(edges))
    assert total == pytest.approx(1, abs=1e-6)


@EVERY
def test_draws_follow_the_distribution(case, rng):
    assert agree(case.family.draw(rng, eta(case.family, np.full(20_000, LOCATION)), case.aux), law(case))


@EVERY
def test_draws_follow_their_own_expected_value(case, rng):
    locations = np.repeat([-0.5, 1.5], 10_000).reshape(2, 10_000)
    for location, draws in zip((-0.5, 1.5), case.family.draw(rng, eta(case.family, locations), case.aux), strict=True):
        assert agree(draws, law(case, location))


def agree(draws, the):
    """A chi-square test of the single values, a Kolmogorov-Smirnov test of what is left."""
    seen = np.array([np.isclose(draws, a, rtol=0, atol=1e-12).sum() for a in the.atoms] + [0])
    seen[-1] = len(draws) - seen.sum()
    if not the.continuous:
        assert seen[-1] == 0
    expected = len(draws) * np.array([*the.atoms.values(), the.rest])
    enough = expected >= 5
    seen, expected = np.append(seen[enough], seen[~enough].sum()), np.append(expected[enough], expected[~enough].sum())
    kept = expected > 0.5
    passed = (
        kept.sum() < 2
        or stats.chisquare(seen[kept], expected[kept] * seen[kept].sum() / expected[kept].sum()).pvalue > 1e-3
    )
    if the.continuous:
        rest = draws[~np.isin(draws, list(the.atoms))]
        passed = passed and stats.kstest(rest, the.continuous.cdf).pvalue > 1e-3
    return passed


@EVERY
def test_a_scalar_of_draws_takes_the_shape_of_the_parameters(case, rng):
    aux = {k: np.full((3, 1), v) for k, v in case.aux.items()}
    found = case.family.draw(rng, eta(case.family, np.zeros((3, 4)), np.zeros((3, 4))), aux)
    assert found.shape == (3, 4)
    assert found.dtype == float


@EVERY
def test_the_mean_is_the_distributions_mean(case):
    assert case.family.mean(eta(case.family), case.aux) == pytest.approx(law(case).mean(), rel=1e-7)


@EVERY
def test_the_mean_is_the_mean_of_many_draws(case, rng):
    draws = case.family.draw(rng, eta(case.family, np.full(100_000, LOCATION)), case.aux)
    error = draws.std() / np.sqrt(len(draws))
    assert abs(draws.mean() - case.family.mean(eta(case.family), case.aux)) < 4 * error


@EVERY
def test_check_allows_what_can_be_drawn_and_no_other_number(case, rng):
    family = case.family
    draws = family.draw(rng, eta(family, rng.normal(0, 3, 500), rng.normal(0, 3, 500)), case.aux)
    assert family.check(draws).all()
    assert not family.check(np.array([np.nan, np.inf, -np.inf])).any()
    assert not family.check_expected(np.array([np.nan, np.inf, -np.inf])).any()
    assert family.support()


ALLOWED = {
    "gaussian": ([-3, 0, 1e9], []),
    "student_t": ([-3, 0, 1e9], []),
    "lognormal": ([1e-9, 2], [0, -1]),
    "gamma": ([1e-9, 2], [0, -1]),
    "gamma_wide": ([1e-9, 2], [0, -1]),
    "hurdle_lognormal": ([0, 1e-9, 2], [-1]),
    "cumulative": ([0, 1, 2.5, 5], [2, 0.5, -1]),
    "cumulative_probit": ([0, 1, 2.5, 5], [2, 0.5, -1]),
    "cumulative_merged": ([1, 3, 4, 5], [0, 2]),
    "ordered_beta": ([0, 1e-9, 2.3, 5], [-1e-9, 5.1]),
    "beta_binomial": ([0, 7, 20], [-1, 21, 3.5]),
    "bernoulli": ([0, 1], [0.5, 2, -1]),
    "poisson": ([0, 1, 1000], [-1, 0.5]),
    "poisson_lognormal": ([0, 1, 1000], [-1, 0.5]),
    "negative_binomial": ([0, 1, 1000], [-1, 0.5]),
}


@EVERY
def test_check_allows_exactly_the_support(case):
    allowed, refused = ALLOWED[case.name]
    assert case.family.check(np.array(allowed, dtype=float)).all()
    assert not case.family.check(np.array(refused, dtype=float)).any()


@pytest.mark.parametrize(
    ("family", "expected", "not_expected"),
    [
        (LogNormal(), [1e-9, 7], [0, -1]),
        (Gamma(), [1e-9, 7], [0, -1]),
        (HurdleLogNormal(), [0.1, 7], [0, -1]),
        (Bernoulli(), [0.2], [0, 1, 1.5]),
        (BetaBinomial(trials=20), [0.5, 19.5], [0, 20, 30]),
        (OrderedBeta(lower=0, upper=5), [0.1, 4.9], [0, 5, 6]),
        (Poisson(), [0.3, 2], [0, -1]),
        (Cumulative(coding="mrc"), [-1, 0, 2.2], []),
    ],
    ids=lambda x: getattr(x, "kind", None),
)
def test_an_expected_value_lies_inside_the_support(family, expected, not_expected):
    np.testing.assert_array_equal(family.check_expected(np.array(expected, dtype=float)), True)
    np.testing.assert_array_equal(family.check_expected(np.array(not_expected, dtype=float)), False)


def those(fact):
    """The families of which a fact holds."""
    return {case.family.kind for case in CASES if fact(case.family)}


def test_facts_by_which_the_house_chooses_checks_figures_and_advice():
    assert those(lambda f: f.binary) == {"bernoulli"}
    assert those(lambda f: f.ordinal) == {"cumulative"}
    assert those(lambda f: f.has_zero_part) == {"hurdle_lognormal"}
    assert those(lambda f: f.heavier_tailed) == {"gaussian"}
    assert those(lambda f: f.overdispersed) == {"poisson"}
    assert not BetaBinomial(trials=1).binary  # a score, though of a single point


@EVERY
def test_a_family_that_is_recommended_instead_is_one(case):
    kinds = {cls.kind for cls in FAMILIES}
    assert {case.family.heavier_tailed, case.family.overdispersed} - {""} <= kinds - {case.family.kind}


class Cloglog(Bernoulli):
    """What a family of another link between two ends is without saying more."""

    link_name = "cloglog"

    def link(self, values):
        return np.log(-np.log1p(-np.asarray(values, dtype=float)))


def test_groups_may_differ_as_far_on_a_link_that_nobody_has_named():
    """From a probability of 0.5 to 0.92, as 2.5 logits lead: log(-log(0.08)) - log(-log(0.5))."""
    assert Cloglog().between_groups(0.4) == pytest.approx(np.log(np.log(0.08) / np.log(0.5)))
    assert Cloglog().between_groups(3.0) == 3.0
    assert (Bernoulli().between_groups(0.4), Gaussian().between_groups(0.4), Poisson().between_groups(0.4)) == (
        2.5,
        0.4,
        0.4,
    )


def test_what_the_exponential_of_a_difference_is_called():
    named = {case.family.kind: case.family.ratio for case in CASES if not case.name.endswith("probit")}
    assert {k for k, v in named.items() if v == "odds ratio"} == {
        "cumulative",
        "ordered_beta",
        "beta_binomial",
        "bernoulli",
    }
    assert {k for k, v in named.items() if not v} == {"gaussian", "student_t"}
    assert Cumulative(**GRADES, link_="probit").ratio == Cloglog().ratio == ""


@EVERY
def test_a_zero_part_is_a_probability(case):
    """Its clinical scale is set on the logit."""
    assert case.family.part("location") is case.family
    if case.family.has_zero_part:
        assert case.family.part("zero").link_name == "logit"
        assert case.family.part("zero").inverse(0.0) == 0.5


@EVERY
def test_link_and_inverse_undo_each_other(case):
    if not case.family.anchored:
        y = {"bernoulli": [0.1, 0.9], "ordered_beta": [0.3, 4.0], "beta_binomial": [0.3, 17.0]}.get(
            case.name, [0.3, 700.0]
        )
        np.testing.assert_allclose(case.family.inverse(case.family.link(np.array(y))), y, rtol=1e-12)


@pytest.mark.parametrize(
    ("family", "step"),
    [(BetaBinomial(trials=20), 1e-6), (OrderedBeta(lower=-1, upper=5), 1e-6), (Bernoulli(), 1e-6)],
    ids=lambda x: getattr(x, "kind", None),
)
def test_the_spread_of_a_share_is_the_slope_of_the_logit(family, step):
    slope = (family.link(0.8 + step) - family.link(0.8 - step)) / (2 * step)
    assert family.spread(2.5, 0.8) == pytest.approx(2.5 * slope, rel=1e-6)


@EVERY
def test_the_spread_is_an_sd_or_the_log_of_a_ratio(case):
    if case.family.link_name == "log":
        assert case.family.spread(2.5, 40.0) == pytest.approx(np.log(2.5))
    elif case.family.link_name == "identity" or case.family.anchored:
        assert case.family.spread(2.5, 40.0) == 2.5


@EVERY
def test_defaults_are_positive_and_set_on_the_clinical_scale(case):
    priors = case.family.parameters(SCALE)
    wider = case.family.parameters(Scale(typical=0.4, spread=1.6, unit="u", time_unit="month"))
    assert all(p.support == "positive" for p in priors.values() if not isinstance(p, Joint))
    for name in {"sigma", "cv", "sd_observation"} & set(priors):
        assert priors[name].quantile(0.5) == pytest.approx(0.4 * stats.halfnorm.median())
        assert wider[name].quantile(0.5) == pytest.approx(2 * priors[name].quantile(0.5))


@pytest.mark.parametrize("family", [BetaBinomial(trials=20), OrderedBeta(lower=0, upper=5)], ids=lambda f: f.kind)
def test_the_default_precision_scatters_by_half_the_spread(family):
    precision = family.parameters(SCALE)["precision"].quantile(0.5)
    m = stats.logistic.cdf(0.4)
    sd = stats.beta(m * precision, (1 - m) * precision).std()
    assert sd / (m * (1 - m)) == pytest.approx(0.4)
    widest = family.parameters(Scale(typical=0.4, spread=50.0, unit="u", time_unit="month"))["precision"]
    assert widest.quantile(0.5) == pytest.approx(1)


def test_default_cuts_put_a_twentieth_or_so_at_an_end():
    cut = OrderedBeta(lower=0, upper=5).parameters(SCALE)["cut_ceiling"]
    shares = [stats.logistic.cdf(-cut.quantile(p)) for p in (0.975, 0.5, 0.025)]
    np.testing.assert_allclose(shares, [0.0003, 0.047, 0.245], atol=0.003)


# What a cell is


def test_a_score_is_at_an_end_only_where_it_equals_the_end():
    family = OrderedBeta(lower=0.0, upper=5.0)
    near = np.array([0.0, 5e-324, 1e-300, np.nextafter(5.0, 0.0), 5.0])
    np.testing.assert_array_equal(np.isin(family.encode(near), (0.0, 1.0)), [True, False, False, False, True])
    aux = {"cut_floor": 3.0, "cut_ceiling": 3.0, "precision": 0.01}
    for location in (-800.0, -40.0, 0.0, 40.0, 800.0):
        assert np.isfinite(family.log_density(Cells(family.encode(near)), {"location": location}, aux)).all()
        draws = family.draw(np.random.default_rng(1), {"location": np.full(100, location)}, aux)
        assert family.check(draws).all()


@pytest.mark.parametrize("coding", ["mrc", "mrc_plus", "mrc_10"])
def test_codings_are_read_back_as_they_were_typed(coding):
    family = Cumulative(coding=coding)
    scores = np.array(list(family.texts().values()))
    assert (np.diff(scores) > 0).all()
    np.testing.assert_array_equal(family.encode(scores), np.arange(len(scores)))
    assert family.encode(scores).dtype == np.int64
    assert family.faults() == ()


def test_plus_grades_lie_around_the_grade():
    texts = Cumulative(coding="mrc_plus").texts()
    assert list(texts) == ["0", "1", "2", "3", "4-", "4", "4+", "5"]
    assert (texts["4-"], texts["4"], texts["4+"]) == (3.67, 4.0, 4.33)


def test_merged_levels_are_one_category_with_the_mean_of_their_scores():
    family = Cumulative(coding="mrc_plus", merge=(("0", "1"), ("4-", "4", "4+")))
    texts = family.texts()
    assert texts["0"] == texts["1"] == 0.5
    assert texts["4-"] == texts["4+"] == pytest.approx(4)
    assert family.categories == (("0", "1"), ("2",), ("3",), ("4-", "4", "4+"), ("5",))
    np.testing.assert_array_equal(family.encode(np.array([texts[t] for t in ("1", "2", "4", "5")])), [0, 1, 3, 4])
    assert family.parameters(SCALE)["thresholds"].names == ("threshold_1", "threshold_2", "threshold_3", "threshold_4")


def test_the_first_level_of_grades_is_zero_and_the_link_is_named():
    family = Cumulative(coding="mrc", link_="probit")
    assert family.anchored
    assert family.link(3.0) == 0
    assert (family.link_name, family.r_formula) == ("probit", 'cumulative("probit")')


def test_stated_shares_set_the_concentrations():
    family = Cumulative(**GRADES, shares=(0.1, 0.2, 0.3, 0.4))
    assert family.faults() == ()
    assert str(family.parameters(SCALE)["thresholds"]) == "induced_dirichlet(0.4, 0.8, 1.2, 1.6)"


@pytest.mark.parametrize(
    ("family", "key"),
    [
        (BetaBinomial(trials=0), "trials"),
        (OrderedBeta(lower=5, upper=5), "upper"),
        (Cumulative(), "coding"),
        (Cumulative(coding="mrc", levels=("1", "2")), "coding"),
        (Cumulative(levels=("1",)), "levels"),
        (Cumulative(levels=("1", "1", "2")), "levels"),
        (Cumulative(levels=("poor", "good")), "scores"),
        (Cumulative(levels=("2", "1")), "scores"),
        (Cumulative(levels=("poor", "good"), scores=(1.0,)), "scores"),
        (Cumulative(coding="mrc", scores=(1.0, 1.0, 2.0, 3.0, 4.0, 5.0)), "scores"),
        (Cumulative(coding="mrc", merge=(("0", "2"),)), "merge"),
        (Cumulative(coding="mrc", merge=(("0",),)), "merge"),
        (Cumulative(coding="mrc", merge=(("0", "9"),)), "merge"),
        (Cumulative(coding="mrc", merge=(("0", "1"), ("1", "2"))), "merge"),
        (Cumulative(coding="mrc", merge=(("0", "1", "2", "3", "4", "5"),)), "merge"),
        (Cumulative(coding="mrc", shares=(0.5, 0.5)), "shares"),
        (Cumulative(**GRADES, shares=(0.5, 0.5, 0.5, 0.5)), "shares"),
        (Cumulative(**GRADES, shares=(0.0, 0.5, 0.25, 0.25)), "shares"),
    ],
)
def test_fields_that_do_not_go_together_are_faults(family, key):
    ((found, message),) = family.faults()
    assert found == key
    assert message


def test_levels_that_are_numbers_are_their_own_scores():
    assert Cumulative(levels=("0", "0.5", "2")).texts() == {"0": 0.0, "0.5": 0.5, "2": 2.0}


# Limits


def censored(family, y):
    """Cells in which every second measurement is only known by its limits: below, above, between, measured."""
    low = np.array([-np.inf, y[1], y[2], y[3]])
    high = np.array([y[0], np.inf, y[3], y[3]])
    return Cells(family.encode(y), family.encode(low), family.encode(high))


def probability(dist, low, high):
    """log P(low < y < high), in the nearer tail."""
    if dist.cdf(low) > 0.5:
        return np.log(dist.sf(low) - dist.sf(high))
    return np.log(dist.cdf(high) - dist.cdf(low))


@CENSORABLE
@pytest.mark.parametrize("shift", [0.0, -1.5, 1.5])
def test_a_censored_cell_counts_the_probability_between_its_limits(case, shift):
    dist = law(case, LOCATION + shift).continuous
    y = law(case).continuous.ppf([0.1, 0.9, 0.3, 0.6])
    found = case.family.log_density(censored(case.family, y), {"location": LOCATION + shift}, case.aux)
    expected = [dist.logcdf(y[0]), dist.logsf(y[1]), probability(dist, y[2], y[3]), dist.logpdf(y[3])]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@CENSORABLE
def test_an_interval_is_the_integral_of_the_density(case):
    a, b = law(case).continuous.ppf([0.2, 0.7])
    total, _ = integrate.quad(lambda y: float(np.exp(log_density(case, y))), a, b)
    low, high = case.family.encode(a), case.family.encode(b)
    found = case.family.log_density(Cells(low, low, high), eta(case.family), case.aux)
    assert found == pytest.approx(np.log(total), rel=1e-7)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.name in ("lognormal", "gamma", "gamma_wide")], ids=lambda c: c.name
)
def test_an_interval_from_zero_is_all_below_its_upper_limit(case):
    zero, limit = case.family.encode(0.0), case.family.encode(1.3)
    for low in (zero, case.family.encode(-np.inf)):
        found = case.family.log_density(Cells(zero, low, limit), eta(case.family), case.aux)
        assert found == pytest.approx(law(case).continuous.logcdf(1.3), rel=1e-9)


def test_a_limit_forty_sds_out_stays_finite_on_either_side():
    limits = np.array([-40.0, 40.0, 39.0])
    cells = Cells(limits, np.array([-np.inf, 40.0, 39.0]), np.array([-40.0, np.inf, 40.0]))
    found = Gaussian().log_density(cells, {"location": 0.0}, {"sigma": 1.0})
    expected = [stats.norm.logcdf(-40), stats.norm.logsf(40), stats.norm.logsf(39)]  # 39 to 40 is 39 and beyond
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_far_tails_of_the_t_and_the_gamma_continue_where_scipy_underflows():
    """log P beyond the limit against the integral of the density relative to its value at the limit."""
    for family, aux, limit, width in [
        (StudentT(), {"sigma": 1.0, "nu": 400.0}, 200.0, 60.0),
        (StudentT(), {"sigma": 1.0, "nu": 1e6}, 45.0, 2.0),
        (Gamma(), {"cv": 0.1}, 15.0, 3.0),
        (Gamma(), {"cv": 0.02}, 3.0, 0.2),
    ]:

        def relative(y, family=family, aux=aux, limit=limit):
            at = [float(family.log_density(Cells(v), {"location": 0.0}, aux)) for v in (y, limit)]
            return np.exp(at[0] - at[1])

        integral, _ = integrate.quad(relative, limit, limit + width, epsabs=0, epsrel=1e-9, limit=400)
        expected = float(family.log_density(Cells(limit), {"location": 0.0}, aux)) + np.log(integral)
        found = family.log_density(Cells(limit, limit, np.inf), {"location": 0.0}, aux)
        assert expected < -745  # scipy has no such number
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    low = Gamma().log_density(Cells(0.2, -np.inf, 0.2), {"location": 0.0}, {"cv": 0.02})
    near = Gamma().log_density(Cells(np.array([0.2, 0.2001])), {"location": 0.0}, {"cv": 0.02})
    decay = (near[1] - near[0]) / 0.0001  # the density falls off exponentially below the limit
    assert low == pytest.approx(near[0] - np.log(decay), rel=1e-4)


def test_a_gamma_with_a_wild_scatter_has_no_limit_at_zero():
    """A shape of 0.01 puts a thousandth of the probability below 1e-300."""
    found = Gamma().log_density(Cells(2.0, -np.inf, 2.0), {"location": 0.0}, {"cv": 10.0})
    assert found == pytest.approx(stats.gamma(0.01, scale=100).logcdf(2.0), rel=1e-10)


# Counts and shares at the edge of floating point


def test_a_negative_binomial_with_almost_no_scatter_is_a_poisson():
    y = np.array([0, 3, 20, 500])
    found = NegativeBinomial().log_density(Cells(y), {"location": np.log([0.1, 2.0, 20.0, 480.0])}, {"cv": 1e-8})
    np.testing.assert_allclose(found, stats.poisson.logpmf(y, [0.1, 2.0, 20.0, 480.0]), rtol=1e-9)


@pytest.mark.parametrize("cv", [1e-4, 0.01, 0.0316, 0.0317, 1.0, 8.0])
def test_the_negative_binomial_is_its_product_formula(cv):
    """P(y) = prod((shape + i) / (i + 1)) * p^y * (1 - p)^shape, one factor after another."""
    y, mu, shape = 40, 30.0, cv**-2.0
    factors = sum(np.log1p(i / shape) - np.log1p(i) for i in range(y))
    expected = factors + y * (np.log(mu) - np.log1p(mu / shape)) - shape * np.log1p(mu / shape)
    found = NegativeBinomial().log_density(Cells(y), {"location": np.log(mu)}, {"cv": cv})
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("y", [0, 1, 7, 400])
@pytest.mark.parametrize("sd", [0.01, 0.5, 2.0, 4.0])
def test_the_observation_effect_is_integrated_out(y, sd):
    for location in (-3.0, 2.0):

        def integrand(z, location=location):
            return np.exp(stats.poisson.logpmf(y, np.exp(location + sd * z)) - z**2 / 2) / np.sqrt(2 * np.pi)

        z = np.linspace(-12, 12, 400_001)
        with np.errstate(over="ignore", invalid="ignore"):
            expected = np.nansum(integrand(z)) * (z[1] - z[0])
        if expected > 1e-250:
            case = {"sd_observation": sd}
            found = Poisson(observation_effect=True).log_density(Cells(y), {"location": location}, case)
            assert found == pytest.approx(np.log(expected), abs=2e-7)


def test_draws_of_counts_survive_a_wild_prior(rng):
    wild = {"location": np.array([-1e4, 800.0])}
    for family, aux in [(Poisson(), {}), (NegativeBinomial(), {"cv": 30.0}), (NegativeBinomial(), {"cv": 1e-6})]:
        assert family.check(family.draw(rng, wild, aux)).all()


def test_the_beta_binomial_is_finite_where_the_share_rounds_to_an_end(rng):
    family, y = BetaBinomial(trials=20), np.array([0, 1, 20])
    for location in (-800.0, 800.0):
        for precision in (1e-3, 1.0, 1e4):
            assert np.isfinite(family.log_density(Cells(y), {"location": location}, {"precision": precision})).all()
            draws = family.draw(rng, {"location": np.full(50, location)}, {"precision": precision})
            assert (draws == (20 if location > 0 else 0)).all()


# The positive doses of a hurdle


def test_the_normal_part_of_a_hurdle_is_its_positive_cells():
    family, y = HurdleLogNormal(), np.array([0.0, 5.0, 0.0, 20.0])
    np.testing.assert_array_equal(family.normal_cells(family.encode(y)), [1, 3])
    np.testing.assert_allclose(family.on_link(family.encode(y)[[1, 3]], np), np.log([5.0, 20.0]))
    assert (family.predictors(), family.normal, family.censorable) == (("location", "zero"), True, False)
