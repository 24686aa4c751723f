"""Cohort -> delimited text that `read_cohort` reads back."""

import csv
import io
import math

from bayesmyo.cohort.cohort import LEFT, RIGHT, Cohort
from bayesmyo.study.study import Study

RISKY = ("=", "+", "-", "@", "\t", "\r")


def to_csv(study: Study, cohort: Cohort, digits: int = 4) -> str:
    """One row per patient and time, one column per outcome; values to `digits` significant digits, empty where missing.

    Delimiter and decimal sign are those that the study declares. Text that a spreadsheet
    would run as a formula is prefixed with an apostrophe.
    """

    def decimal(text: str) -> str:
        return text.replace(".", study.data.decimal)

    rows: dict[tuple[int, float], dict[str, str]] = {}
    for name, m in cohort.measurements.items():
        for patient, time, value, side in zip(m.patient, m.time, m.value, m.side, strict=True):
            sign = "<" if side == LEFT else ">" if side == RIGHT else ""
            rows.setdefault((int(patient), float(time)), {})[name] = sign + decimal(number(float(value), digits))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=study.data.delimiter, lineterminator="\n")
    writer.writerow([study.patient, study.time.column, *(o.column for o in study.outcomes.values())])
    for (patient, time), cells in sorted(rows.items()):
        writer.writerow(
            [
                inert(cohort.patients[patient]),
                decimal(f"{time:.10g}"),
                *(cells.get(name, "") for name in study.outcomes),
            ]
        )
    return out.getvalue()


def number(value: float, digits: int) -> str:
    """A value to a number of significant digits, never in exponent notation."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"


def inert(text: str) -> str:
    """Text that no spreadsheet runs as a formula."""
    return "'" + text if text.startswith(RISKY) else text
