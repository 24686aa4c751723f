"""The cells of one outcome and what its events are counted per: understood, converted, and checked against what the study declares."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayesmyo.cohort import cells
from bayesmyo.cohort.cohort import BETWEEN, LEFT, MEASURED, RIGHT
from bayesmyo.cohort.parts import Part
from bayesmyo.cohort.typed_cells import Origin
from bayesmyo.errors import allowed_words, did_you_mean
from bayesmyo.study.study import Limits, Outcome, Study

SENTINELS = {
    9.0,
    88.0,
    99.0,
    888.0,
    999.0,
    8888.0,
    9999.0,
    99999.0,
    -1.0,
    -8.0,
    -9.0,
    -88.0,
    -99.0,
    -888.0,
    -999.0,
    -9999.0,
}
MAP = "correct the cell, leave it empty if nothing was measured, or declare in a map what it stands for"
MISSING = "if it means missing, add it to data.missing"
SERIAL_DATES = (30_000, 60_000)  # days since 1900 as spreadsheets count them: 1982 to 2064

Column = list[cells.Cell | None]


def outcome_column(study: Study, o: Outcome, part: Part) -> Column:
    """Every cell of one outcome, in the outcome's unit; None where nothing was measured, or nothing usable. (n,)"""
    written, was = part.table.column(o.column), part.table.was(o.column)
    typed = [*zip(written, was, factors(study, o, part), strict=True)]
    known = {key: _measured(study, o, *key) for key in {*typed}}
    found: Column = []
    for line, key in zip(part.table.lines, typed, strict=True):
        cell, bad = known[key]
        if bad is not None:
            part.book.add(line, o.column, bad.what, key[0].strip(), bad.mend, bad.code)
        found.append(cell)
    return found


def _measured(
    study: Study, o: Outcome, text: str, origin: Origin, factor: float | None
) -> tuple[cells.Cell | None, cells.Bad | None]:
    """One cell of an outcome, and what is wrong with it; None and None where nothing is."""
    if not _is_written(study, o, text):
        return None, None
    levels = o.family.texts()
    texts = levels if levels is not None else o.map
    as_typed, percent = o.censoring == "as typed", o.unit.startswith("%")
    cell = cells.parse(text, study.data, as_typed, texts, alone=levels is not None, percent=percent)
    cell = shown_otherwise(cell, text, origin, study) or cell
    if isinstance(cell, cells.Bad):
        may_map = cell.what == cells.NOT_A_NUMBER and cell.code == "D31" and o.recorded is None
        return None, replace(cell, mend=MAP) if may_map else cell
    typed = cell.value
    if factor is not None and factor != 1:
        cell = replace(cell, value=cell.value * factor, end=cell.end * factor)
    return _limited(o, cell), _unusable(o, cell, typed)


def shown_otherwise(cell: cells.Cell | cells.Bad, text: str, origin: Origin, study: Study) -> cells.Bad | None:
    """Why a cell of a workbook that shows something else than the number in it is not read; None where what it shows can be read.

    A limit is read as shown, and so is a percentage where the unit is one; digits that a format adds in front change nothing.
    """
    if not origin.held or (isinstance(cell, cells.Bad) and cell.code == "D30"):
        return None
    held = cells.number(origin.held, study.data)
    if isinstance(cell, cells.Cell) and (cell.side != MEASURED or cell.value == held or "%" in text):
        return None
    what = (
        "is shown as a percentage and holds a hundredth of it" if "%" in text else "shows something else than it holds"
    )
    return cells.Bad(what, "format the whole column as plain numbers, all in one way", "D71")


def _is_written(study: Study, o: Outcome, text: str) -> bool:
    """Whether a cell says something: a declared level may be a word that elsewhere means missing."""
    if not cells.is_missing(text, study.data):
        return True
    texts = o.family.texts()
    return cells.meant(text, texts if texts is not None else o.map or (), study.data) is not None


def filled_rows(study: Study, part: Part) -> list[bool]:
    """The rows in which something is written for any outcome. (n,)"""
    filled = [False] * len(part.table.rows)
    for o in study.outcomes.values():
        column = part.table.column(o.column)
        written = {text: _is_written(study, o, text) for text in {*column}}
        filled = [full or written[text] for full, text in zip(filled, column, strict=True)]
    return filled


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
    found: list[float | None] = []
    known, column = {o.unit: 1.0, **o.recorded.factors}, o.recorded.column
    for line, unit, text in zip(part.table.lines, part.table.column(column), part.table.column(o.column), strict=True):
        factor = known.get(unit.strip())
        if factor is None and _is_written(study, o, text):
            if unit.strip():
                declared = list(known)
                near = did_you_mean(unit.strip(), declared) if part.book.few(column) else allowed_words(declared)
                mend = near.replace("allowed:", "declared:")
                part.book.add(line, column, f"is not a declared unit of {o.column}", unit.strip(), mend, "D56")
            else:
                part.book.add(line, column, f"the unit of {o.column} is missing", "", "fill it in", "D56")
        found.append(factor)
    return found


