"""A pattern of YYYY, MM or MON, and DD says which texts are dates, and on which day each lies."""

import random
from datetime import date, timedelta

import pytest

from bayesmyo.study.dates import (
    NAMES,
    USUAL,
    compiled,
    day_number,
    fitting,
    has_clock,
    has_offset,
    month_named,
    strftime,
    year,
)

FORMATS = {
    "YYYY-MM-DD": "%Y-%m-%d", "DD/MM/YYYY": "%d/%m/%Y", "MM/DD/YYYY": "%m/%d/%Y", "DD.MM.YYYY": "%d.%m.%Y",
    "DD-MM-YYYY": "%d-%m-%Y",
    "DD-MON-YYYY": "%d-%b-%Y", "DD MON YYYY": "%d %b %Y", "YYYY/MM/DD": "%Y/%m/%d",
}  # fmt: skip


@pytest.mark.parametrize("pattern", USUAL)
def test_days_between_dates_are_those_of_the_calendar(pattern):
    rng, first = random.Random(3), date(1900, 1, 1)
    days = [first + timedelta(days=rng.randrange(73_000)) for _ in range(300)] + [date(2024, 2, 29), date(2000, 2, 29)]
    start = day_number("1900-01-01", "YYYY-MM-DD")
    for day in days:
        found = day_number(day.strftime(FORMATS[pattern]), pattern)
        assert (found - start, year(found)) == ((day - first).days, day.year)
    assert strftime(pattern) == FORMATS[pattern]


@pytest.mark.parametrize(
    ("text", "pattern", "same"),
    [
        ("5/3/2024", "DD/MM/YYYY", "2024-03-05"), ("5/3/2024", "MM/DD/YYYY", "2024-05-03"),
        (" 1-2-2024 ", "DD-MM-YYYY", "2024-02-01"),
        ("07 jul 2024", "DD MON YYYY", "2024-07-07"), ("07-JUL-2024", "DD-MON-YYYY", "2024-07-07"),
        ("20240707", "YYYYMMDD", "2024-07-07"),
        ("Jul. 7, 2024", "MON. DD, YYYY", "2024-07-07"), ("7JUL2024", "DDMONYYYY", "2024-07-07"),
        ("1-Mai-2024", "DD-MON-YYYY", "2024-05-01"), ("1. März 2024", "DD. MON YYYY", "2024-03-01"),
        ("1-Sept-2024", "DD-MON-YYYY", "2024-09-01"),
        ("3 févr. 2024", "DD MON YYYY", "2024-02-03"), ("3 août 2024", "DD MON YYYY", "2024-08-03"),
        ("3 Okt 2024", "DD MON YYYY", "2024-10-03"),
        ("3 dic 2024", "DD MON YYYY", "2024-12-03"), ("3 giu 2024", "DD MON YYYY", "2024-06-03"),
        ("3 mrt 2024", "DD MON YYYY", "2024-03-03"),
        ("05/03/24", "DD/MM/YY", "2024-03-05"), ("05/03/68", "DD/MM/YY", "2068-03-05"),
        ("05-Mar-69", "DD-MON-YY", "1969-03-05"),
    ],
)  # fmt: skip
def test_zeros_case_and_separators_of_a_pattern(text, pattern, same):
    assert day_number(text, pattern) == day_number(same, "YYYY-MM-DD") is not None


@pytest.mark.parametrize(
    ("clock", "part"),
    [(" 00:00", 0), (" 18:00", 0.75), ("T06:00:00", 0.25), (" 9:36", 0.4), (" 23:59:59", 86399 / 86400),
     (" 12:00:00.7", 0.5)],
)  # fmt: skip
def test_the_clock_is_a_part_of_the_day(clock, part):
    midnight = day_number("31/12/1999", "DD/MM/YYYY")
    assert day_number("31/12/1999" + clock, "DD/MM/YYYY") - midnight == pytest.approx(part, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("2024-03-01T12:00Z", 12), ("2024-03-01T12:00:00+02:00", 10), ("2024-03-01 12:00 -0330", 15.5),
     ("2024-03-01T00:30+01:00", -0.5)],
)  # fmt: skip
def test_an_offset_from_utc_is_taken_off(text, hours):
    midnight = day_number("2024-03-01", "YYYY-MM-DD")
    assert day_number(text, "YYYY-MM-DD") - midnight == pytest.approx(hours / 24, abs=1e-9)
    assert has_offset(text, "YYYY-MM-DD")
    assert not has_offset("2024-03-01 12:00", "YYYY-MM-DD")


def test_each_name_of_a_month_is_that_of_one_month():
    for n, names in enumerate(NAMES, 1):
        assert {month_named(name) for name in names.split()} == {n}
    assert [month_named(t) for t in ("jui", "ma", "x", "")] == [None] * 4


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29", "1900-02-29", "2024-04-31", "2024-13-01", "2024-00-10", "2024-01-00", "0000-01-01", "24-01-01",
        "2024-1", "2024/01/01", "01-01-2024",
        "2024-01-01 24:00", "2024-01-01 10:60", "2024-01-01 10:00:60", "2024-01-01 10", "2024-01-01Z", "2024-01-01x",
        "", "45000",
    ],
)  # fmt: skip
def test_what_is_no_date(text):
    assert day_number(text, "YYYY-MM-DD") is None


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [("DD-MON-YYYY", ("01-FOO-2024", "01-Ju-2024", "01-Jui-2024", "01-03-2024")),
     ("YYYYMMDD", ("2024111", "20241301", "202411", "2024 0101")), ("DDMMYYYY", ("1112024",)),
     ("YYYYMM-DD", ("20241-01",)), ("YYYY-MM-DD", ("２０２４-０１-０１", "2024-01-٠١", "2024-01-01 1٠:00"))],
)  # fmt: skip
def test_names_are_known_digits_ascii_and_zeros_needed_without_separators(pattern, texts):
    assert [day_number(text, pattern) for text in texts] == [None] * len(texts)


def test_whether_a_date_has_a_clock_and_patterns_are_compiled_once():
    assert [
        has_clock(t, "DD/MM/YYYY") for t in ("1/1/2024", "1/1/2024 00:00", " 1/1/2024T09:30 ", "2024-01-01 10:00")
    ] == [False, True, True, False]
    assert compiled("DD/MM/YYYY") is compiled("DD/MM/YYYY")


@pytest.mark.parametrize(
    "pattern", ["", "YYYY-MM", "YYYY-MM-DD-DD", "YYYY-MM-MON", "YY-YYYY-DD", "Y-MM-DD", "DD/MMM/YYYY", "yyyy-mm-dd",
     "%Y-%m-%d", "YYYY-MM-DD hh"]
)  # fmt: skip
def test_what_is_no_pattern(pattern):
    assert compiled(pattern) is None
    assert day_number("2024-01-01", pattern) is None


def test_patterns_that_fit_every_text():
    assert fitting(["01/03/2024", "12/04/2024"]) == ["DD/MM/YYYY", "MM/DD/YYYY"]
    assert fitting(["01/03/2024", "13/04/2024"]) == ["DD/MM/YYYY"]
    assert fitting(["13/04/2024", "04/13/2024"]) == fitting(["2024-03-01", "01.03.2024"]) == fitting([]) == []
