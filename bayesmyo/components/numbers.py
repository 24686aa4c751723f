"""How numbers and names are written in a sentence."""

import math
from collections.abc import Callable
from dataclasses import dataclass

DECIMALS = 3  # of a probability


def significant(value: float) -> str:
    """Three significant digits, trailing zeros kept, without an exponent where one can be avoided."""
    if not 0 < abs(value) < 999.5:
        return f"{value:,.0f}"
    return f"{value:#.3g}".removesuffix(".")


def resolved(value: float, error: float) -> str:
    """At most three significant digits, and none below the Monte Carlo error: the last is worth one error or more, or, where that
    would leave a single digit, a fifth of one."""
    if not math.isfinite(value) or not (math.isfinite(error) and error > 0):
        return significant(value)
    sure, perhaps = (math.floor(-math.log10(e)) for e in (error, error / 5))  # decimals
    three = 2 - math.floor(math.log10(abs(value))) if value else sure
    kept = min(three, max(sure, min(perhaps, three - 1)))
    rounded = round(value, kept) + 0.0  # never minus zero
    return f"{rounded:,.{max(0, kept)}f}"


def probability_text(p: float, error: float = 0.0) -> str:
    """A probability that never claims certainty, with no digit below its Monte Carlo error."""
    decimals = DECIMALS if error <= 0 else min(DECIMALS, max(1, math.floor(-math.log10(error))))
    least = 10.0**-decimals
    if p > 1 - least:
        return f"more than {1 - least:.{decimals}f}"
    return f"less than {least:.{decimals}f}" if p < least else f"{p:.{decimals}f}"


@dataclass(frozen=True)
class Written:
    """How the numbers of one result are written, so that its sentences and its tables agree."""

    amount: Callable[[float], str] = significant
    chance: Callable[[float], str] = probability_text


PLAIN = Written()


def in_sentence(label: str) -> str:
    """A label inside a sentence: `Mean MRC grade` begins small, `CPK` does not."""
    return label[0].lower() + label[1:] if label[1:2].islower() or label[1:2] == " " else label
