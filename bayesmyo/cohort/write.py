"""Cohort -> delimited text that `read_cohort` reads back."""

import csv
import io
import math

import numpy as np

from bayesmyo.cohort.cohort import BETWEEN, LEFT, MEASURED, RIGHT, Cohort, Measurements
from bayesmyo.study.covariates import table_column, used
from bayesmyo.study.study import Limits, Outcome, Study

RISKY = ("=", "+", "-", "@", "\t", "\r")


def to_csv(study: Study, cohort: Cohort, digits: int = 4) -> str:
    """One row per patient and time, one column per outcome; values to `digits` significant digits, empty where missing.

    Delimiter and decimal sign are those that the study declares. Text that a spreadsheet
    would run as a formula is prefixed with an apostrophe.

    >>> bayesmyo.to_csv(study, cohort).splitlines()[0]
    'patient,month,strength,cpk'
    """

    def decimal(text: str) -> str:
        return text.replace(".", study.data.decimal)

    def covariate(name: str, value: float) -> str:
        c = study.covariates[name]
        if np.isnan(value):
            return ""
        if c.levels:
            return inert(c.levels[int(value)])
        texts = [f"{value:.{d}g}" for d in range(digits, 18)]  # what is legal does not round beyond an end
        return decimal(next((text for text in texts if not c.beyond(float(text))), texts[0]))

    rows: dict[tuple[int, float], dict[str, str]] = {}
    for name, m in cohort.measurements.items():
        o = study.outcomes[name]
        for n, (patient, time) in enumerate(zip(m.patient, m.time, strict=True)):
            row = rows.setdefault((int(patient), float(time)), {})
            row[o.column] = cell(o, m, n, digits, study.data.decimal)
            if o.exposure and m.exposure is not None:
                row[o.exposure] = decimal(f"{m.exposure[n]:.10g}")
            row |= {table_column(study, c): covariate(c, v[n]) for c, v in m.covariates.items()}
    for patient, time in rows:
        own = {table_column(study, c): covariate(c, v[patient]) for c, v in cohort.covariates.items()}
        rows[patient, time] = own | rows[patient, time]
    columns = [table_column(study, name) for name in used(study)]
    columns += [o.column for o in study.outcomes.values()]
    columns += list(dict.fromkeys(o.exposure for o in study.outcomes.values() if o.exposure))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=study.data.delimiter, lineterminator="\n")
    writer.writerow([inert(name) for name in (study.patient, study.time.column, *columns)])
    for (patient, time), row in sorted(rows.items()):
        written = [row.get(column, "") for column in columns]
        writer.writerow([inert(cohort.patients[patient]), decimal(f"{time:.10g}"), *written])
    return out.getvalue()


def cell(o: Outcome, m: Measurements, n: int, digits: int, decimal: str = ".") -> str:
    """One measurement as it is typed in a table."""
    value, side = float(m.value[n]), int(m.side[n])
    texts = o.family.texts() or o.map
    if texts is not None and side == MEASURED and value in texts.values():
        return inert(next(text for text, number_ in texts.items() if number_ == value))
    if side == BETWEEN:
        assert m.end is not None
        ends = (number(end, digits).replace(".", decimal) for end in (value, float(m.end[n])))
        return "..".join(ends)
    if isinstance(o.censoring, Limits) and side:
        return f"{value:.10g}".replace(".", decimal)
    sign = "<" if side == LEFT else ">" if side == RIGHT else ""
    if o.family.counts:
        return f"{sign}{value:.0f}"
    exact = {getattr(o.family, end, None) for end in ("lower", "upper")}
    exact |= {o.censoring.below, o.censoring.above} if isinstance(o.censoring, Limits) else set()
    low = -math.inf if o.minimum is None else o.minimum
    high = math.inf if o.maximum is None else o.maximum
    while digits < 17:
        rounded = float(number(value, digits))
        beyond = low <= value <= high and not low <= rounded <= high
        if not beyond and (value in exact or rounded not in exact):
            break
        digits += 1  # what lies short of an end does not round to it, nor beyond it
    return sign + number(value, digits).replace(".", decimal)


def number(value: float, digits: int) -> str:
    """A value to a number of significant digits, never in exponent notation."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"


def inert(text: str) -> str:
    """Text that no spreadsheet runs as a formula."""
    return "'" + text if text.startswith(RISKY) else text
