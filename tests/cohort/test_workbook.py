"""A workbook is read as the text that a person would have typed, and cannot harm the reader."""

import csv
import io
import random
import tracemalloc
import zipfile
from datetime import date, datetime

import openpyxl
import openpyxl.styles
import pytest

from bayesmyo.cohort import read_cohort
from bayesmyo.cohort.sources import read_table
from bayesmyo.cohort.workbook import parse_workbook
from bayesmyo.errors import CohortError
from bayesmyo.limits import CELLS, WORKBOOK_INFLATED
from bayesmyo.study import parse_study
from bayesmyo.study.study import DataFormat
from tests.conftest import DATA, SMALL

HEAD = ["patient", "month", "mrc"]
WHITE = parse_study(
    """
[study]
title = "White"
patient = "patient"
time = { column = "month", unit = "month", typical = 12 }
[outcomes.mrc]
column = "mrc"
label = "MRC"
unit = "grade"
better = "higher"
typical = 3.6
scale = 0.7
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
""",
    "white.toml",
)
ROWS = [HEAD, ["A", 0, 3.5], ["A", 1, None], ["B", 0, 4]]


def book(**sheets):
    """The bytes of a workbook with these sheets, each a list of rows."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def read(raw, sheet=None, date=None, **form):
    return parse_workbook(raw, "cohort.xlsx", DataFormat(**form), sheet, date)


def refused(raw, *fragments, **how):
    with pytest.raises(CohortError) as raised:
        read(raw, **how)
    said = str(raised.value)
    assert all(f in said for f in fragments), said


def changed(raw, name, change):
    """The same workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, change(old.read(part)) if part == name else old.read(part))
    return out.getvalue()


def test_rows_are_numbered_as_in_the_sheet_and_blank_ones_passed_over():
    table = read(book(visits=[*ROWS[:2], [None, None, None], *ROWS[2:]]))
    assert table.header == tuple(HEAD)
    assert table.rows == [["A", "0", "3.5"], ["A", "1", ""], ["B", "0", "4"]]
    assert (table.lines, table.word) == ([2, 4, 5], "row")


def test_the_same_cohort_as_the_delimited_file(tmp_path):
    with (DATA / "ivig.csv").open() as opened:
        typed = list(csv.reader(opened))
    numbers = [[row[0], *(float(c) if c else None for c in row[1:])] for row in typed[1:]]
    (tmp_path / "ivig.xlsx").write_bytes(book(visits=[typed[0], *numbers]))
    found = read_table(tmp_path / "ivig.xlsx", DataFormat())
    assert found.lines == list(range(2, len(typed) + 1))
    assert [[r[0], *(float(c) if c else None for c in r[1:])] for r in found.rows] == numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"), (7.0, "7"), (0.1, "0.1"), (-2.5, "-2.5"), (1e-7, "1e-07"), (True, "TRUE"), ("007", "007"),
        ("<20", "<20"), ("NA", "NA"),
        (date(2024, 3, 4), "2024-03-04"), (datetime(2024, 3, 4, 9, 30), "2024-03-04 09:30:00"), ("#N/A", "#N/A"),
    ],
)  # fmt: skip
def test_cells_become_what_would_have_been_typed(value, text):
    assert read(book(visits=[HEAD, ["A", 0, value]])).rows == [["A", "0", text]]


def test_numbers_and_dates_follow_the_declared_format():
    rows = [HEAD, ["A", datetime(2024, 3, 4), 2.5]]
    table = read(book(visits=rows), date="DD.MM.YYYY", decimal=",", delimiter=";")
    assert table.rows == [["A", "04.03.2024", "2,5"]]


def test_a_decimal_sign_is_said_to_be_declared_without_a_word_of_delimiters(tmp_path):
    (tmp_path / "v.xlsx").write_bytes(book(visits=[["patient", "month", "strength", "cpk"], ["A", 0, 50, "900,5"]]))
    with pytest.raises(CohortError) as caught:
        read_cohort(parse_study(SMALL), tmp_path / "v.xlsx")
    assert 'write a decimal point, or set data.decimal = ",". [D28]' in str(caught.value)
    study = parse_study('[data]\ndecimal = ","\n' + SMALL)
    assert read_cohort(study, tmp_path / "v.xlsx").measurements["cpk"].value.tolist() == [900.5]


