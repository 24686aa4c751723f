"""How a report writes numbers: the same text in every sentence, table and figure, with no digit below the Monte Carlo
error."""

import math
from typing import Any

from bayesmyo.components.numbers import Number, rhat_text
from bayesmyo.report.blocks import Cell, Span


def number(value: float | None, error: float = 0.0) -> Number:
    """A quantity; `error`: its Monte Carlo error, where it has one."""
    return Number(value if value is not None and math.isfinite(value) else None, error)


def fixed(value: float | None, form: str) -> Number:
    """A quantity as a format says, such as ".2f": a diagnostic, which has no Monte Carlo error of its own."""
    return number(None) if value is None or not math.isfinite(value) else Number(value, said=format(value, form))


def declared(value: float | None) -> Number:
    """What a study states, as it states it."""
    return fixed(value, ",.10g")


def count(value: int) -> Number:
    """How many there are."""
    return Number(value, said=f"{value:,}")


def spread(median: float, lower: float, upper: float) -> str:
    """A median with its interval."""
    return f"{number(median)} ({Span(number(lower), number(upper))})"


def rhat(value: float | None) -> Number:
    return number(None) if value is None or not math.isfinite(value) else Number(value, said=rhat_text(value))


def error_of(value: float | None) -> Number:
    """A Monte Carlo error: two digits are enough."""
    return fixed(value, ".2g" if value is None or abs(value) < 100 else ",.0f")


def plain(value: Any) -> Cell:
    """Any value of a table for programs: three significant digits, without zeros at the end, and a dash for nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value != value:
        return Number(None)
    if isinstance(value, int):
        return count(value)
    if not isinstance(value, float):
        return str(value)
    size = abs(value)
    return Number(
        value, said=format(value + 0.0, ".2e" if size >= 1e9 or 0 < size < 1e-3 else ",.0f" if size >= 999.5 else ".3g")
    )
