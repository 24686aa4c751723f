"""Tables + Study -> Cohort: every cell understood as the study declares it, every row accounted for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bayesmyo.cohort import cells
from bayesmyo.cohort.appearance import appearance_faults, appearance_notices, merged
from bayesmyo.cohort.cohort import BETWEEN, Cohort, Measurements, RowAccount
from bayesmyo.cohort.covariates import covariate_notices, data_faults, missing_faults, of_patients, parse_column
from bayesmyo.cohort.described import described, left_out
from bayesmyo.cohort.events import read_events
from bayesmyo.cohort.fates import (
    BLANK,
    NO_BASELINE,
    NO_OUTCOME,
    Visits,
    account,
    refuse,
    settle,
    several_at_one_time,
    without_baseline,
    without_later,
)
from bayesmyo.cohort.faults import FaultBook
from bayesmyo.cohort.identity import check_ids, identifying, identifying_faults
from bayesmyo.cohort.notices import notices, table_notices
from bayesmyo.cohort.parts import (
    Part,
    Parts,
    about_nobody,
    column_faults,
    columns_of_times,
    is_blank,
    join,
    plain,
    readable,
)
from bayesmyo.cohort.sheets import Headers, choose
from bayesmyo.cohort.sources import is_workbook, read_table, sheet_headers
from bayesmyo.cohort.swaps import swap_notices
from bayesmyo.cohort.table import Table
from bayesmyo.cohort.times import BEFORE, before, read_times
from bayesmyo.cohort.values import ERROR, EXPOSURE, Column, beside_column, filled_rows, outcome_column, told_rows
from bayesmyo.errors import CohortError, Fault
from bayesmyo.study.covariates import table_column, used
from bayesmyo.study.study import DataFormat, Study

MOST_FAULTS = 20


def read_cohort(study: Study, path: str | Path, patients: str | Path | None = None, *, alone: bool = False) -> Cohort:
    """Read the patients of a study from delimited text, a workbook (.xlsx) or Parquet, one row per visit.

    Every cell is read as text and understood as the study declares it. Rows that are not used are set aside with a
    reason.

    Parameters
    ----------
    study : Study
        What the columns are, and how cells are written.
    path : str or Path
        The table of visits.
    patients : str or Path, optional
        A second table with one row per patient, for what is known of each patient once; both have the patient's column.
        A workbook may hold it as a sheet of its own (`data.patients_sheet`).
    alone : bool
        The patients are to be predicted, not fitted: some outcomes may not have been measured, and covariates need not
        vary.

    Returns
    -------
    Cohort
        Patients and measurements, the fate of every row, and notices of what a reader should know.

    Raises
    ------
    CohortError
        With every fault, its lines and its column.

    Examples
    --------
    >>> from pathlib import Path
    >>> written = Path("visits.csv").write_text(bayesmyo.to_csv(study, cohort))
    >>> len(bayesmyo.read_cohort(study, "visits.csv"))
    12
    """
    form, date = study.data, study.time.date
    above = replace(form, skip_lines=0)

    def of_patients_alone() -> Table | None:
        return _second(lambda: read_table(patients, above, date, form.patients_sheet)) if patients else None

    if not is_workbook(path):
        second = of_patients_alone()
        return cohort_of(study, read_table(path, form, date), second, alone=alone)
    top = sheet_headers(path)
    below = sheet_headers(path, form.skip_lines) if form.skip_lines else top
    chosen = choose(study, below, top, one_file=patients is None)

    def sheet(name: str | None, form: DataFormat, headers: Headers) -> Table:
        others = {n: header for n, header in headers.items() if header and n != name}
        return replace(read_table(path, form, date, name), sheet=(name or "") if others else "", others=others)

    try:
        visits = sheet(chosen.visits, form, below)
        named = chosen.patients
        second = of_patients_alone() if named is None else _second(lambda: sheet(named, above, top), named)
    except CohortError as error:
        raise CohortError(error.source, [*chosen.faults, *error.faults]) from None
    return cohort_of(study, visits, second, chosen.faults, alone)


def _second(read: Callable[[], Table], sheet: str = "") -> Table:
    """The table of patients, no lines of which are skipped; its faults name its sheet, in a workbook that has others."""
    try:
        return read()
    except CohortError as error:
        where = f'sheet "{sheet}", ' if sheet else ""
        plain = "remove what is above the header: data.skip_lines is of visits alone"
        faults = [
            replace(f, where=where + f.where, mend=plain if "skip_lines" in f.mend else f.mend) for f in error.faults
        ]
        raise CohortError(error.source, faults) from None


def cohort_of(
    study: Study, visits: Table, patients: Table | None = None, faults: Sequence[Fault] = (), alone: bool = False
) -> Cohort:
    """The Cohort of tables that are already text. alone: as `read_cohort` says

    Raises CohortError with its faults and those that are known before.
    """
    study, parts, faults = _joined(study, visits, patients, faults)
    part, outcomes = parts.visits, study.outcomes.items()
    typed = {name: outcome_column(study, o, part) for name, o in outcomes}
    filled = filled_rows(study, part)
    seen = [measured or told for measured, told in zip(filled, told_rows(study, part), strict=True)]
    when = read_times(study, parts, seen)
    times = when.visits
    empty = [BLANK if is_blank(row) else NO_OUTCOME for row in part.table.rows]
    fates = ["" if full else why for full, why in zip(filled, empty, strict=True)]
    early = before(study, part, times, filled)
    rows = Visits(part, times, [BEFORE if early else fate for early, fate in zip(early, fates, strict=True)])
    lacking = without_baseline(study, rows, typed)
    late = (fate or (NO_BASELINE if p in lacking else "") for p, fate in zip(part.ids, rows.fates, strict=True))
    rows = replace(rows, fates=[*late])
    of_visits, of_each = used(study, "visits"), used(study, "patients")
    holders = {n: parts.holding(table_column(study, n)) if n in of_each else part for n in used(study)}
    covariates = {n: parse_column(study, n, holder) for n, holder in holders.items()}
    own = {n: of_patients(study, holders[n], n, covariates[n]) for n in of_each}
    beside = described(study, parts, rows, covariates)
    _missing_at_visits(study, rows, covariates)
    exposures = {n: beside_column(study, o, o.exposure, EXPOSURE, part, typed[n]) for n, o in outcomes if o.exposure}
    errors = {n: beside_column(study, o, o.error, ERROR, part, typed[n]) for n, o in outcomes if o.error}
    measured: Mapping[str, Column] = typed
    if study.data.duplicates == "refused":
        refuse(study, rows, several_at_one_time(rows))
    else:
        agreeing = [*exposures.values(), *errors.values(), *(covariates[n] for n in of_visits)]
        measured = settle(study, part, several_at_one_time(rows), typed, agreeing)
    happened = read_events(study, parts, rows, seen, when, measured)
    _stop(part.table.source, [*faults, *parts.faults()] or _nothing(study, rows.fates, {} if alone else measured))
    accounted = account(rows, measured, typed, study.data.duplicates)
    cohort = _assemble(rows, measured, exposures, errors, {n: covariates[n] for n in of_visits}, own, accounted)
    beyond = {n: np.array([values.get(p, np.nan) for p in cohort.patients]) for n, values in beside.items()}
    cohort = replace(cohort, described=beyond, left_out=left_out(rows))
    cohort = without_later(study, replace(cohort, events=happened.episodes, exits=happened.exits))
    told = [*notices(study, parts, rows, when.exits, cohort, lacking), *happened.notices]
    told += table_notices(study, parts, rows)
    told += [*swap_notices(study, parts), *appearance_notices(study, parts), *covariate_notices(study, cohort)]
    cohort = replace(cohort, notices=tuple(told))
    first = {patient: line for line, patient in zip(reversed(part.table.lines), reversed(part.ids), strict=True)}
    _stop(
        part.table.source,
        [*missing_faults(study, cohort, first, part.table.word)] or [*data_faults(study, cohort, alone)],
    )
    return cohort


def _stop(source: str, faults: Sequence[Fault]) -> None:
    if len(faults) > MOST_FAULTS:
        faults = [*faults[:MOST_FAULTS], Fault("file", f"and {len(faults) - MOST_FAULTS} more faults like these")]
    if faults:
        raise CohortError(source, faults)


def _joined(
    study: Study, visits: Table, patients: Table | None, faults: Sequence[Fault]
) -> tuple[Study, Parts, list[Fault]]:
    """The tables joined, with the faults known so far, and the study without what no table has."""
    visits, patients = plain(visits), plain(patients) if patients else None
    if visits.word == "row":  # nothing stands between the cells of a workbook that could be a decimal sign
        study = replace(study, data=replace(study.data, delimiter="\t"))
    of_columns = column_faults(study, visits, patients)
    for table in filter(None, (visits, patients)):
        of_columns += identifying_faults(study, table, table.inside(visits.source))
    unknown = {study.patient, study.time.column} - {*visits.header}
    if unknown or (patients and study.patient not in patients.header):  # nothing can be read without who and when
        _stop(visits.source, [*faults, *of_columns])
    visits, nobody = about_nobody(study, visits)
    if patients is not None:
        patients, more = about_nobody(study, patients, f"{patients.place(visits.source)}, ")
        nobody += more
    if of_columns:  # what can be read is read, so that all faults are told at once
        study = readable(study, visits, patients)
    parts = Parts(_part(study, visits, visits), _part(study, patients, visits) if patients else None)
    join(parts)
    return study, parts, [*faults, *of_columns, *nobody]


def _part(study: Study, table: Table, visits: Table) -> Part:
    """A table with the patients of its rows, whose columns are those that the study needs."""
    dates = columns_of_times(study) if study.time.date else ()
    hidden = {study.patient, *study.data.identifying, *identifying(study, table), *dates}
    book = FaultBook(table, hidden, table.place(visits.source))
    part = Part(table, table.column(study.patient), book)
    blank, covered = [is_blank(row) for row in table.rows], merged(table, study.patient)
    if lines := [n for n, empty, within in zip(table.lines, blank, covered, strict=True) if within and not empty]:
        what, mend = "the patient id is merged with the cell above", "unmerge the cells, and write the id in every row"
        book.rows(lines, what, mend=mend, code="D19", column=study.patient)
    check_ids(study, table, part.ids, [any(why) for why in zip(blank, covered, strict=True)], book)
    appearance_faults(study, part)
    return part


def _nothing(study: Study, fates: Sequence[str], measured: Mapping[str, Column]) -> list[Fault]:
    """Nothing that could be fitted."""
    if all(fates):
        mend = "see data.require_baseline" if NO_BASELINE in fates else ""
        return [Fault("file", "no row has a measured outcome that is used", mend=mend, code="D65")]
    faults = []
    for name, column in measured.items():
        if not any(cell is not None and not fate for cell, fate in zip(column, fates, strict=True)):
            o = study.outcomes[name]
            mend = f"remove the outcome {name} from the study, or fill the column"
            faults.append(Fault(f'column "{o.column}"', "holds no measurement", mend=mend, code="D65"))
    return faults


def _missing_at_visits(study: Study, rows: Visits, covariates: Mapping[str, Sequence[float]]) -> None:
    table = rows.part.table
    for name in used(study, "visits"):
        column, what = table_column(study, name), f"the covariate {name} of a visit is missing"
        cells_of = zip(table.lines, table.column(column), covariates[name], rows.fates, strict=True)
        for line, text, value, fate in cells_of:
            if not fate and np.isnan(value) and cells.is_missing(text, study.data):
                rows.part.book.add(line, column, what, "", "fill it in", "D62")


def _assemble(
    rows: Visits,
    measured: Mapping[str, Column],
    exposures: Mapping[str, Sequence[float]],
    errors: Mapping[str, Sequence[float]],
    of_visits: Mapping[str, Sequence[float]],
    of_patients: Mapping[str, Mapping[str, float]],
    accounted: RowAccount,
) -> Cohort:
    table, index = rows.part.table, {p: n for n, p in enumerate(dict.fromkeys(p for _, p, _ in rows.used))}
    measurements = {}
    for name, column in measured.items():
        kept = [(n, cell) for n, cell in enumerate(column) if cell is not None and not rows.fates[n]]
        at, filled = [n for n, _ in kept], [cell for _, cell in kept]
        measurements[name] = Measurements(
            patient=np.array([index[rows.part.ids[n]] for n in at], dtype=np.int64),
            time=np.array([rows.times[n] for n in at], dtype=np.float64),
            value=np.array([c.value for c in filled], dtype=np.float64),
            side=np.array([c.side for c in filled], dtype=np.int8),
            line=np.array([table.lines[n] for n in at], dtype=np.int64),
            end=np.array([c.end for c in filled]) if any(c.side == BETWEEN for c in filled) else None,
            exposure=np.array([exposures[name][n] for n in at]) if name in exposures else None,
            error=np.array([errors[name][n] for n in at]) if name in errors else None,
            covariates={c: np.array([values[n] for n in at]) for c, values in of_visits.items()},
        )
    covariates = {c: np.array([own.get(p, np.nan) for p in index]) for c, own in of_patients.items()}
    return Cohort(tuple(index), measurements, accounted, (), table.source, table.sha256, covariates)
