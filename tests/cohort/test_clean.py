"""The table as it was read: what is written is what was understood, to the last bit, and is read back by the plain
study.
"""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.cohort import clean_csv, read_cohort
from bayesmyo.model.simulate import simulate_scenario
from bayesmyo.study import parse_study
from bayesmyo.study.clean import plain
from tests.conftest import SMALL
from tests.study.everything import EVERYTHING

DATES = """
[study]
title = "A clinic's table"
patient = "Nr."
time = { column = "visit", unit = "month", date = "DD/MM/YYYY", since = "first dose", typical = 12 }

[data]
delimiter = ";"
decimal = ","
missing = ["nd"]
duplicates = "mean"
identifying = ["surname"]

[covariates.arm]
column = "group"
levels = ["placebo", "active", "=open"]
map = { P = "placebo", A = "active", "1" = "active" }

[outcomes.enzyme]
column = "CK (U/L)"
unit = "IU/L"
better = "lower"
typical = 500
scale = 2
family = { kind = "lognormal" }
trajectory = { kind = "log" }
censoring = "as typed"
recorded = { column = "unit", factors = { "microkat/L" = 60 } }
covariates = ["arm"]

[outcomes.strength]
column = "strength"
unit = "grade"
better = "higher"
scale = 2
family = { kind = "cumulative", levels = ["poor", "fair", "good"], scores = [0, 1, 2], merge = [["poor", "fair"]] }
trajectory = { kind = "linear" }

[outcomes.dose]
column = "dose"
unit = "mg"
better = "lower"
typical = 20
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
map = { none = 0, "12 (tapering)" = 12.5 }
"""
TABLE = """Nr.;surname;visit;first dose;group;CK (U/L);unit;strength;dose
17;Doe;25/12/2019;01/01/2020;P;1.000,5;IU/L;poor;none
17;Doe;01/01/2020;01/01/2020;P;20;microkat/L;fair;12 (tapering)
17;Doe;01/02/2020;01/01/2020;P;<20;IU/L;good;0,1
4;Roe;05/03/2021;05/03/2021;1;>2000;IU/L;nd;nd
4;Roe;05/04/2021;05/03/2021;1;100..200;IU/L;good;3
4;Roe;05/04/2021;05/03/2021;A;;;;4
=A1;Poe;05/03/2021;05/03/2021;=open;300;IU/L;good;7
""".replace("1.000,5", "1000,5")
CLEAN = """Nr.,visit,group,CK (U/L),CK (U/L)_value,CK (U/L)_censored,CK (U/L)_upper,strength,dose
P01,-0.2299794661190965,placebo,1000.5,1000.5,none,1000.5,poor,0
P01,0,placebo,1200,1200,none,1200,poor,12.5
P01,1.0184804928131417,placebo,<20,20,left,20,good,0.1
P02,0,active,>2000,2000,right,2000,,
P02,1.0184804928131417,active,100..200,100,interval,200,good,3.5
P03,0,'=open,300,300,none,300,good,7
"""


@pytest.fixture(scope="module")
def clinic():
    return parse_study(DATES)


def read_text(study, text, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return read_cohort(study, path)


def test_a_table_of_dates_texts_units_and_limits_by_hand(clinic, tmp_path):
    assert clean_csv(clinic, read_text(clinic, TABLE, tmp_path)) == CLEAN


def assert_same(found, cohort):
    """The same numbers to the last bit."""
    assert found.patients == cohort.pseudonyms()
    for name, values in cohort.covariates.items():
        np.testing.assert_array_equal(found.covariates[name], values)
    for name, m in cohort.measurements.items():
        again = found.measurements[name]
        order, same = np.lexsort((m.time, m.patient)), np.lexsort((again.time, again.patient))
        for part in ("patient", "time", "value", "side", "end", "exposure"):
            first, second = getattr(m, part), getattr(again, part)
            assert (first is None) == (second is None)
            if first is not None:
                np.testing.assert_array_equal(second[same], first[order])
        for c, values in m.covariates.items():
            np.testing.assert_array_equal(again.covariates[c][same], values[order])


def test_what_was_written_of_a_clinics_table_is_read_back(clinic, tmp_path):
    cohort = read_text(clinic, TABLE, tmp_path)
    assert_same(read_text(plain(clinic), clean_csv(clinic, cohort), tmp_path), cohort)


@pytest.mark.parametrize(("text", "scenario"), [(EVERYTHING, "one"), (SMALL, "improves")])
def test_what_was_written_of_a_simulated_cohort_is_read_back(text, scenario, tmp_path):
    study = parse_study(text)
    cohort = simulate_scenario(study, scenario, seed=3, patients=40).cohort
    assert_same(read_text(plain(study), clean_csv(study, cohort), tmp_path), cohort)


def test_a_declared_limit_is_a_number_and_says_that_it_is_one():
    study = parse_study(EVERYTHING)
    rows = list(
        csv.DictReader(io.StringIO(clean_csv(study, simulate_scenario(study, "one", seed=3, patients=60).cohort)))
    )
    said = {
        (float(row["power"]) >= 70, float(row["power"]) <= 20, row["power_censored"]) for row in rows if row["power"]
    }
    assert said == {(False, False, "none"), (True, False, "right"), (False, True, "left")}


def test_no_id_and_no_formula_is_written(tmp_path):
    study = parse_study(DATES)
    written = clean_csv(study, read_text(study, TABLE, tmp_path))
    assert not any(cell.startswith("=") for row in csv.reader(io.StringIO(written)) for cell in row)
    assert {row[0] for row in csv.reader(io.StringIO(written))} == {"Nr.", "P01", "P02", "P03"}


def test_a_plain_study_is_the_same_model(clinic):
    simple = plain(clinic)
    for name, o in clinic.outcomes.items():
        again = simple.outcomes[name]
        assert replace(again, map=o.map, recorded=o.recorded) == o
    assert plain(simple) == simple
