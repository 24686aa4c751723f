"""The patients: an immutable Cohort."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np

LEFT, MEASURED, RIGHT, BETWEEN = -1, 0, 1, 2
NOT_MEASURED = "not measured"  # why a row that others use is set aside for an outcome


@dataclass(frozen=True, eq=False)
class Measurements:
    """The filled cells of one outcome, in the order of the table.

    Attributes
    ----------
    patient : ndarray (n,)
        Index into `Cohort.patients`.
    time : ndarray (n,)
        In the study's unit.
    value : ndarray (n,)
        In the outcome's unit, or the reported limit of a censored cell.
    side : ndarray (n,)
        -1 known only to lie below the limit (`<20`), 0 measured, +1 above (`>2000`), 2 between two limits (`20..50`).
    line : ndarray (n,)
        Line of the file, 0 where there is no file.
    end : ndarray (n,), optional
        The upper limit of a cell with two, NaN elsewhere; None where no cell can have two.
    exposure : ndarray (n,), optional
        What events are counted per (infusions); None where the outcome has none.
    error : ndarray (n,), optional
        SD of the measurement's own error, in the outcome's unit; None where none is known.
    covariates : mapping of str to ndarray (n,)
        Covariates of visits by name: numbers as typed, or positions among the levels.
    """

    patient: np.ndarray
    time: np.ndarray
    value: np.ndarray
    side: np.ndarray
    line: np.ndarray
    end: np.ndarray | None = None
    exposure: np.ndarray | None = None
    error: np.ndarray | None = None
    covariates: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.value)

    @property
    def censored(self) -> int:
        return int(np.count_nonzero(self.side))

    def take(self, cells: np.ndarray) -> "Measurements":
        """Some of the cells: a mask (n,) or positions. Patients keep their index."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "covariates"}
        some: dict[str, Any] = {name: None if v is None else v[cells] for name, v in named.items()}
        return Measurements(**some, covariates={k: v[cells] for k, v in self.covariates.items()})


