"""The ratio of the levels at two times."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayesmyo.components.estimands.estimand import Between, Given, Prediction


@dataclass(frozen=True, kw_only=True)
class Ratio(Between):
    """Level at `to` divided by level at `from` (0.5: halved). For a log-scale outcome, the geometric ratio."""

    kind: Literal["ratio"] = "ratio"
    neutral: ClassVar[float | None] = 1.0
    relative: ClassVar[bool] = True

    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        first, last = self._pair(prediction, given)
        return last / first

    def unit(self, outcome_unit: str, time_unit: str) -> str:
        return "ratio"

    def sentence(self, label: str, time_unit: str) -> str:
        return f"ratio of {label} at {time_unit} {self.to:g} to {time_unit} {self.from_:g}"
