"""One text cell -> a number, a limit, missing, or why not. Nothing is repaired silently."""

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bayesmyo.cohort.cohort import BETWEEN, LEFT, MEASURED, RIGHT
from bayesmyo.cohort.typed_cells import TYPED, Origin
from bayesmyo.limits import NUMBER as LONGEST
from bayesmyo.limits import beyond
from bayesmyo.study.study import DataFormat

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}([,. '’\u00a0\u202f\u2009]\d{3})+([.,]\d+)?")
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}-[A-Za-z]{3}(-\d{2,4})?|[A-Za-z]{3}-\d{2,4}")
GRADE = re.compile(r"\d{1,2}([+-]|/\d{1,2})")
WITH_UNIT = re.compile(r"[+-]?\d+([.,]\d+)?\s*(%|[A-Za-zµμ][\w/µμ]*)")
LIMIT = re.compile(r"[<>≤≥]\s*=?\s*[-+]?[.,\d]")
NO_NUMBER = re.compile(r"[<>≤≥]\s*[A-Za-z][A-Za-z. ]*")
SLIP = re.compile(r"[+-]?[\d.,]*\d[\d.,]*[OoIlS][\dOoIlS.,]*|[OoIlS]+[.,]?\d[\dOoIlS.,]*")
NOT_A_NUMBER = "is not a number"
MINUSES = "−‒–—"
TRUTH = ("TRUE", "FALSE")
SWAPPED = str.maketrans(",.", ".,")
USUAL_MISSING = {"nan", "n/a", "na", "null", "none", "missing", "-", "--", ".", "?", "nd", "n.d.", "unknown", "#n/a"}


@dataclass(frozen=True)
class Cell:
    """A number, and on which side of it the truth lies (LEFT for `<20`, RIGHT for `>2000`, BETWEEN for `20..50`).

    end: the upper limit where the truth lies between two.
    """

    value: float
    side: int = MEASURED
    end: float = math.nan


@dataclass(frozen=True)
class Bad:
    """Why a cell is not a number, how to mend it, and its entry in the catalogue; hidden: its text is not shown."""

    what: str
    mend: str
    code: str = "D31"
    hidden: bool = False


EMPTY_IT = "correct the cell, or leave it empty if nothing was measured"
MINUS = Bad("has a typographic minus sign", 'use "-"', "D32")
OTHERWISE = "format the whole column as plain numbers, all in one way"


def is_missing(text: str, form: DataFormat) -> bool:
    """Whether the cell means "not measured": empty, a declared word, or a number that is a declared code."""
    stripped = text.strip()
    if not stripped or stripped in form.missing:
        return True
    codes = _codes(form.missing, form.decimal, form.thousands)
    return bool(codes) and stripped[-1] in "0123456789.," and number(stripped, form) in codes


@lru_cache(maxsize=64)
def _codes(missing: tuple[str, ...], decimal: Literal[".", ","], thousands: str | None) -> frozenset[float]:
    """The declared codes that are numbers: `99` is also a cell `99.0`, as in a column with a decimal."""
    forms = DataFormat(decimal=decimal, thousands=thousands), DataFormat()
    read = [number(code.strip(), form) for code in missing for form in forms]
    return frozenset(code for code in read if code is not None)


def number(text: str, form: DataFormat) -> float | None:
    """The finite number that a text is, however written (`2`, `2.0`, `2,0` as declared); None where it is none."""
    plain = _plain(text.strip(), form) if len(text) <= LONGEST else ""
    if not (plain.isascii() and NUMBER.fullmatch(plain)):
        return None
    value = float(plain)
    return value if math.isfinite(value) else None


def meant(text: str, declared: Iterable[str], form: DataFormat) -> str | None:
    """The one of the declared texts that a cell is, as a text, a number or a truth value; None where it is none."""
    stripped, declared = text.strip(), (*declared,)
    if stripped in declared:
        return stripped
    same = [t for t in declared if t.casefold() == stripped.casefold()] if stripped.upper() in TRUTH else []
    value = number(stripped, form) if stripped[-1:].isdigit() or stripped[-1:] in ".," else None
    if value is not None:
        same = _of_numbers(declared, form.decimal, form.thousands).get(value, [])
    return same[0] if len(same) == 1 else None


@lru_cache(maxsize=64)
def _of_numbers(declared: tuple[str, ...], decimal: Literal[".", ","], thousands: str | None) -> dict[float, list[str]]:
    """The declared texts that are each number, as the study writes numbers or with a decimal point."""
    form, texts = DataFormat(decimal=decimal, thousands=thousands), defaultdict[float, list[str]](list)
    for text in declared:
        for value in {number(text, form), number(text, DataFormat())}:
            if value is not None:
                texts[value].append(text)
    return texts


def parse(
    text: str,
    form: DataFormat,
    censoring: bool = False,
    texts: Mapping[str, float] | None = None,
    alone: bool = False,
    percent: bool = False,
    origin: Origin = TYPED,
) -> Cell | Bad:
    """The number in a cell that is not missing.

    censoring: the study has declared cells such as `<20` and `20..50`
    texts: cell texts with the numbers that they stand for; `alone`: no other text is legal
    percent: the declared unit is percent, so that `45 %` is 45
    origin: what a cell of a workbook was. Where it shows something else than the number in it, it is not read, unless
        what it shows can be: a limit, or a percentage where the unit is one; digits added in front change nothing
    """
    cell = _parsed(text, form, censoring, texts, alone, percent)
    if not origin.held or (isinstance(cell, Bad) and cell.code == "D30"):
        return cell
    share = "%" in text
    if isinstance(cell, Cell) and (cell.side != MEASURED or share or cell.value == number(origin.held, form)):
        return cell
    what = "is shown as a percentage and holds a hundredth of it" if share else "shows something else than it holds"
    return Bad(what, OTHERWISE, "D71")


def _parsed(
    text: str, form: DataFormat, censoring: bool, texts: Mapping[str, float] | None, alone: bool, percent: bool
) -> Cell | Bad:
    stripped = text.strip()
    if texts is not None and (known := meant(stripped, texts, form)) is not None:
        return Cell(texts[known])
    if len(stripped) > LONGEST:
        return Bad(f"has more than {LONGEST} characters, which no number has", EMPTY_IT, "D44")
    if alone and texts is not None:
        same = [t for t in texts if t.casefold() == stripped.casefold()]
        # no other suggestion: the nearest text may be another grade
        mend = f"levels: {', '.join(texts)}; or declare levels and scores of your own"
        mend = f'did you mean "{same[0]}"?' if same else mend
        minus = MINUS if any(c in stripped for c in MINUSES) else None
        return _unseen(stripped) or minus or Bad("is not one of the declared levels", mend, "D37")
    if percent:
        stripped = stripped.removesuffix("%").rstrip()
    if ".." in stripped:
        return _between(stripped, form, censoring)
    if NO_NUMBER.fullmatch(stripped):
        return Bad("is a limit without its number", "write the number of the limit, such as <20", "D30")
    side, digits = MEASURED, stripped
    if LIMIT.match(stripped):
        if not censoring:
            mend = 'only an outcome that declares censoring = "as typed" may hold limits'
            return Bad("is a limit, not a measurement", mend, "D30")
        side = LEFT if stripped[0] in "<≤" else RIGHT
        digits = stripped[1:].removeprefix("=").strip()
    plain = _plain(digits, form)
    if NUMBER.fullmatch(plain) and plain.isascii():
        value = float(plain)
        if not math.isfinite(value):
            return Bad("is infinite", "write the measured value", "D35")
        if beyond(value):
            return Bad("is no measurement: too large, or too close to zero", "write the measured value", "D35")
        return Cell(value, side)
    return _unseen(digits) or _why(digits, form)


def invisible(text: str) -> str:
    """The first character that cannot be seen (a mark of direction, a joiner, a soft hyphen), as U+200E; or nothing."""
    return next((f"U+{ord(c):04X}" for c in text if unicodedata.category(c) == "Cf"), "")


def _unseen(text: str) -> Bad | None:
    """A character that cannot be seen, as copying from another program leaves it."""
    what = f"holds a character that cannot be seen ({code})" if (code := invisible(text)) else ""
    return Bad(what, "type the cell again, or paste it as plain text") if what else None


def _plain(digits: str, form: DataFormat) -> str:
    """A number as Python writes it: without the declared thousands sign, with a decimal point."""
    if form.thousands is not None:
        sign = re.escape(form.thousands)
        if re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}({sign}\d{{3}})+({re.escape(form.decimal)}\d*)?", digits):
            digits = digits.replace(form.thousands, "")
    return digits.translate(SWAPPED) if form.decimal == "," else digits


