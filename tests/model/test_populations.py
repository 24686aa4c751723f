"""The average patient and the average over patients: equal where the outcome is linear in the effects, and only
there.
"""

import numpy as np
import pytest
from scipy import integrate, special, stats

from bayesmyo.components.estimands import ESTIMANDS, Change, Criterion, Level, OfOutcome, Ratio, Share, Slope, TimeTo
from bayesmyo.components.estimands.events import OfEvent
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import from_priors, from_scenario, with_effects
from bayesmyo.study import parse_study
from tests.conftest import SMALL
from tests.model.test_prediction import broadcast
from tests.model.test_prediction_by_brute_force import CASES, GRADES, Case, line

EVERY = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def linear(case):
    """Whether the outcome's mean is a straight function of what patients differ in."""
    return case.study.outcomes["one"].family.link_name == "identity" and "half_time" not in case.sds


def both(case, estimand):
    prediction = TruthPrediction(case.study, case.truth())
    return [
        float(type(estimand)(**{**vars(estimand), "population": p}).of(prediction))
        for p in ("average patient", "population average")
    ]


STRAIGHT = Case(
    'typical = 50\nscale = 10\nfamily = { kind = "gaussian" }\ntrajectory = { kind = "linear" }',
    {"intercept": 50.0, "slope": -0.5, "sigma": 4.0},
    {"intercept": 8.0, "slope": 0.3},
    {"correlation": 0.4},
    line, lambda v, eta, zero: eta, lambda v, eta, zero, rng: rng.normal(eta, v["sigma"]),
)  # fmt: skip


@pytest.mark.parametrize(
    "estimand",
    [Level(outcome="one", at=7), Change(outcome="one", from_=1, to=7), Slope(outcome="one", from_=1, to=7)],
    ids=lambda e: e.kind,
)
def test_a_straight_outcome_gives_both_the_same_number(estimand):
    average, population = both(STRAIGHT, estimand)
    assert average == pytest.approx(population, rel=1e-12)


@EVERY
def test_a_bent_outcome_does_not(case):
    assert not linear(case)
    average, population = both(case, Level(outcome="one", at=5.0, summary="mean"))
    assert abs(population - average) > 1e-3 * abs(average)


ONE = {
    "logit": (
        f'scale = 2\nfamily = {{ kind = "cumulative", {GRADES} }}\ntrajectory = {{ kind = "linear" }}\neffects = ["intercept"]',
        {"slope": 0.2, "threshold_1": -1.0, "threshold_2": 0.5, "threshold_3": 2.0},
        lambda eta, v: sum(special.expit(eta - v[f"threshold_{k}"]) for k in (1, 2, 3)),
        lambda v, t: v["slope"] * t,
    ),
    "log": (
        'typical = 2\nscale = 2\nfamily = { kind = "poisson" }\ntrajectory = { kind = "linear" }\neffects = '
        '["intercept"]',
        {"intercept": 0.7, "slope": -0.05},
        lambda eta, v: np.exp(eta),
        lambda v, t: v["intercept"] + v["slope"] * t,
    ),
    "both ends": (
        'typical = 3.6\nscale = 0.7\nfamily = { kind = "ordered_beta", lower = 0, upper = 5 }\ntrajectory = { kind = '
        '"linear" }\neffects = ["intercept"]',
        {"intercept": 0.8, "slope": 0.15, "cut_floor": 3.0, "cut_ceiling": 2.0, "precision": 20.0},
        lambda eta, v: 5 * special.expit(eta - v["cut_ceiling"])
        + 5 * special.expit(eta) * (special.expit(eta + v["cut_floor"]) - special.expit(eta - v["cut_ceiling"])),
        lambda v, t: v["intercept"] + v["slope"] * t,
    ),
}  # fmt: skip


@pytest.mark.parametrize("link", ONE)
@pytest.mark.parametrize("sd", [0.3, 1.0, 2.5])
@pytest.mark.parametrize(
    "estimand",
    [Level(outcome="one", at=7), Change(outcome="one", from_=0, to=7), Ratio(outcome="one", from_=0, to=7)],
    ids=lambda e: e.kind,
)
def test_they_differ_as_numerical_integration_says(link, sd, estimand):
    text, values, mean, location = ONE[link]
    case = Case(text, values, {"intercept": sd}, {}, None, None, None)

    def over(t, spread):
        if not spread:
            return mean(location(values, t), values)
        return integrate.quad(lambda z: mean(location(values, t) + spread * z, values) * stats.norm.pdf(z), -12, 12)[0]

    def number(spread):
        levels = [over(t, spread) for t in estimand.times()]
        return (
            {1: lambda: levels[0], 2: lambda: levels[1] - levels[0]}[len(levels)]()
            if not isinstance(estimand, Ratio)
            else levels[1] / levels[0]
        )

    average, population = both(case, estimand)
    assert average == pytest.approx(number(0.0), rel=1e-9)
    assert population == pytest.approx(number(sd), rel=1e-6)
    assert population - average == pytest.approx(number(sd) - number(0.0), abs=1e-6)


# --- every estimand, alike for a truth and for posterior draws

RELAPSE = """
[events.relapse]
at = "relapsed"
recurrent = true
typical = 0.5
hazard = { kind = "constant" }
depends = { strength = "level" }
"""

STATED = {
    Level: {"at": 6.0},
    Share: {"at": 6.0, "criteria": {"cpk": Criterion(of="ratio", at_most=0.5), "strength": Criterion(at_least=50)}},
    TimeTo: {"at_most": 350.0, "within": 24.0},
}


@pytest.mark.parametrize(
    ("kind", "population", "predicts"),
    [
        (kind, p, predicts)
        for kind in ESTIMANDS
        for p in kind.populations
        if p != "new patient"
        for predicts in ("expected value", "measurement")
        if predicts == "expected value" or p in kind.measured
    ],
    ids=lambda v: getattr(v, "kind", v),
)
def test_an_estimand_of_a_truth_is_that_of_a_posterior_that_knows_it(small, kind, population, predicts):
    stated = STATED.get(kind, {"from_": 0.0, "to": 6.0}) | ({"outcome": "cpk"} if issubclass(kind, OfOutcome) else {})
    study, bare = small, from_scenario(small, "improves")
    if issubclass(kind, OfEvent):
        stated = {"event": "relapse", "at": 12.0}
        study = parse_study(SMALL.split("[scenarios", 1)[0] + RELAPSE)
        bare = from_priors(study, np.random.default_rng(8))
    estimand = kind(population=population, predicts=predicts, **stated)
    truth = with_effects(study, bare, 9, np.random.default_rng(3))
    one = estimand.of(TruthPrediction(study, truth))
    draws = estimand.of(TruthPrediction(study, broadcast(truth, (2, 3))))
    assert (np.shape(one), draws.shape) == ((), (2, 3))
    assert np.isfinite(draws).all()
    counted = kind is Share or (issubclass(kind, OfEvent) and population == "population average")  # other patients
    tolerance = {"atol": 0.003, "rtol": 0.02 * issubclass(kind, OfEvent)} if counted else {"rtol": 1e-9}
    np.testing.assert_allclose(draws, np.full((2, 3), one), **tolerance)
