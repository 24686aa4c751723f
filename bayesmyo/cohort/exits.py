"""When patients left, and why: as the tables say, or the last visit."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from bayesmyo.cohort import cells
from bayesmyo.cohort.cohort import Exits
from bayesmyo.cohort.fates import Visits
from bayesmyo.cohort.faults import typed
from bayesmyo.cohort.parts import Parts
from bayesmyo.cohort.spelling import difference, fold
from bayesmyo.cohort.times import Times
from bayesmyo.cohort.typed_cells import Origin
from bayesmyo.limits import NAME
from bayesmyo.study.study import Study

MOST_REASONS = 20  # that are named


class Ended:
    """When and why follow-up ended, by patient; what is wrong with it goes into the books of the parts.

    index: patient -> position in the cohort; first: time of the first visit; time: of the exit, or of the last visit
    stated: patient -> the exit, where the table says when; reasons: patient -> why, where it says so
    lines: patient -> the line that says so, else that of the last visit
    """

    def __init__(
        self, study: Study, parts: Parts, rows: Visits, seen: Sequence[bool], times: Times, patients: tuple[str, ...]
    ) -> None:
        self.study, self.patients = study, patients
        self.index = {p: n for n, p in enumerate(patients)}
        visits: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for line, p, t, told in zip(rows.part.table.lines, rows.part.ids, rows.times, seen, strict=True):
            if told and not math.isnan(t):
                visits[p].append((t, line))
        nowhere = [(0.0, 0)]
        self.first = {p: min(visits.get(p, nowhere))[0] for p in patients}
        last = {p: max(visits.get(p, nowhere)) for p in patients}
        self.stated = times.exits
        self.reasons, self.lines = _reasons(study, parts)
        if study.time.exit is not None:
            self.lines = _lines(study, parts, study.time.exit) | self.lines
        self.lines = {p: line for p, (_, line) in last.items()} | self.lines
        # a visit later on the day of the exit is no fault: follow-up lasted until then
        self.time = {p: max(times.exits.get(p, -math.inf), last[p][0]) for p in patients}

    @property
    def exits(self) -> Exits:
        time = np.array([self.time[p] for p in self.patients], dtype=np.float64)
        stated = np.array([p in self.stated for p in self.patients], dtype=bool)
        return Exits(time, stated, tuple(self.reasons.get(p, "") for p in self.patients))

    def notices(self) -> Iterator[str]:
        study, many = self.study, len(self.patients)
        unstated = sum(p not in self.stated for p in self.patients)
        looked_at = study.time.reason is not None or any(e.reasons or e.at for e in study.events.values())
        if unstated and looked_at:
            have, are = ("has", "is") if unstated == 1 else ("have", "are")
            none = f"{unstated} of {many} patients {have} no stated end of follow-up"
            yield f"{none} and {are} followed to the last visit. [D67]"
        declared = {reason for e in study.events.values() for reason in e.reasons}
        others = Counter(r for p in self.patients if (r := self.reasons.get(p)) and r not in declared)
        if others:
            named = ", ".join(f"{typed(reason)} ({n})" for reason, n in others.most_common(MOST_REASONS))
            more = f" and {len(others) - MOST_REASONS} more" if len(others) > MOST_REASONS else ""
            yield f"Reasons of exits that are no event: {named}{more}; what had not happened by then is censored. [D76]"


def _lines(study: Study, parts: Parts, column: str) -> dict[str, int]:
    """Patient -> the first line in which a column of patients is filled."""
    part = parts.holding(column)
    rows = zip(part.table.lines, part.ids, part.table.column(column), strict=True)
    lines: dict[str, int] = {}
    for line, patient, text in rows:
        if not cells.is_missing(text, study.data):
            lines.setdefault(patient, line)
    return lines


def _reasons(study: Study, parts: Parts) -> tuple[dict[str, str], dict[str, int]]:
    """Patient -> why follow-up ended, and the line that says so."""
    column, left = study.time.reason, study.time.exit
    if column is None or left is None:
        return {}, {}
    part, lines = parts.holding(column), _lines(study, parts, column)
    declared = {reason for e in study.events.values() for reason in e.reasons}
    folded = {fold(reason): reason for reason in declared}
    codes: dict[str, float] = {}

    def reason(text: str, _: Origin) -> tuple[float, cells.Bad | None]:
        said = text.strip()
        if cells.is_missing(text, study.data):
            return math.nan, None
        if len(said) > NAME:
            return math.nan, cells.Bad(f"has more than {NAME:,} characters, which no reason has", "shorten it", "D44")
        meant = said if said in declared else folded.get(fold(said), said)
        if meant != said:
            what = f"differs from a declared reason only in {difference([meant, said]).text}"
            return math.nan, cells.Bad(what, f'write "{meant}"', "D76")
        return codes.setdefault(said, float(len(codes))), None

    stated = part.of_patients(column, part.understood(column, reason), "the reason of the exit")
    ended = _lines(study, parts, left)
    if undated := sorted(line for p, line in lines.items() if p.strip() and p not in ended):
        what, mend = "says why follow-up ended, and nothing says when", f"fill in the column {left}"
        part.book.rows(undated, what, mend=mend, code="D76", column=column)
    texts = [*codes]
    return {p: texts[int(code)] for p, code in stated.items()}, lines
