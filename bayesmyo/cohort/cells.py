"""One text cell -> a number, a limit, missing, or why not. Nothing is repaired silently."""

import math
import re
from dataclasses import dataclass

from bayesmyo.cohort.cohort import LEFT, MEASURED, RIGHT
from bayesmyo.study.study import DataFormat

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}([,. '’\u00a0\u202f]\d{3})+([.,]\d+)?")
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}-[A-Za-z]{3}(-\d{2,4})?|[A-Za-z]{3}-\d{2,4}")
GRADE = re.compile(r"\d{1,2}([+-]|/\d{1,2})")
WITH_UNIT = re.compile(r"[+-]?\d+([.,]\d+)?\s*(%|[A-Za-zµμ][\w/µμ]*)")
SWAPPED = str.maketrans(",.", ".,")
USUAL_MISSING = {"nan", "n/a", "na", "null", "none", "missing", "-", "--", ".", "?", "nd", "n.d.", "unknown", "#n/a"}


@dataclass(frozen=True)
class Cell:
    """A number, and on which side of it the truth lies (LEFT for `<20`, RIGHT for `>2000`)."""

    value: float
    side: int = MEASURED


@dataclass(frozen=True)
class Bad:
    """Why a cell is not a number, and how to mend it."""

    what: str
    mend: str


def is_missing(text: str, form: DataFormat) -> bool:
    """Whether the cell means "not measured": empty, or one of the declared words."""
    stripped = text.strip()
    return not stripped or stripped in form.missing


def parse(text: str, form: DataFormat, censoring: bool) -> Cell | Bad:
    """The number in a cell that is not missing. `censoring`: the study has declared cells such as `<20`."""
    stripped = text.strip()
    side, digits = MEASURED, stripped
    if stripped[:1] in "<>≤≥":
        if not censoring:
            mend = 'only an outcome that declares censoring = "as typed" may hold limits'
            return Bad("is a limit, not a measurement", mend)
        side = LEFT if stripped[0] in "<≤" else RIGHT
        digits = stripped[1:].removeprefix("=").strip()
    plain = digits.translate(SWAPPED) if form.decimal == "," else digits
    if NUMBER.fullmatch(plain) and plain.isascii():
        value = float(plain)
        return Cell(value, side) if math.isfinite(value) else Bad("is infinite", "write the measured value")
    return _why(digits, form)


def _why(text: str, form: DataFormat) -> Bad:
    """The likeliest reason that a text is not a number."""
    other = "," if form.decimal == "." else "."
    if text.lower() in USUAL_MISSING:
        return Bad("is not a number", f'if it means missing, add "{text}" to data.missing')
    if text.lower().lstrip("+-") in ("inf", "infinity"):
        return Bad("is infinite", "write the measured value")
    if any(c in text for c in "−‒–—"):
        return Bad("has a typographic minus sign", 'use "-"')
    if DATE.fullmatch(text):
        return Bad("looks like a date", "spreadsheets turn numbers into dates: format the column as text or number")
    if re.fullmatch(rf"[+-]?\d+{re.escape(other)}\d+", text) and not THOUSANDS.fullmatch(text):
        word = "comma" if other == "," else "point"
        return Bad(f"uses a decimal {word}", f'set data.decimal = "{other}"')
    if THOUSANDS.fullmatch(text):
        return Bad(
            "may have a thousands separator",
            "write the number without it"
            + (f', or set data.decimal = "{other}" if it is a decimal sign' if other in text else ""),
        )
    if GRADE.fullmatch(text):
        return Bad("is a grade, not a number", "write the number that stands for it on the declared scale")
    if WITH_UNIT.fullmatch(text):
        return Bad("carries a unit", "remove the unit from the cell; declare it in the study")
    return Bad("is not a number", "correct the cell, or leave it empty if nothing was measured")
