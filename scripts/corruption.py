"""Corrupt one cell of a clean table at a time, as people, spreadsheets and programs do, and count what the front door says.

uv run python scripts/corruption.py [--corruptions 2000] [--seed 1] [-o docs/evidence/corruption.json]

The table is a CSV file, a workbook or a data frame in turn. A corruption is *illegal* by the few lines of `legal` or by the name of its
slip, neither of which knows anything of bayesmyo; *odd* where it may be meant and has to be named all the same. Each one is then
    refused          by a fault that names its line (or the next, where a quote or a row is broken)
    noticed          read, and a notice or the row account names its line; "noticed, illegal" where it is illegal
    silent           a legal value, about which nothing is said
    MISSED, FALSE    illegal or odd and nothing is said; legal and refused; refused, but with another line
"""

import argparse
import csv
import io
import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

import openpyxl
import pandas as pd
from openpyxl.styles import Font

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.cohort.workbook import parse_workbook
from bayesmyo.errors import CohortError
from bayesmyo.study import Study, find_study

ROOT = Path(__file__).parents[1]
COLUMNS = ("patient", "month", "mrc", "cpk", "steroid")
LEGAL = {"mrc": (0, 5), "cpk": (1, 200_000), "steroid": (0, 250)}  # as models/ivig.toml declares them
WORDS = ("", "NA", "ND", "-", "?", "n/a", "missing", "-99", "999", "inf", "1e400", "2-Jan", "44197", "03/04/2024", "4+", "4/5", "#DIV/0!", "<20", ">2000", "20-50", "=A1+1", "nan")  # fmt: skip


def corrupted(cell: str, column: str, others: list[str], rng: random.Random) -> tuple[str, str]:
    """What one slip makes of a cell, and the name of the slip. others: the other cells of the column."""
    digits = [n for n, c in enumerate(cell) if c.isdigit()]

    def at(n: int, new: str) -> str:
        return cell[:n] + new + cell[n + 1 :]

    slips = {
        "word": lambda: rng.choice(WORDS),
        "cell of another row": lambda: rng.choice(others),
        "space after": lambda: cell + " ",
        "no-break space after": lambda: cell + "\u00a0",
        "unit": lambda: cell + rng.choice([" IU/L", "mg", "%", " mo"]),
        "quote": lambda: cell + '"',
        "delimiter": lambda: cell[:1] + "," + cell[1:],
        "NUL": lambda: cell + "\0",
        "another byte": lambda: cell[:1] + "é" + cell[1:],
        "line break": lambda: cell[:1] + "\n" + cell[1:],
    }
    if digits:
        slips |= {
            "another digit": lambda: at(rng.choice(digits), str(rng.randrange(10))),
            "digit left out": lambda: at(rng.choice(digits), ""),
            "digit twice": lambda: at(n := rng.choice(digits), cell[n] * 2),
            "letter for digit": lambda: at(rng.choice(digits), rng.choice("OlIS")),
        }
    if len(digits) > 1:
        slips["digits swapped"] = lambda: swapped(cell, digits, rng)
    if column != "patient" and digits:
        slips |= {
            "decimal comma": lambda: cell.replace(".", ","),
            "point left out": lambda: cell.replace(".", ""),
            "point moved": lambda: f"{float(cell) * rng.choice([0.1, 10]):.6g}",
            "minus": lambda: "-" + cell,
            "typographic minus": lambda: "−" + cell,
            "thousands": lambda: f"{float(cell) * 1000:,.0f}",
        }
    if column == "patient":
        slips |= {
            "case": lambda: cell.lower(),
            "look-alike": lambda: cell.replace("S", "Ѕ"),
            "white space inside": lambda: cell[:1] + " " + cell[1:],
        }
    name = rng.choice(sorted(slips))
    return slips[name](), name


def swapped(cell: str, digits: list[int], rng: random.Random) -> str:
    n = rng.randrange(len(digits) - 1)
    a, b = digits[n], digits[n + 1]
    listed = list(cell)
    listed[a], listed[b] = listed[b], listed[a]
    return "".join(listed)


