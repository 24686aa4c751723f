"""Estimands, decisions and rules of response that are well formed and yet ask for what cannot be, or is so by
definition.
"""

import pytest

from bayesmyo.errors import StudyError
from bayesmyo.study import parse_study
from bayesmyo.study.write import to_toml

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
        (GAUSSIAN, 'kind = "level"\nat = 1\npopulation = "new patient"\npredicts = "measurement"\n' + CONTRAST,
         ["compared by their expected values"]),
        (GAUSSIAN, 'kind = "level"\nat = 1\ngiven = { age = 60 }', ["has no part in the outcome y"]),
        (GAUSSIAN, 'kind = "level"\nat = 1\ncontrast = { covariate = "age", level = 60, reference = 50 }',
         ["does not differ"]),
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
        (GAUSSIAN, 'typical = 148\nscale = 30\nfamily = { kind = "ordered_beta", lower = 0, upper = 150 }',
         ["outcomes.y.scale", "wider than"]),
    ],
)  # fmt: skip
def test_other_numbers_that_cannot_be(old, new, fragments):
    text = TEXT.replace("OUTCOME", GAUSSIAN).replace("ESTIMAND", 'kind = "level"\nat = 1').replace(old, new)
    with pytest.raises(StudyError) as error:
        parse_study(text)
    assert all(f in str(error.value) for f in fragments)


# --- shares, times, decisions and rules of response: two outcomes, y gaussian, z log-normal

