"""Planned visits and residuals that hang together: what a study may get wrong, and what a table may."""

import pandas as pd
import pytest

from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.errors import CohortError, StudyError
from bayesmyo.study import parse_study
from bayesmyo.study.check_outcomes import can_drift
from bayesmyo.study.parameters import parameters
from bayesmyo.study.predictors import effects

HEAD = """
[study]
title = "Planned"
patient = "patient"
time = { column = "week", unit = "week", typical = 12 }
"""
OUTCOME = """
[outcomes.y]
column = "y"
unit = "points"
better = "lower"
typical = 40
scale = 10
family = { kind = "gaussian" }
"""
VISITS = 'trajectory = { kind = "visits", at = [0, 4, 12], window = 1 }\n'
FREE = 'residual = { kind = "unstructured" }\n'
OU = 'residual = { kind = "ou" }\n'
LINE = 'trajectory = { kind = "linear" }\n'
LEVEL = '[estimands.e]\nkind = "level"\noutcome = "y"\nat = 6\n'
DESIGN = "[design]\npatients = 10\nfollow_up = 12\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (LINE + FREE, 'outcomes.y.residual: needs planned visits: trajectory = { kind = "visits"'),
        (VISITS + FREE + 'effects = ["start"]\n', "outcomes.y.effects: patients have no effects of their own"),
        (VISITS + 'residual = { kind = "unstructured", eta = 0 }\n', "eta must be positive"),
        (VISITS.replace("[0, 4, 12]", "[0]"), "must name at least two times"),
        (VISITS.replace("window = 1", "window = 2"), "is so wide that the windows of two visits overlap"),
        (VISITS.replace("[0, 4, 12]", "[4, 0, 12]"), "must be in increasing order"),
        (VISITS + LEVEL, "estimands.e.at: no visit is planned then: 0, 4, 12; got 6"),
        (LINE + OU + 'censoring = "as typed"\n', "outcomes.y.residual: is not available with censored cells"),
        (LINE + OU + 'parameterisation = "centred"\n', "effects are integrated out with residuals"),
        (
            'trajectory = { kind = "plateau" }\neffects = ["start", "half_time"]\n' + OU,
            "cannot be integrated out with residuals",
        ),
        (
            LINE + 'residual = { kind = "ar" }\n',
            'outcomes.y.residual.kind: is unknown; got "ar"; allowed: ou, unstructured',
        ),
        (
            VISITS + DESIGN + "visits = { first = [0, 6, 12] }\n",
            "plans a visit that the trajectory of y does not; got 6",
        ),
        (VISITS + DESIGN + "visits = { first = [0, 4, 12], jitter = 1 }\n", "takes visits out of the windows of y"),
    ],
)
def test_faults_of_a_study(text, fault):
    with pytest.raises(StudyError) as error:
        parse_study(HEAD + OUTCOME + text)
    assert fault in str(error.value)


def test_a_residual_is_refused_where_the_family_is_not_normal():
    with pytest.raises(StudyError, match=r"outcomes\.y\.residual: is not available for the family student_t"):
        parse_study(HEAD + OUTCOME.replace("gaussian", "student_t") + LINE + OU)


@pytest.mark.parametrize(
    "family",
    [
        'scale = 4\nfamily = { kind = "poisson" }',
        'scale = 4\nfamily = { kind = "negative_binomial" }',
        'scale = 4\nfamily = { kind = "gamma" }',
        'scale = 4\nfamily = { kind = "ordered_beta", lower = 0, upper = 80 }',
        'scale = 4\nfamily = { kind = "beta_binomial", trials = 80 }',
        'scale = 4\nfamily = { kind = "hurdle_lognormal" }\nzero = { typical = 0.2, scale = 0.1 }',
    ],
)
def test_residuals_of_other_families_may_drift_and_are_the_remedy_that_is_named(family):
    text = HEAD + OUTCOME.replace('scale = 10\nfamily = { kind = "gaussian" }', family) + LINE
    assert can_drift(parse_study(text).outcomes["y"])
    study = parse_study(text + OU)
    assert study.outcomes["y"].drifts
    assert {"sd_ou", "tau_ou"} < set(parameters(study, "y"))
    with pytest.raises(StudyError, match="parameterisation: effects cannot be integrated out"):
        parse_study(text + OU + 'parameterisation = "integrated"\n')


def test_measured_changes_are_not_asked_where_residuals_hang_together():
    asked = '[estimands.e]\nkind = "change"\noutcome = "y"\nfrom = 0\nto = 12\npopulation = "new patient"\npredicts = "measurement"\n'
    with pytest.raises(StudyError, match="measurements at two times hang together by the residual"):
        parse_study(HEAD + OUTCOME + LINE + OU + asked)


def table(**other):
    rows = [
        {"patient": f"P{i}", "week": week, "y": 40.0 + 3 * i - week / 2 + (i * week) % 5}
        for i in range(6)
        for week in (0, 4.5, 11.5)
    ]
    return pd.DataFrame([*rows, other] if other else rows)


def test_a_visit_within_its_window_is_read_and_others_are_refused_with_their_line():
    study = parse_study(HEAD + OUTCOME + VISITS)
    assert len(cohort_from_frame(study, table()).measurements["y"]) == 18
    with pytest.raises(
        CohortError,
        match=r"1 of 19 measurements of y are outside the windows of the planned visits 0, 4, 12; got 7 in line 20",
    ):
        cohort_from_frame(study, table(patient="P5", week=7.0, y=30.0))
    with pytest.raises(CohortError, match="two measurements of y of one patient belong to one planned visit"):
        cohort_from_frame(study, table(patient="P5", week=3.5, y=30.0))


def test_the_residual_sd_is_one_of_each_visit_without_a_table_of_its_own():

    study = parse_study(HEAD + OUTCOME + VISITS + FREE)
    names = [*parameters(study, "y")]
    assert names[:6] == ["start", "change_2", "change_3", "sigma_start", "sigma_change_2", "sigma_change_3"]
    assert names[6:] == [f"residual_correlation_{i}" for i in ("1_2", "1_3", "2_3")]
    assert not effects(study, "y")
