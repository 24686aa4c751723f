"""The cells of one outcome and what its events are counted per: understood, converted and checked."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bayesmyo.cohort import cells
from bayesmyo.cohort.cohort import BETWEEN, LEFT, RIGHT
from bayesmyo.cohort.parts import Part
from bayesmyo.cohort.typed_cells import Origin
from bayesmyo.components.families import suited
from bayesmyo.components.families.family import WITH_ZEROS
from bayesmyo.errors import allowed_words, did_you_mean
from bayesmyo.study.study import Outcome, Study

SENTINELS = {9.0, 88.0, 99.0, 888.0, 999.0, 8888.0, 9999.0, 99999.0}
SENTINELS |= {-1.0, -8.0, -9.0, -88.0, -99.0, -888.0, -999.0, -9999.0}
MAP = "correct the cell, leave it empty if nothing was measured, or declare in a map what it stands for"
MISSING = "if it means missing, add it to data.missing"
SERIAL_DATES = (30_000, 60_000)  # days since 1900 as spreadsheets count them: 1982 to 2064

Column = list[cells.Cell | None]


def outcome_column(study: Study, o: Outcome, part: Part) -> Column:
    """Every cell of one outcome, in the outcome's unit; None where nothing was measured, or nothing usable. (n,)"""
    return part.understood(o.column, partial(_measured, study, o), factors(study, o, part))


def _measured(
    study: Study, o: Outcome, text: str, origin: Origin, factor: float | None
) -> tuple[cells.Cell | None, cells.Bad | None]:
    """One cell of an outcome, and what is wrong with it; None and None where nothing is."""
    if not _is_written(study, o, text):
        return None, None
    texts = _texts(o)
    alone, percent = o.family.ordinal, o.unit.startswith("%")
    cell = cells.parse(text, study.data, o.censoring == "as typed", texts, alone, percent, origin)
    if isinstance(cell, cells.Bad):
        may_map = cell.what == cells.NOT_A_NUMBER and cell.code == "D31" and o.recorded is None
        return None, replace(cell, mend=MAP) if may_map else cell
    typed = cell.value
    if factor is not None and factor != 1:
        cell = replace(cell, value=cell.value * factor, end=cell.end * factor)
    return _limited(o, cell), _unusable(o, cell, typed)


def _texts(o: Outcome) -> Mapping[str, float] | None:
    """Cell text -> number, of texts that stand for one."""
    return o.family.texts() if o.family.ordinal else o.map


def _is_written(study: Study, o: Outcome, text: str) -> bool:
    """Whether a cell says something: a declared level may be a word that elsewhere means missing."""
    return not cells.is_missing(text, study.data) or cells.meant(text, _texts(o) or (), study.data) is not None


def filled_rows(study: Study, part: Part) -> list[bool]:
    """The rows in which something is written for any outcome. (n,)"""
    filled = [False] * len(part.table.rows)
    for o in study.outcomes.values():
        column = part.table.column(o.column)
        written = {text: _is_written(study, o, text) for text in {*column}}
        filled = [full or written[text] for full, text in zip(filled, column, strict=True)]
    return filled


def told_rows(study: Study, part: Part) -> list[bool]:
    """The rows in which something is written of any event between two visits. (n,)"""
    columns = [part.table.column(e.column) for e in study.events.values() if e.column is not None]
    return [any(not cells.is_missing(c[n], study.data) for c in columns) for n in range(len(part.table.rows))]


def units(study: Study, o: Outcome, part: Part) -> Mapping[str, int]:
    """How many cells of an outcome are in each recorded unit."""
    assert o.recorded is not None
    column = o.recorded.column
    named = part.table.column(column) if column else [next(iter(o.recorded.factors))] * len(part.table.rows)
    written = part.table.column(o.column)
    return Counter(u.strip() for u, text in zip(named, written, strict=True) if _is_written(study, o, text))


def factors(study: Study, o: Outcome, part: Part) -> Sequence[float | None]:
    """What converts each cell to the outcome's unit; None where nothing needs converting. (n,)"""
    if o.recorded is None:
        return [None] * len(part.table.rows)
    if o.recorded.column is None:
        return [next(iter(o.recorded.factors.values()))] * len(part.table.rows)
    known, column = {o.unit: 1.0, **o.recorded.factors}, o.recorded.column

    def factor(unit: str, _: Origin, text: str) -> tuple[float | None, cells.Bad | None]:
        unit = unit.strip()
        if unit in known or not _is_written(study, o, text):
            return known.get(unit), None
        if not unit:
            return None, cells.Bad(f"the unit of {o.column} is missing", "fill it in", "D56")
        near = did_you_mean(unit, [*known]) if part.book.few(column) else allowed_words([*known])
        return None, cells.Bad(f"is not a declared unit of {o.column}", near.replace("allowed:", "declared:"), "D56")

    return part.understood(column, factor, part.table.column(o.column))


