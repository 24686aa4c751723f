"""Corrupt one cell of a clean table at a time, as people and spreadsheets do, and count what the front door says.

uv run python scripts/corruption.py [--corruptions 1000] [--seed 1] [-o docs/evidence/corruption.json]

A corruption is *illegal* by the few lines of `legal`, which know nothing of bayesmyo. Each one is then
    refused          by a fault that names its line (or the next, where a quote or a row is broken)
    noticed          read, and a notice or the row account names its line; "noticed, illegal" where it is illegal
    silent           a legal value, about which nothing is said
    MISSED, FALSE    illegal and nothing is said; legal and refused; refused, but with another line
"""

import argparse
import csv
import io
import json
import math
import random
import re
from collections import Counter
from pathlib import Path

from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.errors import CohortError
from bayesmyo.study import find_study

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
    listed = re.findall(r"\blines? (\d+(?:, \d+)*(?: and \d+ more)?)", message)
    return any(str(line) in re.findall(r"\d+", numbers) for numbers in listed)


def outcome(text: str, rows: list[list[str]], row: int, column: int) -> tuple[str, str]:
    """What the front door makes of one corruption, and what it says."""
    study = find_study("ivig")
    broken = [list(r) for r in rows]
    broken[row][column] = text
    blank_line = text == "\n" and column == len(COLUMNS) - 1
    is_legal = blank_line or (legal(broken, row) and not set(text) & set('",\0é\n'))
    line = row + 2
    try:
        cohort = cohort_of(study, parse_table(written(rows, row, column, text), "ivig.csv", study.data))
    except CohortError as error:
        said = str(error)
        # a broken quote or line break may be seen where it ends; the file is refused all the same
        near = says(said, line) or says(said, line + 1)
        return ("FALSE" if is_legal else "refused" if near else "FALSE LINE"), said
    told = [n for n in cohort.notices if says(n, line)]
    told += [name for name, o in cohort.rows.outcomes.items() if rows[row][column] and any(line in v for v in o.set_aside.values()) and COLUMNS[column] == study.outcomes[name].column]  # fmt: skip
    if told:
        return ("noticed" if is_legal else "noticed, illegal"), "; ".join(told)
    return ("silent" if is_legal else "MISSED"), ""


def run(corruptions: int, seed: int) -> list[dict[str, object]]:
    """One record for each corruption that changed its cell."""
    rng = random.Random(seed)
    with (ROOT / "data" / "simulated" / "ivig.csv").open() as opened:
        rows = list(csv.reader(opened))[1:]
    found: list[dict[str, object]] = []
    while len(found) < corruptions:
        row, column = rng.randrange(len(rows)), rng.randrange(len(COLUMNS))
        text, slip = corrupted(rows[row][column], COLUMNS[column], [r[column] for r in rows], rng)
        if text == rows[row][column]:
            continue
        what, said = outcome(text, rows, row, column)
        found.append({"line": row + 2, "column": COLUMNS[column], "was": rows[row][column], "is": text, "slip": slip, "outcome": what, "said": said})  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corruptions", type=int, default=1000)
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
        record = {"corruptions": len(found), "seed": asked.seed, "outcomes": dict(counts), "silent by slip": dict(silent), "odd": odd}  # fmt: skip
        asked.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
