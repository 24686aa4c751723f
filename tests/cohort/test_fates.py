"""Every row and every cell is used or set aside for one reason; rows at one time are averaged, a required baseline
is required.
"""

import json
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmyo.cohort.cohort import BETWEEN, LEFT, NOT_MEASURED, OutcomeRows, RowAccount
from bayesmyo.cohort.fates import AVERAGED, BLANK, NO_BASELINE, NO_OUTCOME, NOT_CHOSEN
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.cohort.times import BEFORE
from bayesmyo.components.families import Gaussian, HurdleLogNormal, Poisson
from bayesmyo.errors import CohortError
from bayesmyo.study import parse_study
from tests.conftest import SMALL

HEAD = "patient,month,strength,cpk"
MEAN = 'duplicates = "mean"'
TYPED = 'censoring = "as typed"'
FALLS = """
[outcomes.falls]
column = "falls"
unit = "falls"
better = "lower"
exposure = "weeks"
typical = 2
scale = 2
family = { kind = "poisson" }
trajectory = { kind = "linear" }
[estimands"""


def study(data, cpk="", time="", text=SMALL):
    text = text.replace("[study]", f"[data]\n{data}\n[study]", 1).replace('label = "CPK"', f'label = "CPK"\n{cpk}')
    return parse_study(text.replace("typical = 24 }", f"typical = 24, {time} }}" if time else "typical = 24 }", 1))


def read(rows, asked, head=HEAD):
    return cohort_of(asked, parse_table("\n".join([head, *rows]).encode(), "cohort.csv", asked.data))


# --- two rows at one time


def test_limits_that_differ_are_not_averaged_and_equal_ones_are_one():
    same = read(["A,0,50,<20", "A,0,50,<20", "A,3,51,90", "B,0,52,20..50", "B,0,52,20..50"], study(MEAN, TYPED))
    m = same.measurements["cpk"]
    assert (m.value.tolist(), m.side.tolist(), m.end[2]) == ([20, 90, 20], [LEFT, 0, BETWEEN], 50)
    for one, other in (("<20", "20"), ("20..50", "20..80")):
        with pytest.raises(CohortError, match=r'lines 2, 3, column "cpk": limits, categories, counts, .* \[D22\]'):
            read([f"A,0,50,{one}", f"A,0,50,{other}", "A,3,51,90"], study(MEAN, TYPED))


@pytest.mark.parametrize(
    ("how", "kept", "aside"), [("first", [(20, LEFT, 2), (700, 0, 4)], 3), ("last", [(80, 0, 3), (700, 0, 4)], 2)]
)
def test_the_first_or_the_last_of_two_rows_counts_whatever_they_hold(how, kept, aside):
    asked = study(MEAN.replace("mean", how), TYPED)
    cohort = read(["A,0,50,<20", "A,0,51,80", "B,0,52,700"], asked)
    m = cohort.measurements["cpk"]
    assert [*zip(m.value.tolist(), m.side.tolist(), m.line.tolist(), strict=True)] == kept
    assert cohort.rows.outcomes["cpk"].set_aside == {NOT_CHOSEN: (aside,)}


def test_an_empty_cell_of_the_row_that_counts_leaves_the_other_row_s_cell():
    cohort = read(["A,0,50,", "A,0,51,80", "B,0,52,700"], study(MEAN.replace("mean", "first")))
    assert cohort.measurements["cpk"].value.tolist() == [80, 700]
    assert cohort.measurements["strength"].value.tolist() == [50, 52]


def test_zero_and_an_amount_are_not_averaged():
    family = Gaussian().averages, HurdleLogNormal().averages, Poisson().averages
    assert [f(np.array([0.0, 20.0])) for f in family] == [True, False, False]
    assert HurdleLogNormal().averages(np.array([10.0, 20.0]))


def test_a_count_that_one_of_two_rows_holds_keeps_its_exposure_and_its_line():
    asked = study(MEAN, text=SMALL.split("[scenarios")[0].replace("[estimands", FALLS, 1))
    rows = ["A,0,50,900,,", "A,0,60,900,2,3", "A,1,51,800,1,2", "B,0,52,700,4,5"]
    cohort = read(rows, asked, f"{HEAD},falls,weeks")
    falls = cohort.measurements["falls"]
    assert (falls.value.tolist(), falls.exposure.tolist(), falls.line.tolist()) == ([2, 1, 4], [3, 2, 5], [3, 4, 5])
    assert cohort.rows.outcomes["falls"] == OutcomeRows(3, 0, {NOT_MEASURED: (2,)})


