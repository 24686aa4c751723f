"""The level at one time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayesmyo.components.estimands.estimand import STOPS, Estimand, Given, Named, OfOutcome, Prediction, Strategy


@dataclass(frozen=True, kw_only=True)
class Level(OfOutcome):
    """The outcome's level `at` a time, in outcome units."""

    kind: Literal["level"] = "level"
    at: float
    neutral: ClassVar[float | None] = None
    is_level: ClassVar[bool] = True
    allowed: ClassVar[tuple[Strategy, ...]] = (*Estimand.allowed, STOPS)

    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        return self._level(prediction, self.at, given)

    def unit(self, named: Mapping[str, Named], time_unit: str) -> str:
        return "ratio" if self.relative else named[self.outcome].unit

    def sentence(self, named: Mapping[str, Named], time_unit: str) -> str:
        return f"{named[self.outcome].label} at {time_unit} {self.at:g}"

    def possible(self) -> tuple[float, float] | None:
        return (0.0, np.inf) if self.relative else None

    def when(self) -> dict[str, float]:
        return {"at": self.at}
