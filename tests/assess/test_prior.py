"""What the priors believe, against draws written here."""

import numpy as np
import pytest

from bayesmyo.assess.prior import DRAWS, check_prior, plausible, prior_beliefs, times
from bayesmyo.study import parse_study, read_study
from tests.conftest import MODELS, SMALL

SIMPLE = """
[study]
title = "S"
patient = "p"
time = { column = "t", unit = "month", typical = 10 }
interval = 0.9
[covariates.sex]
levels = ["f", "m"]
shares = [0.25, 0.75]
[outcomes.cpk]
column = "cpk"
label = "CPK"
unit = "IU/L"
better = "lower"
typical = 500
scale = 2
plausible = [10, 20000]
family = { kind = "lognormal" }
trajectory = { kind = "linear" }
covariates = ["sex"]
moderators = ["sex"]
"""
MANY = 400_000


def by_hand(rng, t):
    """Measurements of new patients at time t under the default priors of SIMPLE, from their definitions."""
    s = np.log(2)
    sd_start, sd_slope = (np.abs(rng.normal(0, x, MANY)) for x in (s, s / 10))
    r = 2 * rng.beta(2, 2, MANY) - 1
    z, w = rng.standard_normal((2, MANY))
    male = rng.uniform(size=MANY) < 0.75
    start = rng.normal(np.log(500), s, MANY) + rng.normal(0, s, MANY) * male + sd_start * z
    slope = (
        rng.normal(0, 2 * s / 10, MANY)
        + rng.normal(0, s / 10, MANY) * male
        + sd_slope * (r * z + np.sqrt(1 - r**2) * w)
    )
    sigma = np.abs(rng.normal(0, s / 2, MANY))
    return np.exp(start + slope * t + sigma * rng.standard_normal(MANY))


@pytest.mark.parametrize("t", [0, 2.5, 10])
def test_beliefs_are_those_of_draws_by_hand(rng, t):
    draws = 40_000
    (found,) = [b for b in prior_beliefs(parse_study(SIMPLE), draws=draws) if b.time == t]
    y = np.log(by_hand(rng, t))
    expected = np.quantile(y, [0.05, 0.5, 0.95])
    assert np.log([found.lower, found.median, found.upper]) == pytest.approx(expected, abs=0.05 * y.std())
    inside = np.mean((y > np.log(10)) & (y < np.log(20000)))
    assert found.plausible == pytest.approx(inside, abs=5 * np.sqrt(inside * (1 - inside) / draws))
    assert (found.outcome, found.unit, found.at_lower, found.at_upper) == ("cpk", "IU/L", None, None)


def test_the_same_seed_gives_the_same_beliefs():
    study = parse_study(SIMPLE)
    assert prior_beliefs(study) == prior_beliefs(study) != prior_beliefs(study, seed=2)


@pytest.mark.parametrize(
    ("unit", "typical", "expected"),
    [("month", 31, (0, 6, 24)), ("year", 2, (0, 0.5, 2)), ("day", 800, (0, 182.625, 730.5)), ("day", 9, (0, 2.25, 9)),
     ("year", 20, (0, 5, 20))],
)  # fmt: skip
def test_times_are_the_same_months_in_every_calendar_unit_unless_a_study_is_much_shorter_or_longer(
    unit, typical, expected
):
    study = parse_study(SIMPLE.replace('unit = "month", typical = 10', f'unit = "{unit}", typical = {typical}'))
    assert times(study) == pytest.approx(expected)


def test_where_time_is_no_calendar_unit_a_typical_follow_up_is_looked_at():
    assert times(parse_study(SIMPLE.replace('unit = "month"', 'unit = "infusion"'))) == (0, 2.5, 10)


# --- ends and the plausible range

FAMILIES = {
    "gaussian": ('"gaussian"', 500, (None, None)),
    "lognormal": ('"lognormal"', 500, (None, None)),
    "poisson": ('"poisson"', 5, (0, None)),
    "negative_binomial": ('"negative_binomial"', 5, (0, None)),
    "ordered_beta": ('"ordered_beta", lower = 1, upper = 6', 3, (1, 6)),
    "beta_binomial": ('"beta_binomial", trials = 8', 4, (0, 8)),
    "cumulative": ('"cumulative", levels = ["none", "some", "all"], scores = [0.5, 2, 4]', None, (0.5, 4)),
}


