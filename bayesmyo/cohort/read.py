"""Table + Study -> Cohort: every cell understood as the study declares it, every row accounted for."""

import re
import unicodedata
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from bayesmyo.cohort import cells
from bayesmyo.cohort.cohort import BETWEEN, LEFT, MEASURED, RIGHT, Cohort, Measurements, RowAccount
from bayesmyo.cohort.covariates import covariate_notices, data_faults, missing_faults, of_patients, parse_column
from bayesmyo.cohort.faults import FaultBook
from bayesmyo.cohort.notices import notices
from bayesmyo.cohort.table import Table, lines_text, read_table
from bayesmyo.errors import CohortError, Fault, did_you_mean
from bayesmyo.study.covariates import table_column
from bayesmyo.study.covariates import used as in_use
from bayesmyo.study.study import Limits, Outcome, Study

NO_OUTCOME = "no outcome measured"
BLANK = "blank row"
MOST_FAULTS = 20


def read_cohort(study: Study, path: str | Path) -> Cohort:
    """Read the patients of a study from a delimited file with one row per visit.

    Every cell is read as text and understood as the study declares it. Rows without any measured outcome are set
    aside and listed. Raises CohortError with every fault, its lines and its column.
    """
    return cohort_of(study, read_table(path, study.data))


def cohort_of(study: Study, table: Table) -> Cohort:
    """The Cohort of a table that is already text. Raises CohortError."""
    book = FaultBook()
    _columns(study, table, book)
    if book.whole:
        raise CohortError(table.source, book.whole)
    column = {name: n for n, name in enumerate(table.header)}
    ids = _ids(study, table, column[study.patient], book)
    measured = {name: _outcome_cells(study, table, column[o.column], o, book) for name, o in study.outcomes.items()}
    filled = [column[o.column] for o in study.outcomes.values()]
    used = [any(not cells.is_missing(row[n], study.data) for n in filled) for row in table.rows]
    times = _times(study, table, column[study.time.column], used, book)
    _duplicates(study, table, ids, times, used, book)
    covariates = {n: parse_column(study, n, table, column[table_column(study, n)], book) for n in in_use(study)}
    own = {n: of_patients(study, table, ids, n, covariates[n], book) for n in in_use(study, "patients")}
    _missing_at_visits(study, table, covariates, used, book)
    exposures = {
        name: _exposure(study, table, column[o.exposure], o, measured[name], book)
        for name, o in study.outcomes.items()
        if o.exposure is not None
    }
    faults = book.faults()
    if not faults and not any(used):
        faults = [Fault("file", "no row has a measured outcome")]
    elif not faults:
        faults = [_empty(name, o) for name, o in study.outcomes.items() if not any(measured[name])]
    if len(faults) > MOST_FAULTS:
        faults = [*faults[:MOST_FAULTS], Fault("file", f"and {len(faults) - MOST_FAULTS} more faults like these")]
    if faults:
        raise CohortError(table.source, faults)
    cohort = _assemble(study, table, ids, times, measured, used, exposures, covariates, own)
    cohort = replace(cohort, notices=(*cohort.notices, *covariate_notices(study, cohort)))
    first = {patient: line for line, patient in zip(reversed(table.lines), reversed(ids), strict=True)}
    if faults := [*missing_faults(study, cohort, first)] or [*data_faults(study, cohort)]:
        raise CohortError(table.source, faults)
    return cohort


def _columns(study: Study, table: Table, book: FaultBook) -> None:
    needed = {study.patient: "patient", study.time.column: "time"}
    needed |= {o.column: f"outcome {name}" for name, o in study.outcomes.items()}
    needed |= {o.exposure: f"exposure of {name}" for name, o in study.outcomes.items() if o.exposure is not None}
    needed |= {table_column(study, name): f"covariate {name}" for name in in_use(study)}
    for column, role in needed.items():
        if column not in table.header:
            same = [h for h in table.header if h.casefold().strip() == column.casefold().strip()]
            mend = (
                f'did you mean "{same[0]}"?'
                if same
                else did_you_mean(column, table.header).replace("allowed:", "columns:")
            )
            book.whole.append(Fault("header", f'column "{column}" ({role}) is missing', mend=mend))
    if len(book.whole) > 1 and re.match(r"\s*[#;/%]", table.header[0]):
        book.whole.append(Fault("line 1", "looks like a comment", mend="remove the lines above the header"))


