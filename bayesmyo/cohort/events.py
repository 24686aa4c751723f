"""What happened to patients, and until when it is known that it had not: episodes at risk of every event."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, product

import numpy as np

from bayesmyo.cohort import cells
from bayesmyo.cohort.cohort import BETWEEN, CENSORED, HAPPENED, INTERVAL, LEFT, RIGHT, Episodes, Exits, Measurements
from bayesmyo.cohort.exits import Ended
from bayesmyo.cohort.fates import NO_OUTCOME, Visits
from bayesmyo.cohort.parts import Part, Parts
from bayesmyo.cohort.times import Times
from bayesmyo.cohort.typed_cells import Origin
from bayesmyo.cohort.values import Column
from bayesmyo.components.estimands import Criterion
from bayesmyo.study.study import MONTHS_PER, Event, Study

Row = tuple[int, float, float, float, int, int]  # the fields of Episodes


@dataclass(frozen=True)
class Check:
    """One visit at which it is known whether an event has happened.

    new: whether it counts as happened now; there: whether it is there, counted or not
    """

    time: float
    new: bool
    there: bool
    line: int


@dataclass(frozen=True, eq=False)
class Happened:
    """What tables say of exits and events. notices: what a reader should know of it"""

    exits: Exits | None = None
    episodes: dict[str, Episodes] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def read_events(
    study: Study, parts: Parts, rows: Visits, seen: Sequence[bool], times: Times, measured: Mapping[str, Column]
) -> Happened:
    """The exits and episodes of all patients of the cohort. Faults go into the books of the parts.

    Parameters
    ----------
    seen
        Rows of visits in which something is written of an outcome or an event. (n,)
    measured
        The cells of each outcome as they are used.
    """
    if study.time.exit is None and not study.events:
        return Happened()
    patients = tuple(dict.fromkeys(p for _, p, _ in rows.used))
    ended = Ended(study, parts, rows, seen, times, patients)
    happened = Happened(ended.exits, notices=[*ended.notices()])
    for name, e in study.events.items():
        reader = _Event(study, name, e, parts, rows, times, measured, ended)
        at_risk = [row for p in patients for row in reader.of_patient(p) if row[2] > row[1] or row[4] != CENSORED]
        happened.episodes[name] = _arrays(at_risk)
        happened.notices.extend(reader.notices(happened.episodes[name]))
    return happened


def _arrays(rows: Sequence[Row]) -> Episodes:
    kinds = (np.int64, np.float64, np.float64, np.float64, np.int8, np.int64)
    columns = [*zip(*rows, strict=True)] or [()] * len(kinds)
    return Episodes(*(np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)))


class _Event:
    """What tables say of one event, patient by patient."""

    def __init__(
        self, study: Study, name: str, e: Event, parts: Parts, rows: Visits, times: Times,
        measured: Mapping[str, Column], exits: Ended,
    ) -> None:  # fmt: skip
        self.study, self.name, self.e, self.rows, self.exits = study, name, e, rows, exits
        self.late: list[int] = []  # lines after it had happened
        self.alone: list[int] = []  # lines that tell of it, and of no outcome
        self.never = 0  # patients who had it before they were at risk
        self.times: dict[str, dict[float, int]] = {}
        self.checks: dict[str, list[Check]] = {}
        if e.at is not None:
            self.times = self._exact(parts.holding(e.at), e.at, times.events[name])
        elif e.column is not None:
            self.checks = self._between(e.column)
        elif e.when:
            self.checks = self._judged(measured)
        else:
            self._at_the_start(parts)

    # --- what is wrong with it

    def _at_the_start(self, parts: Parts) -> None:
        """Exits for a reason of its own of patients who had been at risk for no time."""
        exits, column = self.exits, self.study.time.reason
        if column is None:
            return
        of_it = [p for p in exits.patients if self._is_reason(p) and p in exits.stated]
        at_once = [p for p in of_it if exits.time[p] <= max(0.0, exits.first[p])]
        if at_once:
            what = f"{self.name} happened at the first visit, when nobody had been at risk for any time"
            mend = f"say in the column {self.study.time.exit} when it happened, which is after that visit"
            lines = [exits.lines[p] for p in at_once]
            parts.holding(column).book.rows(lines, what, mend=mend, code="D77", column=column)

    def _exact(self, part: Part, column: str, at: Sequence[float]) -> dict[str, dict[float, int]]:
        """Patient -> time -> line. A time before the patient was at risk, or after follow-up, is a fault."""
        known: dict[str, dict[float, int]] = defaultdict(dict)
        early, late, unit = [], [], self.study.time.unit
        day = MONTHS_PER["day"] / MONTHS_PER[unit] if self.study.time.date is not None else 0.0
        for line, patient, t in zip(part.table.lines, part.ids, at, strict=True):
            if math.isnan(t) or patient not in self.exits.index:
                continue
            if t <= 0:
                early.append(line)
            elif t > (end := self.exits.time[patient]) + 0.999 * day:  # a date is the whole day
                late.append(line)
            else:
                known[patient].setdefault(min(t, end), line)
        if early:
            what, mend = f"lies at or before {unit} 0, when nobody was at risk yet", "correct it, or leave it empty"
            part.book.rows(early, what, mend=mend, code="D77", column=column)
        if late:
            what = "lies after the end of the patient's follow-up, which is the last visit where no end is stated"
            left = self.study.time.exit
            mend = f"the column {left}" if left else "a column that says when follow-up ended, study.time.exit"
            part.book.rows(late, what, mend=f"correct it, or {mend}", code="D77", column=column)
        several = [line for lines in known.values() if len(lines) > 1 for line in lines.values()]
        if several and not self.e.recurrent:
            what, mend = f"one patient has several times of {self.name}", "correct it, or declare recurrent = true"
            part.book.rows(several, what, mend=mend, code="D77", column=column)
        return known

    def _between(self, column: str) -> dict[str, list[Check]]:
        """Patient -> rows whose cell says whether it has happened since the row before, in the order of time."""
        study, part, unit = self.study, self.rows.part, self.study.time.unit
        bad = cells.Bad("must be 0 or 1: whether it has happened since the row before", "correct the cell", "D77")

        def since(text: str, _: Origin) -> tuple[float, cells.Bad | None]:
            if cells.is_missing(text, study.data):
                return math.nan, None
            known = cells.meant(text, ("0", "1"), study.data)
            return (math.nan, bad) if known is None else (float(known), None)

        at_once: dict[str, dict[float, Check]] = defaultdict(dict)
        early = []
        said = zip(
            part.understood(column, since), part.table.lines, part.ids, self.rows.times, self.rows.fates, strict=True
        )
        for value, line, patient, t, fate in said:
            if math.isnan(value) or math.isnan(t) or fate not in ("", NO_OUTCOME) or patient not in self.exits.index:
                continue
            if t <= 0 and value and not (t < 0 and study.time.before == "set aside"):
                early.append(line)
            if fate:
                self.alone.append(line)
            same = at_once[patient].get(t)
            if same is None or not same.new:  # of two rows at one time, either may say so
                at_once[patient][t] = Check(t, bool(value), bool(value), line)
        if early:
            what = f"says that {self.name} happened before {unit} 0, when nobody was at risk yet"
            part.book.rows(early, what, mend="write 0, or leave it empty", code="D77", column=column)
        return {p: [known[t] for t in sorted(known)] for p, known in at_once.items()}

    # --- when criteria of outcomes are met

    def _judged(self, measured: Mapping[str, Column]) -> dict[str, list[Check]]:
        """Patient -> visits at which it is known whether all criteria are met, in the order of time."""
        cells_at: dict[str, dict[str, dict[float, cells.Cell]]] = defaultdict(lambda: defaultdict(dict))
        lines: dict[tuple[str, float], int] = {}
        told = zip(self.rows.part.table.lines, self.rows.part.ids, self.rows.times, self.rows.fates, strict=True)
        for n, (line, patient, t, fate) in enumerate(told):
            for outcome in self.e.when if not fate and not math.isnan(t) else ():
                if (cell := measured[outcome][n]) is not None:
                    cells_at[patient][outcome][t] = cell
                    lines.setdefault((patient, t), line)
        return {
            patient: _judged(self.study, self.e, known, {t: lines[patient, t] for t in {*chain(*known.values())}})
            for patient, known in cells_at.items()
        }

    # --- episodes

    def of_patient(self, patient: str) -> list[Row]:
        """The episodes of one patient."""
        exits, p, recurrent = self.exits, self.exits.index[patient], self.e.recurrent
        line = exits.lines[patient]
        if self.e.reasons:
            start = max(0.0, exits.first[patient])  # who had left before would not be in the table
            end = max(start, exits.time[patient])
            return [(p, start, end, end, HAPPENED if self._is_reason(patient) else CENSORED, line)]
        if self.e.at is not None:
            start, rows, end = 0.0, [], exits.time[patient]
            for t, at in sorted(self.times.get(patient, {}).items())[: None if recurrent else 1]:
                rows.append((p, start, t, t, HAPPENED, at))
                start = t
            return rows if rows and not recurrent else [*rows, _free(p, start, end, line)]
        told = _stretches(self.e, p, self.checks.get(patient, []))
        self.late += told.late
        self.never += told.never
        return told.rows

    def _is_reason(self, patient: str) -> bool:
        return self.exits.reasons.get(patient) in self.e.reasons

    # --- what a reader should know

    def notices(self, episodes: Episodes) -> Iterator[str]:
        label, table, many = self.study.label(self.name), self.rows.part.table, len(self.exits.patients)
        had = len({*episodes.patient[episodes.status != CENSORED].tolist()})
        if not had:
            none = f"happened to none of {many} patients; its rate is its prior, but for the time survived"
            yield f"{label}: {none}. [D78]"
        elif had == many:
            yield f"{label}: happened to all of {many} patients. [D78]"
        if self.never:
            whose = f"{self.never} of {many} patients, who {'was' if self.never == 1 else 'were'} never at risk of it"
            yield f"{label}: there at the first visit that tells in {whose}. [D78]"
        untold = many - self.never - len({*episodes.patient.tolist()})
        if untold:
            yield f"{label}: of {untold} of {many} patients no time is known in which they were at risk. [D78]"
        if self.late:
            cells_are = f"{len(self.late)} {'cell is' if len(self.late) == 1 else 'cells are'}"
            yield f"{label}: {cells_are} not used, after it had happened ({table.at(self.late)}). [D78]"
        if self.alone:
            lines = f"{table.word} tells" if len(self.alone) == 1 else f"{table.word}s tell"
            yield f"{label}: {len(self.alone)} {lines} of it without a measured outcome ({table.at(self.alone)}). [D78]"


@dataclass(frozen=True)
class Stretches:
    """The episodes of a patient. late: lines after it had happened; never: whether nobody was at risk"""

    rows: list[Row]
    late: list[int] = field(default_factory=list)
    never: bool = False


def _stretches(e: Event, p: int, checks: Sequence[Check]) -> Stretches:
    """Of what is known at visits alone: stretches without it, and between which two visits it happened."""
    lasts, recurrent = bool(e.when), e.recurrent
    first = [c for c in checks if c.time <= 0] or [*checks[:1]] * lasts  # before these nobody is at risk
    there = lasts and any(c.new for c in (first[-1:] if recurrent else first))
    begun = last = 0.0
    line, rows = 0, list[Row]()
    for c in first:
        last, line = max(last, c.time), c.line
    for n, c in enumerate(checks[len(first) :], start=len(first) + 1):
        if there and (c.there or not recurrent):  # it has not ended
            continue
        if c.new:
            rows.append((p, begun, last, c.time, INTERVAL, c.line))
            if not recurrent:
                return Stretches(rows, [] if lasts else [after.line for after in checks[n:]])
            begun, there = c.time, lasts
        elif there:
            begun, there = c.time, False
        last, line = c.time, c.line
    never = there and not rows
    return Stretches(rows if there else [*rows, _free(p, begun, last, line)], never=never)


def _judged(
    study: Study, e: Event, known: Mapping[str, Mapping[float, cells.Cell]], lines: Mapping[float, int]
) -> list[Check]:
    """The visits of a patient at which it is known whether all criteria are met, in the order of time.

    known: measurements by outcome and time; lines: by time
    """
    if not e.when.keys() <= known.keys():
        return []
    common = sorted(set.intersection(*({*known[outcome]} for outcome in e.when)))
    states = [(t, state) for t in common if (state := _met(study, e, known, t)) is not None]
    after = [*(state for _, state in states[1:]), False]
    return [
        Check(t, state and (then or not e.confirmed), state, lines[t])
        for (t, state), then in zip(states, after, strict=False)
    ]


def _met(study: Study, e: Event, known: Mapping[str, Mapping[float, cells.Cell]], t: float) -> bool | None:
    """Whether all criteria are met at a time; None where a limit of measurement leaves that open."""
    told = []
    for outcome, c in e.when.items():
        low = study.outcomes[outcome].family.ends()[0]
        least = -math.inf if low is None else float(low)
        of = known[outcome]
        told.append(_is_met(c, _range(of[t], least), _range(of[min(of)], least)))
    return False if False in told else None if None in told else True


def met_by(study: Study, name: str, measurements: Mapping[str, Measurements], patients: int) -> Episodes:
    """The episodes of an event that is defined by outcomes, from their measurements."""
    e, rows = study.events[name], list[Row]()
    for p in range(patients):
        known = {}
        for outcome in e.when:
            own = measurements[outcome].take(measurements[outcome].patient == p)
            ends = np.full(len(own), np.nan) if own.end is None else own.end
            told = zip(own.time.tolist(), own.value.tolist(), own.side.tolist(), ends.tolist(), strict=True)
            known[outcome] = {t: cells.Cell(value, side, end=end) for t, value, side, end in told}
        visits = dict.fromkeys({*chain(*known.values())}, 0)
        told_of = _stretches(e, p, _judged(study, e, known, visits))
        rows += [row for row in told_of.rows if row[3] > row[1]]
    return _arrays(rows)


def _free(p: int, start: float, stop: float, line: int) -> Row:
    """An episode in which it had not happened."""
    stop = max(start, stop)
    return (p, start, stop, stop, CENSORED, line)


def _range(cell: cells.Cell, least: float) -> tuple[float, float]:
    """Between which two numbers a measurement lies."""
    if cell.side == LEFT:
        return least, cell.value
    return cell.value, math.inf if cell.side == RIGHT else cell.end if cell.side == BETWEEN else cell.value


def _is_met(c: Criterion, later: tuple[float, float], earlier: tuple[float, float]) -> bool | None:
    """Whether a criterion is met wherever within their limits measurements lie; None where that depends."""
    with np.errstate(all="ignore"):
        ends = [float(c.compared(np.array(a), np.array(b))) for a, b in product(later, earlier)]
    low, high = min(ends), max(ends)
    least, most = c.limits
    if any(map(math.isnan, ends)):
        return None
    return True if least <= low and high <= most else False if high < least or most < low else None