MORE = TEXT.replace("OUTCOME", GAUSSIAN).replace(
    '[estimands.e]\noutcome = "y"\nESTIMAND',
    """
[outcomes.z]
column = "z"
unit = "v"
better = "lower"
typical = 5
scale = 2
family = { kind = "lognormal" }
trajectory = { kind = "plateau" }

[outcomes.n]
column = "n"
unit = "events"
better = "lower"
typical = 5
scale = 2
family = { kind = "poisson" }
trajectory = { kind = "linear" }

[outcomes.grade]
column = "grade"
unit = "grade"
better = "higher"
scale = 2
family = { kind = "cumulative", coding = "mrc" }
trajectory = { kind = "linear" }

[estimands.change]
kind = "change"
outcome = "y"
from = 0
to = 12

[estimands.share]
kind = "share"
at = 12
criteria = { y = { at_least = 6 }, z = { of = "ratio", at_most = 0.5 } }

[estimands.ratio]
kind = "ratio"
outcome = "z"
from = 0
to = 12
""",
)
SHARE = '[estimands.s]\nkind = "share"\nat = 12\ncriteria = { y = { at_least = 6 } }\n'
TIME_TO = '[estimands.t]\nkind = "time to"\noutcome = "z"\nat_most = 2\nwithin = 24\n'
GOOD = "good = { y = { at_least = 6 } }"
RULE = "[responses.r]\nat = 12\n[responses.r.categories]\n"


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        # shares
        (SHARE + 'population = "new patient"',
         ["estimands.s.population", "one patient has no share", "these patients, population average"]),
        (SHARE + 'population = "average patient"', ["one patient has no share"]),
        (SHARE + 'summary = "mean"', ["estimands.s.summary", "what each family reports", "leave it out"]),
        (SHARE + "above = 50", ["estimands.s.above", "between 0 and 1", "got 50"]),
        (SHARE + 'outcome = "y"', ["estimands.s.outcome", "is not a key here"]),
        (SHARE + "given = { age = 60 }", ["has no part in the outcome y"]),
        (SHARE.replace("{ y = { at_least = 6 } }", "{}"), ["estimands.s.criteria", "ask nothing"]),
        (SHARE.replace("{ y = { at_least = 6 } }", "6"), ["estimands.s.criteria", "tables by name", "got 6"]),
        (SHARE.replace("y =", "yy ="), ["estimands.s.criteria.yy", "is not an outcome", "did you mean"]),
        (SHARE.replace("at_least = 6", ""), ["estimands.s.criteria.y", "asks nothing", "at_least, at_most or both"]),
        (SHARE.replace("at_least = 6", "at_leats = 6"),
         ["estimands.s.criteria.y.at_leats", 'did you mean "at_least"?']),
        (SHARE.replace("at_least = 6", 'at_least = "6"'), ["estimands.s.criteria.y.at_least", "must be a number"]),
        (SHARE.replace("at_least = 6", "at_least = 6, at_most = 5"), ["must not lie below at_least, 6; got 5"]),
        (SHARE.replace("at_least = 6", 'at_least = 6, of = "chance"'),
         ["estimands.s.criteria.y.of", 'did you mean "change"?']),
        (SHARE.replace("at_least = 6", 'at_least = 6, of = "change"') + "from = 12",
         ["criteria.y.of", "must come before at; got 12"]),
        (SHARE.replace("y = { at_least = 6 }", "z = { at_most = 0 }"),
         ["criteria.z.at_most", "everyone or nobody could meet it"]),
        (SHARE.replace("y = { at_least = 6 }", 'z = { of = "ratio", at_most = -1 }'), ["a ratio, which is positive"]),
        (SHARE.replace("y = { at_least = 6 }", 'grade = { of = "ratio", at_least = 1 }'),
         ["scores of grades have no ratio"]),
        (SHARE.replace("y = { at_least = 6 }", "grade = { at_least = 6 }"), ["must be between 0 and 5"]),
        (SHARE.replace("y = { at_least = 6 }", "grade = { at_least = 5 }"), ["must be between 0 and 5"]),
        (SHARE.replace("y = { at_least = 6 }", "grade = { at_least = 6 }") + 'predicts = "measurement"',
         ["must be from 0 to 5"]),
        (SHARE.replace("y = { at_least = 6 }", 'grade = { of = "change", at_least = 7 }'),
         ["more than the whole range, 5"]),
        (SHARE.replace("y = { at_least = 6 }", 'n = { of = "ratio", at_most = 0.5 }') + 'predicts = "measurement"',
         ["may be zero, and then has no ratio"]),
        (SHARE.replace("y = { at_least = 6 }", "n = { at_most = 0 }"),
         ["criteria.n.at_most", "must be a positive number"]),
        # times
        (TIME_TO + 'population = "new patient"', ["estimands.t.population", "does not speak of it", "average patient"]),
        (TIME_TO + 'predicts = "measurement"', ["estimands.t.predicts", "of expected values"]),
        (TIME_TO + "at_least = 3", ["estimands.t: give exactly one of at_least and at_most"]),
        (TIME_TO.replace("at_most = 2\n", ""), ["estimands.t: give exactly one"]),
        (TIME_TO.replace("24", "0"), ["estimands.t.within", "must be a time after 0"]),
        (TIME_TO.replace("at_most = 2", "at_most = -2"), ["estimands.t.at_most", "must be a positive number"]),
        (TIME_TO + "below = 30", ["estimands.t.below", "between 0 and 24"]),
        # decisions
        ('[decisions.d]\nkind = "dual"\nestimand = "change"\nnull = 1\nrelevant = 1\nprobability = 0.9',
         ["decisions.d.relevant", "above or below null, 1; got 1"]),
        ('[decisions.d]\nkind = "dual"\nestimand = "ratio"\nnull = 1\nrelevant = -0.5\nprobability = 0.9',
         ["decisions.d.relevant", "must be a positive number"]),
        ('[decisions.d]\nkind = "dual"\nestimand = "change"\nnull = 0\nrelevant = nan\nprobability = 0.9',
         ["decisions.d.relevant", "must be a finite number"]),
        ('[decisions.d]\nkind = "dual"\nestimand = "change"\nnull = 0\nrelevant = 1\nprobability = 90',
         ["decisions.d.probability", "between 0 and 1; got 90"]),
        ('[decisions.d]\nkind = "equivalence"\nestimand = "change"\nlow = 1\nhigh = -1\nprobability = 0.9',
         ["decisions.d.high", "must lie above low, 1; got -1"]),
        ('[decisions.d]\nkind = "equivalence"\nestimand = "share"\nlow = 0.2\nhigh = 40\nprobability = 0.9',
         ["decisions.d.high", "between 0 and 1"]),
        ('[decisions.d]\nkind = "precision"\nestimand = "change"\nwidth = 0',
         ["decisions.d.width", "must be positive; got 0"]),
        ('[decisions.d]\nkind = "precision"\nestimand = "change"\nwidth = 1\ninterval = 95',
         ["decisions.d.interval", "between 0 and 1; got 95"]),
        ('[decisions.d]\nkind = "probability"\nestimand = "share"\nabove = 50\nprobability = 0.9',
         ["decisions.d.above", "between 0 and 1"]),
        # rules of response
        ("[responses.r]\nat = 12", ["responses.r.categories", "is missing"]),
        (RULE + "all = {}", ["responses.r.categories", "ask nothing of any outcome"]),
        (RULE.replace("at = 12", "at = 12\nwindow = -1") + GOOD,
         ["responses.r.window", "must lie between 0 and at, 12", "-1"]),
        (RULE.replace("at = 12", "at = 12\nwindow = 13") + GOOD,
         ["responses.r.window", "must lie between 0 and at, 12", "13"]),
        (RULE + "all = {}\ngood = { y = { at_least = 6 } }", ["responses.r.categories.all", "comes last"]),
        (RULE + "Good = { y = { at_least = 6 } }", ["responses.r.categories.Good", "not a usable name"]),
        (RULE + "good = { yy = { at_least = 6 } }", ["responses.r.categories.good.yy", "is not an outcome"]),
        (RULE + "good = { y = 6 }", ["responses.r.categories.good.y", "must be a table"]),
        (RULE + "good = 6", ["responses.r.categories.good", "tables by name"]),
        (RULE.replace("at = 12", "at = 0") + 'good = { y = { of = "change", at_least = 6 } }',
         ["good.y.of", "must come before at; got 0"]),
        ("[responses.R]\nat = 12\n[responses.R.categories]\ngood = { y = { at_least = 6 } }",
         ["responses.R", "not a usable name"]),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_of_several_outcomes_is_refused(text, fragments):
    with pytest.raises(StudyError) as error:
        parse_study(MORE + text)
    assert all(f in str(error.value) for f in fragments), str(error.value)
    assert len(error.value.faults) == 1


