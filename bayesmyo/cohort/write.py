"""Cohort -> delimited text that `read_cohort` reads back."""

import csv
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from bayesmyo.cohort.cohort import (
    BETWEEN,
    CENSORED,
    HAPPENED,
    INTERVAL,
    LEFT,
    MEASURED,
    RIGHT,
    Cohort,
    Episodes,
    Exits,
    Measurements,
)  # fmt: skip
from bayesmyo.study.clean import Bounds, all_bounds, columns, inert, plain
from bayesmyo.study.covariates import table_column
from bayesmyo.study.study import Event, Outcome, Study

SIDES = {LEFT: "left", MEASURED: "none", RIGHT: "right", BETWEEN: "interval"}


def to_csv(study: Study, cohort: Cohort, digits: int | None = 4) -> str:
    """Write a cohort as delimited text: one row per patient and time, one column per outcome.

    Where the study has columns for them, exits stand in each row of a patient; what happened again and again, or is
    known between two visits alone, stands in rows of its times.

    Text that a spreadsheet would run as a formula is prefixed with an apostrophe.

    Parameters
    ----------
    study : Study
        Whose columns, delimiter and decimal sign are written.
    cohort : Cohort
        Whose measurements are written; what is missing is an empty cell.
    digits : int, optional
        Significant digits of a value; None for as many as it takes that each number comes back as it is.

    Returns
    -------
    str
        The table, which `read_cohort` reads back.

    Examples
    --------
    >>> bayesmyo.to_csv(study, cohort).splitlines()[0]
    'patient,month,strength,cpk'
    """
    return _text(study, cohort, digits, {})


def clean_csv(study: Study, cohort: Cohort) -> str:
    """Write the table as it was read, for R: pseudonyms, times in the study's unit, converted values, declared levels.

    Beside an outcome with limits stand columns that say to R what is known of it.

    Parameters
    ----------
    study : Study
        The study by which the table was read.
    cohort : Cohort
        What was read.

    Returns
    -------
    str
        The table, every number as it was read.

    Examples
    --------
    >>> bayesmyo.clean_csv(study, cohort).splitlines()[1][:6]
    'P01,0,'
    """
    return _text(plain(study), replace(cohort, patients=cohort.pseudonyms()), None, all_bounds(study))


def _text(study: Study, cohort: Cohort, digits: int | None, limits: Mapping[str, Bounds]) -> str:
    """limits: the outcomes beside which stand columns for R."""

    def decimal(text: str) -> str:
        return text.replace(".", study.data.decimal)

    def covariate(name: str, value: float) -> str:
        c = study.covariates[name]
        if np.isnan(value):
            return ""
        if c.levels:
            return inert(c.levels[int(value)])
        if digits is None:
            return decimal(exact(value))
        texts = [f"{value:.{d}g}" for d in range(digits, 18)]  # what is legal does not round beyond an end
        return decimal(next((text for text in texts if not c.beyond(float(text))), texts[0]))

    def finely(value: float) -> str:
        return decimal(exact(value) if digits is None else f"{value:.10g}")

    rows: Rows = {}
    for name, m in cohort.measurements.items():
        o = study.outcomes[name]
        for n, (patient, time) in enumerate(zip(m.patient, m.time, strict=True)):
            row = rows.setdefault((int(patient), float(time)), {})
            row[o.column] = cell(o, m, n, digits, study.data.decimal)
            row |= _known(limits[name], m, n) if name in limits else {}
            for column, beside in ((o.exposure, m.exposure), (o.error, m.error)):
                row |= {column: finely(beside[n])} if column and beside is not None else {}
            row |= {table_column(study, c): covariate(c, v[n]) for c, v in m.covariates.items()}
    for name, e in study.events.items():
        _happened(e, cohort.events.get(name), rows, finely)
    if cohort.exits is not None:
        _last_seen(study, cohort, cohort.exits, rows)
    header = columns(study, limits)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=study.data.delimiter, lineterminator="\n")
    writer.writerow([inert(column) for column in header])
    for (patient, time), row in sorted(rows.items()):
        own = {table_column(study, c): covariate(c, v[patient]) for c, v in cohort.covariates.items()}
        row = own | _of_patient(study, cohort, patient, finely) | row
        written = [row.get(column, "") for column in header[2:]]
        writer.writerow([inert(cohort.patients[patient]), finely(time), *written])
    return out.getvalue()