def _empty(name: str, o: Outcome) -> Fault:
    mend = f"remove the outcome {name} from the study, or fill the column"
    return Fault(f'column "{o.column}"', "holds no measurement", mend=mend)


def _ids(study: Study, table: Table, column: int, book: FaultBook) -> list[str]:
    """Patient ids as typed; two spellings of what looks like one id are a fault."""
    ids = [row[column] for row in table.rows]
    variants: dict[str, dict[str, int]] = defaultdict(dict)
    for line, text, row in zip(table.lines, ids, table.rows, strict=True):
        if is_blank(row):
            continue
        if not text.strip():
            book.add(line, study.patient, "the patient id is blank", "")
        variants[" ".join(unicodedata.normalize("NFKC", text).casefold().split())].setdefault(text, line)
    for spellings in variants.values():
        if len(spellings) > 1:
            lines = lines_text(sorted(spellings.values()))
            book.whole.append(
                Fault(
                    f'{lines}, column "{study.patient}"',
                    "patient ids differ only in case or white space",
                    mend="write one patient in one way",
                )
            )
    return ids


def is_blank(row: list[str]) -> bool:
    """Whether nothing at all is written in a row, as in the `,,,` that spreadsheets leave behind."""
    return not any(cell.strip() for cell in row)


def _outcome_cells(study: Study, table: Table, column: int, o: Outcome, book: FaultBook) -> list[cells.Cell | None]:
    """The cells of one outcome; None where nothing was measured."""
    found: list[cells.Cell | None] = []
    levels = o.family.texts()
    texts = levels if levels is not None else o.map
    for line, row in zip(table.lines, table.rows, strict=True):
        text = row[column]
        if cells.is_missing(text, study.data) and (texts is None or text.strip() not in texts):
            found.append(None)
            continue
        cell = cells.parse(text, study.data, o.censoring == "as typed", texts, alone=levels is not None)
        if isinstance(cell, cells.Bad):
            book.add(line, o.column, cell.what, text.strip(), cell.mend)
            found.append(None)
            continue
        if what := _unusable(o, cell):
            book.add(line, o.column, what[0], text.strip(), what[1])
        found.append(_limited(o, cell))
    return found


def _unusable(o: Outcome, cell: cells.Cell) -> tuple[str, str] | None:
    """Why a number cannot be a measurement of this outcome, and how to mend it."""
    missing = "correct the cell; if it means missing, add it to data.missing"
    if cell.value == 0 and not o.family.check(np.asarray(0.0)) and o.family.check(np.asarray(1.0)):
        missing = "if zero is a real value, use hurdle_lognormal; if it is below a limit, write <limit; if it means missing, add it to data.missing"
    ends = [cell.value] if cell.side != BETWEEN else [cell.value, cell.end]
    if not all(o.family.check(np.asarray(v)) for v in ends):
        return f"must be {o.family.support()} (family {o.family.kind})", missing
    if any((o.minimum is not None and v < o.minimum) or (o.maximum is not None and v > o.maximum) for v in ends):
        low = "-inf" if o.minimum is None else f"{o.minimum:g}"
        high = "inf" if o.maximum is None else f"{o.maximum:g}"
        return (
            f"is outside the declared range {low} to {high}",
            f"is the unit, {o.unit}, right? If it means missing, add it to data.missing",
        )
    if isinstance(o.censoring, Limits):
        below, above = o.censoring.below, o.censoring.above
        if (above is not None and cell.value > above) or (below is not None and cell.value < below):
            return (
                "lies beyond the declared limit of what can be measured",
                "correct the cell, or the limit in the study",
            )
    return None


def _limited(o: Outcome, cell: cells.Cell) -> cells.Cell:
    """A value at a declared limit is known only to lie at or beyond it."""
    if isinstance(o.censoring, Limits):
        if o.censoring.above is not None and cell.value >= o.censoring.above:
            return cells.Cell(cell.value, RIGHT)
        if o.censoring.below is not None and cell.value <= o.censoring.below:
            return cells.Cell(cell.value, LEFT)
    return cell