def test_a_rule_that_the_study_calls_its_own_is_one_of_its_rules():
    text = MORE.replace('patient = "p"', 'patient = "p"\nrule = "rr"')
    good = RULE + "good = { y = { at_least = 6 } }"
    for more, mend in (("", "declare [responses.rr]"), (good.replace(".r", ".rx"), "allowed: rx")):
        with pytest.raises(StudyError, match=r"study\.rule") as error:
            parse_study(text + more)
        assert mend in str(error.value)
    assert parse_study(text.replace('"rr"', '"r"') + good).rule == "r"


@pytest.mark.parametrize(
    "text",
    [
        SHARE + 'predicts = "measurement"\npopulation = "these patients"',
        SHARE + 'predicts = "measurement"',
        SHARE + 'contrast = { covariate = "group", level = "B", reference = "A" }\nabove = -0.1',
        SHARE.replace("y = { at_least = 6 }", "n = { at_most = 0 }") + 'predicts = "measurement"',
        TIME_TO + 'population = "average patient"\nbelow = 6',
        TIME_TO + 'summary = "mean"\npopulation = "these patients"',
        RULE + "good = { y = { at_least = 6 } }\nbad = {}",
        RULE + "good = { y = { at_least = 6 } }",
    ],
)
def test_what_can_be_asked_of_several_outcomes_is_read_and_written_alike(text):
    study = parse_study(MORE + text)
    assert parse_study(to_toml(study)) == study


@pytest.mark.parametrize(
    ("trajectory", "refused"),
    [
        ('{ kind = "linear" }', True),
        ('{ kind = "plateau", origin = 2 }', True),
        ('{ kind = "linear", before = "trend" }', False),
        ('{ kind = "piecewise", origin = -12, knots = [0] }', False),
    ],
)
def test_a_change_before_the_start_is_zero_by_definition(trajectory, refused):
    text = TEXT.replace("OUTCOME", GAUSSIAN).replace("ESTIMAND", 'kind = "change"\nfrom = -6\nto = 0')
    text = text.replace('{ kind = "linear" }', trajectory)
    if not refused:
        parse_study(text)
        return
    with pytest.raises(StudyError) as caught:
        parse_study(text)
    [fault] = caught.value.faults
    assert (fault.where, fault.got) == ("estimands.e.to", "0")
    assert "zero by definition: before 0 y stands at its level there" in str(fault)
    assert '{ kind = "piecewise", origin = -6, knots = [0] }' in str(fault)


DOSE = """
[study]
title = "T"
patient = "p"
time = { column = "t", unit = "month", typical = 12 }

[outcomes.dose]
column = "dose"
unit = "mg"
better = "lower"
typical = 20
scale = 2
family = { kind = "hurdle_lognormal" }
trajectory = { kind = "constant" }
zero = { typical = 0.1, scale = 0.1, trajectory = { kind = "linear" } }

[estimands.free]
kind = "share"
at = 12
criteria = { dose = { at_most = 0 } }
"""


def test_how_many_have_none_of_it_is_asked_of_measurements():
    """What is expected of a patient is never zero; the refusal says how the question is asked."""
    with pytest.raises(StudyError) as refused:
        parse_study(DOSE)
    assert 'a share with predicts = "measurement" is the probability of zero' in str(refused.value)
    assert parse_study(DOSE + 'predicts = "measurement"\n').estimands["free"].predicts == "measurement"
