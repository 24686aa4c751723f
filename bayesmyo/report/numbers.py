"""How a report writes numbers: the same text in every sentence, table and figure, with no digit below the Monte Carlo error."""

import math
from collections.abc import Mapping

import numpy as np

from bayesmyo.assess import diagnostics
from bayesmyo.components.numbers import Written, probability_text, resolved, significant
from bayesmyo.report.blocks import Number

NEAR = 1e-9  # of each other, in proportion: the same number, computed in another way


def number(value: float | None, error: float = 0.0) -> Number:
    """A quantity; `error`: its Monte Carlo error, where it has one."""
    if value is None or not math.isfinite(value):
        return Number(None, "-")
    return Number(value, resolved(value, error))


def declared(value: float | None) -> Number:
    """What a study states, as it states it."""
    return Number(None, "-") if value is None else Number(value, f"{value:,.10g}")


def count(value: int) -> Number:
    return Number(value, f"{value:,}")


def decimals(value: float | None, places: int) -> Number:
    """A diagnostic to a fixed number of decimals."""
    return Number(None, "-") if value is None or not math.isfinite(value) else Number(value, f"{value:.{places}f}")


def error_of(value: float | None) -> Number:
    """A Monte Carlo error: two digits are enough."""
    if value is None or not math.isfinite(value):
        return Number(None, "-")
    return Number(value, f"{value:.2g}" if abs(value) < 100 else f"{value:,.0f}")


def chance(p: float | None, error: float = 0.0) -> Number:
    """A probability."""
    return Number(None, "-") if p is None else Number(p, probability_text(p, error))


def chance_error(p: float, ess: float) -> float:
    """The Monte Carlo error of a probability from so many effective draws; no less than the share of one draw."""
    if not (math.isfinite(ess) and ess >= 1):
        return 0.0
    return max(math.sqrt(p * (1 - p) / ess), 1 / ess)


def quantile_errors(draws: np.ndarray, at: tuple[float, ...]) -> list[float]:
    """Monte Carlo errors of quantiles of (chain, draw) values (Vehtari et al. 2021, https://doi.org/10.1214/20-BA1221); 0 where there is
    none, because every draw is the same, or where it cannot be known."""
    (found,) = diagnostics.quantile_errors({"": draws}, at).values()
    return [e if math.isfinite(e) else 0.0 for e in found]


def written(errors: Mapping[float, float], ess: float) -> Written:
    """How the numbers of one result are written: `errors` by value; of another value, to three digits."""

    def amount(value: float) -> str:
        near = [error for known, error in errors.items() if math.isclose(abs(known), abs(value), rel_tol=NEAR)]
        return resolved(value, near[0]) if near else significant(value)

    return Written(amount, lambda p: probability_text(p, chance_error(p, ess)))