TWO_SHEETS = (
    SMALL.replace('label = "CPK"',
     'label = "CPK"\ncovariates = ["sex"]').split("[scenarios")[0].replace("typical = 24 }",
     'typical = 24, since = "began" }', 1)
    + '[covariates.sex]\nlevels = ["f", "m"]\n'
)  # fmt: skip
VISITS = [["patient", "month", "strength", "cpk"], ["A", 1, 50, 900], ["A", 4, 500, 700], ["B", 1, 40, "many"]]
WHO = [["patient", "surname", "sex", "began"], ["A", "Ames", "f", 1], ["B", "Bloom", "?", 1]]


def told(tmp_path, text, **sheets):
    """The faults of a workbook with these sheets."""
    (tmp_path / "clinic.xlsx").write_bytes(book(**sheets))
    with pytest.raises(CohortError) as caught:
        read_cohort(parse_study(text), tmp_path / "clinic.xlsx")
    return [str(fault) for fault in caught.value.faults]


def test_all_that_is_wrong_with_a_workbook_is_told_at_once(tmp_path):
    found = told(tmp_path, TWO_SHEETS, Patients=WHO, Visits=VISITS)
    starts = [
        'file: has several sheets: "Patients", "Visits"; say which holds the visits: data.sheet = "Visits"',
        'sheet "Visits", header: columns "sex" (covariate sex), "began" (start of treatment) are missing; sheet '
        '"Patients" has them: '
        'write patients_sheet = "Patients" in [data]',
        'sheet "Patients", header: column "surname" identifies people',
        'sheet "Visits", row 3, column "strength": is outside the declared range 0 to 100',
        'sheet "Visits", row 4, column "cpk": is not a number',
        'sheet "Patients", row 3, column "sex"',
    ]
    assert [f[: len(s)] for f, s in zip(found, starts, strict=True)] == starts
    assert not any(name in f for f in found for name in ("Ames", "Bloom"))


def test_a_workbook_as_its_messages_ask_is_read(tmp_path):
    form = '[data]\nsheet = "Visits"\npatients_sheet = "Patients"\nidentifying = ["surname"]\n'
    visits = [*VISITS[:2], ["A", 4, 55, 700], ["B", 1, 40, 800]]
    (tmp_path / "clinic.xlsx").write_bytes(
        book(Patients=[*WHO[:2], ["B", "Bloom", "m", 1], ["C", "Cox", "m", 1]], Visits=visits)
    )
    cohort = read_cohort(parse_study(form + TWO_SHEETS), tmp_path / "clinic.xlsx")
    assert cohort.measurements["strength"].time.tolist() == [0, 3, 0]
    assert 'Sheet "Patients": 1 of 3 patients have no visit (row 4). [D57]' in cohort.notices


@pytest.mark.parametrize(
    ("form", "first"),
    [
        ('sheet = "Visit"\npatients_sheet = "Patients"',
         'file: has no such sheet; got "Visit"; did you mean "Visits"?'),
        ('sheet = "Visits"\npatients_sheet = "Patient"',
         'file: has no such sheet; got "Patient"; did you mean "Patients"?'),
        ('sheet = "Patients"',
         'sheet "Patients", header: column "month" (time) is missing; sheet "Visits" has this column'),
    ],
)  # fmt: skip
def test_a_sheet_of_another_name_does_not_hide_the_cells(tmp_path, form, first):
    found = told(tmp_path, f"[data]\n{form}\n{TWO_SHEETS}", Visits=VISITS, Patients=WHO)
    assert found[0].startswith(first)
    assert any('row 4, column "cpk"' in f for f in found) is ('sheet = "Patients"' not in form.splitlines())