def test_a_patient_whose_rows_are_all_at_one_time_has_a_single_visit():
    notices = read(["A,0,50,900", "A,0,52,900", "B,0,40,700", "B,3,41,600"], study(MEAN)).notices
    assert any("1 of 2 patients have a single visit (lines 2, 3)" in n for n in notices)


# --- a baseline that is required

ROWS = ["A,0,50,900", "A,6,51,800", "B,1,,700", "B,1.01,52,600", "C,2,53,500", "D,-1,54,", "D,0,,400"]


@pytest.mark.parametrize(
    ("required", "stay"),
    [
        ("{}", "AD"), ('{ outcomes = ["cpk"] }', "AD"), ('{ outcomes = ["strength"], until = 1 }', "AD"),
        ('{ outcomes = ["cpk"], until = 1 }', "ABD"),
        ("{ until = 1.01 }", "ABD"), ("{ until = 2 }", "ABCD"), ('{ outcomes = ["strength"], until = -1 }', "D"),
    ],
)  # fmt: skip
def test_who_has_the_required_baseline(required, stay):
    cohort = read(ROWS, study(f"require_baseline = {required}"))
    assert "".join(cohort.patients) == stay
    lines = tuple(n for n, row in enumerate(ROWS, 2) if row[0] not in stay)
    assert cohort.rows.set_aside == ({NO_BASELINE: lines} if lines else {})
    said = f"{4 - len(stay)} of 4 patients have no baseline"
    assert any(n.startswith(said) for n in cohort.notices) == bool(lines)


def test_a_baseline_that_is_set_aside_is_none():
    cohort = read(ROWS, study('require_baseline = { outcomes = ["strength"] }', time='before = "set aside"'))
    assert cohort.rows.set_aside == {NO_BASELINE: (4, 5, 6, 8), BEFORE: (7,)}
    with pytest.raises(CohortError, match=r"no row has a measured outcome that is used; see data.require_baseline"):
        read(ROWS, study("require_baseline = { until = -2 }"))


# --- the account, against fates worked out one row at a time

EVERY = study(f'{MEAN}\nrequire_baseline = {{ outcomes = ["cpk"], until = 1 }}', time='before = "set aside"')
ROW = st.tuples(
    st.sampled_from("ABC"), st.sampled_from([-1, 0, 1, 2]), st.sampled_from(["", "40", "50"]),
    st.sampled_from(["", "NA", "900", "700"])
)  # fmt: skip


def fates(rows):
    """What should become of each row, None being blank; those of Y are used."""
    has = {p for row in rows if row for p, t, _, cpk in [row] if 0 <= t <= 1 and cpk.isdigit()}
    for row in rows:
        if row is None:
            yield BLANK
        elif not row[2].isdigit() and not row[3].isdigit():
            yield NO_OUTCOME
        else:
            yield BEFORE if row[1] < 0 else "" if row[0] in has else NO_BASELINE


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(st.lists(st.none() | ROW, max_size=25))
def test_rows_in_are_rows_used_and_rows_set_aside_each_for_one_reason(drawn):
    rows = [*drawn, ("Y", 0, "50", "900"), ("Y", 5, "51", "800")]
    cohort = read(["{},{},{},{}".format(*row) if row else ",,," for row in rows], EVERY)
    account, expected, cells = cohort.rows, defaultdict(list), defaultdict(list)
    for line, (row, fate) in enumerate(zip(rows, fates(rows), strict=True), 2):
        expected[fate].append(line)
        for name, cell in zip(("strength", "cpk"), row[2:] if row and not fate else (), strict=False):
            cells[name, row[0], row[1]] += [float(cell)] if cell.isdigit() else []
    used = expected.pop("")
    assert {**account.set_aside} == {reason: tuple(lines) for reason, lines in expected.items()}
    assert (account.rows, account.used) == (len(rows), len(used))
    for name, m in cohort.measurements.items():
        means = {(p, t): np.mean(v) for (n, p, t), v in cells.items() if n == name and v}
        assert {(cohort.patients[p], t): v for p, t, v in zip(m.patient, m.time, m.value, strict=True)} == means
        o = account.outcomes[name]
        aside = [line for lines in o.set_aside.values() for line in lines]
        assert (o.used, len(m)) == (len(means), len(means))
        assert sorted([*m.line, *aside]) == list(range(2, len(rows) + 2))
        column = {"strength": 2, "cpk": 3}[name]
        assert not any(rows[n - 2][column].isdigit() for n in o.set_aside.get(NOT_MEASURED, ()))
        assert all(rows[n - 2][column].isdigit() for n in o.set_aside.get(AVERAGED, ()))
    assert RowAccount.from_dict(json.loads(json.dumps(account.as_dict()))) == account
