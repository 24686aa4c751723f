"""Exits and episodes, each by a table that is written in the test."""

import random
from datetime import date, timedelta

import numpy as np
import openpyxl
import pandas as pd
import pytest

from bayesmyo.cohort import read_cohort
from bayesmyo.cohort.cohort import CENSORED, HAPPENED, INTERVAL
from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.errors import CohortError
from bayesmyo.study import parse_study
from tests.conftest import SMALL

EXIT = 'exit = "left", reason = "why"'
LOST = 'reasons = ["lost", "moved away"]'
RELAPSE = 'column = "relapsed"'
AT = 'at = "rescued"'
REMISSION = "when = { cpk = { at_most = 200 } }"


def study(*events, time="", data=""):
    """The small study with events, each (name, how it is known)."""
    text = SMALL.replace("typical = 24 }", f"typical = 24, {time} }}" if time else "typical = 24 }", 1)
    text = text.split("[scenarios", 1)[0] + (f"[data]\n{data}\n" if data else "")
    for name, how in events:
        text += f'[events.{name}]\n{how}\ntypical = 0.2\nhazard = {{ kind = "constant" }}\n'
    return parse_study(text)


def read(asked, rows, header="", patients=None):
    """A cohort of rows `a 0 . .`, whose cells are parted by blanks, a point for an empty one and _ for a blank."""

    def table(lines, source):
        text = "\n".join(",".join("" if c == "." else c.replace("_", " ") for c in line.split()) for line in lines)
        return parse_table(text.encode(), source, asked.data)

    first = table([f"patient month strength cpk {header}", *rows], "visits.csv")
    return cohort_of(asked, first, None if patients is None else table(patients, "patients.csv"))


def faults(*how, **more):
    with pytest.raises(CohortError) as caught:
        read(*how, **more)
    return [str(fault) for fault in caught.value.faults]


def episodes(cohort, name):
    e = cohort.events[name]
    return [
        (cohort.patients[p], *numbers, s)
        for p, *numbers, s in zip(e.patient, e.start.tolist(), e.stop.tolist(), e.end.tolist(), e.status.tolist(),
         strict=True)
    ]  # fmt: skip


def notices(cohort, code):
    return [notice for notice in cohort.notices if notice.endswith(f"[{code}]")]


# --- exits


ROWS = [
    "a 0 50 900 . .",
    "a 6 50 900 8 lost",
    "b 0 50 900 12 .",
    "b 3 50 900 . .",
    "c 2 50 900 4 died",
    "c 3 50 900 4 died",
    "d 0 50 900 . .",
    "d 5 50 900 . .",
]


def test_an_exit_is_as_stated_or_the_last_visit():
    cohort = read(study(("lost", LOST), time=EXIT), ROWS, "left why")
    assert cohort.exits.time.tolist() == [8, 12, 4, 5]
    assert cohort.exits.stated.tolist() == [True, True, True, False]
    assert cohort.exits.reason == ("lost", "", "died", "")
    lost = [("a", 0, 8, 8, HAPPENED), ("b", 0, 12, 12, CENSORED), ("c", 2, 4, 4, CENSORED), ("d", 0, 5, 5, CENSORED)]
    assert episodes(cohort, "lost") == lost
    assert cohort.events["lost"].line.tolist() == [3, 4, 6, 9]
    assert notices(cohort, "D67")[1:] == [
        "1 of 4 patients has no stated end of follow-up and is followed to the last visit. [D67]"
    ]
    assert notices(cohort, "D76") == [
        'Reasons of exits that are no event: "died" (1); what had not happened by then is censored. [D76]'
    ]


def test_each_reason_of_two_events_censors_the_other():
    cohort = read(study(("lost", LOST), ("died", 'reasons = ["died"]'), time=EXIT), ROWS, "left why")
    assert [row[-1] for row in episodes(cohort, "lost")] == [HAPPENED, CENSORED, CENSORED, CENSORED]
    assert [row[-1] for row in episodes(cohort, "died")] == [CENSORED, CENSORED, HAPPENED, CENSORED]
    assert notices(cohort, "D76") == []


