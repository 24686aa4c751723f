"""[published]: what an abstract prints is read, and each thing that no patients can have has one message."""

import pytest

from bayesmyo.errors import StudyError
from bayesmyo.study import parse_study
from bayesmyo.study.abstract import contradictions, last_digit, rounded
from bayesmyo.study.scenarios import together
from bayesmyo.study.write import to_toml
from tests.conftest import SMALL

ABSTRACT = """
[published]
source = "Lindberg 2019"
patients = 12
follow_up = { mean = 22, sd = 9 }
lost = { count = 0 }

[published.numbers]
gain = { outcome = "strength", from = "first", mean = 6.0, sd = 7 }
late = { outcome = "cpk", at = 12, median = 320, window = 4 }

[published.responders]
normal = { criteria = { cpk = { at_most = 200 } }, count = 5, percent = 42 }
"""


def faults(text: str) -> list[str]:
    with pytest.raises(StudyError) as raised:
        parse_study(text)
    return [str(fault) for fault in raised.value.faults]


def test_an_abstract_is_written_as_it_is_read():
    study = parse_study(SMALL + ABSTRACT)
    assert parse_study(to_toml(study)) == study


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ('"Lindberg 2019"', '" "', "published.source", "is empty"),
        ("patients = 12\nfollow_up = { mean = 22", "patients = 1\nfollow_up = { mean = 22", "patients", "at least 2"),
        ("mean = 22, sd = 9", "mean = 22, sd = 0", "follow_up.sd", "must be positive"),
        ("count = 0", "count = 13", "lost.count", "all 12 patients"),
        ("count = 5", "count = 5, of = 14", "responders.normal.of", "between 1 and all 12"),
        ("percent = 42", "percent = 142", "normal.percent", "between 0 and 100"),
        ('"strength"', '"strenght"', "gain.outcome", 'did you mean "strength"'),
        ("mean = 6.0, sd = 7", "window = 2", "numbers.gain", "says no number"),
        ("mean = 6.0, sd = 7", "mean = 120", "gain.mean", "more than any change can be"),
        ("mean = 6.0, sd = 7", "mean = 90, sd = 80", "gain.sd", "the most that 12 patients between -100 and 100"),
        ("sd = 7", "sd = 7, interval = [2, 10]", "gain.interval", "a second time"),
        ("sd = 7", "interval = [8, 10]", "gain.interval", "around the mean"),
        ('from = "first"', "at = 3, from = 6", "gain.from", "must come before at, 3"),
        ("at = 12", 'at = "frist"', "late.at", "frist"),
        ("at_most = 200", "", "criteria.cpk", "asks nothing"),
        ("criteria = { cpk = { at_most = 200 } }, ", "", "responders.normal", "in one way"),
        ("criteria = { cpk = { at_most = 200 } }", 'rule = "strict", category = "a"', "normal.rule", "not one of"),
    ],
)
def test_each_fault_has_a_message(old, new, where, words):
    assert old in ABSTRACT
    listed = faults(SMALL + ABSTRACT.replace(old, new, 1))
    assert any(where in fault and words in fault for fault in listed), listed


def test_an_interval_says_the_sd_by_students_t():
    study = parse_study(SMALL + ABSTRACT.replace("sd = 7", "interval = [2, 10]"))
    value, digit = study.published.numbers["gain"].printed(12)["sd"]
    assert value == pytest.approx(4 * 12**0.5 / 2.200985, rel=1e-5)  # of 11 degrees of freedom
    assert digit == pytest.approx(value / 8)


def test_percentages_that_are_no_count_are_said():
    study = parse_study(SMALL + ABSTRACT)
    assert contradictions(study.published) == []  # 5 of 12 is 41.7 %
    wrong = parse_study(SMALL + ABSTRACT.replace("percent = 42", "percent = 17"))
    assert contradictions(wrong.published) == ["normal: 5 of 12 is 41.7 %, printed as 17 %; 2 of 12 would be."]


def test_the_last_digit_of_a_number():
    assert [last_digit(x) for x in (0.92, 1140.0, -36.0, 6.5)] == [0.01, 1.0, 1.0, 0.1]
    assert rounded(0.9249, 0.01) == pytest.approx(0.92)


TOGETHER = """
[scenarios.hope]
like = "improves"
strength = { slope = "normal(0.5, 0.2)", sd_slope = "halfnormal(0.3)" }
together = { "strength.slope" = { "strength.sd_slope" = 0.6 } }
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("strength.sd_slope", "strength.sigma", "has no design prior in this scenario"),
        ("0.6", "1", "between -1 and 1"),
        ('"strength.slope" =', '"strength.sd_slope" =', "two parameters"),
    ],
)
def test_correlations_of_design_priors_that_cannot_be(old, new, words):
    assert any("scenarios.hope.together" in f and words in f for f in faults(SMALL + TOGETHER.replace(old, new)))


def test_correlations_are_taken_over_where_there_is_still_a_prior():
    other = '[scenarios.other]\nlike = "hope"\n[scenarios.sure]\nlike = "hope"\nstrength = { slope = 0.5 }\n'
    study = parse_study(SMALL + TOGETHER + other)
    assert together(study.scenarios, "other") == {("strength.sd_slope", "strength.slope"): 0.6}
    assert together(study.scenarios, "sure") == {}
