"""Numbers or calendar dates -> time since the start of treatment. No date outlives this room."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import compress

from bayesmyo.cohort import cells
from bayesmyo.cohort.parts import Part, Parts
from bayesmyo.cohort.typed_cells import ISO, Origin
from bayesmyo.cohort.values import SERIAL_DATES
from bayesmyo.study import dates
from bayesmyo.study.study import MONTHS_PER, Study

NONE = math.nan
ALL = (*dates.USUAL, *dates.SHORT)
BEFORE = "before the start of treatment"


@dataclass(frozen=True, eq=False)
class Times:
    """All times of the tables, in the study's unit, since the patient's start of treatment where it is known.

    visits: (n,) of each row of the table of visits
    exits: patient -> end of follow-up, where one is stated
    events: event -> (m,) what its column says in each row of the table that holds it; NaN where nothing
    """

    visits: list[float]
    exits: dict[str, float]
    events: dict[str, list[float]]


def read_times(study: Study, parts: Parts, needed: Sequence[bool]) -> Times:
    """Every time that is written. Faults go into the books of the parts.

    needed: (n,) whether a row of visits tells something, so that its time must be known.
    """
    visits, date = parts.visits, study.time.date
    moments, written = _moments(study, visits, study.time.column), visits.table.column(study.time.column)
    for line, text, missing in zip(visits.table.lines, written, needed, strict=True):
        if missing and _is_missing(study, text):
            what, mend = "the time of a measurement is missing", "fill it in, or remove the row"
            visits.book.add(line, study.time.column, what, "", mend, "D63")
    starts = _starts(study, parts, moments, needed)
    exits = _exits(study, parts, moments, needed) if study.time.exit is not None else {}
    days = MONTHS_PER[study.time.unit] / MONTHS_PER["day"] if date is not None else 1.0  # in one unit of a moment

    def since(moment: float, text: str, patient: str) -> float:
        """What is of unstated time on the day of a start whose time is stated lies at zero."""
        start = starts.get(patient, NONE)
        same = date is not None and moment == start // 1 and not dates.has_clock(text, date)
        return 0.0 if same else (moment - start) / days

    def of_rows(part: Part, column: str, moments: Sequence[float]) -> list[float]:
        return [since(*row) for row in zip(moments, part.table.column(column), part.ids, strict=True)]

    events = {}
    for name, e in study.events.items():
        if e.at is not None:
            part = parts.holding(e.at)
            events[name] = of_rows(part, e.at, _moments(study, part, e.at))
    ended = {p: (left - starts[p]) / days for p, left in exits.items() if p in starts}
    return Times(of_rows(visits, study.time.column, moments), ended, events)


def before(study: Study, visits: Part, times: Sequence[float], needed: Sequence[bool]) -> list[bool]:
    """The visits before time zero that the study wants set aside; a fault where it refuses them. (n,)"""
    early = [t < 0 and wanted for t, wanted in zip(times, needed, strict=True)]
    if study.time.before == "refused" and any(early):
        lines, what = [*compress(visits.table.lines, early)], f"a visit lies before {study.time.unit} 0"
        mend = 'correct it, or say what to do with such visits: before = "kept" or "set aside" in study.time'
        visits.book.rows(lines, what, mend=mend, code="D50", column=study.time.column)
    return [is_early and study.time.before == "set aside" for is_early in early]


def _moments(study: Study, part: Part, column: str) -> list[float]:
    """One column of times as typed: numbers in the study's unit, or days; NaN where nothing usable is written."""
    texts, was = part.table.column(column), part.table.was(column)
    if study.time.date is None and _undeclared_dates(study, part, column, texts, was):
        return [NONE] * len(texts)
    if study.time.date is not None:
        _one_kind(study, part, column, texts, was)
    return part.understood(column, partial(_moment, study))


def _is_missing(study: Study, text: str) -> bool:
    """Whether no time is written; a declared code may be a date, however that is written."""
    if cells.is_missing(text, study.data) or study.time.date is None:
        return cells.is_missing(text, study.data)
    return dates.day_number(text, study.time.date) in _codes(study.data.missing, study.time.date)


@cache
def _codes(missing: tuple[str, ...], pattern: str) -> frozenset[float]:
    """The days that declared codes are, written as dates are or as a spreadsheet's true dates."""
    days = [dates.day_number(code, written) for code in missing for written in (pattern, ISO)]
    return frozenset(day for day in days if day is not None)


def _moment(study: Study, text: str, origin: Origin) -> tuple[float, cells.Bad | None]:
    """One time: a number in the study's unit, or a day; NaN where none is written. No date is shown."""
    if _is_missing(study, text):
        return NONE, None
    if study.time.date is None:
        cell = cells.parse(text, study.data, origin=origin)
        return (NONE, replace(cell, hidden=cell.code == "D33")) if isinstance(cell, cells.Bad) else (cell.value, None)
    days = dates.day_number(text, study.time.date)
    if days is None:
        return NONE, cells.Bad(*_no_date(text, study.time.date), hidden=True)
    if dates.year(days) not in dates.PLAUSIBLE_YEARS:
        return NONE, cells.Bad(f"the year {dates.year(days)} is implausible", "correct the date", "D47", hidden=True)
    return days, None