def test_a_study_with_neither_exits_nor_events_has_none():
    cohort = read(study(), ["a 0 50 900", "b 0 50 900"])
    assert cohort.exits is None
    assert cohort.events == {}


def test_exits_live_in_the_table_of_patients():
    patients = ["patient left why", "a 8 lost", "b 12 .", "c 4 died", "d . ."]
    rows = [" ".join(row.split()[:4]) for row in ROWS]
    asked = study(("lost", LOST), time=EXIT)
    one, two = read(asked, ROWS, "left why"), read(asked, rows, patients=patients)
    assert episodes(one, "lost") == episodes(two, "lost")
    assert two.exits.reason == one.exits.reason
    assert two.events["lost"].line.tolist() == [2, 3, 4, 9]
    assert two.notices[:1] == one.notices[:1]


def test_missing_words_and_white_space_are_no_reason():
    rows = ["a 0 50 900 5 moved_away", "b 0 50 900 5 NA", "c 0 50 900 5 _lost_"]
    cohort = read(study(("lost", LOST), time=EXIT), rows, "left why")
    assert cohort.exits.reason == ("moved away", "", "lost")
    assert [row[-1] for row in episodes(cohort, "lost")] == [HAPPENED, CENSORED, HAPPENED]


def test_two_reasons_that_differ_in_case_are_two():
    asked = study(("lost", 'reasons = ["lost"]'), ("gone", 'reasons = ["Lost"]'), time=EXIT)
    cohort = read(asked, ["a 0 50 900 5 lost", "b 0 50 900 5 Lost"], "left why")
    assert [row[-1] for row in episodes(cohort, "lost")] == [HAPPENED, CENSORED]
    assert [row[-1] for row in episodes(cohort, "gone")] == [CENSORED, HAPPENED]


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        (["a 0 50 900 8 Lost"],
         'line 2, column "why": differs from a declared reason only in case; got "Lost"; write "lost". [D76]'),
        (["a 0 50 900 8 moved__away"], 'differs from a declared reason only in white space'),
        (["a 0 50 900 . lost", "b 0 50 900 . died"],
         'lines 2, 3, column "why": says why follow-up ended, and nothing says when; fill in the column left. [D76]'),
        (["a 0 50 900 8 lost", "a 3 50 900 8 died"],
         'lines 2, 3, column "why": one patient has several values of the reason of the exit; correct it. [D23]'),
        ([f"a 0 50 900 8 {'x' * 1001}"], "has more than 1,000 characters, which no reason has"),
        (["a 0 50 900 2 lost", "a 3 50 900 2 lost"], "a visit lies after the end of the patient's follow-up"),
        (["a 0 50 900 0 lost"], "lost happened at the first visit, when nobody had been at risk for any time"),
        (["a 3 50 900 3 lost"], "lost happened at the first visit"),
    ],
)  # fmt: skip
def test_an_exit_that_cannot_be(rows, what):
    asked = study(("lost", LOST), time=EXIT)
    (told,) = faults(asked, rows, "left why")
    assert what in told


# --- times that are known


def test_an_event_with_a_time_in_the_table_of_patients():
    asked = study(("rescue", AT), time='exit = "left"')
    rows = ["a 0 50 900", "a 6 50 900", "b 0 50 900", "c 1 50 900"]
    cohort = read(asked, rows, patients=["patient left rescued", "a 9 4", "b 7 .", "c . 0.5"])
    assert episodes(cohort, "rescue") == [
        ("a", 0, 4, 4, HAPPENED),
        ("b", 0, 7, 7, CENSORED),
        ("c", 0, 0.5, 0.5, HAPPENED),
    ]


