"""The promise of SECURITY.md: whatever is in a file smaller than a megabyte, it is answered within 20 seconds and
1.5 GB.
"""

import random

import pytest

from bayesmyo.limits import WORKBOOK_CELLS
from tests.hostile import parquets, studies, tables, workbooks
from tests.hostile.answer import MEMORY, SECONDS, START, answering
from tests.hostile.case import HEAD, Case, declaring

SEED = 11
CASES = [case for room in (tables, workbooks, parquets, studies) for case in room.cases(random.Random(SEED))]
SOME = (
    "r99000.csv",
    "d99000.csv",
    "intervals.csv",
    "turns.csv",
    "levels.csv",
    "wide-50000.csv",
    "lengths.csv",
    "workbook-00.xlsx",
    "workbook-01.xlsx",
    "parquet-01.parquet",
    "study-00.toml",
    "study-42.toml",
)


@pytest.fixture(scope="module")
def ask():
    with answering() as process:
        yield process


def test_there_are_many_of_each_kind_and_the_representatives_are_among_them():
    kinds = [case.kind for case in CASES]
    assert all(kinds.count(kind) >= 40 for kind in ("table", "workbook", "Parquet", "study"))
    assert len({case.file for case in CASES}) == len(CASES) >= 200
    assert {*SOME} <= {case.file for case in CASES}


@pytest.mark.parametrize("case", [c for c in CASES if c.file in SOME], ids=lambda c: c.file)
def test_a_few_that_are_made_to_do_harm(ask, case, tmp_path):
    assert ask.case(case, tmp_path).wrong == ""


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.file)
def test_whatever_is_made_to_do_harm(ask, case, tmp_path):
    found = ask.case(case, tmp_path)
    print(f"{case.kind}: {found.seconds + START:.1f} s, {found.memory / 1e6:.0f} MB, {case.name}")  # shown by -rA
    assert found.wrong == ""


def test_what_is_measured_is_what_is_promised():
    assert (SECONDS + START, MEMORY) == (20, 1_500_000_000)


def large(rows: int) -> bytes:
    """2,000 patients with 20 visits and 12 columns."""
    header = ",".join([HEAD, *(f"x{n}" for n in range(8))])
    return "\n".join([header, *(f"P{n // 20},{n % 20},50,900,1,2,3,4,5,6,7,8" for n in range(rows)), ""]).encode()


@pytest.mark.slow
def test_two_thousand_patients_are_read(ask, tmp_path):
    (tmp_path / "study.toml").write_text(declaring())
    (tmp_path / "large.csv").write_bytes(large(40_000))
    found = ask.command(tmp_path, "validate", "study.toml", "large.csv")
    assert found.code == 0, found.said
    assert "2000 patients" in found.said.replace(",", "")


def twins() -> bytes:
    """15,000 patients of whom each two have the same three rows."""
    three = ((n, k, t) for n in range(7500) for k in (0, 1) for t in range(3))
    rows = [f"{2 * n + k},{3 * t},{(n * 7 + t) % 9973 / 100},{n * 3 + t + 1}" for n, k, t in three]
    return "\n".join([HEAD, *rows, ""]).encode()


MAP = ", ".join(f'"{n}" = {n + 1}' for n in range(199))
OF_EACH_ROW = [
    Case("rows about nobody", "about-nobody.csv", lambda: tables.many(HEAD, ",x,y,z"), declaring()),
    Case("numbers beside 199 in a map", "map.csv", lambda: tables.many(HEAD, "#,0,1,#"),
     declaring(cpk=f"map = {{ {MAP} }}")),
    Case("every two patients alike", "twins.csv", twins, declaring()),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", OF_EACH_ROW, ids=lambda c: c.file)
def test_what_is_asked_of_each_row_is_not_asked_of_all_for_it(ask, case, tmp_path):
    found = ask.case(case, tmp_path)
    print(f"{case.kind}: {found.seconds + START:.1f} s, {found.memory / 1e6:.0f} MB, {case.name}")
    assert found.wrong == ""


def test_the_same_rows_are_too_many_for_a_workbook(ask, tmp_path):
    row = "<row>" + "<c><v>1</v></c>" * 12 + "</row>"
    case = Case("480,000 cells", "large.xlsx", lambda: workbooks.book(workbooks.rows(row, 40_000)), declaring())
    found = ask.case(case, tmp_path)
    assert found.code == 2
    assert f"more than {WORKBOOK_CELLS:,} cells" in found.said
