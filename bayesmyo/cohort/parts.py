"""The tables of a cohort: one row per visit, and perhaps one row per patient, joined by the patient's id."""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from bayesmyo.cohort.cells import Bad
from bayesmyo.cohort.faults import FaultBook
from bayesmyo.cohort.spelling import Likeness
from bayesmyo.cohort.table import Table
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study.clean import RISKY
from bayesmyo.study.covariates import base, table_column, used
from bayesmyo.study.study import Distributional, Outcome, Study

AGAIN, WORDS = "repeats the header", "holds words alone and no patient, as units or notes do"


@dataclass(frozen=True, eq=False)
class Part:
    """One table with the patient of each row, and what is wrong with it."""

    table: Table
    ids: list[str]
    book: FaultBook

    def understood[T](
        self, column: str, understand: Callable[..., tuple[T, Bad | None]], *beside: Sequence[object]
    ) -> list[T]:
        """What each cell of a column says; what is wrong with it goes into the book. (n,)

        understand: of a cell's text, what it was, and what lies beside it, all (n,): asked once of those that are alike
        """
        known: dict[tuple[object, ...], tuple[T, Bad | None]] = {}
        said, table = [], self.table
        for line, text, *more in zip(table.lines, table.column(column), table.was(column), *beside, strict=True):
            key = (text, *more)
            if key not in known:
                known[key] = understand(*key)
            value, bad = known[key]
            if bad is not None:
                self.book.add(line, column, bad.what, "" if bad.hidden else text.strip(), bad.mend, bad.code)
            said.append(value)
        return said

    def of_patients(
        self, column: str, values: Iterable[float], name: str, mend: str = "correct it"
    ) -> dict[str, float]:
        """Patient -> the one value of a column, which some of the patient's rows may lack; several are a fault."""
        stated: dict[str, dict[float, int]] = defaultdict(dict)
        for line, patient, value in zip(self.table.lines, self.ids, values, strict=True):
            if not math.isnan(value) and patient.strip():
                stated[patient].setdefault(value, line)
        for lines in stated.values():
            if len(lines) > 1:
                what = f"one patient has several values of {name}"
                self.book.rows(list(lines.values()), what, mend=mend, code="D23", column=column)
        return {patient: next(iter(lines)) for patient, lines in stated.items()}


@dataclass(frozen=True, eq=False)
class Parts:
    """visits: one row per visit; patients: one row per patient, if there is such a table."""

    visits: Part
    patients: Part | None = None

    def holding(self, column: str) -> Part:
        """The table with a column that says one thing about each patient."""
        return self.patients if self.patients and column in self.patients.table.header else self.visits

    def all(self) -> list[Part]:
        return [self.visits, *([self.patients] if self.patients else [])]

    def faults(self) -> list[Fault]:
        return [fault for part in self.all() for fault in part.book.faults()]


def plain(table: Table) -> Table:
    """The table without the apostrophes that keep a spreadsheet from running a text as a formula."""

    def typed(text: str) -> str:
        return text[1:] if text[:1] == "'" and text[1:2] in RISKY else text

    rows = [[typed(text) for text in row] if "'" in "".join(row) else row for row in table.rows]
    return replace(table, header=tuple(map(typed, table.header)), rows=rows)


def is_blank(row: list[str]) -> bool:
    """Whether nothing at all is written in a row, as in the `,,,` that spreadsheets leave behind."""
    return not any(map(str.strip, row))