def _between(text: str, form: DataFormat, censoring: bool) -> Cell | Bad:
    """`20..50`: the truth lies between two limits."""
    ends = [end.value for part in text.split("..", 1) if part.strip() and isinstance(end := parse(part, form), Cell)]
    if len(ends) != 2:
        return Bad(NOT_A_NUMBER, "an interval is written 20..50", "D30")
    if not censoring:
        mend = 'only an outcome that declares censoring = "as typed" may hold intervals'
        return Bad("is an interval, not a measurement", mend, "D30")
    low, high = ends
    return Cell(low, BETWEEN, high) if low < high else Bad("is no interval", "the lower limit comes first", "D30")


def _why(text: str, form: DataFormat) -> Bad:
    """The likeliest reason that a text is not a number."""
    other = "," if form.decimal == "." else "."
    if text.lower() in USUAL_MISSING:
        return Bad(NOT_A_NUMBER, f'if it means missing, add "{text}" to data.missing', "D34")
    if text.lower().lstrip("+-") in ("inf", "infinity"):
        return Bad("is infinite", "write the measured value", "D35")
    if re.fullmatch(r"\d+([.,]\d+)?\s*[-–]\s*\d+([.,]\d+)?", text):
        mend = 'write it 20..50, where the outcome declares censoring = "as typed"'
        return Bad("looks like an interval", mend, "D30")
    if any(c in text for c in MINUSES):
        return MINUS
    if DATE.fullmatch(text):
        mend = "spreadsheets turn numbers into dates: format the column as text, then type the cell again"
        return Bad("looks like a date", mend, "D33")
    if form.thousands is not None and form.thousands in text and _in_digits(text, form):
        mend = f'correct it, or data.thousands = "{_seen(form.thousands)}" in the study'
        return Bad("has digits that are not in groups of three", mend, "D29")
    if re.fullmatch(rf"[+-]?\d+{re.escape(other)}\d+", text) and not THOUSANDS.fullmatch(text):
        word, usual = ("comma", "point") if other == "," else ("point", "comma")
        mend = f'write a decimal {usual}, or set data.decimal = "{other}"{_between_cells(other, form)}'
        return Bad(f"uses a decimal {word}", mend, "D28")
    if THOUSANDS.fullmatch(text):
        return Bad("may have a thousands separator", _thousands(text, form), "D29")
    if GRADE.fullmatch(text):
        top = "write the grade alone if the other number is the top of the scale; otherwise declare in a map what it "
        muscle = 'a map, or for a single muscle family = { kind = "cumulative", coding = "mrc_plus" }'
        mend = f"{top}stands for" if "/" in text else f"declare what it stands for: {muscle}"
        return Bad("is a grade, not a number", mend, "D32")
    if SLIP.fullmatch(text):
        return Bad("has letters among its digits", "are they O for 0, or l for 1?", "D31")
    if text.startswith("="):
        return Bad("is not a number but a formula", "export the values of the sheet", "D42")
    if WITH_UNIT.fullmatch(text):
        return Bad("carries a unit", "remove the unit from the cell; declare it in the study", "D31")
    return Bad(NOT_A_NUMBER, EMPTY_IT)