def of_family(kind, more=""):
    family, typical, _ = FAMILIES[kind]
    text = SIMPLE.replace('"lognormal"', family).replace("plausible = [10, 20000]\n", more).replace("sex = ", "")
    return parse_study(text.replace("typical = 500\n", "" if typical is None else f"typical = {typical}\n"))


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_ends_of_every_family(kind):
    study = of_family(kind)
    assert study.outcomes["cpk"].family.ends() == FAMILIES[kind][2]
    low, high = FAMILIES[kind][2]
    for b in prior_beliefs(study, draws=500):
        assert (b.at_lower is None) is (low is None)
        assert (b.at_upper is None) is (high is None)
        assert low is None or 0 < b.at_lower < 1
        assert high is None or 0 < b.at_upper < 1
        assert b.plausible == (1 if high is not None else None)


def test_the_plausible_range_holds_its_ends():
    o = of_family("gaussian", "plausible = [10, 20]\n").outcomes["cpk"]
    assert plausible(o, np.array([9.9, 10, 15, 20, 20.1])) == 0.6


# --- the check


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.toml")), ids=lambda p: p.stem)
def test_the_priors_of_every_bundled_study_are_those_of_patients(path):
    study = read_study(path)
    found = check_prior(study)
    assert found.passed, found.sentence
    assert len(found.table) == 3 * len(study.outcomes)


def test_absurd_priors_fail_with_a_message(ivig):
    study = parse_study(ivig.text.replace("scale = 2.5  ", "scale = 15  "))
    found = check_prior(study)
    assert not found.passed
    worst = min(r["plausible"] for r in found.table if r["outcome"] == "cpk")
    assert found.sentence.startswith(
        f"Only {worst:.0%} of patients drawn from the priors have a plausible creatine phosphokinase "
        "(10.0 to 100,000 IU/L) at month 24; 85% are asked: declare a smaller scale, or tighter priors."
    )


WILD = [
    'priors = { slope = "normal(0, 100)" }',
    'priors = { intercept = "normal(0, 1000)" }',
    'priors = { sd_slope = "halfcauchy(100)" }',
]


@pytest.mark.parametrize("family", ["lognormal", "gamma", "negative_binomial", "poisson", "hurdle_lognormal"])
@pytest.mark.parametrize("prior", WILD)
def test_the_wildest_priors_are_judged_without_a_warning(family, prior):
    """The logs of what is drawn reach thousands: an amount is infinite, or zero."""
    zero = '[outcomes.cpk.zero]\ntypical = 0.1\nscale = 0.1\ntrajectory = { kind = "constant" }\n'
    text = SIMPLE.replace('"lognormal"', f'"{family}"') + prior + "\n"
    assert not check_prior(parse_study(text + (zero if family == "hurdle_lognormal" else ""))).passed


def test_outcomes_that_cannot_be_judged_are_named():
    found = check_prior(parse_study(SMALL.replace('label = "CPK"', 'label = "CPK"\nplausible = [1, 1000000]')))
    assert found.passed
    assert found.sentence == (
        "At least 85% of patients drawn from the priors look like patients at every time. "
        "Not judged, because no plausible range is declared: Strength. Declare what such patients may ever have: "
        "plausible = [lowest, highest] in [outcomes.strength]."
    )
    assert [r["plausible"] is None for r in found.table] == [True] * 3 + [False] * 3


def test_where_no_outcome_can_be_judged_nothing_is_claimed(small):
    found = check_prior(small)
    assert found.passed
    assert (
        found.sentence
        == "No outcome was judged. Not judged, because no plausible range is declared: Strength, CPK. Declare what "
        "such patients may ever have: plausible = [lowest, highest] in [outcomes.strength], and so on."
    )


def test_what_fails_and_what_is_not_judged_are_both_told():
    text = SMALL.replace('label = "CPK"', 'label = "CPK"\nplausible = [1100, 1300]')
    found = check_prior(parse_study(text))
    assert not found.passed
    assert found.sentence.startswith("Only ")
    assert found.sentence.endswith(
        "Not judged, because no plausible range is declared: Strength. Declare what such patients may ever have: "
        "plausible = [lowest, highest] in [outcomes.strength]."
    )


def test_enough_patients_are_drawn_for_two_digits():
    assert 3 * np.sqrt(0.85 * 0.15 / DRAWS) < 0.02
