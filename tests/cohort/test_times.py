"""Dates and numbers become time since the start of treatment, as arithmetic on the calendar has it."""

import random
from datetime import datetime, timedelta

import pytest

from bayesmyo.cohort.fates import NO_OUTCOME
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.cohort.times import BEFORE
from bayesmyo.errors import CohortError
from bayesmyo.study import parse_study
from tests.conftest import SMALL

HEAD = "patient,month,strength,cpk"
DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1, "week": 7, "month": 30.4375, "year": 365.25}  # of one unit
DATED = 'date = "YYYY-MM-DD"'


def study(time, unit="month"):
    return parse_study(
        SMALL.replace("typical = 24 }", f"typical = 24, {time} }}").replace('"month", label', f'"{unit}", label')
    )


def read(content, *how):
    asked = study(*how)
    return cohort_of(asked, parse_table(content.encode(), "cohort.csv", asked.data))


def faults(*how):
    with pytest.raises(CohortError) as caught:
        read(*how)
    return [str(fault) for fault in caught.value.faults]


def times(cohort):
    """Patient -> times of the visits, in the order of the table."""
    m = cohort.measurements["cpk"]
    return {p: m.time[m.patient == n].tolist() for n, p in enumerate(cohort.patients)}


@pytest.mark.parametrize("unit", DAYS)
def test_time_since_the_first_visit_in_every_unit(unit):
    rng = random.Random(8)
    moments = {(f"P{n % 9}", datetime(2019, 1, 1) + timedelta(minutes=rng.randrange(2_500_000))) for n in range(60)}
    visits = rng.sample(sorted(moments), len(moments))
    table = "\n".join([HEAD, *(f"{p},{t:%Y-%m-%d %H:%M},50,900" for p, t in visits)])
    first = {p: min(t for q, t in visits if q == p) for p, _ in visits}
    found = times(read(table, DATED, unit))
    for p in first:
        assert found[p] == pytest.approx([(t - first[p]) / timedelta(days=DAYS[unit]) for q, t in visits if q == p])


def test_time_since_a_date_that_one_row_of_a_patient_states():
    table = f"{HEAD},began\nA,2024-03-11,50,900,\nA,2024-02-25,50,900,2024-03-01\nB,2023-12-31,50,900,2023-01-01\n"
    cohort = read(table, f'{DATED}, since = "began"', "day")
    assert times(cohort) == {"A": [10, -5], "B": [364]}  # 2024 is a leap year
    assert (
        "1 visit lies before day 0 (line 3): kept, it tells the level at the start; where patients were already "
        "changing, "
        'declare a trend before treatment, such as trajectory = { kind = "piecewise", origin = -5, knots = [0] }. [D50]'
    ) in cohort.notices
    assert "Dates were turned into days since the date in began; no date is stored. [D38]" in cohort.notices


def test_only_patients_with_measurements_need_a_start():
    table = f"{HEAD},began\nA,7,50,900,6\nB,1,,,\nC,2,50,900,\nD,3,50,900,NA\nD,4,50,,\n"
    (found,) = faults(table, 'since = "began"')
    assert found.startswith("lines 4, 5, 6: no start of treatment is known")
    assert times(read(table.replace("C,2", "A,2").replace("D,", "A,"), 'since = "began"')) == {"A": [1, -4, -3]}


def test_the_last_visit_is_no_later_than_the_exit_in_the_time_of_the_table():
    stays = f"{HEAD},began,left\nA,3,50,900,3,10\nA,10,50,800,3,\nB,0,50,900,0,\nB,60,50,900,,\n"
    asked = 'since = "began", exit = "left"'
    assert times(read(stays, asked)) == {"A": [0, 7], "B": [0, 60]}
    (found,) = faults(f"{stays}A,10.01,,900,3,\n", asked)
    assert found.startswith(
        'line 6, column "month": a visit lies after the end of the patient\'s follow-up; correct its time'
    )
    assert read(f"{stays}A,10.01,,,3,\n", asked).rows.set_aside == {NO_OUTCOME: (6,)}


def ends(*how):
    """What is said of the end of follow-up."""
    (found,) = [n for n in read(*how).notices if n.endswith("[D67]")]
    return found.removeprefix("The end of follow-up (column left) is known of ").removesuffix(". [D67]")


