"""Whatever bytes a table is made of: a Cohort whose account adds up, or a CohortError. Never a traceback, a hang, or
memory beyond a limit.
"""

import csv
import io
import random
import time
import tracemalloc
from functools import cache

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.errors import CohortError, StudyError
from bayesmyo.limits import CELLS as MOST_CELLS
from bayesmyo.limits import TABLE_BYTES
from bayesmyo.model.data import arrays
from bayesmyo.study import parse_study
from tests.conftest import DATA, SMALL

IVIG = (DATA / "ivig.csv").read_text().splitlines()[:40]
GERMAN = ["patient;month;strength;cpk", *(f"P{n // 4};{n % 4 * 3},5;{50 + n},0;1.{200 + n},5" for n in range(16))]
DATED = [
    "patient,month,strength,cpk,began,left",
    *(f"P{n // 3},{1 + n % 3 * 9:02d}/0{1 + n % 3}/2024,50,900,01/01/2024," for n in range(12)),
]
CELLS = (
    "", " ", "\u00a0", "NA", "nan", "inf", "1e999", "-1e-999", "<20", ">2000", "20..50", "50..20", "..", "<", "4+",
    "4/5", "1,5", "1.5", "1.234,5", "1,234.5",
    "5 mg", "50%", "−3", "2-Jan", "31/02/2024", "13/04/2024", "2024-01-02", "2024-01-02T99:99", "44197", "-99", "999",
    "0", "-0", "1" * 400, "٣", "Ⅳ", "=1+1", "@x",
    "'=1", "\ufeff", "\u202e", "A\u0301", "Р1", "p1", "P1 ", "\x1b[31m", "x" * 2000, "a@b.org", "John Smith", '"',
    '""', '"a', "\0", "\r", "\n", "\x85", "\u2028", "\ud7ff",
)  # fmt: skip
HEADERS = (
    "patient",
    "Patient",
    "month",
    "strength",
    "cpk",
    "name",
    "email",
    "date of birth",
    "",
    " ",
    "x",
    "#",
    "'=x",
    "patient ",
)
DATA_KEYS = (
    'decimal = ","', 'delimiter = ";"', 'delimiter = "\\t"', 'delimiter = "x"', 'thousands = "."', "thousands = \"'\"",
    "skip_lines = 1", "skip_lines = 50",
    'encoding = "latin-1"', 'encoding = "utf-16"', 'encoding = "utf-7"', 'encoding = "idna"', 'duplicates = "mean"',
    "require_baseline = {}",
    'require_baseline = { outcomes = ["cpk"], until = 3 }', 'missing = []', 'missing = ["-99", "0", "x"]',
    'identifying = ["name", "email", "patient"]',
)  # fmt: skip
TIMES = (
    "", 'date = "DD/MM/YYYY"', 'date = "YYYY-MM-DD"', 'date = "DD-MON-YYYY"', 'before = "refused"',
    'before = "set aside"', 'since = "began"',
    'date = "DD/MM/YYYY", since = "began", exit = "left"', 'exit = "left"',
)  # fmt: skip
OUTCOMES = (
    "",
    'censoring = "as typed"',
    "censoring = { above = 2000, below = 20 }",
    'recorded = { factors = { "microkat/L" = 60 } }',
    'recorded = { factors = { kU = 1000 }, column = "x" }',
)


@cache
def study(keys, when, outcome):
    """The small study with these declarations, or None where they contradict each other."""
    text = SMALL.replace("[study]", "[data]\n" + "\n".join(keys) + "\n[study]") if keys else SMALL
    text = text.replace("typical = 24 }", f"typical = 24, {when} }}" if when else "typical = 24 }")
    text = text.replace('label = "CPK"', f'label = "CPK"\n{outcome}')
    try:
        return parse_study(text)
    except StudyError:
        return None


ALIEN = st.tuples(
    st.lists(st.sampled_from(DATA_KEYS), max_size=2, unique_by=lambda k: k.split(" ")[0]).map(tuple),
    st.sampled_from(TIMES),
    st.sampled_from(OUTCOMES),
)
FITTING = {
    "ivig": ((), "", 'censoring = "as typed"'),
    "german": (('delimiter = ";"', 'decimal = ","', 'thousands = "."'), 'before = "set aside"', ""),
    "dated": (('duplicates = "mean"', "require_baseline = { until = 3 }"),
     'date = "DD/MM/YYYY", since = "began", exit = "left"', ""),
}  # fmt: skip


@st.composite
def cases(draw):
    """(bytes of a table, what its study declares, bytes of a table of patients or None)."""
    kind = draw(st.sampled_from(sorted(FITTING)))
    declared = FITTING[kind] if draw(st.integers(0, 2)) else draw(ALIEN)
    second = (
        None
        if draw(st.integers(0, 4))
        else draw(st.sampled_from([b"patient,x\nP0,1\nP1,2\n", b"patient\nS01\nS02\nS03\n"]))
    )
    return draw(tables(kind)), declared, second