CENSORED, HAPPENED, INTERVAL = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Episodes:
    """For how long patients were at risk of an event, and how it ended; a patient has several where it recurs.

    Attributes
    ----------
    patient : ndarray (n,)
        Index into `Cohort.patients`.
    start, stop : ndarray (n,)
        In the study's unit: at risk, and without the event, from start to stop.
    end : ndarray (n,)
        Until when it had happened, where that is known only to lie between stop and end; else stop.
    status : ndarray (n,)
        0 it had not happened by stop, 1 it happened at stop, 2 it happened between stop and end.
    line : ndarray (n,)
        Line of the file that says so, 0 where there is no file.
    """

    patient: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    end: np.ndarray
    status: np.ndarray
    line: np.ndarray

    def __len__(self) -> int:
        return len(self.patient)

    @property
    def happened(self) -> int:
        """How many events there are."""
        return int(np.count_nonzero(self.status))

    def take(self, rows: np.ndarray) -> "Episodes":
        """Some of them: a mask (n,) or positions. Patients keep their index."""
        return Episodes(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def until(self, time: float) -> "Episodes":
        """What is known of them at a time."""
        begun = self.take(self.start < time)
        known = begun.end <= time  # of an event between two visits, the second of them is what tells
        stop = np.where(known, begun.stop, np.minimum(begun.stop, time))
        status = np.where(known, begun.status, CENSORED)
        told = replace(begun, stop=stop, end=np.where(known, begun.end, stop), status=status)
        return told.take(told.stop > told.start)

    def first(self, patients: int) -> tuple[np.ndarray, np.ndarray]:
        """What is known of each patient's first event, (patient,): until when there was none, and by when there was
        one, infinite where there was none. The two are equal where it is known when; of who has no episode nothing is
        known.
        """
        free, by = np.zeros(patients), np.full(patients, np.inf)
        order = np.lexsort((self.start, self.patient))
        who, places = np.unique(self.patient[order], return_index=True)
        chosen = self.take(order[places])
        free[who], by[who] = chosen.stop, np.where(chosen.status == CENSORED, np.inf, chosen.end)
        return free, by

    def without(self, *patients: int) -> "Episodes":
        """Those of the other patients, who move up to the places of those who are left out."""
        others = self.take(~np.isin(self.patient, patients))
        return replace(others, patient=others.patient - np.searchsorted(np.sort(patients), others.patient))


@dataclass(frozen=True, eq=False)
class Exits:
    """When each patient's follow-up ended, and why.

    Attributes
    ----------
    time : ndarray (patient,)
        In the study's unit: as stated, else the patient's last visit.
    stated : ndarray (patient,)
        Whether the table says when.
    reason : tuple of str
        As the table says it; "" where it gives none, which means that the patient was still in care then.
    """

    time: np.ndarray
    stated: np.ndarray
    reason: tuple[str, ...]

    def first(self, patients: int) -> "Exits":
        """Of the first patients."""
        return Exits(self.time[:patients], self.stated[:patients], self.reason[:patients])


@dataclass(frozen=True)
class OutcomeRows:
    """The fate of the rows of one outcome.

    Attributes
    ----------
    used, censored : int
        Rows that are used, and how many of them are known only to a limit.
    set_aside : mapping of str to tuple of int
        Reason -> lines.
    """

    used: int
    censored: int = 0
    set_aside: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class RowAccount:
    """The fate of every row: rows = used + those set aside, of the table and of each outcome.

    Attributes
    ----------
    rows, used : int
        Rows of the table, and those of them that some outcome uses.
    set_aside : mapping of str to tuple of int
        Reason -> lines of the rows that no outcome uses.
    outcomes : mapping of str to OutcomeRows
        The same for the cells of each outcome.
    word : str
        What the numbers count, "line" of a text file or "row" of a sheet.
    """

    rows: int
    used: int
    set_aside: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    outcomes: Mapping[str, OutcomeRows] = field(default_factory=dict)
    word: str = "line"

    def as_dict(self) -> dict[str, Any]:
        """As plain lists and tables, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, account: Mapping[str, Any]) -> "RowAccount":
        """The account of `as_dict`, after JSON."""

        def reasons(part: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
            return {reason: tuple(lines) for reason, lines in part["set_aside"].items()}

        outcomes = {n: OutcomeRows(o["used"], o["censored"], reasons(o)) for n, o in account["outcomes"].items()}
        return cls(account["rows"], account["used"], reasons(account), outcomes, account["word"])


@dataclass(frozen=True, eq=False)
class Cohort:
    """Patients and their measurements, with the fate of every row.

    Attributes
    ----------
    patients : tuple of str
        Ids as text, in order of first appearance; reports use the pseudonyms P01, P02 ...
    measurements : mapping of str to Measurements
        By outcome.
    rows : RowAccount
        The fate of every row of the table.
    notices : tuple of str
        What a reader should know though nothing is wrong (a patient with a single visit, an unused column).
    source, sha256 : str
        The file's name and the hash of its bytes; empty where there is no file.
    covariates : mapping of str to ndarray (patient,)
        Covariates of patients by name: numbers as typed, or positions among the levels; NaN where missing.
    events : mapping of str to Episodes
        By event.
    exits : Exits, optional
        When and why each patient's follow-up ended; None where the study has no column for either.
    described : mapping of str to ndarray (patient,)
        Declared covariates that no model uses, of visits as they were at the first one; of a table alone.
    left_out : mapping of str to int
        Reason -> patients of the table of whom no row is used; of a table alone.

    Examples
    --------
    >>> len(cohort), cohort.pseudonyms()[:2], len(cohort.measurements["cpk"])
    (12, ('P01', 'P02'), 60)
    """

    patients: tuple[str, ...]
    measurements: Mapping[str, Measurements]
    rows: RowAccount
    notices: tuple[str, ...] = ()
    source: str = ""
    sha256: str = ""
    covariates: Mapping[str, np.ndarray] = field(default_factory=dict)
    events: Mapping[str, Episodes] = field(default_factory=dict)
    exits: Exits | None = None
    described: Mapping[str, np.ndarray] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.patients)

    def pseudonyms(self) -> tuple[str, ...]:
        """P01, P02 ... in the order of `patients`."""
        width = max(2, len(str(len(self.patients))))
        return tuple(f"P{n:0{width}d}" for n in range(1, len(self.patients) + 1))

    def earliest(self, outcome: str) -> float:
        """The time of the first measurement of an outcome, in the study's unit; 0 where there is none."""
        return float(self.measurements[outcome].time.min()) if len(self.measurements[outcome]) else 0.0

    def only(self, patient: int) -> "Cohort":
        """The measurements of one patient alone; every patient keeps the index."""
        return replace(
            self,
            measurements={k: m.take(m.patient == patient) for k, m in self.measurements.items()},
            events={k: e.take(e.patient == patient) for k, e in self.events.items()},
        )

    def alone(self, patient: int) -> "Cohort":
        """One patient as a cohort of one."""
        own = self.only(patient)
        return replace(
            own,
            patients=self.patients[patient : patient + 1],
            measurements={k: replace(m, patient=np.zeros_like(m.patient)) for k, m in own.measurements.items()},
            events={k: replace(e, patient=np.zeros_like(e.patient)) for k, e in own.events.items()},
            covariates={k: v[[patient]] for k, v in self.covariates.items()},
            described={k: v[[patient]] for k, v in self.described.items()},
            left_out={},
            exits=None,
        )

    def until(self, time: float) -> "Cohort":
        """What is known at a time: measurements until then, and what had happened; every patient keeps the index."""
        return replace(
            self,
            measurements={k: m.take(m.time <= time) for k, m in self.measurements.items()},
            events={k: e.until(time) for k, e in self.events.items()},
        )

    def without(self, *patients: int) -> "Cohort":
        """The measurements of all but some patients; every patient keeps the index."""
        others = {k: m.take(~np.isin(m.patient, patients)) for k, m in self.measurements.items()}
        events = {k: e.take(~np.isin(e.patient, patients)) for k, e in self.events.items()}
        return replace(self, measurements=others, events=events)

    def first(self, patients: int) -> "Cohort":
        """The first patients, in the order of the table, with an account of their rows alone."""
        measurements = {k: m.take(m.patient < patients) for k, m in self.measurements.items()}
        pairs = [np.column_stack([m.patient, m.time]) for m in measurements.values()]
        visits = len(np.unique(np.concatenate(pairs), axis=0))
        outcomes = {k: OutcomeRows(len(m), m.censored) for k, m in measurements.items()}
        rows = RowAccount(visits, visits, {}, outcomes, self.rows.word)
        covariates = {k: v[:patients] for k, v in self.covariates.items()}
        described = {k: v[:patients] for k, v in self.described.items()}
        few = self.patients[:patients]
        events = {k: e.take(e.patient < patients) for k, e in self.events.items()}
        exits = self.exits.first(patients) if self.exits else None
        return replace(
            self, patients=few, measurements=measurements, rows=rows, covariates=covariates, events=events, exits=exits,
            described=described, left_out={},
        )  # fmt: skip