Rows = dict[tuple[int, float], dict[str, str]]  # (patient, time) -> column -> cell


def _happened(e: Event, episodes: Episodes | None, rows: Rows, finely: Callable[[float], str]) -> None:
    """Cells of an event in rows of visits: a time that recurs in the row of that time, 0 and 1 where they say so."""
    for n in range(0 if episodes is None else len(episodes)):
        assert episodes is not None
        p, stop, end = int(episodes.patient[n]), float(episodes.stop[n]), float(episodes.end[n])
        status = int(episodes.status[n])
        if e.at is not None and e.recurrent and status == HAPPENED:
            rows.setdefault((p, stop), {})[e.at] = finely(stop)
        if e.column is None:
            continue
        if status == CENSORED or stop > 0:
            rows.setdefault((p, stop), {}).setdefault(e.column, "0")
        if status == INTERVAL:
            rows.setdefault((p, end), {})[e.column] = "1"


def _of_patient(study: Study, cohort: Cohort, patient: int, finely: Callable[[float], str]) -> dict[str, str]:
    """What each row of a patient says of exits and of what happens once."""
    said, exits, time = {}, cohort.exits, study.time
    if exits is not None and exits.stated[patient] and time.exit is not None:
        said[time.exit] = finely(exits.time[patient])
        said |= {time.reason: inert(exits.reason[patient])} if time.reason is not None else {}
    for name, e in study.events.items():
        if e.at is not None and not e.recurrent and name in cohort.events:
            episodes = cohort.events[name]
            had = episodes.stop[(episodes.patient == patient) & (episodes.status == HAPPENED)]
            said |= {e.at: finely(had[0])} if len(had) else {}
    return said


def _last_seen(study: Study, cohort: Cohort, exits: Exits, rows: Rows) -> None:
    """A cell that is not used, after something had happened, where it alone says how long a patient was seen."""
    for p, (time, stated) in enumerate(zip(exits.time.tolist(), exits.stated, strict=True)):
        if stated or any(q == p and t >= time for q, t in rows):
            continue
        for name, e in study.events.items():
            if e.column is not None and not e.recurrent and cohort.only(p).events[name].happened:
                rows.setdefault((p, time), {})[e.column] = "0"


def _known(limits: Bounds, m: Measurements, n: int) -> dict[str, str]:
    """What is known of one measurement, for R."""
    value, side = exact(m.value[n]), int(m.side[n])
    upper = exact(m.end[n]) if side == BETWEEN and m.end is not None else value
    known = {limits.value: value, limits.censored: SIDES[side], limits.upper: upper}
    return {column: known[column] for column in limits.added}


def cell(o: Outcome, m: Measurements, n: int, digits: int | None, decimal: str = ".") -> str:
    """One measurement as it is typed in a table."""
    value, side = float(m.value[n]), int(m.side[n])
    texts = o.family.texts() or o.map or {}
    if side == MEASURED and value in texts.values():
        return inert(next(text for text, known in texts.items() if known == value))
    if side == BETWEEN:
        assert m.end is not None
        return "..".join(number(end, digits).replace(".", decimal) for end in (value, float(m.end[n])))
    if o.limits and side:
        return (exact(value) if digits is None else f"{value:.10g}").replace(".", decimal)
    sign = "<" if side == LEFT else ">" if side == RIGHT else ""
    if o.family.counts:
        return f"{sign}{value:.0f}"
    marked = {*o.family.ends()}
    marked |= {o.limits.below, o.limits.above} if o.limits else set()
    low = -math.inf if o.minimum is None else o.minimum
    high = math.inf if o.maximum is None else o.maximum

    def moved(rounded: float) -> bool:
        """What lies short of an end does not round to it, nor beyond it."""
        beyond = low <= value <= high and not low <= rounded <= high
        return beyond or (value not in marked and rounded in marked)

    while digits is not None and digits < 17 and moved(float(number(value, digits))):
        digits += 1
    return sign + number(value, digits).replace(".", decimal)


def number(value: float, digits: int | None) -> str:
    """A value to a number of significant digits (None: as many as it takes), never in exponent notation."""
    if digits is None:
        return exact(value)
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"


def exact(value: float) -> str:
    """The shortest decimal number that is read as this one."""
    return np.format_float_positional(value, trim="-")