def _thousands(text: str, form: DataFormat) -> str:
    """How to mend a number in groups of three digits; a single group may as well be a fraction."""
    sign = next(c for c in text if not c.isdigit() and c not in "+-")
    other = "," if form.decimal == "." else "."
    mend = "write the number without it"
    if sign == form.decimal:
        return mend
    mend += f', or set data.thousands = "{_seen(sign)}"'
    if sign != other or sum(not c.isdigit() for c in text.lstrip("+-")) > 1:
        return mend
    return f'{mend}, or data.decimal = "{sign}" if it is a decimal sign{_between_cells(sign, form)}'


def _in_digits(text: str, form: DataFormat) -> bool:
    """Whether a text has digits alone, signs between thousands, and one decimal sign; zero has no thousands."""
    sign, decimal = re.escape(form.thousands or ""), re.escape(form.decimal)
    return re.fullmatch(rf"[+-]?(?!0)[\d{sign}]+({decimal}\d*)?", text) is not None


def _seen(sign: str) -> str:
    """A sign as a study may write it so that it can be seen."""
    return sign if sign.isprintable() else f"\\u{ord(sign):04x}"


def _between_cells(decimal: str, form: DataFormat) -> str:
    """What else has to change before a sign can be the decimal sign."""
    return ' and export with ";" between cells' if decimal == form.delimiter else ""
