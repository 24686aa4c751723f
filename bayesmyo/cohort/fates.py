"""The fate of every row and cell: used, or set aside for a reason. Nothing is dropped without one."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress

import numpy as np

from bayesmyo.cohort.cells import Cell
from bayesmyo.cohort.cohort import BETWEEN, MEASURED, NOT_MEASURED, Cohort, OutcomeRows, RowAccount
from bayesmyo.cohort.parts import Part
from bayesmyo.cohort.values import Column
from bayesmyo.components.numbers import in_sentence
from bayesmyo.study.study import Outcome, Study

BLANK = "blank row"
NO_OUTCOME = "no outcome measured"
NO_BASELINE = "patient without the required baseline"
AVERAGED, NOT_CHOSEN = "averaged into an earlier row", "another row of that time counts"
# by data.duplicates, why a cell is not used
SETTLED = {"refused": "", "mean": AVERAGED, "first": NOT_CHOSEN, "last": NOT_CHOSEN}
CHOOSE = 'data.duplicates = "first" or "last" takes one of them, in the order of the table'


@dataclass(frozen=True, eq=False)
class Visits:
    """The rows of the table of visits, (n,) each.

    times: in the study's unit; fates: why a row is set aside, "" where it is used
    """

    part: Part
    times: Sequence[float]
    fates: Sequence[str]

    @cached_property
    def used(self) -> list[tuple[int, str, float]]:
        """Line, patient and time of each row that is used."""
        rows = zip(self.part.table.lines, self.part.ids, self.times, self.fates, strict=True)
        return [(line, patient, time) for line, patient, time, fate in rows if not fate]

    def aside(self, fate: str) -> list[int]:
        """Lines of the rows that are set aside for a reason."""
        return [line for line, why in zip(self.part.table.lines, self.fates, strict=True) if why == fate]


def without_baseline(study: Study, rows: Visits, measured: Mapping[str, Column]) -> set[str]:
    """Patients with visits that are used, but none early enough of an outcome whose baseline the study requires."""
    required = study.data.require_baseline
    if required is None:
        return set()
    names = required.outcomes or tuple(study.outcomes)
    early = [not fate and time <= required.until for fate, time in zip(rows.fates, rows.times, strict=True)]
    baselines = [
        {p for p, cell in compress(zip(rows.part.ids, measured[name], strict=True), early) if cell is not None}
        for name in names
    ]
    return {p for _, p, _ in rows.used if not all(p in had for had in baselines)}


def several_at_one_time(rows: Visits) -> list[list[int]]:
    """Positions of the used rows of one patient at one time, wherever there is more than one."""
    places: dict[tuple[str, float], list[int]] = defaultdict(list)
    for n, (patient, time, fate) in enumerate(zip(rows.part.ids, rows.times, rows.fates, strict=True)):
        if not fate and not math.isnan(time) and patient.strip():
            places[patient, time].append(n)
    return [group for group in places.values() if len(group) > 1]


def refuse(study: Study, rows: Visits, groups: Sequence[Sequence[int]]) -> None:
    """A fault for each group of rows at one time."""
    table = rows.part.table
    for group in groups:
        same = all(table.rows[n] == table.rows[group[0]] for n in group)
        when = f"{study.time.unit} {rows.times[group[0]]:g}" if study.time.date is None else "one date"
        what = f"the same patient has {'two' if len(group) == 2 else len(group)} rows at {when}"
        what += ", the same in every cell" if same else ""
        mend = "remove one" if same else 'remove one, or set data.duplicates = "mean", "first" or "last"'
        rows.part.book.rows([table.lines[n] for n in group], what, mend=mend, code="D22")


def settle(
    study: Study,
    part: Part,
    groups: Sequence[Sequence[int]],
    measured: Mapping[str, Column],
    others: Sequence[Sequence[float]],
) -> dict[str, Column]:
    """The cells of every outcome with one left of each group, as data.duplicates says; a fault where it has no mean.

    others: covariates of visits and exposures, which must agree within a group of which a mean is taken. (n,) each
    """
    how, settled = study.data.duplicates, {name: list(column) for name, column in measured.items()}
    for rows in groups:
        lines = [part.table.lines[n] for n in rows]
        if how == "mean" and any(len({values[n] for n in rows if not math.isnan(values[n])}) > 1 for values in others):
            what = "rows of one patient at one time have different covariates or exposures"
            part.book.rows(lines, what, mend=f"correct them: these are not averaged; {CHOOSE}", code="D22")
        for name, column in settled.items():
            cells = {n: cell for n in rows if (cell := column[n]) is not None}
            if not cells:
                continue
            kept = list(cells)[-1 if how == "last" else 0]  # where its exposure stands, too
            left = cells[kept] if how != "mean" else _mean(study.outcomes[name], [*cells.values()])
            if left is None:
                what = "limits, categories, counts, and zeros beside amounts, cannot be averaged"
                mend, column_name = f"keep one row, or {CHOOSE}", study.outcomes[name].column
                part.book.rows(lines, f"{what} at one time of one patient", "", mend, "D22", column_name)
            for n in rows:
                column[n] = left if n == kept else None
    return settled


def _mean(o: Outcome, cells: Sequence[Cell]) -> Cell | None:
    """Several measurements of one outcome at one time as one; None where there is no mean of such measurements."""
    if len({(c.value, c.side, c.end if c.side == BETWEEN else None) for c in cells}) == 1:
        return cells[0]
    values = np.array([c.value for c in cells])
    if any(c.side != MEASURED for c in cells) or not o.family.averages(values):
        return None
    return replace(cells[0], value=float(values.mean()))


def account(
    rows: Visits, measured: Mapping[str, Column], as_typed: Mapping[str, Column], duplicates: str
) -> RowAccount:
    """Every row and, of every outcome, every cell: used, or set aside with its reason and its lines.

    as_typed: the cells before those at one time were settled; duplicates: how they were
    """
    outcomes = {}
    for name, column in measured.items():
        left = [NOT_MEASURED if typed is None else SETTLED[duplicates] for typed in as_typed[name]]
        whys = [fate or (why if cell is None else "") for fate, cell, why in zip(rows.fates, column, left, strict=True)]
        used = [cell for cell, why in zip(column, whys, strict=True) if cell is not None and not why]
        limits = sum(cell.side != MEASURED for cell in used)
        outcomes[name] = OutcomeRows(len(used), limits, _reasons(rows, whys))
    return RowAccount(len(rows.fates), len(rows.used), _reasons(rows, rows.fates), outcomes, rows.part.table.word)


def without_later(study: Study, cohort: Cohort) -> Cohort:
    """The cohort without what was measured after an event whose later visits do not count. Patients keep their
    places.
    """
    for name, event in study.events.items():
        if event.after == "set aside" or (event.terminal and not event.reasons):
            free, by = cohort.events[name].first(len(cohort))
            kept = by if event.when else np.where(np.isfinite(by), free, np.inf)  # outcomes tell of it at that visit
            cohort = _until(cohort, kept, f"after {in_sentence(study.label(name))}")
    return cohort


def _until(cohort: Cohort, last: np.ndarray, why: str) -> Cohort:
    """The cohort without what was measured after a time of each patient, (patient,), and why."""
    rows, measurements, outcomes, gone = cohort.rows, {}, {}, set[tuple[int, float, int]]()
    for name, m in cohort.measurements.items():
        late, account = m.time > last[m.patient], rows.outcomes[name]
        measurements[name] = left = m.take(~late)
        lines = {why: tuple(m.line[late].tolist())} if late.any() else {}
        outcomes[name] = OutcomeRows(len(left), left.censored, {**account.set_aside, **lines})
        gone |= {*zip(m.patient[late].tolist(), m.time[late].tolist(), m.line[late].tolist(), strict=True)}
    aside = {why: tuple(sorted(line for _, _, line in gone))} if gone else {}
    accounted = replace(rows, used=rows.used - len(gone), set_aside={**rows.set_aside, **aside}, outcomes=outcomes)
    return replace(cohort, measurements=measurements, rows=accounted)


def _reasons(rows: Visits, whys: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Reason -> lines, in the order of the table."""
    lines = zip(rows.part.table.lines, whys, strict=True)
    aside: dict[str, list[int]] = defaultdict(list)
    for line, why in lines:
        if why:
            aside[why].append(line)
    return {why: tuple(of) for why, of in aside.items()}