def test_a_recurrent_event_has_an_episode_for_each_and_one_for_the_rest():
    asked = study(("rescue", AT + "\nrecurrent = true"), time='exit = "left"')
    rows = ["a 0 50 900 9 2", "a 3 50 900 . 5", "a 6 50 900 . 5", "b 0 50 900 4 4", "c 3 50 900 . ."]
    cohort = read(asked, rows, "left rescued")
    a = [("a", 0, 2, 2, HAPPENED), ("a", 2, 5, 5, HAPPENED), ("a", 5, 9, 9, CENSORED)]
    assert episodes(cohort, "rescue") == [*a, ("b", 0, 4, 4, HAPPENED), ("c", 0, 3, 3, CENSORED)]
    assert cohort.events["rescue"].line.tolist() == [2, 3, 2, 5, 6]


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        (["a 0 50 900 9 0"], 'line 2, column "rescued": lies at or before month 0, when nobody was at risk yet'),
        (["a 0 50 900 9 -2", "b 0 50 900 . ."], "at or before month 0"),
        (["a 0 50 900 9 10"],
         "lies after the end of the patient's follow-up, which is the last visit where no end is stated; correct it, "
         "or the column left. [D77]"),
        (["a 0 50 900 . 2", "a 1 50 900 . ."], "lies after the end of the patient's follow-up"),
        (["a 0 50 900 9 2", "a 1 50 900 . 3"],
         'lines 2, 3, column "rescued": one patient has several times of rescue; correct it, or declare recurrent = '
         'true. [D77]'),
        (["a 0 50 900 9 soon"], 'column "rescued": is not a number; got "soon"'),
    ],
)  # fmt: skip
def test_a_time_that_cannot_be(rows, what):
    (told,) = faults(study(("rescue", AT), time='exit = "left"'), rows, "left rescued")
    assert what in told


def test_dates_are_counted_as_those_of_visits_and_never_shown():
    asked = study(("rescue", AT), ("lost", LOST), time=f'date = "YYYY-MM-DD", {EXIT}')
    began = date(2020, 1, 31)

    def on(days):
        return str(began + timedelta(days=days))

    rows = [
        f"a {on(0)} 50 900 {on(200)} lost {on(100)}",
        f"a {on(90)} 50 900 . . .",
        f"b {on(5)} 50 900 {on(90)} . {on(90)}",
    ]
    cohort = read(asked, rows, "left why rescued")
    month = 30.4375
    np.testing.assert_allclose(cohort.exits.time, [200 / month, 85 / month])
    np.testing.assert_allclose(cohort.events["rescue"].stop, [100 / month, 85 / month])
    assert cohort.events["rescue"].status.tolist() == [HAPPENED, HAPPENED]
    (told,) = faults(asked, [f"a {on(0)} 50 900 {on(9)} . {on(10)}"], "left why rescued")
    assert "after the end" in told
    assert "2020" not in told
    (told,) = faults(asked, [f"a {on(0)} 50 900 {on(9)} . 2020-13-01"], "left why rescued")
    assert 'column "rescued": ' in told
    assert "2020" not in told


def test_an_event_on_the_day_of_the_exit_is_not_after_it():
    asked = study(("rescue", AT), time='date = "YYYY-MM-DD", exit = "left"')
    cohort = read(asked, ["a 2020-01-01 50 900 2020-03-01 2020-03-01_14:30", "b 2020-01-01 50 900 . ."], "left rescued")
    assert cohort.events["rescue"].stop[0] == cohort.exits.time[0]


# --- known between two visits


