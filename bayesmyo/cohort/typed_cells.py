"""Cells that a workbook, Parquet or a data frame holds as numbers, dates or truth values -> text, as if typed.

The text is what the cell shows; beside it stays what the cell was (`Origin`), for whoever has to understand it.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

from bayesmyo.cohort.number_formats import shown
from bayesmyo.study.dates import strftime

ISO = "YYYY-MM-DD"
Kind = Literal["text", "number", "date", "boolean", "error"]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a cell was before it was text.

    kind: of its value; held: the number that it holds, where its number format shows something else, such as 45 % for
        0.45
    struck: whether it is struck out
    """

    kind: Kind = "text"
    held: str = ""
    struck: bool = False


TYPED = Origin()  # what is in a text file
PLAIN = {kind: Origin(kind) for kind in ("text", "number", "date", "boolean", "error")}


def typed(
    value: Any, decimal: str, pattern: str | None, form: str = "", struck: bool = False, error: bool = False
) -> tuple[str, Origin] | None:
    """One typed cell as text, and what it was: numbers as shown, with every digit; dates in the study's pattern.

    decimal: the study's decimal sign; pattern: how the study writes dates (ISO where it says nothing); form: a number
        format
    error: what a formula came to is an error, such as #DIV/0!
    Returns None for a value of another type.
    """
    if value is None:
        return "", TYPED
    kind: Kind
    held = ""
    if isinstance(value, str):
        text, kind = value, "error" if error else "text"
    elif isinstance(value, bool):
        text, kind = ("TRUE" if value else "FALSE"), "boolean"
    elif isinstance(value, int | float | Decimal):
        text, kind = _number(value).replace(".", decimal), "number"
        if form and text and math.isfinite(value):
            visible = shown(float(value), text, form, decimal)
            if visible is not None:
                text, held = visible, text
    elif isinstance(value, datetime):
        clock = value.time().replace(microsecond=0, tzinfo=None)
        text, kind = _day(value, pattern) + (f" {clock.isoformat()}" if clock != time() else ""), "date"
    elif isinstance(value, date):
        text, kind = _day(value, pattern), "date"
    elif isinstance(value, time | timedelta):
        text, kind = str(value), "date"
    else:
        return None
    return text, Origin(kind, held, struck) if held or struck else PLAIN[kind]


def _number(value: float | Decimal) -> str:
    """A number in the shortest form that says the same; nothing where it is none (NaN)."""
    if isinstance(value, int):
        return str(value)
    value = float(value)
    if math.isnan(value):
        return ""
    return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else repr(value)


def _day(value: date, pattern: str | None) -> str:
    return value.strftime(strftime(pattern or ISO).replace("%Y", f"{value.year:04d}"))
