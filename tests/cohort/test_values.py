"""Cells are converted to the outcome's unit before anything is checked against what the study declares."""

import random
import re

import numpy as np
import pytest

from bayesmyo.cohort.cohort import BETWEEN, LEFT, MEASURED, RIGHT
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.errors import CohortError
from bayesmyo.study import parse_study
from tests.conftest import SMALL

KAT = 'recorded = { factors = { "microkat/L" = 60 } }'
UNITS = 'recorded = { factors = { "microkat/L" = 60, "nkat/L" = 0.06 }, column = "unit" }'
TYPED = 'censoring = "as typed"'
RANGE = "minimum = 100\nmaximum = 12000"


def read(cells, outcome="", data="", units=None):
    """A cohort of one patient with these cells of cpk, on lines 2, 3 ..."""
    text = SMALL.replace('label = "CPK"', f'label = "CPK"\n{outcome}')
    text = text.replace("[study]", f'[data]\ndelimiter = ";"\n{data}\n[study]', 1)
    study, units = parse_study(text), units or ["x"] * len(cells)
    rows = [f"A;{n};{40 + n % 20};{cell};{unit}" for n, (cell, unit) in enumerate(zip(cells, units, strict=True))]
    table = "\n".join(["patient;month;strength;cpk;unit", *rows])
    return cohort_of(study, parse_table(table.encode(), "cohort.csv", study.data))


def faults(*how, **more):
    with pytest.raises(CohortError) as caught:
        read(*how, **more)
    return [str(fault) for fault in caught.value.faults]


def test_every_cell_times_the_factor_of_its_unit():
    rng = random.Random(5)
    factors = {"IU/L": 1, "microkat/L": 60, " nkat/L ": 0.06}
    drawn = [(rng.choice([*factors]), rng.uniform(2000, 9000)) for _ in range(200)]
    m = read([repr(v) for _, v in drawn], UNITS, units=[u for u, _ in drawn]).measurements["cpk"]
    np.testing.assert_allclose(m.value, [v * factors[u] for u, v in drawn], rtol=1e-14)


def test_the_range_is_of_the_outcome_and_not_of_the_cell():
    legal = read(["2", "200", "1.7"], f"{KAT}\n{RANGE}").measurements["cpk"]  # 2 and 1.7 are below 100 as typed
    assert legal.value.tolist() == pytest.approx([120, 12000, 102])
    (found,) = faults(["20", "1.6", "201", "150"], f"{KAT}\n{RANGE}")  # 96 and 12060; 201 is legal as typed
    assert found.startswith('lines 3, 4, column "cpk": is outside the declared range 100 to 12000; got "1.6", "201"')


def test_a_number_that_may_mean_missing_is_seen_as_it_was_typed():
    (found,) = faults(["-99", "20"], KAT)
    assert (found[:8], found[-5:]) == ("line 2, ", "[D34]")
    (found,) = faults(["999", "20"], f"{KAT}\n{RANGE}")
    assert found.endswith("[D34]")
    notices = read([*map(str, range(20, 40)), "999", "999"], KAT).notices
    assert [n for n in notices if "[D34]" in n] == [
        "CPK: 999 occurs 2 times (lines 22, 23); if it means missing, add it to data.missing. [D34]"
    ]


def test_limits_are_converted_with_both_their_ends():
    m = read(["<20", ">100", "20..50", "30"], f"{KAT}\n{TYPED}").measurements["cpk"]
    assert m.value.tolist() == [1200, 6000, 1200, 1800]
    assert m.side.tolist() == [LEFT, RIGHT, BETWEEN, MEASURED]
    assert (m.end[2], m.censored) == (3000, 3)
    assert np.isnan(m.end[[0, 1, 3]]).all()
    (found,) = faults(["2..199", "2..201"], f"{KAT}\n{TYPED}\n{RANGE}")
    assert found.startswith('line 3, column "cpk": is outside the declared range 100 to 12000; got "2..201"')


def test_a_declared_limit_is_in_the_unit_of_the_outcome():
    limits = f"{KAT}\ncensoring = {{ above = 6000, below = 120 }}"
    m = read(["100", "2", "99", "60"], limits).measurements["cpk"]
    assert (m.value.tolist(), m.side.tolist()) == ([6000, 120, 5940, 3600], [RIGHT, LEFT, MEASURED, MEASURED])
    (found,) = faults(["101", "60", "1"], limits)
    assert found.startswith('lines 2, 4, column "cpk": lies beyond the declared limit')


@pytest.mark.parametrize(
    ("thousands", "decimal", "text", "value"),
    [
        (",", ".", "1,234,567.25", 1234567.25), (",", ".", "1200.5", 1200.5), (",", ".", "1.200", 1.2),
        (",", ".", "1e3", 1000), (".", ",", "1.200", 1200),
        (".", ",", "1,200", 1.2), ("'", ".", "12'345.5", 12345.5), (" ", ",", "12 345,5", 12345.5),
        ("\u202f", ",", "+12\u202f345,5", 12345.5),
    ],
)  # fmt: skip
def test_a_declared_sign_between_thousands(thousands, decimal, text, value):
    m = read([text, "900"], data=f'thousands = "{thousands}"\ndecimal = "{decimal}"').measurements["cpk"]
    assert m.value.tolist() == [value, 900]


THREES = "has digits that are not in groups of three"


@pytest.mark.parametrize(
    ("text", "thousands", "what"),
    [
        *[(t, ",", THREES) for t in ("1,2000", "12,34", "1,200,", "1,,200", ",200", "1234,567", "1,200,00.5")],
        ("1.5", ".", THREES),
        ("1,200.5.1", ",", "is not a number"), ("1 200", ",", "may have a thousands separator"),
    ],
)  # fmt: skip
def test_digits_that_are_not_in_threes_are_never_joined(text, thousands, what):
    (found,) = faults([text, "900"], data=f'thousands = "{thousands}"\ndecimal = "{"." if thousands == "," else ","}"')
    assert found.startswith(f'line 2, column "cpk": {what}')
    assert "data.decimal" not in found


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u2009"])
def test_the_sign_that_is_advised_can_be_declared(space):
    (found,) = faults([f"1{space}200", "900"])
    advised = re.search(r'data\.(thousands = ".*")', found)[1]
    assert advised.isascii()
    assert read([f"1{space}200", "900"], data=advised).measurements["cpk"].value.tolist() == [1200, 900]


def test_thousands_in_limits_and_before_a_conversion():
    m = read(["<1,200", ">12,000.5", "1,000..2,000", "1,100"], f"{KAT}\n{TYPED}", 'thousands = ","').measurements["cpk"]
    assert m.value.tolist() == [72000, 720030, 60000, 66000]
    assert (m.side.tolist(), m.end[2]) == ([LEFT, RIGHT, BETWEEN, MEASURED], 120000)