def about_nobody(study: Study, table: Table, inside: str = "") -> tuple[Table, list[Fault]]:
    """The table without rows about nobody, and their faults: the header again, or words alone and no patient.

    inside: how a message names a second table
    """
    at, header = table.header.index(study.patient), [name.casefold() for name in table.header]
    aside: dict[int, str] = {}
    for n, (line, row) in enumerate(zip(table.lines, table.rows, strict=True)):
        patient = row[at].strip()
        if patient and patient.casefold() != header[at]:
            continue
        filled = {name: text.strip().casefold() for name, text in zip(header, row, strict=True) if text.strip()}
        merged = (line, study.patient) in table.looks.merged
        if len(filled) > 1 and all(name == text for name, text in filled.items()):
            aside[n] = AGAIN
        elif filled and not patient and not merged and not any(c.isdigit() for c in "".join(filled.values())):
            aside[n] = WORDS
    if not aside:
        return table, []
    lines = {what: [table.lines[n] for n in aside if aside[n] == what] for what in (AGAIN, WORDS)}
    faults = [Fault(inside + table.at(of), what, mend="remove it", code="D16") for what, of in lines.items() if of]
    return table.take([n for n in range(len(table.rows)) if n not in aside]), faults


def columns_of_visits(study: Study) -> dict[str, str]:
    """The columns that the table of visits must have, each with what it is for."""
    columns: dict[str | None, str] = {study.patient: "patient", study.time.column: "time"}
    for name, o in study.outcomes.items():
        columns |= {o.column: f"outcome {name}", o.exposure: f"exposure of {name}", o.error: f"error of {name}"}
        columns |= {o.recorded.column: f"unit of {name}"} if o.recorded else {}
    columns |= {e.column: f"event {name}" for name, e in study.events.items()}
    columns |= {table_column(study, name): f"covariate {name}" for name in used(study, "visits")}
    return {column: role for column, role in columns.items() if column is not None}


def columns_of_patients(study: Study) -> dict[str, str]:
    """The columns that either table may hold, each with what it is for."""
    columns = {table_column(study, name): f"covariate {name}" for name in used(study, "patients")}
    told = [(study.time.since, "start of treatment"), (study.time.exit, "end of follow-up")]
    told += [(study.time.reason, "reason of the end of follow-up")]
    told += [(e.at, f"time of {name}") for name, e in study.events.items()]
    return columns | {column: role for column, role in told if column}


def columns_of_times(study: Study) -> tuple[str, ...]:
    """The columns that hold times, that of visits first."""
    columns = (study.time.column, study.time.since, study.time.exit, *(e.at for e in study.events.values()))
    return tuple(column for column in columns if column is not None)


def readable(study: Study, visits: Table, patients: Table | None) -> Study:
    """The study without what has no column, so that the other cells can be read and all faults be told at once."""
    of_visits, of_patients = {*visits.header}, {*visits.header, *(patients.header if patients else ())}

    def has(name: str) -> bool:
        held = of_visits if study.covariates[name].varies == "visits" else of_patients
        return table_column(study, name) in held

    def there[T: (Outcome, Distributional)](part: T) -> T:
        kept = ([n for n in names if all(map(has, base(study, [n])))] for names in (part.covariates, part.moderators))
        covariates, moderators = map(tuple, kept)
        return replace(part, covariates=covariates, moderators=moderators)

    outcomes = {
        name: replace(there(o), predictors={k: there(p) for k, p in o.predictors.items()})
        for name, o in study.outcomes.items()
        if {o.column, *o.beside, o.recorded.column if o.recorded else None} - {None} <= of_visits
    }
    asked = (study.time.since, study.time.exit, study.time.reason)
    since, left, why = (c if c in of_patients else None for c in asked)
    time = replace(study.time, since=since, exit=left, reason=why if left else None, before="kept")
    events = {
        name: replace(e, covariates=tuple(n for n in e.covariates if all(map(has, base(study, [n])))))
        for name, e in study.events.items()
        if {e.at} - {None} <= of_patients and {e.column} - {None} <= of_visits and {*e.when} <= {*outcomes}
        if not e.reasons or time.reason
    }
    form = replace(study.data, require_baseline=None)
    return replace(study, outcomes=outcomes, events=events, time=time, data=form)


