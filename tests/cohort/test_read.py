"""Bytes of a table in, a Cohort or every reason why not out. D01 ... D40 are the cases of a catalogue of clinical
tables.
"""

import os
import random
import re

import numpy as np
import pytest

from bayesmyo.cohort.cohort import NOT_MEASURED, OutcomeRows
from bayesmyo.cohort.fates import BLANK, NO_OUTCOME
from bayesmyo.cohort.read import cohort_of, read_cohort
from bayesmyo.cohort.table import parse_table
from bayesmyo.errors import CohortError
from bayesmyo.limits import CELL
from bayesmyo.study import parse_study
from tests.conftest import SMALL

HEAD = "patient,month,strength,cpk\n"
GOOD = HEAD + "A,0,50,1200\nA,3,55,800\nB,0,40,2000\nB,6,,900\n"
STUDY = parse_study(SMALL)


def declared(data="", outcome=""):
    """The small study with a [data] table, or a line for the outcome cpk."""
    text = SMALL.replace("[study]", f"[data]\n{data}\n[study]") if data else SMALL
    return parse_study(text.replace('label = "CPK"', f'label = "CPK"\n{outcome}'))


def read(content, study=STUDY):
    raw = content.encode() if isinstance(content, str) else content
    return cohort_of(study, parse_table(raw, "cohort.csv", study.data))


def faults(content, study=STUDY):
    with pytest.raises(CohortError) as caught:
        read(content, study)
    return [str(fault) for fault in caught.value.faults]


def cells(cpk="1200", month="0", patient="A", strength="50"):
    """A good table with one row, on line 4, that holds the given cells."""
    return HEAD + f"Y,0,50,900\nZ,0,50,900\n{patient},{month},{strength},{cpk}\n"


# --- what is accepted


def test_a_good_table():
    cohort = read(GOOD)
    strength, cpk = cohort.measurements["strength"], cohort.measurements["cpk"]
    assert cohort.patients == ("A", "B")
    assert cohort.pseudonyms() == ("P01", "P02")
    assert (strength.patient.tolist(), strength.time.tolist()) == ([0, 0, 1], [0, 3, 0])
    assert (strength.value.tolist(), strength.line.tolist()) == ([50, 55, 40], [2, 3, 4])
    assert (cpk.value.tolist(), cpk.line.tolist(), cpk.censored) == ([1200, 800, 2000, 900], [2, 3, 4, 5], 0)
    assert cohort.rows.outcomes["strength"] == OutcomeRows(3, 0, {NOT_MEASURED: (5,)})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_line_ends_byte_order_marks_and_blank_lines_do_not_matter(end):
    text = ("\n" + GOOD.replace("B,0", "\n  \nB,0")).replace("\n", end)
    cohort = read(text.encode("utf-8-sig"))
    assert cohort.measurements["cpk"].value.tolist() == [1200, 800, 2000, 900]
    assert cohort.measurements["cpk"].line.tolist() == [3, 4, 7, 8]


def test_columns_may_come_in_any_order_and_be_quoted():
    cohort = read(' cpk ,strength,"patient",month\n"1200",50,"A, B",0\n')
    assert (cohort.patients, cohort.measurements["cpk"].value.tolist()) == (("A, B",), [1200])


@pytest.mark.parametrize("name", ["007", "1E5", "NA", "None", "nan", "12.50", "=1+1", "Ä ö", "<5"])
def test_patients_ids_are_kept_as_text(name):
    assert read(cells(patient=name)).patients == ("Y", "Z", name)


@pytest.mark.parametrize(
    ("text", "value"), [("1200", 1200), (" 7.5 ", 7.5), ("+1e3", 1000), (".5", 0.5), ("5.", 5), ("1E-1", 0.1)]
)
def test_numbers(text, value):
    assert read(cells(cpk=text)).measurements["cpk"].value[-1] == value


@pytest.mark.parametrize("text", ["", "  ", "NA", " NA "])
def test_missing_cells(text):
    assert len(read(cells(cpk=text)).measurements["cpk"]) == 2


def test_declared_words_for_missing_replace_the_default():
    study = declared('missing = ["ND", "-99"]')
    assert len(read(cells(cpk="-99"), study).measurements["cpk"]) == 2
    assert "is not a number" in faults(cells(cpk="NA"), study)[0]


