"""What an abstract prints of the patients whom a study plans for: the table [published]."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import numpy as np
from scipy import special

from bayesmyo.components.estimands import Criteria

When = Literal["first", "last"]
NEAR = 1e-9  # of the worth of a digit


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A mean with or without the SD between patients, as printed.

    rounded: what its last digit is worth, where that is not the last digit typed here
    """

    mean: float
    sd: float | None = None
    rounded: float | None = None


@dataclass(frozen=True, kw_only=True)
class Count:
    """So many patients: of so many, or of all; with the percentage that was printed beside it."""

    count: int
    of: int | None = None
    percent: float | None = None


@dataclass(frozen=True, kw_only=True)
class Number:
    """What was printed of one outcome: of patients' measurements at one time or, with `from`, of each patient's change
    between two.

    outcome: of this study
    at: "first" or "last" visit of each patient at which it was measured, or a time
    from: likewise; the number is then of the change from there to `at`
    mean, sd, median: as printed
    interval: of the mean, of the mass `mass`; by Student's t it says the SD between the patients, which is compared
    rounded: what the last printed digit is worth (default: that of the number typed here)
    window: how far from a time a measurement may be, of which the nearest counts (default: half of what lies between two
        planned visits)
    """

    outcome: str
    at: float | When = "last"
    from_: float | When | None = field(default=None, metadata={"key": "from"})
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    interval: tuple[float, float] | None = None
    mass: float = 0.95
    rounded: float | None = None
    window: float | None = None

    def printed(self, patients: int) -> dict[str, tuple[float, float]]:
        """What it says of so many patients: summary -> number, and what its last digit is worth."""
        said = {
            key: (value, self.rounded or last_digit(value))
            for key in ("mean", "sd", "median")
            if (value := getattr(self, key)) is not None
        }
        if self.interval is not None:
            low, high = self.interval
            per = np.sqrt(patients) / (2 * special.stdtrit(patients - 1, (1 + self.mass) / 2))
            digit = self.rounded or min(last_digit(low), last_digit(high))
            said["sd"] = float((high - low) * per), float(digit * per)
        return said


@dataclass(frozen=True, kw_only=True)
class Responders(Count):
    """How many patients had a response, judged on measurements, of those who were not lost.

    rule, category: of [responses]; or criteria: of outcomes, as an estimand of kind `share` has them
    at: the "last" visit, or a time, as of a number
    """

    rule: str = ""
    category: str = ""
    criteria: Criteria = field(default_factory=dict)
    at: float | When = "last"


@dataclass(frozen=True, kw_only=True)
class Abstract:
    """What an abstract prints of patients like those whom one plans for: `bayesmyo match` looks for the truths that could
    have printed it.

    source: who says so, as one would cite it
    patients: how many it is about
    follow_up: of the time until each was last seen, in the study's unit
    lost: how many left before their follow-up was over
    numbers: of outcomes; responders: patients who had a response
    """

    source: str
    patients: int
    follow_up: Spread | None = None
    lost: Count | None = None
    numbers: Mapping[str, Number] = field(default_factory=dict)
    responders: Mapping[str, Responders] = field(default_factory=dict)

    @property
    def counts(self) -> Iterator[tuple[str, Count]]:
        """Every count with its place: (`responders.remission`, Count)."""
        if self.lost is not None:
            yield "lost", self.lost
        yield from ((f"responders.{name}", r) for name, r in self.responders.items())


def contradictions(a: Abstract) -> list[str]:
    """Percentages that are none of their counts, and counts that leave no patients: what was printed and cannot be."""
    said = []
    for name, c in a.counts:
        of = c.of or a.patients
        if c.percent is None:
            continue
        digit, share = last_digit(c.percent), 100 * c.count / of
        if abs(share - c.percent) > digit * (0.5 + NEAR):
            others = [k for k in range(of + 1) if abs(100 * k / of - c.percent) <= digit * (0.5 + NEAR)]
            would = f"{others[0]} of {of} would be" if others else f"no count of {of} is"
            said.append(
                f"{name.rpartition('.')[2]}: {c.count} of {of} is {share:.1f} %, printed as {c.percent:g} %; {would}."
            )
    return said


def last_digit(value: float) -> float:
    """What the last digit of a number is worth, as it was typed: 0.01 of 0.92, 1 of 1140."""
    return float(Decimal(1).scaleb(_exponent(value)))


def _exponent(value: float) -> int:
    exponent = Decimal(f"{value:.12g}").normalize().as_tuple().exponent
    return min(int(exponent), 0)


def rounded(value: float, digit: float) -> float:
    """A number as it is printed with a last digit of that worth."""
    return float(np.round(value / digit)) * digit


__all__ = [
    "Abstract", "Count", "Number", "Responders", "Spread", "contradictions", "last_digit", "rounded",
]  # fmt: skip
