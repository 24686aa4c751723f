"""Values that are copied are noted with their lines, and those that only happen to be alike are not: planted copies,
cohorts of known noise.
"""

import re

import numpy as np
import pytest

from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.study import parse_study

STUDY = """
[study]
title = "Copies"
patient = "patient"
time = { column = "month", unit = "month", typical = 12 }
"""
OUTCOMES = (("ck", 1200, 2.5, "lognormal"), ("hb", 12.5, 1.5, "gaussian"), ("score", 60, 15, "gaussian"))
OUTCOME = """
[outcomes.{0}]
column = "{0}"
label = "{0}"
unit = "u"
better = "higher"
typical = {1}
scale = {2}
family = {{ kind = "{3}" }}
trajectory = {{ kind = "linear" }}
"""
VISITS = (0, 1, 3, 6, 9, 12)


def study(names=("ck", "hb", "score")):
    return parse_study(STUDY + "".join(OUTCOME.format(*o) for o in OUTCOMES if o[0] in names), "copies.toml")


def table(rng, patients=16):
    """Rows as a clinic types them: ck in whole numbers, hb to a hundredth, a score from 0 to 100 at whose end a
    third of the patients are.
    """
    rows = []
    for n in range(patients):
        ck, hb, score = rng.normal(7, 0.7), rng.normal(12.5, 1.2), 100 if rng.random() < 1 / 3 else rng.normal(70, 12)
        for month in VISITS:
            values = np.exp(ck - 0.05 * month + rng.normal(0, 0.3)), hb + rng.normal(0, 0.5), score + rng.normal(0, 4)
            rows.append([f"P{n:02d}", month, round(values[0]), round(values[1], 2), round(min(100, values[2]))])
    return rows


def said(rows, names=("ck", "hb", "score")):
    """The lines of each notice of a copy."""
    text = "\n".join(",".join(map(str, row)) for row in [["patient", "month", "ck", "hb", "score"], *rows])
    notices = cohort_of(study(names), parse_table(text.encode(), "t.csv", study().data)).notices
    return [n for n in notices if "[D75]" in n]


def test_clean_cohorts_are_rarely_noted(rng):
    assert sum(bool(said(table(rng))) for _ in range(150)) <= 3


def test_patients_who_stay_at_the_end_of_a_scale_or_on_one_dose_are_no_copies(rng):
    for _ in range(20):
        rows = table(rng)
        for n, row in enumerate(rows):
            row[4] = (20, 40, 100)[n // len(VISITS) % 3]
        assert said(rows) == []


@pytest.mark.parametrize(
    ("fill", "what"),
    [(lambda first, n: first, "ck: holds one value"), (lambda first, n: first + n, "ck: changes by 1 from row to row")],
)
def test_a_column_that_was_filled_is_noted(rng, fill, what):
    for _ in range(10):
        rows = table(rng)
        for n in range(7):
            rows[20 + n][2] = fill(rows[20][2], n)
        (told,) = said(rows)
        assert told.startswith(f"{what} in 7 rows (lines 22, 23, 24, 25, 26 and 2 more)")


def test_a_patients_rows_that_were_pasted_twice_a_day_later_are_noted(rng):
    for _ in range(10):
        rows = table(rng)
        again = [[row[0], row[1] + 0.03, *row[2:]] for row in rows[12:18]]
        told = [
            n for n in said([*rows[:18], *again, *rows[18:]]) if "repeat the row before of the same patient in ck" in n
        ]
        assert re.search(r"lines 20, 21, 22, 23, 24", "".join(told))


@pytest.mark.parametrize("names", [("ck",), ("ck", "hb", "score")])
def test_a_patients_values_under_another_id_are_noted_whenever_they_were(rng, names):
    for _ in range(10):
        rows = table(rng)
        rows += [["X1", row[1] + 12, *row[2:]] for row in rows[12:16]]
        (told,) = said(rows, names)
        assert told.startswith("Two patients have the same values of ck")
        assert "lines 14, 15, 16, 17, 98 and 3 more" in told


def test_a_column_of_another_patient_is_noted(rng):
    for _ in range(10):
        rows = table(rng)
        for n in range(4):
            rows[30 + n][2] = rows[60 + n][2]
        (told,) = said(rows)
        assert "lines 32, 33, 34, 35, 62 and 3 more" in told