def test_a_declared_format_is_read():
    study = declared('delimiter = ";"\ndecimal = ","\nencoding = "latin-1"')
    cohort = read("patient;month;strength;cpk\nJosé;0,5;50;1200,5\n".encode("latin-1"), study)
    assert cohort.patients == ("José",)
    assert (cohort.measurements["cpk"].time[0], cohort.measurements["cpk"].value[0]) == (0.5, 1200.5)


def test_decimal_commas_alone_need_no_delimiter():
    study = declared('decimal = ","')
    assert read("patient;month;strength;cpk\nA;0,5;50;1200,5\n", study).measurements["cpk"].value.tolist() == [1200.5]
    (found,) = faults(GOOD, study)
    assert "only 1 column found, and 3 ',' in it; it is the declared decimal sign" in found


def test_utf_16_is_read_when_it_is_declared():
    assert read(GOOD.encode("utf-16"), declared('encoding = "utf-16"')).patients == ("A", "B")


def test_limits_are_read_when_they_are_declared():
    study = declared(outcome='censoring = "as typed"')
    m = read(HEAD + "A,0,,<20\nA,1,,> 2000\nA,2,,≤20\nA,3,,>=2000\nB,0,50,100\n", study).measurements["cpk"]
    assert m.value.tolist() == [20, 2000, 20, 2000, 100]
    assert m.side.tolist() == [-1, 1, -1, 1, 0]
    assert m.censored == 4


# --- the account of rows and the notices


def test_rows_without_an_outcome_and_blank_rows_are_set_aside_and_listed():
    cohort = read(GOOD + ",,,\nC,0,,\n , ,,\nA,9,NA,\n")
    rows = cohort.rows
    assert rows.set_aside == {BLANK: (6, 8), NO_OUTCOME: (7, 9)}
    assert (rows.rows, rows.used) == (8, 4)
    assert cohort.patients == ("A", "B")
    assert (
        "1 of 3 patients have no measurement that is used (line 7) and are not in the cohort. [D39]" in cohort.notices
    )


def test_rows_in_are_rows_used_and_rows_set_aside():
    generator = random.Random(1)
    for _ in range(20):
        drawn = [generator.choice([("50", "900"), ("50", ""), ("", "900"), ("", "")]) for _ in range(40)]
        rows = read(GOOD + "".join(f"C,{n},{s},{c}\n" for n, (s, c) in enumerate(drawn))).rows
        assert rows.rows == 44 == rows.used + sum(map(len, rows.set_aside.values()))
        assert all(rows.rows == o.used + sum(map(len, o.set_aside.values())) for o in rows.outcomes.values())


def test_a_row_without_an_outcome_needs_no_time_and_may_repeat():
    assert read(GOOD + "A,,,\nA,0,,\n").rows.set_aside == {NO_OUTCOME: (6, 7)}


def test_a_patient_with_a_single_visit_is_kept_with_a_notice():
    cohort = read(GOOD + "C,0,50,900\n")
    assert cohort.patients == ("A", "B", "C")
    assert any("1 of 3 patients have a single visit (line 6): kept" in n for n in cohort.notices)


@pytest.mark.parametrize(
    ("rows", "notice"),
    [
        ("C,-1,50,900\n", "1 visit lies before month 0 (line 6): kept, it tells the level at the start;"),
        ("C,0,50,\n", "1 of 3 patients have no CPK: predicted from the others."),
        ("007,0,50,900\n7,0,50,900\n", "Some patient ids differ only in leading zeros"),
    ],
)
def test_notices(rows, notice):
    assert any(notice in n for n in read(GOOD + rows).notices)


def test_a_constant_outcome_and_one_in_another_unit_are_noticed():
    notices = " ".join(read(HEAD + "A,0,50,0.1\nA,1,50,0.2\n").notices)
    assert "Strength: every value is 50." in notices
    assert "CPK: the median, 0.15 IU/L, is far from the declared typical 1200 IU/L: is the unit right?" in notices


def test_unused_columns_are_noticed():
    assert "Columns not used: sex, age. [D66]" in read("patient,month,strength,cpk,sex,age\nA,0,50,900,f,\n").notices


# --- faults of the file


