"""Numbers or calendar dates -> time since the start of treatment. No date outlives this room."""

import math
import re
from collections import defaultdict
from collections.abc import Sequence

from bayesmyo.cohort import cells
from bayesmyo.cohort.faults import FaultBook
from bayesmyo.cohort.parts import Part, Parts
from bayesmyo.cohort.table import Table
from bayesmyo.cohort.values import SERIAL_DATES
from bayesmyo.study.dates import PLAUSIBLE_YEARS, compiled, day_number, fitting, has_clock, year
from bayesmyo.study.study import MONTHS_PER, Study

NONE = math.nan
BEFORE = "before the start of treatment"


def read_times(study: Study, parts: Parts, needed: Sequence[bool]) -> tuple[list[float], dict[str, float]]:
    """The time of each visit, (n,), and the end of each patient's follow-up where one is stated, both in the study's unit.

    Time is counted since the patient's start of treatment where the study says when that was.
    needed: (n,) whether a measurement was made, so that its time must be known. Faults go into the books of the parts.
    """
    visits, time = parts.visits, study.time
    moments = _moments(study, visits, time.column)
    for line, text, missing in zip(visits.table.lines, visits.table.column(time.column), needed, strict=True):
        if missing and cells.is_missing(text, study.data):
            what = "the time of a measurement is missing"
            visits.book.add(line, time.column, what, "", "fill it in, or remove the row", "D63")
    starts = _starts(study, parts, moments, needed)
    exits = _exits(study, parts, moments, needed) if time.exit is not None else {}
    written = visits.table.column(time.column)
    start = [starts.get(p, NONE) for p in visits.ids]
    times = [
        0.0 if _on_the_day(study, m, text, s) else (m - s) / _days(study)
        for m, text, s in zip(moments, written, start, strict=True)
    ]
    return times, {p: (left - starts[p]) / _days(study) for p, left in exits.items() if p in starts}


def before(study: Study, visits: Part, times: Sequence[float], needed: Sequence[bool]) -> list[bool]:
    """The visits before time zero that the study wants set aside; a fault where it refuses them. (n,)"""
    early = [t < 0 and wanted for t, wanted in zip(times, needed, strict=True)]
    if study.time.before == "refused" and any(early):
        lines = [line for line, is_early in zip(visits.table.lines, early, strict=True) if is_early]
        mend = 'correct it, or say what to do with such visits: before = "kept" or "set aside" in study.time'
        visits.book.rows(
            lines, f"a visit lies before {study.time.unit} 0", mend=mend, code="D50", column=study.time.column
        )
    return [is_early and study.time.before == "set aside" for is_early in early]


def _days(study: Study) -> float:
    """Days in one unit of time where the table holds dates, otherwise 1: it holds that unit."""
    return MONTHS_PER[study.time.unit] / MONTHS_PER["day"] if study.time.date is not None else 1.0


def _on_the_day(study: Study, moment: float, text: str, start: float) -> bool:
    """Whether a visit of unstated time is on the day of a start whose time is stated."""
    return study.time.date is not None and moment == start // 1 and not has_clock(text, study.time.date)


def _moments(study: Study, part: Part, column: str) -> list[float]:
    """One column of times as typed: numbers in the study's unit, or days; NaN where nothing usable is written."""
    texts = part.table.column(column)
    if study.time.date is None and _undeclared_dates(study, part.table, column, texts, part.book):
        return [NONE] * len(texts)
    found = []
    for line, text in zip(part.table.lines, texts, strict=True):
        value = NONE
        if not cells.is_missing(text, study.data):
            bad: tuple[str, str, str] | None = None
            if study.time.date is not None:
                days = day_number(text, study.time.date)
                if days is None:
                    bad = _no_date(text, study.time.date)
                elif year(days) not in PLAUSIBLE_YEARS:
                    bad = f"the year {year(days)} is implausible", "correct the date", "D47"
                else:
                    value = days
            else:
                cell = cells.parse(text, study.data, censoring=False)
                if isinstance(cell, cells.Bad):
                    bad = cell.what, cell.mend, cell.code
                else:
                    value = cell.value
            if bad:
                shown = "" if study.time.date is not None or bad[2] == "D33" else text.strip()  # no date is shown
                part.book.add(line, column, bad[0], shown, bad[1], bad[2])
        found.append(value)
    return found


