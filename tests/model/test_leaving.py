"""New patients leave by the hazard of an event: against closed forms, and against brute force in NumPy where it depends
on the patient's own course."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate

from bayesmyo.cohort.cohort import Exits
from bayesmyo.components.courses import COURSES
from bayesmyo.components.estimands import Criterion
from bayesmyo.components.hazards.weibull import EARLIEST
from bayesmyo.model.leaving import CELLS, Events, Left, Patients, same_reasons
from bayesmyo.model.left import Departed
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import OutcomeTruth, Truth
from bayesmyo.study import parse_study

WORDS = {c.kind: c() for c in COURSES}
DRAWS, PATIENTS, MANY = 24, 8, 200_000
HEAD = """
[study]
title = "Two arms"
patient = "patient"
time = { column = "month", unit = "month", typical = 24, exit = "exit", reason = "why" }

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

[outcomes.cpk]
column = "cpk"
unit = "IU/L"
better = "lower"
typical = 1000
scale = 2.5
family = { kind = "lognormal" }
trajectory = { kind = "linear" }

[events.lost]
reasons = ["lost"]
typical = 0.3
"""
ARM = np.tile([0.0, 1.0], PATIENTS // 2)


def prediction(event, draws=DRAWS, **values):
    """Draws of a truth with these values of the event's parameters, each about its own; shares of each are counted as
    finely, however few they are."""
    rng = np.random.default_rng(1)

    def around(value, spread=0.02):
        return value + spread * rng.standard_normal(draws)

    score = {
        "intercept": around(50, 1),
        "slope": around(0.1),
        "sd_intercept": around(8),
        "sd_slope": around(0.3),
        "correlation": around(-0.3),
        "sigma": around(4),
    }
    cpk = {
        "intercept": around(7),
        "slope": around(-0.05, 0.005),
        "sd_intercept": around(0.8),
        "sd_slope": around(0.1, 0.005),
        "correlation": around(0.2),
        "sigma": around(0.3),
    }
    own = {k: sd * rng.standard_normal((draws, PATIENTS)) for k, sd in (("intercept", 8), ("slope", 0.3))}
    blank = {k: np.zeros((draws, PATIENTS)) for k in own}
    lost = {k: np.abs(around(v, 0.02 * abs(v))) * np.sign(v) for k, v in values.items()}
    outcomes = {"score": OutcomeTruth(score, own), "cpk": OutcomeTruth(cpk, blank), "lost": OutcomeTruth(lost)}
    return TruthPrediction(parse_study(HEAD + event), Truth(outcomes, {}, {"arm_treated": ARM}), seed=3, among=DRAWS)


def hazard_of(p, until=18.0):
    return Events(p.study, ("lost",), p.truth, until)


def departed(p, word, amount, outcomes=("score",), group=""):
    left = Left(np.zeros(PATIENTS, bool), np.full(PATIENTS, 30.0), hazard_of(p))
    return Departed(p, left, WORDS[word], group, {o: np.full(2 if group else 1, amount) for o in outcomes})


def lost_of(p):
    return p.truth.outcomes["lost"].values


# --- hazards alone


@pytest.mark.parametrize("shape", [0.5, 0.8, 1.0, 1.7])
def test_a_weibull_hazard_is_integrated_and_inverted(shape):
    p = prediction('hazard = { kind = "weibull" }\n', hazard=-3.5, shape=shape)
    rate, k = np.exp(lost_of(p)["hazard"])[:, None], lost_of(p)["shape"][:, None]
    none, t = Patients({}, {}, np.zeros(1, int)), np.linspace(0.2, 18, 50)[None, :]
    hazard = hazard_of(p)
    got = np.stack([hazard.cumulative(t[:, [i]], none)[:, 0] for i in range(t.size)], axis=-1)
    exact = rate * 24 * ((t / 24) ** k + (k - 1) * EARLIEST**k)  # the rate is held before the earliest time
    np.testing.assert_allclose(got, exact, rtol=1e-5)
    back = np.stack([hazard.exits(got[:, [i]], none)[:, 0] for i in range(t.size)], axis=-1)
    np.testing.assert_allclose(back, np.broadcast_to(t, back.shape), atol=18 / CELLS / 8)


def test_a_hazard_by_pieces_and_by_arm():
    p = prediction(
        'hazard = { kind = "piecewise", knots = [3, 10] }\ncovariates = ["arm"]\n',
        hazard_1=-4, hazard_2=-3, hazard_3=-3.5, arm_treated=0.8,
    )  # fmt: skip
    h = np.exp([lost_of(p)[f"hazard_{k}"] for k in (1, 2, 3)])
    exact = (h[0] * 3 + h[1] * 7 + h[2] * 4) * np.exp(lost_of(p)["arm_treated"])
    treated = Patients({}, {"arm_treated": np.ones(1)}, np.zeros(1, int))
    amount = hazard_of(p).cumulative(np.array([14.0]), treated)
    np.testing.assert_allclose(amount[:, 0], exact, rtol=1e-12)
    np.testing.assert_allclose(hazard_of(p).exits(amount, treated), 14.0, rtol=1e-10)


# --- populations


def test_a_shift_moves_a_population_by_the_share_that_has_left_of_each_arm():
    """Constant hazard, Gaussian, identity link: by d P(left by t), exactly."""
    p = prediction('hazard = { kind = "constant" }\ncovariates = ["arm"]\n', hazard=-3.5, arm_treated=0.8)
    t, d, moved = 18.0, -7.0, departed(p, "shift", -7.0)
    rates = np.exp(lost_of(p)["hazard"][:, None] + np.array([0, 1]) * lost_of(p)["arm_treated"][:, None])
    share = 1 - np.exp(-rates * t)
    for population in ("population average", "average patient"):
        for k, arm in enumerate(("control", "treated")):
            own, other = (x.level("score", t, population, given={"arm": arm}) for x in (p, moved))
            np.testing.assert_allclose(other, own + d * share[:, k], rtol=1e-12)
    own, other = (x.level("score", t, "population average") for x in (p, moved))
    np.testing.assert_allclose(other, own + d * share.mean(axis=-1), rtol=1e-12)  # half of these patients in each


def test_a_drift_waits_for_the_exit():
    """The mean time since a Weibull exit, by adaptive quadrature."""
    p = prediction('hazard = { kind = "weibull" }\n', hazard=-3.5, shape=1.6)
    t, d = 18.0, -0.4
    own, other = (x.level("score", t, "population average") for x in (p, departed(p, "drift", d)))
    for i in range(5):
        rate, k = np.exp(lost_of(p)["hazard"][i]), lost_of(p)["shape"][i]
        gone = integrate.quad(lambda s, r=rate, k=k: -np.expm1(-r * 24 * (s / 24) ** k), 0, t)[0]  # E (t - exit)+
        assert other[i] - own[i] == pytest.approx(d * gone, rel=2e-3)


class Many:
    """New patients of one draw whose hazard depends on their own score, written down apart."""

    def __init__(self, p, i, way, rng):
        o, lost = ({k: v[i] for k, v in p.truth.outcomes[n].values.items()} for n in ("score", "lost"))
        sds, rho = np.array([o["sd_intercept"], o["sd_slope"]]), o["correlation"]
        b = rng.multivariate_normal([0, 0], np.outer(sds, sds) * [[1, rho], [rho, 1]], MANY // 2)
        b = np.concatenate([b, -b])
        self.start, self.slope = o["intercept"] + b[:, 0], o["slope"] + b[:, 1]
        a = lost[f"score_{way}"]
        if way == "slope":  # what it adds up to over a typical follow-up, in usual differences between patients
            log_rate, rise = lost["hazard"] + a * self.slope * 24 / 10, np.zeros(MANY)
        else:
            log_rate, rise = lost["hazard"] + a * (self.start - 50) / 10, a * self.slope / 10
        rise = np.where(np.abs(rise) < 1e-9, 1e-9, rise)
        inside = 1 + rise * rng.exponential(size=MANY) / np.exp(log_rate)  # a hazard that is exponential in time
        with np.errstate(invalid="ignore"):
            self.exit = np.where(inside > 0, np.log(inside) / rise, np.inf)

    def eta(self, t):
        return self.start + self.slope * t

    def course(self, word, amount, t):
        exits = np.minimum(self.exit, t)
        after = {
            "shift": self.eta(t) + amount, "drift": self.eta(t) + amount * (t - exits),
            "return": self.eta(t) + amount * (self.start - self.eta(t)), "stay": self.eta(exits),
        }[word]  # fmt: skip
        return np.where(self.exit < t, after, self.eta(t))


@pytest.mark.parametrize(("way", "a"), [("slope", -0.7), ("level", -0.9)])
@pytest.mark.parametrize(("word", "amount"), [("shift", -7.0), ("drift", -0.4), ("return", 0.8), ("stay", 0.0)])
def test_courses_and_exits_are_of_the_same_patient(way, a, word, amount):
    """Who gets worse leaves sooner, so those who are gone are not like the others."""
    p = prediction(
        f'hazard = {{ kind = "constant" }}\ndepends = {{ score = "{way}" }}\n', 3, hazard=-3.5, **{f"score_{way}": a}
    )
    t, moved, rng = 18.0, departed(p, word, amount), np.random.default_rng(5)
    got, own = (x.level("score", t, "population average") for x in (moved, p))
    bar = {"score": Criterion(at_least=52.0)}
    share = moved.share(bar, t, 0.0, "population average")
    for i in range(3):
        many = Many(p, i, way, rng)
        levels, error = many.course(word, amount, t), 12 / np.sqrt(MANY)
        assert got[i] - own[i] == pytest.approx((levels - many.eta(t)).mean(), abs=4 * error + 0.02), word
        assert share[i] == pytest.approx((levels >= 52).mean(), abs=0.006)


def test_exits_of_the_new_patients_are_those_of_the_own_course():
    """The event's own estimand, and a shift that counts who is gone."""
    p = prediction('hazard = { kind = "constant" }\ndepends = { score = "slope" }\n', hazard=-3.5, score_slope=-0.7)
    gone = 1 - p.event("lost", 18.0, "free", "population average")
    own, other = (x.level("score", 18.0, "population average") for x in (p, departed(p, "shift", -7.0)))
    np.testing.assert_allclose(other - own, -7.0 * gone, atol=0.01)
    one, new = (x.level("score", 18.0, "new patient") for x in (p, departed(p, "shift", -7.0)))
    left = np.isclose(new - one, -7.0)
    assert np.all(left | np.isclose(new, one))
    never = departed(p, "never", 0.0, outcomes=("score",))
    anyone = {"score": Criterion(at_least=-1e6)}
    stayed = never.share(anyone, 18.0, 0.0, "population average")
    assert stayed.mean() == pytest.approx(1 - gone.mean(), abs=0.002)  # a count of 44,000 in each of 24 draws


