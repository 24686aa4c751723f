"""What a study may declare about its table and its dates, and what it may not."""

import pytest

from bayesmyo.errors import StudyError
from bayesmyo.study import parse_study
from tests.conftest import SMALL


def study(data="", time="", outcome=""):
    """The small study with a [data] table, more keys of study.time, and a line for the outcome cpk."""
    text = SMALL.replace("[study]", f"[data]\n{data}\n[study]", 1).replace('label = "CPK"', f'label = "CPK"\n{outcome}')
    return parse_study(text.replace("typical = 24 }", f"typical = 24, {time} }}" if time else "typical = 24 }", 1))


def faults(*how, **declared):
    with pytest.raises(StudyError) as caught:
        study(*how, **declared)
    return {fault.where: str(fault) for fault in caught.value.faults}


def only(found, where, what):
    assert [*found] == [where]
    assert what in found[where]


@pytest.mark.parametrize(
    "data",
    [
        "skip_lines = 0", "skip_lines = 1000", 'sheet = "a"\npatients_sheet = "b"', 'duplicates = "mean"',
        'identifying = ["name", "dob"]',
        'identifying = ["patient"]', "require_baseline = {}", 'require_baseline = { outcomes = ["cpk"], until = -1 }',
    ],
)  # fmt: skip
def test_what_a_table_may_be(data):
    assert study(data).data != study().data or data == "skip_lines = 0"


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        ('thousands = "."', "thousands", "is also the decimal sign"),
        ('thousands = ","\ndecimal = ","\ndelimiter = ";"', "thousands", "is also the decimal sign"),
        ("skip_lines = -1", "skip_lines", "must lie between 0 and 1000; got -1"),
        ("skip_lines = 1001", "skip_lines", "must lie between 0 and 1000; got 1001"),
        ("skip_lines = 1.5", "skip_lines", "got 1.5"),
        ('sheet = "a"\npatients_sheet = "a"', "patients_sheet", 'is also the sheet of visits; got "a"'),
        ('duplicates = "median"', "duplicates", 'did you mean "mean"?'),
        ("identifying = [1]", "identifying.0", "must be text"),
        ('identifying = "name"', "identifying", 'got "name"'),
        ("require_baseline = true", "require_baseline", "must be a table"),
        ('require_baseline = { outcomes = ["cpkk"] }', "require_baseline.outcomes",
         'is no outcome; got "cpkk"; did you mean "cpk"?'),
        ("require_baseline = { until = nan }", "require_baseline.until", "finite"),
    ],
)  # fmt: skip
def test_what_a_table_may_not_be(data, where, what):
    only(faults(data), f"data.{where}", what)


@pytest.mark.parametrize(
    ("data", "delimiter"),
    [("", ","), ('decimal = "."', ","), ('decimal = ","', ";"), ('decimal = ","\ndelimiter = "\\t"', "\t"),
     ('delimiter = ";"', ";")],
)  # fmt: skip
def test_a_semicolon_stands_between_cells_with_decimal_commas_unless_stated(data, delimiter):
    assert study(data).data.delimiter == delimiter


@pytest.mark.parametrize("sign", [*"., '’", "\u00a0", "\u202f", "\u2009"])
def test_what_may_stand_between_thousands(sign):
    decimal = "," if sign == "." else "."
    assert study(f'thousands = "{sign}"\ndecimal = "{decimal}"\ndelimiter = ";"').data.thousands == sign


@pytest.mark.parametrize("sign", ["", "..", "0", "k", "-", "<", '\\"', "+", "_", ", "])
def test_what_may_not_stand_between_thousands(sign):
    only(faults(f'thousands = "{sign}"'), "data.thousands", "must be one sign that can stand between thousands")


@pytest.mark.parametrize(
    ("time", "where", "what"),
    [
        ('date = "Y-MM-DD"', "time.date", "is not a pattern of dates"),
        ('date = "YYYY-MM"', "time.date", "name year, month and day once each"),
        ("date = true", "time.date", "must be text"), ('before = "dropped"', "time.before", "kept, refused, set aside"),
        ('since = "month"', "time.since", "is the same column as study.time.column"),
        ('exit = "cpk"', "", "is the same column as study.time.exit"),
        ('since = "began", exit = "began"', "time.exit", "is the same column as study.time.since"),
        ('since = "patient"', "time.since", "is the same column as study.patient"),
    ],
)  # fmt: skip
def test_what_times_may_not_be(time, where, what):
    only(faults(time=time), f"study.{where}" if where else "outcomes.cpk.column", what)


def test_dates_need_a_unit_of_the_calendar():
    cycles = (
        SMALL.split("[scenarios")[0].replace('unit = "month"', 'unit = "cycle"', 1).replace('"plateau"', '"linear"')
    )
    assert parse_study(cycles).time.unit == "cycle"
    with pytest.raises(StudyError, match='dates cannot be turned into this unit; got "cycle"'):
        parse_study(cycles.replace("typical = 24 }", 'typical = 24, date = "YYYY-MM-DD" }', 1))


@pytest.mark.parametrize(
    ("column", "where"),
    [("month", "study.time.column"), ("cpk", "outcomes.cpk.column"), ("began", "study.time.since"),
     ("left", "study.time.exit"), ("unit", "outcomes.cpk.recorded.column")],
)  # fmt: skip
def test_a_column_that_identifies_people_serves_for_nothing_but_the_patient(column, where):
    recorded = 'recorded = { factors = { ukat = 60 }, column = "unit" }'
    found = faults(f'identifying = ["{column}"]', 'since = "began", exit = "left"', recorded)
    only(found, where, f'is a column that identifies people; got "{column}"')


@pytest.mark.parametrize(
    ("recorded", "where", "what"),
    [
        ("factors = {}", ".factors", "must name one unit"),
        ("factors = { ukat = 60, nkat = 0.06 }", ".factors", "several need a column"),
        ("factors = { ukat = 0 }", ".factors.ukat", "must be positive; got 0"),
        ("factors = { ukat = -60 }", ".factors.ukat", "must be positive; got -60"),
        ('factors = { "IU/L" = 2 }', ".factors.IU/L", "is the outcome's own unit, whose factor is 1; got 2"),
        ('factors = { ukat = 60 }, column = "strength"', ".column", "is the same column as outcomes.strength.column"),
    ],
)  # fmt: skip
def test_what_other_units_may_not_be(recorded, where, what):
    only(faults(outcome=f"recorded = {{ {recorded} }}"), f"outcomes.cpk.recorded{where}", what)
