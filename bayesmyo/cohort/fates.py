"""The fate of every row and cell: used, or set aside for a reason. Nothing is dropped without one."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bayesmyo.cohort.cells import Cell
from bayesmyo.cohort.cohort import BETWEEN, MEASURED, NOT_MEASURED, OutcomeRows, RowAccount
from bayesmyo.cohort.parts import Part
from bayesmyo.cohort.values import Column
from bayesmyo.study.study import Outcome, Study

BLANK = "blank row"
NO_OUTCOME = "no outcome measured"
NO_BASELINE = "patient without the required baseline"
AVERAGED, NOT_CHOSEN = "averaged into an earlier row", "another row of that time counts"
SETTLED = {
    "refused": "",
    "mean": AVERAGED,
    "first": NOT_CHOSEN,
    "last": NOT_CHOSEN,
}  # by data.duplicates, why a cell is not used
CHOOSE = 'data.duplicates = "first" or "last" takes one of them, in the order of the table'

Fates = list[str]  # of each row: why it is set aside, "" where it is used


def without_baseline(
    study: Study, part: Part, measured: Mapping[str, Column], times: Sequence[float], fates: Fates
) -> set[str]:
    """Patients with visits that are used, but none early enough of an outcome whose baseline the study requires."""
    required = study.data.require_baseline
    if required is None:
        return set()
    names = required.outcomes or tuple(study.outcomes)
    has: dict[str, set[str]] = {p: set() for p, fate in zip(part.ids, fates, strict=True) if not fate}
    for name in names:
        for patient, cell, time, fate in zip(part.ids, measured[name], times, fates, strict=True):
            if not fate and cell is not None and time <= required.until:
                has[patient].add(name)
    return {p for p, found in has.items() if len(found) < len(names)}


def several_at_one_time(part: Part, times: Sequence[float], fates: Fates) -> list[list[int]]:
    """Positions of the used rows of one patient at one time, wherever there is more than one."""
    places: dict[tuple[str, float], list[int]] = defaultdict(list)
    for n, (patient, time, fate) in enumerate(zip(part.ids, times, fates, strict=True)):
        if not fate and not math.isnan(time) and patient.strip():
            places[patient, time].append(n)
    return [rows for rows in places.values() if len(rows) > 1]


def refuse(study: Study, part: Part, groups: Sequence[Sequence[int]], times: Sequence[float]) -> None:
    """A fault for each group of rows at one time."""
    for rows in groups:
        same = all(part.table.rows[n] == part.table.rows[rows[0]] for n in rows)
        when = f"{study.time.unit} {times[rows[0]]:g}" if study.time.date is None else "one date"
        what = f"the same patient has {'two' if len(rows) == 2 else len(rows)} rows at {when}"
        what += ", the same in every cell" if same else ""
        mend = "remove one" if same else 'remove one, or set data.duplicates = "mean", "first" or "last"'
        part.book.rows([part.table.lines[n] for n in rows], what, mend=mend, code="D22")


def settle(
    study: Study,
    part: Part,
    groups: Sequence[Sequence[int]],
    measured: Mapping[str, Column],
    others: Sequence[Sequence[float]],
) -> dict[str, Column]:
    """The cells of every outcome with one left of each group, as data.duplicates says. Faults where a mean has no meaning.

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
                what = "limits, categories, counts, and zeros beside amounts, cannot be averaged at one time of one patient"
                mend = f"keep one row, or {CHOOSE}"
                part.book.rows(lines, what, mend=mend, code="D22", column=study.outcomes[name].column)
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
    part: Part, fates: Fates, measured: Mapping[str, Column], as_typed: Mapping[str, Column], duplicates: str
) -> RowAccount:
    """Every row and, of every outcome, every cell: used, or set aside with its reason and its lines.

    as_typed: the cells before those at one time were settled; duplicates: how they were
    """
    outcomes = {}
    for name, column in measured.items():
        aside: dict[str, list[int]] = defaultdict(list)
        used = censored = 0
        for line, fate, cell, typed in zip(part.table.lines, fates, column, as_typed[name], strict=True):
            if fate or cell is None:
                aside[fate or (NOT_MEASURED if typed is None else SETTLED[duplicates])].append(line)
            else:
                used, censored = used + 1, censored + (cell.side != MEASURED)
        outcomes[name] = OutcomeRows(used, censored, {reason: tuple(lines) for reason, lines in aside.items()})
    of_rows: dict[str, list[int]] = defaultdict(list)
    for line, fate in zip(part.table.lines, fates, strict=True):
        if fate:
            of_rows[fate].append(line)
    set_aside = {reason: tuple(lines) for reason, lines in of_rows.items()}
    return RowAccount(len(fates), sum(not fate for fate in fates), set_aside, outcomes, part.table.word)
