"""How a report writes numbers: the same text in every sentence, table and figure, with no digit below the Monte Carlo error."""

import math

import numpy as np

from bayesmyo.assess import diagnostics
from bayesmyo.components.numbers import probability_text, resolved, rhat_text
from bayesmyo.report.blocks import Number


def number(value: float | None, error: float = 0.0, most: int = 3) -> Number:
    """A quantity; `error`: its Monte Carlo error, where it has one; `most`: significant digits."""
    if value is None or not math.isfinite(value):
        return Number(None, "-")
    return Number(value, resolved(value, error, most))


def declared(value: float | None) -> Number:
    """What a study states, as it states it."""
    return Number(None, "-") if value is None else Number(value, f"{value:,.10g}")


def spread(median: float, lower: float, upper: float) -> str:
    """A median with its interval."""
    return f"{number(median).text} ({number(lower).text} to {number(upper).text})"


def count(value: int) -> Number:
    return Number(value, f"{value:,}")


def decimals(value: float | None, places: int) -> Number:
    """A diagnostic to a fixed number of decimals."""
    return Number(None, "-") if value is None or not math.isfinite(value) else Number(value, f"{value:.{places}f}")


def rhat(value: float | None) -> Number:
    return Number(None, "-") if value is None or not math.isfinite(value) else Number(value, rhat_text(value))


def error_of(value: float | None) -> Number:
    """A Monte Carlo error: two digits are enough."""
    if value is None or not math.isfinite(value):
        return Number(None, "-")
    return Number(value, f"{value:.2g}" if abs(value) < 100 else f"{value:,.0f}")


def chance(p: float | None, error: float = 0.0) -> Number:
    """A probability."""
    return Number(None, "-") if p is None else Number(p, probability_text(p, error))


def quantile_errors(draws: np.ndarray, at: tuple[float, ...]) -> list[float]:
    """Monte Carlo errors of quantiles of (chain, draw) values (Vehtari et al. 2021, https://doi.org/10.1214/20-BA1221); 0 where there is
    none, because every draw is the same, or where it cannot be known."""
    (found,) = diagnostics.quantile_errors({"": draws}, at).values()
    return [e if math.isfinite(e) else 0.0 for e in found]
