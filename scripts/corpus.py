"""What tables get wrong, and what we answer: the cases of tests/cohort/corpus as a page, and the files of them that nobody can type.

uv run python scripts/corpus.py             writes docs/input.md
uv run python scripts/corpus.py --binaries  writes the workbooks, archives and other binary cases again
uv run python scripts/corpus.py --accept    writes every NAME.txt, what is said of a case: read each change of them

A case is a file NAME.csv (or .xlsx, .parquet ...); NAME.toml is laid over study.toml, NAME.patients.csv is a second table, and
NAME.txt is the whole answer. cases.toml says what each case is and, written by hand, on which lines the truth lies.
"""

import argparse
import bz2
import io
import re
import tomllib
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import tomli_w

from bayesmyo.cohort import read_cohort
from bayesmyo.cohort.codes import CODES
from bayesmyo.errors import InputError
from bayesmyo.limits import CELL, CELLS, TABLE_BYTES, WORKBOOK_CELLS
from bayesmyo.report.terminal import show
from bayesmyo.report.understood import of_cohort
from bayesmyo.study import Study, parse_study

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "tests" / "cohort" / "corpus"
PAGE = ROOT / "docs" / "input.md"
MOST_SHOWN = 3  # lines of one case on the page
HEAD = f"""# How a table is read, and what is said when it cannot be

This page is written from the cases in `tests/cohort/corpus` (`scripts/corpus.py`); a test says when it drifts.

A table has one row per visit, a header, and a column for the patient, for the time and for each outcome that the study declares; it is
delimited text, a workbook (`.xlsx`) or a Parquet file. Every cell is read as text and understood as the study declares it: `007`, `NA` and
`1E5` are patients, an empty cell or a word of `data.missing` (`NA`) means "not measured", and anything else in a column of numbers must be
a number. Nothing is repaired silently: what cannot be understood is refused, all of it at once, with the line, the column, what was found
and how to mend it. What is legal but odd is read, and a note says so.

**Rows are accounted for.** Rows in = rows used + rows set aside, with the reason and the lines of those: a blank row, no outcome
measured, a patient without the required baseline, a visit before the start of treatment. The same holds for each outcome: its cell was
not measured, or was averaged into that of an earlier row.

**What the study can declare.** Each is shown in a case below; `vocabulary.md` has every key.

| what | how |
|---|---|
| delimiter, decimal comma, thousands, encoding, lines above the header | `[data]` with `delimiter`, `decimal`, `thousands`, `encoding`, `skip_lines` |
| words and numbers that mean "missing" | `data.missing = ["NA", "999", "-99"]` |
| calendar dates | `time = {{ column = "visit", date = "DD/MM/YYYY", since = "first_infusion" }}`; without `since` time is counted from each patient's first visit; no date is stored or shown |
| visits before the start of treatment, and after the end | `time.before = "kept"`, `"refused"` or `"set aside"`; `time.exit = "left"`, the end of follow-up |
| why follow-up ended, and whose loss is an event | `time.reason = "why"` beside `time.exit`, and `[events.lost]` with `reasons = ["lost"]`; an exit for another reason, or none, only ends the time at risk |
| what happens to patients, once or again | `[events.relapse]` with `at = "relapsed"` (a time or date, in either table), `column = "relapse"` (0 or 1 in each row of visits: since the row before) or `when = {{ cpk = {{ at_most = 200 }} }}` (criteria of outcomes, `confirmed` at the next visit or not) |
| a second unit | `outcomes.cpk.recorded = {{ column = "unit", factors = {{ "microkat/L" = 60 }} }}`; without `column` every cell is in that unit |
| limits, `<20`, `>10000`, `500..1000` | `outcomes.cpk.censoring = "as typed"`; a value at a fixed limit: `censoring = {{ above = 10000 }}` |
| other texts that stand for a number or a level | `outcomes.mrc.map = {{ "4 (tired)" = 4 }}`, `covariates.arm.map = {{ P = "placebo" }}`; a note names the cells |
| grades such as `4+` | `outcomes.mrc.map`, or a family `cumulative` with `coding = "mrc_plus"` for a single muscle |
| two tables | `bayesmyo validate STUDY VISITS --patients PATIENTS`; in a workbook `data.sheet` and `data.patients_sheet`; what is known of a patient once may be in either, but not in both |
| a baseline for everyone | `data.require_baseline = {{ outcomes = ["mrc"], until = 0 }}` |
| two rows of one patient at one time | `data.duplicates = "mean"`; otherwise they are refused |
| columns that identify people | refused, unless `data.identifying = ["surname"]`: then they are never read or shown |

**Limits.** {TABLE_BYTES:,} bytes for a file, {CELLS:,} cells for a table ({WORKBOOK_CELLS:,} for a workbook), {CELL:,} characters for a cell.

Patients' ids, dates of a declared calendar, and cells of identifying columns are in no message. What cells hold is shown cut short and with
control characters made visible, so that neither HTML nor an escape code of a terminal does anything; text that we write to a CSV gets
an apostrophe where a spreadsheet would run it as a formula.

## Cases

All of them use the study `tests/cohort/corpus/study.toml`; what a case declares beside it is shown first. A message that begins with
*Read* is not an error.
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case. lines, patients_lines: where the truth lies; show, show_patients, given: what the page shows of the input instead.

    said: the answer, where no file can hold the case and a test builds it
    """

    name: str
    case: str
    lines: Sequence[int] = ()
    patients_lines: Sequence[int] = ()
    show: Sequence[int] = ()
    show_patients: Sequence[int] = ()
    given: str = ""
    said: str = ""

    @property
    def code(self) -> str:
        return self.name[:3] if re.match(r"D\d\d-", self.name) else ""

    @property
    def table(self) -> Path | None:
        """Of visits; None where there is none: a study that is refused, or a case that a test builds."""
        found = [
            p
            for p in CORPUS.glob(f"{self.name}.*")
            if p.suffix not in (".toml", ".txt") and not p.name.endswith(".patients.csv")
        ]
        return found[0] if found else None

    @property
    def patients(self) -> Path | None:
        path = CORPUS / f"{self.name}.patients.csv"
        return path if path.exists() else None

    @property
    def expected(self) -> Path:
        return CORPUS / f"{self.name}.txt"

    def overlay(self) -> str:
        path = CORPUS / f"{self.name}.toml"
        return path.read_text() if path.exists() else ""

    def study_text(self) -> str:
        """The study of the folder with the case's own tables laid over it."""
        base = tomllib.loads((CORPUS / "study.toml").read_text())
        return tomli_w.dumps(laid_over(base, tomllib.loads(self.overlay())))

    def study(self) -> Study:
        return parse_study(self.study_text(), f"{self.name}.toml")