def test_a_missing_column_does_not_hide_the_cells_of_the_others(tmp_path):
    without = [[row[0], row[1], row[3]] for row in VISITS]
    found = told(tmp_path, SMALL, visits=without)
    assert [f.split(";")[0] for f in found] == [
        'header: column "strength" (outcome strength) is missing', 'row 4, column "cpk": is not a number',
    ]  # fmt: skip


def test_lines_above_the_header_are_skipped():
    table = read(book(visits=[["A title"], [None], *ROWS]), skip_lines=2)
    assert (table.header, table.lines) == (tuple(HEAD), [4, 5, 6])


def test_one_filled_sheet_needs_no_name_and_several_do():
    assert read(book(visits=ROWS, empty=[])).header == tuple(HEAD)
    refused(book(visits=ROWS, old=ROWS), 'several sheets: "visits", "old"', 'data.sheet = "visits"', "[D41]")
    assert read(book(visits=ROWS, old=ROWS[:2]), sheet="old").lines == [2]
    refused(book(visits=ROWS), "no such sheet", '"visit"', 'did you mean "visits"?', sheet="visit")


@pytest.mark.parametrize(
    ("rows", "fragments"),
    [
        ([], ["nothing but empty cells", "[D01]"]),
        ([HEAD], ["a header but no data rows", "[D02]"]),
        ([["patient", "month", "month"], ["A", 0, 1]], ['"month" appears 2 times', "[D13]"]),
        ([["patient", None, "mrc"], ["A", 0, 1]], ["field 2", "has no column name", "[D14]"]),
        ([HEAD, ["A", 0, 1, "note"]], ["row 2", "to the right of the header", "[D11]"]),
        ([HEAD, ["A", 0, "=1+1"]], ['row 2, column "mrc"', "formula that was never computed", "[D42]"]),
    ],
)
def test_a_sheet_that_is_no_table(rows, fragments):
    refused(book(visits=rows), *fragments)


def test_a_formula_counts_as_its_computed_value():
    raw = changed(
        book(visits=[HEAD, ["A", 0, "=1+1"]]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>"),
    )
    assert read(raw).rows == [["A", "0", "2"]]


@pytest.mark.parametrize("reference", [b"A1:A1", b"A1:XFD1048576", b"nonsense", b"C9:A1"])
def test_the_size_that_a_sheet_claims_is_not_believed(reference):
    raw = changed(
        book(visits=ROWS),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b'ref="A1:C4"', b'ref="' + reference + b'"'),
    )
    assert reference in zipfile.ZipFile(io.BytesIO(raw)).read("xl/worksheets/sheet1.xml")
    try:
        assert len(read(raw).rows) == 3
    except CohortError as error:
        assert "[D05]" in str(error)  # noqa: PT017  # what the library will not parse is refused


def test_a_stray_cell_at_the_far_corner_costs_nothing():
    made = openpyxl.Workbook()
    made.active["A1"], made.active["XFD1048576"] = "patient", 1
    out = io.BytesIO()
    made.save(out)
    tracemalloc.start()
    refused(out.getvalue(), "row 1048576", "to the right of the header")
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_more_cells_than_declared_are_refused():
    xml = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in (1, CELLS + 5))
    raw = changed(
        book(visits=ROWS),
        "xl/worksheets/sheet1.xml",
        lambda old: old[: old.index(b"<sheetData>") + 11] + xml + old[old.index(b"</sheetData>") :],
    )
    refused(raw, f"more than {CELLS:,} cells", "[D44]")


