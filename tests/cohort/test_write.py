"""A cohort as text, and back."""

import csv
import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesmyo.cohort import Cohort, Measurements, clean_csv, read_cohort, to_csv
from bayesmyo.cohort.cohort import BETWEEN, LEFT, RIGHT, RowAccount
from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.cohort.write import number
from bayesmyo.model.simulate import simulate, simulate_scenario
from bayesmyo.model.truth import from_priors, with_effects
from bayesmyo.study import parse_study
from bayesmyo.study.clean import inert, plain
from tests.conftest import SMALL
from tests.study.everything import EVERYTHING


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
    [(0, "0"), (1234.567, "1235"), (123456.7, "123457"), (0.00012345, "0.0001234"), (-2.5, "-2.500"),
     (9.99999, "10.000")],
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


@pytest.mark.parametrize("declared", ["", '[data]\ndelimiter = ";"\ndecimal = ","\nencoding = "latin-1"'])
def test_a_frame_is_read_whatever_format_the_study_declares_for_files(declared):
    frame = pd.DataFrame({"patient": ["007"] * 2, "month": [0.5, 3], "strength": [50, None], "cpk": [1200.5, 900]})
    cohort = cohort_from_frame(parse_study(SMALL.replace("[study]", declared + "\n[study]")), frame)
    assert cohort.patients == ("007",)
    assert cohort.measurements["cpk"].value.tolist() == [1200.5, 900]


# --- covariates, exposure, grades, limits and zeros

ALL = parse_study(EVERYTHING)


def simulated(seed=3):
    return simulate_scenario(ALL, "one", seed=seed, patients=60).cohort


def test_a_cohort_with_everything_comes_back(tmp_path):
    cohort = simulated()
    found = back(ALL, cohort, tmp_path, digits=6)
    assert_same(found, cohort, rtol=5.1e-6)
    for name in ("diagnosis", "sex"):
        np.testing.assert_array_equal(found.covariates[name], cohort.covariates[name])
    for name in ("age", "titre", "duration"):
        np.testing.assert_allclose(found.covariates[name], cohort.covariates[name], rtol=5.1e-6)


def test_exposure_and_covariates_of_visits_come_back_with_their_visit(tmp_path):
    cohort = simulated()
    found = back(ALL, cohort, tmp_path)
    for outcome, m in cohort.measurements.items():
        again = found.measurements[outcome]
        at = {(p, round(t, 9)): n for n, (p, t) in enumerate(zip(again.patient, again.time, strict=True))}
        order = [at[p, round(t, 9)] for p, t in zip(m.patient, m.time, strict=True)]
        np.testing.assert_array_equal(again.covariates["season"][order], m.covariates["season"])
        if outcome == "falls":
            np.testing.assert_array_equal(again.exposure[order], m.exposure)
        else:
            assert again.exposure is m.exposure is None


def test_the_columns_are_those_that_the_study_declares():
    header = to_csv(ALL, simulated()).splitlines()[0]
    assert header == "patient,month,dx,age,season,sex,titre0,duration,power,grade,falls,dose,weeks"


def test_cells_are_typed_as_a_clinic_types_them():
    rows = list(csv.DictReader(io.StringIO(to_csv(ALL, simulated()))))
    assert {r["dx"] for r in rows} == {"DM", "PM", "IBM"}
    assert {r["season"] for r in rows} == {"summer", "winter"}
    assert {r["grade"] for r in rows} <= {"0", "3", "4-", "4", "4+", "5", ""}
    assert all(r["falls"].isdigit() for r in rows if r["falls"])
    assert all(r["weeks"].isdigit() for r in rows if r["falls"])
    assert "none" in {r["dose"] for r in rows}
    assert "70" in {r["power"] for r in rows}  # at the declared limit


def test_a_missing_covariate_is_an_empty_cell_and_comes_back_missing(tmp_path):
    cohort = simulated()
    age = cohort.covariates["age"].copy()
    age[7] = np.nan
    cohort = replace(cohort, covariates={**cohort.covariates, "age": age})
    rows = list(csv.DictReader(io.StringIO(to_csv(ALL, cohort))))
    assert {r["age"] for r in rows if r["patient"] == cohort.patients[7]} == {""}
    assert np.flatnonzero(np.isnan(back(ALL, cohort, tmp_path).covariates["age"])).tolist() == [7]