def laid_over(base: Any, over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables within tables; a value of `over` replaces that of `base`."""
    found = dict(base)
    for key, value in over.items():
        deeper = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = laid_over(found[key], value) if deeper else value
    return found


def cases() -> list[Case]:
    """All cases, in the order of the page."""
    listed = tomllib.loads((CORPUS / "cases.toml").read_text())
    return [Case(name=name, **told) for name, told in listed.items()]


def answer(case: Case) -> tuple[bool, str]:
    """Whether a case is refused, and what is said: the faults, or the account of the rows and the notes."""
    printed = io.StringIO()
    try:
        study = case.study()
        if case.table is not None:
            cohort = read_cohort(study, case.table, case.patients)
            with redirect_stdout(printed):
                show(*of_cohort(study, cohort))
    except InputError as error:
        return True, f"{error}\n"
    return False, "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())


# --- the page


def page() -> str:
    """The whole page."""
    listed = cases()
    parts = [HEAD]
    for code in CODES:
        parts.append(section(f"{code}: {CODES[code]}", [c for c in listed if c.code == code]))
    read = [c for c in listed if not c.code and c.table is not None]
    parts.append(section("Read without a word, or nearly", read))
    parts.append(
        section(
            "Studies that are refused, and names that are not", [c for c in listed if not c.code and c.table is None]
        )
    )
    return "\n".join(parts)


def section(title: str, listed: Sequence[Case]) -> str:
    rows = ["| case | input | answer |", "|---|---|---|"]
    rows += [f"| {c.case} | {shown(c)} | {told(c)} |" for c in listed]
    return f"### {title}\n\n" + "\n".join(rows) + "\n"


def shown(case: Case) -> str:
    """What of the input matters: the declaration, and the lines of the tables."""
    declared = [] if case.table is None and case.given else case.overlay().splitlines()
    parts = [span(line) for line in declared if line.strip()]
    if case.given:
        parts.append(case.given)
    elif case.table is not None:
        lines = case.show or case.lines or [] if not case.show_patients and not case.patients_lines else case.show
        parts += _lines(case.table, lines, case)
    if case.patients is not None:
        parts += _lines(case.patients, case.show_patients or case.patients_lines, case, "patients, ")
    return "<br>".join(parts)


def _lines(path: Path, numbers: Sequence[int], case: Case, which: str = "") -> list[str]:
    encoding = case.study().data.encoding
    text = path.read_bytes().decode(encoding.replace("utf-8", "utf-8-sig"), errors="backslashreplace")
    lines = re.split(r"\r\n|\r|\n", text)
    found = [f"{which}line {n}: {span(lines[n - 1])}" for n in numbers[:MOST_SHOWN]]
    return found + (["..."] if len(numbers) > MOST_SHOWN else [])


def told(case: Case) -> str:
    """The answer without the name of the file."""
    if case.said:
        return ("*Read:* " if case.said.startswith("Note: ") else "") + span(case.said)
    refused, text = answer(case)
    lines = [line.strip().removeprefix(f"{case.name}.toml: ") for line in text.splitlines()]
    if case.table is not None:
        lines = [line.removeprefix(f"{case.table.name}: ") for line in lines]
        lines = [line.replace(f"{case.name}.patients.csv", "patients.csv") for line in lines]
    if refused:
        return "<br>".join(span(line) for line in lines)
    if case.table is None:
        return "*Read.*"
    kept = [span(line) for line in lines[1:] if line.startswith("Note: ") or re.match(r".*: \d+ \((line|row)s? ", line)]
    counts = [re.fullmatch(r"(\S.*?)  +\d+ +\d+ +\d+ +([1-9]\d*)", line) for line in lines]
    kept += [span(f"{found[1]}: {found[2]} known to a limit") for found in counts if found]
    return "<br>".join([f"*Read:* {lines[0]}", *kept])


def span(text: str) -> str:
    """Text as code in a cell of a table of Markdown: nothing in it is markup, and what cannot be seen is spelt out."""
    text = text if len(text) <= 400 else text[:397] + "..."
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text).replace("|", "\\|")
    ticks = "``" if "`" in text else "`"
    edge = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{ticks}{edge}{text}{edge}{ticks}"


# --- files that nobody can type


def binaries() -> dict[str, bytes]:
    """Name of a file -> its bytes, the same on every machine."""
    text = (CORPUS / "clean.csv").read_text()
    raw, latin = text.encode(), text.replace("placebo", "placébo").encode("latin-1")
    rows = [[number(cell) for cell in line.split(",")] for line in text.splitlines()]
    visits = [[row[k] for k in (0, 1, 4, 5, 6, 7)] for row in rows]
    patients = [rows[0][:1] + rows[0][2:4], *([r[0], r[2], r[3]] for r in rows if r[1] == 0)]
    dated = [
        [*row[:1], ("date", n), *row[2:]] for n, row in zip(range(44986, 44986 + 40 * 9, 40), rows[1:], strict=True)
    ]
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    days = ("date", "date", "02/04/2023", "14/02/2023", "date", "25/05/2023", "date", "28/02/2023", "date")
    mixed = [[row[0], ("date", 44990 + 31 * n) if day == "date" else day, *row[2:]] for n, (day, row) in enumerate(zip(days, rows[1:], strict=True))]  # fmt: skip
    named = [rows[0], *([None if r[1] else r[0], *r[1:]] for r in rows[1:])]
    padded = [rows[0], *([("shown", float(r[0][1:]), "000"), *r[1:]] for r in rows[1:])]
    ids_as_dates = {"P01": ("date", 44988), "P02": ("date", 44989), "P03": "3-13", "P04": "3-14"}
    decimals = {"P01": 1.2, "P02": 1.8, "P03": 1.11, "P04": 1.1}
    percent = [rows[0], *([*r[:4], ("shown", r[4] / 5, "0.0%"), *r[5:]] for r in rows[1:])]
    return {
        "D03-utf-16.csv": b"\xff\xfe" + text.encode("utf-16-le"),
        "D03-utf-16-unmarked.csv": text.encode("utf-16-le"),
        "clean-utf-16-declared.csv": b"\xff\xfe" + text.encode("utf-16-le"),
        "D04-latin-1.csv": latin,
        "clean-latin-1-declared.csv": latin,
        "D05-workbook-named-csv.csv": workbook({"visits": rows}),
        "D05-old-workbook.xls": old,
        "D05-old-workbook-renamed.xlsx": old,
        "D05-zip.zip": archive({"cohort.csv": text}),
        "D05-zip-named-xlsx.xlsx": archive({"cohort.csv": text}),
        "D05-csv-named-xlsx.xlsx": raw,
        "D06-gzip.csv.gz": gzipped(raw),
        "D06-bzip2.csv.bz2": bz2.compress(raw),
        "D07-nul.csv": text.replace("P01,12", "P01\0,12").encode(),
        "D04-cp1252.csv": text.replace("placebo", "placebo \u2013 oral").encode("cp1252"),
        "D04-cp1252-declared-as-latin-1.csv": text.replace("placebo", "placebo \u2013 oral").encode("cp1252"),
        "D16-title-in-a-workbook.xlsx": workbook({"visits": [["Cohort 2024"], *rows]}),
        "D19-merged-ids.xlsx": workbook({"visits": named}, merged=["A2:A4", "A5:A6", "A7:A8", "A9:A10"]),
        "D30-limit-in-a-number-format.xlsx": workbook({"visits": with_cell(rows, 5, 6, ("shown", 2, '"<"0'))}),
        "D33-months-formatted-as-dates.xlsx": workbook(
            {"visits": [rows[0], *([r[0], ("date", r[1]), *r[2:]] for r in rows[1:])]}
        ),
        "D38-day-and-month-swapped.xlsx": workbook({"visits": [[*rows[0][:1], "visit", *rows[0][2:]], *mixed]}),
        "D52-dates.xlsx": workbook({"visits": [rows[0], *([ids_as_dates[r[0]], *r[1:]] for r in rows[1:])]}),
        "D52-too-many-digits.xlsx": workbook(
            {"visits": [rows[0], *([41230000000000000 + 10**9 * int(r[0][1:]), *r[1:]] for r in rows[1:])]}
        ),
        "D52-a-zero-lost.xlsx": workbook({"visits": [rows[0], *([decimals[r[0]], *r[1:]] for r in rows[1:])]}),
        "D71-percent-among-numbers.xlsx": workbook({"visits": with_cell(rows, 5, 4, ("shown", 0.7, "0%"))}),
        "D71-percent-everywhere.xlsx": workbook({"visits": percent}),
        "D71-shown-in-thousands.xlsx": workbook({"visits": with_cell(rows, 5, 5, ("shown", 1800, "0.0,"))}),
        "D71-shown-with-another-unit.xlsx": workbook({"visits": with_cell(rows, 5, 5, ("shown", 1800, '0" U/mL"'))}),
        "D71-shown-as-nothing.xlsx": workbook({"visits": with_cell(rows, 4, 7, ("shown", 0, "0;-0;;@"))}),
        "D72-struck-out.xlsx": workbook({"visits": with_cell(rows, 5, 5, ("struck", 1800))}),
        "D71-merged-measurements.xlsx": workbook(
            {"visits": with_cell(with_cell(rows, 3, 6, None), 5, 5, None)}, merged=["G2:G3", "E5:F5"]
        ),
        "D72-partly-struck-out.xlsx": workbook({"visits": with_cell(rows, 5, 5, ("partly", "1", "800"))}),
        "D73-hidden-rows.xlsx": workbook({"visits": rows}, hidden=[5, 6]),
        "D73-hidden-column.xlsx": workbook({"visits": rows}, column=5),
        "D74-numbers-typed-as-text.xlsx": workbook({"visits": with_cell(with_cell(rows, 5, 5, "1800"), 7, 5, "5200")}),
        "clean-workbook-in-column-B.xlsx": workbook({"visits": [[None, *row] for row in rows]}),
        "clean-workbook-with-empty-texts.xlsx": workbook(
            {"visits": with_cell(rows, 5, 5, ("formula", 'IF(1,"")', ""))}
        ),
        "clean-workbook-with-padded-ids.xlsx": workbook({"visits": padded}),
        "clean-workbook-with-percentages.xlsx": workbook({"visits": percent}),
        "clean-workbook-with-limits-in-number-formats.xlsx": workbook(
            {"visits": with_cell(rows, 5, 5, ("shown", 1800, '">"0'))}
        ),
        "clean-workbook-with-merged-ages.xlsx": workbook(
            {"visits": [rows[0], *([*r[:3], None if r[1] else r[3], *r[4:]] for r in rows[1:])]},
            merged=["D2:D4", "D5:D6", "D7:D8", "D9:D10"],
        ),
        "D33-date-in-a-workbook.xlsx": workbook({"visits": with_cell(rows, 5, 6, ("date", 44928))}),
        "D34-error-in-a-workbook.xlsx": workbook({"visits": with_cell(rows, 5, 6, ("error", "#N/A"))}),
        "D41-several-sheets.xlsx": workbook({"visits": rows, "notes": [["checked by", "AB"]]}),
        "D41-no-such-sheet.xlsx": workbook({"Visits 2024": rows}),
        "D41-sheet-in-another-case.xlsx": workbook({"Visits": rows, "notes": [["checked by", "AB"]]}),
        "D42-never-computed.xlsx": workbook({"visits": with_cell(rows, 5, 5, ("formula", "30*60", None))}),
        "clean-formula-computed.xlsx": workbook({"visits": with_cell(rows, 5, 5, ("formula", "30*60", 1800))}),
        "clean-workbook.xlsx": workbook({"visits": rows}),
        "clean-workbook-with-two-sheets.xlsx": workbook({"visits": visits, "patients": patients}),
        "clean-workbook-with-dates.xlsx": workbook({"visits": [[*rows[0][:1], "visit", *rows[0][2:]], *dated]}),
        "D43-parquet-named-csv.csv": b"PAR1" + bytes(60) + b"PAR1",
        "D43-not-parquet.parquet": raw,
        "D43-broken.parquet": b"PAR1" + bytes(60) + b"PAR1",
    }


def parquet() -> dict[str, bytes]:
    """The same for Parquet, whose writer signs with its version."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    lines = [line.split(",") for line in (CORPUS / "clean.csv").read_text().splitlines()]
    columns = {h: [number(line[k]) for line in lines[1:]] for k, h in enumerate(lines[0])}
    columns["cpk"][3] = None
    columns["falls"] = [int(n) for n in columns["falls"]]
    nested = columns | {"mrc": [[v] for v in columns["mrc"]]}
    found = {}
    for name, made in (("clean-parquet", columns), ("D43-nested", nested)):
        out = io.BytesIO()
        pq.write_table(pa.table(made), out)
        found[f"{name}.parquet"] = out.getvalue()
    return found


def number(cell: str) -> Any:
    return float(cell) if re.fullmatch(r"\d+(\.\d+)?", cell) else cell


def with_cell(rows: Sequence[Sequence[Any]], line: int, column: int, cell: Any) -> list[list[Any]]:
    found = [list(row) for row in rows]
    found[line - 1][column] = cell
    return found


def archive(files: Mapping[str, str]) -> bytes:
    """A zip file of 1980, not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        for name, text in files.items():
            opened.writestr(zipfile.ZipInfo(name), text)
    return out.getvalue()


def gzipped(raw: bytes) -> bytes:
    """A gzip file of 1970, not compressed."""
    size = len(raw).to_bytes(2, "little")
    body = b"\x01" + size + bytes(255 - b for b in size) + raw
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + body + zlib.crc32(raw).to_bytes(4, "little") + len(raw).to_bytes(4, "little")  # fmt: skip


def workbook(
    sheets: Mapping[str, Sequence[Sequence[Any]]],
    hidden: Sequence[int] = (),
    merged: Sequence[str] = (),
    column: int = 0,
) -> bytes:
    """An .xlsx of texts, numbers, None, dates ("date", day number), ("formula", text, cached, ...), ("error", text),
    ("struck", number),
    ("partly", struck text, text) and ("shown", number, number format).
    hidden: rows of every sheet; merged: ranges; column: one that is hidden, from 1
    """
    shown = [*dict.fromkeys(v[2] for rows in sheets.values() for row in rows for v in row if isinstance(v, tuple) and v[0] == "shown")]  # fmt: skip
    struck = any(isinstance(v, tuple) and v[0] == "struck" for rows in sheets.values() for row in rows for v in row)
    xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    main, kind = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "application/vnd.openxmlformats-officedocument.spreadsheetml"  # fmt: skip
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    names = [f'<sheet name="{escape(s)}" sheetId="{n}" r:id="rId{n}"/>' for n, s in enumerate(sheets, 1)]
    parts = [f'<Relationship Id="rId{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in range(1, len(sheets) + 1)]  # fmt: skip
    parts.append(f'<Relationship Id="rId0" Type="{office}/styles" Target="styles.xml"/>')
    types = [f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>' for n in range(1, len(sheets) + 1)]  # fmt: skip
    types.append(f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>')
    types.append(f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>')
    types.append('<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>')
    styles = '<fonts count="1"><font/></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'  # fmt: skip
    if shown or struck:
        formats = "".join(f'<numFmt numFmtId="{164 + n}" formatCode="{escape(f, {chr(34): "&quot;"})}"/>' for n, f in enumerate(shown))  # fmt: skip
        xfs = "".join(f'<xf numFmtId="{164 + n}" applyNumberFormat="1"/>' for n in range(len(shown)))
        styles = styles.replace('<fonts count="1"><font/>', '<fonts count="2"><font/><font><strike/></font>')
        styles = styles.replace('<cellXfs count="2">', f'<cellXfs count="{3 + len(shown)}">')
        styles = styles.replace("</cellXfs>", f'<xf numFmtId="0" fontId="1" applyFont="1"/>{xfs}</cellXfs>')
        styles = f'<numFmts count="{len(shown)}">{formats}</numFmts>{styles}' if shown else styles
    files = {
        "[Content_Types].xml": f'{xml}<Types xmlns="{package}/content-types">{"".join(types)}</Types>',
        "_rels/.rels": f'{xml}<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{xml}<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{"".join(names)}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{xml}<Relationships xmlns="{package}/relationships">{"".join(parts)}</Relationships>',
        "xl/styles.xml": f'{xml}<styleSheet xmlns="{main}">{styles}</styleSheet>',
    }
    for n, rows in enumerate(sheets.values(), 1):
        body = "".join(f'<row r="{r}"{" hidden=%s1%s" % (2 * (chr(34),)) if r in hidden else ""}>{"".join(cell(v, r, c, shown) for c, v in enumerate(row))}</row>' for r, row in enumerate(rows, 1))  # fmt: skip
        columns = f'<cols><col min="{column}" max="{column}" width="9" hidden="1"/></cols>' if column else ""
        ranges = "".join(f'<mergeCell ref="{m}"/>' for m in merged)
        ranges = f'<mergeCells count="{len(merged)}">{ranges}</mergeCells>' if merged else ""
        files[f"xl/worksheets/sheet{n}.xml"] = (
            f'{xml}<worksheet xmlns="{main}">{columns}<sheetData>{body}</sheetData>{ranges}</worksheet>'
        )
    return archive(files)


def cell(value: Any, row: int, column: int, shown: Sequence[str]) -> str:
    """One cell of a sheet; shown: the number formats of the workbook."""
    at = f'r="{chr(65 + column)}{row}"'
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c {at} t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    if isinstance(value, tuple):
        what, *rest = value
        if what == "date":
            return f'<c {at} s="1"><v>{rest[0]}</v></c>'
        if what == "error":
            return f'<c {at} t="e"><v>{rest[0]}</v></c>'
        if what == "partly":
            run = f"<r><rPr><strike/></rPr><t>{escape(rest[0])}</t></r><r><t>{escape(rest[1])}</t></r>"
            return f'<c {at} t="inlineStr"><is>{run}</is></c>'
        if what == "struck":
            return f'<c {at} s="2"><v>{rest[0]:.10g}</v></c>'
        if what == "shown":
            return f'<c {at} s="{3 + shown.index(rest[1])}"><v>{rest[0]:.10g}</v></c>'
        if rest[1] == "":
            return f'<c {at} t="str"><f>{rest[0]}</f><v></v></c>'
        return f"<c {at}><f>{rest[0]}</f>{'' if rest[1] is None else f'<v>{rest[1]}</v>'}</c>"
    return f"<c {at}><v>{value:.10g}</v></c>"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", action="store_true")
    parser.add_argument("--accept", action="store_true")
    asked = parser.parse_args()
    if asked.binaries:
        for name, raw in {**binaries(), **parquet()}.items():
            (CORPUS / name).write_bytes(raw)
    if asked.accept:
        for case in cases():
            if not case.said:
                case.expected.write_text(answer(case)[1])
    PAGE.write_text(page())
    print(f"wrote {PAGE.name}")


if __name__ == "__main__":
    main()