def test_a_bomb_is_refused_before_it_bursts():
    raw = changed(book(visits=ROWS), "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * (WORKBOOK_INFLATED + 1))
    assert len(raw) < WORKBOOK_INFLATED / 100
    tracemalloc.start()
    refused(raw, "unpacks to more than", "[D44]")
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_entities_are_refused():
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    raw = changed(book(visits=ROWS), "xl/worksheets/sheet1.xml", lambda xml: bomb + xml)
    refused(raw, "defines entities", "[D05]")


@pytest.mark.parametrize(
    ("raw", "fragments"),
    [
        (b"", ["is empty (0 bytes)"]),
        (b"patient,month\nA,0\n", ["is not a workbook, or is damaged"]),
        (b"\xd0\xcf\x11\xe0" + bytes(600), ["an old workbook, or one with a password"]),
        (b"PK\x03\x04" + bytes(50), ["is not a workbook, or is damaged"]),
    ],
)
def test_what_is_no_workbook(raw, fragments):
    refused(raw, *fragments)


def test_a_zip_file_of_something_else():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("cohort.csv", "patient\nA\n")
    refused(out.getvalue(), "is a zip file, not a workbook")


def test_a_damaged_workbook_is_a_table_or_a_message():
    raw, rng = book(visits=ROWS * 20), random.Random(5)
    said = set()
    for _ in range(300):
        broken = bytearray(raw[: rng.randrange(len(raw))] if rng.random() < 0.2 else raw)
        for _ in range(rng.randrange(1, 4)):
            if broken:
                broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        try:
            read(bytes(broken))
            said.add("read")
        except CohortError as error:
            said.add(error.faults[0].code)
    assert "D05" in said


def formatted(rows, formats=(), struck=(), hidden=()):
    """The bytes of a workbook of one sheet: number formats by cell, cells struck out, rows hidden."""
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for place, form in dict(formats).items():
        made.active[place].number_format = form
    for place in struck:
        made.active[place].font = openpyxl.styles.Font(strike=True)
    for row in hidden:
        made.active.row_dimensions[row].hidden = True
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_a_cell_keeps_what_it_was():
    rows = [HEAD, ["A", 0, 0.45], ["B", "1", datetime(2024, 3, 4)], [True, 2, "text"]]
    table = read(formatted(rows, {"C2": "0%"}, struck=["B4"], hidden=[3]))
    assert [[o.kind for o in row] for row in table.origins] == [
        ["text", "number", "number"],
        ["text", "text", "date"],
        ["boolean", "number", "text"],
    ]
    assert (table.rows[0][2], table.origins[0][2].held) == ("45%", "0.45")
    assert [row[1].struck for row in table.origins] == [False, False, True]
    assert table.looks.hidden == (3,)


def test_what_has_no_height_or_no_width_is_hidden():
    def flat(xml):
        return xml.replace(b'<row r="3"', b'<row r="3" ht="0" customHeight="1"').replace(
            b"<sheetData>", b'<cols><col min="3" max="3" width="0" customWidth="1"/></cols><sheetData>'
        )

    looks = read(changed(book(visits=ROWS), "xl/worksheets/sheet1.xml", flat)).looks
    assert (looks.hidden, looks.hidden_columns) == ((3,), ("mrc",))


@pytest.mark.parametrize(("strike", "struck"), [("<strike/>", True), ('<strike val="0"/>', False), ("<b/>", False)])
def test_a_text_is_struck_out_if_a_part_of_it_is(strike, struck):
    runs = f"<is><r><rPr>{strike}</rPr><t>3</t></r><r><t>4</t></r></is>".encode()

    def typed(xml):
        return xml.replace(b'<c r="C2" t="n"><v>3.5</v></c>', b'<c r="C2" t="inlineStr">' + runs + b"</c>")

    table = read(changed(book(visits=ROWS), "xl/worksheets/sheet1.xml", typed))
    assert table.column("mrc")[0] == "34"
    assert [origin.struck for origin in table.was("mrc")] == [struck, False, False]


def test_a_text_that_cells_share_is_struck_out_in_each():
    def shared(xml):
        cells = xml.replace(b'<c r="C2" t="n"><v>3.5</v></c>', b'<c r="C2" t="s"><v>1</v></c>')
        return cells.replace(b'<c r="C4" t="n"><v>4</v></c>', b'<c r="C4" t="s"><v>0</v></c>')

    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    named = b'<Override PartName="/xl/sharedStrings.xml" ContentType="' + kind + b'"/></Types>'
    texts = "<si><t>5</t></si><si><r><t>3</t></r><r><rPr><strike/></rPr><t>4</t></r></si>"
    raw = changed(book(visits=ROWS), "xl/worksheets/sheet1.xml", shared)
    out = io.BytesIO(changed(raw, "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", named)))
    with zipfile.ZipFile(out, "a") as parts:
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        parts.writestr("xl/sharedStrings.xml", f'<sst xmlns="{main}">{texts}</sst>')
    table = read(out.getvalue())
    assert table.column("mrc") == ["34", "", "5"]
    assert [origin.struck for origin in table.was("mrc")] == [True, False, False]