def test_intervals_come_back_as_intervals(tmp_path):
    study = parse_study(SMALL.replace('label = "CPK"', 'label = "CPK"\ncensoring = "as typed"'))
    cohort = few(["A", "B"], [20, 300], [BETWEEN, 0])
    cpk = replace(cohort.measurements["cpk"], end=np.array([50.0, np.nan]))
    cohort = replace(cohort, measurements={**cohort.measurements, "cpk": cpk})
    assert "A,0,50.00,20.00..50.00\n" in to_csv(study, cohort)
    found = back(study, cohort, tmp_path)
    assert_same(found, cohort, rtol=0)
    np.testing.assert_array_equal(found.measurements["cpk"].end, cpk.end)


def test_a_limit_at_a_number_that_has_a_text_stays_a_limit(tmp_path):
    study = parse_study(SMALL.replace('label = "CPK"', 'label = "CPK"\ncensoring = "as typed"\nmap = { low = 20 }'))
    cohort = few(["A", "B", "C"], [20, 20, 300], [LEFT, 0, 0])
    assert_same(back(study, cohort, tmp_path), cohort, rtol=0)


def test_a_value_below_a_declared_limit_does_not_round_to_it(tmp_path):
    study = parse_study(SMALL.replace('label = "CPK"', 'label = "CPK"\ncensoring = { above = 3000 }'))
    cohort = few(["A", "B", "C"], [2999.9, 3000, 300], [0, RIGHT, 0])
    assert_same(back(study, cohort, tmp_path), cohort, rtol=5.1e-4)


def test_a_score_below_the_ceiling_does_not_round_to_it(tmp_path):
    text = SMALL.split("[scenarios")[0].replace("typical = 1200\nscale = 2.5", "typical = 3.6\nscale = 0.7")
    study = parse_study(text.replace('kind = "lognormal"', 'kind = "ordered_beta", lower = 0, upper = 5'))
    found = back(study, few(["A", "B", "C"], [4.99999, 5, 3]), tmp_path).measurements["cpk"].value
    assert (found[0] < 5, found[1]) == (True, 5)


def test_levels_that_a_spreadsheet_would_run_come_back(tmp_path):
    text = EVERYTHING.replace('levels = ["f", "m"]', 'levels = ["-f", "+m"]').replace('sex = "f"', 'sex = "-f"')
    study = parse_study(text)
    cohort = simulate_scenario(study, "one", seed=3, patients=30).cohort
    np.testing.assert_array_equal(back(study, cohort, tmp_path).covariates["sex"], cohort.covariates["sex"])


# --- exits and events

TIMED = SMALL.split("[scenarios", 1)[0].replace("typical = 24 }", 'typical = 24, exit = "left", reason = "why" }', 1)
EVENTS = """
[events.lost]
reasons = ["lost", "=moved"]
hazard = { kind = "constant" }
typical = 0.2
[events.rescue]
at = "rescued"
hazard = { kind = "constant" }
typical = 0.2
[events.flare]
at = "flared"
recurrent = true
hazard = { kind = "constant" }
typical = 0.2
[events.relapse]
column = "relapsed"
hazard = { kind = "constant" }
typical = 0.2
[events.infection]
column = "infected"
recurrent = true
hazard = { kind = "constant" }
typical = 0.2
[events.remission]
when = { cpk = { at_most = 200 } }
hazard = { kind = "constant" }
typical = 0.2
"""


