"""Visits and patients may be two tables: joined they are the cohort of one table, by every door."""

import random
from dataclasses import asdict
from datetime import date

import numpy as np
import pandas as pd
import pytest

from bayesmyo.cohort import read_cohort
from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.errors import CohortError
from bayesmyo.study import parse_study
from tests.conftest import SMALL

COVARIATES = """
[covariates.arm]
levels = ["placebo", "ivig"]
[covariates.age]
typical = 50
scale = 10
missing = "imputed"
"""
TEXT = SMALL.replace('label = "CPK"', 'label = "CPK"\ncovariates = ["arm", "age"]').split("[scenarios")[0] + COVARIATES
STUDY = parse_study(TEXT)
VISITS = (
    "patient,month,strength,cpk\nB,0,50,900\nB,12,,<\nA,0,40,700\nA,3,45,\nA,13,NA,300\nC,0,61,650\nC,,,\n".replace(
        "<", "450"
    )
)
PATIENTS = "arm,age,patient\nivig,61,A\nplacebo,NA,B\nplacebo,47.5,C\n"


@pytest.fixture
def files(tmp_path):
    """Write these texts as visits.csv and patients.csv."""

    def files(visits=VISITS, patients=PATIENTS):
        paths = tmp_path / "visits.csv", tmp_path / "patients.csv"
        for path, text in zip(paths, (visits, patients), strict=True):
            path.write_text(text)
        return paths

    return files


def faults(paths, study=STUDY):
    with pytest.raises(CohortError) as caught:
        read_cohort(study, *paths)
    return [str(fault) for fault in caught.value.faults]


def content(cohort):
    """All that a cohort holds but the names and hashes of its files."""
    flat = {
        f"{n}.{k}": np.asarray(v).tolist()
        for n, m in cohort.measurements.items()
        for k, v in asdict(m).items()
        if k != "covariates"
    }
    return flat | {n: v.tolist() for n, v in cohort.covariates.items()} | {"": (cohort.patients, cohort.rows)}


def test_two_files_or_two_frames_are_the_one_table_that_a_person_would_write(files, tmp_path):
    rng = random.Random(4)
    own = {f"{n:03d}": (rng.choice(["placebo", "ivig"]), rng.choice([30, 61.5, "NA"])) for n in range(12)}
    visits = [(p, month, rng.randrange(30, 70), rng.choice([900, "", "NA"])) for p in own for month in (0, 3, 12)]
    rows, together = (
        "\n".join(",".join(map(str, row)) for row in table) for table in (visits, [(*v, *own[v[0]]) for v in visits])
    )
    shuffled = "\n".join(f"{age},{p},{arm}" for p, (arm, age) in rng.sample(sorted(own.items()), len(own)))
    tmp_path.joinpath("one.csv").write_text(f"patient,month,strength,cpk,arm,age\n{together}\n")
    paths = files(f"patient,month,strength,cpk\n{rows}\n", f"age,patient,arm\n{shuffled}\n")
    one, two = read_cohort(STUDY, tmp_path / "one.csv"), read_cohort(STUDY, *paths)
    framed = cohort_from_frame(STUDY, *(pd.read_csv(p, dtype={"patient": str}, na_values=["", "NA"]) for p in paths))
    for found in (two, framed):
        np.testing.assert_equal(content(found), content(one))
        assert found.notices == one.notices
    assert [STUDY.covariates["arm"].levels[int(k)] for k in two.covariates["arm"]] == [arm for arm, _ in own.values()]


@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
@pytest.mark.parametrize("pattern", ["YYYY-MM-DD", "MM/DD/YYYY"])
def test_the_clock_of_a_frame_is_read(pattern, zone):
    study = parse_study(SMALL.replace("typical = 24 }", f'typical = 24, date = "{pattern}", exit = "left" }}', 1))
    moments = pd.to_datetime(["2024-01-01 09:00", "2024-01-02 21:00", None, "2024-03-02 00:00"]).tz_localize(zone)
    visits = pd.DataFrame({"patient": [*"AAAB"], "month": moments, "strength": [5, 5, None, 5], "cpk": [9, 8, None, 7]})
    patients = pd.DataFrame({"patient": ["A", "B"], "left": [date(2024, 1, 2), None]})
    found = cohort_from_frame(study, visits, patients).measurements["cpk"].time
    assert found * 30.4375 == pytest.approx([0, 1.5, 0])


def test_ids_that_two_tables_do_not_share_are_named_by_their_lines(files):
    found = faults(files(VISITS + "Zoe,1,50,900\nc,0,50,900\nMax,2,51,\n", PATIENTS.replace("ivig,61", "IVIG,6l")))
    assert not any("Zoe" in f or "Max" in f for f in found)
    orphans = "visits of patients who are not in patients.csv"
    assert {f.split(";")[0] for f in found if "[D57]" in f} == {f"line 10: {orphans}", f"lines 9, 11: {orphans}"}
    assert {f.split(":")[0] for f in found} >= {f'patients.csv, line 2, column "{c}"' for c in ("arm", "age")}


def test_the_first_table_may_have_a_title_that_the_second_has_not(files):
    study = parse_study(TEXT.replace("[study]", "[data]\nskip_lines = 2\n[study]", 1))
    cohort = read_cohort(study, *files("Visits\n\n" + VISITS))
    assert (len(cohort), cohort.rows.set_aside) == (3, {"no outcome measured": (10,)})