@pytest.mark.parametrize(
    ("content", "fragments"),
    [
        pytest.param(b"", ["is empty (0 bytes)"], id="D01 empty"),
        pytest.param("\n \n", ["holds nothing but blank lines"], id="D01 blank lines"),
        pytest.param(HEAD, ["has a header but no data rows"], id="D02 header only"),
        pytest.param(GOOD.encode("utf-16"), ["looks like UTF-16", 'data.encoding = "utf-16"'], id="D03 UTF-16"),
        pytest.param(GOOD.encode("utf-16-le"), ["looks like UTF-16"], id="D03 unmarked"),
        pytest.param(GOOD.encode() + b"Ren\xe9,0,1,1\n", ["line 6", "byte 0xE9 is not UTF-8", '"latin-1"'],
         id="D04 Latin-1"),
        pytest.param((GOOD + "Ren").replace("\n", "\r").encode() + b"\xe9", ["line 6", "byte 0xE9"], id="D04 with CR"),
        pytest.param(b"PK\x03\x04....", ["is an Excel workbook or a zip file", "export the sheet as CSV"],
         id="D05 xlsx"),
        pytest.param(b"\xd0\xcf\x11\xe0...", ["old Excel workbook"], id="D05 xls"),
        pytest.param(b"\x1f\x8b\x08...", ["is compressed (gzip)", "unpack it first"], id="D06 gzip"),
        pytest.param(GOOD.replace("B,0", "B\0,0"), ['line 4, column "patient"', "NUL byte"], id="D07 NUL"),
        pytest.param(GOOD.replace(",", ";"), ["only 1 column found, and 3 ';'", 'set data.delimiter = ";"'],
         id="D08 semicolon"),
        pytest.param(
            "patient;month;strength;cpk\nA;0,5;50;1200\n", ["only 1 column found", 'set data.delimiter = ";"'],
            id="D08 with decimal commas",
        ),
        pytest.param(GOOD.replace(",", "\t"), ["only 1 column found", r'set data.delimiter = "\t"'], id="D09 tab"),
        pytest.param(
            HEAD + "A,0,50,9,\nA,1,50,9,\n", ["lines 2, 3: 5 fields, the header has 4", "at the end of the line"],
            id="D10 trailing commas",
        ),
        pytest.param(GOOD + "C,0,50,1,200\n", ["line 6: 5 fields, the header has 4", "unquoted"], id="D11 long row"),
        pytest.param(GOOD + "C,0\n", ["line 6: 2 fields, the header has 4", "a cell is missing"], id="D12 short row"),
        pytest.param(
            "patient,month,cpk,cpk,strength\nA,0,1,2,3\n", ['column "cpk" appears 2 times', "fields 3, 4"],
            id="D13 duplicate header"
        ),
        pytest.param("patient,,month,strength,cpk\nA,1,0,50,9\n", ["header, field 2", "has no column name"],
         id="D14 blank header"),
        pytest.param(GOOD.replace("month", "Month"), ['"month" (time) is missing', 'did you mean "Month"?'],
         id="D15 case"),
        pytest.param(GOOD.replace("cpk", "ckp"), ['"cpk" (outcome cpk) is missing', 'did you mean "ckp"?'],
         id="D15 spelling"),
        pytest.param("# exported by X\n" + GOOD, ["line 1", "title or a comment", "set data.skip_lines = 1"],
         id="D16 comment"),
        pytest.param("# exported, 2024\n" + GOOD, ["line 1", "title or a comment"], id="D16 comment with comma"),
        pytest.param("My cohort,,,\n,,,\n" + GOOD, ["line 1", "title or a comment"], id="D16 title"),
        pytest.param(GOOD + '"C,0,50,9\n', ["line 6", "a quote is opened and never closed"], id="D17 quote"),
        pytest.param(GOOD + 'C,0,50,"9"9\n', ["line 6", "quote"], id="D17 text after a quote"),
        pytest.param("patient,strength,cpk\nA,50,9\n",
         ['column "month" (time) is missing', "columns: patient, strength, cpk"], id="D18 missing column"),
        pytest.param(HEAD + "A,0,50," + "9" * (CELL + 1), ["line 2", "a cell of more than 100,000"], id="large cell"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_such_table(content, fragments):
    (found,) = faults(content)
    assert all(f in found for f in fragments), found


def test_a_path_that_is_no_file(tmp_path):
    for path, what in ((tmp_path / "none.csv", "does not exist"), (tmp_path, "is a folder, not a table")):
        with pytest.raises(CohortError, match=what):
            read_cohort(STUDY, path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CohortError, match="is not a regular file"):
        read_cohort(STUDY, tmp_path / "pipe")


def test_a_cohort_knows_its_file(tmp_path):
    path = tmp_path / "cohort.csv"
    path.write_bytes(b"patient,month,strength,cpk\nA,0,50,900\n")
    cohort = read_cohort(STUDY, path)
    assert cohort.source == "cohort.csv"
    assert cohort.sha256 == "62d836348c7786946ee26979fbdc0db0f9d686b99ae00c5c09528fe51359bbb6"


def test_five_thousand_columns_are_read():
    extra = [f"x{n}" for n in range(5000)]
    assert read(HEAD.strip() + "," + ",".join(extra) + "\nA,0,50,900" + ",1" * 5000 + "\n").patients == ("A",)


# --- faults of cells


@pytest.mark.parametrize(
    ("row", "fragments"),
    [
        pytest.param({"patient": ""}, ['line 4, column "patient"', "the patient id is blank"], id="D19 blank id"),
        pytest.param({"patient": "y"}, ["lines 2, 4", "differ only in case"], id="ids by case"),
        pytest.param({"patient": "Y\u00a0"}, ["lines 2, 4", "differ only in white space"], id="D24 no-break space"),
        pytest.param({"patient": "Y"}, ["lines 2, 4", "the same patient has two rows at month 0", "remove one"],
         id="D22 duplicate"),
        pytest.param({"month": ""}, ['line 4, column "month"', "the time of a measurement is missing"], id="no time"),
        pytest.param({"month": "week 3"}, ['line 4, column "month"', "is not a number", '"week 3"'], id="text time"),
        pytest.param({"month": "<3"}, ['line 4, column "month"', "is a limit, not a measurement"], id="limit as time"),
        pytest.param({"month": "2024-01-02"}, ['column "month"', "looks like a date"], id="D38 date as time"),
        pytest.param({"cpk": "high"}, ['line 4, column "cpk"', "is not a number", 'got "high"', "correct the cell"],
         id="text"),
        pytest.param({"cpk": "1;5"}, ['line 4, column "cpk"', "is not a number"], id="text with digits"),
        pytest.param({"cpk": '"1,5"'}, ['line 4, column "cpk"', "uses a decimal comma", 'set data.decimal = ","'],
         id="D28 decimal comma"),
        pytest.param({"cpk": '"1,200"'}, ["line 4", "may have a thousands separator", 'or data.decimal = "," if it'],
         id="D29 thousands"),
        pytest.param({"cpk": "1 200"}, ["line 4", "thousands separator", "without it"], id="D29 space"),
        pytest.param({"cpk": "1\u202f200"}, ["line 4", "thousands separator"], id="D29 narrow space"),
        pytest.param({"cpk": "<20"}, ["line 4", "is a limit", 'censoring = "as typed"'], id="D30 limit undeclared"),
        pytest.param({"cpk": "5 mg"}, ["line 4", "carries a unit", "remove the unit"], id="D31 unit"),
        pytest.param({"cpk": "50%"}, ["line 4", "carries a unit"], id="D31 percent"),
        pytest.param({"strength": "−3"}, ["line 4", "typographic minus", 'use "-"'], id="D32 minus"),
        pytest.param({"strength": "4+"}, ["line 4", "is a grade, not a number"], id="D32 grade"),
        pytest.param({"strength": "4/5"}, ["line 4", "is a grade, not a number"], id="D32 fraction"),
        pytest.param({"cpk": "2-Jan"}, ["line 4", "looks like a date", "spreadsheets"], id="D33 Excel date"),
        pytest.param({"strength": "44197"}, ["line 4", "outside the declared range 0 to 100"],
         id="D33 Excel day number"),
        pytest.param({"strength": "-99"}, ["line 4", "outside the declared range 0 to 100", "add it to data.missing"],
         id="D34 sentinel"),
        pytest.param({"cpk": "-99"},
         ["line 4", "must be a positive number (family lognormal)", '"-99"', "data.missing"], id="negative CPK"),
        pytest.param({"cpk": "0"}, ["line 4", "must be a positive number"], id="zero on a log scale"),
        pytest.param({"cpk": "inf"}, ["line 4", "is infinite"], id="D35 inf"),
        pytest.param({"cpk": "1e400"}, ["line 4", "is infinite"], id="D35 1e400"),
        pytest.param({"strength": "100.1"},
         ['line 4, column "strength"', "outside the declared range", "is the unit, points, right?"], id="D36 range"),
        pytest.param({"cpk": "n/a"}, ["line 4", 'if it means missing, add "n/a" to data.missing'], id="missing word"),
        pytest.param({"cpk": "٣"}, ["line 4", "is not a number"], id="Arabic digit"),
        pytest.param({"cpk": "=2+3"}, ["line 4", "is not a number"], id="formula"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_used(row, fragments):
    (found,) = faults(cells(**row))
    assert all(f in found for f in fragments), found


@pytest.mark.parametrize(("text", "what"), [("1.5", "uses a decimal point"), ("1.200", "thousands separator")])
def test_a_point_where_the_comma_is_declared_is_never_guessed(text, what):
    study = declared('delimiter = ";"\ndecimal = ","')
    (found,) = faults(f"patient;month;strength;cpk\nA;0;50;{text}\n", study)
    assert what in found


def test_a_declared_limit_must_be_a_number():
    (found,) = faults(cells(cpk="<5 mg"), declared(outcome='censoring = "as typed"'))
    assert "carries a unit" in found


def test_an_outcome_that_nobody_has():
    found = faults(HEAD.replace("\n", ",x\n") + "A,0,50,,1\n")
    assert found == [
        'column "cpk": holds no measurement; remove the outcome cpk from the study, or fill the column. [D65]'
    ]
    assert faults(HEAD + "A,0,,\n") == ["file: no row has a measured outcome that is used. [D65]"]


# --- all of them, and each once


def test_all_faults_at_once():
    found = faults(HEAD + 'A,0,50,-1\n,1,150,"1,5"\nA,x,4+,\na,3,50,900\nB,,bad,\nC,1,bad,1\nC,1,50,1\n')
    expected = [
        'lines 2, 5, column "patient": patient ids differ',
        "lines 7, 8: the same patient has two rows at month 1",
        'line 2, column "cpk": must be a positive number',
        'line 3, column "patient": the patient id is blank',
        'line 3, column "strength": is outside the declared range',
        'line 3, column "cpk": uses a decimal comma',
        'line 4, column "month": is not a number',
        'line 4, column "strength": is a grade',
        'line 6, column "month": the time of a measurement is missing',
        'lines 6, 7, column "strength": is not a number',
    ]
    missed = [e for e in expected if not any(f.startswith(e) for f in found)]
    assert not missed
    assert len(found) == len(expected)


def test_all_missing_columns_at_once():
    assert len(faults("id,x\n1,2\n")) == 4


def test_all_faults_of_the_shape_at_once():
    found = faults("patient,month,,cpk,cpk\nA\nB,0\nC\nA,0,0,0,0\n")
    assert [f.split(":")[0] for f in found] == ["header, field 3", "header", "lines 2, 4", "line 3"]


def test_one_mistake_in_many_rows_is_one_message():
    (found,) = faults(HEAD + "".join(f'A,{n},50,"{n + 1},000"\n' for n in range(200)))
    assert found.startswith('lines 2, 3, 4, 5, 6 and 195 more, column "cpk": may have a thousands separator')
    assert '"1,000", "2,000", "3,000" ...' in found


def test_a_flood_of_faults_is_cut_short():
    found = faults(HEAD + "".join(f"A,{n},50,9\nA,{n},50,9\n" for n in range(200)))
    assert len(found) == 21
    assert found[-1] == "file: and 180 more faults like these."


def test_the_message_shows_no_endless_cell_and_no_escape_code():
    (found,) = faults(cells(cpk="\x1b[31m" + "x" * 5000))
    assert "\x1b" not in found
    assert len(found) < 200


def test_ids_stay_out_of_messages():
    secret = "Erika Mustermann"
    text = HEAD + f"{secret},0,50,-1\n{secret},0,50,bad\n{secret.upper()},0,50,9\n"
    assert not re.search("mustermann", " ".join(faults(text)), re.IGNORECASE)


def test_values_are_float64_and_indices_are_integers():
    m = read(GOOD).measurements["cpk"]
    assert (m.value.dtype, m.time.dtype) == (np.float64, np.float64)
    assert (m.patient.dtype, m.side.dtype) == (np.int64, np.int8)