def test_hidden_columns_merged_cells_and_results_that_are_empty_are_told_apart():
    made = openpyxl.Workbook()
    for row in ROWS:
        made.active.append(row)
    made.active.merge_cells("A3:A4")
    made.active.column_dimensions["C"].hidden = True
    out = io.BytesIO()
    made.save(out)
    table = read(out.getvalue())
    assert table.looks.hidden_columns == ("mrc",)
    assert table.looks.merged == {(4, "patient")}


VISITS_TYPED = [
    ["patient", "visit", "strength", "cpk"],
    ["A", "23/10/2021", 50, 900],
    ["A", datetime(2022, 1, 5), 51, 800],
    ["B", "14/10/2021", 40, 700],
    ["B", datetime(2022, 2, 7), 41, 650],
]
DATED = SMALL.split("[scenarios")[0].replace('column = "month"', 'column = "visit", date = "DD/MM/YYYY"')


def test_true_dates_of_early_days_among_texts_are_refused_and_of_late_days_are_not(tmp_path):
    (tmp_path / "v.xlsx").write_bytes(book(visits=VISITS_TYPED))
    with pytest.raises(CohortError, match=r"rows 3, 5, column .visit.: 2 true dates, .* \[D38\]"):
        read_cohort(parse_study(DATED), tmp_path / "v.xlsx")
    late = [[v.replace(day=v.day + 12) if isinstance(v, datetime) else v for v in row] for row in VISITS_TYPED]
    (tmp_path / "v.xlsx").write_bytes(book(visits=late))
    assert len(read_cohort(parse_study(DATED), tmp_path / "v.xlsx")) == 2


@pytest.mark.parametrize(
    ("colour", "ground", "noted"),
    [
        (openpyxl.styles.colors.Color(rgb="FFFFFFFF"), None, True),
        (openpyxl.styles.colors.Color(theme=0), None, True),
        (openpyxl.styles.colors.Color(rgb="FFFFFFFF"), "FF000080", False),
        (openpyxl.styles.colors.Color(rgb="FFFF0000"), None, False),
        (openpyxl.styles.colors.Color(theme=1), None, False),
    ],
)
def test_white_letters_on_no_ground_are_noted(tmp_path, colour, ground, noted):
    made = openpyxl.load_workbook(
        io.BytesIO(book(visits=[HEAD, *(["ABCDEF"[n // 2], n % 2, 3.5 + n / 10] for n in range(12))]))
    )
    cell = made.active["C5"]
    cell.font = openpyxl.styles.Font(color=colour)
    if ground:
        cell.fill = openpyxl.styles.PatternFill("solid", fgColor=ground)
    made.save(tmp_path / "cohort.xlsx")
    told = [n for n in read_cohort(WHITE, tmp_path / "cohort.xlsx").notices if "[D73]" in n]
    said = "1 cell is in white letters (row 5), and read like the others; empty what does not count. [D73]"
    assert told == ([said] if noted else [])


def test_a_title_above_the_patients_is_said_to_be_on_their_sheet(tmp_path):
    """Lines are skipped of the visits alone, so that no number of them is a mend."""
    form = '[data]\nsheet = "Visits"\npatients_sheet = "Patients"\nskip_lines = 1\n'
    found = told(tmp_path, form + TWO_SHEETS, Visits=[["All visits"], *VISITS], Patients=[["Our patients"], *WHO])
    assert found[0].startswith('sheet "Patients", row 1: looks like a title')
    assert "data.skip_lines is of visits alone" in found[0]