def column_faults(study: Study, visits: Table, patients: Table | None) -> list[Fault]:
    """Columns that the study needs and no table has, and columns that two tables have."""
    of_visits, of_patients = columns_of_visits(study), columns_of_patients(study)
    elsewhere = patients.header if patients else ()
    faults = [_missing(c, role, visits, visits.header) for c, role in of_visits.items() if c not in visits.header]
    faults += [
        _missing(c, role, visits, (*visits.header, *elsewhere))
        for c, role in of_patients.items()
        if c not in visits.header and c not in elsewhere
    ]
    if len(faults) > 1 and re.match(r"\s*[#;/%]", visits.header[0]):
        mend = "remove the lines above the header, or set data.skip_lines = 1"
        faults.append(Fault(f"{visits.word} 1", "looks like a comment", mend=mend, code="D16"))
    if patients is not None:
        if study.patient not in elsewhere:
            missing = _missing(study.patient, "patient", patients, elsewhere)
            faults.append(replace(missing, where=f"{patients.place(visits.source)}, header"))
        needed = {*of_visits, *of_patients} - {study.patient}
        for column in sorted(needed.intersection(elsewhere).intersection(visits.header)):
            mend = "remove it from one of them"
            faults.append(Fault("header", f'column "{column}" is in both tables', mend=mend, code="D58"))
        for column in sorted({*of_visits} & {*elsewhere} - {study.patient, *visits.header}):
            mend = "what is measured at visits belongs to the table of visits"
            faults.append(
                Fault(f"{patients.place(visits.source)}, header", f'holds the column "{column}"', mend=mend, code="D58")
            )
    return faults


def _missing(column: str, role: str, table: Table, header: tuple[str, ...]) -> Fault:
    where, what = "header", f'column "{column}" ({role}) is missing'
    if table.sheet:
        where = f'sheet "{table.sheet}", header'
    owner = next((name for name, others in table.others.items() if column in others), None)
    if owner is not None:
        mend = f'sheet "{owner}" has this column: name the right sheets in [data], sheet for visits and patients_sheet'
        return Fault(where, what, mend=mend, code="D18")
    same = [h for h in header if h.casefold().strip() == column.casefold().strip()]
    if same and not same[0].isprintable():
        mend = f'the table has "{same[0]}", with a character that cannot be seen: type the name again'
        return Fault(where, what, mend=mend, code="D15")
    if same:
        return Fault(where, what, mend=f'did you mean "{same[0]}"?', code="D15")
    mend = did_you_mean(column, header).replace("allowed:", "columns:")
    return Fault(where, what, mend=mend, code="D18")


def join(parts: Parts) -> None:
    """Every patient with a visit must be in the table of patients, once."""
    if parts.patients is None:
        return
    first: dict[str, int] = {}
    patients, visits = parts.patients, parts.visits
    for line, patient in zip(patients.table.lines, patients.ids, strict=True):
        if patient.strip() and patient in first:
            what = "the same patient has two rows in the table of patients"
            patients.book.rows([first[patient], line], what, mend="keep one", code="D58")
        first.setdefault(patient, line)
    lost: dict[str, list[int]] = defaultdict(list)
    for line, patient in zip(visits.table.lines, visits.ids, strict=True):
        if patient.strip() and patient not in first:
            lost[patient].append(line)
    alike, orphans = Likeness(first if lost else ()), defaultdict[str, list[int]](list)
    for patient, lines in lost.items():
        orphans[alike.to(patient)] += lines
    for how, lines in orphans.items():
        what = f"visits of patients who are not in {patients.table.place(visits.table.source)}"
        mend = "add the patients, or correct the ids"
        if how:
            mend = f"ids there differ from theirs only in {how}: write one patient in one way"
        visits.book.rows(lines, what, mend=mend, code="D57")


def without_visits(parts: Parts) -> list[int]:
    """Lines of the table of patients whose patient has no visit."""
    if parts.patients is None:
        return []
    seen = set(parts.visits.ids)
    return [
        n for n, p in zip(parts.patients.table.lines, parts.patients.ids, strict=True) if p.strip() and p not in seen
    ]
