"""Table + Study -> Cohort: every cell understood as the study declares it, every row accounted for."""

import re
import unicodedata
from collections import defaultdict
from pathlib import Path

import numpy as np

from bayesmyo.cohort import cells
from bayesmyo.cohort.cohort import MEASURED, Cohort, Measurements, RowAccount
from bayesmyo.cohort.table import Table, lines_text, read_table
from bayesmyo.errors import CohortError, Fault, did_you_mean
from bayesmyo.study.study import Outcome, Study

NO_OUTCOME = "no outcome measured"
BLANK = "blank row"
MOST_FAULTS = 20


class FaultBook:
    """Faults of cells, gathered so that one mistake in two hundred rows is one message with its lines."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str, str], list[tuple[int, str]]] = defaultdict(list)
        self.whole: list[Fault] = []

    def add(self, line: int, column: str, what: str, got: str, mend: str = "") -> None:
        self._lines[column, what, mend].append((line, got))

    def faults(self) -> list[Fault]:
        found = list(self.whole)
        for (column, what, mend), places in sorted(self._lines.items(), key=lambda item: item[1][0][0]):
            gots = list(dict.fromkeys(got for _, got in places if got))
            shown = ", ".join(typed(g) for g in gots[:3]) + (" ..." if len(gots) > 3 else "")
            found.append(Fault(f'{lines_text([n for n, _ in places])}, column "{column}"', what, shown, mend))
        return found


def typed(text: str) -> str:
    """A cell as it may be shown in a message: in quotes, cut short, invisible characters made visible."""
    text = text if len(text) <= 40 else text[:37] + "..."
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in text) + '"'


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
    faults = book.faults()
    if not faults and not any(used):
        faults = [Fault("file", "no row has a measured outcome")]
    elif not faults:
        faults = [_empty(name, o) for name, o in study.outcomes.items() if not any(measured[name])]
    if len(faults) > MOST_FAULTS:
        faults = [*faults[:MOST_FAULTS], Fault("file", f"and {len(faults) - MOST_FAULTS} more faults like these")]
    if faults:
        raise CohortError(table.source, faults)
    return _assemble(study, table, ids, times, measured, used)


def _columns(study: Study, table: Table, book: FaultBook) -> None:
    needed = {study.patient: "patient", study.time.column: "time"}
    needed |= {o.column: f"outcome {name}" for name, o in study.outcomes.items()}
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
    for line, row in zip(table.lines, table.rows, strict=True):
        text = row[column]
        if cells.is_missing(text, study.data):
            found.append(None)
            continue
        cell = cells.parse(text, study.data, o.censoring == "as typed")
        found.append(cell if isinstance(cell, cells.Cell) else None)
        if isinstance(cell, cells.Bad):
            book.add(line, o.column, cell.what, text.strip(), cell.mend)
        elif not o.family.check(np.asarray(cell.value)):
            what = f"must be {o.family.support()} (family {o.family.kind})"
            book.add(line, o.column, what, text.strip(), "if it means missing, add it to data.missing")
        elif (o.minimum is not None and cell.value < o.minimum) or (o.maximum is not None and cell.value > o.maximum):
            low = "-inf" if o.minimum is None else f"{o.minimum:g}"
            high = "inf" if o.maximum is None else f"{o.maximum:g}"
            mend = f"is the unit, {o.unit}, right? If it means missing, add it to data.missing"
            book.add(line, o.column, f"is outside the declared range {low} to {high}", text.strip(), mend)
    return found


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
    measured: dict[str, list[cells.Cell | None]], used: list[bool],
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
        )
        censored = sum(c.side != MEASURED for c in filled)
        counts[name] = {"measured": len(filled) - censored, "censored": censored, "missing": sum(used) - len(filled)}
    aside: dict[str, list[int]] = defaultdict(list)
    for line, row, needed in zip(table.lines, table.rows, used, strict=True):
        if not needed:
            aside[BLANK if is_blank(row) else NO_OUTCOME].append(line)
    set_aside = {reason: tuple(lines) for reason, lines in aside.items()}
    rows_account = RowAccount(len(table.rows), sum(used), set_aside, counts)
    notices = _notices(study, table, ids, times, used, patients, measurements)
    return Cohort(patients, measurements, rows_account, tuple(notices), table.source, table.sha256)


def _notices(
    study: Study, table: Table, ids: list[str], times: list[float], used: list[bool],
    patients: tuple[str, ...], measurements: dict[str, Measurements],
) -> list[str]:  # fmt: skip
    """What a reader should know though nothing is wrong."""
    visits: dict[str, int] = defaultdict(int)
    for patient, needed in zip(ids, used, strict=True):
        if patient.strip():  # only a blank row has no id
            visits[patient] += needed
    notices = []
    if lost := [p for p in visits if not visits[p]]:
        notices.append(f"{len(lost)} of {len(visits)} patients have no measurement at all and are not in the cohort.")
    if single := sum(visits[p] == 1 for p in patients):
        notices.append(
            f"{single} of {len(patients)} patients have a single visit: kept, they inform the start, not the change."
        )
    if early := sum(1 for t, needed in zip(times, used, strict=True) if needed and t < 0):
        notices.append(f"{early} visits lie before {study.time.unit} 0.")
    for name, m in measurements.items():
        o = study.outcomes[name]
        if absent := len(patients) - len(np.unique(m.patient)):
            notices.append(
                f"{absent} of {len(patients)} patients have no {study.label(name)}: predicted from the others."
            )
        away = abs(float(np.median(o.family.link(m.value))) - study.scale(name).typical) / study.scale(name).spread
        if away > 4:
            notices.append(
                f"{study.label(name)}: the median, {np.median(m.value):.4g} {o.unit}, is far from the declared typical {o.typical:g} {o.unit}: is the unit right?"
            )
        if len(np.unique(m.value)) == 1 and len(m) > 1:
            notices.append(f"{study.label(name)}: every value is {m.value[0]:g}.")
    known = {study.patient, study.time.column, *(o.column for o in study.outcomes.values())}
    if unused := [h for h in table.header if h not in known]:
        notices.append(f"Columns not used: {', '.join(unused[:20])}{' ...' if len(unused) > 20 else ''}.")
    stripped = defaultdict(set)
    for p in patients:
        stripped[p.lstrip("0")].add(p)
    if any(len(v) > 1 for v in stripped.values()):
        notices.append("Some patient ids differ only in leading zeros; they are different patients here.")
    return notices