def _unusable(o: Outcome, cell: cells.Cell, typed: float) -> cells.Bad | None:
    """Why a number cannot be a measurement of this outcome, and how to mend it; `typed` is what it was before its conversion."""
    ends = [cell.value] if cell.side != BETWEEN else [cell.value, cell.end]
    if not all(o.family.check(np.asarray(v)) for v in ends):
        what = f"must be {o.family.support()} (family {o.family.kind})"
        if cell.value == 0 and o.family.check(np.asarray(1.0)):
            mend = f"if zero is a real value, use hurdle_lognormal; if it is below a limit, write <limit; {MISSING}"
            return cells.Bad(what, mend, "D55")
        whole = o.family.counts or (not o.family.check(np.asarray(0.5)) and float(cell.value) % 1)
        code = "D34" if typed in SENTINELS else "D37" if whole else "D55" if cell.value < 0 else "D36"
        return cells.Bad(what, f"correct it if it is a typing error; {MISSING}", code)
    if any((o.minimum is not None and v < o.minimum) or (o.maximum is not None and v > o.maximum) for v in ends):
        what = f"is outside the declared range {o.minimum or 0:g} to {o.maximum or 0:g}"
        if o.minimum is None or o.maximum is None:
            what = f"is {'above' if o.minimum is None else 'below'} the declared {'maximum' if o.minimum is None else 'minimum'}"
            what += f" {o.maximum if o.minimum is None else o.minimum:g}"
        if typed in SENTINELS:
            return cells.Bad(what, MISSING, "D34")
        if SERIAL_DATES[0] < typed < SERIAL_DATES[1] and typed % 1 == 0:
            return cells.Bad(what, "spreadsheets store dates as such numbers: is it one?", "D33")
        return cells.Bad(
            what, f"correct it if it is a typing error; is the unit, {o.unit}, right? I{MISSING[1:]}", "D36"
        )
    if isinstance(o.censoring, Limits):
        below, above = o.censoring.below, o.censoring.above
        if (above is not None and cell.value > above) or (below is not None and cell.value < below):
            mend = "correct the cell, or the limit in the study"
            return cells.Bad("lies beyond the declared limit of what can be measured", mend, "D54")
    return None


def _limited(o: Outcome, cell: cells.Cell) -> cells.Cell:
    """A value at a declared limit is known only to lie at or beyond it."""
    if isinstance(o.censoring, Limits):
        if o.censoring.above is not None and cell.value >= o.censoring.above:
            return cells.Cell(cell.value, RIGHT)
        if o.censoring.below is not None and cell.value <= o.censoring.below:
            return cells.Cell(cell.value, LEFT)
    return cell


@dataclass(frozen=True)
class Beside:
    """What belongs to each measurement in a column of its own: how messages call it, and what they say of what is not positive."""

    word: str
    because: str
    unless: str = ""
    zero: bool = False

    def legal(self, value: float) -> bool:
        return value > 0 or (self.zero and value == 0)


EXPOSURE = Beside("exposure of a count", "nothing can be counted per nothing")
ERROR = Beside("known error of a measurement", "an SD is zero or more", " where it is unknown", zero=True)


def beside_column(study: Study, o: Outcome, column: str, what: Beside, part: Part, measured: Column) -> list[float]:
    """The exposure or the known error of each row; legal wherever something was measured. (n,)"""
    found = []
    written, was = part.table.column(column), part.table.was(column)
    for line, text, origin, counted in zip(part.table.lines, written, was, measured, strict=True):
        value = float("nan")
        if cells.is_missing(text, study.data):
            if counted is not None:
                mend = f"fill it in, or leave {o.column} empty"
                part.book.add(line, column, f"the {what.word} is missing", "", mend, "D60")
        else:
            cell = cells.parse(text, study.data, censoring=False)
            cell = shown_otherwise(cell, text, origin, study) or cell
            if isinstance(cell, cells.Bad):
                part.book.add(line, column, cell.what, text.strip(), cell.mend, cell.code)
            elif not what.legal(cell.value) and counted is not None:
                called, must = what.word.split(" of ")[0], "zero or more" if what.zero else "positive"
                part.book.add(
                    line,
                    column,
                    f"the {called} must be {must}",
                    text.strip(),
                    f"{what.because}: leave {o.column} empty{what.unless}",
                    "D60",
                )
            else:
                value = cell.value
        found.append(value)
    return found