def legal(rows: list[list[str]], row: int) -> bool:
    """Whether a row is one that a clinic could have typed and meant: no knowledge of bayesmyo, only of what the study declares."""
    patient, month, *outcomes = rows[row]
    if patient != patient.strip() or not re.fullmatch(r"[A-Za-z0-9]+", patient):
        return False
    others = {r[0] for n, r in enumerate(rows) if n != row}
    if patient not in others and patient.upper() in others:
        return False
    when = number(month)
    if when is None and any(o not in ("", "NA") for o in outcomes):
        return False
    for name, text in zip(COLUMNS[2:], outcomes, strict=True):
        if text.strip() in ("", "NA"):
            continue
        value = number(text.strip().lstrip("<>") if name == "cpk" else text)  # limits are declared for CPK
        if value is None or not LEGAL[name][0] <= value <= LEGAL[name][1]:
            return False
    return when is None or [(r[0], number(r[1])) for r in rows].count((patient, when)) == 1


def number(text: str) -> float | None:
    """A finite number as typed, or None; white space around it does not matter."""
    if not re.fullmatch(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def written(rows: list[list[str]], row: int, column: int, text: str) -> bytes:
    """The table with one cell as the slip left it: a stray quote or delimiter is not escaped. \0 and é as Latin-1 bytes."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *rows[:row]])
    broken = [*rows[row][:column], text, *rows[row][column + 1 :]]
    out.write(",".join(broken) + "\n")
    csv.writer(out, lineterminator="\n").writerows(rows[row + 1 :])
    return out.getvalue().encode("latin-1" if "é" in text else "utf-8")


def says(message: str, line: int) -> bool:
    """Whether a message names a line."""
    listed = re.findall(r"\b(?:line|row)s? (\d+(?:, \d+)*(?: and \d+ more)?)", message)
    return any(str(line) in re.findall(r"\d+", numbers) for numbers in listed)


def outcome(text: str, rows: list[list[str]], row: int, column: int) -> tuple[str, str]:
    """What the front door makes of one corruption of a CSV file, and what it says."""
    study = find_study("ivig")
    broken = [list(r) for r in rows]
    broken[row][column] = text
    blank_line = text == "\n" and column == len(COLUMNS) - 1
    is_legal = blank_line or (legal(broken, row) and not set(text) & set('",\0é\n'))
    judged: Judged = "legal" if is_legal else "illegal"
    filled = bool(rows[row][column])
    return said_of(judged, lambda: cohort_of(study, parse_table(written(rows, row, column, text), "ivig.csv", study.data)), study, row + 2, COLUMNS[column], filled)  # fmt: skip


Judged = Literal["legal", "odd", "illegal", "missing"]


def said_of(
    judged: Judged, read: Callable[[], Cohort], study: Study, line: int, column: str, filled: bool = True
) -> tuple[str, str]:
    """What is made of a table whose `line` holds a corruption that is judged so, and what is said.

    "missing": the cell holds a declared code, so that it has to be set aside as not measured
    """
    try:
        cohort = read()
    except CohortError as error:
        said = str(error)
        # a broken quote or line break may be seen where it ends; the file is refused all the same
        near = says(said, line) or says(said, line + 1)
        return ("FALSE" if judged in ("legal", "missing") else "refused" if near else "FALSE LINE"), said
    told = [n for n in cohort.notices if says(n, line)]
    aside = [name for name, o in cohort.rows.outcomes.items() if any(line in v for v in o.set_aside.values()) and column == study.outcomes[name].column]  # fmt: skip
    if judged == "missing":
        return ("noticed" if aside else "MISSED"), ""
    told += aside if filled else []
    if told:
        return ("noticed, illegal" if judged == "illegal" else "noticed"), "; ".join(told)
    return ("silent" if judged == "legal" else "MISSED"), ""


# --- what a workbook, a data frame and a column of dates can get wrong beside that


@dataclass(frozen=True)
class Slip:
    """What was done to one cell: its new value, its number format, and what a clinic would say of it."""

    name: str
    judged: Judged
    value: Any
    form: str = "General"
    struck: bool = False
    hidden: bool = False


def of_number(value: float, column: str, rng: random.Random) -> Slip:
    """A slip of a number in a workbook."""
    limit: Judged = "legal" if column == "cpk" and value >= 1 else "illegal"  # the study declares limits for CPK
    return rng.choice([
        Slip("shown as a percentage", "illegal", value, rng.choice(["0%", "0.0%", "0.00%"])),
        Slip("shown as a limit", limit, value, rng.choice(['"<"0.###', "<0.0", r"\>0.0"])),
        Slip("shown with a unit", "illegal", value, rng.choice(['0.0" mg"', '0 "IU/L"', "0.0 [$€-407]", 'General" g"'])),
        Slip("shown in thousands", "illegal", value, rng.choice(["0.00,", "0,,"])),
        Slip("shown as nothing", "illegal", value, rng.choice([";;;", '"";"";""'])),
        Slip("rounded in what is shown", "legal", value, rng.choice(["0", "0.0", "#,##0.00", "0.00E+00", "[Red]0.0", "0.0_)"])),
        Slip("struck out", "illegal", value, struck=True),
        Slip("typed as text", "legal", f"{value:g}"),
        Slip("formatted as a date", "illegal", datetime(1900, 1, 1) + timedelta(days=round(value) % 5000)),
        Slip("a truth value", "illegal", True),
        Slip("an error", "illegal", rng.choice(["#DIV/0!", "#REF!", "#VALUE!"])),
        Slip("in a hidden row", "odd", value, hidden=True),
        Slip("a declared code", "missing", rng.choice([-99, -99.0, "-99", "-99.0"])),
    ])  # fmt: skip


def of_frame(value: float, column: str, rng: random.Random) -> Slip:
    """A slip of a number in a data frame."""
    return rng.choice([
        Slip("a declared code", "missing", rng.choice([-99, -99.0, "-99", "-99.00"])),
        Slip("typed as text", "legal", f"{value:.4f}"),
        Slip("a truth value", "illegal", rng.choice([True, False])),
        Slip("a date", "illegal", pd.Timestamp(2021, 3, 4)),
        Slip("a list", "illegal", [value]),
        Slip("infinite", "illegal", math.inf),
        Slip("another number type", "legal", rng.choice([pd.Series([value]).astype("Float64")[0], complex(value).real])),
    ])  # fmt: skip


def of_id(typed: str, rng: random.Random) -> Slip:
    """A slip of an id such as S01, of a patient with other rows."""
    letter, digits = typed[0], typed[1:]
    return rng.choice([
        Slip("a character that cannot be seen", "illegal", typed[:2] + rng.choice("\u200b\u200e\ufeff\u00ad") + typed[2:]),
        Slip("full-width letters", "illegal", chr(ord(letter) + 0xFEE0) + digits),
        Slip("padding", "odd", letter + rng.choice([digits.lstrip("0") if digits[0] == "0" else "0" + digits, "0" + digits])),
        Slip("a decimal", "illegal", typed + ".0"),
        Slip("white space", "illegal", typed + rng.choice([" ", "\u00a0", "\t"])),
        Slip("a letter for a digit", "odd", letter + digits.translate(str.maketrans("01", "Ol"))) if set(digits) & {*"01"} else Slip("case", "illegal", typed.lower()),
        Slip("a dash", "odd", f"{letter}-{digits}"),
    ])  # fmt: skip


def of_date(typed: str, rng: random.Random) -> Slip:
    """A slip of a date written DD/MM/YYYY."""
    day = datetime.strptime(typed, "%d/%m/%Y")
    early: Judged = "odd" if day.day <= 12 else "legal"
    return rng.choice([
        Slip("a year of two digits", "illegal", day.strftime("%d/%m/%y")),
        Slip("a character that cannot be seen", "illegal", "\u200e" + typed),
        Slip("the name of the month", "illegal", day.strftime("%d %b %Y")),
        Slip("another separator", "illegal", typed.replace("/", rng.choice(".-"))),
        Slip("the number of a day", "illegal", str((day - datetime(1899, 12, 30)).days)),
        Slip("an offset from UTC", "illegal", typed + " 10:00Z"),
        Slip("a true date among texts", early, day),
        Slip("no day of the calendar", "illegal", "31/02/" + typed[-4:]),
        Slip("a year of long ago", "illegal", typed[:-4] + "1021"),
    ])  # fmt: skip


@cache
def studies() -> tuple[Study, Study]:
    """The bundled study with a declared code, and the same with dates."""
    study = find_study("ivig")
    coded = replace(study, data=replace(study.data, missing=("NA", "-99")))
    return coded, replace(coded, time=replace(study.time, date="DD/MM/YYYY"))


def as_workbook(header: Sequence[str], rows: Sequence[Sequence[Any]], at: tuple[int, int], slip: Slip) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [header, *rows]:
        sheet.append([None if v == "" else v for v in row])
    cell = sheet.cell(at[0] + 2, at[1] + 1)
    cell.value = slip.value
    if not isinstance(slip.value, datetime):
        cell.number_format = slip.form
    if slip.struck:
        cell.font = Font(strike=True)
    sheet.row_dimensions[at[0] + 2].hidden = slip.hidden
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def typed_outcome(rows: list[list[str]], kind: str, rng: random.Random) -> dict[str, object] | None:
    """One slip in a workbook or a data frame, and what the front door makes of it; None where the cell is empty."""
    study, dated = studies()
    row, column = rng.randrange(len(rows)), rng.randrange(len(COLUMNS))
    typed = rows[row][column]
    if not typed or (column == 0 and sum(r[0] == typed for r in rows) < 3):
        return None
    with_dates = column == 1 and kind == "workbook"
    table: list[list[Any]] = [[r[0], *(float(c) if c else "" for c in r[1:])] for r in rows]
    if with_dates:
        study, began = dated, date(2020, 1, 15)
        table = [
            [r[0], f"{began + timedelta(days=round(30.4375 * r[1]) + 3 * int(r[0][1:])):%d/%m/%Y}", *r[2:]]
            for r in table
        ]
        table = [r for n, r in enumerate(table) if r[:2] not in [s[:2] for s in table[max(0, n - 40) : n]]]
        row = row % len(table)
        typed = table[row][1]
    slip = of_id(typed, rng) if column == 0 else of_date(typed, rng) if with_dates else (of_number if kind == "workbook" else of_frame)(float(typed), COLUMNS[column], rng)  # fmt: skip
    if slip.judged == "missing" and column == 1:
        return None  # a time that is missing is refused, and rightly
    if kind == "workbook":
        raw = as_workbook(COLUMNS, table, (row, column), slip)
        read = lambda: cohort_of(study, parse_workbook(raw, "ivig.xlsx", study.data, None, study.time.date))  # noqa: E731
    else:
        frame = pd.DataFrame(table, columns=list(COLUMNS)).replace("", None).astype({COLUMNS[column]: object})
        frame.at[row, COLUMNS[column]] = slip.value
        read = lambda: cohort_from_frame(study, frame)  # noqa: E731
    what, said = said_of(slip.judged, read, study, row + 2, COLUMNS[column])
    return {"in": kind, "line": row + 2, "column": COLUMNS[column], "was": str(typed), "is": ascii(slip.value), "slip": slip.name, "outcome": what, "said": said}  # fmt: skip


def run(corruptions: int, seed: int) -> list[dict[str, object]]:
    """One record for each corruption that changed its cell: a CSV file, a workbook and a data frame in turn."""
    rng = random.Random(seed)
    with (ROOT / "data" / "simulated" / "ivig.csv").open() as opened:
        rows = list(csv.reader(opened))[1:]
    found: list[dict[str, object]] = []
    while len(found) < corruptions:
        kind = ("csv", "workbook", "frame")[len(found) % 3]
        if kind != "csv":
            record = typed_outcome(rows, kind, rng)
            if record is not None:
                found.append(record)
            continue
        row, column = rng.randrange(len(rows)), rng.randrange(len(COLUMNS))
        text, slip = corrupted(rows[row][column], COLUMNS[column], [r[column] for r in rows], rng)
        if text == rows[row][column]:
            continue
        what, said = outcome(text, rows, row, column)
        found.append({"in": kind, "line": row + 2, "column": COLUMNS[column], "was": rows[row][column], "is": text, "slip": slip, "outcome": what, "said": said})  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corruptions", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path)
    asked = parser.parse_args()
    found = run(asked.corruptions, asked.seed)
    counts = Counter(str(f["outcome"]) for f in found)
    for what, count in counts.most_common():
        print(f"{count:5d}  {what}")
    odd = [f for f in found if f["outcome"] in ("MISSED", "FALSE", "FALSE LINE")]
    for f in odd:
        print(json.dumps(f))
    silent = Counter(str(f["slip"]) for f in found if f["outcome"] == "silent")
    print("silent:", dict(silent.most_common()))
    if asked.output:
        each = {kind: dict(Counter(str(f["outcome"]) for f in found if f["in"] == kind)) for kind in ("csv", "workbook", "frame")}  # fmt: skip
        record = {"corruptions": len(found), "seed": asked.seed, "outcomes": dict(counts), "by kind of table": each, "silent by slip": dict(silent), "odd": odd}  # fmt: skip
        asked.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