def _unusable(o: Outcome, cell: cells.Cell, typed: float) -> cells.Bad | None:
    """Why a number, `typed` before its conversion, cannot be a measurement of this outcome."""
    ends = [cell.value] if cell.side != BETWEEN else [cell.value, cell.end]
    low, high = o.minimum, o.maximum
    wrong = f"correct it if it is a typing error; is the unit, {o.unit}, right? I{MISSING[1:]}"
    if not all(o.family.check(np.asarray(v)) for v in ends):
        what = f"must be {o.family.support()} (family {o.family.kind})"
        if cell.value == 0 and o.family.check(np.asarray(1.0)):
            mend = f"if zero is a real value, use {suited(WITH_ZEROS)}; if it is below a limit, write <limit; {MISSING}"
            return cells.Bad(what, mend, "D55")
        whole = o.family.counts or (not o.family.check(np.asarray(0.5)) and float(cell.value) % 1)
        code = "D34" if typed in SENTINELS else "D37" if whole else "D55" if cell.value < 0 else "D36"
        return cells.Bad(what, f"correct it if it is a typing error; {MISSING}", code)
    if any((low is not None and v < low) or (high is not None and v > high) for v in ends):
        what = f"is outside the declared range {low or 0:g} to {high or 0:g}"
        if low is None:
            what = f"is above the declared maximum {high:g}"
        elif high is None:
            what = f"is below the declared minimum {low:g}"
        if typed in SENTINELS:
            return cells.Bad(what, MISSING, "D34")
        if SERIAL_DATES[0] < typed < SERIAL_DATES[1] and typed % 1 == 0:
            return cells.Bad(what, "spreadsheets store dates as such numbers: is it one?", "D33")
        return cells.Bad(what, wrong, "D36")
    if o.limits:
        below, above = o.limits.below, o.limits.above
        if (above is not None and cell.value > above) or (below is not None and cell.value < below):
            mend = "correct the cell, or the limit in the study"
            return cells.Bad("lies beyond the declared limit of what can be measured", mend, "D54")
    return None


def _limited(o: Outcome, cell: cells.Cell) -> cells.Cell:
    """A value at a declared limit is known only to lie at or beyond it."""
    if o.limits:
        if o.limits.above is not None and cell.value >= o.limits.above:
            return cells.Cell(cell.value, RIGHT)
        if o.limits.below is not None and cell.value <= o.limits.below:
            return cells.Cell(cell.value, LEFT)
    return cell


@dataclass(frozen=True)
class Beside:
    """What belongs to each measurement in a column of its own, in the words of messages.

    word, of: what it is; least: what it must be; because: why; unless: where its measurement need not be left out
    """

    word: str
    of: str
    least: str
    because: str
    unless: str = ""


EXPOSURE = Beside("exposure", "a count", "positive", "nothing can be counted per nothing")
ERROR = Beside("known error", "a measurement", "zero or more", "an SD is zero or more", " where it is unknown")


def beside_column(study: Study, o: Outcome, column: str, what: Beside, part: Part, measured: Column) -> list[float]:
    """The exposure or the known error of each row; legal wherever something was measured. (n,)"""
    nothing, of_it = math.nan, f"{o.column} empty"
    missing = cells.Bad(f"the {what.word} of {what.of} is missing", f"fill it in, or leave {of_it}", "D60")
    mend = f"{what.because}: leave {of_it}{what.unless}"
    illegal = cells.Bad(f"the {what.word} must be {what.least}", mend, "D60")

    def beside(text: str, origin: Origin, counted: bool) -> tuple[float, cells.Bad | None]:
        if cells.is_missing(text, study.data):
            return nothing, missing if counted else None
        cell = cells.parse(text, study.data, origin=origin)
        if isinstance(cell, cells.Bad):
            return nothing, cell
        legal = cell.value > 0 or (cell.value == 0 and what is ERROR)
        return (nothing, illegal) if counted and not legal else (cell.value, None)

    return part.understood(column, beside, [cell is not None for cell in measured])
