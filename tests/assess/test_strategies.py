"""What is said of events in an answer, and categories of response of patients whose events are known."""

from dataclasses import replace

import numpy as np
import pytest

import bayesmyo
from bayesmyo.assess.estimate import estimates
from bayesmyo.assess.responses import assigned, decided, rules
from bayesmyo.assess.tip import tip
from bayesmyo.assess.what_if import is_death
from bayesmyo.cohort.cohort import Episodes, Exits
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.simulate import simulate
from bayesmyo.study import parse_study
from tests.conftest import SMALL, fit_of, independent_draws, scenario_truth

PATIENTS = 12
RATE = 0.05
TEXT = (
    SMALL.replace("typical = 24 }", 'typical = 24, exit = "exit", reason = "reason" }', 1).replace(
        "[scenarios.improves.cpk]", f"[scenarios.improves.lost]\nhazard = {RATE}\n\n[scenarios.improves.cpk]"
    )
    + """
[events.lost]
label = "Loss to follow-up"
reasons = ["lost"]
typical = 0.4
hazard = { kind = "constant" }

[estimands.plain]
kind = "level"
outcome = "strength"
at = 12
population = "these patients"

[estimands.stopped]
kind = "level"
outcome = "strength"
at = 12
population = "these patients"
events = { lost = "while on treatment" }

[estimands.stayed]
kind = "level"
outcome = "strength"
at = 12
events = { lost = "hypothetical" }

[responses.rule]
at = 12
free = { lost = 12 }

[responses.rule.categories]
strong = { strength = { at_least = 0 } }
other = {}
"""
)
LOST = {1: 3.0, 4: 9.0, 6: 13.0}  # patients, and when
CARE = {2: 4.0, 3: 10.0}  # who were still in care, and last seen


@pytest.fixture(scope="module")
def fit():
    study = parse_study(TEXT)
    cohort = simulate(study, scenario_truth(study, PATIENTS, np.random.default_rng(7)), np.random.default_rng(4)).cohort
    ends = np.full(PATIENTS, 30.0)
    for patient, end in (LOST | CARE).items():
        ends[patient] = end
    had = np.array([i in LOST for i in range(PATIENTS)])
    zero = np.zeros(PATIENTS)
    known = Episodes(np.arange(PATIENTS), zero, ends, ends, had.astype(int), zero.astype(int))
    exits = Exits(ends, np.ones(PATIENTS, dtype=bool), tuple("lost" if i in LOST else "" for i in range(PATIENTS)))
    cohort = replace(cohort, events={"lost": known}, exits=exits)
    return fit_of(study, cohort, independent_draws(study, cohort))


def test_an_answer_says_what_is_done_about_events(fit):
    rows = {row.name: row for row in estimates(fit)}
    assert rows["stopped"].sentence.startswith(
        "In these patients, the strength at month 12 (at loss to follow-up where that came first) is "
    )
    assert "month 12 (had there been no loss to follow-up) is " in rows["stayed"].sentence
    assert rows["stopped"].as_dict()["events"] == {"lost": "while on treatment"}
    assert "events" not in rows["plain"].as_dict()
    table = bayesmyo.estimate(fit)
    assert table.loc["stayed", "events"] == {"lost": "hypothetical"}


def test_these_patients_stop_where_the_data_say(fit):
    """Each lost patient is looked at the exit; those seen last before month 12 stop when an exponential time says."""
    prediction = TruthPrediction(fit.study, fit.truth)
    at_12 = prediction.patients("strength", 12)["location"].copy()
    for patient, exit_ in {1: 3, 4: 9}.items():
        at_12[..., patient] = prediction.patients("strength", exit_)["location"][..., patient]
    rate = np.exp(fit.truth.outcomes["lost"].values["hazard"])
    for patient, seen in CARE.items():  # a straight line: the level at the mean of the time
        low, high = (prediction.patients("strength", t)["location"][..., patient] for t in (seen, 12))
        mean = -np.expm1(-rate * (12 - seen)) / rate / (12 - seen)
        at_12[..., patient] = low + (high - low) * mean
    np.testing.assert_allclose(fit.estimands["stopped"], at_12.mean(axis=-1), rtol=1e-9)


def test_a_patient_alone_stops_at_the_own_event(fit):
    each = bayesmyo.each_patient(fit, "stopped")
    exact = fit.prediction.patients("strength", 3)["location"][..., 1].mean()
    assert each.loc["P02", "mean"] == pytest.approx(exact, rel=1e-9)


def test_refits_without_a_patient_know_the_others_events(fit):
    known = fit.cohort.events["lost"].without(1, 3)
    assert known.patient.tolist() == list(range(10))
    assert known.stop.tolist() == [30, 4, 9, 30, 13, *[30] * 5]


def test_who_is_lost_meets_no_criteria_of_a_rule(fit):
    """Everyone is strong: two were lost before month 12, and two may have been since they were last seen."""
    position = assigned(fit, fit.study.responses["rule"])
    strong = (position == 0).mean(axis=(0, 1))
    sure = [i for i in range(PATIENTS) if i not in (1, 4, *CARE)]
    assert strong[sure].tolist() == [1.0] * len(sure)
    assert strong[[1, 4]].tolist() == [0, 0]
    rate = np.exp(fit.truth.outcomes["lost"].values["hazard"])
    exact = [np.exp(-rate * (12 - seen)).mean() for seen in CARE.values()]
    assert strong[[*CARE]] == pytest.approx(exact, abs=0.025)  # three standard errors of 4,000 draws
    assert decided(fit.cohort, fit.study.responses["rule"]).nonzero()[0].tolist() == [1, 4]


def test_a_rule_says_of_what_one_must_be_free(fit):
    (rule,) = rules(fit)
    strong, other = rule.categories
    assert strong.criteria == "strength at least 0 points, and no loss to follow-up by month 12"
    assert strong.criteria in strong.sentence
    assert other.criteria == "everyone else"
    lost = [p for p in rule.each if p.patient in ("P02", "P05")]
    assert all(p.seen and p.probabilities["strong"] == 0 for p in lost)
    assert strong.best <= PATIENTS - 2


def test_a_stopped_course_has_said_what_becomes_of_those_who_left(fit):
    names = {row.name for row in tip(fit, by=[0, -1], outcomes=["strength"]).rows}
    assert {"plain", "stayed"} <= names
    assert "stopped" not in names


def test_a_declared_death_is_one_whatever_its_reason_is_called():
    events = '[events.died]\nreasons = ["exitus"]\nterminal = true\ntypical = 0.1\nhazard = { kind = "constant" }\n'
    head = SMALL.split("[estimands", 1)[0].replace(
        "typical = 24 }", 'typical = 24, exit = "exit", reason = "reason" }', 1
    )
    study = parse_study(head + events)
    assert is_death(study, "exitus")
    assert is_death(study, "died at home")
    assert not is_death(study, "lost")