def test_who_was_last_measured_before_the_end_of_follow_up_is_counted():
    """A has left at month 10 and was measured at 7; of B nothing is known; C was measured on the last day."""
    rows = f"{HEAD},left\nA,0,50,900,10\nA,7,50,,\nA,9,,,\nB,3,50,900,NA\nC,0,50,900,5\nC,5,,700,\n"
    asked = 'exit = "left"'
    assert ends(rows, asked) == "2 of 3 patients; 1 of them was last measured before it, by 3.0 months"
    assert (
        ends(f"{rows}D,0,50,900,25.5\n", asked)
        == "3 of 4 patients; 2 of them were last measured before it, by up to 26 months"
    )
    assert ends(rows.replace(",10", ",7"), asked) == "2 of 3 patients; nobody was last measured before it"
    assert ends(rows.replace(",10", ",").replace(",5\n", ",\n"), asked) == "0 of 3 patients"


@pytest.mark.parametrize(("last", "early"), [("2024-01-31", True), ("2024-02-01", False), ("2024-02-01 08:30", False)])
def test_a_visit_on_the_day_of_the_exit_is_not_before_it(last, early):
    rows = f"{HEAD},began,left\nA,2024-01-01,50,900,2024-01-01,2024-02-01\nA,{last},50,900,,\n"
    said = ends(rows, f'{DATED}, since = "began", exit = "left"', "day")
    assert (
        said
        == f"1 of 1 patients; {
            '1 of them was last measured before it, by 1.0 days' if early else 'nobody was last measured before it'
        }"
    )


def test_a_day_without_a_clock_is_the_whole_day():
    table = f"{HEAD},left\nA,2024-01-01 08:00,50,900,2024-01-10\nA,2024-01-10 23:59,50,900,2024-01-10\n"
    asked = f'{DATED}, exit = "left"', "day"
    assert times(read(table, *asked)) == {"A": [0, pytest.approx(9 + 959 / 1440)]}
    for late in ("2024-01-11", "2024-01-11 00:00"):
        assert faults(table.replace("2024-01-10 23:59", late), *asked)[0].endswith("[D49]")
    timed = table.replace(",2024-01-10\n", ",2024-01-10 23:58\n")
    assert faults(timed, *asked)[0].startswith("line 3")
    assert times(read(timed.replace("10 23:59", "10"), *asked))["A"][1] == pytest.approx(9 - 8 / 24)


def test_a_visit_of_unstated_time_on_the_day_of_the_start_is_at_the_start():
    asked, since = (f'{DATED}, since = "began", before = "refused"', "day"), "2024-01-01 10:00"
    table = f"{HEAD},began\nA,2024-01-01,50,900,{since}\nA,2024-01-02,51,800,\nA,2024-01-01 12:00,51,800,\n"
    assert times(read(table, *asked)) == {"A": [0, pytest.approx(14 / 24), pytest.approx(2 / 24)]}
    for early in ("2023-12-31", "2024-01-01 09:59", "2024-01-01 00:00"):
        assert faults(f"{HEAD},began\nA,{early},50,900,{since}\n", *asked)[0].endswith("[D50]")


NUMBER = "is the number by which a spreadsheet stores a date; format"
WRITTEN = "is not a date written {}; correct it. [D38]"


@pytest.mark.parametrize(
    ("pattern", "text", "what"),
    [
        ("YYYYMMDD", "20241301", "is no day or time of the calendar; correct it. [D38]"),
        ("YYYYMMDD", "2024111", WRITTEN), ("YYYY-MM-DD", "2024", WRITTEN),
        ("YYYY-MM-DD", "٢٠٢٤-٠١-٠١", WRITTEN), ("YYYY-MM-DD", "45292", NUMBER), ("YYYYMMDD", "45292.75", NUMBER),
    ],
)  # fmt: skip
def test_why_a_text_is_no_date(pattern, text, what):
    (found,) = faults(f"{HEAD}\nA,{text},50,900\n", f'date = "{pattern}"')[:1]
    assert found.startswith(f'line 2, column "month": {what.format(pattern)}')


EARLY = f"{HEAD}\nA,-0.001,50,900\nA,0,51,800\nB,-2,,\nB,-1,50,\nB,3,,700\n"


def test_visits_before_zero_are_set_aside_with_their_lines():
    cohort = read(f"{EARLY}C,-9,50,900\n", 'before = "set aside"')
    assert cohort.rows.set_aside == {BEFORE: (2, 5, 7), NO_OUTCOME: (4,)}
    assert times(cohort) == {"A": [0], "B": [3]}
    assert cohort.measurements["strength"].line.tolist() == [3]
    assert "3 visits lie before month 0 (lines 2, 5, 7): set aside. [D50]" in cohort.notices
    assert "1 of 3 patients have no measurement that is used and are not in the cohort. [D39]" in cohort.notices