def _exposure(
    study: Study, table: Table, column: int, o: Outcome, measured: list[cells.Cell | None], book: FaultBook
) -> list[float]:
    """What the events of each row are counted per; positive wherever events are counted."""
    assert o.exposure is not None
    found = []
    for line, row, counted in zip(table.lines, table.rows, measured, strict=True):
        value = float("nan")
        if cells.is_missing(row[column], study.data):
            if counted is not None:
                book.add(
                    line, o.exposure, "the exposure of a count is missing", "", f"fill it in, or leave {o.column} empty"
                )
        else:
            cell = cells.parse(row[column], study.data, censoring=False)
            if isinstance(cell, cells.Bad):
                book.add(line, o.exposure, cell.what, row[column].strip(), cell.mend)
            elif cell.value <= 0 and counted is not None:
                mend = f"nothing can be counted per nothing: leave {o.column} empty"
                book.add(line, o.exposure, "the exposure must be positive", row[column].strip(), mend)
            else:
                value = cell.value
        found.append(value)
    return found


def _missing_at_visits(
    study: Study, table: Table, covariates: dict[str, list[float]], used: list[bool], book: FaultBook
) -> None:
    for name in in_use(study, "visits"):
        column = table.header.index(table_column(study, name))
        for line, row, value, needed in zip(table.lines, table.rows, covariates[name], used, strict=True):
            if needed and np.isnan(value) and cells.is_missing(row[column], study.data):
                what = f"the covariate {name} of a visit is missing"
                book.add(line, table_column(study, name), what, "", "fill it in")


def _times(study: Study, table: Table, column: int, used: list[bool], book: FaultBook) -> list[float]:
    times = []
    for line, row, needed in zip(table.lines, table.rows, used, strict=True):
        value = float("nan")
        if cells.is_missing(row[column], study.data):
            if needed:
                book.add(
                    line, study.time.column, "the time of a measurement is missing", "", "fill it in, or remove the row"
                )
        else:
            cell = cells.parse(row[column], study.data, censoring=False)
            if isinstance(cell, cells.Bad):
                book.add(line, study.time.column, cell.what, row[column].strip(), cell.mend)
            else:
                value = cell.value
        times.append(value)
    return times


def _duplicates(
    study: Study, table: Table, ids: list[str], times: list[float], used: list[bool], book: FaultBook
) -> None:
    seen: dict[tuple[str, float], int] = {}
    for line, patient, time, needed in zip(table.lines, ids, times, used, strict=True):
        if not needed or np.isnan(time):
            continue
        if (patient, time) in seen:
            where = f"lines {seen[patient, time]} and {line}"
            book.whole.append(
                Fault(where, f"the same patient has two rows at {study.time.unit} {time:g}", mend="remove one")
            )
        seen.setdefault((patient, time), line)


def _assemble(
    study: Study, table: Table, ids: list[str], times: list[float],
    measured: dict[str, list[cells.Cell | None]], used: list[bool], exposures: dict[str, list[float]],
    covariates: dict[str, list[float]], own: dict[str, dict[str, float]],
) -> Cohort:  # fmt: skip
    patients = tuple(dict.fromkeys(p for p, needed in zip(ids, used, strict=True) if needed))
    index = {p: n for n, p in enumerate(patients)}
    measurements, counts = {}, {}
    for name, column in measured.items():
        rows = [n for n, cell in enumerate(column) if cell is not None]
        filled = [cell for cell in column if cell is not None]
        measurements[name] = Measurements(
            patient=np.array([index[ids[n]] for n in rows], dtype=np.int64),
            time=np.array([times[n] for n in rows], dtype=np.float64),
            value=np.array([c.value for c in filled], dtype=np.float64),
            side=np.array([c.side for c in filled], dtype=np.int8),
            line=np.array([table.lines[n] for n in rows], dtype=np.int64),
            end=np.array([c.end for c in filled]) if any(c.side == BETWEEN for c in filled) else None,
            exposure=np.array([exposures[name][n] for n in rows]) if name in exposures else None,
            covariates={c: np.array([covariates[c][n] for n in rows]) for c in in_use(study, "visits")},
        )
        censored = sum(c.side != MEASURED for c in filled)
        counts[name] = {"measured": len(filled) - censored, "censored": censored, "missing": sum(used) - len(filled)}
    aside: dict[str, list[int]] = defaultdict(list)
    for line, row, needed in zip(table.lines, table.rows, used, strict=True):
        if not needed:
            aside[BLANK if is_blank(row) else NO_OUTCOME].append(line)
    set_aside = {reason: tuple(lines) for reason, lines in aside.items()}
    rows_account = RowAccount(len(table.rows), sum(used), set_aside, counts)
    found = notices(study, table, ids, times, used, patients, measurements)
    of_patient = {c: np.array([own[c].get(p, np.nan) for p in patients]) for c in in_use(study, "patients")}
    return Cohort(patients, measurements, rows_account, tuple(found), table.source, table.sha256, of_patient)
