"""Tables + Study -> Cohort: every cell understood as the study declares it, every row accounted for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bayesmyo.cohort import cells
from bayesmyo.cohort.appearance import appearance_faults, appearance_notices, merged
from bayesmyo.cohort.cohort import BETWEEN, Cohort, Measurements, RowAccount
from bayesmyo.cohort.covariates import covariate_notices, data_faults, missing_faults, of_patients, parse_column
from bayesmyo.cohort.fates import (
    BLANK,
    NO_BASELINE,
    NO_OUTCOME,
    Fates,
    account,
    refuse,
    settle,
    several_at_one_time,
    without_baseline,
)
from bayesmyo.cohort.faults import FaultBook
from bayesmyo.cohort.identity import check_ids, identifying, identifying_faults
from bayesmyo.cohort.notices import notices, table_notices
from bayesmyo.cohort.parts import Part, Parts, about_nobody, column_faults, is_blank, join, plain, readable
from bayesmyo.cohort.sheets import Headers, choose
from bayesmyo.cohort.sources import is_workbook, read_table, sheet_headers
from bayesmyo.cohort.swaps import swap_notices
from bayesmyo.cohort.table import Table
from bayesmyo.cohort.times import BEFORE, before, read_times
from bayesmyo.cohort.values import ERROR, EXPOSURE, Column, beside_column, filled_rows, outcome_column
from bayesmyo.errors import CohortError, Fault
from bayesmyo.study.covariates import table_column, used
from bayesmyo.study.study import DataFormat, Study

MOST_FAULTS = 20


def read_cohort(study: Study, path: str | Path, patients: str | Path | None = None) -> Cohort:
    """Read the patients of a study from a table with one row per visit: delimited text, a workbook (.xlsx) or Parquet.

    patients: a second table with one row per patient, for what is known of each patient once; both have the patient's column.
        A workbook may hold it as a sheet of its own (`data.patients_sheet`)
    Every cell is read as text and understood as the study declares it. Rows that are not used are set aside with a reason.
    Raises CohortError with every fault, its lines and its column.

    >>> from pathlib import Path
    >>> written = Path("visits.csv").write_text(bayesmyo.to_csv(study, cohort))
    >>> len(bayesmyo.read_cohort(study, "visits.csv"))
    12
    """
    form, date = study.data, study.time.date
    if not is_workbook(path):
        second = read_table(patients, replace(form, skip_lines=0), date, form.patients_sheet) if patients else None
        return cohort_of(study, read_table(path, form, date), second)
    top = sheet_headers(path)
    below = sheet_headers(path, form.skip_lines) if form.skip_lines else top
    chosen = choose(study, below, top, one_file=patients is None)

    def sheet(name: str | None, form: DataFormat, headers: Headers) -> Table:
        others = {n: header for n, header in headers.items() if header and n != name}
        return replace(read_table(path, form, date, name), sheet=(name or "") if others else "", others=others)

    second = None
    try:
        visits = sheet(chosen.visits, form, below)
        if patients is not None:
            second = read_table(patients, replace(form, skip_lines=0), date, form.patients_sheet)
        elif chosen.patients is not None:
            second = sheet(chosen.patients, replace(form, skip_lines=0), top)
    except CohortError as error:
        raise CohortError(error.source, [*chosen.faults, *error.faults]) from None
    return cohort_of(study, visits, second, chosen.faults)


def cohort_of(study: Study, visits: Table, patients: Table | None = None, faults: Sequence[Fault] = ()) -> Cohort:
    """The Cohort of tables that are already text. Raises CohortError with its faults and those that are known before."""
    visits, patients = plain(visits), plain(patients) if patients else None
    if visits.word == "row":  # nothing stands between the cells of a workbook that could be a decimal sign
        study = replace(study, data=replace(study.data, delimiter="\t"))
    of_columns = _column_faults(study, visits, patients)
    unknown = {study.patient, study.time.column} - {*visits.header}
    if unknown or (patients and study.patient not in patients.header):  # nothing can be read without who and when
        _stop(visits.source, [*faults, *of_columns])
    visits, nobody = about_nobody(study, visits)
    if patients is not None:
        patients, more = about_nobody(study, patients, f"{patients.place(visits.source)}, ")
        nobody += more
    of_columns += nobody
    if len(of_columns) > len(nobody):  # what can be read is read, so that all faults are told at once
        study = readable(study, visits, patients)
    parts, faults = _parts(study, visits, patients), [*faults, *of_columns]
    part = parts.visits
    typed = {name: outcome_column(study, o, part) for name, o in study.outcomes.items()}
    filled = filled_rows(study, part)
    fates: Fates = [
        "" if full else BLANK if is_blank(row) else NO_OUTCOME for full, row in zip(filled, visits.rows, strict=True)
    ]
    times, exits = read_times(study, parts, filled)
    for n, early in enumerate(before(study, part, times, filled)):
        fates[n] = BEFORE if early else fates[n]
    lacking = without_baseline(study, part, typed, times, fates)
    fates = [fate or (NO_BASELINE if p in lacking else "") for p, fate in zip(part.ids, fates, strict=True)]
    covariates = _covariates(study, parts)
    own = {
        n: of_patients(study, parts.holding(table_column(study, n)), n, covariates[n]) for n in used(study, "patients")
    }
    _missing_at_visits(study, part, covariates, fates)
    exposures, errors = (
        {n: beside_column(study, study.outcomes[n], c, what, part, typed[n]) for n, c in columns.items() if c}
        for what, columns in (
            (EXPOSURE, {n: o.exposure for n, o in study.outcomes.items()}),
            (ERROR, {n: o.error for n, o in study.outcomes.items()}),
        )
    )
    measured: dict[str, Column] = typed
    groups = several_at_one_time(part, times, fates)
    if study.data.duplicates == "refused":
        refuse(study, part, groups, times)
    else:
        agreeing = [*exposures.values(), *errors.values(), *(covariates[n] for n in used(study, "visits"))]
        measured = settle(study, part, groups, typed, agreeing)
    _stop(visits.source, [*faults, *parts.faults()] or _nothing(study, fates, measured))
    rows = account(part, fates, measured, typed, study.data.duplicates)
    cohort = _assemble(study, part, times, measured, fates, exposures, errors, covariates, own, rows)
    told = [*notices(study, parts, times, exits, fates, cohort, lacking), *table_notices(study, parts, times, fates)]
    told += [*swap_notices(study, parts), *appearance_notices(study, parts), *covariate_notices(study, cohort)]
    cohort = replace(cohort, notices=tuple(told))
    first = {patient: line for line, patient in zip(reversed(visits.lines), reversed(part.ids), strict=True)}
    _stop(visits.source, [*missing_faults(study, cohort, first, visits.word)] or [*data_faults(study, cohort)])
    return cohort


def _stop(source: str, faults: Sequence[Fault]) -> None:
    if len(faults) > MOST_FAULTS:
        faults = [*faults[:MOST_FAULTS], Fault("file", f"and {len(faults) - MOST_FAULTS} more faults like these")]
    if faults:
        raise CohortError(source, faults)


def _column_faults(study: Study, visits: Table, patients: Table | None) -> list[Fault]:
    """Columns that are missing, or should not be there."""
    faults = column_faults(study, visits, patients)
    for table in (visits, patients):
        if table is not None:
            place = table.place(visits.source)
            faults += identifying_faults(study, table, f"{place}, " if place else "")
    return faults


def _parts(study: Study, visits: Table, patients: Table | None) -> Parts:
    """The tables with the patients of their rows, whose columns are those that the study needs."""
    tables = [visits, *([patients] if patients else [])]
    dates = [c for c in (study.time.column, study.time.since, study.time.exit) if c] if study.time.date else []
    found = []
    for table in tables:
        hidden = {study.patient, *study.data.identifying, *identifying(study, table), *dates}
        book = FaultBook(table, hidden, table.place(visits.source))
        part = Part(table, table.column(study.patient), book)
        blank, covered = [is_blank(row) for row in table.rows], merged(table, study.patient)
        if lines := [n for n, empty, within in zip(table.lines, blank, covered, strict=True) if within and not empty]:
            what, mend = (
                "the patient id is merged with the cell above",
                "unmerge the cells, and write the id in every row",
            )
            book.rows(lines, what, mend=mend, code="D19", column=study.patient)
        passed = [empty or within for empty, within in zip(blank, covered, strict=True)]
        check_ids(study, table, part.ids, passed, book)
        appearance_faults(study, part)
        found.append(part)
    parts = Parts(found[0], found[1] if patients else None)
    join(parts)
    return parts


def _covariates(study: Study, parts: Parts) -> dict[str, list[float]]:
    """Every covariate of the study in every row of the table that holds it."""
    return {
        n: parse_column(
            study, n, parts.holding(table_column(study, n)) if n in used(study, "patients") else parts.visits
        )
        for n in used(study)
    }


def _nothing(study: Study, fates: Fates, measured: Mapping[str, Column]) -> list[Fault]:
    """Nothing that could be fitted."""
    if all(fates):
        return [
            Fault(
                "file",
                "no row has a measured outcome that is used",
                mend="see data.require_baseline" if NO_BASELINE in fates else "",
                code="D65",
            )
        ]
    faults = []
    for name, o in study.outcomes.items():
        if not any(cell is not None and not fate for cell, fate in zip(measured[name], fates, strict=True)):
            mend = f"remove the outcome {name} from the study, or fill the column"
            faults.append(Fault(f'column "{o.column}"', "holds no measurement", mend=mend, code="D65"))
    return faults


def _missing_at_visits(study: Study, part: Part, covariates: Mapping[str, Sequence[float]], fates: Fates) -> None:
    for name in used(study, "visits"):
        column = table_column(study, name)
        written = part.table.column(column)
        for line, text, value, fate in zip(part.table.lines, written, covariates[name], fates, strict=True):
            if not fate and np.isnan(value) and cells.is_missing(text, study.data):
                part.book.add(line, column, f"the covariate {name} of a visit is missing", "", "fill it in", "D62")


def _assemble(
    study: Study, part: Part, times: Sequence[float], measured: Mapping[str, Column], fates: Fates,
    exposures: Mapping[str, Sequence[float]], errors: Mapping[str, Sequence[float]], covariates: Mapping[str, Sequence[float]],
    own: Mapping[str, Mapping[str, float]], rows: RowAccount,
) -> Cohort:  # fmt: skip
    patients = tuple(dict.fromkeys(p for p, fate in zip(part.ids, fates, strict=True) if not fate))
    index = {p: n for n, p in enumerate(patients)}
    measurements = {}
    for name, column in measured.items():
        at = [n for n, (cell, fate) in enumerate(zip(column, fates, strict=True)) if cell is not None and not fate]
        filled = [cell for cell in (column[n] for n in at) if cell is not None]
        measurements[name] = Measurements(
            patient=np.array([index[part.ids[n]] for n in at], dtype=np.int64),
            time=np.array([times[n] for n in at], dtype=np.float64),
            value=np.array([c.value for c in filled], dtype=np.float64),
            side=np.array([c.side for c in filled], dtype=np.int8),
            line=np.array([part.table.lines[n] for n in at], dtype=np.int64),
            end=np.array([c.end for c in filled]) if any(c.side == BETWEEN for c in filled) else None,
            exposure=np.array([exposures[name][n] for n in at]) if name in exposures else None,
            error=np.array([errors[name][n] for n in at]) if name in errors else None,
            covariates={c: np.array([covariates[c][n] for n in at]) for c in used(study, "visits")},
        )
    of_patient = {c: np.array([own[c].get(p, np.nan) for p in patients]) for c in used(study, "patients")}
    source, sha256 = part.table.source, part.table.sha256
    return Cohort(patients, measurements, rows, source=source, sha256=sha256, covariates=of_patient)
