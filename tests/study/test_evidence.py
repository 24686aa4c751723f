"""[evidence.*]: what a paper gave is read, each fault has one message, and each number stands on its scale."""

import numpy as np
import pytest

from bayesmyo.errors import StudyError
from bayesmyo.study import parse_study
from bayesmyo.study.evidence import scale_of, usual_difference
from bayesmyo.study.write import to_toml
from tests.conftest import SMALL

CHANGE = """
[evidence.smith]
source = "Smith 2020"
outcome = "strength"
what = { kind = "change", from = 0, to = 12 }
mean = 6.0
se = 1.5
"""
RATIO = """
[evidence.trial]
source = "Trial 2019"
outcome = "cpk"
what = { kind = "ratio", from = 0, to = 12 }
median = 0.4
interval = [0.2, 0.8]
"""
BINARY = """
[study]
title = "Yes or no"
patient = "patient"
time = { column = "month", unit = "month", typical = 24 }

[outcomes.remission]
column = "remission"
unit = "share"
better = "higher"
typical = 0.3
scale = 0.2
family = { kind = "bernoulli" }
trajectory = { kind = "linear" }

[evidence.registry]
source = "Registry 2021"
outcome = "remission"
what = { kind = "level", at = 12 }
events = 12
patients = 40
"""


def faults(text: str) -> list[str]:
    with pytest.raises(StudyError) as raised:
        parse_study(text)
    return [str(fault) for fault in raised.value.faults]


@pytest.mark.parametrize("text", [SMALL + CHANGE + RATIO, BINARY])
def test_a_study_with_evidence_is_written_as_it_is_read(text):
    study = parse_study(text)
    assert parse_study(to_toml(study)) == study


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ('source = "Smith 2020"\n', "", "source", "is missing"),
        ('"Smith 2020"', '" "', "source", "is empty"),
        ('"strength"', '"strenght"', "outcome", 'did you mean "strength"'),
        ('"change"', '"chnage"', "what.kind", 'did you mean "change"'),
        ("to = 12", "to = 0", "what.to", "must come after from"),
        ("to = 12 }", "to = 12, given = { arm = 1 } }", "what.given", "as covariates"),
        ("to = 12 }", "to = 12, above = 3 }", "what.above", "leave it out"),
        ("to = 12 }", 'to = 12, population = "these patients" }', "what.population", "not whom a publication"),
        ("to = 12 }", 'to = 12, outcome = "cpk" }', "what.outcome", "another than that of the table"),
        ("mean = 6.0\n", "", "smith", "one way"),
        ("mean = 6.0", "mean = 6.0\nmedian = 5", "smith", "got mean, median and se"),
        ("se = 1.5", "se = 0", "se", "must be positive"),
        ("se = 1.5", "sd = 3\npatients = 0", "patients", "must be positive"),
        ("se = 1.5", "interval = [7, 9]", "interval", "does not lie around the mean, 6"),
        ("se = 1.5", "interval = [5, 9]\nmass = 95", "mass", "between 0 and 1"),
        ("mean = 6.0\nse = 1.5", "events = 3\npatients = 9", "events", "no and yes"),
        ("se = 1.5", "se = 1.5\nlike_ours = 1.2", "like_ours", "between 0 and 1"),
        ("se = 1.5", 'se = 1.5\ntau = "normal(0, 1)"', "tau", "positive"),
        ("se = 1.5", 'se = 1.5\ntau = "half(1)"', "tau", "unknown distribution"),
        ("se = 1.5", 'se = 1.5\ncovariates = { arm = "b" }', "covariates", "no covariate"),
    ],
)
def test_each_fault_has_one_message(old, new, where, words):
    said = faults(SMALL + CHANGE.replace(old, new))
    assert len(said) == 1
    assert said[0].startswith(f"evidence.smith{'' if where == 'smith' else '.' + where}"), said
    assert words in said[0]


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("median = 0.4", "mean = -0.4", "interval", "around"),
        ("interval = [0.2, 0.8]", "interval = [-0.2, 0.8]", "interval", "positive number"),
        ('"ratio"', '"change"', "what", "half-time"),
        ('to = 12 }', 'to = 12, summary = "mean" }', "what", ""),
    ],
)  # fmt: skip
def test_what_the_scale_does_not_allow(old, new, where, words):
    text = SMALL.replace('"plateau" }', '"plateau" }\neffects = ["start", "half_time"]') if "half" in words else SMALL
    said = faults(text + RATIO.replace(old, new))
    assert any(s.startswith(f"evidence.trial.{where}") and words in s for s in said), said


def test_more_events_than_patients():
    assert faults(BINARY.replace("events = 12", "events = 41")) == [
        "evidence.registry.events: must be between none and all 40 patients; got 41."
    ]


def test_two_tables_about_one_number_must_agree():
    other = CHANGE.replace("smith", "jones").replace("Smith", "Jones")
    assert "write the same in both" in faults(SMALL + CHANGE + other + "like_ours = 0.5\n")[0]
    twice = CHANGE.replace("smith", "again")
    assert "would count twice" in faults(SMALL + CHANGE + twice)[0]
    assert len(parse_study(SMALL + CHANGE + other).evidence) == 2


@pytest.mark.parametrize(
    ("text", "name", "value", "se"),
    [
        (SMALL + CHANGE, "smith", 6.0, 1.5),
        (SMALL + CHANGE.replace("se = 1.5", "sd = 9\npatients = 36"), "smith", 6.0, 1.5),
        (SMALL + CHANGE.replace("se = 1.5", "interval = [4, 8]"), "smith", 6.0, 2 / 1.959964),
        (SMALL + CHANGE.replace("se = 1.5", "interval = [4, 8]\nmass = 0.5"), "smith", 6.0, 2 / 0.67449),
        (SMALL + RATIO, "trial", np.log(0.4), np.log(2) / 1.959964),
        (
            SMALL + RATIO.replace("interval = [0.2, 0.8]", "se = 0.1").replace("median", "mean"),
            "trial",
            np.log(0.4),
            0.25,
        ),
    ],
)
def test_an_estimate_on_its_scale(text, name, value, se):
    study = parse_study(text)
    e = study.evidence[name]
    link = scale_of(e.estimand, study.outcomes[e.outcome].family)
    assert e.on(link) == pytest.approx((value, se), rel=1e-5)


def test_studies_differ_by_half_the_declared_spread():
    study = parse_study(SMALL + CHANGE + RATIO)
    strength, cpk = (study.outcomes[o].family for o in ("strength", "cpk"))
    assert usual_difference(study.evidence["smith"].what, strength, study.scale("strength")) == 5.0
    assert usual_difference(study.evidence["trial"].what, cpk, study.scale("cpk")) == pytest.approx(np.log(2.5) / 2)