def test_what_is_known_between_two_visits():
    rows = [
        "a 0 50 900 0", "a 3 50 900 0", "a 9 50 900 1", "a 12 50 900 0",  # happened between 3 and 9
        "b 2 50 900 1",  # between 0 and 2
        "c 6 50 900 0", "c 0 50 900 .", "c 3 50 900 .", "c 9 50 900 .",  # not by 6, in whatever order
        "d 0 50 900 .",  # nobody knows
        "e -1 50 900 0", "e 4 50 900 0", "e 5 . . 1",
    ]  # fmt: skip
    cohort = read(study(("relapse", RELAPSE)), rows, "relapsed")
    a, b, c = ("a", 0, 3, 9, INTERVAL), ("b", 0, 0, 2, INTERVAL), ("c", 0, 6, 6, CENSORED)
    assert episodes(cohort, "relapse") == [a, b, c, ("e", 0, 4, 5, INTERVAL)]
    assert cohort.events["relapse"].line.tolist() == [4, 6, 7, 14]
    assert notices(cohort, "D78") == [
        "relapse: of 1 of 5 patients no time is known in which they were at risk. [D78]",
        "relapse: 1 cell is not used, after it had happened (line 5). [D78]",
        "relapse: 1 line tells of it without a measured outcome (line 14). [D78]",
    ]
    assert cohort.rows.set_aside == {"no outcome measured": (14,)}
    assert cohort.exits.time.tolist() == [12, 2, 9, 0, 5]


