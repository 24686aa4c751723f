"""Numbers, with what is known of them, and how numbers and names are written in a sentence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

DECIMALS = 3  # of a probability
ALIKE = 8.0  # times: errors of the ends of one interval
LONGEST = 12  # characters of a number
NEAR = 1e-9  # of an interval, in proportion: both ends are one number, computed in two ways


def significant(value: float, digits: int = 3) -> str:
    """So many significant digits, trailing zeros kept, without an exponent where one can be avoided."""
    if not 0 < abs(value) < 10**digits - 0.5:
        return f"{value:,.0f}"
    text = f"{value:#.{digits}g}".removesuffix(".")
    return f"{float(text):,.{len(text.partition('.')[2])}f}" if "e" not in text and abs(value) >= 1000 else text


def resolved(value: float, error: float, most: int = 3) -> str:
    """A number with no digit below its Monte Carlo error: the last is worth one error or more, or, where that would
    leave a single digit, a
    fifth of one. With an exponent where it would be long.

    Parameters
    ----------
    error
        The Monte Carlo error, in the unit of the value.
    most
        Significant digits at most.
    """
    if not math.isfinite(value):
        return significant(value, most)
    text = _resolved(value, error, most) if math.isfinite(error) and error > 0 else significant(value, most)
    return text if len(text) <= LONGEST else f"{value:.{most - 1}e}"


def _resolved(value: float, error: float, most: int) -> str:
    sure, perhaps = (math.floor(-math.log10(e)) for e in (error, error / 5))  # decimals
    every = most - 1 - math.floor(math.log10(abs(value))) if value else sure
    kept = min(every, max(sure, min(perhaps, every - most + 2)))
    rounded = round(value, kept) + 0.0  # never minus zero
    if rounded and value:
        kept = min(kept, most - 1 - math.floor(math.log10(abs(rounded))))  # 9.999 has become 10.0
    return f"{rounded:,.{max(0, kept)}f}"


def rhat_text(value: float, decimals: int = 3) -> str:
    """R-hat. Of chains that hardly move it is some huge number, of which no digit says anything."""
    return "more than 100" if value > 100 else f"{value:.{decimals}f}"


def apart(lower: float, upper: float) -> int:
    """Significant digits that tell the two ends of an interval apart: three, or more where it is narrow."""
    largest = max(abs(lower), abs(upper))
    if not (math.isfinite(largest) and upper - lower > NEAR * largest):
        return 3
    return max(3, math.floor(math.log10(largest)) - math.floor(math.log10(upper - lower)) + 1)


def shared(errors: Sequence[float]) -> list[float]:
    """The same errors, all of them the largest where they are much alike, so that an interval is written with one
    number of digits."""
    least, most = min(errors), max(errors)
    return [most] * len(errors) if most <= ALIKE * least else [e or most for e in errors]


def interval_errors(lower: float | None, median: float | None, upper: float | None) -> tuple[float, float, float]:
    """Monte Carlo errors of lower end, median and upper end, for writing.

    Ends that are known alike share the larger one, and one that no draw tells (all are the same) has its neighbour's.

    Returns
    -------
    tuple of three floats
        In that order; 0 where nothing is known.
    """
    first, middle, last = (e if e is not None and math.isfinite(e) else 0.0 for e in (lower, median, upper))
    first, last = shared((first, last))
    return first or middle, middle or max(first, last), last or middle


def probability_text(p: float, error: float = 0.0) -> str:
    """A probability that never claims certainty, with no digit below its Monte Carlo error."""
    decimals = chance_decimals(error)
    least = 10.0**-decimals
    if p > 1 - least:
        return f"more than {1 - least:.{decimals}f}"
    return f"less than {least:.{decimals}f}" if p < least else f"{p:.{decimals}f}"


def chance_decimals(error: float) -> int:
    """Decimals of a probability with this Monte Carlo error."""
    return DECIMALS if error <= 0 else min(DECIMALS, max(1, math.floor(-math.log10(error))))


@dataclass(frozen=True)
class Number:
    """A number as it was computed: made once, where draws become a number, and written alike in every sentence, table
    and figure.

    `str(number)` is what a reader sees: no digit below the Monte Carlo error, a dash where there is no number.

    Parameters
    ----------
    value : float or None
        None or NaN where there is none.
    error : float
        Its Monte Carlo error, in the same unit; 0 where it has none, or where it is not known.
    unit : str
        Of the value; a sentence says it, a column says it once.
    digits : int
        Significant digits at most.
    said : str
        The text, where another rule writes it: a probability, a count, a fixed number of decimals.
    """

    value: float | None
    error: float = 0.0
    unit: str = ""
    digits: int = 3
    said: str = ""

    def __str__(self) -> str:
        if self.said:
            return self.said
        nothing = self.value is None or math.isnan(self.value)
        return "-" if nothing else resolved(self.value or 0.0, self.error, self.digits)

    def of(self, value: float | None) -> "Number":
        """Another value, known as well as this one: the number without its sign, or under another prior."""
        return replace(self, value=value)


def chance(p: float | None, error: float = 0.0) -> Number:
    """A probability, which never claims certainty."""
    return Number(p, error, said="" if p is None else probability_text(p, error))


@dataclass(frozen=True)
class Written:
    """How the numbers of one result are written in a sentence about its draws.

    Parameters
    ----------
    quantiles : mapping of float to Number
        Those of the draws whose Monte Carlo error is known, by their probability.
    ess : float
        Effective draws; NaN where they are not known.
    """

    quantiles: Mapping[float, Number] = field(default_factory=dict)
    ess: float = math.nan

    def quantile(self, p: float, value: float) -> Number:
        """The quantile `value` of the draws, at the probability `p`."""
        return self.quantiles.get(p) or Number(value)

    def chance(self, p: float) -> Number:
        """The probability `p` of something, over the draws."""
        return chance(p, chance_error(p, self.ess))


PLAIN = Written()


def chance_error(p: float, ess: float) -> float:
    """The Monte Carlo error of a probability from so many effective draws; no less than the share of one draw."""
    if not (math.isfinite(ess) and ess >= 1):
        return 0.0
    return max(math.sqrt(p * (1 - p) / ess), 1 / ess)


def listing(names: Sequence[str], word: str = "and") -> str:
    """Names in a sentence: `a, b and c`."""
    return f" {word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def in_sentence(label: str) -> str:
    """A label inside a sentence: `Mean MRC grade` begins small, `CPK` does not."""
    return label[0].lower() + label[1:] if label[1:2].islower() or label[1:2] == " " else label
