"""What a design comes to, and what is true under a scenario, against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayesmyo.model.planned import PATIENTS, schedule, true_values
from bayesmyo.study import parse_study
from bayesmyo.study.design import FollowUp, Loss, Visits
from tests.conftest import SMALL

SPREAD = 4  # Monte Carlo errors
STRENGTH = """
[estimands.strength_gain]
kind = "change"
outcome = "strength"
from = 0
to = 12

[estimands.strength_new]
kind = "level"
outcome = "strength"
at = 12
population = "new patient"

[decisions.gains]
kind = "probability"
estimand = "strength_gain"
above = 3.0
probability = 0.9

[decisions.precise]
kind = "precision"
estimand = "strength_gain"
width = 3.0

[design]"""


@pytest.fixture(scope="module")
def study():
    return parse_study(
        SMALL.replace("\n[design]", STRENGTH)
        + '\n[scenarios.hope]\nlike = "improves"\nstrength = { slope = "normal(0.25, 0.1)" }\n'
    )


def of(study, **changes):
    return schedule(study, replace(study.design, **changes))


def share(p):
    """A share of so many patients, with its Monte Carlo error."""
    return pytest.approx(p, abs=SPREAD * np.sqrt(p * (1 - p) / PATIENTS))


def test_a_protocol_is_followed_by_all_who_are_not_lost(study):
    found = of(study, follow_up=12.0, visits=Visits(first=(0.0, 3.0, 6.0, 12.0), jitter=0.4), loss=Loss(hazard=0.02))
    stay = np.exp(-0.02 * 12)
    assert found.lost == share(1 - stay)
    assert found.seen[12.0] == pytest.approx(stay, abs=0.02)  # a few are seen for the last time just before they leave
    before = of(study, follow_up=11.0, visits=Visits(first=(0.0,), then_every=1.0, jitter=0.4))
    assert before.seen[12.0] == 0  # nobody is to come then, however near the last visit is
    assert found.visits[2] == 4
    everyone = of(study, follow_up=12.0, visits=Visits(first=(0.0, 3.0, 12.0), jitter=0.4))
    assert (everyone.visits, everyone.lost) == ((3, 3, 3), 0)
    assert everyone.seen[12.0] == 1  # an early visit is still the one that was planned


def test_visits_and_follow_up_are_those_of_the_distribution(study):
    found = of(study, follow_up=FollowUp(mean=24, sd=12, maximum=1000), visits=Visits(first=(0.0,), then_every=0.01))
    gamma = stats.gamma(4, scale=6)
    assert found.last == pytest.approx([gamma.ppf(0.05), 24, gamma.ppf(0.95)], rel=0.05)
    assert found.lost == 0
    assert found.seen[12.0] == share(gamma.sf(12))


def test_a_true_value_is_that_of_the_formula(study):
    found = true_values(study, "improves")
    assert found["strength_gain"].value == pytest.approx(12 * 0.5)
    half = 0.5 ** (12 / 3)
    # medians on the log scale: the outcome reports geometric means
    assert found["cpk_ratio_12"].value == pytest.approx((200 / 800) ** (1 - half), rel=1e-6)
    assert found["strength_gain"].lower is None
    assert "strength_new" not in found  # another one each time


def test_which_decisions_are_right_follows_from_the_true_value(study):
    found = true_values(study, "improves")
    assert found["strength_gain"].right == {"gains": 1.0, "precise": None}
    assert found["cpk_ratio_12"].right == {"cpk_halved": 1.0}


def test_what_is_asked_of_these_patients_differs_from_cohort_to_cohort(study):
    text = study.text.replace(
        "to = 12\n\n[estimands.strength_new]", 'to = 12\npopulation = "these patients"\n\n[estimands.strength_new]'
    )
    found = true_values(parse_study(text), "improves", patients=9)["strength_gain"]
    normal = stats.norm(12 * 0.5, 12 * 0.25 / 3)  # of the mean slope of nine
    assert (found.lower, found.value, found.upper) == pytest.approx(normal.ppf([0.05, 0.5, 0.95]), abs=0.5)
    assert found.right["gains"] == pytest.approx(normal.sf(3.0), abs=0.05)


def test_the_rules_of_another_study_may_be_asked_about(study):
    rule = replace(study.decisions["gains"], above=7.0)
    assert true_values(study, "improves", {"more": rule})["strength_gain"].right == {"more": 0.0}


def test_an_uncertain_truth_is_a_distribution(study):
    found = true_values(study, "hope")["strength_gain"]
    normal = stats.norm(12 * 0.25, 12 * 0.1)
    assert (found.lower, found.value, found.upper) == pytest.approx(normal.ppf([0.05, 0.5, 0.95]), abs=0.35)
    assert found.right["gains"] == pytest.approx(normal.sf(3.0), abs=SPREAD * np.sqrt(0.25 / 200))
