"""Every case of the corpus: what is said, to the letter; whether it names the lines that are wrong; whom it gives
away.
"""

import csv
import os
import re
import runpy
from itertools import pairwise

import pytest

from bayesmyo.cohort import read_cohort, sources
from bayesmyo.cohort.codes import CODES
from bayesmyo.errors import CohortError
from bayesmyo.study import read_study
from tests.conftest import DATA, MODELS, PACKAGE, ROOT

SCRIPT = runpy.run_path(str(ROOT / "scripts" / "corpus.py"))
CASES = SCRIPT["cases"]()
FOLDER = SCRIPT["CORPUS"]
WITH_FILES = [c for c in CASES if not c.said]
TABLES = [c for c in WITH_FILES if c.table is not None]
BUILT = {c.name: c for c in CASES if c.said}
BINARY = {*SCRIPT["binaries"](), "clean-parquet.parquet", "D43-nested.parquet"}
NAMED = re.compile(
    r"(?P<file>\S+\.patients\.csv, |\S+\.patients\.csv: [^(]*\()?\b(?:[Ll]ine|[Rr]ow)s? (?P<numbers>\d+(?:, \d+)*)(?: and (?P<more>\d+) more)?"
)


def of(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda c: c.name)


@pytest.fixture(autouse=True)
def no_colour(monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


# --- what is said


@of(WITH_FILES)
def test_the_answer_is_the_one_written_beside_the_case(case):
    refused, text = SCRIPT["answer"](case)
    assert text == case.expected.read_text(), (
        "if this is better, run scripts/corpus.py --accept and read the difference"
    )
    assert not refused or case.code or case.table is None
    assert "Traceback" not in text
    assert all(c.isprintable() or c == "\n" for c in text)


@of([c for c in CASES if c.code])
def test_the_code_of_a_case_is_in_its_answer(case):
    assert f"[{case.code}]" in (case.said or case.expected.read_text())


@of([c for c in TABLES if not c.code])
def test_a_clean_case_is_read_without_a_word(case):
    said = case.expected.read_text()
    assert " rows in = " in said
    assert [*re.findall(r"\[(D\d\d)\]", said)] in (
        [],
        ["D38"],
        ["D56"],
        ["D68"],
    )  # dates, units and texts are converted: that is said


@of(TABLES)
def test_the_answer_names_the_lines_of_the_truth(case):
    """The truth is written by hand in cases.toml. Lines that other parts of the account list (cells not measured) do
    not count.
    """
    refused = " rows in = " not in case.expected.read_text()
    said = case.expected.read_text() if refused else "".join(notes(case))
    for truth, found in zip((case.lines, case.patients_lines), lines_named(said), strict=True):
        assert found == shortened(truth) or (not truth and not refused), said


def notes(case):
    """What is said of a table that was read: the notes, or the account where there are none."""
    lines = case.expected.read_text().splitlines()
    return [line for line in lines if f"[{case.code}]" in line] or lines


def lines_named(text):
    """The lines that a text names, and how many more: of the table of visits, of the table of patients."""
    visits, patients = set(), set()
    for found in NAMED.finditer(text):
        into = patients if found["file"] else visits
        into |= {*map(int, found["numbers"].split(", "))}
        into |= {f"{found['more']} more"} if found["more"] else set()
    return visits, patients


def shortened(truth, most=5):
    return {*truth[:most]} | ({f"{len(truth) - most} more"} if len(truth) > most else set())


@of(TABLES)
def test_nobody_is_given_away(case):
    """No id, no date of a declared calendar and no cell of an identifying column is in what is said."""
    study, said = case.study(), case.expected.read_text().replace(case.name, "")
    hidden = {study.patient, *study.data.identifying, "date_of_birth", "contact", "Last name"}
    if study.time.date is not None or "D38" in case.name or case.name == "D33-date-among-numbers":
        hidden |= {study.time.column, study.time.since, study.time.exit}
    if case.table.name in BINARY:
        secrets = {"P01", "P02", "P03", "P04"}
    else:
        secrets = {cell for path in (case.table, case.patients) if path for cell in cells(path, study, hidden)}
    for secret in secrets:
        if len(secret) >= 3:
            assert not re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", said, re.IGNORECASE), secret


def cells(path, study, hidden):
    text = path.read_text(encoding="utf-8-sig")
    rows = [*csv.reader(text.splitlines()[study.data.skip_lines :], delimiter=study.data.delimiter)]
    header = [name.strip() for name in rows[0]] if rows else []
    for row in rows[1:]:
        yield from (cell.strip() for name, cell in zip(header, row, strict=False) if name in hidden)


SAMPLE = [
    "D05-csv-named-xlsx",
    "D26-all-at-once",
    "D38-start-in-the-patients-table",
    "D57-visits-without-patient",
    "D61-implausible",
    "clean",
    "clean-parquet",
    "clean-workbook-with-two-sheets",
    "study-outcome-named-chain",
]


@of([c for c in WITH_FILES if c.name in SAMPLE])
def test_the_command_line_says_the_same(case, run, tmp_path):
    study = tmp_path / f"{case.name}.toml"
    study.write_text(case.study_text())
    words = [study, case.table or FOLDER / "clean.csv", *(["--patients", case.patients] if case.patients else [])]
    found, expected = run("validate", *words), case.expected.read_text()
    if " rows in = " in expected:
        assert found.code == 0
        printed = "\n".join(line.rstrip() for line in found.out.splitlines())
        assert printed.endswith(f"{expected}The study and the table can be used together.")
        assert not found.err
    else:
        assert (found.code, found.err) == (2, expected)


def test_the_sample_is_there():
    assert {c.name for c in WITH_FILES} >= {*SAMPLE}


# --- what no file of a repository can hold


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Read a path as visits of the study, and say what is wrong with it, or what the notes are."""
    monkeypatch.chdir(tmp_path)
    study = next(c for c in CASES if c.name == "clean").study()

    def said(path):
        try:
            return "\n".join(read_cohort(study, path).notices)
        except CohortError as error:
            return str(error).removeprefix(f"{path}: ")

    return said


def lines():
    return (FOLDER / "clean.csv").read_text().splitlines(keepends=True)


def test_a_folder_a_pipe_and_nothing(said, tmp_path):
    tmp_path.joinpath("folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe", "nothing"):
        assert said(name) == BUILT[f"D46-{name}"].said


def test_a_file_that_may_not_be_read(said, tmp_path, monkeypatch):
    tmp_path.joinpath("forbidden.csv").write_text("".join(lines()))

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sources, "opened", refuse)  # whoever runs the tests may be allowed to read everything
    assert said("forbidden.csv") == BUILT["D46-forbidden"].said


def test_a_file_that_changes_while_it_is_read(said, tmp_path, monkeypatch):
    path = tmp_path / "cohort.csv"
    path.write_text("".join(lines()))
    fstat = os.fstat

    def written_meanwhile(descriptor):
        before = fstat(descriptor)
        with open(path, "a") as other:
            other.write("P05,0,ivig,58,3.1,1900,1.5,1\n")
        return before

    monkeypatch.setattr(sources.os, "fstat", written_meanwhile)
    assert said("cohort.csv") == BUILT["D45-changes"].said


def test_a_file_that_is_too_large(said, tmp_path):
    with open(tmp_path / "cohort.csv", "wb") as opened:
        opened.truncate(50_000_001)
    assert said("cohort.csv") == BUILT["D44-bytes"].said


def test_a_million_rows(said, tmp_path):
    tmp_path.joinpath("cohort.csv").write_text(lines()[0] + lines()[1] * 1_000_000)
    assert said("cohort.csv") == BUILT["D44-cells"].said


def test_a_cell_of_ten_million_characters(said, tmp_path):
    text = lines()
    text[4] = text[4].replace("placebo", "x" * 10_000_000)
    tmp_path.joinpath("cohort.csv").write_text("".join(text))
    assert said("cohort.csv") == BUILT["D44-cell"].said


def test_five_thousand_columns(said, tmp_path):
    header, *rows = (line.rstrip("\n") for line in lines())
    wide = [",".join([header, *(f"x{n}" for n in range(5000))]), *(row + ",1" * 5000 for row in rows)]
    tmp_path.joinpath("cohort.csv").write_text("\n".join(wide))
    assert f"Note: {said('cohort.csv')}" == BUILT["D66-five-thousand-columns"].said


# --- the catalogue and the corpus are each other's


def test_every_entry_of_the_catalogue_has_a_case_and_no_other_is_used():
    assert {c.code for c in CASES} - {""} == {*CODES}
    used = {m for p in (PACKAGE / "cohort").glob("*.py") for m in re.findall(r"\bD\d\d\b", p.read_text())}
    assert used == {*CODES}
    said = {m for c in WITH_FILES for m in re.findall(r"\[(D\d\d)\]", c.expected.read_text())}
    assert {*CODES} - said == {"D44", "D45", "D46"}  # those no file can hold


def test_every_file_belongs_to_a_case_and_cases_are_in_order():
    names = [c.name for c in CASES]
    assert {p.name.split(".")[0] for p in FOLDER.iterdir()} == {*names, "cases", "study"} - {*BUILT}
    codes = [c.code for c in CASES if c.code]
    assert all(a <= b for a, b in pairwise(codes))


def test_the_binary_files_are_those_of_the_script():
    for name, raw in SCRIPT["binaries"]().items():
        assert (FOLDER / name).read_bytes() == raw, "run scripts/corpus.py --binaries"


# --- no false alarm: cohorts that others collected, and our own. What is said of them is true of them.

SHARED = ROOT.parent / "shared" / "reference"
REFERENCE = {
    "aids": "extra/aids.csv", "epil": "epil.csv", "epil_observations": "epil.csv",
    "hurdle": "hurdle_lognormal_sim.csv", "paquid": "paquid.csv",
    "pbc2": "pbc2.csv", "rats": "rats_bugs.csv", "schizophrenia": "schizophrenia.csv", "sleepstudy": "sleepstudy.csv",
    "toenail": "toenail.csv",
    "wine": "wine.csv",
}  # fmt: skip
TRUE_OF_THEM = re.compile(
    r"\d+ of \d+ patients have a single visit .* \[D39\]"  # patients who left or died early, in four of them
    r"|\w+: \d+ cells read by map .* \[D68\]"
    r"|Columns not used: .* \[D66\]"  # the studies ask of few of the columns that were collected
)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the reference cohorts are not here (GPL data, not copied)")
@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_reference_cohorts_raise_no_false_alarm(name):
    study = read_study(ROOT / "tests" / "reference" / f"{name}.toml")
    notices = read_cohort(study, SHARED / REFERENCE[name]).notices
    assert [n for n in notices if not TRUE_OF_THEM.fullmatch(n)] == []


@pytest.mark.parametrize("name", sorted(p.stem for p in DATA.glob("*.csv")))
def test_simulated_cohorts_are_read_without_a_word(name):
    study = read_study(MODELS / f"{name}.toml")
    notices = read_cohort(study, DATA / f"{name}.csv").notices
    true = (
        {"D67", "D78", "D39"} if any(e.column for e in study.events.values()) else {"D67"} if study.time.exit else set()
    )
    assert {
        notice[-4:-1] for notice in notices
    } == true  # what `tests/cohort/test_notices.py` counts in the text itself