def test_an_outcome_on_which_nothing_depends_is_mixed_by_the_mean_share():
    """CPK is independent of the score: its geometric mean falls by the share that is gone alone, in a joint way too."""
    p = prediction('hazard = { kind = "constant" }\ndepends = { score = "slope" }\n', hazard=-3.5, score_slope=-0.7)
    gone = 1 - p.event("lost", 18.0, "free", "population average")
    own, other = (x.level("cpk", 18.0, "population average") for x in (p, departed(p, "shift", -1.0, ("cpk",))))
    np.testing.assert_allclose(np.log(other / own), gone, atol=0.003)  # worse is higher
    own, other = (x.level("cpk", 18.0, "population average", "mean") for x in (p, departed(p, "shift", -1.0, ("cpk",))))
    np.testing.assert_allclose(other / own, 1 + gone * (np.e - 1), rtol=0.03)  # of a log-normal


def test_an_amount_of_each_arm_where_the_hazard_depends_on_the_course():
    p = prediction(
        'hazard = { kind = "constant" }\ndepends = { score = "level" }\ncovariates = ["arm"]\n',
        hazard=-3.5, score_level=-0.6, arm_treated=0.8,
    )  # fmt: skip
    moved = departed(p, "shift", 0.0, group="arm").by({"score": np.array([-2.0, -6.0])})
    for arm, d in (("control", -2.0), ("treated", -6.0)):
        own, other = (x.level("score", 18.0, "population average", given={"arm": arm}) for x in (p, moved))
        gone = 1 - p.event("lost", 18.0, "free", "population average", {"arm": arm})
        np.testing.assert_allclose(other - own, d * gone, atol=0.01)


# --- which hazard


def test_events_stand_for_the_reasons_that_they_are_exits_for():
    more = '[events.other]\nreasons = ["moved", "never used"]\ntypical = 0.1\nhazard = { kind = "constant" }\n'
    study = parse_study(HEAD + 'hazard = { kind = "constant" }\n' + more)
    exits = Exits(np.arange(5.0), np.ones(5, bool), ("lost", "moved", "died", "", "lost"))
    for asked, events in {
        ("lost",): ("lost",), ("moved",): ("other",), ("lost", "moved"): ("lost", "other"), ("died",): (),
        ("lost", "died"): (),
    }.items():  # fmt: skip
        assert same_reasons(study, exits, asked) == events
    both = replace(study, events={"lost": replace(study.events["lost"], reasons=("lost", "moved"))})
    assert same_reasons(both, exits, ("lost",)) == ()  # its hazard is that of more than was asked about