def _no_date(text: str, pattern: str) -> tuple[str, str, str]:
    """Why a text is no date of a pattern. The text itself is not shown: a date may identify a patient."""
    expression = compiled(pattern)
    if expression is not None and expression.fullmatch(text.strip()):
        return "is no day or time of the calendar", "correct it", "D38"
    if (
        re.fullmatch(r"[0-9]{5}([.,][0-9]+)?", text.strip())
        and SERIAL_DATES[0] < int(text.strip()[:5]) < SERIAL_DATES[1]
    ):
        return (
            "is the number by which a spreadsheet stores a date",
            f"format the column as a date, written {pattern}, and export it again",
            "D33",
        )
    others = [p for p in fitting([text]) if p != pattern]
    if others:
        return f"is not a date written {pattern}", f"it looks like {others[0]}: write all dates in one way", "D38"
    return f"is not a date written {pattern}", "correct it", "D38"


def _undeclared_dates(study: Study, table: Table, column: str, texts: Sequence[str], book: FaultBook) -> bool:
    """Whether a column of dates stands where numbers are declared; one fault says how they could be declared."""
    written = [t.strip() for t in texts if not cells.is_missing(t, study.data)]
    if not written or sum(bool(fitting([t])) for t in written) <= len(written) / 2:
        return False
    lines = [line for line, t in zip(table.lines, texts, strict=True) if not cells.is_missing(t, study.data)]
    patterns = fitting(written)
    if len(patterns) == 1:
        what, mend = "holds calendar dates", f'declare study.time with date = "{patterns[0]}"'
    elif patterns:
        what = "holds calendar dates whose order of day and month is ambiguous"
        mend = f"declare study.time with date = {' or '.join(f'"{p}"' for p in patterns)}: only you can know"
    else:
        what, mend = "holds calendar dates that mix orders or separators", "write all in one way, such as YYYY-MM-DD"
    book.rows(lines, what, mend=mend, code="D38", column=column)
    return True


def _starts(study: Study, parts: Parts, moments: Sequence[float], needed: Sequence[bool]) -> dict[str, float]:
    """When each patient's time begins, on the scale of `moments`."""
    visits, since = parts.visits, study.time.since
    if since is not None:
        starts = _of_patients(study, parts, since, "start of treatment")
        asked = [(n, p) for n, p, wanted in zip(visits.table.lines, visits.ids, needed, strict=True) if wanted]
        if absent := [line for line, p in asked if p not in starts]:
            what, mend = "no start of treatment is known for the patient", f"fill in the column {since}"
            visits.book.rows(absent, what, mend=mend, code="D48")
        return starts
    if study.time.date is None:
        return dict.fromkeys(visits.ids, 0.0)
    first: dict[str, float] = {}
    for patient, moment, wanted in zip(visits.ids, moments, needed, strict=True):
        if wanted and not math.isnan(moment):
            first[patient] = min(moment, first.get(patient, math.inf))
    return first


def _exits(study: Study, parts: Parts, moments: Sequence[float], needed: Sequence[bool]) -> dict[str, float]:
    """When each patient's follow-up ended, on the scale of `moments`; a visit after it is a fault."""
    assert study.time.exit is not None
    exits, visits = _of_patients(study, parts, study.time.exit, "the end of follow-up"), parts.visits
    latest = exits
    if study.time.date is not None:  # a date without a clock is the whole day
        latest = {p: math.nextafter(left + 1, left) if left % 1 == 0 else left for p, left in exits.items()}
    late = [
        line
        for line, patient, moment, wanted in zip(visits.table.lines, visits.ids, moments, needed, strict=True)
        if wanted and moment > latest.get(patient, math.inf)
    ]
    if late:
        what = "a visit lies after the end of the patient's follow-up"
        mend = f"correct its time, or the column {study.time.exit}"
        visits.book.rows(late, what, mend=mend, code="D49", column=study.time.column)
    return exits


def _of_patients(study: Study, parts: Parts, column: str, name: str) -> dict[str, float]:
    """Patient -> the one moment that a column states for each; several in a patient's rows are a fault."""
    part = parts.holding(column)
    stated: dict[str, dict[float, int]] = defaultdict(dict)
    for line, patient, moment in zip(part.table.lines, part.ids, _moments(study, part, column), strict=True):
        if not math.isnan(moment):
            stated[patient].setdefault(moment, line)
    for places in stated.values():
        if len(places) > 1:
            what = f"one patient has several values of {name}"
            part.book.rows(list(places.values()), what, mend="correct it", code="D23", column=column)
    return {patient: next(iter(places)) for patient, places in stated.items()}