@st.composite
def tables(draw, kind):
    """A real table after a few slips in its cells, rows, columns and bytes; seldom it is nothing but bytes."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=200))
    rng = random.Random(draw(st.integers(0, 2**32)))
    lines = list({"ivig": ["patient,month,strength,cpk,x", *IVIG[1:]], "german": GERMAN, "dated": DATED}[kind])
    for slip in draw(
        st.lists(st.sampled_from(["cell", "header", "drop", "twice", "splice", "cut", "column", "blank"]), max_size=3)
    ):
        n = rng.randrange(len(lines))
        sign = ";" if ";" in lines[0] else ","
        parts = lines[n].split(sign)
        at = rng.randrange(len(parts))
        if slip == "cell":
            parts[at] = rng.choice(CELLS)
            lines[n] = sign.join(parts)
        elif slip == "header":
            parts = lines[0].split(sign)
            parts[rng.randrange(len(parts))] = rng.choice(HEADERS)
            lines[0] = sign.join(parts)
        elif slip == "drop" and len(lines) > 1:
            del lines[n]
        elif slip == "twice":
            lines.insert(rng.randrange(len(lines)), lines[n])
        elif slip == "splice":
            lines[n] = lines[n][: rng.randrange(len(lines[n]) + 1)] + lines[rng.randrange(len(lines))]
        elif slip == "cut":
            lines[n] = lines[n][: rng.randrange(len(lines[n]) + 1)]
        elif slip == "column":
            lines = [sign.join([*line.split(sign)[:at], *line.split(sign)[at + 1 :]]) for line in lines]
        elif slip == "blank":
            lines.insert(n, rng.choice(["", sign * 3, " ", "# note"]))
    raw = (
        rng.choice(["\n", "\n", "\r\n", "\r"])
        .join(lines)
        .encode(rng.choice(["utf-8"] * 8 + ["utf-8-sig", "utf-16", "latin-1"]), "replace")
    )
    broken = bytearray(raw)
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 0, 1, 5]))):
        if broken:
            broken[rng.randrange(len(broken))] = rng.randrange(256)
    return bytes(broken)


def holds(raw, declared, patients):
    """The property: a Cohort in good order, or a CohortError that can be printed."""
    asked = study(*declared)
    if asked is None:
        return
    try:
        second = parse_table(patients, "patients.csv", asked.data) if patients else None
        cohort = cohort_of(asked, parse_table(raw, "cohort.csv", asked.data), second)
    except CohortError as error:
        said = str(error)
    else:
        said = ""
        in_order(asked, cohort)
    event("refused" if said else "read")
    assert "\x1b" not in said


def in_order(asked, cohort):
    """Every row accounted for, every number finite, every index in bounds."""
    rows = cohort.rows
    assert rows.rows == rows.used + sum(map(len, rows.set_aside.values()))
    for name, o in rows.outcomes.items():
        m = cohort.measurements[name]
        assert rows.rows == o.used + sum(map(len, o.set_aside.values()))
        assert len(m) == o.used > 0
        assert np.isfinite(m.value).all()
        assert np.isfinite(m.time).all()
    arrays(asked, cohort)


@settings(max_examples=250, derandomize=True, deadline=5000, database=None)
@given(cases())
def test_a_table_is_a_cohort_or_a_message(case):
    holds(*case)


@pytest.mark.slow
@settings(max_examples=10_000, derandomize=True, deadline=5000, database=None)
@given(cases())
def test_ten_thousand_tables_are_cohorts_or_messages(case):
    holds(*case)


def wide(columns, rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [
            ["patient", "month", "strength", "cpk", *(f"c{n}" for n in range(columns))],
            *([["A", n, 50, 900] + [1] * columns for n in range(rows)]),
        ]
    )
    return out.getvalue().encode()


HUGE = {
    "nothing but delimiters": b"patient,month,strength,cpk\n" + b"," * (TABLE_BYTES - 100),
    "nothing but line ends": b"patient,month,strength,cpk\n" + b"\n" * (TABLE_BYTES - 100),
    "a million rows": b"patient,month,strength,cpk\n" + b"A,0,50,900\n" * 1_000_000,
    "a cell of 10 MB": b"patient,month,strength,cpk\nA,0,50," + b"9" * 10_000_000 + b"\n",
    "a quote over everything": b'patient,month,strength,cpk\nA,0,50,"' + b"9\n" * 1_000_000,
    "one long line of quotes": b"patient,month,strength,cpk\n" + b'"' * 20_000_000,
    "a wide table": wide(5000, 500),
}


@pytest.mark.parametrize("name", HUGE)
def test_what_is_too_large_is_refused_soon_and_in_bounds(name):
    raw, asked = HUGE[name], study((), "", "")
    began = time.monotonic()
    tracemalloc.start()
    with pytest.raises(CohortError) as refused:
        cohort_of(asked, parse_table(raw, "cohort.csv", asked.data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any(f.code in ("D44", "D17", "D01", "D02") for f in refused.value.faults), str(refused.value)
    assert peak < 6 * TABLE_BYTES
    assert time.monotonic() - began < 60


def test_as_many_cells_as_are_allowed_are_read_in_bounds():
    columns = 400
    raw, asked = wide(columns - 4, MOST_CELLS // columns - 2), study((), "", "")
    tracemalloc.start()
    assert len(parse_table(raw, "cohort.csv", asked.data).rows) == MOST_CELLS // columns - 2
    assert tracemalloc.get_traced_memory()[1] < 400e6
    tracemalloc.stop()