def test_a_recurrent_event_between_visits():
    rows = [
        "a 0 50 900 0",
        "a 3 50 900 0",
        "a 6 50 900 0",
        "a 9 50 900 1",
        "a 12 50 900 1",
        "a 15 50 900 0",
        "b 0 50 900 0",
    ]
    cohort = read(study(("relapse", RELAPSE + "\nrecurrent = true")), rows, "relapsed")
    a = [(0, 6, 9, INTERVAL), (9, 9, 12, INTERVAL), (12, 15, 15, CENSORED)]
    assert episodes(cohort, "relapse") == [("a", *row) for row in a]
    none = "of 1 of 2 patients no time is known in which they were at risk"
    assert notices(cohort, "D78") == [f"relapse: {none}. [D78]"]


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        (["a 0 50 900 1"], 'line 2, column "relapsed": says that relapse happened before month 0, when nobody was at '
         'risk yet; write 0, or leave it empty. [D77]'),
        (["a -3 50 900 1", "a 2 50 900 0"], 'line 2, column "relapsed": says that relapse happened before month 0'),
        (["a 0 50 900 yes"], 'must be 0 or 1: whether it has happened since the row before; got "yes"; correct the '
         'cell. [D77]'),
        (["a 0 50 900 2"], 'must be 0 or 1'), (["a . . . 1", "a 0 50 900 ."], "the time of a measurement is missing"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be(rows, what):
    (told,) = faults(study(("relapse", RELAPSE)), rows, "relapsed")
    assert what in told


def test_a_visit_with_an_event_alone_may_not_lie_after_the_exit():
    (told,) = faults(
        study(("relapse", RELAPSE), time='exit = "left"'), ["a 0 50 900 0 5", "a 6 . . 1 ."], "relapsed left"
    )
    assert "a visit lies after the end of the patient's follow-up" in told


def test_rows_before_the_start_that_are_set_aside_tell_nothing():
    rows = ["a -3 50 900 1", "a 0 50 900 0", "a 2 50 900 1", "b 0 50 900 0", "b 4 50 900 0"]
    cohort = read(study(("relapse", RELAPSE), time='before = "set aside"'), rows, "relapsed")
    assert episodes(cohort, "relapse") == [("a", 0, 0, 2, INTERVAL), ("b", 0, 4, 4, CENSORED)]


# --- criteria of outcomes


WHEN_ROWS = [
    "a 0 50 900", "a 3 50 150", "a 6 50 100",  # met between 0 and 3
    "b 0 50 900", "b 3 50 150", "b 6 50 400", "b 9 50 180",  # met at 3, unconfirmed; at the last one again
    "c 0 50 190", "c 3 50 900",  # there at the start
    "d 0 50 900", "d 4 50 800",
]  # fmt: skip


def test_a_state_that_outcomes_reach():
    cohort = read(study(("remission", REMISSION)), WHEN_ROWS)
    met = [("a", 0, 0, 3, INTERVAL), ("b", 0, 0, 3, INTERVAL), ("d", 0, 4, 4, CENSORED)]
    assert episodes(cohort, "remission") == met
    never = "there at the first visit that tells in 1 of 4 patients, who was never at risk of it"
    assert notices(cohort, "D78") == [f"remission: {never}. [D78]"]


def test_a_state_is_confirmed_by_the_next_visit():
    cohort = read(study(("remission", REMISSION + "\nconfirmed = true")), WHEN_ROWS)
    met = [("a", 0, 0, 3, INTERVAL), ("b", 0, 9, 9, CENSORED), ("c", 0, 3, 3, CENSORED), ("d", 0, 4, 4, CENSORED)]
    assert episodes(cohort, "remission") == met


def test_a_recurrent_state_puts_nobody_at_risk_while_it_lasts():
    cohort = read(study(("remission", REMISSION + "\nrecurrent = true")), WHEN_ROWS)
    a, d = [("a", 0, 0, 3, INTERVAL)], [("d", 0, 4, 4, CENSORED)]
    b = [("b", 0, 0, 3, INTERVAL), ("b", 6, 6, 9, INTERVAL)]
    assert episodes(cohort, "remission") == [*a, *b, *d]


def test_a_state_of_two_outcomes_and_of_a_change_since_the_first_measurement():
    how = 'when = { strength = { of = "change", at_least = 10 }, cpk = { of = "ratio", at_most = 0.5 } }'
    rows = ["a 0 50 900", "a 3 61 500", "a 6 . 400", "a 9 60 450", "b 0 50 900", "b 9 60 500"]
    cohort = read(study(("response", how)), rows)
    assert episodes(cohort, "response") == [("a", 0, 3, 9, INTERVAL), ("b", 0, 9, 9, CENSORED)]


def test_a_limit_of_measurement_tells_only_what_it_can():
    text = study(("remission", REMISSION)).text.replace('label = "CPK"', 'label = "CPK"\ncensoring = "as typed"')
    rows = [
        "a 0 50 >500",
        "a 3 50 <300",
        "a 6 50 <100",
        "b 0 50 900",
        "b 3 50 100..150",
        "c 0 50 >100",
        "d 0 50 300",
        "d 3 50 150..250",
    ]
    cohort = read(parse_study(text), rows)
    assert episodes(cohort, "remission") == [("a", 0, 0, 6, INTERVAL), ("b", 0, 0, 3, INTERVAL)]
    assert "remission: of 2 of 4 patients no time is known in which they were at risk. [D78]" in cohort.notices


# --- what should be known


def test_what_happened_to_nobody_and_what_happened_to_all():
    rows = ["a 0 50 900 0", "a 3 50 900 0", "b 0 50 900 0", "b 3 50 900 0"]
    none = read(study(("relapse", RELAPSE)), rows, "relapsed")
    assert notices(none, "D78") == [
        "relapse: happened to none of 2 patients; its rate is its prior, but for the time survived. [D78]"
    ]
    every = read(study(("relapse", RELAPSE)), [row.replace("3 50 900 0", "3 50 900 1") for row in rows], "relapsed")
    assert notices(every, "D78") == ["relapse: happened to all of 2 patients. [D78]"]


def test_columns_of_events_are_needed_and_used():
    told = faults(study(("relapse", RELAPSE), ("lost", LOST), ("rescue", AT), time=EXIT), ["a 0 50 900"])
    assert [text.split('"')[1:3:2][0] for text in told] == ["relapsed", "left", "why", "rescued"]
    cohort = read(study(("relapse", RELAPSE)), ["a 0 50 900 0 x"], "relapsed other")
    assert [n for n in cohort.notices if n.endswith("[D66]")] == ["Columns not used: other. [D66]"]
    told = faults(study(("relapse", RELAPSE)), ["a 0 50 900"], patients=["patient relapsed", "a 1"])
    assert 'patients.csv, header: holds the column "relapsed"; what is measured at visits' in told[-1]


def test_other_faults_are_told_beside_those_of_events():
    rows = ["a 0 fifty 900 0 5 Lost", "a 3 50 900 7 . .", "b . 50 900 1 . ."]
    told = faults(study(("relapse", RELAPSE), ("lost", LOST), time=EXIT), rows, "relapsed left why")
    assert {text[-4:-1] for text in told} == {"D31", "D76", "D77", "D63"}


@pytest.mark.parametrize("how", ["workbook", "frame"])
def test_a_workbook_and_a_frame_say_the_same(how, tmp_path):
    asked = study(("lost", LOST), ("relapse", RELAPSE), ("rescue", AT), time=f'date = "YYYY-MM-DD", {EXIT}')
    header = ["patient", "month", "strength", "cpk", "left", "why", "relapsed", "rescued"]
    d = [date(2021, 3, 1) + timedelta(days=30 * n) for n in range(6)]
    rows = [
        ["a", d[0], 50, 900, d[5], "lost", 0, d[2]],
        ["a", d[3], 50, 900, None, None, 1, None],
        ["b", d[0], 50, 800, None, None, None, None],
        ["b", d[4], 51, 700, None, None, 0, None],
    ]
    typed = read(asked, [" ".join("." if c is None else str(c) for c in row) for row in rows], " ".join(header[4:]))
    if how == "frame":
        cohort = cohort_from_frame(asked, pd.DataFrame(rows, columns=header))
    else:
        book = openpyxl.Workbook()
        for row in (header, *rows):
            book.active.append(row)
        book.save(tmp_path / "cohort.xlsx")
        cohort = read_cohort(asked, tmp_path / "cohort.xlsx")
    for name in asked.events:
        assert episodes(cohort, name) == episodes(typed, name)
    assert cohort.exits.time.tolist() == typed.exits.time.tolist()
    assert cohort.exits.reason == typed.exits.reason == ("lost", "")
    assert [row[-1] for row in episodes(typed, "relapse")] == [INTERVAL, CENSORED]


POOL = [
    "",
    "",
    "0",
    "1",
    "2.5",
    "6",
    "-3",
    "NA",
    "lost",
    "Lost",
    "died",
    "x",
    "<5",
    "20..50",
    "2020-02-30",
    "1e400",
    "nan",
    " ",
    "'=lost",
]


@pytest.mark.parametrize("dated", [False, True])
def test_whatever_is_typed_is_read_or_refused(dated):
    """Never a crash; and what is read is episodes that can be, one after the other."""
    how = [("lost", LOST), ("rescue", AT), ("flare", 'at = "flared"\nrecurrent = true'), ("relapse", RELAPSE)]
    how += [
        ("infection", 'column = "infected"\nrecurrent = true'),
        ("remission", f"{REMISSION}\nconfirmed = true\nrecurrent = true"),
    ]
    asked = study(*how, time=EXIT + (', date = "YYYY-MM-DD"' if dated else ""))
    head, kept = ["patient", "month", "strength", "cpk", "left", "why", "rescued", "flared", "relapsed", "infected"], 0
    for seed in range(400):
        r = random.Random(seed)
        odd = r.random() < 0.5

        def time(r=r):
            return str(date(2020, 1, 1) + timedelta(days=r.randrange(300))) if dated else str(r.randint(-2, 20))

        def some(share, text, r=r, odd=odd):
            return r.choice(POOL) if odd and r.random() < 0.1 else text if r.random() < share else ""

        rows = [head]
        for _ in range(r.randint(1, 8)):
            left = "2021-01-01" if dated else "25"
            row = [
                r.choice("abc"),
                some(1, time()),
                some(0.9, str(r.randint(40, 60))),
                some(0.9, str(r.randint(100, 900))),
            ]
            row += [
                some(0.3, left),
                some(0.1, "lost"),
                some(0.1, time()),
                some(0.2, time()),
                some(0.5, r.choice("001")),
                some(0.5, r.choice("01")),
            ]
            rows.append(row)
        text = "\n".join(map(",".join, rows))
        try:
            cohort = cohort_of(asked, parse_table(text.encode(), "visits.csv", asked.data))
        except CohortError:
            continue
        kept += 1
        assert np.isfinite(cohort.exits.time).all()
        for name, e in cohort.events.items():
            possible = (e.start >= 0) & (e.start <= e.stop) & (e.stop <= e.end) & (e.end < np.inf)
            assert possible.all(), (seed, name)
            assert (e.end[e.status != INTERVAL] == e.stop[e.status != INTERVAL]).all()
            for p in {*e.patient.tolist()}:
                own = e.take(e.patient == p)
                assert (own.start[1:] >= own.end[:-1]).all(), (seed, name)
    assert kept > 30


# --- visits after an event


def kept(cohort, outcome="strength"):
    m = cohort.measurements[outcome]
    return [(cohort.patients[p], t) for p, t in zip(m.patient, m.time.tolist(), strict=True)]


SWITCHES = ["a 0 50 900 4", "a 4 50 . 4", "a 6 50 900 4", "a 9 50 . 4", "b 0 50 900 .", "b 6 50 900 .", "c 3 50 900 2", "d 2 . . 1"]  # fmt: skip


def test_visits_after_an_event_are_used_unless_they_are_set_aside():
    assert len(kept(read(study(("switch", 'at = "switched"')), SWITCHES, "switched"))) == 7


def test_visits_after_an_event_are_set_aside_and_every_row_is_accounted_for():
    how = 'at = "switched"\nlabel = "Switch"\nafter = "set aside"'
    cohort = read(study(("switch", how)), SWITCHES, "switched")
    assert kept(cohort) == [("a", 0), ("a", 4), ("b", 0), ("b", 6)]
    assert kept(cohort, "cpk") == [("a", 0), ("b", 0), ("b", 6)]
    assert cohort.patients == ("a", "b", "c")  # whose event tells of the rate, though no visit tells of the course
    assert episodes(cohort, "switch") == [("a", 0, 4, 4, HAPPENED), ("b", 0, 6, 6, CENSORED), ("c", 0, 2, 2, HAPPENED)]
    rows = cohort.rows
    assert (rows.rows, rows.used, rows.set_aside["after switch"]) == (8, 4, (4, 5, 8))
    assert rows.outcomes["strength"].set_aside["after switch"] == (4, 5, 8)
    assert rows.outcomes["cpk"].set_aside["after switch"] == (4, 8)
    for account in (rows, *rows.outcomes.values()):
        assert account.used + sum(map(len, account.set_aside.values())) == rows.rows


def test_an_event_between_two_visits_came_before_the_second():
    rows = ["a 0 50 900 0", "a 3 50 900 0", "a 6 50 900 1", "a 9 50 900 0", "b 0 50 900 0", "b 6 50 900 0"]
    cohort = read(study(("relapse", RELAPSE + '\nafter = "set aside"')), rows, "relapsed")
    assert kept(cohort) == [("a", 0), ("a", 3), ("b", 0), ("b", 6)]
    assert cohort.events["relapse"].happened == 1


def test_the_visit_at_which_outcomes_tell_of_an_event_is_kept():
    rows = ["a 0 50 900", "a 3 50 190", "a 6 50 150", "b 0 50 900", "b 6 50 800"]
    cohort = read(study(("remission", REMISSION + '\nafter = "set aside"')), rows)
    assert kept(cohort) == [("a", 0), ("a", 3), ("b", 0), ("b", 6)]


def test_of_an_event_that_recurs_the_first_counts():
    rows = ["a 0 50 900 .", "a 3 50 900 3", "a 6 50 900 6", "a 9 50 900 ."]
    cohort = read(study(("flare", 'at = "flared"\nrecurrent = true\nafter = "set aside"')), rows, "flared")
    assert kept(cohort) == [("a", 0), ("a", 3)]
    assert cohort.events["flare"].happened == 2