def _no_date(text: str, pattern: str) -> tuple[str, str, str]:
    """Why a text is no date of a pattern. The text itself is not shown: a date may identify a patient."""
    expression, stripped = dates.compiled(pattern), text.strip()
    if code := cells.invisible(text):
        mend = "type the date again, or paste it as plain text"
        return f"holds a character that cannot be seen ({code})", mend, "D38"
    if match := expression.fullmatch(stripped) if expression is not None else None:
        if match.groupdict().get("name") is not None and dates.month_named(match["name"]) is None:
            return "has no name of a month that is known", "write the month in English, or as a number", "D38"
        return "is no day or time of the calendar", "correct it", "D38"
    serial = re.fullmatch(r"([0-9]{5})([.,][0-9]+)?", stripped)
    if serial and SERIAL_DATES[0] < int(serial[1]) < SERIAL_DATES[1]:
        mend = f"format the column as a date, written {pattern}, and export it again"
        return "is the number by which a spreadsheet stores a date", mend, "D33"
    if (short := pattern.replace("YYYY", "YY")) != pattern and dates.day_number(text, short) is not None:
        mend = f'write it {pattern}, or declare date = "{short}": 68 is then 2068, and 69 is 1969'
        return "is a date whose year has two digits", mend, "D38"
    other = next((p for p in dates.fitting([text]) if p != pattern), "")
    mend = f"it looks like {other}: write all dates in one way" if other else "correct it"
    return f"is not a date written {pattern}", mend, "D38"


def _one_kind(study: Study, part: Part, column: str, texts: Sequence[str], was: Sequence[Origin]) -> None:
    """Faults of a column of dates of two kinds, which cannot all be what was typed.

    A program that takes the month for the day makes true dates of the first twelve days of each month, swapped, and
    leaves the later days as texts: true dates that all lie on such days, beside texts, are its trace. Clocks with and
    without an offset from UTC cannot be compared.
    """
    pattern, lines = study.time.date or "", part.table.lines
    written = [n for n, text in enumerate(texts) if dates.day_number(text, pattern) is not None]
    true, typed = ([n for n in written if was[n].kind == kind] for kind in ("date", "text"))
    if true and typed and all(dates.swapped(texts[n], pattern) for n in true):
        many = f"{len(true)} true date{'s' if len(true) > 1 else ''}, all within the first twelve days of a month"
        what = f"{many}, among {len(typed)} typed as text: a spreadsheet may have taken the month for the day"
        mend = f"write all of them as text, {pattern}, from the record"
        part.book.rows([lines[n] for n in true], what, mend=mend, code="D38", column=column)
    stated, bare = ([n for n in written if dates.has_offset(texts[n], pattern) is says] for says in (True, False))
    if stated and bare:
        fewer, say, do = (stated, "say", "do not") if len(stated) <= len(bare) else (bare, "do not say", "do")
        what = f"{len(fewer)} of {len(written)} times {say} how far they are from UTC, and the others {do}"
        part.book.rows([lines[n] for n in fewer], what, mend="write all in one way", code="D38", column=column)


def _undeclared_dates(study: Study, part: Part, column: str, texts: Sequence[str], was: Sequence[Origin]) -> bool:
    """Whether a column of dates stands where numbers are declared; one fault says how they could be declared."""
    table, book = part.table, part.book
    filled = [n for n, t in enumerate(texts) if not cells.is_missing(t, study.data)]
    written, lines = [texts[n].strip() for n in filled], [table.lines[n] for n in filled]
    if not written:
        return False
    if numbers := [n for n in filled if was[n].kind == "date" and _is_day_of_1900(texts[n])]:
        what = "holds numbers that are formatted as dates: 6 is then shown as a day of January 1900"
        mend = "format the column as numbers"
        book.rows([table.lines[n] for n in numbers], what, mend=mend, code="D33", column=column)
        return True
    odd = Counter(t for t in written if not cells.NUMBER.fullmatch(t))
    if sum(n for t, n in odd.items() if dates.fitting([t], ALL)) <= len(written) / 2:
        return False
    patterns = dates.fitting(written, ALL)
    if len(patterns) == 1:
        more, mend = "", f'declare study.time with date = "{patterns[0]}"'
    elif patterns:
        more = " whose order of day and month is ambiguous"
        mend = f"declare study.time with date = {' or '.join(f'"{p}"' for p in patterns)}: only you can know"
    else:
        more, mend = " that mix orders or separators", "write all in one way, such as YYYY-MM-DD"
    book.rows(lines, f"holds calendar dates{more}", mend=mend, code="D38", column=column)
    return True


def _is_day_of_1900(text: str) -> bool:
    """Whether a true date is one of the first days that a spreadsheet has, as a small number becomes one."""
    return text.startswith("1900-0") or bool(re.fullmatch(r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}", text))


def _starts(study: Study, parts: Parts, moments: Sequence[float], needed: Sequence[bool]) -> dict[str, float]:
    """When each patient's time begins, on the scale of `moments`."""
    visits, since = parts.visits, study.time.since
    if since is not None:
        starts = _of_patients(study, parts, since, "start of treatment")
        asked = compress(zip(visits.table.lines, visits.ids, strict=True), needed)
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
    rows = compress(zip(visits.table.lines, visits.ids, moments, strict=True), needed)
    if late := [line for line, patient, moment in rows if moment > latest.get(patient, math.inf)]:
        what = "a visit lies after the end of the patient's follow-up"
        mend = f"correct its time, or the column {study.time.exit}"
        visits.book.rows(late, what, mend=mend, code="D49", column=study.time.column)
    return exits


def _of_patients(study: Study, parts: Parts, column: str, name: str) -> dict[str, float]:
    """Patient -> the one moment that a column states for each."""
    part = parts.holding(column)
    return part.of_patients(column, _moments(study, part, column), name)
