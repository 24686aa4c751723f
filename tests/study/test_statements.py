"""What only the author knows: read strictly, kept word for word, and no part of the question."""

import pytest

from bayesmyo.errors import StudyError
from bayesmyo.study import parse_study
from bayesmyo.study.write import study_hash, to_toml
from tests.conftest import SMALL

STATED = '[report]\ngoal = "To learn."\nlimits = """\nOne line.\nAnother."""\n'
ESTIMAND = """[report.estimand]
treatment = "IVIG"
population = "Adults"
variable = "Strength"
intercurrent_events = "Loss: hypothetical"
summary = "Mean change"
"""


def test_statements_survive_a_round_trip():
    study = parse_study(SMALL + STATED + ESTIMAND)
    assert study.report.goal == "To learn."
    assert study.report.limits == "One line.\nAnother."
    assert study.report.estimand.summary == "Mean change"
    assert parse_study(to_toml(study)) == study


def test_they_are_no_part_of_the_question():
    assert study_hash(parse_study(SMALL + STATED)) == study_hash(parse_study(SMALL))


def test_every_fault_is_named_at_once():
    wrong = STATED.replace("goal", "gaol").replace('"""\nOne line.\nAnother."""', "3")
    with pytest.raises(StudyError) as refused:
        parse_study(SMALL + wrong + ESTIMAND.replace('summary = "Mean change"\n', ""))
    found = {f.where: f.what for f in refused.value.faults}
    assert found == {
        "report.gaol": "is not a key here",
        "report.limits": "must be text",
        "report.estimand.summary": "is missing",
    }


@pytest.mark.parametrize("text", ["a\\u001b[31m", "b\\u202e"])
def test_a_control_character_is_refused(text):
    with pytest.raises(StudyError, match="holds a control character"):
        parse_study(f'{SMALL}[report]\ngoal = "{text}"\n')
