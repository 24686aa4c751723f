"""Cells that a workbook or a Parquet file holds as numbers, dates or truth values -> the text that a delimited file would have."""

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bayesmyo.study.dates import strftime

ISO = "YYYY-MM-DD"


def text_of(value: Any, decimal: str, pattern: str | None) -> str | None:
    """One typed cell as text: numbers in the shortest form that says the same, dates in the study's pattern.

    decimal: the study's decimal sign; pattern: how the study writes dates (ISO where it says nothing)
    Returns None for a value of another type.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        return _number(float(value)).replace(".", decimal)
    if isinstance(value, datetime):
        clock = value.time().replace(microsecond=0, tzinfo=None)
        return _day(value, pattern) + (f" {clock.isoformat()}" if clock != time() else "")
    if isinstance(value, date):
        return _day(value, pattern)
    return str(value) if isinstance(value, time | timedelta) else None


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else repr(value)


def _day(value: date, pattern: str | None) -> str:
    return value.strftime(strftime(pattern or ISO).replace("%Y", f"{value.year:04d}"))
