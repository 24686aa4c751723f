"""Those who left follow another course: against the same course written down once more, and against closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.cohort.cohort import Exits
from bayesmyo.components.courses import COURSES
from bayesmyo.components.estimands import Criterion
from bayesmyo.model.leaving import Left, Rates, left
from bayesmyo.model.left import Departed
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import OutcomeTruth, Truth
from bayesmyo.study import parse_study

WORDS = {c.kind: c() for c in COURSES}
DRAWS, PATIENTS = 400, 8
STUDY = """
[study]
title = "Two arms"
patient = "patient"
time = { column = "month", unit = "month", typical = 24 }

[covariates.arm]
levels = ["control", "treated"]

[outcomes.score]
column = "score"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
moderators = ["arm"]

[outcomes.cpk]
column = "cpk"
unit = "IU/L"
better = "lower"
typical = 1000
scale = 2.5
family = { kind = "lognormal" }
trajectory = { kind = "linear" }

[outcomes.grade]
column = "grade"
unit = "grade"
better = "higher"
typical = 3
scale = 0.7
family = { kind = "ordered_beta", lower = 0, upper = 5 }
trajectory = { kind = "linear" }
"""


@pytest.fixture(scope="module")
def prediction():
    rng = np.random.default_rng(1)

    def around(value, spread=0.02):
        return value + spread * rng.standard_normal(DRAWS)

    def own(*sds):
        return {
            k: sd * rng.standard_normal((DRAWS, PATIENTS)) for k, sd in zip(("intercept", "slope"), sds, strict=True)
        }

    common = {"correlation": around(-0.3)}
    score = {
        "intercept": around(50, 1),
        "slope": around(0.1),
        "slope_arm_treated": around(0.5),
        "sd_intercept": around(8),
        "sd_slope": around(0.3),
        "sigma": around(4),
        **common,
    }
    cpk = {
        "intercept": around(7),
        "slope": around(-0.05, 0.005),
        "sd_intercept": around(0.8),
        "sd_slope": around(0.1, 0.005),
        "sigma": around(0.3),
        **common,
    }
    grade = {
        "intercept": around(0.4),
        "slope": around(0.05, 0.005),
        "sd_intercept": around(0.8),
        "sd_slope": around(0.1, 0.005),
        "precision": around(10),
        "cut_floor": around(3),
        "cut_ceiling": around(2),
        **common,
    }
    outcomes = {
        "score": OutcomeTruth(score, own(8, 0.3)),
        "cpk": OutcomeTruth(cpk, own(0.8, 0.1)),
        "grade": OutcomeTruth(grade, own(0.8, 0.1)),
    }
    arm = np.tile([0.0, 1.0], PATIENTS // 2)
    return TruthPrediction(parse_study(STUDY), Truth(outcomes, {}, {"arm_treated": arm}), seed=3)


def leaving(hazard=0.03, groups=1):
    exits = np.array([30.0, 5.0, 6.0, 9.0, 30.0, 3.0, 14.0, 30.0])
    who = np.array([False, True, True, True, False, False, True, False])
    draws = hazard * np.exp(0.2 * np.random.default_rng(2).standard_normal((DRAWS, groups)))
    return Left(who, exits, Rates(draws))


def departed(prediction, word, amount, group="", outcomes=("score", "cpk", "grade")):
    groups = 2 if group else 1
    amounts = {o: np.full(groups, amount) for o in outcomes}
    return Departed(prediction, leaving(groups=groups), WORDS[word], group, amounts)


def line(prediction, outcome, time, columns=None):
    """(draw, patient) the own course, written down apart."""
    o, arm = (
        prediction.truth.outcomes[outcome],
        prediction.truth.covariates["arm_treated"] if columns is None else columns,
    )
    slope = o.values["slope"][:, None] + o.effects["slope"]
    if outcome == "score":
        slope = slope + o.values["slope_arm_treated"][:, None] * arm
    return o.values["intercept"][:, None] + o.effects["intercept"] + slope * time


def mean_line(prediction, outcome, time, arm):
    o = prediction.truth.outcomes[outcome].values
    slope = o["slope"][:, None] + (o["slope_arm_treated"][:, None] * arm if outcome == "score" else 0.0)
    return o["intercept"][:, None] + slope * time + 0.0 * arm


@pytest.mark.parametrize("outcome", ["score", "cpk"])
@pytest.mark.parametrize("word", [w for w in WORDS if w != "never"])
def test_each_of_these_patients_follows_the_course(prediction, word, outcome):
    who, exits, t, a = leaving().who, leaving().time, 12.0, -0.4
    own, arm = line(prediction, outcome, t), prediction.truth.covariates["arm_treated"]
    sign = -1.0 if outcome == "cpk" else 1.0
    start = prediction.truth.outcomes[outcome].effects["intercept"]
    at_exit = line(prediction, outcome, exits)
    reference, before = (mean_line(prediction, outcome, time, 0.0 * arm) + start for time in (t, exits))
    after = {
        "shift": own + sign * a, "drift": own + sign * a * (t - exits),
        "return": own + a * (line(prediction, outcome, 0.0) - own),
        "stay": at_exit, "reference": np.where(arm > 0, reference, own),
        "copy increments": np.where(arm > 0, at_exit + reference - before, own),
    }[word]  # fmt: skip
    expected = np.where(who & (exits < t), after, own)
    group = "arm" if WORDS[word].compares else ""
    moved = departed(prediction, word, a, group)
    np.testing.assert_allclose(moved.patients(outcome, t)["location"], expected, rtol=1e-10)
    natural = np.exp(expected) if outcome == "cpk" else expected
    np.testing.assert_allclose(moved.each(outcome, t), natural, rtol=1e-10)
    average = np.exp(expected.mean(axis=-1)) if outcome == "cpk" else expected.mean(axis=-1)
    np.testing.assert_allclose(moved.level(outcome, t, "these patients"), average, rtol=1e-10)


@pytest.mark.parametrize("population", ["population average", "average patient"])
def test_a_shift_moves_a_population_by_the_share_that_has_left(prediction, population):
    """Gaussian, identity link: by d P(left by t), exactly."""
    t, d = 18.0, -7.0
    share = 1 - np.exp(-leaving().hazard.rates[:, 0] * t)
    own, moved = (p.level("score", t, population) for p in (prediction, departed(prediction, "shift", d)))
    np.testing.assert_allclose(moved, own + d * share, rtol=1e-12)
    assert np.array_equal(
        departed(prediction, "shift", d).level("score", 0.0, population), prediction.level("score", 0.0, population)
    )


@pytest.mark.parametrize("word", ["shift", "drift", "return", "stay", "reference", "copy increments"])
@pytest.mark.parametrize(("outcome", "summary"), [("score", None), ("cpk", None), ("cpk", "mean"), ("grade", None)])
def test_a_population_is_the_mixture_of_both_courses(prediction, word, outcome, summary):
    """Against many new patients, each with an exit of its own, whose course is written down once more."""
    rng, t, a, n = np.random.default_rng(5), 18.0, -0.3, 20_000
    group = "arm" if WORDS[word].compares else ""
    moved = departed(prediction, word, a, group)
    given = {"arm": "treated"}
    got = moved.level(outcome, t, "population average", summary, given=given)[:3]
    o = prediction.truth.outcomes[outcome].values
    for k in range(3):
        sds = [o["sd_intercept"][k], o["sd_slope"][k]]
        cov = np.array([[1, o["correlation"][k]], [o["correlation"][k], 1]]) * np.outer(sds, sds)
        b = rng.multivariate_normal([0, 0], cov, n // 2)
        b = np.concatenate([b, -b])
        more = o["slope_arm_treated"][k] if outcome == "score" else 0.0

        def eta(time, arm=1.0, b=b, k=k, more=more):
            return o["intercept"][k] + b[:, 0] + (o["slope"][k] + more * arm + b[:, 1]) * time

        exits = rng.permutation(-np.log1p(-(np.arange(n) + 0.5) / n)) / moved.left.hazard.rates[k, -1]
        own, at_exit, sign = eta(t), eta(exits), -1.0 if outcome == "cpk" else 1.0
        slope = o["slope"][k]
        mean = o["intercept"][k] + slope * t + b[:, 0]
        after = {
            "shift": own + sign * a, "drift": own + sign * a * (t - exits), "return": own + a * (eta(0.0) - own),
            "stay": at_exit,
            "reference": mean, "copy increments": at_exit + slope * (t - exits),
        }[word]  # fmt: skip
        etas = np.where(exits < t, after, own)
        family = prediction.study.outcomes[outcome].family
        values = {name: v[k] for name, v in o.items()}
        if outcome == "cpk" and summary is None:
            natural, expected = np.exp(etas), np.exp(etas.mean())
            error = expected * etas.std() / np.sqrt(n)
        else:
            natural = family.mean({"location": etas}, values)
            expected, error = natural.mean(), natural.std() / np.sqrt(n)
        assert got[k] == pytest.approx(expected, abs=5 * error), word


@pytest.mark.parametrize("population", ["these patients", "population average"])
def test_an_amount_of_zero_changes_nothing(prediction, population):
    still = departed(prediction, "shift", 0.0)
    for outcome in ("score", "cpk", "grade"):
        np.testing.assert_allclose(
            still.level(outcome, 12.0, population), prediction.level(outcome, 12.0, population), rtol=1e-12
        )
    criteria = {"score": Criterion(of="change", at_least=5), "cpk": Criterion(at_most=800)}
    assert np.array_equal(
        still.share(criteria, 12.0, 0.0, population), prediction.share(criteria, 12.0, 0.0, population)
    )


def test_a_share_counts_those_who_are_gone_by_their_course(prediction):
    criteria = {"score": Criterion(at_least=52)}
    t, d = 12.0, -6.0
    gone = leaving().who & (leaving().time < t)
    own = line(prediction, "score", t)
    these = departed(prediction, "shift", d).share(criteria, t, 0.0, "these patients")
    np.testing.assert_allclose(these, (np.where(gone, own + d, own) >= 52).mean(axis=-1))
    never = departed(prediction, "never", 0.0)
    np.testing.assert_allclose(never.share(criteria, t, 0.0, "these patients"), ((own >= 52) & ~gone).mean(axis=-1))
    everyone = departed(prediction, "never", 0.0).share(criteria, t, 0.0, "population average")
    stay = np.exp(-leaving().hazard.rates[:, 0] * t)
    own_share = prediction.share(criteria, t, 0.0, "population average")
    assert everyone.mean() == pytest.approx((own_share * stay).mean(), abs=0.005)  # independent, by some hundred each


def test_a_new_patient_leaves_or_does_not(prediction):
    t, d = 18.0, -7.0
    own, moved = (p.level("score", t, "new patient") for p in (prediction, departed(prediction, "shift", d)))
    apart = np.round(moved - own, 9)
    assert set(apart) == {0.0, d}
    assert (apart == d).mean() == pytest.approx((1 - np.exp(-leaving().hazard.rates * t)).mean(), abs=0.07)


def test_an_outcome_that_is_not_asked_about_stays(prediction):
    moved = departed(prediction, "shift", -5.0, outcomes=("score",))
    assert np.array_equal(
        moved.level("cpk", 12.0, "population average"), prediction.level("cpk", 12.0, "population average")
    )


def test_groups_leave_at_their_own_rate_and_by_their_own_amount(prediction):
    hazard = np.stack([np.full(DRAWS, 0.01), np.full(DRAWS, 0.05)], axis=-1)
    amounts = {"score": np.array([-2.0, -5.0])}
    moved = Departed(prediction, replace(leaving(), hazard=Rates(hazard)), WORDS["shift"], "arm", amounts)
    for level, h, d in (("control", 0.01, -2.0), ("treated", 0.05, -5.0)):
        own, other = (p.level("score", 12.0, "population average", given={"arm": level}) for p in (prediction, moved))
        np.testing.assert_allclose(other - own, d * (1 - np.exp(-12 * h)), rtol=1e-9)
    own, other = (p.level("score", 12.0, "population average") for p in (prediction, moved))
    both = [d * (1 - np.exp(-12 * h)) for h, d in ((0.01, -2.0), (0.05, -5.0))]
    np.testing.assert_allclose(other - own, np.mean(both), rtol=1e-9)  # half of these patients are in each


def test_the_hazard_is_events_over_person_time():
    exits = Exits(np.array([10.0, 20.0, 30.0, 40.0]), np.ones(4, bool), ("lost", "", "lost", "died"))
    known = left(exits, ("lost",), np.zeros(4, int), 1, (20_000,), np.random.default_rng(4))
    assert known.who.tolist() == [True, False, True, False]
    assert known.hazard.rates.mean() == pytest.approx(2.5 / 100, rel=0.02)  # Gamma(2 + 1/2, 100)
    assert known.hazard.rates.std() == pytest.approx(np.sqrt(2.5) / 100, rel=0.03)