def typed_at_random(study, rng, patients=30):
    """A table of visits with exits and events of every kind, by the rules of such tables alone."""
    rows = [["patient", "month", "strength", "cpk", "left", "why", "rescued", "flared", "relapsed", "infected"]]
    for p in range(patients):
        visits = np.sort(rng.choice(np.arange(1, 240), rng.integers(1, 7), replace=False)) / 10
        visits = np.append(0.0, visits) if rng.random() < 0.8 else visits
        last, end = visits[-1], visits[-1] + rng.choice([0, 0.7, 5.25])
        stated = rng.random() < 0.7 and end > visits[0]
        why = rng.choice(["lost", "=moved", "died", ""]) if stated else ""
        until = end if stated else last
        inside = [f"{t:.3f}" for t in np.sort(rng.uniform(0.01, max(0.02, until), 8)) if t < until]
        flares = iter(inside[1 : 1 + rng.integers(0, 4)])
        rescued = inside[0] if inside and rng.random() < 0.5 else ""
        for n, t in enumerate(visits):
            filled = n == 0 or rng.random() < 0.8
            cells = [f"{rng.uniform(40, 60):.1f}", f"{rng.uniform(100, 900):.0f}"] if filled else ["", ""]
            told = [rng.choice(["", "0"]) if t <= 0 else rng.choice(["", "0", "0", "1"]) for _ in range(2)]
            rows.append(
                [f"P{p}", f"{t:g}", *cells, f"{end:g}" if stated else "", why, rescued, next(flares, ""), *told]
            )
    return "\n".join(",".join(map(str, row)) for row in rows)


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_exits_and_events_come_back(seed, clean, tmp_path):
    study = parse_study(TIMED + EVENTS)
    path = tmp_path / "typed.csv"
    path.write_text(typed_at_random(study, np.random.default_rng(seed)))
    cohort = read_cohort(study, path)
    path.write_text(clean_csv(study, cohort) if clean else to_csv(study, cohort, digits=None))
    again = read_cohort(plain(study) if clean else study, path)
    assert sum(len(e) for e in cohort.events.values()) > 100
    assert {s for e in cohort.events.values() for s in e.status.tolist()} == {0, 1, 2}
    assert (again.patients == cohort.patients) is not clean
    np.testing.assert_allclose(again.exits.time, cohort.exits.time, rtol=1e-9)
    assert again.exits.stated.tolist() == cohort.exits.stated.tolist()
    assert again.exits.reason == cohort.exits.reason
    for name, e in cohort.events.items():
        for field in ("patient", "start", "stop", "end", "status"):
            np.testing.assert_allclose(getattr(again.events[name], field), getattr(e, field), rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("seed", range(4))
def test_a_simulated_cohort_comes_back_with_its_exits_and_events(seed, tmp_path):
    text = (TIMED + EVENTS.split("[events.remission]")[0]).replace("minimum = 0\nmaximum = 100\n", "")
    study, rng = parse_study(text), np.random.default_rng(seed)
    cohort = simulate(study, with_effects(study, from_priors(study, rng), 40, rng), rng).cohort
    again = back(study, cohort, tmp_path, digits=None)
    assert sum(e.happened for e in cohort.events.values()) > 20
    np.testing.assert_allclose(again.exits.time, cohort.exits.time, rtol=1e-12)
    assert again.exits.reason == cohort.exits.reason
    for name, e in cohort.events.items():
        for field in ("patient", "start", "stop", "end", "status"):
            np.testing.assert_allclose(getattr(again.events[name], field), getattr(e, field), rtol=1e-12, err_msg=name)


def test_exits_stand_in_each_row_and_what_recurs_in_the_row_of_its_time(tmp_path):
    study = parse_study(TIMED + EVENTS)
    path = tmp_path / "typed.csv"
    head = "patient,month,strength,cpk,left,why,rescued,flared,relapsed,infected"
    path.write_text(f"{head}\na,0,50,900,9,lost,2,4,0,0\na,6,51,800,,,,5,1,0\nb,0,50,700,,,,,0,\n")
    text = to_csv(study, read_cohort(study, path)).splitlines()
    assert text == [
        "patient,month,strength,cpk,left,why,rescued,flared,relapsed,infected",
        "a,0,50.00,900.0,9,lost,2,,,",
        "a,4,,,9,lost,2,4,,",
        "a,5,,,9,lost,2,5,,",
        "a,6,51.00,800.0,9,lost,2,,1,0",
        "b,0,50.00,700.0,,,,,,",
    ]


def test_a_study_of_exits_alone_writes_its_column():
    study = parse_study(SMALL.replace("typical = 24 }", 'typical = 24, exit = "left" }', 1))
    rows = to_csv(study, simulate_scenario(study, "improves", seed=4).cohort).splitlines()
    assert rows[0] == "patient,month,strength,cpk,left"
