"""The level at one time."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayesmyo.components.estimands.estimand import Estimand, Given, Prediction


@dataclass(frozen=True, kw_only=True)
class Level(Estimand):
    """The outcome's level `at` a time, in outcome units."""

    kind: Literal["level"] = "level"
    at: float
    neutral: ClassVar[float | None] = None

    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        return self._level(prediction, self.at, given)

    def unit(self, outcome_unit: str, time_unit: str) -> str:
        return outcome_unit

    def sentence(self, label: str, time_unit: str) -> str:
        return f"{label} at {time_unit} {self.at:g}"

    def times(self) -> tuple[float, ...]:
        return (self.at,)
