"""A cohort as text, and back."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.cohort import Cohort, Measurements, read_cohort, to_csv
from bayesmyo.cohort.cohort import LEFT, RIGHT, RowAccount
from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.cohort.simulate import simulate_scenario
from bayesmyo.cohort.write import inert, number
from bayesmyo.study import parse_study
from tests.conftest import SMALL


def back(study, cohort, tmp_path, **options):
    path = tmp_path / "cohort.csv"
    path.write_text(to_csv(study, cohort, **options), encoding=study.data.encoding, newline="")
    return read_cohort(study, path)


def by_cell(cohort, outcome):
    m = cohort.measurements[outcome]
    return {
        (cohort.patients[p], round(float(t), 9)): (v, s)
        for p, t, v, s in zip(m.patient, m.time, m.value, m.side, strict=True)
    }


def assert_same(found, cohort, rtol):
    assert found.patients == cohort.patients
    for outcome in cohort.measurements:
        expected, got = by_cell(cohort, outcome), by_cell(found, outcome)
        assert got.keys() == expected.keys()
        np.testing.assert_allclose([got[k] for k in expected], list(expected.values()), rtol=rtol)


def few(patients, values, sides=None):
    """A cohort in which every patient has one cpk, at month 0."""
    n = len(patients)
    sides = np.array(sides or [0] * n, dtype=np.int8)
    m = Measurements(np.arange(n), np.zeros(n), np.array(values, dtype=float), sides, np.zeros(n, dtype=np.int64))
    strength = replace(m, value=np.full(n, 50.0), side=np.zeros(n, dtype=np.int8))
    return Cohort(tuple(patients), {"strength": strength, "cpk": m}, RowAccount(n, n))


@pytest.mark.parametrize("digits", [4, 8])
def test_a_simulated_cohort_comes_back_to_as_many_digits(ivig, tmp_path, digits):
    cohort = simulate_scenario(ivig, "paper", seed=4).cohort
    assert_same(back(ivig, cohort, tmp_path, digits=digits), cohort, rtol=0.5 * 10 ** (1 - digits) * 1.01)


def test_it_comes_back_in_the_format_that_the_study_declares(tmp_path):
    text = SMALL.replace("[study]", '[data]\ndelimiter = ";"\ndecimal = ","\n[study]')
    study = parse_study(text)
    cohort = simulate_scenario(study, "improves", seed=4).cohort
    assert_same(back(study, cohort, tmp_path), cohort, rtol=5.1e-4)


def test_limits_come_back_as_limits(tmp_path):
    study = parse_study(SMALL.replace('label = "CPK"', 'label = "CPK"\ncensoring = "as typed"'))
    cohort = few(["A", "B", "C"], [20, 2000, 300], [LEFT, RIGHT, 0])
    assert "A,0,50.00,<20.00\n" in to_csv(study, cohort)
    assert_same(back(study, cohort, tmp_path), cohort, rtol=0)


def test_ids_that_need_quotes_come_back(small, tmp_path):
    names = ["007", 'say "hi"', "a,b", "two\nlines", "NA", " x ", "Zoë"]
    assert back(small, few(names, [900] * 7), tmp_path).patients == tuple(names)


@pytest.mark.parametrize("text", ["=1+1", "+49", "-x", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_in_an_id_is_made_inert(small, text):
    rows = list(csv.reader(io.StringIO(to_csv(small, few([text], [900])), newline="")))
    assert rows[1][0] == "'" + text
    assert inert(inert(text)) == "'" + text


def test_harmless_text_is_left_alone():
    assert [inert(t) for t in ("P01", "a=b", "1-2", "")] == ["P01", "a=b", "1-2", ""]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234.567, "1235"), (123456.7, "123457"), (0.00012345, "0.0001234"), (-2.5, "-2.500"), (9.99999, "10.000")],
)  # fmt: skip
def test_numbers_have_so_many_digits_and_no_exponent(value, text):
    assert float(number(value, 4)) == pytest.approx(float(text))
    assert "e" not in number(value, 4)
    assert number(1e-12, 4) == "0.000000000001000"


def test_what_was_not_measured_is_an_empty_cell(small):
    cohort = few(["A", "B"], [900, 900])
    m = cohort.measurements["strength"]
    one = Measurements(m.patient[:1], m.time[:1], m.value[:1], m.side[:1], m.line[:1])
    text = to_csv(small, replace(cohort, measurements={**cohort.measurements, "strength": one}))
    assert text == "patient,month,strength,cpk\nA,0,50.00,900.0\nB,0,,900.0\n"


class Frame:
    """Stands in for a pandas DataFrame, which these tests do not load."""

    def to_csv(self, index):
        assert not index
        return "patient,month,strength,cpk\n007,0.5,50,1200.5\n007,3,,900\n"


@pytest.mark.parametrize("declared", ["", '[data]\ndelimiter = ";"\ndecimal = ","\nencoding = "latin-1"'])
def test_a_frame_is_read_whatever_format_the_study_declares_for_files(declared):
    cohort = cohort_from_frame(parse_study(SMALL.replace("[study]", declared + "\n[study]")), Frame())
    assert cohort.patients == ("007",)
    assert cohort.measurements["cpk"].value.tolist() == [1200.5, 900]
