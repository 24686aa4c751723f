"""Estimands that are well formed and yet ask for what cannot be, or is zero by definition."""

import pytest

from bayesmyo.errors import StudyError
from bayesmyo.study import parse_study

TEXT = """
[study]
title = "T"
patient = "p"
time = { column = "t", unit = "month", typical = 12 }

[covariates.group]
levels = ["A", "B"]

[covariates.age]
typical = 50
scale = 10

[outcomes.y]
column = "y"
unit = "u"
better = "higher"
OUTCOME
trajectory = { kind = "linear" }
covariates = ["group"]

[estimands.e]
outcome = "y"
ESTIMAND
"""
GAUSSIAN = 'typical = 5\nscale = 2\nfamily = { kind = "gaussian" }'
LOGNORMAL = 'typical = 5\nscale = 2\nfamily = { kind = "lognormal" }'
POISSON = 'typical = 5\nscale = 2\nfamily = { kind = "poisson" }'
GRADES = 'scale = 2\nfamily = { kind = "cumulative", coding = "mrc" }'
CONTRAST = 'contrast = { covariate = "group", level = "B", reference = "A" }'
FROM_TO = "from = 0\nto = 12\n"


def study(outcome, estimand):
    return parse_study(TEXT.replace("OUTCOME", outcome).replace("ESTIMAND", estimand))


@pytest.mark.parametrize(
    ("outcome", "estimand", "fragments"),
    [
        (GAUSSIAN, 'kind = "change"\n' + FROM_TO + CONTRAST, ["zero by definition", "name it among the moderators"]),
        (GAUSSIAN, 'kind = "slope"\n' + FROM_TO + CONTRAST, ["zero by definition"]),
        (LOGNORMAL, 'kind = "ratio"\n' + FROM_TO + CONTRAST, ["one by definition"]),
        (POISSON, 'kind = "ratio"\n' + FROM_TO + CONTRAST, ["one by definition"]),
        (GRADES, 'kind = "ratio"\n' + FROM_TO, ["no ratio"]),
        (POISSON, 'kind = "ratio"\npopulation = "new patient"\npredicts = "measurement"\n' + FROM_TO, ["may be zero"]),
        (GAUSSIAN, 'kind = "level"\nat = 1\npopulation = "new patient"\npredicts = "measurement"\n' + CONTRAST, ["compared by their expected values"]),
        (GAUSSIAN, 'kind = "level"\nat = 1\ngiven = { age = 60 }', ["has no part in the outcome y"]),
        (GAUSSIAN, 'kind = "level"\nat = 1\ncontrast = { covariate = "age", level = 60, reference = 50 }', ["does not differ"]),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(outcome, estimand, fragments):
    with pytest.raises(StudyError) as error:
        study(outcome, estimand)
    assert all(f in str(error.value) for f in fragments)


@pytest.mark.parametrize(
    ("outcome", "estimand"),
    [
        (GAUSSIAN, 'kind = "level"\nat = 1\n' + CONTRAST),
        (LOGNORMAL, 'kind = "change"\n' + FROM_TO + CONTRAST),
        (GAUSSIAN.replace("scale = 2", 'scale = 2\nmoderators = ["group"]'), 'kind = "change"\n' + FROM_TO + CONTRAST),
    ],
)
def test_what_can_be_asked_is_not(outcome, estimand):
    assert study(outcome, estimand).estimands["e"].contrast is not None


@pytest.mark.parametrize(
    ("old", "new", "fragments"),
    [
        ('unit = "month"', 'unit = "months"', ["study.time.unit", "singular", '"month"']),
        (GAUSSIAN, 'typical = 148\nscale = 30\nfamily = { kind = "ordered_beta", lower = 0, upper = 150 }', ["outcomes.y.scale", "wider than"]),
    ],
)  # fmt: skip
def test_other_numbers_that_cannot_be(old, new, fragments):
    text = TEXT.replace("OUTCOME", GAUSSIAN).replace("ESTIMAND", 'kind = "level"\nat = 1').replace(old, new)
    with pytest.raises(StudyError) as error:
        parse_study(text)
    assert all(f in str(error.value) for f in fragments)
