"""The fate of every row and cell: used, or set aside for a reason. Nothing is dropped without one."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bayesmyo.cohort.cohort import BETWEEN, MEASURED, NOT_MEASURED, OutcomeRows, RowAccount
from bayesmyo.cohort.parts import Part
from bayesmyo.cohort.values import Column
from bayesmyo.study.study import Study

BLANK = "blank row"
NO_OUTCOME = "no outcome measured"
NO_BASELINE = "patient without the required baseline"
AVERAGED = "averaged into an earlier row"

Fates = list[str]  # of each row: why it is set aside, "" where it is used


def without_baseline(
    study: Study, part: Part, measured: Mapping[str, Column], times: Sequence[float], fates: Fates
) -> list[str]:
    """Patients with visits that are used, but none early enough of an outcome whose baseline the study requires."""
    required = study.data.require_baseline
    if required is None:
        return []
    names = required.outcomes or tuple(study.outcomes)
    has: dict[str, set[str]] = {p: set() for p, fate in zip(part.ids, fates, strict=True) if not fate}
    for name in names:
        for patient, cell, time, fate in zip(part.ids, measured[name], times, fates, strict=True):
            if not fate and cell is not None and time <= required.until:
                has[patient].add(name)
    return [p for p, found in has.items() if len(found) < len(names)]


def several_at_one_time(part: Part, times: Sequence[float], fates: Fates) -> list[list[int]]:
    """Positions of the used rows of one patient at one time, wherever there is more than one."""
    places: dict[tuple[str, float], list[int]] = defaultdict(list)
    for n, (patient, time, fate) in enumerate(zip(part.ids, times, fates, strict=True)):
        if not fate and not math.isnan(time):
            places[patient, time].append(n)
    return [rows for rows in places.values() if len(rows) > 1]


def refuse(study: Study, part: Part, groups: Sequence[Sequence[int]], times: Sequence[float]) -> None:
    """A fault for each group of rows at one time."""
    for rows in groups:
        same = all(part.table.rows[n] == part.table.rows[rows[0]] for n in rows)
        when = f"{study.time.unit} {times[rows[0]]:g}" if study.time.date is None else "one date"
        what = f"the same patient has {'two' if len(rows) == 2 else len(rows)} rows at {when}"
        what += ", the same in every cell" if same else ""
        mend = "remove one" if same else 'remove one, or set data.duplicates = "mean"'
        part.book.rows([part.table.lines[n] for n in rows], what, mend=mend, code="D22")


def average(
    study: Study,
    part: Part,
    groups: Sequence[Sequence[int]],
    measured: Mapping[str, Column],
    others: Sequence[Sequence[float]],
) -> dict[str, Column]:
    """The cells of every outcome with those of each group averaged into the first of them. Faults where that has no meaning.

    others: covariates of visits and exposures, which must agree within a group. (n,) each
    """
    found = {name: list(column) for name, column in measured.items()}
    for rows in groups:
        lines = [part.table.lines[n] for n in rows]
        if any(len({values[n] for n in rows if not math.isnan(values[n])}) > 1 for values in others):
            what = "rows of one patient at one time have different covariates or exposures"
            part.book.rows(lines, what, mend="correct them: these are not averaged", code="D22")
        for name, column in found.items():
            o, cells = study.outcomes[name], {n: cell for n in rows if (cell := column[n]) is not None}
            if not cells:
                continue
            filled = list(cells.values())
            mean = filled[0]
            if len({(c.value, c.side, c.end if c.side == BETWEEN else None) for c in filled}) > 1:
                if any(c.side != MEASURED for c in filled) or o.family.texts() is not None or o.family.counts:
                    what = "limits, categories and counts of one patient at one time cannot be averaged"
                    part.book.rows(lines, what, mend="keep one row", code="D22", column=o.column)
                mean = replace(filled[0], value=float(np.mean([c.value for c in filled])))
            for n in rows:
                column[n] = None
            column[next(iter(cells))] = mean  # where its exposure stands
    return found


def account(
    part: Part, fates: Fates, measured: Mapping[str, Column], before_averaging: Mapping[str, Column]
) -> RowAccount:
    """Every row and, of every outcome, every cell: used, or set aside with its reason and its lines."""
    outcomes = {}
    for name, column in measured.items():
        aside: dict[str, list[int]] = defaultdict(list)
        used = censored = 0
        for line, fate, cell, typed in zip(part.table.lines, fates, column, before_averaging[name], strict=True):
            if fate or cell is None:
                aside[fate or (NOT_MEASURED if typed is None else AVERAGED)].append(line)
            else:
                used, censored = used + 1, censored + (cell.side != MEASURED)
        outcomes[name] = OutcomeRows(used, censored, {reason: tuple(lines) for reason, lines in aside.items()})
    of_rows: dict[str, list[int]] = defaultdict(list)
    for line, fate in zip(part.table.lines, fates, strict=True):
        if fate:
            of_rows[fate].append(line)
    set_aside = {reason: tuple(lines) for reason, lines in of_rows.items()}
    return RowAccount(len(fates), sum(not fate for fate in fates), set_aside, outcomes, part.table.word)
