"""Checks of events: each sees a fault that was planted, and is quiet where the model is the one that made the
events.
"""

from dataclasses import replace

import numpy as np
import pytest

import bayesmyo
from bayesmyo.assess.checks import CHECKS, EVENT_CHECKS, checks_of
from bayesmyo.assess.replicated_events import at_risk_from, could_last, happening
from bayesmyo.cohort.cohort import CENSORED, HAPPENED, Episodes
from bayesmyo.model.event import TimeToEvent
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import OutcomeTruth, from_scenario
from tests.assess.checks.event_fits import (
    AGAIN,
    CONSTANT,
    LEVEL,
    ONCE,
    SEEN,
    WEIBULL,
    cohort_of,
    fitted,
    study_of,
    with_events,
)


def said(fit):
    return {r.name: r for c in EVENT_CHECKS for r in [c.run(fit)]}


def failing(fit):
    return {name: r.sentence for name, r in said(fit).items() if not r.passed}


def test_a_study_without_events_has_the_checks_that_it_had(good_fit):
    assert checks_of(good_fit) == CHECKS
    assert not {c.name for c in EVENT_CHECKS} & {r.name for r in bayesmyo.check(good_fit)}


@pytest.mark.parametrize(
    ("event", "scenario", "start"),
    [
        (ONCE + WEIBULL, "hazard = 0.05\nshape = 1.5", {"hazard": 0.05, "shape": 1.2}),
        (ONCE + CONSTANT + LEVEL, "hazard = 0.05\ny_level = 2.5", {"hazard": 0.05, "y_level": 1.5}),
        (AGAIN + CONSTANT + "\nfrailty = false", "hazard = 0.1", {"hazard": 0.1}),
        (SEEN + CONSTANT + LEVEL, "hazard = 0.05\ny_level = 2.5", {"hazard": 0.05, "y_level": 1.5}),
    ],
)
def test_the_model_that_made_the_events_passes(event, scenario, start):
    for seed in (3, 4):
        assert failing(fitted(event, *cohort_of(event, scenario, seed=seed), **start)) == {}


def test_a_rate_that_rises_is_no_constant_one():
    cohort, truth = cohort_of(ONCE + WEIBULL, "hazard = 0.06\nshape = 3", patients=100)
    said = failing(fitted(ONCE + CONSTANT, cohort, truth, hazard=0.06))
    assert set(said) == {"event curve", "residuals of the hazard"}
    assert all("weibull" in sentence for sentence in said.values())
    assert failing(fitted(ONCE + WEIBULL, cohort, truth, hazard=0.06, shape=2)) == {}


def test_a_rate_that_rises_is_seen_between_visits():
    cohort, truth = cohort_of(SEEN + WEIBULL, "hazard = 0.06\nshape = 3", patients=100)
    assert "event curve" in failing(fitted(SEEN + CONSTANT, cohort, truth, hazard=0.06))


def test_patients_who_differ_are_no_crowd():
    cohort, truth = cohort_of(AGAIN + CONSTANT, "hazard = 0.1\nsd_frailty = 1.2")
    said = failing(fitted(AGAIN + CONSTANT + "\nfrailty = false", cohort, truth, hazard=0.1))
    assert "try frailty = true" in said["residuals of the hazard"]


def test_an_association_that_turns_round_is_seen():
    """The risk rises with the level before month 8, and falls with it after."""
    event = ONCE + CONSTANT + LEVEL
    cohort, truth = cohort_of(event, "hazard = 0.06\ny_level = 4", patients=80)
    submodel = TimeToEvent(study_of(event, "hazard = 0.06\ny_level = 4", 80), "attack")
    own = truth.outcomes["attack"]
    turned = replace(
        truth, outcomes={**truth.outcomes, "attack": OutcomeTruth({**own.values, "y_level": -own.values["y_level"]})}
    )
    rng, n = np.random.default_rng(5), len(cohort)
    early = submodel.happen(truth, np.full(n, 8.0), rng)
    late = submodel.happen(turned, np.full(n, 24.0), rng, 8.0)
    first = np.array([(*a, *b, np.inf)[0] for a, b in zip(early, late, strict=True)])
    stop, status = np.minimum(first, 24.0), np.where(first < 24, HAPPENED, CENSORED)
    who, zero = np.arange(n), np.zeros(n)
    cohort = replace(cohort, events={"attack": Episodes(who, zero, stop, stop, status, zero.astype(int))})
    sentence = failing(fitted(event, cohort, truth, hazard=0.06, y_level=1.2))["association by period"]
    assert 'try y = "slope"' in sentence


def test_what_is_not_judged_says_so():
    event = ONCE + CONSTANT + LEVEL
    cohort, truth = cohort_of(event, "hazard = 0.05\ny_level = 1.5")
    e = cohort.events["attack"]
    nobody = replace(e, stop=np.full(len(e), 24.0), end=np.full(len(e), 24.0), status=np.zeros(len(e), dtype=int))
    fit = fitted(event, cohort, truth, hazard=0.05, y_level=1.2)
    results = said(with_events(fit, replace(cohort, events={"attack": nobody})))
    assert not results["event curve"].passed  # though the model expects half of them
    assert "nobody had it" in results["residuals of the hazard"].sentence
    assert results["association by period"].unjudged == "cannot"
    assert said(fitted(ONCE + CONSTANT, cohort, truth, hazard=0.05))["association by period"].unjudged == "nothing"


def test_replicates_happen_as_often_as_the_hazard_says():
    event = AGAIN + WEIBULL + LEVEL + "\nfrailty = false"
    cohort, truth = cohort_of(event, "hazard = 0.1\nshape = 0.6\ny_level = 2", patients=20)
    submodel, n = TimeToEvent(study_of(event, "hazard = 0.1\nshape = 0.6\ny_level = 2", 20), "attack"), len(cohort)
    whole = truth.take(np.zeros(400, dtype=int))
    rng, first, until = np.random.default_rng(2), np.full(n, 0.2), np.linspace(6, 24, n)
    again = [np.concatenate(times) for times in happening(submodel, whole, until, rng, first)]
    for t in (0.5, 5.0, 24.0):
        number = np.array([np.sum(times <= t) for times in again])
        each = [submodel.cumulative(truth, np.array([i]), min(t, until[i]), 0.2)[0] for i in range(n)]
        assert abs(number.mean() - np.sum(each)) < 4 * number.std() / 20


def test_how_long_each_could_have_been_followed():
    """Who left for the event: as long as planned; for something else, or not at all: to that exit."""
    event = 'reasons = ["lost"]' + CONSTANT
    study = study_of(event, "hazard = 0.05")
    cohort = simulate(study, from_scenario(study, "truth"), np.random.default_rng(1)).cohort
    e, until = cohort.events["attack"], could_last(study, cohort, "attack")
    assert e.happened > 10
    assert until[e.patient[e.status == HAPPENED]] == pytest.approx(24)
    assert until[e.patient[e.status == CENSORED]] == pytest.approx(e.stop[e.status == CENSORED])
    undesigned = replace(study, design=None, scenarios={})
    longest = cohort.exits.time[np.array(cohort.exits.reason) == ""].max()
    assert could_last(undesigned, cohort, "attack")[e.patient[e.status == HAPPENED]] == pytest.approx(longest)
    assert at_risk_from(cohort, e) == pytest.approx(0)
