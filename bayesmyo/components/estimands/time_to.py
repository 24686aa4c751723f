"""The time until an outcome reaches a level."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayesmyo.components.estimands.criteria import Criterion
from bayesmyo.components.estimands.estimand import Given, Named, OfOutcome, Prediction
from bayesmyo.components.numbers import Number

STEPS = 18
REFINEMENTS = 4


@dataclass(frozen=True, kw_only=True)
class TimeTo(OfOutcome):
    """The first time, from time 0 to `within`, at which the level of an outcome is `at_least` or `at_most` a value.

    Of one curve: the average of these patients, the average patient, or the population average. It is not the average
    of patients' own times. A draw that never reaches the level counts as `within`, so the number is restricted to
    `within`.
    The probability beside it is that the level is reached within that time. Levels are looked at 18 times, and the
    crossing between two of them is found exactly; a level that is passed and left again between two looks is not seen.
    """

    kind: Literal["time to"] = "time to"
    at_least: float | None = None
    at_most: float | None = None
    within: float

    neutral: ClassVar[float | None] = None
    bounded: ClassVar[bool] = True
    populations: ClassVar[tuple[str, ...]] = ("these patients", "average patient", "population average")
    measured: ClassVar[tuple[str, ...]] = ()

    @property
    def followed(self) -> tuple[str, ...]:
        return self.outcomes

    @property
    def whom(self) -> str:
        return "over all such patients" if self.population == "population average" else super().whom

    @property
    def _one(self) -> bool:
        return (self.at_least is None) != (self.at_most is None)

    def asks(self) -> Mapping[str, tuple[str, Criterion]]:
        return {"": (self.outcome, Criterion(at_least=self.at_least, at_most=self.at_most))} if self._one else {}

    def faults(self) -> tuple[tuple[str, str, str, str], ...]:
        one = "give exactly one of at_least and at_most, the level that is to be reached"
        after = "must be a time after 0, when treatment began"
        return (
            *(() if self._one else (("", one, "", ""),)),
            *(() if self.within > 0 else (("within", after, f"{self.within:g}", ""),)),
        )

    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        def short(time: float | np.ndarray) -> np.ndarray:
            """How far the level is from what is to be reached: zero or less once it is."""
            level = np.asarray(self._level(prediction, time, given), dtype=float)
            return level - self.at_most if self.at_most is not None else (self.at_least or 0.0) - level

        grid = np.linspace(0.0, self.within, STEPS + 1)
        distances = np.stack([short(float(t)) for t in grid])
        reached = distances <= 0
        index = np.maximum(np.argmax(reached, axis=0), 1)
        low, high = grid[index - 1], grid[index]
        above, below = (np.take_along_axis(distances, (index - k)[None], axis=0)[0] for k in (1, 0))
        with np.errstate(invalid="ignore"):  # a level beyond all numbers, under a prior
            crossing = _crossing(short, low, high, above, below)
        return np.where(reached[0], 0.0, np.where(reached.any(axis=0), crossing, self.within))

    def threshold(self, better: str) -> tuple[str, float] | None:
        stated = super().threshold("lower")
        return stated if stated is not None else ("below", self.within)

    def unit(self, named: Mapping[str, Named], time_unit: str) -> str:
        return f"{time_unit}s"

    def amount(self, number: Number, time_unit: str) -> str:
        return self._figure(number, time_unit) + ("" if self._beyond(number) else f" {number.unit}")

    def ends(self, lower: Number, upper: Number, time_unit: str) -> str:
        if self._beyond(lower):
            return f"all of it beyond {time_unit} {self.within:g}"
        return f"{self._figure(lower, time_unit)} to {self._figure(upper, time_unit)}"

    def _beyond(self, number: Number) -> bool:
        return self.contrast is None and number.value is not None and number.value >= self.within

    def _figure(self, number: Number, time_unit: str) -> str:
        return f"beyond {time_unit} {self.within:g}" if self._beyond(number) else str(number)

    def chance_of(self, direction: str, threshold: float, time_unit: str) -> str:
        if direction == "below" and threshold == self.within and self.contrast is None:
            return f"it is reached by {time_unit} {self.within:g}"
        return super().chance_of(direction, threshold, time_unit)

    def sentence(self, named: Mapping[str, Named], time_unit: str) -> str:
        limit = f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"
        curve = "curve" if self.population == "average patient" else "average curve"
        return f"time until the {curve} of {named[self.outcome].label} is {limit} {named[self.outcome].unit}"

    def when(self) -> dict[str, float]:
        return {"within": self.within}

    def possible(self) -> tuple[float, float]:
        return (-self.within, self.within) if self.contrast else (0.0, self.within)


def _crossing(
    short: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray, above: np.ndarray, below: np.ndarray
) -> np.ndarray:
    """Where a function falls from `above` > 0 at `low` to `below` <= 0 at `high`, by false position.

    An end that stays a second time counts half (the Illinois rule), or it would stay for ever.
    """
    before = np.zeros(np.shape(low), dtype=int)
    for _ in range(REFINEMENTS):
        middle = _between(low, high, above, below)
        value = short(middle)
        met = value <= 0
        side = np.where(met, 1, -1)
        again = side == before
        above, below = (
            np.where(met, np.where(again, above / 2, above), value),
            np.where(met, value, np.where(again, below / 2, below)),
        )
        low, high, before = np.where(met, low, middle), np.where(met, middle, high), side
    return _between(low, high, above, below)


def _between(low: np.ndarray, high: np.ndarray, above: np.ndarray, below: np.ndarray) -> np.ndarray:
    width = above - below
    share = np.divide(above, width, out=np.full_like(width, 0.5), where=(width > 0) & np.isfinite(width))
    return low + (high - low) * np.clip(share, 0.0, 1.0)
